//! What a user writes: workloads, services, policies, faults.

use super::circles::HopLimit;
use super::control::alarms::AlarmSpec;
use super::control::autoscaler::Autoscaler;
use super::control::block_and_ramp::BlockAndRamp;
use super::control::brownout::Brownout;
use super::control::check::Check;
use super::control::discovery::Discovery;
use super::control::feature_flag::{FeatureFlag, Flagged};
use super::control::flags::{ByFlag, Flag, MOST_FLAGS};
use super::control::health::Health;
use super::control::observers::Observers;
use super::control::on_start::OnStart;
use super::control::probes::Probes;
use super::control::rollout::{Planned, Rollout};
use super::control::start_up::StartUp;
use super::service::aside::Aside;
use super::service::cache::{self, Cache};
pub use super::service::callback::{Callback, CallbackState};
use super::service::cold_start::ColdStart;
use super::service::error_rate::ErrorRate;
use super::service::execution_limit::ExecutionLimit;
pub use super::service::fallback::Fallback;
use super::service::on_write::{self, OnWrite};
use super::service::record::StoreOfRecord;
use crate::distribution::TimeDistribution;
use crate::experiment::{
    Decode, Decoder, Kind, Len, Map, Node, POSITIVE, Shape, Span, Spanned, TypeDoc, VariantDoc,
};
use crate::network::zones::{MOST_ZONES, Turns, Zones};
use crate::policy::part::{Around, Does, Listed, Part};
use crate::policy::preset::Written;
use sim_core::{SimDuration, SimTime};

pub use super::service::dies::Death;
pub use super::service::idempotency::Idempotency;
use super::service::memory_leak::MemoryLeak;
pub use super::service::on_cancel::OnCancel;
use super::service::per_replica::{self, PerReplica};
use super::service::purge::Purge;
use super::service::queue::Common;
pub use super::service::queue::{Capacity, DEFAULT_QUEUE_CAPACITY, Queue};
use super::service::queue_bytes::QueueBytes;
use super::service::quorum::{self, MOST_QUORUM, Quorum};
pub use super::service::scaling::Scaling;
pub use super::service::shed::Shed;
use super::service::stop_the_world::StopTheWorld;
use super::service::thermal::Thermal;
use super::service::with_flags::WithFlag;
pub use super::service::workers::Workers;
pub use crate::byte_size::ByteSize;
use crate::fault::Signal;
pub use crate::fault::{
    Affected, CrashStyle, DomainSpec, Effect, FailureSpec, FaultSpec, Repair, TriggerSpec,
};
use crate::workload::tenants::Numbering;
pub use crate::workload::{
    Arrivals, Keys, Only, Priority, RateStep, Reload, Session, Size, Spacing, Tenants, Writes,
};

/// More than this would need more memory for histograms alone than most machines have.
pub const MOST_EDGES: usize = 4_000;
const MOST_SERVICES: usize = 10_000;
const MOST_FAULTS: usize = 100_000;
/// Each may be of as many replicas as a service has.
const MOST_FAILURES: usize = 100;

spec! {
    /// Requests through services: who calls whom, under which policies, and what goes wrong when.
    pub struct GraphSpec {
        /// Where requests come from.
        workload: Vec<WorkloadSpec>; Len(0..=MOST_EDGES),
        /// The services by name.
        services: Map<ServiceSpec>; Len(0..=MOST_SERVICES),
        /// Named policies, referred to by calls and workloads.
        policies: Map<Written> = Map::default(); Len(0..=MOST_SERVICES),
        /// What goes wrong, and when.
        faults: Vec<FaultSpec> = Vec::new(); Len(0..=MOST_FAULTS),
        /// What goes wrong by itself, at random, again and again: by name.
        failures: Map<FailureSpec> = Map::default(); Len(0..=MOST_FAILURES),
        /// What several replicas share, of whichever service, and what fails as one, at random: by name.
        domains: Map<DomainSpec> = Map::default(); Len(0..=MOST_SERVICES),
        /// One-way latency of every edge that does not say its own.
        network: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// What goes wrong when the system is in some state: by name.
        triggers: Map<TriggerSpec> = Map::default(); Len(0..=MOST_FAILURES),
        /// Who would be told, of which state, and when: by name. Nobody does anything about it.
        alarms: Map<AlarmSpec> = Map::default(); Len(0..=MOST_FAILURES),
        /// The zones in which all of it stands; none if absent, and nobody is nearer than another.
        zones: Option<Zones> = None,
        /// How often a request may be passed on from service to service: one that has been makes no further call. Absent: any number of
        /// times; then calls may go round in a circle only if less than one on average comes back.
        hop_limit: Option<u32> = None; 1..=255,
        /// The service whose word is the truth about every key, if what users are told is to be held against it.
        store_of_record: Option<Spanned<String>> = None,
        /// What is switched on for some of the users, and then for more: by name. Each request carries down which of them its user has.
        flags: Map<Flag> = Map::default(); Len(0..=MOST_FLAGS),
    }
}

