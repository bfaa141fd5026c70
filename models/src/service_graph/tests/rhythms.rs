//! Faults that delay, that build up, and that come and go; and calls that come at one instant: whole runs.

use super::scenes::{MILLI, SECOND, scene, scene_of};
use crate::report::Report;

/// A hundred a second, each answered after 10 ms by one of many workers.
fn struck(fault: &str, run: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "db", arrivals: Constant("100/s"))],
               services: {{"db": (workers: Async(1000), work: "10ms")}},
               faults: [({fault})]"#
        ),
        run,
    )
}

/// A request and its answer are each delayed, whether the service or the edge is named; what was sent before is not.
#[test]
fn a_delay_is_there_and_back() {
    for on in ["db", "users->db"] {
        let fault = format!(r#"at: "5005ms", for: "4990ms", on: "{on}", effect: Delay(add: "200ms")"#);
        let report = struck(&fault, r#"duration: "20s", window: "10s""#);
        let edge = report.edges.get("users->db").unwrap();
        assert_eq!(edge.latency.max, Some(410 * MILLI), "{on}");
        // Who came at 5.00 s is answered into the fault; of those of the last 200 ms the answer is not delayed.
        let total = (edge.latency.mean.unwrap() * edge.latency.count) as f64 / 1e6;
        let (both, one) = (499.0 - 21.0, 21.0 + 1.0);
        let expected = 10.0 * edge.latency.count as f64 + 400.0 * both + 200.0 * one;
        assert!((total - expected).abs() < 1.0, "{on}: {total} instead of {expected} ms");
    }
}

/// Of twenty seconds in which the share of errors rises from none to all, half fail.
#[test]
fn what_builds_up_is_half_there_on_average() {
    let report = struck(
        r#"at: "10s", for: "20s", on: "db", effect: Errors(), ramp: "20s""#,
        r#"duration: "40s", window: "5s""#,
    );
    let edge = report.edges.get("users->db").unwrap();
    // Binomials of p (1 - p), p uniform: variance 2000 / 6.
    let failed = edge.calls.failed();
    assert!(failed.abs_diff(1_000) < 4 * 18, "{failed} of 2000 fail");
    // A quarter of the time each: an eighth, three eighths .. of 500, to 4 standard deviations.
    for (window, eighths) in [(2, 1), (3, 3), (4, 5), (5, 7)] {
        let (found, expected) = (edge.windows.failed[window], eighths * 500 / 8);
        assert!(found.abs_diff(expected) < 44, "window {window}: {found} instead of {expected}");
    }
}

/// Twice there for two seconds, and once for one.
#[test]
fn what_flaps_fails_while_it_is_there() {
    let flap = r#"at: "10005ms", for: "17s", on: "db", effect: Drop(), flap: (active: "2s", quiet: "6s")"#;
    let report = struck(flap, r#"duration: "40005ms", window: "1s""#);
    let edge = report.edges.get("users->db").unwrap();
    // What is lost is waited for until the run ends: all that was sent, one answer each time, and the last call of all.
    let lost: Vec<usize> = (0..40).filter(|&window| edge.windows.ok[window] < 90).collect();
    assert_eq!(lost, [10, 11, 18, 19, 26]);
    assert_eq!(edge.calls.in_flight(), 200 + 200 + 100 + 3 + 1);
    let [fault] = report.timeline.disturbances.as_slice() else { panic!("one fault") };
    assert_eq!((fault.from, fault.to), (10_005 * MILLI, Some(27_005 * MILLI)));
}

/// Each time it crashes it is back after a second: its calls in hand are gone, those of the second refused.
#[test]
fn crashes_that_flap_restart() {
    let flap = r#"at: "10005ms", on: "db", effect: Crash(), flap: (active: "1s", quiet: "9s")"#;
    let report = struck(flap, r#"duration: "40s", window: "1s""#);
    let edge = report.edges.get("users->db").unwrap();
    assert_eq!(edge.calls.failed(), 3 * (100 + 1));
}

/// 450 calls at once to ten workers of 100 ms: the last is answered after 4.5 s, the mean after 2.3 s.
#[test]
fn a_burst_is_worked_off_in_turn() {
    let report = scene(
        r#"workload: [(to: "db", arrivals: Burst(count: 450, at: "3s"))],
           services: {"db": (workers: Blocking(10), work: "100ms")}"#,
        "20s",
    );
    let latency = &report.edges.get("users->db").unwrap().latency;
    assert_eq!((latency.count, latency.max), (450, Some(4 * SECOND + 500 * MILLI)));
    assert!(latency.mean.unwrap().abs_diff(2_300 * MILLI) <= 1);
}
