//! A small heap and a sorted run in front of a wheel, and a window that says what belongs where.
//!
//! Everything later than the window is in the wheel, where a timeout that is going to be cancelled
//! costs next to nothing. The window is a bucket of the wheel or a few, and what was in them has been
//! sorted: the *run*, of which only the end is taken. What is scheduled into the window later is in the
//! *heap*. As long as few events are pending, the window is all of time, and the queue is a heap that
//! fits into the fastest cache.
//!
//! When run and heap are empty, the window moves on to the next bucket, or to the beginning of it if it
//! holds too many. When the heap grows too large, the window is made smaller. Nothing else moves it.
//!
//! A cancelled event leaves its slot at once, wherever its key is. Only of a key in the run sixteen bytes
//! stay until the window has passed: a few dozen at a time, unless a crowd is due at one instant.
//!
//! The numbers below, and the digit of the wheel, were found by trial on `benches/queue.rs`.

use super::Timer;
use super::entry::Entry;
use super::heap::Heap;
use super::slots::{IN_RUN, IN_WHEEL, Slots};
use super::wheel::{self, Wheel};
use std::cmp::Reverse;

/// A heap larger than this is divided.
const CROWDED: usize = 64;
/// A bucket larger than this is not sorted as a whole but divided.
const SORTABLE: usize = 128;
/// The window takes in further buckets until the run has this many entries.
const ENOUGH: usize = 32;

#[derive(Debug)]
pub(super) struct Fast<E> {
    slots: Slots<E>,
    /// How many events are pending.
    len: usize,
    /// The last number given. 32 bits are stored; see [`renumber`](Fast::renumber).
    sequence: u32,
    /// What is due within the window and was so when it moved there; the earliest is the last. A
    /// cancelled entry leaves a vacancy, but never at the end.
    run: Vec<Entry>,
    /// What else is due up to the end of the window.
    heap: Heap,
    /// How large the heap may grow before the window is made smaller.
    limit: usize,
    /// The latest time that was popped.
    now: u64,
    /// From where the wheel sees time: within the window.
    base: u64,
    /// The last nanosecond of the window.
    last: u64,
    /// What is due after the window.
    wheel: Wheel,
}

