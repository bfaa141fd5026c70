//! Users who come again, and users who need several calls, by hand.

use super::scenes::{MILLI, scene};
use crate::Catalog;
use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::{RunOptions, simulate};
use sim_core::Limits;
use std::ops::ControlFlow;

fn told(report: &Report, name: &str) -> f64 {
    let section = report.section("reloads", "users->web").expect("users come again");
    section.values.get(name).and_then(|value| value.value).unwrap_or(f64::NAN)
}

/// A user a second, from 1 s to 9 s, who meets errors until 3.5 s.
fn nine_users(reload: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "web", {reload}
                   arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
               services: {{"web": (workers: Async(9), work: "100ms")}},
               faults: [(at: "0s", for: "3500ms", on: "web", effect: Errors())]"#
        ),
        "30s",
    )
}

/// Those of 1, 2 and 3 s are told of an error after 100 ms, and load again 1 s later each time.
#[test]
fn whoever_was_not_served_comes_again() {
    let report = nine_users(r#"reload: (after: "1s"),"#);
    // At 1, 2.1, 3.2, 4.3; at 2, 3.1, 4.2; at 3, 4.1.
    let edge = report.edges.get("users->web").unwrap();
    assert_eq!((edge.calls.started, edge.calls.ok(), edge.calls.failed()), (9 + 3 + 2 + 1, 9, 6));
    for (name, value) in [
        ("users", 9.0),
        ("served", 9.0),
        ("served_share", 1.0),
        ("served_at_once", 6.0),
        ("gave_up", 0.0),
        ("loads_mean", 15.0 / 9.0),
        // 3.4, 2.3 and 1.2 s, and six times 0.1 s.
        ("until_served", (6_900 + 600) as f64 * MILLI as f64 / 9.0),
        // Six seconds in thirty.
        ("away_mean", 6.0 / 30.0),
    ] {
        assert!((told(&report, name) - value).abs() < 1e-6, "{name}: {}", told(&report, name));
    }
    // A user who came to the end of a window of 10 s is away no more.
    let away = &report.section("reloads", "users->web").unwrap().series[0].values;
    assert_eq!(away, &[0.0, 0.0, 0.0]);
    assert!(nine_users("").section("reloads", "users->web").is_none());
}

/// After two loads the first has had enough, and the second has not.
#[test]
fn whoever_has_had_enough_gives_up() {
    for (times, served, gave_up, calls) in [(1, 7.0, 2.0, 12), (2, 8.0, 1.0, 14), (3, 9.0, 0.0, 15)] {
        let report = nine_users(&format!(r#"reload: (after: "1s", times: {times}),"#));
        assert_eq!((told(&report, "served"), told(&report, "gave_up")), (served, gave_up), "{times}");
        assert_eq!(report.edges.get("users->web").unwrap().calls.started, calls, "{times}");
    }
    let report = nine_users(r#"reload: (after: "1s", probability: 0),"#);
    assert_eq!((told(&report, "served"), told(&report, "gave_up")), (6.0, 3.0));
}

/// Whose patience ends loads again; what was begun for the first load goes on.
#[test]
fn what_went_on_for_the_first_load_goes_on() {
    let report = scene(
        r#"workload: [(to: "web", policy: "p", reload: (after: "10ms", times: 1),
               arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
           services: {"web": (workers: Async(9), work: "100ms")},
           policies: {"p": (deadline: "50ms", retry: Fixed(attempts: 3))}"#,
        "30s",
    );
    let edge = report.edges.get("users->web").unwrap();
    assert_eq!((edge.calls.started, edge.attempts.sent, edge.attempts.retries), (18, 18, 0), "no retries");
    assert_eq!((told(&report, "gave_up"), told(&report, "loads_mean")), (9.0, 2.0));
    assert_eq!(report.services.get("web").unwrap().work_wasted, 18 * 100 * MILLI);
}

/// A closed-loop user thinks when served or when it has had enough, and not between two loads.
#[test]
fn whoever_thinks_does_so_after_the_last_load() {
    let report = scene(
        r#"workload: [(to: "web", reload: (after: "1s", times: 2), arrivals: ClosedLoop(users: 1, think: "7s"))],
           services: {"web": (workers: Async(1), work: "1s", error_rate: 1)}"#,
        "60s",
    );
    // Loads at 7, 9 and 11 s, over at 12; then at 19, 21, 23; 31, 33, 35; 43, 45, 47; 55, 57, 59.
    assert_eq!(report.edges.get("users->web").unwrap().calls.started, 15);
    assert_eq!((told(&report, "users"), told(&report, "gave_up")), (5.0, 4.0));
}

fn of_sessions(report: &Report, name: &str) -> f64 {
    let section = report.section("sessions", "users->web").expect("users make several calls");
    section.values.get(name).and_then(|value| value.value).unwrap_or(f64::NAN)
}

/// A user a second, from 1 s to 9 s, who makes three calls of 100 ms, 1 s apart: the first is over after 2.3 s. Until 3.5 s all fail.
#[test]
fn a_session_ends_with_its_first_failure_or_goes_on() {
    for (on_failure, otherwise, calls, completed) in
        [("Abandon", "abandoned", 6 * 3 + 3, 6.0), ("GoOn", "failed", 27, 6.0)]
    {
        let report =
            nine_users(&format!(r#"session: (calls: Fixed(3), think: "1s", on_failure: {on_failure}),"#));
        assert_eq!(report.edges.get("users->web").unwrap().calls.started, calls, "{on_failure}");
        for (name, value) in [
            ("begun", 9.0),
            ("completed", completed),
            (otherwise, 3.0),
            ("share", 6.0 / 9.0),
            ("goodput", 6.0 / 30.0),
            ("calls_mean", calls as f64 / 9.0),
            ("time_mean", 2_300.0 * MILLI as f64),
        ] {
            let told = of_sessions(&report, name);
            assert!((told - value).abs() < 1e-6, "{on_failure}, {name}: {told}");
        }
        let section = report.section("sessions", "users->web").unwrap();
        // Those of 1, 2 and 3 s end with their first call, or go on to 5.3; those of 8 and 9 s end after 10 s.
        assert_eq!(section.series[0].values, [7.0, 2.0, 0.0], "{on_failure}");
        assert_eq!(section.series[1].values, [4.0, 2.0, 0.0], "{on_failure}");
    }
    assert!(nine_users("").section("sessions", "users->web").is_none());
}

/// A call that is loaded again is one call of its session: at 1, 2.1, 3.2 and 4.3 s the first, at 5.4 and 6.5 s the others.
#[test]
fn a_call_of_a_session_may_be_loaded_again() {
    let report = nine_users(r#"reload: (after: "1s"), session: (calls: Fixed(3), think: "1s"),"#);
    let edge = report.edges.get("users->web").unwrap();
    assert_eq!((edge.calls.started, edge.calls.ok(), edge.calls.failed()), (27 + 6, 27, 6));
    assert_eq!((of_sessions(&report, "completed"), of_sessions(&report, "abandoned")), (9.0, 0.0));
    // 5.6, 4.5 and 3.4 s, and six of 2.3.
    let mean = (5_600 + 4_500 + 3_400 + 6 * 2_300) as f64 / 9.0 * MILLI as f64;
    assert!((of_sessions(&report, "time_mean") - mean).abs() < 1.0);
    let of_reloads = |report: &Report| report.notes.iter().find(|note| note.contains("`reloads`")).cloned();
    let note = of_reloads(&report).expect("of loads");
    assert!(note.ends_with("`reloads` counts calls of sessions"), "{note}");
    let note = of_reloads(&nine_users(r#"reload: (after: "1s"),"#)).expect("of loads");
    assert!(note.ends_with("`reloads` counts users"), "{note}");
    // Of each call it is asked whether it was served, and of each how long that took.
    assert_eq!(
        (told(&report, "users"), told(&report, "served"), told(&report, "served_at_once")),
        (27.0, 27.0, 24.0)
    );
    assert!((told(&report, "until_served") - (6_900 + 24 * 100) as f64 * MILLI as f64 / 27.0).abs() < 1.0);
    let report = nine_users(r#"reload: (after: "1s", times: 1), session: (calls: Fixed(3), think: "1s"),"#);
    assert_eq!((of_sessions(&report, "completed"), of_sessions(&report, "abandoned")), (7.0, 2.0));
}

/// A closed-loop user thinks after the session, and pauses within it.
#[test]
fn who_thinks_does_so_after_the_session() {
    let report = scene(
        r#"workload: [(to: "web", session: (calls: Fixed(3), think: "1s"), arrivals: ClosedLoop(users: 1, think: "7s"))],
           services: {"web": (workers: Async(1), work: "1s")}"#,
        "60s",
    );
    // Calls at 7, 9 and 11 s, over at 12; then at 19, 21, 23; 31, 33, 35; 43, 45, 47; 55, 57, 59.
    assert_eq!(report.edges.get("users->web").unwrap().calls.started, 15);
    assert_eq!((of_sessions(&report, "begun"), of_sessions(&report, "completed")), (5.0, 4.0));
    assert_eq!(of_sessions(&report, "time_mean"), 5_000.0 * MILLI as f64);
}

/// Two users to whom a limit gives two tokens, and who come back sooner than the next: what was not to be known before ends the run, and says what to do.
#[test]
fn who_never_thinks_and_is_refused_stops_the_clock() {
    let text = r#"(about: "a loop", model: ServiceGraph(
        workload: [(name: "job", to: "db", policy: "p", arrivals: ClosedLoop(users: 2, think: "0s"))],
        services: {"db": (workers: Async(2), work: "10ms")},
        policies: {"p": (rate_limit: TokenBucket(rate: "10/s", burst: 2))},
    ), run: (duration: "10s"))"#;
    let (experiment, _) = Experiment::parse("scene.ron", text, &[], &Catalog::bundled()).expect("it may be");
    let resolved = experiment.with(None, &[]).expect("sound");
    let limits = Limits { events_at_one_instant: 10_000, ..Limits::default() };
    let options = RunOptions { limits, ..RunOptions::seeded(1) };
    let stopped = simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report.stopped;
    let said = "time stands still at 10ms: users call over job->db again and again without a pause, and each call ends at once: give them a `think` above 0";
    assert_eq!(stopped.as_deref(), Some(said));
}
