//! A cluster as one number has it: how large and how hurried it is, what goes wrong when.
//!
//! Not every schedule has a bit of everything: each has a few kinds of faults, of one length and one haste, since a mistake that needs five crashes in a
//! row hides where there are ten other kinds (swarm testing: Groce and others, ISSTA 2012).

use crate::cluster::ClusterSpec;
use crate::cluster::fault::{ClusterFault, Harm};
use crate::distribution::TimeDistribution;
use crate::experiment::Spanned;
use crate::workload::Arrivals;
use sim_core::{Key, Luck, Rate, SimDuration, SimTime, Streams, Words};

/// How long the faults of a schedule last, all together.
const UNREST: SimDuration = SimDuration::from_secs(6);
/// The most faults of a schedule.
const MOST_FAULTS: u64 = 12;

/// What is drawn for a schedule.
pub struct Draws {
    luck: Luck,
    drawn: u64,
}

impl Draws {
    fn of(seed: u64) -> Self {
        Draws { luck: Streams::new(seed).luck("schedule", "explore"), drawn: 0 }
    }

    /// Less than `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.drawn += 1;
        self.luck.at(Key::root(0, self.drawn)).below(n)
    }

    /// Both ends may be drawn.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Once in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A time, in whole microseconds.
    pub fn time(&mut self, least: SimDuration, most: SimDuration) -> SimDuration {
        SimDuration::from_micros(
            self.between(least.as_nanos() / 1_000, (most.as_nanos() / 1_000).max(least.as_nanos() / 1_000)),
        )
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// The kinds of faults that there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Crash,
    Pause,
    Partition,
    Loss,
    Twice,
    Overtaking,
    Late,
    SlowDisk,
}

/// What breaks most is there most often.
const KINDS: [Kind; 14] = [
    Kind::Crash,
    Kind::Crash,
    Kind::Crash,
    Kind::Crash,
    Kind::Partition,
    Kind::Partition,
    Kind::Partition,
    Kind::Partition,
    Kind::Pause,
    Kind::Loss,
    Kind::Twice,
    Kind::Overtaking,
    Kind::Late,
    Kind::SlowDisk,
];

/// A cluster as this number has it, from that of an experiment: its protocol is the same, with other times.
pub fn draw(of: &ClusterSpec, seed: u64) -> ClusterSpec {
    let draws = &mut Draws::of(seed);
    let mut spec = of.clone();
    spec.nodes = draws.one_of(&[3, 3, 3, 5, 5, 7]);
    let most = draws.one_of(&[2, 10, 30]);
    let mean = SimDuration::from_micros(draws.between(200, most * 1_000));
    spec.latency =
        if draws.one_in(2) { TimeDistribution::exponential(mean) } else { TimeDistribution::constant(mean) };
    let mut sometimes = |least: u64, most: u64| {
        let micros = if draws.one_in(2) { 0 } else { draws.between(least, most) };
        TimeDistribution::constant(SimDuration::from_micros(micros))
    };
    spec.node.sync = sometimes(100, 20_000);
    spec.node.work = sometimes(10, 200);
    spec.node.start = sometimes(1_000, 300_000);
    spec.clocks.clear();
    let clients = &mut spec.clients;
    clients.arrivals = Arrivals::Poisson(Rate::per_sec(draws.between(2, 30) as f64).expect("above 0"));
    clients.sessions = draws.between(1, 6) as u32;
    clients.keys = draws.between(1, 3) as u32;
    clients.beside = draws.one_in(2);
    clients.timeout = SimDuration::from_millis(draws.between(300, 1_500));
    let [soonest, pace] = spec.protocol.varies(mean + spec.node.sync.mean(), draws);

    let swarm: Vec<Kind> = (0..draws.between(1, 3)).map(|_| draws.one_of(&KINDS)).collect();
    // In the time of the protocol, or of a few messages.
    let [gap, length] =
        [2, 3].map(|most| draws.one_of(&[SimDuration::from_millis(5), pace, pace.saturating_mul(most)]));
    // Most begin in the first election or before, when all is new.
    let begins = match draws.below(4) {
        0 => SimDuration::ZERO,
        1 | 2 => draws.time(soonest, pace),
        _ => draws.time(SimDuration::ZERO, SimDuration::from_millis(1_500)),
    };
    let mut at = SimTime::ZERO + begins;
    spec.faults.clear();
    for _ in 0..draws.between(1, MOST_FAULTS) {
        let left = (SimTime::ZERO + UNREST).since(at);
        if left.is_zero() {
            break;
        }
        // What is slow several times over is slow for longer than the schedule lasts.
        let drawn = draws.one_of(&swarm);
        let is_slow = |fault: &ClusterFault| matches!(fault.effect, Harm::SlowDisk { .. });
        let kind =
            if drawn == Kind::SlowDisk && spec.faults.iter().any(is_slow) { Kind::Pause } else { drawn };
        let length = draws.time(SimDuration::from_micros(500), length).min(left);
        let (on, effect) = harm(kind, spec.nodes, draws);
        spec.faults.push(ClusterFault {
            at: Spanned { value: at, ..Spanned::default() },
            r#for: Some(length),
            every: None,
            on,
            effect,
        });
        at = (at + draws.time(SimDuration::ZERO, gap)).min(SimTime::ZERO + UNREST);
    }
    spec
}

fn harm(kind: Kind, nodes: u32, draws: &mut Draws) -> (String, Harm) {
    let node = |draws: &mut Draws| match draws.below(2) {
        0 => "leader".to_owned(),
        _ => draws.below(nodes.into()).to_string(),
    };
    let share = |draws: &mut Draws, most: u64| draws.between(5, most) as f64 / 100.0;
    let all = || "all".to_owned();
    let by =
        |draws: &mut Draws| TimeDistribution::exponential(SimDuration::from_millis(draws.between(5, 200)));
    match kind {
        Kind::Crash => (node(draws), Harm::Crash),
        Kind::Pause => (node(draws), Harm::Pause),
        Kind::SlowDisk => (node(draws), Harm::SlowDisk { factor: draws.between(2, 100) as f64 }),
        Kind::Partition => (sides(nodes, draws), Harm::Partition),
        Kind::Loss => (all(), Harm::Drop { probability: share(draws, 40) }),
        Kind::Twice => (all(), Harm::Duplicate { probability: share(draws, 50) }),
        Kind::Overtaking => (all(), Harm::Reorder { probability: share(draws, 50), by: by(draws) }),
        Kind::Late => (sides(nodes, draws), Harm::Delay { add: by(draws) }),
    }
}

/// Who is parted from whom.
fn sides(nodes: u32, draws: &mut Draws) -> String {
    let list =
        |range: std::ops::Range<u32>| range.map(|node| node.to_string()).collect::<Vec<_>>().join(", ");
    match draws.below(7) {
        0 => "leader".to_owned(),
        1 => "leader -> others".to_owned(),
        2 => "others -> leader".to_owned(),
        3 => {
            let cut = draws.between(1, u64::from(nodes) - 1) as u32;
            format!("{} | {}", list(0..cut), list(cut..nodes))
        }
        4 | 5 => {
            let (one, other) = (draws.below(nodes.into()), draws.below(u64::from(nodes) - 1));
            format!("{one} | {}", if other < one { other } else { other + 1 })
        }
        _ => draws.below(nodes.into()).to_string(),
    }
}
