//! The failure modes of brownout.
#[macro_use]
pub mod experiment;
pub mod callback_routing;
pub mod catalog;
pub mod contention;
pub mod distribution;
pub mod drive;
pub mod policy;
pub mod report;
pub mod run;
pub mod service_graph;
pub mod theory;

pub use catalog::{Catalog, Entry, RunSpec, Scenario};
pub use run::simulate;
