//! What a service is made of, one file per mechanism.

pub mod dies;
pub mod error_rate;
pub mod free;
pub mod line;
pub mod queue;
pub mod scaling;
pub mod workers;
