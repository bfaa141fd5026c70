//! What is due next: a short list in order, the earliest at its end.
//!
//! Among few entries nothing is faster than a list. What is scheduled is mostly due among the next few, so it
//! moves past those and no others; what is not finds its place by halving, and what is later moves up in one
//! copy. Nobody notes who lies where: an entry that is cancelled is looked for.

use super::entry::Entry;
use std::cmp::Reverse;

/// An entry that belongs before so many is passed by them one by one; for any other the place is found by halving.
const STEPS: usize = 8;

#[derive(Clone, Debug, Default)]
pub(super) struct Near {
    /// The earliest is the last.
    entries: Vec<Entry>,
}

impl Near {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The earliest entry.
    #[inline]
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.last()
    }

    #[cfg(test)]
    /// The latest entry.
    pub(super) fn last(&self) -> Option<&Entry> {
        self.entries.first()
    }

    /// Removes the earliest entry.
    #[inline]
    pub(super) fn pop(&mut self) {
        self.entries.pop();
    }

    /// Whether what is due then belongs before but a few, and there is room for it.
    #[inline(always)]
    pub(super) fn is_soon(&self, time: u64) -> bool {
        let end = self.entries.len();
        end < self.entries.capacity() && (end <= STEPS || self.entries[end - STEPS].time > time)
    }

    /// Adds an entry that was scheduled after all others, so the time alone says where it belongs.
    pub(super) fn insert(&mut self, entry: Entry) {
        if self.is_soon(entry.time) {
            self.insert_soon(entry);
        } else {
            self.insert_far(entry);
        }
    }

    /// The same where it [is soon](Self::is_soon).
    #[inline(always)]
    pub(super) fn insert_soon(&mut self, entry: Entry) {
        self.entries.push(entry);
        let entries = &mut self.entries[..];
        let mut hole = entries.len() - 1;
        while hole > 0 && entries[hole - 1].time <= entry.time {
            entries[hole] = entries[hole - 1];
            hole -= 1;
        }
        entries[hole] = entry;
    }

    /// The same wherever it belongs.
    #[inline(always)]
    pub(super) fn insert_far(&mut self, entry: Entry) {
        let place = self.entries.partition_point(|other| other.time > entry.time);
        self.entries.insert(place, entry);
    }

    /// Removes the entry of this slot.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        // What is cancelled is mostly a timeout, so it lies among the latest.
        let place = self.entries.iter().position(|entry| entry.slot() == slot);
        self.entries.remove(place.expect("a pending event is near or has a place"));
    }

    /// Puts entries in order that were added in none.
    pub(super) fn sort(&mut self) {
        self.entries.sort_unstable_by_key(|entry| Reverse(entry.key()));
    }

    /// All entries, to be added to or taken from; [`sort`](Near::sort) afterwards.
    pub(super) fn entries(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    #[cfg(test)]
    pub(super) fn check(&self) -> &[Entry] {
        assert!(self.entries.is_sorted_by(|a, b| a.key() > b.key()));
        &self.entries
    }
}
