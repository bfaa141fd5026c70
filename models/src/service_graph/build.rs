//! From what the user wrote, checked, to what runs.

use super::carriage::{self, Carriage, Classes};
use super::control;
use super::control::block_and_ramp::Door;
use super::control::brownout::Dimmer;
use super::control::membership::{Membership, moves};
use super::control::protocol::Dialect;
use super::control::repair::OpenEnd;
use super::control::start_up::{StartUp, Warming};
use super::control::versions::Versions;
use super::crossing::{self, Crossing};
use super::failures;
use super::follow::Listen;
use super::fruit::Fruits;
use super::plan::{Caller, EdgePlan, Plan};
use super::report::disturbances;
use super::roster::{Roster, Standings};
use super::service::cache::Caches;
use super::service::callback::{self, Callbacks};
use super::service::cold_start::Instances;
use super::service::execution_limit::Limited;
use super::service::fallback::{Degraded, StandIn};
use super::service::free::NumberSet;
use super::service::greeting::Greetings;
use super::service::line::Line;
use super::service::memory_leak::Leaking;
use super::service::on_write::Written;
use super::service::per_replica::Figures;
use super::service::queue_bytes::Weights;
use super::service::quorum::Votes;
use super::service::record::Ledger;
use super::service::shed::{Rule, Shedding};
use super::service::stop_the_world::Frozen;
use super::service::thermal::Heating;
use super::service::told::Told;
use super::service::with_flags::Reads;
use super::slab::Slab;
use super::spec::*;
use super::state::*;
use super::stats::{Began, EdgeStats, ServiceStats};
use super::visits::Visits;
use crate::RunSpec;
use crate::fault::{ActiveSet, OnReplica, Picked, Reach, Requests, Struck};
use crate::network::Link;
use crate::policy::Patience;
use crate::policy::guards::{self, Alike, Gates, Guards, Shared, View, Watch};
use crate::policy::part::Does;
use crate::policy::retry::RetryPlan;
use crate::report::{Cohorts, stretches};
use crate::run::RunOptions;
use crate::workload::Schedule;
use sim_core::stats::TimeIntegral;
use sim_core::{Key, SimTime, Streams, digest};
use std::sync::Arc;

