//! What the graph is made of while it runs: edges with their clients, services with their replicas.

use super::carriage::{Carriage, Classes};
use super::control::Control;
use super::control::block_and_ramp::Door;
use super::control::brownout::Dimmer;
use super::control::check::Asks;
use super::control::discovery::{Directories, Found};
use super::control::flags;
use super::control::membership::Membership;
use super::control::protocol::Dialect;
use super::control::repair::OpenEnd;
use super::control::start_up::Warming;
use super::control::versions::Versions;
use super::crossing::Crossing;
pub use super::flight::*;
use super::fruit::Fruits;
use super::plan::Caller;
use super::roster::{Roster, Standings};
use super::service::cache::Caches;
use super::service::callback::{Callbacks, DueId, Leg, WaitId};
use super::service::cold_start::Instances;
use super::service::execution_limit::Limited;
use super::service::fallback::{Degraded, StandIn};
use super::service::free::NumberSet;
use super::service::greeting::Greetings;
pub use super::service::idempotency::{Book, Deeds};
use super::service::line::Line;
use super::service::memory_leak::Leaking;
use super::service::on_cancel::OnCancel;
use super::service::on_write::Written;
use super::service::per_replica::Figures;
use super::service::queue::Common;
use super::service::queue_bytes::Weights;
use super::service::quorum::Votes;
use super::service::record::Ledger;
use super::service::sharing::Sharing;
use super::service::shed::Shedding;
use super::service::stop_the_world::Frozen;
use super::service::thermal::Heating;
use super::service::times::Times;
use super::service::told::Told;
use super::service::with_flags::Reads;
use super::slab::{Beside, Slab};
use super::stats::{EdgeStats, ServiceStats};
use super::visits::{Visit, VisitId, Visits};
use crate::fault::{ActiveSet, CrashStyle, Effect, OnReplica, Picked, Reach, Rhythm, Source};
use crate::network::{Link, Way};
use crate::policy::Patience;
use crate::policy::Policy;
use crate::policy::guards::{Alike, Connected, Dial, Gates, Guards, Lease, Shared, Step, View, Watch};
use crate::policy::retry::RetryPlan;
use crate::policy::retry_host::Tried;
use crate::report::Section;
use crate::theory::Usl;
use crate::workload::Only;
use crate::workload::Schedule;
use sim_core::sampler::Distribution;
use sim_core::stats::TimeIntegral;
use sim_core::{Context, Key, Luck, SimDuration, SimTime, Timer};
use std::collections::VecDeque;
use std::sync::Arc;

/// The engine, as the handlers of a graph see it.
pub type Ctx = Context<Event>;

