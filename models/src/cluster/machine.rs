//! What happens in a cluster: letters arrive, processors and disks are done, timers ring, faults strike, clients wait.

use super::clients::Clients;
use super::fault::Target;
use super::harm::Struck;
use super::node::{Held, Item, Place};
use super::protocol::{Answer, Node, Op, Protocol, Request, Say};
use super::tape::{self, Cause, Tape};
use super::truth::Truth;
use super::{ClusterSpec, kinds};
use crate::drive::{Drive, Mark};
use crate::fault::Way;
use crate::network::{Fate, Link, Parcel};
use crate::run::TrajectoryLine;
use crate::trace::{self, Chooser, Step, Tracing};
use crate::workload::Schedule;
use sim_core::{Class, Context, Key, Luck, Model, SimDuration, SimTime, StreamUse, Streams, Witness, digest};

/// Everything that can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A letter arrives.
    Arrives { slot: u32 },
    /// A node's processor is done with the first that waited.
    Worked { node: Node, life: u32 },
    /// A node's disk has made safe what it was at.
    Synced { node: Node, life: u32 },
    /// A node's timer rings.
    Rings { node: Node, timer: u8 },
    /// A node has come up.
    Up { node: Node, life: u32 },
    /// A node's disk is copied elsewhere.
    Keeps { node: Node },
    /// A node asks what time it is.
    AsksTime { node: Node },
    /// Its clock is right again, and goes as it does.
    Slewed { node: Node },
    /// A fault begins.
    Strikes { fault: u32 },
    /// It ends.
    Lifts { fault: u32 },
    /// The next client comes, or this one has thought.
    Comes { session: u32 },
    /// A client has waited long enough.
    Waited { op: Op, attempt: u32 },
}

const _: () = assert!(size_of::<Event>() <= 12);

pub type Ctx = Context<Event>;

/// What a letter says.
#[derive(Clone)]
pub enum Body<M> {
    Peer(M),
    Request(Request),
    Answer(Op, Answer),
}

/// A letter on its way, or waiting to be read.
#[derive(Clone)]
pub struct Letter<M> {
    /// Nodes have their numbers; clients have none.
    pub from: Option<Node>,
    pub to: Option<Node>,
    pub body: Body<M>,
    /// What it was written for, and where it is on the tape.
    pub cause: Cause,
    pub mark: tape::Mark,
}

/// Letters by their places, which are used again.
struct Letters<M> {
    all: Vec<Option<Letter<M>>>,
    free: Vec<u32>,
}

impl<M> Letters<M> {
    fn put(&mut self, letter: Letter<M>) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() as u32 - 1
        });
        self.all[slot as usize] = Some(letter);
        slot
    }

    fn take(&mut self, slot: u32) -> Letter<M> {
        self.free.push(slot);
        self.all[slot as usize].take().expect("a letter is read once")
    }
}

/// What operations of clients go over, where a trace asks for an edge.
pub const EDGE: &str = "clients->cluster";

/// What a letter says, in a few words.
fn told<P: Protocol>(body: &Body<P::Message>) -> String {
    match body {
        Body::Peer(message) => {
            let (what, term) = P::told(message);
            format!("{}, term {term}", P::MESSAGES[what])
        }
        Body::Request(Request { op, key, writes, .. }) => {
            format!("{} {op} of key {key}", if *writes { "write" } else { "read" })
        }
        Body::Answer(_, Answer::Done { found: Some(found), .. }) => format!("done: found write {found}"),
        Body::Answer(_, Answer::Done { found: None, .. }) => "done".into(),
        Body::Answer(_, Answer::Elsewhere(Some(node))) => format!("ask node {node}"),
        Body::Answer(_, Answer::Elsewhere(None)) => "nobody leads".into(),
    }
}

/// A time that takes so many times longer.
fn slower(time: SimDuration, factor: f64) -> SimDuration {
    if factor == 1.0 { time } else { SimDuration::drawn(time.as_nanos() as f64 * factor) }
}

