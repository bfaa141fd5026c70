//! Scenes of replicas that are probed, killed and started again. What stands here without a tolerance can be worked out by hand.

use super::scenes::{SECOND, scene, scene_of};
use crate::policy::{Ending, Outcome};
use crate::report::{Change, Report};

#[track_caller]
fn value(report: &Report, kind: &str, name: &str) -> f64 {
    let section = report.sections.iter().find(|section| section.kind == kind);
    let value = section.and_then(|section| section.values.get(name)).expect("it is measured");
    value.value.unwrap_or_else(|| panic!("{kind}: no {name}"))
}

fn changes<'r>(report: &'r Report, to: &'r str) -> impl Iterator<Item = &'r Change> {
    let section = report.sections.iter().find(|section| section.kind == "probes").expect("probed");
    section.changes.iter().filter(move |change| change.to == to)
}

/// Seconds from a moment on at which replicas became something, in order.
fn times(report: &Report, to: &str, from: u64) -> Vec<f64> {
    let at = changes(report, to).map(|change| (change.at as f64 - (from * SECOND) as f64) / 1e9);
    at.collect()
}

/// Ten calls a second, in turn to two replicas of 9 workers and 40 ms, for so long.
#[track_caller]
fn desk(service: &str, faults: &str, lasts: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", arrivals: Constant("10/s"), policy: "p")],
               services: {{"db": (replicas: 2, workers: Async(9), work: "40ms", {service})}},
               policies: {{"p": (timeout: "2s")}}, faults: [{faults}]"#
        ),
        lasts,
    )
}

