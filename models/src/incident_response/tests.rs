use super::calendar::{Calendar, Done, Hour};
use super::*;
use crate::experiment::Experiment;
use crate::report::Report;
use crate::{Catalog, simulate};
use sim_core::math::{exp, ln};
use std::ops::ControlFlow;

/// A severity and a site, and what else is said.
const ONE: &str = r#"severities: {"a": (every: "10h", diagnose: "10min", repair: Exponential(mean: "1h"))}, sites: {"here": (begins: "8h")}"#;

fn text(fields: &str, duration: &str) -> String {
    format!(
        r#"(about: "x", model: IncidentResponse({fields}), run: (duration: "{duration}", window: "100d", warm_up: "70d"))"#
    )
}

fn run_for(fields: &str, duration: &str) -> Report {
    let (experiment, _) =
        Experiment::parse("x", &text(fields, duration), &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    simulate(&resolved, &RunOptions::seeded(7), &mut |_| ControlFlow::Continue(())).report
}

fn run(fields: &str) -> Report {
    run_for(fields, "7070d")
}

fn told(report: &Report, name: &str) -> f64 {
    let value = report.values.get(name).unwrap_or_else(|| panic!("no {name}"));
    value.value.unwrap_or_else(|| panic!("{name} was not measured"))
}

fn exact(report: &Report, name: &str) -> f64 {
    report.values.get(name).and_then(|it| it.exact).unwrap_or_else(|| panic!("no exact {name}"))
}

fn spec(fields: &str) -> IncidentResponse {
    let node =
        crate::experiment::parse_value(&format!("({fields})"), 0, 0, "people", &mut Default::default())
            .expect("a value");
    <IncidentResponse as crate::experiment::Decode>::decode(&node, &mut Decoder::new()).expect("sound")
}

fn close(got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within * want.abs().max(1e-300), "{got}, expected {want}");
}

const HOURS: u64 = 3_600_000_000_000;

/// By hand: 8 to 16 at work, up from 6, asleep from 22.
#[test]
fn a_week() {
    let here = Calendar::new(&spec(ONE));
    let saturday = 5 * 24;
    for (hour, is) in [
        (0, Hour::Asleep),
        (5, Hour::Asleep),
        (6, Hour::Awake),
        (8, Hour::OnShift),
        (15, Hour::OnShift),
        (16, Hour::Awake),
        (21, Hour::Awake),
        (22, Hour::Asleep),
        (saturday + 2, Hour::Asleep),
        (saturday + 9, Hour::Awake),
        (saturday + 48 + 9, Hour::OnShift),
    ] {
        assert_eq!(here.hour(hour * HOURS), is, "at {hour} h");
    }
    let [on_shift, awake, asleep] = here.shares();
    close(on_shift, 40.0 / 168.0, 1e-12);
    close(asleep, 56.0 / 168.0, 1e-12);
    close(awake, 72.0 / 168.0, 1e-12);
    let sun = Calendar::new(&spec(
        r#"severities: {"a": (every: "10h", diagnose: "10min", repair: "1h")},
           sites: {"a": (begins: "0h"), "b": (begins: "8h"), "c": (begins: "16h")}"#,
    ));
    let [on_shift, awake, asleep] = sun.shares();
    close(on_shift, 5.0 / 7.0, 1e-12);
    assert_eq!((asleep, sun.hour(saturday * HOURS)), (0.0, Hour::Awake));
    close(awake, 2.0 / 7.0, 1e-12);
}

