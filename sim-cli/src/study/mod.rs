//! What is asked of many runs: the same on several seeds, where something tips over, which setting is best.
//!
//! What is searched is pure: a [`knob`] is a setting with a range, a [`wish::Wish`] what is held against a
//! report, [`edge`] finds where an answer changes on one knob, [`race`] finds the best point of several. None of them
//! knows what a run is; they ask a function that is handed to them. [`runs`] is that function.
//!
//! Everything is a function of the question: points are tried in an order that no clock, thread or luck decides.

pub mod axis;
pub mod collapse;
pub mod edge;
pub mod ended;
pub mod fault;
pub mod find;
pub mod knob;
pub mod map;
pub mod measure;
pub mod parting;
pub mod race;
pub mod recommend;
pub mod repeats;
pub mod replicate;
pub mod rounds;
pub mod runs;
pub mod settle;
pub mod side;
pub mod space;
pub mod together;
pub mod trunks;
mod warm_up;
pub mod wish;