/// A cluster as it runs.
pub struct Machine<'a, P: Protocol> {
    pub(super) spec: &'a ClusterSpec,
    pub(super) own: &'a P::Spec,
    pub(super) nodes: Vec<Place<P>>,
    /// A link for each way between two nodes: `from * n + to`.
    pub(super) wires: Vec<Link<u32>>,
    /// What went over each, for their luck.
    sent: Vec<u64>,
    letters: Letters<P::Message>,
    pub(super) faults: Vec<Struck>,
    pub(super) clients: Clients,
    pub(super) schedule: Option<Schedule>,
    pub(super) arrivals: Luck,
    pub(super) asks: Luck,
    pub(super) thinks: Luck,
    hops: Luck,
    pub(super) work: Luck,
    sync: Luck,
    pub(super) ntp: Luck,
    pub(super) come: u64,
    hopped: u64,
    pub(super) truth: Truth,
    pub(super) users: u64,
    /// Something has changed of which invariants speak.
    pub(super) changed: bool,
    /// What is being read was written for.
    pub(super) cause: Cause,
    pub(super) tape: Option<Box<Tape>>,
    pub(super) chooser: Option<Chooser>,
}

impl<'a, P: Protocol> Machine<'a, P> {
    pub fn new(spec: &'a ClusterSpec, own: &'a P::Spec, streams: &Streams) -> Self {
        let of = spec.nodes;
        let clock = |node: Node| spec.clocks.get(node as usize).cloned().unwrap_or_default();
        let nodes = (0..of).map(|me| Place::new(own, me, of, &clock(me), streams)).collect();
        let wire =
            |way: u32| Link::new(&spec.latency, &format!("node {}->node {}", way / of, way % of), streams);
        let faults = spec.faults.iter().map(|fault| Struck {
            target: Target::read(&fault.on, of).expect("checked"),
            nodes: Vec::new(),
            wires: Vec::new(),
        });
        let mut schedule = Schedule::new(&spec.clients.arrivals);
        if let Some(schedule) = &mut schedule {
            schedule.draws_from(|purpose| streams.luck(purpose, "clients"));
        }
        Machine {
            spec,
            own,
            nodes,
            wires: (0..of * of).map(wire).collect(),
            sent: vec![0; (of * of) as usize],
            letters: Letters { all: Vec::new(), free: Vec::new() },
            faults: faults.collect(),
            clients: Clients::new(spec.clients.sessions, of),
            schedule,
            arrivals: streams.luck("arrivals", "clients"),
            asks: streams.luck("asks", "clients"),
            thinks: streams.luck("think", "clients"),
            hops: streams.luck("hop", "clients"),
            work: streams.luck("work", "nodes"),
            sync: streams.luck("sync", "nodes"),
            ntp: streams.luck("ntp", "nodes"),
            come: 0,
            hopped: 0,
            truth: Truth::new(of),
            users: digest::hash_text("clients"),
            changed: false,
            cause: Cause::None,
            tape: None,
            chooser: None,
        }
    }

    /// Does what is asked of it about single operations.
    pub fn traces(&mut self, tracing: &Tracing, measured_from: SimTime) {
        match tracing {
            Tracing::Choose(selection) => {
                self.chooser = Some(Chooser::new(selection.clone(), std::iter::once(EDGE), measured_from));
            }
            Tracing::Follow(calls) => {
                let ops = calls.iter().map(|(_, call)| *call as Op);
                self.tape = Some(Box::new(Tape::of(ops)));
            }
        }
    }

    /// What is seen of a letter that is sent.
    fn records(&mut self, letter: &mut Letter<P::Message>, now: SimTime) {
        let Some(tape) = &mut self.tape else { return };
        let party = |end: Option<Node>| end.map_or(0, |node| node + 1);
        let (from, to) = (party(letter.from), Some(party(letter.to)));
        let body = &letter.body;
        let carries = |op: Op| match body {
            Body::Peer(message) => P::carries(message, op),
            Body::Request(request) => request.op == op,
            Body::Answer(of, _) => *of == op,
        };
        let step = || Step { from, to, what: told::<P>(body), at: now.as_nanos(), ..Step::default() };
        letter.mark = tape.step(letter.cause, carries, step);
    }

    /// A letter that nobody reads.
    pub(super) fn drops(&mut self, slot: u32, fate: trace::Fate, ctx: &Ctx) {
        let letter = self.letters.take(slot);
        if let Some(tape) = &mut self.tape {
            tape.came(letter.mark, fate, ctx.now());
        }
    }

