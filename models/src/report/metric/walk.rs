//! Every metric of a report, in its order.

use super::leaf::{Leaf, Metric};
use crate::policy::told::Counted;
use crate::report::edge::Edge;
use crate::report::head::Report;
use crate::report::latency::Latency;
use crate::report::meaning::Meaning;
use crate::report::path::SUMMARY;
use crate::report::response::Response;
use crate::report::section::{Section, Value};
use crate::report::service::{Little, Service};
use crate::report::tally::Tally;
use crate::report::unit::Unit;

/// Every metric of a report in order.
pub(super) fn walk(report: &Report) -> Vec<Leaf<'_>> {
    #[cfg(test)]
    WALKS.set(WALKS.get() + 1);
    let mut leaves = Walk { at: Vec::new(), found: Vec::new() };
    leaves.group(SUMMARY, |leaves| {
        take!(leaves, report.summary, recovered, time_to_recover, offered, goodput);
        take!(leaves, report.summary, success, lost, error_budget, amplification, wasted, in_vain);
    });
    leaves.group("run", |leaves| take!(leaves, report.run, duration, warm_up, window, events));
    for (name, each) in report.edges.iter() {
        leaves.group("edges", |leaves| leaves.group(name, |leaves| edge(leaves, each)));
    }
    for (name, each) in report.services.iter() {
        leaves.group("services", |leaves| leaves.group(name, |leaves| service(leaves, each)));
    }
    for section in &report.sections {
        leaves.group(&section.kind, |leaves| match section.at.as_str() {
            "" => section_values(leaves, section),
            at => leaves.group(at, |leaves| section_values(leaves, section)),
        });
    }
    for (name, each) in report.values.iter() {
        leaves.group("values", |leaves| leaves.group(name, |leaves| value(leaves, each)));
    }
    leaves.found
}

#[cfg(test)]
thread_local! {
    /// How often a report was gone through.
    pub(super) static WALKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
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
        take!(leaves, edge.calls, never_sent, in_hand_before, in_flight_age);
        leaves.group("failed_by", |leaves| leaves.counts(&edge.calls.failed_by));
    });
    leaves.group("attempts", |leaves| {
        take!(leaves, edge.attempts, sent);
        leaves.counts(&edge.attempts.ended);
        take!(leaves, edge.attempts, retries);
        leaves.counts(&edge.attempts.denied);
    });
    take!(leaves, edge, amplification, per_user_call, goodput, success);
    leaves.group("response", |leaves| response(leaves, &edge.response));
    leaves.group("latency", |leaves| latency(leaves, &edge.latency));
    leaves.group("latency_failed", |leaves| latency(leaves, &edge.latency_failed));
}

/// What is longer than any answer is longer than any number.
fn response(leaves: &mut Walk, response: &Response) {
    take!(leaves, response, count, unanswered);
    let Response { p50, p90, p95, p99, p999, p9999, .. } = *response;
    let percentiles =
        [("p50", p50), ("p90", p90), ("p95", p95), ("p99", p99), ("p999", p999), ("p9999", p9999)];
    for (name, time) in percentiles {
        let time = time.map_or(f64::INFINITY, |ns| ns as f64);
        leaves.leaf(name, &(!response.is_empty()).then_some(time));
    }
}

fn latency(leaves: &mut Walk, latency: &Latency) {
    take!(leaves, latency, count, overflow, mean, p50, p90, p95, p99, p999, p9999, max);
}

fn service(leaves: &mut Walk, service: &Service) {
    take!(leaves, service, replicas, workers, queue_capacity, arrived, completed, utilisation, queue_mean);
    take!(leaves, service, queue_max, wait_mean, work, work_wasted, wasted, work_in_vain, in_vain, deaths);
    let little = |of: fn(&Little) -> f64| service.little.as_ref().map(of);
    leaves.group("little", |leaves| {
        leaves.leaf("number", &little(|little| little.number));
        leaves.leaf("rate", &little(|little| little.rate));
        leaves.leaf("time", &little(|little| little.time));
        leaves.leaf("product", &little(|little| little.product));
        leaves.leaf("gap", &little(Little::gap));
    });
}

/// A value says itself what it counts.
fn value<'a>(leaves: &mut Walk<'a>, value: &'a Value) {
    leaves.leaf_of(value, "value", &value.value);
    leaves.leaf_beside(value, "exact", &value.exact);
    leaves.leaf_beside(value, "standard_error", &value.standard_error);
}

/// A section's values are metrics themselves; beside them, where it is known, what theory gives.
fn section_values<'a>(leaves: &mut Walk<'a>, section: &'a Section) {
    for (name, value) in section.values.iter() {
        leaves.leaf_of(value, name, &value.value);
        leaves.group(name, |leaves| {
            value.exact.iter().for_each(|exact| leaves.leaf_beside(value, "exact", exact));
            value.standard_error.iter().for_each(|error| leaves.leaf_beside(value, "standard_error", error));
        });
    }
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
        tally.all().for_each(|(_, key, count)| self.leaf(key, &count));
    }

    fn leaf(&mut self, name: &'a str, value: &impl Measured) {
        let names = self.names(name);
        let meaning = Meaning::of(&names);
        self.add(names, meaning, value);
    }

    /// A number of a value, which says what it is.
    fn leaf_of(&mut self, of: &Value, name: &'a str, value: &impl Measured) {
        let names = self.names(name);
        let meaning = Meaning::of_value(of, &names);
        self.add(names, meaning, value);
    }

    /// What is told beside a value counts the same, and is no more than that.
    fn leaf_beside(&mut self, of: &Value, name: &'a str, value: &impl Measured) {
        let meaning = Meaning { unit: Unit::named(&of.unit), ..Meaning::default() };
        self.add(self.names(name), meaning, value);
    }

    fn names(&self, name: &'a str) -> Vec<&'a str> {
        self.at.iter().copied().chain([name]).collect()
    }

    fn add(&mut self, names: Vec<&'a str>, meaning: Meaning, value: &impl Measured) {
        self.found.push(Leaf { names, metric: value.metric(meaning.unit), meaning });
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
