//! Many runs of one experiment: variants, points of a grid, seeds.
//!
//! The runs of one row use the seeds `seed`, `seed + 1`, .. (wrapping at 2^64), the same for every row: so
//! rows meet the same luck and their differences can be taken seed by seed, and run number `n` is
//! repeated by `run --seed` alone. Results are placed by index: `--jobs` never shows in one.

use crate::app::App;
use crate::args::Bounds;
use crate::diagnostics;
use crate::error::{Error, Exit, Result};
use crate::experiment::{Opened, Prepared};
use crate::jobs::{in_order, threads};
use crate::progress::Meter;
use crate::result::seeds::Seeds;
use crate::simulate::simulate_from;
use crate::study::fault;
use crate::study::settle::{Leg, Settling};
use crate::study::trunks::{Trunks, begin};
use sim_core::SimTime;
use sim_models::report::{Leaf, Metric, Report, Value};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// The most runs of one command.
pub const MOST_RUNS: usize = 1_000_000;
/// Runs that are prepared at once: memory for their specifications, no more.
const CHUNK: usize = 256;

/// One row: a variant with values set, run on several seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The variant; none is the base.
    pub variant: Option<String>,
    /// What is set.
    pub set: Vec<(String, String)>,
}

/// What came of all runs.
#[derive(Debug)]
pub struct Outcome<T> {
    /// For each row, for each seed; none where a signal came first.
    pub rows: Vec<Vec<Option<T>>>,
    /// How many runs a limit cut short.
    pub cut_short: usize,
    /// How many runs were not made, or not to their end, because of a signal.
    pub missing: usize,
    /// The exit code that this amounts to.
    pub exit: Exit,
}

impl<T> Outcome<T> {
    /// Of so many rows before any run.
    pub fn none(rows: usize) -> Self {
        Outcome { rows: (0..rows).map(|_| Vec::new()).collect(), cut_short: 0, missing: 0, exit: Exit::Good }
    }

    /// The same rows on more seeds.
    pub fn add(&mut self, more: Outcome<T>) {
        self.rows.iter_mut().zip(more.rows).for_each(|(row, more)| row.extend(more));
        self.cut_short += more.cut_short;
        self.missing += more.missing;
        self.exit = self.exit.max(more.exit);
    }

    /// What a reader must know before believing the rest; nothing if all runs were made to their end.
    pub fn incomplete(&self) -> Vec<String> {
        let all: usize = self.rows.iter().map(Vec::len).sum();
        let missing = format!("interrupted: {} of {all} runs are missing", self.missing);
        let cut =
            format!("a limit cut {} of {all} runs short: they cover only what was reached", self.cut_short);
        [(self.missing, missing), (self.cut_short, cut)]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(_, text)| text)
            .collect()
    }
}

/// The most values that are shown unless asked for.
const MOST_VALUES: usize = 6;

/// The most workloads besides the first whose p99 is.
const MOST_OTHERS: usize = 3;

