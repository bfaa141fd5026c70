//! Numbers that say themselves what they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number, and what it should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// What it is.
    pub about: String,
    /// Measured.
    pub value: f64,
    /// What it counts: `ns`, `/s`, `share`, or nothing in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What theory gives, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<f64>,
    /// The standard error of `value`, where draws are independent and it can be known from one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// Where `exact` comes from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}
