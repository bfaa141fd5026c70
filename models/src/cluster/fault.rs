//! What goes wrong in a cluster: with nodes, and with the network between them.

use super::protocol::Node;
use crate::byte_size::ByteRate;
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node as Text, POSITIVE, Spanned};
use crate::fault;
use sim_core::{SimDuration, SimTime};

spec! {
    /// Something that goes wrong for a while.
    pub struct ClusterFault {
        /// When it begins.
        at: Spanned<SimTime>,
        /// How long it lasts; absent means until the end of the run.
        r#for: Option<SimDuration> = None; POSITIVE,
        /// After how long it begins again, each time looking anew for whom it strikes; once unless given.
        every: Option<SimDuration> = None; POSITIVE,
        /// Whom it strikes: "leader", who leads when it begins; "followers", all others; nodes by their numbers from 0, "0, 2"; "all".
        /// Of what parts the network two sides, "leader | followers", "0, 1 | 2, 3, 4", or one way, "0 -> 1, 2"; one side is against all others.
        on: String = String::from("all"),
        /// What it does.
        effect: Harm,
    }
}

spec! {
    /// What goes wrong.
    pub enum Harm {
        /// A node loses all but its disk, and what is not safe there. It comes up again when that is over.
        Crash,
        /// A node loses all, its disk too. It comes up again with what its last good backup has, if it has any, when that is restored.
        Wipe,
        /// Backups of a node say that they are done, and there is nothing in them.
        BackupsFail,
        /// A node stands still: it does nothing, and goes on where it was (a pause for garbage collection, a frozen machine).
        Pause,
        /// A node's processor is slower.
        Slow {
            /// How many times.
            factor: f64; 0.000_001..=1_000_000.0,
        },
        /// A node's disk takes longer to make things safe.
        SlowDisk {
            /// How many times.
            factor: f64; 0.000_001..=1_000_000.0,
        },
        /// A node's clock jumps, by so many seconds, and stays so.
        ClockStep {
            /// Forwards; backwards if less than none.
            seconds: f64; -1e6..=1e6,
        },
        /// A node's clock goes wrong.
        ClockDrift {
            /// By so many millionths.
            ppm: f64; -100_000.0..=100_000.0,
        },
        /// A second is inserted. With `for` it is smeared: the clock goes slower for so long. Without, it is there twice.
        LeapSecond,
        /// Messages do not pass.
        Partition,
        /// The network loses messages.
        Drop {
            /// Share of messages.
            probability: f64; 0.0..=1.0,
        },
        /// The network takes longer.
        Delay {
            /// What each message takes longer.
            add: TimeDistribution,
        },
        /// Messages come twice.
        Duplicate {
            /// Share of messages.
            probability: f64; 0.0..=1.0,
        },
        /// Messages overtake others.
        Reorder {
            /// Share of messages.
            probability: f64; 0.0..=1.0,
            /// How much longer they take.
            by: TimeDistribution,
        },
        /// The network keeps messages back until it is over.
        Hold,
        /// Each link carries so much, one message after another.
        Bandwidth {
            /// How much it carries.
            limit: ByteRate; POSITIVE,
        },
    }
}

impl Harm {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Harm::Crash => "crash",
            Harm::Wipe => "wipe",
            Harm::BackupsFail => "backups fail",
            Harm::LeapSecond => "leap second",
            Harm::Pause => "pause",
            Harm::Slow { .. } => "slow",
            Harm::SlowDisk { .. } => "slow disk",
            Harm::ClockStep { .. } => "clock step",
            Harm::ClockDrift { .. } => "clock drift",
            Harm::Partition => "partition",
            Harm::Drop { .. } => "drop",
            Harm::Delay { .. } => "delay",
            Harm::Duplicate { .. } => "duplicate",
            Harm::Reorder { .. } => "reorder",
            Harm::Hold => "hold",
            Harm::Bandwidth { .. } => "bandwidth",
        }
    }

    /// What it is to a link; none if it is of nodes.
    pub fn on_links(&self) -> Option<fault::Effect> {
        use fault::Effect;
        Some(match self {
            Harm::Partition => Effect::Drop { probability: 1.0 },
            Harm::Drop { probability } => Effect::Drop { probability: *probability },
            Harm::Delay { add } => Effect::Delay { add: add.clone() },
            Harm::Duplicate { probability } => Effect::Duplicate { probability: *probability },
            Harm::Reorder { probability, by } => {
                Effect::Reorder { probability: *probability, by: by.clone() }
            }
            Harm::Hold => Effect::Hold,
            Harm::Bandwidth { limit } => Effect::Bandwidth { limit: *limit },
            _ => return None,
        })
    }
}

