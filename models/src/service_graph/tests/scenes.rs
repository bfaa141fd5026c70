//! Small scenes in which nothing is left to chance: what comes out can be worked out by hand, to the nanosecond.

use crate::Catalog;
use crate::experiment::Experiment;
use crate::policy::Ending;
use crate::report::{Metric, Report, Section, Unit};
use crate::run::{RunOptions, simulate};
use std::ops::ControlFlow;

pub const MILLI: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MILLI;

/// What a graph comes to in so long.
#[track_caller]
pub fn scene(graph: &str, duration: &str) -> Report {
    scene_of(graph, &format!(r#"duration: "{duration}", window: "10s""#))
}

/// The same, measured otherwise.
#[track_caller]
pub fn scene_of(graph: &str, run: &str) -> Report {
    let text = format!("(about: \"a scene\", model: ServiceGraph({graph}), run: ({run}))");
    let read = Experiment::parse("scene.ron", &text, &[], &Catalog::bundled());
    let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}\n{text}"));
    let resolved = experiment.with(None, &[]).expect("sound");
    simulate(&resolved, &RunOptions::seeded(1), &mut |_| ControlFlow::Continue(())).report
}

/// Two wait for one worker: who came first is served first, or last.
#[test]
fn who_is_served_first() {
    // They come at 10, 20 and 30 ms; works end at 35, 60 and 85.
    for (queue, longest) in [("Fifo()", 55), ("SharedFifo()", 55), ("Lifo()", 65)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
                   services: {{"db": (workers: Blocking(1), work: "25ms", queue: {queue})}}"#
            ),
            "10s",
        );
        let latency = &report.edges.get("users->db").unwrap().latency;
        assert_eq!((latency.count, latency.max), (3, Some(longest * MILLI)), "{queue}");
    }
}

/// A back-off that would end after the deadline ends at the deadline, and so does the call.
#[test]
fn a_deadline_cuts_a_back_off_short() {
    for (deadline, ends) in [("3s", 3), ("9s", 9), ("1s", 1)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]), policy: "p")],
                   services: {{"db": (workers: Async(1), work: "10ms")}},
                   policies: {{"p": (timeout: "1s", deadline: "{deadline}", retry: Fixed(attempts: 9, delay: "5s"))}},
                   faults: [(at: "0s", on: "db", effect: BlackHole)]"#
            ),
            "60s",
        );
        let edge = report.edges.get("users->db").unwrap();
        assert_eq!((edge.calls.of(Ending::Deadline), edge.latency_failed.max), (9, Some(ends * SECOND)));
        // The second attempt begins at 6 s.
        assert_eq!(edge.attempts.sent, if ends == 9 { 18 } else { 9 }, "{deadline}");
    }
}

/// What a caller knew of those whom it calls dies with it: its breaker, which was to stay open for an hour, is new.
#[test]
fn a_caller_that_restarts_has_forgotten_what_it_learnt() {
    let calls = |crashes: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", arrivals: Constant("10/s"))],
                   services: {{
                       "shop": (workers: Async(9), work: "1ms", calls: [(to: "pay", policy: "p")]),
                       "pay": (workers: Async(9), work: "1ms"),
                   }},
                   policies: {{"p": (breaker: Consecutive(failures: 3, open_for: "1h"))}},
                   faults: [(at: "0s", for: "10s", on: "pay", effect: Errors()){crashes}]"#
            ),
            "30s",
        );
        let calls = &report.edges.get("shop->pay").unwrap().calls;
        let open = report.section("breakers", "shop->pay").unwrap().series[0].values.clone();
        (calls.failed(), calls.of(Ending::BreakerOpen), calls.ok(), open)
    };
    let (failed, refused, ok, open) = calls("");
    assert_eq!((failed, ok, open), (3, 0, vec![1.0; 3]));
    assert!(refused > 290, "{refused} of 300 calls");
    let (failed, refused, ok, open) = calls(r#", (at: "20s", for: "1s", on: "shop", effect: Crash())"#);
    assert_eq!((failed, open), (3, vec![1.0, 1.0, 0.0]));
    // From 21 s to 30 s.
    assert!((88..=91).contains(&ok) && refused < 200, "{ok} went well, {refused} were refused");
}

/// The user has gone after 50 ms; that the service in between still waits does not make the work below it useful.
#[test]
fn work_for_a_user_who_has_gone_is_wasted_however_deep() {
    for (deadline, wasted) in [("50ms", true), ("500ms", false)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]), policy: "p")],
                   services: {{
                       "shop": (workers: Async(9), work: "10ms", calls: [(to: "pay")]),
                       "pay": (workers: Async(9), work: "100ms"),
                   }},
                   policies: {{"p": (deadline: "{deadline}")}}"#
            ),
            "20s",
        );
        for (name, work) in [("shop", 10), ("pay", 100)] {
            let service = report.services.get(name).unwrap();
            assert_eq!(service.work, 9 * work * MILLI, "{name}");
            assert_eq!(service.work_wasted, if wasted { service.work } else { 0 }, "{name}, {deadline}");
        }
    }
}

