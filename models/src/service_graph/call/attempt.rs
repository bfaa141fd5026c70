//! One try of a call: asked at the gate, sent, and over when its outcome is known.

use super::cancel::Why;
use crate::carried::Carried;
use crate::network::{Fate, Way};
use crate::policy::cancel::Cancel;
use crate::policy::guards::{Gates, Grant, Pass};
use crate::policy::{Ending, Outcome};
use crate::service_graph::follow::Listen;
use crate::service_graph::service::callback::Leg;
use crate::service_graph::slab::Link;
use crate::service_graph::state::*;
use crate::service_graph::stats::{UNMEASURED, Which};
use crate::service_graph::witness as kind;
use sim_core::{Class, Key, SimTime};

impl<L: Listen> Graph<L> {
    /// The next try of a call, on this grant.
    #[inline(always)]
    pub(super) fn try_attempt(&mut self, id: CallId, grant: Grant, ctx: &mut Ctx) {
        let next = |call: &mut Call| {
            call.tries += 1;
            call.key.child(u64::from(call.tries))
        };
        self.send(id, next, grant, Marks::AWAITED, None, ctx);
    }

    /// An attempt asks to be sent: breaker, balancer, connection, timeout, network. Its call, once it is looked up, says its key.
    /// One that has got its connection asks nobody any more.
    #[inline(always)]
    pub(super) fn send(
        &mut self,
        id: CallId,
        key: impl FnOnce(&mut Call) -> Key,
        grant: Grant,
        mut marks: Marks,
        connected: Option<(Pass, Held)>,
        ctx: &mut Ctx,
    ) {
        if self.calls.most().max(self.attempts.most()) > self.max_in_flight {
            self.too_many_in_flight(ctx);
        }
        let now = ctx.now();
        let call = self.calls.again(id);
        let key = key(call);
        let edge_id = call.edge;
        let edge = &mut self.edges[edge_id as usize];
        let workload = match call.parent {
            Parent::Request { attempt, .. } => self.attempts[attempt].workload,
            Parent::Aside { workload, .. } | Parent::Callback { workload, .. } => workload,
            // The workloads' edges come first, in their order.
            Parent::User | Parent::Loop { .. } | Parent::Visit { .. } => edge_id,
            Parent::Check { .. } => NOBODYS,
        };
        let (Pass { replica, permit, .. }, held) = match connected {
            Some((pass, held)) => (pass, Some(held)),
            None => {
                let asked = edge.may_send(
                    &mut self.clients,
                    (&self.tried, &self.carriage, &self.callbacks),
                    (id, call),
                    (key, grant),
                    now,
                );
                match asked {
                    Ok(pass) => (pass, None),
                    Err(end) => return self.not_sent(id, grant, end, ctx),
                }
            }
        };
        if held.is_none() && edge.gates.has(Gates::CONNECT) {
            return self.connect(id, (key, grant, marks), (replica, permit), ctx);
        }
        if edge.gates.has(Gates::TRIED) {
            self.tried.of_mut(id, call.sent == 0).add(replica);
        }
        call.sent += 1;
        if let Some(other) = call.live {
            marks.add(Marks::HAS_SIBLINGS);
            self.attempts[other].marks.add(Marks::HAS_SIBLINGS);
        }
        let which = match call.sent {
            _ if marks.has(Marks::IS_COPY) => {
                self.clients[edge.clients as usize].watch.copied(call.stretch != UNMEASURED);
                Which::Copy
            }
            1 => Which::First,
            _ => Which::Repeat,
        };
        edge.stats.attempt_sent(which, call.stretch);
        let mut until = SimTime::MAX;
        if edge.limited {
            let deadline = edge.end_of(id, call, &self.inherited);
            let timeout = edge.policy.timeout.map_or(SimTime::MAX, |timeout| now + timeout);
            marks.add(Marks::UNTIL_CALL_ENDS.when(deadline < timeout));
            until = timeout.min(deadline);
            marks.add(Marks::EXPIRES.when(edge.gates.has(Gates::INHERITS)));
        }
        let number = call.tries;
        let (attempt, entry) = self.attempts.insert(Attempt {
            key,
            call: id.link(),
            sibling: call.live,
            edge: edge_id,
            workload,
            replica,
            since: now,
            own: OwnWork::default(),
            below: None,
            timer: None,
            permit,
            outstanding: 0,
            repetition: 0,
            step: 0,
            number,
            grant,
            server: Server::Sent,
            marks,
        });
        self.listener.tell(|tracer| tracer.attempt_sent(attempt, id, edge_id.into(), number, now));
        call.live = Some(attempt.link());
        if edge.gates.has(Gates::TIMES) {
            self.sent_at.put(attempt, now);
        }
        if edge.tells || edge.gates.has(Gates::KEEPS_OF_ATTEMPT) {
            if edge.gates.has(Gates::CARRIES) {
                self.carriage.sent(id, attempt);
                if let Some(reads) = &mut self.services[edge.callee as usize].reads {
                    reads.comes(attempt, self.carriage.of(attempt).flags);
                }
            }
            self.wanted_until.put(attempt, until);
            if edge.gates.has(Gates::FIXED) {
                entry.number = 0;
                entry.marks.add(Marks::CALLED_OFF);
            }
            if edge.degrades.is_some() {
                self.degraded.put(attempt, false);
            }
            if let Some(found) = edge.found {
                let is_gone = self.services[edge.callee as usize].replicas[replica as usize].down > 0;
                found.sent(&mut self.controls, call.client, is_gone, now);
            }
            if edge.gates.has(Gates::APART.or(Gates::CALLBACK)) {
                if edge.gates.has(Gates::APART) {
                    let measured = call.stretch != UNMEASURED;
                    edge.note_crossing(&mut self.crossed, attempt, (call.client, replica), measured);
                }
                if let Some(leg) = edge.callback {
                    let carries = edge.gates.has(Gates::CARRIES);
                    let carried = if carries { self.carriage.of_call(id) } else { Carried::default() };
                    let asked = self.callbacks.sent(leg, (id, call), (attempt, entry), carried);
                    if let Some(wait) = asked {
                        self.listener.tell(|tracer| tracer.asks_for_callback(wait, id));
                    }
                }
            }
            if edge.counts {
                // Delivered again, a callback is not what was delivered before: that it was may be what went wrong.
                let (delivers, measured) =
                    (matches!(edge.callback, Some(Leg::CallsBack)), call.stretch != UNMEASURED);
                self.book.sent(id, attempt, delivers || call.sent == 1, measured && !delivers);
            }
        }
        if until < SimTime::MAX {
            entry.timer = Some(ctx.schedule(until, Class::Timeout, Event::AttemptTimer { attempt }));
        }
        if edge.gates.has(Gates::COPY) {
            edge.plan_copy(&mut self.clients, (id, call), &self.inherited, ctx);
            if marks.has(Marks::IS_COPY) {
                let copy = (attempt, call.client, call.stretch != UNMEASURED);
                edge.tie_late(copy, &mut self.attempts, &self.crossed, &mut self.clients, ctx);
            }
        }
        if let Some(held) = held {
            let measured = call.stretch != UNMEASURED;
            self.held.put(attempt, Some(held));
            held.is_used(attempt, measured, &mut self.clients, &mut self.services[edge.callee as usize]);
        }
        if edge.link.is_instant() {
            let callee = edge.callee;
            self.arrive(attempt, callee, ctx)
        } else {
            self.listener.tell(|tracer| tracer.transmits(attempt, edge_id.into(), now));
            if let Some(then) = edge.link.steadily(now) {
                return Message::Request(attempt).arrives(then, ctx);
            }
            let fate = edge.link.send(now, key, Way::Out);
            self.meet(fate, Message::Request(attempt), ctx)
        }
    }

