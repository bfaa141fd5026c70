//! What a file amounts to: every edge with its effective policy, the call sites of each service, callers before
//! callees, and loads. The ground of whatever is known without a run.
//!
//! A plan is made once, of a graph whose names have been checked, and lent to everybody who asks.

mod errands;

use super::circles::Circles;
use super::control;
use super::control::check::Check;
use super::control::protocol;
use super::control::repair;
use super::crossing;
use super::service::callback::CALLBACK;
use super::service::{fallback, purge, quorum, record};
use super::spec::*;
use crate::RunSpec;
use crate::carried::Says;
use crate::distribution::TimeDistribution;
use crate::experiment::Spanned;
use crate::fault;
use crate::network::{self, Apart, Tells, Zones};
use crate::policy::Policy;
use crate::policy::part::{Around, Does, Part, Worst};
use crate::policy::per::Per;
use crate::report::Section;
use crate::workload::{Arrivals, Schedule};
use sim_core::SimTime;
use std::collections::BTreeMap;
use std::ops::Range;

pub use errands::Errand;

/// A graph and what follows from it.
pub struct Plan<'a> {
    pub spec: &'a GraphSpec,
    /// The workloads' edges first, by number, then each service's in the order of its calls and after them those over which it calls back,
    /// then those of whoever checks them.
    pub edges: Vec<EdgePlan<'a>>,
    /// The edges of each service's call sites, in the order of its steps.
    pub sites: Vec<Range<usize>>,
    /// The services, callers before callees, but for those that call each other in a circle.
    pub order: Vec<usize>,
    /// Whether calls go round in circles.
    pub has_circles: bool,
    /// What each service may do to requests.
    pub does: Vec<Does>,
    /// What each fault may do, and after them what fails at random.
    pub faults: Vec<Does>,
    /// Whether something may have stood in for a part of what each service answers.
    pub degrades: Vec<bool>,
    /// Of each service whether it may be called in a version that some replica of it does not understand; empty where no version is spoken of.
    pub misunderstand: Vec<bool>,
}

/// An edge as the file describes it. A second call site between the same two services is called `a->b#2`.
pub struct EdgePlan<'a> {
    pub name: String,
    pub caller: Caller,
    pub callee: usize,
    /// `None` waits for ever and never retries.
    pub policy_name: Option<&'a str>,
    pub policy: Policy,
    pub network: &'a TimeDistribution,
    /// The call site; `None` for a workload.
    pub call: Option<&'a CallSpec>,
    /// The edge over which another is asked if it fails, if anybody is.
    pub fallback: Option<usize>,
    /// The other way round: whose failed calls it answers for.
    pub instead_of: Option<usize>,
    /// The edge over which its callee calls back, if it does.
    pub callback: Option<usize>,
    /// The other way round: the callee of which calls back over it.
    pub callback_of: Option<usize>,
    /// The step that it is made in.
    pub step: Option<&'a Step>,
    /// Who asks over it whether a replica is well, and what, if that is what it is for.
    pub check: Option<Check<'a>>,
    /// What else it is for, if no request is sent over it.
    pub errand: Option<Errand>,
    /// Calls per second that it has then, as long as all are there.
    pub by_itself: f64,
    /// Replicas that its callers choose among; one behind a shared queue, where whoever is free takes the next request.
    pub choices: u32,
    /// Client instances: a workload's, or one per replica of the caller.
    pub callers: u32,
    /// Where its clients stand and whom they call, if any call may leave its zone.
    pub apart: Option<Apart>,
    /// What the requests that come by say of themselves.
    pub says: Says,
    /// Which of the edges between the same two it is, from 1 on.
    pub number: u32,
    /// The edge whose clients make its calls, which remember what its policy does: itself, or an earlier one to the same
    /// service under the same policy.
    pub clients_of: usize,
    /// What may become of its calls on the way.
    pub does: Does,
    /// The most that its policy makes of a call.
    pub worst: Worst,
}

/// Requests of a workload that make the same calls.
#[derive(Clone, Copy, Debug)]
struct Kind {
    writes: bool,
    flags: u8,
}

/// Who makes the calls of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    Workload(u32),
    Service(u32),
    /// Whoever asks the replicas of this service whether they are well, each client one replica; and what is said and asked about
    /// them elsewhere, to find them.
    Checks(u32),
}

