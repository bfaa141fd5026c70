//! The callee's side: admission, queue, worker, calls, answer; and what a crash does to all of it.

use super::follow::{Arrival, Listen};
use super::roster;
use super::service::queue::discipline::Offer;
use super::state::*;
use super::witness as kind;
use crate::fault::CrashStyle;
use crate::policy::Outcome;
use sim_core::{Key, SimDuration, SimTime, Words};

impl<L: Listen> Graph<L> {
    /// A request reaches its replica.
    pub fn arrive(&mut self, id: AttemptId, service_id: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[service_id as usize];
        attempt.since = now;
        attempt.measured = now >= self.measured_from;
        service.stats.total.arrived += 1;
        if service.queue.shared {
            attempt.replica = service.free.first().or_else(|| service.up.first()).unwrap_or(0);
        }
        let replica_id = attempt.replica;
        let line = service.line_of(replica_id);
        let replica = &mut service.replicas[replica_id as usize];
        let at = (service_id, (!service.queue.shared).then_some(replica_id));
        if replica.down > 0 {
            let what = if replica.silent { Arrival::Down } else { Arrival::Refused };
            self.listener.tell(|tracer| tracer.arrives(id, at, what, now));
            if replica.silent {
                self.swallow(id)
            } else {
                self.answer(id, Outcome::Refused, ctx)
            }
            return;
        }
        if replica.state.black_hole {
            self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::BlackHole, now));
            return self.swallow(id);
        }
        if replica.busy.value() < u64::from(service.workers) {
            replica.in_hand += 1;
            service.stats.total.entered += 1;
            self.start_work(id, service_id, replica_id, SimDuration::ZERO, ctx);
        } else {
            if service.lines[line].enter(id, now) == Offer::Refused {
                self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Rejected, now));
                return self.answer(id, Outcome::Rejected, ctx);
            }
            service.stats.total.entered += 1;
            service.stats.total.queued += 1;
            replica.in_hand += u32::from(!service.queue.shared);
            attempt.server = Server::Queued;
            self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Queued, now));
        }
        self.die_if_overwhelmed(service_id, replica_id, ctx);
    }

    #[inline(always)]
    fn start_work(&mut self, id: AttemptId, service: u32, replica: u32, waited: SimDuration, ctx: &mut Ctx) {
        self.listener.tell(|tracer| tracer.work_begins(id, service, replica, ctx.now()));
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[service as usize];
        let now = ctx.now();
        service.stats.begun(waited);
        service.hold_worker(replica, now);
        let replica = &mut service.replicas[replica as usize];
        if service.mortal {
            self.attempt_standings.join(&mut replica.at_work, id);
        }
        let mut nanos = service.work.sample(&mut service.work_luck.at(attempt.key)) * replica.state.slow;
        if let Some(law) = &service.scaling {
            nanos *= law.stretch(replica.busy.value() as f64);
        }
        attempt.server = Server::Working;
        attempt.since = now;
        attempt.work_timer =
            Some(ctx.schedule_in(SimDuration::from_nanos_f64(nanos), Event::WorkDone { attempt: id }));
    }

    /// A request's own work is done.
    #[inline]
    pub fn work_done(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &mut self.attempts[id];
        attempt.work_timer = None;
        attempt.work = now.since(attempt.since);
        let (service_id, replica_id) = (self.edges[attempt.edge as usize].callee, attempt.replica);
        let service = &mut self.services[service_id as usize];
        let detail = u64::from(replica_id) << kind::REPLICA_SHIFT ^ attempt.work.as_nanos();
        ctx.witness(kind::WORK_DONE, attempt.number, 0, service.path, attempt.key.get(), detail);
        let share =
            1.0 - (1.0 - service.error_rate) * (1.0 - service.replicas[replica_id as usize].state.errors);
        let fails = share > 0.0 && service.error_luck.at(attempt.key).unit() < share;
        if fails || service.steps.is_empty() {
            return self.finish(id, if fails { Outcome::Error } else { Outcome::Ok }, ctx);
        }
        attempt.server = Server::Waiting;
        self.listener.tell(|tracer| tracer.waiting_begins(id, service_id, replica_id, now));
        if !service.blocking {
            service.release_worker(replica_id, attempt.since, now);
            self.serve_next(service_id, replica_id, ctx);
            // It may have taken one more from a shared queue while this one waits.
            if self.die_if_overwhelmed(service_id, replica_id, ctx) {
                return;
            }
        }
        self.advance(id, ctx);
    }

    /// Makes the next calls of a request, or answers it when none is left.
    pub fn advance(&mut self, id: AttemptId, ctx: &mut Ctx) {
        loop {
            let attempt = &mut self.attempts[id];
            debug_assert!(attempt.server == Server::Waiting && attempt.outstanding == 0);
            if attempt.failed {
                return self.finish(id, Outcome::Error, ctx);
            }
            let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
            let Some(step) = service.steps.get_mut(attempt.step as usize) else {
                return self.finish(id, Outcome::Ok, ctx);
            };
            let (client, key) = (attempt.replica, attempt.key);
            if step.parallel {
                attempt.step += 1;
                // Held up by one until all are out, so that an early end does not move the request on.
                attempt.outstanding = 1;
                self.call_in_parallel(id, ctx);
                let attempt = &mut self.attempts[id];
                attempt.outstanding -= 1;
                if attempt.outstanding > 0 {
                    return;
                }
                continue;
            }
            let site = &mut step.sites[0];
            let key = key.child(site.number);
            let skipped = attempt.repetition == 0 && !site.happens(key, attempt.workload);
            if skipped || attempt.repetition == site.times {
                attempt.step += 1;
                attempt.repetition = 0;
                continue;
            }
            let key = key.child(u64::from(attempt.repetition));
            attempt.repetition += 1;
            attempt.outstanding = 1;
            let parent = Parent::Request { attempt: id, optional: site.optional };
            let edge = site.edge;
            return self.begin_call(edge, client, parent, key, ctx);
        }
    }

    fn call_in_parallel(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &self.attempts[id];
        let (service, client, request, workload) = (
            self.edges[attempt.edge as usize].callee as usize,
            attempt.replica,
            attempt.key,
            attempt.workload,
        );
        let step = usize::from(attempt.step - 1);
        for index in 0..self.services[service].steps[step].sites.len() {
            let site = &mut self.services[service].steps[step].sites[index];
            let key = request.child(site.number);
            if !site.happens(key, workload) {
                continue;
            }
            let (edge, times, optional) = (site.edge, site.times, site.optional);
            for repetition in 0..times {
                self.attempts[id].outstanding += 1;
                let parent = Parent::Request { attempt: id, optional };
                self.begin_call(edge, client, parent, key.child(u64::from(repetition)), ctx);
            }
        }
    }

    /// The request is over at this replica: the worker is free and the answer goes out.
    #[inline(always)]
    fn finish(&mut self, id: AttemptId, outcome: Outcome, ctx: &mut Ctx) {
        self.listener.tell(|tracer| tracer.finished(id, outcome, ctx.now()));
        let attempt = &mut self.attempts[id];
        let (service_id, replica_id) = (self.edges[attempt.edge as usize].callee, attempt.replica);
        let service = &mut self.services[service_id as usize];
        service.stats.total.completed += 1;
        service.replicas[replica_id as usize].in_hand -= 1;
        if service.mortal {
            self.attempt_standings.leave(&mut service.replicas[replica_id as usize].at_work, id);
        }
        let holds_worker = attempt.server == Server::Working || service.blocking;
        attempt.server = Server::Replying;
        // The next in the queue before the answer: whoever is answered may send another request at once,
        // and must not overtake those who wait.
        if holds_worker {
            service.release_worker(replica_id, attempt.since, ctx.now());
            self.serve_next(service_id, replica_id, ctx);
        }
        self.answer(id, outcome, ctx);
    }

    #[inline]
    fn answer(&mut self, id: AttemptId, outcome: Outcome, ctx: &mut Ctx) {
        let attempt = &mut self.attempts[id];
        attempt.answer = outcome;
        attempt.server = Server::Replying;
        if self.edges[attempt.edge as usize].link.is_instant() {
            self.answered(id, ctx)
        } else {
            self.transmit(Message::Reply(id), ctx)
        }
    }

    /// Nothing will come back: the message or the request is lost.
    pub fn swallow(&mut self, id: AttemptId) {
        self.attempts[id].server = Server::Gone;
        self.listener.tell(|tracer| tracer.swallowed(id));
        self.account_work(id, false);
        if !self.attempts[id].awaited {
            self.attempts.remove(id);
        }
    }

    /// The fate of a request's work is known: useful if it was answered and everybody up to the user still
    /// waits for it.
    #[inline(always)]
    pub fn account_work(&mut self, id: AttemptId, answered: bool) {
        let attempt = &self.attempts[id];
        if attempt.work.is_zero() || !attempt.measured {
            return;
        }
        let useful = answered && attempt.answer != Outcome::Reset && self.is_awaited(id);
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        service.stats.work(attempt.work, useful);
    }

    /// Whether everybody from this attempt's caller up to the user still waits.
    #[inline(always)]
    fn is_awaited(&self, mut id: AttemptId) -> bool {
        loop {
            let attempt = &self.attempts[id];
            if !attempt.awaited {
                return false;
            }
            match self.calls[attempt.call].parent {
                Parent::Request { attempt: parent, .. } => id = parent,
                Parent::User | Parent::Loop { .. } => return true,
            }
        }
    }

    /// A worker is free: the next request in the queue.
    fn serve_next(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        loop {
            let service = &mut self.services[service_id as usize];
            let line = service.line_of(replica_id);
            let line = &mut service.lines[line];
            let Some(id) = line.take() else { return };
            let attempt = &mut self.attempts[id];
            let wait = line.left(attempt.since, now);
            attempt.replica = replica_id;
            let replica = &mut service.replicas[replica_id as usize];
            if service.queue.drop_expired && !attempt.awaited {
                replica.in_hand -= u32::from(!service.queue.shared);
                self.listener.tell(|tracer| tracer.lost_in_hand(id, "expired", now));
                self.swallow(id);
                continue;
            }
            replica.in_hand += u32::from(service.queue.shared);
            return self.start_work(id, service_id, replica_id, wait, ctx);
        }
    }

    /// A replica dies of its own load, if that is more than it survives.
    #[inline(always)]
    fn die_if_overwhelmed(&mut self, service: u32, replica: u32, ctx: &mut Ctx) -> bool {
        let state = &self.services[service as usize];
        let dies = state.fatal_in_hand.is_some_and(|fatal| state.replicas[replica as usize].in_hand >= fatal);
        if dies {
            self.die(service, replica, ctx);
        }
        dies
    }

    #[cold]
    fn die(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let state = &mut self.services[service as usize];
        state.stats.deaths += 1;
        let (style, restart_after) = (state.death_style, state.restart_after);
        ctx.schedule_in(restart_after, Event::Restart { service, replica });
        self.crash(service, replica, style, ctx);
    }

    /// Everything a replica has in hand is lost, and it is down until as many [`Graph::restart`]s.
    pub fn crash(&mut self, service_id: u32, replica_id: u32, style: CrashStyle, ctx: &mut Ctx) {
        let now = ctx.now();
        let service = &mut self.services[service_id as usize];
        let workers = u64::from(service.workers);
        let replica = &mut service.replicas[replica_id as usize];
        replica.down += 1;
        if replica.down > 1 {
            return;
        }
        replica.silent = style == CrashStyle::Silence;
        replica.in_hand = 0;
        let mut lost = std::mem::take(&mut replica.at_work);
        if !service.queue.shared {
            lost.extend(service.lines[replica_id as usize].clear());
        }
        service.stats.available(now, |available| available - workers);
        let lost = roster::dismiss(&mut lost);
        for &id in &lost {
            self.listener.tell(|tracer| tracer.lost_in_hand(id, "crashed", now));
            let attempt = &mut self.attempts[id];
            let service = &mut self.services[service_id as usize];
            if let Some(timer) = attempt.work_timer.take() {
                ctx.cancel(timer);
                attempt.work = now.since(attempt.since);
            }
            if attempt.server == Server::Queued {
                service.lines[replica_id as usize].left(attempt.since, now);
            } else if attempt.server == Server::Working || service.blocking {
                service.release_worker(replica_id, attempt.since, now);
            }
            attempt.server = Server::Gone;
        }
        self.services[service_id as usize].note_free(replica_id);
        self.forget_calls_of(service_id, replica_id, ctx);
        for id in lost {
            if style == CrashStyle::Reset {
                self.answer(id, Outcome::Reset, ctx);
            } else {
                self.swallow(id);
            }
        }
    }

    /// The calls that a crashed replica was making end, and its policies forget what they knew.
    fn forget_calls_of(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let service = &mut self.services[service_id as usize];
        let mut orphans = service.replicas[replica_id as usize].calling.clone();
        let edges = service.edges.clone();
        for call in roster::dismiss(&mut orphans) {
            self.cancel_call(call, ctx);
        }
        for edge in &mut self.edges[edges] {
            edge.reset_client(replica_id);
        }
    }

    /// One reason for being down has gone.
    pub fn restart(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let service = &mut self.services[service_id as usize];
        let workers = service.workers;
        let replica = &mut service.replicas[replica_id as usize];
        replica.down -= 1;
        if replica.down > 0 {
            return;
        }
        service.stats.available(ctx.now(), |available| available + u64::from(workers));
        service.note_free(replica_id);
        if service.queue.shared {
            for _ in 0..workers.min(service.lines[0].len() as u32) {
                self.serve_next(service_id, replica_id, ctx);
                if self.die_if_overwhelmed(service_id, replica_id, ctx) {
                    return;
                }
            }
        }
    }
}

