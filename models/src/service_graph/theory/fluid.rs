//! The fluid law of metastable failures: what outlives its cause is decided by loads and capacities alone.
//!
//! A service of capacity `mu` that is offered `lambda` carries it if `lambda < mu`. While every attempt times out,
//! it is asked for `lambda (1 + r)` with `r` retries per call, and if that is more than `mu`, the backlog that
//! makes attempts time out never drains: vulnerable iff `mu / (1 + r) < lambda < mu` (Bronson et al., HotOS 2021).
//! A retry budget allows at most its ratio of retries per call, so `r` is no more than that. A queue that is too
//! short to make anybody wait until the timeout cannot keep anything alive.
//!
//! The law speaks about first-in-first-out queues whose callers retry what times out. It is silent about
//! breakers, bulkheads, queues that skip the expired or serve the newest, servers that block while they call,
//! users who wait for answers, and retries of retries: for those nothing is said.

use crate::RunSpec;
use crate::policy::Policy;
use crate::policy::budget::Budget;
use crate::policy::retry::RetryPlan;
use crate::run::Regime;
use crate::service_graph::plan::{EdgePlan, Plan};
use crate::service_graph::spec::*;

/// What the law makes of this graph; none where it says nothing.
pub fn regime(plan: &Plan, run: &RunSpec) -> Option<Regime> {
    let (spec, edges) = (plan.spec, &plan.edges);
    if spec.workload.iter().any(|workload| workload.arrivals.closed_loop().is_some()) {
        return None;
    }
    let mut offered = vec![0.0; spec.services.len()];
    let mut sustained = offered.clone();
    for (edge, calls) in edges.iter().zip(plan.calls_per_sec(run, |_| 1.0)) {
        offered[edge.callee] += calls;
        sustained[edge.callee] += calls * (1.0 + retries(&edge.policy));
    }
    let services = || spec.services.values().enumerate();
    if services().any(|(number, service)| offered[number] >= service.capacity()) {
        return Some(Regime::Overloaded);
    }
    let blocks =
        |service: &ServiceSpec| matches!(service.workers, Workers::Blocking(_)) && !service.calls.is_empty();
    let acts = |edge: &EdgePlan| edge.policy.breaker.is_some() || edge.policy.bulkhead.is_some();
    if services().any(|(_, service)| blocks(service) || service.dies.is_some()) || edges.iter().any(acts) {
        return None;
    }
    let mut vulnerable = false;
    for (number, service) in services() {
        let into = || plan.into(number);
        let retried = into().any(|edge| retries(&edge.policy) > 0.0);
        if !retried || sustained[number] <= service.capacity() {
            continue;
        }
        let wait = longest_wait(service)?;
        vulnerable |=
            into().any(|edge| edge.policy.timeout.is_some_and(|timeout| wait > timeout.as_secs_f64()));
    }
    // Layers that retry the retries of others multiply in a way that the law does not know.
    let retrying = edges.iter().filter(|edge| retries(&edge.policy) > 0.0).count();
    (vulnerable || retrying <= 1).then_some(if vulnerable { Regime::Vulnerable } else { Regime::Stable })
}

/// Retries per call in the long run if every attempt fails.
fn retries(policy: &Policy) -> f64 {
    let most = f64::from(RetryPlan::new(&policy.retry).attempts() - 1);
    match policy.budget {
        None => most,
        Some(Budget::Ratio { ratio, .. }) => most.min(ratio),
        // It stops them all while more than a few per cent fail.
        Some(Budget::Throttle { .. }) => 0.0,
    }
}

/// Seconds until the end of its service for whoever takes the last place of a full queue; none if the law does not
/// know this kind of queue.
fn longest_wait(service: &ServiceSpec) -> Option<f64> {
    let (places, queues) = match service.queue {
        Queue::Fifo { capacity, drop_expired: false } => (capacity, f64::from(service.replicas)),
        Queue::SharedFifo { capacity, drop_expired: false } => (capacity, 1.0),
        _ => return None,
    };
    match places {
        Capacity::Unbounded => Some(f64::INFINITY),
        Capacity::Bounded(places) => {
            Some(f64::from(places) * queues / service.capacity() + service.work.nanos.mean() / 1e9)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Catalog;
    use crate::experiment::Experiment;
    use crate::run::Regime::{self, Overloaded, Stable, Vulnerable};

    fn regime(settings: &[(&str, &str)]) -> Option<Regime> {
        let text = r#"(
            about: "a web application and its database",
            model: ServiceGraph(
                workload: [(to: "db", arrivals: Poisson("280/s"), policy: "web")],
                services: {"db": (workers: Async(30), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "100ms"))},
                policies: {"web": (timeout: "1s", retry: Fixed(attempts: 2))},
            ),
            run: (duration: "10s"),
        )"#;
        let (experiment, _) = Experiment::parse("test", text, &[], &Catalog::bundled()).expect("sound");
        let set: Vec<(String, String)> =
            settings.iter().map(|(path, value)| (path.to_string(), value.to_string())).collect();
        let resolved = experiment.with(None, &set).expect("sound");
        resolved.model.explain(&resolved.run).regime
    }

    /// What only some requests call is not offered the others.
    #[test]
    fn a_call_of_one_workload_is_no_load_of_another() {
        let text = r#"(
            about: "few of many",
            model: ServiceGraph(
                workload: [(name: "x", to: "a", arrivals: Poisson("10/s")), (name: "y", to: "a", arrivals: Poisson("1000/s"))],
                services: {
                    "a": (workers: Async(100), work: "1ms", calls: [(to: "b", only_from: ["x"])]),
                    "b": (workers: Async(1), work: "10ms"),
                },
            ),
            run: (duration: "10s"),
        )"#;
        let (experiment, _) = Experiment::parse("test", text, &[], &Catalog::bundled()).expect("sound");
        let resolved = experiment.with(None, &[]).expect("sound");
        let explanation = resolved.model.explain(&resolved.run);
        assert_eq!(explanation.regime, Some(Stable));
        assert!(
            !explanation.notes.iter().any(|note| note.contains("never keep up")),
            "{:?}",
            explanation.notes
        );
    }

    /// metastable_fluid.csv, and what takes the ground from under the law.
    #[test]
    fn between_a_share_of_capacity_and_all_of_it() {
        let rate = ("workload[0].arrivals", "");
        for (value, expected) in
            [("149/s", Stable), ("151/s", Vulnerable), ("299/s", Vulnerable), ("301/s", Overloaded)]
        {
            assert_eq!(regime(&[(rate.0, &format!("Poisson(\"{value}\")"))]), Some(expected), "{value}");
        }
        for (path, value, expected) in [
            ("policies.web.retry.attempts", "1", Some(Stable)),
            ("policies.web.budget", "Ratio(ratio: 0.05)", Some(Stable)),
            ("policies.web.budget", "Ratio(ratio: 0.1)", Some(Vulnerable)),
            // 250 places at 300/s are less than a second of waiting.
            ("services.db.queue", "Fifo(capacity: 250)", Some(Stable)),
            ("services.db.queue", "Fifo(capacity: 300)", Some(Vulnerable)),
            ("services.db.queue", "Lifo(capacity: Unbounded)", None),
            ("policies.web.breaker", "Consecutive(failures: 5, open_for: \"30s\")", None),
            ("policies.web.timeout", "None", Some(Stable)),
        ] {
            assert_eq!(regime(&[(path, value)]), expected, "{path}={value}");
        }
    }
}
