//! A second copy of an attempt that is slow, sent while the first is still out: whichever answers first counts
//! (Dean and Barroso, "The Tail at Scale", CACM 2013; gRPC's `hedgingPolicy`; Finagle's backup requests).
//!
//! A call then takes the shorter of two times, the second begun after `d`: `min(X, d + Y)`. It costs one more attempt
//! for each that takes longer than `d`, a share of `1 - F(d)`: two of a hundred if two of a hundred are slow, and all of
//! them if everything is. What bounds that is a [budget](super::budget), which every copy must pay, as gRPC's throttle
//! has it. A copy is no retry: it is sent while another attempt is out, and the back-off knows nothing of it.
//!
//! The delay is a time, or a percentile of what the client saw: of the first attempts of its calls that ended within the
//! window before this one, as in `tower::hedge` 0.5. One that was overtaken by its copy counts with the time it had been
//! out by then, so a percentile of 95 sends a copy of one call in twenty, in the long run, whatever happens: it follows
//! what is usual, and what is slow becomes usual.

mod seen;
mod watch;

use super::outcome::{ANY_SENT, Failure, OnList, Outcome, OutcomeSet};
use super::page::Page;
use super::part::{Around, Does, Part, Worst};
use crate::experiment::{Decode, Decoder, Node, TypeDoc};
use crate::report::Section;
use seen::Seen;
use sim_core::{SimDuration, SimTime};
pub use watch::Watch;

spec! {
    /// Copies of an attempt that is slow, sent while it is still out: whichever answers first counts.
    pub struct Hedge {
        /// How long after an attempt its next copy is sent: a time, `"0s"` for at once, or a `Percentile` of what was seen.
        after: After,
        /// Copies of one try, at most. gRPC's `maxAttempts` counts the original too.
        copies: u32 = 1; 1..=10,
        /// Whether its attempts are tied: each replica knows of the others, and as soon as one begins with the work the others take
        /// it out of their queues. The message takes as long as one to the service does. Who waits for a connection, or has begun, goes on.
        tied: bool = false,
        /// The failures after which the next copy is sent at once, and the others are waited for; any other ends the try.
        non_fatal: Vec<Failure> = ANY_SENT.to_vec(); OnList::Sent,
    }
}

/// When a copy is sent.
#[derive(Clone, Debug)]
pub enum After {
    /// So long after the attempt before it.
    Fixed(SimDuration),
    /// As long as most took.
    Percentile(Percentile),
}

spec! {
    /// So long that most attempts had been answered: a percentile of what the client saw in the window before.
    pub struct Percentile {
        /// How many of a hundred are answered before.
        percent: f64 = 95.0; 1.0..=99.99,
        /// How long it looks back.
        window: SimDuration = SimDuration::from_secs(10); crate::experiment::POSITIVE,
        /// After fewer than so many nothing is known, and no copy is sent.
        samples: u32 = 100; 1..=1_000_000,
    }
}

impl Decode for After {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        if node.name() == Some("Percentile") {
            return Percentile::decode(node, cx).map(After::Percentile);
        }
        if node.name().is_some() {
            return cx.expected(node, "a time, or Percentile(percent: 95)");
        }
        SimDuration::decode(node, cx).map(After::Fixed)
    }

    fn encode(&self) -> Node {
        match self {
            After::Fixed(delay) => delay.encode(),
            After::Percentile(percentile) => percentile.encode().named(Some("Percentile")),
        }
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("time or Percentile(..)", r#""500ms""#)
    }
}

/// The copies that one client makes.
#[derive(Clone, Debug)]
pub struct HedgeState {
    copies: u8,
    non_fatal: OutcomeSet,
    after: Delay,
}

#[derive(Clone, Debug)]
enum Delay {
    Fixed(SimDuration),
    Seen(Box<Seen>),
}

impl HedgeState {
    /// A client that has seen nothing.
    pub fn new(hedge: &Hedge) -> Self {
        let after = match &hedge.after {
            After::Fixed(delay) => Delay::Fixed(*delay),
            After::Percentile(percentile) => Delay::Seen(Box::new(Seen::new(percentile))),
        };
        HedgeState { copies: hedge.copies as u8, non_fatal: OutcomeSet::of(&hedge.non_fatal), after }
    }

    /// How long after an attempt that is sent now the next copy is, if so many were sent of this try.
    #[inline]
    pub fn after(&mut self, now: SimTime, copies: u8) -> Option<SimDuration> {
        if copies >= self.copies {
            return None;
        }
        match &mut self.after {
            Delay::Fixed(delay) => Some(*delay),
            Delay::Seen(seen) => seen.percentile(now),
        }
    }