spec! {
    /// Users, devices or jobs that call one service.
    pub struct WorkloadSpec {
        /// Name of the edge's caller; several workloads need different names.
        name: Spanned<String> = Spanned { value: "users".to_owned(), span: Span::default() },
        /// The service they call.
        to: Spanned<String>,
        /// When they call.
        arrivals: Arrivals,
        /// Client instances, each with its own breaker, budget, bulkhead and balancer.
        clients: u32 = 1; 1..=100_000,
        /// In which zones they stand, dealt out in turn; empty means all of the graph's. A name that stands twice has two of each round.
        zones: Vec<Spanned<String>> = Vec::new(); Len(0..=MOST_ZONES),
        /// Name of the policy they follow; none means: wait for ever, never retry.
        policy: Option<Spanned<String>> = None,
        /// One-way network latency; absent means the graph's.
        network: Option<TimeDistribution> = None,
        /// Whether users come again who were not served.
        reload: Option<Reload> = None,
        /// Whether each of them makes several calls, one after another.
        session: Option<Session> = None,
        /// Whose their requests are, if they are told apart.
        tenants: Option<Tenants> = None,
        /// How much their requests matter; `Critical` if absent.
        priority: Option<Priority> = None,
        /// Which keys their requests are about, if any.
        keys: Option<Keys> = None,
        /// Which share of their requests are writes; none if absent.
        writes: Option<f64> = None; 0.0..=1.0,
        /// What their requests weigh; nothing if absent.
        size: Option<Size> = None,
    }
}

spec! {
    /// A service: replicas with workers and a queue, own work, and calls to others.
    pub struct ServiceSpec where check_service {
        /// Identical replicas.
        replicas: u32 = 1; 1..=10_000,
        /// In which zones they stand, dealt out in turn: with three, replicas 0, 3, 6 .. in the first. Empty means all of the graph's; a name
        /// that stands twice has two of each round.
        zones: Vec<Spanned<String>> = Vec::new(); Len(0..=MOST_ZONES),
        /// Workers of each replica. A service with calls must say whether they block.
        workers: Workers,
        /// Whether its workers are instances that start when they are needed, and go when they are not; they are always there if absent.
        cold_start: Option<ColdStart> = None,
        /// What waits when all workers are busy.
        queue: Queue = Queue::Fifo { capacity: Capacity::Bounded(DEFAULT_QUEUE_CAPACITY), drop_expired: false },
        /// Bytes that may wait in each queue, if that is limited: a request that would make it more is rejected.
        queue_bytes: Option<ByteSize> = None; POSITIVE,
        /// Whom it turns away though there is a place for them.
        shed: Option<Shed> = None,
        /// Own work per request, before any calls.
        work: TimeDistribution,
        /// How long the execution of a request may take, waits for its calls included, before it is stopped and fails; no limit if absent.
        execution_limit: Option<SimDuration> = None; POSITIVE,
        /// What becomes of a request that is called off: where its caller's policy says `cancel`.
        on_cancel: OnCancel = OnCancel::Leave,
        /// How long a refusal tells its caller to wait before it comes again, drawn for each; nothing if absent. Callers heed it
        /// where their policy says `retry_after`.
        retry_after: Option<TimeDistribution> = None,
        /// Whether work takes longer the more of it a replica does at once.
        scaling: Scaling = Scaling::Independent,
        /// What makes each replica stand still for a while, again and again; nothing if absent.
        stop_the_world: Option<StopTheWorld> = None,
        /// Share of requests that fail after their own work.
        error_rate: f64 = 0.0; 0.0..=1.0,
        /// Calls made after the own work, one after another; `Parallel([(to: ..), (to: ..)])` among them makes several
        /// at once. If one of those fails, the request fails when all have ended; `Parallel(calls: [..], fail: Fast)`
        /// fails at once, and what is out goes on as work for nobody. Without `fail` it is `AtEnd`. With `wait_for: 2` two
        /// good answers are enough.
        calls: Vec<Step> = Vec::new(); Len(0..=MOST_EDGES),
        /// The load at which a replica dies.
        dies: Option<Death> = None,
        /// Memory that a replica never gives back while it is up; none if absent.
        memory_leak: Option<MemoryLeak> = None,
        /// Whether its replicas heat up by what they do, and are slowed down, or switched off, when they are too hot; not at all if absent.
        thermal: Option<Thermal> = None,
        /// How a replica starts that was down; at once if absent.
        start_up: Option<StartUp> = None,
        /// Calls that each replica makes by itself when it has started, or is no longer cut off, and work that it does; none if absent.
        on_start: Option<OnStart> = None,
        /// Checks that take a replica out of the callers' choice; none if absent, and they choose among all, up or not.
        health: Option<Health> = None,
        /// Probes of each replica by its own node: whether it has started, lives, and may be chosen; none if absent.
        probes: Option<Probes> = None,
        /// Who starts more replicas when there is more to do, and stops them; nobody if absent. `replicas` is where it begins.
        autoscaler: Option<Autoscaler> = None,
        /// Another version that comes, and how; none if absent.
        rollout: Option<Rollout> = None,
        /// Whether its optional calls are made with a probability that is turned down under load; as they are written if absent.
        brownout: Option<Brownout> = None,
        /// Whether nobody is let in for a while after trouble, and then more and more; all always are if absent.
        block_and_ramp: Option<BlockAndRamp> = None,
        /// How callers find the replicas: by what they last heard, which may be old. Absent: all know at once who is there.
        discovery: Option<Discovery> = None,
        /// Something that is switched on for some of its replicas while they run, and then for more; nothing if absent.
        feature_flag: Option<FeatureFlag> = None,
        /// What it does otherwise for requests that have a flag of the graph: by the name of the flag.
        with_flags: Map<WithFlag> = Map::default(); Len(0..=MOST_FLAGS),
        /// Whether what is done for a call is done once, however often that comes; if it is said at all, what is done more than
        /// once is counted.
        idempotency: Option<Idempotency> = None,
        /// Answers that are kept, by key, so that a request makes no calls whose answer is there; none if absent.
        cache: Option<Cache> = None,
        /// What becomes of what is kept of a key that is written; nothing if absent: it is kept until its time is over.
        on_write: Option<OnWrite> = None,
        /// Whether each replica has figures of its own: how busy it is, what it has in hand, how long its requests take and how many fail.
        per_replica: bool = false,
        /// Whether what is true of it, what its checks believe and what its users meet is told side by side; not at all if absent.
        observers: Option<Observers> = None,
    }
}

