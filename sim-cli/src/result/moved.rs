//! The metrics of a run that are not as its snapshot remembers them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_models::report::{Metric, Report, Unit};

/// What a metric came to: as it stands in a report, times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reading {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(f64),
    /// Nothing to measure.
    Absent(()),
}

impl Reading {
    /// Of this report.
    pub fn of(report: &Report, path: &str) -> Self {
        report.metric(path).map_or(Reading::Absent(()), Reading::from)
    }

    /// As a metric that counts this.
    pub fn metric(self, unit: Unit) -> Metric {
        match self {
            Reading::Truth(truth) => Metric::Truth(truth),
            Reading::Number(number) => Metric::Number(number, unit),
            Reading::Absent(()) => Metric::Absent,
        }
    }
}

impl From<Metric> for Reading {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Truth(truth) => Reading::Truth(truth),
            Metric::Number(number, _) if number.is_finite() => Reading::Number(number),
            _ => Reading::Absent(()),
        }
    }
}

/// One run that is not what its snapshot remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Moved {
    /// The variant; none is the base.
    pub variant: Option<String>,
    /// Its seed.
    pub seed: u64,
    /// The metrics that differ: those that moved first, the largest change first.
    pub metrics: Vec<MovedMetric>,
    /// Which parts of the digest differ: input, trajectory, randomness, results.
    pub parts: Vec<&'static str>,
    /// Where the first different event is.
    pub first_difference: String,
    /// The events between which it is, if checkpoints tell.
    pub events: Option<(u64, u64)>,
}

/// One metric that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MovedMetric {
    /// Its path.
    pub metric: String,
    /// As the snapshot remembers it.
    pub before: Reading,
    /// As it is.
    pub now: Reading,
    /// The change over what it was; absent if that is no number or 0.
    pub change: Option<f64>,
    /// Mean over the seeds, and how far 99 of 100 further seeds lie from it; absent for what is no number.
    pub mean: Option<f64>,
    /// See `mean`.
    pub reach: Option<f64>,
    /// In how many seeds it is as before, for what is true or false, there or not.
    pub like_before: Option<u32>,
    /// How many seeds were run.
    pub seeds: u32,
    /// Whether luck does not explain it.
    pub moved: bool,
    /// What it counts.
    #[serde(skip)]
    pub unit: Unit,
}
