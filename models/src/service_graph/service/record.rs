//! The store of record: whose word is the truth about every key, and how far what users are told is from it.
//!
//! When it has done a write, the key has a new version, and everybody who asks it from then on gets that. The write is *acknowledged* when
//! the call of the user who made it ends well. What a user is told on the way back may be older: a cache keeps the version that it was told, and
//! answers with it. An answer is *stale* if it is older than the last acknowledged write of its key when the read began, which is what
//! somebody notices who has been told that it was done; one that is younger than that, though not acknowledged yet, is no harm. How stale is the
//! time from when the first write that is missing was acknowledged to when the read began.
//!
//! It knows the truth, as nobody in the graph does: nothing in the run depends on it. What somebody stood in for says no version, and is
//! counted as neither.

use super::on_write::{Index, NOWHERE};
use crate::experiment::{Decoder, Node};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::{GraphSpec, Only, ServiceSpec};
use crate::service_graph::state::*;
use sim_core::{SimDuration, SimTime};

/// The one thing that requests without a key are about.
const NO_KEY: u32 = u32::MAX;
/// The version that every key has before anybody writes. 0 is none.
const FIRST: u32 = 1;

/// The service whose word is the truth.
#[derive(Clone, Debug)]
pub struct StoreOfRecord(pub String);

/// Whether there is such a service, and what is said of writes where nobody writes, or nobody asks about it.
pub fn check(graph: &GraphSpec, at: &Node, cx: &mut Decoder) {
    // Whoever says that none do means it.
    let writes = graph.workload.iter().any(|workload| workload.writes.is_some());
    let all_calls = || graph.services.values().flat_map(|it| &it.calls).flat_map(|step| &step.calls);
    let reacts = graph.store_of_record.is_some()
        || graph.services.values().any(|service| keeps(service) || service.on_write.is_some())
        || all_calls().any(|call| call.only.is_some())
        || graph.faults.iter().filter_map(|fault| fault.requests.as_ref()).any(|some| some.only.is_some());
    if let Some(record) = &graph.store_of_record {
        if graph.services.index_of(&record.value).is_none() {
            let help = cx.suggest(&record.value, "the services are", graph.services.names());
            let message = format!("unknown service `{}`", record.value);
            cx.at("store_of_record", |cx| _ = cx.error(record.span, message).help(help));
        } else if !writes {
            cx.at("store_of_record", |cx| {
                cx.warn(at.span_of("store_of_record"), "nobody writes, so nothing can be stale")
                    .help("`writes` of a workload, such as 0.05; or leave it out");
            });
        } else if !is_written(graph, &record.value) {
            let message = format!("no write ever comes to {}, so nothing can be stale", record.value);
            cx.at("store_of_record", |cx| {
                cx.warn(record.span, message)
                    .help("let writes make the calls on the way there, or name another service");
            });
        }
    }
    if writes && !reacts {
        let span = graph.workload[0].to.span;
        cx.at("workload", |cx| {
            cx.warn(span, "nothing makes a difference between writes and reads")
                .help("name the `store_of_record`, or say `only: Writes` of a call; or leave `writes` out");
        });
    }
    for call in all_calls().filter(|call| call.purge) {
        if graph.services.get(&call.to.value).is_some_and(|callee| !keeps(callee)) {
            let message = format!("{} keeps no answers: there is nothing to throw away", call.to.value);
            cx.at("services", |cx| {
                _ = cx.warn(call.to.span, message).help("give it a `cache`; or leave the call out")
            });
        }
        if call.only != Some(Only::Writes) {
            let message = "this call throws away what is kept for reads as well, so nothing is kept for long";
            cx.at("services", |cx| _ = cx.warn(call.to.span, message).help("`only: Writes`"));
        }
    }
    if writes {
        return;
    }
    for (name, _) in graph.services.iter().filter(|(_, service)| service.on_write.is_some()) {
        let span = graph.services.span_of(name).unwrap_or(at.span);
        let message = format!("nobody writes, so `{name}` never hears of a write");
        cx.at("services", |cx| {
            cx.at(name, |cx| {
                _ = cx.warn(span, message).help("`writes` of a workload; or leave `on_write` out")
            })
        });
    }
    for call in all_calls().filter(|call| call.only.is_some() && !call.purge) {
        let message = match call.only {
            Some(Only::Writes) => "nobody writes, so this call is never made",
            _ => "nobody writes, so all requests make this call",
        };
        cx.at("services", |cx| {
            _ = cx
                .warn(call.to.span, message)
                .help("`writes` of a workload, such as 0.05; or leave `only` out")
        });
    }
}

