//! The fluid law of metastable failures: what outlives its cause is decided by loads and capacities alone.
//!
//! A service of capacity `mu` that is offered `lambda` carries it if `lambda < mu`. While every attempt times out,
//! it is asked for `lambda (1 + r)` with `r` retries per call, and if that is more than `mu`, the backlog that
//! makes attempts time out never drains: vulnerable iff `mu / (1 + r) < lambda < mu` (Bronson et al., HotOS 2021).
//! A retry budget allows at most its ratio of retries per call, so `r` is no more than that. A queue that is too
//! short to make anybody wait until the timeout cannot keep anything alive.
//!
//! The law speaks about queues that serve in the order of arrival, and callers who repeat what they have given up. It
//! is silent where anything else is done: where calls are refused, workers held, or the expired skipped; about users
//! who wait for answers; about retries of retries; and about a queue that is asked for more than it can do only because
//! the callers of its callers repeat what waits there.

use super::QUIET;
use crate::RunSpec;
use crate::policy::part::Does;
use crate::report::Known;
use crate::run::Regime;
use crate::service_graph::plan::{EdgePlan, Plan};
use crate::service_graph::spec::{Capacity, WorkloadSpec};

/// What callers may do about the load that they are found to make, and services about the load that they carry.
const OFFERS: Does = CALLER.and(Does::REFUSES);
const CARRIES: Does = CALLEE.and(Does::HOLDS).and(Does::BREAKS);
/// What may be done and leaves the law whole.
const CALLER: Does = QUIET.and(Does::GIVES_UP).and(Does::REPEATS);
const CALLEE: Does = IN_ORDER.and(Does::REORDERS).and(Does::EXPIRES);
/// What a queue may do whose backlog keeps itself alive, or is too short to.
const IN_ORDER: Does = Does::FAILS.and(Does::STRETCHES);

/// What the law makes of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Fluid {
    /// Of all of it; none where the law says nothing.
    pub regime: Option<Regime>,
    /// Of the backlog of each service, once there is one that makes callers time out.
    pub backlogs: Vec<Backlog>,
}

/// What becomes of a backlog when its cause has gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backlog {
    /// The law does not say.
    Unknown,
    /// It keeps itself alive, by so many retries per call.
    Feeds(f64),
    /// It drains, because that is all that retries can ask for in the long run.
    Paid,
    /// It drains, because nobody waits for as long as callers have patience.
    Short,
}

/// What the law tells a judge, of the load that there is for good; nothing where that is not there before the run ends.
pub fn known(plan: &Plan, run: &RunSpec) -> Known {
    let rate = |workload: &WorkloadSpec| workload.lasting_rate(run);
    if !plan.spec.workload.iter().all(|workload| rate(workload).is_some()) {
        return Known::default();
    }
    let Fluid { regime, backlogs } = law_at(plan, |workload| rate(workload).unwrap_or(0.0));
    let feeds = plan.spec.services.iter().zip(backlogs).filter_map(|((name, _), backlog)| match backlog {
        Backlog::Feeds(retries) => Some((name.to_string(), retries)),
        _ => None,
    });
    Known {
        feeds: feeds.filter(|_| regime == Some(Regime::Vulnerable)).collect(),
        drains: regime == Some(Regime::Stable),
        failed: Vec::new(),
    }
}

/// What the law makes of this graph, at the load after the warm-up.
pub fn law(plan: &Plan, run: &RunSpec) -> Fluid {
    law_at(plan, |workload| workload.base_rate(run))
}

/// What it makes of it where users make so many calls per second.
fn law_at(plan: &Plan, of_users: impl Fn(&WorkloadSpec) -> f64) -> Fluid {
    let mut backlogs = vec![Backlog::Unknown; plan.spec.services.len()];
    let regime = regime(plan, of_users, &mut backlogs);
    Fluid { regime, backlogs }
}

