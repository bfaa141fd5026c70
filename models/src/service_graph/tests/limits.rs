//! Scenes in which the execution of a request is stopped when it has taken as long as it may. What stands here without a tolerance can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

#[track_caller]
fn told<const N: usize>(report: &Report, at: &str, names: [&str; N]) -> [f64; N] {
    let section = report.section("execution_limit", at).expect("it has a limit");
    names.map(|name| section.values.get(name).and_then(|it| it.value).expect("it is told"))
}

/// Ten calls, one a second, to a function that may take 300 ms.
#[track_caller]
fn function(function: &str, more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "f", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "10500ms", rate: "0/s")]))],
               services: {{"f": (execution_limit: "300ms", {function})}}{more}"#
        ),
        "20s",
    )
}

/// Whatever it is that works: stopped after 300 ms, and not where it takes as long as that and no longer. Its start does not count.
#[test]
fn own_work_is_stopped() {
    for (says, stopped, takes) in [
        (r#"workers: Blocking(1), work: "299ms""#, 0, 299),
        (r#"workers: Blocking(1), work: "300ms""#, 0, 300),
        (r#"workers: Blocking(1), work: "301ms""#, 10, 300),
        (r#"workers: Async(3), work: "900ms""#, 10, 300),
        (r#"workers: ProcessorSharing(cores: 1, at_once: 5), work: "299ms""#, 0, 299),
        (r#"workers: ProcessorSharing(cores: 1, at_once: 5), work: "5s""#, 10, 300),
        (r#"workers: Blocking(1), work: "300ms", scaling: Usl(contention: 0.1)"#, 0, 300),
        (r#"workers: Blocking(2), work: "250ms", cold_start: (time: "150ms", idle_timeout: "10ms")"#, 0, 400),
        (
            r#"workers: Blocking(2), work: "350ms", cold_start: (time: "150ms", idle_timeout: "10ms")"#,
            10,
            450,
        ),
    ] {
        let report = function(says, "");
        let (edge, took) = (report.edges.get("users->f").unwrap(), Some(takes * MILLI));
        let found = (edge.calls.ok(), edge.calls.of(Ending::Failed(Outcome::Error)));
        assert_eq!(found, (10 - stopped, stopped), "{says}");
        let longest = if stopped > 0 { edge.latency_failed.max } else { edge.latency.max };
        assert_eq!(longest, took, "{says}");
        assert_eq!(told(&report, "f", ["stopped", "waiting"]), [stopped as f64, 0.0], "{says}");
        let f = report.services.get("f").unwrap();
        assert_eq!(f.work, 10 * takes * MILLI, "{says}: it costs what it took");
    }
}

/// A queue does not count: the second of two at once waits for 250 ms and works for as long.
#[test]
fn waits_in_the_queue_do_not_count() {
    let report = scene(
        r#"workload: [(to: "f", arrivals: Burst(count: 3))], services: {"f": (execution_limit: "300ms", workers: Blocking(1), work: "250ms")}"#,
        "20s",
    );
    let edge = report.edges.get("users->f").unwrap();
    assert_eq!((edge.calls.ok(), edge.latency.max), (3, Some(750 * MILLI)));
}

/// Calls that are out end with it, and the retry that would have been made is not; whom they were made to goes on, unless it is told. Its worker is free at once.
#[test]
fn waits_for_calls_are_stopped() {
    for (policy, workers, sent, worked) in [
        // 10 calls of 1 s each are worked on to their end.
        ("", "Blocking(1)", 10, 10_000),
        ("", "Async(1)", 10, 10_000),
        // 200 ms after they began they are called off.
        ("cancel: Always", "Blocking(1)", 10, 2_000),
        // The second try comes at 220 ms, and the third would at 340.
        (r#"timeout: "100ms", retry: Fixed(attempts: 9, delay: "20ms")"#, "Blocking(1)", 20, 20_000),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "f", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "10500ms", rate: "0/s")]))],
                   services: {{
                       "f": (execution_limit: "300ms", workers: {workers}, work: "100ms", calls: [(to: "db", policy: "p")]),
                       "db": (workers: Async(50), work: "1s", on_cancel: Stop),
                   }},
                   policies: {{"p": ({policy})}}"#
            ),
            "20s",
        );
        let (users, db) = (report.edges.get("users->f").unwrap(), report.edges.get("f->db").unwrap());
        assert_eq!(users.calls.of(Ending::Failed(Outcome::Error)), 10, "{policy} {workers}");
        assert_eq!(users.latency_failed.max, Some(300 * MILLI), "{policy} {workers}");
        assert_eq!((db.calls.started, db.attempts.sent), (10, sent), "{policy} {workers}");
        assert_eq!(db.calls.of(Ending::Cancelled), 10, "{policy} {workers}");
        assert_eq!(report.services.get("db").unwrap().work, worked * MILLI, "{policy} {workers}");
        assert_eq!(told(&report, "f", ["stopped", "waiting"]), [10.0, 10.0], "{policy} {workers}");
        let busy = report.services.get("f").unwrap().utilisation * 20e3;
        let held = if workers.starts_with('B') { 3_000.0 } else { 1_000.0 };
        assert!((busy - held).abs() < 1e-6, "{policy} {workers}: {busy}");
    }
}

/// One that stands still is not stopped before it goes on; one that has crashed is not stopped; and nobody who asks whether it is well is.
#[test]
fn whoever_is_not_there_is_not_stopped() {
    let still = function(
        r#"workers: Blocking(1), work: "290ms", stop_the_world: Periodic(every: "10s", for: "500ms", together: true)"#,
        "",
    );
    let edge = still.edges.get("users->f").unwrap();
    let stopped = told(&still, "f", ["stopped"])[0] as u64;
    assert_eq!((edge.calls.ok() + stopped, edge.calls.started), (10, 10));
    assert!((1..=3).contains(&stopped), "{stopped}");
    let crashed = function(
        r#"workers: Blocking(1), work: "301ms""#,
        r#", faults: [(at: "5200ms", for: "100ms", on: "f", effect: Crash())]"#,
    );
    assert_eq!(told(&crashed, "f", ["stopped"]), [9.0]);
    let checked = function(
        r#"workers: Blocking(9), work: "1ms", health: (kind: Worker(work: "400ms"), timeout: "1s")"#,
        "",
    );
    assert_eq!(told(&checked, "f", ["stopped"]), [0.0]);
    assert_eq!(checked.edges.get("health->f").unwrap().calls.failed(), 0);
}

/// Exponential work with a mean of 100 ms: `e^-3` of it is stopped at 300 ms, and it takes `1 - e^-3` of its mean.
#[test]
fn as_many_are_stopped_as_work_for_longer() {
    let report = scene(
        r#"workload: [(to: "f", arrivals: Poisson("20/s"))],
           services: {"f": (execution_limit: "300ms", workers: Async(500), work: Exponential(mean: "100ms"))}"#,
        "1000s",
    );
    let edge = report.edges.get("users->f").unwrap();
    let (share, exact) = (1.0 - edge.calls.success().expect("calls"), sim_core::math::exp(-3.0));
    let calls = edge.calls.started as f64;
    assert!((share - exact).abs() < 4.0 * (exact * (1.0 - exact) / calls).sqrt(), "{share} of {exact}");
    let mean = report.services.get("f").unwrap().work as f64 / calls / 1e6;
    assert!((mean / (100.0 * (1.0 - exact)) - 1.0).abs() < 0.03, "{mean} ms");
}
