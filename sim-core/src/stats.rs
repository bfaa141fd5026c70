//! Measurement: latency histograms, exact time integrals, and means between runs.
//!
//! Everything that a result depends on is an integer: counts, nanoseconds, nanoseconds times items.
//! Floats appear only when a number is divided for display.

use crate::time::{SimDuration, SimTime};
use hdrhistogram::Histogram as Hdr;

/// Three significant digits: a recorded value is at most 0.1 % off.
pub const SIGNIFICANT_DIGITS: u8 = 3;
/// Windows keep two: at most 1 % off, a tenth of the memory.
const WINDOW_DIGITS: u8 = 2;
/// The finest difference that is told apart: 1 us.
const LOWEST_NS: u64 = 1_000;
/// The longest latency that has a bucket: one hour. Anything longer is counted as overflow.
const HIGHEST_NS: u64 = 3_600 * 1_000_000_000;

/// Counts of latencies in buckets of 0.1 %, from 1 us to 1 h, with exact count, sum, minimum and maximum.
///
/// The bounds are the same for every histogram, so any two can be added without loss, in any order.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    buckets: Hdr<u64>,
    overflow: u64,
    sum_ns: u128,
    max_ns: u64,
    min_ns: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::new()
    }
}

impl LatencyHistogram {
    /// An empty histogram.
    pub fn new() -> Self {
        LatencyHistogram {
            buckets: hdr(SIGNIFICANT_DIGITS),
            overflow: 0,
            sum_ns: 0,
            max_ns: 0,
            min_ns: u64::MAX,
        }
    }

    /// Counts one latency.
    #[inline]
    pub fn record(&mut self, latency: SimDuration) {
        self.record_n(latency.as_nanos(), 1);
    }

    /// Counts `n` latencies of `ns` nanoseconds each.
    #[inline]
    pub fn record_n(&mut self, ns: u64, n: u64) {
        self.sum_ns += u128::from(ns) * u128::from(n);
        self.max_ns = self.max_ns.max(ns);
        self.min_ns = self.min_ns.min(ns);
        if ns > HIGHEST_NS || self.buckets.record_n(ns, n).is_err() {
            self.overflow += n;
        }
    }

    /// How many were counted, those beyond the last bucket included.
    pub fn count(&self) -> u64 {
        self.buckets.len() + self.overflow
    }

    /// How many were longer than an hour.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// The exact sum in nanoseconds.
    pub fn sum_ns(&self) -> u128 {
        self.sum_ns
    }

    /// The exact mean in nanoseconds, rounded down; `None` if nothing was counted.
    pub fn mean_ns(&self) -> Option<u64> {
        (self.count() > 0).then(|| (self.sum_ns / u128::from(self.count())) as u64)
    }

    /// The exact maximum.
    pub fn max_ns(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.max_ns)
    }

    /// The exact minimum.
    pub fn min_ns(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.min_ns)
    }

    /// The smallest bucket value at or below which `percent` of what was counted lies, never above the
    /// exact maximum. `None` if nothing was counted.
    pub fn percentile_ns(&self, percent: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((percent / 100.0 * count as f64).ceil() as u64).clamp(1, count);
        if rank > self.buckets.len() {
            return Some(self.max_ns);
        }
        let inside = rank as f64 / self.buckets.len() as f64;
        Some(self.buckets.value_at_quantile(inside).min(self.max_ns))
    }

    /// Every bucket that holds anything: (highest value of the bucket in nanoseconds, count).
    pub fn recorded(&self) -> Vec<(u64, u64)> {
        self.buckets.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
    }

    /// Adds what another histogram counted.
    pub fn add(&mut self, other: &LatencyHistogram) {
        self.buckets.add(&other.buckets).expect("all histograms have the same bounds");
        self.overflow += other.overflow;
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
        self.min_ns = self.min_ns.min(other.min_ns);
    }
}

fn hdr(digits: u8) -> Hdr<u64> {
    Hdr::new_with_bounds(LOWEST_NS, HIGHEST_NS, digits).expect("constant bounds")
}

