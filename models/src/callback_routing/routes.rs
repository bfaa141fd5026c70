//! The balancer, its servers and the calls that are out: what happens at each event.

use super::balancer::Balancer;
use super::measure::{Counts, Outcome};
use super::{Arrivals, CallbackRouting, Outage, State};
use crate::drive::{Drive, Mark};
use crate::run::TrajectoryLine;
use sim_core::sampler::standard_exponential;
use sim_core::{
    Class, Context, Key, Luck, Model, SimDuration, SimTime, Stream, StreamUse, Streams, Timer, Witness,
    digest,
};

/// Everything that can happen. A call has exactly one of these pending, except in a message queue, where
/// several consumers may be at work on it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A user's request arrives.
    Request,
    /// The provider delivers a callback.
    Callback { call: u32 },
    /// The shared store has answered, and so the server has.
    Answer { call: u32, outcome: Outcome },
    /// A message can be taken by a consumer.
    Message { call: u32 },
    /// A consumer that was in its `epoch` when it took the message is done with it.
    Handled { call: u32, server: u16, epoch: u32 },
    /// A fault begins, changes or ends.
    Change { fault: u32 },
}

const _: () = assert!(size_of::<Event>() <= 16);

/// A call that has not ended, or that a consumer is still at work on.
#[derive(Clone, Debug)]
pub(super) struct Call {
    key: Key,
    ordinal: u64,
    started: SimTime,
    /// When its state was stored, and the provider called.
    stored: SimTime,
    /// When its last callback arrived.
    called_back: SimTime,
    /// The server that took the request, and its epoch then.
    first: u16,
    epoch: u32,
    /// Membership changes before it began.
    changes: u32,
    /// Deliveries of its callback so far.
    deliveries: u16,
    /// How often its message was taken, and how many consumers are at work on it.
    taken: u32,
    consumers: u32,
    visible_again: Option<Timer>,
    ended: bool,
}

/// What is neither at a server nor at the provider.
const CALLERS: &str = "callers";

/// The streams of luck: what is drawn for a call is addressed by its key, so that it is the same whatever
/// strategy it meets.
pub(super) struct Fortune {
    arrivals: Stream,
    provider: Luck,
    state: Luck,
}

/// The balancer, its servers, and the calls that are out.
pub(super) struct Routes<'a> {
    pub(super) spec: &'a CallbackRouting,
    pub(super) balancer: Balancer<'a>,
    fortune: Fortune,
    entity: u64,
    warm_up: SimTime,
    max_in_flight: u64,
    calls: Vec<Option<Call>>,
    free: Vec<u32>,
    arrived: u64,
    pub(super) counts: Counts,
}

// Kinds of event in the trajectory digest; never changed.
const KIND_REQUEST: u16 = 1;
const KIND_CALLBACK: u16 = 2;
const KIND_ANSWER: u16 = 3;
const KIND_MESSAGE: u16 = 4;
const KIND_HANDLED: u16 = 5;
const KIND_CHANGE: u16 = 6;

impl Model for Routes<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Context<Event>) {
        match event {
            Event::Request => self.request(ctx),
            Event::Callback { call } => self.callback(call, ctx),
            Event::Answer { call, outcome } => {
                ctx.witness(KIND_ANSWER, 0, outcome as u16, self.entity, self.key(call).get(), 0);
                self.conclude(call, outcome, ctx);
            }
            Event::Message { call } => self.message(call, ctx),
            Event::Handled { call, server, epoch } => self.handled(call, server, epoch, ctx),
            Event::Change { fault } => {
                self.balancer.apply_faults(ctx.now());
                let server = self.balancer.struck(fault);
                let state = u64::from(server.in_rotation) << 1 | u64::from(server.answers);
                ctx.witness(KIND_CHANGE, 0, 0, server.entity, 0, state);
            }
        }
    }
}

