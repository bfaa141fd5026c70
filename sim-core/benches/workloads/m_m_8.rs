//! W2: an M/M/8 queue at 70 % whose callers time out. 560 requests per second, 10 ms of work, 8 workers; a
//! timeout of 1 s is armed for every attempt and nearly always cancelled; up to 3 retries after a back-off
//! with full jitter (100 ms, doubling).

use super::{Customers, Laws, Results};
use sim_core::{Context, Key, Luck, Model, SimDuration, SimTime, Simulation, Streams, Timer, Words};
use std::collections::VecDeque;

const WORKERS: u64 = 8;
const TIMEOUT: SimDuration = SimDuration::from_secs(1);
const RETRIES: u16 = 3;
const BASE: SimDuration = SimDuration::from_millis(100);

fn customers() -> Customers {
    Customers::new("m_m_8", 560.0, SimDuration::from_millis(10))
}

/// The wait before the `retry`-th retry: uniform up to 100 ms, 200 ms, 400 ms.
fn back_off(jitter: &mut Luck, key: Key, retry: u16) -> SimDuration {
    let longest = BASE.as_nanos() << (retry - 1);
    SimDuration::from_nanos(jitter.at(key).below(longest + 1))
}

struct Service<const DIGEST: bool, const LAWS: bool> {
    customers: Customers,
    jitter: Luck,
    expected: u64,
    arrived: u64,
    requests: Vec<Request>,
    free: Vec<u32>,
    line: VecDeque<u32>,
    gave_up: u64,
    results: Results,
    laws: Laws,
}

/// A request, or a free place. One that timed out while a worker is busy with it stays until that is done,
/// and its retry goes into another place.
#[derive(Clone, Copy)]
struct Request {
    key: Key,
    started: SimTime,
    sent: SimTime,
    began: SimTime,
    timeout: Option<Timer>,
    tries: u16,
}

enum Event {
    Arrival,
    Done { request: u32 },
    Timeout { request: u32 },
    Retry { request: u32 },
}

type Ctx = Context<Event>;

impl<const DIGEST: bool, const LAWS: bool> Model for Service<DIGEST, LAWS> {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, ctx: &mut Ctx) {
        match event {
            Event::Arrival => self.arrival(ctx),
            Event::Done { request } => self.done(request, ctx),
            Event::Timeout { request } => self.timed_out(request, ctx),
            Event::Retry { request } => self.retry(request, ctx),
        }
    }
}

impl<const DIGEST: bool, const LAWS: bool> Service<DIGEST, LAWS> {
    #[inline]
    fn witness(&self, kind: u16, request: &Request, detail: u64, ctx: &mut Ctx) {
        if DIGEST {
            ctx.witness(kind, request.tries, 0, self.customers.path, request.key.get(), detail);
        }
    }

    fn arrival(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let key = self.customers.key(self.arrived);
        self.arrived += 1;
        if self.arrived < self.expected {
            let gap = self.customers.gap(self.customers.key(self.arrived));
            ctx.schedule_in(gap, Event::Arrival);
        }
        let request = Request { key, started: now, sent: now, began: now, timeout: None, tries: 1 };
        self.witness(1, &request, self.arrived, ctx);
        let id = self.insert(request);
        self.send(id, ctx);
    }

    fn insert(&mut self, request: Request) -> u32 {
        if let Some(id) = self.free.pop() {
            self.requests[id as usize] = request;
            return id;
        }
        self.requests.push(request);
        self.requests.len() as u32 - 1
    }

    fn send(&mut self, id: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let request = &mut self.requests[id as usize];
        request.sent = now;
        request.timeout = Some(ctx.schedule_in(TIMEOUT, Event::Timeout { request: id }));
        if self.results.busy.value() < WORKERS {
            self.results.busy.increment(now);
            self.work(id, ctx);
        } else {
            self.results.waiting.increment(now);
            self.line.push_back(id);
        }
    }

    fn work(&mut self, id: u32, ctx: &mut Ctx) {
        let request = &mut self.requests[id as usize];
        request.began = ctx.now();
        let demand = self.customers.demand(request.key.child(u64::from(request.tries)));
        ctx.schedule_in(demand, Event::Done { request: id });
    }

