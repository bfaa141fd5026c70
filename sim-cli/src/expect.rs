//! What the author of an experiment expects, held against what was measured.

use serde::Serialize;

/// One expectation and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The variant it speaks about; none is the base.
    pub variant: Option<String>,
    /// What is expected, in words: `time_to_recover at most 30s`.
    pub claim: String,
    /// What was measured, with its unit: `12.3 s`.
    pub measured: String,
    /// Whether it holds.
    pub holds: bool,
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
        self.not_enforced.is_none() && self.judged.iter().any(|judged| !judged.holds)
    }
}
