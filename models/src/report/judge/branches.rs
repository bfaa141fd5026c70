//! One branch of the rule at a time, each with an input whose right answer is plain.

use super::chance::Served;
use super::users::failing;
use crate::report::VerdictKind::*;
use crate::report::judge::outlook::Known;
use crate::report::judge::{judge, judge_knowing};
use crate::report::synthetic::{Second, disturbed, healthy, run};
use crate::report::{Report, VerdictKind};

pub(super) const SECOND: u64 = 1_000_000_000;

fn judged(mut report: Report) -> Report {
    judge(&mut report);
    report
}

pub(super) fn told(report: Report) -> (VerdictKind, String, Option<u64>) {
    let report = judged(report);
    (report.verdict.kind, report.verdict.headline, report.summary.time_to_recover.map(|ns| ns / SECOND))
}

pub(super) fn struck(report: Report) -> Report {
    disturbed(report, "slow", 60, Some(90))
}

/// So many calls, of which every so many-th is lost, counted over all seconds.
fn losing(started: u64, second: u64, every: u64) -> Second {
    let lost = (second + 1) * started / every - second * started / every;
    Second { started, ok: started - lost, failed: lost }
}

#[test]
fn few_failures_are_an_accident() {
    // Of 20 calls of which 95 % end well, three or more are lost in 7.5 % of runs, and six or more in 0.03 %.
    for (good, of, fails) in [
        (17.0, 20.0, false),
        (14.0, 20.0, true),
        (0.0, 1.0, false),
        (0.0, 2.0, true),
        (95.0, 100.0, false),
        (9_400.0, 10_000.0, true),
    ] {
        assert_eq!(failing(Served { good, of }), fails, "{good} of {of}");
    }
}

/// Calls take ten seconds, so that those of the ten seconds before the fault are lost with it.
#[test]
fn calls_that_were_out_when_the_fault_came_say_nothing_of_what_was_normal() {
    let report = |rate: u64| {
        let mut report = run(300, |second| match second {
            _ if second < 10 => Second { started: rate, ok: 0, failed: 0 },
            60..70 => Second { started: rate, ok: 0, failed: rate },
            _ => Second { started: rate, ok: rate, failed: 0 },
        });
        let windows = &mut report.edges.0[0].1.windows;
        // By when they began: lost from 50 s on, and after the fault four of five are served.
        let of = |second: usize| match second {
            50..90 => 0,
            90.. => rate * 4 / 5,
            _ => rate,
        };
        windows.began_ok = (0..300).map(of).collect();
        windows.began_in_time = windows.began_ok.clone();
        struck(report)
    };
    let (kind, headline, _) = told(report(100));
    assert_eq!(kind, Degraded, "{headline}");
    assert!(headline.ends_with("goodput is 80 % of offered (before: 100 %)"), "{headline}");
}

/// Fifty calls, one a second, are all that is known; forty-five of them were out. Five are too few to know what is normal.
#[test]
fn a_handful_of_calls_is_not_what_is_normal() {
    let mut report = run(300, |second| match second {
        0..15 => healthy(1),
        15..60 => Second { started: 1, ok: 0, failed: 0 },
        60..105 => Second { started: 1, ok: 0, failed: 2 },
        _ => healthy(1),
    });
    let windows = &mut report.edges.0[0].1.windows;
    windows.failed[60..105].fill(2);
    windows.began_ok[15..90].fill(0);
    windows.began_in_time = windows.began_ok.clone();
    let (kind, headline, _) = told(struck(report));
    assert_eq!(
        (kind, headline.as_str()),
        (Failing, "goodput was only 10 % of offered before anything went wrong")
    );
}

fn closed(at: impl Fn(u64) -> Second) -> Report {
    let mut report = run(300, at);
    report.edges.0[0].1.closed_loop = true;
    struck(report)
}

