//! What a service that keeps answers does about a write.
//!
//! A write is never answered from what is kept: it does the service's own work and makes the calls, as a read does that finds nothing. If all
//! ends well, what is kept of its key in the store that its replica looks into may be
//!
//! - left alone, as where nothing is said: it is answered with until its time is over;
//! - thrown away (`Invalidate`; cache-aside): the next read fetches what there is now. A read that fetched the old value before the write was
//!   done, and stores it after it was thrown away, leaves it there for good, or until its time is over: the race of cache-aside;
//! - replaced (`Through`): who asks next is answered with what was written. Whoever comes last wins, so of two that write at a time, or of a
//!   write and a fetch, the older may stay. Only what is there is replaced, and its time is that of the old value.
//!
//! Other replicas that keep their own (`per: Replica`) hear nothing of either, and neither does what is kept elsewhere.

pub use super::cache::index::{Index, NOWHERE};
use crate::experiment::{Decoder, Node};
use crate::policy::Outcome;
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;

spec! {
    /// What a service that keeps answers does with what it keeps of a key that was written.
    #[derive(Copy, PartialEq, Eq)]
    pub enum OnWrite {
        /// It is thrown away: the next who asks fetches it.
        Invalidate,
        /// It is replaced by what was written, if it is there.
        Through,
    }
}

/// What can be seen without the calls that it is for.
pub fn check(service: &ServiceSpec, at: &Node, cx: &mut Decoder) {
    if service.on_write.is_some() && service.cache.is_none() {
        cx.at("on_write", |cx| {
            cx.warn(at.span_of("on_write"), "nothing is kept here that a write could change")
                .help("give the service a `cache`; or leave `on_write` out");
        });
    }
}

