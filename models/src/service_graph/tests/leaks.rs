//! Replicas that lose memory, by hand: when they are killed, and what gives it back.

use super::scenes::{MILLI, scene};
use crate::report::Report;

fn kills(report: &Report) -> f64 {
    let section = report.section("memory_leak", "s").expect("it leaks");
    section.values.get("kills").and_then(|it| it.value).expect("counted")
}

/// Every tenth request is the last of its replica, and is lost with it: at 1000 ms, then at 3000 and 5000, one second and nine requests
/// later. Whatever kind of worker it is, and behind a queue of its own or one for all.
#[test]
fn the_tenth_request_is_the_last() {
    for workers in [
        "Async(5), queue: Fifo()",
        "Blocking(5), queue: SharedFifo()",
        "ProcessorSharing(at_once: Unbounded)",
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("10/s"))],
                   services: {{"s": (workers: {workers}, work: "1ms",
                       memory_leak: (per_request: "1MiB", limit: "10MiB", then: Dies(restart_after: "1050ms")))}}"#
            ),
            "6s",
        );
        assert_eq!(kills(&report), 3.0, "{workers}");
        assert_eq!(report.services.get("s").unwrap().completed, 9 * 3, "{workers}");
        assert_eq!(report.services.get("s").unwrap().deaths, 0, "it is no load that kills them");
    }
}

/// Who is killed has lost all of it, though at the end of every window it has lost less: four of ten at 1 s, killed at 2.1.
#[test]
fn who_is_killed_had_nothing_left() {
    let report = scene(
        r#"workload: [(to: "s", arrivals: Constant("4/s"))],
           services: {"s": (workers: Async(5), work: "1ms",
               memory_leak: (per_request: "1MiB", limit: "10MiB", then: Dies(restart_after: "100ms")))}"#,
        "6s",
    );
    assert!(kills(&report) >= 1.0);
    let section = report.section("memory_leak", "s").expect("it leaks");
    assert_eq!(section.values.get("most").and_then(|it| it.value), Some(1.0));
}

/// An hour's 3600 MiB are one each second: who has nothing to do is killed every 10 s and a half, and whoever was crashed at 5 s has ten more
/// from 6 s on.
#[test]
fn time_alone_kills() {
    for (faults, expected) in [
        ("", 5.0),
        (r#"(at: "5s", for: "1s", on: "s", effect: Crash())"#, 5.0),
        (r#"(at: "9s", for: "9s", on: "s", effect: Crash())"#, 4.0),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("1/s"))],
                   services: {{"s": (workers: Async(5), work: "1ms",
                       memory_leak: (per_hour: "3600MiB", limit: "10MiB", then: Dies(restart_after: "500ms")))}},
                   faults: [{faults}]"#
            ),
            "60s",
        );
        assert_eq!(kills(&report), expected, "{faults}");
    }
}

/// Work of 10 ms takes 11 times as long when everything is lost, and longer from 60 of 100 requests on; a drain in between gives it back.
#[test]
fn who_swaps_is_slow_until_it_starts_anew() {
    for (faults, longest) in
        [("", 110), (r#"(at: "5050ms", for: "100ms", on: "s", effect: Drain(grace: "1s"))"#, 10)]
    {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("10/s"))],
                   services: {{"s": (workers: Async(5), work: "10ms",
                       memory_leak: (per_request: "1MiB", limit: "100MiB", then: Slows(from: 0.6, factor: 11)))}},
                   faults: [{faults}]"#
            ),
            "10s",
        );
        let edge = report.edges.get("users->s").unwrap();
        // The last to end in time is the 98th, which begins with 97 lost: 1 + 10 x 37 / 40 times as long.
        let longest_of_all = edge.latency.max.expect("one ended well");
        let expected = if longest == 110 { 10.0 * (1.0 + 10.0 * 0.37 / 0.4) } else { 10.0 };
        assert_eq!(longest_of_all, (expected * MILLI as f64) as u64, "{faults}");
    }
}

/// Another version comes in place of the old one: what it loses is its own, and goes with it. Ten requests a second, a hundred and ten seconds until nothing is left.
#[test]
fn a_version_loses_what_it_loses() {
    let by_request =
        r#"memory_leak: (per_request: "1MiB", limit: "100MiB", then: Dies(restart_after: "1050ms"))"#;
    // The same by time.
    let by_time =
        r#"memory_leak: (per_hour: "36000MiB", limit: "100MiB", then: Dies(restart_after: "1050ms"))"#;
    let fast = r#"memory_leak: (per_request: "1MiB", limit: "20MiB", then: Dies(restart_after: "50ms")),"#;
    let hardly = r#"memory_leak: (per_request: "1B", limit: "20MiB", then: Dies(restart_after: "50ms"))"#;
    for (old, new, rest, expected) in [
        // From 10 s on: at 20 s and 31 s.
        ("", by_request, "", 2.0),
        ("", by_time, "", 2.0),
        // Taken back before: and not by what was lost until then.
        ("", by_request, r#", undo_at: "15s""#, 0.0),
        ("", by_time, r#", undo_at: "15s""#, 0.0),
        ("", by_request, r#", undo_at: "25s""#, 1.0),
        // Every 2 s until then.
        (fast, hardly, "", 4.0),
        // A version that says nothing loses what the old one does: at 2, 4, 6 and 8 s, and every 2 s from 11.9 s on.
        (fast, "work: 1.1", "", 16.0),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("10/s"))],
                   services: {{"s": (workers: Async(5), work: "1ms", {old}
                       rollout: (at: "9950ms", to: ({new}), strategy: Recreate, grace: "10ms"{rest}))}}"#
            ),
            "35s",
        );
        assert_eq!(kills(&report), expected, "{old} {new} {rest}");
    }
}
