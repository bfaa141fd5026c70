//! What lies between a caller and whom it calls: one [`Link`] per edge, longer for whoever is in another of the [`Zones`].
//!
//! A message takes a time. What faults do to it stands in a file of its own: it is lost, kept back, comes twice, is overtaken, or waits for
//! others where the link carries only so much (`pipe`). Nothing of that is asked about a link with which nothing is wrong.

mod link;
mod order;
mod pipe;
mod wrong;
pub mod zones;

pub use crate::fault::Way;
pub use link::{Fate, Link, Parcel};
pub use wrong::{Tells, declared};
pub use zones::{Apart, Turns, Zones};