/// A service graph in motion. See the module docs for who does what.
#[derive(Clone)]
pub struct Graph<L> {
    pub workloads: Vec<Workload>,
    pub edges: Vec<Edge>,
    /// The clients of each edge. Call sites with the same target and policy share those of the first.
    pub clients: Vec<Clients>,
    pub services: Vec<Service>,
    pub faults: Vec<Fault>,
    /// What makes some of them begin and end at random.
    pub sources: Vec<Source>,
    /// Who looks at services while they run.
    pub controls: Vec<Control>,
    pub calls: Slab<Call>,
    pub attempts: Slab<Attempt>,
    /// Where calls and attempts stand in the lists of replicas that can die.
    pub call_standings: Standings,
    pub attempt_standings: Standings,
    /// Requests whose calls of one step have all ended: to be moved on before the event is over. A list
    /// instead of recursion, so that no input can exhaust the stack.
    pub ready: Vec<AttemptId>,
    /// Who was let in from a line, or can be: to be sent before the event is over.
    pub admitted: VecDeque<Admitted>,
    /// The calls that are out for each request of those that may be called off with all that they do, by its place.
    pub calls_of: Vec<Roster<Call>>,
    /// Where calls stand in these lists.
    pub sibling_standings: Standings,
    /// When each call joined the line that it stands in.
    pub joined_at: Beside<SimTime>,
    /// Until when each call may go on that ends with the request that makes it.
    pub inherited: Beside<SimTime>,
    /// Until when each attempt is waited for, of those whose service makes such calls.
    pub wanted_until: Beside<SimTime>,
    /// Whom each call has tried, of those that then try somebody else.
    pub tried: Beside<Tried>,
    /// When each attempt was sent, of those whose client wants to know how long they take.
    pub sent_at: Beside<SimTime>,
    /// What each attempt is sent over that needs a connection, until that is given back.
    pub held: Beside<Option<Held>>,
    /// Whether each attempt left its zone, of those that may have.
    pub crossed: Beside<bool>,
    /// What calls and attempts carry, where anything is carried.
    pub carriage: Carriage,
    /// When each request came to its replica, of those whose replicas are told apart.
    pub arrived_at: Beside<SimTime>,
    /// Whether something stood in for a part of what each attempt will be answered, where that may be.
    pub degraded: Beside<bool>,
    /// What was done for each call, where somebody counts that.
    pub book: Book,
    /// Some service keeps answers.
    pub keeps: bool,
    /// Requests that wait for a callback, and what calls them back.
    pub callbacks: Callbacks,
    /// Users who may make more than one call, from their first load to their last.
    pub visits: Slab<Visit>,
    /// The truth about every key, where a store of record is.
    pub ledger: Option<Box<Ledger>>,
    /// What came back of the work behind each request.
    pub fruits: Fruits,
    /// Calls that begin from here on are measured.
    pub measured_from: SimTime,
    /// The stretch of the run that it is in: see [`Call::stretch`].
    pub stretch: u8,
    /// What must be over before the third begins, if that is not known before.
    pub open_end: Option<Box<OpenEnd>>,
    /// When the second and the third begin, if they are told apart.
    pub next_stretches: Vec<SimTime>,
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
    /// The same of one that shares what there is with all others of its replica: the next of them to be done.
    ShareDone { attempt: AttemptId },
    /// A request makes its next calls, now that all that ends at this instant has ended.
    Proceed { attempt: AttemptId },
    /// An answer reaches its caller.
    Reply { attempt: AttemptId },
    /// A cancellation reaches the callee.
    Cancel { attempt: AttemptId },
    /// A replica hears that a request that is tied to one of its own was begun with.
    Begun { attempt: AttemptId },
    /// An attempt has run out of time, or its call has.
    AttemptTimer { attempt: AttemptId },
    /// A user who was not served comes again, or one who was makes his next call.
    Reload { visit: VisitId },
    /// What a call waited for has come, or its deadline came first; its [`Phase`] says what that was.
    CallTimer { call: CallId },
    /// A callee calls back.
    CallsBack { due: DueId },
    /// A request has waited long enough for a callback.
    NotCalledBack { wait: WaitId },
    /// A fault begins.
    FaultBegins { fault: u32 },
    /// A fault ends.
    FaultEnds { fault: u32 },
    /// One that builds up has more of its strength; or it is drawn anew who is down.
    FaultGrows { fault: u32 },
    /// A replica that died of its load is back.
    Restart { service: u32, replica: u32 },
    /// Whoever looks at a service looks at one of its replicas.
    Look { control: u32, of: u32 },
    /// A connection is due to be looked at. Which list it is in of all that there are: two words, as all the others have.
    Connection { list: u32, slot: u32 },
}

// 12 bytes keep a queue entry within its 40.
const _: () = assert!(size_of::<Event>() <= 12);

#[derive(Clone)]
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
    /// Of users who come for more than one call.
    pub visits: Option<Box<Visits>>,
}

