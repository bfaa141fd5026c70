//! Scenes of cancellations: who is told that nobody waits, and what that saves. All of it can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::Outcome;
use crate::report::Report;

/// (work in ms, of it for nobody, requests that left because they were called off)
fn work(report: &Report, service: &str) -> (u64, u64, u64) {
    let service = report.services.get(service).unwrap();
    (service.work / MILLI, service.work_wasted / MILLI, service.called_off)
}

/// Three calls, at 10, 20 and 30 ms, of 100 ms each to one worker; their callers wait for 25 ms.
#[test]
fn the_queue_is_left_and_work_stops_where_it_may() {
    for (policy, service, network, expected) in [
        ("", "", "0ms", (300, 300, 0)),
        ("cancel: Losers", "on_cancel: Stop", "0ms", (300, 300, 0)),
        ("cancel: Always", "on_cancel: Ignore", "0ms", (300, 300, 0)),
        // Two leave the queue; what has begun goes on.
        ("cancel: Always", "", "0ms", (100, 100, 2)),
        // 25 ms of the first, until 35; 10 of the second, until 45; 10 of the third.
        ("cancel: Always", "on_cancel: Stop", "0ms", (45, 45, 3)),
        // All of it 4 ms later, and so is everybody's arrival.
        ("cancel: Always", "on_cancel: Stop", "4ms", (45, 45, 3)),
        ("cancel: Always", "on_cancel: Stop, queue: Lifo()", "0ms", (45, 45, 3)),
        ("cancel: Always", "on_cancel: Stop, queue: SharedFifo()", "0ms", (45, 45, 3)),
        (
            "cancel: Always",
            r#"on_cancel: Stop, dies: (at_in_flight: 4, restart_after: "1s")"#,
            "0ms",
            (45, 45, 3),
        ),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
                   services: {{"db": (workers: Async(1), work: "100ms", {service})}},
                   policies: {{"p": (timeout: "25ms", {policy})}}, network: "{network}""#
            ),
            "10s",
        );
        assert_eq!(work(&report, "db"), expected, "{policy}, {service}, {network}");
        assert_eq!(report.edges.get("users->db").unwrap().attempts.of(Outcome::TimedOut), 3);
    }
}

/// The same three: whoever is not called off is taken out of the queue when their turn comes, and counted apart.
#[test]
fn who_has_given_up_when_their_turn_comes_is_counted() {
    for (policy, queue, expected) in [
        ("", "", (300, 0, 0)),
        ("", "queue: Fifo(drop_expired: true)", (100, 2, 0)),
        ("", "queue: SharedFifo(drop_expired: true)", (100, 2, 0)),
        ("cancel: Always", "queue: Fifo(drop_expired: true)", (100, 0, 2)),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
                   services: {{"db": (workers: Async(1), work: "100ms", {queue})}},
                   policies: {{"p": (timeout: "25ms", {policy})}}"#
            ),
            "1s",
        );
        let db = report.services.get("db").unwrap();
        assert_eq!((db.work / MILLI, db.expired, db.called_off), expected, "{policy} {queue}");
    }
}

/// A replica crashes with an attempt at work and its copy in the queue: the first reset ends the call, and calls the copy off, which
/// is no longer there.
#[test]
fn nobody_is_called_off_who_crashed_in_the_same_moment() {
    for (workers, on_cancel) in [(1, "Leave"), (1, "Stop"), (2, "Stop")] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "15ms", rate: "0/s")]))],
                   services: {{"db": (workers: Async({workers}), work: "1s", on_cancel: {on_cancel})}},
                   policies: {{"p": (hedge: (after: "10ms", non_fatal: [TimedOut]), cancel: Always)}},
                   faults: [(at: "100ms", for: "1s", on: "db", effect: Crash(callers: Reset))]"#
            ),
            "10s",
        );
        let attempts = &report.edges.get("users->db").unwrap().attempts;
        let ended = (attempts.of(Outcome::Reset), attempts.of(Outcome::Cancelled));
        assert_eq!((ended, work(&report, "db").2), ((1, 1), 0), "{workers}, {on_cancel}");
    }
}

