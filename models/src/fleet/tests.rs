use super::exact::{Law, law};
use super::*;
use crate::experiment::Experiment;
use crate::report::Report;
use crate::{Catalog, simulate};
use std::ops::ControlFlow;

fn text(fleet: &str, duration: &str) -> String {
    format!(
        r#"(about: "x", model: Fleet({fleet}), run: (duration: "{duration}", window: "100d", warm_up: "100d"))"#
    )
}

fn run(fleet: &str, duration: &str) -> Report {
    let (experiment, _) =
        Experiment::parse("x", &text(fleet, duration), &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    simulate(&resolved, &RunOptions::seeded(7), &mut |_| ControlFlow::Continue(())).report
}

fn told(report: &Report, name: &str) -> f64 {
    report
        .values
        .get(name)
        .unwrap_or_else(|| panic!("no {name}"))
        .value
        .unwrap_or_else(|| panic!("{name} was not measured"))
}

fn exact(report: &Report, name: &str) -> f64 {
    report.values.get(name).and_then(|it| it.exact).unwrap_or_else(|| panic!("no exact {name}"))
}

fn fleet(fields: &str) -> Fleet {
    let node = crate::experiment::parse_value(&format!("({fields})"), 0, 0, "fleet", &mut Default::default())
        .expect("a value");
    <Fleet as crate::experiment::Decode>::decode(&node, &mut Decoder::new()).expect("sound")
}

fn close(got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within * want.abs().max(1e-300), "{got}, expected {want}");
}

