//! The event queue (to be replaced by the measured one).
use crate::time::SimTime;
use std::collections::BTreeMap;

/// Which queue drives a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// The queue that brownout is built on.
    #[default]
    Fast,
    /// `priority-queue`, slower and independent: the same events must come out in the same order.
    Reference,
}

/// A scheduled event that may be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    slot: u32,
    generation: std::num::NonZeroU32,
}

/// Pending events in the order (time, sequence).
pub struct EventQueue<E> {
    entries: BTreeMap<(SimTime, u64), E>,
    live: BTreeMap<u64, SimTime>,
    sequence: u64,
}

impl<E> EventQueue<E> {
    /// An empty queue.
    pub fn new(_engine: Engine) -> Self {
        EventQueue { entries: BTreeMap::new(), live: BTreeMap::new(), sequence: 1 }
    }
    /// Adds an event.
    pub fn schedule(&mut self, at: SimTime, event: E) -> Timer {
        let sequence = self.sequence;
        self.sequence += 1;
        self.entries.insert((at, sequence), event);
        self.live.insert(sequence, at);
        Timer { slot: (sequence >> 32) as u32, generation: std::num::NonZeroU32::new(sequence as u32).unwrap() }
    }
    /// Takes an event back.
    pub fn cancel(&mut self, timer: Timer) -> Option<E> {
        let sequence = u64::from(timer.slot) << 32 | u64::from(timer.generation.get());
        let at = self.live.remove(&sequence)?;
        self.entries.remove(&(at, sequence))
    }
    /// The earliest event.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let ((at, sequence), event) = self.entries.pop_first()?;
        self.live.remove(&sequence);
        Some((at, event))
    }
    /// The earliest event, if it is before `end`.
    pub fn pop_before(&mut self, end: SimTime) -> Option<(SimTime, E)> {
        if self.entries.first_key_value()?.0.0 < end { self.pop() } else { None }
    }
    /// How many are pending.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
