//! The response times of one edge.

use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::{Latency, Response};

/// Version of the shape of a [`Distribution`] in JSON.
pub const FORMAT: u32 = 1;

/// The distribution of one edge, for programs. Times are nanoseconds.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Distribution<'a> {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: &'a str,
    /// The variant; none is the base.
    pub variant: Option<&'a str>,
    /// The seed.
    pub seed: u64,
    /// The edge.
    pub edge: &'a str,
    /// The part of the run that it covers, if not all of it.
    pub during: Option<&'a str>,
    /// Why it covers only a part of what was asked for; not there if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<&'a str>,
    /// Response times of calls that ended well.
    pub latency: &'a Latency,
    /// Response times of all calls.
    pub response: &'a Response,
}

/// Several distributions, for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Overlaid<'a> {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Variants, saved runs and parts of them, in the order in which they were asked for.
    pub curves: Vec<Distribution<'a>>,
}
