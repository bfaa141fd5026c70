//! The caller's side. The order in which a call meets its policies is written here and nowhere else:
//!
//! ```text
//! hop limit > deadline > rate limit > bulkhead (and its line) > retry (budget) > hedge
//!     > rate limit of attempts > breaker > throttle > adaptive limit
//!     > whom the client may choose > balancer > connection
//!     > attempt timeout > network
//! ```
//!
//! An attempt that was sent ends in one [`Outcome`]; a call ends in one [`Ending`]. An open breaker is
//! not retried unless the policy lists it; a refused budget ends the call and keeps the last cause. A
//! back-off that would end after the deadline ends at the deadline.
//!
//! What a call does with all of them stands here: it begins, is settled after each attempt, and ends.
//! [`attempt`]: one try, from the gate to its outcome; [`ask`]: the guards that let it pass; [`connect`]: the connection that it needs,
//! and [`connections`]: what becomes of that.
//! [`hedge`]: its copies. [`line`] and [`turn`]: waiting for the first. [`wait`]: the pauses between tries.
//! [`cancel`]: a caller that no longer waits says so. [`aside`]: calls that go on without one. [`twice`]: messages over a link with which something is
//! wrong, and requests that come twice.

mod aside;
mod ask;
mod attempt;
mod cancel;
mod connect;
mod connections;
mod hedge;
mod line;
#[cfg(test)]
mod tests;
mod turn;
mod twice;
mod wait;

use super::carriage::Carriage;
use super::follow::Listen;
use super::fruit::{Basket, Fruit};
use super::plan::Caller;
use super::service::callback::Leg;
use super::state::*;
use super::stats::UNMEASURED;
use crate::policy::guards::{Gate, Gates, Grant};
use crate::policy::{Ending, Outcome};
use sim_core::{Key, SimDuration, SimTime};

impl<L: Listen> Graph<L> {
    /// A call begins at `now`, on behalf of `parent`, by client `client` of `edge`.
    pub fn begin_call(&mut self, edge_id: u32, client: u32, parent: Parent, key: Key, ctx: &mut Ctx) {
        let now = ctx.now();
        let stretch = self.stretch;
        let edge = &mut self.edges[edge_id as usize];
        edge.stats.call_started(stretch);
        let mut gate = Gate::Go(());
        let mut inherited = SimTime::MAX;
        if edge.gates.has(Gates::INHERITS.or(Gates::HOPS)) {
            if edge.gates.has(Gates::HOPS) && self.carriage.is_at_hop_limit(parent) {
                return self.never_begins(Ending::HopLimit, (edge_id, client), parent, key, ctx);
            }
            if let (Parent::Request { attempt, .. }, Some(propagation)) =
                (parent, &edge.policy.deadline_propagation)
            {
                inherited = propagation.end(*self.wanted_until.of(attempt));
                if inherited <= now {
                    return self.never_begins(Ending::Deadline, (edge_id, client), parent, key, ctx);
                }
            }
        }
        if edge.gates.has(Gates::BEGIN) {
            gate = self.clients[edge.clients as usize].guards[client as usize].may_begin(now);
            match gate {
                Gate::Go(()) | Gate::Line(_) | Gate::Turn(_) => {}
                Gate::No(end) => return self.never_begins(end, (edge_id, client), parent, key, ctx),
            }
        }
        let (call, _) = self.calls.insert(Call {
            key,
            started: now,
            parent,
            edge: edge_id as u16,
            client,
            tries: 0,
            sent: 0,
            previous_delay: SimDuration::ZERO,
            phase: Phase::TRYING,
            stretch,
            timer: None,
            live: None,
            permit: None,
        });
        if edge.gates.has(Gates::KEEPS_OF_CALL) {
            self.keep_of(call, inherited);
        }
        self.listener.tell(|tracer| tracer.call_begins(Ok(call), parent, (edge_id, client), key, now));
        self.goes_through(gate, call, ctx)
    }

    /// A call ends as it would begin.
    #[inline(never)]
    fn never_begins(&mut self, end: Ending, by: (u32, u32), parent: Parent, key: Key, ctx: &mut Ctx) {
        let now = ctx.now();
        let edge = &mut self.edges[by.0 as usize];
        edge.stats.call_ended(end, SimDuration::ZERO, 0, self.stretch);
        if let Some(cohorts) = &mut edge.stats.cohorts {
            cohorts.failed(now);
        }
        if edge.gates.has(Gates::CLASSED) {
            self.never_loaded(parent, by.0, key, end);
        }
        self.listener.tell(|tracer| tracer.call_begins(Err(end), parent, by, key, now));
        if let Parent::Request { attempt, stake: Stake::FallsBack } = parent {
            return self.falls_back(attempt, by, (key, self.stretch != UNMEASURED), ctx);
        }
        self.notify(parent, by, None, ctx)
    }

