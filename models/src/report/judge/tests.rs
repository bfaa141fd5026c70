use crate::report::VerdictKind::*;
use crate::report::judge;
use crate::report::synthetic::{Second, disturbed, healthy, run};
use crate::report::{Edge, Report, Service, Verdict, VerdictKind};

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
        assert!(!report.verdict.headline.is_empty() && !format!("{report:?}").contains("NaN"), "{report:?}");
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
        (Degraded, "110 s after the fault ended goodput is 50 % of offered (before: 100 %)")
    );
    assert_eq!(report.summary.offered, Some(1_000.0));
}
