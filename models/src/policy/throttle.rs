//! A client that rejects its own attempts, the more of them the fewer the service accepts: adaptive throttling
//! (Beyer et al., "Site Reliability Engineering", 2016, chapter 21).
//!
//! Over a window of two minutes the client counts what it was asked to send and what was accepted. As long as
//! `requests <= k * accepts` everything goes; beyond that an attempt is not sent with the chance
//! `(requests - k * accepts) / (requests + 1)`. So a service that can do `c` is sent `k c` at most: at `k` = 2 it refuses
//! half of what it is sent, at 1.1 one in eleven, and what it needs to find out that it is well again is what is still sent.
//!
//! Whoever starts is told of what was accepted later than of what was asked, and so sends hardly anything at first. What is accepted
//! lies half a window back on average, so each window lets some `k^2` times as much through: at 1.1 it takes the book's two minutes
//! twelve times to come from a tenth to all.
//!
//! It is made for a service that refuses what is too much. Where each attempt fails with a chance of its own whatever the
//! load, all is well as long as more than `1 / k` succeed; below that what is accepted is ever less than was sent, until
//! hardly anything is (go-zero's `googleBreaker`, which is this with a window of 10 s, k = 1.5, keeps a few for that reason).

use super::outcome::{ANY_SENT, Failure, OnList, Outcome, OutcomeSet};
use super::page::Page;
use super::part::{Does, Part};
use crate::experiment::POSITIVE;
use sim_core::{SimDuration, SimTime, Words};

/// The window moves on in so many steps.
const STEPS: usize = 40;

spec! {
    /// Attempts that a client does not send since the service accepts too few.
    pub struct Throttle {
        /// So many attempts are sent for each that is accepted, in the long run.
        k: f64 = 2.0; 1.0..=1000.0,
        /// How long what was asked and what was accepted is remembered.
        window: SimDuration = SimDuration::from_secs(120); POSITIVE,
        /// What is not accepted.
        on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Sent,
    }
}

/// What one client remembers.
#[derive(Clone, Debug)]
pub struct ThrottleState {
    k: f64,
    on: OutcomeSet,
    step: SimDuration,
    /// What was asked, less what was taken back, and what was accepted in each step of the window, by the number of the step,
    /// round and round.
    steps: Box<[(i32, u32); STEPS]>,
    /// Their sums.
    requests: i64,
    accepts: u64,
    /// The step that is being filled.
    present: u64,
}

impl ThrottleState {
    /// A client that was asked for nothing yet.
    pub fn new(throttle: &Throttle) -> Self {
        let step = SimDuration::from_nanos(throttle.window.as_nanos().div_ceil(STEPS as u64));
        ThrottleState {
            k: throttle.k,
            on: OutcomeSet::of(&throttle.on),
            step,
            steps: Box::new([(0, 0); STEPS]),
            requests: 0,
            accepts: 0,
            present: 0,
        }
    }

    /// Forgets what is older than the window.
    fn move_on(&mut self, now: SimTime) {
        let present = now.since(SimTime::ZERO).as_nanos() / self.step.as_nanos();
        let passed = (present - self.present).min(STEPS as u64);
        for number in (0..passed).map(|back| present - back) {
            let (requests, accepts) = std::mem::take(&mut self.steps[number as usize % STEPS]);
            self.requests -= i64::from(requests);
            self.accepts -= u64::from(accepts);
        }
        self.present = present;
    }

    /// The chance that the next attempt is not sent.
    fn rejects(&self) -> f64 {
        let (requests, accepts) = (self.requests as f64, self.accepts as f64);
        ((requests - self.k * accepts) / (requests + 1.0)).max(0.0)
    }

    /// Attempts within the window that it was asked for.
    #[cfg(test)]
    pub fn requests(&self) -> i64 {
        self.requests
    }

    /// Whether an attempt may be sent; it counts as asked for either way.
    #[must_use]
    pub fn lets_pass(&mut self, now: SimTime, words: &mut impl Words) -> bool {
        self.move_on(now);
        let rejects = self.rejects();
        self.steps[self.present as usize % STEPS].0 += 1;
        self.requests += 1;
        rejects <= 0.0 || words.unit() >= rejects
    }

    /// One that was let pass was not sent after all, or its end says nothing of the service.
    pub fn take_back(&mut self) {
        self.steps[self.present as usize % STEPS].0 -= 1;
        self.requests -= 1;
    }

