//! How a request ends at its service: answered, or swallowed; and whether its work was for anybody.

use crate::policy::Outcome;
use crate::service_graph::follow::Listen;
use crate::service_graph::fruit::Basket;
use crate::service_graph::service::callback::Leg;
use crate::service_graph::state::*;
use sim_core::stats::count;
use sim_core::{Class, SimTime};

impl<L: Listen> Graph<L> {
    /// The request is over at this replica: the worker is free and the answer goes out.
    #[inline(always)]
    pub(super) fn finish(&mut self, id: AttemptId, outcome: Outcome, ctx: &mut Ctx) {
        self.ends_here(id, outcome, false, ctx)
    }

    /// It is answered well, and another goes on in its place: with its worker, if that waits for calls.
    #[cold]
    #[inline(never)]
    pub(super) fn finish_going_on(&mut self, id: AttemptId, ctx: &mut Ctx) {
        self.ends_here(id, Outcome::Ok, true, ctx)
    }

    #[inline(always)]
    fn ends_here(&mut self, id: AttemptId, outcome: Outcome, goes_on: bool, ctx: &mut Ctx) {
        let attempt = self.attempts.again(id);
        let edge = &self.edges[attempt.edge as usize];
        let (service_id, replica_id, instant) = (edge.callee, attempt.replica, edge.link.is_instant());
        let service = &mut self.services[service_id as usize];
        count(&mut service.stats.total.completed);
        service.replicas[replica_id as usize].in_hand -= 1;
        let works = attempt.server == Server::Working;
        if works {
            attempt.end_work(ctx.now(), Server::Replying(outcome));
        }
        attempt.server = Server::Replying(outcome);
        let (holds, since) = (works || service.blocking, attempt.since);
        if service.attended {
            if let Some(at) = service.goes_on_at(replica_id, ctx.now()).filter(|_| !works) {
                return self.is_held_back(id, at, ctx);
            }
            if service.is_passing_on(id) {
                return self.has_passed_on(id, outcome, ctx);
            }
            let lists = (&mut self.attempt_standings, &self.arrived_at);
            if service.note_end((id, attempt), outcome, lists, ctx.now()) {
                self.admitted.push_back(Admitted::IsDone { service: service_id, replica: replica_id });
            }
            if let Some(weights) = &mut service.weights {
                weights.done(replica_id, self.carriage.of(id).bytes);
            }
            if service.caches.is_some() && self.comes_back(id, outcome, ctx.now()) {
                return self.ends_in_background(id, (service_id, replica_id), holds, ctx);
            }
            let (service, attempt) = (&mut self.services[service_id as usize], &self.attempts[id]);
            if let Some(times) = service.times.as_mut().filter(|_| !attempt.is_check()) {
                times.took(ctx.now().since(*self.arrived_at.of(id)));
            }
            if let Some(Leg::Asks(_)) = self.edges[attempt.edge as usize].callback
                && outcome == Outcome::Ok
                && !(service.deeds.is_some() && self.book.is_told_again(id))
            {
                self.callbacks.accepts((id, attempt), service_id, ctx);
            }
        }
        self.listener.tell(|tracer| tracer.finished(id, outcome, ctx.now()));
        // The next in the queue before the answer: whoever is answered may send another request at once,
        // and must not overtake those who wait.
        if goes_on && self.services[service_id as usize].blocking {
            self.services[service_id as usize].note_held(replica_id, since, ctx.now());
        } else if holds {
            self.free_worker(service_id, replica_id, since, ctx);
        }
        if instant { self.answered(id, ctx) } else { self.transmit_answer(id, ctx) }
    }

    /// A replica that stands still answers nobody before it goes on.
    #[cold]
    fn is_held_back(&mut self, id: AttemptId, until: SimTime, ctx: &mut Ctx) {
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        attempt.server = Server::Waiting;
        service.stats.total.completed -= 1;
        service.replicas[attempt.replica as usize].in_hand += 1;
        ctx.schedule(until, Class::End, Event::Proceed { attempt: id });
    }

