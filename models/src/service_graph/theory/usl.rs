//! Users who never think keep as many workers busy as there are users, which is what the universal scalability law
//! speaks of.

use super::{QUIET, Ran, Values};
use crate::policy::part::Does;
use crate::report::Report;
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::ServiceSpec;
use crate::theory::Usl;

/// What the service may do: it stretches, and in which order it serves users who always come back makes no difference.
const CALLEE: Does = Does::STRETCHES.and(Does::REORDERS).and(Does::EXPIRES);

/// A workload whose users keep so many workers of one replica busy all the time.
struct Saturated<'a> {
    edge: usize,
    service: &'a ServiceSpec,
    law: Usl,
    at_once: f64,
}

/// Throughput against the law; and if several sizes of the same service ran beside each other, the law that their
/// throughputs amount to.
pub fn beside(ran: &Ran, values: &mut Values) {
    let (spec, report) = (ran.plan.spec, ran.report);
    let all: Vec<Saturated> =
        (0..spec.workload.len()).filter_map(|workload| saturated(ran.plan, workload)).collect();
    let alone_here = ran.plan.edges.len() == 1;
    for Saturated { edge, service, law, at_once } in &all {
        let workload = &spec.workload[*edge].name.value;
        let name = |what: &str| if alone_here { what.to_owned() } else { format!("{what} {workload}") };
        let alone = 1e9 / service.work.nanos.mean();
        let goodput = report.edges.0[*edge].1.goodput;
        let exact = law.capacity(*at_once);
        let source = "universal scalability law";
        if alone_here {
            values.add(
                name("throughput"),
                "calls per second",
                "/s",
                Some(goodput),
                Some(alone * exact),
                source,
            );
        }
        let about = "throughput, in that of one worker alone";
        values.add(name("capacity"), about, "", Some(goodput / alone), Some(exact), source);
    }
    fit(&all, report, values);
}

fn saturated<'a>(plan: &Plan<'a>, workload: usize) -> Option<Saturated<'a>> {
    let edge = &plan.edges[workload];
    let (users, think) = plan.spec.workload[workload].arrivals.closed_loop()?;
    let service = plan.callee(edge);
    let (_, law) = service.around("").only(Does::STRETCHES, |part| part.stretch())?;
    let known = edge.does.within(QUIET.without(Does::TRAVELS)) && plan.does[edge.callee].within(CALLEE);
    let only = plan.into(edge.callee).count() == 1;
    let plain = service.replicas == 1 && service.calls.is_empty() && think.nanos.mean() == 0.0;
    let holds = known && only && plain && super::queue::has_room(service, users);
    let at_once = f64::from(users.min(service.workers.count()));
    holds.then_some(Saturated { edge: workload, service, law, at_once })
}

/// Contention and coherency as the throughputs show them, beside what was written.
fn fit(all: &[Saturated], report: &Report, values: &mut Values) {
    let Some(first) = all.first() else { return };
    if all.iter().any(|each| each.law != first.law || each.service.work != first.service.work) {
        return;
    }
    let points: Vec<(f64, f64)> =
        all.iter().map(|each| (each.at_once, report.edges.0[each.edge].1.goodput)).collect();
    let Some(fit) = Usl::fit(&points) else { return };
    let source = "as written; measured: least squares over all sizes";
    let mut add = |name: &str, about: &str, measured: f64, exact: f64, error: Option<f64>| {
        values.add(name.into(), about, "", Some(measured).filter(|x| x.is_finite()), Some(exact), source);
        if let Some((last, value)) = values.found.0.last_mut().filter(|(last, _)| last == name) {
            debug_assert!(last == name);
            value.standard_error = error;
        }
    };
    add("contention", "alpha, fitted", fit.law.contention, first.law.contention, Some(fit.contention_error));
    add("coherency", "beta, fitted", fit.law.coherency, first.law.coherency, Some(fit.coherency_error));
    add("peak", "where throughput is highest", fit.law.peak(), first.law.peak(), None);
}
