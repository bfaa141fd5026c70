//! Scenes of two services that change, and must understand one another meanwhile. What stands here without a tolerance can be worked out by hand.

use super::scenes::scene_of;
use crate::policy::Ending;
use crate::report::Report;

/// A hundred calls a second through four replicas, in turn, to four others, in turn: 2 s are over when it is measured, for 20 s.
fn shop(web: &str, stock: &str, policy: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "web", arrivals: Constant("100/s"))],
               services: {{
                   "web": (replicas: 4, workers: Async(99), work: "1ms", calls: [(to: "stock", policy: "p")], {web}),
                   "stock": (replicas: 4, workers: Async(99), work: "1ms", {stock}),
               }}, policies: {{"p": ({policy})}}"#
        ),
        r#"duration: "22s", warm_up: "2s", window: "1s""#,
    )
}

fn told(report: &Report, name: &str) -> f64 {
    let section = report.section("versions", "stock").expect("it may misunderstand");
    section.values.get(name).and_then(|it| it.value).expect("measured")
}

/// So much of it has come by the second second, and no more comes.
fn partly(weight: f64, from: &str, to: &str) -> String {
    format!(
        r#"rollout: (at: "1s", {from} to: ({to}), strategy: Canary(steps: [(weight: {weight}, pause: "1h")]))"#
    )
}

fn all_of_it(at: &str, from: &str, to: &str) -> String {
    format!(r#"rollout: (at: "{at}", {from} to: ({to}), strategy: Recreate)"#)
}

/// Of new callers and old callees it is the product of their shares, to the call.
#[test]
fn who_is_not_understood_by_whom() {
    let both = "understands: [1, 2]";
    for (callers, callees, to, share) in [
        (0.5, 0.25, both, 0.5 * 0.75),
        (0.25, 0.75, both, 0.25 * 0.25),
        (1.0, 0.5, both, 0.5),
        (0.5, 1.0, both, 0.0),
        // The new ones have forgotten the old: the old callers do not meet them.
        (0.5, 0.25, "understands: [2]", 0.5 * 0.75 + 0.5 * 0.25),
        (0.25, 0.75, "understands: [2]", 0.25 * 0.25 + 0.75 * 0.75),
    ] {
        let report = shop(&partly(callers, "", "speaks: 2"), &partly(callees, "", to), "");
        let found = told(&report, "share");
        // Two thousand calls, in turn: 16 make a round.
        assert!((found - share).abs() < 0.005, "{callers} {callees} {to}: {found}");
        let edge = report.edges.get("web->stock").unwrap();
        let failed = edge.calls.failed() as f64;
        assert_eq!(failed, told(&report, "misunderstood"));
        // It is answered at once, and nothing was done for it.
        assert!(failed == 0.0 || edge.latency_failed.max == Some(0), "{:?}", edge.latency_failed);
        let done = report.services.get("stock").unwrap().completed;
        assert!(done.abs_diff(edge.calls.ok()) <= 1, "{done}");
    }
}

/// Whoever is asked first must be able to be asked in both.
#[test]
fn the_order_in_which_two_change() {
    let both = "understands: [1, 2]";
    // (callers change at, callees at, from, to; seconds in which all is misunderstood)
    for (web, stock, from, to, seconds) in [
        ("5s", "10s", "", both, 5.0),
        ("10s", "5s", "", both, 0.0),
        ("5s", "10s", "from: (understands: [1, 2]),", "understands: [2]", 0.0),
        ("10s", "5s", "from: (understands: [1, 2]),", "understands: [2]", 5.0),
        ("10s", "10s", "", "understands: [2]", 0.0),
    ] {
        let report = shop(&all_of_it(web, "", "speaks: 2"), &all_of_it(stock, from, to), "");
        let found = told(&report, "misunderstood") / 100.0;
        assert!((found - seconds).abs() < 0.03, "{web} {stock} {to}: {found}");
    }
    // The callees have forgotten the old version when the callers are taken back.
    let back = r#"rollout: (at: "5s", to: (speaks: 2), strategy: Recreate, undo_at: "15s")"#;
    let contract = all_of_it("10s", "from: (understands: [1, 2]),", "understands: [2]");
    let report =
        shop(back, &format!("{contract}, health: (interval: \"1s\", kind: Worker()), observers: ()"), "");
    assert!(
        (told(&report, "misunderstood") / 100.0 - 7.0).abs() < 0.03,
        "{}",
        told(&report, "misunderstood")
    );
    // Whoever checks is understood: nobody is taken out.
    let checker = report.section("observers", "stock").unwrap().values.get("checker").unwrap().value;
    assert_eq!(checker, Some(1.0));
}

/// Another replica may understand what this one does not: who tries all four finds the one that does.
#[test]
fn another_replica_may_understand() {
    let (web, stock) = (partly(1.0, "", "speaks: 2"), partly(0.25, "", "understands: [1, 2]"));
    for (attempts, ok) in [(1, 0.25), (2, 0.5), (4, 1.0)] {
        let policy = format!("retry: Fixed(attempts: {attempts}), retry_host: Other()");
        let report = shop(&web, &stock, &policy);
        let edge = report.edges.get("web->stock").unwrap();
        // In turn it is the next: whoever tries more comes further, and leaves the rest to the next call.
        let found = edge.success.unwrap();
        assert!((found - ok).abs() < if attempts == 2 { 0.26 } else { 0.005 }, "{attempts}: {found}");
        assert_eq!(edge.calls.of(Ending::InFlight), 0);
    }
}

/// An analysis sees what a new version does not understand, and takes it back.
#[test]
fn who_understands_nobody_is_taken_back() {
    let stock = r#"rollout: (at: "5s", to: (understands: [2]), strategy: Canary(steps: [(weight: 0.25, pause: "1h")]),
        analysis: (metric: ErrorRate(at_most: 0.05), interval: "2s", count: 1))"#;
    let web = all_of_it("1h", "", "speaks: 2");
    let report = shop(&web, stock, "");
    let rollout = report.section("rollout", "stock").unwrap();
    let value = |name: &str| rollout.values.get(name).and_then(|it| it.value);
    assert_eq!(
        (value("rolled_back"), value("error_rate"), value("false_rollbacks")),
        (Some(1.0), Some(1.0), Some(0.0))
    );
    // A quarter, for two seconds.
    assert!((told(&report, "misunderstood") - 50.0).abs() <= 2.0, "{}", told(&report, "misunderstood"));
}
