//! Instances that start when they are needed, by hand.

use super::scenes::{MILLI, scene};
use crate::policy::Outcome;
use crate::report::Report;

fn told(report: &Report, name: &str) -> f64 {
    let section = report.section("cold_start", "s").expect("it starts cold");
    section.values.get(name).and_then(|it| it.value).unwrap_or_else(|| panic!("no {name}"))
}

/// Ten a second, 20 ms of work, 250 ms to start: three are started before the first is free, at 370 ms, and from there on they take turns.
#[test]
fn as_many_start_as_come_before_one_is_free() {
    for (more, starts, busy) in [
        ("", 3.0, 3.0 * 0.27 + 96.0 * 0.02),
        ("provisioned: 1", 0.0, 10.0),
        // Whoever was free last is used next, and the others go.
        (r#"idle_timeout: "100ms""#, 3.0, 3.0 * 0.27 + 96.0 * 0.02),
        // Three start, the next three find them, and when the first is there again for who comes 80 ms later, it has gone.
        (r#"idle_timeout: "70ms""#, 51.0, 48.0 * 0.27 + 48.0 * 0.02 + 0.25 + 0.15 + 0.05),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("10/s"))],
                   services: {{"s": (workers: Blocking(50), queue: Fifo(capacity: 0), work: "20ms", cold_start: (time: "250ms", {more}))}}"#
            ),
            "9950ms",
        );
        assert_eq!(told(&report, "starts"), starts, "{more}");
        let hours = told(&report, "billed_hours") * 3_600.0;
        assert!((hours - busy).abs() < 0.051, "{more}: {hours} s are paid for, not {busy}");
        let longest = report.edges.get("users->s").unwrap().latency.max.expect("some ended well");
        assert_eq!(longest, if starts > 0.0 { 270 } else { 20 } * MILLI, "{more}");
    }
}

/// Over the limit there is nobody, and what comes is turned away: two at a time, for 270 ms each.
#[test]
fn over_the_limit_it_is_throttled() {
    let report = scene(
        r#"workload: [(to: "s", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "105ms", rate: "0/s")]))],
           services: {"s": (workers: Blocking(2), queue: Fifo(capacity: 0), work: "20ms", cold_start: (time: "250ms"))}"#,
        "10s",
    );
    let edge = report.edges.get("users->s").unwrap();
    assert_eq!((edge.attempts.of(Outcome::Ok), edge.attempts.of(Outcome::Rejected)), (2, 8));
}

/// Whatever ends what an instance has in hand frees it, and a crash takes all of them: each has to start again.
#[test]
fn an_instance_is_free_whatever_ends_its_request() {
    for (what, policy, faults, starts) in [
        ("an answer", "", "", 1.0),
        ("a cancellation", r#"timeout: "110ms", cancel: Always"#, "", 1.0),
        ("a crash", "", r#"(at: "2050ms", for: "10ms", on: "s", effect: Crash())"#, 2.0),
        ("a drain", "", r#"(at: "2550ms", for: "400ms", on: "s", effect: Drain())"#, 2.0),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("2/s"), policy: "p")],
                   services: {{"s": (workers: Blocking(9), work: "100ms", on_cancel: Stop, cold_start: (time: "20ms"), calls: [(to: "b")]), "b": (workers: Async(9), work: "50ms")}},
                   policies: {{"p": ({policy})}},
                   faults: [{faults}]"#
            ),
            "10s",
        );
        assert_eq!(told(&report, "starts"), starts, "{what}");
    }
}

/// What is answered from what is kept needs somebody who looks it up.
#[test]
fn who_only_looks_up_has_to_start_as_well() {
    let report = scene(
        r#"workload: [(to: "s", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]), policy: "p")],
           services: {"s": (workers: Blocking(9), work: "20ms", cold_start: (time: "250ms", idle_timeout: "1ms"), idempotency: Key(lookup: "2ms"))},
           policies: {"p": (timeout: "200ms", retry: Fixed(attempts: 2, delay: "200ms"))}"#,
        "10s",
    );
    // The first is late, and the second, which finds what it did, takes 252 ms and is late as well.
    assert_eq!(report.edges.get("users->s").unwrap().attempts.of(Outcome::TimedOut), 2);
    assert_eq!(told(&report, "starts"), 2.0);
}

/// Two come within a start, and from then on one a second: whoever was free last is used, and the other goes after its 5 s. Were they to take
/// turns, none would ever be idle for longer than two.
#[test]
fn whoever_was_free_last_is_used_first() {
    let report = scene(
        r#"workload: [(to: "s", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "25ms", rate: "1/s")]))],
           services: {"s": (workers: Blocking(9), work: "1ms", cold_start: (time: "100ms", idle_timeout: "5s"))}"#,
        "60s",
    );
    assert_eq!(told(&report, "starts"), 2.0);
    let idle = told(&report, "idle_mean");
    assert!((1.0..1.1).contains(&idle), "{idle} are free, and not one and for 5 of 60 s another");
}
