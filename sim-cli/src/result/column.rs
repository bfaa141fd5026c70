//! Metrics over many seeds, as `compare` and `sweep` show them: heads, units, means with their intervals.

use crate::result::change::ROUNDING;
use crate::result::estimate::Estimate;
use crate::text::Style;
use crate::text::number::{LONGER, NOTHING, count, of, plus_minus, roughly};
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
    /// Whether its last name alone is its name: that of a response time of the first users.
    #[serde(skip)]
    pub short: bool,
}

impl Column {
    /// The metric at a path: what it means is what a run said of it, or else what its path tells.
    pub fn of(path: &str, meaning: Option<Meaning>) -> Self {
        let less_is_better = meaning.unwrap_or_else(|| Meaning::at(path)).less_is_better();
        let unit = meaning.map_or(Unit::Plain, |meaning| meaning.unit);
        Column {
            path: path.into(),
            unit,
            less_is_better,
            short: meaning.is_some_and(|meaning| meaning.short),
        }
    }
}

/// The heads of the columns: their names, whole. A value of a model's own is called as it calls it, and what is found by one name
/// alone by that, unless two are called alike.
pub fn heads(metrics: &[Column]) -> Vec<String> {
    let name = |column: &Column| {
        let path = column.path.as_str();
        if let Some(value) = path.strip_prefix("values") {
            let value = value.strip_suffix(".value").unwrap_or(value).trim_start_matches('.');
            let quoted = value.strip_prefix("[\"").and_then(|value| value.strip_suffix("\"]"));
            return quoted.unwrap_or(value).replace('_', " ");
        }
        let (named, during) = path.split_at(path.rfind(" during ").unwrap_or(path.len()));
        match named.rsplit_once('.') {
            Some((_, last)) if column.short => format!("{last}{during}"),
            Some(_) => path.into(),
            None if named.contains('[') => path.into(),
            None => path.replace('_', " "),
        }
    };
    let names: Vec<String> = metrics.iter().map(name).collect();
    // Two of one name, or times of two edges.
    let edge = |path: &str| path.rsplit_once(".latency.").map(|(edge, _)| edge.to_string());
    let of_edges = |path: &str| {
        let own = edge(path);
        own.is_some() && metrics.iter().filter_map(|other| edge(&other.path)).any(|other| Some(other) != own)
    };
    let twice = |head: &String| names.iter().filter(|other| *other == head).count() > 1;
    let head = |(head, column): (&String, &Column)| {
        if twice(head) || of_edges(&column.path) { column.path.clone() } else { head.clone() }
    };
    names.iter().zip(metrics).map(head).collect()
}

/// A number as a CSV has it: times in seconds.
pub fn in_csv(x: Option<f64>, unit: Unit) -> String {
    csv_number(x.map(|x| crate::text::unit::in_csv(x, unit)))
}

/// Beside a response time of calls that ended well: how few those were, unless they were nearly all.
pub fn of_whom(answered: Option<f64>) -> String {
    let few = answered.filter(|share| *share < NEARLY_ALL);
    few.map_or(String::new(), |share| format!(" of {}", roughly(share)))
}

/// What [`of_whom`] means, where it says anything of these.
pub fn whom<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> Option<&'static str> {
    let few = |one: &Estimate| one.answered.is_some_and(|share| share < NEARLY_ALL);
    estimates.into_iter().any(few).then_some("a time \"of 14 %\" is of the 14 % that ended well")
}

/// From this share on a response time of those that ended well is one of nearly all.
pub const NEARLY_ALL: f64 = 0.99;

/// What `~` before a number means, where it stands before one of these.
pub fn unsettled<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> Option<&'static str> {
    let any = estimates.into_iter().any(is_unsettled);
    any.then_some(
        "\"~\" is of seeds too few and too different to say how sure it is: --replications 10 tells",
    )
}

/// Whether what two or three seeds came to has an interval wider than the number itself. Nothing can be done with that.
fn is_unsettled(estimate: &Estimate) -> bool {
    let wide = estimate.mean.zip(estimate.half_width).is_some_and(|(mean, half)| half > mean.abs());
    (2..=3).contains(&estimate.n) && wide && estimate.yes.is_none() && estimate.interval.is_none()
}

/// An estimate in words: `12.3 s ± 0.4 s`, `7 of 10`, `~52 %`, `-`.
pub fn estimate(estimate: &Estimate, unit: Unit, style: Style) -> String {
    match estimate.longer {
        0 => {}
        all if all == estimate.n => return LONGER.into(),
        some => return format!("{LONGER} on {} of {}", count(some), count(estimate.n)),
    }
    if let (Some(number), Some((low, high))) = (estimate.mean, estimate.interval) {
        let [low, high] = [low, high].map(|end| of(end, unit));
        let interval = match low == high {
            true => plus_minus(number, 0.0, unit, style),
            false => format!("{} ({low} to {high})", of(number, unit)),
        };
        return interval + &of_whom(estimate.answered);
    }
    match (estimate.yes, estimate.mean, estimate.half_width) {
        (Some(yes), ..) => format!("{} of {}", count(yes), count(estimate.n)),
        (None, Some(mean), Some(_)) if is_unsettled(estimate) => {
            format!("~{}{}", of(mean, unit), of_whom(estimate.answered))
        }
        (None, Some(mean), Some(half)) => {
            let half = if half <= ROUNDING * mean.abs() { 0.0 } else { half };
            plus_minus(mean, half, unit, style) + &of_whom(estimate.answered)
        }
        (None, Some(mean), None) => of(mean, unit) + &of_whom(estimate.answered),
        (None, None, _) => NOTHING.into(),
    }
}