impl<'a> Plan<'a> {
    /// What follows from `spec`, whose names must have been checked and whose circles must have been found to end.
    pub fn new(spec: &'a GraphSpec) -> Self {
        let callees: Vec<Vec<usize>> =
            (0..spec.services.len()).map(|service| callees(spec, service)).collect();
        let circles = Circles::of(&callees);
        let mut edges = edges(spec);
        let of_graph = Around::new("", spec.parts()).does();
        for edge in &mut edges {
            let Caller::Service(caller) = edge.caller else { continue };
            let back = edge.callback_of.is_none() && circles.has(caller as usize, edge.callee);
            edge.does = edge.does.and(of_graph).and(if back { Does::LOOPS } else { Does::NOTHING });
        }
        let first = |service| edges.partition_point(|edge| edge.caller < Caller::Service(service));
        let sites =
            (0..spec.services.len() as u32).map(|service| first(service)..first(service + 1)).collect();
        let mut does: Vec<Does> = spec.services.values().map(ServiceSpec::does).collect();
        errands::reach(&edges, &callees, &mut does);
        // Nobody knows before a run how many of whom call whom.
        let misunderstand = protocol::misunderstand(spec, &edges);
        for (does, _) in does.iter_mut().zip(&misunderstand).filter(|(_, may)| **may) {
            *does = does.and(Does::VARIES);
        }
        let mut faults: Vec<Does> = spec.strikes().map(|(effect, _)| effect.does()).collect();
        // What the file says of begins them.
        for (does, fault) in faults.iter_mut().zip(&spec.faults) {
            *does = does.and(fault.requests.as_ref().map_or(Does::NOTHING, Part::does));
        }
        let mut plan = Plan {
            spec,
            edges,
            sites,
            has_circles: !circles.is_empty(),
            order: circles.order,
            does,
            faults,
            degrades: Vec::new(),
            misunderstand,
        };
        plan.degrades = plan.degrades();
        plan.hear(|workload| workload.tenants.is_some(), |says| &mut says.tenant);
        plan.hear(|workload| workload.keys.is_some(), |says| &mut says.key);
        plan
    }

    /// Notes of each edge whether any request comes by that says something.
    fn hear(&mut self, says: fn(&WorkloadSpec) -> bool, what: fn(&mut Says) -> &mut bool) {
        if self.spec.workload.iter().any(says) {
            let calls = self.calls(|workload| f64::from(u8::from(says(workload))), |_| 1.0, 1.0);
            self.edges.iter_mut().zip(calls).for_each(|(edge, calls)| *what(&mut edge.says) = calls > 0.0);
        }
    }

