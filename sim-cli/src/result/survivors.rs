//! Of whom a response time is that a search decides by: of the calls that ended well, which may be few.

use crate::result::column::NEARLY_ALL;
use crate::text::clean;
use crate::text::number::roughly;
use schemars::JsonSchema;
use serde::Serialize;

/// The run of a search in which the fewest calls ended well, of a response time of those that did.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fewest {
    /// The metric.
    pub metric: String,
    /// How many of the calls that ended did so well.
    pub share: f64,
    /// The value of each knob.
    pub at: Vec<f64>,
    /// The seed.
    pub seed: u64,
}

impl Fewest {
    /// What to know of it, where those were not nearly all; `at` is where, in words.
    pub(crate) fn told(&self, at: &str) -> Option<String> {
        let metric = clean(&self.metric);
        let of_all = match metric.rsplit_once(".latency.") {
            Some((edge, which)) => format!("{edge}.response.{which}"),
            None => format!("response.{metric}"),
        };
        (self.share < NEARLY_ALL).then(|| {
            format!(
                "{metric} is of the calls that ended well, which are {} of all at {at} on seed {}: {of_all} is of all calls",
                roughly(self.share),
                self.seed
            )
        })
    }
}
