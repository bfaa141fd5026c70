//! Mixtures, and hyperexponentials, which are mixtures of exponentials.

use super::checks::{DistributionError, not_negative, positive};
use super::{Distribution, Family};
use crate::math::least;
use crate::stream::Words;

/// One of several distributions, chosen by weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    parts: Box<[Part]>,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    probability: f64,
    /// The probability of this part or one before it; 1 for the last.
    up_to: f64,
    distribution: Distribution,
}

impl Mixture {
    /// Parts of weight 0 are left out.
    pub(super) fn new(parts: Vec<(f64, Distribution)>) -> Result<Self, DistributionError> {
        for (index, (weight, _)) in parts.iter().enumerate() {
            not_negative("weight", *weight).map_err(|error| error.at(index))?;
        }
        let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
        if total <= 0.0 {
            return Err(DistributionError::new("weights", "above 0 for at least one part", "0 for all"));
        }
        let mut sum = 0.0;
        let mut parts: Vec<Part> = parts
            .into_iter()
            .filter(|(weight, _)| *weight > 0.0)
            .map(|(weight, distribution)| {
                sum += weight;
                Part { probability: weight / total, up_to: sum / total, distribution }
            })
            .collect();
        parts.last_mut().expect("the total is above 0").up_to = 1.0;
        Ok(Mixture { parts: parts.into() })
    }

    pub(super) fn hyperexponential(branches: &[(f64, f64)]) -> Result<Self, DistributionError> {
        let mut parts = Vec::with_capacity(branches.len());
        for (index, &(probability, mean)) in branches.iter().enumerate() {
            if !(0.0..=1.0).contains(&probability) {
                return Err(DistributionError::new("probability", "between 0 and 1", probability).at(index));
            }
            parts.push((probability, Distribution::exponential(mean).map_err(|error| error.at(index))?));
        }
        let total = branches.iter().fold(0.0, |total, (probability, _)| total + probability);
        if (total - 1.0).abs() > 1e-9 {
            return Err(DistributionError::new("the sum of probabilities", "1", total));
        }
        Mixture::new(parts)
    }

    /// Probabilities (1 +- s) / 2 with s = sqrt((cv^2 - 1) / (cv^2 + 1)); each branch contributes mean / 2.
    pub(super) fn balanced(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        let mean = positive("mean", mean)?;
        if !(1.0..=1e6).contains(&cv) {
            return Err(DistributionError::new("cv", "between 1 and 1e6", cv));
        }
        let cv2 = cv * cv;
        let s = ((cv2 - 1.0) / (cv2 + 1.0)).sqrt();
        let often = 0.5 * (1.0 + s);
        let seldom = 1.0 / ((cv2 + 1.0) * (1.0 + s)); // (1 - s) / 2, without its cancellation
        let branch = |p: f64| Ok((p, Distribution::exponential(0.5 * mean / p)?));
        Mixture::new(vec![branch(often)?, branch(seldom)?])
    }

    fn sum(&self, value: impl Fn(&Distribution) -> f64) -> f64 {
        self.parts.iter().map(|part| part.probability * value(&part.distribution)).sum()
    }
}

impl Family for Mixture {
    fn mean(&self) -> f64 {
        self.sum(Distribution::mean)
    }
    fn variance(&self) -> f64 {
        let mean = self.mean();
        if mean == f64::INFINITY {
            return f64::INFINITY;
        }
        self.sum(|part| {
            let off = part.mean() - mean;
            part.variance() + off * off
        })
    }
    fn min(&self) -> f64 {
        self.parts.iter().map(|part| part.distribution.min()).fold(f64::INFINITY, f64::min)
    }
    fn max(&self) -> f64 {
        self.parts.iter().map(|part| part.distribution.max()).fold(0.0, f64::max)
    }
    fn cdf(&self, x: f64) -> f64 {
        self.sum(|part| part.cdf(x)).min(1.0)
    }
    /// Somewhere between the least and the greatest of the parts' quantiles.
    fn quantile(&self, p: f64) -> f64 {
        let quantiles = || self.parts.iter().map(|part| part.distribution.quantile(p));
        let (low, high) = (quantiles().fold(f64::INFINITY, f64::min), quantiles().fold(0.0, f64::max));
        least(low, high, |x| self.cdf(x) >= p)
    }
    #[inline]
    fn sample<W: Words + ?Sized>(&self, words: &mut W) -> f64 {
        let u = words.unit();
        let chosen = self.parts.iter().find(|part| u < part.up_to).expect("the last is up to 1");
        chosen.distribution.sample(words)
    }
}
