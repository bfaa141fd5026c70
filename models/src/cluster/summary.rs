//! What came of it: what clients could get, who led, and what the simulator knows that nobody else did.

use super::asking::outline;
use super::machine::{EDGE, Machine};
use super::protocol::{Op, Protocol};
use super::tape::Tape;
use crate::report::{Better, Disturbance, Report, Section, Series, Unit, Value, Verdict, VerdictKind};
use crate::trace::{Span, SpanKind, Trace, Tracing};
use sim_core::{SimDuration, SimTime};

/// All values that there may be: what people look at first comes first.
pub const NAMES: [&str; 17] = [
    "longest_silence",
    "time_to_elect_p50",
    "time_to_elect_max",
    "writes_lost",
    "stale_reads",
    "writes_done_twice",
    "two_leaders_in_a_term",
    "different_operations",
    "two_leaders",
    "no_leader",
    "leaders",
    "candidacies",
    "write_mean",
    "write_p50",
    "write_p99",
    "read_p50",
    "messages_per_operation",
];

/// What the report has a section of: where each node stood.
pub fn declared() -> Vec<Section> {
    let line = Section::new("cluster", "").line(
        "leaders",
        Unit::Plain,
        "Nodes that led, on average of each window.",
    );
    vec![line.line("messages", Unit::Rate, "Messages sent, by nodes and clients.")]
}

/// A value: its name, its unit, what it is, how much, and what is better.
type Told = (&'static str, Unit, &'static str, Option<f64>, Option<Better>);

pub fn fill<P: Protocol>(machine: &Machine<P>, reached: SimTime, report: &mut Report) {
    let truth = &machine.truth;
    let from = truth.begun;
    let measured = reached.max(from).since(from).as_nanos() as f64;
    let areas = truth.areas(reached);
    let share =
        |which: usize| (measured > 0.0).then(|| (areas[which] - truth.areas[which]) as f64 / measured);
    let (counts, before) = (&truth.counts, &truth.warm_up);
    let (answered, unknown) = (counts.answered - before.answered, counts.unknown - before.unknown);
    let over = answered + unknown;
    // Of those that were asked long enough ago: who still waits at the end may yet be answered.
    let availability = (over > 0).then(|| answered as f64 / over as f64);
    let states: Vec<&P> = machine.nodes.iter().map(|place| &place.state).collect();
    let lost = truth.history.lost(&P::left(&states));
    let silence = truth.silence.max(last_silence(machine, reached));
    let ns = |of: Option<u64>| of.map(|ns| ns as f64);
    let count = |count: u64| Some(count as f64);
    let all: [Told; 17] = [
        (
            "longest_silence",
            Unit::Duration,
            "the longest that no client was answered",
            ns(Some(silence.as_nanos())),
            Some(Better::Less),
        ),
        (
            "time_to_elect_p50",
            Unit::Duration,
            "from the moment that nobody led until somebody did, the median",
            ns(truth.elected.percentile_ns(50.0)),
            Some(Better::Less),
        ),
        (
            "time_to_elect_max",
            Unit::Duration,
            "the longest of these",
            ns(truth.elected.max_ns()),
            Some(Better::Less),
        ),
        (
            "writes_lost",
            Unit::Plain,
            "writes that were answered and are gone at the end",
            count(lost),
            Some(Better::Less),
        ),
        (
            "stale_reads",
            Unit::Plain,
            "reads that found what was older than a write that had been answered before they were asked",
            count(truth.history.stale),
            Some(Better::Less),
        ),
        (
            "writes_done_twice",
            Unit::Plain,
            "writes that were done again, since their clients asked again",
            count(truth.again),
            Some(Better::Less),
        ),
        (
            "two_leaders_in_a_term",
            Unit::Plain,
            "times that somebody led in a term in which another had",
            count(truth.twice),
            Some(Better::Less),
        ),
        (
            "different_operations",
            Unit::Plain,
            "operations done where another node did something else",
            count(truth.forked),
            Some(Better::Less),
        ),
        (
            "two_leaders",
            Unit::Share,
            "of the time, with more than one that thought it led",
            share(2),
            Some(Better::Less),
        ),
        ("no_leader", Unit::Share, "of the time, with nobody who led", share(1), Some(Better::Less)),
        (
            "leaders",
            Unit::Plain,
            "times that a node began to lead",
            count(counts.led - before.led),
            Some(Better::Less),
        ),
        (
            "candidacies",
            Unit::Plain,
            "times that a node began to stand for election",
            count(counts.stood - before.stood),
            Some(Better::Less),
        ),
        (
            "write_mean",
            Unit::Duration,
            "how long a write took, on average",
            ns(truth.latency.mean_ns()),
            Some(Better::Less),
        ),
        (
            "write_p50",
            Unit::Duration,
            "how long a write took, the median",
            ns(truth.latency.percentile_ns(50.0)),
            Some(Better::Less),
        ),
        (
            "write_p99",
            Unit::Duration,
            "and what 99 of 100 were within",
            ns(truth.latency.percentile_ns(99.0)),
            Some(Better::Less),
        ),
        (
            "read_p50",
            Unit::Duration,
            "how long a read took, the median",
            ns(truth.reads.percentile_ns(50.0)),
            Some(Better::Less),
        ),
        (
            "messages_per_operation",
            Unit::Plain,
            "messages sent for each operation that was answered",
            (answered > 0).then(|| (counts.sent - before.sent) as f64 / answered as f64),
            Some(Better::Less),
        ),
    ];
    for (name, unit, about, value, better) in all {
        let headline = matches!(name, "longest_silence" | "leaders" | "writes_lost" | "stale_reads");
        report.values.push(name, Value { value, better, headline, ..Value::new(unit, about) });
    }
    report.summary.success = availability;
    report.verdict = verdict(machine, availability, silence, lost);
    for mut section in declared() {
        section.draw("leaders", truth.lines[2].clone());
        section.draw("messages", truth.lines[3].clone());
        report.sections.push(section);
    }
    let lines = [("asked", "/s", &truth.lines[0]), ("answered", "/s", &truth.lines[1])];
    for (name, unit, values) in lines {
        let series =
            Series { name: name.into(), unit: unit.into(), values: values.clone(), ..Series::default() };
        report.timeline.series.push(series);
    }
    report.timeline.lanes = truth.lanes(reached);
    for fault in &machine.spec.faults {
        let mut from = fault.at.value;
        while from < reached {
            let to = fault.r#for.map(|length| (from + length).as_nanos());
            report.timeline.disturbances.push(Disturbance {
                what: fault.effect.name().into(),
                on: fault.on.clone(),
                from: from.as_nanos(),
                to,
            });
            let Some(every) = fault.every else { break };
            from = from + every;
        }
    }
    if truth.struck.1 > 0 {
        report.notes.push(format!(
            "{} of the faults found nobody whom they were meant for: nobody led when they began",
            truth.struck.1
        ));
    }
}

