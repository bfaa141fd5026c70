//! Requests at a service that answers writes before it passes them on: one that is answered, one that passes something on, and one that waits for
//! room.

use super::behind::{Behind, NO_KEY, Room, Write};
use super::{WhenFull, Written};
use crate::carried::Carried;
use crate::policy::Outcome;
use crate::policy::guards::Grant;
use crate::report::Section;
use crate::service_graph::follow::Listen;
use crate::service_graph::service::cache::Found;
use crate::service_graph::state::*;
use sim_core::SimTime;

/// Each time that one is passed on has luck of its own.
const BEHIND: u64 = 1 << 37;

impl Written {
    fn behind(&mut self) -> Option<&mut Behind> {
        self.behind.as_deref_mut()
    }

    /// When each replica first looks whether it has something to write.
    pub fn firsts(&self) -> Vec<(u32, SimTime)> {
        self.behind.iter().flat_map(|it| it.firsts()).collect()
    }

    /// Whether a replica has something of a key still to be written.
    pub fn is_unwritten(&self, replica: u32, key: u32) -> bool {
        self.behind.as_ref().is_some_and(|it| it.is_unwritten(replica, key))
    }

    /// A replica has crashed.
    pub fn crashed(&mut self, replica: u32) {
        self.behind().into_iter().for_each(|it| it.crashed(replica));
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.behind().into_iter().for_each(Behind::close_window);
    }

    /// What was counted adds up.
    pub fn check(&self) {
        self.behind.iter().for_each(|it| it.check());
    }

    pub(super) fn section_of_behind(&self, at: &str) -> Option<Section> {
        self.behind.as_ref().map(|it| it.section(at))
    }
}

impl Service {
    /// Whether this request passes on what was answered before.
    #[inline]
    pub fn is_passing_on(&self, id: AttemptId) -> bool {
        let behind = self.written.as_ref().and_then(|written| written.behind.as_ref());
        let passing = behind.and_then(|it| it.passing.get(id)?.as_ref());
        passing.is_some_and(|passing| passing.0 == id)
    }

    /// Whether a worker is held for this request while it waits: not for one that nobody has sent.
    pub fn waits_with_worker(&self, id: AttemptId) -> bool {
        self.blocking && !self.is_passing_on(id)
    }

    /// Whether a replica has anything to be passed on.
    pub fn has_to_write(&self, replica: u32) -> bool {
        let behind = self.written.as_ref().and_then(|written| written.behind.as_ref());
        behind.is_some_and(|it| it.has_to_write(replica))
    }
}

impl<L: Listen> Graph<L> {
    fn behind(&mut self, service: u32) -> Option<&mut Behind> {
        self.services[service as usize].written.as_mut()?.behind()
    }

    /// A write has done its own work at a service that keeps answers: what becomes of it.
    #[cold]
    pub(in crate::service_graph::service) fn may_write_behind(
        &mut self,
        id: AttemptId,
        ctx: &mut Ctx,
    ) -> Found {
        let attempt = &self.attempts[id];
        let (service, replica) = (self.edges[attempt.edge as usize].callee, attempt.replica);
        let (measured, is_check) = (attempt.marks.has(Marks::MEASURED), attempt.is_check());
        let key = self.carriage.of(id).key.unwrap_or(NO_KEY);
        let Some(behind) = self.behind(service).filter(|_| !is_check) else { return Found::Nothing };
        let Room::No(full) = behind.room(replica, key) else {
            self.takes_write(id, ctx);
            return Found::Kept(Outcome::Ok);
        };
        behind.counts.found_full += u64::from(measured);
        let found = match full {
            WhenFull::WriteThrough => Found::Nothing,
            WhenFull::Reject => Found::Kept(Outcome::Error),
            WhenFull::Block => {
                behind.buffers[replica as usize].line.push_back(id);
                Found::Waits
            }
        };
        self.listener.tell(|tracer| tracer.is_told(id, "no room"));
        found
    }

