//! What traces show is what the run did: they change nothing, tile the calls they show, and add up to the report.

use brownout_tests::{experiments, random_experiment, resolve, run_with};
use sim_core::{Engine, Limits};
use sim_models::experiment::Resolved;
use sim_models::policy::{Ending, Outcome};
use sim_models::report::{DigestParts, Report};
use sim_models::run::{RunOptions, RunOutput};
use sim_models::trace::{Selection, Span, SpanKind, Trace, Tracing, collect};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

fn traced(resolved: &Resolved, options: &RunOptions, selection: Selection) -> RunOutput {
    collect(resolved, options, selection, &mut |_| ControlFlow::Continue(()))
}

fn parts(digest: &DigestParts) -> [&str; 4] {
    [&digest.i, &digest.t, &digest.r, &digest.s].map(String::as_str)
}

/// Each has something that no other has; the last two cannot be traced.
const DOZEN: [&str; 12] = [
    "retry-storm",
    "retry-amplification",
    "circuit-breaker",
    "recovery-herd",
    "slow-dependency",
    "timeout-hierarchy",
    "metastable-280",
    "bulkhead",
    "impatient-callers",
    "littles-law",
    "backoff-jitter",
    "fix-sticky",
];

#[test]
fn tracing_changes_no_digest_of_a_dozen_bundled_experiments() {
    let files = experiments();
    let mut with_traces = 0;
    for name in DOZEN {
        let file = files.iter().find(|file| file.name == name).expect("a bundled experiment");
        let resolved = resolve(&file.text, None);
        let options = RunOptions::seeded(resolved.run.seed);
        let plain = run_with(&resolved, &options);
        assert!(plain.traces.is_empty());
        let selection = Selection { slowest: 2, failed: 2, ..Selection::default() };
        let choose = RunOptions { trace: Some(Tracing::Choose(selection.clone())), ..options.clone() };
        let chosen = run_with(&resolved, &choose);
        let followed = traced(&resolved, &options, selection);
        assert_eq!(parts(&plain.report.digest), parts(&chosen.report.digest), "choosing changes {name}");
        assert_eq!(parts(&plain.report.digest), parts(&followed.report.digest), "following changes {name}");
        assert_eq!(plain.report, followed.report, "{name}");
        assert_eq!(resolved.model.untraceable().is_some(), followed.traces.is_empty(), "{name}");
        with_traces += u32::from(!followed.traces.is_empty());
        same_calls(&chosen.traces, &followed.traces);
        if let Some(slowest) = followed.traces.first().filter(|trace| trace.spans[0].outcome == "ok") {
            let longest = plain.report.edges.iter().filter(|(_, edge)| edge.from_users);
            let longest = longest.filter_map(|(_, edge)| edge.latency.max).max();
            assert_eq!(length(&slowest.spans[0]), longest, "{name}");
        }
        for trace in &followed.traces {
            sound(trace, name, "");
        }
    }
    assert_eq!(with_traces, 10);
}

/// What was followed is what was chosen: as a whole call the same.
fn same_calls(chosen: &[Trace], followed: &[Trace]) {
    assert_eq!(chosen.len(), followed.len());
    for (chosen, followed) in chosen.iter().zip(followed) {
        let head = Trace { spans: followed.spans[..1].to_vec(), why: chosen.why.clone(), ..followed.clone() };
        assert_eq!(&head, chosen);
    }
}

/// Bounds on what a random experiment may cost.
fn options(seed: u64) -> RunOptions {
    let limits = Limits { events: 20_000, events_at_one_instant: 20_000 };
    RunOptions { engine: Engine::Fast, limits, max_in_flight: 5_000, ..RunOptions::seeded(seed) }
}