/// One entry of a service's `calls`: a call, or several at once inside `Parallel([..])`.
#[derive(Clone, Debug)]
pub struct Step {
    /// Made at the same time: the step is over when all have ended, or one has failed.
    pub parallel: bool,
    /// When one that fails is the end of the request.
    pub fail: Fail,
    /// How many good answers are enough, if not all are needed.
    pub wait_for: Option<u32>,
    /// One call, unless they are parallel.
    pub calls: Vec<CallSpec>,
}

spec! {
    /// Several calls at once.
    pub struct Parallel {
        /// The calls.
        calls: Vec<CallSpec>; Len(1..=MOST_EDGES),
        /// When one that fails is the end of the request.
        fail: Fail = Fail::AtEnd,
        /// A quorum: so many good answers are enough, and the request fails as soon as so many can no longer come. Calls that are
        /// out by then go on as work for nobody, or are called off where their policy says `cancel`. Absent: all are needed.
        wait_for: Option<u32> = None; 1..=MOST_QUORUM,
    }
}

spec! {
    /// When a request fails of which one call fails that it cannot do without.
    pub enum Fail {
        /// When all calls that were made with it have ended.
        AtEnd,
        /// At once. The other calls go on, retries included, as work for nobody.
        Fast,
    }
}

spec! {
    /// A call to another service.
    pub struct CallSpec where check_call {
        /// The service called.
        to: Spanned<String>,
        /// Name of the policy; none means: wait for ever, never retry.
        policy: Option<Spanned<String>> = None,
        /// How often a request makes this call at all.
        probability: f64 = 1.0; 0.0..=1.0,
        /// Repetitions: one after another, or at once inside `Parallel` and where `wait` is false.
        times: u32 = 1; 1..=10_000,
        /// Whether the request survives if this call fails.
        optional: bool = false,
        /// What stands in for its answer if it fails, whatever of.
        fallback: Option<Fallback> = None,
        /// Whether the request waits for it. If not it goes on at once, whatever becomes of the call, and the call outlives it; all its repetitions are made at once.
        wait: bool = true,
        /// Whether the callee only accepts the call, and calls back later; the request waits for that.
        callback: Option<Callback> = None,
        /// Names of the workloads whose requests make this call; empty means all.
        only_from: Vec<Spanned<String>> = Vec::new(),
        /// Whether only reads make this call, or only writes; all if absent.
        only: Option<Only> = None,
        /// Whether only requests that have a flag of the graph make this call, or only those that have not; all if absent.
        flag: Option<ByFlag> = None,
        /// Whether it only says that its key has changed, so that the callee throws away what it keeps of that, and calls nobody.
        purge: bool = false,
        /// One-way network latency; absent means the graph's.
        network: Option<TimeDistribution> = None,
    }
}

impl CallSpec {
    /// Whether a request that waits for it can do without it, and nothing stands in.
    pub fn can_be_dimmed(&self) -> bool {
        self.optional && self.wait && self.fallback.is_none()
    }

    /// Whether every request makes it, whoever that is of.
    pub fn is_of_all(&self) -> bool {
        self.probability >= 1.0 && self.only_from.is_empty() && self.only.is_none() && self.flag.is_none()
    }

    /// Who is asked if it fails, if anybody is: the service, by which policy, over which network.
    #[allow(clippy::type_complexity)]
    pub fn instead(&self) -> Option<(&Spanned<String>, &Option<Spanned<String>>, &Option<TimeDistribution>)> {
        match &self.fallback {
            Some(Fallback::Call { to, policy, network }) => Some((to, policy, network)),
            _ => None,
        }
    }

    /// What becomes of it besides being made.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        vec![
            Listed::optional("fallback", "", self.fallback.as_ref()),
            Listed::made("wait", "", (!self.wait).then_some(Aside)),
            Listed::optional("callback", "", self.callback.as_ref()),
            Listed::optional("only", "", self.only.as_ref()),
            Listed::optional("flag", "", self.flag.as_ref()),
            Listed::made("purge", "", self.purge.then_some(Purge)),
        ]
    }
}

impl WorkloadSpec {
    /// What its users do besides calling.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        vec![
            Listed::optional("reload", "", self.reload.as_ref()),
            Listed::optional("session", "", self.session.as_ref()),
            Listed::optional("tenants", "", self.tenants.as_ref()),
            Listed::optional("priority", "", self.priority.as_ref()),
            Listed::optional("keys", "", self.keys.as_ref()),
            Listed::made("writes", "", self.writes.map(Writes)),
            Listed::optional("size", "", self.size.as_ref()),
        ]
    }
}

