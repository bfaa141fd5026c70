//! Ranks of which the k-th is drawn in proportion to `1 / k^exponent`: Zipf's law.
//!
//! Drawn by rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
//! distributions", 1996), as `RejectionInversionZipfSampler` of Apache Commons RNG 1.6 does: no table, so a thousand million ranks cost
//! no more than ten, and hardly anything is drawn twice.

use crate::math::{exp, exp_m1, ln, ln_1p};
use crate::stream::Words;

/// Zipf's law over the ranks `1..=n`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    n: u64,
    exponent: f64,
    /// The integral of the density from the middle of the first rank's bar, and to the end of the last one's.
    first: f64,
    last: f64,
    /// How far below a rank nothing has to be asked.
    squeeze: f64,
}

impl Zipf {
    /// Over so many ranks, at least one, with an exponent that is finite and not negative.
    pub fn new(n: u64, exponent: f64) -> Self {
        assert!(n > 0 && exponent >= 0.0 && exponent.is_finite(), "no law over {n} ranks by {exponent}");
        let mut law = Zipf { n, exponent, first: 0.0, last: 0.0, squeeze: 0.0 };
        law.first = law.area(1.5) - 1.0;
        law.last = law.area(n as f64 + 0.5);
        law.squeeze = 2.0 - law.at(law.area(2.5) - law.height(2.0));
        law
    }

    /// How many ranks there are.
    pub fn ranks(&self) -> u64 {
        self.n
    }

    /// How likely a rank is: takes as many steps as there are ranks.
    pub fn share(&self, rank: u64) -> f64 {
        self.height(rank as f64) / self.sum()
    }

    /// The heights of all ranks: the generalised harmonic number. The small ones come first, so that none is lost.
    pub fn sum(&self) -> f64 {
        (1..=self.n).rev().map(|rank| self.height(rank as f64)).sum()
    }

    /// One of the ranks, from 1 on.
    pub fn sample<W: Words + ?Sized>(&self, words: &mut W) -> u64 {
        loop {
            let area = self.last + words.unit() * (self.first - self.last);
            let x = self.at(area);
            let rank = ((x + 0.5) as u64).clamp(1, self.n);
            let whole = rank as f64;
            if whole - x <= self.squeeze || area >= self.area(whole + 0.5) - self.height(whole) {
                return rank;
            }
        }
    }

    /// `x^-exponent`.
    fn height(&self, x: f64) -> f64 {
        exp(-self.exponent * ln(x))
    }

    /// Its integral from 1 to `x`.
    fn area(&self, x: f64) -> f64 {
        let log = ln(x);
        grown((1.0 - self.exponent) * log) * log
    }

    /// Where the integral is that.
    fn at(&self, area: f64) -> f64 {
        // Rounding may lead beyond what there is.
        let grown = (area * (1.0 - self.exponent)).max(-1.0);
        exp(shrunk(grown) * area)
    }
}

/// `(e^x - 1) / x`, also near 0.
fn grown(x: f64) -> f64 {
    if x.abs() > 1e-8 { exp_m1(x) / x } else { 1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0) * (1.0 + 0.25 * x)) }
}

/// `ln(1 + x) / x`, also near 0.
fn shrunk(x: f64) -> f64 {
    if x.abs() > 1e-8 { ln_1p(x) / x } else { 1.0 - x * (0.5 - x * (1.0 / 3.0 - 0.25 * x)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Key, Streams};

    /// Every rank as often as its closed form says, by Pearson's test (expected to be within 4 standard deviations).
    #[test]
    fn ranks_are_drawn_by_their_shares() {
        for (n, exponent) in
            [(1, 1.0), (2, 1.0), (10, 0.0), (10, 0.5), (100, 0.99), (50, 1.0), (50, 1.2), (20, 3.0)]
        {
            let law = Zipf::new(n, exponent);
            let mut luck = Streams::new(7).luck("ranks", &format!("{n} {exponent}"));
            let draws = 200_000;
            let mut counted = vec![0.0; n as usize];
            for ordinal in 0..draws {
                counted[law.sample(&mut luck.at(Key::root(1, ordinal))) as usize - 1] += 1.0;
            }
            // Rare ranks together, so that each class has enough.
            let (mut squares, mut classes, mut rest) = (0.0, -1.0, (0.0, 0.0));
            for (rank, counted) in (1..).zip(counted) {
                rest = (rest.0 + counted, rest.1 + law.share(rank) * draws as f64);
                if rest.1 >= 50.0 || rank == n {
                    squares +=
                        if rest.1 > 0.0 { (rest.0 - rest.1) * (rest.0 - rest.1) / rest.1 } else { 0.0 };
                    (classes, rest) = (classes + 1.0, (0.0, 0.0));
                }
            }
            assert!(
                squares <= classes + 4.0 * (2.0f64 * classes).sqrt(),
                "{n} {exponent}: {squares} of {classes}"
            );
        }
    }

    #[test]
    fn all_shares_are_one() {
        for (n, exponent) in [(1, 1.0), (1000, 0.0), (1000, 1.0), (1000, 2.5)] {
            let law = Zipf::new(n, exponent);
            let sum: f64 = (1..=n).map(|rank| law.share(rank)).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{n} {exponent}: {sum}");
        }
        // H(4) = 25 / 12.
        assert!((Zipf::new(4, 1.0).sum() - 25.0 / 12.0).abs() < 1e-12);
    }

    #[test]
    fn a_million_million_ranks_cost_no_more_than_ten() {
        let law = Zipf::new(1_000_000_000_000, 1.0);
        let mut luck = Streams::new(7).luck("ranks", "many");
        let all: Vec<u64> = (0..1000).map(|n| law.sample(&mut luck.at(Key::root(1, n)))).collect();
        assert!(
            all.iter().any(|rank| *rank > 1_000_000_000) && all.contains(&1),
            "from one end to the other"
        );
    }
}
