//! What a refusal tells its caller: when to come again.

use crate::service_graph::spec::ServiceSpec;
use sim_core::sampler::Distribution;
use sim_core::{Key, Luck, SimDuration, StreamUse, Streams};

/// How long refusals tell their callers to wait, and where that is drawn.
#[derive(Clone)]
pub struct Told {
    time: Distribution,
    luck: Luck,
}

impl Told {
    /// What the refusals of this service tell, if they tell anything.
    pub fn by(service: &ServiceSpec, name: &str, streams: &Streams) -> Option<Told> {
        let time = service.retry_after.as_ref()?.nanos.clone();
        Some(Told { time, luck: streams.luck("retry-after", name) })
    }

    /// What the one tells that meets the try at `key`.
    pub fn tell(&mut self, key: Key) -> SimDuration {
        SimDuration::drawn(self.time.sample(&mut self.luck.at(key)))
    }

    /// The stream of it, by what that is for.
    pub fn used(&self) -> (&'static str, StreamUse) {
        ("retry-after", self.luck.used())
    }
}
