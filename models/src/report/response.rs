//! Response times over all calls, answered or not.
//!
//! The 99th percentile of the calls that ended well says nothing where most did not: the few that were answered may well have been
//! answered fast. Here whoever got no answer waited longer than any answer took. So a percentile beyond the share that was answered
//! is longer than any answer, and worse than any number. A call that is still waiting when the run ends counts for as long as it has
//! waited: as longer than that, and not at all against times that it has not waited yet.

use super::latency::Latency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Response times over all calls, in nanoseconds. A percentile is absent if it is longer than any answer took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// Calls that ended, well or not.
    pub count: u64,
    /// Of them: those that did not end well.
    pub unanswered: u64,
    /// Half are at or below.
    pub p50: Option<u64>,
    /// 90 % are at or below.
    pub p90: Option<u64>,
    /// 95 % are at or below.
    pub p95: Option<u64>,
    /// 99 % are at or below.
    pub p99: Option<u64>,
    /// 99.9 % are at or below.
    pub p999: Option<u64>,
    /// 99.99 % are at or below.
    pub p9999: Option<u64>,
}

impl Response {
    /// Of calls that were answered, so many that ended otherwise, and how long those have waited that are still out: (at least, how many),
    /// the shortest first.
    pub fn of(answered: &Latency, unanswered: u64, waiting: &[(u64, u64)]) -> Self {
        let ended = answered.count + unanswered;
        let out: u64 = waiting.iter().map(|(_, count)| count).sum();
        let at = |percent: f64| {
            let mut covered = 0;
            let mut young = waiting.iter().peekable();
            // The same convention as `LatencyHistogram::percentile_ns`.
            let share = |all: u64| ((percent / 100.0 * all as f64).ceil() as u64).clamp(1, all.max(1));
            let mut all = ended + out;
            let mut enough = share(all);
            for &(value, count) in &answered.histogram {
                covered += count;
                while let Some((_, count)) = young.next_if(|(age, _)| *age <= value) {
                    all -= count;
                    enough = share(all);
                }
                if covered >= enough {
                    return Some(value.min(answered.max.unwrap_or(value)));
                }
            }
            None
        };
        let Latency { p50, p90, p95, p99, p999, p9999, .. } = Latency::percentiles(at);
        Response { count: ended, unanswered, p50, p90, p95, p99, p999, p9999 }
    }

    /// Whether there is anything that could be longer or shorter.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimDuration;
    use sim_core::stats::LatencyHistogram;

    /// A hundred answers of 1 to 100 ms.
    fn answered() -> Latency {
        let mut histogram = LatencyHistogram::new();
        (1..=100).for_each(|ms| histogram.record(SimDuration::from_millis(ms)));
        Latency::of(&histogram)
    }

    fn millis(time: Option<u64>) -> Option<u64> {
        time.map(|ns| (ns + 500_000) / 1_000_000)
    }

    #[test]
    fn without_failures_it_is_the_latency() {
        let (latency, all) = (answered(), Response::of(&answered(), 0, &[]));
        assert_eq!((all.p50, all.p99, all.p9999), (latency.p50, latency.p99, latency.p9999));
        assert_eq!((all.count, all.unanswered), (100, 0));
    }

    #[test]
    fn whoever_got_no_answer_waited_longer_than_any() {
        // A hundred answered of two hundred: the median is the slowest answer, and 90 % is beyond.
        let half = Response::of(&answered(), 100, &[]);
        assert_eq!((millis(half.p50), half.p90), (Some(100), None));
        // Eleven of 111: 90 % of them are a hundred.
        let tenth = Response::of(&answered(), 11, &[]);
        assert_eq!((millis(tenth.p50), millis(tenth.p90), tenth.p95), (Some(56), Some(100), None));
        let nobody = Response::of(&Latency::default(), 5, &[]);
        assert_eq!((nobody.count, nobody.p50, nobody.is_empty()), (5, None, false));
        assert!(Response::of(&Latency::default(), 0, &[]).is_empty());
    }

    #[test]
    fn who_still_waits_counts_for_as_long_as_it_has() {
        let ms = 1_000_000;
        // Two that have waited for 10 ms say nothing of longer times.
        let young = Response::of(&answered(), 0, &[(10 * ms, 2)]);
        assert_eq!((millis(young.p50), millis(young.p99)), (Some(50), Some(99)));
        // A hundred that have waited for a second are longer than all of those.
        let old = Response::of(&answered(), 0, &[(1_000 * ms, 100)]);
        assert_eq!((millis(old.p50), old.p90), (Some(100), None));
        // Of both kinds: 100 answers and 50 that wait longer than any of them.
        let both = Response::of(&answered(), 0, &[(ms, 7), (200 * ms, 50)]);
        assert_eq!((millis(both.p50), both.p90), (Some(75), None));
    }
}
