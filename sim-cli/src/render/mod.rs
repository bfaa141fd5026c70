//! From data to text. Everything here is a pure function: the same report and the same [`Style`](crate::text::Style) give
//! the same bytes, so every picture can be kept in a snapshot.
//!
//! Deliberately absent: terminals, files, clocks. Whoever calls decides how wide the page is and
//! whether it has colours; names from files and models are [`clean`]ed before they reach a page.

pub mod chart;
pub mod check;
pub mod compare;
pub mod diagram;
pub mod diff;
pub mod explore;
pub mod field;
pub mod find;
pub mod github;
pub mod heat;
pub mod helped;
pub mod hgrm;
pub mod histogram;
pub mod hlog;
pub mod junit;
pub mod lanes;
pub mod map;
pub mod markdown;
pub mod mechanism;
pub mod openmetrics;
mod patience;
pub mod recommend;
pub mod reference;
pub mod replicated;
pub mod run;
pub mod screen;
mod sections;
pub mod sequence;
pub mod stretches;
pub mod sweep;
pub mod tables;
#[cfg(test)]
pub(crate) mod testdata;
pub mod timeline;
pub mod trace;
pub mod traffic;
pub mod windows;

/// A text of unknown origin made safe to print.
pub use crate::text::escape as clean;
pub use patience::Patience;

/// A result for programs, with a newline at its end.
pub fn json(result: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(result).expect("results have text keys") + "\n"
}
