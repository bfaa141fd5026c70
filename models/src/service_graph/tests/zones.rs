//! Scenes in several zones: how far it is, who is struck, and who is called. What stands here without a tolerance can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

#[track_caller]
fn value(report: &Report, at: &str, name: &str) -> f64 {
    let section = report.sections.iter().find(|section| section.kind == "zones" && section.at == at);
    let value =
        section.unwrap_or_else(|| panic!("no zones at {at}")).values.get(name).expect("it is declared");
    value.value.unwrap_or_else(|| panic!("no {name}"))
}

/// One call every 100 ms until 9.05 s, the first at 100 ms, of 40 ms of work, 1 ms within a zone and 7 ms more between two.
#[track_caller]
fn desk(policy: &str, users: &str, service: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"zones: (names: ["a", "b", "c"], network: "7ms"),
               workload: [(to: "db", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "9050ms", rate: "0/s")]), policy: "p", network: "1ms", {users})],
               services: {{"db": (workers: Async(9), work: "40ms", {service})}}, policies: {{"p": ({policy})}}, faults: [{faults}]"#
        ),
        "10s",
    )
}

/// A request that leaves its zone takes longer, and so does its answer; one that does not, does not.
#[test]
fn the_way_to_another_zone_is_longer_each_way() {
    for (users, service, most, left) in [
        (r#"zones: ["a"]"#, r#"zones: ["a"]"#, 42, 0.0),
        (r#"zones: ["a"]"#, r#"zones: ["b"]"#, 56, 1.0),
        (r#"zones: ["a"]"#, r#"replicas: 3"#, 56, 2.0 / 3.0),
        (r#"zones: ["a"], clients: 5"#, r#"replicas: 3, zones: ["a", "a", "b"]"#, 56, 1.0 / 3.0),
    ] {
        let report = desk("", users, service, "");
        let latency = &report.edges.get("users->db").unwrap().latency;
        assert_eq!((latency.count, latency.max), (90, Some(most * MILLI)), "{users}, {service}");
        if left == 0.0 {
            assert!(report.sections.iter().all(|section| section.kind != "zones"), "nothing can leave");
            continue;
        }
        // Five clients take turns of their own: a third, give or take one of each.
        let found = value(&report, "users->db", "cross_zone");
        let off = if users.contains("clients") { 5.0 / 90.0 } else { 1e-12 };
        assert!((found - left).abs() <= off, "{users}, {service}: {found}");
        let mean = latency.mean.expect("answers") as f64 / MILLI as f64;
        assert!((mean - (42.0 + 14.0 * found)).abs() < 1e-3, "{users}, {service}: {mean}");
    }
}

/// A cancellation and the message that another of a pair was begun with go the same way: they stop the work later, too.
#[test]
fn whatever_is_said_to_another_zone_arrives_later() {
    let work = |zones: &str| {
        let report = desk(
            r#"timeout: "20ms", cancel: Always"#,
            r#"zones: ["a"]"#,
            &format!("zones: [\"{zones}\"], on_cancel: Stop"),
            "",
        );
        report.services.get("db").unwrap().work / 90 / MILLI
    };
    // It arrives 1 or 8 ms after it was sent, and is called off 20 ms after it was sent, by a message that takes as long.
    assert_eq!((work("a"), work("b")), (20, 20));
    let copies = |zones: &str| {
        let report = scene(
            &format!(
                r#"zones: (names: ["a", "b"], network: "40ms"),
                   workload: [(to: "db", arrivals: Poisson("10/s"), policy: "p", network: "1ms", zones: ["a"])],
                   services: {{"db": (workers: Async(1), replicas: 2, work: Exponential(mean: "50ms"), zones: ["{zones}"])}},
                   policies: {{"p": (hedge: (after: "5ms", tied: true), retry_host: Other())}}"#
            ),
            "100s",
        );
        let section = report.sections.iter().find(|section| section.kind == "hedges").expect("copies");
        section.values.get("left").and_then(|value| value.value).expect("counted")
    };
    // A copy finds that the first was begun with 5 ms ago, and that message needs 1 ms or 41.
    let (near, far) = (copies("a"), copies("b"));
    assert!(near > 700.0 && far < 0.7 * near, "{near} and {far}");
}

/// `on: "zone a"` is those replicas of every service that stand there, and nobody else.
#[test]
fn the_loss_of_a_zone_is_one_line() {
    let shop = |fault: &str| {
        scene(
            &format!(
                r#"zones: (names: ["a", "b", "c"]),
                   workload: [(to: "web", arrivals: Constant("30/s"), zones: ["b"])],
                   services: {{
                       "web": (workers: Async(9), work: "1ms", replicas: 6, per_replica: true, calls: [(to: "db")]),
                       "db": (workers: Async(9), work: "1ms", replicas: 3, per_replica: true),
                       "mail": (workers: Async(9), work: "1ms", zones: ["b"], per_replica: true),
                   }},
                   faults: [{fault}]"#
            ),
            "10s",
        )
    };
    // Seconds that each replica of all nine and of mail was up.
    let up = |fault: &str| {
        let report = shop(fault);
        let at = |service: &str| {
            let windows = &report.services.get(service).unwrap().windows;
            (windows.available_ns.iter().sum::<u64>() as f64 / 9e9).round() as u64
        };
        [at("web"), at("db"), at("mail")]
    };
    assert_eq!(up(""), [60, 30, 10]);
    assert_eq!(up(r#"(at: "5s", on: "zone a", effect: Crash())"#), [50, 25, 10]);
    assert_eq!(up(r#"(at: "5s", for: "2s", on: "zone b", effect: Crash())"#), [56, 28, 8]);
    assert_eq!(up(r#"(at: "5s", on: "zone a", replicas: Fraction(0.5), effect: Crash())"#), [55, 25, 10]);
    assert_eq!(up(r#"(at: "5s", on: "web", replicas: Zone("c"), effect: Crash())"#), [50, 30, 10]);
    // Whoever fails is in the zone: of 6 web replicas 1 and 4, which users call in turn.
    let report = shop(r#"(at: "0s", on: "zone b", effect: Errors())"#);
    let edge = report.edges.get("users->web").unwrap();
    let failed = edge.calls.of(Ending::Failed(Outcome::Error));
    // A third of web fails, and of those that go on a third of db.
    assert_eq!(edge.calls.started, 299);
    assert!(failed.abs_diff(100 + 67) <= 3, "{failed}");
}

/// Who prefers his own zone calls it as long as anybody is there; what is spilt over goes to others in the shares of the table.
#[test]
fn who_is_called_when_a_zone_is_half_lost() {
    let drain = r#"(at: "0s", on: "zone a", replicas: Fraction(0.5), effect: Drain())"#;
    let all = r#"(at: "0s", on: "zone a", effect: Drain())"#;
    for (zone, faults, left) in [
        ("zone: Own", "", 0.0),
        ("zone: Own", drain, 0.0),
        ("zone: Own", all, 1.0),
        ("zone: Spill()", "", 0.0),
        // Half of it: 70 % stay.
        ("zone: Spill()", drain, 0.3),
        ("zone: Spill()", all, 1.0),
        ("", "", 2.0 / 3.0),
        ("", drain, 4.0 / 5.0),
    ] {
        let report = desk(zone, r#"zones: ["a"]"#, "replicas: 6", faults);
        let found = value(&report, "users->db", "cross_zone");
        // Where chance decides, of 90: sd 4.8 %; one in turn is off by one.
        let off = if left == 0.3 { 0.15 } else { 0.02 };
        assert!((found - left).abs() < off, "{zone} {faults}: {found}");
        assert_eq!(report.edges.get("users->db").unwrap().calls.ok(), 90);
        let to: f64 = ["to_a", "to_b", "to_c"].iter().map(|it| value(&report, "users->db", it)).sum();
        assert!(
            (to - 1.0).abs() < 1e-12 && (value(&report, "users->db", "to_a") - (1.0 - found)).abs() < 1e-12
        );
    }
}

/// Below the threshold nobody is preferred; and whom a client has ejected is as good as gone for its zone.
#[test]
fn a_zone_is_as_well_as_those_that_a_client_may_choose() {
    // Of six replicas those of a are 0 and 3, which fail at once: 90 calls of one client, who ejects both after 5 failures each.
    let errors = r#"(at: "0s", on: "zone a", effect: Errors())"#;
    let eject = r#"outlier: (success_rate: None, interval: "1ms", base_ejection_time: "1h", max_ejection_percent: 100)"#;
    let count = |policy: &str| {
        let report = desk(policy, r#"zones: ["a"]"#, "replicas: 6", errors);
        report.edges.get("users->db").unwrap().calls.of(Ending::Failed(Outcome::Error))
    };
    assert_eq!(count("zone: Own"), 90, "nobody is found out");
    assert_eq!(count(&format!("zone: Own, {eject}")), 10, "both are, and all go elsewhere");
    // As soon as one is ejected 30 % leave: the other fails five of what stays.
    assert_eq!(count(&format!("zone: Spill(), {eject}")), 10);
    // Four of six are left: that is not too few at a half, and is at three quarters, when all are chosen alike: a third fails.
    let panics = count(&format!("zone: Own, {eject}, panic_threshold: 0.75"));
    assert!((28..=40).contains(&panics), "{panics}");
}

/// How much leaves is known beforehand where all stay, and where whoever chooses says so; and that is what is measured.
#[test]
fn what_leaves_is_foreseen() {
    for (policy, users, service, exact) in [
        ("", r#"zones: ["a"]"#, "replicas: 6", Some(2.0 / 3.0)),
        ("balancer: Random", "clients: 3", "replicas: 7", Some(1.0 - (3.0 + 2.0 + 2.0) / 21.0)),
        ("zone: Own", "clients: 3", "replicas: 6", Some(0.0)),
        // Nobody in c.
        ("zone: Spill()", "clients: 3", "replicas: 2", Some(1.0 / 3.0)),
        (
            "zone: Own",
            r#"zones: ["a", "a", "b"], clients: 3"#,
            r#"replicas: 4, zones: ["b", "c"]"#,
            Some(2.0 / 3.0),
        ),
        ("balancer: LeastPending", "clients: 3", "replicas: 6", None),
        ("outlier: (success_rate: None, max_ejection_percent: 50)", "clients: 3", "replicas: 6", None),
        ("retry_host: Other(), retry: Fixed(attempts: 2)", "clients: 3", "replicas: 6", None),
        ("zone: Own, subset: Random(3)", "clients: 3", "replicas: 6", None),
        ("zone: Own", "clients: 3", "replicas: 6, health: ()", None),
    ] {
        let report = desk(policy, users, service, "");
        let section =
            report.sections.iter().find(|section| section.kind == "zones").expect("they stand apart");
        let value = section.values.get("cross_zone").expect("declared");
        assert_eq!(value.exact.is_some(), exact.is_some(), "{policy} {users} {service}");
        if let (Some(exact), Some(found)) = (exact, value.value) {
            // 90 calls of clients by chance: sd 5 %.
            let foreseen = value.exact.unwrap();
            assert!(
                (foreseen - exact).abs() < 1e-12 && (found - exact).abs() < 0.17,
                "{policy} {users} {service}: {found}, {foreseen}"
            );
        }
    }
}

/// Behind one queue for all nobody knows to whom he goes; whoever takes the next request stands wherever he stands.
#[test]
fn a_queue_for_all_stands_nowhere() {
    let report = desk("", r#"zones: ["a"]"#, r#"replicas: 3, zones: ["b", "c"], queue: SharedFifo()"#, "");
    assert!(report.sections.iter().all(|section| section.kind != "zones"));
    assert_eq!(report.edges.get("users->db").unwrap().latency.max, Some(42 * MILLI));
}

/// What is drawn elsewhere is not moved by zones that nobody is sent another way for.
#[test]
fn zones_without_a_way_between_them_change_nothing() {
    let with = |zones: &str| {
        let report = scene(
            &format!(
                r#"{zones} workload: [(to: "web", arrivals: Poisson("50/s"), clients: 4, policy: "p")],
                   services: {{
                       "web": (workers: Async(9), work: Exponential(mean: "10ms"), replicas: 3, calls: [(to: "db", policy: "p")]),
                       "db": (workers: Async(2), work: Exponential(mean: "10ms"), replicas: 3),
                   }},
                   policies: {{"p": (timeout: "50ms", retry: Fixed(attempts: 2), balancer: PowerOfTwo)}}, network: Exponential(mean: "1ms")"#
            ),
            "10s",
        );
        let edge = report.edges.get("web->db").unwrap();
        (edge.calls.clone(), edge.attempts.clone(), edge.latency.clone())
    };
    assert_eq!(with(""), with(r#"zones: (names: ["a", "b"]),"#));
    assert_ne!(with(""), with(r#"zones: (names: ["a", "b"], network: "1ms"),"#));
}

/// Room for replicas that may yet come puts nobody into another zone, and nobody is missed who is not there: of nine of eighteen three stand in each,
/// all of them well, and no call leaves its zone.
#[test]
fn who_may_yet_come_is_not_missed() {
    for more in ["", r#"panic_threshold: 0.6"#] {
        let report = desk(
            &format!("zone: Spill(), balancer: Random, {more}"),
            r#"zones: ["a"]"#,
            "replicas: 9, autoscaler: (metric: Utilisation(0.9), min: 9, max: 18)",
            "",
        );
        assert_eq!(value(&report, "users->db", "cross_zone"), 0.0, "{more}");
        assert_eq!(report.edges.get("users->db").unwrap().calls.ok(), 90, "{more}");
    }
}

/// A cut between two zones strikes what goes that way and nothing else: requests from the first, answers from it, and nobody else's.
#[test]
fn what_goes_between_two_zones_is_struck() {
    // Users in a, a replica in b: calls that got no answer, and requests that came.
    for (on, lost, came) in [
        ("zone a -> zone b", 30, 60),
        ("zone b -> zone a", 30, 90),
        ("zone a <-> zone b", 30, 60),
        ("zone b <-> zone a", 30, 60),
    ] {
        let cut = format!(r#"(at: "2050ms", for: "3s", on: "{on}", effect: Drop())"#);
        let report = desk(r#"timeout: "500ms""#, r#"zones: ["a"]"#, r#"zones: ["b"]"#, &cut);
        let edge = report.edges.get("users->db").unwrap();
        let found = (edge.attempts.of(Outcome::TimedOut), report.services.get("db").unwrap().arrived);
        assert_eq!(found, (lost, came), "{on}");
    }
    // Of three zones that all call each other it is one of nine ways, and back: whoever calls his own, or asks somebody else, loses nothing.
    for (policy, least, most) in [
        (r#"timeout: "500ms", balancer: Random"#, 0.60, 0.95),
        (r#"timeout: "500ms", zone: Own"#, 1.0, 1.0),
        (r#"timeout: "500ms", retry: Fixed(attempts: 2), retry_host: Other()"#, 1.0, 1.0),
    ] {
        let cut = r#"(at: "0s", on: "zone a <-> zone b", effect: Drop())"#;
        let report = desk(policy, "clients: 3", "replicas: 3", cut);
        let success = report.edges.get("users->db").unwrap().success.unwrap();
        assert!((least..=most).contains(&success), "{policy}: {success}");
    }
    // Whoever gets longer ways gets them there and nowhere else.
    let slow = r#"(at: "0s", on: "zone a -> zone b", effect: Delay(add: "100ms"))"#;
    let report = desk("", r#"zones: ["a"]"#, r#"zones: ["b", "c"], replicas: 2"#, slow);
    let latency = &report.edges.get("users->db").unwrap().latency;
    // In turn: half of them.
    assert_eq!((latency.mean, latency.max), (Some(106 * MILLI), Some(156 * MILLI)));
}
