//! Whoever looks at the figures of a new version, or of those for whom something is switched on, and takes that back: an analysis run in
//! the background, as Argo Rollouts has it.
//!
//! Every `interval` it measures what the new version did since the last, as a metrics system sees it at the replicas: how many requests it
//! failed, or how long it took for those that it answered. A measurement fails if that is over its limit; more than `failure_limit` of
//! them, and the new version is taken back. One of too few requests says nothing.
//!
//! A version that fails a share `p` of its requests shows none of it in `n` requests with chance `(1 - p)^n`: 299 requests show a failure of
//! 1 % with 95 %. A limit that is on top of the old version's figures (`above_old`) does not take a version back for what is not its own
//! fault; one that is not does.

use super::versions::Seen;
use crate::experiment::POSITIVE;
use crate::words::percent;
use sim_core::{SimDuration, math};

spec! {
    /// Measurements of the new version, or of those for whom a flag is on: when some fail that is taken back.
    pub struct Analysis {
        /// What is measured, and its limit.
        metric: Metric,
        /// From one measurement to the next: of what was in between.
        interval: SimDuration = SimDuration::from_secs(60); POSITIVE,
        /// How long the first requests that the new version gets are left out.
        initial_delay: SimDuration = SimDuration::ZERO,
        /// Measurements after which it is taken for good; as many as the run has time for if absent.
        count: Option<u32> = None; 1..=1_000_000,
        /// Measurements that may fail.
        failure_limit: u32 = 0; 0..=1_000_000,
        /// A measurement of fewer requests of the new version, or of the old where it is compared with that, says nothing.
        min_requests: u32 = 1; 1..=1_000_000_000,
    }
}

spec! {
    /// A figure of the new version, and its limit.
    pub enum Metric {
        /// The share of its requests that it failed, or turned away.
        ErrorRate {
            /// More than this is too much.
            at_most: f64; 0.0..=1.0,
            /// Whether that is on top of the share that the old version, or those without the flag, failed in the same time.
            above_old: bool = false,
        },
        /// How long it took for those that it answered well, on average, from when they came to it.
        Latency {
            /// More than this is too much.
            at_most: SimDuration,
            /// Whether that is on top of what the old version, or those without the flag, took in the same time.
            above_old: bool = false,
        },
    }
}

/// What a measurement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// There was too little to be looked at.
    Inconclusive,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another look.
    GoOn,
    /// It is good.
    Accepted,
    /// It is taken back.
    Abort,
}

/// Measurements so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    pub passed: u32,
    pub failed: u32,
    pub inconclusive: u32,
}

impl Analysis {
    /// What the figures of a while say of the new version, beside those of the old.
    pub fn measures(&self, new: Seen, old: Seen) -> Verdict {
        let enough = |seen: u64| seen >= u64::from(self.min_requests);
        let (counted, (figure, base), limit) = match self.metric {
            Metric::ErrorRate { at_most, above_old } => {
                let share = |seen: Seen| seen.failed as f64 / seen.requests as f64;
                let counted = enough(new.requests) && (!above_old || enough(old.requests));
                (counted, (share(new), if above_old { share(old) } else { 0.0 }), at_most)
            }
            Metric::Latency { at_most, above_old } => {
                let mean = |seen: Seen| seen.took as f64 / seen.ok() as f64;
                let counted = enough(new.ok()) && (!above_old || enough(old.ok()));
                (counted, (mean(new), if above_old { mean(old) } else { 0.0 }), at_most.as_nanos() as f64)
            }
        };
        match counted {
            false => Verdict::Inconclusive,
            true if figure > base + limit => Verdict::Failed,
            true => Verdict::Passed,
        }
    }

    /// Counts a measurement: what follows.
    pub fn counts(&self, measured: &mut Measured, verdict: Verdict) -> Next {
        match verdict {
            Verdict::Passed => measured.passed += 1,
            Verdict::Failed => measured.failed += 1,
            Verdict::Inconclusive => measured.inconclusive += 1,
        }
        if measured.failed > self.failure_limit {
            return Next::Abort;
        }
        let done = measured.passed + measured.failed;
        if self.count.is_some_and(|count| done >= count) { Next::Accepted } else { Next::GoOn }
    }

