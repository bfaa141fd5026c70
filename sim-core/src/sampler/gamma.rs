//! Gamma and Erlang.

use super::checks::{DistributionError, positive, shape};
use super::{Family, standard_exponential, standard_normal};
use crate::math::{exp, first_doubling, gamma_p_q, least, ln};
use crate::stream::Words;

/// Density proportional to x^(shape - 1) exp(-x shape / mean); a sum of exponentials for a whole shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Gamma {
    shape: f64,
    mean: f64,
    /// Marsaglia's d and c: a gamma is near d (1 + c Z)^3.
    centre: f64,
    spread: f64,
}

impl Gamma {
    pub(super) fn new(exponent: f64, mean: f64) -> Result<Self, DistributionError> {
        let (shape, mean) = (shape(exponent)?, positive("mean", mean)?);
        // A shape below 1 is drawn one higher and brought down.
        let centre = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Ok(Gamma { shape, mean, centre, spread: 1.0 / (9.0 * centre).sqrt() })
    }

    pub(super) fn erlang(k: u32, mean: f64) -> Result<Self, DistributionError> {
        if !(1..=1_000_000).contains(&k) {
            return Err(DistributionError::new("k", "a whole number between 1 and 1000000", k));
        }
        Gamma::new(f64::from(k), mean)
    }

    /// Marsaglia and Tsang 2000: transform a normal, correct by rejection (at most 5 of 100).
    #[inline]
    fn standard<W: Words + ?Sized>(&self, words: &mut W) -> f64 {
        loop {
            let z = standard_normal(words);
            let root = 1.0 + self.spread * z;
            if root <= 0.0 {
                continue;
            }
            let cube = root * root * root;
            let (u, square) = (words.open_unit(), z * z);
            if u < 1.0 - 0.0331 * square * square
                || ln(u) < 0.5 * square + self.centre * (1.0 - cube + ln(cube))
            {
                return self.centre * cube;
            }
        }
    }
}

impl Family for Gamma {
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        self.mean * self.mean / self.shape
    }
    fn min(&self) -> f64 {
        0.0
    }
    fn cdf(&self, x: f64) -> f64 {
        gamma_p_q(self.shape, x * self.shape / self.mean).0
    }
    fn quantile(&self, p: f64) -> f64 {
        let reached = |x: f64| {
            let (below, beyond) = gamma_p_q(self.shape, x);
            if p < 0.5 { below >= p } else { beyond <= 1.0 - p }
        };
        least(0.0, first_doubling(self.shape, reached), reached) * self.mean / self.shape
    }
    #[inline]
    fn sample<W: Words + ?Sized>(&self, words: &mut W) -> f64 {
        let standard = self.standard(words);
        let brought_down =
            if self.shape < 1.0 { exp(-standard_exponential(words) / self.shape) } else { 1.0 };
        standard * brought_down * self.mean / self.shape
    }
}
