//! Scenes of replicas: who is served, who is skipped, what dies and what comes back. All of it can be worked out by
//! hand.

use super::scenes::{MILLI, SECOND, scene};
use crate::policy::Outcome;
use crate::report::Report;

/// So many calls, one every so many milliseconds, the first after as long.
#[track_caller]
fn calls(number: u64, every: u64, policy: &str, db: &str, faults: &str) -> Report {
    let end = number * every + every / 2;
    let rate = 1_000.0 / every as f64;
    scene(
        &format!(
            r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "{rate}/s"), (at: "{end}ms", rate: "0/s")]), policy: "p")],
               services: {{"db": ({db})}}, policies: {{"p": ({policy})}}, faults: [{faults}]"#
        ),
        "10s",
    )
}

/// Three users who think as long as they work, one at work, one in the only place, one who thinks: whoever comes back
/// comes in the instant in which the next leaves the queue, and finds its place, for that work began first.
#[test]
fn the_next_begins_before_whoever_is_answered_hears_of_it() {
    let report = scene(
        r#"workload: [(to: "db", arrivals: ClosedLoop(users: 3, think: "10ms"))],
           services: {"db": (workers: Blocking(1), work: "10ms", queue: Fifo(capacity: 1))}"#,
        "10s",
    );
    let edge = report.edges.get("users->db").unwrap();
    assert_eq!(edge.attempts.of(Outcome::Rejected), 1, "all three come at once only in the beginning");
    assert_eq!((edge.latency.count, edge.latency.max), (998, Some(20 * MILLI)));
}

/// A shared queue is for those who find nobody free, not for those who find the first replica busy.
#[test]
fn nobody_waits_while_any_replica_is_free() {
    let db = r#"replicas: 2, workers: Async(1), work: "100ms", queue: SharedFifo()"#;
    let latency = calls(2, 10, "", db, "").edges.get("users->db").unwrap().latency.clone();
    assert_eq!((latency.count, latency.max), (2, Some(100 * MILLI)));
}

#[test]
fn a_replica_dies_of_as_many_as_are_written() {
    for (fatal, deaths) in [(3, 1), (4, 0)] {
        let dies = format!(r#"dies: (at_in_flight: {fatal}, restart_after: "5s")"#);
        let report = calls(3, 10, "", &format!(r#"workers: Async(9), work: "1s", {dies}"#), "");
        assert_eq!(report.services.get("db").unwrap().deaths, deaths, "{fatal}");
    }
}

/// Whoever is skipped has left: the next do not find a replica that is fuller than it is.
#[test]
fn who_has_expired_is_no_longer_in_hand() {
    // Calls at 50, 100 .. 350 ms, given up after 25. Work begins at 50, 160 and 270 ms; three are there at most.
    let db = r#"workers: Async(1), work: "110ms", queue: Fifo(drop_expired: true),
        dies: (at_in_flight: 4, restart_after: "5s")"#;
    let report = calls(7, 50, r#"timeout: "25ms""#, db, "");
    let service = report.services.get("db").unwrap();
    assert_eq!((service.deaths, service.work), (0, 3 * 110 * MILLI));
}

/// What is in hand when a replica crashes was worked on for nobody, whether callers are told or not.
#[test]
fn a_crash_wastes_what_is_in_hand() {
    // One call, at 10 ms; the crash at 50 ms.
    for (style, outcome, noticed) in
        [("Reset", Outcome::Reset, 40 * MILLI), ("Silence", Outcome::TimedOut, SECOND)]
    {
        let crash = format!(r#"(at: "50ms", for: "50ms", on: "db", effect: Crash(callers: {style}))"#);
        let report = calls(1, 10, r#"timeout: "1s""#, r#"workers: Async(9), work: "100ms""#, &crash);
        let (edge, db) = (report.edges.get("users->db").unwrap(), report.services.get("db").unwrap());
        assert_eq!((edge.attempts.of(outcome), edge.latency_failed.max), (1, Some(noticed)), "{style}");
        assert_eq!((db.work, db.work_wasted), (40 * MILLI, 40 * MILLI), "{style}");
    }
}

/// The work of a request is done in the instant in which its replica crashes: what it was going to call is not called.
#[test]
fn who_goes_on_in_the_instant_of_a_crash_goes_nowhere() {
    let report = scene(
        r#"workload: [(to: "shop", arrivals: Burst(count: 1))],
           services: {"shop": (workers: Async(9), work: "10ms", calls: [(to: "db")]), "db": (workers: Async(9), work: "10ms")},
           faults: [(at: "10ms", for: "1s", on: "shop", effect: Crash(callers: Reset))]"#,
        "10s",
    );
    let users = &report.edges.get("users->shop").unwrap().attempts;
    assert_eq!((users.of(Outcome::Reset), users.of(Outcome::Ok)), (1, 0));
    assert_eq!(report.edges.get("shop->db").unwrap().calls.started, 0);
}

/// What waits in a queue before all replicas outlives them, and is served by as many as come back.
#[test]
fn a_replica_that_is_back_takes_as_many_as_it_has_workers() {
    // Calls at 10, 20, 30, 40 ms: two at work, two wait from the crash at 50 ms until 100 ms.
    let db = r#"workers: Async(2), work: "100ms", queue: SharedFifo()"#;
    let report = calls(4, 10, "", db, r#"(at: "50ms", for: "50ms", on: "db", effect: Crash())"#);
    let edge = report.edges.get("users->db").unwrap();
    assert_eq!((edge.attempts.of(Outcome::Reset), edge.latency_failed.max), (2, Some(40 * MILLI)));
    assert_eq!((edge.latency.count, edge.latency.max), (2, Some(170 * MILLI)));
}

/// The service fails half of all work, and a fault half: three quarters, neither half nor all.
#[test]
fn errors_of_a_service_and_of_a_fault_are_united() {
    let db = r#"workers: Async(9), work: "1ms", error_rate: 0.5"#;
    let fault = r#"(at: "0s", on: "db", effect: Errors(probability: 0.5))"#;
    let failed = calls(2_000, 4, "", db, fault).edges.get("users->db").unwrap().calls.failed();
    // Binomial(2000, 3/4): sd 19.4.
    assert!(failed.abs_diff(1_500) < 78, "{failed} of 2000");
}
