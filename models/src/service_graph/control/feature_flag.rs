//! A flag that is switched on for some replicas of a service and then for more while they run: a feature, a rule, a configuration that is
//! pushed.
//!
//! Nothing starts and nothing stops: whoever has it does otherwise from the next request on, wherever that is too much at once. It is on
//! for a share of the replicas, those with the lowest numbers first, or zone by zone; or for all of them at once, which is what a push
//! without stages does. Some may have `missed` it. Code that only one version has acts where that version runs (`only`): a flag that is
//! used again wakes what an old version does with it.
//!
//! Whoever looks at the figures of those for whom it is on ([`analysis`](super::analysis)) switches it off for all: the kill switch.
//!
//! Left out: flags by request or by user (of which the same user has the same everywhere), and calls that are only made with it.

mod setter;

use super::analysis::Analysis;
use super::versions::{Burden, OF_FLAG};
use crate::experiment::{Decoder, Len, Node};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::words::percent;
pub use setter::{Setter, declared};
use sim_core::{SimDuration, SimTime};

spec! {
    /// Something that is switched on for some replicas, and then for more.
    pub struct FeatureFlag where check {
        /// For how many it is on, and from when on.
        stages: Vec<FlagStage>; Len(1..=100),
        /// How many times as long work takes where it is on.
        work: f64 = 1.0; 0.000_001..=1_000_000.0,
        /// Share of requests that fail where it is on, after their own work, besides those that do so anyway.
        error_rate: f64 = 0.0; 0.0..=1.0,
        /// What it is a share of.
        by: By = By::Replica,
        /// Where it does so: where this version runs, of a service with a rollout; wherever it is on if absent.
        only: Option<Runs> = None,
        /// Replicas that never get it, those with the highest numbers.
        missed: u32 = 0; 0..=10_000,
        /// Who looks at the figures of those for whom it is on, and switches it off; nobody if absent.
        analysis: Option<Analysis> = None,
        /// How long it takes until it is off everywhere.
        kill_takes: SimDuration = SimDuration::ZERO,
    }
}

spec! {
    /// For how many it is on from a time on.
    pub struct FlagStage {
        /// From then on.
        at: SimTime,
        /// The share of them, rounded up.
        share: f64 = 1.0; 0.0..=1.0,
    }
}

spec! {
    /// What a flag is on for a share of.
    #[derive(Copy, PartialEq, Eq)]
    pub enum By {
        /// Replicas, those with the lowest numbers first.
        Replica,
        /// Zones, in their order: all replicas that stand there.
        Zone,
    }
}

spec! {
    /// A version.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Runs {
        /// That which all run at first.
        Old,
        /// That which a rollout brings.
        New,
    }
}

fn check(flag: &FeatureFlag, at: &Node, cx: &mut Decoder) {
    if let Some(late) = flag.stages.windows(2).position(|pair| pair[0].at >= pair[1].at) {
        let message = format!("stages[{}] is not later than the one before it", late + 1);
        cx.error(at.span_of("stages"), message);
    }
    if flag.stages.iter().all(|stage| stage.share == 0.0) {
        cx.warn(at.span_of("stages"), "it is on for nobody at any time");
    }
    if let Some((why, help)) = flag.analysis.as_ref().and_then(Analysis::never_fails) {
        cx.warn(at.span_of("analysis"), why).help(help);
    }
    if flag.analysis.is_none() && !flag.kill_takes.is_zero() {
        cx.warn(at.span_of("kill_takes"), "nobody looks at what it does: it is never switched off")
            .help("an `analysis` does that");
    }
}

impl FeatureFlag {
    /// What is upon a replica where it acts.
    pub fn burden(&self) -> Burden {
        Burden { work: self.work, error_rate: self.error_rate, number: OF_FLAG }
    }

    /// Whether whoever switches it off does so for nothing.
    fn is_sound(&self) -> bool {
        self.work <= 1.0 && self.error_rate == 0.0
    }

    /// Whether it needs to know who stands where.
    pub fn goes_by_zones(&self) -> bool {
        self.by == By::Zone
    }
}

