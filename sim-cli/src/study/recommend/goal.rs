//! What is wanted of a setting: an objective, under conditions.

use crate::error::Result;
use crate::result::estimate::{Measured, OfWhom};
use crate::study::measure::{glance, measure, of_whom, unanswered, within};
use crate::study::race::{Candidate, Score, front};
use crate::study::replicate::spelled_out;
use crate::study::runs::Start;
use crate::study::wish::{Held, Wish};
use sim_models::report::{Report, Unit};

/// What is wanted.
pub struct Goal {
    /// The metric that is to be as large or as small as possible.
    pub metric: String,
    /// Whether small is wanted.
    pub less: bool,
    /// The conditions.
    pub wishes: Vec<Wish>,
}

/// One run of a setting.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub objective: Measured,
    pub unit: Unit,
    pub held: Vec<Held>,
    /// Of the objective, then of each condition, where that is to be small and is longer than any answer took: how many got none.
    pub unanswered: Vec<Option<f64>>,
    /// Of the users' calls that were offered, how many were served; or per second.
    pub served: Option<f64>,
    /// Of whom the objective is, then each condition.
    pub whom: Vec<OfWhom>,
}

impl Goal {
    /// Finds unknown metrics and wrong units before anything is searched.
    pub fn check(&self, start: Start) -> Result<()> {
        within(&self.metric, start.base.run.duration)?;
        let (report, knows) = glance(start.base);
        match self
            .wishes
            .iter()
            .map(Wish::metric)
            .chain([self.metric.as_str()])
            .all(|metric| knows.of(metric))
        {
            true => self.seen(&report).map(|_| ()),
            false => Ok(()),
        }
    }

    pub(super) fn seen(&self, report: &Report) -> Result<Seen> {
        let (objective, meaning) = measure(report, std::slice::from_ref(&self.metric))?[0];
        // Fast for the few that were answered is no virtue: a percentile that so many were not answered for that it is longer than any
        // answer is that of nobody.
        let wanted = |less: bool, metric: &str| if less { unanswered(report, metric) } else { None };
        let of_wishes = self.wishes.iter().map(|wish| wanted(wish.wants_less(), &wish.asked()));
        let unanswered: Vec<Option<f64>> =
            std::iter::once(wanted(self.less, &self.metric)).chain(of_wishes).collect();
        let objective = if unanswered[0].is_some() { Measured::of(f64::INFINITY) } else { objective };
        let hold = |(wish, nobodys): (&Wish, &Option<f64>)| {
            let held = wish.held(report)?;
            Ok(if held.holds && nobodys.is_some() { held.broken() } else { held })
        };
        let held = self.wishes.iter().zip(&unanswered[1..]).map(hold).collect::<Result<_>>()?;
        let asked: Vec<String> = std::iter::once(self.metric.clone())
            .chain(self.wishes.iter().map(Wish::asked))
            .map(|metric| spelled_out(report, &metric))
            .collect();
        let served = of_whom(report, &["wasted".into()])[0].served;
        Ok(Seen { objective, unit: meaning.unit, held, unanswered, served, whom: of_whom(report, &asked) })
    }

    /// The objective as something to make as large as possible.
    pub(super) fn value(&self, seen: &Seen) -> Option<f64> {
        let value = match seen.objective {
            Measured::Number(value) => value,
            Measured::Truth(truth) => f64::from(u8::from(truth)),
            // Worse than any that is a number.
            Measured::Longer(_) | Measured::Absent => return None,
        };
        Some(if self.less { -value } else { value })
    }

    pub(super) fn score(&self, seen: &Seen) -> Score {
        Score {
            objective: self.value(seen),
            breaches: seen.held.iter().map(|held| held.breach).collect(),
            room: seen.held.iter().map(|held| held.room).sum(),
            measured: seen.held.iter().map(|held| held.measured).collect(),
        }
    }

    pub(super) fn feasible(&self, seen: &Seen) -> bool {
        self.value(seen).is_some() && seen.held.iter().all(|held| held.holds)
    }

    /// The trade-offs between the objective and the conditions that are numbers, where those that are truths hold.
    pub(super) fn front(&self, candidates: &[Candidate]) -> Vec<usize> {
        let numbers: Vec<(usize, bool)> = (0..self.wishes.len())
            .filter(|&n| !self.wishes[n].is_truth())
            .map(|n| (n, self.wishes[n].wants_less()))
            .collect();
        let truths = |candidate: &Candidate| {
            let hold = |score: &Score| {
                score
                    .breaches
                    .iter()
                    .zip(&self.wishes)
                    .all(|(breach, wish)| !wish.is_truth() || *breach == 0.0)
            };
            candidate.scores.iter().all(hold)
        };
        let of_truth: Vec<Candidate> = candidates
            .iter()
            .map(|one| match truths(one) {
                true => one.clone(),
                false => Candidate { place: None, scores: Vec::new() },
            })
            .collect();
        front(&of_truth, &numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::report::{Edge, Latency, Response};

    #[test]
    fn the_time_of_survivors_is_no_virtue() {
        let goal = |metric: &str| Goal { metric: metric.into(), less: true, wishes: Vec::new() };
        let latency = Latency { count: 14, p50: Some(5), p99: Some(9), ..Latency::default() };
        let seen = |p50: Option<u64>, p99: Option<u64>, metric: &str| {
            let mut report = Report::default();
            let response = Response { count: 100, unanswered: 86, p50, p99, ..Response::default() };
            let edge = Edge { from_users: true, latency: latency.clone(), response, ..Edge::default() };
            report.edges.push("users->a", edge);
            let goal = goal(metric);
            goal.value(&goal.seen(&report).expect("known"))
        };
        for metric in ["p99", r#"edges["users->a"].latency.p99"#] {
            assert_eq!(seen(None, None, metric), None, "nobody's");
            assert_eq!(seen(Some(7), Some(20), metric), Some(-9.0));
        }
        assert_eq!(seen(Some(7), None, "p50"), Some(-5.0), "more than half were answered");
        assert_eq!(seen(Some(7), None, "response.p99"), None);
    }
}
