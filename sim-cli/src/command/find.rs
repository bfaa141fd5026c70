//! `brownout find EXPERIMENT`: where the cliff is, and the way back.

use crate::app::App;
use crate::args::{Bounds, Subject, TableFormat};
use crate::error::{Error, Exit, Result};
use crate::experiment::Opened;
use crate::files::OutDir;
use crate::html;
use crate::jobs::{in_order, threads};
use crate::progress::Meter;
use crate::render::{find as page, json, map as atlas};
use crate::replay::{Replay, result_of};
use crate::result::edges::Edges;
use crate::result::found::{self, Found, Loop, Told, Which};
use crate::result::knob::{Count, Knob};
use crate::result::mapped::{self, Mapped};
use crate::result::seeds::Seeds;
use crate::study::edge::{Course, Plan, course};
use crate::study::fault::{self, SteadyLoad};
use crate::study::knob::{Within, is_range};
use crate::study::map::{self, Ask};
use crate::study::runs::{Collapse, Runs, Settings, incomplete};
use crate::study::wish::Wish;
use crate::text::escape;
use clap::Args as ClapArgs;
use sim_core::{SimDuration, SimTime};
use sim_models::experiment::Resolved;
use sim_models::report::Report;
use sim_models::run::Regime;
use std::path::PathBuf;

const FILES: [&str; 3] = ["find.json", "find.csv", "report.html"];
/// Seeds of each cell of a map, unless told otherwise.
const SEEDS_OF_A_CELL: u32 = 3;
/// How long a collapsed system stays at its load before that is lowered.
const DOWN: SimDuration = SimDuration::from_secs(30);
/// A system that is lowered has so many times as long to come back as the experiment gives it after its fault.
const PATIENCE: u64 = 3;
/// Goodput of at least this share of what is offered is back.
const BACK: f64 = 0.95;
/// The last stretch of a run, in which it must be back.
const LAST: SimDuration = SimDuration::from_secs(30);

/// `brownout find`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout find metastable-280 --set workload[0].arrivals=100/s..320/s
  brownout find retry-storm --set faults[0].for=1s..60s --variant backoff
  brownout find retry-storm --set policies.naive.retry.attempts=1..6
  brownout find retry-storm --set workload[0].arrivals=400/s..3000/s --until 'p99 > 300ms'
  brownout find metastable-280 --set workload[0].arrivals=100/s..320/s \\
      --set faults[0].for=1s..60s                                # a map

A --set whose value is a range LOW..HIGH is searched, any other is set. Whole numbers stay whole, \
and a range of more than a decade is searched by ratio. Each seed has an edge of its own; what is \
printed is their mean with its 95 % interval, and the lowest and the highest. For a workload's rate, the \
way back is searched as well: the rate to which a system that is down must be lowered. Runs are lengthened so that a longer fault leaves as much time after it.

