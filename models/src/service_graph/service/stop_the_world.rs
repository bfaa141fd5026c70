//! A replica that stands still for a while, again and again, with all that it has in hand: a garbage collection, a virtual machine that is
//! moved, a disk that syncs.
//!
//! While it stands still no work goes on, no answer leaves, and whoever asks it whether it is well hears nothing; what comes is let
//! in or turned away as ever, as by the backlog of a socket, and begins to be worked on when the replica goes on. Work in hand takes as
//! much longer as the pauses that fell into it. Nobody looks for what is in hand when one begins: each replica keeps the sum of its
//! pauses, each request what that was when its work was begun with, and work that would be done too early is put off by the difference.
//! Where all share the cores of a replica, the clock of their progress stands still.
//!
//! A garbage collection begins when what has been allocated since the last fills the heap, and takes longer the more is alive, and what is
//! alive grows with what waits. So a queue makes pauses longer and more frequent, and these make the queue: past a length that follows
//! from load and heap it feeds itself, and is there when its cause has gone.
//!
//! Left out: collections that work beside the requests and slow them, generations, and timers of the calls that the replica makes,
//! which run on. Requests in a queue that all replicas share weigh on nobody.

use crate::byte_size::ByteSize;
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::follow::{Listen, Tracer};
use crate::service_graph::slab::Beside;
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;
use crate::words::{percent, short};
use sim_core::{Class, Key, LONGEST, Luck, SimDuration, SimTime, StreamUse, Streams, Words};

/// Nobody stands still for longer, all pauses that overlap together.
const MOST: SimTime = SimTime::from_nanos(2 * LONGEST.as_nanos());
const GIB: u128 = 1 << 30;

spec! {
    /// What makes a replica stand still.
    pub enum StopTheWorld where check {
        /// It does so again and again, whatever it has to do.
        Periodic {
            /// From the beginning of a pause to that of the next. The replicas are not in step: each begins at a time of its own within the first.
            every: TimeDistribution; POSITIVE,
            /// How long each takes. One that begins during another makes that longer.
            r#for: TimeDistribution; POSITIVE,
            /// All replicas have their pauses at the same time.
            together: bool = false,
        },
        /// It collects garbage when its heap is full.
        GarbageCollection {
            /// Memory in all.
            heap: ByteSize; POSITIVE,
            /// What is alive in a replica that has nothing to do.
            live: ByteSize = ByteSize(0),
            /// What is alive besides for each request that waits there or is worked on, calls that it waits for included.
            live_per_request: ByteSize = ByteSize(0),
            /// What a request allocates when work on it begins, and leaves behind as garbage.
            allocated_per_request: ByteSize; POSITIVE,
            /// How long a collection takes that finds nothing alive.
            pause: SimDuration = SimDuration::ZERO,
            /// And how much longer for each GiB that is alive.
            pause_per_gib: SimDuration = SimDuration::ZERO,
        },
    }
}

fn check(stops: &StopTheWorld, at: &Node, cx: &mut Decoder) {
    match stops {
        StopTheWorld::Periodic { every, r#for, .. } => {
            if r#for.mean() >= every.mean() {
                let message = format!("pauses of {} every {}: it never goes on", r#for.mean(), every.mean());
                cx.error(at.span_of("for"), message)
                    .help("`every` counts from beginning to beginning, and is longer than `for`");
            }
        }
        StopTheWorld::GarbageCollection {
            heap,
            live,
            live_per_request,
            allocated_per_request,
            pause,
            pause_per_gib,
        } => {
            let one = live.0.saturating_add(live_per_request.0).saturating_add(allocated_per_request.0);
            if live < heap && one > heap.0 {
                let message = format!(
                    "one request needs more than the heap of {heap}: {live} are alive without it, {live_per_request} with it, and it allocates {allocated_per_request}"
                );
                cx.error(at.span_of("heap"), message)
                    .help("a larger `heap`: who has less is killed by its first request");
            }
            if live >= heap {
                let message =
                    format!("`live` {live} fills the heap of {heap}: there is no room for a request");
                cx.error(at.span_of("live"), message).help("a larger `heap`");
            }
            if pause.is_zero() && pause_per_gib.is_zero() {
                cx.warn(at.span, "a collection takes no time: it is as if it were not there")
                    .help("give it a `pause`, or a `pause_per_gib`");
            }
        }
    }
}

