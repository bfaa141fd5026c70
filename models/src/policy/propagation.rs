//! A call that ends when nobody waits any more for the request that makes it: its deadline travels down the chain.
//!
//! Each request knows until when its caller waits for it: the attempt's timeout or the call's deadline, whichever comes first, or
//! what that inherited itself. Calls under this policy end by then, less an allowance for the way back and what is left to do, so
//! that an error still reaches whoever is to hear of it; their retries end with them; and what arrives later, or whose turn
//! comes later, is not worked on. Nobody has to be told, as with [cancellation](super::cancel): a time that is known does not
//! travel late and is not lost.
//!
//! It saves work, and no caller: who gives up has no answer either way. What helps callers is that the innermost ends first and
//! leaves room to try again.

use super::page::Page;
use super::part::{Does, Part};
use sim_core::{SimDuration, SimTime};

spec! {
    /// Whether calls end when nobody waits any more for the request that makes them.
    pub struct Propagation {
        /// So much earlier, at each hop: for the way back, and what is left to do with the answer.
        allowance: SimDuration = SimDuration::ZERO,
    }
}

impl Propagation {
    /// When a call ends that is made for a request that is waited for until then.
    #[inline]
    pub fn end(&self, until: SimTime) -> SimTime {
        if until == SimTime::MAX {
            return until;
        }
        SimTime::from_nanos(until.as_nanos().saturating_sub(self.allowance.as_nanos()))
    }
}

impl Part for Propagation {
    fn does(&self) -> Does {
        Does::GIVES_UP.and(Does::EXPIRES)
    }

    fn brief(&self) -> Option<String> {
        Some("ends with its caller".into())
    }

    fn ahead(&self) -> Option<SimDuration> {
        Some(self.allowance)
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "deadline_propagation",
            word: "",
            what: "Ends a call, with its retries, when nobody waits any more for the request that makes it, and works on nothing that \
                   comes later: the deadline travels down the chain, less an allowance at each hop.",
            hurts: "It saves work and no caller. Where the outermost deadline is short, everything behind it has little room \
                    to try again; too large an allowance leaves none.",
            formula: "at hop `k` of a chain a call has `deadline - time so far - k allowance` left",
            source: "gRPC deadlines (propagated by default in Java and Go); Google SRE book, chapter 22; Envoy \
                     `x-envoy-expected-rq-timeout-ms`",
            experiment: "timeout-hierarchy",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["()", r#"(allowance: "5ms")"#, r#"(allowance: "1s")"#]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_ever_is_for_ever_and_nothing_ends_before_the_beginning() {
        let of = |allowance| Propagation { allowance: SimDuration::from_secs(allowance) };
        for (allowance, until, end) in [(0, 7, 7), (2, 7, 5), (7, 7, 0), (9, 7, 0)] {
            assert_eq!(of(allowance).end(SimTime::from_secs(until)), SimTime::from_secs(end));
        }
        assert_eq!(of(9).end(SimTime::MAX), SimTime::MAX);
    }
}
