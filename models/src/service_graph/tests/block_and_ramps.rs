//! Scenes of services that let nobody in for a while, and then more and more. What stands here without a tolerance can be worked out by hand.

use super::scenes::{SECOND, scene};
use crate::Catalog;
use crate::experiment::Experiment;
use crate::policy::{Ending, Outcome};
use crate::report::Report;

#[track_caller]
fn told(report: &Report, name: &str) -> Option<f64> {
    let section = report.section("block_and_ramp", "db").expect("it is there");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value
}

/// One call every 100 ms until 39.95 s, the first at 100 ms, of 1 ms of work.
#[track_caller]
fn desk(db: &str, block_and_ramp: &str, rest: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "39950ms", rate: "0/s")]))],
               services: {{"db": (workers: Blocking(1), work: "1ms", {db} block_and_ramp: ({block_and_ramp}))}}, {rest}"#
        ),
        "40s",
    )
}

/// Somebody blocks at 10.05 s for 5 s, and half of the users are let in for 5 s: all of 50 are turned away, and of 50 more about half.
#[test]
fn somebody_blocks_and_lets_them_in_again() {
    for db in [
        "",
        "replicas: 3,",
        "queue: SharedFifo(),",
        "queue: Lifo(),",
        "shed: CoDel(),",
        "shed: ByPriority(critical: 9),",
    ] {
        let report = desk(db, r#"at: "10050ms", block: "5s", ramp: Steps(by: 0.5, each: "5s")"#, "");
        let edge = report.edges.get("users->db").unwrap();
        let (ok, rejected) = (edge.calls.of(Ending::Ok), edge.attempts.of(Outcome::Rejected));
        assert_eq!(ok + rejected, 399, "{db}");
        assert!((50 + 15..=50 + 35).contains(&rejected), "{db} {rejected}");
        assert_eq!(told(&report, "turned_away"), Some(rejected as f64), "{db}");
        let share = told(&report, "turned_away_share").expect("some came");
        assert!((share - rejected as f64 / 399.0).abs() < 1e-12);
        for (name, value) in [
            ("blocked", 1.0),
            ("fell_back", 0.0),
            ("first", 10.05e9),
            ("opened", 20.05e9),
            ("shut", 10e9),
            // 30 of 40 seconds all, 5 half.
            ("admitted", 32.5 / 40.0),
        ] {
            let found = told(&report, name).expect(name);
            assert!((found - value).abs() < 1e-6, "{db} {name}: {found}");
        }
        let section = report.section("block_and_ramp", "db").unwrap();
        let line = |name: &str| section.series.iter().find(|line| line.name == name).unwrap().values.clone();
        // Windows of 10 s: 5 ms past the second it shuts.
        let admitted: Vec<f64> = line("admitted").iter().map(|share| (share * 1e4).round() / 1e4).collect();
        assert_eq!(admitted, [1.0, 0.2525, 0.9975, 1.0]);
        assert_eq!(line("turned_away").iter().sum::<f64>(), rejected as f64);
        let changes: Vec<_> = section.changes.iter().map(|it| (it.at, &*it.from, &*it.to)).collect();
        let at = |ms: u64| ms * (SECOND / 1_000);
        assert_eq!(
            changes,
            [
                (at(10_050), "open", "blocked"),
                (at(15_050), "blocked", "ramping"),
                (at(20_050), "ramping", "open")
            ]
        );
    }
}

/// Whoever is out by user is out however often he tries; by requests each try has luck of its own: `1 - (1 - s)^3`.
#[test]
fn whoever_tries_again_is_the_same_user() {
    // Of a user who is out it is asked three times in vain.
    let asked = 0.3 / (0.3 + 3.0 * 0.7);
    for (share_of, served) in [("Users", asked), ("Requests", 1.0 - 0.7 * 0.7 * 0.7)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", policy: "thrice", arrivals: Constant("100/s"))],
                   services: {{
                       "shop": (workers: Async(9), work: "1ms", calls: [(to: "db", policy: "thrice")]),
                       "db": (workers: Async(9), work: "1ms", block_and_ramp: (at: "1ms", block: "1ms", ramp: Steps(by: 0.3, each: "1h"), share_of: {share_of})),
                   }},
                   policies: {{"thrice": (retry: Fixed(attempts: 3))}}"#
            ),
            "40s",
        );
        let edge = report.edges.get("shop->db").unwrap();
        let found = edge.calls.of(Ending::Ok) as f64 / edge.calls.started as f64;
        assert!((found - served).abs() < 0.03, "{share_of}: {found} and not {served}");
        // The shop asks for the same user again; by requests it asks three times three times.
        let users = report.edges.get("users->shop").unwrap();
        let found = users.calls.of(Ending::Ok) as f64 / users.calls.started as f64;
        let all = if share_of == "Users" { 0.3 } else { 1.0 - sim_core::math::powi(0.7, 9) };
        assert!((found - all).abs() < 0.03, "{share_of}: {found} and not {all}");
    }
}

