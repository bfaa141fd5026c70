//! Scenes of services that have more replicas when they are asked for more. What stands here without a tolerance can be worked out by hand.

use super::scenes::scene_of;
use crate::policy::{Ending, Outcome};
use crate::report::Report;

/// Even arrivals at rates from times on, at replicas of 10 workers and 100 ms: 100/s each.
#[track_caller]
fn shop(rates: &[(u64, u32)], service: &str, faults: &str, lasts: &str) -> Report {
    let steps = rates.iter().map(|(at, rate)| format!(r#"(at: "{at}s", rate: "{rate}/s")"#));
    let steps = steps.collect::<Vec<_>>().join(", ");
    let queue = if service.contains("queue: ") { "" } else { "queue: Fifo(capacity: Unbounded), " };
    scene_of(
        &format!(
            r#"workload: [(to: "api", arrivals: Steps(spacing: Even, steps: [{steps}]), policy: "p")],
               services: {{"api": (workers: Async(10), work: "100ms", {queue}{service})}},
               policies: {{"p": ()}}, faults: [{faults}]"#
        ),
        &format!(r#"duration: "{lasts}", window: "1s""#),
    )
}

#[track_caller]
fn value(report: &Report, kind: &str, name: &str) -> f64 {
    let section = report.sections.iter().find(|section| section.kind == kind);
    let value = section.and_then(|section| section.values.get(name)).expect("it is measured");
    value.value.unwrap_or_else(|| panic!("{kind}: no {name}"))
}

/// A line at the ends of these seconds.
fn line(report: &Report, kind: &str, name: &str, seconds: &[usize]) -> Vec<f64> {
    let section = report.sections.iter().find(|section| section.kind == kind).expect("it is told");
    let line = section.series.iter().find(|series| series.name == name).expect("it is drawn");
    seconds.iter().map(|second| line.values[second - 1]).collect()
}

fn of(report: &Report, names: [&str; 3]) -> [f64; 3] {
    names.map(|name| value(report, "autoscaler", name))
}

const CHANGES: [&str; 3] = ["ups", "downs", "reversals"];

/// 70 % of one are to be 60 %: two, of 35 % each, which is right; by what comes just as well. In an hour nothing else is done.
#[test]
fn one_becomes_two_once_and_never_again() {
    for metric in ["Utilisation(0.6)", r#"Requests("60/s")"#] {
        let scaler = format!("autoscaler: (metric: {metric}, max: 9)");
        let report = shop(&[(0, 70)], &scaler, "", "1h");
        assert_eq!(of(&report, CHANGES), [1.0, 0.0, 0.0], "{metric}");
        // At the first look, after 15 s.
        assert_eq!(line(&report, "autoscaler", "there", &[15, 16, 3_600]), [1.0, 2.0, 2.0], "{metric}");
        let hours = (15.0 + 2.0 * 3_585.0) / 3_600.0;
        assert!((value(&report, "autoscaler", "replica_hours") - hours).abs() < 1e-9, "{metric}");
        // Half as many, and those that were not there are no idle ones.
        let busy = report.services.get("api").unwrap().utilisation;
        assert!((busy - 70.0 * 0.1 * 3_600.0 / (10.0 * hours * 3_600.0)).abs() < 1e-3, "{metric}: {busy}");
    }
    // Within the tolerance nothing is done, and beyond it something.
    for (rate, ups) in [(65, 0.0), (67, 1.0), (55, 0.0)] {
        let report = shop(&[(0, rate)], "autoscaler: (metric: Utilisation(0.6), max: 9)", "", "10min");
        assert_eq!(of(&report, CHANGES), [ups, 0.0, 0.0], "{rate}");
    }
}

/// Twice as much comes from one minute on. What is seen is seen a look later, or two; what starts is ready when it is.
#[test]
fn how_late_it_is() {
    for (scaler, start, wanted, ready) in [
        ("", "", 75, 75),
        ("", r#"start_up: (time: "20s"),"#, 75, 95),
        (r#"lag: "30s","#, r#"start_up: (time: "20s"),"#, 105, 125),
        (r#"lag: "10s","#, "", 90, 90),
        (r#"sync: "60s","#, "", 120, 120),
        (r#"scheduled: [(at: "50s", min: 4)],"#, r#"start_up: (time: "20s"),"#, 60, 80),
        (r#"quota: [(at: "0s", max: 1), (at: "100s", max: 9)],"#, "", 105, 105),
        (r#"scale_up: (stabilization: "30s"),"#, "", 90, 90),
        (r#"scale_up: (policies: [Pods(1, "30s")]),"#, "", 105, 105),
    ] {
        let text = format!("replicas: 2, {start} autoscaler: ({scaler} metric: Requests(\"50/s\"), max: 9)");
        let report = shop(&[(0, 100), (60, 200)], &text, "", "3min");
        let at = |kind, name, second| line(&report, kind, name, &[second, second + 1]);
        assert_eq!(at("autoscaler", "desired", wanted)[1], 4.0, "{text}");
        assert!(at("autoscaler", "desired", wanted)[0] < 4.0, "{text}");
        assert!(at("members", "chosen_among", ready)[0] < 4.0, "{text}");
        assert_eq!(at("members", "chosen_among", ready)[1], 4.0, "{text}");
        let held = value(&report, "autoscaler", "held_by_quota");
        assert_eq!(held, if scaler.contains("quota") { 2.0 } else { 0.0 }, "at 75 and 90 s: {text}");
    }
}

/// A full worker is busy, and not more: by that figure ten times the load is met by steps of `1 / target`, each of which waits until
/// what was started last is ready; by what comes in one.
#[test]
fn a_figure_that_cannot_rise_says_too_little() {
    let wanted = |metric: &str| {
        let text = format!(
            r#"replicas: 2, start_up: (time: "20s"), autoscaler: (metric: {metric}, max: 40, scale_up: (policies: [Percent(1000, "15s")]))"#
        );
        let report = shop(&[(0, 100), (60, 1_000)], &text, "", "3min");
        line(&report, "autoscaler", "desired", &[76, 91, 106, 121])
    };
    assert_eq!(wanted(r#"Requests("50/s")"#), [20.0; 4]);
    // 2 / 0.5 are 4; the two that start count as idle, so half of all are busy, which is right; once they are ready and full: 8.
    assert_eq!(wanted("Utilisation(0.5)"), [4.0, 4.0, 4.0, 8.0]);
}

/// It goes down when nothing else was wanted for five minutes; who goes is the newest, and loses nothing that it has in hand.
#[test]
fn what_is_too_much_goes_later() {
    let scaler = |more: &str| format!(r#"replicas: 4, autoscaler: (metric: Requests("50/s"), max: 9{more})"#);
    let report = shop(&[(0, 200), (60, 90)], &scaler(""), "", "10min");
    assert_eq!(line(&report, "autoscaler", "desired", &[60, 360, 361]), [4.0, 4.0, 2.0]);
    let edge = report.edges.get("users->api").unwrap();
    assert_eq!(edge.calls.of(Ending::Ok) + edge.calls.of(Ending::InFlight), edge.calls.started);
    // At once, but not before the cool-down is over that began with the first change.
    let at_once = r#", scale_down: (stabilization: "0s")"#;
    let steps = [(0, 200), (60, 150), (75, 90)];
    let report = shop(&steps, &scaler(at_once), "", "5min");
    assert_eq!(line(&report, "autoscaler", "desired", &[76, 91, 106]), [3.0, 2.0, 2.0]);
    let report = shop(&steps, &scaler(&format!(r#"{at_once}, cool_down: "1min""#)), "", "5min");
    assert_eq!(line(&report, "autoscaler", "desired", &[76, 91, 135, 136]), [3.0, 3.0, 3.0, 2.0]);
    // Its time is up before its work is done.
    let report = shop(&[(0, 200), (60, 90)], &scaler(&format!(r#"{at_once}, grace: "50ms""#)), "", "5min");
    let reset = report.edges.get("users->api").unwrap().attempts.of(Outcome::Reset);
    assert!((2..=12).contains(&reset), "two replicas of ten workers: {reset}");
    // No fewer than the least.
    let report = shop(&[(0, 200), (60, 1)], &scaler(&format!("{at_once}, min: 3")), "", "5min");
    assert_eq!(line(&report, "autoscaler", "desired", &[300]), [3.0]);
}

/// By requests that wait: one replica that is 20/s short has more of them each second, and is helped at the next look.
#[test]
fn by_what_waits() {
    let report = shop(&[(0, 90), (60, 120)], "autoscaler: (metric: Queue(50), max: 9)", "", "2min");
    // From 60 to 75 s there wait 150 on average.
    assert_eq!(line(&report, "autoscaler", "desired", &[75, 76]), [1.0, 3.0]);
    let shared = shop(
        &[(0, 90), (60, 120)],
        "queue: SharedFifo(capacity: Unbounded), autoscaler: (metric: Queue(50), max: 9)",
        "",
        "2min",
    );
    assert_eq!(line(&shared, "autoscaler", "desired", &[75, 76]), [1.0, 3.0]);
    assert_eq!(line(&shared, "members", "chosen_among", &[75, 76]), [1.0, 3.0]);
}

/// Up and down again and again has a cause: a figure that is nought as soon as there are enough, and nothing that remembers.
#[test]
fn flapping_has_a_cause() {
    let reversals = |scaler: &str| {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "api", arrivals: Poisson("330/s"))],
                   services: {{"api": (replicas: 4, workers: Async(10), work: Exponential(mean: "100ms"), start_up: (time: "30s"),
                       queue: Fifo(capacity: 1000), autoscaler: (max: 20, {scaler}))}}"#
            ),
            r#"duration: "1h""#,
        );
        value(&report, "autoscaler", "reversals")
    };
    assert_eq!(reversals("metric: Utilisation(0.6)"), 0.0);
    assert!(reversals(r#"metric: Utilisation(0.6), scale_down: (stabilization: "0s")"#) <= 10.0);
    assert!(reversals(r#"metric: Queue(5), scale_down: (stabilization: "0s")"#) > 30.0);
}

/// A replica that is not there is nobody's: faults on it strike when it comes, and end without bringing it back.
#[test]
fn faults_on_those_that_are_not_there() {
    let text = |more: &str| {
        format!(
            r#"replicas: 2, per_replica: true, autoscaler: (metric: Requests("50/s"), max: 4, scale_down: (stabilization: "0s")){more}"#
        )
    };
    let rates = [(0, 100), (60, 200), (120, 100)];
    let ready = [50, 78, 110, 140];
    let drain = |at: u32, lasts: u32| {
        format!(r#"(at: "{at}s", for: "{lasts}s", on: "api", effect: Drain(), replicas: Only([3]))"#)
    };
    for (fault, counts) in [
        (String::new(), [2.0, 4.0, 4.0, 2.0]),
        // Before it comes, across its coming, while it is there, across its going, after it.
        (drain(20, 20), [2.0, 4.0, 4.0, 2.0]),
        (drain(20, 80), [2.0, 3.0, 4.0, 2.0]),
        (drain(76, 10), [2.0, 3.0, 4.0, 2.0]),
        (drain(100, 60), [2.0, 4.0, 3.0, 2.0]),
        (drain(150, 10), [2.0, 4.0, 4.0, 2.0]),
    ] {
        for more in [
            "",
            ", health: ()",
            r#", probes: (readiness: (period: "1s"), liveness: ())"#,
            r#", start_up: (time: "1s")"#,
        ] {
            let report = shop(&rates, &text(more), &fault, "3min");
            assert_eq!(line(&report, "members", "chosen_among", &ready), counts, "{fault}{more}");
            let crash = fault.replace("Drain()", "Crash()");
            shop(&rates, &text(more), &crash, "3min");
        }
    }
    // Of the time for which they were there they were busy; two of them from 75 s on, for a minute.
    let report = shop(&rates, &text(""), "", "3min");
    let busy = |replica: u32| {
        let at = format!("api[{replica}]");
        let section =
            report.sections.iter().find(|it| it.kind == "replicas" && it.at == at).expect("told apart");
        section.values.get("utilisation").unwrap().value.expect("it was there")
    };
    assert!((0..4).all(|replica| (0.4..0.7).contains(&busy(replica))), "{} {}", busy(0), busy(3));
    // The newest have gone: to the first two came half of all, and before and after that all.
    let line = |replica: u32, second: usize| {
        let at = format!("api[{replica}]");
        let section =
            report.sections.iter().find(|it| it.kind == "replicas" && it.at == at).expect("told apart");
        section.series[0].values[second]
    };
    let there = |second: usize| [0, 1, 2, 3].map(|replica| line(replica, second) > 0.0);
    assert_eq!(
        [there(50), there(100), there(170)],
        [[true, true, false, false], [true; 4], [true, true, false, false]]
    );
}

/// A replica that is ill goes first; and whoever takes its place is another.
#[test]
fn who_goes_is_forgotten() {
    let rates = [(0, 190), (60, 90), (120, 190)];
    let text = |more: &str| {
        format!(
            r#"replicas: 4, autoscaler: (metric: Requests("50/s"), max: 4, scale_down: (stabilization: "0s")), {more}"#
        )
    };
    // One of the first falls silent, is found out, and goes; the fault is over when its place is taken.
    let fault = r#"(at: "30s", for: "60s", on: "api", effect: BlackHole, replicas: Only([0]))"#;
    for (more, kind, without) in [
        (r#"health: (kind: Worker())"#, "health", "unhealthy"),
        (r#"probes: (readiness: (kind: Worker(), period: "5s"))"#, "probes", "unready"),
    ] {
        let report = shop(&rates, &text(more), fault, "3min");
        let ready = line(&report, "members", "chosen_among", &[50, 80, 150]);
        assert_eq!(ready[1..], [2.0, 4.0], "{more}");
        assert_eq!(line(&report, kind, without, &[80, 119, 150]), [0.0; 3], "{more}");
    }
}

/// A caller that grows brings its clients along, with connections of their own; and what it calls grows too.
#[test]
fn a_chain_of_services_that_grow() {
    for pool in ["", r#", pool: (size: 40, min_idle: 2, opening: "5ms")"#] {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "api", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "50/s"), (at: "60s", rate: "180/s"), (at: "120s", rate: "50/s")]), policy: "p")],
                   services: {{
                       "api": (workers: Async(10), work: "50ms", calls: [(to: "db", policy: "p")], autoscaler: (metric: Utilisation(0.5), max: 6, scale_down: (stabilization: "0s"))),
                       "db": (workers: Async(10), work: "40ms", autoscaler: (metric: Utilisation(0.5), max: 6, scale_down: (stabilization: "30s"))),
                   }},
                   policies: {{"p": (timeout: "5s", balancer: PowerOfTwo{pool})}}, network: "1ms""#
            ),
            r#"duration: "4min""#,
        );
        let edge = report.edges.get("users->api").unwrap();
        assert!(edge.calls.of(Ending::Ok) > edge.calls.started * 99 / 100, "{pool}");
        assert_eq!(line(&report, "autoscaler", "there", &[60, 118, 239]), [1.0, 2.0, 1.0], "{pool}");
    }
}