    fn at(&mut self, node: Node) -> &mut Place<P> {
        &mut self.nodes[node as usize]
    }

    /// Sends a letter on its way.
    pub(super) fn sends(&mut self, mut letter: Letter<P::Message>, ctx: &mut Ctx) {
        self.truth.sends();
        self.records(&mut letter, ctx.now());
        let (from, to) = (letter.from, letter.to);
        match (from, to) {
            (Some(from), Some(to)) => {
                let slot = self.letters.put(letter);
                self.over_wire(from, to, slot, SimDuration::ZERO, ctx);
            }
            _ => {
                let op = match &letter.body {
                    Body::Request(request) => request.op,
                    Body::Answer(op, _) => *op,
                    Body::Peer(_) => unreachable!("nodes send that to nodes"),
                };
                self.hopped += 1;
                let hop =
                    self.spec.clients.latency.sample(&mut self.hops.at(Key::root(self.users, self.hopped)));
                let home = self
                    .clients
                    .of(op)
                    .map(|asking| asking.session)
                    .map(|session| self.clients.home(session));
                let node = from.or(to).expect("one end is a node");
                let slot = self.letters.put(letter);
                match home.filter(|home| self.spec.clients.beside && *home != node) {
                    Some(home) if to.is_some() => self.over_wire(home, node, slot, hop, ctx),
                    Some(home) => self.over_wire(node, home, slot, hop, ctx),
                    None => _ = ctx.schedule_in(hop, Event::Arrives { slot }),
                }
            }
        }
    }

    /// Sends the letter at a place over the link between two nodes, and further.
    fn over_wire(&mut self, from: Node, to: Node, slot: u32, further: SimDuration, ctx: &mut Ctx) {
        let wire = (from * self.spec.nodes + to) as usize;
        self.sent[wire] += 1;
        let key = Key::root(wire as u64, self.sent[wire]);
        let now = ctx.now();
        let parcel = || Parcel {
            key,
            way: Way::Out,
            client: None,
            bytes: 0,
            is_second: false,
            crosses: false,
            zones: None,
        };
        let link = &mut self.wires[wire];
        let fate = match link.send(now, key, Way::Out) {
            Fate::Struck => {
                let parcel = parcel();
                if link.comes_twice(&parcel) {
                    let again = self.letters.all[slot as usize].clone().expect("it is being sent");
                    let second = self.letters.put(again);
                    let fate = self.wires[wire].send_struck(now, &parcel.again());
                    self.meets(fate, wire, second, further, ctx);
                }
                self.wires[wire].send_struck(now, &parcel)
            }
            fate => fate,
        };
        self.meets(fate, wire, slot, further, ctx);
    }

    fn meets(&mut self, fate: Fate, wire: usize, slot: u32, further: SimDuration, ctx: &mut Ctx) {
        match fate {
            Fate::Now => _ = ctx.schedule_in(further, Event::Arrives { slot }),
            Fate::At(at) => _ = ctx.schedule_at(at + further, Event::Arrives { slot }),
            Fate::Held => self.wires[wire].hold(slot),
            Fate::Lost => {
                self.truth.loses();
                self.drops(slot, trace::Fate::Lost, ctx);
            }
            Fate::Apart(_) | Fate::Struck => {
                unreachable!("nodes stand in no zones, and what is struck was asked")
            }
        }
    }

    /// A node reads whatever waits, until its processor has something to do.
    pub(super) fn reads(&mut self, node: Node, ctx: &mut Ctx) {
        loop {
            let place = &mut self.nodes[node as usize];
            if place.busy || !place.runs() {
                return;
            }
            let Some(&item) = place.inbox.front() else { return };
            if let Item::Ring(timer, set) = item
                && place.alarms[timer as usize].set != set
            {
                place.inbox.pop_front();
                continue;
            }
            place.worked += 1;
            let key = Key::root(place.path, place.worked);
            let work = self.spec.node.work.sample(&mut self.work.at(key));
            let work = slower(work, place.slow);
            if !work.is_zero() {
                place.busy = true;
                let life = place.life;
                ctx.schedule(ctx.now() + work, Class::End, Event::Worked { node, life });
                return;
            }
            self.does_first(node, ctx);
        }
    }

