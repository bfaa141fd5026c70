//! A trace in a sentence: how long, where the time went, what was tried, and how it ended.
//!
//! Every nanosecond of the call goes to one cause. Of an attempt it is the stage that it was in; of a request that
//! waited for several calls at once it is the call that it waited for longest: the way back from the end.

use crate::text::clean;
use crate::text::number::{duration, roughly};
use sim_models::policy::told::Tone;
use sim_models::policy::{Denied, Ending};
use sim_models::trace::{Span, SpanKind, Trace};
use std::collections::BTreeMap;

/// Causes with less than this share of the time are not told.
const LEAST: f64 = 0.05;
/// And no more than so many are.
const MOST: usize = 3;

/// The sentence.
pub(super) fn story(trace: &Trace) -> String {
    let spans = &trace.spans;
    let call = &spans[0];
    let reached = spans.iter().filter_map(|span| span.to).max().unwrap_or(call.from).max(call.from);
    let end = call.to.unwrap_or(reached);
    let mut causes: BTreeMap<String, u64> = BTreeMap::new();
    Causes { spans, children: children(spans), causes: &mut causes }.call(0, call.from, end);
    let whole = end - call.from;
    let mut causes: Vec<(String, u64)> = causes.into_iter().collect();
    causes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let told = causes.iter().map(|(cause, time)| (cause, *time as f64 / whole.max(1) as f64));
    let told = told.filter(|(_, share)| *share >= LEAST).take(MOST);
    let mut parts: Vec<String> = told.map(|(cause, share)| format!("{} {cause}", roughly(share))).collect();
    parts.extend(retries(spans));
    parts.extend(refusals(spans));
    let time = match call.to {
        Some(_) => duration(whole),
        None => format!("not over after {}", duration(whole)),
    };
    let head = if parts.is_empty() { time } else { format!("{time}: {}", parts.join(", ")) };
    format!("{head}; {}.", ending(trace))
}

fn children(spans: &[Span]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); spans.len()];
    for (index, span) in spans.iter().enumerate() {
        if let Some(parent) = span.parent {
            children[parent as usize].push(index);
        }
    }
    children
}

struct Causes<'a> {
    spans: &'a [Span],
    children: Vec<Vec<usize>>,
    causes: &'a mut BTreeMap<String, u64>,
}

impl Causes<'_> {
    fn add(&mut self, cause: String, from: u64, to: u64) {
        if to > from {
            *self.causes.entry(cause).or_default() += to - from;
        }
    }

    /// What a call spent `from..to` on.
    fn call(&mut self, index: usize, from: u64, to: u64) {
        for child in self.children[index].clone() {
            let span = &self.spans[child];
            let (from, to) = (span.from.max(from), span.to.unwrap_or(to).min(to));
            match span.kind {
                SpanKind::BackOff => self.add(format!("between attempts over {}", clean(&span.at)), from, to),
                SpanKind::Line => self.add(format!("in line for {}", clean(&span.at)), from, to),
                _ => self.attempt(child, from, to),
            }
        }
    }

    fn attempt(&mut self, index: usize, from: u64, to: u64) {
        let mut reached = from;
        for child in self.children[index].clone() {
            let span = &self.spans[child];
            let (begin, end) = (span.from.max(from), span.to.unwrap_or(to).min(to));
            if begin >= end {
                continue;
            }
            reached = end;
            let at = clean(&span.at);
            let service = clean(service(&span.at));
            match span.kind {
                SpanKind::Network if span.outcome == "lost" => {
                    self.add(format!("waiting for what was lost over {at}"), begin, end)
                }
                SpanKind::Network if span.outcome == "held" => {
                    self.add(format!("in messages that the network held back over {at}"), begin, end)
                }
                SpanKind::Network => self.add(format!("on the way over {at}"), begin, end),
                SpanKind::Queue => self.add(format!("waiting in the queue of {service}"), begin, end),
                SpanKind::Work => {
                    // Whatever of it the caller did not wait for, it was at the end of.
                    let starts = (begin + span.starting).min(end);
                    let stands_still = (starts + span.standing_still).min(end);
                    self.add(format!("waiting for an instance of {service} to start"), begin, starts);
                    self.add(format!("standing still in {service}"), starts, stands_still);
                    self.add(format!("working in {service}"), stands_still, end);
                }
                _ => self.waiting(child, begin, end),
            }
        }
        let silent =
            format!("waiting for an answer over {} that was not coming", clean(&self.spans[index].at));
        self.add(silent, reached, to);
    }

    /// From the end back: the call that was waited for last, then the one before it. What went on when the wait was over was not waited
    /// for: enough others had answered, or nobody needed it.
    fn waiting(&mut self, index: usize, from: u64, to: u64) {
        let mut calls = self.children[index].clone();
        if let Some(over) = self.spans[index].to {
            calls.retain(|&call| self.spans[call].to.is_some_and(|to| to <= over));
        }
        calls.sort_by_key(|&call| (self.spans[call].to.unwrap_or(u64::MAX), call));
        let mut left = to;
        for call in calls.into_iter().rev() {
            let span = &self.spans[call];
            let (begin, end) = (span.from.max(from), span.to.unwrap_or(to).min(left));
            if begin < end {
                self.call(call, begin, end);
                left = begin;
            }
        }
    }
}

