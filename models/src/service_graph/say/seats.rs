//! Where a policy can be put: every edge, and the setting that names what it follows.

use crate::experiment::Decode;
use crate::policy::Policy;
use crate::policy::preset::Seat;
use crate::service_graph::plan::Plan;

/// Every edge, those of workloads first.
pub fn seats(plan: &Plan) -> Vec<Seat> {
    let spec = plan.spec;
    let of_users = (0..spec.workload.len()).map(|number| format!("workload[{number}].policy"));
    let inside = spec.services.iter().flat_map(|(name, service)| {
        let calls = service.calls.iter().enumerate().flat_map(move |(at, step)| {
            let one = move |number| match step.parallel {
                true => format!("services.{name}.calls[{at}].calls[{number}]"),
                false => format!("services.{name}.calls[{at}]"),
            };
            step.calls.iter().enumerate().map(move |(number, call)| (one(number), call.instead().is_some()))
        });
        let calls: Vec<(String, bool)> = calls.collect();
        let instead = calls.clone().into_iter().filter(|(_, instead)| *instead);
        let instead = instead.map(|(call, _)| format!("{call}.fallback.policy"));
        calls.into_iter().map(|(call, _)| format!("{call}.policy")).chain(instead)
    });
    let paths: Vec<String> = of_users.chain(inside).collect();
    assert_eq!(paths.len(), plan.edges.len(), "an edge for each workload and each call");
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
