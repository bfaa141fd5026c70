//! A small heap in front of a wheel, and a window that says which of them an event belongs to.
//!
//! Everything up to the end of the window is in the heap, everything later in the wheel. As long as few
//! events are pending the window is all of time, and the queue is a heap that fits into the fastest
//! cache. When the heap grows too large, the window shrinks to one bucket of the wheel and the rest
//! goes there, where a timeout that is going to be cancelled costs next to nothing. When the heap is
//! empty, the window moves on to the next bucket, or into a part of it if that holds too many. So one
//! rule, [`place`](Fast::place), holds for every entry at any time, and whatever changes the window
//! places again what the change concerns.

use super::Timer;
use super::entry::Entry;
use super::heap::Heap;
use super::slots::{IN_WHEEL, Slots};
use super::wheel::{self, Wheel};

/// A heap larger than this is divided, a bucket larger than this is not emptied into the heap.
const CROWDED: usize = 64;
/// The window takes in further buckets until the heap has this many entries.
const ENOUGH: usize = 16;

#[derive(Debug)]
pub(super) struct Fast<E> {
    slots: Slots<E>,
    front: Heap,
    wheel: Wheel,
    /// From where the wheel sees time: the beginning of the window.
    base: u64,
    /// The last nanosecond of the window. Earlier than `base` is in the heap too.
    last: u64,
    /// The latest time that was popped.
    now: u64,
    /// How large the heap may grow before the window is made smaller.
    limit: usize,
    /// The number of the next event. 32 bits are stored; see [`renumber`](Fast::renumber).
    sequence: u32,
    /// Empty; kept for its capacity.
    spare: Vec<Entry>,
}

impl<E> Fast<E> {
    pub(super) fn new() -> Self {
        Fast {
            slots: Slots::new(),
            front: Heap::default(),
            wheel: Wheel::new(),
            base: 0,
            last: u64::MAX,
            now: 0,
            limit: CROWDED,
            sequence: 0,
            spare: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.front.len() + self.wheel.len()
    }

    #[inline]
    pub(super) fn schedule(&mut self, time: u64, event: E) -> Timer {
        if self.sequence == u32::MAX {
            self.renumber();
        }
        let timer = self.slots.insert(event);
        self.place(Entry::new(time, self.sequence, timer.slot));
        self.sequence += 1;
        if self.front.len() > self.limit {
            self.narrow();
        }
        timer
    }

    #[inline]
    pub(super) fn cancel(&mut self, timer: Timer) -> Option<E> {
        let position = self.slots.position(timer)?;
        if position & IN_WHEEL == 0 {
            self.front.remove(position as usize, &mut self.slots.handles);
        } else {
            self.wheel.remove(self.base, position & !IN_WHEEL, &mut self.slots.handles);
        }
        Some(self.slots.remove(timer.slot))
    }

    /// Takes the earliest event, if it is not after `end`.
    #[inline]
    pub(super) fn pop_through(&mut self, end: u64) -> Option<(u64, E)> {
        let entry = match self.front.first() {
            Some(entry) => entry,
            None => self.advance(end)?,
        };
        if entry.time > end {
            return None;
        }
        self.now = entry.time;
        self.front.remove(0, &mut self.slots.handles);
        Some((entry.time, self.slots.remove(entry.slot())))
    }

    /// Where an entry belongs.
    #[inline]
    fn place(&mut self, entry: Entry) {
        if entry.time <= self.last {
            self.front.push(entry, &mut self.slots.handles);
        } else {
            self.wheel.push(self.base, entry, &mut self.slots.handles);
        }
    }

    /// Moves the window on until the heap, now empty, has the earliest entry, and returns that. The
    /// window never begins after `end`: until then something may yet be scheduled.
    #[cold]
    #[inline(never)]
    fn advance(&mut self, end: u64) -> Option<Entry> {
        self.limit = CROWDED;
        while let Some(span) = self.wheel.earliest(self.base) {
            let len = self.wheel.len_of(span);
            if self.front.len() == 0 {
                let (first, last) = if len <= CROWDED { span.times() } else { self.wheel.head_of(span) };
                if first > end {
                    return None;
                }
                (self.base, self.last) = (first, last);
            } else if self.front.len() + len <= ENOUGH {
                self.last = span.last();
            } else {
                break;
            }
            while let Some(entry) = self.wheel.take(span) {
                self.place(entry);
            }
        }
        if self.wheel.len() == 0 {
            self.last = u64::MAX;
        }
        if self.front.len() > self.limit {
            self.narrow();
        }
        self.front.first()
    }

    /// Makes the window smaller until few enough are in it. What is due at one instant cannot be
    /// divided; then the heap may double before the next attempt.
    #[cold]
    #[inline(never)]
    fn narrow(&mut self) {
        // Nothing is scheduled before the present, so the window may begin there.
        self.base = self.base.max(self.now);
        while self.front.len() > CROWDED {
            let max = self.front.entries().iter().map(|entry| entry.time).max().unwrap_or(0);
            if max <= self.base {
                break;
            }
            self.last = wheel::end_of_bucket(self.base, self.base ^ max);
            self.front.swap(&mut self.spare);
            while let Some(entry) = self.spare.pop() {
                self.place(entry);
            }
        }
        self.limit = CROWDED.max(2 * self.front.len());
    }

    /// Numbers what is pending from 0 again, in the same order. So 32 bits of the sequence are as good as
    /// 64, for the cost of a sort every four thousand million events.
    #[cold]
    #[inline(never)]
    fn renumber(&mut self) {
        let mut entries = Vec::with_capacity(self.len());
        self.front.swap(&mut entries);
        while let Some(span) = self.wheel.earliest(self.base) {
            entries.extend(std::iter::from_fn(|| self.wheel.take(span)));
        }
        entries.sort_unstable_by_key(|entry| entry.key());
        self.sequence = 0;
        for entry in entries {
            self.place(Entry::new(entry.time, self.sequence, entry.slot()));
            self.sequence += 1;
        }
    }

    #[cfg(test)]
    pub(super) fn start_at(&mut self, sequence: u32) {
        self.sequence = sequence;
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        self.front.check(&self.slots.handles);
        self.wheel.check(self.base, self.last, &self.slots.handles);
        assert!(
            self.front.entries().iter().all(|entry| entry.time <= self.last),
            "the heap has what is later"
        );
        assert!(self.front.len() <= self.limit);
        assert_eq!(self.slots.len(), self.len());
    }
}
