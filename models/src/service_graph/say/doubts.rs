//! What can run, but hardly as it was meant: settings of two places that do not fit each other.

use crate::carried::Criticality;
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, Span};
use crate::policy::part::{Around, Callers, Does, Part};
use crate::service_graph::plan::{Caller, EdgePlan, Plan};
use crate::service_graph::service::record::keeps;
use crate::service_graph::spec::{Priority, Workers};
use crate::workload::Size;
use sim_core::{LONGEST, SimDuration};

/// How long the caller of an edge waits for one attempt.
fn patience(edge: &EdgePlan) -> Option<SimDuration> {
    edge.worst.attempt.into_iter().chain(edge.worst.call).min()
}

/// A service that waits for another longer than anybody waits for it works for nobody in the end.
pub fn check_timeouts(plan: &Plan, at: &Node, cx: &mut Decoder) {
    for edge in &plan.edges {
        let (Caller::Service(caller), Some(inner)) = (edge.caller, edge.worst.attempt) else { continue };
        // Who calls back is in no hurry for its callers.
        if edge.call.is_some_and(|call| !call.wait) || edge.callback_of.is_some() {
            continue;
        }
        let Some((outer, of)) = longest_wait(plan, caller) else { continue };
        if inner > outer {
            let message =
                format!("{} waits up to {inner} for an answer, but {of} gives up after {outer}", edge.name);
            cx.warn(span_of(plan, caller, at), message)
                .help("timeouts grow from the inside out: what is behind must fail first");
        }
    }
}

/// A call that is to end so much before the request that it is made for never begins, if nobody waits longer for that.
pub fn check_allowances(plan: &Plan, at: &Node, cx: &mut Decoder) {
    for edge in &plan.edges {
        let (Caller::Service(caller), Some(ahead)) =
            (edge.caller, edge.around().all().find_map(|part| part.ahead()))
        else {
            continue;
        };
        if edge.callback_of.is_some() {
            continue;
        }
        let Some(outer) = longest_wait(plan, caller) else { continue };
        if ahead >= outer.0 {
            let message = format!(
                "no call over {} ever begins: it would end {ahead} before its caller's, and {} waits {} at most",
                edge.name, outer.1, outer.0
            );
            cx.warn(span_of(plan, caller, at), message).help("a shorter `allowance`");
        }
    }
}

/// Users who think for no time ask again at the instant at which they are refused: whoever refuses them at once does so for ever, and time stands still.
pub fn check_loops(plan: &Plan, at: &Node, cx: &mut Decoder) {
    for edge in &plan.edges {
        let Caller::Workload(number) = edge.caller else { continue };
        let workload = &plan.spec.workload[number as usize];
        let Some((users, think)) = workload.arrivals.closed_loop() else { continue };
        // Whoever comes again waits before that, and so may whoever has more to do.
        if think.fixed() != Some(SimDuration::ZERO) || workload.reload.is_some() || workload.session.is_some()
        {
            continue;
        }
        let Some((is_error, message)) = goes_round(plan, edge, u64::from(users)) else { continue };
        let node = at.get("workload").and_then(|all| all.items().get(number as usize));
        let span = node.and_then(|node| node.get("arrivals")).unwrap_or(at).span;
        let help = "a `think` above 0, as in think: \"1ms\"";
        cx.at("workload", |cx| {
            cx.at_index(number as usize, |cx| {
                cx.at("arrivals", |cx| {
                    _ = if is_error { cx.error(span, message) } else { cx.warn(span, message) }.help(help);
                });
            });
        });
    }
}

/// How so many users, none of whom ever thinks, may keep time from passing, and whether they do for sure.
fn goes_round(plan: &Plan, edge: &EdgePlan, users: u64) -> Option<(bool, String)> {
    let (around, callee) = (edge.around(), plan.callee(edge));
    let of = plan.spec.name(edge.callee);
    let takes_no_time = |time: &TimeDistribution| time.fixed() == Some(SimDuration::ZERO);
    if takes_no_time(edge.network) && takes_no_time(&callee.work) && callee.calls.is_empty() {
        return Some((
            true,
            format!("users who think for no time call `{of}`, which takes none either: time stands still"),
        ));
    }
    let refuses = || around.parts.iter().filter_map(|it| Some((it.key, it.part.as_deref()?)));
    let refuses = || refuses().filter(|(_, part)| part.does().any(Does::REFUSES));
    for (key, part) in refuses() {
        if let Some(lets_in) = part.lets_in().map(|it| it * u64::from(edge.callers)).filter(|it| *it < users)
        {
            let why = format!(
                "{users} users, who think for no time, call at once, and `{key}` lets {lets_in} in: whoever is refused asks again at that instant, and time stands still"
            );
            return Some((true, why));
        }
    }
    // Whoever is turned away by the service hears of it at once where messages take no time, and does not try again by and by.
    let room = callee.around(of).room.map(|room| room * u64::from(callee.room()));
    if let Some(room) = room.filter(|room| *room < users)
        && takes_no_time(edge.network)
        && edge.worst.pauses.is_zero()
        && !edge.does.any(Does::DELAYS.and(Does::REFUSES))
    {
        let why = format!(
            "{users} users, who think for no time, call at once, and `{of}` has room for {room}: whoever is turned away asks again at that instant, and time stands still"
        );
        return Some((true, why));
    }
    // Whoever may be kept waiting hears no by and by, and one client has no more calls out than there are users.
    let may =
        |part: &dyn Part| !(part.does().any(Does::DELAYS) || part.at_once().is_some() && edge.callers == 1);
    let (key, _) = refuses().find(|(_, part)| may(*part))?;
    let why = format!(
        "users who think for no time ask again at the instant at which `{key}` refuses them: if it does, time stands still"
    );
    Some((false, why))
}