#[derive(Clone)]
pub struct Edge {
    pub name: String,
    pub path: u64,
    pub caller: Caller,
    pub callee: u32,
    /// Its calls are listed with the replica that makes them, which can die.
    pub listed: bool,
    /// Its calls are listed with the request that makes them, which may be called off, or go on without them.
    pub stopped: bool,
    /// Its calls are made by a service that answers writes before it passes them on, and hears what may have come of each.
    pub passes_on: bool,
    pub policy: Policy,
    pub retry: RetryPlan,
    /// Replicas that the caller chooses among; one where there is nothing to choose.
    pub view: View,
    /// What its clients must be asked and told.
    pub gates: Gates,
    /// The edge whose clients make the calls.
    pub clients: u32,
    pub link: Link<Message>,
    /// The service that it calls makes calls that end when nobody waits for their request, or counts what it does for each call; or
    /// callbacks have to do with it.
    pub tells: bool,
    /// The second of these.
    pub counts: bool,
    /// Its callee calls back, or it is what that is done over.
    pub callback: Option<Leg>,
    /// Its callers give up: what is sent over it may run out of time.
    pub limited: bool,
    /// Its calls have a deadline, of their own or of the request that makes them.
    pub has_deadlines: bool,
    pub patience: Patience,
    pub jitter: Luck,
    pub pick: Luck,
    /// Where its guards draw, if they do.
    pub gate: Option<Luck>,
    pub stats: EdgeStats,
    /// What stands in for calls of it that fail, if anything does.
    pub fallback: Option<Box<StandIn>>,
    /// What comes over it may be made of that.
    pub degrades: Option<Box<Degraded>>,
    /// Good answers over it may say which version of their key they are.
    pub says_versions: bool,
    /// Its calls only say that a key has changed.
    pub purges: bool,
    /// What leaves its zone, if anything may.
    pub crossing: Option<Box<Crossing>>,
    /// By what lists its callers choose, if they do not know whom it leads to anyway.
    pub found: Option<Found>,
    /// What the calls of its users carry, if they carry anything, and what becomes of them by that.
    pub classes: Option<Box<Classes>>,
}

/// Those who make the calls of an edge.
#[derive(Clone)]
pub struct Clients {
    /// What each remembers; empty if there is nothing to remember.
    pub guards: Vec<Guards>,
    /// Whom each has last heard of; empty where all know.
    pub heard: Vec<View>,
    /// What they have alike.
    pub alike: Alike,
    /// What they remember together, [lent](Guards::lend) to whoever is asked or told something.
    pub shared: Option<Shared>,
    /// What their policies measure.
    pub watch: Watch,
    /// The calls of each that stand in line, first come first, and some that have left it; empty where nobody does.
    pub lines: Vec<VecDeque<CallId>>,
    /// Of each the connections that it keeps apart, by where they lead to; empty where nobody needs any.
    pub connecting: Vec<Connecting>,
    /// How many such lists the clients of the edges before have.
    pub lists_before: u32,
    /// What opens them.
    pub dial: Option<Dial>,
}

/// The connections of one client to one replica, or to all, as the engine sees them.
#[derive(Clone, Default)]
pub struct Connecting {
    /// The attempts that wait for one, first come first, and some that have left.
    pub line: VecDeque<AttemptId>,
    pub slots: Vec<Connection>,
    /// How many have been opened, or were to be.
    pub begun: u64,
    /// How many there were when that was last looked at.
    pub counts: Connected,
}

/// One of them, or a place where one was.
#[derive(Clone)]
pub struct Connection {
    /// Where its luck is drawn.
    pub key: Key,
    /// When it will be looked at.
    pub timer: Option<(SimTime, Timer)>,
}

/// Which connections: of one client of an edge.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The edge whose clients keep them.
    pub clients: u32,
    pub client: u32,
    /// Which of the client's.
    pub of: u32,
}

/// A connection that an attempt has.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub group: Group,
    pub lease: Lease,
    /// The attempt's.
    pub key: Key,
}

/// What is left to do before an event is over.
#[derive(Clone, Copy, Debug)]
pub enum Admitted {
    /// A call was let in.
    Call(CallId),
    /// Some who wait for a connection can have one.
    Line(Group),
    /// A connection over which no answer will come any more is closed.
    HungUp(Held),
    /// A request that was turned away when its turn came is rejected.
    TurnedAway(AttemptId),
    /// A request does not wait for the rest of its calls.
    Decided(AttemptId),
    /// A replica that may be leaving has nothing left to do.
    IsDone { service: u32, replica: u32 },
    /// A replica has failed a probe of this control too often.
    Failed { control: u32, replica: u32 },
    /// A replica of a service that calls itself has more in hand than it survives.
    Overwhelmed { service: u32, replica: u32 },
    /// Whoever changes versions has something to go on with.
    RollsOn { control: u32 },
}

