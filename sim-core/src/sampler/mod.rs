//! Frozen samplers: what a [`Distribution`] draws from given words is part of the result, like a file format.
//!
//! Everything is computed with `+ - * /`, `sqrt` and the pinned functions of [`math`](crate::math), on
//! tables that are constants, so a variate is the same on every target. A changed sampler is a changed
//! result and needs a line in the changelog; known-answer tests hold each one fixed.
//!
//! A variate may take any number of words, because the ziggurat and the gamma sampler reject and draw again.
//! That shifts nobody else's draws: every variate has words of its own ([`Luck`](crate::Luck)).
//!
//! Values have no unit here (callers use nanoseconds) and are never negative, as durations and sizes are not.
//! Every distribution knows its exact mean, variance, [`cdf`](Distribution::cdf) and
//! [`quantile`](Distribution::quantile), so theory can stand beside what was simulated.
//!
//! ```
//! use sim_core::{Key, Streams, sampler::Distribution};
//!
//! let work = Distribution::lognormal_from_quantiles(4e6, 20e6)?; // median 4 ms, p99 20 ms
//! assert!((work.quantile(0.99) / 20e6 - 1.0).abs() < 1e-12);
//!
//! let mut demand = Streams::new(42).luck("demand", "checkout");
//! let nanos = work.sample(&mut demand.at(Key::root(1, 4711)));
//! assert_eq!(nanos, work.sample(&mut demand.at(Key::root(1, 4711))));
//! # Ok::<(), sim_core::sampler::DistributionError>(())
//! ```

mod checks;
mod closed_form;
mod empirical;
mod gamma;
mod mixture;
mod tables;
mod ziggurat;
mod zipf;

pub use checks::DistributionError;
pub use closed_form::{BoundedPareto, Constant, Exponential, Lognormal, Pareto, Uniform, Weibull};
pub use empirical::Empirical;
pub use gamma::Gamma;
pub use mixture::Mixture;
pub use ziggurat::{standard_exponential, standard_normal};
pub use zipf::Zipf;

use crate::stream::Words;

/// How long something takes, or how much of it there is: a distribution over the non-negative numbers.
///
/// Its constructors refuse what makes no sense. Lengths are at most 1e100 and, where 0 makes no sense, at
/// least 1e-100; shapes are between 0.05 and 1e6: inside these limits no moment or variate overflows that
/// is not infinite in truth.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// See [`Distribution::constant`].
    Constant(Constant),
    /// See [`Distribution::uniform`].
    Uniform(Uniform),
    /// See [`Distribution::exponential`].
    Exponential(Exponential),
    /// See [`Distribution::gamma`] and [`Distribution::erlang`].
    Gamma(Gamma),
    /// See [`Distribution::lognormal`] and [`Distribution::lognormal_from_quantiles`].
    Lognormal(Lognormal),
    /// See [`Distribution::pareto`].
    Pareto(Pareto),
    /// See [`Distribution::bounded_pareto`].
    BoundedPareto(BoundedPareto),
    /// See [`Distribution::weibull`].
    Weibull(Weibull),
    /// See [`Distribution::mixture`] and [`Distribution::hyperexponential`].
    Mixture(Mixture),
    /// See [`Distribution::empirical`].
    Empirical(Empirical),
}

/// What each family knows. `cdf` is asked only for `min() <= x < max()`, `quantile` for `0 < p < 1`.
trait Family {
    fn mean(&self) -> f64;
    fn variance(&self) -> f64;
    fn min(&self) -> f64;
    fn max(&self) -> f64 {
        f64::INFINITY
    }
    fn cdf(&self, x: f64) -> f64;
    fn quantile(&self, p: f64) -> f64;
    fn sample<W: Words + ?Sized>(&self, words: &mut W) -> f64;
}

macro_rules! for_family {
    ($distribution:expr, $family:ident => $value:expr) => {
        match $distribution {
            Distribution::Constant($family) => $value,
            Distribution::Uniform($family) => $value,
            Distribution::Exponential($family) => $value,
            Distribution::Gamma($family) => $value,
            Distribution::Lognormal($family) => $value,
            Distribution::Pareto($family) => $value,
            Distribution::BoundedPareto($family) => $value,
            Distribution::Weibull($family) => $value,
            Distribution::Mixture($family) => $value,
            Distribution::Empirical($family) => $value,
        }
    };
}

impl Distribution {
    /// One variate: finite, from [`min`](Self::min) to [`max`](Self::max). A constant takes no word, the others one or more.
    #[inline]
    pub fn sample<W: Words + ?Sized>(&self, words: &mut W) -> f64 {
        match self {
            Distribution::Exponential(family) => family.sample(words),
            Distribution::Constant(family) => family.sample(words),
            _ => self.sample_others(words),
        }
    }

    /// Not inlined: the callers of [`sample`](Self::sample) are hot, and this is big.
    #[inline(never)]
    fn sample_others<W: Words + ?Sized>(&self, words: &mut W) -> f64 {
        for_family!(self, family => family.sample(words))
    }

    /// The expected value; infinite for a Pareto of shape 1 or less.
    pub fn mean(&self) -> f64 {
        for_family!(self, family => family.mean())
    }

    /// The variance; infinite for a Pareto of shape 2 or less.
    pub fn variance(&self) -> f64 {
        for_family!(self, family => family.variance())
    }

