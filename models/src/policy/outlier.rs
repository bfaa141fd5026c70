//! Replicas that fail are taken out of those that a client chooses among, for a while: Envoy's outlier detection.
//!
//! Each client watches each replica by what it sees of it itself. One that fails so often in a row is ejected at once; and at
//! every look, each `interval`, so is one whose rate of success is far below that of the others (more than `stdev_factor`
//! standard deviations below the mean), or below a rate. It is ejected for `base_ejection_time` times how often that happened of
//! late, and let in again by the first look after that. Nothing is sent to find out whether it is well again (a breaker would):
//! the next failures in a row cost as much as the first, and the time doubles, triples, and so on, one less for each look at which it
//! is in.
//!
//! Only so many may be out at a time, and that is asked before one is ejected: Envoy's default of 10 % lets go of nobody of fewer than
//! ten (`always_eject_one`, which is Envoy's `always_eject_one_host`, lets go of one; until that setting came one was always let go of).
//! With more, the last may go: then nothing is sent (Envoy's "no healthy upstream") unless a `panic_threshold` has all of them chosen
//! again.
//!
//! What counts as a failure is a list here. Envoy counts answers of 500 and more, and what its own side failed of as if it had been
//! one: that is the default. Its `consecutive_gateway_failure` (502, 503, 504) is `on: [Rejected, Refused, Reset, TimedOut]`, and its
//! `consecutive_local_origin_failure` is `on: [Refused, Reset, TimedOut]`.
//!
//! Source: `envoyproxy/envoy` at 00c7146, `source/common/upstream/outlier_detection_impl.cc`.

mod state;
mod watch;

use super::outcome::{ANY_SENT, Failure, OnList};
use super::page::Page;
use super::part::{Around, Does, Part};
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Section;
use sim_core::SimDuration;
use state::Host;
pub use state::{Moved, OutlierState};
pub use watch::Watch;

spec! {
    /// Takes replicas that fail out of those that a client chooses among, for a while.
    pub struct Outlier where check {
        /// A replica is ejected after so many failures in a row. `None`: never for that.
        consecutive: Option<u32> = Some(5); 1..=1_000_000,
        /// Or if it succeeds far less often than the others. `None`: never for that.
        success_rate: Option<SuccessRate> = Some(SuccessRate::default()),
        /// Or if it fails more often than this, whatever the others do.
        failure_percentage: Option<FailurePercentage> = None,
        /// How often rates are looked at, and whether somebody may be let in again.
        interval: SimDuration = SimDuration::from_secs(10); POSITIVE,
        /// How long one is ejected, times how often it was of late.
        base_ejection_time: SimDuration = SimDuration::from_secs(30); POSITIVE,
        /// And at most. Absent: five minutes, or `base_ejection_time` if that is longer.
        max_ejection_time: Option<SimDuration> = None; POSITIVE,
        /// The most of all replicas, in percent, that may be out at a time.
        max_ejection_percent: u32 = 10; 0..=100,
        /// One may be out although it is more than that.
        always_eject_one: bool = false,
        /// What is a failure.
        on: Vec<Failure> = ANY_SENT.to_vec(); OnList::Sent,
    }
}

spec! {
    /// Who succeeds far less often than the others.
    #[derive(Copy)]
    pub struct SuccessRate {
        /// So many standard deviations below the mean of all is far.
        stdev_factor: f64 = 1.9; 0.0..=1000.0,
        /// Among at least so many replicas that were asked often enough.
        minimum_hosts: u32 = 5; 1..=1_000_000,
        /// Often enough: so many attempts in an interval.
        request_volume: u32 = 100; 1..=1_000_000_000,
    }
}

spec! {
    /// Who fails more often than a limit.
    #[derive(Copy)]
    pub struct FailurePercentage {
        /// So many percent of what was asked in an interval.
        threshold: u32 = 85; 0..=100,
        /// Among at least so many replicas that were asked often enough.
        minimum_hosts: u32 = 5; 1..=1_000_000,
        /// Often enough: so many attempts in an interval.
        request_volume: u32 = 50; 1..=1_000_000_000,
    }
}

