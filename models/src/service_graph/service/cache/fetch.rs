//! Requests at a service that keeps answers, on their way: one that waits is woken, one that is out in the background ends where nobody
//! is answered.

use super::look_up::{Came, Found, What};
use crate::carried::Carried;
use crate::policy::Outcome;
use crate::policy::guards::{Gates, Grant};
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use sim_core::{Class, SimTime};

/// The one thing that all are about who do not say any: more than there are keys.
const NO_KEY: u32 = u32::MAX;
/// A refresh has luck of its own.
const REFRESH: u64 = 1 << 36;

/// Which key a request is about.
fn key_of(carried: Carried) -> u32 {
    carried.key.unwrap_or(NO_KEY)
}

impl<L: Listen> Graph<L> {
    /// A request's own work is over at a service that keeps answers, if it does: what it finds.
    #[cold]
    pub(in crate::service_graph::service) fn looks_up(&mut self, id: AttemptId, now: SimTime) -> Found {
        let attempt = &self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        let key = key_of(self.carriage.of(id));
        let found = match &mut service.caches {
            // Whoever checks wants to know of all that is behind.
            Some(caches) if !attempt.is_check() => {
                if service.written.as_ref().is_some_and(|it| it.is_unwritten(attempt.replica, key)) {
                    caches.still_has(attempt.replica, key, attempt.key, now);
                }
                caches.look(id, attempt, key, now)
            }
            _ => return Found::Nothing,
        };
        self.listener.tell(|tracer| tracer.is_told(id, told(found)));
        found
    }

    /// A request that does not wait to be woken looks again, later.
    pub(in crate::service_graph::service) fn will_look_again(
        &mut self,
        id: AttemptId,
        at: SimTime,
        ctx: &mut Ctx,
    ) {
        ctx.schedule(at, Class::Begin, Event::Proceed { attempt: id });
    }

    /// A request goes on: if it has waited for another's answer it looks for that first, and may wait longer. Says whether it does not go on.
    #[cold]
    pub fn looks_again(&mut self, id: AttemptId, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        if service.limited.is_some() && self.is_stopped(id, ctx) {
            return true;
        }
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        let Some(caches) = &mut service.caches else { return false };
        if caches.errand_of(id).is_none_or(|errand| errand.what != What::LooksAgain) {
            return false;
        }
        match caches.looks_again(id, attempt.replica, now) {
            Found::Kept(outcome) => attempt.is_answered(outcome),
            Found::LooksAgain(wait) => {
                self.will_look_again(id, now + wait, ctx);
                return true;
            }
            Found::Nothing | Found::Stale { .. } | Found::Waits => {}
        }
        false
    }

    /// Calls of a request have failed: what it is answered with all the same.
    #[cold]
    pub(in crate::service_graph::service) fn outcome_of_failed(
        &mut self,
        id: AttemptId,
        now: SimTime,
    ) -> Outcome {
        let attempt = &self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        let makes_do = service.caches.as_mut().is_some_and(|it| it.makes_do(id, attempt.replica, now));
        if !makes_do {
            return Outcome::Error;
        }
        if self.attempts[id].outstanding > 0 {
            self.is_answered_without_the_rest(id);
        }
        Outcome::Ok
    }

    /// A request is over at such a service. Says whether nobody is to be answered, because somebody was.
    #[cold]
    pub(in crate::service_graph::service) fn comes_back(
        &mut self,
        id: AttemptId,
        outcome: Outcome,
        now: SimTime,
    ) -> bool {
        self.notes_version(id, outcome);
        let edge = &self.edges[self.attempts[id].edge as usize];
        // What something stood in for is not the answer.
        let stood_in = edge.degrades.is_some() && *self.degraded.of(id);
        let came = match stood_in {
            true => Came::StoodIn(outcome),
            false if outcome == Outcome::Ok && self.is_overtaken(id) => Came::Overtaken,
            false => Came::With(outcome),
        };
        self.ends_fetch(id, came, now) == What::Refreshes
    }

    /// The same of one that is called off: whoever waits for it is told that it failed.
    #[cold]
    pub(in crate::service_graph::service) fn fetch_is_called_off(&mut self, id: AttemptId, now: SimTime) {
        self.ends_fetch(id, Came::CalledOff, now);
    }

    fn ends_fetch(&mut self, id: AttemptId, came: Came, now: SimTime) -> What {
        let attempt = &self.attempts[id];
        let (replica, key, is_awaited) = (attempt.replica, attempt.key, attempt.is_awaited());
        let service = self.edges[attempt.edge as usize].callee as usize;
        let Some(caches) = &mut self.services[service].caches else { return What::Nothing };
        let (what, waited) = caches.comes_back(id, (replica, key), came, now);
        // What was done for one whom nobody waits for any more was not in vain if it is kept.
        if !is_awaited && matches!(what, What::Fetches | What::Refreshes) && came == Came::With(Outcome::Ok) {
            let below = self.attempts[id].below.take();
            self.fruits.empty(below);
            self.listener.tell(|tracer| tracer.is_for_others(id, "kept"));
        }
        let (outcome, stood_in) = match came {
            Came::With(outcome) => (outcome, false),
            Came::StoodIn(outcome) => (outcome, true),
            Came::CalledOff => (Outcome::Error, false),
            Came::Overtaken => (Outcome::Ok, false),
        };
        // The last is taken first.
        for waiter in waited.iter().rev().copied() {
            let waits =
                |caches: &super::Caches| caches.errand_of(waiter).is_some_and(|it| it.what == What::Waits);
            if !self.waits(waiter) || !self.services[service].caches.as_deref().is_some_and(waits) {
                continue;
            }
            if stood_in {
                self.degraded.put(waiter, true);
            }
            self.attempts[waiter].is_answered(outcome);
            self.ready.push(waiter);
        }
        if let Some(caches) = self.services[service].caches.as_mut().filter(|_| waited.capacity() > 0) {
            caches.give_back(replica, waited);
        }
        what
    }

