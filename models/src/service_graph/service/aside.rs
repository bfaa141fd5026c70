//! Calls that a request does not wait for: fire and forget.
//!
//! An order is placed, and a mail is to be sent: the request says so and goes on. However slow the callee is, it costs the request
//! no time, and if it fails the request does not. What is gained in latency is lost in certainty: the caller has answered before
//! anybody knows whether it was done, nobody up the tree hears of a failure, and when the caller's replica crashes the calls that
//! it has out are gone, retries included (an outbox or a queue of messages would have kept them). The load is the same, and comes
//! without the brake that waiting is: a slow callee no longer slows its callers down, so its queue grows until it is full.
//!
//! The call has the outcomes of any other on its edge, follows its policy, carries what its request carries, and what is done for
//! it is not done in vain. It has no deadline of its request, and goes on when that has ended or is called off.

use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};

/// It is not waited for.
#[derive(Clone, Copy, Debug)]
pub struct Aside;

impl Part for Aside {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some("not waited for".into())
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        vec![format!(
            "nobody waits for {}: requests go on at once, and if it fails, nobody hears of it",
            around.name
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "wait",
            word: "",
            what: "With `wait: false` a request makes a call and goes on at once: fire and forget. The call outlives it, and if \
                   it fails, the request does not.",
            hurts: "Nobody hears of a failure; a crash of the caller loses what it has out; and a slow callee no longer slows its \
                    callers down, so its queue grows until it is full.",
            formula: "the request takes as long as without the call; the callee is asked for as much as with it",
            source: "Hohpe and Woolf, \"Enterprise Integration Patterns\", 2003 (Fire-and-Forget, Guaranteed Delivery); gRPC and Go: \
                     a call with a context of its own (`context.WithoutCancel`)",
            experiment: "order-fan-out",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["true", "false"]
    }
}
