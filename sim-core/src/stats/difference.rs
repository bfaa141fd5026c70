//! What two systems differ by, and how sure that is.
//!
//! Run on the same seeds, two variants of a system meet the same luck, and the difference is taken seed by
//! seed: what both owe to luck alone drops out (common random numbers; Law, *Simulation Modeling and
//! Analysis*, 10.2 and 11.2). Run on different seeds they are independent samples, and Welch's interval
//! applies, which does not ask for equal variances.
//!
//! Ratios are judged on logarithms: the mean of `ln(a / b)` with Student's interval, all exponentiated, is
//! the geometric mean of the ratios with an interval that turns into its reciprocal when a and b change
//! places. That needs every value above 0. Where one is not, there is no ratio here: Fieller's interval
//! would exist for the ratio of the means, but of two quantities of which one is sometimes nothing "4 times
//! as much" says less than the two numbers, so those are shown.

use super::Sample;
use crate::math;
use std::ops::Range;

/// A difference between the means of two systems, `a - b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The mean difference.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of Student's distribution; not whole for Welch's.
    pub degrees: f64,
}

impl Difference {
    /// Seed by seed: `a[i]` and `b[i]` met the same luck. `degrees = n - 1`. `None` for fewer than two pairs.
    pub fn paired(a: &[f64], b: &[f64]) -> Option<Self> {
        let sample = Sample::of(&differences(a, b));
        (sample.n >= 2).then(|| Difference {
            mean: sample.mean,
            standard_error: sample.standard_error(),
            degrees: (sample.n - 1) as f64,
        })
    }

    /// Of independent samples, with Welch's and Satterthwaite's degrees of freedom:
    /// `(u + v)^2 / (u^2 / (n - 1) + v^2 / (m - 1))` with `u = s_a^2 / n`, `v = s_b^2 / m` (Welch 1947). `None`
    /// if either has fewer than two values.
    pub fn independent(a: &[f64], b: &[f64]) -> Option<Self> {
        let (a, b) = (Sample::of(a), Sample::of(b));
        if a.n < 2 || b.n < 2 {
            return None;
        }
        let (u, v) = (a.variance / a.n as f64, b.variance / b.n as f64);
        let degrees = match u + v {
            // Nothing varies: any number will do.
            0.0 => (a.n + b.n - 2) as f64,
            both => both * both / (u * u / (a.n - 1) as f64 + v * v / (b.n - 1) as f64),
        };
        Some(Difference { mean: a.mean - b.mean, standard_error: (u + v).sqrt(), degrees })
    }

    /// Half the width of the interval at this confidence (0.95 for 95 %).
    pub fn half_width(&self, confidence: f64) -> f64 {
        math::t_quantile(0.5 + confidence / 2.0, self.degrees) * self.standard_error
    }

    /// The interval at this confidence.
    pub fn interval(&self, confidence: f64) -> Range<f64> {
        let half = self.half_width(confidence);
        self.mean - half..self.mean + half
    }
}

/// How many times as large one system's values are as another's: the geometric mean of `a / b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    logarithm: Difference,
}

impl Ratio {
    /// Seed by seed. `None` for fewer than two pairs, or if any value is not above 0.
    pub fn paired(a: &[f64], b: &[f64]) -> Option<Self> {
        Difference::paired(&logarithms(a)?, &logarithms(b)?).map(|logarithm| Ratio { logarithm })
    }

    /// Of independent samples: the ratio of their geometric means. `None` as for [`Ratio::paired`].
    pub fn independent(a: &[f64], b: &[f64]) -> Option<Self> {
        Difference::independent(&logarithms(a)?, &logarithms(b)?).map(|logarithm| Ratio { logarithm })
    }

    /// The ratio.
    pub fn value(&self) -> f64 {
        math::exp(self.logarithm.mean)
    }

    /// Its interval at this confidence.
    pub fn interval(&self, confidence: f64) -> Range<f64> {
        let logarithms = self.logarithm.interval(confidence);
        math::exp(logarithms.start)..math::exp(logarithms.end)
    }
}

/// How many times as many seeds independent runs need for the interval that pairing gives, the
/// variance-reduction factor of common random numbers:
///
/// `(Var A + Var B) / Var(A - B) = 1 / (1 - correlation)` for equal variances.
///
/// Below 1 the shared luck does harm. `None` for fewer than two pairs, or where the difference does not vary.
pub fn pairing_factor(a: &[f64], b: &[f64]) -> Option<f64> {
    let (of_a, of_b, difference) = (Sample::of(a), Sample::of(b), Sample::of(&differences(a, b)));
    (difference.n >= 2 && difference.variance > 0.0)
        .then(|| (of_a.variance + of_b.variance) / difference.variance)
}