    /// It is kept, and will be answered: it need not make its calls.
    fn takes_write(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let now = ctx.now();
        let carried = self.carriage.of_mut(id);
        if let Some(ledger) = self.ledger.as_mut().filter(|_| carried.version == 0) {
            carried.version = if carried.behind { carried.expects } else { ledger.will_be(carried.key) };
        }
        let (carried, attempt) = (*carried, &mut self.attempts[id]);
        attempt.is_answered(Outcome::Ok);
        let (replica, key) = (attempt.replica, carried.key.unwrap_or(NO_KEY));
        let measured = attempt.marks.has(Marks::MEASURED);
        let number = self.edges[attempt.edge as usize].callee;
        let service = &mut self.services[number as usize];
        let (caches, written) = (service.caches.as_mut(), service.written.as_mut());
        let (caches, written) = caches.zip(written).expect("it keeps answers, and writes behind");
        caches.has_written(replica, key, (attempt.key, measured), now);
        if carried.version != 0 {
            written.versions[caches.store_of(replica)].put(key, carried.version);
        }
        let &mut Attempt { key: luck, edge, workload, call, .. } = attempt;
        let write = Write {
            key,
            luck,
            carried,
            edge,
            workload,
            call,
            since: now,
            measured,
            tries: 0,
            may_be_done: false,
        };
        let (now_due, gone) = written.behind().expect("it does").takes(replica, write);
        self.listener.tell(|tracer| {
            tracer.is_told(id, "taken");
            tracer.will_write(luck.get(), id);
            gone.into_iter().for_each(|gone| tracer.never_written(gone.get()));
        });
        if now_due || self.services[number as usize].leaves(replica) {
            self.passes_on(number, replica, false, ctx);
        }
    }

    /// It is time for a replica to pass on what it has to write, if it is there and does not stand still.
    pub(in crate::service_graph) fn may_pass_on(
        &mut self,
        control: u32,
        (service, replica): (u32, u32),
        ctx: &mut Ctx,
    ) {
        let still = self.services[service as usize].goes_on_at(replica, ctx.now());
        let every = self.behind(service).expect("it writes behind").every;
        if let Some(at) = still {
            ctx.schedule_at(at, Event::Look { control, of: replica });
            return;
        }
        ctx.schedule_at(ctx.now() + every, Event::Look { control, of: replica });
        self.passes_on(service, replica, true, ctx);
    }

    /// A replica passes on all that it has to write, or what it has not passed on in vain.
    #[cold]
    pub(in crate::service_graph) fn passes_on(
        &mut self,
        service: u32,
        replica: u32,
        all: bool,
        ctx: &mut Ctx,
    ) {
        let is_down = self.services[service as usize].replicas[replica as usize].down > 0;
        let Some(behind) = self.behind(service).filter(|_| !is_down) else { return };
        let go = behind.goes(replica, all);
        // The last is taken first.
        for write in go.into_iter().rev() {
            let request = Attempt {
                key: write.luck.child(BEHIND + u64::from(write.tries)),
                call: write.call,
                sibling: None,
                edge: write.edge,
                workload: write.workload,
                replica,
                since: ctx.now(),
                own: OwnWork::default(),
                below: None,
                timer: None,
                permit: None,
                outstanding: 0,
                repetition: 0,
                step: 0,
                number: 1,
                grant: Grant::NONE,
                server: Server::Waiting,
                marks: Marks::AWAITED.when(false),
            };
            let Carried { version, .. } = write.carried;
            let carried = Carried { behind: version != 0, expects: version, ..write.carried };
            let id = self.has_in_background(request, carried, ctx.now());
            let key = write.luck.get();
            self.listener.tell(|tracer| tracer.passes_on(id, key, (service, replica), ctx.now()));
            self.behind(service).expect("it does").passing.put(id, Some(Box::new((id, write))));
        }
    }

