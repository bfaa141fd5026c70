//! A limit on the calls that one client has out at a time on one edge: a slow dependency then fills its own
//! compartment and no other.
//!
//! A call over the limit fails at once (resilience4j with `maxWaitDuration` 0; what Envoy calls a circuit breaker's
//! `max_requests`), or stands in line, first come, first served: for so long (resilience4j `maxWaitDuration`, HikariCP
//! `connectionTimeout`), among so many (Polly `maxQueuingActions`, Envoy `max_pending_requests`), or both. The time in line
//! is not the attempt's: its timeout begins when it is sent. A deadline is the whole call's.
//!
//! By Little's law a limit of `L` binds when calls arrive faster than `L` per response time: 25 calls of 100 ms each
//! are 250/s. A line carries bursts over, and nothing else: what comes faster than that for good is refused as if there
//! were none, after a wait. Its calls are then served as by M/M/L with patience (Baccelli and Hebuterne 1981).

use super::page::Page;
use super::part::{Around, Does, Part, Places, Worst};
use super::waits;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Section;
use sim_core::SimDuration;

spec! {
    /// A limit on the calls of one client that are out at the same time.
    pub struct Bulkhead {
        /// The most calls out at a time; one more is refused, or stands in line.
        max_concurrent: u32 = DEFAULT_MAX_CONCURRENT; 1..=1_000_000,
        /// How long a call stands in line for a place before it is refused. Absent: not at all, or if
        /// `max_waiting` is there, for ever.
        max_wait: Option<SimDuration> = None; POSITIVE.or("nobody could wait"),
        /// The most calls in line; one more is refused at once. Absent: none, or if `max_wait` is there, any number.
        max_waiting: Option<u32> = None; 1..=100_000_000,
    }
}

/// Calls out at a time. resilience4j `maxConcurrentCalls`; Hystrix 10, Envoy 1024.
pub const DEFAULT_MAX_CONCURRENT: u32 = 25;

/// The compartment of one client.
#[derive(Clone, Debug)]
pub struct BulkheadState {
    in_use: u32,
    limit: u32,
    /// If calls may wait.
    line: Option<Box<Line>>,
}

#[derive(Clone, Debug)]
struct Line {
    waiting: u32,
    places: u32,
    patience: Option<SimDuration>,
}

/// What becomes of a call that asks for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It has one, until it is [released](BulkheadState::release).
    Taken,
    /// It stands in line, at most so long; for ever if nothing is said.
    InLine(Option<SimDuration>),
    /// It is refused.
    Refused,
}

impl BulkheadState {
    /// An empty compartment.
    pub fn new(bulkhead: &Bulkhead) -> Self {
        let line = Line { waiting: 0, places: bulkhead.most_waiting(), patience: bulkhead.max_wait };
        let line = bulkhead.waits().then(|| Box::new(line));
        BulkheadState { in_use: 0, limit: bulkhead.max_concurrent, line }
    }

    /// A call asks for a place. Nobody overtakes who is in line.
    #[inline]
    #[must_use]
    pub fn ask(&mut self) -> Place {
        if self.in_use < self.limit && self.waiting() == 0 {
            self.in_use += 1;
            return Place::Taken;
        }
        match &mut self.line {
            Some(line) if line.waiting < line.places => {
                line.waiting += 1;
                Place::InLine(line.patience)
            }
            _ => Place::Refused,
        }
    }

    /// A call that had a place has ended, however it ended.
    #[inline]
    pub fn release(&mut self) {
        self.in_use = self.in_use.checked_sub(1).expect("a bulkhead place was given back twice");
    }

    /// Whether the first in line gets a place; if so it is taken.
    #[inline]
    #[must_use]
    pub fn admit(&mut self) -> bool {
        let Some(line) = self.line.as_mut().filter(|line| line.waiting > 0) else { return false };
        let admitted = self.in_use < self.limit;
        line.waiting -= u32::from(admitted);
        self.in_use += u32::from(admitted);
        admitted
    }

    /// A call leaves the line without a place.
    #[inline]
    pub fn leave(&mut self) {
        let line = self.line.as_mut().filter(|line| line.waiting > 0).expect("nobody is in line");
        line.waiting -= 1;
    }

    /// Calls in line now.
    #[inline]
    pub fn waiting(&self) -> u32 {
        self.line.as_ref().map_or(0, |line| line.waiting)
    }

    /// Calls out now.
    #[inline]
    pub fn in_use(&self) -> u32 {
        self.in_use
    }
}

impl Bulkhead {
    /// Whether calls stand in line.
    pub fn waits(&self) -> bool {
        self.most_waiting() > 0
    }

    fn most_waiting(&self) -> u32 {
        self.max_waiting.unwrap_or(if self.max_wait.is_some() { u32::MAX } else { 0 })
    }
}

/// What the section is called.
const KIND: &str = "bulkheads";

/// A section of what waits here, declared.
pub(super) fn declared(at: &str) -> Section {
    waits::declared(KIND, at, "calls", "a place")
}

impl Part for Bulkhead {
    fn does(&self) -> Does {
        if self.waits() { Does::REFUSES.and(Does::DELAYS) } else { Does::REFUSES }
    }

