//! What a breaker counts: failures in a row, or failures in a window of calls or of time.

use super::{Position, Window};
use sim_core::{SimDuration, SimTime};

/// What a closed breaker remembers, and what it takes to open it.
#[derive(Clone, Debug)]
pub(super) enum Tally {
    Consecutive { in_a_row: u32, limit: u32, resets: bool },
    Count { last: Last, threshold: Threshold },
    Time { recent: Box<Recent>, threshold: Threshold },
}

/// A failure rate that is too high.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threshold {
    millionths: u64,
    minimum_calls: u32,
}

impl Threshold {
    pub(super) fn new(fraction: f64, minimum_calls: u32) -> Self {
        Threshold { millionths: (fraction * 1e6 + 0.5) as u64, minimum_calls }
    }

    #[inline]
    fn reached(self, failures: u32, calls: u32) -> bool {
        calls >= self.minimum_calls && self.rate_reached(failures, calls)
    }

    #[inline]
    fn rate_reached(self, failures: u32, calls: u32) -> bool {
        u64::from(failures) * 1_000_000 >= self.millionths * u64::from(calls)
    }
}

impl Tally {
    pub(super) fn new(window: &Window, threshold: Threshold) -> Self {
        match *window {
            Window::Count(calls) => {
                let minimum_calls = threshold.minimum_calls.min(calls);
                Tally::Count { last: Last::new(calls), threshold: Threshold { minimum_calls, ..threshold } }
            }
            Window::Time(length) => Tally::Time { recent: Box::new(Recent::new(length)), threshold },
        }
    }

    /// Counts a call, and says whether the breaker opens.
    #[inline]
    pub(super) fn opens(&mut self, now: SimTime, failure: bool) -> bool {
        match self {
            Tally::Consecutive { in_a_row, limit, resets } => {
                *in_a_row = match failure {
                    true => *in_a_row + 1,
                    false if *resets => 0,
                    false => *in_a_row,
                };
                in_a_row == limit
            }
            Tally::Count { last, threshold } => {
                last.push(failure);
                threshold.reached(last.failures, last.calls)
            }
            Tally::Time { recent, threshold } => {
                recent.push(now, failure);
                threshold.reached(recent.total.failures, recent.total.calls)
            }
        }
    }

    /// What the probes that came back say, once they say anything.
    pub(super) fn probes_tell(&self, succeeded: u32, failed: u32, probes: u32) -> Option<Position> {
        let complete = succeeded + failed == probes;
        match self {
            Tally::Consecutive { .. } if failed > 0 => Some(Position::Open),
            _ if !complete => None,
            Tally::Count { threshold, .. } | Tally::Time { threshold, .. }
                if threshold.rate_reached(failed, probes) =>
            {
                Some(Position::Open)
            }
            _ => Some(Position::Closed),
        }
    }

    pub(super) fn forget(&mut self) {
        match self {
            Tally::Consecutive { in_a_row, .. } => *in_a_row = 0,
            Tally::Count { last, .. } => last.forget(),
            Tally::Time { recent, .. } => recent.forget(),
        }
    }
}

/// The last so many calls: a ring of bits, set for failures.
#[derive(Clone, Debug)]
pub(super) struct Last {
    bits: Box<[u64]>,
    size: u32,
    next: u32,
    calls: u32,
    failures: u32,
}

impl Last {
    fn new(size: u32) -> Self {
        Last { bits: vec![0; size.div_ceil(64) as usize].into(), size, next: 0, calls: 0, failures: 0 }
    }

    #[inline]
    fn push(&mut self, failure: bool) {
        let word = &mut self.bits[(self.next / 64) as usize];
        let bit = 1 << (self.next % 64);
        // A place not used yet holds 0, as does one whose call succeeded.
        self.failures -= u32::from(*word & bit != 0);
        self.failures += u32::from(failure);
        *word = if failure { *word | bit } else { *word & !bit };
        self.calls = self.size.min(self.calls + 1);
        self.next = if self.next + 1 == self.size { 0 } else { self.next + 1 };
    }

