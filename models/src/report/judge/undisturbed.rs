//! A run that nothing disturbed: it serves what is offered, or it does not.

use super::habit::Habit;
use super::overload::overload;
use super::trend::{Growth, growth};
use super::users::{FINE, Normal, Users, failing, together};
use super::verdict::{Judgement, all_windows, goodput, measured_from, ripe};
use crate::report::head::{Report, Summary, VerdictKind};
use crate::words::{percent, short};
use sim_core::SimDuration;
use std::ops::Range;

/// Windows that are the end, at least; and a share that is worth a word.
const LAST: usize = 10;
const OTHERWISE: f64 = 0.2;

/// What the end is like, where the whole is another thing: it may have collapsed on its way, for good since the last of its falls.
fn end(
    users: &[Users],
    known: &Range<usize>,
    falls: &[Vec<Range<usize>>],
    share: f64,
    window: u64,
) -> String {
    let end = known.end - known.len().min(LAST.max(known.len() / 10))..known.end;
    let lasts = |fall: &&Range<usize>| fall.end == known.end && fall.len() >= end.len();
    let down = falls.iter().filter_map(|falls| falls.last()).filter(lasts).map(|fall| fall.start).min();
    let last = down.unwrap_or(end.start)..known.end;
    let then = together(users, &last).share().filter(|then| (then - share).abs() > OTHERWISE);
    let when = match down {
        Some(start) => {
            format!("for the last {}", SimDuration::from_nanos((known.end - start) as u64 * window).brief())
        }
        None => "at the end".into(),
    };
    then.map_or(String::new(), |then| format!(", and {} {when}", percent(then)))
}

/// So many times as long as usual is slow, for so many nanoseconds, and beyond so many: less is a hiccup.
const SLOW: f64 = 10.0;
const SPELL: u64 = 10_000_000_000;
const NOTABLE: u64 = 1_000_000_000;
/// Fewer answers in a window tell nothing of how long they took.
const TELL: u64 = 5;

/// For how long users waited far longer than usual, if they did: half of those that were answered in a window.
fn slow(report: &Report, users: &[Users], known: &Range<usize>) -> Option<String> {
    let (window, mut worst) = (report.run.window, None::<(u64, String)>);
    for one in users {
        let windows = &report.edges.get(&one.name)?.windows.latency;
        let halves: Vec<u64> = windows
            .get(known.start..known.end.min(windows.len()))?
            .iter()
            .filter_map(|it| half(it))
            .collect();
        let mut sorted = halves.clone();
        sorted.sort_unstable();
        let usual = *sorted.get(sorted.len() / 2)?;
        let is_slow = |half: &&u64| **half >= NOTABLE && **half as f64 > SLOW * usual as f64;
        let slow = halves.iter().filter(is_slow).count() as u64;
        let most = *sorted.last()?;
        if slow * window < SPELL || worst.as_ref().is_some_and(|(other, _)| *other >= most) {
            continue;
        }
        let [spell, most_of_them, usual] =
            [slow * window, most, usual].map(|ns| SimDuration::from_nanos(ns).brief());
        let whose = if users.len() > 1 { format!(" of {}", one.name) } else { String::new() };
        let told = format!(
            ", but calls{whose} took up to {most_of_them}, for {spell} in all far longer than the usual {usual}"
        );
        worst = Some((most, told));
    }
    worst.map(|(_, told)| told)
}

/// How long half of those took.
fn half(counts: &[(u64, u64)]) -> Option<u64> {
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut below = 0;
    counts.iter().filter(|_| all >= TELL).find_map(|(took, count)| {
        below += count;
        (2 * below >= all).then_some(*took)
    })
}

pub fn undisturbed(report: &Report, users: &[Users], summary: &Summary) -> Judgement {
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
    let falls: Vec<_> = users
        .iter()
        .map(|users| users.harm(&known, &Normal::throughout(users, &known)).falls(users.held))
        .collect();
    let mut each = users.iter().zip(&falls);
    let habit = each.find_map(|(users, falls)| Habit::of(users, std::slice::from_ref(falls), 1.0, known.end));
    let nothing = report.stopped.is_some() && report.reached() <= report.run.warm_up;
    let served = together(users, &known);
    let (kind, headline) = match (served.share(), growth, habit) {
        (None, ..) if nothing => {
            (VerdictKind::Finding, "nothing was measured: the run was stopped during the warm-up".into())
        }
        (None, ..) => (VerdictKind::Steady, "no calls were made".into()),
        (_, Some(Growth::Grows(service, rate, since)), _) => {
            let last = |windows: usize| SimDuration::from_nanos(windows as u64 * report.run.window).brief();
            let since = since.map(|windows| format!(", for the last {}", last(windows))).unwrap_or_default();
            (VerdictKind::Overloaded, format!("the queue of {service} grows by {}/s{since}", short(rate)))
        }
        (_, _, Some(period)) => (VerdictKind::NeverSettles, period.words(report.run.window)),
        (_, Some(Growth::Perhaps(service)), _) if !bad => (
            VerdictKind::Undecided,
            format!(
                "the run is too short to tell: the queue of {service} is long, and its workers have no rest; it may grow without end"
            ),
        ),
        (Some(share), ..) => {
            let over = overload(report, users, &known).map(|over| over.words());
            let kind = match &over {
                Some(_) if bad => VerdictKind::Overloaded,
                _ if bad => VerdictKind::Failing,
                _ => VerdictKind::Steady,
            };
            let theirs = accused
                .filter(|_| users.len() > 1)
                .and_then(|it| Some((&it.name, it.served(&known).share()?)))
                .filter(|(_, theirs)| percent(*theirs) != percent(share));
            let theirs =
                theirs.map(|(name, share)| format!(", of {name} {}", percent(share))).unwrap_or_default();
            let goodput = goodput(users, &known, share)
                + &theirs
                + &end(users, &known, &falls, share, report.run.window);
            // Whoever is answered in the end is served, however late: that is said where nobody gives up.
            let slow = if bad { None } else { slow(report, users, &known) };
            let headline = match over {
                Some(over) => format!("{over}: {goodput}"),
                None => goodput + &slow.unwrap_or_default(),
            };
            (kind, headline)
        }
    };
    Judgement {
        kind,
        headline,
        time_to_recover: None,
        outlook: None,
        offered: summary.offered,
        latest: all,
        before: None,
        meanwhile: None,
        overload: None,
    }
}
