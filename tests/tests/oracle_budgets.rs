//! What budgets let through in a running graph: each divides by something else.

use brownout_tests::{Runs, edge, run};
use sim_models::report::Report;

/// So many calls a second to a service whose attempts fail with `errors`, after `work`.
fn graph(calls: &str, errors: f64, work: &str, policy: &str) -> String {
    format!(
        r#"(
            about: "a budget",
            model: ServiceGraph(
                workload: [(to: "db", arrivals: {calls}, policy: "p")],
                services: {{"db": (workers: Async(100000), work: "{work}", error_rate: {errors})}},
                policies: {{"p": ({policy})}},
            ),
            run: (duration: "130s", warm_up: "30s", seed: 1, window: "10s"),
        )"#
    )
}

fn amplification(report: &Report) -> f64 {
    edge(report, "users->db").amplification.expect("there were calls")
}

/// Theory says the same, and that it is approximate.
fn said(report: &Report) -> f64 {
    let value = report.values.get("amplification users->db").expect("theory speaks");
    assert!(value.source.contains("approximate"), "{}", value.source);
    value.exact.expect("a number")
}

#[test]
fn a_share_of_the_calls_or_of_the_successes() {
    // Nine of ten attempts fail, and three retries of each call are wanted.
    for (calls, errors, budget, expected) in [
        (200, 0.9, "Window()", 1.0 + 0.2 + 10.0 / 200.0),
        (1000, 0.9, "Window()", 1.0 + 0.2 + 10.0 / 1000.0),
        (200, 0.9, "Window(ratio: 0.5, min_per_sec: 0)", 1.5),
        // Six of its ten slots are remembered, and 1 / 0.3 is three calls.
        (200, 0.9, "Window(library: Tower)", 1.0 + 0.2 + 10.0 / 0.6 / 200.0),
        (200, 0.9, "Window(ratio: 0.3, min_per_sec: 0, library: Tower)", 1.0 + 1.0 / 3.0),
        // Half of the attempts succeed: 0.1 for each, those of retries among them.
        (500, 0.5, "Ratio(of: Successes)", 1.0 + 0.05 / 0.95),
        (500, 0.5, "Window(min_per_sec: 0, of: Successes)", 1.0 + 0.1 / 0.9),
        // Far from what it would limit.
        (500, 0.05, "Window()", 1.0 + 0.05 + 0.0025 + 0.000125),
    ] {
        let policy = format!("retry: Fixed(attempts: 4), budget: {budget}");
        let runs = Runs::of(&graph(&format!(r#"Poisson("{calls}/s")"#), errors, "1ms", &policy), 1..=10);
        let here = format!("{calls}/s, {errors}, {budget}");
        runs.agree(&here, amplification, expected, 0.005);
        if errors > 0.1 {
            runs.each(&here, |report| (said(report) / expected - 1.0).abs() < 0.005);
        }
    }
}

/// A share of what is out: how long things take decides. 100 ms for each attempt, all of which fail, back-offs of `pause`:
/// slots are held for both, so `x (pause + work) = b (1 + x) work` for `x` retries per call.
#[test]
fn a_share_of_what_is_out() {
    let evenly = r#"Constant("2000/s")"#;
    for (pause, held, expected) in [
        ("0s", "BackOff", 0.2 / 0.8),
        ("100ms", "BackOff", 0.2 / (1.0 + 1.0 - 0.2)),
        ("900ms", "BackOff", 0.2 / (1.0 + 9.0 - 0.2)),
        ("0s", "Sent", 0.2 / 0.8),
    ] {
        let retry = format!(r#"retry: Fixed(attempts: 2, delay: "{pause}", jitter: None)"#);
        let policy = format!("{retry}, budget: Concurrent(held: {held})");
        let found = amplification(&run(&graph(evenly, 1.0, "100ms", &policy), 1)) - 1.0;
        // What is out is counted in whole attempts: one of forty slots is 2.5 %.
        assert!((found / expected - 1.0).abs() < 0.03, "{pause}, {held}: {found} for {expected}");
    }
    // As long as few retries are out any number of them may be planned: all of 0.9 s, then none of 0.9 s, and so on, where the
    // other accounting lets 2 of a hundred through.
    let text = graph(
        evenly,
        1.0,
        "100ms",
        r#"retry: Fixed(attempts: 2, delay: "900ms", jitter: None), budget: Concurrent(held: Sent)"#,
    );
    let found = amplification(&run(&text, 1)) - 1.0;
    assert!((0.4..0.6).contains(&found), "what waits is not limited by what is out: {found}");
    // `max_retries: 3`: three in 100 ms and the half millisecond until one more call fails.
    let policy = "retry: Fixed(attempts: 2), budget: Concurrent(ratio: 0)";
    let found = 2000.0 * (amplification(&run(&graph(evenly, 1.0, "100ms", policy), 1)) - 1.0);
    assert!((found / (3.0 / 0.1005) - 1.0).abs() < 0.02, "{found} a second");
}

/// 500 for 14 each are 35 retries of a client, to the last one, and theory knows it.
#[test]
fn a_store_is_spent_once() {
    for (budget, clients, retries) in
        [("Quota()", 1, 35), ("Quota()", 4, 140), ("Quota(cost: 5, timed_out: 5)", 1, 100)]
    {
        let policy = format!("retry: Fixed(attempts: 3), budget: {budget}");
        let text = graph(r#"Poisson("100/s")"#, 1.0, "1ms", &policy)
            .replace(r#"warm_up: "30s""#, r#"warm_up: "0s""#)
            .replace(r#"policy: "p")"#, &format!(r#"policy: "p", clients: {clients})"#));
        let report = run(&text, 3);
        let users = edge(&report, "users->db");
        assert_eq!(users.attempts.retries, retries, "{budget}, {clients}");
        let value = report.values.get("amplification users->db").expect("theory speaks");
        let said = (value.exact.expect("a number") - 1.0) * users.calls.started as f64;
        assert!((said - retries as f64).abs() < 0.01, "{budget}: {said}");
    }
}

/// With two retries a store empties where more than 21.5 % of the attempts fail, and 32.1 % at the prices before 2026.
#[test]
fn a_store_is_full_or_empty() {
    for (budget, errors, full) in [
        ("Quota()", 0.19, true),
        ("Quota()", 0.24, false),
        ("Quota(cost: 5, timed_out: 10)", 0.30, true),
        ("Quota(cost: 5, timed_out: 10)", 0.35, false),
    ] {
        let policy = format!("retry: Fixed(attempts: 3), budget: {budget}");
        let report = run(&graph(r#"Poisson("1000/s")"#, errors, "1ms", &policy), 1);
        let denied = edge(&report, "users->db").attempts.rationed() as f64;
        let share = denied / edge(&report, "users->db").calls.started as f64;
        assert_eq!(share < 0.001, full, "{budget} at {errors}: {share}");
    }
}
