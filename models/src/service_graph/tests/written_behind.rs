//! Writes that are answered before they are passed on: by hand, by closed forms, and where they meet what ends a replica.

use super::scenes::scene;
use crate::report::Report;

fn value(report: &Report, kind: &str, at: &str, name: &str) -> f64 {
    let section = report.section(kind, at).unwrap_or_else(|| panic!("no {kind} at {at}"));
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value.unwrap_or(f64::NAN)
}

fn told<const N: usize>(report: &Report, names: [&str; N]) -> [f64; N] {
    names.map(|name| value(report, "write_behind", "app", name))
}

/// All that was answered became something.
#[track_caller]
fn adds_up(report: &Report) {
    let [taken, coalesced, passed_on, lost, in_doubt, left] =
        told(report, ["taken", "coalesced", "passed_on", "lost", "in_doubt", "left"]);
    assert_eq!(taken, coalesced + passed_on + lost + in_doubt + left);
}

/// Writes, and reads of the store itself, before which an app writes behind.
fn behind(rule: &str, users: &str, more: &str, seconds: u64) -> Report {
    let report = scene(
        &format!(
            r#"workload: [(to: "app", {users})],
               services: {{
                   "app": (workers: Async(99), work: "0s", calls: [(to: "db")], cache: (capacity: Unbounded), on_write: Behind({rule})),
                   "db": (workers: Async(99), work: "1ms"),
               }}, store_of_record: "db", {more}"#
        ),
        &format!("{seconds}s"),
    );
    adds_up(&report);
    report
}

