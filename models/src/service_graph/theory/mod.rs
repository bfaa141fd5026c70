//! The closed form beside what was measured, wherever the graph or a part of it has one.
//!
//! - [`queue`]: one queue with known arrivals: M/M/c, M/M/c/K, M/G/1, Erlang A, B and C, closed loops.
//! - [`flow`]: which services of a graph have such arrivals, and why.
//! - [`chance`]: attempts and success when failures are independent with a known probability.
//! - [`fluid`]: what outlives its cause, by loads and capacities alone; before a run.
//! - [`kept`]: what is found of answers that are kept, and how often each is fetched.
//! - [`scaling`]: the universal scalability law of users who never think.
//!
//! Each of them says which of the things that a mechanism may do ([`Does`]) it knows, and is silent about a graph
//! in which anything else is done; no mechanism is named here. Where one needs a number, the part is asked.
//!
//! All of it is about steady states, so a graph with a fault has none, unless the fault is errors or
//! losses from beginning to end, which only chances know. Nothing is said of what was before a first fault:
//! a run measures from the end of its warm-up to its own end.

mod chance;
mod flow;
pub mod fluid;
mod kept;
mod queue;
mod usl;

use super::plan::{Caller, EdgePlan, Plan};
use super::stats::ServiceTotals;
use crate::RunSpec;
use crate::fault::Way;
use crate::policy::Outcome;
use crate::policy::part::{Does, Part};
use crate::report::{Named, Report, Value};
use crate::service_graph::spec::Affected;
use crate::theory::{Mg1, MmcPlusD, ServiceMoments, erlang_b};
use chance::Chances;
use queue::Textbook;

/// What leaves every call alone: nothing is rationed where nothing is repeated, and where a call goes or how long it
/// is on the way is in the queues and in the network that it meets.
const QUIET: Does = Does::RATIONS.and(Does::STEERS).and(Does::TRAVELS);

/// What ran, and what was measured.
struct Ran<'a> {
    plan: &'a Plan<'a>,
    run: &'a RunSpec,
    /// What each service counted while it was measured.
    totals: &'a [ServiceTotals],
    report: &'a Report,
}

/// Of one queue, of one edge, of one workload, and of several together: what has something exact beside it.
const OF_SERVICES: [&str; 6] = ["wait_mean", "waiting", "rejected", "abandoned", "in_time", "utilisation"];
const OF_EDGES: [&str; 9] = [
    "response_mean",
    "response_p99",
    "stretch",
    "refused",
    "line_wait",
    "amplification",
    "per_user_call",
    "success",
    "degraded",
];
const OF_WORKLOADS: [&str; 2] = ["throughput", "capacity"];
const OF_FAILURES: [&str; 4] = ["down", "any_down", "all_down", "enough_up"];
const OF_LINKS: [&str; 2] = ["link_wait", "link_busy"];
const OF_ALL: [&str; 3] = ["contention", "coherency", "peak"];

/// The names of all values that there may be. What is alone is not named.
pub fn names(plan: &Plan) -> Vec<String> {
    let spec = plan.spec;
    let mut all: Vec<String> = OF_ALL.map(String::from).to_vec();
    if spec.services.len() == 1 && spec.workload.len() == 1 {
        all.extend([&OF_SERVICES[..], &OF_EDGES, &OF_WORKLOADS].concat().into_iter().map(String::from));
    }
    let mut of = |names: &[&str], place: &str| all.extend(names.iter().map(|name| format!("{name} {place}")));
    spec.services.names().for_each(|service| of(&OF_SERVICES, service));
    plan.edges.iter().for_each(|edge| of(&OF_EDGES, &edge.name));
    spec.workload.iter().for_each(|workload| of(&OF_WORKLOADS, &workload.name.value));
    let full = |edge: &&EdgePlan| {
        let struck = spec.faults.iter().filter(|fault| plan.strikes(fault, edge));
        struck.into_iter().any(|fault| fault.effect.transmits().is_some())
    };
    spec.failures.names().chain(spec.domains.names()).for_each(|name| of(&OF_FAILURES, name));
    let keeping =
        spec.services.iter().filter(|(name, it)| it.around(name).all().any(|part| part.keeps().is_some()));
    keeping.for_each(|(name, _)| of(&kept::VALUES, name));
    plan.edges.iter().filter(full).for_each(|edge| of(&OF_LINKS, &edge.name));
    all
}

