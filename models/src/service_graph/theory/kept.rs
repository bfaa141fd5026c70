//! What is found of answers that are kept, and how often each is fetched when its time is over.
//!
//! Requests are Poisson, each for a key by itself (the independent reference model), and come from users: whoever tries again asks for the
//! same. What is behind never fails. The least recently used goes first, those included whose time is over, so for how long a key stays is
//! Che's time whatever the ttl; one whose ttl is shorter than that is never missed for want of room. While it is fetched it is not there:
//! that is left out, and so nothing is said where it would be more than three of a thousand requests.

use super::chance::Chances;
use super::flow::replicas_are_random;
use super::{QUIET, Ran, Values, queue};
use crate::policy::part::{Does, Fetched, Keeps};
use crate::service_graph::plan::{Caller, EdgePlan};
use crate::theory::{che_time, lru_hit_ratio, ttl_hit_ratio};
use sim_core::math;

/// What has something beside it.
pub const VALUES: [&str; 2] = ["hit_ratio", "fetches_per_expiry"];

/// What a service may do besides answering that makes no difference to what is found.
const KNOWN: Does = Does::ANSWERS.and(Does::HOLDS).and(Does::REORDERS);
/// More keys than that are not gone through for a number.
const MOST_KEYS: u64 = 100_000;
/// The share of requests that may find nothing because it is being fetched.
const LITTLE: f64 = 0.003;
/// Calls in a fetch from which on XFetch is what it is in the limit.
const MANY: f64 = 20.0;

pub fn beside(ran: &Ran, chances: &Chances, values: &mut Values) {
    for (number, (name, service)) in ran.plan.spec.services.iter().enumerate() {
        let around = service.around(name);
        let Some(keeps) = around.all().find_map(|part| part.keeps()) else { continue };
        let told = ran.report.section(keeps.told_in, name);
        let value = |what: &str| told.and_then(|told| told.values.get(what)).and_then(|it| it.value);
        // What has failed is asked for again.
        let Some(rates) = rates(ran, chances, number, &keeps).filter(|_| value("failed") == Some(0.0)) else {
            continue;
        };
        let mut add = |what: &str, about: &str, unit: &str, exact: Option<(f64, &str)>| {
            let Some((exact, source)) = exact else { return };
            values.add(format!("{what} {name}"), about, unit, value(what), Some(exact), source);
        };
        let about = "share of the requests that find an answer that is good";
        add("hit_ratio", about, "share", hit_ratio(ran, number, &keeps, &rates));
        let about = "fetches of an answer when its time is over";
        add("fetches_per_expiry", about, "", fetches(ran, number, &keeps, &rates));
    }
}

/// Requests for each key in a nanosecond, to each place where answers are kept.
fn rates(ran: &Ran, chances: &Chances, number: usize, keeps: &Keeps) -> Option<Vec<f64>> {
    let (plan, spec) = (ran.plan, ran.plan.spec);
    let places = if keeps.is_one { 1 } else { spec.service(number).replicas };
    let known = plan.does[number].within(KNOWN) && (keeps.is_one || replicas_are_random(plan, number));
    let never_fails = |edge: &usize| {
        let outlook = chances.of_edge(*edge);
        plan.edges[*edge].does.within(QUIET) && outlook.is_some_and(|outlook| outlook.p_fail == 0.0)
    };
    if !known || !plan.sites[number].clone().all(|edge| never_fails(&edge)) {
        return None;
    }
    let into = || plan.into(number);
    let count = |edge: &EdgePlan| match edge.caller {
        Caller::Workload(workload) => {
            spec.workload[workload as usize].keys.as_ref().map_or(0, |keys| keys.count().into())
        }
        _ => 0,
    };
    let most: u64 = into().map(count).max()?;
    if most > MOST_KEYS {
        return None;
    }
    // The last is what those are about who say no key.
    let mut rates = vec![0.0; most as usize + 1];
    for edge in into() {
        let Caller::Workload(workload) = edge.caller else { return None };
        let workload = &spec.workload[workload as usize];
        // Writes are not answered with what is kept, and so do not look.
        let reads = 1.0 - workload.writes.unwrap_or(0.0);
        let rate = workload.arrivals.poisson().filter(|_| edge.does.within(QUIET))? / 1e9 / f64::from(places);
        let rate = rate * reads;
        match workload.keys.as_ref().map(|keys| keys.shares()) {
            None => rates[most as usize] += rate,
            Some(shares) => {
                rates.iter_mut().zip(shares).for_each(|(of_key, share)| *of_key += rate * share);
            }
        }
    }
    rates.retain(|rate| *rate > 0.0);
    (!rates.is_empty()).then_some(rates)
}

