//! Metrics are paths into a report.
//!
//! `edges["checkout->payments"].latency.p99`: names joined by dots; a name that is not made of letters, digits,
//! `_` and `-` stands in `["quotes"]`, and may stand without them as long as it holds no dot, bracket or quote
//! (`edges.checkout->payments.latency.p99`). A path without a dot is looked up in the summary, `goodput`, then in the
//! response times of the first edge from users, `p99`.
//!
//! What is a picture and not a number (windows, series, histograms, tables) has no path; of the changes of an
//! edge's breakers their number has one, `breaker.changes`.

use super::slice::{KNOWN_IN_PART, known_in_part};
use super::{Edge, Latency, Little, Report, Service, Tally, Value};
use crate::policy::told::Counted;

/// A number or a truth that a report states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// True or false.
    Truth(bool),
    /// A number and what it counts.
    Number(f64, Unit),
    /// The report knows this path but has nothing there: no call ended, never recovered.
    Absent,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Duration,
    /// Per second.
    Rate,
    /// A share between 0 and 1.
    Share,
    /// Anything else.
    Plain,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricError {
    /// What is wrong with the path.
    pub message: String,
    /// The nearest paths that exist.
    pub nearest: Vec<String>,
}

/// The unit of the number at a path, by the name of its last part. Only a report knows that of one of its
/// `values`; here it is plain.
pub fn unit_of(path: &str) -> Unit {
    names(path).ok().and_then(|names| names.last().map(|last| unit(last))).unwrap_or(Unit::Plain)
}

fn unit(last: &str) -> Unit {
    match last {
        "mean" | "p50" | "p90" | "p95" | "p99" | "p999" | "p9999" | "max" | "wait_mean"
        | "time_to_recover" | "work" | "work_wasted" | "in_flight_age" | "duration" | "warm_up"
        | "window" | "time" => Unit::Duration,
        "goodput" | "offered" | "rate" => Unit::Rate,
        "success" | "wasted" | "utilisation" => Unit::Share,
        _ => Unit::Plain,
    }
}

/// How many nearest paths an error names.
const NEAREST: usize = 3;

impl Report {
    /// The metric at `path`.
    pub fn metric(&self, path: &str) -> Result<Metric, MetricError> {
        let wanted = names(path).map_err(|message| MetricError { message, nearest: Vec::new() })?;
        let leaves = leaves(self);
        let users = self.edges.iter().find(|(_, edge)| edge.from_users).map(|(name, _)| name);
        let of_users = |at: &[&str]| {
            matches!((at, &wanted[..]), (["edges", edge, "latency", leaf], [name])
            if Some(*edge) == users && leaf == name)
        };
        let found = leaves.iter().find(|(at, _)| same(at, &wanted));
        if let Some((at, metric)) = found.or_else(|| leaves.iter().find(|(at, _)| of_users(at))) {
            if self.part && !known_in_part(at) {
                let message = format!("`{path}` is known for the whole run only: {KNOWN_IN_PART}");
                return Err(MetricError { message, nearest: Vec::new() });
            }
            return Ok(*metric);
        }
        let inside = |at: &[&str]| at.len() > wanted.len() && at.iter().zip(&wanted).all(|(a, b)| a == b);
        let group: Vec<String> =
            leaves.iter().filter(|(at, _)| inside(at)).map(|(at, _)| written(at)).collect();
        if !group.is_empty() {
            let message = format!("`{path}` is a group of {} metrics: name one of them", group.len());
            return Err(MetricError { message, nearest: group.into_iter().take(NEAREST).collect() });
        }
        let message = format!("this report has no metric `{path}`");
        Err(MetricError { message, nearest: nearest(&wanted, &leaves) })
    }

    /// Every path that leads to a metric, in the order of the report.
    pub fn metric_paths(&self) -> Vec<String> {
        let known = |at: &[&str]| !self.part || known_in_part(at);
        leaves(self).iter().filter(|(at, _)| known(at)).map(|(at, _)| written(at)).collect()
    }
}

/// Whether `wanted` leads to the leaf `at`; what is in the summary needs no `summary.` in front.
fn same(at: &[&str], wanted: &[String]) -> bool {
    at == wanted || (wanted.len() == 1 && at[0] == SUMMARY && at[1..] == *wanted)
}