/// What goes over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    Request(AttemptId),
    Reply(AttemptId),
    Cancel(AttemptId),
    /// Another that this one is tied to was begun with.
    Begun(AttemptId),
}

impl Message {
    /// The attempt that it is about.
    pub fn whose(self) -> AttemptId {
        let (Message::Request(id) | Message::Reply(id) | Message::Cancel(id) | Message::Begun(id)) = self;
        id
    }

    /// Where the luck of its way to another zone is drawn, of an attempt of this key: of each its own.
    pub fn way(self, key: Key) -> (Key, Way) {
        match self {
            Message::Request(_) => (key, Way::Out),
            Message::Reply(_) => (key, Way::Back),
            Message::Cancel(_) => (key.child(1), Way::Out),
            Message::Begun(_) => (key.child(2), Way::Out),
        }
    }
}

#[derive(Clone)]
pub struct Service {
    pub name: String,
    pub path: u64,
    pub replicas: Vec<Replica>,
    pub workers: u32,
    /// Those of them who take whoever comes and finds one free: all, or none where somebody looks at whoever comes.
    pub unasked: u32,
    /// As many can do as much as they would alone: all, unless they share what there is.
    pub cores: u32,
    pub blocking: bool,
    /// One queue per replica, or one for all of them.
    pub lines: Vec<Line<AttemptId>>,
    pub queue: Common,
    pub on_cancel: OnCancel,
    /// What its refusals tell their callers to wait.
    pub told: Option<Told>,
    pub work: Distribution,
    pub work_luck: Luck,
    /// What busy workers cost each other, if they do.
    pub scaling: Option<Usl>,
    pub error_rate: f64,
    pub error_luck: Luck,
    pub steps: Vec<StepPlan>,
    /// The edges of its calls.
    pub edges: std::ops::Range<usize>,
    /// The edges whose clients keep connections to its replicas.
    pub connected: Vec<u32>,
    /// What it has to do for new connections, if anything.
    pub greetings: Greetings,
    /// Work is not always what was drawn for it, or is shared: it is stretched, or greets, or a fault has been upon some of it.
    pub varies: bool,
    /// Its replicas can die: they list what they have in hand.
    pub mortal: bool,
    /// One of its calls leads to itself.
    pub calls_itself: bool,
    /// Behind a shared queue: replicas that are up, and those of them with a free worker.
    pub up: NumberSet,
    pub free: NumberSet,
    /// Requests in hand that a replica does not survive.
    pub fatal_in_hand: Option<u32>,
    pub restart_after: SimDuration,
    pub death_style: CrashStyle,
    /// Something is to be done when work on a request begins.
    pub at_begin: bool,
    /// Something is to be done when a request comes, and when it is done with: its replicas can die, or are told apart.
    pub attended: bool,
    /// Which of its replicas may be chosen, if they come and go, and how warm they are, if they start cold.
    pub membership: Option<Box<Membership>>,
    pub warming: Option<Box<Warming>>,
    /// Where it is found, and where its replicas look for others, if not all are known anyway.
    pub directories: Option<Box<Directories>>,
    /// Which control makes the calls that its replicas make by themselves, if they make any.
    pub starter: Option<u32>,
    /// What those ask of it who check it, by their edges.
    pub checks: Box<[(u16, Asks)]>,
    /// What requests meet before they come to a replica, if it is ever shut.
    pub door: Option<Box<Door>>,
    /// What its replicas speak and understand, where that differs anywhere.
    pub dialect: Option<Box<Dialect>>,
    /// What it does less of under load, if it does.
    pub dimmer: Option<Box<Dimmer>>,
    /// What each of its replicas did, if they are told apart.
    pub per_replica: Option<Box<Figures>>,
    /// How long its requests took, if somebody looks at that.
    pub times: Option<Box<Times>>,
    /// Which version each of its replicas runs, and what those did, if another comes.
    pub versions: Option<Box<Versions>>,
    /// On which of them what is switched on acts, and what those did, if anything is.
    pub flagged: Option<Box<Versions>>,
    /// What it makes of the flags that requests have, if it reads any.
    pub reads: Option<Box<Reads>>,
    /// What it does for each call, if it is counted, and how much longer each request takes because it is looked up.
    pub deeds: Option<Box<Deeds>>,
    pub lookup: SimDuration,
    /// What its replicas keep of answers, if they do.
    pub caches: Option<Box<Caches>>,
    /// What it knows of writes, if it keeps answers.
    pub written: Option<Box<Written>>,
    /// Something is to be noted when the work on a request is done: what it was, whom a callback finds, or what is kept of its key.
    pub notes: bool,
    /// The work of callbacks, of those that have one of their own, by edge.
    pub called_back: Vec<(u16, Distribution)>,
    /// What its requests weigh, if somebody looks at that.
    pub weights: Option<Box<Weights>>,
    /// Who is next is looked at again: it may have been given up, or is weighed.
    pub looks_again: bool,
    /// Its workers, if they come and go.
    pub instances: Option<Box<Instances>>,
    /// How long the execution of each request may take, if that is limited.
    pub limited: Option<Box<Limited>>,
    /// What its replicas lose, if they lose anything.
    pub leaking: Option<Box<Leaking>>,
    /// How hot they are, if that is said.
    pub heating: Option<Box<Heating>>,
    /// What makes its replicas stand still, if anything does.
    pub frozen: Option<Box<Frozen>>,
    /// Whom it turned away though they had a place, if it may.
    pub shedding: Option<Shedding>,
    pub stats: ServiceStats,
}

