//! What is needed to repair something: whether it is there, and whether it can be while that is broken.

use super::check::check_service_name;
use crate::experiment::{Decoder, Spanned};
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::*;

/// Whether what a repair needs is there, and known to whoever repairs.
pub fn check_needs(graph: &GraphSpec, cx: &mut Decoder) -> bool {
    let mut sound = true;
    for (number, _, repair) in graph.repairs() {
        for need in &repair.needs {
            in_repair(number, cx, |cx| {
                sound &= check_service_name(graph, "needs", need, cx);
                if graph.services.get(&need.value).and_then(ServiceSpec::found).is_some() {
                    let message = format!("`{}` is looked up, and whoever repairs knows nobody", need.value);
                    let help = "whoever is needed for a repair is known: leave out how it is found";
                    cx.at("needs", |cx| _ = cx.error(need.span, message).help(help));
                    sound = false;
                }
            });
        }
    }
    sound
}

/// Warns of a repair that needs what it is to repair.
pub fn check_circles(plan: &Plan, cx: &mut Decoder) {
    let graph = plan.spec;
    for (number, fault, repair) in graph.repairs() {
        let service = |name: &str| graph.services.index_of(name);
        let on = &fault.on.value;
        // A service that does not answer, or one that cannot call another.
        let broken = match (service(on), on.split_once("->")) {
            _ if !is_all(fault) => continue,
            (Some(broken), _) => (broken, None),
            (None, Some((from, to))) => match (service(from), service(to)) {
                (Some(from), Some(to)) => (from, Some(to)),
                _ => continue,
            },
            (None, None) => continue,
        };
        for need in &repair.needs {
            let Some(way) = way(plan, need, broken) else { continue };
            let message = format!("needs {}, which this takes down: it is never repaired", way.join(" -> "));
            let help = "a way in that works without what is broken: out-of-band";
            in_repair(number, cx, |cx| cx.at("needs", |cx| _ = cx.warn(need.span, message).help(help)));
        }
    }
}

fn in_repair(number: u32, cx: &mut Decoder, say: impl FnOnce(&mut Decoder)) {
    cx.at("faults", |cx| cx.at_index(number as usize, |cx| cx.at("repair", say)));
}

/// Whether no call of a service ends well that a fault is on.
fn is_all(fault: &FaultSpec) -> bool {
    let all = [&fault.replicas, &fault.clients].iter().all(|it| matches!(it, Affected::All));
    all && fault.requests.is_none()
        && match fault.effect {
            Effect::Crash { .. } | Effect::BlackHole | Effect::Hold => true,
            Effect::Errors { probability } | Effect::Drop { probability } => probability >= 1.0,
            _ => false,
        }
}

/// How a request of the first comes to the last, or from there to another, if it never ends well without that: by name, if it does.
fn way(plan: &Plan, from: &Spanned<String>, (to, then): (usize, Option<usize>)) -> Option<Vec<String>> {
    let graph = plan.spec;
    let mut by: Vec<Option<usize>> = vec![None; graph.services.len()];
    let first = graph.services.index_of(&from.value)?;
    let mut todo = vec![first];
    while let Some(at) = todo.pop() {
        if at == to {
            let before = |&at: &usize| by[at].filter(|_| at != first);
            let mut way: Vec<String> = std::iter::successors(Some(to), before)
                .map(|number| format!("`{}`", graph.name(number)))
                .collect();
            way.reverse();
            let Some(then) = then else { return Some(way) };
            way.push(format!("`{}`", graph.name(then)));
            let goes_on = required(plan, to).any(|next| next == then);
            return goes_on.then_some(way);
        }
        for next in required(plan, at) {
            if by[next].is_none() && next != first {
                by[next] = Some(at);
                todo.push(next);
            }
        }
    }
    None
}

/// The services without which no request of this one ends well.
fn required<'a>(plan: &'a Plan, at: usize) -> impl Iterator<Item = usize> + 'a {
    let service = plan.spec.service(at);
    // What is kept may do instead.
    let steps = service.calls.iter().filter(move |step| step.wait_for.is_none() && !plan.keeps(at));
    let calls = steps.flat_map(|step| &step.calls).filter(|call| is_required(call));
    calls.filter_map(|call| plan.spec.services.index_of(&call.to.value))
}

/// Whether every request makes this call, and none ends well without it.
fn is_required(call: &CallSpec) -> bool {
    call.is_of_all()
        && call.wait
        && !call.optional
        && call.fallback.is_none()
        && call.callback.is_none()
        && !call.purge
}
