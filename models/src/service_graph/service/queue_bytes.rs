//! A limit on the bytes that wait in a queue, and what the requests of a replica weigh.
//!
//! Places limit how many wait, which is what a queue's wait is made of; bytes limit the memory that they take. A request that would make it more than the limit
//! is rejected, whatever the order of the queue and however many places are left; nobody gives its place up for it. So a large one is rejected where a small one
//! that comes next finds room.
//!
//! Bytes are counted where somebody looks at them: where a queue is limited by them, and where a replica [dies](super::dies) of the memory that requests
//! with a size take.

use crate::byte_size::ByteSize;
use crate::policy::Outcome;
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::follow::{Arrival, Listen};
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;

/// Bytes that may wait in each queue of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueBytes(pub ByteSize);

impl Part for QueueBytes {
    fn does(&self) -> Does {
        Does::SHEDS
    }

    fn brief(&self) -> Option<String> {
        Some(format!("{} in its queue", self.0))
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let (name, callers) = (around.name, around.callers.as_ref()?);
        if !callers.sizes {
            let why =
                format!("no request to `{name}` weighs anything: the bytes in its queue are not limited");
            let help = r#"say how much they do where they come from, as in `size: Fixed("64KiB")`"#;
            return Some((why, help.into()));
        }
        let least = ByteSize(callers.lightest.filter(|least| *least > self.0.0)?);
        let why = format!(
            "nobody ever waits at `{name}`: its queue has room for {}, and no request weighs less than {least}",
            self.0
        );
        Some((why, "a larger `queue_bytes`; or `capacity: 0`, if that is meant".into()))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "queue_bytes",
            word: "",
            what: "Limits the bytes that wait in each queue, beside its places: a request that would make it more is rejected.",
            hurts: "Large requests are turned away where small ones still find room: who has large ones has no service first, however much they matter. \
                    What is worked on counts towards memory and not towards this.",
            formula: "requests of a replica take at most the limit, its workers times the largest of them, and `memory_per_request` for each",
            source: "RabbitMQ x-max-length-bytes (reject-publish); Kafka queued.max.request.bytes; Cassandra native_transport_max_request_data_in_flight",
            experiment: "heavy-requests",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#""64KiB""#, r#""1B""#, r#""1TiB""#]
    }
}

fn declared(at: &str) -> Section {
    let refused = Value::new(Unit::Plain, "requests that were rejected because of the bytes that waited");
    Section::new("queue_bytes", at)
        .value("refused", refused.better(Better::Less).headline().of_windows(Fold::Sum("refused".into())))
        .value(
            "waiting_max",
            Value::new(Unit::Bytes, "bytes in the fullest queue that a request found, itself included"),
        )
        .line(
            "refused",
            Unit::Plain,
            "Requests that were rejected because of the bytes that waited, in each window.",
        )
        .line("waiting", Unit::Bytes, "Bytes that wait at the window's end, in all queues.")
}

/// What the requests of a service weigh.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Bytes that may wait in each queue.
    most: Option<u64>,
    /// Bytes of requests that a replica does not survive, and what each takes besides its size.
    fatal: Option<(u64, u64)>,
    /// In each queue.
    waiting: Vec<u64>,
    /// Of each replica: at work, or in its own queue.
    in_hand: Vec<u64>,
    refused: u64,
    refused_now: u64,
    waiting_max: u64,
    windows: [Vec<f64>; 2],
}

impl Weights {
    /// Of a service, if somebody looks at them: for its queue, or for what its replicas do not survive, and what each takes besides.
    pub fn by(service: &ServiceSpec, fatal: Option<(u64, u64)>, lines: u32) -> Option<Self> {
        let most = service.queue_bytes.map(|most| most.0);
        (most.is_some() || fatal.is_some()).then(|| Weights {
            most,
            fatal,
            waiting: vec![0; lines as usize],
            in_hand: vec![0; service.room() as usize],
            refused: 0,
            refused_now: 0,
            waiting_max: 0,
            windows: Default::default(),
        })
    }

    /// Whether one of so many bytes may wait in a queue.
    fn has_room(&self, line: usize, bytes: u32) -> bool {
        self.most.is_none_or(|most| self.waiting[line] + u64::from(bytes) <= most)
    }

    /// One waits.
    pub fn waits(&mut self, line: usize, bytes: u32, measured: bool) {
        self.waiting[line] += u64::from(bytes);
        if measured {
            self.waiting_max = self.waiting_max.max(self.waiting[line]);
        }
    }