    fn brief(&self) -> Option<String> {
        let line = match (self.max_waiting, self.max_wait) {
            (None, None) => String::new(),
            (Some(places), None) => format!(", {places} in line"),
            (None, Some(wait)) => format!(", in line for {wait}"),
            (Some(places), Some(wait)) => format!(", {places} in line for {wait}"),
        };
        Some(format!("at most {} at once{line}", self.max_concurrent))
    }

    fn bytes(&self, _replicas: u32) -> u64 {
        if self.waits() { size_of::<Line>() as u64 } else { 0 }
    }

    fn worst(&self) -> Worst {
        let line = if self.waits() { self.max_wait } else { Worst::ONCE.line };
        Worst { line, ..Worst::ONCE }
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        if self.waits() { vec![declared(at)] } else { Vec::new() }
    }

    /// Who stands in line longer than the whole call may take is never refused, but always too late.
    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let (Some(wait), Some(whole)) = (self.max_wait, around.worst().call) else { return };
        if wait >= whole {
            let message =
                format!("no call stands in line for {wait}: the deadline ends every call after {whole}");
            cx.at("bulkhead", |cx| _ = cx.warn(at.span_of("bulkhead"), message));
        }
    }

    fn lets_in(&self) -> Option<u64> {
        Some(u64::from(self.max_concurrent) + u64::from(self.most_waiting()))
    }

    fn at_once(&self) -> Option<u32> {
        Some(self.max_concurrent)
    }

    fn line(&self) -> Option<Places> {
        let places = Places { at_once: self.max_concurrent, patience: self.max_wait, told_in: KIND };
        (self.most_waiting() == u32::MAX).then_some(places)
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "bulkhead",
            word: "",
            what: "Limits the calls that one client has out at a time: a slow dependency then fills its own \
                   compartment and no other. A call over the limit fails at once, or stands in line for a \
                   while.",
            hurts: "A limit that is right when the service is quick is too small when it is slow, which is when \
                   it is reached. A line carries bursts over; what comes faster for good is refused all the \
                   same, after a wait.",
            formula: "a limit of `L` binds when calls arrive faster than `L` per response time (Little); without a \
                   line Erlang B is refused, with one it is M/M/L with patience",
            source: "Nygard, Release It!, 2007; resilience4j Bulkhead (25, no wait); Hystrix semaphore (10); \
                   Envoy max_requests (1024); HikariCP connectionTimeout",
            experiment: "bulkhead",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "(max_concurrent: 10)",
            "(max_concurrent: 1)",
            r#"(max_concurrent: 2, max_wait: "30ms")"#,
            "(max_concurrent: 1, max_waiting: 3)",
            r#"(max_concurrent: 3, max_waiting: 100, max_wait: "5ms")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> BulkheadState {
        BulkheadState::new(&super::super::tests::read::<Bulkhead>(text).unwrap().0)
    }

    /// Asks, gives back, lets in, leaves: what each says, and (calls out, calls in line) afterwards.
    #[test]
    fn the_limit_is_exact_and_places_come_back() {
        use Place::{Refused, Taken};
        let in_line = Place::InLine(Some(SimDuration::from_millis(250)));
        let for_ever = Place::InLine(None);
        let nobody_waits: &[(&str, Place, (u32, u32))] = &[
            ("ask", Taken, (1, 0)),
            ("ask", Taken, (2, 0)),
            ("ask", Refused, (2, 0)),
            ("release", Refused, (1, 0)),
            ("admit", Refused, (1, 0)),
            ("ask", Taken, (2, 0)),
            ("release", Refused, (1, 0)),
            ("release", Refused, (0, 0)),
        ];
        let waits: &[(&str, Place, (u32, u32))] = &[
            ("ask", Taken, (1, 0)),
            ("ask", in_line, (1, 1)),
            ("ask", in_line, (1, 2)),
            ("admit", Refused, (1, 2)),
            ("leave", Refused, (1, 1)),
            ("release", Refused, (0, 1)),
            // Whoever comes now is behind who is in line.
            ("ask", in_line, (0, 2)),
            ("admit", Taken, (1, 1)),
            ("admit", Refused, (1, 1)),
        ];
        let few_wait: &[(&str, Place, (u32, u32))] =
            &[("ask", Taken, (1, 0)), ("ask", for_ever, (1, 1)), ("ask", Refused, (1, 1))];
        for (text, steps) in [
            ("(max_concurrent: 2)", nobody_waits),
            (r#"(max_concurrent: 1, max_wait: "250ms")"#, waits),
            ("(max_concurrent: 1, max_waiting: 1)", few_wait),
        ] {
            let mut bulkhead = of(text);
            for (number, (step, expected, (out, waiting))) in steps.iter().enumerate() {
                let found = match *step {
                    "ask" => bulkhead.ask(),
                    "admit" if bulkhead.admit() => Taken,
                    "release" => {
                        bulkhead.release();
                        Refused
                    }
                    "leave" => {
                        bulkhead.leave();
                        Refused
                    }
                    _ => Refused,
                };
                assert_eq!(found, *expected, "{text}, step {number}: {step}");
                assert_eq!(
                    (bulkhead.in_use(), bulkhead.waiting()),
                    (*out, *waiting),
                    "{text}, step {number}"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "given back twice")]
    fn a_place_comes_back_once() {
        of("(max_concurrent: 2)").release();
    }

    #[test]
    #[should_panic(expected = "nobody is in line")]
    fn who_is_not_in_line_does_not_leave_it() {
        of("(max_waiting: 2)").leave();
    }
}
