//! Scenes of calls that stand in line for a place of a bulkhead. All of it can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::Ending;
use crate::report::Report;

/// Three calls, at 10, 20 and 30 ms, of 100 ms each, of which one may be out.
#[track_caller]
fn three(bulkhead: &str, policy: &str, service: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
               services: {{"db": (workers: Async(99), work: "100ms", {service})}},
               policies: {{"p": (bulkhead: (max_concurrent: 1, {bulkhead}), {policy})}}"#
        ),
        "10s",
    )
}

/// (well ended, refused, out of time, longest good answer in ms)
fn told(report: &Report) -> (u64, u64, u64, u64) {
    let edge = report.edges.get("users->db").unwrap();
    let of = |ending| edge.calls.of(ending);
    let longest = edge.latency.max.unwrap_or(0) / MILLI;
    (edge.calls.ok(), of(Ending::BulkheadFull), of(Ending::Deadline), longest)
}

/// (let in after a wait, gave up, mean and longest wait in ms, most in line at a time)
fn line(report: &Report) -> (u64, u64, u64, u64, u64) {
    let section = report.section("bulkheads", "users->db").expect("calls may wait");
    let value = |name: &str| section.values.get(name).and_then(|value| value.value).unwrap_or(0.0) as u64;
    let most = section.series[0].values.iter().fold(0.0_f64, |most, value| most.max(*value));
    let millis = |name: &str| value(name) / MILLI;
    (value("waited"), value("gave_up"), millis("wait_mean"), millis("wait_max"), most as u64)
}

#[test]
fn who_finds_no_place_waits_as_long_as_it_may() {
    for (bulkhead, policy, service, expected, waits) in [
        // They end at 110, 210 and 310 ms.
        (r#"max_wait: "200ms""#, "", "", (3, 0, 0, 280), (2, 0, 135, 180, 2)),
        // The third would get in at 210 ms, after 180.
        (r#"max_wait: "180ms""#, "", "", (3, 0, 0, 280), (2, 0, 135, 180, 2)),
        (r#"max_wait: "179ms""#, "", "", (2, 1, 0, 190), (1, 1, 90, 90, 2)),
        // The second has just left when the first ends.
        (r#"max_wait: "89ms""#, "", "", (2, 1, 0, 180), (1, 1, 80, 80, 2)),
        (r#"max_wait: "79ms""#, "", "", (1, 2, 0, 100), (0, 2, 0, 0, 2)),
        // For ever, but not more than one.
        ("max_waiting: 1", "", "", (2, 1, 0, 190), (1, 0, 90, 90, 1)),
        ("max_waiting: 2", "", "", (3, 0, 0, 280), (2, 0, 135, 180, 2)),
        // The timeout begins when it is sent; a deadline is the whole call's: 20 + 150, 30 + 150.
        (r#"max_wait: "1s""#, r#"timeout: "101ms""#, "", (3, 0, 0, 280), (2, 0, 135, 180, 2)),
        // The second is let in at 110 ms and given up at 170, when the third gets in for 10.
        (r#"max_wait: "1s""#, r#"deadline: "150ms""#, "", (1, 0, 2, 100), (2, 0, 115, 140, 2)),
        // Given up at 60, 70 and 80 ms, and each lets in the next.
        (r#"max_wait: "1s""#, r#"deadline: "50ms""#, "", (0, 0, 3, 0), (2, 0, 40, 40, 2)),
        // Each keeps its place through its retries, and whoever is behind it waits: 100, 200 and 300 ms.
        (
            r#"max_wait: "1s""#,
            r#"timeout: "40ms", retry: Fixed(attempts: 2, delay: "20ms")"#,
            "",
            (0, 0, 0, 0),
            (2, 0, 135, 180, 2),
        ),
        // An answer at once makes no difference.
        (r#"max_wait: "1s""#, "", r#"error_rate: 1.0"#, (0, 0, 0, 0), (2, 0, 135, 180, 2)),
    ] {
        let report = three(bulkhead, policy, service);
        let here = format!("{bulkhead}, {policy}, {service}");
        assert_eq!(told(&report), expected, "{here}");
        assert_eq!(line(&report), waits, "{here}");
    }
    assert!(three("", "", "").section("bulkheads", "users->db").is_none(), "nobody waits");
}

/// The first of two hundred thousand is given up, its breaker opens, and all in line are let in and refused one after another,
/// at one instant: however long a line is, the stack holds.
#[test]
fn a_long_line_is_refused_at_once() {
    let report = scene(
        r#"workload: [(to: "db", policy: "p", arrivals: Burst(count: 200000, at: "1s"))],
           services: {"db": (workers: Async(1), work: "5s")},
           policies: {"p": (timeout: "100ms", breaker: Consecutive(failures: 1), bulkhead: (max_concurrent: 1, max_wait: "1s"))}"#,
        "10s",
    );
    assert_eq!(report.edges.get("users->db").unwrap().calls.of(Ending::BreakerOpen), 199_999);
    assert_eq!(line(&report), (199_999, 0, 100, 100, 199_999));
}

/// A caller that dies takes its line along; what comes after it finds an empty one.
#[test]
fn a_line_dies_with_whom_it_belongs_to() {
    let report = scene(
        r#"workload: [(to: "shop", arrivals: Constant("100/s"))],
           services: {
               "shop": (workers: Async(99), work: "0s", calls: [(to: "pay", policy: "p")]),
               "pay": (workers: Async(99), work: "1s"),
           },
           policies: {"p": (bulkhead: (max_concurrent: 2, max_waiting: 50))},
           faults: [(at: "5s", for: "1s", on: "shop", effect: Crash())]"#,
        "10s",
    );
    let edge = report.edges.get("shop->pay").unwrap();
    // At 5 s two are out and 50 in line; and so it is again at the end.
    assert_eq!((edge.calls.of(Ending::Cancelled), edge.calls.in_flight()), (52, 52));
    let waiting = &report.section("bulkheads", "shop->pay").unwrap().series[0].values;
    assert_eq!(waiting.last(), Some(&50.0));
}
