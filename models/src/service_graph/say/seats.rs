//! Where a policy can be put: every edge, and the setting that names what it follows.

use crate::experiment::Decode;
use crate::policy::Policy;
use crate::policy::preset::Seat;
use crate::service_graph::plan::{Caller, EdgePlan, Plan};

/// Every edge, those of workloads first. Who checks replicas does so as the check says.
pub fn seats(plan: &Plan) -> Vec<Seat> {
    let spec = plan.spec;
    let of_users = (0..spec.workload.len()).map(|number| format!("workload[{number}]"));
    let inside = spec.services.iter().flat_map(|(name, service)| {
        let calls = service.calls.iter().enumerate().flat_map(move |(at, step)| {
            let one = move |number| match step.parallel {
                true => format!("services.{name}.calls[{at}].calls[{number}]"),
                false => format!("services.{name}.calls[{at}]"),
            };
            step.calls.iter().enumerate().map(move |(number, _)| one(number))
        });
        calls.collect::<Vec<_>>()
    });
    // What says the calls of an edge: itself in the file, or a call that needs another.
    let mut said = of_users.chain(inside);
    let own = |edge: &EdgePlan| edge.instead_of.is_none() && edge.callback_of.is_none();
    let mut own = |edge: &EdgePlan| own(edge).then(|| said.next().expect("each call is said"));
    let checked = |edge: &EdgePlan| matches!(edge.caller, Caller::Checks(_));
    let said: Vec<Option<String>> = plan.edges.iter().filter(|edge| !checked(edge)).map(&mut own).collect();
    let at = |of: Option<usize>| of.and_then(|of| said[of].as_ref());
    let paths = plan.edges.iter().zip(&said).map(|(edge, own)| {
        match (at(edge.instead_of), at(edge.callback_of), own) {
            (Some(call), ..) => format!("{call}.fallback.policy"),
            (_, Some(call), _) => format!("{call}.callback.policy"),
            (.., own) => format!("{}.policy", own.as_ref().expect("it is said itself")),
        }
    });
    let seats = plan.edges.iter().zip(paths).map(|(edge, path)| Seat {
        edge: edge.name.clone(),
        path,
        policy: edge.policy_name.map(String::from),
        settings: settings(&edge.policy),
        attempts: edge.worst.sent(),
        names: spec.policies.names().map(String::from).collect(),
    });
    seats.collect()
}

/// What a policy says that is not so anyway.
fn settings(policy: &Policy) -> Vec<(String, String)> {
    let all = policy.encode();
    let told = all.entries().iter().filter(|entry| !entry.implied);
    told.map(|entry| (entry.key.value.clone(), entry.value.clone().without_absent().to_line())).collect()
}
