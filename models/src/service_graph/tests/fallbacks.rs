//! What stands in for calls that have failed.

use super::scenes::{MILLI, scene};
use crate::policy::Ending;
use crate::report::Report;

/// A shop that asks a service for prices, and what that does.
fn shop(calls: &str, more: &str, run: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "web", arrivals: Constant("10/s"))],
               services: {{
                   "web": (workers: Async(99), work: "0s", calls: [(to: "shop")]),
                   "shop": (workers: Async(99), work: "1ms", calls: [{calls}]),
                   "prices": (workers: Async(99), work: "10ms"),
                   "other": (workers: Async(99), work: "30ms"),
               }},
               policies: {{
                   "again": (retry: Fixed(attempts: 2)),
                   "hasty": (timeout: "5ms"),
                   "broken": (breaker: Consecutive(failures: 1, open_for: "1h")),
                   "full": (bulkhead: (max_concurrent: 1)),
                   "late": (deadline: "7ms"),
               }},
               {more}"#
        ),
        run,
    )
}

fn of(report: &Report, kind: &str, at: &str, name: &str) -> f64 {
    let section = report.section(kind, at).unwrap_or_else(|| panic!("no {kind} at {at}"));
    section.values.get(name).and_then(|value| value.value).unwrap_or(f64::NAN)
}

/// Share of good answers to users, and of degraded ones among them.
fn users(report: &Report) -> (f64, f64) {
    let success = report.edges.get("users->web").unwrap().success.unwrap();
    (success, of(report, "degraded", "users->web", "share"))
}

const DOWN: &str = r#"faults: [(at: "0s", on: "prices", effect: Crash())]"#;
const ERRORS: &str = r#"faults: [(at: "0s", on: "prices", effect: Errors())]"#;

