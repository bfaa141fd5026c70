//! Kubernetes' `CrashLoopBackOff`: a container that is killed again and again waits before it starts.
//!
//! The first start after a kill comes at once, the second waits `initial`, and each one after that twice as long as the one before, up to
//! `cap`. A container that has lived for longer than `reset_after` since its last start begins anew.

use crate::experiment::{Decoder, Node, POSITIVE};
use sim_core::{SimDuration, SimTime};

spec! {
    /// How long a container that is killed again and again waits before it starts.
    #[derive(Copy)]
    pub struct CrashLoopBackoff where check {
        /// The wait before the second start; the first comes at once, and each later one waits twice as long.
        initial: SimDuration = SimDuration::from_secs(10); POSITIVE,
        /// The longest wait.
        cap: SimDuration = SimDuration::from_secs(300); POSITIVE,
        /// Who has lived for longer than this begins anew.
        reset_after: SimDuration = SimDuration::from_secs(600); POSITIVE,
    }
}

fn check(backoff: &CrashLoopBackoff, at: &Node, cx: &mut Decoder) {
    if backoff.cap < backoff.initial {
        let span = at.get("cap").or(at.get("initial")).unwrap_or(at).span;
        cx.error(span, format!("`cap` {} is less than `initial` {}", backoff.cap, backoff.initial));
    }
}

impl Default for CrashLoopBackoff {
    fn default() -> Self {
        CrashLoopBackoff {
            initial: SimDuration::from_secs(10),
            cap: SimDuration::from_secs(300),
            reset_after: SimDuration::from_secs(600),
        }
    }
}

/// What is remembered of one container.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loop {
    /// When it started last after a kill, and how long it waits next time.
    last: Option<(SimTime, SimDuration)>,
}

impl Loop {
    /// It is killed: when it starts again.
    pub fn killed(&mut self, now: SimTime, backoff: &CrashLoopBackoff) -> SimTime {
        let last = self.last.filter(|(started, _)| now <= *started + backoff.reset_after);
        let wait = last.map_or(SimDuration::ZERO, |(_, wait)| wait);
        let next = last.map_or(backoff.initial, |(_, wait)| wait.saturating_mul(2).min(backoff.cap));
        self.last = Some((now + wait, next));
        now + wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kubelet's: at once, 10 s, twice as long each time, 5 min at most; anew after more than 10 min of life.
    #[test]
    fn each_wait_is_twice_the_last() {
        let mut one = Loop::default();
        let backoff = CrashLoopBackoff::default();
        let mut now = SimTime::from_secs(100);
        // How long it lives before it is killed, and how long it waits then.
        for (lives, waits) in [
            (50, 0),
            (1, 10),
            (1, 20),
            (600, 40),
            (1, 80),
            (1, 160),
            (1, 300),
            (1, 300),
            (601, 0),
            (1, 10),
            (601, 0),
        ] {
            now = now + SimDuration::from_secs(lives);
            let again = one.killed(now, &backoff);
            assert_eq!(again.since(now), SimDuration::from_secs(waits), "killed at {now}");
            now = again;
        }
    }
}
