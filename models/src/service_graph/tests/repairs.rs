//! Scenes in which somebody repairs what is broken, and needs something for that. What stands here without a tolerance can be worked out by hand.

use super::scenes::{MILLI, SECOND, scene_of};
use crate::policy::{Ending, Outcome};
use crate::report::{Report, Stretch, VerdictKind};

/// One call every 100 ms until 39.95 s, the first at 100 ms, to a database that is down from 10 s on and takes 5 s to be repaired by whoever comes by
/// a desk, which takes 100 ms for an answer; he comes every second, and waits for half of one.
#[track_caller]
fn desk(desk: &str, faults: &str, run: &str) -> Report {
    let graph = format!(
        r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "39950ms", rate: "0/s")]))],
           services: {{"db": (replicas: 2, workers: Async(9), work: "1ms"), "desk": (workers: Async(9), work: "100ms"{desk})}},
           faults: [(at: "10s", on: "db", effect: Crash(), repair: (takes: "5s", needs: ["desk"], every: "1s", timeout: "500ms")){faults}]"#
    );
    scene_of(&graph, &format!(r#"duration: "40s", window: "1s"{run}"#))
}

#[track_caller]
fn told<const N: usize>(report: &Report, names: [&str; N]) -> [Option<f64>; N] {
    let section = report.section("repair", "db").expect("it is repaired");
    names.map(|name| section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value)
}

const TOLD: [&str; 5] = ["took", "worked", "stood_still", "asked", "unanswered"];

/// Nobody else strikes: the first answer comes at 10.1 s. A desk that is down from 12.5 to 14.5 s does not answer at 13 and 14 s: 2.9 s are done, and 2.1 s are left at 15.1 s.
/// One that is silent is heard of half a second later, and a second more is done. One that is slower than he waits is none.
#[test]
fn it_takes_as_long_as_what_it_needs_answers() {
    let at = |effect: &str| format!(r#", (at: "12500ms", for: "2s", on: "desk", effect: {effect})"#);
    for (faults, took, asked, unanswered) in [
        (String::new(), 5_100, 6.0, 0.0),
        (at("Crash()"), 7_200, 8.0, 2.0),
        (at("BlackHole"), 6_700, 7.0, 2.0),
        (at("Slow(factor: 4.9)"), 5_100, 6.0, 0.0),
        (at("Slow(factor: 6)"), 6_700, 7.0, 2.0),
        (at("Errors()"), 7_100, 8.0, 2.0),
        (r#", (at: "12500ms", for: "2s", on: "db->desk/repair", effect: Drop())"#.into(), 6_700, 7.0, 2.0),
    ] {
        let report = desk("", &faults, "");
        let took = (took * MILLI) as f64;
        assert_eq!(
            told(&report, TOLD),
            [Some(took), Some(5e9), Some(took - 5e9), Some(asked), Some(unanswered)],
            "{faults}"
        );
        let broken = &report.timeline.disturbances[0];
        assert_eq!((broken.from, broken.to), (10 * SECOND, Some(10 * SECOND + took as u64)), "{faults}");
        // Calls that come from 10 s on, until it is there again.
        let refused = report.edges.get("users->db").unwrap().calls.of(Ending::Failed(Outcome::Refused));
        assert_eq!(refused, (took / 1e8) as u64, "{faults}");
        assert_eq!(report.verdict.kind, VerdictKind::Recovered, "{faults}: {}", report.verdict.headline);
    }
}

/// Whoever sits at the desk looks into the database first.
#[test]
fn what_needs_what_is_broken_is_never_repaired() {
    let report = desk(r#", calls: [(to: "db")]"#, "", "");
    assert_eq!(told(&report, TOLD), [None, Some(0.0), Some(30e9), Some(30.0), Some(30.0)]);
    assert_eq!(report.timeline.disturbances[0].to, None);
    assert_eq!(report.verdict.kind, VerdictKind::StillDisturbed);
    let said = "db was not repaired: 0 s of 5 s of work were done, which goes on only while desk answers";
    assert!(report.notes.iter().any(|note| note == said), "{:?}", report.notes);
    // What his visits make the desk call is no retry of users, who come by there, too; told apart it cannot be.
    let graph = r#"workload: [(to: "db", arrivals: Constant("10/s")), (name: "engineers", to: "desk", arrivals: Constant("10/s"))],
                   services: {"db": (replicas: 2, workers: Async(9), work: "1ms"), "desk": (workers: Async(9), work: "1ms", calls: [(to: "db")])},
                   faults: [(at: "10s", on: "db", effect: Crash(), repair: (takes: "5s", needs: ["desk"], every: "100ms"))]"#;
    let report = scene_of(graph, r#"duration: "40s", window: "1s""#);
    let per_user = |report: &Report, name: &str| report.edges.get(name).expect(name).per_user_call;
    let three = ["engineers->desk", "desk->db", "db->desk/repair"];
    assert_eq!(three.map(|name| per_user(&report, name)), [Some(1.0), None, None]);
    assert_eq!(report.summary.amplification, Some(1.0));
    let before = report.stretch(Stretch::Before).expect("nothing is broken yet");
    assert_eq!(three.map(|name| per_user(&before, name)), [Some(1.0), Some(1.0), None]);
    // One who can do without is told something.
    let report = desk(r#", calls: [(to: "db", optional: true)]"#, "", "");
    assert_eq!(told(&report, ["took"]), [Some(5.1e9)]);
    assert!(report.notes.iter().all(|note| !note.contains("repaired")));
}

/// Calls by when they began: before, from when it breaks to when all is well, and after that.
#[test]
fn the_end_is_known_when_it_comes() {
    let errors = r#", (at: "12s", for: "8s", on: "desk", effect: Slow(factor: 1.1))"#;
    let another = r#", (at: "11s", on: "desk", effect: Slow(factor: 1.1), repair: (takes: "9100ms", needs: ["db"], every: "1s"))"#;
    for (faults, run, counts) in [
        ("", "", [99, 51, 249]),
        // Something else that is over later, and that never is.
        (errors, "", [99, 100, 200]),
        (r#", (at: "12s", on: "desk", effect: Slow(factor: 1.1))"#, "", [99, 300, 0]),
        // What is repaired at 15.1 s is what the other repair needs: asked again at 16 s, and answered at 16.001 s.
        (another, "", [99, 152, 148]),
        // All of it before anything is measured; the beginning; the end, too.
        ("", r#", warm_up: "20s""#, [0, 0, 200]),
        ("", r#", warm_up: "12s""#, [0, 31, 249]),
    ] {
        let report = desk("", faults, run);
        let edge = report.edges.get("users->db").unwrap();
        let found: Vec<u64> = edge.stretches.iter().map(|began| began.calls.started).collect();
        assert_eq!(found, counts, "{faults}{run}");
        for (which, count) in Stretch::ALL.into_iter().zip(counts) {
            let part = report.stretch(which);
            assert_eq!(part.is_some(), count > 0, "{which} of {faults}{run}");
            let told = part.map_or(0, |part| part.edges.get("users->db").unwrap().calls.started);
            assert_eq!(told, count, "{which} of {faults}{run}");
        }
    }
}

/// What was held is delivered when the network is repaired; what stands in a zone is back as one.
#[test]
fn whatever_is_broken_is_whole_again() {
    let held = scene_of(
        r#"workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
           services: {"db": (workers: Async(9), work: "1ms"), "desk": (workers: Async(1), work: "0s")},
           faults: [(at: "4500ms", on: "users->db", effect: Hold, repair: (takes: "3s", needs: ["desk"]))]"#,
        r#"duration: "20s", window: "1s""#,
    );
    let edge = held.edges.get("users->db").unwrap();
    assert_eq!((edge.calls.of(Ending::Ok), edge.latency.max), (9, Some(2_501 * MILLI)));
    assert!(held.edges.get("db->desk/repair").is_some());
    let zone = scene_of(
        r#"workload: [(to: "web", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "19950ms", rate: "0/s")]))],
           zones: (names: ["a", "b"]),
           services: {"web": (replicas: 2, workers: Async(9), work: "1ms", calls: [(to: "db")]), "db": (replicas: 2, workers: Async(9), work: "1ms"),
               "desk": (workers: Async(1), work: "0s", zones: ["b"])},
           faults: [(at: "5050ms", on: "zone a", effect: Crash(), repair: (takes: "3s", needs: ["desk"]))]"#,
        r#"duration: "20s", window: "1s""#,
    );
    let [broken] = zone.timeline.disturbances.as_slice() else { panic!("one fault") };
    assert_eq!((broken.on.as_str(), broken.to), ("zone a", Some(8_050 * MILLI)));
    let after = zone.stretch(Stretch::After).expect("it is over");
    assert_eq!(after.edges.get("users->web").unwrap().calls.success(), Some(1.0));
    let during = zone.stretch(Stretch::Fault).expect("it lasts");
    assert!(during.edges.get("users->web").unwrap().calls.success() < Some(0.8));
}

/// Whoever is called by nobody but those who repair is called.
#[test]
fn what_is_needed_for_a_repair_is_called() {
    let with = |needs: &str| {
        let text = super::shop().replace(
            r#"for: "5s", on: "stock", effect: Slow(factor: 3)"#,
            &format!(r#"on: "stock", effect: Slow(factor: 3), repair: (takes: "5s", needs: ["{needs}"])"#),
        );
        super::said(&text.replace(r#""pay": ("#, r#""vpn": (workers: Async(1), work: "1ms"), "pay": ("#))
    };
    assert_eq!(with("vpn"), "");
    assert!(with("pay").contains("nobody calls this service"), "{}", with("pay"));
}
