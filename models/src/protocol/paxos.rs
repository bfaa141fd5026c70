//! Paxos: what a majority has accepted is chosen, whoever proposes.
//!
//! After Lamport, "Paxos Made Simple" (2001); one instance for each place of the order (multi-decree), and phase 1 once for all places that are still
//! open. A ballot is a number and the node that proposes with it.
//!
//! **What holds.** Of each place at most one request is chosen; who proposes with a higher ballot proposes what may have been chosen with a lower one.
//!
//! **When it bites.** Two who propose in turn may each make the other's ballot void, for ever (section 2.4): safe, and nothing is ever chosen. A pause of
//! random length ends the duel mostly, a leader to whom all others send their clients ends it.
//!
//! **Left out.** Logs that are cut off, members that change.

use crate::cluster::explore::Draws;
use crate::cluster::protocol::{Answer, Invariant, Node, Op, Outbox, Promises, Protocol, Request, Stand};
use crate::cluster::{ClusterSpec, Local};
use crate::experiment::POSITIVE;
use sim_core::SimDuration;
use std::collections::BTreeMap;

spec! {
    /// Who proposes, and what he does when another does.
    pub struct Paxos {
        /// Who proposes.
        proposes: Proposes = Proposes::Leader,
        /// How long whoever is refused waits before he tries with a higher ballot, at least.
        retreat: SimDuration = SimDuration::from_millis(5),
        /// And at most: each time between the two.
        retreat_most: SimDuration = SimDuration::from_millis(50); POSITIVE,
        /// How often a leader says that it is there.
        heartbeat: SimDuration = SimDuration::from_millis(50); POSITIVE,
        /// After how long without a word of a leader a node proposes itself, at least; at most twice that.
        patience: SimDuration = SimDuration::from_millis(150); POSITIVE,
        /// A mistake in the protocol, to see that it is found.
        bug: Option<Bug> = None,
    }
}

spec! {
    /// Who proposes.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Proposes {
        /// The one who is heard of; others send clients to it.
        Leader,
        /// Whoever is asked.
        Anybody,
    }
}

spec! {
    /// Mistakes.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Bug {
        /// A promise is not put on the disk.
        PromiseNotStored,
        /// Who proposes takes a request of its own, whatever promises say was accepted.
        ProposesItsOwn,
    }
}

/// A number, and who proposes with it.
type Ballot = (u64, Node);

/// What nodes say to one another.
#[derive(Clone, Debug)]
pub enum Message {
    /// Phase 1: who promises to accept nothing with a lower ballot, from a place on?
    Prepare { ballot: Ballot, from: u64 },
    /// What one has accepted there, each with its ballot.
    Promise { ballot: Ballot, accepted: Vec<(u64, Ballot, Request)> },
    /// Phase 2: who accepts this at a place?
    Accept { ballot: Ballot, place: u64, request: Request },
    /// It is accepted.
    Accepted { ballot: Ballot, place: u64 },
    /// One has promised a higher ballot.
    Refused { ballot: Ballot, promised: Ballot },
    /// It is chosen.
    Chosen { place: u64, request: Request },
    /// A leader is there, and so many places are chosen without a gap.
    Here { ballot: Ballot, chosen: u64 },
    /// Somebody lacks what was chosen from a place on.
    Lacks { from: u64 },
}

/// What goes on the disk.
#[derive(Clone, Debug)]
pub enum Write {
    /// A promise.
    Promised(Ballot),
    /// What was accepted.
    Accepted(u64, Ballot, Request),
    /// What was learnt to be chosen.
    Chosen(u64, Request),
}

/// What is on the disk.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    promised: Ballot,
    accepted: BTreeMap<u64, (Ballot, Request)>,
    chosen: BTreeMap<u64, Request>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Proposes nothing.
    Idle,
    /// Waits for promises.
    One,
    /// A majority has promised.
    Two,
}

/// What is proposed at a place, and who has accepted it.
#[derive(Clone, Debug)]
struct Proposal {
    request: Request,
    /// A client of its own asked for it; else it may have been chosen with a lower ballot.
    own: bool,
    accepted: Vec<bool>,
}