    /// How long after it begins it takes anything back at the earliest.
    pub fn earliest(&self) -> SimDuration {
        self.initial_delay + self.interval.saturating_mul(u64::from(self.failure_limit) + 1)
    }

    /// Why it never takes anything back, if it never does, and what would.
    pub fn never_fails(&self) -> Option<(String, String)> {
        if let Metric::ErrorRate { at_most: 1.0, .. } = self.metric {
            let why = "no share of requests is more than `at_most: 1`: it never takes anything back";
            return Some((why.into(), "a lower `at_most`".into()));
        }
        let limit = self.failure_limit;
        let count = self.count.filter(|count| *count <= limit)?;
        let why = format!("{count} measurements, of which {limit} may fail: it never takes anything back");
        Some((why, "a lower `failure_limit`, or a higher `count`".into()))
    }

    /// In words: what is looked at.
    pub fn words(&self) -> String {
        let above = |is: bool| if is { " above the old version's" } else { "" };
        let of = match self.min_requests {
            0 | 1 => String::new(),
            least => format!(", measured on {least} requests or more in {}", self.interval.brief()),
        };
        let figure = match self.metric {
            Metric::ErrorRate { at_most, above_old } => {
                format!("error rate is over {}{}", percent(at_most), above(above_old))
            }
            Metric::Latency { at_most, above_old } => {
                format!("mean time is over {}{}", at_most.brief(), above(above_old))
            }
        };
        figure + &of
    }

    /// The share of failed requests that is too much, if that is what is looked at, by itself.
    pub fn most_errors(&self) -> Option<f64> {
        match self.metric {
            Metric::ErrorRate { at_most, above_old: false } => Some(at_most),
            _ => None,
        }
    }
}

/// Requests of which with 95 % at least one shows what a share of them does: `ln(0.05) / ln(1 - p)`, rounded up.
pub fn to_see(share: f64) -> Option<u64> {
    match share {
        _ if share <= 0.0 => None,
        _ if share >= 1.0 => Some(1),
        _ => Some((math::ln(0.05) / math::ln(1.0 - share)).ceil() as u64),
    }
}