/// Whether a write of any user may come to this service; or nobody's is one, which whoever says so means.
fn is_written(graph: &GraphSpec, record: &str) -> bool {
    let mut writers =
        graph.workload.iter().filter(|it| it.writes.is_some_and(|share| share > 0.0)).peekable();
    writers.peek().is_none()
        || writers.any(|writer| {
            let (mut reached, mut next) = (vec![writer.to.value.as_str()], 0);
            while let Some(&name) = reached.get(next) {
                let service = graph.services.get(name);
                let calls = service.into_iter().flat_map(ServiceSpec::all_calls_of).filter(|call| {
                    let is_his = call.only_from.is_empty()
                        || call.only_from.iter().any(|name| name.value == writer.name.value);
                    is_his && !call.purge && call.only != Some(Only::Reads)
                });
                for to in calls.flat_map(|call| [Some(&call.to), call.instead().map(|(to, ..)| to)]).flatten()
                {
                    if !reached.contains(&to.value.as_str()) {
                        reached.push(&to.value);
                    }
                }
                next += 1;
            }
            reached.contains(&record)
        })
}

/// Whether a service keeps answers.
pub fn keeps(service: &ServiceSpec) -> bool {
    service.around("").all().any(|part| part.keeps().is_some())
}

impl Part for StoreOfRecord {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn sections(&self, _at: &str) -> Vec<Section> {
        vec![declared(&self.0)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "store_of_record",
            word: "",
            what: "Names the service whose word is the truth: a write that it has done is a new version of its key. A section `staleness` tells how \
                   many reads were answered with less than the last write of their key that was acknowledged when they began, and how old that was.",
            hurts: "Whatever answers in its place knows only what it was told. What is kept for a time is old for up to that time; what is thrown away by a \
                    message is old until that comes, and for good if it is lost or comes before the old value does.",
            formula: "a value that is kept for `T`, of a key that is written at rate `w`, is stale at a share `1 - (1 - e^(-w T)) / (w T)` of the times at which \
                      it is looked at",
            source: "Terry et al., \"Session Guarantees for Weakly Consistent Replicated Data\", 1994; Bailis et al., \"Probabilistically Bounded \
                     Staleness\", 2012; Lu et al., \"Existential Consistency\", SOSP 2015",
            experiment: "write-patterns",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["\"service\""]
    }
}

/// What is told of it: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("staleness", at)
        .value("reads", plain("reads of users that were answered with some version of their key, of those that began after the warm-up"))
        .value(
            "stale",
            plain("of them, those whose answer was older than the last acknowledged write of the key when they began")
                .better(Better::Less)
                .of_windows(Fold::Sum("stale".into())),
        )
        .value(
            "stale_share",
            Value::new(Unit::Share, "the same as a share")
                .better(Better::Less)
                .headline()
                .of_windows(Fold::Ratio("stale".into(), "reads".into())),
        )
        .value("age_mean", Value::new(Unit::Duration, "how old a stale answer was: since the first write that was missing had been acknowledged, on average").better(Better::Less))
        .value("age_max", Value::new(Unit::Duration, "and at the most").better(Better::Less))
        .value("writes", plain("writes of users that were acknowledged"))
        .line("reads", Unit::Plain, "Reads that were answered with some version of their key in each window.")
        .line("stale", Unit::Plain, "Of them, stale ones.")
}

/// What is known of a key.
#[derive(Clone, Copy)]
struct Known {
    /// The last version that there is, and the one that the store has.
    newest: u32,
    stored: u32,
    /// The last acknowledgement of a version that no other was ahead of; [`NOWHERE`] is none.
    last: u32,
}

/// A version was acknowledged that is newer than all before it.
#[derive(Clone, Copy)]
struct Acknowledged {
    version: u32,
    at: SimTime,
    before: u32,
}

