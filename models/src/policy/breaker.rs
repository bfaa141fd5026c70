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
//! nanosecond, unless it stops retries only (`guards`) or comes back in a way of its own (`recovery`). It is passive: it becomes half-open when somebody asks after that, not by a timer.
//!
//! # When it opens
//! *Consecutive*: after `k` failures in a row. At failure probability `p` that takes
//! `(1 - p^k) / (p^k (1 - p))` calls on average: 62 for five in a row at 50 %, 3.4 million at 5 %. If no success makes it count
//! from the beginning, as in much code that means to (`counts: InAll`), it takes `k / p`: 100 at 5 %.
//! *Failure rate*: when at least `threshold` of the calls in the window failed and the window holds at least
//! `minimum_calls`. Below the threshold it opens by bad luck with a binomial tail, far likelier with 10
//! calls in the window than with 100.
//!
//! In resilience4j (`CircuitBreakerMetrics` af9e7c9) `minimum_calls` is at most what a count window holds, so the default of 100 means
//! 10 where `window: Count(10)`: it judges after ten calls. *Slow calls*: it opens too when at least `rate` of the window took
//! longer than `threshold`, whatever they answered.
//!
//! An attempt that the deadline of its call cuts off counts as timed out: it was not answered in time either.
//!
//! # Half-open
//! At most `probes` calls are let in. Consecutive closes when all succeeded, or `closes_after` of them, and reopens at the
//! first failure; failure rate waits for all, or for `minimum_calls` if those are fewer, and compares their rate with the threshold,
//! as resilience4j does.
//! A probe that its caller cancelled gives its place back. Probes that never return do not wedge it (they
//! do in resilience4j, issue 903): once all places are taken and the last was taken `open_for` ago, those
//! still out are given up and their places are free again.
//!
//! How long it stays open, and how much passes once it has closed: `recovery`.
//!
//! # Who is stopped
//! Everybody; or only retries and copies (`guards: Retries`), while the first attempt of each call goes and is counted as long as the
//! breaker is closed: Brooker 2022, "Fixing retries with token buckets and circuit breakers", whose breaker at 10 % of failures
//! makes no load at all above that, and hides no failure either.
//!
//! # Permits
//! Each step starts a new *epoch*, and so does giving probes up. A permit remembers the epoch that admitted
//! it: what comes back from an earlier one changes nothing. Without this a success sent before the outage
//! and answered late would close a breaker that was about to learn the truth.

mod recovery;
mod replicas;
mod tally;
mod watch;

use super::outcome::{ANY_SENT, Failure, OnList, Outcome, OutcomeSet};
use super::page::Page;
use super::part::{Around, Does, Part, Worst};
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Section;
use recovery::Recovering;
pub use recovery::Recovery;
pub use replicas::{Breakers, Passes, Replicas, Step, Unwanted};
use sim_core::{Key, SimDuration, SimTime, Words};
use std::num::NonZeroU32;
use tally::{Tally, Threshold};
pub use watch::Watch;

spec! {
    /// Stops sending to what keeps failing, and probes whether it is back.
    pub enum Breaker where check {
        /// Opens after failures in a row.
        Consecutive {
            /// Failures in a row that open it.
            failures: u32 = DEFAULT_FAILURES; 1..=1_000_000,
            /// Whether a success makes it count from the beginning.
            counts: CountedFailures = CountedFailures::InARow,
            /// How long nothing passes.
            open_for: SimDuration = DEFAULT_OPEN_FOR; POSITIVE.or("it would never be open"),
            /// Calls let in to probe; all must succeed.
            probes: u32 = DEFAULT_PROBES; 1..=10_000,
            /// So many that succeed are enough to close it, if not all are waited for.
            closes_after: Option<u32> = None; 1..=10_000,
            /// What counts as a failure; every other answer is a success.
            on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Sent,
            /// Whether it sees each attempt or each call.
            scope: Scope = Scope::Attempt,
            /// What it stops.
            guards: Guarded = Guarded::All,
            /// What one of them watches and stops.
            per: Whose = Whose::Service,
            /// Whether all clients share it, as where it stands in one place before all of them, or what it knows is kept in one.
            shared: bool = false,
            /// How it comes back; if absent everything at once, after the same time.
            recovery: Option<Recovery> = None,
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
            /// What takes too long, and how much of it is too much.
            slow_call: Option<SlowCall> = None,
            /// What it stops.
            guards: Guarded = Guarded::All,
            /// What one of them watches and stops.
            per: Whose = Whose::Service,
            /// Whether all clients share it, as where it stands in one place before all of them, or what it knows is kept in one.
            shared: bool = false,
            /// How it comes back; if absent everything at once, after the same time.
            recovery: Option<Recovery> = None,
        },
    }
}

