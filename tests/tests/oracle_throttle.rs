//! Adaptive throttling before a service that can do so much and refuses the rest: `k` times what it can do is sent, as long as
//! more is asked for.

use brownout_tests::{Runs, edge};
use sim_models::policy::{Ending, Outcome};
use sim_models::report::Report;

/// Whoever starts is told of what was accepted later than of what was asked: hardly anything is sent at first, and some
/// `k^2` times more in each window, since what was accepted lies half a window back. At k = 1.1 that is twelve windows for each factor
/// of ten, so the window is short and the warm-up long.
///
/// 500/s are what the service can do, in steps of 2 ms of five workers; behind them a queue that is never empty at these loads.
fn experiment(k: f64, offered: f64, more: &str) -> String {
    format!(
        r#"(
            about: "a client that steps back",
            model: ServiceGraph(
                workload: [(to: "db", arrivals: Poisson("{}/s"), policy: "p")],
                services: {{"db": (workers: Async(5), queue: Fifo(capacity: 100), work: "10ms")}},
                policies: {{"p": (throttle: (k: {k}, window: "4s"){more})}},
            ),
            run: (duration: "4min", warm_up: "2min", window: "30s"),
        )"#,
        500.0 * offered
    )
}

#[test]
fn so_many_are_sent_for_each_that_is_accepted() {
    // (k, offered, sent over what it can do, share that is not sent)
    for (k, offered, sent, not_sent) in
        [(2.0, 1.5, 1.5, 0.0), (2.0, 4.0, 2.0, 0.5), (1.1, 2.0, 1.1, 0.45), (1.5, 10.0, 1.5, 0.85)]
    {
        let runs = Runs::of(&experiment(k, offered, ""), 1..=10);
        let here = format!("k = {k}, {offered} times what it can do is asked for");
        let attempts = |report: &Report| edge(report, "users->db").attempts.sent as f64 / (500.0 * 120.0);
        runs.agree(&format!("sent, {here}"), attempts, sent, 0.01);
        let throttled = |report: &Report| {
            let calls = &edge(report, "users->db").calls;
            calls.of(Ending::Throttled) as f64 / calls.started as f64
        };
        if not_sent > 0.0 {
            runs.agree(&format!("not sent, {here}"), throttled, not_sent, 0.01);
            let ok =
                |report: &Report| edge(report, "users->db").attempts.of(Outcome::Ok) as f64 / (500.0 * 120.0);
            runs.agree(&format!("answered, {here}"), ok, 1.0, 0.005);
        } else {
            runs.each("nobody steps back", |report| throttled(report) < 0.001);
        }
    }
}

/// Where attempts fail by a chance of their own there is no such balance: more than `1 / k` must succeed, or hardly anything is sent.
#[test]
fn where_failures_are_luck_there_is_a_cliff() {
    let sent = |errors: f64| {
        let text = experiment(2.0, 0.2, "")
            .replace(r#"work: "10ms""#, &format!(r#"work: "10ms", error_rate: {errors}"#));
        Runs::of(&text, 1..=3)
            .sample(|r| {
                1.0 - edge(r, "users->db").calls.of(Ending::Throttled) as f64
                    / edge(r, "users->db").calls.started as f64
            })
            .mean
    };
    assert!(sent(0.3) > 0.99, "{}", sent(0.3));
    assert!(sent(0.7) < 0.1, "{}", sent(0.7));
}