/// Whatever it fails of: the request goes on when all else was tried.
#[test]
fn a_default_stands_in_whatever_the_call_failed_of() {
    for (policy, faults, millis, end) in [
        ("again", ERRORS, 21, Ending::FAILED),
        ("again", DOWN, 1, Ending::FAILED),
        ("hasty", "", 6, Ending::FAILED),
        ("late", "", 8, Ending::Deadline),
        ("broken", ERRORS, 1, Ending::BreakerOpen),
    ] {
        let call = format!(r#"(to: "prices", policy: "{policy}", fallback: Default)"#);
        let report = shop(&call, faults, "20s");
        assert_eq!(users(&report), (1.0, 1.0), "{policy}");
        let edge = report.edges.get("users->web").unwrap();
        assert_eq!(edge.latency.p50.map(|p50| p50 / MILLI), Some(millis), "{policy}");
        let inner = report.edges.get("shop->prices").unwrap();
        let ended = if end == Ending::FAILED { inner.calls.failed() } else { inner.calls.of(end) };
        assert!(ended >= 195, "{policy}: {:?}", inner.calls.ended);
        let section = |name| of(&report, "fallbacks", "shop->prices", name);
        let failed = inner.calls.failed() as f64 + inner.calls.of(Ending::Deadline) as f64;
        assert!(section("failed") >= 195.0 && section("failed") >= failed, "{policy}");
        assert_eq!(section("stood_in_share"), 1.0);
        // Without it nobody is served.
        let plain = shop(&call.replace(", fallback: Default", ""), faults, "20s");
        assert_eq!(plain.edges.get("users->web").unwrap().success, Some(0.0), "{policy}");
        assert!(
            plain.section("degraded", "users->web").is_none()
                && plain.section("fallbacks", "shop->prices").is_none()
        );
    }
}

/// Among calls that are made at once, or repeated, it is as if the call had ended well.
#[test]
fn a_request_goes_on_as_if_the_call_had_ended_well() {
    for (calls, millis) in [
        (r#"(to: "prices", times: 3, fallback: Default), (to: "other")"#, 61),
        (r#"Parallel(calls: [(to: "prices", fallback: Default), (to: "other")], fail: Fast)"#, 31),
        (r#"Parallel([(to: "prices", times: 2, fallback: Default), (to: "other")])"#, 31),
    ] {
        let report = shop(calls, ERRORS, "20s");
        assert_eq!(users(&report), (1.0, 1.0), "{calls}");
        assert_eq!(
            report.edges.get("users->web").unwrap().latency.p50.map(|p50| p50 / MILLI),
            Some(millis),
            "{calls}"
        );
    }
    // A request that has failed by another call is past help.
    let calls = r#"Parallel(calls: [(to: "other", policy: "hasty"), (to: "prices", fallback: Default)])"#;
    let report = shop(calls, ERRORS, "20s");
    assert_eq!(report.edges.get("users->web").unwrap().success, Some(0.0));
    assert_eq!(of(&report, "fallbacks", "shop->prices", "stood_in"), 0.0);
}

/// Answers are degraded while something stands in, and no longer: places are used again.
#[test]
fn an_answer_is_degraded_that_something_stood_in_for() {
    let report = shop(
        r#"(to: "prices", fallback: Default)"#,
        r#"faults: [(at: "5050ms", for: "10s", on: "prices", effect: Crash())]"#,
        "30s",
    );
    assert_eq!(of(&report, "degraded", "users->web", "answers"), 100.0);
    // What nobody waits for is in no answer.
    let aside = r#"workload: [(to: "web", arrivals: Constant("10/s"))],
        services: {
            "web": (workers: Async(9), work: "0s", calls: [(to: "shop", wait: false), (to: "shop", probability: 0.5)]),
            "shop": (workers: Async(9), work: "1ms", calls: [(to: "prices", fallback: Default)]),
            "prices": (workers: Async(9), work: "1ms", error_rate: 1),
        }"#;
    let report = scene(aside, "100s");
    let (success, share) = users(&report);
    assert!(success == 1.0 && (share - 0.5).abs() < 0.06, "{share}");
}

/// It stands in as long as it is young enough; what failed before there was any is not helped.
#[test]
fn the_last_good_answer_stands_in_for_so_long() {
    let calls = r#"(to: "prices", fallback: Stale(max_age: "3s"))"#;
    let down = r#"faults: [(at: "10050ms", for: "10s", on: "prices", effect: Crash())]"#;
    let report = shop(calls, down, "30s");
    // Asked at 10.001, answered at 10.011; those of 10.1 to 13.0 are asked at 10.101 to 13.001.
    assert_eq!(of(&report, "fallbacks", "shop->prices", "failed"), 100.0);
    assert_eq!(of(&report, "fallbacks", "shop->prices", "stood_in"), 30.0);
    assert_eq!(report.edges.get("users->web").unwrap().calls.failed(), 70);
    // Nothing was answered yet.
    let report = shop(calls, DOWN, "30s");
    assert_eq!(of(&report, "fallbacks", "shop->prices", "stood_in"), 0.0);
    // Whoever restarts has forgotten.
    let restarted = r#"faults: [(at: "10050ms", for: "10s", on: "prices", effect: Crash()), (at: "11060ms", for: "1ms", on: "shop", effect: Crash())]"#;
    let report = shop(calls, restarted, "30s");
    assert_eq!(of(&report, "fallbacks", "shop->prices", "stood_in"), 10.0);
}

/// Another service is asked, which takes its time and may fail as well.
#[test]
fn another_service_stands_in() {
    let calls = |more: &str| {
        format!(r#"(to: "prices", policy: "again", {more}fallback: Call(to: "other", policy: "again"))"#)
    };
    let report = shop(&calls(""), ERRORS, "20s");
    assert_eq!(users(&report), (1.0, 1.0));
    let edge = |report: &Report, name: &str| report.edges.get(name).unwrap().clone();
    assert_eq!(
        edge(&report, "users->web").latency.p50.map(|p50| p50 / MILLI),
        Some(51),
        "two tries, then another"
    );
    assert!(edge(&report, "shop->other").calls.of(Ending::Ok) >= 199);
    assert_eq!(edge(&shop(&calls(""), "", "20s"), "shop->other").calls.started, 0, "only who fails asks");
    let both =
        r#"faults: [(at: "0s", on: "prices", effect: Errors()), (at: "0s", on: "other", effect: Errors())]"#;
    let report = shop(&calls(""), both, "20s");
    assert_eq!(edge(&report, "users->web").success, Some(0.0));
    assert_eq!(edge(&report, "users->web").latency_failed.p50.map(|p50| p50 / MILLI), Some(81));
    let report = shop(&calls("optional: true, "), both, "20s");
    assert_eq!(edge(&report, "users->web").success, Some(1.0), "it can do without");
    assert_eq!(users(&report).1, 0.0, "what was to stand in has failed as well: nothing did");
    assert_eq!(of(&report, "fallbacks", "shop->prices", "stood_in_share"), 1.0, "though it was asked to");
}

/// Closed forms of what users get, and of how much of it is degraded.
#[test]
fn theory_knows_what_stands_in() {
    let of = |calls: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "web", arrivals: Poisson("200/s"))],
                   services: {{
                       "web": (workers: Async(99), work: "0s", error_rate: 0.05, calls: [(to: "shop", policy: "again")]),
                       "shop": (workers: Async(99), work: "1ms", error_rate: 0.1, calls: [{calls}]),
                       "prices": (workers: Async(99), work: "1ms", error_rate: 0.2),
                       "other": (workers: Async(99), work: "1ms", error_rate: 0.3),
                   }},
                   policies: {{"again": (retry: Fixed(attempts: 2))}}"#
            ),
            "200s",
        );
        ["success users->web", "degraded users->web"].map(|name| {
            let Some(value) = report.values.get(name) else { return f64::NAN };
            let (Some(found), Some(exact)) = (value.value, value.exact) else { return f64::NAN };
            assert!((found - exact).abs() < 0.012, "{name} of {calls}: {found}, not {exact}");
            exact
        })
    };
    // A request of the shop ends well with the chance ok; the web's, which tries again, with 1 - (1 - ok)^2.
    let success = |ok: f64| 0.95 * (1.0 - (1.0 - ok) * (1.0 - ok));
    for (calls, ok, degraded) in [
        (r#"(to: "prices", fallback: Default)"#, 0.9, 0.2),
        (r#"(to: "prices", times: 2, fallback: Default)"#, 0.9, 0.36),
        (r#"(to: "prices", policy: "again", fallback: Default)"#, 0.9, 0.04),
        (r#"(to: "prices", probability: 0.5, fallback: Default), (to: "other", optional: true)"#, 0.9, 0.1),
        (r#"(to: "prices", fallback: Default), (to: "other")"#, 0.63, 0.2),
        (r#"(to: "prices", fallback: Call(to: "other"))"#, 0.9 * 0.94, 1.0 - 0.8 / 0.94),
        // Something did stand in where the first failed and the other did not.
        (r#"(to: "prices", optional: true, fallback: Call(to: "other"))"#, 0.9, 0.2 * 0.7),
    ] {
        let [found, share] = of(calls);
        assert!((found - success(ok)).abs() < 1e-9, "{calls}: {found}, not {}", success(ok));
        assert!((share - degraded).abs() < 1e-9, "{calls}: {share}, not {degraded}");
    }
    assert!(of(r#"(to: "prices", fallback: Stale(max_age: "1s"))"#)[0].is_nan(), "nobody knows");
    let [found, share] = of(r#"(to: "prices", optional: true, fallback: Stale(max_age: "1s"))"#);
    assert!((found - success(0.9)).abs() < 1e-9, "whatever stands in: {found}");
    assert!(share.is_nan(), "how often there is a last answer that can stand in nobody knows: {share}");
}
