//! What a fault does: a closed list, and what each is called.
//!
//! An effect strikes replicas or the network, never both. Several at a time add up
//! ([`ActiveSet`](super::ActiveSet)): slowness multiplies, shares of errors and of lost messages are those of
//! independent causes, delays are sums, of two limits the smaller counts, everything else is there or is not.

use super::pages;
use crate::byte_size::ByteRate;
use crate::diagram::time;
use crate::distribution::TimeDistribution;
use crate::experiment::POSITIVE;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::words::percent;
use sim_core::SimDuration;

spec! {
    /// What a fault does.
    #[derive(PartialEq)]
    pub enum Effect {
        /// Work that starts takes longer.
        Slow {
            /// How many times longer.
            factor: f64; 0.000_001..=1_000_000.0,
        },
        /// Work in hand is lost; the replica is back, empty, when the fault ends.
        Crash {
            /// What callers notice.
            callers: CrashStyle = CrashStyle::Reset,
        },
        /// Finished work is answered with an error.
        Errors {
            /// Share of requests.
            probability: f64 = 1.0; 0.0..=1.0,
        },
        /// Requests are taken and never answered.
        BlackHole,
        /// It is told to go (SIGTERM), and comes back when the fault ends: callers no longer choose it, it does what it has in hand, and
        /// goes when that is done, with the calls that it does not wait for. What comes later is refused.
        Drain {
            /// How long it waits before it looks whether it is done: for what is still on its way (a `preStop` sleep). Part of `grace`.
            linger: SimDuration = SimDuration::ZERO,
            /// How long it has in all; what it has in hand then is cut off (`terminationGracePeriodSeconds`).
            grace: SimDuration = SimDuration::from_secs(30),
        },
        /// The network loses messages.
        Drop {
            /// Share of messages.
            probability: f64 = 1.0; 0.0..=1.0,
        },
        /// The network takes longer, each message of its own: one delay to the request, one to the answer.
        /// Messages on their way are not touched.
        Delay {
            /// What each message takes longer.
            add: TimeDistribution,
        },
        /// The network keeps messages back and delivers all of them at once when the fault ends.
        Hold,
        /// A message comes twice. A request is worked on again, for nobody: the answer to the one that comes first is the one
        /// that counts. Of an answer the second is ignored.
        Duplicate {
            /// Share of messages.
            probability: f64; 0.0..=1.0,
        },
        /// A share of the messages takes longer, and is overtaken by those that are sent after them.
        Reorder {
            /// Share of messages.
            probability: f64; 0.0..=1.0,
            /// How much longer they take.
            by: TimeDistribution,
        },
        /// The link carries so much, one message after another, each way for itself: a message takes its size over that, and waits for those
        /// before it. An answer weighs what its request does; what weighs nothing still waits.
        Bandwidth {
            /// How much it carries.
            limit: ByteRate; POSITIVE,
        },
    }
}

spec! {
    /// What callers notice of a crash.
    #[derive(Copy, PartialEq, Eq)]
    pub enum CrashStyle {
        /// Calls in flight are cut off at once, new ones refused.
        Reset,
        /// Nothing comes back: callers wait until their own timeout.
        Silence,
    }
}

/// What an effect is upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Struck {
    /// Replicas of a service.
    Replicas,
    /// What is between a caller and a service.
    Network,
}

impl Effect {
    /// The word of the report.
    pub fn name(&self) -> &'static str {
        match self {
            Effect::Slow { .. } => "slow",
            Effect::Crash { callers: CrashStyle::Reset } => "crash",
            Effect::Crash { callers: CrashStyle::Silence } => "silent crash",
            Effect::Errors { .. } => "errors",
            Effect::BlackHole => "black hole",
            Effect::Drain { .. } => "drain",
            Effect::Drop { .. } => "drop",
            Effect::Delay { .. } => "delay",
            Effect::Hold => "hold",
            Effect::Duplicate { .. } => "duplicate",
            Effect::Reorder { .. } => "reorder",
            Effect::Bandwidth { .. } => "bandwidth",
        }
    }

    /// What it is upon.
    pub fn strikes(&self) -> Struck {
        match self {
            Effect::Slow { .. }
            | Effect::Crash { .. }
            | Effect::Errors { .. }
            | Effect::BlackHole
            | Effect::Drain { .. } => Struck::Replicas,
            Effect::Drop { .. }
            | Effect::Delay { .. }
            | Effect::Hold
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. }
            | Effect::Bandwidth { .. } => Struck::Network,
        }
    }

    /// Whether there can be more and less of it.
    pub fn has_degrees(&self) -> bool {
        match self {
            Effect::Slow { .. }
            | Effect::Errors { .. }
            | Effect::Drop { .. }
            | Effect::Delay { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. } => true,
            Effect::Crash { .. }
            | Effect::BlackHole
            | Effect::Drain { .. }
            | Effect::Hold
            | Effect::Bandwidth { .. } => false,
        }
    }

    /// Whether it is upon one request or another, so that it can strike some and spare the rest.
    pub fn is_of_requests(&self) -> bool {
        matches!(self, Effect::Slow { .. } | Effect::Errors { .. } | Effect::BlackHole)
    }

    /// Whether it is told what becomes of messages by it.
    pub fn tells_of_messages(&self) -> bool {
        matches!(self, Effect::Duplicate { .. } | Effect::Reorder { .. })
    }

    /// Whether it is the network that fails, not a replica.
    pub fn is_network(&self) -> bool {
        self.strikes() == Struck::Network
    }
}

