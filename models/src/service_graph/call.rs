//! The caller's side. The order in which a call meets its policies is written here and nowhere else:
//!
//! ```text
//! deadline > bulkhead > retry (budget) > breaker > balancer > attempt timeout > network
//! ```
//!
//! An attempt that was sent ends in one [`Outcome`]; a call ends in one [`Ending`]. An open breaker is
//! not retried unless the policy lists it; a refused budget ends the call and keeps the last cause. A
//! back-off that would end after the deadline ends at the deadline.

use super::follow::Listen;
use super::plan::Caller;
use super::state::*;
use super::witness as kind;
use crate::network::{Fate, Way};
use crate::policy::breaker::{Position, Transition};
use crate::policy::guards::{Ask, Gate, Gates, Pass, Seen};
use crate::policy::{Ending, Outcome};
use sim_core::{Key, SimDuration, SimTime};

impl<L: Listen> Graph<L> {
    /// A call begins at `now`, on behalf of `parent`, by client `client` of `edge`.
    pub fn begin_call(&mut self, edge_id: u32, client: u32, parent: Parent, key: Key, ctx: &mut Ctx) {
        let now = ctx.now();
        let measured = self.measures(now);
        let edge = &mut self.edges[edge_id as usize];
        edge.stats.call_started(measured);
        if edge.gates.has(Gates::BEGIN)
            && let Gate::No(end) = edge.clients[client as usize].may_begin()
        {
            edge.stats.call_ended(end, SimDuration::ZERO, 0, measured);
            self.listener.tell(|tracer| tracer.call_begins(Err(end), parent, (edge_id, client), key, now));
            self.notify(parent, edge_id, false, ctx);
            return;
        }
        let (call, _) = self.calls.insert(|| Call {
            key,
            started: now,
            parent,
            edge: edge_id,
            client,
            tries: 0,
            sent: 0,
            previous_delay: SimDuration::ZERO,
            timer: None,
            live: None,
            permit: None,
        });
        if edge.listed {
            self.list_call(call);
        }
        self.listener.tell(|tracer| tracer.call_begins(Ok(call), parent, (edge_id, client), key, now));
        self.try_attempt(call, ctx);
    }

    /// The next try of a call: breaker, balancer, timeout, network.
    #[inline(always)]
    fn try_attempt(&mut self, id: CallId, ctx: &mut Ctx) {
        if self.calls.len().max(self.attempts.len()) > self.max_in_flight {
            self.too_many_in_flight(ctx);
        }
        let now = ctx.now();
        let call = &mut self.calls[id];
        call.tries += 1;
        let edge_id = call.edge;
        let edge = &mut self.edges[edge_id as usize];
        let client = call.client;
        let workload = match call.parent {
            Parent::Request { attempt, .. } => self.attempts[attempt].workload,
            // The workloads' edges come first, in their order.
            Parent::User | Parent::Loop { .. } => edge_id,
        };
        let key = call.key.child(u64::from(call.tries));
        let mut pass = Pass::default();
        if edge.gates.has(Gates::SEND) {
            let ask = Ask { now, key, pick: &mut edge.pick, admitted: call.permit.is_some() };
            match edge.clients[client as usize].may_send(ask) {
                Gate::Go(given) => pass = given,
                Gate::No(end) => return self.not_sent(id, end, ctx),
            }
            edge.note_transition(client, pass.transition, now);
            if edge.gates.has(Gates::PERMIT_PER_CALL) && pass.permit.is_some() {
                call.permit = pass.permit.take();
            }
        }
        call.sent += 1;
        edge.stats.attempt_sent(call.sent > 1, call.started >= self.measured_from);
        let deadline = edge.deadline(call.started, call.key);
        let timeout = edge.policy.timeout.map_or(SimTime::MAX, |timeout| now + timeout);
        let number = call.tries;
        let (attempt, entry) = self.attempts.insert(|| Attempt {
            key,
            call: id,
            edge: edge_id,
            replica: pass.replica,
            workload,
            since: now,
            work: SimDuration::ZERO,
            work_timer: None,
            timer: None,
            permit: pass.permit,
            outstanding: 0,
            repetition: 0,
            step: 0,
            number,
            answer: Outcome::InFlight,
            server: Server::Sent,
            awaited: true,
            until_deadline: deadline < timeout,
            failed: false,
            measured: false,
        });
        self.listener.tell(|tracer| tracer.attempt_sent(attempt, id, edge_id, number, now));
        call.live = Some(attempt);
        let until = timeout.min(deadline);
        if until < SimTime::MAX {
            entry.timer = Some(ctx.schedule_at(until, Event::Timeout { attempt }));
        }
        if edge.link.is_instant() {
            let callee = edge.callee;
            self.arrive(attempt, callee, ctx)
        } else {
            self.transmit(Message::Request(attempt), ctx)
        }
    }

