//! A request looks for what is kept of its key: it finds it, waits for another who is out for it, or goes out itself; and what it
//! comes back with is kept, and is for all who have waited.

use super::store::Kept;
use super::{Caches, OnMiss};
use crate::policy::Outcome;
use crate::service_graph::state::*;
use sim_core::{Key, SimDuration, SimTime, Words, math};

/// What a request finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This is what it is answered with.
    Kept(Outcome),
    /// It is answered with what is too old; and the next is fetched meanwhile, if nobody is out for it.
    Stale { refreshes: bool },
    /// It waits for another who is out for it.
    Waits,
    /// And looks again when so much time is over.
    LooksAgain(SimDuration),
    /// It goes out for it.
    Nothing,
}

/// What a request is about while it is not answered.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum What {
    /// Nothing.
    #[default]
    Nothing,
    /// It is out for an answer.
    Fetches,
    /// The same, and it was answered already with what there was.
    Refreshes,
    /// It went out in vain, and is answered with what is too old.
    MakesDo,
    /// It waits for another, who will wake it.
    Waits,
    /// Or looks again by itself.
    LooksAgain,
}

/// Who that is, for which key, and since when.
#[derive(Clone, Copy, Default)]
pub struct Errand {
    of: Option<AttemptId>,
    pub what: What,
    key: u32,
    since: SimTime,
    measured: bool,
}

/// What a fetch comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// An answer, or an error of those who were asked.
    With(Outcome),
    /// An answer that something stood in for a part of.
    StoodIn(Outcome),
    /// It was called off.
    CalledOff,
    /// An answer that is older than what was written meanwhile.
    Overtaken,
}

impl Caches {
    /// Which of them a replica looks into.
    pub fn store_of(&self, replica: u32) -> usize {
        if self.is_of_replicas { replica as usize } else { 0 }
    }

    /// And which flights it knows of: those of its own process, or of whoever gives out leases.
    pub(super) fn flights_of(&self, replica: u32) -> usize {
        if self.flies_by_replica { replica as usize } else { 0 }
    }

    /// A request looks for what is kept of its key.
    pub fn look(&mut self, id: AttemptId, attempt: &Attempt, key: u32, now: SimTime) -> Found {
        let measured = attempt.marks.has(Marks::MEASURED);
        let count = u64::from(measured);
        let errand = Errand { of: Some(id), what: What::Nothing, key, since: now, measured };
        self.window.lookups += 1;
        self.counts.lookups += count;
        let store = self.store_of(attempt.replica);
        let Some(kept) = self.stores[store].look(key).copied() else {
            return self.misses(errand, attempt.replica, None, now);
        };
        if now < kept.until {
            if self.is_renewed_early(&kept, attempt, key, now) {
                self.counts.early += count;
                if !kept.is_renewed {
                    self.counts.first_early += count;
                    self.counts.early_by +=
                        if measured { u128::from(kept.until.since(now).as_nanos()) } else { 0 };
                }
                return self.goes(errand, attempt.replica, now);
            }
            self.window.hits += 1;
            self.counts.hits += count;
            self.counts.negative_hits += if kept.is_error { count } else { 0 };
            return Found::Kept(if kept.is_error { Outcome::Error } else { Outcome::Ok });
        }
        if !kept.is_renewed {
            self.counts.expired += count;
            self.renewed(store, key, count);
        }
        if is_within(&kept, self.rules.stale_while_revalidate, now) {
            self.counts.stale += count;
            let refreshes = !self.flights[self.flights_of(attempt.replica)].is_out(key, now);
            return Found::Stale { refreshes };
        }
        self.misses(errand, attempt.replica, Some(kept), now)
    }

    /// Nothing that is good is there.
    fn misses(&mut self, errand: Errand, replica: u32, kept: Option<Kept>, now: SimTime) -> Found {
        let count = u64::from(errand.measured);
        let is_out = || self.flights[self.flights_of(replica)].is_out(errand.key, now);
        let (what, found) = match self.rules.on_miss {
            OnMiss::SingleFlight if is_out() => (What::Waits, Found::Waits),
            OnMiss::Lease { wait, stale, .. } if is_out() => {
                if kept.is_some_and(|kept| is_within(&kept, stale, now)) {
                    self.counts.stale += count;
                    return Found::Kept(Outcome::Ok);
                }
                (What::LooksAgain, Found::LooksAgain(wait))
            }
            _ => return self.goes(errand, replica, now),
        };
        self.counts.waited += count;
        let id = errand.of.expect("somebody looks");
        if what == What::Waits {
            let flights = self.flights_of(replica);
            self.flights[flights].joins(errand.key, id);
        }
        self.errands.put(id, Errand { what, ..errand });
        found
    }

