//! A call that says that a key has changed: whoever keeps something of it throws that away.
//!
//! It is how an invalidation reaches what is kept elsewhere: in the tiers before (a CDN's purge, a message to browsers), or in another region. It goes
//! over an edge like any call, so it takes time, may be lost, and comes to a replica that is down as little as others; nobody may wait for it
//! (`wait: false`). Until it comes what is kept there is old, and if it never does, until its time is over.
//!
//! The callee does its own work for it and calls nobody. It comes to one replica, which its balancer chooses: what other replicas keep of their own stays.
//! So it belongs before a cache that all replicas share, or with a balancer that chooses by key (`ConsistentHash(by: Key)`), as requests do then. A
//! lease that is out for the key is taken back, so that the old value that comes with it is not stored.

use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;

/// It only says that its key has changed.
#[derive(Clone, Copy, Debug)]
pub struct Purge;

impl Part for Purge {
    fn does(&self) -> Does {
        Does::CHOOSES
    }

    fn brief(&self) -> Option<String> {
        Some("purges".into())
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "purge",
            word: "",
            what: "With `purge: true` a call only says that its key has changed: the callee does its own work, throws away what it keeps of the key, and \
                   calls nobody. With `only: Writes` and `wait: false` it is an invalidation by message. It may go to a service that is asked before the one that \
                   makes it, which is no circle.",
            hurts: "What it does not reach stays old, and nobody hears of it: a message that is lost, one that comes before the old value does, and replicas \
                    that keep their own and are not the one that it comes to. A time to live is what bounds that.",
            formula: "with messages that take `d`, of which a share `p` is lost, a key that is written at `w` and kept for `T` is stale for about `w d + p (1 - e^(-w T))` \
                      of the time, as long as that is little",
            source: "Nishtala et al., NSDI 2013, 4.1 (mcsqueal) and 5 (regions); Fastly and Varnish: PURGE; RFC 9111, 4.4",
            experiment: "cache-tiers",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["true", "false"]
    }
}

/// What is told of a service that keeps answers and is told of keys that have changed.
pub fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("purges", at)
        .value("purges", plain("messages that a key had changed which came after the warm-up"))
        .value("thrown_away", plain("of them, those by which something was thrown away that was kept"))
}

impl<L: Listen> Graph<L> {
    /// Whether a request only says that its key has changed: then that is done, and it is over.
    #[cold]
    pub(super) fn is_purge(&mut self, id: AttemptId) -> bool {
        let carried = self.carriage.of(id);
        if !carried.purges {
            return false;
        }
        let attempt = &self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        if let Some(caches) = &mut service.caches {
            let forgot = caches.forget(attempt.replica, carried.key.unwrap_or(u32::MAX));
            if let Some(written) = &mut service.written {
                written.is_purged(forgot, attempt.marks.has(Marks::MEASURED));
            }
        }
        true
    }
}
