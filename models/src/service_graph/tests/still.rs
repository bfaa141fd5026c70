//! Replicas that stand still, worked out by hand, and where that meets what else can happen to them.

use super::scenes::{MILLI, scene};
use crate::Catalog;
use crate::experiment::Experiment;
use crate::policy::Ending;
use crate::report::Report;
use crate::run::RunOptions;
use crate::trace::{Selection, SpanKind, collect};
use std::ops::ControlFlow;

fn told(report: &Report, name: &str) -> f64 {
    let section = report.section("stop_the_world", "s").expect("it stands still");
    section.values.get(name).and_then(|it| it.value).unwrap_or_else(|| panic!("no {name}"))
}

/// One user, and then another: how long the longest of their calls took, in milliseconds.
fn longest(report: &Report) -> u64 {
    report.edges.get("users->s").unwrap().latency.max.expect("one ended well") / MILLI
}

/// Work of 25 ms begins at 10 ms, and the next makes a collection of 50 ms necessary. On one worker that is at 35; on another of two at 20, and
/// both stand still until 70; where they share a core the first has done 10 ms by then, and is done at 100.
#[test]
fn work_takes_as_much_longer_as_pauses_fall_into_it() {
    for (workers, longest_of_two) in [
        ("Blocking(1)", 35 + 50 + 25 - 20),
        ("Async(2)", 50 + 25),
        ("ProcessorSharing(at_once: Unbounded)", 90),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "25ms", rate: "0/s")]))],
                   services: {{"s": (workers: {workers}, work: "25ms",
                       stop_the_world: GarbageCollection(heap: "20MiB", live: "4MiB", allocated_per_request: "10MiB", pause: "50ms"))}}"#
            ),
            "10s",
        );
        assert_eq!(longest(&report), longest_of_two, "{workers}");
    }
}

/// A trace tells what of the work was none. Two come at 10 and 20 ms with 25 ms of work; the second makes a collection of 50 ms necessary. Instances
/// take 250 ms to start.
#[test]
fn a_trace_tells_a_start_and_a_pause_from_work() {
    let pauses = r#"stop_the_world: GarbageCollection(heap: "20MiB", live: "4MiB", allocated_per_request: "10MiB", pause: "50ms")"#;
    for (workers, says, expected) in [
        ("Async(2)", pauses, [(75, 0, 50), (75, 0, 50)]),
        // The first is done before, and the second begins then.
        ("Blocking(1)", pauses, [(25, 0, 0), (75, 0, 50)]),
        ("ProcessorSharing(at_once: Unbounded)", pauses, [(90, 0, 50), (90, 0, 50)]),
        ("Blocking(2)", r#"cold_start: (time: "250ms")"#, [(275, 250, 0), (275, 250, 0)]),
        ("Blocking(2)", r#"cold_start: (time: "250ms", provisioned: 1)"#, [(25, 0, 0), (275, 250, 0)]),
    ] {
        let text = format!(
            r#"(about: "one", model: ServiceGraph(
                workload: [(to: "s", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "25ms", rate: "0/s")]))],
                services: {{"s": (workers: {workers}, work: "25ms", {says})}}), run: (duration: "5s"))"#
        );
        let (experiment, _) = Experiment::parse("x", &text, &[], &Catalog::bundled()).expect("sound");
        let resolved = experiment.with(None, &[]).expect("sound");
        let selection = Selection { calls: vec![0, 1], ..Selection::default() };
        let output =
            collect(&resolved, &RunOptions::seeded(1), selection, &mut |_| ControlFlow::Continue(()));
        let told = |number: usize| {
            let mut spans = output.traces[number].spans.iter();
            let work = spans.find(|span| span.kind == SpanKind::Work).expect("it was worked on");
            let took = work.to.expect("it is done") - work.from;
            (took / MILLI, work.starting / MILLI, work.standing_still / MILLI)
        };
        assert_eq!([told(0), told(1)], expected, "{workers}, {says}");
    }
}

