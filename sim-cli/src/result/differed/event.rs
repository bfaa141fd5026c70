//! Where the events of two runs part.

use schemars::JsonSchema;
use serde::Serialize;

/// Where two runs part, for programs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Document {
    /// The first event that differs, and what is around it on both sides.
    At {
        /// Its number, from 0.
        first: u64,
        a: Vec<Line>,
        b: Vec<Line>,
    },
    /// Only so much is known.
    Between {
        /// The events between which it is; absent if after the last checkpoint.
        between: Option<(u64, u64)>,
        /// Why no more is known.
        why: String,
    },
}

/// One event.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Line {
    /// Number of the event, from 0.
    pub(crate) event: u64,
    /// When, in nanoseconds.
    pub(crate) time: u64,
    /// What happened.
    pub(crate) what: String,
    /// Where.
    pub(crate) entity: String,
    /// Key of the request, in hex.
    pub(crate) request: String,
    /// Attempt, from 1; 0 where there is none.
    pub(crate) attempt: u16,
    /// How it ended, if it did.
    pub(crate) outcome: String,
    /// One more number, which depends on what happened.
    pub(crate) detail: u64,
    /// What that number is, in words.
    pub(crate) note: String,
}
