use super::exact::{costs, lost, saves, spent, used};
use super::*;
use crate::experiment::Experiment;
use crate::report::{Cell, Report};
use crate::{Catalog, simulate};
use sim_core::math::exp;
use std::ops::ControlFlow;

fn text(fields: &str, duration: &str) -> String {
    format!(
        r#"(about: "x", model: Downtime({fields}), run: (duration: "{duration}", window: "365d", warm_up: "30d"))"#
    )
}

fn run(fields: &str) -> Report {
    let (experiment, _) =
        Experiment::parse("x", &text(fields, "36000d"), &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    simulate(&resolved, &RunOptions::seeded(7), &mut |_| ControlFlow::Continue(())).report
}

fn told(report: &Report, name: &str) -> f64 {
    let value = report.values.get(name).unwrap_or_else(|| panic!("no {name}"));
    value.value.unwrap_or_else(|| panic!("{name} was not measured"))
}

fn known(report: &Report, name: &str) -> f64 {
    report.values.get(name).and_then(|it| it.exact).unwrap_or_else(|| panic!("no exact {name}"))
}

/// What is told of a mitigation, and what is exact beside it.
fn of(report: &Report, name: &str, value: &str) -> (f64, Option<f64>) {
    let section = report.section("mitigation", name).unwrap_or_else(|| panic!("no {name}"));
    let value = section.values.get(value).unwrap_or_else(|| panic!("no {value}"));
    (value.value.expect("measured"), value.exact)
}

fn spec(fields: &str) -> Downtime {
    let node = crate::experiment::parse_value(&format!("({fields})"), 0, 0, "money", &mut Default::default())
        .expect("a value");
    <Downtime as crate::experiment::Decode>::decode(&node, &mut Decoder::new()).expect("sound")
}

fn close(got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within * want.abs().max(1e-300), "{got}, expected {want}");
}

/// Two causes, and three things that are done against them.
const TWO: &str = r#"revenue_per_hour: 1000.0, causes: {
        "deploy": (every: "10d", unnoticed: Exponential(mean: "1h"), repair: Exponential(mean: "3h"), hits: 0.5, each_costs: 100.0),
        "disk": (every: "50d", repair: LogNormal(median: "4h", p99: "20h")),
    },
    mitigations: {
        "canary": (costs_per_year: 10000.0, against: {"deploy": (prevents: 0.5)}),
        "alarms": (costs_per_year: 5000.0, against: {"deploy": (notices: 0.1, repairs: 0.5, contains: 0.8), "disk": (repairs: 0.9)}),
        "spare": (costs_per_year: 90000.0, used: false, against: {"disk": (prevents: 0.8)}),
    }"#;

/// By hand: 36.525 outages a year of four hours that take half, and 7.305 of whatever a disk takes.
#[test]
fn what_is_lost() {
    let two = spec(TWO);
    let disk = two.causes.get("disk").unwrap().repair.nanos.mean() / 3.6e12;
    let loads = [4.0 * 0.5 / 240.0, disk / 1_200.0];
    close(lost(&two, 0).unwrap(), 1.0 - exp(-loads[0] - loads[1]), 1e-12);
    assert_eq!((used(&two), spent(&two, used(&two)), spent(&two, 4)), (3, 15_000.0, 90_000.0));
    // Half of them, 6 min + 90 min, 0.4 of the service; and nine tenths of a disk's.
    let with = [0.5 * 1.6 * 0.4 / 240.0, 0.9 * disk / 1_200.0];
    let lost_with = 1.0 - exp(-with[0] - with[1]);
    close(lost(&two, 3).unwrap(), lost_with, 1e-12);
    let handling = 36.525 * 0.5 * 100.0;
    close(costs(&two, 3).unwrap(), lost_with * 8_766_000.0 + handling, 1e-12);
    // Alone it halves what deployments cost; beside alarms there is less left to halve.
    let [alone, last] = saves(0, used(&two), |used| costs(&two, used));
    let half = |load: f64| 1.0 - exp(load / 2.0);
    let without = exp(-loads[0] - loads[1]);
    close(alone.unwrap(), -half(loads[0]) * without * 8_766_000.0 + 36.525 * 50.0, 1e-9);
    assert!(last.unwrap() < alone.unwrap() / 2.0);
    // Nobody buys later, or half of them.
    let later = spec(&format!("{TWO}, comes_back: 0.5"));
    close(costs(&later, 3).unwrap() - handling, lost_with * 4_383_000.0, 1e-12);
}

