//! What a graph amounts to before it is run: effective policies, back-off tables, worst cases, load.

use crate::RunSpec;
use crate::experiment::{Decode, Entry, Node};
use crate::policy::Policy;
use crate::policy::part::{Around, Does, Offered, Part};
use crate::report::{Cell, Table};
use crate::run::Explanation;
use crate::service_graph::plan::{Caller, EdgePlan, Plan};
use crate::service_graph::spec::*;
use crate::service_graph::theory::fluid::{self, Backlog, Fluid};
use sim_core::{LONGEST, SimDuration};

/// Tables and notes for `brownout explain`.
pub fn explain(plan: &Plan, run: &RunSpec) -> Explanation {
    let spec = plan.spec;
    let load = Load::of(plan, run);
    let mut tables = vec![arrivals(spec, run)];
    tables.extend(besides_of_workloads(spec));
    tables.push(services(plan, &load));
    tables.extend(besides(spec));
    tables.extend(zones(plan, &load));
    tables.push(calls(plan));
    tables.extend(spec.policies.iter().map(|(name, written)| policy((name, &written.policy))));
    let presets = spec.policies.iter().filter_map(|(name, written)| Some((name, written.from.as_ref()?)));
    tables.extend(presets.flat_map(|(name, from)| from.tables(name)));
    tables.extend(spec.policies.iter().flat_map(|(name, policy)| {
        let around = Around::new(name, policy.parts());
        around.all().flat_map(|part| part.tables(name)).collect::<Vec<_>>()
    }));
    tables.extend(spec.services.iter().flat_map(|(name, service)| {
        let around = service.around(name);
        around.all().flat_map(|part| part.tables(name)).collect::<Vec<_>>()
    }));
    tables.extend(crate::service_graph::control::flags::table(spec));
    tables.extend(faults(plan));
    tables.extend(failures(plan));
    tables.extend(triggers(plan));
    tables.extend(alarms(plan));
    let fluid = fluid::law(plan, run);
    Explanation { tables, notes: notes(plan, run, &load, &fluid), regime: fluid.regime }
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
        let into = |attempts: &dyn Fn(&EdgePlan) -> f64, fail: f64| {
            attempts_at(plan, &plan.calls_per_sec(run, attempts, fail), attempts)
        };
        let all = |edge: &EdgePlan| f64::from(edge.worst.sent());
        Load { healthy: into(&|_| 1.0, 0.0), worst: into(&all, 1.0) }
    }
}

/// What arrives at each service, of so many calls over each edge and so many attempts of each.
fn attempts_at(plan: &Plan, calls: &[f64], attempts: impl Fn(&EdgePlan) -> f64) -> Vec<f64> {
    let mut load = vec![0.0; plan.spec.services.len()];
    for (edge, calls) in plan.edges.iter().zip(calls) {
        load[edge.callee] += calls * attempts(edge);
    }
    load
}

fn table(title: &str, columns: &[&str]) -> Table {
    Table {
        title: title.into(),
        columns: columns.iter().map(|&name| name.into()).collect(),
        ..Table::default()
    }
}

fn per_second(rate: f64) -> Cell {
    if rate.is_infinite() {
        return "no end".into();
    }
    Cell::Text(if rate >= 99.95 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") })
}

fn percent(share: f64) -> Cell {
    if share.is_finite() { Cell::Text(crate::words::percent(share)) } else { "-".into() }
}

/// What it is at most, if it is less by nobody knows how much.
fn at_most(is_spared: bool, cell: Cell) -> Cell {
    match cell {
        Cell::Text(text) if is_spared && text != "-" => Cell::Text(format!("up to {text}")),
        other => other,
    }
}

fn arrivals(spec: &GraphSpec, run: &RunSpec) -> Table {
    let mut table = table("Workload", &["name", "calls", "arrivals", "rate", "clients"]);
    for workload in &spec.workload {
        table.rows.push(vec![
            workload.name.value.as_str().into(),
            workload.to.value.as_str().into(),
            match &workload.arrivals {
                // Not its canonical form, which is no more to read than its name.
                recorded @ Arrivals::Replay { .. } => recorded.brief().into(),
                arrivals => arrivals.encode().without_absent().plain().into(),
            },
            match workload.arrivals.at_once() {
                Some(_) => "at once".into(),
                None => per_second(workload.base_rate(run)),
            },
            u64::from(workload.clients).into(),
        ]);
    }
    table
}

fn services(plan: &Plan, load: &Load) -> Table {
    let (spec, spared) = (plan.spec, plan.is_spared());
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
            service.workers.encode().plain().into(),
            service.queue.encode().plain().into(),
            service.work.mean().brief().into(),
            if capacity.is_finite() { per_second(capacity) } else { "-".into() },
            at_most(spared[number], per_second(load.healthy[number])),
            at_most(spared[number], percent(load.healthy[number] / capacity)),
            percent(load.worst[number] / capacity),
        ]);
    }
    table.note = "capacity counts own work only; a blocking worker also waits for the calls it makes. \
                  `if all fail` is the load when every call is tried as often as the policies allow"
        .into();
    if spared.contains(&true) {
        table.note += ". `up to` is what comes if nothing that is kept on the way there answers";
    }
    table
}

