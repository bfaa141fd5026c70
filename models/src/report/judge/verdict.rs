//! The verdict itself: recovered, degraded, failing .., and its sentence.

use super::goodput::{FINE, LOST, Normal, Users};
use crate::report::count::per_second;
use crate::report::head::{Report, Summary, VerdictKind};
use crate::report::timeline::Disturbance;
use crate::words::percent;
use sim_core::SimDuration;
use std::ops::Range;

const SECOND: u64 = 1_000_000_000;
/// Goodput must be fine over every stretch of this length.
const HELD: u64 = 10 * SECOND;

/// What was found, and what the explanation should look at.
pub struct Judgement {
    pub kind: VerdictKind,
    pub headline: String,
    pub time_to_recover: Option<u64>,
    /// The windows that show the problem at its latest; the measured part if there is none.
    pub latest: Range<usize>,
    /// What was normal, and what was offered then, per second; absent without a disturbance.
    pub normal: Option<(Normal, Option<f64>)>,
    /// Calls per second offered in `latest`.
    pub offered: Option<f64>,
    /// Goodput as a share of what was offered from the beginning of the first disturbance to the end of the last,
    /// and what to call that time; absent if it did no harm, or has not ended.
    pub meanwhile: Option<(f64, String)>,
}

impl Judgement {
    /// Of a report, by its windows.
    pub fn of(report: &Report, summary: &Summary) -> Self {
        let users = Users::of(report);
        let end = report.reached();
        let disturbances: Vec<&Disturbance> =
            report.timeline.disturbances.iter().filter(|disturbance| disturbance.from < end).collect();
        match Course::of(report, &users, &disturbances) {
            Some(course) => course.judge(&users),
            None => undisturbed(report, &users, summary),
        }
    }

    /// Whether goodput came back, where that can be asked.
    pub fn recovered(&self) -> Option<bool> {
        match self.kind {
            VerdictKind::Recovered => Some(true),
            VerdictKind::Degraded | VerdictKind::NeverRecovered => Some(false),
            _ => None,
        }
    }
}

fn undisturbed(report: &Report, users: &Users, summary: &Summary) -> Judgement {
    let measured = measured_from(report).min(users.windows())..users.windows();
    // Calls in flight at the end count against what was offered; those of the warm-up that ended later, for it.
    let all = Normal::everything(users.waiting(measured.start) as f64);
    let steady = summary.success.is_none_or(|success| success >= FINE) && users.fine(&measured, &all);
    let nothing = report.stopped.is_some() && report.reached() <= report.run.warm_up;
    let headline = match users.share(&measured) {
        Some(share) => format!("goodput is {} of offered", percent(share.min(1.0))),
        None if nothing => "nothing was measured: the run was stopped during the warm-up".into(),
        None => "no calls were made".into(),
    };
    Judgement {
        kind: match steady {
            _ if nothing => VerdictKind::Finding,
            true => VerdictKind::Steady,
            false => VerdictKind::Failing,
        },
        headline,
        time_to_recover: None,
        offered: summary.offered,
        latest: measured,
        normal: None,
        meanwhile: None,
    }
}

/// The first window after the warm-up.
fn measured_from(report: &Report) -> usize {
    report.run.warm_up.div_ceil(report.run.window.max(1)) as usize
}

/// A disturbed run on its windows.
struct Course {
    /// Nanoseconds per window.
    window: u64,
    /// How far the run came, in nanoseconds.
    end: u64,
    /// Windows between the warm-up and the first disturbance.
    before: Range<usize>,
    /// The window in which the first disturbance begins.
    first: usize,
    /// When the last disturbance ended, in nanoseconds, if all did.
    gone: Option<u64>,
    /// What to call it.
    name: String,
    /// Whether there were several.
    several: bool,
}