    /// A node is done with the first that waited: its protocol hears of it.
    pub(super) fn does_first(&mut self, node: Node, ctx: &mut Ctx) {
        let now = ctx.now();
        let place = &mut self.nodes[node as usize];
        let Some(item) = place.inbox.pop_front() else { return };
        place.outbox.is_now(place.clock.says(now));
        self.cause = Cause::None;
        match item {
            Item::Start => place.state.on_start(&mut place.outbox),
            Item::Ring(timer, set) => {
                if place.alarms[timer as usize].set == set {
                    ctx.witness(kinds::RING, 0, 0, place.path, 0, timer.into());
                    place.state.on_timer(timer.into(), &mut place.outbox);
                }
            }
            Item::Letter(slot) => {
                let letter = self.letters.take(slot);
                self.cause = letter.cause;
                if let Some(tape) = &mut self.tape {
                    tape.came(letter.mark, trace::Fate::Read, now);
                }
                match letter.body {
                    Body::Peer(message) => {
                        let from = letter.from.expect("a node's");
                        let (what, term) = P::told(&message);
                        ctx.witness(kinds::MESSAGE, 0, what as u16, place.path, u64::from(from), term);
                        place.state.on_message(from, message, &mut place.outbox);
                    }
                    Body::Request(request) => {
                        ctx.witness(kinds::REQUEST, 0, 0, place.path, request.op.into(), request.key.into());
                        if place.stand.leads && self.truth.is_former(node, place.stand.term) {
                            self.truth.reached(super::explore::ASKED_A_FORMER);
                        }
                        place.state.on_request(request, &mut place.outbox);
                    }
                    Body::Answer(..) => unreachable!("clients read those"),
                }
            }
        }
        self.delivers(node, ctx);
    }

    /// What a protocol said is done.
    fn delivers(&mut self, node: Node, ctx: &mut Ctx) {
        let now = ctx.now();
        let place = &mut self.nodes[node as usize];
        self.changed |= !(place.outbox.writes.is_empty()
            && place.outbox.done.is_empty()
            && place.outbox.decided.is_empty());
        place.disk.write(&mut place.outbox.writes, self.spec.node.sync.mean().is_zero());
        let mut timers = std::mem::take(&mut place.outbox.timers);
        for (timer, after) in timers.drain(..) {
            let alarm = &mut place.alarms[timer];
            alarm.set += 1;
            if let Some(timer) = alarm.timer.take() {
                ctx.cancel(timer);
            }
            if let Some(after) = after {
                let at = now + place.clock.takes(after);
                alarm.timer =
                    Some(ctx.schedule(at, Class::Timeout, Event::Rings { node, timer: timer as u8 }));
            }
        }
        place.outbox.timers = timers;
        for (number, op) in place.outbox.done.drain(..) {
            self.truth.does(node, number, op);
        }
        for (number, op) in place.outbox.decided.drain(..) {
            self.truth.decides(node, number, op);
        }
        for (term, whom) in place.outbox.votes.drain(..) {
            self.truth.votes(node, place.life, term, whom);
        }
        place.outbox.marks.drain(..).for_each(|mark| self.truth.reached(mark));
        let stand = place.state.stand();
        if stand != place.stand {
            ctx.witness(kinds::STAND, 0, u16::from(stand.leads), place.path, 0, stand.term);
            self.truth.stands(node, place.stand, stand, now);
            let turns = (place.stand.role, place.stand.leads) != (stand.role, stand.leads);
            place.stand = stand;
            self.changed = true;
            if turns {
                self.cause = Cause::Turn;
                self.notes(Some(node), format!("{}, term {}", stand.role, stand.term), ctx);
            }
        }
        let cause = self.cause;
        let place = &mut self.nodes[node as usize];
        let mut early = std::mem::take(&mut place.outbox.early);
        early.drain(..).for_each(|say| self.says(node, say, cause, ctx));
        self.at(node).outbox.early = early;
        let place = &mut self.nodes[node as usize];
        let mut says = std::mem::take(&mut place.outbox.says);
        if place.disk.safe == place.disk.written {
            says.drain(..).for_each(|say| self.says(node, say, cause, ctx));
        } else {
            let after = place.disk.written;
            place.disk.held.extend(says.drain(..).map(|say| Held { after, say, cause }));
        }
        self.at(node).outbox.says = says;
        self.syncs(node, ctx);
    }

