//! What went over one edge: calls, attempts, response times.

use super::count::{is_zero, ratio};
use super::latency::Latency;
use super::named::Named;
use super::response::Response;
use super::tally::Tally;
use crate::policy::{Cause, Denied, Ending, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::stats::count;

/// Caller and callee of an edge by its name, whichever of the call sites between them it is: `a->b`, `a->b#2`.
pub(super) fn ends(name: &str) -> Option<(&str, &str)> {
    let (caller, callee) = name.split_once("->")?;
    let site =
        |(_, number): &(&str, &str)| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    Some((caller, callee.rsplit_once('#').filter(site).map_or(callee, |(callee, _)| callee)))
}

/// Calls and attempts over one edge. All counts cover calls that began after the warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// Whether the caller is a workload.
    pub from_users: bool,
    /// Whether its users wait for an answer before they call again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed_loop: bool,
    /// The service that is called, where the calls are no request's and may make it call others: nobody's, as those that follow are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nobodys: Option<String>,
    /// How calls ended.
    pub calls: Calls,
    /// How attempts ended.
    pub attempts: Attempts,
    /// Attempts per call that was sent, of the caller; absent without such calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amplification: Option<f64>,
    /// Attempts per call of a user that was sent: of the users whose calls can come by here. Calls over this edge that were never
    /// sent count like those that were; absent without any, and where calls come by that follow from no user's: a deep check's, a repair's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_user_call: Option<f64>,
    /// Calls that ended well after the warm-up, whenever they began, per second.
    pub goodput: f64,
    /// Calls that ended well, of those that ended; absent if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<f64>,
    /// Response time of all calls: whoever got no answer waited longer than any answer took.
    #[serde(default, skip_serializing_if = "Response::is_empty")]
    pub response: Response,
    /// Response time of calls that ended well, from the intended start.
    pub latency: Latency,
    /// Time until failure of calls that did not.
    pub latency_failed: Latency,
    /// What users were ready to wait, in nanoseconds: an answer that took longer was late; absent where no answer was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<u64>,
    /// The longest that a caller waits for an attempt or a call, in nanoseconds, if there is a limit that is the same for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// The same of calls that began before, during and after what disturbed the run, in this order; empty if nothing did, and of a model
    /// that does not tell them apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<Began>,
    /// The same over time.
    pub windows: EdgeWindows,
}

/// The calls over an edge that began in one stretch of the run, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Began {
    /// How they ended.
    pub calls: Calls,
    /// Attempts sent of them.
    pub sent: u64,
    /// Calls that ended well within the stretch, whenever they began, per second.
    pub goodput: f64,
    /// Response time of all of them.
    #[serde(default, skip_serializing_if = "Response::is_empty")]
    pub response: Response,
    /// Of those that ended well.
    pub latency: Latency,
    /// Of those that did not.
    pub latency_failed: Latency,
}

/// How calls ended. Their sum is `started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calls {
    /// Calls made.
    pub started: u64,
    /// Of them: how they ended.
    #[serde(flatten)]
    pub ended: Tally<Ending>,
    /// Calls of which no attempt was ever sent.
    pub never_sent: u64,
    /// Of `failed`: by the cause of the last attempt.
    pub failed_by: Tally<Cause>,
    /// Beside those: begun before, and still out when this began to be counted. They are in none of the other numbers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub in_hand_before: u64,
    /// Mean age of those still in flight, in nanoseconds; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_age: Option<u64>,
}

impl Calls {
    /// Those that ended so; of failed ones, of this cause.
    pub fn of(&self, ending: Ending) -> u64 {
        match ending {
            Ending::Failed(cause) => self.failed_by[Cause(cause)],
            other => self.ended[other],
        }
    }

    /// So many more have ended so.
    pub fn add(&mut self, ending: Ending, count: u64) {
        self.ended[ending] += count;
        if let Ending::Failed(cause) = ending {
            debug_assert!(cause.as_cause().is_some(), "no call fails because an attempt was {cause}");
            self.failed_by[Cause(cause)] += count;
        }
    }

    /// One more has.
    #[inline]
    pub fn count(&mut self, ending: Ending) {
        count(&mut self.ended[ending]);
        if let Ending::Failed(cause) = ending {
            debug_assert!(cause.as_cause().is_some(), "no call fails because an attempt was {cause}");
            count(&mut self.failed_by[Cause(cause)]);
        }
    }

    /// Those that were answered, and the caller still waited.
    pub fn ok(&self) -> u64 {
        self.ended[Ending::Ok]
    }

    /// Those that failed with their last attempt, whatever of: a part of a run does not know their causes.
    pub fn failed(&self) -> u64 {
        self.ended[Ending::FAILED]
    }

    /// Those still waiting when the run ended.
    pub fn in_flight(&self) -> u64 {
        self.ended[Ending::InFlight]
    }

    /// Those that ended, but not well.
    pub fn ended_badly(&self) -> u64 {
        self.ended.total() - self.ok() - self.in_flight()
    }

    /// Those that ended well, of those that ended.
    pub fn success(&self) -> Option<f64> {
        ratio(self.ok(), self.ended.total() - self.in_flight())
    }

    /// What was counted of others, added.
    pub fn add_all(&mut self, other: &Calls) {
        self.started += other.started;
        self.ended.add(&other.ended);
        self.never_sent += other.never_sent;
        self.failed_by.add(&other.failed_by);
        self.in_hand_before += other.in_hand_before;
    }
}

/// How attempts ended. Their sum is `sent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempts {
    /// Attempts sent.
    pub sent: u64,
    /// Of them: how they ended.
    #[serde(flatten)]
    pub ended: Tally<Outcome>,
    /// Sent after the first of their call, when it had failed. `sent = started - never_sent + retries + copies`.
    pub retries: u64,
    /// Copies of an attempt that was slow, or took its place when it failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copies: u64,
    /// Retries that were wanted and not made, by what denied them.
    #[serde(flatten)]
    pub denied: Tally<Denied>,
}

impl Attempts {
    /// Retries that would have been made and were not, because they were denied.
    pub fn rationed(&self) -> u64 {
        self.denied.total()
    }

    /// Those that ended so.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.ended[outcome]
    }
}

/// An edge over time: one number per window. Starts are counted where they happen, ends where they happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EdgeWindows {
    /// Calls started.
    pub started: Vec<u64>,
    /// Calls that ended well.
    pub ok: Vec<u64>,
    /// Calls that ended otherwise.
    pub failed: Vec<u64>,
    /// Of those that are measured and ended otherwise: how, by the name of the ending.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub failed_by: Named<Vec<u64>>,
    /// Of the calls of users that began in this window: those that ended well, whenever that was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub began_ok: Vec<u64>,
    /// Of them: those that took no longer than `within`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub began_in_time: Vec<u64>,
    /// Attempts sent.
    pub attempts: Vec<u64>,
    /// Calls that ended and of which no attempt was ever sent; empty if there were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never_sent: Vec<u64>,
    /// Response times of calls that ended well, to 1 %: (highest value of the bucket, count).
    pub latency: Vec<Vec<(u64, u64)>>,
}
