use super::*;
use crate::policy::Cause;
use crate::policy::Outcome::{Error, InFlight, Ok, Rejected};
use crate::report::{Disturbance, RunFacts, VerdictKind, judge};

const MS: u64 = 1_000_000;

/// What one test says: who came when, in milliseconds, and when they were done, if they were, and how.
type Guests<'a> = &'a [(u64, Option<(u64, Outcome)>)];

/// Warmed up for a second, windows of a second.
fn spec(within: Option<SimDuration>) -> RunSpec {
    let [warm_up, window] = [SimDuration::from_secs(1); 2];
    RunSpec { warm_up, window, within, ..RunSpec::lasting(SimDuration::from_secs(300)) }
}

/// A meter that was told of `guests` in the order of time, warmed up for a second, with windows of a second.
fn meter(guests: Guests, windows: u64) -> Meter {
    let mut meter = Meter::new(&spec(None), None);
    let mut told: Vec<(u64, u64, Option<Outcome>)> = Vec::new();
    for &(came, end) in guests {
        told.push((came, 0, None));
        told.extend(end.map(|(went, how)| (went, went - came, Some(how))));
    }
    told.sort_by_key(|&(at, ..)| at);
    let mut told = told.into_iter().peekable();
    for window in 1..=windows {
        while let Some((at, took, end)) = told.next_if(|&(at, ..)| at < 1_000 * window) {
            let now = SimTime::from_nanos(at * MS);
            match end {
                None => meter.started(now),
                Some(how) => meter.ended(now, SimDuration::from_millis(took), how),
            }
        }
        meter.close_window();
    }
    meter
}

#[test]
fn calls_are_counted_by_the_rules_of_every_edge() {
    // Warm-up until 1,000 ms, the end at 3,000 ms: started, ok, failed, in flight, goodput, success.
    let table: [(&str, Guests, _); 7] = [
        ("nobody", &[], (0, 0, 0, 0, 0.0, None)),
        ("within the warm-up", &[(100, Some((900, Ok)))], (0, 0, 0, 0, 0.0, None)),
        ("came before, served after", &[(900, Some((1_000, Ok)))], (0, 0, 0, 0, 0.5, None)),
        ("came as the warm-up ended", &[(1_000, Some((1_100, Ok)))], (1, 1, 0, 0, 0.5, Some(1.0))),
        ("turned away", &[(2_000, Some((2_000, Rejected)))], (1, 0, 1, 0, 0.0, Some(0.0))),
        ("still waiting", &[(2_000, None)], (1, 0, 0, 1, 0.0, None)),
        (
            "one of each",
            &[(1_500, Some((1_600, Ok))), (1_500, Some((2_500, Error))), (2_500, None)],
            (3, 1, 1, 1, 0.5, Some(0.5)),
        ),
    ];
    for (what, guests, expected) in table {
        let edge = meter(guests, 3).edge(SimTime::from_secs(3));
        let (started, ok, failed) = (edge.calls.started, edge.calls.ok(), edge.calls.failed());
        let in_flight = edge.calls.of(Ending::InFlight);
        assert_eq!((started, ok, failed, in_flight, edge.goodput, edge.success), expected, "{what}");
        assert_eq!(edge.calls.ended.total(), started, "{what}");
        let turned_away = u64::from(what == "turned away");
        let how = [(Ok, ok), (Rejected, turned_away), (Error, failed - turned_away), (InFlight, in_flight)];
        assert_eq!((edge.attempts.sent, edge.attempts.ended), (started, how.into_iter().collect()), "{what}");
        assert_eq!((edge.latency.count, edge.latency_failed.count), (ok, failed), "{what}");
        assert_eq!(edge.calls.failed_by[Cause(Rejected)], turned_away, "{what}");
        assert_eq!(edge.amplification, (started > 0).then_some(1.0), "{what}");
    }
}

#[test]
fn times_are_those_of_measured_calls_and_windows_have_all() {
    let guests: Guests = &[
        (100, Some((900, Ok))),
        (900, Some((1_100, Ok))),
        (1_000, Some((1_400, Ok))),
        (1_000, Some((1_800, Error))),
        (2_000, None),
        (2_600, None),
        (800, None),
    ];
    let edge = meter(guests, 3).edge(SimTime::from_secs(3));
    assert_eq!((edge.latency.max, edge.latency_failed.max), (Some(400 * MS), Some(800 * MS)));
    assert_eq!(
        edge.calls.in_flight_age,
        Some(700 * MS),
        "ages of 1,000 and 400 ms; who came in the warm-up is left out"
    );
    assert_eq!((edge.windows.started, edge.windows.ok), (vec![3, 2, 2], vec![1, 2, 0]));
    assert_eq!((edge.windows.failed, edge.windows.attempts), (vec![0, 1, 0], vec![3, 2, 2]));
    let latencies: Vec<u64> =
        edge.windows.latency.iter().map(|window| window.iter().map(|(_, n)| n).sum()).collect();
    assert_eq!(latencies, [1, 2, 0]);
}