    /// Whether a try goes on after one of its attempts failed so.
    #[inline]
    pub fn goes_on(&self, outcome: Outcome) -> bool {
        self.non_fatal.contains(outcome)
    }

    /// The first attempt of a call is over for its caller after so long. What failed says nothing of how long an answer
    /// takes; what was given up says that it takes longer.
    #[inline]
    pub fn learn(&mut self, now: SimTime, outcome: Outcome, took: SimDuration) {
        if let (Delay::Seen(seen), Outcome::Ok | Outcome::TimedOut | Outcome::Cancelled) =
            (&mut self.after, outcome)
        {
            seen.record(now, took);
        }
    }
}

impl Hedge {
    /// Whether it goes by how long attempts took.
    pub fn learns(&self) -> bool {
        matches!(self.after, After::Percentile(_))
    }
}

impl Hedge {
    /// Attempts of a try that takes longer than all its copies wait. What fails brings the next copy at once, so time limits them only
    /// where no attempt is given up before the call is: then each that is sent has begun before the deadline.
    fn sent_within(&self, worst: &Worst) -> u32 {
        let most = 1 + self.copies;
        match (&self.after, worst.call) {
            (After::Fixed(delay), Some(deadline))
                if !delay.is_zero() && worst.attempt.is_none_or(|attempt| attempt >= deadline) =>
            {
                let begin = deadline.as_nanos().div_ceil(delay.as_nanos());
                most.min(u32::try_from(begin).unwrap_or(u32::MAX))
            }
            _ => most,
        }
    }
}

impl Part for Hedge {
    fn does(&self) -> Does {
        if self.tied { Does::COPIES.and(Does::SHEDS) } else { Does::COPIES }
    }

    fn brief(&self) -> Option<String> {
        let copies = match (self.copies, self.tied) {
            (1, false) => "a copy".into(),
            (1, true) => "a tied copy".into(),
            (many, false) => format!("{many} copies"),
            (many, true) => format!("{many} tied copies"),
        };
        Some(match &self.after {
            After::Fixed(delay) if delay.is_zero() => format!("{copies} at once"),
            After::Fixed(delay) => format!("{copies} after {delay}"),
            After::Percentile(percentile) => format!("{copies} after p{}", percentile.percent),
        })
    }

    fn bytes(&self, _replicas: u32) -> u64 {
        match self.after {
            After::Fixed(_) => 0,
            After::Percentile(_) => size_of::<Seen>() as u64 + Seen::HEAP,
        }
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![watch::declared(at, self.tied)]
    }