Two ranges give a map: overloaded fails without any fault, metastable is tipped by the experiment's own fault \
and stays down, vulnerable by one that lasts --harder times as long, stable survives both.")]
pub struct Find {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// How many seeds, counted up from the first; the file's number unless given, 3 for a map
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub replications: Option<u32>,
    /// What failure is, instead of a verdict that is not `recovered` or `steady`: 'success < 0.9', 'p99 > 300ms'
    #[arg(long, value_name = "METRIC<BOUND")]
    pub until: Option<String>,
    /// How narrow each seed's bracket must be: 2/s, 5ms, or 1% of the value; 1 % of the range unless given
    #[arg(long, value_name = "TOLERANCE")]
    pub within: Option<String>,
    /// Points between the ends that are looked at first: whether it fails in more than one stretch
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub probes: u32,
    /// How long a system that was lowered has to come back; three times what the file leaves after its fault
    #[arg(long, value_name = "DURATION")]
    pub settle: Option<SimDuration>,
    /// Columns and rows of a map
    #[arg(long, value_name = "AxB", default_value = "12x8", value_parser = grid)]
    pub grid: (usize, usize),
    /// How many times longer the harder fault of a map lasts
    #[arg(long, value_name = "TIMES", default_value_t = 4.0, value_parser = times)]
    pub harder: f64,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write report.html, find.json and find.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

fn grid(text: &str) -> Result<(usize, usize), String> {
    let sides =
        text.split_once(['x', '×']).and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    match sides {
        Some((a, b)) if (2..=200).contains(&a) && (2..=200).contains(&b) => Ok((a, b)),
        _ => Err("expected COLUMNSxROWS, each from 2 to 200, as in 24x16".into()),
    }
}

fn times(text: &str) -> Result<f64, String> {
    let times = text.trim_end_matches('x').parse().ok().filter(|times| *times > 1.0 && *times <= 1000.0);
    times.ok_or_else(|| "expected a number above 1, as in 4".into())
}

pub(super) fn command(args: &Find, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name)?;
    let variant = app.variant(&opened, args.variant.as_deref())?;
    let (searched, fixed): (Settings, Settings) =
        args.subject.set.iter().cloned().partition(|(_, value)| is_range(value));
    let base = app.prepare(&opened, variant, &fixed, args.subject.seed)?;
    let knobs = knobs(app, &opened, variant, &fixed, &searched, &base.resolved)?;
    let collapse = match &args.until {
        Some(text) => Collapse::When(
            Wish::parse(text)
                .and_then(|wish| wish.within(base.resolved.run.duration))
                .map_err(|why| Error::usage(format!("--until: {}", escape(&why))))?,
        ),
        None => Collapse::Verdict,
    };
    let usual = match knobs.len() {
        2 => SEEDS_OF_A_CELL,
        _ => base.resolved.run.replications,
    };
    let seeds = Seeds { first: base.seed, count: args.replications.unwrap_or(usual) };
    let question = Question { args, base: &base.resolved, fixed: &fixed, collapse, seeds };
    question.check(app, &opened, variant)?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES)).transpose()?;

    let (documents, exit) = match knobs.as_slice() {
        [knob] => question.edges(app, &opened, variant, knob)?,
        [across, up] => question.map(app, &opened, variant, [across, up])?,
        _ => unreachable!("one or two"),
    };
    if let Some(out) = out {
        out.write(FILES[0], documents.json.as_bytes())?;
        out.write(FILES[1], documents.csv.as_bytes())?;
        out.write(FILES[2], documents.html.as_bytes())?;
    }
    app.console.document(match args.format {
        TableFormat::Text => &documents.text,
        TableFormat::Markdown => &documents.markdown,
        TableFormat::Json => &documents.json,
        TableFormat::Csv => &documents.csv,
    })?;
    Ok(exit)
}

/// A result in all its forms.
struct Documents {
    text: String,
    markdown: String,
    json: String,
    csv: String,
    html: String,
}

/// One knob or two, each of whose ends can run.
fn knobs(
    app: &App,
    opened: &Opened,
    variant: Option<&str>,
    fixed: &[(String, String)],
    searched: &[(String, String)],
    base: &Resolved,
) -> Result<Vec<Knob>> {
    if searched.is_empty() || searched.len() > 2 {
        let message = match searched.len() {
            0 => "nothing to search: give a range with --set PATH=LOW..HIGH".to_string(),
            n => format!("{n} ranges are given: one is searched for its edges, two give a map"),
        };
        return Err(Error::Usage { message, help: suggestion(opened, base) });
    }
    if searched.len() == 2 && searched[0].0 == searched[1].0 {
        return Err(Error::usage(format!("--set {} is given two ranges", escape(&searched[0].0))));
    }
    let mut knobs = Vec::new();
    for (path, text) in searched {
        let said = |why: String| Error::usage(format!("--set {}: {}", escape(path), escape(&why)));
        let knob = Knob::parse(path, text, base.value(path)).map_err(said)?;
        for end in [knob.low, knob.high] {
            let set: Settings = fixed.iter().cloned().chain([knob.set(end)]).collect();
            app.prepare(opened, variant, &set, None)?;
        }
        knobs.push(knob);
    }
    Ok(knobs)
}

/// A range that makes sense for this experiment.
fn suggestion(opened: &Opened, base: &Resolved) -> String {
    let name = escape(&opened.found.argument);
    let rate = base.value("workload[0].arrivals").and_then(|node| {
        let knob = Knob::parse("workload[0].arrivals", "1/s..2/s", Some(node)).ok()?;
        knob.standing(node)
    });
    match rate {
        Some(rate) => {
            let (low, high) = ((rate / 4.0).ceil(), (rate * 3.0).ceil());
            format!("  for example: brownout find {name} --set workload[0].arrivals={low}/s..{high}/s")
        }
        None => "  for example: --set services.payments.replicas=1..8, or --set faults[0].for=1s..60s".into(),
    }
}

