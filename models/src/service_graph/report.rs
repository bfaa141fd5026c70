//! From what was counted to the report.

use super::control::{Control, alarms};
use super::follow::Listen;
use super::plan::{Caller, EdgePlan, Plan};
use super::service::record::Ledger;
use super::service::told::Told;
use super::spec::{Capacity, GraphSpec};
use super::state::{Edge, Graph, Service};
use super::stats::{EdgeStats, ServiceStats, ServiceTotals};
use super::witness;
use crate::RunSpec;
use crate::fault::Source;
use crate::policy::Ending;
use crate::report::{
    self, Attempts, Calls, Disturbance, Named, RunFacts, Series, Timeline, amplify, judge_knowing, stretches,
};
use crate::run::{RunOutput, TrajectoryLine};
use sim_core::{SimDuration, SimTime, StreamUse, Streams, Witness};
use std::collections::BTreeSet;
use std::ops::Range;

/// Checks the laws and writes everything down.
pub fn fill<L: Listen>(
    plan: &Plan,
    run: &RunSpec,
    mut graph: Graph<L>,
    now: SimTime,
    output: &mut RunOutput,
) {
    graph.check_laws(now);
    graph.spoil_the_rest();
    output.traces = graph.traces(now);
    let report = &mut output.report;
    let measured = now.max(graph.measured_from).since(graph.measured_from);
    let repaired: Vec<(u32, Option<SimTime>)> = graph.controls.iter().filter_map(Control::repaired).collect();
    let disturbances = disturbances_until(plan.spec, &repaired);
    let spans = stretches(&disturbances, &(graph.measured_from.as_nanos()..now.as_nanos()));
    let spans = spans.filter(|_| plan.spec.triggers.is_empty());
    for (edge, planned) in graph.edges.iter_mut().zip(&plan.edges) {
        let closed_loop = matches!(edge.caller, Caller::Workload(number)
            if graph.workloads[number as usize].schedule.is_none());
        let patience = planned.worst.attempt.into_iter().chain(planned.worst.call).min();
        let patience = patience.map(SimDuration::as_nanos);
        let EdgeStats { cohorts, began, .. } = &mut edge.stats;
        let within = cohorts.as_mut().and_then(|cohorts| cohorts.within(now, &began[0].latency));
        let section = edge_section(edge, closed_loop, measured, spans.as_ref());
        report
            .edges
            .push(&edge.name, report::Edge { within, patience, nobodys: nobodys(plan, planned), ..section });
    }
    amplify(&mut report.edges);
    for service in &graph.services {
        report.services.push(&service.name, service_section(service, now, measured, run));
    }
    // What is done to machines comes before what callers make of it.
    report.sections.extend(graph.services.iter().filter_map(Service::told_of_heat));
    for (number, edge) in
        graph.edges.iter().enumerate().filter(|(number, edge)| edge.clients == *number as u32)
    {
        report.sections.extend(graph.clients[number].sections(&edge.name));
    }
    for workload in &graph.workloads {
        let edge = &graph.edges[workload.edge as usize].name;
        report
            .sections
            .extend(workload.visits.iter().flat_map(|visits| visits.sections(edge, now, measured)));
    }
    for edge in &graph.edges {
        report
            .sections
            .extend(edge.classes.iter().flat_map(|classes| classes.sections(&edge.name, measured)));
    }
    for edge in &graph.edges {
        let users = matches!(edge.caller, Caller::Workload(_));
        let ok = edge.stats.whole().calls.of(Ending::Ok);
        report.sections.extend(edge.fallback.iter().map(|fallback| fallback.section(&edge.name)));
        let degraded = edge.degrades.iter().filter(|_| users);
        report.sections.extend(degraded.map(|degraded| degraded.section(&edge.name, ok)));
    }
    for edge in &graph.edges {
        report.sections.extend(edge.crossing.iter().map(|crossing| crossing.section(&edge.name)));
    }
    report.sections.extend(graph.callbacks.sections(&graph.edges, now, run.window));
    let of_record = |ledger: &Box<_>| Ledger::section(ledger, &graph.services[ledger.service as usize].name);
    report.sections.extend(graph.ledger.iter().map(of_record));
    report.sections.extend(graph.services.iter().flat_map(Service::told_of));
    report.sections.extend(graph.services.iter().filter_map(|service| service.told_of_pauses(now)));
    report.sections.extend(
        graph
            .services
            .iter()
            .filter_map(|service| Some(service.instances.as_ref()?.section(&service.name, measured, now))),
    );
    report.sections.extend(graph.services.iter().flat_map(|service| service.figures(now, measured)));
    let began = first_trouble(&graph, &disturbances);
    report.sections.extend(graph.sections_of_controls(began, now));
    report.sections.extend(graph.sources.iter_mut().map(|source| source.section(now)));
    for edge in &graph.edges {
        let windows = edge.stats.windows.started.len();
        report.sections.extend(edge.link.sections(&edge.name, now, windows));
    }
    report.timeline = timeline(disturbances, &report.edges, &report.services, &report.run);
    let set_off = graph.controls.iter().flat_map(Control::disturbances);
    report.timeline.disturbances.extend(set_off);
    report.timeline.disturbances.sort_by_key(|disturbance| disturbance.from);
    let mut known = super::theory::fluid::known(plan, run);
    let cohorts =
        |edge: &Edge| Some((edge.name.clone(), edge.stats.cohorts.as_ref()?.failed_by_window().to_vec()));
    known.failed = graph.edges.iter().filter_map(cohorts).collect();
    judge_knowing(report, &known);
    let sum =
        |of: fn(&ServiceStats) -> u128| graph.services.iter().map(|service| of(&service.stats)).sum::<u128>();
    let (work, in_vain) = (sum(|stats| stats.work), sum(|stats| stats.work_in_vain));
    report.summary.in_vain = (work > 0).then(|| in_vain as f64 / work as f64);
    let totals: Vec<ServiceTotals> = graph.services.iter().map(|service| service.measured(now)).collect();
    super::theory::beside(plan, run, &totals, report);
    for (name, _) in report.services.iter().filter(|(_, service)| service.work == u64::MAX) {
        let more = format!("{name} did more than 584 years of work, which is the most that `work` can say");
        report.notes.push(more);
    }
    report.notes.extend(graph.controls.iter().filter_map(|control| control.unfinished(plan.spec, now)));
    report.notes.extend(alarms::note(&graph.controls, began));
    let notes: BTreeSet<&str> = graph
        .workloads
        .iter()
        .flat_map(|workload| &workload.visits)
        .flat_map(|visits| visits.notes())
        .collect();
    report.notes.extend(notes.into_iter().map(String::from));
    if graph.workloads.iter().any(|workload| workload.schedule.is_none()) {
        report.notes.push(
            "closed-loop users wait for answers, so their arrivals differ between policies: compare with care".into(),
        );
    }
}

