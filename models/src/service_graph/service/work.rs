//! A worker takes a request, does its work, and takes the next.

use super::Rule;
use super::cache::Found;
use super::callback::Leg;
use super::queue::offer::{Known, Offer, Turn, Unseen};
use crate::fault::Upon;
use crate::policy::Outcome;
use crate::service_graph::carriage::Carriage;
use crate::service_graph::control::check::Asks;
use crate::service_graph::follow::{Arrival, Listen, Tracer};
use crate::service_graph::roster::Standings;
use crate::service_graph::state::*;
use crate::service_graph::witness as kind;
use sim_core::stats::count;
use sim_core::{Class, SimDuration, SimTime, Words};

impl<L: Listen> Graph<L> {
    /// A request reaches its replica.
    #[inline(always)]
    pub fn arrive(&mut self, id: AttemptId, service_id: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let mut attempt = self.attempts.again(id);
        let mut service = &mut self.services[service_id as usize];
        attempt.since = now;
        attempt.marks.add(Marks::MEASURED.when(now >= self.measured_from));
        count(&mut service.stats.total.arrived);
        if attempt.marks.has(Marks::CALLED_OFF.or(Marks::EXPIRES)) {
            if self.is_over_as_it_comes(id, service_id, ctx) {
                return;
            }
            attempt = self.attempts.again(id);
            service = &mut self.services[service_id as usize];
        }
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
                if service.attended {
                    service.note_refused(attempt);
                }
                self.answer(id, Outcome::Refused, ctx)
            }
            return;
        }
        if replica.state.black_hole != Upon::Nobody && replica.loses(|| attempt.asked(self.carriage.of(id))) {
            self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::BlackHole, now));
            return self.swallow(id);
        }
        if replica.busy.value() < u64::from(service.unasked) {
            replica.in_hand += 1;
            count(&mut service.stats.total.entered);
            service.hold_worker(replica_id, now);
            self.listener.tell(|tracer| tracer.work_begins(id, service_id, replica_id, now));
            service.start_work(
                replica_id,
                (id, attempt),
                (&mut self.attempt_standings, &self.carriage),
                SimDuration::ZERO,
                ctx,
            );
            self.listener.tell(|tracer| service.tell_start(id, tracer));
            if service.at_begin {
                self.is_begun(id, service_id, ctx);
            }
        } else {
            let ticket = match service.lines[line].enter_unseen(id, now) {
                Unseen::Waits(ticket) => ticket,
                Unseen::Refused => {
                    self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Rejected, now));
                    if service.attended {
                        service.note_refused(attempt);
                    }
                    return self.answer(id, Outcome::Rejected, ctx);
                }
                Unseen::LooksAtMore => return self.joins_in_order(id, at, line, ctx),
            };
            count(&mut service.stats.total.entered);
            count(&mut service.stats.total.queued);
            replica.in_hand += u32::from(!service.queue.shared);
            attempt.wait(ticket);
            self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Queued, now));
        }
        let service = &mut self.services[service_id as usize];
        if service.attended {
            let attempt = &self.attempts[id];
            let begun = attempt.server != Server::Queued;
            service.note_arrival((id, attempt), begun, &mut self.arrived_at, now);
            self.die_if_overwhelmed(service_id, replica_id, ctx);
        }
    }

    /// Nobody waits for a request when it comes, or it wants nothing of a worker.
    #[inline(never)]
    fn is_over_as_it_comes(&mut self, id: AttemptId, service: u32, ctx: &mut Ctx) -> bool {
        let attempt = &mut self.attempts[id];
        if attempt.is_check() {
            // Nor is it counted among those of users.
            attempt.marks.lift(Marks::CALLED_OFF.or(Marks::MEASURED));
            return self.is_checked(id, service, ctx);
        }
        let (now, marks) = (ctx.now(), attempt.marks);
        let why = match () {
            () if marks.has(Marks::CALLED_OFF) => "called off",
            () if marks.has(Marks::EXPIRES) && now > *self.wanted_until.of(id) => "expired",
            () => return false,
        };
        self.listener.tell(|tracer| tracer.lost_in_hand(id, why, now));
        self.swallow(id);
        true
    }

    /// One that waits gives its place up.
    #[cold]
    fn give_way(&mut self, gone: AttemptId, service_id: u32, line: usize, now: SimTime) {
        let attempt = &mut self.attempts[gone];
        self.services[service_id as usize].lines[line].gave_way(attempt.since, now);
        attempt.leave_queue();
        self.turn_away(gone, service_id, "gave its place up", now);
    }

    /// Whoever comes to this service is looked at first: turned away, or begun with at once if a worker is free, in which cases it is dealt with.
    #[cold]
    fn is_dealt_with_at_the_door(
        &mut self,
        id: AttemptId,
        at: (u32, Option<u32>),
        line_number: usize,
        ctx: &mut Ctx,
    ) -> bool {
        let (now, service_id) = (ctx.now(), at.0);
        let (service, attempt) = (&mut self.services[service_id as usize], &mut self.attempts[id]);
        let (replica_id, carried) = (attempt.replica, self.carriage.of(id));
        if !service.understands(attempt, carried.speaks) {
            self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::NotUnderstood, now));
            service.note_refused(attempt);
            self.answer(id, Outcome::Error, ctx);
            return true;
        }
        if let Some(door) = service.door.as_mut().filter(|_| !attempt.is_check())
            && !door.admits(attempt.key, carried.user, attempt.marks.has(Marks::MEASURED))
        {
            self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Rejected, now));
            service.note_refused(attempt);
            self.answer(id, Outcome::Rejected, ctx);
            return true;
        }
        let line = &mut service.lines[line_number];
        let waiting = line.len();
        let of_all = if service.queue.shared { waiting as u32 } else { 0 };
        let replica = &mut service.replicas[replica_id as usize];
        let is_free = replica.busy.value() < u64::from(service.workers);
        let mut rule = line.rule();
        if !rule.as_mut().is_none_or(|rule| rule.admits(carried, replica.in_hand + of_all, waiting, now)) {
            service.stats.total.turned_away += 1;
            if let Some(shedding) = &mut service.shedding {
                shedding.refused(carried.priority, attempt.marks.has(Marks::MEASURED));
            }
            self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Rejected, now));
            service.note_refused(attempt);
            self.answer(id, Outcome::Rejected, ctx);
            return true;
        }
        if !is_free {
            return self.is_too_much(id, at, line_number, ctx);
        }
        rule.into_iter().for_each(Rule::begun_at_once);
        if let Some(weights) = &mut service.weights {
            weights.taken(replica_id, carried.bytes);
        }
        replica.in_hand += 1;
        count(&mut service.stats.total.entered);
        service.hold_worker(replica_id, now);
        self.listener.tell(|tracer| tracer.work_begins(id, service_id, replica_id, now));
        let beside = (&mut self.attempt_standings, &self.carriage);
        service.start_work(replica_id, (id, attempt), beside, SimDuration::ZERO, ctx);
        self.listener.tell(|tracer| service.tell_start(id, tracer));
        if service.at_begin {
            self.is_begun(id, service_id, ctx);
        }
        let service = &mut self.services[service_id as usize];
        service.note_arrival((id, &self.attempts[id]), true, &mut self.arrived_at, now);
        self.die_if_overwhelmed(service_id, replica_id, ctx);
        true
    }

    /// A request comes to a service that looks at more than whether a worker is free, and who came first: it may be begun with, have a place, or that of
    /// another.
    #[inline(never)]
    fn joins_in_order(&mut self, id: AttemptId, at: (u32, Option<u32>), line: usize, ctx: &mut Ctx) {
        let (now, service_id) = (ctx.now(), at.0);
        let service = &mut self.services[service_id as usize];
        if service.unasked < service.workers && self.is_dealt_with_at_the_door(id, at, line, ctx) {
            return;
        }
        let service = &mut self.services[service_id as usize];
        let until = if service.queue.looks_ahead { *self.wanted_until.of(id) } else { SimTime::MAX };
        let known = Known { since: now, until, carried: self.carriage.of(id) };
        let offer = service.lines[line].enter(id, now, known);
        let (ticket, grows) = match offer {
            Offer::Waits(ticket) => (ticket, true),
            Offer::Instead(ticket, gone) => {
                service.note_arrival((id, &self.attempts[id]), false, &mut self.arrived_at, now);
                self.give_way(gone, service_id, line, now);
                (ticket, false)
            }
            Offer::Refused => {
                self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Rejected, now));
                service.note_refused(&self.attempts[id]);
                return self.answer(id, Outcome::Rejected, ctx);
            }
        };
        let (service, attempt) = (&mut self.services[service_id as usize], &mut self.attempts[id]);
        let replica_id = attempt.replica;
        count(&mut service.stats.total.entered);
        count(&mut service.stats.total.queued);
        service.replicas[replica_id as usize].in_hand += u32::from(!service.queue.shared);
        if let Some(weights) = &mut service.weights {
            weights.waits(line, known.carried.bytes, attempt.marks.has(Marks::MEASURED));
            if !service.queue.shared {
                weights.taken(replica_id, known.carried.bytes);
            }
        }
        attempt.wait(ticket);
        self.listener.tell(|tracer| tracer.arrives(id, at, Arrival::Queued, now));
        if grows {
            service.note_arrival((id, attempt), false, &mut self.arrived_at, now);
        } else {
            service.note_level(replica_id, now);
        }
        self.die_if_overwhelmed(service_id, replica_id, ctx);
    }

    /// A request's own work is done.
    #[inline(always)]
    pub fn work_done(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &mut self.attempts[id];
        let (service_id, replica_id) = (self.edges[attempt.edge as usize].callee, attempt.replica);
        let service = &mut self.services[service_id as usize];
        let took = now.since(attempt.since);
        let detail = u64::from(replica_id) << kind::REPLICA_SHIFT ^ took.as_nanos();
        ctx.witness(kind::WORK_DONE, attempt.number, 0, service.path, attempt.key.get(), detail);
        let share = service.replicas[replica_id as usize].fails;
        let fails = share > 0.0 && {
            let drawn = service.error_luck.at(attempt.key).unit();
            drawn < share && service.fails_for(replica_id, drawn, || attempt.asked(self.carriage.of(id)))
        };
        let (notes, is_over) = (service.notes, fails || service.steps.is_empty());
        if notes {
            return self.noted_work_done(id, fails, is_over, ctx);
        }
        if is_over {
            return self.finish(id, if fails { Outcome::Error } else { Outcome::Ok }, ctx);
        }
        if self.waits_from_here((service_id, replica_id), id, ctx) {
            self.advance(id, ctx);
        }
    }

    /// A request's own work is over and it waits: says whether it still does when its worker has gone on.
    #[inline(always)]
    fn waits_from_here(
        &mut self,
        (service_id, replica_id): (u32, u32),
        id: AttemptId,
        ctx: &mut Ctx,
    ) -> bool {
        let now = ctx.now();
        let (service, attempt) = (&self.services[service_id as usize], self.attempts.again(id));
        attempt.end_work(now, Server::Waiting);
        self.listener.tell(|tracer| tracer.waiting_begins(id, service_id, replica_id, now));
        if !service.blocking {
            let since = attempt.since;
            self.free_worker(service_id, replica_id, since, ctx);
            // It may have taken one more from a shared queue while this one waits.
            return !self.die_if_overwhelmed(service_id, replica_id, ctx);
        }
        true
    }

    /// The same at a service that has something to note then, or keeps answers.
    #[cold]
    #[inline(never)]
    fn noted_work_done(&mut self, id: AttemptId, mut fails: bool, mut is_over: bool, ctx: &mut Ctx) {
        if !fails {
            let attempt = &self.attempts[id];
            let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
            fails = service.fails_for_flags(id, attempt);
            is_over |= fails;
        }
        let answer = self.note_done(id, fails, ctx);
        if !fails && answer.is_none_or(|answer| answer == Outcome::Ok) {
            self.is_recorded(id, answer.is_some());
        }
        if let Some(answer) = answer {
            return self.finish(id, answer, ctx);
        }
        if fails {
            return self.finish(id, Outcome::Error, ctx);
        }
        if self.is_purge(id) {
            return self.finish(id, Outcome::Ok, ctx);
        }
        let found =
            if self.is_write(id) { self.may_write_behind(id, ctx) } else { self.looks_up(id, ctx.now()) };
        match found {
            Found::Kept(answer) => return self.finish(id, answer, ctx),
            Found::Stale { refreshes: true } => {
                self.refreshes(id, ctx.now());
                return self.finish_going_on(id, ctx);
            }
            Found::Stale { refreshes: false } => return self.finish(id, Outcome::Ok, ctx),
            Found::Nothing if is_over => return self.finish(id, Outcome::Ok, ctx),
            Found::Nothing | Found::Waits | Found::LooksAgain(_) => {}
        }
        let attempt = &self.attempts[id];
        let at = (self.edges[attempt.edge as usize].callee, attempt.replica);
        if !self.waits_from_here(at, id, ctx) {
            return;
        }
        match found {
            // Another wakes it.
            Found::Waits => {}
            Found::LooksAgain(wait) => self.will_look_again(id, ctx.now() + wait, ctx),
            _ => self.advance(id, ctx),
        }
    }

    /// A request's own work is over at a service that has something to note then: as what it ends at once, if it does.
    #[cold]
    fn note_done(&mut self, id: AttemptId, fails: bool, ctx: &mut Ctx) -> Option<Outcome> {
        let edge = &self.edges[self.attempts[id].edge as usize];
        if let Some(Leg::CallsBack) = edge.callback {
            return Some(self.finds(id, fails, ctx));
        }
        self.services[edge.callee as usize]
            .deeds
            .is_some()
            .then(|| self.note_deed(id, fails, ctx.now()))
            .flatten()
    }

    /// The worker that was held since then is free: the next request in the queue takes it over.
    #[inline(always)]
    pub(super) fn free_worker(&mut self, service_id: u32, replica_id: u32, since: SimTime, ctx: &mut Ctx) {
        let now = ctx.now();
        match self.next_in_line(service_id, replica_id, now) {
            Some((id, waited)) => {
                let service = &mut self.services[service_id as usize];
                service.note_held(replica_id, since, now);
                self.listener.tell(|tracer| tracer.work_begins(id, service_id, replica_id, now));
                let attempt = self.attempts.again(id);
                let beside = (&mut self.attempt_standings, &self.carriage);
                service.start_work(replica_id, (id, attempt), beside, waited, ctx);
                self.listener.tell(|tracer| service.tell_start(id, tracer));
                if service.at_begin {
                    self.is_begun(id, service_id, ctx);
                }
            }
            None => self.services[service_id as usize].release_worker(replica_id, since, now),
        }
    }

    /// Work on a request stops, if any is being done: whether it was.
    pub(super) fn interrupt(&mut self, id: AttemptId, ctx: &mut Ctx) -> bool {
        let attempt = &self.attempts[id];
        if attempt.server != Server::Working {
            return false;
        }
        let service = &self.services[self.edges[attempt.edge as usize].callee as usize];
        if service.replicas[attempt.replica as usize].sharing.is_some() {
            self.ends_sharing(id, ctx);
        } else {
            ctx.cancel(attempt.work_timer());
        }
        self.attempts[id].end_work(ctx.now(), Server::Waiting);
        true
    }

    /// Work on a request stops where it is: what was done of it is done.
    pub(super) fn stops_working(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &self.attempts[id];
        let service = &self.services[self.edges[attempt.edge as usize].callee as usize];
        match service.replicas[attempt.replica as usize].sharing {
            Some(_) => self.ends_sharing(id, ctx),
            None => _ = ctx.cancel(attempt.work_timer()),
        }
    }

    /// The next of those who share what there is has done its work, or one whose replica may have stood still.
    #[inline(never)]
    pub fn share_done(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        if service.is_put_off(id, attempt, ctx) {
            return;
        }
        self.listener.tell(|tracer| service.tell_pauses(id, attempt.replica, tracer));
        if let Some(sharing) = &mut service.replicas[attempt.replica as usize].sharing {
            sharing.fired();
            self.ends_sharing(id, ctx);
        }
        self.work_done(id, ctx);
    }

    /// Work on a request no longer shares what there is. It is from here on as if it had begun as long ago as was done of it, for
    /// whoever asks what it took; the place that it had, it had for longer.
    fn ends_sharing(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        let replica = &mut service.replicas[attempt.replica as usize];
        let sharing = replica.sharing.as_mut().expect("it shares");
        let done = sharing.leave(attempt.share(), now).as_nanos();
        sharing.plan(ctx);
        replica.held += u128::from(now.since(attempt.since).as_nanos() - done);
        attempt.since = SimTime::from_nanos(now.as_nanos() - done);
    }

    /// A worker is free that was not held: the next request in the queue.
    pub(super) fn serve_next(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        if let Some((id, waited)) = self.next_in_line(service_id, replica_id, now) {
            let service = &mut self.services[service_id as usize];
            service.hold_worker(replica_id, now);
            self.listener.tell(|tracer| tracer.work_begins(id, service_id, replica_id, now));
            let attempt = &mut self.attempts[id];
            let beside = (&mut self.attempt_standings, &self.carriage);
            service.start_work(replica_id, (id, attempt), beside, waited, ctx);
            self.listener.tell(|tracer| service.tell_start(id, tracer));
            if service.at_begin {
                self.is_begun(id, service_id, ctx);
            }
        }
    }

    /// Takes the next request out of the queue that is worth any work, and says how long it waited.
    #[inline(always)]
    fn next_in_line(
        &mut self,
        service_id: u32,
        replica_id: u32,
        now: SimTime,
    ) -> Option<(AttemptId, SimDuration)> {
        loop {
            let service = &mut self.services[service_id as usize];
            let mut line = replica_id as usize;
            if service.queue.shared {
                if service.leaves(replica_id) {
                    return None;
                }
                line = 0;
            }
            let line = &mut service.lines[line];
            let turn = line.take(now, |id| self.attempts[id].since)?;
            let (Turn::Served(id) | Turn::TurnedAway(id)) = turn;
            let attempt = &mut self.attempts[id];
            let wait = line.left(attempt.since, now);
            attempt.leave_queue();
            attempt.replica = replica_id;
            if let Turn::TurnedAway(_) = turn {
                self.turn_away(id, service_id, "shed", now);
                continue;
            }
            let is_late = attempt.marks.has(Marks::EXPIRES) && now > *self.wanted_until.of(id);
            if is_late || service.looks_again && (!attempt.is_awaited() || service.weights.is_some()) {
                if self.is_passed_over(id, service_id, is_late, now) {
                    continue;
                }
            } else {
                service.replicas[replica_id as usize].in_hand += u32::from(service.queue.shared);
            }
            return Some((id, wait));
        }
    }

    /// Whether one that has left the queue, as the next, is not worth any work, in which case it is gone; its replica has it in hand otherwise.
    #[inline(never)]
    fn is_passed_over(&mut self, id: AttemptId, service_id: u32, is_late: bool, now: SimTime) -> bool {
        let (service, attempt) = (&mut self.services[service_id as usize], &self.attempts[id]);
        let (replica, shared) = (attempt.replica, service.queue.shared);
        let gone = is_late || service.queue.drop_expired && !attempt.is_awaited();
        if service.weights.is_some() {
            let bytes = self.carriage.of(id).bytes;
            service.unload(replica, bytes);
            if let Some(weights) = service.weights.as_mut().filter(|_| !gone) {
                weights.taken(replica, bytes);
            }
        }
        if gone {
            service.replicas[replica as usize].in_hand -= u32::from(!shared);
            service.stats.total.expired += 1;
            service.note_level(replica, now);
            self.listener.tell(|tracer| tracer.lost_in_hand(id, "expired", now));
            self.swallow(id);
            self.may_be_done(service_id, replica);
        } else {
            service.replicas[replica as usize].in_hand += u32::from(shared);
        }
        gone
    }

    /// Work on a request has begun at a service that has something to do then.
    #[inline(never)]
    fn is_begun(&mut self, id: AttemptId, service_id: u32, ctx: &mut Ctx) {
        let service = &mut self.services[service_id as usize];
        service.note_begin(&self.attempts[id], ctx.now());
        if service.leaking.is_some() {
            let replica = self.attempts[id].replica;
            self.leaks(service_id, replica, ctx.now());
        }
        let service = &self.services[service_id as usize];
        if service.deeds.is_some() {
            self.look_up(id, ctx);
        }
        self.untie(id, ctx);
    }

    /// A request that has left the queue is rejected: its caller hears of it before the event is over, when the worker has its next.
    #[cold]
    fn turn_away(&mut self, id: AttemptId, service_id: u32, why: &'static str, now: SimTime) {
        let (service, attempt) = (&mut self.services[service_id as usize], &mut self.attempts[id]);
        let replica = &mut service.replicas[attempt.replica as usize];
        replica.in_hand -= u32::from(!service.queue.shared);
        service.unload(attempt.replica, self.carriage.of(id).bytes);
        service.stats.total.turned_away += 1;
        service.note_turned_away(attempt, now);
        attempt.server = Server::Replying(Outcome::Rejected);
        self.listener.tell(|tracer| tracer.lost_in_hand(id, why, now));
        let replica = attempt.replica;
        self.may_be_done(service_id, replica);
        self.admitted.push_back(Admitted::TurnedAway(id));
    }
}

