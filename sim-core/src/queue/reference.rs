//! The reference: every event in a `priority-queue`, found by its sequence.
//!
//! That crate does not keep equal priorities in the order of their arrival, so the sequence is part of
//! the priority, after time and class. A timer *is* a sequence number, and those never repeat.

use super::Timer;
use super::class::{self, Class};
use crate::time::SimTime;
use priority_queue::PriorityQueue;
use rustc_hash::FxBuildHasher;
use std::borrow::Borrow;
use std::cmp::Reverse;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

#[derive(Clone)]
pub(super) struct Reference<E> {
    pending: PriorityQueue<Pending<E>, Reverse<(SimTime, Class, u64)>, FxBuildHasher>,
    /// The number of the next event.
    sequence: u64,
}

/// An event that is known by its sequence.
#[derive(Clone)]
struct Pending<E> {
    sequence: u64,
    event: E,
}

impl<E> PartialEq for Pending<E> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl<E> Eq for Pending<E> {}

impl<E> Hash for Pending<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sequence.hash(state);
    }
}

impl<E> Borrow<u64> for Pending<E> {
    fn borrow(&self) -> &u64 {
        &self.sequence
    }
}

impl<E> Reference<E> {
    pub(super) fn new() -> Self {
        Reference { pending: PriorityQueue::with_default_hasher(), sequence: 0 }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn schedule(&mut self, at: SimTime, class: Class, event: E) -> Timer {
        let at = class::no_later_than_the_last(at);
        let sequence = self.sequence;
        self.sequence += 1;
        self.pending.push(Pending { sequence, event }, Reverse((at, class, sequence)));
        timer(sequence)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn cancel(&mut self, timer: Timer) -> Option<E> {
        let (pending, _) = self.pending.remove(&sequence(timer))?;
        Some(pending.event)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn pop_through(&mut self, last: SimTime) -> Option<(SimTime, E)> {
        let (_, &Reverse((at, ..))) = self.pending.peek()?;
        if at > last {
            return None;
        }
        let (pending, _) = self.pending.pop()?;
        Some((at, pending.event))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn is_due(&self, at: SimTime, class: Class) -> bool {
        let at = class::no_later_than_the_last(at);
        self.pending.peek().is_some_and(|(_, Reverse((first, its, _)))| (*first, *its) <= (at, class))
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    #[cfg(test)]
    pub(super) fn start_at(&mut self, sequence: u64) {
        self.sequence = sequence;
    }
}

/// The generation of a timer cannot be 0, so its digits are those of the sequence to the base 2^32 - 1.
const BASE: u64 = u32::MAX as u64;

fn timer(sequence: u64) -> Timer {
    let slot = u32::try_from(sequence / BASE).expect("more events than there are timers");
    let generation = NonZeroU32::MIN.saturating_add((sequence % BASE) as u32);
    Timer { slot, generation }
}

fn sequence(timer: Timer) -> u64 {
    u64::from(timer.slot) * BASE + u64::from(timer.generation.get() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_a_sequence_number() {
        for n in [0, 1, BASE - 1, BASE, BASE + 1, u64::from(u32::MAX) + 1, 1 << 50] {
            assert_eq!(sequence(timer(n)), n);
        }
    }
}
