//! The seeds that runs were made on.

use crate::text::clean;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What intervals cover: 95 of 100.
pub const CONFIDENCE: f64 = 0.95;

/// The seeds of each row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u32,
}

impl Seeds {
    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = u64> {
        (0..u64::from(self.count)).map(move |n| self.first.wrapping_add(n))
    }
}

pub(crate) fn settings(variant: Option<&str>, set: &[(String, String)]) -> Vec<String> {
    let variant = variant.iter().map(|variant| format!("variant {}", clean(variant))).collect::<Vec<_>>();
    let set = set.iter().map(|(path, value)| format!("{}={}", clean(path), clean(value)));
    variant.into_iter().chain(set).collect()
}

pub(crate) fn seeds_words(seeds: Seeds) -> String {
    match seeds.count {
        1 => format!("seed {}", seeds.first),
        count => format!("{count} seeds from {}", seeds.first),
    }
}