    /// The service that an edge leads to.
    pub fn callee(&self, edge: &EdgePlan) -> &'a ServiceSpec {
        self.spec.service(edge.callee)
    }

    /// Whether a fault of the network strikes an edge.
    pub fn strikes(&self, fault: &FaultSpec, edge: &EdgePlan) -> bool {
        fault.effect.is_network() && self.is_on(&fault.on.value, edge)
    }

    /// Whether an edge is what this names: itself, or all that lead to a service.
    pub fn is_on(&self, on: &str, edge: &EdgePlan) -> bool {
        self.spec.services.index_of(on) == Some(edge.callee) || edge.is_on(on)
    }

    /// How many fail by themselves, each for itself: replicas of a service, or edges.
    pub fn failing(&self, failure: &FailureSpec) -> u32 {
        match self.spec.services.get(&failure.on.value) {
            Some(service) if !failure.effect.is_network() => failure.replicas.count(service.replicas),
            _ => self.edges.iter().filter(|edge| self.is_on(&failure.on.value, edge)).count() as u32,
        }
    }

    /// What is told of what faults do to the link of an edge.
    pub fn tells_link(&self, edge: &EdgePlan) -> Tells {
        let struck = || self.spec.faults.iter().filter(|fault| self.strikes(fault, edge));
        Tells {
            messages: struck().any(|fault| fault.tells_of_messages()),
            waits: struck().any(|fault| fault.effect.transmits().is_some()),
        }
    }

    /// Client instances of an edge.
    pub fn clients(&self, edge: &EdgePlan) -> u32 {
        edge.callers
    }

    /// Of each service whether it is asked less if answers are kept on the way there: nobody knows by how much before a run.
    pub fn is_spared(&self) -> Vec<bool> {
        let mut all = vec![false; self.spec.services.len()];
        // What goes round is looked at until it has been everywhere.
        let rounds = if self.has_circles { all.len() } else { 1 };
        for &service in std::iter::repeat_n(&self.order, rounds).flatten() {
            all[service] = self.callers_of(service).any(|edge| self.is_spared_edge(edge, &all));
        }
        all
    }

    /// The same of an edge, where that is known of its caller.
    pub fn is_spared_edge(&self, edge: &EdgePlan, spared: &[bool]) -> bool {
        let Caller::Service(by) = edge.caller else { return false };
        spared[by as usize] || self.keeps(by as usize)
    }

    /// Whether a service keeps answers, and then makes no calls.
    pub fn keeps(&self, service: usize) -> bool {
        self.spec.service(service).around("").all().any(|part| part.keeps().is_some())
    }

    /// Whether a workload's requests make the calls of this edge at all.
    pub fn concerns(&self, edge: usize, workload: usize) -> bool {
        let edge = &self.edges[edge];
        if let Some(primary) = edge.instead_of.or(edge.callback_of) {
            return self.concerns(primary, workload);
        }
        let Some(call) = edge.call else { return edge.caller == Caller::Workload(workload as u32) };
        let named = |name: &str| self.spec.workload_number(name) == Some(workload as u32);
        call.only_from.is_empty() || call.only_from.iter().any(|name| named(&name.value))
    }

    /// Whether requests of this kind of a workload make them.
    fn is_made(&self, edge: usize, workload: usize, kind: Kind) -> bool {
        let of = self.edges[edge].instead_of.unwrap_or(edge);
        let call = self.edges[of].call;
        let by_flag = call.and_then(|call| call.flag.as_ref()?.only(self.spec));
        call.and_then(|call| call.only).is_none_or(|only| only.has(kind.writes))
            && by_flag.is_none_or(|only| only.has(kind.flags))
            && self.concerns(edge, workload)
    }

    /// The kinds of requests that a workload makes, and the share of each: writes and others, and by flags that as many have as ever do, where
    /// that makes a difference.
    fn kinds(&self, workload: &WorkloadSpec) -> Vec<(Kind, f64)> {
        let share = workload.writes.unwrap_or(0.0);
        let differ = self.edges.iter().any(|edge| edge.call.is_some_and(|call| call.only.is_some()));
        let by_writes = if differ { vec![(false, 1.0 - share), (true, share)] } else { vec![(false, 1.0)] };
        let by_flags = control::flags::kinds(self.spec, workload);
        let kinds = by_writes.into_iter().flat_map(|(writes, share)| {
            by_flags.iter().map(move |(flags, part)| (Kind { writes, flags: *flags }, share * part))
        });
        kinds.collect()
    }

    /// The edges whose calls are made by the clients of this one, if it has any of its own.
    pub fn sharing(&self, owner: usize) -> impl Iterator<Item = &EdgePlan<'a>> {
        self.edges.iter().filter(move |edge| edge.clients_of == owner)
    }

    /// Those into a service over which it is called, and not called back.
    pub fn callers_of(&self, service: usize) -> impl Iterator<Item = &EdgePlan<'a>> {
        self.into(service).filter(|edge| edge.callback_of.is_none())
    }

    /// The edges into a service.
    pub fn into(&self, service: usize) -> impl Iterator<Item = &EdgePlan<'a>> {
        self.edges.iter().filter(move |edge| edge.callee == service)
    }

    /// A service's steps, each with the edges of its calls.
    pub fn steps(&self, service: usize) -> impl Iterator<Item = (&'a Step, Range<usize>)> {
        let mut next = self.sites[service].start;
        self.spec.service(service).calls.iter().map(move |step| {
            let first = next;
            next += step.calls.len();
            (step, first..next)
        })
    }

    /// The largest product of attempts along any path to each service; `uncalled` for one that nobody calls.
    pub fn worst_attempts(&self, uncalled: u64) -> Vec<u64> {
        self.worst_within(uncalled, self.spec.hop_limit)
    }

    /// The same of requests that may still make calls.
    pub fn worst_attempts_of_callers(&self, uncalled: u64) -> Vec<u64> {
        self.worst_within(uncalled, self.spec.hop_limit.map(|limit| limit - 1))
    }

    /// The same of requests that have been passed on so often at most.
    fn worst_within(&self, uncalled: u64, hops: Option<u32>) -> Vec<u64> {
        let mut worst = vec![uncalled; self.spec.services.len()];
        if !self.has_circles && hops.is_none() {
            for &service in &self.order {
                // What is called back calls nobody.
                let into = self.callers_of(service);
                worst[service] = into.map(|edge| edge.worst_attempts(&worst)).max().unwrap_or(uncalled);
            }
            return worst;
        }
        // Hop by hop: of nobody that comes so far it is 0.
        let product = |callers: &[u64], service: usize, first: bool| {
            let into =
                self.callers_of(service).filter(|edge| matches!(edge.caller, Caller::Service(_)) != first);
            into.map(|edge| edge.worst_attempts(callers)).max().unwrap_or(0)
        };
        let services = || 0..self.spec.services.len();
        let alone = |service| if self.callers_of(service).next().is_none() { uncalled } else { 0 };
        let mut here: Vec<u64> =
            services().map(|service| product(&[], service, true).max(alone(service))).collect();
        let mut all = here.clone();
        // What still grows when a request has been everywhere grows without end.
        let everywhere = worst.len() as u32;
        for hop in 0..hops.unwrap_or(2 * everywhere) {
            here = services().map(|service| product(&here, service, false)).collect();
            for (here, all) in here.iter_mut().zip(&mut all) {
                if hops.is_none() && hop >= everywhere && *here > *all {
                    *here = u64::MAX;
                }
                *all = (*all).max(*here);
            }
        }
        worst.iter_mut().zip(all).filter(|(_, all)| *all > 0).for_each(|(worst, all)| *worst = all);
        worst
    }

    /// Calls per second over each edge if every call on the way there takes so many attempts, and such a share fails.
    pub fn calls_per_sec(&self, run: &RunSpec, attempts: impl Fn(&EdgePlan) -> f64, fail: f64) -> Vec<f64> {
        let mut all = self.calls(|workload| workload.base_rate(run), &attempts, fail);
        self.run_errands(&mut all, &attempts, fail);
        all
    }

    /// Calls over each edge if users make so many, every call on the way there takes so many attempts, and this share of those fails
    /// that another may stand in for: workload by workload, because a request's further calls depend on whose it is. What is called back
    /// makes none.
    pub fn calls(
        &self,
        of_users: impl Fn(&WorkloadSpec) -> f64,
        attempts: impl Fn(&EdgePlan) -> f64,
        fail: f64,
    ) -> Vec<f64> {
        let mut all = match self.has_circles || self.spec.hop_limit.is_some() {
            true => self.calls_hop_by_hop(&of_users, &attempts, fail),
            false => self.calls_in_order(&of_users, &attempts, fail),
        };
        // Every attempt that is accepted is called back, and that is the end of it.
        for (index, edge) in self.edges.iter().enumerate() {
            if let Some(asks) = edge.callback_of {
                all[index] = all[asks] * attempts(&self.edges[asks]);
            }
        }
        all
    }

    /// Calls over an edge that each request makes of the service that makes them, or each call of the edge that this one stands in for.
    fn made(&self, edge: &EdgePlan, fail: f64) -> f64 {
        let made = |edge: &EdgePlan| edge.call.map_or(1.0, |call| call.probability * f64::from(call.times));
        edge.instead_of.map_or_else(|| made(edge), |of| fail * made(&self.edges[of]))
    }

    /// The same where requests may come back, or are passed on so often: hop by hop, as long as any are left. Infinite where they do not
    /// become fewer.
    fn calls_hop_by_hop(
        &self,
        of_users: &dyn Fn(&WorkloadSpec) -> f64,
        attempts: &dyn Fn(&EdgePlan) -> f64,
        fail: f64,
    ) -> Vec<f64> {
        /// What comes to so little is not worth another hop; what has not by then does not.
        const LITTLE: f64 = 1e-12;
        const MUCH: f64 = 1e100;
        const MOST_HOPS: u32 = 20_000;
        let mut all = vec![0.0; self.edges.len()];
        let kinds =
            |(number, workload)| self.kinds(workload).into_iter().map(move |kind| (number, workload, kind));
        for (number, workload, (kind, share)) in self.spec.workload.iter().enumerate().flat_map(kinds) {
            let edges = self.edges.iter().enumerate();
            let edges = edges
                .filter(|(index, edge)| edge.callback_of.is_none() && self.is_made(*index, number, kind));
            let edges: Vec<(usize, &EdgePlan)> = edges.collect();
            let mut here = vec![0.0; self.spec.services.len()];
            let users = of_users(workload) * share;
            all[number] += users;
            here[self.edges[number].callee] = users * attempts(&self.edges[number]);
            let entered: f64 = here.iter().sum();
            let mut hops = 0;
            while self.spec.hop_limit.is_none_or(|limit| hops < limit) {
                let left = here.iter().sum::<f64>();
                if left <= entered * LITTLE {
                    break;
                }
                let endless = hops == MOST_HOPS || left > MUCH;
                let mut next = vec![0.0; here.len()];
                for (index, edge) in &edges {
                    let Caller::Service(caller) = edge.caller else { continue };
                    let calls = here[caller as usize] * self.made(edge, fail);
                    all[*index] += calls;
                    // What only says that a key has changed goes no further.
                    next[edge.callee] += if edge.purges() { 0.0 } else { calls * attempts(edge) };
                    if endless && calls > 0.0 {
                        all[*index] = f64::INFINITY;
                    }
                }
                if endless {
                    break;
                }
                (here, hops) = (next, hops + 1);
            }
        }
        all
    }

    /// The same where no request comes back.
    fn calls_in_order(
        &self,
        of_users: &dyn Fn(&WorkloadSpec) -> f64,
        attempts: &dyn Fn(&EdgePlan) -> f64,
        fail: f64,
    ) -> Vec<f64> {
        let mut all = vec![0.0; self.edges.len()];
        let mut into = vec![Vec::new(); self.spec.services.len()];
        let calls = self.edges.iter().enumerate().filter(|(_, edge)| edge.callback_of.is_none());
        let (last, calls): (Vec<_>, Vec<_>) = calls.partition(|(_, edge)| edge.purges());
        calls.into_iter().for_each(|(index, edge)| into[edge.callee].push(index));
        let kinds =
            |(number, workload)| self.kinds(workload).into_iter().map(move |kind| (number, workload, kind));
        for (number, workload, (kind, share)) in self.spec.workload.iter().enumerate().flat_map(kinds) {
            let mut requests = vec![0.0; self.spec.services.len()];
            for &service in &self.order {
                for &index in into[service].iter().filter(|&&index| self.is_made(index, number, kind)) {
                    let edge = &self.edges[index];
                    let from = match edge.caller {
                        Caller::Workload(_) => of_users(workload) * share,
                        Caller::Service(caller) => requests[caller as usize],
                        Caller::Checks(_) => 0.0,
                    };
                    let calls = from * self.made(edge, fail);
                    all[index] += calls;
                    requests[service] += calls * attempts(edge);
                }
            }
            // What only says that a key has changed goes to whoever it is said to, before or behind, and no further.
            for &(index, edge) in last.iter().filter(|(index, _)| self.is_made(*index, number, kind)) {
                let Caller::Service(caller) = edge.caller else { continue };
                all[index] += requests[caller as usize] * self.made(edge, fail);
            }
        }
        all
    }
}

