//! An attempt and the guards of its client: they are asked before it is sent, and told when it has ended.
//!
//! Most edges have a balancer to ask, and perhaps a breaker, which is closed. What these two do is a few steps and part of
//! the caller. As soon as there is more to it, all are asked and told in functions of their own, so that what there may be
//! costs nothing where it is not.

use crate::carried::Carried;
use crate::policy::guards::{Ask, Gate, Gates, Grant, Pass, Seen};
use crate::policy::retry_host::Tried;
use crate::policy::{Ending, Outcome};
use crate::service_graph::carriage::Carriage;
use crate::service_graph::service::callback::Callbacks;
use crate::service_graph::slab::Beside;
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use sim_core::{Key, SimTime};

impl Edge {
    /// Whether an attempt of a call may be sent, and where to.
    #[inline(always)]
    pub(super) fn may_send(
        &mut self,
        clients: &mut [Clients],
        beside: (&Beside<Tried>, &Carriage, &Callbacks),
        (id, call): (CallId, &mut Call),
        (key, grant): (Key, Grant),
        now: SimTime,
    ) -> Result<Pass, Ending> {
        if !self.gates.has(Gates::SEND) {
            return Ok(Pass::default());
        }
        if !self.gates.has(Gates::ASKS_ALL) {
            let guards = &mut clients[self.clients as usize].guards[call.client as usize];
            if let Some((replica, permit)) = guards.sends(key, &self.view, &mut self.pick) {
                return Ok(Pass { replica, permit, ..Pass::default() });
            }
        }
        self.ask_all(clients, beside, (id, call), (key, grant), now)
    }

    #[inline(never)]
    fn ask_all(
        &mut self,
        clients: &mut [Clients],
        beside: (&Beside<Tried>, &Carriage, &Callbacks),
        (id, call): (CallId, &mut Call),
        (key, grant): (Key, Grant),
        now: SimTime,
    ) -> Result<Pass, Ending> {
        if self.gates.has(Gates::FIXED) {
            return Ok(Pass { replica: call.client, ..Pass::default() });
        }
        let (tried, carriage, callbacks) = beside;
        let has_tried = self.gates.has(Gates::TRIED) && call.sent > 0;
        let clients = &mut clients[self.clients as usize];
        let client = call.client;
        let shares = self.gates.has(Gates::SHARES);
        if shares {
            clients.lend(client);
        }
        let ask = Ask {
            now,
            key,
            // Whoever has to look them up knows those of whom it has heard.
            view: clients.heard.get(client as usize).unwrap_or(&self.view),
            pick: &mut self.pick,
            tried: if has_tried { tried.of(id).all() } else { &[] },
            carried: if self.gates.has(Gates::CARRIES) { carriage.of_call(id) } else { Carried::default() },
            picks: self.policy.retry_host.picks(),
            gate: self.gate.as_mut(),
            admitted: call.permit.is_some(),
            first: call.sent == 0,
            grant,
            address: callbacks.address(call.parent),
        };
        let gate = clients.guards[client as usize].may_send(ask);
        if self.gates.has(Gates::STEPS) || matches!(gate, Gate::No(_)) {
            clients.note_untold(client, now);
            if matches!(gate, Gate::Go(Pass { around: true, .. })) {
                clients.watch.went_around(call.stretch != UNMEASURED);
            }
        }
        if shares {
            clients.lend(client);
        }
        let mut pass = match gate {
            Gate::Go(given) => given,
            Gate::No(end) => return Err(end),
            Gate::Line(_) | Gate::Turn(_) => unreachable!("who had to wait did so before the first try"),
        };
        clients.note_step(client, pass.step, now);
        if self.gates.has(Gates::PERMIT_PER_CALL) && pass.permit.is_some() {
            call.permit = pass.permit.take();
        }
        Ok(pass)
    }

    /// What the caller's policies and the statistics learn from the end of an attempt.
    #[inline(always)]
    pub(super) fn attempt_ended(
        &mut self,
        clients: &mut [Clients],
        ids: (CallId, AttemptId),
        (call, attempt): (&Call, &mut Attempt),
        times: (&Beside<SimTime>, &Beside<SimTime>),
        outcome: Outcome,
        now: SimTime,
    ) {
        self.stats.attempt_ended(outcome, call.stretch != UNMEASURED);
        if self.gates.has(Gates::LEARN) {
            if outcome == Outcome::Ok && !self.gates.has(Gates::TELLS_ALL) {
                let guards = &mut clients[self.clients as usize].guards[call.client as usize];
                if guards.succeeds(attempt.replica, &attempt.permit) {
                    return;
                }
            }
            self.tell_all(clients, ids, (call, attempt), times, outcome, now);
        }
    }

    #[inline(never)]
    fn tell_all(
        &mut self,
        clients: &mut [Clients],
        (call_id, id): (CallId, AttemptId),
        (call, attempt): (&Call, &mut Attempt),
        (sent_at, inherited): (&Beside<SimTime>, &Beside<SimTime>),
        outcome: Outcome,
        now: SimTime,
    ) {
        let overdue = outcome == Outcome::Cancelled && now >= self.end_of(call_id, call, inherited);
        let retried = self.retry.retries(0, outcome);
        let (replica, permit) = (attempt.replica, attempt.permit.take());
        let first = attempt.number == 1 && !attempt.marks.has(Marks::IS_COPY);
        let took = self.gates.has(Gates::TIMES).then(|| now.since(*sent_at.of(id)));
        let grant = attempt.grant;
        let seen = Seen { now, outcome, retried, overdue, replica, permit, took, first, grant };
        let clients = &mut clients[self.clients as usize];
        let shares = self.gates.has(Gates::SHARES);
        if shares {
            clients.lend(call.client);
        }
        let guards = &mut clients.guards[call.client as usize];
        let limit = took.and_then(|_| guards.limit());
        let step = guards.learn(seen);
        if shares {
            clients.lend(call.client);
        }
        if limit.is_some() {
            clients.watch.limit_moved(limit, &clients.guards[call.client as usize]);
        }
        clients.note_step(call.client, step, now);
        if self.gates.has(Gates::STEPS) {
            clients.note_untold(call.client, now);
        }
    }
}
