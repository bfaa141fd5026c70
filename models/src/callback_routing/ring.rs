//! Consistent hashing: servers own the arcs of a circle that end at their points.
//!
//! With `v` points each, a server that joins `n` others takes `1 / (n + 1)` of the circle on average, with a
//! coefficient of variation of `sqrt(n / ((n + 1) v + 1))`: 9.5 % for the eleventh server with 100 points.
//! One ring is one draw of that; the circle is 64 bits, and its arcs are known exactly.

use sim_core::{Key, Luck, Words};

/// The points of a circle in order, and whose they are.
#[derive(Default)]
pub(super) struct Ring(Vec<(u64, usize)>);

impl Ring {
    /// The ring of these servers: (index, hash of its name, points). A server's points depend on its name
    /// alone, so those of the others stay where they are when it comes or goes.
    pub(super) fn new(servers: impl Iterator<Item = (usize, u64, u64)>, luck: &mut Luck) -> Self {
        let mut points = Vec::new();
        for (server, entity, count) in servers {
            points.extend((0..count).map(|point| (luck.at(Key::root(entity, point)).next_u64(), server)));
        }
        points.sort_unstable();
        Ring(points)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose arc `hash` is on: the first point at or after it, round the circle.
    pub(super) fn owner(&self, hash: u64) -> Option<usize> {
        let next = self.0.partition_point(|&(point, _)| point < hash);
        self.0.get(next).or(self.0.first()).map(|&(_, server)| server)
    }

    /// The share of the circle that has another owner on `other`; 0 if one of them is empty.
    pub(super) fn share_moved(&self, other: &Ring) -> f64 {
        if self.is_empty() || other.is_empty() {
            return 0.0;
        }
        let mut ends: Vec<u64> = self.0.iter().chain(&other.0).map(|&(point, _)| point).collect();
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
    use sim_core::Streams;

    fn ring(servers: std::ops::Range<usize>) -> Ring {
        Ring::new(
            servers.map(|server| (server, server as u64, 100)),
            &mut Streams::new(7).luck("ring", "test"),
        )
    }

    #[test]
    fn a_point_owns_the_arc_before_it() {
        let ring = Ring(vec![(10, 0), (20, 1)]);
        for (hash, owner) in [(0, 0), (10, 0), (11, 1), (20, 1), (21, 0), (u64::MAX, 0)] {
            assert_eq!(ring.owner(hash), Some(owner), "{hash}");
        }
        assert_eq!(Ring::default().owner(1), None);
    }

    #[test]
    fn moved_arcs_are_measured_exactly() {
        let quarter = 1 << 62;
        let two = Ring(vec![(quarter, 0), (3 * quarter, 1)]);
        let three = Ring(vec![(quarter, 0), (2 * quarter, 2), (3 * quarter, 1)]);
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
