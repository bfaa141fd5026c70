//! Metrics of one report by their paths.

use crate::error::{Error, Result};
use crate::result::estimate::Measured;
use sim_models::report::{Meaning, Metric, MetricError, Report};

/// These metrics of one report, and what they mean; an unknown one is a mistake on the command line.
pub fn measure(report: &Report, paths: &[String]) -> Result<Vec<(Measured, Meaning)>> {
    report.measured(paths).into_iter().map(|one| one.map(measured).map_err(unknown)).collect()
}

/// As [`measure`], of metrics that nobody asked for: which of them this report does not have is told instead.
pub fn measure_usual(report: &Report, paths: &[String]) -> (Vec<(Measured, Meaning)>, Vec<bool>) {
    let of = |(path, one): (&String, Result<_, _>)| match one {
        Ok(one) => (measured(one), true),
        Err(_) => ((Measured::Absent, Meaning::at(path)), false),
    };
    paths.iter().zip(report.measured(paths)).map(of).unzip()
}

fn measured((metric, meaning): (Metric, Meaning)) -> (Measured, Meaning) {
    let measured = match metric {
        Metric::Truth(truth) => Measured::Truth(truth),
        Metric::Number(number, _) => Measured::of(number),
        Metric::Absent => Measured::Absent,
    };
    (measured, meaning)
}

fn unknown(error: MetricError) -> Error {
    let help = match error.nearest.as_slice() {
        [] => "  `brownout list metrics EXPERIMENT` names them".into(),
        nearest => format!("  the nearest are: {}", nearest.join(", ")),
    };
    Error::Usage { message: error.message, help }
}
