//! What is kept: so many values, each of a key, and whoever was looked at longest ago goes first.
//!
//! A value whose time is over stays in its place until it is replaced, or it is its turn to go, as in memcached: nobody sweeps.

use super::index::{Index, NOWHERE};
use sim_core::{SimDuration, SimTime};

/// What is kept of a key.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// From then on its time is over.
    pub until: SimTime,
    /// What it took to fetch.
    pub took: SimDuration,
    /// It is an error.
    pub is_error: bool,
    /// Somebody has been out for the next since it was stored.
    pub is_renewed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u32,
    /// Who was looked at after it, and before it; of a free place only the second: the next free one.
    newer: u32,
    older: u32,
    kept: Kept,
}

const _: () = assert!(size_of::<Entry>() <= 40);

/// Values by key, in the order in which they were looked at.
#[derive(Clone, Debug)]
pub struct Store {
    index: Index,
    entries: Vec<Entry>,
    newest: u32,
    oldest: u32,
    free: u32,
    len: u32,
    capacity: u32,
}

impl Store {
    /// Bytes at most for each value: a growing list has room for twice as many.
    pub const BYTES: u64 = 2 * size_of::<Entry>() as u64 + Index::BYTES;

    /// Room for so many.
    pub fn new(capacity: u32) -> Self {
        Store {
            index: Index::default(),
            entries: Vec::new(),
            newest: NOWHERE,
            oldest: NOWHERE,
            free: NOWHERE,
            len: 0,
            capacity,
        }
    }

    /// Values that are kept, those included whose time is over.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// What is kept of a key. Whoever is looked at goes last.
    pub fn look(&mut self, key: u32) -> Option<&mut Kept> {
        let at = self.index.get(key)?;
        self.touch(at);
        Some(&mut self.entries[at as usize].kept)
    }

    /// The same of what nobody looks at for its value.
    pub fn peek(&mut self, key: u32) -> Option<&mut Kept> {
        let at = self.index.get(key)?;
        Some(&mut self.entries[at as usize].kept)
    }

    /// Keeps this of a key, in place of what was kept of it. Says whether another had to go.
    pub fn put(&mut self, key: u32, kept: Kept) -> bool {
        if let Some(old) = self.look(key) {
            *old = kept;
            return false;
        }
        let evicts = self.len == self.capacity;
        if evicts {
            let oldest = self.entries[self.oldest as usize].key;
            self.remove(oldest);
        }
        let entry = Entry { key, newer: NOWHERE, older: NOWHERE, kept };
        let at = self.free;
        let at = if at == NOWHERE {
            self.entries.push(entry);
            u32::try_from(self.entries.len() - 1).expect("fewer keys than that")
        } else {
            self.free = self.entries[at as usize].older;
            self.entries[at as usize] = entry;
            at
        };
        self.index.insert(key, at);
        self.link(at);
        self.len += 1;
        evicts
    }

    /// Nothing is kept of a key any more. Says whether anything was.
    pub fn remove(&mut self, key: u32) -> bool {
        let Some(at) = self.index.get(key) else { return false };
        self.index.remove(key);
        self.unlink(at);
        self.entries[at as usize].older = std::mem::replace(&mut self.free, at);
        self.len -= 1;
        true
    }

    /// Nothing is kept.
    pub fn clear(&mut self) {
        self.index.clear();
        self.entries.clear();
        (self.newest, self.oldest, self.free, self.len) = (NOWHERE, NOWHERE, NOWHERE, 0);
    }

    fn touch(&mut self, at: u32) {
        if self.newest != at {
            self.unlink(at);
            self.link(at);
        }
    }

    fn unlink(&mut self, at: u32) {
        let Entry { newer, older, .. } = self.entries[at as usize];
        match newer {
            NOWHERE => self.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
        match older {
            NOWHERE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
    }

    fn link(&mut self, at: u32) {
        let before = std::mem::replace(&mut self.newest, at);
        (self.entries[at as usize].newer, self.entries[at as usize].older) = (NOWHERE, before);
        match before {
            NOWHERE => self.oldest = at,
            before => self.entries[before as usize].newer = at,
        }
    }

    /// The list has whoever is kept, once, and both ways.
    pub fn check(&self) {
        let (mut at, mut newer, mut count) = (self.newest, NOWHERE, 0);
        while at != NOWHERE {
            let entry = &self.entries[at as usize];
            assert!(
                entry.newer == newer && self.index.get(entry.key) == Some(at),
                "a value out of its place"
            );
            (newer, at, count) = (at, entry.older, count + 1);
        }
        assert!(self.oldest == newer && count == self.len && count <= self.capacity, "values that are kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(at: u64) -> Kept {
        let until = SimTime::from_nanos(at);
        Kept { until, took: SimDuration::ZERO, is_error: false, is_renewed: false }
    }

    /// What is asked for, and whether it is there; what is not is stored.
    #[test]
    fn who_was_looked_at_longest_ago_goes() {
        let mut store = Store::new(2);
        let mut asks = |key| {
            let there = store.look(key).is_some();
            let evicts = !there && store.put(key, kept(1));
            store.check();
            (there, evicts)
        };
        let asked = [1, 2, 1, 3, 1, 2, 3, 3].map(&mut asks);
        let (hit, new, evicts) = ((true, false), (false, false), (false, true));
        // The third asks for 1 again, so 2 goes for 3, and 3 for 2, and 1 for 3.
        assert_eq!(asked, [new, new, hit, evicts, hit, evicts, evicts, hit]);
    }

    #[test]
    fn what_is_put_again_is_replaced_and_looked_at() {
        let mut store = Store::new(2);
        assert!(!store.put(1, kept(10)) && !store.put(2, kept(20)) && !store.put(1, kept(30)));
        assert_eq!((store.len(), store.look(1).map(|it| it.until.as_nanos())), (2, Some(30)));
        assert!(store.put(3, kept(40)), "2 goes");
        assert!(store.peek(2).is_none() && store.peek(1).is_some());
        // A peek moves nobody.
        assert!(store.put(4, kept(50)) && store.peek(1).is_none() && store.peek(3).is_some());
        store.check();
    }

    #[test]
    fn what_is_taken_out_leaves_room() {
        let mut store = Store::new(3);
        (1..=3).for_each(|key| assert!(!store.put(key, kept(1))));
        assert!(store.remove(2) && !store.remove(2) && !store.remove(9));
        assert!(!store.put(4, kept(1)) && store.put(5, kept(1)), "there was room for one");
        store.check();
        assert_eq!([1, 2, 3, 4, 5].map(|key| store.peek(key).is_some()), [false, false, true, true, true]);
        store.clear();
        store.check();
        assert!(store.len() == 0 && store.look(3).is_none() && !store.put(3, kept(1)));
        store.check();
    }
}
