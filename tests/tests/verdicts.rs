//! What is said of a run is what somebody who looked at every call would say.

use brownout_tests::slow_judge::{Course, Truth, every_call, truth};
use brownout_tests::{Runs, random_recovery, resolve};
use sim_core::{Engine, Limits};
use sim_models::report::{Report, VerdictKind};
use sim_models::run::RunOptions;
use std::collections::BTreeMap;

const SECOND: u64 = 1_000_000_000;

fn options(seed: u64) -> RunOptions {
    let limits = Limits { events: 1_000_000, events_at_one_instant: 20_000 };
    RunOptions { engine: Engine::Fast, limits, max_in_flight: 20_000, ..RunOptions::seeded(seed) }
}

/// What the slow judge says of a random chain of services, what the report does, and whether they agree.
struct Compared {
    truth: Truth,
    report: Report,
    agree: bool,
}

fn compared(seed: u64) -> Compared {
    let resolved = resolve(&random_recovery(seed), None);
    let (report, edges) = every_call(&resolved, &options(seed));
    let (name, calls) = &edges[0];
    let edge = report.edges.get(name).expect("the same edges");
    let measured = || calls.iter().filter(|call| call.began >= report.run.warm_up);
    assert_eq!(measured().count() as u64, edge.calls.started, "{seed}");
    let well = measured().filter(|call| call.end.is_some_and(|(_, well)| well)).count();
    assert_eq!(well as u64, edge.calls.ok(), "{seed}");
    let fault = &report.timeline.disturbances[0];
    let gone = fault.to.expect("it ends");
    let (measured_from, end) = (report.run.warm_up, report.run.duration);
    let truth = truth(calls, &Course { measured_from, struck: fault.from, gone, end }, None);
    // Five calls, or twelve seconds.
    let slack = (5 * end / calls.len().max(1) as u64).max(12 * SECOND);
    let said = report.summary.time_to_recover.map(|taken| gone + taken);
    // The answer to a call that began ten seconds after the fault could still come: nobody need say more than that.
    let too_soon = edge.within.is_some_and(|within| gone + 10 * SECOND + within > end);
    let agree = match truth {
        _ if report.stopped.is_some() => true,
        _ if too_soon && report.verdict.kind == VerdictKind::Undecided => true,
        Truth::Back { earliest, latest } => {
            said.is_some_and(|said| said + slack >= earliest && said <= latest + slack)
        }
        Truth::Out => report.summary.recovered == Some(false),
        Truth::Open => true,
    };
    Compared { truth, report, agree }
}

/// Of so many random chains the verdict is the slow judge's on all but one in 250, where both saw their share.
///
/// Eight of 2,000 differ. Twice the verdict leaves open, or does not take for certain, what the judge does: the end is a few calls away (537, 590). Once calls that were
/// out when the fault came are no proof that all was well (628). Four times it is a matter of degree, 90 to 97 % of what was usual (941, 1276, 1409, 1476):
/// the verdict asks for 95 % over every ten seconds, where the judge looks for the one moment that parts worse from as ever. And once there was as bad a stretch before
/// the fault, which only the verdict knows (87).
fn agree_on(seeds: u64) {
    let mut told: BTreeMap<(&str, VerdictKindWord), u32> = BTreeMap::new();
    let mut differ = Vec::new();
    for seed in 1..=seeds {
        let Compared { truth, report, agree } = compared(seed);
        let kind = match truth {
            Truth::Back { latest, .. }
                if latest < report.timeline.disturbances[0].to.unwrap_or(0) + 3 * SECOND =>
            {
                "at once"
            }
            Truth::Back { .. } => "later",
            Truth::Out => "out",
            Truth::Open => "open",
        };
        *told.entry((kind, format!("{:?}", report.verdict.kind))).or_default() += 1;
        if !agree {
            differ.push(format!(
                "{seed}: {truth:?}, but {:?} {:?}: {}",
                report.verdict.kind, report.summary.time_to_recover, report.verdict.headline
            ));
        }
    }
    println!("{told:#?}\n{}", differ.join("\n"));
    let all = |kind: &str| told.iter().filter(|((it, _), _)| *it == kind).map(|(_, n)| n).sum::<u32>();
    assert!(["at once", "later", "out"].iter().all(|kind| u64::from(all(kind)) * 20 >= seeds), "{told:#?}");
    assert!(
        differ.len() as u64 <= (seeds / 250).max(1),
        "{} of {seeds} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

type VerdictKindWord = String;

#[test]
fn the_verdict_on_random_chains_is_the_slow_judges() {
    agree_on(120);
}

/// `cargo test --release -p brownout-tests --test verdicts -- --ignored`
#[test]
#[ignore = "minutes"]
fn the_verdict_on_two_thousand_random_chains_is_the_slow_judges() {
    agree_on(2_000);
}

/// A service that always fails so many of a hundred calls, and is struck for a while: it is back at once. How many of so
/// many seeds say later than twelve seconds or five calls.
fn late(rate: f64, errors: f64, seeds: u64) -> Vec<(u64, String)> {
    let long = |seconds: f64, calls: f64| seconds.max(calls / rate).ceil();
    let (before, fault, after) = match rate {
        10_000.0.. => (11.0, 3.0, 26.0),
        _ => (long(20.0, 50.0), long(5.0, 3.0), long(40.0, 200.0)),
    };
    let text = format!(
        r#"(about: "usual errors", model: ServiceGraph(
            workload: [(to: "s", arrivals: Poisson("{rate}/s"))],
            services: {{"s": (workers: Async(100000), work: Exponential(mean: "50ms"), error_rate: {errors})}},
            faults: [(at: "{before}s", for: "{fault}s", on: "s", effect: Errors(probability: 1.0))],
        ), run: (duration: "{}s", warm_up: "1s", window: "{}s"))"#,
        before + fault + after,
        // No more windows than a run may have.
        ((before + fault + after) / 50_000.0).ceil(),
    );
    let allowed = (5.0 / rate).max(12.0) * 1e9;
    let runs = Runs::of(&text, 1..=seeds);
    let late = runs.reports.iter().zip(1..).filter(|(report, _)| {
        report.summary.recovered != Some(true)
            || report.summary.time_to_recover.is_none_or(|ns| ns as f64 > allowed)
    });
    late.map(|(report, seed)| (seed, report.verdict.headline.clone())).collect()
}

