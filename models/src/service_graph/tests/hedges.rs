//! Scenes of copies: when one is sent, what it saves and what it costs. All of it can be worked out by hand.

use super::scenes::{MILLI, SECOND, scene};
use crate::policy::{Denied, Ending, Outcome};
use crate::report::Report;

/// One call at 10 ms to two replicas, of which the one that is chosen first, with this seed, takes a hundred
/// times as long as the other's 10 ms.
#[track_caller]
fn one_call(policy: &str, service: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "15ms", rate: "0/s")]))],
               services: {{"db": (replicas: 2, workers: Async(99), work: "10ms", {service})}}, policies: {{"p": ({policy})}},
               faults: [(at: "0s", on: "db", replicas: Only([1]), effect: Slow(factor: 100))]"#
        ),
        "10s",
    )
}

/// (sent, retries, copies, won by a copy, longest good answer in ms, longest failure in ms)
fn told(report: &Report) -> (u64, u64, u64, u64, Option<u64>, Option<u64>) {
    let edge = report.edges.get("users->db").unwrap();
    let section = report.sections.iter().find(|section| section.kind == "hedges").expect("it hedges");
    let value = |name: &str| section.values.get(name).and_then(|value| value.value).unwrap() as u64;
    let millis = |nanos: Option<u64>| nanos.map(|nanos| nanos / MILLI);
    (
        edge.attempts.sent,
        edge.attempts.retries,
        value("copies"),
        value("won"),
        millis(edge.latency.max),
        millis(edge.latency_failed.max),
    )
}

#[test]
fn a_copy_is_sent_while_the_first_is_out_and_whoever_answers_counts() {
    // (after, copies, told)
    for (hedge, expected) in [
        // The copy leaves at 20 ms for the other replica and needs 10.
        (r#"(after: "20ms")"#, (2, 0, 1, 1, Some(30), None)),
        (r#"(after: "0s")"#, (2, 0, 1, 1, Some(10), None)),
        // The second copy goes to the slow one again, and is cut off like the first.
        (r#"(after: "5ms", copies: 2)"#, (3, 0, 2, 1, Some(15), None)),
        // Answered before its copy would leave.
        (r#"(after: "1001ms")"#, (1, 0, 0, 0, Some(1_000), None)),
        // Nothing is known in the first ten seconds.
        ("(after: Percentile(samples: 1))", (1, 0, 0, 0, Some(1_000), None)),
    ] {
        let report = one_call(&format!("hedge: {hedge}"), "");
        assert_eq!(told(&report), expected, "{hedge}");
        let cut_off = report.edges.get("users->db").unwrap().attempts.of(Outcome::Cancelled);
        assert_eq!(cut_off, expected.0 - 1, "{hedge}");
    }
}

#[test]
fn what_loses_was_worked_on_for_nobody() {
    let report = one_call(r#"hedge: (after: "20ms")"#, "");
    let db = report.services.get("db").unwrap();
    assert_eq!((db.work, db.work_wasted), (SECOND + 10 * MILLI, SECOND));
}

/// All fail after 10 ms, or a second.
#[test]
fn a_failure_brings_the_next_copy_at_once_unless_it_is_fatal() {
    for (policy, expected) in [
        // The first fails at 1 s on the slow replica, its copy left at 20 ms and failed at 30, which brings the second at
        // once, to the slow one, until 1.03 s; nothing is left then.
        (r#"hedge: (after: "20ms", copies: 2)"#, (3, 0, 2, 0, None, Some(1_030))),
        // The copy's error ends the try, and so the first.
        (r#"hedge: (after: "20ms", copies: 2, non_fatal: [TimedOut])"#, (2, 0, 1, 0, None, Some(30))),
        // And then there is a retry, which goes to the slow one, and its copy.
        (
            r#"hedge: (after: "20ms", non_fatal: [TimedOut]), retry: Fixed(attempts: 2, delay: "5ms")"#,
            (4, 1, 2, 0, None, Some(65)),
        ),
        // Timed out before the copy was due: it takes its place.
        (r#"timeout: "15ms", hedge: (after: "999ms")"#, (2, 0, 1, 0, None, Some(25))),
    ] {
        assert_eq!(told(&one_call(policy, "error_rate: 1")), expected, "{policy}");
    }
}

#[test]
fn a_budget_pays_for_copies() {
    let report = one_call(r#"hedge: (after: "5ms", copies: 3), budget: Ratio(ratio: 0, burst: 1)"#, "");
    assert_eq!(told(&report), (2, 0, 1, 1, Some(15), None), "one token, one copy");
    let denied = &report.edges.get("users->db").unwrap().attempts.denied;
    assert_eq!(denied[Denied::Budget], 1);
}

#[test]
fn no_copy_leaves_after_the_deadline() {
    let report = one_call(r#"deadline: "20ms", hedge: (after: "20ms")"#, "");
    assert_eq!(report.edges.get("users->db").unwrap().calls.of(Ending::Deadline), 1);
    assert_eq!(told(&report), (1, 0, 0, 0, None, Some(20)));
}
