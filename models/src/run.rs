//! Running a scenario: what a run may be told, and what it gives back.

use crate::branch::Trunk;
use crate::experiment::Resolved;
use crate::promise;
use crate::report::{self, Report, Table, Value, results_digest};
use crate::trace::{Trace, Tracing};
use sim_core::digest::{self, Digester, Hex};
use sim_core::{Engine, Limits, SimTime};
use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

/// Runs an experiment and completes its report: head, and the digest's `i` and `s`. What the run is called
/// (experiment, variant, overrides) is the caller's to fill in; no digest depends on it.
pub fn simulate(resolved: &Resolved, options: &RunOptions, observer: Observer) -> RunOutput {
    complete(resolved, options, resolved.model.run(&resolved.run, options, observer))
}

/// The same from a state that it has in common with others: see [`crate::branch`]. None if it has not.
pub fn simulate_from(
    trunk: &Trunk,
    resolved: &Resolved,
    options: &RunOptions,
    observer: Observer,
) -> Option<RunOutput> {
    let output = resolved.model.run_from(trunk, &resolved.run, options, observer)?;
    Some(complete(resolved, options, output))
}

fn complete(resolved: &Resolved, options: &RunOptions, mut output: RunOutput) -> RunOutput {
    let report = &mut output.report;
    report.format = report::FORMAT;
    report.about = resolved.about.clone();
    report.model = (resolved.entry.name.to_owned(), resolved.entry.version);
    report.run.seed = options.seed;
    for declared in resolved.model.sections(&resolved.run) {
        if report.section(&declared.kind, &declared.at).is_none() {
            report.sections.push(declared);
        }
    }
    promise::judge(&resolved.run, report);
    report.complete_sections();
    let mut input = Digester::new(digest::INPUT);
    input.pair(resolved.input_digest, options.seed);
    report.digest.i = Hex(input.finish()).to_string();
    report.digest.s = Hex(results_digest(report)).to_string();
    output
}

/// A report in which nothing was measured yet: after one event its edges, services and sections are known, and with what
/// the model says of its values, every metric that a run may have. None of it is a result.
pub fn glance(resolved: &Resolved) -> Report {
    let limits = Limits { events: 1, ..Limits::default() };
    let options = RunOptions { limits, ..RunOptions::seeded(resolved.run.seed) };
    let mut report = simulate(resolved, &options, &mut |_| ControlFlow::Continue(())).report;
    let known: BTreeSet<String> = report.values.iter().map(|(name, _)| name.to_owned()).collect();
    let declared = resolved.model.values(&resolved.run).into_iter().filter(|name| !known.contains(name));
    report.values.0.extend(declared.map(|name| (name, Value::default())));
    report
}

/// What can be told to a run besides its experiment. Nothing here changes a result, except the limits
/// that cut it short.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The seed.
    pub seed: u64,
    /// Which queue drives it.
    pub engine: Engine,
    /// When to stop whatever happens.
    pub limits: Limits,
    /// Calls in flight at once, at most.
    pub max_in_flight: u64,
    /// Keep what is witnessed during these events.
    pub record: Option<Range<u64>>,
    /// Choose or follow single calls.
    pub trace: Option<Tracing>,
}

impl RunOptions {
    /// The default options with this seed.
    pub fn seeded(seed: u64) -> Self {
        RunOptions {
            seed,
            engine: Engine::Fast,
            limits: Limits::default(),
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            record: None,
            trace: None,
        }
    }
}

/// Default of [`RunOptions::max_in_flight`]: about 2 GiB.
pub const DEFAULT_MAX_IN_FLIGHT: u64 = 10_000_000;

/// Where a run stands; told every window, and every few thousand events.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Virtual time reached.
    pub now: SimTime,
    /// Virtual time at the end.
    pub end: SimTime,
    /// Events handled.
    pub events: u64,
}

/// Told every window of virtual time, and every few thousand events however long a window takes; may end the run.
pub type Observer<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// What a run gives back.
#[derive(Clone, Debug, Default)]
pub struct RunOutput {
    /// The report.
    pub report: Report,
    /// The recorded stretch of the trajectory, if one was asked for.
    pub trajectory: Vec<TrajectoryLine>,
    /// The calls that were chosen or followed, if that was asked for.
    pub traces: Vec<Trace>,
}

/// One event of a trajectory in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrajectoryLine {
    /// Number of the event, from 0.
    pub event: u64,
    /// When.
    pub time: SimTime,
    /// What: `attempt arrives`, `timeout` ..
    pub what: String,
    /// Path of the entity.
    pub entity: String,
    /// Key of the request.
    pub request: u64,
    /// Attempt, from 1; 0 where there is none.
    pub attempt: u16,
    /// Outcome, if it ended something.
    pub outcome: String,
    /// One more number.
    pub detail: u64,
    /// What that number is, in words: `replica 2`; empty where it says nothing.
    pub note: String,
}

/// What an experiment amounts to before it is run: effective settings, defaults included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// Tables: effective policies, back-off per attempt, worst cases, utilisation ..
    pub tables: Vec<Table>,
    /// Sentences worth reading before anything is run.
    pub notes: Vec<String>,
    /// What the fluid law makes of it; none where it says nothing.
    pub regime: Option<Regime>,
}

/// What becomes of a system after a disturbance by the fluid law of metastable failures, which knows loads and
/// capacities and no luck (Bronson et al., HotOS 2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Even if every attempt timed out, capacity would be more than the load: any backlog drains.
    Stable,
    /// It carries its load, but not the load of a time in which every attempt times out: a backlog that is
    /// long enough keeps itself alive.
    Vulnerable,
    /// It cannot carry its load.
    Overloaded,
}
