//! The experiment file.
#[macro_use]
pub mod spec;
pub mod decode;
mod diagnostic;
mod doc;
mod map;
mod node;
mod path;
mod print;
mod rule;
mod scalar;
mod scan;
mod syntax;

pub use decode::{Decode, Decoder, Fields, Items, field_name};
pub use diagnostic::{
    Diagnostic, Diagnostics, Failed, Position, SHOWN, Severity, Source, Sources, did_you_mean, nearest,
};
pub use doc::{FieldDoc, Shape, TypeDoc, TypeRef, VariantDoc, join_doc};
pub use map::Map;
pub use node::{Entry, Kind, Node, Span, Spanned};
pub use path::{Override, Path};
pub use rule::{Len, NOT_EMPTY, Name, POSITIVE, Positive, Rule};
pub use spec::as_rule;
pub use syntax::{MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse_file, parse_value, source_from_bytes};

#[cfg(test)]
mod tests;
