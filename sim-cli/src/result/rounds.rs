//! What was spared because it was decided before all seeds were run.

use crate::text::clean;
use schemars::JsonSchema;
use serde::Serialize;

/// Seeds that were taken in rounds, until a question was decided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Rounds {
    /// So many seeds there would have been at most.
    pub most: u32,
    /// After how many it was decided, to stand on one more; null if it was not before all of them were run.
    pub decided_after: Option<u32>,
    /// How sure of a decision one had to be there: 0.95, less what looking several times costs.
    pub confidence: Option<f64>,
    /// What was to be decided.
    pub by: Vec<String>,
    /// Runs that were not needed; of a search, about so many.
    pub spared: u64,
}

impl Rounds {
    /// What was decided and spared, for a legend; nothing if all seeds were run.
    pub fn words(&self) -> Option<String> {
        let after = self.decided_after?;
        let by = clean(&self.by.join(", "));
        let runs = if self.spared == 1 { "1 run was".into() } else { format!("{} runs were", self.spared) };
        let most = self.most;
        Some(format!(
            "{by} decided after {after} of {most} seeds and on one more: {runs} spared (--replications {most})"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spared_is_said() {
        let mut rounds = Rounds {
            most: 10,
            decided_after: Some(3),
            confidence: Some(0.9997),
            by: vec!["goodput".into()],
            spared: 60,
        };
        let words =
            "goodput decided after 3 of 10 seeds and on one more: 60 runs were spared (--replications 10)";
        assert_eq!(rounds.words().as_deref(), Some(words));
        rounds.decided_after = None;
        assert_eq!(rounds.words(), None);
    }
}