/// A pause in the middle of work: it began at 500 ms, and the replica stands still for some time within every second.
#[test]
fn a_pause_in_the_middle_is_added() {
    for workers in ["Async(1)", "ProcessorSharing(at_once: Unbounded)"] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "2/s"), (at: "600ms", rate: "0/s")]))],
                   services: {{"s": (workers: {workers}, work: "3s", stop_the_world: Periodic(every: "1s", for: "100ms"))}}"#
            ),
            "10s",
        );
        // Three of them, and of the one in which it begins what is left of that.
        assert!((3_300..=3_400).contains(&longest(&report)), "{workers}: {}", longest(&report));
        assert_eq!(told(&report, "met"), 1.0);
        let share = told(&report, "share");
        assert!((share - 0.1).abs() < 0.005, "{share}");
        assert_eq!(told(&report, "longest"), 1e8);
    }
}

/// An answer of another comes while a replica stands still: its own leaves when it goes on.
#[test]
fn nobody_is_answered_by_who_stands_still() {
    let report = scene(
        r#"workload: [(to: "s", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
           services: {
               "s": (workers: Async(9), work: "2ms", calls: [(to: "b")], stop_the_world:
                   GarbageCollection(heap: "25MiB", allocated_per_request: "10MiB", pause: "100ms")),
               "b": (workers: Async(9), work: "20ms"),
           }"#,
        "10s",
    );
    let edge = report.edges.get("users->s").unwrap();
    // At 10, 20 and 30 ms; the third collects until 130. The first would be answered at 32, and is at 130: so is the second.
    // The third is answered at 130 + 2 + 20.
    assert_eq!((edge.latency.count, edge.latency.max), (3, Some(122 * MILLI)));
    assert_eq!(report.services.get("s").unwrap().completed, 3);
    assert_eq!(edge.latency.mean.map(|mean| mean / MILLI), Some((120 + 110 + 122) / 3));
}

/// Whoever goes down while it stands still goes on when it is back, and what it had in hand is lost.
#[test]
fn a_crash_ends_a_pause() {
    for workers in ["Async(1)", "ProcessorSharing(at_once: Unbounded)"] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("10/s"))],
                   services: {{"s": (workers: {workers}, work: "1ms", queue: Fifo(capacity: Unbounded),
                       stop_the_world: GarbageCollection(heap: "15MiB", allocated_per_request: "10MiB", pause: "1h"))}},
                   faults: [(at: "1050ms", for: "1s", on: "s", effect: Crash())]"#
            ),
            "10s",
        );
        let calls = &report.edges.get("users->s").unwrap().calls;
        // One is served before the first pause, one before the second.
        assert_eq!((calls.of(Ending::Ok), told(&report, "pauses")), (2, 2.0));
        // From 200 ms on, but for the second in which it is down, and from 2200 on: 0.85 and 7.8 of 9 s.
        assert!((told(&report, "share") - 8.65 / 9.0).abs() < 1e-9, "{}", told(&report, "share"));
    }
}

/// A probe that is less patient than a pause is long kills who is well; one that asks thrice does not.
#[test]
fn a_pause_is_no_answer_to_a_probe() {
    for (threshold, kills) in [(1, true), (3, false)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Poisson("20/s"))],
                   services: {{"s": (replicas: 2, workers: Async(4), work: "5ms",
                       probes: (liveness: (period: "1s", timeout: "200ms", failure_threshold: {threshold})),
                       stop_the_world: Periodic(every: "20s", for: "1200ms"))}}"#
            ),
            "200s",
        );
        let killed = report.section("probes", "s").unwrap().values.get("kills").and_then(|it| it.value);
        assert_eq!(killed.expect("counted") > 0.0, kills, "{threshold}: {killed:?}");
    }
}

/// Two that are together are away at the same time: half of the calls would have found the other.
#[test]
fn together_nobody_is_left() {
    let slow = |together: bool| {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Poisson("100/s"), policy: "p")],
                   services: {{"s": (replicas: 2, workers: Async(8), work: "1ms",
                       stop_the_world: Periodic(every: "2s", for: "200ms", together: {together}))}},
                   policies: {{"p": (balancer: LeastPending)}}"#
            ),
            "100s",
        );
        told(&report, "met")
    };
    let (together, apart) = (slow(true), slow(false));
    assert!(together > 0.08 && apart < 0.04, "{together}, {apart}");
}
