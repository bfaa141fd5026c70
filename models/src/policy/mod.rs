//! Passive policies: `now` in, decision out.
//!
//! What stands between a caller and the network, in the order in which a call meets it:
//!
//! | policy | decides | state of one client |
//! |---|---|---|
//! | deadline | when a call is given up | none: a timer of the caller's |
//! | [`propagation`] | whether that is when its caller's caller gives up | none |
//! | [`rate_limit`] | when the call may begin, or the attempt be sent | tokens, or what was let through of late |
//! | [`bulkhead`] | whether the call may begin | calls out |
//! | [`retry`] and [`backoff`] | whether to try again, and after how long | none |
//! | [`retry_after`] | whether it waits as long as a refusal says | none |
//! | [`retry_host`] | whether it goes to another replica | whom the call has tried |
//! | [`hedge`] | whether to send a copy, and after how long | what it saw of late |
//! | [`budget`] | whether the client can afford it | tokens |
//! | [`concurrency`] | whether one more attempt may be out | limit, attempts out, how long they took |
//! | [`throttle`] | whether the service accepts enough to send more | asked and accepted of late |
//! | [`breaker`] | whether anything may be sent | position, window, probes |
//! | [`subset`] | which replicas it knows at all | none, or whom it knows |
//! | [`outlier`] and [`panic_threshold`] | which replicas it may go to | failures of each, whom it has ejected |
//! | [`slow_start`] | how much of its share a replica has that has just come | nothing: the view says since when it is there |
//! | [`balancer`] | to which replica | turn, or attempts out |
//! | [`pool`] | whether there is a connection for it | connections, who waits for one |
//! | timeout | when an attempt is given up | none: a timer of the caller's |
//! | [`cancel`] | whether the callee is told | none |
//!
//! A policy never schedules, sleeps or reads a clock, and draws from the words it is handed. Each module has
//! what a file says (`Breaker`) and what runs (`BreakerState`, one per client and edge). [`guards`] holds those of
//! one client together; whoever makes calls consults them, and the order is written there, once.

pub mod backoff;
pub mod balancer;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod cancel;
pub mod concurrency;
pub mod deadline;
mod denied;
mod ending;
pub mod guards;
pub mod hedge;
mod outcome;
pub mod outlier;
pub mod page;
pub mod panic_threshold;
pub mod part;
pub mod per;
pub mod pool;
pub mod preset;
pub mod propagation;
pub mod rate_limit;
pub mod retry;
pub mod retry_after;
pub mod retry_host;
pub mod sight;
pub mod slow_start;
pub mod subset;
pub mod throttle;
pub mod timeout;
pub mod told;
mod waits;
pub mod zone;

pub use balancer::View;
pub use deadline::Patience;
pub use denied::Denied;
pub use ending::Ending;
pub use outcome::{ANY_SENT, Cause, Failure, OnList, Outcome, OutcomeSet};

use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use balancer::Balancer;
use breaker::Breaker;
use budget::Budget;
use bulkhead::Bulkhead;
use cancel::Cancel;
use concurrency::Concurrency;
use deadline::Deadline;
use hedge::Hedge;
use outlier::Outlier;
use panic_threshold::PanicThreshold;
use part::{Around, Listed};
use per::Per;
use pool::Pool;
use propagation::Propagation;
use rate_limit::{Counts, RateLimit};
use retry::Retry;
use retry_after::RetryAfter;
use retry_host::RetryHost;
use sim_core::SimDuration;
use slow_start::SlowStart;
use subset::Subset;
use throttle::Throttle;
use timeout::Timeout;
use zone::Zone;

