//! What the replicas of a service have in hand, told to clients that choose by it: old news by the time it is used.

use sim_core::{Key, Luck, SimDuration, SimTime, Words};

/// Tells each client of an edge every so often.
#[derive(Clone, Debug)]
pub struct Reports {
    /// Of which service.
    pub service: u32,
    /// The edge whose clients hear it.
    pub edge: u32,
    pub every: SimDuration,
    pub clients: u32,
    pub luck: Luck,
}

impl Reports {
    /// When each client hears first: they do not march in step.
    pub fn first_looks(&mut self) -> Vec<SimTime> {
        let every = self.every.as_nanos();
        (0..u64::from(self.clients))
            .map(|client| SimTime::from_nanos(self.luck.at(Key::root(1, client)).below(every)))
            .collect()
    }
}
