//! What is wrong: [`Effect`]s, and where they come from.
//!
//! A fault is an effect on a target for a time. Whoever is struck keeps the *set* of what is upon it now
//! ([`ActiveSet`]) and derives from it how it behaves, so that of several that overlap one can end and nothing need be
//! undone.

mod active;
mod effect;
mod rhythm;
mod scheduled;

pub use active::{ActiveSet, OnLink, OnReplica};
pub use effect::{CrashStyle, Effect, Struck};
pub use rhythm::{Flap, Rhythm};
pub use scheduled::{Affected, FaultSpec};

/// A delay of so long.
#[cfg(test)]
pub(crate) fn delay(add: &str) -> Effect {
    use crate::experiment::{Decode, Decoder, Node};
    let add = crate::distribution::TimeDistribution::decode(&Node::text(add), &mut Decoder::new());
    Effect::Delay { add: add.expect("a time") }
}
