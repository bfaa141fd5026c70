//! What a protocol is: a state machine that is told what happens to its node, and says what is to be done.
//!
//! It knows no engine, no network and no luck but that of its node, and what it says goes through its [`Outbox`]: so it reads like its paper, and is
//! tested by hand, one message after another.

use super::ClusterSpec;
use super::clock::Local;
use super::explore::Draws;
use sim_core::{Key, Luck, SimDuration, Words};

/// A node, by its number from 0.
pub type Node = u32;

/// The number of an operation of a client; the same again if it is tried again.
pub type Op = u32;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number, which is its idempotency key.
    pub op: Op,
    /// What it is about.
    pub key: u32,
    /// Whether it writes; its number is what it writes.
    pub writes: bool,
    /// Whether it has a key by which whoever does it can see that it is done already (an idempotency key): without, what is asked twice is done twice.
    pub once: bool,
}

/// What a client is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done: a read finds the number of the operation that wrote last, if any did. `at` is its place in the order of all operations.
    Done {
        /// What a read finds.
        found: Option<Op>,
        /// How many writes are done before a read, and with a write.
        at: u64,
    },
    /// Somebody else does that, if it is known who.
    Elsewhere(Option<Node>),
}

/// Where a node stands, as far as its protocol can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// What it is: "leader".
    pub role: &'static str,
    /// Whether it leads: answers clients by itself.
    pub leads: bool,
    /// In which term, view or ballot.
    pub term: u64,
}

/// What a protocol promises with its settings, besides its own invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promises {
    /// That at most one leads in a term.
    pub one_leader: bool,
    /// That nobody does at a place of the order what another did not, and that what was answered stays.
    pub one_order: bool,
    /// That every operation takes effect at once, somewhere between its question and its answer.
    pub linearisable: bool,
}

impl Promises {
    /// What a protocol for consensus promises.
    pub const CONSENSUS: Promises = Promises { one_leader: true, one_order: true, linearisable: true };
    /// Nothing.
    pub const NONE: Promises = Promises { one_leader: false, one_order: false, linearisable: false };
}

/// A protocol: the state of one node, and what it makes of what happens.
pub trait Protocol: Clone + 'static {
    /// Its settings.
    type Spec;
    /// What nodes say to one another.
    type Message: Clone;
    /// What a node puts on its disk.
    type Write: Clone;
    /// What is there, all that is left of it after a crash.
    type Stored: Clone + Default;
    /// The timers that a node has, by their names. Each rings once after it was set last.
    const TIMERS: &'static [&'static str];
    /// What its messages are called.
    const MESSAGES: &'static [&'static str];

    /// What should come about now and then, or schedules do not try it.
    const MARKS: &'static [&'static str];

    /// A node as it comes up, with what is on its disk.
    fn comes_up(spec: &Self::Spec, me: Node, of: u32, stored: &Self::Stored) -> Self;
    /// It has come up.
    fn on_start(&mut self, out: &mut Outbox<Self>);
    /// A message has come.
    fn on_message(&mut self, from: Node, message: Self::Message, out: &mut Outbox<Self>);
    /// One of its timers rings.
    fn on_timer(&mut self, timer: usize, out: &mut Outbox<Self>);
    /// A client asks.
    fn on_request(&mut self, request: Request, out: &mut Outbox<Self>);

    /// Puts something on a disk.
    fn store(stored: &mut Self::Stored, write: &Self::Write);
    /// What its settings amount to before anything is run, in sentences.
    fn explains(spec: &Self::Spec, cluster: &ClusterSpec) -> Vec<String>;
    /// Other settings, as [`explore`](super::explore) draws them, where a message takes so long on average until it is
    /// answered for, a disk included: the times, not the rules. And from when until when it is decided who leads first.
    fn varies(spec: &mut Self::Spec, latency: SimDuration, draws: &mut Draws) -> [SimDuration; 2];
    /// What it promises with these settings.
    fn promises(spec: &Self::Spec) -> Promises;
    /// Where it stands.
    fn stand(&self) -> Stand;
    /// Within what time a majority must have come together once nothing is wrong any more, where messages and disks take so long; none where it may
    /// take for ever.
    fn comes_together_within(
        spec: &Self::Spec,
        latency: SimDuration,
        sync: SimDuration,
    ) -> Option<SimDuration>;
    /// What a message is called, as a place in [`Protocol::MESSAGES`], and a number that tells it from others of its name: its term.
    fn told(message: &Self::Message) -> (usize, u64);
    /// Whether a message carries an operation of a client.
    fn carries(message: &Self::Message, op: Op) -> bool;
    /// What must hold whatever happens, by name, besides what it promises.
    fn invariants() -> &'static [Invariant<Self>];
    /// All writes that are left, as whoever is right at the end has it.
    fn left(nodes: &[&Self]) -> Vec<Op>;
}