/// What is asked of every run.
struct Question<'a> {
    args: &'a Find,
    base: &'a Resolved,
    fixed: &'a [(String, String)],
    collapse: Collapse,
    seeds: Seeds,
}

impl Question<'_> {
    /// Finds out before the search what cannot be answered.
    fn check(&self, app: &App, opened: &Opened, variant: Option<&str>) -> Result<()> {
        let all = fault::disturbances(self.base);
        if let (Collapse::Verdict, Some(lasting)) =
            (&self.collapse, all.iter().find(|one| one.length.is_none()))
        {
            return Err(Error::Usage {
                message: format!("{} lasts until the end of the run: there is nothing to recover to", escape(&lasting.what)),
                help: "  give it an end, --set faults[0].for=30s, or say what failure is: --until 'success < 0.9'".into(),
            });
        }
        // After one event all edges and services are known, and so are their metrics.
        if let Collapse::When(wish) = &self.collapse
            && !wish.metric.starts_with("values")
        {
            let bounds = Bounds { max_events: 1, ..self.args.bounds };
            let meter = Meter::of_runs(&app.console, "", 0);
            let runs = Runs::new(app, opened, variant, self.fixed, &bounds, &meter);
            if let Some(report) = runs.report(&[], self.seeds.first)? {
                wish.held(&report)?;
            }
        }
        Ok(())
    }

    /// The settings of one value, with as much time after the fault as the file has.
    fn at(&self, runs: &Runs, set: Settings) -> Result<Settings> {
        let mut set = set;
        if !self.fixed.iter().chain(&set).any(|(path, _)| path == "run.duration") {
            set.extend(fault::as_long_after(self.base, &runs.resolved(&set)?));
        }
        Ok(set)
    }

    /// Every seed's course under each of these settings, in parallel.
    fn courses(
        &self,
        app: &App,
        searches: &[Search],
        knob: &Knob,
        plan: Plan,
        runs: &Runs,
    ) -> Result<Vec<Vec<Course>>> {
        let seeds: Vec<u64> = self.seeds.iter().collect();
        let jobs: Vec<(&Search, u64)> =
            searches.iter().flat_map(|search| seeds.iter().map(move |seed| (search, *seed))).collect();
        let one = |(search, seed): &(&Search, u64)| -> Result<Course> {
            let ask = |x: f64| -> Result<Option<bool>> {
                let Some(report) = runs.report(&(search.settings)(x)?, *seed)? else { return Ok(None) };
                (search.failed)(&report).map(Some)
            };
            if search.everywhere_alike {
                let Some(failed) = ask(knob.low)? else { return Ok(Course::default()) };
                return Ok(Course { asked: vec![(knob.low, failed)], edges: Vec::new(), complete: true });
            }
            course(knob, plan, ask)
        };
        let mut found = in_order(threads(app.global.jobs), &jobs, one).into_iter();
        searches.iter().map(|_| found.by_ref().take(seeds.len()).collect()).collect()
    }

    fn edges(
        &self,
        app: &mut App,
        opened: &Opened,
        variant: Option<&str>,
        knob: &Knob,
    ) -> Result<(Documents, Exit)> {
        let within = match &self.args.within {
            Some(text) => {
                knob.tolerance(text).map_err(|why| Error::usage(format!("--within: {}", escape(&why))))?
            }
            None => Within::Range(0.01),
        };
        let plan = Plan { probes: self.args.probes, within };
        let disturbances = fault::disturbances(self.base);
        let bare = fault::without(self.base);
        let load = SteadyLoad::at(self.base, &knob.path).filter(|_| knob.count == Count::Rate);
        let back = load.is_some() && !disturbances.is_empty() && self.collapse == Collapse::Verdict;
        let searches = 1 + usize::from(!bare.is_empty()) + usize::from(back);
        let expected = searches * self.seeds.count as usize * plan.questions();
        let meter = Meter::of_search(&app.console, &opened.found.name, expected);
        let runs = Runs::new(app, opened, variant, self.fixed, &self.args.bounds, &meter);

        let failed = |report: &Report| self.collapse.of(report);
        let as_it_stands = Search {
            which: if disturbances.is_empty() { Which::Alone } else { Which::Fault },
            everywhere_alike: false,
            settings: Box::new(|x| self.at(&runs, vec![knob.set(x)])),
            failed: Box::new(failed),
        };
        let alone = Search {
            which: Which::Alone,
            // Without faults it does not matter what they are like.
            everywhere_alike: knob.path.starts_with("faults"),
            settings: Box::new(|x| Ok([knob.set(x)].into_iter().chain(bare.clone()).collect())),
            failed: Box::new(failed),
        };
        let mut searches = vec![as_it_stands];
        if !bare.is_empty() {
            searches.push(alone);
        }
        let courses = self.courses(app, &searches, knob, plan, &runs)?;
        let mut told = Vec::new();
        for (search, courses) in searches.iter().zip(&courses) {
            told.push(Told::new(search.which, Edges::of(courses)));
        }
        let way_back = match &load {
            Some(load) if back => self.way_back(app, load, &told, knob, plan, &runs)?,
            _ => None,
        };
        drop(searches);
        let looped = way_back.map(|(edges, looped)| {
            told.push(Told::new(Which::Back, edges));
            looped
        });
        // It knows of collapse, and of nothing else that somebody may call failure.
        if matches!(self.collapse, Collapse::Verdict) {
            self.add_fluid(&runs, knob, &mut told);
        }
        meter.finish(&mut app.console, None);
        let missing: usize = told.iter().map(|told| told.edges.missing).sum();
        let all = told.len() * self.seeds.count as usize;
        let missing = (missing > 0).then(|| format!("{missing} of {all} searches did not come to their end"));
        let (exit, notes) = incomplete(&runs, app, missing);
        if runs.made() == 0 {
            return Err(Error::Stopped(exit));
        }
        let standing = self.base.value(&knob.path).and_then(|node| knob.standing(node));
        let mut found = Found {
            format: found::FORMAT,
            experiment: opened.found.name.clone(),
            variant: variant.map(String::from),
            set: self.fixed.to_vec(),
            path: knob.path.clone(),
            unit: crate::result::column::unit_word(knob.unit()),
            low: knob.low,
            high: knob.high,
            standing: standing.filter(|x| (knob.low..=knob.high).contains(x)),
            failure: match &self.collapse {
                Collapse::Verdict => None,
                Collapse::When(wish) => Some(wish.to_string()),
            },
            fault: disturbances.first().map(|one| words(one, disturbances.len(), &[knob])),
            seeds: self.seeds,
            runs: runs.made(),
            incomplete: notes,
            told,
            looped,
            look: Vec::new(),
            knob: knob.clone(),
        };
        if let Some((fine, failed)) = found.sides() {
            for (what, x) in [("still fine", fine), ("no longer", failed)] {
                let set = self.at(&runs, vec![knob.set(x)])?;
                found.look.push((what.into(), self.line(app, opened, variant, set)));
            }
        }
        let documents = Documents {
            text: page::text(&found, app.console.style()),
            markdown: page::markdown(&found),
            json: json(&found),
            csv: page::csv(&found),
            html: html::find::page(&found, &result_of(&app.typed)).html(),
        };
        Ok((documents, exit))
    }

    /// From how far down a system that has collapsed comes back: it is run at a load at which it collapses on every
    /// seed, and some time after the fault the load is lowered for good.
    fn way_back(
        &self,
        app: &App,
        load: &SteadyLoad,
        told: &[Told],
        knob: &Knob,
        plan: Plan,
        runs: &Runs,
    ) -> Result<Option<(Edges, Loop)>> {
        let Some(over) = fault::over(&fault::disturbances(self.base)) else { return Ok(None) };
        let edges = |which: Which| told.iter().find(|told| told.which == which).map(|told| &told.edges);
        let Some(from) = collapsed_load(edges(Which::Fault), edges(Which::Alone), knob, self.base) else {
            return Ok(None);
        };
        let after = (SimTime::ZERO + self.base.run.duration).since(over);
        let lowered_at = over + DOWN;
        let settle = self.args.settle.unwrap_or(after.saturating_mul(PATIENCE));
        let end = lowered_at + settle;
        // Nothing is lowered by raising it.
        let below = knob.up_to(from);
        let duration = end.since(SimTime::ZERO);
        let last = SimDuration::from_nanos(LAST.as_nanos().min(settle.as_nanos() / 2));
        let from_last = SimTime::ZERO + SimDuration::from_nanos(duration.as_nanos() - last.as_nanos());
        let search = Search {
            which: Which::Back,
            everywhere_alike: false,
            settings: Box::new(|x| {
                Ok(vec![load.step(from, lowered_at, x), ("run.duration".into(), format!("\"{duration}\""))])
            }),
            failed: Box::new(move |report: &Report| {
                let summary = report.during(from_last, end).summary;
                let (Some(goodput), Some(offered)) = (summary.goodput, summary.offered) else {
                    return Ok(false);
                };
                Ok(goodput < BACK * offered)
            }),
        };
        let courses = self.courses(app, std::slice::from_ref(&search), &below, plan, runs)?;
        let looped = Loop { from, lowered_at: lowered_at.as_nanos(), settle: settle.as_nanos() };
        Ok(Some((Edges::of(&courses[0]), looped)))
    }

    /// What the fluid law says of the same edges.
    fn add_fluid(&self, runs: &Runs, knob: &Knob, told: &mut [Told]) {
        let plan = Plan { probes: 15, within: Within::Range(1e-4) };
        let fluid = |fails: &dyn Fn(Regime) -> bool| -> Option<f64> {
            let ask = |x: f64| -> Result<Option<bool>> {
                let resolved = runs.resolved(&[knob.set(x)])?;
                Ok(resolved.model.explain(&resolved.run).regime.map(fails))
            };
            let course = course(knob, plan, ask).ok().filter(|course| course.complete)?;
            match course.edges[..] {
                [edge] => Some(edge.low + (edge.high - edge.low) / 2.0),
                _ => None,
            }
        };
        let capacity = fluid(&|regime| regime == Regime::Overloaded);
        let boundary = fluid(&|regime| regime != Regime::Stable);
        for one in told.iter_mut() {
            let exact = match one.which {
                Which::Alone => capacity,
                Which::Fault | Which::Back => boundary,
            };
            one.fluid(exact, capacity.unwrap_or(knob.high));
        }
    }

    fn map(
        &self,
        app: &mut App,
        opened: &Opened,
        variant: Option<&str>,
        knobs: [&Knob; 2],
    ) -> Result<(Documents, Exit)> {
        let (columns, rows) = self.args.grid;
        let [across, up] = [map::values(knobs[0], columns), map::values(knobs[1], rows)];
        let points: Vec<[f64; 2]> = up.iter().flat_map(|y| across.iter().map(move |x| [*x, *y])).collect();
        let disturbances = fault::disturbances(self.base);
        let bare = fault::without(self.base);
        let expected =
            points.len() * (self.seeds.count as usize / 2 + 1) * if bare.is_empty() { 1 } else { 2 };
        let meter = Meter::of_search(&app.console, &opened.found.name, expected);
        let runs = Runs::new(app, opened, variant, self.fixed, &self.args.bounds, &meter);
        let seeds: Vec<u64> = self.seeds.iter().collect();
        let cell = |at: &[f64; 2]| -> Result<mapped::Cell> {
            let here = self.at(&runs, vec![knobs[0].set(at[0]), knobs[1].set(at[1])])?;
            let settings = |ask: Ask| -> Result<Settings> {
                let more = match ask {
                    Ask::Fault => Vec::new(),
                    Ask::Alone => bare.clone(),
                    Ask::Harder => fault::harder(&runs.resolved(&here)?, self.args.harder),
                };
                Ok(here.iter().cloned().chain(more).collect())
            };
            map::cell(*at, seeds.len(), |seed| {
                map::state(!bare.is_empty(), |ask| {
                    let Some(report) = runs.report(&settings(ask)?, seeds[seed])? else { return Ok(None) };
                    self.collapse.of(&report).map(Some)
                })
            })
        };
        let cells: Vec<mapped::Cell> =
            in_order(threads(app.global.jobs), &points, cell).into_iter().collect::<Result<_>>()?;
        meter.finish(&mut app.console, None);
        let missing = cells.iter().filter(|cell| cell.state.is_none()).count();
        let missing = (missing > 0).then(|| format!("{missing} of {} cells are missing", cells.len()));
        let (exit, notes) = incomplete(&runs, app, missing);
        if runs.made() == 0 {
            return Err(Error::Stopped(exit));
        }
        let standing = knobs.map(|knob| self.base.value(&knob.path).and_then(|node| knob.standing(node)));
        let mut mapped = Mapped {
            format: mapped::FORMAT,
            experiment: opened.found.name.clone(),
            variant: variant.map(String::from),
            set: self.fixed.to_vec(),
            paths: knobs.map(|knob| knob.path.clone()),
            units: knobs.map(|knob| crate::result::column::unit_word(knob.unit())),
            standing,
            failure: match &self.collapse {
                Collapse::Verdict => None,
                Collapse::When(wish) => Some(wish.to_string()),
            },
            fault: disturbances.first().map(|one| words(one, disturbances.len(), &knobs)),
            harder: self.args.harder,
            seeds: self.seeds,
            runs: runs.made(),
            incomplete: notes,
            across,
            up,
            cells,
            look: None,
            knobs: knobs.map(Clone::clone),
        };
        if let Some(at) = mapped.tipped() {
            let set = self.at(&runs, vec![knobs[0].set(at[0]), knobs[1].set(at[1])])?;
            mapped.look = Some(self.line(app, opened, variant, set));
        }
        let documents = Documents {
            text: atlas::text(&mapped, app.console.style()),
            markdown: atlas::markdown(&mapped),
            json: json(&mapped),
            csv: atlas::csv(&mapped),
            html: html::map::page(&mapped, &result_of(&app.typed)).html(),
        };
        Ok((documents, exit))
    }

    /// The command that makes one run of what was searched, exactly as it was made on the first seed.
    fn line(&self, app: &App, opened: &Opened, variant: Option<&str>, set: Settings) -> String {
        let replay = Replay {
            dir: app.global.dir.clone(),
            experiment: opened.found.argument.clone(),
            variant: variant.map(String::from),
            set: self.fixed.iter().cloned().chain(set).collect(),
            seed: self.seeds.first,
        };
        replay.bounded_line("run", &self.args.bounds)
    }
}