/// The truth about every key.
#[derive(Clone)]
pub struct Ledger {
    /// Whose word it is.
    pub service: u32,
    places: Index,
    keys: Vec<Known>,
    acknowledged: Vec<Acknowledged>,
    counts: [u64; 3],
    age_ns: u128,
    oldest: SimDuration,
    window: [u32; 2],
    windows: [Vec<f64>; 2],
}

impl Ledger {
    /// Of a graph that has a store of record: nothing was written yet.
    pub fn by(spec: &GraphSpec) -> Option<Box<Self>> {
        let service = spec.services.index_of(&spec.store_of_record.as_ref()?.value)?;
        Some(Box::new(Ledger {
            service: service as u32,
            places: Index::default(),
            keys: Vec::new(),
            acknowledged: Vec::new(),
            counts: [0; 3],
            age_ns: 0,
            oldest: SimDuration::ZERO,
            window: [0; 2],
            windows: Default::default(),
        }))
    }

    fn of(&mut self, key: Option<u32>) -> &mut Known {
        let key = key.unwrap_or(NO_KEY);
        let place = self.places.get(key).unwrap_or_else(|| {
            let place = self.keys.len() as u32;
            self.keys.push(Known { newest: FIRST, stored: FIRST, last: NOWHERE });
            self.places.insert(key, place);
            place
        });
        &mut self.keys[place as usize]
    }

    /// The store has done a request: the version that it answers with.
    fn done(&mut self, key: Option<u32>, write: bool) -> u32 {
        let known = self.of(key);
        if write {
            known.newest += 1;
            known.stored = known.newest;
        }
        known.stored
    }

    /// Somebody answers a write before the store has done it: the version that it will be.
    pub fn will_be(&mut self, key: Option<u32>) -> u32 {
        let known = self.of(key);
        known.newest += 1;
        known.newest
    }

    /// The store does one that was answered before: it does not replace what is newer. Which version there is now.
    fn written(&mut self, key: Option<u32>, version: u32) -> u32 {
        let known = self.of(key);
        known.stored = known.stored.max(version);
        known.stored
    }

    /// What a request that begins now may count on: the place of the last acknowledgement.
    pub fn expects(&mut self, key: Option<u32>) -> u32 {
        self.of(key).last
    }

    /// A user's write has ended well, as this version.
    fn acknowledges(&mut self, key: Option<u32>, version: u32, measured: bool, now: SimTime) {
        self.counts[2] += u64::from(measured);
        let before = self.of(key).last;
        if before != NOWHERE && self.acknowledged[before as usize].version >= version {
            return;
        }
        self.of(key).last = self.acknowledged.len() as u32;
        self.acknowledged.push(Acknowledged { version, at: now, before });
    }

    /// A user's read that began then has ended well, with this version.
    fn read(&mut self, (version, expects): (u32, u32), began: SimTime, measured: bool) {
        self.window[0] += 1;
        self.counts[0] += u64::from(measured);
        let (mut next, mut missing) = (expects, None);
        while next != NOWHERE && self.acknowledged[next as usize].version > version {
            missing = Some(self.acknowledged[next as usize].at);
            next = self.acknowledged[next as usize].before;
        }
        let Some(missing) = missing else { return };
        self.window[1] += 1;
        if measured {
            let age = began.since(missing);
            self.counts[1] += 1;
            self.age_ns += u128::from(age.as_nanos());
            self.oldest = self.oldest.max(age);
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        let window = std::mem::take(&mut self.window);
        self.windows.iter_mut().zip(window).for_each(|(line, count)| line.push(f64::from(count)));
    }

    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        let [reads, stale, writes] = self.counts;
        for (name, count) in [("reads", reads), ("stale", stale), ("writes", writes)] {
            section.set(name, count as f64);
        }
        section.set("stale_share", (reads > 0).then(|| stale as f64 / reads as f64));
        section.set("age_mean", (stale > 0).then(|| self.age_ns as f64 / stale as f64));
        section.set("age_max", (stale > 0).then(|| self.oldest.as_nanos() as f64));
        let lines = ["reads", "stale"].into_iter().zip(&self.windows);
        lines.for_each(|(name, line)| section.draw(name, line.clone()));
        section
    }
}

