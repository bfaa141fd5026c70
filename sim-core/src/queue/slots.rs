//! Where the events lie while their keys are moved about, and who may still ask for them.

use super::Timer;
use std::num::NonZeroU32;

/// Marks a position as one in the wheel.
pub(super) const IN_WHEEL: u32 = 1 << 31;
/// Marks a position as one in the run. Without a mark, it is one in the heap.
pub(super) const IN_RUN: u32 = 1 << 30;

/// No slot, no chunk.
pub(super) const NONE: u32 = u32::MAX;

/// A slot that reaches this generation is never used again, so that no timer ever becomes valid anew.
/// It costs the space of one event for every four thousand million.
const RETIRED: NonZeroU32 = NonZeroU32::MAX;

/// A slot without its event. Kept apart from the events: keys move often, events never.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    /// That of the event that lies here, or of the next one that will.
    pub(super) generation: NonZeroU32,
    /// Where the key is; of an empty slot, the next empty one.
    pub(super) position: u32,
}

/// Events by slot.
#[derive(Debug)]
pub(super) struct Slots<E> {
    pub(super) handles: Vec<Handle>,
    events: Vec<Option<E>>,
    free: u32,
}

impl<E> Slots<E> {
    pub(super) fn new() -> Self {
        Slots { handles: Vec::new(), events: Vec::new(), free: NONE }
    }

    /// Stores an event. Its position is for the caller to set.
    #[inline]
    pub(super) fn insert(&mut self, event: E) -> Timer {
        if self.free == NONE {
            return self.grow(event);
        }
        let slot = self.free;
        let handle = self.handles[slot as usize];
        self.events[slot as usize] = Some(event);
        self.free = handle.position;
        Timer { slot, generation: handle.generation }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, event: E) -> Timer {
        assert!(self.handles.len() < IN_RUN as usize, "a thousand million events are pending");
        let slot = self.handles.len() as u32;
        let generation = NonZeroU32::MIN;
        self.handles.push(Handle { generation, position: NONE });
        self.events.push(Some(event));
        Timer { slot, generation }
    }

    /// Takes the event out and empties the slot.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32) -> E {
        let event = self.events[slot as usize].take().expect("a pending key has an event");
        let handle = &mut self.handles[slot as usize];
        handle.generation = handle.generation.saturating_add(1);
        if handle.generation != RETIRED {
            handle.position = self.free;
            self.free = slot;
        }
        event
    }

    /// Where the key of this timer's event is, if it is pending.
    #[inline]
    pub(super) fn position(&self, timer: Timer) -> Option<u32> {
        let handle = self.handles.get(timer.slot as usize)?;
        (handle.generation == timer.generation).then_some(handle.position)
    }
}

#[cfg(test)]
impl<E> Slots<E> {
    pub(super) fn len(&self) -> usize {
        self.events.iter().flatten().count()
    }
}
