//! What the graph is made of while it runs: edges with their clients, services with their replicas,
//! calls and attempts in flight.

use super::plan::Caller;
use super::roster::{Roster, Standings};
use super::service::free::NumberSet;
use super::service::line::Line;
use super::service::queue::Common;
use super::slab::{Id, Link as Short, Slab};
use super::stats::{EdgeStats, ServiceStats};
use crate::fault::{ActiveSet, CrashStyle, Effect, OnReplica};
use crate::network::Link;
use crate::policy::Patience;
use crate::policy::balancer::View;
use crate::policy::guards::{Gates, Guards, Permit};
use crate::policy::retry::RetryPlan;
use crate::policy::{Outcome, Policy};
use crate::theory::Usl;
use crate::workload::Schedule;
use sim_core::sampler::Distribution;
use sim_core::stats::TimeIntegral;
use sim_core::{Context, Key, Luck, SimDuration, SimTime, Timer};

/// The engine, as the handlers of a graph see it.
pub type Ctx = Context<Event>;

pub type CallId = Id<Call>;
pub type AttemptId = Id<Attempt>;

/// A service graph in motion. See the module docs for who does what.
pub struct Graph<L> {
    pub workloads: Vec<Workload>,
    pub edges: Vec<Edge>,
    pub services: Vec<Service>,
    pub faults: Vec<Fault>,
    pub calls: Slab<Call>,
    pub attempts: Slab<Attempt>,
    /// Where calls and attempts stand in the lists of replicas that can die.
    pub call_standings: Standings,
    pub attempt_standings: Standings,
    /// Requests whose calls of one step have all ended: to be moved on before the event is over. A list
    /// instead of recursion, so that no input can exhaust the stack.
    pub ready: Vec<AttemptId>,
    /// Calls that begin from here on are measured.
    pub measured_from: SimTime,
    /// The most calls, and the most requests: a request whose caller has given up may wait on.
    pub max_in_flight: u64,
    /// Whoever follows single calls.
    pub listener: L,
}

/// Everything that can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next call of an open workload.
    Arrival { workload: u32 },
    /// A closed-loop user has thought enough.
    Thought { workload: u32, user: u32 },
    /// A request reaches its replica.
    Deliver { attempt: AttemptId },
    /// A worker has done a request's own work.
    WorkDone { attempt: AttemptId },
    /// An answer reaches its caller.
    Reply { attempt: AttemptId },
    /// An attempt has run out of time, or its call has.
    AttemptTimer { attempt: AttemptId },
    /// What a call waited for has come, or its deadline came first; its [`Phase`] says what that was.
    CallTimer { call: CallId },
    /// A fault begins.
    FaultBegins { fault: u32 },
    /// A fault ends.
    FaultEnds { fault: u32 },
    /// A replica that died of its load is back.
    Restart { service: u32, replica: u32 },
}

// 12 bytes keep a queue entry within its 40.
const _: () = assert!(size_of::<Event>() <= 12);

pub struct Workload {
    pub name: String,
    pub path: u64,
    pub edge: u32,
    pub clients: u32,
    /// Calls made so far: the next ordinal.
    pub calls: u64,
    /// The key of the next arrival.
    pub next_key: Key,
    pub arrivals: Luck,
    pub spread: Luck,
    /// `None` for a closed loop.
    pub schedule: Option<Schedule>,
    pub users: Vec<u64>,
    pub think: Option<(Distribution, Luck)>,
}

pub struct Edge {
    pub name: String,
    pub path: u64,
    pub caller: Caller,
    pub callee: u32,
    /// Its calls are listed with the replica that makes them, which can die.
    pub listed: bool,
    pub policy: Policy,
    pub retry: RetryPlan,
    /// Replicas that the caller chooses among; one where there is nothing to choose.
    pub view: View,
    /// What its clients must be asked and told.
    pub gates: Gates,
    /// What each client remembers; empty if there is nothing to remember.
    pub clients: Vec<Guards>,
    pub link: Link<Message>,
    /// Its callers give up: what is sent over it may run out of time.
    pub limited: bool,
    pub patience: Patience,
    pub jitter: Luck,
    pub pick: Luck,
    pub stats: EdgeStats,
}

