//! Scenes in which a fault strikes some requests of a replica and spares the rest. What stands here without a tolerance can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

/// Ten calls a second of `web`, and as many of `batch`, each half a period later, the last of them at 9.95 s: 99 and 100.
const TWO: &str = r#"
    (name: "web", to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "9990ms", rate: "0/s")]), policy: "p"),
    (name: "batch", to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "9990ms", rate: "0/s")]), policy: "p"),
"#;

fn desk(workload: &str, policy: &str, db: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [{workload}],
               services: {{
                   "shop": (workers: Async(999), work: "0s", calls: [(to: "db", policy: "p")]),
                   "db": (workers: Async(999), work: "10ms", {db}),
               }},
               policies: {{"p": ({policy})}}, faults: [{faults}]"#
        ),
        "20s",
    )
}

fn ended(report: &Report, edge: &str, as_: Ending) -> u64 {
    report.edges.get(edge).expect("an edge").calls.of(as_)
}

fn success(report: &Report, edge: &str) -> f64 {
    report.edges.get(edge).and_then(|edge| edge.success).expect("calls ended")
}

/// Whose a request is the second service knows as well as the first; and of what is upon some the others know nothing.
#[test]
fn one_workload_is_struck_and_the_other_is_not() {
    let of = |effect: &str, requests: &str| {
        let faults = format!(r#"(at: "0s", on: "db", effect: {effect}, requests: ({requests}))"#);
        desk(TWO, r#"timeout: "500ms""#, "", &faults)
    };
    let well = |report: &Report| ["web->shop", "batch->shop"].map(|edge| ended(report, edge, Ending::Ok));
    assert_eq!(well(&of("Errors()", r#"only_from: ["web"]"#)), [0, 99]);
    assert_eq!(well(&of("Errors()", r#"only_from: ["batch"]"#)), [99, 0]);
    assert_eq!(well(&of("BlackHole", r#"only_from: ["web"]"#)), [0, 99]);
    let hole = of("BlackHole", r#"only_from: ["web"]"#);
    let lost = hole.edges.get("shop->db").unwrap();
    assert_eq!((lost.attempts.of(Outcome::TimedOut), lost.attempts.of(Outcome::Ok)), (99, 99));
    // What takes 10 ms takes 70.
    let slow = of("Slow(factor: 7)", r#"only_from: ["web"]"#);
    let latency = |edge: &str| {
        let latency = &slow.edges.get(edge).unwrap().latency;
        (latency.mean, latency.max)
    };
    assert_eq!(latency("web->shop"), (Some(70 * MILLI), Some(70 * MILLI)));
    assert_eq!(latency("batch->shop"), (Some(10 * MILLI), Some(10 * MILLI)));
}

/// Of several at a time each strikes whom it strikes: slowness multiplies, shares are those of independent causes, and when one ends the others go on.
#[test]
fn what_strikes_some_adds_to_what_strikes_all() {
    let slow =
        |factor: u32, rest: &str| format!(r#"(at: "0s", on: "db", effect: Slow(factor: {factor}){rest})"#);
    let web = r#", requests: (only_from: ["web"])"#;
    let faults = [slow(2, ""), slow(3, web), slow(5, r#", for: "5s", requests: (only_from: ["batch"])"#)];
    let report = desk(TWO, "", "", &faults.join(", "));
    let latency = |edge: &str| {
        let latency = &report.edges.get(edge).unwrap().latency;
        (latency.mean, latency.max, latency.count)
    };
    assert_eq!(latency("web->shop"), (Some(60 * MILLI), Some(60 * MILLI), 99));
    // From 0.1 to 4.9 s, and from 5 s on.
    let mean = (49 * 100 * MILLI + 50 * 20 * MILLI) / 99;
    assert_eq!(latency("batch->shop"), (Some(mean), Some(100 * MILLI), 99));
    // A half of all, and of what is left a half of some: at the same draws.
    let errors = |rest: &str| format!(r#"(at: "0s", on: "db", effect: Errors(probability: 0.5){rest})"#);
    let many = TWO.replace("10/s", "200/s");
    let all = desk(&many, "", "", &errors(""));
    let both = desk(&many, "", "", &[errors(""), errors(web)].join(", "));
    assert_eq!(success(&all, "batch->shop"), success(&both, "batch->shop"));
    // Of 2,000: sd 1 %.
    assert!((success(&both, "web->shop") - 0.25).abs() < 0.04, "{}", success(&both, "web->shop"));
    assert!((success(&both, "batch->shop") - 0.5).abs() < 0.045);
    // And of itself a tenth of everybody's.
    let own = desk(&many, "", "error_rate: 0.1", &errors(web));
    assert!((success(&own, "web->shop") - 0.45).abs() < 0.045, "{}", success(&own, "web->shop"));
    assert!((success(&own, "batch->shop") - 0.9).abs() < 0.03);
}

/// A key that is struck is struck each time: no further attempt helps, where it would against errors by chance.
#[test]
fn no_retry_helps_against_a_key_that_is_struck() {
    let of = |keys: &str, policy: &str, effect: &str, requests: &str| {
        let users = format!(
            r#"(name: "web", to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "200/s"), (at: "19s", rate: "0/s")]), policy: "p", keys: {keys})"#
        );
        let faults = format!(r#"(at: "0s", on: "db", effect: {effect}, {requests})"#);
        desk(&users, policy, "", &faults)
    };
    let some = |share: f64| format!("requests: (keys: Fraction({share}))");
    let once = of("Uniform(10)", "", "Errors()", &some(0.3));
    let thrice = of("Uniform(10)", "retry: Fixed(attempts: 3)", "Errors()", &some(0.3));
    // Of 3,800 calls three keys of ten: sd 0.7 %.
    let found = success(&once, "web->shop");
    assert!((found - 0.7).abs() < 0.03, "{found}");
    assert_eq!(found, success(&thrice, "web->shop"));
    // Both policies try again: nine attempts of what fails.
    let sent = |report: &Report| report.edges.get("shop->db").unwrap().attempts.sent as f64;
    assert_eq!(sent(&thrice), sent(&once) * (found + 9.0 * (1.0 - found)));
    let chance = of("Uniform(10)", "retry: Fixed(attempts: 3)", "Errors(probability: 0.3)", "");
    assert!(success(&chance, "web->shop") > 0.999);
    // The most wanted of four by Zipf's law is 12 of 25, whatever share of the keys it is.
    let first = of("Zipf(count: 4)", "", "Errors()", "requests: (keys: Only([0]))");
    assert!((success(&first, "web->shop") - 0.52).abs() < 0.035);
}

/// One tenant's requests vanish: his callers wait, nobody else's do, and whoever checks the replica finds it well and leaves it in.
#[test]
fn a_check_is_nobodys_request() {
    let users = r#"(name: "web", to: "shop", arrivals: Constant("100/s"), policy: "p", tenants: Named({"a": 1, "b": 3}))"#;
    let of = |requests: &str| {
        let faults = format!(r#"(at: "5s", on: "db", effect: BlackHole, {requests})"#);
        desk(users, r#"timeout: "100ms""#, r#"replicas: 2, health: (interval: "1s"), observers: ()"#, &faults)
    };
    let believed = |report: &Report| {
        let section = report.section("observers", "db").expect("it is asked for");
        section.values.get("checker").and_then(|it| it.value).expect("looked at")
    };
    let told = |report: &Report, tenant: &str| {
        let section = report.sections.iter().find(|it| it.kind == "tenants" && it.at.ends_with(tenant));
        section.expect("told of").values.get("success").and_then(|it| it.value).expect("calls ended")
    };
    let report = of(r#"requests: (tenants: ["a"])"#);
    assert_eq!(believed(&report), 1.0);
    assert!((told(&report, "a") - 0.25).abs() < 0.06 && told(&report, "b") == 1.0);
    // One that needs a worker comes to where requests vanish: all of them here, and not the check.
    let faults = r#"(at: "5s", on: "db", effect: BlackHole, requests: (only: Reads))"#;
    let db = r#"replicas: 2, health: (interval: "1s", kind: Worker()), observers: ()"#;
    let report = desk(users, r#"timeout: "100ms""#, db, faults);
    assert_eq!(believed(&report), 1.0);
    assert!((told(&report, "a") - 0.25).abs() < 0.06 && (told(&report, "b") - 0.25).abs() < 0.06);
    let report = of("");
    assert!(believed(&report) < 0.5, "{}", believed(&report));
}

/// In a zone it strikes some requests of all that stand there, the same of each; and a replica that dies and comes back is struck as before.
#[test]
fn some_requests_of_a_zone_and_of_whoever_comes_back() {
    let of = |faults: &str| {
        scene(
            &format!(
                r#"zones: (names: ["a", "b"]),
                   workload: [(name: "web", to: "shop", arrivals: Constant("100/s"), zones: ["a"], writes: 0.5)],
                   services: {{
                       "shop": (replicas: 2, workers: Async(999), work: "0s", calls: [(to: "db")]),
                       "db": (replicas: 2, workers: Async(999), work: "1ms"),
                   }}, faults: [{faults}]"#
            ),
            "20s",
        )
    };
    let failed = |report: &Report, edge: &str| 1.0 - success(report, edge);
    let report = of(r#"(at: "0s", on: "zone b", effect: Errors(), requests: (only: Writes))"#);
    // Half of all are writes, of those half meet a replica in b, in turn, and half of the rest another behind the first.
    assert!(
        (failed(&report, "web->shop") - (0.5 * (0.5 + 0.5 * 0.5))).abs() < 0.05,
        "{}",
        failed(&report, "web->shop")
    );
    let crash = r#"(at: "5s", for: "5s", on: "db", effect: Crash(), replicas: Only([1]))"#;
    let writes = r#"(at: "0s", on: "db", effect: Errors(), replicas: Only([1]), requests: (only: Writes))"#;
    let report = of(&format!("{writes}, {crash}"));
    let db = report.edges.get("shop->db").unwrap();
    // For 15 s a quarter fails; for 5 s half is refused.
    let refused = db.calls.of(Ending::Failed(Outcome::Refused)) as f64 / 500.0;
    let wrong = db.calls.of(Ending::Failed(Outcome::Error)) as f64 / 1500.0;
    assert!((refused - 0.5).abs() < 0.01 && (wrong - 0.25).abs() < 0.05, "{refused} {wrong}");
}
