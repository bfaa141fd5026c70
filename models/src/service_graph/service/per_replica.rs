//! What each replica of a service did: which of them is busy, slow, or fails.
//!
//! A mean over replicas hides the one that everybody waits for, and a balancer is judged by the difference between them. A replica's
//! times are its own: from when a request reached it to when it was done with it, its queue included and the network not.

use crate::policy::Outcome;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::roster::Standings;
use crate::service_graph::slab::Beside;
use crate::service_graph::state::*;
use sim_core::stats::{LatencyHistogram, TimeIntegral};
use sim_core::{SimDuration, SimTime};

/// The most replicas that are told apart: each keeps a histogram.
pub const MOST: u32 = 1_000;

/// Figures of each of so many replicas.
#[derive(Clone, Copy, Debug)]
pub struct PerReplica(pub u32);

impl Part for PerReplica {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        std::iter::once(spread(at)).chain((0..self.0).map(|replica| declared(at, replica))).collect()
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "per_replica",
            word: "",
            what: "Tells what each replica of a service did: how busy it was, what it had in hand, how long its requests \
                   took and how many failed. `services.api.replicas[3].p99` is the 99th percentile of the fourth.",
            hurts: "It changes nothing; each replica costs memory for its histogram, and a run is a little slower.",
            formula: "with arrivals in turn and `n` replicas each is E_n/M/1: even counts are not even queues",
            source: "Dean and Barroso, \"The Tail at Scale\", CACM 2013 (the slowest of many is what users see)",
            experiment: "full-scan",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["false", "true"]
    }
}

/// What is told of one replica: nothing measured yet.
fn declared(at: &str, replica: u32) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    let time = |about| Value::new(Unit::Duration, about).better(Better::Less);
    Section::new("replicas", format!("{at}[{replica}]"))
        .value(
            "arrived",
            plain(
                "attempts that came to it after the warm-up while it heard of them, or that it took from the queue that all share",
            ),
        )
        .value("ok", plain("of these, those that it answered well"))
        .value("errors", plain("those that it answered with an error").better(Better::Less))
        .value("turned_away", plain("those that it rejected or refused").better(Better::Less))
        .value(
            "utilisation",
            Value::new(
                Unit::Share,
                "busy worker time (of cores where all share them) over the time of its workers, up or not",
            ),
        )
        .value("in_hand", plain("requests that it has in hand, waiting or worked on: mean over time"))
        .value("in_hand_max", plain("the most that it had in hand after the warm-up"))
        .value("p50", time("half of what it was done with took no longer, from when it came"))
        .value("p99", time("99 of a hundred took no longer"))
        .line("in_hand", Unit::Plain, "Requests that a replica has in hand: mean over each window.")
}

/// What is told of all of them: nothing measured yet.
fn spread(at: &str) -> Section {
    let share = |about| Value::new(Unit::Share, about);
    Section::new("spread", at)
        .value(
            "most_in_hand",
            Value::new(
                Unit::Plain,
                "requests that the replica with the most has in hand, as those who come find it: mean over arrivals",
            )
            .better(Better::Less)
            .headline(),
        )
        .value("busiest", share("utilisation of the busiest replica"))
        .value("idlest", share("utilisation of the idlest"))
        .value(
            "slowest_p99",
            Value::new(Unit::Duration, "99th percentile of the replica whose is the longest").better(Better::Less),
        )
}

/// What the replicas of one service did.
#[derive(Clone)]
pub struct Figures {
    each: Box<[OfReplica]>,
    /// How many replicas have so many in hand.
    levels: Vec<u32>,
    /// The most that any has.
    most: usize,
    /// Measured arrivals, and what these found at the replica that had most, summed.
    arrivals: u64,
    found: u128,
    window_began: SimTime,
}

#[derive(Clone, Default)]
struct OfReplica {
    arrived: u64,
    ok: u64,
    errors: u64,
    turned_away: u64,
    in_hand: TimeIntegral,
    most: u64,
    /// Areas as the warm-up ended, and as the window began.
    in_hand_before: u128,
    busy_before: u128,
    there_before: u128,
    window_base: u128,
    took: LatencyHistogram,
    windows: Vec<f64>,
}

impl Figures {
    /// Of replicas that have done nothing.
    pub fn new(replicas: u32) -> Self {
        Figures {
            each: vec![OfReplica::default(); replicas as usize].into(),
            levels: vec![replicas],
            most: 0,
            arrivals: 0,
            found: 0,
            window_began: SimTime::ZERO,
        }
    }

    /// A replica has so many in hand from now on.
    fn level(&mut self, replica: u32, now: SimTime, in_hand: u32) {
        let of = &mut self.each[replica as usize];
        let (before, after) = (of.in_hand.value() as usize, in_hand as usize);
        if before == after {
            return;
        }
        of.in_hand.set(now, u64::from(in_hand));
        of.most = of.most.max(u64::from(in_hand));
        if self.levels.len() <= after {
            self.levels.resize(after + 1, 0);
        }
        self.levels[before] -= 1;
        self.levels[after] += 1;
        self.most = self.most.max(after);
        while self.levels[self.most] == 0 {
            self.most -= 1;
        }
    }

