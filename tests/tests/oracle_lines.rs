//! A bulkhead whose calls stand in line is M/M/c with patience, as long as the callee has more workers than the bulkhead places.
//!
//! Baccelli and Hebuterne, "On queues with impatient customers", 1981: a call gets a place unless the wait that it would have, `v`,
//! exceeds its patience. Below the patience the density of `v` is that of M/M/c, `f(v) = r p(c-1) e^((r - c m) v)`; above it nobody
//! joins, and it falls as `e^(-c m v)`. What is refused is the part above.

use brownout_tests::{Runs, edge, resolve, run_with};
use sim_core::math;
use sim_models::policy::Ending;
use sim_models::report::Report;
use sim_models::run::RunOptions;

/// The share refused, and the mean wait of those that got a place after one: `rate` a second, `places` of `mean` seconds each.
fn patient(rate: f64, places: u32, mean: f64, patience: f64) -> (f64, f64) {
    let (offered, drain) = (rate * mean, f64::from(places) / mean);
    // p(k) without its constant, from k = 0 to places - 1.
    let mut terms = vec![1.0];
    (1..places).for_each(|k| terms.push(terms[k as usize - 1] * offered / f64::from(k)));
    let at_the_brink = rate * terms[places as usize - 1];
    let slope = rate - drain;
    let grown = math::exp(slope * patience);
    let waits = at_the_brink * (grown - 1.0) / slope;
    let beyond = at_the_brink * grown / drain;
    let all = terms.iter().sum::<f64>() + waits + beyond;
    let time = at_the_brink * (patience * grown / slope - (grown - 1.0) / (slope * slope));
    (beyond / all, time / waits)
}

#[test]
fn a_line_with_patience() {
    for (rate, places, mean_ms, patience_ms) in
        [(660.0, 60, 100.0, 250.0), (590.0, 60, 100.0, 50.0), (90.0, 1, 10.0, 30.0), (200.0, 2, 15.0, 10.0)]
    {
        let text = format!(
            r#"(
                about: "a line with patience",
                model: ServiceGraph(
                    workload: [(to: "db", arrivals: Poisson("{rate}/s"), policy: "p")],
                    services: {{"db": (workers: Async(10000), work: Exponential(mean: "{mean_ms}ms"))}},
                    policies: {{"p": (bulkhead: (max_concurrent: {places}, max_wait: "{patience_ms}ms"))}},
                ),
                run: (duration: "5min", warm_up: "10s", window: "30s"),
            )"#
        );
        let runs = Runs::of(&text, 1..=20);
        let (refused, wait) = patient(rate, places, mean_ms / 1e3, patience_ms / 1e3);
        let here = format!("{rate}/s, {places} places, {patience_ms} ms");
        let share = |report: &Report| {
            let calls = &edge(report, "users->db").calls;
            calls.of(Ending::BulkheadFull) as f64 / calls.started as f64
        };
        let waited = |report: &Report| {
            let section = report.section("bulkheads", "users->db").expect("a line");
            section.values.get("wait_mean").and_then(|value| value.value).expect("somebody waited") / 1e9
        };
        runs.agree(&format!("refused, {here}"), share, refused, 0.02);
        runs.agree(&format!("mean wait, {here}"), waited, wait, 0.02);
    }
}

/// HikariCP's pool of 60 with 250 ms of patience: one in eleven gets no connection, and who gets one has his answer in its own time.
#[test]
fn a_pool_with_an_acquire_timeout() {
    let path = format!("{}/cases/08-pool-acquire-timeout.ron", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a case");
    let share = |report: &Report| {
        let calls = &edge(report, "app->db").calls;
        calls.of(Ending::BulkheadFull) as f64 / calls.started as f64
    };
    Runs::of(&text, 1..=20).agree(
        "callers without a connection",
        share,
        patient(660.0, 60, 0.1, 0.25).0,
        0.02,
    );
    let of = |variant| run_with(&resolve(&text, Some(variant)), &RunOptions::seeded(1)).report;
    let faster = share(&of("fast-queries"));
    assert!(faster < 0.001, "{faster} refused");
    // A limit on the whole call fails most of them.
    let success = edge(&of("whole-call"), "app->db").success.expect("ended");
    assert!(success < 0.5, "{success} answered");
}
