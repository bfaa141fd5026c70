//! `--format csv` of a run: one row per window of time.
//!
//! First what the users see, then each edge, then each service; times in seconds. A model without time has
//! its values instead, one row each.

use crate::render::table::{csv_line, csv_number};
use sim_models::report::{Edge, EdgeWindows, Report, Service};

/// The whole document, with its head.
pub fn csv(report: &Report) -> String {
    let windows = report.edges.iter().map(|(_, edge)| edge.windows.started.len());
    let windows = windows.chain(report.services.iter().map(|(_, service)| service.windows.queue_ns.len()));
    let series = report.timeline.series.iter().map(|series| series.values.len());
    match windows.chain(series).max() {
        Some(rows) if rows > 0 => over_time(report, rows),
        _ => values(report),
    }
}

type Column<'a> = (String, Box<dyn Fn(usize) -> Option<f64> + 'a>);

fn over_time(report: &Report, rows: usize) -> String {
    let window = report.run.window as f64 / 1e9;
    let end = report.run.duration as f64 / 1e9;
    let mut columns: Vec<Column> = vec![
        ("from".into(), Box::new(move |row| Some(row as f64 * window))),
        ("to".into(), Box::new(move |row| Some(((row + 1) as f64 * window).min(end)))),
    ];
    if report.edges.is_empty() && report.services.is_empty() {
        for series in &report.timeline.series {
            columns.push((series.name.clone(), Box::new(|row| series.values.get(row).copied())));
        }
    } else {
        let users: Vec<&Edge> =
            report.edges.iter().map(|(_, edge)| edge).filter(|edge| edge.from_users).collect();
        for (name, counts) in COUNTS {
            let users = users.clone();
            let total = move |row: usize| {
                users.iter().map(|edge| counts(&edge.windows).get(row)).sum::<Option<u64>>()
            };
            columns.push((users_name(name).into(), Box::new(move |row| total(row).map(|n| n as f64))));
        }
        for (name, edge) in report.edges.iter() {
            edge_columns(name, edge, &mut columns);
        }
        for (name, service) in report.services.iter() {
            service_columns(name, service, report.run.window, &mut columns);
        }
    }
    let mut out = csv_line(columns.iter().map(|(name, _)| name));
    for row in 0..rows {
        out += &csv_line(columns.iter().map(|(_, value)| csv_number(value(row))));
    }
    out
}

/// A count per window of an edge.
type Count = fn(&EdgeWindows) -> &Vec<u64>;

const COUNTS: [(&str, Count); 4] = [
    ("started", |windows| &windows.started),
    ("ok", |windows| &windows.ok),
    ("failed", |windows| &windows.failed),
    ("attempts", |windows| &windows.attempts),
];

/// What a count of all users together is called.
fn users_name(name: &str) -> &str {
    if name == "started" { "offered" } else { name }
}

fn edge_columns<'a>(name: &str, edge: &'a Edge, columns: &mut Vec<Column<'a>>) {
    let windows = &edge.windows;
    for (what, counts) in COUNTS {
        let counts = counts(windows);
        columns.push((format!("{name} {what}"), Box::new(|row| counts.get(row).map(|&n| n as f64))));
    }
    if !windows.breakers_open.is_empty() {
        let open = &windows.breakers_open;
        columns.push((format!("{name} breakers_open"), Box::new(|row| open.get(row).map(|&n| n as f64))));
    }
    for (what, share) in [("p50", (1, 2)), ("p99", (99, 100))] {
        let at = move |row: usize| windows.latency.get(row).and_then(|buckets| percentile(buckets, share));
        columns.push((format!("{name} {what}"), Box::new(move |row| at(row).map(|ns| ns as f64 / 1e9))));
    }
}

fn service_columns<'a>(name: &str, service: &'a Service, window: u64, columns: &mut Vec<Column<'a>>) {
    let windows = &service.windows;
    let queue = move |row: usize| windows.queue_ns.get(row).map(|&ns| ns as f64 / window as f64);
    columns.push((format!("{name} queue"), Box::new(queue)));
    let most = |row: usize| windows.queue_max.get(row).map(|&n| n as f64);
    columns.push((format!("{name} queue_max"), Box::new(most)));
    let busy = |row: usize| {
        let available = *windows.available_ns.get(row)?;
        (available > 0).then_some(*windows.busy_ns.get(row)? as f64 / available as f64)
    };
    columns.push((format!("{name} utilisation"), Box::new(busy)));
}

/// The value at or below which this share of the counts lies.
fn percentile(buckets: &[(u64, u64)], (part, whole): (u64, u64)) -> Option<u64> {
    let total: u64 = buckets.iter().map(|(_, count)| count).sum();
    let rank = (total * part).div_ceil(whole).max(1);
    let mut seen = 0;
    buckets
        .iter()
        .find(|(_, count)| {
            seen += count;
            seen >= rank
        })
        .map(|(highest, _)| *highest)
}

fn values(report: &Report) -> String {
    let mut out = csv_line(["name", "value", "exact", "standard_error"]);
    for (name, value) in report.values.iter() {
        let numbers = [Some(value.value), value.exact, value.standard_error].map(csv_number);
        out += &csv_line([name.to_string()].into_iter().chain(numbers));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::report::{RunFacts, Value};

    #[test]
    fn a_row_per_window_with_the_users_first() {
        let windows = EdgeWindows {
            started: vec![3, 4],
            ok: vec![2, 0],
            failed: vec![0, 1],
            attempts: vec![5, 6],
            latency: vec![vec![(1_000_000, 1), (9_000_000, 1)], vec![]],
            ..EdgeWindows::default()
        };
        let mut report = Report {
            run: RunFacts { duration: 1_500, window: 1_000, ..RunFacts::default() },
            ..Report::default()
        };
        report.run.duration *= 1_000_000;
        report.run.window *= 1_000_000;
        report.edges.push("users->a", Edge { from_users: true, windows, ..Edge::default() });
        assert_eq!(
            csv(&report),
            "from,to,offered,ok,failed,attempts,users->a started,users->a ok,users->a failed,users->a attempts,\
             users->a p50,users->a p99\n0,1,3,2,0,5,3,2,0,5,0.001,0.009\n1,1.5,4,0,1,6,4,0,1,6,,\n"
        );
    }

    #[test]
    fn without_time_it_is_a_row_per_value_and_nothing_is_a_formula() {
        let mut report = Report::default();
        report.values.push("=cmd|,\"x\"", Value { value: -0.5, exact: Some(0.25), ..Value::default() });
        assert_eq!(csv(&report), "name,value,exact,standard_error\n\"'=cmd|,\"\"x\"\"\",-0.5,0.25,\n");
    }
}
