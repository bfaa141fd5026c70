//! What a run measured, window by window, as CSV: a row per window (`--format csv`), or a row per number
//! (`--format tidy-csv`), which also has what became of calls in each stretch of the run.
//!
//! First what the users see, then each edge, each service, and what mechanisms measured; times in seconds. A model without time has
//! its values instead, one row each. docs/files.md tells each column.

use crate::render::Patience;
use crate::render::stretches::{Figure, figures, parts};
use crate::text::table::{csv_field, csv_line, csv_number};
use crate::text::unit;
use sim_models::report::{Edge, EdgeWindows, Report, Service, Unit};

/// One row per window, one column per number: the whole document, with its head.
pub fn csv(report: &Report, patience: &Patience) -> String {
    let columns = columns(report);
    let rows = count(report);
    if rows == 0 {
        return values(report);
    }
    let heads = columns.iter().map(Column::head);
    let mut out = csv_line(["from".to_string(), "to".to_string()].into_iter().chain(heads));
    for row in (0..rows).take_while(|_| !patience.ends()) {
        let (from, to) = span(report, row);
        let numbers = columns.iter().map(|column| csv_number((column.value)(row)));
        out += &csv_line([from, to].map(|s| csv_number(Some(s))).into_iter().chain(numbers));
    }
    out
}

/// One row per number: what a data frame groups and plots without knowing a name in advance. A number that is
/// not there has no row.
pub fn tidy_csv(report: &Report, patience: &Patience) -> String {
    let columns = columns(report);
    let rows = count(report);
    if rows == 0 {
        return values(report);
    }
    let mut out = csv_line(["from", "to", "kind", "name", "metric", "unit", "value"]);
    let words =
        |column: &Column| [column.kind, &column.name, &column.metric, &column.unit].map(csv_field).join(",");
    let words: Vec<String> = columns.iter().map(words).collect();
    for row in (0..rows).take_while(|_| !patience.ends()) {
        let (from, to) = span(report, row);
        let [from, to] = [from, to].map(|s| csv_number(Some(s)));
        for (column, words) in columns.iter().zip(&words) {
            let number = csv_number((column.value)(row));
            if !number.is_empty() {
                [&from, ",", &to, ",", words, ",", &number, "\n"]
                    .into_iter()
                    .for_each(|part| out.push_str(part));
            }
        }
    }
    out + &stretch_rows(report)
}

/// What became of calls in all that is measured, and in each stretch of it.
fn stretch_rows(report: &Report) -> String {
    let mut out = String::new();
    for part in parts(report) {
        let (from, to) = part.span();
        let span = [from, to].map(|ns| csv_number(Some(ns as f64 / 1e9)));
        let during = part.stretch.map_or_else(String::new, |stretch| format!(" during {stretch}"));
        for (name, edge) in part.edges() {
            for Figure { metric: (metric, unit), value } in figures(edge) {
                let Some(value) = value.filter(|value| value.is_finite()) else { continue };
                let words = ["edge".into(), name.to_string(), format!("{metric}{during}"), unit.to_string()];
                out += &csv_line(span.iter().cloned().chain(words).chain([csv_number(Some(value))]));
            }
        }
    }
    out
}

/// How many windows there are.
pub fn count(report: &Report) -> usize {
    let windows = report.edges.iter().map(|(_, edge)| edge.windows.started.len());
    let windows = windows.chain(report.services.iter().map(|(_, service)| service.windows.queue_ns.len()));
    let series = report.timeline.series.iter().map(|series| series.values.len());
    let lines = report.sections.iter().flat_map(|section| &section.series);
    windows.chain(series).chain(lines.map(|line| line.values.len())).max().unwrap_or(0)
}

/// When a window begins and ends, in seconds. The last one may be shorter.
fn span(report: &Report, row: usize) -> (f64, f64) {
    let (from, to) = span_ns(report, row);
    (from as f64 / 1e9, to as f64 / 1e9)
}

/// When a window begins and ends, in nanoseconds. The last one may be shorter.
pub fn span_ns(report: &Report, row: usize) -> (u64, u64) {
    let from = report.run.window.saturating_mul(row as u64);
    (from, from.saturating_add(report.run.window).min(report.run.duration.max(from)))
}

