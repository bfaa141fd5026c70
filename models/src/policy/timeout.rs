//! When an attempt is given up: a timer of the caller's, from the moment it is sent.
//!
//! It bounds an attempt and not a call: with `n` attempts a caller may wait `n` timeouts and the pauses between
//! them. What the service does goes on, and is done for nobody.

use super::page::Page;
use super::part::{Does, Part, Worst};
use crate::distribution::TimeDistribution;
use sim_core::SimDuration;

/// How long an attempt may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeout(pub SimDuration);

impl Part for Timeout {
    fn does(&self) -> Does {
        Does::GIVES_UP
    }

    fn brief(&self) -> Option<String> {
        Some(format!("timeout {}", self.0))
    }

    fn worst(&self) -> Worst {
        Worst { attempt: Some(self.0), ..Worst::ONCE }
    }

    fn patience(&self) -> Option<TimeDistribution> {
        Some(TimeDistribution::constant(self.0))
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "timeout",
            word: "",
            what: "Gives up an attempt that takes too long. It bounds an attempt, not a call: with `n` attempts \
                   a caller may wait `n` timeouts and the pauses between them.",
            hurts: "The service is not told (unless the policy says `cancel`): what it does goes on, for nobody. \
                   A timeout below what the service takes when it is busy turns slowness into failures, and \
                   with retries into load.",
            formula: "a share `P(X > t)` of the attempts is given up, and `E[X; X > t]` of work per attempt is in \
                   vain",
            source: "gRPC has none unless set; Envoy 15 s for a route, all attempts together; resilience4j \
                   TimeLimiter 1 s; Hystrix 1 s",
            experiment: "timeout-hierarchy",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#""50ms""#, r#""1ms""#, r#""200ms""#]
    }
}
