//! The experiment file.
#[macro_use]
pub mod spec;
pub mod decode;
mod diagnostic;
mod doc;
mod file;
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
mod syntax;

pub use decode::{Decode, Decoder, Fields, Items, field_name, short_name};
pub use diagnostic::{
    Diagnostic, Diagnostics, Failed, Position, SHOWN, Severity, Source, Sources, did_you_mean, nearest,
};
pub use doc::{FieldDoc, Shape, TypeDoc, TypeRef, VariantDoc, join_doc};
pub use file::{MAX_BYTES, parse_file, source_from_bytes};
pub use load::{Axis, Experiment, FORMAT, MAX_POINTS, Resolved, Variant};
pub use map::Map;
pub use node::{Entry, Kind, Node, Span, Spanned};
pub use path::{Override, Path};
pub use rule::{Len, NOT_EMPTY, Name, POSITIVE, Positive, Rule};
pub use run::{Bound, Check, During, Expectation, RunSpec};
pub use spec::as_rule;
pub use syntax::{MAX_DEPTH, MAX_VALUES, parse_value};

#[cfg(test)]
mod tests;
