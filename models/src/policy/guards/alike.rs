//! What all clients of an edge have alike and nobody changes: made once, and lent to each of them.

use crate::network::Apart;
use crate::policy::Policy;
use crate::policy::balancer::{Chooser, Circle};
use crate::policy::zone::{Near, Zone};
use sim_core::{Streams, digest};
use std::sync::Arc;

/// What all clients of an edge have alike.
#[derive(Clone, Debug)]
pub struct Alike {
    /// As many replicas there are to choose among.
    choices: u32,
    circle: Option<Arc<Circle>>,
    /// What tells its clients from those of other callers.
    caller: u32,
    /// What tells the subsets of this run from those of others.
    salt: u64,
    /// Whom they would rather call, and where they and the others stand, if that differs.
    zone: Option<Box<(Zone, Apart)>>,
    knows_all: bool,
}

impl Alike {
    /// Of an edge to a service of so many replicas, which may stand elsewhere than its clients.
    pub fn new(
        policy: &Policy,
        (choices, apart): (u32, Option<&Apart>),
        (edge, service): (&str, &str),
        streams: &Streams,
    ) -> Self {
        Alike {
            choices,
            circle: policy.balancer.circle(choices, service, streams),
            caller: digest::hash_text(edge.split("->").next().unwrap_or(edge)) as u32,
            salt: policy.subset.as_ref().map_or(0, |subset| subset.salt(edge, service, streams)),
            zone: policy.zone.clone().zip(apart.cloned()).map(Box::new),
            knows_all: policy.subset.is_none(),
        }
    }

    /// Of an edge that has no clients of its own.
    pub fn nothing(choices: u32) -> Self {
        Alike { choices, circle: None, caller: 0, salt: 0, zone: None, knows_all: true }
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
        let knows_all = self.knows_all;
        let near = self.zone.as_deref().map(|(zone, apart)| Near { zone, apart, knows_all });
        Chooser { client, caller: self.caller, replicas: self.choices, circle: self.circle.as_ref(), near }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each caller has addresses of its own, whichever way it calls.
    #[test]
    fn the_first_client_of_one_caller_is_not_that_of_another() {
        let caller = |edge: &str| {
            let alike = Alike::new(&Policy::default(), (3, None), (edge, "shop"), &Streams::new(1));
            alike.chooser(0).caller
        };
        assert_ne!(caller("users->shop"), caller("web->shop"));
        assert_eq!(caller("web->shop"), caller("web->shop#2"));
    }
}
