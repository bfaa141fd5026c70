//! Queues that look at what requests carry: scenes to be worked out by hand.

use super::scenes::{MILLI, scene, scene_of};
use crate::policy::Outcome;
use crate::report::Report;

/// One worker, 100 ms each. A comes at 10, 20, 30 and 40 ms, B at 25 and 50 ms; A's first is served at once, to 110 ms.
fn two(a: &str, b: &str, queue: &str) -> Report {
    scene(
        &format!(
            r#"workload: [
                   (name: "a", to: "db", {a} arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "45ms", rate: "0/s")])),
                   (name: "b", to: "db", {b} arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "40/s"), (at: "60ms", rate: "0/s")])),
               ],
               services: {{"db": (workers: Async(1), work: "100ms", queue: {queue})}}"#
        ),
        "10s",
    )
}

/// (answered, rejected, longest answer in ms) of each.
fn told(report: &Report) -> [(u64, u64, u64); 2] {
    ["a->db", "b->db"].map(|name| {
        let edge = report.edges.get(name).unwrap();
        (edge.calls.ok(), edge.attempts.of(Outcome::Rejected), edge.latency.max.unwrap_or(0) / MILLI)
    })
}

/// B comes at 25 and 50 ms. In the order of arrival (A10 A20 B25 A30 A40 B50) the last is answered at 610 ms.
#[test]
fn who_is_served_first() {
    let tenants = [r#"tenants: Named({"a": 1}),"#, r#"tenants: Named({"b": 1}),"#];
    let (low, high) = ("priority: Sheddable,", "priority: CriticalPlus,");
    for (a, b, queue, expected) in [
        ("", "", "Fifo()", [(4, 0, 470), (2, 0, 560)]),
        ("", "", "Priority()", [(4, 0, 470), (2, 0, 560)]),
        ("", "", "Fair()", [(4, 0, 470), (2, 0, 560)]),
        // A10 B25 B50 A20 A30 A40.
        (low, high, "Priority()", [(4, 0, 570), (2, 0, 260)]),
        (low, "", "Priority()", [(4, 0, 570), (2, 0, 260)]),
        // A10 A20 A30 A40 B25 B50.
        (high, low, "Priority()", [(4, 0, 370), (2, 0, 560)]),
        // A10, and in turn A20 B25 A30 B50 A40.
        (tenants[0], tenants[1], "Fair()", [(4, 0, 570), (2, 0, 460)]),
        // Two places: A20 and B25 have them, then A30 and A40 are turned away, and B50 takes A20's.
        (low, high, "Priority(capacity: 2)", [(1, 3, 100), (2, 0, 260)]),
        // A20 has its place, then A30; B25 came between and took one: A30, A40 and B50 find one of each.
        (tenants[0], tenants[1], "Fair(capacity: 2)", [(2, 2, 190), (1, 1, 285)]),
        ("", "", "Priority(capacity: 2)", [(2, 2, 190), (1, 1, 285)]),
    ] {
        assert_eq!(told(&two(a, b, queue)), expected, "{a} {b} {queue}");
    }
}

/// Nobody waits, or all matter equally and are of one tenant: the order is that of arrival, to the last event.
#[test]
fn what_never_acts_moves_nothing() {
    let run = |queue: &str| {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "web", arrivals: Poisson("150/s"), policy: "p", clients: 3, tenants: Named({{"a": 1}}), priority: Sheddable)],
                   services: {{
                       "web": (replicas: 2, workers: Async(2), work: Exponential(mean: "10ms"), queue: {queue}, calls: [(to: "db", policy: "p")]),
                       "db": (workers: Async(2), work: Exponential(mean: "11ms"), queue: {queue}, dies: (at_in_flight: 40, restart_after: "1s"), on_cancel: Stop),
                   }},
                   policies: {{"p": (timeout: "200ms", retry: Fixed(attempts: 3, delay: "10ms"), cancel: Always)}},
                   faults: [(at: "5s", for: "2s", on: "db", effect: Slow(factor: 3.0)), (at: "9s", for: "1s", on: "web", effect: Crash(), replicas: Only([0]))]"#
            ),
            r#"duration: "15s", warm_up: "2s", window: "1s""#,
        );
        assert!(report.services.get("db").unwrap().queue_max > 5, "somebody waits");
        (report.digest.t.clone(), report.digest.r.clone(), report.edges)
    };
    for (plain, own) in [
        ("Fifo(capacity: 30)", "Priority(capacity: 30)"),
        ("Fifo(capacity: 30)", "Fair(capacity: 30)"),
        ("Fifo(capacity: 30, drop_expired: true)", "Fair(capacity: 30, drop_expired: true)"),
        ("SharedFifo(capacity: 30)", "Priority(capacity: 30, shared: true)"),
        ("SharedFifo(capacity: 30)", "Fair(capacity: 30, shared: true)"),
    ] {
        assert!(run(plain) == run(own), "{own}");
    }
}

/// Full queues, crashes and cancellations: the sums agree (the laws are checked at the end), and so do the classes.
#[test]
fn places_are_given_up_in_a_storm() {
    for queue in [
        "Priority(capacity: 8)",
        "Fair(capacity: 8)",
        "Priority(capacity: 8, shared: true)",
        "Fair(capacity: 8, shared: true, drop_expired: true)",
    ] {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "web", arrivals: Poisson("400/s"), policy: "p", tenants: Zipf(count: 40), priority: Mixed(critical_plus: 1, critical: 1, sheddable: 2))],
                   services: {{
                       "web": (replicas: 3, workers: Async(3), work: Exponential(mean: "5ms"), queue: {queue}, on_cancel: Stop, calls: [(to: "db", policy: "p")]),
                       "db": (replicas: 2, workers: Async(1), work: Exponential(mean: "10ms"), queue: {queue}),
                   }},
                   policies: {{"p": (timeout: "60ms", retry: Fixed(attempts: 3, delay: "5ms"), cancel: Always)}},
                   faults: [(at: "2s", for: "1s", on: "db", effect: Slow(factor: 3.0)), (at: "4s", for: "1s", on: "web", effect: Crash(), replicas: Only([0]))]"#
            ),
            r#"duration: "6s", warm_up: "1s", window: "1s""#,
        );
        let rejected = report.edges.get("web->db").unwrap().attempts.of(Outcome::Rejected);
        assert!(rejected > 100, "{queue}: {rejected}");
    }
}
