//! Calls that replicas make by themselves, by hand.

use super::scenes::{MILLI, SECOND, scene_of};
use crate::policy::Ending;
use crate::report::Report;

const RUN: &str = r#"duration: "100s", window: "1s""#;

/// What came of them: replicas that had any to make, how many are not done, good calls, failed ones, and the longest time in seconds.
fn told(report: &Report) -> [f64; 5] {
    let section = report.section("on_start", "web").expect("they make calls by themselves");
    let value = |name| section.values.get(name).expect("declared").value;
    let [replicas, unfinished, made, failed] =
        ["replicas", "unfinished", "made", "failed"].map(|name| value(name).expect("counted"));
    [replicas, unfinished, made, failed, value("longest").unwrap_or(0.0) / SECOND as f64]
}

/// Two replicas, and whoever they call by themselves: one request at a time, 100 ms each.
fn site(by_itself: &str, web: &str, faults: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "web", arrivals: Constant("10/s"))],
               services: {{
                   "web": (replicas: 2, workers: Async(9), work: "1ms", calls: [(to: "db"), (to: "db")], on_start: ({by_itself}), {web}),
                   "db": (workers: Async(9), work: "1ms"),
                   "back": (workers: Async(1), work: "100ms"),
               }},
               faults: [{faults}]"#
        ),
        RUN,
    )
}

const ONE: &str = r#"(at: "10s", for: "5s", on: "web", effect: Crash(), replicas: Only([0]))"#;

