//! The first so many of calls that are made at once.

use super::scenes::{MILLI, scene};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

/// One request, and what it calls: what each of the three does after so long, and all of them at once.
fn one(calls: &str, more: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "read", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]))],
               services: {{
                   "read": (workers: Async(9), work: "0s", calls: [{calls}]),
                   "a": (workers: Async(9), work: "10ms"),
                   "b": (workers: Async(9), work: "20ms"),
                   "c": (workers: Async(9), work: "30ms"{more}),
               }},
               policies: {{"p": (cancel: Always), "losers": (cancel: Losers), "again": (retry: Fixed(attempts: 2, delay: "25ms"))}},
               faults: [{faults}]"#
        ),
        "10s",
    )
}

/// What a user waited, the end, and what is told of the step: met, missed, left behind, called off.
fn told(report: &Report) -> (u64, bool, [f64; 4]) {
    let users = report.edges.get("users->read").unwrap();
    let well = users.calls.of(Ending::Ok) == 1;
    assert_eq!(users.calls.started, 1);
    let took = if well { users.latency.max } else { users.latency_failed.max };
    let section = report.section("quorums", "read.calls[0]").expect("it is told");
    let of = |name: &str| section.values.get(name).and_then(|value| value.value).expect("measured");
    (took.unwrap_or(0) / MILLI, well, ["met", "missed", "left_behind", "called_off"].map(of))
}

const ALL: &str = r#"(to: "a"), (to: "b"), (to: "c")"#;

#[test]
fn the_answer_is_as_late_as_the_last_that_is_waited_for() {
    for (wait_for, took, left) in [(1, 10, 2.0), (2, 20, 1.0), (3, 30, 0.0)] {
        let report = one(&format!("Parallel(calls: [{ALL}], wait_for: {wait_for})"), "", "");
        assert_eq!(told(&report), (took, true, [1.0, 0.0, left, 0.0]), "{wait_for}");
        // All work is done, and that of those who were late for nobody.
        for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
            let service = report.services.get(name).unwrap();
            assert_eq!(service.work, (number as u64 + 1) * 10 * MILLI, "{name}");
            assert_eq!(
                service.wasted,
                Some(if number < wait_for { 0.0 } else { 1.0 }),
                "{name} of {wait_for}"
            );
            assert_eq!(report.edges.get(&format!("read->{name}")).unwrap().calls.of(Ending::Ok), 1);
        }
    }
}

