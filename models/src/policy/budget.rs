//! A limit on retries that holds for a client as a whole: what bounds load while everything fails.
//!
//! # Why a budget and not only a number of attempts
//! A limit on the attempts of one call multiplies: if all fail, `n` attempts are `n` times the load, for as
//! long as they fail. A budget adds: with a deposit of `b` tokens per call and one token per retry, retries
//! are at most `b` of the calls plus what the bucket held at the start, so load is at most `1 + b` in the
//! long run, whatever fails (Brooker 2022, "Fixing retries with token buckets and circuit breakers"; the
//! SRE book's 10 % per client). A refused retry ends the call; it is dropped, not delayed.
//!
//! gRPC's throttle divides by something else, the *failures*: each takes a token, each success returns a
//! few, and retries stop while less than half of the tokens are left. In the long run that is while more
//! than `ratio / (1 + ratio)` of the attempts fail: 9.1 % for 0.1. Far below it retries are free, far above it there
//! are none at all; how far depends on the size of the bucket. To compare budgets is to say what each divides by.
//!
//! Tokens are whole millionths, never below 0 and never above the bucket's size.

use super::part::{Around, Does, Part, Rationed};
use crate::experiment::{Decode, Decoder, Node};
use crate::theory::{Throttle, throttle_stops_above};

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

/// The tokens of one client.
#[derive(Clone, Debug)]
pub struct BudgetState {
    /// Millionths of a token; at most `full`.
    tokens: u64,
    full: u64,
    terms: Terms,
}

/// What pays in, in millionths of a token.
#[derive(Clone, Copy, Debug)]
enum Terms {
    Ratio { per_call: u64 },
    Throttle { per_success: u64 },
}

/// One token, and the price of a retry or a failure.
const TOKEN: u64 = 1_000_000;

impl BudgetState {
    /// A full bucket.
    pub fn new(budget: &Budget) -> Self {
        let (full, terms) = match *budget {
            Budget::Ratio { ratio, burst } => (burst, Terms::Ratio { per_call: millionths(ratio) }),
            Budget::Throttle { max_tokens, token_ratio } => {
                (max_tokens, Terms::Throttle { per_success: millionths(token_ratio) })
            }
        };
        let full = u64::from(full) * TOKEN;
        BudgetState { tokens: full, full, terms }
    }

    /// A call begins.
    #[inline]
    pub fn on_call(&mut self) {
        if let Terms::Ratio { per_call } = self.terms {
            self.pay_in(per_call);
        }
    }

    /// An attempt succeeded.
    #[inline]
    pub fn on_success(&mut self) {
        if let Terms::Throttle { per_success } = self.terms {
            self.pay_in(per_success);
        }
    }

    /// An attempt ended in a failure that the retry policy would retry, whether or not tries are left.
    #[inline]
    pub fn on_failure(&mut self) {
        if let Terms::Throttle { .. } = self.terms {
            self.tokens = self.tokens.saturating_sub(TOKEN);
        }
    }

    /// Whether one more retry is within the budget; if so it is paid for. Ask after
    /// [`on_failure`](Self::on_failure), and only when a retry would follow.
    #[inline]
    #[must_use]
    pub fn withdraw(&mut self) -> bool {
        match self.terms {
            Terms::Ratio { .. } => match self.tokens.checked_sub(TOKEN) {
                Some(rest) => {
                    self.tokens = rest;
                    true
                }
                None => false,
            },
            Terms::Throttle { .. } => self.tokens > self.full / 2,
        }
    }

    /// Tokens left, for display.
    pub fn tokens(&self) -> f64 {
        self.tokens as f64 / TOKEN as f64
    }

