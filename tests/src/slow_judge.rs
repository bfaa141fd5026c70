//! A judge that looks at every call of a run, as a person would who had all day.
//!
//! It knows nothing of windows. A call is *served* if it ended well and in time: within the time that was asked for, or
//! three times the 99th percentile of those that ended well before anything went wrong. It asks from which call on the
//! rest are served as those before the fault were: at each call the tale "worse up to here, as ever from here" is as
//! likely as it is, and the likeliest wins, unless "as ever throughout" does nearly as well. What is usual it knows from
//! the calls before and no better: a tale is as likely as it makes those, too. What it cannot tell apart it leaves open. Only users who do not wait for answers are judged: others call less when they are not served.

use crate::run_with;
use sim_core::math::ln;
use sim_models::experiment::Resolved;
use sim_models::report::{Edge, Report};
use sim_models::run::RunOptions;
use sim_models::trace::Tracing;

const SECOND: u64 = 1_000_000_000;
/// Worse by less than this share of all calls is not worth a word.
const WORTH: f64 = 0.05;
/// A tale must be so much likelier than its rival (natural logarithm), and the square of the number of places where it could
/// have begun besides.
const LIKELIER: f64 = 4.0;
/// So many calls, over such a time, say something.
const CALLS: usize = 10;
const TIME: u64 = 15 * SECOND;

/// One call of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it began, in nanoseconds.
    pub began: u64,
    /// When it ended, and whether well; absent if it was waiting at the end.
    pub end: Option<(u64, bool)>,
}

/// When things happened, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// The end of the warm-up.
    pub measured_from: u64,
    /// The first fault begins.
    pub struck: u64,
    /// The last fault ends.
    pub gone: u64,
    /// The run ends.
    pub end: u64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Served as before from then on, to the end: from some moment between these.
    Back {
        /// The first moment that is likely.
        earliest: u64,
        /// The last.
        latest: u64,
    },
    /// Not as before up to the end.
    Out,
    /// There are too few calls, or the end is too near, or it falls and rises again.
    Open,
}

/// Runs it with every call of its users followed: the report, and the calls over each edge of users.
pub fn every_call(resolved: &Resolved, options: &RunOptions) -> (Report, Vec<(String, Vec<Seen>)>) {
    let plain = run_with(resolved, options).report;
    let users = plain.edges.iter().filter(|(_, edge)| edge.from_users);
    // A run that is cut short has not closed its last window: numbers that no call has are nobody's.
    let made =
        |edge: &Edge| edge.windows.started.iter().sum::<u64>().max(edge.calls.started) + edge.calls.started;
    let edges: Vec<(&str, u64)> = users.map(|(name, edge)| (name, made(edge))).collect();
    let all = edges.iter().flat_map(|(name, made)| (0..=*made).map(|call| (name.to_string(), call)));
    let trace = Some(Tracing::Follow(all.collect()));
    let traces = run_with(resolved, &RunOptions { trace, ..options.clone() }).traces;
    let calls_of = |name: &str| -> Vec<Seen> {
        let calls = traces.iter().filter(|trace| trace.edge == name).map(|trace| {
            let call = &trace.spans[0];
            Seen { began: call.from, end: call.to.map(|at| (at, call.outcome == "ok")) }
        });
        calls.collect()
    };
    let calls = edges.iter().map(|(name, _)| (name.to_string(), calls_of(name))).collect();
    (plain, calls)
}

/// What became of the calls over one edge, in the order of their beginning. `within` is the time that was asked for.
pub fn truth(calls: &[Seen], course: &Course, within: Option<u64>) -> Truth {
    let Some(normal) = Normal::of(calls, course, within) else { return Truth::Open };
    let served = |call: &Seen| call.end.is_some_and(|(at, well)| well && at - call.began <= normal.within);
    // Whoever calls later may still be served in time when nobody looks any more.
    let last = course.end.saturating_sub(normal.within);
    let after: Vec<&Seen> =
        calls.iter().filter(|call| call.began >= course.gone && call.began <= last).collect();
    if after.len() < CALLS || last < course.gone + TIME {
        return Truth::Open;
    }
    // Of these some have failed already, or were late.
    let young: Vec<&Seen> = calls.iter().filter(|call| call.began > last).collect();
    let gone = young.iter().filter(|call| call.end.is_some() && !served(call)).count();
    if worse(gone, young.len(), &normal) {
        return Truth::Out;
    }
    let bad: Vec<bool> = after.iter().map(|call| !served(call)).collect();
    if rises_and_falls(&bad, normal.bad()) {
        return Truth::Open;
    }
    let gains = gains(&bad, &normal);
    // If all of it is worse, "as ever throughout" is out, and only where it ended is left to tell.
    let all_worse = worse(lost_until(&bad, bad.len()), bad.len(), &normal);
    let needed = if all_worse { 0.0 } else { LIKELIER + 2.0 * ln(bad.len() as f64) };
    let (best, most) = gains
        .iter()
        .enumerate()
        .fold((0, needed), |best, (place, gain)| if *gain > best.1 { (place, *gain) } else { best });
    let since = |place: usize| match place {
        0 => course.gone,
        place => after.get(place).map_or(last, |call| call.began),
    };
    let rest = &bad[best..];
    let lost = rest.iter().filter(|bad| **bad).count();
    if rest.len() < 3 || since(best) + SECOND > last || worse(lost, rest.len(), &normal) {
        return Truth::Out;
    }
    if rest.len() < CALLS || since(best) + TIME > last {
        return Truth::Open;
    }
    let likely = |place: &usize| match best {
        0 => gains[*place] > -LIKELIER && lost_until(&bad, *place) <= 1,
        _ => gains[*place] > most - LIKELIER,
    };
    let places = || (0..gains.len()).filter(likely);
    let earliest = since(places().next().unwrap_or(best).min(best));
    let latest = if best == 0 { course.gone } else { since(places().next_back().unwrap_or(best)) };
    Truth::Back { earliest, latest }
}