impl Default for SuccessRate {
    fn default() -> Self {
        SuccessRate { stdev_factor: 1.9, minimum_hosts: 5, request_volume: 100 }
    }
}

impl Outlier {
    /// The longest that one is ejected.
    fn longest(&self) -> SimDuration {
        let otherwise = SimDuration::from_secs(300).max(self.base_ejection_time);
        self.max_ejection_time.unwrap_or(otherwise)
    }

    /// Whether one more may go of so many, of whom some have gone.
    fn may_go(&self, gone: u32, all: u32) -> bool {
        let percent = 100.0 * (f64::from(gone) + 1.0) / f64::from(all);
        percent <= f64::from(self.max_ejection_percent) || self.always_eject_one && gone == 0
    }

    /// The most of so many that may be out at a time.
    fn most(&self, all: u32) -> u32 {
        let within = (u64::from(all) * u64::from(self.max_ejection_percent) / 100) as u32;
        within.max(u32::from(self.always_eject_one))
    }

    /// The fewest replicas among which any of its rules can find one.
    fn fewest(&self) -> Option<u32> {
        let one = self.consecutive.map(|_| 1);
        let rates = self.success_rate.map(|it| it.minimum_hosts);
        let limits = self.failure_percentage.map(|it| it.minimum_hosts);
        [one, rates, limits].into_iter().flatten().min()
    }
}

fn check(outlier: &Outlier, at: &Node, cx: &mut Decoder) {
    if let Some(max) = outlier.max_ejection_time.filter(|max| *max < outlier.base_ejection_time) {
        let message = format!(
            "`max_ejection_time` is {max}, and `base_ejection_time`, which is the least, {}",
            outlier.base_ejection_time
        );
        cx.at("max_ejection_time", |cx| _ = cx.error(at.span_of("max_ejection_time"), message));
    }
    if outlier.fewest().is_none() {
        cx.warn(at.span, "nobody is ever ejected: not for failures in a row, nor for a rate");
    }
}

impl Part for Outlier {
    fn does(&self) -> Does {
        Does::STEERS.and(Does::REFUSES)
    }

    fn brief(&self) -> Option<String> {
        let for_what = match self.consecutive {
            Some(failures) => format!("after {failures} in a row"),
            None => "by rate".into(),
        };
        Some(format!("ejects {for_what}"))
    }

