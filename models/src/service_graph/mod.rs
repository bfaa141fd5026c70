//! Requests through services: the model behind most experiments.
//!
//! A *workload* calls a *service*; a service has *replicas* with *workers* and a queue, does its own work,
//! and calls other services. A *call* is one logical request over an *edge*; an *attempt* is one try.
//! Each edge has a policy and, per caller replica or client, that policy's state.
//!
//! - `call`: the caller's side: in which order a call meets its policies, and how it ends.
//! - `service`: the callee's side: admission, queue, worker, further calls, answer; crashes.
//! - `control`: what looks at a service while it runs, and takes replicas out or lets them in.
//! - `crossing`: attempts that leave the zone of their client.
//! - `fault`: active effects, and what is derived from them. `failures`: those that begin and end at random.
//! - `stats`: what is counted; `measure`: when. `laws`: what the counts must obey.
//! - `follow`: what happened to single calls, for whoever asked to trace them.
//! - `plan`: what the file amounts to: edges, call sites, order, loads. Made once, and lent to what follows.
//! - `build`: from there to what runs. `say`: what the user may not write, what the file amounts to, and a picture.
//! - `theory`: the closed forms beside what was measured, and the fluid law before a run.
//!
//! "Completed" means that the answer came back to whoever waits for it. A caller that gives up does not
//! stop the server: the work goes on and is counted as wasted. Everything drawn for a request (its
//! demands, its luck in the network, its jitter) is addressed by a key mixed down the call tree, so it is
//! the same under every policy.
//!
//! At one instant ends come before beginnings (see [`sim_core::Class`]): what is done and what is answered, then faults
//! and restarts, then timeouts and deadlines, then whatever begins. A request that would make its next calls while
//! something else is still to end at that instant makes them afterwards (`Event::Proceed`).
//!
//! Left out: partial answers. Work is
//! judged when its answer is delivered, and is useful if everybody up to the user waits then: whoever gives up
//! later does not take that back, so what is counted as wasted is the least that was.

mod branch;
mod build;
mod call;
mod carriage;
mod circles;
mod control;
mod crossing;
mod failures;
mod fault;
mod flight;
mod follow;
mod fruit;
mod laws;
mod measure;
mod plan;
mod report;
mod roster;
mod say;
mod service;
mod slab;
pub mod spec;
mod state;
mod stats;
#[cfg(test)]
mod tests;
mod theory;
mod visits;
mod witness;

use crate::branch::Trunk;
use crate::catalog::Outline;
use crate::diagram::Diagram;
use crate::drive::{self, Drive, Mark};
use crate::experiment::{Decode, Decoder};
use crate::policy::preset::Seat;
use crate::report::Section;
use crate::run::{Explanation, Observer, RunOptions, RunOutput, TrajectoryLine};
use crate::{Entry, RunSpec, Scenario};
use follow::{Deaf, Listen, Tracer};
use plan::Plan;
use sim_core::{Class, Key, Model, SimDuration, SimTime, StreamUse, Streams, Witness, Words};
use spec::GraphSpec;
use state::{Ctx, Event, Graph, Parent, Server};

/// Version of the model: a change that moves results of the same experiment raises it.
const VERSION: u32 = 1;

/// The catalog's line.
pub const ENTRY: Entry = Entry {
    decode: |node, cx| {
        let spec = GraphSpec::decode(node, cx)?;
        say::check::check_graph(&spec, node, cx);
        Some(Box::new(spec))
    },
    mechanisms: say::pages::mechanisms,
    ..Entry::of::<GraphSpec>(
        "ServiceGraph",
        "requests through services: queues, timeouts, retries, breakers, faults",
        VERSION,
    )
};

impl Scenario for GraphSpec {
    fn check(&self, run: &RunSpec, cx: &mut Decoder) {
        say::limits::check_run(self, run, cx);
    }

    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        match options.trace {
            None => run_plan::<Deaf>(&Plan::new(self), run, options, observer),
            Some(_) => run_plan::<Tracer>(&Plan::new(self), run, options, observer),
        }
    }

    fn trunk_key(&self, run: &RunSpec, options: &RunOptions, before: SimTime) -> Option<u64> {
        branch::key(self, run, options, before)
    }

    fn trunk(
        &self,
        run: &RunSpec,
        options: &RunOptions,
        observer: Observer,
        from: Option<&Trunk>,
        before: SimTime,
    ) -> Option<Trunk> {
        branch::trunk(self, run, options, observer, from, before)
    }

    fn run_from(
        &self,
        trunk: &Trunk,
        run: &RunSpec,
        options: &RunOptions,
        observer: Observer,
    ) -> Option<RunOutput> {
        branch::run_from(self, trunk, run, options, observer)
    }

    fn outline(&self) -> Option<Outline> {
        let plan = Plan::new(self);
        let users = plan.edges.iter().take(self.workload.len()).map(|edge| edge.name.clone());
        Some(Outline { users: users.collect(), services: self.services.names().map(String::from).collect() })
    }

    fn sections(&self, _run: &RunSpec) -> Vec<Section> {
        Plan::new(self).sections()
    }

    fn values(&self, _run: &RunSpec) -> Vec<String> {
        theory::names(&Plan::new(self))
    }

    fn explain(&self, run: &RunSpec) -> Explanation {
        say::explain::explain(&Plan::new(self), run)
    }

    fn seats(&self) -> Vec<Seat> {
        say::seats::seats(&Plan::new(self))
    }

    fn diagram(&self) -> Diagram {
        say::diagram::diagram(&Plan::new(self))
    }

    fn untraceable(&self) -> Option<&'static str> {
        None
    }
}

