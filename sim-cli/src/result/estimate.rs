//! What metrics came to: in one run, and over the seeds of a row.

use crate::result::seeds::CONFIDENCE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::stats::Sample;
use std::ops::Range;

/// A time that is longer than any answer took: there was none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Longer {
    /// In JSON.
    #[serde(rename = "longer than any answer")]
    ThanAny,
}

/// What a metric came to in one run; in JSON a truth, a number, null, or the words that it is longer than any answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Measured {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(f64),
    /// Worse than any number.
    Longer(Longer),
    /// Nothing to measure in this run.
    Absent,
}

impl Measured {
    /// Of a number that may be infinite.
    pub fn of(number: f64) -> Self {
        if number == f64::INFINITY { Measured::Longer(Longer::ThanAny) } else { Measured::Number(number) }
    }

    /// As a number that can be compared with others.
    pub fn order(self) -> Option<f64> {
        if let Measured::Longer(_) = self { Some(f64::INFINITY) } else { self.number() }
    }

    /// As a number that can be averaged: 1 for a truth that holds, 0 for one that does not.
    pub fn number(self) -> Option<f64> {
        match self {
            Measured::Number(x) if x.is_finite() => Some(x),
            Measured::Truth(truth) => Some(f64::from(u8::from(truth))),
            _ => None,
        }
    }
}

/// Of whom a metric of a run is, where it looks better if there are fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct OfWhom {
    /// Of a response time of calls that ended well: how many did, of those that ended.
    #[serde(default)]
    pub answered: Option<f64>,
    /// Of what is measured inside: how many of the users' calls were served, of those offered, or per second where users wait for
    /// their answers.
    #[serde(default)]
    pub served: Option<f64>,
}

impl OfWhom {
    /// A response time of calls that ended well, of which so many did.
    pub fn answered(share: f64) -> Self {
        OfWhom { answered: Some(share), ..OfWhom::default() }
    }
}

/// A metric over the seeds of one row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    /// In how many runs it was there.
    pub n: u64,
    /// In how many it was true, for what is true or false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yes: Option<u64>,
    /// Its mean over them; of a truth, the share.
    pub mean: Option<f64>,
    /// Half the width of Student's interval for the mean; absent for fewer than two values.
    pub half_width: Option<f64>,
    /// The ends of the interval where that is longer to one side: then `half_width` is the longer side of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// In how many it was longer than any answer: then there is no mean.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub longer: u64,
    /// Of a response time of calls that ended well: how many did, of those that ended; the mean over the seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<f64>,
    /// Of what is measured inside: how many of the users' calls were served, as in [`OfWhom`]; the mean over the seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<f64>,
    /// The smallest and the largest of them.
    #[serde(skip)]
    pub range: Option<(f64, f64)>,
}

