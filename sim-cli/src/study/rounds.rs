//! Seeds in rounds, until what was asked is decided: see [`sim_core::stats::sequential`].

use crate::app::App;
use crate::args::Bounds;
use crate::error::Result;
use crate::experiment::Opened;
use crate::result::rounds::Rounds;
use crate::result::seeds::Seeds;
use crate::study::replicate::{How, Outcome, Row, run_all};
use sim_core::stats::sequential::in_rounds;
use sim_models::report::Report;
use std::sync::atomic::{AtomicU64, Ordering};

/// As [`run_all`], on at most these seeds: on as many as it takes until `decided` by the first so many, at a
/// confidence.
pub fn run_until<T: Send>(
    app: &mut App,
    opened: &Opened,
    rows: &[Row],
    most: Seeds,
    bounds: &Bounds,
    keep: impl Fn(Report, bool) -> Result<T> + Sync,
    decided: impl Fn(&Outcome<T>, u32, f64) -> bool,
) -> Result<(Outcome<T>, Seeds, Rounds)> {
    let mut all = Outcome::none(rows.len());
    let costs: Vec<AtomicU64> = rows.iter().map(|_| AtomicU64::default()).collect();
    let run_to = |all: &mut Outcome<T>, seeds: u32| {
        let have = all.rows.first().map_or(0, Vec::len) as u32;
        let first = most.first.wrapping_add(u64::from(have));
        let known: Vec<u64> = costs.iter().map(|cost| cost.load(Ordering::Relaxed)).collect();
        let keep = |report: Report, first: bool| {
            let row =
                rows.iter().position(|row| row.variant == report.variant && row.set == report.overrides);
            row.map(|row| costs[row].fetch_max(report.run.events, Ordering::Relaxed));
            keep(report, first && have == 0)
        };
        let how = How { costs: &known, ..How::new(bounds, None) };
        all.add(run_all(app, opened, rows, Seeds { first, count: seeds - have }, how, keep)?);
        Ok(app.console.interrupt.exit().is_none())
    };
    let stopped = in_rounds(&mut all, most.count, run_to, decided)?;
    let rounds = Rounds {
        most: most.count,
        decided_after: stopped.by.map(|look| look.seeds),
        confidence: stopped.by.map(|look| look.confidence),
        by: Vec::new(),
        spared: u64::from(most.count - stopped.seeds) * rows.len() as u64,
    };
    Ok((all, Seeds { count: stopped.seeds, ..most }, rounds))
}
