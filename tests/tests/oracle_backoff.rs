//! Contention for one row against the published simulator of AWS's "Exponential Backoff And Jitter".
//!
//! Reference: aws-samples/aws-arch-backoff-simulator at 66cb169, run 400 times for each cell: mean and standard
//! error of calls and completion time. Theirs is an independent program in another language with another
//! generator, so agreement within the statistics is agreement on the model.

use sim_core::stats::Sample;
use sim_core::{SimDuration, SimTime};
use sim_models::contention::{Contention, Hop};
use sim_models::policy::ANY_SENT;
use sim_models::policy::backoff::Jitter;
use sim_models::policy::retry::Retry;
use sim_models::run::RunOptions;
use sim_models::{RunSpec, Scenario};
use std::ops::ControlFlow;

const SEEDS: u64 = 40;
fn span(secs: u64) -> RunSpec {
    RunSpec { window: SimDuration::from_secs(60), ..RunSpec::lasting(SimDuration::from_secs(secs)) }
}

/// More than any client can need.
const ATTEMPTS: u32 = 1000;

fn ms(ms: u64) -> SimDuration {
    SimDuration::from_millis(ms)
}

/// AWS's base is 5 ms and their first delay base 2^1; decorrelated jitter starts from the base itself.
fn exponential(base: SimDuration, jitter: Jitter) -> Retry {
    let (attempts, cap) = (ATTEMPTS, SimDuration::from_secs(2));
    Retry::Exponential { attempts, base, factor: 2.0, cap, jitter, on: ANY_SENT.to_vec() }
}

fn strategy(name: &str) -> Retry {
    match name {
        "None" => Retry::Fixed {
            attempts: ATTEMPTS,
            delay: SimDuration::ZERO,
            jitter: Jitter::None,
            on: ANY_SENT.to_vec(),
        },
        "Exponential" => exponential(ms(10), Jitter::None),
        "Decorr" => exponential(ms(5), Jitter::Decorrelated),
        "EqualJitter" => exponential(ms(10), Jitter::Equal),
        "FullJitter" => exponential(ms(10), Jitter::Full),
        other => panic!("no strategy {other}"),
    }
}

/// Calls and completion in ms of one run.
fn run(clients: u32, retry: Retry, seed: u64) -> (f64, f64) {
    let spec = Contention { clients, hop: Hop { mean: ms(10), sd: ms(2) }, retry };
    let report = spec.run(&span(600), &RunOptions::seeded(seed), &mut |_| ControlFlow::Continue(())).report;
    let measured = |name: &str| report.values.get(name).and_then(|value| value.value);
    let value = |name: &str| measured(name).expect("a value of the model");
    assert_eq!(value("succeeded"), f64::from(clients), "everybody is done");
    (value("calls"), value("completion") / 1e6)
}

fn samples(clients: u32, name: &str) -> (Sample, Sample) {
    let runs: Vec<(f64, f64)> = (1..=SEEDS).map(|seed| run(clients, strategy(name), seed)).collect();
    let of = |part: fn(&(f64, f64)) -> f64| Sample::of(&runs.iter().map(part).collect::<Vec<_>>());
    (of(|run| run.0), of(|run| run.1))
}

#[test]
fn the_published_figures() {
    // clients, algorithm, mean ms, its standard error, mean calls, its standard error
    let reference = [
        (10, "Exponential", 3467.861, 62.985, 50.888, 0.196),
        (10, "Decorr", 440.968, 4.483, 37.900, 0.115),
        (10, "EqualJitter", 736.566, 9.473, 42.630, 0.125),
        (10, "FullJitter", 471.027, 5.297, 39.050, 0.114),
        (10, "None", 379.423, 1.691, 50.807, 0.202),
        (50, "Exponential", 36533.328, 170.342, 624.280, 1.543),
        (50, "Decorr", 2250.587, 27.742, 374.970, 0.637),
        (50, "EqualJitter", 4225.483, 28.451, 347.067, 0.295),
        (50, "FullJitter", 2902.500, 26.866, 332.540, 0.236),
        (50, "None", 1141.466, 2.203, 690.778, 0.922),
        (100, "Exponential", 63743.707, 187.308, 1856.410, 2.827),
        (100, "Decorr", 4612.838, 35.614, 1003.107, 1.514),
        (100, "EqualJitter", 6600.395, 32.070, 811.758, 0.396),
        (100, "FullJitter", 4880.538, 27.939, 795.658, 0.324),
        (100, "None", 2027.709, 2.099, 2421.875, 1.601),
    ];
    for (clients, name, reference_ms, error_ms, reference_calls, error_calls) in reference {
        let (calls, completion) = samples(clients, name);
        for (what, found, reference, error) in
            [("calls", calls, reference_calls, error_calls), ("ms", completion, reference_ms, error_ms)]
        {
            let se = (found.standard_error() * found.standard_error() + error * error).sqrt();
            let off = (found.mean - reference).abs();
            println!(
                "{clients:>4} {name:12} {what:5} {:10.2} against {reference:10.2}: {:.2} SE",
                found.mean,
                off / se
            );
            let tolerance = (0.01 * reference).max(4.0 * se);
            assert!(
                off <= tolerance,
                "{clients} clients, {name}, {what}: {} against {reference}",
                found.mean
            );
        }
    }
}