impl Estimate {
    /// Of one value per seed.
    pub fn of(values: &[Measured]) -> Self {
        let numbers: Vec<f64> = values.iter().copied().filter_map(Measured::number).collect();
        let yes = values.iter().filter(|value| **value == Measured::Truth(true)).count() as u64;
        let truths = values.iter().any(|value| matches!(value, Measured::Truth(_)));
        let sample = Sample::of(&numbers);
        let longer = values.iter().filter(|value| matches!(value, Measured::Longer(_))).count() as u64;
        if longer > 0 {
            return Estimate { n: sample.n + longer, longer, ..Estimate::default() };
        }
        Estimate {
            n: sample.n,
            longer,
            answered: None,
            served: None,
            interval: None,
            yes: truths.then_some(yes),
            mean: (sample.n > 0).then_some(sample.mean),
            range: numbers.iter().copied().map(|it| (it, it)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
            half_width: if truths { None } else { sample.half_width(CONFIDENCE) },
        }
    }

    /// A number whose interval may be longer to one side.
    pub fn within(number: f64, interval: (f64, f64)) -> Self {
        let half_width = (number - interval.0).max(interval.1 - number);
        Estimate {
            mean: Some(number),
            half_width: Some(half_width),
            interval: Some(interval),
            range: Some((number, number)),
            ..Estimate::default()
        }
    }

    /// The same, of these on each seed.
    #[must_use]
    pub fn of_those(self, whom: &[OfWhom]) -> Self {
        let mean = |of: fn(&OfWhom) -> Option<f64>| {
            let shares: Vec<f64> = whom.iter().filter_map(of).collect();
            (!shares.is_empty()).then(|| Sample::of(&shares).mean)
        };
        Estimate { answered: mean(|whom| whom.answered), served: mean(|whom| whom.served), ..self }
    }

    /// Of whom it is.
    pub fn of_whom(&self) -> OfWhom {
        OfWhom { answered: self.answered, served: self.served }
    }

    /// The longer side of an interval that is longer to one, as a share of the number.
    pub fn longer_side(&self) -> Option<f64> {
        self.interval?;
        Some(self.half_width? / self.mean.filter(|mean| *mean != 0.0)?.abs())
    }

    /// The interval, if there is one.
    pub fn interval(&self) -> Option<Range<f64>> {
        if let Some((low, high)) = self.interval {
            return Some(low..high);
        }
        let (mean, half) = (self.mean?, self.half_width?);
        Some(mean - half..mean + half)
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The exact value beside a row. Most closed forms know no seed; one that does, as of a ring that is drawn, has
/// its mean over the seeds.
pub fn exact_over(exact: &[f64]) -> Option<f64> {
    let first = *exact.first()?;
    let alike = exact.iter().all(|other| *other == first);
    Some(if alike { first } else { Sample::of(exact).mean })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Measured::{Absent, Number, Truth};

    #[test]
    fn estimates_leave_out_what_was_not_there() {
        let estimate = Estimate::of(&[Number(1.0), Absent, Number(3.0), Number(f64::NAN)]);
        assert_eq!((estimate.n, estimate.mean, estimate.yes), (2, Some(2.0), None));
        // t(0.975, 1) * 1: with two values the interval is wide, as it should be.
        let half = estimate.half_width.expect("two values");
        assert!((half - 12.706_204_736).abs() < 1e-6, "{half}");
        assert_eq!(Estimate::of(&[Absent]), Estimate::default());
        assert_eq!(Estimate::of(&[Number(5.0)]).half_width, None);
    }

    #[test]
    fn what_is_longer_than_any_answer_has_no_mean() {
        let beyond = Measured::of(f64::INFINITY);
        let estimate = Estimate::of(&[Number(1.0), beyond, Absent]);
        assert_eq!((estimate.n, estimate.longer, estimate.mean), (2, 1, None));
        assert!(beyond.order() > Number(1e300).order() && beyond.number().is_none());
        let json = serde_json::to_string(&[beyond, Number(1.0), Absent]).unwrap();
        assert_eq!(json, r#"["longer than any answer",1.0,null]"#);
        assert_eq!(serde_json::from_str::<Vec<Measured>>(&json).unwrap(), [beyond, Number(1.0), Absent]);
    }

    #[test]
    fn truths_are_counted() {
        let estimate = Estimate::of(&[Truth(true), Truth(false), Truth(true), Absent]);
        assert_eq!((estimate.n, estimate.yes, estimate.half_width), (3, Some(2), None));
    }

    #[test]
    fn what_was_measured_is_read_back() {
        let values = vec![Truth(true), Number(0.1), Number(3.0), Absent];
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(json, "[true,0.1,3.0,null]");
        assert_eq!(serde_json::from_str::<Vec<Measured>>(&json).unwrap(), values);
        assert_eq!(serde_json::from_str::<Vec<Measured>>("[3]").unwrap(), [Number(3.0)]);
    }

    #[test]
    fn an_exact_value_may_know_its_seed() {
        assert_eq!(exact_over(&[0.1; 3]), Some(0.1), "to the last bit");
        assert_eq!(exact_over(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(exact_over(&[]), None);
    }
}
