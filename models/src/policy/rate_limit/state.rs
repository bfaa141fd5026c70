//! What one client remembers of its limit, and whose turn it is.

use super::{Begins, Counts, RateLimit};
use sim_core::{Rate, SimDuration, SimTime};
use std::collections::VecDeque;

/// What one client remembers.
#[derive(Clone, Debug)]
pub struct RateLimitState {
    counts: Counts,
    /// The longest that anybody waits.
    pub(super) patience: SimDuration,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// One token comes each so long, and the bucket is full at `full_at`; how long before that it still pays at once.
    Bucket { each: SimDuration, room: SimDuration, full_at: SimTime },
    /// So many are let through in window `number`, the last in which any is.
    Fixed { limit: u32, window: u64, number: u64, used: u32 },
    /// So many are let through before `until`, the end of the last window in which any is.
    FromFirst { limit: u32, window: SimDuration, until: SimTime, used: u32 },
    /// As fixed, and those of the window before.
    Sliding { limit: u32, window: u64, number: u64, used: u32, before: u32 },
    /// The times of the last that were let through.
    Log(Box<(SimDuration, usize, VecDeque<SimTime>)>),
}

/// When a call may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Now,
    /// So much later.
    In(SimDuration),
    /// Never.
    Refused,
}

impl RateLimitState {
    /// A client that has called nobody yet.
    pub fn new(limit: &RateLimit) -> Self {
        let each = |rate: Rate| SimDuration::from_nanos_f64(1e9 / rate.get());
        let nanos = |window: SimDuration| window.as_nanos();
        let (kind, patience) = match *limit {
            RateLimit::TokenBucket { rate, burst, max_wait, .. } => {
                let each = each(rate);
                let room = each.saturating_mul(u64::from(burst - 1));
                (Kind::Bucket { each, room, full_at: SimTime::ZERO }, max_wait)
            }
            RateLimit::LeakyBucket { rate, capacity } => {
                let each = each(rate);
                let bucket = Kind::Bucket { each, room: SimDuration::ZERO, full_at: SimTime::ZERO };
                (bucket, Some(each.saturating_mul(u64::from(capacity))))
            }
            RateLimit::FixedWindow { limit, window, max_wait, begins: Begins::WithFirst, .. } => {
                (Kind::FromFirst { limit, window, until: SimTime::ZERO, used: 0 }, max_wait)
            }
            RateLimit::FixedWindow { limit, window, max_wait, .. } => {
                (Kind::Fixed { limit, window: nanos(window), number: 0, used: 0 }, max_wait)
            }
            RateLimit::SlidingWindow { limit, window, .. } => {
                (Kind::Sliding { limit, window: nanos(window), number: 0, used: 0, before: 0 }, None)
            }
            RateLimit::SlidingLog { limit, window, .. } => {
                (Kind::Log(Box::new((window, limit as usize, VecDeque::new()))), None)
            }
        };
        RateLimitState { counts: limit.counts(), patience: patience.unwrap_or_default(), kind }
    }

    /// Whether it counts calls, or attempts.
    #[inline]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// One more asks. Who is not refused is let through, at the time that it is told.
    #[must_use]
    pub fn ask(&mut self, now: SimTime) -> Turn {
        let wait = match &mut self.kind {
            Kind::Bucket { each, room, full_at } => {
                let full = (*full_at).max(now);
                let wait = full.since(now).saturating_sub(*room);
                if wait > self.patience {
                    return Turn::Refused;
                }
                *full_at = full + *each;
                wait
            }
            Kind::Fixed { limit, window, number, used } => {
                let present = now.since(SimTime::ZERO).as_nanos() / *window;
                let (mut at, mut there) = if present > *number { (present, 0) } else { (*number, *used) };
                if there == *limit {
                    (at, there) = (at + 1, 0);
                }
                let begins = SimTime::from_nanos(at.saturating_mul(*window)).max(now);
                let wait = begins.since(now);
                if wait > self.patience {
                    return Turn::Refused;
                }
                (*number, *used) = (at, there + 1);
                wait
            }
            Kind::FromFirst { limit, window, until, used } => {
                let begins = match now >= *until {
                    true => Some(now),
                    false => (*used == *limit).then_some(*until),
                };
                let (end, there) = begins.map_or((*until, *used), |begins| (begins + *window, 0));
                // Whoever is let into a window that is still to come waits for it.
                let wait = SimTime::from_nanos(end.as_nanos() - window.as_nanos()).max(now).since(now);
                if wait > self.patience {
                    return Turn::Refused;
                }
                (*until, *used) = (end, there + 1);
                wait
            }
            Kind::Sliding { limit, window, number, used, before } => {
                let nanos = now.since(SimTime::ZERO).as_nanos();
                let (present, passed) = (nanos / *window, nanos % *window);
                if present > *number {
                    *before = if present == *number + 1 { *used } else { 0 };
                    (*number, *used) = (present, 0);
                }
                let in_sight = u128::from(*before) * u128::from(*window - passed);
                let there = in_sight + u128::from(*used) * u128::from(*window);
                if there >= u128::from(*limit) * u128::from(*window) {
                    return Turn::Refused;
                }
                *used += 1;
                SimDuration::ZERO
            }
            Kind::Log(log) => {
                let (window, limit, times) = &mut **log;
                if times.len() == *limit {
                    if times[0] + *window > now {
                        return Turn::Refused;
                    }
                    times.pop_front();
                }
                times.push_back(now);
                SimDuration::ZERO
            }
        };
        if wait.is_zero() { Turn::Now } else { Turn::In(wait) }
    }
}

