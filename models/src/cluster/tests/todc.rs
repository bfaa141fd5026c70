//! A second opinion on histories: the checker of todc-utils, which searches for an order (Wing and Gong, 1993; Lowe, 2017), where ours is given one.
//!
//! **What is tested.** Of every history: if the order that it was made by explains it, the checker finds it linearisable. So what no order explains is
//! refused whatever order is given. The other way round: if the checker finds it linearisable, there is an order of its writes for which the witness
//! says so, too; all of them are tried.
//!
//! The checker wants all operations answered.

use super::*;
use crate::cluster::history::History;
use crate::cluster::machine::Machine;
use crate::cluster::protocol::{Answer, Op};
use crate::distribution::TimeDistribution;
use crate::drive::Drive;
use crate::protocol::raft::Server;
use crate::workload::Arrivals;
use ::todc_utils::specifications::register::{RegisterOperation, RegisterSpecification};
use ::todc_utils::{Action, WGLChecker};
use sim_core::{Engine, Key, Limits, Luck, Rate, Simulation, Stop, Words};

/// The most operations of a history, and the most writes: all orders of them are tried.
const MOST: usize = 14;
const MOST_WRITES: usize = 6;

/// A history, and the order in which its writes were done.
#[derive(Clone)]
struct Told {
    history: History,
    order: Vec<Op>,
}

impl Told {
    fn writes(&self) -> usize {
        self.history.seen.iter().filter(|seen| seen.writes).count()
    }

    fn is_explained(&self) -> Result<(), String> {
        self.history.is_explained_by(&self.order)
    }

    /// Whether the checker finds any order at all.
    fn is_linearisable(&self) -> bool {
        let mut events = Vec::new();
        for (op, seen) in self.history.seen.iter().enumerate() {
            let (asks, says) = if seen.writes {
                let writes = RegisterOperation::Write(Some(op as Op));
                (writes, writes)
            } else {
                (RegisterOperation::Read(None), RegisterOperation::Read(Some(seen.found)))
            };
            // What is asked at the moment of an answer overlaps it.
            events.push((seen.asked, 0, op, Action::Call(asks)));
            events.push((seen.answered.expect("all are"), 1, op, Action::Response(says)));
        }
        events.sort_by_key(|(at, what, op, _)| (*at, *what, *op));
        let actions = events.into_iter().map(|(_, _, op, action)| (op, action)).collect();
        WGLChecker::<RegisterSpecification<Option<Op>>>::is_linearizable(::todc_utils::History::from_actions(
            actions,
        ))
    }

    /// Whether there is an order of the writes that is a witness.
    fn has_a_witness(&self) -> bool {
        let writes: Vec<Op> =
            (0..).zip(&self.history.seen).filter(|(_, seen)| seen.writes).map(|(op, _)| op).collect();
        let mut history = self.history.clone();
        let mut order = writes;
        any_order(&mut order, 0, &mut |order| {
            // A read stands behind the write that it found.
            for seen in history.seen.iter_mut().filter(|seen| !seen.writes) {
                let place = seen.found.and_then(|found| order.iter().position(|op| *op == found));
                seen.at = place.map_or(0, |place| place as u64 + 1);
            }
            history.is_explained_by(order).is_ok()
        })
    }
}

/// Whether it holds of any order of these, those before `from` fixed.
fn any_order(ops: &mut [Op], from: usize, holds: &mut impl FnMut(&[Op]) -> bool) -> bool {
    if from == ops.len() {
        return holds(ops);
    }
    (from..ops.len()).any(|next| {
        ops.swap(from, next);
        let found = any_order(ops, from + 1, holds);
        ops.swap(from, next);
        found
    })
}

/// What is drawn for histories.
struct Dice {
    luck: Luck,
    drawn: u64,
}

impl Dice {
    fn of(seed: u64) -> Self {
        Dice { luck: Streams::new(seed).luck("histories", "test"), drawn: 0 }
    }

    fn below(&mut self, n: usize) -> usize {
        self.drawn += 1;
        self.luck.at(Key::root(0, self.drawn)).below(n as u64) as usize
    }
}

/// A history that is good because of how it is made: each operation takes effect at a moment between its question and its answer.
fn made(dice: &mut Dice) -> Told {
    // Of each operation when it is asked, takes effect, and is answered, and whether it writes.
    let mut ops = Vec::new();
    let clients = 2 + dice.below(3);
    let mut writes = 0;
    for _ in 0..clients {
        let mut now = 1;
        for _ in 0..1 + dice.below(MOST / clients) {
            let asked = now + dice.below(8);
            let effect = asked + dice.below(12);
            let answered = effect + dice.below(12);
            let is_write = writes < MOST_WRITES && dice.below(2) == 0;
            writes += usize::from(is_write);
            ops.push((asked, effect, answered, is_write));
            now = answered;
        }
    }
    ops.sort_unstable();
    let at = |moment: usize| SimTime::from_nanos(moment as u64);
    let mut history = History::default();
    for (asked, _, _, writes) in &ops {
        history.asks(0, *writes, at(*asked));
    }
    let mut by_effect: Vec<usize> = (0..ops.len()).collect();
    by_effect.sort_by_key(|op| (ops[*op].1, *op));
    let mut order: Vec<Op> = Vec::new();
    for op in by_effect {
        let (_, _, answered, writes) = ops[op];
        let found = order.last().copied().filter(|_| !writes);
        order.extend(writes.then_some(op as Op));
        let answer = Answer::Done { found, at: order.len() as u64 };
        history.is_answered(op as Op, 0, answer, at(answered));
    }
    Told { history, order }
}

