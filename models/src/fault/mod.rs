//! What is wrong: [`Effect`]s, and where they come from.
//!
//! A fault is an effect on a target for a time. Whoever is struck keeps the *set* of what is upon it now
//! ([`ActiveSet`]) and derives from it how it behaves, so that of several that overlap one can end and nothing need be
//! undone.

mod active;
mod between;
mod correlated;
mod effect;
mod pages;
mod random;
mod reach;
mod repair;
mod requests;
mod rhythm;
mod scheduled;
mod trigger;

pub use active::{ActiveSet, Longer, OnLink, OnReplica, Upon};
pub use between::{Between, Stretch};
pub use correlated::{Correlation, DomainSpec, HeldSpec, Shared};
pub use effect::{CrashStyle, Effect, Struck};
pub use random::{FailureSpec, Source, declared};
pub use reach::{Clients, Reach, Way, Ways, Whose};
pub use repair::{Heard, Mending, Repair, Work, declared_repair};
pub use requests::{Asked, Picked, Requests, SomeKeys};
pub use rhythm::{Flap, Rhythm};
pub use scheduled::{Affected, FaultSpec};
pub use trigger::{Signal, Trigger, TriggerSpec, declared_trigger};

/// The zone that something is on, by its name, if it is on one. No service has a name with a space.
pub fn place(on: &str) -> Option<&str> {
    on.strip_prefix("zone ").filter(|place| !place.contains("->")).map(str::trim)
}

/// A delay of so long.
#[cfg(test)]
pub(crate) fn delay(add: &str) -> Effect {
    Effect::Delay { add: constant(add) }
}

/// A share that takes so much longer.
#[cfg(test)]
pub(crate) fn reorder(probability: f64, by: &str) -> Effect {
    Effect::Reorder { probability, by: constant(by) }
}

#[cfg(test)]
fn constant(time: &str) -> crate::distribution::TimeDistribution {
    use crate::experiment::{Decode, Decoder, Node};
    let time = crate::distribution::TimeDistribution::decode(&Node::text(time), &mut Decoder::new());
    time.expect("a time")
}
