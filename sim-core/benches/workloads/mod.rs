//! Two queues as a user of `sim-core` would model them, each beside a hand-written loop.
//!
//! The models have everything on: named and addressed randomness, the digest, a latency histogram, and
//! exact laws that are checked at the end. The loops are the limit: the same customers with the same luck,
//! and the same [`Results`] to the nanosecond, but no events, no engine, no digest, no checkpoints, no
//! limits and no laws.

pub mod m_m_1;
pub mod m_m_8;

use sim_core::stats::{LatencyHistogram, TimeIntegral};
use sim_core::{Key, Luck, SimDuration, SimTime, Streams, digest, sampler::Distribution};

/// What both a model and its loop measure.
#[derive(Default)]
pub struct Results {
    pub latency: LatencyHistogram,
    pub waiting: TimeIntegral,
    pub busy: TimeIntegral,
}

impl Results {
    /// One number that differs if anything was measured differently.
    pub fn checksum(&self, end: SimTime) -> u64 {
        let mut sum = digest::Digester::new(digest::RESULTS);
        sum.word(end.as_nanos());
        sum.pair(self.latency.sum_ns() as u64, self.latency.count());
        sum.pair(self.waiting.area(end) as u64, self.busy.area(end) as u64);
        self.latency.recorded().iter().for_each(|&(value, count)| sum.pair(value, count));
        sum.finish()
    }
}

/// What a model adds to hold itself to Little's law: the waits and services summed customer by customer
/// must equal the integrals of those waiting and served.
#[derive(Default)]
pub struct Laws {
    pub waited: u128,
    pub served: u128,
}

impl Laws {
    pub fn check(&self, results: &Results, end: SimTime) {
        assert_eq!(results.waiting.area(end), self.waited, "Little's law on the queue");
        assert_eq!(results.busy.area(end), self.served, "the utilisation law");
    }
}

/// Poisson arrivals that need an exponential time of work, each with luck of its own.
pub struct Customers {
    pub path: u64,
    gaps: Luck,
    gap: Distribution,
    work: Luck,
    demand: Distribution,
}

impl Customers {
    pub fn new(name: &str, arrivals_per_second: f64, work: SimDuration) -> Self {
        let streams = Streams::new(1);
        Customers {
            path: digest::hash_text(name),
            gaps: streams.luck("arrivals", name),
            gap: Distribution::exponential(1e9 / arrivals_per_second).expect("a positive mean"),
            work: streams.luck("work", name),
            demand: Distribution::exponential(work.as_nanos() as f64).expect("a positive mean"),
        }
    }

    /// The key of the `ordinal`-th customer.
    #[inline]
    pub fn key(&self, ordinal: u64) -> Key {
        Key::root(self.path, ordinal)
    }

    /// The time between the customer before and this one.
    #[inline]
    pub fn gap(&mut self, key: Key) -> SimDuration {
        SimDuration::from_nanos_f64(self.gap.sample(&mut self.gaps.at(key)))
    }

    /// The work this customer, or attempt, brings.
    #[inline]
    pub fn demand(&mut self, key: Key) -> SimDuration {
        SimDuration::from_nanos_f64(self.demand.sample(&mut self.work.at(key)))
    }
}

/// Runs a workload of so many requests by its name; a checksum of what it measured.
pub fn run(name: &str, requests: u64) -> u64 {
    match name {
        "w1" => m_m_1::model::<true, true>(requests),
        "w1-loop" => m_m_1::specialised(requests),
        "w2" => m_m_8::model::<true, true>(requests),
        "w2-without-digest" => m_m_8::model::<false, true>(requests),
        "w2-without-laws" => m_m_8::model::<true, false>(requests),
        "w2-loop" => m_m_8::specialised(requests),
        other => panic!("no workload is called {other}"),
    }
}