/// A shop works for 10 ms and then asks a store, which needs 100 ms; its user waits for 50 ms.
#[test]
fn it_goes_down_the_chain_as_far_as_everybody_passes_it_on() {
    for (users, shop, inner, crash, store) in [
        ("Never", "Stop", "Always", "", (100, 100, 0)),
        // The call goes on behind a shop that does not stop.
        ("Always", "Leave", "Always", "", (100, 100, 0)),
        ("Always", "Stop", "Never", "", (100, 100, 0)),
        ("Always", "Stop", "Always", "", (40, 40, 1)),
        // A shop that is dead tells nobody.
        (
            "Always",
            "Stop",
            "Always",
            r#"(at: "30ms", on: "shop", effect: Crash(callers: Silence))"#,
            (100, 100, 0),
        ),
    ] {
        for calls in [r#"(to: "store", policy: "inner")"#, r#"Parallel([(to: "store", policy: "inner")])"#] {
            for workers in ["Async(1)", "Blocking(1)"] {
                let report = scene(
                    &format!(
                        r#"workload: [(to: "shop", policy: "users", arrivals: Burst(count: 1))],
                           services: {{
                               "shop": (workers: {workers}, work: "10ms", on_cancel: {shop}, calls: [{calls}]),
                               "store": (workers: Async(9), work: "100ms", on_cancel: Stop),
                           }},
                           policies: {{"users": (timeout: "50ms", cancel: {users}), "inner": (cancel: {inner})}},
                           faults: [{crash}]"#
                    ),
                    "10s",
                );
                let what = format!("{users}, {shop}, {inner}, {crash}, {calls}, {workers}");
                assert_eq!(work(&report, "store"), store, "{what}");
                assert_eq!(work(&report, "shop").0, 10, "{what}");
            }
        }
    }
}

/// The request is held up for 50 ms, its cancellation is not, and is there before it.
#[test]
fn a_request_that_is_overtaken_is_not_worked_on() {
    for (policy, expected) in [("", (10, 10, 0)), ("cancel: Always", (0, 0, 0))] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Burst(count: 1))],
                   services: {{"db": (workers: Async(1), work: "10ms")}}, network: "1ms",
                   policies: {{"p": (timeout: "10ms", {policy})}},
                   faults: [(at: "0s", for: "5ms", on: "db", effect: Delay(add: "50ms"))]"#
            ),
            "10s",
        );
        assert_eq!(work(&report, "db"), expected, "{policy}");
    }
}

/// The network keeps everything back from 5 ms to a second: the cancellation comes too late.
#[test]
fn a_cancellation_is_kept_back_and_lost_like_any_other_message() {
    for (effect, work_done) in [("Hold", 100), ("Drop(probability: 1)", 100), ("Slow(factor: 1)", 9)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Burst(count: 1))],
                   services: {{"db": (workers: Async(1), work: "100ms", on_cancel: Stop)}}, network: "1ms",
                   policies: {{"p": (timeout: "9ms", cancel: Always)}},
                   faults: [(at: "5ms", for: "995ms", on: "db", effect: {effect})]"#
            ),
            "10s",
        );
        assert_eq!(work(&report, "db").0, work_done, "{effect}");
    }
}

/// What answers last is called off when the other has answered, and is not asked to go on.
#[test]
fn losers_are_called_off() {
    for (cancel, slow) in [("Never", 1_000), ("Losers", 30), ("Always", 30)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "15ms", rate: "0/s")]))],
                   services: {{"db": (replicas: 2, workers: Async(9), work: "10ms", on_cancel: Stop)}},
                   policies: {{"p": (hedge: (after: "20ms"), cancel: {cancel})}},
                   faults: [(at: "0s", on: "db", replicas: Only([1]), effect: Slow(factor: 100))]"#
            ),
            "10s",
        );
        // The copy left at 30 ms and was answered at 40.
        let called_off = u64::from(cancel != "Never");
        assert_eq!(work(&report, "db"), (slow + 10, slow, called_off), "{cancel}");
    }
}