#[test]
fn at_any_rate_chance_is_no_harm() {
    for rate in [0.01, 0.1, 0.3, 1.0, 20.0, 1_000.0] {
        for errors in [0.0, 0.02] {
            let late = late(rate, errors, 20);
            assert!(late.len() <= 1, "{rate}/s, {errors}: {late:?}");
        }
    }
}

/// `cargo test --release -p brownout-tests --test verdicts -- --ignored`
#[test]
#[ignore = "minutes"]
fn at_any_rate_chance_is_harm_once_in_a_hundred_seeds() {
    let mut wrong = Vec::new();
    for rate in [0.01, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0, 1_000.0, 10_000.0, 100_000.0] {
        for errors in [0.0, 0.02] {
            let late = late(rate, errors, 100);
            println!("{rate}/s with {errors}: {} of 100 late: {late:?}", late.len());
            if late.len() > 1 {
                wrong.push((rate, errors, late.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn case(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(name);
    std::fs::read_to_string(path).expect("a case")
}

#[test]
fn few_calls_and_usual_errors_are_no_harm() {
    let late = |text: &str, allowed: u64| {
        let runs = Runs::of(text, 1..=100);
        let ok =
            |report: &&Report| report.summary.time_to_recover.is_some_and(|taken| taken <= allowed * SECOND);
        100 - runs.reports.iter().filter(ok).count()
    };
    assert!(late(&case("v1-sparse-usual-errors.ron"), 25) <= 1);
    assert_eq!(late(&case("v2-sparse-no-errors.ron"), 0), 0);
}

#[test]
fn a_queue_that_grows_is_not_steady() {
    let text = case("v3-growing-queue.ron");
    let kinds = |rate: &str| {
        let runs = Runs::of(&text.replace("204/s", rate), 1..=20);
        let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
        runs.reports
            .iter()
            .for_each(|report| *kinds.entry(format!("{:?}", report.verdict.kind)).or_default() += 1);
        println!("{rate} {kinds:?} {}", runs.reports[0].verdict.headline);
        (kinds, runs)
    };
    let count = |kinds: &BTreeMap<String, u32>, kind: &str| kinds.get(kind).copied().unwrap_or(0);
    for rate in ["100/s", "160/s", "180/s"] {
        assert_eq!(count(&kinds(rate).0, "Steady"), 20, "{rate}");
    }
    for rate in ["204/s", "207/s", "211/s"] {
        let (kinds, runs) = kinds(rate);
        assert_eq!(count(&kinds, "Steady"), 0, "{rate}");
        // At 204/s the drift is 3.3 times what chance does in this time: half of all runs show it clearly.
        assert!(count(&kinds, "Overloaded") >= if rate == "204/s" { 10 } else { 16 }, "{rate}: {kinds:?}");
        let said = &runs.reports[0].verdict.headline;
        assert!(said.starts_with("the queue of s grows by ") || said.contains("too short to tell"), "{said}");
    }
    assert_eq!(count(&kinds("240/s").0, "Overloaded"), 20);
    assert_eq!(count(&kinds("202/s").0, "Steady"), 0);
    let report = Runs::of(&text, 1..=1).reports.remove(0);
    assert_eq!(report.verdict.kind, VerdictKind::Overloaded, "{}", report.verdict.headline);
}
