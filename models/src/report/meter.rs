//! Counting calls for a model that has users and no network between its parts.
//!
//! A report is read by many: the page, the tables, `compare`, `find`, an expectation. All of them look for offered load,
//! goodput, success and latency in one place, the edge over which users call. A model tells its [`Meter`] when
//! somebody comes and when they are done, and has that edge and the two series that every picture begins with.
//!
//! ```
//! use sim_core::{SimDuration, SimTime};
//! use sim_models::RunSpec;
//! use sim_models::policy::Outcome;
//! use sim_models::report::{Meter, Report, RunFacts, judge};
//!
//! let second = |n| SimTime::from_secs(n);
//! let [duration, window] = [SimDuration::from_secs(10); 2];
//! let run = RunSpec { duration, window, warm_up: SimDuration::ZERO, seed: 1, replications: 1, within: None };
//! let mut meter = Meter::new(&run, None);
//! meter.started(second(1));
//! meter.started(second(2));
//! meter.ended(second(4), SimDuration::from_secs(3), Outcome::Ok);
//! meter.close_window();
//! let run = RunFacts { duration: 10_000_000_000, window: 10_000_000_000, ..RunFacts::default() };
//! let mut report = Report { run, ..Report::default() };
//! meter.fill("guests->counter", second(10), &mut report);
//! judge(&mut report);
//! assert_eq!((report.summary.offered, report.summary.goodput), (Some(0.2), Some(0.1)));
//! ```
//!
//! It counts by the rules of every edge: windows hold what happened in them; calls and latencies are those of calls
//! that began after the warm-up; goodput is whatever ended well after the warm-up; and what became of calls stands where they
//! began, which is what a verdict is made of. A call has one attempt, which is
//! answered when the call ends: what retries belongs into a service graph, or counts for itself.

use super::amplification::amplify;
use super::cohorts::Cohorts;
use super::count::ratio;
use super::edge::{Attempts, Calls, Edge, EdgeWindows};
use super::head::Report;
use super::latency::Latency;
use super::over_time::CallWindows;
use super::response::Response;
use super::tally::Tally;
use super::timeline::Series;
use crate::RunSpec;
use crate::policy::{Ending, Outcome};
use sim_core::stats::LatencyHistogram;
use sim_core::{SimDuration, SimTime};

/// Counts the calls of a model's users.
#[derive(Clone, Debug)]
pub struct Meter {
    measured_from: SimTime,
    /// Of calls that began after the warm-up.
    started: u64,
    ended: Tally<Outcome>,
    latency: LatencyHistogram,
    latency_failed: LatencyHistogram,
    /// When those of them began that have not ended, summed up.
    began: u128,
    /// Ended well after the warm-up, whenever they began.
    answered: u64,
    /// Of all calls.
    in_flight: u64,
    /// Of them: those that began before the measurement and have ended since it began.
    left_over: u64,
    windows: CallWindows,
    cohorts: Cohorts,
}

impl Meter {
    /// Nothing counted yet; what begins before the end of the warm-up shows in windows only. What is in time follows from
    /// how long calls take until something is to go wrong for the first time, at `struck`.
    pub fn new(run: &RunSpec, struck: Option<SimTime>) -> Self {
        Meter {
            measured_from: SimTime::ZERO + run.warm_up,
            cohorts: Cohorts::new(run.window, run.within, struck),
            started: 0,
            ended: Tally::default(),
            latency: LatencyHistogram::new(),
            latency_failed: LatencyHistogram::new(),
            began: 0,
            answered: 0,
            in_flight: 0,
            left_over: 0,
            windows: CallWindows::default(),
        }
    }

    /// Somebody comes.
    pub fn started(&mut self, now: SimTime) {
        self.in_flight += 1;
        self.windows.started();
        self.windows.attempt();
        if now >= self.measured_from {
            self.started += 1;
            self.began += u128::from(now.as_nanos());
        }
    }