/// The graph, ready to begin.
pub fn build<L: Listen>(plan: &Plan, run: &RunSpec, options: &RunOptions, streams: &Streams) -> Graph<L> {
    let spec = plan.spec;
    let mut services: Vec<Service> = spec
        .services
        .iter()
        .enumerate()
        .map(|(number, (name, service))| build_service(number, name, service, plan, streams))
        .collect();
    let built = plan.edges.iter().enumerate().map(|(number, edge)| build_edge(number, edge, plan, streams));
    let (mut built, mut clients): (Vec<Edge>, Vec<Clients>) = built.unzip();
    let mut lists = 0;
    for clients in &mut clients {
        clients.lists_before = lists;
        lists += clients.connecting.len() as u32;
    }
    let disturbances = disturbances(spec);
    let struck = disturbances.first().map(|first| SimTime::from_nanos(first.from));
    let spans = stretches(&disturbances, &(run.warm_up.as_nanos()..run.duration.as_nanos()));
    // What a state sets off belongs to none that could be known before.
    let spans = spans.filter(|_| spec.triggers.is_empty());
    let told_apart = spans.as_ref().map_or(1, |spans| spans.len());
    for edge in &mut built {
        edge.stats.began.resize_with(told_apart, Began::default);
    }
    for edge in built.iter_mut().filter(|edge| matches!(edge.caller, Caller::Workload(_))) {
        edge.stats.cohorts = Some(Box::new(Cohorts::new(run.window, run.within, struck)));
    }
    let measured_from = SimTime::ZERO + run.warm_up;
    let mut controls = control::build(plan, streams);
    control::assign(&controls, &mut services, &mut built);
    let (mut faults, mut broken) = (Vec::<Fault>::new(), Vec::new());
    for (number, fault) in spec.faults.iter().enumerate() {
        let first = faults.len() as u32;
        faults.extend(build_faults(number, fault, plan, streams));
        broken.push(first..faults.len() as u32);
    }
    let sources = failures::build(plan, streams, &mut faults);
    let set_off = spec.triggers.iter().map(|(name, trigger)| {
        let first = faults.len() as u32;
        let those = build_faults(name, &trigger.fault(), plan, streams);
        faults.extend(those.into_iter().map(|fault| Fault { is_set_off: true, ..fault }));
        first..faults.len() as u32
    });
    let set_off: Vec<_> = set_off.collect();
    controls.extend(control::watch::build(plan, &set_off));
    for repairer in control::repair::build(plan, &broken) {
        faults[repairer.faults.start as usize].repair = Some(controls.len() as u32);
        controls.push(control::Control::Repair(Box::new(repairer)));
    }
    controls.extend(control::alarms::build(plan));
    let open_end = OpenEnd::of(spec, &disturbances).map(Box::new);
    Graph {
        listener: L::new(options.trace.as_ref(), &built, measured_from),
        workloads: spec.workload.iter().enumerate().map(|(n, w)| build_workload(n, w, streams)).collect(),
        faults,
        sources,
        controls,
        edges: built,
        clients,
        services,
        calls: Slab::default(),
        attempts: Slab::default(),
        call_standings: Standings::default(),
        attempt_standings: Standings::default(),
        ready: Vec::new(),
        admitted: Default::default(),
        calls_of: Vec::new(),
        sibling_standings: Standings::default(),
        joined_at: Default::default(),
        inherited: Default::default(),
        wanted_until: Default::default(),
        tried: Default::default(),
        sent_at: Default::default(),
        arrived_at: Default::default(),
        held: Default::default(),
        crossed: Default::default(),
        carriage: Carriage::in_graph(spec),
        degraded: Default::default(),
        book: Default::default(),
        keeps: spec.services.values().any(|service| service.cache.is_some()),
        callbacks: Callbacks::in_graph(plan, streams),
        visits: Slab::default(),
        ledger: Ledger::by(spec),
        fruits: Fruits::default(),
        measured_from,
        stretch: u8::from(run.warm_up.is_zero()),
        next_stretches: match (&spans, &open_end) {
            (Some([_, during, after]), Some(open)) => open.may_begin(during.start, after.start),
            (Some([_, during, after]), None) => {
                [during, after].map(|span| SimTime::from_nanos(span.start)).into()
            }
            (None, _) => Vec::new(),
        },
        open_end,
        max_in_flight: options.max_in_flight,
    }
}

fn build_workload(number: usize, workload: &WorkloadSpec, streams: &Streams) -> Workload {
    let name = &workload.name.value;
    let (users, think) = match workload.arrivals.closed_loop() {
        Some((users, think)) => {
            (vec![0; users as usize], Some((think.nanos.clone(), streams.luck("think", name))))
        }
        None => (Vec::new(), None),
    };
    let mut schedule = Schedule::new(&workload.arrivals);
    schedule.iter_mut().for_each(|schedule| schedule.draws_from(|purpose| streams.luck(purpose, name)));
    Workload {
        name: name.clone(),
        path: digest::hash_text(name),
        edge: number as u32,
        clients: workload.clients,
        calls: 0,
        next_key: Key::root(digest::hash_text(name), 0),
        arrivals: streams.luck("arrivals", name),
        spread: streams.luck("spread", name),
        schedule,
        users,
        think,
        visits: Visits::new(workload.reload.as_ref(), workload.session.as_ref(), |it| streams.luck(it, name))
            .map(Box::new),
    }
}

