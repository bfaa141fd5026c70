//! What a user writes: workloads, services, policies, faults.

use crate::distribution::TimeDistribution;
use crate::experiment::{Decode, Decoder, Kind, Map, NOT_EMPTY, Node, POSITIVE, Span, Spanned, TypeDoc};
use crate::policy::Policy;
use crate::theory::Usl;
use sim_core::{Rate, SimDuration, SimTime};

pub use crate::fault::{Affected, CrashStyle, Effect, FaultSpec};

/// Places in a queue unless the file says otherwise (Envoy's `max_pending_requests`).
pub const DEFAULT_QUEUE_CAPACITY: u32 = 1024;

spec! {
    /// Requests through services: who calls whom, under which policies, and what goes wrong when.
    pub struct GraphSpec where super::check::check_graph {
        /// Where requests come from.
        workload: Vec<WorkloadSpec>,
        /// The services by name.
        services: Map<ServiceSpec>,
        /// Named policies, referred to by calls and workloads.
        policies: Map<Policy> = Map::default(),
        /// What goes wrong, and when.
        faults: Vec<FaultSpec> = Vec::new(),
        /// One-way latency of every edge that does not say its own.
        network: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
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
        /// Name of the policy they follow; none means: wait for ever, never retry.
        policy: Option<Spanned<String>> = None,
        /// One-way network latency; absent means the graph's.
        network: Option<TimeDistribution> = None,
    }
}

