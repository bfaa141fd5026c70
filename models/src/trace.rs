//! Single calls as they went: who waited where for how long, attempt by attempt.
//!
//! A [`Trace`] is a tree of [`Span`]s in the order in which they began, parents before children. Times are virtual
//! nanoseconds since the beginning of the run. A span that never ended (lost, or cut off by the end of the run) has
//! no `to`. What a trace shows is what the run did: tracing changes no event, no draw and no digest.

use serde::{Deserialize, Serialize};

/// One call that a user made, and everything that was done for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The workload's edge: `users->checkout`.
    pub edge: String,
    /// Which call of its workload, counted from 0 in the order of their beginning.
    pub call: u64,
    /// The key under which its luck is drawn; unique within the run.
    pub key: u64,
    /// The spans; the first is the call itself.
    pub spans: Vec<Span>,
}

/// One stretch of time in a trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Index of the span that it belongs to; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// What kind of time it is.
    pub kind: SpanKind,
    /// Where: an edge (`checkout->payments`) or a replica (`payments[2]`).
    pub at: String,
    /// When it began.
    pub from: u64,
    /// When it ended; absent if it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// How: `ok`, `timed out`, `breaker open`, `rejected` .. Empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// Which attempt of its call, from 1; 0 where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u16,
    /// Whether it is work, or waiting, for a caller who had given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wasted: bool,
}

/// The kinds of time in a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// A whole call over an edge, as its caller sees it.
    #[default]
    Call,
    /// One attempt, as its caller sees it.
    Attempt,
    /// Waiting before the next attempt.
    BackOff,
    /// A message on its way, request or answer.
    Network,
    /// Waiting for a worker.
    Queue,
    /// A worker's own work on it.
    Work,
    /// A request whose own work is done waits for the calls that it made.
    Waiting,
}

fn is_zero(n: &u16) -> bool {
    *n == 0
}
