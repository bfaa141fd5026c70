//! Calls that are in no share and no percentile: those that were out when the measurement began, and when it ended.

use crate::text::number::{count, roughly};
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::{Calls, Report};

/// From this share of the calls made on they are worth a word.
const MATTERS: f64 = 0.005;

/// Calls of users that were out at both ends of what was measured; over several runs their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct InHand {
    /// Calls made.
    pub made: f64,
    /// Made before, and still out when the measurement began.
    pub before: f64,
    /// Of those made, still out at the end.
    pub at_the_end: f64,
}

impl InHand {
    /// Of one run.
    pub fn of(report: &Report) -> Self {
        let sum = |of: &dyn Fn(&Calls) -> u64| {
            let users = report.edges.iter().map(|(_, edge)| edge).filter(|edge| edge.from_users);
            users.map(|edge| of(&edge.calls)).sum::<u64>() as f64
        };
        InHand {
            made: sum(&|calls| calls.started),
            before: sum(&|calls| calls.in_hand_before),
            at_the_end: sum(&|calls| calls.in_flight()),
        }
    }

    /// Of several runs.
    pub fn mean(all: impl Iterator<Item = InHand>) -> Self {
        let (mut sum, mut n) = (InHand::default(), 0.0);
        for one in all {
            n += 1.0;
            sum.made += one.made;
            sum.before += one.before;
            sum.at_the_end += one.at_the_end;
        }
        let of = |sum: f64| if n > 0.0 { sum / n } else { 0.0 };
        InHand { made: of(sum.made), before: of(sum.before), at_the_end: of(sum.at_the_end) }
    }

    fn many(&self, calls: f64) -> bool {
        calls >= 1.0 && calls >= MATTERS * self.made.max(1.0)
    }

    /// Those that were out when the measurement began, if they are many.
    pub fn told_before(&self) -> Option<String> {
        let calls = count(self.before.round() as u64);
        self.many(self.before).then(|| format!("{calls} calls from before the measurement are not counted"))
    }

    /// What a reader of a share must know: `363 calls (19 % of those made) still in hand at the end`. Nothing if they are few.
    pub fn told(&self) -> Option<String> {
        let share = |calls: f64| if self.made > 0.0 { roughly(calls / self.made) } else { "-".into() };
        let mut said = Vec::new();
        if self.many(self.at_the_end) {
            let (calls, share) = (count(self.at_the_end.round() as u64), share(self.at_the_end));
            said.push(format!("{calls} calls ({share} of those made) still in hand at the end"));
        }
        said.extend(self.told_before());
        (!said.is_empty()).then(|| said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_told_where_it_matters() {
        let told = |made, before, at_the_end| InHand { made, before, at_the_end }.told();
        assert_eq!(told(1_000.0, 0.0, 4.0), None);
        assert_eq!(
            told(1_900.0, 0.0, 363.0).as_deref(),
            Some("363 calls (19 % of those made) still in hand at the end")
        );
        assert_eq!(
            told(100.0, 500.0, 0.0).as_deref(),
            Some("500 calls from before the measurement are not counted")
        );
        assert!(told(0.0, 0.0, 0.0).is_none());
        let two = [(10.0, 0.0, 4.0), (30.0, 2.0, 0.0)].map(|(made, before, at_the_end)| InHand {
            made,
            before,
            at_the_end,
        });
        assert_eq!(InHand::mean(two.into_iter()), InHand { made: 20.0, before: 1.0, at_the_end: 2.0 });
    }
}
