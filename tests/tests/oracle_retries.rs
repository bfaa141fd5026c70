//! Retries, budgets, breakers and timeouts against arithmetic: most of it exact to the attempt and the
//! nanosecond.

use brownout_tests::{Runs, SEEDS, edge, run, seconds, service};
use sim_models::policy::{Ending, Outcome};
use sim_models::report::{Report, Section};
use sim_models::theory::{BreakerCycle, RetryLayers};

/// A second of nanoseconds.
const S: u64 = 1_000_000_000;

/// Users above `layers` layers, each calling the next with the policy `p`; the last one fails so often. The
/// calls stop early enough for all of them to end.
fn layers(layers: u32, retries: u32, p_fail: f64, calls_per_sec: u32) -> String {
    let mut services = String::new();
    for layer in 1..layers {
        let next = layer + 1;
        services += &format!(
            "\"layer{layer}\": (workers: Async(1000), work: \"0s\", calls: [(to: \"layer{next}\", policy: \"p\")]),\n        "
        );
    }
    let attempts = retries + 1;
    format!(
        r#"(
    about: "layers of retries",
    model: ServiceGraph(
        workload: [(to: "layer1", policy: "p",
                    arrivals: Steps(steps: [(at: "0s", rate: "{calls_per_sec}/s"), (at: "10s", rate: "0/s")]))],
        services: {{
        {services}"layer{layers}": (workers: Async(1000), work: "1ms", error_rate: {p_fail}),
        }},
        policies: {{"p": (retry: Fixed(attempts: {attempts}))}},
    ),
    run: (duration: "30s"),
)"#
    )
}

/// The edge into the last layer.
fn last_edge(layers: u32) -> String {
    if layers == 1 { "users->layer1".into() } else { format!("layer{}->layer{layers}", layers - 1) }
}

/// `retry_amplification.csv`: if the last layer always fails, (r + 1)^d, to the attempt.
#[test]
fn layers_multiply() {
    for (retries, depth, product) in [(1, 1, 2), (1, 5, 32), (2, 3, 27), (3, 2, 16), (3, 3, 64), (9, 2, 100)]
    {
        let report = run(&layers(depth, retries, 1.0, 5), 1);
        let (users, last) = (edge(&report, "users->layer1"), edge(&report, &last_edge(depth)));
        assert!(users.calls.started > 20 && users.calls.failed() == users.calls.started);
        assert_eq!(last.attempts.sent, users.calls.started * product, "{retries} retries in {depth} layers");
        assert_eq!(RetryLayers { layers: depth, retries }.worst_case(), product as f64);
    }
}

/// `retry_layers_partial.csv`: three layers of one retry hide half of the errors' failures and double the load.
#[test]
fn layers_that_fail_sometimes() {
    for (p_fail, retries, depth, leaf_calls, success) in [
        (0.5, 3, 1, 1.875, 0.9375),
        (0.5, 1, 3, 1.992_187_5, 0.996_093_75),
        (0.9, 1, 3, 5.695_327_9, 0.569_532_79),
        (0.9, 2, 2, 6.125_795_11, 0.612_579_511),
    ] {
        let runs = Runs::of(&layers(depth, retries, p_fail, 200), SEEDS);
        let name = format!("{depth} layers of {retries} retries at {p_fail}");
        let amplification = |report: &Report| {
            let sent = edge(report, &last_edge(depth)).attempts.sent;
            sent as f64 / edge(report, "users->layer1").calls.started as f64
        };
        runs.agree(&format!("{name}: attempts on the leaf"), amplification, leaf_calls, 0.005);
        let ok = |report: &Report| edge(report, "users->layer1").success.expect("calls ended");
        runs.agree(&format!("{name}: success"), ok, success, 0.005);
    }
}

/// Claim C15: a cap of three retries is 4 times the load while everything fails; a budget of 10 % is 1.1
/// times, and the bucket once.
#[test]
fn a_cap_multiplies_and_a_budget_adds() {
    let capped = layers(1, 3, 1.0, 100);
    let report = run(&capped, 1);
    assert_eq!(edge(&report, "users->layer1").amplification, Some(4.0));
    let budgeted = capped.replace("attempts: 4)", "attempts: 4), budget: Ratio(ratio: 0.1, burst: 10)");
    let report = run(&budgeted, 1);
    let users = edge(&report, "users->layer1");
    let exact = 0.1 * users.calls.started as f64 + 10.0;
    assert!((users.attempts.retries as f64 - exact).abs() <= 10.0, "{} for {exact}", users.attempts.retries);
    assert!(users.attempts.retries as f64 <= exact, "more than was paid in");
    // A few calls spent what the bucket held on all of their attempts; all others were refused one.
    assert!(users.calls.failed() - users.attempts.rationed() < 5);
}

/// One service that is down all the time, in front of it this breaker.
fn outage(calls: &str, breaker: &str, duration: &str) -> String {
    format!(
        r#"(
    about: "a breaker before an outage",
    model: ServiceGraph(
        workload: [(to: "down", arrivals: {calls}, policy: "p")],
        services: {{"down": (workers: Async(1000), work: "0s", error_rate: 1)}},
        policies: {{"p": (breaker: {breaker})}},
    ),
    run: (duration: "{duration}", window: "60s"),
)"#
    )
}