    /// Puts a message on the network.
    pub fn transmit(&mut self, message: Message, ctx: &mut Ctx) {
        let now = ctx.now();
        let (id, way) = match message {
            Message::Request(id) => (id, Way::Out),
            Message::Reply(id) => (id, Way::Back),
        };
        let attempt = &self.attempts[id];
        self.listener.tell(|tracer| tracer.transmits(id, attempt.edge, now));
        let link = &mut self.edges[attempt.edge as usize].link;
        match link.send(now, attempt.key, way) {
            Fate::Now => self.deliver(message, ctx),
            Fate::At(then) => {
                let event = match message {
                    Message::Request(attempt) => Event::Deliver { attempt },
                    Message::Reply(attempt) => Event::Reply { attempt },
                };
                ctx.schedule_at(then, event);
            }
            Fate::Lost => self.swallow(id),
            Fate::Held => {
                link.hold(message);
                self.listener.tell(|tracer| tracer.held(id));
            }
        }
    }

    /// A message arrives.
    pub fn deliver(&mut self, message: Message, ctx: &mut Ctx) {
        match message {
            Message::Request(attempt) => {
                let callee = self.edges[self.attempts[attempt].edge as usize].callee;
                self.arrive(attempt, callee, ctx)
            }
            Message::Reply(attempt) => self.answered(attempt, ctx),
        }
    }

    /// An answer reaches the caller, who may have given up.
    pub fn answered(&mut self, id: AttemptId, ctx: &mut Ctx) {
        self.account_work(id, true);
        self.listener.tell(|tracer| tracer.answered(id, &self.attempts[id], ctx.now()));
        let attempt = &mut self.attempts[id];
        attempt.server = Server::Gone;
        if !attempt.awaited {
            self.attempts.remove(id);
            return;
        }
        let (call_id, answer) = (attempt.call, attempt.answer);
        if answer != Outcome::Ok {
            self.end_attempt(id, answer, ctx);
            return self.settle(call_id, answer, ctx);
        }
        // Attempt and call end together.
        if let Some(timer) = attempt.timer {
            ctx.cancel(timer);
        }
        let now = ctx.now();
        let call = self.calls.remove(call_id);
        let measured = call.started >= self.measured_from;
        let edge = &mut self.edges[call.edge as usize];
        edge.attempt_ended(call, attempt, Outcome::Ok, measured, now);
        edge.call_ended(call, Ending::Ok, measured, now);
        self.attempts.remove(id);
        let (parent, edge, client) = (call.parent, call.edge, call.client);
        self.strike_call(call_id, edge, client);
        self.notify(parent, edge, true, ctx);
    }

    /// The attempt's timer fired: its own timeout, or the call's deadline, or both.
    pub fn timed_out(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &mut self.attempts[id];
        attempt.timer = None;
        let call_id = attempt.call;
        let edge = &mut self.edges[attempt.edge as usize];
        let outcome = if attempt.until_deadline { Outcome::Cancelled } else { Outcome::TimedOut };
        ctx.witness(kind::TIMEOUT, attempt.number, outcome as u16, edge.path, attempt.key.get(), 0);
        let call = &self.calls[call_id];
        let expired = now >= edge.deadline(call.started, call.key);
        self.end_attempt(id, outcome, ctx);
        if expired {
            self.end_call(call_id, Ending::Deadline, ctx)
        } else {
            self.settle(call_id, outcome, ctx)
        }
    }

