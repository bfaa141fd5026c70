//! Whether a failed attempt is followed by another, and after how long.
//!
//! A *retry* is an attempt after the first; `attempts` counts the first, as the AWS SDKs, gRPC and
//! resilience4j do (Envoy, Istio and Finagle count retries). It is a limit for one call and says nothing
//! about load: while everything fails, load is `attempts` times what was offered. What bounds load is a
//! [budget](super::budget).
//!
//! If every attempt fails independently with probability `p`, a call costs `(1 - p^n) / (1 - p)` attempts
//! out of at most `n`, and `d` layers that each retry cost their product: `n^d` when the last layer is
//! down.

use super::backoff::{Backoff, Bounds, Growth, Jitter};
use super::ending::Ending;
use super::outcome::{ANY_SENT, Failure, OnList, Outcome, OutcomeSet};
use super::page::Page;
use super::part::{Does, Part, Worst};
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Table;
use sim_core::{SimDuration, Words};

/// Attempts of a call, the first included. The AWS SDKs (standard mode) and resilience4j.
pub const DEFAULT_ATTEMPTS: u32 = 3;
/// What the first retry waits. The AWS SDK for JavaScript; Envoy 25 ms, resilience4j 500 ms.
pub const DEFAULT_BASE: SimDuration = SimDuration::from_millis(100);
/// What each retry multiplies the delay by. The AWS SDKs and Envoy; resilience4j 1.5, gRPC has no default.
pub const DEFAULT_FACTOR: f64 = 2.0;
/// The longest delay before jitter. The AWS SDKs; Envoy ten times the base, gRPC has no default.
pub const DEFAULT_CAP: SimDuration = SimDuration::from_secs(20);

spec! {
    /// Whether and when a failed attempt is tried again.
    pub enum Retry where check {
        /// Never: the first failure is the call's.
        None,
        /// After the same delay each time.
        Fixed {
            /// Attempts of a call, the first included.
            attempts: u32 = DEFAULT_ATTEMPTS; 1..=1000,
            /// What each retry waits, from the failure of the attempt before it.
            delay: SimDuration = SimDuration::ZERO,
            /// What spreads the delays.
            jitter: Jitter = Jitter::None,
            /// The failures that are retried.
            on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Any,
        },
        /// After a delay that grows by the same step each time.
        Linear {
            /// Attempts of a call, the first included.
            attempts: u32 = DEFAULT_ATTEMPTS; 1..=1000,
            /// What the first retry waits, before jitter.
            base: SimDuration = DEFAULT_BASE,
            /// What each further retry adds; as much as `base` if absent.
            step: Option<SimDuration> = None,
            /// The longest delay, before jitter.
            cap: SimDuration = DEFAULT_CAP,
            /// What spreads the delays.
            jitter: Jitter = Jitter::None,
            /// The failures that are retried.
            on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Any,
        },
        /// After a delay that grows by the same factor each time.
        Exponential {
            /// Attempts of a call, the first included.
            attempts: u32 = DEFAULT_ATTEMPTS; 1..=1000,
            /// What the first retry waits, before jitter.
            base: SimDuration = DEFAULT_BASE; POSITIVE.or("0 times a factor is still 0"),
            /// What each further retry multiplies the delay by.
            factor: f64 = DEFAULT_FACTOR; 1.0..=100.0,
            /// The longest delay, before jitter.
            cap: SimDuration = DEFAULT_CAP,
            /// What spreads the delays. Full unless said otherwise, as in the AWS SDKs.
            jitter: Jitter = Jitter::Full,
            /// The failures that are retried.
            on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Any,
        },
    }
}

/// A retry policy ready to run. Immutable, so one serves all clients of an edge.
#[derive(Clone, Debug)]
pub struct RetryPlan {
    attempts: u32,
    on: OutcomeSet,
    backoff: Backoff,
}

impl RetryPlan {
    /// What `retry` asks for.
    pub fn new(retry: &Retry) -> Self {
        let (attempts, growth, jitter, on) = match *retry {
            Retry::None => (1, Growth::Fixed(SimDuration::ZERO), &Jitter::None, &[][..]),
            Retry::Fixed { attempts, delay, ref jitter, ref on } => {
                (attempts, Growth::Fixed(delay), jitter, &on[..])
            }
            Retry::Linear { attempts, base, step, cap, ref jitter, ref on } => {
                (attempts, Growth::Linear { base, step: step.unwrap_or(base), cap }, jitter, &on[..])
            }
            Retry::Exponential { attempts, base, factor, cap, ref jitter, ref on } => {
                (attempts, Growth::Exponential { base, factor, cap }, jitter, &on[..])
            }
        };
        RetryPlan { attempts, on: OutcomeSet::of(on), backoff: Backoff::new(growth, jitter.clone()) }
    }