    /// A guard has let a call begin, now or later.
    #[inline(always)]
    fn goes_through(&mut self, gate: Gate, id: CallId, ctx: &mut Ctx) {
        match gate {
            Gate::Go(()) => self.try_attempt(id, Grant::NONE, ctx),
            Gate::Line(patience) => self.stand_in_line(id, patience, ctx),
            Gate::Turn(wait) => self.wait_for_turn(id, wait, ctx),
            Gate::No(end) => self.end_call(id, end, ctx),
        }
    }

    /// An attempt has failed before the call's deadline: retry, or give up. As long as another is out, neither.
    #[inline(always)]
    fn settle(&mut self, id: CallId, outcome: Outcome, ctx: &mut Ctx) {
        let mut call = self.calls.again(id);
        if self.edges[call.edge as usize].gates.has(Gates::COPY) {
            if self.goes_on(id, outcome, ctx) {
                return;
            }
            call = self.calls.again(id);
        } else if call.live.is_some() {
            return;
        }
        let edge = &mut self.edges[call.edge as usize];
        if !edge.retry.retries(u32::from(call.tries), outcome) {
            return self.end_call(id, Ending::Failed(outcome), ctx);
        }
        let mut told = None;
        if edge.gates.has(Gates::HEEDS) && outcome == Outcome::Rejected {
            told = edge.told_to_wait(&mut self.services, call);
        }
        if told.is_some_and(|told| edge.policy.retry_after.gives_up(told)) {
            return self.end_call(id, Ending::Failed(outcome), ctx);
        }
        let mut grant = Grant::NONE;
        if edge.gates.has(Gates::REPEAT) {
            let guards = &mut self.clients[edge.clients as usize].guards[call.client as usize];
            match guards.may_repeat(ctx.now(), Some(outcome)) {
                Ok(given) => grant = given,
                Err(by) => {
                    edge.stats.denied(by, call.stretch != UNMEASURED);
                    self.listener.tell(|tracer| tracer.denied(id, call.edge.into(), by, ctx.now()));
                    return self.end_call(id, Ending::Failed(outcome), ctx);
                }
            }
        }
        self.back_off(id, grant, told, ctx);
    }

    /// A guard refused a try: nothing was sent. That of a copy leaves it to those that are out. What a retry was granted is
    /// kept for the next.
    #[inline(never)]
    fn not_sent(&mut self, id: CallId, grant: Grant, end: Ending, ctx: &mut Ctx) {
        let call = &self.calls[id];
        self.listener.tell(|tracer| tracer.not_sent(id, call.edge.into(), call.tries, end, ctx.now()));
        let edge = &self.edges[call.edge as usize];
        let goes_on = edge.retry.retries_unsent(u32::from(call.tries), end);
        if grant != Grant::NONE && (call.live.is_some() || !goes_on) {
            self.clients[edge.clients as usize].guards[call.client as usize].give_back(grant);
        }
        if call.live.is_some() {
        } else if goes_on {
            self.back_off(id, grant, None, ctx);
        } else {
            self.end_call(id, end, ctx);
        }
    }

    /// The call is over, and so is whatever is out for it.
    fn end_call(&mut self, id: CallId, end: Ending, ctx: &mut Ctx) {
        while let Some(attempt) = self.calls[id].live {
            self.cut_off(self.attempts.id(attempt), Self::why(end), ctx);
        }
        let call = self.calls.remove(id);
        if let Some(timer) = call.timer {
            ctx.cancel(timer);
        }
        self.listener.tell(|tracer| tracer.call_ended(id, end, ctx.now()));
        let edge = &mut self.edges[call.edge as usize];
        edge.call_ended(&mut self.clients, (id, call), &self.carriage, end, ctx.now());
        let (parent, client, is_listed) = (call.parent, call.client, edge.gates.has(Gates::LISTED));
        let (number, line) = (u32::from(call.edge), edge.line());
        let (key, measured) = (call.key, call.stretch != UNMEASURED);
        if is_listed {
            self.strike_call(id, (number, client), parent);
            if let Some(Leg::Asks(_)) = self.edges[number as usize].callback {
                self.not_accepted(id);
            }
        }
        if let Some(clients) = line {
            self.move_up(clients, client, ctx.now());
        }
        if let Parent::Request { attempt, stake: Stake::FallsBack } = parent {
            return self.falls_back(attempt, (number, client), (key, measured), ctx);
        }
        self.notify(parent, (number, client), None, ctx);
    }

