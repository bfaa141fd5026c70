//! Where two mechanisms meet: each knows nothing of the other, and neither spoils what the other does.

use super::scenes::scene;
use crate::policy::Outcome;
use crate::report::Report;

fn told(report: &Report, kind: &str, at: &str, name: &str) -> f64 {
    let section = report.section(kind, at).unwrap_or_else(|| panic!("no {kind} at {at}"));
    section.values.get(name).and_then(|it| it.value).unwrap_or_else(|| panic!("no {name} of {kind} at {at}"))
}

fn success(report: &Report) -> f64 {
    report.summary.success.expect("calls ended")
}

const SCALED: &str =
    "replicas: 4, workers: Async(10), work: \"5ms\", autoscaler: (metric: Utilisation(0.5), min: 4, max: 40)";

fn calm(policy: &str, more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(name: "u", to: "s", arrivals: Poisson("100/s"), clients: 20, policy: "p")],
               services: {{"s": ({SCALED}, {more})}}, policies: {{"p": ({policy})}}"#
        ),
        "20s",
    )
}

/// Four of forty are there, and all of them are well: nobody panics, and of four no more than a tenth may be ejected, which is nobody.
#[test]
fn who_may_yet_come_is_neither_missed_nor_counted() {
    assert_eq!(success(&calm("panic_threshold: 0.5", "")), 1.0);
    let fails = success(&calm("outlier: (consecutive: 1, max_ejection_percent: 10)", "error_rate: 0.5"));
    assert!((fails - 0.5).abs() < 0.05, "half of them are answered well, whoever is asked: {fails}");
}

/// A request that comes twice is accepted twice and called back twice, about the same: one callback finds it, and the other does no harm.
#[test]
fn what_comes_twice_is_called_back_about_one_request() {
    for on in ["a->b", "b->a/callback"] {
        let report = scene(
            &format!(
                r#"workload: [(to: "a", arrivals: Poisson("100/s"))], network: "1ms",
                   services: {{
                       "a": (workers: Async(9), work: "2ms", calls: [(to: "b", callback: (after: "5ms", within: "1s"))]),
                       "b": (workers: Async(4), work: "1ms"),
                   }}, faults: [(at: "0s", on: "{on}", effect: Duplicate(probability: 0.5))]"#
            ),
            "5s",
        );
        assert_eq!(success(&report), 1.0, "{on}");
        let twice = told(&report, "network", on, "twice");
        assert!(twice > 100.0, "{on}: {twice} came twice");
    }
}

/// One of two calls fails at once and the request with it, while its replica stands still: what the other's callback finds meanwhile is still there.
#[test]
fn a_request_that_is_held_back_waits_for_its_callback_until_it_is_answered() {
    let report = scene(
        r#"workload: [(to: "a", arrivals: Poisson("300/s"))],
           services: {
               "a": (workers: Async(9), stop_the_world: Periodic(every: "30ms", for: "20ms"), work: "1ms", calls: [
                   Parallel(calls: [(to: "b", callback: (after: "3ms", within: "4ms")), (to: "c")], fail: Fast)]),
               "b": (workers: Async(9), work: "0s"),
               "c": (workers: Async(9), work: "2ms", error_rate: 1),
           }"#,
        "5s",
    );
    assert_eq!(success(&report), 0.0);
    assert!(told(&report, "stop_the_world", "a", "pauses") > 100.0);
}

/// Room for more callers than there are: those who come later are called back as well.
#[test]
fn who_comes_later_is_called_back() {
    let report = scene(
        r#"workload: [(to: "a", arrivals: Poisson("100/s"))],
           services: {
               "a": (workers: Async(1), work: "20ms", queue: Fifo(capacity: Unbounded), calls: [(to: "b", callback: (after: "5ms", within: "10s", work: "0s", state: Sticky))],
                   autoscaler: (metric: Utilisation(0.5), min: 1, max: 8, sync: "1s")),
               "b": (workers: Async(100), work: "1ms"),
           }"#,
        "60s",
    );
    assert!(told(&report, "autoscaler", "a", "desired_most") >= 4.0);
    assert!(success(&report) > 0.99);
}

