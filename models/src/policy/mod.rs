//! Passive policies: `now` in, decision out.
//!
//! What stands between a caller and the network, in the order in which a call meets it:
//!
//! | policy | decides | state of one client |
//! |---|---|---|
//! | deadline | when a call is given up | none: a timer of the caller's |
//! | [`bulkhead`] | whether the call may begin | calls out |
//! | [`retry`] and [`backoff`] | whether to try again, and after how long | none |
//! | [`budget`] | whether the client can afford it | tokens |
//! | [`breaker`] | whether anything may be sent | position, window, probes |
//! | [`balancer`] | to which replica | turn, or attempts out |
//! | timeout | when an attempt is given up | none: a timer of the caller's |
//!
//! A policy never schedules, sleeps or reads a clock, and draws from the words it is handed. Each module has
//! what a file says (`Breaker`) and what runs (`BreakerState`, one per client and edge). Whoever makes calls
//! consults them; the order is written there, once.

pub mod backoff;
pub mod balancer;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
mod outcome;
pub mod retry;

pub use outcome::{ANY_SENT, Failure, Outcome, OutcomeSet};

use balancer::Balancer;
use breaker::Breaker;
use budget::Budget;
use bulkhead::Bulkhead;
use retry::{Retry, RetryPlan};
use sim_core::SimDuration;

spec! {
    /// How a caller protects itself and the service it calls.
    pub struct Policy {
        /// How long an attempt may take; for ever if absent.
        timeout: Option<SimDuration> = None,
        /// How long a call may take, all attempts and delays together; for ever if absent.
        deadline: Option<SimDuration> = None,
        /// Whether and when a failed attempt is tried again.
        retry: Retry = Retry::None,
        /// A limit on the retries of one client.
        budget: Option<Budget> = None,
        /// Stops sending to what keeps failing.
        breaker: Option<Breaker> = None,
        /// A limit on the calls of one client that are out at the same time.
        bulkhead: Option<Bulkhead> = None,
        /// Which replica an attempt goes to.
        balancer: Balancer = Balancer::RoundRobin,
    }
}

/// No timeout, no deadline, one attempt, round robin: what a call does that names no policy.
impl Default for Policy {
    fn default() -> Self {
        Policy {
            timeout: None,
            deadline: None,
            retry: Retry::None,
            budget: None,
            breaker: None,
            bulkhead: None,
            balancer: Balancer::RoundRobin,
        }
    }
}

impl Policy {
    /// What cannot be run: (field, message). The message continues the field's name.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let zero = Some(SimDuration::ZERO);
        if self.timeout == zero {
            problems.push(("timeout".into(), "must be longer than 0, or every attempt is too late".into()));
        }
        if self.deadline == zero {
            problems.push(("deadline".into(), "must be longer than 0, or every call is too late".into()));
        }
        let mut nested = |name: &str, found: Vec<(&'static str, String)>| {
            problems.extend(found.into_iter().map(|(field, message)| (format!("{name}.{field}"), message)));
        };
        nested("retry", self.retry.problems());
        nested("breaker", self.breaker.as_ref().map(Breaker::problems).unwrap_or_default());
        problems
    }

    /// What runs but is probably not meant: (field, message).
    pub fn warnings(&self) -> Vec<(String, String)> {
        let mut warnings = Vec::new();
        let mut warn = |field: &str, message: String| warnings.push((field.to_owned(), message));
        let plan = RetryPlan::new(&self.retry);
        if let (Some(timeout), Some(deadline)) = (self.timeout, self.deadline) {
            let begin = plan.attempts_that_begin(timeout, deadline);
            if deadline < timeout {
                warn(
                    "deadline",
                    format!("is shorter than `timeout` ({timeout}), so no attempt ever times out"),
                );
            } else if begin < plan.attempts() {
                let attempts = plan.attempts();
                warn(
                    "deadline",
                    format!(
                        "leaves time for {begin} of {attempts} attempts if each takes its `timeout` ({timeout})"
                    ),
                );
            }
        }
        if self.budget.is_some() && plan.attempts() == 1 {
            warn("budget", "has nothing to limit: there are no retries".into());
        }
        if let (Some(timeout), Some(breaker)) = (self.timeout, &self.breaker)
            && timeout > breaker.open_for()
        {
            warn(
                "breaker.open_for",
                format!("is shorter than `timeout` ({timeout}), so slow probes are given up"),
            );
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backoff::Jitter;

    fn secs(secs: u64) -> SimDuration {
        SimDuration::from_secs(secs)
    }

    fn doubling(attempts: u32) -> Retry {
        let (base, cap, jitter, on) = (secs(1), secs(20), Jitter::None, ANY_SENT.to_vec());
        Retry::Exponential { attempts, base, factor: 2.0, cap, jitter, on }
    }

    fn breaker(open_for: SimDuration) -> Breaker {
        let (on, scope) = (ANY_SENT.to_vec(), breaker::Scope::Attempt);
        Breaker::Consecutive { failures: 5, open_for, probes: 1, on, scope }
    }

    fn fields(found: Vec<(String, String)>) -> Vec<String> {
        found.into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn what_cannot_run_is_found_with_its_path() {
        assert_eq!(Policy::default().problems(), []);
        let policy = Policy {
            timeout: Some(SimDuration::ZERO),
            deadline: Some(SimDuration::ZERO),
            retry: Retry::Fixed { attempts: 3, delay: secs(1), jitter: Jitter::None, on: vec![] },
            breaker: Some(breaker(SimDuration::ZERO)),
            ..Policy::default()
        };
        assert_eq!(fields(policy.problems()), ["timeout", "deadline", "retry.on", "breaker.open_for"]);
    }

    /// Claim C14 among them: 5 s per attempt, waits of 1, 2, 4 s, and 20 s in all hold three attempts.
    #[test]
    fn what_is_probably_not_meant_is_said() {
        let timed = |timeout, deadline, retry| Policy {
            timeout: Some(secs(timeout)),
            deadline: Some(secs(deadline)),
            retry,
            ..Policy::default()
        };
        for (policy, warned) in [
            (Policy::default(), vec![]),
            (timed(5, 20, doubling(3)), vec![]),
            (timed(5, 20, doubling(4)), vec!["deadline"]),
            (timed(5, 4, Retry::None), vec!["deadline"]),
            (timed(5, 5, Retry::None), vec![]),
            (
                Policy { budget: Some(Budget::Ratio { ratio: 0.1, burst: 10 }), ..Policy::default() },
                vec!["budget"],
            ),
            (Policy { breaker: Some(breaker(secs(5))), ..timed(5, 20, Retry::None) }, vec![]),
            (
                Policy { breaker: Some(breaker(secs(4))), ..timed(5, 20, Retry::None) },
                vec!["breaker.open_for"],
            ),
        ] {
            assert_eq!(fields(policy.warnings()), warned, "{policy:?}");
        }
        let (_, message) = timed(5, 20, doubling(4)).warnings().remove(0);
        assert!(message.contains("3 of 4 attempts"), "{message}");
    }

    /// Ten thousand clients are to fit: what one keeps for one edge, heap aside.
    #[test]
    fn states_are_small() {
        assert!(size_of::<budget::BudgetState>() <= 32);
        assert!(size_of::<bulkhead::BulkheadState>() <= 8);
        assert!(size_of::<breaker::BreakerState>() <= 128, "{}", size_of::<breaker::BreakerState>());
        assert!(size_of::<balancer::BalancerState>() <= 64, "{}", size_of::<balancer::BalancerState>());
        assert!(size_of::<Option<breaker::Permit>>() <= 8);
    }
}
