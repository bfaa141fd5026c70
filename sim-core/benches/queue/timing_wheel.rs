//! A hierarchical timing wheel as kernels and runtimes have it: levels of 64 lists, doubly linked
//! through the entries, over ticks of 1024 ns. Within a tick it would not keep order, so what is due is
//! sorted.

use super::workload::{Event, Queue};

const TICK: u32 = 10;
const LEVELS: usize = 9;
const NONE: u32 = u32::MAX;

struct Entry {
    time: u64,
    sequence: u64,
    previous: u32,
    next: u32,
    event: Option<Event<Timer>>,
}

#[derive(Clone, Copy)]
pub struct Timer {
    slot: u32,
    sequence: u64,
}

pub struct TimingWheel {
    entries: Vec<Entry>,
    free: u32,
    heads: Box<[[u32; 64]; LEVELS]>,
    occupied: [u64; LEVELS],
    /// The current tick. Whatever is not after it is due.
    tick: u64,
    /// The latest first.
    due: Vec<(u64, u64, u32)>,
    sequence: u64,
}

impl TimingWheel {
    #[inline]
    fn bucket(&self, time: u64) -> (usize, usize) {
        let tick = time >> TICK;
        let level = (63 - (tick ^ self.tick).leading_zeros()) / 6;
        (level as usize, (tick >> (6 * level)) as usize & 63)
    }

    #[inline]
    fn place(&mut self, slot: u32) {
        let Entry { time, sequence, .. } = self.entries[slot as usize];
        if time >> TICK <= self.tick {
            let at = self.due.partition_point(|&(t, s, _)| (t, s) > (time, sequence));
            self.due.insert(at, (time, sequence, slot));
            return;
        }
        let (level, digit) = self.bucket(time);
        let next = std::mem::replace(&mut self.heads[level][digit], slot);
        if next != NONE {
            self.entries[next as usize].previous = slot;
        }
        let entry = &mut self.entries[slot as usize];
        (entry.previous, entry.next) = (NONE, next);
        self.occupied[level] |= 1 << digit;
    }

    #[inline]
    fn release(&mut self, slot: u32) -> Option<Event<Timer>> {
        let entry = &mut self.entries[slot as usize];
        entry.next = std::mem::replace(&mut self.free, slot);
        entry.event.take()
    }

    fn advance(&mut self) -> Option<()> {
        while self.due.is_empty() {
            let level = self.occupied.iter().position(|&digits| digits != 0)?;
            let digit = self.occupied[level].trailing_zeros();
            let above = if level + 1 < LEVELS { !0 << (6 * (level + 1)) } else { 0 };
            self.tick = self.tick & above | u64::from(digit) << (6 * level);
            self.occupied[level] &= !(1 << digit);
            let mut slot = std::mem::replace(&mut self.heads[level][digit as usize], NONE);
            while slot != NONE {
                let next = self.entries[slot as usize].next;
                self.place(slot);
                slot = next;
            }
        }
        Some(())
    }
}

impl Queue for TimingWheel {
    type Timer = Timer;

    fn new() -> Self {
        TimingWheel {
            entries: Vec::new(),
            free: NONE,
            heads: Box::new([[NONE; 64]; LEVELS]),
            occupied: [0; LEVELS],
            tick: 0,
            due: Vec::new(),
            sequence: 0,
        }
    }

    #[inline]
    fn schedule(&mut self, time: u64, event: Event<Timer>) -> Timer {
        let sequence = self.sequence;
        self.sequence += 1;
        let entry = Entry { time, sequence, previous: NONE, next: NONE, event: Some(event) };
        let slot = if self.free == NONE {
            self.entries.push(entry);
            self.entries.len() as u32 - 1
        } else {
            let slot = self.free;
            self.free = std::mem::replace(&mut self.entries[slot as usize], entry).next;
            slot
        };
        self.place(slot);
        Timer { slot, sequence }
    }

    #[inline]
    fn cancel(&mut self, timer: Timer) -> bool {
        let Entry { time, sequence, previous, next, ref event } = self.entries[timer.slot as usize];
        if sequence != timer.sequence || event.is_none() {
            return false;
        }
        if time >> TICK <= self.tick {
            self.due.retain(|&(_, s, _)| s != sequence);
        } else {
            let (level, digit) = self.bucket(time);
            if next != NONE {
                self.entries[next as usize].previous = previous;
            }
            if previous != NONE {
                self.entries[previous as usize].next = next;
            } else {
                self.heads[level][digit] = next;
                if next == NONE {
                    self.occupied[level] &= !(1 << digit);
                }
            }
        }
        self.release(timer.slot).is_some()
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, Event<Timer>)> {
        self.advance()?;
        let (time, _, slot) = self.due.pop()?;
        Some((time, self.release(slot)?))
    }
}
