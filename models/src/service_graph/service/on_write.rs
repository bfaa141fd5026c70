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
//! Or the write is answered as soon as it is kept, and makes its calls later ([`behind`]: what is to be passed on; [`passes_on`]: requests meanwhile;
//! [`told`]: what is told of it).
//!
//! Other replicas that keep their own (`per: Replica`) hear nothing of either, and neither does what is kept elsewhere.

mod behind;
mod passes_on;
mod told;

pub use super::cache::index::{Index, NOWHERE};
use crate::experiment::{Decoder, Node};
use crate::policy::Outcome;
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;
use crate::workload::Only;
use behind::Behind;
use sim_core::{SimDuration, SimTime};

spec! {
    /// What a service that keeps answers does with what it keeps of a key that was written.
    #[derive(Copy, PartialEq, Eq)]
    pub enum OnWrite where check_rule {
        /// It is thrown away: the next who asks fetches it.
        Invalidate,
        /// It is replaced by what was written, if it is there.
        Through,
        /// What was written is kept, and answered at once; the calls of the write are made later, by a request that nobody waits for.
        Behind {
            /// How often each replica passes on what it has to write.
            write_delay: SimDuration; LEAST_DELAY..,
            /// As soon as so many have come to a replica it passes them on; absent: every `write_delay`, or when there is no more room.
            write_batch_size: Option<u32> = None; 1..=MOST_TO_WRITE,
            /// Whether of several writes of one key that are to be passed on only the last is.
            write_coalescing: bool = true,
            /// How many each replica has room for, those that are on their way included.
            capacity: u32 = 50_000; 1..=MOST_TO_WRITE,
            /// What becomes of a write that finds no room.
            when_full: WhenFull = WhenFull::Block,
        },
    }
}

spec! {
    /// What becomes of a write for which there is no room among those that are to be passed on.
    #[derive(Copy, PartialEq, Eq)]
    pub enum WhenFull {
        /// It waits for room, with its worker if those block.
        Block,
        /// It makes its calls at once, and is answered when they have ended.
        WriteThrough,
        /// It fails.
        Reject,
    }
}

/// Each replica looks so often, whether or not it has anything to write.
const LEAST_DELAY: SimDuration = SimDuration::from_millis(1);
/// The most that a replica can have room for.
const MOST_TO_WRITE: u32 = 1_000_000;

fn check_rule(rule: &OnWrite, at: &Node, cx: &mut Decoder) {
    if let OnWrite::Behind { write_batch_size: Some(size), capacity, .. } = rule
        && size > capacity
    {
        let message = format!("a replica never has {size} to write: it has room for {capacity}");
        cx.at("write_batch_size", |cx| {
            _ = cx.warn(at.span_of("write_batch_size"), message).help("at most `capacity`; or leave it out")
        });
    }
}

/// What can be seen without the calls that it is for.
pub fn check(service: &ServiceSpec, at: &Node, cx: &mut Decoder) {
    let behind = matches!(service.on_write, Some(OnWrite::Behind { .. }));
    if service.on_write.is_some() && service.cache.is_none() {
        let message = match behind {
            false => "nothing is kept here that a write could change",
            true => "nothing is kept here, so a write cannot be answered before it is passed on",
        };
        cx.at("on_write", |cx| {
            cx.warn(at.span_of("on_write"), message)
                .help("give the service a `cache`; or leave `on_write` out");
        });
    } else if behind && !service.writes_behind() {
        cx.at("on_write", |cx| {
            cx.warn(at.span_of("on_write"), "no write makes a call here: there is nothing to pass on")
                .help("a call that is not for `Reads` only; or leave `on_write` out");
        });
    }
}

impl ServiceSpec {
    /// Whether writes are answered here before they have made their calls.
    pub fn writes_behind(&self) -> bool {
        let mut calls = self.calls.iter().flat_map(|step| &step.calls);
        matches!(self.on_write, Some(OnWrite::Behind { .. }))
            && self.cache.is_some()
            && calls.any(|call| call.only != Some(Only::Reads) && call.probability > 0.0)
    }
}

