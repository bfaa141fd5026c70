//! Traces as OTLP JSON, which Jaeger's page opens and any OpenTelemetry collector takes.
//!
//! As a tracer in each service would have seen it: a call is an internal span of its caller, every attempt a
//! client span below it (retries are siblings, each linked to the attempt before), and the request in the
//! replica's hands a server span with its queue, work and waiting below. Time on the network is what lies
//! between client and server. Virtual time 0 is [`EPOCH`].
//!
//! The encoding is that of the specification's "JSON Protobuf Encoding": ids in hex, enums as numbers, 64-bit
//! numbers as texts, names in lowerCamelCase.

use serde::Serialize;
use sim_models::report::Report;
use sim_models::trace::{Span, SpanKind, Trace};
use std::collections::BTreeMap;

/// 2000-01-01T00:00:00Z in seconds since 1970: the moment that stands for the beginning of every run.
pub const EPOCH: u64 = 946_684_800;

/// `TracesData`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: [ScopeSpans; 1],
}

#[derive(Debug, Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Debug, Serialize)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<OtlpSpan>,
}

#[derive(Debug, Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OtlpSpan {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    parent_span_id: String,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    status: Status,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    trace_id: String,
    span_id: String,
    attributes: Vec<Attribute>,
}

#[derive(Debug, Serialize)]
struct Status {
    code: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

#[derive(Debug, Serialize)]
struct Attribute {
    key: &'static str,
    value: Any,
}

#[derive(Debug, Serialize)]
enum Any {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "intValue")]
    Whole(String),
    #[serde(rename = "boolValue")]
    Truth(bool),
}

const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// The document.
pub fn document(report: &Report, traces: &[Trace]) -> String {
    // One resource per service, in the order in which they appear.
    let mut services: Vec<(String, Vec<OtlpSpan>)> = Vec::new();
    for trace in traces {
        for (service, span) in (Spans { report, trace }).all() {
            match services.iter_mut().find(|(name, _)| *name == service) {
                Some((_, spans)) => spans.push(span),
                None => services.push((service, vec![span])),
            }
        }
    }
    let resource = |(service, spans): (String, Vec<OtlpSpan>)| {
        let mut attributes =
            vec![text("service.name", service), text("brownout.experiment", &report.experiment)];
        attributes.extend(report.variant.iter().map(|variant| text("brownout.variant", variant)));
        attributes.push(number("brownout.seed", report.run.seed));
        let scope = Scope { name: "brownout", version: env!("CARGO_PKG_VERSION") };
        ResourceSpans { resource: Resource { attributes }, scope_spans: [ScopeSpans { scope, spans }] }
    };
    let document = Document { resource_spans: services.into_iter().map(resource).collect() };
    serde_json::to_string(&document).expect("texts and numbers") + "\n"
}

fn text(key: &'static str, value: impl Into<String>) -> Attribute {
    Attribute { key, value: Any::Text(value.into()) }
}

/// A seed may be more than the signed 64 bits that there are: then it is the same bits.
fn number(key: &'static str, value: u64) -> Attribute {
    Attribute { key, value: Any::Whole((value as i64).to_string()) }
}

fn truth(key: &'static str, value: bool) -> Attribute {
    Attribute { key, value: Any::Truth(value) }
}

struct Spans<'a> {
    report: &'a Report,
    trace: &'a Trace,
}

