//! The closed form beside what was measured, wherever the graph or a part of it has one.
//!
//! - [`queue`]: one queue with known arrivals: M/M/c, M/M/c/K, M/G/1, Erlang A, B and C, closed loops.
//! - [`flow`]: which services of a graph have such arrivals, and why.
//! - [`chance`]: attempts and success when failures are independent with a known probability.
//! - [`scaling`]: the universal scalability law of users who never think.
//!
//! All of it is about steady states, so a graph with a fault has none, unless the fault is errors or
//! losses from beginning to end, which only chances know. Nothing is said of what was before a first fault:
//! a run measures from the end of its warm-up to its own end.

mod chance;
mod flow;
mod queue;
mod scaling;

use super::build::{EdgePlan, concerns, edges};
use super::measure::ServiceTotals;
use super::spec::{Arrivals, GraphSpec, Queue};
use super::state::{Caller, Service};
use crate::RunSpec;
use crate::policy::Policy;
use crate::policy::retry::Retry;
use crate::report::{Named, Report, Value};
use crate::theory::erlang_b;
use chance::Chances;
use queue::Textbook;

/// Adds exact values to a report. `totals` is what each service counted while it was measured.
pub fn beside(spec: &GraphSpec, run: &RunSpec, totals: &[ServiceTotals], report: &mut Report) {
    let plans = edges(spec);
    let mut values = Values { found: Named::default() };
    let chances = Chances::of(spec, run, &plans, report);
    if spec.faults.is_empty() {
        queues(spec, &plans, chances.as_ref(), totals, report, &mut values);
        bulkheads(spec, &plans, report, &mut values);
        scaling::beside(spec, &plans, report, &mut values);
    }
    if let Some(chances) = &chances {
        retries(&plans, chances, report, &mut values);
    }
    for (name, value) in values.found.0 {
        report.values.push(name, value);
    }
}

/// Values with something exact beside them.
struct Values {
    found: Named<Value>,
}

