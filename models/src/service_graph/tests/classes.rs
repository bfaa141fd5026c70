//! What requests carry: it is drawn once, goes all the way down, and moves nothing.

use super::scenes::{SECOND, scene, scene_of};
use crate::RunSpec;
use crate::carried::Carried;
use crate::experiment::Decode;
use crate::policy::tests::read;
use crate::report::Report;
use crate::run::RunOptions;
use crate::service_graph::build::build;
use crate::service_graph::follow::Deaf;
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::GraphSpec;
use crate::service_graph::state::{Graph, Parent};
use sim_core::{SimTime, Simulation, Streams};
use std::collections::BTreeSet;

fn sound<T: Decode>(text: &str) -> T {
    read::<T>(text).unwrap_or_else(|said| panic!("{said}")).0
}

const CLASSES: &str =
    r#"tenants: Zipf(count: 50), priority: Mixed(critical: 1, sheddable: 2), keys: Uniform(1000),"#;

/// Retries, copies, a crash, a shared queue, a line for connections and users who come again: `who` says what those carry.
fn storm(who: &str) -> String {
    format!(
        r#"workload: [
               (to: "front", arrivals: Poisson("150/s"), policy: "hedged", {who} reload: (after: "300ms", times: 2)),
               (name: "loop", to: "front", arrivals: ClosedLoop(users: 9, think: "50ms"), policy: "naive", {who}),
               (name: "plain", to: "back", arrivals: Poisson("20/s")),
           ],
           services: {{
               "front": (replicas: 2, workers: Async(64), work: "2ms", calls: [
                   (to: "back", policy: "naive"), Parallel([(to: "side", policy: "pooled"), (to: "back", policy: "naive", times: 2)]),
               ]),
               "back": (replicas: 3, workers: Blocking(4), queue: SharedFifo(capacity: 50), work: Exponential(mean: "20ms")),
               "side": (replicas: 2, workers: Async(9), queue: Fifo(capacity: 9), work: Exponential(mean: "15ms"), calls: [(to: "deep")]),
               "deep": (workers: Async(99), work: "3ms"),
           }},
           policies: {{
               "naive": (timeout: "150ms", retry: Exponential(attempts: 3, base: "20ms"), budget: Ratio(0.5)),
               "hedged": (timeout: "1s", hedge: (after: "40ms"), bulkhead: (max_concurrent: 60)),
               "pooled": (timeout: "200ms", pool: (size: 3, max_wait: "50ms"), balancer: PowerOfTwo),
           }},
           faults: [
               (at: "2s", for: "1s", on: "back", effect: Slow(factor: 4.0)),
               (at: "4s", for: "500ms", on: "side", effect: Crash(), replicas: Only([0])),
           ],
           network: Exponential(mean: "500us")"#
    )
}

