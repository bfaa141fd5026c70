//! A run that goes on from a copy of another's state is that run from the start, to the byte.

use brownout_tests::{File, beside, experiments};
use sim_core::{Engine, Limits, SimDuration, SimTime};
use sim_models::experiment::{Experiment, Resolved};
use sim_models::policy::Ending;
use sim_models::report::{Metric, Report};
use sim_models::run::RunOptions;
use sim_models::{Catalog, Trunk, simulate, simulate_from};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

fn resolved(text: &str, variant: Option<&str>, set: &[(&str, String)]) -> Resolved {
    let (experiment, _) =
        Experiment::parse_beside("x", text, &beside(), &[], &Catalog::bundled()).expect("sound");
    let set: Vec<(String, String)> =
        set.iter().map(|(path, value)| ((*path).into(), value.clone())).collect();
    experiment.with(variant, &set).expect("sound")
}

fn trunk_from(of: &Resolved, options: &RunOptions, from: Option<&Trunk>, before: SimTime) -> Option<Trunk> {
    of.model.trunk(&of.run, options, &mut |_| ControlFlow::Continue(()), from, before)
}

fn trunk(of: &Resolved, options: &RunOptions, before: SimTime) -> Option<Trunk> {
    trunk_from(of, options, None, before)
}

fn key(of: &Resolved, before: SimTime) -> Option<u64> {
    of.model.trunk_key(&of.run, &RunOptions::seeded(of.run.seed), before)
}

fn whole(of: &Resolved, options: &RunOptions) -> Report {
    simulate(of, options, &mut |_| ControlFlow::Continue(())).report
}

fn branch(of: &Resolved, from: &Trunk, options: &RunOptions) -> Option<Report> {
    Some(simulate_from(from, of, options, &mut |_| ControlFlow::Continue(()))?.report)
}

/// The same text, and so the same digests.
#[track_caller]
fn same(one: &Report, other: &Report, what: &str) {
    let [one, other] = [one, other].map(|report| serde_json::to_string(report).expect("JSON"));
    assert!(one == other, "{what}: {}", first_difference(&one, &other));
}

fn first_difference(one: &str, other: &str) -> String {
    let at = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let near =
        |text: &str| text.get(at.saturating_sub(60)..(at + 60).min(text.len())).unwrap_or("").to_owned();
    format!("\n{}\n{}", near(one), near(other))
}

/// A bundled experiment in one of its variants, its length cut to so much.
fn cut(text: &str, variant: Option<&str>, duration: SimDuration, more: &[(&str, &str)]) -> Option<Resolved> {
    let (experiment, _) =
        Experiment::parse_beside("x", text, &beside(), &[], &Catalog::bundled()).expect("sound");
    let set = more.iter().map(|(path, value)| ((*path).into(), (*value).into()));
    let set: Vec<(String, String)> =
        set.chain([("run.duration".into(), format!("\"{duration}\""))]).collect();
    experiment.with(variant, &set).ok()
}

/// Every bundled experiment and variant, cut short to be quick: looked at after a third and two thirds, and struck otherwise:
/// not at all, for longer, in another way.
#[test]
fn every_bundled_experiment_branches() {
    let (branches, looks, next) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let files = experiments();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Relaxed)) {
                    let (experiment, _) = file.parse().expect("sound");
                    let variants = std::iter::once(None).chain(experiment.variant_names().map(Some));
                    for (turn, variant) in variants.enumerate() {
                        let (looked, branched) = branches_off(file, variant, turn);
                        looks.fetch_add(usize::from(looked), Relaxed);
                        branches.fetch_add(usize::from(branched), Relaxed);
                    }
                }
            });
        }
    });
    let (branches, looks) = (branches.into_inner(), looks.into_inner());
    println!("{branches} branches, {looks} looks");
    assert!(branches > 40 && looks > 60, "{branches} branches, {looks} looks");
}

