//! What must not grow with what a file has of it: `cargo bench -p sim-models --bench scale`.
//!
//! - `faults`: ten thousand scheduled faults on ten replicas, beside the same run with a single one.
//! - `crash`: all replicas at once, a million requests in their hands.
//! - `shared_queue`: the same load through one queue in front of ten replicas, and of a thousand.

use divan::Bencher;
use sim_models::experiment::Experiment;
use sim_models::run::RunOptions;
use sim_models::{Catalog, simulate};
use std::fmt::Write;
use std::ops::ControlFlow;

fn main() {
    divan::main();
}

/// Times one run of an experiment, reading it left out.
fn time(bencher: Bencher, text: &str) {
    let read = Experiment::parse("scale", text, &[], &Catalog::bundled());
    let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}"));
    let resolved = experiment.with(None, &[]).unwrap_or_else(|failed| panic!("{failed}"));
    let options = RunOptions { max_in_flight: 10_000_000, ..RunOptions::seeded(1) };
    bencher.bench_local(|| simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())));
}

#[divan::bench(sample_count = 5, args = [1, 10_000])]
fn faults(bencher: Bencher, faults: u64) {
    let mut list = String::new();
    for fault in 0..faults {
        let (replica, at) = (fault % 10, fault * 100_000 / faults);
        write!(
            list,
            r#"(at: "{at}ms", for: "7ms", on: "server", effect: Slow(factor: 1.5), replicas: Only([{replica}])),"#
        )
        .expect("a string takes everything");
    }
    let text = format!(
        r#"(about: "faults", model: ServiceGraph(
            workload: [(to: "server", arrivals: Poisson("5000/s"))],
            services: {{"server": (replicas: 10, workers: Blocking(8), work: Exponential(mean: "10ms"))}},
            faults: [{list}],
        ), run: (duration: "100s"))"#
    );
    time(bencher, &text);
}

#[divan::bench(sample_count = 3, args = [100, 10_000])]
fn crash(bencher: Bencher, replicas: u64) {
    let text = format!(
        r#"(about: "a million in hand", model: ServiceGraph(
            workload: [(to: "server", arrivals: Constant("100000/s"))],
            services: {{"server": (replicas: {replicas}, workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: "12h")}},
            faults: [(at: "10s", for: "1s", on: "server", effect: Crash())],
        ), run: (duration: "10.5s"))"#
    );
    time(bencher, &text);
}

#[divan::bench(sample_count = 5, args = [10, 1_000])]
fn shared_queue(bencher: Bencher, replicas: u64) {
    let text = format!(
        r#"(about: "one queue", model: ServiceGraph(
            workload: [(to: "server", arrivals: Poisson("5000/s"))],
            services: {{"server": (replicas: {replicas}, workers: Blocking(1), queue: SharedFifo(), work: Exponential(mean: "{}us"))}},
        ), run: (duration: "60s"))"#,
        replicas * 180
    );
    time(bencher, &text);
}
