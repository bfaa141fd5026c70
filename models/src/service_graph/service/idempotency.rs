//! Whether what a service does is done once for each call, however often that comes.
//!
//! A caller that got no answer does not know whether anything was done: the request was lost on its way, or it waits in a queue,
//! or all was done and the answer is late. Trying again, or a copy, may do it a second time. Here that is counted against the truth: a
//! request has had its effect when its own work is over and was no error (work that fails, or that a crash cuts
//! off, is taken back, as a transaction is), whoever hears of it. Requests are for the same call if they are attempts of it: a retry
//! further up is another call here, with another key, and a user who loads a page again is another user.
//!
//! *A key* (Stripe's `Idempotency-Key`, the IETF draft of that name, AWS's client tokens) lets the service find what it has done:
//! within the window a request whose call has had its effect is answered from what is kept, without work and without further calls.
//! One that comes while another of its call is still worked on is answered with an error (409 at Stripe), to be tried later. All
//! replicas look into one store; each look takes `lookup` longer. A request that has to wait for a worker does so first, so a
//! key keeps what is done from being done twice, and no queue from growing.
//!
//! Without a key what helps is to try again only what was surely not done (`on: [Rejected, Refused]`), as gRPC's transparent
//! retries, Finagle's `WriteExceptionsOnly` and nginx for `POST` do.

use crate::experiment::POSITIVE;
use crate::policy::Outcome;
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::slab::{Beside, Id, Slab};
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;
use sim_core::{SimDuration, SimTime};

spec! {
    /// What becomes of a request whose call was worked on before.
    pub enum Idempotency {
        /// It is done again, and counted.
        Absent,
        /// It is answered without work, if it comes soon enough.
        Key {
            /// How long what was done is kept.
            window: SimDuration = SimDuration::from_secs(86_400); POSITIVE,
            /// How much longer each request takes because of it.
            lookup: SimDuration = SimDuration::ZERO,
        },
    }
}

impl Part for Idempotency {
    fn does(&self) -> Does {
        match self {
            Idempotency::Absent => Does::NOTHING,
            Idempotency::Key { .. } => Does::ANSWERS.and(Does::FAILS).and(Does::STRETCHES),
        }
    }

    fn brief(&self) -> Option<String> {
        matches!(self, Idempotency::Key { .. }).then(|| "idempotency key".into())
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let what = match self {
            Idempotency::Absent => {
                "what is tried again though it was not refused may be done twice: `duplicates` counts it"
            }
            Idempotency::Key { .. } => {
                "what is tried again is done once, unless a caller further up makes another call of it"
            }
        };
        vec![format!("{}: {what}", around.name)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "idempotency",
            word: "",
            what: "Counts what a service does more than once for one call, against the truth; with a key a request whose call \
                   was worked on before is answered without work.",
            hurts: "A key is for the attempts of one call: whoever repeats further up makes another. It costs a look into a \
                    store for every request, which is one more thing that may be slow; what comes after the window is done again.",
            formula: "where a share `p` of answers is late a call with `k` attempts is done `1 + p + .. + p^(k-1)` times on \
                      average if all that is late is done",
            source: "Stripe API (Idempotency-Key); draft-ietf-httpapi-idempotency-key-header; RFC 9110, 9.2.2; gRPC A6 \
                     (transparent retries); Helland, \"Idempotence Is Not a Medical Condition\", 2012",
            experiment: "charged-twice",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Absent", r#"Key(window: "1s", lookup: "1ms")"#, r#"Key(window: "20ms")"#]
    }
}

/// What is told of it: nothing measured yet.
fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("duplicates", at)
        .value("done", plain("calls that had their effect, of those made after the warm-up"))
        .value("twice", plain("of them, those that had it more than once").better(Better::Less).headline())
        .value("twice_share", Value::new(Unit::Share, "the same as a share").better(Better::Less))
        .value("beyond", plain("times that it was had beyond the first"))
        .value("replayed", plain("requests answered without work, since their call had had its effect"))
        .value("conflicts", plain("requests refused while another of their call was worked on"))
        .line("beyond", Unit::Plain, "Effects beyond the first of their call in each window.")
}

/// What a service does about it, and what came of it.
#[derive(Clone, Default)]
pub struct Deeds {
    key: Option<(SimDuration, SimDuration)>,
    done: u64,
    twice: u64,
    beyond: u64,
    replayed: u64,
    conflicts: u64,
    window: u64,
    windows: Vec<f64>,
}

impl Deeds {
    /// Of a service that counts them: nothing is done yet.
    pub fn by(service: &ServiceSpec) -> Option<Self> {
        let key = match service.idempotency.as_ref()? {
            Idempotency::Absent => None,
            Idempotency::Key { window, lookup } => Some((*window, *lookup)),
        };
        Some(Deeds { key, ..Deeds::default() })
    }

    /// How much longer each request takes because of it.
    pub fn lookup(service: &ServiceSpec) -> SimDuration {
        match &service.idempotency {
            Some(Idempotency::Key { lookup, .. }) => *lookup,
            Some(Idempotency::Absent) | None => SimDuration::ZERO,
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(std::mem::take(&mut self.window) as f64);
    }

    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        let Deeds { done, twice, beyond, replayed, conflicts, .. } = self;
        let counts = [
            ("done", done),
            ("twice", twice),
            ("beyond", beyond),
            ("replayed", replayed),
            ("conflicts", conflicts),
        ];
        counts.into_iter().for_each(|(name, count)| section.set(name, *count as f64));
        section.set("twice_share", (self.done > 0).then(|| self.twice as f64 / self.done as f64));
        section.draw("beyond", self.windows.clone());
        section
    }
}