/// The paths that look most like the wanted one, and those that end like it.
fn nearest(wanted: &[String], leaves: &[Leaf]) -> Vec<String> {
    let text = wanted.join(".");
    let likeness = |at: &[&str]| {
        let at = if wanted.len() == 1 && at[0] == SUMMARY { &at[1..] } else { at };
        let alike = strsim::normalized_damerau_levenshtein(&at.join("."), &text);
        if at.last().copied() == wanted.last().map(String::as_str) { alike.max(0.6) } else { alike }
    };
    let mut near: Vec<(f64, &Leaf)> = leaves.iter().map(|leaf| (likeness(&leaf.0), leaf)).collect();
    near.retain(|(alike, _)| *alike >= 0.6);
    // Stable: of equally near ones, the first of the report.
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.iter().take(NEAREST).map(|(_, (at, _))| written(at)).collect()
}

/// The names in a path, or what is wrong with how it is written.
fn names(path: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut rest = path.trim();
    let wrong = |what: &str| Err(format!("`{path}` is no path: {what}"));
    loop {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let (mut name, mut chars) = (String::new(), quoted.chars());
            loop {
                match chars.next() {
                    None => return wrong("a quote is not closed"),
                    Some('"') => break,
                    Some('\\') => name.extend(chars.next()),
                    Some(other) => name.push(other),
                }
            }
            match chars.as_str().strip_prefix(']') {
                Some(tail) => rest = tail,
                None => return wrong("a bracket is not closed"),
            }
            names.push(name);
        } else {
            let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
            let (name, tail) = rest.split_at(end);
            if name.is_empty() {
                return wrong(if rest.starts_with('[') {
                    "a name in brackets needs quotes"
                } else {
                    "a name is missing"
                });
            }
            if tail.starts_with([']', '"']) {
                return wrong("a bracket or quote stands alone");
            }
            names.push(name.into());
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(names);
        }
        match rest.strip_prefix('.') {
            Some(tail) => rest = tail,
            None if rest.starts_with('[') => {}
            None => return wrong("a dot is missing"),
        }
    }
}

/// The canonical text of a path.
fn written(at: &[&str]) -> String {
    let at = if at[0] == SUMMARY { &at[1..] } else { at };
    let mut path = String::new();
    for name in at {
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !name.is_empty() && name.chars().all(plain) {
            if !path.is_empty() {
                path.push('.');
            }
            path += name;
        } else {
            path += &format!("[\"{}\"]", name.replace('\\', "\\\\").replace('"', "\\\""));
        }
    }
    path
}

const SUMMARY: &str = "summary";

/// A path as its names, and what is there.
type Leaf<'a> = (Vec<&'a str>, Metric);

/// Every metric of a report in order.
fn leaves(report: &Report) -> Vec<Leaf<'_>> {
    let mut leaves = Leaves { at: Vec::new(), found: Vec::new() };
    leaves.group(SUMMARY, |leaves| {
        take!(leaves, report.summary, recovered, time_to_recover, offered, goodput);
        take!(leaves, report.summary, success, amplification, wasted);
    });
    leaves.group("run", |leaves| take!(leaves, report.run, duration, warm_up, window, events));
    for (name, each) in report.edges.iter() {
        leaves.group("edges", |leaves| leaves.group(name, |leaves| edge(leaves, each)));
    }
    for (name, each) in report.services.iter() {
        leaves.group("services", |leaves| leaves.group(name, |leaves| service(leaves, each)));
    }
    for (name, each) in report.values.iter() {
        leaves.group("values", |leaves| leaves.group(name, |leaves| value(leaves, each)));
    }
    leaves.found
}

/// Takes fields of a struct as leaves of the same names. A test finds the field that is forgotten.
macro_rules! take {
    ($leaves:ident, $from:expr, $($field:ident),+) => {{ $($leaves.leaf(stringify!($field), &$from.$field);)+ }};
}
use take;

fn edge<'a>(leaves: &mut Leaves<'a>, edge: &'a Edge) {
    leaves.group("calls", |leaves| {
        take!(leaves, edge.calls, started);
        leaves.counts(&edge.calls.ended);
        take!(leaves, edge.calls, never_sent, in_flight_age);
        leaves.group("failed_by", |leaves| leaves.counts(&edge.calls.failed_by));
    });
    leaves.group("attempts", |leaves| {
        take!(leaves, edge.attempts, sent);
        leaves.counts(&edge.attempts.ended);
        take!(leaves, edge.attempts, retries, budget_refused);
    });
    take!(leaves, edge, amplification, per_user_call, goodput, success);
    leaves.group("latency", |leaves| latency(leaves, &edge.latency));
    leaves.group("latency_failed", |leaves| latency(leaves, &edge.latency_failed));
    let changes = edge.breaker.len() as u64 + edge.breaker_unlisted;
    leaves.group("breaker", |leaves| leaves.leaf("changes", &changes));
}

fn latency(leaves: &mut Leaves, latency: &Latency) {
    take!(leaves, latency, count, overflow, mean, p50, p90, p95, p99, p999, p9999, max);
}

