//! What a client saw of late, and a percentile of it: one window is counted while that of the one before is used.

use super::Percentile;
use sim_core::{SimDuration, SimTime};

/// Parts of each power of two of nanoseconds: a bucket is at most 6.25 % wide.
const PARTS: u32 = 16;
/// What is shorter than 1.024 us counts as that, and what is longer than 73 min as that.
const SHORTEST: u32 = 10;
const LONGEST: u32 = 42;
const BUCKETS: usize = ((LONGEST - SHORTEST) * PARTS) as usize;

#[derive(Clone, Debug)]
pub(super) struct Seen {
    share: f64,
    window: SimDuration,
    least: u32,
    /// When the window that is counted ends.
    until: SimTime,
    counts: Vec<u32>,
    number: u32,
    /// The percentile of the window before, if enough were seen in it.
    known: Option<SimDuration>,
}

impl Seen {
    /// Bytes beyond itself.
    pub(super) const HEAP: u64 = BUCKETS as u64 * 4;

    pub(super) fn new(percentile: &Percentile) -> Self {
        Seen {
            share: percentile.percent / 100.0,
            window: percentile.window,
            least: percentile.samples,
            until: SimTime::ZERO + percentile.window,
            counts: vec![0; BUCKETS],
            number: 0,
            known: None,
        }
    }

    #[inline]
    pub(super) fn record(&mut self, now: SimTime, took: SimDuration) {
        self.turn(now);
        self.counts[bucket(took)] += 1;
        self.number += 1;
    }

    #[inline]
    pub(super) fn percentile(&mut self, now: SimTime) -> Option<SimDuration> {
        self.turn(now);
        self.known
    }

    /// What happens at the ends of windows that have passed.
    #[inline]
    fn turn(&mut self, now: SimTime) {
        if now >= self.until {
            self.next(now);
        }
    }

    #[cold]
    fn next(&mut self, now: SimTime) {
        let passed = now.since(self.until).as_nanos() / self.window.as_nanos() + 1;
        // Where a whole window has passed since, nothing was seen in the one before this.
        self.known = if passed == 1 && self.number >= self.least { Some(self.quantile()) } else { None };
        self.until = self.until + self.window.saturating_mul(passed);
        self.counts.fill(0);
        self.number = 0;
    }

    /// The end of the bucket in which so many of those that were seen lie, or below it.
    fn quantile(&self) -> SimDuration {
        let rank = (self.share * f64::from(self.number)).ceil().max(1.0);
        let mut below = 0.0;
        let found = self.counts.iter().position(|&count| {
            below += f64::from(count);
            below >= rank
        });
        end(found.unwrap_or(BUCKETS - 1))
    }
}

fn bucket(took: SimDuration) -> usize {
    let nanos = took.as_nanos().clamp(1 << SHORTEST, (1 << LONGEST) - 1);
    let power = nanos.ilog2();
    let part = (nanos >> (power - PARTS.ilog2())) as u32 - PARTS;
    ((power - SHORTEST) * PARTS + part) as usize
}

/// Where a bucket ends.
fn end(bucket: usize) -> SimDuration {
    let (power, part) = (bucket as u32 / PARTS + SHORTEST, bucket as u64 % u64::from(PARTS));
    SimDuration::from_nanos((u64::from(PARTS) + part + 1) << (power - PARTS.ilog2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    fn seen(samples: u32) -> Seen {
        Seen::new(&Percentile { percent: 90.0, window: SimDuration::from_secs(1), samples })
    }

    #[test]
    fn every_time_lies_in_its_bucket_and_is_met_to_a_sixteenth() {
        for nanos in
            (10..42).flat_map(|power| [0, 1, 2, 3, 999].map(|part| (1u64 << power) + (part << power) / 1_000))
        {
            let end = end(bucket(SimDuration::from_nanos(nanos))).as_nanos();
            assert!(nanos < end && end - nanos <= nanos / 16 + 1, "{nanos} in a bucket that ends at {end}");
        }
        assert_eq!(bucket(SimDuration::ZERO), 0);
        assert_eq!(bucket(SimDuration::from_secs(1_000_000)), BUCKETS - 1);
    }

    #[test]
    fn a_window_is_used_while_the_next_is_counted() {
        let mut seen = seen(10);
        for millis in 1..=10 {
            seen.record(at(10), SimDuration::from_millis(millis));
            assert_eq!(seen.percentile(at(999)), None, "nothing is known in the first window");
        }
        // Nine of ten take 9 ms or less.
        let known = seen.percentile(at(1_000)).expect("ten were seen");
        assert!((9_000_000..9_600_000).contains(&known.as_nanos()), "{known}");
        assert_eq!(seen.percentile(at(1_999)), Some(known));
        assert_eq!(seen.percentile(at(2_000)), None, "nothing was seen in the second");
    }

    #[test]
    fn too_few_say_nothing_and_old_ones_are_forgotten() {
        for (samples, asked, known) in
            [(3, 1_500, true), (4, 1_500, false), (3, 2_500, false), (3, 9_000, false)]
        {
            let mut seen = seen(samples);
            for _ in 0..3 {
                seen.record(at(500), SimDuration::from_millis(2));
            }
            assert_eq!(seen.percentile(at(asked)).is_some(), known, "{samples}, {asked} ms");
        }
    }
}