/// Some of the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// All of them.
    All,
    /// Who leads when it begins.
    Leader,
    /// All but who leads when it begins.
    Followers,
    /// These.
    These(Vec<Node>),
    /// All that are not on the other side.
    Others,
}

/// Whom something strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// These nodes, or the links from them.
    pub from: Side,
    /// Of links: to these.
    pub to: Side,
    /// One way only.
    pub one_way: bool,
}

impl Target {
    /// What a text says, of so many nodes; or what is wrong with it.
    pub fn read(text: &str, nodes: u32) -> Result<Target, String> {
        let side = |text: &str| -> Result<Side, String> {
            Ok(match text.trim() {
                "all" => Side::All,
                "leader" => Side::Leader,
                "followers" => Side::Followers,
                "others" => Side::Others,
                text => {
                    let number = |text: &str| {
                        let number = text.trim();
                        let number = number.strip_prefix("node ").unwrap_or(number);
                        match number.parse::<Node>() {
                            Ok(number) if number < nodes => Ok(number),
                            Ok(number) => {
                                Err(format!("there is no node {number}: they are 0 to {}", nodes - 1))
                            }
                            Err(_) => Err(format!(
                                "{text:?} is no node: write a number, leader, followers, others or all"
                            )),
                        }
                    };
                    Side::These(text.split(',').map(number).collect::<Result<_, _>>()?)
                }
            })
        };
        Ok(if let Some((from, to)) = text.split_once("->") {
            Target { from: side(from)?, to: side(to)?, one_way: true }
        } else if let Some((from, to)) = text.split_once('|') {
            Target { from: side(from)?, to: side(to)?, one_way: false }
        } else {
            let from = side(text)?;
            let to = if from == Side::All { Side::All } else { Side::Others };
            Target { from, to, one_way: false }
        })
    }

    /// Who is on both sides, if that is so whoever leads.
    fn stands_on_both(&self) -> Option<String> {
        match (&self.from, &self.to) {
            (Side::These(from), Side::These(to)) => {
                let twice = from.iter().find(|node| to.contains(node))?;
                Some(format!("node {twice} is"))
            }
            (Side::Leader, Side::Leader) => Some("whoever leads is".into()),
            (Side::Followers, Side::Followers) => Some("followers are".into()),
            (Side::Others, Side::Others) => Some("nobody is named: others are".into()),
            _ => None,
        }
    }

    /// Whom it strikes, where this one leads.
    pub fn told(&self, leader: Option<Node>) -> String {
        let side = |side: &Side| match side {
            Side::All => "all".into(),
            Side::Leader => leader.map_or("nobody".into(), |node| node.to_string()),
            Side::Followers => "followers".into(),
            Side::Others => "others".into(),
            Side::These(these) => these.iter().map(Node::to_string).collect::<Vec<_>>().join(", "),
        };
        if self.from == Side::All && self.to == Side::All {
            return "all links".into();
        }
        format!("{} {} {}", side(&self.from), if self.one_way { "->" } else { "|" }, side(&self.to))
    }

    /// The nodes on its first side.
    pub fn nodes(&self, of: u32, leader: Option<Node>) -> Vec<Node> {
        members(&self.from, of, leader, &[])
    }

    /// The ways it strikes, from and to.
    pub fn ways(&self, of: u32, leader: Option<Node>) -> Vec<(Node, Node)> {
        let (mut from, mut to) = (members(&self.from, of, leader, &[]), members(&self.to, of, leader, &[]));
        if self.to == Side::Others {
            to = members(&Side::Others, of, leader, &from);
        }
        if self.from == Side::Others {
            from = members(&Side::Others, of, leader, &to);
        }
        let mut ways = Vec::new();
        for one in 0..of {
            for other in 0..of {
                let there = |a, b| from.contains(&a) && to.contains(&b);
                if one != other && (there(one, other) || !self.one_way && there(other, one)) {
                    ways.push((one, other));
                }
            }
        }
        ways
    }
}

