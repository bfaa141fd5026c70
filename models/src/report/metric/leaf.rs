//! One metric: what is there, and what it means.

use crate::report::meaning::Meaning;
use crate::report::path::written;
use crate::report::unit::Unit;

/// A number or a truth that a report states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// True or false.
    Truth(bool),
    /// A number and what it counts.
    Number(f64, Unit),
    /// The report knows this path but has nothing there: no call ended, never recovered.
    Absent,
}

/// One metric of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf<'a> {
    /// The names of its path.
    pub(super) names: Vec<&'a str>,
    /// What is there.
    pub metric: Metric,
    /// What it means.
    pub meaning: Meaning,
}

impl Leaf<'_> {
    /// The path that leads to it.
    pub fn path(&self) -> String {
        written(&self.names)
    }
}