fn service(leaves: &mut Leaves, service: &Service) {
    take!(leaves, service, replicas, workers, queue_capacity, arrived, completed, utilisation, queue_mean);
    take!(leaves, service, queue_max, wait_mean, work, work_wasted, wasted, deaths);
    let little = |of: fn(&Little) -> f64| service.little.as_ref().map(of);
    leaves.group("little", |leaves| {
        leaves.leaf("number", &little(|little| little.number));
        leaves.leaf("rate", &little(|little| little.rate));
        leaves.leaf("time", &little(|little| little.time));
        leaves.leaf("product", &little(|little| little.product));
    });
}

/// A value says itself what it counts.
fn value<'a>(leaves: &mut Leaves<'a>, value: &'a Value) {
    let unit = match value.unit.as_str() {
        "ns" => Unit::Duration,
        "/s" => Unit::Rate,
        "share" => Unit::Share,
        _ => Unit::Plain,
    };
    leaves.leaf_in("value", unit, &value.value);
    leaves.leaf_in("exact", unit, &value.exact);
    leaves.leaf_in("standard_error", unit, &value.standard_error);
}

/// The metrics found so far, and the group that is being filled.
struct Leaves<'a> {
    at: Vec<&'a str>,
    found: Vec<Leaf<'a>>,
}

impl<'a> Leaves<'a> {
    fn group(&mut self, name: &'a str, inside: impl FnOnce(&mut Self)) {
        self.at.push(name);
        inside(self);
        self.at.pop();
    }

    /// One for each that is counted, whether there are any or not.
    fn counts<K: Counted>(&mut self, tally: &Tally<K>) {
        tally.all().for_each(|(_, key, count)| self.leaf_in(key, Unit::Plain, &count));
    }

    fn leaf(&mut self, name: &'a str, value: &impl Measured) {
        self.leaf_in(name, unit(name), value);
    }

    fn leaf_in(&mut self, name: &'a str, unit: Unit, value: &impl Measured) {
        let path = self.at.iter().copied().chain([name]).collect();
        self.found.push((path, value.metric(unit)));
    }
}

/// What a field of a report can be.
trait Measured {
    fn metric(&self, unit: Unit) -> Metric;
}

impl Measured for bool {
    fn metric(&self, _: Unit) -> Metric {
        Metric::Truth(*self)
    }
}

impl Measured for u32 {
    fn metric(&self, unit: Unit) -> Metric {
        Metric::Number(f64::from(*self), unit)
    }
}

impl Measured for u64 {
    fn metric(&self, unit: Unit) -> Metric {
        Metric::Number(*self as f64, unit)
    }
}

impl Measured for f64 {
    fn metric(&self, unit: Unit) -> Metric {
        Metric::Number(*self, unit)
    }
}