fn run_plan<L: Listen>(plan: &Plan, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
    let build = |streams: &Streams| build::build::<L>(plan, run, options, streams);
    drive::run(run, options, observer, build, |graph, reached, output| {
        report::fill(plan, run, graph, reached, output);
    })
}

impl<L: Listen> Model for Graph<L> {
    type Event = Event;

    #[inline(always)]
    fn handle(&mut self, event: Event, ctx: &mut Ctx) {
        match event {
            Event::Arrival { workload } => self.arrival(workload, ctx),
            Event::Thought { workload, user } => self.thought(workload, user, ctx),
            Event::Deliver { attempt } => {
                let callee = self.witness_attempt(witness::DELIVER, attempt, ctx).callee;
                self.arrive(attempt, callee, ctx);
            }
            Event::WorkDone { attempt } => self.work_done(attempt, ctx),
            Event::ShareDone { attempt } => self.share_done(attempt, ctx),
            Event::Proceed { attempt } => {
                // A crash at this very instant may have taken it.
                if self.waits(attempt) {
                    self.witness_attempt(witness::PROCEED, attempt, ctx);
                    if !self.looks_again(attempt, ctx) {
                        self.advance(attempt, ctx);
                    }
                } else {
                    self.is_stopped(attempt, ctx);
                }
            }
            Event::Reply { attempt } => {
                self.witness_attempt(witness::REPLY, attempt, ctx);
                self.answered(attempt, ctx);
            }
            Event::Cancel { attempt } => {
                if self.attempts.get(attempt).is_some() {
                    self.witness_attempt(witness::CANCEL, attempt, ctx);
                    self.called_off(attempt, ctx);
                }
            }
            Event::Begun { attempt } => {
                if self.attempts.get(attempt).is_some() {
                    self.witness_attempt(witness::BEGUN, attempt, ctx);
                    self.leaves_for_another(attempt, ctx);
                }
            }
            Event::AttemptTimer { attempt } => self.timed_out(attempt, ctx),
            Event::CallTimer { call } => self.call_timer(call, ctx),
            Event::Reload { visit } => self.reload(visit, ctx),
            Event::CallsBack { due } => self.calls_back(due, ctx),
            Event::NotCalledBack { wait } => self.not_called_back(wait, ctx),
            Event::FaultBegins { fault } => self.fault_begins(fault, ctx),
            Event::FaultEnds { fault } => self.fault_ends(fault, ctx),
            Event::FaultGrows { fault } => self.fault_grows(fault, ctx),
            Event::Restart { service, replica } => {
                let path = self.services[service as usize].path;
                ctx.witness(witness::RESTART, 0, 0, path, u64::from(replica), 0);
                self.revived(service, replica, ctx);
            }
            Event::Connection { list, slot } => self.connection_due(list, slot, ctx),
            Event::Look { control, of } => self.look(control, of, ctx),
        }
        loop {
            while let Some(attempt) = self.ready.pop() {
                // A crash within this very event may have taken it.
                if self.waits(attempt) {
                    self.advance(attempt, ctx);
                }
            }
            if self.admitted.is_empty() {
                break;
            }
            self.go_on(ctx);
        }
    }
}

impl<L: Listen> Drive for Graph<L> {
    /// Schedules the first arrivals and the faults.
    fn begin(&mut self, ctx: &mut Ctx) {
        self.schedule_faults(0, ctx);
        self.begin_failures(ctx);
        self.begin_connected(ctx);
        self.begin_controls(ctx);
        self.begin_workloads(ctx);
    }

    fn stretches(&self) -> Vec<SimTime> {
        self.next_stretches.clone()
    }

    fn mark(&mut self, mark: Mark, now: SimTime) {
        match mark {
            Mark::StretchBegins => self.may_begin_stretch(now),
            Mark::WarmUpEnds => self.end_warm_up(now),
            Mark::WindowEnds => self.close_window(now),
        }
    }

