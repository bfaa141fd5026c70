//! Which of all calls a [`Selection`] means, found while they end: what is kept is never more than was asked for.

use super::{Selection, Span, SpanKind, Trace};
use crate::policy::Ending;
use sim_core::SimTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What the outcome of a call is called that ended well.
const WELL: &str = "ok";
/// And of one that was cut off by the end of the run.
const IN_FLIGHT: &str = "in flight";

/// A call of a user that is over, or cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outline {
    /// The number of its workload's edge.
    pub edge: u32,
    /// Which call of it.
    pub call: u64,
    pub key: u64,
    pub from: SimTime,
    /// `None` if it is not over.
    pub to: Option<SimTime>,
    pub outcome: &'static str,
    pub client: u32,
}

/// The longest so far, of how many; of two that took equally long the first.
#[derive(Clone, Debug, Default)]
struct Longest {
    of: u64,
    took: u64,
    kept: BTreeSet<(Reverse<u64>, Outline)>,
}

/// Sees every call of a user begin and end.
#[derive(Clone, Debug)]
pub struct Chooser {
    selection: Selection,
    /// The edges that are meant; all if empty.
    edges: Vec<u32>,
    measured_from: SimTime,
    slowest: Longest,
    failed: BTreeMap<&'static str, Longest>,
    /// The first call that began at the time asked for, or later.
    at: Option<(u32, u64)>,
    /// Calls that were named: by number, by key, by time.
    named: Vec<Outline>,
}

impl Chooser {
    /// `edges` are the names of the workloads' edges, in order.
    pub fn new<'a>(
        selection: Selection,
        edges: impl Iterator<Item = &'a str>,
        measured_from: SimTime,
    ) -> Self {
        let meant = |name: &str| selection.edge.as_deref().is_none_or(|edge| edge == name);
        let edges = edges.enumerate().filter(|(_, name)| meant(name)).map(|(n, _)| n as u32).collect();
        Chooser {
            selection,
            edges,
            measured_from,
            slowest: Longest::default(),
            failed: BTreeMap::new(),
            at: None,
            named: Vec::new(),
        }
    }

    /// A call begins.
    pub fn begins(&mut self, edge: u32, call: u64, now: SimTime) {
        let asked = self.selection.at.is_some_and(|at| now >= at);
        if asked && self.at.is_none() && self.edges.contains(&edge) {
            self.at = Some((edge, call));
        }
    }

    /// A call is over, or the run is at `now`.
    pub fn ended(&mut self, call: Outline, now: SimTime) {
        if !self.edges.contains(&call.edge) {
            return;
        }
        let Selection { calls, keys, slowest, failed, .. } = &self.selection;
        if calls.contains(&call.call) || keys.contains(&call.key) || self.at == Some((call.edge, call.call)) {
            self.named.push(call);
        }
        if call.from < self.measured_from {
            return;
        }
        let took = call.to.unwrap_or(now).since(call.from).as_nanos();
        match call.outcome {
            WELL => self.slowest.see(call, took, *slowest),
            outcome => self.failed.entry(outcome).or_default().see(call, took, *failed),
        }
    }

    /// The calls that are meant, as traces of one span each. `name` is that of an edge.
    pub fn into_traces(mut self, name: impl Fn(u32) -> String) -> Vec<Trace> {
        let mut traces: Vec<Trace> = Vec::new();
        let mut add = |call: Outline, why: String| {
            let trace = call.trace(name(call.edge), why);
            if !traces.iter().any(|other| (&other.edge, other.call) == (&trace.edge, trace.call)) {
                traces.push(trace);
            }
        };
        let well = format!("of {} that ended well", self.slowest.of);
        let ended = self.slowest.took;
        for (rank, (_, call)) in self.slowest.kept.into_iter().enumerate() {
            add(call, format!("{} {well}", ranked("slowest", rank)));
        }
        let mut outcomes: Vec<(&str, Longest)> = self.failed.into_iter().collect();
        // There is always somebody on the way; whoever waits for longer than anybody was served in is stuck.
        outcomes.retain(|(outcome, longest)| *outcome != IN_FLIGHT || longest.took > ended);
        outcomes.sort_by_key(|(outcome, longest)| (*outcome == IN_FLIGHT, Reverse(longest.of), *outcome));
        let mut left = self.selection.failed;
        for rank in 0..self.selection.failed {
            for (outcome, longest) in &outcomes {
                if let Some((_, call)) = longest.kept.iter().nth(rank).filter(|_| left > 0) {
                    left -= 1;
                    add(
                        *call,
                        format!("{} of {} {}", ranked("longest", rank), longest.of, that_failed(outcome)),
                    );
                }
            }
        }
        self.named.sort_by_key(|call| (call.from, call.edge, call.call));
        for call in self.named {
            add(call, String::new());
        }
        traces
    }
}

/// `the slowest`, `number 2 of the slowest`.
fn ranked(which: &str, rank: usize) -> String {
    if rank == 0 { format!("the {which}") } else { format!("number {} of the {which},", rank + 1) }
}

