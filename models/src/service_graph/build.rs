//! From what the user wrote, checked, to what runs.

use super::arrivals::Schedule;
use super::fault::{Fault, Target};
use super::follow::Listen;
use super::measure::{EdgeStats, ServiceStats};
use super::slab::Slab;
use super::spec::*;
use super::state::*;
use crate::RunSpec;
use crate::distribution::TimeDistribution;
use crate::experiment::Spanned;
use crate::policy::Policy;
use crate::policy::breaker::Scope;
use crate::policy::retry::RetryPlan;
use crate::run::RunOptions;
use crate::theory::Usl;
use sim_core::stats::TimeIntegral;
use sim_core::{Key, SimTime, Streams, Words, digest};
use std::collections::{BTreeMap, VecDeque};

/// An edge as the file describes it.
pub struct EdgePlan<'a> {
    pub name: String,
    pub caller: Caller,
    pub callee: usize,
    /// `None` waits for ever and never retries.
    pub policy_name: Option<&'a str>,
    pub policy: Policy,
    pub network: &'a TimeDistribution,
    /// The call site; `None` for a workload.
    pub call: Option<&'a CallSpec>,
}

/// Whether a workload's requests make this call at all.
pub fn concerns(spec: &GraphSpec, plan: &EdgePlan, workload: usize) -> bool {
    let Some(call) = plan.call else { return plan.caller == Caller::Workload(workload as u32) };
    let named = |name: &str| spec.workload_number(name) == Some(workload as u32);
    call.only_from.is_empty() || call.only_from.iter().any(|name| named(&name.value))
}

/// Every edge: the workloads' first, then each service's in the order of its calls. A second call site
/// between the same two services is called `a->b#2`. The names must have been checked.
pub fn edges(spec: &GraphSpec) -> Vec<EdgePlan<'_>> {
    let mut plans = Vec::new();
    let mut between = BTreeMap::new();
    for (number, workload) in spec.workload.iter().enumerate() {
        let caller = (Caller::Workload(number as u32), workload.name.value.as_str());
        let to = &workload.to.value;
        plans.push(edge(spec, &mut between, caller, to, &workload.policy, &workload.network, None));
    }
    for (number, (name, service)) in spec.services.iter().enumerate() {
        for call in service.calls.iter().flat_map(|step| &step.calls) {
            let caller = (Caller::Service(number as u32), name);
            let to = &call.to.value;
            plans.push(edge(spec, &mut between, caller, to, &call.policy, &call.network, Some(call)));
        }
    }
    plans
}

/// `between` counts the edges so far between any two.
fn edge<'a>(
    spec: &'a GraphSpec,
    between: &mut BTreeMap<(Caller, usize), u32>,
    (caller, from): (Caller, &str),
    to: &str,
    policy: &'a Option<Spanned<String>>,
    network: &'a Option<TimeDistribution>,
    call: Option<&'a CallSpec>,
) -> EdgePlan<'a> {
    let callee = spec.services.index_of(to).expect("checked: the service exists");
    let same = between.entry((caller, callee)).or_default();
    *same += 1;
    let suffix = if *same == 1 { String::new() } else { format!("#{same}") };
    let policy_name = policy.as_ref().map(|name| name.value.as_str());
    let named = |name| spec.policies.get(name).expect("checked: the policy exists").clone();
    EdgePlan {
        name: format!("{from}->{to}{suffix}"),
        caller,
        callee,
        policy_name,
        policy: policy_name.map_or_else(Policy::default, named),
        network: network.as_ref().unwrap_or(&spec.network),
        call,
    }
}

/// The graph, ready to begin.
pub fn build<L: Listen>(spec: &GraphSpec, run: &RunSpec, options: &RunOptions) -> Graph<L> {
    let streams = Streams::new(options.seed);
    let plans = edges(spec);
    let services: Vec<Service> = spec
        .services
        .iter()
        .enumerate()
        .map(|(number, (name, service))| build_service(number, name, service, spec, &plans, &streams))
        .collect();
    let built: Vec<Edge> = plans.iter().map(|plan| build_edge(plan, spec, &streams)).collect();
    let measured_from = SimTime::ZERO + run.warm_up;
    Graph {
        listener: L::new(options.trace.as_ref(), &built, measured_from),
        workloads: spec.workload.iter().enumerate().map(|(n, w)| build_workload(n, w, &streams)).collect(),
        faults: spec
            .faults
            .iter()
            .enumerate()
            .map(|(n, f)| build_fault(n, f, spec, &plans, &streams))
            .collect(),
        edges: built,
        services,
        calls: Slab::default(),
        attempts: Slab::default(),
        ready: Vec::new(),
        measured_from,
        max_in_flight: options.max_in_flight,
    }
}