/// What goes over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    Request(AttemptId),
    Reply(AttemptId),
}

pub struct Service {
    pub name: String,
    pub path: u64,
    pub replicas: Vec<Replica>,
    pub workers: u32,
    pub blocking: bool,
    /// One queue per replica, or one for all of them.
    pub lines: Vec<Line<AttemptId>>,
    pub queue: Common,
    pub work: Distribution,
    pub work_luck: Luck,
    /// What busy workers cost each other, if they do.
    pub scaling: Option<Usl>,
    pub error_rate: f64,
    pub error_luck: Luck,
    pub steps: Vec<StepPlan>,
    /// The edges of its calls.
    pub edges: std::ops::Range<usize>,
    /// Its replicas can die: they list what they have in hand.
    pub mortal: bool,
    /// Behind a shared queue: replicas that are up, and those of them with a free worker.
    pub up: NumberSet,
    pub free: NumberSet,
    /// Requests in hand that a replica does not survive.
    pub fatal_in_hand: Option<u32>,
    pub restart_after: SimDuration,
    pub death_style: CrashStyle,
    pub stats: ServiceStats,
}

pub struct StepPlan {
    pub parallel: bool,
    pub sites: Vec<Site>,
}

/// A call site.
pub struct Site {
    pub number: u64,
    pub edge: u32,
    pub probability: f64,
    pub times: u32,
    pub optional: bool,
    /// Which workloads' requests make this call; empty means all.
    pub only_from: Vec<u16>,
    pub luck: Luck,
}

pub struct Replica {
    /// Crash faults upon it, and one more while it is dead of its own load.
    pub down: u32,
    /// Derived from what keeps it down: callers notice nothing.
    pub silent: bool,
    pub faults: ActiveSet,
    /// Derived from `faults`.
    pub state: OnReplica,
    /// Waiting or in progress.
    pub in_hand: u32,
    /// Of a replica that can die: requests in progress, and the calls that they make.
    pub at_work: Roster<Attempt>,
    pub calling: Roster<Call>,
    pub busy: TimeIntegral,
    /// Times for which workers were held, request by request, for the utilisation law, in nanoseconds.
    pub held: u128,
}

/// A fault with its targets resolved.
pub struct Fault {
    /// Hash of what it is on.
    pub path: u64,
    pub from: SimTime,
    /// `None` lasts until the end of the run.
    pub to: Option<SimTime>,
    pub effect: Effect,
    pub target: Target,
}

/// What one fault strikes.
pub enum Target {
    /// These replicas of a service, in order.
    Replicas { service: u32, replicas: Vec<u32> },
    /// The links of these edges, in order.
    Edges(Vec<u32>),
}

impl Default for Target {
    fn default() -> Self {
        Target::Edges(Vec::new())
    }
}

/// What can be derived is not kept: its deadline ([`Edge::deadline`]), whether it is measured
/// ([`Graph::measures`]).
pub struct Call {
    pub key: Key,
    pub started: SimTime,
    pub parent: Parent,
    pub edge: u16,
    pub client: u32,
    /// Tries so far, those that were refused before they were sent included.
    pub tries: u16,
    /// Attempts sent so far.
    pub sent: u16,
    pub previous_delay: SimDuration,
    pub phase: Phase,
    /// One at a time, whatever it is for: see [`Phase`].
    pub timer: Option<Timer>,
    /// The last of the attempts that are out; each knows the one before it.
    pub live: Option<Short<Attempt>>,
    /// What it was let pass with, where whole calls are.
    pub permit: Option<Permit>,
}

/// What a call is about, and so what its timer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Attempts are out. No timer runs.
    Trying,
    /// None is, and the timer says when the next one begins.
    BackingOff,
}