    /// Tells whoever waits that a call is over, and nothing more is to be tried or waited for.
    #[inline(never)]
    pub fn call_is_over(&mut self, parent: Parent, by: (u32, u32), fruit: Option<Fruit>, ctx: &mut Ctx) {
        self.notify(parent, by, fruit, ctx);
    }

    /// Keeps of a call that begins what is kept beside it.
    #[inline(never)]
    fn keep_of(&mut self, id: CallId, inherited: SimTime) {
        let gates = self.edges[self.calls[id].edge as usize].gates;
        if gates.has(Gates::INHERITS) {
            self.inherited.put(id, inherited);
        }
        if gates.has(Gates::LISTED) {
            self.list_call(id);
        }
        if gates.has(Gates::CARRIES) {
            self.load(id);
        }
    }

    /// Lists a call with the replica that makes it, so that it is found when that dies, and with its request.
    #[inline(never)]
    fn list_call(&mut self, id: CallId) {
        let call = &self.calls[id];
        let edge = &self.edges[call.edge as usize];
        let (listed, stopped, parent) = (edge.listed, edge.stopped, call.parent);
        if let Caller::Service(service) | Caller::Checks(service) = edge.caller
            && listed
        {
            let replica = &mut self.services[service as usize].replicas[call.client as usize];
            self.call_standings.join(&mut replica.calling, id);
        }
        if stopped {
            self.list_with_request(id, parent);
        }
    }

    /// Takes a call that is over off the lists that it is in.
    #[inline(never)]
    fn strike_call(&mut self, id: CallId, (edge, client): (u32, u32), parent: Parent) {
        let made = &self.edges[edge as usize];
        if made.listed
            && let Caller::Service(service) | Caller::Checks(service) = made.caller
        {
            let replica = &mut self.services[service as usize].replicas[client as usize];
            self.call_standings.leave(&mut replica.calling, id);
        }
        self.strike_from_request(id, edge, parent);
    }

    /// Tells whoever waits that a call is over, and if it ended well, what that brings.
    #[inline(always)]
    fn notify(&mut self, parent: Parent, (edge, client): (u32, u32), fruit: Option<Fruit>, ctx: &mut Ctx) {
        match parent {
            Parent::User => self.enjoy(fruit),
            Parent::Loop { .. }
            | Parent::Visit { .. }
            | Parent::Check { .. }
            | Parent::Aside { .. }
            | Parent::Callback { .. } => self.notify_user(parent, (edge, client), fruit, ctx),
            Parent::Request { attempt: id, stake } => {
                let attempt = &mut self.attempts[id];
                attempt.outstanding -= 1;
                // A request that has failed no longer waits.
                if attempt.server != Server::Waiting {
                    self.spoil(fruit.and_then(|fruit| fruit.below));
                    return self.let_go(id);
                }
                if let Some(fruit) = fruit {
                    attempt.below = self.fruits.gather(attempt.below, fruit);
                }
                if stake == Stake::Vote {
                    return self.votes(id, fruit.is_some());
                }
                let mut moves_on = attempt.outstanding == 0;
                if fruit.is_none() && stake != Stake::Optional {
                    moves_on |= stake == Stake::Decisive;
                    attempt.marks.add(Marks::FAILED);
                }
                if moves_on {
                    self.ready.push(id);
                }
            }
        }
    }

    /// Of a user who does something next, and of nobody.
    #[inline(never)]
    fn notify_user(
        &mut self,
        parent: Parent,
        (edge, client): (u32, u32),
        fruit: Option<Fruit>,
        ctx: &mut Ctx,
    ) {
        match parent {
            Parent::Check { control } => {
                let is_well = fruit.is_some();
                self.enjoy(fruit);
                self.checked(control, (edge, client), is_well, ctx);
            }
            Parent::Visit { visit } => self.load_ends(visit, fruit, ctx),
            Parent::Callback { wait, .. } => {
                self.enjoy(fruit);
                self.callback_ends(wait, fruit.is_some());
            }
            Parent::Aside { wanted: true, .. } => self.enjoy(fruit),
            Parent::Aside { wanted: false, .. } => self.spoil(fruit.and_then(|fruit| fruit.below)),
            Parent::Loop { user } => {
                self.enjoy(fruit);
                let Caller::Workload(workload) = self.edges[edge as usize].caller else {
                    unreachable!("only workloads have users")
                };
                self.think(workload, user, ctx);
            }
            Parent::User | Parent::Request { .. } => unreachable!("notified at once"),
        }
    }