impl Plan<'_> {
    /// See the field.
    fn degrades(&self) -> Vec<bool> {
        let mut all = vec![false; self.spec.services.len()];
        // What goes round is looked at until it has been everywhere.
        let rounds = if self.has_circles { all.len() } else { 1 };
        for &service in std::iter::repeat_n(&self.order, rounds).flat_map(|order| order.iter().rev()) {
            let degrades = |edge: &EdgePlan| {
                let waits = edge.call.is_none_or(|call| call.wait) && edge.callback_of.is_none();
                edge.does.any(Does::STANDS_IN) || waits && all[edge.callee]
            };
            all[service] = self.edges[self.sites[service].clone()].iter().any(degrades);
        }
        all
    }

    /// Of the services that keep answers and are told of keys that have changed.
    fn purged(&self) -> impl Iterator<Item = Section> {
        let told = |(number, (_, service)): &(usize, (&str, &ServiceSpec))| {
            record::keeps(service) && self.into(*number).any(EdgePlan::purges)
        };
        self.spec.services.iter().enumerate().filter(told).map(|(_, (name, _))| purge::declared(name))
    }

    /// What the parts of edges and services measure, declared.
    pub fn sections(&self) -> Vec<Section> {
        let to_users = self.edges.iter().take(self.spec.workload.len());
        let to_users =
            to_users.filter(|edge| self.degrades[edge.callee]).map(|edge| fallback::degraded(&edge.name));
        let of_calls = self.edges.iter().filter_map(|edge| Some((&edge.name, edge.call?)));
        let of_calls = of_calls.flat_map(|(name, call)| Around::new(name, call.parts()).sections());
        let own = self.edges.iter().enumerate().filter(|(number, edge)| edge.clients_of == *number);
        let edges = own.flat_map(|(_, edge)| edge.around().sections());
        // The workloads' edges come first, in their order.
        let users = self.edges.iter().zip(&self.spec.workload);
        let users = users.flat_map(|(edge, workload)| Around::new(&edge.name, workload.parts()).sections());
        edges
            .chain(users)
            .chain(to_users)
            .chain(
                self.edges
                    .iter()
                    .filter_map(|edge| Some(crossing::declared(&edge.name, edge.apart.as_ref()?))),
            )
            .chain(of_calls)
            .chain(Around::new("", self.spec.parts()).sections())
            .chain(self.purged())
            .chain(self.spec.services.iter().flat_map(|(name, service)| {
                let steps = service.calls.iter().enumerate();
                let steps = steps.flat_map(move |(number, step)| {
                    Around::new(&quorum::at(name, number), step.parts()).sections()
                });
                service.around(name).sections().into_iter().chain(steps)
            }))
            .chain(
                self.spec
                    .services
                    .names()
                    .zip(&self.misunderstand)
                    .filter(|(_, may)| **may)
                    .map(|(name, _)| protocol::declared(name)),
            )
            .chain(self.spec.services.names().flat_map(|name| control::declared(self.spec, name)))
            .chain(
                self.spec
                    .failures
                    .iter()
                    .map(|(name, failure)| fault::declared(name, self.failing(failure), failure.needs)),
            )
            .chain(self.spec.domains.names().map(|name| fault::declared(name, 1, None)))
            .chain(self.spec.triggers.names().map(fault::declared_trigger))
            .chain(repair::names(self.spec).into_iter().map(|name| fault::declared_repair(&name)))
            .chain(self.spec.alarms.names().map(control::alarms::declared))
            .chain(self.edges.iter().flat_map(|edge| network::declared(&edge.name, self.tells_link(edge))))
            .collect()
    }
}