/// Whether it was looked at, and whether it was struck otherwise: in one way for each variant, in turn.
fn branches_off(file: &File, variant: Option<&str>, turn: usize) -> (bool, bool) {
    let name = format!("{}/{} {variant:?}", file.family, file.name);
    let full = resolved(&file.text, variant, &[]);
    let options = RunOptions::seeded(full.run.seed);
    let first = full.value("faults[0].at").and_then(|at| at.as_text());
    let first: Option<SimTime> = first.map(|at| at.parse().expect("a time"));
    let soon = first.map_or(full.run.warm_up, |first| first.since(SimTime::ZERO).max(full.run.warm_up));
    let short = soon + SimDuration::from_secs(4).min(full.run.duration);
    let short = short.min(full.run.duration);
    let Some(base) = cut(&file.text, variant, short, &[]) else { return (false, false) };
    let part = |parts: u64| SimDuration::from_nanos(short.as_nanos() / 3 * parts);
    let early = trunk(&base, &options, SimTime::ZERO + part(1));
    if let Some(early) = &early {
        let late = trunk_from(&base, &options, Some(early), SimTime::ZERO + part(2));
        let late = late.expect("it leads further");
        let branched = branch(&base, &late, &options);
        let branched = branched.unwrap_or_else(|| panic!("{name}: it leads nowhere"));
        same(&whole(&base, &options), &branched, &format!("{name}, looked at"));
    }
    let Some(first) = first else { return (early.is_some(), false) };
    let Some(trunk) = trunk(&base, &options, first) else { return (early.is_some(), false) };
    let others = [
        ("gone", "faults", "[]"),
        ("longer", "faults[0].for", "\"1h\""),
        ("of another kind", "faults[0].effect", "Slow(factor: 3.0)"),
        ("lossy", "faults[0].effect", "Drop(probability: 0.5)"),
    ];
    let others = others.into_iter().cycle().skip(turn % others.len()).take(others.len());
    let mut others = others
        .filter_map(|(what, path, value)| Some((what, cut(&file.text, variant, short, &[(path, value)])?)));
    let branched = others.find_map(|(what, way)| Some((what, branch(&way, &trunk, &options)?, way)));
    if let Some((what, branched, way)) = &branched {
        same(&whole(way, &options), branched, &format!("{name}, {what}"));
    }
    (early.is_some(), branched.is_some())
}

const STORM: &str = r#"(
    about: "a storm",
    model: ServiceGraph(
        workload: [(to: "front", arrivals: Poisson("200/s"), clients: 5, policy: "breaker"),
                   (name: "loop", to: "front", arrivals: ClosedLoop(users: 20, think: Exponential(mean: "1s")))],
        services: {
            "front": (replicas: 2, workers: ProcessorSharing(cores: 4, at_once: 64), work: Exponential(mean: "2ms"), calls: [
                (to: "back", policy: "naive"),
                (to: "later", callback: (after: Exponential(mean: "20ms"), within: "5s", work: "1ms", state: Shared)),
            ]),
            "later": (replicas: 2, workers: Async(64), work: "2ms"),
            "back": (replicas: 2, workers: Blocking(4), queue: EarliestDeadline(capacity: 100), shed: CoDel(target: "20ms"), work: Exponential(mean: "20ms")),
        },
        policies: {
            "naive": (timeout: "200ms", retry: Exponential(attempts: 3, base: "20ms"), budget: Ratio(0.5), balancer: PowerOfTwo),
            "breaker": (timeout: "1s", breaker: FailureRate(threshold: 0.5, window: Time("2s"), open_for: "500ms")),
        },
        faults: [(at: "10s", for: "5s", on: "back", effect: Slow(factor: 5.0)), (at: "12s", for: "1s", on: "front->back", effect: Hold)],
        network: Exponential(mean: "500us"),
    ),
    run: (duration: "40s", warm_up: "4s", window: "1s", seed: 7),
)"#;

const FIRST: SimTime = SimTime::from_secs(10);

