//! The picture of a run: lines over time, and what disturbed it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to draw over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// The lines, most telling first; empty for models without time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Series>,
    /// What disturbed the run, by its schedule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<Disturbance>,
}

/// One line over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// `offered`, `attempts`, `goodput`, `queue payments` ..
    pub name: String,
    /// `/s`, `share`, or empty for a plain number.
    pub unit: String,
    /// What it is, if that is not told elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// One value per window of `run.window`.
    pub values: Vec<f64>,
    /// The most it can be, if there is such a bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<f64>,
}

/// Something that was done to the system from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disturbance {
    /// `slow`, `crash`, `spike` ..
    pub what: String,
    /// The service, edge or workload it was done to.
    pub on: String,
    /// When it began, in nanoseconds.
    pub from: u64,
    /// When it ended, in nanoseconds; absent if it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}
