//! What `check` found.

use crate::result::judged::Judged;
use crate::result::moved::Moved;
use crate::text::clean;
use schemars::JsonSchema;
use serde::Serialize;

/// Version of the shape of a [`Document`].
pub const FORMAT: u32 = 1;

/// All experiments that were checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Document {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// In the order in which they were checked.
    pub experiments: Vec<Checked>,
}

/// One experiment and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Checked {
    /// Its name.
    pub experiment: String,
    /// Its file, if it has one.
    pub file: Option<String>,
    /// Whether all is well.
    pub good: bool,
    /// The exit code that it amounts to.
    pub exit: u8,
    /// What is expected of it.
    pub expectations: Vec<Judged>,
    /// What is wrong with the experiment: metrics that it expects something of and does not have.
    pub problems: Vec<Problem>,
    /// Why runs are partial.
    pub stopped: Vec<String>,
    /// What comparing with its snapshot came to, in words; absent if there is none.
    pub snapshot: Option<String>,
    /// The lines in which it differs from its snapshot.
    pub difference: Option<String>,
    /// Which metrics moved, run by run, if the snapshot differs and remembers them.
    pub moved: Vec<Moved>,
    /// Why it cannot be said which metrics moved.
    pub note: Option<String>,
    /// The digest of the results of the base run.
    pub results: String,
    /// The commands that repeat what failed.
    pub again: Vec<String>,
}

/// A mistake in an experiment that only its run shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl Checked {
    /// Expectation as a title: `budgeted: p99 at most 300ms`.
    pub fn title(judged: &Judged) -> String {
        let variant =
            judged.variant.as_ref().map_or(String::new(), |variant| format!("{}: ", clean(variant)));
        variant + &clean(&judged.claim)
    }

    /// Whether the snapshot differs, or is not there.
    pub fn snapshot_failed(&self) -> bool {
        self.difference.is_some() || self.snapshot.as_ref().is_some_and(|words| words.contains("missing"))
    }
}
