//! From how far down a system that has collapsed comes back.

use super::Question;
use super::edges::{Along, Search};
use super::looks::Looks;
use crate::error::Result;
use crate::result::edges::{Answer, Edges};
use crate::result::found::{Loop, Told, Which};
use crate::result::knob::Knob;
use crate::study::collapse::Collapse;
use crate::study::fault::{self, SteadyLoad};
use sim_core::{SimDuration, SimTime};
use sim_models::experiment::Resolved;
use sim_models::report::Report;

/// How long a collapsed system stays at its load before that is lowered.
const DOWN: SimDuration = SimDuration::from_secs(30);
/// A system that is lowered has so many times as long to come back as the experiment gives it after its fault.
const PATIENCE: u64 = 3;
/// Goodput of at least this share of what is offered is back.
const BACK: f64 = 0.95;
/// The last stretch of a run, in which it must be back.
const LAST: SimDuration = SimDuration::from_secs(30);

impl Question<'_> {
    /// From how far down a system that has collapsed comes back: it is run at a load at which it collapses on every
    /// seed, and some time after the fault the load is lowered for good.
    pub(super) fn way_back(
        &self,
        along: Along,
        load: &SteadyLoad,
        told: &[Told],
        seeds: u32,
    ) -> Result<Option<(Edges, Loop)>> {
        let Along { knob, runs, .. } = along;
        let Some(over) = fault::over(&fault::disturbances(self.start.base)) else { return Ok(None) };
        let edges = |which: Which| told.iter().find(|told| told.which == which).map(|told| &told.edges);
        let Some(from) = collapsed_load(edges(Which::Fault), edges(Which::Alone), knob, self.start.base)
        else {
            return Ok(None);
        };
        let after = (SimTime::ZERO + self.start.base.run.duration).since(over);
        let lowered_at = over + DOWN;
        let settle = self.back_within.unwrap_or(after.saturating_mul(PATIENCE));
        let end = lowered_at + settle;
        // Nothing is lowered by raising it.
        let below = knob.up_to(from);
        let duration = end.since(SimTime::ZERO);
        let last = SimDuration::from_nanos(LAST.as_nanos().min(settle.as_nanos() / 2));
        let search = Search {
            which: Which::Back,
            everywhere_alike: false,
            settings: Box::new(|x| {
                Ok(vec![load.step(from, lowered_at, x), ("run.duration".into(), format!("\"{duration}\""))])
            }),
            failed: Box::new(move |report: &Report| {
                // One that ran on is looked at where it ends.
                let end = SimTime::from_nanos(report.run.duration);
                let from = SimTime::from_nanos(end.as_nanos() - last.as_nanos());
                let summary = report.during(from, end).summary;
                let (Some(goodput), Some(offered)) = (summary.goodput, summary.offered) else {
                    return Ok(Answer::Fine);
                };
                match goodput < BACK * offered {
                    // A few calls tell nothing, nor does a run that is too short: the verdict knows.
                    true => Collapse::Verdict.of(report),
                    false => Ok(Answer::Fine),
                }
            }),
            looks: Box::new(|x| {
                let resolved = runs.resolved(&[knob.set(x)])?;
                Ok(Looks::between(resolved.model.explain(&resolved.run).regime, lowered_at, end))
            }),
            alike_until: Some(lowered_at),
        };
        let mut courses = [Vec::new()];
        let along = Along { knob: &below, ..along };
        self.courses(along, std::slice::from_ref(&search), seeds, &mut courses)?;
        // Who runs on has so many times as long.
        let given = (duration.as_nanos().saturating_mul(self.start.settle.unwrap_or(1).into()))
            .saturating_sub(lowered_at.as_nanos());
        let looped = Loop { from, lowered_at: lowered_at.as_nanos(), settle: given };
        Ok(Some((Edges::of(&courses[0]), looped)))
    }
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
