//! What is kept may be thrown away before its time.

use super::look_up::What;
use super::{Caches, OnMiss};
use crate::service_graph::state::AttemptId;

impl Caches {
    /// How many there are.
    pub fn stores(&self) -> usize {
        self.stores.len()
    }

    /// Nothing is kept of a key any more in the one that a replica looks into, and whoever has a lease for it has it no longer: what he brings may
    /// be older. Says whether anything was.
    pub fn forget(&mut self, replica: u32, key: u32) -> bool {
        if matches!(self.rules.on_miss, OnMiss::Lease { .. }) {
            let flights = self.flights_of(replica);
            let nobody = self.flights[flights].ends(key);
            self.flights[flights].give_back(nobody);
        }
        let store = self.store_of(replica);
        self.stores[store].remove(key)
    }

    /// Whether an answer is kept of a key in the one that a replica looks into, whoever may be answered with it.
    pub fn has_answer(&mut self, replica: u32, key: u32) -> bool {
        let store = self.store_of(replica);
        self.stores[store].peek(key).is_some_and(|kept| !kept.is_error)
    }

    /// Whether what this request comes back with will be kept.
    pub fn will_keep(&self, id: AttemptId, replica: u32, key: u32) -> bool {
        let Some(errand) = self.errand_of(id) else { return false };
        match errand.what {
            What::Fetches if self.rules.on_miss == OnMiss::Fetch => true,
            What::Fetches | What::Refreshes => self.flights[self.flights_of(replica)].is_whose(key, id),
            _ => false,
        }
    }
}
