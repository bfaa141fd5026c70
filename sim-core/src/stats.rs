//! Measurement: latency histograms, exact time integrals, and what many runs say together.
//!
//! Everything that a run's result depends on is an integer: counts, nanoseconds, nanoseconds times items.
//! Floats appear when a number is divided for display, and between runs: means over seeds with Student's
//! intervals, differences of systems on the same luck, when to stop, what to leave out. Those are summed in
//! the order of the seeds.

mod difference;
mod histogram;
pub mod pooled;
pub mod precision;
pub mod sequential;
mod warm_up;

pub use difference::{Difference, Ratio, change_of_truth, pairing_factor};
pub use histogram::{LatencyHistogram, LatencyWindows, SIGNIFICANT_DIGITS};
pub use warm_up::mser5;

use crate::time::SimTime;

/// One more. Nothing that is counted one by one comes to 2^64, so whether it would is not asked.
#[inline(always)]
pub fn count(number: &mut u64) {
    *number = number.wrapping_add(1);
}

/// The exact integral over time of a whole number: a queue's length, busy workers.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimeIntegral {
    value: u64,
    since: SimTime,
    area: u128,
    peak: u64,
}

impl TimeIntegral {
    /// The number becomes `value` at `now`.
    #[inline]
    pub fn set(&mut self, now: SimTime, value: u64) {
        self.settle(now);
        self.value = value;
        self.peak = self.peak.max(value);
    }

    /// The number grows by one.
    #[inline]
    pub fn increment(&mut self, now: SimTime) {
        self.set(now, self.value + 1);
    }

    /// The number shrinks by one; it must not be 0.
    #[inline]
    pub fn decrement(&mut self, now: SimTime) {
        assert!(self.value > 0, "a count went below zero");
        self.settle(now);
        self.value -= 1;
    }

    #[inline]
    fn settle(&mut self, now: SimTime) {
        self.area += u128::from(self.value) * u128::from(now.since(self.since).as_nanos());
        self.since = now;
    }

    /// The number now.
    #[inline]
    pub fn value(&self) -> u64 {
        self.value
    }

    /// The integral up to `now`, in nanoseconds times the number's unit.
    pub fn area(&self, now: SimTime) -> u128 {
        self.area + u128::from(self.value) * u128::from(now.since(self.since).as_nanos())
    }

    /// The largest value since the last call, then starts anew from the present value.
    pub fn take_peak(&mut self) -> u64 {
        std::mem::replace(&mut self.peak, self.value)
    }
}

/// Mean and spread of independent values, one per seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// How many values.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Their variance, with n - 1 in the denominator; 0 for a single value.
    pub variance: f64,
}

impl Sample {
    /// Of these values, summed in their order (two passes).
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        if values.is_empty() {
            return Sample::default();
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let variance = if values.len() > 1 { squares / (n - 1.0) } else { 0.0 };
        Sample { n: values.len() as u64, mean, variance }
    }

    /// The standard error of the mean.
    pub fn standard_error(&self) -> f64 {
        if self.n == 0 { 0.0 } else { (self.variance / self.n as f64).sqrt() }
    }

    /// Half the width of Student's interval for the mean at this confidence (0.95 for 95 %). `None` for
    /// fewer than two values: one run says nothing about the spread between runs.
    pub fn half_width(&self, confidence: f64) -> Option<f64> {
        (self.n >= 2).then(|| {
            crate::math::t_quantile(0.5 + confidence / 2.0, (self.n - 1) as f64) * self.standard_error()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integral_is_exact() {
        let mut queue = TimeIntegral::default();
        queue.increment(SimTime::from_nanos(10));
        queue.increment(SimTime::from_nanos(15));
        queue.decrement(SimTime::from_nanos(18));
        assert_eq!(queue.area(SimTime::from_nanos(20)), 5 + 2 * 3 + 2);
        assert_eq!(queue.take_peak(), 2);
        assert_eq!(queue.take_peak(), 1);
    }

    #[test]
    fn between_runs() {
        let sample = Sample::of(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!((sample.mean, sample.variance), (2.5, 5.0 / 3.0));
        assert!(Sample::of(&[1.0]).half_width(0.95).is_none());
        // t(0.975, 3) = 3.182446305284263
        let half = sample.half_width(0.95).unwrap();
        assert!((half - 3.182_446_305 * sample.standard_error()).abs() < 1e-6, "{half}");
    }
}
