//! Scenes of which it can be said what is true, what is believed and what is met, second by second.

use super::scenes::scene_of;
use crate::report::Report;

/// Ten calls a second, each tried once and waited for 100 ms, to two replicas in turn, which are checked every second and taken out at the first failure.
#[track_caller]
fn desk(check: &str, fault: &str) -> Report {
    scene_of(
        &format!(
            r#"zones: (names: ["a", "b"]),
               workload: [(to: "db", policy: "p", clients: 2, arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s")]))],
               services: {{"db": (replicas: 2, workers: Async(9), work: "10ms", observers: (), {check})}},
               policies: {{"p": (timeout: "100ms", balancer: RoundRobin)}}, faults: [{fault}]"#
        ),
        r#"duration: "30s", window: "1s""#,
    )
}

/// The mean over so many seconds, from one on: what is true, believed and met, in hundredths.
#[track_caller]
fn views(report: &Report, from: usize, to: usize) -> [i64; 3] {
    let section = report.section("observers", "db").expect("it is there");
    ["truth", "checker", "user"].map(|name| {
        let line = section.series.iter().find(|line| line.name == name).expect("it is drawn");
        let part = &line.values[from..to];
        (part.iter().sum::<f64>() / part.len() as f64 * 100.0).round() as i64
    })
}

const CHECKED: &str = r#"health: (interval: "1s", timeout: "100ms", unhealthy_threshold: 1)"#;

/// From 10 s to 20 s: what is wrong, and what each of the three sees of it from two seconds later on.
#[test]
fn each_sees_its_own() {
    for (check, what, seen) in [
        // Nothing is wrong.
        (CHECKED, "", [100, 100, 100]),
        // Found out: it is believed, and nobody meets it any more.
        (CHECKED, r#"on: "db", effect: BlackHole, replicas: Only([0])"#, [50, 50, 100]),
        // Not found out: whoever answers a check that asks for no work passes it.
        (CHECKED, r#"on: "db", effect: Errors(), replicas: Only([0])"#, [50, 100, 50]),
        (CHECKED, r#"on: "db", effect: Slow(factor: 20)"#, [0, 100, 0]),
        ("", r#"on: "db", effect: BlackHole, replicas: Only([0])"#, [50, 100, 50]),
        (CHECKED, r#"on: "users->db", effect: Drop()"#, [0, 100, 0]),
        (CHECKED, r#"on: "users->db", effect: Drop(), clients: Only([1])"#, [50, 100, 50]),
        (CHECKED, r#"on: "users->db", effect: Drop(), way: Replies"#, [0, 100, 0]),
        // Each of two clients stands in a zone, and each of two replicas: one pair of four each way.
        (CHECKED, r#"on: "zone a -> zone b", effect: Drop()"#, [50, 100, 50]),
        // The checks themselves are struck, and nobody else: all are believed ill, and nobody may be chosen.
        (CHECKED, r#"on: "health->db", effect: Drop()"#, [100, 0, 0]),
        // What goes wrong, and nobody meets.
        (CHECKED, r#"on: "db", effect: Slow(factor: 2)"#, [0, 100, 100]),
    ] {
        let fault =
            if what.is_empty() { String::new() } else { format!(r#"(at: "10s", for: "10s", {what})"#) };
        let report = desk(check, &fault);
        assert_eq!(views(&report, 3, 10), [100, 100, 100], "before: {what}");
        assert_eq!(views(&report, 13, 19), seen, "{check} {what}");
        assert_eq!(views(&report, 24, 29)[0], 100, "after: {what}");
    }
}

/// Half of the calls are lost for ten seconds of thirty, and nobody who checks knows: the gap is a sixth, and ten seconds are blind.
#[test]
fn the_gap_is_what_is_believed_less_what_is_met() {
    let report =
        desk(CHECKED, r#"(at: "10s", for: "10s", on: "users->db", effect: Drop(), clients: Only([1]))"#);
    let section = report.section("observers", "db").expect("it is there");
    let of = |name: &str| section.values.get(name).expect("declared").value.expect("measured");
    assert!((of("observability_gap") - 1.0 / 6.0).abs() < 0.01, "{}", of("observability_gap"));
    assert_eq!(of("blind"), 10e9);
    assert!((of("truth") - (1.0 - 1.0 / 6.0)).abs() < 0.01);
}
