//! Calls that a request does not wait for.

use super::scenes::{MILLI, scene};
use crate::policy::Ending;
use crate::report::Report;

/// One request that makes these calls, each callee as slow as it says.
fn one(calls: &str, more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]), policy: "u")],
               services: {{
                   "shop": (workers: Async(9), work: "1ms", on_cancel: Stop, calls: [{calls}]),
                   "pay": (workers: Async(9), work: "20ms"),
                   "mail": (workers: Async(9), work: "100ms", error_rate: 0, calls: [(to: "log")]),
                   "log": (workers: Async(9), work: "5ms"),
               }},
               policies: {{"u": (), "again": (retry: Fixed(attempts: 2)), "within": (deadline_propagation: ())}},
               {more}"#
        ),
        "10s",
    )
}

fn took(report: &Report) -> Option<u64> {
    report.edges.get("users->shop").unwrap().latency.max.map(|took| took / MILLI)
}

#[test]
fn a_request_takes_as_long_as_without_it() {
    for (calls, millis) in [
        (r#"(to: "mail", wait: false), (to: "pay")"#, 21),
        (r#"(to: "pay"), (to: "mail", wait: false, times: 3)"#, 21),
        (r#"Parallel([(to: "pay"), (to: "mail", wait: false)]), (to: "pay")"#, 41),
        (r#"Parallel([(to: "mail", wait: false)])"#, 1),
        (r#"(to: "mail"), (to: "pay")"#, 126),
    ] {
        let report = one(calls, "");
        assert_eq!(took(&report), Some(millis), "{calls}");
        let mail = report.edges.get("shop->mail").unwrap();
        let often = if calls.contains("times") { 3 } else { 1 };
        assert_eq!((mail.calls.of(Ending::Ok), mail.latency.max), (often, Some(105 * MILLI)), "{calls}");
        for service in ["mail", "log"] {
            let service = report.services.get(service).unwrap();
            assert_eq!((service.wasted, service.in_vain), (Some(0.0), Some(0.0)), "what is done is wanted");
        }
    }
}

#[test]
fn whatever_becomes_of_it_fails_nobody() {
    let report = one(
        r#"(to: "mail", wait: false, policy: "again"), (to: "pay")"#,
        r#"faults: [(at: "0s", on: "mail", effect: Errors())]"#,
    );
    assert_eq!(took(&report), Some(21));
    let mail = report.edges.get("shop->mail").unwrap();
    assert_eq!((mail.calls.failed(), mail.attempts.sent, mail.latency_failed.max), (1, 2, Some(200 * MILLI)));
    // Work that ended in an error was for nobody.
    assert_eq!(report.services.get("mail").unwrap().in_vain, Some(1.0));
    // It refuses at once: the request has not even gone on.
    let down = one(r#"(to: "mail", wait: false)"#, r#"faults: [(at: "0s", on: "mail", effect: Crash())]"#);
    assert_eq!(took(&down), Some(1));
}

/// It goes on when its request has been given up, has no deadline of it, and dies with the replica that makes it.
#[test]
fn it_outlives_its_request_and_not_its_caller() {
    let mail = |calls: &str, more: &str| {
        let report = one(calls, more);
        let mail = report.edges.get("shop->mail").unwrap();
        [Ending::Ok, Ending::Cancelled, Ending::Deadline].map(|end| mail.calls.of(end))
    };
    let aside = r#"(to: "mail", wait: false, policy: "within"), (to: "pay")"#;
    let gives_up =
        r#"policies: {"u": (timeout: "10ms", cancel: Always), "within": (deadline_propagation: ())}"#;
    let of = |calls: &str, policies: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]), policy: "u")],
                   services: {{
                       "shop": (workers: Async(9), work: "1ms", on_cancel: Stop, calls: [{calls}]),
                       "pay": (workers: Async(9), work: "20ms"),
                       "mail": (workers: Async(9), work: "100ms"),
                   }}, {policies}"#
            ),
            "10s",
        );
        let mail = report.edges.get("shop->mail").unwrap();
        [Ending::Ok, Ending::Cancelled, Ending::Deadline].map(|end| mail.calls.of(end))
    };
    assert_eq!(of(aside, gives_up), [1, 0, 0], "nobody waits for the request, which was called off");
    assert_eq!(of(&aside.replace("wait: false, ", ""), gives_up), [0, 1, 0], "who waits is called off");
    let crash = |at: &str| format!(r#"faults: [(at: "{at}", on: "shop", effect: Crash())]"#);
    let plain = r#"(to: "mail", wait: false)"#;
    assert_eq!(mail(plain, &crash("1050ms")), [0, 1, 0], "its caller is gone");
    assert_eq!(mail(plain, &crash("1200ms")), [1, 0, 0]);
}

/// Nobody waits for the call: all that is known of the request is known without it.
#[test]
fn theory_knows_what_is_not_waited_for() {
    let report = scene(
        r#"workload: [(to: "shop", arrivals: Poisson("50/s"))],
           services: {
               "shop": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "10ms"), calls: [(to: "mail", wait: false)]),
               "mail": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "10ms"), error_rate: 0.5),
           }"#,
        "60s",
    );
    let exact = |name: &str| report.values.get(name).and_then(|value| value.exact);
    assert_eq!(exact("response_mean users->shop"), Some(20e6), "M/M/1, half busy");
    assert_eq!(exact("wait_mean mail"), Some(10e6), "what leaves an M/M/1 queue is Poisson");
    assert_eq!(exact("success users->shop"), None, "nothing can fail");
}