/// When something first went wrong, if anything did: of what the file says, what a state set off, or what failed at random.
fn first_trouble<L>(graph: &Graph<L>, disturbances: &[Disturbance]) -> Option<SimTime> {
    let set_off = graph.controls.iter().flat_map(Control::disturbances).map(|it| it.from);
    let known = disturbances.iter().map(|it| it.from).chain(set_off).map(SimTime::from_nanos);
    known.chain(graph.sources.iter().filter_map(Source::first)).min()
}

/// Whom an edge calls for nobody, so that he may call others.
fn nobodys(plan: &Plan, edge: &EdgePlan) -> Option<String> {
    let is_deep = edge.check.as_ref().is_some_and(|check| check.asks().calls);
    (edge.errand.is_some() || is_deep).then(|| plan.spec.name(edge.callee).into())
}

fn edge_section(
    edge: &Edge,
    closed_loop: bool,
    measured: SimDuration,
    spans: Option<&[Range<u64>; 3]>,
) -> report::Edge {
    let EdgeStats { began, attempts, ok_before, .. } = &edge.stats;
    let ok = edge.stats.ok_so_far();
    // A run that was cut short may not have come to all of them.
    let ok_before = |stretch: usize| ok_before.get(stretch).copied().unwrap_or(ok);
    let per_second =
        |ok: u64, time: SimDuration| if time.is_zero() { 0.0 } else { ok as f64 / time.as_secs_f64() };
    let whole = edge.stats.whole();
    let (response, latency, latency_failed) = whole.times();
    let stretches = spans.into_iter().flatten().zip(began).enumerate().map(|(number, (span, began))| {
        let (response, latency, latency_failed) = began.times();
        report::Began {
            calls: Calls { in_flight_age: began.mean_age(), ..began.calls.clone() },
            sent: began.sent,
            goodput: per_second(
                ok_before(number + 1) - ok_before(number),
                SimDuration::from_nanos(span.end - span.start),
            ),
            response,
            latency,
            latency_failed,
        }
    });
    let (began_ok, began_in_time) =
        edge.stats.cohorts.as_ref().map(|cohorts| cohorts.closed()).unwrap_or_default();
    report::Edge {
        from_users: matches!(edge.caller, Caller::Workload(_)),
        closed_loop,
        nobodys: None,
        stretches: stretches.collect(),
        goodput: per_second(ok - ok_before(0), measured),
        success: whole.calls.success(),
        calls: whole.calls,
        attempts: Attempts { sent: whole.sent, ..attempts.clone() },
        amplification: None,
        per_user_call: None,
        response,
        latency,
        latency_failed,
        within: None,
        patience: None,
        windows: report::EdgeWindows {
            began_ok,
            began_in_time,
            never_sent: some(&edge.stats.windows.never_sent),
            failed_by: edge.stats.failed_by(),
            latency: edge.stats.window_latency.closed().map(<[_]>::to_vec).collect(),
            ..edge.stats.windows.clone()
        },
    }
}

