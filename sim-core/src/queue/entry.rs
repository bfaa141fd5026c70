//! What is compared: when, in which order, and where the event lies. Sixteen bytes.

use super::slots::NONE;

/// The key of one pending event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Nanoseconds.
    pub(super) time: u64,
    /// The sequence above, the slot below. No two pending entries share a sequence, so the slot never
    /// decides.
    order: u64,
}

const _: () = assert!(size_of::<Entry>() == 16);

impl Entry {
    #[inline]
    pub(super) fn new(time: u64, sequence: u32, slot: u32) -> Self {
        Entry { time, order: u64::from(sequence) << 32 | u64::from(slot) }
    }

    #[inline]
    pub(super) fn slot(self) -> u32 {
        self.order as u32
    }

    /// Gives up the slot.
    pub(super) fn vacate(&mut self) {
        self.order |= u64::from(NONE);
    }

    #[inline]
    pub(super) fn is_vacant(self) -> bool {
        self.slot() == NONE
    }

    /// One number to compare by, which compiles to a subtraction without a branch.
    #[inline]
    pub(super) fn key(self) -> u128 {
        u128::from(self.time) << 64 | u128::from(self.order)
    }
}
