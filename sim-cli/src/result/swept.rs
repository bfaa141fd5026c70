//! A grid of settings and what was measured in it.

use crate::result::column::Column;
use crate::result::estimate::Estimate;
use crate::result::seeds::Seeds;
use crate::text::clean;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{Rate, SimDuration};

/// Version of the shape of a [`Swept`] in JSON.
pub const FORMAT: u32 = 1;

/// A grid and what was measured in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Swept {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every cell.
    pub set: Vec<(String, String)>,
    /// The seeds that every cell met.
    pub seeds: Seeds,
    /// Whether each cell has first seeds of its own, because an axis sets them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own_seeds: bool,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// The axes; the last one changes fastest.
    pub axes: Vec<Axis>,
    /// The metrics, in the order of the columns.
    pub metrics: Vec<Column>,
    /// Every cell, in the order of the axes.
    pub cells: Vec<Cell>,
}

/// One axis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// What is set.
    pub path: String,
    /// To which values.
    pub values: Vec<String>,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Cell {
    /// The value of each axis.
    pub at: Vec<String>,
    /// Each metric over the seeds.
    pub metrics: Vec<Estimate>,
    /// What theory gives for each metric, if it does.
    pub exact: Vec<Option<f64>>,
    /// For each metric whether theory is only approximate; left out where none is.
    #[serde(skip_serializing_if = "none")]
    pub approximate: Vec<bool>,
    /// How many of its runs are not there.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing: usize,
    /// How many of its runs a limit cut short.
    #[serde(skip_serializing_if = "is_zero")]
    pub cut_short: usize,
}

fn none(all: &[bool]) -> bool {
    !all.contains(&true)
}

impl Cell {
    /// Whether what theory gives for a metric is approximate.
    pub fn is_approximate(&self, column: usize) -> bool {
        self.approximate.get(column) == Some(&true)
    }
}

/// What the values that theory gives for a metric are called: `exact` if any of them is.
pub fn beside(swept: &Swept, column: usize) -> &'static str {
    let mut there = swept.cells.iter().filter(|cell| cell.exact[column].is_some());
    if there.all(|cell| cell.is_approximate(column)) { "approximate" } else { "exact" }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// The first metric that is a number and not the same everywhere, else the first that is a number; where none
/// is, how often the first truth was true.
pub fn shown(swept: &Swept) -> Option<usize> {
    let means = |column: usize, truths: bool| -> Vec<f64> {
        let metrics = swept.cells.iter().map(|cell| &cell.metrics[column]);
        let numbers = metrics.filter(|metric| truths || metric.yes.is_none());
        numbers.filter_map(|metric| metric.mean).collect()
    };
    let among = |truths: bool| {
        let numeric: Vec<usize> =
            (0..swept.metrics.len()).filter(|&column| means(column, truths).len() > 1).collect();
        let varies = |&&column: &&usize| means(column, truths).windows(2).any(|pair| pair[0] != pair[1]);
        numeric.iter().find(varies).or(numeric.first()).copied()
    };
    among(false).or_else(|| among(true))
}

/// A value without quotes, and without the constructor around it if it is all that is in there.
pub fn label(value: &str) -> String {
    let value = value.trim();
    let inner = value.strip_suffix(')').and_then(|value| value.split_once('(')).map(|(_, inner)| inner);
    let inner = inner.filter(|inner| !inner.contains([',', '(', ':']) && !inner.is_empty());
    clean(inner.unwrap_or(value).trim_matches('"'))
}

/// Where a value stands on an axis: a number, seconds, or per second.
pub fn number_in(value: &str) -> Option<f64> {
    let text = label(value);
    let duration = || text.parse::<SimDuration>().ok().map(SimDuration::as_secs_f64);
    let rate = || text.parse::<Rate>().ok().map(Rate::get);
    text.parse().ok().filter(|x: &f64| x.is_finite()).or_else(duration).or_else(rate)
}
