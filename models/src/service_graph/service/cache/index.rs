//! Where what is kept of a key stands: a table with open addressing, by a hash that is the same everywhere.
//!
//! At most half of its places are taken, so a look is a step or two. What is taken out leaves no mark: those behind it move up.

/// Nobody's place.
pub const NOWHERE: u32 = u32::MAX;

/// A key, and where what is kept of it stands.
type Place = (u32, u32);

const EMPTY: Place = (0, NOWHERE);
const FEWEST: usize = 8;
/// 2^64 over the golden ratio: numbers in a row are far apart (Knuth, volume 3, 6.4).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The places of all keys.
#[derive(Clone, Debug)]
pub struct Index {
    /// As many as a power of two.
    places: Box<[Place]>,
    taken: usize,
}

impl Default for Index {
    fn default() -> Self {
        Index { places: vec![EMPTY; FEWEST].into(), taken: 0 }
    }
}

impl Index {
    /// Bytes at most for so many keys: there may be room for four times as many.
    pub const BYTES: u64 = 4 * size_of::<Place>() as u64;

    fn mask(&self) -> usize {
        self.places.len() - 1
    }

    fn home(&self, key: u32) -> usize {
        (u64::from(key).wrapping_mul(SPREAD) >> (64 - self.places.len().trailing_zeros())) as usize
    }

    /// Its place in the table, or the empty one where it would be.
    fn find(&self, key: u32) -> usize {
        let mut at = self.home(key);
        while self.places[at].1 != NOWHERE && self.places[at].0 != key {
            at = (at + 1) & self.mask();
        }
        at
    }

    /// Where what is kept of a key stands, if anything is.
    pub fn get(&self, key: u32) -> Option<u32> {
        let (_, place) = self.places[self.find(key)];
        (place != NOWHERE).then_some(place)
    }

    /// Something is kept of a key of which nothing was.
    pub fn insert(&mut self, key: u32, place: u32) {
        if 2 * (self.taken + 1) > self.places.len() {
            let more = vec![EMPTY; 2 * self.places.len()].into();
            let before = std::mem::replace(&mut self.places, more);
            for (key, place) in before.into_iter().filter(|(_, place)| *place != NOWHERE) {
                let at = self.find(key);
                self.places[at] = (key, place);
            }
        }
        let at = self.find(key);
        debug_assert!(self.places[at] == EMPTY && place != NOWHERE);
        self.places[at] = (key, place);
        self.taken += 1;
    }

    /// Nothing is kept of a key any more of which something was.
    pub fn remove(&mut self, key: u32) {
        let mut hole = self.find(key);
        debug_assert!(self.places[hole].1 != NOWHERE);
        let mut next = hole;
        loop {
            next = (next + 1) & self.mask();
            let (other, place) = self.places[next];
            if place == NOWHERE {
                break;
            }
            // One that is as far from its home as the hole, or further, is found from there as well.
            let far = |from: usize| next.wrapping_sub(from) & self.mask();
            if far(self.home(other)) >= far(hole) {
                self.places[hole] = (other, place);
                hole = next;
            }
        }
        self.places[hole] = EMPTY;
        self.taken -= 1;
    }

    /// Nothing is kept of any.
    pub fn clear(&mut self) {
        self.places.fill(EMPTY);
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Against a map, under any order of coming and going: keys in a row, and such as have one home.
    #[test]
    fn it_is_a_map() {
        for step in [1, 1 << 16, 0x9E37_79B1] {
            let (mut index, mut map) = (Index::default(), BTreeMap::new());
            let mut state = 1u64;
            for turn in 0..20_000u32 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let key = ((state >> 33) as u32 % 300).wrapping_mul(step);
                assert_eq!(index.get(key), map.get(&key).copied());
                match map.remove(&key) {
                    Some(_) => index.remove(key),
                    None => {
                        index.insert(key, turn);
                        map.insert(key, turn);
                    }
                }
                assert_eq!(index.taken, map.len());
                if turn == 15_000 {
                    index.clear();
                    map.clear();
                }
            }
            assert!(map.iter().all(|(key, place)| index.get(*key) == Some(*place)));
            assert!((2 * map.len()..=4 * 300).contains(&index.places.len()), "{}", index.places.len());
        }
    }
}
