//! A share of the calls: each pays in a part of a token, each retry takes a whole one. Or a share of the successes, which
//! is none of anything while all fail.
//!
//! Long-run load is at most `1 + ratio`, whatever fails. The bucket holds what was not used, up to its size, and is full at the start.

use super::{Bucket, Paid, TOKEN, millionths};
use crate::policy::part::Rationed;

/// The tokens of one client.
#[derive(Clone, Debug)]
pub struct Ratio {
    pub(super) bucket: Bucket,
    deposit: u32,
    paid: Paid,
}

impl Ratio {
    /// A full bucket.
    pub fn new(ratio: f64, burst: u32, paid: Paid) -> Self {
        Ratio { bucket: Bucket::full(burst), deposit: millionths(ratio) as u32, paid }
    }

    /// A call begins.
    #[inline]
    pub fn on_call(&mut self) {
        if self.paid == Paid::Calls {
            self.bucket.pay_in(self.deposit.into());
        }
    }

    /// An attempt succeeded.
    #[inline]
    pub fn on_success(&mut self) {
        if self.paid == Paid::Successes {
            self.bucket.pay_in(self.deposit.into());
        }
    }

    /// Whether there is a token for one more retry; if so it is taken.
    #[inline]
    #[must_use]
    pub fn withdraw(&mut self) -> bool {
        match self.bucket.tokens.checked_sub(TOKEN) {
            Some(rest) => {
                self.bucket.tokens = rest;
                true
            }
            None => false,
        }
    }
}

/// Attempts per call.
pub fn rationed(ratio: f64, burst: u32, of: &Rationed) -> (f64, &'static str) {
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

/// The same where successes pay in, those of retries among them.
pub fn of_successes(ratio: f64, burst: u32, of: &Rationed) -> (f64, &'static str) {
    let first = f64::from(burst) * f64::from(of.clients);
    let granted = |calls: u64| {
        let calls = calls as f64;
        let most = Paid::Successes.per_call(ratio, first / calls.max(1.0), of.p_fail);
        calls * most.min(of.unlimited - 1.0)
    };
    let retries = granted(of.before + of.calls) - granted(of.before);
    (
        1.0 + retries / of.calls as f64,
        "1 + min(p + .. + p^r, q / (1 - q)), q = ratio (1 - p), and the first fill, approximate: a large budget",
    )
}

/// What is left of a token on average when less than one is: it comes in steps.
fn left_over(ratio: f64) -> f64 {
    let (mut step, mut rest) = (TOKEN, millionths(ratio) % TOKEN);
    while rest > 0 {
        (step, rest) = (rest, step % rest);
    }
    0.5 * (1.0 - step as f64 / TOKEN as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{begins, pays, ratio, retries, tokens};
    use super::*;
    use sim_core::{Streams, Words};

    #[test]
    fn a_full_bucket_pays_for_a_burst_and_then_for_every_tenth_call() {
        let mut budget = ratio(0.1, 3);
        let granted: Vec<bool> = (0..30)
            .map(|_| {
                begins(&mut budget);
                pays(&mut budget)
            })
            .collect();
        let at: Vec<usize> = (0..30).filter(|&i| granted[i]).collect();
        // The first deposit meets a full bucket and is lost, so the fourth token is there at call 11.
        assert_eq!(at, [0, 1, 2, 10, 20]);
    }

    #[test]
    fn tenths_add_up_exactly() {
        let mut budget = ratio(0.1, 1);
        assert!(pays(&mut budget) && !pays(&mut budget));
        for call in 1..=10 {
            begins(&mut budget);
            assert_eq!(tokens(&budget), f64::from(call) / 10.0);
        }
        begins(&mut budget);
        assert_eq!(tokens(&budget), 1.0, "never more than the bucket holds");
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

    /// Half of the attempts fail: 0.1 for each success is `q = 0.05`, and `q / (1 - q)` retries per call, fewer than the
    /// 0.1 that calls pay in for; none but the first fill where all fail.
    #[test]
    fn what_successes_pay_in_for() {
        use super::super::{Budget, BudgetState};
        const CALLS: u32 = 200_000;
        let budget = || BudgetState::new(&Budget::Ratio { ratio: 0.1, burst: 10, of: Paid::Successes });
        for (p, per_call) in
            [(0.5, 0.05 / 0.95), (0.9, 0.01 / 0.99), (1.0, 0.0), (0.02, 0.02 + 0.0004 + 0.000008)]
        {
            let mut words = Streams::new(7).stream("test", &format!("successes/{p}"));
            let paid = f64::from(retries(&mut budget(), CALLS, 3, p, &mut words)) / f64::from(CALLS);
            assert!((paid - per_call).abs() < 0.03 * per_call + 11.0 / f64::from(CALLS), "{p}: {paid}");
            let of = Rationed {
                p_fail: p,
                retries: 3,
                unlimited: 1.0 + p + p * p + p * p * p,
                calls: u64::from(CALLS),
                before: 0,
                seconds: 1.0,
                clients: 1,
            };
            let said = of_successes(0.1, 10, &of).0 - 1.0;
            assert!((said - paid).abs() < 0.03 * per_call + 1e-6, "{p}: {said} for {paid}");
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
            assert!((0.0..=10.0).contains(&tokens(&budget)));
        }
        assert!(paid > 1_500, "the bound is of interest only if it is approached: {paid}");
    }
}