impl EdgePlan<'_> {
    /// The parts of its policy, to be asked together.
    pub fn around(&self) -> Around<'_> {
        let around = Around::new(&self.name, self.policy.parts());
        let apart = self.apart.as_ref();
        Around { choices: self.choices, clients: self.callers, apart, says: self.says, ..around }
    }

    /// The same under another policy.
    fn under(self, policy: Policy) -> Self {
        let (does, worst) = of_policy(&policy);
        EdgePlan { does: self.does.and(does), worst, policy, ..self }
    }

    /// Whether a fault on `on` strikes it: an edge without a number is all call sites between the two.
    pub fn is_on(&self, on: &str) -> bool {
        let between = self.name.rsplit_once('#').filter(|_| self.number > 1).map(|(name, _)| name);
        let goes = |it: fault::Between| {
            self.apart.as_ref().is_some_and(|apart| it.is_gone(apart, self.callers, self.choices))
        };
        self.name == on || between == Some(on) || fault::Between::of(on).is_some_and(goes)
    }

    /// Attempts per user's call if all fail: those of this edge, times those of its caller; 1 for a user.
    pub fn worst_attempts(&self, callers: &[u64]) -> u64 {
        let above = match self.caller {
            Caller::Workload(_) | Caller::Checks(_) => 1,
            Caller::Service(caller) => callers[caller as usize],
        };
        above.saturating_mul(u64::from(self.worst.sent()))
    }
}

