//! The experiment file.
#[macro_use]
mod spec;
mod node;

pub use node::{Span, Spanned};
pub use spec::Rule;