/// Killed twice, it is to wait 200 s; then it is taken away, and a minute later another takes its place: that one has nothing to wait for.
#[test]
fn what_was_killed_and_taken_away_leaves_nothing_to_the_next() {
    let report = scene(
        r#"workload: [(name: "u", to: "s", arrivals: Steps(steps: [(at: "0s", rate: "10/s"), (at: "60s", rate: "150/s")]), policy: "p")],
           services: {"s": (replicas: 2, workers: Async(2), work: "10ms",
               probes: (liveness: (period: "1s", timeout: "500ms", failure_threshold: 1), readiness: (period: "1s", timeout: "500ms", failure_threshold: 1), crash_loop_backoff: (initial: "200s", cap: "300s")),
               autoscaler: (metric: Requests("100/s"), min: 1, max: 2, sync: "5s", scale_down: (stabilization: "0s")))},
           policies: {"p": (timeout: "1s")},
           faults: [(at: "1s", for: "20s", on: "s", replicas: Only([1]), effect: BlackHole)]"#,
        "300s",
    );
    assert_eq!(told(&report, "probes", "s", "kills"), 2.0);
    let mean = told(&report, "members", "s", "mean");
    // One for a minute, then two.
    assert!(mean > 1.7, "{mean} members");
}

/// Ten a second of one key for 9.5 s, which takes a second and is good for two, by this cache and these policies.
fn kept(cache: &str, front: &str, of_users: &str, of_front: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "front", policy: "users", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "9550ms", rate: "0/s")]))],
               services: {{
                   "front": (workers: Async(99), work: "0s", calls: [(to: "back", policy: "front")], cache: (capacity: 1, ttl: "2s", {cache}) {front}),
                   "back": (workers: Async(99), work: "1s"),
               }}, policies: {{"users": ({of_users}), "front": ({of_front})}}, faults: [{faults}]"#
        ),
        "30s",
    )
}

