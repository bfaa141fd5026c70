//! How one call ends, as whoever made it saw it.
//!
//! Every call ends in exactly one [`Ending`]. One that failed keeps the outcome of its last attempt, which is also
//! what it is called. What is said of each stands in its row, [`Ending::told`].

use super::outcome::{Failure, Outcome, OutcomeSet};
use super::told::{Counted, Told, Tone};

/// How a call ends. The numbers of their counts are those of their order here; new ones go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Answered, and the caller still waited.
    Ok,
    /// With the last attempt's outcome.
    Failed(Outcome),
    /// The whole call ran out of time.
    Deadline,
    /// Refused by an open breaker.
    BreakerOpen,
    /// Refused by a full bulkhead.
    BulkheadFull,
    /// The caller itself has gone.
    Cancelled,
    /// Still waiting when the run ended.
    InFlight,
    /// Not sent, since the service accepts too few.
    Throttled,
    /// Refused by a rate limit.
    RateLimited,
    /// Refused by an adaptive limit on what is out.
    Limited,
    /// Refused by a pool without a connection.
    PoolFull,
    /// Not sent, since no replica is left to choose.
    NoHost,
    /// Not sent, since its request had been passed on as often as it may be.
    HopLimit,
}

impl Ending {
    /// Stands for all that failed, whatever of: they are counted together, and once more by their cause.
    pub const FAILED: Ending = Ending::Failed(Outcome::Error);

    /// One of each that is counted, by their numbers.
    const COUNTED: &'static [Ending] = &[
        Ending::Ok,
        Ending::FAILED,
        Ending::Deadline,
        Ending::BreakerOpen,
        Ending::BulkheadFull,
        Ending::Cancelled,
        Ending::InFlight,
        Ending::Throttled,
        Ending::RateLimited,
        Ending::Limited,
        Ending::PoolFull,
        Ending::NoHost,
        Ending::HopLimit,
    ];

    /// Whether a file can list a refusal of this kind among what is tried again, and `on` does.
    #[inline]
    pub const fn is_listed(self, on: OutcomeSet) -> bool {
        match self {
            Ending::BreakerOpen => on.lists(Failure::BreakerOpen),
            Ending::RateLimited => on.lists(Failure::RateLimited),
            Ending::PoolFull => on.lists(Failure::PoolFull),
            _ => false,
        }
    }

    /// What is said of it; of one that failed, what is said of its cause.
    pub const fn told(self) -> Told {
        match self {
            Ending::Ok => Told::new("ok", "ok", "Answered, and the caller still waited.", Tone::Good),
            Ending::Failed(cause) => cause.told(),
            Ending::Deadline => {
                Told::new("deadline", "deadline", "The whole call ran out of time.", Tone::Late)
                    .because("passed their deadline")
                    .nouns("its deadline", "deadlines")
            }
            Ending::BreakerOpen => {
                Told::new("breaker_open", "breaker open", "Refused by an open breaker.", Tone::Unsent)
                    .refused_by("an open breaker", "were refused by an open breaker")
            }
            Ending::BulkheadFull => {
                Told::new("bulkhead_full", "bulkhead full", "Refused by a full bulkhead.", Tone::Unsent)
                    .refused_by("a full bulkhead", "were refused by a full bulkhead")
            }
            Ending::Cancelled => Told::new(
                "cancelled",
                "cancelled",
                "The caller itself ended: crashed, or cancelled from above.",
                Tone::Other,
            )
            .because("were cancelled"),
            Ending::InFlight => {
                Told::new("in_flight", "in flight", "Still waiting when the run ended.", Tone::Open)
            }
            Ending::Throttled => Told {
                from_the_first: false,
                ..Told::new(
                    "throttled",
                    "throttled",
                    "Not sent, since the service accepts too few.",
                    Tone::Unsent,
                )
                .refused_by("the throttle", "were not sent by a client that throttles itself")
            },
            Ending::RateLimited => Told {
                from_the_first: false,
                ..Told::new("rate_limited", "rate limited", "Refused by a rate limit.", Tone::Unsent)
                    .refused_by("a rate limit", "were refused by a rate limit")
            },
            Ending::Limited => Told {
                from_the_first: false,
                ..Told::new("limited", "limited", "Refused by an adaptive limit.", Tone::Unsent)
                    .refused_by("an adaptive limit", "were refused by an adaptive limit on what is out")
            },
            Ending::PoolFull => Told {
                from_the_first: false,
                ..Told::new("pool_full", "pool full", "Not sent, for want of a connection.", Tone::Unsent)
                    .refused_by("a full pool", "got no connection from a full pool")
            },
            Ending::NoHost => Told {
                from_the_first: false,
                ..Told::new("no_host", "no host", "Not sent: no replica was left to choose.", Tone::Unsent)
                    .refused_by("having nobody to call", "found no replica to choose")
            },
            Ending::HopLimit => Told {
                from_the_first: false,
                ..Told::new(
                    "hop_limit",
                    "hop limit",
                    "Not sent: its request had been passed on as often as it may be.",
                    Tone::Unsent,
                )
                .refused_by("the hop limit", "were made by requests that had been passed on too often")
            },
        }
    }

    /// The words of a trace and of a report.
    pub const fn name(self) -> &'static str {
        self.told().name
    }

    /// Every way to end, those that failed by their cause: by their numbers.
    pub fn all() -> impl Iterator<Item = Ending> {
        Self::by_cause(&Outcome::ALL)
    }

    /// The same, in the order in which people are told.
    pub fn in_order() -> impl Iterator<Item = Ending> {
        Self::by_cause(&Outcome::TOLD)
    }

    fn by_cause(outcomes: &'static [Outcome]) -> impl Iterator<Item = Ending> {
        let causes = || outcomes.iter().filter(|outcome| outcome.as_cause().is_some());
        Self::COUNTED.iter().copied().flat_map(move |ending| {
            let failed = ending == Ending::FAILED;
            let single = (!failed).then_some(ending);
            single.into_iter().chain(causes().filter(move |_| failed).map(|&cause| Ending::Failed(cause)))
        })
    }

    /// That of this name, if there is one: how a trace is read back.
    pub fn named(name: &str) -> Option<Ending> {
        Self::all().find(|ending| ending.name() == name)
    }

    /// What a breaker that watches whole calls sees.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Ending::Ok => Outcome::Ok,
            Ending::Failed(cause) => cause,
            Ending::Deadline => Outcome::TimedOut,
            Ending::InFlight => Outcome::InFlight,
            Ending::BreakerOpen
            | Ending::BulkheadFull
            | Ending::Cancelled
            | Ending::Throttled
            | Ending::RateLimited
            | Ending::Limited
            | Ending::PoolFull
            | Ending::NoHost
            | Ending::HopLimit => Outcome::Cancelled,
        }
    }
}

