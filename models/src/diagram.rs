//! What an experiment is made of, to be drawn: boxes, and arrows between them, in words.
//!
//! A model describes itself; how a picture looks is the renderer's business. Names and texts may come from a
//! file, so whoever draws them escapes them.

use crate::distribution::TimeDistribution;
use crate::experiment::Decode;
use serde::Serialize;

/// Boxes and arrows. Empty for a model that has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Diagram {
    /// The boxes, in the order in which the file names them.
    pub nodes: Vec<Node>,
    /// The arrows, in the order of their origins.
    pub links: Vec<Link>,
    /// What belongs to the whole.
    pub notes: Vec<String>,
}

/// A box.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// What is to be known of it, most important first, a few words each.
    pub facts: Vec<String>,
    /// What goes wrong with it, and when.
    pub faults: Vec<String>,
}

/// The kinds of boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Where requests come from.
    Users,
    /// What serves them.
    #[default]
    Service,
    /// What only passes them on.
    Router,
    /// Where something is kept.
    Store,
}

/// An arrow.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Link {
    /// Index of the node that it leaves.
    pub from: usize,
    /// Index of the node that it enters.
    pub to: usize,
    /// Its name: that of the edge in a report, if it is one.
    pub name: String,
    /// What is to be known of it, most important first, a few words each.
    pub facts: Vec<String>,
    /// What goes wrong with it, and when.
    pub faults: Vec<String>,
    /// Whether it comes later than what brought it about: a callback, a copy; or leads back to where a request has been. Only such arrows
    /// may.
    pub later: bool,
}

impl Diagram {
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The links that leave a node, in order.
    pub fn from(&self, node: usize) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.from == node)
    }
}

/// A distribution in a few words: `10ms`, `LogNormal, mean 5.51 ms`.
pub fn time(distribution: &TimeDistribution) -> String {
    let node = distribution.encode();
    match (node.as_text(), node.name()) {
        (Some(constant), _) => constant.into(),
        (None, Some(name)) if distribution.nanos.mean().is_finite() => {
            format!("{name}, mean {}", distribution.mean().brief())
        }
        (None, name) => name.unwrap_or_default().into(),
    }
}