impl StopTheWorld {
    /// How long a collection takes that finds so much alive, and how many requests fill what it leaves of the heap; none of a pause by the clock.
    fn collection(&self, in_hand: u64) -> Option<(SimDuration, u64, u64)> {
        let StopTheWorld::GarbageCollection { heap, live, live_per_request, allocated_per_request, .. } =
            self
        else {
            return None;
        };
        let alive = live.0.saturating_add(live_per_request.0.saturating_mul(in_hand));
        Some((
            self.takes(alive),
            heap.0.saturating_sub(alive).div_ceil(allocated_per_request.0.max(1)).max(1),
            alive,
        ))
    }

    /// From how many requests in hand on a queue feeds itself, in words, at what comes to each replica.
    fn feeds_itself(&self, around: &Around) -> Option<String> {
        let StopTheWorld::GarbageCollection {
            heap,
            live,
            live_per_request,
            allocated_per_request,
            pause,
            pause_per_gib,
        } = self
        else {
            return None;
        };
        let it = around.offered.filter(|_| self.counts_what_waits())?;
        let spare = 1.0 / it.per_sec - it.costs;
        let (live, each, allocated) =
            (live.0 as f64, live_per_request.0 as f64, allocated_per_request.0 as f64);
        let per_byte = pause_per_gib.as_secs_f64() / GIB as f64;
        let left = spare * (heap.0 as f64 - live) - allocated * (pause.as_secs_f64() + per_byte * live);
        let from = left / (each * (allocated * per_byte + spare));
        let (name, rate) = (around.name, short(it.per_sec));
        Some(match around.room {
            _ if spare <= 0.0 => return None,
            _ if from < 1.0 => {
                format!(
                    "at {rate}/s to each replica of {name} its collections take more time than work leaves: it never keeps up"
                )
            }
            Some(room) if from >= room as f64 => format!(
                "at {rate}/s to each replica of {name} no queue feeds itself by its collections: it would with {from:.0} in hand, and there is room for {room}"
            ),
            _ => format!(
                "at {rate}/s to each replica of {name} a queue feeds itself by its collections from {from:.0} in hand on, and is there when its cause has gone"
            ),
        })
    }

    /// Why a replica with as many in hand as it has room for has more alive than its heap holds, if so.
    pub fn overflows(&self, room: Option<u64>) -> Option<String> {
        let StopTheWorld::GarbageCollection { heap, .. } = self else { return None };
        let (room, (_, _, one), (_, _, alive)) = (room?, self.collection(1)?, self.collection(room?)?);
        (one < heap.0 && alive > heap.0).then(|| {
            format!(
                "{room} requests, for which there is room, keep {} alive in a heap of {heap}: whose memory is full dies of it, and here it only collects at every request",
                ByteSize(alive)
            )
        })
    }

    /// Whether what waits is alive.
    pub fn counts_what_waits(&self) -> bool {
        matches!(self, StopTheWorld::GarbageCollection { live_per_request, .. } if live_per_request.0 > 0)
    }

