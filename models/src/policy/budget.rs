//! A limit on retries that holds for a client as a whole: what bounds load while everything fails.
//!
//! # Why a budget and not only a number of attempts
//! A limit on the attempts of one call multiplies: if all fail, `n` attempts are `n` times the load, for as
//! long as they fail. A budget adds: with a deposit of `b` tokens per call and one token per retry, retries
//! are at most `b` of the calls plus what the bucket held at the start, so load is at most `1 + b` in the
//! long run, whatever fails (Brooker 2022, "Fixing retries with token buckets and circuit breakers"; the
//! SRE book's 10 % per client). A refused retry ends the call; it is dropped, not delayed.
//!
//! Budgets differ in what they divide by, each in a file of its own. To compare them is to say that.
//!
//! | budget | divides by | of whom |
//! |---|---|---|
//! | `ratio` | calls, or successes; what is not used is saved | Brooker, the SRE book |
//! | `window` | calls, or successes, of the last while; and a floor | Finagle, tower, Linkerd |
//! | `throttle` | failures | gRPC |
//! | `concurrent` | attempts that are out | Envoy |
//! | `quota` | nothing: a store that failures empty and successes fill | AWS |
//!
//! Tokens of the first and the third are whole millionths, never below 0 and never above the bucket's size.

mod concurrent;
mod quota;
mod ratio;
mod throttle;
mod window;

use super::Outcome;
use super::page::Page;
use super::part::{Around, Does, Part, Rationed};
use crate::experiment::{Decode, Decoder, Node};
use crate::theory::{quota_empties_above, throttle_stops_above};
use concurrent::Concurrent;
pub use concurrent::Held;
use quota::Quota;
use ratio::Ratio;
use sim_core::{SimDuration, SimTime};
use throttle::Throttle;
use window::Window;

spec! {
    /// A limit on the retries and copies of one client, over all its calls on the edge. It starts full.
    pub enum Budget {
        /// Retries as a fraction of calls: each call pays in `ratio` tokens, each retry takes one.
        Ratio {
            /// What a call pays in: retries per call in the long run. 0.1 in the SRE book, 0.2 in Finagle.
            ratio: f64 = DEFAULT_RATIO; 0.0..=10.0,
            /// The most tokens that are saved up, and what the client starts with: retries at once.
            burst: u32 = DEFAULT_BURST; 1..=1_000_000,
            /// Who pays in: each call, or each attempt that succeeds.
            of: Paid = Paid::Calls,
        },
        /// gRPC's `retryThrottling`: each failure takes a token, each success pays in `token_ratio`, and
        /// retries go only while more than half of `max_tokens` are left.
        Throttle {
            /// The most tokens, and what the client starts with.
            max_tokens: u32 = DEFAULT_BURST; 1..=1000,
            /// What a success pays in.
            token_ratio: f64 = DEFAULT_RATIO; 0.001..=1000.0,
        },
        /// Finagle's `RetryBudget`, and tower's: retries as a fraction of the calls of the last `ttl`, and a floor for
        /// clients that call seldom.
        Window {
            /// Retries for each call of the last while.
            ratio: f64 = WINDOW_RATIO; 0.0..=1000.0,
            /// Retries a second besides, of each client.
            min_per_sec: u32 = WINDOW_MIN_PER_SEC; 0..=1_000_000,
            /// How long what is paid in counts, and what is taken out. Finagle and tower allow 1 s to 60 s.
            ttl: SimDuration = WINDOW_TTL; SimDuration::from_millis(1)..=SimDuration::from_secs(3600),
            /// Who pays in: each call, as in Finagle, or each attempt that succeeds, as in tower's example.
            of: Paid = Paid::Calls,
            /// Whose arithmetic it is.
            library: Library = Library::Finagle,
        },
        /// Envoy's: retries that are out at a time as a fraction of all attempts that are out. With `ratio: 0` it is its
        /// `max_retries`.
        Concurrent {
            /// Retries for each attempt that is out; Envoy's `budget_percent`.
            ratio: f64 = CONCURRENT_RATIO; 0.0..=1.0,
            /// So many may always be out; Envoy's `min_retry_concurrency`, or `max_retries`.
            at_least: u32 = CONCURRENT_AT_LEAST; 0..=1_000_000,
            /// From when a retry counts.
            held: Held = Held::BackOff,
        },
        /// The retry quota of AWS's clients: a store that retries are paid from and successes fill. The defaults are those of
        /// 2026; before that they were `cost: 5, timed_out: 10, rejected: 5`.
        Quota {
            /// What it holds at the start, and at most.
            capacity: u32 = QUOTA_CAPACITY; 1..=1_000_000,
            /// What a retry costs; it comes back if that succeeds.
            cost: u32 = QUOTA_COST; 0..=1_000_000,
            /// The same after a timeout.
            timed_out: u32 = QUOTA_COST; 0..=1_000_000,
            /// The same after a rejection.
            rejected: u32 = QUOTA_REJECTED; 0..=1_000_000,
            /// What a call pays in that succeeds at once.
            at_once: u32 = QUOTA_AT_ONCE; 0..=1_000_000,
        },
    }
}

