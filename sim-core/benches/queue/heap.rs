//! A heap with four children per node, whose entries know where they are.
//!
//! Four children of sixteen bytes lie side by side in one or two cache lines, and the tree is half as
//! deep as a binary one. Every move is noted with the event, so that an entry can be removed
//! from the middle.

use super::entry::Entry;
use super::slots::Slots;

#[derive(Debug, Default)]
pub(super) struct Heap {
    /// `entries[i]` is not greater than `entries[4 * i + 1 ..= 4 * i + 4]`.
    entries: Vec<Entry>,
}

impl Heap {
    /// The least entry.
    #[inline]
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.first()
    }

    #[inline]
    pub(super) fn push<E>(&mut self, entry: Entry, slots: &mut Slots<E>) {
        self.entries.push(entry);
        self.rise(self.entries.len() - 1, entry, slots);
    }

    /// Removes the least entry.
    #[inline]
    pub(super) fn pop<E>(&mut self, slots: &mut Slots<E>) {
        if let Some(last) = self.entries.pop()
            && !self.entries.is_empty()
        {
            self.sink(0, last, slots);
        }
    }

    /// Removes the entry at `position`.
    #[inline]
    pub(super) fn remove<E>(&mut self, position: usize, slots: &mut Slots<E>) {
        let last = self.entries.pop().expect("a position in an empty heap");
        if position == self.entries.len() {
            return;
        }
        // The last entry fills the hole. It may come from another branch and be less than the parent of
        // the hole: then it has to rise, not to sink.
        if position > 0 && last.key() < self.entries[(position - 1) / 4].key() {
            self.rise(position, last, slots);
        } else {
            self.sink(position, last, slots);
        }
    }

    #[inline(always)]
    fn rise<E>(&mut self, mut hole: usize, entry: Entry, slots: &mut Slots<E>) {
        while hole > 0 {
            let parent = (hole - 1) / 4;
            let above = self.entries[parent];
            if above.key() < entry.key() {
                break;
            }
            self.put(hole, above, slots);
            hole = parent;
        }
        self.put(hole, entry, slots);
    }

    #[inline(always)]
    fn sink<E>(&mut self, mut hole: usize, entry: Entry, slots: &mut Slots<E>) {
        loop {
            let first = 4 * hole + 1;
            let Some(children) = self.entries.get(first..) else { break };
            let (mut child, mut least);
            if let Some([a, b, c, d]) = children.first_chunk::<4>() {
                let (left, low) = if b.key() < a.key() { (1, *b) } else { (0, *a) };
                let (right, high) = if d.key() < c.key() { (3, *d) } else { (2, *c) };
                (child, least) = if high.key() < low.key() { (right, high) } else { (left, low) };
            } else {
                let Some(a) = children.first() else { break };
                (child, least) = (0, *a);
                for (i, other) in children.iter().enumerate().skip(1) {
                    if other.key() < least.key() {
                        (child, least) = (i, *other);
                    }
                }
            }
            if entry.key() < least.key() {
                break;
            }
            child += first;
            self.put(hole, least, slots);
            hole = child;
        }
        self.put(hole, entry, slots);
    }

    #[inline]
    fn put<E>(&mut self, position: usize, entry: Entry, slots: &mut Slots<E>) {
        self.entries[position] = entry;
        slots.moved(entry.slot(), position as u32);
    }
}
