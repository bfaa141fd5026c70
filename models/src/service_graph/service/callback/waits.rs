//! Requests that wait for a callback, and callbacks on their way.
//!
//! What a callback is about is kept apart from the request, which may be gone when it comes: as long as any call, attempt,
//! callback or timer may still ask for it. A request is looked up by place and generation, so that another in its place is not taken for it.

use super::{Callback, CallbackState, Counts};
use crate::carried::Carried;
use crate::policy::Outcome;
use crate::report::Section;
use crate::service_graph::follow::Listen;
use crate::service_graph::fruit::Fruit;
use crate::service_graph::plan::{Caller, Plan};
use crate::service_graph::slab::{Beside, Id, Slab};
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use crate::service_graph::witness as kind;
use sim_core::sampler::Distribution;
use sim_core::{Class, Key, Luck, SimDuration, SimTime, StreamUse, Streams, Timer};

/// What a callee calls back with has luck of its own.
const CALLBACK: u64 = 1 << 37;

/// What an edge has to do with callbacks, and those of which call site.
#[derive(Clone, Copy, Debug)]
pub enum Leg {
    /// Whoever is called over it calls back.
    Asks(u32),
    /// It is called back over it.
    CallsBack,
}

/// All callbacks of a graph: nothing where nobody is called back.
#[derive(Clone, Default)]
pub struct Callbacks {
    sites: Vec<Site>,
    waits: Slab<Wait>,
    due: Slab<Due>,
    of_calls: Beside<Option<WaitId>>,
    of_attempts: Beside<Option<WaitId>>,
    /// For how many each request waits whose calls have been accepted.
    waiting: Beside<u32>,
    /// How often each replica of each service has crashed.
    crashes: Vec<Vec<u32>>,
}

/// A call site whose callee calls back.
#[derive(Clone)]
struct Site {
    asks: u32,
    calls_back: u32,
    /// Which makes the calls.
    service: u32,
    within: SimDuration,
    after: Distribution,
    luck: Luck,
    state: CallbackState,
    counts: Counts,
}

/// What a callback is about.
#[derive(Clone)]
pub struct Wait {
    site: u32,
    request: AttemptId,
    stake: Stake,
    /// The replica that asked, and how often it had crashed by then.
    replica: u32,
    crashes: u32,
    key: Key,
    asked: SimTime,
    carried: Carried,
    measured: bool,
    /// In which the request began to wait.
    window: u32,
    stage: Stage,
    /// Who may still ask for it: the call, attempts by the places that they have or had, callbacks to be made, calls back, the timer.
    holders: u32,
}

/// The address of one.
pub type WaitId = Id<Wait>;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The call is out, and no callback has come.
    Asked,
    /// A callback came before the acceptance.
    Came,
    /// It was accepted, and the request waits until the timer fires.
    Waiting(Timer),
    /// A callback has reached the request.
    Found,
    /// The request no longer waits for it.
    Over,
}

/// A callback that is to be made.
#[derive(Clone, Copy)]
pub struct Due {
    wait: WaitId,
    key: Key,
    workload: u16,
    /// By which replica of the callee, and how often that had crashed when it accepted.
    replica: u32,
    crashes: u32,
}

/// The address of one.
pub type DueId = Id<Due>;

impl Callbacks {
    /// Those of a graph.
    pub fn in_graph(plan: &Plan, streams: &Streams) -> Self {
        let sites = plan.edges.iter().enumerate().filter_map(|(number, edge)| {
            let (Some(Callback { after, within, state, .. }), Caller::Service(service)) =
                (edge.call.and_then(|call| call.callback.as_ref()), edge.caller)
            else {
                return None;
            };
            Some(Site {
                asks: number as u32,
                calls_back: edge.callback? as u32,
                service,
                within: *within,
                after: after.nanos.clone(),
                luck: streams.luck("after", &edge.name),
                state: *state,
                counts: Counts::default(),
            })
        });
        let sites: Vec<Site> = sites.collect();
        let crashes = plan.spec.services.values().filter(|_| !sites.is_empty());
        Callbacks {
            crashes: crashes.map(|service| vec![0; service.room() as usize]).collect(),
            sites,
            ..Callbacks::default()
        }
    }