fn build_workload(number: usize, workload: &WorkloadSpec, streams: &Streams) -> Workload {
    let name = &workload.name.value;
    let (users, think) = match &workload.arrivals {
        Arrivals::ClosedLoop { users, think } => {
            (vec![0; *users as usize], Some((think.nanos.clone(), streams.luck("think", name))))
        }
        _ => (Vec::new(), None),
    };
    Workload {
        name: name.clone(),
        path: digest::hash_text(name),
        edge: number as u32,
        clients: workload.clients,
        calls: 0,
        next_key: Key::root(digest::hash_text(name), 0),
        arrivals: streams.luck("arrivals", name),
        spread: streams.luck("spread", name),
        schedule: Schedule::new(&workload.arrivals),
        users,
        think,
    }
}

fn build_edge(plan: &EdgePlan, spec: &GraphSpec, streams: &Streams) -> Edge {
    let name = &plan.name;
    let clients = match plan.caller {
        Caller::Workload(number) => spec.workload[number as usize].clients,
        Caller::Service(number) => spec.service(number as usize).replicas,
    };
    let callee = spec.service(plan.callee);
    // Behind a shared queue whoever is free takes the next request: the caller has nothing to choose.
    let choices = if matches!(callee.queue, Queue::SharedFifo { .. }) { 1 } else { callee.replicas };
    let path = digest::hash_text(name);
    let mut pick = streams.luck("pick", name);
    let clients = (0..clients)
        .map(|client| Client::new(&plan.policy, choices, &mut pick.at(Key::root(path, u64::from(client)))));
    let clients = clients.collect();
    let latency = &plan.network.nanos;
    let network = if latency.mean() == 0.0 {
        Network::Instant
    } else if latency.variance() == 0.0 {
        Network::Constant(plan.network.mean())
    } else {
        let (out, back) = (streams.luck("request", name), streams.luck("reply", name));
        Network::Random { latency: latency.clone(), out, back }
    };
    let patience = match &plan.policy.deadline {
        None => Patience::Endless,
        Some(deadline) => deadline.fixed().map_or_else(
            || Patience::Random { time: deadline.nanos.clone(), luck: streams.luck("patience", name) },
            Patience::Fixed,
        ),
    };
    Edge {
        name: name.clone(),
        path,
        caller: plan.caller,
        callee: plan.callee as u32,
        retry: RetryPlan::new(&plan.policy.retry),
        breaker_per_call: plan.policy.breaker.as_ref().is_some_and(|b| matches!(b.scope(), Scope::Call)),
        choices,
        policy: plan.policy.clone(),
        clients,
        network,
        patience,
        jitter: streams.luck("jitter", name),
        pick,
        drop_luck: streams.luck("drop", name),
        drop: 0.0,
        holding: false,
        held: Vec::new(),
        breakers_open: 0,
        stats: EdgeStats::default(),
    }
}

fn build_service(
    number: usize,
    name: &str,
    service: &ServiceSpec,
    spec: &GraphSpec,
    plans: &[EdgePlan],
    streams: &Streams,
) -> Service {
    let workers = service.workers.count();
    let (capacity, drop_expired) = match service.queue {
        Queue::Fifo { capacity, drop_expired }
        | Queue::Lifo { capacity, drop_expired }
        | Queue::SharedFifo { capacity, drop_expired } => (capacity, drop_expired),
    };
    let own = Caller::Service(number as u32);
    // Edges stand in the order of their callers.
    let mut own_edges = plans.iter().enumerate().skip(plans.partition_point(|plan| plan.caller < own));
    let mut site = |call: &CallSpec| {
        let (edge, plan) = own_edges.next().expect("every call has an edge");
        Site {
            number: digest::hash_text(&plan.name),
            edge: edge as u32,
            probability: call.probability,
            times: call.times,
            optional: call.optional,
            only_from: call.only_from.iter().filter_map(|name| spec.workload_number(&name.value)).collect(),
            luck: streams.luck("whether", &plan.name),
        }
    };
    let plan_step =
        |step: &Step| StepPlan { parallel: step.parallel, sites: step.calls.iter().map(&mut site).collect() };
    let replica = || Replica {
        down: 0,
        silent: false,
        slow: 1.0,
        errors: 0.0,
        black_hole: false,
        in_hand: 0,
        queue: VecDeque::new(),
        waiting: TimeIntegral::default(),
        busy: TimeIntegral::default(),
        waited: 0,
        held: 0,
    };
    Service {
        name: name.to_owned(),
        path: digest::hash_text(name),
        replicas: (0..service.replicas).map(|_| replica()).collect(),
        workers,
        blocking: matches!(service.workers, Workers::Blocking(_)),
        last_in_first_out: matches!(service.queue, Queue::Lifo { .. }),
        shared_queue: matches!(service.queue, Queue::SharedFifo { .. }),
        capacity: match capacity {
            Capacity::Bounded(places) => places as usize,
            Capacity::Unbounded => usize::MAX,
        },
        drop_expired,
        work: service.work.nanos.clone(),
        work_luck: streams.luck("work", name),
        scaling: service.scaling.law(),
        error_rate: service.error_rate,
        error_luck: streams.luck("errors", name),
        steps: service.calls.iter().map(plan_step).collect(),
        fatal_in_hand: service.dies.as_ref().map(Death::fatal_in_hand),
        restart_after: service.dies.as_ref().map(|death| death.restart_after).unwrap_or_default(),
        death_style: service.dies.as_ref().map_or(CrashStyle::Reset, |death| death.callers.clone()),
        stats: ServiceStats::new(u64::from(workers) * u64::from(service.replicas)),
    }
}

