//! Tables of a model's own, with words beside numbers.

#[cfg(doc)]
use super::section::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table of a model's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// Column heads.
    pub columns: Vec<String>,
    /// Rows, as wide as the heads.
    pub rows: Vec<Vec<Cell>>,
    /// What the numbers of each column count, as in [`Value::unit`]; empty if plain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// What to read in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Cell {
    /// A whole number.
    Count(u64),
    /// Any other number.
    Number(f64),
    /// Words.
    Text(String),
    /// Nothing to say.
    Empty(()),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Cell::Count(count)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Cell::Number(number)
    }
}