/// Adds exact values to a report. `totals` is what each service counted while it was measured.
pub fn beside(plan: &Plan, run: &RunSpec, totals: &[ServiceTotals], report: &mut Report) {
    // Who only glances at what may be measured waits for no theory of it.
    if report.run.events <= 1 {
        return;
    }
    let ran = Ran { plan, run, totals, report };
    let mut values = Values { found: Named::default() };
    let chances = Chances::of(&ran);
    if plan.faults.iter().all(|does| does.within(Does::NOTHING)) {
        queues(&ran, chances.as_ref(), &mut values);
        losses(&ran, &mut values);
        lines(&ran, &mut values);
        usl::beside(&ran, &mut values);
        if let Some(chances) = &chances {
            kept::beside(&ran, chances, &mut values);
        }
    }
    if let Some(chances) = &chances {
        retries(&ran, chances, &mut values);
    }
    links(&ran, &mut values);
    failures(&ran, &mut values);
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
                value: Some(value),
                unit: unit.into(),
                exact: Some(exact),
                source: source.into(),
                ..Value::default()
            };
            self.found.push(name, value);
        }
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Every service that is a textbook queue; of a graph with one service and one workload it is the graph.
fn queues(ran: &Ran, chances: Option<&Chances>, values: &mut Values) {
    let (spec, report) = (ran.plan.spec, ran.report);
    let alone = spec.services.len() == 1 && spec.workload.len() == 1;
    let mut laws: Vec<Option<Textbook>> = match chances {
        Some(chances) => flow::laws(ran.plan, chances),
        None => vec![None; spec.services.len()],
    };
    if alone {
        laws[0] = laws[0].take().or_else(|| queue::closed_loop(ran.plan));
    }
    (0..spec.workload.len()).for_each(|workload| response(ran, &laws, workload, values));
    for (number, law) in laws.iter().enumerate() {
        let Some(law) = law.as_ref().filter(|law| law.work_mean > 0.0) else { continue };
        let (service, totals) = (&report.services.0[number].1, &ran.totals[number]);
        let name = |what: &str| if alone { what.to_owned() } else { format!("{what} {}", spec.name(number)) };
        let wait = service.wait_mean.map(|ns| ns as f64);
        values.add(name("wait_mean"), "mean wait of those served", "ns", wait, law.wait_mean, law.source);
        if alone {
            let edge = &report.edges.0[0].1;
            let rejected = share(edge.attempts.of(Outcome::Rejected), edge.attempts.sent);
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
            // However long they wait, and however well that is known.
            if is_rough(law.source) { "arrivals times work" } else { law.source },
        );
    }
}

/// The mean response of users, where all that they wait for is known.
fn response(ran: &Ran, laws: &[Option<Textbook>], workload: usize, values: &mut Values) {
    let (spec, edge, latency) =
        (ran.plan.spec, &ran.plan.edges[workload], &ran.report.edges.0[workload].1.latency);
    let alone = spec.services.len() == 1 && spec.workload.len() == 1;
    let Some((mean, rough)) = mean_response(ran.plan, laws, workload, workload) else { return };
    let name = |what: &str| if alone { what.to_owned() } else { format!("{what} {}", edge.name) };
    let measured = latency.mean.map(|ns| ns as f64);
    let single = laws[edge.callee].as_ref().filter(|_| alone && ran.plan.callee(edge).calls.is_empty());
    let source = said(single.map_or("sum of the means of its parts", |law| law.source), rough);
    let source = source.as_str();
    values.add(name("response_mean"), "mean response time", "ns", measured, Some(mean), source);
    if let Some(law) = single {
        let stretch = |response: Option<f64>| response.map(|response| response / law.work_mean);
        let about = "mean response in mean service times";
        values.add("stretch".into(), about, "", stretch(measured), stretch(Some(mean)), source);
        let instant = edge.does.within(QUIET.without(Does::TRAVELS));
        let exact = law.response_p99.filter(|_| instant);
        let measured = latency.p99.map(|ns| ns as f64);
        values.add("response_p99".into(), "99 % of responses are at or below", "ns", measured, exact, source);
    }
}

