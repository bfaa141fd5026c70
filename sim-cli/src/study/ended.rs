//! What many runs come to together, in words.

use crate::result::estimate::{Estimate, Measured};
use crate::result::page::kind;
use crate::result::verdict::{NOT_YET, Verdict};
use sim_models::report::{Metric, Outlook, Report, VerdictKind};
use std::collections::BTreeMap;

/// What a verdict over many runs is made of.
pub(crate) struct Ended {
    kind: VerdictKind,
    outlook: Option<Outlook>,
    recovered: Option<bool>,
    time_to_recover: Option<u64>,
    /// Of what is disturbed until the end: the share of calls that are served meanwhile.
    meanwhile: Option<f64>,
}

impl Ended {
    /// Of one run.
    pub fn of(report: &Report) -> Self {
        let summary = &report.summary;
        Ended {
            kind: report.verdict.kind,
            outlook: report.verdict.outlook,
            recovered: summary.recovered,
            time_to_recover: summary.time_to_recover,
            meanwhile: (report.verdict.kind == VerdictKind::StillDisturbed)
                .then(|| report.metric("success during fault").ok().and_then(number))
                .flatten(),
        }
    }

    /// What runs come to together.
    pub fn verdict<'a>(runs: impl Iterator<Item = &'a Ended> + Clone) -> Verdict {
        // What a finding is stands in its numbers.
        if runs.clone().count() > 0 && runs.clone().all(|run| run.kind == VerdictKind::Finding) {
            return Verdict::default();
        }
        let truth = |run: &Ended| run.recovered.map_or(Measured::Absent, Measured::Truth);
        let time =
            |run: &Ended| run.time_to_recover.map_or(Measured::Absent, |ns| Measured::Number(ns as f64));
        let recovered = Estimate::of(&runs.clone().map(truth).collect::<Vec<_>>());
        let times = Estimate::of(&runs.clone().map(time).collect::<Vec<_>>());
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let words = |run: &Ended| match run.outlook {
            Some(Outlook::OnItsWay) => NOT_YET,
            _ => kind(run.kind).0,
        };
        runs.clone().for_each(|run| *kinds.entry(words(run)).or_default() += 1);
        let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let verdict = Verdict::of(&recovered, &times, &kinds);
        match kinds.as_slice() {
            [(lasting, _)] if *lasting == kind(VerdictKind::StillDisturbed).0 => {
                let meanwhile = runs.map(|run| run.meanwhile.map_or(Measured::Absent, Measured::Number));
                verdict.of_lasting(&Estimate::of(&meanwhile.collect::<Vec<_>>()))
            }
            _ => verdict,
        }
    }
}

fn number(metric: Metric) -> Option<f64> {
    match metric {
        Metric::Number(number, _) => Some(number),
        _ => None,
    }
}
