//! A short sorted list in front of a wheel, and a window that says what belongs where.
//!
//! Everything later than the window is in the wheel, where a timeout that is going to be cancelled
//! costs next to nothing. What is due within the window is in the list of what is *near*: a bucket of the
//! wheel or a few, sorted when the window moved there, and whatever was scheduled into it later. As long as
//! few events are pending, the window is all of time and the queue is that list.
//!
//! When the list is empty, the window moves on to the next bucket, or to the beginning of it if it holds too
//! many. When the list grows too long, the window is made smaller. Nothing else moves it. What is due at one
//! instant cannot be divided: if that is too many for the list, they wait in line as a *crowd*, and the
//! window ends at that instant.
//!
//! What is called a time in here is a [moment](super::class), a time with its class; what is due at one instant and in
//! different classes is as good as due at different times.
//!
//! The numbers below, and the digit of the wheel, were found by trial on `benches/queue.rs`.

use super::Timer;
use super::class::first_of_instant;
use super::crowd::Crowd;
use super::entry::Entry;
use super::near::Near;
use super::slots::{IN_WHEEL, NEAR, Slots};
use super::wheel::{self, Wheel};

/// When this many are near, the window is made smaller.
const FULL: usize = 64;
/// So many may stay.
const KEPT: usize = 32;
/// A bucket larger than this is not sorted as a whole but divided.
const SORTABLE: usize = 72;
/// The window takes in further buckets until this many are near.
const ENOUGH: usize = 8;
/// So many of a crowd become near at once.
const BATCH: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Fast<E> {
    slots: Slots<E>,
    /// The last number given. 32 bits are stored; see [`renumber`](Fast::renumber).
    sequence: u32,
    /// The latest time that was popped.
    now: u64,
    /// From where the wheel sees time: within the window.
    base: u64,
    /// The last nanosecond of the window.
    last: u64,
    /// What is due within the window.
    near: Near,
    /// What is due at the end of the window, after all that is near. Mostly nothing.
    crowd: Crowd,
    /// What is due after the window.
    wheel: Wheel,
}

impl<E> Fast<E> {
    pub(super) fn new() -> Self {
        Fast {
            slots: Slots::new(),
            sequence: 0,
            now: 0,
            base: 0,
            last: u64::MAX,
            near: Near::default(),
            crowd: Crowd::default(),
            wheel: Wheel::new(),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.near.len() + self.crowd.len() + self.wheel.len()
    }

    /// Whatever it calls, it calls last, and that gives back the timer: so it saves no registers for its caller, which
    /// had cost as much as finding the place.
    #[inline]
    pub(super) fn schedule(&mut self, time: u64, event: E) -> Timer {
        if self.sequence == u32::MAX || self.slots.is_full() {
            return self.schedule_rarely(time, event);
        }
        self.sequence += 1;
        let timer = self.slots.insert(event);
        let entry = Entry::new(time, self.sequence, timer.slot);
        if time >= self.last {
            self.place_late(entry, timer)
        } else if self.near.len() < FULL && self.near.is_soon(time) {
            self.near.insert_soon(entry);
            timer
        } else {
            self.place_near(entry, timer)
        }
    }

    /// There is no number left, or no slot.
    #[cold]
    #[inline(never)]
    fn schedule_rarely(&mut self, time: u64, event: E) -> Timer {
        self.sequence = match self.sequence.checked_add(1) {
            Some(next) => next,
            None => self.renumber(),
        };
        let timer = self.slots.insert(event);
        self.place(Entry::new(time, self.sequence, timer.slot));
        timer
    }

    fn place(&mut self, entry: Entry) {
        if entry.time >= self.last {
            self.place_after(entry);
        } else if self.near.len() >= FULL {
            self.make_room(entry);
        } else {
            self.near.insert(entry);
        }
    }

    /// Places what is before the end of the window, but not among the next.
    #[inline(never)]
    fn place_near(&mut self, entry: Entry, timer: Timer) -> Timer {
        if self.near.len() >= FULL {
            self.make_room(entry);
        } else {
            self.near.insert_far(entry);
        }
        timer
    }

    /// Places what is not: mostly in a bucket of the wheel that has room.
    #[inline(never)]
    fn place_late(&mut self, entry: Entry, timer: Timer) -> Timer {
        if entry.time > self.last && self.wheel.push_if_room(self.base, entry, &mut self.slots) {
            timer
        } else {
            self.place_late_rarely(entry, timer)
        }
    }

    #[inline(never)]
    fn place_late_rarely(&mut self, entry: Entry, timer: Timer) -> Timer {
        self.place_after(entry);
        timer
    }

    #[inline(always)]
    fn place_after(&mut self, entry: Entry) {
        if entry.time > self.last {
            self.wheel.push(self.base, entry, &mut self.slots);
        } else if !self.crowd.is_empty() {
            self.crowd.push(entry, &mut self.slots);
        } else if self.near.len() >= FULL {
            self.make_room(entry);
        } else {
            self.near.insert(entry);
        }
    }

    /// Makes the window smaller, so that fewer are near, and places the entry then.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, entry: Entry) {
        if self.crowd.is_empty() {
            // Nothing is going to be scheduled before the present instant, so the window may begin there.
            self.base = self.base.max(first_of_instant(self.now));
            self.narrow(KEPT);
        }
        if entry.time > self.last || entry.time == self.last && !self.crowd.is_empty() {
            self.place_after(entry);
        } else {
            // Even where too many are near still, because they are of the past.
            self.near.insert(entry);
        }
    }