impl Drive for Routes<'_> {
    /// Schedules the first request and every change that the faults bring.
    fn begin(&mut self, ctx: &mut Context<Event>) {
        for (index, fault) in self.spec.faults.iter().enumerate() {
            for at in fault.changes() {
                ctx.schedule(at, Class::Change, Event::Change { fault: index as u32 });
            }
        }
        match self.spec.arrivals {
            Arrivals::Poisson(_) | Arrivals::Constant(_) => self.schedule_request(ctx),
            Arrivals::Sequential { .. } => _ = ctx.schedule_at(SimTime::ZERO, Event::Request),
        }
    }

    fn mark(&mut self, mark: Mark, _now: SimTime) {
        if mark == Mark::WindowEnds {
            self.counts.windows.close();
        }
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        let own = [
            ("arrivals callers", self.fortune.arrivals.used()),
            ("delay provider", self.fortune.provider.used()),
            ("delay state", self.fortune.state.used()),
        ];
        own.into_iter()
            .chain(self.balancer.streams_used())
            .map(|(name, used)| (name.to_string(), used))
            .collect()
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        let Witness { kind, detail, .. } = *witness;
        line.what = match kind {
            KIND_REQUEST => "request",
            KIND_CALLBACK => "callback",
            KIND_ANSWER => "store answers",
            KIND_MESSAGE => "message taken",
            KIND_HANDLED => "message done",
            _ => "server changes",
        }
        .into();
        let server = self.balancer.servers.iter().find(|server| server.entity == witness.entity);
        line.entity = server.map_or_else(|| CALLERS.to_string(), |server| server.name.clone());
        let outcome = Outcome::ALL.into_iter().find(|outcome| *outcome as u16 == witness.outcome);
        line.outcome = outcome.map_or("", Outcome::name).into();
        let state = |of: &str, yes: bool| format!("{}{of}", if yes { "" } else { "not " });
        line.note = match kind {
            KIND_REQUEST => format!("call {detail}"),
            KIND_HANDLED if detail == 0 => "seen before".into(),
            KIND_CHANGE => {
                format!("{}, {}", state("in rotation", detail & 2 != 0), state("answering", detail & 1 != 0))
            }
            _ => String::new(),
        };
    }
}

impl<'a> Routes<'a> {
    pub(super) fn new(
        spec: &'a CallbackRouting,
        streams: &Streams,
        warm_up: SimTime,
        max_in_flight: u64,
    ) -> Self {
        let servers = spec.servers.shares().len();
        Routes {
            spec,
            balancer: Balancer::new(spec, streams),
            fortune: Fortune {
                arrivals: streams.stream("arrivals", "callers"),
                provider: streams.luck("delay", "provider"),
                state: streams.luck("delay", "state"),
            },
            entity: digest::hash_text(CALLERS),
            warm_up,
            max_in_flight,
            calls: Vec::new(),
            free: Vec::new(),
            arrived: 0,
            counts: Counts {
                joint: vec![0; servers * servers],
                successes: vec![0; spec.calls_per_batch as usize + 1],
                ..Counts::default()
            },
        }
    }

    /// Schedules the request after those that have arrived. A rate that a variant changes keeps its luck:
    /// the gaps are those of a unit rate, divided.
    fn schedule_request(&mut self, ctx: &mut Context<Event>) {
        const NANOS: f64 = 1e9;
        match self.spec.arrivals {
            Arrivals::Poisson(rate) => {
                let gap = standard_exponential(&mut self.fortune.arrivals) * NANOS / rate.get();
                ctx.schedule_in(SimDuration::from_nanos_f64(gap), Event::Request);
            }
            Arrivals::Constant(rate) => {
                let at = SimDuration::from_nanos_f64(self.arrived as f64 * NANOS / rate.get());
                ctx.schedule_at(SimTime::ZERO + at, Event::Request);
            }
            Arrivals::Sequential { .. } => {}
        }
    }

    fn key(&self, call: u32) -> Key {
        self.call(call).key
    }

    fn call(&self, call: u32) -> &Call {
        self.calls[call as usize].as_ref().expect("a call with an event pending is there")
    }

    fn call_mut(&mut self, call: u32) -> &mut Call {
        self.calls[call as usize].as_mut().expect("a call with an event pending is there")
    }

    fn measured(&self, call: u32) -> bool {
        self.call(call).started >= self.warm_up
    }

    fn in_flight(&self) -> u64 {
        (self.calls.len() - self.free.len()) as u64
    }

