//! What is drawn for the connections of one edge: how long one takes to open, how long it lives, whether it is given back.

use super::Pool;
use sim_core::sampler::Distribution;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse, Streams, Words};

/// A connection's lifetime has luck of its own, and so has what the service does for it.
const LIFETIME: u64 = 1 << 34;
const WORK: u64 = 1 << 35;
/// And whether an attempt gives it back.
const LEAK: u64 = 1 << 36;

/// Opens connections, as they run.
#[derive(Clone, Debug)]
pub struct Dial {
    opening: Distribution,
    opening_work: Distribution,
    lifetime: Option<SimDuration>,
    jitter: f64,
    leak: f64,
    is_instant: bool,
    is_work: bool,
    luck: Luck,
}

impl Dial {
    /// Of the pools of this edge.
    pub fn new(pool: &Pool, edge: &str, streams: &Streams) -> Self {
        Dial {
            opening: pool.opening.nanos.clone(),
            opening_work: pool.opening_work.nanos.clone(),
            lifetime: pool.lifetime,
            jitter: pool.lifetime_jitter,
            leak: pool.leak,
            is_instant: pool.opens_instantly(),
            is_work: pool.is_work(),
            luck: streams.luck("connections", edge),
        }
    }

    /// Whether a connection is there as soon as it is wanted.
    pub fn is_instant(&self) -> bool {
        self.is_instant
    }

    /// How long the connection at `key` takes to open.
    pub fn time(&mut self, key: Key) -> SimDuration {
        if self.is_instant {
            return SimDuration::ZERO;
        }
        SimDuration::drawn(self.opening.sample(&mut self.luck.at(key)))
    }

    /// Until when it lives if it is there now.
    pub fn until(&mut self, now: SimTime, key: Key) -> SimTime {
        let Some(lifetime) = self.lifetime else { return SimTime::MAX };
        if self.jitter == 0.0 {
            return now + lifetime;
        }
        let less = self.jitter * self.luck.at(key.child(LIFETIME)).unit();
        now + SimDuration::drawn(lifetime.as_nanos() as f64 * (1.0 - less)).max(SimDuration::from_nanos(1))
    }

    /// What the service does for a new connection before it works on the attempt at `key`, if that is anything.
    pub fn work(&mut self, key: Key) -> Option<SimDuration> {
        let draw = |luck: &mut Luck, work: &Distribution| work.sample(&mut luck.at(key.child(WORK)));
        self.is_work.then(|| SimDuration::drawn(draw(&mut self.luck, &self.opening_work)))
    }

    /// Whether the attempt at `key` does not give its connection back.
    pub fn leaks(&mut self, key: Key) -> bool {
        self.leak > 0.0 && self.luck.at(key.child(LEAK)).unit() < self.leak
    }

    /// Its stream.
    pub fn used(&self) -> StreamUse {
        self.luck.used()
    }
}