/// By hand: a shift ends after two hours of three; a fifth of that is done again, after 20 minutes of reading.
#[test]
fn who_takes_over_reads_and_does_some_of_it_again() {
    let sites = r#"severities: {"a": (every: "10h", diagnose: "10min", repair: "1h")},
           sites: {"a": (begins: "0h"), "b": (begins: "8h"), "c": (begins: "16h")}"#;
    let sun = Calendar::new(&spec(sites));
    assert_eq!(sun.shortest(), SimDuration::from_secs(8 * 3_600));
    let minutes = |minutes: u64| minutes * HOURS / 60;
    for (begins, work, takes, hand_overs) in [
        (minutes(0), minutes(480), 480, 0),
        (minutes(360), minutes(120), 120, 0),
        // Two hours, of which 96 minutes stay done; 20 of reading, and the other 84.
        (minutes(360), minutes(180), 120 + 20 + 84, 1),
        // 60, of which 48 stay; 20 + 460, of which 368 stay; 20 and the rest of 600.
        (minutes(420), minutes(600), 60 + 480 + 20 + (600 - 48 - 368), 2),
    ] {
        assert_eq!(sun.done(begins, work), Done { takes: minutes(takes), hand_overs });
    }
    // One site: once a week, on Mondays at eight.
    let one = Calendar::new(&spec(ONE));
    assert_eq!(one.done(minutes(500), minutes(720)), Done { takes: minutes(720), hand_overs: 0 });
    // And whoever has worked for twelve hours: of 720 minutes 576 stay done.
    assert_eq!(one.done(minutes(500), minutes(900)), Done { takes: minutes(720 + 20 + 324), hand_overs: 1 });
    assert_eq!(one.done(0, minutes(481)).hand_overs, 1);
    let free = Calendar::new(&spec(&format!(r#"{ONE}, hand_over: (reads_in: "0s", loses: 0.0)"#)));
    assert_eq!(free.done(0, minutes(481)), Done { takes: minutes(481), hand_overs: 1 });
}

/// By hand: exponential of mean `m` against a time-out `a`, with somebody next who is as fast: it is `e^(-a/m)` that one is needed, and
/// from then on twice as fast.
#[test]
fn the_law_of_a_page() {
    let fast = |misses: &str| {
        spec(&format!(
            r#"{ONE}, paging: (asleep: (takes: Exponential(mean: "10min"){misses}), escalate_after: "10min")"#
        ))
    };
    let minute = 60e9;
    let law = fast("").paging.law(Hour::Asleep);
    let e = exp(-1.0);
    close(law.escalated, e, 1e-9);
    // Within the n-th time-out n are at it, each of rate 1/10: the chance that nobody has answered when it begins is e^-(0 + 1 + .. + n - 1).
    let (mut mean, mut pages) = (0.0, 0.0);
    for n in 1..12 {
        let n = f64::from(n);
        let silent = exp(-n * (n - 1.0) / 2.0);
        pages += silent;
        mean += silent * 10.0 * minute / n * (1.0 - exp(-n));
    }
    close(law.mean, mean, 1e-5);
    close(law.pages, pages, 1e-9);
    close(fast(", misses: 0.5").paging.law(Hour::Asleep).escalated, 0.5 + 0.5 * e, 1e-9);
    // Always seven minutes, one in two misses it: 7 + 10 (1/2 + 1/4 + ..).
    let fixed =
        spec(&format!(r#"{ONE}, paging: (asleep: (takes: "7min", misses: 0.5), escalate_after: "10min")"#));
    let law = fixed.paging.law(Hour::Asleep);
    close(law.mean, 17.0 * minute, 1e-9);
    close(law.pages, 2.0, 1e-9);
    // Whoever answers exactly then has answered.
    let same = spec(&format!(r#"{ONE}, paging: (asleep: (takes: "10min"), escalate_after: "10min")"#));
    assert_eq!(same.paging.law(Hour::Asleep).escalated, 0.0);
    close(same.paging.law(Hour::Asleep).mean, 10.0 * minute, 1e-9);
}

/// Simulated for a hundred years beside what is known: detection, answers by the hour, and who is woken.
#[test]
fn pages_beside_their_laws() {
    for more in [
        "",
        r#", paging: (asleep: (takes: LogNormal(median: "8min", p99: "1h"), misses: 0.3), escalate_after: "10min", levels: 3)"#,
    ] {
        let report = run(&format!("{ONE}{more}"));
        for (name, within) in [
            ("time_to_acknowledge", 0.03),
            ("time_to_detect", 0.03),
            ("escalated", 0.06),
            ("out_of_hours", 0.02),
            ("asleep", 0.04),
            ("pages_per_engineer_week", 0.03),
            ("woken_per_engineer_week", 0.05),
        ] {
            close(told(&report, name), exact(&report, name), within);
        }
    }
}

const ALIKE: &str = r#"hand_over: (reads_in: "0s", loses: 0.0), paging: (on_shift: (takes: "5min"), awake: (takes: "5min"), asleep: (takes: "5min"))"#;

/// One team is M/M/1: half busy, it lets a repair of an hour wait for one. Of several each is M/G/1, whatever a repair crosses.
#[test]
fn teams_are_queues() {
    let mm1 = run(
        r#"severities: {"a": (every: "2h", alarm: "0s", diagnose: "0s", repair: Exponential(mean: "1h"), decisions: 0)}, sites: {"here": (begins: "8h")},
           hand_over: (reads_in: "0s", loses: 0.0), paging: (on_shift: (takes: "0s"), awake: (takes: "0s"), asleep: (takes: "0s"))"#,
    );
    close(exact(&mm1, "team_load"), 0.5, 1e-9);
    close(exact(&mm1, "team_wait"), 3.6e12, 1e-9);
    close(told(&mm1, "team_load"), 0.5, 0.02);
    close(told(&mm1, "team_wait"), 3.6e12, 0.06);
    // Nothing else takes time, and who came first is first: it is over after an exponential time of two hours.
    close(told(&mm1, "mitigate_p50"), 2.0 * 3.6e12 * ln(2.0), 0.05);
    close(told(&mm1, "mitigate_p99"), 2.0 * 3.6e12 * ln(100.0), 0.06);
    for (own, command) in [("Neighbours", "Commander"), ("Scattered", "Everybody")] {
        let many = run(&format!(
            r#"severities: {{"a": (every: "6h", diagnose: "10min", repair: Exponential(mean: "1h"), touches: 4, decisions: 3),
                             "b": (every: "9h", diagnose: "1h", repair: "2h", touches: 1)}},
               sites: {{"here": (begins: "8h")}}, services: 10, teams: (count: 5, own: {own}), command: {command}, {ALIKE}"#
        ));
        for (name, within) in [
            ("team_load", 0.01),
            ("team_wait", 0.04),
            ("teams_per_incident", 0.01),
            ("talk_per_incident", 0.01),
        ] {
            close(told(&many, name), exact(&many, name), within);
        }
    }
}

/// By hand: ten services of five teams, a repair that touches four. Neighbours: it begins at a team's first service and crosses two, or at its second and crosses
/// three. Scattered: four.
#[test]
fn how_many_teams_a_repair_crosses() {
    let of = |own: &str, command: &str| {
        exact::per_incident(&spec(&format!(
            r#"severities: {{"a": (every: "10h", diagnose: "10min", repair: "1h", touches: 4, decisions: 2)}}, sites: {{"here": (begins: "8h")}},
               services: 10, teams: (count: 5, own: {own}), command: {command}, talk: "3min""#
        )))
    };
    let minutes = |minutes: f64| minutes * 60e9;
    let [teams, talk] = of("Neighbours", "Commander");
    close(teams, 2.5, 1e-12);
    close(talk, minutes(2.0 * 3.0 * 2.5), 1e-12);
    let [teams, talk] = of("Scattered", "Everybody");
    close(teams, 4.0, 1e-12);
    // Five people are ten pairs.
    close(talk, minutes(2.0 * 3.0 * 10.0), 1e-12);
    // Three people are three pairs, four are six.
    close(of("Neighbours", "Everybody")[1], minutes(2.0 * 3.0 * 4.5), 1e-12);
}

/// Whose service it is does not change how long it takes to repair; with teams of their own they are repaired at the same time.
#[test]
fn a_repair_is_the_same_whoever_does_it() {
    let of = |teams: u32| {
        run(&format!(
            r#"severities: {{"a": (every: "1000h", alarm: "0s", users: "1h", diagnose: "0s", repair: "1h", touches: 4, decisions: 0)}},
               sites: {{"here": (begins: "8h")}}, services: 4, teams: (count: {teams}), hand_over: (reads_in: "0s", loses: 0.0),
               paging: (on_shift: (takes: "0s"), awake: (takes: "0s"), asleep: (takes: "0s"))"#
        ))
    };
    close(told(&of(1), "mitigate_p50"), 4.0 * 3.6e12, 1e-3);
    close(told(&of(4), "mitigate_p50"), 3.6e12, 1e-3);
    close(told(&of(2), "mitigate_p50"), 2.0 * 3.6e12, 1e-3);
}

/// What happens to an incident is told once: its steps add up to how long it lasted.
#[test]
fn the_steps_add_up() {
    let report = run_for(
        r#"severities: {"a": (every: "20h", monitored: 0.5, diagnose: Exponential(mean: "2h"), repair: Exponential(mean: "4h"), touches: 3)},
           sites: {"a": (begins: "0h"), "b": (begins: "8h"), "c": (begins: "16h")}, services: 6, teams: (count: 3)"#,
        "3670d",
    );
    let table = &report.tables[0];
    let sum: f64 = table
        .rows
        .iter()
        .map(|row| match row[1] {
            crate::report::Cell::Number(mean) => mean,
            _ => panic!("a mean"),
        })
        .sum();
    close(sum, told(&report, "time_to_mitigate"), 1e-9);
    assert!(told(&report, "hand_overs") > 0.3, "long work meets the ends of shifts");
}

#[test]
fn what_cannot_be_meant() {
    let said = |fields: &str| match Experiment::parse("x", &text(fields, "1000d"), &[], &Catalog::bundled()) {
        Ok((_, warnings)) => warnings,
        Err(failed) => failed.diagnostics,
    };
    let severity = r#"severities: {"a": (every: "10h", diagnose: "10min", repair: "1h")}"#;
    for (fields, messages) in [
        (
            format!(r#"{severity}, sites: {{"a": (begins: "8h"), "b": (begins: "8h", engineers: 1)}}"#),
            vec![
                "`a` begins at the same time: it would never have the pager",
                "2 are paged in turn, and there are 1",
            ],
        ),
        (
            format!(r#"{severity}, sites: {{"a": (begins: "8h")}}, day: (works: "12h", sleeps: "11h")"#),
            vec!["to work 12h, rise 2h before and sleep 11h is more than a day"],
        ),
        (
            format!(
                r#"{severity}, sites: {{"a": (begins: "8h"), "b": (begins: "9h")}}, hand_over: (reads_in: "1h"), teams: (count: 2)"#
            ),
            vec![
                r#"got "1h", and somebody else goes on after 1h: nobody would get to work"#,
                "2 teams, and 1 services: some would own nothing",
            ],
        ),
        (
            r#"severities: {"a": (every: "10h", alarm: "2h", users: "1h", diagnose: "10min", repair: "1h", touches: 3)},
               sites: {"a": (begins: "8h")}, services: 2"#
                .into(),
            vec!["on average users report it before the monitor alarms", "got 3, and there are 2 services"],
        ),
        (
            r#"severities: {"a": (every: "1h", diagnose: "10min", repair: "2h", decisions: 0)}, sites: {"a": (begins: "8h")}"#
                .into(),
            vec!["a team gets 2.00 of the work that it can do: what waits for it grows without end"],
        ),
        (
            r#"severities: {"a": (every: "1s", diagnose: "10min", repair: "0s")}, sites: {"a": (begins: "25h")}"#.into(),
            vec![
                r#"got "1s", allowed at least "60s""#,
                r#"got "0s", must be longer than 0"#,
                r#"got "25h", allowed "0s" to "1d""#,
            ],
        ),
    ] {
        let said: Vec<String> = said(&fields).iter().map(|it| it.message.clone()).collect();
        assert_eq!(said.len(), messages.len(), "{said:#?}");
        messages
            .iter()
            .for_each(|message| assert!(said.iter().any(|it| it.contains(message)), "{message}: {said:#?}"));
    }
}
