//! What the network does to messages: twice, too late, one way only, too much at once. By hand, and against closed forms.

use super::scenes::{MILLI, SECOND, scene, scene_of};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

/// A call a second, from 1 s to 9 s.
fn nine_calls(rest: &str, policy: &str, service: &str, fault: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "pay", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]), policy: "p", {rest})],
               services: {{"pay": (workers: Async(9), work: "100ms", {service})}},
               policies: {{"p": ({policy})}}, faults: [(at: "0s", on: "pay", {fault})]"#
        ),
        "30s",
    )
}

#[track_caller]
fn told<const N: usize>(report: &Report, kind: &str, at: &str, names: [&str; N]) -> [f64; N] {
    let section = report.section(kind, at).expect("it is told");
    names.map(|name| section.values.get(name).and_then(|value| value.value).expect("a number"))
}

const DEEDS: [&str; 5] = ["done", "twice", "beyond", "replayed", "conflicts"];
const MESSAGES: [&str; 5] = ["requests", "requests_lost", "replies", "replies_lost", "twice"];
const TWICE: &str = "effect: Duplicate(probability: 1)";

/// All is done twice, and counted once by whoever sent it.
#[test]
fn a_request_that_comes_twice_is_worked_on_twice_and_answered_once() {
    for network in ["0s", "5ms"] {
        let network = format!(r#"network: "{network}""#);
        let report = nine_calls(&network, "", "idempotency: Absent", TWICE);
        assert_eq!(told(&report, "duplicates", "pay", DEEDS), [9.0, 9.0, 9.0, 0.0, 0.0]);
        assert_eq!(told(&report, "network", "users->pay", MESSAGES), [9.0, 0.0, 18.0, 0.0, 9.0]);
        let (edge, pay) = (report.edges.get("users->pay").unwrap(), report.services.get("pay").unwrap());
        assert_eq!((edge.attempts.sent, edge.attempts.copies, edge.calls.ok()), (9, 0, 9));
        assert_eq!((pay.arrived, pay.work, pay.work_wasted), (18, 1800 * MILLI, 900 * MILLI));
    }
}

/// Both come at one instant: the second finds the first at work. Where there is one worker it waits, and finds what was done.
#[test]
fn a_key_tells_that_two_requests_are_one() {
    let report = nine_calls("", "", "idempotency: Key()", TWICE);
    assert_eq!(told(&report, "duplicates", "pay", DEEDS), [9.0, 0.0, 0.0, 0.0, 9.0]);
    assert_eq!(report.edges.get("users->pay").unwrap().calls.ok(), 9);
    let one = scene(
        &format!(
            r#"workload: [(to: "pay", arrivals: Constant("1/s"))],
               services: {{"pay": (workers: Blocking(1), work: "100ms", idempotency: Key())}},
               faults: [(at: "0s", on: "pay", {TWICE})]"#
        ),
        "9500ms",
    );
    assert_eq!(told(&one, "duplicates", "pay", DEEDS), [9.0, 0.0, 0.0, 9.0, 0.0]);
    assert_eq!(one.services.get("pay").unwrap().work, 900 * MILLI);
}

/// Of two requests, and of two answers, the one that comes first counts: half the latency each way, and a half less is lost.
#[test]
fn the_first_of_two_counts() {
    let report = scene(
        &format!(
            r#"workload: [(to: "pay", arrivals: Poisson("200/s"), policy: "p")],
               services: {{"pay": (workers: Async(9999), work: "1ms")}},
               policies: {{"p": (timeout: "1s")}},
               faults: [(at: "0s", on: "pay", {TWICE}), (at: "0s", on: "pay", effect: Drop(probability: 0.3))],
               network: Exponential(mean: "10ms")"#
        ),
        "100s",
    );
    let edge = report.edges.get("users->pay").unwrap();
    // One of two is lost in 42 % of the cases that are not lost, and then it is 10 ms, else 5 ms, each way.
    let one = 0.42 / 0.91;
    let expected = 1.0 + 2.0 * (one * 10.0 + (1.0 - one) * 5.0);
    let mean = edge.latency.mean.unwrap() as f64 / 1e6;
    assert!((mean / expected - 1.0).abs() < 0.03, "{mean} ms instead of {expected}");
    // Both ways nine in a hundred are lost twice.
    assert!((edge.success.unwrap() - 0.91 * 0.91).abs() < 0.012, "{:?}", edge.success);
}

/// What is called for the second is called as well.
#[test]
fn what_comes_twice_is_done_twice_all_the_way_down() {
    let report = scene(
        &format!(
            r#"workload: [(to: "front", arrivals: Constant("1/s"))],
               services: {{
                   "front": (workers: Async(9), work: "10ms", calls: [(to: "back")]),
                   "back": (workers: Async(9), work: "10ms"),
               }},
               faults: [(at: "0s", on: "users->front", {TWICE}), (at: "5s", for: "2s", on: "front->back", effect: Hold)],
               network: "1ms""#
        ),
        "9500ms",
    );
    let back = report.edges.get("front->back").unwrap();
    assert_eq!((back.calls.started, back.calls.ok()), (18, 18));
    assert_eq!(report.edges.get("users->front").unwrap().calls.ok(), 9);
}

/// Answers alone are lost: all is done, and nobody hears of it. Requests alone: nothing is done.
#[test]
fn a_partition_one_way_is_another_the_other_way() {
    let lost = |way: &str| format!("effect: Drop(probability: 1), way: {way}");
    let retry = r#"timeout: "500ms", retry: Fixed(attempts: 2)"#;
    let none = nine_calls("", retry, "idempotency: Absent", &lost("Requests"));
    assert_eq!(told(&none, "duplicates", "pay", DEEDS), [0.0; 5]);
    assert_eq!(told(&none, "network", "users->pay", MESSAGES), [18.0, 18.0, 0.0, 0.0, 0.0]);
    let done = nine_calls("", retry, "idempotency: Absent", &lost("Replies"));
    assert_eq!(told(&done, "duplicates", "pay", DEEDS), [9.0, 9.0, 9.0, 0.0, 0.0]);
    assert_eq!(told(&done, "network", "users->pay", MESSAGES), [18.0, 0.0, 18.0, 18.0, 0.0]);
    for report in [none, done] {
        let edge = report.edges.get("users->pay").unwrap();
        assert_eq!(edge.calls.of(Ending::Failed(Outcome::TimedOut)), 9);
    }
}

/// Held one way only: the answers come all at once, at 12 s.
#[test]
fn what_holds_answers_back_holds_no_request() {
    let report = nine_calls("", "", "", r#"for: "12s", effect: Hold, way: Replies"#);
    let (edge, pay) = (report.edges.get("users->pay").unwrap(), report.services.get("pay").unwrap());
    assert_eq!((pay.arrived, pay.completed, edge.calls.ok()), (9, 9, 9));
    assert_eq!(edge.latency.max, Some(11 * SECOND));
}

/// Of two that hold, each its way, the first that ends lets nothing go that the other holds: answers until 12 s, requests until 20 s.
#[test]
fn what_another_holds_stays_held() {
    let report = scene(
        r#"workload: [(to: "pay", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
           services: {"pay": (workers: Async(9), work: "100ms")},
           faults: [
               (at: "0s", for: "12s", on: "pay", effect: Hold, way: Replies),
               (at: "5500ms", for: "14500ms", on: "pay", effect: Hold, way: Requests),
           ]"#,
        "30s",
    );
    let edge = report.edges.get("users->pay").unwrap();
    // Five were answered, and heard of it at 20 s; four came then.
    assert_eq!((edge.calls.ok(), edge.latency.max), (9, Some(19 * SECOND)));
    assert_eq!(edge.windows.ok, [0, 0, 9]);
}

/// Two of five clients hear nothing: what they ask is lost, and nobody else is.
#[test]
fn some_clients_are_struck_and_others_are_not() {
    for clients in ["Only([1, 3])", "Fraction(0.4)"] {
        let report = scene(
            &format!(
                r#"workload: [(to: "pay", arrivals: Poisson("100/s"), clients: 5, policy: "p")],
                   services: {{"pay": (workers: Async(99), work: "1ms")}},
                   policies: {{"p": (timeout: "100ms")}},
                   faults: [(at: "0s", on: "pay", effect: Drop(), clients: {clients})]"#
            ),
            "100s",
        );
        let edge = report.edges.get("users->pay").unwrap();
        // Binomial: 4000 of 10,000, deviation 49; of 10,000 that come by themselves, 100.
        let share = edge.calls.failed() as f64 / edge.calls.started as f64;
        assert!((share - 0.4).abs() < 0.02, "{clients}: {share}");
        let [requests, lost] = told(&report, "network", "users->pay", ["requests", "requests_lost"]);
        assert_eq!(
            lost as u64,
            edge.attempts.ended[Outcome::TimedOut] + edge.attempts.ended[Outcome::InFlight]
        );
        assert_eq!(requests as u64, edge.attempts.sent);
    }
}

/// A kilobyte takes 10 ms there and 10 ms back. At 50 a second nobody waits; at 200 a second each waits 5 ms longer than the one before.
#[test]
fn at_regular_times_nobody_waits_until_it_is_too_much() {
    let run = |rate: u64, duration: &str| {
        scene_of(
            &format!(
                r#"workload: [(to: "pay", arrivals: Constant("{rate}/s"), size: Fixed("1kB"))],
                   services: {{"pay": (workers: Async(999), work: "7ms")}},
                   faults: [(at: "0s", on: "users->pay", effect: Bandwidth(limit: "100kB/s"), way: Both)],
                   network: "1ms""#
            ),
            &format!(r#"duration: "{duration}", window: "1s""#),
        )
    };
    let calm = run(50, "10s");
    let edge = calm.edges.get("users->pay").unwrap();
    assert_eq!((edge.latency.max, edge.latency.mean), (Some(29 * MILLI), Some(29 * MILLI)));
    let names = ["request_wait", "request_busy", "reply_wait", "reply_busy"];
    let [wait, busy, back, busy_back] = told(&calm, "bandwidth", "users->pay", names);
    assert_eq!((wait, back), (0.0, 0.0));
    // From 20 ms on, and back from 38 ms on, half of the time.
    assert!((busy - 0.5).abs() < 0.002 && (busy_back - 0.5).abs() < 0.003, "{busy} {busy_back}");
    let full = run(200, "10s");
    let [wait, busy, back, _] = told(&full, "bandwidth", "users->pay", names);
    // Of 1999 the last waits 9.99 s. Answers come as fast as requests get through.
    assert!((wait / 1e9 - 1998.0 * 0.005 / 2.0).abs() < 0.01 && back == 0.0, "{wait} {back}");
    assert!((busy - 0.9995).abs() < 0.0002, "{busy}");
    let section = full.section("bandwidth", "users->pay").unwrap();
    let backlog: Vec<f64> = section.series[0].values.iter().map(|nanos| nanos / 1e9).collect();
    let expected: Vec<f64> = (1..=10).map(f64::from).collect();
    assert!(
        backlog.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 0.011),
        "{backlog:?}"
    );
}

/// M/D/1 and M/G/1: the mean wait before the link (oracle `md1`, `mg1_pk`), and what is told beside it.
#[test]
fn a_poisson_stream_through_a_link_is_a_queue_with_one_server() {
    // (size, mean wait in times that a mean message takes: rho (1 + cv^2) / (2 (1 - rho)), source)
    let table = [
        (r#"Fixed("1kB")"#, 0.7 / 0.6, "M/D/1"),
        (r#"Exponential(mean: "1kB")"#, 0.7 / 0.3, "M/G/1: Pollaczek and Khinchine"),
    ];
    for (size, expected, source) in table {
        let report = scene(
            &format!(
                r#"workload: [(to: "pay", arrivals: Poisson("700/s"), size: {size}, policy: "p")],
                   services: {{"pay": (workers: Async(10000), work: "1ms")}},
                   policies: {{"p": (timeout: "10s")}},
                   faults: [(at: "0s", on: "users->pay", effect: Bandwidth(limit: "1MB/s"), way: Requests)]"#
            ),
            "600s",
        );
        let wait = report.values.get("link_wait users->pay").expect("it is known");
        assert_eq!(wait.source, source);
        // To a byte that sizes are cut to.
        assert!((wait.exact.unwrap() / 1e6 - expected).abs() < 1e-9, "{:?}", wait.exact);
        let found = wait.value.unwrap() / 1e6;
        assert!((found / expected - 1.0).abs() < 0.05, "{found} instead of {expected} ms");
        let busy = report.values.get("link_busy users->pay").unwrap();
        assert!((busy.value.unwrap() - 0.7).abs() < 0.01 && busy.exact == Some(0.7), "{busy:?}");
    }
}

/// A quarter comes 100 ms later than sent, and what was sent in these 100 ms has overtaken it.
#[test]
fn a_share_of_the_messages_is_overtaken() {
    let report = scene(
        r#"workload: [(to: "pay", arrivals: Constant("100/s"))],
           services: {"pay": (workers: Async(999), work: "0s", idempotency: Absent)},
           faults: [(at: "0s", on: "pay", effect: Reorder(probability: 0.25, by: "100ms"), way: Requests)],
           network: "1ms""#,
        "100s",
    );
    let [share, overtaken] = told(&report, "network", "users->pay", ["overtaken_share", "overtaken"]);
    // Of 19,998 messages half are requests. Of ten that follow, one at least is not late, but once in a million.
    assert!((share - 0.125).abs() < 0.01 && overtaken > 2_300.0, "{share} {overtaken}");
    let edge = report.edges.get("users->pay").unwrap();
    assert_eq!(edge.latency.max, Some(102 * MILLI));
}

/// Only one way is lost: a call comes to less than where both are, and theory knows it.
#[test]
fn theory_knows_which_way_messages_are_lost() {
    for (way, p_fail) in [("Both", 0.36), ("Requests", 0.2), ("Replies", 0.2)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "pay", arrivals: Poisson("100/s"), policy: "p")],
                   services: {{"pay": (workers: Async(999), work: "1ms")}},
                   policies: {{"p": (timeout: "50ms", retry: Fixed(attempts: 3))}},
                   faults: [(at: "0s", on: "pay", effect: Drop(probability: 0.2), way: {way})]"#
            ),
            "200s",
        );
        let success = report.values.get("success users->pay").expect("it is known");
        let expected = 1.0 - sim_core::math::powi(p_fail, 3);
        assert!((success.exact.unwrap() - expected).abs() < 1e-12, "{way}: {success:?}");
        assert!((success.value.unwrap() - expected).abs() < 0.007, "{way}: {success:?}");
    }
}

/// What a link is offered is told before anything runs: there at once, and if everything is tried three times.
#[test]
fn what_a_link_is_offered_is_told_beforehand() {
    let text = r#"(about: "x", run: (duration: "60s"), model: ServiceGraph(
        workload: [(to: "front", arrivals: Poisson("100/s"), size: Fixed("10kB"), policy: "p")],
        services: {
            "front": (workers: Async(9), work: "1ms", calls: [(to: "back", times: 2)]),
            "back": (workers: Async(9), work: "1ms"),
        },
        policies: {"p": (timeout: "1s", retry: Fixed(attempts: 3))},
        faults: [
            (at: "0s", on: "front->back", effect: Bandwidth(limit: "32Mbit/s")),
            (at: "1s", on: "front", effect: Bandwidth(limit: "1B/s")),
        ],
    ))"#;
    let explained = super::explain::explain(text);
    let told: Vec<&str> =
        explained.notes.iter().filter(|note| note.contains("carries")).map(String::as_str).collect();
    let expected =
        "front->back carries 4MB/s and is offered 50 % of that, 150 % if all is tried as often as it may be";
    assert_eq!(told, [expected]);
}
