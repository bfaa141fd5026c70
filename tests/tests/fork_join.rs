//! Calls made at once, one of which fails: the request fails at once, or when all have ended, and what is still out is
//! work for nobody.

use brownout_tests::{Runs, SEEDS, edge, resolve, run, seconds, service};
use sim_models::policy::{Ending, Outcome};
use sim_models::report::Report;

/// The two ways to say when a request fails.
const WAYS: [&str; 2] = ["AtEnd", "Fast"];

const MILLI: u64 = 1_000_000;

/// A front that takes no time, and what it calls at once.
fn graph(arrivals: &str, calls: &str, fail: &str, services: &str, more: &str) -> String {
    format!(
        r#"(about: "fork and join", model: ServiceGraph(
            workload: [(to: "front", arrivals: {arrivals}, policy: "user")],
            services: {{"front": (workers: Blocking(999), work: "0s", calls: [Parallel(calls: [{calls}], fail: {fail}), (to: "after")]),
                        "after": (workers: Async(999), work: "0s"), {services}}},
            policies: {{"user": (timeout: "1h")}}, {more}),
        run: (duration: "100s", warm_up: "0s"))"#
    )
}

const ONE_A_SECOND: &str = r#"Constant("1/s")"#;

const BAD: &str = r#""bad": (workers: Async(999), work: "10ms", error_rate: 1)"#;

/// Of a hundred requests the last is out when the run ends.
fn users(report: &Report) -> (u64, u64, [Option<u64>; 2]) {
    let users = edge(report, "users->front");
    (users.calls.ok(), users.calls.failed(), [users.latency_failed.mean, users.latency_failed.max])
}