/// What is told of its breaker.
fn breakers(report: &Report) -> &Section {
    report.section("breakers", "users->down").expect("there is one")
}

/// Claim E4: a total outage opens the breaker after exactly five calls.
#[test]
fn five_failures_open_it() {
    let report = run(&outage("Constant(\"100/s\")", "Consecutive(failures: 5, open_for: \"30s\")", "29s"), 1);
    let users = edge(&report, "users->down");
    assert_eq!((users.attempts.sent, users.calls.failed()), (5, 5));
    assert_eq!(users.calls.of(Ending::BreakerOpen), users.calls.started - 5);
    assert_eq!(users.calls.never_sent, users.calls.of(Ending::BreakerOpen));
    let changes = &breakers(&report).changes;
    let opened: Vec<_> = changes.iter().map(|change| (change.at, &*change.to)).collect();
    assert_eq!(opened, [(50_000_000, "open")]);
}

/// Claim C17, `breaker_duty_cycle.csv`: h probes per (open time + h gaps) are admitted. A failure-rate
/// breaker waits for all three probes; a consecutive one opens again at the first failure, whatever it
/// would allow.
#[test]
fn duty_cycle() {
    for (breaker, probes) in [
        (
            "FailureRate(threshold: 0.5, minimum_calls: 5, window: Count(5), open_for: \"30s\", probes: 3)",
            3.0,
        ),
        ("Consecutive(failures: 5, open_for: \"30s\", probes: 3)", 1.0),
    ] {
        let text = outage("Poisson(\"10/s\")", breaker, "4h")
            .replace("window: \"60s\"", "warm_up: \"60s\", window: \"60s\"");
        let exact = BreakerCycle { calls_per_sec: 10.0, open_secs: 30.0, probes }.admitted();
        let admitted = |report: &Report| {
            let users = edge(report, "users->down");
            users.attempts.sent as f64 / users.calls.started as f64
        };
        Runs::of(&text, SEEDS).agree(&format!("{breaker}: admitted"), admitted, exact, 0.005);
    }
}

/// `breaker_consecutive.csv`: at 50 % failures, five in a row take 62 calls on average. While it is open
/// nobody calls here, and a probe closes it half of the time: 62 + 2 calls per opening.
#[test]
fn calls_until_five_in_a_row() {
    let text = outage("Constant(\"100/s\")", "Consecutive(failures: 5, open_for: \"1ms\")", "100s")
        .replace("error_rate: 1", "error_rate: 0.5");
    let runs = Runs::of(&text, 1..=60);
    let calls_per_opening = |report: &Report| {
        let users = edge(report, "users->down");
        let breakers = breakers(report);
        assert!(breakers.changes_unlisted == 0 && users.calls.of(Ending::BreakerOpen) == 0);
        let opened = breakers.changes.iter().filter(|change| change.from == "closed").count();
        users.calls.started as f64 / opened as f64
    };
    // A mean of ratios is high by a share of about 1 / openings: 0.6 %.
    runs.agree("calls per opening", calls_per_opening, 64.0, 0.02);
}

/// One call, at 10 s, through a chain of services of which the last hangs.
fn hung(services: &str, policies: &str, to: &str) -> String {
    format!(
        r#"(
    about: "the last service hangs",
    model: ServiceGraph(
        workload: [(to: "{to}", policy: "users",
                    arrivals: Steps(steps: [(at: "0s", rate: "0.1/s"), (at: "11s", rate: "0/s")], spacing: Even))],
        services: {{{services}
            "leaf": (workers: Blocking(10), work: "1000s"),
        }},
        policies: {{{policies}}},
    ),
    run: (duration: "70s"),
)"#
    )
}

/// When attempts were sent, in seconds after the call, from windows of 1 s.
fn sent_at(report: &Report, name: &str) -> Vec<usize> {
    let windows = edge(report, name).windows.attempts.iter().enumerate();
    windows.filter(|(_, n)| **n > 0).flat_map(|(window, &n)| vec![window - 10; n as usize]).collect()
}

/// Claim C14: attempts of 5 s with waits of 1, 2 and 4 s between them and 20 s in all: the fourth would
/// begin at 22 s.
#[test]
fn a_deadline_leaves_room_for_three_attempts() {
    let text = hung(
        "",
        r#""users": (timeout: "5s", deadline: "20s", retry: Exponential(attempts: 4, base: "1s", jitter: None))"#,
        "leaf",
    );
    let report = run(&text, 1);
    let users = edge(&report, "users->leaf");
    assert_eq!(sent_at(&report, "users->leaf"), [0, 6, 13]);
    assert_eq!(
        (users.calls.started, users.calls.of(Ending::Deadline), users.attempts.of(Outcome::TimedOut)),
        (1, 1, 3)
    );
    assert_eq!(users.latency_failed.max, Some(20 * S));
}

