//! The experiment file: text in; a model and a run, or every problem with its place, out.
//!
//! ```text
//! text -> syntax -> Node (a tree with spans) -> overrides -> Decode (spec!) -> Scenario, RunSpec
//!                                                              |  ^
//!                                                     encode   v  |  parse
//!                                                        canonical Node -> digest
//! ```
//!
//! - [`parse_file`] reads RON into a [`Node`], which knows where everything was written and no types.
//! - An [`Override`] (`--set`, a variant, a point of a sweep) replaces a part of that tree.
//! - [`Decode`] turns the tree into types; [`spec!`](crate::spec) writes it. A [`Decoder`] collects the
//!   problems: all of them, each with path, place and help.
//! - `encode` gives the canonical form, with every default filled in. It is what `show` prints, what the
//!   digest is taken of, and where a path that the file does not mention is looked up.
//! - [`Experiment`] puts these together, and checks all that could run before anything does; a [`Grid`] is one
//!   variant of it over every combination of some values.
//!
//! # What is deliberately absent
//! No files and no terminal: [`Failed`] holds what a renderer needs. No serde: it stops at its first error
//! and forgets places; the `ron` crate is the oracle of the tests.
#[macro_use]
pub mod spec;
mod change;
pub mod decode;
mod diagnostic;
mod doc;
mod file;
mod folder;
mod grid;
mod load;
mod map;
mod node;
mod path;
mod print;
mod root;
mod rule;
mod run;
mod scalar;
mod scan;
pub mod shrink;
mod syntax;

pub use crate::report::During;
pub use change::Change;
pub use decode::{Decode, Decoder, Fields, Items, field_name, short_name};
pub use diagnostic::{
    Diagnostic, Diagnostics, Failed, Position, SHOWN, Severity, Source, Sources, did_you_mean, nearest,
};
pub use doc::{FieldDoc, Shape, TypeDoc, TypeRef, VariantDoc, join_doc};
pub use file::{MAX_BYTES, parse_file, source_from_bytes};
pub use folder::{Folder, no_such};
pub use grid::{AxisText, Checked, Grid, Input};
pub use load::{Axis, Experiment, FORMAT, MAX_POINTS, Resolved, Variant};
pub use map::Map;
pub use node::{Entry, Kind, Node, Span, Spanned};
pub use path::{Override, Path};
pub(crate) use print::quoted;
pub use root::file_doc;
pub use rule::{Len, NOT_EMPTY, Name, POSITIVE, Positive, Rule};
pub use run::{Bound, Check, Expectation, MOST_WINDOWS, RunSpec};
pub use spec::as_rule;
pub use syntax::{MAX_DEPTH, MAX_VALUES, parse_value};

#[cfg(test)]
mod tests;
