//! An interval of 95 % holds the right value 95 times of a hundred, also of a percentile of which a run has few values.
//!
//! Response times of M/M/1, first come first served, are exponential with rate `mu - lambda`: whatever the percentile, it is known. Ten
//! runs of 10,000 calls make one interval, as `run --replications` prints it.

use serde_json::Value;
use sim_cli::{Console, Exit};
use std::ffi::OsString;

const RUNS: u64 = 10;
const PERCENTILES: [(&str, f64); 5] =
    [("p50", 50.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0), ("p999", 99.9)];

const QUEUE: &str = r#"(about: "M/M/1 at half load", model: ServiceGraph(
    workload: [(to: "q", arrivals: Poisson("50/s"))],
    services: {"q": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "10ms"))},
), run: (duration: "220s", warm_up: "20s", seed: 1))"#;

/// Each number, and its interval, from ten runs that begin with this seed.
fn intervals(seed: u64) -> Vec<(f64, f64, f64)> {
    let metrics: String = PERCENTILES.iter().map(|(name, _)| format!(" --metric {name}")).collect();
    let words =
        format!("brownout run - --replications {RUNS} --seed {seed} --jobs 1 --quiet --format json{metrics}");
    let arguments = words.split_whitespace().map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (QUEUE.as_bytes(), Vec::new(), Vec::new());
    let exit = sim_cli::run(arguments, Console::captured(&mut stdin, &mut stdout, &mut stderr));
    assert_eq!(exit, Exit::Good, "{}", String::from_utf8_lossy(&stderr));
    let document: Value = serde_json::from_slice(&stdout).expect("JSON");
    let estimates = document["estimates"].as_array().expect("estimates");
    let number = |one: &Value, key: &str| one[key].as_f64().unwrap_or_else(|| panic!("no {key}: {one}"));
    let one = |one: &Value| {
        let (mean, half) = (number(one, "mean"), number(one, "half_width"));
        let end = |at: usize| one["interval"][at].as_f64();
        (mean, end(0).unwrap_or(mean - half), end(1).unwrap_or(mean + half))
    };
    estimates.iter().map(one).collect()
}

/// Of each percentile: in which share of so many experiments the interval holds the right value, and by how much the number is off
/// on average, as a share of it.
fn coverage(experiments: u64) -> Vec<(f64, f64)> {
    let all: Vec<Vec<(f64, f64, f64)>> = std::thread::scope(|scope| {
        let half = |odd: u64| {
            scope.spawn(move || {
                (0..experiments).filter(|n| n % 2 == odd).map(|n| intervals(1 + n * RUNS)).collect::<Vec<_>>()
            })
        };
        [half(0), half(1)].into_iter().flat_map(|half| half.join().expect("no panic")).collect()
    });
    let of = |(column, (_, percent)): (usize, &(&str, f64))| {
        let exact = -sim_core::math::ln(1.0 - percent / 100.0) / 50.0 * 1e9;
        let holds = |one: &&Vec<(f64, f64, f64)>| (one[column].1..=one[column].2).contains(&exact);
        let covered = all.iter().filter(holds).count() as f64 / experiments as f64;
        let mean = all.iter().map(|one| one[column].0).sum::<f64>() / experiments as f64;
        (covered, mean / exact - 1.0)
    };
    PERCENTILES.iter().enumerate().map(of).collect()
}

/// As many as show a coverage of less than 90 %: by chance a right one is below 91 in one of a thousand hundreds and sixty.
#[test]
fn intervals_of_percentiles_hold_the_right_value() {
    for ((name, _), (covered, off)) in PERCENTILES.iter().zip(coverage(160)) {
        assert!(off.abs() < 0.02, "{name}: off by {off}, the middle of its interval by 0.05");
        assert!((0.895..=0.995).contains(&covered), "{name}: {covered}");
    }
}

/// The same to the percent; with the mean of each run's percentile p99.9 was covered 90 times of a hundred.
#[test]
#[ignore = "a minute and a half"]
fn intervals_of_percentiles_hold_it_95_times_of_a_hundred() {
    for ((name, _), (covered, off)) in PERCENTILES.iter().zip(coverage(600)) {
        println!("{name}: {covered} covered, off by {off:+.4}");
        assert!((0.93..=0.97).contains(&covered), "{name}: {covered}");
    }
}