/// A node of Paxos: proposer, acceptor and learner.
#[derive(Clone, Debug)]
pub struct Server {
    spec: Paxos,
    me: Node,
    of: u32,
    // Acceptor.
    promised: Ballot,
    accepted: BTreeMap<u64, (Ballot, Request)>,
    // Proposer.
    phase: Phase,
    ballot: Ballot,
    promises: Vec<bool>,
    /// What must be proposed, as promises have it, each with its ballot.
    found: BTreeMap<u64, (Ballot, Request)>,
    proposals: BTreeMap<u64, Proposal>,
    next: u64,
    waiting: Vec<Request>,
    /// The highest ballot it has heard of.
    seen: u64,
    leads: Option<Node>,
    heard: Local,
    // Learner.
    chosen: BTreeMap<u64, Request>,
    applied: u64,
    done: u64,
    values: BTreeMap<u32, Op>,
    is_done: BTreeMap<Op, u64>,
}

const PATIENCE: usize = 0;
const HERE: usize = 1;
const RETREAT: usize = 2;

impl Server {
    fn others(&self) -> impl Iterator<Item = Node> + use<> {
        let me = self.me;
        (0..self.of).filter(move |node| *node != me)
    }

    fn majority(&self) -> usize {
        self.of as usize / 2 + 1
    }

    fn is_patient(&self, out: &mut Outbox<Self>) {
        if self.spec.proposes == Proposes::Leader {
            let after = out.between(self.spec.patience, self.spec.patience.saturating_mul(2));
            out.set(PATIENCE, after);
        }
    }

    /// Phase 1, with a higher ballot than any it has heard of.
    fn prepares(&mut self, out: &mut Outbox<Self>) {
        self.seen = self.seen.max(self.promised.0) + 1;
        self.ballot = (self.seen, self.me);
        self.phase = Phase::One;
        self.leads = None;
        (self.promises, self.found) = (vec![false; self.of as usize], BTreeMap::new());
        self.proposals.clear();
        let (ballot, from) = (self.ballot, self.applied + 1);
        self.others().for_each(|node| out.send(node, Message::Prepare { ballot, from }));
        self.promises_own(out);
    }

    fn promises_own(&mut self, out: &mut Outbox<Self>) {
        self.promised = self.ballot;
        self.stores_promise(self.ballot, out);
        let accepted = self
            .accepted
            .range(self.applied + 1..)
            .map(|(place, (ballot, request))| (*place, *ballot, *request));
        let accepted = accepted.collect();
        self.hears_promise(self.me, accepted, out);
    }

    fn stores_promise(&self, ballot: Ballot, out: &mut Outbox<Self>) {
        if self.spec.bug != Some(Bug::PromiseNotStored) {
            out.write(Write::Promised(ballot));
        }
    }

    fn hears_promise(&mut self, from: Node, accepted: Vec<(u64, Ballot, Request)>, out: &mut Outbox<Self>) {
        self.promises[from as usize] = true;
        for (place, ballot, request) in accepted {
            let best = self.found.entry(place).or_insert((ballot, request));
            if ballot > best.0 {
                *best = (ballot, request);
            }
        }
        if self.phase == Phase::One
            && self.promises.iter().filter(|promised| **promised).count() >= self.majority()
        {
            self.phase = Phase::Two;
            self.leads = Some(self.me);
            out.stop(RETREAT);
            out.stop(PATIENCE);
            let mut found = std::mem::take(&mut self.found);
            if self.spec.bug == Some(Bug::ProposesItsOwn) {
                found.clear();
            }
            if !found.is_empty() {
                out.reached("what may have been chosen is proposed again");
            }
            let last = found
                .keys()
                .next_back()
                .copied()
                .unwrap_or(0)
                .max(self.chosen.keys().next_back().copied().unwrap_or(0));
            self.next = last.max(self.applied) + 1;
            let waiting = std::mem::take(&mut self.waiting);
            let waits = |op: Op| waiting.iter().any(|request| request.op == op);
            // Places that nobody has accepted anything for: what is chosen there does nothing.
            for place in self.applied + 1..self.next {
                if !self.chosen.contains_key(&place) {
                    let nothing = Request { op: Op::MAX, key: 0, writes: false, once: true };
                    let request = found.get(&place).map_or(nothing, |(_, request)| *request);
                    self.proposes(place, request, waits(request.op), out);
                }
            }
            for request in waiting {
                // It has a place already, or was done since.
                let has_place = found.values().any(|(_, other)| other.op == request.op);
                if !has_place {
                    self.takes(request, out);
                }
            }
            self.is_here(out);
        }
    }

