//! What an incident comes to: what users got before it, during it and after it.

use crate::result::column::{NEARLY_ALL, of_whom};
use crate::text::number::{count, duration, or_nothing, percent, rate};
use sim_models::report::{Edge, Report, Stretch};

/// The heads of its columns, after the names of the stretches.
pub const HEADS: [&str; 8] =
    ["from", "goodput", "ok", "calls lost", "error budget", "p50", "p99", "p99 of all calls"];

/// Users of so many workloads are told apart.
const MOST: usize = 4;

/// A row for each stretch that there is: its name, then what it came to; of several workloads for each of them. Empty where nothing was
/// disturbed, or nobody tells its calls apart.
pub fn rows(report: &Report) -> Vec<Vec<String>> {
    let users: Vec<&str> =
        report.edges.iter().filter(|(_, edge)| edge.from_users).map(|(name, _)| name).take(MOST).collect();
    let of_stretch =
        |stretch: Stretch| Some((stretch, report.stretch(stretch).filter(|part| part.stretch.is_some())?));
    let parts: Vec<(Stretch, Report)> = Stretch::ALL.into_iter().filter_map(of_stretch).collect();
    let of_users = |name: &&str| {
        let name = (*name).to_string();
        let several = users.len() > 1;
        parts.iter().filter_map(move |(stretch, part)| {
            let named = if several { format!("{name} {stretch}") } else { stretch.to_string() };
            Some(row(named, part, part.edges.get(&name)?))
        })
    };
    users.iter().flat_map(of_users).collect()
}

fn row(name: String, part: &Report, users: &Edge) -> Vec<String> {
    let length = part.run.duration.saturating_sub(part.run.warm_up);
    let few = users.success.filter(|share| *share < NEARLY_ALL);
    let latency = |ns: Option<u64>| ns.map(|ns| duration(ns) + &of_whom(few));
    let of_all = (!users.response.is_empty()).then(|| users.response.p99.map_or("longer".into(), duration));
    let budget = users.success.map(|share| ((1.0 - share) * length as f64) as u64);
    vec![
        name,
        duration(part.run.warm_up),
        rate(users.goodput),
        or_nothing(users.success, percent),
        count(users.calls.ended_badly()),
        or_nothing(budget, duration),
        or_nothing(latency(users.latency.p50), |text| text),
        or_nothing(latency(users.latency.p99), |text| text),
        or_nothing(of_all, |text| text),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::report::{Began, Disturbance, Latency};

    #[test]
    fn each_workload_has_its_own_numbers() {
        let second = 1_000_000_000;
        let mut report = Report::default();
        (report.run.duration, report.run.window) = (30 * second, second);
        report.timeline.disturbances =
            vec![Disturbance { from: 10 * second, to: Some(20 * second), ..Disturbance::default() }];
        let began = |p99: u64| Began {
            latency: Latency { count: 9, p99: Some(p99 * second), ..Latency::default() },
            ..Began::default()
        };
        let edge = |p99: u64| {
            let mut edge = Edge {
                from_users: true,
                stretches: vec![began(p99), began(p99), began(p99)],
                ..Edge::default()
            };
            edge.windows.started = vec![1; 30];
            edge
        };
        report.edges.push("web->shop", edge(1));
        let names = |report: &Report| -> Vec<String> {
            rows(report).into_iter().map(|row| format!("{} {}", row[0], row[7])).collect()
        };
        assert_eq!(names(&report), ["before 1 s", "fault 1 s", "after 1 s"]);
        report.edges.push("jobs->worker", edge(60));
        assert_eq!(names(&report)[..1], ["web->shop before 1 s"]);
        assert_eq!(
            names(&report)[3..],
            ["jobs->worker before 60 s", "jobs->worker fault 60 s", "jobs->worker after 60 s"]
        );
    }
}