/// Random graphs, policies and overlapping faults, with every single call traced.
#[test]
fn every_call_of_random_experiments_traced_adds_up_to_the_report() {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut complete = 0;
    for seed in 1..=400 {
        // What a check asks of workers is nobody's call, and stands in no trace.
        let text = random_experiment(seed);
        let text = text.replace("kind: Worker(), ", "").replace("kind: Deep(work: \"500us\"), ", "");
        let resolved = resolve(&text, None);
        let plain = run_with(&resolved, &options(seed)).report;
        let mut every = Vec::new();
        for (name, _) in plain.edges.iter().filter(|(_, edge)| edge.from_users) {
            every.extend((0..20_000).map(|call| (name.to_string(), call)));
        }
        let every = Tracing::Follow(every);
        let output = run_with(&resolved, &RunOptions { trace: Some(every), ..options(seed) });
        assert_eq!(output.report, plain, "experiment {seed}:\n{text}");
        for trace in &output.traces {
            sound(trace, &format!("experiment {seed}"), &text);
            for span in &trace.spans {
                *seen.entry(format!("{:?} {}", span.kind, span.outcome)).or_default() += 1;
            }
        }
        // A trace that is too long is cut, and cannot add up.
        if output.traces.iter().all(|trace| trace.left_out == 0) {
            complete += 1;
            adds_up(&output.report, &output.traces, &format!("experiment {seed}:\n{text}"));
        }
    }
    assert!(complete > 100);
    // The generator must reach what traces can say.
    for said in [
        "Call ok",
        "Call error",
        "Call deadline",
        "Call breaker open",
        "Call bulkhead full",
        "Call pool full",
        "Call cancelled",
        "Call in flight",
        "Call timed out",
        "Call rejected",
        "Call refused",
        "Call reset",
        "Attempt ok",
        "Attempt breaker open",
        "Attempt timed out",
        "Attempt cancelled",
        "BackOff ",
        "BackOff budget refused",
        "BackOff cancelled",
        "Line ",
        "Line bulkhead full",
        "Line pool full",
        "Line cancelled",
        "Network ",
        "Network lost",
        "Network held",
        "Queue ",
        "Queue rejected",
        "Queue refused",
        "Queue replica down",
        "Queue black hole",
        "Queue crashed",
        "Queue expired",
        "Work ",
        "Work error",
        "Work crashed",
        "Waiting ",
        "Waiting error",
        "Waiting crashed",
    ] {
        assert!(seen.contains_key(said), "never `{said}`: {seen:#?}");
    }
}

fn length(span: &Span) -> Option<u64> {
    span.to.map(|to| to - span.from)
}

/// Laws of a single trace.
fn sound(trace: &Trace, what: &str, text: &str) {
    let at = |index: usize| {
        format!("{what}: {} call {}, span {index}: {:#?}", trace.edge, trace.call, trace.spans)
    };
    let spans = &trace.spans;
    assert!(spans[0].kind == SpanKind::Call && spans[0].parent.is_none() && spans[0].at == trace.edge);
    for (index, span) in spans.iter().enumerate() {
        assert!(span.to.is_none_or(|to| to >= span.from), "{}", at(index));
        assert!(
            index == 0 || spans[index - 1].from <= span.from,
            "in the order of their beginning: {}",
            at(index)
        );
        let Some(parent) = span.parent else {
            assert_eq!(index, 0, "{}", at(index));
            continue;
        };
        assert!((parent as usize) < index, "{}", at(index));
        let above = &spans[parent as usize];
        assert!(above.from <= span.from, "{}", at(index));
        let belongs = match span.kind {
            SpanKind::Call => SpanKind::Waiting,
            SpanKind::Attempt | SpanKind::BackOff | SpanKind::Line => SpanKind::Call,
            _ => SpanKind::Attempt,
        };
        assert_eq!(above.kind, belongs, "{}", at(index));
        // What a caller does ends with the caller; what a server does may outlast it, and so may the other calls of a
        // request that failed with the first of them, those that it left behind, and those that it did not wait for.
        let failed_fast = above.kind == SpanKind::Waiting && above.outcome == "error";
        let goes_on = span.kind == SpanKind::Call && (span.wasted || is_aside(text, &span.at));
        if !matches!(above.kind, SpanKind::Attempt) && !failed_fast && !goes_on {
            assert!(span.to.unwrap_or(u64::MAX) <= above.to.unwrap_or(u64::MAX), "{}", at(index));
        }
    }
    if trace.left_out > 0 {
        return;
    }
    for (index, span) in spans.iter().enumerate() {
        let parts = || spans.iter().filter(|part| part.parent == Some(index as u32));
        let tiled = match span.kind {
            // Whole calls and good attempts are the sum of their parts.
            SpanKind::Call => span.to.is_some(),
            SpanKind::Attempt => span.outcome == "ok",
            _ => false,
        };
        if tiled {
            let (mut reached, mut copies) = (span.from, false);
            let parts = || parts().filter(|part| is_own(trace, part));
            for part in parts() {
                // A copy is sent while another attempt is out; nothing else overlaps.
                let overlaps = part.from < reached;
                assert!(
                    if overlaps { span.kind == SpanKind::Call } else { part.from == reached },
                    "a gap in {}",
                    at(index)
                );
                copies |= overlaps;
                reached = reached.max(part.to.expect("it ended"));
            }
            assert_eq!(Some(reached), span.to, "{}", at(index));
            let sum: u64 = parts().map(|part| length(part).expect("it ended")).sum();
            assert!(copies || Some(sum) == length(span), "{}", at(index));
        }
    }
}