    /// How long a replica with next to nothing to do stands still each time, on average.
    pub fn typical(&self) -> SimDuration {
        match self {
            StopTheWorld::Periodic { r#for, .. } => r#for.mean(),
            StopTheWorld::GarbageCollection { .. } => {
                self.collection(1).map_or(SimDuration::ZERO, |(takes, ..)| takes)
            }
        }
    }

    fn takes(&self, alive: u64) -> SimDuration {
        let StopTheWorld::GarbageCollection { pause, pause_per_gib, .. } = self else {
            return SimDuration::ZERO;
        };
        let more = u128::from(alive) * u128::from(pause_per_gib.as_nanos()) / GIB;
        let more = u64::try_from(more).unwrap_or(u64::MAX).min(LONGEST.as_nanos());
        SimDuration::from_nanos(pause.as_nanos() + more).min(LONGEST)
    }
}

impl Part for StopTheWorld {
    fn does(&self) -> Does {
        Does::PAUSES
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            StopTheWorld::Periodic { every, r#for, .. } => {
                format!("stands still for {} every {}", r#for.mean().brief(), every.mean().brief())
            }
            StopTheWorld::GarbageCollection { heap, .. } => format!("collects garbage, heap {heap}"),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at, matches!(self, StopTheWorld::GarbageCollection { .. }))]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let name = around.name;
        if let StopTheWorld::Periodic { every, r#for, .. } = self {
            let share = r#for.nanos.mean() / every.nanos.mean();
            return vec![format!(
                "a replica of {name} stands still for {} of the time: it can do {} of what it could",
                percent(share),
                percent(1.0 - share)
            )];
        }
        let each = |in_hand| {
            let (takes, requests, alive) = self.collection(in_hand)?;
            let alive = ByteSize(alive);
            Some(format!("one every {requests} requests, {} each, with {alive} alive", takes.brief()))
        };
        let idle =
            each(1).map(|each| format!("garbage collections of {name} with 1 request in hand: {each}"));
        let full = around.room.filter(|room| *room > 1);
        let full = full.and_then(|room| {
            Some(format!("with as many in hand as it has room for, {room}: {}", each(room)?))
        });
        idle.into_iter().chain(full).chain(self.feeds_itself(around)).collect()
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "stop_the_world",
                word: "",
                what: "Makes a replica stand still for a while, again and again: no work goes on, no answer leaves, no check is answered. Work \
                       in hand takes as much longer as the pauses that fell into it. Calls that it makes meanwhile go out, and time out, as ever.",
                hurts: "A share of the capacity is gone, and far more of the tail: whoever meets a pause waits for all of it, and then behind all \
                        who came meanwhile. A probe that is less patient than a pause is long kills who is well; a lease runs out.",
                formula: "utilisation has its knee at `1 - for / every`; a request that takes `r` meets a pause with probability `(for + r) / every`; in \
                          front of one worker, with `p` the pauses' share, at random times, the mean response is `(E[S] (1 - p - rho) + R) / ((1 - p) (1 - p - rho))`, \
                          `R = (E[for^2] / every + lambda E[S^2]) / 2`",
                source: "White and Christie 1958; Avi-Itzhak and Naor 1963 (a server that breaks down); Dean and Barroso, \"The Tail at Scale\", CACM 2013 (background activities)",
                experiment: "gc-spiral",
            },
            Page {
                name: "garbage_collection",
                word: "GarbageCollection",
                what: "Makes a replica stand still whenever what its requests have allocated fills its heap, for longer the more is alive: `pause` and \
                       `pause_per_gib`. Alive is `live`, and `live_per_request` for each request that it has in hand, those that wait included. Where that is more than the heap, \
                       a collection is due at every request; that a process out of memory dies is left out.",
                hurts: "What waits is alive: a queue leaves less of the heap to be filled, so collections are more frequent, and each takes longer, so the queue \
                        grows. Past some length it feeds itself, and stays when the surge that made it has gone.",
                formula: "a request costs `workers x allocated / (heap - alive) x (pause + pause_per_gib x alive)` of worker time besides its work. With `s = 1 / lambda - work / workers` \
                          to spare per request, of each replica, a queue feeds itself from `(s (heap - live) - allocated (pause + k live)) / (live_per_request (allocated k + s))` \
                          requests in hand on, `k` the pause per byte",
                source: "Huang et al., \"Metastable Failures in the Wild\", OSDI 2022 (garbage collection at Twitter); Jones, Hosking, Moss, The Garbage Collection \
                         Handbook (cost of tracing)",
                experiment: "gc-spiral",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Periodic(every: "300ms", for: "40ms")"#,
            r#"Periodic(every: Exponential(mean: "200ms"), for: Exponential(mean: "30ms"), together: true)"#,
            r#"GarbageCollection(heap: "100MiB", live: "20MiB", live_per_request: "2MiB", allocated_per_request: "5MiB", pause: "5ms", pause_per_gib: "1s")"#,
            r#"GarbageCollection(heap: "4MiB", live_per_request: "3MiB", allocated_per_request: "1MiB", pause: "1ms")"#,
        ]
    }
}

/// What is told of them: nothing measured yet.
fn declared(at: &str, collects: bool) -> Section {
    let time = |about| Value::new(Unit::Duration, about).better(Better::Less);
    let share = |about| Value::new(Unit::Share, about).better(Better::Less);
    let section = Section::new("stop_the_world", at)
        .value(
            "pauses",
            Value::new(Unit::Plain, "pauses that began after the warm-up, of all replicas")
                .better(Better::Less),
        )
        .value(
            "share",
            share("share of the time of replicas that are up for which they stand still").headline(),
        )
        .value("mean", time("mean length of a pause"))
        .value("longest", time("the longest pause"))
        .value("met", share("requests that met a pause while they waited at a replica or were worked on, of those whose work ended"))
        .line("still", Unit::Plain, "Replicas that stand still, mean of each window.");
    if !collects {
        return section;
    }
    section.value(
        "live_most",
        Value::new(Unit::Bytes, "bytes alive in a replica at a collection: the most").better(Better::Less),
    )
}