/// Nanoseconds from the beginning of a call over an edge to its end: network, wait, work, and all that is called,
/// one after another, and whether any of it is approximate; `None` where something fails, is cut off, or waits for the
/// slowest of several.
fn mean_response(
    plan: &Plan,
    laws: &[Option<Textbook>],
    number: usize,
    workload: usize,
) -> Option<(f64, bool)> {
    let edge = &plan.edges[number];
    let service = plan.callee(edge);
    // An error is an answer to a user, and the end of what the callee would have called or was called for.
    let last = edge.call.is_none() && service.calls.is_empty();
    let known = if last { queue::KNOWN } else { queue::KNOWN.without(Does::FAILS) }.and(Does::SHARES);
    if !edge.does.within(QUIET) || !plan.does[edge.callee].within(known) {
        return None;
    }
    let law = laws[edge.callee].as_ref()?;
    // Who is turned away ends the call of a user, and is not in the mean; a call further down may be optional.
    if law.abandoned.is_some() || (law.rejected.is_some() && edge.call.is_some()) {
        return None;
    }
    let mut mean = 2.0 * edge.network.nanos.mean() + law.response_mean?;
    let mut rough = is_rough(law.source);
    for (step, edges) in plan.steps(edge.callee) {
        for (edge, call) in edges.zip(&step.calls) {
            if !plan.concerns(edge, workload) || !call.wait {
                continue;
            }
            if step.parallel && (step.calls.len() > 1 || call.times > 1) {
                return None;
            }
            let (each, below) = mean_response(plan, laws, edge, workload)?;
            mean += call.probability * f64::from(call.times) * each;
            rough |= below;
        }
    }
    Some((mean, rough))
}

/// What never makes anybody wait if all may be at work at once.
const CALLEE: Does = Does::FAILS.and(Does::REORDERS).and(Does::EXPIRES);

/// The same with a line before it, in front of exponential work: M/M/c with patience, or Erlang C.
fn lines(ran: &Ran, values: &mut Values) {
    const CALLER: Does = QUIET.without(Does::TRAVELS).and(Does::DELAYS).and(Does::REFUSES);
    let (plan, report) = (ran.plan, ran.report);
    for (number, workload) in plan.spec.workload.iter().enumerate() {
        let edge = &plan.edges[number];
        let service = plan.callee(edge);
        let around = edge.around();
        let line = around.only(Does::DELAYS, |part| part.line()).filter(|_| edge.does.any(Does::DELAYS));
        let Some((who, line)) = line else { continue };
        let refuses = around.only(Does::REFUSES, |_| Some(())).map(|(who, ())| who);
        let alone = if edge.does.any(Does::REFUSES) { refuses == Some(who) } else { true };
        let known = alone && edge.does.within(CALLER) && plan.does[edge.callee].within(CALLEE);
        let only = plan.into(edge.callee).count() == 1 && service.calls.is_empty();
        let most = u64::from(line.at_once) * u64::from(workload.clients);
        let enough = service.replicas == 1 && most <= u64::from(service.workers.count());
        let Some(rate) = workload.arrivals.poisson() else { continue };
        if !(known && only && enough && service.work.is_exponential()) {
            continue;
        }
        let rate = rate / f64::from(workload.clients) / 1e9;
        let patience = line.patience.map(|patience| patience.as_nanos() as f64);
        let Some(law) = MmcPlusD::new(line.at_once, rate, service.work.nanos.mean(), patience) else {
            continue;
        };
        let source = if patience.is_some() { "M/M/c+D: Baccelli and Hebuterne" } else { "Erlang C" };
        let name = |what: &str| match plan.edges.len() {
            1 => what.to_owned(),
            _ => format!("{what} {}", edge.name),
        };
        let calls = &report.edges.0[number].1.calls;
        if patience.is_some() {
            let about = format!("share of calls that the {who} refuses");
            let refused = share(calls.never_sent, calls.started);
            values.add(name("refused"), &about, "share", refused, Some(law.refused), source);
        }
        let told = report.section(line.told_in, &edge.name);
        let wait = told.and_then(|section| section.values.get("wait_mean")).and_then(|value| value.value);
        let about = format!("mean wait of those whom the {who} lets wait and does not refuse");
        values.add(name("line_wait"), &about, "ns", wait, Some(law.wait_mean), source);
    }
}

