//! Counts of latencies in HdrHistogram's buckets.
//!
//! The buckets are those of the crate `hdrhistogram` for 1 us to 1 h, so its logs and tools read what comes
//! out of here; the tests hold every edge of a bucket against it. Its bounds are constants here, which makes
//! counting a shift and an increment: an eighth of the instructions.

use super::count;
use crate::time::SimDuration;
use std::ops::Range;

/// Three significant digits: a recorded value is at most 0.1 % off.
pub const SIGNIFICANT_DIGITS: u8 = 3;
/// Windows keep two: at most 1 % off, a seventh of the memory.
const WINDOW_DIGITS: u8 = 2;
/// The finest difference that is told apart: 1 us, of which HdrHistogram takes the next lower power of two.
const LOWEST_NS: u64 = 1_000;
/// The longest latency that has a bucket: one hour. Anything longer is counted as overflow.
const HIGHEST_NS: u64 = 3_600 * 1_000_000_000;

/// Counts of latencies in buckets of 0.1 %, from 1 us to 1 h, with exact count, sum, minimum and maximum.
///
/// The bounds are the same for every histogram, so any two can be added without loss, in any order.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    counts: Box<[u64]>,
    /// How many are in `counts`.
    inside: u64,
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
        let counts = vec![0; FINE.len()].into();
        LatencyHistogram { counts, inside: 0, overflow: 0, sum_ns: 0, max_ns: 0, min_ns: u64::MAX }
    }

    /// Counts one latency.
    #[inline]
    pub fn record(&mut self, latency: SimDuration) {
        let ns = latency.as_nanos();
        self.sum_ns += u128::from(ns);
        self.max_ns = self.max_ns.max(ns);
        self.min_ns = self.min_ns.min(ns);
        if ns > HIGHEST_NS {
            count(&mut self.overflow);
        } else {
            count(&mut self.inside);
            count(&mut self.counts[FINE.index(ns)]);
        }
    }

    /// How many were counted, those beyond the last bucket included.
    pub fn count(&self) -> u64 {
        self.inside + self.overflow
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
        let (filled, mut below) = (self.filled(), 0);
        // Thousands of buckets, most of them empty: those that it cannot be in are passed by many at a time.
        let mut passed = filled.start;
        for many in self.counts[filled].chunks(64) {
            let within: u64 = many.iter().sum();
            if below + within >= rank {
                let reached = |count: &u64| {
                    below += count;
                    below >= rank
                };
                let bucket = passed + many.iter().position(reached).expect("it is in one of these");
                return Some(FINE.highest(bucket).min(self.max_ns));
            }
            (below, passed) = (below + within, passed + many.len());
        }
        Some(self.max_ns)
    }

    /// Every bucket that holds anything: (highest value of the bucket in nanoseconds, count).
    pub fn recorded(&self) -> Vec<(u64, u64)> {
        let filled = self.filled().filter(|&index| self.counts[index] > 0);
        filled.map(|index| (FINE.highest(index), self.counts[index])).collect()
    }

    /// The buckets outside of which nothing is.
    fn filled(&self) -> Range<usize> {
        if self.inside == 0 {
            0..0
        } else {
            FINE.index(self.min_ns)..FINE.index(self.max_ns.min(HIGHEST_NS)) + 1
        }
    }

    /// Adds what another histogram counted.
    pub fn add(&mut self, other: &LatencyHistogram) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.inside += other.inside;
        self.overflow += other.overflow;
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
        self.min_ns = self.min_ns.min(other.min_ns);
    }
}

/// The latencies of the window that is being filled, and of those that are over, sparse.
#[derive(Clone, Debug)]
pub struct LatencyWindows {
    filling: Box<[u64]>,
    /// Which buckets are not zero, a bit for each, and which of these words are not zero: closing a window
    /// costs no more than filling it did, however few latencies fell into it.
    filled: Box<[u64]>,
    words: u64,
    /// The closed windows one after another, and where each ends: nothing is allocated for a window.
    closed: Vec<(u64, u64)>,
    ends: Vec<usize>,
}

const _: () = assert!(COARSE.len() <= 64 * 64, "`LatencyWindows::words` has a bit for each word");

impl Default for LatencyWindows {
    fn default() -> Self {
        let words = COARSE.len().div_ceil(64);
        LatencyWindows {
            filling: vec![0; 64 * words].into(),
            filled: vec![0; words].into(),
            words: 0,
            closed: Vec::new(),
            ends: Vec::new(),
        }
    }
}

impl LatencyWindows {
    /// Counts one latency in the current window; an hour is the longest.
    #[inline]
    pub fn record(&mut self, latency: SimDuration) {
        let index = COARSE.index(latency.as_nanos().min(HIGHEST_NS));
        count(&mut self.filling[index]);
        self.filled[index / 64] |= 1 << (index % 64);
        self.words |= 1 << (index / 64);
    }

    /// Ends the current window.
    pub fn close(&mut self) {
        for word in bits(self.words) {
            for index in bits(std::mem::take(&mut self.filled[word])).map(|bit| 64 * word + bit) {
                self.closed.push((COARSE.highest(index), std::mem::take(&mut self.filling[index])));
            }
        }
        self.words = 0;
        self.ends.push(self.closed.len());
    }

    /// The closed windows: for each, its (highest value of the bucket in nanoseconds, count).
    pub fn closed(&self) -> impl Iterator<Item = &[(u64, u64)]> {
        let starts = [0].iter().chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.closed[start..end])
    }
}

