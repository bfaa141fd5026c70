//! An attempt that needs a connection: it has one, waits for one, or is not sent.
//!
//! An attempt that waits is in the list of its call, but it is not sent: what its guards let pass is kept for it, and given back if
//! it gets no connection. Who leaves early stays in the line until its turn comes or the line is mostly theirs, as in
//! [the other](super::line); and who is served is sent before the event is over, not from within what made room.

use crate::policy::guards::{Back, Gate, Gates, Grant, Pass, Permit, UNCONNECTED, Wait};
use crate::policy::{Ending, Outcome};
use crate::service_graph::follow::Listen;
use crate::service_graph::slab::Slab;
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use crate::service_graph::witness as kind;
use sim_core::{Class, Key, SimTime};

/// A line of up to so many is left as it is, however many of them have left.
const SHORT: usize = 64;

impl<L: Listen> Graph<L> {
    /// An attempt may be sent if it has a connection: it is, or waits for one.
    #[inline(never)]
    pub(super) fn connect(
        &mut self,
        id: CallId,
        (key, grant, marks): (Key, Grant, Marks),
        (replica, permit): (u32, Option<Permit>),
        ctx: &mut Ctx,
    ) {
        let pass = Pass { replica, permit, ..Pass::default() };
        let call = &self.calls[id];
        let clients = self.edges[call.edge as usize].clients;
        let of = self.clients[clients as usize].leading_to(call.client, pass.replica);
        let group = Group { clients, client: call.client, of };
        let now = ctx.now();
        if self.group(group).is_opened_for_one_more() {
            self.open(group, true, ctx);
        }
        let asked = self.group(group).guards.may_connect(now, pass.replica);
        match asked {
            Gate::Go(lease) => {
                self.group(group).note(now);
                self.send(id, |_| key, grant, marks, Some((pass, group.held(lease, key))), ctx);
            }
            Gate::Line(patience) => {
                let until = patience.map_or(SimTime::MAX, |patience| now + patience);
                self.wait_for_connection(id, (key, grant, marks), pass, (group, until), ctx);
            }
            Gate::Turn(_) => unreachable!("a connection is not told when it comes"),
            Gate::No(end) => {
                let clients = &mut self.clients[clients as usize];
                clients.unsend(group.client, now, (pass.replica, pass.permit), grant);
                self.not_sent(id, grant, end, ctx);
            }
        }
        self.tend(group, ctx);
    }

    /// An attempt joins the line.
    fn wait_for_connection(
        &mut self,
        id: CallId,
        (key, grant, mut marks): (Key, Grant, Marks),
        pass: Pass,
        (group, until): (Group, SimTime),
        ctx: &mut Ctx,
    ) {
        let call = &mut self.calls[id];
        if let Some(other) = call.live {
            marks.add(Marks::HAS_SIBLINGS);
            self.attempts[other].marks.add(Marks::HAS_SIBLINGS);
        }
        let edge = &mut self.edges[call.edge as usize];
        let until = until.min(edge.end_of(id, call, &self.inherited));
        let (attempt, entry) = self.attempts.insert(Attempt {
            key,
            call: id.link(),
            sibling: call.live,
            edge: call.edge,
            workload: 0,
            replica: pass.replica,
            since: ctx.now(),
            own: OwnWork::default(),
            below: None,
            timer: None,
            permit: pass.permit,
            outstanding: 0,
            repetition: 0,
            step: 0,
            number: call.tries,
            grant,
            server: Server::Unsent,
            marks,
        });
        call.live = Some(attempt.link());
        if until < SimTime::MAX {
            entry.timer = Some(ctx.schedule(until, Class::Timeout, Event::AttemptTimer { attempt }));
        }
        self.listener.tell(|tracer| tracer.connecting(attempt, id, call.edge.into(), ctx.now()));
        let clients = &mut self.clients[group.clients as usize];
        clients.watch.joined(Wait::Connection);
        let at = clients.place(group);
        let waiting = clients.guards[group.client as usize].connections(group.of).waiting() as usize;
        let line = &mut clients.connecting[at].line;
        line.push_back(attempt);
        if line.len() > SHORT && line.len() > 2 * waiting {
            line.retain(|id| waits(&self.attempts, *id));
        }
    }