/// An edge and its clients, of whom there are none if they are another's.
fn build_edge(number: usize, edge: &EdgePlan, plan: &Plan, streams: &Streams) -> (Edge, Clients) {
    let name = &edge.name;
    let callee = plan.callee(edge);
    let choices = edge.choices;
    let mut view = View::all(choices);
    if choices > callee.replicas {
        view.change(0..callee.replicas);
        view.belong(0..callee.replicas);
    }
    let path = digest::hash_text(name);
    let mut pick = streams.luck("pick", name);
    let may_be_nobody = edge.check.is_none() && moves(plan.spec, plan.spec.name(edge.callee));
    let gates = Gates::of(&edge.policy, choices)
        .with(Gates::SEND, may_be_nobody)
        .with(Gates::ASKS_ALL, may_be_nobody);
    let alike = match edge.clients_of == number {
        true => {
            let names = (name.as_str(), plan.spec.name(edge.callee));
            Alike::new(&edge.policy, (choices, edge.apart.as_ref()), names, streams)
        }
        false => Alike::nothing(choices),
    };
    // Each asks where to start, whether or not it will remember: whom a policy concerns moves nobody's luck.
    let clients = (0..plan.clients(edge))
        .map(|client| {
            let mut words = pick.at(Key::root(path, u64::from(client)));
            Guards::new(&edge.policy, &view, client, &alike, &mut words)
        })
        .filter(|_| !gates.is_empty() && edge.clients_of == number);
    let guards: Vec<Guards> = clients.collect();
    let in_line = if gates.has(Gates::LINE) { guards.len() } else { 0 };
    let apart = u64::from(u32::MAX) + 1;
    let connecting = guards.len() * guards::pools(&edge.policy, choices) as usize;
    let is_found = callee.found().is_some() && !matches!(edge.caller, Caller::Checks(_));
    let heard = (0..if is_found { guards.len() as u32 } else { 0 }).map(|client| {
        let mut heard = view.clone();
        // Who is not there has heard of nobody.
        if matches!(edge.caller, Caller::Service(caller) if client >= plan.spec.service(caller as usize).replicas) {
            heard.change([]);
            heard.belong([]);
        }
        heard
    });
    let heard = heard.collect();
    let clients = Clients {
        heard,
        shared: Shared::new(&edge.policy, &view, &mut pick, Key::root(path, apart))
            .filter(|_| !guards.is_empty()),
        watch: Watch::new(&edge.policy, guards.len() as u32),
        guards,
        alike,
        lines: std::iter::repeat_with(Default::default).take(in_line).collect(),
        connecting: std::iter::repeat_with(Default::default).take(connecting).collect(),
        lists_before: 0,
        dial: match edge.clients_of == number {
            true => guards::dial(&edge.policy, name, streams),
            false => None,
        },
    };
    let patience = Patience::new(&edge.policy, name, streams);
    let counts = Deeds::by(callee).is_some();
    let listed = matches!(edge.caller, Caller::Service(service) if is_mortal(service as usize, plan))
        || edge.makes_by_itself().is_some_and(|service| is_mortal(service, plan));
    let left_behind = edge.step.is_some_and(|step| step.wait_for.is_some());
    let ends_before =
        |service: u32| stops(service as usize, plan) || answers_before(plan.spec.service(service as usize));
    let stopped = left_behind || matches!(edge.caller, Caller::Service(service) if ends_before(service));
    let classes = match edge.caller {
        Caller::Workload(number) => Classes::by(&plan.spec.workload[number as usize], plan.spec, streams),
        Caller::Service(_) | Caller::Checks(_) => None,
    };
    let degrades = Degraded::by(edge, plan);
    let callback = Callbacks::leg(number, plan);
    let addressed = callback::is_addressed(edge, plan) && choices > 1;
    let fixed = edge.check.is_some();
    let gates = gates
        .with(Gates::CARRIES, carriage::carries(plan.spec))
        .with(Gates::CLASSED, classes.is_some())
        .with(Gates::APART, edge.apart.is_some())
        .with(Gates::CALLBACK, callback.is_some())
        .with(Gates::SEND.or(Gates::ASKS_ALL), addressed)
        .with(
            Gates::HOPS,
            plan.spec.hop_limit.is_some()
                && edge.call.or(edge.instead_of.and_then(|of| plan.edges[of].call)).is_some(),
        )
        .with(Gates::SEND.or(Gates::ASKS_ALL).or(Gates::FIXED), fixed);
    let link = Link::new(edge.network, name, streams);
    let link = match plan.spec.zones.as_ref().filter(|zones| zones.are_apart() && edge.apart.is_some()) {
        Some(zones) => link.apart(&zones.network, name, streams),
        None => link,
    };
    let planned = edge;
    let mut edge = Edge {
        name: name.clone(),
        path,
        caller: edge.caller,
        callee: edge.callee as u32,
        listed,
        stopped,
        passes_on: matches!(edge.caller, Caller::Service(service) if plan.spec.service(service as usize).writes_behind()),
        retry: RetryPlan::new(&edge.policy.retry),
        view,
        gates,
        policy: edge.policy.clone(),
        clients: edge.clients_of as u32,
        link,
        tells: counts
            || is_found
            || degrades.is_some()
            || callback.is_some()
            || callee.queue.common().looks_ahead
            || plan.sites[edge.callee]
                .clone()
                .any(|site| Gates::of(&plan.edges[site].policy, 1).has(Gates::INHERITS)),
        counts,
        callback,
        limited: edge.does.any(Does::GIVES_UP),
        has_deadlines: !matches!(patience, Patience::Endless) || gates.has(Gates::INHERITS),
        patience,
        jitter: streams.luck("jitter", name),
        pick,
        gate: edge.policy.throttle.as_ref().map(|_| streams.luck("gate", name)),
        stats: EdgeStats::default(),
        fallback: StandIn::by(planned, plan).map(Box::new),
        degrades: degrades.map(Box::new),
        says_versions: plan.spec.store_of_record.is_some(),
        purges: planned.purges(),
        crossing: planned
            .apart
            .as_ref()
            .map(|apart| Box::new(Crossing::new(apart, crossing::foreseen(plan, planned)))),
        found: None,
        classes: classes.map(Box::new),
    };
    edge.link.tell(plan.tells_link(planned));
    edge.gates = edge.gates.with(Gates::LISTED, edge.is_listed());
    if let (Some(fallback), Some(call)) = (&mut edge.fallback, planned.call) {
        fallback.otherwise(stake(call, planned.step));
    }
    (edge, clients)
}

