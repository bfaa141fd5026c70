//! Scenes of tied requests: who hears that another was begun with, and what that saves. All of it can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::report::Report;

/// Three calls, at 10, 20 and 30 ms, of 100 ms each to two workers, and a copy of each to the other.
fn three(hedge: &str, more: &str, network: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
               services: {{"db": (replicas: 2, workers: Async(1), work: "100ms")}},
               policies: {{"p": (retry_host: Other(), hedge: ({hedge}))}}, network: "{network}"{more}"#
        ),
        "10s",
    )
}

/// (work in ms, of it for nobody, attempts that left for another, the longest response in ms)
fn came_to(report: &Report) -> (u64, u64, Option<f64>, u64) {
    let db = report.services.get("db").unwrap();
    let left = report.section("hedges", "users->db").unwrap().values.get("left").and_then(|left| left.value);
    let longest = report.edges.get("users->db").unwrap().latency.max.unwrap();
    (db.work / MILLI, db.work_wasted / MILLI, left, longest / MILLI)
}

#[test]
fn whoever_begins_tells_the_others() {
    // One each at once; the third waits for both, and whoever is free first has it.
    assert_eq!(came_to(&three(r#"after: "0s", tied: true"#, "", "0ms")), (300, 0, Some(3.0), 180));
    // Without ties all is worked on twice: the third begins when both are done with the first two.
    assert_eq!(came_to(&three(r#"after: "0s""#, "", "0ms")), (600, 300, None, 280));
    // Both begin within the 4 ms of the message, each time: the ties are for nothing.
    assert_eq!(came_to(&three(r#"after: "0s", tied: true"#, "", "4ms")), (600, 300, Some(0.0), 288));
    // The copy of the first call comes when the message has been there, that of the second is begun with at once, and
    // what was first of it leaves the other queue. The third waits for whoever is free first, at 114.
    assert_eq!(came_to(&three(r#"after: "10ms", tied: true"#, "", "4ms")), (300, 0, Some(3.0), 188));
    // At 110 the network loses the answer of the first and what is said of the third: the other begins with it at 120.
    let lost = r#", faults: [(at: "109ms", for: "2ms", on: "users->db", effect: Drop(probability: 1.0))]"#;
    assert_eq!(came_to(&three(r#"after: "0s", tied: true"#, lost, "0ms")), (400, 200, Some(2.0), 180));
}

/// What is begun with and then lost is not answered by whoever forgot it: the caller finds out by its timeout, and asks again.
#[test]
fn who_has_forgotten_a_request_does_not_answer_it() {
    let report = scene(
        r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "15ms", rate: "0/s")]))],
           services: {"db": (replicas: 2, workers: Async(1), work: "100ms")},
           policies: {"p": (retry_host: Other(), hedge: (after: "0s", tied: true), timeout: "1s", retry: Fixed(attempts: 2))},
           faults: [(at: "0s", for: "500ms", on: "db", effect: BlackHole)]"#,
        "10s",
    );
    // A black hole begins with nothing, so nobody is told: both are lost, and a second later both are asked again.
    let edge = report.edges.get("users->db").unwrap();
    assert_eq!((edge.attempts.sent, came_to(&report)), (4, (100, 0, Some(1.0), 1_100)));
}

/// What is begun with tells the others however soon it is done; and one that hears of it more than once has left once.
#[test]
fn a_copy_hears_of_work_that_is_done_by_now() {
    let quick = |hedge: &str, network: &str, replicas: u32| {
        scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
                   services: {{"db": (replicas: {replicas}, workers: Async(1), work: "1ms")}},
                   policies: {{"p": (retry_host: Other(), balancer: LeastPending, hedge: ({hedge}))}}, network: "{network}""#
            ),
            "10s",
        )
    };
    // It is begun with at 60 ms and done at 61; the copy is sent at 70 and comes at 120, ten after the message.
    assert_eq!(came_to(&quick(r#"after: "60ms", tied: true"#, "50ms", 2)), (3, 0, Some(3.0), 101));
    // Four copies 1 ms apart, each of which two or more tell: at 54, and 55 are begun with before any message is there.
    let report = quick(r#"after: "20ms", copies: 4, tied: true"#, "30ms", 5);
    let (work, _, left, _) = came_to(&report);
    let sent = report.edges.get("users->db").unwrap().attempts.sent;
    assert_eq!(left.map(|left| left as u64 + work), Some(sent), "each is worked on or has left");
}

/// Where messages take anything from 1 to 50 ms several may find an attempt on its way: it leaves once.
#[test]
fn who_is_told_twice_leaves_once() {
    let report = scene(
        r#"workload: [(to: "db", policy: "p", arrivals: Constant("50/s"))],
           services: {"db": (replicas: 8, workers: Async(1), work: "1ms")},
           policies: {"p": (retry_host: Other(), hedge: (after: "0s", copies: 5, tied: true))},
           network: Uniform(low: "1ms", high: "50ms")"#,
        "10s",
    );
    let (work, _, left, _) = came_to(&report);
    let sent = report.edges.get("users->db").unwrap().attempts.sent;
    assert!(
        left.unwrap() > 500.0 && left.unwrap() as u64 + work <= sent,
        "{left:?} left, {work} worked, {sent} sent"
    );
}
