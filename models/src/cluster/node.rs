//! A node: a processor that takes one thing after another, a disk, a clock and timers. What its protocol makes of that is the protocol's.

use super::clock::{Clock, ClockSpec};
use super::protocol::{Node, Outbox, Protocol, Say, Stand};
use super::tape::Cause;
use crate::distribution::TimeDistribution;
use crate::experiment::POSITIVE;
use sim_core::{Key, SimDuration, Streams, Timer};
use std::collections::VecDeque;

spec! {
    /// What a node is made of.
    pub struct NodeSpec {
        /// How long its processor is at a message, a timer or a client's request, one after another.
        work: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// How long its disk takes until what was written is safe (fsync). What is written meanwhile waits for the next time, all of it together.
        sync: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// How long it takes to come up again after a crash.
        start: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// What is kept of its disk elsewhere; nothing unless given.
        backup: Option<BackupSpec> = None,
    }
}

impl Default for NodeSpec {
    fn default() -> Self {
        let none = || TimeDistribution::constant(SimDuration::ZERO);
        NodeSpec { work: none(), sync: none(), start: none(), backup: None }
    }
}

spec! {
    /// Copies of a disk that are kept elsewhere.
    pub struct BackupSpec {
        /// How often one is made.
        every: SimDuration = SimDuration::from_secs(86_400); POSITIVE,
        /// How long it takes to restore one.
        restore: TimeDistribution = TimeDistribution::constant(SimDuration::from_secs(3_600)),
        /// After how many somebody tries whether the last can be restored: then one that is empty is noticed, and what made it so is mended.
        /// Nobody tries unless given.
        tried_every: Option<u32> = None; 1..=1_000_000,
    }
}

/// What waits for the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A letter, by its place.
    Letter(u32),
    /// A timer that has rung, when it had been set so often.
    Ring(u8, u32),
    /// It has come up.
    Start,
}

/// A timer of a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alarm {
    pub timer: Option<Timer>,
    /// How often it was set or stopped: what rang before is no longer meant.
    pub set: u32,
}

/// What was said and waits until so much is on the disk.
pub struct Held<M> {
    pub after: u64,
    pub say: Say<M>,
    pub cause: Cause,
}

/// A disk: what is on it, and what is not yet.
pub struct Disk<P: Protocol> {
    pub stored: P::Stored,
    unsafe_yet: VecDeque<P::Write>,
    /// How much was written, how much is safe, and how much will be when it is done with what it is at.
    pub written: u64,
    pub safe: u64,
    syncing: Option<u64>,
    pub held: VecDeque<Held<P::Message>>,
}

impl<P: Protocol> Disk<P> {
    fn new() -> Self {
        Disk {
            stored: P::Stored::default(),
            unsafe_yet: VecDeque::new(),
            written: 0,
            safe: 0,
            syncing: None,
            held: VecDeque::new(),
        }
    }

    /// Takes what is to be written. Where that takes no time it is safe at once.
    pub fn write(&mut self, writes: &mut Vec<P::Write>, at_once: bool) {
        self.written += writes.len() as u64;
        if at_once && self.syncing.is_none() {
            writes.drain(..).for_each(|write| P::store(&mut self.stored, &write));
            self.safe = self.written;
        } else {
            self.unsafe_yet.extend(writes.drain(..));
        }
    }

    /// Begins to make safe what is not, if there is anything and it is not at it. Whether it does.
    pub fn begins(&mut self) -> bool {
        let wants = self.syncing.is_none() && self.safe < self.written;
        if wants {
            self.syncing = Some(self.written);
        }
        wants
    }

    /// What it was at is safe.
    pub fn is_safe(&mut self) {
        let until = self.syncing.take().expect("it was at something");
        for _ in self.safe..until {
            let write = self.unsafe_yet.pop_front().expect("it was written");
            P::store(&mut self.stored, &write);
        }
        self.safe = until;
    }

    /// The next of what may be said by now.
    pub fn may_say(&mut self) -> Option<Held<P::Message>> {
        let may = self.held.front().is_some_and(|held| held.after <= self.safe);
        may.then(|| self.held.pop_front()).flatten()
    }

    /// All of it is gone, and what was kept of it elsewhere is there instead.
    pub fn is_replaced(&mut self, by: P::Stored) {
        self.stored = by;
    }

