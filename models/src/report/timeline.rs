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
    /// Where each of several stood, if that is told: a lane for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
}

/// Where somebody stood over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lane {
    /// `node 2`.
    pub name: String,
    /// One after another, without gaps.
    pub stretches: Vec<Standing>,
}

/// Where somebody stood for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// From when, in nanoseconds.
    pub from: u64,
    /// Until when.
    pub to: u64,
    /// `leader`, `follower`, `candidate`, `down` ..
    pub role: String,
    /// In which term.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub term: u64,
    /// Whether it decides there what others must follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leads: bool,
    /// What keeps it from the others meanwhile: `paused`, `cut off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

fn is_none_yet(term: &u64) -> bool {
    *term == 0
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
