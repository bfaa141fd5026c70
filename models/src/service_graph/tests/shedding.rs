//! Whom a service turns away, and in what order it serves the others: scenes to be worked out by hand, and what never acts.

use super::scenes::{MILLI, scene, scene_of};
use crate::Catalog;
use crate::experiment::Experiment;
use crate::policy::Outcome;
use crate::report::Report;
use crate::run::{RunOptions, simulate};
use std::ops::ControlFlow;

/// One worker, 25 ms each; five come at 10, 20, 30, 40 and 50 ms. The first is served at once, to 35 ms.
fn five(service: &str, policy: &str) -> Report {
    five_of(service, policy, "0s")
}

/// The same, of which the first so long is not measured.
fn five_of(service: &str, policy: &str, warm_up: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "55ms", rate: "0/s")]))],
               services: {{"db": (workers: Async(1), work: "25ms", {service})}},
               policies: {{"p": ({policy})}}"#
        ),
        &format!(r#"duration: "10s", window: "10s", warm_up: "{warm_up}""#),
    )
}

/// (answered well, rejected, longest good answer in ms)
fn told(report: &Report) -> (u64, u64, u64) {
    let edge = report.edges.get("users->db").unwrap();
    (edge.calls.ok(), edge.attempts.of(Outcome::Rejected), edge.latency.max.unwrap_or(0) / MILLI)
}

