//! Whose a breaker is, by hand: one for the service or one for each replica, one for each client or one for all.

use super::scenes::scene;
use crate::policy::Ending;
use crate::report::Report;

/// Ten calls a second, one after the other, by a client or two in turn; one of two replicas fails all that it gets.
fn half_bad(breaker: &str, clients: u32) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "shop", arrivals: Constant("10/s"))],
               services: {{
                   "shop": (replicas: {clients}, workers: Async(9), work: "1ms", calls: [(to: "db", policy: "p")]),
                   "db": (replicas: 2, workers: Async(9), work: "1ms"),
               }},
               policies: {{"p": (breaker: Consecutive(failures: 3, open_for: "1h"{breaker}))}},
               faults: [(at: "0s", on: "db", effect: Errors(), replicas: Only([1]))]"#
        ),
        "30s",
    )
}

/// In turn a client meets the bad one every second time: three in a row never come of the service, and of the replica
/// after six calls.
#[test]
fn one_breaker_sees_a_half_and_two_see_all_and_nothing() {
    for (breaker, clients, failed) in [
        ("", 1, 150),
        (", per: Replica()", 1, 3),
        // Each learns alone.
        (", per: Replica()", 2, 6),
        (", per: Replica(), shared: true", 2, 3),
        (", shared: true", 2, 150),
    ] {
        let report = half_bad(breaker, clients);
        let calls = &report.edges.get("shop->db").unwrap().calls;
        let (lost, refused) = (calls.failed(), calls.of(Ending::BreakerOpen));
        let often = failed == 150;
        assert!(
            if often { (149..=151).contains(&lost) } else { lost == failed },
            "{breaker}, {clients}: {lost}"
        );
        assert_eq!(refused, 0, "{breaker}: there is always another");
        let breakers = report.section("breakers", "shop->db").unwrap();
        let around = breakers.values.get("around").and_then(|value| value.value);
        assert_eq!(around.is_some(), breaker.contains("Replica"), "{breaker}");
        if breaker == ", per: Replica()" && clients == 1 {
            // Whoever passes over the bad one has the good one, and then it is the turn of the bad one: all of 299 after the sixth.
            assert_eq!(around, Some(293.0));
            let opened: Vec<_> = breakers.changes.iter().map(|it| (it.of, it.replica, &*it.to)).collect();
            assert_eq!(opened, [(Some(0), Some(1), "open")]);
            assert_eq!(breakers.values.get("open_max").and_then(|value| value.value), Some(1.0));
        }
    }
}

/// A choice that stands is refused, and goes on to be made every second time.
#[test]
fn a_choice_that_stands_is_refused() {
    let report = half_bad(", per: Replica(picks: 0)", 1);
    let calls = &report.edges.get("shop->db").unwrap().calls;
    assert_eq!((calls.failed(), calls.of(Ending::BreakerOpen)), (3, 147));
}

/// Whoever retries elsewhere is named the same replica as without a breaker, by whatever balancer.
#[test]
fn a_breaker_that_never_opens_moves_nothing() {
    for host in ["Any", "Other()", "Other(picks: 1)"] {
        for balancer in ["RoundRobin", "Random", "LeastPending", "PowerOfTwo"] {
            let run = |breaker: &str| {
                scene(
                    &format!(
                        r#"workload: [(name: "u", to: "db", arrivals: Poisson("50/s"), policy: "p", clients: 2)],
                           services: {{"db": (replicas: 3, workers: Async(50), work: Exponential(mean: "20ms"), error_rate: 0.3)}},
                           policies: {{"p": (retry: Fixed(attempts: 4, delay: "1ms"), retry_host: {host}, balancer: {balancer}
                                             {breaker})}}"#
                    ),
                    "20s",
                )
            };
            let plain = run("");
            for per in ["Service", "Replica()", "Replica(picks: 0)", "Replica(picks: 2)"] {
                for shared in [false, true] {
                    let breaker =
                        format!("breaker: Consecutive(failures: 1000000, per: {per}, shared: {shared})");
                    let told = format!("{host}, {balancer}, {breaker}");
                    let guarded = run(&format!(", {breaker}"));
                    assert_eq!(guarded.digest.t, plain.digest.t, "{told}");
                    let calls = &guarded.edges.get("u->db").unwrap().calls;
                    assert_eq!(calls.of(Ending::BreakerOpen), 0, "{told}");
                }
            }
        }
    }
}