/// A hundred years beside what is known, of the whole and of each mitigation.
#[test]
fn simulated_beside_exact() {
    let report = run(TWO);
    for (name, within) in [
        ("total_per_year", 0.06),
        ("net_per_year", 0.06),
        ("return", 0.06),
        ("lost_per_year", 0.06),
        ("handling_per_year", 0.04),
        ("without_per_year", 0.06),
        ("saved_per_year", 0.06),
        ("downtime_per_year", 0.06),
        ("outages_per_year", 0.04),
    ] {
        close(told(&report, name), known(&report, name), within);
    }
    for name in ["canary", "alarms", "spare"] {
        for value in ["saves_alone", "saves_last", "return_alone", "return_last"] {
            let (measured, exact) = of(&report, name, value);
            close(measured, exact.unwrap(), 0.15);
        }
    }
    let (with, without) = (told(&report, "total_per_year"), told(&report, "without_per_year"));
    close(without - with, told(&report, "net_per_year"), 1e-9);
    close(told(&report, "spent_per_year"), 15_000.0, 1e-12);
}

/// The same outages with and without: what prevents nothing saves nothing, to the last bit, and what is used changes nothing of what there would be without.
#[test]
fn worlds_meet_the_same_outages() {
    let nothing = run(
        r#"revenue_per_hour: 1000.0, causes: {"a": (every: "5d", repair: Exponential(mean: "3h"), hits: 0.3), "b": (every: "9d", repair: "5h")},
           mitigations: {"none": (costs_per_year: 1.0, against: {"a": (prevents: 0.0)}), "all": (costs_per_year: 1.0, used: false, against: {"b": (prevents: 1.0)})}"#,
    );
    assert_eq!(told(&nothing, "saved_per_year"), 0.0);
    assert_eq!(told(&nothing, "prevented"), 0.0);
    let only_a = run(
        r#"revenue_per_hour: 1000.0, causes: {"a": (every: "5d", repair: Exponential(mean: "3h"), hits: 0.3)}"#,
    );
    let saved = told(&nothing, "without_per_year") - of(&nothing, "all", "saves_alone").0;
    close(saved, told(&only_a, "lost_per_year"), 1e-9);
    let unused = run(&TWO.replace("costs_per_year: 10000.0", "used: false, costs_per_year: 10000.0"));
    close(told(&unused, "without_per_year"), told(&run(TWO), "without_per_year"), 1e-12);
    assert_eq!(of(&unused, "canary", "saves_alone"), of(&run(TWO), "canary", "saves_alone"));
}