spec! {
    /// Who pays in.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Paid {
        /// Each call, when it begins.
        Calls,
        /// Each attempt that succeeds.
        Successes,
    }
}

spec! {
    /// Whose arithmetic a budget follows, where libraries differ.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Library {
        /// Finagle's: ten slots, all of which count.
        Finagle,
        /// tower's: five of ten slots count, and what a retry costs is a whole number of calls.
        Tower,
    }
}

/// Retries per call. The SRE book's per-client ratio; gRPC's example for its own ratio.
pub const DEFAULT_RATIO: f64 = 0.1;
/// Tokens of a full bucket. gRPC's example; Brooker's simulation has 5.
pub const DEFAULT_BURST: u32 = 10;
/// Finagle's `percentCanRetry`.
pub const WINDOW_RATIO: f64 = 0.2;
/// Finagle's `minRetriesPerSec`.
pub const WINDOW_MIN_PER_SEC: u32 = 10;
/// Finagle's `ttl`.
pub const WINDOW_TTL: SimDuration = SimDuration::from_secs(10);
/// Envoy's `budget_percent`.
pub const CONCURRENT_RATIO: f64 = 0.2;
/// Envoy's `min_retry_concurrency`, and its `max_retries` without a budget.
pub const CONCURRENT_AT_LEAST: u32 = 3;
/// botocore's `INITIAL_CAPACITY`.
pub const QUOTA_CAPACITY: u32 = 500;
/// botocore's `_RETRY_COST`.
pub const QUOTA_COST: u32 = 14;
/// botocore's `_THROTTLING_RETRY_COST`.
pub const QUOTA_REJECTED: u32 = 5;
/// botocore's `_NO_RETRY_INCREMENT`.
pub const QUOTA_AT_ONCE: u32 = 1;

/// What a repetition was granted on, as its budget will want to know: less than [`Grant::MOST`](Self::MOST). Nothing, where
/// the budget need not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant(u8);

impl Grant {
    /// Nothing is to be told.
    pub const NONE: Grant = Grant(0);
    /// Numbers that there may be.
    pub const MOST: u8 = 4;

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// That of this number.
    pub fn numbered(number: u8) -> Grant {
        debug_assert!(number < Grant::MOST);
        Grant(number)
    }
}

/// The budget of one client.
#[derive(Clone, Debug)]
pub enum BudgetState {
    /// See `ratio`.
    Ratio(Ratio),
    /// See `throttle`.
    Throttle(Throttle),
    /// See `window`.
    Window(Box<Window>),
    /// See `concurrent`.
    Concurrent(Concurrent),
    /// See `quota`.
    Quota(Quota),
}

