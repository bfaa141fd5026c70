//! Runs that differ only in what happens from an instant on begin as one: the state before it is copied, and each goes on from
//! its copy.
//!
//! Whoever asks how long a fault must last, or to what the load must be lowered, simulates the time before that again and again, to
//! the same byte. A [`Trunk`] is that time, simulated once. So does whoever looks at a run early, and wants to see the rest of it
//! if that does not tell. What may go on from a trunk is the model's to say ([`Scenario::trunk_key`](crate::Scenario::trunk_key)):
//! the same key, seed and options, and nothing besides that happens before the trunk ends. The report of a branch is that of a
//! run from the start, digests included.

use sim_core::SimTime;
use std::any::Any;

/// The state of a run at an instant.
pub struct Trunk {
    /// What runs have in common that may go on from here.
    pub key: u64,
    /// Whatever makes them differ comes then or later.
    pub before: SimTime,
    /// What the state takes, about.
    pub bytes: u64,
    state: Box<dyn Any + Send + Sync>,
}

impl Trunk {
    /// A model's own state before an instant.
    pub fn new(key: u64, before: SimTime, bytes: u64, state: impl Any + Send + Sync) -> Self {
        Trunk { key, before, bytes, state: Box::new(state) }
    }

    /// The state, to whom it belongs.
    pub fn state<T: Any>(&self) -> Option<&T> {
        self.state.downcast_ref()
    }
}
