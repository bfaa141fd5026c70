//! Entries that leave by their rank, the least first and equals as they came, or out of turn.
//!
//! A `priority-queue`, which does not keep equals in the order of their arrival: so what tells them apart, a number counted up,
//! is part of the priority, and finds an entry that leaves early. All of it takes `O(log n)`.

use priority_queue::PriorityQueue;
use rustc_hash::FxBuildHasher;
use std::borrow::Borrow;
use std::cmp::Reverse;
use std::hash::{Hash, Hasher};

/// Entries `T`, each with its rank.
#[derive(Clone)]
pub struct Ranked<T, K: Ord> {
    entries: PriorityQueue<Entry<T>, Reverse<(K, u64)>, FxBuildHasher>,
    /// The number of the next to come.
    next: u64,
}

/// An entry that is known by its number.
#[derive(Clone)]
struct Entry<T> {
    number: u64,
    entry: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Entry<T> {}

impl<T> Hash for Entry<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl<T> Borrow<u64> for Entry<T> {
    fn borrow(&self) -> &u64 {
        &self.number
    }
}

impl<T, K: Ord> Default for Ranked<T, K> {
    fn default() -> Self {
        Ranked { entries: PriorityQueue::default(), next: 0 }
    }
}

impl<T: Copy, K: Ord + Copy> Ranked<T, K> {
    /// One more, of this rank: the number by which it is found.
    pub fn push(&mut self, entry: T, rank: K) -> u64 {
        let number = self.next;
        self.next += 1;
        self.entries.push(Entry { number, entry }, Reverse((rank, number)));
        number
    }

    /// The first leaves.
    pub fn pop(&mut self) -> Option<T> {
        self.entries.pop().map(|(entry, _)| entry.entry)
    }

    /// The first, and its rank.
    pub fn first(&self) -> Option<(T, K)> {
        self.entries.peek().map(|(entry, Reverse((rank, _)))| (entry.entry, *rank))
    }

    /// The one of this number.
    pub fn get(&self, number: u64) -> Option<T> {
        self.entries.get(&number).map(|(entry, _)| entry.entry)
    }

    /// The one of this number leaves, whatever its rank, which is told.
    pub fn remove(&mut self, number: u64) -> Option<(T, K)> {
        self.entries.remove(&number).map(|(entry, Reverse((rank, _)))| (entry.entry, rank))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Streams, Words};

    /// Against a list that is searched.
    #[test]
    fn the_least_leaves_first_and_equals_as_they_came() {
        let mut words = Streams::new(1).stream("test", "ranked");
        let (mut ranked, mut naive): (Ranked<u64, u64>, Vec<(u64, u64)>) = Default::default();
        for step in 0..20_000 {
            match words.below(4) {
                0 | 1 if step < 15_000 => {
                    let rank = words.below(20);
                    naive.push((rank, ranked.push(step, rank)));
                }
                2 if !naive.is_empty() => {
                    let (rank, number) = naive.remove(words.below(naive.len() as u64) as usize);
                    assert_eq!(ranked.remove(number).map(|(_, rank)| rank), Some(rank));
                    assert!(ranked.remove(number).is_none() && ranked.get(number).is_none());
                }
                _ => {
                    let first = (0..naive.len()).min_by_key(|at| naive[*at]).map(|at| naive.remove(at));
                    assert_eq!(ranked.first().map(|(_, rank)| rank), first.map(|(rank, _)| rank));
                    let entry = first.and_then(|(_, number)| ranked.get(number));
                    assert_eq!(ranked.pop(), entry);
                }
            }
            assert_eq!(ranked.len(), naive.len());
        }
    }
}