/// What services say that the table of all of them has no column for.
fn besides(spec: &GraphSpec) -> Option<Table> {
    const TOLD: [&str; 6] = ["replicas", "zones", "workers", "queue", "work", "calls"];
    let mut table = table("More settings of services", &["service", "setting", "value, defaults included"]);
    for (name, service) in spec.services.iter() {
        table.rows.extend(not_told(name, &service.encode(), &TOLD));
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Where everybody stands, if there is more than one place.
fn zones(plan: &Plan, load: &Load) -> Option<Table> {
    let spec = plan.spec;
    let zones = spec.zones.as_ref()?;
    let mut table = table("Zones", &["who", "stand", "utilisation without the largest"]);
    for (number, workload) in spec.workload.iter().enumerate() {
        let places = spec.places_of_workload(number)?;
        let who = format!("clients of {}", workload.name.value);
        table.rows.push(vec![who.into(), places.into(), Cell::Empty(())]);
    }
    let spared = plan.is_spared();
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let (_, left) = spec.without_the_largest(number)?;
        let rest = match left {
            0.0 => "nobody is left".into(),
            left => at_most(spared[number], percent(load.healthy[number] / service.capacity() / left)),
        };
        table.rows.push(vec![
            format!("replicas of {name}").into(),
            spec.places_of_service(number)?.into(),
            rest,
        ]);
    }
    table.note = match zones.are_apart() {
        true => format!(
            "a message from one to another takes {} longer, each way",
            zones.network.encode().without_absent().plain()
        ),
        false => "a message takes no longer from one to another than within one".into(),
    };
    Some(table)
}

/// What workloads say that other tables have no column for.
fn besides_of_workloads(spec: &GraphSpec) -> Option<Table> {
    const TOLD: [&str; 7] = ["name", "to", "arrivals", "clients", "zones", "policy", "network"];
    let mut table = table("More settings of workloads", &["name", "setting", "value, defaults included"]);
    for workload in &spec.workload {
        table.rows.extend(not_told(&workload.name.value, &workload.encode(), &TOLD));
    }
    (!table.rows.is_empty()).then_some(table)
}

/// What stands in there, and is told nowhere else: a row for each.
fn not_told(name: &str, written: &Node, told: &[&str]) -> Vec<Vec<Cell>> {
    let rest = written.entries().iter();
    let rest = rest.filter(|entry| !entry.implied && !told.contains(&entry.key.value.as_str()));
    let row = |entry: &Entry| {
        vec![
            name.into(),
            entry.key.value.as_str().into(),
            entry.value.clone().without_absent().plain().into(),
        ]
    };
    rest.map(row).collect()
}

fn calls(plan: &Plan) -> Table {
    let columns =
        ["edge", "policy", "latency", "probability", "times", "attempts", "longest", "worst amplification"];
    let mut table = table("Calls", &columns);
    let worst = plan.worst_attempts_of_callers(1);
    for edge in &plan.edges {
        table.rows.push(vec![
            edge.name.as_str().into(),
            match edge.caller {
                Caller::Checks(_) => edge.policy_name.unwrap_or("(its own)").into(),
                Caller::Workload(_) | Caller::Service(_) => edge.policy_name.unwrap_or("(none)").into(),
            },
            edge.network.encode().without_absent().plain().into(),
            match (edge.instead_of, edge.callback_of) {
                (Some(_), _) => "if another fails".into(),
                (_, Some(_)) => "calls back".into(),
                (None, None) => edge.call.map_or(1.0, |call| call.probability).into(),
            },
            u64::from(edge.call.map_or(1, |call| call.times)).into(),
            u64::from(edge.worst.sent()).into(),
            edge.worst.longest().map_or("for ever".into(), in_life).into(),
            match edge.worst_attempts(&worst) {
                u64::MAX => "> 10^19".into(),
                attempts => attempts.into(),
            },
        ]);
    }
    table.note =
        "`longest` is how long a caller can wait: as long in line as it may, every attempt times out and every back-off is the \
                  longest, cut by the deadline. `worst amplification` counts attempts per user request when \
                  all of them fail, the layers above included"
            .into();
    table
}

/// A wait, however many layers of back-off add up to it.
fn in_life(wait: SimDuration) -> String {
    if wait > LONGEST { "> 100 years".into() } else { wait.brief() }
}

/// What a policy says about each question, defaults included.
fn policy((name, policy): (&str, &Policy)) -> Table {
    let written = policy.encode();
    let said = |key: &str| written.get(key).map(|value| value.plain()).unwrap_or_default();
    let rows = policy.parts().into_iter().filter_map(|listed| match listed.part {
        Some(_) => Some(vec![listed.key.into(), said(listed.key).into()]),
        None => (!listed.otherwise.is_empty()).then(|| vec![listed.key.into(), listed.otherwise.into()]),
    });
    Table {
        rows: rows.collect(),
        ..table(&format!("Policy `{name}`"), &["setting", "value, defaults included"])
    }
}

fn faults(plan: &Plan) -> Option<Table> {
    let mut table = table("Faults", &["on", "effect", "replicas", "from", "until"]);
    for fault in &plan.spec.faults {
        let struck = plan.edges.iter().filter(|edge| edge.is_on(&fault.on.value)).count();
        let on = match struck {
            0 | 1 => fault.on.value.clone(),
            _ => format!("{}, all {struck} call sites", fault.on.value),
        };
        let effect = fault.effect.encode().without_absent().plain();
        table.rows.push(vec![
            on.into(),
            [Some(effect), fault.brief_reach(), fault.brief_rhythm()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", ")
                .into(),
            fault.replicas.encode().plain().into(),
            fault.at.to_string().into(),
            fault.until().into(),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// What a state sets off.
fn triggers(plan: &Plan) -> Option<Table> {
    let mut table =
        table("What a state sets off", &["name", "on", "what, when, for how long", "looked at every"]);
    for (name, trigger) in plan.spec.triggers.iter() {
        let cells: [Cell; 4] = [
            name.into(),
            trigger.on.value.as_str().into(),
            trigger.told().into(),
            trigger.every.to_string().into(),
        ];
        table.rows.push(cells.into());
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Who would be told, and when.
fn alarms(plan: &Plan) -> Option<Table> {
    let columns = ["alarm", "fires when", "for", "looked at every", "after that begins"];
    let mut table = table("Who is told", &columns);
    for (name, alarm) in plan.spec.alarms.iter() {
        let [least, most] = alarm.delay();
        let cells: [Cell; 5] = [
            name.into(),
            alarm.told().into(),
            alarm.lasts.to_string().into(),
            alarm.every.to_string().into(),
            format!("{least} to {most}").into(),
        ];
        table.rows.push(cells.into());
    }
    (!table.rows.is_empty()).then_some(table)
}

/// What fails at random, and what that comes to in the long run.
fn failures(plan: &Plan) -> Option<Table> {
    let columns = [
        "name",
        "what fails",
        "how many",
        "up",
        "down",
        "each is down",
        "at least one",
        "all",
        "enough are up",
    ];
    let mut table = table("Failures at random", &columns);
    let share = |of: Option<f64>| match of {
        None => "-".into(),
        Some(share) if share < 1e-15 => "under 1e-15".into(),
        Some(share) => Cell::Number(share),
    };
    for (name, failure) in plan.spec.failures.iter() {
        let units = plan.failing(failure);
        let down = failure.down(units);
        let at = |of: fn(&[f64]) -> f64| share(down.as_deref().map(of));
        let enough = |needs: u32| down.as_ref().map(|down| down[..=(units - needs) as usize].iter().sum());
        let what = [Some(failure.on.value.clone()), failure.effect.brief(), failure.correlation.brief()];
        table.rows.push(vec![
            name.into(),
            what.into_iter().flatten().collect::<Vec<_>>().join(", ").into(),
            u64::from(units).into(),
            crate::diagram::time(&failure.every).into(),
            crate::diagram::time(&failure.r#for).into(),
            share(failure.down_share()),
            at(|down| 1.0 - down[0]),
            at(|down| down[down.len() - 1]),
            failure.needs.map_or("".into(), |needs| share(enough(needs))),
        ]);
    }
    for (name, domain) in plan.spec.domains.iter() {
        let holds: Vec<&str> = domain.holds.iter().map(|held| held.on.value.as_str()).collect();
        let what = [Some(holds.join(" and ")), domain.effect.brief()];
        let down = || share(domain.down_share());
        table.rows.push(vec![
            name.into(),
            what.into_iter().flatten().collect::<Vec<_>>().join(", ").into(),
            1u64.into(),
            crate::diagram::time(&domain.every).into(),
            crate::diagram::time(&domain.r#for).into(),
            down(),
            down(),
            down(),
            "".into(),
        ]);
    }
    table.note = "shares of the time in the long run; everything is up when a run begins".into();
    (!table.rows.is_empty()).then_some(table)
}

/// How much of what a link carries it is offered, where it carries only so much from beginning to end.
fn full_links(plan: &Plan, run: &RunSpec) -> Vec<String> {
    let bytes = |attempts: fn(&EdgePlan) -> f64| {
        let of_users = |workload: &WorkloadSpec| {
            workload.size.as_ref().map_or(0.0, |size| workload.base_rate(run) * size.bytes().mean())
        };
        let calls = plan.calls(of_users, attempts, 0.0);
        plan.edges.iter().zip(calls).map(|(edge, bytes)| bytes * attempts(edge)).collect::<Vec<f64>>()
    };
    let (healthy, worst) = (bytes(|_| 1.0), bytes(|edge| f64::from(edge.worst.sent())));
    let spared = plan.is_spared();
    let told = plan.edges.iter().zip(healthy).zip(worst).flat_map(|((edge, healthy), worst)| {
        let struck =
            plan.spec.faults.iter().filter(|fault| plan.strikes(fault, edge) && fault.is_a_property());
        let most = if plan.is_spared_edge(edge, &spared) { "up to " } else { "" };
        struck.filter_map(move |fault| {
            let limit = fault.effect.transmits()?;
            let share = |offered: f64| crate::words::percent(offered / limit.0 as f64);
            let then = if worst > healthy {
                format!(", {} if all is tried as often as it may be", share(worst))
            } else {
                String::new()
            };
            Some(format!(
                "{} carries {limit} and is offered {most}{} of that{then}",
                edge.name,
                share(healthy)
            ))
        })
    });
    told.collect()
}

fn notes(plan: &Plan, run: &RunSpec, load: &Load, fluid: &Fluid) -> Vec<String> {
    let spec = plan.spec;
    let mut notes = Vec::new();
    let spared = plan.is_spared();
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let capacity = service.capacity();
        let (healthy, worst) = (load.healthy[number] / capacity, load.worst[number] / capacity);
        if spared[number] {
            if healthy >= 1.0 {
                let needed = format!("{:.0}", (1.0 - 1.0 / healthy) * 100.0);
                let needs = if needed == "0" {
                    String::new()
                } else {
                    format!(": it needs that at least {needed} % of what comes is answered before it")
                };
                notes.push(format!(
                    "{name} would be offered {:.0} % of its capacity if nothing that is kept on the way there answered{needs}",
                    healthy * 100.0,
                ));
            }
        } else if healthy >= 1.0 {
            notes.push(format!(
                "{name} is offered {:.0} % of its capacity: it will never keep up",
                healthy * 100.0
            ));
        } else if worst > 1.0 && worst > healthy {
            let then = match fluid.backlogs[number] {
                Backlog::Feeds(retries) => format!(
                    ": above {:.0} % of capacity a disturbance can feed itself and outlive its cause (1/(1+r), r = {})",
                    100.0 / (1.0 + retries),
                    (retries * 100.0).round() / 100.0,
                ),
                Backlog::Paid => ", but not for long: what limits their retries lets a backlog drain".into(),
                Backlog::Short => {
                    ", which does not outlive its cause: a full queue is shorter than their patience".into()
                }
                Backlog::Unknown => String::new(),
            };
            let asked = match worst.is_finite() {
                true => format!("they ask for {:.0} %{then}", worst * 100.0),
                false => "there is no end to what they ask for".into(),
            };
            notes.push(format!(
                "{name} is at {:.0} % of its capacity, but if its callers time out {asked}",
                healthy * 100.0,
            ));
        }
    }
    notes.extend(full_links(plan, run));
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let healthy = load.healthy[number] / service.capacity();
        if spared[number] {
            continue;
        }
        let lost = spec.without_the_largest(number).filter(|(_, left)| *left > 0.0 && healthy / left >= 1.0);
        if let Some((lost, left)) = lost.filter(|_| healthy < 1.0) {
            notes.push(format!(
                "{name} is at {:.0} % of its capacity, but what is left of it without zone {lost} would be at {:.0} %",
                healthy * 100.0,
                healthy / left * 100.0,
            ));
        }
    }
    let at_once = plan.calls(|workload| workload.arrivals.at_once().map_or(0.0, f64::from), |_| 1.0, 0.0);
    for ((name, service), requests) in spec.services.iter().zip(attempts_at(plan, &at_once, |_| 1.0)) {
        let seconds = requests / service.capacity();
        if seconds > 0.0 {
            let length = SimDuration::from_nanos_f64(seconds * 1e9);
            let most = if spared[spec.services.index_of(name).expect("one of them")] { "up to " } else { "" };
            notes.push(format!(
                "{name} gets {most}{requests:.0} requests at once: {most}{} of work",
                length.brief()
            ));
        }
    }
    for (number, (name, service)) in spec.services.iter().enumerate() {
        let per_sec = load.healthy[number] / f64::from(service.replicas);
        let costs = f64::from(service.replicas) / service.capacity();
        let offered = Offered { per_sec, costs, replicas: service.replicas };
        let is_known = !spared[number] && per_sec.is_finite() && per_sec > 0.0 && costs.is_finite();
        let around = Around { offered: is_known.then_some(offered), ..service.around(name) };
        notes.extend(around.all().flat_map(|part| part.notes(&around)));
    }
    let around = Around::new("the graph", spec.parts());
    notes.extend(around.all().flat_map(|part| part.notes(&around)));
    for edge in &plan.edges {
        let around = edge.around();
        notes.extend(around.all().flat_map(|part| part.notes(&around)));
        let of_call = Around::new(&edge.name, edge.call.map(CallSpec::parts).unwrap_or_default());
        notes.extend(of_call.all().flat_map(|part| part.notes(&of_call)));
    }
    for (service, (name, _)) in spec.services.iter().enumerate() {
        for (step, edges) in plan.steps(service).filter(|(step, _)| step.parallel) {
            let calls: Vec<&str> = plan.edges[edges].iter().map(|edge| edge.name.as_str()).collect();
            if let Some(wait_for) = step.wait_for {
                notes.push(format!(
                    "{name} makes {} at once, {} calls, and goes on with the first {wait_for} good answers: what is out then is work for nobody",
                    calls.join(" and "),
                    step.most(),
                ));
            } else if step.most() > 1 && step.calls.iter().any(|call| !call.optional && call.wait) {
                let when = match step.fail {
                    Fail::AtEnd => "when all of them have ended (fail: AtEnd)",
                    Fail::Fast => "at once, and the others go on as work for nobody (fail: Fast)",
                };
                notes.push(format!(
                    "{name} makes {} at once: if one fails, it fails {when}",
                    calls.join(" and ")
                ));
            }
        }
    }
    for (number, edge) in plan.edges.iter().enumerate() {
        let sharing: Vec<&str> = plan.sharing(number).map(|edge| edge.name.as_str()).collect();
        let remembers = ["budget", "breaker", "bulkhead"];
        let parts = edge.policy.parts();
        let there = parts.iter().filter(|listed| listed.part.is_some() && remembers.contains(&listed.key));
        let shared: Vec<&str> = there.map(|listed| listed.key).collect();
        if sharing.len() > 1 && !shared.is_empty() {
            notes.push(format!(
                "{} share one {} for each client (per: CallSite gives each its own)",
                sharing.join(" and "),
                shared.join(", one "),
            ));
        }
    }
    let waits = |edge: &&EdgePlan| edge.call.is_none_or(|call| call.wait) && edge.callback_of.is_none();
    for edge in plan.edges.iter().filter(|edge| !edge.does.any(Does::GIVES_UP)).filter(waits) {
        notes.push(format!("{} waits for ever: a callee that falls silent holds its callers", edge.name));
    }
    notes
}
