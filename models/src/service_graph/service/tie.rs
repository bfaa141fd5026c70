//! Tied requests: copies that know of each other (Dean and Barroso, "The Tail at Scale", CACM 2013).
//!
//! Most of what a request waits for is the queue, and which queue is short is not known when it is sent. So it stands in
//! several, and whoever begins with it tells the others, which then forget it: the copies cost no work. Two that begin within the
//! time of that message are both worked on. A copy that is sent when another is begun with already finds the message there,
//! or is found by it: each replica knows of the others from the beginning, whatever was sent by then. (Where cores are shared, what is
//! done by now is taken to have begun as long ago as was done of it: its message may come a little late.)
//!
//! Whoever forgets a request answers nothing; if the one that was begun with is lost, its caller needs a timeout to find out.

use crate::network::{Fate, Parcel, Way};
use crate::policy::Outcome;
use crate::policy::guards::Gates;
use crate::service_graph::follow::Listen;
use crate::service_graph::slab::{Beside, Slab};
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use sim_core::{Class, SimTime};

/// What replicas tell each other has luck of its own on the way.
pub const BEGUN: u64 = 1 << 35;

impl Edge {
    /// A copy is sent: if another of its call is begun with by now, the message that says so is there or on its way.
    #[inline(never)]
    pub fn tie_late(
        &mut self,
        (copy, client, measured): (AttemptId, u32, bool),
        attempts: &mut Slab<Attempt>,
        crossed: &Beside<bool>,
        clients: &mut [Clients],
        ctx: &mut Ctx,
    ) {
        if !self.gates.has(Gates::TIES) {
            return;
        }
        let begun = |attempt: &Attempt| match attempt.server {
            Server::Working | Server::Waiting => true,
            Server::Replying(answer) => matches!(answer, Outcome::Ok | Outcome::Error),
            _ => false,
        };
        let key = attempts[copy].key.child(BEGUN);
        let mut first = SimTime::MAX;
        let mut next = attempts[copy].sibling;
        while let Some(link) = next {
            let other = &attempts[link];
            if begun(other) {
                first = first.min(other.since);
            }
            next = other.sibling;
        }
        if first == SimTime::MAX {
            return;
        }
        let fate = match self.link.send(first, key, Way::Out) {
            Fate::Struck => {
                let crosses = self.crossing.is_some() && *crossed.of(copy);
                let zones = self.crossing.as_ref().map(|it| it.stand(client, attempts[copy].replica));
                let client = Some(client);
                let parcel =
                    Parcel { key, way: Way::Out, client, bytes: 0, is_second: false, crosses, zones };
                self.link.send_struck(first, &parcel)
            }
            Fate::Apart(then) => {
                let message = Message::Begun(copy);
                Fate::At(self.arrives_apart(then, message, attempts[copy].key, *crossed.of(copy)))
            }
            fate => fate,
        };
        match fate {
            Fate::Apart(_) => unreachable!("it was looked up"),
            Fate::At(then) if then > ctx.now() => {
                ctx.schedule(then, Class::End, Event::Begun { attempt: copy });
            }
            Fate::At(_) | Fate::Now => {
                attempts[copy].marks.add(Marks::CALLED_OFF);
                clients[self.clients as usize].watch.left_untied(measured);
            }
            Fate::Held => self.link.hold(Message::Begun(copy)),
            Fate::Lost => {}
            Fate::Struck => unreachable!("asked as one that is"),
        }
    }
}

impl<L: Listen> Graph<L> {
    /// Work on a request has begun: its replica tells those that have another of its call.
    pub(super) fn untie(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &self.attempts[id];
        let edge = &self.edges[attempt.edge as usize];
        if !attempt.marks.has(Marks::HAS_SIBLINGS) || !attempt.is_awaited() || !edge.gates.has(Gates::TIES) {
            return;
        }
        let (edge, mut next) = (usize::from(attempt.edge), self.calls[attempt.call].live);
        while let Some(link) = next {
            let other = &self.attempts[link];
            let (key, is_sent) = (other.key.child(BEGUN), other.server != Server::Unsent);
            next = other.sibling;
            let other = self.attempts.id(link);
            if other != id && is_sent {
                let fate = self.edges[edge].link.send(ctx.now(), key, Way::Out);
                self.meet(fate, Message::Begun(other), ctx);
            }
        }
    }

    /// Another that a request is tied to was begun with: it leaves the queue, unless it is begun with as well.
    pub fn leaves_for_another(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let Some(attempt) = self.attempts.get(id) else { return };
        let edge = attempt.edge;
        let measured = attempt.is_awaited() && self.calls[attempt.call].stretch != UNMEASURED;
        if self.leaves_queue(id, ctx) {
            let clients = self.edges[edge as usize].clients;
            self.clients[clients as usize].watch.left_untied(measured);
        }
    }
}
