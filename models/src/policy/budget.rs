//! A limit on retries that holds for a client as a whole: what bounds load while everything fails.
//!
//! # Why a budget and not only a number of attempts
//! A limit on the attempts of one call multiplies: if all fail, `n` attempts are `n` times the load, for as
//! long as they fail. A budget adds: with a deposit of `b` tokens per call and one token per retry, retries
//! are at most `b` of the calls plus what the bucket held at the start, so load is at most `1 + b` in the
//! long run, whatever fails (Brooker 2022, "Fixing retries with token buckets and circuit breakers"; the
//! SRE book's 10 % per client). A refused retry ends the call; it is dropped, not delayed.
//!
//! Budgets differ in what they divide by, each in a file of its own: [`ratio`] by calls, [`throttle`] by failures. To compare
//! them is to say that.
//!
//! Tokens are whole millionths, never below 0 and never above the bucket's size.

mod ratio;
mod throttle;

use super::Outcome;
use super::page::Page;
use super::part::{Around, Does, Part, Rationed};
use crate::experiment::{Decode, Decoder, Node};
use crate::theory::throttle_stops_above;
use ratio::Ratio;
use sim_core::SimTime;
use throttle::Throttle;

spec! {
    /// A limit on the retries and copies of one client, over all its calls on the edge. It starts full.
    pub enum Budget {
        /// Retries as a fraction of calls: each call pays in `ratio` tokens, each retry takes one.
        Ratio {
            /// What a call pays in: retries per call in the long run. 0.1 in the SRE book, 0.2 in Finagle.
            ratio: f64 = DEFAULT_RATIO; 0.0..=10.0,
            /// The most tokens that are saved up, and what the client starts with: retries at once.
            burst: u32 = DEFAULT_BURST; 1..=1_000_000,
        },
        /// gRPC's `retryThrottling`: each failure takes a token, each success pays in `token_ratio`, and
        /// retries go only while more than half of `max_tokens` are left.
        Throttle {
            /// The most tokens, and what the client starts with.
            max_tokens: u32 = DEFAULT_BURST; 1..=1000,
            /// What a success pays in.
            token_ratio: f64 = DEFAULT_RATIO; 0.001..=1000.0,
        },
    }
}

/// Retries per call. The SRE book's per-client ratio; gRPC's example for its own ratio.
pub const DEFAULT_RATIO: f64 = 0.1;
/// Tokens of a full bucket. gRPC's example; Brooker's simulation has 5.
pub const DEFAULT_BURST: u32 = 10;

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
    /// See [`ratio`].
    Ratio(Ratio),
    /// See [`throttle`].
    Throttle(Throttle),
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
            Budget::Ratio { ratio, burst } => BudgetState::Ratio(Ratio::new(ratio, burst)),
            Budget::Throttle { max_tokens, token_ratio } => {
                BudgetState::Throttle(Throttle::new(max_tokens, token_ratio))
            }
        }
    }

    /// A call begins.
    #[inline]
    pub fn on_call(&mut self, _now: SimTime) {
        if let BudgetState::Ratio(ratio) = self {
            ratio.on_call();
        }
    }

    /// An attempt is sent, on such a grant if it repeats.
    #[inline]
    pub fn sent(&mut self, _grant: Grant) {}

    /// An attempt has ended that was sent on such a grant. `would_repeat`: its failure is one that is tried again, whether
    /// or not tries are left.
    #[inline]
    pub fn ended(&mut self, _now: SimTime, outcome: Outcome, would_repeat: bool, _grant: Grant) {
        if let BudgetState::Throttle(throttle) = self {
            match outcome {
                Outcome::Ok => throttle.on_success(),
                _ if would_repeat => throttle.on_failure(),
                _ => {}
            }
        }
    }

    /// Whether one more retry after such a failure is within the budget, or, after none, one more copy; if so it is paid
    /// for. Ask after what failed has [`ended`](Self::ended), and only when a repetition would follow.
    #[inline]
    #[must_use]
    pub fn withdraw(&mut self, _now: SimTime, _after: Option<Outcome>) -> Option<Grant> {
        let granted = match self {
            BudgetState::Ratio(ratio) => ratio.withdraw(),
            BudgetState::Throttle(throttle) => throttle.withdraw(),
        };
        granted.then_some(Grant::NONE)
    }

    /// What was granted was not sent after all.
    pub fn give_back(&mut self, _grant: Grant) {}

    /// Tokens left, for display.
    pub fn tokens(&self) -> f64 {
        let (BudgetState::Ratio(Ratio { bucket, .. }) | BudgetState::Throttle(Throttle { bucket, .. })) =
            self;
        bucket.tokens as f64 / TOKEN as f64
    }
}

impl Part for Budget {
    fn does(&self) -> Does {
        Does::RATIONS
    }

    fn brief(&self) -> Option<String> {
        Some(format!("budget {}", self.encode().plain()))
    }

    fn sustains(&self) -> f64 {
        match *self {
            Budget::Ratio { ratio, .. } => ratio,
            // It stops them all while more than a few per cent fail.
            Budget::Throttle { .. } => 0.0,
        }
    }

    fn rationed(&self, of: &Rationed) -> Option<(f64, &'static str)> {
        Some(match *self {
            Budget::Ratio { ratio, burst } => ratio::rationed(ratio, burst, of),
            Budget::Throttle { max_tokens, token_ratio } => throttle::rationed(max_tokens, token_ratio, of),
        })
    }

    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        if around.worst().sent() == 1 {
            let message = "there are no retries for this budget to limit";
            cx.at("budget", |cx| _ = cx.warn(at.span_of("budget"), message));
        }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        if around.worst().sent() == 1 {
            return Vec::new();
        }
        let limit = match *self {
            Budget::Ratio { ratio, .. } => {
                format!("load is at most {} times the calls in the long run, whatever fails", 1.0 + ratio)
            }
            Budget::Throttle { token_ratio, .. } => format!(
                "no retries while more than {:.1} % of the attempts fail, no limit while fewer do",
                100.0 * throttle_stops_above(token_ratio)
            ),
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
                   gRPC throttles while more than `ratio / (1 + ratio)` of the attempts fail (9.1 % at 0.1)",
            source: "Brooker, \"Fixing retries with token buckets and circuit breakers\", 2022; gRPC A6; Site \
                   Reliability Engineering, chapter 21; Finagle RetryBudget",
            experiment: "retry-storm",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Ratio(ratio: 0.1, burst: 5)", "Ratio(ratio: 0, burst: 1)", "Throttle(max_tokens: 5)"]
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
        BudgetState::new(&Budget::Ratio { ratio, burst })
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
