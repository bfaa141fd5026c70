//! A rollout before it is run: what will happen, and when at the earliest.
//!
//! Whoever rolls it out is asked what he would do if replicas took their mean time to start and were gone as soon as they may, and nothing
//! else happened.

use super::roller::{Action, Roller, Sight};
use super::{Rollout, Strategy};
use crate::experiment::{Decoder, Node};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::Section;
use crate::service_graph::control::analysis::{to_exceed, to_see};
use crate::service_graph::control::protocol::Protocol;
use crate::words::percent;
use sim_core::{SimDuration, SimTime};

/// A service of more replicas is not asked beforehand.
const MOST: u32 = 500;
/// Nor further than so many steps.
const STEPS: u32 = 100_000;

/// A rollout where it stands: of so many replicas, which take so long to start.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    pub rollout: &'a Rollout,
    pub replicas: u32,
    pub start: SimDuration,
    /// Replicas of the old version lose memory, of which that tells.
    pub leaks: bool,
}

/// When what is to happen happens, at the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Foreseen {
    first_shown: Option<SimTime>,
    ended: Option<SimTime>,
    is_taken_back: bool,
    least: u32,
}

impl Planned<'_> {
    fn foresees(&self) -> Option<Foreseen> {
        let rollout = self.rollout;
        if self.replicas > MOST || rollout.goes_by_zones() {
            return None;
        }
        let room = rollout.room(self.replicas);
        let mut roller = Roller::new(rollout, 0, (self.replicas, room), |_| 0);
        // Until when each is on its way in, or out.
        let mut until: Vec<(Option<SimTime>, bool)> = vec![(Some(SimTime::ZERO), true); room as usize];
        until[self.replicas as usize..].iter_mut().for_each(|it| it.1 = false);
        let mut now = rollout.at;
        roller.begins(now);
        for _ in 0..STEPS {
            let sight = |(at, is_in): &(Option<SimTime>, bool)| {
                let there = at.is_some_and(|at| at <= now);
                Sight { gone: there && !is_in, ready: there && *is_in }
            };
            roller.sees(until.iter().map(sight), now);
            match roller.decides(now) {
                Action::Start { slot, new, .. } => {
                    let never = new && !rollout.to.ready;
                    until[slot as usize] = ((!never).then_some(now + self.start), true);
                }
                Action::Stop { slot } => until[slot as usize] = (Some(now + rollout.linger), false),
                Action::Show { .. } => {}
                Action::Wait { until: next } => {
                    let changes = until.iter().filter_map(|it| it.0);
                    match changes.chain(next).filter(|at| *at > now).min() {
                        Some(next) => now = next,
                        None => break,
                    }
                }
            }
        }
        let told = &roller.told;
        Some(Foreseen {
            first_shown: told.first_shown(),
            ended: told.ended(),
            is_taken_back: told.was_taken_back(),
            least: told.least()?,
        })
    }

    /// When an analysis takes it back, at the earliest.
    fn taken_back(&self) -> Option<SimTime> {
        let analysis = self.rollout.analysis.as_ref().filter(|it| it.never_fails().is_none())?;
        Some(self.foresees()?.first_shown? + analysis.earliest())
    }
}