fn regime(plan: &Plan, of_users: impl Fn(&WorkloadSpec) -> f64, backlogs: &mut [Backlog]) -> Option<Regime> {
    let (spec, edges) = (plan.spec, &plan.edges);
    let within = |caller: Does, callee: Does| {
        edges.iter().all(|edge| edge.does.within(caller)) && plan.does.iter().all(|does| does.within(callee))
    };
    if !within(OFFERS, CARRIES)
        || spec.workload.iter().any(|it| it.arrivals.closed_loop().is_some() || it.arrivals.wander())
    {
        return None;
    }
    let retries: Option<Vec<f64>> = edges.iter().map(per_call).collect();
    let attempts = |edge: &EdgePlan| 1.0 + per_call(edge).unwrap_or(0.0);
    let mut offered = vec![0.0; spec.services.len()];
    // What each is asked for if its own callers repeat, and if all do, from the users on.
    let (mut sustained, mut most) = (offered.clone(), offered.clone());
    let (once, repeated) = (plan.calls(&of_users, |_| 1.0, 0.0), plan.calls(&of_users, attempts, 1.0));
    for (edge, (once, repeated)) in edges.iter().zip(once.into_iter().zip(repeated)) {
        offered[edge.callee] += once;
        sustained[edge.callee] += once * attempts(edge);
        most[edge.callee] += repeated * attempts(edge);
    }
    let services = || spec.services.values().enumerate();
    if services().any(|(number, service)| offered[number] >= service.capacity()) {
        return Some(Regime::Overloaded);
    }
    let retries = retries?;
    if !within(CALLER, CALLEE) {
        return None;
    }
    // Layers that retry the retries of others multiply in a way that the law does not know.
    let layers = retries.iter().filter(|retries| **retries > 0.0).count() > 1;
    for (number, service) in services() {
        backlogs[number] = if most[number] <= service.capacity() {
            if layers { Backlog::Unknown } else { Backlog::Paid }
        } else if sustained[number] <= service.capacity() {
            // Whether those further up give up because of this queue, the law does not know.
            Backlog::Unknown
        } else if let Some(wait) = longest_wait(plan, number) {
            let outlasts =
                |edge: &EdgePlan| edge.worst.attempt.is_some_and(|limit| wait > limit.as_secs_f64());
            match plan.into(number).any(outlasts) {
                true => Backlog::Feeds(sustained[number] / offered[number] - 1.0),
                false if layers => Backlog::Unknown,
                false => Backlog::Short,
            }
        } else {
            backlogs.fill(Backlog::Unknown);
            return None;
        };
    }
    let vulnerable = backlogs.iter().any(|backlog| matches!(backlog, Backlog::Feeds(_)));
    let known = !backlogs.contains(&Backlog::Unknown);
    (vulnerable || known).then_some(if vulnerable { Regime::Vulnerable } else { Regime::Stable })
}

/// Retries per call in the long run if every attempt fails; none if a part of the edge does not know.
fn per_call(edge: &EdgePlan) -> Option<f64> {
    if !edge.does.any(Does::REPEATS) {
        return Some(0.0);
    }
    edge.around().all().try_fold(f64::INFINITY, |most, part| Some(most.min(part.sustains()?)))
}

