//! Results as text.

pub mod run;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Whether ANSI colours may be used.
    pub colour: bool,
    /// Whether more than ASCII may be drawn.
    pub unicode: bool,
}
