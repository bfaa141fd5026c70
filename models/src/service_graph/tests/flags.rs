//! Scenes of flags that users have. What stands here without a tolerance can be worked out by hand.

use super::scenes::{MILLI, SECOND, scene_of};
use crate::policy::Outcome;
use crate::report::Report;

/// Even calls over two services, a hundred a second, with this flag `x`, of which nothing else is left to chance.
fn two(front: &str, back: &str, policy: &str, flag: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "front", arrivals: Constant("100/s"))],
               services: {{
                   "front": (workers: Async(100), work: "1ms", {front}),
                   "back": (replicas: 3, workers: Async(100), work: "1ms", {back}),
                   "other": (workers: Async(100), work: "1ms"),
               }},
               policies: {{"p": ({policy})}}, flags: {{"x": ({flag})}}"#
        ),
        r#"duration: "40s", window: "1s""#,
    )
}

const CALLS: &str = r#"calls: [(to: "back", policy: "p")]"#;

#[track_caller]
fn of_flag(report: &Report, name: &str) -> Option<f64> {
    let section = report.section("flags", "x").expect("it is told");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value
}

fn arrived(report: &Report, service: &str) -> u64 {
    report.services.get(service).expect("it is there").arrived
}

/// For all from 10 s on; seen after 5 s, and off everywhere 3 s later.
#[test]
fn it_is_switched_off_by_whoever_looks() {
    let analysis = r#"stages: [(at: "9995ms")], kill_takes: "3s", analysis: (metric: ErrorRate(at_most: 0.1), interval: "5s")"#;
    let bad = two(CALLS, r#"with_flags: {"x": (error_rate: 1)}"#, "", analysis);
    assert_eq!(
        ["requests", "failed", "killed", "false_kills"].map(|name| of_flag(&bad, name)),
        [800.0, 800.0, 1.0, 0.0].map(Some)
    );
    assert_eq!(
        ["time_to_detect", "killed_at"].map(|name| of_flag(&bad, name).map(|at| at / SECOND as f64)),
        [Some(5.0), Some(14.995)]
    );
    assert_eq!((of_flag(&bad, "error_rate"), of_flag(&bad, "error_rate_without")), (Some(1.0), Some(0.0)));
    let section = bad.section("flags", "x").unwrap();
    let changes: Vec<(u64, &str)> = section.changes.iter().map(|it| (it.at / MILLI, &*it.to)).collect();
    assert_eq!(changes, [(9_995, "on for 100 %"), (14_995, "killed"), (17_995, "off")]);
    let with = &section.series[0].values;
    assert_eq!([5, 12, 17, 25].map(|second| with[second]), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(bad.summary.recovered, Some(true), "{}", bad.verdict.headline);
    // What is slow is seen as well, and what does no harm is left alone.
    let slow = r#"stages: [(at: "9995ms")], analysis: (metric: Latency(at_most: "5ms"), interval: "5s")"#;
    let slow = two(CALLS, r#"with_flags: {"x": (work: 10)}"#, "", slow);
    assert_eq!((of_flag(&slow, "killed"), of_flag(&slow, "failed")), (Some(1.0), Some(0.0)));
    let good = two(CALLS, r#"with_flags: {"x": (work: 0.5)}"#, "", analysis);
    assert_eq!(["killed", "measurements"].map(|name| of_flag(&good, name)), [Some(0.0), Some(6.0)]);
    // A switch for what fails anyway is thrown for nothing.
    let anyway = two(CALLS, r#"error_rate: 0.3, with_flags: {"x": (work: 0.5)}"#, "", analysis);
    assert_eq!(["killed", "false_kills"].map(|name| of_flag(&anyway, name)), [Some(1.0), Some(1.0)]);
}

/// A user who has it fails however often he is tried again, and wherever; whoever has it not never does.
#[test]
fn trying_elsewhere_does_not_help() {
    let half = r#"stages: [(at: "0s", share: 0.5)]"#;
    let bad = r#"with_flags: {"x": (error_rate: 1)}"#;
    for policy in ["", "retry: Fixed(attempts: 3), retry_host: Other()"] {
        let report = two(CALLS, bad, policy, half);
        let (front, back) =
            (report.edges.get("users->front").unwrap(), report.edges.get("front->back").unwrap());
        let with = of_flag(&report, "requests").unwrap();
        assert!((1_850.0..2_150.0).contains(&with), "{with} of 4,000");
        assert_eq!(of_flag(&report, "failed"), Some(with), "{policy}");
        assert_eq!(of_flag(&report, "error_rate_without"), Some(0.0), "{policy}");
        assert_eq!(front.calls.failed() as f64, with);
        let times = if policy.is_empty() { 1.0 } else { 3.0 };
        assert_eq!(back.attempts.of(Outcome::Error) as f64, times * with);
    }
    // Nor does it that a request comes twice, or that a copy of it is sent.
    let twice = |more: &str, policy: &str| {
        scene_of(
            &format!(
                r#"workload: [(to: "api", arrivals: Constant("100/s"), policy: "p")],
                   services: {{"api": (replicas: 3, workers: Async(100), work: "10ms", {bad})}},
                   policies: {{"p": ({policy})}}, flags: {{"x": ({half})}}, {more}"#
            ),
            r#"duration: "40s", window: "1s""#,
        )
    };
    let duplicated =
        twice(r#"faults: [(at: "0s", on: "users->api", effect: Duplicate(probability: 1))]"#, "");
    let copied = twice("", r#"hedge: (after: "1ms")"#);
    for report in [&duplicated, &copied] {
        assert_eq!(of_flag(report, "error_rate"), Some(1.0));
        assert_eq!(of_flag(report, "error_rate_without"), Some(0.0));
    }
    // Half of those who have it: the same luck as of what fails anyway, which fails with it and without it.
    let anyway = two(CALLS, "error_rate: 0.2", "", half);
    let more = two(CALLS, r#"error_rate: 0.2, with_flags: {"x": (error_rate: 0.5)}"#, "", half);
    assert_eq!(of_flag(&anyway, "error_rate_without"), of_flag(&more, "error_rate_without"));
    let [before, after] = [&anyway, &more].map(|it| of_flag(it, "error_rate").unwrap());
    assert!((0.17..0.23).contains(&before) && (0.56..0.64).contains(&after), "{before} {after}");
}

/// Each call takes 2 ms, and 1 + 7 ms for whoever has it.
#[test]
fn work_takes_longer_for_those_who_have_it() {
    let report = two(CALLS, r#"with_flags: {"x": (work: 7)}"#, "", r#"stages: [(at: "0s", share: 0.25)]"#);
    let edge = report.edges.get("users->front").unwrap();
    let with = of_flag(&report, "requests").unwrap();
    assert_eq!(edge.latency.max, Some(8 * MILLI));
    let mean = (with * 8.0 + (4_000.0 - with) * 2.0) / 4_000.0 * MILLI as f64;
    let measured = edge.latency.mean.unwrap() as f64;
    assert!((measured / mean - 1.0).abs() < 0.001, "{measured} {mean}");
}

/// Those who have it call one service, and the others another: each of them exactly one.
#[test]
fn calls_are_made_by_those_who_have_it_or_have_not() {
    let calls = r#"calls: [(to: "back", flag: With("x")), Parallel([(to: "other", flag: Without("x"))])]"#;
    let report = two(calls, "", "", r#"stages: [(at: "0s", share: 0.25), (at: "20s", share: 1)]"#);
    let (with, all) = (of_flag(&report, "requests").unwrap(), arrived(&report, "front"));
    assert!((2_400.0..2_600.0).contains(&with), "{with}");
    assert_eq!((arrived(&report, "back") as f64, arrived(&report, "other")), (with, all - with as u64));
    assert_eq!(of_flag(&report, "false_kills"), Some(0.0));
}

/// Of eight users who call again and again each has it always, or never; whoever is of another workload never has.
#[test]
fn a_user_keeps_it() {
    let workload = |number| {
        format!(r#"(name: "w{number}", to: "api", arrivals: ClosedLoop(users: 1, think: "100ms")),"#)
    };
    let workloads: String = (0..9).map(workload).collect();
    let report = scene_of(
        &format!(
            r#"workload: [{workloads}],
               services: {{"api": (workers: Async(100), work: "1ms", with_flags: {{"x": (error_rate: 1)}})}},
               flags: {{"x": (stages: [(at: "0s", share: 0.5)], only_from: ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"])}}"#
        ),
        r#"duration: "20s", window: "1s""#,
    );
    let failed = |number| {
        let calls = &report.edges.get(&format!("w{number}->api")).unwrap().calls;
        (calls.failed(), calls.started)
    };
    let all: Vec<bool> = (0..8)
        .map(|number| match failed(number) {
            (0, _) => false,
            (failed, started) if failed + 1 >= started => true,
            mixed => panic!("w{number} has it and has it not: {mixed:?}"),
        })
        .collect();
    assert!(all.contains(&true) && all.contains(&false), "{all:?}");
    assert_eq!(failed(8).0, 0, "it is not for that one");
}