/// (service, answered, turned away, longest answer in ms). In turn the second waits to 35 ms, the third to 60, the fourth to 85.
#[test]
fn whoever_has_waited_too_long_is_turned_away() {
    for (service, expected) in [
        ("", (5, 0, 85)),
        // The second has waited 15 ms at 35, the third 30 at 60, the fourth 45 at 85 and the fifth 60 at 110.
        (r#"shed: MaxWait("60ms")"#, (5, 0, 85)),
        (r#"shed: MaxWait("59ms")"#, (4, 1, 70)),
        // At 60 the third and the fourth (20 ms) go; the fifth has waited 10.
        (r#"shed: MaxWait("19ms")"#, (3, 2, 40)),
        // The second goes at 35, the fourth at 60.
        (r#"shed: MaxWait("14ms")"#, (3, 2, 35)),
        // At 35 the fourth has not come: the third is last, and the second, who has waited longest, just may.
        (r#"queue: Lifo(), shed: MaxWait("15ms")"#, (3, 2, 35)),
        (r#"queue: Lifo(), shed: MaxWait("14ms")"#, (3, 2, 35)),
        // A queue that was empty at 20 ms: whoever comes until 40 may wait 20, the fifth 15. The third has waited 30.
        (r#"shed: FacebookCoDel(target: "15ms", interval: "20ms")"#, (3, 2, 45)),
        (r#"shed: FacebookCoDel(target: "1ms", interval: "29ms")"#, (3, 2, 45)),
        // At 30 and at 50 two are in hand: at work and waiting, wherever that is.
        ("shed: ByPriority(critical: 2)", (3, 2, 45)),
        ("shed: ByPriority(critical: 2), queue: SharedFifo()", (3, 2, 45)),
        ("shed: ByPriority(critical: 2), queue: Lifo()", (3, 2, 45)),
        // What matters least has a limit of its own, and nobody is that.
        ("shed: ByPriority(critical: 3, sheddable: 1)", (4, 1, 70)),
        // Who finds one at work is turned away: at 20, 30 and 50.
        ("shed: ByPriority(critical_plus: 1)", (2, 3, 25)),
        ("shed: ByPriority(critical: 1), per_replica: true", (2, 3, 25)),
        // When the fifth comes the first has begun after 0 ms, and the second after 15: 7.5 on average. What is too long shuts the door to all but one user.
        (r#"shed: Dagor(requests: 4, threshold: "7500us", decrease: 0.999)"#, (5, 0, 85)),
        (r#"shed: Dagor(requests: 4, threshold: "7499us", decrease: 0.999)"#, (4, 1, 70)),
        // The fifth may wait 30 as well, but at 85 it has waited 35, and the fourth 45.
        (r#"shed: FacebookCoDel(target: "1ms", interval: "30ms")"#, (3, 2, 55)),
    ] {
        let report = five(service, "");
        assert_eq!(told(&report), expected, "{service}");
        let section = report.section("shed", "db");
        let shed = section.map(|section| section.values.get("shed").unwrap().value.unwrap());
        assert_eq!(shed.unwrap_or(0.0), expected.1 as f64, "{service}");
        assert_eq!(section.is_some(), service.contains("shed"));
    }
}

/// The second goes at 35 ms and the third is next. At 45 the fourth waits, which is among those that may be turned away, and so is the fifth, who
/// comes then; at 60 they have waited 20 and 10 ms.
#[test]
fn of_those_turned_away_all_had_come() {
    for (service, shed, share) in [
        (r#"shed: MaxWait("14ms")"#, 1.0, 0.5),
        (r#"shed: MaxWait("9ms")"#, 2.0, 1.0),
        // At the door only the fifth comes: it finds one at work and one who waits.
        ("shed: ByPriority(critical: 2)", 1.0, 1.0),
    ] {
        let report = five_of(service, "", "45ms");
        let values = &report.section("shed", "db").unwrap().values;
        let told = ["shed", "share"].map(|name| values.get(name).unwrap().value.unwrap());
        assert_eq!(told, [shed, share], "{service}");
    }
}

/// Whoever is turned away hears of it at once, and comes again behind all who wait.
#[test]
fn who_tries_again_is_last() {
    for (limit, expected) in [
        // At 60 the third and the fourth go, and come again; at 85 they have waited 25, and go for good.
        ("19ms", (3, 4, 40)),
        // At 60 the third goes and comes again, behind the fifth, who goes at 85 and comes again behind it.
        ("25ms", (5, 2, 85)),
        // At 110 the fifth goes, and nobody is left: the worker is free when it comes again.
        ("50ms", (5, 1, 85)),
    ] {
        let report = five(&format!(r#"shed: MaxWait("{limit}")"#), "retry: Fixed(attempts: 2)");
        assert_eq!(told(&report), expected, "{limit}");
    }
}

/// Two kinds of callers who come in turn, one of whom waits 60 ms and the other 200.
#[test]
fn whoever_is_waited_for_least_long_is_next() {
    // Patient ones at 20, 40 and 60 ms, the others 1 ms later. In turn the third who is in a hurry ends at 140.
    for (queue, hurried, longest) in [("Fifo()", 2, 60), ("EarliestDeadline()", 3, 80), ("Lifo()", 3, 100)] {
        let steps = |first: &str, end: &str| {
            format!(r#"Steps(spacing: Even, steps: [{first}(at: "{end}", rate: "0/s")])"#)
        };
        let report = scene(
            &format!(
                r#"workload: [(name: "patient", to: "db", policy: "patient", arrivals: {}), (name: "hurried", to: "db", policy: "hurried", arrivals: {})],
                   services: {{"db": (workers: Async(1), work: "20ms", queue: {queue})}},
                   policies: {{"patient": (timeout: "200ms"), "hurried": (timeout: "60ms")}}"#,
                steps(r#"(at: "0s", rate: "50/s"), "#, "65ms"),
                steps(r#"(at: "0s", rate: "0/s"), (at: "1ms", rate: "50/s"), "#, "66ms"),
            ),
            "10s",
        );
        let edge = |name: &str| report.edges.get(name).unwrap();
        let (ok, most) = (edge("hurried->db").calls.ok(), edge("patient->db").latency.max);
        assert_eq!((ok, most), (hurried, Some(longest * MILLI)), "{queue}");
    }
}

/// A storm of which every event is the same: its digest.
fn trajectory(service: &str) -> String {
    trajectory_of(&format!("workers: Blocking(4), {service}"), "")
}

/// The same with other workers, and a policy that says more.
pub fn trajectory_of(service: &str, policy: &str) -> String {
    let text = format!(
        r#"(about: "a storm", model: ServiceGraph(
            workload: [(to: "front", arrivals: Poisson("200/s"), policy: "p")],
            services: {{
                "front": (replicas: 2, workers: Async(8), work: Exponential(mean: "2ms"), calls: [(to: "back", policy: "p")]),
                "back": (replicas: 2, work: Exponential(mean: "30ms"), {service}),
            }},
            policies: {{"p": (timeout: "200ms", retry: Fixed(attempts: 3){policy})}},
            faults: [(at: "2s", for: "2s", on: "back", effect: Slow(factor: 3)), (at: "5s", for: "500ms", on: "back", replicas: Only([1]), effect: Crash())],
        ), run: (duration: "10s"))"#
    );
    let read = Experiment::parse("scene.ron", &text, &[], &Catalog::bundled());
    let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}\n{text}"));
    let resolved = experiment.with(None, &[]).expect("sound");
    let report = simulate(&resolved, &RunOptions::seeded(1), &mut |_| ControlFlow::Continue(())).report;
    assert!(report.services.get("back").unwrap().arrived > 2_500, "it is a storm");
    report.digest.t
}

/// Ten slow seconds shut the door to all who ever come, of whom nobody matters most. When they are over the queue drains, nothing begins any more, and
/// a tenth of those who come is let in after each second: ten seconds later it is as if nothing had been.
#[test]
fn a_door_that_overload_has_shut_opens_again() {
    let report = scene(
        r#"workload: [(to: "db", arrivals: Constant("80/s"))],
           services: {"db": (workers: Async(1), work: "10ms", shed: Dagor(decrease: 0.999, increase: 0.1))},
           faults: [(at: "1s", for: "10s", on: "db", effect: Slow(50))]"#,
        "60s",
    );
    let section = report.section("shed", "db").unwrap();
    let level = section.series.iter().find(|line| line.name == "level").unwrap();
    let least = level.values.iter().copied().fold(1.0, f64::min);
    assert_eq!(least, 0.25, "shut to all of whom anybody is");
    let ok = report.edges.get("users->db").unwrap().calls.ok();
    assert!(ok > 2_000, "open again for half a minute: {ok}");
}

/// What never acts moves no event.
#[test]
fn what_never_acts_moves_nothing() {
    let plain = trajectory("queue: Fifo(capacity: 300)");
    for same in [
        r#"queue: Fifo(capacity: 300), shed: MaxWait("1h")"#,
        r#"queue: Fifo(capacity: 300), shed: CoDel(target: "1min", interval: "1h")"#,
        r#"queue: Fifo(capacity: 300), shed: FacebookCoDel(target: "1min", interval: "1h")"#,
        "queue: Fifo(capacity: 300), shed: ByPriority(critical_plus: 305)",
        r#"queue: Fifo(capacity: 300), shed: Dagor(threshold: "1h")"#,
        "queue: AdaptiveLifo(threshold: 300, capacity: 300)",
        // All wait equally long.
        "queue: EarliestDeadline(capacity: 300)",
    ] {
        assert_eq!(trajectory(same), plain, "{same}");
    }
    let last = trajectory("queue: Lifo(capacity: 300)");
    assert_ne!(last, plain);
    for same in [
        "queue: AdaptiveLifo(threshold: 0, capacity: 300)",
        r#"queue: Lifo(capacity: 300), shed: MaxWait("1h")"#,
    ] {
        assert_eq!(trajectory(same), last, "{same}");
    }
    let shared = trajectory("queue: SharedFifo(capacity: 300)");
    assert_eq!(trajectory("queue: AdaptiveLifo(threshold: 300, capacity: 300, shared: true)"), shared);
    for shed in ["ByPriority(critical: 309)", r#"Dagor(threshold: "1h")"#] {
        assert_eq!(trajectory(&format!("queue: SharedFifo(capacity: 300), shed: {shed}")), shared);
    }
    for other in [
        r#"queue: Fifo(capacity: 300), shed: MaxWait("100ms")"#,
        "queue: Fifo(capacity: 300), shed: CoDel()",
        "queue: Fifo(capacity: 300), shed: FacebookCoDel()",
        "queue: Fifo(capacity: 300), shed: ByPriority(critical: 300)",
        "queue: Fifo(capacity: 300), shed: Dagor()",
        "queue: AdaptiveLifo(threshold: 20, capacity: 300)",
    ] {
        assert_ne!(trajectory(other), plain, "{other} acts");
    }
}