fn lost_until(bad: &[bool], place: usize) -> usize {
    bad[..place].iter().filter(|bad| **bad).count()
}

/// How calls were served before anything went wrong.
struct Normal {
    /// Those that were not, and a half; of how many, and one.
    lost: f64,
    of: f64,
    /// What is in time.
    within: u64,
}

impl Normal {
    /// Of the calls that were over when the first fault began.
    fn of(calls: &[Seen], course: &Course, within: Option<u64>) -> Option<Normal> {
        let before = || {
            let began =
                calls.iter().filter(|call| (course.measured_from..course.struck).contains(&call.began));
            began.filter_map(|call| Some((call.began, call.end?))).filter(|(_, (at, _))| *at < course.struck)
        };
        let mut took: Vec<u64> =
            before().filter(|(_, (_, well))| *well).map(|(began, (at, _))| at - began).collect();
        took.sort_unstable();
        let most = *took.get((took.len() * 99).div_ceil(100).checked_sub(1)?)?;
        let within = within.unwrap_or(3 * most);
        let served = took.iter().filter(|took| **took <= within).count();
        let all = before().count();
        let normal = Normal { lost: (all - served) as f64 + 0.5, of: all as f64 + 1.0, within };
        (all >= CALLS && normal.bad() < 0.5).then_some(normal)
    }

    /// The share that was not served.
    fn bad(&self) -> f64 {
        self.lost / self.of
    }
}

/// By how much the tale "worse up to this call, as ever before the fault and from this call on" is likelier than "as ever
/// throughout", for each call.
fn gains(bad: &[bool], normal: &Normal) -> Vec<f64> {
    let (all, of) = (lost_until(bad, bad.len()) as f64, bad.len() as f64);
    let throughout = likelihood(all + normal.lost, of + normal.of, None);
    let mut gains = vec![0.0];
    let mut lost = 0.0;
    for (place, is_bad) in bad.iter().enumerate() {
        lost += f64::from(u8::from(*is_bad));
        let until = place as f64 + 1.0;
        let (usual, others) = (all - lost + normal.lost, of - until + normal.of);
        let worse = (lost / until).max(usual / others + WORTH);
        gains.push(likelihood(lost, until, Some(worse)) + likelihood(usual, others, None) - throughout);
    }
    gains
}

/// The logarithm of how likely it is that so many of so many are lost: with that share, or with the likeliest.
fn likelihood(lost: f64, of: f64, share: Option<f64>) -> f64 {
    let share = share.unwrap_or(lost / of).clamp(1e-9, 1.0 - 1e-9);
    lost * ln(share) + (of - lost) * ln(1.0 - share)
}

/// Whether so many of so many are clearly more than before.
fn worse(lost: usize, of: usize, normal: &Normal) -> bool {
    let (lost, of) = (lost as f64, of as f64);
    let apart = likelihood(lost, of, None) + likelihood(normal.lost, normal.of, None);
    let together = likelihood(lost + normal.lost, of + normal.of, None);
    lost / of > normal.bad() + WORTH && apart - together > LIKELIER
}

