//! What a simulator knows and no node does: who led when, what was done at each place of the order, and what clients were told of it.

use super::history::History;
use super::protocol::{Answer, Node, Op, Stand};
use crate::drive::Mark;
use crate::report::{Lane, Standing};
use sim_core::stats::{LatencyHistogram, TimeIntegral};
use sim_core::{SimDuration, SimTime};
use std::collections::BTreeMap;

/// The most stretches of a lane.
const MOST_CHANGES: usize = 2_000;

/// Counts, from the end of the warm-up on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub asked: u64,
    pub answered: u64,
    pub unknown: u64,
    /// Letters that were sent, and that the network lost.
    pub sent: u64,
    pub lost: u64,
    /// Nodes that began to lead, and that became something else in a term of their own without.
    pub led: u64,
    pub stood: u64,
}

/// The whole of it.
pub struct Truth {
    pub history: History,
    /// Who led first in which term.
    led: BTreeMap<u64, Node>,
    /// How often two led in one term, and which term and who the first time.
    pub twice: u64,
    pub both: Option<(u64, Node, Node)>,
    /// Who voted for whom in which term, and in which of its lives.
    votes: BTreeMap<(u64, Node), Vec<(Node, u32)>>,
    /// What was done at each place of the order, from 1, as whoever did it first has it; and how often somebody did something else there, and who the
    /// first time, where.
    pub done: Vec<Op>,
    pub forked: u64,
    /// Of each operation whether it was done, and how often one was done again.
    is_done: Vec<bool>,
    pub again: u64,
    pub fork: Option<(u64, Node)>,
    /// Who decided first what is at each place of the log, and the first place of which somebody took another for decided, and who.
    decided: Vec<Option<(Op, Node)>>,
    pub undecided: Option<(u64, Node, Node)>,
    /// Who leads now, of those that are up.
    leads: Vec<bool>,
    pub leaders: TimeIntegral,
    pub led_by_none: TimeIntegral,
    pub led_by_many: TimeIntegral,
    /// Since when nobody leads, and how long that took each time until somebody did.
    since: Option<SimTime>,
    pub elected: LatencyHistogram,
    /// When a client was last answered, and the longest that none was.
    answered_at: SimTime,
    pub silence: SimDuration,
    pub latency: LatencyHistogram,
    pub reads: LatencyHistogram,
    pub counts: Counts,
    pub warm_up: Counts,
    pub begun: SimTime,
    pub areas: [u128; 3],
    lanes: Vec<Vec<Standing>>,
    /// What should come about now and then, and how often it did.
    pub marks: BTreeMap<&'static str, u64>,
    /// Faults that struck somebody when they began, and that found nobody.
    pub struck: (u64, u64),
    pub lines: [Vec<f64>; 4],
    window: (Counts, [u128; 2], SimTime),
}

impl Truth {
    pub fn new(nodes: u32) -> Self {
        let level = |value: u64| {
            let mut level = TimeIntegral::default();
            level.set(SimTime::ZERO, value);
            level
        };
        Truth {
            history: History::default(),
            led: BTreeMap::new(),
            twice: 0,
            both: None,
            votes: BTreeMap::new(),
            done: Vec::new(),
            forked: 0,
            is_done: Vec::new(),
            again: 0,
            fork: None,
            decided: Vec::new(),
            undecided: None,
            leads: vec![false; nodes as usize],
            leaders: level(0),
            led_by_none: level(1),
            led_by_many: level(0),
            since: Some(SimTime::ZERO),
            elected: LatencyHistogram::new(),
            answered_at: SimTime::ZERO,
            silence: SimDuration::ZERO,
            latency: LatencyHistogram::new(),
            reads: LatencyHistogram::new(),
            counts: Counts::default(),
            warm_up: Counts::default(),
            begun: SimTime::ZERO,
            areas: [0; 3],
            lanes: vec![Vec::new(); nodes as usize],
            marks: BTreeMap::new(),
            struck: (0, 0),
            lines: Default::default(),
            window: (Counts::default(), [0; 2], SimTime::ZERO),
        }
    }

    pub fn sends(&mut self) {
        self.counts.sent += 1;
    }

    pub fn loses(&mut self) {
        self.counts.lost += 1;
    }

    pub fn strikes(&mut self, anybody: bool) {
        if anybody { self.struck.0 += 1 } else { self.struck.1 += 1 }
    }

    pub fn reached(&mut self, what: &'static str) {
        *self.marks.entry(what).or_default() += 1;
    }

    /// A node votes for one, itself or another.
    pub fn votes(&mut self, node: Node, life: u32, term: u64, whom: Node) {
        let votes = self.votes.entry((term, node)).or_default();
        if votes.last() != Some(&(whom, life)) {
            votes.push((whom, life));
        }
    }

    /// Whether a node leads in a term after which another has led.
    pub fn is_former(&self, node: Node, term: u64) -> bool {
        self.led.last_key_value().is_some_and(|(last, leads)| *last > term && *leads != node)
    }

    /// How two came to lead in a term: who voted twice, and why.
    pub fn why_two(&self, term: u64) -> Option<String> {
        let twice = |votes: &&Vec<(Node, u32)>| votes.iter().any(|(whom, _)| *whom != votes[0].0);
        let ((_, node), votes) =
            self.votes.range((term, 0)..=(term, Node::MAX)).find(|(_, votes)| twice(votes))?;
        let crashed = votes.last().is_some_and(|(_, life)| *life != votes[0].1);
        let why =
            if crashed { ": its vote was not on disk when it crashed" } else { " without a crash between" };
        Some(format!("node {node} voted twice{why}"))
    }

