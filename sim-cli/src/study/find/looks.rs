//! Looking at a run before its end, where that settles it.
//!
//! A run goes on for as long as the system has to come back, and most of that time is spent on systems whose fate is sealed. What
//! seals it is the fluid law of metastable failures together with what is seen: a backlog that the law feeds for ever, and that is
//! there; more load than there is capacity, and no good service; or a system that is back, and in which by the law every
//! backlog drains. What is not settled by then goes on from there.

use crate::error::Result;
use crate::result::edges::Answer;
use crate::study::collapse::Collapse;
use crate::study::fault;
use crate::study::runs::{Journey, Runs};
use sim_core::{SimDuration, SimTime};
use sim_models::report::{Outlook, Report, VerdictKind};
use sim_models::run::Regime;

/// One looks after these parts of the time that it has to come back.
const PARTS: [u64; 3] = [6, 3, 2];
/// And no sooner than this.
const LEAST: SimDuration = SimDuration::from_secs(30);

/// When one looks, and what is known.
#[derive(Default)]
pub(super) struct Looks {
    /// So long after the beginning.
    pub after: Vec<SimDuration>,
    law: Option<Regime>,
}

impl Looks {
    /// At a run that has these settings; the law is asked about those that are `plain`.
    pub fn at(
        collapse: &Collapse,
        runs: &Runs,
        plain: &[(String, String)],
        set: &[(String, String)],
    ) -> Result<Looks> {
        if !matches!(collapse, Collapse::Verdict) {
            return Ok(Looks::default());
        }
        let plain = runs.resolved(plain)?;
        let law = plain.model.explain(&plain.run).regime;
        let resolved = runs.resolved(set)?;
        let disturbances = fault::disturbances(&resolved);
        let over = match disturbances.is_empty() {
            true => SimTime::ZERO + resolved.run.warm_up,
            false => match fault::over(&disturbances) {
                Some(over) => over,
                None => return Ok(Looks::default()),
            },
        };
        Ok(Looks::between(law, over, SimTime::ZERO + resolved.run.duration))
    }

    /// At a run in which nothing more happens from one time to the other.
    pub fn between(law: Option<Regime>, over: SimTime, end: SimTime) -> Looks {
        if law.is_none() || over >= end {
            return Looks::default();
        }
        let (over, whole) = (over.since(SimTime::ZERO), end.since(SimTime::ZERO));
        let time = whole.as_nanos() - over.as_nanos();
        let mut after: Vec<SimDuration> =
            PARTS.map(|part| over + SimDuration::from_nanos((time / part).max(LEAST.as_nanos()))).into();
        after.dedup();
        // What spares little is not worth a look.
        after.retain(|after| after.as_nanos() <= whole.as_nanos() / 3 * 2);
        Looks { after, law }
    }

    /// What a run answers: none if a signal came first. Its report, if it took all of it.
    pub fn answer(
        &self,
        mut journey: Journey,
        collapse: impl Fn(&Report) -> Result<Answer>,
    ) -> Result<Option<(Answer, Option<Report>)>> {
        for after in &self.after {
            let Some(report) = journey.look(*after)? else { return Ok(None) };
            if let Some(answer) = self.settled(&report) {
                return Ok(Some((answer, None)));
            }
        }
        let Some(report) = journey.end()? else { return Ok(None) };
        Ok(Some((collapse(&report)?, Some(report))))
    }

    /// What its end will say, if that is settled. What a limit cut short settles nothing: it is for the end to meet, and to tell.
    fn settled(&self, report: &Report) -> Option<Answer> {
        if report.stopped.is_some() {
            return None;
        }
        match (self.law?, report.verdict.kind) {
            (Regime::Stable, VerdictKind::Recovered | VerdictKind::Steady) => Some(Answer::Fine),
            (Regime::Overloaded, VerdictKind::Overloaded | VerdictKind::Failing) => Some(Answer::Fails),
            _ => (report.verdict.outlook == Some(Outlook::Never)).then_some(Answer::Fails),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_short_settles_nothing() {
        let settled = |law, kind, outlook, stopped: Option<&str>| {
            let mut report = Report { stopped: stopped.map(String::from), ..Report::default() };
            (report.verdict.kind, report.verdict.outlook) = (kind, outlook);
            Looks { after: Vec::new(), law: Some(law) }.settled(&report)
        };
        for (law, kind, outlook, answer) in [
            (Regime::Stable, VerdictKind::Recovered, None, Answer::Fine),
            (Regime::Overloaded, VerdictKind::Overloaded, None, Answer::Fails),
            (Regime::Stable, VerdictKind::NotRecovered, Some(Outlook::Never), Answer::Fails),
        ] {
            assert_eq!(settled(law, kind, outlook, None), Some(answer));
            assert_eq!(settled(law, kind, outlook, Some("15000 events")), None, "{kind:?}");
        }
    }
}
