//! The closed form beside what was measured, where the graph is a queue that has one: a single service
//! without calls, policies or faults.

use super::spec::{Arrivals, Capacity, GraphSpec, Queue, ServiceSpec};
use crate::distribution::{TimeDistribution, TimeSpec};
use crate::policy::Policy;
use crate::policy::balancer::Balancer;
use crate::policy::retry::Retry;
use crate::report::{Report, Value};
use crate::theory::{self, ClosedMm1, Mg1, Mmc, Mmck, ServiceMoments};

/// Sums over more servers or places than this take longer than they are worth.
const MOST_SERVERS: u32 = 1_000_000;

/// Adds exact values to the report of a graph that is a textbook queue.
pub fn beside(spec: &GraphSpec, report: &mut Report) {
    let Some(textbook) = textbook(spec) else { return };
    let Some((_, edge)) = report.edges.iter().next() else { return };
    let Some((_, service)) = report.services.iter().next() else { return };
    let arrived = edge.attempts.sent;
    let mut values = Vec::new();
    let mut add = |name: &str, about: &str, unit: &str, measured: Option<f64>, exact: Option<f64>| {
        if let (Some(value), Some(exact)) = (measured, exact.filter(|exact| exact.is_finite())) {
            values.push((
                name.to_owned(),
                Value {
                    about: about.into(),
                    value,
                    unit: unit.into(),
                    exact: Some(exact),
                    standard_error: None,
                    source: textbook.source.into(),
                },
            ));
        }
    };
    let nanos = |ns: Option<u64>| ns.map(|ns| ns as f64);
    add("response_mean", "mean response time", "ns", nanos(edge.latency.mean), textbook.response_mean);
    let work_mean = textbook.work_mean;
    let stretch = |response: Option<f64>| response.map(|response| response / work_mean);
    let response = nanos(edge.latency.mean);
    add(
        "stretch",
        "mean response in mean service times",
        "",
        stretch(response),
        stretch(textbook.response_mean),
    );
    add(
        "response_p99",
        "99 % of responses are at or below",
        "ns",
        nanos(edge.latency.p99),
        textbook.response_p99,
    );
    add("wait_mean", "mean wait", "ns", nanos(service.wait_mean), textbook.wait_mean);
    let blocked = (arrived > 0).then(|| edge.attempts.rejected as f64 / arrived as f64);
    add("rejected", "share of arrivals that find no place", "share", blocked, textbook.rejected);
    add(
        "utilisation",
        "share of the workers' time that is busy",
        "share",
        Some(service.utilisation),
        textbook.utilisation,
    );
    for (name, value) in values {
        report.values.push(name, value);
    }
}

/// What theory says of a queue; times in nanoseconds.
#[derive(Default)]
struct Textbook {
    source: &'static str,
    work_mean: f64,
    wait_mean: Option<f64>,
    response_mean: Option<f64>,
    response_p99: Option<f64>,
    rejected: Option<f64>,
    utilisation: Option<f64>,
}

fn textbook(spec: &GraphSpec) -> Option<Textbook> {
    let [workload] = spec.workload.as_slice() else { return None };
    let mut services = spec.services.values();
    let (Some(service), None) = (services.next(), services.next()) else { return None };
    let policy = workload.policy.as_ref().map(|name| spec.policies.get(&name.value)).unwrap_or_default();
    let plain = service.calls.is_empty() && service.dies.is_none() && service.error_rate == 0.0;
    let network = workload.network.as_ref().unwrap_or(&spec.network);
    if !plain || !spec.faults.is_empty() || network.nanos.mean() > 0.0 || policy.is_some_and(acts) {
        return None;
    }
    if let Arrivals::ClosedLoop { users, think } = &workload.arrivals {
        return closed_loop(*users, think, service);
    }
    let Arrivals::Poisson(rate) = workload.arrivals else { return None };
    // How many servers one queue feeds, and how many such queues share the arrivals at random.
    let (servers, queues) = match (&service.queue, policy.map(|policy| &policy.balancer)) {
        (Queue::SharedFifo { .. }, _) => (service.workers.count().checked_mul(service.replicas)?, 1),
        _ if service.replicas == 1 => (service.workers.count(), 1),
        (_, Some(Balancer::Random)) => (service.workers.count(), service.replicas),
        _ => return None,
    };
    if servers > MOST_SERVERS {
        return None;
    }
    let offered = rate.get() / f64::from(queues) * service.work.nanos.mean() / 1e9;
    open_queue(service, servers, offered)
}

