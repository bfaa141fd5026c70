//! Primary and backups: who has the lowest number of those that are alive leads, and the others copy what it does.
//!
//! The rule of many a system that was built in an afternoon: everybody says that he is there; whoever has not been heard for a while is dead; of
//! the rest the first in the list leads. It needs no vote, and it has no majority: nodes that cannot hear one another each have a first of their own.
//!
//! **When it bites.** A pause, or a partition, makes two primaries, which both answer. When they hear each other again one log is given up, and what
//! clients were told of it is gone. What was answered before a backup had it is lost with the primary, too: a copy that comes later is a copy that may
//! not come at all.
//!
//! **Cures.** To lead only with a majority in hearing (`quorum`), and to answer only what a backup has (`acknowledged_by`). Both cost answers while
//! somebody is missing.
//!
//! **Left out.** Fencing by a third party, and disks that are read by both.

use crate::cluster::explore::Draws;
use crate::cluster::protocol::{
    Answer, Invariant, Node, Op, Outbox, Promises, Protocol, Request, Stand, View,
};
use crate::cluster::{ClusterSpec, Local};
use crate::experiment::POSITIVE;
use sim_core::SimDuration;
use std::collections::{BTreeSet, VecDeque};

spec! {
    /// Who leads, and when a write is answered.
    pub struct PrimaryBackup {
        /// How often everybody says that he is there; a primary sends what is new with it.
        heartbeat: SimDuration = SimDuration::from_millis(100); POSITIVE,
        /// After how long without a word somebody is taken for dead.
        dead_after: SimDuration = SimDuration::from_millis(500); POSITIVE,
        /// When a write is answered.
        acknowledged_by: AcknowledgedBy = AcknowledgedBy::Primary,
        /// Whether a primary leads only while it hears a majority, itself included.
        quorum: bool = false,
        /// Whether who leads goes on when one with a lower number is back.
        stays: bool = false,
        /// A mistake in the protocol, to see that it is found.
        bug: Option<Bug> = None,
    }
}

spec! {
    /// Mistakes.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Bug {
        /// A backup adds what it is sent to what it has, and does not look whether that is what the primary has before it.
        TrustsLength,
    }
}

spec! {
    /// When a write is answered.
    #[derive(Copy, PartialEq, Eq)]
    pub enum AcknowledgedBy {
        /// When the primary has it; backups get it with the next heartbeat.
        Primary,
        /// When one backup has it.
        OneBackup,
        /// When a majority has it, the primary included.
        Majority,
        /// When every backup that is alive has it.
        All,
    }
}

/// A write, and which primary did it first, the how-many-th time that one led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    by: (u64, Node),
    request: Request,
}

/// What nodes say to one another.
#[derive(Clone, Debug)]
pub enum Message {
    /// Somebody is there; whether it leads, and for the how-many-th time.
    Here { leads: bool, term: u64 },
    /// What a primary has done, from a place on, of so much in all, and what it has before that.
    Copy { term: u64, from: u64, before: Option<Entry>, entries: Vec<Entry>, length: u64 },
    /// A backup has so much of it.
    Have { term: u64, length: u64 },
}

/// What goes on the disk.
#[derive(Clone, Debug)]
pub enum Write {
    /// A write at the end.
    Append(Entry),
    /// What is there ends after so many.
    Truncate(u64),
    /// The last time that somebody led.
    Term(u64),
}

/// What is on the disk.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    term: u64,
    log: Vec<Entry>,
}

/// A primary or a backup.
#[derive(Clone, Debug)]
pub struct Server {
    spec: PrimaryBackup,
    me: Node,
    of: u32,
    term: u64,
    log: Vec<Entry>,
    is_done: BTreeSet<Op>,
    values: std::collections::BTreeMap<u32, Op>,
    heard: Vec<Option<Local>>,
    leads: bool,
    primary: Option<Node>,
    /// Until when it only listens, whether anybody leads.
    listens_until: Local,
    /// How much of its log each has, as far as a primary knows.
    has: Vec<u64>,
    waiting: VecDeque<(u64, Op)>,
}

