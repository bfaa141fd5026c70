//! The graph as a picture.

use crate::diagram::{Diagram, Link, Node, NodeKind, time};
use crate::policy::part::{Around, Does, Part};
use crate::service_graph::plan::{Caller, EdgePlan, Plan};
use crate::service_graph::spec::*;

/// Workloads and services, with the edges between them.
pub fn diagram(plan: &Plan) -> Diagram {
    let spec = plan.spec;
    let workloads = spec.workload.len();
    let mut nodes: Vec<Node> = spec.workload.iter().map(users).collect();
    nodes.extend(spec.services.iter().map(|(name, service)| self::service(name, service)));
    for (number, node) in nodes.iter_mut().enumerate() {
        let places = match number.checked_sub(workloads) {
            None => spec.places_of_workload(number),
            Some(service) => spec.places_of_service(service),
        };
        node.facts.extend(places);
    }
    // Who checks a replica is said of the service.
    let edges = || plan.edges.iter().filter(|edge| !matches!(edge.caller, Caller::Checks(_)));
    let place = |service: usize| plan.order.iter().position(|other| *other == service);
    let back = |edge: &EdgePlan| match edge.caller {
        Caller::Service(caller) => edge.does.any(Does::LOOPS) && place(edge.callee) <= place(caller as usize),
        Caller::Workload(_) | Caller::Checks(_) => false,
    };
    let mut links: Vec<Link> = edges()
        .map(|edge| {
            let link = link(edge, workloads);
            Link { later: link.later || back(edge), ..link }
        })
        .collect();
    for (on, is_network, said) in all_that_strikes(spec) {
        if let Some(place) = crate::fault::place(on) {
            for service in (0..spec.services.len()).filter(|it| !spec.standing_in(place, *it).is_empty()) {
                nodes[workloads + service].faults.push(format!("{on}: {said}"));
            }
            continue;
        }
        match spec.services.index_of(on) {
            Some(service) if is_network => {
                let into = links.iter_mut().filter(|link| link.to == workloads + service);
                into.for_each(|link| link.faults.push(said.clone()));
            }
            Some(service) => nodes[workloads + service].faults.push(said),
            None => {
                let struck = links.iter_mut().zip(edges()).filter(|(_, edge)| edge.is_on(on));
                struck.for_each(|(link, _)| link.faults.push(said.clone()));
            }
        }
    }
    Diagram { nodes, links, notes: briefs(&Around::new("", spec.parts())) }
}

/// Whom something strikes, whether it is the network there, and what is to be said of it.
fn all_that_strikes(spec: &GraphSpec) -> Vec<(&str, bool, String)> {
    let faults = spec
        .faults
        .iter()
        .map(|fault| (fault.on.value.as_str(), fault.effect.is_network(), fault_words(fault)));
    let times = |every, repair| format!("up {}, down {}", time(every), time(repair));
    let failures = spec.failures.iter().map(|(name, failure)| {
        let what = [
            failure.effect.brief(),
            failure.replicas.brief(),
            failure.way.brief(),
            failure.correlation.brief(),
        ];
        let what: Vec<String> = what.into_iter().flatten().collect();
        let said = format!("{name}: {}, {}", what.join(", "), times(&failure.every, &failure.r#for));
        (failure.on.value.as_str(), failure.effect.is_network(), said)
    });
    let held = spec.domains.iter().flat_map(|(name, domain)| {
        domain.holds.iter().map(move |held| {
            let what: Vec<String> = domain.effect.brief().into_iter().chain(held.replicas.brief()).collect();
            let said = format!("{name}: {}, {}", what.join(", "), times(&domain.every, &domain.r#for));
            (held.on.value.as_str(), domain.effect.is_network(), said)
        })
    });
    let set_off = spec.triggers.iter().map(|(name, trigger)| {
        (trigger.on.value.as_str(), trigger.effect.is_network(), format!("{name}: {}", trigger.told()))
    });
    faults.chain(failures).chain(held).chain(set_off).collect()
}

fn users(workload: &WorkloadSpec) -> Node {
    let mut facts = vec![workload.arrivals.brief()];
    facts.extend((workload.clients > 1).then(|| format!("{} clients", workload.clients)));
    Node { name: workload.name.value.clone(), kind: NodeKind::Users, facts, faults: Vec::new() }
}

fn service(name: &str, service: &ServiceSpec) -> Node {
    // Its workers come first, then where requests wait.
    let mut facts = briefs(&service.around(name));
    if service.replicas > 1 {
        facts[0] = format!("{} replicas of {}", service.replicas, facts[0]);
    }
    facts.insert(2, format!("work {}", time(&service.work)));
    Node { name: name.to_owned(), kind: NodeKind::Service, facts, faults: Vec::new() }
}

fn link(edge: &EdgePlan, workloads: usize) -> Link {
    let from = match edge.caller {
        Caller::Workload(number) => number as usize,
        Caller::Service(number) => workloads + number as usize,
        Caller::Checks(_) => unreachable!("said of the service"),
    };
    let mut facts: Vec<String> = edge.policy_name.map(|name| format!("policy {name}")).into_iter().collect();
    facts.extend(briefs(&edge.around()));
    if edge.network.nanos.mean() > 0.0 {
        facts.push(format!("network {}", time(edge.network)));
    }
    facts.extend(edge.instead_of.map(|_| "if another fails".to_owned()));
    facts.extend(edge.callback_of.map(|_| "calls back".to_owned()));
    if let Some(call) = edge.call {
        facts.extend(
            (call.probability < 1.0).then(|| format!("in {}", crate::words::percent(call.probability))),
        );
        facts.extend((call.times > 1).then(|| format!("{} times", call.times)));
        facts.extend(call.optional.then(|| "optional".to_owned()));
        let step = Around::new("", edge.step.map(Step::parts).unwrap_or_default());
        facts.extend(briefs(&step));
        facts.extend(briefs(&Around::new("", call.parts())));
        let only: Vec<&str> = call.only_from.iter().map(|name| name.value.as_str()).collect();
        facts.extend((!only.is_empty()).then(|| format!("only for {}", only.join(", "))));
    }
    let later = edge.callback_of.is_some();
    Link { from, to: workloads + edge.callee, name: edge.name.clone(), facts, later, ..Link::default() }
}

/// What is to be said of each part, where there is anything.
fn briefs(around: &Around) -> Vec<String> {
    around.all().filter_map(|part| part.brief()).collect()
}

/// `slow, 5 times, 60s to 90s, building up over 10s`.
fn fault_words(fault: &FaultSpec) -> String {
    let what = fault.effect.brief().unwrap_or_default();
    let which = fault.replicas.brief().filter(|_| !fault.effect.is_network());
    let which = which.into_iter().chain(fault.brief_reach());
    let which: String = which.map(|which| format!(", {which}")).collect();
    let (until, to) = (fault.until(), if fault.repair.is_some() { "until" } else { "to" });
    let rhythm = fault.brief_rhythm().map(|rhythm| format!(", {rhythm}")).unwrap_or_default();
    format!("{what}{which}, {} {to} {until}{rhythm}", fault.at)
}