    /// An attempt has waited for a connection as long as it may, or as its caller wants.
    #[cold]
    pub(super) fn got_no_connection(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &mut self.attempts[id];
        attempt.timer = None;
        let (call_id, grant) = (self.calls.id(attempt.call), attempt.grant);
        let edge = &mut self.edges[attempt.edge as usize];
        ctx.witness(kind::NO_CONNECTION, attempt.number, 0, edge.path, attempt.key.get(), 0);
        let expired = ctx.now() >= edge.end_of(call_id, &self.calls[call_id], &self.inherited);
        self.never_sent(id, if expired { Ending::Deadline } else { UNCONNECTED }, ctx);
        if expired {
            // What a retry was granted goes with it.
            self.give_grant_back(call_id, grant);
            self.end_call(call_id, Ending::Deadline, ctx);
        } else {
            self.not_sent(call_id, grant, UNCONNECTED, ctx);
        }
    }

    /// Nobody wants an attempt any more that waits for a connection.
    #[cold]
    pub(super) fn no_longer_connects(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &self.attempts[id];
        let (call, grant) = (self.calls.id(attempt.call), attempt.grant);
        self.never_sent(id, Ending::Cancelled, ctx);
        self.give_grant_back(call, grant);
    }

    fn give_grant_back(&mut self, call: CallId, grant: Grant) {
        if grant != Grant::NONE {
            let call = &self.calls[call];
            let clients = self.edges[call.edge as usize].clients;
            self.clients[clients as usize].guards[call.client as usize].give_back(grant);
        }
    }

    /// An attempt leaves the line without a connection.
    fn never_sent(&mut self, id: AttemptId, end: Ending, ctx: &mut Ctx) {
        let now = ctx.now();
        let (call, attempt) = self.taken_out(id, end.name(), false, ctx);
        let Call { edge, client, .. } = self.calls[call];
        let clients = &mut self.clients[self.edges[edge as usize].clients as usize];
        let of = clients.leading_to(client, attempt.replica);
        clients.guards[client as usize].connections(of).leave();
        clients.unsend(client, now, (attempt.replica, attempt.permit), attempt.grant);
    }

    /// An attempt that waited is what it was before it did.
    fn taken_out(
        &mut self,
        id: AttemptId,
        outcome: &'static str,
        got_it: bool,
        ctx: &mut Ctx,
    ) -> (CallId, Attempt) {
        self.listener.tell(|tracer| tracer.connects(id, outcome, ctx.now()));
        let left = self.without(id);
        let attempt = self.attempts.remove(id);
        if let Some(timer) = attempt.timer.take() {
            ctx.cancel(timer);
        }
        let call_id = self.calls.id(attempt.call);
        let call = &mut self.calls[call_id];
        call.live = left;
        let (waited, measured) = (ctx.now().since(attempt.since), call.stretch != UNMEASURED);
        let clients = self.edges[call.edge as usize].clients;
        self.clients[clients as usize].watch.left(Wait::Connection, waited, got_it, measured);
        (call_id, attempt.clone())
    }

