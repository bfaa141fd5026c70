//! Why parameters are refused, and the checks that several families share.

use std::fmt;

/// What is wrong with a parameter of a distribution, and what is allowed:
/// `"p99 must be above the median (4), not 3"`.
///
/// The parts are given too, so that a reader of files can point at the place and print the value as the user wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionError {
    parameter: &'static str,
    index: Option<usize>,
    rule: String,
    found: String,
}

impl DistributionError {
    pub(super) fn new(parameter: &'static str, rule: impl Into<String>, found: impl ToString) -> Self {
        DistributionError { parameter, index: None, rule: rule.into(), found: found.to_string() }
    }

    pub(super) fn at(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }

    /// The parameter's name, as in the constructor.
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// Which point, branch or part of a list it is in, counted from 0; `None` outside a list or if it is
    /// about the whole of it.
    pub fn index(&self) -> Option<usize> {
        self.index
    }

    /// What the parameter must be: `"finite and above 0"`.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parameter)?;
        if let Some(index) = self.index {
            write!(f, " [{index}]")?;
        }
        write!(f, " must be {}, not {}", self.rule, self.found)
    }
}

impl std::error::Error for DistributionError {}

const LEAST_LENGTH: f64 = 1e-100;
const GREATEST_LENGTH: f64 = 1e100;

/// A length that may be 0.
pub(super) fn not_negative(parameter: &'static str, value: f64) -> Result<f64, DistributionError> {
    if !value.is_finite() || value < 0.0 {
        return Err(DistributionError::new(parameter, "finite and at least 0", value));
    }
    if value > GREATEST_LENGTH {
        return Err(DistributionError::new(parameter, "at most 1e100", value));
    }
    Ok(value + 0.0) // -0 becomes 0
}

/// A length that may not be 0.
pub(super) fn positive(parameter: &'static str, value: f64) -> Result<f64, DistributionError> {
    if !value.is_finite() || value <= 0.0 {
        return Err(DistributionError::new(parameter, "finite and above 0", value));
    }
    if !(LEAST_LENGTH..=GREATEST_LENGTH).contains(&value) {
        return Err(DistributionError::new(parameter, "between 1e-100 and 1e100", value));
    }
    Ok(value)
}

/// The exponent of a power law or a gamma.
pub(super) fn shape(value: f64) -> Result<f64, DistributionError> {
    if (0.05..=1e6).contains(&value) {
        Ok(value)
    } else {
        Err(DistributionError::new("shape", "between 0.05 and 1e6", value))
    }
}

/// A limit that must be above another.
pub(super) fn above(
    parameter: &'static str,
    value: f64,
    other: &str,
    limit: f64,
) -> Result<f64, DistributionError> {
    if value > limit {
        Ok(value)
    } else {
        Err(DistributionError::new(parameter, format!("above {other} ({limit})"), value))
    }
}
