//! What the guards of an edge measure.

use super::{Connected, Guards, Shared, Step};
use crate::policy::waits::Waits;
use crate::policy::{Policy, breaker, bulkhead, concurrency, hedge, outlier, pool, rate_limit, subset};
use crate::report::Section;
use sim_core::{SimDuration, SimTime};

/// What the guards of all clients of one edge measure together, each mechanism in a section of the report.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    breaker: Option<breaker::Watch>,
    hedge: Option<hedge::Watch>,
    concurrency: Option<concurrency::Watch>,
    /// Of those who wait for a turn, and for a place.
    turns: Option<Waits>,
    places: Option<Waits>,
    pools: Option<pool::Watch>,
    keeps_sessions: bool,
    outliers: Option<outlier::Watch>,
}

/// What a call waits for before its first try, and an attempt before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The time that a rate limit has told it.
    Turn,
    /// That others leave a bulkhead.
    Place,
    /// A connection.
    Connection,
}

impl Watch {
    /// Nothing has happened yet to so many clients.
    pub fn new(policy: &Policy, clients: u32) -> Self {
        let limit = policy.concurrency.as_ref();
        Watch {
            concurrency: limit.map(|limit| concurrency::Watch::new(limit, clients)),
            breaker: policy.breaker.as_ref().map(breaker::Watch::new),
            hedge: policy.hedge.as_ref().map(hedge::Watch::new),
            turns: policy.rate_limit.as_ref().filter(|it| it.waits()).map(|_| Waits::default()),
            places: policy.bulkhead.as_ref().filter(|it| it.waits()).map(|_| Waits::default()),
            pools: policy.pool.as_ref().map(|_| pool::Watch::default()),
            keeps_sessions: policy.balancer.keeps_sessions(),
            outliers: policy.outlier.as_ref().map(|_| outlier::Watch::default()),
        }
    }

    /// A client's guards took a step.
    pub fn stepped(&mut self, now: SimTime, client: u32, step: Step) {
        self.breaker.iter_mut().for_each(|watch| watch.stepped(now, client, step.replica, step.taken));
    }

    /// A client may see other replicas than before.
    pub fn looked(&mut self, now: SimTime, client: u32, guards: &mut Guards) {
        if let (Some(watch), Some(sight)) = (&mut self.outliers, &mut guards.sight) {
            sight.tell(watch, now, client);
        }
    }

    /// An attempt was kept from where its balancer would have had it.
    #[cold]
    pub fn went_around(&mut self, measured: bool) {
        self.breaker.iter_mut().for_each(|watch| watch.went_around(measured));
    }

    /// A client that might have had so many attempts out may have as many as its guards say.
    #[inline(never)]
    pub fn limit_moved(&mut self, before: Option<u32>, guards: &Guards) {
        if let (Some(watch), Some(before), Some(limit)) = (&mut self.concurrency, before, guards.limit()) {
            watch.moved(before, limit);
        }
    }

    /// A copy was sent.
    #[cold]
    pub fn copied(&mut self, measured: bool) {
        self.hedge.iter_mut().for_each(|watch| watch.copied(measured));
    }

    /// A tied attempt left because another of its call was begun with.
    #[cold]
    pub fn left_untied(&mut self, measured: bool) {
        self.hedge.iter_mut().for_each(|watch| watch.left(measured));
    }

    /// A copy answered its call.
    #[cold]
    pub fn won_by_copy(&mut self, measured: bool) {
        self.hedge.iter_mut().for_each(|watch| watch.won(measured));
    }

    fn waits(&mut self, wait: Wait) -> Option<&mut Waits> {
        match wait {
            Wait::Turn => self.turns.as_mut(),
            Wait::Place => self.places.as_mut(),
            Wait::Connection => self.pools.as_mut().map(|watch| &mut watch.waits),
        }
    }

    /// What follows the pools.
    pub fn connections(&mut self) -> Option<&mut pool::Watch> {
        self.pools.as_mut()
    }

    /// A call begins to wait.
    #[cold]
    pub fn joined(&mut self, wait: Wait) {
        self.waits(wait).into_iter().for_each(Waits::joined);
    }

    /// A call waits no longer after so long: it has got what it waited for, or not.
    #[cold]
    pub fn left(&mut self, wait: Wait, after: SimDuration, got_it: bool, measured: bool) {
        self.waits(wait).into_iter().for_each(|waits| waits.left(after, got_it, measured));
    }

    /// Measurement begins: what was before is not counted.
    pub fn begin(&mut self) {
        self.breaker.iter_mut().for_each(breaker::Watch::begin);
        self.pools.iter_mut().for_each(pool::Watch::begin);
        self.outliers.iter_mut().for_each(outlier::Watch::begin);
    }

    /// A client is forgetting what its guards know.
    pub fn forgotten(&mut self, now: SimTime, guards: &Guards) {
        let breakers = self.breaker.iter_mut().zip(&guards.breaker);
        breakers.for_each(|(watch, breaker)| watch.forgotten(breaker.open()));
        if let (Some(watch), Some(sight)) = (&mut self.outliers, &guards.sight) {
            sight.forgotten(watch, now);
        }
        if let Some(watch) = &mut self.pools {
            for pool in &guards.pools {
                watch.moved(now, pool.counts(), Connected::default());
                watch.closed(pool.counts().open().into());
            }
        }
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        self.breaker.iter_mut().for_each(breaker::Watch::close_window);
        self.hedge.iter_mut().for_each(hedge::Watch::close_window);
        self.concurrency.iter_mut().for_each(concurrency::Watch::close_window);
        self.turns.iter_mut().chain(&mut self.places).for_each(Waits::close_window);
        self.pools.iter_mut().for_each(|watch| watch.close_window(now));
        self.outliers.iter_mut().for_each(|watch| watch.close_window(now));
    }

    /// What was measured of these clients, of so many replicas.
    pub fn sections(
        self,
        at: &str,
        guards: &[Guards],
        shared: Option<&Shared>,
        replicas: u32,
    ) -> Vec<Section> {
        let sessions = self.keeps_sessions.then(|| Shared::told_of_sessions(shared, at));
        let known = || guards.iter().filter_map(|guards| guards.sight.as_ref()?.known());
        let known = known().next().map(|_| subset::spread(at, replicas, known()));
        let breaker = self.breaker.map(|watch| watch.section(at));
        let hedge = self.hedge.map(|watch| watch.section(at));
        let concurrency = self.concurrency.map(|watch| watch.section(at));
        let turns = self.turns.map(|waits| waits.fill(rate_limit::declared(at)));
        let places = self.places.map(|waits| waits.fill(bulkhead::declared(at)));
        let pools = self.pools.map(|watch| watch.section(at));
        let outliers = self.outliers.map(|watch| watch.section(at));
        [breaker, hedge, concurrency, turns, places, known, outliers, sessions, pools]
            .into_iter()
            .flatten()
            .collect()
    }
}
