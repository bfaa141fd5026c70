//! The sections of a report as CSV: a row per edge, per service, per bucket of response times. Times are in
//! seconds, shares between 0 and 1, what is not there is empty. docs/files.md tells each column.

use crate::text::table::{csv_line, csv_number};
use sim_models::policy::told::Counted;
use sim_models::report::{Edge, Report, Service, Tally};

/// `edges.csv`: how calls and attempts over each edge ended.
pub fn edges(report: &Report) -> String {
    let cells = edge_cells(&Edge::default());
    let mut out = csv_line(["edge"].into_iter().chain(cells.iter().map(|(head, _)| head.as_str())));
    for (name, edge) in report.edges.iter() {
        let numbers = edge_cells(edge).into_iter().map(|(_, cell)| csv_number(cell));
        out += &csv_line([name.to_string()].into_iter().chain(numbers));
    }
    out
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

/// The cells of an edge, each with its head: what is counted has a column for each way to end.
fn edge_cells(edge: &Edge) -> Vec<(String, Option<f64>)> {
    fn counts<K: Counted>(prefix: &str, tally: &Tally<K>) -> Vec<(String, Option<f64>)> {
        tally.all().map(|(_, key, n)| (format!("{prefix}{key}"), whole(n))).collect()
    }
    let (calls, attempts) = (&edge.calls, &edge.attempts);
    let (ended, failed) = (&edge.latency, &edge.latency_failed);
    let one = |head: &str, cell: Option<f64>| vec![(head.to_owned(), cell)];
    [
        one("from_users", whole(u64::from(edge.from_users))),
        one("calls", whole(calls.started)),
        counts("", &calls.ended),
        one("in_flight_age_s", seconds(calls.in_flight_age)),
        one("never_sent", whole(calls.never_sent)),
        counts("failed_by_", &calls.failed_by),
        one("attempts", whole(attempts.sent)),
        counts("attempts_", &attempts.ended),
        one("retries", whole(attempts.retries)),
        counts("", &attempts.denied),
        one("amplification", edge.amplification),
        one("per_user_call", edge.per_user_call),
        one("goodput_per_s", Some(edge.goodput)),
        one("success", edge.success),
        one("latency_count", whole(ended.count)),
        one("latency_mean_s", seconds(ended.mean)),
        one("latency_p50_s", seconds(ended.p50)),
        one("latency_p90_s", seconds(ended.p90)),
        one("latency_p95_s", seconds(ended.p95)),
        one("latency_p99_s", seconds(ended.p99)),
        one("latency_p999_s", seconds(ended.p999)),
        one("latency_p9999_s", seconds(ended.p9999)),
        one("latency_max_s", seconds(ended.max)),
        one("latency_failed_p50_s", seconds(failed.p50)),
        one("latency_failed_max_s", seconds(failed.max)),
    ]
    .concat()
}

const SERVICE: [Column<Service>; 17] = [
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
    ("called_off", |service| whole(service.called_off)),
    ("work_in_vain_s", |service| seconds(Some(service.work_in_vain))),
    ("in_vain", |service| service.in_vain),
    ("expired", |service| whole(service.expired)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::policy::Ending;

    fn report() -> Report {
        let mut report = Report::default();
        let mut edge = Edge { from_users: true, goodput: 0.5, ..Edge::default() };
        (edge.calls.started, edge.calls.ended[Ending::Ok]) = (1_234_567, 1_000_000);
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
