//! What is known of the arrivals at each service of a graph, and of the queue that they make there.
//!
//! - *Poisson* arrivals stay Poisson where they are split at random, merged with others, delayed by the network, and
//!   where they leave a queue with exponential work that has its steady state (Burke 1956): a feed-forward graph
//!   of M/M/c queues is a row of independent ones (Jackson 1957).
//! - A request that comes again, because it is retried or because a service is called repeatedly, makes
//!   arrivals that are not Poisson; but if every queue on the way has exponential work, each is
//!   distributed as if they were, and arrivals see it so (Kelly 1975). That is a *product* form.
//! - Calls made in parallel, or not waited for, leave together: each branch is Poisson for itself, nothing is known where branches meet
//!   again, nor of what is called afterwards.
//! - A blocking worker waits for others, work that is not exponential leaves its mark on departures, a
//!   balancer that is not random makes arrivals more even, a timeout makes its caller go on at its own
//!   time: behind them nothing is known.

use super::QUIET;
use super::chance::Chances;
use super::queue::{self, Asked, Nature, Stream, Textbook};
use crate::policy::part::Does;
use crate::service_graph::plan::{Caller, EdgePlan, Plan};

/// Calls that are one attempt each, whatever becomes of it.
const ONCE: Does = QUIET.and(Does::GIVES_UP);
/// Calls whose callers go on when they have been answered, and not before.
const ANSWERED: Does = QUIET.and(Does::REPEATS);

const UNKNOWN: Stream = Stream { nature: Nature::Unknown, forked: false };

/// What is known of one service.
struct Known {
    /// What arrives there; `None` if nothing does.
    arrivals: Option<Stream>,
    /// What theory says of the queue.
    law: Option<Textbook>,
}

/// What theory says of every service, in their order.
pub fn laws(plan: &Plan, chances: &Chances) -> Vec<Option<Textbook>> {
    let spec = plan.spec;
    let empty = || Known { arrivals: None, law: None };
    let mut known: Vec<Known> = spec.services.iter().map(|_| empty()).collect();
    // What has been found to come over each edge.
    let mut over: Vec<Stream> = vec![UNKNOWN; plan.edges.len()];
    for (edge, workload) in spec.workload.iter().enumerate() {
        if workload.arrivals.poisson().is_some() {
            over[edge] = Stream { nature: again(plan, edge, chances, Nature::Poisson), forked: false };
        }
    }
    for &service in &plan.order {
        let arrivals = merged(plan, service, &over, chances);
        let rate = rate(plan, chances, service);
        let random = replicas_are_random(plan, service);
        let law = match (arrivals, rate) {
            (Some(arrivals), Some(rate)) if random => queue::law(&Asked {
                service: spec.service(service),
                does: plan.does[service],
                rate,
                arrivals,
                callers: &plan.into(service).collect::<Vec<_>>(),
            }),
            _ => None,
        };
        let passes = law.as_ref().is_some_and(|law| law.departs);
        known[service] = Known { arrivals, law };
        let mut leaving = match arrivals {
            Some(stream) if passes => stream,
            _ => UNKNOWN,
        };
        for (step, edges) in plan.steps(service) {
            let at_once: u64 = step.calls.iter().map(|call| u64::from(call.times)).sum();
            let in_parallel = step.parallel && at_once > 1 || step.leaves_any();
            for (edge, call) in edges.clone().zip(&step.calls) {
                over[edge] = leaving;
                let nature = if in_parallel && (call.times > 1 || !plan.edges[edge].does.within(ANSWERED)) {
                    Nature::Unknown
                } else {
                    again(plan, edge, chances, leaving.nature)
                };
                over[edge] = Stream { nature, forked: leaving.forked || in_parallel };
            }
            // What comes back goes on as it came, if every queue on the way lets it.
            if in_parallel
                || edges.clone().any(|edge| {
                    let lost =
                        over[edge].nature == Nature::Unknown || !plan.edges[edge].does.within(ANSWERED);
                    lost || !exponential_below(plan, edge)
                })
            {
                leaving = UNKNOWN;
            } else if edges.clone().any(|edge| over[edge].nature == Nature::Product) {
                leaving.nature = leaving.nature.min(Nature::Product);
            }
        }
    }
    // A queue on the way that never settles, or turns requests away, spoils what has passed through it.
    let settles = |service: usize| known[service].law.as_ref().is_some_and(|law| law.departs);
    let counted_on = |service: usize| {
        let known_arrivals = known[service].arrivals.is_some_and(|stream| stream.nature != Nature::Unknown);
        known_arrivals && can_be_product(plan, service) && replicas_are_random(plan, service)
    };
    let unsettled = (0..known.len()).any(|service| counted_on(service) && !settles(service));
    if unsettled {
        for (service, known) in known.iter_mut().enumerate() {
            let first_hand =
                |edge: &EdgePlan| matches!(edge.caller, Caller::Workload(_)) && edge.does.within(ONCE);
            if !plan.into(service).all(first_hand) {
                known.law = None;
            }
        }
    }
    known.into_iter().map(|known| known.law).collect()
}

