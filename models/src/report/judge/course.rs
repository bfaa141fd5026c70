//! A disturbed run: whether it is back to what it was, and since when.

use super::chance::{Served, seldom};
use super::habit::Habit;
use super::outlook::{Ahead, Known};
use super::overload::{Overload, overload};
use super::users::{FEWEST, FINE, Harm, LOST, Normal, Users, offered, together};
use super::verdict::{Before, Judgement, all_windows, goodput, measured_from, ripe};
use crate::report::count::per_second;
use crate::report::head::{Report, VerdictKind};
use crate::report::timeline::Disturbance;
use crate::words::percent;
use sim_core::SimDuration;
use sim_core::math::ln;
use std::ops::Range;

/// The shares of what was usual that are served under a disturbance of which it may be said that it hurts nobody, or hardly anybody.
const NOBODY: f64 = 0.9999;
const HARDLY: f64 = 0.998;

const SECOND: u64 = 1_000_000_000;
/// If users offer less than this share of what they did, and chance does so in one of a hundred runs, that is worth a word.
const FEWER: f64 = 0.8;
const CHANCE: f64 = 0.01;

/// A disturbed run on its windows.
pub struct Course {
    /// Nanoseconds per window.
    window: u64,
    /// How far the run came, in nanoseconds.
    end: u64,
    /// Windows between the warm-up and the first disturbance.
    before: Range<usize>,
    /// The window in which the first disturbance begins.
    first: usize,
    /// When the first disturbance began, in nanoseconds.
    begin: u64,
    /// When the last disturbance ended, in nanoseconds, if all did.
    gone: Option<u64>,
    /// What to call it, and the moment from which on it should be as before: that it `ended`, its `end`.
    name: String,
    ended: &'static str,
    end_of_it: &'static str,
    /// Whether there were several.
    several: bool,
}

impl Course {
    pub fn of(report: &Report, users: &[Users], disturbances: &[&Disturbance]) -> Option<Course> {
        let (window, end) = (report.run.window.max(1), report.reached());
        let begin = disturbances.iter().map(|disturbance| disturbance.from).min()?;
        let last = disturbances.iter().max_by_key(|disturbance| disturbance.to.unwrap_or(u64::MAX))?;
        let first = ((begin / window) as usize).min(all_windows(users));
        let noun = match last.what.as_str() {
            load @ ("spike" | "step" | "ramp" | "rollout" | "flag") => load,
            _ => "fault",
        };
        let is_instant = last.to == Some(last.from);
        let last_of = if disturbances.len() > 1 { "last " } else { "" };
        Some(Course {
            window,
            end,
            before: measured_from(report).min(first)..first,
            first,
            begin,
            gone: last.to.filter(|to| *to <= end),
            name: format!("the {last_of}{noun}"),
            // What comes at an instant has no end.
            ended: if is_instant { "began" } else { "ended" },
            end_of_it: if is_instant { "beginning" } else { "end" },
            several: disturbances.len() > 1,
        })
    }

