//! The first event in which two runs part.

use crate::app::App;
use crate::args::Bounds;
use crate::error::{Error, Exit, Result};
use crate::experiment::Prepared;
use crate::result::differed::event::Parting;
use crate::result::differed::parts::first_different_stretch;
use crate::simulate::{ending, simulate};
use crate::study::side::Side;
use sim_models::run::TrajectoryLine;
use std::ops::Range;

/// Events shown before and after the first that differs.
const CONTEXT: u64 = 5;

/// Finds it, by making both runs again.
pub fn find(a: &Side, b: &Side, bounds: &Bounds, app: &App) -> Result<Parting> {
    let (x, y) = (&a.report.digest, &b.report.digest);
    let stretch = first_different_stretch(x, y);
    let (Some(first), Some(second)) = (&a.prepared, &b.prepared) else {
        let why = [a.gone.as_str(), b.gone.as_str()].into_iter().filter(|why| !why.is_empty());
        return Ok(Parting::Between(stretch, why.collect::<Vec<_>>().join("; ")));
    };
    // After the last checkpoint that both have there is only the rest.
    let last = (x.every * x.checkpoints.len() as u64).min(y.every * y.checkpoints.len() as u64);
    let end = a.report.run.events.max(b.report.run.events);
    let (from, to) = stretch.unwrap_or((last.saturating_sub(x.every.max(y.every)), end));
    let wanted = from.saturating_sub(CONTEXT)..to + CONTEXT + 1;
    let (Some(a), Some(b)) = (
        record(first, &wanted, &a.report.digest.i, bounds, app)?,
        record(second, &wanted, &b.report.digest.i, bounds, app)?,
    ) else {
        return Ok(Parting::Between(stretch, "a saved run is not what its experiment gives today".into()));
    };
    let Some(event) = first_different_event(&a, &b) else {
        return Ok(Parting::Between(
            stretch,
            "no recorded event differs: a saved run came from another version".into(),
        ));
    };
    let around = |lines: Vec<TrajectoryLine>| {
        let near = |line: &TrajectoryLine| line.event + CONTEXT >= event && line.event <= event + CONTEXT;
        lines.into_iter().filter(near).collect()
    };
    Ok(Parting::At { event, a: around(a), b: around(b) })
}

/// What happened in a stretch; nothing if today's experiment is another.
fn record(
    prepared: &Prepared,
    events: &Range<u64>,
    input: &str,
    bounds: &Bounds,
    app: &App,
) -> Result<Option<Vec<TrajectoryLine>>> {
    let output = simulate(prepared, bounds, Some(events.clone()), &app.console.interrupt, None)?;
    match ending(&output, &app.console.interrupt) {
        Exit::Good | Exit::Limit => Ok((output.report.digest.i == input).then_some(output.trajectory)),
        stopped => Err(Error::Stopped(stopped)),
    }
}

/// The number of the first event that left other lines on the other side.
fn first_different_event(a: &[TrajectoryLine], b: &[TrajectoryLine]) -> Option<u64> {
    let first = a.iter().zip(b).position(|(x, y)| x != y);
    match first {
        Some(at) => Some(a[at].event.min(b[at].event)),
        None => a.get(b.len()).or_else(|| b.get(a.len())).map(|line| line.event),
    }
}
