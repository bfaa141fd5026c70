//! Callees that call back, by hand.

use super::scenes::{MILLI, scene};
use crate::Catalog;
use crate::experiment::Experiment;
use crate::policy::{Ending, Outcome};
use crate::report::{Cell, Report};
use crate::run::RunOptions;
use crate::trace::{Selection, SpanKind, collect};
use std::ops::ControlFlow;

/// One request at 1 s, of so many replicas in turn: 1 ms of work, and a payment that takes 10 ms to be accepted. Whatever takes a
/// callback works 1 ms for it, too.
fn one(replicas: u32, callback: &str, more: &str) -> Report {
    pays(replicas, &format!("callback: ({callback})"), "", more)
}

fn pays(replicas: u32, call: &str, service: &str, more: &str) -> Report {
    let workers = if service.contains("workers") { "" } else { "workers: Async(9), " };
    let policies = if more.contains("policies") { "" } else { r#"policies: {"u": (), "p": (), "c": ()},"# };
    scene(
        &format!(
            r#"workload: [(to: "orders", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]), policy: "u")],
               services: {{
                   "orders": (replicas: {replicas}, {workers}work: "1ms", {service} calls: [(to: "payments", policy: "p", {call})]),
                   "payments": (workers: Async(9), work: "10ms"),
               }},
               {policies}
               {more}"#
        ),
        "30s",
    )
}

const ASKS: &str = "orders->payments";
const BACK: &str = "payments->orders/callback";

fn of(report: &Report, name: &str) -> f64 {
    let section = report.section("callbacks", ASKS).expect("it is told");
    section.values.get(name).and_then(|value| value.value).unwrap_or(f64::NAN)
}

/// found, missed, not found, late, duplicates, lost.
fn counts(report: &Report) -> [u32; 6] {
    ["found", "missed", "not_found", "late", "duplicates", "lost"].map(|name| of(report, name) as u32)
}

/// How many users' calls ended so, and in how many milliseconds the last of them did.
fn users(report: &Report) -> (u64, u64, u64) {
    let edge = report.edges.get("users->orders").unwrap();
    let last = edge.latency.max.max(edge.latency_failed.max).unwrap_or(0);
    (edge.calls.ok(), edge.calls.failed() + edge.calls.of(Ending::Deadline), last / MILLI)
}

/// From 1 s on: 1 ms of work, 10 ms until it is accepted, 100 ms, and 1 ms of work on the callback.
#[test]
fn a_request_goes_on_when_its_callback_has_reached_it() {
    let report = one(1, r#"after: "100ms", within: "1s""#, "");
    assert_eq!((users(&report), counts(&report)), ((1, 0, 112), [1, 0, 0, 0, 0, 0]));
    assert_eq!(of(&report, "took_mean"), 111.0 * MILLI as f64, "from the call on");
    assert_eq!(of(&report, "found_share"), 1.0);
    let (asks, back) = (report.edges.get(ASKS).unwrap(), report.edges.get(BACK).unwrap());
    assert_eq!((asks.calls.ok(), asks.latency.max), (1, Some(10 * MILLI)), "it is accepted");
    assert_eq!((back.calls.ok(), back.latency.max), (1, Some(MILLI)));
    assert_eq!(report.services.get("orders").unwrap().arrived, 2, "a callback is a request like any other");
    // Work of its own, and a network of its own.
    let report = one(1, r#"after: "100ms", within: "1s", work: "7ms", network: "20ms""#, "");
    assert_eq!(users(&report), (1, 0, 138), "the request goes on before the sender has its answer");
    assert_eq!(report.edges.get(BACK).unwrap().latency.max, Some(47 * MILLI));
    // What comes next is done then.
    let report = pays(1, r#"times: 3, callback: (after: "100ms", within: "1s")"#, "", "");
    assert_eq!((users(&report), counts(&report)), ((1, 0, 334), [3, 0, 0, 0, 0, 0]));
}

/// The second of two replicas takes what the first has asked for: its own turn begins with one of the two, by luck.
#[test]
fn another_replica_does_not_know_of_it() {
    let of_two = |callback: &str, policies: &str| {
        let report = one(2, callback, policies);
        let back = report.edges.get(BACK).unwrap();
        let ends = [Outcome::Ok, Outcome::Error].map(|outcome| back.attempts.of(outcome));
        (users(&report), counts(&report), ends)
    };
    let policies = |c: &str| format!(r#"policies: {{"u": (), "p": (), "c": ({c})}},"#);
    let mut seen = [0; 2];
    for balancer in ["RoundRobin", "Random"] {
        let c = format!("balancer: {balancer}");
        let (users, counts, ends) = of_two(r#"after: "100ms", within: "1s", policy: "c""#, &policies(&c));
        seen[counts[0] as usize] += 1;
        match counts[0] {
            1 => assert_eq!((users, counts, ends), ((1, 0, 112), [1, 0, 0, 0, 0, 0], [1, 0])),
            _ => assert_eq!((users, counts, ends), ((0, 1, 1011), [0, 1, 1, 0, 0, 1], [0, 1])),
        }
        // Delivered again, in turn: to the other, 50 ms later. That it was not found is an error like any other.
        let again = policies(&format!("{c}, retry: Fixed(attempts: 9, delay: \"50ms\")"));
        let (users, counts, _) = of_two(r#"after: "100ms", within: "1s", policy: "c""#, &again);
        assert_eq!((users.0, counts[0], counts[5]), (1, 1, 0), "{balancer}");
        if balancer == "RoundRobin" && seen[0] == 1 {
            assert_eq!((users, counts), ((1, 0, 163), [1, 0, 1, 0, 0, 0]));
        }
    }
    for state in ["Sticky", "Shared"] {
        for balancer in ["RoundRobin", "Random", "LeastPending", "PowerOfTwo"] {
            let callback = format!(r#"after: "100ms", within: "1s", policy: "c", state: {state}"#);
            let (users, counts, _) = of_two(&callback, &policies(&format!("balancer: {balancer}")));
            assert_eq!((users, counts), ((1, 0, 112), [1, 0, 0, 0, 0, 0]), "{state}, {balancer}");
        }
    }
}

/// What works until the instant at which nobody waits any more has ended before.
#[test]
fn whoever_waits_long_enough_is_reached() {
    for (within, expected) in [
        ("101ms", ((1, 0, 112), [1, 0, 0, 0, 0, 0])),
        ("100ms", ((0, 1, 111), [0, 1, 0, 1, 0, 0])),
        ("30ms", ((0, 1, 41), [0, 1, 0, 1, 0, 0])),
    ] {
        let report = one(1, &format!(r#"after: "100ms", within: "{within}""#), "");
        assert_eq!((users(&report), counts(&report)), expected, "{within}");
        assert_eq!(report.edges.get(BACK).unwrap().calls.ok(), 1, "who is late is told nothing else");
    }
}

/// The acceptance is still on its way: the request needs both.
#[test]
fn a_callback_may_come_before_the_acceptance() {
    let report = pays(1, r#"network: "50ms", callback: (after: "0s", within: "1s")"#, "", "");
    assert_eq!((users(&report), counts(&report)), ((1, 0, 111), [1, 0, 0, 0, 0, 0]));
    assert_eq!(of(&report, "took_mean"), 61.0 * MILLI as f64);
    // It never comes.
    let lost = r#"policies: {"u": (), "p": (timeout: "80ms"), "c": ()}, faults: [(at: "1060ms", on: "orders->payments", effect: Drop())]"#;
    let report = pays(1, r#"network: "50ms", callback: (after: "0s", within: "1s")"#, "", lost);
    assert_eq!((users(&report), counts(&report)), ((0, 1, 81), [1, 0, 0, 0, 0, 0]), "the call has failed");
}

/// A call that was given up may have been accepted, and one that is made again is accepted again.
#[test]
fn what_was_accepted_is_called_back_whoever_heard_of_it() {
    let policies = |p: &str| format!(r#"policies: {{"u": (), "p": ({p}), "c": ()}}"#);
    for (call, p, expected) in [
        ("", r#"timeout: "5ms""#, ((0, 1, 6), [0, 0, 0, 1, 0, 0])),
        ("", r#"timeout: "5ms", retry: Fixed(attempts: 2)"#, ((0, 1, 11), [0, 0, 0, 2, 0, 0])),
        ("optional: true, ", r#"timeout: "5ms""#, ((1, 0, 6), [0, 0, 0, 1, 0, 0])),
        ("", r#"hedge: (after: "5ms")"#, ((1, 0, 112), [1, 0, 0, 0, 1, 0])),
        ("fallback: Default, ", r#"timeout: "5ms""#, ((1, 0, 6), [0, 0, 0, 1, 0, 0])),
    ] {
        let call = format!(r#"{call}callback: (after: "100ms", within: "1s")"#);
        let report = pays(1, &call, "", &policies(p));
        assert_eq!((users(&report), counts(&report)), expected, "{call} {p}");
    }
    // What is kept under a key is told again, and not done again: nor is it called back again.
    let keyed = scene(
        r#"workload: [(to: "orders", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]))],
           services: {
               "orders": (workers: Async(9), work: "1ms", idempotency: Key(), calls: [(to: "payments", policy: "p", callback: (after: "100ms", within: "1s", policy: "c"))]),
               "payments": (workers: Async(9), work: "10ms", idempotency: Key()),
           },
           policies: {"p": (timeout: "30ms", retry: Fixed(attempts: 2)), "c": (retry: Fixed(attempts: 2, delay: "50ms"), timeout: "1s")},
           faults: [
               (at: "1005ms", for: "10ms", on: "orders->payments", effect: Drop()),
               (at: "1110ms", for: "10ms", on: "orders", effect: Errors()),
           ]"#,
        "30s",
    );
    assert_eq!(keyed.edges.get(ASKS).unwrap().attempts.of(Outcome::TimedOut), 1);
    let back = keyed.edges.get(BACK).unwrap();
    assert_eq!((back.calls.ok(), back.attempts.sent), (1, 2), "the key is not that of callbacks");
    assert_eq!(counts(&keyed), [1, 0, 0, 0, 0, 0]);
}

/// It waits in vain: what stands in, and what else the request has at stake.
#[test]
fn a_callback_that_does_not_come_is_a_call_that_has_failed() {
    let back = r#"callback: (after: "100ms", within: "30ms")"#;
    for (call, expected) in [
        (format!("fallback: Default, {back}"), (1, 0, 41)),
        (format!("optional: true, {back}"), (1, 0, 41)),
        (format!("probability: 0, {back}"), (1, 0, 1)),
        (back.to_owned(), (0, 1, 41)),
    ] {
        let report = pays(1, &call, "", "");
        assert_eq!(users(&report), expected, "{call}");
        let made = u32::from(!call.contains("probability"));
        assert_eq!(counts(&report), [0, made, 0, made, 0, 0], "{call}");
    }
}

/// Of two calls at once the other fails, and the request with it.
#[test]
fn a_request_that_ends_waits_for_no_callback() {
    for (fail, took) in [("Fast", 6), ("AtEnd", 111)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "orders", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]))],
                   services: {{
                       "orders": (workers: Async(9), work: "1ms", calls: [Parallel(calls: [
                           (to: "payments", callback: (after: "100ms", within: "99ms")), (to: "stock"),
                       ], fail: {fail})]),
                       "payments": (workers: Async(9), work: "1ms"),
                       "stock": (workers: Async(9), work: "5ms", error_rate: 1),
                   }}"#
            ),
            "30s",
        );
        let missed = u32::from(fail == "AtEnd");
        assert_eq!(users(&report), (0, 1, if missed > 0 { 101 } else { took }), "{fail}");
        assert_eq!(counts(&report), [0, missed, 0, 1, 0, 0], "{fail}");
    }
}

/// Users who give up, and say so or not.
#[test]
fn whoever_asked_may_have_gone() {
    let policies = |u: &str| format!(r#"policies: {{"u": ({u}), "p": (), "c": ()}}"#);
    let call = r#"callback: (after: "100ms", within: "1s")"#;
    for (u, on_cancel, expected) in [
        (r#"timeout: "50ms""#, "Stop", [1, 0, 0, 0, 0, 0]),
        (r#"deadline: "50ms""#, "Stop", [1, 0, 0, 0, 0, 0]),
        (r#"timeout: "50ms", cancel: Always"#, "Ignore", [1, 0, 0, 0, 0, 0]),
        (r#"timeout: "50ms", cancel: Always"#, "Leave", [1, 0, 0, 0, 0, 0]),
        (r#"timeout: "50ms", cancel: Always"#, "Stop", [0, 0, 0, 1, 0, 0]),
    ] {
        let report = pays(1, call, &format!("on_cancel: {on_cancel}, "), &policies(u));
        assert_eq!((users(&report), counts(&report)), ((0, 1, 50), expected), "{u} {on_cancel}");
        assert_eq!(report.services.get("orders").unwrap().called_off, u64::from(expected[3] == 1));
    }
}

/// Who crashes has forgotten: a replica its requests, a callee its callbacks.
#[test]
fn a_crash_of_either_side() {
    let crash = |on: &str, at: &str, length: &str| {
        format!(r#"faults: [(at: "{at}", for: "{length}", on: "{on}", effect: Crash())]"#)
    };
    for (state, on, at, length, expected) in [
        // Before it calls: nothing is asked for.
        ("Local", "orders", "1000500us", "10ms", ((0, 1, 0), [0, 0, 0, 0, 0, 0])),
        // Up again when the callback comes, and down.
        ("Local", "orders", "1050ms", "10ms", ((0, 1, 50), [0, 0, 1, 0, 0, 1])),
        ("Sticky", "orders", "1050ms", "10ms", ((0, 1, 50), [0, 0, 1, 0, 0, 1])),
        // The store knows of it, and nobody waits.
        ("Shared", "orders", "1050ms", "10ms", ((0, 1, 50), [0, 0, 0, 1, 0, 0])),
        ("Local", "orders", "1050ms", "1s", ((0, 1, 50), [0, 0, 0, 0, 0, 1])),
        // The callback itself is lost with whoever works on it.
        ("Local", "orders", "1111500us", "10ms", ((0, 1, 111), [0, 0, 0, 0, 0, 1])),
        // The callee: before it accepts, when it has, and when it has called back.
        ("Local", "payments", "1005ms", "10ms", ((0, 1, 5), [0, 0, 0, 0, 0, 0])),
        ("Local", "payments", "1050ms", "10ms", ((0, 1, 1011), [0, 1, 0, 0, 0, 1])),
        ("Shared", "payments", "1050ms", "1s", ((0, 1, 1011), [0, 1, 0, 0, 0, 1])),
        ("Local", "payments", "1150ms", "10ms", ((1, 0, 112), [1, 0, 0, 0, 0, 0])),
        // Its call is over with it; what is on its way arrives.
        ("Local", "payments", "1111500us", "10ms", ((1, 0, 112), [1, 0, 0, 0, 0, 1])),
    ] {
        let report =
            one(1, &format!(r#"after: "100ms", within: "1s", state: {state}"#), &crash(on, at, length));
        assert_eq!((users(&report), counts(&report)), expected, "{state}: {on} at {at} for {length}");
    }
}

/// Who holds its worker while it waits leaves none for what it waits for.
#[test]
fn a_callback_waits_for_a_worker_like_anybody() {
    let call = r#"callback: (after: "100ms", within: "1s")"#;
    for (workers, expected) in [
        ("Async(1)", ((1, 0, 112), [1, 0, 0, 0, 0, 0])),
        ("Blocking(2)", ((1, 0, 112), [1, 0, 0, 0, 0, 0])),
        ("Blocking(1)", ((0, 1, 1011), [0, 1, 0, 1, 0, 0])),
        ("ProcessorSharing(at_once: 5)", ((1, 0, 112), [1, 0, 0, 0, 0, 0])),
    ] {
        let report = pays(1, call, &format!("workers: {workers}, "), "");
        assert_eq!((users(&report), counts(&report)), expected, "{workers}");
    }
    // Behind one queue for all whoever is free takes it: the first, who has asked, as he is the only one who works.
    let report = pays(3, call, r#"queue: SharedFifo(), "#, "");
    assert_eq!((users(&report), counts(&report)), ((1, 0, 112), [1, 0, 0, 0, 0, 0]));
}

/// It is an edge like any other: it has a name, a network that faults strike, and a place for a policy.
#[test]
fn what_calls_back_is_an_edge() {
    let lost = r#"policies: {"u": (), "p": (), "c": (timeout: "1s")}, faults: [(at: "0s", on: "payments->orders/callback", effect: Drop())]"#;
    let report = one(1, r#"after: "100ms", within: "500ms", policy: "c""#, lost);
    assert_eq!((users(&report), counts(&report)), ((0, 1, 511), [0, 1, 0, 0, 0, 1]));
    assert_eq!(report.edges.get(BACK).unwrap().attempts.of(Outcome::TimedOut), 1);
    assert_eq!(report.edges.get(ASKS).unwrap().calls.ok(), 1, "what is struck is the way back alone");
    let text = r#"(about: "two call sites", model: ServiceGraph(
        workload: [(to: "orders", arrivals: Constant("10/s"))],
        services: {
            "orders": (workers: Async(9), work: "1ms", calls: [
                (to: "payments", policy: "p", callback: (after: "50ms", within: "1s", policy: "c")),
                (to: "payments", times: 2, callback: (after: "50ms", within: "1s")),
                (to: "stock", fallback: Call(to: "payments", policy: "p")),
            ]),
            "payments": (workers: Async(9), work: "1ms", calls: [(to: "stock")], health: ()),
            "stock": (workers: Async(9), work: "1ms"),
        },
        policies: {"p": (timeout: "1s", retry: Fixed(attempts: 2)), "c": (timeout: "1s", retry: Fixed(attempts: 3))},
    ), run: (duration: "10s"))"#;
    let (experiment, _) = Experiment::parse("x", text, &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    let seats = resolved.model.seats();
    let seats: Vec<_> =
        seats.iter().map(|seat| (seat.edge.as_str(), seat.path.as_str(), seat.attempts)).collect();
    assert_eq!(
        seats,
        [
            ("users->orders", "workload[0].policy", 1),
            ("orders->payments", "services.orders.calls[0].policy", 2),
            ("orders->payments#2", "services.orders.calls[1].policy", 1),
            ("orders->stock", "services.orders.calls[2].policy", 1),
            ("orders->payments#3", "services.orders.calls[2].fallback.policy", 2),
            ("payments->stock", "services.payments.calls[0].policy", 1),
            (BACK, "services.orders.calls[0].callback.policy", 3),
            ("payments->orders/callback#2", "services.orders.calls[1].callback.policy", 1),
        ]
    );
    let drawn = resolved.model.diagram();
    let later: Vec<_> = drawn.links.iter().filter(|link| link.later).map(|link| link.name.as_str()).collect();
    assert_eq!(later, [BACK, "payments->orders/callback#2"]);
    assert!(drawn.links.iter().any(|link| !link.later && link.facts.contains(&"called back".to_owned())));
    // Ten requests a second, and three callbacks for each; each attempt that may be accepted is called back.
    let told = resolved.model.explain(&resolved.run);
    let services = told.tables.iter().find(|table| table.title == "Services").expect("it is there");
    let orders = &services.rows[0];
    assert_eq!(orders[6], "40.0/s".into());
    // 10 users, 20 attempts of the first call and 20 of the second, of which the first are called back three times.
    assert_eq!(orders[8], Cell::Text(crate::words::percent((10.0 + 3.0 * 20.0 + 20.0) / 9000.0)));
    let calls = told.tables.iter().find(|table| table.title == "Calls").expect("it is there");
    let back = calls.rows.iter().find(|row| row[0] == BACK.into()).expect("a row");
    assert_eq!((&back[3], &back[7]), (&"calls back".into(), &6u64.into()));
    assert!(told.notes.iter().any(|note| note.contains("waits up to 1s for a callback")), "{:?}", told.notes);
    assert!(!told.notes.iter().any(|note| note.contains("/callback#2 waits for ever")), "nobody is held");
}

/// It stands in the waiting of the request that asked for it, beside the call.
#[test]
fn a_trace_shows_who_called_back() {
    let text = r#"(about: "one", model: ServiceGraph(
        workload: [(to: "orders", arrivals: Constant("1/s"))],
        services: {
            "orders": (workers: Async(9), work: "1ms", calls: [(to: "payments", callback: (after: "100ms", within: "1s"))]),
            "payments": (workers: Async(9), work: "10ms"),
        }, network: "2ms"), run: (duration: "5s"))"#;
    let (experiment, _) = Experiment::parse("x", text, &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    let selection = Selection { calls: vec![1], ..Selection::default() };
    let output = collect(&resolved, &RunOptions::seeded(1), selection, &mut |_| ControlFlow::Continue(()));
    let spans = &output.traces[0].spans;
    let start = spans[0].from;
    let calls: Vec<_> = spans
        .iter()
        .filter(|span| span.kind == SpanKind::Call)
        .map(|span| {
            let at = |time: u64| (time - start) / MILLI;
            let above = span.parent.map(|parent| spans[parent as usize].kind);
            (span.at.as_str(), above, at(span.from), at(span.to.expect("it ended")), span.outcome.as_str())
        })
        .collect();
    let waiting = Some(SpanKind::Waiting);
    assert_eq!(
        calls,
        [
            ("users->orders", None, 0, 120, "ok"),
            (ASKS, waiting, 3, 17, "ok"),
            // The request goes on when it has been worked on, and the sender hears of it when the user does.
            (BACK, waiting, 115, 120, "ok"),
        ]
    );
    assert!(spans.iter().all(|span| !span.wasted));
}

/// Many requests: shares of equal replicas, deliveries, and a ring that both go by.
#[test]
fn what_finds_its_request_is_what_is_known_of_independent_choices() {
    let many = |replicas: u32, state: &str, c: &str, u: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "orders", arrivals: Poisson("500/s"), policy: "u", keys: Zipf(count: 1000))],
                   services: {{
                       "orders": (replicas: {replicas}, workers: Async(9), work: "10us", calls: [(to: "payments", callback:
                           (after: Exponential(mean: "20ms"), within: "2s", state: {state}, policy: "c"))]),
                       "payments": (workers: Async(99), work: "1ms"),
                   }},
                   policies: {{"u": (balancer: {u}), "c": ({c})}}"#
            ),
            "40s",
        );
        of(&report, "found_share")
    };
    let again =
        |attempts: u32| format!("balancer: Random, retry: Fixed(attempts: {attempts}, delay: \"1ms\")");
    for (replicas, attempts) in [(2, 1), (2, 3), (5, 1), (5, 4), (1, 1)] {
        let n = f64::from(replicas);
        let exact = 1.0 - (0..attempts).fold(1.0, |missed, _| missed * (1.0 - 1.0 / n));
        let found = many(replicas, "Local", &again(attempts), "RoundRobin");
        // Four standard errors of 20,000.
        let error = (exact * (1.0 - exact) / 20_000.0_f64).sqrt();
        assert!(
            (found - exact).abs() <= 4.0 * error,
            "{replicas} replicas, {attempts}: {found}, not {exact}"
        );
    }
    let ring = "ConsistentHash(by: Key)";
    assert_eq!(many(5, "Local", &format!("balancer: {ring}"), ring), 1.0, "both go where the key is");
    assert!(many(5, "Local", &format!("balancer: {ring}"), "Random") < 0.25);
    assert_eq!(many(5, "Sticky", "balancer: Random", "Random"), 1.0);
}
