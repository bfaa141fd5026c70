//! What a service has to do for the first request over a new connection, before it works on it.

use crate::service_graph::slab::Beside;
use crate::service_graph::state::AttemptId;
use sim_core::SimDuration;

/// Of requests that are the first over their connection: how long that takes.
#[derive(Clone, Default)]
pub struct Greetings(Beside<Option<(AttemptId, SimDuration)>>);

impl Greetings {
    /// Of one that is sent.
    pub fn put(&mut self, id: AttemptId, work: SimDuration) {
        self.0.put(id, Some((id, work)));
    }

    /// Of one that is worked on now; nothing if it is not the first. Whatever had its place before it may have never arrived.
    pub fn of(&self, id: AttemptId) -> SimDuration {
        let of = self.0.get(id).copied().flatten();
        of.filter(|(whose, _)| *whose == id).map_or(SimDuration::ZERO, |(_, work)| work)
    }
}