/// Tokens in millionths, never below 0 and never above the bucket's size.
#[derive(Clone, Debug)]
struct Bucket {
    tokens: u64,
    full: u64,
}

/// One token, and the price of a retry or a failure.
const TOKEN: u64 = 1_000_000;

impl Bucket {
    fn full(tokens: u32) -> Self {
        let full = u64::from(tokens) * TOKEN;
        Bucket { tokens: full, full }
    }

    #[inline]
    fn pay_in(&mut self, tokens: u64) {
        self.tokens = (self.tokens + tokens).min(self.full);
    }
}

impl BudgetState {
    /// All that a client has at the start.
    pub fn new(budget: &Budget) -> Self {
        match *budget {
            Budget::Ratio { ratio, burst, of } => BudgetState::Ratio(Ratio::new(ratio, burst, of)),
            Budget::Throttle { max_tokens, token_ratio } => {
                BudgetState::Throttle(Throttle::new(max_tokens, token_ratio))
            }
            Budget::Window { ratio, min_per_sec, ttl, of, library } => {
                BudgetState::Window(Box::new(Window::new(ratio, min_per_sec, ttl, of, library)))
            }
            Budget::Concurrent { ratio, at_least, held } => {
                BudgetState::Concurrent(Concurrent::new(ratio, at_least, held))
            }
            Budget::Quota { capacity, cost, timed_out, rejected, at_once } => {
                BudgetState::Quota(Quota::new(capacity, [cost, timed_out, rejected], at_once))
            }
        }
    }

    /// A call begins.
    #[inline]
    pub fn on_call(&mut self, now: SimTime) {
        match self {
            BudgetState::Ratio(ratio) => ratio.on_call(),
            BudgetState::Window(window) => window.on_call(now),
            BudgetState::Throttle(_) | BudgetState::Concurrent(_) | BudgetState::Quota(_) => {}
        }
    }

    /// An attempt is sent, on such a grant if it repeats.
    #[inline]
    pub fn sent(&mut self, grant: Grant) {
        if let BudgetState::Concurrent(concurrent) = self {
            concurrent.sent(grant);
        }
    }

    /// One that was to be sent on such a grant is not; a retry that waits for its turn keeps what it was granted.
    #[cold]
    pub fn unsent(&mut self, grant: Grant) {
        if let BudgetState::Concurrent(concurrent) = self {
            concurrent.unsent(grant);
        }
    }

    /// An attempt has ended that was sent on such a grant. `would_repeat`: its failure is one that is tried again, whether
    /// or not tries are left.
    #[inline]
    pub fn ended(&mut self, now: SimTime, outcome: Outcome, would_repeat: bool, grant: Grant) {
        let ok = outcome == Outcome::Ok;
        match self {
            BudgetState::Ratio(ratio) if ok => ratio.on_success(),
            BudgetState::Throttle(throttle) if ok => throttle.on_success(),
            BudgetState::Throttle(throttle) if would_repeat => throttle.on_failure(),
            BudgetState::Window(window) if ok => window.on_success(now),
            BudgetState::Concurrent(concurrent) => concurrent.ended(grant),
            BudgetState::Quota(quota) if ok => quota.on_success(grant),
            _ => {}
        }
    }

    /// Whether one more retry after such a failure is within the budget, or, after none, one more copy; if so it is paid
    /// for. Ask after what failed has [`ended`](Self::ended), and only when a repetition would follow.
    #[inline]
    #[must_use]
    pub fn withdraw(&mut self, now: SimTime, after: Option<Outcome>) -> Option<Grant> {
        let granted = match self {
            BudgetState::Ratio(ratio) => ratio.withdraw(),
            BudgetState::Throttle(throttle) => throttle.withdraw(),
            BudgetState::Window(window) => window.withdraw(now),
            BudgetState::Concurrent(concurrent) => return concurrent.withdraw(after),
            BudgetState::Quota(quota) => return quota.withdraw(after),
        };
        granted.then_some(Grant::NONE)
    }

