//! Scenes of calls that are refused and told when to come again, and of retries that go elsewhere. All of it can be worked out by
//! hand.

use super::scenes::{MILLI, scene};
use crate::policy::{Ending, Outcome};

/// Two calls at 100 ms to one worker without a queue, busy until 150 ms: the second is refused, and told to come again.
#[test]
fn a_refusal_says_when_to_come_again() {
    for (policy, ok, attempts, longest) in [
        // Its own back-off: at 110, 120, .. ms.
        (r#"retry: Fixed(attempts: 9, delay: "10ms")"#, 2, 7, 100),
        (r#"retry: Fixed(attempts: 9, delay: "10ms"), retry_after: Honour()"#, 2, 3, 150),
        (r#"retry: Fixed(attempts: 2, delay: "10ms"), retry_after: Honour(at_most: "99ms")"#, 1, 3, 50),
        (
            r#"retry: Fixed(attempts: 2, delay: "10ms"), retry_after: Honour(at_most: "60ms", beyond: Clamp)"#,
            2,
            3,
            110,
        ),
        (
            r#"retry: Fixed(attempts: 9, delay: "10ms"), retry_after: Honour(at_most: "60ms", beyond: GiveUp)"#,
            1,
            2,
            50,
        ),
        (r#"retry: Fixed(attempts: 2, delay: "300ms"), retry_after: AtLeast(extra: "20ms")"#, 2, 3, 350),
        (r#"retry: Fixed(attempts: 2, delay: "60ms"), retry_after: AtLeast(extra: "20ms")"#, 2, 3, 130),
        (r#"retry: Fixed(attempts: 2, delay: "60ms"), retry_after: AtLeast()"#, 2, 3, 150),
        // Nobody is told anything of what is not tried again.
        ("retry_after: Honour()", 1, 2, 50),
    ] {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", policy: "p", arrivals: Burst(count: 2, at: "100ms"))],
                   services: {{"shop": (workers: Async(1), queue: Fifo(capacity: 0), work: "50ms", retry_after: "100ms")}},
                   policies: {{"p": ({policy})}}"#
            ),
            "10s",
        );
        let edge = report.edges.get("users->shop").unwrap();
        let told = (edge.calls.ok(), edge.attempts.sent, edge.latency.max.unwrap_or(0) / MILLI);
        assert_eq!(told, (ok, attempts, longest), "{policy}");
        assert_eq!(edge.calls.of(Ending::Failed(Outcome::Rejected)), 2 - ok, "{policy}");
    }
}

/// Of four replicas three are dead. A call that goes elsewhere meets the fourth in its fourth attempt at the latest.
#[test]
fn a_retry_goes_to_whom_its_call_has_not_tried() {
    for balancer in ["RoundRobin", "Random", "LeastPending", "PowerOfTwo"] {
        for (attempts, host, all_well) in [
            (4, "Other()", true),
            (3, "Other()", false),
            (4, "Any", balancer == "RoundRobin"),
            (4, "Other(picks: 1)", balancer == "RoundRobin"),
        ] {
            let report = scene(
                &format!(
                    r#"workload: [(to: "app", policy: "p", arrivals: Constant("100/s"))],
                       services: {{"app": (replicas: 4, workers: Async(9), work: "1ms")}},
                       policies: {{"p": (balancer: {balancer}, retry: Fixed(attempts: {attempts}), retry_host: {host})}},
                       faults: [(at: "0s", on: "app", effect: Crash(callers: Reset), replicas: Only([0, 1, 3]))]"#
                ),
                "10s",
            );
            let edge = report.edges.get("users->app").unwrap();
            let lost = edge.calls.of(Ending::Failed(Outcome::Refused));
            assert_eq!(lost == 0, all_well, "{balancer}, {attempts} attempts, {host}: {lost} lost");
        }
    }
}
