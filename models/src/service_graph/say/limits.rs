//! What is more than can be simulated, or than memory holds; and what only shows against the length of a run.

use crate::RunSpec;
use crate::experiment::{Decoder, Node};
use crate::policy::guards::Guards;
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::*;
use sim_core::{SimDuration, SimTime};

const MOST_REPLICAS: u64 = 1_000_000;
/// More calls than this that one request makes at once would be made before any limit is looked at.
const MOST_AT_ONCE: u64 = 1_000_000;
/// What clients may remember, all together; and what the series of a run may take.
const MOST_BYTES: u64 = 2 << 30;
/// More arrivals than this in one run are refused before anything is simulated.
const MOST_ARRIVALS: f64 = 1e10;

/// How much there is of everything; whether it is little enough to be looked at any further.
pub fn check_sizes(graph: &GraphSpec, at: &Node, cx: &mut Decoder) -> bool {
    let span = at.get("services").unwrap_or(at).span;
    let replicas: u64 = graph.services.values().map(|service| u64::from(service.room())).sum();
    let sites: usize = graph.services.values().map(ServiceSpec::all_calls).sum();
    let sites = sites + graph.repairs().map(|(_, _, repair)| repair.needs.len()).sum::<usize>();
    if replicas > MOST_REPLICAS {
        cx.error(span, format!("{replicas} replicas in all, at most {MOST_REPLICAS}"));
    }
    if sites + graph.workload.len() > MOST_EDGES {
        cx.error(span, format!("{} edges, at most {MOST_EDGES}", sites + graph.workload.len()));
    }
    for (name, service) in graph.services.iter() {
        let calls = most_at_once(service);
        if calls > MOST_AT_ONCE {
            let span = graph.services.span_of(name).unwrap_or(at.span);
            cx.error(span, format!("a request makes {calls} calls at once, at most {MOST_AT_ONCE}"));
        }
    }
    sites + graph.workload.len() <= MOST_EDGES
}

/// The most calls that a request of this service makes at once. What it does not wait for is made at once with what comes next.
fn most_at_once(service: &ServiceSpec) -> u64 {
    let (mut most, mut now) = (0, 0);
    for step in &service.calls {
        now += if step.is_at_once() { step.most() } else { 1 };
        most = most.max(now);
        if step.calls.iter().any(|call| call.wait) {
            now = 0;
        }
    }
    most
}

/// The most keys that there are, and the one thing that all are about who say none.
fn keys(graph: &GraphSpec) -> u64 {
    let counts = graph.workload.iter().filter_map(|workload| workload.keys.as_ref());
    counts.map(|keys| u64::from(keys.count())).max().unwrap_or(0) + 1
}

/// What services keep by key.
fn check_kept(plan: &Plan, at: &Node, cx: &mut Decoder) {
    let keys = keys(plan.spec);
    let each = plan.spec.services.iter().map(|(name, service)| {
        service.around(name).all().map(|part| part.bytes_by_key(service.room(), keys)).sum::<u64>()
    });
    let bytes = each.fold(0, u64::saturating_add);
    if bytes > MOST_BYTES {
        let (found, most) = (bytes >> 20, MOST_BYTES >> 20);
        let message =
            format!("what services keep by key takes {found} MiB if every key is asked for, at most {most}");
        cx.error(at.get("services").unwrap_or(at).span, message)
            .help("fewer keys, less capacity, or `per: Service`, which is one for all replicas");
    }
}

/// Every caller's replica remembers something about every replica that it calls.
pub fn check_memory(plan: &Plan, at: &Node, cx: &mut Decoder) {
    check_kept(plan, at, cx);
    let own = plan.edges.iter().enumerate().filter(|(number, edge)| edge.clients_of == *number);
    let bytes = own.fold(0u64, |bytes, (_, edge)| {
        let replicas = plan.callee(edge).room();
        let callee = plan.callee(edge).around("");
        let parts: u64 = edge.around().all().chain(callee.all()).map(|part| part.bytes(replicas)).sum();
        let of_all: u64 = edge.around().all().map(|part| part.bytes_of_all(replicas)).sum();
        let of_each = u64::from(plan.clients(edge)) * (size_of::<Guards>() as u64 + parts);
        bytes.saturating_add(of_all).saturating_add(of_each)
    });
    if bytes > MOST_BYTES {
        let (found, most) = (bytes >> 20, MOST_BYTES >> 20);
        let message = format!("what clients remember of their policies takes {found} MiB, at most {most}");
        cx.error(at.get("services").unwrap_or(at).span, message)
            .help("fewer clients or caller replicas; or Random instead of LeastPending");
    }
}