spec! {
    /// When calls are made. Open loops keep their luck when a rate changes: one unit-rate stream
    /// through the inverted cumulative rate.
    pub enum Arrivals where super::check::check_arrivals {
        /// Independent arrivals at a constant mean rate.
        Poisson(rate: Rate; POSITIVE),
        /// Evenly spaced arrivals.
        Constant(rate: Rate; POSITIVE),
        /// The rate moves in a straight line from one value to another.
        Ramp {
            /// Rate until `at`.
            from: Rate,
            /// Rate from the end of the ramp on.
            to: Rate,
            /// When the ramp begins.
            at: SimTime = SimTime::ZERO,
            /// How long it takes.
            over: SimDuration,
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// The rate jumps at given times.
        Steps {
            /// (at, rate) in order of time; the first must be at 0s.
            steps: Vec<RateStep>,
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// A base rate with one surge.
        Spike {
            /// Rate outside the surge.
            base: Rate,
            /// Rate during the surge.
            peak: Rate,
            /// When the surge begins.
            at: SimTime,
            /// How long it lasts.
            r#for: SimDuration,
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// A fixed number of users, each of whom thinks, calls, waits for the end, and thinks again.
        /// Arrivals then depend on the system, so they differ between policies.
        ClosedLoop {
            /// How many.
            users: u32; 1..=1_000_000,
            /// Time between the end of a call and the next.
            think: TimeDistribution,
        },
    }
}

spec! {
    /// How arrivals of a changing rate are spaced.
    pub enum Spacing {
        /// Independent of each other.
        Poisson,
        /// As even as the rate allows.
        Even,
    }
}

spec! {
    /// A rate from a time on.
    pub struct RateStep {
        /// From when.
        at: SimTime,
        /// The rate.
        rate: Rate,
    }
}

spec! {
    /// A service: replicas with workers and a queue, own work, and calls to others.
    pub struct ServiceSpec where super::check::check_service {
        /// Identical replicas.
        replicas: u32 = 1; 1..=10_000,
        /// Workers of each replica. A service with calls must say whether they block.
        workers: Workers,
        /// What waits when all workers are busy.
        queue: Queue = Queue::Fifo { capacity: Capacity::Bounded(DEFAULT_QUEUE_CAPACITY), drop_expired: false },
        /// Own work per request, before any calls.
        work: TimeDistribution,
        /// Whether work takes longer the more of it a replica does at once.
        scaling: Scaling = Scaling::Independent,
        /// Share of requests that fail after their own work.
        error_rate: f64 = 0.0; 0.0..=1.0,
        /// Calls made after the own work, one after another; `Parallel([(to: ..), (to: ..)])` among them makes several
        /// at once.
        calls: Vec<Step> = Vec::new(),
        /// The load at which a replica dies.
        dies: Option<Death> = None,
    }
}

spec! {
    /// What holds a worker.
    pub enum Workers {
        /// A request holds its worker until it is answered, waiting for other services included.
        Blocking(count: u32; 1..=1_000_000),
        /// A request holds a worker only while its own work is done.
        Async(count: u32; 1..=1_000_000),
    }
}

impl Workers {
    /// Workers of one replica.
    pub fn count(&self) -> u32 {
        match *self {
            Workers::Blocking(count) | Workers::Async(count) => count,
        }
    }
}

spec! {
    /// What the workers of a replica cost each other.
    #[derive(PartialEq)]
    pub enum Scaling {
        /// Nothing: work takes as long as it takes.
        Independent,
        /// The universal scalability law: with `n` workers of the replica busy, its own included, work takes
        /// `1 + contention (n - 1) + coherency n (n - 1)` times as long. `n` is what it is when the work begins.
        Usl {
            /// What all wait for in turn, per other worker.
            contention: f64 = 0.0; 0.0..=1.0,
            /// What each must tell every other, per pair.
            coherency: f64 = 0.0; 0.0..=1.0,
        },
    }
}

spec! {
    /// Where requests wait. Each replica has its own, unless it is shared.
    pub enum Queue {
        /// First in, first out.
        Fifo {
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
        },
        /// Last in, first out.
        Lifo {
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
        },
        /// One first-in-first-out queue for all replicas: whoever is free takes the next.
        SharedFifo {
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
        },
    }
}

/// Places in a queue: a number, or the word `Unbounded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// So many.
    Bounded(u32),
    /// As many as come.
    Unbounded,
}

/// One entry of a service's `calls`: a call, or several at once inside `Parallel([..])`.
#[derive(Clone, Debug)]
pub struct Step {
    /// Made at the same time: the step is over when all have ended.
    pub parallel: bool,
    /// One call, unless they are parallel.
    pub calls: Vec<CallSpec>,
}

spec! {
    /// A call to another service.
    pub struct CallSpec {
        /// The service called.
        to: Spanned<String>,
        /// Name of the policy; none means: wait for ever, never retry.
        policy: Option<Spanned<String>> = None,
        /// How often a request makes this call at all.
        probability: f64 = 1.0; 0.0..=1.0,
        /// Repetitions: one after another, or at once inside `Parallel`.
        times: u32 = 1; 1..=10_000,
        /// Whether the request survives if this call fails.
        optional: bool = false,
        /// Names of the workloads whose requests make this call; empty means all.
        only_from: Vec<Spanned<String>> = Vec::new(),
        /// One-way network latency; absent means the graph's.
        network: Option<TimeDistribution> = None,
    }
}

spec! {
    /// A replica that is overwhelmed dies, loses what it had in hand, and comes back empty.
    pub struct Death where super::check::check_death {
        /// Requests in hand (waiting or in progress) that a replica does not survive.
        at_in_flight: Option<u32> = None,
        /// Memory that a replica does not survive.
        at_memory: Option<ByteSize> = None,
        /// Memory of an idle replica.
        memory_idle: ByteSize = ByteSize(0),
        /// Memory of each request in hand.
        memory_per_request: ByteSize = ByteSize(1 << 20),
        /// Time until it is back.
        restart_after: SimDuration,
        /// What callers notice.
        callers: CrashStyle = CrashStyle::Reset,
    }
}

/// An amount of memory: `"512MiB"`, `"2GiB"`, `"64kB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct ByteSize(pub u64);

impl GraphSpec {
    /// The service of this number.
    pub fn service(&self, number: usize) -> &ServiceSpec {
        self.services.at(number).expect("a service by its number").1
    }

    /// Its name.
    pub fn name(&self, number: usize) -> &str {
        &self.services.at(number).expect("a service by its number").0.value
    }

    /// The number of a workload by its name.
    pub fn workload_number(&self, name: &str) -> Option<u32> {
        self.workload.iter().position(|workload| workload.name.value == name).map(|number| number as u32)
    }
}

impl Scaling {
    /// The law, if there is one.
    pub fn law(&self) -> Option<Usl> {
        match *self {
            Scaling::Independent => None,
            Scaling::Usl { contention, coherency } => Some(Usl { contention, coherency }),
        }
    }
}

impl Death {
    /// The number of requests in hand that a replica does not survive.
    pub fn fatal_in_hand(&self) -> u32 {
        let by_memory = self.at_memory.map(|limit| {
            let room = limit.0.saturating_sub(self.memory_idle.0);
            u32::try_from(room / self.memory_per_request.0.max(1) + 1).unwrap_or(u32::MAX)
        });
        self.at_in_flight.unwrap_or(u32::MAX).min(by_memory.unwrap_or(u32::MAX))
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
            return CallSpec::decode(node, cx).map(|call| Step { parallel: false, calls: vec![call] });
        }
        let mut items = cx.items(node, &["calls"])?;
        cx.item(&mut items, Some(&NOT_EMPTY)).map(|calls| Step { parallel: true, calls })
    }

    fn encode(&self) -> Node {
        match self.parallel {
            true => Node::tuple("Parallel", [self.calls.encode()]),
            false => self.calls[0].encode(),
        }
    }

    fn describe() -> TypeDoc {
        CallSpec::describe()
    }
}

impl Decode for Capacity {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        if node.name() == Some("Unbounded") {
            return cx.bare(node).map(|()| Capacity::Unbounded);
        }
        if !node.is_number() {
            return cx.expected(node, "a number of places, or the word Unbounded");
        }
        cx.checked(node, Some(&(0..=100_000_000))).map(Capacity::Bounded)
    }

    fn encode(&self) -> Node {
        match self {
            Capacity::Bounded(places) => places.encode(),
            Capacity::Unbounded => Node::word("Unbounded"),
        }
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("number of places or Unbounded", "100")
    }
}

/// Units of memory and their bytes.
const BYTE_UNITS: [(&str, u64); 8] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl Decode for ByteSize {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let Some(text) = node.as_text() else {
            return cx.expected(node, "an amount of memory such as \"512MiB\"");
        };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = BYTE_UNITS.iter().find(|(name, _)| *name == unit.trim());
        let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(n, (_, bytes))| n.checked_mul(*bytes));
        if bytes.is_none() {
            let units: Vec<_> = BYTE_UNITS.iter().map(|(name, _)| *name).collect();
            cx.error(node.span, format!("not an amount of memory: {}", node.found()))
                .help(format!("write a whole number and one of {}, as in \"512MiB\"", units.join(", ")));
        }
        bytes.map(ByteSize)
    }

    fn encode(&self) -> Node {
        let fits = |(_, bytes): &&(&str, u64)| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        let (unit, bytes) = BYTE_UNITS.iter().rev().find(fits).unwrap_or(&BYTE_UNITS[0]);
        Node::text(format!("{}{unit}", self.0 / bytes))
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("amount of memory", "\"512MiB\"")
    }
}