/// A limit on what is out at once, in front of what never makes anybody wait, is Erlang's loss system, whatever the
/// work.
fn losses(ran: &Ran, values: &mut Values) {
    const CALLER: Does = QUIET.and(Does::REFUSES);
    let (plan, report) = (ran.plan, ran.report);
    for (number, workload) in plan.spec.workload.iter().enumerate() {
        let edge = &plan.edges[number];
        let service = plan.callee(edge);
        let limit = edge.around().only(Does::REFUSES, |part| part.at_once());
        let (Some((who, limit)), Some(rate)) = (limit, workload.arrivals.poisson()) else { continue };
        let known = edge.does.within(CALLER) && plan.does[edge.callee].within(CALLEE);
        let only = plan.into(edge.callee).count() == 1;
        let one_queue = service.replicas == 1 || service.queue.common().shared;
        let most = u64::from(limit) * u64::from(workload.clients);
        let workers = u64::from(service.workers.count()) * u64::from(service.replicas);
        if known && only && one_queue && service.calls.is_empty() && most <= workers {
            let held = service.work.nanos.mean() + 2.0 * edge.network.nanos.mean();
            let offered = rate / f64::from(workload.clients) * held / 1e9;
            let calls = &report.edges.0[number].1.calls;
            let name =
                if plan.edges.len() == 1 { "refused".into() } else { format!("refused {}", edge.name) };
            let about = format!("share of calls that the {who} refuses");
            let refused = share(calls.never_sent, calls.started);
            values.add(name, &about, "share", refused, Some(erlang_b(limit, offered)), "Erlang B");
        }
    }
}

/// The way of requests through a link that carries only so much is a queue with one server, whatever becomes of them behind it.
fn links(ran: &Ran, values: &mut Values) {
    const CALLER: Does = QUIET.and(Does::GIVES_UP);
    let (plan, report) = (ran.plan, ran.report);
    if !plan.faults.iter().all(|does| does.within(Does::CROWDS)) {
        return;
    }
    for (number, workload) in plan.spec.workload.iter().enumerate() {
        let edge = &plan.edges[number];
        let struck = plan.spec.faults.iter().filter(|fault| plan.strikes(fault, edge));
        let mut struck = struck.filter(|fault| fault.way.strikes(Way::Out));
        let (Some(fault), None) = (struck.next(), struck.next()) else { continue };
        let all = matches!(fault.clients, Affected::All) && fault.between().is_none();
        let all = all && chance::lasts(fault, ran.run);
        let (Some(limit), Some(size)) = (fault.effect.transmits(), &workload.size) else { continue };
        let Some(rate) = workload.arrivals.poisson().filter(|_| all && edge.does.within(CALLER)) else {
            continue;
        };
        let (bytes, per_byte) = (size.bytes(), 1e9 / limit.0 as f64);
        let mean = bytes.mean() * per_byte;
        let second = (bytes.variance() + bytes.mean() * bytes.mean()) * per_byte * per_byte;
        let utilisation = rate / 1e9 * mean;
        let service = ServiceMoments { mean, second, third: f64::NAN };
        let law = Mg1 { utilisation, service };
        let source = if bytes.variance() == 0.0 { "M/D/1" } else { "M/G/1: Pollaczek and Khinchine" };
        let told = report.section("bandwidth", &edge.name);
        let value = |name: &str| told.and_then(|section| section.values.get(name)).and_then(|it| it.value);
        let about = "mean wait of requests until what was sent before had gone through";
        let wait = value("request_wait");
        values.add(format!("link_wait {}", edge.name), about, "ns", wait, Some(law.mean_wait()), source);
        let about = "share of the time in which something goes through on the way there";
        let (busy, exact) = (value("request_busy"), utilisation.min(1.0));
        values.add(format!("link_busy {}", edge.name), about, "share", busy, Some(exact), source);
    }
}