    /// What this edge of the plan has to do with them.
    pub fn leg(number: usize, plan: &Plan) -> Option<Leg> {
        let edge = &plan.edges[number];
        let before = plan.edges[..number].iter();
        match (edge.callback, edge.callback_of) {
            (Some(_), _) => Some(Leg::Asks(before.filter(|edge| edge.callback.is_some()).count() as u32)),
            (_, Some(_)) => Some(Leg::CallsBack),
            (None, None) => None,
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.sites.iter_mut().for_each(|site| site.counts.close_window());
    }

    /// What was measured until now, in windows of this length.
    pub fn sections(
        &self,
        edges: &[Edge],
        now: SimTime,
        window: SimDuration,
    ) -> impl Iterator<Item = Section> {
        let name = |site: &Site| &edges[site.asks as usize].name;
        self.sites.iter().map(move |site| site.counts.section(name(site), now, (window, site.within)))
    }

    /// Draws so far, by edge.
    pub fn used(&self) -> impl Iterator<Item = (u32, StreamUse)> {
        self.sites.iter().map(|site| (site.asks, site.luck.used()))
    }

    /// What the request carried that a callback is about.
    pub fn carried(&self, wait: WaitId) -> Carried {
        self.waits[wait].carried
    }

    /// The replica that a call is addressed to, if it is.
    pub fn address(&self, parent: Parent) -> Option<u32> {
        let Parent::Callback { wait, .. } = parent else { return None };
        let wait = &self.waits[wait];
        (self.sites[wait.site as usize].state == CallbackState::Sticky).then_some(wait.replica)
    }

    /// An attempt is sent over an edge that has to do with callbacks. Says what is new that they will be about.
    #[cold]
    pub fn sent(
        &mut self,
        leg: Leg,
        (call_id, call): (CallId, &Call),
        (id, attempt): (AttemptId, &Attempt),
        carried: Carried,
    ) -> Option<WaitId> {
        let (wait, new) = match (leg, call.parent) {
            (Leg::CallsBack, Parent::Callback { wait, .. }) => (Some(wait), None),
            (Leg::CallsBack, _) => unreachable!("only callbacks are made over it"),
            (Leg::Asks(site), parent) if call.sent == 1 => {
                // Who only checks a replica waits for no callback.
                let asks = matches!(parent, Parent::Request { .. }) && attempt.workload != NOBODYS;
                let new = asks.then(|| self.asked(site, call, carried));
                let before = self.of_calls.replace(call_id, new);
                self.release(before);
                (new, new)
            }
            (Leg::Asks(_), _) => (*self.of_calls.of(call_id), None),
        };
        if let Some(wait) = wait {
            self.waits[wait].holders += 1;
        }
        let before = self.of_attempts.replace(id, wait);
        self.release(before);
        new
    }

    /// The second of a request that comes twice is about what the first is about.
    #[cold]
    pub fn comes_twice(&mut self, first: AttemptId, second: AttemptId) {
        let wait = *self.of_attempts.of(first);
        if let Some(wait) = wait {
            self.waits[wait].holders += 1;
        }
        let before = self.of_attempts.replace(second, wait);
        self.release(before);
    }

    fn asked(&mut self, site: u32, call: &Call, carried: Carried) -> WaitId {
        let Parent::Request { attempt: request, stake } = call.parent else { unreachable!("a request asks") };
        let service = self.sites[site as usize].service;
        let wait = Wait {
            site,
            request,
            stake,
            replica: call.client,
            crashes: self.crashes[service as usize][call.client as usize],
            key: call.key,
            asked: call.started,
            carried,
            measured: call.stretch != UNMEASURED,
            window: 0,
            stage: Stage::Asked,
            holders: 1,
        };
        self.waits.insert(wait).0
    }

    fn release(&mut self, wait: Option<WaitId>) {
        let Some(id) = wait else { return };
        self.waits[id].holders -= 1;
        if self.waits[id].holders == 0 {
            self.waits.remove(id);
        }
    }

    /// The callee has accepted, by this replica: it will call back.
    #[cold]
    pub fn accepts(&mut self, (id, attempt): (AttemptId, &Attempt), callee: u32, ctx: &mut Ctx) {
        let Some(wait) = *self.of_attempts.of(id) else { return };
        let of = &mut self.waits[wait];
        of.holders += 1;
        let site = &mut self.sites[of.site as usize];
        let after = SimDuration::drawn(site.after.sample(&mut site.luck.at(attempt.key)));
        let (replica, workload) = (attempt.replica, attempt.workload);
        let crashes = self.crashes[callee as usize][replica as usize];
        let key = attempt.key.child(CALLBACK);
        let due = self.due.insert(Due { wait, key, workload, replica, crashes }).0;
        ctx.schedule(ctx.now() + after, Class::Begin, Event::CallsBack { due });
    }

    /// A replica has crashed.
    pub fn crashed(&mut self, service: u32, replica: u32) {
        if let Some(replicas) = self.crashes.get_mut(service as usize) {
            replicas[replica as usize] += 1;
        }
    }

    /// The requests that wait for a callback, once for each.
    pub fn waiting<'a>(&'a self, attempts: &'a Slab<Attempt>) -> impl Iterator<Item = AttemptId> + 'a {
        let waits = self.waits.iter().filter(|(_, wait)| matches!(wait.stage, Stage::Waiting(_)));
        waits.map(|(_, wait)| wait.request).filter(|request| waits_still(attempts, *request))
    }

    /// Nothing is kept that nobody can ask for, and requests wait for as many as are to come.
    pub fn check(&self, calls: &Slab<Call>, attempts: &Slab<Attempt>) {
        let kept = |all: &Beside<Option<WaitId>>| all.all().filter(|wait| wait.is_some()).count();
        let back = calls.iter().filter(|(_, call)| matches!(call.parent, Parent::Callback { .. })).count();
        let timers = self.waits.iter().filter(|(_, wait)| matches!(wait.stage, Stage::Waiting(_))).count();
        let due = self.due.len() as usize;
        let holders: u32 = self.waits.iter().map(|(_, wait)| wait.holders).sum();
        let counted = kept(&self.of_calls) + kept(&self.of_attempts) + back + timers + due;
        assert_eq!(holders as usize, counted, "who may ask what a callback is about");
        assert!(
            self.waits.iter().all(|(_, wait)| wait.holders > 0),
            "a callback is about what nobody asks for"
        );
        let waiting: u32 = self.waiting.all().sum();
        assert_eq!(waiting as usize, self.waiting(attempts).count(), "callbacks that requests wait for");
    }
}

/// Whether a request is there, and waits for its calls.
fn waits_still(attempts: &Slab<Attempt>, request: AttemptId) -> bool {
    attempts.get(request).is_some_and(|request| request.server == Server::Waiting)
}

impl<L: Listen> Graph<L> {
    /// A call was accepted whose callee calls back: its request waits for that, unless it has come already.
    #[inline(never)]
    pub fn accepted(&mut self, id: CallId, by: (u32, u32), (parent, fruit): (Parent, Fruit), ctx: &mut Ctx) {
        let wait = self.callbacks.of_calls.replace(id, None);
        let Some(wait_id) = wait else { return self.call_is_over(parent, by, Some(fruit), ctx) };
        let wait = &mut self.callbacks.waits[wait_id];
        let counts = &mut self.callbacks.sites[wait.site as usize].counts;
        wait.window = counts.window();
        let goes_on = match wait.stage {
            Stage::Came => {
                counts.waited(wait.window, true, wait.measured);
                Stage::Found
            }
            _ if !waits_still(&self.attempts, wait.request) => Stage::Over,
            _ => {
                // From here on it is the timer that may ask for it, and not the call.
                let within = self.callbacks.sites[wait.site as usize].within;
                let event = Event::NotCalledBack { wait: wait_id };
                wait.stage = Stage::Waiting(ctx.schedule(ctx.now() + within, Class::Timeout, event));
                let request = wait.request;
                let before = self.callbacks.waiting.get(request).copied().unwrap_or(0);
                self.callbacks.waiting.put(request, before + 1);
                let request = &mut self.attempts[request];
                request.below = self.fruits.gather(request.below, fruit);
                if self.callbacks.due.most() > self.max_in_flight {
                    self.too_many_in_flight(ctx);
                }
                return;
            }
        };
        wait.stage = goes_on;
        self.callbacks.release(Some(wait_id));
        self.call_is_over(parent, by, Some(fruit), ctx)
    }

