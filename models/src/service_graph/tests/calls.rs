//! Scenes of calls: what a request's calls do to it, what a policy does to a call, and what is counted of it. All of
//! it can be worked out by hand.

use super::scenes::{MILLI, scene, scene_of};
use crate::policy::{Denied, Ending, Outcome};
use crate::report::Report;

/// A hundred calls a second to a shop, until the end of so many milliseconds.
#[track_caller]
fn shop(until: u64, calls: &str, policy: &str, pay: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "{until}ms", rate: "0/s")]))],
               services: {{"shop": (workers: Async(9), work: "1ms", calls: [{calls}]), "pay": (workers: Async(999), {pay})}},
               policies: {{"p": ({policy})}}"#
        ),
        "60s",
    )
}

#[test]
fn what_failed_is_not_called_again() {
    for (optional, made) in [(false, 1), (true, 3)] {
        let calls = format!(r#"(to: "pay", times: 3, optional: {optional})"#);
        let report = shop(25, &calls, "", r#"work: "1ms", error_rate: 1"#);
        assert_eq!(report.services.get("pay").unwrap().completed, 2 * made, "optional: {optional}");
        assert_eq!(report.edges.get("users->shop").unwrap().calls.failed(), if optional { 0 } else { 2 });
    }
}

/// Each of two calls at once fails or does not: of four requests three fail, not two.
#[test]
fn calls_at_once_have_a_luck_of_their_own() {
    let report = shop(20_005, r#"Parallel([(to: "pay", times: 2)])"#, "", r#"work: "1ms", error_rate: 0.5"#);
    let failed = report.edges.get("users->shop").unwrap().calls.failed();
    // Binomial(2000, 3/4): sd 19.4.
    assert!(failed.abs_diff(1_500) < 78, "{failed} of 2000");
}

/// A request whose call is refused hears of it at once.
#[test]
fn who_is_refused_by_a_bulkhead_is_told() {
    let report = shop(25, r#"(to: "pay", policy: "p")"#, "bulkhead: (max_concurrent: 1)", r#"work: "100ms""#);
    let users = report.edges.get("users->shop").unwrap();
    assert_eq!((users.calls.ok(), users.calls.failed()), (1, 1));
    assert_eq!(users.latency_failed.max, Some(MILLI));
    assert_eq!(report.edges.get("shop->pay").unwrap().calls.of(Ending::BulkheadFull), 1);
}

/// Where the deadline falls on a timeout, the attempt has timed out: nobody cut it off.
#[test]
fn a_timeout_at_the_deadline_is_a_timeout() {
    for (deadline, outcome) in [("1s", Outcome::TimedOut), ("999ms", Outcome::Cancelled)] {
        let policy = format!(r#"timeout: "1s", deadline: "{deadline}""#);
        let report = shop(25, r#"(to: "pay", policy: "p")"#, &policy, r#"work: "5s""#);
        let edge = report.edges.get("shop->pay").unwrap();
        assert_eq!((edge.calls.of(Ending::Deadline), edge.attempts.of(outcome)), (2, 2), "{deadline}");
    }
}

/// A try that an open breaker refused was none: what is sent after it is the first, and no retry.
#[test]
fn what_was_never_sent_is_not_repeated() {
    // The first call fails at 11 ms and opens the breaker; the second is refused at 20 ms. Both try again when it is
    // closed, and pay is well.
    let report = scene(
        r#"workload: [(to: "pay", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "25ms", rate: "0/s")]), policy: "p")],
           services: {"pay": (workers: Async(9), work: "1ms")},
           policies: {"p": (breaker: Consecutive(failures: 1, open_for: "50ms"),
               retry: Fixed(attempts: 2, delay: "60ms", on: [Error, BreakerOpen]))},
           faults: [(at: "0s", for: "15ms", on: "pay", effect: Errors())]"#,
        "10s",
    );
    let edge = report.edges.get("users->pay").unwrap();
    assert_eq!((edge.calls.ok(), edge.attempts.sent, edge.attempts.retries), (2, 3, 1));
}

/// Decorrelated jitter draws up to three times the delay before, whatever that was: 10 ms lead to more than 30.
#[test]
fn a_decorrelated_delay_follows_from_the_one_before() {
    let policy = r#"retry: Exponential(attempts: 5, base: "10ms", cap: "10s", jitter: Decorrelated)"#;
    let report = shop(5_005, r#"(to: "pay", policy: "p")"#, policy, r#"work: "1ms", error_rate: 1"#);
    let longest = report.edges.get("shop->pay").unwrap().latency_failed.max.unwrap();
    // Five times work; four delays of at most three times the base come to 125 ms, of three times each other to 1205.
    assert!((125 * MILLI..=1_205 * MILLI).contains(&longest), "{longest} ns");
}

/// What belongs to calls of the warm-up is not counted, whenever it happens.
#[test]
fn calls_of_the_warm_up_are_not_measured() {
    let seconds = |policy: &str, warm_up: &str| {
        scene_of(
            &format!(
                r#"workload: [(to: "pay", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "3500ms", rate: "0/s")]), policy: "p")],
                   services: {{"pay": (workers: Async(9), work: "1h")}}, policies: {{"p": ({policy})}}"#
            ),
            &format!(r#"duration: "5s", warm_up: "{warm_up}", window: "500ms""#),
        )
    };
    // Calls at 1, 2 and 3 s. The first pays for its retry; the second is denied its own at 2.9 s, the third at 3.9 s.
    let policy = r#"timeout: "900ms", retry: Fixed(attempts: 2), budget: Ratio(ratio: 0.001, burst: 1)"#;
    for (warm_up, denied) in [("1500ms", 2), ("2500ms", 1), ("3500ms", 0)] {
        let report = seconds(policy, warm_up);
        let edge = report.edges.get("users->pay").unwrap();
        assert_eq!(edge.attempts.denied[Denied::Budget], denied, "{warm_up}");
    }
    // Nobody is ever answered: those who came at 2 and 3 s have been there for 3 and 2 s.
    for (warm_up, age) in [("500ms", 3_000), ("1500ms", 2_500), ("2500ms", 2_000)] {
        let report = seconds("", warm_up);
        let calls = &report.edges.get("users->pay").unwrap().calls;
        assert_eq!(calls.in_flight_age, Some(age * MILLI), "{warm_up}");
    }
}