/// A series, unless it is nothing but noughts.
fn some(series: &[u64]) -> Vec<u64> {
    if series.iter().any(|count| *count > 0) { series.to_vec() } else { Vec::new() }
}

fn service_section(service: &Service, now: SimTime, measured: SimDuration, run: &RunSpec) -> report::Service {
    let (all, before) = (service.totals(now), service.stats.at_warm_up);
    let part = |of: fn(&ServiceTotals) -> u128| (of(&all) - of(&before)) as f64;
    let per = |area: f64, whole: f64| if whole > 0.0 { area / whole } else { 0.0 };
    let begun = all.begun - before.begun;
    let warm_windows = (run.warm_up.as_nanos() / run.window.as_nanos()) as usize;
    let entered = all.entered - before.entered;
    let seconds = measured.as_secs_f64();
    let little = (entered > 0 && seconds > 0.0).then(|| {
        let spent = service.stats.spent[1] - service.stats.spent[0];
        let area = all.queue_area + all.busy_area - before.queue_area - before.busy_area;
        assert_eq!(area, spent, "Little's law at {}, warm-up left out", service.name);
        let (rate, time) = (entered as f64 / seconds, spent as f64 / entered as f64);
        report::Little {
            number: area as f64 / measured.as_nanos() as f64,
            rate,
            time,
            product: rate * time / 1e9,
        }
    });
    let replicas = service.begins_with();
    report::Service {
        replicas,
        workers: u64::from(service.cores) * u64::from(replicas),
        queue_capacity: match service.queue.capacity {
            Capacity::Bounded(places) => Some(u64::from(places) * service.lines.len() as u64),
            Capacity::Unbounded => None,
        },
        arrived: all.arrived - before.arrived,
        completed: all.completed - before.completed,
        utilisation: per(part(|totals| totals.used_area), part(|totals| totals.available_area)),
        queue_mean: per(part(|totals| totals.queue_area), measured.as_nanos() as f64),
        queue_max: service.stats.windows.queue_max.iter().skip(warm_windows).copied().max().unwrap_or(0),
        wait_mean: (begun > 0).then(|| ((all.wait_ns - before.wait_ns) / u128::from(begun)) as u64),
        little,
        work: capped(service.stats.work),
        work_wasted: capped(service.stats.work_wasted),
        wasted: (service.stats.work > 0)
            .then(|| service.stats.work_wasted as f64 / service.stats.work as f64),
        work_in_vain: capped(service.stats.work_in_vain),
        in_vain: (service.stats.work > 0)
            .then(|| service.stats.work_in_vain as f64 / service.stats.work as f64),
        deaths: all.deaths - before.deaths,
        called_off: all.called_off - before.called_off,
        expired: all.expired - before.expired,
        windows: service.stats.windows.clone(),
    }
}