/// The same load on 4 pods of 8 workers and 40 ms, 800/s in all: 600/s, and 1,000/s from 60 s on. Who waits behind the requests waits
/// 3 s from the 12th second of the surge on, since in each second there come 50 more than a pod can do, of 200: a probe that is made
/// then is the first that fails, three seconds later, and the third in a row after six more.
#[test]
fn the_first_kill_of_a_surge_comes_21_s_into_it() {
    let surge = |kind: &str| {
        scene(
            &format!(
                r#"workload: [(to: "api", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "600/s"), (at: "60s", rate: "1000/s")]))],
                   services: {{"api": (replicas: 4, workers: Async(8), work: "40ms", queue: Fifo(capacity: Unbounded),
                       probes: (liveness: (kind: {kind}, period: "3s", timeout: "3s")))}}"#
            ),
            "100s",
        )
    };
    let report = surge(r#"Worker(work: "1us")"#);
    let killed = times(&report, "killed", 60);
    // The beats of four pods are spread over 3 s.
    assert!((21.0..22.5).contains(&killed[0]), "{killed:?}");
    // Nothing is wrong with any of them, and the others follow.
    assert_eq!(value(&report, "probes", "kills"), value(&report, "probes", "kills_of_healthy"));
    assert!(killed.len() >= 4, "{killed:?}");
    let own = surge("Shallow");
    assert_eq!(value(&own, "probes", "kills"), 0.0, "a port of its own is not behind them");
    assert!(
        report.edges.get("users->api").unwrap().attempts.of(Outcome::Reset) > 1_000,
        "what was in hand is lost"
    );
    assert_eq!(own.edges.get("users->api").unwrap().attempts.of(Outcome::Reset), 0);
}

/// Who is refused at once is found out `(f - 1/2) p` later on average, who is silent by the time-out more: within half a period.
#[test]
fn how_long_it_takes_to_find_out() {
    for (probes, to, callers, earliest, mean) in [
        (r#"readiness: (period: "5s")"#, "unready", "Reset", 10.0, 12.5),
        (r#"liveness: ()"#, "killed", "Reset", 20.0, 25.0),
        (r#"liveness: (timeout: "4s", failure_threshold: 1)"#, "killed", "Silence", 4.0, 9.0),
        (r#"readiness: (period: "5s"), liveness: ()"#, "unready", "Silence", 11.0, 13.5),
    ] {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "db", arrivals: Poisson("1/s"))],
                   services: {{"db": (replicas: 150, workers: Async(1), work: "1ms", probes: ({probes}))}},
                   faults: [(at: "60s", for: "60s", on: "db", effect: Crash(callers: {callers}))]"#
            ),
            r#"duration: "100s""#,
        );
        let mut first = vec![f64::INFINITY; 150];
        for change in changes(&report, to) {
            let of = &mut first[change.of.unwrap() as usize];
            *of = of.min((change.at - 60 * SECOND) as f64 / 1e9);
        }
        let found = first.iter().sum::<f64>() / 150.0;
        // Uniform over a period of 2 (mean - earliest): of 150 the mean has sd 0.024 periods.
        let period = 2.0 * (mean - earliest);
        assert!((found - mean).abs() < 0.08 * period, "{probes}: {found}, not {mean}");
        let in_time = |at: &f64| (earliest..=earliest + period).contains(at);
        assert!(first.iter().all(in_time), "{probes}");
        let healthy = if to == "killed" { value(&report, "probes", "kills_of_healthy") } else { 0.0 };
        assert_eq!(healthy, 0.0, "they were down");
    }
}

/// A replica is taken out after three failures, and let in at the first success.
#[test]
fn who_is_not_ready_is_chosen_by_nobody() {
    let faults = r#"(at: "10500ms", for: "10s", on: "db", effect: BlackHole, replicas: Only([0]))"#;
    let probed = |probes: &str| desk(probes, faults, "40s");
    let lost = |report: &Report| report.edges.get("users->db").unwrap().attempts.of(Outcome::TimedOut);
    assert_eq!(lost(&probed("")), 50);
    let report = probed(r#"probes: (readiness: (period: "1s", timeout: "500ms"))"#);
    let [out, back] = ["unready", "ready"].map(|to| times(&report, to, 0));
    assert!(out.len() == 1 && (13.0..=14.0).contains(&out[0]), "{out:?}");
    assert!(back.len() == 1 && (20.5..=21.5).contains(&back[0]), "{back:?}");
    // Five calls a second went to it until then.
    assert!((12..=18).contains(&lost(&report)), "{}", lost(&report));
    let gone = back[0] - out[0];
    assert!((value(&report, "probes", "unready_mean") - gone / 40.0).abs() < 1e-9);
    assert!((value(&report, "members", "mean") - (2.0 - gone / 40.0)).abs() < 1e-9);
    assert_eq!([value(&report, "probes", "taken_out"), value(&report, "probes", "let_in")], [1.0, 1.0]);
    // Two successes take a period more.
    let later = times(
        &probed(r#"probes: (readiness: (period: "1s", timeout: "500ms", success_threshold: 2))"#),
        "ready",
        0,
    );
    assert_eq!(later, [back[0] + 1.0]);
}

/// What it has in hand is lost with a container that is killed, and it is there again at once, or when it has started.
#[test]
fn who_is_killed_starts_again() {
    // It loses what comes for 10 s, and its probes: killed at the third.
    let faults = r#"(at: "10500ms", for: "10s", on: "db", effect: BlackHole, replicas: Only([0]))"#;
    let liveness = r#"probes: (liveness: (period: "1s", timeout: "500ms", failure_threshold: 20))"#;
    let report = desk(liveness, faults, "40s");
    assert_eq!(value(&report, "probes", "kills"), 0.0, "ten seconds are not 20 failures");
    let liveness = liveness.replace("20)", "8)");
    for (start, takes) in [("", 0.0), (r#", start_up: (time: "3s")"#, 3.0)] {
        let report = desk(&format!("{liveness}{start}"), faults, "40s");
        let killed = times(&report, "killed", 0);
        assert!(killed.len() == 1 && (18.0..=19.0).contains(&killed[0]), "{killed:?}");
        assert_eq!([value(&report, "probes", "kills"), value(&report, "probes", "starts")], [1.0, 1.0]);
        assert_eq!(value(&report, "probes", "kills_of_healthy"), 0.0, "a fault is on it");
        let up: u64 = report.services.get("db").unwrap().windows.available_ns.iter().sum();
        assert_eq!(2 * 9 * 40 * SECOND - up, (takes * 9.0) as u64 * SECOND);
        assert!((value(&report, "members", "mean") - (2.0 - takes / 40.0)).abs() < 1e-9);
    }
}

/// A container that takes 8 s to start, and a probe that bears 3 s: it is killed before it is up, again and again, and the waits grow.
/// What holds that probe back until it has started lets it.
#[test]
fn liveness_kills_who_starts_slowly_for_ever() {
    let started = |probes: &str| {
        let faults = r#"(at: "5500ms", for: "100ms", on: "db", effect: Crash(), replicas: Only([0]))"#;
        desk(&format!(r#"start_up: (time: "8s"), probes: ({probes})"#), faults, "2min")
    };
    let liveness = r#"liveness: (period: "1s", timeout: "500ms")"#;
    let report = started(liveness);
    let killed = times(&report, "killed", 0);
    let waits: Vec<f64> = killed.windows(2).map(|pair| (pair[1] - pair[0]).round()).collect();
    // It starts at once, then after 10, 20 and 40 s, and is asked three times: from the next second on, and then at once, since all of
    // these are whole seconds.
    assert_eq!(waits, [3.0, 12.0, 22.0, 42.0]);
    assert!((7.6..=8.6).contains(&killed[0]), "{killed:?}");
    assert_eq!(value(&report, "probes", "kills_while_starting"), 5.0);
    assert_eq!(value(&report, "probes", "kills_of_healthy"), 5.0, "it was only slow");
    let edge = report.edges.get("users->db").unwrap();
    assert_eq!(
        edge.calls.of(Ending::Ok),
        edge.calls.started - edge.attempts.of(Outcome::Refused) - edge.calls.of(Ending::InFlight),
        "the other serves"
    );
    for cured in [
        format!(r#"{liveness}, startup: (period: "1s", timeout: "500ms", failure_threshold: 30)"#),
        liveness.replace("period", r#"initial_delay: "9s", period"#),
        liveness.replace("period", r#"failure_threshold: 10, period"#),
    ] {
        let report = started(&cured);
        assert_eq!(value(&report, "probes", "kills"), 0.0, "{cured}");
        assert_eq!(value(&report, "members", "least"), 1.0, "{cured}");
    }
    // A startup probe that has too little patience kills as well.
    let report =
        started(&format!(r#"{liveness}, startup: (period: "1s", timeout: "500ms", failure_threshold: 5)"#));
    assert_eq!(times(&report, "killed", 0).len(), 5);
}

/// Until the startup probe has been answered, and then the readiness probe, nobody chooses a replica that is up.
#[test]
fn a_new_container_is_not_ready_until_it_says_so() {
    let faults = r#"(at: "5500ms", for: "100ms", on: "db", effect: Crash(), replicas: Only([0]))"#;
    let in_again = |probes: &str| {
        let report = desk(&format!(r#"start_up: (time: "2s"), probes: ({probes})"#), faults, "1min");
        assert_eq!(value(&report, "probes", "kills"), 0.0);
        let out = 60.0 * (2.0 - value(&report, "members", "mean"));
        (out, times(&report, "unready", 0), times(&report, "ready", 0))
    };
    let (out, ..) = in_again(r#"liveness: ()"#);
    assert!((out - 2.0).abs() < 1e-9, "it is in as soon as it has started: {out}");
    for probes in [r#"startup: (period: "4s", failure_threshold: 9)"#, r#"readiness: (period: "4s")"#] {
        let (out, unready, ready) = in_again(probes);
        assert_eq!(unready, [5.6], "{probes}");
        assert!((ready[0] - 5.6 - out).abs() < 1e-9 && (2.0..=6.0).contains(&out), "{probes}: {out}");
    }
    let readiness = r#"readiness: (period: "4s")"#;
    let (alone, ..) = in_again(readiness);
    let (both, ..) = in_again(&format!(r#"{readiness}, startup: (period: "20s")"#));
    assert!(both > alone, "the one is held back by the other: {both}, {alone}");
}

/// When what all of them need is ill, a deep probe kills all of them; one that takes a worker does as soon as these all wait for it.
#[test]
fn who_sees_what() {
    let kills = |kind: &str, workers: &str, fault: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "api", arrivals: Poisson("20/s"), policy: "p")],
                   services: {{
                       "api": (replicas: 3, workers: {workers}(2), work: "10ms", calls: [(to: "db", policy: "p")],
                           probes: (liveness: (kind: {kind}, period: "2s"))),
                       "db": (workers: Async(9), work: "5ms"),
                   }},
                   policies: {{"p": (timeout: "30s")}}, faults: [{fault}]"#
            ),
            "30s",
        );
        assert_eq!(value(&report, "probes", "kills"), value(&report, "probes", "kills_of_healthy"));
        value(&report, "probes", "kills") >= 3.0
    };
    let dead = r#"(at: "10s", on: "db", effect: Crash())"#;
    let stuck = r#"(at: "10s", on: "db", effect: Slow(factor: 1000))"#;
    for (workers, fault, killed) in [
        ("Blocking", "", [false, false, false]),
        ("Blocking", dead, [false, false, true]),
        ("Blocking", stuck, [false, true, true]),
        ("Async", stuck, [false, false, true]),
    ] {
        for (kind, expected) in ["Shallow", "Worker()", "Deep()"].into_iter().zip(killed) {
            assert_eq!(kills(kind, workers, fault), expected, "{kind}, {workers}: {fault}");
        }
    }
}

/// A fault takes one down that was killed, or kills one that waits to start; and who leaves is not killed.
#[test]
fn what_overlaps_needs_no_undoing() {
    let probes = r#"probes: (liveness: (period: "1s", timeout: "500ms", failure_threshold: 2))"#;
    let hole = |until: u32| {
        let lasts = until - 10;
        format!(r#"(at: "10s", for: "{lasts}s", on: "db", effect: BlackHole, replicas: Only([0]))"#)
    };
    let crash = r#"(at: "15s", for: "5s", on: "db", effect: Crash(), replicas: Only([0]))"#;
    let drain = r#"(at: "10500ms", for: "10s", on: "db", effect: Drain(linger: "9s"), replicas: Only([0]))"#;
    for faults in [
        hole(13),
        hole(18),
        hole(30),
        crash.into(),
        format!("{}, {crash}", hole(30)),
        format!("{drain}, {}", hole(14)),
        format!("{drain}, {crash}"),
    ] {
        let report = desk(probes, &faults, "2min");
        let edge = report.edges.get("users->db").unwrap();
        // Whatever it was, it is over in the end: the last minute is as good as any.
        let served: u64 = edge.windows.ok[6..].iter().sum();
        assert_eq!(served, 600, "{faults}");
        let ready = times(&report, "ready", 0).len();
        assert_eq!(ready as f64, value(&report, "probes", "starts"), "{faults}");
        assert_eq!(value(&report, "probes", "kills_of_healthy"), 0.0, "{faults}");
    }
    let report = desk(probes, &format!("{drain}, {}", hole(20)), "2min");
    assert_eq!(value(&report, "probes", "kills"), 0.0, "it leaves anyway");
    // Nor for what it was asked before.
    for at in (10_050..12_000).step_by(100) {
        let drain = drain.replace("10500ms", &format!("{at}ms"));
        let probes = probes.replace("failure_threshold: 2", "failure_threshold: 1");
        let report = desk(&probes, &format!("{drain}, {}", hole(20)), "30s");
        let killed = times(&report, "killed", 0);
        assert!(
            killed.iter().all(|killed| *killed < f64::from(at) / 1_000.0 || *killed > 20.0),
            "{at}: {killed:?}"
        );
    }
}
