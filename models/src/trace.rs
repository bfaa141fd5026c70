//! Single calls as they went: who waited where for how long, attempt by attempt.
//!
//! [`collect`] runs an experiment twice: once to see which calls a [`Selection`] means, and once more, on the same
//! luck, to follow those. What nobody asks for is never written down, and a run that is not traced is compiled
//! without it, and pays next to nothing.
//!
//! A [`Trace`] is a tree of [`Span`]s in the order in which they began, parents before children. Times are virtual
//! nanoseconds since the beginning of the run. A span that never ended (lost, or cut off by the end of the run) has
//! no `to`. What a trace shows is what the run did: tracing changes no event, no draw and no digest.
//!
//! The spans of a call tile it. A call is its attempts and back-offs; an attempt that ended well is, to the
//! nanosecond, network, queue, work, waiting and network again, and the calls that it made lie within the waiting.
//! A caller who gives up does not stop the server, so the parts of an attempt may outlast it: that they did so for
//! nobody is `wasted`, by the rule of the report (everybody up to the user waits when the answer is delivered).

mod choose;

pub(crate) use choose::{Chooser, Outline};

use crate::experiment::Resolved;
use crate::run::{Observer, RunOptions, RunOutput, simulate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::SimTime;

/// Which calls of users to trace: all that any part of it means, each once. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only calls over this edge of a workload (`users->checkout`); absent means over any.
    pub edge: Option<String>,
    /// So many of those that took longest and ended well, of those that began after the warm-up.
    pub slowest: usize,
    /// So many of those that did not end well: of each outcome the longest, in turn, the most frequent outcome
    /// first. What the end of the run cut off comes last, if it waited for longer than any that ended well.
    pub failed: usize,
    /// Those with these numbers, counted from 0 in the order of their beginning, on each edge.
    pub calls: Vec<u64>,
    /// Those with these keys.
    pub keys: Vec<u64>,
    /// The first that began at this time or later.
    pub at: Option<SimTime>,
}

/// What a run is told about tracing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// To give back the calls that are meant, each with the span of the whole call alone.
    Choose(Selection),
    /// To follow these: edge, and number of the call on it.
    Follow(Vec<(String, u64)>),
}

/// Runs it twice, and gives back what the second run gave back, traces included: in the order of the parts of
/// the selection. If the observer ends the first run, there is no second, and traces are only calls.
///
/// A model whose [`Scenario::untraceable`](crate::Scenario::untraceable) says so has none.
pub fn collect(
    resolved: &Resolved,
    options: &RunOptions,
    selection: Selection,
    observer: Observer,
) -> RunOutput {
    let told = |trace| RunOptions { trace: Some(trace), ..options.clone() };
    let mut ended = false;
    let first = simulate(resolved, &told(Tracing::Choose(selection)), &mut |progress| {
        let flow = observer(progress);
        ended |= flow.is_break();
        flow
    });
    if ended || first.traces.is_empty() {
        return first;
    }
    let chosen = first.traces.iter().map(|trace| (trace.edge.clone(), trace.call)).collect();
    let mut second = simulate(resolved, &told(Tracing::Follow(chosen)), observer);
    for (trace, meant) in second.traces.iter_mut().zip(first.traces) {
        trace.why = meant.why;
    }
    second
}

/// One call that a user made, and everything that was done for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// The workload's edge: `users->checkout`.
    pub edge: String,
    /// Which call of its workload, counted from 0 in the order of their beginning.
    pub call: u64,
    /// The key under which its luck is drawn; unique within the run.
    pub key: u64,
    /// Why this one: `the slowest of 1 204 calls that ended well`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The spans; the first is the call itself.
    pub spans: Vec<Span>,
    /// Who said what to whom, where that is what an operation consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// How many spans there were beyond the most that are kept, at least: what those led to is missing, too.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub left_out: u64,
}

/// Messages between several, in the order in which they were sent: a sequence diagram.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sequence {
    /// Who there is, from left to right.
    pub lifelines: Vec<String>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// How many steps there were beyond those that are kept.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub left_out: u64,
}

/// A message, or something that happened to one of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Whose, by its place in `lifelines`.
    pub from: u32,
    /// To whom; absent for what is no message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// What: `append, term 4`, `leads, term 4`, `crashes`.
    pub what: String,
    /// When it was sent, or happened, in nanoseconds.
    pub at: u64,
    /// When it was read, or lost; absent while it is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Fate::is_usual")]
    pub fate: Fate,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is read.
    #[default]
    Read,
    /// The network loses it.
    Lost,
    /// It comes to somebody who is down, or goes down before reading it.
    Unread,
}

impl Fate {
    fn is_usual(&self) -> bool {
        *self == Fate::Read
    }
}

/// One stretch of time in a trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// How: `ok`, `timed out`, `rejected` .. Empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// Which attempt of its call, from 1; 0 where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u16,
    /// Which client instance of the edge made the call: the one whose policies it met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<u32>,
    /// Whether it is work, or waiting, for a caller who had given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wasted: bool,
    /// Of work: for how much of it, in nanoseconds, its instance was only starting.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub starting: u64,
    /// Of work that is done: for how much of it, in nanoseconds, its replica stood still.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub standing_still: u64,
}

/// The kinds of time in a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// A call waits until its client may have one more out, or an attempt until there is a connection for it.
    Line,
}

fn is_zero(n: &u16) -> bool {
    *n == 0
}

fn is_nothing(n: &u64) -> bool {
    *n == 0
}
