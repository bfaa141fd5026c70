//! Users who come for more than one call: who is there, for which time or which call, and who is between two loads.
//!
//! A visit is all that one user does in turn: the calls of a session, of which each may be loaded again.

use super::follow::Listen;
use super::fruit::Fruit;
use super::slab::Id;
use super::state::*;
use super::witness as kind;
use crate::report::Section;
use crate::workload::{Reload, Session, Sessions, declared};
use sim_core::stats::TimeIntegral;
use sim_core::{Class, Key, Luck, SimDuration, SimTime, StreamUse, Words};

/// Loads after the first are numbered from here among what a user's first call makes.
const RELOAD: u64 = 1 << 34;
/// And calls of a session after the first.
const NEXT: u64 = 1 << 36;

/// One user, from the first load to the last.
#[derive(Clone)]
pub struct Visit {
    key: Key,
    workload: u32,
    /// Of a closed loop.
    user: Option<u32>,
    began: SimTime,
    /// Calls of a session so far, the present one included, and whether one of them failed.
    calls: u32,
    failed: bool,
    /// Where the first load of the present call is drawn, and when that was.
    call: Key,
    asked: SimTime,
    /// Of the present call; none of one that is still to come.
    loads: u32,
    measured: bool,
}

/// The address of one.
pub type VisitId = Id<Visit>;

/// The users of one workload.
#[derive(Clone)]
pub struct Visits {
    reloads: Option<Reloads>,
    sessions: Option<Sessions>,
}

/// Those who come again.
#[derive(Clone)]
struct Reloads {
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
    /// Nobody has come yet; if nobody ever comes for more than one call there are none.
    pub fn new(
        reload: Option<&Reload>,
        session: Option<&Session>,
        luck: impl Fn(&'static str) -> Luck,
    ) -> Option<Self> {
        let reloads = reload.map(|reload| Reloads::new(reload, luck("reload")));
        let sessions = session.map(|session| Sessions::new(session, luck("session")));
        (reloads.is_some() || sessions.is_some()).then_some(Visits { reloads, sessions })
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.reloads.iter_mut().for_each(|reloads| reloads.begin(now));
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.reloads.iter_mut().for_each(Reloads::close_window);
        self.sessions.iter_mut().for_each(Sessions::close_window);
    }

    /// Sessions that were not completed, of those that are over, if any of its users has one.
    pub fn incomplete_so_far(&self) -> Option<[u64; 2]> {
        self.sessions.as_ref().map(Sessions::incomplete_so_far)
    }

    /// Draws so far, by what they decided.
    pub fn used(&self) -> impl Iterator<Item = (&'static str, StreamUse)> {
        let reloads = self.reloads.iter().map(|reloads| ("reload", reloads.luck.used()));
        reloads.chain(self.sessions.iter().map(|sessions| ("session", sessions.used())))
    }

    /// What was measured, over so long until now.
    pub fn sections(&self, at: &str, now: SimTime, measured: SimDuration) -> impl Iterator<Item = Section> {
        let reloads = self.reloads.iter().map(move |reloads| reloads.section(at, now, measured));
        reloads.chain(self.sessions.iter().map(move |sessions| sessions.section(at, measured)))
    }

    /// What whoever reads of calls should know.
    pub fn notes(&self) -> impl Iterator<Item = &'static str> {
        let reloads = self.reloads.iter().map(|_| match self.sessions {
            None => {
                "whoever was not served comes again: what is offered, and what is said of calls, are loads; `reloads` counts users"
            }
            Some(_) => {
                "a call of a session that was not answered well is loaded again: what is offered, and what is said of calls, are loads; `reloads` counts calls of sessions"
            }
        });
        let sessions = self.sessions.iter().map(|_| {
            "users make several calls, one after another: what is offered, and what is said of calls, are single ones; `sessions` counts whole sessions"
        });
        reloads.chain(sessions)
    }
}