/// Nanoseconds of work; 584 years of it are more than a report can say.
fn capped(nanos: u128) -> u64 {
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

/// The picture: what was offered, what it was turned into, what came of it, and where it piled up.
fn timeline(
    disturbances: Vec<Disturbance>,
    edges: &Named<report::Edge>,
    services: &Named<report::Service>,
    run: &RunFacts,
) -> Timeline {
    let users = |of: fn(&report::EdgeWindows) -> &Vec<u64>| {
        let mut sum = Vec::new();
        for (_, edge) in edges.iter().filter(|(_, edge)| edge.from_users) {
            let counts = of(&edge.windows);
            sum.resize(counts.len(), 0);
            sum.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
        }
        sum
    };
    let mut series = vec![Series::per_second("offered", &users(|windows| &windows.started), run)];
    let most_amplified =
        edges.iter().filter(|(_, edge)| edge.attempts.retries > 0).max_by(|(_, a), (_, b)| {
            a.amplification.partial_cmp(&b.amplification).expect("ratios of counts are ordered")
        });
    if let Some((name, edge)) = most_amplified {
        series.push(Series::per_second(format!("attempts {name}"), &edge.windows.attempts, run));
    }
    series.push(Series::per_second("goodput", &users(|windows| &windows.ok), run));
    let longest = services.iter().max_by_key(|(_, service)| service.queue_max);
    if let Some((name, service)) = longest.filter(|(_, service)| service.queue_max > 0) {
        let mean = service.windows.queue_ns.iter().enumerate();
        series.push(Series {
            name: format!("queue {name}"),
            unit: String::new(),
            values: mean.map(|(window, &area)| area as f64 / 1e9 / run.seconds_of(window)).collect(),
            of: service.queue_capacity.map(|capacity| capacity as f64),
            ..Series::default()
        });
    }
    Timeline { series, disturbances, lanes: Vec::new() }
}

/// What is done to it from outside, by its file: faults, and load that changes, in the order of their beginning.
pub fn disturbances(spec: &GraphSpec) -> Vec<Disturbance> {
    disturbances_until(spec, &[])
}

/// The same, when it is known of some faults, by their numbers, that they were over, and when.
fn disturbances_until(spec: &GraphSpec, over: &[(u32, Option<SimTime>)]) -> Vec<Disturbance> {
    let end = |from: SimTime, length: SimDuration| (from + length).as_nanos();
    let mut all: Vec<Disturbance> = Vec::new();
    // What the network is like from beginning to end disturbs nothing.
    for (number, fault) in (0..).zip(&spec.faults).filter(|(_, fault)| !fault.is_a_property()) {
        let known = over.iter().find(|(of, _)| *of == number).and_then(|(_, over)| *over);
        all.push(Disturbance {
            what: fault.effect.name().into(),
            on: fault.on.value.clone(),
            from: fault.at.as_nanos(),
            to: fault.rhythm().over().or(known).map(SimTime::as_nanos),
        });
    }
    for workload in &spec.workload {
        if let Some((what, at, length)) = workload.arrivals.disturbance() {
            all.push(Disturbance {
                what: what.into(),
                on: workload.name.value.clone(),
                from: at.as_nanos(),
                to: Some(end(at, length)),
            });
        }
    }
    // What comes at an instant is there from then on: what is recovered from is all that follows.
    all.extend(spec.comes().into_iter().map(|(what, on, at)| Disturbance {
        what: what.into(),
        on: on.into(),
        from: at.as_nanos(),
        to: Some(at.as_nanos()),
    }));
    all.sort_by_key(|disturbance| disturbance.from);
    all
}

/// Every stream of the run, so that `r` covers each draw.
pub fn streams_used<L: Listen>(graph: &Graph<L>) -> Vec<(String, StreamUse)> {
    let mut used = Vec::new();
    let mut note =
        |purpose: &str, path: &str, stream: StreamUse| used.push((Streams::name(purpose, path), stream));
    for workload in &graph.workloads {
        let path = &workload.name;
        note("arrivals", path, workload.arrivals.used());
        note("spread", path, workload.spread.used());
        let drawn = workload.schedule.iter().filter_map(|schedule| schedule.used());
        drawn.for_each(|(purpose, stream)| note(purpose, path, stream));
        if let Some((_, luck)) = &workload.think {
            note("think", path, luck.used());
        }
        workload
            .visits
            .iter()
            .flat_map(|visits| visits.used())
            .for_each(|(purpose, stream)| note(purpose, path, stream));
    }
    for edge in &graph.edges {
        for (purpose, path, stream) in edge.classes.iter().flat_map(|classes| classes.used()) {
            note(purpose, path, stream);
        }
        note("jitter", &edge.name, edge.jitter.used());
        note("pick", &edge.name, edge.pick.used());
        edge.gate.iter().for_each(|gate| note("gate", &edge.name, gate.used()));
        edge.link.used().for_each(|(purpose, stream)| note(purpose, &edge.name, stream));
        edge.patience.used().into_iter().for_each(|stream| note("patience", &edge.name, stream));
    }
    for (edge, clients) in graph.edges.iter().zip(&graph.clients) {
        clients.dial.iter().for_each(|dial| note("connections", &edge.name, dial.used()));
    }
    for service in &graph.services {
        note("work", &service.name, service.work_luck.used());
        note("errors", &service.name, service.error_luck.used());
        service.door.iter().filter_map(|it| it.used()).for_each(|stream| note("door", &service.name, stream));
        service
            .caches
            .iter()
            .flat_map(|caches| caches.used())
            .for_each(|(purpose, stream)| note(purpose, &service.name, stream));
        service
            .membership
            .iter()
            .filter_map(|it| it.used())
            .for_each(|stream| note("start", &service.name, stream));
        service.instances.iter().for_each(|it| note("cold", &service.name, it.used()));
        service
            .frozen
            .iter()
            .filter_map(|it| it.used())
            .for_each(|stream| note("pauses", &service.name, stream));
        service
            .told
            .iter()
            .map(Told::used)
            .for_each(|(purpose, stream)| note(purpose, &service.name, stream));
        for site in service.steps.iter().flat_map(|step| &step.sites) {
            note("whether", &graph.edges[site.edge as usize].name, site.luck.used());
        }
    }
    for (edge, stream) in graph.callbacks.used() {
        note("after", &graph.edges[edge as usize].name, stream);
    }
    graph.sources.iter().map(Source::used).for_each(|(name, stream)| note("failures", name, stream));
    for (purpose, edge, stream) in graph.controls.iter().flat_map(Control::used) {
        note(purpose, &graph.edges[edge as usize].name, stream);
    }
    for control in &graph.controls {
        let service = &graph.services[control.service() as usize].name;
        control.used_of_service().into_iter().for_each(|(purpose, stream)| note(purpose, service, stream));
    }
    used
}

/// What was witnessed, in words.
pub fn tell<L: Listen>(graph: &Graph<L>, witness: &Witness, line: &mut TrajectoryLine) {
    use crate::policy::Outcome;
    let edges = graph.edges.iter().map(|edge| (edge.path, &edge.name));
    let services = graph.services.iter().map(|service| (service.path, &service.name));
    let workloads = graph.workloads.iter().map(|workload| (workload.path, &workload.name));
    if let Some((_, name)) = edges.chain(services).chain(workloads).find(|(path, _)| *path == witness.entity)
    {
        line.entity.clone_from(name);
    }
    let ended = witness::has_outcome(witness.kind);
    let outcome = Outcome::ALL.iter().find(|outcome| ended && **outcome as u16 == witness.outcome);
    line.what = witness::name(witness.kind).into();
    line.outcome = outcome.map(|outcome| outcome.name().into()).unwrap_or_default();
    line.note = witness::note(witness);
}
