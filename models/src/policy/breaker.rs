//! Stops sending to what keeps failing, and probes whether it is back.
//!
//! ```text
//!            too many failures                open_for has passed
//!   closed ---------------------> open ------------------------------> half-open
//!     ^                             ^                                   |     |
//!     |                             +------------ probes failed --------+     |
//!     +---------------------------------------- probes succeeded -------------+
//! ```
//!
//! No other step exists, nothing passes while it is open, and it stays open for `open_for` to the
//! nanosecond. It is passive: it becomes half-open when somebody asks after that, not by a timer.
//!
//! # When it opens
//! *Consecutive*: after `k` failures in a row. At failure probability `p` that takes
//! `(1 - p^k) / (p^k (1 - p))` calls on average: 62 for five in a row at 50 %, 3.4 million at 5 %.
//! *Failure rate*: when at least `threshold` of the calls in the window failed and the window holds at least
//! `minimum_calls`. Below the threshold it opens by bad luck with a binomial tail, far likelier with 10
//! calls in the window than with 100.
//!
//! An attempt that the deadline of its call cuts off counts as timed out: it was not answered in time either.
//!
//! # Half-open
//! At most `probes` calls are let in. Consecutive closes when all succeeded and reopens at the first
//! failure; failure rate waits for all and compares their rate with the threshold, as resilience4j does.
//! A probe that its caller cancelled gives its place back. Probes that never return do not wedge it (they
//! do in resilience4j, issue 903): once all places are taken and the last was taken `open_for` ago, those
//! still out are given up and their places are free again.
//!
//! # Permits
//! Each step starts a new *epoch*, and so does giving probes up. A permit remembers the epoch that admitted
//! it: what comes back from an earlier one changes nothing. Without this a success sent before the outage
//! and answered late would close a breaker that was about to learn the truth.

mod tally;
mod watch;

use super::outcome::{ANY_SENT, Failure, OnList, Outcome, OutcomeSet};
use super::page::Page;
use super::part::{Around, Does, Part};
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Section;
use sim_core::{SimDuration, SimTime};
use std::num::NonZeroU32;
use tally::{Tally, Threshold};
pub use watch::Watch;

spec! {
    /// Stops sending to what keeps failing, and probes whether it is back. One per client.
    pub enum Breaker where check {
        /// Opens after failures in a row.
        Consecutive {
            /// Failures in a row that open it.
            failures: u32 = DEFAULT_FAILURES; 1..=1_000_000,
            /// How long nothing passes.
            open_for: SimDuration = DEFAULT_OPEN_FOR; POSITIVE.or("it would never be open"),
            /// Calls let in to probe; all must succeed.
            probes: u32 = DEFAULT_PROBES; 1..=10_000,
            /// What counts as a failure; every other answer is a success.
            on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Sent,
            /// Whether it sees each attempt or each call.
            scope: Scope = Scope::Attempt,
        },
        /// Opens when the rate of failures in a window is too high. The defaults are resilience4j's.
        FailureRate {
            /// Fraction of failures that opens it (reaching it is enough).
            threshold: f64 = DEFAULT_THRESHOLD; 0.0..=1.0,
            /// Which calls the rate is taken over.
            window: Window = Window::Count(DEFAULT_WINDOW_CALLS),
            /// Calls that must be in the window before it opens; at most those a count window holds.
            minimum_calls: u32 = DEFAULT_MINIMUM_CALLS; 1..=1_000_000,
            /// How long nothing passes.
            open_for: SimDuration = DEFAULT_RATE_OPEN_FOR; POSITIVE.or("it would never be open"),
            /// Calls let in to probe; their rate of failures decides.
            probes: u32 = DEFAULT_RATE_PROBES; 1..=10_000,
            /// What counts as a failure; every other answer is a success.
            on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Sent,
            /// Whether it sees each attempt or each call.
            scope: Scope = Scope::Attempt,
        },
    }
}

spec! {
    /// Which calls a failure rate is taken over.
    pub enum Window {
        /// The last so many.
        Count(calls: u32; 1..=10_000),
        /// Those that ended in the last so long, in ten buckets: the oldest tenth leaves at once.
        Time(length: SimDuration; POSITIVE),
    }
}

spec! {
    /// What a breaker sees.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Scope {
        /// Each attempt: it is asked and told inside the retry loop.
        Attempt,
        /// Each call: asked once before the first attempt, told once how the call ended.
        Call,
    }
}