/// Whether a truth changed more often in one direction than chance explains: McNemar's exact test, the
/// two-sided probability of a split as uneven as `one` against `other` among the seeds on which it changed, if
/// either way were as likely. 1 if none did; six changes in one direction are 0.03.
pub fn change_of_truth(one: u64, other: u64) -> f64 {
    let (n, fewer) = (one + other, one.min(other));
    // Sum over k <= fewer of C(n, k) / 2^n, from the logarithms so that nothing overflows.
    let choose = |k: u64| {
        math::lgamma(n as f64 + 1.0) - math::lgamma(k as f64 + 1.0) - math::lgamma((n - k) as f64 + 1.0)
    };
    let tail: f64 = (0..=fewer).map(|k| math::exp(choose(k) - n as f64 * std::f64::consts::LN_2)).sum();
    (2.0 * tail).min(1.0)
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len(), "pairs have two sides");
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn logarithms(values: &[f64]) -> Option<Vec<f64>> {
    values.iter().map(|&value| (value > 0.0 && value.is_finite()).then(|| math::ln(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_lose_what_both_owe_to_luck() {
        // The same luck on both sides, and a cure that takes 2 away, a little more or less.
        let luck = [10.0, 30.0, 20.0, 50.0];
        let cured = [8.1, 27.9, 18.0, 48.0];
        let paired = Difference::paired(&cured, &luck).unwrap();
        assert!((paired.mean + 2.0).abs() < 1e-12 && paired.degrees == 3.0);
        assert!(paired.half_width(0.95) < 0.2);
        let independent = Difference::independent(&cured, &luck).unwrap();
        assert!((independent.mean + 2.0).abs() < 1e-12);
        assert!(independent.half_width(0.95) > 25.0);
        let saved = pairing_factor(&cured, &luck).unwrap();
        let narrower = independent.standard_error / paired.standard_error;
        let expected = narrower * narrower;
        assert!((saved / expected - 1.0).abs() < 1e-12, "{saved} and {expected}");
    }

    #[test]
    fn welch_is_neither_pooled_nor_equal() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [10.0, 30.0]);
        let welch = Difference::independent(&a, &b).unwrap();
        let (u, v) = (5.0 / 3.0 / 4.0, 200.0 / 2.0);
        assert_eq!(welch.mean, -17.5);
        assert!((welch.standard_error * welch.standard_error - (u + v)).abs() < 1e-9);
        let degrees = (u + v) * (u + v) / (u * u / 3.0 + v * v);
        assert!((welch.degrees - degrees).abs() < 1e-12 && degrees < 1.01);
        // Of equal sizes and variances it has n + m - 2.
        let same = Difference::independent(&a, &[11.0, 12.0, 13.0, 14.0]).unwrap();
        assert!((same.degrees - 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_ratio_is_the_geometric_mean_both_ways() {
        let (a, b) = ([8.0, 9.0, 40.0], [2.0, 2.25, 10.0]);
        let up = Ratio::paired(&a, &b).unwrap();
        assert!((up.value() - 4.0).abs() < 1e-12);
        let (a, b) = ([8.0, 9.0, 40.0], [2.0, 3.0, 9.0]);
        let (up, down) = (Ratio::paired(&a, &b).unwrap(), Ratio::paired(&b, &a).unwrap());
        let (wide, narrow) = (up.interval(0.95), down.interval(0.95));
        assert!((up.value() * down.value() - 1.0).abs() < 1e-12);
        assert!(
            (wide.start * narrow.end - 1.0).abs() < 1e-12 && (wide.end * narrow.start - 1.0).abs() < 1e-12
        );
        assert!(wide.start < up.value() && up.value() < wide.end);
        let independent = Ratio::independent(&a, &b[..2]).unwrap();
        let geometric = math::exp(math::ln(8.0 * 9.0 * 40.0) / 3.0) / 6_f64.sqrt();
        assert!((independent.value() - geometric).abs() < 1e-12);
    }

    #[test]
    fn where_there_is_nothing_there_is_no_ratio() {
        assert_eq!(Ratio::paired(&[1.0, 2.0], &[0.0, 1.0]), None);
        assert_eq!(Ratio::paired(&[-1.0, 2.0], &[1.0, 1.0]), None);
        assert_eq!(Ratio::paired(&[1.0], &[1.0]), None);
        assert_eq!(Ratio::independent(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(Difference::paired(&[1.0], &[2.0]), None);
        assert_eq!(pairing_factor(&[3.0, 4.0], &[1.0, 2.0]), None, "the difference does not vary");
    }

    #[test]
    fn truths_change_by_more_than_chance() {
        for (one, other, probability) in
            [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (1, 9, 0.021_484_375), (5, 5, 1.0)]
        {
            assert!((change_of_truth(one, other) - probability).abs() < 1e-12, "{one} against {other}");
            assert_eq!(change_of_truth(one, other), change_of_truth(other, one));
        }
        assert!(change_of_truth(100_000, 0) < 1e-300);
    }
}