/// A flag where it stands: of so many replicas, whose version changes or not.
#[derive(Clone, Copy, Debug)]
pub struct Flagged<'a> {
    pub flag: &'a FeatureFlag,
    pub replicas: u32,
    pub has_versions: bool,
}

impl Part for Flagged<'_> {
    fn does(&self) -> Does {
        let FeatureFlag { work, error_rate, .. } = *self.flag;
        let varies = if work == 1.0 { Does::NOTHING } else { Does::VARIES };
        varies.and(if error_rate > 0.0 { Does::VARIES.and(Does::FAILS) } else { Does::NOTHING })
    }

    fn brief(&self) -> Option<String> {
        let shares: Vec<String> = self.flag.stages.iter().map(|stage| percent(stage.share)).collect();
        Some(format!("flag for {}", shares.join(", ")))
    }

    fn disturbs(&self) -> Option<(&'static str, SimTime)> {
        let first = self.flag.stages.iter().find(|stage| stage.share > 0.0)?;
        Some(("flag", first.at))
    }

    fn check(&self, _around: &Around, at: &Node, cx: &mut Decoder) {
        let (flag, replicas) = (self.flag, self.replicas);
        let node = at.get("feature_flag").unwrap_or(at);
        if flag.missed >= replicas {
            let message = format!("misses {} of {replicas} replicas: nobody gets it", flag.missed);
            cx.warn(node.span_of("missed"), message).help("fewer `missed`, or more `replicas`");
        }
        if flag.only == Some(Runs::New) && !self.has_versions {
            cx.warn(node.span_of("only"), "no new version ever comes: it never does anything")
                .help("give the service a `rollout`");
        }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (flag, name) = (self.flag, around.name);
        let on = flag.stages.iter().map(|stage| format!("{} at {}", percent(stage.share), stage.at));
        let on: Vec<String> = on.collect();
        let mut notes = vec![format!("the flag of {name} is on for {}", on.join(", "))];
        if let (Some(analysis), Some((_, first))) = (&flag.analysis, self.disturbs()) {
            let looks = analysis.interval.saturating_mul(u64::from(analysis.failure_limit) + 1);
            let after = analysis.initial_delay + looks;
            let by_then = flag.stages.iter().rfind(|stage| stage.at <= first + after);
            notes.push(format!(
                "it is switched off, if its {}, at {} at the earliest, {} after the first have it: by then {} do",
                analysis.words(),
                first + after,
                after.brief(),
                by_then.map_or_else(|| percent(0.0), |stage| percent(stage.share))
            ));
        }
        notes
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "feature_flag",
            word: "",
            what: "Switches something on for a share of a service's replicas and then for more, while they run: a feature, a rule, a \
                   configuration. Where it is on, work takes longer or fails. An analysis of those for whom it is on switches it off \
                   for all.",
            hurts: "One that is pushed everywhere at once is everywhere by the time that somebody sees what it does, and nobody is left to \
                    serve. Stages that are shorter than a look are no stages. Whoever misses it does what nobody expects; a flag that is \
                    used again wakes old code where that still runs.",
            formula: "users meet it for `sum s_j t_j` of shares `s_j` for times `t_j`; with stages of `t` and looks every `i` a share is reached \
                      that is on `i` after the first",
            source: "Cloudflare, outage of 2 July 2019 (a rule pushed to all at once); SEC release 34-70694 (Knight Capital, 2012); Fowler and \
                     Hodgson, \"Feature Toggles\"",
            experiment: "global-regex",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(stages: [(at: "100ms", share: 0.3), (at: "200ms")], work: 3, error_rate: 0.2)"#,
            r#"(stages: [(at: "50ms", share: 0.5)], error_rate: 0.5, missed: 1, analysis: (metric: ErrorRate(at_most: 0.1), interval: "50ms"), kill_takes: "20ms")"#,
            r#"(stages: [(at: "0s")], only: Old, work: 0.5, analysis: (metric: Latency(at_most: "5ms"), interval: "100ms", count: 2))"#,
        ]
    }
}
