//! Who comes, and when: [`Arrivals`] as a file says it, and the [`Schedule`] that an open workload follows.

mod arrivals;
mod reload;
mod schedule;

pub use arrivals::{Arrivals, RateStep, Spacing};
pub use reload::{Reload, declared};
pub use schedule::Schedule;
