//! Single calls, followed.

use schemars::JsonSchema;
use serde::Serialize;
use sim_models::trace::Trace;

/// Version of the shape of [`Traces`] in JSON.
pub(crate) const FORMAT: u32 = 1;

/// Traces for programs. Times are nanoseconds of virtual time.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Traces<'a> {
    pub(crate) format: u32,
    pub(crate) experiment: &'a str,
    pub(crate) variant: Option<&'a str>,
    pub(crate) overrides: &'a [(String, String)],
    pub(crate) seed: u64,
    pub(crate) stopped: Option<&'a str>,
    pub(crate) traces: &'a [Trace],
}