/// What everyone asks for: recovery, goodput, cost, and the response time of users; of a model without edges
/// its values. With `theory_first`, for a grid, values that have an exact one beside them come first and replace the rest.
pub fn usual(report: &Report, theory_first: bool) -> Vec<String> {
    let leaves = report.leaves();
    let there = |path: &str| matches!(leaves.metric(path), Ok(Metric::Truth(_) | Metric::Number(..)));
    let values: Vec<String> = leaves
        .iter()
        .map(Leaf::path)
        .filter(|path| path.starts_with("values") && path.ends_with(".value"))
        .collect();
    let headlines = report.headlines().into_iter().filter(|path| there(path)).take(MOST_VALUES);
    let users = report.edges.iter().find(|(_, edge)| edge.from_users);
    let percentiles = users.map(|(name, _)| ["p50", "p99"].map(|which| latency_path(report, name, which)));
    // Nobody is told the response time of one workload as that of all.
    let others = report.edges.iter().filter(|(_, edge)| edge.from_users).skip(1).take(MOST_OTHERS);
    let others = others.map(|(name, _)| latency_path(report, name, "p99"));
    let known: Vec<String> = values.iter().filter(|path| there(&exact_path(path))).cloned().collect();
    if theory_first && !known.is_empty() {
        return known.into_iter().take(MOST_VALUES).chain(percentiles.map(|[_, p99]| p99)).collect();
    }
    // Time to recover is absent from the run that never does, and still what is asked about.
    let asked =
        |path: &&str| there(path) || (*path == "time_to_recover" && report.summary.recovered.is_some());
    // A grid is drawn by its first number that varies: better by one that every cell has.
    let summary = match theory_first {
        true => ["recovered", "success", "time_to_recover", "amplification", "wasted"],
        false => ["recovered", "time_to_recover", "success", "amplification", "wasted"],
    };
    let summary = summary.iter().filter(|path| asked(path)).map(|path| (*path).to_string());
    match percentiles {
        Some(percentiles) => summary.chain(percentiles).chain(others).chain(headlines).collect(),
        None => summary.chain(values.into_iter().take(MOST_VALUES)).chain(headlines).collect(),
    }
}

/// The path of one of an edge's latencies as the report itself writes it.
fn latency_path(report: &Report, edge: &str, which: &str) -> String {
    let quoted = format!("edges[\"{}\"].latency.{which}", edge.replace('\\', "\\\\").replace('"', "\\\""));
    let plain = format!("edges.{edge}.latency.{which}");
    if report.leaves().iter().any(|leaf| leaf.path() == plain) { plain } else { quoted }
}

/// The whole path of a response time that was asked for by its last name, `p99`: what is saved is found again
/// by its path. Other paths as they are.
pub fn spelled_out(report: &Report, path: &str) -> String {
    let users = report.edges.iter().find(|(_, edge)| edge.from_users);
    let whole = users.map(|(edge, _)| latency_path(report, edge, path));
    let alike = |whole: &String| match (report.metric(whole), report.metric(path)) {
        (Ok(whole), Ok(short)) => whole == short,
        _ => false,
    };
    whole.filter(alike).unwrap_or_else(|| path.into())
}

/// Where the exact value beside a measured one is.
pub fn exact_path(value: &str) -> String {
    format!("{}.exact", value.strip_suffix(".value").unwrap_or(value))
}

/// Whether the exact value beside a measured one is not exact.
pub fn is_approximate(report: &Report, value: &str) -> bool {
    let named = |(name, _): &(&str, &Value)| {
        [format!("values.{name}.value"), format!("values[\"{name}\"].value")].contains(&value.into())
    };
    report.values.iter().find(named).is_some_and(|(_, value)| value.source.contains("approximate"))
}

/// Checks every row before anything runs, then runs all of them on all seeds and keeps what `keep` makes of
/// each report; the first run of a row is told apart.
pub fn run_all<T: Send>(
    app: &mut App,
    opened: &Opened,
    rows: &[Row],
    seeds: Seeds,
    how: How,
    keep: impl Fn(Report, bool) -> Result<T> + Sync,
) -> Result<Outcome<T>> {
    let each = seeds.count as usize;
    let all = rows.len().saturating_mul(each);
    if all > MOST_RUNS {
        let message = format!("{} rows on {each} seeds are {all} runs, allowed {MOST_RUNS}", rows.len());
        return Err(Error::Usage { message, help: "  lower --replications, or take fewer values".into() });
    }
    for row in rows {
        app.prepare(opened, row.variant.as_deref(), &row.set, Some(seeds.first))?;
    }
    let meter = Meter::of_runs(&app.console, &opened.found.name, all);
    let done = run_chunks(app, opened, rows, seeds, how, &meter, keep);
    meter.finish(&mut app.console, None);
    let (mut kept, mut cut_short) = (Vec::with_capacity(all), 0);
    for one in done? {
        cut_short += usize::from(one.as_ref().is_some_and(|(_, stopped)| *stopped));
        kept.push(one.map(|(kept, _)| kept));
    }
    let missing = kept.iter().filter(|one| one.is_none()).count();
    let exit = match app.console.interrupt.exit() {
        Some(exit) if missing > 0 => exit,
        _ if cut_short > 0 => Exit::Limit,
        _ => Exit::Good,
    };
    let mut kept = kept.into_iter();
    let rows = rows.iter().map(|_| kept.by_ref().take(each).collect()).collect();
    Ok(Outcome { rows, cut_short, missing, exit })
}

