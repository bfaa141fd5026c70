//! Calls by when they began, and what became of them: what a verdict is made of.

use sim_core::stats::LatencyHistogram;
use sim_core::stats::count;
use sim_core::{SimDuration, SimTime};

/// An answer that takes longer than so many times the 99th percentile of what was usual is late. What is usual varies with
/// luck and with the seed by less; twice would be heard as slower, not as broken.
const USUAL: u64 = 3;

/// Counts, per window in which they began, the calls of users that ended well, and those that did so in time.
///
/// What is in time is said, or found when something is about to go wrong for the first time: until then all is.
#[derive(Clone, Debug)]
pub struct Cohorts {
    /// Nanoseconds.
    window: u64,
    /// The longest that is in time, in nanoseconds, if it is known.
    within: Option<u64>,
    /// When it must be known, in nanoseconds: never, unless something goes wrong.
    known_from: u64,
    /// Of each window that is over.
    ok: Vec<u64>,
    in_time: Vec<u64>,
    failed: Vec<u64>,
    /// Where the window begins that is not over, in nanoseconds, and the same of that one: most calls end in the window
    /// in which they began, and need not look for it.
    since: u64,
    last_ok: u64,
    last_in_time: u64,
    last_failed: u64,
}

impl Cohorts {
    /// For windows of this length. `within` is what is in time; without, that is found at `struck`, if that comes.
    pub fn new(window: SimDuration, within: Option<SimDuration>, struck: Option<SimTime>) -> Self {
        Cohorts {
            window: window.as_nanos(),
            within: within.map(SimDuration::as_nanos),
            known_from: struck.filter(|_| within.is_none()).map_or(u64::MAX, SimTime::as_nanos),
            ok: Vec::new(),
            in_time: Vec::new(),
            since: 0,
            last_ok: 0,
            last_in_time: 0,
            failed: Vec::new(),
            last_failed: 0,
        }
    }

    /// What is in time is known from when it is in another, unless that moment has come: then it is known already, or about to be.
    pub fn struck_as(&mut self, other: &Cohorts, now: SimTime) {
        if other.known_from > now.as_nanos() {
            self.known_from = other.known_from;
        }
    }

    /// Something goes wrong now that nobody could foresee: what is in time is known from here on.
    pub fn struck_at(&mut self, now: SimTime) {
        if self.within.is_none() {
            self.known_from = self.known_from.min(now.as_nanos());
        }
    }

    /// A call has ended well. `usual` are the response times so far.
    #[inline(always)]
    pub fn ok(&mut self, began: SimTime, now: SimTime, usual: &LatencyHistogram) {
        if now.as_nanos() >= self.known_from {
            self.learn(usual);
        }
        let took = now.since(began).as_nanos();
        let in_time = u64::from(self.within.is_none_or(|within| took <= within));
        if began.as_nanos() < self.since {
            return self.ok_of_before(began, in_time);
        }
        count(&mut self.last_ok);
        self.last_in_time += in_time;
    }

    /// The same of a call that began in a window that is over.
    #[inline(never)]
    fn ok_of_before(&mut self, began: SimTime, in_time: u64) {
        let window = (began.as_nanos() / self.window) as usize;
        self.ok[window] += 1;
        self.in_time[window] += in_time;
    }

    /// A call has ended otherwise.
    #[inline]
    pub fn failed(&mut self, began: SimTime) {
        match began.as_nanos() < self.since {
            true => self.failed[(began.as_nanos() / self.window) as usize] += 1,
            false => self.last_failed += 1,
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.since += self.window;
        self.ok.push(std::mem::take(&mut self.last_ok));
        self.in_time.push(std::mem::take(&mut self.last_in_time));
        self.failed.push(std::mem::take(&mut self.last_failed));
    }

    #[cold]
    #[inline(never)]
    fn learn(&mut self, usual: &LatencyHistogram) {
        self.known_from = u64::MAX;
        self.within = usual.percentile_ns(99.0).map(|usual| usual.saturating_mul(USUAL));
    }

    /// What is in time, in nanoseconds, if that is known: whoever asks may be the first to come since it can be.
    pub fn within(&mut self, now: SimTime, usual: &LatencyHistogram) -> Option<u64> {
        if now.as_nanos() >= self.known_from {
            self.learn(usual);
        }
        self.within
    }

    /// Of calls that began in each window that is over: those that ended well, and those that did in time.
    pub fn closed(&self) -> (Vec<u64>, Vec<u64>) {
        (self.ok.clone(), self.in_time.clone())
    }

    /// Of the same, those that have ended otherwise.
    pub fn failed_by_window(&self) -> &[u64] {
        &self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_count_where_they_began() {
        let second = SimTime::from_secs;
        let mut usual = LatencyHistogram::new();
        (0..100).for_each(|_| usual.record(SimDuration::from_secs(1)));
        let mut cohorts = Cohorts::new(SimDuration::from_secs(10), None, Some(second(15)));
        // Whatever takes long before anything goes wrong is normal.
        cohorts.ok(second(1), second(9), &usual);
        cohorts.close_window();
        cohorts.ok(second(2), second(14), &usual);
        assert_eq!(cohorts.within(second(14), &usual), None);
        // If nobody was served any more it would be known all the same.
        let known = cohorts.clone().within(second(99), &usual);
        assert!(known.is_some_and(|within| within.abs_diff(3_000_000_000) < 5_000_000), "{known:?}");
        // Three seconds are in time from now on, and four are not.
        cohorts.ok(second(12), second(15), &usual);
        cohorts.ok(second(13), second(17), &usual);
        cohorts.ok(second(3), second(18), &usual);
        cohorts.close_window();
        assert!(
            cohorts
                .within(second(99), &usual)
                .is_some_and(|within| within.abs_diff(3_000_000_000) < 5_000_000)
        );
        assert_eq!(cohorts.closed(), (vec![3, 2], vec![2, 1]));
        // A call of the first window, and one of that which is not over.
        cohorts.failed(second(9));
        cohorts.failed(second(21));
        cohorts.close_window();
        assert_eq!(cohorts.failed_by_window(), [1, 0, 1]);
        let mut said =
            Cohorts::new(SimDuration::from_secs(10), Some(SimDuration::from_secs(2)), Some(second(15)));
        said.ok(second(1), second(3), &usual);
        said.ok(second(1), second(4), &usual);
        said.close_window();
        assert_eq!(
            (said.within(second(99), &usual), said.closed()),
            (Some(2_000_000_000), (vec![2], vec![1]))
        );
    }
}