    /// One that went on when it had been answered is over: nobody is told, and it is not counted again.
    #[cold]
    fn ends_in_background(&mut self, id: AttemptId, at: (u32, u32), holds: bool, ctx: &mut Ctx) {
        let Attempt { since, server, .. } = self.attempts[id];
        self.services[at.0 as usize].stats.total.completed -= 1;
        let Server::Replying(outcome) = server else { unreachable!("it is over") };
        self.listener.tell(|tracer| tracer.finished(id, outcome, ctx.now()));
        if holds {
            self.free_worker(at.0, at.1, since, ctx);
        }
        self.refresh_ends(id, outcome, ctx.now());
    }

    #[inline]
    pub fn answer(&mut self, id: AttemptId, outcome: Outcome, ctx: &mut Ctx) {
        let attempt = &mut self.attempts[id];
        attempt.server = Server::Replying(outcome);
        if self.edges[attempt.edge as usize].link.is_instant() {
            self.answered(id, ctx)
        } else {
            self.transmit_answer(id, ctx)
        }
    }

    /// Nothing will come back: the message or the request is lost.
    pub fn swallow(&mut self, id: AttemptId) {
        self.attempts[id].server = Server::Gone;
        self.listener.tell(|tracer| tracer.swallowed(id));
        if self.connects(self.attempts[id].edge) {
            self.hears_nothing(id);
        }
        self.account_work(id, false);
        self.let_go(id);
    }

    /// The fate of a request's work is known: useful if it was answered and everybody up to the user still
    /// waits for it. What comes of it shows later: a good answer takes the work along, up to the user.
    #[inline(always)]
    pub fn account_work(&mut self, id: AttemptId, answered: bool) -> (&Attempt, bool) {
        let attempt = &self.attempts[id];
        let work = attempt.work();
        let mut useful = !work.is_zero() && attempt.marks.has(Marks::MEASURED);
        if useful {
            useful = answered && attempt.answer() != Outcome::Reset && self.is_for_somebody(attempt);
            let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
            service.stats.work(work, useful);
            if useful && attempt.answer() != Outcome::Ok {
                service.stats.work_in_vain += u128::from(work.as_nanos());
            }
        }
        (attempt, useful)
    }

    /// What came back for requests that are there to the end, though nobody waits for them, was in vain as well.
    pub fn spoil_the_rest(&mut self) {
        let rest = self.attempts.iter().filter(|(_, attempt)| !self.is_for_somebody(attempt));
        let rest: Vec<Basket> = rest.filter_map(|(_, attempt)| attempt.below).collect();
        rest.into_iter().for_each(|basket| self.count_spoilt(basket));
    }

    /// Whether on the way to whoever waits no more, or has failed, somebody keeps what comes, for others.
    #[inline(never)]
    fn is_for_whoever_asks<'a>(&'a self, mut attempt: &'a Attempt) -> bool {
        while attempt.is_awaited() {
            let Parent::Request { attempt: parent, .. } = self.calls[attempt.call].parent else {
                return false;
            };
            attempt = &self.attempts[parent];
            if attempt.server != Server::Waiting {
                return false;
            }
            if self.is_for_all(parent, attempt.edge) {
                return true;
            }
        }
        false
    }

    /// Whether everybody from this attempt's caller up to the user still waits.
    #[inline(always)]
    fn is_for_somebody<'a>(&'a self, first: &'a Attempt) -> bool {
        let mut attempt = first;
        loop {
            if !attempt.is_awaited() {
                return self.keeps && self.is_for_whoever_asks(first);
            }
            match self.calls[attempt.call].parent {
                Parent::Request { attempt: parent, .. } => {
                    attempt = &self.attempts[parent];
                    // It may have failed already, by another of its calls.
                    if attempt.server != Server::Waiting {
                        return self.keeps && self.is_for_whoever_asks(first);
                    }
                }
                Parent::User | Parent::Loop { .. } | Parent::Visit { .. } | Parent::Check { .. } => {
                    return true;
                }
                Parent::Aside { wanted, .. } => return wanted,
                Parent::Callback { .. } => return true,
            }
        }
    }
}