/// How long a fetch takes, on average and measured: all calls one after another, whether they are or not.
fn takes(ran: &Ran, number: usize) -> f64 {
    let mean = |edge: usize| ran.report.edges.0[edge].1.latency.mean.map_or(0.0, |ns| ns as f64);
    let times = |edge: usize| ran.plan.edges[edge].call.map_or(1.0, |call| f64::from(call.times));
    ran.plan.sites[number].clone().map(|edge| mean(edge) * times(edge)).sum()
}

fn hit_ratio(ran: &Ran, number: usize, keeps: &Keeps, rates: &[f64]) -> Option<(f64, &'static str)> {
    if matches!(keeps.by, Fetched::Early(_) | Fetched::Otherwise) {
        return None;
    }
    let all: f64 = rates.iter().sum();
    let shares: Vec<f64> = rates.iter().map(|rate| rate / all).collect();
    let room = keeps.entries.map_or(f64::INFINITY, f64::from);
    let stays = che_time(&shares, room) / all;
    let of_key = |rate: f64| match keeps.time {
        Some((ttl, _)) => rate * ttl.as_nanos() as f64 / (1.0 + rate * ttl.as_nanos() as f64),
        None => 1.0 - math::exp(-rate * stays),
    };
    let fetched = takes(ran, number);
    let away: f64 = rates.iter().map(|rate| rate / all * (1.0 - of_key(*rate)) * (rate * fetched)).sum();
    if away > LITTLE {
        return None;
    }
    match keeps.time {
        Some((ttl, most)) if most.as_nanos() as f64 <= stays => {
            Some((ttl_hit_ratio(&shares, all * ttl.as_nanos() as f64), "λ ttl / (1 + λ ttl), approximate"))
        }
        None if stays.is_finite() => Some((lru_hit_ratio(&shares, room), "Che, approximate")),
        _ => None,
    }
}

fn fetches(ran: &Ran, number: usize, keeps: &Keeps, rates: &[f64]) -> Option<(f64, &'static str)> {
    let (ttl, _) = keeps.time?;
    if keeps.by == Fetched::ByOne {
        return Some((1.0, "one at a time"));
    }
    let fetch = fixed_time(ran, number)?;
    let (rate, ttl) = (rates[0], ttl.as_nanos() as f64);
    let alike = rates.iter().all(|other| (other / rate - 1.0).abs() < 1e-9);
    if !alike || keeps.entries.is_some_and(|room| (room as usize) < rates.len()) {
        return None;
    }
    match keeps.by {
        Fetched::ByAll if ttl >= 2.0 * fetch => Some((1.0 + rate * fetch, "1 + λ δ")),
        Fetched::Early(beta) if rate * fetch * beta >= MANY => {
            let before = fetch * beta * (math::ln(rate * fetch * beta) + 0.5772);
            (ttl >= 2.0 * before + fetch)
                .then(|| (math::exp(1.0 / beta), "e^(1/beta): Vattani et al., approximate"))
        }
        _ => None,
    }
}

/// How long each fetch takes, if that is always as long: nobody ever waits, and nothing of it is drawn.
fn fixed_time(ran: &Ran, number: usize) -> Option<f64> {
    let mut sum = 0.0;
    for (step, edges) in ran.plan.steps(number) {
        if step.is_at_once() && step.most() > 1 || step.leaves_any() {
            return None;
        }
        for edge in edges {
            let edge = &ran.plan.edges[edge];
            let (callee, call) = (ran.plan.callee(edge), edge.call?);
            let nobody_waited =
                ran.report.services.0[edge.callee].1.windows.queue_max.iter().all(|most| *most == 0);
            let plain = ran.plan.does[edge.callee].within(queue::KNOWN) && callee.calls.is_empty();
            if !plain || !nobody_waited || !call.is_of_all() {
                return None;
            }
            let ways = 2.0 * edge.network.fixed()?.as_nanos() as f64;
            sum += f64::from(call.times) * (ways + callee.work.fixed()?.as_nanos() as f64);
        }
    }
    Some(sum)
}