/// Whether a service's word is the truth.
fn is_of_record(plan: &Plan, service: usize) -> bool {
    plan.spec.store_of_record.as_ref().is_some_and(|it| it.value == plan.spec.name(service))
}

fn build_service(
    number: usize,
    name: &str,
    service: &ServiceSpec,
    plan: &Plan,
    streams: &Streams,
) -> Service {
    let workers = service.workers.count();
    let queue = service.queue.common();
    let lines = if queue.shared { 1 } else { service.room() };
    let mut up = NumberSet::new(if queue.shared { service.room() } else { 0 });
    (0..if queue.shared { service.replicas } else { 0 }).for_each(|replica| up.set(replica, true));
    let site = |call: &CallSpec, step: &Step, edge: usize| {
        let name = &plan.edges[edge].name;
        Site {
            number: digest::hash_text(name),
            edge: edge as u32,
            probability: call.probability,
            times: call.times,
            stake: if call.fallback.is_some() { Stake::FallsBack } else { stake(call, Some(step)) },
            only_from: call
                .only_from
                .iter()
                .filter_map(|name| plan.spec.workload_number(&name.value))
                .map(|number| u16::try_from(number).expect("checked: few edges"))
                .collect(),
            only: call.only,
            only_flagged: call.flag.as_ref().and_then(|flag| flag.only(plan.spec)),
            asks: call.only.is_some() || call.flag.is_some() || !call.only_from.is_empty(),
            luck: streams.luck("whether", name),
        }
    };
    let steps = plan.steps(number).map(|(step, edges)| StepPlan {
        parallel: step.is_at_once(),
        wait_for: step.wait_for.map_or(0, |wait_for| u16::try_from(wait_for).expect("checked: few")),
        votes: Votes::default(),
        sites: step.calls.iter().zip(edges).map(|(call, edge)| site(call, step, edge)).collect(),
    });
    // Behind a queue for all nobody knows before whom a request ends at.
    let one_way = !queue.shared || service.room() == 1;
    let leads_here = |edge: &EdgePlan| one_way && guards::ends_at_replicas(&edge.policy);
    let own =
        plan.edges.iter().enumerate().filter(|(at, edge)| edge.callee == number && edge.clients_of == *at);
    let connected = own.filter(|(_, edge)| leads_here(edge)).map(|(at, _)| at as u32);
    let greets = plan.into(number).any(|edge| guards::greets(&edge.policy));
    let replica = |number| Replica {
        // Those that are not there yet.
        down: u32::from(number >= service.replicas),
        silent: false,
        faults: ActiveSet::default(),
        state: OnReplica::WELL,
        fails: OnReplica::WELL.fails(service.error_rate),
        in_hand: 0,
        at_work: Roster::new(),
        calling: Roster::new(),
        busy: TimeIntegral::default(),
        sharing: service.workers.sharing(),
        held: 0,
    };
    let edges = plan.edges.iter().enumerate().filter(|(_, edge)| edge.callee == number);
    let checks = edges.filter_map(|(edge, planned)| Some((edge as u16, planned.check?.asks())));
    let called_back = callback::own_work(number, plan);
    let sized = plan.spec.workload.iter().any(|workload| workload.size.is_some());
    let fatal = service.dies.as_ref().filter(|_| sized).and_then(Death::fatal_bytes);
    let weights = Weights::by(service, fatal, lines);
    let door = service.block_and_ramp.as_ref().map(|says| Box::new(Door::by(says, name, streams)));
    let asks = service.shed.as_ref().is_some_and(Shed::asks_at_the_door);
    let misunderstands = plan.misunderstand.get(number).copied();
    let dialect = misunderstands.map(|may| Box::new(Dialect::by(service, may)));
    let at_the_door = weights.is_some() || door.is_some() || asks || misunderstands == Some(true);
    let instances = Instances::by(service, name, streams).map(Box::new);
    let leaking = Leaking::by(service).map(Box::new);
    let frozen = Frozen::by(service, name, streams);
    let caches = Caches::by(service, name, streams);
    let times = plan.spec.is_timed(name).then(Box::default);
    let reads = Reads::by(service, plan.spec).map(Box::new);
    let line = || Line::new(&service.queue, service.shed.as_ref().map(Rule::new), at_the_door);
    let steps: Vec<StepPlan> = steps.collect();
    Service {
        name: name.to_owned(),
        path: digest::hash_text(name),
        door,
        dialect,
        dimmer: service.dims().map(|_| Box::new(Dimmer::new(&steps))),
        replicas: (0..service.room()).map(replica).collect(),
        workers,
        unasked: if at_the_door { 0 } else { workers },
        cores: service.workers.cores(),
        blocking: matches!(service.workers, Workers::Blocking(_)),
        lines: (0..lines).map(|_| line()).collect(),
        queue,
        on_cancel: service.on_cancel,
        told: Told::by(service, name, streams),
        work: service.work.nanos.clone(),
        work_luck: streams.luck("work", name),
        scaling: service.scaling.law(),
        error_rate: service.error_rate,
        error_luck: streams.luck("errors", name),
        steps,
        edges: plan.sites[number].clone(),
        connected: connected.collect(),
        greetings: Greetings::default(),
        varies: service.scaling.law().is_some()
            || greets
            || service.workers.sharing().is_some()
            || service.starts().is_some_and(StartUp::is_cold)
            || service.checks().iter().any(|check| check.asks().work.is_some())
            || frozen.is_some()
            || leaking.is_some()
            || service.thermal.is_some()
            || instances.is_some()
            || service.execution_limit.is_some()
            || reads.is_some()
            || !called_back.is_empty(),
        mortal: is_mortal(number, plan),
        calls_itself: plan.edges[plan.sites[number].clone()].iter().any(|edge| edge.callee == number)
            || plan.into(number).any(|edge| edge.makes_by_itself() == Some(number)),
        up: up.clone(),
        free: up,
        fatal_in_hand: service.dies.as_ref().map(Death::fatal_in_hand),
        restart_after: service.dies.as_ref().map(|death| death.restart_after).unwrap_or_default(),
        death_style: service.dies.as_ref().map_or(CrashStyle::Reset, |death| death.callers),
        versions: service.rollout.is_some().then(|| Box::new(Versions::new(service.room()))),
        flagged: service.feature_flag.is_some().then(|| Box::new(Versions::new(service.room()))),
        attended: is_mortal(number, plan)
            || service.per_replica
            || service.dims().is_some()
            || times.is_some()
            || service.feature_flag.is_some()
            || weights.is_some()
            || frozen.is_some()
            || caches.is_some()
            || instances.is_some()
            || plan.into(number).any(|edge| edge.callback.is_some()),
        looks_again: queue.drop_expired || weights.is_some(),
        membership: membership(number, plan, streams).map(Box::new),
        warming: service
            .starts()
            .filter(|start| start.is_cold())
            .map(|start| Box::new(Warming::new(start, service.room()))),
        directories: None,
        starter: None,
        checks: checks.collect(),
        per_replica: service.per_replica.then(|| Box::new(Figures::new(service.room()))),
        times,
        at_begin: Deeds::by(service).is_some()
            || leaking.is_some()
            || service.per_replica
            || plan.into(number).any(|edge| Gates::of(&edge.policy, 1).has(Gates::TIES)),
        deeds: Deeds::by(service).map(Box::new),
        notes: Deeds::by(service).is_some()
            || reads.is_some()
            || caches.is_some()
            || is_of_record(plan, number)
            || plan.into(number).any(EdgePlan::purges)
            || plan.into(number).any(|edge| edge.callback_of.is_some()),
        written: caches
            .as_ref()
            .and_then(|caches| {
                let purged = plan.into(number).any(EdgePlan::purges);
                let has_record = plan.spec.store_of_record.is_some();
                Written::by(service, caches.stores(), has_record, purged)
            })
            .map(Box::new),
        caches: caches.map(Box::new),
        called_back,
        reads,
        lookup: Deeds::lookup(service),
        weights: weights.map(Box::new),
        instances,
        limited: Limited::by(service).map(Box::new),
        leaking,
        heating: Heating::by(service).map(Box::new),
        frozen: frozen.map(Box::new),
        shedding: service.shed.as_ref().map(Shedding::by),
        stats: ServiceStats::new(u64::from(service.workers.cores()) * u64::from(service.replicas)),
    }
}