/// What is set and never does anything where it stands: whoever reads the file would count on it.
pub fn check_idle(plan: &Plan, at: &Node, cx: &mut Decoder) {
    for edge in &plan.edges {
        let around = edge.around();
        for (why, help) in around.all().filter_map(|part| part.idles(&around)) {
            let span = plan.spec.services.span_of(plan.spec.name(edge.callee)).unwrap_or(at.span);
            cx.warn(span, why).help(help);
        }
    }
    let all = callers(plan);
    for ((name, service), callers) in plan.spec.services.iter().zip(all) {
        // Whom nobody calls is another matter.
        let around = Around { callers, ..service.around(name) };
        for (why, help) in around.all().filter_map(|part| part.idles(&around)) {
            let span = plan.spec.services.span_of(name).unwrap_or(at.span);
            cx.warn(span, why).help(help);
        }
    }
}

/// What is known of those who call each service; none of one that nobody calls. Whoever may call counts.
fn callers(plan: &Plan) -> Vec<Option<Callers>> {
    let mut all: Vec<Option<Callers>> = vec![None; plan.spec.services.len()];
    // Who calls in a circle is known when it has been looked at once.
    let rounds = if plan.has_circles { 2 } else { 1 };
    for &service in std::iter::repeat_n(&plan.order, rounds).flatten() {
        let mut here: Option<Callers> = None;
        let lighter = |known: &mut Callers, bytes: u64| {
            known.lightest = Some(known.lightest.map_or(bytes, |least| least.min(bytes)));
        };
        let mut waits = Vec::new();
        for edge in plan.into(service).filter(|edge| !matches!(edge.caller, Caller::Checks(_))) {
            let known = here.get_or_insert_default();
            known.tenants |= edge.says.tenant;
            known.keys |= edge.says.key;
            match edge.caller {
                Caller::Workload(number) => {
                    let workload = &plan.spec.workload[number as usize];
                    known.sizes |= workload.size.is_some();
                    lighter(known, workload.size.as_ref().map_or(0, Size::least));
                    let ranks = workload.priority.as_ref().map(Priority::those).unwrap_or_default();
                    let default = ranks.is_empty().then(Criticality::default);
                    ranks.into_iter().chain(default).for_each(|one| known.priorities[one.rank()] = true);
                }
                // It carries what its request does, of whom all is known here.
                Caller::Service(_) if edge.callback_of.is_some() => {}
                Caller::Service(caller) => {
                    let Some(above) = &all[caller as usize] else { continue };
                    known.sizes |= above.sizes;
                    above.lightest.into_iter().for_each(|least| lighter(known, least));
                    known.priorities.iter_mut().zip(above.priorities).for_each(|(one, it)| *one |= it);
                }
                Caller::Checks(_) => unreachable!("nobody's requests"),
            }
            waits.push((patience(edge), waits_alike(edge)));
        }
        if let Some(known) = &mut here {
            let longest = waits.iter().map(|(wait, _)| *wait).max_by_key(|wait| wait.unwrap_or(LONGEST));
            known.longest = longest.flatten();
            known.all_alike =
                waits.windows(2).all(|pair| pair[0].0 == pair[1].0) && waits.iter().all(|(_, alike)| *alike);
        }
        all[service] = here;
    }
    all
}

/// Whether every attempt over an edge is waited for as long as any other, and takes as long to arrive.
fn waits_alike(edge: &EdgePlan) -> bool {
    let around = edge.around();
    let ends = !edge.does.any(Does::GIVES_UP) || around.patience().is_some_and(|it| it.fixed().is_some());
    let first = edge.worst.sent() == 1 || edge.worst.call.is_none();
    let own = around.all().all(|part| part.ahead().is_none());
    ends && first && own && edge.network.fixed().is_some()
}