    fn done(&mut self, id: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let request = self.requests[id as usize];
        let took = now.since(request.started);
        self.witness(2, &request, took.as_nanos(), ctx);
        if LAWS {
            self.laws.served += u128::from(now.since(request.began).as_nanos());
        }
        // Without a timer its caller has gone, and the work was for nobody.
        if let Some(timer) = request.timeout {
            ctx.cancel(timer);
            self.results.latency.record(took);
        }
        self.free.push(id);
        if let Some(next) = self.line.pop_front() {
            self.results.waiting.decrement(now);
            if LAWS {
                self.laws.waited += u128::from(now.since(self.requests[next as usize].sent).as_nanos());
            }
            self.work(next, ctx);
        } else {
            self.results.busy.decrement(now);
        }
    }

    #[cold]
    fn timed_out(&mut self, id: u32, ctx: &mut Ctx) {
        let request = self.requests[id as usize];
        self.requests[id as usize].timeout = None;
        self.witness(3, &request, 0, ctx);
        if request.tries > RETRIES {
            self.gave_up += 1;
            return;
        }
        let again = self.insert(Request { timeout: None, tries: request.tries + 1, ..request });
        let delay = back_off(&mut self.jitter, request.key.child(u64::from(request.tries)), request.tries);
        ctx.schedule_in(delay, Event::Retry { request: again });
    }

    #[cold]
    fn retry(&mut self, id: u32, ctx: &mut Ctx) {
        let request = self.requests[id as usize];
        self.witness(4, &request, 0, ctx);
        self.send(id, ctx);
    }
}

pub fn model<const DIGEST: bool, const LAWS: bool>(requests: u64) -> u64 {
    let mut service = Service::<DIGEST, LAWS> {
        customers: customers(),
        jitter: Streams::new(1).luck("jitter", "m_m_8"),
        expected: requests,
        arrived: 0,
        requests: Vec::new(),
        free: Vec::new(),
        line: VecDeque::new(),
        gave_up: 0,
        results: Results::default(),
        laws: Laws::default(),
    };
    let first = SimTime::ZERO + service.customers.gap(service.customers.key(0));
    let mut simulation = Simulation::new(service);
    simulation.context().schedule_at(first, Event::Arrival);
    simulation.run_until(SimTime::MAX);
    let (now, service) = (simulation.now(), simulation.model());
    if LAWS {
        service.laws.check(&service.results, now);
        assert_eq!(requests, service.results.latency.count() + service.gave_up, "every request ends once");
    }
    service.results.checksum(now)
}

/// An indexed heap of what this workload knows beforehand: the next arrival, one entry per worker, and one
/// per request for its timeout or back-off. An entry that is due again moves in place.
pub fn specialised(requests: u64) -> u64 {
    let mut looped = Loop {
        customers: customers(),
        jitter: Streams::new(1).luck("jitter", "m_m_8"),
        heap: IndexedHeap::default(),
        requests: Vec::new(),
        free: Vec::new(),
        line: VecDeque::new(),
        idle: (0..WORKERS as u32).rev().collect(),
        serving: [0; WORKERS as usize],
        results: Results::default(),
    };
    looped.run(requests)
}

struct Loop {
    customers: Customers,
    jitter: Luck,
    heap: IndexedHeap,
    requests: Vec<Pending>,
    free: Vec<u32>,
    line: VecDeque<u32>,
    idle: Vec<u32>,
    serving: [u32; WORKERS as usize],
    results: Results,
}

#[derive(Clone, Copy)]
struct Pending {
    key: Key,
    started: SimTime,
    tries: u16,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Sent,
    /// Nobody waits for the work that goes on.
    Abandoned,
    BackingOff,
}

const ARRIVAL: u32 = 0;
const FIRST_WORKER: u32 = 1;
const FIRST_REQUEST: u32 = FIRST_WORKER + WORKERS as u32;

impl Loop {
    fn run(&mut self, requests: u64) -> u64 {
        let mut arrived = 0;
        let mut now = SimTime::ZERO;
        self.heap.set(ARRIVAL, now + self.customers.gap(self.customers.key(0)));
        while let Some((time, id)) = self.heap.first() {
            now = time;
            if id == ARRIVAL {
                let key = self.customers.key(arrived);
                arrived += 1;
                if arrived < requests {
                    self.heap.set(ARRIVAL, now + self.customers.gap(self.customers.key(arrived)));
                } else {
                    self.heap.remove(ARRIVAL);
                }
                let request = self.insert(Pending { key, started: now, tries: 1, state: State::Sent });
                self.send(request, now);
            } else if id < FIRST_REQUEST {
                self.done(id - FIRST_WORKER, now);
            } else {
                self.timer(id - FIRST_REQUEST, now);
            }
        }
        self.results.checksum(now)
    }

    fn insert(&mut self, request: Pending) -> u32 {
        if let Some(id) = self.free.pop() {
            self.requests[id as usize] = request;
            return id;
        }
        self.requests.push(request);
        self.requests.len() as u32 - 1
    }