    #[inline]
    fn pay_in(&mut self, tokens: u64) {
        self.tokens = (self.tokens + tokens).min(self.full);
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
            Budget::Ratio { ratio, burst } => {
                let clients = f64::from(of.clients);
                // The first deposit of each client meets a full bucket; at the end a part of a token is left over.
                let granted = |calls: f64| {
                    let tokens = f64::from(burst) * clients + ratio * (calls - clients);
                    let spent = match of.clients {
                        _ if of.p_fail < 1.0 => tokens,
                        1 => (tokens + 1e-9).floor(),
                        _ => tokens - left_over(ratio) * clients,
                    };
                    spent.min((of.unlimited - 1.0) * calls).max(0.0)
                };
                let (calls, before) = (of.calls as f64, of.before as f64);
                let retries = granted(before + calls) - granted(before);
                (
                    1.0 + retries / calls,
                    if of.p_fail == 1.0 {
                        "1 + ratio + what is left of the budget's first fill per call"
                    } else {
                        "1 + min(p + .. + p^r, ratio + what is left of the first fill), approximate: a large budget"
                    },
                )
            }
            Budget::Throttle { max_tokens, token_ratio } => {
                let throttle = Throttle {
                    token: TOKEN,
                    full: u64::from(max_tokens) * TOKEN,
                    per_success: millionths(token_ratio),
                };
                match throttle.attempts(of.p_fail, of.retries) {
                    Some(attempts) => (
                        attempts,
                        "the throttle's tokens as a Markov chain, approximate: one call after another",
                    ),
                    None => (
                        if of.p_fail > throttle_stops_above(token_ratio) { 1.0 } else { of.unlimited },
                        "no retries above ratio / (1 + ratio) of failures, approximate: a large throttle",
                    ),
                }
            }
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

    fn samples() -> &'static [&'static str] {
        &["Ratio(ratio: 0.1, burst: 5)", "Ratio(ratio: 0, burst: 1)", "Throttle(max_tokens: 5)"]
    }
}

/// What is left of a token on average when less than one is: it comes in steps.
fn left_over(ratio: f64) -> f64 {
    let (mut step, mut rest) = (TOKEN, millionths(ratio) % TOKEN);
    while rest > 0 {
        (step, rest) = (rest, step % rest);
    }
    0.5 * (1.0 - step as f64 / TOKEN as f64)
}

