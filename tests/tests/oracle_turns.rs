//! Behind a leaky bucket Poisson arrivals wait for their turn as in M/D/1, and arrive evenly at what stands behind it.

use brownout_tests::{Runs, edge};
use sim_models::report::Report;

/// Pollaczek and Khinchine: `rho / (2 (1 - rho))` of the time between two turns.
#[test]
fn a_leaky_bucket_is_a_queue_of_one_server() {
    for load in [0.3, 0.7, 0.9] {
        let text = format!(
            r#"(
                about: "a leaky bucket",
                model: ServiceGraph(
                    workload: [(to: "db", arrivals: Poisson("{}/s"), policy: "p")],
                    services: {{"db": (workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: "10ms")}},
                    policies: {{"p": (rate_limit: LeakyBucket(rate: "100/s", capacity: 1000000))}},
                ),
                run: (duration: "10min", warm_up: "20s", window: "1min"),
            )"#,
            100.0 * load
        );
        let runs = Runs::of(&text, 1..=20);
        let response =
            |report: &Report| edge(report, "users->db").latency.mean.expect("answers") as f64 / 1e9;
        // One that finds the bucket full goes on at once and is worked on at once: the wait is all in front of the bucket.
        runs.agree(
            &format!("mean response at {load}"),
            response,
            0.01 + 0.01 * load / (2.0 * (1.0 - load)),
            0.02,
        );
        runs.each("nobody queues behind it", |report| {
            report.services.get("db").is_some_and(|db| db.queue_max == 0)
        });
    }
}