impl Part for Effect {
    fn does(&self) -> Does {
        match self {
            Effect::Slow { .. } => Does::VARIES,
            Effect::Crash { .. } | Effect::BlackHole => Does::BREAKS,
            Effect::Drain { .. } => Does::VARIES.and(Does::STEERS).and(Does::REFUSES),
            Effect::Errors { .. } => Does::FAILS,
            Effect::Drop { .. } => Does::LOSES,
            Effect::Delay { .. } => Does::TRAVELS,
            Effect::Hold => Does::DELAYS,
            Effect::Duplicate { .. } => Does::DOUBLES,
            Effect::Reorder { .. } => Does::TRAVELS,
            Effect::Bandwidth { .. } => Does::CROWDS,
        }
    }

    fn brief(&self) -> Option<String> {
        let how = match self {
            Effect::Slow { factor } => format!(", {factor} times"),
            Effect::Errors { probability }
            | Effect::Drop { probability }
            | Effect::Duplicate { probability } => {
                format!(" {}", percent(*probability))
            }
            Effect::Reorder { probability, by } => format!(" {} by {}", percent(*probability), time(by)),
            Effect::Bandwidth { limit } => format!(" {limit}"),
            Effect::Delay { add } => format!(" {} each way", time(add)),
            Effect::Drain { linger, grace } if linger.is_zero() => format!(" within {grace}"),
            Effect::Drain { linger, grace } => format!(" after {linger} within {grace}"),
            Effect::Crash { .. } | Effect::BlackHole | Effect::Hold => String::new(),
        };
        Some(format!("{}{how}", self.name()))
    }

    fn fails(&self) -> Option<f64> {
        match self {
            Effect::Errors { probability } => Some(*probability),
            _ => None,
        }
    }

    fn loses(&self) -> Option<f64> {
        match self {
            Effect::Drop { probability } => Some(*probability),
            _ => None,
        }
    }

    fn transmits(&self) -> Option<ByteRate> {
        match self {
            Effect::Bandwidth { limit } => Some(*limit),
            _ => None,
        }
    }

    fn about() -> &'static [Page] {
        pages::EFFECTS
    }

    fn samples() -> &'static [&'static str] {
        &[
            "Slow(factor: 10)",
            "Crash(callers: Reset)",
            "Crash(callers: Silence)",
            "Errors(probability: 0.5)",
            "BlackHole",
            "Drain()",
            r#"Drain(linger: "20ms", grace: "50ms")"#,
            "Drop(probability: 0.5)",
            "Drop",
            "Hold",
            "Delay(add: \"20ms\")",
            "Delay(add: Exponential(mean: \"20ms\"))",
            "Duplicate(probability: 0.3)",
            "Duplicate(probability: 1)",
            "Reorder(probability: 0.3, by: Exponential(mean: \"20ms\"))",
            "Bandwidth(limit: \"100KiB/s\")",
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_has_a_word_of_its_own_and_one_kind_of_target() {
        use Struck::{Network, Replicas};
        let probability = 0.5;
        let table = [
            (Effect::Slow { factor: 2.0 }, "slow", Replicas),
            (Effect::Crash { callers: CrashStyle::Reset }, "crash", Replicas),
            (Effect::Crash { callers: CrashStyle::Silence }, "silent crash", Replicas),
            (Effect::Errors { probability }, "errors", Replicas),
            (Effect::BlackHole, "black hole", Replicas),
            (Effect::Drain { linger: SimDuration::ZERO, grace: SimDuration::ZERO }, "drain", Replicas),
            (Effect::Drop { probability }, "drop", Network),
            (Effect::Hold, "hold", Network),
            (crate::fault::delay("5ms"), "delay", Network),
            (Effect::Duplicate { probability }, "duplicate", Network),
            (crate::fault::reorder(0.5, "5ms"), "reorder", Network),
            (Effect::Bandwidth { limit: ByteRate(1) }, "bandwidth", Network),
        ];
        for (effect, word, struck) in table {
            assert_eq!((effect.name(), effect.strikes()), (word, struck));
        }
    }
}