    /// The caller is done with an attempt; the replica may not be.
    fn end_attempt(&mut self, id: AttemptId, outcome: Outcome, ctx: &mut Ctx) {
        let attempt = &mut self.attempts[id];
        attempt.awaited = false;
        if let Some(timer) = attempt.timer.take() {
            ctx.cancel(timer);
        }
        let call = &mut self.calls[attempt.call];
        call.live = None;
        let measured = call.started >= self.measured_from;
        self.listener.tell(|tracer| tracer.attempt_ended(id, outcome, ctx.now()));
        self.edges[call.edge as usize].attempt_ended(call, attempt, outcome, measured, ctx.now());
        if attempt.server == Server::Gone {
            self.attempts.remove(id);
        }
    }

    /// An attempt has failed before the call's deadline: retry, or give up.
    fn settle(&mut self, id: CallId, outcome: Outcome, ctx: &mut Ctx) {
        let call = &self.calls[id];
        let edge = &mut self.edges[call.edge as usize];
        if !edge.retry.retries(u32::from(call.tries), outcome) {
            return self.end_call(id, Ending::Failed(outcome), ctx);
        }
        if edge.gates.has(Gates::RETRY) && !edge.clients[call.client as usize].may_retry() {
            edge.stats.budget_refused(call.started >= self.measured_from);
            self.listener.tell(|tracer| tracer.budget_refused(id, call.edge, ctx.now()));
            return self.end_call(id, Ending::Failed(outcome), ctx);
        }
        self.back_off(id, ctx);
    }

    /// A guard refused a try: nothing was sent.
    fn not_sent(&mut self, id: CallId, end: Ending, ctx: &mut Ctx) {
        let call = &self.calls[id];
        self.listener.tell(|tracer| tracer.not_sent(id, call.edge, call.tries, end, ctx.now()));
        let retry = &self.edges[call.edge as usize].retry;
        if end == Ending::BreakerOpen && retry.retries_breaker_open(u32::from(call.tries)) {
            self.back_off(id, ctx);
        } else {
            self.end_call(id, end, ctx);
        }
    }

    fn back_off(&mut self, id: CallId, ctx: &mut Ctx) {
        let call = &mut self.calls[id];
        self.listener.tell(|tracer| tracer.backs_off(id, call.edge, ctx.now()));
        let edge = &mut self.edges[call.edge as usize];
        let mut words = edge.jitter.at(call.key.child(u64::from(call.tries)));
        let delay = edge.retry.delay(u32::from(call.tries), call.previous_delay, &mut words);
        call.previous_delay = delay;
        let resumes = (ctx.now() + delay).min(edge.deadline(call.started, call.key));
        call.timer = Some(ctx.schedule_at(resumes, Event::Resume { call: id }));
    }

    /// A back-off is over.
    pub fn resume(&mut self, id: CallId, ctx: &mut Ctx) {
        self.listener.tell(|tracer| tracer.back_off_ends(id, ctx.now()));
        let call = &mut self.calls[id];
        call.timer = None;
        let edge = &mut self.edges[call.edge as usize];
        ctx.witness(kind::RESUME, call.tries, 0, edge.path, call.key.get(), 0);
        if ctx.now() >= edge.deadline(call.started, call.key) {
            self.end_call(id, Ending::Deadline, ctx);
        } else {
            self.try_attempt(id, ctx);
        }
    }

    fn end_call(&mut self, id: CallId, end: Ending, ctx: &mut Ctx) {
        let call = self.calls.remove(id);
        debug_assert!(call.live.is_none());
        if let Some(timer) = call.timer {
            ctx.cancel(timer);
        }
        let measured = call.started >= self.measured_from;
        self.listener.tell(|tracer| tracer.call_ended(id, end, ctx.now()));
        self.edges[call.edge as usize].call_ended(call, end, measured, ctx.now());
        let (parent, edge, client) = (call.parent, call.edge, call.client);
        self.strike_call(id, edge, client);
        self.notify(parent, edge, end == Ending::Ok, ctx);
    }