    /// How an attempt ended that was sent.
    pub fn learn(&mut self, now: SimTime, outcome: Outcome) {
        self.move_on(now);
        match outcome {
            Outcome::Cancelled | Outcome::InFlight => self.take_back(),
            _ if self.on.contains(outcome) => {}
            _ => {
                self.steps[self.present as usize % STEPS].1 += 1;
                self.accepts += 1;
            }
        }
    }
}

impl Part for Throttle {
    fn does(&self) -> Does {
        Does::REFUSES
    }

    fn brief(&self) -> Option<String> {
        Some(format!("throttles at {} to one accepted", self.k))
    }

    fn bytes(&self, _replicas: u32) -> u64 {
        size_of::<[(i32, u32); STEPS]>() as u64
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "throttle",
            word: "",
            what: "Does not send what the service would not accept: the client counts what it was asked to send \
                   and what was accepted, and rejects the rest itself, by chance.",
            hurts: "Where attempts fail by chance and not by load, more than `1 / k` of them must succeed, or \
                   hardly anything is sent any more. After a cold start, or at a `k` near 1, the way up is \
                   long.",
            formula: "an attempt is not sent with the chance `max(0, (requests - k accepts) / (requests + 1))`; a \
                   service that can do `c` is sent `k c` at most",
            source: "Beyer et al., Site Reliability Engineering, chapter 21 (k = 2, two minutes); go-zero \
                   googleBreaker (k = 1.5, 10 s)",
            experiment: "client-throttling",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["()", r#"(k: 1.1, window: "200ms")"#, r#"(k: 1, window: "1ms", on: [Rejected])"#]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use sim_core::{Key, Streams};

    fn state(text: &str) -> ThrottleState {
        ThrottleState::new(&read::<Throttle>(text).unwrap().0)
    }

    /// (asked, accepted) so far, and the chance that the next is not sent: `(requests - k accepts) / (requests + 1)`.
    #[test]
    fn the_chance_is_that_of_the_book() {
        for (text, asked, accepted, rejects) in [
            ("()", 0, 0, 0.0),
            ("()", 1, 0, 0.5),
            ("()", 10, 5, 0.0),
            ("()", 10, 4, 2.0 / 11.0),
            ("()", 100, 0, 100.0 / 101.0),
            ("(k: 1.1)", 100, 90, 1.0 / 101.0),
            ("(k: 1)", 100, 100, 0.0),
        ] {
            let mut throttle = state(text);
            let mut luck = Streams::new(1).luck("test", "throttle");
            for number in 0..asked {
                let _ = throttle.lets_pass(SimTime::from_secs(1), &mut luck.at(Key::root(1, number)));
            }
            (0..accepted).for_each(|_| throttle.learn(SimTime::from_secs(1), Outcome::Ok));
            (0..asked).for_each(|_| throttle.learn(SimTime::from_secs(1), Outcome::Rejected));
            assert!((throttle.rejects() - rejects).abs() < 1e-12, "{text}, {accepted} of {asked}");
        }
    }

    /// What is not listed was accepted, as far as the service goes; what was called off is as if it had not been asked for.
    #[test]
    fn only_what_is_listed_is_not_accepted() {
        let mut throttle = state("(on: [Rejected])");
        let mut luck = Streams::new(1).luck("test", "throttle");
        for number in 0..5 {
            assert!(throttle.lets_pass(SimTime::ZERO, &mut luck.at(Key::root(1, number))) || number > 0);
        }
        for outcome in [Outcome::Ok, Outcome::Error, Outcome::TimedOut, Outcome::Rejected, Outcome::Cancelled]
        {
            throttle.learn(SimTime::from_secs(4), outcome);
        }
        assert_eq!((throttle.requests, throttle.accepts), (4, 3));
    }

    /// Steps of 3 s: what was asked at 1 s is forgotten when the fortieth step after it begins.
    #[test]
    fn what_is_old_is_forgotten() {
        let mut luck = Streams::new(1).luck("test", "throttle");
        for (later, remembered) in [(119, 1), (120, 0), (121, 0), (500, 0), (1_000_000, 0)] {
            let mut throttle = state("()");
            let _ = throttle.lets_pass(SimTime::from_secs(1), &mut luck.at(Key::root(1, 1)));
            throttle.learn(SimTime::from_secs(2), Outcome::Ok);
            throttle.move_on(SimTime::from_secs(later));
            let left = (throttle.requests, throttle.accepts);
            assert_eq!(left, (remembered, remembered as u64), "{later}");
        }
    }
}
