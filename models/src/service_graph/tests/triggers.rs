//! Scenes in which a state sets something off. What stands here without a tolerance can be worked out by hand.

use super::scenes::{SECOND, scene};
use crate::policy::{Ending, Outcome};
use crate::report::{Report, VerdictKind};

#[track_caller]
fn told(report: &Report, name: &str) -> Option<f64> {
    let section = report.section("trigger", "t").expect("it is there");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value
}

/// One call every 100 ms until 39.95 s, the first at 100 ms, to two replicas of one worker each, of 10 ms of work.
#[track_caller]
fn desk(trigger: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "39950ms", rate: "0/s")]))],
               services: {{"db": (replicas: 2, workers: Blocking(1), work: "10ms")}}, faults: [{faults}], triggers: {{"t": ({trigger})}}"#
        ),
        "40s",
    )
}

/// Each signal in a state that a fault makes, from 9.95 s to 19.95 s, and what it sets off: looked at every second, and for as long as is said.
#[test]
fn a_state_sets_it_off_and_it_ends() {
    let slow = r#"(at: "9950ms", for: "10s", on: "db", effect: Slow(factor: 1000))"#;
    let down = r#"(at: "9950ms", for: "10s", on: "db", effect: Crash(), replicas: Only([0]))"#;
    let wrong = r#"(at: "9950ms", for: "10s", on: "db", effect: Errors())"#;
    for (when, fault, first) in [
        // Two calls at 10 and 10.1 s take 10 s each: those from 10.2 s on wait, one more every 100 ms.
        (r#"Queue(of: "db", above: 10)"#, slow, 12),
        (r#"InHand(of: "db", above: 10)"#, slow, 12),
        (r#"Utilisation(of: "db", above: 0.9)"#, slow, 11),
        (r#"Up(of: "db", below: 2)"#, down, 10),
        (r#"Failing(of: "db", above: 0.9)"#, wrong, 11),
        (r#"Failing(of: "users->db", above: 0.9)"#, wrong, 11),
    ] {
        for (lasts, later) in [("0s", 0), ("3s", 3)] {
            let report = desk(
                &format!(r#"when: {when}, lasts: "{lasts}", on: "users->db", effect: Drop(), for: "2s""#),
                fault,
            );
            let at = ((first + later) * SECOND) as f64;
            let found = (told(&report, "fired"), told(&report, "first"), told(&report, "struck"));
            assert_eq!(found, (Some(1.0), Some(at), Some(2e9)), "{when} for {lasts}");
            let disturbances: Vec<_> =
                report.timeline.disturbances.iter().map(|it| (it.what.as_str(), it.from)).collect();
            assert_eq!(disturbances.len(), 2);
            assert_eq!(disturbances[1], ("drop", at as u64), "{when}");
        }
        let report = desk(&format!(r#"when: {when}, on: "users->db", effect: Drop(), for: "2s""#), "");
        assert_eq!((told(&report, "fired"), told(&report, "first")), (Some(0.0), None), "{when}");
        assert!(report.timeline.disturbances.is_empty());
    }
}

/// What it sets off may be what sets it off: it goes on as often as it may, and no more often.
#[test]
fn it_may_keep_itself_going() {
    let down = r#"(at: "9950ms", for: "1s", on: "db", effect: Crash(), replicas: Only([0]))"#;
    let restart = r#"when: Up(of: "db", below: 2), on: "db", effect: Crash(), replicas: Only([1])"#;
    // At 10 s until 13 s; looked at again then, when it has just ended, and all are up.
    let once = desk(&format!(r#"{restart}, for: "3s", times: 9"#), down);
    assert_eq!((told(&once, "fired"), told(&once, "struck")), (Some(1.0), Some(3e9)));
    // Its refusals are what it looks for: it fires again and again, and rests for as long as it is to.
    let again = r#"when: Failing(of: "db", above: 0.1), on: "db", effect: Crash(), for: "3s""#;
    for (more, fired) in [(r#", times: 4"#, 4.0), (r#", times: 9, cool_down: "2s""#, 1.0)] {
        let report = desk(&format!("{again}{more}"), down);
        assert_eq!(told(&report, "fired"), Some(fired), "{more}");
        let edge = report.edges.get("users->db").unwrap();
        assert!(edge.attempts.of(Outcome::Refused) >= 30, "{more}");
    }
}

/// Until the end of the run, and of the whole of what was before it is known what was usual.
#[test]
fn the_verdict_counts_from_what_was_set_off() {
    let down = r#"(at: "9950ms", for: "1s", on: "db", effect: Errors(), replicas: Only([0]))"#;
    let report = desk(r#"when: Failing(of: "db", above: 0.1), on: "db", effect: Crash()"#, down);
    assert_eq!((told(&report, "fired"), told(&report, "struck")), (Some(1.0), Some(29e9)));
    assert_eq!(report.timeline.disturbances.last().map(|it| it.to), Some(None));
    assert_ne!(report.verdict.kind, VerdictKind::Steady);
    let report = desk(r#"when: Failing(of: "db", above: 0.1), on: "db", effect: Crash(), for: "5s""#, down);
    assert_eq!(report.summary.recovered, Some(true), "{}", report.verdict.headline);
    let calls = &report.edges.get("users->db").unwrap().calls;
    assert_eq!((calls.started, calls.of(Ending::Ok) > 340), (399, true));
}

/// What it strikes may be all that stands in a zone, or what goes between two: from 11 s to 16 s, since the first is down from 10.05 s on, and looked at every second.
#[test]
fn it_may_strike_a_zone() {
    // Users stand in a; three replicas of each service in a, b and c; one call in ten goes to each of those in turn.
    for (on, effect, lost) in
        [("zone b", "Crash()", 17), ("zone a <-> zone b", "Drop()", 17), ("zone b -> zone c", "Drop()", 0)]
    {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "39950ms", rate: "0/s")]), zones: ["a"])],
                   services: {{"db": (replicas: 3, workers: Async(9), work: "10ms"), "other": (replicas: 3, workers: Async(1), work: "1ms", calls: [(to: "db")])}},
                   zones: (names: ["a", "b", "c"]),
                   faults: [(at: "10050ms", for: "10s", on: "other", effect: Crash(), replicas: Only([0]))],
                   triggers: {{"t": (when: Up(of: "other", below: 3), on: "{on}", effect: {effect}, for: "5s")}}"#
            ),
            "40s",
        );
        assert_eq!((told(&report, "first"), told(&report, "struck")), (Some(11e9), Some(5e9)), "{on}");
        let calls = &report.edges.get("users->db").unwrap().calls;
        let gone = calls.started - calls.ok();
        assert!(gone.abs_diff(lost) <= 1, "{on}: {gone}");
    }
}

/// What is watched may be all that stands in a zone, of whichever service; what goes wrong in another zone is not seen.
#[test]
fn it_may_watch_a_zone() {
    // Users stand in a. Of `db` and of `other` one each stands in a, b and c; one call in ten goes to each `db` in turn, every 300 ms.
    let run = |when: &str, fault: &str, shared: bool| {
        let queue = if shared { "queue: SharedFifo()," } else { "" };
        scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "39950ms", rate: "0/s")]), zones: ["a"])],
                   services: {{"db": (replicas: 3, workers: Blocking(1), work: "10ms", {queue} calls: [(to: "other")]), "other": (replicas: 3, workers: Async(1), work: "1ms")}},
                   zones: (names: ["a", "b", "c"]),
                   faults: [(at: "10050ms", for: "10s", {fault})],
                   triggers: {{"t": (when: {when}, on: "users->db", effect: Drop(), for: "1s")}}"#
            ),
            "40s",
        )
    };
    let down = r#"on: "other", effect: Crash(), replicas: Only([1])"#;
    let slow = r#"on: "db", effect: Slow(factor: 1000), replicas: Only([1])"#;
    for (when, fault, first) in [
        // Two stand in b, one of each service: one of them is down from 10.05 s on, and it is looked at every second.
        (r#"Up(of: "zone b", below: 2)"#, down, Some(11)),
        (r#"Up(of: "zone b", below: 1)"#, down, None),
        (r#"Up(of: "zone c", below: 2)"#, down, None),
        (r#"Up(of: "zone b", below: 1)"#, r#"on: "zone b", effect: Crash()"#, Some(11)),
        // One in progress from 10.4 s at the latest, and one more every 300 ms: four in hand, of which three wait, by 12 s and not by 11 s.
        (r#"InHand(of: "zone b", above: 3)"#, slow, Some(12)),
        (r#"Queue(of: "zone b", above: 3)"#, slow, Some(12)),
        (r#"InHand(of: "zone a", above: 3)"#, slow, None),
        (r#"Queue(of: "zone c", above: 3)"#, slow, None),
    ] {
        let report = run(when, fault, false);
        assert_eq!(told(&report, "first"), first.map(|at| (at * SECOND) as f64), "{when}");
    }
    // Who waits in a queue for all of them waits in no zone: three are in progress, and one of those in b.
    let slow = r#"on: "db", effect: Slow(factor: 1000)"#;
    for (when, first) in [
        (r#"Queue(of: "db", above: 3)"#, Some(11)),
        (r#"Queue(of: "zone b", above: 0)"#, None),
        (r#"InHand(of: "zone b", above: 0)"#, Some(11)),
        (r#"InHand(of: "zone b", above: 1)"#, None),
    ] {
        let report = run(when, slow, true);
        assert_eq!(told(&report, "first"), first.map(|at| (at * SECOND) as f64), "{when}");
    }
}