#[test]
fn who_fails_fast_does_not_wait_for_the_slow_branch() {
    let services = format!(r#"{BAD}, "slow": (workers: Async(999), work: "1s")"#);
    for (calls, takes) in [
        (r#"(to: "bad"), (to: "slow")"#, [1_000, 10]),
        (r#"(to: "slow"), (to: "bad")"#, [1_000, 10]),
        (r#"(to: "slow", times: 3), (to: "bad", times: 3)"#, [1_000, 10]),
        // What it can do without does not end it, whatever it takes.
        (r#"(to: "bad", optional: true), (to: "bad", network: "20ms"), (to: "slow")"#, [1_000, 50]),
    ] {
        for (fail, millis) in WAYS.into_iter().zip(takes) {
            let report = run(&graph(ONE_A_SECOND, calls, fail, &services, ""), 1);
            let (ok, failed, times) = users(&report);
            assert!(ok == 0 && failed >= 98, "{fail}: {calls}: {ok} ok, {failed} failed");
            assert_eq!(times, [Some(millis * MILLI); 2], "{fail}: {calls}");
            // All of them are made, and all end: none is cut off.
            for site in edge_names(&report, "front->") {
                let site = edge(&report, &site);
                assert!(site.attempts.of(Outcome::Cancelled) == 0 && site.calls.in_flight() <= 6);
            }
            assert_eq!(edge(&report, "front->after").calls.started, 0);
            // The worker that waited is free again as soon as the request has failed.
            let busy = service(&report, "front").utilisation * 999.0;
            assert!((busy - millis as f64 / 1e3).abs() < 0.02, "{fail}: {busy} workers wait");
            // Of the slow branch nobody has anything, if nobody waited for it.
            let slow = service(&report, "slow");
            assert_eq!(slow.wasted, Some(if fail == "Fast" { 1.0 } else { 0.0 }), "{fail}: {calls}");
            let vain = report.summary.wasted.expect("work") + report.summary.in_vain.expect("work");
            assert!((vain - 1.0).abs() < 1e-9, "{fail}: {calls}: {vain}");
        }
    }
}

/// The answer that the request has failed is on its way while the slow branch answers: that is too late already.
#[test]
fn nobody_waits_for_a_branch_once_the_request_has_failed() {
    let services = format!(r#"{BAD}, "slow": (workers: Async(999), work: "500ms")"#);
    for (fail, wasted) in WAYS.into_iter().zip([0.0, 1.0]) {
        let text =
            graph(ONE_A_SECOND, r#"(to: "bad"), (to: "slow")"#, fail, &services, r#"network: "600ms""#);
        assert_eq!(service(&run(&text, 1), "slow").wasted, Some(wasted), "{fail}");
    }
}

fn edge_names(report: &Report, start: &str) -> Vec<String> {
    report.edges.iter().map(|(name, _)| name.to_owned()).filter(|name| name.starts_with(start)).collect()
}

#[test]
fn without_a_word_it_is_at_the_end_and_the_digest_is_the_same() {
    let services = format!(r#"{BAD}, "slow": (workers: Async(999), work: "1s")"#);
    let said = graph(ONE_A_SECOND, r#"(to: "bad"), (to: "slow")"#, "AtEnd", &services, "");
    let report = run(&said, 1);
    for other in [
        said.replace(", fail: AtEnd", ""),
        said.replace("calls: [(to: \"bad", "[(to: \"bad").replace(", fail: AtEnd", ""),
    ] {
        assert_eq!(run(&other, 1).digest, report.digest, "{other}");
    }
    assert_ne!(run(&said.replace("AtEnd", "Fast"), 1).digest.i, report.digest.i);
    // It is a value like any other, and stays when the file is written out.
    let fast = said.replace("AtEnd", "Fast");
    let set = resolve(&said, None).canonical.to_string();
    assert!(!set.contains("fail:"), "{set}");
    let written = resolve(&fast, None).canonical.to_string();
    assert_eq!(run(&written, 1).digest, run(&fast, 1).digest, "{written}");
}

/// A branch that was refused before the others were made ends the request after they were made.
#[test]
fn whoever_is_refused_at_once_has_made_the_other_calls() {
    let services = r#""narrow": (workers: Async(1), queue: Fifo(capacity: 0), work: "10s"), "slow": (workers: Async(999), work: "100ms")"#;
    let calls = r#"(to: "narrow"), (to: "slow")"#;
    let report = run(&graph(ONE_A_SECOND, calls, "Fast", services, ""), 1);
    let failed = edge(&report, "users->front");
    assert_eq!((failed.calls.failed(), failed.latency_failed.max), (89, Some(0)));
    let slow = edge(&report, "front->slow");
    assert_eq!(slow.calls.started, failed.calls.started);
    assert_eq!(slow.calls.of(Ending::Ok), 99);
}

/// Retries of what is out go on, and the caller that crashes ends them; either way nothing is left behind, which the
/// laws of the model check at the end of each run.
#[test]
fn what_is_out_goes_on_until_it_ends_or_its_caller_crashes() {
    let calls = r#"(to: "bad"), (to: "flaky", policy: "again")"#;
    let services = format!(r#"{BAD}, "flaky": (workers: Async(999), work: "20ms", error_rate: 1)"#);
    let tries = |more: &str| {
        let text = graph(ONE_A_SECOND, calls, "Fast", &services, more).replace(
            "(timeout: \"1h\")",
            "(timeout: \"1h\"), \"again\": (retry: Fixed(attempts: 5, delay: \"50ms\"))",
        );
        let report = run(&text, 1);
        let flaky = edge(&report, "front->flaky");
        (flaky.attempts.sent, flaky.calls.of(Ending::Cancelled))
    };
    assert_eq!(tries(""), (99 * 5, 0));
    // After 100 ms two of the five tries have been made; the request failed long before.
    let crash = |callers: &str| {
        tries(&format!(
            r#"faults: [(at: "50100ms", for: "10ms", on: "front", effect: Crash(callers: {callers}))]"#
        ))
    };
    assert_eq!((crash("Reset"), crash("Silence")), ((98 * 5 + 2, 1), (98 * 5 + 2, 1)));
}

/// Two branches of exponential work with mean m that fail with probability p each. Of those that fail, both fail with
/// probability p / (2 - p), and then the sooner counts: m / 2; else the one that fails: m. Without haste the later of
/// the two counts, failing or not, as it does for those that end well: 3 m / 2.
#[test]
fn fork_and_join_of_exponentials() {
    let (mean, p) = (0.1, 0.3);
    let both = p / (2.0 - p);
    for (fail, expected) in [("Fast", both * mean / 2.0 + (1.0 - both) * mean), ("AtEnd", 1.5 * mean)] {
        let branch = r#"(workers: Async(999), work: Exponential(mean: "100ms"), error_rate: 0.3)"#;
        let text = graph(
            r#"Poisson("100/s")"#,
            r#"(to: "left"), (to: "right")"#,
            fail,
            &format!(r#""left": {branch}, "right": {branch}"#),
            "",
        );
        let runs = Runs::of(&text, SEEDS);
        let users = |report: &Report| edge(report, "users->front").clone();
        runs.agree("time to fail", |report| seconds(users(report).latency_failed.mean), expected, 0.01);
        runs.agree("time to succeed", |report| seconds(users(report).latency.mean), 1.5 * mean, 0.01);
        runs.agree("success", |report| users(report).success.expect("measured"), (1.0 - p) * (1.0 - p), 0.01);
    }
}

/// Whether it is told.
#[test]
fn explain_says_which() {
    let services = format!(r#"{BAD}, "slow": (workers: Async(999), work: "1s")"#);
    for (fail, words) in
        WAYS.into_iter().zip(["when all of them have ended", "at once, and the others go on"])
    {
        let text = graph(ONE_A_SECOND, r#"(to: "bad"), (to: "slow")"#, fail, &services, "");
        let resolved = resolve(&text, None);
        let notes = resolved.model.explain(&resolved.run).notes;
        assert!(notes.iter().any(|note| note.contains(words)), "{fail}: {notes:?}");
    }
}