    /// A node's disk begins to make safe what is not.
    fn syncs(&mut self, node: Node, ctx: &mut Ctx) {
        let place = &mut self.nodes[node as usize];
        if place.disk.begins() {
            place.synced += 1;
            let key = Key::root(place.path, place.synced);
            let takes = self.spec.node.sync.sample(&mut self.sync.at(key));
            let takes = slower(takes, place.slow_disk);
            let life = place.life;
            ctx.schedule(ctx.now() + takes, Class::End, Event::Synced { node, life });
        }
    }

    fn says(&mut self, from: Node, say: Say<P::Message>, cause: Cause, ctx: &mut Ctx) {
        let (to, body) = match say {
            Say::To(to, message) => (Some(to), Body::Peer(message)),
            Say::Answer(op, answer) => (None, Body::Answer(op, answer)),
        };
        let letter = Letter { from: Some(from), to, body, cause, mark: None };
        self.sends(letter, ctx);
    }

    fn arrives(&mut self, slot: u32, ctx: &mut Ctx) {
        let letter = self.letters.all[slot as usize].as_ref().expect("it is on its way");
        let Some(to) = letter.to else {
            let letter = self.letters.take(slot);
            let Body::Answer(op, answer) = letter.body else { unreachable!("clients are answered") };
            if let Some(tape) = &mut self.tape {
                tape.came(letter.mark, trace::Fate::Read, ctx.now());
            }
            return self.hears(op, letter.from.expect("a node answers"), answer, ctx);
        };
        let place = &mut self.nodes[to as usize];
        if place.down > 0 {
            return self.drops(slot, trace::Fate::Unread, ctx);
        }
        place.inbox.push_back(Item::Letter(slot));
        self.reads(to, ctx);
    }

    /// Who leads, of those that are up: the one of the last term.
    pub(super) fn leader(&self) -> Option<Node> {
        let leads = (0..).zip(&self.nodes).filter(|(_, place)| place.down == 0 && place.stand.leads);
        leads.max_by_key(|(_, place)| place.stand.term).map(|(node, _)| node)
    }
}

impl<P: Protocol> Model for Machine<'_, P> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Ctx) {
        match event {
            Event::Arrives { slot } => self.arrives(slot, ctx),
            Event::Worked { node, life } => {
                let place = &mut self.nodes[node as usize];
                if place.life != life {
                    return;
                }
                if place.still > 0 {
                    place.owed = true;
                    return;
                }
                place.busy = false;
                self.does_first(node, ctx);
                self.reads(node, ctx);
            }
            Event::Synced { node, life } => {
                let place = &mut self.nodes[node as usize];
                if place.life != life {
                    return;
                }
                place.disk.is_safe();
                while let Some(held) = self.at(node).disk.may_say() {
                    self.says(node, held.say, held.cause, ctx);
                }
                self.syncs(node, ctx);
            }
            Event::Rings { node, timer } => {
                let place = &mut self.nodes[node as usize];
                let alarm = &mut place.alarms[timer as usize];
                alarm.timer = None;
                place.inbox.push_back(Item::Ring(timer, alarm.set));
                self.reads(node, ctx);
            }
            Event::Up { node, life } => {
                let place = &mut self.nodes[node as usize];
                if place.life != life {
                    return;
                }
                (place.down, place.starts) = (place.down - 1, false);
                place.comes_back(self.own);
                let (was, stand) = (place.stand, place.state.stand());
                place.stand = stand;
                self.truth.stands(node, was, stand, ctx.now());
                ctx.witness(kinds::UP, 0, 0, self.nodes[node as usize].path, 0, stand.term);
                self.notes(Some(node), format!("is back, term {}", stand.term), ctx);
                self.reads(node, ctx);
            }
            Event::Keeps { node } => self.keeps(node, ctx),
            Event::AsksTime { node } => self.asks_time(node, ctx),
            Event::Slewed { node } => {
                self.at(node).slew = 0.0;
                self.weighs(node, ctx);
            }
            Event::Strikes { fault } => self.strikes(fault, ctx),
            Event::Lifts { fault } => self.lifts(fault, ctx),
            Event::Comes { session } => self.comes(session, ctx),
            Event::Waited { op, attempt } => self.waited(op, attempt, ctx),
        }
    }
}

