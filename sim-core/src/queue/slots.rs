//! Where the events lie while their keys are moved about, and who may still ask for them.

use super::Timer;
use std::num::NonZeroU32;

/// Marks a position as one in the wheel.
pub(super) const IN_WHEEL: u32 = 1 << 31;
/// Marks a position as one in the crowd.
pub(super) const IN_CROWD: u32 = 1 << 30;
/// Somewhere in the list of what is near, which is short.
pub(super) const NEAR: u32 = 0;

/// No slot, no chunk.
pub(super) const NONE: u32 = u32::MAX;

/// A slot that reaches this generation is never used again, so that no timer ever becomes valid anew.
/// It costs the space of one event for every four thousand million.
const RETIRED: NonZeroU32 = NonZeroU32::MAX;

/// One event, and what is known of it. The event itself never moves.
#[derive(Clone, Debug)]
struct Slot<E> {
    /// That of the event that lies here, or of the next one that will.
    generation: NonZeroU32,
    /// Where the key is; of an empty slot, the next empty one.
    position: u32,
    event: Option<E>,
}

/// Events by slot.
#[derive(Clone, Debug)]
pub(super) struct Slots<E> {
    slots: Vec<Slot<E>>,
    free: u32,
}

impl<E> Slots<E> {
    /// What an event takes here.
    #[cfg(test)]
    pub(super) const SIZE: usize = size_of::<Slot<E>>();

    pub(super) fn new() -> Self {
        Slots { slots: Vec::new(), free: NONE }
    }

    /// Stores an event, whose key is near until [`moved`](Slots::moved) says otherwise.
    #[inline]
    pub(super) fn insert(&mut self, event: E) -> Timer {
        let free = self.free;
        let Some(slot) = self.slots.get_mut(free as usize) else { return self.grow(event) };
        self.free = slot.position;
        slot.position = NEAR;
        slot.event = Some(event);
        Timer { slot: free, generation: slot.generation }
    }

    /// Whether the next event needs a new slot.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.free as usize >= self.slots.len()
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, event: E) -> Timer {
        assert!(self.slots.len() < IN_CROWD as usize, "a thousand million events are pending");
        let timer = Timer { slot: self.slots.len() as u32, generation: NonZeroU32::MIN };
        self.slots.push(Slot { generation: timer.generation, position: NEAR, event: Some(event) });
        timer
    }

    /// Takes the event out and empties the slot.
    #[inline]
    pub(super) fn remove(&mut self, index: u32) -> E {
        let slot = &mut self.slots[index as usize];
        let event = slot.event.take().expect("a pending key has an event");
        slot.generation = slot.generation.saturating_add(1);
        if slot.generation != RETIRED {
            slot.position = self.free;
            self.free = index;
        }
        event
    }

    /// Notes where the key of an event is now.
    #[inline]
    pub(super) fn moved(&mut self, slot: u32, position: u32) {
        self.slots[slot as usize].position = position;
    }

    /// Where the key of this timer's event is, if it is pending.
    #[inline]
    pub(super) fn position(&self, timer: Timer) -> Option<u32> {
        let slot = self.slots.get(timer.slot as usize)?;
        (slot.generation == timer.generation).then_some(slot.position)
    }
}

#[cfg(test)]
impl<E> Slots<E> {
    pub(super) fn len(&self) -> usize {
        self.slots.iter().filter(|slot| slot.event.is_some()).count()
    }

    pub(super) fn position_of(&self, slot: u32) -> u32 {
        self.slots[slot as usize].position
    }

    pub(super) fn age(&mut self, slot: u32, generation: u32) {
        self.slots[slot as usize].generation = NonZeroU32::new(generation).expect("not zero");
    }
}
