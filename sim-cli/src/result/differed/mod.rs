//! Where two runs differ.

pub mod event;
pub mod parts;

use crate::result::moved::Reading;
use event::Parting;
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::{DigestParts, Leaf, Leaves, Metric, Report};

/// Version of the shape of a [`Document`].
pub const FORMAT: u32 = 1;

/// One of two runs: which, in words, and its digest.
pub struct Run {
    /// Which.
    pub name: String,
    /// Its digest.
    pub digest: DigestParts,
}

/// Two runs, and what differs between them.
pub struct Differed {
    /// The first.
    pub a: Run,
    /// The second.
    pub b: Run,
    /// The parts of the digest that differ.
    pub parts: Vec<&'static str>,
    /// The numbers that differ, the largest change first.
    pub numbers: Vec<Difference>,
    /// Where the events part, if they do.
    pub parting: Option<Parting>,
}

impl Differed {
    /// Whether they are the same in every event and every number.
    pub fn same(&self) -> bool {
        self.parts.is_empty() && self.numbers.is_empty()
    }

    /// For programs.
    pub(crate) fn document(&self) -> Document {
        let value = |metric: Metric| match metric {
            Metric::Truth(truth) => Reading::Truth(truth),
            Metric::Number(number, _) if number.is_finite() => Reading::Number(number),
            _ => Reading::Absent(()),
        };
        let side = |run: &Run| {
            let DigestParts { i, t, r, s, .. } = run.digest.clone();
            DocumentSide { run: run.name.clone(), digest: DocumentDigest { i, t, r, s } }
        };
        let number = |difference: &Difference| DocumentNumber {
            metric: difference.path.clone(),
            a: value(difference.a),
            b: value(difference.b),
            change: difference.change,
        };
        Document {
            format: FORMAT,
            a: side(&self.a),
            b: side(&self.b),
            same: self.same(),
            parts: self.parts.clone(),
            numbers: self.numbers.iter().map(number).collect(),
            event: self.parting.as_ref().map(Parting::document),
        }
    }
}

/// A number that differs.
pub struct Difference {
    /// Its path.
    pub path: String,
    /// On the first side.
    pub a: Metric,
    /// On the second.
    pub b: Metric,
    /// The change over the larger of the two; 1 where only one side has it.
    pub change: f64,
}

/// Every metric that differs, the largest relative change first.
pub fn differences(a: &Report, b: &Report) -> Vec<Difference> {
    let (a, b) = (a.leaves(), b.leaves());
    let value = |leaves: &Leaves, path: &str| leaves.get(path).map_or(Metric::Absent, |leaf| leaf.metric);
    let more = b.iter().map(Leaf::path).filter(|path| a.get(path).is_none());
    let mut found: Vec<Difference> = Vec::new();
    for path in a.iter().map(Leaf::path).chain(more) {
        let (a, b) = (value(&a, &path), value(&b, &path));
        if a != b {
            let change = match (a, b) {
                (Metric::Number(x, _), Metric::Number(y, _)) => (x - y).abs() / x.abs().max(y.abs()),
                _ => 1.0,
            };
            found.push(Difference { path, a, b, change });
        }
    }
    // A stable sort: among equal changes the report's own order.
    found.sort_by(|x, y| y.change.total_cmp(&x.change));
    found
}

/// Where two runs differ, for programs. Times are nanoseconds.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    pub(crate) a: DocumentSide,
    pub(crate) b: DocumentSide,
    /// Whether they are the same in every event and every number.
    pub(crate) same: bool,
    /// The parts of the digest that differ: input, trajectory, randomness, results.
    pub(crate) parts: Vec<&'static str>,
    /// Every metric that differs, the largest relative change first.
    pub(crate) numbers: Vec<DocumentNumber>,
    /// Where the events part, if they do.
    pub(crate) event: Option<event::Document>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentSide {
    /// Which run, in words.
    pub(crate) run: String,
    pub(crate) digest: DocumentDigest,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentDigest {
    /// Input.
    pub(crate) i: String,
    /// Trajectory.
    pub(crate) t: String,
    /// Randomness.
    pub(crate) r: String,
    /// Results.
    pub(crate) s: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentNumber {
    /// Its path.
    pub(crate) metric: String,
    pub(crate) a: Reading,
    pub(crate) b: Reading,
    /// The change over the larger of the two; 1 where only one side has it.
    pub(crate) change: f64,
}