    fn worst(&self) -> Worst {
        Worst { copies: 1 + self.copies, ..Worst::ONCE }
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let only = self.tied && around.choices == 1;
        only.then(|| {
            let why = format!("{}: tied copies wait in one queue, that of the only replica", around.name);
            (why, "no copies, or more replicas".into())
        })
    }

    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let After::Fixed(delay) = &self.after else { return };
        let Worst { attempt, call, .. } = around.worst();
        let (message, help) = if let Some(longest) = attempt.filter(|longest| delay >= longest) {
            (
                format!("an attempt is given up after {longest}, before its copy is sent after {delay}"),
                "a shorter `after`, or a longer `timeout`",
            )
        } else if let Some(whole) = call.filter(|whole| delay >= whole) {
            (
                format!("the deadline ends every call after {whole}, before a copy is sent after {delay}"),
                "a shorter `after`, or a longer `deadline`",
            )
        } else {
            return;
        };
        cx.at("hedge", |cx| _ = cx.warn(at.span_of("hedge"), message).help(help));
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let most = self.sent_within(&around.worst());
        let what = match &self.after {
            After::Fixed(delay) if delay.is_zero() && self.tied => format!(
                "every call asks {most} times at once, and all but the first that is worked on leave their queues; two that begin \
                 within the time of a message are both worked on"
            ),
            After::Fixed(delay) if delay.is_zero() => format!("every call sends {most} attempts at once"),
            After::Fixed(delay) if most == 1 => {
                format!("no copy is ever sent: a call is given up before the {delay} are over")
            }
            After::Fixed(delay) => {
                format!(
                    "one more attempt for each that takes longer than {delay}, {most} times the load if all do"
                )
            }
            After::Percentile(percentile) => format!(
                "one more attempt for {:.4} of a hundred, whatever is usual; none before {} were seen within {}",
                100.0 - percentile.percent,
                percentile.samples,
                percentile.window
            ),
        };
        vec![format!("{}: {what}", around.name)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "hedge",
            word: "",
            what: "Sends a copy of an attempt that is slow while the first is still out: whichever answers \
                   first counts. The delay is a time, or a percentile of what the client saw of late. Tied copies know of each \
                   other: when one is begun with, the others leave their queues.",
            hurts: "If everything is slow, everything is copied: load doubles exactly when the service is \
                   slowest. A percentile does not help, as what is slow becomes usual; a budget does, and so \
                   does calling off whoever loses. Ties cost no work, but help only against queues, not against a \
                   replica that is slow at work; and in turns each copy takes one, so that of an even number of \
                   replicas half are asked first and the others never begin: choose by least pending or at random, \
                   with `retry_host: Other()`.",
            formula: "`min(X, d + Y)` instead of `X`, for `1 - F(d)` more attempts per call; tied at once to all of `c` \
                   replicas of one worker, with messages that take no time, it is one queue for all: M/M/c",
            source: "Dean and Barroso, \"The Tail at Scale\", CACM 2013 (hedged and tied requests); Ayesta et al., \
                   \"A unifying conservation law\", 2018 (cancel on start); gRPC hedgingPolicy; tower::hedge 0.5; \
                   Finagle backup requests",
            experiment: "hedged-requests",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(after: "20ms")"#,
            r#"(after: "0s", copies: 2)"#,
            r#"(after: "5ms", copies: 3, non_fatal: [TimedOut])"#,
            r#"(after: "0s", copies: 2, tied: true)"#,
            r#"(after: "10ms", tied: true)"#,
            r#"(after: Percentile(percent: 90, window: "1s", samples: 5))"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Policy;
    use super::super::tests::read;
    use super::*;

    fn state(text: &str) -> HedgeState {
        HedgeState::new(&read::<Hedge>(text).unwrap().0)
    }

    /// gRPC A6: `maxAttempts: 3, hedgingDelay: 50ms` are two copies, each 50 ms after the one before.
    #[test]
    fn as_many_copies_as_are_written_each_as_long_after_the_one_before() {
        let mut hedge = state(r#"(after: "50ms", copies: 2)"#);
        let delays = [0, 1, 2].map(|copies| hedge.after(SimTime::ZERO, copies));
        assert_eq!(delays, [Some(SimDuration::from_millis(50)), Some(SimDuration::from_millis(50)), None]);
    }

    /// After the deadline nothing is sent; at that instant neither.
    #[test]
    fn time_limits_how_often_a_slow_call_is_sent() {
        let notes = |text: &str| {
            let policy = read::<Policy>(text).unwrap().0;
            let around = Around::new("edge", policy.parts());
            around.all().flat_map(|part| part.notes(&around)).collect::<Vec<_>>().join("; ")
        };
        for (settings, times) in [
            ("", Some(11)),
            (r#", deadline: "5s""#, Some(5)),
            (r#", deadline: "5001ms""#, Some(6)),
            (r#", deadline: "1s""#, None),
            (r#", deadline: "1min""#, Some(11)),
            (r#", deadline: "5s", timeout: "5s""#, Some(5)),
            // What times out brings the next copy at once.
            (r#", deadline: "5s", timeout: "2s""#, Some(11)),
            (r#", timeout: "2s""#, Some(11)),
            (r#", deadline: Uniform(low: "1s", high: "3s")"#, Some(3)),
        ] {
            let said = notes(&format!(r#"(hedge: (after: "1s", copies: 10){settings})"#));
            let expected = match times {
                Some(times) => format!("1s, {times} times the load"),
                None => "no copy is ever sent: a call is given up before the 1s are over".into(),
            };
            assert!(said.contains(&expected), "{settings}: {said}");
        }
    }

    #[test]
    fn what_is_not_listed_is_fatal() {
        let hedge = state(r#"(after: "50ms", non_fatal: [TimedOut, Reset])"#);
        for outcome in Outcome::ALL {
            assert_eq!(
                hedge.goes_on(outcome),
                matches!(outcome, Outcome::TimedOut | Outcome::Reset),
                "{outcome}"
            );
        }
    }

    #[test]
    fn it_is_read_and_written_back() {
        for (written, full) in [
            (
                r#"(after: "1500ms")"#,
                r#"(after: "1.5s", copies: 1, tied: false, non_fatal: [Error, Rejected, Refused, Reset, TimedOut])"#,
            ),
            (
                "(after: Percentile(), copies: 2, non_fatal: [Error])",
                "(\n    after: Percentile(percent: 95.0, window: \"10s\", samples: 100),\n    copies: 2,\n    tied: false,\n    non_fatal: [Error],\n)",
            ),
        ] {
            assert_eq!(read::<Hedge>(written).unwrap().0.encode().to_string(), full);
        }
        for (wrong, why) in
            [("(after: \"soon\")", "soon"), ("(after: Percentile(percent: 100))", "99.99"), ("()", "after")]
        {
            let said = read::<Hedge>(wrong).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