/// What its replicas make of it.
#[derive(Clone)]
pub struct Frozen {
    says: StopTheWorld,
    luck: Option<Luck>,
    each: Box<[OfReplica]>,
    /// Of each attempt: the pauses of its replica when that was last looked at, whether it has met one, and what was over of them when work on it began.
    seen: Beside<Option<(AttemptId, u64, bool, u64)>>,
    /// What of all pauses was over before measurement, and before the window.
    before: u128,
    window: (u128, SimTime),
    /// Pauses that were measured: how many, in all, the longest; and the most that was alive.
    pauses: u64,
    sum: u128,
    longest: SimDuration,
    live_most: u64,
    /// Measured requests whose work ended, and those that met a pause.
    worked: u64,
    met: u64,
    line: Vec<f64>,
}

#[derive(Clone, Copy, Default)]
struct OfReplica {
    /// When it goes on; in the past if it does.
    until: SimTime,
    /// All its pauses, in nanoseconds, the rest of the present one included.
    total: u64,
    allocated: u64,
    /// Pauses by the clock that have been drawn.
    drawn: u64,
}

impl Frozen {
    /// What makes the replicas of this service stand still, if anything does.
    pub fn by(service: &ServiceSpec, name: &str, streams: &Streams) -> Option<Frozen> {
        let says = service.stop_the_world.clone()?;
        Some(Frozen::new(says, service.room(), || streams.luck("pauses", name)))
    }

    fn new(says: StopTheWorld, replicas: u32, luck: impl FnOnce() -> Luck) -> Frozen {
        Frozen {
            luck: matches!(says, StopTheWorld::Periodic { .. }).then(luck),
            says,
            each: vec![OfReplica::default(); replicas as usize].into(),
            seen: Beside::default(),
            before: 0,
            window: (0, SimTime::ZERO),
            pauses: 0,
            sum: 0,
            longest: SimDuration::ZERO,
            live_most: 0,
            worked: 0,
            met: 0,
            line: Vec::new(),
        }
    }

    /// Whether they do so by the clock.
    pub fn is_timed(service: &ServiceSpec) -> bool {
        matches!(service.stop_the_world, Some(StopTheWorld::Periodic { .. }))
    }

    /// The stream that lengths are drawn from, if any are.
    pub fn used(&self) -> Option<StreamUse> {
        self.luck.as_ref().map(Luck::used)
    }

    /// When each replica first stands still: not before anything has begun.
    pub fn firsts(&mut self) -> Vec<(u32, SimTime)> {
        let (StopTheWorld::Periodic { every, together, .. }, Some(luck)) = (&self.says, &mut self.luck)
        else {
            return Vec::new();
        };
        let first = |replica: u32| {
            let mut words = luck.at(Key::root(0, if *together { 0 } else { replica.into() }));
            // Somewhere within one of the distances between them.
            let share = words.unit();
            SimTime::ZERO + SimDuration::from_nanos_f64(every.nanos.sample(&mut words) * share)
        };
        (0..self.each.len() as u32).zip((0..self.each.len() as u32).map(first)).collect()
    }