impl Reloads {
    fn new(reload: &Reload, luck: Luck) -> Self {
        let reload = reload.clone();
        let (away, windows) = (TimeIntegral::default(), Vec::new());
        let counts = (0, 0, 0, 0, 0);
        let (users, served, at_once, gave_up, loads) = counts;
        Reloads {
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
    fn begin(&mut self, now: SimTime) {
        self.away_before = self.away.area(now);
    }

    /// A window is over.
    fn close_window(&mut self) {
        self.windows.push(self.away.value() as f64);
    }

    /// What was measured, over so long until now.
    fn section(&self, at: &str, now: SimTime, measured: SimDuration) -> Section {
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
    /// Where what the user wants with the present call is drawn, who that is, and who of a loop.
    pub fn whose(&self) -> (Key, Key, Option<u32>) {
        (self.call, self.key, self.user)
    }
}

impl<L: Listen> Graph<L> {
    /// A user comes: what the calls of the visit are made for, if it may need more than one.
    #[cold]
    pub fn visit_begins(&mut self, workload: u32, user: Option<u32>, key: Key, now: SimTime) -> Parent {
        let measured = self.stretch != super::stats::UNMEASURED;
        let visits = self.workloads[workload as usize].visits.as_mut().expect("its users come for more");
        visits.reloads.iter_mut().for_each(|reloads| reloads.users += u64::from(measured));
        visits.sessions.iter_mut().for_each(|sessions| sessions.begins(measured));
        let (calls, failed, call, asked, loads) = (1, false, key, now, 1);
        let visit = Visit { key, workload, user, began: now, calls, failed, call, asked, loads, measured };
        Parent::Visit { visit: self.visits.insert(visit).0 }
    }

    /// A load is over, well or not.
    #[inline(never)]
    pub fn load_ends(&mut self, id: VisitId, fruit: Option<Fruit>, ctx: &mut Ctx) {
        let (served, now) = (fruit.is_some(), ctx.now());
        self.enjoy(fruit);
        let visit = &mut self.visits[id];
        let (workload, user) = (visit.workload, visit.user);
        let visits = self.workloads[workload as usize].visits.as_mut().expect("its users come for more");
        if let Some(reloads) = &mut visits.reloads {
            if !served && let Some(wait) = reloads.comes_again(visit.call, visit.loads) {
                reloads.away.increment(now);
                return self.calls_later(id, wait, ctx);
            }
            reloads.gone(visit, served.then(|| now.since(visit.asked)));
        }
        if let Some(sessions) = &mut visits.sessions {
            visit.failed |= !served;
            if let Some(wait) = sessions.next(visit.call, visit.calls, served) {
                (visit.call, visit.loads) = (visit.key.child(NEXT + u64::from(visit.calls)), 0);
                visit.calls += 1;
                return self.calls_later(id, wait, ctx);
            }
            let well = (!visit.failed).then(|| now.since(visit.began));
            sessions.over(visit.calls, well, visit.measured);
        }
        self.visits.remove(id);
        if let Some(user) = user {
            self.think(workload, user, ctx);
        }
    }

    /// A user calls again, or calls next, after so long.
    fn calls_later(&mut self, id: VisitId, wait: SimDuration, ctx: &mut Ctx) {
        ctx.schedule(ctx.now() + wait, Class::Begin, Event::Reload { visit: id });
        if self.visits.most() > self.max_in_flight {
            self.too_many_in_flight(ctx);
        }
    }

    /// A user has waited enough, and loads again, or goes on to the next call.
    pub fn reload(&mut self, id: VisitId, ctx: &mut Ctx) {
        let (visit, now) = (&mut self.visits[id], ctx.now());
        let workload = &mut self.workloads[visit.workload as usize];
        let visits = workload.visits.as_mut().expect("its users come for more");
        let loads = visit.loads;
        visit.loads += 1;
        let (kind, number, key) = match loads {
            0 => (kind::NEXT_CALL, visit.calls, visit.call),
            loads => (kind::RELOAD, visit.loads, visit.call.child(RELOAD + u64::from(loads))),
        };
        if loads == 0 {
            visit.asked = now;
        }
        if let Some(reloads) = &mut visits.reloads {
            match loads {
                0 => reloads.users += u64::from(visit.measured),
                _ => reloads.away.decrement(now),
            }
        }
        let root = visit.key;
        ctx.witness(kind, number.min(u32::from(u16::MAX)) as u16, 0, workload.path, key.get(), 0);
        let (edge, client) = (workload.edge, workload.client(root));
        self.begin_call(edge, client, Parent::Visit { visit: id }, key, ctx);
    }
}
