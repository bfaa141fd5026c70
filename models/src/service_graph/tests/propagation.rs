//! Scenes of calls that end when nobody waits any more for the request that makes them. All of it can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

/// A user who waits for 100 ms, a shop that works for 10 ms and then asks a warehouse, which needs so long.
#[track_caller]
fn chain(user: &str, shop: &str, more: &str, work: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "shop", policy: "user", arrivals: Burst(count: 1, at: "1s"))],
               services: {{
                   "shop": (workers: Blocking(1), work: "10ms", calls: [(to: "warehouse", policy: "shop")]),
                   "warehouse": (workers: Async(1), work: "{work}"),
               }},
               policies: {{"user": ({user}), "shop": ({shop})}}, {more}"#
        ),
        "10s",
    )
}

/// (ok, deadline, timed out; attempts; mean of what failed in ms) of the calls to the warehouse.
fn told(report: &Report) -> (u64, u64, u64, u64, u64) {
    let edge = report.edges.get("shop->warehouse").unwrap();
    let failed = edge.latency_failed.mean.unwrap_or(0) / MILLI;
    let of = |ending| edge.calls.of(ending);
    (edge.calls.ok(), of(Ending::Deadline), of(Ending::Failed(Outcome::TimedOut)), edge.attempts.sent, failed)
}

#[test]
fn a_call_ends_with_whoever_waits_for_it() {
    let inherits = r#"deadline_propagation: ()"#;
    let retries = r#"timeout: "60ms", retry: Fixed(attempts: 9)"#;
    for (user, shop, work, expected) in [
        // It has 90 ms, whether the user has a deadline or a timeout.
        (r#"deadline: "100ms""#, String::new(), "1s", (1, 0, 0, 1, 0)),
        (r#"deadline: "100ms""#, inherits.into(), "1s", (0, 1, 0, 1, 90)),
        (r#"timeout: "100ms""#, inherits.into(), "1s", (0, 1, 0, 1, 90)),
        (r#"timeout: "100ms", deadline: "70ms""#, inherits.into(), "1s", (0, 1, 0, 1, 60)),
        (
            r#"deadline: "100ms""#,
            r#"deadline_propagation: (allowance: "15ms")"#.into(),
            "1s",
            (0, 1, 0, 1, 75),
        ),
        (
            r#"deadline: "100ms""#,
            r#"deadline_propagation: (allowance: "90ms")"#.into(),
            "1s",
            (0, 1, 0, 0, 0),
        ),
        // What is in time is in time, to the nanosecond.
        (r#"deadline: "100ms""#, inherits.into(), "90ms", (1, 0, 0, 1, 0)),
        // Its own comes first.
        (r#"deadline: "100ms""#, format!(r#"{inherits}, timeout: "40ms""#), "1s", (0, 0, 1, 1, 40)),
        // Retries end with it.
        (r#"deadline: "100ms""#, retries.into(), "1s", (0, 0, 1, 9, 540)),
        (r#"deadline: "100ms""#, format!("{inherits}, {retries}"), "1s", (0, 1, 0, 2, 90)),
        // Nobody waits for ever less than for ever.
        ("", r#"deadline_propagation: (allowance: "1s")"#.into(), "1s", (1, 0, 0, 1, 0)),
    ] {
        let report = chain(user, &shop, "", work);
        assert_eq!(told(&report), expected, "{user}, {shop}, {work}");
    }
}

/// Three requests at once to one worker of 40 ms, each waited for for 50 ms: the second and the third have run out of time when their
/// turn comes at 40 and 80 ms, and only the third knew it.
#[test]
fn what_comes_too_late_is_not_worked_on() {
    for (propagation, completed) in [("", 3), ("deadline_propagation: ()", 2)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", policy: "user", arrivals: Burst(count: 3, at: "1s"))],
                   services: {{"shop": (workers: Async(1), work: "40ms")}},
                   policies: {{"user": (deadline: "50ms", {propagation})}}"#
            ),
            "10s",
        );
        assert_eq!(report.services.get("shop").unwrap().completed, completed, "{propagation}");
    }
}

/// A request that was held on its way for longer than anybody waits for it is not worked on either.
#[test]
fn what_arrives_too_late_is_not_worked_on() {
    for (propagation, completed) in [("", 1), ("deadline_propagation: ()", 0)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", policy: "user", arrivals: Burst(count: 1, at: "1s"))],
                   services: {{"shop": (workers: Async(1), work: "40ms")}},
                   policies: {{"user": (deadline: "50ms", {propagation})}},
                   faults: [(at: "500ms", for: "1s", on: "users->shop", effect: Hold)]"#
            ),
            "10s",
        );
        assert_eq!(report.services.get("shop").unwrap().completed, completed, "{propagation}");
    }
}