/// One number per window.
struct Column<'a> {
    /// `users`, `edge`, `service` or `run`.
    kind: &'static str,
    /// Which edge or service; empty for users and the run.
    name: String,
    metric: String,
    /// `calls`, `attempts`, `requests`, `s`, `share`, or what a series says of itself.
    unit: String,
    value: Box<dyn Fn(usize) -> Option<f64> + 'a>,
}

impl<'a> Column<'a> {
    fn new(
        kind: &'static str,
        name: &str,
        (metric, unit): (&str, &str),
        value: impl Fn(usize) -> Option<f64> + 'a,
    ) -> Self {
        let (name, metric, unit) = (name.into(), metric.into(), unit.into());
        Column { kind, name, metric, unit, value: Box::new(value) }
    }

    /// Its head where every number has a column.
    fn head(&self) -> String {
        if self.name.is_empty() { self.metric.clone() } else { format!("{} {}", self.name, self.metric) }
    }
}

fn columns(report: &Report) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    if report.edges.is_empty() && report.services.is_empty() {
        for series in &report.timeline.series {
            let value = |row: usize| series.values.get(row).copied();
            columns.push(Column::new("run", "", (&series.name, &series.unit), value));
        }
        section_columns(report, &mut columns);
        return columns;
    }
    let users: Vec<&Edge> =
        report.edges.iter().map(|(_, edge)| edge).filter(|edge| edge.from_users).collect();
    for (metric, unit, counts) in COUNTS {
        let users = users.clone();
        let total =
            move |row: usize| users.iter().map(|edge| counts(&edge.windows).get(row)).sum::<Option<u64>>();
        let value = move |row| total(row).map(|n| n as f64);
        columns.push(Column::new("users", "", (users_name(metric), unit), value));
    }
    for (name, edge) in report.edges.iter() {
        edge_columns(name, edge, &mut columns);
    }
    for (name, service) in report.services.iter() {
        service_columns(name, service, report, &mut columns);
    }
    section_columns(report, &mut columns);
    columns
}

/// What mechanisms measured, line by line. At an edge it is a number of that edge, as it is of a service.
fn section_columns<'a>(report: &'a Report, columns: &mut Vec<Column<'a>>) {
    for section in &report.sections {
        let kind = place(report, &section.at).unwrap_or("run");
        for line in &section.series {
            let unit = Unit::named(&line.unit);
            let metric = format!("{}_{}", section.kind, line.name);
            let counts = if unit == Unit::Duration { unit::of_csv(unit) } else { &line.unit };
            let value = move |row: usize| line.values.get(row).map(|&x| unit::in_csv(x, unit));
            columns.push(Column::new(kind, &section.at, (&metric, counts), value));
        }
    }
}

/// What kind of place it is, if the report has it.
pub fn place(report: &Report, at: &str) -> Option<&'static str> {
    let edge = report.edges.get(at).map(|_| "edge");
    edge.or_else(|| report.services.get(at).map(|_| "service"))
}

/// A count per window of an edge.
type Count = fn(&EdgeWindows) -> &Vec<u64>;

const COUNTS: [(&str, &str, Count); 4] = [
    ("started", "calls", |windows| &windows.started),
    ("ok", "calls", |windows| &windows.ok),
    ("failed", "calls", |windows| &windows.failed),
    ("attempts", "attempts", |windows| &windows.attempts),
];

/// What a count of all users together is called.
fn users_name(name: &str) -> &str {
    if name == "started" { "offered" } else { name }
}

fn edge_columns<'a>(name: &str, edge: &'a Edge, columns: &mut Vec<Column<'a>>) {
    let windows = &edge.windows;
    for (metric, unit, counts) in COUNTS {
        let counts = counts(windows);
        let value = |row: usize| counts.get(row).map(|&n| n as f64);
        columns.push(Column::new("edge", name, (metric, unit), value));
    }
    for (metric, share) in [("p50", (1, 2)), ("p99", (99, 100))] {
        let at = move |row: usize| windows.latency.get(row).and_then(|buckets| percentile(buckets, share));
        let value = move |row: usize| at(row).map(|ns| ns as f64 / 1e9);
        columns.push(Column::new("edge", name, (metric, "s"), value));
    }
}