/// What a stream becomes on an edge whose calls may come more than once.
fn again(plan: &Plan, number: usize, chances: &Chances, nature: Nature) -> Nature {
    let edge = &plan.edges[number];
    let fails = chances.outlook[number].iter().flatten().any(|outlook| outlook.p_fail > 0.0);
    let retries = !edge.does.within(ONCE);
    // What is rationed remembers what failed before.
    let again = if fails { ANSWERED.without(Does::RATIONS) } else { ANSWERED };
    if retries && !edge.does.within(again) {
        return Nature::Unknown;
    }
    // A full queue is retried too: only queues that are never full are looked at here.
    let repeats = edge.call.is_some_and(|call| call.times > 1) || (retries && fails);
    match (repeats, exponential_below(plan, number)) {
        (false, _) => nature,
        (true, true) => nature.min(Nature::Product),
        (true, false) => Nature::Unknown,
    }
}

/// All that arrives at a service.
fn merged(plan: &Plan, service: usize, over: &[Stream], chances: &Chances) -> Option<Stream> {
    let edges = &plan.edges;
    let called = |edge: &usize| chances.calls[*edge].iter().any(|calls| *calls != Some(0.0));
    let into: Vec<usize> =
        (0..edges.len()).filter(|&edge| edges[edge].callee == service).filter(called).collect();
    let (first, rest) = into.split_first()?;
    if rest.is_empty() {
        return Some(over[*first]);
    }
    let nature = into.iter().map(|&edge| over[edge].nature).min().expect("there is a first");
    if into.iter().any(|&edge| over[edge].forked) {
        return Some(UNKNOWN);
    }
    // Users of different workloads are strangers to each other; anybody else may have been here before.
    let strangers = into.iter().all(|&edge| matches!(edges[edge].caller, Caller::Workload(_)));
    Some(Stream { nature: if strangers { nature } else { nature.min(Nature::Product) }, forked: false })
}

/// Requests per second that reach a service.
fn rate(plan: &Plan, chances: &Chances, service: usize) -> Option<f64> {
    let mut sum = 0.0;
    for (number, workload) in plan.spec.workload.iter().enumerate() {
        let visits = chances.visits(plan, service, number)?;
        if visits > 0.0 {
            sum += visits * workload.arrivals.poisson()?;
        }
    }
    Some(sum)
}

/// Whether each replica has a random part of the arrivals, or all replicas have one queue.
pub(super) fn replicas_are_random(plan: &Plan, service: usize) -> bool {
    let callee = plan.spec.service(service);
    let random = |edge: &EdgePlan| !edge.does.any(Does::STEERS);
    callee.replicas == 1 || callee.queue.common().shared || plan.into(service).all(random)
}

/// Whether every queue that a call over this edge leads to is one that product forms are made of.
fn exponential_below(plan: &Plan, edge: usize) -> bool {
    let mut todo = vec![plan.edges[edge].callee];
    let mut seen = vec![false; plan.spec.services.len()];
    while let Some(service) = todo.pop() {
        if std::mem::replace(&mut seen[service], true) {
            continue;
        }
        let callee = plan.spec.service(service);
        let parallel = callee.calls.iter().any(|step| {
            step.parallel && step.calls.len() + step.calls[0].times as usize > 2 || step.leaves_any()
        });
        if parallel || !replicas_are_random(plan, service) || !can_be_product(plan, service) {
            return false;
        }
        for below in &plan.edges[plan.sites[service].clone()] {
            if !below.does.within(ANSWERED) {
                return false;
            }
            todo.push(below.callee);
        }
    }
    true
}

/// Whether a service may be part of a product form: its load decides whether it is.
fn can_be_product(plan: &Plan, service: usize) -> bool {
    let work = &plan.spec.service(service).work;
    plan.does[service].within(queue::KNOWN) && (work.is_exponential() || work.nanos.mean() == 0.0)
}