impl Service {
    /// Work on a request begins: its own, and what is to be done besides.
    pub(super) fn work_on(
        &mut self,
        (id, attempt): (AttemptId, &mut Attempt),
        (work, besides): (SimDuration, SimDuration),
        ctx: &mut Ctx,
    ) {
        let now = ctx.now();
        let number = attempt.replica;
        let replica = &mut self.replicas[number as usize];
        let waits = self.frozen.as_mut().map(|frozen| frozen.begins(number, id, now));
        if let Some(sharing) = &mut replica.sharing {
            attempt.share_work(now, sharing.join(id, work + besides, now));
            return sharing.plan(ctx);
        }
        let (done, event) = match waits {
            None => (now + work + besides, Event::WorkDone { attempt: id }),
            Some(waits) => (now + waits + work + besides, Event::ShareDone { attempt: id }),
        };
        attempt.begin_work(now, ctx.schedule(done, Class::End, event));
    }

    /// Work on a request begins, for which a worker is held.
    #[inline(always)]
    fn start_work(
        &mut self,
        replica: u32,
        (id, attempt): (AttemptId, &mut Attempt),
        (standings, carriage): (&mut Standings, &Carriage),
        waited: SimDuration,
        ctx: &mut Ctx,
    ) {
        let now = ctx.now();
        self.stats.begun(waited);
        let number = replica;
        let replica = &mut self.replicas[replica as usize];
        if self.mortal {
            standings.join(&mut replica.at_work, id);
        }
        let nanos = self.work.sample(&mut self.work_luck.at(attempt.key));
        if self.varies {
            return self.start_varied(nanos, (id, attempt), (number, carriage), ctx);
        }
        let nanos = nanos * replica.state.slow;
        let done = now + SimDuration::drawn(nanos) + self.lookup;
        attempt.begin_work(now, ctx.schedule(done, Class::End, Event::WorkDone { attempt: id }));
    }