/// Two of two workers busy, with a contention of one: each work takes `1 + 1 (2 - 1)` times as long.
#[test]
fn work_is_stretched_by_all_that_are_busy_its_own_included() {
    for (users, stretched) in [(1, 10), (2, 20), (3, 30)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", arrivals: ClosedLoop(users: {users}, think: "0s"))],
                   services: {{"db": (workers: Blocking(3), work: "10ms", scaling: Usl(contention: 1))}}"#
            ),
            "10s",
        );
        let latency = &report.edges.get("users->db").unwrap().latency;
        assert_eq!(latency.max, Some(stretched * MILLI), "{users} at once");
    }
}

/// Each of ten clients has a breaker of its own, and calls.
#[test]
fn every_client_calls() {
    let report = scene(
        r#"workload: [(to: "db", arrivals: Constant("10/s"), clients: 10, policy: "p")],
           services: {"db": (workers: Async(9), work: "1ms", error_rate: 1)},
           policies: {"p": (breaker: Consecutive(failures: 1, open_for: "1h"))}"#,
        "60s",
    );
    let edge = report.edges.get("users->db").unwrap();
    let breakers = report.section("breakers", "users->db").expect("they are told of");
    let mut opened: Vec<u32> = breakers.changes.iter().filter_map(|change| change.of).collect();
    opened.sort_unstable();
    assert_eq!(opened, (0..10).collect::<Vec<_>>());
    assert_eq!((edge.calls.failed(), edge.attempts.sent), (10, 10));
}

/// Whoever lists or checks metrics knows them before anything runs.
#[test]
fn what_is_measured_is_declared() {
    let text = r#"(about: "a scene", run: (duration: "20s", window: "10s"), model: ServiceGraph(
        workload: [(to: "front", arrivals: Constant("10/s"), policy: "p")],
        services: {
            "front": (workers: Async(9), work: "1ms", calls: [(to: "db", policy: "p"), (to: "plain")]),
            "db": (workers: Async(9), work: "1ms", error_rate: 1),
            "plain": (workers: Async(9), work: "1ms"),
        },
        policies: {"p": (breaker: Consecutive())},
    ))"#;
    let read = Experiment::parse("scene.ron", text, &[], &Catalog::bundled());
    let resolved = read.unwrap_or_else(|failed| panic!("{failed}")).0.with(None, &[]).expect("sound");
    let report = simulate(&resolved, &RunOptions::seeded(1), &mut |_| ControlFlow::Continue(())).report;
    let outline = |sections: &[Section]| -> Vec<_> {
        let names = |it: &Section| it.values.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        let lines = |it: &Section| it.series.iter().map(|line| line.name.clone()).collect::<Vec<_>>();
        sections.iter().map(|it| (it.kind.clone(), it.at.clone(), names(it), lines(it))).collect()
    };
    let declared = resolved.model.sections(&resolved.run);
    assert_eq!(outline(&declared), outline(&report.sections));
    let places: Vec<&str> = declared.iter().map(|section| section.at.as_str()).collect();
    assert_eq!(places, ["users->front", "front->db"]);
    assert_eq!(report.metric(r#"breakers["front->db"].opened"#), Ok(Metric::Number(1.0, Unit::Plain)));
}

/// A user's pauses differ from each other: equal ones would call equally often in every window.
#[test]
fn a_user_does_not_repeat_its_pauses() {
    let report = scene(
        r#"workload: [(to: "db", arrivals: ClosedLoop(users: 1, think: Uniform(low: "0s", high: "2s")))],
           services: {"db": (workers: Async(1), work: "1ms")}"#,
        "1000s",
    );
    let started = &report.edges.get("users->db").unwrap().windows.started;
    let (least, most) = (started.iter().min().unwrap(), started.iter().max().unwrap());
    assert!(most - least >= 4, "between {least} and {most} calls in ten seconds");
    let calls: u64 = started.iter().sum();
    // The mean pause is a second, give or take 4 x 0.58 / sqrt(1000).
    assert!((930..=1_080).contains(&calls), "{calls} calls in 1000 s");
}

/// A closed form is claimed for what it is about: the p99 of first come, first served is not that of last come.
#[test]
fn an_exact_p99_is_claimed_of_first_come_first_served_only() {
    for (queue, claims) in [("Fifo", true), ("SharedFifo", true), ("Lifo", false)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Poisson("50/s"))],
                   services: {{"db": (workers: Blocking(1), work: Exponential(mean: "10ms"), queue: {queue}(capacity: Unbounded))}}"#
            ),
            "10s",
        );
        assert!(report.values.get("response_mean").is_some(), "{queue}: Little's law knows no order");
        assert_eq!(report.values.get("response_p99").is_some(), claims, "{queue}");
    }
}
