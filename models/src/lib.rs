//! The failure modes of brownout.
#[macro_use]
pub mod experiment;
pub mod policy;
pub mod report;
pub mod run;
pub mod theory;