/// Who waits for a call.
#[derive(Clone, Copy, Debug)]
pub enum Parent {
    /// Nobody but the statistics: an open-loop user.
    User,
    /// A closed-loop user, who goes on thinking when it ends.
    Loop { user: u32 },
    /// A request that is being served; whether it survives this call's failure.
    Request { attempt: AttemptId, optional: bool },
}

/// One try of a call: the caller's side and, once delivered, the request in the replica's hands. The
/// entry lives until both sides are done with it.
pub struct Attempt {
    pub key: Key,
    /// Its call, as long as it is awaited.
    pub call: Short<Call>,
    /// Of the attempts of its call that are out, the one that was sent before it.
    pub sibling: Option<Short<Attempt>>,
    pub edge: u16,
    /// The workload at the root of it all: the call may be gone before the attempt is.
    pub workload: u16,
    pub replica: u32,
    /// When it was sent, then when it arrived, then when work on it began.
    pub since: SimTime,
    /// Own work, once that is over.
    pub work: SimDuration,
    pub work_timer: Option<Timer>,
    pub timer: Option<Timer>,
    /// What it was let pass with, where attempts are.
    pub permit: Option<Permit>,
    /// Calls of the present step that are out.
    pub outstanding: u32,
    pub repetition: u16,
    pub step: u16,
    /// Which try of its call.
    pub number: u16,
    pub server: Server,
    pub marks: Marks,
}

/// What is or is not so of an attempt, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    /// The caller still waits.
    pub const AWAITED: Marks = Marks(1);
    /// The timer is that of the whole call, which ends before the attempt would.
    pub const UNTIL_CALL_ENDS: Marks = Marks(1 << 1);
    /// A required call failed.
    pub const FAILED: Marks = Marks(1 << 2);
    /// It arrived after the warm-up.
    pub const MEASURED: Marks = Marks(1 << 3);
    /// Another attempt of its call was out when this one was sent, or was sent while this one was out.
    pub const HAS_SIBLINGS: Marks = Marks(1 << 4);

    /// This one, if it is so.
    #[inline(always)]
    pub fn when(self, is_so: bool) -> Marks {
        if is_so { self } else { Marks(0) }
    }

    #[inline(always)]
    pub fn has(self, mark: Marks) -> bool {
        self.0 & mark.0 != 0
    }

    #[inline(always)]
    pub fn add(&mut self, marks: Marks) {
        self.0 |= marks.0;
    }

    #[inline(always)]
    pub fn lift(&mut self, mark: Marks) {
        self.0 &= !mark.0;
    }
}

impl Attempt {
    /// Whether the caller still waits.
    #[inline(always)]
    pub fn is_awaited(&self) -> bool {
        self.marks.has(Marks::AWAITED)
    }

    /// What the reply says that is on its way.
    #[inline(always)]
    pub fn answer(&self) -> Outcome {
        match self.server {
            Server::Replying(answer) => answer,
            _ => Outcome::InFlight,
        }
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// On its way there.
    Sent,
    Queued,
    Working,
    /// Its own work is done, calls are out.
    Waiting,
    /// This answer is on its way back.
    Replying(Outcome),
    /// Answered, lost or swallowed.
    Gone,
}

// With eight more for each place, a call in flight and its attempt take 152 bytes.
const _: () = assert!(size_of::<Call>() <= 64 && size_of::<Attempt>() <= 72);

impl<L> Graph<L> {
    /// Whether calls that began then are measured: those after the warm-up.
    #[inline]
    pub fn measures(&self, started: SimTime) -> bool {
        started >= self.measured_from
    }
}

impl Service {
    /// Which queue a request for `replica` waits in.
    #[inline]
    pub fn line_of(&self, replica: u32) -> usize {
        if self.queue.shared { 0 } else { replica as usize }
    }
}

impl Edge {
    /// A client that crashed has forgotten what its policies knew.
    pub fn reset_client(&mut self, client: u32) {
        let mut words = self.pick.at(Key::root(self.path, u64::from(client)));
        if let Some(guards) = self.clients.get_mut(client as usize) {
            self.stats.watch.forgotten(guards);
            *guards = Guards::new(&self.policy, &self.view, &mut words);
        }
    }
}
