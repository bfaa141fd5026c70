//! A call that waits: [in line](super::line) or [for its turn](super::turn) before its first try, and here between a try that failed and the next.

use crate::policy::Ending;
use crate::policy::guards::Grant;
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use crate::service_graph::witness as kind;
use crate::trace::SpanKind;
use sim_core::{Class, SimDuration};

impl<L: Listen> Graph<L> {
    #[inline(always)]
    pub(super) fn back_off(&mut self, id: CallId, grant: Grant, told: Option<SimDuration>, ctx: &mut Ctx) {
        let call = self.calls.again(id);
        self.listener.tell(|tracer| tracer.pauses(SpanKind::BackOff, id, call.edge.into(), ctx.now()));
        let edge = &mut self.edges[call.edge as usize];
        let mut words = edge.jitter.at(call.key.child(u64::from(call.tries)));
        let delay = edge.retry.delay(u32::from(call.tries), call.previous_delay, &mut words);
        call.previous_delay = delay;
        let delay = told.map_or(delay, |told| edge.policy.retry_after.wait(delay, told, &mut words));
        let (next, end) = (ctx.now() + delay, edge.end_of(id, call, &self.inherited));
        let class = if next < end { Class::Begin } else { Class::Timeout };
        call.phase = Phase::backing_off(grant);
        call.timer = Some(ctx.schedule(next.min(end), class, Event::CallTimer { call: id }));
    }

    /// The timer of a call fired.
    pub fn call_timer(&mut self, id: CallId, ctx: &mut Ctx) {
        let call = &mut self.calls[id];
        call.timer = None;
        match call.phase {
            Phase::IN_LINE => self.waited_in_vain(id, ctx),
            Phase::IN_TURN => self.has_turn(id, ctx),
            phase => match phase.granted() {
                Some(grant) => self.resume(id, grant, ctx),
                None => self.copy(id, ctx),
            },
        }
    }

    /// A back-off is over.
    fn resume(&mut self, id: CallId, grant: Grant, ctx: &mut Ctx) {
        self.listener.tell(|tracer| tracer.pause_ends(id, ctx.now()));
        let call = self.calls.again(id);
        let edge = &mut self.edges[call.edge as usize];
        ctx.witness(kind::RESUME, call.tries, 0, edge.path, call.key.get(), 0);
        if ctx.now() >= edge.end_of(id, call, &self.inherited) {
            self.end_call(id, Ending::Deadline, ctx);
        } else {
            call.phase = Phase::TRYING;
            self.try_attempt(id, grant, ctx);
        }
    }
}

impl Edge {
    /// How long the refusal of a call's last try tells it to wait, if it does and the call heeds that.
    #[cold]
    pub(super) fn told_to_wait(&self, services: &mut [Service], call: &Call) -> Option<SimDuration> {
        let told = services[self.callee as usize].told.as_mut()?;
        Some(told.tell(call.key.child(u64::from(call.tries))))
    }
}
