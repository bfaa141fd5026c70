//! What fails at random: how long each is down, and how many at once, against closed forms; and what a domain takes with it.

use super::scenes::{SECOND, scene_of};
use crate::report::Report;

/// Replicas of which hardly anybody asks anything, that fail like this for twenty thousand hours.
fn failing(replicas: u32, failure: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "api", arrivals: Constant("0.002/s"), policy: "p")],
               services: {{"api": (replicas: {replicas}, workers: Async(9), work: "1ms")}},
               policies: {{"p": (balancer: Random)}},
               failures: {{"disks": (on: "api", {failure})}}"#
        ),
        r#"duration: "20000h", warm_up: "100h", window: "1000h""#,
    )
}

/// The measured, and what stands beside it.
#[track_caller]
fn beside(report: &Report, name: &str) -> (f64, f64) {
    let value = report.values.get(name).unwrap_or_else(|| panic!("{name}: {:?}", report.values));
    (value.value.expect("measured"), value.exact.expect("known"))
}

/// Each is down for MTTR / (MTTF + MTTR), whatever the distributions are, and the binomial says how many at once.
#[test]
fn each_is_down_for_its_share_whatever_the_times() {
    let table = [
        r#"every: Exponential(mean: "99h"), for: Exponential(mean: "1h")"#,
        r#"every: "99h", for: Uniform(low: "30min", high: "90min")"#,
        r#"every: Weibull(shape: 0.7, scale: "78.2h"), for: LogNormal(mean: "1h", cv: 2)"#,
    ];
    for times in table {
        let report = failing(10, &format!("{times}, needs: 9"));
        let (down, exact) = beside(&report, "down disks");
        assert!((exact - 0.01).abs() < 1e-4 && (down / exact - 1.0).abs() < 0.12, "{times}: {down} {exact}");
        // Clocks that began together tick together for long, and are not yet independent.
        if !times.starts_with("every: \"99h\"") {
            let (any, exact) = beside(&report, "any_down disks");
            assert!(
                (exact - 0.0956).abs() < 1e-3 && (any / exact - 1.0).abs() < 0.12,
                "{times}: {any} {exact}"
            );
            let (enough, exact) = beside(&report, "enough_up disks");
            assert!((enough - exact).abs() < 0.0025, "{times}: {enough} {exact}");
        }
        let told = report.section("failures", "disks").expect("it is told");
        let failures = told.values.get("failures").and_then(|value| value.value).expect("a count");
        // 10 x 19900 / 100, to four deviations of what is no more spread than twice Poisson's.
        assert!((failures - 1990.0).abs() < 250.0, "{times}: {failures}");
        let requests = report.edges.get("users->api").unwrap();
        let failed = 1.0 - requests.success.unwrap();
        assert!(
            (failed - down).abs() < 0.002,
            "{times}: whoever calls finds it down for as long: {failed} {down}"
        );
    }
}

/// Two percent each, and all four of them: in three senses of 0.6.
#[test]
fn all_are_down_as_the_sense_says() {
    let table = [
        ("Independent", 1.6e-7),
        ("Pearson(0.6)", 7.5e-3),
        ("GaussianCopula(0.6)", 1.07e-3),
        ("BetaFactor(0.6)", 1.2e-2),
        ("BetaFactor(1)", 0.02),
        ("Pearson(1)", 0.02),
        ("GaussianCopula(0)", 1.6e-7),
    ];
    for (correlation, expected) in table {
        let times = r#"every: Exponential(mean: "4.9h"), for: Exponential(mean: "6min")"#;
        let report = failing(4, &format!("{times}, correlation: {correlation}"));
        let (all, exact) = beside(&report, "all_down disks");
        assert!((exact / expected - 1.0).abs() < 0.01, "{correlation}: {exact}");
        // Of some hundred times that all were down.
        assert!((all - exact).abs() < 0.15 * exact + 2e-5, "{correlation}: {all} {exact}");
        // Each by itself is down for as long as ever, and for times as long.
        let (down, exact) = beside(&report, "down disks");
        assert!((down / exact - 1.0).abs() < 0.1, "{correlation}: {down} {exact}");
    }
}

/// A rack takes its replicas with it, of both services, all at once; and nobody else.
#[test]
fn a_domain_takes_with_it_what_it_holds() {
    let rack = |holds: &str| {
        let graph = r#"workload: [(to: "api", arrivals: Constant("10/s"), policy: "p")],
           services: {
               "api": (replicas: 2, workers: Async(9), work: "1ms", per_replica: true, calls: [(to: "db", policy: "p")]),
               "db": (workers: Async(9), work: "1ms"),
           },
           policies: {"p": ()},
           domains: {"rack": (holds: [HOLDS], every: "9s", for: "1s")}"#;
        scene_of(&graph.replace("HOLDS", holds), r#"duration: "100s", window: "10s""#)
    };
    let report = rack(r#"(on: "api", replicas: Only([1])), (on: "db")"#);
    // What is held twice is held once.
    let twice = rack(
        r#"(on: "db"), (on: "api", replicas: Only([1])), (on: "db", replicas: Only([0])), (on: "api", replicas: Only([1, 1]))"#,
    );
    assert_eq!(twice.digest.t, report.digest.t);
    // Down from 9 to 10 s, 19 to 20 .. 99 to 100: one tenth, all calls.
    let told = report.section("failures", "rack").unwrap();
    let value = |name: &str| told.values.get(name).and_then(|value| value.value);
    assert_eq!((value("failures"), value("down"), value("all_down")), (Some(10.0), Some(0.1), Some(0.1)));
    let edge = report.edges.get("users->api").unwrap();
    assert_eq!(edge.calls.failed(), 100, "half of them refused by a replica, half by its database");
    assert!(report.timeline.disturbances.is_empty(), "not one line for each");
    assert_eq!(told.series[0].values, vec![0.1; 10]);
    assert!(edge.latency.max.unwrap() < SECOND);
}

/// What fails at random says nothing that theory knows, but of itself.
#[test]
fn theory_is_silent_about_whoever_fails_at_random() {
    let desk = |more: &str| {
        scene_of(
            &format!(
                r#"workload: [(to: "desk", arrivals: Poisson("50/s"))],
                   services: {{"desk": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "10ms"), error_rate: 0.1)}}{more}"#
            ),
            r#"duration: "20s", window: "10s""#,
        )
    };
    let said = |report: &Report| report.values.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert!(said(&desk("")).contains(&"wait_mean".into()));
    let times = r#"every: Exponential(mean: "1s"), for: Exponential(mean: "1s")"#;
    let alone =
        desk(&format!(r#", failures: {{"it": (on: "desk", {times}, effect: Errors(probability: 0.5))}}"#));
    assert_eq!(said(&alone), ["down it"]);
    let shared =
        desk(&format!(r#", domains: {{"rack": (holds: [(on: "desk")], {times}, effect: Slow(factor: 2))}}"#));
    assert_eq!(said(&shared), ["down rack"]);
}
