//! What lies between a caller and whom it calls: one [`Link`] per edge.
//!
//! A message takes a time, or is lost, or is kept back; it has no size, and links have no capacity.

mod link;

pub use link::{Fate, Link, Way};