/// `payments` of `payments[2]`.
fn service(at: &str) -> &str {
    at.rsplit_once('[').map_or(at, |(service, _)| service)
}

fn plural(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// How many attempts followed another, and how those had ended. A copy is of the same try, and follows nobody.
fn retries(spans: &[Span]) -> Option<String> {
    let mut after: BTreeMap<&str, usize> = BTreeMap::new();
    let mut last: BTreeMap<u32, (u16, &str)> = BTreeMap::new();
    let mut all = 0;
    for span in spans.iter().filter(|span| span.kind == SpanKind::Attempt) {
        let call = span.parent.expect("an attempt belongs to a call");
        let before = last.insert(call, (span.attempt, &span.outcome));
        let before =
            before.filter(|(number, _)| *number != span.attempt && refused_by(&span.outcome).is_none());
        if let Some((_, before)) = before {
            all += 1;
            *after.entry(before).or_default() += 1;
        }
    }
    let nouns = |outcome: &str| match Ending::named(outcome).and_then(|ending| ending.told().nouns) {
        Some((one, many)) => (one.to_string(), many.to_string()),
        None => (format!("`{}`", clean(outcome)), format!("`{}`", clean(outcome))),
    };
    let (one, many) = (|outcome: &str| nouns(outcome).0, |outcome: &str| nouns(outcome).1);
    let retries = plural(all, "retry", "retries");
    match &after.iter().collect::<Vec<_>>()[..] {
        [] => None,
        [(outcome, 1)] => Some(format!("{retries} after {}", one(outcome))),
        [(outcome, _)] => Some(format!("{retries} after {}", many(outcome))),
        several => {
            let each: Vec<String> =
                several.iter().map(|(outcome, n)| format!("{n} after {}", many(outcome))).collect();
            Some(format!("{retries} ({})", each.join(", ")))
        }
    }
}

/// What refused whatever ended so, if nothing was sent.
fn refused_by(outcome: &str) -> Option<&'static str> {
    Ending::named(outcome).and_then(|ending| ending.told().by)
}

/// What was not even tried: tries of a call, retries, calls.
fn refusals(spans: &[Span]) -> Vec<String> {
    let ended = |kind: SpanKind, outcome: &str| {
        spans.iter().filter(|span| span.kind == kind && span.outcome == outcome).count()
    };
    let refusals = || Ending::all().filter_map(|ending| Some((ending.name(), ending.told().by?)));
    let said = |n: usize, (one, many): (&str, &str), by: &str| {
        (n > 0).then(|| format!("{} refused by {by}", plural(n, one, many)))
    };
    let tries =
        refusals().filter_map(|(name, by)| said(ended(SpanKind::Attempt, name), ("try", "tries"), by));
    let denied = Denied::ALL.map(|denied| (denied.told().name, denied.told().by.unwrap_or_default()));
    let retries = denied
        .into_iter()
        .filter_map(|(name, by)| said(ended(SpanKind::BackOff, name), ("retry", "retries"), by));
    // A call that was refused at a try of its own has been told with that.
    let whole = refusals().filter(|(name, _)| ended(SpanKind::Attempt, name) == 0);
    let calls = whole.filter_map(|(name, by)| said(ended(SpanKind::Call, name), ("call", "calls"), by));
    tries.chain(retries).chain(calls).collect()
}

/// How it ended, and what was done for nobody.
fn ending(trace: &Trace) -> String {
    let call = &trace.spans[0];
    let told = Ending::named(&call.outcome).map(Ending::told);
    let how = match told.map(|told| (told.tone, told.nouns)) {
        Some((Tone::Good, _)) => "answered".to_string(),
        Some((Tone::Open, _)) => "the run ended before it did".into(),
        Some((Tone::Late, Some((what, _)))) => format!("given up after {what}"),
        _ => format!("failed: {}", clean(&call.outcome)),
    };
    let length = |span: &Span| span.to.map_or(0, |to| to - span.from);
    let work = |wasted: bool| -> u64 {
        let work = trace.spans.iter().filter(|span| span.kind == SpanKind::Work && (span.wasted || !wasted));
        work.map(length).sum()
    };
    let (wasted, all) = (work(true), work(false));
    // The server's side of what the users had given up.
    let server = trace
        .spans
        .iter()
        .filter(|span| span.wasted && matches!(span.kind, SpanKind::Queue | SpanKind::Work));
    let last = server.filter_map(|span| Some((span.to?, service(&span.at)))).max();
    let late = match (call.to, last) {
        (Some(end), Some((to, service))) if to > end => {
            format!("; {} was not done with it until {} later", clean(service), duration(to - end))
        }
        _ => String::new(),
    };
    match wasted {
        0 => format!("{how}{late}"),
        _ if wasted == all => format!("{how}; all {} of work were for nobody{late}", duration(all)),
        _ => {
            format!("{how}; of {} of work {} were for nobody{late}", duration(all), duration(wasted))
        }
    }
}
