//! A limit on the calls that one client has out at a time on one edge: a slow dependency then fills its own
//! compartment and no other.
//!
//! A call over the limit fails at once; nobody waits (resilience4j with `maxWaitDuration` 0; what Envoy
//! calls a circuit breaker's `max_requests`). By Little's law a limit of `L` binds when calls arrive faster
//! than `L` per response time: 25 calls of 100 ms each are 250/s.

use super::part::{Does, Part};

spec! {
    /// A limit on the calls of one client that are out at the same time.
    pub struct Bulkhead {
        /// The most calls out at a time; one more is refused at once.
        max_concurrent: u32 = DEFAULT_MAX_CONCURRENT; 1..=1_000_000,
    }
}

/// Calls out at a time. resilience4j `maxConcurrentCalls`; Hystrix 10, Envoy 1024.
pub const DEFAULT_MAX_CONCURRENT: u32 = 25;

/// The compartment of one client.
#[derive(Clone, Debug)]
pub struct BulkheadState {
    in_use: u32,
    limit: u32,
}

impl BulkheadState {
    /// An empty compartment.
    pub fn new(bulkhead: &Bulkhead) -> Self {
        BulkheadState { in_use: 0, limit: bulkhead.max_concurrent }
    }

    /// Whether one more call may go; if so it holds a place until [`release`](Self::release).
    #[inline]
    #[must_use]
    pub fn try_acquire(&mut self) -> bool {
        let free = self.in_use < self.limit;
        self.in_use += u32::from(free);
        free
    }

    /// A call that was let in has ended, however it ended.
    #[inline]
    pub fn release(&mut self) {
        self.in_use = self.in_use.checked_sub(1).expect("a bulkhead place was given back twice");
    }

    /// Calls out now.
    #[inline]
    pub fn in_use(&self) -> u32 {
        self.in_use
    }
}

impl Part for Bulkhead {
    fn does(&self) -> Does {
        Does::REFUSES
    }

    fn brief(&self) -> Option<String> {
        Some(format!("at most {} at once", self.max_concurrent))
    }

    fn at_once(&self) -> Option<u32> {
        Some(self.max_concurrent)
    }

    fn samples() -> &'static [&'static str] {
        &["(max_concurrent: 10)", "(max_concurrent: 1)"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact_and_places_come_back() {
        let mut bulkhead = BulkheadState::new(&Bulkhead { max_concurrent: 2 });
        // (acquire or release, let in, calls out afterwards)
        for (acquire, let_in, out) in [
            (true, true, 1),
            (true, true, 2),
            (true, false, 2),
            (false, false, 1),
            (true, true, 2),
            (true, false, 2),
            (false, false, 1),
            (false, false, 0),
        ] {
            if acquire {
                assert_eq!(bulkhead.try_acquire(), let_in);
            } else {
                bulkhead.release();
            }
            assert_eq!(bulkhead.in_use(), out);
        }
    }

    #[test]
    #[should_panic(expected = "given back twice")]
    fn a_place_comes_back_once() {
        BulkheadState::new(&Bulkhead { max_concurrent: 2 }).release();
    }
}
