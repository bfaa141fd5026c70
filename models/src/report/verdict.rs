//! What a run comes to.
//!
//! A disturbed run has *recovered* when goodput is back at 95 % of its share before the disturbance, over every 10 s
//! from then on until the end; it took from the end of the last disturbance until the first such moment.
//!
//! What served less than half of what was offered before the disturbance has nothing to come back to: it is failing.
//!
//! When goodput is fine is decided in `goodput.rs`, what to say beside the headline in `why.rs`.

use super::goodput::{FINE, LOST, Normal, Users};
use super::slice::{area, per_second, ratio};
use super::{Disturbance, Report, Summary, Verdict, VerdictKind, why};
use sim_core::SimDuration;
use std::ops::Range;

const SECOND: u64 = 1_000_000_000;
/// Goodput must be fine over every stretch of this length.
const HELD: u64 = 10 * SECOND;

/// Judges a report whose edges, services and timeline are filled: verdict and summary.
///
/// For models that serve requests over time; a report without an edge from users is left as it is.
pub fn judge(report: &mut Report) {
    if !report.edges.iter().any(|(_, edge)| edge.from_users) {
        return;
    }
    let users = Users::of(report);
    let mut summary = summarise(report);
    let end = report.reached();
    let disturbances: Vec<&Disturbance> =
        report.timeline.disturbances.iter().filter(|disturbance| disturbance.from < end).collect();
    let judgement = match Course::of(report, &users, &disturbances) {
        Some(course) => course.judge(&users),
        None => undisturbed(report, &users, &summary),
    };
    summary.recovered = judgement.recovered();
    summary.time_to_recover = judgement.time_to_recover;
    let details = why::details(report, &judgement);
    report.verdict = Verdict { kind: judgement.kind, headline: judgement.headline, details };
    report.summary = summary;
}

/// What was found, and what the explanation should look at.
pub(super) struct Judgement {
    pub kind: VerdictKind,
    headline: String,
    time_to_recover: Option<u64>,
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
    fn recovered(&self) -> Option<bool> {
        match self.kind {
            VerdictKind::Recovered => Some(true),
            VerdictKind::Degraded | VerdictKind::NeverRecovered => Some(false),
            _ => None,
        }
    }
}

