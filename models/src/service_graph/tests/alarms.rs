//! Scenes in which somebody is told. What stands here without a tolerance can be worked out by hand.

use super::scenes::{SECOND, scene};
use crate::report::Report;

/// What an alarm came to: `None` where there was nothing to measure.
#[track_caller]
fn told(report: &Report, alarm: &str, name: &str) -> Option<f64> {
    let section = report.section("alarm", alarm).expect("it is there");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value
}

fn secs(at: impl Into<Option<u64>>) -> Option<f64> {
    at.into().map(|at| (at * SECOND) as f64)
}

const CHECKED: &str = r#"health: (interval: "1s", timeout: "100ms", unhealthy_threshold: 1)"#;

/// Two kinds of users, each with five calls a second of 10 ms, the first after 200 ms and tried once for so long, to two replicas.
#[track_caller]
fn desk(when: &str, lasts: u64, (service, patience): (&str, &str), faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [
                   (name: "a", to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "5/s")]), policy: "p"),
                   (name: "b", to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "5/s")]), policy: "p"),
               ],
               zones: (names: ["north", "south"]),
               services: {{"db": (replicas: 2, workers: Async(9), work: "10ms", {service})}}, policies: {{"p": (timeout: "{patience}")}},
               faults: [{faults}], alarms: {{"it": (when: {when}, lasts: "{lasts}s", every: "1s")}}"#
        ),
        "40s",
    )
}