#[test]
fn users_who_wait_are_judged_by_how_often_they_are_served() {
    // All of their calls end well, but they get to call three times in ten.
    let (kind, headline, _) = told(closed(|second| healthy(if second < 60 { 1_000 } else { 300 })));
    assert_eq!(kind, NotRecovered);
    assert!(headline.ends_with("goodput is 30 % of what it was"), "{headline}");
    let (kind, headline, _) = told(closed(|second| healthy(if second < 60 { 1_000 } else { 800 })));
    assert_eq!(kind, Degraded);
    assert!(headline.ends_with("goodput is 80 % of what it was"), "{headline}");
    // In bursts of two thousand and none it was never even: nine tenths is no clear difference.
    let bursts = closed(|second| healthy(if second >= 60 { 900 } else { second % 2 * 2_000 }));
    assert_eq!(told(bursts).0, Recovered);
    assert_eq!(told(closed(|second| healthy(if second >= 60 { 900 } else { 1_000 }))).0, Degraded);
}

/// Of three calls a second a tenth is lost as ever; for forty seconds after the fault it is a third, which ten seconds of them do
/// not show (ten of thirty are lost in three of ten thousand stretches, and there are a thousand), and forty do.
#[test]
fn what_shows_only_over_a_while_is_seen() {
    let after = |until: u64| {
        move |second: u64| match second {
            _ if second >= 60 && second < until => losing(3, second, 3),
            _ => losing(3, second, 10),
        }
    };
    let (kind, headline, time) = told(struck(run(300, after(130))));
    assert_eq!(kind, Recovered, "{headline}");
    assert!(time.is_some_and(|time| (36..=42).contains(&time)), "{time:?}");
    assert_eq!(told(struck(run(300, after(60)))).2, Some(0));
}

/// A twelfth of the calls is lost, evenly: no stretch shows it, all of it does.
#[test]
fn what_shows_only_in_all_of_it_is_seen() {
    let thin = |second: u64| if second < 60 { healthy(1) } else { losing(1, second, 12) };
    assert_eq!(told(struck(run(300, thin))).0, Degraded);
    let thinner = |second: u64| if second < 60 { healthy(1) } else { losing(1, second, 30) };
    assert_eq!(told(struck(run(300, thinner))).0, Recovered, "97 % are no less than 95");
}

/// There was as bad a minute before the fault.
#[test]
fn as_bad_as_it_was_before_is_no_harm() {
    let dips = |second: u64| match second {
        30..40 | 150..160 => Second { started: 20, ok: 10, failed: 10 },
        60..90 => Second { started: 20, ok: 0, failed: 20 },
        _ => healthy(20),
    };
    assert_eq!(told(struck(run(300, dips))).2, Some(0));
    let once = |second: u64| if second < 60 { healthy(20) } else { dips(second) };
    assert_eq!(told(struck(run(300, once))).2, Some(70));
}

/// Nobody is served for a few seconds shortly before the end, and everybody after: that may be over or not.
#[test]
fn a_relapse_near_the_end_is_left_open() {
    let relapse = |second: u64| match second {
        285..289 => Second { started: 3, ok: 0, failed: 3 },
        _ => healthy(3),
    };
    let (kind, headline, _) = told(struck(run(296, relapse)));
    assert_eq!(
        (kind, headline.as_str()),
        (
            Undecided,
            "too soon to tell: served as before for the last 7 s only, from 3 min 19 s after the fault ended"
        )
    );
    // Of the last three calls two: as good as up to the end.
    let hardly = |second: u64| match second {
        0..60 => healthy(10),
        293 => healthy(2),
        294 => Second { started: 1, ok: 0, failed: 1 },
        295.. => Second::default(),
        _ => Second { started: 10, ok: 0, failed: 10 },
    };
    assert_eq!(told(struck(run(300, hardly))).0, NotRecovered);
}

