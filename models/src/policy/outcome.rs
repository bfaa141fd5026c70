//! How one attempt ends, and which endings a policy reacts to.
//!
//! Every attempt that was sent ends in exactly one [`Outcome`]; the words are those of the caller, so a
//! reply that arrives after its timeout is `TimedOut` here and wasted work over there. What is said of each
//! stands in its row, [`Outcome::told`]. A [`Failure`] is what a file may list under `on:`; an [`OutcomeSet`]
//! is that list as the model asks for it.

use super::told::{Counted, Told, Tone};
use crate::experiment::Rule;
use std::fmt;

/// How an attempt that was sent ended, as its caller saw it. The numbers are hashed into digests and
/// written to reports: they never change and are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// Answered, in time.
    Ok = 0,
    /// Answered with an error, in time.
    Error = 1,
    /// Turned away by the server: its queue was full, or it shed or limited load.
    Rejected = 2,
    /// Nobody listened.
    Refused = 3,
    /// Cut off by a crash.
    Reset = 4,
    /// No answer within the attempt's timeout.
    TimedOut = 5,
    /// Given up by its caller for a reason of the caller's: the deadline, or another attempt won.
    Cancelled = 6,
    /// Still out when the run ended.
    InFlight = 7,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [Outcome; 8] = [
        Outcome::Ok,
        Outcome::Error,
        Outcome::Rejected,
        Outcome::Refused,
        Outcome::Reset,
        Outcome::TimedOut,
        Outcome::Cancelled,
        Outcome::InFlight,
    ];

    /// What is said of it.
    pub const fn told(self) -> Told {
        match self {
            Outcome::Ok => Told::new("ok", "ok", "Answered in time.", Tone::Good),
            Outcome::Error => Told::new("error", "error", "Answered with an error.", Tone::Error)
                .because("were answered with an error")
                .nouns("an error", "errors"),
            Outcome::Rejected => {
                Told::new("rejected", "rejected", "Turned away: queue full.", Tone::Rejected)
                    .because("were turned away by a full service")
                    .nouns("a rejection", "rejections")
            }
            Outcome::Refused => Told::new("refused", "refused", "Nobody listened.", Tone::Other)
                .because("found nobody listening")
                .nouns("a refusal", "refusals"),
            Outcome::Reset => Told::new("reset", "reset", "Cut off by a crash.", Tone::Other)
                .because("were cut off by a crash")
                .nouns("a reset", "resets"),
            Outcome::TimedOut => {
                Told::new("timed_out", "timed out", "No answer within the attempt's timeout.", Tone::Late)
                    .because("timed out")
                    .nouns("a timeout", "timeouts")
            }
            Outcome::Cancelled => Told::new(
                "cancelled",
                "cancelled",
                "Given up for another reason: the call's deadline passed, or the caller ended.",
                Tone::Other,
            ),
            Outcome::InFlight => {
                Told::new("in_flight", "in flight", "Unanswered when the run ended.", Tone::Open)
            }
        }
    }

    /// The words of a report: `timed out`.
    pub const fn name(self) -> &'static str {
        self.told().name
    }

    /// All of them, in the order in which people are told: what is answered, what is out of time, what failed
    /// otherwise, what is not over.
    pub const TOLD: [Outcome; 8] = [
        Outcome::Ok,
        Outcome::TimedOut,
        Outcome::Rejected,
        Outcome::Error,
        Outcome::Refused,
        Outcome::Reset,
        Outcome::Cancelled,
        Outcome::InFlight,
    ];

    /// What a call can have failed of, in the words of a schema; `None` if no call does.
    pub const fn as_cause(self) -> Option<&'static str> {
        match self {
            Outcome::Error => Some("The callee answered with an error."),
            Outcome::Rejected => Some("The callee turned it away: queue full."),
            Outcome::Refused => Some("Nobody listened."),
            Outcome::Reset => Some("Cut off by a crash."),
            Outcome::TimedOut => Some("No answer in time."),
            Outcome::Ok | Outcome::Cancelled | Outcome::InFlight => None,
        }
    }
}

impl Counted for Outcome {
    type Counts = [u64; Outcome::ALL.len()];
    const SCHEMA: (&'static str, &'static str) = ("OutcomeCounts", "How attempts ended.");

    fn counted() -> impl Iterator<Item = Self> {
        Outcome::ALL.into_iter()
    }

    #[inline]
    fn place(self) -> usize {
        self as usize
    }

    fn written(self) -> (&'static str, &'static str, bool) {
        let told = self.told();
        (told.key, told.about, told.from_the_first)
    }
}

/// The outcome of the last attempt of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause(pub Outcome);

impl Counted for Cause {
    type Counts = [u64; Outcome::ALL.len()];
    const SCHEMA: (&'static str, &'static str) =
        ("CauseCounts", "The cause of the last attempt of a failed call.");

    fn counted() -> impl Iterator<Item = Self> {
        Outcome::ALL.into_iter().filter(|outcome| outcome.as_cause().is_some()).map(Cause)
    }

    #[inline]
    fn place(self) -> usize {
        self.0 as usize
    }

