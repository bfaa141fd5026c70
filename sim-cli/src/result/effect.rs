//! What one metric of a row differs by from another row's, or from a saved run's.

use crate::result::change::{TOO_SMALL, matters};
use crate::result::column::NEARLY_ALL;
use crate::result::estimate::{Estimate, Measured, OfWhom};
use crate::result::seeds::CONFIDENCE;
use schemars::JsonSchema;
use serde::Serialize;
use sim_core::stats::{Difference, Ratio, Sample, change_of_truth, pairing_factor};
use std::cmp::Ordering;
use std::ops::Range;

/// A metric of two rows, `to` held against `from`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Effect {
    /// Pairs it was taken from, seed by seed; absent where the seeds differ and the samples are independent.
    pub pairs: Option<u64>,
    /// The mean it is held against; of a truth, the share.
    pub from: Option<f64>,
    /// Its own mean.
    pub to: Option<f64>,
    /// The mean difference.
    pub difference: Option<f64>,
    /// Half the width of its 95 % interval.
    pub half_width: Option<f64>,
    /// How many times as large it is, where every value is above 0.
    pub ratio: Option<f64>,
    /// The 95 % interval of the ratio.
    pub ratio_interval: Option<(f64, f64)>,
    /// Whether the difference is clear of zero: its interval is, or more truths changed than by chance.
    pub clear: bool,
    /// On how many seeds it is larger (of a truth: true only here), and on how many smaller; of pairs.
    pub larger: u64,
    /// See `larger`.
    pub smaller: u64,
    /// Of a response time of calls that ended well: how many did, there and here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<(f64, f64)>,
    /// Of what is measured inside: how many of the users' calls were served, there and here; as in [`OfWhom`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<(f64, f64)>,
    /// How many times as many independent seeds would be needed for the same interval.
    pub pairing: Option<f64>,
    /// How unlikely it is by chance; what a regression is judged by.
    #[serde(skip)]
    evidence: Evidence,
}

/// Shares of calls that ended well which differ by less are alike.
pub const AS_MANY: f64 = 0.001;

/// By so much they differ for whoever acts on it.
const FEWER: f64 = 0.01;

/// Below this share of what is served elsewhere clearly fewer are: as in verdicts.
pub const CLEARLY_FEWER: f64 = 0.95;

/// What decides whether a difference is clear, at whatever confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Evidence {
    /// Too few values.
    #[default]
    None,
    /// Of numbers.
    Means(Difference),
    /// Of truths: the probability of such a split by chance.
    Truths(f64),
}

impl Effect {
    /// Seed by seed, where both sides were there.
    pub fn paired(to: &[Measured], from: &[Measured]) -> Self {
        if to.iter().chain(from).any(|value| matches!(value, Measured::Longer(_))) {
            return Effect::ordered(to, from);
        }
        let both = |(a, b): (&Measured, &Measured)| Some((a.number()?, b.number()?));
        let (a, b): (Vec<f64>, Vec<f64>) = to.iter().zip(from).filter_map(both).unzip();
        let count =
            |holds: fn(&f64, &f64) -> bool| a.iter().zip(&b).filter(|(a, b)| holds(a, b)).count() as u64;
        let (larger, smaller) = (count(|a, b| a > b), count(|a, b| a < b));
        let truths = to.iter().chain(from).any(|value| matches!(value, Measured::Truth(_)));
        let evidence = match Difference::paired(&a, &b) {
            Some(_) if truths => Evidence::Truths(change_of_truth(larger, smaller)),
            Some(difference) => Evidence::Means(difference),
            None => Evidence::None,
        };
        let ratio = if truths { None } else { Ratio::paired(&a, &b) };
        Effect {
            pairs: Some(a.len() as u64),
            larger,
            smaller,
            pairing: if truths { None } else { pairing_factor(&a, &b) },
            ..Effect::of(&a, &b, evidence, ratio)
        }
    }

    /// Where some are longer than any answer there is no mean, but an order: which is longer on how many seeds.
    fn ordered(to: &[Measured], from: &[Measured]) -> Self {
        let pairs = || to.iter().zip(from).filter_map(|(a, b)| Some((a.order()?, b.order()?)));
        let (larger, smaller) =
            (pairs().filter(|(a, b)| a > b).count() as u64, pairs().filter(|(a, b)| a < b).count() as u64);
        let longest = |values: &[Measured]| values.iter().filter_map(|value| value.order()).reduce(f64::max);
        let whole = |values: &[Measured]| match longest(values) {
            Some(f64::INFINITY) => Some(f64::INFINITY),
            _ => Estimate::of(values).mean,
        };
        let difference = match larger.cmp(&smaller) {
            Ordering::Greater => Some(f64::INFINITY),
            Ordering::Less => Some(f64::NEG_INFINITY),
            Ordering::Equal => None,
        };
        let evidence = Evidence::Truths(change_of_truth(larger, smaller));
        let mut effect = Effect {
            pairs: Some(pairs().count() as u64),
            from: whole(from),
            to: whole(to),
            difference,
            larger,
            smaller,
            evidence,
            ..Effect::default()
        };
        effect.clear = effect.is_clear(CONFIDENCE);
        effect
    }