/// An outcome as a clause.
fn that_failed(outcome: &str) -> String {
    match outcome {
        IN_FLIGHT => "that were not over when the run ended".into(),
        "timed out" => "that timed out".into(),
        "deadline" => "that ran into their deadline".into(),
        outcome => match Ending::named(outcome).and_then(|ending| ending.told().by) {
            Some(by) => format!("that {by} refused"),
            None => format!("that ended with: {outcome}"),
        },
    }
}

impl Longest {
    fn see(&mut self, call: Outline, took: u64, most: usize) {
        self.of += 1;
        self.took = self.took.max(took);
        let beaten = |kept: &BTreeSet<(Reverse<u64>, Outline)>| {
            kept.last().is_some_and(|(Reverse(least), _)| took <= *least)
        };
        if most == 0 || (self.kept.len() == most && beaten(&self.kept)) {
            return;
        }
        self.kept.insert((Reverse(took), call));
        if self.kept.len() > most {
            self.kept.pop_last();
        }
    }
}

impl Outline {
    fn trace(self, edge: String, why: String) -> Trace {
        let span = Span {
            kind: SpanKind::Call,
            at: edge.clone(),
            from: self.from.as_nanos(),
            to: self.to.map(SimTime::as_nanos),
            outcome: self.outcome.into(),
            client: Some(self.client),
            ..Span::default()
        };
        Trace { edge, call: self.call, key: self.key, why, spans: vec![span], sequence: None, left_out: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u64, took: u64, outcome: &'static str) -> Outline {
        let from = SimTime::from_secs(number);
        let to = (outcome != IN_FLIGHT).then(|| SimTime::from_nanos(from.as_nanos() + took));
        Outline { edge: 0, call: number, key: number + 100, from, to, outcome, client: 0 }
    }

    /// The numbers of the calls chosen, and why.
    fn chosen(selection: Selection, calls: &[Outline]) -> Vec<(u64, String)> {
        let mut chooser = Chooser::new(selection, ["users->a", "jobs->a"].into_iter(), SimTime::from_secs(2));
        for call in calls {
            chooser.begins(call.edge, call.call, call.from);
            chooser.ended(*call, SimTime::from_secs(1_000));
        }
        let name = |edge| ["users->a", "jobs->a"][edge as usize].to_string();
        chooser.into_traces(name).into_iter().map(|trace| (trace.call, trace.why)).collect()
    }

    fn numbers(selection: Selection, calls: &[Outline]) -> Vec<u64> {
        chosen(selection, calls).into_iter().map(|(call, _)| call).collect()
    }

    #[test]
    fn the_slowest_are_measured_ended_well_and_in_order() {
        let calls = [(1, 99), (2, 5), (3, 9), (4, 9), (5, 7)].map(|(n, took)| call(n, took, WELL));
        let slowest = |slowest| Selection { slowest, ..Selection::default() };
        assert_eq!(numbers(slowest(1), &calls), [3], "of equals the first");
        assert_eq!(numbers(slowest(3), &calls), [3, 4, 5], "the warm-up does not count");
        assert_eq!(numbers(slowest(9), &calls), [3, 4, 5, 2]);
        assert_eq!(chosen(slowest(1), &calls)[0].1, "the slowest of 4 that ended well");
    }

    #[test]
    fn failures_are_of_each_kind_the_frequent_ones_first() {
        let mut calls: Vec<Outline> = (10..15).map(|n| call(n, n, "timed out")).collect();
        calls.extend([
            call(20, 1, "rejected"),
            call(21, 2, "rejected"),
            call(22, 0, IN_FLIGHT),
            call(23, 9, WELL),
        ]);
        let failed = |failed| Selection { failed, ..Selection::default() };
        assert_eq!(numbers(failed(1), &calls), [14]);
        assert_eq!(numbers(failed(4), &calls), [14, 21, 22, 13]);
        let why: Vec<String> = chosen(failed(3), &calls).into_iter().map(|(_, why)| why).collect();
        assert_eq!(why[1], "the longest of 2 that ended with: rejected");
        assert_eq!(why[2], "the longest of 1 that were not over when the run ended");
    }

    #[test]
    fn calls_are_named_by_number_key_and_time_on_an_edge() {
        let mut calls: Vec<Outline> = (1..9).map(|n| call(n, n, WELL)).collect();
        let other = Outline { edge: 1, ..call(4, 50, WELL) };
        calls.insert(4, other);
        let at = Some(SimTime::from_nanos(5_500_000_000));
        let named = Selection { calls: vec![4], keys: vec![102], at, ..Selection::default() };
        assert_eq!(numbers(named.clone(), &calls), [2, 4, 4, 6]);
        let on = |edge: &str| Selection { edge: Some(edge.into()), ..named.clone() };
        assert_eq!(numbers(on("users->a"), &calls), [2, 4, 6]);
        assert_eq!(numbers(on("jobs->a"), &calls), [4]);
        assert_eq!(numbers(on("nobody->a"), &calls), [0; 0]);
        let all = Selection { slowest: 1, calls: vec![8], ..Selection::default() };
        assert_eq!(numbers(all, &calls), [4, 8], "each once, in the order of the parts");
    }
}
