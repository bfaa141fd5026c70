//! The verdict itself: recovered, degraded, failing .., and its sentence.

use super::trend::{Growth, growth};
use super::users::{FINE, Harm, LOST, Normal, Users, failing, offered, together};
use crate::report::count::per_second;
use crate::report::head::{Report, Summary, VerdictKind};
use crate::report::timeline::Disturbance;
use crate::words::{percent, short};
use sim_core::SimDuration;
use std::ops::Range;

const SECOND: u64 = 1_000_000_000;
/// So many falls are a habit.
const FALLS: usize = 3;

/// What was found, and what the explanation should look at.
pub struct Judgement {
    pub kind: VerdictKind,
    pub headline: String,
    pub time_to_recover: Option<u64>,
    /// The windows that show the problem at its latest; the measured part if there is none.
    pub latest: Range<usize>,
    /// How users were served before, as a share, and what was offered then, per second; absent without a disturbance.
    pub before: Option<Before>,
    /// Calls per second offered in `latest`.
    pub offered: Option<f64>,
    /// The share that was served from the beginning of the first disturbance to the end of the last, and what to call that
    /// time; absent if it did no harm, or has not ended.
    pub meanwhile: Option<(f64, String)>,
}

/// How it was before the first disturbance.
pub struct Before {
    pub share: f64,
    pub measured: bool,
    pub offered: Option<f64>,
}