    /// What was granted was not sent after all.
    pub fn give_back(&mut self, _grant: Grant) {
        if let BudgetState::Concurrent(concurrent) = self {
            concurrent.give_back();
        }
    }
}

impl Budget {
    /// Whether it wants to know of calls that begin.
    pub fn hears_calls(&self) -> bool {
        match self {
            Budget::Ratio { of, .. } | Budget::Window { of, .. } => *of == Paid::Calls,
            Budget::Throttle { .. } | Budget::Concurrent { .. } | Budget::Quota { .. } => false,
        }
    }

    /// Whether it wants to know of attempts that are sent, and of retries that are not after all.
    pub fn hears_sent(&self) -> bool {
        matches!(self, Budget::Concurrent { .. })
    }

    /// Whether it wants to know how attempts ended.
    pub fn hears_ends(&self) -> bool {
        !matches!(self, Budget::Ratio { .. } | Budget::Window { .. }) || !self.hears_calls()
    }

    /// Whether no retry is ever within it.
    fn refuses_all(&self) -> bool {
        match *self {
            Budget::Ratio { .. } | Budget::Throttle { .. } => false,
            Budget::Window { ratio, min_per_sec, .. } => ratio == 0.0 && min_per_sec == 0,
            Budget::Concurrent { ratio, at_least, .. } => ratio == 0.0 && at_least == 0,
            Budget::Quota { capacity, cost, timed_out, rejected, .. } => {
                cost.min(timed_out).min(rejected) > capacity
            }
        }
    }
}

impl Paid {
    /// Retries per call in the long run where attempts fail with `p_fail` and always more are wanted: `ratio` for each that
    /// pays in, and `floor` besides. A retry that succeeds pays in too.
    fn per_call(self, ratio: f64, floor: f64, p_fail: f64) -> f64 {
        match self {
            Paid::Calls => ratio + floor,
            Paid::Successes => {
                let per_attempt = ratio * (1.0 - p_fail);
                if per_attempt < 1.0 { (per_attempt + floor) / (1.0 - per_attempt) } else { f64::INFINITY }
            }
        }
    }
}

impl Part for Budget {
    fn does(&self) -> Does {
        Does::RATIONS
    }

    fn brief(&self) -> Option<String> {
        Some(match *self {
            Budget::Ratio { of: Paid::Successes, ratio, .. } => format!("budget {ratio} of successes"),
            Budget::Ratio { ratio, burst, .. } => format!("budget Ratio(ratio: {ratio:?}, burst: {burst})"),
            Budget::Throttle { .. } => format!("budget {}", self.encode().plain()),
            Budget::Window { ratio, min_per_sec, .. } => format!("budget {ratio} and {min_per_sec}/s"),
            Budget::Concurrent { ratio: 0.0, at_least, .. } => {
                format!("at most {at_least} retries at a time")
            }
            Budget::Concurrent { ratio, .. } => format!("budget {ratio} of what is out"),
            Budget::Quota { capacity, .. } => format!("budget of {capacity} in all"),
        })
    }

    fn bytes(&self, _replicas: u32) -> u64 {
        if matches!(self, Budget::Window { .. }) { size_of::<Window>() as u64 } else { 0 }
    }

    fn sustains(&self) -> Option<f64> {
        match *self {
            // Who pays in for successes gets nothing while everything fails.
            Budget::Ratio { of: Paid::Successes, .. } => Some(0.0),
            Budget::Ratio { ratio, .. } => Some(ratio),
            // It stops them all while more than a few per cent fail.
            Budget::Throttle { .. } => Some(0.0),
            Budget::Window { ratio, min_per_sec: 0, library, of: Paid::Calls, .. } => {
                Some(window::sustained(ratio, 0, library).0)
            }
            // That depends on how many calls there are, or on how long they take.
            Budget::Window { .. } | Budget::Concurrent { .. } => None,
            Budget::Quota { cost, timed_out, .. } => (cost.min(timed_out) > 0).then_some(0.0),
        }
    }

