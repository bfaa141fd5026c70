//! Users who come again: who is there, for which time, and who is between two loads.

use super::follow::Listen;
use super::fruit::Fruit;
use super::slab::Id;
use super::state::*;
use super::witness as kind;
use crate::report::Section;
use crate::workload::{Reload, declared};
use sim_core::stats::TimeIntegral;
use sim_core::{Class, Key, Luck, SimDuration, SimTime, StreamUse, Words};

/// Loads after the first are numbered from here among what a user's first call makes.
const RELOAD: u64 = 1 << 34;

/// One user, from the first load to the last.
#[derive(Clone)]
pub struct Visit {
    key: Key,
    workload: u32,
    /// Of a closed loop.
    user: Option<u32>,
    began: SimTime,
    loads: u32,
    measured: bool,
}

/// The address of one.
pub type VisitId = Id<Visit>;

/// The users of one workload.
#[derive(Clone)]
pub struct Visits {
    reload: Reload,
    luck: Luck,
    users: u64,
    served: u64,
    at_once: u64,
    gave_up: u64,
    loads: u64,
    until_served: u128,
    away: TimeIntegral,
    away_before: u128,
    windows: Vec<f64>,
}

impl Visits {
    /// Nobody has come yet.
    pub fn new(reload: &Reload, luck: Luck) -> Self {
        let reload = reload.clone();
        let (away, windows) = (TimeIntegral::default(), Vec::new());
        let counts = (0, 0, 0, 0, 0);
        let (users, served, at_once, gave_up, loads) = counts;
        Visits {
            reload,
            luck,
            users,
            served,
            at_once,
            gave_up,
            loads,
            until_served: 0,
            away,
            away_before: 0,
            windows,
        }
    }

    /// After so many loads, the last of which is over: how long until the next, if there is one.
    fn comes_again(&mut self, key: Key, loads: u32) -> Option<SimDuration> {
        if self.reload.times.is_some_and(|times| loads > times) {
            return None;
        }
        let mut words = self.luck.at(key.child(RELOAD + u64::from(loads)));
        if self.reload.probability < 1.0 && words.unit() >= self.reload.probability {
            return None;
        }
        Some(SimDuration::drawn(self.reload.after.nanos.sample(&mut words)))
    }

    /// A user has gone: served after so long, or not.
    fn gone(&mut self, visit: &Visit, served: Option<SimDuration>) {
        if !visit.measured {
            return;
        }
        self.loads += u64::from(visit.loads);
        match served {
            Some(after) => {
                self.served += 1;
                self.at_once += u64::from(visit.loads == 1);
                self.until_served += u128::from(after.as_nanos());
            }
            None => self.gave_up += 1,
        }
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.away_before = self.away.area(now);
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(self.away.value() as f64);
    }

    /// Draws so far.
    pub fn used(&self) -> StreamUse {
        self.luck.used()
    }

    /// What was measured, over so long until now.
    pub fn section(&self, at: &str, now: SimTime, measured: SimDuration) -> Section {
        let mut section = declared(at);
        let gone = self.served + self.gave_up;
        let per = |sum: f64, count: u64| (count > 0).then(|| sum / count as f64);
        section.set("users", self.users as f64);
        section.set("served", self.served as f64);
        section.set("served_share", per(self.served as f64, gone));
        section.set("served_at_once", self.at_once as f64);
        section.set("gave_up", self.gave_up as f64);
        section.set("loads_mean", per(self.loads as f64, gone));
        section.set("until_served", per(self.until_served as f64, self.served));
        let away = (self.away.area(now) - self.away_before) as f64;
        section.set("away_mean", (!measured.is_zero()).then(|| away / measured.as_nanos() as f64));
        section.draw("away", self.windows.clone());
        section
    }
}

impl Visit {
    /// Where what the user wants is drawn, and who of a loop that is.
    pub fn whose(&self) -> (Key, Option<u32>) {
        (self.key, self.user)
    }
}

impl<L: Listen> Graph<L> {
    /// A user comes: what the calls of the visit are made for, if it may need more than one.
    #[cold]
    pub fn visit_begins(&mut self, workload: u32, user: Option<u32>, key: Key, now: SimTime) -> Parent {
        let measured = self.stretch != super::stats::UNMEASURED;
        let visits = self.workloads[workload as usize].visits.as_mut().expect("its users come again");
        visits.users += u64::from(measured);
        let visit = Visit { key, workload, user, began: now, loads: 1, measured };
        Parent::Visit { visit: self.visits.insert(visit).0 }
    }

    /// A load is over, well or not.
    #[inline(never)]
    pub fn load_ends(&mut self, id: VisitId, fruit: Option<Fruit>, ctx: &mut Ctx) {
        let (served, now) = (fruit.is_some(), ctx.now());
        self.enjoy(fruit);
        let visit = &self.visits[id];
        let (workload, user) = (visit.workload, visit.user);
        let visits = self.workloads[workload as usize].visits.as_mut().expect("its users come again");
        if !served && let Some(wait) = visits.comes_again(visit.key, visit.loads) {
            visits.away.increment(now);
            ctx.schedule(now + wait, Class::Begin, Event::Reload { visit: id });
            if self.visits.most() > self.max_in_flight {
                self.too_many_in_flight(ctx);
            }
            return;
        }
        let after = served.then(|| now.since(visit.began));
        visits.gone(visit, after);
        self.visits.remove(id);
        if let Some(user) = user {
            self.think(workload, user, ctx);
        }
    }

    /// A user has waited enough, and loads again.
    pub fn reload(&mut self, id: VisitId, ctx: &mut Ctx) {
        let visit = &mut self.visits[id];
        let key = visit.key.child(RELOAD + u64::from(visit.loads));
        visit.loads += 1;
        let (loads, root) = (visit.loads, visit.key);
        let workload = &mut self.workloads[visit.workload as usize];
        ctx.witness(kind::RELOAD, loads.min(u32::from(u16::MAX)) as u16, 0, workload.path, key.get(), 0);
        workload.visits.as_mut().expect("its users come again").away.decrement(ctx.now());
        let (edge, client) = (workload.edge, workload.client(root));
        self.begin_call(edge, client, Parent::Visit { visit: id }, key, ctx);
    }
}