    /// Somebody comes to a replica, and finds what there is: without itself, if it is in hand by now.
    fn finds(&mut self, replica: u32, is_in_hand: bool) {
        let own = self.each[replica as usize].in_hand.value() as usize;
        let alone = is_in_hand && own == self.most && self.levels[own] == 1;
        self.arrivals += 1;
        self.found += (self.most - usize::from(alone)) as u128;
    }

    fn ended(&mut self, replica: u32, outcome: Outcome, took: SimDuration) {
        let of = &mut self.each[replica as usize];
        match outcome {
            Outcome::Ok => of.ok += 1,
            _ => of.errors += 1,
        }
        of.took.record(took);
    }

    /// The warm-up is over.
    fn begin(&mut self, now: SimTime, busy: impl Iterator<Item = u128>) {
        for (of, busy) in self.each.iter_mut().zip(busy) {
            (of.in_hand_before, of.busy_before) = (of.in_hand.area(now), busy);
            of.most = of.in_hand.value();
        }
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let length = now.since(self.window_began).as_nanos() as f64;
        for of in &mut self.each {
            let area = of.in_hand.area(now);
            let grown = area - std::mem::replace(&mut of.window_base, area);
            of.windows.push(if length > 0.0 { grown as f64 / length } else { 0.0 });
        }
        self.window_began = now;
    }
}

impl Service {
    /// What is told of its replicas is what they have.
    pub fn check_told_apart(&self) {
        let Some(figures) = &self.per_replica else { return };
        let mut most = 0;
        for (of, replica) in figures.each.iter().zip(&self.replicas) {
            assert_eq!(
                of.in_hand.value(),
                u64::from(replica.in_hand),
                "what a replica of {} has in hand",
                self.name
            );
            most = most.max(replica.in_hand as usize);
        }
        assert_eq!(figures.most, most, "the most that a replica of {} has in hand", self.name);
    }

    /// What its replicas did, over so long until now, if they are told apart.
    pub fn figures(&self, now: SimTime, measured: SimDuration) -> Vec<Section> {
        let Some(figures) = &self.per_replica else { return Vec::new() };
        let nanos = measured.as_nanos() as f64;
        let per = |area: u128, by: f64| (nanos > 0.0 && by > 0.0).then(|| area as f64 / (nanos * by));
        let time = |took: &LatencyHistogram, percent| took.percentile_ns(percent).map(|ns| ns as f64);
        let busy = |number: usize| {
            let of = &figures.each[number];
            let spent = self.replicas[number].used(now) - of.busy_before;
            match self.there_for(number, now) {
                None => per(spent, f64::from(self.cores)),
                // Of the time for which it was there.
                Some(there) if there > of.there_before => {
                    Some(spent as f64 / ((there - of.there_before) as f64 * f64::from(self.cores)))
                }
                Some(_) => None,
            }
        };
        let mut all = vec![spread(&self.name)];
        for (number, of) in figures.each.iter().enumerate() {
            let mut section = declared(&self.name, number as u32);
            section.draw("in_hand", of.windows.clone());
            // A place that nobody had says nothing.
            let there = self.there_for(number, now);
            if there.is_some_and(|there| there == of.there_before) && of.arrived == 0 && of.took.count() == 0
            {
                all.push(section);
                continue;
            }
            let counts = [
                ("arrived", of.arrived),
                ("ok", of.ok),
                ("errors", of.errors),
                ("turned_away", of.turned_away),
            ];
            counts.into_iter().for_each(|(name, count)| section.set(name, count as f64));
            section.set("utilisation", busy(number));
            section.set("in_hand", per(of.in_hand.area(now) - of.in_hand_before, 1.0));
            section.set("in_hand_max", of.most as f64);
            section.set("p50", time(&of.took, 50.0));
            section.set("p99", time(&of.took, 99.0));
            all.push(section);
        }
        let busy: Vec<f64> = (0..figures.each.len()).filter_map(busy).collect();
        let slowest = figures.each.iter().filter_map(|of| time(&of.took, 99.0)).reduce(f64::max);
        let spread = &mut all[0];
        spread.set(
            "most_in_hand",
            (figures.arrivals > 0).then(|| figures.found as f64 / figures.arrivals as f64),
        );
        spread.set("busiest", busy.iter().copied().reduce(f64::max));
        spread.set("idlest", busy.iter().copied().reduce(f64::min));
        spread.set("slowest_p99", slowest);
        all
    }

    /// The warm-up is over.
    pub fn tell_apart_from(&mut self, now: SimTime) {
        let Some(mut figures) = self.per_replica.take() else { return };
        figures.begin(now, self.replicas.iter().map(|replica| replica.used(now)));
        for (number, of) in figures.each.iter_mut().enumerate() {
            of.there_before = self.there_for(number, now).unwrap_or(0);
        }
        self.per_replica = Some(figures);
    }