    /// A user has got all that was done for a call.
    #[inline(always)]
    pub fn enjoy(&mut self, fruit: Option<Fruit>) {
        self.fruits.empty(fruit.and_then(|fruit| fruit.below));
    }

    /// What came back for a request was in vain.
    #[inline(always)]
    pub fn spoil(&mut self, basket: Option<Basket>) {
        if let Some(basket) = basket {
            self.count_spoilt(basket);
            self.fruits.empty(Some(basket));
        }
    }

    #[inline(never)]
    pub fn count_spoilt(&mut self, basket: Basket) {
        for (service, work) in self.fruits.of(basket) {
            self.services[service as usize].stats.work_in_vain += u128::from(work);
        }
    }

    /// The caller itself has gone: its calls end with it.
    pub fn cancel_call(&mut self, id: CallId, ctx: &mut Ctx) {
        // Nobody is left to be told.
        let call = &mut self.calls[id];
        let (parent, is_out) = (std::mem::replace(&mut call.parent, Parent::User), call.live.is_some());
        if is_out && self.edges[self.calls[id].edge as usize].passes_on {
            self.may_have_done(parent, Outcome::Cancelled);
        }
        if let Parent::Request { attempt, .. } = parent {
            self.strike_from_request(id, self.calls[id].edge.into(), parent);
            self.attempts[attempt].outstanding -= 1;
            self.let_go(attempt);
        }
        if let Parent::Callback { wait, .. } = parent {
            self.callback_ends(wait, false);
        }
        self.end_call(id, Ending::Cancelled, ctx);
    }

    #[cold]
    pub fn too_many_in_flight(&self, ctx: &mut Ctx) {
        let most =
            self.services.iter().max_by_key(|service| service.in_hand()).expect("a graph has services");
        let arrived: u64 = most.stats.total.arrived;
        let seconds = ctx.now().as_secs_f64().max(1e-9);
        ctx.stop(format!(
            "{} calls and {} requests in flight at {}: `{}` holds {} requests; {:.1} arrive per second and \
             {:.1} are finished. Bound its queue, set a timeout, or raise --max-in-flight",
            self.calls.len(),
            self.attempts.len(),
            ctx.now().since(SimTime::ZERO).brief(),
            most.name,
            most.in_hand(),
            arrived as f64 / seconds,
            most.stats.total.completed as f64 / seconds,
        ));
    }
}

impl Edge {
    /// What the caller's policies and the statistics learn from the end of a call.
    #[inline(always)]
    fn call_ended(
        &mut self,
        clients: &mut [Clients],
        (id, call): (CallId, &mut Call),
        carriage: &Carriage,
        end: Ending,
        now: SimTime,
    ) {
        // What is usual is so without this one.
        if let Some(cohorts) = &mut self.stats.cohorts {
            match end {
                Ending::Ok => cohorts.ok(call.started, now, &self.stats.began[0].latency),
                _ => cohorts.failed(call.started),
            }
        }
        self.stats.call_ended(end, now.since(call.started), call.sent, call.stretch);
        if !self.gates.has(Gates::HEARS_OF_CALLS) {
            return;
        }
        if self.gates.has(Gates::CLASSED) {
            self.class_ended(call, carriage.of_call(id), end, now);
        }
        if self.gates.has(Gates::LEARN_CALL) {
            let clients = &mut clients[self.clients as usize];
            if !call.phase.has_begun() {
                return clients.leave_wait(call, now);
            }
            let grant = call.phase.granted().unwrap_or_default();
            let shares = self.gates.has(Gates::SHARES);
            if shares {
                clients.lend(call.client);
            }
            let step = clients.guards[call.client as usize].learn_call(
                now,
                end,
                call.permit.take(),
                grant,
                now.since(call.started),
            );
            if shares {
                clients.lend(call.client);
            }
            clients.note_step(call.client, step, now);
        }
    }
}
