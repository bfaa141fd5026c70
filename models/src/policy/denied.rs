//! Why a retry that the policy wanted was not made: one row for each mechanism that can deny it.

use super::told::{Counted, Told, Tone};

/// What denied a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The client's budget was spent.
    Budget,
}

impl Denied {
    /// All of them, in the order in which counts are written.
    pub const ALL: [Denied; 1] = [Denied::Budget];

    /// What is said of it.
    pub const fn told(self) -> Told {
        match self {
            Denied::Budget => {
                Told::new("budget_refused", "budget refused", "Retries that a budget refused.", Tone::Unsent)
                    .refused_by("a budget", "were not repeated for want of budget")
            }
        }
    }
}

impl Counted for Denied {
    type Counts = [u64; Denied::ALL.len()];
    const SCHEMA: (&'static str, &'static str) = ("DeniedCounts", "Retries that were wanted and not made.");

    fn counted() -> impl Iterator<Item = Self> {
        Denied::ALL.into_iter()
    }

    fn place(self) -> usize {
        self as usize
    }

    fn written(self) -> (&'static str, &'static str, bool) {
        let told = self.told();
        (told.key, told.about, told.from_the_first)
    }
}