    /// A replica has crashed that had this request in hand: whether nobody is to be told of it.
    #[cold]
    pub(in crate::service_graph::service) fn fetch_is_lost(&mut self, id: AttemptId, now: SimTime) -> bool {
        let service = self.edges[self.attempts[id].edge as usize].callee as usize;
        if self.services[service].is_passing_on(id) {
            self.passing_is_lost(id, now);
            return true;
        }
        let Some(caches) = &mut self.services[service].caches else { return false };
        let lost = caches.is_lost(id) == What::Refreshes;
        if lost {
            self.refresh_ends(id, Outcome::Reset, now);
        }
        lost
    }

    /// What goes on in the background is over.
    #[cold]
    pub(in crate::service_graph::service) fn refresh_ends(
        &mut self,
        id: AttemptId,
        outcome: Outcome,
        now: SimTime,
    ) {
        self.listener.tell(|tracer| tracer.background_ends(id, outcome, now));
        self.attempts[id].server = Server::Gone;
        self.let_go(id);
    }

    /// A request is answered with what is too old, and the next is fetched in the background: as another request, which holds the worker if
    /// that would wait for it.
    #[cold]
    pub(in crate::service_graph::service) fn refreshes(&mut self, id: AttemptId, now: SimTime) {
        let first = &self.attempts[id];
        let measured = first.marks.has(Marks::MEASURED);
        let mut again = first.clone();
        let unsaid = Marks::AWAITED.or(Marks::UNTIL_CALL_ENDS).or(Marks::HAS_SIBLINGS).or(Marks::IS_COPY);
        again.marks.lift(unsaid.or(Marks::EXPIRES).or(Marks::MEASURED));
        (again.key, again.since) = (first.key.child(REFRESH), now);
        (again.sibling, again.timer, again.permit, again.grant) = (None, None, None, Grant::NONE);
        (again.own, again.server) = (OwnWork::default(), Server::Waiting);
        let (service_id, replica_id) = (self.edges[again.edge as usize].callee, again.replica);
        let carried = self.carriage.of(id);
        let again = self.has_in_background(again, carried, now);
        self.listener.tell(|tracer| tracer.goes_on_in_background(again, id, (service_id, replica_id), now));
        let service = &mut self.services[service_id as usize];
        service.instances.iter_mut().for_each(|instances| instances.goes_on(replica_id));
        if let Some(caches) = &mut service.caches {
            caches.refreshes(again, (key_of(carried), replica_id), measured, now);
        }
    }

    /// A replica has one more request in hand, which nobody has sent and nobody waits for: it makes its calls before the event is over.
    #[cold]
    pub(in crate::service_graph::service) fn has_in_background(
        &mut self,
        request: Attempt,
        carried: Carried,
        now: SimTime,
    ) -> AttemptId {
        debug_assert!(request.below.is_none() && request.outstanding == 0);
        let edge = &self.edges[request.edge as usize];
        let (service, replica) = (edge.callee as usize, request.replica as usize);
        let (gates, degrades) = (edge.gates, edge.degrades.is_some());
        let (id, _) = self.attempts.insert(request);
        if gates.has(Gates::CONNECT) {
            self.held.put(id, None);
        }
        if gates.has(Gates::CARRIES) {
            self.carriage.goes_on(id, carried);
        }
        if degrades {
            self.degraded.put(id, false);
        }
        self.wanted_until.put(id, SimTime::MAX);
        let service = &mut self.services[service];
        service.replicas[replica].in_hand += 1;
        self.arrived_at.put(id, now);
        if service.mortal {
            self.attempt_standings.join(&mut service.replicas[replica].at_work, id);
        }
        service.note_level(replica as u32, now);
        self.ready.push(id);
        id
    }

    /// Whether what is done for a request is kept for others, whoever waits for it.
    #[cold]
    pub(in crate::service_graph::service) fn is_for_all(&self, id: AttemptId, edge: u16) -> bool {
        let service = &self.services[self.edges[edge as usize].callee as usize];
        let fetches = |what| matches!(what, What::Fetches | What::Refreshes);
        let errand = service.caches.as_ref().and_then(|it| it.errand_of(id));
        errand.is_some_and(|errand| fetches(errand.what)) || service.is_passing_on(id)
    }
}

impl Attempt {
    /// A request that waits need not make its calls: this is what it is answered with when it goes on.
    pub(in crate::service_graph::service) fn is_answered(&mut self, outcome: Outcome) {
        self.step = u16::MAX;
        self.marks.add(Marks::FAILED.when(outcome != Outcome::Ok));
    }
}

/// What is told of a look.
fn told(found: Found) -> &'static str {
    match found {
        Found::Kept(Outcome::Ok) => "hit",
        Found::Kept(_) => "negative hit",
        Found::Stale { .. } => "stale",
        Found::Waits | Found::LooksAgain(_) => "another fetches",
        Found::Nothing => "miss",
    }
}
