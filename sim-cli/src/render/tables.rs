//! The sections of a report as CSV: a row per edge, per service, per bucket of response times. Times are in
//! seconds, shares between 0 and 1, what is not there is empty. docs/files.md tells each column.

use crate::text::table::{csv_line, csv_number};
use sim_models::report::{Edge, Latency, Report, Service};

/// `edges.csv`: how calls and attempts over each edge ended.
pub fn edges(report: &Report) -> String {
    table("edge", &EDGE, report.edges.iter())
}

/// `services.csv`: queues and workers of each service.
pub fn services(report: &Report) -> String {
    table("service", &SERVICE, report.services.iter())
}

/// `latency.csv`: the response times of calls that ended well, edge by edge, a row per bucket.
pub fn latency(report: &Report) -> String {
    let mut out = csv_line(["edge", "at_most_s", "count", "cumulative"]);
    for (name, edge) in report.edges.iter() {
        let mut cumulative = 0;
        for &(highest, count) in &edge.latency.histogram {
            cumulative += count;
            let highest = csv_number(seconds(Some(highest)));
            out += &csv_line([name, &highest, &count.to_string(), &cumulative.to_string()]);
        }
    }
    out
}

/// A head, and what is under it.
type Column<T> = (&'static str, fn(&T) -> Option<f64>);

fn table<'a, T: 'a>(
    key: &str,
    columns: &[Column<T>],
    rows: impl Iterator<Item = (&'a str, &'a T)>,
) -> String {
    let mut out = csv_line([key].into_iter().chain(columns.iter().map(|(head, _)| *head)));
    for (name, row) in rows {
        let numbers = columns.iter().map(|(_, value)| csv_number(value(row)));
        out += &csv_line([name.to_string()].into_iter().chain(numbers));
    }
    out
}

fn whole(n: u64) -> Option<f64> {
    Some(n as f64)
}

fn seconds(ns: Option<u64>) -> Option<f64> {
    ns.map(|ns| ns as f64 / 1e9)
}

const fn latency_of(edge: &Edge) -> &Latency {
    &edge.latency
}

const EDGE: [Column<Edge>; 42] = [
    ("from_users", |edge| whole(u64::from(edge.from_users))),
    ("calls", |edge| whole(edge.calls.started)),
    ("ok", |edge| whole(edge.calls.ok)),
    ("failed", |edge| whole(edge.calls.failed)),
    ("deadline", |edge| whole(edge.calls.deadline)),
    ("breaker_open", |edge| whole(edge.calls.breaker_open)),
    ("bulkhead_full", |edge| whole(edge.calls.bulkhead_full)),
    ("cancelled", |edge| whole(edge.calls.cancelled)),
    ("in_flight", |edge| whole(edge.calls.in_flight)),
    ("in_flight_age_s", |edge| seconds(edge.calls.in_flight_age)),
    ("never_sent", |edge| whole(edge.calls.never_sent)),
    ("failed_by_error", |edge| whole(edge.calls.failed_by.error)),
    ("failed_by_rejected", |edge| whole(edge.calls.failed_by.rejected)),
    ("failed_by_refused", |edge| whole(edge.calls.failed_by.refused)),
    ("failed_by_reset", |edge| whole(edge.calls.failed_by.reset)),
    ("failed_by_timed_out", |edge| whole(edge.calls.failed_by.timed_out)),
    ("attempts", |edge| whole(edge.attempts.sent)),
    ("attempts_ok", |edge| whole(edge.attempts.ok)),
    ("attempts_error", |edge| whole(edge.attempts.error)),
    ("attempts_rejected", |edge| whole(edge.attempts.rejected)),
    ("attempts_refused", |edge| whole(edge.attempts.refused)),
    ("attempts_reset", |edge| whole(edge.attempts.reset)),
    ("attempts_timed_out", |edge| whole(edge.attempts.timed_out)),
    ("attempts_cancelled", |edge| whole(edge.attempts.cancelled)),
    ("attempts_in_flight", |edge| whole(edge.attempts.in_flight)),
    ("retries", |edge| whole(edge.attempts.retries)),
    ("budget_refused", |edge| whole(edge.attempts.budget_refused)),
    ("amplification", |edge| edge.amplification),
    ("per_user_call", |edge| edge.per_user_call),
    ("goodput_per_s", |edge| Some(edge.goodput)),
    ("success", |edge| edge.success),
    ("latency_count", |edge| whole(latency_of(edge).count)),
    ("latency_mean_s", |edge| seconds(latency_of(edge).mean)),
    ("latency_p50_s", |edge| seconds(latency_of(edge).p50)),
    ("latency_p90_s", |edge| seconds(latency_of(edge).p90)),
    ("latency_p95_s", |edge| seconds(latency_of(edge).p95)),
    ("latency_p99_s", |edge| seconds(latency_of(edge).p99)),
    ("latency_p999_s", |edge| seconds(latency_of(edge).p999)),
    ("latency_p9999_s", |edge| seconds(latency_of(edge).p9999)),
    ("latency_max_s", |edge| seconds(latency_of(edge).max)),
    ("latency_failed_p50_s", |edge| seconds(edge.latency_failed.p50)),
    ("latency_failed_max_s", |edge| seconds(edge.latency_failed.max)),
];

const SERVICE: [Column<Service>; 13] = [
    ("replicas", |service| whole(u64::from(service.replicas))),
    ("workers", |service| whole(service.workers)),
    ("queue_capacity", |service| service.queue_capacity.map(|n| n as f64)),
    ("arrived", |service| whole(service.arrived)),
    ("completed", |service| whole(service.completed)),
    ("utilisation", |service| Some(service.utilisation)),
    ("queue_mean", |service| Some(service.queue_mean)),
    ("queue_max", |service| whole(service.queue_max)),
    ("wait_mean_s", |service| seconds(service.wait_mean)),
    ("work_s", |service| seconds(Some(service.work))),
    ("work_wasted_s", |service| seconds(Some(service.work_wasted))),
    ("wasted", |service| service.wasted),
    ("deaths", |service| whole(service.deaths)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        let mut edge = Edge { from_users: true, goodput: 0.5, ..Edge::default() };
        (edge.calls.started, edge.calls.ok) = (1_234_567, 1_000_000);
        edge.latency.p99 = Some(250_000_000);
        edge.latency.histogram = vec![(1_500_000, 2), (250_000_000, 1)];
        report.edges.push("users->a", edge);
        report.services.push("=a", Service { replicas: 3, work: 1, ..Service::default() });
        report
    }

    /// What stands under a head.
    fn cell<'a>(csv: &'a str, head: &str) -> &'a str {
        let mut lines = csv.lines().map(|line| line.split(','));
        let (mut heads, mut row) = (lines.next().unwrap(), lines.next().unwrap());
        row.nth(heads.position(|cell| cell == head).unwrap()).unwrap()
    }

    #[test]
    fn numbers_are_plain_and_times_are_seconds() {
        let edges = edges(&report());
        let heads = ["edge", "from_users", "calls", "ok", "latency_p99_s", "latency_p50_s", "goodput_per_s"];
        let cells = heads.map(|head| cell(&edges, head));
        assert_eq!(cells, ["users->a", "1", "1234567", "1000000", "0.25", "", "0.5"]);
        let services = services(&report());
        assert_eq!(cell(&services, "service"), "'=a", "no spreadsheet runs a name");
        assert_eq!((cell(&services, "queue_capacity"), cell(&services, "work_s")), ("", "0.000000001"));
    }

    #[test]
    fn buckets_add_up() {
        assert_eq!(
            latency(&report()),
            "edge,at_most_s,count,cumulative\nusers->a,0.0015,2,2\nusers->a,0.25,1,3\n"
        );
    }
}