    fn rationed(&self, of: &Rationed) -> Option<(f64, &'static str)> {
        match *self {
            Budget::Ratio { of: Paid::Successes, ratio, burst } => {
                Some(ratio::of_successes(ratio, burst, of))
            }
            Budget::Ratio { ratio, burst, .. } => Some(ratio::rationed(ratio, burst, of)),
            Budget::Throttle { max_tokens, token_ratio } => {
                Some(throttle::rationed(max_tokens, token_ratio, of))
            }
            Budget::Window { ratio, min_per_sec, of: paid, library, .. } => {
                Some(window::rationed(ratio, min_per_sec, paid, library, of))
            }
            // That is a matter of how long things take.
            Budget::Concurrent { .. } => None,
            Budget::Quota { capacity, cost, timed_out, rejected, .. } => {
                quota::rationed(capacity, [cost, timed_out, rejected], of)
            }
        }
    }

    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let message = if around.worst().sent() == 1 {
            "there are no retries for this budget to limit"
        } else if self.refuses_all() {
            "no retry is ever within this budget"
        } else {
            return;
        };
        cx.at("budget", |cx| _ = cx.warn(at.span_of("budget"), message));
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        if around.worst().sent() == 1 {
            return Vec::new();
        }
        let per_cent = |share: f64| format!("{:.1} %", 100.0 * share);
        let load = |ratio: f64| format!("load is at most {} times the calls", 1.0 + ratio);
        let limit = match *self {
            Budget::Ratio { ratio, of: Paid::Successes, .. }
            | Budget::Window { ratio, min_per_sec: 0, of: Paid::Successes, .. } => {
                format!(
                    "at most {ratio} retries for each success in the long run, and none while everything fails"
                )
            }
            Budget::Ratio { ratio, .. } => format!("{} in the long run, whatever fails", load(ratio)),
            Budget::Throttle { token_ratio, .. } => format!(
                "no retries while more than {} of the attempts fail, no limit while fewer do",
                per_cent(throttle_stops_above(token_ratio))
            ),
            Budget::Window { ratio, min_per_sec, of, library, .. } => {
                let (ratio, floor) = window::sustained(ratio, min_per_sec, library);
                let first = match of {
                    Paid::Calls => load(ratio),
                    Paid::Successes => format!("at most {ratio} retries for each success"),
                };
                format!("{first} and {floor:.1} retries a second of each client, whatever fails")
            }
            Budget::Concurrent { ratio: 0.0, at_least, held: Held::Sent } => {
                format!("a client decides on no retry while {at_least} are out")
            }
            Budget::Concurrent { ratio: 0.0, at_least, .. } => {
                format!("at most {at_least} retries of a client at a time")
            }
            Budget::Concurrent { ratio, at_least, .. } => {
                format!("retries are at most {} of all that a client has out, or {at_least}", per_cent(ratio))
            }
            Budget::Quota { capacity, cost, at_once, .. } => {
                let retries = around.worst().attempts - 1;
                let free = capacity.checked_div(cost).map_or("any number of".into(), |free| free.to_string());
                let (cost, at_once) = (f64::from(cost), f64::from(at_once));
                let above = per_cent(quota_empties_above(retries, cost, at_once));
                format!(
                    "{free} retries of a client while all fail, then none; it empties while more than {above} of the attempts fail"
                )
            }
        };
        vec![format!("{}: {limit} (its budget)", around.name)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "budget",
            word: "",
            what: "Limits the retries and copies of a client as a whole, over all its calls on the edge. A \
                   refused retry ends the call; it is dropped, not delayed.",
            hurts: "In small trouble it costs: a burst of failures that retries would have hidden shows once the \
                   tokens are gone. Each client has one: a thousand clients with ten tokens each may retry ten \
                   thousand times at once.",
            formula: "at most `1 + ratio` attempts per call in the long run, and what the bucket held at first; \
                   gRPC throttles while more than `ratio / (1 + ratio)` of the attempts fail (9.1 % at 0.1); \
                   Finagle adds a floor a second; a share `b` of what is out is `b / (1 - b)` retries per call \
                   if all take as long and nobody backs off; AWS's quota is 35 retries while all fail",
            source: "Brooker, \"Fixing retries with token buckets and circuit breakers\", 2022; gRPC A6; Site \
                   Reliability Engineering, chapter 21; Finagle RetryBudget (0e26b57), tower 0.5.3 TpsBudget; \
                   Envoy retry_state_impl.cc; botocore 1.44.5 retries/quota.py",
            experiment: "tight-retry",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "Ratio(ratio: 0.1, burst: 5)",
            "Ratio(ratio: 0, burst: 1)",
            "Ratio(ratio: 0.5, burst: 2, of: Successes)",
            "Throttle(max_tokens: 5)",
            "Window()",
            r#"Window(ratio: 0.5, min_per_sec: 0, ttl: "50ms", of: Successes)"#,
            r#"Window(ratio: 0, min_per_sec: 20, ttl: "100ms", library: Tower)"#,
            "Concurrent()",
            "Concurrent(ratio: 0, at_least: 1)",
            "Concurrent(ratio: 0.5, at_least: 0, held: Sent)",
            "Quota()",
            "Quota(capacity: 30, cost: 5, timed_out: 10)",
        ]
    }
}

