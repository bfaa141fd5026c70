//! Metrics of one report by their paths.

use crate::error::{Error, Result};
use crate::result::estimate::Measured;
use sim_models::report::{Metric, MetricError, Report, Unit, unit_of};

/// These metrics of one report, and what they count; an unknown one is a mistake on the command line.
pub fn measure(report: &Report, paths: &[String]) -> Result<Vec<(Measured, Unit)>> {
    let leaves = report.leaves();
    paths.iter().map(|path| Ok(measured(leaves.metric(path).map_err(unknown)?, path))).collect()
}

/// As [`measure`], of metrics that nobody asked for: which of them this report does not have is told instead.
pub fn measure_usual(report: &Report, paths: &[String]) -> (Vec<(Measured, Unit)>, Vec<bool>) {
    let leaves = report.leaves();
    let of = |path: &String| match leaves.get(path) {
        Some(metric) => (measured(metric, path), true),
        None => ((Measured::Absent, unit_of(path)), false),
    };
    paths.iter().map(of).unzip()
}

fn measured(metric: Metric, path: &str) -> (Measured, Unit) {
    match metric {
        Metric::Truth(truth) => (Measured::Truth(truth), Unit::Plain),
        Metric::Number(number, unit) => (Measured::Number(number), unit),
        Metric::Absent => (Measured::Absent, unit_of(path)),
    }
}

fn unknown(error: MetricError) -> Error {
    let help = match error.nearest.as_slice() {
        [] => "  `brownout list metrics EXPERIMENT` names them".into(),
        nearest => format!("  the nearest are: {}", nearest.join(", ")),
    };
    Error::Usage { message: error.message, help }
}