impl<P: Protocol> Drive for Machine<'_, P> {
    fn begin(&mut self, ctx: &mut Ctx) {
        for node in 0..self.spec.nodes {
            let stand = self.at(node).stand;
            self.truth.stands(node, stand, stand, SimTime::ZERO);
            self.at(node).inbox.push_back(Item::Start);
            self.reads(node, ctx);
            if let Some(backup) = &self.spec.node.backup {
                ctx.schedule(SimTime::ZERO + backup.every, Class::Change, Event::Keeps { node });
            }
            if self.ntp(node).is_some() {
                ctx.schedule(SimTime::ZERO, Class::Change, Event::AsksTime { node });
            }
        }
        for (number, fault) in (0..).zip(&self.spec.faults) {
            ctx.schedule(fault.at.value, Class::Change, Event::Strikes { fault: number });
        }
        if let crate::workload::Arrivals::ClosedLoop { users, think } = &self.spec.clients.arrivals {
            for user in 0..*users {
                let key = Key::root(self.users, u64::MAX).child(user.into());
                let thinks = think.sample(&mut self.thinks.at(key));
                let session = user % self.spec.clients.sessions;
                ctx.schedule_in(thinks, Event::Comes { session });
            }
        } else if let Some(schedule) = &mut self.schedule
            && let Some(at) = schedule.next(&mut self.arrivals, Key::root(self.users, 0))
        {
            ctx.schedule_at(at, Event::Comes { session: 0 });
        }
    }

    fn mark(&mut self, mark: Mark, now: SimTime) {
        self.truth.mark(mark, now);
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        let clients = [
            ("arrivals", &self.arrivals),
            ("asks", &self.asks),
            ("think", &self.thinks),
            ("hop", &self.hops),
        ];
        let clients =
            clients.into_iter().map(|(purpose, luck)| (Streams::name(purpose, "clients"), luck.used()));
        let bursts = self.schedule.iter().filter_map(Schedule::used);
        let bursts = bursts.map(|(purpose, used)| (Streams::name(purpose, "clients"), used));
        let nodes = [("work", &self.work), ("sync", &self.sync), ("ntp", &self.ntp)];
        let nodes = nodes.into_iter().map(|(purpose, luck)| (Streams::name(purpose, "nodes"), luck.used()));
        let own = (0..).zip(&self.nodes).map(|(number, place): (u32, _)| {
            (Streams::name("protocol", &format!("node {number}")), place.outbox.used())
        });
        let of = self.spec.nodes;
        let wires = (0..).zip(&self.wires).flat_map(move |(way, wire): (u32, _)| {
            let name = format!("node {}->node {}", way / of, way % of);
            wire.used().map(move |(purpose, used)| (Streams::name(purpose, &name), used)).collect::<Vec<_>>()
        });
        clients.chain(bursts).chain(nodes).chain(own).chain(wires).collect()
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        line.what = kinds::told(witness.kind).into();
        let node = self.nodes.iter().position(|place| place.path == witness.entity);
        line.entity = node.map_or_else(|| "clients".into(), |node| format!("node {node}"));
        line.note = match witness.kind {
            kinds::MESSAGE => {
                let what = P::MESSAGES[witness.outcome as usize];
                format!("{what} from node {}, term {}", witness.request, witness.detail)
            }
            kinds::RING => P::TIMERS[witness.detail as usize].into(),
            kinds::STAND => format!(
                "{}, term {}",
                if witness.outcome == 1 { "leads" } else { "does not lead" },
                witness.detail
            ),
            kinds::FAULT => {
                let fault = &self.spec.faults[witness.request as usize];
                let what = if witness.outcome == 1 { "begins" } else { "ends" };
                format!("{} of {} {what}", fault.effect.name(), fault.on)
            }
            _ => format!("operation {}", witness.request),
        };
    }
}