impl Counted for Ending {
    type Counts = [u64; Ending::COUNTED.len()];
    const SCHEMA: (&'static str, &'static str) = ("EndingCounts", "How calls ended.");

    fn counted() -> impl Iterator<Item = Self> {
        Self::COUNTED.iter().copied()
    }

    #[inline]
    fn place(self) -> usize {
        match self {
            Ending::Ok => 0,
            Ending::Failed(_) => 1,
            Ending::Deadline => 2,
            Ending::BreakerOpen => 3,
            Ending::BulkheadFull => 4,
            Ending::Cancelled => 5,
            Ending::InFlight => 6,
            Ending::Throttled => 7,
            Ending::RateLimited => 8,
            Ending::Limited => 9,
            Ending::PoolFull => 10,
            Ending::NoHost => 11,
            Ending::HopLimit => 12,
        }
    }

    fn written(self) -> (&'static str, &'static str, bool) {
        match self {
            Ending::Failed(_) => ("failed", "Failed with the last attempt's cause.", true),
            other => {
                let told = other.told();
                (told.key, told.about, told.from_the_first)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_place_and_its_own_name() {
        for (place, ending) in Ending::counted().enumerate() {
            assert_eq!(ending.place(), place, "{ending:?}");
        }
        for ending in Ending::all() {
            assert_eq!(Ending::named(ending.name()), Some(ending));
        }
        let mut told: Vec<&str> = Ending::in_order().map(Ending::name).collect();
        assert_eq!((told[0], told[1], told.len()), ("ok", "timed out", Ending::all().count()));
        told.sort_unstable();
        let mut all: Vec<&str> = Ending::all().map(Ending::name).collect();
        all.sort_unstable();
        assert_eq!(told, all);
    }

    #[test]
    fn what_is_no_failure_has_no_reason() {
        let good = |ending: Ending| matches!(ending, Ending::Ok | Ending::InFlight);
        assert!(Ending::all().all(|ending| ending.told().because.is_none() == good(ending)));
        // Only what a call can fail of is a cause.
        assert!(Outcome::ALL.iter().all(|o| o.as_cause().is_none() == o.told().because.is_none()));
    }
}
