//! A bulkhead whose calls stand in line, or a pool of connections, is M/M/c with patience, as long as the callee has more workers
//! than there are places.
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

/// The share that ends so, of all calls.
fn share(ending: Ending) -> impl Fn(&Report) -> f64 {
    move |report| {
        let calls = &edge(report, "users->db").calls;
        calls.of(ending) as f64 / calls.started as f64
    }
}

/// A number of the section of what is waited for.
fn told(kind: &'static str, name: &'static str) -> impl Fn(&Report) -> f64 {
    move |report| {
        let section = report.section(kind, "users->db").expect("it is there");
        section.values.get(name).and_then(|value| value.value).expect("somebody waited")
    }
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
                    policies: {{"p": (WHAT)}},
                ),
                run: (duration: "5min", warm_up: "10s", window: "30s"),
            )"#
        );
        let (refused, wait) = patient(rate, places, mean_ms / 1e3, patience_ms / 1e3);
        let bulkhead = format!(r#"bulkhead: (max_concurrent: {places}, max_wait: "{patience_ms}ms")"#);
        let pool = format!(r#"pool: (size: {places}, max_wait: "{patience_ms}ms")"#);
        for (what, kind, ending) in
            [(bulkhead, "bulkheads", Ending::BulkheadFull), (pool, "pools", Ending::PoolFull)]
        {
            let runs = Runs::of(&text.replace("WHAT", &what), 1..=20);
            let here = format!("{rate}/s, {what}");
            runs.agree(&format!("refused, {here}"), share(ending), refused, 0.02);
            runs.agree(&format!("mean wait, {here}"), told(kind, "wait_mean"), wait * 1e9, 0.02);
            // And what the program says beside it is the same.
            for (name, exact) in [("refused", refused), ("line_wait", wait * 1e9)] {
                let beside = runs.reports[0].values.get(name).and_then(|value| value.exact);
                let beside = beside.unwrap_or_else(|| panic!("{here}: nothing beside {name}"));
                assert!((beside / exact - 1.0).abs() < 1e-9, "{here}: {name} is {beside}, not {exact}");
            }
        }
    }
}

/// Without an end to patience: Erlang's delay formula. Of those that wait the wait is exponential with what is left of the rate.
#[test]
fn a_pool_whose_callers_wait_for_ever() {
    for (rate, size, mean_ms) in [(500.0, 60u32, 100.0), (150.0, 2, 10.0), (80.0, 1, 10.0)] {
        let text = format!(
            r#"(
                about: "a pool",
                model: ServiceGraph(
                    workload: [(to: "db", arrivals: Poisson("{rate}/s"), policy: "p")],
                    services: {{"db": (workers: Async(100), work: Exponential(mean: "{mean_ms}ms"))}},
                    policies: {{"p": (pool: (size: {size}))}},
                ),
                run: (duration: "10min", warm_up: "20s", window: "1min"),
            )"#
        );
        let runs = Runs::of(&text, 1..=20);
        let here = format!("{rate}/s, {size} connections");
        let offered = rate * mean_ms / 1e3;
        // The loss formula term by term, and Erlang C from it.
        let mut terms = vec![1.0];
        (1..=size).for_each(|k| terms.push(terms[k as usize - 1] * offered / f64::from(k)));
        let full = terms[size as usize] / (1.0 - offered / f64::from(size));
        let waits = full / (terms[..size as usize].iter().sum::<f64>() + full);
        let waited = |report: &Report| {
            told("pools", "waited")(report) / edge(report, "users->db").calls.started as f64
        };
        runs.agree(&format!("share that waits, {here}"), waited, waits, 0.03);
        let wait = 1e9 / (f64::from(size) / (mean_ms / 1e3) - rate);
        runs.agree(&format!("mean wait, {here}"), told("pools", "wait_mean"), wait, 0.05);
        runs.agree(&format!("in use, {here}"), told("pools", "in_use_mean"), offered, 0.01);
    }
}

/// Connections that live for `T`, less up to a share `j`, are renewed `c / (T (1 - j / 2))` times a second.
#[test]
fn connections_are_renewed_as_often_as_they_die() {
    for (size, jitter) in [(10, 0.0), (10, 0.025), (40, 1.0)] {
        let text = format!(
            r#"(
                about: "renewals",
                model: ServiceGraph(
                    workload: [(to: "db", arrivals: Poisson("1/s"), policy: "p")],
                    services: {{"db": (workers: Async(100), work: "10us")}},
                    policies: {{"p": (pool: (size: {size}, min_idle: {size}, lifetime: "2s", lifetime_jitter: {jitter}))}},
                ),
                run: (duration: "10min", warm_up: "1min", window: "1min"),
            )"#
        );
        let exact = 540.0 * f64::from(size) / (2.0 * (1.0 - jitter / 2.0));
        let runs = Runs::of(&text, 1..=10);
        runs.agree(&format!("opened, {size} with {jitter}"), told("pools", "opened"), exact, 0.01);
    }
}

/// Of uses that lose their connection with probability `q` a pool of `c` has `c / q`, on average: the sum of `c` geometric numbers.
#[test]
fn a_leak_uses_a_pool_up() {
    let text = r#"(
        about: "a leak",
        model: ServiceGraph(
            workload: [(to: "db", arrivals: Constant("100/s"), policy: "p")],
            services: {"db": (workers: Async(100), work: "1ms")},
            policies: {"p": (pool: (size: 20, leak: 0.02, max_waiting: 0))},
        ),
        run: (duration: "1min"),
    )"#;
    let runs = Runs::of(text, 1..=100);
    let used = |report: &Report| edge(report, "users->db").calls.ok() as f64;
    runs.agree("uses", used, 20.0 / 0.02, 0.03);
    runs.each("all are lost", |report| told("pools", "leaked")(report) == 20.0);
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