#[test]
fn a_lost_workload_is_named_and_a_spike_is_called_one() {
    let mut report =
        run(200, |second| if second < 60 { healthy(10) } else { Second { started: 10, ok: 0, failed: 10 } });
    report.edges.push("batch->checkout", run(200, |_| healthy(990)).edges.0[0].1.clone());
    let (kind, headline, _) = told(disturbed(report, "spike", 60, Some(90)));
    assert_eq!(
        (kind, headline.as_str()),
        (
            NotRecovered,
            "not within 110 s of the spike's end: goodput is 99 % of offered, of users->checkout 0 % (before: 100 %)"
        )
    );
    // The first comes back at once, the second after a minute.
    let mut report = run(300, |_| healthy(10));
    let later = |second: u64| {
        if (60..150).contains(&second) { Second { started: 10, ok: 0, failed: 10 } } else { healthy(10) }
    };
    report.edges.push("batch->checkout", run(300, later).edges.0[0].1.clone());
    assert_eq!(told(struck(report)).2, Some(60));
}

#[test]
fn what_is_told_is_how_it_is_at_the_end() {
    // A third, and in the last half minute nothing.
    let worse = |second: u64| match second {
        0..60 => healthy(100),
        60..270 => Second { started: 100, ok: 33, failed: 67 },
        _ => Second { started: 100, ok: 0, failed: 100 },
    };
    let (_, headline, _) = told(struck(run(300, worse)));
    assert!(headline.ends_with("goodput is 0 % of offered (before: 100 %)"), "{headline}");
    // What has not come to its turn yet is none of it.
    let late = disturbed(run(50, |_| healthy(10)), "slow", 60, Some(70));
    assert_eq!(told(late).1, "goodput is 100 % of offered");
}

#[test]
fn fewer_calls_at_the_end_are_told_unless_chance_does_it() {
    let end = |rate: u64, then: u64| {
        let report = struck(run(300, move |second| {
            healthy(if second >= 60 && second % 10 >= then { 0 } else { rate })
        }));
        judged(report).verdict.details
    };
    assert_eq!(end(1, 7), [""; 0], "seven calls in ten seconds instead of ten");
    assert_eq!(end(100, 7), ["users offer 70/s at the end, 100/s before the disturbance"]);
}

#[test]
fn an_undisturbed_run_says_who_is_lost_and_what_the_end_is_like() {
    let mut report = run(100, |_| Second { started: 10, ok: 5, failed: 5 });
    report.edges.push("batch->checkout", run(100, |_| healthy(990)).edges.0[0].1.clone());
    let (kind, headline, _) = told(report);
    assert_eq!((kind, headline.as_str()), (Failing, "goodput is 99.5 % of offered, of users->checkout 50 %"));
    let falls =
        run(
            100,
            |second| if second < 70 { healthy(100) } else { Second { started: 100, ok: 0, failed: 100 } },
        );
    assert_eq!(told(falls).1, "goodput is 67 % of offered, and 0 % for the last 30 s");
    // Calls that may still be answered say nothing: the last fifteen seconds are not known.
    let mut waits =
        run(100, |second| Second { started: 100, ok: if second < 85 { 100 } else { 0 }, failed: 0 });
    waits.edges.0[0].1.within = Some(15 * SECOND);
    assert_eq!(told(waits).0, Steady);
}