const BEAT: usize = 0;

impl Server {
    fn others(&self) -> impl Iterator<Item = Node> + use<> {
        let me = self.me;
        (0..self.of).filter(move |node| *node != me)
    }

    fn is_alive(&self, node: Node, now: Local) -> bool {
        node == self.me
            || self.heard[node as usize].is_some_and(|heard| heard.until(now) < self.spec.dead_after)
    }

    /// Who is first of those that are alive: it leads.
    fn looks(&mut self, out: &mut Outbox<Self>) {
        let now = out.now();
        let alive = (0..self.of).filter(|node| self.is_alive(*node, now)).count();
        let enough = !self.spec.quorum || alive > self.of as usize / 2;
        let first = (0..self.of).find(|node| self.is_alive(*node, now)).expect("it is alive itself");
        let goes_on = self.spec.stays && self.primary.is_some_and(|node| self.is_alive(node, now));
        let primary = if goes_on { self.primary.expect("it goes on") } else { first };
        let listens = now < self.listens_until && !goes_on;
        let leads = primary == self.me && enough && !listens;
        self.primary = (enough && !listens).then_some(primary);
        if leads && !self.leads {
            self.term += 1;
            out.write(Write::Term(self.term));
            self.has.iter_mut().for_each(|has| *has = 0);
        }
        if !leads && self.leads {
            self.waiting.drain(..).for_each(|(_, op)| out.answer(op, Answer::Elsewhere(None)));
        }
        self.leads = leads;
    }

    fn is_here(&mut self, out: &mut Outbox<Self>) {
        let (leads, term, length) = (self.leads, self.term, self.log.len() as u64);
        for node in self.others() {
            out.send(node, Message::Here { leads, term });
            if self.leads && self.has[node as usize] < length {
                self.copies(node, out);
            }
        }
        out.set(BEAT, self.spec.heartbeat);
    }

    fn copies(&mut self, node: Node, out: &mut Outbox<Self>) {
        let from = self.has[node as usize];
        let entries = self.log[from as usize..].iter().take(256).copied().collect();
        let before = from.checked_sub(1).map(|before| self.log[before as usize]);
        out.send(
            node,
            Message::Copy { term: self.term, from, before, entries, length: self.log.len() as u64 },
        );
    }

    fn appends(&mut self, entry: Entry, out: &mut Outbox<Self>) {
        self.log.push(entry);
        out.write(Write::Append(entry));
        self.holds(entry.request);
        out.does(self.log.len() as u64, entry.request.op);
    }

    fn holds(&mut self, request: Request) {
        self.is_done.insert(request.op);
        self.values.insert(request.key, request.op);
    }

    /// Gives up what it has after so many.
    fn gives_up(&mut self, length: u64, out: &mut Outbox<Self>) {
        if (self.log.len() as u64) <= length {
            return;
        }
        out.reached("what one had done was given up");
        self.log.truncate(length as usize);
        out.write(Write::Truncate(length));
        (self.is_done, self.values) = Default::default();
        for index in 0..self.log.len() {
            self.holds(self.log[index].request);
        }
    }

    /// A backup takes what the primary has: what differs from it is given up, and what goes beyond it, unless it is from this primary itself.
    fn copied(
        &mut self,
        primary: Node,
        term: u64,
        first: u64,
        entries: Vec<Entry>,
        length: u64,
        out: &mut Outbox<Self>,
    ) {
        let alike =
            self.log[first as usize..].iter().zip(&entries).take_while(|(mine, its)| mine == its).count();
        let until = first + entries.len() as u64;
        if alike < entries.len() {
            self.gives_up(first + alike as u64, out);
        } else if until == length
            && self.log[until as usize..].iter().any(|entry| entry.by != (term, primary))
        {
            self.gives_up(until, out);
        }
        for entry in entries.into_iter().skip(alike) {
            self.appends(entry, out);
        }
        out.send(primary, Message::Have { term, length: until });
    }

