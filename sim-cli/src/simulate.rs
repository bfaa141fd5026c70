//! Making a run: options from the command line, progress, signals, and what to do if it is our fault.

use crate::args::{Bounds, EngineName};
use crate::error::{Error, Exit, Result, panic_message};
use crate::experiment::Prepared;
use crate::memory::{EACH, Memory};
use crate::progress::Meter;
use crate::signal::Interrupt;
use sim_core::{Engine, Limits, SimTime};
use sim_models::Trunk;
use sim_models::experiment::Resolved;
use sim_models::report::Report;
use sim_models::run::{DEFAULT_MAX_IN_FLIGHT, Observer, Progress, RunOptions, RunOutput};
use sim_models::trace::{Selection, collect};
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            engine: EngineName::Fast,
            max_events: Limits::default().events,
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
        }
    }
}

impl Bounds {
    /// What a run is told.
    pub fn options(&self, seed: u64, memory: Option<Memory>) -> RunOptions {
        RunOptions {
            engine: match self.engine {
                EngineName::Fast => Engine::Fast,
                EngineName::Reference => Engine::Reference,
            },
            limits: Limits { events: self.max_events, ..Limits::default() },
            max_in_flight: self.max_in_flight.min(memory.map_or(u64::MAX, Memory::in_flight)),
            ..RunOptions::seeded(seed)
        }
    }
}

/// Runs it. The report's head says which experiment it was and what was set; a panic in it is our bug.
pub fn simulate(
    prepared: &Prepared,
    bounds: &Bounds,
    record: Option<std::ops::Range<u64>>,
    interrupt: &Interrupt,
    meter: Option<&Meter>,
) -> Result<RunOutput> {
    let options = RunOptions { record, ..bounds.options(prepared.seed, interrupt.memory()) };
    watched(prepared, bounds, "run", interrupt, meter, |observer| {
        sim_models::simulate(&prepared.resolved, &options, observer)
    })
}

/// The same from a state that it has in common with other runs, if it leads from there; else from the start.
pub fn simulate_from(
    trunk: Option<&Trunk>,
    prepared: &Prepared,
    bounds: &Bounds,
    interrupt: &Interrupt,
) -> Result<RunOutput> {
    let options = bounds.options(prepared.seed, interrupt.memory());
    watched(prepared, bounds, "run", interrupt, None, |observer| {
        let resolved = &prepared.resolved;
        let branched = trunk.and_then(|trunk| sim_models::simulate_from(trunk, resolved, &options, observer));
        branched.unwrap_or_else(|| sim_models::simulate(resolved, &options, observer))
    })
}

/// The state of a run before an instant, on from an earlier one if there is that: see [`sim_models::branch`].
pub fn trunk(
    from: Option<&Trunk>,
    prepared: &Prepared,
    bounds: &Bounds,
    interrupt: &Interrupt,
    before: SimTime,
) -> Result<Option<Trunk>> {
    let options = bounds.options(prepared.seed, interrupt.memory());
    let Resolved { model, run, .. } = &prepared.resolved;
    guarded(prepared, bounds, "run", interrupt, None, |observer| {
        model.trunk(run, &options, observer, from, before)
    })
}

/// The same, twice, with the calls that are meant followed: see [`collect`].
pub fn trace(
    prepared: &Prepared,
    bounds: &Bounds,
    selection: Selection,
    interrupt: &Interrupt,
    meter: Option<&Meter>,
) -> Result<RunOutput> {
    let options = bounds.options(prepared.seed, interrupt.memory());
    watched(prepared, bounds, "trace", interrupt, meter, |observer| {
        collect(&prepared.resolved, &options, selection, observer)
    })
}

/// The same as [`guarded`]; what it gives back gets its head.
fn watched(
    prepared: &Prepared,
    bounds: &Bounds,
    command: &str,
    interrupt: &Interrupt,
    meter: Option<&Meter>,
    run: impl FnOnce(Observer) -> RunOutput,
) -> Result<RunOutput> {
    let mut output = guarded(prepared, bounds, command, interrupt, meter, run)?;
    let report = &mut output.report;
    if let (Some(Exit::Limit), Some(why)) = (interrupt.exit(), &mut report.stopped)
        && let Some(at) = why.strip_prefix("interrupted at ")
    {
        *why = format!("no more time at {at} (--max-wall): how far it gets depends on the machine");
    }
    if let (Some(memory), Some(why)) = (interrupt.memory(), &mut report.stopped)
        && memory.in_flight() < bounds.max_in_flight
        && why.contains("--max-in-flight")
    {
        let room = format!(
            "give it more memory (--max-memory: {} MiB for {} at a time have room for so many, of {EACH} bytes each)",
            memory.bytes >> 20,
            if memory.runs == 1 { "1 run".into() } else { format!("{} runs", memory.runs) },
        );
        *why = why.replace("raise --max-in-flight", &room);
    }
    report.experiment.clone_from(&prepared.name);
    report.variant.clone_from(&prepared.variant);
    report.overrides.clone_from(&prepared.set);
    Ok(output)
}

/// `run` under the eyes of the meter and the signals; a panic in it is our bug.
fn guarded<T>(
    prepared: &Prepared,
    bounds: &Bounds,
    command: &str,
    interrupt: &Interrupt,
    meter: Option<&Meter>,
    run: impl FnOnce(Observer) -> T,
) -> Result<T> {
    interrupt.begin();
    let mut observer = |progress: Progress| {
        if let Some(meter) = meter {
            meter.at(progress);
        }
        if interrupt.exit().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let simulated = panic::catch_unwind(AssertUnwindSafe(|| run(&mut observer)));
    simulated.map_err(|payload| Error::Bug {
        message: panic_message(&*payload),
        replay: prepared.replay.bounded_line(command, bounds),
    })
}

/// What the end of a run means for the exit code, before anything is expected of it.
pub fn ending(output: &RunOutput, interrupt: &Interrupt) -> Exit {
    match (interrupt.exit(), &output.report.stopped) {
        // It was done before the time was up.
        (Some(Exit::Limit) | None, None) => Exit::Good,
        (Some(exit), _) => exit,
        (None, Some(_)) => Exit::Limit,
    }
}

/// Why the result is partial, and how to get it again.
pub fn cut_short(prepared: &Prepared, report: &Report, ending: Exit, again: &str) -> String {
    let why = report.stopped.as_deref().unwrap_or("the end");
    let what = match ending {
        Exit::Limit => "stopped at a limit",
        Exit::Interrupted => "interrupted",
        _ => "terminated",
    };
    let name = &prepared.name;
    format!("{name}: {what}: {why}; the result covers only what was reached\n  again: {again}")
}