impl Part for Planned<'_> {
    fn does(&self) -> Does {
        let fails = if self.rollout.to.error_rate > 0.0 { Does::FAILS } else { Does::NOTHING };
        let leaks = self.rollout.to.memory_leak.as_ref().map_or(Does::NOTHING, Part::does);
        Does::VARIES.and(Does::STEERS).and(Does::REFUSES).and(fails).and(leaks)
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        let of_new = self.rollout.to.memory_leak.as_ref().filter(|_| !self.leaks);
        of_new.map_or_else(Vec::new, |leak| leak.sections(at))
    }

    fn brief(&self) -> Option<String> {
        Some(format!("{} at {}", self.rollout.strategy.words(), self.rollout.at))
    }

    fn disturbs(&self) -> Option<(&'static str, SimTime)> {
        Some(("rollout", self.rollout.at))
    }

    fn comes_too_late(&self, end: SimTime) -> Option<String> {
        if self.rollout.at >= end {
            return None;
        }
        let first = self.foresees()?.first_shown?;
        if first >= end {
            return Some(format!(
                "no caller meets its new version before {first}, and the run ends at {end}"
            ));
        }
        let back = self.taken_back().filter(|back| *back >= end)?;
        Some(format!("its analysis takes nothing back before {back}, and the run ends at {end}"))
    }

    fn check(&self, _around: &Around, at: &Node, cx: &mut Decoder) {
        let (rollout, replicas) = (self.rollout, self.replicas);
        let node = at.get("rollout").unwrap_or(at);
        if rollout.missed >= replicas {
            let message = format!("misses {} of {replicas} replicas: nobody gets it", rollout.missed);
            cx.warn(node.span_of("missed"), message).help("fewer `missed`, or more `replicas`");
        }
        let Strategy::Canary { steps, .. } = &rollout.strategy else { return };
        let rounded = |weight: f64| f64::from(super::up(weight, replicas)) / f64::from(replicas);
        let coarse = steps.iter().find(|step| rounded(step.weight) > 2.0 * step.weight);
        if let Some(step) = coarse.filter(|step| step.weight > 0.0) {
            let message = format!(
                "{} of {replicas} replicas is one: it meets {} of the requests",
                percent(step.weight),
                percent(rounded(step.weight))
            );
            cx.warn(node.span_of("strategy"), message)
                .help("more `replicas`, of which a share can be that small");
        }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (rollout, name) = (self.rollout, around.name);
        let foreseen = self.foresees();
        let mut notes = Vec::new();
        let [old, new] = rollout.protocols();
        if [&old, &new].into_iter().any(|protocol| *protocol != Protocol::first()) {
            notes.push(format!("{name} {}; its new version {}", old.words(), new.words()));
        }
        let brief = |at: SimTime| at.since(SimTime::ZERO).brief();
        if let Some(Foreseen { first_shown, ended, is_taken_back, least }) = foreseen {
            let begins = format!("the rollout of {name} begins at {}", brief(rollout.at));
            let meanwhile = format!("meanwhile callers have at least {least} of {} replicas", self.replicas);
            notes.push(match (first_shown, ended) {
                (Some(first), Some(ended)) => format!(
                    "{begins}: callers meet the new version at {} and all of it at {} at the earliest; {meanwhile}",
                    brief(first),
                    brief(ended)
                ),
                (Some(first), None) => {
                    format!("{begins}: callers meet the new version at {}; {meanwhile}", brief(first))
                }
                (None, Some(ended)) if is_taken_back => format!(
                    "{begins}: no caller ever meets the new version, and it is taken back by {}; {meanwhile}",
                    brief(ended)
                ),
                (None, Some(ended)) => {
                    format!("{begins} and is over at {}: no replica gets the new version", brief(ended))
                }
                (None, None) => {
                    format!("{begins} and gets stuck: no replica of it becomes ready, and nobody takes it back; {meanwhile}")
                }
            });
        }
        if let Some(leak) = &rollout.to.memory_leak {
            let of_new = format!("the new version of {name}");
            notes.extend(leak.notes(&Around { offered: around.offered, ..Around::new(&of_new, Vec::new()) }));
        }
        let Some(analysis) = &rollout.analysis else { return notes };
        if let Some(back) = self.taken_back() {
            notes.push(format!(
                "it is taken back, if its {}, at {} at the earliest, {} after callers meet it",
                analysis.words(),
                brief(back),
                analysis.earliest().brief()
            ));
        }
        if let (Some(most), Some(requests)) = (analysis.most_errors(), to_see(rollout.to.error_rate)) {
            notes.push(match most {
                0.0 => format!(
                    "one that fails {} of its requests shows it in {requests} of them with 95 %: 1 - (1 - p)^n",
                    percent(rollout.to.error_rate)
                ),
                most if most >= rollout.to.error_rate => format!(
                    "it fails {} of its requests of itself, and {} are borne: only luck, or somebody else's failures, takes it back",
                    percent(rollout.to.error_rate),
                    percent(most)
                ),
                most => format!(
                    "it fails {} of its requests, and {} are borne: a measurement needs about {} requests to see more than that with 95 %: \
                     1.645^2 p (1 - p) / (p - a)^2",
                    percent(rollout.to.error_rate),
                    percent(most),
                    to_exceed(rollout.to.error_rate, most).unwrap_or(requests)
                ),
            });
        }
        notes
    }

    fn about() -> &'static [Page] {
        PAGES
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(at: "200ms", to: (work: 1.5, error_rate: 0.1), strategy: Rolling(), grace: "100ms")"#,
            r#"(at: "100ms", to: (error_rate: 0.5), strategy: BlueGreen(scale_down_delay: "200ms"), analysis: (metric: ErrorRate(at_most: 0.1), interval: "50ms"), grace: "20ms")"#,
            r#"(at: "50ms", strategy: Canary(steps: [(weight: 0.3, pause: "100ms"), (weight: 0.6, pause: "50ms")]), missed: 1, min_ready: "10ms", linger: "5ms", grace: "10ms", analysis: (metric: Latency(at_most: "2ms", above_old: true), interval: "30ms", count: 3))"#,
            r#"(at: "100ms", to: (memory_leak: (per_request: "1MiB", per_hour: "1GiB", limit: "20MiB", then: Dies(restart_after: "50ms"))), strategy: Rolling(), grace: "50ms")"#,
            r#"(at: "150ms", from: (understands: [1, 2]), to: (speaks: 2, understands: [2]), strategy: Rolling(), grace: "50ms")"#,
            r#"(at: "100ms", to: (ready: false), strategy: Recreate, progress_deadline: "200ms", progress_deadline_abort: true, grace: "50ms")"#,
        ]
    }
}