    pub fn judge(&self, report: &Report, users: &[Users], known: &Known) -> Judgement {
        let windows = all_windows(users);
        let normal: Vec<Normal> = users.iter().map(|users| users.normal(&self.before)).collect();
        let held = users.first().map_or(1, |users| users.held);
        // The first window that is wholly after the last disturbance.
        let since = self.gone.map_or(windows, |gone| (gone.div_ceil(self.window) as usize).min(windows));
        let ripe = ripe(users).clamp(since.min(windows), windows);
        // Calls that might still be answered say nothing; of those that began as late, some are lost already.
        let harm: Vec<Harm> =
            users.iter().zip(&normal).map(|(users, normal)| users.harm(&(since..windows), normal)).collect();
        let back = harm.iter().map(|harm| harm.until).max().unwrap_or(since);

        // Nobody has been served since, or no better than one would be who is lost as often as before; or hardly anybody has called.
        let rest = back.min(ripe)..ripe;
        let no_better =
            users.iter().zip(&normal).zip(&harm).any(|((users, normal), harm)| users.no_better(harm, normal));
        let served = together(users, &rest);
        let hardly = served.of <= FEWEST && served.good < served.of;
        let out = back > since && (served.good == 0.0 || no_better || hardly);

        let tail = (30 * SECOND).min(self.end / 10).div_ceil(self.window).max(1) as usize;
        let from = if self.gone.is_some() { since } else { self.first };
        // What went wrong only after that is shown as far as it is known.
        let ends = ripe.saturating_sub(tail).max(from.min(ripe))..ripe;
        let mut all = users.iter().zip(&normal);
        let fine =
            all.all(|(users, normal)| users.of_normal(&ends, normal).is_none_or(|share| share >= FINE));
        let shown = match ripe > from {
            true if fine => ripe.max(back),
            true => ripe,
            false => windows,
        };
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
        let now = match from < ripe && ripe < latest.end {
            true => users.iter().map(|users| users.hoped(&latest)).fold(Served::default(), Served::and),
            false => together(users, &latest),
        };
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
        let Course { name, ended, end_of_it, .. } = self;
        let left = |gone: u64| SimDuration::from_nanos(self.end - gone).brief();
        let stuck = users.iter().any(|users| {
            users.closed_loop && users.waiting(windows) > 0 && offered(report, &(since..windows)) == 0
        });
        let mut each = users.iter().zip(&harm).zip(&normal);
        let habit = each.find_map(|((users, harm), normal)| {
            Habit::of(users, &[harm.falls(users.held)], normal.share(), ripe)
        });
        let habit = habit.map(|habit| habit.words(self.window)).or_else(|| {
            let ever = users.iter().find_map(|users| Habit::ever(users, &self.before, &(since..ripe)))?;
            Some(format!("{}, before {name} as after it", ever.words(self.window)))
        });

        // It is back to what was too much.
        let too_much = |windows| Some(overload(report, users, windows)?.words());
        let over_before = (measured && share_before < FINE).then(|| too_much(&self.before)).flatten();
        let (mut time_to_recover, mut meanwhile, mut outlook) = (None, None::<String>, None);
        let unharmed = |struck: &Range<usize>| {
            users.iter().zip(&normal).all(|(users, normal)| {
                let fine = |window: usize| {
                    let one = users.served(&(window..window + 1));
                    one.share().is_none_or(|share| share >= FINE * normal.share() || one.of < 20.0)
                };
                users.harm(struck, normal).last.is_none()
                    && struck.clone().all(fine)
                    && users.of_normal(struck, normal).is_none_or(|share| share >= FINE)
            })
        };
        let (kind, headline) = match self.gone {
            // What never worked has nothing to come back to.
            _ if measured && share_before < LOST => {
                let before = percent(share_before);
                let what = match users.iter().map(|users| users.late(&self.before)).sum::<u64>() {
                    0 => format!("goodput was only {before} of offered"),
                    _ => format!("only {before} of calls were answered in time"),
                };
                let what = format!("{what} before anything went wrong");
                match over_before {
                    Some(over) => (VerdictKind::Overloaded, format!("{over}: {what}")),
                    None => (VerdictKind::Failing, what),
                }
            }
            None => {
                let struck = self.first..ripe.max(self.first);
                // What is there from beginning to end has no other before than that all are served.
                let whole = !measured && self.begin == 0;
                let tells =
                    (measured || whole) && struck.len() >= held.max(1) && !few(users, &normal, &struck);
                let shares =
                    users.iter().zip(&normal).filter_map(|(it, normal)| it.of_normal(&struck, normal));
                let worst = shares.reduce(f64::min).unwrap_or(1.0);
                let all_served =
                    |users: &Users| users.served(&struck).share().is_none_or(|share| share >= NOBODY);
                let is_fine =
                    tells && worst >= HARDLY && unharmed(&struck) && (!whole || users.iter().all(all_served));
                let (kind, whom) = match is_fine {
                    true if worst >= NOBODY => (VerdictKind::Unharmed, " and hurts nobody"),
                    true => (VerdictKind::Unharmed, " and hurts hardly anybody"),
                    false => (VerdictKind::StillDisturbed, ""),
                };
                let lasts =
                    if is_fine && whole { "is there from beginning to end" } else { "lasts until the end" };
                (kind, format!("{name} {lasts}{whom}: {goodput}"))
            }
            Some(gone) if since + held > windows => {
                let why =
                    format!("the run ends {} after {name} {ended}, too soon to tell: {goodput}", left(gone));
                (VerdictKind::StillDisturbed, why)
            }
            Some(gone) if stuck => {
                outlook = Ahead::of(report, &(since..windows), &latest, known);
                (VerdictKind::NotRecovered, format!("not within {}: all users still wait", left(gone)))
            }
            Some(_) if offered(report, &(since..windows)) == 0 => {
                (VerdictKind::Undecided, format!("nothing was offered after {name}, so nothing can be said"))
            }
            Some(_) if habit.is_some() => (VerdictKind::NeverSettles, habit.expect("it is there")),
            Some(gone) if since + held > ripe => {
                let within = users.iter().filter_map(|users| users.within).max().unwrap_or(0);
                let within = SimDuration::from_nanos(within).brief();
                let why = format!(
                    "the run ends {} after {name} {ended}, too soon to tell: an answer may take {within}",
                    left(gone)
                );
                (VerdictKind::Undecided, why)
            }
            Some(gone) if out => {
                let lost = of_normal.is_none_or(|share| share < LOST);
                let kind = if lost { VerdictKind::NotRecovered } else { VerdictKind::Degraded };
                outlook = Ahead::of(report, &(since..windows), &latest, known);
                let time = format!("not within {} of {name}'s {end_of_it}", left(gone));
                let when = outlook.as_ref().map_or(time.clone(), |ahead| ahead.headline(&time));
                (kind, format!("{when}: {goodput}"))
            }
            Some(_) if few(users, &normal, &rest) => {
                let served = together(users, &rest);
                let why = format!(
                    "too few calls to tell: {} of {} have been served since {}",
                    served.good,
                    served.of,
                    if back == since { format!("{name} {ended}") } else { "then".into() }
                );
                (VerdictKind::Undecided, why)
            }
            Some(gone) if back > since && back + held > ripe => {
                let (good_for, after) =
                    ((ripe - back) as u64 * self.window, back as u64 * self.window - gone);
                let why = format!(
                    "too soon to tell: served as before for the last {} only, from {} after {name} {ended}",
                    SimDuration::from_nanos(good_for).brief(),
                    SimDuration::from_nanos(after).brief(),
                );
                (VerdictKind::Undecided, why)
            }
            Some(_) if over_before.is_some() => {
                let over = over_before.expect("it is there");
                (VerdictKind::Overloaded, format!("{over}, before {name} as after it: {goodput}"))
            }
            Some(gone) => {
                // Windows tell nothing finer than themselves.
                let taken = if back == since { 0 } else { back as u64 * self.window - gone };
                time_to_recover = Some(taken);
                let struck = self.first..since;
                let unharmed = back == since && unharmed(&struck);
                let in_time = in_time(users, &struck);
                let served = |users: &Users| users.served_meanwhile(&struck);
                let all = users.iter().map(served).fold(Served::default(), Served::and);
                // Of what is shorter than a window they tell nothing, and nobody else knows who was late.
                let is_lost_in_it = *end_of_it == "end" && gone - self.begin < self.window;
                let untold = is_lost_in_it && users.iter().any(|users| users.late(&struck) > 0);
                meanwhile = all.share().filter(|_| !unharmed && !untold).map(|share| {
                    let when = match self.several {
                        true => "from the first fault to the end of the last".into(),
                        false if *end_of_it == "beginning" => format!("as {name} began"),
                        false => format!("while {name} lasted"),
                    };
                    let each = users.iter().filter_map(|users| Some((served(users).share()?, users)));
                    let worst =
                        each.min_by(|a, b| a.0.total_cmp(&b.0)).filter(|(worst, _)| *worst < FINE * share);
                    let theirs = worst.map(|(worst, users)| {
                        let late = users.within.filter(|_| users.late(&struck) > 0);
                        let within =
                            late.map(|within| format!(" within {}", SimDuration::from_nanos(within).brief()));
                        format!(", of {} {}{}", users.name, percent(worst), within.unwrap_or_default())
                    });
                    let theirs = theirs.unwrap_or_default();
                    format!("{when} {} of calls were served{in_time}{theirs}", percent(share))
                });
                let headline = if unharmed && *end_of_it == "beginning" {
                    format!("goodput held through {name}")
                } else if unharmed {
                    format!("goodput held while {name} lasted")
                } else if back == since {
                    format!("back to normal as soon as {name} {ended}")
                } else {
                    format!("back to normal {} after {name} {ended}", SimDuration::from_nanos(taken).brief())
                };
                (VerdictKind::Recovered, headline)
            }
        };
        let per_sec =
            |range: &Range<usize>| per_second(offered(report, range), range.len() as u64 * self.window);
        let (now, then) = (offered(report, &latest) as f64, offered(report, &self.before) as f64);
        let lengths = [latest.len(), self.before.len()].map(|windows| windows as f64);
        let usual = then * lengths[0] / lengths[1].max(1.0);
        let fewer = now < FEWER * usual && seldom(now, lengths[0], then, lengths[1].max(1.0)) < ln(CHANCE);
        let in_time = in_time(users, &self.before);
        let before =
            Some(Before { share: share_before, measured, in_time, offered: per_sec(&self.before), fewer });
        let offered = per_sec(&latest);
        let overload = match kind {
            VerdictKind::StillDisturbed
            | VerdictKind::Unharmed
            | VerdictKind::NotRecovered
            | VerdictKind::Degraded => {
                overload(report, users, &latest).filter(Overload::has_no_rest).map(|over| over.words())
            }
            _ => None,
        };
        Judgement { overload, kind, headline, time_to_recover, outlook, offered, latest, before, meanwhile }
    }
}

/// What to add to how many were served, where others were too late; of several workloads each has a time of its own.
fn in_time(users: &[Users], windows: &Range<usize>) -> String {
    let mut late = users.iter().filter(|users| users.late(windows) > 0).map(|users| users.within);
    match (late.next(), late.next()) {
        (None, _) => String::new(),
        (Some(Some(within)), None) if users.len() == 1 => {
            format!(" in time, within {}", SimDuration::from_nanos(within).brief())
        }
        _ => " in time".into(),
    }
}

/// Whether some users have called too seldom to tell, or nobody has called.
fn few(users: &[Users], normal: &[Normal], rest: &Range<usize>) -> bool {
    let few = |(users, normal): (&Users, &Normal)| users.began(rest) > 0 && !users.telling(rest, normal);
    users.iter().zip(normal).any(few) || together(users, rest).of == 0.0
}