impl ServiceSpec {
    /// Every part by its key, in the order of the file, with what is said where it is left out.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        vec![
            Listed::always("workers", &self.workers),
            Listed::optional("cold_start", "", self.cold_start.as_ref()),
            Listed::always("queue", &self.queue),
            Listed::made("queue_bytes", "", self.queue_bytes.map(QueueBytes)),
            Listed::optional("shed", "", self.shed.as_ref()),
            Listed::made("execution_limit", "", self.execution_limit.map(ExecutionLimit)),
            Listed::always("on_cancel", &self.on_cancel),
            Listed::always("scaling", &self.scaling),
            Listed::optional("stop_the_world", "", self.stop_the_world.as_ref()),
            Listed::made("error_rate", "", Some(ErrorRate(self.error_rate))),
            Listed::optional("dies", "never: it survives any load", self.dies.as_ref()),
            Listed::optional("memory_leak", "", self.memory_leak.as_ref()),
            Listed::optional("thermal", "", self.thermal.as_ref()),
            Listed::optional("start_up", "at once, and warm", self.start_up.as_ref()),
            Listed::made("on_start", "", self.by_themselves()),
            Listed::optional("health", "", self.health.as_ref()),
            Listed::optional("probes", "", self.probes.as_ref()),
            Listed::optional("autoscaler", "", self.autoscaler.as_ref()),
            Listed::made("rollout", "", self.planned()),
            Listed::optional("brownout", "", self.brownout.as_ref()),
            Listed::optional("block_and_ramp", "", self.block_and_ramp.as_ref()),
            Listed::optional("discovery", "", self.discovery.as_ref()),
            Listed::made("feature_flag", "", self.flagged()),
            Listed::optional("with_flags", "", (!self.with_flags.is_empty()).then_some(&self.with_flags)),
            Listed::optional("idempotency", "", self.idempotency.as_ref()),
            Listed::optional("cache", "", self.cache.as_ref()),
            Listed::optional("on_write", "", self.on_write.as_ref()),
            Listed::made("per_replica", "", self.per_replica.then_some(PerReplica(self.room()))),
            Listed::optional("observers", "", self.observers.as_ref()),
        ]
    }

    /// The parts of this service, to be asked together.
    pub fn around<'a>(&'a self, name: &'a str) -> Around<'a> {
        let (workers, Common { capacity, shared, .. }) = (self.workers.count(), self.queue.common());
        // Whoever waits for others need not hold a worker.
        let is_held = self.calls.is_empty() || matches!(self.workers, Workers::Blocking(_));
        let room = match capacity {
            Capacity::Bounded(places) if is_held && !shared => Some(u64::from(workers) + u64::from(places)),
            _ => None,
        };
        Around { workers, replicas: self.room(), room, ..Around::new(name, self.parts()) }
    }

    /// Whether it looks at who the user is.
    pub fn ranks_users(&self) -> bool {
        self.shed.as_ref().is_some_and(Shed::ranks_users)
            || self.block_and_ramp.as_ref().is_some_and(BlockAndRamp::ranks_users)
    }

    /// The state that shuts its door, and what says so.
    pub fn shut_for(&self) -> Option<(&'static str, &Signal)> {
        Some(("block_and_ramp", self.block_and_ramp.as_ref()?.when.as_ref()?))
    }

    /// All who ask its replicas whether they are well: before one queue for all of them there is nobody to ask.
    pub fn checks(&self) -> Vec<Check<'_>> {
        let probes = self.probed().into_iter().flat_map(Probes::checks);
        self.checked().map(Health::check).into_iter().chain(probes).collect()
    }

    /// Who probes them, if anybody does.
    pub fn probed(&self) -> Option<&Probes> {
        self.probes.as_ref().filter(|_| !self.queue.common().shared)
    }

    /// Whether whoever probes a replica may kill it.
    pub fn is_killed(&self) -> bool {
        self.probed().is_some_and(Probes::kill)
    }

    /// Who takes out those who do not answer well, if anybody does.
    pub fn checked(&self) -> Option<&Health> {
        self.health.as_ref().filter(|_| !self.queue.common().shared)
    }

    /// What turns down its optional calls, if anything does.
    pub fn dims(&self) -> Option<&Brownout> {
        let calls = self.calls.iter().flat_map(|step| &step.calls);
        self.brownout.as_ref().filter(|_| calls.into_iter().any(CallSpec::can_be_dimmed))
    }

    /// How its callers find its replicas, if they do not know them: before one queue for all of them nobody chooses.
    pub fn found(&self) -> Option<&Discovery> {
        self.discovery.as_ref().filter(|_| !self.queue.common().shared)
    }

    /// Replicas that there may be at a time; or one after another, where each has an address of its own.
    pub fn room(&self) -> u32 {
        let most = self.autoscaler.as_ref().map_or(self.replicas, |it| it.max.max(self.replicas));
        let room = |rollout: &Rollout| match self.found() {
            Some(_) => rollout.addresses(most),
            None => rollout.room(most),
        };
        self.rollout.as_ref().map_or(most, room)
    }

    /// Whether any of them may be stopped and started while it runs, or killed.
    pub fn is_taken_down(&self) -> bool {
        self.has_room() || self.is_killed()
    }

    /// Whether any of its replicas may be away.
    pub fn has_room(&self) -> bool {
        self.autoscaler.is_some() || self.rollout.is_some()
    }

    /// The rollout of so many replicas that start like this.
    fn planned(&self) -> Option<Planned<'_>> {
        let start = self.start_up.as_ref().map_or(SimDuration::ZERO, |start| start.time.mean());
        let leaks = self.memory_leak.is_some();
        Some(Planned { rollout: self.rollout.as_ref()?, replicas: self.replicas, start, leaks })
    }

    fn flagged(&self) -> Option<Flagged<'_>> {
        let has_versions = self.rollout.is_some();
        Some(Flagged { flag: self.feature_flag.as_ref()?, replicas: self.replicas, has_versions })
    }

    /// Whether it needs to know who stands where.
    pub fn goes_by_zones(&self) -> bool {
        self.rollout.as_ref().is_some_and(Rollout::goes_by_zones)
            || self.feature_flag.as_ref().is_some_and(FeatureFlag::goes_by_zones)
    }

    /// Whether a replica may die of what it does.
    pub fn may_die(&self) -> bool {
        self.dies.is_some()
            || self.thermal.as_ref().is_some_and(Thermal::switches_off)
            || self.leaks().into_iter().flatten().any(MemoryLeak::kills)
    }

    /// What replicas lose that run the version of the beginning, and those that run the one that comes.
    pub fn leaks(&self) -> [Option<&MemoryLeak>; 2] {
        let of_new = self.rollout.as_ref().and_then(|rollout| rollout.to.memory_leak.as_ref());
        [self.memory_leak.as_ref(), of_new.or(self.memory_leak.as_ref())]
    }

    /// The least that a request waits for an instance to start, if any ever has to.
    pub fn starts_cold(&self) -> Option<SimDuration> {
        let cold = self.cold_start.as_ref().filter(|it| it.provisioned < self.workers.count())?;
        Some(SimDuration::from_nanos_f64(cold.time.nanos.min()))
    }

    /// How a replica starts, if it is not there at once.
    pub fn starts(&self) -> Option<&StartUp> {
        self.start_up.as_ref()
    }

    /// Whether a replica that starts is ready later than at once.
    pub fn is_ready_later(&self) -> bool {
        self.start_up.is_some() || self.calls_before_ready()
    }

    /// What it may do to requests. Who calls nobody keeps no worker waiting.
    pub fn does(&self) -> Does {
        let does = self.around("").does();
        if self.calls.is_empty() { does.without(Does::HOLDS) } else { does }
    }
}