    /// One who waits for whoever has the lease looks again: nothing else was counted since.
    pub fn looks_again(&mut self, id: AttemptId, replica: u32, now: SimTime) -> Found {
        let errand = *self.errands.of(id);
        let store = self.store_of(replica);
        let kept = self.stores[store].look(errand.key).copied();
        if let Some(kept) = kept.filter(|kept| now < kept.until) {
            self.errands.put(id, Errand::default());
            return Found::Kept(if kept.is_error { Outcome::Error } else { Outcome::Ok });
        }
        let OnMiss::Lease { wait, .. } = self.rules.on_miss else { unreachable!("nobody else looks again") };
        match self.flights[self.flights_of(replica)].is_out(errand.key, now) {
            true => Found::LooksAgain(wait),
            false => self.goes(errand, replica, now),
        }
    }

    /// A request goes out for its answer.
    fn goes(&mut self, errand: Errand, replica: u32, now: SimTime) -> Found {
        let id = errand.of.expect("somebody goes");
        self.sets_out(id, Errand { what: What::Fetches, since: now, ..errand }, replica, now);
        Found::Nothing
    }

    /// Another goes out in the place of one that was answered with what is too old.
    pub fn refreshes(&mut self, id: AttemptId, (key, replica): (u32, u32), measured: bool, now: SimTime) {
        self.counts.refreshes += u64::from(measured);
        let errand = Errand { of: Some(id), what: What::Refreshes, key, since: now, measured };
        self.sets_out(id, errand, replica, now);
    }

    fn sets_out(&mut self, id: AttemptId, errand: Errand, replica: u32, now: SimTime) {
        let (key, count) = (errand.key, u64::from(errand.measured));
        self.window.fetches += 1;
        self.counts.fetches += count;
        let store = self.store_of(replica);
        if self.stores[store].peek(key).is_some() {
            self.counts.fetches_again += count;
            self.renewed(store, key, count);
        }
        let until = match self.rules.on_miss {
            OnMiss::Lease { hold, .. } => now + hold,
            OnMiss::SingleFlight | OnMiss::Fetch => SimTime::MAX,
        };
        let flights = self.flights_of(replica);
        if self.rules.on_miss != OnMiss::Fetch || errand.what == What::Refreshes {
            self.flights[flights].begins(key, id, until);
        }
        self.errands.put(id, errand);
    }

    /// Somebody has seen that what is kept of a key must be fetched again: the first who does is counted.
    fn renewed(&mut self, store: usize, key: u32, count: u64) {
        let kept = self.stores[store].peek(key).expect("it was looked at");
        if !std::mem::replace(&mut kept.is_renewed, true) {
            self.counts.renewed += count;
        }
    }

    /// Whether a request fetches what is still good: sooner the longer that takes, and by luck, so that few do before all would
    /// (XFetch: `now - took * beta * ln(u) >= until`). Who knows that another is out leaves it to him.
    fn is_renewed_early(&mut self, kept: &Kept, attempt: &Attempt, key: u32, now: SimTime) -> bool {
        let Some((beta, luck)) = &mut self.early else { return false };
        if kept.is_error || kept.until == SimTime::MAX {
            return false;
        }
        let drawn = -math::ln(luck.at(attempt.key).open_unit());
        let ahead = kept.took.as_nanos() as f64 * *beta * drawn;
        ahead >= kept.until.since(now).as_nanos() as f64
            && !self.flights[self.flights_of(attempt.replica)].is_out(key, now)
    }

    /// How long what is stored now is good.
    pub(super) fn drawn(&mut self, ttl: SimDuration, key: Key) -> SimDuration {
        if self.rules.jitter == 0.0 {
            return ttl;
        }
        let stretch = 1.0 + self.rules.jitter * (2.0 * self.luck.at(key).unit() - 1.0);
        SimDuration::drawn(ttl.as_nanos() as f64 * stretch)
    }

