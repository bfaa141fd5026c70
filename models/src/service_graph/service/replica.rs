//! A replica goes down, with all that it has in hand, and comes back.

use crate::fault::CrashStyle;
use crate::policy::Outcome;
use crate::service_graph::follow::Listen;
use crate::service_graph::roster;
use crate::service_graph::state::*;
use sim_core::Class;

impl<L: Listen> Graph<L> {
    /// A replica dies of its own load, if that is more than it survives: whether it has, and not only will when the event is over.
    #[inline(always)]
    pub(super) fn die_if_overwhelmed(&mut self, service: u32, replica: u32, ctx: &mut Ctx) -> bool {
        self.is_overwhelmed(service, replica) && self.die(service, replica, ctx)
    }

    #[inline(always)]
    fn is_overwhelmed(&self, service: u32, replica: u32) -> bool {
        let state = &self.services[service as usize];
        state.fatal_in_hand.is_some_and(|fatal| {
            state.replicas[replica as usize].in_hand >= fatal || state.is_too_heavy(replica)
        })
    }

    /// It does so at once; of a service that calls itself when whoever has called has made all its calls: it may die with it, or live,
    /// since somebody ends before that, and until then it goes on as if nothing were.
    #[cold]
    fn die(&mut self, service: u32, replica: u32, ctx: &mut Ctx) -> bool {
        let at_once = !self.services[service as usize].calls_itself;
        if at_once {
            self.goes_down(service, replica, ctx);
        } else {
            self.admitted.push_back(Admitted::Overwhelmed { service, replica });
        }
        at_once
    }

    /// A replica was to die when an event is over: it does, unless it has.
    pub fn goes_down_after_all(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        if self.is_overwhelmed(service, replica) {
            self.goes_down(service, replica, ctx);
        }
        self.is_used_up(service, replica, ctx);
    }

    fn goes_down(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let state = &mut self.services[service as usize];
        state.stats.total.deaths += 1;
        let (style, restart_after) = (state.death_style, state.restart_after);
        ctx.schedule(ctx.now() + restart_after, Class::Change, Event::Restart { service, replica });
        self.crash(service, replica, style, ctx);
    }

    /// Everything a replica has in hand is lost, and it is down until as many [`Graph::restart`]s.
    pub fn crash(&mut self, service_id: u32, replica_id: u32, style: CrashStyle, ctx: &mut Ctx) {
        let now = ctx.now();
        let reasons = self.reasons_to_be_down(service_id, replica_id, ctx);
        let service = &mut self.services[service_id as usize];
        let cores = u64::from(service.cores);
        let replica = &mut service.replicas[replica_id as usize];
        replica.down += reasons;
        if replica.down > reasons || reasons == 0 {
            return;
        }
        replica.silent = style == CrashStyle::Silence;
        replica.in_hand = 0;
        if service.starter.is_some() {
            self.makes_no_more_calls(service_id, replica_id, ctx);
        }
        let service = &mut self.services[service_id as usize];
        if service.directories.is_some() {
            self.may_be_found(service_id, replica_id, ctx);
            self.forgets_whom_it_knew(service_id, replica_id, ctx);
        }
        let service = &mut self.services[service_id as usize];
        self.callbacks.crashed(service_id, replica_id);
        service.goes_down(replica_id, now);
        let keeps = service.caches.is_some();
        service.caches.iter_mut().for_each(|caches| caches.crashed(replica_id));
        service.written.iter_mut().for_each(|written| written.crashed(replica_id));
        service.leaking.iter_mut().for_each(|leaking| leaking.goes_down(replica_id));
        service.instances.iter_mut().for_each(|instances| instances.goes_down(replica_id, now));
        if let Some(weights) = &mut service.weights {
            weights.lost(replica_id, (!service.queue.shared).then_some(replica_id as usize));
        }
        service.note_level(replica_id, now);
        if !service.connected.is_empty() {
            self.connections_break(service_id, replica_id, style, ctx);
        }
        let service = &mut self.services[service_id as usize];
        let replica = &mut service.replicas[replica_id as usize];
        let mut lost = std::mem::take(&mut replica.at_work);
        if !service.queue.shared {
            lost.extend(service.lines[replica_id as usize].clear());
            service.lines[replica_id as usize].forget();
        }
        service.stats.available(now, |available| available - cores);
        let lost = roster::dismiss(&mut lost);
        for &id in &lost {
            self.listener.tell(|tracer| tracer.lost_in_hand(id, "crashed", now));
            let attempt = &mut self.attempts[id];
            let service = &mut self.services[service_id as usize];
            if attempt.server == Server::Queued {
                service.lines[replica_id as usize].left(attempt.since, now);
                attempt.leave_queue();
            } else {
                let works = self.interrupt(id, ctx);
                let service = &mut self.services[service_id as usize];
                if works || service.waits_with_worker(id) {
                    service.release_worker(replica_id, self.attempts[id].since, now);
                }
            }
            // Who hears of another of them first may call this one off: it is neither waiting nor worked on any more.
            self.attempts[id].server = Server::Replying(Outcome::Reset);
            self.waits_for_no_callback(id);
        }
        self.services[service_id as usize].note_free(replica_id);
        self.forget_calls_of(service_id, replica_id, ctx);
        for id in lost {
            if keeps && self.fetch_is_lost(id, now) {
                continue;
            }
            if style == CrashStyle::Reset {
                self.answer(id, Outcome::Reset, ctx);
            } else {
                self.swallow(id);
            }
        }
    }