    /// One waits no longer.
    pub fn waits_no_more(&mut self, line: usize, bytes: u32) {
        self.waiting[line] -= u64::from(bytes);
    }

    /// A replica has one more in hand.
    pub fn taken(&mut self, replica: u32, bytes: u32) {
        self.in_hand[replica as usize] += u64::from(bytes);
    }

    /// A replica is done with one.
    pub fn done(&mut self, replica: u32, bytes: u32) {
        self.in_hand[replica as usize] -= u64::from(bytes);
    }

    /// All that a replica had is lost, and what waited in its own queue.
    pub fn lost(&mut self, replica: u32, line: Option<usize>) {
        self.in_hand[replica as usize] = 0;
        line.into_iter().for_each(|line| self.waiting[line] = 0);
    }

    /// Whether a replica that has so many in hand does not survive what they weigh.
    fn is_fatal(&self, replica: u32, in_hand: u32) -> bool {
        self.fatal.is_some_and(|(room, each)| {
            self.in_hand[replica as usize].saturating_add(u64::from(in_hand).saturating_mul(each)) >= room
        })
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows[0].push(std::mem::take(&mut self.refused_now) as f64);
        self.windows[1].push(self.waiting.iter().sum::<u64>() as f64);
    }

    /// What was measured, where bytes are limited.
    pub fn section(&self, at: &str) -> Option<Section> {
        self.most?;
        let mut section = declared(at);
        section.set("refused", self.refused as f64);
        section.set("waiting_max", self.waiting_max as f64);
        let [refused, waiting] = &self.windows;
        section.draw("refused", refused.clone());
        section.draw("waiting", waiting.clone());
        Some(section)
    }
}

impl Service {
    /// A replica does not survive what its requests weigh.
    #[inline(never)]
    pub(super) fn is_too_heavy(&self, replica: u32) -> bool {
        let in_hand = self.replicas[replica as usize].in_hand;
        self.weights.as_ref().is_some_and(|weights| weights.is_fatal(replica, in_hand))
    }

    /// One of so many bytes leaves a queue without having been served.
    pub(super) fn unload(&mut self, replica: u32, bytes: u32) {
        let (line, shared) = (self.line_of(replica), self.queue.shared);
        let Some(weights) = &mut self.weights else { return };
        weights.waits_no_more(line, bytes);
        if !shared {
            weights.done(replica, bytes);
        }
    }
}

impl<L: Listen> Graph<L> {
    /// Whether there is no room for what a request weighs; it is rejected then.
    pub(super) fn is_too_much(
        &mut self,
        id: AttemptId,
        at: (u32, Option<u32>),
        line: usize,
        ctx: &mut Ctx,
    ) -> bool {
        let (service, attempt) = (&mut self.services[at.0 as usize], &self.attempts[id]);
        let Some(weights) = &mut service.weights else { return false };
        if weights.has_room(line, self.carriage.of(id).bytes) {
            return false;
        }
        weights.refused += u64::from(attempt.marks.has(Marks::MEASURED));
        weights.refused_now += 1;
        self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Rejected, ctx.now()));
        service.note_refused(attempt);
        self.answer(id, Outcome::Rejected, ctx);
        true
    }
}

impl<L> Graph<L> {
    /// What waits and what is in hand is what its requests weigh.
    pub fn check_weights(&self) {
        let mut all: Vec<Option<(Vec<u64>, Vec<u64>)>> = Vec::new();
        let none = |of: &[u64]| vec![0u64; of.len()];
        all.extend(self.services.iter().map(|service| {
            service.weights.as_ref().map(|weights| (none(&weights.waiting), none(&weights.in_hand)))
        }));
        for (id, attempt) in self.attempts.iter() {
            let number = self.edges[attempt.edge as usize].callee as usize;
            let (Some((waiting, in_hand)), service) = (&mut all[number], &self.services[number]) else {
                continue;
            };
            let bytes = u64::from(self.carriage.of(id).bytes);
            let (queued, there) = match attempt.server {
                Server::Queued => (true, !service.queue.shared),
                Server::Working | Server::Waiting => (false, true),
                _ => continue,
            };
            waiting[service.line_of(attempt.replica)] += if queued { bytes } else { 0 };
            in_hand[attempt.replica as usize] += if there { bytes } else { 0 };
        }
        for (service, counted) in self.services.iter().zip(all) {
            let weights = service.weights.as_ref().map(|it| (it.waiting.clone(), it.in_hand.clone()));
            assert_eq!(weights, counted, "bytes at {}", service.name);
        }
    }
}
