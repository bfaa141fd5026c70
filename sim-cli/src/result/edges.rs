//! Where an answer changes along a knob: each seed's brackets, and what all seeds say together.

use schemars::JsonSchema;
use serde::Serialize;

/// What a run says of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It is fine.
    Fine,
    /// The run ends too early to tell.
    Undecided,
    /// It fails.
    Fails,
}

impl Answer {
    /// Of what can be told.
    pub fn of(fails: bool) -> Answer {
        if fails { Answer::Fails } else { Answer::Fine }
    }

    /// What is on the other side of an edge.
    pub fn other(self) -> Answer {
        Answer::of(self != Answer::Fails)
    }
}

/// A stretch of a knob in which the answer changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Bracket {
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
    /// Whether it fails at the high end and not at the low one.
    pub fails_above: bool,
    /// Whether runs in between ended too early to tell.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub undecided: bool,
    /// Where a response time of calls that ended well is failure: how many did at the low end, and at the high one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<[f64; 2]>,
}

/// A stretch of a knob where runs end too early to tell, the ends being where they still or again do not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Stretch {
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
}

impl Stretch {
    /// Whether it is all that was searched.
    pub fn is_all(&self, low: f64, high: f64) -> bool {
        self.low <= low && self.high >= high
    }
}

/// What all seeds say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Edges {
    /// Whether it fails at the low end of the range, on the seeds that are told.
    pub starts_failed: bool,
    /// Where that changes, from low to high; empty if it is the same over the whole range.
    pub edges: Vec<Edge>,
    /// Where most seeds' runs end too early to tell, from low to high.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Stretch>,
    /// On how many seeds it goes like this.
    pub alike: usize,
    /// The seeds on which it goes otherwise.
    pub otherwise: Vec<Otherwise>,
    /// How many seeds were not searched to the end.
    pub missing: usize,
}

/// One edge over the seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Edge {
    /// Whether it fails above, and not below.
    pub fails_above: bool,
    /// The mean of the seeds' edges, each the middle of its bracket.
    pub mean: f64,
    /// Half the width of Student's interval between seeds, and half of the widest bracket; of fewer than two seeds
    /// the bracket alone.
    pub half_width: f64,
    /// The lowest seed's bracket begins here: below, the answer is the same on all seeds.
    pub lowest: f64,
    /// The highest seed's bracket ends here: above, the answer is the same on all seeds.
    pub highest: f64,
    /// Each seed's bracket, in their order; none where it went otherwise.
    pub seeds: Vec<Option<Bracket>>,
}

/// A seed on which it does not go as on most.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Otherwise {
    /// Which, counted from 0.
    pub index: usize,
    /// Whether it fails at the low end of the range.
    pub starts_failed: bool,
    /// Where that changes.
    pub edges: Vec<Bracket>,
}