fn edges(spec: &GraphSpec) -> Vec<EdgePlan<'_>> {
    let mut plans = Vec::new();
    let mut between = BTreeMap::new();
    // Those over which a service is called back are counted apart, and know whom they are for when all edges are there.
    let (mut callbacks, mut asked_by) = (BTreeMap::new(), Vec::new());
    for (number, workload) in spec.workload.iter().enumerate() {
        let caller = (Caller::Workload(number as u32), workload.name.value.as_str());
        let to = &workload.to.value;
        let plan = edge(spec, &mut between, caller, to, &workload.policy, &workload.network, None);
        let of_users = Around::new("", workload.parts()).does();
        plans.push(EdgePlan { does: plan.does.and(of_users), ..plan });
    }
    for (number, (name, service)) in spec.services.iter().enumerate() {
        for (step, call) in
            service.calls.iter().flat_map(|step| step.calls.iter().map(move |call| (step, call)))
        {
            let caller = (Caller::Service(number as u32), name);
            let to = &call.to.value;
            let plan = edge(spec, &mut between, caller, to, &call.policy, &call.network, Some(call));
            let of_call = Around::new("", call.parts()).does();
            plans.push(EdgePlan { step: Some(step), does: plan.does.and(of_call), ..plan });
        }
        // Whoever stands in comes after all of them.
        let first = plans.len() - service.calls.iter().map(|step| step.calls.len()).sum::<usize>();
        for (at, call) in service.calls.iter().flat_map(|step| &step.calls).enumerate() {
            let Some((to, policy, network)) = call.instead() else { continue };
            let caller = (Caller::Service(number as u32), name);
            let plan = edge(spec, &mut between, caller, &to.value, policy, network, None);
            plans[first + at].fallback = Some(plans.len());
            plans.push(EdgePlan { instead_of: Some(first + at), ..plan });
        }
        // And then whoever it calls back. Who that is may have its own edges only later.
        for (asker, (to, _)) in spec.services.iter().enumerate() {
            let calls = spec.service(asker).calls.iter().flat_map(|step| &step.calls);
            for (at, call) in calls.enumerate().filter(|(_, call)| call.to.value == name) {
                let Some(callback) = &call.callback else { continue };
                let caller = (Caller::Service(number as u32), name);
                let back = &mut callbacks;
                let plan = edge(spec, back, caller, to, &callback.policy, &callback.network, None);
                asked_by.push((plans.len(), asker, at));
                let number = if plan.number == 1 { String::new() } else { format!("#{}", plan.number) };
                let name = format!("{name}->{to}{CALLBACK}{number}");
                plans.push(EdgePlan { name, does: plan.does.and(Does::CALLS_BACK), ..plan });
            }
        }
    }
    for (back, asker, at) in asked_by {
        let first = plans.partition_point(|edge| edge.caller < Caller::Service(asker as u32));
        plans[back].callback_of = Some(first + at);
        plans[first + at].callback = Some(back);
    }
    for (number, (name, service)) in spec.services.iter().enumerate() {
        for check in service.checks() {
            let caller = (Caller::Checks(number as u32), check.by);
            // Each is the first of his name.
            let plan = edge(spec, &mut BTreeMap::new(), caller, name, &None, check.network, None);
            plans.push(EdgePlan { choices: 1, check: Some(check), ..plan.under(check.policy()) });
        }
    }
    errands::edges(spec, &mut plans);
    let mut owners = BTreeMap::new();
    for (number, edge) in plans.iter_mut().enumerate() {
        edge.clients_of = match edge.policy.per {
            _ if matches!(edge.caller, Caller::Checks(_)) => number,
            Per::CallSite => number,
            // Who calls back is another client than who calls.
            Per::Target => {
                let target = (edge.caller, edge.callee, edge.policy_name, edge.callback_of.is_some());
                *owners.entry(target).or_insert(number)
            }
        };
    }
    plans
}

