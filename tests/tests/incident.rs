//! An incident in numbers: before, during and after what went wrong. Every right value here follows from what is written in the
//! experiment, without luck.

use brownout_tests::run;
use sim_models::report::{Metric, Report, Stretch};

const MS: f64 = 1e6;

/// A hundred calls a second, evenly, of 9 ms each and workers for all of them; what happens from 60 s to 90 s of 120.
fn even(fault: &str, more: &str) -> String {
    format!(
        r#"(about: "", model: ServiceGraph(
            workload: [(to: "shop", arrivals: Constant("100/s"){more})],
            services: {{"shop": (workers: Async(100), queue: Fifo(capacity: Unbounded), work: "9ms")}},
            faults: [(at: "60s", for: "30s", on: "shop", effect: {fault})],
        ), run: (duration: "2min", warm_up: "10s", seed: 1))"#
    )
}

#[track_caller]
fn number(report: &Report, path: &str) -> f64 {
    match report.metric(path) {
        Ok(Metric::Number(number, _)) => number,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn what_is_lost_is_lost_during_the_fault() {
    let report = run(&even("Errors()", ""), 1);
    for (path, during) in [
        ("success", [1.0, 0.0, 1.0]),
        ("goodput", [100.0, 0.0, 100.0]),
        ("offered", [100.0; 3]),
        ("lost", [0.0, 3_000.0, 0.0]),
        ("error_budget", [0.0, 30e9, 0.0]),
        (r#"edges["users->shop"].calls.started"#, [5_000.0, 3_000.0, 3_000.0]),
    ] {
        for (stretch, expected) in Stretch::ALL.into_iter().zip(during) {
            assert_eq!(
                number(&report, &format!("{path} during {stretch}")),
                expected,
                "{path} during {stretch}"
            );
        }
    }
}

/// Calls are of the stretch in which they began: together the stretches are the run, call by call.
#[test]
fn the_stretches_are_the_whole() {
    let report = run(
        &even("Slow(factor: 40)", r#", policy: "p""#)
            .replace("faults:", r#"policies: {"p": (timeout: "100ms")}, faults:"#),
        1,
    );
    let parts: Vec<Report> = Stretch::ALL.iter().filter_map(|stretch| report.stretch(*stretch)).collect();
    assert_eq!(parts.len(), 3);
    let whole = &report.edges.0[0].1;
    let sum = |of: fn(&Report) -> u64| parts.iter().map(of).sum::<u64>();
    assert_eq!(sum(|part| part.edges.0[0].1.calls.started), whole.calls.started);
    assert_eq!(sum(|part| part.edges.0[0].1.calls.ok()), whole.calls.ok());
    assert_eq!(sum(|part| part.edges.0[0].1.calls.failed()), whole.calls.failed());
    assert_eq!(sum(|part| part.edges.0[0].1.latency.count), whole.latency.count);
    assert_eq!(sum(|part| part.edges.0[0].1.attempts.sent), whole.attempts.sent);
    assert!(whole.calls.failed() > 2_900, "nobody waits for 400 ms");
}

/// Work of 218 ms three times as slow is 654 ms, and shown as such: windows would say 655.3.
#[test]
fn percentiles_of_a_stretch_are_exact() {
    let report = run(&even("Slow(factor: 3)", "").replace("9ms", "218ms"), 1);
    for (stretch, expected) in [("before", 218.0), ("fault", 654.0), ("after", 218.0)] {
        for path in ["p50", "response.p50", r#"edges["users->shop"].latency.p50"#] {
            let found = number(&report, &format!("{path} during {stretch}")) / MS;
            assert!(
                (found / expected - 1.0).abs() <= 0.001,
                "{path} during {stretch}: {found} ms, not {expected}"
            );
        }
    }
}

/// Half of the calls fail: half of all response times is longer than any answer.
#[test]
fn whoever_got_no_answer_waited_longer_than_any() {
    let report = run(&even("Errors(probability: 0.6)", ""), 1);
    assert!((number(&report, "response.p50 during before") / MS - 9.0).abs() < 0.01);
    assert!((number(&report, "p99 during fault") / MS - 9.0).abs() < 0.01, "of the survivors");
    assert_eq!(number(&report, "response.p50 during fault"), f64::INFINITY);
    assert_eq!(number(&report, "response.p99"), f64::INFINITY, "18 of 110 s are worse than that");
    assert!((number(&report, "response.p50") / MS - 9.0).abs() < 0.01);
}

/// Every request asks two others at once, of which one fails half of the time: whatever was done for those that failed was in vain,
/// though nobody had gone.
#[test]
fn what_a_refused_sibling_spoils_is_in_vain() {
    let text = |errors: f64| {
        format!(
            r#"(about: "", model: ServiceGraph(
                workload: [(to: "gateway", arrivals: Constant("50/s"))],
                services: {{
                    "gateway": (workers: Async(64), queue: Fifo(capacity: Unbounded), work: "2ms",
                                calls: [Parallel([(to: "db"), (to: "stock")])]),
                    "db": (workers: Async(64), queue: Fifo(capacity: Unbounded), work: "20ms"),
                    "stock": (workers: Async(64), queue: Fifo(capacity: Unbounded), work: "1ms", error_rate: {errors}),
                }},
            ), run: (duration: "2min", warm_up: "10s", seed: 1))"#
        )
    };
    for errors in [0.0, 0.5, 1.0] {
        let report = run(&text(errors), 1);
        let (vain, success) = (number(&report, "in_vain"), number(&report, "success"));
        assert!((success - (1.0 - errors)).abs() < 0.02, "{success}");
        // Every request takes the same work: 23 ms. Those in hand at both ends are the difference.
        assert!((vain - (1.0 - success)).abs() < 0.002, "{errors}: {vain} in vain, {success} succeed");
        assert_eq!(number(&report, "wasted"), 0.0, "nobody gave up");
    }
}

/// A try that fails was in vain also where the next one succeeds.
#[test]
fn a_failed_try_is_in_vain() {
    let text = r#"(about: "", model: ServiceGraph(
        workload: [(to: "db", arrivals: Constant("50/s"), policy: "p")],
        services: {"db": (workers: Async(64), queue: Fifo(capacity: Unbounded), work: "20ms", error_rate: 0.25)},
        policies: {"p": (retry: Fixed(attempts: 10))},
    ), run: (duration: "5min", seed: 1))"#;
    let report = run(text, 1);
    let attempts = &report.edges.0[0].1.attempts;
    let failed = attempts.ended.all().find(|(_, key, _)| *key == "error").expect("errors").2;
    let vain = number(&report, "in_vain");
    assert!((vain - failed as f64 / attempts.sent as f64).abs() < 0.001, "{vain}");
    assert!((vain - 0.25).abs() < 0.01, "a quarter of all tries fail: {vain}");
}

/// Three layers of four tries, of which none succeeds: 64 attempts at the bottom for each call of a user.
#[test]
fn amplification_is_per_call_of_a_user() {
    let layer = |name: &str, next: &str| {
        format!(
            r#""{name}": (workers: Async(1000), queue: Fifo(capacity: Unbounded), work: "1ms", calls: [(to: "{next}", policy: "p")])"#
        )
    };
    let text = format!(
        r#"(about: "", model: ServiceGraph(
            workload: [(to: "a", arrivals: Constant("10/s"), policy: "p")],
            services: {{{}, {}, "c": (workers: Async(1000), queue: Fifo(capacity: Unbounded), work: "1ms", error_rate: 1)}},
            policies: {{"p": (retry: Fixed(attempts: 4))}},
        ), run: (duration: "1min", seed: 1))"#,
        layer("a", "b"),
        layer("b", "c"),
    );
    let report = run(&text, 1);
    let close = |path: &str, expected: f64| {
        let found = number(&report, path);
        assert!((found / expected - 1.0).abs() < 0.01, "{path}: {found}, not {expected}");
    };
    close("amplification", 64.0);
    close(r#"edges["b->c"].per_user_call"#, 64.0);
    close(r#"edges["b->c"].amplification"#, 4.0);
}

/// A breaker that opens for good refuses all but a few calls: that is no thrift.
#[test]
fn calls_that_were_never_sent_earn_no_credit() {
    let text = even("Errors()", r#", policy: "p""#).replace(
        "faults:",
        r#"policies: {"p": (retry: Fixed(attempts: 2), breaker: Consecutive(failures: 5, open_for: "1h"))}, faults:"#,
    );
    let report = run(&text, 1);
    let calls = &report.edges.0[0].1.calls;
    assert!(calls.never_sent > 5_000, "{calls:?}");
    let found = number(&report, "amplification");
    assert!((1.0..1.01).contains(&found), "{found}");
    let fault = number(&report, "amplification during fault");
    assert!((1.0..=2.0).contains(&fault), "{fault}");
    // Windows know it too: in the first second a few are tried, and later nobody is.
    let begin = number(&report, "amplification during 60s..61s");
    assert!((1.0..=2.0).contains(&begin), "{begin}");
    assert_eq!(report.metric("amplification during 91s..120s"), Ok(Metric::Absent));
}

/// More comes than is served, from the beginning: what began before the measurement is told.
#[test]
fn what_was_in_hand_before_is_told() {
    let text = even("Slow(factor: 1)", "").replace("Async(100)", "Async(1)").replace("9ms", "20ms");
    let report = run(&text, 1);
    let calls = &report.edges.0[0].1.calls;
    // Fifty of a hundred a second are served: 500 are out after 10 s, and 6,000 after two minutes.
    let close = |found: u64, expected: u64| assert!(found.abs_diff(expected) <= 2, "{found}, not {expected}");
    close(calls.in_hand_before, 500);
    close(calls.in_hand_before + calls.started - calls.ok(), 6_000 + 500);
    close(calls.in_flight(), 6_000);
}