    /// One that was passed on is over: nobody is told.
    #[cold]
    pub(in crate::service_graph::service) fn has_passed_on(
        &mut self,
        id: AttemptId,
        outcome: Outcome,
        ctx: &mut Ctx,
    ) {
        let (now, attempt) = (ctx.now(), &mut self.attempts[id]);
        let (number, replica) = (self.edges[attempt.edge as usize].callee, attempt.replica);
        let is_well = outcome == Outcome::Ok;
        // Other calls of it have ended well, or are still out.
        let in_part = attempt.below.is_some() || attempt.outstanding > 0;
        // What was done for it is what a user was promised.
        let below = if is_well { attempt.below.take() } else { None };
        self.fruits.empty(below);
        let service = &mut self.services[number as usize];
        service.stats.total.completed -= 1;
        if service.mortal {
            self.attempt_standings.leave(&mut service.replicas[replica as usize].at_work, id);
        }
        service.note_level(replica, now);
        let behind = self.behind(number).expect("it writes behind");
        let (_, mut write) = *behind.passing.replace(id, None).expect("it passes something on");
        write.may_be_done |= in_part;
        let luck = write.luck;
        let gone = behind.comes_back(replica, write, is_well, now);
        self.listener.tell(|tracer| {
            if is_well {
                tracer.is_for_others(id, "written");
            }
            if is_well || gone.is_some() {
                tracer.never_written(luck.get());
            }
        });
        self.refresh_ends(id, outcome, now);
        self.takes_those_in_line(number, replica, ctx);
        self.may_be_done(number, replica);
    }

    /// There may be room for some who wait for it.
    fn takes_those_in_line(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        loop {
            let behind = self.behind(service).expect("it writes behind");
            let Some(&id) = behind.buffers[replica as usize].line.front() else { return };
            let is_there = self.attempts.get(id).is_some_and(|it| it.server == Server::Waiting);
            let key = self.carriage.of(id).key.unwrap_or(NO_KEY);
            let behind = self.behind(service).expect("it writes behind");
            if is_there && behind.room(replica, key) != Room::There {
                return;
            }
            behind.buffers[replica as usize].line.pop_front();
            if is_there {
                self.takes_write(id, ctx);
                self.ready.push(id);
            }
        }
    }

    /// One that was on its way is gone with its replica.
    #[cold]
    pub(in crate::service_graph::service) fn passing_is_lost(&mut self, id: AttemptId, now: SimTime) {
        let service = self.edges[self.attempts[id].edge as usize].callee;
        let behind = self.behind(service).expect("it writes behind");
        let (_, write) = *behind.passing.replace(id, None).expect("it passes something on");
        behind.is_gone(&write);
        self.refresh_ends(id, Outcome::Reset, now);
    }

    /// An attempt of a call that a request makes has ended so, where requests may pass something on: unless it was turned away, it may have been done.
    #[inline(never)]
    pub(in crate::service_graph) fn may_have_done(&mut self, parent: Parent, outcome: Outcome) {
        let Parent::Request { attempt: id, .. } = parent else { return };
        let Some(request) = self.attempts.get(id) else { return };
        let service = self.edges[request.edge as usize].callee;
        if !matches!(outcome, Outcome::Rejected | Outcome::Refused) {
            self.behind(service).into_iter().for_each(|it| it.may_have_done(id));
        }
    }

    /// Whether what a read comes back with is older than what was written meanwhile.
    #[cold]
    pub(in crate::service_graph::service) fn is_overtaken(&self, id: AttemptId) -> bool {
        let (attempt, carried) = (&self.attempts[id], self.carriage.of(id));
        let service = &self.services[self.edges[attempt.edge as usize].callee as usize];
        let key = carried.key.unwrap_or(NO_KEY);
        !carried.writes && service.written.as_ref().is_some_and(|it| it.is_unwritten(attempt.replica, key))
    }
}
