//! The retry quota of AWS's clients: a store that retries are paid from, and that successes fill.
//!
//! It holds 500 at the start and at most. A retry costs 14, 5 if the service said that it is too much; before 2026 it was 5, and 10
//! after a timeout. A call that succeeds at last gets back what its last retry cost, one that succeeded at once pays in 1, and
//! one that fails gets nothing back. So failures that a retry mends cost nothing, and those that no retry mends empty the store:
//! a client that meets nothing else has 35 retries in all, or 100 before 2026. Where failures are luck the store is full
//! or empty: with two retries it empties where more than 21.5 % of the attempts fail, or 32.1 % before 2026
//! ([`quota_empties_above`](crate::theory::quota_empties_above)).
//!
//! Read: botocore 1.44.5 and 1.34.0, `retries/quota.py` and `retries/standard.py`.

use super::Grant;
use crate::policy::Outcome;
use crate::policy::part::Rationed;

/// The store of one client.
#[derive(Clone, Debug)]
pub struct Quota {
    left: u32,
    capacity: u32,
    /// By the number of the grant; the first is what a success pays in that took no retry.
    costs: [u32; 4],
}

const AT_ONCE: u8 = 0;
const USUAL: u8 = 1;
const TIMED_OUT: u8 = 2;
const REJECTED: u8 = 3;

impl Quota {
    /// A full store. Costs: after a failure, a timeout, a rejection; and what pays in who succeeds at once.
    pub fn new(capacity: u32, [cost, timed_out, rejected]: [u32; 3], at_once: u32) -> Self {
        Quota { left: capacity, capacity, costs: [at_once, cost, timed_out, rejected] }
    }

    /// Whether enough is left to try again after such a failure; if so it is taken.
    #[must_use]
    pub fn withdraw(&mut self, after: Option<Outcome>) -> Option<Grant> {
        let number = match after {
            Some(Outcome::TimedOut) => TIMED_OUT,
            Some(Outcome::Rejected) => REJECTED,
            _ => USUAL,
        };
        self.left = self.left.checked_sub(self.costs[usize::from(number)])?;
        Some(Grant::numbered(number))
    }

    /// An attempt succeeded that was sent on such a grant.
    #[inline]
    pub fn on_success(&mut self, grant: Grant) {
        debug_assert!(Grant::NONE.number() == AT_ONCE);
        let back = self.costs[usize::from(grant.number())];
        self.left = self.left.saturating_add(back).min(self.capacity);
    }
}

/// Attempts per call, where every attempt fails and each retry costs the same: what was in the store at the start.
pub fn rationed(capacity: u32, costs: [u32; 3], of: &Rationed) -> Option<(f64, &'static str)> {
    let cost = costs[0];
    if of.p_fail < 1.0 || costs[1] != cost || cost == 0 {
        return None;
    }
    let in_all = f64::from(capacity / cost * of.clients);
    let granted = |calls: u64| in_all.min((of.unlimited - 1.0) * calls as f64);
    let retries = granted(of.before + of.calls) - granted(of.before);
    Some((1.0 + retries / of.calls as f64, "1 + what the store paid for at the start per call"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::quota_empties_above;
    use sim_core::{Streams, Words};

    const STANDARD: [u32; 3] = [14, 14, 5];
    const BEFORE_2026: [u32; 3] = [5, 10, 5];

    /// Attempts of one call, one after another; what is left afterwards.
    fn call(quota: &mut Quota, attempts: &[Outcome]) -> (usize, u32) {
        let mut grant = Grant::NONE;
        for (number, outcome) in attempts.iter().enumerate() {
            if *outcome == Outcome::Ok {
                quota.on_success(grant);
            } else if number + 1 < attempts.len() {
                match quota.withdraw(Some(*outcome)) {
                    Some(next) => grant = next,
                    None => return (number + 1, quota.left),
                }
            }
        }
        (attempts.len(), quota.left)
    }

    /// botocore's own tests of its quota and of its checker, and what running it says: the attempts of calls, one after
    /// another, how many were made, and what is left.
    #[test]
    fn call_by_call() {
        use Outcome::{Error, Ok, Rejected, Reset, TimedOut};
        let fail: &[Outcome] = &[Error, Error, Error];
        type Row<'a> = (&'a [Outcome], usize, u32);
        let table: [([u32; 3], &[Row]); 2] = [
            (
                STANDARD,
                &[
                    (&[Ok], 1, 500), // never more than full
                    (fail, 3, 472),
                    (&[Ok], 1, 473),
                    (&[Error, Ok], 2, 473),              // the retry comes back
                    (&[Error, Error, Ok], 3, 459),       // the last one
                    (&[Rejected, Error, Ok], 3, 454),    // 5 and 14, and 14 back
                    (&[TimedOut, Rejected, Ok], 3, 440), // 14 and 5, and 5 back
                    (&[Reset, TimedOut, TimedOut], 3, 412),
                ],
            ),
            (
                BEFORE_2026,
                &[
                    (fail, 3, 490),
                    (&[TimedOut, TimedOut, TimedOut], 3, 470),
                    (&[TimedOut, Error, Ok], 3, 460),
                ],
            ),
        ];
        for (costs, calls) in table {
            let mut quota = Quota::new(500, costs, 1);
            for (number, (attempts, made, left)) in calls.iter().enumerate() {
                assert_eq!(call(&mut quota, attempts), (*made, *left), "{costs:?}, call {number}");
            }
        }
        // 35 retries, then none: 10 is less than 14, and 5 is enough for one more rejection.
        let mut quota = Quota::new(500, STANDARD, 1);
        let made: Vec<usize> = (0..20).map(|_| call(&mut quota, fail).0).collect();
        assert_eq!((made.iter().sum::<usize>(), quota.left), (20 + 35, 10));
        assert_eq!(call(&mut quota, &[Rejected, Rejected, Rejected]), (3, 0));
    }

    /// Where attempts fail by luck it is full below, and as good as empty above.
    #[test]
    fn where_it_empties() {
        for (costs, retries, above) in
            [(STANDARD, 2, 0.2149), (BEFORE_2026, 2, 0.3207), (STANDARD, 1, 0.2339)]
        {
            let edge = quota_empties_above(retries, f64::from(costs[0]), 1.0);
            assert!((edge - above).abs() < 0.0001, "{edge} for {above}");
            for (p, full) in [(above - 0.02, true), (above + 0.02, false)] {
                let mut words = Streams::new(9).stream("test", &format!("{retries}/{p}"));
                let mut quota = Quota::new(500, costs, 1);
                let mut refused = 0;
                for _ in 0..200_000 {
                    let mut outcomes: Vec<Outcome> = Vec::new();
                    for _ in 0..=retries {
                        let fails = words.unit() < p;
                        outcomes.push(if fails { Outcome::Error } else { Outcome::Ok });
                        if !fails {
                            break;
                        }
                    }
                    refused += u32::from(call(&mut quota, &outcomes).0 < outcomes.len());
                }
                let share = f64::from(refused) / 200_000.0;
                assert_eq!(share < 0.001, full, "{costs:?}, {retries} retries at {p}: {share}");
            }
        }
    }
}