    /// A pause by the clock is due: how long it is, and when the next one is.
    fn next(&mut self, replica: u32, now: SimTime) -> (SimDuration, SimTime) {
        let (StopTheWorld::Periodic { every, r#for, together }, Some(luck)) = (&self.says, &mut self.luck)
        else {
            unreachable!("it stands still by the clock")
        };
        let of = &mut self.each[replica as usize];
        of.drawn += 1;
        let mut words = luck.at(Key::root(1, if *together { 0 } else { replica.into() }).child(of.drawn));
        let takes = r#for.sample(&mut words);
        let next = every.sample(&mut words).max(SimDuration::from_nanos(1));
        (takes, now + next)
    }

    /// A replica stands still for so long from now on, or for longer: by how much.
    fn stops(&mut self, replica: u32, takes: SimDuration, measured: bool, now: SimTime) -> SimDuration {
        let of = &mut self.each[replica as usize];
        let from = of.until.max(now);
        let until = from.checked_add(takes).unwrap_or(MOST).min(MOST.max(from));
        let added = until.since(from);
        (of.until, of.total) = (until, of.total + added.as_nanos());
        if measured {
            self.pauses += 1;
            self.sum += u128::from(takes.as_nanos());
            self.longest = self.longest.max(takes);
        }
        added
    }

    /// A request that is worked on from now on allocates: how long the collection takes that this makes necessary, if it does. Where one goes on
    /// nothing is allocated before it is over.
    fn allocates(&mut self, replica: u32, in_hand: u32, now: SimTime) -> Option<SimDuration> {
        let StopTheWorld::GarbageCollection { heap, live, live_per_request, allocated_per_request, .. } =
            &self.says
        else {
            return None;
        };
        let of = &mut self.each[replica as usize];
        let alive = live.0.saturating_add(live_per_request.0.saturating_mul(in_hand.into()));
        of.allocated = of.allocated.saturating_add(allocated_per_request.0);
        if of.until > now || alive.saturating_add(of.allocated) <= heap.0 {
            return None;
        }
        of.allocated = allocated_per_request.0;
        self.live_most = self.live_most.max(alive);
        Some(self.says.takes(alive))
    }

    /// How long a replica stands still from now on.
    fn left(&self, replica: u32, now: SimTime) -> SimDuration {
        let until = self.each[replica as usize].until;
        if until > now { until.since(now) } else { SimDuration::ZERO }
    }

    /// A request waits at a replica.
    pub fn waits(&mut self, replica: u32, id: AttemptId, now: SimTime) {
        self.seen
            .put(id, Some((id, self.each[replica as usize].total, !self.left(replica, now).is_zero(), 0)));
    }

    /// Work on it begins: how long the replica stands still before any is done.
    pub fn begins(&mut self, replica: u32, id: AttemptId, now: SimTime) -> SimDuration {
        let (left, total) = (self.left(replica, now), self.each[replica as usize].total);
        let waited = self.seen.get(id).copied().flatten().filter(|(whose, ..)| *whose == id);
        let met = waited.is_some_and(|(_, seen, met, _)| met || total > seen);
        self.seen.put(id, Some((id, total, met || !left.is_zero(), total - left.as_nanos())));
        left
    }

    fn seen(&self, id: AttemptId) -> (u64, bool, u64) {
        let (_, seen, met, over) = self.seen.of(id).expect("work on it has begun");
        (seen, met, over)
    }

    /// How long a replica stood still since work on a request began that is done now.
    fn fell_into(&self, replica: u32, id: AttemptId) -> SimDuration {
        SimDuration::from_nanos(self.each[replica as usize].total - self.seen(id).2)
    }

    /// Work would be done now if there had been no pause since that was last looked at: by how much it is put off.
    fn puts_off(&mut self, replica: u32, id: AttemptId) -> Option<SimDuration> {
        let total = self.each[replica as usize].total;
        let (seen, _, over) = self.seen(id);
        (total > seen).then(|| {
            self.seen.put(id, Some((id, total, true, over)));
            SimDuration::from_nanos(total - seen)
        })
    }

    /// It is done.
    fn done(&mut self, replica: u32, id: AttemptId, measured: bool) {
        let (seen, met, _) = self.seen(id);
        self.worked += u64::from(measured);
        self.met += u64::from(measured && (met || self.each[replica as usize].total > seen));
    }

    /// A replica goes down: it is not still any more, and whatever it starts as has an empty heap.
    pub fn crashed(&mut self, replica: u32, now: SimTime) {
        let left = self.left(replica, now).as_nanos();
        let of = &mut self.each[replica as usize];
        (of.total, of.until, of.allocated) = (of.total - left, of.until.min(now), 0);
    }

    /// All pauses up to now, summed over replicas.
    fn area(&self, now: SimTime) -> u128 {
        let of = |(replica, of): (u32, &OfReplica)| u128::from(of.total - self.left(replica, now).as_nanos());
        (0..).zip(&self.each).map(of).sum()
    }

    /// The warm-up is over.
    pub fn begin(&mut self, now: SimTime) {
        self.before = self.area(now);
        self.live_most = 0;
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let area = self.area(now);
        let (before, then) = std::mem::replace(&mut self.window, (area, now));
        self.line.push((area - before) as f64 / now.since(then).as_nanos().max(1) as f64);
    }

    /// What is told of it, where replicas were up for so many nanoseconds in all.
    pub fn section(&self, at: &str, up: f64, now: SimTime) -> Section {
        let collects = self.luck.is_none();
        let mut section = declared(at, collects);
        let some = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        section.set("pauses", self.pauses as f64);
        section.set("share", some((self.area(now) - self.before) as f64, up));
        section.set("mean", some(self.sum as f64, self.pauses as f64));
        section.set("longest", (self.pauses > 0).then(|| self.longest.as_nanos() as f64));
        section.set("met", some(self.met as f64, self.worked as f64));
        section.draw("still", self.line.clone());
        if collects {
            section.set("live_most", (self.live_most > 0).then_some(self.live_most as f64));
        }
        section
    }
}

impl<L: Listen> Graph<L> {
    /// A pause by the clock is due at a replica. One that is down has none.
    pub fn stands_still(&mut self, control: u32, (service_id, replica): (u32, u32), ctx: &mut Ctx) {
        let now = ctx.now();
        let measured = now >= self.measured_from;
        let service = &mut self.services[service_id as usize];
        let frozen = service.frozen.as_mut().expect("it stands still");
        let (takes, next) = frozen.next(replica, now);
        ctx.schedule_at(next, Event::Look { control, of: replica });
        if service.replicas[replica as usize].down == 0 {
            service.stop(replica, takes, measured, ctx);
        }
    }
}

impl Service {
    fn stop(&mut self, replica: u32, takes: SimDuration, measured: bool, ctx: &mut Ctx) {
        let frozen = self.frozen.as_mut().expect("it stands still");
        let added = frozen.stops(replica, takes, measured, ctx.now());
        if let Some(sharing) = &mut self.replicas[replica as usize].sharing {
            sharing.stands_still(added, ctx.now());
            sharing.plan(ctx);
        }
    }

    /// Work on a request begins, which may make a collection necessary first.
    #[cold]
    pub(super) fn fills_the_heap(&mut self, replica: u32, attempt: &Attempt, ctx: &mut Ctx) {
        let in_hand = self.replicas[replica as usize].in_hand;
        let Some(frozen) = &mut self.frozen else { return };
        if let Some(takes) = frozen.allocates(replica, in_hand, ctx.now()) {
            self.stop(replica, takes, attempt.marks.has(Marks::MEASURED), ctx);
        }
    }

    /// Work would be done now: whether it is put off by pauses instead. It is counted if not.
    #[cold]
    pub(super) fn is_put_off(&mut self, id: AttemptId, attempt: &mut Attempt, ctx: &mut Ctx) -> bool {
        let Some(frozen) = &mut self.frozen else { return false };
        let replica = attempt.replica;
        if self.replicas[replica as usize].sharing.is_none()
            && let Some(by) = frozen.puts_off(replica, id)
        {
            let done = ctx.now() + by;
            attempt.put_off(ctx.schedule(done, Class::End, Event::ShareDone { attempt: id }));
            return true;
        }
        frozen.done(replica, id, attempt.marks.has(Marks::MEASURED));
        false
    }

    /// Work is done: how long the replica stood still meanwhile, if it ever does.
    pub(super) fn tell_pauses(&self, id: AttemptId, replica: u32, tracer: &mut Tracer) {
        if let Some(frozen) = &self.frozen {
            tracer.stood_still(id, frozen.fell_into(replica, id));
        }
    }

    /// A replica goes down: it does not stand still any more.
    pub(super) fn goes_down(&mut self, replica: u32, now: SimTime) {
        let Some(frozen) = &mut self.frozen else { return };
        frozen.crashed(replica, now);
        self.replicas[replica as usize].sharing.iter_mut().for_each(|sharing| sharing.goes_on(now));
    }

    /// When a replica goes on, if it stands still.
    #[cold]
    pub fn goes_on_at(&self, replica: u32, now: SimTime) -> Option<SimTime> {
        let left = self.frozen.as_ref()?.left(replica, now);
        (!left.is_zero()).then(|| now + left)
    }

    /// What is told of its pauses, if it has any.
    pub fn told_of_pauses(&self, now: SimTime) -> Option<Section> {
        let frozen = self.frozen.as_ref()?;
        let up = self.measured(now).available_area as f64 / f64::from(self.cores);
        Some(frozen.section(&self.name, up, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    const MILLI: u64 = 1_000_000;

    fn at(ms: u64) -> SimTime {
        SimTime::from_nanos(ms * MILLI)
    }

    fn frozen(says: &str, replicas: u32) -> Frozen {
        let says = read::<StopTheWorld>(says).expect("sound").0;
        Frozen::new(says, replicas, || Streams::new(1).luck("pauses", "s"))
    }

    /// A heap of 10 MiB, of which 4 are alive and 1 more for each in hand: with 2 in hand 4 are left, for two requests.
    #[test]
    fn it_collects_when_what_was_allocated_fills_the_heap() {
        let says = r#"GarbageCollection(heap: "10MiB", live: "4MiB", live_per_request: "1MiB", allocated_per_request: "2MiB", pause: "3ms", pause_per_gib: "1024ms")"#;
        let mut frozen = frozen(says, 2);
        // (replica, in hand, now, how long the collection takes, in ms)
        let table = [
            (0, 2, 0, None),
            (0, 2, 1, None),
            // 6 alive and 6 allocated are more than 10: 3 ms, and 6 for what is alive.
            (0, 2, 2, Some(9)),
            // While it goes on nothing begins one.
            (0, 2, 3, None),
            (0, 2, 4, None),
            // What they have allocated is there when it is over: 2 + 2 + 2 + 2.
            (0, 2, 11, Some(9)),
            // Fewer alive, more room.
            (0, 1, 30, None),
            (0, 1, 31, Some(8)),
            // More alive than there is heap: one for each request.
            (1, 9, 31, Some(16)),
            (1, 9, 60, Some(16)),
        ];
        for (replica, in_hand, now, takes) in table {
            let found = frozen.allocates(replica, in_hand, at(now));
            assert_eq!(found.map(|it| it.as_nanos() / MILLI), takes, "{replica}, {in_hand} at {now}");
            if let Some(takes) = found {
                frozen.stops(replica, takes, true, at(now));
            }
        }
        assert_eq!((frozen.pauses, frozen.live_most), (5, 13 << 20));
        // What starts anew has an empty heap.
        frozen.crashed(1, at(61));
        assert_eq!(frozen.left(1, at(61)), SimDuration::ZERO);
        assert_eq!(frozen.allocates(1, 1, at(61)), None);
    }

    /// Pauses of 10 ms at 100 and of 20 at 105: still until 130, in all 30. One that goes down at 120 has had 20 of them.
    #[test]
    fn pauses_add_up() {
        let mut frozen = frozen(r#"Periodic(every: "1s", for: "10ms")"#, 1);
        let ms = |it: SimDuration| it.as_nanos() / MILLI;
        let (early, late) = (AttemptId::of_nobody(), AttemptId::of_nobody());
        assert_eq!(ms(frozen.begins(0, early, at(90))), 0);
        for (now, takes, added) in [(100, 10, 10), (105, 20, 20)] {
            let takes = SimDuration::from_nanos(takes * MILLI);
            assert_eq!(ms(frozen.stops(0, takes, true, at(now))), added);
        }
        assert_eq!(frozen.puts_off(0, early).map(ms), Some(30));
        assert_eq!(frozen.puts_off(0, early), None, "it is put off once");
        assert_eq!(ms(frozen.fell_into(0, early)), 30);
        assert_eq!(ms(frozen.begins(0, late, at(125))), 5);
        assert_eq!(frozen.puts_off(0, late), None);
        assert_eq!(ms(frozen.fell_into(0, late)), 5);
        for (now, area) in [(100, 0), (104, 4), (120, 20), (130, 30), (999, 30)] {
            assert_eq!(frozen.area(at(now)), u128::from(area * MILLI), "at {now} ms");
        }
        frozen.crashed(0, at(120));
        assert_eq!((frozen.area(at(999)), ms(frozen.left(0, at(121)))), (u128::from(20 * MILLI), 0));
    }

    #[test]
    fn replicas_are_in_step_if_they_are_to_be() {
        let firsts = |together: bool| {
            let says = format!(r#"Periodic(every: "1s", for: "10ms", together: {together})"#);
            let all: Vec<SimTime> = frozen(&says, 5).firsts().into_iter().map(|(_, first)| first).collect();
            assert!(all.iter().all(|first| *first < SimTime::from_secs(1)));
            all.windows(2).all(|pair| pair[0] == pair[1])
        };
        assert!(firsts(true) && !firsts(false));
    }
}