/// One is down from 10 to 15 s, and then calls ten times: that takes a second. Both do: 20 calls, two seconds. Whoever is down himself, from 14 to
/// 20 s, refuses: they are made again every 2 s, at 15, 17 and 19 in vain and at 21 s well, and that takes a second.
#[test]
fn who_has_started_calls() {
    let both = r#"(at: "10s", for: "5s", on: "web", effect: Crash())"#;
    let away = |fault: &str| format!(r#"{fault}, (at: "14s", for: "6s", on: "back", effect: Crash())"#);
    let drained = r#"(at: "10s", for: "5s", on: "web", effect: Drain(), replicas: Only([0]))"#;
    for (more, web, faults, expected) in [
        ("", "", String::new(), [0.0, 0.0, 0.0, 0.0, 0.0]),
        ("", "", ONE.into(), [1.0, 0.0, 10.0, 0.0, 1.0]),
        ("", "", both.into(), [2.0, 0.0, 20.0, 0.0, 2.0]),
        ("", "", drained.into(), [1.0, 0.0, 10.0, 0.0, 1.0]),
        ("", r#"start_up: (time: "3s")"#, ONE.into(), [1.0, 0.0, 10.0, 0.0, 1.0]),
        ("", "", away(ONE), [1.0, 0.0, 0.0, 10.0, 0.0]),
        (r#", again: "2s""#, "", away(ONE), [1.0, 0.0, 10.0, 30.0, 7.0]),
        (r#", again: "2min""#, "", away(ONE), [1.0, 1.0, 0.0, 10.0, 85.0]),
        // Of the ten that it makes first, five are answered by the end of the half second that it is up.
        (
            "",
            "",
            format!(r#"{ONE}, (at: "15550ms", for: "5s", on: "web", effect: Crash(), replicas: Only([0]))"#),
            [2.0, 0.0, 15.0, 0.0, 1.0],
        ),
    ] {
        let report = site(&format!(r#"calls: [(to: "back", times: 10)]{more}"#), web, &faults);
        assert_eq!(told(&report), expected, "{more} {web} {faults}");
        let edge = report.edges.get("web->back/on_start").expect("an edge of their own");
        assert_eq!(edge.calls.ok() as f64, expected[2], "{faults}");
        let cut = if expected[2] == 15.0 { 5 } else { 0 };
        assert_eq!(edge.calls.of(Ending::Cancelled), cut, "{faults}: a crash ends what is out");
    }
}

/// Of several calls each is made again that fails, and no other.
#[test]
fn what_fails_is_made_again() {
    let report = site(
        r#"calls: [(to: "back", times: 5), (to: "db", times: 3), (to: "back")], again: "1s""#,
        "",
        &format!(r#"{ONE}, (at: "14s", for: "1500ms", on: "db", effect: Crash())"#),
    );
    assert_eq!(told(&report), [1.0, 0.0, 9.0, 3.0, 1.001]);
    for (edge, calls) in [("web->back/on_start", 5), ("web->db/on_start", 6), ("web->back/on_start#2", 1)] {
        assert_eq!(report.edges.get(edge).expect("its own edge").calls.started, calls, "{edge}");
    }
}

/// The only replica is back at 15 s, and ready when its calls have ended: at 16 s, or after the one that it needs; told to go meanwhile it goes.
#[test]
fn who_is_ready_later_takes_nothing_before() {
    let first = r#"calls: [(to: "back", times: 10)], again: "2s", before_ready: true"#;
    let one = "replicas: 1, ";
    for (web, faults, down) in [
        ("", "", 6),
        (r#"start_up: (time: "3s")"#, "", 9),
        ("", r#", (at: "14s", for: "6s", on: "back", effect: Crash())"#, 12),
        ("", r#", (at: "15500ms", for: "4500ms", on: "web", effect: Crash())"#, 11),
        ("", r#", (at: "15500ms", for: "4500ms", on: "web", effect: Drain())"#, 11),
    ] {
        let text = format!(
            r#"workload: [(to: "web", arrivals: Constant("10/s"))],
               services: {{
                   "web": ({one}workers: Async(9), work: "1ms", on_start: ({first}), {web}),
                   "back": (workers: Async(1), work: "100ms"),
               }},
               faults: [(at: "10s", for: "5s", on: "web", effect: Crash()){faults}]"#
        );
        let report = scene_of(&text, RUN);
        let failed = &report.edges.get("users->web").unwrap().windows.failed;
        let failed = failed.iter().filter(|failed| **failed > 5).count();
        assert_eq!(failed, down, "{web}{faults}");
    }
}

/// Who was cut off from 10 to 20 s calls at 20 s, once; who lost some messages, or is cut off still, does not.
#[test]
fn who_is_no_longer_cut_off_calls() {
    let cut = |from: u32, length: u32, more: &str| {
        format!(r#"(at: "{from}s", for: "{length}s", on: "web->db", {more})"#)
    };
    let drop = |from, length| cut(from, length, "effect: Drop(probability: 1.0)");
    let hold = |from, length| cut(from, length, "effect: Hold");
    for (faults, expected) in [
        (drop(10, 10), [2.0, 0.0, 20.0, 0.0, 2.0]),
        (hold(10, 10), [2.0, 0.0, 20.0, 0.0, 2.0]),
        (cut(10, 10, "effect: Drop(probability: 1.0), way: Replies"), [2.0, 0.0, 20.0, 0.0, 2.0]),
        (cut(10, 10, "effect: Drop(probability: 1.0), clients: Only([1])"), [1.0, 0.0, 10.0, 0.0, 1.0]),
        (format!("{}, {}", drop(10, 10), hold(15, 10)), [2.0, 0.0, 20.0, 0.0, 2.0]),
        (format!("{}, {}", drop(10, 10), hold(10, 10)), [2.0, 0.0, 20.0, 0.0, 2.0]),
        (format!("{}, {}", drop(10, 10), drop(50, 10)), [4.0, 0.0, 40.0, 0.0, 2.0]),
        (drop(10, 100), [0.0; 5]),
        (cut(10, 10, "effect: Drop(probability: 0.9)"), [0.0; 5]),
        (ONE.into(), [0.0; 5]),
        // It has 10 calls out when it goes down: five have ended by then, the other five it makes again when it is back.
        (
            format!(
                r#"{}, (at: "20550ms", for: "5s", on: "web", effect: Crash(), replicas: Only([0]))"#,
                cut(10, 10, r#"effect: Drop(probability: 1.0), clients: Only([0])"#)
            ),
            [1.0, 0.0, 10.0, 0.0, 6.05],
        ),
        // Told to go it leaves them.
        (
            format!(
                r#"{}, (at: "20550ms", for: "5s", on: "web", effect: Drain(grace: "0s"), replicas: Only([0]))"#,
                cut(10, 10, r#"effect: Drop(probability: 1.0), clients: Only([0])"#)
            ),
            [1.0, 0.0, 5.0, 0.0, 0.0],
        ),
        // Down before it has all, and cut off again and back: it begins anew when it is no longer.
        (
            format!(
                r#"{}, (at: "20550ms", for: "50s", on: "web", effect: Crash(), replicas: Only([0]))"#,
                cut(10, 10, r#"effect: Drop(probability: 1.0), clients: Only([0])"#)
            ),
            [1.0, 0.0, 10.0, 0.0, 51.05],
        ),
        // Whoever is down is not there to notice.
        (
            format!(
                r#"{}, (at: "19s", for: "5s", on: "web", effect: Crash(), replicas: Only([0]))"#,
                drop(10, 10)
            ),
            [1.0, 0.0, 10.0, 0.0, 1.0],
        ),
    ] {
        let report = site(r#"when: Reconnect(to: "db"), calls: [(to: "back", times: 10)]"#, "", &faults);
        assert_eq!(told(&report), expected, "{faults}");
    }
}

/// Where zones are apart, who is cut off from another zone is cut off.
#[test]
fn a_zone_that_is_cut_off_calls_when_it_no_longer_is() {
    let report = scene_of(
        r#"workload: [(to: "web", arrivals: Constant("10/s"), clients: 3)], zones: (names: ["a", "b", "c"], network: "1ms"),
           services: {
               "web": (replicas: 6, workers: Async(9), work: "1ms", calls: [(to: "db", policy: "p")],
                       on_start: (when: Reconnect(to: "db"), calls: [(to: "back", times: 5)])),
               "db": (replicas: 3, workers: Async(9), work: "1ms"),
               "back": (replicas: 3, workers: Async(9), work: "100ms"),
           }, policies: {"p": (timeout: "100ms")},
           faults: [(at: "10s", for: "10s", on: "zone a -> zone b", effect: Drop(probability: 1.0))]"#,
        RUN,
    );
    assert_eq!(told(&report)[0], 4.0, "both of a and both of b, none of c");
}

/// Those that are there when a run begins call then, if they are asked to: both, and one again when it has been down.
#[test]
fn who_is_there_at_the_beginning_calls_if_asked() {
    let calls = r#"calls: [(to: "back", times: 10)], at_begin: true"#;
    assert_eq!(told(&site(calls, "", "")), [2.0, 0.0, 20.0, 0.0, 2.0]);
    assert_eq!(told(&site(calls, "", ONE)), [3.0, 0.0, 30.0, 0.0, 2.0]);
    // Not those for whom there is only room.
    let room = r#"autoscaler: (metric: Utilisation(0.9), max: 7)"#;
    assert_eq!(told(&site(calls, room, ""))[0], 2.0);
}

/// Each begins at a time of its own.
#[test]
fn jitter_spreads_them() {
    let at = |spread: &str| {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "web", arrivals: Constant("10/s"))],
                   services: {{
                       "web": (replicas: 40, workers: Async(9), work: "1ms", on_start: (calls: [(to: "back", times: 5)]{spread})),
                       "back": (workers: Async(1), work: "10ms", queue: Fifo(capacity: Unbounded)),
                   }},
                   faults: [(at: "10s", for: "5s", on: "web", effect: Crash())]"#
            ),
            RUN,
        );
        assert_eq!(told(&report)[2], 200.0);
        (report.services.get("back").unwrap().queue_max, told(&report)[4])
    };
    assert_eq!(at(""), (199, 2.0));
    let (queue, longest) = at(r#", spread: "20s""#);
    assert!(queue < 40 && (18.0..21.0).contains(&longest), "{queue}, {longest}");
}

/// Requests of users that took longer than the 3 ms that all take which meet nobody at his own work: 9 ms longer.
fn slowed(report: &Report) -> f64 {
    let latency = &report.edges.get("users->web").unwrap().latency;
    let (count, mean) = (latency.count as f64, latency.mean.unwrap() as f64 / MILLI as f64);
    ((mean - 3.0) * count / 9.0).round()
}

/// Half of ten a second come to one that is back at 15 s and works for itself for 20 s, or from when its ten calls have ended, a second later: their own
/// work takes ten times as long. A crash and a drain in the midst of it end it, and it begins anew; before it is ready it meets nobody. Who was cut
/// off from 10 to 20 s works from then on, and anew from when he is up again who was struck down meanwhile.
#[test]
fn who_has_started_works_for_himself() {
    let work = r#"work: (time: "20s", share: 0.9)"#;
    let calls = r#"calls: [(to: "back", times: 10)], again: "1s","#;
    let struck = |effect: &str| {
        format!(r#"{ONE}, (at: "25s", for: "5s", on: "web", effect: {effect}, replicas: Only([0]))"#)
    };
    let cut = r#"(at: "10s", for: "10s", on: "web->db", effect: Hold)"#;
    for (by_itself, faults, expected, slow) in [
        (work.to_owned(), ONE.to_owned(), [1.0, 0.0, 0.0, 0.0, 20.0], 100.0),
        (format!("{calls} {work}"), ONE.into(), [1.0, 0.0, 10.0, 0.0, 21.0], 100.0),
        (format!("{calls} {work}, before_ready: true"), ONE.into(), [1.0, 0.0, 10.0, 0.0, 21.0], 0.0),
        (format!("{work}, before_ready: true"), ONE.into(), [1.0, 0.0, 0.0, 0.0, 20.0], 0.0),
        (work.into(), struck("Crash()"), [2.0, 0.0, 0.0, 0.0, 20.0], 50.0 + 100.0),
        (work.into(), struck("Drain()"), [2.0, 0.0, 0.0, 0.0, 20.0], 50.0 + 100.0),
        (r#"work: (time: "2min", share: 0.9)"#.into(), ONE.into(), [1.0, 1.0, 0.0, 0.0, 85.0], 425.0),
        (format!("{work}, at_begin: true"), String::new(), [2.0, 0.0, 0.0, 0.0, 20.0], 200.0),
    ] {
        let report = site(&by_itself, "", &faults);
        assert_eq!(told(&report), expected, "{by_itself} {faults}");
        let measured = slowed(&report);
        assert!((measured - slow).abs() <= 2.0, "{by_itself} {faults}: {measured}, not {slow}");
    }
    let at_work = |by_itself: &str, faults: &str| -> Vec<f64> {
        let report = site(by_itself, "", faults);
        let section = report.section("on_start", "web").unwrap();
        let line = section.series.iter().find(|line| line.name == "at_work").expect("it is drawn");
        [12, 16, 21, 27, 34, 38, 45, 55].map(|second| line.values[second]).into()
    };
    let begins = format!("when: Reconnect(to: \"db\"), {work}");
    assert_eq!(at_work(&begins, cut), [0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 0.0, 0.0]);
    let struck = format!(r#"{cut}, (at: "25s", for: "5s", on: "web", effect: Crash(), replicas: Only([0]))"#);
    assert_eq!(at_work(&begins, &struck), [0.0, 0.0, 2.0, 1.0, 2.0, 2.0, 1.0, 0.0]);
    assert_eq!(at_work(work, ONE), [0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
}