    fn request(&mut self, ctx: &mut Context<Event>) {
        let now = ctx.now();
        if self.spec.until.is_some_and(|until| now >= until) {
            return;
        }
        let ordinal = self.arrived;
        self.arrived += 1;
        self.schedule_request(ctx);
        let key = Key::root(self.entity, ordinal);
        let first = self.balancer.route(key, 0, None);
        let call = Call {
            key,
            ordinal,
            started: now,
            stored: now,
            called_back: now,
            first: first.unwrap_or(0) as u16,
            epoch: first.map_or(0, |server| self.balancer.servers[server].epoch),
            changes: self.balancer.membership_changes,
            deliveries: 0,
            taken: 0,
            consumers: 0,
            visible_again: None,
            ended: false,
        };
        let id = self.free.pop().unwrap_or_else(|| {
            self.calls.push(None);
            (self.calls.len() - 1) as u32
        });
        self.calls[id as usize] = Some(call);
        self.counts.windows.started();
        if self.measured(id) {
            self.counts.started += 1;
        }
        if self.in_flight() > self.max_in_flight {
            ctx.stop(format!("more than {} calls are waiting for their callback", self.max_in_flight));
        }
        let refused = match first {
            Some(server) if self.balancer.servers[server].answers => self.store(id, ctx),
            _ => Some(Outcome::ServerDown),
        };
        let server = first.map_or(self.entity, |server| self.balancer.servers[server].entity);
        ctx.witness(KIND_REQUEST, 0, refused.map_or(0, |outcome| outcome as u16), server, key.get(), ordinal);
        if let Some(outcome) = refused {
            self.end(id, outcome, ctx);
        }
    }

    /// Stores the state of a call and calls the provider; gives the outcome if that is not possible.
    fn store(&mut self, id: u32, ctx: &mut Context<Event>) -> Option<Outcome> {
        let now = ctx.now();
        let key = self.key(id);
        let mut takes = SimDuration::ZERO;
        match &self.spec.state {
            State::SharedStore { latency, outages } => {
                if outages.iter().any(|outage| outage.covers(now)) {
                    return Some(Outcome::StoreDown);
                }
                takes = latency.sample(&mut self.fortune.state.at(key.child(0)));
                self.count_operations(id, 1);
            }
            State::Replicated { copies, .. } => {
                let others = self.balancer.servers.len() as u64 - 1;
                let copies = copies.map_or(others, |copies| u64::from(copies).min(others));
                if self.measured(id) {
                    self.counts.copies += copies;
                }
                self.count_operations(id, copies);
            }
            _ => {}
        }
        let delay = self.spec.provider_delay.sample(&mut self.fortune.provider.at(key));
        self.call_mut(id).stored = now + takes;
        ctx.schedule_in(takes + delay, Event::Callback { call: id });
        None
    }

    fn callback(&mut self, id: u32, ctx: &mut Context<Event>) {
        let now = ctx.now();
        let measured = self.measured(id);
        let call = self.call_mut(id);
        call.deliveries += 1;
        call.called_back = now;
        let (first, delivery, key, changes) = (call.first, call.deliveries, call.key, call.changes);
        self.counts.windows.attempt();
        let known = match self.spec.state {
            State::Sticky => Some(usize::from(first)),
            _ => None,
        };
        let target = self.balancer.route(key, delivery, known);
        let outcome = match target {
            Some(server) if self.balancer.servers[server].answers => self.look_up(id, server, now),
            _ => Some(Outcome::ServerDown),
        };
        if measured {
            self.counts.deliveries += 1;
            self.counts.redeliveries += u64::from(delivery > 1);
            if delivery == 1 {
                if let Some(server) = target {
                    self.counts.joint[usize::from(first) * self.balancer.servers.len() + server] += 1;
                }
                if changes != self.balancer.membership_changes {
                    self.counts.across.0 += 1;
                    self.counts.across.1 += u64::from(outcome == Some(Outcome::Delivered));
                }
            }
        }
        let entity = target.map_or(self.entity, |server| self.balancer.servers[server].entity);
        ctx.witness(
            KIND_CALLBACK,
            delivery,
            outcome.map_or(0, |outcome| outcome as u16),
            entity,
            key.get(),
            0,
        );
        match (outcome, &self.spec.state) {
            (None, State::MessageQueue { lag, .. }) => {
                let lag = lag.sample(&mut self.fortune.state.at(key.child(0)));
                self.count_operations(id, 1);
                ctx.schedule_in(lag, Event::Message { call: id });
            }
            (None, _) => unreachable!("only a queue postpones its answer"),
            (Some(outcome), State::SharedStore { latency, .. })
                if !matches!(outcome, Outcome::ServerDown | Outcome::StoreDown) =>
            {
                let takes = latency.sample(&mut self.fortune.state.at(key.child(u64::from(delivery))));
                self.count_operations(id, 1);
                ctx.schedule(now + takes, Class::End, Event::Answer { call: id, outcome });
            }
            (Some(outcome), _) => self.conclude(id, outcome, ctx),
        }
    }

