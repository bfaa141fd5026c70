//! A crowd that is due at one instant: first in, first out, however many there are.

use super::entry::Entry;
use super::slots::{IN_CROWD, Slots};
use std::collections::VecDeque;

/// Positions count up from the first entry there ever was, and begin again when their bits are used up.
const COUNT: u32 = IN_CROWD - 1;

#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    /// In order. A cancelled entry leaves a vacancy, but never at the front.
    entries: VecDeque<Entry>,
    vacancies: usize,
    /// The position of the front.
    front: u32,
}

impl Crowd {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.vacancies
    }

    /// When they are due.
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.front()
    }

    /// Adds an entry that was scheduled after all others.
    pub(super) fn push<E>(&mut self, entry: Entry, slots: &mut Slots<E>) {
        let position = self.front.wrapping_add(self.entries.len() as u32) & COUNT;
        slots.moved(entry.slot(), position | IN_CROWD);
        self.entries.push_back(entry);
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.leave()?;
        self.trim();
        Some(entry)
    }

    /// Removes the entry at `position`.
    pub(super) fn remove(&mut self, position: u32) {
        let index = position.wrapping_sub(self.front) & COUNT;
        self.entries[index as usize].vacate();
        self.vacancies += 1;
        self.trim();
    }

    fn trim(&mut self) {
        while self.entries.front().is_some_and(|entry| entry.is_vacant()) {
            self.leave();
            self.vacancies -= 1;
        }
    }

    fn leave(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.front = self.front.wrapping_add(1) & COUNT;
        Some(entry)
    }

    #[cfg(test)]
    pub(super) fn check<E>(&self, time: u64, slots: &Slots<E>) {
        assert!(!self.entries.front().is_some_and(|entry| entry.is_vacant()));
        let mut pending = Vec::new();
        for (i, &entry) in self.entries.iter().enumerate().filter(|(_, entry)| !entry.is_vacant()) {
            let position = self.front.wrapping_add(i as u32) & COUNT;
            assert_eq!(slots.position_of(entry.slot()), position | IN_CROWD);
            assert_eq!(entry.time, time);
            pending.push(entry);
        }
        assert!(pending.is_sorted_by(|a, b| a.key() < b.key()));
        assert_eq!(pending.len(), self.len());
    }
}