/// With writes at `λ` of `k` keys each `T` passes on `k (1 - e^(-λ T / k))`, or `λ T` where all are.
#[test]
fn of_each_key_the_last_is_passed_on() {
    for (rate, keys, delay) in [(100.0, 100.0, 1.0), (50.0, 10.0, 0.5), (20.0, 500.0, 5.0)] {
        let users = format!(r#"arrivals: Poisson("{rate}/s"), keys: Uniform({keys}), writes: 1"#);
        let rule = |more: &str| format!(r#"write_delay: "{}ms"{more}"#, delay * 1000.0);
        let flushes = 400.0 / delay;
        let exact = keys * (1.0 - sim_core::math::exp(-rate * delay / keys));
        let report = behind(&rule(""), &users, "", 400);
        let found = told(&report, ["passed_on"])[0] / flushes;
        assert!(
            (found - exact).abs() < 4.0 * (exact / flushes).sqrt() + 0.01 * exact,
            "{found}, not {exact}"
        );
        let sent = report.edges.get("app->db").expect("it is there").calls.started as f64;
        let [passed_on, left] = told(&report, ["passed_on", "left"]);
        assert!(sent >= passed_on && sent <= passed_on + left, "each is one call: {sent}");
        let all = behind(&rule(", write_coalescing: false"), &users, "", 400);
        let [taken, passed_on, coalesced] = told(&all, ["taken", "passed_on", "coalesced"]);
        assert!(coalesced == 0.0 && taken - passed_on <= 2.0 * rate * delay + 30.0, "{passed_on} of {taken}");
        // On average it waits for half of the time between two.
        let mean = told(&all, ["delay_mean"])[0] / 1e9;
        assert!((mean - delay / 2.0 - 0.001).abs() < 0.03 * delay, "{mean}");
    }
}

/// Crashes at all phases between two times at which it is passed on: what came in half of that is lost on average, and without one nothing is.
#[test]
fn a_crash_loses_what_came_since() {
    let crashes: Vec<String> = (0..120)
        .map(|n| {
            let at = 5_000.0 * f64::from(n + 1) + 1_000.0 * (f64::from(n) * 0.618_034).fract();
            format!(r#"(at: "{at:.3}ms", for: "1ms", on: "app", effect: Crash())"#)
        })
        .collect();
    let faults = format!("faults: [{}]", crashes.join(", "));
    let users = r#"arrivals: Poisson("100/s"), keys: Uniform(50), writes: 1"#;
    for (coalescing, exact) in [
        ("false", 50.0),
        // k (1 - (1 - e^(-λ T / k)) / (λ T / k)), the mean over all phases.
        ("true", 50.0 * (1.0 - (1.0 - sim_core::math::exp(-2.0)) / 2.0)),
    ] {
        let rule = format!(r#"write_delay: "1s", write_coalescing: {coalescing}"#);
        let lost = told(&behind(&rule, users, &faults, 610), ["lost"])[0] / 120.0;
        assert!((lost - exact).abs() < 4.0, "{lost} a crash, not {exact}");
        assert_eq!(told(&behind(&rule, users, "", 610), ["lost", "in_doubt", "failed"]), [0.0; 3]);
    }
}

/// A write at 1 s, passed on at 2 s; the store is asked at 1.5 s and at 3 s, the app at 1.5 s.
#[test]
fn the_store_hears_of_it_later_and_the_app_knows() {
    let at = |name: &str, to: &str, ms: u64, writes: u32| {
        let (on, off) = (ms - 1_000, ms + 1);
        let on = if on == 0 { "0s".into() } else { format!("{on}ms") };
        let nobody = if on == "0s" { "" } else { r#"(at: "0s", rate: "0/s"), "# };
        format!(
            r#"(name: "{name}", to: "{to}", arrivals: Steps(spacing: Even, steps: [{nobody}(at: "{on}", rate: "1/s"), (at: "{off}ms", rate: "0/s")]), writes: {writes})"#
        )
    };
    let run = |reads: &[String], faults: &str| {
        scene(
            &format!(
                r#"workload: [{}, {}],
                   services: {{
                       "app": (workers: Async(9), work: "0s", calls: [(to: "db")], cache: (capacity: 1, ttl: "100ms"), on_write: Behind(write_delay: "2s")),
                       "db": (workers: Async(9), work: "1ms"),
                   }}, store_of_record: "db", faults: [{faults}]"#,
                at("w", "app", 1_000, 1),
                reads.join(", ")
            ),
            "30s",
        )
    };
    let stale = |report: &Report| value(report, "staleness", "db", "stale");
    assert_eq!(stale(&run(&[at("early", "db", 1_500, 0)], "")), 1.0, "the store has not heard of it");
    assert_eq!(stale(&run(&[at("late", "db", 3_000, 0)], "")), 0.0, "now it has");
    let own = run(&[at("own", "app", 1_500, 0)], "");
    assert_eq!(stale(&own), 0.0, "its time is over, and it is still to be written: the app knows");
    assert_eq!(value(&own, "cache", "app", "hits"), 1.0);
    // Lost, it is never in the store.
    let crash = r#"(at: "1200ms", for: "1ms", on: "app", effect: Crash())"#;
    let lost = run(&[at("late", "db", 9_000, 0)], crash);
    assert_eq!((stale(&lost), told(&lost, ["lost", "in_doubt"])), (1.0, [1.0, 0.0]));
    let age = value(&lost, "staleness", "db", "age_mean");
    assert!((age - 8e9).abs() < 5e6, "since it was acknowledged: {age}");
}

/// Ten writes a second, of another key each, passed on as soon as three have come.
#[test]
fn so_many_are_passed_on_at_once() {
    let users = r#"arrivals: Constant("10/s"), keys: Uniform(100000), writes: 1"#;
    let report = behind(r#"write_delay: "1h", write_batch_size: 3"#, users, "", 100);
    let [taken, passed_on, left, longest] = told(&report, ["taken", "passed_on", "left", "delay_max"]);
    assert!(taken - passed_on <= 3.0 && left <= 3.0, "{passed_on} of {taken}");
    assert!((longest - 0.201e9).abs() < 2e6, "the first of three waits for two more: {longest}");
}

/// The store is away for 10 of 60 s: what is passed on fails, is passed on again, and nothing is lost. There is room for twenty.
#[test]
fn what_fails_is_passed_on_again_and_room_is_what_there_is() {
    let users = r#"arrivals: Constant("10/s"), keys: Uniform(100000), writes: 1"#;
    let away = r#"faults: [(at: "20s", for: "10s", on: "db", effect: Crash())]"#;
    let run = |full: &str| {
        let report =
            behind(&format!(r#"write_delay: "1s", capacity: 20, when_full: {full}"#), users, away, 60);
        let ok = report.summary.success.expect("calls ended");
        let late = report.edges.get("users->app").expect("it is there").latency.max.expect("some ended");
        (report, ok, late as f64 / 1e9)
    };
    let (blocks, ok, late) = run("Block");
    assert_eq!(ok, 1.0, "whoever finds no room waits until the store is back");
    assert!((8.0..9.5).contains(&late), "{late}");
    let [failed, full, lost] = told(&blocks, ["failed", "found_full", "lost"]);
    assert!(failed >= 100.0 && (85.0..=95.0).contains(&full) && lost == 0.0, "{failed} {full} {lost}");
    for (rule, why) in [("Reject", "they fail"), ("WriteThrough", "the store is away for them as well")] {
        let (report, ok, late) = run(rule);
        let refused = 1.0 - ok;
        assert!((0.12..0.16).contains(&refused) && late < 0.1, "{rule}: {why}: {refused}, {late}");
        assert_eq!(told(&report, ["lost", "in_doubt"]), [0.0; 2]);
    }
    // Nobody hammers a store that is away: what has come is tried at once, what has failed when the time is over.
    let batches = behind(r#"write_delay: "1s", write_batch_size: 2"#, users, away, 60);
    let sent = batches.edges.get("app->db").expect("it is there").calls.started as f64;
    assert!(sent < 600.0 + 600.0, "{sent}: each second what has failed so far, a hundred in the end");
}

/// The store takes a second, and the app crashes 500 ms after it has passed something on: nobody can tell, and it was done.
#[test]
fn what_was_on_its_way_is_in_doubt() {
    let report = scene(
        r#"workload: [(to: "app", arrivals: Constant("10/s"), keys: Uniform(100000), writes: 1)],
           services: {
               "app": (workers: Blocking(2), work: "0s", calls: [(to: "db")], cache: (capacity: Unbounded), on_write: Behind(write_delay: "5s")),
               "db": (workers: Async(99), work: "1s"),
           }, faults: [(at: "10500ms", for: "1ms", on: "app", effect: Crash())]"#,
        "30s",
    );
    adds_up(&report);
    let [lost, in_doubt] = told(&report, ["lost", "in_doubt"]);
    assert!((4.0..=6.0).contains(&lost) && (49.0..=51.0).contains(&in_doubt), "{lost}, {in_doubt}");
}

/// The store answers too late and is then away, and the app crashes 5 s later: what was sent to it while it was there it may have done, what it refused
/// each time it has not.
#[test]
fn what_was_refused_is_lost() {
    // Whom the log hears of is done in part.
    for (retry, log, sent) in
        [("None", "", 50.0), ("Fixed(attempts: 3)", "", 50.0), ("None", r#"(to: "log"), "#, 100.0)]
    {
        let report = scene(
            &format!(
                r#"workload: [(to: "app", arrivals: Constant("10/s"), keys: Uniform(100000), writes: 1)],
                   policies: {{"p": (timeout: "50ms", retry: {retry})}},
                   services: {{
                       "app": (workers: Async(9), work: "0s", calls: [{log}(to: "db", policy: "p")], cache: (capacity: Unbounded), on_write: Behind(write_delay: "1s")),
                       "db": (workers: Async(99), work: "100ms"),
                       "log": (workers: Async(99), work: "0s"),
                   }}, faults: [
                       (at: "5800ms", for: "20s", on: "db", effect: Crash()),
                       (at: "10900ms", for: "1ms", on: "app", effect: Crash()),
                   ]"#
            ),
            "11s",
        );
        adds_up(&report);
        let [lost, in_doubt] = told(&report, ["lost", "in_doubt"]);
        assert!((in_doubt - sent).abs() <= 2.0, "{retry} {log}: {in_doubt} in doubt, not {sent}");
        assert!((lost - (109.0 - sent)).abs() <= 2.0, "{retry} {log}: {lost} are lost");
    }
}

/// Who is told to go passes on what it has first, whatever tells it: a drain, an autoscaler, a rollout. A grace that is too short loses the rest.
#[test]
fn who_leaves_passes_on_what_it_has() {
    // Each has written 777 of a thousand keys by then.
    let run = |app: &str, db: &str, faults: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "app", arrivals: Poisson("50/s"), keys: Uniform(1000), writes: 1)], network: "1ms",
                   services: {{
                       "app": (workers: Async(9), work: "1ms", calls: [(to: "db")], cache: (capacity: Unbounded), on_write: Behind(write_delay: "10min"), {app}),
                       "db": (workers: Async(99), work: "{db}"),
                   }}, faults: [{faults}]"#
            ),
            "120s",
        );
        adds_up(&report);
        told(&report, ["lost", "in_doubt", "passed_on"])
    };
    let drain = |grace: &str| {
        format!(r#"(at: "60s", for: "20s", on: "app", replicas: Only([0]), effect: Drain(grace: "{grace}"))"#)
    };
    let [lost, in_doubt, passed_on] = run("replicas: 2", "10ms", &drain("10s"));
    assert!(lost == 0.0 && in_doubt == 0.0 && passed_on > 700.0, "{passed_on}");
    let [_, in_doubt, passed_on] = run("replicas: 2", "10s", &drain("1s"));
    assert!(in_doubt > 700.0 && passed_on == 0.0, "{in_doubt} in doubt, {passed_on} passed on");
    let rolled = r#"replicas: 2, rollout: (at: "60s", strategy: Rolling())"#;
    let [lost, in_doubt, passed_on] = run(rolled, "10ms", "");
    assert!(lost == 0.0 && in_doubt == 0.0 && passed_on > 1_400.0, "{passed_on}");
}

/// One reads at 1 s, and its answer takes three seconds; at 2 s it is written. What comes back is older, and is not kept.
#[test]
fn what_is_fetched_meanwhile_is_not_kept() {
    for on_miss in ["Fetch", "SingleFlight", r#"Lease(hold: "9s")"#] {
        let report = scene(
            &format!(
                r#"workload: [
                       (name: "w", to: "app", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "0/s"), (at: "1s", rate: "1/s"), (at: "2100ms", rate: "0/s")]), writes: 1),
                       (name: "r", to: "app", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1100ms", rate: "0/s"), (at: "4s", rate: "1/s"), (at: "8s", rate: "0/s")])),
                   ],
                   services: {{
                       "app": (workers: Async(9), work: "0s", calls: [(to: "db", only: Reads, network: "1500ms"), (to: "db", only: Writes)],
                               cache: (capacity: 1, on_miss: {on_miss}), on_write: Behind(write_delay: "30s")),
                       "db": (workers: Async(9), work: "1ms"),
                   }}, store_of_record: "db""#
            ),
            "20s",
        );
        assert_eq!(value(&report, "staleness", "db", "stale"), 0.0, "{on_miss}");
        assert_eq!(value(&report, "cache", "app", "fills"), 0.0, "{on_miss}");
        let late = if on_miss.starts_with("Lease") { "too_late" } else { "failed" };
        assert_eq!(value(&report, "cache", "app", late), 1.0, "{on_miss}");
    }
}