    /// A node takes for decided what is at a place of the log.
    pub fn decides(&mut self, node: Node, place: u64, op: Op) {
        let index = place as usize - 1;
        if self.decided.len() <= index {
            self.decided.resize(index + 1, None);
        }
        let (first, by) = *self.decided[index].get_or_insert((op, node));
        if first != op {
            self.undecided.get_or_insert((place, by, node));
        }
    }

    /// A node did an operation at a place of the order.
    pub fn does(&mut self, node: Node, place: u64, op: Op) {
        let index = place as usize - 1;
        match self.done.get(index) {
            None => {
                assert_eq!(index, self.done.len(), "operations are done one after another");
                self.done.push(op);
                if self.is_done.len() <= op as usize {
                    self.is_done.resize(op as usize + 1, false);
                }
                self.again += u64::from(std::mem::replace(&mut self.is_done[op as usize], true));
            }
            Some(done) if *done != op => {
                self.forked += 1;
                self.fork.get_or_insert((place, node));
            }
            Some(_) => {}
        }
    }

    /// Something keeps a node from the others, or no longer does.
    pub fn kept(&mut self, node: Node, by: &'static str, is: bool, now: SimTime) {
        let lane = &mut self.lanes[node as usize];
        let mut last = lane.last().cloned().unwrap_or_default();
        last.kept = is.then(|| by.to_owned());
        self.lies(node, last, now);
    }

    /// From now on a node's lane goes on like this.
    fn lies(&mut self, node: Node, mut next: Standing, now: SimTime) {
        let lane = &mut self.lanes[node as usize];
        if lane.len() == MOST_CHANGES {
            return;
        }
        let now = now.as_nanos();
        (next.from, next.to) = (now, u64::MAX);
        match lane.last_mut() {
            // What lasted for no time is not seen.
            Some(last) if last.from == now => *last = next,
            Some(last) => {
                last.to = now;
                lane.push(next);
            }
            None => lane.push(next),
        }
    }

    /// Where nodes stood, until now.
    pub fn lanes(&self, now: SimTime) -> Vec<Lane> {
        let lane = |(node, stretches): (usize, &Vec<Standing>)| {
            let mut stretches = stretches.clone();
            if let Some(last) = stretches.last_mut() {
                last.to = now.as_nanos();
            }
            Lane { name: format!("node {node}"), stretches }
        };
        self.lanes.iter().enumerate().map(lane).collect()
    }

    /// A node stands elsewhere now.
    pub fn stands(&mut self, node: Node, was: Stand, is: Stand, now: SimTime) {
        let kept =
            self.lanes[node as usize].last().and_then(|last| last.kept.clone()).filter(|_| is.role != "down");
        let lane =
            Standing { role: is.role.into(), term: is.term, leads: is.leads, kept, ..Standing::default() };
        self.lies(node, lane, now);
        if was.role != is.role {
            self.counts.stood += u64::from(is.role == "candidate");
        }
        if is.leads && !(was.leads && was.term == is.term) {
            let first = *self.led.entry(is.term).or_insert(node);
            if first != node {
                self.twice += 1;
                self.both.get_or_insert((is.term, first, node));
            }
            self.counts.led += 1;
            if let Some(since) = self.since.take() {
                self.elected.record(now.since(since));
            }
        }
        self.leads[node as usize] = is.leads;
        let leaders = self.leads.iter().filter(|leads| **leads).count() as u64;
        self.leaders.set(now, leaders);
        self.led_by_none.set(now, u64::from(leaders == 0));
        self.led_by_many.set(now, u64::from(leaders > 1));
        if leaders == 0 {
            self.since.get_or_insert(now);
        }
    }

    /// It is over for the client of an operation.
    pub fn ends(&mut self, op: Op, answer: Option<(Node, Answer)>, asked: SimTime, now: SimTime) {
        let Some((from, answer)) = answer else {
            self.counts.unknown += 1;
            return;
        };
        self.history.is_answered(op, from, answer, now);
        self.counts.answered += 1;
        let writes = self.history.seen[op as usize].writes;
        if writes { &mut self.latency } else { &mut self.reads }.record(now.since(asked));
        self.silence = self.silence.max(now.since(self.answered_at.max(self.begun)));
        self.answered_at = now;
    }

    pub fn areas(&self, now: SimTime) -> [u128; 3] {
        [&self.leaders, &self.led_by_none, &self.led_by_many].map(|level| level.area(now))
    }

    pub fn mark(&mut self, mark: Mark, now: SimTime) {
        match mark {
            Mark::WarmUpEnds => {
                (self.warm_up, self.begun, self.areas) = (self.counts, now, self.areas(now));
                (self.latency, self.reads) = (LatencyHistogram::new(), LatencyHistogram::new());
                (self.elected, self.silence) = (LatencyHistogram::new(), SimDuration::ZERO);
            }
            Mark::StretchBegins => {}
            Mark::WindowEnds => {
                let asked = self.history.seen.len() as u64;
                let counts = Counts { asked, ..self.counts };
                let [leaders, none, _] = self.areas(now);
                let (before, areas, then) =
                    std::mem::replace(&mut self.window, (counts, [leaders, none], now));
                let length = now.since(then);
                let per_second = |count: u64| count as f64 / length.as_secs_f64();
                let mean =
                    |area: u128, before: u128| (area - before) as f64 / length.as_nanos().max(1) as f64;
                let points = [
                    per_second(counts.asked - before.asked),
                    per_second(counts.answered - before.answered),
                    mean(leaders, areas[0]),
                    per_second(counts.sent - before.sent),
                ];
                self.lines.iter_mut().zip(points).for_each(|(line, point)| line.push(point));
            }
        }
    }
}

impl Truth {
    /// When a client was last answered.
    pub fn answered_at(&self) -> SimTime {
        self.answered_at
    }
}
