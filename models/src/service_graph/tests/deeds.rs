//! What is done more than once for one call, by hand.

use super::scenes::{MILLI, scene};
use crate::policy::Ending;
use crate::report::Report;

/// A call a second, from 1 s to 9 s, to whoever this is.
fn nine_calls(policy: &str, service: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "pay", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]), policy: "p")],
               services: {{"pay": (workers: Async(9), work: "100ms", {service})}},
               policies: {{"p": ({policy})}}, faults: [{faults}]"#
        ),
        "30s",
    )
}

/// (done, twice, beyond, replayed, conflicts)
#[track_caller]
fn told(report: &Report) -> [f64; 5] {
    let section = report.section("duplicates", "pay").expect("it is counted");
    ["done", "twice", "beyond", "replayed", "conflicts"]
        .map(|name| section.values.get(name).and_then(|value| value.value).expect("a count"))
}

const ABSENT: &str = "idempotency: Absent";

#[test]
fn what_is_tried_again_after_a_timeout_is_done_again() {
    // Three attempts at 0, 60 and 120 ms, done at 100, 160 and 220 ms.
    let retry = r#"timeout: "60ms", retry: Fixed(attempts: 3)"#;
    assert_eq!(told(&nine_calls(retry, ABSENT, "")), [9.0, 9.0, 18.0, 0.0, 0.0]);
    // Nobody tries again what was refused only.
    let sure = r#"timeout: "60ms", retry: Fixed(attempts: 3, on: [Rejected, Refused])"#;
    assert_eq!(told(&nine_calls(sure, ABSENT, "")), [9.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(told(&nine_calls(r#"timeout: "1s""#, ABSENT, "")), [9.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(nine_calls(retry, "", "").section("duplicates", "pay").is_none(), "nobody counts");
}

#[test]
fn a_copy_is_done_beside_the_first_unless_it_is_called_off() {
    let hedge = r#"hedge: (after: "50ms")"#;
    assert_eq!(told(&nine_calls(hedge, ABSENT, "")), [9.0, 9.0, 9.0, 0.0, 0.0]);
    let stop = "idempotency: Absent, on_cancel: Stop";
    let off = r#"hedge: (after: "50ms"), cancel: Losers"#;
    assert_eq!(told(&nine_calls(off, stop, "")), [9.0, 0.0, 0.0, 0.0, 0.0]);
}

/// Sent at 0, answered too late at 100; sent again at 160 ms, known.
#[test]
fn a_key_answers_what_was_done_without_work() {
    let retry = r#"timeout: "60ms", retry: Fixed(attempts: 2, delay: "100ms")"#;
    let report = nine_calls(retry, r#"idempotency: Key(window: "1min")"#, "");
    assert_eq!(told(&report), [9.0, 0.0, 0.0, 9.0, 0.0]);
    let edge = report.edges.get("users->pay").unwrap();
    assert_eq!((edge.calls.ok(), edge.latency.max), (9, Some(160 * MILLI)));
    assert_eq!(report.services.get("pay").unwrap().work, 900 * MILLI);
    // With a look at each: 110 ms of work, and 10 ms for the answer.
    let report = nine_calls(retry, r#"idempotency: Key(lookup: "10ms")"#, "");
    assert_eq!(told(&report), [9.0, 0.0, 0.0, 9.0, 0.0]);
    let edge = report.edges.get("users->pay").unwrap();
    assert_eq!(
        (edge.latency.max, report.services.get("pay").unwrap().work),
        (Some(170 * MILLI), 9 * 120 * MILLI)
    );
}

/// Done at 100 ms, asked again at 160: to the nanosecond.
#[test]
fn what_comes_after_the_window_is_done_again() {
    let retry = r#"timeout: "60ms", retry: Fixed(attempts: 2, delay: "100ms")"#;
    for (window, again) in [("60ms", 0.0), ("59999999ns", 9.0)] {
        let report = nine_calls(retry, &format!(r#"idempotency: Key(window: "{window}")"#), "");
        assert_eq!(told(&report), [9.0, again, again, 9.0 - again, 0.0], "{window}");
    }
}

/// The third finds what the second did, which was late for the first: after 200 ms instead of 100, in the first call only.
#[test]
fn what_was_done_last_is_what_is_kept() {
    let retry = r#"timeout: "60ms", retry: Fixed(attempts: 3, delay: "200ms")"#;
    let slow = r#"(at: "1200ms", for: "200ms", on: "pay", effect: Slow(factor: 2))"#;
    let report = nine_calls(retry, r#"idempotency: Key(window: "159ms")"#, slow);
    assert_eq!(told(&report), [9.0, 9.0, 17.0, 1.0, 0.0]);
}

/// Done at 150 ms; the second arrives at 160, while the first answer is on its way, and is answered at 210.
#[test]
fn who_comes_while_the_answer_is_on_its_way_is_answered() {
    let report = scene(
        r#"workload: [(to: "pay", network: "50ms", policy: "p",
               arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
           services: {"pay": (workers: Async(9), work: "100ms", idempotency: Key())},
           policies: {"p": (timeout: "110ms", retry: Fixed(attempts: 2))}"#,
        "30s",
    );
    assert_eq!(told(&report), [9.0, 0.0, 0.0, 9.0, 0.0]);
    assert_eq!(report.edges.get("users->pay").unwrap().latency.max, Some(210 * MILLI));
}

/// The second comes at 60 ms while the first is worked on: an error at once, and the third at 160 ms finds it done.
#[test]
fn who_comes_while_it_is_done_is_refused() {
    let twice = r#"timeout: "60ms", retry: Fixed(attempts: 2)"#;
    let report = nine_calls(twice, "idempotency: Key()", "");
    assert_eq!(told(&report), [9.0, 0.0, 0.0, 0.0, 9.0]);
    assert_eq!(report.edges.get("users->pay").unwrap().calls.failed(), 9, "done, and nobody knows");
    let thrice = r#"timeout: "60ms", retry: Linear(attempts: 3, base: "1ns", step: "100ms", jitter: None)"#;
    let report = nine_calls(thrice, "idempotency: Key()", "");
    assert_eq!(told(&report), [9.0, 0.0, 0.0, 9.0, 9.0]);
    let edge = report.edges.get("users->pay").unwrap();
    assert_eq!((edge.calls.ok(), edge.latency.max), (9, Some(160 * MILLI + 2)));
}

/// The reply is lost: done, and the caller does not know. A crash before the end: not done.
#[test]
fn what_is_lost_on_its_way_back_was_done_and_what_a_crash_cuts_off_was_not() {
    let patient = r#"timeout: "500ms", retry: Fixed(attempts: 2)"#;
    // From 1 s + 50 ms on for 100 ms every message is lost: the first answer.
    let drop = r#"(at: "1050ms", for: "100ms", on: "pay", effect: Drop())"#;
    let report = nine_calls(patient, ABSENT, drop);
    assert_eq!(told(&report), [9.0, 1.0, 1.0, 0.0, 0.0]);
    let crash = r#"(at: "1050ms", for: "10ms", on: "pay", effect: Crash())"#;
    let report = nine_calls(patient, ABSENT, crash);
    assert_eq!(told(&report), [8.0, 0.0, 0.0, 0.0, 0.0], "reset, and sent again at once to nobody");
    let later = r#"retry: Fixed(attempts: 2, delay: "20ms")"#;
    for service in [ABSENT, "idempotency: Key()"] {
        let report = nine_calls(later, service, crash);
        assert_eq!(told(&report), [9.0, 0.0, 0.0, 0.0, 0.0], "{service}: who was cut off is at nothing");
    }
}

/// Work that ends in an error is taken back.
#[test]
fn an_error_has_done_nothing() {
    let retry = "retry: Fixed(attempts: 2)";
    let errors = r#"(at: "0s", for: "3050ms", on: "pay", effect: Errors())"#;
    // At 1, 2 and 3 s both fail, but for the last, which is tried again at 3.1 s.
    for service in [ABSENT, "idempotency: Key()"] {
        let report = nine_calls(retry, service, errors);
        assert_eq!(told(&report)[..3], [7.0, 0.0, 0.0], "{service}");
    }
}

/// What has been done and then fails by what is behind it is done again; a caller further up makes another call of it.
#[test]
fn who_repeats_further_up_is_not_known() {
    let report = scene(
        r#"workload: [(to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]), policy: "p")],
           services: {
               "shop": (workers: Async(9), work: "1ms", calls: [(to: "pay"), (to: "mail")]),
               "pay": (workers: Async(9), work: "1ms", idempotency: Key()),
               "mail": (workers: Async(9), work: "1ms", error_rate: 1),
           },
           policies: {"p": (retry: Fixed(attempts: 2))}"#,
        "30s",
    );
    assert_eq!(told(&report), [18.0, 0.0, 0.0, 0.0, 0.0], "nine users, two calls each");
    assert_eq!(report.edges.get("users->shop").unwrap().calls.of(Ending::Ok), 0);
}
