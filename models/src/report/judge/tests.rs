use crate::policy::{Ending, Outcome};
use crate::report::VerdictKind::*;
use crate::report::judge;
use crate::report::synthetic::{Second, disturbed, healthy, run};
use crate::report::{Began, Edge, Report, Service, Verdict, VerdictKind};

const SECOND: u64 = 1_000_000_000;

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
    assert_eq!((report.summary.recovered, report.summary.time_to_recover), (Some(true), Some(12 * SECOND)));
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
fn what_has_not_recovered_says_how_little_is_left() {
    let report = after_a_fault(|_| broken(3));
    assert_eq!(
        headline(&report),
        (
            NotRecovered,
            "not within 3 min 30 s of the fault's end: goodput is 3 % of offered (before: 99.9 %)"
        )
    );
    assert_eq!((report.summary.recovered, report.summary.time_to_recover), (Some(false), None));
}

#[test]
fn degraded_is_between() {
    let report = after_a_fault(|_| broken(70));
    assert_eq!(
        headline(&report),
        (Degraded, "not within 3 min 30 s of the fault's end: goodput is 70 % of offered (before: 99.9 %)")
    );
    // 94 % of normal is not normal, 96 % is.
    assert_eq!(after_a_fault(|_| broken(94)).verdict.kind, Degraded);
    assert_eq!(after_a_fault(|_| broken(96)).verdict.kind, Recovered);
    assert_eq!(after_a_fault(|_| broken(50)).verdict.kind, Degraded);
    assert_eq!(after_a_fault(|_| broken(49)).verdict.kind, NotRecovered);
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

/// One that hurts nobody while it lasts is not one that does: all are served as before; one call in a thousand is hardly anybody, and one in a hundred is somebody.
#[test]
fn a_fault_that_lasts_and_hurts_nobody_is_told_apart() {
    let after = |then: fn() -> Second| {
        judged(disturbed(
            run(120, |second| if second < 60 { healthy(1_000) } else { then() }),
            "slow",
            60,
            None,
        ))
    };
    let report = after(|| healthy(1_000));
    assert_eq!(
        headline(&report),
        (
            Unharmed,
            "the fault lasts until the end and hurts nobody: goodput is 100 % of offered (before: 100 %)"
        )
    );
    assert_eq!((report.summary.recovered, report.summary.time_to_recover), (None, None));
    let few = after(|| Second { started: 1_000, ok: 999, failed: 1 });
    let told = "the fault lasts until the end and hurts hardly anybody: goodput is 99.9 % of offered (before: 100 %)";
    assert_eq!(headline(&few), (Unharmed, told));
    assert_eq!(after(|| broken(99)).verdict.kind, StillDisturbed);
    // For a moment only is harm, too.
    let moment = |second| if second == 80 { broken(3) } else { healthy(1_000) };
    assert_eq!(judged(disturbed(run(120, moment), "slow", 60, None)).verdict.kind, StillDisturbed);
    // It begins too late for anybody to have met it.
    assert_eq!(
        judged(disturbed(run(120, |_| healthy(1_000)), "slow", 119, None)).verdict.kind,
        StillDisturbed
    );
}

/// What is there all the while has no before; that all are served tells enough, and that some are not is told as ever.
#[test]
fn a_fault_from_beginning_to_end_may_hurt_nobody() {
    let under = |second: fn() -> Second| judged(disturbed(run(120, |_| second()), "slow", 0, None));
    assert_eq!(
        headline(&under(|| healthy(1_000))),
        (Unharmed, "the fault is there from beginning to end and hurts nobody: goodput is 100 % of offered")
    );
    let some = under(|| Second { started: 1_000, ok: 998, failed: 2 });
    assert_eq!(
        headline(&some),
        (StillDisturbed, "the fault lasts until the end: goodput is 99.8 % of offered")
    );
}

/// All are answered, some of them when they had long gone: half of those of a minute took as long as that.
#[test]
fn who_is_served_very_late_is_told_of() {
    let late = |from: u64, to: u64, took: u64, usual: u64| {
        let mut report = run(300, |_| healthy(100));
        let took = |second: u64| if (from..to).contains(&second) { took } else { usual };
        report.edges.0[0].1.windows.latency = (0..300).map(|second| vec![(took(second), 100)]).collect();
        judged(report).verdict
    };
    let told = late(100, 160, 28 * SECOND, SECOND / 10);
    let said = "goodput is 100 % of offered, but calls took up to 28 s, for 60 s in all far longer than the usual 100 ms";
    assert_eq!((told.kind, told.headline.as_str()), (Steady, said));
    for (from, to, took, usual) in [
        (100, 105, 28 * SECOND, SECOND / 10), // A hiccup.
        (100, 160, SECOND / 2, SECOND / 100), // Nobody minds.
        (100, 160, 28 * SECOND, 5 * SECOND),  // It is usual.
    ] {
        assert_eq!(late(from, to, took, usual).headline, "goodput is 100 % of offered", "{took}");
    }
}

#[test]
fn recovery_counts_from_the_last_of_several_faults() {
    let two = |second: u64| match second {
        60..70 | 100..115 => broken(10),
        _ => healthy(1_000),
    };
    let report = judged(disturbed(disturbed(run(300, two), "crash", 100, Some(110)), "slow", 60, Some(70)));
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
    assert_eq!(
        headline(&report),
        (Degraded, "not within 100 s of the fault's end: goodput is 80 % of offered")
    );
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
    assert!(!report.verdict.details.iter().any(|detail| detail.contains("before")), "the headline says it");
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
fn of_a_silent_end_nothing_can_be_said_unless_everybody_waits() {
    let quiet = |second: u64| if second < 60 { healthy(10) } else { Second::default() };
    let report = judged(disturbed(run(120, quiet), "slow", 60, Some(80)));
    let nothing = "nothing was offered after the fault, so nothing can be said";
    assert_eq!((headline(&report), report.summary.recovered), ((Undecided, nothing), None));
    // Ten users in a closed loop, all stuck in calls without a timeout.
    let stuck = |second: u64| match second {
        60 => Second { started: 10, ok: 0, failed: 0 },
        second => quiet(second),
    };
    let mut report = disturbed(run(120, stuck), "black_hole", 60, Some(80));
    report.edges.0[0].1.closed_loop = true;
    assert_eq!(headline(&judged(report)), (NotRecovered, "not within 40 s: all users still wait"));
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
        assert!(!report.verdict.headline.is_empty() && !format!("{report:?}").contains("NaN"), "{report:?}");
    }
    assert_eq!(headline(&judged(run(60, |_| Second::default()))), (Steady, "no calls were made"));
    let mut no_users = Report {
        verdict: Verdict { kind: Finding, headline: "1/N".into(), ..Verdict::default() },
        ..Report::default()
    };
    judge(&mut no_users);
    assert_eq!(no_users.verdict.headline, "1/N");
}

#[test]
fn the_summary_covers_the_measured_time() {
    let mut report = run(110, |_| broken(60));
    report.edges.push("checkout->payments", Edge { per_user_call: Some(2.5), ..Edge::default() });
    for (name, work, work_wasted) in [("checkout", 300, 0), ("payments", 100, 50)] {
        report.services.push(name, Service { work, work_wasted, ..Service::default() });
    }
    let summary = judged(report).summary;
    assert_eq!((summary.offered, summary.goodput, summary.success), (Some(1_000.0), Some(600.0), Some(0.6)));
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
        (
            NotRecovered,
            "not within 110 s of the fault's end: goodput is 50 % of offered, of mobile->checkout 0 % (before: 100 %)"
        )
    );
    assert_eq!(report.summary.offered, Some(1_000.0));
}

