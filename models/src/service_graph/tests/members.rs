//! Scenes of replicas that come, go, and are said to be ill. What stands here without a tolerance can be worked out by hand.

use super::scenes::{MILLI, SECOND, scene, scene_of};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

/// One call every 100 ms until 9.05 s, the first at 100 ms: in turn to two replicas of some workers, 40 ms of work each, 1 ms away.
#[track_caller]
fn desk(policy: &str, service: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "9050ms", rate: "0/s")]), policy: "p", network: "1ms")],
               services: {{"db": (workers: Async(9), work: "40ms", {service})}}, policies: {{"p": ({policy})}}, faults: [{faults}]"#
        ),
        "10s",
    )
}

#[track_caller]
fn value(report: &Report, kind: &str, at: &str, name: &str) -> f64 {
    let section = report.sections.iter().find(|section| section.kind == kind && section.at == at);
    let value = section.and_then(|section| section.values.get(name)).expect("it is measured");
    value.value.unwrap_or_else(|| panic!("{kind}: no {name}"))
}

fn outcomes(report: &Report) -> [u64; 4] {
    let edge = report.edges.get("users->db").unwrap();
    let of = |outcome| edge.attempts.of(outcome);
    [of(Outcome::Ok), of(Outcome::Refused), of(Outcome::Reset), of(Outcome::TimedOut)]
}

