//! Envoy's retry budget, which divides by the *requests out*: at most so many retries are out at a time, a share of all
//! attempts that are out, and a few in any case.
//!
//! It limits what is there at once, so what it lets through depends on how long things take. If a retry takes as long as any
//! other attempt and its back-off is short, a share of `b` is `b / (1 - b)` retries per call: 25 % for 20 %. Where retries
//! take a timeout and the rest takes none it is far less, and `at_least` may be all there is. At `ratio: 0` only that is left,
//! which is Envoy without a budget: `max_retries: 3`.
//!
//! # When a retry begins to count
//! In Envoy's code (`retry_state_impl.cc`, `resource_manager_impl.h`) it counts from when the back-off before it begins: the slot
//! is taken and then the timer set. A retry that waits is no request that is out, so long back-offs use the budget up while
//! nothing is sent. With `held: Sent` it counts from when it is sent, as the documentation's "concurrent retries" might be read.
//! What waits for a connection is out as well, as in Envoy, which counts what is active or pending.
//! What failed with an answer is still out when Envoy decides whether to try again; what timed out is not.

use super::Grant;
use crate::policy::Outcome;

spec! {
    /// From when a retry counts.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Held {
        /// From the beginning of the pause before it.
        BackOff,
        /// From when it is sent.
        Sent,
    }
}

/// What one client has out.
#[derive(Clone, Debug)]
pub struct Concurrent {
    ratio: f64,
    at_least: u32,
    held: Held,
    out: u32,
    /// Of them retries and copies, and those that are going to be if they count already.
    repeated: u32,
}

/// That of every repetition.
const GRANT: u8 = 1;

impl Concurrent {
    /// A client that has nothing out.
    pub fn new(ratio: f64, at_least: u32, held: Held) -> Self {
        Concurrent { ratio, at_least, held, out: 0, repeated: 0 }
    }

    /// Whether one more may be out.
    #[must_use]
    pub fn withdraw(&mut self, after: Option<Outcome>) -> Option<Grant> {
        let answered = matches!(after, Some(Outcome::Error | Outcome::Rejected));
        let out = self.out + u32::from(answered);
        let most = self.at_least.max((self.ratio * f64::from(out)) as u32);
        if self.repeated >= most {
            return None;
        }
        self.repeated += u32::from(self.held == Held::BackOff);
        Some(Grant::numbered(GRANT))
    }

    /// An attempt is sent.
    #[inline]
    pub fn sent(&mut self, grant: Grant) {
        self.out += 1;
        self.repeated += u32::from(grant != Grant::NONE && self.held == Held::Sent);
    }

    /// One that was to be sent is not after all; if it repeats, it may yet.
    pub fn unsent(&mut self, grant: Grant) {
        self.out = self.out.checked_sub(1).expect("an attempt that was never to be sent");
        if grant != Grant::NONE && self.held == Held::Sent {
            self.one_less();
        }
    }

    /// One that was sent has ended.
    #[inline]
    pub fn ended(&mut self, grant: Grant) {
        self.out = self.out.checked_sub(1).expect("an attempt ended twice");
        if grant != Grant::NONE {
            self.one_less();
        }
    }

    /// A repetition is not sent after all.
    pub fn give_back(&mut self) {
        if self.held == Held::BackOff {
            self.one_less();
        }
    }

    fn one_less(&mut self) {
        self.repeated = self.repeated.checked_sub(1).expect("a retry's place was given back twice");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens, and (out, repeated) afterwards; of `asks`, whether it may.
    #[test]
    fn step_by_step() {
        let asks = |outcome| Some(Some(outcome));
        let copy = Some(None);
        let (sends, ends) = (None, None);
        type Step<'a> = (&'a str, Option<Option<Outcome>>, bool, (u32, u32));
        let table: [(f64, u32, Held, &[Step]); 4] = [
            // max_retries: 3, whatever is out.
            (
                0.0,
                3,
                Held::BackOff,
                &[
                    ("send", sends, false, (1, 0)),
                    ("end", ends, false, (0, 0)),
                    ("ask", asks(Outcome::Error), true, (0, 1)),
                    ("ask", asks(Outcome::Error), true, (0, 2)),
                    ("ask", asks(Outcome::TimedOut), true, (0, 3)),
                    ("ask", asks(Outcome::TimedOut), false, (0, 3)),
                    ("send a retry", sends, false, (1, 3)),
                    ("ask", asks(Outcome::TimedOut), false, (1, 3)),
                    ("end a retry", ends, false, (0, 2)),
                    ("give back", None, false, (0, 1)),
                    ("ask", copy, true, (0, 2)),
                ],
            ),
            // The same, and a retry counts when it is sent: while all back off any number may.
            (
                0.0,
                1,
                Held::Sent,
                &[
                    ("ask", asks(Outcome::Error), true, (0, 0)),
                    ("ask", asks(Outcome::Error), true, (0, 0)),
                    ("send a retry", sends, false, (1, 1)),
                    ("ask", asks(Outcome::Error), false, (1, 1)),
                    ("send a retry", sends, false, (2, 2)),
                    ("end a retry", ends, false, (1, 1)),
                    ("give back", None, false, (1, 1)),
                ],
            ),
            // A fifth of what is out, rounded down: what was answered is out as well.
            (
                0.2,
                0,
                Held::BackOff,
                &[
                    ("send", sends, false, (1, 0)),
                    ("send", sends, false, (2, 0)),
                    ("send", sends, false, (3, 0)),
                    ("send", sends, false, (4, 0)),
                    ("ask", asks(Outcome::TimedOut), false, (4, 0)),
                    ("ask", copy, false, (4, 0)),
                    ("ask", asks(Outcome::Rejected), true, (4, 1)),
                    ("ask", asks(Outcome::Rejected), false, (4, 1)),
                ],
            ),
            // The larger of both.
            (
                0.5,
                1,
                Held::BackOff,
                &[
                    ("ask", asks(Outcome::TimedOut), true, (0, 1)),
                    ("ask", asks(Outcome::TimedOut), false, (0, 1)),
                    ("send", sends, false, (1, 1)),
                    ("send", sends, false, (2, 1)),
                    ("send", sends, false, (3, 1)),
                    ("ask", asks(Outcome::TimedOut), false, (3, 1)),
                    ("send", sends, false, (4, 1)),
                    ("ask", asks(Outcome::TimedOut), true, (4, 2)),
                ],
            ),
        ];
        for (ratio, at_least, held, steps) in table {
            let mut budget = Concurrent::new(ratio, at_least, held);
            let grant = Grant::numbered(GRANT);
            for (number, (step, after, may, left)) in steps.iter().enumerate() {
                let found = match (*step, after) {
                    ("ask", Some(after)) => budget.withdraw(*after).is_some(),
                    (step, _) => {
                        match step {
                            "send" => budget.sent(Grant::NONE),
                            "send a retry" => budget.sent(grant),
                            "end" => budget.ended(Grant::NONE),
                            "end a retry" => budget.ended(grant),
                            _ => budget.give_back(),
                        }
                        false
                    }
                };
                let here = format!("{ratio}, {at_least}, step {number}: {step}");
                assert_eq!((found, (budget.out, budget.repeated)), (*may, *left), "{here}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "given back twice")]
    fn a_place_comes_back_once() {
        Concurrent::new(0.0, 3, Held::BackOff).give_back();
    }
}