    /// Lists a call with the replica that makes it, so that it is found when that dies.
    #[inline(never)]
    fn list_call(&mut self, id: CallId) {
        let call = &self.calls[id];
        if let Caller::Service(service) = self.edges[call.edge as usize].caller {
            let replica = &mut self.services[service as usize].replicas[call.client as usize];
            self.call_standings.join(&mut replica.calling, id);
        }
    }

    /// Takes a call that is over off the list of the replica that made it.
    #[inline(always)]
    fn strike_call(&mut self, id: CallId, edge: u32, client: u32) {
        let edge = &self.edges[edge as usize];
        if let Caller::Service(service) = edge.caller
            && edge.listed
        {
            let replica = &mut self.services[service as usize].replicas[client as usize];
            self.call_standings.leave(&mut replica.calling, id);
        }
    }

    /// Tells whoever waits that a call is over.
    #[inline(always)]
    fn notify(&mut self, parent: Parent, edge: u32, ok: bool, ctx: &mut Ctx) {
        match parent {
            Parent::User => {}
            Parent::Loop { user } => {
                let Caller::Workload(workload) = self.edges[edge as usize].caller else {
                    unreachable!("only workloads have users")
                };
                self.think(workload, user, ctx);
            }
            Parent::Request { attempt: id, optional } => {
                let attempt = &mut self.attempts[id];
                // A request whose replica has crashed no longer waits.
                if attempt.server == Server::Waiting {
                    attempt.failed |= !ok && !optional;
                    attempt.outstanding -= 1;
                    if attempt.outstanding == 0 {
                        self.ready.push(id);
                    }
                }
            }
        }
    }

    /// The caller itself has gone: its calls end with it.
    pub fn cancel_call(&mut self, id: CallId, ctx: &mut Ctx) {
        if let Some(attempt) = self.calls[id].live {
            self.end_attempt(attempt, Outcome::Cancelled, ctx);
        }
        // Nobody is left to be told.
        self.calls[id].parent = Parent::User;
        self.end_call(id, Ending::Cancelled, ctx);
    }

    #[cold]
    fn too_many_in_flight(&self, ctx: &mut Ctx) {
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
    /// What the caller's policies and the statistics learn from the end of an attempt.
    #[inline(always)]
    fn attempt_ended(
        &mut self,
        call: &Call,
        attempt: &mut Attempt,
        outcome: Outcome,
        measured: bool,
        now: SimTime,
    ) {
        self.stats.attempt_ended(outcome, measured);
        let overdue = outcome == Outcome::Cancelled && now >= self.deadline(call.started, call.key);
        if self.gates.has(Gates::LEARN) {
            let retried = self.retry.retries(0, outcome);
            let (replica, permit) = (attempt.replica, attempt.permit.take());
            let seen = Seen { now, outcome, retried, overdue, replica, permit };
            let transition = self.clients[call.client as usize].learn(seen);
            self.note_transition(call.client, transition, now);
        }
    }

    /// The same of the end of a call.
    #[inline(always)]
    fn call_ended(&mut self, call: &mut Call, end: Ending, measured: bool, now: SimTime) {
        self.stats.call_ended(end, now.since(call.started), call.sent, measured);
        if self.gates.has(Gates::LEARN_CALL) {
            let transition = self.clients[call.client as usize].learn_call(now, end, call.permit.take());
            self.note_transition(call.client, transition, now);
        }
    }

    #[inline(always)]
    fn note_transition(&mut self, client: u32, transition: Option<Transition>, now: SimTime) {
        let Some(transition) = transition else { return };
        self.breakers_open += u64::from(transition.from == Position::Closed);
        self.breakers_open -= u64::from(transition.to == Position::Closed);
        self.stats.transition(now, client, transition);
    }
}
