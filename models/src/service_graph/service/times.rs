//! How long requests took that a service was done with: what its own metrics know.
//!
//! From when a request came to a replica to when that was done with it, well or not: its queue and what the service waited for included. What the network
//! took is not in it, nor whoever was turned away, or is still there: a service that hangs has nothing to tell.

use sim_core::SimDuration;

/// All of them so far.
#[derive(Clone, Debug, Default)]
pub struct Times {
    nanos: u128,
    requests: u128,
}

impl Times {
    /// One more.
    pub fn took(&mut self, time: SimDuration) {
        self.nanos += u128::from(time.as_nanos());
        self.requests += 1;
    }

    /// The sum of them, and how many there were.
    pub fn sums(&self) -> [u128; 2] {
        [self.nanos, self.requests]
    }
}