impl<E> Fast<E> {
    pub(super) fn new() -> Self {
        Fast {
            slots: Slots::new(),
            len: 0,
            sequence: 0,
            run: Vec::new(),
            heap: Heap::default(),
            limit: CROWDED,
            now: 0,
            base: 0,
            last: u64::MAX,
            wheel: Wheel::new(),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn schedule(&mut self, time: u64, event: E) -> Timer {
        self.sequence = match self.sequence.checked_add(1) {
            Some(next) => next,
            None => self.renumber(),
        };
        self.len += 1;
        let timer = self.slots.insert(event);
        self.place(Entry::new(time, self.sequence, timer.slot));
        timer
    }

    #[inline(always)]
    fn place(&mut self, entry: Entry) {
        if entry.time > self.last {
            self.wheel.push(self.base, entry, &mut self.slots.handles);
        } else {
            self.heap.push(entry, &mut self.slots.handles);
            if self.heap.len() > self.limit {
                self.narrow();
            }
        }
    }

    #[inline]
    pub(super) fn cancel(&mut self, timer: Timer) -> Option<E> {
        let position = self.slots.position(timer)?;
        if position & IN_WHEEL != 0 {
            self.wheel.remove(self.base, position & !IN_WHEEL, &mut self.slots.handles);
        } else if position & IN_RUN != 0 {
            self.run[(position & !IN_RUN) as usize].vacate();
            self.trim();
        } else {
            self.heap.remove(position as usize, &mut self.slots.handles);
        }
        self.len -= 1;
        Some(self.slots.remove(timer.slot))
    }

    /// Takes the earliest event, if it is not after `end`. A part of the loop, however many loops there are.
    #[inline(always)]
    pub(super) fn pop_through(&mut self, end: u64) -> Option<(u64, E)> {
        let sorted = match (self.run.last(), self.heap.first()) {
            (None, Some(_)) => false,
            (Some(_), None) => true,
            (Some(sorted), Some(first)) => sorted.key() < first.key(),
            (None, None) => {
                self.advance(end)?;
                true
            }
        };
        let entry = if sorted { *self.run.last()? } else { *self.heap.first()? };
        if entry.time > end {
            return None;
        }
        if sorted {
            self.run.pop();
            self.trim();
        } else {
            self.heap.pop(&mut self.slots.handles);
        }
        self.now = entry.time;
        self.len -= 1;
        Some((entry.time, self.slots.remove(entry.slot())))
    }

    /// Removes the vacancies at the end of the run.
    #[inline]
    fn trim(&mut self) {
        while self.run.last().is_some_and(|entry| entry.is_vacant()) {
            self.run.pop();
        }
    }

    /// Moves the window on to the earliest entry, when nothing is left in it. It never begins after `end`
    /// (then there is nothing to pop): something may yet be scheduled before.
    #[cold]
    #[inline(never)]
    fn advance(&mut self, end: u64) -> Option<()> {
        while let Some(span) = self.wheel.earliest(self.base) {
            let room = if self.run.is_empty() { SORTABLE } else { ENOUGH.saturating_sub(self.run.len()) };
            let crowded = self.wheel.is_crowded(span, room);
            if self.run.is_empty() {
                let (first, last) = if crowded { self.wheel.head_of(span) } else { span.times() };
                if first > end {
                    return None;
                }
                (self.base, self.last) = (first, last);
            } else if crowded {
                break;
            } else {
                self.last = span.last();
            }
            while let Some(chunk) = self.wheel.take(span) {
                let before = self.run.len();
                self.run.extend_from_slice(chunk);
                if crowded {
                    for entry in self.run.extract_if(before.., |entry| entry.time > self.last) {
                        self.wheel.push(self.base, entry, &mut self.slots.handles);
                    }
                }
            }
        }
        if self.wheel.is_empty() {
            self.last = u64::MAX;
        }
        self.sort();
        Some(())
    }

    /// Makes the window smaller until few enough are in it. What is due at one instant cannot be divided.
    #[cold]
    #[inline(never)]
    fn narrow(&mut self) {
        self.run.retain(|entry| !entry.is_vacant());
        self.heap.move_to(&mut self.run);
        // Nothing is going to be scheduled before the present, so the window may begin there.
        self.base = self.base.max(self.now);
        while self.run.len() > CROWDED {
            let max = self.run.iter().map(|entry| entry.time).max().unwrap_or(0);
            if max <= self.base {
                break;
            }
            self.last = wheel::end_of_bucket(self.base, self.base ^ max);
            for entry in self.run.extract_if(.., |entry| entry.time > self.last) {
                self.wheel.push(self.base, entry, &mut self.slots.handles);
            }
        }
        self.sort();
    }

    /// Makes a run of the entries in it. The heap may become as large as the run before that is touched
    /// again, so the work is in proportion to what was scheduled.
    fn sort(&mut self) {
        self.run.sort_unstable_by_key(|entry| Reverse(entry.key()));
        for (i, entry) in self.run.iter().enumerate() {
            self.slots.handles[entry.slot() as usize].position = i as u32 | IN_RUN;
        }
        self.limit = CROWDED.max(self.run.len());
    }

    /// Numbers what is pending from 0 again, in the same order, and returns the number after. So 32 bits
    /// of the sequence are as good as 64, for the cost of a sort every four thousand million events.
    #[cold]
    #[inline(never)]
    fn renumber(&mut self) -> u32 {
        let mut entries: Vec<_> = self.run.drain(..).filter(|entry| !entry.is_vacant()).collect();
        self.heap.move_to(&mut entries);
        while let Some(span) = self.wheel.earliest(self.base) {
            while let Some(chunk) = self.wheel.take(span) {
                entries.extend_from_slice(chunk);
            }
        }
        entries.sort_unstable_by_key(|entry| entry.key());
        let mut sequence = 0;
        for entry in entries {
            self.place(Entry::new(entry.time, sequence, entry.slot()));
            sequence += 1;
        }
        sequence
    }

    #[cfg(test)]
    pub(super) fn start_at(&mut self, sequence: u32) {
        self.sequence = sequence;
    }

    /// How many of these pending timers are in the heap, in the run and in the wheel.
    #[cfg(test)]
    pub(super) fn parts(&self, timers: &[Timer]) -> [usize; 3] {
        let mut parts = [0; 3];
        for timer in timers {
            let position = self.slots.position(*timer).expect("pending");
            parts[if position & IN_WHEEL != 0 { 2 } else { usize::from(position & IN_RUN != 0) }] += 1;
        }
        parts
    }

    /// Panics if an invariant is broken. `present` is the time before which nothing may be scheduled.
    #[cfg(test)]
    pub(super) fn check(&self, present: u64) {
        assert!(self.base <= present, "the window begins in the future");
        assert!(self.limit >= self.run.len(), "a crowd would be sorted again and again");
        let handles = &self.slots.handles;
        assert!(self.run.is_sorted_by(|a, b| a.key() > b.key() || a.is_vacant() || b.is_vacant()));
        assert!(!self.run.last().is_some_and(|entry| entry.is_vacant()));
        let mut in_run = 0;
        for (i, entry) in self.run.iter().enumerate().filter(|(_, entry)| !entry.is_vacant()) {
            assert_eq!(handles[entry.slot() as usize].position, i as u32 | IN_RUN);
            assert!(entry.time <= self.last);
            in_run += 1;
        }
        self.heap.check(handles);
        assert!(self.heap.entries().iter().all(|entry| entry.time <= self.last));
        assert!(self.heap.len() <= self.limit);
        let in_wheel = self.wheel.check(self.base, self.last, handles);
        assert_eq!(in_run + self.heap.len() + in_wheel, self.len);
        assert_eq!(self.slots.len(), self.len);
    }
}
