//! What is kept may be thrown away, or replaced, before its time.

use super::look_up::What;
use super::store::Kept;
use super::{Caches, OnMiss};
use crate::service_graph::state::AttemptId;
use sim_core::{Key, SimDuration, SimTime};

impl Caches {
    /// How many there are.
    pub fn stores(&self) -> usize {
        self.stores.len()
    }

    /// Nothing is kept of a key any more in the one that a replica looks into, and whoever has a lease for it has it no longer: what he brings may
    /// be older. Says whether anything was.
    pub fn forget(&mut self, replica: u32, key: u32) -> bool {
        self.takes_lease_back(replica, key);
        let store = self.store_of(replica);
        self.stores[store].remove(key)
    }

    fn takes_lease_back(&mut self, replica: u32, key: u32) {
        if matches!(self.rules.on_miss, OnMiss::Lease { .. }) {
            let flights = self.flights_of(replica);
            let nobody = self.flights[flights].ends(key);
            self.flights[flights].give_back(nobody);
        }
    }

    /// What was written is kept from now on, whatever there was, and whoever has a lease has it no longer.
    pub fn has_written(&mut self, replica: u32, key: u32, (luck, measured): (Key, bool), now: SimTime) {
        self.takes_lease_back(replica, key);
        let until = self.rules.ttl.map_or(SimTime::MAX, |ttl| now + self.drawn(ttl, luck));
        let kept = Kept { until, took: SimDuration::ZERO, is_error: false, is_renewed: false };
        let store = self.store_of(replica);
        if self.stores[store].put(key, kept) {
            self.counts.evicted += u64::from(measured);
        }
    }

    /// What was written, and is still to be passed on, is kept anew if it had to go, or if its time is over.
    pub fn still_has(&mut self, replica: u32, key: u32, luck: Key, now: SimTime) {
        let store = self.store_of(replica);
        if !self.stores[store].peek(key).is_some_and(|kept| !kept.is_error && now < kept.until) {
            self.has_written(replica, key, (luck, false), now);
        }
    }

    /// What is kept of a key in the one that a replica looks into is replaced by what was written, an error included, for as long as it would have
    /// been. Says whether anything was.
    pub fn replaces(&mut self, replica: u32, key: u32) -> bool {
        let store = self.store_of(replica);
        let kept = self.stores[store].peek(key);
        kept.map(|kept| kept.is_error = false).is_some()
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
