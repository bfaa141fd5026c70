//! What clients do in a cluster: they ask, wait, ask again and give up.

use super::clients::Next;
use super::kinds;
use super::machine::{Body, Ctx, Event, Letter, Machine};
use super::protocol::{Answer, Node, Op, Protocol, Request};
use super::tape::Cause;
use crate::trace::Outline;
use sim_core::{Class, Key, SimTime, Words};

impl<P: Protocol> Machine<'_, P> {
    /// A client comes.
    pub(super) fn comes(&mut self, session: u32, ctx: &mut Ctx) {
        self.come += 1;
        let key = Key::root(self.users, self.come);
        let mut words = self.asks.at(key);
        let clients = &self.spec.clients;
        let writes = words.unit() < clients.writes;
        let about = words.below(clients.keys.into()) as u32;
        let op = self.truth.history.asks(about, writes, ctx.now());
        let request = Request { op, key: about, writes, once: clients.idempotent };
        ctx.witness(kinds::ASKS, 1, 0, self.users, op.into(), about.into());
        if let Some(chooser) = &mut self.chooser {
            chooser.begins(0, op.into(), ctx.now());
        }
        if let Some(tape) = &mut self.tape {
            tape.begins(op, ctx.now());
        }
        let of = self.clients.begins(request, session, ctx.now());
        self.asks_of(op, of, ctx);
        if let Some(schedule) = &mut self.schedule
            && let Some(at) = schedule.next(&mut self.arrivals, Key::root(self.users, self.come))
        {
            let session = (self.come % u64::from(clients.sessions)) as u32;
            ctx.schedule_at(at.max(ctx.now()), Event::Comes { session });
        }
    }

    /// A client asks a node.
    pub(super) fn asks_of(&mut self, op: Op, of: Node, ctx: &mut Ctx) {
        let timeout = self.spec.clients.timeout;
        let Some(asking) = self.clients.of(op) else { return };
        asking.of = of;
        let (request, attempt) = (asking.request, asking.attempt);
        if let Some(timer) = asking.waits.take() {
            ctx.cancel(timer);
        }
        asking.waits = Some(ctx.schedule(ctx.now() + timeout, Class::Timeout, Event::Waited { op, attempt }));
        let (body, cause) = (Body::Request(request), Cause::Op(op));
        self.sends(Letter { from: None, to: Some(of), body, cause, mark: None }, ctx);
    }

    /// A client has waited long enough: it asks somebody, or gives up.
    pub(super) fn waited(&mut self, op: Op, attempt: u32, ctx: &mut Ctx) {
        let patience = self.spec.clients.patience;
        let Some(asking) = self.clients.of(op).filter(|asking| asking.attempt == attempt) else { return };
        asking.attempt += 1;
        asking.waits = None;
        if ctx.now().since(asking.asked) >= patience {
            return self.ends(op, None, ctx);
        }
        if let Some(of) = self.clients.asks_another(op) {
            self.asks_of(op, of, ctx);
        }
    }

    pub(super) fn hears(&mut self, op: Op, from: Node, answer: Answer, ctx: &mut Ctx) {
        match self.clients.hears(op, from, answer) {
            None => {}
            Some(Next::Over) => self.ends(op, Some((from, answer)), ctx),
            Some(Next::Ask(of)) => {
                self.clients.of(op).expect("it heard").attempt += 1;
                self.asks_of(op, of, ctx);
            }
            Some(Next::Wait(_)) => {
                let pause = self.spec.clients.pause;
                let asking = self.clients.of(op).expect("it heard");
                asking.attempt += 1;
                let attempt = asking.attempt;
                if let Some(timer) = asking.waits.take() {
                    ctx.cancel(timer);
                }
                asking.waits =
                    Some(ctx.schedule(ctx.now() + pause, Class::Timeout, Event::Waited { op, attempt }));
            }
        }
    }

    /// It is over for the client of an operation.
    pub(super) fn ends(&mut self, op: Op, answer: Option<(Node, Answer)>, ctx: &mut Ctx) {
        let Some(asking) = self.clients.is_over(op) else { return };
        if let Some(timer) = asking.waits {
            ctx.cancel(timer);
        }
        ctx.witness(
            kinds::ENDS,
            0,
            u16::from(answer.is_some()),
            self.users,
            op.into(),
            asking.attempt.into(),
        );
        self.truth.ends(op, answer, asking.asked, ctx.now());
        if let Some(chooser) = &mut self.chooser {
            let outcome = if answer.is_some() { "ok" } else { "timed out" };
            chooser.ended(outline(op, asking.asked, Some(ctx.now()), outcome, asking.session), ctx.now());
        }
        if let Some(tape) = &mut self.tape {
            tape.ends(op, ctx.now());
        }
        self.changed = true;
        if let crate::workload::Arrivals::ClosedLoop { think, .. } = &self.spec.clients.arrivals {
            let thinks = think.sample(&mut self.thinks.at(Key::root(self.users, op.into())));
            ctx.schedule_in(thinks, Event::Comes { session: asking.session });
        }
    }
}

/// An operation, to choose from.
pub fn outline(op: Op, from: SimTime, to: Option<SimTime>, outcome: &'static str, client: u32) -> Outline {
    Outline { edge: 0, call: op.into(), key: op.into(), from, to, outcome, client }
}
