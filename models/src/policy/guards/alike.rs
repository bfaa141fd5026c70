//! What all clients of an edge have alike and nobody changes: made once, and lent to each of them.

use crate::policy::Policy;
use crate::policy::balancer::{Chooser, Circle};
use sim_core::Streams;
use std::sync::Arc;

/// What all clients of an edge have alike.
#[derive(Clone, Debug)]
pub struct Alike {
    /// As many replicas there are to choose among.
    choices: u32,
    circle: Option<Arc<Circle>>,
    /// What tells the subsets of this run from those of others.
    salt: u64,
}

impl Alike {
    /// Of an edge to a service of so many replicas.
    pub fn new(policy: &Policy, choices: u32, (edge, service): (&str, &str), streams: &Streams) -> Self {
        Alike {
            choices,
            circle: policy.balancer.circle(choices, service, streams),
            salt: policy.subset.as_ref().map_or(0, |subset| subset.salt(edge, service, streams)),
        }
    }

    /// Of an edge that has no clients of its own.
    pub fn nothing(choices: u32) -> Self {
        Alike { choices, circle: None, salt: 0 }
    }

    /// Replicas that there are to choose among.
    pub fn choices(&self) -> u32 {
        self.choices
    }

    /// What tells subsets apart.
    pub(super) fn salt(&self) -> u64 {
        self.salt
    }

    /// Who chooses among them, by its number.
    pub(super) fn chooser(&self, client: u32) -> Chooser<'_> {
        Chooser { client, replicas: self.choices, circle: self.circle.as_ref() }
    }
}
