//! Workloads as experiment files through the service graph.

use sim_models::experiment::Experiment;
use sim_models::report::Report;
use sim_models::run::RunOptions;
use sim_models::{Catalog, simulate};
use std::ops::ControlFlow;

/// Runs a workload by its name for as long as so many requests take to arrive, on average.
pub fn run(name: &str, requests: u64) -> Report {
    let (text, per_second, set) = match name {
        "w1" => (include_str!("w1.ron"), 800, vec![]),
        // The same at a tenth of the pace: what do windows with few requests cost?
        "w1-sparse" => {
            let slower = [
                ("workload[0].arrivals", "Poisson(\"80/s\")"),
                ("services.server.work", "Exponential(mean: \"10ms\")"),
            ];
            (include_str!("w1.ron"), 80, slower.to_vec())
        }
        "w2" => (include_str!("w2.ron"), 560, vec![]),
        "w4" => (include_str!("w4.ron"), 1_000, vec![]),
        "w5" => (include_str!("w5.ron"), 200, vec![]),
        // The same with six mechanisms more on every edge, which have hardly anything to do.
        "w6" => {
            let more = [
                ("policies.careful.deadline_propagation", "(allowance: \"1ms\")"),
                ("policies.careful.rate_limit", "TokenBucket(rate: \"10000/s\", burst: 1000)"),
                ("policies.careful.bulkhead", "(max_concurrent: 1000, max_wait: \"10ms\")"),
                ("policies.careful.hedge", "(after: Percentile(percent: 99.9))"),
                ("policies.careful.throttle", "(k: 2)"),
                ("policies.careful.concurrency", "Gradient(initial: 100)"),
            ];
            (include_str!("w5.ron"), 200, more.to_vec())
        }
        "memory" => (include_str!("memory.ron"), 100_000, vec![]),
        other => panic!("no workload is called {other}"),
    };
    let duration = format!("\"{}ms\"", requests * 1_000 / per_second);
    let mut overrides = vec![("run.duration".to_owned(), duration)];
    overrides.extend(set.into_iter().map(|(path, value)| (path.to_owned(), value.to_owned())));
    let loaded = Experiment::parse(name, text, &overrides, &Catalog::bundled());
    let (experiment, _) = loaded.unwrap_or_else(|failed| panic!("{name}: {:?}", failed.diagnostics));
    let resolved =
        experiment.with(None, &[]).unwrap_or_else(|failed| panic!("{name}: {:?}", failed.diagnostics));
    let options = RunOptions::seeded(resolved.run.seed);
    simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report
}