#[derive(Clone)]
pub struct StepPlan {
    pub parallel: bool,
    /// So many good answers are enough; 0 if all are needed.
    pub wait_for: u16,
    pub votes: Votes,
    pub sites: Vec<Site>,
}

/// A call site.
#[derive(Clone)]
pub struct Site {
    pub number: u64,
    pub edge: u32,
    pub probability: f64,
    pub times: u32,
    pub stake: Stake,
    /// Which workloads' requests make this call; empty means all.
    /// Not all requests make it: who does is asked.
    pub asks: bool,
    pub only_from: Vec<u16>,
    /// Which requests make it at all, if not all of them.
    pub only: Option<Only>,
    pub only_flagged: Option<flags::Only>,
    pub luck: Luck,
}

#[derive(Clone)]
pub struct Replica {
    /// Crash faults upon it, and one more while it is dead of its own load.
    pub down: u32,
    /// Derived from what keeps it down: callers notice nothing.
    pub silent: bool,
    pub faults: ActiveSet,
    /// Derived from `faults`.
    pub state: OnReplica,
    /// The share of its work that ends in an error, by these and by itself.
    pub fails: f64,
    /// Waiting or in progress.
    pub in_hand: u32,
    /// Of a replica that can die: requests in progress, and the calls that they make.
    pub at_work: Roster<Attempt>,
    pub calling: Roster<Call>,
    pub busy: TimeIntegral,
    /// What is at work, if all share what there is.
    pub sharing: Option<Box<Sharing>>,
    /// Times for which workers were held, request by request, for the utilisation law, in nanoseconds.
    pub held: u128,
}

/// A fault with its targets resolved.
#[derive(Clone)]
pub struct Fault {
    /// Hash of what it is on.
    pub path: u64,
    pub rhythm: Rhythm,
    pub flaps: bool,
    /// When it last came.
    pub begun: SimTime,
    pub effect: Effect,
    pub targets: Vec<Target>,
    /// Which replicas it strikes, where others may have taken their places: their numbers among those that are there when it begins.
    pub numbers: Option<Box<[u32]>>,
    /// If it begins and ends at random: by which source, and which of its numbers it is.
    pub random: Option<(u32, u32)>,
    /// Where that is drawn for all of a source at once: whether it is there.
    pub drawn_down: bool,
    /// Somebody sets it off when he sees something: no time is known before.
    pub is_set_off: bool,
    /// Which control begins to repair it when it is there.
    pub repair: Option<u32>,
    /// Which requests of those whom it strikes, if not all.
    pub requests: Option<Arc<Picked>>,
}

