//! Driving a model from window to window, and writing down what happened.

use crate::RunSpec;
use crate::report::{DigestParts, RunFacts};
use crate::run::{Observer, Progress, RunOptions, TrajectoryLine};
use sim_core::digest::Hex;
use sim_core::{Model, SimTime, Simulation, Stop, StreamUse, randomness_digest};

/// A simulation of `model` as the options want it.
pub fn simulation<M: Model>(model: M, options: &RunOptions) -> Simulation<M> {
    let mut simulation = Simulation::with_engine(model, options.engine, options.limits);
    if let Some(events) = options.record.clone() {
        simulation.record(events);
    }
    simulation
}

/// Runs to the end, closing a window at every multiple of its length. Gives the limit that cut the
/// run short, if one did.
pub fn run_windows<M: Model>(
    simulation: &mut Simulation<M>,
    run: &RunSpec,
    observer: Observer,
    mut close: impl FnMut(&mut M, SimTime),
) -> Option<String> {
    let end = SimTime::ZERO + run.duration;
    let mut reached = SimTime::ZERO;
    while reached < end {
        reached = (reached + run.window).min(end);
        let stop = simulation.run_until(reached);
        close(simulation.model_mut(), reached);
        match stop {
            Stop::Reached | Stop::Drained => {}
            Stop::Events(limit) => return Some(format!("{limit} events handled: the limit (--max-events)")),
            Stop::Instant(at) => {
                return Some(format!("time stands still at {at}: a loop of events without delay"));
            }
            Stop::Model(reason) => return Some(reason),
        }
        let events = simulation.trajectory().events();
        if observer(Progress { now: reached, end, events }).is_break() {
            return Some(format!("interrupted at {reached}"));
        }
    }
    None
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

/// The trajectory's and the randomness' part of the digest.
pub fn digest<M: Model>(simulation: &Simulation<M>, mut streams: Vec<(String, StreamUse)>) -> DigestParts {
    let (every, checkpoints) = simulation.trajectory().checkpoints();
    DigestParts {
        t: Hex(simulation.trajectory().finish()).to_string(),
        r: Hex(randomness_digest(&mut streams)).to_string(),
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
    };
    simulation.recorded().into_iter().map(line).collect()
}
