//! Messages over a link with which something is wrong, and what becomes of those that come twice.
//!
//! A request that comes twice is two requests to whoever gets it, and both are worked on, unless a key tells that they are one
//! ([`idempotency`](crate::service_graph::service::idempotency)). Its caller sent one, counts one, and takes the answer to the one that came first; nobody waits for what is
//! done for the second, so all of that is wasted, and a queue that passes over what nobody waits for passes over it. Of anything
//! else that comes twice the second says nothing new.

use super::cancel::CANCELLATION;
use crate::network::{Fate, Parcel, Way};
use crate::policy::guards::{Gates, Grant};
use crate::service_graph::follow::Listen;
use crate::service_graph::service::tie::BEGUN;
use crate::service_graph::state::*;
use sim_core::SimTime;

impl<L: Listen> Graph<L> {
    /// What becomes of a message over a link with which something is wrong.
    #[cold]
    #[inline(never)]
    pub(super) fn meets_what_is_wrong(&mut self, message: Message, ctx: &mut Ctx) {
        let (parcel, edge) = self.parcel(message);
        let link = &mut self.edges[edge as usize].link;
        let first = link.send_struck(ctx.now(), &parcel);
        if !link.comes_twice(&parcel) {
            return self.meet(first, message, ctx);
        }
        let second = link.send_struck(ctx.now(), &parcel.again());
        let (first, second) = (first.min(second), first.max(second));
        match message {
            Message::Request(id) if second != Fate::Lost && !self.attempts[id].is_check() => {
                self.edges[edge as usize].link.note_twice();
                let again = self.once_more(id, ctx.now());
                self.meet(first, message, ctx);
                self.meet(second, Message::Request(again), ctx);
            }
            _ => self.meet(first, message, ctx),
        }
    }

    /// What a link must know of a message, and the edge that it is sent over.
    fn parcel(&self, message: Message) -> (Parcel, u16) {
        let (Message::Request(id) | Message::Reply(id) | Message::Cancel(id) | Message::Begun(id)) = message;
        let attempt = &self.attempts[id];
        let (key, way) = match message {
            Message::Request(_) => (attempt.key, Way::Out),
            Message::Reply(_) => (attempt.key, Way::Back),
            Message::Cancel(_) => (attempt.key.child(CANCELLATION), Way::Out),
            Message::Begun(_) => (attempt.key.child(BEGUN), Way::Out),
        };
        let weighs = matches!(message, Message::Request(_) | Message::Reply(_));
        let bytes = if weighs { self.carriage.of(id).bytes } else { 0 };
        // Of one that nobody waits for it is not known any more who did.
        let client = attempt.is_awaited().then(|| self.calls[attempt.call].client);
        let crossing = &self.edges[attempt.edge as usize].crossing;
        let crosses = crossing.is_some() && *self.crossed.of(id);
        let stand = crossing.as_ref().zip(client).map(|(it, client)| it.stand(client, attempt.replica));
        let zones =
            stand.map(|(caller, callee)| if way == Way::Out { (caller, callee) } else { (callee, caller) });
        (Parcel { key, way, client, bytes, is_second: false, crosses, zones }, attempt.edge)
    }

    /// The second request of one that comes twice. Nobody waits for it.
    fn once_more(&mut self, id: AttemptId, now: SimTime) -> AttemptId {
        let mut again = self.attempts[id].clone();
        let call = self.calls.id(again.call);
        again.key = self.parcel(Message::Request(id)).0.again().key;
        again.marks.lift(Marks::AWAITED.or(Marks::UNTIL_CALL_ENDS));
        again.marks.lift(Marks::HAS_SIBLINGS.or(Marks::IS_COPY));
        (again.sibling, again.timer, again.permit, again.grant) = (None, None, None, Grant::NONE);
        debug_assert!(again.below.is_none() && again.outstanding == 0);
        let edge = &self.edges[again.edge as usize];
        let (gates, tells, degrades, counts) = (edge.gates, edge.tells, edge.degrades.is_some(), edge.counts);
        let (is_apart, calls_back) = (edge.crossing.is_some(), edge.callback.is_some());
        let (number, try_number) = (u32::from(again.edge), again.number);
        let (again, _) = self.attempts.insert(again);
        self.listener.tell(|tracer| tracer.comes_twice(again, id, number, try_number, now));
        if gates.has(Gates::CONNECT) {
            self.held.put(again, None);
        }
        // What is kept of the first is kept of the second.
        if calls_back {
            self.callbacks.comes_twice(id, again);
        }
        if is_apart {
            let crosses = *self.crossed.of(id);
            self.crossed.put(again, crosses);
        }
        if tells || gates.has(Gates::KEEPS_OF_ATTEMPT) {
            if gates.has(Gates::CARRIES) {
                self.carriage.sent(call, again);
                if let Some(reads) = &mut self.services[edge.callee as usize].reads {
                    reads.comes(again, self.carriage.of(again).flags);
                }
            }
            let until = *self.wanted_until.of(id);
            self.wanted_until.put(again, until);
            if degrades {
                self.degraded.put(again, false);
            }
            if counts {
                self.book.sent(call, again, false, false);
            }
        }
        again
    }
}
