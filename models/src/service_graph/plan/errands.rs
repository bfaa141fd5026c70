//! Edges that no request is sent over: what is said and asked about replicas elsewhere, to find them, what replicas call by themselves, and what
//! whoever repairs something asks.
//!
//! They come after all others. Whoever makes their calls is a replica, or a client of one, so each is counted as whoever checks replicas is.

use super::{Caller, EdgePlan, Plan, edge};
use crate::policy::part::Does;
use crate::service_graph::control::on_start::BY_ITSELF;
use crate::service_graph::control::repair::REPAIR;
use crate::service_graph::spec::GraphSpec;
use std::collections::BTreeMap;

/// What the edges are called over which replicas say that they are there, and callers ask who is, after the two that they are between.
const HEARTBEAT: &str = "/heartbeat";
const LOOKUP: &str = "/lookup";

/// What is said and asked about the replicas of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A replica says that it is there.
    SaysItIsThere,
    /// This caller of theirs asks who is.
    LooksUp(Caller),
    /// A replica calls whom it needs, for no user.
    ByItself,
    /// Whoever repairs what this fault breaks asks whether what he needs is there.
    Repairs { fault: u32 },
}

/// All of a graph, after those that there are without them.
pub(super) fn edges<'a>(spec: &'a GraphSpec, plans: &mut Vec<EdgePlan<'a>>) {
    of_discovery(spec, plans);
    by_themselves(spec, plans);
    repairs(spec, plans);
}

/// Those over which the replicas of services are registered and looked up, by each kind of caller.
fn of_discovery<'a>(spec: &'a GraphSpec, plans: &mut Vec<EdgePlan<'a>>) {
    let mut between = BTreeMap::new();
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let Some(found) = service.found() else { continue };
        let (lookup, of) = (found.lookup(), Caller::Checks(number as u32));
        let mut whoever = vec![];
        if found.heartbeat().is_some() {
            whoever.push((Caller::Service(number as u32), name, Errand::SaysItIsThere));
        }
        for edge in
            plans.iter().filter(|edge| edge.callee == number && !matches!(edge.caller, Caller::Checks(_)))
        {
            let caller = match edge.caller {
                Caller::Workload(number) => spec.workload[number as usize].name.value.as_str(),
                Caller::Service(number) | Caller::Checks(number) => spec.name(number as usize),
            };
            let looks = (edge.caller, caller, Errand::LooksUp(edge.caller));
            whoever.extend((!whoever.contains(&looks)).then_some(looks));
        }
        for (caller, from, errand) in whoever {
            // Who says something and who asks are counted apart.
            let counted = between.entry(errand == Errand::SaysItIsThere).or_insert_with(BTreeMap::new);
            let plan = edge(spec, counted, (caller, from), &lookup.whom.value, &None, &None, None);
            let what = if errand == Errand::SaysItIsThere { HEARTBEAT } else { LOOKUP };
            let again = if plan.number == 1 { String::new() } else { format!("#{}", plan.number) };
            let name = format!("{from}->{}{what}{again}", lookup.whom.value);
            let there = match caller {
                Caller::Workload(_) => plan.callers,
                Caller::Service(caller) | Caller::Checks(caller) => spec.service(caller as usize).replicas,
            };
            let every = match errand {
                Errand::SaysItIsThere => found.heartbeat(),
                Errand::LooksUp(_) => lookup.every(),
                Errand::ByItself | Errand::Repairs { .. } => None,
            };
            let by_itself = every.map_or(0.0, |every| f64::from(there) / every.as_secs_f64());
            let plan = EdgePlan { caller: of, errand: Some(errand), by_itself, ..plan };
            plans.push(EdgePlan { name, ..plan.under(lookup.policy()) });
        }
    }
}