/// k_of_n.csv: machines, needed, availability of each, of all.
#[test]
fn k_of_n() {
    for (n, k, a, availability) in [
        (1, 1, 0.9, 0.9),
        (2, 1, 0.9, 0.99),
        (2, 2, 0.9, 0.81),
        (3, 2, 0.9, 0.972),
        (5, 3, 0.999, 1.0 - 9.985e-9),
        (100, 100, 0.999, 0.904_792_147_113_709),
    ] {
        let up: f64 = f64::round(a / (1.0 - a));
        let fleet =
            fleet(&format!(r#"machines: {n}, needs: {k}, fails: Exponential(mean: "{up}h"), repair: "1h""#));
        let law = law(&fleet, 1).expect("a law");
        close(1.0 - law.availability, 1.0 - availability, 1e-3);
        close(law.availability, law.independent, 1e-12);
    }
}

/// The beta factor: a tenth of the failures of two machines that are down 1 % of the time are everybody's.
#[test]
fn a_domain_floors_what_redundancy_promises() {
    let fleet = fleet(
        r#"machines: 2, needs: 1, fails: Exponential(mean: "110h"), repair: Exponential(mean: "1h"),
           domains: {"power": (fails: Exponential(mean: "999h"), repair: Exponential(mean: "1h"))}"#,
    );
    let Law { availability, independent, any_machine_down, .. } = law(&fleet, 1).expect("a law");
    let (own, power): (f64, f64) = (1.0 / 111.0, 1.0 / 1_000.0);
    close(1.0 - availability, 1.0 - (1.0 - power) * (1.0 - own * own), 1e-9);
    let each = 1.0 - (1.0 - own) * (1.0 - power);
    close(1.0 - independent, each * each, 1e-6);
    close(any_machine_down, 1.0 - (1.0 - power) * (1.0 - own) * (1.0 - own), 1e-9);
}

/// cells.csv: with `n` cells one failure hits 1/n, and with a tenth of the failures everybody's s + (1 - s) / n.
#[test]
fn the_blast_radius_of_cells() {
    let cells = run(
        r#"machines: 1, needs: 1, fails: Exponential(mean: "1000h"), repair: "1h", groups: Cells(10)"#,
        "36500d",
    );
    close(told(&cells, "blast_radius"), 0.1, 1e-9);
    // Each of ten cells fails once in 1,000 h, the domain once in 900: a tenth of all events.
    let shared = run(
        r#"machines: 1, needs: 1, fails: Exponential(mean: "1000h"), repair: "1h", groups: Cells(10),
           domains: {"config": (fails: Exponential(mean: "900h"), repair: "1h")}"#,
        "36500d",
    );
    close(told(&shared, "blast_radius"), 0.19, 0.03);
    close(1.0 - told(&shared, "all_up"), 1.0 - exact(&shared, "all_up"), 0.03);
    close(told(&cells, "any_machine_down"), exact(&cells, "any_machine_down"), 0.03);
}

/// What is simulated for a hundred years comes to what is exact, whatever the distributions.
#[test]
fn simulated_beside_exact() {
    for fields in [
        r#"machines: 3, needs: 2, fails: Exponential(mean: "100h"), repair: Exponential(mean: "10h")"#,
        r#"machines: 3, needs: 2, fails: LogNormal(median: "50h", p99: "900h"), repair: "10h""#,
        r#"machines: 4, needs: 2, fails: Exponential(mean: "100h"), repair: Exponential(mean: "50h"), crews: 1"#,
        r#"machines: 2, needs: 1, fails: Exponential(mean: "100h"), repair: Exponential(mean: "50h"), crews: 2, groups: Cells(3)"#,
        r#"machines: 4, needs: 3, fails: Exponential(mean: "100h"), repair: "5h", groups: Cells(2),
           domains: {"rack": (fails: Exponential(mean: "200h"), repair: "20h", takes: Machines([0, 1])),
                     "cell": (fails: Exponential(mean: "500h"), repair: "50h", takes: Cells([1]))}"#,
        r#"machines: 8, needs: 1, fails: Exponential(mean: "20h"), repair: "5h", groups: Shards(tenants: 50, of: 2)"#,
    ] {
        let report = run(fields, "36500d");
        close(1.0 - told(&report, "availability"), 1.0 - exact(&report, "availability"), 0.05);
        close(told(&report, "any_machine_down"), exact(&report, "any_machine_down"), 0.05);
    }
}

/// By hand: one active, one spare, repaired in no time that matters. Each failure of the active one costs the take-over: 36 s of 100 h.
#[test]
fn a_take_over_takes_its_time() {
    let pair = |more: &str| {
        run(
            &format!(
                r#"machines: 2, needs: 1, fails: Exponential(mean: "100h"), repair: "1ms", failover: (takes: "36s"{more})"#
            ),
            "36500d",
        )
    };
    let down = |report: &Report| 1.0 - told(report, "availability");
    // The active machine is back after a millisecond, so that it was down for no longer: nobody need take over in fact.
    close(down(&pair("")), 1e-3 / 360_000.0, 0.05);
    let slow = run(
        r#"machines: 2, needs: 1, fails: Exponential(mean: "1000h"), repair: "2h", failover: (takes: "36s", fails: 0.1, by_hand: "1h")"#,
        "36500d",
    );
    // 0.9 x 36 s + 0.1 x 3,600 s for each 1,000 h, and both down for a moment now and then.
    close(down(&slow), 392.4 / 3.6e6 + 1e-3 * 2e-3, 0.1);
    close(told(&slow, "by_hand") / told(&slow, "take_overs"), 0.1, 0.2);
}

#[test]
fn what_cannot_be_meant() {
    let said = |fields: &str| match Experiment::parse("x", &text(fields, "1000d"), &[], &Catalog::bundled()) {
        Ok((_, warnings)) => warnings,
        Err(failed) => failed.diagnostics,
    };
    for (fields, messages) in [
        (
            r#"machines: 2, needs: 3, fails: "1h", repair: "1h""#,
            vec!["got 3, and a cell has 2: it would never be up"],
        ),
        (
            r#"machines: 4, needs: 1, fails: "1h", repair: "1h", groups: Shards(tenants: 5, of: 6), failover: (takes: "1s")"#,
            vec![
                "6 machines for each tenant, of 4",
                "machines that several tenants share are not one tenant's spares",
            ],
        ),
        (
            r#"machines: 2, needs: 2, fails: "1h", repair: "1s", failover: (takes: "1s")"#,
            vec!["all 2 machines are needed: there is no spare to take over"],
        ),
        (
            r#"machines: 2, needs: 1, fails: "2h", repair: "1h",
               domains: {"rack": (fails: "1h", repair: "2h", takes: Machines([0, 2])), "zone": (fails: "9h", repair: "1h", takes: Cells([1]))}"#,
            vec![
                "it is down for longer than it is up",
                "there is no number 2: the machines are 0 to 1",
                "there is no number 1: the cells are 0 to 0",
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
