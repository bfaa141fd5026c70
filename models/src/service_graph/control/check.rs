//! What a replica is asked to find out whether it is well, and how often in a row it must answer so: the ground that all who check have
//! in common.
//!
//! A check is a call over an edge of its own, named for whoever asks (`health->api`), to one replica: it meets that replica's network,
//! crash and queue as any request does, and what strikes that edge strikes nobody else. What it asks for makes the difference. A
//! *shallow* check is answered by whoever listens: it finds out who is down and nothing else. One that takes a *worker* waits behind the
//! requests: overload looks like illness. A *deep* one makes the calls of a request too: when what all of them need is ill, all of them
//! look ill.

use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node};
use crate::policy::Policy;
use crate::policy::part::Does;
use sim_core::{Key, Luck, SimDuration, SimTime, Words};

spec! {
    /// What a health check or a probe asks for.
    pub enum Kind {
        /// Whether anybody listens: needs no worker, and says nothing of the work.
        Shallow,
        /// Some work of a worker, for which it waits in line like any request.
        Worker {
            /// The work.
            work: TimeDistribution = TimeDistribution::constant(SimDuration::from_millis(1)),
        },
        /// The same, and then the calls that a request makes, to see whether what it needs is there.
        Deep {
            /// The work before these calls.
            work: TimeDistribution = TimeDistribution::constant(SimDuration::from_millis(1)),
        },
    }
}

impl Kind {
    /// What it asks of the service.
    fn asks(&self) -> Asks {
        match self {
            Kind::Shallow => Asks { work: None, calls: false },
            Kind::Worker { work } => Asks { work: Some(work.clone()), calls: false },
            Kind::Deep { work } => Asks { work: Some(work.clone()), calls: true },
        }
    }

    /// What that does to requests.
    pub fn does(&self) -> Does {
        match self {
            Kind::Shallow => Does::NOTHING,
            Kind::Worker { .. } | Kind::Deep { .. } => Does::CHECKS,
        }
    }

    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Shallow => "shallow",
            Kind::Worker { .. } => "worker",
            Kind::Deep { .. } => "deep",
        }
    }
}

/// A check ends before the next begins.
pub fn check_pace((timeout, every): (SimDuration, SimDuration), pace: &str, at: &Node, cx: &mut Decoder) {
    if timeout > every {
        let span = at.get("timeout").or(at.get(pace)).unwrap_or(at).span;
        let message = format!("a check waits {timeout} for its answer, and the next is made after {every}");
        cx.error(span, message).help(format!("make `timeout` at most `{pace}`"));
    }
}

/// Somebody who checks the replicas of a service.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// What he is called among the callers.
    pub by: &'static str,
    /// What he asks for.
    pub kind: &'a Kind,
    /// How long he waits for an answer.
    pub timeout: SimDuration,
    /// One-way network latency; none means the graph's.
    pub network: &'a Option<TimeDistribution>,
}

impl Check<'_> {
    /// What his calls are made under.
    pub fn policy(&self) -> Policy {
        Policy { timeout: Some(self.timeout), ..Policy::default() }
    }

    /// The least work of a check, in nanoseconds.
    pub fn least_work(&self) -> f64 {
        self.kind.asks().work.map_or(0.0, |work| work.nanos.min())
    }

    /// What comes over his edge.
    pub fn asks(&self) -> Asks {
        self.kind.asks()
    }
}

/// What a check asks of a service.
#[derive(Clone, Debug)]
pub struct Asks {
    /// The work of a worker; none if it needs none.
    pub work: Option<TimeDistribution>,
    /// And then the calls that a request makes.
    pub calls: bool,
}

impl Asks {
    /// What a check asks that came over this edge, of what all of them ask.
    #[cold]
    pub fn over(all: &[(u16, Asks)], edge: u16) -> &Asks {
        all.iter().find(|(of, _)| *of == edge).map(|(_, asks)| asks).expect("it is a check")
    }
}

/// How many answers in a row are believed: of those that say ill, and of those that say well.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// Failures.
    pub ill: u32,
    /// Successes.
    pub well: u32,
}

/// Answers in a row that say the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct InARow {
    is_well: bool,
    answers: u32,
}

impl InARow {
    /// One more: what they say, if they are enough to be believed.
    pub fn hears(&mut self, is_well: bool, thresholds: Thresholds) -> Option<bool> {
        if is_well != self.is_well {
            *self = InARow { is_well, answers: 0 };
        }
        self.answers = self.answers.saturating_add(1);
        (self.answers >= if is_well { thresholds.well } else { thresholds.ill }).then_some(is_well)
    }
}

/// When each of so many is looked at first by whoever looks this often: each has its own beat.
pub fn beats(luck: &mut Luck, every: SimDuration, replicas: u32) -> impl Iterator<Item = SimTime> + '_ {
    (0..u64::from(replicas))
        .map(move |replica| SimTime::from_nanos(luck.at(Key::root(0, replica)).below(every.as_nanos())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each answer that says the other thing begins the count anew; enough are enough, and more are, too.
    #[test]
    fn enough_in_a_row() {
        for (ill, well, answers, says) in [
            (3, 1, "xx.xxxx.", "--i--ooi"),
            (3, 2, "...xx..", "-ii---i"),
            (1, 3, "x..x...", "o--o--i"),
            (2, 1, "xx", "-o"),
        ] {
            let mut row = InARow::default();
            let said: String = answers
                .chars()
                .map(|answer| match row.hears(answer == '.', Thresholds { ill, well }) {
                    None => '-',
                    Some(true) => 'i',
                    Some(false) => 'o',
                })
                .collect();
            assert_eq!(said, says, "{answers}, {ill} and {well} in a row");
        }
    }
}