    #[inline]
    pub(super) fn cancel(&mut self, timer: Timer) -> Option<E> {
        let position = self.slots.position(timer)?;
        if position & IN_WHEEL != 0 {
            self.wheel.remove(position & !IN_WHEEL, &mut self.slots);
        } else if position == NEAR {
            self.near.remove(timer.slot);
        } else {
            self.crowd.remove(position);
        }
        Some(self.slots.remove(timer.slot))
    }

    /// Takes the earliest event, if it is not after `end`. A part of the loop, however many loops there are.
    #[inline(always)]
    pub(super) fn pop_through(&mut self, end: u64) -> Option<(u64, E)> {
        loop {
            if let Some(&entry) = self.near.first() {
                if entry.time > end {
                    return None;
                }
                self.near.pop();
                self.now = entry.time;
                return Some((entry.time, self.slots.remove(entry.slot())));
            }
            self.advance(end)?;
        }
    }

    /// Whether anything is due that is not after `end`.
    #[inline]
    pub(super) fn is_due(&mut self, end: u64) -> bool {
        loop {
            if let Some(first) = self.near.first() {
                return first.time <= end;
            }
            if self.advance(end).is_none() {
                return false;
            }
        }
    }

    /// Finds what is near, when nothing is. The window never begins after `end` (then there is nothing to
    /// pop): something may yet be scheduled before.
    #[cold]
    #[inline(never)]
    fn advance(&mut self, end: u64) -> Option<()> {
        if let Some(first) = self.crowd.first() {
            if first.time > end {
                return None;
            }
            for entry in std::iter::from_fn(|| self.crowd.pop()).take(BATCH) {
                self.slots.moved(entry.slot(), NEAR);
                self.near.entries().push(entry);
            }
            self.near.sort();
            return Some(());
        }
        let mut span = self.wheel.earliest(self.base)?;
        if self.wheel.is_crowded(span, SORTABLE) {
            let (min, max) = self.wheel.bounds(span);
            if min > end {
                return None;
            }
            (self.base, self.last) = (min, wheel::end_of_bucket(min, min ^ max));
            self.take(span);
            self.narrow(SORTABLE);
        } else {
            if span.first() > end {
                return None;
            }
            loop {
                if self.near.is_empty() {
                    self.base = span.first();
                }
                self.last = span.last();
                self.take(span);
                let Some(next) = self.wheel.earliest(self.base) else { break };
                if self.wheel.is_crowded(next, ENOUGH.saturating_sub(self.near.len())) {
                    break;
                }
                span = next;
            }
        }
        if self.wheel.is_empty() && self.crowd.is_empty() {
            self.last = u64::MAX;
        }
        self.near.sort();
        Some(())
    }

