//! Traces as Chrome's JSON, which ui.perfetto.dev and chrome://tracing open. Times are microseconds of virtual time.
//!
//! - Process 1 is the run: a counter per window for what was offered, goodput, each queue and what mechanisms measure,
//!   and an instant where a fault begins or ends.
//! - Every trace is a process of its own. Its calls, and what servers do for them, are asynchronous events (`b`,
//!   `e`), each call and each request with an id of its own, since they overlap and may outlast who asked for
//!   them. The attempts and back-offs of one call never overlap: they are slices of a thread per call, and a flow
//!   (`s`, `f`), which needs slices to hold on to, leads from an attempt to its retry.

use serde_json::{Value, json};
use sim_models::report::Report;
use sim_models::trace::{Span, SpanKind, Trace};

const RUN: u64 = 1;

/// The document.
pub fn document(report: &Report, traces: &[Trace]) -> String {
    let mut events = vec![process(RUN, &report.experiment)];
    counters(report, &mut events);
    for disturbance in &report.timeline.disturbances {
        let name = format!("{} {}", disturbance.what, disturbance.on);
        let mut instant = |what: &str, at: u64| {
            let name = format!("{name} {what}");
            events.push(json!({"ph": "i", "s": "g", "cat": "fault", "name": name, "pid": RUN, "tid": 0, "ts": micros(at)}));
        };
        instant("begins", disturbance.from);
        if let Some(to) = disturbance.to.filter(|to| *to <= report.run.duration) {
            instant("ends", to);
        }
    }
    for (number, trace) in traces.iter().enumerate() {
        let end = report.run.duration;
        Process { pid: RUN + 1 + number as u64, number, trace, end, events: &mut events }.write();
    }
    let document = json!({
        "displayTimeUnit": "ms",
        "otherData": {
            "experiment": report.experiment, "variant": report.variant, "seed": report.run.seed,
            "time": "virtual, from the beginning of the run",
        },
        "traceEvents": events,
    });
    document.to_string() + "\n"
}

/// Microseconds, to the nanosecond.
fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

fn process(pid: u64, name: &str) -> Value {
    json!({"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": name}})
}

fn counters(report: &Report, events: &mut Vec<Value>) {
    let window = report.run.window;
    let mut counter = |name: String, values: &mut dyn Iterator<Item = f64>| {
        for (number, value) in values.enumerate() {
            let at = micros(number as u64 * window);
            events.push(
                json!({"ph": "C", "name": name, "pid": RUN, "tid": 0, "ts": at, "args": {"value": value}}),
            );
        }
    };
    let users = || report.edges.iter().filter(|(_, edge)| edge.from_users);
    let windows = users().map(|(_, edge)| edge.windows.started.len()).max().unwrap_or(0);
    let length = move |row: usize| window.min(report.run.duration.saturating_sub(row as u64 * window)).max(1);
    let per_second = |row: usize, n: u64| n as f64 * 1e9 / length(row) as f64;
    let total = |row: usize, of: fn(&sim_models::report::EdgeWindows) -> &Vec<u64>| {
        users().filter_map(|(_, edge)| of(&edge.windows).get(row)).sum::<u64>()
    };
    counter("offered /s".into(), &mut (0..windows).map(|row| per_second(row, total(row, |w| &w.started))));
    counter("goodput /s".into(), &mut (0..windows).map(|row| per_second(row, total(row, |w| &w.ok))));
    for (name, service) in report.services.iter() {
        let queue = service.windows.queue_ns.iter().enumerate();
        counter(format!("queue {name}"), &mut queue.map(|(row, &ns)| ns as f64 / length(row) as f64));
    }
    for section in &report.sections {
        for line in &section.series {
            let names = [&section.kind, &line.name, &section.at].map(String::as_str);
            counter(names.join(" ").trim_end().into(), &mut line.values.iter().copied());
        }
    }
}

struct Process<'a> {
    pid: u64,
    number: usize,
    trace: &'a Trace,
    /// The end of the run.
    end: u64,
    events: &'a mut Vec<Value>,
}

impl Process<'_> {
    fn write(&mut self) {
        let Trace { edge, call, spans, .. } = self.trace;
        let name = format!("call {call} of {edge}: {}", spans[0].outcome);
        self.events.push(process(self.pid, &name));
        // The last attempt of each call so far.
        let mut previous: Vec<Option<usize>> = vec![None; spans.len()];
        for (index, span) in spans.iter().enumerate() {
            let parent = span.parent.map(|parent| parent as usize);
            match (span.kind, parent) {
                (SpanKind::Call, _) => {
                    self.events.push(json!({
                        "ph": "M", "name": "thread_name", "pid": self.pid, "tid": index + 1,
                        "args": {"name": format!("attempts over {}", span.at)},
                    }));
                    self.asynchronous("call", index, &span.at, index);
                }
                (SpanKind::Attempt, Some(call)) => {
                    self.slice(&format!("attempt {}", span.attempt), index, call);
                    if let Some(before) = previous[call].replace(index) {
                        self.flow(before, index, call);
                    }
                }
                (SpanKind::BackOff, Some(call)) => self.slice("back-off", index, call),
                (SpanKind::Line, Some(call)) => self.slice("in line", index, call),
                (SpanKind::Network, Some(attempt)) => self.asynchronous("request", attempt, "network", index),
                (kind, Some(attempt)) => {
                    let what = match kind {
                        SpanKind::Queue => "queue",
                        SpanKind::Work => "work",
                        _ => "waiting",
                    };
                    self.asynchronous("request", attempt, &format!("{what} {}", span.at), index);
                }
                (_, None) => {}
            }
        }
    }

    /// When a span is drawn to end: a lost message with the attempt, whatever else is open with the run.
    fn end_of(&self, span: &Span) -> u64 {
        let attempt = span.parent.and_then(|parent| self.trace.spans[parent as usize].to);
        let lost = attempt.filter(|_| span.outcome == "lost");
        span.to.or(lost).unwrap_or(self.end).max(span.from)
    }

    fn arguments(&self, span: &Span) -> Value {
        json!({
            "at": span.at, "outcome": span.outcome, "wasted": span.wasted, "unfinished": span.to.is_none(),
        })
    }

    /// `category` and the number of who it belongs to make the id.
    fn asynchronous(&mut self, category: &str, owner: usize, name: &str, index: usize) {
        let span = &self.trace.spans[index];
        let id = format!("{category}-{}-{owner}", self.number);
        let (arguments, end) = (self.arguments(span), self.end_of(span));
        for (phase, at, arguments) in [("b", span.from, arguments), ("e", end, json!({}))] {
            self.events.push(json!({
                "ph": phase, "cat": category, "id": id, "name": name, "pid": self.pid, "tid": 0,
                "ts": micros(at), "args": arguments,
            }));
        }
    }

    fn slice(&mut self, name: &str, index: usize, call: usize) {
        let span = &self.trace.spans[index];
        self.events.push(json!({
            "ph": "X", "cat": "attempt", "name": name, "pid": self.pid, "tid": call + 1, "ts": micros(span.from),
            "dur": micros(self.end_of(span) - span.from), "args": self.arguments(span),
        }));
    }

    fn flow(&mut self, from: usize, to: usize, call: usize) {
        let id = format!("retry-{}-{to}", self.number);
        for (phase, index) in [("s", from), ("f", to)] {
            let mut event = json!({
                "ph": phase, "cat": "retry", "name": "retry", "id": id, "pid": self.pid, "tid": call + 1,
                "ts": micros(self.trace.spans[index].from),
            });
            if phase == "f" {
                event["bp"] = json!("e");
            }
            self.events.push(event);
        }
    }
}
