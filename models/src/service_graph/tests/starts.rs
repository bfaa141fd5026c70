//! Replicas that need others to start, by hand.

use super::scenes::scene_of;
use crate::report::Report;

const RUN: &str = r#"duration: "100s", window: "1s""#;

fn told(report: &Report, at: &str, name: &str) -> Option<f64> {
    report.section("start_up", at).expect("it needs somebody").values.get(name).expect("declared").value
}

/// In how many windows of a second, from the first in which one failed, calls failed: how long nobody was there.
fn down(report: &Report) -> usize {
    let windows = &report.edges.get("users->web").unwrap().windows;
    windows.failed.iter().filter(|failed| **failed > 0).count()
}

fn site(start: &str, faults: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "web", arrivals: Constant("10/s"))],
               services: {{
                   "web": (workers: Async(9), work: "1ms", calls: [(to: "db")], start_up: (time: "2s", {start})),
                   "db": (workers: Async(9), work: "1ms", start_up: (time: "5s")),
               }},
               faults: [{faults}]"#
        ),
        RUN,
    )
}

const BOTH: &str = r#"(at: "10s", for: "3s", on: "db", effect: Crash()), (at: "10s", for: "3s", on: "web", effect: Crash())"#;

/// Both are crashed for 3 s. The database is up 5 s later, at 18 s; who needs it has started at 15 and looks again until then, or exits at 15 for 2 s, starts at 19
/// and finds it. Who does not need it is up at 15 s, and fails until 18.
#[test]
fn who_needs_another_is_ready_after_it() {
    for (start, waited, exits, longest) in [
        (r#"needs: ["db"]"#, 1.0, 0.0, 3.0),
        (r#"needs: ["db"], missing: Wait(every: "1700ms")"#, 1.0, 0.0, 3.4),
        (r#"needs: ["db"], missing: CrashLoop(initial: "2s")"#, 1.0, 1.0, 4.0),
        (r#"needs: ["db"], missing: CrashLoop(initial: "500ms", cap: "500ms")"#, 1.0, 2.0, 5.0),
    ] {
        let report = site(start, BOTH);
        assert_eq!(told(&report, "web", "waited"), Some(waited), "{start}");
        assert_eq!(told(&report, "web", "exits"), Some(exits), "{start}");
        assert_eq!(told(&report, "web", "longest_wait"), Some(longest * 1e9), "{start}");
        let in_all = report.edges.get("users->web").unwrap().calls.ok();
        // From 0 to 10 s, and from when it is ready to the end.
        let ready = 15.0 + longest;
        let expected = 10.0 * (10.0 + 100.0 - ready);
        assert!((in_all as f64 - expected).abs() <= 2.0, "{start}: {in_all} of {expected}");
    }
}

/// Nobody waits who finds what he needs, or starts without the other being down.
#[test]
fn who_finds_what_it_needs_waits_for_nobody() {
    let report = site(r#"needs: ["db"]"#, r#"(at: "10s", for: "3s", on: "web", effect: Crash())"#);
    assert_eq!((told(&report, "web", "waited"), told(&report, "web", "longest_wait")), (Some(0.0), None));
}

/// Two that need each other: either alone comes back, both together never do.
#[test]
fn who_need_each_other_never_come_back() {
    let pair = |faults: &str| {
        scene_of(
            &format!(
                r#"workload: [(to: "web", arrivals: Constant("10/s"))],
                   services: {{
                       "web": (workers: Async(9), work: "1ms", calls: [(to: "db")], start_up: (time: "0s", needs: ["db"])),
                       "db": (workers: Async(9), work: "1ms", start_up: (time: "0s", needs: ["web"])),
                   }},
                   faults: [{faults}]"#
            ),
            RUN,
        )
    };
    assert_eq!(down(&pair(r#"(at: "10s", for: "3s", on: "db", effect: Crash())"#)), 3);
    assert_eq!(down(&pair(r#"(at: "10s", for: "3s", on: "web", effect: Crash())"#)), 3);
    assert_eq!(down(&pair(BOTH)), 90);
    // Not at the same time, or only just: at 13 s the one looks for the other when that is down already.
    for (at, windows) in [("14s", 6), ("13s", 90)] {
        let late = r#"(at: "10s", for: "3s", on: "db", effect: Crash())"#;
        let late = format!(r#"{late}, (at: "{at}", for: "3s", on: "web", effect: Crash())"#);
        assert_eq!(down(&pair(&late)), windows, "{at}");
    }
}

/// A replica that is started because there is more to do waits as well, and one that is drained while it waits is forgotten; so is one that
/// is crashed meanwhile.
#[test]
fn whoever_starts_waits() {
    let report = scene_of(
        r#"workload: [(to: "web", arrivals: Constant("150/s"))],
           services: {
               "web": (workers: Async(1), work: "10ms", queue: Fifo(capacity: 50), start_up: (time: "1s", needs: ["db"]),
                   autoscaler: (metric: Utilisation(0.5), min: 1, max: 5, sync: "5s")),
               "db": (workers: Async(9), work: "1ms"),
           },
           faults: [(at: "0s", for: "60s", on: "db", effect: Crash()), (at: "40s", for: "1s", on: "web", replicas: Only([0]), effect: Crash())]"#,
        RUN,
    );
    // Two or more had started by then, and the first waits as well when its crash is over: all of them from 60 s on at work.
    assert!(told(&report, "web", "waited").expect("counted") >= 2.0);
    let ok = &report.edges.get("users->web").unwrap().windows.ok;
    assert!(ok[41..60].iter().all(|ok| *ok == 0), "nobody is ready");
    assert!(ok[70..].iter().all(|ok| *ok >= 140), "all of them are: {:?}", &ok[60..]);
}
