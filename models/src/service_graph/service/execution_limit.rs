//! A limit on how long the execution of a request may take: one that takes longer is stopped, and answered with an error.
//!
//! That is how functions on demand and web servers in front of workers defend themselves (AWS Lambda: 15 min; gunicorn and uWSGI likewise). It counts from when
//! a worker begins, the start of its instance left out; waits in the queue do not count, and waits for calls do. What is stopped gives its worker back at once, and has
//! cost what it took until then. Calls that are out for it end with it, retries included; whom they were made to hears nothing of that and goes on, unless
//! their policy says `cancel`. Checks, and what is called back, have no limit.
//!
//! Against a caller's timeout: whoever gives up stops nobody; here the callee stops, whether or not somebody waits. A limit that is longer than callers wait
//! frees workers for others, and answers nobody.

use crate::experiment::{Decoder, Node};
use crate::policy::Outcome;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::slab::Beside;
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;
use crate::service_graph::witness as kind;
use sim_core::{Class, SimDuration, SimTime};

/// How long the execution of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionLimit(pub SimDuration);

impl ExecutionLimit {
    /// Warns of what only shows against the other settings of its service.
    pub fn check_beside(self, service: &ServiceSpec, at: &Node, cx: &mut Decoder) {
        let least = SimDuration::from_nanos_f64(service.work.nanos.min());
        if least > self.0 {
            let message =
                format!("work takes at least {least}, and is stopped after {}: no request is done", self.0);
            cx.warn(at.span_of("execution_limit"), message).help("a longer limit, or shorter `work`");
        }
    }
}

impl Part for ExecutionLimit {
    fn does(&self) -> Does {
        Does::VARIES
    }

    fn brief(&self) -> Option<String> {
        Some(format!("stopped after {}", self.0))
    }

    fn stops_after(&self) -> Option<SimDuration> {
        Some(self.0)
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "execution_limit",
            word: "",
            what: "Stops what has taken so long since a worker began with it, waits for calls included and the start of an instance left out, and answers it with an error; its \
                   worker is free at once. The calls that are out for it end with it; whom they were made to goes on, unless their policy says `cancel`.",
            hurts: "What is stopped has cost all that it took and is often tried again, to be stopped again: a slow dependency turns into errors, paid for at the full limit \
                    each time. And what it had done by then stays done.",
            formula: "of exponential work with mean `m` a share `e^(-limit / m)` is stopped, and a worker is held for `m (1 - e^(-limit / m))` on average",
            source: "AWS Lambda (timeout, at most 15 min); Google Cloud Run (request timeout); gunicorn --timeout, uWSGI harakiri",
            experiment: "serverless",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#""20ms""#, r#""1ms""#, r#""1h""#]
    }
}

/// What is told of it: nothing measured yet.
fn declared(at: &str) -> Section {
    let stopped =
        Value::new(Unit::Plain, "requests that were stopped since they had taken as long as they may");
    let waiting = Value::new(Unit::Plain, "of these, those that waited for a call then");
    Section::new("execution_limit", at)
        .value("stopped", stopped.better(Better::Less).headline().of_windows(Fold::Sum("stopped".into())))
        .value("waiting", waiting.better(Better::Less))
        .line("stopped", Unit::Plain, "Requests that were stopped in each window.")
}

/// Until when each request of a service may go on, and how many were stopped.
#[derive(Clone)]
pub struct Limited {
    limit: SimDuration,
    /// Whose it is, too: what goes on in the background has none.
    until: Beside<(Option<AttemptId>, SimTime)>,
    stopped: u64,
    waiting: u64,
    now: u64,
    windows: Vec<f64>,
}

impl Limited {
    /// Of a service, if it has a limit.
    pub fn by(service: &ServiceSpec) -> Option<Limited> {
        Some(Limited {
            limit: service.execution_limit?,
            until: Beside::default(),
            stopped: 0,
            waiting: 0,
            now: 0,
            windows: Vec::new(),
        })
    }

    /// A worker begins with a request, after its instance has started: until when it may go on.
    pub fn begins(&mut self, id: AttemptId, start: SimDuration, now: SimTime) -> SimTime {
        let until = now + start + self.limit;
        self.until.put(id, (Some(id), until));
        until
    }

    fn is_over(&self, id: AttemptId, now: SimTime) -> bool {
        self.until.get(id).is_some_and(|(of, until)| *of == Some(id) && *until <= now)
    }

    fn stops(&mut self, works: bool, measured: bool) {
        self.now += 1;
        self.stopped += u64::from(measured);
        self.waiting += u64::from(measured && !works);
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(std::mem::take(&mut self.now) as f64);
    }

    /// What is told of it.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        section.set("stopped", self.stopped as f64);
        section.set("waiting", self.waiting as f64);
        section.draw("stopped", self.windows.clone());
        section
    }
}

impl<L: Listen> Graph<L> {
    /// Whether a request that works, or waits for its calls, has taken as long as it may: it is stopped.
    #[cold]
    #[inline(never)]
    pub fn is_stopped(&mut self, id: AttemptId, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let Some(attempt) = self.attempts.get(id) else { return false };
        let works = match attempt.server {
            Server::Working => true,
            Server::Waiting => false,
            _ => return false,
        };
        let (service_id, replica_id) = (self.edges[attempt.edge as usize].callee, attempt.replica);
        let measured = attempt.marks.has(Marks::MEASURED);
        let service = &mut self.services[service_id as usize];
        let still = service.goes_on_at(replica_id, now);
        let Some(limited) = service.limited.as_mut().filter(|it| it.is_over(id, now)) else {
            return false;
        };
        if let Some(at) = still {
            // Nobody is there who could stop it.
            ctx.schedule(at, Class::Timeout, Event::Proceed { attempt: id });
            return true;
        }
        limited.stops(works, measured);
        if works {
            self.witness_attempt(kind::PROCEED, id, ctx);
            self.stops_working(id, ctx);
        } else {
            while let Some(&call) = self.calls_of.get(id.index()).and_then(|calls| calls.last()) {
                self.call_off_call(call, ctx);
            }
            self.waits_for_no_callback(id);
        }
        self.finish(id, Outcome::Error, ctx);
        true
    }
}
