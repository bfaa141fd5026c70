//! What all clients of an edge remember together, lent to whoever is asked or told something.

use super::Guards;
use crate::policy::Policy;
use crate::policy::balancer::{Sessions, View};
use crate::policy::breaker::Breakers;
use crate::report::Section;
use sim_core::{Key, Luck};

/// What all clients remember together.
#[derive(Clone, Debug)]
pub struct Shared {
    /// They share their breakers: there are some, unless these are lent.
    has_breakers: bool,
    breakers: Option<Breakers>,
    sessions: Option<Box<Sessions>>,
}

impl Shared {
    /// Nothing has happened yet; none if they share nothing. Only breakers ask where they draw.
    pub fn new(policy: &Policy, view: &View, pick: &mut Luck, key: Key) -> Option<Shared> {
        let breaker = policy.breaker.as_ref().filter(|breaker| breaker.is_shared());
        let breakers = breaker.map(|breaker| Breakers::new(breaker, view.of(), &mut pick.at(key)));
        let sessions = policy.balancer.keeps_sessions().then(Box::default);
        let has_breakers = breakers.is_some();
        (has_breakers || sessions.is_some()).then_some(Shared { has_breakers, breakers, sessions })
    }

    /// Measurement begins: what was before is not counted.
    pub fn begin(&mut self) {
        self.sessions.iter_mut().for_each(|sessions| sessions.begin());
    }

    /// What became of sessions; nothing where there was nothing to choose.
    pub fn told_of_sessions(shared: Option<&Self>, at: &str) -> Section {
        let sessions = shared.and_then(|shared| shared.sessions.as_ref());
        sessions.map_or_else(|| Sessions::default().section(at), |sessions| sessions.section(at))
    }
}

impl Guards {
    /// Takes what all clients share, or gives it back: they hold it only while they are asked or told.
    #[cold]
    pub fn lend(&mut self, shared: &mut Shared) {
        if shared.has_breakers {
            std::mem::swap(&mut self.breaker, &mut shared.breakers);
        }
        if let Some(balancer) = &mut self.balancer {
            balancer.lend(&mut shared.sessions);
        }
    }
}
