//! Clients of a cluster: they ask whom they think leads, and somebody else if they hear nothing.

use super::protocol::{Answer, Node, Op, Request};
use crate::distribution::TimeDistribution;
use crate::experiment::POSITIVE;
use crate::workload::Arrivals;
use sim_core::{SimDuration, SimTime, Timer};

spec! {
    /// Who asks what of a cluster.
    pub struct ClientSpec {
        /// When.
        arrivals: Arrivals,
        /// How many clients there are, each with an idea of its own who leads.
        sessions: u32 = 10; 1..=100_000,
        /// Which part of what they ask are writes.
        writes: f64 = 0.5; 0.0..=1.0,
        /// About how many keys, each as often.
        keys: u32 = 10; 1..=1_000_000,
        /// How long they wait for an answer before they ask somebody else.
        timeout: SimDuration = SimDuration::from_secs(1); POSITIVE,
        /// How long they wait if nobody knows who leads.
        pause: SimDuration = SimDuration::from_millis(50); POSITIVE,
        /// After how long they give up.
        patience: SimDuration = SimDuration::from_secs(10); POSITIVE,
        /// Whether what they ask has a key by which it is done once, however often they ask.
        idempotent: bool = true,
        /// How long a message to a node or from one takes.
        latency: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// Whether each stands beside a node, the clients in turn, and comes to the others over that node's links: a partition then parts
        /// clients, too. Otherwise links between nodes are none of theirs.
        beside: bool = false,
    }
}

/// What a client is at.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// What it asks.
    pub request: Request,
    /// Which client.
    pub session: u32,
    /// Whom it asked last.
    pub of: Node,
    /// How often it has asked, from 1.
    pub attempt: u32,
    /// When it asked first.
    pub asked: SimTime,
    /// When it asks somebody else.
    pub waits: Option<Timer>,
}

/// What to do about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is over.
    Over,
    /// To ask this one at once.
    Ask(Node),
    /// To wait, and ask this one.
    Wait(Node),
}

/// All clients.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Of each session, who it thinks leads.
    leads: Vec<Node>,
    nodes: u32,
    /// Of each operation, what its client is at, until it is over.
    asking: Vec<Option<Asking>>,
    /// How many are open.
    pub open: u64,
}

impl Clients {
    /// So many sessions of so many nodes: each thinks that the one beside it leads.
    pub fn new(sessions: u32, nodes: u32) -> Self {
        let leads = (0..sessions).map(|session| session % nodes).collect();
        Clients { leads, nodes, asking: Vec::new(), open: 0 }
    }

    /// Where a session stands.
    pub fn home(&self, session: u32) -> Node {
        session % self.nodes
    }

    /// A client begins to ask, and whom.
    pub fn begins(&mut self, request: Request, session: u32, now: SimTime) -> Node {
        let of = self.leads[session as usize];
        debug_assert_eq!(self.asking.len(), request.op as usize);
        self.asking.push(Some(Asking { request, session, of, attempt: 1, asked: now, waits: None }));
        self.open += 1;
        of
    }

    /// What is not over.
    pub fn asking(&self) -> impl Iterator<Item = &Asking> {
        self.asking.iter().flatten()
    }

    /// What the client of an operation is at, if it is not over.
    pub fn of(&mut self, op: Op) -> Option<&mut Asking> {
        self.asking[op as usize].as_mut()
    }

    /// It is over, one way or the other.
    pub fn is_over(&mut self, op: Op) -> Option<Asking> {
        let asking = self.asking[op as usize].take();
        self.open -= u64::from(asking.is_some());
        asking
    }

    /// What it does about an answer of this node. Who has been asked again does not mind who answers.
    pub fn hears(&mut self, op: Op, from: Node, answer: Answer) -> Option<Next> {
        let asking = self.asking[op as usize].as_mut()?;
        let session = asking.session as usize;
        Some(match answer {
            Answer::Done { .. } => {
                self.leads[session] = from;
                Next::Over
            }
            // What somebody says who is no longer asked is old.
            Answer::Elsewhere(_) if from != asking.of => return None,
            Answer::Elsewhere(Some(leads)) if leads != from => {
                self.leads[session] = leads;
                Next::Ask(leads)
            }
            Answer::Elsewhere(_) => {
                self.leads[session] = (from + 1) % self.nodes;
                Next::Wait(self.leads[session])
            }
        })
    }

    /// It has waited long enough: whom it asks now.
    pub fn asks_another(&mut self, op: Op) -> Option<Node> {
        let asking = self.asking[op as usize].as_mut()?;
        let session = asking.session as usize;
        if self.leads[session] == asking.of {
            self.leads[session] = (asking.of + 1) % self.nodes;
        }
        Some(self.leads[session])
    }
}
