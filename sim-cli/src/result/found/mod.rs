//! What was found along one knob.

mod words;

use crate::result::edges::{Edge, Edges};
use crate::result::knob::{Count, Knob};
use crate::result::rounds::Rounds;
use crate::result::seeds::Seeds;
use crate::result::survivors::Fewest;
use crate::text::unit::Unit;
use schemars::JsonSchema;
use serde::Serialize;
pub(crate) use words::{name, zone_name};

/// Version of the shape of a [`Found`] in JSON.
pub const FORMAT: u32 = 1;

/// A run carries its load if at least 95 % of it is answered.
const LOST: f64 = 0.05;
/// Theory and measurement agree if they differ by at most this share of capacity.
const AGREES: f64 = 0.03;

/// What was found along one knob.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Found {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every run.
    pub set: Vec<(String, String)>,
    /// What was searched.
    pub path: String,
    /// What its values count: `duration` (ns), `rate` (per second), `plain`.
    #[serde(serialize_with = "crate::text::unit::as_word")]
    #[schemars(with = "String")]
    pub unit: Unit,
    /// The low end of the range.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// Its value in the file, if that is in the range.
    pub standing: Option<f64>,
    /// What failure is, unless it is the verdict.
    pub failure: Option<String>,
    /// Where that is a response time of calls that ended well: the run in which fewest did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fewest: Option<Fewest>,
    /// The disturbance, in words.
    pub fault: Option<String>,
    /// The seeds that were searched.
    pub seeds: Seeds,
    /// How many runs were made.
    pub runs: usize,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// What was spared because the edges were known before all seeds were searched; absent where their number was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
    /// Every search and its edges.
    #[serde(rename = "searches")]
    pub told: Vec<Told>,
    /// How the way back was searched, if it was.
    #[serde(rename = "way_back")]
    pub looped: Option<Loop>,
    /// Commands that show both sides of the first edge on the first seed, and what each shows.
    #[serde(skip)]
    pub look: Vec<(String, String)>,
    /// The knob.
    #[serde(skip)]
    pub knob: Knob,
}

/// Which edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// With the experiment's own disturbance.
    Fault,
    /// Without any disturbance.
    Alone,
    /// The way back of a system that is down.
    Back,
}

/// One search.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Told {
    /// Which.
    pub which: Which,
    /// What the seeds say.
    #[serde(flatten)]
    pub edges: Edges,
    /// Where the fluid law puts the edge, if it says anything.
    #[serde(rename = "fluid")]
    pub exact: Option<f64>,
    /// Whether the measured edge is there, to 3 % of capacity.
    pub agrees: Option<bool>,
}

impl Told {
    /// Without what theory says.
    pub fn new(which: Which, edges: Edges) -> Self {
        Told { which, edges, exact: None, agrees: None }
    }

    /// Puts the fluid law's edge beside the measured one, if there is one of each.
    pub fn fluid(&mut self, exact: Option<f64>, capacity: f64) {
        self.exact = exact;
        // Beyond its capacity it still carries its load as long as no more than that is lost.
        let may_be_lost = if self.which == Which::Alone { LOST } else { 0.0 };
        let agrees = |edge: &Edge, exact: f64| {
            let beyond = if edge.fails_above { edge.mean - exact } else { exact - edge.mean };
            (edge.lowest..=edge.highest).contains(&exact)
                || (-AGREES * capacity..=(AGREES + may_be_lost) * capacity).contains(&beyond)
        };
        self.agrees = match (&self.edges.edges[..], exact) {
            ([edge], Some(exact)) => Some(agrees(edge, exact)),
            _ => None,
        };
    }
}

impl Told {
    /// Whether the law puts the edge where less is tipped than this fault does: it asks whether any fault could.
    pub(crate) fn harder_could(&self) -> bool {
        match (&self.edges.edges[..], self.exact, self.agrees) {
            ([edge], Some(exact), Some(false)) => (edge.mean > exact) == edge.fails_above,
            _ => false,
        }
    }
}

/// How the way back was searched; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Loop {
    /// The load at which it had collapsed.
    pub from: f64,
    /// When the load was lowered.
    pub lowered_at: u64,
    /// How long it had to come back.
    pub settle: u64,
}

impl Found {
    /// The first seed's values on both sides of the first edge: where all is well, and where it no longer is.
    pub fn sides(&self) -> Option<(f64, f64)> {
        let bracket = self.first()?.edges.edges.first()?.seeds.first().copied()??;
        Some(if bracket.fails_above { (bracket.low, bracket.high) } else { (bracket.high, bracket.low) })
    }

    /// Where the fluid law puts an edge.
    pub(crate) fn fluid(&self, x: f64) -> String {
        match self.knob.count {
            Count::Whole => format!("{} and {}", self.knob.show(x.floor()), self.knob.show(x.floor() + 1.0)),
            _ => self.knob.show(x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The law says 200, and runs fail at 209, when more than 5 % are lost.
    #[test]
    fn what_may_be_lost_is_no_disagreement() {
        let agrees = |which: Which, mean: f64, fails_above: bool| {
            let edge = Edge {
                mean,
                fails_above,
                lowest: mean - 1.0,
                highest: mean + 1.0,
                half_width: 1.0,
                seeds: Vec::new(),
            };
            let mut told = Told::new(which, Edges { edges: vec![edge], ..Edges::default() });
            told.fluid(Some(200.0), 200.0);
            told.agrees
        };
        assert_eq!(
            [209.0, 217.0, 195.0, 192.0].map(|mean| agrees(Which::Alone, mean, true)),
            [true, false, true, false].map(Some)
        );
        assert_eq!([191.0, 209.0].map(|mean| agrees(Which::Alone, mean, false)), [true, false].map(Some));
        assert_eq!(agrees(Which::Fault, 209.0, true), Some(false));
    }
}