    /// A call has failed whose callee would have called back, or will.
    #[inline(never)]
    pub fn not_accepted(&mut self, id: CallId) {
        let Some(wait) = self.callbacks.of_calls.replace(id, None) else { return };
        let stage = &mut self.callbacks.waits[wait].stage;
        *stage = if *stage == Stage::Came { Stage::Found } else { Stage::Over };
        self.callbacks.release(Some(wait));
    }

    /// A callback is due.
    pub fn calls_back(&mut self, due: DueId, ctx: &mut Ctx) {
        let Due { wait, key, workload, replica, crashes } = *self.callbacks.due.remove(due);
        let edge = self.callbacks.sites[self.callbacks.waits[wait].site as usize].calls_back;
        let path = self.edges[edge as usize].path;
        ctx.witness(kind::CALLS_BACK, 0, 0, path, key.get(), replica.into());
        let Caller::Service(callee) = self.edges[edge as usize].caller else {
            unreachable!("a service calls back")
        };
        let is_down = self.services[callee as usize].replicas[replica as usize].down > 0;
        if is_down || self.callbacks.crashes[callee as usize][replica as usize] != crashes {
            return self.callback_ends(wait, false);
        }
        self.begin_call(edge, replica, Parent::Callback { wait, workload }, key, ctx);
    }

    /// A call back has ended, well or not, or will not be made.
    #[cold]
    pub fn callback_ends(&mut self, id: WaitId, well: bool) {
        let wait = &self.callbacks.waits[id];
        let reached = matches!(wait.stage, Stage::Came | Stage::Found);
        if !well && !reached {
            self.callbacks.sites[wait.site as usize].counts.lost += u64::from(wait.measured);
        }
        self.callbacks.release(Some(id));
    }

