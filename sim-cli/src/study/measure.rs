//! Metrics of one report by their paths.

use crate::error::{Error, Result};
use crate::result::estimate::Measured;
use sim_models::report::{Metric, MetricError, Report, Unit};

/// These metrics of one report, and what they count; an unknown one is a mistake on the command line.
pub fn measure(report: &Report, paths: &[String]) -> Result<Vec<(Measured, Unit)>> {
    let of = |path: &String| match report.metric(path) {
        Ok(Metric::Truth(truth)) => Ok((Measured::Truth(truth), Unit::Plain)),
        Ok(Metric::Number(number, unit)) => Ok((Measured::Number(number), unit)),
        Ok(Metric::Absent) => Ok((Measured::Absent, sim_models::report::unit_of(path))),
        Err(error) => Err(unknown(error)),
    };
    paths.iter().map(of).collect()
}

/// As [`measure`], of metrics that nobody asked for: which of them this report does not have is told instead.
pub fn measure_usual(report: &Report, paths: &[String]) -> (Vec<(Measured, Unit)>, Vec<bool>) {
    let of = |path: &String| match measure(report, std::slice::from_ref(path)) {
        Ok(measured) => (measured[0], true),
        Err(_) => ((Measured::Absent, sim_models::report::unit_of(path)), false),
    };
    paths.iter().map(of).unzip()
}

fn unknown(error: MetricError) -> Error {
    let help = match error.nearest.as_slice() {
        [] => "  `brownout list metrics EXPERIMENT` names them".into(),
        nearest => format!("  the nearest are: {}", nearest.join(", ")),
    };
    Error::Usage { message: error.message, help }
}
