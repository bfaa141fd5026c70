//! Consistent hashing: whoever is on the circle owns the arcs that end at its points (Karger et al. 1997).
//!
//! With `v` points each, one that joins `n` others takes `1 / (n + 1)` of the circle on average, with a
//! coefficient of variation of `sqrt(n / ((n + 1) v + 1))`: 9.5 % for the eleventh with 100 points.
//! One ring is one draw of that; the circle is 64 bits, and its arcs are known exactly.
//!
//! Points of one do not depend on who else is there. So whoever is passed over for a while, and the next point asked instead, leaves
//! the ring that there would be without it.

/// The points of a circle in order, and whose they are.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    points: Box<[u64]>,
    owners: Box<[u32]>,
}

impl Ring {
    /// What a point takes.
    pub const POINT: u64 = (size_of::<u64>() + size_of::<u32>()) as u64;

    /// The ring of these points: where each is, and whose.
    pub fn new(points: impl Iterator<Item = (u64, u32)>) -> Self {
        let mut points: Vec<(u64, u32)> = points.collect();
        points.sort_unstable();
        let (points, owners): (Vec<u64>, Vec<u32>) = points.into_iter().unzip();
        Ring { points: points.into(), owners: owners.into() }
    }

    /// Whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Where the points are, in their order.
    #[cfg(test)]
    pub fn ends(&self) -> &[u64] {
        &self.points
    }

    /// How many points there are.
    #[inline]
    pub fn points(&self) -> usize {
        self.points.len()
    }

    /// Which of them ends the arc that `hash` is on: the first at or after it, round the circle.
    #[inline]
    pub fn place_of(&self, hash: u64) -> usize {
        let next = self.points.partition_point(|&point| point < hash);
        if next < self.points.len() { next } else { 0 }
    }

    /// Whose a point is, by its place in their order.
    #[inline]
    pub fn owner_at(&self, place: usize) -> u32 {
        self.owners[place]
    }

    /// Whose arc `hash` is on.
    pub fn owner(&self, hash: u64) -> Option<u32> {
        self.owners.get(self.place_of(hash)).copied()
    }

    /// The share of the circle that has another owner on `other`; 0 if one of them is empty.
    pub fn share_moved(&self, other: &Ring) -> f64 {
        if self.is_empty() || other.is_empty() {
            return 0.0;
        }
        let mut ends: Vec<u64> = self.points.iter().chain(&other.points).copied().collect();
        ends.sort_unstable();
        ends.dedup();
        // The arc that ends at the first point began after the last.
        let begins = std::iter::once(ends[ends.len() - 1]).chain(ends.iter().copied());
        let moved = begins.zip(&ends).filter(|&(_, &end)| self.owner(end) != other.owner(end));
        let length: u128 = moved.map(|(begin, end)| u128::from(end.wrapping_sub(begin))).sum();
        length as f64 / 18_446_744_073_709_551_616.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Key, Streams, Words};

    fn ring(servers: std::ops::Range<u32>) -> Ring {
        let mut luck = Streams::new(7).luck("ring", "test");
        let of = |server: u32| (0..100).map(move |point| (Key::root(u64::from(server), point), server));
        Ring::new(servers.flat_map(of).map(|(key, server)| (luck.at(key).next_u64(), server)))
    }

    #[test]
    fn a_point_owns_the_arc_before_it() {
        let ring = Ring::new([(20, 1), (10, 0)].into_iter());
        for (hash, owner) in [(0, 0), (10, 0), (11, 1), (20, 1), (21, 0), (u64::MAX, 0)] {
            assert_eq!(ring.owner(hash), Some(owner), "{hash}");
        }
        assert_eq!(Ring::default().owner(1), None);
    }

    #[test]
    fn moved_arcs_are_measured_exactly() {
        let quarter = 1 << 62;
        let two = Ring::new([(quarter, 0), (3 * quarter, 1)].into_iter());
        let three = Ring::new([(quarter, 0), (2 * quarter, 2), (3 * quarter, 1)].into_iter());
        assert_eq!(two.share_moved(&three), 0.25);
        assert_eq!(two.share_moved(&two), 0.0);
    }

    #[test]
    fn only_the_newcomer_gains() {
        let (ten, eleven) = (ring(0..10), ring(0..11));
        let moved = ten.share_moved(&eleven);
        let mut words = Streams::new(8).stream("hashes", "test");
        let (mut hashes, mut differ) = (0, 0);
        for _ in 0..100_000 {
            let hash = words.next_u64();
            hashes += 1;
            if ten.owner(hash) != eleven.owner(hash) {
                differ += 1;
                assert_eq!(eleven.owner(hash), Some(10), "nothing moves between the old ones");
            }
        }
        let found = f64::from(differ) / f64::from(hashes);
        let error = (moved * (1.0 - moved) / f64::from(hashes)).sqrt();
        assert!((found - moved).abs() < 4.0 * error, "{found} of the hashes, {moved} of the circle");
        // Four times the deviation between rings, sqrt(n / ((n + 1) v + 1)) of the mean.
        assert!((moved * 11.0 - 1.0).abs() < 4.0 * (10.0f64 / 1101.0).sqrt(), "{moved}");
    }
}
