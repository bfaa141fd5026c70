//! A call that waits for its turn: it was told at once when that comes, and has used it whatever becomes of it until then.

use crate::policy::Ending;
use crate::policy::guards::{Gate, Wait};
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use crate::service_graph::witness as kind;
use crate::trace::SpanKind;
use sim_core::{Class, SimDuration};

impl<L: Listen> Graph<L> {
    /// A call waits so long, or until its deadline.
    #[inline(never)]
    pub(super) fn wait_for_turn(&mut self, id: CallId, wait: SimDuration, ctx: &mut Ctx) {
        if self.calls.most() > self.max_in_flight {
            self.too_many_in_flight(ctx);
        }
        let call = &mut self.calls[id];
        call.phase = Phase::IN_TURN;
        self.listener.tell(|tracer| tracer.pauses(SpanKind::Line, id, call.edge.into(), ctx.now()));
        let edge = &mut self.edges[call.edge as usize];
        self.clients[edge.clients as usize].watch.joined(Wait::Turn);
        let (turn, end) = (ctx.now() + wait, edge.end_of(id, call, &self.inherited));
        let class = if turn < end { Class::Begin } else { Class::Timeout };
        call.timer = Some(ctx.schedule(turn.min(end), class, Event::CallTimer { call: id }));
    }

    /// Its turn has come, unless its deadline came first.
    #[inline(never)]
    pub(super) fn has_turn(&mut self, id: CallId, ctx: &mut Ctx) {
        let now = ctx.now();
        let call = &mut self.calls[id];
        let edge = &mut self.edges[call.edge as usize];
        ctx.witness(kind::HAS_TURN, call.tries, 0, edge.path, call.key.get(), 0);
        if now >= edge.end_of(id, call, &self.inherited) {
            return self.end_call(id, Ending::Deadline, ctx);
        }
        self.listener.tell(|tracer| tracer.pause_ends(id, now));
        let clients = &mut self.clients[edge.clients as usize];
        let gate = clients.guards[call.client as usize].may_enter(now);
        // One that is turned away now leaves as it waited.
        if !matches!(gate, Gate::No(_)) {
            call.phase = Phase::TRYING;
            clients.watch.left(Wait::Turn, now.since(call.started), true, call.stretch != UNMEASURED);
        }
        self.goes_through(gate, id, ctx)
    }
}
