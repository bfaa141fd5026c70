//! The results of questions as data: what was found, in types that become JSON, and what follows from them in words that
//! every form of a page says alike.
//!
//! A study makes them, a renderer reads them. Nothing here knows a command, a run that is yet to be made, or how a page
//! is laid out.

pub mod change;
pub mod checked;
pub mod column;
pub mod compared;
pub mod differed;
pub mod distribution;
pub mod edges;
pub mod effect;
pub mod estimate;
pub mod explored;
pub mod fields;
pub mod found;
pub mod helped;
pub mod in_hand;
pub mod incident;
pub mod judged;
pub mod knob;
pub mod mapped;
pub mod mechanism;
pub mod moved;
pub mod page;
pub mod precision;
pub mod recommended;
pub mod replicated;
pub mod rounds;
pub mod seeds;
pub mod set_apart;
pub mod settings;
pub mod survivors;
pub mod swept;
pub mod traces;
pub mod verdict;
