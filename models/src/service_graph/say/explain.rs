//! What a graph amounts to before it is run: effective policies, back-off tables, worst cases, load.

use crate::RunSpec;
use crate::distribution::TimeDistribution;
use crate::experiment::Decode;
use crate::policy::Policy;
use crate::policy::budget::Budget;
use crate::policy::retry::RetryPlan;
use crate::report::{Cell, Table};
use crate::run::Explanation;
use crate::service_graph::plan::{EdgePlan, Plan, above};
use crate::service_graph::spec::*;
use crate::service_graph::theory::fluid;
use crate::theory;
use sim_core::SimDuration;

/// Back-off tables stop after so many retries.
const MOST_RETRIES_SHOWN: u32 = 10;

/// Tables and notes for `brownout explain`.
pub fn explain(plan: &Plan, run: &RunSpec) -> Explanation {
    let spec = plan.spec;
    let load = Load::of(plan, run);
    let mut tables = vec![arrivals(spec, run), services(spec, &load), calls(plan)];
    tables.extend(policies(spec));
    tables.extend(back_offs(spec));
    tables.extend(faults(spec));
    Explanation { tables, notes: notes(plan, &load), regime: fluid::regime(plan, run) }
}

/// Expected requests per second, when nothing fails and when everything does.
struct Load {
    /// First attempts at each service.
    healthy: Vec<f64>,
    /// With every retry that the policies allow, on every layer.
    worst: Vec<f64>,
}

impl Load {
    fn of(plan: &Plan, run: &RunSpec) -> Load {
        let into = |attempts: &dyn Fn(&EdgePlan) -> f64| {
            let mut load = vec![0.0; plan.spec.services.len()];
            for (edge, calls) in plan.edges.iter().zip(plan.calls_per_sec(run, attempts)) {
                load[edge.callee] += calls * attempts(edge);
            }
            load
        };
        let all = |edge: &EdgePlan| f64::from(RetryPlan::new(&edge.policy.retry).attempts());
        Load { healthy: into(&|_| 1.0), worst: into(&all) }
    }
}

fn table(title: &str, columns: &[&str]) -> Table {
    Table {
        title: title.into(),
        columns: columns.iter().map(|&name| name.into()).collect(),
        ..Table::default()
    }
}

fn per_second(rate: f64) -> Cell {
    Cell::Text(if rate >= 99.95 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") })
}

fn percent(share: f64) -> Cell {
    if share.is_finite() { Cell::Text(crate::report::percent(share)) } else { "-".into() }
}

fn arrivals(spec: &GraphSpec, run: &RunSpec) -> Table {
    let mut table = table("Workload", &["name", "calls", "arrivals", "rate", "clients"]);
    for workload in &spec.workload {
        table.rows.push(vec![
            workload.name.value.as_str().into(),
            workload.to.value.as_str().into(),
            plain(&workload.arrivals).into(),
            per_second(workload.base_rate(run)),
            u64::from(workload.clients).into(),
        ]);
    }
    table
}

fn services(spec: &GraphSpec, load: &Load) -> Table {
    let columns = [
        "service",
        "replicas",
        "workers",
        "queue",
        "mean work",
        "capacity",
        "offered",
        "utilisation",
        "if all fail",
    ];
    let mut table = table("Services", &columns);
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let capacity = service.capacity();
        table.rows.push(vec![
            name.into(),
            u64::from(service.replicas).into(),
            plain(&service.workers).into(),
            plain(&service.queue).into(),
            service.work.mean().brief().into(),
            if capacity.is_finite() { per_second(capacity) } else { "-".into() },
            per_second(load.healthy[number]),
            percent(load.healthy[number] / capacity),
            percent(load.worst[number] / capacity),
        ]);
    }
    table.note = "capacity counts own work only; a blocking worker also waits for the calls it makes. \
                  `if all fail` is the load when every call is tried as often as the policies allow"
        .into();
    table
}

fn calls(plan: &Plan) -> Table {
    let columns =
        ["edge", "policy", "latency", "probability", "times", "attempts", "longest", "worst amplification"];
    let mut table = table("Calls", &columns);
    let attempts = |edge: &EdgePlan| u64::from(RetryPlan::new(&edge.policy.retry).attempts());
    let worst = plan.worst_attempts(1, attempts);
    for edge in &plan.edges {
        table.rows.push(vec![
            edge.name.as_str().into(),
            edge.policy_name.unwrap_or("(none)").into(),
            plain(edge.network).into(),
            edge.call.map_or(1.0, |call| call.probability).into(),
            u64::from(edge.call.map_or(1, |call| call.times)).into(),
            attempts(edge).into(),
            longest(edge).map_or("for ever".into(), |longest| longest.brief()).into(),
            above(&worst, edge).saturating_mul(attempts(edge)).into(),
        ]);
    }
    table.note =
        "`longest` is how long a caller can wait: every attempt times out and every back-off is the \
                  longest, cut by the deadline. `worst amplification` counts attempts per user request when \
                  all of them fail, the layers above included"
            .into();
    table
}

/// `None` waits for ever.
fn longest(edge: &EdgePlan) -> Option<SimDuration> {
    let retry = RetryPlan::new(&edge.policy.retry);
    let tried = edge.policy.timeout.map(|timeout| {
        let all = timeout.saturating_mul(u64::from(retry.attempts())).as_nanos();
        SimDuration::from_nanos(all.saturating_add(retry.worst_case_total().as_nanos()))
    });
    let deadline = edge.policy.deadline.as_ref().and_then(TimeDistribution::longest);
    match (tried, deadline) {
        (Some(tried), Some(deadline)) => Some(tried.min(deadline)),
        (one, other) => one.or(other),
    }
}