    /// Somebody is done who came `took` ago, and how: served, turned away ..
    ///
    /// Panics if nobody is there: then something was counted twice.
    pub fn ended(&mut self, now: SimTime, took: SimDuration, how: Outcome) {
        assert!(how != Outcome::InFlight, "what has ended is not in flight");
        let there = self.in_flight.checked_sub(1);
        self.in_flight = there.expect("more calls ended than began");
        let began = now.as_nanos().checked_sub(took.as_nanos()).expect("a call began before time zero");
        let measured = began >= self.measured_from.as_nanos();
        if measured {
            let sum = self.began.checked_sub(u128::from(began));
            self.began = sum.expect("a call ended that began at another time");
        }
        self.left_over += u64::from(!measured && now >= self.measured_from);
        let ok = how == Outcome::Ok;
        if ok {
            self.windows.ok(took);
            self.cohorts.ok(SimTime::from_nanos(began), now, &self.latency);
            self.answered += u64::from(now >= self.measured_from);
        } else {
            self.windows.failed();
        }
        if measured {
            self.ended[how] += 1;
            let latency = if ok { &mut self.latency } else { &mut self.latency_failed };
            latency.record(took);
        }
    }

    /// How many are there now, whenever they came.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.close();
        self.cohorts.close_window();
    }

    /// The edge, of a run that came as far as `reached`.
    pub fn edge(&self, reached: SimTime) -> Edge {
        let over = self.ended.total();
        let in_flight = self.started - over;
        let ages = u128::from(in_flight) * u128::from(reached.as_nanos()) - self.began;
        let measured = reached.max(self.measured_from).since(self.measured_from);
        let mut calls = Calls {
            started: self.started,
            in_hand_before: self.left_over + (self.in_flight - in_flight),
            in_flight_age: (in_flight > 0).then(|| (ages / u128::from(in_flight)) as u64),
            ..Calls::default()
        };
        let mut attempts = Attempts { sent: self.started, ended: self.ended.clone(), ..Attempts::default() };
        attempts.ended[Outcome::InFlight] = in_flight;
        for (how, _, count) in attempts.ended.all() {
            let ending = match how {
                Outcome::Ok => Ending::Ok,
                Outcome::Cancelled => Ending::Cancelled,
                Outcome::InFlight => Ending::InFlight,
                cause => Ending::Failed(cause),
            };
            calls.add(ending, count);
        }
        let latency = Latency::of(&self.latency);
        let (began_ok, began_in_time) = self.cohorts.closed();
        // How long each has waited nobody knows: all as long as they have on average.
        let waiting: Vec<_> = calls.in_flight_age.map(|age| (age, in_flight)).into_iter().collect();
        Edge {
            from_users: true,
            goodput: if measured.is_zero() { 0.0 } else { self.answered as f64 / measured.as_secs_f64() },
            amplification: ratio(attempts.sent, calls.started),
            success: calls.success(),
            response: Response::of(&latency, calls.ended_badly(), &waiting),
            calls,
            attempts,
            latency,
            latency_failed: Latency::of(&self.latency_failed),
            within: self.cohorts.clone().within(reached, &self.latency),
            windows: EdgeWindows { began_ok, began_in_time, ..self.windows.closed() },
            ..Edge::default()
        }
    }

    /// Adds the edge under this name, and the series `offered` and `goodput`. Whether that is good is for
    /// [`judge`](super::judge) to say, when what disturbed the run has been added too.
    pub fn fill(&self, name: &str, reached: SimTime, report: &mut Report) {
        let edge = self.edge(reached);
        let offered = Series::per_second("offered", &edge.windows.started, &report.run);
        let goodput = Series::per_second("goodput", &edge.windows.ok, &report.run);
        report.timeline.series.extend([offered, goodput]);
        report.edges.push(name, edge);
        amplify(&mut report.edges);
    }
}

#[cfg(test)]
mod tests {
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
        RunSpec { duration: SimDuration::from_secs(300), warm_up, window, seed: 1, replications: 1, within }
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
            let how =
                [(Ok, ok), (Rejected, turned_away), (Error, failed - turned_away), (InFlight, in_flight)];
            assert_eq!(
                (edge.attempts.sent, edge.attempts.ended),
                (started, how.into_iter().collect()),
                "{what}"
            );
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
        assert_eq!(
            (report.verdict.kind, report.verdict.headline.as_str()),
            (VerdictKind::Finding, "not judged")
        );
        let guests: Guests = &[(1_000, Some((1_001, Ok))), (2_000, Some((2_001, Error)))];
        meter(guests, 4).fill("guests->counter", SimTime::from_nanos(3_500 * MS), &mut report);
        let series: Vec<_> = report
            .timeline
            .series
            .iter()
            .map(|series| (series.name.as_str(), series.values.clone()))
            .collect();
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
            while let Some((at, came)) = ends.first().copied().filter(|(at, _)| *at < window * 1_000 + 1_000)
            {
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
}