impl Course {
    fn of(report: &Report, users: &Users, disturbances: &[&Disturbance]) -> Option<Course> {
        let (window, end) = (report.run.window.max(1), report.reached());
        let begin = disturbances.iter().map(|disturbance| disturbance.from).min()?;
        let last = disturbances.iter().max_by_key(|disturbance| disturbance.to.unwrap_or(u64::MAX))?;
        let first = (begin / window) as usize;
        let noun = match last.what.as_str() {
            load @ ("spike" | "step" | "ramp") => load,
            _ => "fault",
        };
        let last_of = if disturbances.len() > 1 { "last " } else { "" };
        Some(Course {
            window,
            end,
            before: measured_from(report).min(first)..first.min(users.windows()),
            first: first.min(users.windows()),
            gone: last.to.filter(|to| *to <= end),
            name: format!("the {last_of}{noun}"),
            several: disturbances.len() > 1,
        })
    }

    fn judge(&self, users: &Users) -> Judgement {
        let normal = Normal::of(users, &self.before);
        let windows = users.windows();
        let held = HELD.div_ceil(self.window) as usize;
        // The first window that is wholly after the last disturbance, and the first from which all is fine.
        let since = self.gone.map_or(windows, |gone| (gone.div_ceil(self.window) as usize).min(windows));
        let fine = |start: &usize| users.fine(&(*start..*start + held), &normal);
        let back = (since..=windows.saturating_sub(held))
            .rev()
            .find(|start| !fine(start))
            .map_or(since, |bad| bad + 1);

        let tail = (30 * SECOND).min(self.end / 10).div_ceil(self.window).max(1) as usize;
        let latest =
            windows.saturating_sub(tail).max(if self.gone.is_some() { since } else { self.first })..windows;
        let share = users.share(&latest);
        let before =
            if normal.measured { format!(" (before: {})", percent(normal.share)) } else { String::new() };
        let of_normal = users.of_normal(&latest, &normal);
        let goodput = match share {
            Some(_) if normal.closed_loop_rate.is_some() => {
                format!("goodput is {} of what it was", percent(of_normal.unwrap_or(0.0).min(1.0)))
            }
            Some(share) => format!("goodput is {} of offered{before}", percent(share.min(1.0))),
            None => format!("nothing is offered{before}"),
        };
        let name = &self.name;

        let (mut time_to_recover, mut meanwhile) = (None, None);
        let (kind, headline) = match self.gone {
            // What never worked has nothing to come back to.
            _ if normal.measured && normal.share < LOST => {
                let before = percent(normal.share);
                (
                    VerdictKind::Failing,
                    format!("goodput was only {before} of offered before anything went wrong"),
                )
            }
            None => (VerdictKind::StillDisturbed, format!("{name} lasts until the end: {goodput}")),
            Some(gone) if since + held > windows => {
                let left = SimDuration::from_nanos(self.end - gone).brief();
                (
                    VerdictKind::StillDisturbed,
                    format!("the run ends {left} after {name} ended, too soon to tell: {goodput}"),
                )
            }
            Some(gone) if back + held <= windows => {
                let taken = back as u64 * self.window - gone;
                time_to_recover = Some(taken);
                let unharmed = (self.first..since).all(|start| fine(&start));
                meanwhile = users.share(&(self.first..since)).filter(|_| !unharmed).map(|share| {
                    let when = match self.several {
                        true => "from the first fault to the end of the last".into(),
                        false => format!("while {name} lasted"),
                    };
                    (share.min(1.0), when)
                });
                let headline = if unharmed {
                    format!("goodput held while {name} lasted")
                } else if back == since {
                    format!("back to normal as soon as {name} ended")
                } else {
                    format!("back to normal {} after {name} ended", SimDuration::from_nanos(taken).brief())
                };
                (VerdictKind::Recovered, headline)
            }
            Some(gone) => {
                let lost = of_normal.is_none_or(|share| share < LOST);
                let kind = if lost { VerdictKind::NeverRecovered } else { VerdictKind::Degraded };
                let later = SimDuration::from_nanos(self.end - gone).brief();
                (kind, format!("{later} after {name} ended {goodput}"))
            }
        };
        let per_sec =
            |range: &Range<usize>| per_second(users.started(range), range.len() as u64 * self.window);
        let normal = Some((normal, per_sec(&self.before)));
        Judgement { kind, headline, time_to_recover, offered: per_sec(&latest), latest, normal, meanwhile }
    }
}