spec! {
    /// Which failures count.
    #[derive(Copy, PartialEq, Eq)]
    pub enum CountedFailures {
        /// Those since the last success.
        InARow,
        /// All since it was last closed. Often written by mistake: it opens after `failures / p` calls, however healthy the service.
        InAll,
    }
}

spec! {
    /// Slow answers as a reason to open, whatever they say.
    pub struct SlowCall {
        /// What takes longer is slow.
        threshold: SimDuration = DEFAULT_SLOW; POSITIVE,
        /// Fraction of slow ones in the window that opens it (reaching it is enough).
        rate: f64 = 1.0; 0.0..=1.0,
    }
}

spec! {
    /// What a breaker stops while it is open.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Guarded {
        /// Everything.
        All,
        /// Retries and copies: the first attempt of a call always goes.
        Retries,
    }
}

spec! {
    /// What one breaker watches and stops.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Whose {
        /// All replicas together.
        Service,
        /// One replica. The others have one each, and the balancer chooses among those that let something pass.
        Replica {
            /// The balancer is asked again so often, and then its choice stands, and is refused if its breaker is open. Absent: until
            /// somebody lets the attempt pass; it is refused if nobody does.
            picks: Option<u32> = None; 0..=100,
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
/// resilience4j `slowCallDurationThreshold`.
pub const DEFAULT_SLOW: SimDuration = SimDuration::from_secs(60);
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
    slow: Option<Box<Slow>>,
    recovering: Option<Box<Recovering>>,
    /// A step that nobody has been told of: nothing was admitted that could have taken it along.
    untold: Option<Transition>,
    on: OutcomeSet,
    open_for: SimDuration,
    probes: u32,
    /// Probes that must have come back before they say anything.
    judges: u32,
    guards: Guarded,
}

/// What is slow, and how much of it there was: the window of failures once more.
#[derive(Clone, Debug)]
struct Slow {
    threshold: SimDuration,
    tally: Tally,
    /// Of the probes that came back.
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
    /// A closed breaker that has seen nothing. `words` choose where it draws, if it does.
    pub fn new(breaker: &Breaker, words: &mut impl Words) -> Self {
        let (tally, slow, judges) = match breaker {
            Breaker::Consecutive { failures, counts, probes, closes_after, .. } => {
                let resets = *counts == CountedFailures::InARow;
                let tally = Tally::Consecutive { in_a_row: 0, limit: *failures, resets };
                (tally, None, closes_after.map_or(*probes, |enough| enough.min(*probes)))
            }
            Breaker::FailureRate { threshold, window, minimum_calls, probes, slow_call, .. } => {
                let tally = |rate| Tally::new(window, Threshold::new(rate, *minimum_calls));
                let slow = slow_call.as_ref();
                let slow = slow
                    .map(|it| Box::new(Slow { threshold: it.threshold, tally: tally(it.rate), probes: 0 }));
                // resilience4j's half-open state is a window of as many calls as may probe.
                (tally(*threshold), slow, *minimum_calls.min(probes))
            }
        };
        let Common { open_for, probes, on, guards, recovery, .. } = breaker.common();
        let recovering = recovery.map(|recovery| {
            let key = if recovery.jitter > 0.0 { words.next_u64() } else { 0 };
            Box::new(Recovering::new(recovery, Key::root(key, 0)))
        });
        BreakerState {
            state: State::Closed,
            epoch: NonZeroU32::MIN,
            tally,
            slow,
            recovering,
            untold: None,
            on: OutcomeSet::of(on),
            open_for,
            probes,
            judges,
            guards,
        }
    }

    /// Whether the first attempt of a call goes whatever it says.
    #[inline]
    pub fn guards_retries(&self) -> bool {
        self.guards == Guarded::Retries
    }

    /// What an attempt takes along that is not asked whether it may go: it is counted as long as that is of interest.
    #[inline]
    pub fn watched(&self) -> Option<Permit> {
        matches!(self.state, State::Closed).then_some(Permit { epoch: self.epoch })
    }

    /// Leave to send whatever comes, as long as it is closed and everything passes.
    #[inline(always)]
    pub fn passes_all(&self) -> Option<Permit> {
        let closed = matches!((&self.state, &self.recovering), (State::Closed, None));
        closed.then_some(Permit { epoch: self.epoch })
    }

    /// Counts a success of what was admitted, if it is closed and what it counts is in a row: that opens it never. If not, nothing was
    /// counted.
    #[inline(always)]
    pub fn succeeds(&mut self, permit: &Permit) -> bool {
        match (&self.state, &self.slow, &mut self.tally) {
            (State::Closed, None, Tally::Consecutive { in_a_row, resets, .. })
                if permit.epoch == self.epoch =>
            {
                if *resets {
                    *in_a_row = 0;
                }
                true
            }
            _ => false,
        }
    }

    /// Leave to send now, or `None` while the breaker is open or all probes are out.
    #[inline]
    pub fn try_acquire(&mut self, now: SimTime) -> Option<Admission> {
        let mut transition = None;
        self.untold = self.gives_probes_up(now);
        if let State::Open { until } = self.state {
            if now < until {
                return None;
            }
            let patience = now + self.open_for;
            let step = self.enter(State::HalfOpen { admitted: 0, succeeded: 0, failed: 0, patience });
            self.slow.iter_mut().for_each(|slow| slow.probes = 0);
            self.recovering.iter_mut().for_each(|recovering| recovering.half_opens(now));
            // Who was half-open, and is, has taken no step.
            transition = self.untold.take().is_none().then_some(step);
        }
        if let (State::Closed, Some(recovering)) = (&self.state, &mut self.recovering)
            && !recovering.lets_pass(now)
        {
            return None;
        }
        if let State::HalfOpen { admitted, succeeded, failed, patience, .. } = &mut self.state {
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

    /// Whether it is open and stays so: asked, it would refuse, and nothing would change.
    pub fn refuses(&self, now: SimTime) -> bool {
        matches!(self.state, State::Open { until } if now < until)
    }

    /// Half-open for too long, it has opened again when that was so.
    #[inline]
    fn gives_probes_up(&mut self, now: SimTime) -> Option<Transition> {
        let (State::HalfOpen { .. }, Some(recovering)) = (self.state, &self.recovering) else {
            return None;
        };
        let until = recovering.half_open_until().filter(|until| *until <= now)?;
        Some(self.open(until))
    }

    /// Whether it is closed: it becomes so, and stops being so, when it [learns](Self::record) something.
    fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Before this it lets nothing pass unless it learns something; long ago if it might.
    fn lets_nothing_pass_before(&self) -> SimTime {
        match self.state {
            State::Open { until } => until,
            State::HalfOpen { admitted, patience, .. } if admitted == self.probes => {
                let given_up = self.recovering.as_ref().and_then(|it| it.half_open_until());
                given_up.map_or(patience, |until| until.min(patience))
            }
            State::Closed | State::HalfOpen { .. } => SimTime::ZERO,
        }
    }

    /// A step that it took while it admitted nothing.
    pub fn untold(&mut self) -> Option<Transition> {
        self.untold.take()
    }

    /// What was admitted with `permit` ended as `outcome`, after so long if that is known. An attempt that was cancelled says
    /// nothing about the server and gives its place back.
    #[inline]
    pub fn record(
        &mut self,
        now: SimTime,
        permit: Permit,
        outcome: Outcome,
        took: Option<SimDuration>,
    ) -> Option<Transition> {
        if permit.epoch != self.epoch {
            return None;
        }
        if let Some(step) = self.gives_probes_up(now) {
            return Some(step);
        }
        let ignored = matches!(outcome, Outcome::Cancelled | Outcome::InFlight);
        let failure = self.on.contains(outcome);
        let is_slow = self.slow.as_ref().is_some_and(|slow| took.is_some_and(|took| took > slow.threshold));
        match &mut self.state {
            State::Open { .. } => unreachable!("an open breaker admitted something"),
            State::Closed if ignored => None,
            State::Closed => {
                let fails = self.tally.opens(now, failure);
                let drags = self.slow.as_mut().is_some_and(|slow| slow.tally.opens(now, is_slow));
                (fails || drags).then(|| self.open(now))
            }
            State::HalfOpen { admitted, .. } if ignored => {
                *admitted -= 1;
                None
            }
            State::HalfOpen { succeeded, failed, .. } => {
                *succeeded += u32::from(!failure);
                *failed += u32::from(failure);
                let (back, failed, judges) = (*succeeded + *failed, *failed, self.judges);
                let drag = self.slow.as_mut().and_then(|slow| {
                    slow.probes += u32::from(is_slow);
                    slow.tally.probes_tell(back - slow.probes, slow.probes, judges)
                });
                match (self.tally.probes_tell(back - failed, failed, judges), drag) {
                    (None, _) => None,
                    (Some(Position::Closed), None | Some(Position::Closed)) => {
                        self.tally.forget();
                        self.slow.iter_mut().for_each(|slow| slow.tally.forget());
                        self.recovering.iter_mut().for_each(|recovering| recovering.closes(now));
                        Some(self.enter(State::Closed))
                    }
                    _ => Some(self.open(now)),
                }
            }
        }
    }

    /// Where it stands. An open one that nobody has asked yet still says open after `open_for`.
    #[inline]
    pub fn position(&self) -> Position {
        self.state.position()
    }

    #[cold]
    fn open(&mut self, now: SimTime) -> Transition {
        let open_for = self.open_for;
        let open_for = self.recovering.as_mut().map_or(open_for, |recovering| recovering.opens(open_for));
        self.enter(State::Open { until: now + open_for })
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

/// What all breakers have.
struct Common<'a> {
    open_for: SimDuration,
    probes: u32,
    on: &'a [Failure],
    scope: Scope,
    guards: Guarded,
    whose: Whose,
    shared: bool,
    recovery: Option<&'a Recovery>,
}

impl Breaker {
    fn common(&self) -> Common<'_> {
        let (Breaker::Consecutive { open_for, probes, on, scope, guards, per, shared, recovery, .. }
        | Breaker::FailureRate { open_for, probes, on, scope, guards, per, shared, recovery, .. }) = self;
        Common {
            open_for: *open_for,
            probes: *probes,
            on,
            scope: *scope,
            guards: *guards,
            whose: *per,
            shared: *shared,
            recovery: recovery.as_ref(),
        }
    }

    /// Whether it sees each attempt or each call.
    pub fn scope(&self) -> Scope {
        self.common().scope
    }

    /// How long nothing passes once it is open, the first time.
    pub fn open_for(&self) -> SimDuration {
        self.common().open_for
    }

    /// Whether all clients share it.
    pub fn is_shared(&self) -> bool {
        self.common().shared
    }

    /// Whether each of so many replicas that a client chooses among has one.
    pub fn is_per_replica(&self, choices: u32) -> bool {
        choices > 1 && self.common().whose != Whose::Service
    }

    /// Whether it is another than one that each client has, of the service as a whole, and that stops everything.
    pub fn is_special(&self, choices: u32) -> bool {
        self.is_shared() || self.is_per_replica(choices) || self.common().guards != Guarded::All
    }

    /// Whether it asks how long things took.
    pub fn times(&self) -> bool {
        matches!(self, Breaker::FailureRate { slow_call: Some(_), .. })
    }
}

impl Part for Breaker {
    fn does(&self) -> Does {
        match self.common().whose {
            Whose::Service => Does::REFUSES,
            Whose::Replica { .. } => Does::REFUSES.and(Does::STEERS),
        }
    }

    fn brief(&self) -> Option<String> {
        let whose = if self.common().whose == Whose::Service { "breaker" } else { "breaker per replica" };
        Some(if self.is_shared() { format!("{whose}, shared") } else { whose.into() })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![watch::declared(at, self.common().whose != Whose::Service, self.is_shared())]
    }

    fn bytes(&self, replicas: u32) -> u64 {
        if self.is_per_replica(replicas) {
            let each = self.bytes(1) + size_of::<BreakerState>() as u64 + 8;
            return u64::from(replicas) * each + size_of::<Replicas>() as u64;
        }
        let recovering = self.common().recovery.map_or(0, |_| size_of::<Recovering>() as u64);
        let window = match self {
            Breaker::FailureRate { window: Window::Count(calls), .. } => u64::from(*calls) / 8,
            Breaker::FailureRate { window: Window::Time(_), .. } => 128,
            Breaker::Consecutive { .. } => 0,
        };
        recovering + if self.times() { 2 * window + size_of::<Slow>() as u64 } else { window }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let Breaker::FailureRate { window, minimum_calls, probes, .. } = self else { return Vec::new() };
        let mut notes = Vec::new();
        if let Window::Count(calls) = window
            && calls < minimum_calls
        {
            notes.push(format!(
                "{}: its breaker may open after {calls} calls, not only after `minimum_calls` ({minimum_calls}): its window holds no more",
                around.name
            ));
        }
        if minimum_calls < probes {
            notes.push(format!(
                "{}: half-open its breaker judges after {minimum_calls} of {probes} probes: that many calls are enough",
                around.name
            ));
        }
        notes
    }

    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let Common { open_for, guards, .. } = self.common();
        if guards == Guarded::Retries && around.worst().sent() == 1 {
            let message = "there are no retries for this breaker to stop";
            cx.at("breaker", |cx| _ = cx.warn(at.span_of("breaker"), message));
        }
        let Worst { attempt, call, .. } = around.worst();
        if let Breaker::FailureRate { slow_call: Some(slow), scope, .. } = self {
            let (longest, what) = match scope {
                Scope::Attempt => (attempt, "an attempt"),
                Scope::Call => (call, "a call"),
            };
            if let Some(longest) = longest.filter(|longest| slow.threshold >= *longest) {
                let message = format!(
                    "nothing is slow: {what} is given up after {longest}, and slow is what takes longer than {}",
                    slow.threshold
                );
                cx.at("breaker", |cx| _ = cx.warn(at.span_of("breaker"), message));
            }
        }
        if let Some(longest) = attempt.filter(|longest| *longest > open_for) {
            let message = format!(
                "a probe may take {longest}, but the breaker gives it up after `open_for` ({open_for})"
            );
            cx.at("breaker", |cx| _ = cx.warn(at.span_of("breaker"), message));
        }
    }

    /// What the code of resilience4j makes of a window that is smaller than its minimum: its documentation has it never open.
    fn about() -> &'static [Page] {
        &[Page {
            name: "breaker",
            word: "",
            what: "Stops sending to what keeps failing, and probes after a while whether it is back. It opens \
                   after failures in a row, or when too large a share of a window failed or was slow. It may stop \
                   retries only. One stands before the whole service, or one before each replica: then the balancer \
                   chooses among those that let something pass.",
            hurts: "With few calls in the window it opens by bad luck. It is all or nothing: where one shard of \
                   ten is down it takes the other nine away, or never opens. One for each replica does neither; where all are slow it \
                   sends what some do not get to the rest, and a client with few calls takes long to learn of each. Clients that opened together come \
                   back together, unless jitter and a ramp keep them apart.",
            formula: "`k` failures in a row take `(1 - p^k) / (p^k (1 - p))` calls on average; a window of `n` \
                   opens with `P(Binomial(n, p) >= threshold n)`",
            source: "Nygard, Release It!, 2007; resilience4j CircuitBreakerConfig (af9e7c9): 50 % of 100 calls, \
                   60 s, 10 probes; Hystrix: 50 % of at least 20 in 10 s, 5 s, one probe; per replica: linkerd2-proxy's \
                   failure accrual (7 in a row), Finagle's FailureAccrualFactory (5)",
            experiment: "circuit-breaker",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Consecutive(failures: 3, open_for: "100ms")"#,
            r#"Consecutive(failures: 1, open_for: "100ms", probes: 2, scope: Call)"#,
            r#"FailureRate(threshold: 0.5, window: Time("1s"), minimum_calls: 5, open_for: "300ms", probes: 3)"#,
            r#"FailureRate(threshold: 0.5, window: Count(20), minimum_calls: 5, open_for: "100ms", probes: 1, scope: Call)"#,
            r#"FailureRate(window: Count(10), minimum_calls: 20, open_for: "50ms", probes: 2, slow_call: (threshold: "15ms", rate: 0.5))"#,
            r#"FailureRate(window: Time("200ms"), minimum_calls: 3, open_for: "50ms", probes: 5, slow_call: (threshold: "5ms"), scope: Call)"#,
            r#"Consecutive(failures: 2, open_for: "30ms", recovery: (factor: 2, cap: "200ms", jitter: 0.5, max_half_open: "40ms", ramp: "100ms"))"#,
            r#"Consecutive(failures: 2, open_for: "30ms", guards: Retries)"#,
            r#"Consecutive(failures: 5, counts: InAll, open_for: "50ms", probes: 100, closes_after: 1)"#,
            r#"FailureRate(threshold: 0.1, window: Count(10), open_for: "50ms", probes: 1, guards: Retries, recovery: (jitter: 1))"#,
            r#"Consecutive(failures: 2, open_for: "50ms", per: Replica())"#,
            r#"FailureRate(window: Count(5), minimum_calls: 3, open_for: "30ms", probes: 2, per: Replica(picks: 1), shared: true)"#,
            r#"Consecutive(failures: 3, open_for: "20ms", scope: Call, shared: true)"#,
        ]
    }
}

fn check(breaker: &Breaker, at: &Node, cx: &mut Decoder) {
    if let Breaker::FailureRate { threshold: 0.0, .. } = breaker {
        let message = "a threshold of 0 is reached without a single failure";
        cx.at("threshold", |cx| _ = cx.error(at.span_of("threshold"), message));
    }
    if let Breaker::FailureRate { slow_call: Some(SlowCall { rate: 0.0, .. }), .. } = breaker {
        let message = "a rate of 0 is reached without a single slow call";
        cx.at("slow_call", |cx| _ = cx.error(at.span_of("slow_call"), message));
    }
    let Common { open_for, scope, guards, whose, recovery, .. } = breaker.common();
    if whose != Whose::Service && scope == Scope::Call {
        let message = "a breaker that is asked once for each call knows no replica";
        cx.at("per", |cx| _ = cx.error(at.span_of("per"), message).help("write `scope: Attempt`"));
    }
    if guards == Guarded::Retries && scope == Scope::Call {
        let message = "a breaker that is asked once for each call cannot stop retries";
        cx.at("guards", |cx| _ = cx.error(at.span_of("guards"), message).help("write `scope: Attempt`"));
    }
    if let Breaker::Consecutive { closes_after: Some(enough), probes, .. } = breaker
        && enough > probes
    {
        let message = format!("{enough} probes never succeed where {probes} are let in");
        cx.at("closes_after", |cx| _ = cx.error(at.span_of("closes_after"), message));
    }
    if let Some(cap) = recovery.and_then(|recovery| recovery.cap)
        && cap < open_for
    {
        let message = format!("the cap ({cap}) is shorter than `open_for` ({open_for})");
        cx.at("recovery", |cx| _ = cx.error(at.span_of("recovery"), message));
    }
}

#[cfg(test)]
mod tests;
