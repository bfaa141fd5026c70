//! Who comes, when, and with what: [`Arrivals`] as a file says it, the [`Schedule`] that an open workload follows, and what the requests
//! carry: [`Tenants`], [`Priority`], [`Keys`].

mod arrivals;
pub mod classes;
mod curve;
mod keys;
mod priority;
mod ranks;
mod recording;
mod reload;
mod schedule;
mod session;
mod size;
pub mod tenants;
mod writes;

pub use arrivals::{Arrivals, Between, RateStep, Spacing};
pub use keys::Keys;
pub use priority::Priority;
pub use ranks::Ranks;
pub use reload::{Reload, declared};
pub use schedule::Schedule;
pub use session::{Session, Sessions};
pub use size::Size;
pub use tenants::Tenants;
pub use writes::{Only, Writes};
