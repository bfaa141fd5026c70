//! `brownout sweep EXPERIMENT`: all of a sweep on this machine, in one go or resumed.

use super::{Subject, document, files, planned};
use crate::app::App;
use crate::args::TableFormat;
use crate::error::{Error, Exit, Result};
use crate::experiment::Opened;
use crate::jobs::threads;
use crate::out::OutDir;
use crate::plan::Ready;
use crate::plan::line::{self, Kind};
use crate::plan::reduce::{Kept, Metrics, Results, metrics_of};
use crate::plan::shard::tell_bugs;
use crate::plan::store::{Known, RESULTS, Store};
use crate::plan::work::{Came, Event, work};
use crate::progress::Meter;
use crate::result::seeds::Seeds;
use crate::study::repeats::{Plan, run_planned};
use crate::study::replicate::Row;
use crate::text::escape_path;
use crate::text::number::count;
use clap::Args as ClapArgs;
use sim_models::report::Report;
use std::path::PathBuf;
use std::sync::OnceLock;

/// `brownout sweep EXPERIMENT`
#[derive(Clone, Debug, ClapArgs)]
pub struct Here {
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Keep every run in this folder, so that the same command resumes, and write report.html, sweep.json and
    /// sweep.csv there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Begin anew: what the folder has is moved aside, into a folder in it
    #[arg(long, requires = "out")]
    pub fresh: bool,
    /// What to sweep.
    #[command(flatten)]
    pub subject: Subject,
}

pub(super) fn command(args: &Here, app: &mut App) -> Result<Exit> {
    if let (Some(_), Some(_)) = (args.subject.repeats.precision, &args.out) {
        return Err(Error::Usage {
            message: "--out keeps runs whose number is known, and --precision finds that out on the way"
                .into(),
            help: "  say it: --replications 20; or leave out --out, and redirect --format json".into(),
        });
    }
    let (opened, ready) = planned(&args.subject, app)?;
    if let Some(precision) = args.subject.repeats.precision {
        return precise(args, precision, app, &opened, ready);
    }
    let out =
        args.out.as_deref().map(|path| OutDir::prepare(path, &RESULTS, &mut app.console)).transpose()?;
    let mut store = match &out {
        Some(out) => {
            let store = Store::open(out.path(), &ready, args.fresh, &mut app.console)?;
            out.keep();
            Some(store)
        }
        None => None,
    };
    let known = store.as_mut().map(|store| std::mem::take(&mut store.known)).unwrap_or_default();
    if !known.is_empty() {
        let text =
            format!("{} of {} runs were done before", count(known.len() as u64), count(ready.runs() as u64));
        app.console.note(&text);
    }
    // What is wrong with the metrics of those shows before the others are run.
    metrics_of(&known, &args.subject.metric)?;
    let mut sweep =
        Sweeping { ready: &ready, known: &known, store, metrics: None, results: Results::default() };
    let made = sweep.make(args, app);
    if let (Err(Error::Io(..)), Some(out)) = (&made, &out) {
        let done = sweep.done();
        let folder = escape_path(out.path());
        app.console.say(&format!(
            "{} of {} runs are safe in {folder}: the same command resumes",
            count(done as u64),
            count(ready.runs() as u64)
        ));
    }
    made?;
    let Sweeping { metrics, mut results, .. } = sweep;
    if let Some(metrics) = &metrics {
        results.read(&known, metrics, threads(app.global.jobs))?;
    }
    let (swept, exit) = results.reduce(&ready, metrics.as_ref(), app.console.interrupt.exit());
    // Whatever came when all was done came too late.
    let missing = swept.cells.iter().any(|cell| cell.missing > 0);
    let interrupted = missing && app.console.interrupt.exit().is_some();
    if let (Some(out), false) = (&out, interrupted) {
        for (name, text) in RESULTS.iter().zip(files(&swept, &ready)) {
            out.write(name, text.as_bytes())?;
        }
    }
    app.console.document(&document(&swept, args.format, app))?;
    let bugs: Vec<(usize, String)> = results.bugs.into_iter().collect();
    tell_bugs(&ready, &bugs, &mut app.console);
    if interrupted && out.is_some() {
        let done = count((results.kept.len() + bugs.len()) as u64);
        app.console.say(&format!("done {done} of {}: the same command resumes", count(ready.runs() as u64)));
    }
    Ok(exit)
}