/// Nobody is lost of those that were on the replica that goes, as long as they have the time that they need; and what comes back is
/// chosen again.
#[test]
fn who_is_drained_does_what_it_has_in_hand() {
    let count = |faults: &str| outcomes(&desk("", "replicas: 2", faults));
    assert_eq!(count(""), [90, 0, 0, 0]);
    let drain = |at: u64, what: &str| {
        count(&format!(r#"(at: "{at}ms", for: "3s", on: "db", effect: Drain({what}), replicas: Only([0]))"#))
    };
    // One of the calls at 2000 and 2100 ms is in its hands for 40 ms, from one ms later on.
    for at in [2_010, 2_110] {
        assert_eq!(drain(at, ""), [90, 0, 0, 0], "it has 30 s");
        let cut = drain(at, r#"grace: "10ms""#);
        let other = drain(2_120 + 2_000 - at, r#"grace: "10ms""#);
        assert_eq!(cut[2] + other[2], 1, "after 20 ms it had to go: one was cut off: {cut:?} {other:?}");
    }
    // Whatever it waits for: the time that it has is all that it has (Kubernetes' `preStop` is part of it).
    let cut = [2_010, 2_110].map(|at| drain(at, r#"linger: "1s", grace: "10ms""#)[2]);
    assert_eq!(cut[0] + cut[1], 1, "{cut:?}");
    // A request that is on its way finds a replica that has nothing to do: gone, unless it waits for what may still come.
    let on_the_way = [2_000, 2_100].map(|at| {
        let at = format!("{at}500us").replace("00500us", "00.5ms");
        ["", r#"linger: "2ms""#].map(|what| {
            count(&format!(
                r#"(at: "{at}", for: "3s", on: "db", effect: Drain({what}), replicas: Only([0]))"#
            ))[1]
        })
    });
    assert_eq!(on_the_way[0][0] + on_the_way[1][0], 1, "refused: {on_the_way:?}");
    assert_eq!(on_the_way[0][1] + on_the_way[1][1], 0, "{on_the_way:?}");
}

/// One that leaves goes as soon as nothing is left to do, however that ended: here it is called off.
#[test]
fn who_is_drained_goes_when_the_last_is_called_off() {
    let down = |at: u64| {
        let drain = format!(r#"(at: "{at}ms", for: "3s", on: "db", effect: Drain(), replicas: Only([0]))"#);
        let report = desk(r#"timeout: "20ms", cancel: Always"#, "replicas: 2, on_cancel: Stop", &drain);
        let up: u64 = report.services.get("db").unwrap().windows.available_ns.iter().sum();
        (2 * 9 * 10 * SECOND - up) / 9 / MILLI
    };
    // Of the calls at 2000 and 2100 ms one is in its hands, until the caller gives up after 20 ms, which takes one more to arrive.
    let mut both = [down(2_010), down(2_110)];
    both.sort_unstable();
    assert_eq!(both, [2_989, 3_000]);
}

/// Two of two: nobody is left to choose, and nothing is sent.
#[test]
fn where_nobody_is_left_nothing_is_sent() {
    for (replicas, only) in [(2, ""), (1, "")] {
        let drain = format!(r#"(at: "2050ms", for: "3s", on: "db", effect: Drain(){only})"#);
        let report = desk("", &format!("replicas: {replicas}"), &drain);
        let edge = report.edges.get("users->db").unwrap();
        assert_eq!(edge.calls.of(Ending::NoHost), 30, "{replicas}: the calls at 2100 to 5000 ms");
        assert_eq!(value(&report, "members", "db", "least"), 0.0);
        let mean = f64::from(replicas) * 0.7;
        assert!((value(&report, "members", "db", "mean") - mean).abs() < 1e-9);
    }
}

/// A replica that crashed starts: it refuses until the crash is over, and while it starts nobody chooses it.
#[test]
fn who_starts_is_not_chosen() {
    let crash = r#"(at: "2050ms", for: "1s", on: "db", effect: Crash(), replicas: Only([0]))"#;
    for (start, service) in [(0, ""), (1, r#", start_up: (time: "2s")"#)] {
        let report = desk("", &format!("replicas: 2{service}"), crash);
        // Ten calls while it is down: five of them meet it.
        assert_eq!(outcomes(&report), [85, 5, 0, 0], "{service}");
        if start > 0 {
            assert!((value(&report, "members", "db", "mean") - 1.8).abs() < 1e-9, "2 s of 10 without one");
        }
    }
    // Alone it is missed.
    let crash = crash.replace("replicas: Only([0])", "replicas: All");
    let report = desk("", r#"start_up: (time: "2s")"#, &crash);
    let edge = report.edges.get("users->db").unwrap();
    assert_eq!((edge.attempts.of(Outcome::Refused), edge.calls.of(Ending::NoHost)), (10, 20));
}

/// A crash of one that leaves, and of one that starts.
#[test]
fn what_overlaps_needs_no_undoing() {
    let table = [
        // Drained from 2 to 5 s; crashed meanwhile, or across either end.
        (r#"(at: "3s", for: "1s", on: "db", effect: Crash())"#, [60, 0, 0], 30),
        (r#"(at: "1050ms", for: "3s", on: "db", effect: Crash())"#, [50, 10, 0], 30),
        // The calls that come until 7050 meet it down: it is in again as far as anybody knows.
        (r#"(at: "4050ms", for: "3s", on: "db", effect: Crash())"#, [40, 20, 0], 30),
        (r#"(at: "3050ms", for: "1s", on: "db", effect: Drain())"#, [60, 0, 0], 30),
        (r#"(at: "4050ms", for: "2s", on: "db", effect: Drain())"#, [50, 0, 0], 40),
    ];
    for (other, [ok, refused, reset], nobody) in table {
        let drain = r#"(at: "2050ms", for: "3s", on: "db", effect: Drain())"#;
        for faults in [format!("{drain}, {other}"), format!("{other}, {drain}")] {
            let report = desk("", "", &faults);
            let edge = report.edges.get("users->db").unwrap();
            let all =
                [Outcome::Ok, Outcome::Refused, Outcome::Reset].map(|outcome| edge.attempts.of(outcome));
            assert_eq!((all, edge.calls.of(Ending::NoHost)), ([ok, refused, reset], nobody), "{faults}");
        }
    }
    // It starts for 2 s after a crash, and crashes again after one of them: it starts anew.
    let crash = |at: &str| format!(r#"(at: "{at}", for: "1s", on: "db", effect: Crash())"#);
    let report = desk("", r#"start_up: (time: "2s")"#, &format!("{}, {}", crash("1050ms"), crash("3050ms")));
    let edge = report.edges.get("users->db").unwrap();
    // Refused from 1050 to 2050; nobody until 3050; down and in again until 4050; starts until 6050.
    assert_eq!((edge.attempts.of(Outcome::Refused), edge.calls.of(Ending::NoHost)), (20, 30));
}

/// Cold work takes as many times longer as is left of the cold.
#[test]
fn who_is_cold_is_slow() {
    let crash = r#"(at: "1050ms", for: "1s", on: "db", effect: Crash())"#;
    let report = desk("", r#"start_up: (time: "1ms", cold_factor: 5, warms_up_in: "1s")"#, crash);
    let latency = &report.edges.get("users->db").unwrap().latency;
    // It is ready at 2051 ms; work on the call of 2100 begins at 2101, 50 ms later: 40 ms take 1 + 4 x 0.95 times as long.
    assert_eq!(latency.max, Some(2 * MILLI + 192 * MILLI));
}

/// A checker takes out who falls silent, `(f - 1/2) i + timeout` later on average, and lets it in again.
#[test]
fn how_long_it_takes_to_find_out() {
    for (thresholds, falls, rises) in
        [("", 3.0, 2.0), ("unhealthy_threshold: 1, healthy_threshold: 5", 1.0, 5.0)]
    {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "db", arrivals: Poisson("1/s"))],
                   services: {{"db": (replicas: 1000, workers: Async(1), work: "1ms", health: (interval: "4s", timeout: "2s", {thresholds}))}},
                   faults: [(at: "60s", for: "60s", on: "db", effect: Crash(callers: Silence))]"#
            ),
            r#"duration: "200s""#,
        );
        let changes = |to: &str, from: u64| {
            let section = report.sections.iter().find(|section| section.kind == "health").expect("checked");
            let changes = section.changes.iter().filter(|change| change.to == to);
            let mut all: Vec<f64> = changes.map(|change| (change.at - from * SECOND) as f64 / 1e9).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
        let out = changes("unhealthy", 60);
        assert_eq!(out.len(), 1_000);
        // Uniform over 4 s: of a thousand the mean has sd 0.037.
        assert!((mean(&out) - ((falls - 0.5) * 4.0 + 2.0)).abs() < 0.11, "{thresholds}: {}", mean(&out));
        assert!(out[0] >= (falls - 1.0) * 4.0 + 2.0 && out[999] <= falls * 4.0 + 2.0, "{thresholds}");
        assert_eq!(value(&report, "health", "db", "let_in"), 1_000.0, "{thresholds}");
        // Area: out for 60 s less what it took to find out, and what it took to believe.
        let ill = 60.0 - ((falls - 0.5) * 4.0 + 2.0) + (rises - 0.5) * 4.0;
        let mean = value(&report, "health", "db", "unhealthy_mean");
        assert!((mean - 1_000.0 * ill / 200.0).abs() < 1.0, "{thresholds}: {mean}, not {ill}");
    }
}

/// Of two, one is silent: what a caller loses until it is found out, and nothing more.
#[test]
fn who_is_taken_out_is_chosen_by_nobody() {
    let crash = r#"(at: "2050ms", on: "db", effect: Crash(callers: Silence), replicas: Only([0]))"#;
    let checked = |health: &str| {
        let report = desk(r#"timeout: "100ms""#, &format!("replicas: 2{health}"), crash);
        (outcomes(&report)[3], report)
    };
    assert_eq!(checked("").0, 35, "of 70 half");
    // Checks every 500 ms: the first that fails comes within 500 ms, the third 1 s and its timeout after that.
    let (lost, report) = checked(r#", health: (interval: "500ms", timeout: "100ms")"#);
    assert!((5..=9).contains(&lost), "found out after 1.1 to 1.6 s: {lost}");
    assert_eq!(
        report.edges.get("health->db").unwrap().calls.of(Ending::Ok),
        report.edges.get("health->db").unwrap().attempts.of(Outcome::Ok)
    );
    assert_eq!(value(&report, "health", "db", "taken_out"), 1.0);
}

/// What each kind of check sees of the same illness.
#[test]
fn who_sees_what() {
    let sees = |kind: &str, db: &str, fault: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "api", arrivals: Poisson("20/s"), policy: "p")],
                   services: {{
                       "api": (replicas: 3, workers: Blocking(2), work: "10ms", calls: [(to: "db", policy: "p")],
                           health: (kind: {kind}, interval: "500ms", timeout: "400ms")),
                       "db": (workers: Async(9), {db}),
                   }},
                   policies: {{"p": (timeout: "30s")}}, faults: [{fault}]"#
            ),
            "30s",
        );
        value(&report, "health", "api", "taken_out")
    };
    let well = r#"work: "5ms""#;
    let dead = r#"(at: "10s", on: "db", effect: Crash())"#;
    let stuck = r#"(at: "10s", on: "db", effect: Slow(factor: 1000))"#;
    let cut = r#"(at: "10s", on: "health->api", effect: Drop())"#;
    let errors = r#"(at: "10s", on: "api", effect: Errors())"#;
    let table = [
        // Nothing is wrong.
        ("", [0.0, 0.0, 0.0]),
        // What all of them need is gone: a deep check takes all three out, and nobody is left.
        (dead, [0.0, 0.0, 3.0]),
        // It takes 5 s: workers that wait for it are not there for a check either.
        (stuck, [0.0, 3.0, 3.0]),
        // Users notice nothing; the checker sees nobody.
        (cut, [3.0, 3.0, 3.0]),
        // What only the work shows a shallow check does not see.
        (errors, [0.0, 3.0, 3.0]),
    ];
    for (fault, taken_out) in table {
        for (kind, expected) in ["Shallow", "Worker()", "Deep()"].into_iter().zip(taken_out) {
            assert_eq!(sees(kind, well, fault), expected, "{kind}: {fault}");
        }
    }
}

/// A check is no request: nobody counts it among those of users, and a shallow one costs nothing.
#[test]
fn a_check_costs_what_it_asks_for() {
    let work = |kind: &str| {
        let health = format!(r#"replicas: 2, health: (kind: {kind}, interval: "1s", timeout: "500ms")"#);
        let report = desk("", &health, "");
        let (edge, db) = (report.edges.get("users->db").unwrap(), report.services.get("db").unwrap());
        assert_eq!((edge.calls.started, edge.calls.of(Ending::Ok)), (90, 90), "{kind}");
        (db.arrived, db.work / MILLI, db.windows.busy_ns.iter().sum::<u64>() / MILLI)
    };
    assert_eq!(work("Shallow"), (90, 3_600, 3_600));
    assert_eq!(work(r#"Worker(work: "7ms")"#), (110, 3_600, 3_740), "ten checks of each of two");
}

/// Between two reports a client believes the last: all goes to one of two replicas, until it hears what that did; and who adds what it
/// has sent itself sends in turn. A replica that is down says nothing, and what it said last stands.
#[test]
fn old_news_is_believed_until_there_are_new() {
    let arrived = |balancer: &str, faults: &str| {
        let report =
            desk(&format!("balancer: LeastReported({balancer})"), "replicas: 2, per_replica: true", faults);
        ["db[0]", "db[1]"].map(|at| value(&report, "replicas", at, "arrived"))
    };
    // Before the first report all are equal, and each choice is a draw; a call is over before the next, so all are equal again.
    let [one, other] = arrived(r#"every: "1s""#, "");
    assert!(one + other == 90.0 && one > 25.0 && other > 25.0, "{one}, {other}");
    let [one, other] = arrived(r#"every: "100s", counts_own: true"#, "");
    assert_eq!((one, other), (45.0, 45.0));
    // What one has in hand takes 30 times as long for a second: it is heard of, and left alone until it is heard to be done.
    let slow = r#"(at: "2s", for: "1s", on: "db", effect: Slow(factor: 75), replicas: Only([0]))"#;
    let [one, other] = arrived(r#"every: "500ms""#, slow);
    assert!(one + other == 90.0 && other > one + 10.0, "{one}, {other}");
}