    /// What a live server finds when a callback reaches it; `None` if it puts it into a queue.
    fn look_up(&mut self, id: u32, server: usize, now: SimTime) -> Option<Outcome> {
        let call = self.call(id);
        let (first, stored, key) = (usize::from(call.first), call.stored, call.key);
        let own = || {
            if self.balancer.servers[server].epoch == call.epoch { Outcome::Delivered } else { Outcome::Lost }
        };
        Some(match &self.spec.state {
            State::Local | State::Sticky | State::ConsistentHash { .. } if server == first => own(),
            State::Local | State::Sticky | State::ConsistentHash { .. } => Outcome::WrongServer,
            State::SharedStore { outages, .. } => {
                if outages.iter().any(|outage| outage.covers(now)) {
                    Outcome::StoreDown
                } else if outages.iter().any(|outage| outage.wipes && stored <= outage.at && outage.at <= now)
                {
                    Outcome::Lost
                } else {
                    Outcome::Delivered
                }
            }
            State::MessageQueue { .. } => return None,
            State::Replicated { .. } if server == first => own(),
            State::Replicated { lag, copies } => {
                let servers = self.balancer.servers.len();
                let distance = (server + servers - first) % servers;
                if copies.is_some_and(|copies| distance > copies as usize) {
                    return Some(Outcome::WrongServer);
                }
                let copied = stored + lag.sample(&mut self.fortune.state.at(key.child(1 + server as u64)));
                if copied > now {
                    Outcome::TooEarly
                } else if copied < self.balancer.servers[server].empty_since {
                    Outcome::Lost
                } else {
                    Outcome::Delivered
                }
            }
        })
    }

    /// A consumer takes a message, if one is alive; until it is done the message cannot be seen.
    fn message(&mut self, id: u32, ctx: &mut Context<Event>) {
        let State::MessageQueue { handling, visibility, .. } = &self.spec.state else {
            unreachable!("there are no messages without a queue")
        };
        let (now, key) = (ctx.now(), self.key(id));
        let taken = self.call(id).taken;
        let consumer = self.balancer.consumer(key, taken);
        let entity = consumer.map_or(self.entity, |server| self.balancer.servers[server].entity);
        ctx.witness(KIND_MESSAGE, taken as u16, 0, entity, key.get(), 0);
        let visible_again = ctx.schedule(now + *visibility, Class::Timeout, Event::Message { call: id });
        self.call_mut(id).visible_again = Some(visible_again);
        let Some(server) = consumer else { return };
        let takes = handling.sample(&mut self.fortune.state.at(key.child(1 + u64::from(taken))));
        let epoch = self.balancer.servers[server].epoch;
        ctx.schedule(now + takes, Class::End, Event::Handled { call: id, server: server as u16, epoch });
        if taken > 0 && self.measured(id) {
            self.counts.taken_again += 1;
            self.counts.overrun += u64::from(taken == 1);
        }
        self.count_operations(id, 1);
        let call = self.call_mut(id);
        call.taken += 1;
        call.consumers += 1;
    }

