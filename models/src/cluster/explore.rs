//! Random schedules of a cluster: what goes wrong when, and how large and how hurried the cluster is, from one number; what must hold after each event;
//! and the shortest scenario that still breaks it.
//!
//! After TigerBeetle's simulator (a seed decides the whole configuration; when faults end, a majority must come together) and delta debugging (Zeller and
//! Hildebrandt, 2002).

mod schedule;

use super::fault::Harm;
use super::protocol::{Protocol, View};
use super::tape::Tape;
use super::{ClusterSpec, Machine};
use crate::drive::Drive;
use crate::trace::Sequence;
pub use schedule::{Draws, draw};
use sim_core::{Engine, Limits, SimDuration, SimTime, Simulation, Stop, Streams};
use std::collections::BTreeMap;

/// What a schedule came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// What was broken first, and how: the name of an invariant and a sentence.
    pub broken: Option<(String, String)>,
    /// When.
    pub at: SimTime,
    /// After how many events.
    pub events: u64,
    /// When it is over: some time after the last fault has ended.
    pub end: SimTime,
    /// What should come about now and then, and how often it did.
    pub marks: BTreeMap<&'static str, u64>,
    /// What was said last, where that was asked for.
    pub sequence: Option<Sequence>,
}

/// What is not so if clients wait and nobody answers, when nothing has been wrong for long enough.
const APART: &str = "a majority comes together";
/// What is not so if a read finds what is old.
const STALE: &str = "reads are not stale";
/// Of every protocol that has leaders.
pub(super) const ASKED_A_FORMER: &str = "a leader that another has replaced is asked";
/// The most events of a schedule, of which most have less than a twentieth.
const MOST_EVENTS: u64 = 1_000_000;
/// The most steps of a picture.
const MOST_STEPS: usize = 40;

impl ClusterSpec {
    /// Runs it as it is, and looks after each event whether everything holds that must; and at the end, when nothing has been wrong for a while, whether
    /// the cluster answers.
    pub fn examine(&self, seed: u64) -> Findings {
        self.examined(seed, false)
    }

    /// The same, with what was said last.
    pub fn examine_closely(&self, seed: u64) -> Findings {
        self.examined(seed, true)
    }

    pub(super) fn examine_as<P: Protocol>(&self, own: &P::Spec, seed: u64, closely: bool) -> Findings {
        let streams = Streams::new(seed);
        let limits = Limits { events: MOST_EVENTS, ..Limits::default() };
        let mut machine = Machine::<P>::new(self, own, &streams);
        machine.tape = closely.then(|| Box::new(Tape::of_all()));
        let mut simulation = Simulation::with_engine(machine, Engine::Fast, limits);
        simulation.pause_every(1);
        let (model, ctx) = simulation.parts();
        model.begin(ctx);
        let last =
            self.faults.iter().filter_map(|fault| fault.r#for.map(|length| fault.at.value + length)).max();
        // A disk that was slow is at what it began then.
        let slow = |effect: &Harm| if let Harm::SlowDisk { factor } = effect { *factor } else { 1.0 };
        let slow: f64 = self.faults.iter().map(|fault| slow(&fault.effect)).product();
        let rest = SimDuration::drawn(self.node.sync.mean().as_nanos() as f64 * (slow - 1.0));
        let calm = last.unwrap_or(SimTime::ZERO) + rest;
        // Of what goes on for ever nothing is asked.
        let over = self.faults.iter().all(|fault| fault.every.is_none() && fault.r#for.is_some());
        let within =
            P::comes_together_within(own, self.latency.mean(), self.node.sync.mean()).filter(|_| over);
        let end = calm + within.unwrap_or(SimDuration::from_secs(3));
        let mut findings = Findings { end, ..Findings::default() };
        let mut stop = Stop::Paused;
        while matches!(stop, Stop::Paused) && findings.broken.is_none() {
            stop = simulation.run_until(end);
            findings.events += 1;
            let model = simulation.model_mut();
            if std::mem::take(&mut model.changed) {
                findings.broken = model.broken();
            }
        }
        let now = simulation.now();
        findings.at = now;
        let model = simulation.model_mut();
        if findings.broken.is_none() {
            findings.broken = match stop {
                Stop::Events(_) | Stop::Instant(_) => Some((
                    APART.into(),
                    format!("{MOST_EVENTS} events came about until {now}, and it was not over"),
                )),
                _ => model.is_apart(calm, within.map(|_| end)).map(|how| (APART.into(), how)),
            };
        }
        findings.marks = P::MARKS.iter().chain(&[ASKED_A_FORMER]).map(|mark| (*mark, 0)).collect();
        findings.marks.extend(model.truth.marks.iter().map(|(mark, count)| (*mark, *count)));
        let is_read = findings.broken.as_ref().is_some_and(|(name, _)| name == STALE);
        let ops = model
            .truth
            .history
            .stale_read
            .filter(|_| is_read)
            .map_or(vec![], |(read, _, write)| vec![read, write]);
        findings.sequence = model.tape.take().map(|tape| tape.last(MOST_STEPS, &ops, self.nodes));
        findings
    }
}

impl<P: Protocol> Machine<'_, P> {
    /// What does not hold now and must. (What one of two leaders of a term is told of is the last that began.)
    fn broken(&self) -> Option<(String, String)> {
        let truth = &self.truth;
        let promises = P::promises(self.own);
        if promises.one_leader
            && let Some((term, one, other)) = truth.both
        {
            let why = truth.why_two(term).map_or(String::new(), |why| format!(", because {why}"));
            return Some((
                "one leader a term".into(),
                format!("two leaders in term {term}, nodes {one} and {other}{why}"),
            ));
        }
        if promises.one_order
            && let Some((place, one, other)) = truth.undecided
        {
            let how = format!(
                "nodes {one} and {other} take different operations for decided at place {place} of the log"
            );
            return Some(("one is decided at a place".into(), how));
        }
        if promises.one_order
            && let Some((place, node)) = truth.fork
        {
            let how = format!(
                "node {node} did another write as number {place} than a node that had done one before it"
            );
            return Some(("everybody does the same".into(), how));
        }
        let view = View { nodes: self.nodes.iter().map(|place| &place.state).collect() };
        for (name, holds) in P::invariants() {
            if let Some(how) = holds(&view) {
                return Some(((*name).to_owned(), how));
            }
        }
        if promises.linearisable
            && let Some((read, node, write)) = truth.history.stale_read
        {
            let leads = self.leader().filter(|leads| *leads != node);
            let why = leads
                .map_or(String::new(), |leads| format!(", because it did not know that node {leads} leads"));
            let how = format!(
                "node {node} answered read {read} with what was older than write {write}, answered before it was asked{why}"
            );
            return Some((STALE.into(), how));
        }
        None
    }

    /// What is not as it should be when nothing has been wrong for a while.
    fn is_apart(&self, calm: SimTime, end: Option<SimTime>) -> Option<String> {
        if let Some(end) = end
            && self.truth.answered_at() <= calm
            && self.clients.open > 0
        {
            return Some(format!(
                "nobody was answered from {calm}, when nothing was wrong any more, until {end}"
            ));
        }
        if P::promises(self.own).linearisable
            && let Err(how) = self.truth.history.is_explained_by(&self.truth.done)
        {
            return Some(how);
        }
        None
    }
}