impl Part for OnWrite {
    fn does(&self) -> Does {
        match self {
            OnWrite::Invalidate | OnWrite::Behind { .. } => Does::FORGETS,
            // Its time is that of what was there.
            OnWrite::Through => Does::NOTHING,
        }
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            OnWrite::Invalidate => "writes invalidate".into(),
            OnWrite::Through => "writes through".into(),
            OnWrite::Behind { write_delay, .. } => format!("writes behind, every {}", write_delay.brief()),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![self.declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let mut notes = self.risks(around.name).into_iter().collect::<Vec<_>>();
        let kept = around.all().find_map(|part| part.keeps());
        let Some(kept) = kept.filter(|kept| !kept.is_one && around.replicas > 1) else { return notes };
        let until = if kept.time.is_some() { "until its time is over" } else { "for as long as it is kept" };
        notes.push(format!(
            "{}: a write reaches what is kept by the replica that passes it on; every other one answers with the old value {until}",
            around.name
        ));
        notes
    }

    fn bytes_by_key(&self, replicas: u32, keys: u64) -> u64 {
        let OnWrite::Behind { write_coalescing, capacity, .. } = self else { return 0 };
        let each = if *write_coalescing { keys.min((*capacity).into()) } else { (*capacity).into() };
        u64::from(replicas).saturating_mul(each).saturating_mul(Behind::BYTES)
    }

    fn comes_too_late(&self, end: SimTime) -> Option<String> {
        match self {
            OnWrite::Behind { write_delay, write_batch_size: None, .. }
                if SimTime::ZERO + *write_delay >= end =>
            {
                Some(format!(
                    "what is written is passed on every {write_delay}, but the run ends at {end}: it never is"
                ))
            }
            _ => None,
        }
    }

    fn about() -> &'static [Page] {
        &[
            Page {
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
            },
            Page {
                name: "write_behind",
                word: "Behind",
                what: "Answers a write as soon as it is kept, and makes its calls later: every `write_delay`, or as soon as `write_batch_size` have \
                   come or there is no more room. Of several writes of one key only the last is passed on (`write_coalescing`). What fails is \
                   passed on again when the next `write_delay` is over.",
                hurts: "A write is acknowledged that is in the memory of one replica only: a crash loses what was still to be passed on, and whoever asks the \
                    store itself is told old values until then. When the store does not keep up there is soon no room left (`capacity`), and then writes \
                    wait (`Block`), are passed on at once (`WriteThrough`), or fail (`Reject`). What comes to the store comes in bursts. Each write is a \
                    call of its own: what a store saves by doing many at a time is left out.",
                formula: "with writes at `λ` of `k` keys, all as likely, each `T` passes on `k (1 - e^(-λ T / k))` of `λ T`; a crash loses what came in `T / 2` on average",
                source: "Hazelcast, MapStore (`write-delay-seconds`, `write-batch-size`, `write-coalescing`, write-behind queue capacity 50,000); Oracle \
                     Coherence, write-behind caching; Caffeine, Writer; Jouppi, ISCA 1993 (write-back)",
                experiment: "write-patterns",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "Invalidate",
            "Through",
            r#"Behind(write_delay: "20ms")"#,
            r#"Behind(write_delay: "50ms", write_batch_size: 3, write_coalescing: false, capacity: 4)"#,
            r#"Behind(write_delay: "30ms", capacity: 1, when_full: WriteThrough)"#,
            r#"Behind(write_delay: "100ms", write_batch_size: 1, capacity: 2, when_full: Reject)"#,
        ]
    }
}

impl OnWrite {
    /// What somebody should know who means to answer writes before they are passed on.
    fn risks(&self, name: &str) -> Option<String> {
        let OnWrite::Behind { write_delay, .. } = self else { return None };
        let half = SimDuration::from_nanos(write_delay.as_nanos() / 2);
        let (most, mean) = (write_delay.brief(), half.brief());
        Some(format!(
            "{name}: a write is answered before it is passed on; a crash of its replica loses what came in the last {mean} on average, {most} at most, and \
             what the store did not take"
        ))
    }

    /// What is done to what is kept, and what that means.
    fn deed(self) -> (&'static str, &'static str) {
        match self {
            OnWrite::Invalidate => (
                "invalidated",
                "of them, those by which something was thrown away that was kept of their key",
            ),
            OnWrite::Through | OnWrite::Behind { .. } => {
                ("replaced", "of them, those by which an answer was replaced that was kept of their key")
            }
        }
    }

    /// What is told of it: nothing measured yet.
    fn declared(self, at: &str) -> Section {
        if let OnWrite::Behind { when_full, .. } = self {
            return told::declared(at, when_full);
        }
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
    /// What is to be passed on, where that is done later.
    behind: Option<Box<Behind>>,
}

impl Written {
    /// Of a service that keeps answers in so many stores, and has anything to know.
    pub fn by(service: &ServiceSpec, stores: usize, has_record: bool, purged: bool) -> Option<Self> {
        let (rule, versions) = (service.on_write, vec![Versions::default(); stores].into());
        let purges = purged.then_some([0; 2]);
        let any = rule.is_some() || has_record || purged;
        let behind = rule.filter(|_| service.writes_behind()).and_then(|it| Behind::by(it, service.room()));
        let behind = behind.map(Box::new);
        any.then_some(Written { rule, versions, passed_on: 0, changed: 0, purges, behind })
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
        if let Some(rule) = self.rule.filter(|rule| !matches!(rule, OnWrite::Behind { .. })) {
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
        sections.extend(self.section_of_behind(at));
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
            let is_older = written.behind.as_ref().is_some_and(|it| it.is_unwritten(attempt.replica, key));
            if says && !is_older && caches.will_keep(id, attempt.replica, key) {
                versions.put(key, carried.version);
            } else if says {
                // It was told, and nobody keeps it.
            } else if let Some(version) = versions.get(key) {
                self.carriage.of_mut(id).version = version;
            }
            return;
        }
        // What is written behind was kept when it was answered.
        let Some(rule) = written.rule.filter(|_| attempt.step != u16::MAX) else { return };
        let measured = u64::from(attempt.marks.has(Marks::MEASURED));
        written.passed_on += measured;
        let any = match rule {
            OnWrite::Invalidate => caches.forget(attempt.replica, key),
            OnWrite::Through | OnWrite::Behind { .. } => caches.replaces(attempt.replica, key),
        };
        written.changed += if any { measured } else { 0 };
        let versions = &mut written.versions[store];
        // What was answered meanwhile, and is still to be passed on, may be newer.
        let is_newer = |it: &Behind| {
            it.is_unwritten(attempt.replica, key)
                && versions.get(key).is_some_and(|version| version > carried.version)
        };
        let is_older = written.behind.as_deref().is_some_and(is_newer);
        if rule != OnWrite::Invalidate && says && !is_older {
            versions.put(key, carried.version);
        }
    }
}
