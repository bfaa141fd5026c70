//! The graph as a picture.

use super::explain::plain;
use crate::diagram::{Diagram, Link, Node, NodeKind, time};
use crate::policy::Policy;
use crate::policy::balancer::Balancer;
use crate::policy::retry::RetryPlan;
use crate::service_graph::plan::{Caller, EdgePlan, Plan};
use crate::service_graph::spec::*;

/// Workloads and services, with the edges between them.
pub fn diagram(plan: &Plan) -> Diagram {
    let spec = plan.spec;
    let workloads = spec.workload.len();
    let mut nodes: Vec<Node> = spec.workload.iter().map(users).collect();
    nodes.extend(spec.services.iter().map(|(name, service)| self::service(name, service)));
    let mut links: Vec<Link> = plan.edges.iter().map(|edge| link(edge, workloads)).collect();
    for fault in &spec.faults {
        let said = fault_words(fault);
        match spec.services.index_of(&fault.on.value) {
            Some(service) if fault.effect.is_network() => {
                let into = links.iter_mut().filter(|link| link.to == workloads + service);
                into.for_each(|link| link.faults.push(said.clone()));
            }
            Some(service) => nodes[workloads + service].faults.push(said),
            None => {
                let edge = links.iter_mut().find(|link| link.name == fault.on.value);
                edge.expect("checked: a service or an edge").faults.push(said);
            }
        }
    }
    Diagram { nodes, links, notes: Vec::new() }
}

fn users(workload: &WorkloadSpec) -> Node {
    let mut facts = vec![workload.arrivals.brief()];
    facts.extend((workload.clients > 1).then(|| format!("{} clients", workload.clients)));
    Node { name: workload.name.value.clone(), kind: NodeKind::Users, facts, faults: Vec::new() }
}

fn service(name: &str, service: &ServiceSpec) -> Node {
    let (kind, capacity) = match service.queue {
        Queue::Fifo { capacity, .. } => ("queue", capacity),
        Queue::Lifo { capacity, .. } => ("last-in-first-out queue", capacity),
        Queue::SharedFifo { capacity, .. } => ("shared queue", capacity),
    };
    let places = match capacity {
        Capacity::Bounded(0) => "no queue".into(),
        Capacity::Bounded(places) => format!("{kind} of {places}"),
        Capacity::Unbounded => format!("{kind}, unbounded"),
    };
    let workers = match service.workers {
        Workers::Blocking(1) => "1 blocking worker".into(),
        Workers::Blocking(count) => format!("{count} blocking workers"),
        Workers::Async(1) => "1 worker".into(),
        Workers::Async(count) => format!("{count} workers"),
    };
    let replicas = match service.replicas {
        1 => workers,
        count => format!("{count} replicas of {workers}"),
    };
    let mut facts = vec![replicas, places, format!("work {}", time(&service.work))];
    facts.extend(
        (service.error_rate > 0.0).then(|| format!("errors {}", crate::report::percent(service.error_rate))),
    );
    let dies = service.dies.as_ref();
    facts.extend(dies.map(|death| format!("dies at {} in hand", death.fatal_in_hand())));
    Node { name: name.to_owned(), kind: NodeKind::Service, facts, faults: Vec::new() }
}

fn link(edge: &EdgePlan, workloads: usize) -> Link {
    let from = match edge.caller {
        Caller::Workload(number) => number as usize,
        Caller::Service(number) => workloads + number as usize,
    };
    let mut facts: Vec<String> = edge.policy_name.map(|name| format!("policy {name}")).into_iter().collect();
    facts.extend(policy(&edge.policy));
    if edge.network.nanos.mean() > 0.0 {
        facts.push(format!("network {}", time(edge.network)));
    }
    if let Some(call) = edge.call {
        facts.extend(
            (call.probability < 1.0).then(|| format!("in {}", crate::report::percent(call.probability))),
        );
        facts.extend((call.times > 1).then(|| format!("{} times", call.times)));
        facts.extend(call.optional.then(|| "optional".to_owned()));
        let only: Vec<&str> = call.only_from.iter().map(|name| name.value.as_str()).collect();
        facts.extend((!only.is_empty()).then(|| format!("only for {}", only.join(", "))));
    }
    Link { from, to: workloads + edge.callee, name: edge.name.clone(), facts, ..Link::default() }
}

/// What a policy does, where it does anything.
fn policy(policy: &Policy) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(policy.timeout.map(|timeout| format!("timeout {timeout}")));
    facts.extend(policy.deadline.as_ref().map(|deadline| format!("deadline {}", plain(deadline))));
    let attempts = RetryPlan::new(&policy.retry).attempts();
    facts.extend((attempts > 1).then(|| format!("up to {attempts} attempts")));
    facts.extend(policy.budget.as_ref().map(|budget| format!("budget {}", plain(budget))));
    facts.extend(policy.breaker.is_some().then(|| "breaker".to_owned()));
    facts.extend(
        policy.bulkhead.as_ref().map(|bulkhead| format!("at most {} at once", bulkhead.max_concurrent)),
    );
    facts.extend((!matches!(policy.balancer, Balancer::RoundRobin)).then(|| plain(&policy.balancer)));
    facts
}

/// `slow, 5 times, 60s to 90s`.
fn fault_words(fault: &FaultSpec) -> String {
    let how = match fault.effect {
        Effect::Slow { factor } => format!(", {factor} times"),
        Effect::Errors { probability } | Effect::Drop { probability } => {
            format!(" {}", crate::report::percent(probability))
        }
        _ => String::new(),
    };
    let which = match &fault.replicas {
        _ if fault.effect.is_network() => String::new(),
        Affected::All => String::new(),
        Affected::Only(numbers) => {
            format!(", replicas {}", numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
        }
        Affected::Fraction(share) => format!(", {} of the replicas", crate::report::percent(*share)),
    };
    let until = fault.r#for.map_or("the end".into(), |length| (fault.at + length).to_string());
    format!("{}{how}{which}, {} to {until}", fault.effect.name(), fault.at)
}
