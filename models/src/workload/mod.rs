//! Who comes, and when: [`Arrivals`] as a file says it, and the [`Schedule`] that an open workload follows.

mod arrivals;
mod schedule;

pub use arrivals::{Arrivals, RateStep, Spacing};
pub use schedule::Schedule;