    fn is_here(&mut self, out: &mut Outbox<Self>) {
        if self.spec.proposes == Proposes::Leader {
            let (ballot, chosen) = (self.ballot, self.applied);
            self.others().for_each(|node| out.send(node, Message::Here { ballot, chosen }));
            out.set(HERE, self.spec.heartbeat);
        }
    }

    /// A client's request at the next free place.
    fn takes(&mut self, request: Request, out: &mut Outbox<Self>) {
        if request.writes && request.once && self.is_done.contains_key(&request.op) {
            let (found, at) = (Some(request.op), self.done);
            return out.answer(request.op, Answer::Done { found, at });
        }
        let place = self.next;
        self.next += 1;
        self.proposes(place, request, true, out);
    }

    /// Phase 2.
    fn proposes(&mut self, place: u64, request: Request, own: bool, out: &mut Outbox<Self>) {
        let mut accepted = vec![false; self.of as usize];
        accepted[self.me as usize] = true;
        self.accepted.insert(place, (self.ballot, request));
        out.write(Write::Accepted(place, self.ballot, request));
        self.proposals.insert(place, Proposal { request, own, accepted });
        let ballot = self.ballot;
        self.others().for_each(|node| out.send(node, Message::Accept { ballot, place, request }));
        self.is_chosen_by_now(place, out);
    }

    fn is_chosen_by_now(&mut self, place: u64, out: &mut Outbox<Self>) {
        let Some(proposal) = self.proposals.get(&place) else { return };
        if proposal.accepted.iter().filter(|accepted| **accepted).count() < self.majority() {
            return;
        }
        let request = proposal.request;
        self.proposals.remove(&place);
        self.others().for_each(|node| out.send(node, Message::Chosen { place, request }));
        self.learns(place, request, out);
    }

    /// What is chosen at a place; and what can be done by that.
    fn learns(&mut self, place: u64, request: Request, out: &mut Outbox<Self>) {
        if self.chosen.insert(place, request).is_none() {
            out.decides(place, request.op);
            out.write(Write::Chosen(place, request));
        }
        while let Some((request, is_new)) = self.applies_next() {
            if is_new {
                out.does(self.done, request.op);
            }
            if self.phase == Phase::Two && request.op != Op::MAX {
                let (found, at) = (self.values.get(&request.key).copied(), self.done);
                out.answer(request.op, Answer::Done { found, at });
            }
        }
    }

    /// Does what is chosen at the next place, if that is known: what it was, and whether it was a write that is done now.
    fn applies_next(&mut self) -> Option<(Request, bool)> {
        let request = *self.chosen.get(&(self.applied + 1))?;
        self.applied += 1;
        let is_new = request.writes && !(request.once && self.is_done.contains_key(&request.op));
        if is_new {
            self.done += 1;
            self.is_done.insert(request.op, self.done);
            self.values.insert(request.key, request.op);
        }
        Some((request, is_new))
    }

    /// Another has a higher ballot: to wait, or to leave it to him.
    fn is_refused(&mut self, promised: Ballot, out: &mut Outbox<Self>) {
        self.seen = self.seen.max(promised.0);
        out.reached("a ballot is made void by a higher one");
        self.phase = Phase::Idle;
        for place in std::mem::take(&mut self.proposals).into_values() {
            if place.own {
                self.waiting.push(place.request);
            }
        }
        out.stop(HERE);
        if self.spec.proposes == Proposes::Anybody && !self.waiting.is_empty() {
            let after = out.between(self.spec.retreat, self.spec.retreat_most);
            out.set(RETREAT, after);
        } else {
            let waiting = std::mem::take(&mut self.waiting);
            waiting.iter().for_each(|request| out.answer(request.op, Answer::Elsewhere(None)));
            self.is_patient(out);
        }
    }

    /// Whether a ballot is one that it may still do something for; and it promises that.
    fn promises(&mut self, ballot: Ballot, out: &mut Outbox<Self>) -> bool {
        self.seen = self.seen.max(ballot.0);
        if ballot < self.promised {
            return false;
        }
        if ballot > self.promised {
            if self.phase != Phase::Idle && ballot.1 != self.me {
                self.is_refused(ballot, out);
            }
            self.promised = ballot;
            self.stores_promise(ballot, out);
        }
        true
    }
}

