//! Why parameters are refused, and the checks that several families share.

use std::fmt;

/// What is wrong with a parameter of a distribution, and what is allowed:
/// `"p99 must be above the median (4), not 3"`.
///
/// The parts are given too, so that a reader of files can point at the place and speak of the values in the
/// unit the user wrote them in.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionError {
    parameter: &'static str,
    index: Option<usize>,
    rule: &'static str,
    /// The other value that the rule speaks of.
    other: Option<f64>,
    found: String,
}

impl DistributionError {
    pub(super) fn new(parameter: &'static str, rule: &'static str, found: impl ToString) -> Self {
        DistributionError { parameter, index: None, rule, other: None, found: found.to_string() }
    }

    pub(super) fn at(self, index: usize) -> Self {
        DistributionError { index: Some(index), ..self }
    }

    pub(super) fn with(self, other: f64) -> Self {
        DistributionError { other: Some(other), ..self }
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

    /// What the parameter must be, without values: `"above the median"`.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parameter)?;
        if let Some(index) = self.index {
            write!(f, " [{index}]")?;
        }
        write!(f, " must be {}", self.rule)?;
        if let Some(other) = self.other {
            write!(f, " ({other})")?;
        }
        write!(f, ", not {}", self.found)
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

/// An upper end that must be above a lower one.
pub(super) fn high_above_low(low: f64, high: f64) -> Result<(), DistributionError> {
    if high > low { Ok(()) } else { Err(DistributionError::new("high", "above low", high).with(low)) }
}