    fn written(self) -> (&'static str, &'static str, bool) {
        let told = self.0.told();
        (told.key, self.0.as_cause().unwrap_or(told.about), told.from_the_first)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

spec! {
    /// Something that can go wrong with one try of a call.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Failure {
        /// The server answered with an error.
        Error,
        /// The server turned the attempt away: its queue was full, or it shed or limited load.
        Rejected,
        /// Nobody listened.
        Refused,
        /// A crash cut the attempt off.
        Reset,
        /// No answer within the attempt's timeout.
        TimedOut,
        /// The caller's own breaker was open, so nothing was sent.
        BreakerOpen,
        /// The caller's own limit on the rate of attempts refused it, so nothing was sent.
        RateLimited,
        /// The caller got no connection from its own pool, so nothing was sent.
        PoolFull,
    }
}

/// What a retry reacts to and a breaker counts unless the file says otherwise: whatever can go wrong with
/// an attempt that was sent.
pub const ANY_SENT: [Failure; 5] =
    [Failure::Error, Failure::Rejected, Failure::Refused, Failure::Reset, Failure::TimedOut];

impl Failure {
    /// The outcome of an attempt that failed so; `None` for the one that was never sent.
    const fn outcome(self) -> Option<Outcome> {
        match self {
            Failure::Error => Some(Outcome::Error),
            Failure::Rejected => Some(Outcome::Rejected),
            Failure::Refused => Some(Outcome::Refused),
            Failure::Reset => Some(Outcome::Reset),
            Failure::TimedOut => Some(Outcome::TimedOut),
            Failure::BreakerOpen | Failure::RateLimited | Failure::PoolFull => None,
        }
    }
}

/// The failures a policy reacts to. Never holds `Ok`, `Cancelled` or `InFlight`: a file cannot name them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeSet(u16);

impl OutcomeSet {
    /// The failures listed in a file.
    pub fn of(failures: &[Failure]) -> Self {
        OutcomeSet(failures.iter().fold(0, |bits, failure| bits | Self::bit(*failure)))
    }

    /// Those of attempts that were not sent have no outcome, and are counted from above.
    const fn bit(failure: Failure) -> u16 {
        match failure.outcome() {
            Some(outcome) => 1 << outcome as u16,
            None if matches!(failure, Failure::BreakerOpen) => 1 << 15,
            None if matches!(failure, Failure::PoolFull) => 1 << 13,
            None => 1 << 14,
        }
    }

    /// Whether an attempt that ended so is meant.
    #[inline]
    pub const fn contains(self, outcome: Outcome) -> bool {
        self.0 >> outcome as u16 & 1 == 1
    }

    /// Whether this failure was listed.
    #[inline]
    pub const fn lists(self, failure: Failure) -> bool {
        self.0 & Self::bit(failure) != 0
    }
}

/// What an `on:` list must be: not empty, nothing twice.
#[derive(Clone, Copy, Debug)]
pub enum OnList {
    /// Any failure.
    Any,
    /// Failures of attempts that were sent: what a breaker can see.
    Sent,
}

impl Rule<Vec<Failure>> for OnList {
    fn check(&self, failures: &Vec<Failure>) -> Result<(), String> {
        if failures.is_empty() {
            return Err("must name at least one failure".into());
        }
        if let Some(i) = (1..failures.len()).find(|&i| failures[..i].contains(&failures[i])) {
            return Err(format!("which names {:?} twice", failures[i]));
        }
        let unsent = failures.iter().find(|failure| failure.outcome().is_none());
        if let (OnList::Sent, Some(unsent)) = (self, unsent) {
            return Err(format!("which names {unsent:?}: nothing is learnt of what was not sent"));
        }
        Ok(())
    }
    fn allowed(&self) -> String {
        match self {
            OnList::Any => "at least one, each once".into(),
            OnList::Sent => "at least one, each once, not BreakerOpen, RateLimited or PoolFull".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_frozen() {
        for (number, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, number, "{outcome}");
            assert!(Outcome::TOLD.contains(&outcome), "{outcome}");
        }
    }

    #[test]
    fn a_set_holds_what_was_listed_and_nothing_else() {
        use Outcome::*;
        let any = OutcomeSet::of(&ANY_SENT);
        for outcome in Outcome::ALL {
            let failed = matches!(outcome, Error | Rejected | Refused | Reset | TimedOut);
            assert_eq!(any.contains(outcome), failed, "{outcome}");
        }
        assert!(!any.lists(Failure::BreakerOpen) && !any.lists(Failure::RateLimited));
        let limited = OutcomeSet::of(&[Failure::RateLimited]);
        assert!(limited.lists(Failure::RateLimited) && !limited.lists(Failure::BreakerOpen));
        let own = OutcomeSet::of(&[Failure::BreakerOpen, Failure::Reset]);
        assert!(
            own.lists(Failure::BreakerOpen)
                && own.lists(Failure::Reset)
                && !own.lists(Failure::Error)
                && own.contains(Reset)
        );
        assert!(!own.contains(Error) && !own.contains(InFlight));
    }

    #[test]
    fn a_list_is_neither_empty_nor_repetitive() {
        for (rule, list, why) in [
            (OnList::Any, &ANY_SENT[..], None),
            (OnList::Sent, &ANY_SENT, None),
            (OnList::Any, &[Failure::BreakerOpen], None),
            (OnList::Sent, &[Failure::Error, Failure::BreakerOpen], Some("nothing is learnt")),
            (OnList::Sent, &[Failure::RateLimited], Some("names RateLimited")),
            (OnList::Any, &[], Some("at least one")),
            (OnList::Any, &[Failure::Error, Failure::Reset, Failure::Error], Some("Error twice")),
        ] {
            let verdict = rule.check(&list.to_vec());
            match why {
                None => assert_eq!(verdict, Ok(()), "{list:?}"),
                Some(why) => assert!(verdict.unwrap_err().contains(why), "{list:?}"),
            }
        }
    }
}