    /// The calls that a crashed replica was making end, and its policies forget what they knew.
    pub fn forget_calls_of(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let service = &mut self.services[service_id as usize];
        let mut orphans = service.replicas[replica_id as usize].calling.clone();
        let edges = service.edges.clone();
        for call in roster::dismiss(&mut orphans) {
            self.cancel_call(call, ctx);
        }
        for number in edges {
            // None of its own where they are another's.
            self.clients[number].reset(replica_id, &mut self.edges[number], ctx);
        }
        self.forgets_its_own_calls(service_id, replica_id, ctx);
    }

    /// One reason for being down has gone.
    pub fn restart(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let replica = &mut self.services[service_id as usize].replicas[replica_id as usize];
        replica.down -= 1;
        if replica.down > 0 {
            return;
        }
        self.container_starts(service_id, replica_id, ctx);
        if !self.starts(service_id, replica_id, ctx) {
            self.opens(service_id, replica_id, ctx);
        }
    }

    /// It takes what comes.
    pub fn opens(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let service = &mut self.services[service_id as usize];
        let cores = service.cores;
        service.stats.available(ctx.now(), |available| available + u64::from(cores));
        service.note_free(replica_id);
        service.leaking.iter_mut().for_each(|leaking| leaking.opens(replica_id, ctx.now()));
        self.is_otherwise_there(service_id);
        let service = &mut self.services[service_id as usize];
        service.instances.iter_mut().for_each(|instances| instances.opens(replica_id, ctx.now()));
        if !service.connected.is_empty() {
            self.connections_return(service_id, replica_id, ctx);
        }
        self.connects_anew(service_id, replica_id, ctx);
        if self.services[service_id as usize].directories.is_some() {
            self.may_be_found(service_id, replica_id, ctx);
            self.looks_around(service_id, replica_id, ctx);
        }
        self.has_opened(service_id, replica_id, ctx);
        self.takes_from_all(service_id, replica_id, ctx);
    }

    /// A replica whose queue is that of all takes as many as it has workers for.
    pub fn takes_from_all(&mut self, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let service = &mut self.services[service_id as usize];
        if service.queue.shared {
            let busy = service.replicas[replica_id as usize].busy.value() as u32;
            let free = service.workers - busy;
            for _ in 0..free.min(service.lines[0].len() as u32) {
                self.serve_next(service_id, replica_id, ctx);
                if self.die_if_overwhelmed(service_id, replica_id, ctx) {
                    return;
                }
            }
        }
    }
}

impl Service {
    /// Requests in hand of all replicas, those in a shared queue included.
    pub fn in_hand(&self) -> u64 {
        let queued = if self.queue.shared { self.lines[0].len() as u64 } else { 0 };
        queued + self.replicas.iter().map(|replica| u64::from(replica.in_hand)).sum::<u64>()
    }
}