fn millionths(tokens: f64) -> u64 {
    (tokens * TOKEN as f64 + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::Words;

    pub fn ratio(ratio: f64, burst: u32) -> BudgetState {
        BudgetState::new(&Budget::Ratio { ratio, burst, of: Paid::Calls })
    }

    pub fn throttle(max_tokens: u32, token_ratio: f64) -> BudgetState {
        BudgetState::new(&Budget::Throttle { max_tokens, token_ratio })
    }

    /// What happens to a budget, now.
    pub fn begins(budget: &mut BudgetState) {
        budget.on_call(SimTime::ZERO);
    }

    pub fn succeeds(budget: &mut BudgetState) {
        budget.ended(SimTime::ZERO, Outcome::Ok, false, Grant::NONE);
    }

    pub fn fails(budget: &mut BudgetState) {
        budget.ended(SimTime::ZERO, Outcome::Error, true, Grant::NONE);
    }

    /// Whole tokens and parts of one.
    pub fn tokens(budget: &BudgetState) -> f64 {
        let (BudgetState::Ratio(Ratio { bucket, .. }) | BudgetState::Throttle(Throttle { bucket, .. })) =
            budget
        else {
            panic!("it has no bucket");
        };
        bucket.tokens as f64 / TOKEN as f64
    }

    pub fn pays(budget: &mut BudgetState) -> bool {
        budget.withdraw(SimTime::ZERO, Some(Outcome::Error)).is_some()
    }

    /// Retries of `calls` calls of up to `1 + max_retries` attempts that fail with probability `p`.
    pub fn retries(
        budget: &mut BudgetState,
        calls: u32,
        max_retries: u32,
        p: f64,
        words: &mut impl Words,
    ) -> u32 {
        let mut retries = 0;
        for _ in 0..calls {
            let now = SimTime::ZERO;
            budget.on_call(now);
            let mut grant = Grant::NONE;
            for tried in 0.. {
                budget.sent(grant);
                if words.unit() >= p {
                    budget.ended(now, Outcome::Ok, false, grant);
                    break;
                }
                budget.ended(now, Outcome::Error, true, grant);
                if tried == max_retries {
                    break;
                }
                let Some(next) = budget.withdraw(now, Some(Outcome::Error)) else { break };
                grant = next;
                retries += 1;
            }
        }
        retries
    }
}
