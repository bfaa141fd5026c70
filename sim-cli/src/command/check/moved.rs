//! Why a snapshot differs: what moved in each run, and where it begins.

use super::Check;
use super::runs::Run;
use crate::app::App;
use crate::error::{Error, Result};
use crate::experiment::{Opened, Prepared};
use crate::golden::facts::{Fact, Facts};
use crate::golden::moved::{SEEDS, differing, judge, read};
use crate::jobs;
use crate::progress::Meter;
use crate::result::differed::parts::{differing_parts, first_different_stretch, layer};
use crate::result::moved::{Moved, Reading};
use crate::simulate::simulate;
use crate::text::number::{count, duration};
use sim_models::report::Metric;

/// Each run that is not what the snapshot remembers. What luck there is in a number is told by further seeds of
/// those runs in which one differs.
pub(super) fn explain(
    before: &Facts,
    now: &Facts,
    opened: &Opened,
    runs: &[Run],
    args: &Check,
    app: &mut App,
) -> Result<Vec<Moved>> {
    let mut all = Vec::new();
    for (fact, run) in now.runs.iter().zip(runs) {
        let (variant, seed) = (fact.variant.clone(), fact.seed);
        let Some(then) = before.runs.iter().find(|then| then.variant == variant) else {
            let first_difference = "this run is new: the snapshot does not have it".into();
            all.push(Moved { variant, seed, first_difference, ..Moved::default() });
            continue;
        };
        let parts = differing_parts(&then.digest, &fact.digest);
        let paths = differing(then, fact);
        if parts.is_empty() && paths.is_empty() {
            continue;
        }
        let mut seeds = vec![read(&run.output.report, &paths)];
        if !paths.is_empty() {
            seeds.extend(further(opened, &run.prepared, &paths, args, app)?);
        }
        let mut metrics = judge(then, fact, &paths, &seeds);
        for metric in &mut metrics {
            // What one of its values counts only the report knows.
            if let Ok(Metric::Number(_, unit)) = run.output.report.metric(&metric.metric) {
                metric.unit = unit;
            }
        }
        let events = first_different_stretch(&then.digest, &fact.digest);
        all.push(Moved {
            metrics,
            first_difference: place(then, fact, events, &run.prepared, args, app)?,
            variant,
            seed,
            parts,
            events,
        });
    }
    let gone = |then: &&Fact| !now.runs.iter().any(|fact| fact.variant == then.variant);
    all.extend(before.runs.iter().filter(gone).map(|then| Moved {
        variant: then.variant.clone(),
        seed: then.seed,
        first_difference: "this run is gone: nothing is expected of it now".into(),
        ..Moved::default()
    }));
    Ok(all)
}

/// What the metrics come to in further seeds of today's version.
fn further(
    opened: &Opened,
    prepared: &Prepared,
    paths: &[String],
    args: &Check,
    app: &mut App,
) -> Result<Vec<Vec<Reading>>> {
    let seeds = (1..u64::from(SEEDS)).map(|n| prepared.seed.wrapping_add(n));
    let variant = prepared.variant.as_deref();
    let all: Vec<Prepared> =
        seeds.map(|seed| app.prepare(opened, variant, &[], Some(seed))).collect::<Result<_>>()?;
    let meter = Meter::of_runs(&app.console, "what luck gives", all.len());
    let interrupt = app.console.interrupt.clone();
    let readings = jobs::in_order(jobs::threads(app.global.jobs), &all, |prepared| {
        let output = simulate(prepared, &args.bounds, None, &interrupt, None)?;
        meter.run_done();
        match interrupt.exit() {
            Some(exit) => Err(Error::Stopped(exit)),
            None => Ok(read(&output.report, paths)),
        }
    });
    meter.finish(&mut app.console, None);
    readings.into_iter().collect()
}

/// Where the first different event is, as far as the snapshot's checkpoints tell, and what kind of change that is.
fn place(
    before: &Fact,
    now: &Fact,
    events: Option<(u64, u64)>,
    prepared: &Prepared,
    args: &Check,
    app: &App,
) -> Result<String> {
    let parts = differing_parts(&before.digest, &now.digest);
    let hint = match (layer(&parts), parts.contains(&"input")) {
        ("", true) => "the experiment, its seed or its model is another",
        (hint, _) => hint,
    };
    let hint = if hint.is_empty() { String::new() } else { format!("; {hint}") };
    if before.digest.t == now.digest.t {
        return Ok(format!("no event differs{hint}"));
    }
    let Some((from, to)) = events else {
        return Ok(format!("after the last common checkpoint, at the end of the run{hint}"));
    };
    // The times of both ends, from today's run.
    let output = simulate(prepared, &args.bounds, Some(from..to + 1), &app.console.interrupt, None)?;
    let event = |event: u64| {
        let line = output.trajectory.iter().find(|line| line.event >= event);
        let time = line.map(|line| format!(" ({})", duration(line.time.as_nanos())));
        format!("event {}{}", count(event), time.unwrap_or_default())
    };
    Ok(format!("between {} and {}{hint}", event(from), event(to)))
}
