//! The copies of a try: when the next is sent, and what becomes of the try when one of its attempts fails.

use super::cancel::Why;
use crate::policy::Outcome;
use crate::policy::guards::{Gates, Grant};
use crate::service_graph::follow::Listen;
use crate::service_graph::slab::Beside;
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use crate::service_graph::witness as kind;
use sim_core::{Class, SimTime};

/// Copies are numbered from here among what a try makes, so that no retry's luck moves because there are any.
const COPY: u64 = 1 << 32;

impl Edge {
    /// An attempt was sent: its next copy is, unless the call is over or given up by then.
    #[inline(never)]
    pub(super) fn plan_copy(
        &mut self,
        clients: &mut [Clients],
        (id, call): (CallId, &mut Call),
        inherited: &Beside<SimTime>,
        ctx: &mut Ctx,
    ) {
        let now = ctx.now();
        let guards = &mut clients[self.clients as usize].guards[call.client as usize];
        let Some(delay) = guards.copy_after(now, call.phase.copies()) else { return };
        let at = now + delay;
        if at < self.end_of(id, call, inherited) {
            call.timer = Some(ctx.schedule(at, Class::Begin, Event::CallTimer { call: id }));
        }
    }
}

impl<L: Listen> Graph<L> {
    /// It is time for the next copy.
    pub(super) fn copy(&mut self, id: CallId, ctx: &mut Ctx) {
        let call = &mut self.calls[id];
        call.phase = call.phase.copied();
        let edge = &mut self.edges[call.edge as usize];
        ctx.witness(kind::COPY, call.tries, 0, edge.path, call.key.get(), 0);
        let mut grant = Grant::NONE;
        if edge.gates.has(Gates::REPEAT) {
            let guards = &mut self.clients[edge.clients as usize].guards[call.client as usize];
            match guards.may_repeat(ctx.now(), None) {
                Ok(given) => grant = given,
                Err(by) => {
                    edge.stats.denied(by, call.stretch != UNMEASURED);
                    self.listener.tell(|tracer| tracer.denied(id, call.edge.into(), by, ctx.now()));
                    return;
                }
            }
        }
        let key = call.key.child(u64::from(call.tries)).child(COPY + u64::from(call.phase.copies()));
        let mut marks = Marks::AWAITED;
        marks.add(Marks::IS_COPY);
        marks.add(Marks::HAS_SIBLINGS);
        self.send(id, |_| key, grant, marks, None, ctx);
    }

    /// An attempt of a call has failed: whether the others are waited for, or a copy takes its place at once.
    #[inline(never)]
    pub(super) fn goes_on(&mut self, id: CallId, outcome: Outcome, ctx: &mut Ctx) -> bool {
        let call = &mut self.calls[id];
        let planned = call.timer.take();
        if let Some(timer) = planned {
            ctx.cancel(timer);
        }
        let edge = &self.edges[call.edge as usize];
        if !self.clients[edge.clients as usize].guards[call.client as usize].goes_on(outcome) {
            while let Some(attempt) = self.calls[id].live {
                self.cut_off(self.attempts.id(attempt), Why::Overtaken, ctx);
            }
            return false;
        }
        if planned.is_some() {
            self.copy(id, ctx);
        }
        // What is left to do was done already, if the copy was refused or is answered by now.
        self.calls.get(id).is_none_or(|call| call.live.is_some() || !call.phase.is_trying())
    }

    /// An attempt answers its call: if it is a copy, that is counted.
    #[cold]
    pub(super) fn note_winner(&mut self, id: AttemptId) {
        let attempt = &self.attempts[id];
        if attempt.marks.has(Marks::IS_COPY) {
            let measured = self.calls[attempt.call].stretch != UNMEASURED;
            let clients = self.edges[attempt.edge as usize].clients;
            self.clients[clients as usize].watch.won_by_copy(measured);
        }
    }
}
