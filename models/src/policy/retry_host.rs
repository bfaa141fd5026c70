//! Whom an attempt after the first is sent to: whomever the balancer chooses, or somebody whom its call has not tried.
//!
//! A replica that fails at once has the least to do, so least-pending goes on sending to it, retries included; and in turn
//! one retry of `n` meets the same replica again if others call in between. A retry that goes elsewhere fails only if that one
//! fails, too: of `n` replicas of which `d` are dead, all of `k` attempts fail with `d (d-1) .. (d-k+1) / (n (n-1) .. (n-k+1))`
//! instead of `(d / n)^k`, and never if `k > d`.
//!
//! Envoy calls it `retry_host_predicate: previous_hosts`; there a balancer is asked again up to
//! `host_selection_retry_max_attempts` times (1; Istio sets 5) and the last choice stands, tried or not.

use super::page::Page;
use super::part::{Around, Does, Part};
use crate::experiment::{Decoder, Node};

spec! {
    /// Whom a retry or a copy is sent to.
    #[derive(Copy, PartialEq, Eq)]
    pub enum RetryHost {
        /// Whomever the balancer chooses.
        Any,
        /// Somebody that is not among the last seven that its call has tried, as long as there is one.
        Other {
            /// The balancer is asked again so often, and its last choice stands, tried or not. Absent: until it is another.
            picks: Option<u32> = None; 1..=100,
        },
    }
}

impl RetryHost {
    /// How often a balancer is asked again before its choice stands, if that is bounded.
    #[inline]
    pub fn picks(self) -> Option<u32> {
        match self {
            RetryHost::Any => None,
            RetryHost::Other { picks } => picks,
        }
    }
}

/// The last that are remembered of those that one call has tried.
pub const REMEMBERED: usize = 7;

/// Whom one call has tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    replicas: [u32; REMEMBERED],
    count: u32,
}

impl Tried {
    /// One more.
    #[inline]
    pub fn add(&mut self, replica: u32) {
        self.replicas[self.count as usize % REMEMBERED] = replica;
        self.count += 1;
    }

    /// Those that are remembered.
    #[inline]
    pub fn all(&self) -> &[u32] {
        &self.replicas[..REMEMBERED.min(self.count as usize)]
    }
}

impl Part for RetryHost {
    fn does(&self) -> Does {
        match self {
            RetryHost::Any => Does::NOTHING,
            RetryHost::Other { .. } => Does::STEERS,
        }
    }

    fn brief(&self) -> Option<String> {
        (*self != RetryHost::Any).then(|| "retries elsewhere".into())
    }

    /// What is sent once goes nowhere else.
    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        if *self != RetryHost::Any && around.worst().sent() == 1 {
            let message = "there is no retry and no copy that could go elsewhere";
            cx.at("retry_host", |cx| _ = cx.warn(at.span_of("retry_host"), message));
        }
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "retry_host",
            word: "",
            what: "Sends a retry, or a copy, to a replica that its call has not tried.",
            hurts: "Where all replicas are slow it only spreads the storm; and with a cache or a session on each replica \
                    the other one knows nothing of the caller.",
            formula: "of `n` replicas of which `d` are dead, `k` attempts all fail with \
                      `d (d-1) .. (d-k+1) / (n (n-1) .. (n-k+1))` instead of `(d / n)^k`",
            source: "Envoy `retry_host_predicate: previous_hosts` and `host_selection_retry_max_attempts` (1); Istio sets both, \
                     with 5",
            experiment: "pod-restart",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Other()", "Other(picks: 1)"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_few_are_remembered() {
        let mut tried = Tried::default();
        assert_eq!(tried.all(), &[] as &[u32]);
        (0..9).for_each(|replica| tried.add(replica));
        assert_eq!(tried.all(), [7, 8, 2, 3, 4, 5, 6]);
    }
}
