//! The verdict itself, and what both kinds of runs need for its sentence.

use super::course::Course;
use super::outlook::{Ahead, Known};
use super::undisturbed::undisturbed;
use super::users::{Users, together};
use crate::report::head::{Report, Summary, VerdictKind};
use crate::report::timeline::Disturbance;
use crate::words::percent;
use sim_core::SimDuration;
use std::ops::Range;

/// What was found, and what the explanation should look at.
pub struct Judgement {
    pub kind: VerdictKind,
    pub headline: String,
    pub time_to_recover: Option<u64>,
    /// What comes after the end, where users are not served as before and that can be seen.
    pub outlook: Option<Ahead>,
    /// The windows that show the problem at its latest; the measured part if there is none.
    pub latest: Range<usize>,
    /// How users were served before, as a share, and what was offered then, per second; absent without a disturbance.
    pub before: Option<Before>,
    /// Calls per second offered in `latest`.
    pub offered: Option<f64>,
    /// A sentence: how many were served from the beginning of the first disturbance to the end of the last; absent if it did no
    /// harm, or has not ended.
    pub meanwhile: Option<String>,
    /// A sentence: that more is asked of a service by the end than it can do, where the headline says something else.
    pub overload: Option<String>,
}

/// How it was before the first disturbance.
pub struct Before {
    pub share: f64,
    pub measured: bool,
    /// ` in time, within 300 ms`, if some were answered too late.
    pub in_time: String,
    pub offered: Option<f64>,
    /// Whether clearly fewer calls are offered at the end.
    pub fewer: bool,
}

impl Judgement {
    /// Of a report, by its windows.
    pub fn of(report: &Report, summary: &Summary, known: &Known) -> Self {
        let users = Users::of(report, known);
        let end = report.reached();
        let disturbances: Vec<&Disturbance> =
            report.timeline.disturbances.iter().filter(|disturbance| disturbance.from < end).collect();
        match Course::of(report, &users, &disturbances) {
            Some(course) => course.judge(report, &users, known),
            None => undisturbed(report, &users, summary),
        }
    }

    /// Whether users are served as before, where that can be told.
    pub fn recovered(&self) -> Option<bool> {
        match self.kind {
            VerdictKind::Recovered => Some(true),
            VerdictKind::Degraded | VerdictKind::NotRecovered => Some(false),
            // Where nothing disturbed it there was nothing to come back from.
            VerdictKind::NeverSettles => self.before.as_ref().map(|_| false),
            _ => None,
        }
    }
}

/// The first window after the warm-up.
pub fn measured_from(report: &Report) -> usize {
    report.run.warm_up.div_ceil(report.run.window.max(1)) as usize
}

pub fn all_windows(users: &[Users]) -> usize {
    users.iter().map(Users::windows).max().unwrap_or(0)
}

/// In which windows nothing is known of what becomes of calls.
pub fn ripe(users: &[Users]) -> usize {
    users.iter().map(|users| users.ripe).min().unwrap_or(0)
}

/// `goodput is 3 % of offered`, or, where answers come but too late, how many come in time.
pub fn goodput(users: &[Users], windows: &Range<usize>, share: f64) -> String {
    let late: u64 = users.iter().map(|users| users.late(windows)).sum();
    let served = together(users, windows);
    let limit = users.iter().find(|users| users.late(windows) > 0).and_then(|users| users.within);
    match limit.filter(|_| 2.0 * late as f64 > served.of - served.good) {
        Some(within) => {
            format!(
                "{} of calls are answered within {}",
                percent(share),
                SimDuration::from_nanos(within).brief()
            )
        }
        None => format!("goodput is {} of offered", percent(share)),
    }
}