/// What only shows against the length of the run.
pub fn check_run(graph: &GraphSpec, run: &RunSpec, cx: &mut Decoder) {
    let end = SimTime::ZERO + run.duration;
    let windows = run.duration.as_nanos().div_ceil(run.window.as_nanos().max(1));
    let calls = graph.services.values().map(ServiceSpec::all_calls);
    let edges = (graph.workload.len() + calls.sum::<usize>()) as u64;
    // Six numbers of each edge and four of each service.
    let row = 48 * edges + 32 * graph.services.len() as u64;
    if windows.saturating_mul(row) > MOST_BYTES {
        let span = graph.workload[0].to.span;
        let message = format!("{windows} windows of {edges} edges are more than a series has room for");
        cx.error(span, message).help("make run.window longer");
    }
    for (number, fault) in graph.faults.iter().enumerate().filter(|(_, fault)| fault.at >= end) {
        let message = format!("begins at {}, but the run ends at {end}: it never happens", fault.at);
        cx.at("faults", |cx| cx.at_index(number, |cx| cx.at("at", |cx| _ = cx.warn(fault.on.span, message))));
    }
    for (number, fault, repair) in graph.repairs().filter(|(_, fault, _)| fault.at < end) {
        let earliest = fault.at + repair.takes;
        if earliest >= end {
            let message = format!(
                "is repaired at {earliest} at the earliest, but the run ends at {end}: it lasts to the end"
            );
            let report = |cx: &mut Decoder| {
                _ = cx.warn(fault.on.span, message).help("a longer run, or a shorter repair")
            };
            cx.at("faults", |cx| cx.at_index(number as usize, |cx| cx.at("repair", report)));
        }
    }
    for (number, fault) in graph.faults.iter().enumerate().filter(|(_, fault)| fault.at < end) {
        let ends = |length: &SimDuration| fault.at.checked_add(*length).is_some_and(|over| over < end);
        let Some(length) = fault.r#for.filter(|length| !ends(length)) else { continue };
        let message = format!(
            "begins at {} and lasts {length}, and the run ends at {end}: nothing shows whether it recovers",
            fault.at
        );
        cx.at("faults", |cx| {
            cx.at_index(number, |cx| {
                cx.at("for", |cx| {
                    _ = cx.warn(fault.on.span, message).help("a longer `run.duration`, or a shorter `for`")
                })
            })
        });
    }
    for (name, service) in graph.services.iter() {
        let (around, span) = (service.around(name), graph.services.span_of(name).unwrap_or_default());
        let late = around.all().filter_map(|part| part.disturbs()).filter(|(_, at)| *at >= end);
        for (what, at) in late {
            let message = format!("its {what} begins at {at}, but the run ends at {end}: it never happens");
            cx.at("services", |cx| cx.at(name, |cx| _ = cx.warn(span, message)));
        }
        for message in around.all().filter_map(|part| part.comes_too_late(end)) {
            cx.at("services", |cx| cx.at(name, |cx| _ = cx.warn(span, message)));
        }
    }
    for (name, alarm) in graph.alarms.iter() {
        // What holds from the beginning is seen at the first look.
        let earliest = SimTime::ZERO + alarm.delay()[1];
        if earliest >= end {
            let message =
                format!("fires at {earliest} at the earliest, but the run ends at {end}: it never does");
            let span = graph.alarms.span_of(name).unwrap_or_default();
            cx.at("alarms", |cx| {
                cx.at(name, |cx| {
                    _ = cx.warn(span, message).help("a shorter `lasts` or `every`, or a longer run")
                })
            });
        }
    }
    for (name, failure) in graph.failures.iter() {
        // An edge is one, or a few.
        let units = graph
            .services
            .get(&failure.on.value)
            .map_or(1, |service| failure.replicas.count(service.replicas));
        let between = (failure.every.nanos.mean() + failure.r#for.nanos.mean()) / f64::from(units.max(1));
        if between > run.duration.as_nanos() as f64 {
            let between = SimDuration::from_nanos_f64(between).brief();
            let message =
                format!("happens once in {between} on average, and the run is over after {}", run.duration);
            cx.at("failures", |cx| {
                cx.at(name, |cx| {
                    cx.at("every", |cx| {
                        _ = cx
                            .warn(failure.on.span, message)
                            .help("a longer run, or a shorter time to failure")
                    })
                })
            });
        }
    }
    for (number, workload) in graph.workload.iter().enumerate() {
        if let Some((message, help)) = workload.arrivals.out_of_step(end) {
            cx.at("workload", |cx| {
                cx.at_index(number, |cx| {
                    cx.at("arrivals", |cx| _ = cx.warn(workload.to.span, message).help(help))
                })
            });
        }
        let Some(peak) = workload.arrivals.peak() else { continue };
        let most = peak * run.duration.as_secs_f64();
        if most > MOST_ARRIVALS {
            cx.at("workload", |cx| {
                cx.at_index(number, |cx| {
                    cx.at("arrivals", |cx| {
                        cx.error(
                            workload.to.span,
                            format!("up to {most:.0} calls in one run, at most {MOST_ARRIVALS:.0}"),
                        )
                        .help("lower the rate or shorten the run: shares and percentiles settle long before");
                    })
                })
            });
        }
    }
}
