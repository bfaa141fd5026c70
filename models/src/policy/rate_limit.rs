//! A limit on the rate at which one client makes calls, or sends attempts.
//!
//! | kind | lets through | within any time `t` at most | known from |
//! |---|---|---|---|
//! | token bucket | what there are tokens for | `burst + rate t` | Guava, `golang.org/x/time/rate`, Envoy's local limit |
//! | leaky bucket | one each `1 / rate`, the others wait | `1 + rate t` | nginx `limit_req` |
//! | fixed window | so many each time the clock strikes | `2 limit` in one `window` | resilience4j, GitHub's API |
//! | sliding window | by the share of the window before that is still in sight | about `limit` in one `window` | Cloudflare, Kong |
//! | sliding log | by the times of the last `limit` | `limit` in one `window` | Redis recipes |
//!
//! A bucket is kept as the time at which it is full again (GCRA, ITU-T I.371), so nothing is rounded and nothing need be
//! filled by a clock. Who may wait is told at once for how long, and has its turn from then on, as in Guava and resilience4j: a
//! caller that gives up while it waits has used it. Who would wait longer than it may is refused at once.
//!
//! A limit knows nothing of the service: too low it refuses what would have been served, too high it refuses nothing that hurts.
//! A fixed window lets twice its limit through around the stroke. Behind a leaky bucket calls arrive evenly, and what Poisson
//! arrivals wait for it is M/D/1.

use super::page::Page;
use super::part::{Around, Does, Part, Worst};
use super::waits;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Section;
use sim_core::{Rate, SimDuration, SimTime};
use std::collections::VecDeque;

spec! {
    /// A limit on the rate at which one client makes calls, or sends attempts.
    pub enum RateLimit where check {
        /// A bucket that fills at a rate; each call takes a token.
        TokenBucket {
            /// Tokens per second: calls, in the long run.
            rate: Rate; POSITIVE,
            /// Tokens that it holds, and begins with: calls at once after a pause.
            burst: u32 = 1; 1..=1_000_000,
            /// How long a call waits for its token before it is refused; not at all if absent.
            max_wait: Option<SimDuration> = None; POSITIVE.or("nobody could wait"),
            /// Whether it counts calls, or each attempt that is sent.
            counts: Counts = Counts::Calls,
        },
        /// Calls leave one by one, evenly; the others wait.
        LeakyBucket {
            /// Calls per second.
            rate: Rate; POSITIVE,
            /// The most calls that wait; one more is refused.
            capacity: u32; 1..=1_000_000,
        },
        /// So many calls in each window by the clock.
        FixedWindow {
            /// Calls in one window.
            limit: u32; 1..=1_000_000_000,
            /// How long a window is.
            window: SimDuration; POSITIVE,
            /// How long a call waits for a window with room before it is refused; not at all if absent.
            max_wait: Option<SimDuration> = None; POSITIVE.or("nobody could wait"),
            /// Whether it counts calls, or each attempt that is sent.
            counts: Counts = Counts::Calls,
        },
        /// About so many calls in the last window: what was let through in the one before by the clock counts by the share
        /// of it that is still in sight.
        SlidingWindow {
            /// Calls in one window.
            limit: u32; 1..=1_000_000_000,
            /// How long a window is.
            window: SimDuration; POSITIVE,
            /// Whether it counts calls, or each attempt that is sent.
            counts: Counts = Counts::Calls,
        },
        /// So many calls in the last window, exactly.
        SlidingLog {
            /// Calls in one window, each of which is remembered.
            limit: u32; 1..=100_000,
            /// How long a window is.
            window: SimDuration; POSITIVE,
            /// Whether it counts calls, or each attempt that is sent.
            counts: Counts = Counts::Calls,
        },
    }
}

spec! {
    /// What a rate limit counts.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Counts {
        /// Each call, once, before anything else is asked.
        Calls,
        /// Each attempt, before anything else is asked that lets attempts be sent.
        Attempts,
    }
}

/// What one client remembers.
#[derive(Clone, Debug)]
pub struct RateLimitState {
    counts: Counts,
    /// The longest that anybody waits.
    patience: SimDuration,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// One token comes each so long, and the bucket is full at `full_at`; how long before that it still pays at once.
    Bucket { each: SimDuration, room: SimDuration, full_at: SimTime },
    /// So many are let through in window `number`, the last in which any is.
    Fixed { limit: u32, window: u64, number: u64, used: u32 },
    /// The same, and those of the window before.
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
            Kind::Fixed { used, .. } | Kind::Sliding { used, .. } => *used -= 1,
            Kind::Log(log) => _ = log.2.pop_back(),
        }
    }
}

impl RateLimit {
    /// Whether it counts calls, or attempts.
    pub fn counts(&self) -> Counts {
        match self {
            RateLimit::TokenBucket { counts, .. }
            | RateLimit::FixedWindow { counts, .. }
            | RateLimit::SlidingWindow { counts, .. }
            | RateLimit::SlidingLog { counts, .. } => *counts,
            RateLimit::LeakyBucket { .. } => Counts::Calls,
        }
    }