/// A name, and what finds out whether it holds: what is wrong, if anything.
pub type Invariant<P> = (&'static str, fn(&View<P>) -> Option<String>);

/// All there is to be seen of a cluster.
pub struct View<'a, P: Protocol> {
    /// The nodes, those that are down as they were.
    pub nodes: Vec<&'a P>,
}

/// What a node has to say.
#[derive(Clone, Debug)]
pub enum Say<M> {
    /// A message to another node.
    To(Node, M),
    /// An answer to a client.
    Answer(Op, Answer),
}

/// What a node does about something: it is filled by the protocol and emptied by the cluster.
pub struct Outbox<P: Protocol> {
    /// The clock of this node, as it is now.
    now: Local,
    luck: Luck,
    key: Key,
    drawn: u64,
    pub(super) says: Vec<Say<P::Message>>,
    pub(super) early: Vec<Say<P::Message>>,
    pub(super) writes: Vec<P::Write>,
    /// Of each timer: after how long it rings, or that it does not.
    pub(super) timers: Vec<(usize, Option<SimDuration>)>,
    pub(super) done: Vec<(u64, Op)>,
    pub(super) decided: Vec<(u64, Op)>,
    pub(super) votes: Vec<(u64, Node)>,
    /// What came about that should, now and then.
    pub(super) marks: Vec<&'static str>,
}

impl<P: Protocol> Outbox<P> {
    /// One of a node with this luck.
    pub fn new(luck: Luck, key: Key) -> Self {
        Outbox {
            now: Local::default(),
            luck,
            key,
            drawn: 0,
            says: Vec::new(),
            early: Vec::new(),
            writes: Vec::new(),
            timers: Vec::new(),
            done: Vec::new(),
            decided: Vec::new(),
            votes: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// It is that late, by the node's own clock.
    pub fn is_now(&mut self, now: Local) {
        self.now = now;
    }

    /// What the clock of this node says. Another's says something else.
    pub fn now(&self) -> Local {
        self.now
    }

    /// Sends a message, once all that the node has written is on its disk.
    pub fn send(&mut self, to: Node, message: P::Message) {
        self.says.push(Say::To(to, message));
    }

    /// Sends a message, whatever is on its disk.
    pub fn send_early(&mut self, to: Node, message: P::Message) {
        self.early.push(Say::To(to, message));
    }

    /// Answers an operation, once all that the node has written is on its disk.
    pub fn answer(&mut self, op: Op, answer: Answer) {
        self.says.push(Say::Answer(op, answer));
    }

    /// Puts something on the disk: it is there when that has done it, and lost if the node crashes before.
    pub fn write(&mut self, write: P::Write) {
        self.writes.push(write);
    }

    /// Sets a timer: it rings after so long by the node's clock, and not when it was to before.
    pub fn set(&mut self, timer: usize, after: SimDuration) {
        self.timers.push((timer, Some(after)));
    }

    /// Stops a timer.
    pub fn stop(&mut self, timer: usize) {
        self.timers.push((timer, None));
    }

    /// The write that this node does at a place of the order, from 1.
    pub fn does(&mut self, place: u64, op: Op) {
        self.done.push((place, op));
    }

    /// It takes for decided what is to be done at a place of the log, from 1: of one place nobody may take another for decided.
    pub fn decides(&mut self, place: u64, op: Op) {
        self.decided.push((place, op));
    }

    /// It votes for a node, itself or another, in a term.
    pub fn votes_for(&mut self, term: u64, node: Node) {
        self.votes.push((term, node));
    }

    /// Says that something has come about that should now and then, or the run has not tried it.
    pub fn reached(&mut self, what: &'static str) {
        self.marks.push(what);
    }

    /// A time between two, each as likely.
    pub fn between(&mut self, least: SimDuration, most: SimDuration) -> SimDuration {
        self.drawn += 1;
        let unit = self.luck.at(self.key.child(self.drawn)).unit();
        let wide = most.as_nanos().saturating_sub(least.as_nanos());
        SimDuration::from_nanos(least.as_nanos() + (wide as f64 * unit) as u64)
    }

    /// What it says, taken out: for a test that drives a protocol by hand.
    #[cfg(test)]
    pub fn said(&mut self) -> Vec<(Node, P::Message)> {
        let to = |say| if let Say::To(to, message) = say { Some((to, message)) } else { None };
        self.early.drain(..).chain(self.says.drain(..)).filter_map(to).collect()
    }

    /// What it has written.
    #[cfg(test)]
    pub fn written(&mut self) -> &mut Vec<P::Write> {
        &mut self.writes
    }

    /// What was drawn.
    pub(super) fn used(&self) -> sim_core::StreamUse {
        self.luck.used()
    }
}