/// What was done for one call. It is there as long as the call's place, or one of its attempts', has not been taken by another that
/// is kept book of: longer than any of them can come again, and never more than there are places.
#[derive(Clone, Default)]
struct Deed {
    times: u32,
    first: Option<SimTime>,
    /// Who is at it, or was.
    worker: Option<AttemptId>,
    measured: bool,
    /// Places that it is kept for.
    places: u32,
}

/// What becomes of a request that is worked on.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Way {
    /// It has its effect.
    #[default]
    Works,
    /// Its call has had it.
    Replays,
    /// Another of its call is at it.
    Conflicts,
}

/// What was done for each call, where that is counted.
#[derive(Clone, Default)]
pub struct Book {
    deeds: Slab<Deed>,
    of_calls: Beside<Option<Id<Deed>>>,
    of_attempts: Beside<(Option<Id<Deed>>, Way)>,
}

impl Book {
    /// An attempt of a call is sent: the first of it, or one more.
    #[cold]
    pub fn sent(&mut self, call: CallId, attempt: AttemptId, is_first: bool, measured: bool) {
        if is_first {
            let deed = self.deeds.insert(Deed { measured, places: 1, ..Deed::default() }).0;
            let before = self.of_calls.replace(call, Some(deed));
            self.release(before);
        }
        let deed = *self.of_calls.of(call);
        if let Some(deed) = deed {
            self.deeds[deed].places += 1;
        }
        let (before, _) = self.of_attempts.replace(attempt, (deed, Way::Works));
        self.release(before);
    }

    fn release(&mut self, deed: Option<Id<Deed>>) {
        let Some(id) = deed else { return };
        self.deeds[id].places -= 1;
        if self.deeds[id].places == 0 {
            self.deeds.remove(id);
        }
    }

    /// What is kept is kept for as many places as say so.
    pub fn check(&self) {
        let of_calls = self.of_calls.all().filter(|deed| deed.is_some()).count();
        let of_attempts = self.of_attempts.all().filter(|(deed, _)| deed.is_some()).count();
        let places: u32 = self.deeds.iter().map(|(_, deed)| deed.places).sum();
        assert_eq!(places as usize, of_calls + of_attempts, "places of what was done");
        assert!(self.deeds.iter().all(|(_, deed)| deed.places > 0), "what was done is kept for nobody");
    }

    /// Whether an attempt is answered from what is kept of its call.
    pub fn is_told_again(&self, attempt: AttemptId) -> bool {
        self.of(attempt).1 == Way::Replays
    }

    fn of(&self, attempt: AttemptId) -> (Id<Deed>, Way) {
        let (deed, way) = *self.of_attempts.of(attempt);
        (deed.expect("a request that is kept book of"), way)
    }
}

impl<L: Listen> Graph<L> {
    /// Work on a request has begun, at a service that looks up what it has done: it is over at once if that is known.
    #[cold]
    pub(super) fn look_up(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &self.attempts[id];
        let service = &self.services[self.edges[attempt.edge as usize].callee as usize];
        let Some((window, lookup)) = service.deeds.as_ref().and_then(|deeds| deeds.key) else { return };
        let (number, _) = self.book.of(id);
        let deed = &mut self.book.deeds[number];
        let other = deed.worker.and_then(|other| self.attempts.get(other));
        let way = if other.is_some_and(|other| matches!(other.server, Server::Working | Server::Waiting)) {
            Way::Conflicts
        } else if deed.first.is_some_and(|first| now.since(first) <= window) {
            Way::Replays
        } else {
            deed.worker = Some(id);
            Way::Works
        };
        self.book.of_attempts.replace(id, (Some(number), way));
        if way == Way::Works {
            return;
        }
        assert!(self.interrupt(id, ctx), "it is worked on");
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        // An instance that has only just been started has to, whatever it finds.
        let starts = service.instances.as_ref().map_or(SimDuration::ZERO, |it| it.starts_now());
        service.work_on((id, attempt), (SimDuration::ZERO, starts + lookup), ctx);
    }

    /// A request's own work is over: as what it ends at once, if it does.
    #[cold]
    pub(super) fn note_deed(&mut self, id: AttemptId, fails: bool, now: SimTime) -> Option<Outcome> {
        let service = self.edges[self.attempts[id].edge as usize].callee;
        let deeds = self.services[service as usize].deeds.as_mut().expect("it keeps count");
        let (number, way) = self.book.of(id);
        let deed = &mut self.book.deeds[number];
        let measured = u64::from(deed.measured);
        match way {
            Way::Replays => {
                deeds.replayed += measured;
                return Some(Outcome::Ok);
            }
            Way::Conflicts => {
                deeds.conflicts += measured;
                return Some(Outcome::Error);
            }
            Way::Works if fails => return None,
            Way::Works => {}
        }
        deed.times += 1;
        // What is kept is what was done last: whoever comes too late for the first does it again.
        deed.first = Some(now);
        match deed.times {
            1 => deeds.done += measured,
            times => {
                deeds.twice += if times == 2 { measured } else { 0 };
                deeds.beyond += measured;
                deeds.window += 1;
            }
        }
        None
    }
}
