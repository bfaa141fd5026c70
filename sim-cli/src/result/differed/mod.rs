//! Where two runs differ.

pub(crate) mod event;

use crate::result::moved::Reading;
use schemars::JsonSchema;
use serde::Serialize;

/// Version of the shape of a [`Document`].
pub const FORMAT: u32 = 1;

/// Where two runs differ, for programs. Times are nanoseconds.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    pub(crate) a: DocumentSide,
    pub(crate) b: DocumentSide,
    /// Whether they are the same in every event and every number.
    pub(crate) same: bool,
    /// The parts of the digest that differ: input, trajectory, randomness, results.
    pub(crate) parts: Vec<&'static str>,
    /// Every metric that differs, the largest relative change first.
    pub(crate) numbers: Vec<DocumentNumber>,
    /// Where the events part, if they do.
    pub(crate) event: Option<event::Document>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentSide {
    /// Which run, in words.
    pub(crate) run: String,
    pub(crate) digest: DocumentDigest,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentDigest {
    /// Input.
    pub(crate) i: String,
    /// Trajectory.
    pub(crate) t: String,
    /// Randomness.
    pub(crate) r: String,
    /// Results.
    pub(crate) s: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentNumber {
    /// Its path.
    pub(crate) metric: String,
    pub(crate) a: Reading,
    pub(crate) b: Reading,
    /// The change over the larger of the two; 1 where only one side has it.
    pub(crate) change: f64,
}