/// Two that each prevent half of the outages of one cause prevent three of four, not the same half.
#[test]
fn each_prevents_with_luck_of_its_own() {
    let two = run(r#"revenue_per_hour: 1.0, causes: {"a": (every: "2d", repair: "1h")},
           mitigations: {"one": (costs_per_year: 1.0, against: {"a": (prevents: 0.5)}), "other": (costs_per_year: 1.0, against: {"a": (prevents: 0.5)})}"#);
    close(told(&two, "outages_per_year"), 365.25 / 8.0, 0.05);
    close(told(&two, "prevented"), 365.25 * 3.0 / 8.0, 0.05);
    close(known(&two, "outages_per_year"), 365.25 / 8.0, 1e-9);
    // Alone a half is saved, beside the other a half of what that leaves.
    close(of(&two, "one", "saves_last").0, of(&two, "one", "saves_alone").0 / 2.0, 0.05);
}

/// By hand: always an hour, now and then, and 30 days of which one is 99.861 % up: a tenth of the fees; two are 99.722 %, a quarter.
#[test]
fn months_are_settled() {
    let sla = run(
        r#"revenue_per_hour: 0.0, causes: {"a": (every: "30d", repair: "1h"), "half": (every: "10d", repair: "9h", hits: 0.2)},
           sla: (fees: 1000.0, tiers: [(below: 0.9995, credit: 0.1), (below: 0.998, credit: 0.25)])"#,
    );
    // Poisson of mean one; two that overlap are as good as none.
    let [none, one] = [exp(-1.0); 2];
    let mean = 1_000.0 * (0.1 * one + 0.25 * (1.0 - none - one));
    close(told(&sla, "credits_per_year"), mean * 365.25 / 30.0, 0.06);
    // What takes a fifth is not down as the contract has it, nor do two or three of them; what takes half is.
    let half = run(r#"revenue_per_hour: 0.0, causes: {"half": (every: "10d", repair: "9h", hits: 0.5)},
           sla: (fees: 1000.0, tiers: [(below: 0.9995, credit: 1.0)])"#);
    close(told(&half, "credits_per_year"), 12_175.0 * (1.0 - exp(-3.0)), 0.02);
    assert_eq!(half.values.get("total_per_year").unwrap().exact, None, "it depends on months");
}

#[test]
fn a_nine_is_worth_a_tenth_of_the_one_before() {
    let table = super::exact::nines(&spec(
        r#"revenue_per_hour: 100000.0, causes: {"a": (every: "5d", repair: "3h")}"#,
    ));
    let row = |row: usize| {
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            _ => String::new(),
        };
        table.rows[row].iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(row(1), ["99 %", "", "8.77 M USD", "78.9 M USD"]);
    assert_eq!(row(2), ["99.9 %", "", "877 k USD", "7.89 M USD"]);
    assert!(matches!(table.rows[2][1], Cell::Number(nanos) if (nanos / 3.6e12 - 8.766).abs() < 1e-6));
}

#[test]
fn what_cannot_be_meant() {
    let said = |fields: &str| match Experiment::parse("x", &text(fields, "1000d"), &[], &Catalog::bundled()) {
        Ok((_, warnings)) => warnings,
        Err(failed) => failed.diagnostics,
    };
    for (fields, messages) in [
        (
            r#"revenue_per_hour: 1.0, causes: {"disk": (every: "9d", repair: "1h")},
               mitigations: {"spare": (costs_per_year: 1.0, against: {"dsk": (prevents: 0.5), "disk": ()})}"#,
            vec!["no cause `dsk`", "it changes nothing about this cause"],
        ),
        (
            r#"revenue_per_hour: 1.0, causes: {"disk": (every: "9h", repair: "9h")},
               sla: (fees: 1.0, tiers: [(below: 0.99, credit: 0.1), (below: 0.999, credit: 0.3)])"#,
            vec![
                "without mitigations 63 % of the service is lost on average",
                "below 0.99 another tier pays more back: this one never counts",
            ],
        ),
        (
            r#"revenue_per_hour: -1.0, causes: {"disk": (every: "9min", repair: "0s", hits: 30)}, mitigations: {"spare": (costs_per_year: 1.0, against: {})}"#,
            vec![
                "got -1.0, allowed",
                r#"got "9min", allowed at least "1h""#,
                "must be longer than 0",
                "got 30, allowed 0.0 to 1.0",
                "0 entries, allowed at least 1",
            ],
        ),
    ] {
        let said: Vec<String> = said(fields).iter().map(|it| it.message.clone()).collect();
        assert_eq!(said.len(), messages.len(), "{said:#?}");
        messages
            .iter()
            .for_each(|message| assert!(said.iter().any(|it| it.contains(message)), "{message}: {said:#?}"));
    }
}