/// Faults of other sizes, lengths, kinds and times, and runs of other lengths, on both queues.
#[test]
fn whatever_the_fault_is_the_branch_is_the_run() {
    let set = |path: &'static str, value: &str| (path, value.to_owned());
    for engine in [Engine::Fast, Engine::Reference] {
        let options = RunOptions { engine, ..RunOptions::seeded(7) };
        let trunk =
            trunk(&resolved(STORM, None, &[]), &options, FIRST).expect("there is time before the fault");
        for way in [
            vec![],
            vec![set("faults", "[]")],
            vec![set("faults[0].for", "\"1s\"")],
            vec![set("faults[0].for", "\"20s\""), set("run.duration", "\"60s\"")],
            vec![set("faults[0].effect", "Slow(factor: 20.0)")],
            vec![set("faults[0].effect", "Drop(probability: 0.5)"), set("faults[0].at", "\"17.5s\"")],
            vec![set("faults[1].effect", "Drop()")],
            vec![set("faults[1].effect", "Duplicate(probability: 0.5)")],
            vec![set("faults[1].effect", "Bandwidth(limit: \"1MiB/s\")"), set("faults[1].way", "Replies")],
            vec![
                set("faults[1].effect", "Reorder(probability: 0.3, by: \"50ms\")"),
                set("faults[1].clients", "Only([1])"),
            ],
        ] {
            let way = resolved(STORM, None, &way);
            let branched = branch(&way, &trunk, &options).expect("it may go on from there");
            same(&whole(&way, &options), &branched, "branched");
        }
        // Who is struck before, or lists who is in whose hands, or ends before, is of another tree.
        for way in [
            vec![set("faults[0].at", "\"9.9s\"")],
            vec![set("faults[0].effect", "Crash()")],
            vec![set("faults", "[]"), set("run.duration", "\"9s\"")],
            vec![set("services.back.replicas", "3")],
        ] {
            assert!(branch(&resolved(STORM, None, &way), &trunk, &options).is_none(), "{way:?}");
        }
        let other = RunOptions::seeded(8);
        assert!(branch(&resolved(STORM, None, &[]), &trunk, &other).is_none(), "another seed");
    }
}

