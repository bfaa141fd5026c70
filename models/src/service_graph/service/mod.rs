//! The callee's side, one file per mechanism.
//!
//! A request is let in and worked on (`work`), makes its calls (`steps`) and is answered (`answer`); a `replica` that
//! goes down loses it. The rest is what a service is made of.

mod answer;
pub mod aside;
pub mod cache;
pub mod callback;
pub mod cold_start;
pub mod dies;
pub mod error_rate;
pub mod execution_limit;
pub mod fallback;
pub mod free;
pub mod greeting;
pub mod idempotency;
pub mod line;
pub mod memory_leak;
pub mod on_cancel;
pub mod on_write;
pub mod per_replica;
pub mod purge;
pub mod queue;
pub mod queue_bytes;
pub mod quorum;
mod ranked;
pub mod record;
mod replica;
pub mod scaling;
pub mod sharing;
pub mod shed;
mod steps;
pub mod stop_the_world;
pub mod thermal;
pub mod tie;
pub mod times;
pub mod told;
pub mod with_flags;
mod work;
pub mod workers;

use super::state::Service;
use crate::report::Section;
pub use shed::Rule;

impl Service {
    /// What is told of what it did, by whatever counts that.
    pub fn told_of(&self) -> impl Iterator<Item = Section> {
        let deeds = self.deeds.iter().map(|deeds| deeds.section(&self.name));
        let weights = self.weights.iter().filter_map(|weights| weights.section(&self.name));
        let shed = self.shedding.iter().map(|shedding| shedding.section(self));
        let caches = self.caches.iter().map(|caches| caches.section(&self.name));
        let leaking = self.leaking.iter().map(|leaking| leaking.section(&self.name));
        let written = self.written.iter().flat_map(|written| written.sections(&self.name));
        let limited = self.limited.iter().map(|limited| limited.section(&self.name));
        let dialect = self.dialect.iter().filter_map(|dialect| dialect.section(&self.name));
        let kept = deeds.chain(dialect).chain(caches).chain(written);
        kept.chain(limited).chain(weights).chain(shed).chain(leaking).chain(self.told_of_votes())
    }

    /// What is told of how hot its machines were.
    pub fn told_of_heat(&self) -> Option<Section> {
        self.heating.as_ref().map(|heating| heating.section(&self.name))
    }
}