impl ServiceSpec {
    /// Its calls.
    pub fn all_calls_of(&self) -> impl Iterator<Item = &CallSpec> {
        self.calls.iter().flat_map(|step| &step.calls)
    }

    /// Every call that it may make, whom it asks if one fails, who calls it back, and whom it calls by itself, by what says so.
    pub fn all_calls(&self) -> usize {
        let calls = self.calls.iter().flat_map(|step| &step.calls);
        calls
            .map(|call| 1 + usize::from(call.instead().is_some()) + usize::from(call.callback.is_some()))
            .sum::<usize>()
            + self.by_themselves().map_or(0, |it| it.says.calls.len())
    }
}

impl GraphSpec {
    /// What holds for all of it.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        let record = self.store_of_record.as_ref().map(|record| StoreOfRecord(record.value.clone()));
        let of_all = [
            Listed::made("hop_limit", "", self.hop_limit.map(HopLimit)),
            Listed::made("store_of_record", "", record),
        ];
        let flags = self.of_users().map(|flag| Listed::made("flags", "", Some(flag)));
        of_all.into_iter().chain(flags).collect()
    }

    /// What comes at an instant and is there from then on, besides faults: what, to whom, and when.
    pub fn comes(&self) -> Vec<(&'static str, &str, SimTime)> {
        let of_services = self.services.iter().flat_map(|(name, service)| {
            let around = service.around(name);
            let comes = around.all().filter_map(|part| part.disturbs());
            comes.map(|(what, at)| (what, name, at)).collect::<Vec<_>>()
        });
        let of_users = self.of_users().filter_map(|flag| {
            let (what, at) = flag.disturbs()?;
            Some((what, flag.name, at))
        });
        of_services.chain(of_users).collect()
    }

    /// The service of this number.
    pub fn service(&self, number: usize) -> &ServiceSpec {
        self.services.at(number).expect("a service by its number").1
    }

    /// Its name.
    pub fn name(&self, number: usize) -> &str {
        &self.services.at(number).expect("a service by its number").0.value
    }

    /// Whether there is a zone of this name.
    pub fn has_zones(&self, name: &str) -> bool {
        self.zones.as_ref().is_some_and(|zones| zones.number(name).is_some())
    }

    /// The zones of a service's replicas, if there are any.
    pub fn turns_of_service(&self, number: usize) -> Option<Turns> {
        self.zones.as_ref().map(|zones| zones.turns(&self.service(number).zones))
    }

    /// The zones of a workload's clients, if there are any.
    pub fn turns_of_workload(&self, number: usize) -> Option<Turns> {
        self.zones.as_ref().map(|zones| zones.turns(&self.workload[number].zones))
    }

    /// What a fault can be on where all that stands in a zone is struck.
    pub fn places(&self) -> Vec<String> {
        let names = self.zones.iter().flat_map(|zones| &zones.names);
        names.map(|name| format!("zone {}", name.value)).collect()
    }

    /// Those replicas of a service that stand in the zone of this name, those included that may yet come.
    pub fn standing_in(&self, place: &str, service: usize) -> Vec<u32> {
        let number = self.zones.as_ref().and_then(|zones| zones.number(place));
        let Some((place, turns)) = number.zip(self.turns_of_service(service)) else { return Vec::new() };
        (0..self.service(service).room()).filter(|replica| turns.of(*replica) == place).collect()
    }

    /// All who stand in the zone of this name: of each service of which any does, which.
    pub fn all_in<'a>(&'a self, place: &'a str) -> impl Iterator<Item = (usize, Vec<u32>)> + 'a {
        let all = (0..self.services.len()).map(move |service| (service, self.standing_in(place, service)));
        all.filter(|(_, those)| !those.is_empty())
    }

    /// Where the replicas of a service stand, in words, if there are zones: `2 in a, 1 in b`.
    pub fn places_of_service(&self, number: usize) -> Option<String> {
        let zones = self.zones.as_ref()?;
        Some(zones.told(&self.turns_of_service(number)?, self.service(number).replicas))
    }

    /// The zone in which most replicas of a service stand, by its name, and the share of them that is left without it.
    pub fn without_the_largest(&self, number: usize) -> Option<(&str, f64)> {
        let (zones, turns) = (self.zones.as_ref()?, self.turns_of_service(number)?);
        let all = self.service(number).replicas;
        // The first of those that are as large.
        let counts = (0..zones.names.len()).rev().map(|place| (turns.count(place as u32, all), place));
        let (most, place) = counts.max_by_key(|(count, _)| *count)?;
        let name = &zones.names[place];
        Some((&name.value, f64::from(all - most) / f64::from(all)))
    }

    /// And the clients of a workload.
    pub fn places_of_workload(&self, number: usize) -> Option<String> {
        let zones = self.zones.as_ref()?;
        Some(zones.told(&self.turns_of_workload(number)?, self.workload[number].clients))
    }

    /// Those replicas of a service of which some are struck: where all are, those included that may yet come.
    pub fn among(&self, service: usize, struck: &Affected) -> Vec<u32> {
        let all = self.service(service);
        match struck {
            Affected::Zone(place) => self.standing_in(place, service),
            Affected::All => (0..all.room()).collect(),
            Affected::Only(_) | Affected::Fraction(_) => (0..all.replicas).collect(),
        }
    }

    /// The same of those that are there at the beginning.
    pub fn at_first(&self, service: usize, struck: &Affected) -> Vec<u32> {
        let replicas = self.service(service).replicas;
        self.among(service, struck).into_iter().filter(|replica| *replica < replicas).collect()
    }

    /// Whether an effect that is meant may be upon replicas of this service, whatever it comes from: upon itself, or upon a zone in which
    /// some of them stand.
    pub fn is_struck(&self, service: &str, meant: impl Fn(&Effect) -> bool) -> bool {
        let number = self.services.index_of(service);
        let stands = |place: &str| number.is_some_and(|it| !self.standing_in(place, it).is_empty());
        let on_it = |on: &str| on == service || crate::fault::place(on).is_some_and(&stands);
        self.strikes().any(|(effect, on)| meant(effect) && on_it(&on.value))
    }

    /// Whether a replica of this service may ever be down and start again: of its load, of a fault, or since somebody stops it.
    pub fn may_go_down(&self, name: &str, service: &ServiceSpec) -> bool {
        let ends = |effect: &Effect| matches!(effect, Effect::Crash { .. } | Effect::Drain { .. });
        service.may_die() || service.is_taken_down() || self.is_struck(name, ends)
    }

    /// What may strike, and where, whenever it does: effects, and whom they are on.
    pub fn strikes(&self) -> impl Iterator<Item = (&Effect, &Spanned<String>)> {
        let faults = self.faults.iter().map(|fault| (&fault.effect, &fault.on));
        let failures = self.failures.values().map(|failure| (&failure.effect, &failure.on));
        let held = self.domains.values();
        let held = held.flat_map(|domain| domain.holds.iter().map(|held| (&domain.effect, &held.on)));
        let set_off = self.triggers.values().map(|trigger| (&trigger.effect, &trigger.on));
        faults.chain(failures).chain(held).chain(set_off)
    }

    /// Whether anything goes wrong at random, or when it is set off: at a time that the file does not say.
    pub fn fails_at_random(&self) -> bool {
        !self.failures.is_empty() || !self.domains.is_empty() || !self.triggers.is_empty()
    }

    /// What goes wrong until somebody has repaired it, and its numbers among the faults.
    pub fn repairs(&self) -> impl Iterator<Item = (u32, &FaultSpec, &Repair)> {
        let faults = (0..).zip(&self.faults);
        faults.filter_map(|(number, fault)| Some((number, fault, fault.repair.as_ref()?)))
    }

    /// Whether anything is: when that is over the file does not say.
    pub fn is_repaired(&self) -> bool {
        self.repairs().next().is_some()
    }

    /// The states that anybody looks at.
    pub fn watched(&self) -> impl Iterator<Item = &Signal> {
        let triggers = self.triggers.values().map(|trigger| &trigger.when);
        let alarms = self.alarms.values().map(|alarm| &alarm.when);
        let doors = self.services.values().filter_map(|service| Some(service.shut_for()?.1));
        triggers.chain(alarms).chain(doors)
    }

    /// Whether anybody looks at how long requests take at this service.
    pub fn is_timed(&self, service: &str) -> bool {
        self.watched().any(|when| matches!(when, Signal::Takes { of, .. } if of.value == service))
    }

    /// The tenants of all workloads.
    pub fn tenants(&self) -> Numbering<'_> {
        Numbering::of(self.workload.iter().filter_map(|workload| workload.tenants.as_ref()))
    }

    /// The number of a workload by its name.
    pub fn workload_number(&self, name: &str) -> Option<u32> {
        self.workload.iter().position(|workload| workload.name.value == name).map(|number| number as u32)
    }
}