/// Failures in a row that open a breaker. Envoy's outlier detection (`consecutive_5xx`).
pub const DEFAULT_FAILURES: u32 = 5;
/// How long a consecutive breaker stays open. Envoy's `base_ejection_time`.
pub const DEFAULT_OPEN_FOR: SimDuration = SimDuration::from_secs(30);
/// Probes of a consecutive breaker. Hystrix's single test request.
pub const DEFAULT_PROBES: u32 = 1;
/// resilience4j `failureRateThreshold`; Hystrix too.
pub const DEFAULT_THRESHOLD: f64 = 0.5;
/// resilience4j `slidingWindowSize`, counting calls.
pub const DEFAULT_WINDOW_CALLS: u32 = 100;
/// resilience4j `minimumNumberOfCalls`; Hystrix 20 in 10 s.
pub const DEFAULT_MINIMUM_CALLS: u32 = 100;
/// resilience4j `waitDurationInOpenState`; Hystrix 5 s.
pub const DEFAULT_RATE_OPEN_FOR: SimDuration = SimDuration::from_secs(60);
/// resilience4j `permittedNumberOfCallsInHalfOpenState`.
pub const DEFAULT_RATE_PROBES: u32 = 10;

/// The three positions of a breaker. The numbers are hashed into digests: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Position {
    /// All pass.
    Closed = 0,
    /// None pass.
    Open = 1,
    /// Probes pass.
    HalfOpen = 2,
}

/// A step from one position to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Where it was.
    pub from: Position,
    /// Where it is.
    pub to: Position,
}

/// Leave to send, to be given back exactly once with [`BreakerState::record`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a permit that is not given back is a probe that never returned"]
pub struct Permit {
    // Not 0, so that an optional permit takes no more room.
    epoch: NonZeroU32,
}

/// A permit, and the step that admitting it took.
#[derive(Debug, PartialEq, Eq)]
pub struct Admission {
    /// To be given back when what it admitted has ended.
    pub permit: Permit,
    /// The step from open to half-open, if this was the first to ask after `open_for`.
    pub transition: Option<Transition>,
}

/// The breaker of one client.
#[derive(Clone, Debug)]
pub struct BreakerState {
    state: State,
    epoch: NonZeroU32,
    /// What is counted while closed. Kept beside `state`, so that a step never allocates.
    tally: Tally,
    on: OutcomeSet,
    open_for: SimDuration,
    probes: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open {
        until: SimTime,
    },
    HalfOpen {
        /// Places taken: probes out, and those that came back with an answer.
        admitted: u32,
        succeeded: u32,
        failed: u32,
        /// When probes still out are given up.
        patience: SimTime,
    },
}

impl BreakerState {
    /// A closed breaker that has seen nothing.
    pub fn new(breaker: &Breaker) -> Self {
        let (tally, on, open_for, probes) = match *breaker {
            Breaker::Consecutive { failures, open_for, probes, ref on, scope: _ } => {
                (Tally::Consecutive { in_a_row: 0, limit: failures }, on, open_for, probes)
            }
            Breaker::FailureRate {
                threshold,
                ref window,
                minimum_calls,
                open_for,
                probes,
                ref on,
                scope: _,
            } => (Tally::new(window, Threshold::new(threshold, minimum_calls)), on, open_for, probes),
        };
        BreakerState {
            state: State::Closed,
            epoch: NonZeroU32::MIN,
            tally,
            on: OutcomeSet::of(on),
            open_for,
            probes,
        }
    }

    /// Leave to send now, or `None` while the breaker is open or all probes are out.
    #[inline]
    pub fn try_acquire(&mut self, now: SimTime) -> Option<Admission> {
        let mut transition = None;
        if let State::Open { until } = self.state {
            if now < until {
                return None;
            }
            let patience = now + self.open_for;
            transition = Some(self.enter(State::HalfOpen { admitted: 0, succeeded: 0, failed: 0, patience }));
        }
        if let State::HalfOpen { admitted, succeeded, failed, patience } = &mut self.state {
            if *admitted == self.probes {
                if now < *patience {
                    return None;
                }
                *admitted = *succeeded + *failed;
                self.epoch = self.epoch.checked_add(1).expect("2^32 epochs of one breaker");
            }
            *admitted += 1;
            *patience = now + self.open_for;
            assert!(*admitted <= self.probes, "more probes than the limit");
        }
        Some(Admission { permit: Permit { epoch: self.epoch }, transition })
    }

    /// What was admitted with `permit` ended as `outcome`. An attempt that was cancelled says nothing about
    /// the server and gives its place back.
    #[inline]
    pub fn record(&mut self, now: SimTime, permit: Permit, outcome: Outcome) -> Option<Transition> {
        if permit.epoch != self.epoch {
            return None;
        }
        let ignored = matches!(outcome, Outcome::Cancelled | Outcome::InFlight);
        let failure = self.on.contains(outcome);
        match &mut self.state {
            State::Open { .. } => unreachable!("an open breaker admitted something"),
            State::Closed if ignored || !self.tally.opens(now, failure) => None,
            State::Closed => Some(self.open(now)),
            State::HalfOpen { admitted, .. } if ignored => {
                *admitted -= 1;
                None
            }
            State::HalfOpen { succeeded, failed, .. } => {
                *succeeded += u32::from(!failure);
                *failed += u32::from(failure);
                let (succeeded, failed) = (*succeeded, *failed);
                match self.tally.probes_tell(succeeded, failed, self.probes) {
                    None => None,
                    Some(Position::Closed) => {
                        self.tally.forget();
                        Some(self.enter(State::Closed))
                    }
                    Some(_) => Some(self.open(now)),
                }
            }
        }
    }