/// Seconds until the end of its service for whoever takes the last place of a full queue; none if the law does not
/// know this kind of queue.
fn longest_wait(plan: &Plan, service: usize) -> Option<f64> {
    if !plan.does[service].within(IN_ORDER) {
        return None;
    }
    let service = plan.spec.service(service);
    let queue = service.queue.common();
    let queues = if queue.shared { 1.0 } else { f64::from(service.replicas) };
    match queue.capacity {
        Capacity::Unbounded => Some(f64::INFINITY),
        Capacity::Bounded(places) => {
            Some(f64::from(places) * queues / service.capacity() + service.work.nanos.mean() / 1e9)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::experiment::Experiment;
    use crate::report::Outlook;
    use crate::run::Regime::{self, Overloaded, Stable, Vulnerable};
    use crate::run::RunOptions;
    use crate::{Catalog, simulate};
    use std::ops::ControlFlow;

    fn regime(settings: &[(&str, &str)]) -> Option<Regime> {
        explain(settings).0
    }

    /// The regime, and what is said of the database beside it.
    fn explain(settings: &[(&str, &str)]) -> (Option<Regime>, String) {
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
        let explanation = resolved.model.explain(&resolved.run);
        let note = explanation.notes.into_iter().find(|note| note.starts_with("db is"));
        (explanation.regime, note.unwrap_or_default())
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

    /// What counts for a judge is the load that there is for good, and only once it is there.
    #[test]
    fn a_judge_is_told_of_the_load_that_stays() {
        let never = |arrivals: &str, duration: &str| {
            let set = [("workload[0].arrivals", arrivals), ("run.duration", duration)];
            let text = r#"(
                about: "an outage",
                model: ServiceGraph(
                    workload: [(to: "db", arrivals: Poisson("28/s"), policy: "web")],
                    services: {"db": (workers: Async(3), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "100ms"))},
                    policies: {"web": (timeout: "1s", retry: Fixed(attempts: 2))},
                    faults: [(at: "20s", for: "20s", on: "users->db", effect: Hold)],
                ),
                run: (duration: "200s", warm_up: "5s", seed: 3),
            )"#;
            let (experiment, _) = Experiment::parse("test", text, &[], &Catalog::bundled()).expect("sound");
            let set: Vec<(String, String)> =
                set.iter().map(|(path, value)| (path.to_string(), value.to_string())).collect();
            let resolved = experiment.with(None, &set).expect("sound");
            let options = RunOptions::seeded(resolved.run.seed);
            let report = simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report;
            report.verdict.outlook
        };
        let steps = |rate: &str| {
            format!(r#"Steps(steps: [(at: "0s", rate: "28/s"), (at: "60s", rate: "{rate}/s")])"#)
        };
        let (long, short) = (r#""200s""#, r#""59s""#);
        assert_eq!(never(r#"Poisson("28/s")"#, long), Some(Outlook::Never));
        assert_eq!(never(&steps("20"), long), Some(Outlook::Never));
        assert_eq!(never(&steps("14"), long), Some(Outlook::OnItsWay), "it drains, or has");
        // What it will be lowered to nobody has met.
        assert_ne!(never(&steps("20"), short), Some(Outlook::Never));
        let ramp = |over: &str| format!(r#"Ramp(from: "28/s", to: "20/s", at: "50s", over: "{over}")"#);
        assert_eq!(never(&ramp("20s"), long), Some(Outlook::Never));
        assert_ne!(never(&ramp("1h"), long), Some(Outlook::Never));
    }

    /// Who waits at the front and comes again asks the back once more for what it still has in its queue.
    #[test]
    fn a_queue_is_fed_from_two_layers_up_as_well() {
        let text = r#"(
            about: "one call after another",
            model: ServiceGraph(
                workload: [(to: "front", arrivals: Poisson("82/s"), policy: "user")],
                services: {
                    "front": (workers: Async(64), work: "1ms", queue: Fifo(capacity: Unbounded), calls: [(to: "back", policy: "inner")]),
                    "back": (workers: Async(10), work: Exponential(mean: "100ms"), queue: Fifo(capacity: Unbounded)),
                },
                policies: {"user": (timeout: "10s", retry: Fixed(attempts: 2)), "inner": (timeout: "10s")},
                faults: [(at: "60s", for: "30s", on: "back", effect: Slow(factor: 10.0))],
            ),
            run: (duration: "5min", warm_up: "20s", seed: 42, within: "10s"),
        )"#;
        let (experiment, _) = Experiment::parse("test", text, &[], &Catalog::bundled()).expect("sound");
        let resolved = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> =
                set.iter().map(|(path, value)| (path.to_string(), value.to_string())).collect();
            experiment.with(None, &set).expect("sound")
        };
        let once = ("policies.user.retry.attempts", "1");
        for (set, expected) in [
            (&[][..], None),
            (&[once], Some(Stable)),
            // All that two attempts each can ask for is less than 100/s, or more.
            (&[("workload[0].arrivals", r#"Poisson("49/s")"#)], Some(Stable)),
            (&[("workload[0].arrivals", r#"Poisson("51/s")"#)], None),
            // However short the queue, its own callers are not those who come again.
            (&[("services.back.queue", "Fifo(capacity: 500)")], None),
            // Whom it is asked for by is known, and they repeat.
            (&[once, ("policies.inner.retry", "Fixed(attempts: 2)")], Some(Vulnerable)),
        ] {
            let resolved = resolved(set);
            assert_eq!(resolved.model.explain(&resolved.run).regime, expected, "{set:?}");
        }
        let resolved = resolved(&[]);
        let options = RunOptions::seeded(resolved.run.seed);
        let report = simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report;
        let verdict = &report.verdict;
        assert_eq!(verdict.outlook, Some(Outlook::Stays), "{:?}", verdict.details);
        assert!(!verdict.details.iter().any(|why| why.contains("fluid law")), "{:?}", verdict.details);
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
            let (regime, note) = explain(&[(path, value)]);
            assert_eq!(regime, expected, "{path}={value}");
            let says = note.contains("can feed itself");
            assert_eq!(says, expected == Some(Vulnerable), "{path}={value}: {note}");
        }
        for (path, value, why) in [
            (
                "policies.web.budget",
                "Ratio(ratio: 0.1)",
                "above 91 % of capacity a disturbance can feed itself and outlive its cause (1/(1+r), r = 0.1)",
            ),
            ("policies.web.budget", "Ratio(ratio: 0.05)", "what limits their retries lets a backlog drain"),
            ("services.db.queue", "Fifo(capacity: 250)", "a full queue is shorter than their patience"),
        ] {
            let (_, note) = explain(&[(path, value)]);
            assert!(note.contains(why), "{path}={value}: {note}");
        }
        // Two replicas have as many places each, or all of them together.
        let two = [("services.db.replicas", "2"), ("services.db.workers", "Async(15)")];
        for (queue, expected) in [
            ("SharedFifo(capacity: 250)", Stable),
            ("Fifo(capacity: 250)", Vulnerable),
            ("Fifo(capacity: 125)", Stable),
        ] {
            let settings = [two[0], two[1], ("services.db.queue", queue)];
            assert_eq!(regime(&settings), Some(expected), "{queue}");
        }
    }
}
