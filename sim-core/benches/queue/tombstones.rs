//! The usual queue: std's binary heap, where a cancelled event stays until its time has come.

use super::workload::{Event, Queue};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

type Key = Reverse<(u64, u64, u32)>;

pub struct Tombstones {
    heap: BinaryHeap<Key>,
    /// The sequence that an event was scheduled with, and the event unless it was cancelled.
    slots: Vec<(u64, Option<Event<Timer>>)>,
    free: Vec<u32>,
    sequence: u64,
}

#[derive(Clone, Copy)]
pub struct Timer {
    slot: u32,
    sequence: u64,
}

impl Queue for Tombstones {
    type Timer = Timer;

    fn new() -> Self {
        Tombstones { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    #[inline]
    fn schedule(&mut self, time: u64, event: Event<Timer>) -> Timer {
        let sequence = self.sequence;
        self.sequence += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize] = (sequence, Some(event));
        self.heap.push(Reverse((time, sequence, slot)));
        Timer { slot, sequence }
    }

    #[inline]
    fn cancel(&mut self, timer: Timer) -> bool {
        let (sequence, event) = &mut self.slots[timer.slot as usize];
        *sequence == timer.sequence && event.take().is_some()
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, Event<Timer>)> {
        loop {
            let Reverse((time, _, slot)) = self.heap.pop()?;
            self.free.push(slot);
            if let Some(event) = self.slots[slot as usize].1.take() {
                return Some((time, event));
            }
        }
    }
}