    /// Where it stands. An open one that nobody has asked yet still says open after `open_for`.
    #[inline]
    pub fn position(&self) -> Position {
        self.state.position()
    }

    fn open(&mut self, now: SimTime) -> Transition {
        self.enter(State::Open { until: now + self.open_for })
    }

    fn enter(&mut self, to: State) -> Transition {
        use Position::*;
        let transition = Transition { from: self.state.position(), to: to.position() };
        assert!(
            matches!(
                (transition.from, transition.to),
                (Closed, Open) | (Open, HalfOpen) | (HalfOpen, Open | Closed)
            ),
            "an illegal step of a breaker: {transition:?}",
        );
        self.state = to;
        self.epoch = self.epoch.checked_add(1).expect("2^32 epochs of one breaker");
        transition
    }
}

impl State {
    fn position(self) -> Position {
        match self {
            State::Closed => Position::Closed,
            State::Open { .. } => Position::Open,
            State::HalfOpen { .. } => Position::HalfOpen,
        }
    }
}

impl Breaker {
    /// Whether it sees each attempt or each call.
    pub fn scope(&self) -> Scope {
        match self {
            Breaker::Consecutive { scope, .. } | Breaker::FailureRate { scope, .. } => *scope,
        }
    }

    /// How long nothing passes once it is open.
    pub fn open_for(&self) -> SimDuration {
        match self {
            Breaker::Consecutive { open_for, .. } | Breaker::FailureRate { open_for, .. } => *open_for,
        }
    }
}

impl Part for Breaker {
    fn does(&self) -> Does {
        Does::REFUSES
    }

    fn brief(&self) -> Option<String> {
        Some("breaker".into())
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![watch::declared(at)]
    }

    fn bytes(&self, _replicas: u32) -> u64 {
        match self {
            Breaker::FailureRate { window: Window::Count(calls), .. } => u64::from(*calls) / 8,
            Breaker::FailureRate { window: Window::Time(_), .. } => 128,
            Breaker::Consecutive { .. } => 0,
        }
    }

    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let open_for = self.open_for();
        if let Some(longest) = around.worst().attempt.filter(|longest| *longest > open_for) {
            let message = format!(
                "a probe may take {longest}, but the breaker gives it up after `open_for` ({open_for})"
            );
            cx.at("breaker", |cx| _ = cx.warn(at.span_of("breaker"), message));
        }
    }

    /// What the code of resilience4j makes of a window that is smaller than its minimum: its documentation has it never open.
    fn notes(&self, around: &Around) -> Vec<String> {
        match *self {
            Breaker::FailureRate { window: Window::Count(calls), minimum_calls, .. }
                if minimum_calls > calls =>
            {
                vec![format!(
                    "{}: its breaker may open after {calls} calls, not only after `minimum_calls` ({minimum_calls}): its window holds no more",
                    around.name
                )]
            }
            _ => Vec::new(),
        }
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "breaker",
            word: "",
            what: "Stops sending to what keeps failing, and probes after a while whether it is back. It opens \
                   after failures in a row, or when too large a share of a window failed.",
            hurts: "With few calls in the window it opens by bad luck. It is all or nothing: where one shard of \
                   ten is down it takes the other nine away, or never opens. Clients that opened together come \
                   back together.",
            formula: "`k` failures in a row take `(1 - p^k) / (p^k (1 - p))` calls on average; a window of `n` \
                   opens with `P(Binomial(n, p) >= threshold n)`",
            source: "Nygard, Release It!, 2007; resilience4j CircuitBreakerConfig (af9e7c9): 50 % of 100 calls, \
                   60 s, 10 probes; Hystrix: 50 % of at least 20 in 10 s, 5 s, one probe",
            experiment: "circuit-breaker",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Consecutive(failures: 3, open_for: "100ms")"#,
            r#"Consecutive(failures: 1, open_for: "100ms", probes: 2, scope: Call)"#,
            r#"FailureRate(threshold: 0.5, window: Time("1s"), minimum_calls: 5, open_for: "300ms", probes: 3)"#,
            r#"FailureRate(threshold: 0.5, window: Count(20), minimum_calls: 5, open_for: "100ms", probes: 1, scope: Call)"#,
        ]
    }
}

fn check(breaker: &Breaker, at: &Node, cx: &mut Decoder) {
    if let Breaker::FailureRate { threshold: 0.0, .. } = breaker {
        let message = "a threshold of 0 is reached without a single failure";
        cx.at("threshold", |cx| _ = cx.error(at.span_of("threshold"), message));
    }
}

#[cfg(test)]
mod tests;
