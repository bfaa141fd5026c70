//! Searching over settings: where something tips over, and which setting is best.
//!
//! What is searched is here and pure: a [`knob::Knob`] is a setting with a range, a [`wish::Wish`] what is held against a
//! report, [`edge`] finds where an answer changes on one knob, [`race`] finds the best point of several. None of them
//! knows what a run is; they ask a function that is handed to them. [`runs`] is that function.
//!
//! Everything is a function of the question: points are tried in an order that no clock, thread or luck decides.

pub mod edge;
pub mod fault;
pub mod knob;
pub mod map;
pub mod race;
pub mod runs;
pub mod space;
pub mod wish;