impl RateLimitState {
    /// Who was let through at once just now was not sent after all.
    #[cold]
    pub fn take_back(&mut self) {
        match &mut self.kind {
            Kind::Bucket { each, full_at, .. } => {
                *full_at = SimTime::from_nanos(full_at.as_nanos().saturating_sub(each.as_nanos()));
            }
            Kind::FromFirst { until, used, .. } => {
                *used -= 1;
                // A window that nobody is in has not begun.
                *until = if *used == 0 { SimTime::ZERO } else { *until };
            }
            Kind::Fixed { used, .. } | Kind::Sliding { used, .. } => *used -= 1,
            Kind::Log(log) => _ = log.2.pop_back(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    fn state(text: &str) -> RateLimitState {
        RateLimitState::new(&read::<RateLimit>(text).unwrap().0)
    }

    /// At so many milliseconds, and for how many it is told to wait; `None` is refused.
    #[test]
    fn who_goes_when() {
        let go = Some(0);
        for (text, asked) in [
            (
                r#"TokenBucket(rate: "10/s", burst: 2)"#,
                &[
                    (0, go),
                    (0, go),
                    (0, None),
                    (99, None),
                    (100, go),
                    (100, None),
                    (900, go),
                    (900, go),
                    (900, None),
                ][..],
            ),
            // Guava's and Go's reservations: each wait is told at once, and what is refused takes nothing.
            (
                r#"TokenBucket(rate: "10/s", max_wait: "200ms")"#,
                &[
                    (0, go),
                    (0, Some(100)),
                    (0, Some(200)),
                    (0, None),
                    (50, None),
                    (100, Some(200)),
                    (101, None),
                ],
            ),
            (
                r#"LeakyBucket(rate: "10/s", capacity: 2)"#,
                &[
                    (0, go),
                    (0, Some(100)),
                    (0, Some(200)),
                    (0, None),
                    (100, Some(200)),
                    (1000, go),
                    (1030, Some(70)),
                ],
            ),
            // resilience4j: what this cycle has no room for may have it in one to come.
            (
                r#"FixedWindow(limit: 2, window: "1s", max_wait: "1500ms")"#,
                &[
                    (600, go),
                    (600, go),
                    (600, Some(400)),
                    (700, Some(300)),
                    (700, Some(1300)),
                    (1600, Some(400)),
                    (1600, Some(1400)),
                    (1600, Some(1400)),
                    (1600, None),
                ],
            ),
            // Twice the limit around the stroke.
            (
                r#"FixedWindow(limit: 2, window: "1s")"#,
                &[(999, go), (999, go), (999, None), (1000, go), (1000, go), (1000, None), (5000, go)],
            ),
            // Its window begins when it is needed: the second at 1,700 ms, not at 1,600.
            (
                r#"FixedWindow(limit: 2, window: "1s", begins: WithFirst)"#,
                &[(600, go), (1599, go), (1599, None), (1700, go), (1700, go), (2699, None), (2700, go)],
            ),
            (
                r#"FixedWindow(limit: 1, window: "1s", begins: WithFirst, max_wait: "2s")"#,
                &[
                    (600, go),
                    (600, Some(1000)),
                    (700, Some(1900)),
                    (700, None),
                    (1599, None),
                    (1600, Some(2000)),
                ],
            ),
            // Cloudflare: 4 of the window before, 3/4 of it in sight, leave room for one at 1,250 ms.
            (
                r#"SlidingWindow(limit: 4, window: "1s")"#,
                &[
                    (900, go),
                    (900, go),
                    (900, go),
                    (900, go),
                    (900, None),
                    (1000, None),
                    (1250, go),
                    (1250, None),
                    (1500, go),
                    (1500, None),
                    (4000, go),
                ],
            ),
            (
                r#"SlidingLog(limit: 2, window: "1s")"#,
                &[(600, go), (900, go), (1599, None), (1600, go), (1899, None), (1900, go), (1900, None)],
            ),
        ] {
            let mut limit = state(text);
            for (number, &(at, expected)) in asked.iter().enumerate() {
                let told = match limit.ask(SimTime::from_nanos(at * 1_000_000)) {
                    Turn::Now => Some(0),
                    Turn::In(wait) => Some(wait.as_nanos() / 1_000_000),
                    Turn::Refused => None,
                };
                assert_eq!(told, expected, "{text}, {number}: at {at} ms");
            }
        }
    }

    #[test]
    fn what_was_not_sent_is_as_if_it_had_not_asked() {
        for text in [
            r#"TokenBucket(rate: "1/s", counts: Attempts)"#,
            r#"FixedWindow(limit: 1, window: "1s", counts: Attempts)"#,
            r#"FixedWindow(limit: 1, window: "1s", begins: WithFirst, counts: Attempts)"#,
            r#"SlidingWindow(limit: 1, window: "1s", counts: Attempts)"#,
            r#"SlidingLog(limit: 1, window: "1s", counts: Attempts)"#,
        ] {
            let mut limit = state(text);
            let now = SimTime::from_secs(5);
            assert_eq!(limit.ask(now), Turn::Now, "{text}");
            assert_eq!(limit.ask(now), Turn::Refused, "{text}");
            limit.take_back();
            assert_eq!(limit.ask(now), Turn::Now, "{text}");
            assert_eq!(limit.ask(now), Turn::Refused, "{text}");
        }
    }

    /// The window that begins with the first begins with the first that is sent.
    #[test]
    fn who_was_not_sent_begins_no_window() {
        let mut limit = state(r#"FixedWindow(limit: 1, window: "1s", begins: WithFirst, counts: Attempts)"#);
        let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
        assert_eq!(limit.ask(at(5_000)), Turn::Now);
        limit.take_back();
        for (millis, expected) in [(5_500, Turn::Now), (6_200, Turn::Refused), (6_500, Turn::Now)] {
            assert_eq!(limit.ask(at(millis)), expected, "at {millis} ms");
        }
    }
}
