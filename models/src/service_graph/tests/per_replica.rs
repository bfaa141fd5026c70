//! Scenes of replicas that are told apart. All of it can be worked out by hand.

use super::scenes::{MILLI, scene, scene_of};
use crate::report::{Metric, Report};

/// A number of one replica.
#[track_caller]
fn of(report: &Report, replica: usize, name: &str) -> Option<f64> {
    match report.metric(&format!("services.db.replicas[{replica}].{name}")).expect("they are told apart") {
        Metric::Number(number, _) => Some(number),
        Metric::Absent => None,
        other => panic!("{other:?} is no number"),
    }
}

/// A hundred a second, in turn, for ten seconds: 500 each, of 10 ms.
fn in_turn(more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", arrivals: Constant("100/s"))],
               services: {{"db": (replicas: 2, workers: Async(1), work: "10ms", per_replica: true, {more}"#
        ),
        "10s",
    )
}

#[test]
fn who_is_slow_is_seen() {
    let report =
        in_turn(r#")}, faults: [(at: "0s", on: "db", replicas: Only([1]), effect: Slow(factor: 1.5))]"#);
    // The last of one of them is still there, and whose turn is first is drawn.
    for (replica, busy, took) in [(0, 0.5, 10.0), (1, 0.75, 15.0)] {
        let near = |name, expected: f64, by: f64| {
            let found = of(&report, replica, name).unwrap();
            assert!((found - expected).abs() <= by, "replica {replica}: {name} is {found}, not {expected}");
        };
        near("arrived", 500.0, 1.0);
        near("ok", 500.0, 1.0);
        near("utilisation", busy, 0.002);
        near("in_hand", busy, 0.002);
        near("in_hand_max", 1.0, 0.0);
        // To the width of a bucket.
        near("p99", took * MILLI as f64, 0.02 * took * MILLI as f64);
    }
    let spread = |name| match report.metric(&format!("spread.db.{name}")).unwrap() {
        Metric::Number(number, _) => number,
        other => panic!("{other:?}"),
    };
    // The slow one is still at work for another 5 ms when the other's turn comes: every second one finds one.
    assert!((spread("most_in_hand") - 0.5).abs() < 0.002, "{}", spread("most_in_hand"));
    assert!(spread("busiest") > spread("idlest") + 0.24);
}

#[test]
fn who_fails_and_who_turns_away_is_seen() {
    let report = in_turn(
        r#")}, faults: [
            (at: "0s", on: "db", replicas: Only([0]), effect: Errors(probability: 1.0)),
            (at: "0s", on: "db", replicas: Only([1]), effect: Crash(callers: Reset)),
        ]"#,
    );
    let counts =
        |replica| ["ok", "errors", "turned_away"].map(|name| of(&report, replica, name).unwrap() as u64);
    let ([ok, errors, away], [other_ok, other_errors, refused]) = (counts(0), counts(1));
    assert_eq!((ok, away, other_ok, other_errors), (0, 0, 0, 0));
    assert!((499..=500).contains(&errors) && (499..=500).contains(&refused), "{errors} {refused}");
    assert_eq!(of(&report, 1, "p99"), None, "who refuses takes no time");
}

/// Behind one queue for all whoever takes a request has it; before that it is nobody's.
#[test]
fn a_shared_queue_belongs_to_nobody() {
    let report = scene(
        r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "45ms", rate: "0/s")]))],
           services: {"db": (replicas: 2, workers: Async(1), work: "100ms", per_replica: true, queue: SharedFifo())}"#,
        "10s",
    );
    // At 10, 20, 30 and 40 ms: the third begins when the first is done, the fourth when the second is.
    for (replica, longest) in [(0, 180.0), (1, 180.0)] {
        assert_eq!(of(&report, replica, "arrived"), Some(2.0));
        assert_eq!(of(&report, replica, "in_hand"), Some(0.02), "200 ms of 10 s");
        let p99 = of(&report, replica, "p99").unwrap() / MILLI as f64;
        assert!((p99 - longest).abs() < 2.0, "{p99}");
    }
}

/// What came before the warm-up was over is counted nowhere.
#[test]
fn a_warm_up_is_left_out() {
    let report = scene_of(
        r#"workload: [(to: "db", arrivals: Constant("100/s"))],
           services: {"db": (workers: Async(1), work: "5ms", per_replica: true)}"#,
        r#"duration: "10s", warm_up: "5s", window: "1s""#,
    );
    assert!((of(&report, 0, "arrived").unwrap() - 500.0).abs() <= 1.0);
    assert!((of(&report, 0, "utilisation").unwrap() - 0.5).abs() < 1e-3);
    let line = &report.section("replicas", "db[0]").unwrap().series[0];
    assert!(line.values.len() == 10 && line.values.iter().all(|mean| (mean - 0.5).abs() < 0.01), "{line:?}");
}

/// Whoever is turned away has come, whether a place was looked for or given up; and a queue never has more in it than places.
#[test]
fn who_is_turned_away_has_come() {
    for queue in ["Fifo(capacity: 1)", "Lifo(capacity: 1)", "Priority(capacity: 1)", "Fair(capacity: 1)"] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "45ms", rate: "0/s")]), tenants: Even(2), priority: Mixed(critical: 1, sheddable: 1))],
                   services: {{"db": (workers: Async(1), work: "100ms", per_replica: true, queue: {queue})}}"#
            ),
            "10s",
        );
        let counts =
            ["arrived", "ok", "turned_away", "in_hand_max"].map(|name| of(&report, 0, name).unwrap());
        assert_eq!(counts, [4.0, 2.0, 2.0, 2.0], "{queue}");
        assert_eq!(report.services.get("db").unwrap().queue_max, 1, "{queue}");
        // They find nobody, one, and two twice.
        let found = report.metric("spread.db.most_in_hand").unwrap();
        assert!(
            matches!(found, Metric::Number(found, _) if (found - 1.25).abs() < 1e-9),
            "{queue}: {found:?}"
        );
    }
}

/// Where all that is at work shares the cores, cores are busy.
#[test]
fn cores_are_what_is_busy() {
    let report = scene(
        r#"workload: [(to: "db", arrivals: Constant("100/s"))],
           services: {"db": (workers: ProcessorSharing(cores: 4, at_once: 50), work: "20ms", per_replica: true)}"#,
        "10s",
    );
    let busy = of(&report, 0, "utilisation").unwrap();
    assert!((busy - 0.5).abs() < 0.002, "{busy}");
    assert!((busy - report.services.get("db").unwrap().utilisation).abs() < 1e-9);
}