    fn bytes(&self, replicas: u32) -> u64 {
        // And whom they leave: a list, and of each whether it is in it.
        u64::from(replicas) * (size_of::<Host>() as u64 + 8 + 5) + size_of::<OutlierState>() as u64
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![watch::declared(at)]
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let (edge, all) = (around.name, around.choices);
        if all == 0 {
            return None;
        }
        if self.most(all) == 0 {
            let one = if all == 1 {
                "the only replica is all".into()
            } else {
                format!("one of {all} replicas is {:.1} %", 100.0 / f64::from(all))
            };
            let why = format!(
                "nobody is ever ejected over {edge}: {one} of them, and `max_ejection_percent` is {}",
                self.max_ejection_percent
            );
            let help = match all {
                1 => "leave it out: who is ejected leaves nobody to send to",
                _ => "`always_eject_one: true`, or more percent",
            };
            return Some((why, help.into()));
        }
        let fewest = self.fewest().filter(|fewest| *fewest > all)?;
        let why = format!(
            "nobody is ever ejected over {edge}: rates are compared among {fewest} replicas (`minimum_hosts`), and there are {all}"
        );
        Some((why, "a smaller `minimum_hosts`, or `consecutive`".into()))
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (all, most) = (around.choices, self.most(around.choices));
        if all == 0 || self.idles(around).is_some() {
            return Vec::new();
        }
        let who = if most == all { "all of its".into() } else { format!("at most {most} of {all}") };
        vec![format!(
            "{}: {who} replicas may be ejected at a time, each for {} times how often it was of late, {} at most",
            around.name,
            self.base_ejection_time,
            self.longest()
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "outlier",
            word: "",
            what: "Takes a replica that fails out of those that a client chooses among, for a while: after so many failures \
                   in a row, or if it succeeds far less often than the others. Each client goes by what it sees itself, and \
                   the time grows with how often that happened of late. It finds out that a replica may be chosen again when it next \
                   calls somebody, and counts it as out until then.",
            hurts: "What is wrong with all of them ejects all of them, as far as `max_ejection_percent` lets it, and those that are left \
                    get everything: three that do what four did at 80 % of what they can have too much. With Envoy's 10 % nobody of fewer than ten is \
                    ever ejected. It sends nothing to find out whether a replica is well again, so each return costs as many \
                    failures as the first.",
            formula: "one bad replica of `n` costs each client `consecutive` failures and those that were out by then, every \
                      `base_ejection_time` times 1, 2, 3 ..; a rate is far below if it is less than the mean less \
                      `stdev_factor` standard deviations",
            source: "Envoy `outlier_detection` (outlier_detection_impl.cc at 00c7146); Istio `outlierDetection`; gRPC A50, which has the rates and no failures in a row",
            experiment: "fast-failing-replica",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "(max_ejection_percent: 100)",
            r#"(consecutive: 3, interval: "200ms", base_ejection_time: "500ms", always_eject_one: true)"#,
            r#"(consecutive: 1, max_ejection_percent: 50, interval: "1ms", base_ejection_time: "1ms", on: [Error])"#,
            r#"(consecutive: None, success_rate: (minimum_hosts: 2, request_volume: 5, stdev_factor: 0.5), failure_percentage: (threshold: 50, minimum_hosts: 1, request_volume: 3), interval: "300ms", base_ejection_time: "300ms", max_ejection_percent: 60)"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    /// Envoy: `100.0 * (ejections_active + 1) / hosts <= max_ejection_percent`, or `always_eject_one_host` and none is active.
    #[test]
    fn how_many_may_go() {
        for (text, all, most) in [
            ("()", 3, 0),
            ("()", 9, 0),
            ("()", 10, 1),
            ("()", 19, 1),
            ("()", 20, 2),
            ("(always_eject_one: true)", 3, 1),
            ("(always_eject_one: true)", 20, 2),
            ("(max_ejection_percent: 0)", 1_000, 0),
            ("(max_ejection_percent: 33)", 3, 0),
            ("(max_ejection_percent: 34)", 3, 1),
            ("(max_ejection_percent: 50)", 6, 3),
            ("(max_ejection_percent: 100)", 3, 3),
            ("(max_ejection_percent: 100)", 1, 1),
        ] {
            let outlier = read::<Outlier>(text).unwrap().0;
            assert_eq!(outlier.most(all), most, "{text} of {all}");
            let gone = (0..all).take_while(|gone| outlier.may_go(*gone, all)).count();
            assert_eq!(gone as u32, most, "{text} of {all}");
        }
    }

    #[test]
    fn who_never_ejects_anybody_says_why() {
        for (text, choices, why) in [
            ("()", 3, "one of 3 replicas is 33.3 % of them, and `max_ejection_percent` is 10"),
            ("()", 1, "the only replica is all of them"),
            ("()", 10, ""),
            ("()", 0, ""),
            ("(max_ejection_percent: 100)", 3, ""),
            ("(max_ejection_percent: 100, consecutive: None)", 4, "compared among 5 replicas"),
            ("(max_ejection_percent: 100, consecutive: None)", 5, ""),
            ("(always_eject_one: true)", 3, ""),
        ] {
            let outlier = read::<Outlier>(text).unwrap().0;
            let around = Around { choices, ..Around::new("a->b", Vec::new()) };
            let told = outlier.idles(&around).map_or(String::new(), |(why, _)| why);
            assert!(told.contains(why) && told.is_empty() == why.is_empty(), "{text}: {told}");
            assert_eq!(outlier.notes(&around).is_empty(), choices == 0 || !why.is_empty(), "{text}");
        }
    }
}
