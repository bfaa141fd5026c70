//! Answers that are kept, by hand.

use super::scenes::{MILLI, scene};
use crate::report::Report;

/// A call a second from 1 s to 9 s, to a service that looks in no time and calls another, which takes 100 ms.
fn nine(cache: &str, more: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "front", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
               services: {{
                   "front": (workers: Async(99), work: "0s", calls: [(to: "back")], cache: ({cache}) {more}),
                   "back": (workers: Async(99), work: "100ms"),
               }}, faults: [{faults}]"#
        ),
        "30s",
    )
}

fn value(report: &Report, name: &str) -> f64 {
    let section = report.section("cache", "front").expect("it is told of");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value.unwrap_or(f64::NAN)
}

fn told<const N: usize>(report: &Report, names: [&str; N]) -> [f64; N] {
    names.map(|name| value(report, name))
}

/// What is asked for at 1 s is there at 1.1 s.
#[test]
fn what_is_kept_is_not_asked_for_again() {
    let report = nine("capacity: 1", "", "");
    let counted =
        ["lookups", "hits", "misses", "expired", "fetches", "fills", "failed", "evicted", "entries"];
    assert_eq!(told(&report, counted), [9.0, 8.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(value(&report, "hit_ratio"), 8.0 / 9.0);
    assert!(value(&report, "fetches_per_expiry").is_nan(), "nothing expired");
    let latency = &report.edges.get("users->front").unwrap().latency;
    assert_eq!((latency.count, latency.max, latency.mean), (9, Some(100 * MILLI), Some(100 * MILLI / 9)));
    assert_eq!(report.services.get("back").unwrap().arrived, 1);
}

/// (ttl, hits): of what was stored at 1.1 s, and again 100 ms after a call that found it too old. At the very end of its time it is too old.
#[test]
fn a_value_is_good_for_its_ttl() {
    for (ttl, hits) in [("3500ms", 6.0), ("900ms", 0.0), ("900000001ns", 4.0), ("50ms", 0.0), ("1h", 8.0)] {
        let report = nine(&format!(r#"capacity: 5, ttl: "{ttl}""#), "", "");
        // All that is not found was there but for the first.
        let misses = 9.0 - hits;
        let counted = ["hits", "misses", "expired", "fetches", "fills"];
        assert_eq!(told(&report, counted), [hits, misses, misses - 1.0, misses, misses], "{ttl}");
    }
}

/// It fails until 4.05 s: at 1, 2, 3 and 4 s, if it is asked. An error of 1.1 s is good until 3.6 s; the next, of 4.1 s, until 6.6 s.
#[test]
fn an_error_is_kept_for_a_time_of_its_own() {
    let fails = r#"(at: "0s", for: "4150ms", on: "back", effect: Errors())"#;
    let counted = ["hits", "negative_hits", "fetches", "fills", "failed"];
    let report = nine("capacity: 1", "", fails);
    assert_eq!(told(&report, counted), [4.0, 0.0, 5.0, 1.0, 4.0]);
    let report = nine(r#"capacity: 1, negative_ttl: "2500ms""#, "", fails);
    assert_eq!(told(&report, counted), [6.0, 4.0, 3.0, 3.0, 0.0]);
    assert_eq!(report.edges.get("users->front").unwrap().calls.ok(), 3, "at 7, 8 and 9 s");
}

/// A restart at 5.5 s finds nothing at 6 s, unless it is kept elsewhere.
#[test]
fn a_restart_empties_what_is_in_memory() {
    let crash = r#"(at: "5500ms", for: "100ms", on: "front", effect: Crash())"#;
    for (per, hits) in [("Replica", 7.0), ("Service", 8.0)] {
        let report = nine(&format!("capacity: 1, per: {per}"), "", crash);
        assert_eq!(told(&report, ["hits", "entries"]), [hits, 1.0], "{per}");
    }
    // Each of two replicas has its own, and is asked in turn.
    for (per, hits) in [("Replica", 7.0), ("Service", 8.0)] {
        let report = nine(&format!("capacity: 1, per: {per}"), ", replicas: 2", "");
        assert_eq!(value(&report, "hits"), hits, "{per}");
    }
}

/// What something stands in for is no answer to be kept.
#[test]
fn what_something_stood_in_for_is_not_kept() {
    let graph = |fallback: &str| {
        format!(
            r#"workload: [(to: "front", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
               services: {{
                   "front": (workers: Async(99), work: "0s", calls: [(to: "back" {fallback})], cache: (capacity: 1)),
                   "back": (workers: Async(99), work: "100ms", error_rate: 1),
               }}"#
        )
    };
    let report = scene(&graph(", fallback: Default"), "30s");
    assert_eq!(told(&report, ["hits", "fetches", "failed"]), [0.0, 9.0, 9.0]);
    assert_eq!(report.summary.success, Some(1.0));
    // Without an optional call the answer is still the answer.
    let report = scene(&graph(", optional: true"), "30s");
    assert_eq!(told(&report, ["hits", "fetches", "failed"]), [8.0, 1.0, 0.0]);
}
