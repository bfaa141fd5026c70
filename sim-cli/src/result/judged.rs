//! What was expected, and what became of it.

use schemars::JsonSchema;
use serde::Serialize;

/// One expectation and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Judged {
    /// The variant it speaks about; none is the base.
    pub variant: Option<String>,
    /// What is expected, in words: `time_to_recover at most 30s`.
    pub claim: String,
    /// What was measured, with its unit: `12.3 s`.
    pub measured: String,
    /// Whether it holds.
    pub holds: bool,
    /// Whether that cannot be said: the bound lies within the interval, or one run is not all its seeds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undecided: bool,
    /// Line of the file in which it stands, from 1.
    pub line: usize,
    /// Over how many seeds it was judged.
    pub seeds: u32,
    /// Of its seeds, the one that is farthest on the wrong side; absent if it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_seed: Option<u64>,
    /// Of several seeds, those on which it does not hold by itself; none where a share of the seeds is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed_seeds: Vec<u64>,
    /// The command that runs that seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
}

impl Judged {
    /// Whether it certainly does not hold.
    pub fn fails(&self) -> bool {
        !self.holds && !self.undecided
    }
}

/// The expectations about one run, or about all variants of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Judgement {
    /// In the order of the file.
    pub judged: Vec<Judged>,
    /// Why they are only shown and do not decide the exit code: "settings were changed with --set". None if
    /// they do.
    pub not_enforced: Option<String>,
}

impl Judgement {
    /// Whether an expectation that counts does not hold.
    pub fn failed(&self) -> bool {
        self.not_enforced.is_none() && self.judged.iter().any(Judged::fails)
    }
}
