//! Percentiles of which one run has little to say, from all runs together.

use crate::result::estimate::{Estimate, Measured};
use crate::result::seeds::CONFIDENCE;
use sim_core::stats::pooled::{Pooled, pooled};
use sim_models::report::{Report, asked};

/// Of a run in which fewer lie beyond a percentile it is known better from all runs together.
const FEW_BEYOND: f64 = 1_000.0;
/// So many runs are laid together; of more the mean over them will do.
const MOST_TOGETHER: u64 = 1_000;

/// Beside each of these metrics that is a percentile of which a run has little to say: what was counted, to lay runs together. `number`
/// is how many runs there were before.
pub fn counted(report: &Report, paths: &[String], number: u64) -> Vec<Option<Counted>> {
    let one = |path: &String| {
        let (named, during) = asked(path).ok()?;
        let (edge, which) = named.rsplit_once(".latency.")?;
        let (_, percent) = PERCENTILES.into_iter().find(|(name, _)| *name == which)?;
        let part = during.map(|during| report.part(during));
        let report = part.as_ref().map_or(Some(report), Option::as_ref)?;
        let edges = report.edges.iter();
        let (_, edge) = edges.into_iter().find(|(name, _)| is_edge(edge, name))?;
        let beyond = (1.0 - percent / 100.0) * edge.latency.count as f64;
        (beyond < FEW_BEYOND && edge.latency.overflow == 0)
            .then(|| Counted { percent, counts: edge.latency.histogram.clone() })
    };
    paths.iter().map(|path| one(path).filter(|_| number < MOST_TOGETHER)).collect()
}

/// Whether this path leads to that edge, quoted or not.
fn is_edge(path: &str, name: &str) -> bool {
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    path == format!("edges[\"{quoted}\"]") || path == format!("edges.{name}")
}

const PERCENTILES: [(&str, f64); 6] =
    [("p50", 50.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0), ("p999", 99.9), ("p9999", 99.99)];

/// What one run counted of a percentile.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    percent: f64,
    counts: Vec<(u64, u64)>,
}

/// What a percentile comes to over these runs: by all of them together where each has little to say, else what each has measured.
pub fn together(measured: &[Measured], counted: &[Option<&Counted>]) -> Vec<Measured> {
    match all_of(counted) {
        Some(pooled) => pooled.per_run.into_iter().map(Measured::Number).collect(),
        None => measured.to_vec(),
    }
}

/// The same as one number with its interval: of all runs together their percentile, which is not the middle of it.
pub fn estimate(measured: &[Measured], counted: &[Option<&Counted>]) -> Estimate {
    match all_of(counted) {
        Some(pooled) => {
            Estimate { n: measured.len() as u64, ..Estimate::within(pooled.point, pooled.interval) }
        }
        None => Estimate::of(measured),
    }
}

/// All runs together, if each has little to say.
fn all_of(counted: &[Option<&Counted>]) -> Option<Pooled> {
    let all: Vec<&Counted> = counted.iter().copied().collect::<Option<_>>()?;
    let runs: Vec<&[(u64, u64)]> = all.iter().map(|one| one.counts.as_slice()).collect();
    let percent = all.first().filter(|_| all.len() as u64 <= MOST_TOGETHER)?.percent;
    pooled(percent, &runs, CONFIDENCE)
}
