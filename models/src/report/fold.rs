//! How a number of a section follows from its windows: for a part of a run, and for the whole of one where nobody counted it
//! apart.

use super::count::part;
use super::timeline::Series;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How the numbers of windows come to one, by the names of series of the same section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// Their sum: of counts.
    Sum(String),
    /// Their mean over time: of rates, shares of time, and what is there at a moment.
    Mean(String),
    /// The largest.
    Max(String),
    /// The sum of the first over the sum of the second; absent if that is 0.
    Ratio(String, String),
    /// By how much the first is above the second, and 0 where it is not: the mean over time.
    Above(String, String),
}

/// Windows of a run, by their numbers.
pub(super) struct Windows<'a> {
    pub(super) which: Range<usize>,
    /// How long each is; the last may be shorter than the others.
    pub(super) length: &'a dyn Fn(usize) -> f64,
}

impl Fold {
    /// What a value comes to over these windows of these series; absent where there is nothing to fold.
    pub(super) fn over(&self, all: &[Series], windows: &Windows) -> Option<f64> {
        let drawn = |name: &str| {
            let series = all.iter().find(|series| series.name == name);
            let values = series.map_or(&[][..], |series| part(&series.values, &windows.which));
            (windows.which.start..).zip(values.iter().copied())
        };
        let of = |name: &str| drawn(name).filter(|(_, x)| x.is_finite());
        let sum = |name: &str| of(name).map(|(_, x)| x).reduce(|sum, x| sum + x);
        let mean = |values: &mut dyn Iterator<Item = (usize, f64)>| {
            let (mut area, mut all) = (0.0, 0.0);
            for (window, x) in values {
                let length = (windows.length)(window);
                (area, all) = (area + x * length, all + length);
            }
            (all > 0.0).then(|| area / all)
        };
        match self {
            Fold::Sum(series) => sum(series),
            Fold::Max(series) => of(series).map(|(_, x)| x).reduce(f64::max),
            Fold::Mean(series) => mean(&mut of(series)),
            Fold::Above(one, other) => {
                let both =
                    drawn(one).zip(drawn(other)).map(|((window, one), (_, other))| (window, one - other));
                mean(&mut both.filter(|(_, x)| x.is_finite()).map(|(window, x)| (window, x.max(0.0))))
            }
            Fold::Ratio(part, whole) => {
                let (part, whole) = (sum(part)?, sum(whole)?);
                (whole != 0.0).then(|| part / whole)
            }
        }
    }
}
