//! Calls that come back, by hand and by their closed forms.

use super::scenes::{MILLI, scene};
use crate::Catalog;
use crate::experiment::Experiment;
use crate::policy::Ending;
use crate::report::Report;
use crate::run::RunOptions;
use crate::simulate;
use std::ops::ControlFlow;

/// One request at 1 s to the first of these services.
fn one(services: &str, more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "a", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]), policy: "u")],
               services: {{{services}}}, policies: {{"u": (), "again": (retry: Fixed(attempts: 2))}}, {more}"#
        ),
        "30s",
    )
}

/// Users' calls that ended well and badly, and after how many milliseconds; and of an edge the calls, the attempts, and those that the limit ended.
fn told(report: &Report, edge: &str) -> ([u64; 3], [u64; 3]) {
    let users = report.edges.get("users->a").unwrap();
    let took = users.latency.max.max(users.latency_failed.max).unwrap_or(0) / MILLI;
    let edge = report.edges.get(edge).unwrap();
    (
        [users.calls.ok(), users.calls.failed(), took],
        [edge.calls.started, edge.attempts.sent, edge.calls.of(Ending::HopLimit)],
    )
}

#[test]
fn a_request_is_passed_on_as_often_as_it_may_be() {
    let itself = |call: &str| format!(r#""a": (workers: Async(99), work: "1ms", calls: [(to: "a"{call})])"#);
    for (call, limit, expected) in [
        // The last call fails of the limit, and those before of an error, up to the user.
        ("", 3, ([0, 1, 4], [4, 3, 1])),
        ("", 1, ([0, 1, 2], [2, 1, 1])),
        (", optional: true", 3, ([1, 0, 4], [4, 3, 1])),
        (", fallback: Default", 3, ([1, 0, 4], [4, 3, 1])),
        (", wait: false", 3, ([1, 0, 1], [4, 3, 1])),
        // The tree of a request that calls twice: 1 + 2 + 4, and 4 times two calls that are not made.
        (", optional: true, times: 2", 2, ([1, 0, 7], [14, 6, 8])),
        // A limit is not tried again, but an error is: 1 + 2 attempts at the end, each with as many below it.
        (r#", policy: "again""#, 2, ([0, 1, 7], [7, 6, 4])),
    ] {
        let report = one(&itself(call), &format!("hop_limit: {limit}"));
        assert_eq!(told(&report, "a->a"), expected, "{call}, {limit}");
    }
    // Two that take each other for the origin, blocking: as many workers are held as hops are left.
    let two = r#""a": (workers: Blocking(3), work: "1ms", calls: [(to: "b")]), "b": (workers: Blocking(3), work: "1ms", calls: [(to: "a")])"#;
    assert_eq!(told(&one(two, "hop_limit: 4"), "b->a"), ([0, 1, 5], [2, 2, 0]));
    assert_eq!(told(&one(two, "hop_limit: 4"), "a->b"), ([0, 1, 5], [3, 2, 1]));
    // Users are no hop, and nothing is limited that goes no further.
    let chain = r#""a": (workers: Async(9), work: "1ms", calls: [(to: "b")]), "b": (workers: Async(9), work: "1ms", calls: [(to: "c")]), "c": (workers: Async(9), work: "1ms")"#;
    for (limit, expected) in [(1, ([0, 1, 2], [1, 0, 1])), (2, ([1, 0, 3], [1, 1, 0]))] {
        assert_eq!(told(&one(chain, &format!("hop_limit: {limit}")), "b->c"), expected, "{limit}");
    }
}

/// A request makes calls to its own replica, of which that dies, and it with that.
#[test]
fn a_replica_may_die_of_what_it_asks_of_itself() {
    for (calls, network, made) in [
        (r#"Parallel([(to: "a", times: 3)])"#, "0s", 3),
        (r#"Parallel(calls: [(to: "a", times: 3)], wait_for: 1)"#, "0s", 3),
        (r#"Parallel([(to: "a", times: 3, wait: false)])"#, "0s", 3),
        (r#"Parallel([(to: "a", times: 3)])"#, "1ms", 3),
        (r#"(to: "a", times: 3)"#, "0s", 2),
    ] {
        let services = format!(
            r#""a": (workers: Async(99), work: "1ms", dies: (at_in_flight: 3, restart_after: "5s"), calls: [{calls}])"#
        );
        let report = one(&services, &format!("hop_limit: 2, network: \"{network}\""));
        let edge = report.edges.get("a->a").unwrap();
        let deaths = report.services.get("a").unwrap().deaths;
        // One that waits for nobody is answered in the event in which it calls.
        let badly = u64::from(!calls.contains("wait: false"));
        let users = &report.edges.get("users->a").unwrap().calls;
        assert_eq!((deaths, users.ended_badly()), (1, badly), "{calls}");
        assert!(edge.calls.started >= made, "{calls}: {:?}", edge.calls);
    }
}

/// A replica that is to die when an event is over may live, since one of its own calls is turned away in it and ends what had made it: whoever
/// was done with its own work goes on all the same. Users come for half a second, and all of them are answered.
#[test]
fn who_was_to_die_and_lives_forgets_nobody() {
    let graph = r#"workload: [(to: "a", arrivals: Steps(steps: [(at: "0s", rate: "200/s"), (at: "500ms", rate: "0/s")]))],
        services: {"a": (workers: Async(1), work: Exponential(mean: "4ms"), queue: SharedFifo(capacity: 100), shed: CoDel(target: "2ms", interval: "5ms"),
            dies: (at_in_flight: 5, restart_after: "50ms"), calls: [(to: "a", probability: 0.7)])}, hop_limit: 3"#;
    let text = format!("(about: \"x\", model: ServiceGraph({graph}), run: (duration: \"3s\"))");
    let (experiment, _) = Experiment::parse("x", &text, &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    let left: Vec<u64> = (40..=60)
        .filter(|&seed| {
            let options = RunOptions::seeded(seed);
            let report = simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report;
            report.edges.iter().any(|(_, edge)| edge.calls.in_flight() > 0)
        })
        .collect();
    assert!(left.is_empty(), "somebody is left standing with seeds {left:?}");
}

/// It comes back with a chance `p`: `1/(1-p)` requests for each, and fewer under a limit.
#[test]
fn requests_for_each_request_are_a_geometric_sum() {
    for (p, limit) in [(0.5_f64, None), (0.8, None), (0.8, Some(3)), (0.5, Some(1)), (1.0, Some(7))] {
        let limited = limit.map_or(String::new(), |limit| format!("hop_limit: {limit},"));
        let graph = format!(
            r#"workload: [(to: "a", arrivals: Poisson("200/s"))],
               services: {{"a": (workers: Async(1000), work: "1ms", calls: [(to: "a", probability: {p}, optional: true)])}}, {limited}"#
        );
        let report = scene(&graph, "100s");
        let users = report.edges.get("users->a").unwrap().attempts.sent as f64;
        let requests = 1.0 + report.edges.get("a->a").unwrap().attempts.sent as f64 / users;
        let hops = limit.unwrap_or(1_000);
        let exact = (0..=hops).fold((0.0, 1.0), |(sum, each), _| (sum + each, each * p)).0;
        // Of a geometric number: sd sqrt(p) / (1 - p).
        let error = if p < 1.0 { 4.0 * p.sqrt() / (1.0 - p) / users.sqrt() } else { 1e-3 };
        assert!((requests - exact).abs() < error, "{p}, {limit:?}: {requests}, not {exact}");
        // What is known before says the same.
        assert_eq!(offered(&graph), format!("{:.0}/s", 200.0 * exact), "{p}, {limit:?}");
    }
}

/// What `explain` says is offered to the first service.
fn offered(graph: &str) -> String {
    let cell = |row: &crate::report::Table| format!("{:?}", row.rows[0][6]);
    let told = explained(graph);
    let table = told.iter().find(|table| table.title == "Services").expect("it is there");
    cell(table).split('"').nth(1).expect("a text").to_owned()
}

fn explained(graph: &str) -> Vec<crate::report::Table> {
    let text = format!("(about: \"x\", model: ServiceGraph({graph}), run: (duration: \"10s\"))");
    let (experiment, _) =
        Experiment::parse("x", &text, &[], &Catalog::bundled()).unwrap_or_else(|it| panic!("{it}"));
    let resolved = experiment.with(None, &[]).expect("sound");
    resolved.model.explain(&resolved.run).tables
}

/// A queue of exponential work that is joined again with a chance of a half is a product form (Jackson): twice the requests, and each
/// waits as in M/M/1.
#[test]
fn a_queue_with_feedback_is_as_if_arrivals_were_poisson() {
    let report = scene(
        r#"workload: [(to: "a", arrivals: Poisson("30/s"))],
           services: {"a": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "10ms"), calls: [(to: "a", probability: 0.5)])}"#,
        "3000s",
    );
    let service = report.services.get("a").unwrap();
    let there = service.queue_mean + service.utilisation;
    assert!((service.utilisation - 0.6).abs() < 0.01 && (there - 1.5).abs() < 0.1, "{there} of 0.6 / 0.4");
    let mean = report.edges.get("users->a").unwrap().latency.mean.expect("answers") as f64 / 1e6;
    assert!((mean - 50.0).abs() < 3.0, "{mean} ms: two visits of 10 / 0.4");
    assert!(
        report.values.iter().next().is_none(),
        "theory says nothing that it does not know: {:?}",
        report.values
    );
}

/// Of retries in a circle there is a product for as many times as a request may be passed on, and no end without a limit.
#[test]
fn what_is_said_of_the_worst() {
    let graph = |call: &str, limit: &str| {
        format!(
            r#"workload: [(to: "a", arrivals: Poisson("10/s"))],
               services: {{
                   "a": (workers: Async(10), work: "1ms", calls: [(to: "b"{call}), (to: "c", policy: "p")]),
                   "b": (workers: Async(10), work: "1ms", calls: [(to: "a", probability: 0.25, optional: true)]),
                   "c": (workers: Async(10), work: "1ms"),
               }},
               policies: {{"p": (timeout: "1s", retry: Fixed(attempts: 3))}}, {limit}"#
        )
    };
    let worst = |call: &str, limit: &str| -> Vec<String> {
        let tables = explained(&graph(call, limit));
        let calls = tables.into_iter().find(|table| table.title == "Calls").expect("it is there");
        calls
            .rows
            .iter()
            .map(|row| {
                format!("{:?}", row[7]).replace("Text(", "").replace("Count(", "").replace([')', '"'], "")
            })
            .collect()
    };
    // users->a, a->b, a->c, b->a.
    assert_eq!(worst("", ""), ["1", "1", "3", "1"], "nothing is repeated on the way round");
    assert_eq!(worst(r#", policy: "p""#, "hop_limit: 4"), ["1", "9", "9", "9"]);
    assert_eq!(worst(r#", policy: "p""#, ""), ["1", "> 10^19", "> 10^19", "> 10^19"]);
    // 0.25 comes back at the best, and 0.75 if all fail.
    let load = |limit: &str| {
        let tables = explained(&graph(r#", policy: "p""#, limit));
        let services = tables.into_iter().find(|table| table.title == "Services").expect("it is there");
        [6, 7, 8].map(|column| {
            format!("{:?}", services.rows[0][column]).split('"').nth(1).unwrap_or_default().to_owned()
        })
    };
    assert_eq!(load(""), ["13.3/s", "0.1 %", "0.4 %"]);
    assert_eq!(load("hop_limit: 2"), ["12.5/s", "0.1 %", "0.2 %"]);
}

/// What stands in below may be in what comes back, however far round.
#[test]
fn answers_may_be_degraded_all_the_way_round() {
    let report = one(
        r#""a": (workers: Async(9), work: "1ms", calls: [(to: "b")]),
           "b": (workers: Async(9), work: "1ms", calls: [(to: "c")]),
           "c": (workers: Async(9), work: "1ms", calls: [(to: "a", fallback: Default)])"#,
        "hop_limit: 8",
    );
    assert_eq!(told(&report, "c->a"), ([1, 0, 9], [3, 2, 1]));
    let degraded = report.section("degraded", "users->a").expect("it may be");
    assert_eq!(degraded.values.get("answers").and_then(|value| value.value), Some(1.0));
}
