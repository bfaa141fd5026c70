//! Scenes of callers who look up whom they call.

use super::scenes::{SECOND, scene, scene_of};
use crate::RunSpec;
use crate::policy::{Ending, Outcome};
use crate::report::{Report, Section};
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::GraphSpec;

#[track_caller]
fn told(report: &Report, name: &str) -> f64 {
    let section = report.section("discovery", "api").expect("it is looked up");
    section.values.get(name).and_then(|it| it.value).unwrap_or_else(|| panic!("no {name}"))
}

/// Users of an API of two replicas, ten calls a second for a minute and 0.05 s, one after another.
#[track_caller]
fn api(found: &str, service: &str, more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "api", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "60050ms", rate: "0/s")]))],
               services: {{
                   "api": (replicas: 2, workers: Async(9), work: "1ms", discovery: {found}{service}),
                   "names": (workers: Async(9), work: "1ms"),
               }}, faults: [{more}]"#
        ),
        "2min",
    )
}

fn refused(report: &Report) -> u64 {
    report.edges.get("users->api").unwrap().attempts.of(Outcome::Refused)
}

/// Of two that are called in turn one dies for good at 20.05 s, or leaves, with 400 calls yet to come.
#[test]
fn who_is_gone_is_called_until_it_is_known() {
    let registry = |more: &str| format!(r#"Registry(registry: "names", heartbeat: "1s", ttl: "3s"{more})"#);
    let once = registry(", refresh: Never");
    let often = registry(r#", refresh: "1s""#);
    let mute = registry(r#", refresh: "1s", deregister: false"#);
    let (dies, leaves) = ("Crash()", "Drain()");
    // Who asks once calls it for good. Found out after 2 s at least and 4 s at most, every second of ten calls a second goes to it
    // until then; who says that he goes is known after one second at most, whether or not he would have been found out.
    for (found, effect, least, most) in [
        (&once, dies, 200, 200),
        (&once, leaves, 200, 200),
        (&often, dies, 10, 21),
        (&often, leaves, 0, 6),
        (&mute, leaves, 10, 21),
        (&r#"Dns(resolver: "names", ttl: "1s")"#.to_string(), leaves, 0, 6),
        (&r#"Dns(resolver: "names", ttl: "1s")"#.to_string(), dies, 200, 200),
    ] {
        let fault = format!(r#"(at: "20050ms", on: "api", effect: {effect}, replicas: Only([0]))"#);
        let report = api(found, "", &fault);
        let count = refused(&report);
        assert!((least..=most).contains(&count), "{found} {effect}: {count}");
        assert_eq!(told(&report, "sent_to_gone"), count as f64, "{found} {effect}");
        assert_eq!(told(&report, "sent"), 600.0);
    }
    // A checker that takes it out tells the zone, and the registry, whose own entry is good for a minute.
    let fault = r#"(at: "20050ms", on: "api", effect: Crash(), replicas: Only([0]))"#;
    let health = r#", health: (interval: "1s", timeout: "1s", unhealthy_threshold: 1)"#;
    for found in [
        r#"Dns(resolver: "names", ttl: "1s")"#,
        r#"Registry(registry: "names", heartbeat: "1s", ttl: "1min", refresh: "1s")"#,
    ] {
        let report = api(found, health, fault);
        assert!((0..=11).contains(&refused(&report)), "{found}: {}", refused(&report));
    }
}

/// Two of a new version come in place of two, of ten calls a second by even callers: who comes is another than who went.
#[test]
fn a_new_version_has_new_addresses() {
    let dns = |ttl: &str| format!(r#"Dns(resolver: "names", ttl: {ttl}, timeout: "100ms")"#);
    let section = |report: &Report, name: &str| {
        report
            .section("rollout", "api")
            .expect("it is told")
            .values
            .get(name)
            .and_then(|it| it.value)
            .unwrap()
    };
    for strategy in ["Recreate", "Rolling()", "Rolling(max_surge: 1, max_unavailable: 0)", "BlueGreen()"] {
        let rolls = format!(r#", rollout: (at: "20050ms", strategy: {strategy})"#);
        // Who has asked once calls those that have gone: all of them from then on, or from when the last of them is not kept any more.
        let once = api(&dns("Never"), &rolls, "");
        let lost = if strategy == "BlueGreen()" { 100 } else { 400 };
        assert_eq!((refused(&once), told(&once, "sent_to_gone")), (lost, lost as f64), "{strategy}");
        assert_eq!((section(&once, "exposure"), section(&once, "requests")), (0.0, 0.0), "{strategy}");
        assert_eq!((section(&once, "completed"), told(&once, "gone"), told(&once, "come")), (1.0, 2.0, 2.0));
        // Who asks again meets it as soon as he has heard of it, and not before.
        let again = api(&dns(r#""1s""#), &rolls, "");
        let (exposure, met) = (section(&again, "exposure") / 1e9, section(&again, "requests"));
        assert!((98.8..=100.0).contains(&exposure) && refused(&again) <= 12, "{strategy}: {exposure}");
        assert!((met - 10.0 * (exposure - 59.95)).abs() <= 2.0, "{strategy}: {met} in {exposure}");
        // And what is taken back is found again by nobody who knows the old one.
        let back = format!(r#", rollout: (at: "20050ms", strategy: {strategy}, undo_at: "55050ms")"#);
        assert_eq!(
            refused(&api(&dns("Never"), &back, "")),
            if strategy == "BlueGreen()" { 100 } else { 400 }
        );
    }
}

/// In every zone as many are there after a rollout as before, and after it was taken back, though all have other places.
#[test]
fn who_has_a_new_address_stands_in_the_same_zone() {
    for strategy in ["Zones()", r#"Zones(pause: "10min")"#, "Rolling()", "Rolling(max_surge: 0)"] {
        for undo in ["", r#", undo_at: "40s""#] {
            let report = scene(
                &format!(
                    r#"workload: [(to: "api", arrivals: Constant("40/s"), clients: 4)], zones: (names: ["a", "b"]),
                       services: {{
                           "api": (replicas: 4, workers: Async(9), work: "1ms", per_replica: true, discovery: Dns(resolver: "names", ttl: "1s"),
                                   rollout: (at: "20s", strategy: {strategy}{undo}, linger: "2s")),
                           "names": (workers: Async(9), work: "1ms"),
                       }}, faults: [(at: "80s", on: "api", effect: Crash(), replicas: Zone("a"))]"#
                ),
                "2min",
            );
            // Half of them die, and are called for good: half of the calls are refused for 40 s.
            let lost = refused(&report);
            assert!((780..=820).contains(&lost), "{strategy}{undo}: {lost}");
        }
    }
}

/// Whoever has taken somebody's place is struck in it: a quarter of the calls are refused for 40 s, whether or not all have other places by then.
#[test]
fn a_fault_strikes_whoever_is_there() {
    for (found, replicas, lost) in [
        (r#", discovery: Dns(resolver: "names", ttl: "1s")"#, "Only([0])", 400),
        (r#", discovery: Dns(resolver: "names", ttl: "1s")"#, "Fraction(0.5)", 800),
        ("", "Only([1, 3])", 800),
    ] {
        for strategy in ["BlueGreen()", "Rolling()", "Rolling(max_surge: 0)", "Recreate"] {
            for undo in ["", r#", undo_at: "40s""#] {
                let report = scene(
                    &format!(
                        r#"workload: [(to: "api", arrivals: Constant("40/s"), clients: 4)],
                           services: {{
                               "api": (replicas: 4, workers: Async(9), work: "1ms", per_replica: true{found},
                                       rollout: (at: "20s", strategy: {strategy}{undo}, linger: "2s")),
                               "names": (workers: Async(9), work: "1ms"),
                           }}, faults: [(at: "80s", on: "api", effect: Errors(), replicas: {replicas})]"#
                    ),
                    "2min",
                );
                let failed = report.edges.get("users->api").unwrap().calls.of(Ending::Failed(Outcome::Error));
                assert!(failed.abs_diff(lost) <= lost / 20, "{found} {strategy}{undo}: {failed}");
                // Who was never there has no figures.
                let measured = |section: &&Section| section.values.get("in_hand").unwrap().value.is_some();
                let figures = report.sections.iter().filter(|section| section.kind == "replicas");
                let counted = figures.clone().filter(measured).count();
                assert!((4..=12).contains(&counted) && counted <= figures.count(), "{counted}");
            }
        }
    }
}

/// While nobody answers all go on with what they have, for as long as they may; whoever starts has nothing.
#[test]
fn without_an_answer_there_is_the_last() {
    let away = r#"(at: "20050ms", for: "20s", on: "names", effect: Crash())"#;
    let found = |more: &str| {
        format!(r#"Registry(registry: "names", heartbeat: "1s", ttl: "3s", refresh: "1s"{more})"#)
    };
    let keeps = api(&found(""), "", away);
    assert_eq!(keeps.edges.get("users->api").unwrap().calls.of(Ending::Ok), 600);
    assert!((told(&keeps, "age_max") - 20.5e9).abs() < 1.6e9, "{}", told(&keeps, "age_max"));
    // It is heard again within a second; whose heartbeats come later is not in the first lists.
    let drops = api(&found(r#", max_stale: "5s""#), "", away);
    let nobody = drops.edges.get("users->api").unwrap().calls.of(Ending::NoHost);
    assert!((139..=171).contains(&nobody), "from 24.05 to 25.05 s on until 40.05 to 41.05: {nobody}");
    assert_eq!((told(&drops, "dropped"), told(&drops, "age_max") <= 5e9), (1.0, true));
}

/// A caller that starts while there is no registry has nobody to call; with one it knows all within a few milliseconds.
#[test]
fn who_starts_must_ask() {
    for (away, nobody) in [("", 0), (r#"(at: "5s", for: "20s", on: "names", effect: Crash())"#, 14)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "front", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "59500ms", rate: "0/s")]))],
                   services: {{
                       "front": (workers: Async(9), work: "1ms", calls: [(to: "api")]),
                       "api": (replicas: 2, workers: Async(9), work: "1ms", discovery: Registry(registry: "names", timeout: "500ms", heartbeat: "1s", ttl: "1min")),
                       "names": (workers: Async(9), work: "1ms"),
                   }}, faults: [(at: "9500ms", for: "1s", on: "front", effect: Crash()), {away}]"#
            ),
            "2min",
        );
        let edge = report.edges.get("front->api").unwrap();
        // The call at 10 s finds the front down; those from 11 to 24 s nobody behind it: it asks twice a second, and at 25 s it is told.
        assert_eq!((edge.calls.started, edge.calls.of(Ending::NoHost)), (58, nobody), "{away}");
    }
}

/// An answer that names nobody is kept for less long.
#[test]
fn a_negative_answer_is_kept_for_less_long() {
    let gone = r#"(at: "20050ms", for: "2s", on: "api", effect: Drain())"#;
    for (negative, most) in [("1s", 32), ("8s", 102)] {
        let found =
            format!(r#"Dns(resolver: "names", ttl: "2s", negative_ttl: "{negative}", timeout: "500ms")"#);
        let report = api(&found, "", gone);
        let edge = report.edges.get("users->api").unwrap();
        let lost = edge.calls.of(Ending::NoHost) + refused(&report);
        assert!(lost <= most && lost + 25 >= most.min(60), "{negative}: {lost}");
    }
}

/// What the module says: who dies is found out after `ttl - heartbeat / 2 + refresh / 2` on average, and `ttl + refresh` at most.
#[test]
fn how_long_the_dead_are_called() {
    for (heartbeat, ttl, refresh) in [(10, 30, 30), (2, 50, 6), (20, 25, 10)] {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "api", arrivals: Constant("0.001/s"))],
                   services: {{
                       "api": (replicas: 8, workers: Async(1), work: "1ms", discovery: Registry(
                           registry: "names", heartbeat: "{heartbeat}s", ttl: "{ttl}s", refresh: "{refresh}s",
                       )),
                       "names": (workers: Async(9), work: "1us"),
                   }},
                   failures: {{"dies": (on: "api", effect: Crash(), every: Exponential(mean: "400s"), for: "100s")}}"#
            ),
            r#"duration: "60000s", window: "1000s""#,
        );
        let deaths = told(&report, "gone");
        assert!(deaths > 800.0, "{deaths}");
        let mean = f64::from(ttl) + f64::from(refresh - heartbeat) / 2.0;
        // Of two that are uniform.
        let sd = (f64::from(heartbeat * heartbeat + refresh * refresh) / 12.0 / deaths).sqrt();
        let found = told(&report, "gone_known_mean") / 1e9;
        assert!(
            (found - mean).abs() < 3.5 * sd,
            "{heartbeat}, {ttl}, {refresh}: {found}, and not {mean} +- {sd}"
        );
        let most = told(&report, "gone_known_max") / 1e9;
        assert!((most - f64::from(ttl + refresh)).abs() < f64::from(refresh.max(heartbeat)) / 4.0, "{most}");
        // But for the last.
        let expired = told(&report, "expired") / deaths;
        assert!((0.99..=1.0).contains(&expired), "{expired}");
        // Who comes back is known after the next look of whoever asks.
        let come = told(&report, "come_known_mean") / 1e9;
        let sd = f64::from(refresh) / (12.0 * told(&report, "come")).sqrt();
        assert!((come - f64::from(refresh) / 2.0).abs() < 3.5 * sd, "{come}");
    }
}

/// Heartbeats and lookups are load like any other, and what the registry asks for them.
#[test]
fn what_is_said_and_asked_is_offered_to_whom_it_is_said() {
    let graph = r#"(
        workload: [(to: "front", arrivals: Constant("9/s"), clients: 6)],
        services: {
            "front": (replicas: 3, workers: Async(9), work: "1ms", calls: [(to: "api"), (to: "api")],
                      discovery: Dns(resolver: "names", ttl: "2s")),
            "api": (replicas: 4, workers: Async(9), work: "1ms", discovery: Registry(registry: "names", heartbeat: "8s", refresh: "10s")),
            "names": (workers: Async(9), work: "1ms", calls: [(to: "store", times: 2)]),
            "store": (workers: Async(9), work: "1ms"),
        },
    )"#;
    let spec = crate::policy::tests::read::<GraphSpec>(graph).expect("sound").0;
    let run = crate::policy::tests::read::<RunSpec>(r#"(duration: "10s")"#).expect("sound").0;
    let plan = Plan::new(&spec);
    let calls = plan.calls_per_sec(&run, |_| 1.0, 0.0);
    let of = |name: &str| calls[plan.edges.iter().position(|edge| edge.name == name).expect(name)];
    let found =
        ["users->names/lookup", "api->names/heartbeat", "front->names/lookup", "names->store", "front->api"]
            .map(of);
    let known = [3.0, 0.5, 0.3, 7.6, 9.0];
    assert!(found.iter().zip(known).all(|(found, known)| (found - known).abs() < 1e-9), "{found:?}");
}

/// More come when there is more to do: they are called when they are heard of.
#[test]
fn who_comes_is_called_when_it_is_heard_of() {
    let report = scene(
        r#"workload: [(to: "api", arrivals: Constant("10/s"))],
           services: {
               "api": (workers: Async(9), work: "1ms", autoscaler: (metric: Queue(100), max: 3, scheduled: [(at: "30s", min: 3)]),
                       discovery: Dns(resolver: "names", ttl: "40s"), per_replica: true),
               "names": (workers: Async(9), work: "1ms"),
           }"#,
        "2min",
    );
    assert_eq!(told(&report, "come"), 2.0);
    let known = told(&report, "come_known_max");
    assert!(known > 0.0 && known <= 40.1 * SECOND as f64, "{known}");
    assert_eq!((told(&report, "sent_to_gone"), told(&report, "lookups_lost")), (0.0, 0.0));
}
