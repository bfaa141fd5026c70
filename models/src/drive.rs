//! Driving a model from window to window, and writing down what happened.

use crate::RunSpec;
use crate::report::{DigestParts, RunFacts};
use crate::run::{Observer, Progress, RunOptions, TrajectoryLine};
use sim_core::digest::Hex;
use sim_core::{Model, SimTime, Simulation, Stop, StreamUse, Streams};

/// A simulation of `model` as the options want it.
pub fn simulation<M: Model>(model: M, options: &RunOptions) -> Simulation<M> {
    let mut simulation = Simulation::with_engine(model, options.engine, options.limits);
    if let Some(events) = options.record.clone() {
        simulation.record(events);
    }
    simulation
}

/// A moment at which a model looks at itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Measurement begins.
    WarmUpEnds,
    /// A window of the series is over.
    WindowEnds,
}

/// How far a run came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driven {
    /// The end, unless something cut the run short; also if nothing was left to happen before.
    pub reached: SimTime,
    /// The limit that cut it short, if one did.
    pub stopped: Option<String>,
}

/// Runs to the end, and tells the model when the warm-up is over and at every multiple of a window. A window
/// in which the run is cut short is not closed.
pub fn run_windows<M: Model>(
    simulation: &mut Simulation<M>,
    run: &RunSpec,
    observer: Observer,
    mut mark: impl FnMut(&mut M, Mark, SimTime),
) -> Driven {
    let end = SimTime::ZERO + run.duration;
    let mut warm_up = Some(SimTime::ZERO + run.warm_up);
    let mut reached = SimTime::ZERO;
    while reached < end {
        reached = (reached + run.window).min(end);
        let first = warm_up.take_if(|at| *at <= reached).map(|at| (at, Mark::WarmUpEnds));
        for (at, what) in first.into_iter().chain([(reached, Mark::WindowEnds)]) {
            if let Some(reason) = cut_short(simulation.run_until(at)) {
                return Driven { reached: simulation.now(), stopped: Some(reason) };
            }
            mark(simulation.model_mut(), what, at);
        }
        let events = simulation.trajectory().events();
        if observer(Progress { now: reached, end, events }).is_break() {
            return Driven { reached, stopped: Some(format!("interrupted at {reached}")) };
        }
    }
    Driven { reached, stopped: None }
}

fn cut_short(stop: Stop) -> Option<String> {
    match stop {
        Stop::Reached | Stop::Drained => None,
        Stop::Events(limit) => Some(format!("{limit} events handled: the limit (--max-events)")),
        Stop::Instant(at) => Some(format!("time stands still at {at}: a loop of events without delay")),
        Stop::Model(reason) => Some(reason),
    }
}

/// The facts of a run that is over.
pub fn facts<M: Model>(simulation: &Simulation<M>, run: &RunSpec) -> RunFacts {
    RunFacts {
        duration: run.duration.as_nanos(),
        warm_up: run.warm_up.as_nanos(),
        window: run.window.as_nanos(),
        events: simulation.trajectory().events(),
        ..RunFacts::default()
    }
}

/// The trajectory's and the randomness' part of the digest; `used` is what was drawn from each of the streams.
pub fn digest<M: Model>(
    simulation: &Simulation<M>,
    streams: &Streams,
    used: Vec<(String, StreamUse)>,
) -> DigestParts {
    let (every, checkpoints) = simulation.trajectory().checkpoints();
    DigestParts {
        t: Hex(simulation.trajectory().finish()).to_string(),
        r: Hex(streams.digest(used)).to_string(),
        every,
        checkpoints: checkpoints.iter().map(|&checkpoint| Hex(checkpoint).to_string()).collect(),
        ..DigestParts::default()
    }
}

/// What was recorded, in the model's words.
pub fn trajectory<M: Model>(
    simulation: &mut Simulation<M>,
    kind: impl Fn(u16) -> &'static str,
    outcome: impl Fn(u16) -> &'static str,
    entity: impl Fn(u64) -> String,
    note: impl Fn(u16, u64) -> String,
) -> Vec<TrajectoryLine> {
    let line = |witness: sim_core::Witness| TrajectoryLine {
        event: witness.event,
        time: witness.time,
        what: kind(witness.kind).into(),
        entity: entity(witness.entity),
        request: witness.request,
        attempt: witness.attempt,
        outcome: outcome(witness.outcome).into(),
        detail: witness.detail,
        note: note(witness.kind, witness.detail),
    };
    simulation.recorded().into_iter().map(line).collect()
}