    /// Of samples that met different luck. Truths are only counted: there is no saying what changed.
    pub fn independent(to: &[Measured], from: &[Measured]) -> Self {
        let numbers =
            |values: &[Measured]| values.iter().filter_map(|value| value.number()).collect::<Vec<f64>>();
        let (a, b) = (numbers(to), numbers(from));
        if to.iter().chain(from).any(|value| matches!(value, Measured::Truth(_))) {
            return Effect::of(&a, &b, Evidence::None, None);
        }
        let evidence = Difference::independent(&a, &b).map_or(Evidence::None, Evidence::Means);
        Effect::of(&a, &b, evidence, Ratio::independent(&a, &b))
    }

    fn of(a: &[f64], b: &[f64], evidence: Evidence, ratio: Option<Ratio>) -> Self {
        let mean = |values: &[f64]| (!values.is_empty()).then(|| Sample::of(values).mean);
        let (to, from) = (mean(a), mean(b));
        let mut effect = Effect {
            from,
            to,
            difference: to.zip(from).map(|(to, from)| to - from),
            half_width: match evidence {
                Evidence::Means(difference) => Some(difference.half_width(CONFIDENCE)),
                _ => None,
            },
            ratio: ratio.map(|ratio| ratio.value()),
            ratio_interval: ratio
                .map(|ratio| ratio.interval(CONFIDENCE))
                .map(|Range { start, end }| (start, end)),
            evidence,
            ..Effect::default()
        };
        effect.clear = effect.is_clear(CONFIDENCE);
        effect
    }

    /// Whether the difference is clear of zero at this confidence.
    pub fn is_clear(&self, confidence: f64) -> bool {
        match self.evidence {
            Evidence::None => false,
            Evidence::Means(difference) => {
                let interval = difference.interval(confidence);
                interval.start > 0.0 || interval.end < 0.0
            }
            Evidence::Truths(chance) => chance <= 1.0 - confidence,
        }
    }

    /// Whether the difference is below what is worth a word, at this confidence.
    pub fn is_small(&self, confidence: f64) -> bool {
        let (Evidence::Means(difference), Some(from), Some(to)) = (self.evidence, self.from, self.to) else {
            return false;
        };
        let (interval, small) = (difference.interval(confidence), TOO_SMALL * from.abs().max(to.abs()));
        -small <= interval.start && interval.end <= small
    }

    /// Whether there was some of it on every seed and is none now, or none and some on every seed now: that is told whatever its
    /// interval, which tells only by how much.
    pub fn is_all_or_none(&self) -> bool {
        let pairs = self.pairs.filter(|pairs| *pairs > 1);
        let gone = self.to == Some(0.0) && pairs == Some(self.smaller);
        let come = self.from == Some(0.0) && pairs == Some(self.larger);
        pairs.is_some() && self.half_width.is_some() && (gone || come)
    }

    /// Whether there were seeds enough to tell at all.
    pub fn can_tell(&self) -> bool {
        self.evidence != Evidence::None
    }

    /// The same, of these: those of what it is held against, and its own.
    #[must_use]
    pub fn of_those(self, from: OfWhom, to: OfWhom) -> Self {
        Effect { answered: from.answered.zip(to.answered), served: from.served.zip(to.served), ..self }
    }

    /// Whether clearly fewer are served.
    pub fn serves_fewer(&self) -> bool {
        self.served.is_some_and(|(from, to)| to < CLEARLY_FEWER * from)
    }

    /// Whether it looks better by leaving some out: the time of those that were not answered is in no percentile, and whoever serves
    /// fewer has less work, fewer failures and shorter queues.
    pub fn is_flattered(&self, less_is_better: Option<bool>) -> bool {
        let fewer = self.answered.is_some_and(|(from, to)| to < from - AS_MANY);
        (fewer || self.serves_fewer()) && self.is_better(less_is_better) == Some(true)
    }

    /// Whether it is a gain or a loss that anybody would care for, if it is clear and one can know.
    pub fn gain(&self, less_is_better: Option<bool>) -> Option<bool> {
        let counts = self.clear && matters(self) && !self.is_flattered(less_is_better);
        self.is_better(less_is_better).filter(|_| counts)
    }

    /// Whether it is no longer of nearly all calls, and of clearly fewer than it was: better or not, that is worse.
    pub fn is_of_fewer(&self) -> bool {
        self.answered.is_some_and(|(from, to)| to < NEARLY_ALL && to < from - FEWER)
    }