    fn handled(&mut self, id: u32, server: u16, epoch: u32, ctx: &mut Context<Event>) {
        let measured = self.measured(id);
        let server = &self.balancer.servers[usize::from(server)];
        let survived = server.epoch == epoch;
        let entity = server.entity;
        let call = self.call_mut(id);
        call.consumers -= 1;
        let (key, taken, first_time) = (call.key, call.taken, !call.ended);
        let timer = if survived { call.visible_again.take() } else { None };
        let outcome = if survived { Outcome::Delivered as u16 } else { 0 };
        ctx.witness(KIND_HANDLED, taken as u16, outcome, entity, key.get(), u64::from(first_time));
        match (survived, first_time) {
            // Nobody says that it is done: it will be seen again.
            (false, _) => {}
            (true, true) => {
                if let Some(timer) = timer {
                    ctx.cancel(timer);
                }
                self.count_operations(id, 1);
                self.conclude(id, Outcome::Delivered, ctx);
            }
            (true, false) => self.counts.done_twice += u64::from(measured),
        }
        self.free_if_over(id);
    }

    /// One delivery is over: the call is, too, or the provider tries again.
    fn conclude(&mut self, id: u32, outcome: Outcome, ctx: &mut Context<Event>) {
        if self.measured(id) {
            self.counts.delivery_ended.add(outcome);
        }
        let call = self.call(id);
        let late = self.spec.deadline.is_some_and(|deadline| ctx.now().since(call.started) > deadline);
        match outcome {
            Outcome::Delivered if late => self.end(id, Outcome::Late, ctx),
            Outcome::Delivered => self.end(id, outcome, ctx),
            _ if u32::from(call.deliveries) < self.spec.callback_attempts => {
                ctx.schedule_in(self.spec.resend_after, Event::Callback { call: id });
            }
            _ => self.end(id, outcome, ctx),
        }
    }

    fn end(&mut self, id: u32, outcome: Outcome, ctx: &mut Context<Event>) {
        let now = ctx.now();
        let measured = self.measured(id);
        let call = self.call_mut(id);
        assert!(!call.ended, "a call ended twice");
        call.ended = true;
        let call = call.clone();
        let latency = now.since(call.started);
        let delivered = outcome == Outcome::Delivered;
        let counts = &mut self.counts;
        if delivered {
            counts.windows.ok(latency);
        } else {
            counts.windows.failed();
        }
        if measured {
            counts.ended.add(outcome);
            counts.never_called_back += u64::from(call.deliveries == 0);
            if delivered {
                counts.latency.record(latency);
                let added = call.stored.since(call.started) + now.since(call.called_back);
                counts.added += u128::from(added.as_nanos());
            } else {
                counts.latency_failed.record(latency);
            }
            let size = self.spec.calls_per_batch;
            let batch = call.ordinal / u64::from(size);
            let (ended, successes) = counts.batches.entry(batch).or_default();
            *ended += 1;
            *successes += u32::from(delivered);
            if *ended == size {
                counts.successes[*successes as usize] += 1;
                counts.batches.remove(&batch);
            }
        }
        if let Arrivals::Sequential { pause } = self.spec.arrivals {
            ctx.schedule_in(pause, Event::Request);
        }
        self.free_if_over(id);
    }

    fn free_if_over(&mut self, id: u32) {
        if self.calls[id as usize].as_ref().is_some_and(|call| call.ended && call.consumers == 0) {
            self.calls[id as usize] = None;
            self.free.push(id);
        }
    }

    /// Calls in flight at the end: how many, how many of them were never called back, and the sum of their
    /// ages in nanoseconds.
    pub(super) fn unfinished(&self, now: SimTime) -> (u64, u64, u128) {
        let open = self.calls.iter().flatten().filter(|call| !call.ended && call.started >= self.warm_up);
        open.fold((0, 0, 0), |(calls, never_called_back, ages), call| {
            let age = u128::from(now.since(call.started).as_nanos());
            (calls + 1, never_called_back + u64::from(call.deliveries == 0), ages + age)
        })
    }

    fn count_operations(&mut self, id: u32, operations: u64) {
        if self.measured(id) {
            self.counts.operations += operations;
        }
    }
}

impl Outage {
    fn covers(&self, now: SimTime) -> bool {
        self.at <= now && now < self.at + self.r#for
    }
}