/// All traces together against the report of the same run.
fn adds_up(report: &Report, traces: &[Trace], what: &str) {
    let warm_up = report.run.warm_up;
    let all = || traces.iter().flat_map(|trace| trace.spans.iter().map(move |span| (trace, span)));
    // Nobody follows what no user asks for.
    let checks = ["health->", "liveness->", "readiness->", "startup->"];
    // Nor the errands of replicas and callers: `api->consul/heartbeat`.
    let is_errand = |name: &str| name.contains('/');
    // Nor what a service is asked for by whoever repairs something, and whom it asks in turn: their calls follow from no user's.
    let ends = |name: &str| {
        let (from, to) = name.split_once("->").expect("two ends");
        (from.to_owned(), to.split(['#', '/']).next().expect("a service").to_owned())
    };
    let repairs =
        report.edges.iter().filter(|(name, edge)| name.contains("/repair") && edge.calls.started > 0);
    let mut reached: BTreeSet<String> = repairs.map(|(name, _)| ends(name).1).collect();
    loop {
        let next = report.edges.iter().map(|(name, _)| ends(name)).filter(|(from, _)| reached.contains(from));
        let next: Vec<String> = next.map(|(_, to)| to).filter(|to| !reached.contains(to)).collect();
        if next.is_empty() {
            break;
        }
        reached.extend(next);
    }
    let is_asked_for = |name: &str| {
        let is_check = checks.iter().any(|by| name.starts_with(by));
        !is_check && !is_errand(name) && !reached.contains(&ends(name).0)
    };
    let of_calls = report.edges.iter().filter(|(name, _)| is_asked_for(name));
    for (name, edge) in of_calls {
        let mut calls: BTreeMap<&str, u64> = BTreeMap::new();
        let mut attempts: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut total, mut longest, mut budget_refused) = (0u64, None, 0);
        for (trace, span) in all().filter(|(_, span)| span.at == name) {
            let call = match span.kind {
                SpanKind::Call => span,
                _ => &trace.spans[span.parent.expect("below a call") as usize],
            };
            let measured = matches!(call.kind, SpanKind::Call) && call.from >= warm_up;
            match span.kind {
                SpanKind::Call if measured => {
                    *calls.entry(&span.outcome).or_default() += 1;
                    if span.outcome == "ok" {
                        total += length(span).expect("it ended");
                        longest = longest.max(length(span));
                    }
                }
                SpanKind::Attempt if measured => *attempts.entry(&span.outcome).or_default() += 1,
                SpanKind::BackOff if measured => {
                    budget_refused += u64::from(span.outcome == "budget refused")
                }
                _ => {}
            }
        }
        let counted = |counts: &BTreeMap<&str, u64>, name| counts.get(name).copied().unwrap_or(0);
        for ending in Ending::all() {
            let (outcome, count) = (ending.name(), edge.calls.of(ending));
            assert_eq!(counted(&calls, outcome), count, "calls over {name} that ended `{outcome}`, {what}");
        }
        let (sent, ok) = (&edge.attempts, edge.calls.ok());
        for outcome in Outcome::ALL {
            assert_eq!(
                counted(&attempts, outcome.name()),
                sent.of(outcome),
                "attempts over {name} that ended `{outcome}`, {what}"
            );
        }
        assert_eq!(budget_refused, sent.rationed(), "{name}, {what}");
        assert_eq!(longest, edge.latency.max, "{name}, {what}");
        assert_eq!(total.checked_div(ok), edge.latency.mean, "{name}, {what}");
    }
    let is_told = |service: &str| {
        let to = format!("->{service}/");
        reached.contains(service) || report.edges.iter().any(|(name, _)| name.contains(&to))
    };
    // Nor what whoever keeps a list does for it.
    for (name, service) in report.services.iter().filter(|(name, _)| !is_told(name)) {
        let (mut work, mut wasted, mut in_vain) = (0, 0, 0);
        for (trace, span) in all().filter(|(_, span)| span.kind == SpanKind::Work && served_by(span, name)) {
            let parent = span.parent.expect("below an attempt");
            let stages = || {
                let all = trace.spans.iter().filter(|stage| stage.parent == Some(parent));
                all.filter(|stage| is_own(trace, stage))
            };
            let sent = trace.spans[parent as usize].from;
            let first = stages().next().expect("at least the work");
            let arrived = if first.kind == SpanKind::Network { first.to.expect("it arrived") } else { sent };
            let last = stages().next_back().expect("at least the work");
            // What was for whom is known when the answer is there, or will never be.
            if arrived >= warm_up && (last.to.is_some() || last.outcome == "lost") {
                work += length(span).expect("it ended");
                wasted += if span.wasted { length(span).expect("it ended") } else { 0 };
                in_vain += if !span.wasted && spoilt(trace, parent, what) {
                    length(span).expect("it ended")
                } else {
                    0
                };
            }
        }
        // Where all that is at work shares the cores, work takes longer than what is done of it.
        let own = |line: &str| line.trim_start().starts_with(&format!("\"{name}\": ("));
        if what.lines().any(|line| own(line) && line.contains("ProcessorSharing")) {
            assert!(work >= service.work, "work of {name}, {what}");
            continue;
        }
        let counted = (service.work, service.work_wasted, service.work_in_vain);
        assert_eq!((work, wasted, in_vain), counted, "work of {name}, {what}");
    }
}