/// Requests of which with 95 % more than this share shows a larger one: `z^2 p (1 - p) / (p - a)^2` of the normal distribution, `z` = 1.645;
/// and no fewer than show one.
pub fn to_exceed(share: f64, borne: f64) -> Option<u64> {
    let z = 1.645;
    let beyond = share - borne;
    let requests = (z * z * share * (1.0 - share) / (beyond * beyond)).ceil() as u64;
    to_see(share).filter(|_| beyond > 0.0).map(|least| requests.max(least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// Of so many the chance that more than the share that is borne fail is 95 %, by the binomial distribution: as near as the normal one
    /// comes to it.
    #[test]
    fn how_many_requests_are_more_than_is_borne() {
        let table = [
            (0.1, 0.05, Some(98)),
            (0.05, 0.02, Some(143)),
            (0.01, 0.0, Some(299)),
            (1.0, 0.5, Some(1)),
            (0.05, 0.05, None),
        ];
        for (share, borne, requests) in table {
            assert_eq!(to_exceed(share, borne), requests, "{share} {borne}");
        }
        for (share, borne) in [(0.1, 0.05), (0.05, 0.02), (0.5, 0.4)] {
            let requests = to_exceed(share, borne).expect("it is more");
            let (mut one, mut borne_of_them) = (math::powi(1.0 - share, requests as u32), 0.0);
            for failed in 0..=(borne * requests as f64 + 1e-9) as u64 {
                borne_of_them += one;
                one *= (requests - failed) as f64 / (failed + 1) as f64 * share / (1.0 - share);
            }
            assert!((1.0 - borne_of_them - 0.95).abs() < 0.03, "{share} {borne}: {requests} {borne_of_them}");
        }
    }

    fn analysis(text: &str) -> Analysis {
        read::<Analysis>(text).expect("sound").0
    }

    #[test]
    fn what_a_measurement_says() {
        let seen =
            |requests, failed| Seen { requests, failed, took: 50_000_000 * u128::from(requests - failed) };
        let plain = "(metric: ErrorRate(at_most: 0.05), min_requests: 10)";
        let above = "(metric: ErrorRate(at_most: 0.05, above_old: true), min_requests: 10)";
        let slow = r#"(metric: Latency(at_most: "40ms"), min_requests: 10)"#;
        let slower = r#"(metric: Latency(at_most: "0ms", above_old: true))"#;
        for (text, new, old, verdict) in [
            (plain, seen(100, 5), seen(100, 0), Verdict::Passed),
            (plain, seen(100, 6), seen(100, 0), Verdict::Failed),
            // It is what it is, whoever's fault.
            (plain, seen(100, 30), seen(100, 30), Verdict::Failed),
            (plain, seen(9, 9), seen(100, 0), Verdict::Inconclusive),
            (plain, seen(100, 5), seen(0, 0), Verdict::Passed),
            (above, seen(100, 30), seen(100, 30), Verdict::Passed),
            (above, seen(100, 36), seen(100, 30), Verdict::Failed),
            (above, seen(100, 36), seen(9, 3), Verdict::Inconclusive),
            (slow, seen(100, 0), seen(100, 0), Verdict::Failed),
            // Of those that it answered well there are too few.
            (slow, seen(100, 91), seen(100, 0), Verdict::Inconclusive),
            (slower, seen(100, 0), seen(100, 0), Verdict::Passed),
            (slower, seen(0, 0), seen(100, 0), Verdict::Inconclusive),
        ] {
            assert_eq!(analysis(text).measures(new, old), verdict, "{text}: {new:?} {old:?}");
        }
    }

    /// `p`, `f` and `i` of measurements; `-` goes on, `a` is accepted, `x` taken back.
    #[test]
    fn what_follows_from_measurements() {
        for (text, measured, follows) in [
            ("", "ppp", "---"),
            ("", "ppf", "--x"),
            ("count: 3", "ppp", "--a"),
            // Those that say nothing are not counted.
            ("count: 3", "pipip", "----a"),
            ("failure_limit: 2", "fpffp", "---x."),
            ("failure_limit: 1, count: 3", "fpp", "--a"),
            ("failure_limit: 1, count: 3", "fpf", "--x"),
            ("failure_limit: 3, count: 3", "fff", "--a"),
        ] {
            let analysis = analysis(&format!("(metric: ErrorRate(at_most: 0.1), {text})"));
            let (mut so_far, mut is_over, mut found) = (Measured::default(), false, String::new());
            for one in measured.chars() {
                if is_over {
                    found.push('.');
                    continue;
                }
                let verdict = match one {
                    'p' => Verdict::Passed,
                    'f' => Verdict::Failed,
                    _ => Verdict::Inconclusive,
                };
                let next = analysis.counts(&mut so_far, verdict);
                is_over = next != Next::GoOn;
                found.push(match next {
                    Next::GoOn => '-',
                    Next::Accepted => 'a',
                    Next::Abort => 'x',
                });
            }
            assert_eq!(found, follows, "{text}: {measured}");
        }
    }

    /// Claim B29: the rule of three, exactly.
    #[test]
    fn how_many_requests_show_a_share() {
        let table = [(0.01, Some(299)), (0.05, Some(59)), (0.5, Some(5)), (1.0, Some(1)), (0.0, None)];
        for (share, requests) in table {
            assert_eq!(to_see(share), requests, "{share}");
        }
    }

    #[test]
    fn what_never_fails_says_so() {
        for (text, never) in [
            ("(metric: ErrorRate(at_most: 1))", true),
            ("(metric: ErrorRate(at_most: 0.99))", false),
            ("(metric: ErrorRate(at_most: 0.1), count: 3, failure_limit: 3)", true),
            ("(metric: ErrorRate(at_most: 0.1), count: 3, failure_limit: 2)", false),
            ("(metric: ErrorRate(at_most: 0.1), failure_limit: 2)", false),
        ] {
            assert_eq!(analysis(text).never_fails().is_some(), never, "{text}");
        }
    }
}