/// Those over which replicas call by themselves when they have started, or are no longer cut off.
fn by_themselves<'a>(spec: &'a GraphSpec, plans: &mut Vec<EdgePlan<'a>>) {
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let mut between = BTreeMap::new();
        for call in service.by_themselves().into_iter().flat_map(|it| &it.says.calls) {
            let caller = (Caller::Service(number as u32), name);
            let plan = edge(spec, &mut between, caller, &call.to.value, &call.policy, &call.network, None);
            let again = if plan.number == 1 { String::new() } else { format!("#{}", plan.number) };
            let name = format!("{name}->{}{BY_ITSELF}{again}", call.to.value);
            let caller = Caller::Checks(number as u32);
            plans.push(EdgePlan { name, caller, errand: Some(Errand::ByItself), ..plan });
        }
    }
}

/// Those over which whoever repairs something asks for what he needs. He stands nowhere in particular.
fn repairs<'a>(spec: &'a GraphSpec, plans: &mut Vec<EdgePlan<'a>>) {
    let mut named: BTreeMap<String, u32> = BTreeMap::new();
    for (fault, broken, repair) in spec.repairs() {
        for need in &repair.needs {
            let callee = spec.services.index_of(&need.value).expect("checked: the service exists");
            let caller = (Caller::Checks(callee as u32), broken.broken());
            let plan = edge(spec, &mut BTreeMap::new(), caller, &need.value, &None, &None, None);
            let name = format!("{}{REPAIR}", plan.name);
            let number = named.entry(name.clone()).or_default();
            *number += 1;
            let again = if *number == 1 { String::new() } else { format!("#{number}") };
            plans.push(EdgePlan {
                name: format!("{name}{again}"),
                number: *number,
                callers: 1,
                errand: Some(Errand::Repairs { fault }),
                ..plan.under(repair.policy())
            });
        }
    }
}

/// What they do to the services that they come to.
pub(super) fn reach(edges: &[EdgePlan], callees: &[Vec<usize>], does: &mut [Does]) {
    for edge in edges.iter().filter(|edge| edge.errand.is_some()) {
        does[edge.callee] = does[edge.callee].and(Does::CHECKS);
    }
    // What comes by itself comes to all whom it is passed on to, at no rate.
    let first = edges.iter();
    let first = first.filter(|edge| matches!(edge.errand, Some(Errand::ByItself | Errand::Repairs { .. })));
    let (mut reached, mut todo) =
        (vec![false; callees.len()], first.map(|edge| edge.callee).collect::<Vec<_>>());
    while let Some(service) = todo.pop() {
        if !std::mem::replace(&mut reached[service], true) {
            does[service] = does[service].and(Does::CHECKS);
            todo.extend(&callees[service]);
        }
    }
}

impl Plan<'_> {
    /// Adds what is said and asked without any user, and the calls that follow from that.
    pub(super) fn run_errands(&self, all: &mut [f64], attempts: impl Fn(&EdgePlan) -> f64, fail: f64) {
        let mut requests = vec![0.0; self.spec.services.len()];
        for (all, edge) in all.iter_mut().zip(&self.edges).filter(|(_, edge)| edge.by_itself > 0.0) {
            *all += edge.by_itself;
            requests[edge.callee] += edge.by_itself * attempts(edge);
        }
        for &service in self.order.iter().filter(|_| !self.has_circles) {
            for index in self.sites[service].clone() {
                let edge = &self.edges[index];
                if edge.callback_of.is_some()
                    || edge.call.is_some_and(|call| !call.only_from.is_empty() || call.flag.is_some())
                {
                    continue;
                }
                let calls = requests[service] * self.made(edge, fail);
                all[index] += calls;
                requests[edge.callee] += calls * attempts(edge);
            }
        }
    }
}

impl EdgePlan<'_> {
    /// The service whose replicas call over it by themselves, if that is what it is for.
    pub fn makes_by_itself(&self) -> Option<usize> {
        match (self.caller, self.errand) {
            (Caller::Checks(service), Some(Errand::ByItself)) => Some(service as usize),
            _ => None,
        }
    }
}