/// Poisson arrivals that fail by luck, each counted where it began.
fn noisy(seed: u64, rate: f64, p_fail: f64, fails: impl Fn(f64, u64) -> bool) -> Report {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut seconds = vec![Second::default(); 300];
    let (mut now, mut number) = (0.0, 0);
    loop {
        now -= sim_core::math::ln(1.0 - uniform()) / rate;
        if now >= 300.0 {
            break;
        }
        number += 1;
        let second = &mut seconds[now as usize];
        second.started += 1;
        if uniform() < p_fail || fails(now, number) { second.failed += 1 } else { second.ok += 1 }
    }
    run(300, |second| seconds[second as usize])
}

#[test]
fn luck_does_not_flip_the_verdict() {
    for seed in 0..60 {
        for (rate, p_fail) in [(0.2, 0.0), (1.0, 0.02), (20.0, 0.0), (20.0, 0.01), (20.0, 0.1), (500.0, 0.02)]
        {
            let healthy = noisy(seed, rate, p_fail, |_, _| false);
            if p_fail > 0.05 || rate > 1.0 {
                let kind = judged(healthy.clone()).verdict.kind;
                assert_eq!(kind, if p_fail < 0.05 { Steady } else { Failing }, "{seed} {rate} {p_fail}");
            }
            let report = judged(disturbed(healthy, "slow", 60, Some(90)));
            let came = (report.verdict.kind, report.summary.time_to_recover);
            assert_eq!(came, (Recovered, Some(0)), "{seed} {rate} {p_fail} {}", report.verdict.headline);
        }
    }
}

