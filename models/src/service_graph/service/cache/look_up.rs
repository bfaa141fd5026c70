//! A request looks for what is kept of its key, and if it went out for it, comes back with an answer.

use super::Caches;
use super::store::Kept;
use crate::carried::Carried;
use crate::policy::Outcome;
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use sim_core::{Key, SimDuration, SimTime, Words};

/// The one thing that all are about who do not say any: more than there are keys.
const NO_KEY: u32 = u32::MAX;

/// What a request finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This is what it is answered with.
    Kept(Outcome),
    /// Nothing: it goes out for it.
    Nothing,
}

/// A request that is out for an answer: who it is, and for which key.
#[derive(Clone, Copy, Default)]
pub struct Errand {
    of: Option<AttemptId>,
    key: u32,
}

/// Which key a request is about.
fn key_of(carried: Carried) -> u32 {
    carried.key.unwrap_or(NO_KEY)
}

impl Caches {
    /// Which of them a replica looks into.
    fn store_of(&self, replica: u32) -> usize {
        if self.is_of_replicas { replica as usize } else { 0 }
    }

    /// A request looks for what is kept of its key; if that is nothing that is good, it goes out for it.
    fn look(&mut self, id: AttemptId, attempt: &Attempt, key: u32, now: SimTime) -> Found {
        let measured = u64::from(attempt.marks.has(Marks::MEASURED));
        let store = self.store_of(attempt.replica);
        self.window.lookups += 1;
        self.counts.lookups += measured;
        let kept = self.stores[store].look(key);
        if let Some(kept) = kept {
            if now < kept.until {
                self.window.hits += 1;
                self.counts.hits += measured;
                self.counts.negative_hits += if kept.is_error { measured } else { 0 };
                return Found::Kept(if kept.is_error { Outcome::Error } else { Outcome::Ok });
            }
            let is_first = !std::mem::replace(&mut kept.is_renewed, true);
            self.counts.expired += if is_first { measured } else { 0 };
            self.counts.fetches_again += measured;
        }
        self.window.fetches += 1;
        self.counts.fetches += measured;
        self.errands.put(id, Errand { of: Some(id), key });
        Found::Nothing
    }

    /// How long what is stored now is good.
    fn drawn(&mut self, ttl: SimDuration, key: Key) -> SimDuration {
        if self.jitter == 0.0 {
            return ttl;
        }
        let stretch = 1.0 + self.jitter * (2.0 * self.luck.at(key).unit() - 1.0);
        SimDuration::drawn(ttl.as_nanos() as f64 * stretch)
    }

    /// A request is over that may have been out for an answer: what came is kept, if it is worth that.
    fn comes_back(&mut self, id: AttemptId, attempt: &Attempt, what: Option<Outcome>, now: SimTime) {
        let Some(Errand { key, .. }) = self.errand_of(id) else { return };
        self.errands.put(id, Errand::default());
        let measured = u64::from(attempt.marks.has(Marks::MEASURED));
        let (is_error, ttl) = match what {
            Some(Outcome::Ok) => (false, Some(self.ttl)),
            Some(_) => (true, self.negative_ttl.map(Some)),
            None => (false, None),
        };
        let Some(ttl) = ttl else {
            self.counts.failed += measured;
            return;
        };
        let until = ttl.map_or(SimTime::MAX, |ttl| now + self.drawn(ttl, attempt.key));
        let kept = Kept { until, is_error, is_renewed: false };
        let store = self.store_of(attempt.replica);
        self.counts.fills += measured;
        if self.stores[store].put(key, kept) {
            self.counts.evicted += measured;
        }
    }

    fn errand_of(&self, id: AttemptId) -> Option<Errand> {
        self.errands.get(id).copied().filter(|errand| errand.of == Some(id))
    }
}

impl<L: Listen> Graph<L> {
    /// A request's own work is over at a service that keeps answers, if it does: what it finds.
    #[cold]
    pub(in crate::service_graph::service) fn looks_up(&mut self, id: AttemptId, now: SimTime) -> Found {
        let attempt = &self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        match &mut service.caches {
            // Whoever checks wants to know of all that is behind.
            Some(caches) if !attempt.is_check() => {
                caches.look(id, attempt, key_of(self.carriage.of(id)), now)
            }
            _ => Found::Nothing,
        }
    }

    /// A request is over at such a service.
    #[cold]
    pub(in crate::service_graph::service) fn comes_back(
        &mut self,
        id: AttemptId,
        outcome: Outcome,
        now: SimTime,
    ) {
        let attempt = &self.attempts[id];
        let edge = &self.edges[attempt.edge as usize];
        // What something stood in for is not the answer.
        let stood_in = edge.degrades.is_some() && *self.degraded.of(id);
        let Some(caches) = &mut self.services[edge.callee as usize].caches else { return };
        caches.comes_back(id, attempt, (!stood_in).then_some(outcome), now);
    }
}