/// Work takes a thousand times as long from 9.95 s to 19.95 s: looked at every second, more than ten wait at 12 s, and as long as that is so nobody is let in.
#[test]
fn trouble_blocks_until_it_has_gone() {
    let slow = r#"faults: [(at: "9950ms", for: "10s", on: "db", effect: Slow(factor: 10000))]"#;
    let says = r#"when: Queue(of: "db", above: 10), block: "2s", ramp: Steps(by: 0.5, each: "2s")"#;
    let report = desk("", says, slow);
    // One takes 10 s from 10 s on, one more after that from 20 s on 1 ms: then they are gone, and it is seen at 20 s or 21 s.
    assert_eq!((told(&report, "blocked"), told(&report, "fell_back")), (Some(1.0), Some(0.0)));
    assert_eq!(told(&report, "first"), Some(12e9));
    let opened = told(&report, "opened").expect("it opens");
    assert!((22e9..=24e9).contains(&opened), "{opened}");
    // Those that came until 12 s had a place: nobody was turned away before.
    let report = desk("", r#"when: Queue(of: "db", above: 10), block: "2s""#, "");
    assert_eq!(
        (told(&report, "blocked"), told(&report, "first"), told(&report, "opened")),
        (Some(0.0), None, None)
    );
    assert_eq!((told(&report, "admitted"), told(&report, "turned_away")), (Some(1.0), Some(0.0)));
}

/// What comes back while it ramps blocks anew, or halves what is let in.
#[test]
fn it_falls_back() {
    // From 14 s on, when half are let in, it is slow again for a second and a half: seven or so wait.
    let slow = r#"faults: [(at: "13050ms", for: "2500ms", on: "db", effect: Slow(factor: 1000))]"#;
    for (back_off, blocked, opened) in [("", 2.0, 21e9), (", back_off: 0.5", 1.0, 24e9)] {
        let says = format!(
            r#"at: "10s", when: InHand(of: "db", above: 1), block: "2s", ramp: Steps(by: 0.5, each: "4s"){back_off}"#
        );
        let report = desk("", &says, slow);
        assert_eq!(told(&report, "blocked"), Some(blocked), "{back_off}");
        assert!(told(&report, "fell_back") >= Some(1.0), "{back_off}");
        let found = told(&report, "opened").expect("it opens");
        assert!((found - opened).abs() <= 4e9, "{back_off}: {found}");
    }
}

/// Those who check a replica are let in while nobody else is, whatever they need.
#[test]
fn whoever_checks_is_let_in() {
    for kind in ["Shallow", "Worker(work: \"1ms\")"] {
        let health = format!(r#"replicas: 2, health: (kind: {kind}, interval: "500ms", timeout: "100ms"),"#);
        let report = desk(&health, r#"at: "1s", block: "1h""#, "");
        let checks = report.edges.get("health->db").unwrap();
        assert!(checks.attempts.of(Outcome::Ok) > 100, "{kind}");
        assert_eq!(checks.attempts.of(Outcome::Rejected), 0, "{kind}");
        assert_eq!(report.edges.get("users->db").unwrap().calls.of(Ending::Ok), 9, "{kind}");
    }
}

/// It is shut while a replica restarts, and while all do: whoever is down turns nobody away in its name.
#[test]
fn a_restart_while_it_is_shut() {
    for (replicas, refused) in [("Only([0])", 25), ("All", 50)] {
        let crash = format!(
            r#"faults: [(at: "12050ms", for: "5s", on: "db", effect: Crash(), replicas: {replicas})]"#
        );
        let report = desk("replicas: 2,", r#"at: "10050ms", block: "10s", ramp: Steps(by: 1)"#, &crash);
        let edge = report.edges.get("users->db").unwrap();
        let of = |outcome| edge.attempts.of(outcome);
        assert_eq!((of(Outcome::Refused), of(Outcome::Rejected)), (refused, 100 - refused), "{replicas}");
        assert_eq!(told(&report, "opened"), Some(20.05e9));
    }
}

/// What is set makes a variant doubtful, of which alone it can be said: the file as it stands has no such place.
#[test]
fn what_is_set_in_a_variant_is_doubted() {
    let text = r#"(about: "a door", model: ServiceGraph(
        workload: [(to: "db", arrivals: Constant("10/s"))],
        services: {"db": (workers: Async(1), work: "10ms", queue: Fifo(capacity: 50))},
    ), run: (duration: "10s"), variants: {
        "shut": {"services.db.block_and_ramp": (when: Queue(of: "db", above: 20), ramp: Linear(over: "1min"))},
    })"#;
    let (experiment, warnings) =
        Experiment::parse("scene.ron", text, &[], &Catalog::bundled()).expect("sound");
    assert!(warnings.is_empty());
    let doubts = |variant, path: &str, value: &str| {
        let (doubts, _) = experiment.doubts(variant, &[(path.into(), value.into())]);
        doubts.iter().map(|it| it.message.clone()).collect::<Vec<_>>()
    };
    let above = "services.db.block_and_ramp.when.above";
    let said = "no more than that can wait at `db`: it never happens";
    assert_eq!(doubts(Some("shut"), above, "50"), [said]);
    assert_eq!(doubts(Some("shut"), above, "49"), [] as [&str; 0]);
    assert_eq!(doubts(None, above, "50"), [] as [&str; 0], "it cannot run, and says so itself");
}