    fn goes_round(&self) -> Option<String> {
        // Users in a loop who ask more often than anybody else, and far more often than they can have been answered.
        let loops = self.workloads.iter().filter(|workload| workload.think.is_some());
        let busiest = loops.max_by_key(|workload| workload.calls)?;
        let often = busiest.calls > 1_000 * busiest.users.len() as u64;
        let edge = &self.edges[busiest.edge as usize].name;
        often.then(|| format!("users call over {edge} again and again without a pause, and each call ends at once: give them a `think` above 0"))
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        report::streams_used(self)
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        report::tell(self, witness, line);
    }
}

impl<L: Listen> Graph<L> {
    /// Those from this one on.
    fn schedule_faults(&self, first: usize, ctx: &mut Ctx) {
        let scheduled =
            self.faults.iter().enumerate().filter(|(_, fault)| fault.random.is_none() && !fault.is_set_off);
        for (id, fault) in scheduled.skip(first) {
            let fault_id = id as u32;
            let from = fault.rhythm.first();
            ctx.schedule(from, Class::Change, Event::FaultBegins { fault: fault_id });
            if let Some(to) = fault.rhythm.ends(from).filter(|_| !fault.flaps) {
                ctx.schedule(to, Class::Change, Event::FaultEnds { fault: fault_id });
            }
        }
    }

    fn begin_workloads(&mut self, ctx: &mut Ctx) {
        for workload in 0..self.workloads.len() as u32 {
            match self.workloads[workload as usize].schedule {
                Some(_) => self.schedule_arrival(workload, ctx),
                None => {
                    for user in 0..self.workloads[workload as usize].users.len() as u32 {
                        self.think(workload, user, ctx);
                    }
                }
            }
        }
    }

    /// Whether a request is there, and waits for its calls.
    #[inline]
    fn waits(&self, attempt: state::AttemptId) -> bool {
        self.attempts.get(attempt).is_some_and(|attempt| attempt.server == Server::Waiting)
    }

    #[inline(always)]
    fn schedule_arrival(&mut self, id: u32, ctx: &mut Ctx) {
        let workload = &mut self.workloads[id as usize];
        let key = Key::root(workload.path, workload.calls);
        workload.next_key = key;
        let schedule = workload.schedule.as_mut().expect("an open workload has a schedule");
        if let Some(at) = schedule.next(&mut workload.arrivals, key) {
            ctx.schedule_at(at.max(ctx.now()), Event::Arrival { workload: id });
        }
    }

    fn arrival(&mut self, id: u32, ctx: &mut Ctx) {
        let workload = &mut self.workloads[id as usize];
        let key = workload.next_key;
        ctx.witness(witness::ARRIVAL, 0, 0, workload.path, key.get(), workload.calls);
        workload.calls += 1;
        let (edge, client, returns) = (workload.edge, workload.client(key), workload.visits.is_some());
        self.schedule_arrival(id, ctx);
        let mut parent = Parent::User;
        if returns {
            parent = self.visit_begins(id, None, key, ctx.now());
        }
        self.begin_call(edge, client, parent, key, ctx);
    }

    /// A closed-loop user begins to think.
    pub fn think(&mut self, id: u32, user: u32, ctx: &mut Ctx) {
        let workload = &mut self.workloads[id as usize];
        let key = workload.user_key(user);
        let (think, luck) = workload.think.as_mut().expect("users think");
        let nanos = think.sample(&mut luck.at(key));
        ctx.schedule_in(SimDuration::drawn(nanos), Event::Thought { workload: id, user });
    }

    fn thought(&mut self, id: u32, user: u32, ctx: &mut Ctx) {
        let workload = &mut self.workloads[id as usize];
        let key = workload.user_key(user);
        ctx.witness(witness::ARRIVAL, 0, 0, workload.path, key.get(), u64::from(user));
        workload.calls += 1;
        workload.users[user as usize] += 1;
        let (edge, client, returns) = (workload.edge, workload.client(key), workload.visits.is_some());
        let mut parent = Parent::Loop { user };
        if returns {
            parent = self.visit_begins(id, Some(user), key, ctx.now());
        }
        self.begin_call(edge, client, parent, key, ctx);
    }

    #[inline(always)]
    fn witness_attempt(&self, kind: u16, id: state::AttemptId, ctx: &mut Ctx) -> &state::Edge {
        let attempt = &self.attempts[id];
        let edge = &self.edges[attempt.edge as usize];
        ctx.witness(
            kind,
            attempt.number,
            attempt.answer() as u16,
            edge.path,
            attempt.key.get(),
            u64::from(attempt.replica),
        );
        edge
    }
}

impl state::Workload {
    /// Which client instance makes the call at `key`.
    #[inline(always)]
    pub fn client(&mut self, key: Key) -> u32 {
        if self.clients == 1 { 0 } else { self.spread.at(key).below(u64::from(self.clients)) as u32 }
    }

    /// The key of a user's next call.
    fn user_key(&self, user: u32) -> Key {
        Key::root(self.path, u64::from(user)).child(self.users[user as usize])
    }
}