spec! {
    /// How a caller protects itself and the service it calls.
    pub struct Policy where check {
        /// How long an attempt may take; for ever if absent.
        timeout: Option<SimDuration> = None; POSITIVE.or("every attempt would be too late"),
        /// How long a call may take, all attempts and delays together; for ever if absent. A distribution is
        /// the patience of callers, drawn for each call.
        deadline: Option<TimeDistribution> = None; POSITIVE.or("every call would be too late"),
        /// Whether it ends when nobody waits any more for the request that makes it.
        deadline_propagation: Option<Propagation> = None,
        /// Whether and when a failed attempt is tried again.
        retry: Retry = Retry::None,
        /// What a retry makes of the time that a refusal carries (a service's `retry_after`).
        retry_after: RetryAfter = RetryAfter::Ignore,
        /// Whom a retry or a copy is sent to.
        retry_host: RetryHost = RetryHost::Any,
        /// Whether a copy of a slow attempt is sent while it is still out.
        hedge: Option<Hedge> = None,
        /// A limit on the retries of one client, and on its copies.
        budget: Option<Budget> = None,
        /// Attempts that a client does not send since the service accepts too few.
        throttle: Option<Throttle> = None,
        /// An adaptive limit on the attempts that one client has out.
        concurrency: Option<Concurrency> = None,
        /// Stops sending to what keeps failing.
        breaker: Option<Breaker> = None,
        /// A limit on the rate at which one client makes calls, or sends attempts.
        rate_limit: Option<RateLimit> = None,
        /// A limit on the calls of one client that are out at the same time.
        bulkhead: Option<Bulkhead> = None,
        /// Which of the replicas a client, or a tenant, knows at all.
        subset: Option<Subset> = None,
        /// Takes replicas that fail out of those that a client chooses among, for a while.
        outlier: Option<Outlier> = None,
        /// If less than this share of the replicas is left to choose among, all are chosen again. Absent: however few are left.
        panic_threshold: Option<f64> = None; 0.0..=1.0,
        /// Sends little to a replica that has just come, and more and more.
        slow_start: Option<SlowStart> = None,
        /// Whether it would rather call who stands in its own zone; absent: all are alike.
        zone: Option<Zone> = None,
        /// Which replica an attempt goes to.
        balancer: Balancer = Balancer::RoundRobin,
        /// The connections that one client keeps, each for one attempt at a time.
        pool: Option<Pool> = None,
        /// Whether the callee is told when its caller stops waiting for an attempt.
        cancel: Cancel = Cancel::Never,
        /// Which calls of one client share what it remembers: budget, breaker, bulkhead, limits, throttle, hedge, whom it has ejected, balancer and pool.
        per: Per = Per::Target,
    }
}

/// No timeout, no deadline, one attempt, round robin: what a call does that names no policy.
impl Default for Policy {
    fn default() -> Self {
        Policy {
            timeout: None,
            deadline: None,
            deadline_propagation: None,
            retry: Retry::None,
            retry_after: RetryAfter::Ignore,
            retry_host: RetryHost::Any,
            hedge: None,
            budget: None,
            throttle: None,
            concurrency: None,
            breaker: None,
            rate_limit: None,
            bulkhead: None,
            subset: None,
            outlier: None,
            panic_threshold: None,
            slow_start: None,
            zone: None,
            balancer: Balancer::RoundRobin,
            pool: None,
            cancel: Cancel::Never,
            per: Per::Target,
        }
    }
}

impl Policy {
    /// How often each client wants to hear what the replicas have in hand, if it wants to at all.
    pub fn hears_every(&self) -> Option<SimDuration> {
        self.balancer.hears_every()
    }

    /// What it is as long as nothing has failed. A limit on attempts refuses, and may be tried again, although nothing has; and so
    /// do a breaker that opens because answers are slow, and a pool that is used up.
    pub fn before_failures(&self) -> Policy {
        let refused_early = self.rate_limit.as_ref().is_some_and(|limit| limit.counts() == Counts::Attempts);
        let refused_early = refused_early || self.breaker.as_ref().is_some_and(Breaker::times);
        let refused_early = refused_early || self.pool.is_some();
        let retry = if refused_early { self.retry.clone() } else { Retry::None };
        Policy { retry, ..self.clone() }
    }

    /// Whether a retry may wait as long as a refusal says.
    pub fn heeds(&self) -> bool {
        self.retry_after != RetryAfter::Ignore
    }