    /// The same where work is not always what was drawn for it, or is shared.
    #[inline(never)]
    fn start_varied(
        &mut self,
        nanos: f64,
        (id, attempt): (AttemptId, &mut Attempt),
        (replica, carriage): (u32, &Carriage),
        ctx: &mut Ctx,
    ) {
        let replica_number = replica;
        let replica = &mut self.replicas[replica as usize];
        let mut slow = replica.state.slow;
        if replica.state.tells_apart {
            slow = replica.faults.on_request(&attempt.asked(carriage.of(id))).slow;
        }
        let mut nanos = nanos * slow;
        if attempt.is_check() {
            let asks = Asks::over(&self.checks, attempt.edge);
            let work = asks.work.as_ref().expect("only who needs work comes here");
            nanos = work.nanos.sample(&mut self.work_luck.at(attempt.key)) * slow;
        }
        if let Some((_, work)) = self.called_back.iter().find(|(edge, _)| *edge == attempt.edge) {
            nanos = work.sample(&mut self.work_luck.at(attempt.key)) * slow;
        }
        if let Some(warming) = &self.warming {
            nanos *= warming.stretch(replica_number, ctx.now());
        }
        if let Some(leaking) = &self.leaking {
            nanos *= leaking.stretch(replica_number, ctx.now());
        }
        if let Some(heating) = &self.heating {
            nanos *= heating.stretch(replica_number);
        }
        if let Some(reads) = &self.reads {
            nanos *= reads.stretch(id);
        }
        let greeting = self.greetings.of(id).as_nanos() as f64 * replica.state.slow;
        let stretch = self.scaling.as_ref().map_or(1.0, |law| law.stretch(replica.busy.value() as f64));
        let mut work = SimDuration::drawn((nanos + greeting) * stretch);
        let mut start = SimDuration::ZERO;
        if let Some(instances) = &mut self.instances {
            start = instances.begins(replica_number, attempt, ctx.now());
            work += start;
        }
        if let Some(limited) = &mut self.limited {
            let of_nobody =
                attempt.is_check() || self.called_back.iter().any(|(edge, _)| *edge == attempt.edge);
            if !of_nobody {
                let until = limited.begins(id, start, ctx.now());
                ctx.schedule(until, Class::Timeout, Event::Proceed { attempt: id });
            }
        }
        if self.frozen.is_some() {
            self.fills_the_heap(replica_number, attempt, ctx);
        }
        self.work_on((id, attempt), (work, self.lookup), ctx);
    }

    /// Work on a request has just begun: how long its instance starts, if it has one that does.
    fn tell_start(&self, id: AttemptId, tracer: &mut Tracer) {
        if let Some(instances) = &self.instances {
            tracer.starts(id, instances.starts_now());
        }
    }

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
    pub(super) fn release_worker(&mut self, replica: u32, since: SimTime, now: SimTime) {
        self.note_held(replica, since, now);
        self.replicas[replica as usize].busy.decrement(now);
        if self.queue.shared {
            self.note_free(replica);
        }
    }

    /// For how long a worker was held.
    #[inline(always)]
    pub(super) fn note_held(&mut self, replica: u32, since: SimTime, now: SimTime) {
        self.replicas[replica as usize].held += u128::from(now.since(since).as_nanos());
    }

    /// Whether a replica is up, or has a free worker, may have changed.
    pub fn note_free(&mut self, replica: u32) {
        if self.queue.shared {
            let state = &self.replicas[replica as usize];
            let up = state.down == 0 && !self.leaves(replica);
            self.up.set(replica, up);
            self.free.set(replica, up && state.busy.value() < u64::from(self.workers));
        }
    }
}