/// The latencies of the window that is being filled, and of those that are over, sparse.
#[derive(Clone, Debug)]
pub struct LatencyWindows {
    filling: Hdr<u64>,
    closed: Vec<Vec<(u64, u64)>>,
}

impl Default for LatencyWindows {
    fn default() -> Self {
        LatencyWindows { filling: hdr(WINDOW_DIGITS), closed: Vec::new() }
    }
}

impl LatencyWindows {
    /// Counts one latency in the current window; an hour is the longest.
    #[inline]
    pub fn record(&mut self, latency: SimDuration) {
        self.filling.saturating_record(latency.as_nanos());
    }

    /// Ends the current window.
    pub fn close(&mut self) {
        if self.filling.is_empty() {
            self.closed.push(Vec::new());
            return;
        }
        let counted =
            self.filling.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()));
        self.closed.push(counted.collect());
        self.filling.reset();
    }

    /// The closed windows: for each, its (highest value of the bucket in nanoseconds, count).
    pub fn closed(&self) -> &[Vec<(u64, u64)>] {
        &self.closed
    }
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
    fn percentiles_are_the_smallest_value_that_covers_the_share() {
        let mut histogram = LatencyHistogram::new();
        for ms in 1..=100 {
            histogram.record(SimDuration::from_millis(ms));
        }
        for (percent, ms) in [(50.0, 50.0), (99.0, 99.0), (99.9, 100.0), (100.0, 100.0)] {
            let found = histogram.percentile_ns(percent).unwrap() as f64 / 1e6;
            assert!((found / ms - 1.0).abs() < 0.001, "p{percent}: {found}");
        }
        assert_eq!(histogram.mean_ns(), Some(50_500_000));
        assert_eq!((histogram.min_ns(), histogram.max_ns()), (Some(1_000_000), Some(100_000_000)));
    }

    #[test]
    fn nothing_counted_is_none_and_one_is_itself() {
        let mut histogram = LatencyHistogram::new();
        assert_eq!(
            (histogram.percentile_ns(50.0), histogram.mean_ns(), histogram.max_ns()),
            (None, None, None)
        );
        histogram.record(SimDuration::from_nanos(1_234_567));
        for percent in [0.1, 50.0, 99.99, 100.0] {
            assert_eq!(histogram.percentile_ns(percent), Some(1_234_567));
        }
    }

    #[test]
    fn more_than_an_hour_is_counted_apart_and_shows_in_the_top_percentiles() {
        let mut histogram = LatencyHistogram::new();
        histogram.record(SimDuration::from_millis(1));
        histogram.record(SimDuration::from_secs(7_200));
        assert_eq!((histogram.count(), histogram.overflow()), (2, 1));
        assert_eq!(histogram.percentile_ns(50.0).map(|ns| ns / 1_000_000), Some(1));
        assert_eq!(histogram.percentile_ns(99.0), Some(7_200_000_000_000));
    }

    #[test]
    fn histograms_add_in_any_order() {
        let part = |range: std::ops::Range<u64>| {
            let mut histogram = LatencyHistogram::new();
            range.for_each(|ms| histogram.record(SimDuration::from_millis(ms * ms)));
            histogram
        };
        let (a, b) = (part(0..50), part(50..90));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.add(&b);
        ba.add(&a);
        assert_eq!(ab.recorded(), ba.recorded());
        assert_eq!(ab.recorded(), part(0..90).recorded());
        assert_eq!(ab.sum_ns(), ba.sum_ns());
    }

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
    fn windows_hold_what_fell_into_them() {
        let mut windows = LatencyWindows::default();
        windows.record(SimDuration::from_millis(5));
        windows.close();
        windows.close();
        windows.record(SimDuration::from_millis(7));
        windows.close();
        let counts: Vec<u64> = windows.closed().iter().map(|w| w.iter().map(|(_, n)| n).sum()).collect();
        assert_eq!(counts, [1, 0, 1]);
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