/// Which replicas of a service may be chosen, if they come and go.
fn membership(number: usize, plan: &Plan, streams: &Streams) -> Option<Membership> {
    let name = plan.spec.name(number);
    let control = control::of_members(plan, number)?;
    let edges = plan.edges.iter().enumerate();
    let edges = edges.filter(|(_, edge)| edge.callee == number && edge.check.is_none());
    // Who looks it up sees what he has heard.
    let edges = edges.filter(|_| plan.spec.service(number).found().is_none());
    let edges = edges.map(|(edge, _)| edge as u32).collect();
    Some(Membership::new(plan.spec.service(number), (name, plan.spec), (control, edges), streams))
}

/// What a request has at stake in a call, if nothing stands in for it.
fn stake(call: &CallSpec, step: Option<&Step>) -> Stake {
    match step.map(|step| (&step.fail, step.wait_for)) {
        _ if !call.wait => Stake::Nothing,
        Some((_, Some(_))) => Stake::Vote,
        _ if call.optional => Stake::Optional,
        Some((Fail::Fast, _)) => Stake::Decisive,
        _ => Stake::Required,
    }
}

/// Whether a request of this service may be called off with all that it does, or stopped.
fn stops(number: usize, plan: &Plan) -> bool {
    let service = plan.spec.service(number);
    service.on_cancel == OnCancel::Stop || service.execution_limit.is_some()
}