/// How many are down of what fails at random, in the long run.
fn failures(ran: &Ran, values: &mut Values) {
    let (plan, report) = (ran.plan, ran.report);
    let mut add = |name: &str, what: &str, about: &str, exact: Option<f64>, source: &str| {
        let told = report.section("failures", name);
        let value = told.and_then(|section| section.values.get(what)).and_then(|it| it.value);
        values.add(format!("{what} {name}"), about, "share", value, exact, source);
    };
    const EACH: &str = "share of the time for which each of them is down";
    const RENEWAL: &str = "MTTR / (MTTF + MTTR)";
    for (name, failure) in plan.spec.failures.iter() {
        let units = plan.failing(failure);
        add(name, "down", EACH, failure.down_share(), RENEWAL);
        let spread = crate::fleet::is_spread(&failure.every, &failure.r#for);
        let Some(down) = failure.down(units).filter(|_| units > 1 && spread) else { continue };
        let law = failure.correlation.law();
        let (any, all) = (1.0 - down[0], down[units as usize]);
        add(name, "any_down", "share of the time for which at least one is down", Some(any), law.source());
        add(name, "all_down", "share of the time for which all are down", Some(all), law.source());
        let enough = failure.needs.map(|needs| down[..=(units - needs) as usize].iter().sum());
        add(
            name,
            "enough_up",
            "share of the time for which as many are up as are needed",
            enough,
            law.source(),
        );
    }
    for (name, domain) in plan.spec.domains.iter() {
        add(name, "down", EACH, domain.down_share(), RENEWAL);
    }
}

/// A source, and whether what it gives is not exact: such values are shown and not judged.
fn said(source: &str, rough: bool) -> String {
    let mark = if rough && !is_rough(source) { ", approximate" } else { "" };
    format!("{source}{mark}")
}

fn is_rough(source: &str) -> bool {
    source.contains("approximate")
}

/// Attempts and success where failures are known.
fn retries(ran: &Ran, chances: &Chances, values: &mut Values) {
    let (edges, report) = (&ran.plan.edges, ran.report);
    let fails = |edge: usize| chances.of_edge(edge).filter(|outlook| outlook.p_fail > 0.0);
    for (number, edge) in edges.iter().enumerate() {
        let Some(outlook) = fails(number).filter(|outlook| outlook.attempts > 1.0) else { continue };
        let measured = &report.edges.0[number].1;
        let name = format!("amplification {}", edge.name);
        let source = said(outlook.source, outlook.rough);
        values.add(name, "attempts per call", "", measured.amplification, Some(outlook.attempts), &source);
        let per_user = chances.per_user_call(number).filter(|per_user| *per_user != outlook.attempts);
        let name = format!("per_user_call {}", edge.name);
        let source = said("product of the layers", chances.any_rough());
        values.add(name, "attempts per call of a user", "", measured.per_user_call, per_user, &source);
    }
    for (number, edge) in edges.iter().enumerate() {
        if let (Caller::Workload(_), Some(outlook)) = (edge.caller, fails(number)) {
            let success = report.edges.0[number].1.success;
            let name = format!("success {}", edge.name);
            let source = match outlook.attempts > 1.0 {
                true if outlook.rationed => "(1 - p) times attempts per call",
                true => "1 - p^(r+1)",
                false => "1 - p",
            };
            let source = said(source, outlook.rough);
            values.add(name, "calls that end well", "share", success, Some(1.0 - outlook.fails), &source);
        }
        if let (Caller::Workload(workload), true) = (edge.caller, ran.plan.degrades[edge.callee]) {
            let told = report.section("degraded", &edge.name);
            let share = told.and_then(|section| section.values.get("share")).and_then(|value| value.value);
            let exact = chances.degraded(ran.plan, workload as usize);
            let about = "good answers that something stood in for a part of";
            let source = said("1 - product of the chances that nothing did", chances.any_rough());
            values.add(format!("degraded {}", edge.name), about, "share", share, exact, &source);
        }
    }
}