#[test]
fn one_client_writes_once_and_two_write_three_times() {
    for name in ["None", "Exponential", "Decorr", "EqualJitter", "FullJitter"] {
        for seed in 1..=SEEDS {
            assert_eq!(run(1, strategy(name), seed).0, 1.0, "{name}, seed {seed}");
            assert_eq!(run(2, strategy(name), seed).0, 3.0, "{name}, seed {seed}");
        }
    }
    // Four hops of |Normal(10, 2)| ms: mean 40, sd 4 (the fold at 0 is five deviations away).
    let alone = Sample::of(&(1..=400).map(|seed| run(1, Retry::None, seed).1).collect::<Vec<_>>());
    assert!((alone.mean - 40.0).abs() < 4.0 * 4.0 / 20.0, "{}", alone.mean);
    assert!((alone.variance.sqrt() - 4.0).abs() < 4.0 * 4.0 / 800.0f64.sqrt(), "{}", alone.variance.sqrt());
}

/// What the figures are quoted for: backoff alone is by far the slowest and saves the fewest calls, no
/// backoff at all is done first, and full jitter saves most.
#[test]
fn backoff_without_jitter_is_the_slowest() {
    let ((none_calls, none_ms), (plain_calls, plain_ms), (full_calls, full_ms)) =
        (samples(100, "None"), samples(100, "Exponential"), samples(100, "FullJitter"));
    assert!(plain_ms.mean > 25.0 * none_ms.mean && plain_ms.mean > 10.0 * full_ms.mean);
    assert!(none_ms.mean < full_ms.mean);
    let saved = |calls: Sample| 1.0 - calls.mean / none_calls.mean;
    assert!((saved(plain_calls) - 0.23).abs() < 0.02, "{}", saved(plain_calls));
    assert!((saved(full_calls) - 0.67).abs() < 0.02, "{}", saved(full_calls));
}

/// Why backoff alone does not help: as long as everybody waits the same, how long plays no part.
#[test]
fn without_jitter_any_delay_wastes_the_same() {
    let fixed =
        |delay| Retry::Fixed { attempts: ATTEMPTS, delay, jitter: Jitter::None, on: ANY_SENT.to_vec() };
    for seed in 1..=20 {
        let calls = run(100, fixed(ms(200)), seed).0;
        assert_eq!(run(100, fixed(ms(2_000)), seed).0, calls, "seed {seed}");
        assert!(run(100, strategy("FullJitter"), seed).0 < calls / 2.0, "seed {seed}");
    }
}

#[test]
fn time_is_the_limit_if_nothing_else_is() {
    let spec =
        Contention { clients: 100, hop: Hop { mean: ms(10), sd: ms(2) }, retry: strategy("Exponential") };
    let span = span(1);
    let mut seen = SimTime::ZERO;
    let report = spec
        .run(&span, &RunOptions::seeded(1), &mut |progress| {
            seen = progress.now;
            ControlFlow::Continue(())
        })
        .report;
    assert_eq!(seen, SimTime::from_secs(1));
    assert!(report.values.get("succeeded").unwrap().value < Some(100.0));
    assert!(report.verdict.headline.contains("not done in time"), "{}", report.verdict.headline);
}