fn service_columns<'a>(name: &str, service: &'a Service, report: &'a Report, columns: &mut Vec<Column<'a>>) {
    let windows = &service.windows;
    let length = |row: usize| {
        let (from, to) = span_ns(report, row);
        (to > from).then_some((to - from) as f64)
    };
    let queue = move |row: usize| Some(*windows.queue_ns.get(row)? as f64 / length(row)?);
    columns.push(Column::new("service", name, ("queue", "requests"), queue));
    let most = |row: usize| windows.queue_max.get(row).map(|&n| n as f64);
    columns.push(Column::new("service", name, ("queue_max", "requests"), most));
    let busy = |row: usize| {
        let available = *windows.available_ns.get(row)?;
        (available > 0).then_some(*windows.busy_ns.get(row)? as f64 / available as f64)
    };
    columns.push(Column::new("service", name, ("utilisation", "share"), busy));
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
        let numbers = [value.value, value.exact, value.standard_error].map(csv_number);
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
            csv(&report, &Patience::endless()),
            "from,to,offered,ok,failed,attempts,users->a started,users->a ok,users->a failed,users->a attempts,\
             users->a p50,users->a p99\n0,1,3,2,0,5,3,2,0,5,0.001,0.009\n1,1.5,4,0,1,6,4,0,1,6,,\n"
        );
    }

    #[test]
    fn the_last_window_is_as_long_as_it_is() {
        let mut report = Report::default();
        (report.run.duration, report.run.window) = (1_500, 1_000);
        let windows = sim_models::report::ServiceWindows {
            queue_ns: vec![500, 500],
            queue_max: vec![1, 2],
            busy_ns: vec![1_000, 250],
            available_ns: vec![2_000, 0],
            ..Default::default()
        };
        report.services.push("a", Service { windows, ..Service::default() });
        report.edges.push("odd, name->a", Edge::default());
        let queue = "0.000001,0.0000015,service,a,queue,requests,1\n";
        let tidy = tidy_csv(&report, &Patience::endless());
        assert!(
            tidy.starts_with("from,to,kind,name,metric,unit,value\n0,0.000001,users,,offered,calls,0"),
            "{tidy}"
        );
        assert!(tidy.contains(queue), "{tidy}");
        // No worker was there, so nothing is said of how busy they were.
        assert_eq!(tidy.matches("utilisation").count(), 1, "{tidy}");
        let counts =
            Edge { windows: EdgeWindows { ok: vec![7], ..EdgeWindows::default() }, ..Edge::default() };
        report.edges.0[0].1 = counts;
        assert!(
            tidy_csv(&report, &Patience::endless()).contains("edge,\"odd, name->a\",ok,calls,7\n"),
            "{}",
            tidy_csv(&report, &Patience::endless())
        );
    }

    #[test]
    fn where_time_is_up_no_row_is_begun() {
        let mut report = Report::default();
        (report.run.duration, report.run.window) = (3_000, 1_000);
        let windows = EdgeWindows { started: vec![1, 2, 3], ..EdgeWindows::default() };
        report.edges.push("a", Edge { windows, ..Edge::default() });
        let asked = std::cell::Cell::new(0);
        let patience = || asked.replace(asked.get() + 1) >= 2;
        let patience = Patience::until(&patience);
        let (cut, whole) = (csv(&report, &patience), csv(&report, &Patience::endless()));
        assert!(patience.ended() && whole.starts_with(&cut) && cut.lines().count() == 3, "{cut}");
    }

    #[test]
    fn without_time_it_is_a_row_per_value_and_nothing_is_a_formula() {
        let mut report = Report::default();
        report.values.push("=cmd|,\"x\"", Value { value: Some(-0.5), exact: Some(0.25), ..Value::default() });
        assert_eq!(
            csv(&report, &Patience::endless()),
            "name,value,exact,standard_error\n\"'=cmd|,\"\"x\"\"\",-0.5,0.25,\n"
        );
    }
}