/// Whether a policy ever does anything to a call.
fn acts(policy: &Policy) -> bool {
    policy.timeout.is_some()
        || policy.deadline.is_some()
        || policy.breaker.is_some()
        || policy.bulkhead.is_some()
        || !matches!(policy.retry, Retry::None)
}

fn open_queue(service: &ServiceSpec, servers: u32, offered: f64) -> Option<Textbook> {
    let work = &service.work.nanos;
    let service_mean = work.mean();
    let utilisation = offered / f64::from(servers);
    let exponential = matches!(service.work.spec, TimeSpec::Exponential { .. });
    let (capacity, fifo) = match service.queue {
        Queue::Fifo { capacity, .. } | Queue::SharedFifo { capacity, .. } => (capacity, true),
        Queue::Lifo { capacity, .. } => (capacity, false),
    };
    match capacity {
        Capacity::Bounded(0) => {
            let rejected = theory::erlang_b(servers, offered);
            Some(Textbook {
                source: "Erlang B: M/G/c/c, any service time",
                work_mean: service_mean,
                rejected: Some(rejected),
                response_mean: Some(service_mean),
                utilisation: Some(utilisation * (1.0 - rejected)),
                ..Textbook::default()
            })
        }
        Capacity::Bounded(places) if exponential && places <= MOST_SERVERS => {
            let queue = Mmck::new(servers, servers.checked_add(places)?, utilisation, service_mean);
            let rejected = queue.p_blocked();
            Some(Textbook {
                source: "M/M/c/K",
                work_mean: service_mean,
                wait_mean: Some(queue.mean_wait()),
                response_mean: Some(queue.mean_response()),
                rejected: Some(rejected),
                utilisation: Some(utilisation * (1.0 - rejected)),
                ..Textbook::default()
            })
        }
        // A queue that hardly ever fills is as good as unbounded, but "hardly" is no closed form.
        Capacity::Bounded(_) => None,
        Capacity::Unbounded if utilisation >= 1.0 => None,
        Capacity::Unbounded if exponential => {
            let queue = Mmc { servers, utilisation, service_mean };
            Some(Textbook {
                source: "M/M/c",
                work_mean: service_mean,
                wait_mean: Some(queue.mean_wait()),
                response_mean: Some(queue.mean_response()),
                response_p99: fifo.then(|| queue.response_quantile(0.99)),
                utilisation: Some(utilisation),
                ..Textbook::default()
            })
        }
        Capacity::Unbounded => {
            let wait = match servers {
                1 => {
                    let second = work.variance() + service_mean * service_mean;
                    let moments = ServiceMoments { mean: service_mean, second, third: f64::NAN };
                    Mg1 { utilisation, service: moments }.mean_wait()
                }
                _ => {
                    let queue = Mmc { servers, utilisation, service_mean };
                    theory::allen_cunneen_wait(queue, 1.0, work.cv2())
                }
            };
            Some(Textbook {
                work_mean: service_mean,
                source: if servers == 1 {
                    "M/G/1: Pollaczek-Khinchine"
                } else {
                    "M/G/c: Allen-Cunneen, approximate"
                },
                wait_mean: Some(wait),
                response_mean: Some(wait + service_mean),
                utilisation: Some(utilisation),
                ..Textbook::default()
            })
        }
    }
}

fn closed_loop(users: u32, think: &TimeDistribution, service: &ServiceSpec) -> Option<Textbook> {
    let exponential = |time: &TimeDistribution| matches!(time.spec, TimeSpec::Exponential { .. });
    let alone = service.replicas == 1 && service.workers.count() == 1;
    let room = match service.queue {
        Queue::Fifo { capacity: Capacity::Bounded(places), .. } => places >= users,
        Queue::Fifo { capacity: Capacity::Unbounded, .. } => true,
        _ => false,
    };
    if !(alone && room && exponential(think) && exponential(&service.work)) {
        return None;
    }
    let queue = ClosedMm1::new(users, think.nanos.mean(), service.work.nanos.mean());
    Some(Textbook {
        source: "closed M/M/1 (machine repair)",
        work_mean: service.work.nanos.mean(),
        response_mean: Some(queue.mean_response),
        utilisation: Some(queue.utilisation),
        ..Textbook::default()
    })
}
