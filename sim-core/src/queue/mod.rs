//! The event queue: what is going to happen, earliest first.
//!
//! # What is promised
//! - Events come out in the order (time, [class](Class), sequence): at one instant ends come before beginnings,
//!   and within a class whoever was scheduled first is first.
//! - A cancelled event leaves at once. With timeouts a hundred times longer than what they guard,
//!   tombstones would be most of the queue.
//! - A [`Timer`] names one scheduled event for ever. When that event has fired or was cancelled, the
//!   timer is refused, however often its place was used again.
//! - Time need not be monotone: an event may be scheduled before one that was already popped.
//! - What is scheduled more than 146 years from the beginning is due then: two bits of its time are its class.
//! - Nothing is allocated once the queue has been as full as it gets.
//!
//! How it is done is said in `fast`, and nothing outside this folder depends on it. The second engine
//! shares no code with the first, to check it: the same calls give the same answers on both.
//!
//! # What it costs
//! *hold* pops one event and schedules one; *cancel-heavy* also schedules a timeout a hundred times farther and
//! cancels that of the event which fires (`benches/queue/workload.rs`). ns per operation, the workload's own and
//! filling the queue included: `examples/queue_load.rs`, the fastest of several runs on a busy server of 2024.
//!
//! | pending                     |  2 | 10 | 1e3 | 1e4 | 1e5 |
//! |-----------------------------|---:|---:|----:|----:|----:|
//! | hold, this queue            | 11 | 21 |  32 |  38 |  51 |
//! | hold, timing wheel          | 37 | 38 |  29 |  36 | 116 |
//! | hold, indexed 4-ary heap    | 13 | 21 |  34 |  53 | 107 |
//! | cancel-heavy, this queue    | 23 | 31 |  46 |  51 |  70 |
//! | cancel-heavy, timing wheel  | 44 | 52 |  42 |  46 | 121 |
//! | cancel-heavy, indexed heap  | 20 | 27 |  44 |  65 | 111 |
//!
//! At 1e3 and 1e4 that is 1.05 to 1.11 times the timing wheel.
//!
//! Where timeouts are cancelled, std's heap with tombstones takes 3 to 11 times as long as this queue, and
//! `priority-queue` 2 to 9 times.
//!
//! Instructions per operation, counted with the same example (53 and 70 of them are the workload's), at 2 / 10 / 1e3 /
//! 1e4 / 1e5 pending: hold 174 / 222 / 368 / 431 / 438, the timing wheel 446 / 430 / 396 / 389 / 419; cancel-heavy 350
//! / 475 / 628 / 622 / 678, the timing wheel 606 / 590 / 555 / 544 / 554. Where the buckets end decides how many of
//! them are too large to be sorted at once, so each number of events has its own luck.
//!
//! A pending event of 16 bytes takes 40: 16 for its key, 16 for itself and 8 for what is known of it.

mod class;
mod crowd;
mod entry;
mod fast;
mod near;
mod reference;
mod slots;
mod wheel;

use crate::time::SimTime;
pub use class::Class;
use fast::Fast;
use reference::Reference;
use std::num::NonZeroU32;

/// Which queue drives a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// The queue that brownout is built on.
    #[default]
    Fast,
    /// `priority-queue`, slower and independent: the same events must come out in the same order.
    Reference,
}

/// A scheduled event that may be taken back, once, by the queue that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    slot: u32,
    generation: NonZeroU32,
}

const _: () = assert!(size_of::<Timer>() == 8 && size_of::<Option<Timer>>() == 8);

impl Timer {
    /// The same as a number, for whoever keeps something else in its place at other times.
    #[inline]
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation.get()) << 32 | u64::from(self.slot)
    }

    /// The timer of these bits.
    ///
    /// # Panics
    /// If they are not those of a timer.
    #[inline]
    pub fn from_bits(bits: u64) -> Timer {
        let generation = NonZeroU32::new((bits >> 32) as u32).expect("the bits of a timer");
        Timer { slot: bits as u32, generation }
    }
}

/// Pending events in the order (time, class, sequence).
///
/// ```
/// use sim_core::{Class, Engine, EventQueue, SimTime};
///
/// let mut queue = EventQueue::new(Engine::Fast);
/// let second = SimTime::from_secs(1);
/// let timeout = queue.schedule(SimTime::from_secs(3), Class::Timeout, "timeout");
/// queue.schedule(second, Class::Begin, "arrival");
/// queue.schedule(second, Class::Begin, "and another");
/// queue.schedule(second, Class::End, "answer");
///
/// assert_eq!(queue.pop(), Some((second, "answer")));
/// assert_eq!(queue.cancel(timeout), Some("timeout"));
/// assert_eq!(queue.cancel(timeout), None);
/// assert_eq!(queue.pop_before(second), None);
/// assert_eq!(queue.pop(), Some((second, "arrival")));
/// assert_eq!(queue.pop(), Some((second, "and another")));
/// assert!(queue.is_empty());
/// ```
#[derive(Clone)]
pub struct EventQueue<E> {
    kind: Kind<E>,
}

#[derive(Clone)]
enum Kind<E> {
    Fast(Fast<E>),
    Reference(Reference<E>),
}

impl<E> EventQueue<E> {
    /// An empty queue.
    pub fn new(engine: Engine) -> Self {
        let kind = match engine {
            Engine::Fast => Kind::Fast(Fast::new()),
            Engine::Reference => Kind::Reference(Reference::new()),
        };
        EventQueue { kind }
    }

    /// Adds an event.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, class: Class, event: E) -> Timer {
        match &mut self.kind {
            Kind::Fast(queue) => queue.schedule(class::moment(at, class), event),
            Kind::Reference(queue) => queue.schedule(at, class, event),
        }
    }

    /// Takes an event back. `None` if it fired or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, timer: Timer) -> Option<E> {
        match &mut self.kind {
            Kind::Fast(queue) => queue.cancel(timer),
            Kind::Reference(queue) => queue.cancel(timer),
        }
    }

    /// Takes the earliest event.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.pop_through(SimTime::MAX)
    }

    /// Takes the earliest event, if it is strictly before `end`.
    #[inline]
    pub fn pop_before(&mut self, end: SimTime) -> Option<(SimTime, E)> {
        self.pop_through(SimTime::from_nanos(end.as_nanos().checked_sub(1)?))
    }

    /// Takes the earliest event, if it is not after `last`. A part of the loop, however many loops there are.
    #[inline(always)]
    fn pop_through(&mut self, last: SimTime) -> Option<(SimTime, E)> {
        match &mut self.kind {
            Kind::Fast(queue) => {
                let (moment, event) = queue.pop_through(class::moment(last, Class::Begin))?;
                Some((class::instant(moment), event))
            }
            Kind::Reference(queue) => queue.pop_through(last),
        }
    }

    /// Whether something of this class or one before it is pending for `at`, or anything for earlier.
    #[inline]
    pub fn is_due(&mut self, at: SimTime, class: Class) -> bool {
        match &mut self.kind {
            Kind::Fast(queue) => queue.is_due(class::moment(at, class)),
            Kind::Reference(queue) => queue.is_due(at, class),
        }
    }

    /// How many events are pending.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.kind {
            Kind::Fast(queue) => queue.len(),
            Kind::Reference(queue) => queue.len(),
        }
    }

    /// Whether nothing is pending.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