#[test]
fn a_report_has_its_series_and_can_be_judged() {
    let run =
        RunFacts { duration: 3_500 * MS, warm_up: 1_000 * MS, window: 1_000 * MS, ..RunFacts::default() };
    let mut report = Report { run, ..Report::default() };
    assert_eq!((report.verdict.kind, report.verdict.headline.as_str()), (VerdictKind::Finding, "not judged"));
    let guests: Guests = &[(1_000, Some((1_001, Ok))), (2_000, Some((2_001, Error)))];
    meter(guests, 4).fill("guests->counter", SimTime::from_nanos(3_500 * MS), &mut report);
    let series: Vec<_> =
        report.timeline.series.iter().map(|series| (series.name.as_str(), series.values.clone())).collect();
    assert_eq!(series, [("offered", vec![0.0, 1.0, 1.0, 0.0]), ("goodput", vec![0.0, 1.0, 0.0, 0.0])]);
    judge(&mut report);
    assert_eq!(report.verdict.kind, VerdictKind::Failing);
    assert_eq!((report.summary.offered, report.summary.success), (Some(2.0 / 2.5), Some(0.5)));
}

/// Ten a second, each served after 100 ms; from the 60th second on it takes `late` ms.
fn struck(late: u64, within: Option<SimDuration>) -> Report {
    let mut meter = Meter::new(&spec(within), Some(SimTime::from_secs(60)));
    let mut ends: Vec<(u64, u64)> = Vec::new();
    for window in 0..300_u64 {
        ends.extend((0..10).map(|n| {
            let came = window * 1_000 + n * 100 + 1;
            (came + if window < 60 { 100 } else { late }, came)
        }));
        (0..10).for_each(|n| meter.started(SimTime::from_nanos((window * 1_000 + n * 100 + 1) * MS)));
        ends.sort_unstable();
        while let Some((at, came)) = ends.first().copied().filter(|(at, _)| *at < window * 1_000 + 1_000) {
            meter.ended(SimTime::from_nanos(at * MS), SimDuration::from_millis(at - came), Ok);
            ends.remove(0);
        }
        meter.close_window();
    }
    let spec = spec(within);
    let run = RunFacts {
        duration: spec.duration.as_nanos(),
        warm_up: spec.warm_up.as_nanos(),
        window: spec.window.as_nanos(),
        ..RunFacts::default()
    };
    let mut report = Report { run, ..Report::default() };
    meter.fill("guests->counter", SimTime::from_secs(300), &mut report);
    report.timeline.disturbances.push(Disturbance {
        what: "slow".into(),
        on: "counter".into(),
        from: 60_000 * MS,
        to: Some(70_000 * MS),
    });
    judge(&mut report);
    report
}

/// As in a service graph: an answer that comes far too late is none, and how late that is can be said.
#[test]
fn answers_are_judged_where_calls_began() {
    let fine = struck(250, None);
    assert_eq!(fine.verdict.kind, VerdictKind::Recovered, "{}", fine.verdict.headline);
    let edge = &fine.edges.0[0].1;
    assert!(edge.within.is_some_and(|within| within.abs_diff(300 * MS) < 2 * MS), "{:?}", edge.within);
    assert_eq!((edge.windows.began_ok[100], edge.windows.began_in_time[100]), (10, 10));
    let late = struck(400, None);
    assert_eq!(late.verdict.kind, VerdictKind::NotRecovered, "{}", late.verdict.headline);
    assert!(
        late.verdict.headline.contains("0 % of calls are answered within 3"),
        "{}",
        late.verdict.headline
    );
    assert_eq!(late.edges.0[0].1.windows.began_in_time[100], 0);
    let patient = struck(400, Some(SimDuration::from_secs(1)));
    assert_eq!(patient.verdict.kind, VerdictKind::Recovered, "{}", patient.verdict.headline);
}

#[test]
#[should_panic(expected = "more calls ended than began")]
fn a_call_ends_once() {
    meter(&[(1_000, Some((1_001, Ok)))], 3).ended(SimTime::from_secs(3), SimDuration::ZERO, Ok);
}
