//! A request is called off by its caller: what the service makes of it.

use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;

spec! {
    /// What becomes of a request whose caller says that it no longer waits.
    #[derive(Copy, PartialEq, Eq)]
    pub enum OnCancel {
        /// Nothing: it is worked on as if it were wanted.
        Ignore,
        /// It leaves the queue. Work that has begun goes on to its end, calls included.
        Leave,
        /// It leaves the queue, or the worker stops at once; the calls that are out for it end, and are called off in turn
        /// where their policy says so.
        Stop,
    }
}

impl Part for OnCancel {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "on_cancel",
            word: "",
            what: "Says what a service makes of a request that its caller calls off: nothing, it leaves the \
                   queue, or its work stops at once with all that is out for it.",
            hurts: "Only what is called off at all can leave: the policy of the caller must say `cancel`. A \
                   transaction that has begun often cannot be stopped.",
            formula: "with `Stop` a worker is free as soon as the message is there: two copies of exponential work \
                   cost as much as one",
            source: "gRPC servers see a cancelled context; Go net/http likewise; Dean and Barroso 2013 (tied \
                   requests leave the other queue)",
            experiment: "hedged-requests",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Ignore", "Leave", "Stop"]
    }
}

impl<L: Listen> Graph<L> {
    /// A cancellation reaches the callee, if what it is about is still there.
    pub fn called_off(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let Some(attempt) = self.attempts.get(id) else { return };
        let callee = self.edges[attempt.edge as usize].callee;
        self.is_called_off(id, self.services[callee as usize].on_cancel, ctx);
    }

    /// A request leaves the queue, or will not join it, unless it is begun with. Says whether it does.
    pub(super) fn leaves_queue(&mut self, id: AttemptId, ctx: &mut Ctx) -> bool {
        self.is_called_off(id, OnCancel::Leave, ctx)
    }

    /// The same, if the service makes this of it. Says whether it has left, or will not come.
    fn is_called_off(&mut self, id: AttemptId, how: OnCancel, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let attempt = &self.attempts[id];
        let (service_id, replica_id, since) =
            (self.edges[attempt.edge as usize].callee, attempt.replica, attempt.since);
        let service = &mut self.services[service_id as usize];
        match attempt.server {
            _ if how == OnCancel::Ignore => return false,
            Server::Sent => {
                // It overtook the request.
                let marks = &mut self.attempts[id].marks;
                let is_told = marks.has(Marks::CALLED_OFF);
                marks.add(Marks::CALLED_OFF);
                return !is_told;
            }
            Server::Queued => {
                let line = service.line_of(replica_id);
                let line = &mut service.lines[line];
                assert!(line.remove(id, attempt.ticket()), "whoever waits is in the queue");
                line.left(since, now);
                self.attempts[id].leave_queue();
                let replica = &mut service.replicas[replica_id as usize];
                replica.in_hand -= u32::from(!service.queue.shared);
                service.unload(replica_id, self.carriage.of(id).bytes);
                service.stats.total.called_off += 1;
                service.note_level(replica_id, now);
                self.may_be_done(service_id, replica_id);
            }
            Server::Working | Server::Waiting if how == OnCancel::Stop => {
                service.stats.total.called_off += 1;
                self.stop(id, service_id, replica_id, ctx);
            }
            Server::Unsent => unreachable!("nobody calls off what was not sent"),
            // Work goes on, or it is answered already, or lost.
            Server::Working | Server::Waiting | Server::Replying(_) | Server::Gone => return false,
        }
        self.listener.tell(|tracer| tracer.lost_in_hand(id, "called off", now));
        self.swallow(id);
        true
    }

    /// Work on a request stops, and its worker is free.
    fn stop(&mut self, id: AttemptId, service_id: u32, replica_id: u32, ctx: &mut Ctx) {
        let works = self.interrupt(id, ctx);
        if !works {
            while let Some(&call) = self.calls_of.get(id.index()).and_then(|calls| calls.last()) {
                self.call_off_call(call, ctx);
            }
            self.waits_for_no_callback(id);
            self.fetch_is_called_off(id, ctx.now());
        }
        let service = &mut self.services[service_id as usize];
        let holds = works || service.blocking;
        service.replicas[replica_id as usize].in_hand -= 1;
        if let Some(weights) = &mut service.weights {
            weights.done(replica_id, self.carriage.of(id).bytes);
        }
        if service.mortal {
            self.attempt_standings.leave(&mut service.replicas[replica_id as usize].at_work, id);
        }
        service.instances.iter_mut().for_each(|instances| instances.ends(replica_id, ctx.now()));
        service.note_level(replica_id, ctx.now());
        self.may_be_done(service_id, replica_id);
        if holds {
            let since = self.attempts[id].since;
            self.free_worker(service_id, replica_id, since, ctx);
        }
    }
}
