//! Metrics over many seeds, as `compare` and `sweep` show them: heads, units, means with their intervals.

use crate::result::estimate::Estimate;
use crate::text::Style;
use crate::text::number::{LONGER, NOTHING, count, of, plus_minus};
use crate::text::table::csv_number;
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::{Meaning, Unit};

/// A metric.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Column {
    /// Its path.
    pub path: String,
    /// What it counts: `duration` (ns), `rate` (per second), `share`, `plain`.
    #[serde(serialize_with = "crate::text::unit::as_word")]
    #[schemars(with = "String")]
    pub unit: Unit,
    /// Whether less is better, if that can be known.
    pub less_is_better: Option<bool>,
}

impl Column {
    /// The metric at a path: what it means is what a run said of it, or else what its path tells.
    pub fn of(path: &str, meaning: Option<Meaning>) -> Self {
        let less_is_better = meaning.unwrap_or_else(|| Meaning::at(path)).less_is_better();
        let unit = meaning.map_or(Unit::Plain, |meaning| meaning.unit);
        Column { path: path.into(), unit, less_is_better }
    }
}

/// The heads of the columns: what tells the paths apart, unless that would be the same for two.
pub fn heads(metrics: &[Column]) -> Vec<String> {
    let last = |column: &Column| {
        let path = column.path.strip_prefix("values").map_or(column.path.as_str(), |path| {
            path.strip_suffix(".value").unwrap_or(path).trim_start_matches('.')
        });
        let name = path.strip_prefix("[\"").and_then(|path| path.strip_suffix("\"]"));
        name.unwrap_or_else(|| path.rsplit('.').next().unwrap_or(path)).replace('_', " ")
    };
    let lasts: Vec<String> = metrics.iter().map(last).collect();
    let twice = |head: &String| lasts.iter().filter(|other| *other == head).count() > 1;
    let head =
        |(head, column): (&String, &Column)| if twice(head) { column.path.clone() } else { head.clone() };
    lasts.iter().zip(metrics).map(head).collect()
}

/// A number as a CSV has it: times in seconds.
pub fn in_csv(x: Option<f64>, unit: Unit) -> String {
    csv_number(x.map(|x| crate::text::unit::in_csv(x, unit)))
}

/// An estimate in words: `12.3 s ± 0.4 s`, `7 of 10`, `-`.
pub fn estimate(estimate: &Estimate, unit: Unit, style: Style) -> String {
    match estimate.longer {
        0 => {}
        all if all == estimate.n => return LONGER.into(),
        some => return format!("{LONGER} on {} of {}", count(some), count(estimate.n)),
    }
    match (estimate.yes, estimate.mean, estimate.half_width) {
        (Some(yes), ..) => format!("{} of {}", count(yes), count(estimate.n)),
        (None, Some(mean), Some(half)) => plus_minus(mean, half, unit, style),
        (None, Some(mean), None) => of(mean, unit),
        (None, None, _) => NOTHING.into(),
    }
}
