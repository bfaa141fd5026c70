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
//! Flags by user, of which the same user has the same everywhere, are the graph's ([`flags`](super::flags)).

mod setter;

use super::analysis::Analysis;
use super::switch::{FlagStage, Says};
use super::versions::{Burden, OF_FLAG};
use crate::experiment::{Decoder, Len, Node};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
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
    flag.switched().check(at, cx);
}

impl FeatureFlag {
    /// What is said of it as of any flag.
    fn switched(&self) -> Says<'_> {
        let FeatureFlag { stages, analysis, kill_takes, .. } = self;
        Says { stages, analysis: analysis.as_ref(), kill_takes: *kill_takes }
    }

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
        Some(self.flag.switched().brief())
    }

    fn disturbs(&self) -> Option<(&'static str, SimTime)> {
        Some(("flag", self.flag.switched().first()?))
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
        self.flag.switched().notes(&format!("the flag of {}", around.name))
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