    #[inline]
    fn send(&mut self, id: u32, now: SimTime) {
        self.heap.set(FIRST_REQUEST + id, now + TIMEOUT);
        if let Some(worker) = self.idle.pop() {
            self.results.busy.increment(now);
            self.work(worker, id, now);
        } else {
            self.results.waiting.increment(now);
            self.line.push_back(id);
        }
    }

    #[inline]
    fn work(&mut self, worker: u32, id: u32, now: SimTime) {
        let request = &self.requests[id as usize];
        self.serving[worker as usize] = id;
        let demand = self.customers.demand(request.key.child(u64::from(request.tries)));
        self.heap.set(FIRST_WORKER + worker, now + demand);
    }

    #[inline]
    fn done(&mut self, worker: u32, now: SimTime) {
        let id = self.serving[worker as usize];
        let request = &self.requests[id as usize];
        if request.state == State::Sent {
            self.results.latency.record(now.since(request.started));
            self.heap.remove(FIRST_REQUEST + id);
        }
        self.free.push(id);
        if let Some(next) = self.line.pop_front() {
            self.results.waiting.decrement(now);
            self.work(worker, next, now);
        } else {
            self.results.busy.decrement(now);
            self.heap.remove(FIRST_WORKER + worker);
            self.idle.push(worker);
        }
    }

    #[cold]
    fn timer(&mut self, id: u32, now: SimTime) {
        let request = self.requests[id as usize];
        if request.state == State::BackingOff {
            self.requests[id as usize].state = State::Sent;
            return self.send(id, now);
        }
        self.requests[id as usize].state = State::Abandoned;
        self.heap.remove(FIRST_REQUEST + id);
        if request.tries <= RETRIES {
            let again = Pending { tries: request.tries + 1, state: State::BackingOff, ..request };
            let again = self.insert(again);
            let delay =
                back_off(&mut self.jitter, request.key.child(u64::from(request.tries)), request.tries);
            self.heap.set(FIRST_REQUEST + again, now + delay);
        }
    }
}

/// A binary heap of (time, entity) that knows where each entity is.
#[derive(Default)]
struct IndexedHeap {
    entries: Vec<(SimTime, u32)>,
    /// Where an entity's entry is; `ABSENT` if nowhere.
    positions: Vec<u32>,
}

const ABSENT: u32 = u32::MAX;

impl IndexedHeap {
    #[inline]
    fn first(&self) -> Option<(SimTime, u32)> {
        self.entries.first().copied()
    }

    /// Inserts the entity or moves it to another time.
    #[inline]
    fn set(&mut self, id: u32, time: SimTime) {
        if id as usize >= self.positions.len() {
            self.positions.resize(id as usize + 1, ABSENT);
        }
        let position = self.positions[id as usize];
        if position == ABSENT {
            self.entries.push((time, id));
            self.rise(self.entries.len() - 1, (time, id));
        } else if time < self.entries[position as usize].0 {
            self.rise(position as usize, (time, id));
        } else {
            self.sink(position as usize, (time, id));
        }
    }

    #[inline]
    fn remove(&mut self, id: u32) {
        let position = self.positions[id as usize] as usize;
        self.positions[id as usize] = ABSENT;
        let last = self.entries.pop().expect("an entity that is absent was removed");
        if position == self.entries.len() {
            return;
        }
        if last.0 < self.entries[position].0 {
            self.rise(position, last);
        } else {
            self.sink(position, last);
        }
    }

    #[inline]
    fn rise(&mut self, mut hole: usize, entry: (SimTime, u32)) {
        while hole > 0 {
            let parent = (hole - 1) / 2;
            if self.entries[parent].0 <= entry.0 {
                break;
            }
            self.put(hole, self.entries[parent]);
            hole = parent;
        }
        self.put(hole, entry);
    }

    #[inline]
    fn sink(&mut self, mut hole: usize, entry: (SimTime, u32)) {
        loop {
            let mut child = 2 * hole + 1;
            if child >= self.entries.len() {
                break;
            }
            if child + 1 < self.entries.len() && self.entries[child + 1].0 < self.entries[child].0 {
                child += 1;
            }
            if entry.0 <= self.entries[child].0 {
                break;
            }
            self.put(hole, self.entries[child]);
            hole = child;
        }
        self.put(hole, entry);
    }

    #[inline]
    fn put(&mut self, position: usize, entry: (SimTime, u32)) {
        self.entries[position] = entry;
        self.positions[entry.1 as usize] = position as u32;
    }
}