    /// Whether calls wait for their turn.
    pub fn waits(&self) -> bool {
        !RateLimitState::new(self).patience.is_zero()
    }

    /// Calls per second in the long run, and at once.
    fn sustained(&self) -> (f64, u32) {
        match *self {
            RateLimit::TokenBucket { rate, burst, .. } => (rate.get(), burst),
            RateLimit::LeakyBucket { rate, .. } => (rate.get(), 1),
            RateLimit::FixedWindow { limit, window, .. }
            | RateLimit::SlidingWindow { limit, window, .. }
            | RateLimit::SlidingLog { limit, window, .. } => (f64::from(limit) / window.as_secs_f64(), limit),
        }
    }
}

/// A section of what waits here, declared.
pub(super) fn declared(at: &str) -> Section {
    waits::declared("rate_limits", at, "a turn")
}

/// An attempt has no timer of its own before it is sent, so it does not wait.
fn check(limit: &RateLimit, at: &Node, cx: &mut Decoder) {
    if limit.counts() == Counts::Attempts && limit.waits() {
        cx.error(
            at.span_of("max_wait"),
            "an attempt does not wait for its turn: leave out `max_wait`, or count calls (`counts: Calls`)",
        );
    }
}

impl Part for RateLimit {
    fn does(&self) -> Does {
        if self.waits() { Does::REFUSES.and(Does::DELAYS) } else { Does::REFUSES }
    }

    fn brief(&self) -> Option<String> {
        let (rate, _) = self.sustained();
        let of = if self.counts() == Counts::Calls { "calls" } else { "attempts" };
        Some(format!("at most {} {of}/s", (rate * 1000.0).round() / 1000.0))
    }

    fn bytes(&self, _replicas: u32) -> u64 {
        match self {
            RateLimit::SlidingLog { limit, .. } => 8 * u64::from(limit.next_power_of_two()) + 48,
            _ => 0,
        }
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        if self.waits() { vec![declared(at)] } else { Vec::new() }
    }

    fn worst(&self) -> Worst {
        Worst { line: Some(RateLimitState::new(self).patience), ..Worst::ONCE }
    }

    /// Who waits longer than the whole call may take is never refused, but always too late.
    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let Some(whole) = around.worst().call else { return };
        let wait = RateLimitState::new(self).patience;
        if wait >= whole {
            let message =
                format!("no call waits {wait} for its turn: the deadline ends every call after {whole}");
            cx.at("rate_limit", |cx| _ = cx.warn(at.span_of("rate_limit"), message));
        }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let ((rate, burst), of) =
            (self.sustained(), if self.counts() == Counts::Calls { "calls" } else { "attempts" });
        let rate = if rate < 1.0 {
            format!("{:.2}", rate * 3600.0)
        } else {
            format!("{}", (rate * 1000.0).round() / 1000.0)
        };
        let per = if self.sustained().0 < 1.0 { "hour" } else { "s" };
        let at_once = match self {
            RateLimit::LeakyBucket { .. } => "one by one".into(),
            RateLimit::FixedWindow { window, .. } => {
                format!("and up to {} within {window} around the end of a window", 2 * u64::from(burst))
            }
            _ => format!("{burst} at once"),
        };
        vec![format!(
            "{}: each client makes at most {rate} {of}/{per} in the long run, {at_once}",
            around.name
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "rate_limit",
            word: "",
            what: "Limits the rate at which one client makes calls, or sends attempts. What is over the limit fails, or waits for its \
                   turn, which it is told at once.",
            hurts: "It knows nothing of the service: too low it refuses what would have been served, too high it refuses nothing that \
                    hurts, and a thousand clients that each keep to it are a thousand times as much. A fixed window lets twice its \
                    limit through around the stroke.",
            formula: "within any time `t` at most `burst + rate t` (token bucket), `1 + rate t` (leaky bucket), `2 limit` in one window \
                      (fixed), `limit` in one window (log); behind a leaky bucket Poisson arrivals wait as in M/D/1",
            source: "ITU-T I.371 (generic cell rate algorithm); Guava RateLimiter; nginx limit_req; resilience4j RateLimiter; Envoy's \
                     local rate limit",
            experiment: "rate-limits",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"TokenBucket(rate: "100/s", burst: 5)"#,
            r#"TokenBucket(rate: "50/s", counts: Attempts)"#,
            r#"TokenBucket(rate: "100/s", burst: 2, max_wait: "20ms")"#,
            r#"LeakyBucket(rate: "100/s", capacity: 3)"#,
            r#"FixedWindow(limit: 5, window: "100ms")"#,
            r#"FixedWindow(limit: 2, window: "20ms", max_wait: "50ms")"#,
            r#"SlidingWindow(limit: 5, window: "100ms", counts: Attempts)"#,
            r#"SlidingLog(limit: 3, window: "50ms")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

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

    #[test]
    fn an_attempt_does_not_wait() {
        let said =
            read::<RateLimit>(r#"TokenBucket(rate: "10/s", max_wait: "1s", counts: Attempts)"#).unwrap_err();
        assert!(said.contains("an attempt does not wait"), "{said}");
    }
}