/// A caller that restarts has forgotten what it learnt; what is known to all is known to it.
#[test]
fn what_all_share_outlives_one_of_them() {
    for (shared, again) in [("", 3), (", shared: true", 0)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", arrivals: Constant("10/s"))],
                   services: {{
                       "shop": (workers: Async(9), work: "1ms", calls: [(to: "db", policy: "p")]),
                       "db": (replicas: 2, workers: Async(9), work: "1ms"),
                   }},
                   policies: {{"p": (breaker: Consecutive(failures: 3, open_for: "1h", per: Replica(){shared}))}},
                   faults: [(at: "0s", on: "db", effect: Errors(), replicas: Only([1])),
                            (at: "10s", for: "1s", on: "shop", effect: Crash())]"#
            ),
            "30s",
        );
        let calls = &report.edges.get("shop->db").unwrap().calls;
        assert_eq!(calls.failed(), 3 + again, "{shared}");
        let open = &report.section("breakers", "shop->db").unwrap().series[0].values;
        assert_eq!(open, &[1.0, 1.0, 1.0], "{shared}");
    }
}

/// What is shared is nobody's own, whoever happened to move it.
#[test]
fn changes_of_what_all_share_are_of_none_of_them() {
    for per in ["", ", per: Replica()"] {
        let report = half_bad(&format!("{per}, counts: InAll, shared: true"), 2);
        let breakers = report.section("breakers", "shop->db").unwrap();
        assert!(!breakers.changes.is_empty() && breakers.changes.iter().all(|it| it.of.is_none()), "{per}");
        assert!(!breakers.series[0].about.contains("Clients"), "{per}");
    }
}

/// One that opens and closes between the ends of two windows was open.
#[test]
fn open_for_less_than_a_window() {
    let report = scene(
        r#"workload: [(name: "u", to: "db", arrivals: Constant("50/s"), policy: "p")],
           services: {"db": (workers: Async(9), work: "1ms")},
           policies: {"p": (breaker: Consecutive(failures: 3, open_for: "500ms"))},
           faults: [(at: "12s", for: "200ms", on: "db", effect: Errors())]"#,
        "30s",
    );
    let breakers = report.section("breakers", "u->db").unwrap();
    let value = |name: &str| breakers.values.get(name).and_then(|value| value.value);
    assert_eq!((value("opened"), value("open_mean"), value("open_max")), (Some(1.0), Some(0.0), Some(1.0)));
    assert_eq!(breakers.series[1].values, [0.0, 1.0, 0.0]);
}

/// One that is asked once for each call, by all: three calls end it for everybody.
#[test]
fn one_for_all_stops_all() {
    for (shared, failed) in [("", 6), (", shared: true", 3)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", arrivals: Constant("10/s"))],
                   services: {{
                       "shop": (replicas: 2, workers: Async(9), work: "1ms", calls: [(to: "db", policy: "p")]),
                       "db": (workers: Async(9), work: "1ms", error_rate: 1),
                   }},
                   policies: {{"p": (breaker: Consecutive(failures: 3, open_for: "1h", scope: Call{shared}))}}"#
            ),
            "30s",
        );
        let calls = &report.edges.get("shop->db").unwrap().calls;
        assert_eq!((calls.failed(), calls.of(Ending::BreakerOpen)), (failed, 299 - failed), "{shared}");
    }
}
