//! Hedging where nobody waits for anybody: a call takes `min(X, d + Y)`, and one more attempt is made with the chance that
//! `X` exceeds `d`. The numbers are those of a table of closed forms in mean service times.

use brownout_tests::{Runs, edge};
use sim_models::report::Report;
use std::f64::consts::{LN_2, LN_10};

/// Mean 10 ms, and a table of: the delay in ms, copies per call, mean and p99 of what a call takes.
fn agree(work: &str, table: &[(f64, f64, f64, f64)]) {
    for &(delay, copies, mean, p99) in table {
        let nanos = (delay * 1e7).round();
        let text = format!(
            r#"(
                about: "copies where nobody waits",
                model: ServiceGraph(
                    workload: [(to: "db", arrivals: Poisson("1000/s"), policy: "p")],
                    services: {{"db": (workers: Async(100000), work: {work})}},
                    policies: {{"p": (hedge: (after: "{nanos}ns"))}},
                ),
                run: (duration: "100s", warm_up: "10s", window: "30s"),
            )"#
        );
        let runs = Runs::of(&text, 1..=20);
        let latency = |of: fn(&Report) -> Option<u64>| {
            move |report: &Report| of(report).expect("answered") as f64 / 1e7
        };
        let here = format!("{work}, copied after {delay}");
        runs.agree(
            &format!("attempts per call, {here}"),
            |r| edge(r, "users->db").amplification.unwrap(),
            1.0 + copies,
            0.001,
        );
        runs.agree(&format!("mean, {here}"), latency(|r| edge(r, "users->db").latency.mean), mean, 0.005);
        runs.agree(&format!("p99, {here}"), latency(|r| edge(r, "users->db").latency.p99), p99, 0.01);
    }
}

#[test]
fn exponential() {
    let table = [
        (LN_2, 0.5, 0.75, 2.649_158_683),
        (LN_10, 0.1, 0.95, 3.453_877_639),
        (2.995_732_274, 0.05, 0.975, 3.800_451_23),
        (4.605_170_186, 0.01, 0.995, 4.605_170_186),
    ];
    agree(r#"Exponential(mean: "10ms")"#, &table);
}

/// One of a hundred takes a hundred times as long: what hedging is for.
#[test]
fn rarely_very_slow() {
    let table = [
        (0.703_156_564_2, 0.5, 0.769_071_960_2, 2.752_812_587),
        (3.200_980_612, 0.05, 1.015_878_659, 4.144_194_546),
        (7.254_695_336, 0.01, 1.073_397_63, 7.254_695_336),
    ];
    let mixture =
        r#"Mixture([(weight: 99, of: Exponential(mean: "10ms")), (weight: 1, of: Exponential(mean: "1s"))])"#;
    agree(mixture, &table);
}

/// A percentile copies as many as are beyond it, whatever the law, once a window is over.
#[test]
fn a_percentile_copies_a_share_that_is_known() {
    // Beyond the percentile, and beyond what is a sixteenth longer: of an exponential 0.05 to the power of 17/16.
    for (percent, beyond, least, work) in [
        (95.0, 0.05, 0.0414, r#"Exponential(mean: "10ms")"#),
        (90.0, 0.1, 0.043, r#"Uniform(low: "1ms", high: "100ms")"#),
    ] {
        let text = format!(
            r#"(
                about: "copies of the slowest",
                model: ServiceGraph(
                    workload: [(to: "db", arrivals: Poisson("1000/s"), policy: "p")],
                    services: {{"db": (workers: Async(100000), work: {work})}},
                    policies: {{"p": (hedge: (after: Percentile(percent: {percent})))}},
                ),
                run: (duration: "100s", warm_up: "20s", window: "30s"),
            )"#
        );
        let share = |report: &Report| edge(report, "users->db").amplification.unwrap() - 1.0;
        let found = Runs::of(&text, 1..=20).sample(share).mean;
        assert!((least..=beyond * 1.02).contains(&found), "{found} of {beyond} copied");
    }
}