impl Values {
    /// A value, if both sides of it are known.
    fn add(
        &mut self,
        name: String,
        about: &str,
        unit: &str,
        measured: Option<f64>,
        exact: Option<f64>,
        source: &str,
    ) {
        if let (Some(value), Some(exact)) = (measured, exact.filter(|exact| exact.is_finite())) {
            let value = Value {
                about: about.into(),
                value,
                unit: unit.into(),
                exact: Some(exact),
                standard_error: None,
                source: source.into(),
            };
            self.found.push(name, value);
        }
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Every service that is a textbook queue; of a graph with one service and one workload it is the graph.
fn queues(
    spec: &GraphSpec,
    plans: &[EdgePlan],
    chances: Option<&Chances>,
    totals: &[ServiceTotals],
    report: &Report,
    values: &mut Values,
) {
    let alone = spec.services.len() == 1 && spec.workload.len() == 1;
    let sites = chance::sites(spec, plans);
    let mut laws: Vec<Option<Textbook>> = match chances {
        Some(chances) => flow::laws(spec, plans, &sites, chances),
        None => vec![None; spec.services.len()],
    };
    if alone && acts_never(&plans[0].policy) && plans[0].network.nanos.mean() == 0.0 {
        let service = spec.service(0);
        if service.error_rate == 0.0 && service.dies.is_none() {
            laws[0] = laws[0].take().or_else(|| queue::closed_loop(&spec.workload[0], service));
        }
    }
    for (number, plan) in plans.iter().enumerate().take(spec.workload.len()) {
        response(spec, plans, &sites, &laws, (number, plan, alone), report, values);
    }
    for (number, law) in laws.iter().enumerate() {
        let Some(law) = law.as_ref().filter(|law| law.work_mean > 0.0) else { continue };
        let (service, totals) = (&report.services.0[number].1, &totals[number]);
        let name = |what: &str| if alone { what.to_owned() } else { format!("{what} {}", spec.name(number)) };
        let wait = service.wait_mean.map(|ns| ns as f64);
        values.add(name("wait_mean"), "mean wait of those served", "ns", wait, law.wait_mean, law.source);
        if alone {
            let edge = &report.edges.0[0].1;
            let rejected = share(edge.attempts.rejected, edge.attempts.sent);
            let waiting = share(totals.queued, totals.entered);
            let left = share(totals.begun, totals.entered).map(|begun| 1.0 - begun);
            values.add(
                name("waiting"),
                "share of arrivals that must wait",
                "share",
                waiting,
                law.waiting,
                law.source,
            );
            values.add(
                name("rejected"),
                "share of arrivals that find no place",
                "share",
                rejected,
                law.rejected,
                law.source,
            );
            values.add(
                name("abandoned"),
                "share of arrivals who leave before their turn",
                "share",
                left,
                law.abandoned,
                law.source,
            );
            values.add(
                name("in_time"),
                "share of calls answered while the caller waits",
                "share",
                edge.success,
                law.in_time,
                law.source,
            );
        }
        let about = "share of the workers' time that is busy";
        values.add(
            name("utilisation"),
            about,
            "share",
            Some(service.utilisation),
            law.utilisation,
            law.source,
        );
    }
}

/// The mean response of users, where all that they wait for is known.
fn response(
    spec: &GraphSpec,
    plans: &[EdgePlan],
    sites: &[std::ops::Range<usize>],
    laws: &[Option<Textbook>],
    (number, plan, alone): (usize, &EdgePlan, bool),
    report: &Report,
    values: &mut Values,
) {
    let latency = &report.edges.0[number].1.latency;
    let Some(mean) = mean_response(spec, plans, sites, laws, number, number) else { return };
    let name = |what: &str| if alone { what.to_owned() } else { format!("{what} {}", plan.name) };
    let measured = latency.mean.map(|ns| ns as f64);
    let single = laws[plan.callee].as_ref().filter(|_| alone && spec.service(plan.callee).calls.is_empty());
    let source = single.map_or("sum of the means of its parts", |law| law.source);
    values.add(name("response_mean"), "mean response time", "ns", measured, Some(mean), source);
    if let Some(law) = single {
        let stretch = |response: Option<f64>| response.map(|response| response / law.work_mean);
        let about = "mean response in mean service times";
        values.add("stretch".into(), about, "", stretch(measured), stretch(Some(mean)), source);
        let instant = plan.network.nanos.mean() == 0.0;
        let exact = law.response_p99.filter(|_| instant);
        let measured = latency.p99.map(|ns| ns as f64);
        values.add("response_p99".into(), "99 % of responses are at or below", "ns", measured, exact, source);
    }
}

/// Nanoseconds from the beginning of a call over an edge to its end: network, wait, work, and all that is called,
/// one after another; `None` where something fails, is cut off, or waits for the slowest of several.
fn mean_response(
    spec: &GraphSpec,
    plans: &[EdgePlan],
    sites: &[std::ops::Range<usize>],
    laws: &[Option<Textbook>],
    edge: usize,
    workload: usize,
) -> Option<f64> {
    let plan = &plans[edge];
    let service = spec.service(plan.callee);
    let quiet = acts_never(&plan.policy) && (service.error_rate == 0.0 || plan.call.is_none());
    if !quiet || (service.error_rate > 0.0 && !service.calls.is_empty()) {
        return None;
    }
    let law = laws[plan.callee].as_ref()?;
    // Who is turned away ends the call of a user, and is not in the mean; a call further down may be optional.
    if law.abandoned.is_some() || (law.rejected.is_some() && plan.call.is_some()) {
        return None;
    }
    let mut mean = 2.0 * plan.network.nanos.mean() + law.response_mean?;
    for (step, first) in chance::steps_of(spec, plan.callee, sites[plan.callee].start) {
        for (edge, call) in (first..).zip(&step.calls) {
            if !concerns(spec, &plans[edge], workload) {
                continue;
            }
            if step.parallel && (step.calls.len() > 1 || call.times > 1) {
                return None;
            }
            let each = mean_response(spec, plans, sites, laws, edge, workload)?;
            mean += call.probability * f64::from(call.times) * each;
        }
    }
    Some(mean)
}

/// Whether a policy leaves every call alone.
fn acts_never(policy: &Policy) -> bool {
    policy.timeout.is_none()
        && policy.deadline.is_none()
        && policy.breaker.is_none()
        && policy.bulkhead.is_none()
        && matches!(policy.retry, Retry::None)
}

/// A bulkhead in front of what never makes anybody wait is Erlang's loss system, whatever the work.
fn bulkheads(spec: &GraphSpec, plans: &[EdgePlan], report: &Report, values: &mut Values) {
    for (number, workload) in spec.workload.iter().enumerate() {
        let plan = &plans[number];
        let service = spec.service(plan.callee);
        let (Some(bulkhead), Arrivals::Poisson(rate)) = (&plan.policy.bulkhead, &workload.arrivals) else {
            continue;
        };
        let only = plans.iter().filter(|other| other.callee == plan.callee).count() == 1;
        let others_rest = acts_never(&Policy { bulkhead: None, ..plan.policy.clone() });
        let most = u64::from(bulkhead.max_concurrent) * u64::from(workload.clients);
        let one_queue = service.replicas == 1 || matches!(service.queue, Queue::SharedFifo { .. });
        let workers = u64::from(service.workers.count()) * u64::from(service.replicas);
        let independent =
            service.scaling.law().is_none() && service.dies.is_none() && service.calls.is_empty();
        if only && others_rest && one_queue && independent && most <= workers {
            let held = service.work.nanos.mean() + 2.0 * plan.network.nanos.mean();
            let offered = rate.get() / f64::from(workload.clients) * held / 1e9;
            let calls = &report.edges.0[number].1.calls;
            let name = if plans.len() == 1 { "refused".into() } else { format!("refused {}", plan.name) };
            let exact = erlang_b(bulkhead.max_concurrent, offered);
            let about = "share of calls that the bulkhead refuses";
            values.add(
                name,
                about,
                "share",
                share(calls.bulkhead_full, calls.started),
                Some(exact),
                "Erlang B",
            );
        }
    }
}

/// A source, and whether what it gives is not exact: such values are shown and not judged.
fn said(source: &str, rough: bool) -> String {
    let mark = if rough && !source.contains("approximate") { ", approximate" } else { "" };
    format!("{source}{mark}")
}

/// Attempts and success where failures are known.
fn retries(plans: &[EdgePlan], chances: &Chances, report: &Report, values: &mut Values) {
    let fails = |edge: usize| chances.of_edge(edge).filter(|outlook| outlook.p_fail > 0.0);
    for (number, plan) in plans.iter().enumerate() {
        let Some(outlook) = fails(number).filter(|outlook| outlook.attempts > 1.0) else { continue };
        let edge = &report.edges.0[number].1;
        let name = format!("amplification {}", plan.name);
        let source = said(outlook.source, outlook.rough);
        values.add(name, "attempts per call", "", edge.amplification, Some(outlook.attempts), &source);
        let per_user = chances.per_user_call(number).filter(|per_user| *per_user != outlook.attempts);
        let name = format!("per_user_call {}", plan.name);
        let source = said("product of the layers", chances.any_rough());
        values.add(name, "attempts per call of a user", "", edge.per_user_call, per_user, &source);
    }
    for (number, plan) in plans.iter().enumerate() {
        if let (Caller::Workload(_), Some(outlook)) = (plan.caller, fails(number)) {
            let success = report.edges.0[number].1.success;
            let name = format!("success {}", plan.name);
            let source = match outlook.attempts > 1.0 {
                true if outlook.budgeted => "(1 - p) times attempts per call",
                true => "1 - p^(r+1)",
                false => "1 - p",
            };
            let source = said(source, outlook.rough);
            values.add(name, "calls that end well", "share", success, Some(1.0 - outlook.fails), &source);
        }
    }
}

impl Service {
    /// What was counted after the warm-up, up to `now`.
    pub fn measured(&self, now: sim_core::SimTime) -> ServiceTotals {
        let (all, before) = (self.totals(now), &self.stats.at_warm_up);
        ServiceTotals {
            arrived: all.arrived - before.arrived,
            completed: all.completed - before.completed,
            entered: all.entered - before.entered,
            queued: all.queued - before.queued,
            begun: all.begun - before.begun,
            wait_ns: all.wait_ns - before.wait_ns,
            queue_area: all.queue_area - before.queue_area,
            busy_area: all.busy_area - before.busy_area,
            available_area: all.available_area - before.available_area,
        }
    }
}