    /// Attempts of a call, the first included.
    #[inline]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether a call that made `tries` tries, of which the last ended as `outcome`, may try again.
    #[inline]
    pub fn retries(&self, tries: u32, outcome: Outcome) -> bool {
        tries < self.attempts && self.on.contains(outcome)
    }

    /// The same when the last try was not sent because a guard of the caller's own refused it with `end`.
    #[inline]
    pub fn retries_unsent(&self, tries: u32, end: Ending) -> bool {
        tries < self.attempts && end.is_listed(self.on)
    }

    /// How long retry `retry` waits (1 is the first). `previous` is what this call's last retry waited,
    /// zero if there was none.
    #[inline]
    pub fn delay(&self, retry: u32, previous: SimDuration, words: &mut impl Words) -> SimDuration {
        self.backoff.delay(retry, previous, words)
    }

    /// The shortest, mean and longest delay of retry `retry`.
    pub fn bounds(&self, retry: u32) -> Bounds {
        self.backoff.bounds(retry)
    }

    /// The most that all the delays of one call can add up to.
    pub fn worst_case_total(&self) -> SimDuration {
        let longest = (1..self.attempts).map(|retry| self.backoff.bounds(retry).max.as_nanos());
        SimDuration::from_nanos(longest.fold(0, u64::saturating_add))
    }

    /// How many attempts of a call can begin within `whole` if each takes `each` and every
    /// delay is the shortest possible.
    pub fn attempts_that_begin(&self, each: SimDuration, whole: SimDuration) -> u32 {
        let mut begins: u64 = 0;
        for retry in 1..self.attempts {
            let pause = each.as_nanos().saturating_add(self.backoff.bounds(retry).min.as_nanos());
            begins = begins.saturating_add(pause);
            if begins >= whole.as_nanos() {
                return retry;
            }
        }
        self.attempts
    }
}

/// Back-off tables stop after so many retries.
const MOST_RETRIES_SHOWN: u32 = 10;

impl Part for Retry {
    fn does(&self) -> Does {
        match self {
            Retry::None => Does::NOTHING,
            _ => Does::REPEATS,
        }
    }

    fn brief(&self) -> Option<String> {
        let attempts = RetryPlan::new(self).attempts();
        (attempts > 1).then(|| format!("up to {attempts} attempts"))
    }

    fn worst(&self) -> Worst {
        let plan = RetryPlan::new(self);
        Worst { attempts: plan.attempts(), pauses: plan.worst_case_total(), ..Worst::ONCE }
    }

    fn begin_within(&self, each: SimDuration, whole: SimDuration) -> u32 {
        RetryPlan::new(self).attempts_that_begin(each, whole)
    }

    fn repeats(&self, outcome: Outcome) -> bool {
        RetryPlan::new(self).retries(0, outcome)
    }

    fn sustains(&self) -> Option<f64> {
        Some(f64::from(RetryPlan::new(self).attempts() - 1))
    }

