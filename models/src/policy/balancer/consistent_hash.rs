//! All requests about one key go to one replica, and when a replica comes or goes only its own keys move.
//!
//! Each replica has points on a circle, and a key belongs to whoever's point comes next (Karger et al. 1997; libketama, NGINX
//! `hash .. consistent`, Envoy RING_HASH, HAProxy `hash-type consistent`). Of `n` replicas with `v` points each a share has a
//! coefficient of variation of `sqrt((n-1)/(n v+1))`: of ten with 160 points 7.5 %, and the fullest has about 1.12 of the mean. The
//! circle depends on the run's seed and the service's name alone, so all clients of a service, whoever they are, agree.
//!
//! Who may not be chosen is passed over, and the next point is asked: that is the ring without it. So is who has been asked for this
//! attempt already: a retry that is to go elsewhere goes on along the ring (as Envoy's does). Where few of many may be chosen that is a
//! longer way: on average `all / those` points.
//!
//! *Bounded loads* (Mirrokni, Thorup and Zadimoghaddam 2016). A hot key is more than one replica can do. With a `load_factor` of `c` no
//! replica has more than `ceil(c (m + 1) / n)` of this client's attempts out, of `m` in all; whoever would goes on along the ring. So
//! the hottest key is shared out among as many as it needs, and only then. HAProxy calls it `hash-balance-factor` (in percent; 125 to
//! 200 are advised), Envoy `hash_balance_factor`. It goes by what this client has out: of many clients with little each nobody is full.

use super::by::By;
use super::take_one;
use super::view::View;
use crate::carried::Carried;
use crate::policy::page::Page;
use crate::ring::Ring;
use sim_core::{Key, Streams, Words, digest};
use std::sync::Arc;

/// Points of each replica on the ring: those of libketama and of NGINX, 40 hashes of four points.
pub(super) const VNODES: u32 = 160;

/// A ring, and what makes a place on it of a number. One for all clients of an edge.
#[derive(Debug)]
pub struct Circle {
    ring: Ring,
    salt: u64,
}

impl Circle {
    /// The one of a service of so many replicas.
    pub(super) fn new(replicas: u32, vnodes: u32, service: &str, streams: &Streams) -> Self {
        let (path, mut luck) = (digest::hash_text(service), streams.luck("ring", service));
        let salt = luck.at(Key::root(path, u64::MAX)).next_u64();
        let keys = (0..replicas).flat_map(|replica| {
            let own = Key::root(path, u64::from(replica));
            (0..u64::from(vnodes)).map(move |point| (own.child(point), replica))
        });
        let ring = Ring::new(keys.map(|(key, replica)| (luck.at(key).next_u64(), replica)));
        streams.spend("ring", service, luck.used());
        Circle { ring, salt }
    }

    /// Bytes of one.
    pub(super) fn bytes(replicas: u32, vnodes: u32) -> u64 {
        Ring::POINT * u64::from(replicas) * u64::from(vnodes)
    }

    /// Where the arc ends that something is on, by its number.
    #[inline]
    fn place_of(&self, number: u32) -> usize {
        self.ring.place_of(Key::root(self.salt, u64::from(number)).get())
    }
}

/// What one client knows.
#[derive(Clone, Debug)]
pub(super) struct ConsistentHash {
    circle: Arc<Circle>,
    by: By,
    client: u32,
    /// By what the attempt goes that asks now.
    number: Option<u32>,
    /// Where it looks when it asks again, and who it was that it was given before.
    next: Option<(usize, u32)>,
    bound: Option<Bound>,
}

/// What keeps loads even.
#[derive(Clone, Debug)]
struct Bound {
    /// In millionths of the mean.
    factor: u64,
    pending: Box<[u32]>,
    out: u32,
}

impl Bound {
    /// The most that each of so many may have out, with one more in all.
    #[inline]
    fn most(&self, replicas: u32) -> u64 {
        (self.factor * (u64::from(self.out) + 1)).div_ceil(1_000_000 * u64::from(replicas))
    }
}

impl ConsistentHash {
    pub(super) fn new(
        circle: Arc<Circle>,
        by: By,
        client: u32,
        load_factor: Option<f64>,
        replicas: u32,
    ) -> Self {
        let bound = load_factor.map(|factor| Bound {
            factor: (factor * 1e6).round() as u64,
            pending: vec![0; replicas as usize].into(),
            out: 0,
        });
        ConsistentHash { circle, by, client, number: None, next: None, bound }
    }

    /// Bytes of what it keeps of so many replicas.
    pub(super) fn bytes(replicas: u32, is_bounded: bool) -> u64 {
        size_of::<ConsistentHash>() as u64 + if is_bounded { 4 * u64::from(replicas) } else { 0 }
    }

