//! A limit on the rate at which one client makes calls, or sends attempts.
//!
//! | kind | lets through | within any time `t` at most | known from |
//! |---|---|---|---|
//! | token bucket | what there are tokens for | `burst + rate t` | Guava, `golang.org/x/time/rate`, Envoy's local limit |
//! | leaky bucket | one each `1 / rate`, the others wait | `1 + rate t` | nginx `limit_req` |
//! | fixed window | so many each time the clock strikes, or from the first on | `2 limit` in one `window` | resilience4j, GitHub's API; tower |
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

mod state;

use super::page::Page;
use super::part::{Around, Does, Part, Worst};
use super::waits;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Section;
use sim_core::{Rate, SimDuration, SimTime};
pub use state::{RateLimitState, Turn};

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
        /// So many calls in each window.
        FixedWindow {
            /// Calls in one window.
            limit: u32; 1..=1_000_000_000,
            /// How long a window is.
            window: SimDuration; POSITIVE,
            /// How long a call waits for a window with room before it is refused; not at all if absent.
            max_wait: Option<SimDuration> = None; POSITIVE.or("nobody could wait"),
            /// When a window begins.
            begins: Begins = Begins::ByClock,
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
    /// When a fixed window begins.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Begins {
        /// Each time the clock strikes: resilience4j, GitHub's API.
        ByClock,
        /// With the first call after the one before is over: tower.
        WithFirst,
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

/// Nobody asks whether it lets more in at one instant: users in a loop are no more.
const MOST_USERS: u64 = 1_000_000;

/// A section of what waits here, declared.
pub(super) fn declared(at: &str) -> Section {
    waits::declared("rate_limits", at, "calls", "a turn")
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

    fn lets_in(&self) -> Option<u64> {
        let mut state = RateLimitState::new(self);
        let lets_in = (0..=MOST_USERS).take_while(|_| state.ask(SimTime::ZERO) != Turn::Refused);
        (self.counts() == Counts::Calls).then(|| lets_in.count() as u64)
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
            r#"FixedWindow(limit: 3, window: "50ms", begins: WithFirst, counts: Attempts)"#,
            r#"SlidingWindow(limit: 5, window: "100ms", counts: Attempts)"#,
            r#"SlidingLog(limit: 3, window: "50ms")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn an_attempt_does_not_wait() {
        let said =
            read::<RateLimit>(r#"TokenBucket(rate: "10/s", max_wait: "1s", counts: Attempts)"#).unwrap_err();
        assert!(said.contains("an attempt does not wait"), "{said}");
    }
}