/// Whose policy says so is told that nobody waits: if enough were answered, or always.
#[test]
fn who_is_left_behind_is_called_off_where_the_policy_says_so() {
    let of = |policy: &str, fails: &str| {
        let calls = format!(r#"(to: "a"), (to: "b"), (to: "c", policy: "{policy}")"#);
        let calls = format!("Parallel(calls: [{calls}], wait_for: 2)");
        one(&calls, r#", on_cancel: Stop"#, fails)
    };
    let fail = r#"(at: "0s", on: "a", effect: Errors()), (at: "0s", on: "b", effect: Errors())"#;
    for (policy, fails, took, counts, work, end) in [
        ("again", "", 20, [1.0, 0.0, 1.0, 0.0], 30, Ending::Ok),
        ("losers", "", 20, [1.0, 0.0, 0.0, 1.0], 20, Ending::Cancelled),
        ("p", "", 20, [1.0, 0.0, 0.0, 1.0], 20, Ending::Cancelled),
        ("losers", fail, 20, [0.0, 1.0, 1.0, 0.0], 30, Ending::Ok),
        ("p", fail, 20, [0.0, 1.0, 0.0, 1.0], 20, Ending::Cancelled),
    ] {
        let report = of(policy, fails);
        assert_eq!(told(&report), (took, fails.is_empty(), counts), "{policy} {fails}");
        let c = report.services.get("c").unwrap();
        let ended = report.edges.get("read->c").unwrap().calls.of(end);
        assert_eq!((report.services.get("c").unwrap().work / MILLI, ended), (work, 1), "{policy} {fails}");
        assert_eq!(c.called_off, u64::from(end == Ending::Cancelled));
    }
}

/// It fails when enough can no longer come, and not before.
#[test]
fn it_fails_as_soon_as_too_many_have_failed() {
    let error = |on: &str| format!(r#"(at: "0s", on: "{on}", effect: Errors())"#);
    for (fails, wait_for, took, well) in [
        (&["a"][..], 2, 30, true),
        (&["a"], 3, 10, false),
        (&["a", "b"], 1, 30, true),
        (&["a", "b"], 2, 20, false),
        (&["a", "b", "c"], 1, 30, false),
        (&["c"], 3, 30, false),
    ] {
        let faults: Vec<String> = fails.iter().map(|on| error(on)).collect();
        let report = one(&format!("Parallel(calls: [{ALL}], wait_for: {wait_for})"), "", &faults.join(", "));
        let (found, ended, _) = told(&report);
        assert_eq!((found, ended), (took, well), "{fails:?} of {wait_for}");
        let error = report.edges.get("users->read").unwrap().attempts.of(Outcome::Error);
        assert_eq!(error, u64::from(!well), "an error is an answer");
    }
    // Who refuses does so while the others are still being called.
    let down = |on: &str| format!(r#"(at: "0s", on: "{on}", effect: Crash())"#);
    for (fails, took, well) in
        [(["a", "b"], 0, false), (["b", "c"], 0, false), (["a", "a"], 30, true), (["c", "c"], 20, true)]
    {
        let faults = fails.map(down);
        let faults = if fails[0] == fails[1] { faults[0].clone() } else { faults.join(", ") };
        let report = one(&format!("Parallel(calls: [{ALL}], wait_for: 2)"), "", &faults);
        let (found, ended, _) = told(&report);
        assert_eq!((found, ended), (took, well), "{fails:?}");
    }
}

/// What is not called is not waited for, and what is called several times counts as often.
#[test]
fn what_is_made_can_be_waited_for() {
    for (calls, wait_for, took) in [
        (r#"(to: "a"), (to: "b", probability: 0), (to: "c")"#, 2, 30),
        (r#"(to: "a"), (to: "b", probability: 0), (to: "c", probability: 0)"#, 3, 10),
        (r#"(to: "a", probability: 0), (to: "b", probability: 0)"#, 2, 0),
        (r#"(to: "a", times: 2), (to: "b"), (to: "c")"#, 3, 20),
    ] {
        let report = one(&format!("Parallel(calls: [{calls}], wait_for: {wait_for})"), "", "");
        let (found, well, _) = told(&report);
        assert_eq!((found, well), (took, true), "{calls}");
    }
}

/// Who was left behind says nothing to the steps that follow, whenever it ends, and goes on with its retries.
#[test]
fn the_next_step_waits_for_its_own_calls() {
    let calls = r#"Parallel(calls: [(to: "a"), (to: "b"), (to: "c", policy: "again")], wait_for: 1), (to: "b", times: 2)"#;
    let report = one(calls, "", r#"(at: "0s", on: "c", effect: Errors())"#);
    // 10 for the first, then 20 twice; the third fails at 40, and again at 95.
    assert_eq!(told(&report), (50, true, [1.0, 0.0, 2.0, 0.0]));
    let late = report.edges.get("read->c").unwrap();
    assert_eq!((late.attempts.sent, late.latency_failed.max), (2, Some(85 * MILLI)));
    let b = report.services.get("b").unwrap();
    assert_eq!((b.work / MILLI, b.work_wasted / MILLI), (60, 20), "what was late, and what was waited for");
}

/// Closed forms: as many of so many are well, some of them asked only now and then, some twice.
#[test]
fn the_chance_that_enough_are_well() {
    let success = |calls: &str, wait_for: u32| {
        let graph = format!(
            r#"workload: [(to: "read", arrivals: Poisson("100/s"))],
               services: {{
                   "read": (workers: Async(99), work: "0s", calls: [Parallel(calls: [{calls}], wait_for: {wait_for})]),
                   "a": (workers: Async(99), work: "1ms", error_rate: 0.1),
                   "b": (workers: Async(99), work: "1ms", error_rate: 0.1),
                   "c": (workers: Async(99), work: "1ms", error_rate: 0.1),
               }}"#
        );
        let report = scene(&graph, "30s");
        report.values.get("success users->read").and_then(|value| value.exact).expect("known")
    };
    for (calls, wait_for, exact) in [
        (ALL, 1, 0.999),
        (ALL, 2, 0.972),
        (ALL, 3, 0.729),
        // One of two, or of three: 0.99 and 0.999.
        (r#"(to: "a"), (to: "b"), (to: "c", probability: 0.5)"#, 1, 0.9945),
        // All of two if the third is not asked, two of three if it is: 0.81 and 0.972.
        (r#"(to: "a"), (to: "b"), (to: "c", probability: 0.5)"#, 2, 0.891),
        (r#"(to: "a"), (to: "b", times: 2)"#, 2, 0.972),
        (r#"(to: "a"), (to: "b", probability: 0)"#, 2, 0.9),
    ] {
        let found = success(calls, wait_for);
        assert!((found - exact).abs() < 1e-12, "{wait_for} of {calls}: {found}, not {exact}");
    }
}
