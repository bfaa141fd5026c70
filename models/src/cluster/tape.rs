//! What was said because of one operation, and what turned meanwhile: a sequence diagram in the making.
//!
//! A letter belongs to an operation if it carries it, or was written while one that belongs to it was read. What a node says because it stands elsewhere
//! now (it is elected, it steps down), and what is said because of that, belongs to all operations that are open meanwhile.

use super::protocol::{Node, Op};
use crate::trace::{Fate, Sequence, Step};
use sim_core::SimTime;
use std::collections::BTreeMap;

/// The most steps that are kept.
const MOST: usize = 20_000;
/// The most of one operation.
const MOST_OF_ONE: usize = 200;

/// What a letter belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// Nothing that is followed: a heartbeat.
    #[default]
    None,
    /// A node stands elsewhere now.
    Turn,
    /// This operation.
    Op(Op),
}

/// A place on a tape; absent for what is not on it.
pub type Mark = Option<u32>;

/// What is followed, and what came of it so far.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// Of each operation that is followed when it began and ended; of every one if none are named.
    followed: BTreeMap<Op, (Option<SimTime>, Option<SimTime>)>,
    all: bool,
    open: u32,
    steps: Vec<(Step, Vec<Op>, Cause)>,
    left_out: u64,
}

impl Tape {
    /// One of these operations.
    pub fn of(ops: impl Iterator<Item = Op>) -> Self {
        Tape { followed: ops.map(|op| (op, (None, None))).collect(), ..Tape::default() }
    }

    /// One of everything.
    pub fn of_all() -> Self {
        Tape { all: true, ..Tape::default() }
    }

    /// An operation begins.
    pub fn begins(&mut self, op: Op, now: SimTime) {
        if let Some(times) = self.followed.get_mut(&op) {
            times.0 = Some(now);
            self.open += 1;
        }
    }

    /// It is over for its client.
    pub fn ends(&mut self, op: Op, now: SimTime) {
        if let Some(times) = self.followed.get_mut(&op) {
            times.1 = Some(now);
            self.open -= 1;
        }
    }

    /// A step, if it belongs to something that is followed: where it is kept.
    pub fn step(&mut self, cause: Cause, carries: impl Fn(Op) -> bool, step: impl FnOnce() -> Step) -> Mark {
        let mut of: Vec<Op> = self.followed.keys().copied().filter(|op| carries(*op)).collect();
        match cause {
            Cause::Op(op) if (self.all || self.followed.contains_key(&op)) && !of.contains(&op) => {
                of.push(op)
            }
            Cause::Turn if self.all || self.open > 0 => {}
            _ if of.is_empty() => return None,
            _ => {}
        }
        if self.steps.len() == MOST {
            self.left_out += 1;
            return None;
        }
        self.steps.push((step(), of, cause));
        Some(self.steps.len() as u32 - 1)
    }

    /// What became of it.
    pub fn came(&mut self, mark: Mark, fate: Fate, now: SimTime) {
        if let Some(mark) = mark {
            let step = &mut self.steps[mark as usize].0;
            (step.fate, step.until) = (fate, Some(now.as_nanos()));
        }
    }

    /// When an operation was over for its client.
    pub fn ended(&self, op: Op) -> Option<SimTime> {
        self.followed.get(&op).and_then(|times| times.1)
    }

    /// All that belongs to one operation.
    pub fn sequence(&self, op: Op, nodes: Node) -> Sequence {
        let (from, to) = self.followed.get(&op).copied().unwrap_or_default();
        let from = from.map_or(0, SimTime::as_nanos);
        let to = to.map_or(u64::MAX, SimTime::as_nanos);
        let meanwhile = |step: &Step| (from..=to).contains(&step.at);
        let steps = self
            .steps
            .iter()
            .filter(|(step, of, cause)| of.contains(&op) || *cause == Cause::Turn && meanwhile(step));
        // What goes on after the client has its answer is not what it waited for.
        let steps: Vec<Step> = steps.map(|(step, ..)| step).filter(|step| step.at <= to).cloned().collect();
        let left_out = self.left_out + steps.len().saturating_sub(MOST_OF_ONE) as u64;
        Sequence {
            lifelines: lifelines(nodes),
            steps: steps.into_iter().take(MOST_OF_ONE).collect(),
            left_out,
        }
    }

    /// The last so many steps: of these operations and of what turned meanwhile; of nodes alone if of none.
    pub fn last(&self, most: usize, ops: &[Op], nodes: Node) -> Sequence {
        let clients = |step: &Step| step.from == 0 || step.to == Some(0);
        let is_of = |(step, of, cause): &&(Step, Vec<Op>, Cause)| match ops {
            [] => !clients(step),
            ops => of.iter().any(|op| ops.contains(op)) || *cause == Cause::Turn && !clients(step),
        };
        let all: Vec<&Step> = self.steps.iter().filter(is_of).map(|(step, ..)| step).collect();
        let from = all.len().saturating_sub(most);
        let steps = all[from..].iter().copied().cloned().collect();
        Sequence { lifelines: lifelines(nodes), steps, left_out: self.left_out + from as u64 }
    }
}

/// Who there is: clients first.
fn lifelines(nodes: Node) -> Vec<String> {
    std::iter::once("client".to_owned()).chain((0..nodes).map(|node| format!("node {node}"))).collect()
}