impl Spans<'_> {
    /// Every span, and the service that saw it.
    fn all(&self) -> Vec<(String, OtlpSpan)> {
        let spans = &self.trace.spans;
        let mut out = Vec::new();
        let mut previous: BTreeMap<u32, usize> = BTreeMap::new();
        for (index, span) in spans.iter().enumerate() {
            match span.kind {
                SpanKind::Call => {
                    // A request makes its calls while it waits.
                    let parent = span.parent.map(|waiting| self.id(waiting as usize)).unwrap_or_default();
                    out.push((self.caller(index), self.span(index, INTERNAL, span.at.clone(), parent)));
                }
                SpanKind::Attempt => {
                    let call = span.parent.expect("an attempt belongs to a call");
                    let name = format!("{} attempt {}", span.at, span.attempt);
                    let mut client = self.span(index, CLIENT, name, self.id(call as usize));
                    let before = previous.insert(call, index).map(|before| Link {
                        trace_id: self.trace_id(),
                        span_id: self.id(before),
                        attributes: vec![text(
                            "brownout.link",
                            if spans[before].attempt == span.attempt { "copy of" } else { "retry of" },
                        )],
                    });
                    client.links.extend(before);
                    client.attributes.push(number("brownout.attempt", span.attempt.into()));
                    out.push((self.caller(call as usize), client));
                    out.extend(self.server(index));
                }
                SpanKind::BackOff | SpanKind::Line => {
                    let call = span.parent.expect("a pause belongs to a call");
                    let name = if span.kind == SpanKind::Line { "in line" } else { "back-off" };
                    let pause = self.span(index, INTERNAL, name.into(), self.id(call as usize));
                    out.push((self.caller(call as usize), pause));
                }
                SpanKind::Network => {}
                SpanKind::Queue | SpanKind::Work | SpanKind::Waiting => {
                    let attempt = span.parent.expect("a part of an attempt") as usize;
                    let name = match span.kind {
                        SpanKind::Queue => "queue",
                        SpanKind::Work => "work",
                        _ => "waiting",
                    };
                    let part = self.span(index, INTERNAL, name.into(), self.server_id(attempt));
                    out.push((service(&span.at).into(), part));
                }
            }
        }
        out
    }

    /// The request in the replica's hands, if it came to that.
    fn server(&self, attempt: usize) -> Option<(String, OtlpSpan)> {
        let spans = &self.trace.spans;
        let parts = spans
            .iter()
            .enumerate()
            .filter(|(_, span)| span.parent == Some(attempt as u32) && span.kind != SpanKind::Network);
        let parts: Vec<(usize, &Span)> = parts.collect();
        let (first, last) = (parts.first()?.1, parts.last()?);
        let mut span = self.span(last.0, SERVER, spans[attempt].at.clone(), self.id(attempt));
        span.span_id = self.server_id(attempt);
        span.start_time_unix_nano = unix(first.from);
        // Where it began, the replica may not have been chosen.
        span.attributes.push(text("service.instance.id", &last.1.at));
        Some((service(&last.1.at).into(), span))
    }

    fn span(&self, index: usize, kind: u8, name: String, parent_span_id: String) -> OtlpSpan {
        let span = &self.trace.spans[index];
        let failed = !matches!(span.outcome.as_str(), "" | "ok" | "in flight" | "held");
        let code = if failed { 2 } else { u8::from(span.outcome == "ok") };
        let mut attributes = vec![text("brownout.at", &span.at)];
        if !span.outcome.is_empty() {
            attributes.push(text("brownout.outcome", &span.outcome));
        }
        if span.wasted {
            attributes.push(truth("brownout.wasted", true));
        }
        if span.to.is_none() {
            attributes.push(truth("brownout.unfinished", true));
        }
        OtlpSpan {
            trace_id: self.trace_id(),
            span_id: self.id(index),
            parent_span_id,
            name,
            kind,
            start_time_unix_nano: unix(span.from),
            end_time_unix_nano: unix(span.to.unwrap_or(self.report.run.duration).max(span.from)),
            attributes,
            links: Vec::new(),
            status: Status { code, message: if failed { span.outcome.clone() } else { String::new() } },
        }
    }

    /// Who makes a call: the service that waits for it, or the users.
    fn caller(&self, call: usize) -> String {
        match self.trace.spans[call].parent {
            Some(waiting) => service(&self.trace.spans[waiting as usize].at).into(),
            None => self.trace.edge.split("->").next().unwrap_or_default().into(),
        }
    }

    fn trace_id(&self) -> String {
        // An id of zeros is none.
        format!("{:016x}{:016x}", self.report.run.seed, self.trace.key.max(1))
    }

    fn id(&self, index: usize) -> String {
        self.nth_id(2 * index as u64 + 1)
    }

    /// Of the server's side of an attempt.
    fn server_id(&self, attempt: usize) -> String {
        self.nth_id(2 * attempt as u64 + 2)
    }

    /// The multiples of an odd number are all different, and so are they with something added.
    fn nth_id(&self, n: u64) -> String {
        let id = self.trace.key.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        format!("{:016x}", id.max(1))
    }
}

/// `payments` of `payments[2]`.
fn service(at: &str) -> &str {
    at.rsplit_once('[').map_or(at, |(service, _)| service)
}

fn unix(nanos: u64) -> String {
    (u128::from(EPOCH) * 1_000_000_000 + u128::from(nanos)).to_string()
}