    /// Every part by its key, in the order in which a call meets them, with what is said where it is left out.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        let timeout = self.timeout.map(Timeout);
        let deadline = self.deadline.as_ref().map(Deadline);
        vec![
            Listed::made("timeout", "none: an attempt waits for ever", timeout),
            Listed::made("deadline", "none: a call has no end of its own", deadline),
            Listed::optional("deadline_propagation", "", self.deadline_propagation.as_ref()),
            Listed::always("retry", &self.retry),
            Listed::optional(
                "retry_after",
                "",
                Some(&self.retry_after).filter(|it| **it != RetryAfter::Ignore),
            ),
            Listed::optional("retry_host", "", Some(&self.retry_host).filter(|it| **it != RetryHost::Any)),
            Listed::optional("hedge", "", self.hedge.as_ref()),
            Listed::optional("budget", "none: every failure may be retried", self.budget.as_ref()),
            Listed::optional("throttle", "", self.throttle.as_ref()),
            Listed::optional("concurrency", "", self.concurrency.as_ref()),
            Listed::optional("breaker", "none: whatever fails is called again", self.breaker.as_ref()),
            Listed::optional("rate_limit", "", self.rate_limit.as_ref()),
            Listed::optional("bulkhead", "none: any number of calls at once", self.bulkhead.as_ref()),
            Listed::optional("subset", "", self.subset.as_ref()),
            Listed::optional("outlier", "", self.outlier.as_ref()),
            Listed::made("panic_threshold", "", self.panic_threshold.map(PanicThreshold)),
            Listed::optional("slow_start", "", self.slow_start.as_ref()),
            Listed::optional("zone", "", self.zone.as_ref()),
            Listed::always("balancer", &self.balancer),
            Listed::optional("pool", "", self.pool.as_ref()),
            Listed::optional("cancel", "", Some(&self.cancel).filter(|cancel| **cancel != Cancel::Never)),
            Listed::always("per", &self.per),
        ]
    }
}

