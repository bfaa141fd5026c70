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
//! let run = RunSpec { window, ..RunSpec::lasting(duration) };
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
//! answered when the call ends: what retries belongs into a service graph, or counts for itself. What is asked of it `during fault` is told
//! by windows, where calls count as they end, to 1 %.

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
mod tests;
