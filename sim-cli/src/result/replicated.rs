//! One experiment over many seeds, and theory beside it.

use crate::result::column::Column;
use crate::result::estimate::{Estimate, Measured, exact_over};
use crate::result::precision::Precision;
use crate::result::seeds::Seeds;
use schemars::JsonSchema;
use serde::Serialize;
use sim_core::stats::Sample;
use sim_models::report::Unit;

/// Version of the shape of a [`Replicated`] in JSON.
pub const FORMAT: u32 = 1;

/// What [`Replicated::document`] says.
pub const DOCUMENT: &str = "replications";

/// How sure a disagreement with theory is, all values of one page together.
pub const SURE: f64 = 0.99;

/// Percentiles are told to this share of themselves: the width of a histogram's buckets.
const RESOLUTION: f64 = 0.001;

/// A share below this that no run has seen cannot be judged, nor one that is so little short of everything: seeds without
/// one such event have no spread to tell by.
const RARE: f64 = 0.001;

/// Times are counted in steps of a microsecond, in nanoseconds.
const FINEST: f64 = 1_000.0;

/// Rounding of what is computed in floats.
const ROUNDING: f64 = 1e-9;

/// The runs of one experiment on several seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Replicated {
    /// What this is: [`DOCUMENT`].
    pub document: &'static str,
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside.
    pub set: Vec<(String, String)>,
    /// The seeds.
    pub seeds: Seeds,
    /// What is wrong with the result as a whole.
    pub incomplete: Vec<String>,
    /// How well everything was to be known, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// What it comes to on all seeds, in words.
    pub verdict: String,
    /// The metrics.
    pub metrics: Vec<Column>,
    /// Each metric over the seeds.
    pub estimates: Vec<Estimate>,
    /// Each metric on each seed, in the order of the seeds.
    pub values: Vec<Vec<Measured>>,
    /// What theory says beside what was measured.
    pub theory: Vec<Theory>,
}

/// A measured value and its closed form.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Theory {
    /// The value.
    #[serde(flatten)]
    pub column: Column,
    /// Measured, over the seeds.
    pub measured: Estimate,
    /// What theory gives; where that knows the seed, on average.
    pub exact: f64,
    /// Half the width of the interval that agreement is judged by; absent for fewer than two seeds, and for a share
    /// that is too rare to have been seen.
    pub allowed: Option<f64>,
    /// Whether the exact value is within `allowed` of the mean; absent where the closed form is approximate or
    /// there is no interval: of one seed, or of what was 0 on all of them.
    pub agrees: Option<bool>,
    /// Where the exact value comes from.
    pub source: String,
}

impl Theory {
    /// One of `of` values that are judged together: each interval is wider for it (Bonferroni), so that one page
    /// in a hundred cries wolf and not one value. A percentile may also be off by its resolution. What happened on
    /// no seed has no spread to judge by: a share of one in a million is not refuted by a thousand calls.
    ///
    /// Of each seed what was measured and what theory gives, which is judged seed by seed.
    pub fn new(column: Column, pairs: &[(f64, f64)], source: &str, of: usize) -> Self {
        let (numbers, exacts): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let off: Vec<f64> = pairs.iter().map(|(measured, exact)| measured - exact).collect();
        let sample = Sample::of(&off);
        let exact = exact_over(&exacts).unwrap_or(0.0);
        let each = 1.0 - (1.0 - SURE) / of.max(1) as f64;
        let name = column
            .path
            .rsplit(['.', '_', '"'])
            .find(|part| !part.is_empty() && *part != "value" && *part != "]");
        let percentile = name.is_some_and(|name| {
            name.strip_prefix('p')
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let resolution = exact.abs() * if percentile { RESOLUTION } else { ROUNDING };
        // Of what is rarer than the runs could show, or shorter than they measure, nothing was seen: none at all, or not
        // one that was otherwise.
        let seen = |all: f64, least: f64| {
            numbers.iter().any(|x| *x != all) || exact == all || (exact - all).abs() >= least
        };
        let unseen = match column.unit {
            Unit::Share => !seen(0.0, RARE) || !seen(1.0, RARE),
            Unit::Duration => !seen(0.0, FINEST),
            // Attempts of a call.
            Unit::Plain => !seen(1.0, RARE),
            Unit::Rate | Unit::Bytes => false,
        };
        let allowed = sample.half_width(each).filter(|_| !unseen).map(|half| half.max(resolution));
        let approximate = source.contains("approximate");
        Theory {
            measured: Estimate::of(
                &numbers.iter().map(|&number| Measured::Number(number)).collect::<Vec<_>>(),
            ),
            exact,
            agrees: allowed.filter(|_| !approximate).map(|allowed| sample.mean.abs() <= allowed),
            allowed,
            source: source.into(),
            column,
        }
    }
}
