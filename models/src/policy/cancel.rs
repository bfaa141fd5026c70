//! Whether a caller that no longer waits says so.
//!
//! A cancellation is a message like any other: it takes the time of the network, may be lost, and comes too late for what is
//! done by then. What the callee makes of it is the callee's to say ([`OnCancel`](crate::service_graph::spec::OnCancel)).
//! gRPC sends one whenever a call ends before its answer, by a deadline or because another copy won; HTTP/2 resets the stream;
//! HTTP/1.1 can only close the connection, which many servers notice when they write the answer.

use super::page::Page;
use super::part::{Does, Part};

spec! {
    /// Whether the callee is told when its caller stops waiting for an attempt.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Cancel {
        /// It is not: what was sent is worked on to the end.
        Never,
        /// Of an attempt that was overtaken: by another of its call, or by other calls, of which enough were answered.
        Losers,
        /// Whenever the caller stops waiting: timeouts, deadlines, attempts that were overtaken, and callers that were called
        /// off themselves. A caller that crashes tells nobody.
        Always,
    }
}

impl Part for Cancel {
    fn does(&self) -> Does {
        match self {
            Cancel::Never => Does::NOTHING,
            Cancel::Losers | Cancel::Always => Does::SHEDS,
        }
    }

    fn brief(&self) -> Option<String> {
        match self {
            Cancel::Never => None,
            Cancel::Losers => Some("calls off losers".into()),
            Cancel::Always => Some("calls off".into()),
        }
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "cancel",
            word: "",
            what: "Tells the callee when its caller stops waiting: by a message that takes the time of the \
                   network, may be lost, and comes too late for what is done by then.",
            hurts: "It only helps where the service can stop: by `on_cancel`. What was done halfway is done, and \
                   what has side effects may be done twice.",
            formula: "work in vain is at most what is done between the end of the caller and the arrival of the \
                   message, of requests that had begun",
            source: "gRPC cancels when a call ends before its answer (deadline, hedge); HTTP/2 RST_STREAM; \
                   HTTP/1.1 closes the connection",
            experiment: "hedged-requests",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Losers", "Always"]
    }
}