    /// What each retry waits.
    fn tables(&self, name: &str) -> Vec<Table> {
        let plan = RetryPlan::new(self);
        if plan.attempts() <= 1 {
            return Vec::new();
        }
        let columns = ["retry", "shortest", "mean", "longest", "mean total"];
        let mut table = Table {
            title: format!("Back-off of `{name}`"),
            columns: columns.map(String::from).to_vec(),
            ..Table::default()
        };
        let mut total = SimDuration::ZERO;
        for number in 1..plan.attempts().min(MOST_RETRIES_SHOWN + 1) {
            let bounds = plan.bounds(number);
            total += bounds.mean;
            table.rows.push(vec![
                u64::from(number).into(),
                bounds.min.brief().into(),
                bounds.mean.brief().into(),
                bounds.max.brief().into(),
                total.brief().into(),
            ]);
        }
        if plan.attempts() > MOST_RETRIES_SHOWN + 1 {
            table.note = format!("and so on, up to {} attempts", plan.attempts());
        }
        vec![table]
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "retry",
                word: "",
                what: "Tries a failed attempt again, so often and after so long. `attempts` counts the first, as in \
                   the AWS SDKs, gRPC and resilience4j; Envoy, Istio and Finagle count retries.",
                hurts: "While everything fails, load is `attempts` times what was offered, on every layer that \
                   retries; above the capacity it then feeds itself and outlives its cause. What bounds load is \
                   a budget.",
                formula: "`(1 - p^n) / (1 - p)` attempts per call if each of at most `n` fails with `p`; `n^d` over \
                   `d` layers when the last is down; a storm can last if `1 / (1 + r) < load < 1` with `r` \
                   retries",
                source: "Bronson et al., \"Metastable Failures in Distributed Systems\", HotOS 2021; Beyer et al., \
                   Site Reliability Engineering, chapters 21 and 22",
                experiment: "retry-storm",
            },
            Page {
                name: "backoff",
                word: "",
                what: "How long a retry waits: the same time, or longer each time, spread by jitter. `base` is what \
                   the first retry waits, and the cap binds before the jitter.",
                hurts: "Callers that failed together come back together if nothing spreads them, each time after a \
                   longer silence. It moves load, and does not lessen it: a retry that comes later is still a \
                   retry.",
                formula: "`d(n) = min(cap, base factor^(n-1))`; full jitter is uniform in `0..d`, equal in `d/2..d`, \
                   decorrelated in `base..3 x the last`, symmetric in `d (1 - f)..d (1 + f)`",
                source: "Brooker, \"Exponential Backoff And Jitter\", AWS 2015, and its simulator; gRPC A6 (symmetric \
                   0.2); resilience4j (symmetric 0.5)",
                experiment: "backoff-jitter",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "Fixed(attempts: 3)",
            "Fixed(attempts: 1)",
            r#"Fixed(attempts: 4, delay: "10ms", on: [TimedOut, Reset, Refused])"#,
            r#"Linear(attempts: 3, base: "10ms", cap: "50ms", jitter: Symmetric(0.5), on: [Error, BreakerOpen])"#,
            r#"Exponential(attempts: 4, base: "10ms", cap: "50ms", jitter: None)"#,
            r#"Exponential(attempts: 3, base: "10ms", cap: "50ms")"#,
            r#"Exponential(attempts: 2, base: "10ms", cap: "50ms", jitter: Equal)"#,
            r#"Exponential(attempts: 4, base: "10ms", cap: "50ms", jitter: Decorrelated)"#,
            r#"Exponential(attempts: 3, base: "10ms", cap: "50ms", jitter: Proportional(0.1), on: [Error, BreakerOpen])"#,
            r#"Exponential(attempts: 3, base: "10ms", cap: "50ms", jitter: Additive("10ms"))"#,
        ]
    }
}