/// The edge into a service whose callers wait longest for it, and how long; none if one waits for ever, or there is none.
fn longest_wait<'p>(plan: &'p Plan, service: u32) -> Option<(SimDuration, &'p str)> {
    let into = plan.callers_of(service as usize).map(|into| (patience(into), into.name.as_str()));
    let longest = into.max_by_key(|(wait, _)| wait.map_or(u64::MAX, |it| it.as_nanos()));
    longest.and_then(|(wait, name)| Some((wait?, name)))
}

fn span_of(plan: &Plan, service: u32, at: &Node) -> Span {
    plan.spec.services.span_of(plan.spec.name(service as usize)).unwrap_or(at.span)
}

/// A limit on calls that are out which lets more out than can be worked on: what it was to keep from forming, a queue,
/// forms.
pub fn check_width(plan: &Plan, at: &Node, cx: &mut Decoder) {
    for edge in &plan.edges {
        let Some(limit) = edge.around().all().filter_map(|part| part.at_once()).min() else { continue };
        let (name, service) = (plan.spec.name(edge.callee), plan.callee(edge));
        // Whose workers are free while others work for it has no width of its own.
        if !matches!(service.workers, Workers::Blocking(_)) && !service.calls.is_empty() {
            continue;
        }
        let workers = u64::from(service.replicas) * u64::from(service.workers.count());
        let (work, way) = (service.work.nanos.mean(), 2.0 * edge.network.nanos.mean());
        // Calls on their way are out, too.
        let wide = workers as f64 * (1.0 + if work > 0.0 { way / work } else { f64::INFINITY });
        if f64::from(limit) > wide {
            let span = plan.spec.services.span_of(name).unwrap_or(at.span);
            let message = format!(
                "{} may have {limit} calls out, but all of `{name}` works on {workers} at once: the rest wait there",
                edge.name
            );
            cx.warn(span, message).help("a limit below that keeps a slow callee from holding its callers");
        }
    }
}

/// Whoever is out for what is to be kept is back while that is waited for, at least where nothing is wrong.
pub fn check_fetches(plan: &Plan, at: &Node, cx: &mut Decoder) {
    let mut known = vec![None; plan.spec.services.len()];
    for (number, (name, service)) in plan.spec.services.iter().enumerate() {
        let kept = service.around(name).all().find_map(|part| part.keeps());
        let Some(awaited) = kept.and_then(|kept| kept.awaited) else { continue };
        let least = SimDuration::from_nanos_f64(fetch(plan, number, &mut known));
        if least > awaited {
            let span = span_of(plan, number as u32, at);
            let message = format!(
                "a lease of {name} is over after {awaited}, and a fetch takes at least {least}: what comes is kept only if nobody has asked since"
            );
            cx.warn(span, message).help("a longer `hold` than that");
        }
    }
}

/// Whoever is stopped before its calls can have ended never gets anything done.
pub fn check_stops(plan: &Plan, at: &Node, cx: &mut Decoder) {
    let mut known = vec![None; plan.spec.services.len()];
    for (number, (name, service)) in plan.spec.services.iter().enumerate() {
        let limit = service.around(name).all().find_map(|part| part.stops_after());
        let Some(limit) = limit.filter(|_| !keeps(service)) else { continue };
        let work = service.work.nanos.min();
        let least = SimDuration::from_nanos_f64(work + fetch(plan, number, &mut known));
        // Where the work alone is too much, that is said of it.
        if least > limit && SimDuration::from_nanos_f64(work) <= limit {
            let message = format!(
                "a request takes at least {least}, calls included, and is stopped after {limit}: none is done"
            );
            cx.warn(span_of(plan, number as u32, at), message)
                .help("a longer limit, or calls that nobody waits for");
        }
    }
}

/// The shortest time, in nanoseconds, that the calls of a request take that ends well: of those that all make and none can do without.
fn fetch(plan: &Plan, service: usize, known: &mut [Option<f64>]) -> f64 {
    if let Some(least) = known[service] {
        return least;
    }
    // Who comes round again may end there.
    known[service] = Some(0.0);
    let mut least = 0.0;
    for (step, edges) in plan.steps(service) {
        let mut longest = 0.0_f64;
        for (call, edge) in step.calls.iter().zip(&plan.edges[edges]) {
            let is_needed = call.wait && !call.optional && call.fallback.is_none() && step.wait_for.is_none();
            if !is_needed || !call.is_of_all() || call.callback.is_some() || call.purge {
                continue;
            }
            let callee = plan.callee(edge);
            let behind = if keeps(callee) { 0.0 } else { fetch(plan, edge.callee, known) };
            let once = 2.0 * edge.network.nanos.min() + callee.work.nanos.min() + behind;
            longest = longest.max(if step.parallel { once } else { once * f64::from(call.times) });
        }
        least += longest;
    }
    known[service] = Some(least);
    least
}