/// How runs are made.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// How far each may go.
    pub bounds: &'a Bounds,
    /// Each runs on until it is decided, so many times as long as the experiment's own at most; none does not.
    pub settle: Option<u32>,
    /// What a run of each row has cost, if any was made: those that cost most are begun first, so that no thread waits long for
    /// the last of another.
    pub costs: &'a [u64],
}

impl<'a> How<'a> {
    /// Of rows of which none was run.
    pub fn new(bounds: &'a Bounds, settle: Option<u32>) -> Self {
        How { bounds, settle, costs: &[] }
    }
}

/// What is kept of each run and whether a limit cut it short, in order.
fn run_chunks<T: Send>(
    app: &App,
    opened: &Opened,
    rows: &[Row],
    seeds: Seeds,
    How { bounds, settle, costs }: How,
    meter: &Meter,
    keep: impl Fn(Report, bool) -> Result<T> + Sync,
) -> Result<Vec<Option<(T, bool)>>> {
    let of_row = |(n, row)| seeds.iter().enumerate().map(move |(m, seed)| (n, row, seed, m == 0));
    let jobs: Vec<(usize, &Row, u64, bool)> = rows.iter().enumerate().flat_map(of_row).collect();
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&job| Reverse(costs.get(jobs[job].0)));
    let (interrupt, dir) = (&app.console.interrupt, app.global.dir.clone());
    let (alike, trunks) = (Alike::of(app, opened, rows, seeds.first, bounds)?, Trunks::default());
    let (gate, is_first_round) = (Gate::default(), costs.iter().all(|cost| *cost == 0));
    let one = |(job, prepared, first): &(usize, Prepared, bool)| -> Result<Option<(T, bool)>> {
        // Whatever becomes of it, nobody waits for it any more.
        let leads = order.first() == Some(job);
        let _opens = leads.then(|| Opens(&gate));
        if interrupt.exit().is_some() {
            return Ok(None);
        }
        let run = |leg: Leg| {
            let longer = leg.longer.map(Leg::setting);
            let longer =
                longer.map(|longer| longer_run(opened, dir.as_deref(), prepared, &longer)).transpose()?;
            let prepared = longer.as_ref().unwrap_or(prepared);
            let trunk = match alike.until(prepared, bounds) {
                Some(before) => begin(&trunks, prepared, bounds, interrupt, before)?,
                None => None,
            };
            let simulated = simulate_from(trunk.as_deref(), prepared, bounds, interrupt)?;
            Ok(interrupt.exit().is_none().then_some(simulated.report))
        };
        let settling = Settling::new(&prepared.resolved.run, settle.unwrap_or(1));
        let Some(report) = settling.settle(run, |report| report)? else { return Ok(None) };
        meter.run_done();
        // A signal that came while it ran has cut it short: a part is no replication.
        if interrupt.exit().is_some() {
            return Ok(None);
        }
        let stopped = report.stopped.is_some();
        if !leads && is_first_round {
            gate.wait();
        }
        keep(report, *first).map(|kept| Some((kept, stopped)))
    };
    // What is wrong with a metric ends it: nothing is begun any more. That shows in the first runs of all rows, which begin in
    // order, so the first that failed is always the same one.
    let failed = AtomicBool::new(false);
    let unless_failed = |run: &(usize, Prepared, bool)| {
        if failed.load(Ordering::Relaxed) {
            return Ok(None);
        }
        one(run).inspect_err(|_| failed.store(true, Ordering::Relaxed))
    };
    let mut done: Vec<Option<(T, bool)>> = jobs.iter().map(|_| None).collect();
    let mut rest: &[usize] = &order;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
        let prepare = |&job: &usize| {
            let (_, row, seed, first) = jobs[job];
            app.prepare(opened, row.variant.as_deref(), &row.set, Some(seed))
                .map(|prepared| (job, prepared, first))
        };
        let prepared: Vec<_> = chunk.iter().map(prepare).collect::<Result<_>>()?;
        let results = in_order(threads(app.global.jobs), &prepared, unless_failed);
        for (&job, result) in chunk.iter().zip(results) {
            done[job] = result?;
        }
        rest = after;
    }
    Ok(done)
}