    /// What enough backups have is answered.
    fn answers(&mut self, out: &mut Outbox<Self>) {
        let now = out.now();
        let backups = || self.others().map(|node| (node, self.has[node as usize]));
        let until = match self.spec.acknowledged_by {
            AcknowledgedBy::Primary => self.log.len() as u64,
            AcknowledgedBy::OneBackup => backups().map(|(_, has)| has).max().unwrap_or(u64::MAX),
            AcknowledgedBy::Majority => {
                let mut has: Vec<u64> = backups().map(|(_, has)| has).collect();
                has.sort_unstable();
                // With the primary itself so many make a majority.
                has.len()
                    .checked_sub(self.of as usize / 2)
                    .and_then(|at| has.get(at))
                    .copied()
                    .unwrap_or(u64::MAX)
            }
            AcknowledgedBy::All => backups()
                .filter(|(node, _)| self.is_alive(*node, now))
                .map(|(_, has)| has)
                .min()
                .unwrap_or(u64::MAX),
        };
        while let Some((place, op)) = self.waiting.front().copied().filter(|(place, _)| *place <= until) {
            self.waiting.pop_front();
            out.answer(op, Answer::Done { found: None, at: place });
        }
    }
}

impl Protocol for Server {
    type Spec = PrimaryBackup;
    type Message = Message;
    type Write = Write;
    type Stored = Stored;
    const TIMERS: &'static [&'static str] = &["heartbeat"];
    const MESSAGES: &'static [&'static str] = &["primary is here", "backup is here", "copy", "have"];
    const MARKS: &'static [&'static str] = &["what one had done was given up"];

    fn comes_up(spec: &PrimaryBackup, me: Node, of: u32, stored: &Stored) -> Self {
        let mut server = Server {
            spec: spec.clone(),
            me,
            of,
            term: stored.term,
            log: stored.log.clone(),
            is_done: BTreeSet::new(),
            values: Default::default(),
            heard: vec![None; of as usize],
            leads: false,
            primary: None,
            listens_until: Local::default(),
            has: vec![0; of as usize],
            waiting: VecDeque::new(),
        };
        for entry in &stored.log {
            server.holds(entry.request);
        }
        server
    }

    fn on_start(&mut self, out: &mut Outbox<Self>) {
        // Everybody is taken to be there until it is known better, or whoever starts first would lead.
        let now = out.now();
        self.heard.iter_mut().for_each(|heard| *heard = Some(now));
        if self.spec.stays {
            self.listens_until = now.after(self.spec.dead_after);
        }
        self.looks(out);
        self.is_here(out);
    }

    fn on_timer(&mut self, _timer: usize, out: &mut Outbox<Self>) {
        self.looks(out);
        self.is_here(out);
        if self.leads {
            self.answers(out);
        }
    }

    fn on_message(&mut self, from: Node, message: Message, out: &mut Outbox<Self>) {
        self.heard[from as usize] = Some(out.now());
        match message {
            Message::Here { leads, .. } => {
                if leads && self.spec.stays && !self.leads {
                    self.primary = Some(from);
                }
                self.looks(out);
            }
            Message::Copy { term, from: first, before, entries, length } => {
                self.looks(out);
                if self.leads {
                    return;
                }
                self.term = self.term.max(term);
                let mine = first.checked_sub(1).and_then(|before| self.log.get(before as usize)).copied();
                if mine == before
                    || self.spec.bug == Some(Bug::TrustsLength) && first <= self.log.len() as u64
                {
                    self.copied(from, term, first, entries, length, out);
                } else {
                    // It lacks what comes before, or has something else there: from the beginning, then.
                    out.send(from, Message::Have { term, length: 0 });
                }
            }
            Message::Have { term, length } => {
                if self.leads && term == self.term {
                    // An answer that was overtaken, or says that something is lacking, says less than it had: then it is sent again.
                    self.has[from as usize] = length.min(self.log.len() as u64);
                    self.answers(out);
                }
            }
        }
    }

    fn on_request(&mut self, request: Request, out: &mut Outbox<Self>) {
        if !self.leads {
            return out.answer(request.op, Answer::Elsewhere(self.primary.filter(|node| *node != self.me)));
        }
        if !request.writes {
            let found = self.values.get(&request.key).copied();
            return out.answer(request.op, Answer::Done { found, at: self.log.len() as u64 });
        }
        if !(request.once && self.is_done.contains(&request.op)) {
            self.appends(Entry { by: (self.term, self.me), request }, out);
        }
        self.waiting.push_back((self.log.len() as u64, request.op));
        if self.spec.acknowledged_by != AcknowledgedBy::Primary {
            self.others().for_each(|node| self.copies(node, out));
        }
        self.answers(out);
    }

    fn store(stored: &mut Stored, write: &Write) {
        match write {
            Write::Append(entry) => stored.log.push(*entry),
            Write::Truncate(length) => stored.log.truncate(*length as usize),
            Write::Term(term) => stored.term = *term,
        }
    }

    fn explains(spec: &PrimaryBackup, cluster: &ClusterSpec) -> Vec<String> {
        let most = spec.dead_after + spec.heartbeat + cluster.latency.mean();
        let mut notes = vec![format!(
            "a primary that dies is replaced after {} to about {}; so is one that is only silent for so long, and then there are two",
            spec.dead_after.brief(),
            most.brief()
        )];
        if spec.acknowledged_by == AcknowledgedBy::Primary {
            let behind = spec.heartbeat + cluster.latency.mean();
            notes.push(format!(
                "a backup is up to {} behind: what was answered in that time is lost with the primary",
                behind.brief()
            ));
        }
        if !spec.quorum {
            notes.push("it leads without a majority: two parts of a network have a primary each".into());
        }
        notes
    }

    fn varies(spec: &mut PrimaryBackup, _latency: SimDuration, draws: &mut Draws) -> [SimDuration; 2] {
        spec.dead_after = draws.time(SimDuration::from_millis(100), SimDuration::from_millis(1_500));
        spec.heartbeat = SimDuration::from_nanos(spec.dead_after.as_nanos() / draws.between(2, 8));
        [SimDuration::ZERO, spec.dead_after]
    }

    fn promises(_: &PrimaryBackup) -> Promises {
        Promises::NONE
    }

    fn stand(&self) -> Stand {
        Stand { role: if self.leads { "primary" } else { "backup" }, leads: self.leads, term: self.term }
    }

    fn comes_together_within(
        spec: &PrimaryBackup,
        latency: SimDuration,
        sync: SimDuration,
    ) -> Option<SimDuration> {
        Some(
            SimDuration::from_secs(3)
                + spec.dead_after.saturating_mul(4)
                + latency.saturating_mul(20)
                + sync.saturating_mul(20),
        )
    }

    fn told(message: &Message) -> (usize, u64) {
        match message {
            Message::Here { leads: true, term, .. } => (0, *term),
            Message::Here { term, .. } => (1, *term),
            Message::Copy { term, .. } => (2, *term),
            Message::Have { term, .. } => (3, *term),
        }
    }

    fn carries(message: &Message, op: Op) -> bool {
        matches!(message, Message::Copy { entries, .. } if entries.iter().any(|entry| entry.request.op == op))
    }

    fn invariants() -> &'static [Invariant<Self>] {
        &[("logs of one primary are alike", logs_are_alike)]
    }

    fn left(nodes: &[&Self]) -> Vec<Op> {
        let first = nodes.iter().find(|node| node.leads).or_else(|| nodes.first());
        first.map_or(Vec::new(), |node| node.log.iter().map(|entry| entry.request.op).collect())
    }
}

/// Two logs that have a write from one primary at one place have what that primary had before it, too.
fn logs_are_alike(view: &View<Server>) -> Option<String> {
    for (number, one) in view.nodes.iter().enumerate() {
        for other in &view.nodes[..number] {
            let last = one.log.iter().zip(&other.log).rposition(|(a, b)| a == b).map_or(0, |last| last + 1);
            if let Some(index) = (0..last).find(|index| one.log[*index] != other.log[*index]) {
                let at = index + 1;
                return Some(format!(
                    "nodes {} and {} have the same write number {last}, and not number {at}",
                    other.me, one.me
                ));
            }
        }
    }
    None
}