    /// Takes a bucket out of the wheel; what is due after the window goes back, to another.
    fn take(&mut self, span: wheel::Span) {
        while let Some((chunk, len)) = self.wheel.take(span) {
            for &entry in &chunk[..len] {
                if entry.time > self.last {
                    self.wheel.push(self.base, entry, &mut self.slots);
                } else {
                    self.slots.moved(entry.slot(), NEAR);
                    self.near.entries().push(entry);
                }
            }
        }
    }

    /// Returns to the wheel what is due after the window.
    fn return_late(&mut self) {
        for entry in self.near.entries().extract_if(.., |entry| entry.time > self.last) {
            self.wheel.push(self.base, entry, &mut self.slots);
        }
    }

    /// Makes the window smaller until no more than `kept` are near; if they are due at one instant, they
    /// become a crowd.
    fn narrow(&mut self, kept: usize) {
        while self.near.len() > kept {
            let max = self.near.entries().iter().map(|entry| entry.time).max().unwrap_or(0);
            if max <= self.base {
                break;
            }
            self.last = wheel::end_of_bucket(self.base, self.base ^ max);
            self.return_late();
        }
        if self.near.len() > kept {
            let base = self.base;
            let mut crowd: Vec<_> = self.near.entries().extract_if(.., |entry| entry.time == base).collect();
            if !crowd.is_empty() {
                self.last = base;
                crowd.sort_unstable_by_key(|entry| entry.key());
                crowd.into_iter().for_each(|entry| self.crowd.push(entry, &mut self.slots));
            }
        }
    }

    /// Numbers what is pending from 0 again, in the same order, and returns the number after. So 32 bits
    /// of the sequence are as good as 64, for the cost of a sort every four thousand million events.
    #[cold]
    #[inline(never)]
    fn renumber(&mut self) -> u32 {
        let mut entries = std::mem::take(self.near.entries());
        entries.extend(std::iter::from_fn(|| self.crowd.pop()));
        while let Some(span) = self.wheel.earliest(self.base) {
            while let Some((chunk, len)) = self.wheel.take(span) {
                entries.extend_from_slice(&chunk[..len]);
            }
        }
        entries.sort_unstable_by_key(|entry| entry.key());
        let mut sequence = 0;
        for entry in entries {
            self.slots.moved(entry.slot(), NEAR);
            self.place(Entry::new(entry.time, sequence, entry.slot()));
            sequence += 1;
        }
        sequence
    }

    #[cfg(test)]
    pub(super) fn start_at(&mut self, sequence: u32) {
        self.sequence = sequence;
    }

    /// How many of these pending timers are near, in the crowd and in the wheel.
    #[cfg(test)]
    pub(super) fn parts(&self, timers: &[Timer]) -> [usize; 3] {
        let mut parts = [0; 3];
        for timer in timers {
            let position = self.slots.position(*timer).expect("pending");
            parts[if position & IN_WHEEL != 0 { 2 } else { usize::from(position != NEAR) }] += 1;
        }
        parts
    }

    /// Panics if an invariant is broken. `present` is the time before which nothing may be scheduled.
    #[cfg(test)]
    pub(super) fn check(&self, present: u64) {
        assert!(self.base <= present, "the window begins in the future");
        assert!(self.base <= self.last);
        let near = self.near.check();
        for entry in near {
            assert_eq!(self.slots.position_of(entry.slot()), NEAR);
            assert!(entry.time <= self.last);
        }
        self.crowd.check(self.last, &self.slots);
        if let (Some(near), Some(crowd)) = (self.near.last(), self.crowd.first()) {
            assert!(near.key() < crowd.key());
        }
        self.wheel.check(self.base, self.last, &self.slots);
        assert_eq!(self.slots.len(), self.len());
    }
}