/// Who will crash lists what is in its hands and what it has asked for from the beginning, or neither would be found.
#[test]
fn whoever_will_crash_is_followed_before() {
    let crash = |length: &str| {
        format!(r#"[(at: "10s", for: "{length}", on: "front", effect: Crash(callers: Reset))]"#)
    };
    let of = |length: &str| resolved(STORM, None, &[("faults", crash(length))]);
    let options = RunOptions::seeded(7);
    let trunk = trunk(&of("5s"), &options, FIRST).expect("there is time before it");
    for length in ["1s", "5s"] {
        let branched = branch(&of(length), &trunk, &options).expect("it may go on from there");
        same(&whole(&of(length), &options), &branched, length);
    }
}

/// In the middle of the first fault: what the second is like, and how long the run.
#[test]
fn a_branch_may_be_struck_already() {
    let options = RunOptions::seeded(7);
    let before = SimTime::from_secs(12);
    let trunk = trunk(&resolved(STORM, None, &[]), &options, before).expect("there is time");
    let text = |value: &str| value.to_owned();
    for (path, value) in [
        ("run.duration", text("\"50s\"")),
        ("faults[1].effect", text("Drop(probability: 0.2)")),
        ("faults[1].for", text("\"9s\"")),
    ] {
        let way = resolved(STORM, None, &[(path, value.clone())]);
        match branch(&way, &trunk, &options) {
            Some(branched) => same(&whole(&way, &options), &branched, &value),
            None => panic!("{path}={value}"),
        }
    }
    // When the fault is over that there is says when its stretch ends; and this one is not the one that there is.
    for (path, value) in [("faults[0].for", "\"4s\""), ("faults[0].effect", "Slow(factor: 2.0)")] {
        let way = resolved(STORM, None, &[(path, text(value))]);
        assert!(branch(&way, &trunk, &options).is_none(), "{path}={value}");
    }
    // The first is over: alone it would have ended its stretch, and with another to come the stretch goes on.
    let short = ("faults[0].for", text("\"500ms\""));
    let of = |more: (&str, &str)| resolved(STORM, None, &[short.clone(), (more.0, text(more.1))]);
    let one = of(("faults[1].at", "\"30s\""));
    let trunk = trunk_from(&one, &options, None, SimTime::from_secs(20)).expect("there is time");
    assert!(branch(&one, &trunk, &options).is_none(), "its own");
    assert!(branch(&of(("faults[1].at", "\"31s\"")), &trunk, &options).is_none(), "another");
    let only = r#"[(at: "10s", for: "500ms", on: "back", effect: Slow(factor: 5.0))]"#;
    let alone = resolved(STORM, None, &[("faults", text(only))]);
    same(&whole(&alone, &options), &branch(&alone, &trunk, &options).expect("alone"), "struck once");
}

/// Copies sent and to be called off, calls in line, what was accepted of late: all of it is in the state that is copied.
#[test]
fn what_policies_remember_is_copied() {
    let naive = r#""naive": ("#;
    let guarded = r#""naive": (hedge: (after: "60ms"), cancel: Always, bulkhead: (max_concurrent: 2, max_wait: "100ms"), throttle: (k: 1.5, window: "1s"), "#;
    let storm = STORM.replace(naive, guarded).replace(r#""back": ("#, r#""back": (on_cancel: Stop, "#);
    assert_ne!(storm, STORM);
    let options = RunOptions::seeded(7);
    let mut throttled = 0;
    // Before anything strikes, and in the middle of it.
    for (before, ways) in [
        (FIRST, [("faults", "[]"), ("faults[0].for", "\"20s\""), ("faults[1].effect", "Drop()")]),
        (
            SimTime::from_secs(12),
            [
                ("run.duration", "\"50s\""),
                ("faults[1].for", "\"9s\""),
                ("faults[1].effect", "Drop(probability: 0.2)"),
            ],
        ),
    ] {
        let trunk = trunk(&resolved(&storm, None, &[]), &options, before).expect("there is time");
        for (path, value) in ways {
            let way = resolved(&storm, None, &[(path, value.to_owned())]);
            let branched = branch(&way, &trunk, &options).expect("it leads there");
            same(&whole(&way, &options), &branched, path);
            for path in ["hedges[\"front->back\"].won", "bulkheads[\"front->back\"].waited"] {
                let metric = branched.metric(path);
                assert!(
                    matches!(metric, Ok(Metric::Number(number, _)) if number > 100.0),
                    "{path}: {metric:?}"
                );
            }
            let calls = &branched.edges.get("front->back").expect("an edge").calls;
            throttled += calls.ended[Ending::Throttled];
        }
    }
    assert!(throttled > 100, "{throttled}");
}

/// What budgets count: slots of a window, what is out, what a store holds and what each retry cost.
#[test]
fn what_budgets_remember_is_copied() {
    let options = RunOptions::seeded(7);
    let twelve = SimTime::from_secs(12);
    for budget in [
        r#"Window(ratio: 0.2, min_per_sec: 2, ttl: "1s")"#,
        r#"Window(ratio: 0.2, min_per_sec: 2, ttl: "1s", of: Successes, library: Tower)"#,
        "Concurrent()",
        "Concurrent(ratio: 0.1, at_least: 1, held: Sent)",
        "Quota(capacity: 100)",
        "Ratio(ratio: 0.1, of: Successes)",
    ] {
        let storm =
            STORM.replace("budget: Ratio(0.5)", &format!(r#"hedge: (after: "60ms"), budget: {budget}"#));
        assert_ne!(storm, STORM);
        let trunk = trunk(&resolved(&storm, None, &[]), &options, twelve).expect("there is time");
        for (path, value) in [("run.duration", "\"50s\""), ("faults[1].effect", "Drop(probability: 0.2)")] {
            let way = resolved(&storm, None, &[(path, value.to_owned())]);
            let branched = branch(&way, &trunk, &options).expect("it leads there");
            same(&whole(&way, &options), &branched, budget);
            let attempts = &branched.edges.get("front->back").expect("an edge").attempts;
            assert!(
                attempts.rationed() > 50 && attempts.retries + attempts.copies > 50,
                "{budget}: {attempts:?}"
            );
        }
    }
}

/// Connections that are lent, idle, being opened and lost, who waits for one, and when each is due.
#[test]
fn what_pools_remember_is_copied() {
    let naive = r#""naive": ("#;
    let options = RunOptions::seeded(7);
    for pool in [
        r#"size: 3, max_wait: "30ms", lifetime: "700ms", idle_timeout: "100ms", opening: Exponential(mean: "3ms"), opening_work: "2ms", opening_at_once: 1"#,
        r#"size: 4, min_idle: 2, leak: 0.01, reclaim_after: "2s", given_up: Busy, opening: "1ms""#,
    ] {
        let storm = STORM.replace(naive, &format!(r#""naive": (hedge: (after: "60ms"), pool: ({pool}), "#));
        assert_ne!(storm, STORM);
        for (before, ways) in [
            (
                FIRST,
                [
                    ("faults[0].effect", "Crash()"),
                    ("faults[0].effect", "Crash(callers: Silence)"),
                    ("faults[1].effect", "Drop()"),
                ],
            ),
            (
                SimTime::from_secs(12),
                [
                    ("run.duration", "\"50s\""),
                    ("faults[1].for", "\"9s\""),
                    ("faults[1].effect", "Drop(probability: 0.2)"),
                ],
            ),
        ] {
            let base = if before == FIRST { ways[0] } else { ("run.seed", "7") };
            let base = resolved(&storm, None, &[(base.0, base.1.to_owned())]);
            let trunk = trunk(&base, &options, before).expect("there is time");
            for (path, value) in ways {
                let way = resolved(&storm, None, &[(path, value.to_owned())]);
                // What may crash lists what it has in hand from the start.
                let Some(branched) = branch(&way, &trunk, &options) else {
                    assert_ne!(
                        way.value("faults[0].effect").map(|it| it.to_line().contains("Crash")),
                        Some(true)
                    );
                    continue;
                };
                same(&whole(&way, &options), &branched, &format!("{pool}, {path}: {value}"));
                for (value, least) in [("waited", 100.0), ("opened", 20.0)] {
                    let metric = branched.metric(&format!("pools[\"front->back\"].{value}"));
                    assert!(
                        matches!(metric, Ok(Metric::Number(number, _)) if number > least),
                        "{pool}, {value}: {metric:?}"
                    );
                }
            }
        }
    }
}

/// Failures in a row and rates of each replica, who is ejected and until when, and when all are looked at next.
#[test]
fn whom_clients_have_ejected_is_copied() {
    let naive = r#""naive": ("#;
    let options = RunOptions::seeded(7);
    for outlier in [
        r#"outlier: (max_ejection_percent: 100, base_ejection_time: "2s", interval: "300ms")"#,
        r#"panic_threshold: 0.7, breaker: Consecutive(per: Replica()), outlier: (consecutive: None, success_rate: (minimum_hosts: 2, request_volume: 4, stdev_factor: 0.5), failure_percentage: (minimum_hosts: 1, request_volume: 3, threshold: 50), max_ejection_percent: 100, base_ejection_time: "500ms", interval: "200ms")"#,
    ] {
        let storm = STORM.replace(naive, &format!("{naive}{outlier}, "));
        assert_ne!(storm, STORM);
        for (before, ways) in [
            (
                FIRST,
                [("faults[0].effect", "Slow(factor: 9)"), ("faults[1].effect", "Drop(probability: 0.5)")],
            ),
            (
                SimTime::from_secs(12),
                [("run.duration", "\"50s\""), ("faults[1].effect", "Drop(probability: 0.2)")],
            ),
        ] {
            let base = resolved(&storm, None, &[("run.seed", "7".to_owned())]);
            let trunk = trunk(&base, &options, before).expect("there is time");
            for (path, value) in ways {
                let way = resolved(&storm, None, &[(path, value.to_owned())]);
                let branched = branch(&way, &trunk, &options).expect("it leads there");
                same(&whole(&way, &options), &branched, &format!("{outlier}, {path}: {value}"));
                let metric = branched.metric("outliers[\"front->back\"].ejections");
                assert!(
                    matches!(metric, Ok(Metric::Number(number, _)) if number > 2.0),
                    "{outlier}, {path}: {value}: {metric:?}"
                );
            }
        }
    }
}

/// What breakers remember of what was slow, of how often they opened, and of how far they have come back.
#[test]
fn what_breakers_remember_is_copied() {
    let options = RunOptions::seeded(7);
    let plain = r#"FailureRate(threshold: 0.5, window: Time("2s"), open_for: "500ms")"#;
    for breaker in [
        r#"FailureRate(window: Count(20), open_for: "300ms", probes: 2, slow_call: (threshold: "40ms", rate: 0.5))"#,
        r#"Consecutive(failures: 3, open_for: "200ms", recovery: (factor: 1.5, cap: "1s", jitter: 0.5, max_half_open: "50ms", ramp: "1s"))"#,
        r#"Consecutive(failures: 2, open_for: "200ms", per: Replica(), recovery: (jitter: 0.5))"#,
        r#"FailureRate(window: Count(20), minimum_calls: 5, open_for: "300ms", per: Replica(), shared: true)"#,
    ] {
        let storm = STORM.replace(plain, breaker);
        assert_ne!(storm, STORM);
        let trunk =
            trunk(&resolved(&storm, None, &[]), &options, SimTime::from_secs(12)).expect("there is time");
        for (path, value) in [("run.duration", "\"50s\""), ("faults[1].effect", "Drop(probability: 0.2)")] {
            let way = resolved(&storm, None, &[(path, value.to_owned())]);
            let branched = branch(&way, &trunk, &options).expect("it leads there");
            same(&whole(&way, &options), &branched, breaker);
            let metric = branched.metric("breakers[\"users->front\"].opened");
            assert!(
                matches!(metric, Ok(Metric::Number(number, _)) if number > 10.0),
                "{breaker}: {metric:?}"
            );
        }
    }
}

/// What was done for each call, and who is at it.
#[test]
fn what_was_done_is_copied() {
    let options = RunOptions::seeded(7);
    let back = r#"work: Exponential(mean: "20ms")),"#;
    for idempotency in ["Absent", r#"Key(window: "100ms", lookup: "1ms")"#] {
        let counted = format!(r#"work: Exponential(mean: "20ms"), idempotency: {idempotency}),"#);
        let storm = STORM.replace(back, &counted);
        assert_ne!(storm, STORM);
        let trunk =
            trunk(&resolved(&storm, None, &[]), &options, SimTime::from_secs(12)).expect("there is time");
        let way = resolved(&storm, None, &[("faults[1].effect", "Drop(probability: 0.2)".to_owned())]);
        let branched = branch(&way, &trunk, &options).expect("it leads there");
        same(&whole(&way, &options), &branched, idempotency);
        let metric = branched.metric("duplicates[\"back\"].beyond");
        assert!(
            matches!(metric, Ok(Metric::Number(number, _)) if number > 10.0),
            "{idempotency}: {metric:?}"
        );
    }
}

/// Users between two loads, of both kinds of loop.
#[test]
fn who_will_come_again_is_copied() {
    let options = RunOptions::seeded(7);
    let again = r#"reload: (after: Exponential(mean: "2s"), times: 3, probability: 0.9)"#;
    let storm = STORM
        .replace("clients: 5,", &format!("clients: 5, {again},"))
        .replace("(name: \"loop\",", &format!("(name: \"loop\", {again},"));
    let trunk = trunk(&resolved(&storm, None, &[]), &options, SimTime::from_secs(12)).expect("there is time");
    let way = resolved(&storm, None, &[("faults[1].effect", "Drop(probability: 0.2)".to_owned())]);
    let branched = branch(&way, &trunk, &options).expect("it leads there");
    same(&whole(&way, &options), &branched, again);
    let metric = branched.metric("reloads[\"users->front\"].gave_up");
    assert!(matches!(metric, Ok(Metric::Number(number, _)) if number > 10.0), "{metric:?}");
}

/// What is on its way carries what it carried, and is counted for whom.
#[test]
fn what_is_carried_is_copied() {
    let options = RunOptions::seeded(7);
    let carried = r#"tenants: Zipf(count: 30), priority: Mixed(critical: 1, sheddable: 1), keys: Uniform(9)"#;
    let storm = STORM
        .replace("clients: 5,", &format!("clients: 5, {carried},"))
        .replace("(name: \"loop\",", &format!("(name: \"loop\", {carried},"));
    // A level that was learnt, and users in the middle of their sessions.
    let storm = storm
        .replace("workers: Blocking(4),", "workers: Blocking(4), queue_bytes: \"300kB\",")
        .replace(
            "workers: ProcessorSharing(cores: 4, at_once: 64),",
            "workers: Async(64), shed: Dagor(window: \"200ms\", threshold: \"1ms\"),",
        )
        .replace(
            "clients: 5,",
            "clients: 5, session: (calls: Geometric(3), think: Exponential(mean: \"500ms\")),",
        );
    let trunk = trunk(&resolved(&storm, None, &[]), &options, SimTime::from_secs(12)).expect("there is time");
    let way = resolved(&storm, None, &[("faults[1].effect", "Drop(probability: 0.2)".to_owned())]);
    let branched = branch(&way, &trunk, &options).expect("it leads there");
    same(&whole(&way, &options), &branched, carried);
    let metric = branched.metric("sessions[\"users->front\"].abandoned");
    assert!(matches!(metric, Ok(Metric::Number(number, _)) if number > 10.0), "{metric:?}");
    let metric = branched.metric("tenants_all[\"users->front\"].seen");
    assert!(matches!(metric, Ok(Metric::Number(number, _)) if number == 30.0), "{metric:?}");
}

/// What comes and goes, and builds up, is scheduled while it is there: nothing may be added besides.
#[test]
fn a_fault_that_comes_and_goes_is_not_added_to() {
    let flap = ("faults[0].flap", "(active: \"500ms\", quiet: \"500ms\")".to_owned());
    let of = |more: &[(&str, String)]| resolved(STORM, None, more);
    let twelve = SimTime::from_secs(12);
    assert!(key(&of(std::slice::from_ref(&flap)), twelve).is_none());
    let options = RunOptions::seeded(7);
    // But it may be looked at.
    let flapping = of(&[flap]);
    let trunk = trunk(&flapping, &options, SimTime::from_secs(20)).expect("all of it is there");
    same(&whole(&flapping, &options), &branch(&flapping, &trunk, &options).expect("its own"), "a look");
}

/// The load may go on otherwise, if the next arrival does not know yet.
#[test]
fn the_load_may_part() {
    let options = RunOptions::seeded(7);
    let steps = |rate: &str| {
        let steps = format!("[(at: \"0s\", rate: \"200/s\"), (at: \"16s\", rate: \"{rate}/s\")]");
        resolved(STORM, None, &[("workload[0].arrivals", format!("Steps(steps: {steps})"))])
    };
    let before = SimTime::from_secs(16);
    let trunk = trunk(&steps("150"), &options, before).expect("there is time");
    for rate in ["10", "200", "700"] {
        let way = steps(rate);
        same(&whole(&way, &options), &branch(&way, &trunk, &options).expect("it leads there"), rate);
    }
    // So little load that the next to come is one of those after the step, mostly.
    let few = |rate: &str| {
        let steps = format!("[(at: \"0s\", rate: \"0.1/s\"), (at: \"16s\", rate: \"{rate}/s\")]");
        resolved(STORM, None, &[("workload[0].arrivals", format!("Steps(steps: {steps})"))])
    };
    let mut refused = 0;
    for seed in 0..20 {
        let options = RunOptions::seeded(seed);
        let trunk = trunk_from(&few("100"), &options, None, before).expect("there is time");
        match branch(&few("50"), &trunk, &options) {
            Some(branched) => same(&whole(&few("50"), &options), &branched, "few"),
            None => refused += 1,
        }
    }
    assert!((5..20).contains(&refused), "{refused} of 20 know what comes");
    // A surge is one more.
    let surge = |peak: &str| {
        let surge = format!("Spike(base: \"200/s\", peak: \"{peak}/s\", at: \"16s\", for: \"2s\")");
        resolved(STORM, None, &[("workload[0].arrivals", surge), ("faults", "[]".into())])
    };
    let trunk = trunk_from(&surge("300"), &options, None, before).expect("there is time");
    for peak in ["201", "900"] {
        let way = surge(peak);
        same(&whole(&way, &options), &branch(&way, &trunk, &options).expect("it leads there"), peak);
    }
}

/// What is retried makes no difference as long as nothing fails.
#[test]
fn policies_part_where_something_fails() {
    let options = RunOptions::seeded(7);
    let naive = |retry: &str| ("policies.naive.retry", retry.to_owned());
    let long = ("policies.naive.timeout", "\"10s\"".to_owned());
    let calm = |retry: &str| resolved(STORM, None, &[naive(retry), long.clone()]);
    let ways = ["None", "Fixed(attempts: 9, delay: \"1s\", jitter: Full)", "Exponential(attempts: 2)"];
    let calm_trunk = trunk(&calm("Fixed(attempts: 3)"), &options, FIRST).expect("there is time");
    for retry in ways {
        let way = calm(retry);
        same(&whole(&way, &options), &branch(&way, &calm_trunk, &options).expect("nothing failed"), retry);
    }
    // Another policy that says the same.
    let renamed = STORM.replace("policy: \"naive\"", "policy: \"other\"").replace(
        "policies: {",
        "policies: {\"other\": (timeout: \"10s\", retry: None, budget: Ratio(0.5), balancer: PowerOfTwo),",
    );
    let way = resolved(&renamed, None, &[]);
    same(&whole(&way, &options), &branch(&way, &calm_trunk, &options).expect("by another name"), "renamed");
    // As the variants of the storm that everybody looks at first.
    let file = experiments().into_iter().find(|file| file.name == "retry-storm").expect("bundled");
    let of = |variant: &str| key(&resolved(&file.text, Some(variant), &[]), SimTime::from_secs(60));
    let base = key(&resolved(&file.text, None, &[]), SimTime::from_secs(60));
    assert!(["backoff", "no-retry", "two-attempts"].iter().all(|variant| of(variant) == base));
    assert!(["budgeted", "breaker", "short-queue"].iter().all(|variant| of(variant) != base));
    // A timeout that some miss, early on.
    let short = ("policies.naive.timeout", "\"60ms\"".to_owned());
    let rough = |retry: &str| resolved(STORM, None, &[naive(retry), short.clone()]);
    for retry in ways {
        let own = trunk(&rough(retry), &options, FIRST).expect("there is time");
        let way = rough(retry);
        same(&whole(&way, &options), &branch(&way, &own, &options).expect("its own"), retry);
        assert!(branch(&rough("Fixed(attempts: 3)"), &own, &options).is_none(), "{retry} has been asked for");
    }
}

/// Copies of many edges would take the memory that there is.
#[test]
fn a_large_graph_has_no_trunk() {
    let of = |calls: usize| {
        let calls = "(to: \"back\"), ".repeat(calls);
        let text = format!(
            r#"(about: "x", model: ServiceGraph(
                workload: [(to: "front", arrivals: Poisson("1/s"))],
                services: {{
                    "front": (workers: Async(9), work: "1ms", calls: [Parallel([{calls}])]),
                    "back": (workers: Async(9), work: "1ms"),
                }},
            ), run: (duration: "40s"))"#
        );
        key(&resolved(&text, None, &[]), FIRST)
    };
    assert!(of(63).is_some() && of(64).is_none());
}

/// Everything but what comes later makes another key.
#[test]
fn what_is_set_otherwise_has_another_trunk() {
    let key = |set: &[(&str, String)]| key(&resolved(STORM, None, set), FIRST).expect("nobody dies of load");
    let base = key(&[]);
    assert_eq!(base, key(&[("faults", "[]".into()), ("run.duration", "\"99s\"".into())]));
    for (path, value) in [
        ("policies.naive.timeout", "\"201ms\""),
        ("services.back.replicas", "3"),
        ("workload[0].arrivals", "Poisson(\"201/s\")"),
        ("run.window", "\"2s\""),
        ("run.warm_up", "\"5s\""),
        ("run.within", "\"1s\""),
        ("faults[0].at", "\"9s\""),
    ] {
        assert_ne!(base, key(&[(path, value.into())]), "{path}");
    }
    let of = resolved(STORM, None, &[]);
    let key_with = |limits: Limits, max_in_flight: u64| {
        let options = RunOptions { limits, max_in_flight, ..RunOptions::seeded(7) };
        of.model.trunk_key(&of.run, &options, FIRST).expect("nobody dies of load")
    };
    let (limits, most) = (Limits::default(), RunOptions::seeded(7).max_in_flight);
    assert_eq!(base, key_with(limits, most));
    assert_ne!(base, key_with(Limits { events: 1, ..limits }, most));
    assert_ne!(base, key_with(Limits { events_at_one_instant: 1, ..limits }, most));
    assert_ne!(base, key_with(limits, 1));
}