    /// Puts an answer on the network.
    pub fn transmit_answer(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &self.attempts[id];
        self.listener.tell(|tracer| tracer.transmits(id, attempt.edge.into(), now));
        let link = &mut self.edges[attempt.edge as usize].link;
        if let Some(then) = link.steadily(now) {
            return Message::Reply(id).arrives(then, ctx);
        }
        let fate = link.send(now, attempt.key, Way::Back);
        self.meet(fate, Message::Reply(id), ctx)
    }

    /// What becomes of a message that was sent.
    #[inline(never)]
    pub fn meet(&mut self, fate: Fate, message: Message, ctx: &mut Ctx) {
        let (Message::Request(id) | Message::Reply(id) | Message::Cancel(id) | Message::Begun(id)) = message;
        match fate {
            Fate::At(then) => message.arrives(then, ctx),
            Fate::Now => self.deliver(message, ctx),
            Fate::Struck => self.meets_what_is_wrong(message, ctx),
            Fate::Apart(then) => self.goes_apart(then, message, ctx),
            Fate::Lost if matches!(message, Message::Cancel(_) | Message::Begun(_)) => {}
            Fate::Lost => self.swallow(id),
            Fate::Held => {
                let edge = self.attempts[id].edge;
                self.edges[edge as usize].link.hold(message);
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
            Message::Cancel(attempt) => self.called_off(attempt, ctx),
            Message::Begun(attempt) => self.leaves_for_another(attempt, ctx),
        }
    }

    /// An answer reaches the caller, who may have given up.
    pub fn answered(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let (attempt, useful) = self.account_work(id, true);
        let (awaited, answer, call) = (attempt.is_awaited(), attempt.answer(), attempt.call);
        let edge = attempt.edge;
        let alone = !attempt.marks.has(Marks::HAS_SIBLINGS);
        self.listener.tell(|tracer| {
            let call = awaited.then(|| self.calls.id(call));
            tracer.answered(id, answer, call, ctx.now());
        });
        if !awaited {
            if self.connects(edge) {
                self.hang_up(id, answer, ctx);
            }
            let attempt = &mut self.attempts[id];
            attempt.server = Server::Gone;
            if attempt.outstanding == 0 {
                let below = self.attempts.remove(id).below;
                self.spoil(below);
            }
            return;
        }
        if answer != Outcome::Ok {
            self.attempts[id].server = Server::Gone;
            let call = self.calls.id(call);
            self.end_attempt(id, answer, ctx);
            return self.settle(call, answer, ctx);
        }
        // Attempt and call end together, and so does whatever else is out for it.
        if !alone {
            self.end_others(call, id, ctx);
            self.note_winner(id);
        }
        let attempt = self.attempts.remove(id);
        if let Some(timer) = attempt.timer {
            ctx.cancel(timer);
        }
        let now = ctx.now();
        let (call_id, call) = self.calls.remove_linked(call);
        if let Some(timer) = call.timer {
            ctx.cancel(timer);
        }
        let edge = &mut self.edges[call.edge as usize];
        let times = (&self.sent_at, &self.inherited);
        edge.attempt_ended(&mut self.clients, (call_id, id), (call, attempt), times, Outcome::Ok, now);
        edge.call_ended(&mut self.clients, (call_id, call), &self.carriage, Ending::Ok, now);
        let fruit = attempt.fruit(edge.callee, useful);
        let (parent, client, is_listed) = (call.parent, call.client, edge.gates.has(Gates::LISTED));
        let (number, makes_room) = (u32::from(call.edge), edge.makes_room());
        let (measured, began) = (call.stretch != UNMEASURED, call.started);
        if is_listed {
            self.strike_call(call_id, (number, client), parent);
            if self.edges[number as usize].passes_on {
                self.may_have_done(parent, Outcome::Ok);
            }
            self.hand_on(id, (number, client), (parent, measured), (began, now));
            if let Some(Leg::Asks(_)) = self.edges[number as usize].callback {
                if makes_room {
                    self.make_room((number, client), id, ctx);
                }
                return self.accepted(call_id, (number, client), (parent, fruit), ctx);
            }
        }
        if makes_room {
            self.make_room((number, client), id, ctx);
        }
        self.notify(parent, (number, client), Some(fruit), ctx);
    }

    /// A call was answered: somebody may have what it held.
    #[inline(never)]
    fn make_room(&mut self, (edge, client): (u32, u32), id: AttemptId, ctx: &mut Ctx) {
        let edge = &self.edges[edge as usize];
        let (line, connects) = (edge.line(), edge.gates.has(Gates::CONNECT));
        if connects {
            self.hang_up(id, Outcome::Ok, ctx);
        }
        if let Some(clients) = line {
            self.move_up(clients, client, ctx.now());
        }
    }

    /// The attempt's timer fired: its own timeout, or the call's deadline, or both.
    pub fn timed_out(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &mut self.attempts[id];
        if attempt.server == Server::Unsent {
            return self.got_no_connection(id, ctx);
        }
        attempt.timer = None;
        let call_id = self.calls.id(attempt.call);
        let edge = &mut self.edges[attempt.edge as usize];
        let marks = attempt.marks;
        let outcome = if marks.has(Marks::UNTIL_CALL_ENDS) { Outcome::Cancelled } else { Outcome::TimedOut };
        ctx.witness(kind::TIMER, attempt.number, outcome as u16, edge.path, attempt.key.get(), 0);
        let expired = marks.has(Marks::UNTIL_CALL_ENDS)
            || edge.has_deadlines && now >= edge.end_of(call_id, self.calls.again(call_id), &self.inherited);
        if edge.policy.cancel == Cancel::Never {
            self.end_attempt(id, outcome, ctx);
        } else {
            self.end_and_call_off(id, outcome, Why::GivenUp, ctx);
        }
        if expired {
            self.end_call(call_id, Ending::Deadline, ctx)
        } else {
            self.settle(call_id, outcome, ctx)
        }
    }

    /// An answer came: nobody waits for the other attempts of the call any more.
    #[cold]
    fn end_others(&mut self, call: Link<Call>, but: AttemptId, ctx: &mut Ctx) {
        let mut next = self.calls[call].live;
        while let Some(link) = next {
            next = self.attempts[link].sibling;
            let id = self.attempts.id(link);
            if id != but {
                self.cut_off(id, Why::Overtaken, ctx);
            }
        }
    }

    /// Nobody waits for an attempt any more, and that is nothing that it did.
    #[inline(never)]
    pub(super) fn cut_off(&mut self, id: AttemptId, why: Why, ctx: &mut Ctx) {
        self.end_and_call_off(id, Outcome::Cancelled, why, ctx);
    }

    /// The caller is done with an attempt; the replica may not be.
    #[inline(always)]
    pub(super) fn end_attempt(&mut self, id: AttemptId, outcome: Outcome, ctx: &mut Ctx) {
        let mut attempt = self.attempts.again(id);
        attempt.marks.lift(Marks::AWAITED);
        if let Some(timer) = attempt.timer.take() {
            ctx.cancel(timer);
        }
        let mut left = None;
        if attempt.marks.has(Marks::HAS_SIBLINGS) {
            left = self.without(id);
            attempt = self.attempts.again(id);
        }
        let call_id = self.calls.id(attempt.call);
        let call = self.calls.again(call_id);
        call.live = left;
        self.listener.tell(|tracer| tracer.attempt_ended(id, outcome, ctx.now()));
        let edge = &mut self.edges[call.edge as usize];
        let times = (&self.sent_at, &self.inherited);
        edge.attempt_ended(&mut self.clients, (call_id, id), (call, attempt), times, outcome, ctx.now());
        let is_listed = edge.gates.has(Gates::LISTED);
        let edge = call.edge;
        if attempt.server == Server::Gone && attempt.outstanding == 0 {
            let below = self.attempts.remove(id).below;
            self.spoil(below);
        }
        if is_listed && self.edges[edge as usize].passes_on {
            self.may_have_done(self.calls[call_id].parent, outcome);
        }
        if self.connects(edge) {
            self.hang_up(id, outcome, ctx);
        }
    }

    /// Frees the place of an attempt when its caller, its replica and its own calls are done with it.
    #[inline]
    pub fn let_go(&mut self, id: AttemptId) {
        let attempt = &self.attempts[id];
        if attempt.server == Server::Gone && !attempt.is_awaited() && attempt.outstanding == 0 {
            let below = self.attempts.remove(id).below;
            self.spoil(below);
        }
    }

    /// The first of those that are out for the call of an attempt, which is taken out of their list.
    #[cold]
    pub(super) fn without(&mut self, id: AttemptId) -> Option<Link<Attempt>> {
        let (gone, attempt) = (id.link(), &mut self.attempts[id]);
        let (next, first) = (attempt.sibling.take(), self.calls[attempt.call].live);
        if first == Some(gone) {
            return next;
        }
        let mut before = first;
        while let Some(other) = before {
            let other = &mut self.attempts[other];
            if other.sibling == Some(gone) {
                other.sibling = next;
                return first;
            }
            before = other.sibling;
        }
        unreachable!("an attempt that is awaited is in the list of its call");
    }
}

impl Message {
    /// It will arrive then.
    #[inline(always)]
    pub(in crate::service_graph) fn arrives(self, then: SimTime, ctx: &mut Ctx) {
        let (class, event) = match self {
            Message::Request(attempt) => (Class::Begin, Event::Deliver { attempt }),
            Message::Reply(attempt) => (Class::End, Event::Reply { attempt }),
            Message::Cancel(attempt) => (Class::End, Event::Cancel { attempt }),
            Message::Begun(attempt) => (Class::End, Event::Begun { attempt }),
        };
        ctx.schedule(then, class, event);
    }
}