/// `between` counts the edges so far between any two.
fn edge<'a>(
    spec: &'a GraphSpec,
    between: &mut BTreeMap<(Caller, usize), u32>,
    (caller, from): (Caller, &str),
    to: &str,
    policy: &'a Option<Spanned<String>>,
    network: &'a Option<TimeDistribution>,
    call: Option<&'a CallSpec>,
) -> EdgePlan<'a> {
    let callee = spec.services.index_of(to).expect("checked: the service exists");
    let same = between.entry((caller, callee)).or_default();
    *same += 1;
    let suffix = if *same == 1 { String::new() } else { format!("#{same}") };
    let policy_name = policy.as_ref().map(|name| name.value.as_str());
    let named = |name| spec.policies.get(name).expect("checked: the policy exists").policy.clone();
    let policy = policy_name.map_or_else(Policy::default, named);
    let network = network.as_ref().unwrap_or(&spec.network);
    let service = spec.service(callee);
    let choices = if service.queue.common().shared { 1 } else { service.room() };
    let (does, worst) = of_policy(&policy);
    let travels = if network.nanos.mean() == 0.0 { Does::NOTHING } else { Does::TRAVELS };
    let callers = match caller {
        Caller::Workload(number) => spec.workload[number as usize].clients,
        Caller::Service(number) | Caller::Checks(number) => spec.service(number as usize).room(),
    };
    let apart = apart(spec, (caller, callers), (callee, choices));
    let is_far = spec.zones.as_ref().is_some_and(Zones::are_apart) && apart.is_some();
    let crosses = if is_far { Does::TRAVELS.and(Does::CROSSES) } else { Does::NOTHING };
    EdgePlan {
        callers,
        apart,
        says: Says::default(),
        does: does.and(travels).and(crosses),
        worst,
        name: format!("{from}->{to}{suffix}"),
        caller,
        callee,
        policy_name,
        policy,
        network,
        call,
        fallback: None,
        instead_of: None,
        callback: None,
        callback_of: None,
        step: None,
        check: None,
        errand: None,
        by_itself: 0.0,
        choices,
        number: *same,
        clients_of: 0,
    }
}