/// What goes wrong from 9.95 s to 19.95 s, and who is told, looking every second. Nobody is told of what he does not see.
#[test]
fn each_is_told_what_it_sees() {
    let down = r#"on: "db", effect: Crash(), replicas: Only([0])"#;
    let slow = r#"on: "db", effect: Slow(factor: 20)"#;
    let hangs = r#"on: "db", effect: Slow(factor: 1000)"#;
    let wrong = r#"on: "db", effect: Errors()"#;
    let cut = r#"on: "a->db", effect: Drop()"#;
    for (when, fault, first) in [
        (r#"Up(of: "db", below: 2)"#, down, Some(10)),
        (r#"Failing(of: "db", above: 0.4)"#, wrong, Some(11)),
        // Every other call is lost, and known to be when somebody has waited for it.
        (r#"Failing(of: "db", above: 0.4)"#, cut, Some(11)),
        (r#"Failing(of: "b->db", above: 0.4)"#, cut, None),
        // Each takes 200 ms.
        (r#"Takes(of: "db", above: "150ms")"#, slow, Some(11)),
        (r#"Takes(of: "db", above: "250ms")"#, slow, None),
        // What hangs has nothing to tell before it is done: the first two after ten seconds.
        (r#"Takes(of: "db", above: "250ms")"#, hangs, Some(20)),
        // What never comes, and what fails at once, takes no time.
        (r#"Takes(of: "db", above: "20ms")"#, cut, None),
        (r#"Takes(of: "db", above: "20ms")"#, wrong, None),
        // More of the one fails than of the other.
        (r#"Apart(of: "a->db", from: "b->db", above: 0.9)"#, cut, Some(11)),
        (r#"Apart(of: "b->db", from: "a->db", above: 0.0)"#, cut, None),
        (r#"Apart(of: "a->db", from: "db", above: 0.4)"#, cut, Some(11)),
        (r#"Apart(of: "a->db", from: "db", above: 0.6)"#, cut, None),
        (r#"Apart(of: "a->db", from: "b->db", above: 0.0)"#, wrong, None),
    ] {
        for lasts in [0, 3] {
            let fault = format!(r#"(at: "9950ms", for: "10s", {fault})"#);
            let patience = if when.starts_with("Takes") { "30s" } else { "100ms" };
            let report = desk(when, lasts, ("", patience), &fault);
            let at = first.map(|first| first + lasts);
            // What is over by then was never told.
            let at = at.filter(|_| !(fault.contains("1000") && lasts > 0));
            assert_eq!(told(&report, "it", "first"), secs(at), "{when} {fault} for {lasts}");
            assert_eq!(
                told(&report, "it", "fired"),
                Some(f64::from(u8::from(at.is_some()))),
                "{when} {fault}"
            );
            let found = at.map(|at| (at * SECOND - 9_950_000_000) as f64);
            assert_eq!(told(&report, "it", "time_to_detect"), found, "{when} {fault}");
            assert_eq!(told(&report, "it", "false_alarms"), Some(0.0));
        }
        let well = desk(when, 0, ("", "100ms"), "");
        assert_eq!(told(&well, "it", "fired"), Some(0.0), "{when}");
    }
}

/// Who is checked every second and taken out at the first failure is believed ill a second later at the latest, and the alarm is told a second after that; what
/// no check meets nobody is told.
#[test]
fn what_is_believed_is_what_checks_say() {
    let black = r#"effect: BlackHole, replicas: Only([0])"#;
    for (when, fault, is_told) in [
        (r#"Believed(of: "db", below: 2)"#, black, true),
        (r#"Believed(of: "db", below: 1)"#, black, false),
        (r#"Believed(of: "zone north", below: 1)"#, black, true),
        (r#"Believed(of: "zone south", below: 1)"#, black, false),
        (r#"Believed(of: "db", below: 2)"#, r#"effect: Errors(), replicas: Only([0])"#, false),
    ] {
        let fault = format!(r#"(at: "9950ms", for: "10s", on: "db", {fault})"#);
        let report = desk(when, 0, (CHECKED, "100ms"), &fault);
        let found = told(&report, "it", "time_to_detect").map(|nanos| nanos / 1e9);
        assert!(found.is_some_and(|found| found <= 2.2) == is_told, "{when} {fault}: {found:?}");
        assert_eq!(told(&report, "it", "fired"), Some(f64::from(u8::from(is_told))), "{when} {fault}");
    }
    // A replica that is up and that nobody calls is not believed in; where nobody checks all are.
    let drain = r#"(at: "9950ms", for: "10s", on: "db", effect: Drain(), replicas: Only([1]))"#;
    let report = desk(r#"Believed(of: "db", below: 2)"#, 0, ("", "100ms"), drain);
    assert_eq!((told(&report, "it", "first"), told(&report, "it", "firing")), (secs(10), secs(10)));
}

/// Calls of users and calls of whoever checks are told apart: nobody uses it, and its checks fail.
#[test]
fn a_check_is_not_a_call_of_users() {
    let run = |of: &str| {
        scene(
            &format!(
                r#"workload: [(name: "a", to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "5/s"), (at: "9s", rate: "0/s")]))],
                   services: {{"db": (replicas: 2, workers: Async(9), work: "10ms", {CHECKED})}},
                   faults: [(at: "9950ms", for: "10s", on: "db", effect: Crash())],
                   alarms: {{"it": (when: Failing(of: "{of}", above: 0.4), every: "1s")}}"#
            ),
            "40s",
        )
    };
    assert_eq!(told(&run("db"), "it", "fired"), Some(0.0));
    assert!(told(&run("health->db"), "it", "first").is_some());
}

/// What goes wrong may be set off, or at random, or a burst: it is found from when that began. What rings before is false, and what rings anyway tells nobody.
#[test]
fn it_is_found_from_when_it_began() {
    let run = |when: &str, rest: &str| {
        scene(
            &format!(
                r#"workload: [(name: "a", to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "5/s")]))],
                   services: {{"db": (replicas: 2, workers: Async(9), work: "10ms")}},
                   alarms: {{"it": (when: {when}, every: "1s")}}, {rest}"#
            ),
            "40s",
        )
    };
    let up = r#"Up(of: "db", below: 2)"#;
    let crash = r#"on: "db", effect: Crash(), replicas: Only([0])"#;
    // It looks at 1.1 s, 2.2 s .., and strikes at 8.8 s.
    let busy = r#"when: Utilisation(of: "db", above: 0.0), lasts: "7s", every: "1100ms""#;
    let set_off = format!(r#"triggers: {{"t": ({busy}, {crash}, for: "5s")}}"#);
    let at_random = format!(r#"failures: {{"f": (every: "12500ms", for: "5s", {crash})}}"#);
    let fault = format!(r#"faults: [(at: "12500ms", for: "5s", {crash})]"#);
    for (when, rest, found, early, fired) in [
        (up, fault.as_str(), Some(0.5), 0.0, 1.0),
        (up, "", None, 0.0, 0.0),
        (up, at_random.as_str(), Some(0.5), 0.0, 2.0),
        (up, set_off.as_str(), Some(0.2), 0.0, 1.0),
        (r#"InHand(of: "db", above: 1000)"#, fault.as_str(), None, 0.0, 0.0),
        (r#"Failing(of: "db", above: 0.01)"#, fault.as_str(), Some(0.5), 0.0, 1.0),
    ] {
        let report = run(when, rest);
        let note = match found {
            Some(found) => Some(format!("told of it: it after {} ms", found * 1e3)),
            None => (!rest.is_empty()).then(|| "not told of it: it".to_owned()),
        };
        assert_eq!(report.notes.first(), note.as_ref(), "{when} {rest}");
        let found = found.map(|found: f64| found * 1e9);
        assert_eq!(told(&report, "it", "time_to_detect"), found, "{when} {rest}");
        assert_eq!(told(&report, "it", "false_alarms"), Some(early), "{when} {rest}");
        assert_eq!(told(&report, "it", "fired"), Some(fired), "{when} {rest}");
    }
    // Whoever watches for what is always so: false, and no news when something happens.
    let idle = run(r#"Utilisation(of: "db", above: 0.0)"#, "");
    assert_eq!(idle.notes, ["told when nothing had gone wrong: it once"]);
    let always = run(r#"Utilisation(of: "db", above: 0.0)"#, &fault);
    assert_eq!(
        ["time_to_detect", "false_alarms", "fired", "firing"].map(|name| told(&always, "it", name)),
        [None, Some(1.0), Some(1.0), Some(39e9)]
    );
    assert_eq!(always.notes, ["not told of it: it; told when nothing had gone wrong: it once"]);
}

/// Sessions of ten calls, a second apart, of which every fifth call of all fails from 9.95 s to 19.95 s: of calls that is a fifth, and hardly a session is
/// completed. Whoever goes on is counted when he has come to the end.
#[test]
fn what_users_came_for_is_not_their_calls() {
    let run = |when: &str, more: &str| {
        scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Constant("10/s"), session: (calls: Fixed(10), think: "1s"{more}))],
                   services: {{"db": (replicas: 5, workers: Async(99), work: "1ms")}},
                   faults: [(at: "9950ms", for: "10s", on: "db", effect: Errors(), replicas: Only([0]))],
                   alarms: {{"it": (when: {when}, every: "1s")}}"#
            ),
            "60s",
        )
    };
    let of = |when: &str, more: &str| {
        let report = run(when, more);
        (told(&report, "it", "first").map(|at| at / 1e9), told(&report, "it", "false_alarms"))
    };
    assert_eq!(of(r#"Failing(of: "db", above: 0.25)"#, ""), (None, Some(0.0)));
    let (first, early) = of(r#"Incomplete(of: "users->db", above: 0.5)"#, "");
    assert!(first.is_some_and(|at| (10.0..=12.0).contains(&at)) && early == Some(0.0), "{first:?}");
    // The last calls of those who began 9 s before are made then: sessions that are over before 9 s have none.
    let (first, early) = of(r#"Incomplete(of: "users->db", above: 0.5)"#, ", on_failure: GoOn");
    assert!(first.is_some_and(|at| (11.0..=15.0).contains(&at)) && early == Some(0.0), "{first:?}");
    let report = run(r#"Incomplete(of: "users->db", above: 0.5)"#, "");
    assert_eq!(told(&report, "it", "fired"), Some(1.0), "and all is well ten seconds after the end");
}

/// Whoever looks changes nothing.
#[test]
fn nobody_is_served_otherwise() {
    let slow = r#"(at: "9950ms", for: "10s", on: "db", effect: Slow(factor: 20))"#;
    let with = |when: &str| desk(when, 0, (CHECKED, "100ms"), slow).edges;
    let plain = with(r#"Up(of: "db", below: 1)"#);
    for when in [r#"Takes(of: "db", above: "1s")"#, r#"Apart(of: "a->db", from: "b->db", above: 0.1)"#] {
        assert_eq!(with(when), plain, "{when}");
    }
}