/// The operations that were asked for: which they are, or all of what was said because of them.
pub fn traces<P: Protocol>(
    mut machine: Machine<P>,
    reached: SimTime,
    tracing: Option<&Tracing>,
) -> Vec<Trace> {
    match tracing {
        None => Vec::new(),
        Some(Tracing::Choose(_)) => {
            let mut chooser = machine.chooser.take().expect("it chooses");
            for asking in machine.clients.asking() {
                chooser.ended(
                    outline(asking.request.op, asking.asked, None, "in flight", asking.session),
                    reached,
                );
            }
            chooser.into_traces(|_| EDGE.to_owned())
        }
        Some(Tracing::Follow(calls)) => {
            let tape = machine.tape.take().expect("it follows");
            calls.iter().map(|(edge, call)| trace(&machine, &tape, edge, *call)).collect()
        }
    }
}

fn trace<P: Protocol>(machine: &Machine<P>, tape: &Tape, edge: &str, call: u64) -> Trace {
    let seen = &machine.truth.history.seen[call as usize];
    let sequence = tape.sequence(call as Op, machine.spec.nodes);
    let over = seen.answered.or_else(|| tape.ended(call as Op));
    let outcome = match (seen.answered, over) {
        (Some(_), _) => "ok",
        (None, Some(_)) => "timed out",
        (None, None) => "in flight",
    };
    let span = Span {
        kind: SpanKind::Call,
        at: edge.into(),
        from: seen.asked.as_nanos(),
        to: over.map(SimTime::as_nanos),
        outcome: outcome.into(),
        ..Span::default()
    };
    Trace {
        edge: edge.into(),
        call,
        key: call,
        spans: vec![span],
        sequence: Some(sequence),
        ..Trace::default()
    }
}

/// How long nobody has been answered at the end, if anybody waits.
fn last_silence<P: Protocol>(machine: &Machine<P>, reached: SimTime) -> SimDuration {
    let since = machine.truth.answered_at().max(machine.truth.begun);
    if machine.clients.open > 0 && reached > since { reached.since(since) } else { SimDuration::ZERO }
}

fn verdict<P: Protocol>(
    machine: &Machine<P>,
    availability: Option<f64>,
    silence: SimDuration,
    lost: u64,
) -> Verdict {
    let truth = &machine.truth;
    let mut details = Vec::new();
    let wrong = [
        (truth.twice, "twice two nodes led in one term", "times two nodes led in one term"),
        (lost, "one write was answered and is gone", "writes were answered and are gone"),
        (
            truth.history.stale,
            "one read was older than what had been answered",
            "reads were older than what had been answered",
        ),
        (truth.again, "one write was done twice", "writes were done twice"),
        (
            truth.forked,
            "one operation was done where another node did something else",
            "operations were done where another node did something else",
        ),
    ];
    for (count, one, many) in wrong {
        match count {
            0 => {}
            1 => details.push(one.to_owned()),
            count => details.push(format!("{count} {many}")),
        }
    }
    let broken = std::mem::take(&mut details);
    if let Some(longest) = truth.elected.max_ns() {
        let longest = SimDuration::from_nanos(longest);
        details.push(format!("nobody led for up to {}", longest.brief()));
    }
    // What must not be comes first, and what takes more than a line after it.
    let headline = match availability {
        None => "nobody asked".into(),
        Some(share) => {
            let answered = format!("{} of the operations were answered", crate::words::percent(share));
            let silence = format!("with a silence of up to {}", silence.brief());
            match broken.as_slice() {
                [] => format!("{answered}, {silence}; no promise was broken"),
                [one] => format!("{one}; {answered}, {silence}"),
                [one, other, ..] => format!("{one}, {other}; {answered}, {silence}"),
            }
        }
    };
    details.extend(broken.into_iter().skip(2));
    Verdict { kind: VerdictKind::Finding, headline, details, ..Verdict::default() }
}