#[test]
fn a_habit_is_three_falls_that_may_come_again_from_where_all_is_well() {
    let down = |ok: u64| Second { started: 1_000, ok, failed: 1_000 - ok };
    let with = |falls: &'static [u64], between: u64| {
        run(300, move |second| match falls.iter().any(|at| (*at..at + 5).contains(&second)) {
            true => down(0),
            false => down(between),
        })
    };
    let (kind, headline, _) = told(with(&[100, 180, 260], 1_000));
    assert_eq!((kind, headline.as_str()), (NeverSettles, "it falls again every 80 s, 3 times so far"));
    assert_ne!(told(with(&[180, 260], 1_000)).0, NeverSettles);
    let (kind, headline, _) = told(with(&[30, 50, 260], 1_000));
    assert_eq!(kind, NeverSettles);
    assert_eq!(headline, "it falls again and again, 3 times so far, every 115 s on average");
    // The last of them lasts: it is down.
    let (kind, headline, _) =
        told(with(&[40, 90, 140, 200, 205, 210, 215, 220, 225, 230, 235, 240, 245, 250, 255], 1_000));
    assert_eq!(kind, NeverSettles, "{headline}");
    let down_for_good = |second: u64| match second {
        40..45 | 90..95 | 140..145 | 200.. => down(0),
        _ => down(1_000),
    };
    let (kind, headline, _) = told(run(300, down_for_good));
    assert_eq!(
        (kind, headline.as_str()),
        (Failing, "goodput is 60 % of offered, and 0 % for the last 100 s")
    );
    // Somewhat worse at times is no fall: a queue that is always full loses more of whom a busy minute brings.
    let at_times = |left: u64| {
        run(300, move |second| match second {
            100..110 | 180..190 | 260..270 => down(left),
            _ => down(960),
        })
    };
    assert_eq!((told(at_times(720)).0, told(at_times(820)).0), (NeverSettles, Failing));
    // Half of it is lost all the time: that is no coming back.
    let (kind, headline, _) = told(with(&[100, 180, 260], 500));
    assert_eq!(kind, Failing, "{headline}");
}

/// A service that dies every eighty seconds, whatever disturbs it besides.
#[test]
fn a_habit_is_told_though_it_was_there_before() {
    let with = |falls: &'static [u64], left: u64| {
        let report = run(600, move |second| match second {
            300..330 => Second { started: 100, ok: 0, failed: 100 },
            _ if falls.iter().any(|at| (*at..at + 5).contains(&second)) => {
                Second { started: 100, ok: left, failed: 100 - left }
            }
            _ => healthy(100),
        });
        told(disturbed(report, "slow", 300, Some(330)))
    };
    let (kind, headline, _) = with(&[60, 140, 220, 380, 460, 540], 0);
    assert_eq!(
        (kind, headline.as_str()),
        (NeverSettles, "it falls again every 80 s, 6 times so far, before the fault as after it")
    );
    // Once before and once after are no habit, nor what has ceased, nor what is only a little worse at times.
    for (falls, left) in [(&[220, 380][..], 0), (&[60, 140, 220], 0), (&[60, 140, 220, 380, 460, 540], 60)] {
        let (kind, headline, time) = with(falls, left);
        assert_eq!((kind, time), (Recovered, Some(0)), "{falls:?}: {headline}");
    }
}

/// An answer may take fifteen seconds, so that nobody knows what becomes of the last calls, unless they have failed already.
#[test]
fn what_has_failed_counts_though_others_may_still_be_answered() {
    let verdict = |fails_from: u64, told: bool| {
        let mut report = struck(run(300, |second| match second {
            60..90 => Second { started: 20, ok: 0, failed: 20 },
            _ if second >= fails_from => Second { started: 20, ok: 0, failed: 18 },
            _ => healthy(20),
        }));
        report.edges.0[0].1.within = Some(15 * SECOND);
        let failed = report.edges.0[0].1.windows.failed.clone();
        let failed = if told { vec![("users->checkout".into(), failed)] } else { Vec::new() };
        judge_knowing(&mut report, &Known { failed, ..Known::default() });
        (report.verdict.kind, report.verdict.headline)
    };
    assert_eq!(verdict(288, false).0, Recovered);
    assert_eq!(
        verdict(288, true),
        (
            Degraded,
            "not within 3 min 30 s of the fault's end: goodput is 64 % of offered (before: 100 %)".into()
        )
    );
    assert_eq!(verdict(300, true).0, Recovered, "calls that are out are no harm");
}