/// A service with calls must say whether its workers block: a plain number is not accepted, so nothing
/// is left to check but what cannot be served at all.
fn check_service(service: &ServiceSpec, at: &Node, cx: &mut Decoder) {
    let around = service.around("");
    around.all().for_each(|part| part.check(&around, at, cx));
    if service.work.nanos.mean() == 0.0 && service.calls.is_empty() && service.dies.is_none() {
        cx.warn(at.get("work").unwrap_or(at).span, "takes no time and calls nobody: it can never be busy");
    }
    cache::check_service(service, at, cx);
    on_write::check(service, at, cx);
    let asked = [("health", service.health.is_some()), ("probes", service.probes.is_some())];
    for (who, _) in asked.into_iter().filter(|(_, asks)| *asks && service.queue.common().shared) {
        cx.warn(
            at.span_of(who),
            "the replicas share one queue: none of them can be asked, or left out, and nothing is checked",
        )
        .help("leave `shared` out of the queue, and each has its own");
    }
    service.cold_start.iter().for_each(|it| it.check_beside(service, at, cx));
    service.thermal.iter().for_each(|it| it.check_beside(service, at, cx));
    service.execution_limit.map(ExecutionLimit).into_iter().for_each(|it| it.check_beside(service, at, cx));
    if service.queue.common().shared
        && service.stop_the_world.as_ref().is_some_and(StopTheWorld::counts_what_waits)
    {
        let message = "what waits in the queue that all replicas share is alive in none of them: only what is worked on is";
        cx.warn(at.span_of("stop_the_world"), message)
            .help("leave `shared` out of the queue, and each has its own");
    }
    if let Some(why) = service.stop_the_world.as_ref().and_then(|it| it.overflows(around.room)) {
        cx.warn(at.span_of("stop_the_world"), why).help("a shorter queue, or a larger `heap`");
    }
    if let (Some(stops), Some(probes)) = (&service.stop_the_world, &service.probes)
        && let Some(why) = probes.kills_who_pauses(stops.typical())
    {
        cx.warn(at.span_of("probes"), why).help("a `timeout` of `liveness` that is longer than pauses are");
    }
    if service.brownout.is_some() && service.dims().is_none() {
        cx.warn(at.span_of("brownout"), "no call of it is optional: there is nothing to leave out")
            .help("say `optional: true` of calls that a request can do without");
    }
    if service.discovery.is_some() && service.found().is_none() {
        cx.warn(
            at.span_of("discovery"),
            "the replicas share one queue: nobody chooses among them, and nothing is looked up",
        )
        .help("leave `shared` out of the queue, and each has its own");
    }
    if let Some(scaler) = &service.autoscaler
        && !(scaler.min..=scaler.max).contains(&service.replicas)
    {
        let (min, max) = (scaler.min, scaler.max);
        let message = format!("`replicas` is {}, and the autoscaler has {min} to {max}", service.replicas);
        cx.error(at.span_of("replicas"), message).help("begin with a number between `min` and `max`");
    }
    if let (Some(probes), Some(start)) = (service.probed(), service.starts())
        && let Some((why, help)) = probes.never_start(SimDuration::from_nanos_f64(start.time.nanos.min()))
    {
        cx.warn(at.span_of("start_up"), why).help(help);
    }
    if service.per_replica && service.room() > per_replica::MOST {
        let (most, span) = (per_replica::MOST, at.span_of("per_replica"));
        cx.error(
            span,
            format!("no more than {most} replicas are told apart, and there are {}", service.room()),
        )
        .help("leave it out: what all of them did together is told anyway");
    }
}

