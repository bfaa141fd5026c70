//! Scenes of versions that come and go. What stands here without a tolerance can be worked out by hand.

use super::scenes::{SECOND, scene_of};
use crate::Catalog;
use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::{RunOptions, simulate};
use std::ops::ControlFlow;

/// Even calls of 1 ms each, so many a second, of replicas with as many workers as they need.
fn graph(rate: &str, service: &str, more: &str) -> String {
    format!(
        r#"workload: [(to: "api", arrivals: Constant("{rate}"), policy: "p")],
           services: {{"api": (workers: Async(50), work: "1ms", {service})}}, policies: {{"p": (timeout: "1s")}}, {more}"#
    )
}

#[track_caller]
fn shop(rate: &str, service: &str, lasts: &str) -> Report {
    scene_of(&graph(rate, service, ""), &format!(r#"duration: "{lasts}", window: "1s""#))
}

#[track_caller]
fn told(report: &Report, name: &str) -> Option<f64> {
    let section = report.section("rollout", "api").expect("it is told");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value
}

fn seconds(report: &Report, name: &str) -> Option<f64> {
    told(report, name).map(|nanos| nanos / SECOND as f64)
}

fn changes(report: &Report) -> Vec<(f64, &str)> {
    let section = report.section("rollout", "api").expect("it is told");
    section.changes.iter().map(|change| (change.at as f64 / SECOND as f64, &*change.to)).collect()
}

/// Claim B29: whoever has a share of the replicas for a time meets that share of the users for it. 10 % for 100 s and 50 % for 50 s, and all for the
/// 140 s that are left; or nobody else, if it is taken back.
#[test]
fn users_meet_it_for_the_sum_of_shares_and_times() {
    let canary = r#"Canary(steps: [(weight: 0.1, pause: "100s"), (weight: 0.5, pause: "50s")])"#;
    let of = |more: &str| {
        shop(
            "1/s",
            &format!(r#"replicas: 10, rollout: (at: "10500ms", strategy: {canary}{more})"#),
            "300500ms",
        )
    };
    let through = of("");
    assert_eq!(seconds(&through, "exposure"), Some(0.1 * 100.0 + 0.5 * 50.0 + 140.0));
    assert_eq!((seconds(&through, "took"), told(&through, "completed")), (Some(150.0), Some(1.0)));
    assert_eq!((told(&through, "rolled_back"), seconds(&through, "time_to_detect")), (Some(0.0), None));
    let states = ["progressing", "paused", "progressing", "paused", "progressing", "complete"];
    assert_eq!(changes(&through).iter().map(|it| it.1).collect::<Vec<_>>(), states);
    let back = of(r#", to: (error_rate: 1), analysis: (metric: ErrorRate(at_most: 0), interval: "30s")"#);
    assert_eq!(seconds(&back, "exposure"), Some(0.1 * 30.0));
    assert_eq!(
        (seconds(&back, "time_to_detect"), seconds(&back, "time_to_roll_back")),
        (Some(30.0), Some(0.0))
    );
    // One of ten calls in turn, for 30 s.
    assert_eq!((told(&back, "failed"), told(&back, "requests")), (Some(3.0), Some(3.0)));
    assert_eq!(told(&back, "false_rollbacks"), Some(0.0));
}

/// Claim B29: with a share of 1 % that fails 299 requests show one with 95 %, 1 - 0.99^299.
#[test]
fn few_requests_show_little() {
    let text = format!(
        r#"(about: "a scene", model: ServiceGraph({}), run: (duration: "5s", window: "1s"))"#,
        graph(
            "100/s",
            r#"rollout: (at: "1s", to: (error_rate: 0.01), strategy: Recreate,
                analysis: (metric: ErrorRate(at_most: 0), initial_delay: "5ms", interval: "INTERVAL", count: 1))"#,
            "",
        )
    );
    for (interval, requests) in [("2990ms", 299), ("690ms", 69)] {
        let read =
            Experiment::parse("scene.ron", &text.replace("INTERVAL", interval), &[], &Catalog::bundled());
        let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}"));
        let resolved = experiment.with(None, &[]).expect("sound");
        let seeds = 600;
        let found = (0..seeds).filter(|seed| {
            let options = RunOptions::seeded(*seed);
            let report = simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report;
            assert_eq!(told(&report, "measurements"), Some(1.0));
            told(&report, "rolled_back") == Some(1.0)
        });
        let share = found.count() as f64 / seeds as f64;
        let exact = 1.0 - sim_core::math::powi(0.99, requests);
        let error = (exact * (1.0 - exact) / seeds as f64).sqrt();
        assert!((share - exact).abs() < 4.0 * error, "{requests}: {share} and not {exact}");
    }
}

/// All of 100/s meet it from 4.995 s on, and an analysis every second sees it at 5.995: a hundred. From then on nobody does.
#[test]
fn a_bad_version_fails_those_who_meet_it() {
    let strategies = ["Recreate", "Rolling(max_surge: 1, max_unavailable: 0)", "BlueGreen()"];
    for strategy in strategies {
        let of = |to: &str, metric: &str| {
            let service = format!(
                r#"replicas: 4, rollout: (at: "4995ms", to: ({to}), strategy: {strategy}, analysis: (metric: {metric}, interval: "1s"))"#
            );
            shop("100/s", &service, "20s")
        };
        let bad = of("error_rate: 1", "ErrorRate(at_most: 0.5)");
        let failed = bad.edges.get("users->api").unwrap().calls.failed();
        assert_eq!((told(&bad, "failed"), failed), (Some(100.0), 100), "{strategy}");
        assert_eq!(seconds(&bad, "time_to_detect"), Some(1.0), "{strategy}");
        assert_eq!(bad.summary.recovered, Some(true), "{strategy}: {}", bad.verdict.headline);
        assert!(bad.verdict.headline.contains("after the rollout began"), "{}", bad.verdict.headline);
        // 1 ms, and three more for what takes four times as long.
        for (at_most, above, back) in
            [("3500us", "", 1.0), ("4500us", "", 0.0), ("2500us", ", above_old: true", 0.0)]
        {
            let slow = of("work: 4", &format!(r#"Latency(at_most: "{at_most}"{above})"#));
            // Beside the old one nothing can be compared with it once all of it is gone.
            assert_eq!(told(&slow, "rolled_back"), Some(back), "{strategy} {at_most}");
            assert_eq!(told(&slow, "failed"), Some(0.0));
        }
        let good = of("", "ErrorRate(at_most: 0)");
        assert_eq!(
            (told(&good, "rolled_back"), told(&good, "completed")),
            (Some(0.0), Some(1.0)),
            "{strategy}"
        );
    }
}

/// Nobody is lost of those that are drained, whatever the strategy, as long as as many are there as are needed; and all of them run the new one in the end.
#[test]
fn a_good_version_harms_nobody_who_has_room() {
    for strategy in [
        "Rolling()",
        "Rolling(max_surge: 0)",
        "Rolling(max_surge: 1, max_unavailable: 0.5)",
        "BlueGreen()",
        r#"Canary(steps: [(weight: 0.3, pause: "3s")])"#,
    ] {
        for start in ["", r#"start_up: (time: "2s"), "#] {
            let service =
                format!(r#"replicas: 4, {start}rollout: (at: "5s", strategy: {strategy}, linger: "10ms")"#);
            let report = shop("1000/s", &service, "60s");
            assert_eq!(report.edges.get("users->api").unwrap().calls.failed(), 0, "{service}");
            assert_eq!(
                (told(&report, "completed"), told(&report, "stuck")),
                (Some(1.0), Some(0.0)),
                "{service}"
            );
            let last = *report.section("rollout", "api").unwrap().series[0].values.last().unwrap();
            assert_eq!(last, 1.0, "{service}");
        }
    }
}

/// A verdict says what became of a release that is not with everybody in the end.
#[test]
fn a_verdict_says_what_became_of_it() {
    let bad = r#"to: (error_rate: 0.02), analysis: (metric: ErrorRate(at_most: 0), interval: "10s")"#;
    let by_hand = r#"undo_at: "20s""#;
    let told = |rollout: &str| {
        let report = shop("100/s", &format!(r#"replicas: 10, rollout: (at: "5s", {rollout})"#), "60s");
        report.verdict.details.into_iter().filter(|detail| detail.contains("rollout of")).collect::<Vec<_>>()
    };
    assert_eq!(told(""), [""; 0]);
    assert_eq!(told(bad), ["the rollout of api was taken back after 10 s"]);
    assert_eq!(
        told(by_hand),
        ["the rollout of api was taken back after 15 s, though nothing is wrong with it"]
    );
    for (rollout, state) in [
        ("to: (ready: false)", "progressing"),
        (r#"to: (ready: false), progress_deadline: "9s""#, "stuck"),
        (r#"strategy: BlueGreen(promote_after: "10min")"#, "paused"),
    ] {
        let said = format!("the rollout of api had not come to its end when the run ended: it was {state}");
        assert_eq!(told(rollout), [said], "{rollout}");
    }
}

/// What never becomes ready keeps as many of the old ones as may not be missing, and is stuck.
#[test]
fn what_never_becomes_ready_goes_no_further() {
    let of = |more: &str| {
        let rollout = format!(
            r#"replicas: 4, rollout: (at: "5s", to: (ready: false), progress_deadline: "20s"{more})"#
        );
        shop("100/s", &rollout, "60s")
    };
    let stuck = of("");
    assert_eq!(
        (told(&stuck, "stuck"), told(&stuck, "least_available"), told(&stuck, "requests")),
        (Some(1.0), Some(3.0), Some(0.0))
    );
    assert_eq!(changes(&stuck), [(5.0, "progressing"), (25.0, "stuck")]);
    let back = of(", progress_deadline_abort: true");
    assert_eq!(changes(&back)[1..], [(25.0, "stuck"), (25.0, "rolling back"), (25.0, "rolled back")]);
    assert_eq!(seconds(&back, "time_to_detect"), Some(20.0));
    assert_eq!(members(&back), 4.0);
    let recreated = of(", strategy: Recreate");
    assert_eq!(told(&recreated, "least_available"), Some(0.0));
    assert_eq!(members(&recreated), 0.0);
}

/// Those that callers may choose, in the last window.
fn members(report: &Report) -> f64 {
    *report.section("members", "api").expect("they move").series[0].values.last().unwrap()
}

/// One of eight keeps the old version for good.
#[test]
fn whom_a_release_misses_has_it_never() {
    let report = shop("80/s", r#"replicas: 8, rollout: (at: "5s", missed: 1, to: (error_rate: 1))"#, "105s");
    assert_eq!(*report.section("rollout", "api").unwrap().series[0].values.last().unwrap(), 7.0 / 8.0);
    let share = told(&report, "share_of_requests").unwrap();
    assert!((share - 100.0 / 105.0 * 7.0 / 8.0).abs() < 0.01, "{share}");
    assert_eq!(told(&report, "completed"), Some(1.0));
}

/// One zone after the other: what is bad has reached one in three by the time that somebody sees it.
#[test]
fn it_goes_from_zone_to_zone() {
    let of = |more: &str| {
        let service = format!(
            r#"replicas: 6, rollout: (at: "10s", to: (error_rate: 1), strategy: Zones(pause: "20s"){more})"#
        );
        scene_of(
            &graph("90/s", &service, r#"zones: (names: ["a", "b", "c"])"#)
                .replace(r#"Constant("90/s")"#, r#"Constant("90/s"), clients: 3"#),
            r#"duration: "100s", window: "1s""#,
        )
    };
    let through = of("");
    let line = &through.section("rollout", "api").unwrap().series[0].values;
    assert_eq!([5, 15, 35, 65].map(|second| line[second]), [0.0, 2.0 / 6.0, 4.0 / 6.0, 1.0]);
    assert_eq!(seconds(&through, "took"), Some(40.0));
    let back = of(r#", analysis: (metric: ErrorRate(at_most: 0.1), interval: "5s")"#);
    let line = &back.section("rollout", "api").unwrap().series[0].values;
    assert_eq!([12, 20, 99].map(|second| line[second]), [2.0 / 6.0, 0.0, 0.0]);
}

/// A rollout in the middle of whatever else may happen: the laws hold, it comes to its end, and as many are there as before.
#[test]
fn it_meets_whatever_else_happens() {
    let faults = [
        r#"(at: "6s", for: "5s", on: "api", effect: Crash())"#,
        r#"(at: "6s", for: "5s", on: "api", effect: Crash(callers: Silence), replicas: Fraction(0.5))"#,
        r#"(at: "4s", for: "9s", on: "api", effect: Drain(), replicas: Only([0, 2]))"#,
        r#"(at: "5100ms", for: "30s", on: "api", effect: Drain(grace: "1s"))"#,
        r#"(at: "6s", for: "5s", on: "api", effect: BlackHole)"#,
        r#"(at: "5s", for: "1ms", on: "api", effect: Crash()), (at: "8s", for: "20s", on: "api", effect: Slow(factor: 9))"#,
    ];
    let services = [
        "",
        r#"start_up: (time: "2s", cold_factor: 3, warms_up_in: "5s"),"#,
        r#"health: (interval: "500ms", timeout: "100ms"),"#,
        r#"probes: (liveness: (period: "1s", timeout: "500ms", failure_threshold: 2), readiness: (period: "1s", timeout: "500ms")), start_up: (time: "500ms"),"#,
        r#"autoscaler: (metric: Requests("20/s"), min: 2, max: 9, sync: "1s", scale_down: (stabilization: "3s")),"#,
        r#"queue: SharedFifo(), "#,
        r#"dies: (at_in_flight: 3, restart_after: "700ms"), per_replica: true,"#,
    ];
    let strategies = [
        "Rolling()",
        "Recreate",
        r#"BlueGreen(scale_down_delay: "4s")"#,
        r#"Canary(steps: [(weight: 0.3, pause: "3s")])"#,
        r#"Zones(pause: "1s")"#,
    ];
    for (turn, strategy) in strategies.into_iter().enumerate() {
        for (number, service) in services.into_iter().enumerate() {
            for (watch, watched) in ["", r#", analysis: (metric: ErrorRate(at_most: 0.2), interval: "2s")"#]
                .into_iter()
                .enumerate()
            {
                let fault = faults[(turn + number + 3 * watch) % faults.len()];
                // One queue for all: nobody can be told from another.
                let fits = number != 5 || !fault.contains("Only") && !fault.contains("Fraction");
                let service = format!(
                    r#"replicas: 4, {service} rollout: (at: "5s", to: (work: 2, error_rate: 0.3), strategy: {strategy}{watched}, linger: "20ms", grace: "2s")"#
                );
                let faults = if fits { fault } else { "" };
                let more = format!(r#"zones: (names: ["a", "b"]), faults: [{faults}]"#);
                let text = graph("40/s", &service, &more)
                    .replace(r#"Constant("40/s")"#, r#"Poisson("40/s"), clients: 2"#);
                let report = scene_of(&text, r#"duration: "60s", window: "1s""#);
                // Who is killed, dies of his load, or is said to be ill may never come to rest.
                if [2, 3, 6].contains(&number) {
                    continue;
                }
                let state = changes(&report).last().map(|it| it.1.to_owned());
                let over = if watched.is_empty() { "complete" } else { "rolled back" };
                assert_eq!(state.as_deref(), Some(over), "{service} {faults}");
                if number != 4 {
                    assert_eq!(members(&report), 4.0, "{service} {faults}");
                }
            }
        }
    }
}

/// Behind one queue for all whoever waits aside takes nothing from it.
#[test]
fn who_waits_aside_does_nothing() {
    for queue in ["Fifo()", "SharedFifo()"] {
        let service = format!(
            r#"replicas: 2, queue: {queue}, rollout: (at: "5s", to: (error_rate: 1), strategy: BlueGreen(promote_after: "10s", scale_down_delay: "5s"))"#
        );
        let report = shop("100/s", &service, "20500ms");
        // From 15 s on.
        let failed = report.edges.get("users->api").unwrap().calls.failed();
        assert!((549..=551).contains(&failed), "{queue}: {failed}");
        assert_eq!(told(&report, "requests"), Some(failed as f64), "{queue}");
    }
}

/// More are wanted while versions change, and fewer when they have: each is of the version that it should be.
#[test]
fn it_grows_and_shrinks_meanwhile() {
    let scaler = r#"autoscaler: (metric: Requests("100/s"), min: 2, max: 8, sync: "1s", scale_down: (stabilization: "2s")), start_up: (time: "3s"),"#;
    for strategy in
        ["Rolling()", "BlueGreen()", "Recreate", r#"Canary(steps: [(weight: 0.5, pause: "30s")])"#]
    {
        let service =
            format!(r#"replicas: 2, {scaler} rollout: (at: "18s", strategy: {strategy}, linger: "10ms")"#);
        let text = graph("1/s", &service, "").replace(
            "Constant(\"1/s\")",
            "Steps(spacing: Even, steps: [(at: \"0s\", rate: \"150/s\"), (at: \"20s\", rate: \"590/s\"), (at: \"80s\", rate: \"150/s\")])",
        );
        let report = scene_of(&text, r#"duration: "120s", window: "1s""#);
        let there = &report.section("members", "api").unwrap().series[0].values;
        assert_eq!([there[10], there[75], there[119]], [2.0, 6.0, 2.0], "{strategy}");
        let new = &report.section("rollout", "api").unwrap().series[0].values;
        assert_eq!([new[10], new[75], new[119]], [0.0, 1.0, 1.0], "{strategy}");
    }
}

/// A value of what is told of a flag.
#[track_caller]
fn of_flag(report: &Report, name: &str) -> Option<f64> {
    let section = report.section("feature_flag", "api").expect("it is told");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value
}

fn with_flag(report: &Report) -> &[f64] {
    &report.section("feature_flag", "api").expect("it is told").series[0].values
}

/// One of four, two of four, and all, for 10 s each, in turn: until somebody looks, and for as long as it then takes.
#[test]
fn a_flag_is_on_for_a_share_and_then_for_more() {
    let stages = r#"stages: [(at: "9995ms", share: 0.25), (at: "19995ms", share: 0.5), (at: "29995ms")]"#;
    let of = |more: &str| shop("100/s", &format!("replicas: 4, feature_flag: ({stages}, {more})"), "40s");
    let bad = of("error_rate: 1");
    assert_eq!([5, 15, 25, 35].map(|second| with_flag(&bad)[second]), [0.0, 0.25, 0.5, 1.0]);
    let failed = bad.edges.get("users->api").unwrap().calls.failed();
    assert_eq!((failed, of_flag(&bad, "failed")), (250 + 500 + 1_000, Some(1_750.0)));
    assert_eq!((of_flag(&bad, "error_rate_without"), of_flag(&bad, "killed")), (Some(0.0), Some(0.0)));
    // 5 s of one in four, and 3 s more.
    let killed =
        of(r#"error_rate: 1, analysis: (metric: ErrorRate(at_most: 0.1), interval: "5s"), kill_takes: "3s""#);
    assert_eq!((of_flag(&killed, "failed"), of_flag(&killed, "false_kills")), (Some(200.0), Some(0.0)));
    assert_eq!(of_flag(&killed, "time_to_detect"), Some(5e9));
    assert_eq!(
        [17, 25, 35].map(|second| with_flag(&killed)[second]),
        [0.25, 0.0, 0.0],
        "off for good, whatever the stages"
    );
    assert_eq!(killed.summary.recovered, Some(true), "{}", killed.verdict.headline);
    let missed = of("error_rate: 1, missed: 1");
    assert_eq!(with_flag(&missed)[35], 0.75);
    let slow = of(r#"work: 5, analysis: (metric: Latency(at_most: "2ms", above_old: true), interval: "5s")"#);
    assert_eq!((of_flag(&slow, "killed"), of_flag(&slow, "failed")), (Some(1.0), Some(0.0)));
    let good = of(r#"analysis: (metric: ErrorRate(at_most: 0), interval: "5s")"#);
    assert_eq!((of_flag(&good, "killed"), of_flag(&good, "measurements")), (Some(0.0), Some(6.0)));
}

/// A flag that is used again wakes what the old version does with it: in one of eight that the release has missed, and in all of them when
/// the release is taken back.
#[test]
fn a_flag_acts_where_its_version_runs() {
    let of = |rollout: &str, only: &str| {
        let service = format!(
            r#"replicas: 8, rollout: (at: "5s", {rollout}), feature_flag: (stages: [(at: "20s")], error_rate: 1, only: {only})"#
        );
        shop("80/s", &service, "60s")
    };
    let at = |report: &Report| [10, 30, 55].map(|second| with_flag(report)[second]);
    assert_eq!(at(&of("missed: 1", "Old")), [0.0, 0.125, 0.125]);
    assert_eq!(at(&of("", "Old")), [0.0, 0.0, 0.0]);
    assert_eq!(at(&of("missed: 1", "New")), [0.0, 0.875, 0.875]);
    let back = of(r#"missed: 1, undo_at: "40s""#, "Old");
    assert_eq!(at(&back), [0.0, 0.125, 1.0]);
    assert_eq!((told(&back, "false_rollbacks"), seconds(&back, "time_to_detect")), (Some(1.0), Some(35.0)));
    assert_eq!(at(&of(r#"missed: 1, undo_at: "40s""#, "New")), [0.0, 0.875, 0.0]);
}