impl Protocol for Server {
    type Spec = Paxos;
    type Message = Message;
    type Write = Write;
    type Stored = Stored;
    const TIMERS: &'static [&'static str] = &["patience", "here", "retreat"];
    const MESSAGES: &'static [&'static str] =
        &["prepare", "promise", "accept", "accepted", "refused", "chosen", "here", "lacks"];
    const MARKS: &'static [&'static str] =
        &["what may have been chosen is proposed again", "a ballot is made void by a higher one"];

    fn comes_up(spec: &Paxos, me: Node, of: u32, stored: &Stored) -> Self {
        let mut server = Server {
            spec: spec.clone(),
            me,
            of,
            promised: stored.promised,
            accepted: stored.accepted.clone(),
            phase: Phase::Idle,
            ballot: (0, me),
            promises: vec![false; of as usize],
            found: BTreeMap::new(),
            proposals: BTreeMap::new(),
            next: 1,
            waiting: Vec::new(),
            seen: stored.promised.0,
            leads: None,
            heard: Local::default(),
            chosen: stored.chosen.clone(),
            applied: 0,
            done: 0,
            values: BTreeMap::new(),
            is_done: BTreeMap::new(),
        };
        while server.applies_next().is_some() {}
        server
    }

    fn on_start(&mut self, out: &mut Outbox<Self>) {
        self.heard = out.now();
        self.is_patient(out);
    }

    fn on_timer(&mut self, timer: usize, out: &mut Outbox<Self>) {
        match timer {
            PATIENCE if self.phase != Phase::Two => {
                self.prepares(out);
                self.is_patient(out);
            }
            HERE if self.phase == Phase::Two => {
                // Whoever has not answered is asked again.
                let ballot = self.ballot;
                for (place, proposal) in &self.proposals {
                    for node in self.others().filter(|node| !proposal.accepted[*node as usize]) {
                        out.send(node, Message::Accept { ballot, place: *place, request: proposal.request });
                    }
                }
                self.is_here(out);
            }
            RETREAT if self.phase != Phase::Two => {
                self.prepares(out);
                let after = out.between(self.spec.patience, self.spec.patience.saturating_mul(2));
                out.set(RETREAT, after);
            }
            _ => {}
        }
    }

    fn on_request(&mut self, request: Request, out: &mut Outbox<Self>) {
        if self.phase == Phase::Two {
            return self.takes(request, out);
        }
        match self.spec.proposes {
            Proposes::Leader => out.answer(request.op, Answer::Elsewhere(self.leads)),
            Proposes::Anybody => {
                if !self.waiting.iter().any(|other| other.op == request.op) {
                    self.waiting.push(request);
                }
                if self.phase == Phase::Idle {
                    self.prepares(out);
                    let after = out.between(self.spec.patience, self.spec.patience.saturating_mul(2));
                    out.set(RETREAT, after);
                }
            }
        }
    }

    fn on_message(&mut self, from: Node, message: Message, out: &mut Outbox<Self>) {
        match message {
            Message::Prepare { ballot, from: first } => {
                if !self.promises(ballot, out) {
                    return out.send(from, Message::Refused { ballot, promised: self.promised });
                }
                self.is_patient(out);
                let accepted = self
                    .accepted
                    .range(first..)
                    .map(|(place, (ballot, request))| (*place, *ballot, *request));
                out.send(from, Message::Promise { ballot, accepted: accepted.collect() });
            }
            Message::Promise { ballot, accepted } => {
                if ballot == self.ballot && self.phase == Phase::One {
                    self.hears_promise(from, accepted, out);
                }
            }
            Message::Accept { ballot, place, request } => {
                if !self.promises(ballot, out) {
                    return out.send(from, Message::Refused { ballot, promised: self.promised });
                }
                self.accepted.insert(place, (ballot, request));
                out.write(Write::Accepted(place, ballot, request));
                out.send(from, Message::Accepted { ballot, place });
            }
            Message::Accepted { ballot, place } => {
                if ballot == self.ballot && self.phase == Phase::Two {
                    if let Some(proposal) = self.proposals.get_mut(&place) {
                        proposal.accepted[from as usize] = true;
                    }
                    self.is_chosen_by_now(place, out);
                }
            }
            Message::Refused { ballot, promised } => {
                if ballot == self.ballot && self.phase != Phase::Idle {
                    self.is_refused(promised, out);
                }
            }
            Message::Chosen { place, request } => self.learns(place, request, out),
            Message::Here { ballot, chosen } => {
                if self.promises(ballot, out) {
                    (self.leads, self.heard) = (Some(from), out.now());
                    self.is_patient(out);
                    if chosen > self.applied {
                        out.send(from, Message::Lacks { from: self.applied + 1 });
                    }
                }
            }
            Message::Lacks { from: first } => {
                for (place, request) in self.chosen.range(first..).take(64) {
                    out.send(from, Message::Chosen { place: *place, request: *request });
                }
            }
        }
    }

    fn store(stored: &mut Stored, write: &Write) {
        match write {
            Write::Promised(ballot) => stored.promised = *ballot,
            Write::Accepted(place, ballot, request) => {
                _ = stored.accepted.insert(*place, (*ballot, *request))
            }
            Write::Chosen(place, request) => _ = stored.chosen.insert(*place, *request),
        }
    }

    fn stand(&self) -> Stand {
        let role = match self.phase {
            Phase::Idle => "acceptor",
            Phase::One => "candidate",
            Phase::Two => "leader",
        };
        Stand { role, leads: self.phase == Phase::Two, term: self.ballot.0 << 8 | u64::from(self.ballot.1) }
    }

    fn explains(spec: &Paxos, cluster: &ClusterSpec) -> Vec<String> {
        let nodes = cluster.nodes;
        let who = match spec.proposes {
            Proposes::Leader => format!("a leader that is not heard of for {} to {} is replaced", spec.patience.brief(), spec.patience.saturating_mul(2).brief()),
            Proposes::Anybody => "whoever is asked proposes: two who do so at once make each other's ballots void, and nothing says when that ends".into(),
        };
        vec![format!("of {nodes} nodes {} may be down: the rest is a majority", (nodes - 1) / 2), who]
    }

    fn varies(spec: &mut Paxos, latency: SimDuration, draws: &mut Draws) -> [SimDuration; 2] {
        spec.patience = draws.time(
            latency.saturating_mul(10).max(SimDuration::from_millis(50)),
            SimDuration::from_millis(800),
        );
        spec.heartbeat = SimDuration::from_nanos(spec.patience.as_nanos() / draws.between(2, 8));
        [spec.patience, spec.patience.saturating_mul(2)]
    }

    fn promises(_: &Paxos) -> Promises {
        Promises::CONSENSUS
    }

    fn comes_together_within(spec: &Paxos, latency: SimDuration, sync: SimDuration) -> Option<SimDuration> {
        // Who duels may do so for ever.
        if spec.proposes == Proposes::Anybody {
            return None;
        }
        let round = spec.patience.saturating_mul(2) + latency.saturating_mul(8) + sync.saturating_mul(8);
        Some(SimDuration::from_secs(5) + round.saturating_mul(30))
    }

    fn told(message: &Message) -> (usize, u64) {
        match message {
            Message::Prepare { ballot, .. } => (0, ballot.0),
            Message::Promise { ballot, .. } => (1, ballot.0),
            Message::Accept { ballot, .. } => (2, ballot.0),
            Message::Accepted { ballot, .. } => (3, ballot.0),
            Message::Refused { promised, .. } => (4, promised.0),
            Message::Chosen { place, .. } => (5, *place),
            Message::Here { ballot, .. } => (6, ballot.0),
            Message::Lacks { from } => (7, *from),
        }
    }

    fn carries(message: &Message, op: Op) -> bool {
        match message {
            Message::Accept { request, .. } | Message::Chosen { request, .. } => request.op == op,
            Message::Promise { accepted, .. } => accepted.iter().any(|(.., request)| request.op == op),
            _ => false,
        }
    }

    fn invariants() -> &'static [Invariant<Self>] {
        &[]
    }

    fn left(nodes: &[&Self]) -> Vec<Op> {
        // What any has learnt is chosen, whoever else has.
        let chosen = nodes.iter().flat_map(|node| node.chosen.values());
        chosen.filter(|request| request.writes).map(|request| request.op).collect()
    }
}