/// What a cluster of Raft does with one key under a schedule of faults, until nobody waits. None if somebody gave up, or it is too long.
fn simulated(base: &ClusterSpec, seed: u64) -> Option<Told> {
    let mut cluster = explore::draw(base, seed);
    cluster.clients.keys = 1;
    cluster.clients.latency = TimeDistribution::exponential(SimDuration::from_millis(30));
    cluster.clients.arrivals = Arrivals::Poisson(Rate::per_sec(30.0).expect("above 0"));
    let ProtocolSpec::Raft(own) = &cluster.protocol else { unreachable!("it is of Raft") };
    let machine = Machine::<Server>::new(&cluster, own, &Streams::new(seed));
    let mut simulation = Simulation::with_engine(machine, Engine::Fast, Limits::default());
    simulation.pause_every(1);
    let (model, ctx) = simulation.parts();
    model.begin(ctx);
    loop {
        let stop = simulation.run_until(SimTime::from_secs(20));
        let model = simulation.model();
        let asked = model.truth.history.seen.len();
        if asked > MOST || stop != Stop::Paused {
            return None;
        }
        if asked >= 6 && model.clients.open == 0 {
            let told = Told { history: model.truth.history.clone(), order: model.truth.done.clone() };
            let all = told.history.seen.iter().all(|seen| seen.answered.is_some());
            return (all && told.writes() <= MOST_WRITES).then_some(told);
        }
    }
}

/// The same with a fault, which may do no harm. None if there is nothing to change.
fn planted(good: &Told, dice: &mut Dice) -> Option<Told> {
    let mut bad = good.clone();
    let seen = &mut bad.history.seen;
    let reads: Vec<usize> = (0..seen.len()).filter(|op| !seen[*op].writes).collect();
    match dice.below(3) {
        // A read found something else.
        0 => {
            let read = *reads.get(dice.below(reads.len().max(1)))?;
            let all = std::iter::once(None).chain(good.order.iter().copied().map(Some));
            let others: Vec<_> = all.filter(|found| *found != seen[read].found).collect();
            seen[read].found = *others.get(dice.below(others.len().max(1)))?;
        }
        // Two reads found what the other did.
        1 => {
            let (one, other) =
                (*reads.get(dice.below(reads.len().max(1)))?, *reads.get(dice.below(reads.len().max(1)))?);
            if seen[one].found == seen[other].found {
                return None;
            }
            (seen[one].found, seen[other].found) = (seen[other].found, seen[one].found);
            (seen[one].at, seen[other].at) = (seen[other].at, seen[one].at);
        }
        // Something was answered as soon as it was asked.
        _ => {
            let op = dice.below(seen.len());
            seen[op].answered = Some(seen[op].asked);
        }
    }
    Some(bad)
}

/// How often what came about.
#[derive(Debug, Default)]
struct Counts {
    /// Histories that their order explains.
    explained: u32,
    /// Changed, and still explained by the order that they were made by.
    harmless: u32,
    /// Changed, and explained by another order only.
    otherwise: u32,
    /// That no order explains, and of these: refused for what a read found, and for what came after it.
    refused: u32,
    found: u32,
    late: u32,
}

impl Counts {
    fn holds(&mut self, told: &Told, is_planted: bool, which: &str) {
        let (explained, linearisable) = (told.is_explained(), told.is_linearisable());
        let shown = || format!("{which}: {:#?} in the order {:?}", told.history.seen, told.order);
        if !is_planted {
            assert_eq!(explained, Ok(()), "{}", shown());
        }
        assert_eq!(told.has_a_witness(), linearisable, "{}", shown());
        match (explained, linearisable) {
            (Ok(()), false) => panic!("explained, and not linearisable, {}", shown()),
            (Ok(()), true) if is_planted => self.harmless += 1,
            (Ok(()), true) => self.explained += 1,
            (Err(_), true) => self.otherwise += 1,
            (Err(how), false) => {
                self.refused += 1;
                self.found += u32::from(how.contains("was written last"));
                self.late += u32::from(how.contains("comes after it"));
            }
        }
    }
}

#[test]
fn witnesses_say_what_a_search_for_an_order_says() {
    let base = read(r#"(protocol: Raft(), clients: (arrivals: Poisson("20/s")))"#);
    let runs = (0..).filter_map(|seed| Some((format!("run {seed}"), simulated(&base, seed)?))).take(250);
    let makes = (0..250).map(|seed| (format!("made {seed}"), made(&mut Dice::of(seed))));
    let good: Vec<(String, Told)> = runs.chain(makes).collect();
    let mut counts = Counts::default();
    for (seed, (which, told)) in (0..).zip(&good) {
        counts.holds(told, false, which);
        // Of a few changes the first that no order explains, if one is: half of them do no harm.
        let mut dice = Dice::of(1_000 + seed);
        let changes = std::iter::repeat_with(|| planted(told, &mut dice)).take(20).flatten().take(4);
        let changes: Vec<Told> = changes.collect();
        let bad = changes.iter().find(|bad| !bad.is_linearisable()).or(changes.last());
        if let Some(bad) = bad {
            counts.holds(bad, true, &format!("{which}, changed"));
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.explained, 500);
    assert!(counts.refused >= 250 && counts.otherwise >= 20, "{counts:?}");
    assert!(counts.found >= 50 && counts.late >= 50, "{counts:?}");
}