/// Who is answered with what is old leaves its instance to what is fetched for the next: no more of them are needed, and no fewer, than where all wait.
#[test]
fn a_fetch_in_the_background_keeps_the_instance() {
    let cold = r#", cold_start: (time: "1ms", idle_timeout: "1h")"#;
    let starts = |cache| told(&kept(cache, cold, "", "", ""), "cold_start", "front", "starts");
    assert_eq!(starts(r#"stale_while_revalidate: "20s""#), starts(""));
}

/// A copy of a request asks for the same: it joins the flight of the first, and nobody is asked twice.
#[test]
fn a_copy_joins_the_flight() {
    let hedge = r#"hedge: (after: "300ms")"#;
    let fetches = |cache, policy| told(&kept(cache, "", policy, "", ""), "cache", "front", "fetches");
    assert_eq!(
        (fetches("", ""), fetches("", hedge)),
        (30.0, 51.0),
        "seven of ten are out for longer than 300 ms, three times"
    );
    assert_eq!((fetches("on_miss: SingleFlight", ""), fetches("on_miss: SingleFlight", hedge)), (4.0, 4.0));
}

/// Whoever goes first has a deadline, which ends what he fetches: that is everybody's who waited for him.
#[test]
fn the_deadline_of_the_first_is_everybodys() {
    let users = r#"timeout: "450ms""#;
    let ends = |of_front| {
        let report = kept("on_miss: SingleFlight", "", users, of_front, "");
        let attempts = &report.edges.get("users->front").unwrap().attempts;
        [Outcome::Ok, Outcome::Error, Outcome::TimedOut].map(|outcome| attempts.of(outcome))
    };
    // From 0.1 s it is out until 1.1 s: all who come before 0.65 s have given up by then.
    let [ok, errors, timed_out] = ends("");
    assert_eq!((ok + errors + timed_out, errors), (95, 0));
    // One goes, four wait, and all of them fail after 450 ms; the next goes.
    assert_eq!(ends("deadline_propagation: ()"), [0, 76, 19]);
}

/// Who is drained, or taken away, comes back with nothing.
#[test]
fn a_replica_that_was_away_has_kept_nothing() {
    for (front, faults, hits) in [
        ("", "", 60.0),
        // What is there at 4.95 s would be good until 6.1 s: at 5 s one goes once more, and then at 8 s; or 100 ms later, since the first is refused.
        ("", r#"(at: "4950ms", for: "50ms", on: "front", effect: Drain())"#, 55.0),
        (
            r#", start_up: (time: "1ms")"#,
            r#"(at: "4950ms", for: "50ms", on: "front", effect: Crash())"#,
            54.0,
        ),
    ] {
        let report = kept("on_miss: SingleFlight", front, "", "", faults);
        let found = told(&report, "cache", "front", "hits");
        assert_eq!(found, hits, "{front} {faults}");
    }
}

/// Each replica that an autoscaler brings is cold: it asks for everything once more.
#[test]
fn who_comes_later_knows_nothing() {
    let report = scene(
        r#"workload: [(to: "front", keys: Uniform(100), arrivals: Steps(steps: [(at: "0s", rate: "100/s"), (at: "60s", rate: "1000/s")]))],
           services: {
               "front": (workers: Async(4), work: "2ms", calls: [(to: "back")], cache: (capacity: 100),
                   autoscaler: (metric: Requests("200/s"), min: 1, max: 4, sync: "5s")),
               "back": (workers: Async(99), work: "1ms"),
           }"#,
        "120s",
    );
    assert_eq!(told(&report, "autoscaler", "front", "desired_most"), 4.0);
    assert_eq!(told(&report, "cache", "front", "entries").max(400.0), 400.0);
    let fills = told(&report, "cache", "front", "fills");
    assert!((400.0..440.0).contains(&fills), "{fills}: a hundred by each of four, and few twice");
}

/// What its replicas do by themselves when an autoscaler starts them, a rollout replaces them, or they die of their load: those that come call, and
/// those that were there do not.
#[test]
fn whoever_starts_a_replica_makes_it_call() {
    let by_itself = |service: &str, more: &str| {
        scene(
            &format!(
                r#"workload: [(to: "s", arrivals: Steps(steps: [(at: "0s", rate: "10/s"), (at: "60s", rate: "150/s")]), policy: "p")],
                   services: {{
                       "s": (workers: Async(2), work: "10ms", on_start: (calls: [(to: "back", times: 7)], again: "1s", work: (time: "12s", share: 0.1)), {service}),
                       "back": (workers: Async(1), work: "10ms"),
                   }}, policies: {{"p": (timeout: "1s")}}, faults: [{more}]"#
            ),
            "300s",
        )
    };
    let scaled = by_itself(r#"autoscaler: (metric: Requests("100/s"), min: 1, max: 2, sync: "5s")"#, "");
    assert_eq!(
        (told(&scaled, "on_start", "s", "replicas"), told(&scaled, "on_start", "s", "made")),
        (1.0, 7.0)
    );
    let rolled = by_itself(r#"replicas: 4, rollout: (at: "100s"), start_up: (time: "2s")"#, "");
    assert_eq!(
        (told(&rolled, "on_start", "s", "replicas"), told(&rolled, "on_start", "s", "made")),
        (4.0, 28.0)
    );
    for report in [&scaled, &rolled] {
        let section = report.section("on_start", "s").expect("it is told");
        let at_work =
            &section.series.iter().find(|line| line.name == "at_work").expect("they do work").values;
        assert!(
            at_work.iter().any(|replicas| *replicas > 0.0) && at_work.last() == Some(&0.0),
            "{at_work:?}"
        );
    }
    let slow = r#"(at: "100s", for: "10s", on: "s", effect: Slow(factor: 100))"#;
    let died = by_itself(r#"dies: (at_in_flight: 20, restart_after: "2s")"#, slow);
    let deaths = died.services.get("s").unwrap().deaths as f64;
    assert!(deaths > 2.0 && told(&died, "on_start", "s", "replicas") == deaths, "{deaths} deaths");
}

/// Replicas that call each other when they start, more often than either survives: each that comes back takes another along, or dies of what it
/// asked for itself, and is back; unless none is ready before it has called another.
#[test]
fn who_calls_its_own_kind_may_die_of_it() {
    let at_start = |before: bool| {
        let text = format!(
            r#"workload: [(to: "s", arrivals: Constant("10/s"))],
               services: {{"s": (replicas: 3, workers: Async(2), work: "10ms", dies: (at_in_flight: 9, restart_after: "1s"),
                   on_start: (calls: [(to: "s", times: 30)], again: "1s", before_ready: {before}))}},
               faults: [(at: "10s", for: "1s", on: "s", effect: Crash(), replicas: Only([0]))]"#
        );
        scene(&text, "60s").services.get("s").unwrap().deaths
    };
    assert!(at_start(false) > 10, "{}", at_start(false));
    assert_eq!(
        at_start(true),
        2,
        "then none of the three is ready, and whoever starts waits for another that is"
    );
}
