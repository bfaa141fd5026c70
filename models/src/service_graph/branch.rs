//! Where a graph's runs part: when something happens in one that does not in another.
//!
//! What a file says of the time before an instant is the file without the faults that begin at it or later, and without what
//! becomes of the arrivals from there on. Files that say the same of it have a trunk in common: it is run with nothing of the rest
//! pending, to the end of the last window before that instant; a branch schedules its own faults, takes its own rates, and tells
//! its own stretches apart. So whoever looks at a run early has a trunk, too, of that run alone.
//!
//! That is the same to the byte. At one instant faults are a class of their own, and those of the file are scheduled before all
//! else; pending when the trunk ends are only ends of earlier ones, which come first in the file, unless a fault comes and goes or
//! builds up, or a replica that died of its load returns: those graphs have no trunk where anything is left out. The
//! next arrival is drawn already, so a branch must have the rate that it was drawn at. What a crash would have to find (who is
//! in whose hands) is listed from the start or never, so a branch that lists otherwise is not of this tree.
//!
//! What callers do about failures makes no difference before there is one: files that differ in what they retry, and when, have one
//! key, and part only where an attempt has failed before the trunk ends.

use super::follow::Deaf;
use super::plan::Plan;
use super::spec::GraphSpec;
use super::state::{Edge, Graph};
use super::stats::EdgeStats;
use super::{build, report};
use crate::RunSpec;
use crate::branch::Trunk;
use crate::drive::{self, Halted};
use crate::experiment::{Decode, Map};
use crate::fault::Effect;
use crate::policy::guards::Gates;
use crate::run::{Observer, RunOptions, RunOutput};
use crate::workload::Schedule;
use sim_core::digest::{Digester, INPUT};
use sim_core::{Limits, SimTime, Streams};

/// A graph of more edges is not copied: each has a few histograms, and they are the most of it.
const MOST_EDGES: usize = 64;
/// What an edge takes for each stretch that it tells apart.
const EDGE: u64 = 512 << 10;
/// What a call in flight takes, and its attempt, its timer and its place in a queue.
const CALL: u64 = 256;

type Halt = Halted<Graph<Deaf>>;

/// What a trunk keeps.
struct State {
    halted: Halt,
    /// What a file must say of retries to go on from there; none if nobody had to.
    retries: Option<u64>,
}

/// What a file says of the time before an instant; none where that cannot be told apart.
fn until(spec: &GraphSpec, instant: SimTime) -> Option<GraphSpec> {
    let calls = spec.services.values().flat_map(|service| &service.calls).map(|step| step.calls.len());
    // What fails at random has its numbers after the faults of the file.
    if spec.workload.len() + calls.sum::<usize>() > MOST_EDGES || spec.fails_at_random() || spec.is_repaired()
    {
        return None;
    }
    let mut early = spec.clone();
    early.faults.truncate(spec.faults.iter().take_while(|fault| fault.at < instant).count());
    let left_out = &spec.faults[early.faults.len()..];
    let simple = spec.services.iter().all(|(_, service)| !service.may_die())
        && early.faults.iter().all(|fault| fault.is_steady())
        && left_out.iter().all(|fault| fault.at >= instant)
        // Who starts, or leaves, does so in its own time.
        && spec.services.values().all(|service| !service.is_ready_later() && !service.is_taken_down())
        && spec.faults.iter().all(|fault| !matches!(fault.effect, Effect::Drain { .. }));
    if !left_out.is_empty() && !simple {
        return None;
    }
    for workload in &mut early.workload {
        workload.arrivals = workload.arrivals.until(instant);
    }
    Some(early)
}

/// What runs have in common that begin as one and differ from an instant on.
pub fn key(spec: &GraphSpec, run: &RunSpec, options: &RunOptions, before: SimTime) -> Option<u64> {
    Some(key_of(&until(spec, before)?, run, options, before))
}

fn key_of(early: &GraphSpec, run: &RunSpec, options: &RunOptions, before: SimTime) -> u64 {
    let mut digester = Digester::new(INPUT);
    // Policies by what they say to whom, and not by their names.
    for edge in &Plan::new(early).edges {
        digester.text(&edge.name);
        digester.word(edge.clients_of as u64);
        edge.policy.before_failures().encode().feed(&mut digester);
    }
    let mut rest = early.clone();
    rest.policies = Map::default();
    rest.workload.iter_mut().for_each(|workload| workload.policy = None);
    let steps = rest.services.values_mut().flat_map(|service| &mut service.calls);
    steps.flat_map(|step| &mut step.calls).for_each(|call| call.policy = None);
    rest.encode().feed(&mut digester);
    let within = run.within.map_or(u64::MAX, |within| within.as_nanos());
    for word in [run.window.as_nanos(), run.warm_up.as_nanos(), within, before.as_nanos()] {
        digester.word(word);
    }
    let Limits { events, events_at_one_instant } = options.limits;
    for word in [options.seed, options.engine as u64, events, events_at_one_instant, options.max_in_flight] {
        digester.word(word);
    }
    digester.finish()
}

fn policies_of(plan: &Plan) -> u64 {
    let mut digester = Digester::new(INPUT);
    plan.edges.iter().for_each(|edge| edge.policy.encode().feed(&mut digester));
    digester.finish()
}