    /// For how long a replica has been there, if there may be more and fewer of them.
    fn there_for(&self, number: usize, now: SimTime) -> Option<u128> {
        self.membership.as_ref().and_then(|it| it.there_for(number as u32, now))
    }

    /// What a replica has in hand has changed.
    #[cold]
    pub fn note_level(&mut self, replica: u32, now: SimTime) {
        if let Some(figures) = &mut self.per_replica {
            figures.level(replica, now, self.replicas[replica as usize].in_hand);
        }
    }

    /// A request has come to a replica, or to the queue of all: in hand by now, or not yet.
    #[cold]
    pub(super) fn note_arrival(
        &mut self,
        (id, attempt): (AttemptId, &Attempt),
        is_in_hand: bool,
        arrived: &mut Beside<SimTime>,
        now: SimTime,
    ) {
        if let Some(frozen) = self.frozen.as_mut().filter(|_| !is_in_hand && !self.queue.shared) {
            frozen.waits(attempt.replica, id, now);
        }
        let is_timed = self.dimmer.is_some() || self.times.is_some();
        if is_timed || self.versions.is_some() || self.flagged.is_some() {
            arrived.put(id, now);
        }
        let Some(figures) = &mut self.per_replica else { return };
        arrived.put(id, now);
        if attempt.marks.has(Marks::MEASURED) {
            figures.finds(attempt.replica, is_in_hand);
            if !self.queue.shared {
                figures.each[attempt.replica as usize].arrived += 1;
            }
        }
        self.note_level(attempt.replica, now);
    }

    /// Work on a request begins.
    #[cold]
    pub(super) fn note_begin(&mut self, attempt: &Attempt, now: SimTime) {
        let Some(figures) = &mut self.per_replica else { return };
        if self.queue.shared && attempt.marks.has(Marks::MEASURED) {
            figures.each[attempt.replica as usize].arrived += 1;
        }
        self.note_level(attempt.replica, now);
    }

    /// A replica is done with a request: whether it has nothing left to do and somebody wants to know.
    #[cold]
    pub(super) fn note_end(
        &mut self,
        (id, attempt): (AttemptId, &Attempt),
        outcome: Outcome,
        (standings, arrived): (&mut Standings, &Beside<SimTime>),
        now: SimTime,
    ) -> bool {
        let replica = attempt.replica;
        if self.mortal {
            standings.leave(&mut self.replicas[replica as usize].at_work, id);
        }
        if !attempt.is_check() {
            let is_measured = attempt.marks.has(Marks::MEASURED);
            for sides in self.versions.iter_mut().chain(&mut self.flagged) {
                sides.ended(replica, outcome, now.since(*arrived.of(id)), is_measured);
            }
        }
        self.instances.iter_mut().for_each(|instances| instances.ends(replica, now));
        if let Some(dimmer) = &mut self.dimmer {
            dimmer.answered(now.since(*arrived.of(id)));
        }
        if let Some(figures) = &mut self.per_replica
            && attempt.marks.has(Marks::MEASURED)
        {
            figures.ended(replica, outcome, now.since(*arrived.of(id)));
        }
        self.note_level(replica, now);
        self.membership.is_some() && self.replicas[replica as usize].in_hand == 0
    }

    /// A request is turned away as it comes. Behind a queue that all share that is nobody's doing.
    #[cold]
    pub(super) fn note_refused(&mut self, attempt: &Attempt) {
        self.note_turned_away_by_version(attempt);
        if let Some(figures) = self.per_replica.as_mut().filter(|_| attempt.marks.has(Marks::MEASURED)) {
            figures.finds(attempt.replica, false);
        }
        if let Some(of) = self.told_apart(attempt) {
            of.arrived += 1;
            of.turned_away += 1;
        }
    }

    /// A request that waited is turned away.
    #[cold]
    pub(super) fn note_turned_away(&mut self, attempt: &Attempt, now: SimTime) {
        self.note_turned_away_by_version(attempt);
        if let Some(of) = self.told_apart(attempt) {
            of.turned_away += 1;
        }
        self.note_level(attempt.replica, now);
    }

    /// Where versions are told apart, a replica that is up turns a request away: behind a queue that all share that is nobody's doing.
    fn note_turned_away_by_version(&mut self, attempt: &Attempt) {
        let is_up = self.replicas[attempt.replica as usize].down == 0 && !self.queue.shared;
        if is_up && !attempt.is_check() {
            let is_measured = attempt.marks.has(Marks::MEASURED);
            let sides = self.versions.iter_mut().chain(&mut self.flagged);
            sides.for_each(|sides| sides.turned_away(attempt.replica, is_measured));
        }
    }

    /// The figures of the replica that a measured request waits for.
    fn told_apart(&mut self, attempt: &Attempt) -> Option<&mut OfReplica> {
        let figures = self.per_replica.as_mut()?;
        let counts = attempt.marks.has(Marks::MEASURED) && !self.queue.shared;
        counts.then(|| &mut figures.each[attempt.replica as usize])
    }
}
