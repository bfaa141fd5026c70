//! How a breaker comes back: how long it stays open each time, how long it waits for probes, and how much passes once it has
//! closed.
//!
//! Breakers that opened together half-open together, close together, and let everything pass in the same instant: what they
//! protect is felled again by all of them at once. Three things take them apart. *Jitter*: each open time is multiplied by a
//! random number between `1 - jitter` and `1 + jitter` (resilience4j's `IntervalFunction.ofRandomized`). *Growth*: each time in a row
//! that it opens again it stays open `factor` times as long, up to a cap (resilience4j's `ofExponentialBackoff`, failsafe-go's
//! `WithDelayFunc`, Polly's `BreakDurationGenerator`). *Ramp*: once it has closed, the share of what passes grows evenly from
//! nothing to all (asked for in failsafe#70; Envoy's `slow_start` is the same for hosts). It draws nothing: what passes is counted, so
//! that of a half every second one does.
//!
//! In resilience4j a breaker that is half-open waits for its probes for ever, or for `maxWaitDurationInHalfOpenState`; then it is
//! open again.

use crate::experiment::{Decoder, Node, POSITIVE};
use sim_core::{Key, SimDuration, SimTime, math};

spec! {
    /// How a breaker comes back.
    pub struct Recovery where check {
        /// Each time in a row that it opens again it stays open so many times as long.
        factor: f64 = 1.0; 1.0..=100.0,
        /// The longest that grows to, before jitter.
        cap: Option<SimDuration> = None; POSITIVE,
        /// Each time it is open is multiplied by a random number between one less and one more this.
        jitter: f64 = 0.0; 0.0..=1.0,
        /// Half-open for longer than this it opens again, whatever its probes say. Absent: probes that
        /// are out are given up `open_for` after the last of them.
        max_half_open: Option<SimDuration> = None; POSITIVE,
        /// Once it has closed, what passes grows from nothing to all over so long.
        ramp: Option<SimDuration> = None; POSITIVE,
    }
}

fn check(recovery: &Recovery, at: &Node, cx: &mut Decoder) {
    if recovery.cap.is_some() && recovery.factor == 1.0 {
        let message = "nothing grows that this could be the cap of";
        cx.at("cap", |cx| {
            _ = cx.error(at.span_of("cap"), message).help("write a `factor` above 1, or no `cap`")
        });
    }
}

/// Longer than any run.
const LONGEST: f64 = 1e18;

/// What one breaker remembers of it.
#[derive(Clone, Debug)]
pub(super) struct Recovering {
    recovery: Recovery,
    /// Where it draws: an address for each time that it opens.
    key: Key,
    opened: u64,
    /// Of them since it was last closed.
    in_a_row: u32,
    half_open_since: SimTime,
    /// As long as not all passes: since when, and what is owed of the next that does.
    ramp: Option<(SimTime, f64)>,
}

impl Recovering {
    pub(super) fn new(recovery: &Recovery, key: Key) -> Self {
        Recovering {
            recovery: recovery.clone(),
            key,
            opened: 0,
            in_a_row: 0,
            half_open_since: SimTime::ZERO,
            ramp: None,
        }
    }

    /// It opens: for how long.
    #[cold]
    pub(super) fn opens(&mut self, open_for: SimDuration) -> SimDuration {
        let Recovery { factor, cap, jitter, .. } = self.recovery;
        let grown = open_for.as_nanos() as f64 * math::powi(factor, self.in_a_row.min(1_000));
        let capped = grown.min(cap.map_or(LONGEST, |cap| cap.as_nanos() as f64));
        self.in_a_row += 1;
        self.opened += 1;
        self.ramp = None;
        if jitter == 0.0 {
            return SimDuration::from_nanos_f64(capped);
        }
        let unit = (self.key.child(self.opened).get() >> 11) as f64 / 9_007_199_254_740_992.0;
        SimDuration::from_nanos_f64((capped * (1.0 - jitter + 2.0 * jitter * unit)).min(LONGEST))
    }

