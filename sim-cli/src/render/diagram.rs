//! The picture of an experiment: boxes and arrows, as a tree of text, as Mermaid, for Graphviz, or as SVG.
//!
//! Names and texts come from a file. Each form escapes them in its own way, so that they are shown and never obeyed.

mod dot;
mod layout;
mod mermaid;
mod svg;
mod text;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;
pub use text::text;

/// Longer facts than this are cut in a picture; `explain` has them in full.
const LONGEST: usize = 44;

/// A fact for a box or an arrow: cleaned, and short.
fn short(fact: &str) -> String {
    super::fit(&super::clean(fact), LONGEST, super::Style::default())
}