/// Whether a part of an attempt is one that whoever sent it waits for. Who was answered with what is old, or before what it writes was passed on, has
/// its calls made in the background, while the answer is on its way or later; if there was no room for what it writes it waited for that first.
fn is_own(trace: &Trace, part: &Span) -> bool {
    let is_early = |part: &Span| part.outcome == "stale" || part.outcome == "taken";
    let beside = || trace.spans.iter().filter(|it| it.parent == part.parent);
    part.kind != SpanKind::Waiting || part.outcome == "taken" || !beside().any(is_early)
}

/// Whether what an attempt brought back reached nobody: it failed, or one above it did. Where all above are still out it may yet. What a request
/// brings back that keeps answers is for whoever asks next.
fn spoilt(trace: &Trace, attempt: u32, text: &str) -> bool {
    let span = |at: u32| &trace.spans[at as usize];
    let mut at = attempt;
    // The first that has not ended well, if there is one so far.
    let mut open = false;
    loop {
        let here = span(at);
        if open && here.to.is_some() {
            return true;
        }
        if !open && here.outcome != "ok" {
            if here.to.is_some() {
                return true;
            }
            open = true;
        }
        let call = span(here.parent.expect("an attempt is of a call"));
        if call.wasted {
            return true;
        }
        // Above a call that is wanted, and that nobody waits for, nobody asks.
        let Some(above) = call.parent.filter(|_| !is_aside(text, &call.at)) else { return false };
        let waiting = span(above);
        if open && (fetches(trace, waiting) || !is_own(trace, waiting)) {
            return false;
        }
        if !open && matches!(waiting.outcome.as_str(), "kept" | "written") {
            return false;
        }
        if !open && !is_own(trace, waiting) {
            // In the background: it came to nothing, or has not come yet.
            return true;
        }
        at = waiting.parent.expect("a request waits");
    }
}