fn millionths(tokens: f64) -> u64 {
    (tokens * TOKEN as f64 + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Streams, Words};

    fn ratio(ratio: f64, burst: u32) -> BudgetState {
        BudgetState::new(&Budget::Ratio { ratio, burst })
    }

    fn throttle(max_tokens: u32, token_ratio: f64) -> BudgetState {
        BudgetState::new(&Budget::Throttle { max_tokens, token_ratio })
    }

    /// Retries of `calls` calls of up to `1 + max_retries` attempts that fail with probability `p`.
    fn retries(
        budget: &mut BudgetState,
        calls: u32,
        max_retries: u32,
        p: f64,
        words: &mut impl Words,
    ) -> u32 {
        let mut retries = 0;
        for _ in 0..calls {
            budget.on_call();
            for tried in 0.. {
                if words.unit() >= p {
                    budget.on_success();
                    break;
                }
                budget.on_failure();
                if tried == max_retries || !budget.withdraw() {
                    break;
                }
                retries += 1;
            }
        }
        retries
    }

    #[test]
    fn a_full_bucket_pays_for_a_burst_and_then_for_every_tenth_call() {
        let mut budget = ratio(0.1, 3);
        let granted: Vec<bool> = (0..30)
            .map(|_| {
                budget.on_call();
                budget.withdraw()
            })
            .collect();
        let at: Vec<usize> = (0..30).filter(|&i| granted[i]).collect();
        // The first deposit meets a full bucket and is lost, so the fourth token is there at call 11.
        assert_eq!(at, [0, 1, 2, 10, 20]);
    }

    #[test]
    fn tenths_add_up_exactly() {
        let mut budget = ratio(0.1, 1);
        assert!(budget.withdraw() && !budget.withdraw());
        for call in 1..=10 {
            budget.on_call();
            assert_eq!(budget.tokens(), f64::from(call) / 10.0);
        }
        budget.on_call();
        assert_eq!(budget.tokens(), 1.0, "never more than the bucket holds");
    }

    /// Claim C15: if all fail, three retries are 4.000x, and a budget of 10 % is 1.100x.
    #[test]
    fn a_budget_bounds_load_where_a_number_of_attempts_multiplies_it() {
        const CALLS: u32 = 100_000;
        let mut words = Streams::new(1).stream("test", "c15");
        for (b, retries_paid) in [(0.1, 10_000), (0.2, 20_000), (0.25, 25_000)] {
            let paid = retries(&mut ratio(b, 10), CALLS, 3, 1.0, &mut words);
            assert!(paid.abs_diff(retries_paid + 10) <= 1, "{b}: {paid}");
        }
    }

    /// Rows of `retry_budget_cap.csv` (reference oracles): budget, retries, failure probability, retries per
    /// call. The fluid law is `min(b, p + .. + p^r)`; rows within a few percent of where the two meet are
    /// left out, because there the bucket's size decides.
    #[test]
    fn retries_per_call_are_the_smaller_of_demand_and_budget() {
        const CALLS: u32 = 200_000;
        for (b, max_retries, p, expected) in [
            (0.1, 1, 0.01, 0.01),
            (0.1, 1, 0.05, 0.05),
            (0.1, 1, 0.2, 0.1),
            (0.1, 1, 0.5, 0.1),
            (0.1, 3, 0.01, 0.010101),
            (0.1, 3, 0.05, 0.052625),
            (0.1, 3, 0.5, 0.1),
            (0.2, 1, 0.1, 0.1),
            (0.2, 3, 0.1, 0.111),
            (0.2, 1, 0.5, 0.2),
            (0.25, 3, 0.1, 0.111),
            (0.25, 3, 0.5, 0.25),
        ] {
            let mut words = Streams::new(7).stream("test", &format!("{b}/{max_retries}/{p}"));
            let burst = 100;
            let paid = retries(&mut ratio(b, burst), CALLS, max_retries, p, &mut words);
            let calls = f64::from(CALLS);
            let measured = f64::from(paid) / calls;
            // Retries of one call have a variance below their second moment, at most `max_retries` times
            // their mean; the burst comes on top of the budget once.
            let error = (f64::from(max_retries) * expected / calls).sqrt();
            let start = if expected == b { f64::from(burst) / calls } else { 0.0 };
            assert!((measured - start - expected).abs() < 4.0 * error, "{b} {max_retries} {p}: {measured}");
        }
    }

    #[test]
    fn retries_never_exceed_the_burst_and_the_deposits() {
        let mut words = Streams::new(3).stream("test", "bound");
        let mut budget = ratio(0.1, 10);
        let mut paid = 0;
        for calls in 1..=20_000u32 {
            let p = if words.below(1_000) < 500 { 0.02 } else { 0.9 };
            paid += retries(&mut budget, 1, 3, p, &mut words);
            assert!(paid <= 10 + calls / 10, "{paid} retries of {calls} calls");
            assert!((0.0..=10.0).contains(&budget.tokens()));
        }
        assert!(paid > 1_500, "the bound is of interest only if it is approached: {paid}");
    }

    /// Measured on two gRPC clients: always failing, 10 tokens, 4 attempts: calls cost 4, 1, 1, 1 attempts.
    #[test]
    fn a_throttle_stops_retries_at_half_of_its_tokens() {
        let mut budget = throttle(10, 0.1);
        let mut words = Streams::new(1).stream("test", "grpc");
        let attempts: Vec<u32> = (0..5).map(|_| 1 + retries(&mut budget, 1, 3, 1.0, &mut words)).collect();
        assert_eq!(attempts, [4, 1, 1, 1, 1]);
        assert_eq!(budget.tokens(), 2.0);
    }

    /// `grpc_throttle.csv` (reference oracles): failures from full until retries stop, successes from empty
    /// until one more lets them go again, and the failing fraction between the two regimes.
    #[test]
    fn a_throttle_divides_by_failures() {
        for (max_tokens, token_ratio, to_stop, to_threshold, fraction) in [
            (10, 0.1, 5, 50, 0.09090909091),
            (100, 0.1, 50, 500, 0.09090909091),
            (10, 0.5, 5, 10, 0.3333333333),
            (1000, 0.01, 500, 50_000, 0.009900990099),
        ] {
            let mut budget = throttle(max_tokens, token_ratio);
            let mut failures = 0;
            while budget.withdraw() {
                budget.on_failure();
                failures += 1;
            }
            assert_eq!(failures, to_stop);
            (0..max_tokens).for_each(|_| budget.on_failure());
            assert_eq!(budget.tokens(), 0.0, "never below 0");
            for _ in 0..to_threshold {
                budget.on_success();
                assert!(!budget.withdraw(), "exactly half is not more than half");
            }
            budget.on_success();
            assert!(budget.withdraw());

            for (share, goes) in [(fraction * 0.7, true), (fraction * 1.3, false)] {
                let mut words =
                    Streams::new(5).stream("test", &format!("{max_tokens}/{token_ratio}/{share}"));
                for _ in 0..2_000_000 {
                    if words.unit() < share { budget.on_failure() } else { budget.on_success() }
                }
                assert_eq!(budget.withdraw(), goes, "{share} of {max_tokens}, {token_ratio}");
            }
        }
    }
}
