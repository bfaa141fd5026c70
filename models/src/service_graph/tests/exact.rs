//! What theory gives beside a run, for graphs of which it can be worked out by hand; and where it says nothing.

use super::scenes::scene;

/// What theory gives for one value, if it gives anything.
#[track_caller]
fn exact(graph: &str, name: &str) -> Option<f64> {
    let report = scene(graph, "2s");
    report.values.get(name).and_then(|value| value.exact)
}

#[test]
fn what_theory_gives() {
    let shop = |call: &str| {
        format!(
            r#"workload: [(to: "shop", arrivals: Constant("50/s"))],
               services: {{
                   "shop": (workers: Async(9), work: "1ms", calls: [{call}]),
                   "pay": (workers: Async(99), work: "1ms", error_rate: 0.5),
               }},
               policies: {{"p": (retry: Fixed(attempts: 2))}}"#
        )
    };
    let (per_user, times) = ("per_user_call shop->pay", r#"(to: "pay", policy: "p", times: 3"#);
    let rows = [
        // Of two places in all, the second is taken with 1/7: 1/2 of 6/7.
        (
            r#"workload: [(to: "desk", arrivals: Poisson("50/s"))],
               services: {"desk": (workers: Async(1), work: Exponential(mean: "10ms"), queue: Fifo(capacity: 1))}"#
                .to_owned(),
            "utilisation",
            3.0 / 7.0,
        ),
        // A tenth is lost each way: 1 + (1 - 0.81).
        (
            r#"workload: [(to: "db", arrivals: Constant("50/s"), policy: "p")],
               services: {"db": (workers: Async(99), work: "1ms")},
               policies: {"p": (timeout: "10ms", retry: Fixed(attempts: 2))},
               faults: [(at: "0s", on: "db", effect: Drop(probability: 0.1))]"#
                .to_owned(),
            "amplification users->db",
            1.19,
        ),
        // 1.5 attempts each: three calls at once, or three whatever becomes of them; one after another as long as all
        // goes well, which it does with 3/4.
        (shop(&format!("Parallel([{times})])")), per_user, 4.5),
        (shop(&format!("{times}, optional: true)")), per_user, 4.5),
        (shop(&format!("{times})")), per_user, 1.5 * (1.0 + 0.75 + 0.75 * 0.75)),
        // Three of the five users have a worker, and each works 1 + 0.5 (3 - 1) times as long.
        (
            r#"workload: [(to: "db", arrivals: ClosedLoop(users: 5, think: "0s"))],
               services: {"db": (workers: Async(3), work: "10ms", scaling: Usl(contention: 0.5))}"#
                .to_owned(),
            "throughput",
            150.0,
        ),
    ];
    for (graph, name, expected) in rows {
        let found = exact(&graph, name).unwrap_or_else(|| panic!("no {name} of {graph}"));
        assert!((found - expected).abs() < 1e-9, "{name}: {found}, not {expected}, of {graph}");
    }
}

#[test]
fn where_theory_is_silent() {
    let thinking = |places: u32| {
        format!(
            r#"workload: [(to: "desk", arrivals: ClosedLoop(users: 3, think: Exponential(mean: "20ms")))],
               services: {{"desk": (workers: Async(1), work: Exponential(mean: "10ms"), queue: Fifo(capacity: {places}))}}"#
        )
    };
    let queue = |work: &str| format!("(workers: Async(1), queue: Fifo(capacity: Unbounded), work: {work}");
    let exponential = |mean: u32| queue(&format!(r#"Exponential(mean: "{mean}ms")"#));
    let two_sources = |work: &str| {
        format!(
            r#"workload: [(to: "b", arrivals: Poisson("20/s")), (name: "more", to: "a", arrivals: Poisson("20/s"))],
               services: {{"a": {}, calls: [(to: "b")]), "b": {})}}"#,
            exponential(10),
            queue(work),
        )
    };
    let in_turn = |mean: u32| {
        format!(
            r#"workload: [(to: "a", arrivals: Poisson("50/s"))],
               services: {{"a": {}, calls: [(to: "b"), (to: "c")]), "b": {}), "c": {})}}"#,
            exponential(10),
            exponential(mean),
            exponential(10),
        )
    };
    let rows = [
        // Two wait while one is served: a third place is for nobody, but the second is for somebody.
        (thinking(2), "response_mean", true),
        (thinking(1), "response_mean", false),
        // What comes from users and from another service is no more than as if it were Poisson: enough for exponential
        // work and no other.
        (two_sources(r#"Exponential(mean: "10ms")"#), "wait_mean b", true),
        (two_sources(r#""10ms""#), "wait_mean b", false),
        // At 50/s a queue of 10 ms settles and one of 30 ms does not; nor does then what is behind it.
        (in_turn(10), "wait_mean c", true),
        (in_turn(30), "wait_mean c", false),
    ];
    for (graph, name, known) in rows {
        assert_eq!(exact(&graph, name).is_some(), known, "{name} of {graph}");
    }
}
