//! What an incident comes to: what users got before it, during it and after it.

use crate::result::column::{NEARLY_ALL, of_whom};
use crate::text::number::{count, duration, or_nothing, percent, rate};
use sim_models::report::{Report, Stretch};

/// The heads of its columns, after the names of the stretches.
pub const HEADS: [&str; 8] =
    ["from", "goodput", "ok", "calls lost", "error budget", "p50", "p99", "p99 of all calls"];

/// A row for each stretch that there is: its name, then what it came to. Empty where nothing was disturbed, or nobody tells its calls apart.
pub fn rows(report: &Report) -> Vec<Vec<String>> {
    let row = |stretch: Stretch| {
        let part = report.stretch(stretch).filter(|part| part.stretch.is_some())?;
        let users = part.edges.iter().map(|(_, edge)| edge).find(|edge| edge.from_users)?;
        let summary = &part.summary;
        let few = users.success.filter(|share| *share < NEARLY_ALL);
        let latency = |ns: Option<u64>| ns.map(|ns| duration(ns) + &of_whom(few));
        let of_all =
            (!users.response.is_empty()).then(|| users.response.p99.map_or("longer".into(), duration));
        Some(vec![
            stretch.to_string(),
            duration(part.run.warm_up),
            or_nothing(summary.goodput, rate),
            or_nothing(summary.success, percent),
            or_nothing(summary.lost, count),
            or_nothing(summary.error_budget, duration),
            or_nothing(latency(users.latency.p50), |text| text),
            or_nothing(latency(users.latency.p99), |text| text),
            or_nothing(of_all, |text| text),
        ])
    };
    Stretch::ALL.into_iter().filter_map(row).collect()
}
