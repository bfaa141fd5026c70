//! Nodes that tell one another what happens: a protocol on clocks, disks, processors and links of its nodes, and clients who depend on it.
//!
//! The protocol is a state machine ([`Protocol`]) and knows nothing of all that. What it says takes time on the way, may be lost, and waits for the disk;
//! what it hears waits for its processor; its timers ring by its own clock.
//!
//! **Truth.** No node knows who leads; the simulator does. Leaders of one term are counted, operations that two nodes do at one place of
//! the order, writes that were answered and are gone, reads that found what was older than what had been answered.
//!
//! **Left out.** Nodes that lie, disks that forget what they have made safe, members that come and go.

mod asking;
pub mod clients;
pub mod clock;
pub mod explore;
pub mod fault;
mod harm;
pub mod history;
mod kinds;
mod machine;
mod node;
pub mod protocol;
mod summary;
mod tape;
#[cfg(test)]
mod tests;
mod truth;

use crate::diagram::{self, Diagram, Link, NodeKind};
use crate::distribution::TimeDistribution;
use crate::drive;
use crate::experiment::{Decode, Decoder, Node, Shape, TypeDoc, VariantDoc, join_doc};
use crate::protocol::{Paxos, PrimaryBackup, Raft};
use crate::report::Section;
use crate::run::{Explanation, Observer, RunOptions, RunOutput};
use crate::{Entry, RunSpec, Scenario};
pub use clients::ClientSpec;
pub use clock::{ClockSpec, Local};
pub use fault::{ClusterFault, Harm};
use machine::Machine;
pub use node::NodeSpec;
pub use protocol::{Answer, Op, Outbox, Protocol, Request, Stand, View};
use sim_core::{SimDuration, SimTime, Streams};

/// The most nodes that a cluster has.
pub const MOST_NODES: usize = 25;

spec! {
    /// Nodes that agree on something, and clients who ask them.
    pub struct ClusterSpec where check {
        /// How many nodes there are.
        nodes: u32 = 3; 1..=MOST_NODES as u32,
        /// What they do.
        protocol: ProtocolSpec,
        /// How long a message from one to another takes, one way.
        latency: TimeDistribution = TimeDistribution::constant(SimDuration::from_millis(1)),
        /// What each is made of.
        node: NodeSpec = NodeSpec::default(),
        /// Of each node, from node 0 on, how its clock is wrong; the others' are right.
        clocks: Vec<ClockSpec> = Vec::new(),
        /// Who asks them.
        clients: ClientSpec,
        /// What goes wrong.
        faults: Vec<ClusterFault> = Vec::new(),
    }
}

