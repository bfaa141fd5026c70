//! Metrics are paths into a report (placeholder).
use super::Report;

/// A number or a truth that a report states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// True or false.
    Truth(bool),
    /// A number and what it counts.
    Number(f64, Unit),
    /// The report knows this path but has nothing there: no call ended, never recovered.
    Absent,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Duration,
    /// Per second.
    Rate,
    /// A share between 0 and 1.
    Share,
    /// Anything else.
    Plain,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricError {
    /// What is wrong with the path.
    pub message: String,
    /// The nearest paths that exist.
    pub nearest: Vec<String>,
}

/// The unit of the number at a path, by the name of its last part.
pub fn unit_of(_path: &str) -> Unit {
    Unit::Plain
}

impl Report {
    /// The metric at `path`.
    pub fn metric(&self, path: &str) -> Result<Metric, MetricError> {
        Err(MetricError { message: path.into(), nearest: Vec::new() })
    }

    /// Every path that leads to a metric.
    pub fn metric_paths(&self) -> Vec<String> {
        Vec::new()
    }
}