/// What one fault strikes.
#[derive(Clone)]
pub enum Target {
    /// These replicas of a service, in order.
    Replicas { service: u32, replicas: Vec<u32> },
    /// The links of these edges, in order, and which of their messages.
    Edges(Vec<(u32, Reach)>),
}

impl Service {
    /// Which queue a request for `replica` waits in.
    #[inline]
    pub fn line_of(&self, replica: u32) -> usize {
        if self.queue.shared { 0 } else { replica as usize }
    }

    /// Replicas that are there from the beginning: all, unless there is room for more.
    pub fn begins_with(&self) -> u32 {
        self.membership.as_ref().map_or(self.replicas.len() as u32, |it| it.begins_with)
    }
}

impl Edge {
    /// When a call over it is given up.
    #[inline(always)]
    pub fn end_of(&mut self, id: CallId, call: &Call, inherited: &Beside<SimTime>) -> SimTime {
        if !self.has_deadlines {
            return SimTime::MAX;
        }
        let end = self.patience.end(call.started, call.key);
        if self.gates.has(Gates::INHERITS) { end.min(*inherited.of(id)) } else { end }
    }

    /// Whether anybody must hear of each of its calls when it ends, or find it.
    pub fn is_listed(&self) -> bool {
        let hears = self.fallback.as_ref().is_some_and(|it| it.hears());
        let asks = matches!(self.callback, Some(Leg::Asks(_)));
        self.listed
            || self.stopped
            || self.passes_on
            || self.degrades.is_some()
            || self.says_versions
            || hears
            || asks
    }

    /// From here on its callers do about failures what those of another do.
    pub fn take_policy(&mut self, other: Edge) {
        (self.retry, self.policy) = (other.retry, other.policy);
    }
}

impl Clients {
    /// One that crashed has forgotten what its policies knew of `edge`.
    pub fn reset(&mut self, client: u32, edge: &mut Edge, ctx: &mut Ctx) {
        let mut words = edge.pick.at(Key::root(edge.path, u64::from(client)));
        edge.fallback.iter_mut().for_each(|it| it.forget(client));
        if let Some(guards) = self.guards.get_mut(client as usize) {
            self.watch.forgotten(ctx.now(), guards);
            let limit = guards.limit();
            let view = self.heard.get(client as usize).unwrap_or(&edge.view);
            let new = Guards::new(&edge.policy, view, client, &self.alike, &mut words);
            let forgotten = std::mem::replace(guards, new);
            guards.succeed(&forgotten);
            self.watch.limit_moved(limit, guards);
            self.disconnect(client, ctx);
        }
    }

    /// Measurement begins: what was before is not counted.
    pub fn begin(&mut self) {
        self.watch.begin();
        self.shared.iter_mut().for_each(Shared::begin);
    }

    /// What was measured of them, once.
    pub fn sections(&mut self, at: &str) -> Vec<Section> {
        let watch = std::mem::take(&mut self.watch);
        watch.sections(at, &self.guards, self.shared.as_ref(), self.alike.choices())
    }

    /// Lends what all share to one of them, or takes it back.
    #[cold]
    pub fn lend(&mut self, client: u32) {
        if let Some(shared) = &mut self.shared {
            self.guards[client as usize].lend(shared);
        }
    }

    /// What one of them has learnt while it was asked.
    #[cold]
    pub fn note_untold(&mut self, client: u32, now: SimTime) {
        while let Some(step) = self.guards[client as usize].untold_step() {
            self.watch.stepped(now, client, step);
        }
        self.watch.looked(now, client, &mut self.guards[client as usize]);
    }

    /// One of them has learnt something.
    #[inline(always)]
    pub fn note_step(&mut self, client: u32, step: Option<Step>, now: SimTime) {
        let Some(step) = step else { return };
        self.watch.stepped(now, client, step);
    }
}