/// Claim B14: 30 s above 29 above 25 above 20. If the inner call keeps the 25 s as its deadline, its second
/// attempt is cut off after 5 s and everybody above fails at 25 s. If only the caller has them, the layer
/// below goes on for an answer that nobody waits for.
#[test]
fn a_hierarchy_of_timeouts() {
    let services = |inner: &str| {
        format!(
            r#"
            "gateway": (workers: Blocking(10), work: "0s", calls: [(to: "service", policy: "gateway")]),
            "service": (workers: Blocking(10), work: "0s", calls: [(to: "leaf", policy: "{inner}")]),"#
        )
    };
    let policies = r#"
            "users": (timeout: "30s"),
            "gateway": (timeout: "29s"),
            "gateway25": (timeout: "25s"),
            "twice": (timeout: "20s", retry: Fixed(attempts: 2)),
            "twice25": (timeout: "20s", deadline: "25s", retry: Fixed(attempts: 2)),"#;
    let report = run(&hung(&services("twice25"), policies, "gateway"), 1);
    let leaf = edge(&report, "service->leaf");
    assert_eq!(sent_at(&report, "service->leaf"), [0, 20]);
    assert_eq!((leaf.attempts.of(Outcome::TimedOut), leaf.attempts.of(Outcome::Cancelled)), (1, 1));
    assert_eq!((leaf.calls.of(Ending::Deadline), leaf.latency_failed.max), (1, Some(25 * S)));
    let users = edge(&report, "users->gateway");
    assert_eq!((users.calls.of(Ending::Failed(Outcome::Error)), users.latency_failed.max), (1, Some(25 * S)));

    let text = hung(&services("twice"), policies, "gateway")
        .replace("\"service\", policy: \"gateway\"", "\"service\", policy: \"gateway25\"");
    let report = run(&text, 1);
    let leaf = edge(&report, "service->leaf");
    assert_eq!(sent_at(&report, "service->leaf"), [0, 20]);
    assert_eq!(edge(&report, "users->gateway").latency_failed.max, Some(25 * S));
    assert_eq!((leaf.attempts.of(Outcome::TimedOut), leaf.latency_failed.max), (2, Some(40 * S)));
    // The service's worker was held for 15 s after its caller ended.
    let busy: u64 = service(&report, "service").windows.busy_ns.iter().sum();
    assert_eq!(busy, 40 * S);
}

/// Three layers of 100 threads under 200/s; the leaf becomes 100 times slower after 20 s.
fn threads(policy: &str) -> String {
    format!(
        r#"(
    about: "threads wait for a slow leaf",
    model: ServiceGraph(
        workload: [(to: "gateway", arrivals: Poisson("200/s"))],
        services: {{
            "gateway": (workers: Blocking(100), queue: Fifo(capacity: Unbounded), work: "0s", calls: [(to: "order")]),
            "order": (workers: Blocking(100), queue: Fifo(capacity: Unbounded), work: "0s", calls: [(to: "leaf", {policy})]),
            "leaf": (workers: Blocking(1000), work: "10ms"),
        }},
        policies: {{"quick": (timeout: "250ms")}},
        faults: [(at: "20s", on: "leaf", effect: Slow(factor: 100))],
    ),
    run: (duration: "40s", window: "50ms"),
)"#
    )
}

/// Claim E10: each layer holds lambda W threads, and the layers above inherit W: 100 threads are gone
/// after 100 / 200 s. At 100/s of throughput the rest of the load piles up.
#[test]
fn a_slow_leaf_fills_every_pool_above_it() {
    let even = threads("").replace("Poisson", "Constant").replace("50ms", "10ms");
    let report = run(&even, 1);
    for pool in ["gateway", "order"] {
        let busy = &service(&report, pool).windows.busy_ns;
        let full = busy.iter().position(|&busy| busy == 100 * S / 100).expect("the pool fills");
        assert!((2_050..=2_052).contains(&full), "{pool} is full after window {full}, not 0.5 s after 20 s");
    }
    let runs = Runs::of(&threads(""), SEEDS);
    runs.each("the leaf answers 100 in 1 s", |report| {
        let ok = &edge(report, "order->leaf").windows.ok;
        ok[ok.len() - 200..].iter().sum::<u64>().abs_diff(1_000) <= 100
    });
    runs.each("the queue grows by 100/s", |report| {
        service(report, "gateway").queue_max.abs_diff(1_950) <= 200
    });
}

/// Claim E11: a timeout bounds what a pool holds at lambda times timeout, here 50 of 100; nothing starves,
/// though nothing is answered either.
#[test]
fn a_timeout_bounds_the_pools() {
    let text =
        threads("policy: \"quick\"").replace("duration: \"40s\"", "duration: \"60s\", warm_up: \"21s\"");
    let runs = Runs::of(&text, SEEDS);
    let held = |report: &Report| service(report, "order").utilisation * 100.0;
    runs.agree("threads held", held, 200.0 * 0.25, 0.01);
    runs.each("nobody waits for a thread", |report| service(report, "gateway").wait_mean == Some(0));
    runs.each("all fail in 250 ms", |report| {
        let users = edge(report, "users->gateway");
        users.calls.ok() == 0 && (seconds(users.latency_failed.max) - 0.25).abs() < 1e-9
    });
}