    /// Whether it was of few calls and is of clearly more: then it may be longer and no worse.
    pub fn is_of_more(&self) -> bool {
        self.answered.is_some_and(|(from, to)| from < NEARLY_ALL && to > from + FEWER)
    }

    /// Whether it is better, for what has a direction and differs.
    pub fn is_better(&self, less_is_better: Option<bool>) -> Option<bool> {
        let (less, difference) = (less_is_better?, self.difference?);
        (difference != 0.0).then_some((difference < 0.0) == less)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Measured::{Absent, Number, Truth};

    #[test]
    fn an_effect_is_taken_where_both_sides_are_there() {
        let effect = Effect::paired(
            &[Number(2.0), Number(4.0), Absent, Number(6.2)],
            &[Number(1.0), Number(2.0), Number(9.0), Number(3.0)],
        );
        assert_eq!((effect.pairs, effect.larger, effect.smaller), (Some(3), 3, 0));
        assert_eq!((effect.from, effect.difference.map(|x| (x * 10.0).round())), (Some(2.0), Some(21.0)));
        assert!((effect.ratio.unwrap() - 2.022).abs() < 1e-3);
        assert!(!effect.clear, "three pairs that differ by 1, 2 and 3.2 are not clear of zero");
        assert_eq!((effect.is_better(Some(true)), effect.is_better(Some(false))), (Some(false), Some(true)));
        assert_eq!(effect.is_better(None), None);
    }

    #[test]
    fn truths_are_clear_when_enough_of_them_changed() {
        let effect = |seeds: usize| Effect::paired(&vec![Truth(true); seeds], &vec![Truth(false); seeds]);
        assert!(effect(6).clear && !effect(5).clear && !effect(1).can_tell());
        assert_eq!((effect(6).difference, effect(6).half_width, effect(6).ratio), (Some(1.0), None, None));
    }

    #[test]
    fn what_is_longer_than_any_answer_is_worse_than_any_number() {
        let beyond = Measured::of(f64::INFINITY);
        let effect = Effect::paired(&[Number(9.0); 6], &[beyond; 6]);
        assert!(effect.clear && effect.is_better(Some(true)) == Some(true));
        assert_eq!((effect.from, effect.to, effect.smaller), (Some(f64::INFINITY), Some(9.0), 6));
        let few = Effect::paired(&[Number(9.0), beyond], &[beyond, beyond]);
        assert!(!few.clear && few.ratio.is_none());
        assert_eq!(Effect::paired(&[beyond], &[beyond]).difference, None);
    }

    #[test]
    fn what_differs_by_next_to_nothing_is_small() {
        let from = [Number(100.0), Number(101.0), Number(99.0), Number(100.0)];
        let by = |by: f64| Effect::paired(&from.map(|x| Number(x.number().unwrap() + by)), &from);
        assert!(by(0.0).is_small(0.9999) && by(0.4).is_small(0.9999) && !by(0.6).is_small(0.95));
        let noisy = Effect::paired(&[Number(99.0), Number(102.0), Number(98.0), Number(101.0)], &from);
        assert!(!noisy.is_small(0.95) && !noisy.clear, "it may differ by more than that");
        assert!(!Effect::paired(&[Truth(true); 9], &[Truth(true); 9]).is_small(0.95));
    }

    #[test]
    fn one_seed_tells_nothing_but_the_numbers() {
        let effect = Effect::paired(&[Number(2.0)], &[Number(1.0)]);
        assert_eq!((effect.difference, effect.half_width, effect.clear), (Some(1.0), None, false));
        assert!(!effect.can_tell());
        let nothing = Effect::paired(&[Absent], &[Number(1.0)]);
        assert_eq!((nothing.pairs, nothing.from, nothing.difference), (Some(0), None, None));
    }

    #[test]
    fn some_on_each_seed_and_none_on_any_is_told_however_wide_its_interval() {
        let (some, none) = ([Number(3.0), Number(900.0), Number(70.0)], [Number(0.0); 3]);
        let gone = Effect::paired(&none, &some);
        assert!(!gone.clear && gone.is_all_or_none() && Effect::paired(&some, &none).is_all_or_none());
        assert!(!Effect::paired(&[Number(0.0), Number(1.0), Number(0.0)], &some).is_all_or_none());
        assert!(!Effect::paired(&none, &none).is_all_or_none());
        assert!(!Effect::paired(&none[..1], &some[..1]).is_all_or_none(), "one seed is luck");
        assert!(!Effect::paired(&[Truth(false); 3], &[Truth(true); 3]).is_all_or_none());
    }

    #[test]
    fn more_confidence_asks_for_more() {
        let (a, b) = ([3.0, 3.5, 4.0, 3.1], [2.9, 2.6, 2.2, 2.0]);
        let [a, b] = [a, b].map(|values| values.map(Number));
        let effect = Effect::independent(&a, &b);
        assert!(effect.is_clear(0.95) && !effect.is_clear(0.9999));
        assert_eq!(effect.pairs, None);
    }
}