impl Step {
    /// These calls at once, all of which are needed.
    fn of(calls: Vec<CallSpec>) -> Self {
        Step { parallel: true, fail: Fail::AtEnd, wait_for: None, calls }
    }

    /// What it does besides calling.
    pub fn parts(&self) -> Vec<Listed<'static>> {
        vec![Listed::made("wait_for", "", self.wait_for.map(|wait_for| Quorum(wait_for, self.most())))]
    }

    /// Whether it makes calls that the request does not wait for.
    pub fn leaves_any(&self) -> bool {
        self.calls.iter().any(|call| !call.wait)
    }

    /// Whether it makes them all at once: nobody waits for one before the next.
    pub fn is_at_once(&self) -> bool {
        self.parallel || self.leaves_any()
    }

    /// The most calls that it makes.
    pub fn most(&self) -> u64 {
        self.calls.iter().map(|call| u64::from(call.times)).sum()
    }
}

fn check_call(call: &CallSpec, at: &Node, cx: &mut Decoder) {
    if call.fallback.is_some() && !call.wait {
        cx.at("fallback", |cx| {
            cx.error(at.span_of("fallback"), "nobody waits for this call: nothing needs to stand in for it")
                .help("leave `fallback` out, or `wait: false`");
        });
    }
    if call.optional && matches!(call.fallback, Some(Fallback::Default)) {
        cx.at("optional", |cx| {
            cx.warn(at.span_of("optional"), "says nothing beside `fallback: Default`: that never fails")
                .help("leave one of them out; what is optional is not counted as degraded");
        });
    }
    if call.callback.is_some() && !call.wait {
        cx.at("callback", |cx| {
            cx.error(at.span_of("callback"), "nobody waits for this call, nor for its callback")
                .help("leave `wait: false` out: a request waits for a callback without a worker if its service is Async");
        });
    }
    if call.optional && !call.wait {
        cx.at("optional", |cx| {
            cx.warn(at.span_of("optional"), "says nothing of a call that is not waited for: it fails nobody")
                .help("leave `optional` out");
        });
    }
}

