//! What random schedules of a cluster came to.

use schemars::JsonSchema;
use serde::Serialize;
use sim_models::trace::Sequence;

/// The version of this shape.
pub const FORMAT: u32 = 1;

/// What was looked at, and what was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explored {
    /// Version of this shape.
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// The first seed.
    pub first: u64,
    /// How many schedules were looked at: all up to the first that broke something.
    pub seeds: u64,
    /// How many events came about in them.
    pub events: u64,
    /// What should come about now and then, and how often it did.
    pub reached: Vec<(String, u64)>,
    /// What should, and did not: of that this search says nothing.
    pub not_reached: Vec<String>,
    /// The first schedule that broke something; absent if none did.
    pub found: Option<Found>,
}

/// A schedule that broke something, made as short as it can be.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Found {
    /// Its seed.
    pub seed: u64,
    /// The invariant.
    pub broken: String,
    /// How, in a sentence.
    pub how: String,
    /// When in the shortest scenario, in nanoseconds.
    pub at: u64,
    /// How many shorter ones were tried.
    pub tried: u64,
    /// Whether nothing shorter was left to try.
    pub whole: bool,
    /// The shortest scenario, as an experiment.
    pub experiment: String,
    /// What was said last in it.
    pub sequence: Sequence,
}