/// The numbers that follow from edges and services alone.
pub(super) fn summarise(report: &Report) -> Summary {
    let users = || report.edges.iter().map(|(_, edge)| edge).filter(|edge| edge.from_users);
    let total = |of: fn(&super::Calls) -> u64| users().map(|edge| of(&edge.calls)).sum::<u64>();
    let (started, ok, bad) =
        (total(|calls| calls.started), total(super::Calls::ok), total(super::Calls::ended_badly));
    let measured = report.reached().saturating_sub(report.run.warm_up);
    let services = || report.services.iter().map(|(_, service)| service);
    let work = area(services().map(|service| service.work));
    let wasted = area(services().map(|service| service.work_wasted));
    let from_users = users().next().is_some();
    Summary {
        recovered: None,
        time_to_recover: None,
        offered: per_second(started, measured).filter(|_| from_users),
        goodput: from_users.then(|| users().map(|edge| edge.goodput).sum()),
        success: ratio(ok, ok + bad),
        amplification: report.edges.iter().filter_map(|(_, edge)| edge.amplification).max_by(f64::total_cmp),
        wasted: (work > 0.0).then(|| wasted / work),
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

/// A share for people: `62 %`, `3.2 %`, `99.9 %`. Only all is 100 %, and only nothing is 0 %.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = if (9.95..=99.0).contains(&percent) { 0 } else { 1 };
    match format!("{percent:.decimals$}").trim_end_matches(".0") {
        "100" if share < 1.0 => "over 99.9 %".into(),
        "0" if share > 0.0 => "under 0.1 %".into(),
        text => format!("{text} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{Second, disturbed, healthy, run};
    use crate::report::{Edge, Service};
    use VerdictKind::*;

    fn judged(mut report: Report) -> Report {
        judge(&mut report);
        report
    }

    /// 1000/s; a fault from 60 s to 90 s in which 3 % are answered; what comes after is given.
    fn after_a_fault(after: impl Fn(u64) -> Second) -> Report {
        judged(disturbed(
            run(300, |second| match second {
                0..60 => Second { started: 1_000, ok: 999, failed: 1 },
                60..90 => broken(3),
                _ => after(second),
            }),
            "slow",
            60,
            Some(90),
        ))
    }

    /// 1000/s, of which some percent are answered.
    fn broken(percent: u64) -> Second {
        Second { started: 1_000, ok: percent * 10, failed: 1_000 - percent * 10 }
    }

    fn headline(report: &Report) -> (VerdictKind, &str) {
        (report.verdict.kind, report.verdict.headline.as_str())
    }

    #[test]
    fn recovered_counts_from_the_end_of_the_fault() {
        let report = after_a_fault(|second| if second < 102 { broken(3) } else { healthy(1_000) });
        assert_eq!(headline(&report), (Recovered, "back to normal 12 s after the fault ended"));
        assert_eq!(
            (report.summary.recovered, report.summary.time_to_recover),
            (Some(true), Some(12 * SECOND))
        );
        let at_once = after_a_fault(|_| healthy(1_000));
        assert_eq!(headline(&at_once), (Recovered, "back to normal as soon as the fault ended"));
        assert_eq!(at_once.summary.time_to_recover, Some(0));
    }

    #[test]
    fn a_relapse_counts_until_its_end() {
        let report =
            after_a_fault(|second| if (200..210).contains(&second) { broken(40) } else { healthy(1_000) });
        assert_eq!(report.summary.time_to_recover, Some(120 * SECOND));
        let late = after_a_fault(|second| if second >= 292 { broken(3) } else { healthy(1_000) });
        assert_eq!((late.verdict.kind, late.summary.recovered), (Degraded, Some(false)));
    }

    #[test]
    fn never_recovered_says_how_little_is_left() {
        let report = after_a_fault(|_| broken(3));
        assert_eq!(
            headline(&report),
            (NeverRecovered, "3 min 30 s after the fault ended goodput is 3 % of offered (before: 99.9 %)")
        );
        assert_eq!((report.summary.recovered, report.summary.time_to_recover), (Some(false), None));
    }

    #[test]
    fn degraded_is_between() {
        let report = after_a_fault(|_| broken(70));
        assert_eq!(
            headline(&report),
            (Degraded, "3 min 30 s after the fault ended goodput is 70 % of offered (before: 99.9 %)")
        );
        // 94 % of normal is not normal, 96 % is.
        assert_eq!(after_a_fault(|_| broken(94)).verdict.kind, Degraded);
        assert_eq!(after_a_fault(|_| broken(96)).verdict.kind, Recovered);
        assert_eq!(after_a_fault(|_| broken(50)).verdict.kind, Degraded);
        assert_eq!(after_a_fault(|_| broken(49)).verdict.kind, NeverRecovered);
    }

    #[test]
    fn a_fault_that_lasts_says_nothing_about_recovery() {
        let sick = || run(120, |second| if second < 60 { healthy(1_000) } else { broken(3) });
        let report = judged(disturbed(sick(), "slow", 60, None));
        assert_eq!(
            headline(&report),
            (StillDisturbed, "the fault lasts until the end: goodput is 3 % of offered (before: 100 %)")
        );
        assert_eq!((report.summary.recovered, report.summary.time_to_recover), (None, None));
        let too_soon = judged(disturbed(sick(), "spike", 60, Some(116)));
        assert_eq!(
            headline(&too_soon),
            (
                StillDisturbed,
                "the run ends 4 s after the spike ended, too soon to tell: goodput is 3 % of offered (before: 100 %)"
            )
        );
        // It would have ended after the end.
        assert_eq!(judged(disturbed(sick(), "slow", 60, Some(500))).verdict.kind, StillDisturbed);
        // The run was stopped before it began.
        assert_eq!(judged(disturbed(run(50, |_| healthy(10)), "slow", 60, Some(70))).verdict.kind, Steady);
    }

    #[test]
    fn recovery_counts_from_the_last_of_several_faults() {
        let two = |second: u64| match second {
            60..70 | 100..115 => broken(10),
            _ => healthy(1_000),
        };
        let report =
            judged(disturbed(disturbed(run(300, two), "crash", 100, Some(110)), "slow", 60, Some(70)));
        assert_eq!(headline(&report), (Recovered, "back to normal 5 s after the last fault ended"));
        let mut overlapping = report.clone();
        overlapping.timeline.disturbances[1].to = None;
        assert_eq!(judged(overlapping).verdict.kind, StillDisturbed);
    }

    #[test]
    fn a_fault_between_windows_is_rounded_to_them() {
        let mut report = after_a_fault(|second| if second < 95 { broken(3) } else { healthy(1_000) });
        report.timeline.disturbances[0].to = Some(90 * SECOND + SECOND / 2);
        assert_eq!(judged(report).summary.time_to_recover, Some(4 * SECOND + SECOND / 2));
    }

    #[test]
    fn a_fault_that_does_no_harm() {
        let report = judged(disturbed(run(120, |_| healthy(100)), "slow", 60, Some(80)));
        assert_eq!(headline(&report), (Recovered, "goodput held while the fault lasted"));
        assert_eq!(report.summary.time_to_recover, Some(0));
    }

    #[test]
    fn without_a_normal_before_it_all_that_is_offered_is_normal() {
        let report = judged(disturbed(
            run(120, |second| if second < 30 { broken(3) } else { broken(80) }),
            "slow",
            0,
            Some(20),
        ));
        assert_eq!(headline(&report), (Degraded, "100 s after the fault ended goodput is 80 % of offered"));
    }

    #[test]
    fn a_poor_normal_is_the_measure() {
        let poor = |second: u64| if (60..80).contains(&second) { broken(5) } else { broken(60) };
        let report = judged(disturbed(run(200, poor), "slow", 60, Some(80)));
        assert_eq!(headline(&report), (Recovered, "back to normal as soon as the fault ended"));
    }

    #[test]
    fn what_never_worked_has_not_recovered() {
        let report = judged(disturbed(run(200, |_| broken(10)), "slow", 60, Some(80)));
        let expected = "goodput was only 10 % of offered before anything went wrong";
        assert_eq!(headline(&report), (Failing, expected));
        assert_eq!((report.summary.recovered, report.summary.time_to_recover), (None, None));
        assert!(
            !report.verdict.details.iter().any(|detail| detail.contains("before")),
            "the headline says it"
        );
    }

    #[test]
    fn a_run_stopped_during_the_warm_up_says_nothing() {
        let mut report = run(10, |_| healthy(100));
        report.run.warm_up = 20 * SECOND;
        report.stopped = Some("1000 events".into());
        let expected = "nothing was measured: the run was stopped during the warm-up";
        assert_eq!(headline(&judged(report)), (Finding, expected));
    }

    #[test]
    fn steady_and_failing() {
        assert_eq!(headline(&judged(run(60, |_| broken(99)))), (Steady, "goodput is 99 % of offered"));
        assert_eq!(headline(&judged(run(60, |_| broken(94)))), (Failing, "goodput is 94 % of offered"));
        // Nothing fails, but the queue grows without end.
        let growing = judged(run(60, |_| Second { started: 100, ok: 62, failed: 0 }));
        assert_eq!(headline(&growing), (Failing, "goodput is 62 % of offered"));
        assert_eq!((growing.summary.success, growing.summary.recovered), (Some(1.0), None));
    }

    #[test]
    fn calls_in_flight_are_no_failure() {
        // Each call takes 5 s: a tenth of a run of 60 s is in flight at its end, as at any time.
        let slow = |second: u64| Second { started: 100, ok: if second < 5 { 0 } else { 100 }, failed: 0 };
        assert_eq!(judged(run(60, slow)).verdict.kind, Steady);
        let held = judged(disturbed(run(120, slow), "slow", 60, Some(70)));
        assert_eq!(headline(&held), (Recovered, "goodput held while the fault lasted"));
    }

    #[test]
    fn a_backlog_that_drains_is_fine() {
        // Nothing ends for 20 s, then everything that waits is answered at twice the rate.
        let drain = |second: u64| Second {
            started: 100,
            ok: match second {
                60..80 => 0,
                80..100 => 200,
                _ => 100,
            },
            failed: 0,
        };
        let report = judged(disturbed(run(200, drain), "hold", 60, Some(80)));
        assert_eq!(headline(&report), (Recovered, "back to normal as soon as the fault ended"));
    }

    #[test]
    fn a_silent_end_is_fine_unless_everybody_waits() {
        let quiet = |second: u64| if second < 60 { healthy(10) } else { Second::default() };
        let report = judged(disturbed(run(120, quiet), "slow", 60, Some(80)));
        assert_eq!(report.verdict.kind, Recovered);
        // Ten users in a closed loop, all stuck in calls without a timeout.
        let stuck = |second: u64| match second {
            60 => Second { started: 10, ok: 0, failed: 0 },
            second => quiet(second),
        };
        let report = judged(disturbed(run(120, stuck), "black_hole", 60, Some(80)));
        assert_eq!(
            headline(&report),
            (NeverRecovered, "40 s after the fault ended nothing is offered (before: 100 %)")
        );
    }

    #[test]
    fn no_calls_give_no_numbers_and_no_nan() {
        for report in [
            run(60, |_| Second::default()),
            disturbed(run(60, |_| Second::default()), "slow", 20, Some(30)),
            disturbed(run(60, |_| Second::default()), "slow", 0, None),
            run(0, |_| Second::default()),
            disturbed(run(5, |_| healthy(3)), "slow", 0, Some(4)),
        ] {
            let report = judged(report);
            // NaN and infinity become null in JSON, and null is no number.
            let json = serde_json::to_string(&report).unwrap();
            assert_eq!(Report::from_json(&json).unwrap(), report);
            assert!(
                !report.verdict.headline.is_empty() && !format!("{report:?}").contains("NaN"),
                "{report:?}"
            );
        }
        assert_eq!(headline(&judged(run(60, |_| Second::default()))), (Steady, "no calls were made"));
        let mut no_users = Report {
            verdict: Verdict { kind: Finding, headline: "1/N".into(), details: Vec::new() },
            ..Report::default()
        };
        judge(&mut no_users);
        assert_eq!(no_users.verdict.headline, "1/N");
    }

    #[test]
    fn the_summary_covers_the_measured_time() {
        let mut report = run(110, |_| broken(60));
        report.edges.push("checkout->payments", Edge { amplification: Some(2.5), ..Edge::default() });
        for (name, work, work_wasted) in [("checkout", 300, 0), ("payments", 100, 50)] {
            report.services.push(name, Service { work, work_wasted, ..Service::default() });
        }
        let summary = judged(report).summary;
        assert_eq!(
            (summary.offered, summary.goodput, summary.success),
            (Some(1_000.0), Some(600.0), Some(0.6))
        );
        assert_eq!((summary.amplification, summary.wasted), (Some(2.5), Some(0.125)));
    }

    #[test]
    fn two_workloads_are_judged_together() {
        let mut report = run(200, |_| healthy(500));
        let other =
            run(
                200,
                |second| if second < 60 { healthy(500) } else { Second { started: 500, ok: 0, failed: 500 } },
            );
        report.edges.push("mobile->checkout", other.edges.0[0].1.clone());
        let report = judged(disturbed(report, "slow", 60, Some(90)));
        assert_eq!(
            headline(&report),
            (Degraded, "110 s after the fault ended goodput is 50 % of offered (before: 100 %)")
        );
        assert_eq!(report.summary.offered, Some(1_000.0));
    }

    #[test]
    fn shares_are_rounded_for_people_but_never_to_all_or_nothing() {
        for (share, text) in [
            (0.03, "3 %"),
            (0.032, "3.2 %"),
            (0.0996, "10 %"),
            (0.624, "62 %"),
            (0.99, "99 %"),
            (0.999, "99.9 %"),
            (1.0, "100 %"),
            (0.9999, "over 99.9 %"),
            (0.0, "0 %"),
            (0.0001, "under 0.1 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