impl GraphSpec {
    /// The service of this number.
    pub fn service(&self, number: usize) -> &ServiceSpec {
        self.services.at(number).expect("a service by its number").1
    }

    /// Its name.
    pub fn name(&self, number: usize) -> &str {
        &self.services.at(number).expect("a service by its number").0.value
    }

    /// The number of a workload by its name.
    pub fn workload_number(&self, name: &str) -> Option<u32> {
        self.workload.iter().position(|workload| workload.name.value == name).map(|number| number as u32)
    }
}

impl Scaling {
    /// The law, if there is one.
    pub fn law(&self) -> Option<Usl> {
        match *self {
            Scaling::Independent => None,
            Scaling::Usl { contention, coherency } => Some(Usl { contention, coherency }),
        }
    }
}

impl Death {
    /// The number of requests in hand that a replica does not survive.
    pub fn fatal_in_hand(&self) -> u32 {
        let by_memory = self.at_memory.map(|limit| {
            let room = limit.0.saturating_sub(self.memory_idle.0);
            u32::try_from(room / self.memory_per_request.0.max(1) + 1).unwrap_or(u32::MAX)
        });
        self.at_in_flight.unwrap_or(u32::MAX).min(by_memory.unwrap_or(u32::MAX))
    }
}

fn build_fault(
    number: usize,
    fault: &FaultSpec,
    spec: &GraphSpec,
    plans: &[EdgePlan],
    streams: &Streams,
) -> Fault {
    let on = &fault.on.value;
    let target = match spec.services.index_of(on) {
        Some(service) if fault.effect.is_network() => {
            let into = plans.iter().enumerate().filter(|(_, plan)| plan.callee == service);
            Target::Edges(into.map(|(edge, _)| edge as u32).collect())
        }
        Some(service) => {
            let replicas = spec.service(service).replicas;
            let path = format!("{on}/{number}");
            Target::Replicas {
                service: service as u32,
                replicas: fault.replicas.chosen(replicas, &path, streams),
            }
        }
        None => {
            let edge = plans.iter().position(|plan| plan.name == *on).expect("checked: a service or an edge");
            Target::Edges(vec![edge as u32])
        }
    };
    Fault {
        path: digest::hash_text(on),
        from: fault.at,
        to: fault.r#for.map(|length| fault.at + length),
        effect: fault.effect.clone(),
        target,
        active: false,
    }
}

impl Affected {
    /// The replicas struck, of so many.
    fn chosen(&self, replicas: u32, path: &str, streams: &Streams) -> Vec<u32> {
        match self {
            Affected::All => (0..replicas).collect(),
            Affected::Only(numbers) => {
                let mut numbers = numbers.clone();
                numbers.sort_unstable();
                numbers.dedup();
                numbers
            }
            Affected::Fraction(share) => {
                let wanted = ((share * f64::from(replicas)).round() as u32).clamp(1, replicas);
                let mut luck = streams.luck("struck", path);
                let mut order: Vec<u32> = (0..replicas).collect();
                order.sort_by_key(|&replica| luck.at(Key::root(0, u64::from(replica))).next_u64());
                order.truncate(wanted as usize);
                order.sort_unstable();
                order
            }
        }
    }
}
