//! The runs that are checked, on as many seeds as their expectations ask for.

use super::Check;
use crate::app::App;
use crate::error::{Error, Result};
use crate::experiment::{Opened, Prepared};
use crate::progress::Meter;
use crate::simulate::simulate;
use crate::{expect, jobs};
use sim_models::report::Metric;
use sim_models::run::RunOutput;

/// The base or a variant: its own seed's run, and what the further seeds came to.
pub(super) struct Run {
    pub prepared: Prepared,
    pub output: RunOutput,
    /// Of each further seed: what was measured of each expectation, and why it was cut short.
    pub further: Vec<(Vec<Metric>, Option<String>)>,
}

enum Kept {
    Whole(Box<RunOutput>),
    Read(Vec<Metric>, Option<String>),
}

/// Runs all of all experiments, on as many seeds as their expectations ask for.
pub(super) fn run(experiments: &[Opened], args: &Check, app: &mut App) -> Result<Vec<Vec<Run>>> {
    let mut jobs: Vec<(&Opened, Prepared, bool)> = Vec::new();
    for opened in experiments {
        for variant in variants(opened) {
            let first = app.prepare(opened, variant, &[], None)?;
            let seeds = expect::seeds(&first, &opened.experiment, args.seeds);
            let seed = first.seed;
            jobs.push((opened, first, true));
            for n in 1..u64::from(seeds) {
                jobs.push((opened, app.prepare(opened, variant, &[], Some(seed.wrapping_add(n)))?, false));
            }
        }
    }
    let meter = Meter::of_runs(&app.console, "check", jobs.len());
    let interrupt = app.console.interrupt.clone();
    let kept = jobs::in_order(jobs::threads(app.global.jobs), &jobs, |(opened, prepared, whole)| {
        if let Some(exit) = interrupt.exit() {
            return Err(Error::Stopped(exit));
        }
        let output = simulate(prepared, &args.bounds, None, &interrupt, None);
        meter.run_done();
        let output = output?;
        if *whole {
            return Ok(Kept::Whole(Box::new(output)));
        }
        let count = expect::about(prepared, &opened.experiment).count();
        let absent = |_| vec![Metric::Absent; count];
        let read = expect::read(prepared, &opened.experiment, &output.report).unwrap_or_else(absent);
        Ok(Kept::Read(read, output.report.stopped))
    });
    meter.finish(&mut app.console, None);
    if let Some(exit) = interrupt.exit() {
        return Err(Error::Stopped(exit));
    }
    let kept = kept.into_iter().collect::<Result<Vec<Kept>>>()?;
    let mut runs: Vec<Vec<Run>> = experiments.iter().map(|_| Vec::new()).collect();
    for ((opened, prepared, _), kept) in jobs.into_iter().zip(kept) {
        let of = experiments.iter().position(|one| std::ptr::eq(one, opened)).expect("one of them");
        match kept {
            Kept::Whole(output) => runs[of].push(Run { prepared, output: *output, further: Vec::new() }),
            Kept::Read(read, stopped) => {
                runs[of].last_mut().expect("its first seed comes first").further.push((read, stopped));
            }
        }
    }
    Ok(runs)
}

/// The base, and the variants of which something is expected, in the order of the file.
fn variants(opened: &Opened) -> Vec<Option<&str>> {
    let expected = |name: &&str| {
        opened.experiment.expectations().iter().any(|e| e.variant.as_ref().is_some_and(|v| v.value == *name))
    };
    std::iter::once(None).chain(opened.experiment.variant_names().filter(expected).map(Some)).collect()
}