/// Warns of what runs and is probably not meant.
fn check(policy: &Policy, at: &Node, cx: &mut Decoder) {
    let around = Around::new("", policy.parts());
    around.all().for_each(|part| part.check(&around, at, cx));
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::experiment::{Decode, Diagnostics, Failed, Shape, Sources, parse_file};

    /// What was read and what was said about it: `Err` if an error was among it.
    pub fn read<T: Decode>(text: &str) -> Result<(T, String), String> {
        let mut sources = Sources::default();
        let source = sources.add("test.ron", text);
        let mut diagnostics = Diagnostics::new();
        let node = parse_file(text, source, &mut diagnostics);
        let mut cx = Decoder::new();
        let value = node.and_then(|node| T::decode(&node, &mut cx));
        diagnostics.append(cx.into_diagnostics());
        let failed = diagnostics.has_errors();
        let said = if diagnostics.is_empty() {
            String::new()
        } else {
            Failed { sources, diagnostics: diagnostics.finish() }.to_string()
        };
        match value {
            Some(value) if !failed => Ok((value, said)),
            _ => Err(said),
        }
    }

    /// A part that is in the file and not in the list would be explained, drawn and asked nowhere.
    #[test]
    fn every_setting_is_a_part() {
        let Shape::Struct(fields) = Policy::describe().shape else { panic!("a policy has fields") };
        let default = Policy::default();
        let parts = default.parts();
        let keys: Vec<&str> = parts.iter().map(|listed| listed.key).collect();
        assert_eq!(keys, fields.iter().map(|field| field.name).collect::<Vec<_>>());
        for listed in &parts {
            assert!(listed.part.is_none() || listed.otherwise.is_empty(), "{}", listed.key);
        }
    }

    /// What is written is there, and samples are what a file may have.
    #[test]
    fn every_sample_of_a_part_is_read() {
        for (place, listed) in Policy::default().parts().iter().enumerate() {
            for sample in listed.samples {
                let written = format!("({}: {sample})", listed.key);
                let (policy, _) = read::<Policy>(&written).unwrap_or_else(|said| panic!("{said}"));
                assert!(policy.parts()[place].part.is_some(), "{written}");
                let canonical = policy.encode();
                let again = read::<Policy>(&canonical.to_string()).expect("its own form").0.encode();
                assert_eq!(again, canonical, "{written}");
            }
        }
    }

    /// What may be tried again although no attempt has failed is said of the time before failures, too.
    #[test]
    fn retries_make_no_difference_until_something_fails_or_is_refused() {
        let slow = r#"breaker: FailureRate(slow_call: (threshold: "15ms", rate: 0.5))"#;
        for (more, differ) in [
            ("", false),
            ("breaker: FailureRate()", false),
            (slow, true),
            (r#"rate_limit: TokenBucket(rate: "10/s")"#, false),
            (r#"rate_limit: TokenBucket(rate: "10/s", counts: Attempts)"#, true),
        ] {
            let of = |attempts| {
                let text = format!(
                    "(retry: Fixed(attempts: {attempts}, on: [Error, BreakerOpen, RateLimited]), {more})"
                );
                read::<Policy>(&text).unwrap().0.before_failures().encode()
            };
            assert_eq!(of(2) != of(3), differ, "{more}");
        }
    }

    #[test]
    fn an_empty_policy_is_the_default() {
        let (read, said) = read::<Policy>("()").unwrap();
        assert_eq!((read.encode(), said.as_str()), (Policy::default().encode(), ""));
    }

    #[test]
    fn a_policy_is_read_and_written_back() {
        let written = r#"(
            timeout: "200ms",
            deadline: "5s",
            retry: Exponential(attempts: 3, base: "50ms", cap: "1s", jitter: Proportional(0.1)),
            budget: Ratio(ratio: 0.1),
            breaker: FailureRate(window: Count(50), on: [TimedOut], scope: Call),
            bulkhead: (max_concurrent: 10),
            balancer: LeastPending,
        )"#;
        let (policy, said) = read::<Policy>(written).unwrap();
        assert_eq!(said, "");
        let canonical = policy.encode().to_string();
        let (again, _) = read::<Policy>(&canonical).unwrap();
        assert_eq!(again.encode(), policy.encode());
        for shown in ["budget: Ratio(ratio: 0.1, burst: 10, of: Calls)", "factor: 2.0", "minimum_calls: 100"]
        {
            assert!(canonical.contains(shown), "{shown} in {canonical}");
        }
    }

    #[test]
    fn what_cannot_run_is_refused_all_at_once() {
        let said = read::<Policy>(
            r#"(
                timeout: "0s",
                deadline: "0s",
                retry: Fixed(attempts: 0),
                budget: Ratio(ratio: -1),
                bulkhead: (max_concurrent: 0),
            )"#,
        )
        .unwrap_err();
        for message in ["every attempt", "every call", "1 to 1000", "0.0 to 10.0", "1 to 1000000"] {
            assert!(said.contains(message), "{message} in {said}");
        }
    }

    /// Claim C14 among them: 5 s per attempt, waits of 1, 2, 4 s, and 20 s in all hold three attempts.
    #[test]
    fn what_is_probably_not_meant_is_said() {
        let doubling = r#"base: "1s", jitter: None"#;
        for (written, warning) in [
            ("()".to_owned(), ""),
            (format!(r#"(timeout: "5s", deadline: "20s", retry: Exponential(attempts: 3, {doubling}))"#), ""),
            (
                format!(r#"(timeout: "5s", deadline: "20s", retry: Exponential(attempts: 4, {doubling}))"#),
                "only 3 of 4 attempts",
            ),
            (r#"(timeout: "5s", deadline: "5s")"#.to_owned(), ""),
            (r#"(timeout: "5s", deadline: "4s")"#.to_owned(), "before an attempt can time out"),
            ("(budget: Throttle())".to_owned(), "no retries for this budget"),
            (r#"(timeout: "30s", breaker: Consecutive())"#.to_owned(), ""),
            (r#"(timeout: "31s", breaker: Consecutive())"#.to_owned(), "gives it up"),
            // What the deadline cuts off counts as timed out.
            (r#"(deadline: "5s", breaker: Consecutive())"#.to_owned(), ""),
        ] {
            let (_, said) = read::<Policy>(&written).unwrap();
            assert!(said.contains(warning) && said.is_empty() == warning.is_empty(), "{written}: {said}");
        }
    }

    /// Ten thousand clients are to fit: what one keeps for one edge, heap aside.
    #[test]
    fn states_are_small() {
        assert!(size_of::<budget::BudgetState>() <= 32);
        assert!(size_of::<bulkhead::BulkheadState>() <= 16);
        assert!(size_of::<rate_limit::RateLimitState>() <= 56);
        assert!(size_of::<concurrency::ConcurrencyState>() == 8);
        assert!(size_of::<throttle::ThrottleState>() <= 64);
        assert!(size_of::<breaker::BreakerState>() <= 128, "{}", size_of::<breaker::BreakerState>());
        assert!(size_of::<balancer::BalancerState>() <= 64, "{}", size_of::<balancer::BalancerState>());
        assert!(size_of::<Option<breaker::Permit>>() == 4);
    }
}