impl<T: Measured> Measured for Option<T> {
    fn metric(&self, unit: Unit) -> Metric {
        self.as_ref().map_or(Metric::Absent, |value| value.metric(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::full_report;

    #[test]
    fn paths_lead_to_what_the_report_states() {
        let report = full_report();
        let number = |value, unit| Ok(Metric::Number(value, unit));
        for (path, expected) in [
            ("goodput", number(1.0 / 3.0, Unit::Rate)),
            ("summary.goodput", number(1.0 / 3.0, Unit::Rate)),
            ("recovered", Ok(Metric::Truth(true))),
            ("time_to_recover", number(12e9, Unit::Duration)),
            ("run.events", number(1.0, Unit::Plain)),
            (r#"edges["users->checkout"].calls.ok"#, number(11_000.0, Unit::Plain)),
            ("edges.users->checkout.calls.ok", number(11_000.0, Unit::Plain)),
            (r#"["edges"]["users->checkout"]["calls"].ok"#, number(11_000.0, Unit::Plain)),
            ("edges.checkout->payments.calls.in_flight_age", number(3.0, Unit::Duration)),
            ("edges.users->checkout.calls.in_flight_age", Ok(Metric::Absent)),
            ("edges.users->checkout.latency_failed.p99", Ok(Metric::Absent)),
            ("edges.checkout->payments.breaker.changes", number(3.0, Unit::Plain)),
            ("services.payments.utilisation", number(0.7, Unit::Share)),
            ("services.payments.work_wasted", number(250e6, Unit::Duration)),
            ("services.payments.replicas", number(3.0, Unit::Plain)),
            ("values.success.value", number(0.5, Unit::Share)),
            ("values.success.standard_error", number(0.005, Unit::Share)),
            (r#"values["p(first = callback)"].value"#, number(0.1, Unit::Plain)),
            (r#"values["p(first = callback)"].exact"#, Ok(Metric::Absent)),
        ] {
            assert_eq!(report.metric(path), expected, "{path}");
        }
        let p99 = report.edges.0[0].1.latency.p99.unwrap() as f64;
        assert_eq!(report.metric("p99"), number(p99, Unit::Duration));
        assert_eq!(report.metric(r#"edges["users->checkout"].latency.p99"#), number(p99, Unit::Duration));
    }

    #[test]
    fn every_listed_path_is_found_and_read_back() {
        let report = full_report();
        let paths = report.metric_paths();
        assert!(paths.iter().all(|path| report.metric(path).is_ok()));
        let mut unique = paths.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), paths.len());
        assert_eq!(paths[..3], ["recovered", "time_to_recover", "offered"]);
        assert!(paths.contains(&r#"edges["checkout->payments"].latency.p99"#.into()));
        assert_eq!(paths.last().unwrap(), r#"values["p(first = callback)"].standard_error"#);
        // In the report's order, not the alphabet's.
        let at = |path: &str| paths.iter().position(|p| p == path).unwrap();
        assert!(at(r#"edges["users->checkout"].calls.ok"#) < at(r#"edges["checkout->payments"].calls.ok"#));
    }

    /// The numbers of the JSON form, by another road: nothing is forgotten.
    #[test]
    fn every_number_of_the_json_is_a_metric() {
        fn numbers(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
            let picture = ["windows", "histogram", "breaker", "seed", "breaker_unlisted", "from_users"];
            match value {
                serde_json::Value::Object(map) => {
                    for (key, value) in map.iter().filter(|(key, _)| !picture.contains(&key.as_str())) {
                        numbers(value, &format!("{at}[\"{key}\"]"), found);
                    }
                }
                serde_json::Value::Number(_) | serde_json::Value::Bool(_) | serde_json::Value::Null => {
                    found.push(at.into());
                }
                _ => {}
            }
        }
        let report = full_report();
        let json = serde_json::to_value(&report).unwrap();
        let mut found = Vec::new();
        for section in ["summary", "run", "edges", "services", "values"] {
            numbers(&json[section], &format!("[\"{section}\"]"), &mut found);
        }
        assert!(found.len() > 100);
        for path in found {
            assert!(report.metric(&path).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_wrong_path_names_the_nearest() {
        let report = full_report();
        for (path, near) in [
            ("goodputt", "goodput"),
            ("recoverd", "recovered"),
            ("services.payment.utilisation", "services.payments.utilisation"),
            ("services.payments.utilization", "services.payments.utilisation"),
            (r#"edges["checkout->payment"].latency.p99"#, r#"edges["checkout->payments"].latency.p99"#),
            ("checkout->payments.latency.p99", r#"edges["checkout->payments"].latency.p99"#),
            ("values.sucess.value", "values.success.value"),
        ] {
            let error = report.metric(path).unwrap_err();
            assert!(error.message.contains(path), "{error:?}");
            assert_eq!(error.nearest.first().map(String::as_str), Some(near), "{path}: {error:?}");
            assert!(error.nearest.len() <= NEAREST);
        }
        assert_eq!(report.metric("entirely.elsewhere").unwrap_err().nearest, [""; 0]);
    }

    #[test]
    fn a_group_asks_for_one_of_its_metrics() {
        let error = full_report().metric("edges.users->checkout.latency").unwrap_err();
        assert!(error.message.contains("group of 10 metrics"), "{error:?}");
        assert_eq!(error.nearest[0], r#"edges["users->checkout"].latency.count"#);
    }

    #[test]
    fn a_broken_path_says_what_is_wrong() {
        for (path, why) in [
            ("", "a name is missing"),
            ("edges..p99", "a name is missing"),
            ("goodput.", "a name is missing"),
            (r#"edges["users"#, "a quote is not closed"),
            (r#"edges["users".p99"#, "a bracket is not closed"),
            ("edges[users].p99", "needs quotes"),
            ("edges]users", "stands alone"),
            (r#"edges["users"]p99"#, "a dot is missing"),
        ] {
            let error = full_report().metric(path).unwrap_err();
            assert!(error.message.contains(why), "{path}: {error:?}");
        }
    }

    #[test]
    fn units_follow_the_last_name() {
        for (path, unit) in [
            (r#"edges["a->b"].latency.p9999"#, Unit::Duration),
            (r#"edges["a->b"]["latency"]["p50"]"#, Unit::Duration),
            ("time_to_recover", Unit::Duration),
            ("offered", Unit::Rate),
            ("services.a.wasted", Unit::Share),
            ("edges.a->b.calls.deadline", Unit::Plain),
            ("services.a.queue_max", Unit::Plain),
        ] {
            assert_eq!(unit_of(path), unit, "{path}");
        }
    }
}