fn simulation(graph: &str) -> Simulation<Graph<Deaf>> {
    let spec: GraphSpec = sound(&format!("({graph})"));
    let run: RunSpec = sound(r#"(duration: "1min")"#);
    let graph = build::<Deaf>(&Plan::new(&spec), &run, &RunOptions::seeded(3), &Streams::new(3));
    Simulation::new(graph)
}

/// Whatever a request makes carries what it carries, and so does every attempt of it.
#[test]
fn what_is_carried_goes_all_the_way_down() {
    use crate::drive::Drive;
    let flags = r#"flags: {"x": (stages: [(at: "0s", share: 0.5)], only_from: ["users", "loop"])}"#;
    let mut simulation = simulation(&format!("{}, {flags}", storm(CLASSES)));
    let (graph, ctx) = simulation.parts();
    graph.begin(ctx);
    let (mut seen, mut deepest, mut have) = (BTreeSet::new(), 0, [0; 2]);
    for step in 1..700 {
        simulation.run_until(SimTime::from_nanos(step * 10_000_000));
        let graph = simulation.model();
        for (id, attempt) in graph.attempts.iter() {
            let carried = graph.carriage.of(id);
            if attempt.is_awaited() {
                assert_eq!(carried, graph.carriage.of_call(graph.calls.id(attempt.call)));
            }
        }
        for (id, call) in graph.calls.iter() {
            let carried = graph.carriage.of_call(id);
            match call.parent {
                Parent::Request { attempt, .. } => {
                    let of = graph.carriage.of(attempt);
                    let on = Carried { hops: of.hops + 1, ..of };
                    assert_eq!(carried, on, "of the request that makes it");
                    deepest = deepest.max(graph.edges[call.edge as usize].callee);
                }
                _ if call.edge == 2 => assert_eq!(carried, Carried::default(), "its workload says nothing"),
                _ => {
                    assert!(carried.tenant.is_some_and(|tenant| tenant < 50) && carried.key.is_some());
                    seen.insert((carried.tenant, carried.key, carried.priority.rank()));
                    have[usize::from(carried.flags)] += 1;
                }
            }
        }
    }
    assert!(seen.len() > 500 && deepest == 3, "{} {deepest}", seen.len());
    assert!(have.iter().all(|calls| *calls > 500), "{have:?}");
}

/// A user in a loop is of one tenant, and asks for many things.
#[test]
fn a_user_in_a_loop_belongs_to_one_tenant() {
    use crate::drive::Drive;
    let mut simulation = simulation(
        r#"workload: [(to: "web", arrivals: ClosedLoop(users: 20, think: "10ms"), tenants: Even(5), keys: Uniform(100))],
           services: {"web": (workers: Async(99), work: "10ms")}, flags: {"x": (stages: [(at: "0s", share: 0.5)])}"#,
    );
    let (graph, ctx) = simulation.parts();
    graph.begin(ctx);
    let (mut tenants, mut keys) = (vec![BTreeSet::new(); 20], BTreeSet::new());
    for step in 1..50 {
        simulation.run_until(SimTime::from_nanos(step * 20_000_000 - 5_000_000));
        let graph = simulation.model();
        for (id, call) in graph.calls.iter() {
            let Parent::Loop { user } = call.parent else { unreachable!("only those call") };
            tenants[user as usize]
                .insert((graph.carriage.of_call(id).tenant, graph.carriage.of_call(id).flags));
            keys.insert(graph.carriage.of_call(id).key);
        }
    }
    assert!(tenants.iter().all(|all| all.len() == 1), "{tenants:?}");
    let all: BTreeSet<_> = tenants.iter().flatten().collect();
    assert!(all.len() > 2 && keys.len() > 50, "{} tenants, {} keys", all.len(), keys.len());
}

/// Whoever loads a page again is the same user, who wants the same.
#[test]
fn whoever_comes_again_carries_the_same() {
    use crate::drive::Drive;
    let mut simulation = simulation(&format!(
        r#"workload: [(to: "web", arrivals: Poisson("20/s"), {CLASSES} reload: (after: "100ms", times: 9))],
           services: {{"web": (workers: Async(99), work: "30ms", error_rate: 0.8)}}, flags: {{"x": (stages: [(at: "0s", share: 0.5)])}}"#
    ));
    let (graph, ctx) = simulation.parts();
    graph.begin(ctx);
    let mut of = std::collections::BTreeMap::new();
    let mut again = 0;
    for step in 1..400 {
        simulation.run_until(SimTime::from_nanos(step * 20_000_000));
        let graph = simulation.model();
        for (id, call) in graph.calls.iter() {
            let Parent::Visit { visit } = call.parent else { unreachable!("all may come again") };
            let (who, carried) = (graph.visits[visit].whose().1.get(), graph.carriage.of_call(id));
            match of.insert(who, (call.key.get(), carried)) {
                Some((key, before)) if key != call.key.get() => {
                    assert_eq!(before, carried);
                    again += 1;
                }
                _ => {}
            }
        }
    }
    assert!(again > 100, "{again}");
}

/// All calls of a session are one user's, who is of one tenant; each is about a key of its own.
#[test]
fn a_session_is_one_users() {
    use crate::drive::Drive;
    let mut simulation = simulation(&format!(
        r#"workload: [(to: "web", arrivals: Poisson("20/s"), {CLASSES} session: (calls: Fixed(5), think: "100ms"), reload: (after: "50ms", times: 9))],
           services: {{"web": (workers: Async(99), work: "30ms", shed: Dagor(), error_rate: 0.3)}}, flags: {{"x": (stages: [(at: "0s", share: 0.5)])}}"#
    ));
    let (graph, ctx) = simulation.parts();
    graph.begin(ctx);
    let mut of = std::collections::BTreeMap::<_, BTreeSet<_>>::new();
    let (mut keys, mut users, mut loads) =
        (BTreeSet::new(), BTreeSet::new(), std::collections::BTreeMap::new());
    for step in 1..400 {
        simulation.run_until(SimTime::from_nanos(step * 20_000_000));
        let graph = simulation.model();
        for (id, call) in graph.calls.iter() {
            let Parent::Visit { visit } = call.parent else { unreachable!("all make several") };
            let Carried { tenant, key, priority, user, flags, .. } = graph.carriage.of_call(id);
            let who = graph.visits[visit].whose().1.get();
            of.entry(who).or_default().insert((tenant, priority.rank(), user, flags));
            keys.insert((who, key));
            // Every load has a luck of its own.
            assert_eq!(*loads.entry(call.key.get()).or_insert(call.started), call.started);
            users.insert(user);
        }
    }
    assert!(of.values().all(|all| all.len() == 1), "{of:?}");
    assert!(of.len() > 100 && keys.len() > 4 * of.len(), "{} sessions, {} keys", of.len(), keys.len());
    // Places among all, and among DAGOR's 128.
    let places: BTreeSet<u16> = users.iter().map(|user| user % 128).collect();
    assert!(users.len() > 100 && places.len() > 64, "{users:?}");
}

fn run(who: &str) -> Report {
    scene_of(&storm(who), r#"duration: "6s", warm_up: "1s", window: "1s""#)
}

/// Nobody looks at it, so every event is what it was.
#[test]
fn what_nobody_looks_at_moves_nothing() {
    let (plain, carried) = (run(""), run(CLASSES));
    assert_eq!(plain.digest.t, carried.digest.t);
    assert_ne!(plain.digest.i, carried.digest.i);
    let others = |report: &Report| {
        let kept = report
            .sections
            .iter()
            .filter(|section| !["tenants", "tenants_all", "priorities"].contains(&&*section.kind));
        kept.cloned().collect::<Vec<_>>()
    };
    assert_eq!((&plain.edges, others(&plain)), (&carried.edges, others(&carried)));
}

/// The calls of every tenant, whatever is done to them.
#[test]
fn the_same_users_come_under_every_policy() {
    let calls = |policy: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "web", arrivals: Poisson("100/s"), policy: "p", tenants: Zipf(count: 9), priority: Mixed(critical: 1, sheddable: 1))],
                   services: {{"web": (workers: Async(1), work: Exponential(mean: "12ms"))}}, policies: {{"p": ({policy})}}"#
            ),
            "20s",
        );
        let sections =
            report.sections.iter().filter(|section| ["tenants", "priorities"].contains(&&*section.kind));
        sections
            .map(|section| (section.at.clone(), section.values.get("calls").unwrap().value))
            .collect::<Vec<_>>()
    };
    let plain = calls(r#"timeout: "1s""#);
    assert_eq!(plain.len(), 11);
    assert_eq!(plain, calls(r#"timeout: "200ms", retry: Fixed(attempts: 3)"#));
    assert_eq!(plain, calls(r#"bulkhead: (max_concurrent: 1)"#), "turned away or not");
}

fn told(report: &Report, kind: &str, at: &str) -> Vec<(String, f64)> {
    let section = report.section(kind, at).unwrap_or_else(|| panic!("no {kind} at {at}"));
    let values =
        section.values.iter().map(|(name, value)| (name.to_owned(), value.value.unwrap_or(f64::NAN)));
    values.collect()
}

/// Nine calls, one a second, to one worker that refuses what finds it busy: every second call of 1.5 s is turned away.
#[test]
fn what_is_told_of_a_class() {
    let report = scene(
        r#"workload: [(to: "web", priority: SheddablePlus, tenants: Named({"a": 1}),
               arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
           services: {"web": (workers: Async(1), work: "1500ms", queue: Fifo(capacity: 0))}"#,
        "30s",
    );
    for (kind, at) in [("priorities", "users->web sheddable plus"), ("tenants", "users->web a")] {
        let told = told(&report, kind, at);
        let values: Vec<f64> = told.iter().map(|(_, value)| *value).collect();
        // 1, 3, 5, 7 and 9 s are served; of nine 99 % were not answered.
        assert_eq!(values[..5], [9.0, 5.0, 5.0 / 9.0, 5.0 / 30.0, 4.0], "{told:?}");
        assert_eq!(values[5], 1.5e9, "{told:?}");
        assert!((values[6] / 1.5e9 - 1.0).abs() < 1e-3 && values[7].is_nan(), "{told:?}");
        let section = report.section(kind, at).unwrap();
        assert_eq!(section.series[0].values, [9.0, 0.0, 0.0]);
        assert_eq!(section.series[1].values, [4.0, 1.0, 0.0]);
        assert_eq!(section.series[2].values, [8.0, 1.0, 0.0], "four of them turned away");
        // The call of 9 s ends at 10.5: whoever counted those that began would have none in its window.
        for (to, success) in [(10, 0.5), (20, 5.0 / 9.0)] {
            let part = report.during(SimTime::ZERO, SimTime::from_nanos(to * SECOND));
            assert_eq!(part.section(kind, at).unwrap().values.get("success").unwrap().value, Some(success));
        }
        let late = report.during(SimTime::from_nanos(10 * SECOND), SimTime::from_nanos(20 * SECOND));
        assert_eq!(late.section(kind, at).unwrap().values.get("success").unwrap().value, Some(1.0));
    }
    assert!(run("").section("tenants", "users->front 1").is_none());
}