/// Whether what a request waits for is kept for others: it found nothing, or no longer waits for another who went.
fn fetches(trace: &Trace, waiting: &Span) -> bool {
    let mut beside = trace.spans.iter().filter(|it| it.parent == waiting.parent);
    beside.any(|part| {
        part.kind == SpanKind::Work && matches!(part.outcome.as_str(), "miss" | "another fetches")
    })
}

/// Whether the calls over an edge of a random experiment are not waited for.
fn is_aside(text: &str, edge: &str) -> bool {
    // Who calls back does so for whoever has asked, who may have it before the call has ended, or be gone.
    if edge.contains("/callback") {
        return true;
    }
    let Some((caller, callee)) = edge.split_once("->") else { return false };
    let own = |line: &&str| line.trim_start().starts_with(&format!("\"{caller}\": ("));
    let Some(line) = text.lines().find(own) else { return false };
    let Some((_, call)) = line.split_once(&format!("(to: \"{callee}\", probability")) else { return false };
    call.split(", probability").next().is_some_and(|call| call.contains("wait: false"))
}

fn served_by(span: &Span, service: &str) -> bool {
    span.at.strip_prefix(service).is_some_and(|rest| rest.starts_with('['))
}

/// The numbers, keys and times by which one can ask.
#[test]
fn a_call_is_found_again_by_its_number_its_key_and_its_time() {
    let chosen = || Selection { slowest: 3, failed: 3, ..Selection::default() };
    // Any graph in which some calls end well and some do not.
    let graphs = (7..40).map(|seed| (resolve(&random_experiment(seed), None), options(seed)));
    let mut traced_first = graphs.map(|(resolved, options)| {
        let first = traced(&resolved, &options, chosen());
        (resolved, options, first)
    });
    let (resolved, options, first) =
        traced_first.find(|(.., first)| first.traces.len() > 3).expect("such a graph");
    for trace in &first.traces {
        let edge = Some(trace.edge.clone());
        let at = Some(sim_core::SimTime::from_nanos(trace.spans[0].from));
        for selection in [
            Selection { calls: vec![trace.call], edge: edge.clone(), ..Selection::default() },
            Selection { keys: vec![trace.key], ..Selection::default() },
            Selection { at, edge, ..Selection::default() },
        ] {
            let again = traced(&resolved, &options, selection.clone()).traces;
            assert_eq!(again.len(), 1, "{selection:?}");
            // Of several that began at one instant the first is the one of that time.
            let earlier = selection.at.is_some() && again[0].call < trace.call;
            match earlier {
                true => assert_eq!(again[0].spans[0].from, trace.spans[0].from, "{selection:?}"),
                false => assert_eq!(again[0].spans, trace.spans, "{selection:?}"),
            }
        }
    }
}

#[test]
fn a_run_that_is_interrupted_says_what_it_had_chosen() {
    let resolved = resolve(&random_experiment(7), None);
    let mut windows = 0;
    let output =
        collect(&resolved, &options(7), Selection { calls: vec![0], ..Selection::default() }, &mut |_| {
            windows += 1;
            if windows == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    assert_eq!(windows, 2, "there is no second run");
    assert!(output.report.stopped.is_some() && !output.traces.is_empty());
    assert!(output.traces.iter().all(|trace| trace.spans.len() == 1));
}
