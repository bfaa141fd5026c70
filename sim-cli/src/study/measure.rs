//! Metrics of one report by their paths.

use crate::error::{Error, Result};
use crate::result::estimate::Measured;
use sim_models::report::{Leaf, Meaning, Metric, MetricError, Report};

/// These metrics of one report, and what they mean; an unknown one is a mistake on the command line.
pub fn measure(report: &Report, paths: &[String]) -> Result<Vec<(Measured, Meaning)>> {
    let leaves = report.leaves();
    paths.iter().map(|path| Ok(measured(leaves.leaf(path).map_err(unknown)?))).collect()
}

/// As [`measure`], of metrics that nobody asked for: which of them this report does not have is told instead.
pub fn measure_usual(report: &Report, paths: &[String]) -> (Vec<(Measured, Meaning)>, Vec<bool>) {
    let leaves = report.leaves();
    let of = |path: &String| match leaves.get(path) {
        Some(leaf) => (measured(leaf), true),
        None => ((Measured::Absent, Meaning::at(path)), false),
    };
    paths.iter().map(of).unzip()
}

fn measured(leaf: &Leaf) -> (Measured, Meaning) {
    let measured = match leaf.metric {
        Metric::Truth(truth) => Measured::Truth(truth),
        Metric::Number(number, _) => Measured::Number(number),
        Metric::Absent => Measured::Absent,
    };
    (measured, leaf.meaning)
}

fn unknown(error: MetricError) -> Error {
    let help = match error.nearest.as_slice() {
        [] => "  `brownout list metrics EXPERIMENT` names them".into(),
        nearest => format!("  the nearest are: {}", nearest.join(", ")),
    };
    Error::Usage { message: error.message, help }
}
