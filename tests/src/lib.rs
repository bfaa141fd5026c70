//! What the tests share: experiments run over many seeds, and comparisons that say everything when they fail.
//!
//! Every run here is a function of a text and a seed, so a test that passes once passes always, and a test
//! that fails prints what replays it.

#[cfg(feature = "program")]
pub mod ask;
#[cfg(feature = "program")]
mod bench;
mod experiments;
pub mod fuzz;
mod generate;
pub mod golden;
mod rng;
pub mod slow_judge;

#[cfg(feature = "program")]
pub use bench::{Bench, Said};
pub use experiments::{File, beside, experiments, files_below, stem};
pub use generate::{random_experiment, random_recovery};
pub use rng::Rng;

use sim_core::stats::Sample;
use sim_models::experiment::{Decode, Decoder, Diagnostics, Experiment, Resolved, Sources, parse_file};
use sim_models::report::{Edge, Report, Service};
use sim_models::run::{RunOptions, RunOutput};
use sim_models::service_graph::spec::ServiceSpec;
use sim_models::{Catalog, simulate};
use std::ops::{ControlFlow, RangeInclusive};

/// Seeds of an oracle test: fidelity demands at least 20.
pub const SEEDS: RangeInclusive<u64> = 1..=20;

/// The experiment (or one of its variants) that `text` describes. Panics with its diagnostics.
#[track_caller]
pub fn resolve(text: &str, variant: Option<&str>) -> Resolved {
    let read = Experiment::parse_beside("test.ron", text, &beside(), &[], &Catalog::bundled());
    let read = read.and_then(|(experiment, _)| experiment.with(variant, &[]));
    read.unwrap_or_else(|failed| panic!("{failed}\n{text}"))
}

/// What `text` says, which must be sound.
#[track_caller]
pub fn sound<T: Decode>(text: &str) -> T {
    let mut sources = Sources::default();
    let node = parse_file(text, sources.add("test.ron", text), &mut Diagnostics::new());
    let value = node.and_then(|node| T::decode(&node, &mut Decoder::new()));
    value.unwrap_or_else(|| panic!("not sound: {text}"))
}

/// A service of which only what must be said is said: whoever asks for the settings there are asks its parts.
pub fn a_service() -> ServiceSpec {
    sound("(workers: Async(1), work: \"1ms\")")
}

/// One run, without an observer.
pub fn run_with(resolved: &Resolved, options: &RunOptions) -> RunOutput {
    simulate(resolved, options, &mut |_| ControlFlow::Continue(()))
}

/// The report of one run of `text` as written.
#[track_caller]
pub fn run(text: &str, seed: u64) -> Report {
    run_with(&resolve(text, None), &RunOptions::seeded(seed)).report
}

/// The same experiment under several seeds.
pub struct Runs {
    text: String,
    first_seed: u64,
    /// One report per seed, in the order of the seeds.
    pub reports: Vec<Report>,
}

impl Runs {
    /// Runs `text` once per seed, on as many threads as there are processors.
    #[track_caller]
    pub fn of(text: &str, seeds: RangeInclusive<u64>) -> Self {
        let resolved = resolve(text, None);
        let (first_seed, seeds) = (*seeds.start(), seeds.collect::<Vec<_>>());
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(seeds.len());
        let mut reports: Vec<Option<Report>> = vec![None; seeds.len()];
        let share = seeds.len().div_ceil(threads);
        std::thread::scope(|scope| {
            for (seeds, reports) in seeds.chunks(share).zip(reports.chunks_mut(share)) {
                let resolved = &resolved;
                scope.spawn(move || {
                    for (&seed, report) in seeds.iter().zip(reports) {
                        *report = Some(run_with(resolved, &RunOptions::seeded(seed)).report);
                    }
                });
            }
        });
        let reports = reports.into_iter().map(|report| report.expect("every seed was run")).collect();
        Runs { text: text.to_owned(), first_seed, reports }
    }

    /// A number of each run: its mean and its spread between seeds.
    pub fn sample(&self, of: impl Fn(&Report) -> f64) -> Sample {
        Sample::of(&self.reports.iter().map(of).collect::<Vec<_>>())
    }

    /// Asserts that the mean between seeds is `exact`: `|mean - exact| <= max(tolerance * exact, 4 SE)`. A
    /// spread so wide that it would let an error of `POWER` pass is a failure too: such a test proves
    /// nothing.
    #[track_caller]
    pub fn agree(&self, what: &str, of: impl Fn(&Report) -> f64, exact: f64, tolerance: f64) {
        let sample = self.sample(of);
        let error = sample.standard_error();
        let said = format!(
            "{what}: measured {:.6}, exact {exact:.6} ({:+.3} %), standard error {error:.6} over {} seeds",
            sample.mean,
            (sample.mean / exact - 1.0) * 100.0,
            sample.n,
        );
        let allowed = (tolerance * exact.abs()).max(4.0 * error);
        assert!((sample.mean - exact).abs() <= allowed, "{said}\nallowed {allowed:.6}\n{}", self.replay());
        assert!(4.0 * error <= POWER * exact.abs(), "too noisy to prove anything: {said}\n{}", self.replay());
        println!("{said}");
    }

    /// Asserts something of every run.
    #[track_caller]
    pub fn each(&self, what: &str, holds: impl Fn(&Report) -> bool) {
        for (number, report) in self.reports.iter().enumerate() {
            let seed = self.first_seed + number as u64;
            assert!(
                holds(report),
                "{what} does not hold with seed {seed}: {}\n{:?}\n{}",
                report.verdict.headline,
                report.summary,
                self.replay(),
            );
        }
    }

    fn replay(&self) -> String {
        let seed = self.first_seed;
        format!(
            "replay: save what follows as case.ron, then `brownout run case.ron --seed {seed}`\n{}",
            self.text
        )
    }
}

/// The largest relative error that a statistical test may let pass unseen.
const POWER: f64 = 0.10;

/// The edge of this name.
#[track_caller]
pub fn edge<'a>(report: &'a Report, name: &str) -> &'a Edge {
    let names = || report.edges.iter().map(|(name, _)| name).collect::<Vec<_>>();
    report.edges.get(name).unwrap_or_else(|| panic!("no edge {name} among {:?}", names()))
}

/// The service of this name.
#[track_caller]
pub fn service<'a>(report: &'a Report, name: &str) -> &'a Service {
    report.services.get(name).unwrap_or_else(|| panic!("no service {name}"))
}

/// Seconds from nanoseconds that a report may lack.
#[track_caller]
pub fn seconds(nanos: Option<u64>) -> f64 {
    nanos.expect("something was measured") as f64 / 1e9
}

/// Standard deviation of a latency histogram, in seconds.
pub fn spread(histogram: &[(u64, u64)]) -> f64 {
    let count: f64 = histogram.iter().map(|&(_, n)| n as f64).sum();
    let mean = histogram.iter().map(|&(ns, n)| ns as f64 / 1e9 * n as f64).sum::<f64>() / count;
    let square = |ns: u64| (ns as f64 / 1e9 - mean) * (ns as f64 / 1e9 - mean);
    (histogram.iter().map(|&(ns, n)| square(ns) * n as f64).sum::<f64>() / count).sqrt()
}