impl Decode for Step {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        if matches!(node.kind, Kind::List(_)) {
            cx.error(node.span, "a list of calls in a list of calls")
                .help("calls that are made at once are written Parallel([(to: ..), (to: ..)])");
            return None;
        }
        if node.name() != Some("Parallel") {
            return CallSpec::decode(node, cx).map(|call| Step { parallel: false, ..Step::of(vec![call]) });
        }
        if matches!(node.kind, Kind::Struct(..)) {
            let Parallel { calls, fail, wait_for } = Parallel::decode(node, cx)?;
            let step = Step { fail, wait_for, ..Step::of(calls) };
            quorum::check(&step, node, cx);
            return Some(step);
        }
        let mut items = cx.items(node, &["calls"])?;
        cx.item(&mut items, Some(&Len(1..=MOST_EDGES))).map(Step::of)
    }

    fn encode(&self) -> Node {
        match (self.parallel, &self.fail, self.wait_for) {
            (false, ..) => self.calls[0].encode(),
            (true, Fail::AtEnd, None) => Node::tuple("Parallel", [self.calls.encode()]),
            (true, fail, wait_for) => Parallel { calls: self.calls.clone(), fail: fail.clone(), wait_for }
                .encode()
                .named(Some("Parallel")),
        }
    }

    fn describe() -> TypeDoc {
        let variant = |name: &'static str, doc: TypeDoc| {
            let Shape::Struct(fields) = doc.shape else { unreachable!("a struct has fields") };
            VariantDoc { name, doc: doc.doc, fields, positional: false }
        };
        let (one, several) = (CallSpec::describe(), Parallel::describe());
        TypeDoc {
            name: one.name.clone(),
            doc: "A call, or several at once.".into(),
            shape: Shape::Enum(vec![variant("", one), variant("Parallel", several)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;
    use crate::experiment::Experiment;

    /// What a service is, whatever its mechanisms.
    const GROUND: [&str; 5] = ["replicas", "zones", "work", "retry_after", "calls"];

    #[test]
    fn every_other_setting_of_a_service_is_a_part() {
        let Shape::Struct(fields) = ServiceSpec::describe().shape else { panic!("a service has fields") };
        let fields = fields.iter().map(|field| field.name).filter(|field| !GROUND.contains(field));
        let node = Node::record([("workers", Workers::Async(1).encode()), ("work", Node::text("1ms"))]);
        let service = ServiceSpec::decode(&node, &mut Decoder::new()).expect("sound");
        let keys: Vec<&str> = service.parts().iter().map(|listed| listed.key).collect();
        assert_eq!(keys, fields.collect::<Vec<_>>());
    }

    /// Both ways to write calls that are made at once are one and the same to whoever sets something in them.
    #[test]
    fn what_the_short_form_has_no_place_for_is_set_by_its_name() {
        for calls in [r#"Parallel([(to: "a"), (to: "b")])"#, r#"Parallel(calls: [(to: "a"), (to: "b")])"#] {
            let text = format!(
                r#"(about: "x", model: ServiceGraph(
                    workload: [(to: "s", arrivals: Poisson("1/s"))],
                    services: {{
                        "s": (workers: Async(1), work: "1ms", calls: [{calls}]),
                        "a": (workers: Async(1), work: "1ms"),
                        "b": (workers: Async(1), work: "1ms"),
                    }},
                ), run: (duration: "60s"))"#
            );
            let (experiment, _) = Experiment::parse("x", &text, &[], &Catalog::bundled()).expect("sound");
            let at = |path: &str, value: &str| {
                let set = [(path.to_string(), value.to_string())];
                let resolved = experiment.with(None, &set).expect("sound");
                resolved.value("services.s.calls").expect("it is there").to_line()
            };
            let fast = at("services.s.calls[0].fail", "Fast");
            assert!(fast.contains("fail: Fast") && fast.matches("to: ").count() == 2, "{fast}");
            assert!(!at("services.s.calls[0].fail", "AtEnd").contains("Fast"));
            let other = at("services.s.calls[0].calls[1].times", "3");
            assert!(other.contains("times: 3") && !other.contains("Fast"), "{other}");
            // A single call has other fields.
            let why = experiment.with(None, &[("services.s.calls[0].fial".into(), "Fast".into())]);
            let why = why.expect_err("no such field").diagnostics.iter().next().map(|it| it.message.clone());
            assert_eq!(why.as_deref(), Some("`Parallel` has no field `fial`"));
        }
    }
}