impl Judgement {
    /// Of a report, by its windows.
    pub fn of(report: &Report, summary: &Summary) -> Self {
        let users = Users::of(report);
        let end = report.reached();
        let disturbances: Vec<&Disturbance> =
            report.timeline.disturbances.iter().filter(|disturbance| disturbance.from < end).collect();
        match Course::of(report, &users, &disturbances) {
            Some(course) => course.judge(report, &users),
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
fn measured_from(report: &Report) -> usize {
    report.run.warm_up.div_ceil(report.run.window.max(1)) as usize
}

fn all_windows(users: &[Users]) -> usize {
    users.iter().map(Users::windows).max().unwrap_or(0)
}

/// In which windows nothing is known of what becomes of calls.
fn ripe(users: &[Users]) -> usize {
    users.iter().map(|users| users.ripe).min().unwrap_or(0)
}

fn undisturbed(report: &Report, users: &[Users], summary: &Summary) -> Judgement {
    let windows = all_windows(users);
    let all = measured_from(report).min(windows)..windows;
    // Calls that might still be answered in time say nothing, unless there are no others.
    let known = all.start..ripe(users).max(all.start);
    let known = if together(users, &known).of > 0.0 { known } else { all.clone() };
    let whole = (report.reached() / report.run.window.max(1)) as usize;
    let growth = growth(report, &(all.start..whole.min(all.end).max(all.start)));
    // What was served is a fact; of one edge among several few calls may have failed by accident.
    let accused = users.iter().filter(|users| failing(users.served(&known))).min_by(|a, b| {
        let share = |users: &Users| users.served(&known).share().unwrap_or(1.0);
        share(a).total_cmp(&share(b))
    });
    let bad = accused.is_some() || together(users, &known).share().is_some_and(|share| share < FINE);
    let falls = users.iter().find_map(|users| {
        let normal = Normal::throughout(users, &known);
        habit(users, &users.harm(&known, &normal), &normal, known.end)
    });
    let nothing = report.stopped.is_some() && report.reached() <= report.run.warm_up;
    let served = together(users, &known);
    let (kind, headline) = match (served.share(), growth, falls) {
        (None, ..) if nothing => {
            (VerdictKind::Finding, "nothing was measured: the run was stopped during the warm-up".into())
        }
        (None, ..) => (VerdictKind::Steady, "no calls were made".into()),
        (_, Some(Growth::Grows(service, rate)), _) => {
            (VerdictKind::Overloaded, format!("the queue of {service} grows by {}/s", short(rate)))
        }
        (_, _, Some(period)) => (VerdictKind::NeverSettles, again(period, report.run.window)),
        (_, Some(Growth::Perhaps(service)), _) if !bad => (
            VerdictKind::Undecided,
            format!(
                "the run is too short to tell: the queue of {service} is long, and its workers have no rest; it may grow without end"
            ),
        ),
        (Some(share), ..) => {
            let kind = if bad { VerdictKind::Failing } else { VerdictKind::Steady };
            let theirs = accused
                .filter(|_| users.len() > 1)
                .and_then(|it| Some((&it.name, it.served(&known).share()?)))
                .filter(|(_, theirs)| percent(*theirs) != percent(share));
            let theirs =
                theirs.map(|(name, share)| format!(", of {name} {}", percent(share))).unwrap_or_default();
            (kind, goodput(users, &known, share) + &theirs)
        }
    };
    Judgement {
        kind,
        headline,
        time_to_recover: None,
        offered: summary.offered,
        latest: all,
        before: None,
        meanwhile: None,
    }
}

/// `goodput is 3 % of offered`, or, where answers come but too late, how many come in time.
fn goodput(users: &[Users], windows: &Range<usize>, share: f64) -> String {
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

/// Windows from fall to fall, if it falls again and again and might do so after the end; and how many falls.
fn habit(users: &Users, harm: &Harm, normal: &Normal, end: usize) -> Option<(f64, usize, bool)> {
    let falls = harm.falls(users.held);
    // In between they are served as ever; otherwise it is down all the time, and only sometimes clearly.
    let between = falls.windows(2).map(|pair| users.served(&(pair[0].end..pair[1].start)));
    let between = between.fold((0.0, 0.0), |sum, one| (sum.0 + one.good, sum.1 + one.of));
    if between.0 < FINE * normal.share() * between.1 {
        return None;
    }
    let (first, last) = (falls.first()?, falls.last()?);
    let gaps: Vec<f64> = falls.windows(2).map(|pair| (pair[1].start - pair[0].start) as f64).collect();
    let mean = (last.start - first.start) as f64 / gaps.len().max(1) as f64;
    let spread = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len().max(1) as f64;
    let quiet = end.saturating_sub(last.end) as f64;
    let longest = gaps.iter().copied().fold(0.0, f64::max);
    (falls.len() >= FALLS && quiet <= 1.5 * longest).then_some((
        mean,
        falls.len(),
        spread < 0.25 * mean * mean,
    ))
}

fn again((windows, falls, regular): (f64, usize, bool), window: u64) -> String {
    let period = SimDuration::from_nanos((windows * window as f64) as u64).brief();
    match regular {
        true => format!("it falls again every {period}, {falls} times so far"),
        false => format!("it falls again and again, {falls} times so far, every {period} on average"),
    }
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
    fn of(report: &Report, users: &[Users], disturbances: &[&Disturbance]) -> Option<Course> {
        let (window, end) = (report.run.window.max(1), report.reached());
        let begin = disturbances.iter().map(|disturbance| disturbance.from).min()?;
        let last = disturbances.iter().max_by_key(|disturbance| disturbance.to.unwrap_or(u64::MAX))?;
        let first = ((begin / window) as usize).min(all_windows(users));
        let noun = match last.what.as_str() {
            load @ ("spike" | "step" | "ramp") => load,
            _ => "fault",
        };
        let last_of = if disturbances.len() > 1 { "last " } else { "" };
        Some(Course {
            window,
            end,
            before: measured_from(report).min(first)..first,
            first,
            gone: last.to.filter(|to| *to <= end),
            name: format!("the {last_of}{noun}"),
            several: disturbances.len() > 1,
        })
    }

    fn judge(&self, report: &Report, users: &[Users]) -> Judgement {
        let windows = all_windows(users);
        let normal: Vec<Normal> = users.iter().map(|users| users.normal(&self.before, self.window)).collect();
        let held = users.first().map_or(1, |users| users.held);
        // The first window that is wholly after the last disturbance.
        let since = self.gone.map_or(windows, |gone| (gone.div_ceil(self.window) as usize).min(windows));
        let ripe = ripe(users).clamp(since.min(windows), windows);
        let harm: Vec<Harm> =
            users.iter().zip(&normal).map(|(users, normal)| users.harm(&(since..ripe), normal)).collect();
        let back = harm.iter().map(|harm| harm.until).max().unwrap_or(since);

        // Nobody has been served since, or no better than one would be who is lost as often as before.
        let rest = back.min(ripe)..ripe;
        let no_better =
            users.iter().zip(&normal).zip(&harm).any(|((users, normal), harm)| users.no_better(harm, normal));
        let out = back > since && (together(users, &rest).good == 0.0 || no_better);

        let tail = (30 * SECOND).min(self.end / 10).div_ceil(self.window).max(1) as usize;
        let from = if self.gone.is_some() { since } else { self.first };
        let shown = if ripe > from { ripe } else { windows };
        let last_harm = harm.iter().filter_map(|harm| harm.last.as_ref()).map(|last| last.start).min();
        let tail_from = shown.saturating_sub(tail).max(from);
        let latest = match last_harm.filter(|_| out) {
            Some(start) => start.clamp(from, tail_from)..shown,
            None => tail_from..shown,
        };
        // Whoever fares worst of several.
        let fares = |users: &Users, normal: &Normal| users.of_normal(&latest, normal).unwrap_or(1.0);
        let worst = users.iter().zip(&normal).min_by(|(a, x), (b, y)| fares(a, x).total_cmp(&fares(b, y)));
        let served_before = normal
            .iter()
            .fold((0.0, 0.0), |sum, normal| (sum.0 + normal.served.good, sum.1 + normal.served.of));
        let share_before = served_before.0 / served_before.1.max(1.0);
        let measured = normal.iter().any(|normal| normal.measured);
        let before = if measured { format!(" (before: {})", percent(share_before)) } else { String::new() };
        let of_normal = worst.and_then(|(users, normal)| users.of_normal(&latest, normal));
        let now = together(users, &latest);
        let closed_loop = worst.is_some_and(|(_, normal)| normal.rate.is_some());
        let goodput = match now.share() {
            Some(_) if closed_loop => {
                format!("goodput is {} of what it was", percent(of_normal.unwrap_or(0.0).min(1.0)))
            }
            Some(share) if users.len() > 1 && of_normal.is_some_and(|worst| worst < FINE * share) => {
                let (worst, _) = worst.expect("there are users");
                let theirs = worst.served(&latest).share().unwrap_or(0.0);
                format!("{}, of {} {}{before}", goodput(users, &latest, share), worst.name, percent(theirs))
            }
            Some(share) => format!("{}{before}", goodput(users, &latest, share)),
            None => format!("nothing is offered{before}"),
        };
        let name = &self.name;
        let left = |gone: u64| SimDuration::from_nanos(self.end - gone).brief();
        let stuck = users.iter().any(|users| {
            users.closed_loop && users.waiting(windows) > 0 && offered(report, &(since..windows)) == 0
        });
        let mut each = users.iter().zip(&harm).zip(&normal);
        let habit = each.find_map(|((users, harm), normal)| habit(users, harm, normal, ripe));

        let (mut time_to_recover, mut meanwhile) = (None, None);
        let (kind, headline) = match self.gone {
            // What never worked has nothing to come back to.
            _ if measured && share_before < LOST => {
                let before = percent(share_before);
                let what = match users.iter().map(|users| users.late(&self.before)).sum::<u64>() {
                    0 => format!("goodput was only {before} of offered"),
                    _ => format!("only {before} of calls were answered in time"),
                };
                (VerdictKind::Failing, format!("{what} before anything went wrong"))
            }
            None => (VerdictKind::StillDisturbed, format!("{name} lasts until the end: {goodput}")),
            Some(gone) if since + held > windows => {
                let why =
                    format!("the run ends {} after {name} ended, too soon to tell: {goodput}", left(gone));
                (VerdictKind::StillDisturbed, why)
            }
            Some(gone) if stuck => {
                (VerdictKind::NotRecovered, format!("not within {}: all users still wait", left(gone)))
            }
            Some(_) if offered(report, &(since..windows)) == 0 => {
                (VerdictKind::Undecided, format!("nothing was offered after {name}, so nothing can be said"))
            }
            Some(_) if habit.is_some() => {
                (VerdictKind::NeverSettles, again(habit.expect("it is there"), self.window))
            }
            Some(gone) if since + held > ripe => {
                let within = users.iter().filter_map(|users| users.within).max().unwrap_or(0);
                let within = SimDuration::from_nanos(within).brief();
                let why = format!(
                    "the run ends {} after {name} ended, too soon to tell: an answer may take {within}",
                    left(gone)
                );
                (VerdictKind::Undecided, why)
            }
            Some(gone) if out => {
                let lost = of_normal.is_none_or(|share| share < LOST);
                let kind = if lost { VerdictKind::NotRecovered } else { VerdictKind::Degraded };
                (kind, format!("not within {} of {name}'s end: {goodput}", left(gone)))
            }
            Some(_) if few(users, &normal, &rest) => {
                let served = together(users, &rest);
                let why = format!(
                    "too few calls to tell: {} of {} have been served since {}",
                    served.good,
                    served.of,
                    if back == since { format!("{name} ended") } else { "then".into() }
                );
                (VerdictKind::Undecided, why)
            }
            Some(gone) if back > since && back + held > ripe => {
                let (good_for, after) =
                    ((ripe - back) as u64 * self.window, back as u64 * self.window - gone);
                let why = format!(
                    "too soon to tell: served as before for the last {} only, from {} after {name} ended",
                    SimDuration::from_nanos(good_for).brief(),
                    SimDuration::from_nanos(after).brief(),
                );
                (VerdictKind::Undecided, why)
            }
            Some(gone) => {
                // Windows tell nothing finer than themselves.
                let taken = if back == since { 0 } else { back as u64 * self.window - gone };
                time_to_recover = Some(taken);
                let struck = self.first..since;
                let unharmed = back == since
                    && users.iter().zip(&normal).all(|(users, normal)| {
                        let fine = |window: usize| {
                            let one = users.served(&(window..window + 1));
                            one.share().is_none_or(|share| share >= FINE * normal.share() || one.of < 20.0)
                        };
                        users.harm(&struck, normal).last.is_none()
                            && struck.clone().all(fine)
                            && users.of_normal(&struck, normal).is_none_or(|share| share >= FINE)
                    });
                meanwhile = together(users, &struck).share().filter(|_| !unharmed).map(|share| {
                    let when = match self.several {
                        true => "from the first fault to the end of the last".into(),
                        false => format!("while {name} lasted"),
                    };
                    (share, when)
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
        };
        let per_sec =
            |range: &Range<usize>| per_second(offered(report, range), range.len() as u64 * self.window);
        let before = Some(Before { share: share_before, measured, offered: per_sec(&self.before) });
        Judgement { kind, headline, time_to_recover, offered: per_sec(&latest), latest, before, meanwhile }
    }
}

/// Whether some users have called too seldom to tell, or nobody has called.
fn few(users: &[Users], normal: &[Normal], rest: &Range<usize>) -> bool {
    let few = |(users, normal): (&Users, &Normal)| users.began(rest) > 0 && !users.telling(rest, normal);
    users.iter().zip(normal).any(few) || together(users, rest).of == 0.0
}