/// Whether a request of this service may be answered well while calls are out for it: one has failed, and what is kept is good enough.
fn answers_before(service: &ServiceSpec) -> bool {
    service.cache.is_some() && service.calls.iter().any(|step| matches!(step.fail, Fail::Fast))
}

/// Whether replicas of this service can die: of their load, or of a fault.
fn is_mortal(number: usize, plan: &Plan) -> bool {
    plan.spec.may_go_down(plan.spec.name(number), plan.spec.service(number))
}

/// Some of the requests of a graph, for a fault of this number.
fn chosen(some: &Requests, number: &str, spec: &GraphSpec, streams: &Streams) -> Picked {
    let tenants = spec.tenants();
    let keys = spec.workload.iter().filter_map(|workload| workload.keys.as_ref()).map(Keys::count);
    some.chosen(
        |name| spec.workload_number(name),
        |name| tenants.number(name),
        keys.max().unwrap_or(0),
        (number, streams),
    )
}

/// A fault; on a zone, one for each service of which any replica stands in it.
fn build_faults(
    number: impl std::fmt::Display,
    fault: &FaultSpec,
    plan: &Plan,
    streams: &Streams,
) -> Vec<Fault> {
    let (spec, on) = (plan.spec, &fault.on.value);
    let struck = |service: usize, among: Vec<u32>| {
        let path = format!("{}/{number}", spec.name(service));
        Target::Replicas { service: service as u32, replicas: fault.replicas.chosen(among, &path, streams) }
    };
    let targets = match (spec.services.index_of(on), fault.place()) {
        (None, Some(place)) => spec.all_in(place).map(|(service, those)| struck(service, those)).collect(),
        (Some(service), _) if fault.effect.strikes() == Struck::Replicas => {
            vec![struck(service, spec.among(service, &fault.replicas))]
        }
        _ => {
            let struck = plan.edges.iter().enumerate().filter(|(_, edge)| plan.strikes(fault, edge));
            let reach = |edge: &EdgePlan| Reach {
                ways: fault.way,
                clients: match &fault.clients {
                    Affected::All => None,
                    some => {
                        let path = format!("{}/{number}", edge.name);
                        Some(some.chosen((0..edge.callers).collect(), &path, streams).into())
                    }
                },
                stretch: fault.between().zip(edge.apart.as_ref()).and_then(|(it, apart)| it.numbered(apart)),
            };
            vec![Target::Edges(struck.map(|(at, edge)| (at as u32, reach(edge))).collect())]
        }
    };
    let numbers = |target: &Target| match target {
        Target::Replicas { service, replicas } if fault.counts_replicas() => {
            let is_replaced = spec.service(*service as usize).rollout.is_some();
            is_replaced.then(|| replicas.clone().into())
        }
        _ => None,
    };
    let requests =
        fault.requests.as_ref().map(|some| Arc::new(chosen(some, &number.to_string(), spec, streams)));
    let one = |target| Fault {
        path: digest::hash_text(on),
        rhythm: fault.rhythm(),
        flaps: fault.flap.is_some(),
        begun: fault.at,
        effect: fault.effect.clone(),
        random: None,
        drawn_down: false,
        is_set_off: false,
        repair: None,
        requests: requests.clone(),
        numbers: numbers(&target),
        targets: vec![target],
    };
    targets.into_iter().map(one).collect()
}