fn check(retry: &Retry, at: &Node, cx: &mut Decoder) {
    if let Retry::Linear { base, cap, .. } | Retry::Exponential { base, cap, .. } = retry
        && cap < base
    {
        let span = at.span_of(if at.get("cap").is_some() { "cap" } else { "base" });
        cx.error(span, format!("the cap ({cap}) is shorter than the first delay, `base` ({base})"));
    }
    if let Retry::Fixed { jitter: Jitter::Decorrelated, .. }
    | Retry::Linear { jitter: Jitter::Decorrelated, .. } = retry
    {
        cx.at("jitter", |cx| {
            _ = cx
                .error(at.span_of("jitter"), "decorrelated jitter decides itself how delays grow")
                .help("write Exponential(base: .., cap: .., jitter: Decorrelated)")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ANY_SENT, tests::read};
    use super::*;
    use crate::experiment::Decode;
    use sim_core::Streams;

    fn secs(secs: u64) -> SimDuration {
        SimDuration::from_secs(secs)
    }

    fn fixed(attempts: u32, delay: SimDuration) -> Retry {
        Retry::Fixed { attempts, delay, jitter: Jitter::None, on: ANY_SENT.to_vec() }
    }

    fn doubling(attempts: u32, jitter: Jitter) -> Retry {
        let (base, cap, on) = (secs(1), secs(60), ANY_SENT.to_vec());
        Retry::Exponential { attempts, base, factor: 2.0, cap, jitter, on }
    }

    #[test]
    fn attempts_include_the_first() {
        use Outcome::*;
        let plan = RetryPlan::new(&fixed(3, SimDuration::ZERO));
        for (tries, outcome, again) in [
            (1, Error, true),
            (1, Rejected, true),
            (1, Refused, true),
            (1, Reset, true),
            (1, TimedOut, true),
            (2, Error, true),
            (3, Error, false),
            (1, Ok, false),
            (1, Cancelled, false),
            (1, InFlight, false),
        ] {
            assert_eq!(plan.retries(tries, outcome), again, "{outcome} after {tries}");
        }
        assert!(!plan.retries_unsent(1, Ending::BreakerOpen), "an open breaker is not retried by default");
        let never = RetryPlan::new(&Retry::None);
        assert!(Outcome::ALL.into_iter().all(|outcome| !never.retries(1, outcome)));
        assert_eq!((never.attempts(), never.worst_case_total()), (1, SimDuration::ZERO));
    }

    #[test]
    fn only_what_is_listed_is_retried() {
        let on = vec![Failure::Refused, Failure::BreakerOpen];
        let plan = RetryPlan::new(&Retry::Fixed { attempts: 2, delay: secs(1), jitter: Jitter::None, on });
        assert!(plan.retries(1, Outcome::Refused) && plan.retries_unsent(1, Ending::BreakerOpen));
        assert!(!plan.retries(1, Outcome::TimedOut) && !plan.retries_unsent(2, Ending::BreakerOpen));
    }

    #[test]
    fn worst_cases_add_up() {
        let linear = |step| Retry::Linear {
            attempts: 4,
            base: secs(1),
            step,
            cap: secs(60),
            jitter: Jitter::None,
            on: ANY_SENT.to_vec(),
        };
        for (retry, total) in [
            (fixed(3, secs(5)), secs(10)),
            (linear(None), secs(1 + 2 + 3)),
            (linear(Some(secs(10))), secs(1 + 11 + 21)),
            (doubling(6, Jitter::None), secs(31)), // 1, 2, 4, 8, 16 s
            (doubling(6, Jitter::Full), secs(31)),
            (doubling(3, Jitter::Additive(secs(1))), secs(2 + 3)),
            (doubling(1, Jitter::Full), SimDuration::ZERO),
        ] {
            assert_eq!(RetryPlan::new(&retry).worst_case_total(), total, "{retry:?}");
        }
        let longest = secs(100 * 365 * 86_400);
        assert_eq!(RetryPlan::new(&fixed(1000, longest)).worst_case_total().as_nanos(), u64::MAX);
    }

    /// Claim E9: `delay = 2^attempt + U(0, 1)` with three attempts sleeps twice, 1.5 s and 2.5 s on
    /// average, and never the third time.
    #[test]
    fn three_attempts_sleep_twice() {
        const N: u32 = 10_000;
        let plan = RetryPlan::new(&doubling(3, Jitter::Additive(secs(1))));
        let mut words = Streams::new(1).stream("test", "e9");
        let mut total = 0.0;
        for _ in 0..N {
            let (mut tries, mut previous) = (1, SimDuration::ZERO);
            while plan.retries(tries, Outcome::Error) {
                previous = plan.delay(tries, previous, &mut words);
                total += previous.as_secs_f64();
                tries += 1;
            }
            assert_eq!(tries, 3);
        }
        let mean = total / f64::from(N);
        let error = (2.0 / 12.0 / f64::from(N)).sqrt();
        assert!((mean - 4.0).abs() < 4.0 * error, "{mean}");
        assert_eq!(plan.bounds(1).mean + plan.bounds(2).mean, secs(4));
    }

    /// Claim C14: 5 s per attempt, waits of 1, 2 and 4 s, 20 s in all: attempts begin at 0, 6 and 13 s, and
    /// the fourth would at 22 s.
    #[test]
    fn a_deadline_cuts_attempts_off() {
        let plan = RetryPlan::new(&doubling(4, Jitter::None));
        for (deadline, attempts) in [(20, 3), (22, 3), (23, 4), (13, 2), (14, 3), (6, 1), (1, 1), (100, 4)] {
            assert_eq!(plan.attempts_that_begin(secs(5), secs(deadline)), attempts, "{deadline} s");
        }
    }

    #[test]
    fn defaults_are_filled_in() {
        let rest = "on: [Error, Rejected, Refused, Reset, TimedOut]";
        for (written, full) in [
            ("Fixed()", r#"Fixed(attempts: 3, delay: "0s", jitter: None"#),
            ("Linear()", r#"Linear(attempts: 3, base: "100ms", step: None, cap: "20s", jitter: None"#),
            (
                "Exponential()",
                r#"Exponential(attempts: 3, base: "100ms", factor: 2.0, cap: "20s", jitter: Full"#,
            ),
        ] {
            let read = |text: &str| read::<Retry>(text).unwrap().0.encode();
            assert_eq!(read(written), read(&format!("{full}, {rest})")));
        }
    }

    #[test]
    fn contradictions_are_found() {
        for (written, message) in [
            ("Fixed(attempts: 0)", "got 0, allowed 1 to 1000"),
            (r#"Exponential(base: "2s", cap: "1s")"#, "the cap (1s) is shorter than the first delay"),
            (r#"Linear(base: "30s")"#, "the cap (20s) is shorter than the first delay"),
            (r#"Exponential(base: "0s")"#, "0 times a factor is still 0"),
            ("Exponential(factor: 0.5)", "got 0.5, allowed 1.0 to 100.0"),
            ("Fixed(jitter: Symmetric(1.5))", "got 1.5, allowed 0.0 to 1.0"),
            ("Fixed(jitter: Decorrelated)", "decides itself how delays grow"),
            ("Linear(jitter: Decorrelated)", "decides itself how delays grow"),
            ("Fixed(on: [])", "must name at least one failure"),
            ("Fixed(on: [Error, Error])", "names Error twice"),
        ] {
            let found = read::<Retry>(written).unwrap_err();
            assert!(found.contains(message), "{written}: {found}");
        }
    }
}