    fn forget(&mut self) {
        self.bits.fill(0);
        (self.next, self.calls, self.failures) = (0, 0, 0);
    }
}

/// The calls of the last so long: a ring of ten buckets, of which the newest is still filling, so the
/// window reaches back between nine and ten tenths of its length.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    buckets: [Bucket; BUCKETS as usize],
    bucket_nanos: u64,
    /// The number of the newest bucket since the beginning of time.
    newest: u64,
    total: Bucket,
}

const BUCKETS: u64 = 10;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    calls: u32,
    failures: u32,
}

impl Recent {
    fn new(length: SimDuration) -> Self {
        let bucket_nanos = length.as_nanos().div_ceil(BUCKETS).max(1);
        Recent { buckets: Default::default(), bucket_nanos, newest: 0, total: Bucket::default() }
    }

    #[inline]
    fn push(&mut self, now: SimTime, failure: bool) {
        let current = now.as_nanos() / self.bucket_nanos;
        debug_assert!(current >= self.newest, "time went backwards");
        if current - self.newest >= BUCKETS {
            self.forget();
            self.newest = current;
        }
        while self.newest < current {
            self.newest += 1;
            let gone = std::mem::take(&mut self.buckets[(self.newest % BUCKETS) as usize]);
            self.total.calls -= gone.calls;
            self.total.failures -= gone.failures;
        }
        for bucket in [&mut self.buckets[(current % BUCKETS) as usize], &mut self.total] {
            bucket.calls += 1;
            bucket.failures += u32::from(failure);
        }
    }

    fn forget(&mut self) {
        self.buckets = Default::default();
        self.total = Bucket::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_window_holds_the_last_calls() {
        for size in [1, 3, 63, 64, 65, 130] {
            let mut last = Last::new(size);
            let mut all = Vec::new();
            for i in 0..1_000u32 {
                let failure = i * i % 7 < 3;
                last.push(failure);
                all.push(failure);
                let held = &all[all.len().saturating_sub(size as usize)..];
                assert_eq!(last.calls as usize, held.len());
                assert_eq!(last.failures as usize, held.iter().filter(|&&failed| failed).count());
            }
            last.forget();
            last.push(false);
            assert_eq!((last.calls, last.failures), (1, 0));
        }
    }

    #[test]
    fn a_time_window_drops_a_tenth_at_a_time() {
        let mut recent = Recent::new(SimDuration::from_secs(10));
        // (milliseconds, failure, calls, failures)
        for (at, failure, calls, failures) in [
            (0, true, 1, 1),
            (999, false, 2, 1),
            (1_000, true, 3, 2),
            (9_999, false, 4, 2),
            (10_000, false, 3, 1), // second 0 has left
            (10_999, false, 4, 1),
            (11_000, false, 4, 0), // second 1 has left
            (30_000, true, 1, 1),  // all have left
            (39_999, true, 2, 2),
            (48_999, true, 2, 2), // second 30 has left, 39 has not
            (49_000, true, 2, 2), // now it has
        ] {
            recent.push(SimTime::from_nanos(at * 1_000_000), failure);
            assert_eq!((recent.total.calls, recent.total.failures), (calls, failures), "at {at} ms");
        }
    }

    #[test]
    fn reaching_the_threshold_is_enough() {
        for (fraction, minimum, failures, calls, reached) in [
            (0.5, 10, 5, 10, true),
            (0.5, 10, 4, 10, false),
            (0.5, 10, 9, 9, false),
            (0.1, 1, 10, 100, true),
            (0.1, 1, 9, 100, false),
            (0.3, 1, 3, 10, true),
            (1.0, 1, 100, 100, true),
            (1.0, 1, 99, 100, false),
        ] {
            let threshold = Threshold::new(fraction, minimum);
            assert_eq!(threshold.reached(failures, calls), reached, "{failures} of {calls} for {fraction}");
        }
    }
}