/// A table for each policy: what it says about each question, defaults included.
fn policies(spec: &GraphSpec) -> Vec<Table> {
    fn shown<T: Decode>(part: &Option<T>, otherwise: &str) -> Cell {
        part.as_ref().map_or(otherwise.into(), |part| plain(part).into())
    }
    let table = |(name, policy): (&str, &Policy)| Table {
        rows: vec![
            vec!["timeout".into(), shown(&policy.timeout, "none: an attempt waits for ever")],
            vec!["deadline".into(), shown(&policy.deadline, "none: a call has no end of its own")],
            vec!["retry".into(), plain(&policy.retry).into()],
            vec!["budget".into(), shown(&policy.budget, "none: every failure may be retried")],
            vec!["breaker".into(), shown(&policy.breaker, "none: whatever fails is called again")],
            vec!["bulkhead".into(), shown(&policy.bulkhead, "none: any number of calls at once")],
            vec!["balancer".into(), plain(&policy.balancer).into()],
        ],
        ..table(&format!("Policy `{name}`"), &["setting", "value, defaults included"])
    };
    spec.policies.iter().map(table).collect()
}

/// As in a file, on one line; a text without its quotes.
pub fn plain(part: &impl Decode) -> String {
    let node = part.encode();
    node.as_text().map_or_else(|| node.to_line(), str::to_owned)
}

fn back_offs(spec: &GraphSpec) -> Vec<Table> {
    let mut tables = Vec::new();
    for (name, policy) in spec.policies.iter() {
        let retry = RetryPlan::new(&policy.retry);
        if retry.attempts() <= 1 {
            continue;
        }
        let columns = ["retry", "shortest", "mean", "longest", "mean total"];
        let mut table = table(&format!("Back-off of `{name}`"), &columns);
        let mut total = SimDuration::ZERO;
        for number in 1..retry.attempts().min(MOST_RETRIES_SHOWN + 1) {
            let bounds = retry.bounds(number);
            total += bounds.mean;
            table.rows.push(vec![
                u64::from(number).into(),
                bounds.min.brief().into(),
                bounds.mean.brief().into(),
                bounds.max.brief().into(),
                total.brief().into(),
            ]);
        }
        if retry.attempts() > MOST_RETRIES_SHOWN + 1 {
            table.note = format!("and so on, up to {} attempts", retry.attempts());
        }
        tables.push(table);
    }
    tables
}

fn faults(spec: &GraphSpec) -> Option<Table> {
    let mut table = table("Faults", &["on", "effect", "replicas", "from", "until"]);
    for fault in &spec.faults {
        table.rows.push(vec![
            fault.on.value.as_str().into(),
            plain(&fault.effect).into(),
            plain(&fault.replicas).into(),
            fault.at.to_string().into(),
            fault.r#for.map_or("the end".into(), |length| (fault.at + length).to_string()).into(),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

fn notes(plan: &Plan, load: &Load) -> Vec<String> {
    let (spec, edges) = (plan.spec, &plan.edges);
    let mut notes = Vec::new();
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let capacity = service.capacity();
        let (healthy, worst) = (load.healthy[number] / capacity, load.worst[number] / capacity);
        if healthy >= 1.0 {
            notes.push(format!(
                "{name} is offered {:.0} % of its capacity: it will never keep up",
                healthy * 100.0
            ));
        } else if worst > 1.0 && worst > healthy {
            let retries = (worst / healthy).round() as u32 - 1;
            notes.push(format!(
                "{name} is at {:.0} % of its capacity, but if its callers time out they ask for {:.0} %: above \
                 {:.0} % of capacity a disturbance can feed itself and outlive its cause (1/(1+r), r = {retries})",
                healthy * 100.0,
                worst * 100.0,
                theory::vulnerable_above(retries) * 100.0,
            ));
        }
    }
    for (name, service) in spec.services.iter() {
        let Some(law) = service.scaling.law() else { continue };
        let (workers, peak) = (f64::from(service.workers.count()), law.peak());
        let best =
            if peak < workers { format!("at {peak:.1} at once") } else { "with all workers busy".into() };
        notes.push(format!(
            "a replica of {name} does most {best}: {:.2} times what one worker does alone; all {} together do {:.2}",
            law.capacity(peak.clamp(1.0, workers)),
            service.workers.count(),
            law.capacity(workers),
        ));
    }
    for edge in edges.iter().filter(|edge| RetryPlan::new(&edge.policy.retry).attempts() > 1) {
        let limit = match &edge.policy.budget {
            Some(Budget::Ratio { ratio, .. }) => {
                format!("load is at most {} times the calls in the long run, whatever fails", 1.0 + ratio)
            }
            Some(Budget::Throttle { token_ratio, .. }) => format!(
                "no retries while more than {:.1} % of the attempts fail, no limit while fewer do",
                100.0 * theory::throttle_stops_above(*token_ratio)
            ),
            None => continue,
        };
        notes.push(format!("{}: {limit} (its budget)", edge.name));
    }
    for edge in edges.iter().filter(|edge| edge.policy.timeout.is_none() && edge.policy.deadline.is_none()) {
        notes.push(format!("{} waits for ever: a callee that falls silent holds its callers", edge.name));
    }
    for edge in edges {
        if let (Some(timeout), Some(deadline)) = (edge.policy.timeout, edge.policy.fixed_deadline()) {
            let retry = RetryPlan::new(&edge.policy.retry);
            let begin = retry.attempts_that_begin(timeout, deadline);
            if begin < retry.attempts() {
                notes.push(format!(
                    "{}: of {} attempts at most {begin} can begin before the deadline of {deadline} if each times out",
                    edge.name,
                    retry.attempts(),
                ));
            }
        }
    }
    notes
}