/// As many seeds as it takes until the metrics of every cell are known well enough.
fn precise(args: &Here, precision: f64, app: &mut App, opened: &Opened, mut ready: Ready) -> Result<Exit> {
    if ready.plan.own_seeds {
        return Err(Error::usage("an axis sets run.seed, and --precision takes seeds of its own"));
    }
    let rows: Vec<Row> = (0..ready.grid.points()).map(|cell| ready.row(cell)).collect();
    let most = Seeds { count: args.subject.repeats.max_replications, ..ready.plan.seeds };
    let plan = Plan { seeds: most, precision: Some(precision), settle: None };
    // Which metrics there are shows in the first report.
    let metrics: OnceLock<Metrics> = OnceLock::new();
    let keep = |report: Report, _| {
        let chosen = match metrics.get() {
            Some(metrics) => metrics,
            None => {
                let chosen = Metrics::choose(&args.subject.metric, &report)?;
                metrics.get_or_init(|| chosen)
            }
        };
        Ok(chosen.keep(&report))
    };
    let named = |kept: &Kept| {
        let named = metrics.get().expect("something was kept").named(kept);
        named.into_iter().map(|(name, measured)| (name, measured, None)).collect()
    };
    let planned = run_planned(app, opened, &rows, plan, &args.subject.bounds, keep, named)?;
    let (outcome, seeds) = (planned.outcome, planned.seeds);
    ready.plan.seeds = seeds;
    ready.plan.runs = ready.grid.points() * seeds.count as usize;
    let kept = outcome.rows.into_iter().flatten().enumerate();
    let results =
        Results { kept: kept.filter_map(|(run, kept)| Some((run, kept?))).collect(), ..Results::default() };
    let (mut swept, _) = results.reduce(&ready, metrics.get(), app.console.interrupt.exit());
    swept.incomplete.extend(planned.precision.as_ref().and_then(|precision| precision.incomplete(seeds)));
    app.console.document(&document(&swept, args.format, app))?;
    Ok(outcome.exit)
}

struct Sweeping<'a> {
    ready: &'a Ready,
    known: &'a Known,
    store: Option<Store>,
    metrics: Option<Metrics>,
    results: Results,
}

impl Sweeping<'_> {
    fn done(&self) -> usize {
        self.known.len() + self.results.kept.len()
    }

    /// Makes the runs that are not known.
    fn make(&mut self, args: &Here, app: &mut App) -> Result<()> {
        let todo: Vec<usize> = (0..self.ready.runs()).filter(|&run| !self.known.has(run)).collect();
        let mut meter = Meter::of_runs(&app.console, &self.ready.plan.experiment.name, self.ready.runs());
        meter.begin_after(self.known.len());
        let made = self.make_all(&todo, args, app, &mut meter);
        meter.finish(&mut app.console, None);
        let synced = self.store.as_mut().map_or(Ok(()), Store::sync);
        made.and(synced)
    }

    fn make_all(&mut self, todo: &[usize], args: &Here, app: &mut App, meter: &mut Meter) -> Result<()> {
        let mut rest = todo;
        // Which metrics there are shows in the first run that has a report: until then, one at a time. So what
        // is wrong with a metric shows before the others are run, and a resumed sweep has the same metrics.
        while self.metrics.is_none() && app.console.interrupt.exit().is_none() {
            let first_known = self.known.iter().find(|&run| self.known.has_report(run));
            match rest.split_first() {
                Some((run, after)) if first_known.is_none_or(|known| run < &known) => {
                    self.make_some(std::slice::from_ref(run), 1, args, app, meter)?;
                    rest = after;
                }
                _ => {
                    self.metrics = metrics_of(self.known, &args.subject.metric)?;
                    break;
                }
            }
        }
        self.make_some(rest, threads(app.global.jobs), args, app, meter)
    }

    fn make_some(
        &mut self,
        todo: &[usize],
        threads: usize,
        args: &Here,
        app: &mut App,
        meter: &mut Meter,
    ) -> Result<()> {
        let known_metrics = self.metrics.clone();
        let stored = self.store.is_some();
        let keep = |run: usize, report: Report| -> Result<(Kept, Option<Metrics>, Option<String>)> {
            let chosen = match &known_metrics {
                Some(_) => None,
                None => Some(Metrics::choose(&args.subject.metric, &report)?),
            };
            let metrics = known_metrics.as_ref().or(chosen.as_ref()).expect("one of them");
            let kept = metrics.keep(&report);
            let line = stored.then(|| {
                let body = serde_json::to_string(&report).expect("a report has text keys");
                line::write(run, Kind::Report, &body).0
            });
            Ok((kept, chosen, line))
        };
        let (store, results, metrics) = (&mut self.store, &mut self.results, &mut self.metrics);
        work(self.ready, todo, threads, &mut app.console, meter, keep, |_, event| {
            match event {
                Event::Tick => store.as_mut().map_or(Ok(()), Store::settle)?,
                Event::Over(run, Came::Bug(message)) => _ = results.bugs.insert(run, message),
                Event::Over(run, Came::Kept(came)) => {
                    let (kept, chosen, line) = came?;
                    if let (Some(store), Some(line)) = (store.as_mut(), line) {
                        store.append(&line)?;
                    }
                    *metrics = metrics.take().or(chosen);
                    results.kept.insert(run, kept);
                }
            }
            Ok(())
        })
    }
}