/// Where those stand who make the calls of an edge, and whom they call, if that is not all in one zone. Behind a queue for all nobody
/// knows before to whom a request goes; and whoever checks a replica stands beside it.
fn apart(
    spec: &GraphSpec,
    (caller, callers): (Caller, u32),
    (callee, choices): (usize, u32),
) -> Option<Apart> {
    let replicas = spec.service(callee).room();
    let from = match caller {
        Caller::Workload(number) => spec.turns_of_workload(number as usize)?,
        Caller::Service(number) => spec.turns_of_service(number as usize)?,
        Caller::Checks(_) => return None,
    };
    let zones = spec.zones.as_ref().filter(|_| choices == replicas)?;
    Apart::of(zones, (from, callers), (spec.turns_of_service(callee)?, replicas))
}

impl EdgePlan<'_> {
    /// Whether its calls only say that a key has changed.
    pub fn purges(&self) -> bool {
        self.callback_of.is_none() && self.call.is_some_and(|call| call.purge)
    }
}

/// What a policy does, and the most that it makes of a call.
fn of_policy(policy: &Policy) -> (Does, Worst) {
    let parts = Around::new("", policy.parts());
    (parts.does(), parts.worst())
}

/// The services that a service calls, once per call site, and whom it asks instead. Needs no plan: it is what a circle is looked for in.
pub fn callees(spec: &GraphSpec, service: usize) -> Vec<usize> {
    // What only says that a key has changed goes no further.
    let calls = spec.service(service).all_calls_of().filter(|call| !call.purge);
    let named = calls.flat_map(|call| [Some(&call.to), call.instead().map(|(to, ..)| to)]).flatten();
    named.filter_map(|to| spec.services.index_of(&to.value)).collect()
}

impl WorkloadSpec {
    /// Calls per second for good: since nothing changes them any more, or nothing but a surge. None where users wait for answers,
    /// where all come at once, and where the last change comes after the end of the run.
    pub fn lasting_rate(&self, run: &RunSpec) -> Option<f64> {
        let (rate, since) = match &self.arrivals {
            Arrivals::Poisson(rate) | Arrivals::Constant(rate) | Arrivals::Spike { base: rate, .. } => {
                (rate, SimTime::ZERO)
            }
            Arrivals::Steps { steps, .. } => steps.last().map(|step| (&step.rate, step.at))?,
            Arrivals::Ramp { to, at, over, .. } => (to, *at + *over),
            Arrivals::Burst { .. } | Arrivals::ClosedLoop { .. } | Arrivals::Replay { .. } => return None,
            Arrivals::Growth { .. } | Arrivals::Diurnal { .. } | Arrivals::Bursty { .. } => return None,
        };
        (since < SimTime::ZERO + run.duration).then(|| rate.get() * self.calls_mean())
    }

    /// Calls of each user who comes, if none of them fails.
    fn calls_mean(&self) -> f64 {
        self.session.as_ref().map_or(1.0, Session::calls_mean)
    }

    /// Calls per second after the warm-up; of a closed loop the most there can be: users over think time.
    pub fn base_rate(&self, run: &RunSpec) -> f64 {
        match self.arrivals.closed_loop() {
            Some((users, think)) => {
                let between = self.session.as_ref().map_or(0.0, |it| it.think.mean().as_secs_f64());
                let calls = self.calls_mean();
                let pauses = think.mean().as_secs_f64() + (calls - 1.0) * between;
                f64::from(users) * calls / pauses.max(1e-9)
            }
            None => {
                let schedule = Schedule::new(&self.arrivals).expect("only a closed loop has no schedule");
                schedule.rate_at(SimTime::ZERO + run.warm_up) * self.calls_mean()
            }
        }
    }
}

impl ServiceSpec {
    /// Requests per second that all workers of all replicas can do, their own work alone.
    pub fn capacity(&self) -> f64 {
        let workers = f64::from(self.workers.cores());
        let law = self.around("").all().find_map(|part| part.stretch());
        let at_once = law.map_or(workers, |law| law.capacity(workers));
        f64::from(self.replicas) * at_once / (self.work.nanos.mean() / 1e9)
    }
}