/// Holds back what the others keep until the first run has kept its own: from that shows which metrics there are, so it must be
/// the same run whoever is over first. It is begun first, and no later round of one search waits for it.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap_or_else(PoisonError::into_inner));
    }
}

/// Opens it when the first run is over, however it ends.
struct Opens<'a>(&'a Gate);

impl Drop for Opens<'_> {
    fn drop(&mut self) {
        *self.0.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.opened.notify_all();
    }
}

/// Which rows begin alike, and until when.
#[derive(Default)]
struct Alike {
    before: Option<SimTime>,
    /// Of the rows of which there is more than one; of the first seed.
    keys: BTreeSet<u64>,
    first: u64,
}

impl Alike {
    /// Rows are alike until the first of them is struck, if they are.
    fn of(app: &App, opened: &Opened, rows: &[Row], first: u64, bounds: &Bounds) -> Result<Alike> {
        if rows.len() < 2 || rows.len() > CHUNK {
            return Ok(Alike::default());
        }
        let prepare = |row: &Row| app.prepare(opened, row.variant.as_deref(), &row.set, Some(first));
        let rows: Vec<Prepared> = rows.iter().map(prepare).collect::<Result<_>>()?;
        let struck = |one: &Prepared| fault::first(&fault::disturbances(&one.resolved));
        let Some(before) = rows.iter().filter_map(struck).min() else { return Ok(Alike::default()) };
        let alike = Alike { before: Some(before), keys: BTreeSet::new(), first };
        let all: Vec<u64> = rows.iter().filter_map(|row| alike.key(row, bounds)).collect();
        let mut seen = BTreeSet::new();
        let keys = all.into_iter().filter(|key| !seen.insert(*key)).collect();
        Ok(Alike { keys, ..alike })
    }

    /// Of the first seed, whichever this run has.
    fn key(&self, run: &Prepared, bounds: &Bounds) -> Option<u64> {
        let options = bounds.options(self.first, None);
        run.resolved.model.trunk_key(&run.resolved.run, &options, self.before?)
    }

    /// Until when a run is as another.
    fn until(&self, run: &Prepared, bounds: &Bounds) -> Option<SimTime> {
        self.before.filter(|_| self.key(run, bounds).is_some_and(|key| self.keys.contains(&key)))
    }
}

/// The same run, longer.
fn longer_run(
    opened: &Opened,
    dir: Option<&std::path::Path>,
    own: &Prepared,
    longer: &(String, String),
) -> Result<Prepared> {
    let set: Vec<(String, String)> = own.set.iter().chain([longer]).cloned().collect();
    opened.prepare(dir, own.variant.as_deref(), &set, Some(own.seed)).map_err(|failed| {
        let rendered = diagnostics::render(&failed.diagnostics, &failed.sources, false, 100);
        Error::Invalid { rendered }
    })
}

/// The usual metrics, and goodput where there is such a thing.
pub(crate) fn with_goodput(report: &Report) -> Vec<String> {
    let mut paths = usual(report, false);
    if let (Some(at), Some(_)) = (paths.iter().position(|path| path == "success"), report.summary.goodput) {
        paths.insert(at, "goodput".into());
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_count_up_and_wrap() {
        let seeds = Seeds { first: u64::MAX - 1, count: 4 };
        assert_eq!(seeds.iter().collect::<Vec<_>>(), [u64::MAX - 1, u64::MAX, 0, 1]);
    }
}
