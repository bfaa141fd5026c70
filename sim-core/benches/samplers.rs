//! What a variate costs: the time to add up 1,000 of them, so a nanosecond per variate is a microsecond here.
//! The words are SplitMix64's, as in an addressed draw; `words` alone is the floor.
//!
//! Measured (x86-64, shared machine, medians, ns per variate): words 0.7; standard exponential 2.2, standard
//! normal 1.8; through [`Distribution`]: constant 0.5, exponential 2.4 (5.1 at an address of its own), uniform 2.9,
//! hyperexponential 5.9, empirical 7.1, gamma and Erlang 8.3 (23 below shape 1), lognormal 9.5, Pareto 11,
//! Weibull 20, bounded Pareto 21. What is above 3 is `libm`'s `exp` and `ln`, and mispredicted branches.

use divan::counter::ItemsCount;
use sim_core::sampler::{Distribution, DistributionError, standard_exponential, standard_normal};
use sim_core::{Draw, Key, Streams, Words};

const VARIATES: usize = 1_000;

fn main() {
    divan::main();
}

fn add_up(bencher: divan::Bencher, sample: impl Fn(&mut Draw) -> f64) {
    let mut luck = Streams::new(1).luck("benchmark", "samplers");
    let mut words = luck.at(Key::root(1, 1));
    bencher
        .counter(ItemsCount::new(VARIATES))
        .bench_local(|| (0..VARIATES).map(|_| sample(&mut words)).sum::<f64>());
}

#[divan::bench]
fn words(bencher: divan::Bencher) {
    add_up(bencher, |words| words.unit());
}

#[divan::bench]
fn standard_exponential_alone(bencher: divan::Bencher) {
    add_up(bencher, standard_exponential);
}

#[divan::bench]
fn standard_normal_alone(bencher: divan::Bencher) {
    add_up(bencher, standard_normal);
}

/// As the service graph does it: each variate at an address of its own.
#[divan::bench]
fn exponential_addressed(bencher: divan::Bencher) {
    let work = divan::black_box(Distribution::exponential(1e7).unwrap());
    let mut luck = Streams::new(1).luck("benchmark", "samplers");
    let mut request = 0;
    bencher.counter(ItemsCount::new(VARIATES)).bench_local(|| {
        let mut sum = 0.0;
        for _ in 0..VARIATES {
            request += 1;
            sum += work.sample(&mut luck.at(Key::root(7, request)));
        }
        sum
    });
}

#[divan::bench(args = ["constant", "uniform", "exponential", "erlang 4", "gamma 0.5", "gamma 2.5",
    "hyperexponential", "lognormal", "pareto", "bounded pareto", "weibull", "empirical"])]
fn distribution(bencher: divan::Bencher, name: &str) {
    let distribution = divan::black_box(named(name).unwrap());
    add_up(bencher, |words| distribution.sample(words));
}

fn named(name: &str) -> Result<Distribution, DistributionError> {
    match name {
        "constant" => Distribution::constant(1e7),
        "uniform" => Distribution::uniform(1e6, 1e7),
        "exponential" => Distribution::exponential(1e7),
        "erlang 4" => Distribution::erlang(4, 1e7),
        "gamma 0.5" => Distribution::gamma(0.5, 1e7),
        "gamma 2.5" => Distribution::gamma(2.5, 1e7),
        "hyperexponential" => Distribution::hyperexponential_from_cv(1e7, 2.0),
        "lognormal" => Distribution::lognormal_from_quantiles(4e6, 20e6),
        "pareto" => Distribution::pareto(1e6, 1.5),
        "bounded pareto" => Distribution::bounded_pareto(1e6, 1e9, 1.5),
        "weibull" => Distribution::weibull(0.7, 1e7),
        "empirical" => Distribution::empirical(&[
            (0.0, 1e6),
            (50.0, 4e6),
            (90.0, 9e6),
            (99.0, 2e7),
            (99.9, 8e7),
            (100.0, 1e9),
        ]),
        _ => unreachable!("no distribution is called {name}"),
    }
}
