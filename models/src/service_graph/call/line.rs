//! A call that stands in line until its client may have one more out.
//!
//! A line is a list of the calls that joined it. Who leaves it early stays in the list until their turn comes or the list
//! is mostly theirs, so joining and leaving take constant time. Who is let in is sent before the event is over, not from
//! within what made room: however long a line is, nothing recurses.

use crate::policy::guards::{Gates, Grant, REFUSED, Wait};
use crate::policy::{Ending, Outcome};
use crate::service_graph::follow::Listen;
use crate::service_graph::slab::Slab;
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use crate::service_graph::witness as kind;
use crate::trace::SpanKind;
use sim_core::{Class, SimDuration, SimTime};

/// A line of up to so many is left as it is, however many of them have left.
const SHORT: usize = 64;

impl<L: Listen> Graph<L> {
    /// A call joins the line, for so long or until its deadline.
    #[inline(never)]
    pub(super) fn stand_in_line(&mut self, id: CallId, patience: Option<SimDuration>, ctx: &mut Ctx) {
        if self.calls.most() > self.max_in_flight {
            self.too_many_in_flight(ctx);
        }
        let call = &mut self.calls[id];
        call.phase = Phase::IN_LINE;
        self.listener.tell(|tracer| tracer.pauses(SpanKind::Line, id, call.edge.into(), ctx.now()));
        let edge = &mut self.edges[call.edge as usize];
        let patience = patience.map_or(SimTime::MAX, |patience| ctx.now() + patience);
        let until = patience.min(edge.end_of(id, call, &self.inherited));
        if until < SimTime::MAX {
            call.timer = Some(ctx.schedule(until, Class::Timeout, Event::CallTimer { call: id }));
        }
        let (clients, client) = (&mut self.clients[edge.clients as usize], call.client as usize);
        self.joined_at.put(id, ctx.now());
        clients.watch.joined(Wait::Place);
        let line = &mut clients.lines[client];
        line.push_back(id);
        let waiting = clients.guards[client].waiting() as usize;
        if line.len() > SHORT && line.len() > 2 * waiting {
            line.retain(|id| stands(&self.calls, *id));
        }
    }

    /// A call has stood in line as long as it may, or as its caller wants.
    #[cold]
    pub(super) fn waited_in_vain(&mut self, id: CallId, ctx: &mut Ctx) {
        let call = &self.calls[id];
        let edge = &mut self.edges[call.edge as usize];
        ctx.witness(kind::LEFT_LINE, call.tries, 0, edge.path, call.key.get(), 0);
        let expired = ctx.now() >= edge.end_of(id, call, &self.inherited);
        self.end_call(id, if expired { Ending::Deadline } else { REFUSED }, ctx);
    }

    /// One of a client's calls has ended: whoever may now begin is let in.
    #[inline(never)]
    pub(super) fn move_up(&mut self, clients: u32, client: u32, now: SimTime) {
        let (Clients { guards, lines, watch, .. }, client) =
            (&mut self.clients[clients as usize], client as usize);
        while guards[client].admit(now) {
            let next = std::iter::from_fn(|| lines[client].pop_front()).find(|id| stands(&self.calls, *id));
            let next = next.expect("as many stand in line as its guard has counted");
            let call = &mut self.calls[next];
            call.phase = Phase::TRYING;
            let waited = now.since(*self.joined_at.of(next));
            watch.left(Wait::Place, waited, true, call.stretch != UNMEASURED);
            self.admitted.push_back(Admitted::Call(next));
        }
    }

    /// Whoever was let in goes on, before the event is over.
    #[inline(never)]
    pub fn go_on(&mut self, ctx: &mut Ctx) {
        match self.admitted.pop_front() {
            Some(Admitted::Call(call)) => self.begins_at_last(call, ctx),
            Some(Admitted::Line(group)) => self.serve(group, ctx),
            Some(Admitted::HungUp(held)) => self.hung_up(held, ctx),
            Some(Admitted::IsDone { service, replica }) => self.goes_if_done(service, replica, ctx),
            Some(Admitted::Failed { control, replica }) => self.has_failed(control, replica, ctx),
            Some(Admitted::Overwhelmed { service, replica }) => {
                self.goes_down_after_all(service, replica, ctx)
            }
            Some(Admitted::RollsOn { control }) => self.rolls_on(control, ctx),
            Some(Admitted::TurnedAway(request)) => self.answer(request, Outcome::Rejected, ctx),
            Some(Admitted::Decided(request)) => self.decided(request, ctx),
            None => {}
        }
    }

    /// A call that was let in makes its first try, unless something ended it meanwhile.
    fn begins_at_last(&mut self, id: CallId, ctx: &mut Ctx) {
        if self.calls.get(id).is_none() {
            return;
        }
        let call = &mut self.calls[id];
        if let Some(timer) = call.timer.take() {
            ctx.cancel(timer);
        }
        self.listener.tell(|tracer| tracer.pause_ends(id, ctx.now()));
        let edge = &mut self.edges[call.edge as usize];
        if ctx.now() >= edge.end_of(id, call, &self.inherited) {
            self.end_call(id, Ending::Deadline, ctx);
        } else {
            self.try_attempt(id, Grant::NONE, ctx);
        }
    }
}

impl Edge {
    /// Whose calls stand in line, if any may.
    #[inline(always)]
    pub(super) fn line(&self) -> Option<u32> {
        self.gates.has(Gates::LINE).then_some(self.clients)
    }
}

impl Clients {
    /// A call ends that has not begun: it waits for its turn, or since then in line.
    #[cold]
    pub(super) fn leave_wait(&mut self, call: &Call, now: SimTime) {
        let measured = call.stretch != UNMEASURED;
        if call.phase == Phase::IN_TURN {
            return self.watch.left(Wait::Turn, now.since(call.started), false, measured);
        }
        self.guards[call.client as usize].leave_line();
        self.watch.left(Wait::Place, SimDuration::ZERO, false, measured);
    }
}

/// Whether a call is there, and in line.
fn stands(calls: &Slab<Call>, id: CallId) -> bool {
    calls.get(id).is_some_and(|call| call.phase == Phase::IN_LINE)
}
