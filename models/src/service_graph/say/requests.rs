//! Which requests a fault strikes, where it is not all of them: whether there are any.

use crate::experiment::{Decoder, did_you_mean};
use crate::fault::{Requests, SomeKeys};
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::{FaultSpec, Only, WorkloadSpec};

/// Whose requests they are is known, and some of those come to where the fault is.
pub fn check(plan: &Plan, cx: &mut Decoder) {
    let faults = plan.spec.faults.iter().enumerate();
    for (number, fault) in faults.filter(|(_, fault)| fault.effect.is_of_requests()) {
        let Some(requests) = &fault.requests else { continue };
        cx.at("faults", |cx| {
            cx.at_index(number, |cx| {
                cx.at("requests", |cx| {
                    if check_names(plan, requests, cx) {
                        check_any(plan, fault, requests, cx);
                    }
                })
            })
        });
    }
}

/// Whether there are those of whom it speaks.
fn check_names(plan: &Plan, requests: &Requests, cx: &mut Decoder) -> bool {
    let (graph, tenants) = (plan.spec, plan.spec.tenants());
    let mut sound = true;
    for name in requests.only_from.iter().filter(|name| graph.workload_number(&name.value).is_none()) {
        let known = graph.workload.iter().map(|workload| workload.name.value.as_str());
        let help = cx.suggest(&name.value, "the workloads are", known);
        cx.at("only_from", |cx| {
            _ = cx.error(name.span, format!("unknown workload `{}`", name.value)).help(help)
        });
        sound = false;
    }
    for name in requests.tenants.iter().filter(|name| tenants.number(&name.value).is_none()) {
        let called: Vec<String> = tenants.called().collect();
        let help = match called.is_empty() {
            true => {
                format!("say whose requests are: tenants: Named({{\"{}\": 1, ..}}) of a workload", name.value)
            }
            false => did_you_mean(&name.value, "the tenants are", called.iter().map(String::as_str)),
        };
        cx.at("tenants", |cx| _ = cx.error(name.span, format!("unknown tenant `{}`", name.value)).help(help));
        sound = false;
    }
    sound
}

/// Whether any request can be struck: workloads whose requests come there, of which all holds that is said.
fn check_any(plan: &Plan, fault: &FaultSpec, requests: &Requests, cx: &mut Decoder) {
    let (graph, on, span) = (plan.spec, &fault.on.value, fault.on.span);
    let mut nobody = |field: &str, why: String, help: &str| {
        cx.at(field, |cx| _ = cx.warn(span, format!("never acts: {why}")).help(help));
    };
    let named = |workload: &WorkloadSpec| {
        let names = &requests.only_from;
        names.is_empty() || names.iter().any(|name| name.value == workload.name.value)
    };
    let struck = |service: usize| match fault.place() {
        Some(place) if graph.services.get(on).is_none() => !graph.standing_in(place, service).is_empty(),
        _ => graph.services.index_of(on) == Some(service),
    };
    let comes = |workload: &&WorkloadSpec| {
        let of = |it: &WorkloadSpec| f64::from(u8::from(it.name.value == workload.name.value));
        let calls = plan.calls(of, |_| 1.0, 1.0);
        plan.edges.iter().zip(calls).any(|(edge, calls)| calls > 0.0 && struck(edge.callee))
    };
    let there: Vec<&WorkloadSpec> = graph.workload.iter().filter(|it| named(it)).filter(comes).collect();
    if there.is_empty() {
        let help = "name a workload whose requests come there, or a service that they come to";
        return nobody("only_from", format!("no request of theirs comes to `{on}`"), help);
    }
    let has = |workload: &&&WorkloadSpec| match (requests.only, workload.writes.unwrap_or(0.0)) {
        (Some(Only::Writes), share) => share > 0.0,
        (Some(Only::Reads), share) => share < 1.0,
        (None, _) => true,
    };
    let there: Vec<&WorkloadSpec> = there.iter().filter(has).copied().collect();
    if there.is_empty() {
        let (why, help) = match requests.only {
            Some(Only::Writes) => {
                ("no request that comes there is a write", "say which share is, with `writes` of a workload")
            }
            _ => ("every request that comes there is a write", "`writes` below 1, or leave `only` out"),
        };
        return nobody("only", why.into(), help);
    }
    let tenants: Vec<u32> =
        requests.tenants.iter().filter_map(|name| graph.tenants().number(&name.value)).collect();
    let is_theirs = |workload: &&&WorkloadSpec| {
        let Some(says) = &workload.tenants else { return tenants.is_empty() };
        let own = graph.tenants().numbers(says);
        let has = |number: &u32| if own.is_empty() { *number < says.count() } else { own.contains(number) };
        tenants.is_empty() || tenants.iter().any(has)
    };
    let there: Vec<&WorkloadSpec> = there.iter().filter(is_theirs).copied().collect();
    if there.is_empty() {
        let help = "name tenants of a workload whose requests do";
        return nobody("tenants", "no request that comes there is of these tenants".into(), help);
    }
    let keys = there.iter().filter_map(|workload| workload.keys.as_ref());
    let Some(most) = keys.map(|keys| keys.count()).max() else {
        if requests.keys.is_some() {
            let help = "say which, with `keys` of a workload, such as Uniform(1000)";
            nobody("keys", "no request that comes there is about a key".into(), help);
        }
        return;
    };
    if let Some(SomeKeys::Only(numbers)) = &requests.keys
        && let Some(beyond) = numbers.iter().find(|key| **key >= most)
    {
        let message = format!("no request is about key {beyond}: they are 0 to {}", most - 1);
        cx.at("keys", |cx| _ = cx.error(span, message).help("the most wanted is key 0"));
    }
}