/// Whether it was clearly worse again after it had been as before: of ten calls most are lost that are normally served,
/// then no more than normally, then most again.
fn rises_and_falls(bad: &[bool], normal: f64) -> bool {
    let mut falls = 0;
    let mut down = false;
    for ten in bad.chunks(CALLS) {
        let share = lost_until(ten, ten.len()) as f64 / ten.len() as f64;
        if !down && share > normal + (1.0 - normal) * 0.5 {
            (down, falls) = (true, falls + 1);
        } else if down && share <= normal + WORTH {
            down = false;
        }
    }
    falls > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: Course =
        Course { measured_from: 0, struck: 60 * SECOND, gone: 70 * SECOND, end: 200 * SECOND };

    /// A call each `every` milliseconds that takes 10 ms; `fate` says how long it takes instead, or that it fails.
    fn calls(every: u64, fate: impl Fn(u64) -> Option<u64>) -> Vec<Seen> {
        let ms = SECOND / 1_000;
        let all = (0..200_000 / every).map(|number| number * every * ms);
        all.map(|began| {
            let took = fate(began);
            let at = began + took.unwrap_or(ms);
            Seen { began, end: (at <= COURSE.end).then_some((at, took.is_some())) }
        })
        .collect()
    }

    fn told(every: u64, fate: impl Fn(u64) -> Option<u64>) -> Truth {
        truth(&calls(every, fate), &COURSE, None)
    }

    const WELL: Option<u64> = Some(SECOND / 100);

    fn back(truth: Truth, at: u64, give: u64) {
        let Truth::Back { earliest, latest } = truth else { panic!("{truth:?}") };
        let at = at * SECOND;
        assert!(earliest <= at && at <= latest && latest - earliest <= give * SECOND, "{truth:?}");
    }

    #[test]
    fn back_at_once_and_back_later() {
        let during = |began: u64, to: u64| (60 * SECOND..to * SECOND).contains(&began);
        for every in [10, 100, 1_000] {
            back(told(every, |began| if during(began, 70) { None } else { WELL }), 70, 1);
            back(told(every, |began| if during(began, 100) { None } else { WELL }), 100, 3);
            // Served, but late.
            back(told(every, |began| if during(began, 100) { Some(SECOND) } else { WELL }), 100, 3);
        }
    }

    #[test]
    fn out_whether_lost_late_or_waiting() {
        let since = |began: u64| began >= 60 * SECOND;
        for every in [10, 1_000] {
            assert_eq!(told(every, |began| if since(began) { None } else { WELL }), Truth::Out);
            assert_eq!(told(every, |began| if since(began) { Some(SECOND) } else { WELL }), Truth::Out);
            assert_eq!(told(every, |began| if since(began) { Some(u64::MAX / 2) } else { WELL }), Truth::Out);
            let third = |began: u64| since(began) && (began / (every * SECOND / 1_000)).is_multiple_of(3);
            assert_eq!(told(every, |began| if third(began) { None } else { WELL }), Truth::Out);
        }
    }

    #[test]
    fn the_time_that_is_asked_for_decides() {
        let slower = calls(100, |began| if began >= 60 * SECOND { Some(SECOND / 40) } else { WELL });
        back(truth(&slower, &COURSE, None), 70, 1);
        assert_eq!(truth(&slower, &COURSE, Some(SECOND / 50)), Truth::Out);
        // It was never in time: there is nothing to come back to.
        assert_eq!(truth(&slower, &COURSE, Some(SECOND / 1_000)), Truth::Open);
    }

    /// An answer may take twelve seconds, but from the last five on nobody gets one.
    #[test]
    fn what_has_failed_though_others_are_out_is_seen() {
        let slow = Some(4 * SECOND);
        let late = |began: u64| if (60 * SECOND..70 * SECOND).contains(&began) { None } else { slow };
        back(told(100, late), 70, 1);
        assert_eq!(told(100, |began| if began >= 195 * SECOND { None } else { late(began) }), Truth::Out);
    }

    /// Two of a hundred fail as they always did.
    #[test]
    fn what_is_usual_is_no_harm() {
        for every in [20, 1_000, 2_000] {
            for shift in 0..50 {
                let usual = |began: u64| (began / (every * SECOND / 1_000) * 37 + shift).is_multiple_of(50);
                let fate = |began: u64| match () {
                    _ if (60 * SECOND..70 * SECOND).contains(&began) || usual(began) => None,
                    _ => WELL,
                };
                back(told(every, fate), 70, 10);
            }
        }
    }

    #[test]
    fn what_cannot_be_told_is_left_open() {
        let fate = |began: u64| if began >= 60 * SECOND { None } else { WELL };
        // A call in thirty seconds; no calls after the fault; nothing before it.
        assert_eq!(told(30_000, fate), Truth::Open);
        let early: Vec<Seen> = calls(100, fate).into_iter().filter(|call| call.began < 60 * SECOND).collect();
        assert_eq!(truth(&early, &COURSE, None), Truth::Open);
        assert_eq!(
            truth(&calls(100, fate), &Course { measured_from: 60 * SECOND, ..COURSE }, None),
            Truth::Open
        );
        // Back for the last five seconds.
        let late = |began: u64| if (60 * SECOND..195 * SECOND).contains(&began) { None } else { WELL };
        assert_eq!(told(100, late), Truth::Open);
        // It falls again every thirty seconds.
        let again = |began: u64| if began >= 60 * SECOND && began / SECOND % 30 < 5 { None } else { WELL };
        assert_eq!(told(100, again), Truth::Open);
    }
}
