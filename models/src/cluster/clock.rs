//! A node's own clock: it is wrong by something, and goes too fast or too slow.

use crate::distribution::TimeDistribution;
use crate::experiment::POSITIVE;
use sim_core::{SimDuration, SimTime};

spec! {
    /// How a clock is wrong.
    pub struct ClockSpec {
        /// By how many seconds it is ahead at the beginning; behind where it is less than none.
        ahead: f64 = 0.0; -1e6..=1e6,
        /// How much faster it goes, in millionths; slower where it is less than none.
        drift_ppm: f64 = 0.0; -100_000.0..=100_000.0,
        /// What sets it right; nothing unless given.
        ntp: Option<NtpSpec> = None,
    }
}

impl Default for ClockSpec {
    fn default() -> Self {
        ClockSpec { ahead: 0.0, drift_ppm: 0.0, ntp: None }
    }
}

spec! {
    /// A server whose time is right, asked again and again (NTP, RFC 5905). A node cannot tell the way there from the way back, and takes them for alike: its
    /// clock is then off by half of what they differ by.
    pub struct NtpSpec {
        /// How often it is asked.
        every: SimDuration = SimDuration::from_secs(64); POSITIVE,
        /// How long the question takes.
        there: TimeDistribution = TimeDistribution::constant(SimDuration::from_millis(10)),
        /// How long the answer takes.
        back: TimeDistribution = TimeDistribution::constant(SimDuration::from_millis(10)),
        /// A clock that is off by this or more is set at once; less is made good by going faster or slower (`ntpd`: 128 ms).
        steps_from: SimDuration = SimDuration::from_millis(128),
        /// How much faster or slower, in millionths (`ntpd`: 500).
        slew_ppm: f64 = 500.0; 1.0..=100_000.0,
    }
}

/// What a clock says, in nanoseconds. It cannot be held against what another says, unless somebody sees to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local(i64);

impl Local {
    /// So much later by the same clock.
    #[must_use]
    pub fn after(self, time: SimDuration) -> Self {
        Local(self.0.saturating_add_unsigned(time.as_nanos()))
    }

    /// How long before another it is, by the same clock; none if it is after.
    pub fn until(self, later: Local) -> SimDuration {
        SimDuration::from_nanos(later.0.saturating_sub(self.0).max(0) as u64)
    }

    /// In nanoseconds.
    pub fn as_nanos(self) -> i64 {
        self.0
    }
}

/// A clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// When it was set last, and what it said then.
    since: SimTime,
    said: i64,
    /// What it counts in a nanosecond.
    rate: f64,
}

impl Clock {
    /// One that is so wrong.
    pub fn new(spec: &ClockSpec) -> Self {
        Clock { since: SimTime::ZERO, said: (spec.ahead * 1e9) as i64, rate: 1.0 + spec.drift_ppm * 1e-6 }
    }

    /// What it says.
    pub fn says(&self, now: SimTime) -> Local {
        let passed = now.since(self.since).as_nanos();
        // Exact for as long as it is right; a clock that drifts is off by less than what is counted.
        let counted = if self.rate == 1.0 { passed as i64 } else { (passed as f64 * self.rate) as i64 };
        Local(self.said.saturating_add(counted))
    }

    /// How long it takes until it has counted so much.
    pub fn takes(&self, counted: SimDuration) -> SimDuration {
        if self.rate == 1.0 {
            return counted;
        }
        SimDuration::from_nanos((counted.as_nanos() as f64 / self.rate).ceil() as u64)
    }

    /// It jumps by so many nanoseconds, to and fro.
    pub fn steps(&mut self, now: SimTime, by: i64) {
        self.said = self.says(now).0.saturating_add(by);
        self.since = now;
    }

    /// From now on it goes at this rate.
    pub fn goes(&mut self, now: SimTime, rate: f64) {
        self.steps(now, 0);
        self.rate = rate;
    }

    /// By how much it is ahead of the true time, in nanoseconds.
    pub fn ahead(&self, now: SimTime) -> i64 {
        self.says(now).0.saturating_sub(now.as_nanos() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(ahead: f64, drift_ppm: f64) -> Clock {
        Clock::new(&ClockSpec { ahead, drift_ppm, ntp: None })
    }

    /// 200 ppm are 6 ms in 30 s (Corbett et al., Spanner, OSDI 2012, section 3).
    #[test]
    fn a_clock_drifts() {
        let at = SimTime::from_secs(30);
        for (ppm, off) in [(200.0, 6_000_000), (-200.0, -6_000_000), (0.0, 0)] {
            let clock = clock(0.0, ppm);
            assert!((clock.ahead(at) - off).abs() <= 1, "{ppm} ppm: {}", clock.ahead(at));
        }
    }

    #[test]
    fn what_a_timer_counts_is_what_its_clock_counts() {
        for ppm in [-100_000.0, -50.0, 0.0, 1.0, 100_000.0] {
            let clock = clock(-3.5, ppm);
            let (from, counts) = (SimTime::from_secs(7), SimDuration::from_millis(1_500));
            let rings = from + clock.takes(counts);
            let passed = clock.says(from).until(clock.says(rings));
            assert!(passed.as_nanos().abs_diff(counts.as_nanos()) <= 2, "{ppm}: {passed}");
        }
    }

    #[test]
    fn a_step_is_there_at_once_and_stays() {
        let mut clock = clock(0.5, 0.0);
        clock.steps(SimTime::from_secs(10), -1_000_000_000);
        assert_eq!(clock.ahead(SimTime::from_secs(10)), -500_000_000);
        assert_eq!(clock.ahead(SimTime::from_secs(90)), -500_000_000);
        clock.goes(SimTime::from_secs(90), 1.001);
        assert!((clock.ahead(SimTime::from_secs(91)) + 499_000_000).abs() <= 1);
        assert_eq!(
            clock.says(SimTime::from_secs(91)).until(clock.says(SimTime::from_secs(90))),
            SimDuration::ZERO
        );
    }
}
