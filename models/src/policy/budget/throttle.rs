//! gRPC's `retryThrottling`, which divides by the *failures*: each takes a token, each success returns a few, and retries
//! go only while more than half of the tokens are left.
//!
//! In the long run that is while at most `ratio / (1 + ratio)` of the attempts fail: 9.1 % for 0.1. Far below it retries are
//! free, far above it there are none at all; how far depends on the size of the bucket.

use super::{Bucket, TOKEN, millionths};
use crate::policy::part::Rationed;
use crate::theory;

/// The tokens of one client.
#[derive(Clone, Debug)]
pub struct Throttle {
    pub(super) bucket: Bucket,
    per_success: u64,
}

impl Throttle {
    /// A full bucket.
    pub fn new(max_tokens: u32, token_ratio: f64) -> Self {
        Throttle { bucket: Bucket::full(max_tokens), per_success: millionths(token_ratio) }
    }

    /// An attempt succeeded.
    #[inline]
    pub fn on_success(&mut self) {
        self.bucket.pay_in(self.per_success);
    }

    /// An attempt ended in a failure that the retry policy would retry, whether or not tries are left.
    #[inline]
    pub fn on_failure(&mut self) {
        self.bucket.tokens = self.bucket.tokens.saturating_sub(TOKEN);
    }

    /// Whether more than half of the tokens are left.
    #[inline]
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.bucket.tokens > self.bucket.full / 2
    }
}

/// Attempts per call.
pub fn rationed(max_tokens: u32, token_ratio: f64, of: &Rationed) -> (f64, &'static str) {
    let throttle = theory::Throttle {
        token: TOKEN,
        full: u64::from(max_tokens) * TOKEN,
        per_success: millionths(token_ratio),
    };
    match throttle.attempts(of.p_fail, of.retries) {
        Some(attempts) => {
            (attempts, "the throttle's tokens as a Markov chain, approximate: one call after another")
        }
        None => (
            if of.p_fail > theory::throttle_stops_above(token_ratio) { 1.0 } else { of.unlimited },
            "no retries above ratio / (1 + ratio) of failures, approximate: a large throttle",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fails, pays, retries, succeeds, throttle, tokens};
    use sim_core::{Streams, Words};

    /// Measured on two gRPC clients: always failing, 10 tokens, 4 attempts: calls cost 4, 1, 1, 1 attempts.
    #[test]
    fn a_throttle_stops_retries_at_half_of_its_tokens() {
        let mut budget = throttle(10, 0.1);
        let mut words = Streams::new(1).stream("test", "grpc");
        let attempts: Vec<u32> = (0..5).map(|_| 1 + retries(&mut budget, 1, 3, 1.0, &mut words)).collect();
        assert_eq!(attempts, [4, 1, 1, 1, 1]);
        assert_eq!(tokens(&budget), 2.0);
    }

    /// `grpc_throttle.csv` (reference oracles): failures from full until retries stop, successes from empty
    /// until one more lets them go again, and the failing fraction between the two regimes.
    #[test]
    fn a_throttle_divides_by_failures() {
        for (max_tokens, token_ratio, to_stop, to_threshold, fraction) in [
            (10, 0.1, 5, 50, 0.09090909091),
            (100, 0.1, 50, 500, 0.09090909091),
            (10, 0.5, 5, 10, 0.3333333333),
            (1000, 0.01, 500, 50_000, 0.009900990099),
        ] {
            let mut budget = throttle(max_tokens, token_ratio);
            let mut failures = 0;
            while pays(&mut budget) {
                fails(&mut budget);
                failures += 1;
            }
            assert_eq!(failures, to_stop);
            (0..max_tokens).for_each(|_| fails(&mut budget));
            assert_eq!(tokens(&budget), 0.0, "never below 0");
            for _ in 0..to_threshold {
                succeeds(&mut budget);
                assert!(!pays(&mut budget), "exactly half is not more than half");
            }
            succeeds(&mut budget);
            assert!(pays(&mut budget));

            for (share, goes) in [(fraction * 0.7, true), (fraction * 1.3, false)] {
                let mut words =
                    Streams::new(5).stream("test", &format!("{max_tokens}/{token_ratio}/{share}"));
                for _ in 0..2_000_000 {
                    if words.unit() < share { fails(&mut budget) } else { succeeds(&mut budget) }
                }
                assert_eq!(pays(&mut budget), goes, "{share} of {max_tokens}, {token_ratio}");
            }
        }
    }
}