type SettingsAt<'a> = dyn Fn(f64) -> Result<Settings> + Sync + 'a;
type Failed<'a> = dyn Fn(&Report) -> Result<bool> + Sync + 'a;

/// What is asked of the runs of one search.
struct Search<'a> {
    which: Which,
    /// Whether the knob makes no difference, so that one question is enough.
    everywhere_alike: bool,
    settings: Box<SettingsAt<'a>>,
    failed: Box<Failed<'a>>,
}

/// A load at which every seed collapses by the fault alone: the file's own if it is one, else half-way.
fn collapsed_load(fault: Option<&Edges>, alone: Option<&Edges>, knob: &Knob, base: &Resolved) -> Option<f64> {
    let fault = fault.filter(|edges| edges.otherwise.is_empty() && edges.edges.len() <= 1)?;
    let least = match fault.edges.first() {
        Some(edge) if edge.fails_above => edge.highest,
        None if fault.starts_failed => knob.low,
        _ => return None,
    };
    let most = alone.and_then(|edges| edges.edges.first()).map_or(knob.high, |edge| edge.lowest);
    let standing = base.value(&knob.path).and_then(|node| knob.standing(node));
    match standing.filter(|x| (least..=most).contains(x) && (knob.low..=knob.high).contains(x)) {
        Some(x) => Some(x),
        None if least < most => knob.between(least, most),
        None => None,
    }
    .filter(|from| *from > knob.low)
}

/// A disturbance for people. Where its own numbers are searched, they are not told.
fn words(one: &fault::Disturbance, all: usize, knobs: &[&Knob]) -> String {
    let searched = knobs.iter().any(|knob| knob.path.starts_with("faults"));
    let length = match one.length {
        Some(length) if !searched => format!(" for {}", length.brief()),
        _ => String::new(),
    };
    let what = if searched { &one.what_briefly } else { &one.what };
    let more = if all > 1 { format!(" and {} more", all - 1) } else { String::new() };
    format!("{what}{length}{more}")
}
