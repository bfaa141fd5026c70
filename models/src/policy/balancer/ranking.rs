//! Who has the fewest attempts out, without a scan.

use super::view::View;
use sim_core::Words;

/// Replicas in the order of what they have pending, and where each number begins. A replica that gains or
/// loses one swaps places with the last or first of its equals, and one boundary moves: no scan, however
/// many replicas there are. All that have the fewest stand together, so that a random one of them is one
/// draw (a priority queue would always give the same one).
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    /// Of all replicas, whether or not they may be chosen.
    pending: Box<[u32]>,
    /// Those that may be, fewest pending first.
    order: Box<[u32]>,
    /// Where in `order` each replica stands; [`OUT`] of those that may not be chosen.
    place: Box<[u32]>,
    /// Of the view that stands in `order`.
    version: u32,
    /// `fewer[k]`: how many replicas have fewer than `k` pending. One longer than the most ever pending.
    fewer: Vec<u32>,
}

const OUT: u32 = u32::MAX;

impl Ranking {
    pub(super) fn new(replicas: u32) -> Self {
        let order: Box<[u32]> = (0..replicas).collect();
        let pending = vec![0; replicas as usize].into();
        Ranking { pending, place: order.clone(), order, version: 0, fewer: vec![0, replicas] }
    }

    /// Ranks those who may be chosen now.
    #[cold]
    fn look_at(&mut self, view: &View) {
        self.version = view.version;
        self.order = (0..view.size()).map(|place| view.member(place)).collect();
        self.order.sort_by_key(|&replica| self.pending[replica as usize]);
        self.place.fill(OUT);
        for (place, &replica) in self.order.iter().enumerate() {
            self.place[replica as usize] = place as u32;
        }
        let most = self.order.last().map_or(0, |&replica| self.pending[replica as usize]);
        let fewer = |k| self.order.partition_point(|&replica| self.pending[replica as usize] < k) as u32;
        self.fewer = (0..=most + 1).map(fewer).collect();
    }

    #[inline]
    pub(super) fn least(&mut self, view: &View, words: &mut impl Words) -> u32 {
        if view.is_passing() {
            return self.least_of_few(view, words);
        }
        if self.version != view.version {
            self.look_at(view);
        }
        let least = self.pending[self.order[0] as usize];
        let equals = self.fewer[least as usize + 1];
        self.order[if equals > 1 { words.below(u64::from(equals)) as usize } else { 0 }]
    }

    /// How many are out at each, whether or not it may be chosen.
    pub(super) fn all(&self) -> &[u32] {
        &self.pending
    }

    /// From now on so many are out at each of which anything is known.
    pub(super) fn hears(&mut self, pending: impl Iterator<Item = Option<u32>>) {
        for (known, pending) in self.pending.iter_mut().zip(pending) {
            *known = pending.unwrap_or(*known);
        }
        // Who is chosen next ranks them anew.
        self.version = u32::MAX;
        self.place.fill(OUT);
    }

    /// How many are out there.
    pub(super) fn pending(&self, replica: u32) -> u32 {
        self.pending[replica as usize]
    }

    /// Of a few that are not ranked apart, one with the fewest.
    #[inline(never)]
    fn least_of_few(&self, view: &View, words: &mut impl Words) -> u32 {
        let pending = |replica: &u32| self.pending[*replica as usize];
        let least = view.members().map(|replica| pending(&replica)).min().expect("somebody may be chosen");
        let equals = || view.members().filter(|replica| pending(replica) == least);
        let count = equals().count();
        let which = if count > 1 { words.below(count as u64) as usize } else { 0 };
        equals().nth(which).expect("one of them")
    }

    /// Of those that are wanted, one with the fewest; none if there is none.
    pub(super) fn least_of(&self, wanted: impl Fn(u32) -> bool) -> Option<u32> {
        self.order.iter().copied().find(|&replica| wanted(replica))
    }

    #[inline]
    pub(super) fn sent(&mut self, replica: u32) {
        let more = self.pending[replica as usize] + 1;
        if self.place[replica as usize] == OUT {
            self.pending[replica as usize] = more;
            return;
        }
        self.fewer[more as usize] -= 1;
        self.move_to(replica, self.fewer[more as usize]);
        self.pending[replica as usize] = more;
        if more as usize + 1 == self.fewer.len() {
            self.fewer.push(self.order.len() as u32);
        }
    }

    #[inline]
    pub(super) fn ended(&mut self, replica: u32) {
        let pending = &mut self.pending[replica as usize];
        let before = *pending as usize;
        take_one(pending);
        if self.place[replica as usize] != OUT {
            self.move_to(replica, self.fewer[before]);
            self.fewer[before] += 1;
        }
    }

    #[inline]
    fn move_to(&mut self, replica: u32, to: u32) {
        let from = self.place[replica as usize];
        let other = self.order[to as usize];
        self.order.swap(from as usize, to as usize);
        self.place[other as usize] = from;
        self.place[replica as usize] = to;
    }
}

#[inline]
pub(super) fn take_one(pending: &mut u32) {
    *pending = pending.checked_sub(1).expect("an attempt ended that was never sent");
}