    /// An attempt asks that carries this.
    #[inline]
    pub(super) fn look(&mut self, carried: &Carried) {
        (self.number, self.next) = (self.by.of(carried, self.client), None);
    }

    /// A number of what the attempt is about that asks, which says nothing of where that is on the ring.
    pub(super) fn lot(&self) -> Option<u64> {
        self.number.map(|number| Key::root(self.circle.salt, u64::from(number)).child(1).get())
    }

    /// Whose the attempt's key is; asked again, whose it would be without that one.
    #[inline(never)]
    pub(super) fn pick(&mut self, view: &View, words: &mut impl Words) -> u32 {
        let before = self.next.map(|(_, before)| before).filter(|_| view.size() > 1);
        let found = self.walk(view, |replica| Some(replica) != before, words);
        let found = found.or_else(|| self.walk(view, |_| true, words));
        // Of a few that only this attempt may go to all may have more than their share of all.
        found.or_else(|| self.walk_on(view, |_| true, |_| true, words)).expect("somebody may be chosen")
    }

    /// The first along the ring that is none of these; the first at all if all are.
    pub(super) fn pick_other(&mut self, view: &View, tried: &[u32], words: &mut impl Words) -> u32 {
        let tried_all =
            view.size() as usize <= tried.len() && view.members().all(|replica| tried.contains(&replica));
        let found =
            if tried_all { None } else { self.walk(view, |replica| !tried.contains(&replica), words) };
        found.unwrap_or_else(|| self.pick(view, words))
    }

    /// The next along the ring that is wanted and has room.
    fn walk(&mut self, view: &View, wanted: impl Fn(u32) -> bool, words: &mut impl Words) -> Option<u32> {
        let Some(bound) = self.bound.take() else { return self.walk_on(view, wanted, |_| true, words) };
        let mean_of = if view.is_passing() { bound.pending.len() as u32 } else { view.size() };
        let most = bound.most(mean_of);
        let has_room = |replica: u32| u64::from(bound.pending[replica as usize]) < most;
        let found = self.walk_on(view, wanted, has_room, words);
        self.bound = Some(bound);
        found
    }

    fn walk_on(
        &mut self,
        view: &View,
        wanted: impl Fn(u32) -> bool,
        has_room: impl Fn(u32) -> bool,
        words: &mut impl Words,
    ) -> Option<u32> {
        let ring = &self.circle.ring;
        let mut place = match (self.next, self.number) {
            (Some((place, _)), _) => place,
            (None, Some(number)) => self.circle.place_of(number),
            // Of an attempt that says nothing of the kind chance decides.
            (None, None) => ring.place_of(words.next_u64()),
        };
        for _ in 0..ring.points() {
            let replica = ring.owner_at(place);
            place = if place + 1 == ring.points() { 0 } else { place + 1 };
            if view.contains(replica) && wanted(replica) && has_room(replica) {
                self.next = Some((place, replica));
                return Some(replica);
            }
        }
        None
    }

    #[inline(never)]
    pub(super) fn sent(&mut self, replica: u32) {
        if let Some(bound) = &mut self.bound {
            bound.pending[replica as usize] += 1;
            bound.out += 1;
        }
    }

    #[inline(never)]
    pub(super) fn ended(&mut self, replica: u32) {
        if let Some(bound) = &mut self.bound {
            take_one(&mut bound.pending[replica as usize]);
            bound.out -= 1;
        }
    }
}

pub(super) const PAGE: Page = Page {
    name: "consistent_hash",
    word: "ConsistentHash",
    what: "All requests about one key (or of one tenant, or of one client) go to one replica, whichever client sends them; of a replica \
           that comes or goes only its own keys move. With a `load_factor` no replica has more than so many times the mean of this client's attempts \
           out: whoever would goes on along the ring. A retry goes to the same replica, unless `retry_host` says otherwise.",
    hurts: "One replica gets all that is asked about the hottest key, however many others there are. Where a replica fails all its keys \
            fail, retries included; and when it goes all that it had goes to those whose points come next, whose caches know none of it.",
    formula: "shares of `n` replicas with `v` points each vary by `sqrt((n-1)/(n v+1))`; one that leaves moves `1/n` of the keys; with a load \
              factor of `c` no replica has more than `ceil(c (m+1)/n)` of `m+1` attempts out",
    source: "Karger et al. 1997; libketama and NGINX (160 points); Envoy RING_HASH; Mirrokni, Thorup and Zadimoghaddam, \"Consistent Hashing \
             with Bounded Loads\", 2016; HAProxy `hash-balance-factor`",
    experiment: "hot-key",
};

#[cfg(test)]
mod tests;
