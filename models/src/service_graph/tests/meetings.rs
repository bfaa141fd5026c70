//! Where two mechanisms meet: each knows nothing of the other, and neither spoils what the other does.

use super::scenes::scene;
use crate::report::Report;

fn told(report: &Report, kind: &str, at: &str, name: &str) -> f64 {
    let section = report.section(kind, at).unwrap_or_else(|| panic!("no {kind} at {at}"));
    section.values.get(name).and_then(|it| it.value).unwrap_or_else(|| panic!("no {name} of {kind} at {at}"))
}

fn success(report: &Report) -> f64 {
    report.summary.success.expect("calls ended")
}

const SCALED: &str =
    "replicas: 4, workers: Async(10), work: \"5ms\", autoscaler: (metric: Utilisation(0.5), min: 4, max: 40)";

fn calm(policy: &str, more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(name: "u", to: "s", arrivals: Poisson("100/s"), clients: 20, policy: "p")],
               services: {{"s": ({SCALED}, {more})}}, policies: {{"p": ({policy})}}"#
        ),
        "20s",
    )
}

/// Four of forty are there, and all of them are well: nobody panics, and of four no more than a tenth may be ejected, which is nobody.
#[test]
fn who_may_yet_come_is_neither_missed_nor_counted() {
    assert_eq!(success(&calm("panic_threshold: 0.5", "")), 1.0);
    let fails = success(&calm("outlier: (consecutive: 1, max_ejection_percent: 10)", "error_rate: 0.5"));
    assert!((fails - 0.5).abs() < 0.05, "half of them are answered well, whoever is asked: {fails}");
}

/// A request that comes twice is accepted twice and called back twice, about the same: one callback finds it, and the other does no harm.
#[test]
fn what_comes_twice_is_called_back_about_one_request() {
    for on in ["a->b", "b->a/callback"] {
        let report = scene(
            &format!(
                r#"workload: [(to: "a", arrivals: Poisson("100/s"))], network: "1ms",
                   services: {{
                       "a": (workers: Async(9), work: "2ms", calls: [(to: "b", callback: (after: "5ms", within: "1s"))]),
                       "b": (workers: Async(4), work: "1ms"),
                   }}, faults: [(at: "0s", on: "{on}", effect: Duplicate(probability: 0.5))]"#
            ),
            "5s",
        );
        assert_eq!(success(&report), 1.0, "{on}");
        let twice = told(&report, "network", on, "twice");
        assert!(twice > 100.0, "{on}: {twice} came twice");
    }
}

/// Room for more callers than there are: those who come later are called back as well.
#[test]
fn who_comes_later_is_called_back() {
    let report = scene(
        r#"workload: [(to: "a", arrivals: Poisson("100/s"))],
           services: {
               "a": (workers: Async(1), work: "20ms", queue: Fifo(capacity: Unbounded), calls: [(to: "b", callback: (after: "5ms", within: "10s", work: "0s", state: Sticky))],
                   autoscaler: (metric: Utilisation(0.5), min: 1, max: 8, sync: "1s")),
               "b": (workers: Async(100), work: "1ms"),
           }"#,
        "60s",
    );
    assert!(told(&report, "autoscaler", "a", "desired_most") >= 4.0);
    assert!(success(&report) > 0.99);
}

/// Killed twice, it is to wait 200 s; then it is taken away, and a minute later another takes its place: that one has nothing to wait for.
#[test]
fn what_was_killed_and_taken_away_leaves_nothing_to_the_next() {
    let report = scene(
        r#"workload: [(name: "u", to: "s", arrivals: Steps(steps: [(at: "0s", rate: "10/s"), (at: "60s", rate: "150/s")]), policy: "p")],
           services: {"s": (replicas: 2, workers: Async(2), work: "10ms",
               probes: (liveness: (period: "1s", timeout: "500ms", failure_threshold: 1), readiness: (period: "1s", timeout: "500ms", failure_threshold: 1), crash_loop_backoff: (initial: "200s", cap: "300s")),
               autoscaler: (metric: Requests("100/s"), min: 1, max: 2, sync: "5s", scale_down: (stabilization: "0s")))},
           policies: {"p": (timeout: "1s")},
           faults: [(at: "1s", for: "20s", on: "s", replicas: Only([1]), effect: BlackHole)]"#,
        "300s",
    );
    assert_eq!(told(&report, "probes", "s", "kills"), 2.0);
    let mean = told(&report, "members", "s", "mean");
    // One for a minute, then two.
    assert!(mean > 1.7, "{mean} members");
}