    /// A fetch has failed: whether what is kept is good enough to answer with all the same.
    pub fn makes_do(&mut self, id: AttemptId, replica: u32, now: SimTime) -> bool {
        let Some(errand) = self.errand_of(id) else { return false };
        match errand.what {
            What::Fetches => {}
            // It was told so, and held back.
            What::MakesDo => return true,
            _ => return false,
        }
        let store = self.store_of(replica);
        let limit = self.rules.stale_if_error;
        let kept = self.stores[store].peek(errand.key).copied();
        let is_good = |kept: &Kept| !kept.is_error && now < kept.until || is_within(kept, limit, now);
        if !kept.as_ref().is_some_and(is_good) {
            return false;
        }
        self.counts.stale_on_error += u64::from(errand.measured);
        self.errands.put(id, Errand { what: What::MakesDo, ..errand });
        true
    }

    /// A request is over that may have been about something: what came is kept, if it is worth that, and those who waited for it are
    /// handed over. Says what it was.
    pub fn comes_back(
        &mut self,
        id: AttemptId,
        (replica, luck): (u32, Key),
        came: Came,
        now: SimTime,
    ) -> (What, Vec<AttemptId>) {
        let Some(errand) = self.errand_of(id) else { return (What::Nothing, Vec::new()) };
        let Errand { what, key, since, measured, .. } = errand;
        self.errands.put(id, Errand::default());
        if !matches!(what, What::Fetches | What::Refreshes | What::MakesDo) {
            return (what, Vec::new());
        }
        let flights = self.flights_of(replica);
        let flies = self.rules.on_miss != OnMiss::Fetch || what == What::Refreshes;
        let is_whose = flies && self.flights[flights].is_whose(key, id);
        let waited = if is_whose { self.flights[flights].ends(key) } else { Vec::new() };
        let (is_error, ttl) = match came {
            // Whoever has the lease now stores what comes.
            _ if flies && !is_whose => (false, None),
            Came::With(Outcome::Ok) if what != What::MakesDo => (false, Some(self.rules.ttl)),
            // What was good, or good enough, is not thrown away for an error.
            Came::With(Outcome::Error) if what == What::Fetches => (true, self.rules.negative_ttl.map(Some)),
            _ => (false, None),
        };
        let Some(ttl) = ttl else {
            let leases = matches!(self.rules.on_miss, OnMiss::Lease { .. });
            let is_answer = matches!(came, Came::With(Outcome::Ok) | Came::Overtaken);
            let is_late = leases && !is_whose && is_answer && what != What::MakesDo;
            let count = if is_late { &mut self.counts.too_late } else { &mut self.counts.failed };
            *count += u64::from(measured);
            return (what, waited);
        };
        let until = ttl.map_or(SimTime::MAX, |ttl| now + self.drawn(ttl, luck));
        let kept = Kept { until, took: now.since(since), is_error, is_renewed: false };
        let store = self.store_of(replica);
        self.counts.fills += u64::from(measured);
        if self.stores[store].put(key, kept) {
            self.counts.evicted += u64::from(measured);
        }
        (what, waited)
    }

    /// A request is gone that may have been about something, with the replica that had it in hand.
    pub fn is_lost(&mut self, id: AttemptId) -> What {
        let Some(errand) = self.errand_of(id) else { return What::Nothing };
        self.errands.put(id, Errand::default());
        if !matches!(errand.what, What::Waits | What::LooksAgain) {
            self.counts.failed += u64::from(errand.measured);
        }
        errand.what
    }

    /// Those who waited have been told.
    pub fn give_back(&mut self, replica: u32, room: Vec<AttemptId>) {
        let flights = self.flights_of(replica);
        self.flights[flights].give_back(room);
    }

    /// What a request is about, if it is.
    pub fn errand_of(&self, id: AttemptId) -> Option<Errand> {
        self.errands.get(id).copied().filter(|errand| errand.of == Some(id))
    }

    /// A replica has crashed, with what it kept in its memory, and all who were out for it.
    pub fn crashed(&mut self, replica: u32) {
        if self.is_of_replicas {
            self.stores[replica as usize].clear();
        }
        if self.flies_by_replica {
            let flights = self.flights_of(replica);
            self.flights[flights].clear();
        }
    }
}

/// Whether the time of what is kept has been over for no longer than this.
fn is_within(kept: &Kept, limit: Option<SimDuration>, now: SimTime) -> bool {
    !kept.is_error && limit.is_some_and(|limit| kept.until <= now && now.since(kept.until) <= limit)
}