    /// It closes.
    #[cold]
    pub(super) fn closes(&mut self, now: SimTime) {
        self.in_a_row = 0;
        self.ramp = self.recovery.ramp.map(|_| (now, 0.0));
    }

    /// Whether one may pass while it is closed.
    #[inline]
    pub(super) fn lets_pass(&mut self, now: SimTime) -> bool {
        let (Some((since, owed)), Some(over)) = (&mut self.ramp, self.recovery.ramp) else { return true };
        let share = now.since(*since).as_nanos() as f64 / over.as_nanos() as f64;
        if share >= 1.0 {
            self.ramp = None;
            return true;
        }
        *owed += share;
        let passes = *owed >= 1.0;
        *owed -= f64::from(u8::from(passes));
        passes
    }

    /// It lets probes pass from now on.
    #[cold]
    pub(super) fn half_opens(&mut self, now: SimTime) {
        self.half_open_since = now;
    }

    /// When it has been half-open for too long, if it is.
    pub(super) fn half_open_until(&self) -> Option<SimTime> {
        self.recovery.max_half_open.map(|longest| self.half_open_since + longest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::read;
    use super::*;

    fn state(text: &str, key: u64) -> Recovering {
        Recovering::new(&read::<Recovery>(text).unwrap().0, Key::root(1, key))
    }

    /// (how often it has opened since it was closed, seconds), with 10 s the first time.
    #[test]
    fn open_times_grow_until_it_closes() {
        let ten = SimDuration::from_secs(10);
        let mut plain = state("()", 0);
        assert!((0..9).all(|_| plain.opens(ten) == ten));
        let mut doubling = state(r#"(factor: 2, cap: "1min")"#, 0);
        let times: Vec<u64> = (0..5).map(|_| doubling.opens(ten).as_nanos() / 1_000_000_000).collect();
        assert_eq!(times, [10, 20, 40, 60, 60]);
        doubling.closes(SimTime::ZERO);
        assert_eq!(doubling.opens(ten), ten, "once closed it begins anew");
        let mut endless = state("(factor: 100)", 0);
        assert!((0..2_000).all(|_| endless.opens(ten) >= ten), "no overflow");
    }

    #[test]
    fn open_times_are_spread() {
        let ten = SimDuration::from_secs(10);
        let mut all = Vec::new();
        for client in 0..2_000 {
            all.push(state("(jitter: 0.5)", client).opens(ten).as_secs_f64());
        }
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let spread =
            (all.iter().map(|time| (time - mean) * (time - mean)).sum::<f64>() / all.len() as f64).sqrt();
        assert!(all.iter().all(|time| (5.0..15.0).contains(time)));
        // Uniform over 10 s: the deviation is 10 / sqrt(12), that of the mean 0.065.
        assert!((mean - 10.0).abs() < 0.26 && (spread - 2.887).abs() < 0.12, "{mean}, {spread}");
        let mut one = state("(jitter: 0.5)", 0);
        assert_ne!(one.opens(ten), one.opens(ten));
    }

    /// A call every 10 ms after it has closed: in the `k`-th tenth of the ramp `k - 1/2` of ten pass, in all half of them.
    #[test]
    fn what_passes_grows() {
        let mut ramp = state(r#"(ramp: "1s")"#, 0);
        assert!(ramp.lets_pass(SimTime::ZERO), "it was never open");
        ramp.opens(SimDuration::from_secs(1));
        ramp.closes(SimTime::from_secs(5));
        let mut tenths = [0; 11];
        for call in 0..110 {
            let now = SimTime::from_secs(5) + SimDuration::from_millis(10 * call);
            tenths[(call / 10) as usize] += u32::from(ramp.lets_pass(now));
        }
        assert_eq!(tenths[10], 10);
        assert_eq!(tenths.iter().sum::<u32>() - 10, 49);
        assert!(tenths.windows(2).all(|two| two[0] <= two[1]), "{tenths:?}");
    }
}