#[test]
fn luck_does_not_hide_a_failure() {
    for seed in 0..60 {
        for rate in [0.2, 1.0, 5.0, 20.0] {
            let dead = disturbed(noisy(seed, rate, 0.01, |now, _| now > 60.0), "slow", 60, Some(90));
            assert_eq!(judged(dead).verdict.kind, NotRecovered, "{seed} {rate}");
        }
        // Every third call fails for good.
        for rate in [2.0, 20.0] {
            let lame = noisy(seed, rate, 0.01, |now, number| now > 60.0 && number % 3 == 0);
            assert_eq!(judged(disturbed(lame, "slow", 60, Some(90))).verdict.kind, Degraded, "{seed} {rate}");
        }
    }
}

#[test]
fn too_few_calls_tell_nothing() {
    let few = |after: &'static [u64]| {
        after_a_fault(move |second| if after.contains(&second) { healthy(1) } else { Second::default() })
    };
    assert_eq!(
        headline(&few(&[150, 200])),
        (Undecided, "too few calls to tell: 2 of 2 have been served since the fault ended")
    );
    assert_eq!(few(&[150, 200, 250]).verdict.kind, Recovered);
    let lost = after_a_fault(|second| if second == 150 { broken(0) } else { Second::default() });
    assert_eq!(lost.verdict.kind, NotRecovered, "a thousand at once");
    let one = after_a_fault(|second| Second { started: u64::from(second == 150), ok: 0, failed: 0 });
    assert_eq!((one.verdict.kind, one.summary.recovered), (Undecided, None));
}

/// Answers that take too long count for nothing.
#[test]
fn served_late_is_not_served() {
    let late = |from: usize, until: usize| {
        let mut report = run(300, |_| healthy(1_000));
        let edge = &mut report.edges.0[0].1;
        edge.within = Some(SECOND / 2);
        edge.windows.began_in_time[from..until].fill(100);
        judged(disturbed(report, "slow", 60, Some(90)))
    };
    assert_eq!(
        headline(&late(60, 300)),
        (
            NotRecovered,
            "not within 3 min 30 s of the fault's end: 10 % of calls are answered within 500 ms (before: 100 %)"
        )
    );
    let back = late(60, 120);
    assert_eq!(back.summary.time_to_recover, Some(30 * SECOND));
    assert_eq!(
        back.verdict.details,
        ["while the fault lasted 10 % of calls were served in time, within 500 ms"]
    );
    // Who begins in a window and is late need not have begun in a fault that is shorter, and nothing is said of it.
    let mut brief = run(300, |_| healthy(1_000));
    brief.edges.0[0].1.within = Some(SECOND / 2);
    brief.edges.0[0].1.windows.began_in_time[60..70].fill(100);
    let until = |end: u64| {
        let mut report = disturbed(brief.clone(), "crash", 60, Some(61));
        report.timeline.disturbances[0].to = Some(end);
        let report = judged(report);
        (report.summary.recovered, report.verdict.details)
    };
    assert_eq!(until(60_900_000_000), (Some(true), vec![]));
    let whole = "while the fault lasted 10 % of calls were served in time, within 500 ms".to_string();
    assert_eq!(until(61_000_000_000), (Some(true), vec![whole]));
    // A fault of nine tenths of a second is not the whole second that it is in, where its calls were counted apart.
    let short = |apart: bool, hang: u64| {
        let mut report = run(300, |second| if second == 60 { broken(85) } else { healthy(1_000) });
        let began = |ok, failed| {
            let mut began = Began::default();
            began.calls.started = ok + failed;
            began.calls.add(Ending::Ok, ok);
            began.calls.add(Ending::Failed(Outcome::Reset), failed);
            began
        };
        if apart {
            let mut stretches = vec![began(59_000, 0), began(750, 150 - hang), began(240_100, 0)];
            stretches[1].calls.add(Ending::InFlight, hang);
            report.edges.0[0].1.stretches = stretches;
        }
        let mut report = disturbed(report, "crash", 60, Some(61));
        report.timeline.disturbances[0].to = Some(60_900_000_000);
        judged(report).verdict.details
    };
    assert_eq!(short(true, 0), ["while the fault lasted 83 % of calls were served"]);
    assert_eq!(
        short(true, 150),
        ["while the fault lasted 85 % of calls were served"],
        "who hangs is not served"
    );
    assert_eq!(short(false, 0), ["while the fault lasted 85 % of calls were served"]);
    // Those that begin in the last half second may still be answered in time, and say nothing.
    let mut waits = run(300, |_| healthy(1_000));
    waits.edges.0[0].1.within = Some(15 * SECOND);
    waits.edges.0[0].1.windows.began_in_time[285..].fill(0);
    let waits = disturbed(waits, "slow", 60, Some(90));
    assert_eq!(judged(waits.clone()).summary.recovered, Some(true));
    let mut soon = waits;
    soon.timeline.disturbances[0].to = Some(280 * SECOND);
    assert_eq!(
        headline(&judged(soon)),
        (Undecided, "the run ends 20 s after the fault ended, too soon to tell: an answer may take 15 s")
    );
}