/// The state at the end of the last window before an instant, on from an earlier one if there is that.
pub fn trunk(
    spec: &GraphSpec,
    run: &RunSpec,
    options: &RunOptions,
    observer: Observer,
    from: Option<&Trunk>,
    before: SimTime,
) -> Option<Trunk> {
    if options.trace.is_some() || options.record.is_some() {
        return None;
    }
    let early = until(spec, before)?;
    let (plan, streams) = (Plan::new(&early), Streams::new(options.seed));
    let halted = match from {
        Some(trunk) => branch(spec, &plan, trunk, run, options, &streams)?,
        None => drive::start(options, &streams, |streams| built(spec, &plan, run, options, streams)),
    };
    let until = drive::last_window(run, halted.reached, before)?;
    let halted: Halt = drive::halt(halted, run, observer, until)?;
    let graph = halted.simulation.model();
    let retries = (!graph.nothing_failed()).then(|| policies_of(&plan));
    let stretches: usize = graph.edges.iter().map(|edge| edge.stats.began.len() + 1).sum();
    let bytes = stretches as u64 * EDGE + graph.calls.most().max(graph.attempts.most()) * CALL;
    Some(Trunk::new(key_of(&early, run, options, before), before, bytes, State { halted, retries }))
}

/// Goes on from there as this file says.
pub fn run_from(
    spec: &GraphSpec,
    trunk: &Trunk,
    run: &RunSpec,
    options: &RunOptions,
    observer: Observer,
) -> Option<RunOutput> {
    if options.trace.is_some() || options.record.is_some() {
        return None;
    }
    let (plan, streams) = (Plan::new(spec), Streams::new(options.seed));
    let halted = branch(spec, &plan, trunk, run, options, &streams)?;
    Some(drive::go_on(halted, &streams, run, observer, |graph, reached, output| {
        report::fill(&plan, run, graph, reached, output);
    }))
}

/// What a plan of this file, or of what it says of some time, amounts to: it lists what a crash of the whole would have to find.
fn built(
    spec: &GraphSpec,
    plan: &Plan,
    run: &RunSpec,
    options: &RunOptions,
    streams: &Streams,
) -> Graph<Deaf> {
    let mut graph: Graph<Deaf> = build::build(plan, run, options, streams);
    if plan.spec.faults.len() < spec.faults.len() {
        graph.list_as(build::build(&Plan::new(spec), run, options, streams));
    }
    graph
}

/// A copy of the state, with all that a plan of this file has besides.
fn branch(
    spec: &GraphSpec,
    plan: &Plan,
    trunk: &Trunk,
    run: &RunSpec,
    options: &RunOptions,
    streams: &Streams,
) -> Option<Halt> {
    let State { halted: state, retries } = trunk.state()?;
    if key(plan.spec, run, options, trunk.before)? != trunk.key
        || retries.is_some_and(|retries| retries != policies_of(plan))
        || state.reached >= SimTime::ZERO + run.duration
    {
        return None;
    }
    let built = built(spec, plan, run, options, streams);
    if !state.simulation.model().is_begun_as(&built, state.reached) {
        return None;
    }
    let mut halted = state.clone();
    let (graph, ctx) = halted.simulation.parts();
    let known = graph.faults.len();
    graph.go_on_as(built, state.reached);
    graph.schedule_faults(known, ctx);
    Some(halted)
}

impl Graph<Deaf> {
    /// Whether no attempt has failed, in a graph whose windows are closed.
    fn nothing_failed(&self) -> bool {
        let well = |edge: &Edge| {
            let EdgeStats { started, sent, windows, .. } = &edge.stats;
            started == sent && windows.failed.iter().all(|failed| *failed == 0)
        };
        self.edges.iter().all(well) && self.calls.iter().all(|(_, call)| call.live.is_some())
    }

    /// Whether another would be in this state by now.
    fn is_begun_as(&self, other: &Self, now: SimTime) -> bool {
        let mortal = |graph: &Self| graph.services.iter().map(|one| one.mortal).collect::<Vec<_>>();
        let listed = |graph: &Self| graph.edges.iter().map(|one| one.listed).collect::<Vec<_>>();
        let stretches =
            |graph: &Self| graph.next_stretches.iter().copied().filter(|at| *at <= now).collect::<Vec<_>>();
        let schedules = self.workloads.iter().zip(&other.workloads);
        mortal(self) == mortal(other)
            && listed(self) == listed(other)
            && stretches(self) == stretches(other)
            && schedules.map(|(one, other)| (&one.schedule, &other.schedule)).all(|pair| match pair {
                (Some(one), Some(other)) => Schedule::is_begun_as(one, other),
                (one, other) => one.is_none() && other.is_none(),
            })
    }

    /// Lists what a crash would have to find in another.
    fn list_as(&mut self, other: Self) {
        let services = self.services.iter_mut().zip(other.services);
        services.for_each(|(one, other)| (one.mortal, one.attended) = (other.mortal, other.attended));
        for (one, other) in self.edges.iter_mut().zip(other.edges) {
            one.listed = other.listed;
            one.gates = one.gates.with(Gates::LISTED, one.is_listed());
        }
    }

    /// From here on what strikes, who comes, and what is told apart is as in another.
    fn go_on_as(&mut self, other: Self, now: SimTime) {
        self.faults.extend(other.faults.into_iter().skip(self.faults.len()));
        self.next_stretches = other.next_stretches;
        for (edge, other) in self.edges.iter_mut().zip(other.edges) {
            let told_apart = other.stats.began.len().max(edge.stats.began.len());
            edge.stats.began.resize_with(told_apart, Default::default);
            if let (Some(cohorts), Some(other)) = (&mut edge.stats.cohorts, &other.stats.cohorts) {
                cohorts.struck_as(other, now);
            }
            edge.link.tell(other.link.tells());
            edge.take_policy(other);
        }
        for (workload, other) in self.workloads.iter_mut().zip(other.workloads) {
            if let (Some(schedule), Some(other)) = (&mut workload.schedule, other.schedule) {
                schedule.go_on_as(other);
            }
        }
    }
}