    /// The work on a callback is done: whether it finds the request that it is about, which then goes on.
    #[cold]
    pub(in crate::service_graph::service) fn finds(
        &mut self,
        id: AttemptId,
        fails: bool,
        ctx: &mut Ctx,
    ) -> Outcome {
        if fails {
            return Outcome::Error;
        }
        let wait_id = (*self.callbacks.of_attempts.of(id)).expect("a callback is about something");
        let wait = &mut self.callbacks.waits[wait_id];
        let site = &mut self.callbacks.sites[wait.site as usize];
        let at = self.attempts[id].replica;
        let remembers =
            at == wait.replica && self.callbacks.crashes[site.service as usize][at as usize] == wait.crashes;
        if site.state != CallbackState::Shared && !remembers {
            site.counts.not_found += u64::from(wait.measured);
            return Outcome::Error;
        }
        let measured = u64::from(wait.measured);
        let awaited = waits_still(&self.attempts, wait.request);
        match wait.stage {
            Stage::Came | Stage::Found => site.counts.duplicates += measured,
            Stage::Asked if awaited => {
                wait.stage = Stage::Came;
                site.counts.found(wait.asked, wait.measured, ctx.now());
            }
            Stage::Waiting(timer) if awaited => {
                wait.stage = Stage::Found;
                site.counts.found(wait.asked, wait.measured, ctx.now());
                site.counts.waited(wait.window, true, wait.measured);
                ctx.cancel(timer);
                self.goes_on_without(wait_id, true, ctx);
            }
            Stage::Asked | Stage::Waiting(_) | Stage::Over => site.counts.late += measured,
        }
        Outcome::Ok
    }

    /// A request has waited for its callback as long as it would.
    pub fn not_called_back(&mut self, id: WaitId, ctx: &mut Ctx) {
        let wait = &mut self.callbacks.waits[id];
        let site = &mut self.callbacks.sites[wait.site as usize];
        let path = self.edges[site.asks as usize].path;
        ctx.witness(kind::NOT_CALLED_BACK, 0, 0, path, wait.key.get(), wait.replica.into());
        wait.stage = Stage::Over;
        if !waits_still(&self.attempts, wait.request) {
            return self.callbacks.release(Some(id));
        }
        site.counts.missed(wait.measured);
        site.counts.waited(wait.window, false, wait.measured);
        self.goes_on_without(id, false, ctx)
    }

    /// A request waits no longer for one of its callbacks, and nor does a timer.
    fn goes_on_without(&mut self, id: WaitId, well: bool, ctx: &mut Ctx) {
        let Wait { site, request, stake, replica, key, measured, .. } = self.callbacks.waits[id];
        let asks = self.callbacks.sites[site as usize].asks;
        let left = self.callbacks.waiting.of_mut(request, false);
        *left -= 1;
        self.callbacks.release(Some(id));
        if !well && stake == Stake::FallsBack {
            return self.falls_back(request, (asks, replica), (key, measured), ctx);
        }
        // What was done for the call it has got already.
        let nothing = Fruit { below: None, own: SimDuration::ZERO, service: 0 };
        let parent = Parent::Request { attempt: request, stake };
        self.call_is_over(parent, (asks, replica), well.then_some(nothing), ctx)
    }

    /// A request ends, or is lost, that may wait for callbacks: nothing is out for it any more but its calls.
    #[inline(always)]
    pub fn waits_for_no_callback(&mut self, id: AttemptId) {
        if !self.callbacks.waiting.is_empty() {
            self.stops_waiting_for_callbacks(id);
        }
    }

    /// A request has failed that may wait for callbacks. One that its replica holds back, since that stands still, waits for them until it is answered.
    #[inline(always)]
    pub fn has_failed_without_callbacks(&mut self, id: AttemptId, now: SimTime) {
        if !self.callbacks.waiting.is_empty() && !self.would_be_held_back(id, now) {
            self.stops_waiting_for_callbacks(id);
        }
    }

    #[cold]
    fn would_be_held_back(&self, id: AttemptId, now: SimTime) -> bool {
        let attempt = &self.attempts[id];
        let service = &self.services[self.edges[attempt.edge as usize].callee as usize];
        service.goes_on_at(attempt.replica, now).is_some()
    }

    #[cold]
    fn stops_waiting_for_callbacks(&mut self, id: AttemptId) {
        if self.callbacks.waiting.get(id).is_some_and(|waiting| *waiting > 0) {
            let waiting = self.callbacks.waiting.replace(id, 0);
            self.attempts[id].outstanding -= waiting;
        }
    }
}