    /// Those who wait for what is there are sent.
    #[cold]
    pub fn serve(&mut self, group: Group, ctx: &mut Ctx) {
        let mut served = false;
        while self.group(group).connections().can_admit() {
            let now = ctx.now();
            let at = self.clients[group.clients as usize].place(group);
            let line = &mut self.clients[group.clients as usize].connecting[at].line;
            let next = std::iter::from_fn(|| line.pop_front()).find(|id| waits(&self.attempts, *id));
            let next = next.expect("as many wait as the connections have counted");
            let attempt = &self.attempts[next];
            let (call_id, grant) = (self.calls.id(attempt.call), attempt.grant);
            let edge = &mut self.edges[attempt.edge as usize];
            if now >= edge.end_of(call_id, &self.calls[call_id], &self.inherited) {
                self.never_sent(next, Ending::Deadline, ctx);
                self.give_grant_back(call_id, grant);
                self.end_call(call_id, Ending::Deadline, ctx);
                continue;
            }
            let lease = self.group(group).connections().admit(now).expect("somebody waits for what is idle");
            served = true;
            self.group(group).note(now);
            let (call_id, attempt) = self.taken_out(next, "", true, ctx);
            let held = group.held(lease, attempt.key);
            let pass = Pass { replica: attempt.replica, permit: attempt.permit, ..Pass::default() };
            self.send(call_id, |_| attempt.key, attempt.grant, attempt.marks, Some((pass, held)), ctx);
        }
        // Whoever crashed meanwhile opens nothing.
        if served {
            self.tend(group, ctx);
        }
    }

    /// Whether attempts over this edge need connections, and any attempt has ever had one.
    #[inline(always)]
    pub(in crate::service_graph) fn connects(&self, edge: u16) -> bool {
        !self.held.is_empty() && self.edges[edge as usize].gates.has(Gates::CONNECT)
    }

    /// An attempt is over for its caller, or its answer has come after that: its connection is given back.
    #[inline(never)]
    pub(super) fn hang_up(&mut self, id: AttemptId, outcome: Outcome, ctx: &mut Ctx) {
        let Some(held) = self.held.of_mut(id, false).take() else { return };
        let hears = self.attempts.get(id).is_some_and(|attempt| attempt.server != Server::Gone);
        let dial = &mut self.clients[held.group.clients as usize].dial;
        let leaks = dial.as_mut().is_some_and(|dial| dial.leaks(held.key));
        if self.returned(held, (outcome, leaks, hears), ctx) == Back::Busy {
            self.held.put(id, Some(held));
        }
    }

    /// What an attempt without a caller was sent over is free when nothing can come back any more.
    #[cold]
    pub(in crate::service_graph) fn hears_nothing(&mut self, id: AttemptId) {
        if !self.attempts[id].is_awaited()
            && let Some(held) = self.held.of_mut(id, false).take()
        {
            self.admitted.push_back(Admitted::HungUp(held));
        }
    }

    /// The same, at last.
    #[cold]
    pub fn hung_up(&mut self, held: Held, ctx: &mut Ctx) {
        self.returned(held, (Outcome::Cancelled, false, false), ctx);
    }
}

impl Clients {
    /// An attempt of one of them got no connection: what it was let pass with is given back.
    fn unsend(&mut self, client: u32, now: SimTime, (replica, permit): (u32, Option<Permit>), grant: Grant) {
        let shares = self.shared.is_some();
        if shares {
            self.lend(client);
        }
        let step = self.guards[client as usize].unsend(now, replica, permit, grant);
        if shares {
            self.lend(client);
        }
        self.note_step(client, step, now);
    }
}

impl Held {
    /// An attempt goes out over it. The first over a connection finds the service unprepared.
    pub(super) fn is_used(
        self,
        id: AttemptId,
        measured: bool,
        clients: &mut [Clients],
        service: &mut Service,
    ) {
        let clients = &mut clients[self.group.clients as usize];
        if let Some(watch) = clients.watch.connections() {
            watch.used(self.lease.is_new, measured);
        }
        if self.lease.is_new
            && let Some(work) = clients.dial.as_mut().and_then(|dial| dial.work(self.key))
        {
            service.greetings.put(id, work);
        }
    }
}

impl Edge {
    /// Whether whoever has ended may make room for another.
    #[inline(always)]
    pub(super) fn makes_room(&self) -> bool {
        self.gates.has(Gates::MAKES_ROOM)
    }
}

/// Whether an attempt is there, and waits for a connection.
fn waits(attempts: &Slab<Attempt>, id: AttemptId) -> bool {
    attempts.get(id).is_some_and(|attempt| attempt.server == Server::Unsent)
}