impl<L: Listen> Graph<L> {
    /// A request's own work is over, and was no error: at the store of record that is what there is of its key from now on, or was. What is only told again
    /// is not done again.
    #[cold]
    pub(super) fn is_recorded(&mut self, id: AttemptId, again: bool) {
        let service = self.edges[self.attempts[id].edge as usize].callee;
        let Some(ledger) = self.ledger.as_mut().filter(|ledger| ledger.service == service) else { return };
        let carried = self.carriage.of_mut(id);
        if self.attempts[id].is_check() || carried.purges {
            return;
        }
        carried.version = match carried.behind {
            true => ledger.written(carried.key, carried.expects),
            false => ledger.done(carried.key, carried.writes && !again),
        };
    }

    /// A call was answered well by this attempt: the version that it says goes on to whoever asked, or is what a user is told.
    #[cold]
    pub(super) fn hand_on_version(
        &mut self,
        id: AttemptId,
        (parent, measured): (Parent, bool),
        began: SimTime,
        now: SimTime,
    ) {
        let Some(ledger) = &mut self.ledger else { return };
        let carried = self.carriage.of(id);
        if carried.version == 0 {
            return;
        }
        match parent {
            Parent::Request { attempt, .. } => self.carriage.of_mut(attempt).version = carried.version,
            Parent::Aside { .. } | Parent::Check { .. } | Parent::Callback { .. } => {}
            Parent::User | Parent::Loop { .. } | Parent::Visit { .. } if carried.writes => {
                ledger.acknowledges(carried.key, carried.version, measured, now);
            }
            Parent::User | Parent::Loop { .. } | Parent::Visit { .. } => {
                ledger.read((carried.version, carried.expects), began, measured);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let text =
            r#"(workload: [], services: {"db": (workers: Async(1), work: "1ms")}, store_of_record: "db")"#;
        let (spec, _) = crate::policy::tests::read::<GraphSpec>(text).unwrap_or_else(|said| panic!("{said}"));
        *Ledger::by(&spec).expect("there is one")
    }

    /// Three writes of a key, acknowledged at 1, 2 and 4 s; reads that begin later, with one of the versions.
    #[test]
    fn an_answer_is_as_stale_as_the_first_write_that_is_missing() {
        let at = |secs| SimTime::from_secs(secs);
        let mut ledger = ledger();
        let key = Some(7);
        assert_eq!(ledger.done(key, false), FIRST);
        for (secs, version) in [(1, 2), (2, 3), (4, 4)] {
            assert_eq!(ledger.done(key, true), version);
            ledger.acknowledges(key, version, true, at(secs));
        }
        for (began, expects, version, age) in [
            // With what there was before anybody wrote; of what came when it had begun it need not know.
            (5, 2, FIRST, Some(4)),
            (3, 1, FIRST, Some(2)),
            (5, 2, 3, Some(1)),
            (3, 1, 3, None),
            (5, 2, 4, None),
            // Nobody had been told of any.
            (5, NOWHERE, FIRST, None),
        ] {
            let before = (ledger.counts[1], ledger.age_ns);
            ledger.read((version, expects), at(began), true);
            let told =
                (ledger.counts[1] > before.0).then(|| (ledger.age_ns - before.1) as u64 / 1_000_000_000);
            assert_eq!(told, age, "version {version} at {began} s");
        }
        assert_eq!(ledger.of(Some(8)).newest, FIRST, "other keys have versions of their own");
    }

    /// A write that is acknowledged after a newer one tells nobody anything new.
    #[test]
    fn acknowledgements_out_of_order() {
        let mut ledger = ledger();
        assert_eq!((ledger.done(None, true), ledger.done(None, true)), (2, 3));
        ledger.acknowledges(None, 3, true, SimTime::from_secs(1));
        ledger.acknowledges(None, 2, true, SimTime::from_secs(2));
        let expects = ledger.expects(None);
        ledger.read((2, expects), SimTime::from_secs(3), true);
        assert_eq!((ledger.counts, ledger.oldest), ([1, 1, 2], SimDuration::from_secs(2)));
    }
}
