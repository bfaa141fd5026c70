//! Scenes of calls that wait for their turn at a rate limit. All of it can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::Ending;
use crate::report::Report;

/// Three calls, at 10, 20 and 30 ms, of 1 ms each.
#[track_caller]
fn three(limit: &str, policy: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
               services: {{"db": (workers: Async(99), work: "1ms")}},
               policies: {{"p": (rate_limit: {limit}, {policy})}}"#
        ),
        "10s",
    )
}

/// (well ended, refused by the limit, out of time, longest good answer in ms)
fn told(report: &Report) -> (u64, u64, u64, u64) {
    let edge = report.edges.get("users->db").unwrap();
    let of = |ending| edge.calls.of(ending);
    (edge.calls.ok(), of(Ending::RateLimited), of(Ending::Deadline), edge.latency.max.unwrap_or(0) / MILLI)
}

/// (had its turn after a wait, did not, mean and longest wait in ms, most that waited at a time)
fn waits(report: &Report) -> Option<(u64, u64, u64, u64, u64)> {
    let section = report.section("rate_limits", "users->db")?;
    let value = |name: &str| section.values.get(name).and_then(|value| value.value).unwrap_or(0.0) as u64;
    let most = section.series[0].values.iter().fold(0.0_f64, |most, value| most.max(*value));
    let millis = |name: &str| value(name) / MILLI;
    Some((value("waited"), value("gave_up"), millis("wait_mean"), millis("wait_max"), most as u64))
}

#[test]
fn each_has_its_turn_or_is_refused() {
    for (limit, policy, expected, waited) in [
        // Tokens at 10, 110, 210 ms.
        (r#"TokenBucket(rate: "10/s")"#, "", (1, 2, 0, 1), None),
        (r#"TokenBucket(rate: "10/s", burst: 2)"#, "", (2, 1, 0, 1), None),
        (r#"TokenBucket(rate: "10/s", max_wait: "90ms")"#, "", (2, 1, 0, 91), Some((1, 0, 90, 90, 1))),
        (r#"LeakyBucket(rate: "10/s", capacity: 2)"#, "", (3, 0, 0, 181), Some((2, 0, 135, 180, 2))),
        (r#"FixedWindow(limit: 1, window: "20ms")"#, "", (2, 1, 0, 1), None),
        // Turns at 10, 20 and 40 ms.
        (
            r#"FixedWindow(limit: 1, window: "20ms", max_wait: "15ms")"#,
            "",
            (3, 0, 0, 11),
            Some((1, 0, 10, 10, 1)),
        ),
        (r#"SlidingLog(limit: 2, window: "20ms")"#, "", (3, 0, 0, 1), None),
        (r#"SlidingLog(limit: 2, window: "21ms")"#, "", (2, 1, 0, 1), None),
        // Given up at 70 ms, and its turn is used: the third has that at 210.
        (
            r#"LeakyBucket(rate: "10/s", capacity: 2)"#,
            r#"deadline: "50ms""#,
            (1, 0, 2, 1),
            Some((0, 2, 0, 0, 2)),
        ),
        // The turns of the second and third come while the first is out for 1 ms, and are long over when it is.
        (
            r#"LeakyBucket(rate: "10/s", capacity: 2)"#,
            r#"bulkhead: (max_concurrent: 1, max_wait: "1s")"#,
            (3, 0, 0, 181),
            Some((2, 0, 135, 180, 2)),
        ),
        // An attempt that is refused is tried again where the policy lists that: at 20 and 40 ms, at 30, 50 and 70.
        (
            r#"TokenBucket(rate: "40/s", counts: Attempts)"#,
            r#"retry: Fixed(attempts: 3, delay: "20ms", on: [RateLimited])"#,
            (3, 0, 0, 41),
            None,
        ),
        (r#"TokenBucket(rate: "40/s", counts: Attempts)"#, "retry: Fixed(attempts: 3)", (1, 2, 0, 1), None),
    ] {
        let report = three(limit, policy);
        assert_eq!(told(&report), expected, "{limit}, {policy}");
        assert_eq!(waits(&report), waited, "{limit}, {policy}");
    }
}

/// A call that has had its turn and then finds the bulkhead full is refused by that, and gives back no place.
#[test]
fn a_turn_is_no_place() {
    let report = scene(
        r#"workload: [(to: "db", policy: "p", arrivals: Burst(count: 5, at: "1s"))],
           services: {"db": (workers: Async(9), work: "1s")},
           policies: {"p": (rate_limit: LeakyBucket(rate: "10/s", capacity: 9), bulkhead: (max_concurrent: 2))}"#,
        "10s",
    );
    let calls = &report.edges.get("users->db").unwrap().calls;
    assert_eq!((calls.ok(), calls.of(Ending::BulkheadFull)), (2, 3));
    assert_eq!(waits(&report).map(|told| (told.0, told.1)), Some((1, 3)));
}

/// Two of three are sent, fail, and open a breaker that stops retries. The third was put off by the limit: its second try is the first
/// that is sent, and goes.
#[test]
fn a_try_that_was_put_off_is_no_retry() {
    let report = scene(
        r#"workload: [(to: "db", policy: "p", arrivals: Burst(count: 3, at: "1s"))],
           services: {"db": (workers: Async(9), work: "1ms", error_rate: 1)},
           policies: {"p": (
               rate_limit: FixedWindow(limit: 2, window: "100ms", counts: Attempts),
               retry: Fixed(attempts: 2, delay: "100ms", on: [RateLimited]),
               breaker: Consecutive(failures: 2, guards: Retries),
           )}"#,
        "10s",
    );
    let edge = report.edges.get("users->db").unwrap();
    let failed = edge.calls.of(Ending::Failed(crate::policy::Outcome::Error));
    assert_eq!((failed, edge.calls.of(Ending::BreakerOpen), edge.attempts.sent), (3, 0, 3));
}