/// The positions of the bits that are set, lowest first.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = word.trailing_zeros();
        word &= word.checked_sub(1)?;
        Some(lowest as usize)
    })
}

/// Where HdrHistogram's buckets are. Up to 2^(unit + half + 1) they are 2^unit wide; after that each doubling
/// has 2^half of them.
struct Scale {
    /// The width of the narrowest bucket, as a power of two.
    unit: u32,
    /// Buckets per doubling, as a power of two.
    half: u32,
}

const FINE: Scale = Scale::new(SIGNIFICANT_DIGITS);
const COARSE: Scale = Scale::new(WINDOW_DIGITS);

impl Scale {
    const fn new(digits: u8) -> Self {
        // As many buckets as tell 2 * 10^digits values apart, rounded up to a power of two.
        let resolved = 2 * 10u64.pow(digits as u32);
        Scale { unit: LOWEST_NS.ilog2(), half: resolved.next_power_of_two().ilog2() - 1 }
    }

    const fn len(&self) -> usize {
        self.index(HIGHEST_NS) + 1
    }

    #[inline]
    const fn index(&self, ns: u64) -> usize {
        // Wrapping only spares the checks: nothing wraps.
        let narrow = (1 << (self.unit + self.half + 1)) - 1;
        let doublings = 63 - (ns | narrow).leading_zeros() - (self.unit + self.half);
        (doublings as usize)
            .wrapping_shl(self.half)
            .wrapping_add(ns.wrapping_shr(doublings.wrapping_add(self.unit)) as usize)
    }

    /// The highest value that falls into a bucket.
    #[inline]
    const fn highest(&self, index: usize) -> u64 {
        let doublings = (index >> self.half).saturating_sub(1);
        let shift = doublings as u32 + self.unit;
        (((index - (doublings << self.half)) as u64 + 1) << shift) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Streams, Words};
    use hdrhistogram::Histogram;

    fn ms(ms: u64) -> SimDuration {
        SimDuration::from_millis(ms)
    }

    #[test]
    fn percentiles_are_the_smallest_value_that_covers_the_share() {
        let mut histogram = LatencyHistogram::new();
        for value in 1..=100 {
            histogram.record(ms(value));
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
        histogram.record(ms(1));
        histogram.record(SimDuration::from_secs(7_200));
        assert_eq!((histogram.count(), histogram.overflow()), (2, 1));
        assert_eq!(histogram.percentile_ns(50.0).map(|ns| ns / 1_000_000), Some(1));
        assert_eq!(histogram.percentile_ns(99.0), Some(7_200_000_000_000));
    }

    #[test]
    fn histograms_add_in_any_order() {
        let part = |range: std::ops::Range<u64>| {
            let mut histogram = LatencyHistogram::new();
            range.for_each(|n| histogram.record(ms(n * n)));
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
    fn windows_hold_what_fell_into_them() {
        let mut windows = LatencyWindows::default();
        windows.record(ms(5));
        windows.close();
        windows.close();
        windows.record(ms(7));
        windows.close();
        let counts: Vec<u64> = windows.closed().map(|w| w.iter().map(|(_, n)| n).sum()).collect();
        assert_eq!(counts, [1, 0, 1]);
    }

    /// Both ends of every bucket, zero, and values of every magnitude.
    fn values(scale: &Scale) -> Vec<u64> {
        let mut words = Streams::new(1).stream("test", "histogram");
        let ends = (0..scale.len()).flat_map(|index| [scale.highest(index), scale.highest(index) + 1]);
        let random = (0..100_000).map(|n| words.next_u64() >> (n % 64));
        [0].into_iter().chain(ends).chain(random).filter(|&ns| ns <= HIGHEST_NS).collect()
    }

    #[test]
    fn the_buckets_are_those_of_hdrhistogram() {
        for (scale, digits) in [(FINE, SIGNIFICANT_DIGITS), (COARSE, WINDOW_DIGITS)] {
            let oracle = Histogram::<u64>::new_with_bounds(LOWEST_NS, HIGHEST_NS, digits).unwrap();
            for ns in values(&scale) {
                assert_eq!(
                    scale.highest(scale.index(ns)),
                    oracle.highest_equivalent(ns),
                    "{ns} at {digits} digits"
                );
            }
        }
    }

    #[test]
    fn what_is_counted_is_what_hdrhistogram_counts() {
        let mut oracle = Histogram::<u64>::new_with_bounds(LOWEST_NS, HIGHEST_NS, WINDOW_DIGITS).unwrap();
        let (mut histogram, mut windows) = (LatencyHistogram::new(), LatencyWindows::default());
        for ns in values(&COARSE).into_iter().chain([HIGHEST_NS + 1, u64::MAX]) {
            oracle.saturating_record(ns);
            windows.record(SimDuration::from_nanos(ns));
            histogram.record(SimDuration::from_nanos(ns));
        }
        windows.close();
        let steps = oracle.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()));
        assert_eq!(windows.closed().collect::<Vec<_>>(), [steps.collect::<Vec<_>>()]);
        assert_eq!((histogram.count(), histogram.overflow()), (oracle.len(), 2));

        let mut fine = Histogram::<u64>::new_with_bounds(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS).unwrap();
        histogram.recorded().iter().for_each(|&(value, count)| fine.record_n(value, count).unwrap());
        for percent in [0.01, 1.0, 37.5, 50.0, 99.0, 99.9] {
            let inside = percent / 100.0 * histogram.count() as f64 / fine.len() as f64;
            assert_eq!(histogram.percentile_ns(percent), Some(fine.value_at_quantile(inside)), "p{percent}");
        }
    }
}
