//! What is wrong: [`Effect`]s, and where they come from.
//!
//! A fault is an effect on a target for a time. Whoever is struck keeps the *set* of what is upon it now
//! ([`ActiveSet`]) and derives from it how it behaves, so that of several that overlap one can end and nothing need be
//! undone.

mod active;
mod effect;
mod scheduled;

pub use active::{ActiveSet, OnLink, OnReplica};
pub use effect::{CrashStyle, Effect, Struck};
pub use scheduled::{Affected, FaultSpec};
