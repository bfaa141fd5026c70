//! The log of a node, and what all that is done of it comes to.

use super::Entry;
use crate::cluster::protocol::{Op, Request};

/// A log, of which what is in a snapshot is no longer there.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// So many entries are in the snapshot, and the term of the last of them.
    pub base: u64,
    pub base_term: u64,
    pub entries: Vec<Entry>,
}

impl Log {
    pub fn last_index(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// None before the snapshot's last, and after the end.
    pub fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(index.checked_sub(self.base + 1)? as usize)
    }

    /// The term of an entry; 0 where there is none.
    pub fn term_at(&self, index: u64) -> u64 {
        if index == self.base { self.base_term } else { self.get(index).map_or(0, |entry| entry.term) }
    }

    pub fn last_term(&self) -> u64 {
        self.term_at(self.last_index())
    }

    /// Those after an index, so many at most.
    pub fn after(&self, index: u64, most: u32) -> Vec<Entry> {
        self.entries[(index - self.base) as usize..].iter().take(most as usize).copied().collect()
    }

    /// It ends after this index.
    pub fn truncate(&mut self, index: u64) {
        self.entries.truncate((index - self.base) as usize);
    }

    /// All up to an index is in the snapshot: what comes after it stays, if it is alike there.
    pub fn forget(&mut self, index: u64, term: u64) {
        if self.get(index).is_some_and(|entry| entry.term == term) {
            self.entries.drain(..(index - self.base) as usize);
        } else {
            self.entries.clear();
        }
        (self.base, self.base_term) = (index, term);
    }
}

/// What all entries up to one came to: the state machine.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Of each key the last write.
    pub values: Vec<Option<Op>>,
    /// Of each operation whether it is done.
    pub is_done: Vec<u64>,
    /// How many are.
    pub done: u64,
}

impl State {
    pub fn value(&self, key: u32) -> Option<Op> {
        self.values.get(key as usize).copied().flatten()
    }

    /// Does a write; what has a key is done once. Whether it was done now.
    pub fn writes(&mut self, request: Request) -> bool {
        let (word, bit) = (request.op as usize / 64, 1 << (request.op % 64));
        if self.is_done.len() <= word {
            self.is_done.resize(word + 1, 0);
        }
        if request.once && self.is_done[word] & bit != 0 {
            return false;
        }
        self.is_done[word] |= bit;
        self.done += 1;
        let key = request.key as usize;
        if self.values.len() <= key {
            self.values.resize(key + 1, None);
        }
        self.values[key] = Some(request.op);
        true
    }

    /// All writes that are done.
    pub fn ops(&self) -> impl Iterator<Item = Op> {
        let bits = |(word, bits): (usize, &u64)| {
            let bits = *bits;
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| (word * 64) as Op + bit)
        };
        self.is_done.iter().enumerate().flat_map(bits)
    }
}
