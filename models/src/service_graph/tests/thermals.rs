//! Machines that heat up, by hand: how hot they are, how much they do, and when they are off.

use super::scenes::scene_of;
use crate::report::Report;
use sim_core::math::exp;

/// 20 degrees around it, 400 W when it is busy, of which 10 W are carried off for each kelvin: it comes to 60, 63 % of the way in 10 s.
fn machine(rest: &str, duration: &str, warm_up: &str) -> Report {
    scene_of(
        &format!(
            r#"workload: [(to: "s", arrivals: Constant("30/s"))],
               services: {{"s": (workers: Async(2), work: "100ms", queue: Fifo(capacity: 10),
                   thermal: (air: [(celsius: 20)], busy: 400, cooling: 10, heat_capacity: 100, {rest}))}}"#
        ),
        &format!(r#"duration: "{duration}", warm_up: "{warm_up}", window: "10s""#),
    )
}

fn value(report: &Report, name: &str) -> f64 {
    let section = report.section("thermal", "s").expect("it heats up");
    section.values.get(name).and_then(|it| it.value).unwrap_or_else(|| panic!("{name} was measured"))
}

fn line(report: &Report, name: &str) -> Vec<f64> {
    let section = report.section("thermal", "s").expect("it heats up");
    section.series.iter().find(|series| series.name == name).expect("it is drawn").values.clone()
}

/// Both workers are busy from 33 ms on: `60 - 40 exp(-t / 10 s)`, but for the worker that is not yet.
#[test]
fn at_constant_load_a_temperature_follows_its_closed_form() {
    let report = machine(r#"shut_down: (at: 99, back_at: 50), every: "500ms""#, "60s", "0s");
    let found = line(&report, "temperature");
    assert_eq!(found.len(), 6);
    for (window, found) in (1..).zip(found) {
        // A look at its end is of the next window.
        let expected = 60.0 - 40.0 * exp(0.05 - f64::from(window));
        assert!(
            (found - expected).abs() < 0.15,
            "{found} at the end of window {window}, expected {expected}"
        );
    }
    assert_eq!((value(&report, "lost"), value(&report, "shut_downs")), (0.0, 0.0));
}

/// `20 + 40 u` degrees make work take `1 + 3 (40 u - 10) / 20` times as long: what can be done is `u (6 u - 0.5) = 1`, 45.2 % of 20 requests
/// a second, and the rest is lost.
#[test]
fn a_machine_does_what_its_cooling_carries_off() {
    let report = machine("throttle: (from: 30, to: 50, factor: 4)", "300s", "100s");
    let capacity = (0.5 + 24.25_f64.sqrt()) / 12.0;
    let done = report.services.get("s").expect("it is there").completed as f64 / 200.0 / 20.0;
    assert!((done / capacity - 1.0).abs() < 0.01, "{done} is done, of {capacity}");
    assert!((value(&report, "lost") / (1.0 - capacity) - 1.0).abs() < 0.01, "{}", value(&report, "lost"));
    assert!(
        (value(&report, "hottest") - (20.0 + 40.0 * capacity)).abs() < 0.2,
        "{}",
        value(&report, "hottest")
    );
    assert_eq!(value(&report, "throttled"), 1.0);
}

/// From 20 to 50 degrees in `10 ln 4` = 13.86 s, down to 30 in `10 ln 3` = 10.99 s, up again in as long: off at 14, on at 26, off at 37, on at 48 .. as
/// far as looks once a second can tell.
#[test]
fn it_is_off_half_of_the_time_if_it_cools_as_slowly_as_it_warms() {
    let report = machine("shut_down: (at: 50, back_at: 30)", "105s", "0s");
    let (mut celsius, mut off, mut times, mut dark) = (20.0_f64, false, 0, 0);
    for second in 1..=105 {
        dark += i32::from(off);
        let rests = if off { 20.0 } else { 60.0 };
        celsius = rests + (celsius - rests) * exp(-0.1);
        // For the first 100 ms or so nobody is there.
        if second == 1 {
            celsius -= 0.05;
        }
        match off {
            false if celsius >= 50.0 => (off, times) = (true, times + 1),
            true if celsius <= 30.0 => off = false,
            _ => {}
        }
    }
    assert_eq!(value(&report, "shut_downs"), f64::from(times));
    assert!(
        (value(&report, "lost") - f64::from(dark) / 105.0).abs() < 0.011,
        "{} of {dark}",
        value(&report, "lost")
    );
    // What it had in hand is lost with it, and those who come meanwhile are refused.
    let edge = report.edges.get("users->s").expect("they call");
    assert!(edge.success.expect("they call") < 0.4);
}

/// Two machines that could do with their share of it, and not with all: the one whose air is hot is off first, and the other by its load. Whoever is down for
/// another reason cools without a watt, and does not start for being cool.
#[test]
fn a_crash_is_not_ended_by_the_cold() {
    for (faults, expected) in [("", 1.0), (r#"(at: "5s", for: "60s", on: "s", effect: Crash())"#, 0.0)] {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("30/s"))],
                   services: {{"s": (workers: Async(2), work: "100ms", queue: Fifo(capacity: 10),
                       thermal: (air: [(celsius: 20)], busy: 400, cooling: 10, heat_capacity: 100, shut_down: (at: 50, back_at: 21)))}},
                   faults: [{faults}]"#
            ),
            r#"duration: "40s", window: "10s""#,
        );
        assert_eq!(value(&report, "shut_downs"), expected, "{faults}");
        let done = report.services.get("s").expect("it is there").completed;
        assert!(if expected == 0.0 { done <= 100 } else { done > 250 }, "{done}");
    }
}

/// Switched off at 14 s and crashed while it is off: it is up when both are over, whichever is last.
#[test]
fn who_is_off_and_crashed_is_up_when_both_are_over() {
    for (r#for, back) in [("2s", 26), ("20s", 36)] {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "s", arrivals: Constant("30/s"))],
                   services: {{"s": (workers: Async(2), work: "100ms", queue: Fifo(capacity: 10),
                       thermal: (air: [(celsius: 20)], busy: 400, cooling: 10, heat_capacity: 100, shut_down: (at: 50, back_at: 30)))}},
                   faults: [(at: "16s", for: "{for}", on: "s", effect: Crash())]"#
            ),
            r#"duration: "37s", window: "1s""#,
        );
        let ok: Vec<u64> = report.edges.get("users->s").expect("they call").windows.ok.to_vec();
        let first = (15..37).find(|second| ok[*second] > 0);
        assert_eq!(first, Some(back), "crashed for {for}: {ok:?}");
    }
}