impl Site {
    /// Whether this request makes this call at all.
    #[inline]
    fn happens(&mut self, key: Key, workload: u32) -> bool {
        (self.only_from.is_empty() || self.only_from.contains(&workload))
            && (self.probability >= 1.0 || self.luck.at(key).unit() < self.probability)
    }
}

impl Service {
    /// A worker of a replica is held from now on.
    #[inline]
    fn hold_worker(&mut self, replica: u32, now: SimTime) {
        self.replicas[replica as usize].busy.increment(now);
        if self.queue.shared {
            self.note_free(replica);
        }
    }

    /// The worker that was held since then is free.
    #[inline]
    fn release_worker(&mut self, replica: u32, since: SimTime, now: SimTime) {
        let state = &mut self.replicas[replica as usize];
        state.busy.decrement(now);
        state.held += u128::from(now.since(since).as_nanos());
        if self.queue.shared {
            self.note_free(replica);
        }
    }

    /// Whether a replica is up, or has a free worker, may have changed.
    fn note_free(&mut self, replica: u32) {
        if self.queue.shared {
            let state = &self.replicas[replica as usize];
            let up = state.down == 0;
            self.up.set(replica, up);
            self.free.set(replica, up && state.busy.value() < u64::from(self.workers));
        }
    }

    /// Requests in hand of all replicas, those in a shared queue included.
    pub fn in_hand(&self) -> u64 {
        let queued = if self.queue.shared { self.lines[0].len() as u64 } else { 0 };
        queued + self.replicas.iter().map(|replica| u64::from(replica.in_hand)).sum::<u64>()
    }
}
