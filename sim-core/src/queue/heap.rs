//! A heap with four children per node, whose entries know where they are.
//!
//! Four children of sixteen bytes lie side by side in one or two cache lines, and the tree is half as
//! deep as a binary one. Every move is noted in the entry's [`Handle`], so that an entry can be removed
//! from the middle.

use super::entry::Entry;
use super::slots::Handle;

#[derive(Debug, Default)]
pub(super) struct Heap {
    /// `entries[i]` is not greater than `entries[4 * i + 1 ..= 4 * i + 4]`.
    entries: Vec<Entry>,
}

impl Heap {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The least entry.
    #[inline]
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.first()
    }

    /// Appends all entries to `other`, in no useful order.
    pub(super) fn move_to(&mut self, other: &mut Vec<Entry>) {
        other.append(&mut self.entries);
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Entry, handles: &mut [Handle]) {
        self.entries.push(entry);
        self.rise(self.entries.len() - 1, entry, handles);
    }

    /// Removes the least entry.
    #[inline]
    pub(super) fn pop(&mut self, handles: &mut [Handle]) {
        if let Some(last) = self.entries.pop()
            && !self.entries.is_empty()
        {
            self.sink(0, last, handles);
        }
    }

    /// Removes the entry at `position`.
    #[inline]
    pub(super) fn remove(&mut self, position: usize, handles: &mut [Handle]) {
        let last = self.entries.pop().expect("a position in an empty heap");
        if position == self.entries.len() {
            return;
        }
        // The last entry fills the hole. It may come from another branch and be less than the parent of
        // the hole: then it has to rise, not to sink.
        if position > 0 && last.key() < self.entries[(position - 1) / 4].key() {
            self.rise(position, last, handles);
        } else {
            self.sink(position, last, handles);
        }
    }

    #[inline(always)]
    fn rise(&mut self, mut hole: usize, entry: Entry, handles: &mut [Handle]) {
        while hole > 0 {
            let parent = (hole - 1) / 4;
            let above = self.entries[parent];
            if above.key() < entry.key() {
                break;
            }
            self.put(hole, above, handles);
            hole = parent;
        }
        self.put(hole, entry, handles);
    }

    #[inline(always)]
    fn sink(&mut self, mut hole: usize, entry: Entry, handles: &mut [Handle]) {
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
            self.put(hole, least, handles);
            hole = child;
        }
        self.put(hole, entry, handles);
    }

    #[inline]
    fn put(&mut self, position: usize, entry: Entry, handles: &mut [Handle]) {
        self.entries[position] = entry;
        handles[entry.slot() as usize].position = position as u32;
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    #[cfg(test)]
    pub(super) fn check(&self, handles: &[Handle]) {
        for (i, entry) in self.entries.iter().enumerate() {
            assert!(
                i == 0 || self.entries[(i - 1) / 4].key() < entry.key(),
                "entry {i} is before its parent"
            );
            assert_eq!(handles[entry.slot() as usize].position as usize, i);
        }
    }
}