const PAGES: &[Page] = &[Page {
    name: "rollout",
    word: "",
    what: "Brings another version of a service: replicas of the old one are drained and go, replicas of the new one start in their place, in \
           the order and at the pace of a strategy. What the new version does otherwise is upon whoever runs it; what it speaks when it calls must be understood \
           by whom it calls, of whatever version that is, and a section `versions` tells how many requests were not. An analysis measures the new \
           version every so often and takes it back when it fails; a canary and zones wait between their steps, blue and green wait aside.",
    hurts: "Whoever is replaced is missing, and what starts is not there yet: at peak load the others are over their capacity, bad release or not. \
            A bad release reaches as many users as have it when somebody notices: everybody, if that takes longer than the rollout. Few \
            requests show little: an analysis that must see one failure in a hundred needs 299 of them, and one that looks often at few \
            takes back what is good. Two services that change at the same time pass through all pairs of their versions. What takes longer to show than it is watched for (a leak) shows everywhere at once. A limit that is not compared with the old version takes back a good one when something else fails.",
    formula: "users meet it for `sum w_j t_j` of shares `w_j`, of those whom callers have heard of, for times `t_j`; a share `p` of failures shows in `n` requests with \
              `1 - (1 - p)^n`: `n = ln 0.05 / ln(1 - p)` for 95 %, three in `p`; a share `p` of callers that a share `q` of callees does not understand fails `p q` of \
              the calls",
    source: "Kubernetes apps/v1 Deployment and its defaults, `pkg/controller/deployment/rolling.go`; Argo Rollouts `canary`, `blueGreen`, \
             `AnalysisTemplate`; Sato, \"ParallelChange\", 2014 (expand, migrate, contract); Kleppmann, Designing Data-Intensive Applications, 2017, chapter 4 (backward and \
             forward compatibility); Beyer et al., The Site Reliability Workbook, chapter 16 (canarying releases)",
    experiment: "canary-deploy",
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// Ten replicas that take 10 s to start.
    #[test]
    fn what_is_said_before_it_is_run() {
        let canary = r#"at: "60s", strategy: Canary(steps: [(weight: 0.1, pause: "60s"), (weight: 0.5, pause: "60s")])"#;
        let about = |rollout: &str| {
            let rollout = read::<Rollout>(&format!("({canary}{rollout})")).expect("sound").0;
            let start = SimDuration::from_secs(10);
            let around = Around::new("api", Vec::new());
            Planned { rollout: &rollout, replicas: 10, start, leaks: false }.notes(&around).join("; ")
        };
        let analysis =
            |more: &str| format!(r#", to: (error_rate: 0.1), analysis: (interval: "30s", metric: {more})"#);
        for (rollout, said) in [
            (
                ", from: (understands: [1, 2]), to: (speaks: 2)",
                "api speaks 1 and understands 1, 2; its new version speaks 2 and understands 1, 2",
            ),
            (", missed: 10", "and is over at 3 min: no replica gets the new version"),
            ("", "callers meet the new version at 70 s and all of it at 3 min 30 s at the earliest"),
            (
                ", to: (ready: false), progress_deadline_abort: true",
                "no caller ever meets the new version, and it is taken back by 11 min",
            ),
            (
                &analysis("ErrorRate(at_most: 0.05)"),
                "error rate is over 5 %, at 100 s at the earliest, 30 s after",
            ),
            (
                &analysis("ErrorRate(at_most: 0.05), failure_limit: 2"),
                "at 2 min 40 s at the earliest, 90 s after",
            ),
            (
                &analysis("ErrorRate(at_most: 0.05), min_requests: 1000000"),
                "error rate is over 5 %, measured on 1000000 requests or more in 30 s, at 100 s",
            ),
            (
                &analysis("ErrorRate(at_most: 0.05)"),
                "a measurement needs about 98 requests to see more than that",
            ),
        ] {
            assert!(about(rollout).contains(said), "{rollout}: {}", about(rollout));
        }
        // What never fails takes nothing back.
        assert!(!about(&analysis("ErrorRate(at_most: 1)")).contains("it is taken back"));
    }
}