    /// The squared coefficient of variation, variance / mean^2: what queueing formulas ask of a service time.
    /// 0 for a constant, 1 for an exponential.
    pub fn cv2(&self) -> f64 {
        let (mean, variance) = (self.mean(), self.variance());
        if variance == 0.0 || variance == f64::INFINITY { variance } else { variance / (mean * mean) }
    }

    /// The least possible value (the infimum of the support).
    pub fn min(&self) -> f64 {
        for_family!(self, family => family.min())
    }

    /// The greatest possible value (the supremum of the support); infinite for most.
    pub fn max(&self) -> f64 {
        for_family!(self, family => family.max())
    }

    /// The probability of a value of at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        assert!(!x.is_nan(), "the cdf was asked at NaN");
        if x < self.min() {
            0.0
        } else if x >= self.max() {
            1.0
        } else {
            for_family!(self, family => family.cdf(x))
        }
    }

    /// The least x with cdf(x) >= `p`; the support's ends at 0 and 1. In closed form where there is one, else
    /// by bisection of the exact cdf down to neighbouring floats. Panics unless `p` is in 0..=1.
    pub fn quantile(&self, p: f64) -> f64 {
        assert!((0.0..=1.0).contains(&p), "a quantile is asked for between 0 and 1, not {p}");
        if p == 0.0 {
            self.min()
        } else if p == 1.0 {
            self.max()
        } else {
            for_family!(self, family => family.quantile(p))
        }
    }

    /// Always `value`, which may be 0.
    pub fn constant(value: f64) -> Result<Self, DistributionError> {
        Constant::new(value).map(Distribution::Constant)
    }

    /// Anything from `low` to `high`, all equally likely. `low` may be 0.
    pub fn uniform(low: f64, high: f64) -> Result<Self, DistributionError> {
        Uniform::new(low, high).map(Distribution::Uniform)
    }

    /// The memoryless one, P(X > x) = exp(-x / mean): the time to the next event of a Poisson process, and
    /// the service time of the M/M queues.
    pub fn exponential(mean: f64) -> Result<Self, DistributionError> {
        Exponential::new(mean).map(Distribution::Exponential)
    }

    /// The sum of `k` exponentials, `mean` in all: steadier than one, cv^2 = 1 / k. A [`gamma`](Self::gamma).
    pub fn erlang(k: u32, mean: f64) -> Result<Self, DistributionError> {
        Gamma::erlang(k, mean).map(Distribution::Gamma)
    }

    /// Density proportional to x^(shape - 1) exp(-x shape / mean): cv^2 = 1 / `shape`, from bursty to steady.
    pub fn gamma(shape: f64, mean: f64) -> Result<Self, DistributionError> {
        Gamma::new(shape, mean).map(Distribution::Gamma)
    }

    /// An exponential whose mean is itself drawn, from (probability, mean) pairs: more variable than one
    /// exponential. Probabilities add up to 1. A [`mixture`](Self::mixture).
    pub fn hyperexponential(branches: &[(f64, f64)]) -> Result<Self, DistributionError> {
        Mixture::hyperexponential(branches).map(Distribution::Mixture)
    }

    /// The [`hyperexponential`](Self::hyperexponential) of two branches with this mean and coefficient of
    /// variation (1 to 1e6) whose branches carry half of the mean each ("balanced means").
    pub fn hyperexponential_from_cv(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        Mixture::balanced(mean, cv).map(Distribution::Mixture)
    }

    /// exp of a normal, by its mean and coefficient of variation (above 0, at most 1e6): what measured service
    /// times most often look like.
    pub fn lognormal(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        Lognormal::from_mean(mean, cv).map(Distribution::Lognormal)
    }

    /// The [`lognormal`](Self::lognormal) with this median and 99th percentile, as dashboards show them.
    pub fn lognormal_from_quantiles(median: f64, p99: f64) -> Result<Self, DistributionError> {
        Lognormal::from_quantiles(median, p99).map(Distribution::Lognormal)
    }

    /// P(X > x) = (scale / x)^shape for x above `scale`: a tail so heavy that the variance is infinite for
    /// shapes up to 2 and the mean up to 1.
    pub fn pareto(scale: f64, shape: f64) -> Result<Self, DistributionError> {
        Pareto::new(scale, shape).map(Distribution::Pareto)
    }

    /// A [`pareto`](Self::pareto) given that it is between `low` and `high`: heavy, yet all moments exist.
    pub fn bounded_pareto(low: f64, high: f64, shape: f64) -> Result<Self, DistributionError> {
        BoundedPareto::new(low, high, shape).map(Distribution::BoundedPareto)
    }

    /// P(X > x) = exp(-(x / scale)^shape): times to failure, of infants below shape 1, of the aged above it.
    pub fn weibull(shape: f64, scale: f64) -> Result<Self, DistributionError> {
        Weibull::new(shape, scale).map(Distribution::Weibull)
    }

    /// One of several, chosen with probability in proportion to its weight: a cache hit or a miss.
    pub fn mixture(parts: Vec<(f64, Distribution)>) -> Result<Self, DistributionError> {
        Mixture::new(parts).map(Distribution::Mixture)
    }

    /// What was measured, as a table of (percent, value) from 0 to 100 percent, linear between the points.
    pub fn empirical(points: &[(f64, f64)]) -> Result<Self, DistributionError> {
        Empirical::new(points).map(Distribution::Empirical)
    }
}