    /// A crash: what is not safe is lost.
    fn loses(&mut self) -> u64 {
        let lost = self.unsafe_yet.len() as u64;
        self.unsafe_yet.clear();
        self.held.clear();
        (self.written, self.syncing) = (self.safe, None);
        lost
    }
}

/// What is kept of a disk elsewhere.
pub struct Vault<P: Protocol> {
    /// The last good backup, and when it was made.
    pub last: P::Stored,
    pub made: u32,
    /// How many faults make backups empty, and whether somebody has noticed.
    pub empty: u32,
    pub noticed: bool,
}

impl<P: Protocol> Default for Vault<P> {
    fn default() -> Self {
        Vault { last: P::Stored::default(), made: 0, empty: 0, noticed: false }
    }
}

impl<P: Protocol> Vault<P> {
    /// Another backup is made, and perhaps somebody tries whether it is good.
    pub fn keeps(&mut self, stored: &P::Stored, tried_every: Option<u32>) {
        self.made += 1;
        if self.empty == 0 || self.noticed {
            self.last = stored.clone();
        } else if tried_every.is_some_and(|every| self.made.is_multiple_of(every)) {
            self.noticed = true;
            self.last = stored.clone();
        }
    }
}

/// A node as it is now.
pub struct Place<P: Protocol> {
    pub state: P,
    pub outbox: Outbox<P>,
    pub disk: Disk<P>,
    pub clock: Clock,
    pub alarms: Vec<Alarm>,
    pub inbox: VecDeque<Item>,
    /// The processor is at the first of them.
    pub busy: bool,
    /// It was done while the node stood still.
    pub owed: bool,
    /// How often it has come up: what belongs to a life before is no longer meant.
    pub life: u32,
    /// How many faults keep it down, or still.
    pub down: u32,
    /// It is down because it is coming up.
    pub starts: bool,
    pub still: u32,
    pub slow: f64,
    pub slow_disk: f64,
    pub vault: Vault<P>,
    /// By how many millionths its clock is being set right, and how often it has asked.
    pub slew: f64,
    pub asked_time: u64,
    pub stand: Stand,
    /// The hash of its name.
    pub path: u64,
    /// Things it has worked on, and synced: their luck.
    pub worked: u64,
    pub synced: u64,
    pub lost_writes: u64,
    spec_of: u32,
    me: Node,
}

impl<P: Protocol> Place<P> {
    /// A node as it comes up for the first time.
    pub fn new(spec: &P::Spec, me: Node, of: u32, clock: &ClockSpec, streams: &Streams) -> Self {
        let name = format!("node {me}");
        let path = sim_core::digest::hash_text(&name);
        let disk = Disk::<P>::new();
        let state = P::comes_up(spec, me, of, &disk.stored);
        Place {
            stand: state.stand(),
            state,
            outbox: Outbox::new(streams.luck("protocol", &name), Key::root(path, 0)),
            disk,
            clock: Clock::new(clock),
            alarms: vec![Alarm::default(); P::TIMERS.len()],
            inbox: VecDeque::new(),
            busy: false,
            owed: false,
            life: 0,
            down: 0,
            starts: false,
            still: 0,
            slow: 1.0,
            slow_disk: 1.0,
            vault: Vault::default(),
            slew: 0.0,
            asked_time: 0,
            path,
            worked: 0,
            synced: 0,
            lost_writes: 0,
            spec_of: of,
            me,
        }
    }

    /// Whether it does anything.
    pub fn runs(&self) -> bool {
        self.down == 0 && self.still == 0
    }

    /// It dies: all but its disk is gone. Of the letters it had the places are given back.
    pub fn dies(&mut self, mut letter: impl FnMut(u32)) {
        self.life += 1;
        self.lost_writes += self.disk.loses();
        for item in self.inbox.drain(..) {
            if let Item::Letter(slot) = item {
                letter(slot);
            }
        }
        (self.busy, self.owed) = (false, false);
    }

    /// It is back, with what is on its disk.
    pub fn comes_back(&mut self, spec: &P::Spec) {
        self.state = P::comes_up(spec, self.me, self.spec_of, &self.disk.stored);
        self.inbox.push_back(Item::Start);
    }
}