/// The protocols that a file can name, and what runs them.
macro_rules! protocols {
    ($($(#[doc = $doc:literal])* $name:ident runs $server:ty),* $(,)?) => {
        /// What nodes do to agree.
        #[derive(Clone, Debug)]
        pub enum ProtocolSpec {
            $($(#[doc = $doc])* $name($name)),*
        }

        impl Decode for ProtocolSpec {
            fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
                match cx.variant(node, Self::describe)? {
                    $(stringify!($name) => $name::decode(node, cx).map(ProtocolSpec::$name),)*
                    _ => cx.unknown_variant(node, Self::describe),
                }
            }
            fn encode(&self) -> Node {
                match self {
                    $(ProtocolSpec::$name(own) => own.encode().named(Some(stringify!($name)))),*
                }
            }
            fn describe() -> TypeDoc {
                let variants = vec![$({
                    let Shape::Struct(fields) = $name::describe().shape else { unreachable!("it has fields") };
                    let doc = join_doc(&[$($doc),*]);
                    VariantDoc { name: stringify!($name), doc, fields, positional: false }
                }),*];
                TypeDoc { name: "Protocol".into(), doc: "What nodes do to agree.".into(), shape: Shape::Enum(variants) }
            }
        }

        impl ProtocolSpec {
            fn varies(&mut self, latency: SimDuration, draws: &mut explore::Draws) -> [SimDuration; 2] {
                match self {
                    $(ProtocolSpec::$name(own) => <$server>::varies(own, latency, draws)),*
                }
            }
        }

        impl ClusterSpec {
            fn run_protocol(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
                match &self.protocol {
                    $(ProtocolSpec::$name(own) => self.drive::<$server>(own, run, options, observer)),*
                }
            }

            fn explained(&self) -> Vec<String> {
                match &self.protocol {
                    $(ProtocolSpec::$name(own) => <$server>::explains(own, self)),*
                }
            }

            fn examined(&self, seed: u64, closely: bool) -> explore::Findings {
                match &self.protocol {
                    $(ProtocolSpec::$name(own) => self.examine_as::<$server>(own, seed, closely)),*
                }
            }
        }
    };
}

protocols! {
    /// A leader that a majority has elected, and a log that is the same wherever a majority has it (Ongaro and Ousterhout, 2014).
    Raft runs crate::protocol::raft::Server,
    /// What a majority has accepted is chosen, whoever proposes (Lamport, 2001).
    Paxos runs crate::protocol::paxos::Server,
    /// Who has the lowest number of those that are alive leads, and the others copy what it does.
    PrimaryBackup runs crate::protocol::primary_backup::Server,
}

fn check(cluster: &ClusterSpec, at: &Node, cx: &mut Decoder) {
    fault::check(&cluster.faults, cluster.nodes, at, cx);
    if cluster.clocks.len() > cluster.nodes as usize {
        let message = format!("{} clocks of {} nodes", cluster.clocks.len(), cluster.nodes);
        cx.error(at.span_of("clocks"), message).help("one for each, from node 0 on");
    }
}

/// The catalog's line.
pub const ENTRY: Entry = Entry::of::<ClusterSpec>(
    "Cluster",
    "nodes that agree by messages: elections, logs, clocks and disks, and what clients see of them",
    1,
);

impl ClusterSpec {
    fn drive<P: Protocol>(
        &self,
        own: &P::Spec,
        run: &RunSpec,
        options: &RunOptions,
        observer: Observer,
    ) -> RunOutput {
        let build = |streams: &Streams| {
            let mut machine = Machine::<P>::new(self, own, streams);
            if let Some(tracing) = &options.trace {
                machine.traces(tracing, SimTime::ZERO + run.warm_up);
            }
            machine
        };
        drive::run(run, options, observer, build, |machine, reached, output| {
            summary::fill(&machine, reached, &mut output.report);
            output.traces = summary::traces(machine, reached, options.trace.as_ref());
        })
    }
}

impl Scenario for ClusterSpec {
    fn check(&self, run: &RunSpec, cx: &mut Decoder) {
        fault::check_run(&self.faults, SimTime::ZERO + run.duration, cx);
    }

    fn sections(&self, _run: &RunSpec) -> Vec<Section> {
        summary::declared()
    }

    fn values(&self, _run: &RunSpec) -> Vec<String> {
        summary::NAMES.map(String::from).to_vec()
    }

    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        self.run_protocol(run, options, observer)
    }

    fn explores(&self) -> Option<&ClusterSpec> {
        Some(self)
    }

    fn untraceable(&self) -> Option<&'static str> {
        None
    }

    fn explain(&self, _run: &RunSpec) -> Explanation {
        Explanation { notes: self.explained(), ..Explanation::default() }
    }

    fn diagram(&self) -> Diagram {
        let node = |name: String, kind, facts| diagram::Node { name, kind, facts, faults: Vec::new() };
        let clients =
            node("clients".into(), NodeKind::Users, vec![format!("{} sessions", self.clients.sessions)]);
        let mut facts = vec![format!("work {}", diagram::time(&self.node.work))];
        facts.push(format!("disk {}", diagram::time(&self.node.sync)));
        let cluster = node(format!("{} nodes", self.nodes), NodeKind::Store, facts);
        let each_way = vec![format!("each way {}", diagram::time(&self.clients.latency))];
        let links =
            vec![Link { from: 0, to: 1, name: machine::EDGE.into(), facts: each_way, ..Link::default() }];
        Diagram { nodes: vec![clients, cluster], links, notes: Vec::new() }
    }
}
