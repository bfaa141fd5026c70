//! What a run costs: replicas by the hour, calls by the million, and users who are not served.
//!
//! So that a cure can be weighed against what it cures: a fourth replica, or ten minutes a year. Prices are the reader's; nothing is assumed.
//! Replicas are paid for whether they are up or not, as long as they are there. An outage costs in proportion to the share of users' calls that it fails: two minutes in which half of
//! them do are one minute of downtime.

use super::of_users;
use crate::experiment::{Map, RunSpec};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Report, Section, Unit, Value};

spec! {
    /// What things cost, in whatever money.
    pub struct Cost {
        /// What all prices are in.
        currency: String = "USD".to_owned(),
        /// An hour of one replica of any service.
        replica_hour: f64 = 0.0; 0.0..=1e12,
        /// The same of one of these services, instead.
        replica_hours: Map<f64> = Map::default(),
        /// A million attempts that any service takes.
        million_requests: f64 = 0.0; 0.0..=1e12,
        /// An hour in which no call of users ends well.
        downtime_hour: f64 = 0.0; 0.0..=1e12,
        /// A call of a user's that does not end well.
        failed_call: f64 = 0.0; 0.0..=1e12,
    }
}

const HOUR: f64 = 3.6e12;

impl Cost {
    /// What it came to, after the warm-up.
    pub fn section(&self, run: &RunSpec, report: &Report) -> Section {
        let nanos = report.reached().saturating_sub(report.run.warm_up) as f64;
        let hours = nanos / HOUR;
        let price = |name: &str| self.replica_hours.get(name).copied().unwrap_or(self.replica_hour);
        // Whoever adds and takes away replicas says how many there were, and whose instances are paid for by the use what is billed.
        let told = |at: &str| {
            let there = |name: &str| {
                let mut there = report.sections.iter().filter(|section| section.at == at);
                there.find_map(|section| section.values.get(name)?.value)
            };
            there("billed_hours").or_else(|| there("replica_hours"))
        };
        let replica_hours = |name: &str, replicas: u32| told(name).unwrap_or(f64::from(replicas) * hours);
        let services = report.services.iter();
        let replicas: f64 = services.map(|(name, it)| replica_hours(name, it.replicas) * price(name)).sum();
        let arrived: u64 = report.services.iter().map(|(_, service)| service.arrived).sum();
        let requests = arrived as f64 / 1e6 * self.million_requests;
        let bad: u64 = of_users(report, None).map(|(_, edge)| edge.calls.ended_badly()).sum();
        let down = down_ns(run, report);
        let downtime = down / HOUR * self.downtime_hour;
        let failed = bad as f64 * self.failed_call;
        let total = replicas + requests + downtime + failed;

        let mut section = self.declared();
        section.set("total", total);
        section.set("per_hour", (hours > 0.0).then(|| total / hours));
        section.set("replicas", replicas);
        section.set("requests", requests);
        section.set("downtime", downtime);
        section.set("failed_calls", failed);
        section.set("time_down", down);
        section
    }

    fn declared(&self) -> Section {
        let money = |about: &str| {
            Value::new(Unit::Plain, format!("{about}, in {}", self.currency)).better(Better::Less)
        };
        Section::new("cost", &self.currency)
            .value("total", money("all of it"))
            .value("per_hour", money("the same for each hour").headline())
            .value("replicas", money("of it: replicas"))
            .value("requests", money("of it: attempts that services took"))
            .value("downtime", money("of it: time down").headline())
            .value("failed_calls", money("of it: calls of users that did not end well"))
            .value(
                "time_down",
                Value::new(
                    Unit::Duration,
                    "the time that it was down: each window counts by the share of calls that it failed",
                )
                .better(Better::Less),
            )
    }
}

/// For how long it was down, in nanoseconds: each window by the share of users' calls that ended otherwise than well.
fn down_ns(run: &RunSpec, report: &Report) -> f64 {
    let first = run.warm_up.as_nanos().div_ceil(run.window.as_nanos().max(1)) as usize;
    let windows = of_users(report, None).map(|(_, edge)| edge.windows.ok.len()).max().unwrap_or(0);
    let of = |window: usize| {
        let counts = of_users(report, None).map(|(_, edge)| &edge.windows);
        let both = counts.filter_map(|it| Some((*it.ok.get(window)?, *it.failed.get(window)?)));
        let (ok, failed) = both.fold((0, 0), |(ok, failed), (o, f)| (ok + o, failed + f));
        if ok + failed == 0 { 0.0 } else { failed as f64 / (ok + failed) as f64 * report.length_of(window) }
    };
    (first..windows).map(of).sum()
}

