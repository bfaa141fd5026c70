//! Requests that weigh something: whom a queue has no room for, and what a replica dies of, by hand; and that bytes of requests of one size are a number of
//! requests.

use super::scenes::{scene, scene_of};
use crate::policy::Outcome;
use crate::report::Report;

/// One worker, 25 ms each; five of 10 kB come at 10, 20, 30, 40 and 50 ms. The first is served at once, to 35 ms.
fn five(service: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", size: Fixed("10kB"), arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "55ms", rate: "0/s")]))],
               services: {{"db": (workers: Async(1), work: "25ms", {service})}}"#
        ),
        "10s",
    )
}

/// (limit, answered, rejected, bytes that waited at the most), in whatever order they are served.
#[test]
fn a_queue_has_room_for_so_many_bytes() {
    let orders = ["Fifo", "Lifo", "SharedFifo", "Priority", "Fair", "EarliestDeadline"];
    let orders = orders.map(|order| format!("{order}(capacity: Unbounded)"));
    for order in orders.iter().map(String::as_str).chain(["AdaptiveLifo(threshold: 1)"]) {
        for (limit, ok, rejected, most) in [
            // At 50 the third and the fourth wait.
            ("20kB", 4, 1, 20_000.0),
            ("29999B", 4, 1, 20_000.0),
            ("30kB", 5, 0, 30_000.0),
            // At 30 the second waits, at 50 the fourth.
            ("19999B", 3, 2, 10_000.0),
            // Nobody waits: the fourth finds the worker free.
            ("9999B", 2, 3, 0.0),
        ] {
            let report = five(&format!(r#"queue: {order}, queue_bytes: "{limit}""#));
            let edge = report.edges.get("users->db").unwrap();
            assert_eq!(
                (edge.calls.ok(), edge.attempts.of(Outcome::Rejected)),
                (ok, rejected),
                "{order}, {limit}"
            );
            let section = report.section("queue_bytes", "db").unwrap();
            let told = |name| section.values.get(name).unwrap().value.unwrap();
            assert_eq!((told("refused"), told("waiting_max")), (rejected as f64, most), "{order}, {limit}");
            assert_eq!(section.series[0].values, [rejected as f64]);
        }
    }
    assert!(five("").section("queue_bytes", "db").is_none());
}

/// (what it does not survive, deaths, answered): three are in hand at 30 ms, and again at 40; four at 50.
#[test]
fn a_replica_dies_of_what_its_requests_weigh() {
    for (dies, deaths, ok) in [
        (r#"at_memory: "50kB", memory_idle: "20kB", memory_per_request: "0B""#, 1, 0),
        (r#"at_memory: "51kB", memory_idle: "20kB", memory_per_request: "0B""#, 1, 1),
        (r#"at_memory: "60001B", memory_idle: "20kB", memory_per_request: "0B""#, 0, 5),
        // 12 kB each with what it takes besides.
        (r#"at_memory: "36kB", memory_per_request: "2kB""#, 1, 0),
        (r#"at_memory: "36001B", memory_per_request: "2kB""#, 1, 1),
        (r#"at_memory: "48001B", memory_per_request: "2kB""#, 0, 5),
        (r#"at_memory: "48001B", memory_per_request: "2kB", at_in_flight: 3"#, 1, 0),
    ] {
        let report = five(&format!(r#"dies: ({dies}, restart_after: "1s")"#));
        let edge = report.edges.get("users->db").unwrap();
        assert_eq!((report.services.get("db").unwrap().deaths, edge.calls.ok()), (deaths, ok), "{dies}");
    }
}

/// A storm with everything by which a request leaves a queue or a replica.
fn storm(size: &str, back: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [
                   (to: "front", arrivals: Poisson("200/s"), policy: "p", {size} priority: Mixed(critical: 1, sheddable: 1)),
                   (name: "others", to: "back", arrivals: Poisson("50/s"), policy: "p", {size}),
               ],
               services: {{
                   "front": (replicas: 2, workers: Async(8), work: Exponential(mean: "2ms"), calls: [(to: "back", policy: "p")]),
                   "back": (replicas: 2, workers: Blocking(4), work: Exponential(mean: "30ms"), calls: [(to: "deep", policy: "p")], on_cancel: Stop, {back}),
                   "deep": (workers: Async(50), work: "5ms"),
               }},
               policies: {{"p": (timeout: "200ms", retry: Fixed(attempts: 3), cancel: Always, hedge: (after: "100ms"))}},
               faults: [(at: "2s", for: "2s", on: "back", effect: Slow(factor: 3)), (at: "5s", for: "500ms", on: "back", replicas: Only([1]), effect: Crash())]"#
        ),
        r#"duration: "10s", warm_up: "1s", window: "1s""#,
    )
}

/// The laws of bytes hold at the end of each of these.
#[test]
fn every_door_is_watched() {
    let size = r#"size: BoundedPareto(low: "1kB", high: "10MB", shape: 0.9),"#;
    for queue in [
        "Fifo(capacity: 100)",
        "Lifo(capacity: 100, drop_expired: true)",
        "SharedFifo(capacity: 100, drop_expired: true)",
        "Priority(capacity: 20)",
        "Priority(capacity: 20, shared: true)",
        "EarliestDeadline(capacity: 100, shared: true, drop_expired: true)",
    ] {
        for more in [
            r#"queue_bytes: "300kB""#,
            r#"queue_bytes: "500kB", dies: (at_memory: "600kB", memory_per_request: "1kB", restart_after: "300ms")"#,
            r#"queue_bytes: "10MB", shed: MaxWait("50ms")"#,
            r#"queue_bytes: "1MB", shed: ByPriority(sheddable: 8), per_replica: true"#,
        ] {
            let report = storm(size, &format!("queue: {queue}, {more}"));
            let section = report.section("queue_bytes", "back").unwrap();
            let refused = section.values.get("refused").unwrap().value.unwrap();
            assert!(refused > 0.0 || !more.contains("300kB"), "{queue}, {more}");
            // Of a queue that all share a replica has only what it works on.
            let dies = more.contains("dies") && !queue.to_lowercase().contains("shared");
            assert!(!dies || report.services.get("back").unwrap().deaths > 0, "{queue}, {more}");
        }
    }
}

/// Bytes of requests that all weigh the same are a number of requests, to the last event.
#[test]
fn so_many_bytes_are_so_many_requests() {
    let size = r#"size: Fixed("1kB"),"#;
    for (bytes, number) in [
        (r#"queue: Fifo(capacity: Unbounded), queue_bytes: "30kB""#, "queue: Fifo(capacity: 30)"),
        (r#"queue: Lifo(capacity: Unbounded), queue_bytes: "30999B""#, "queue: Lifo(capacity: 30)"),
        (
            r#"queue: EarliestDeadline(capacity: Unbounded), queue_bytes: "30kB""#,
            "queue: EarliestDeadline(capacity: 30)",
        ),
        (
            r#"queue: SharedFifo(capacity: Unbounded, drop_expired: true), queue_bytes: "30kB""#,
            "queue: SharedFifo(capacity: 30, drop_expired: true)",
        ),
        (
            r#"dies: (at_memory: "25kB", memory_idle: "5kB", memory_per_request: "0B", restart_after: "500ms")"#,
            r#"dies: (at_in_flight: 20, restart_after: "500ms")"#,
        ),
        (
            r#"queue: SharedFifo(), dies: (at_memory: "8kB", memory_per_request: "1kB", restart_after: "500ms")"#,
            r#"queue: SharedFifo(), dies: (at_in_flight: 4, restart_after: "500ms")"#,
        ),
    ] {
        let (weighed, counted) = (storm(size, bytes), storm("", number));
        assert_eq!(weighed.digest.t, counted.digest.t, "{bytes}");
        assert_ne!(storm(size, "queue: Fifo(capacity: 1000)").digest.t, counted.digest.t, "{number} acts");
    }
}