/// Who is on a side, where the other side has these.
fn members(side: &Side, of: u32, leader: Option<Node>, other: &[Node]) -> Vec<Node> {
    match side {
        Side::All => (0..of).collect(),
        Side::Leader => leader.into_iter().collect(),
        Side::Followers => (0..of).filter(|node| Some(*node) != leader).collect(),
        Side::These(these) => these.clone(),
        Side::Others => (0..of).filter(|node| !other.contains(node)).collect(),
    }
}

/// Says which faults begin when the run is over.
pub fn check_run(faults: &[ClusterFault], end: SimTime, cx: &mut Decoder) {
    for fault in faults.iter().filter(|fault| fault.at.value >= end) {
        let message = format!("begins at {}, after the end of the run", fault.at.value);
        cx.error(fault.at.span, message).help("an earlier time, or a longer run");
    }
}

/// Says what is wrong with the faults of a cluster.
pub fn check(faults: &[ClusterFault], nodes: u32, at: &Text, cx: &mut Decoder) {
    for (number, fault) in faults.iter().enumerate() {
        let here = at.get("faults").and_then(|all| all.items().get(number)).unwrap_or(at);
        match Target::read(&fault.on, nodes) {
            Err(problem) => _ = cx.error(here.span_of("on"), problem),
            Ok(target) if fault.effect.on_links().is_none() && (target.one_way || fault.on.contains('|')) => {
                let message = format!("`{}` strikes nodes, and this is of links", fault.effect.name());
                cx.error(here.span_of("on"), message)
                    .help("name the nodes: leader, followers, all, or their numbers");
            }
            Ok(_) => {}
        }
        if let Some(twice) = Target::read(&fault.on, nodes).ok().and_then(|target| target.stands_on_both()) {
            cx.error(here.span_of("on"), format!("{twice} on both sides")).help("name each node on one side");
        }
        if let (Some(every), Some(length)) = (fault.every, fault.r#for)
            && every <= length
        {
            cx.error(here.span_of("every"), "it would begin again before it is over")
                .help("make it longer than `for`");
        }
        if fault.every.is_some()
            && fault.r#for.is_none()
            && !matches!(fault.effect, Harm::ClockStep { .. } | Harm::LeapSecond | Harm::Wipe)
        {
            cx.error(here.span_of("every"), "what never ends cannot begin again")
                .help("say how long it lasts: `for`");
        }
        if matches!(fault.effect, Harm::Wipe) && fault.r#for.is_some() {
            cx.error(here.span_of("for"), "a node that has lost all is back when its backup is restored")
                .help("leave it out: `node.backup` says how long that takes");
        }
        if matches!(fault.effect, Harm::ClockStep { .. }) && fault.r#for.is_some() {
            cx.error(here.span_of("for"), "a clock that has jumped stays so")
                .help("leave it out, or let it step back later");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_fault_strikes() {
        let ways = |text: &str, leader| Target::read(text, 3).unwrap().ways(3, leader);
        assert_eq!(ways("0 -> 1", None), [(0, 1)]);
        assert_eq!(ways("0 | 1", None), [(0, 1), (1, 0)]);
        assert_eq!(ways("0", None), [(0, 1), (0, 2), (1, 0), (2, 0)]);
        assert_eq!(ways("0, 1 | 2", None), [(0, 2), (1, 2), (2, 0), (2, 1)]);
        assert_eq!(ways("leader -> others", Some(2)), [(2, 0), (2, 1)]);
        assert_eq!(ways("leader | followers", Some(1)), [(0, 1), (1, 0), (1, 2), (2, 1)]);
        assert_eq!(ways("leader", None), []);
        assert_eq!(ways("all", None).len(), 6);
        let nodes = |text: &str| Target::read(text, 3).unwrap().nodes(3, Some(1));
        assert_eq!(
            (nodes("leader"), nodes("followers"), nodes("node 0, 2"), nodes("all").len()),
            (vec![1], vec![0, 2], vec![0, 2], 3)
        );
        for (text, says) in
            [("3", "0 to 2"), ("x", "is no node"), ("0 -> 7", "no node 7"), ("", "is no node")]
        {
            let said = Target::read(text, 3).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
