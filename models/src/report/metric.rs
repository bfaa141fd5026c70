//! Metrics are paths into a report.
//!
//! `edges["checkout->payments"].latency.p99`: names joined by dots; a name that is not made of letters, digits,
//! `_` and `-` stands in `["quotes"]`, and may stand without them as long as it holds no dot, bracket or quote
//! (`edges.checkout->payments.latency.p99`). A path without a dot is looked up in the summary, `goodput`, then in the
//! response times of the first edge from users, `p99`.
//!
//! What is a picture and not a number (windows, series, histograms, tables) has no path; of the changes of an
//! edge's breakers their number has one, `breaker.changes`.

mod path;

use self::path::{SUMMARY, names, written};
use super::edge::Edge;
use super::head::Report;
use super::latency::Latency;
use super::section::Value;
use super::service::{Little, Service};
use super::tally::Tally;
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

/// What [`known_in_part`] accepts, in words.
const KNOWN_IN_PART: &str = "a part has offered, goodput, success and amplification; of an edge also calls.started, \
    calls.ok, calls.failed, attempts.sent and latency; of a service utilisation, queue_mean and queue_max";

/// Whether windows tell this metric.
fn known_in_part(names: &[&str]) -> bool {
    matches!(
        names,
        ["summary", "offered" | "goodput" | "success" | "amplification"]
            | ["run", "duration" | "warm_up" | "window"]
            | ["edges", _, "goodput" | "success" | "amplification"]
            | ["edges", _, "calls", "started" | "ok" | "failed"]
            | ["edges", _, "attempts", "sent"]
            | ["edges", _, "latency", _]
            | ["services", _, "replicas" | "workers" | "queue_capacity"]
            | ["services", _, "utilisation" | "queue_mean" | "queue_max"]
    )
}

/// How many nearest paths an error names.
const NEAREST: usize = 3;

impl Report {
    /// Every metric that this report has, found once: to ask for many.
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves::of(self)
    }

    /// The metric at `path`. Who asks for many asks [`Report::leaves`] for each.
    pub fn metric(&self, path: &str) -> Result<Metric, MetricError> {
        self.leaves().metric(path)
    }

    /// Every path that leads to a metric, in the order of the report.
    pub fn metric_paths(&self) -> Vec<String> {
        self.leaves().iter().map(|(path, _)| path).collect()
    }
}

/// A path as its names, and what is there.
type Leaf<'a> = (Vec<&'a str>, Metric);

/// The metrics of a report, in its order.
#[derive(Debug)]
pub struct Leaves<'a> {
    /// Whether the report covers a part of its run, and how that is known of some only.
    part: bool,
    /// The first edge from users: response times without an edge are its.
    users: Option<&'a str>,
    all: Vec<Leaf<'a>>,
    /// Places in `all`, by names.
    sorted: Vec<usize>,
}

impl<'a> Leaves<'a> {
    fn of(report: &'a Report) -> Self {
        let all = all(report);
        let mut sorted: Vec<usize> = (0..all.len()).collect();
        sorted.sort_by(|&a, &b| all[a].0.cmp(&all[b].0));
        let users = report.edges.iter().find(|(_, edge)| edge.from_users).map(|(name, _)| name);
        Leaves { part: report.part, users, all, sorted }
    }

    /// Every path and what it leads to, in the order of the report.
    pub fn iter(&self) -> impl Iterator<Item = (String, Metric)> {
        let known = |at: &[&str]| !self.part || known_in_part(at);
        self.all.iter().filter(move |(at, _)| known(at)).map(|(at, metric)| (written(at), *metric))
    }

    /// The metric at `path`.
    pub fn metric(&self, path: &str) -> Result<Metric, MetricError> {
        let wanted = names(path).map_err(|message| MetricError { message, nearest: Vec::new() })?;
        let Some((at, metric)) = self.find(&wanted) else { return Err(self.unknown(path, &wanted)) };
        if self.part && !known_in_part(at) {
            let message = format!("`{path}` is known for the whole run only: {KNOWN_IN_PART}");
            return Err(MetricError { message, nearest: Vec::new() });
        }
        Ok(*metric)
    }

    /// The same where it does not matter why there is nothing: the nearest paths are not looked for.
    pub fn get(&self, path: &str) -> Option<Metric> {
        let wanted = names(path).ok()?;
        self.find(&wanted).filter(|(at, _)| !self.part || known_in_part(at)).map(|(_, metric)| *metric)
    }

    /// As it is written; one name alone is looked up in the summary, then in the response times of users.
    fn find(&self, wanted: &[String]) -> Option<&Leaf<'a>> {
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let short = |name: &&str| {
            let of_users = || self.at(&["edges", self.users?, "latency", name]);
            self.at(&[SUMMARY, name]).or_else(of_users)
        };
        self.at(&wanted).or_else(|| if let [name] = &wanted[..] { short(name) } else { None })
    }

    fn at(&self, names: &[&str]) -> Option<&Leaf<'a>> {
        let place = self.sorted.binary_search_by(|&leaf| self.all[leaf].0.as_slice().cmp(names)).ok()?;
        Some(&self.all[self.sorted[place]])
    }

    /// Why there is nothing at a path: it is a group, or nothing at all.
    fn unknown(&self, path: &str, wanted: &[String]) -> MetricError {
        let inside = |at: &[&str]| at.len() > wanted.len() && at.iter().zip(wanted).all(|(a, b)| a == b);
        let group: Vec<String> =
            self.all.iter().filter(|(at, _)| inside(at)).map(|(at, _)| written(at)).collect();
        if !group.is_empty() {
            let message = format!("`{path}` is a group of {} metrics: name one of them", group.len());
            return MetricError { message, nearest: group.into_iter().take(NEAREST).collect() };
        }
        let message = format!("this report has no metric `{path}`");
        MetricError { message, nearest: nearest(wanted, &self.all) }
    }
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

/// Every metric of a report in order.
fn all(report: &Report) -> Vec<Leaf<'_>> {
    #[cfg(test)]
    WALKS.set(WALKS.get() + 1);
    let mut leaves = Walk { at: Vec::new(), found: Vec::new() };
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

#[cfg(test)]
thread_local! {
    /// How often a report was gone through.
    static WALKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Takes fields of a struct as leaves of the same names. A test finds the field that is forgotten.
macro_rules! take {
    ($leaves:ident, $from:expr, $($field:ident),+) => {{ $($leaves.leaf(stringify!($field), &$from.$field);)+ }};
}
use take;

fn edge<'a>(leaves: &mut Walk<'a>, edge: &'a Edge) {
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

fn latency(leaves: &mut Walk, latency: &Latency) {
    take!(leaves, latency, count, overflow, mean, p50, p90, p95, p99, p999, p9999, max);
}

fn service(leaves: &mut Walk, service: &Service) {
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
fn value<'a>(leaves: &mut Walk<'a>, value: &'a Value) {
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
struct Walk<'a> {
    at: Vec<&'a str>,
    found: Vec<Leaf<'a>>,
}

impl<'a> Walk<'a> {
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
mod tests;