#[test]
fn back_for_the_last_seconds_only_is_too_soon_to_tell() {
    let late = after_a_fault(|second| if second < 295 { broken(3) } else { healthy(1_000) });
    let expected =
        "too soon to tell: served as before for the last 5 s only, from 3 min 25 s after the fault ended";
    assert_eq!((headline(&late), late.summary.recovered), ((Undecided, expected), None));
}

/// Whatever second the run stops at.
#[test]
fn what_falls_again_and_again_never_settles() {
    let falls = |second: u64| if second % 23 < 3 { broken(20) } else { healthy(1_000) };
    for end in 230..260 {
        let alone = judged(run(end, falls));
        assert_eq!(alone.verdict.kind, NeverSettles, "{end}: {}", alone.verdict.headline);
        assert!(
            alone.verdict.headline.starts_with("it falls again every 23 s, "),
            "{}",
            alone.verdict.headline
        );
        assert_eq!(alone.summary.recovered, None);
        let after = |second: u64| if second < 60 { healthy(1_000) } else { falls(second) };
        let struck = judged(disturbed(run(end, after), "slow", 60, Some(90)));
        assert_eq!((struck.verdict.kind, struck.summary.recovered), (NeverSettles, Some(false)), "{end}");
    }
    // It fell three times, long ago.
    let calm = judged(disturbed(
        run(400, |second| if (60..=160).contains(&second) { falls(second) } else { healthy(1_000) }),
        "slow",
        60,
        Some(90),
    ));
    assert_eq!(calm.verdict.kind, Recovered, "{}", calm.verdict.headline);
}

#[test]
fn a_queue_that_grows_is_overloaded_and_one_that_is_long_may_be() {
    let growing = |by: u64, busy: u64| {
        let mut report = run(120, |_| healthy(100));
        let mut service = Service { workers: 10, work: 1, completed: 1, ..Service::default() };
        service.windows.queue_ns = (0..120).map(|second| second * by * SECOND).collect();
        service.windows.busy_ns = vec![busy * SECOND / 10; 120];
        service.windows.available_ns = vec![10 * SECOND; 120];
        report.services.push("orders", service);
        judged(report)
    };
    assert_eq!(headline(&growing(12, 100)), (Overloaded, "the queue of orders grows by 12/s"));
    assert_eq!(growing(0, 100).verdict.kind, Steady);
    // Workers who have time would have served it: it is not for want of capacity.
    assert_eq!(growing(12, 50).verdict.kind, Steady);
}