impl Part for Cost {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "cost",
            word: "",
            what: "Puts prices on replicas, on requests and on users who are not served, and adds them up: what a setting saves, against what it \
                   costs. Nothing in the run changes.",
            hurts: "A run holds one bad day, and most days are good: multiply what an outage costs by how often it comes before you weigh it against \
                    replicas that are paid for every hour.",
            formula: "replicas x hours x price + attempts / 10^6 x price + time down x price; a window in which a share `e` of calls fails is down for `e` of \
                      its length",
            source: "Beyer et al., \"Site Reliability Engineering\", 2016, chapter 3 (the cost of availability)",
            experiment: "burn-rate",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["(replica_hour: 0.1, downtime_hour: 300000)"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Spanned;
    use crate::report::{Calls, Edge, EdgeWindows, RunFacts, Service};
    use sim_core::SimDuration;

    /// Two hours, of which one is warm-up. By hand: 3 replicas at 0.5 and one at 2 are 3.5; two million attempts at 0.4 are 0.8; a quarter of an hour
    /// in which half fails is 7.5 minutes down: at 800 an hour 100; and 100 calls at 0.25 are 25 more.
    #[test]
    fn by_hand() {
        let minute = 60_000_000_000;
        let run = RunFacts {
            duration: 120 * minute,
            warm_up: 60 * minute,
            window: 15 * minute,
            ..RunFacts::default()
        };
        let mut report = Report { run, ..Report::default() };
        let windows = EdgeWindows {
            started: vec![0; 8],
            ok: vec![0, 0, 0, 0, 100, 100, 0, 200],
            failed: vec![9, 9, 9, 9, 0, 100, 0, 0],
            ..EdgeWindows::default()
        };
        let mut calls = Calls::default();
        calls.add(crate::policy::Ending::Deadline, 100);
        report.edges.push("users->shop", Edge { from_users: true, calls, windows, ..Edge::default() });
        report.services.push("shop", Service { replicas: 3, arrived: 1_500_000, ..Service::default() });
        report.services.push("db", Service { replicas: 1, arrived: 500_000, ..Service::default() });
        let spec = RunSpec {
            warm_up: SimDuration::from_secs(3_600),
            window: SimDuration::from_secs(900),
            ..RunSpec::lasting(SimDuration::from_secs(7_200))
        };
        let cost = Cost {
            currency: "EUR".into(),
            replica_hour: 0.5,
            replica_hours: Map::from_iter([(Spanned { value: "db".to_owned(), ..Spanned::default() }, 2.0)]),
            million_requests: 0.4,
            downtime_hour: 800.0,
            failed_call: 0.25,
        };
        let section = cost.section(&spec, &report);
        let told = |name: &str| section.values.get(name).unwrap().value.unwrap();
        assert_eq!(
            (told("replicas"), told("downtime"), told("time_down")),
            (3.5, 100.0, 7.5 * minute as f64)
        );
        assert_eq!(told("failed_calls"), 25.0);
        assert!((told("requests") - 0.8).abs() < 1e-9 && (told("total") - 129.3).abs() < 1e-9);
        assert_eq!(told("per_hour"), told("total"));
        // Half of them were there for half of the time.
        let hours = Value { value: Some(2.25), ..Value::default() };
        report.sections.push(Section::new("autoscaler", "shop").value("replica_hours", hours));
        let section = cost.section(&spec, &report);
        assert_eq!(section.values.get("replicas").and_then(|it| it.value), Some(2.25 * 0.5 + 2.0));
        assert!(section.values.get("total").unwrap().about.contains("EUR"));
        // What is billed is less than what is there.
        let billed = Value { value: Some(1.5), ..Value::default() };
        report.sections.push(Section::new("cold_start", "shop").value("billed_hours", billed));
        let section = cost.section(&spec, &report);
        assert_eq!(section.values.get("replicas").and_then(|it| it.value), Some(1.5 * 0.5 + 2.0));
    }
}
