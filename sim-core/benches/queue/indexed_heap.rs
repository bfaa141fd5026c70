//! Every key in one 4-ary heap that knows where each is.

use super::workload::{Event, Queue};
use entry::Entry;
use heap::Heap;
use slots::Slots;
use std::num::NonZeroU32;

#[path = "../../src/queue/entry.rs"]
#[allow(dead_code)]
mod entry;
#[path = "heap.rs"]
mod heap;
#[path = "../../src/queue/slots.rs"]
#[allow(dead_code)]
mod slots;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    slot: u32,
    generation: NonZeroU32,
}

pub struct IndexedHeap {
    slots: Slots<Event<Timer>>,
    heap: Heap,
    sequence: u32,
}

impl Queue for IndexedHeap {
    type Timer = Timer;

    fn new() -> Self {
        IndexedHeap { slots: Slots::new(), heap: Heap::default(), sequence: 0 }
    }

    #[inline]
    fn schedule(&mut self, time: u64, event: Event<Timer>) -> Timer {
        let timer = self.slots.insert(event);
        self.heap.push(Entry::new(time, self.sequence, timer.slot), &mut self.slots);
        self.sequence += 1;
        timer
    }

    #[inline]
    fn cancel(&mut self, timer: Timer) -> bool {
        let Some(position) = self.slots.position(timer) else { return false };
        self.heap.remove(position as usize, &mut self.slots);
        self.slots.remove(timer.slot);
        true
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, Event<Timer>)> {
        let entry = *self.heap.first()?;
        self.heap.pop(&mut self.slots);
        Some((entry.time, self.slots.remove(entry.slot())))
    }
}