impl Part for OnWrite {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            OnWrite::Invalidate => "writes invalidate".into(),
            OnWrite::Through => "writes through".into(),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![self.declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let kept = around.all().find_map(|part| part.keeps());
        let Some(kept) = kept.filter(|kept| !kept.is_one && around.replicas > 1) else { return Vec::new() };
        let until = if kept.time.is_some() { "until its time is over" } else { "for as long as it is kept" };
        vec![format!(
            "{}: a write reaches what is kept by the replica that passes it on; every other one answers with the old value {until}",
            around.name
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "on_write",
            word: "",
            what: "Says what a service with a cache does when a write that it has passed on has ended well: it throws away what is kept of its key \
                   (`Invalidate`, cache-aside), or replaces it (`Through`). A write is never answered from a cache, and without this nothing is done \
                   about it: what is kept stays until its time is over.",
            hurts: "It reaches the one store that its own replica looks into. And a read that fetched the old value before the write was done stores it when \
                    it comes back, which may be after: then the old value stays, with nothing left to throw it away.",
            formula: "with fetches that take `δ`, of a key that is asked for at `r` and written at `w`, about `w r δ` stale values a second are stored at most",
            source: "Nishtala et al., NSDI 2013, 3.2.1 (stale sets); Jouppi, ISCA 1993",
            experiment: "write-patterns",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Invalidate", "Through"]
    }
}

impl OnWrite {
    /// What is done to what is kept, and what that means.
    fn deed(self) -> (&'static str, &'static str) {
        match self {
            OnWrite::Invalidate => (
                "invalidated",
                "of them, those by which something was thrown away that was kept of their key",
            ),
            OnWrite::Through => {
                ("replaced", "of them, those by which an answer was replaced that was kept of their key")
            }
        }
    }

    /// What is told of it: nothing measured yet.
    fn declared(self, at: &str) -> Section {
        let plain = |about| Value::new(Unit::Plain, about);
        let (deed, means) = self.deed();
        let passed_on = "writes that were passed on and ended well here, whether or not their user heard of it, of those that came after the warm-up";
        Section::new("on_write", at).value("passed_on", plain(passed_on)).value(deed, plain(means))
    }
}

/// Versions of what is kept, by key; of a key that is kept no more they mean nothing.
#[derive(Clone, Default)]
struct Versions {
    places: Index,
    versions: Vec<u32>,
}

impl Versions {
    fn get(&self, key: u32) -> Option<u32> {
        Some(self.versions[self.places.get(key)? as usize])
    }

    fn put(&mut self, key: u32, version: u32) {
        match self.places.get(key) {
            Some(place) => self.versions[place as usize] = version,
            None => {
                self.places.insert(key, self.versions.len() as u32);
                self.versions.push(version);
            }
        }
    }
}

/// What a service knows of writes that keeps answers.
#[derive(Clone)]
pub struct Written {
    rule: Option<OnWrite>,
    /// Of each of its stores, where a store of record is.
    versions: Box<[Versions]>,
    passed_on: u64,
    changed: u64,
    /// Messages that a key has changed, if any can come, and those by which something was thrown away.
    purges: Option<[u64; 2]>,
}

impl Written {
    /// Of a service that keeps answers in so many stores, and has anything to know.
    pub fn by(service: &ServiceSpec, stores: usize, has_record: bool, purged: bool) -> Option<Self> {
        let (rule, versions) = (service.on_write, vec![Versions::default(); stores].into());
        let purges = purged.then_some([0; 2]);
        let any = rule.is_some() || has_record || purged;
        any.then_some(Written { rule, versions, passed_on: 0, changed: 0, purges })
    }

    /// It was told that a key has changed: whether anything was kept of it.
    pub fn is_purged(&mut self, forgot: bool, measured: bool) {
        if let (Some([purges, forgotten]), true) = (&mut self.purges, measured) {
            *purges += 1;
            *forgotten += u64::from(forgot);
        }
    }

    /// What was measured, if it does anything.
    pub fn sections(&self, at: &str) -> Vec<Section> {
        let mut sections = Vec::new();
        if let Some(rule) = self.rule {
            let mut section = rule.declared(at);
            section.set("passed_on", self.passed_on as f64);
            section.set(rule.deed().0, self.changed as f64);
            sections.push(section);
        }
        if let Some([purges, forgotten]) = self.purges {
            let mut section = super::purge::declared(at);
            section.set("purges", purges as f64);
            section.set("thrown_away", forgotten as f64);
            sections.push(section);
        }
        sections
    }
}

impl<L: Listen> Graph<L> {
    /// Whether a request is a write, which is never answered from what is kept.
    #[inline]
    pub(super) fn is_write(&self, id: AttemptId) -> bool {
        self.carriage.of(id).writes
    }

    /// A request is over at a service that keeps answers, before what it has come back with is kept: which version that is, or the one that it was
    /// answered with; and what it has written.
    #[cold]
    pub(super) fn notes_version(&mut self, id: AttemptId, outcome: Outcome) {
        let attempt = &self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        let (Some(written), Some(caches)) = (&mut service.written, &mut service.caches) else { return };
        if outcome != Outcome::Ok || attempt.is_check() {
            return;
        }
        let carried = self.carriage.of(id);
        if carried.purges {
            return;
        }
        let (key, store) = (carried.key.unwrap_or(u32::MAX), caches.store_of(attempt.replica));
        let says = carried.version != 0;
        if !carried.writes {
            let versions = &mut written.versions[store];
            if says && caches.will_keep(id, attempt.replica, key) {
                versions.put(key, carried.version);
            } else if says {
                // It was told, and nobody keeps it.
            } else if let Some(version) = versions.get(key) {
                self.carriage.of_mut(id).version = version;
            }
            return;
        }
        let Some(rule) = written.rule else { return };
        let measured = u64::from(attempt.marks.has(Marks::MEASURED));
        written.passed_on += measured;
        let any = match rule {
            OnWrite::Invalidate => caches.forget(attempt.replica, key),
            OnWrite::Through => caches.has_answer(attempt.replica, key),
        };
        written.changed += if any { measured } else { 0 };
        if rule == OnWrite::Through && says {
            written.versions[store].put(key, carried.version);
        }
    }
}
