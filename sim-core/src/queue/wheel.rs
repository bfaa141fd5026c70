//! Buckets for what is not due soon: entering and leaving cost the same however many are pending.
//!
//! A time is read as digits of [`BITS`] bits. Seen from a `base` that is not later, it belongs to the
//! level of the highest digit in which the two differ, and there to the bucket of that digit. So a
//! bucket on level `l` spans `2^(BITS * l)` ns, the buckets of one level are in order of time, and all
//! of a level is before all of the next.
//!
//! A bucket is a stack of chunks of [`CHUNK`] entries from one pool: no list to chase through memory,
//! no vector that keeps the size of its worst day.

use super::entry::Entry;
use super::slots::{IN_WHEEL, NONE, Slots};

/// Bits of a digit.
const BITS: u32 = 6;
const DIGITS: usize = 1 << BITS;
const LEVELS: usize = 64_u32.div_ceil(BITS) as usize;

/// Entries of a chunk.
const CHUNK: u32 = 8;

#[derive(Clone, Debug)]
pub(super) struct Wheel {
    /// For each bucket, the place of its last entry in the pool.
    tops: Box<[u32; LEVELS * DIGITS]>,
    /// For each level, which of its buckets are not empty.
    digits: [u64; LEVELS],
    /// Which levels are not empty.
    levels: u64,
    /// Chunk `c` is `pool[c * CHUNK..][..CHUNK]`.
    pool: Vec<Entry>,
    chunks: Vec<Chunk>,
    /// The first unused chunk.
    free: u32,
    /// How many entries there are.
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// The last place of the chunk below it in its bucket; of an unused chunk, the next.
    below: u32,
    bucket: u32,
}

/// One bucket, and the times it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    bucket: usize,
    first: u64,
    last: u64,
}

impl Span {
    /// The first nanosecond.
    pub(super) fn first(self) -> u64 {
        self.first
    }

    /// The last nanosecond.
    pub(super) fn last(self) -> u64 {
        self.last
    }
}

/// The level on which two times differ; the lowest if they do not.
#[inline]
fn level(difference: u64) -> u32 {
    (63 - (difference | 1).leading_zeros()) / BITS
}

/// The last nanosecond of the bucket around `time` on the level of `difference`.
pub(super) fn end_of_bucket(time: u64, difference: u64) -> u64 {
    time | ((1 << (level(difference) * BITS)) - 1)
}

/// The bucket of `time`, seen from `base`.
#[inline]
fn bucket(base: u64, time: u64) -> usize {
    let level = level(base ^ time);
    let digit = time >> (level * BITS) & (DIGITS as u64 - 1);
    level as usize * DIGITS + digit as usize
}

impl Wheel {
    pub(super) fn new() -> Self {
        Wheel {
            tops: Box::new([NONE; LEVELS * DIGITS]),
            digits: [0; LEVELS],
            levels: 0,
            pool: Vec::new(),
            chunks: Vec::new(),
            free: NONE,
            len: 0,
        }
    }

    /// Adds an entry later than `base`.
    #[inline]
    pub(super) fn push<E>(&mut self, base: u64, entry: Entry, slots: &mut Slots<E>) {
        let index = bucket(base, entry.time);
        let next = self.tops[index].wrapping_add(1);
        let place = if next.is_multiple_of(CHUNK) { self.open_chunk(index) } else { next };
        self.tops[index] = place;
        self.len += 1;
        self.put(place, entry, slots);
    }

    /// The same, if that takes no further chunk; else it does nothing.
    #[inline(always)]
    pub(super) fn push_if_room<E>(&mut self, base: u64, entry: Entry, slots: &mut Slots<E>) -> bool {
        let index = bucket(base, entry.time);
        let place = self.tops[index].wrapping_add(1);
        let has_room = !place.is_multiple_of(CHUNK);
        if has_room {
            self.tops[index] = place;
            self.len += 1;
            self.put(place, entry, slots);
        }
        has_room
    }

    /// Removes the entry at `place`: the last one of its bucket takes its place.
    #[inline]
    pub(super) fn remove<E>(&mut self, place: u32, slots: &mut Slots<E>) {
        let index = self.chunks[(place / CHUNK) as usize].bucket as usize;
        let top = self.tops[index];
        if place != top {
            self.put(place, self.pool[top as usize], slots);
        }
        self.len -= 1;
        if top.is_multiple_of(CHUNK) {
            self.close_chunk(index);
        } else {
            self.tops[index] = top - 1;
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.levels == 0
    }

    /// The earliest bucket that is not empty.
    #[inline]
    pub(super) fn earliest(&self, base: u64) -> Option<Span> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros();
        let digit = self.digits[level as usize].trailing_zeros();
        let shift = level * BITS;
        let below = (1 << shift) - 1;
        let digits = (DIGITS as u64 - 1) << shift;
        let first = base & !(digits | below) | u64::from(digit) << shift;
        Some(Span { bucket: level as usize * DIGITS + digit as usize, first, last: first | below })
    }

    /// Whether a bucket has more than `limit` entries. Looks at no more chunks than it takes to say so.
    pub(super) fn is_crowded(&self, span: Span, limit: usize) -> bool {
        let (mut top, mut len) = (self.tops[span.bucket], 0);
        while top != NONE && len <= limit {
            len += (top % CHUNK + 1) as usize;
            top = self.chunks[(top / CHUNK) as usize].below;
        }
        len > limit
    }

    /// The earliest and the latest time in a bucket.
    pub(super) fn bounds(&self, span: Span) -> (u64, u64) {
        let (mut min, mut max) = (u64::MAX, 0);
        let mut top = self.tops[span.bucket];
        while top != NONE {
            let chunk = top / CHUNK;
            for entry in &self.pool[(chunk * CHUNK) as usize..=top as usize] {
                min = min.min(entry.time);
                max = max.max(entry.time);
            }
            top = self.chunks[chunk as usize].below;
        }
        (min, max)
    }

    /// Removes a chunk of a bucket: its entries are so many of the first.
    #[inline]
    pub(super) fn take(&mut self, span: Span) -> Option<([Entry; CHUNK as usize], usize)> {
        let top = self.tops[span.bucket];
        if top == NONE {
            return None;
        }
        self.close_chunk(span.bucket);
        let len = (top % CHUNK + 1) as usize;
        self.len -= len;
        let chunk = self.pool[(top / CHUNK * CHUNK) as usize..].first_chunk().expect("chunks are whole");
        Some((*chunk, len))
    }

    /// Puts an unused chunk on top of a bucket and returns its first place.
    fn open_chunk(&mut self, index: usize) -> u32 {
        let top = self.tops[index];
        if top == NONE {
            self.digits[index / DIGITS] |= 1 << (index % DIGITS);
            self.levels |= 1 << (index / DIGITS);
        }
        if self.free == NONE {
            return self.grow(top, index);
        }
        let chunk = self.free;
        let old =
            std::mem::replace(&mut self.chunks[chunk as usize], Chunk { below: top, bucket: index as u32 });
        self.free = old.below;
        chunk * CHUNK
    }

    /// Takes the top chunk from a bucket.
    fn close_chunk(&mut self, index: usize) {
        let chunk = self.tops[index] / CHUNK;
        let top = std::mem::replace(&mut self.chunks[chunk as usize].below, self.free);
        self.free = chunk;
        self.tops[index] = top;
        if top == NONE {
            let digits = &mut self.digits[index / DIGITS];
            *digits &= !(1 << (index % DIGITS));
            if *digits == 0 {
                self.levels &= !(1 << (index / DIGITS));
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, below: u32, index: usize) -> u32 {
        let place = self.pool.len();
        assert!(place < (IN_WHEEL - CHUNK) as usize, "two thousand million events are pending");
        self.pool.resize(place + CHUNK as usize, Entry::new(0, 0, 0));
        self.chunks.push(Chunk { below, bucket: index as u32 });
        place as u32
    }

    #[inline]
    fn put<E>(&mut self, place: u32, entry: Entry, slots: &mut Slots<E>) {
        self.pool[place as usize] = entry;
        slots.moved(entry.slot(), place | IN_WHEEL);
    }

    #[cfg(test)]
    pub(super) fn check<E>(&self, base: u64, last: u64, slots: &Slots<E>) {
        let (mut len, mut chunks) = (0, 0);
        for (index, &(mut top)) in self.tops.iter().enumerate() {
            let mut found = 0;
            while top != NONE {
                let chunk = top / CHUNK;
                assert_eq!(self.chunks[chunk as usize].bucket as usize, index);
                for place in chunk * CHUNK..=top {
                    let entry = self.pool[place as usize];
                    assert!(entry.time > last, "what is due lies in the wheel");
                    assert_eq!(bucket(base, entry.time), index, "time {} from {base}", entry.time);
                    assert_eq!(slots.position_of(entry.slot()), place | IN_WHEEL);
                    found += 1;
                }
                chunks += 1;
                top = self.chunks[chunk as usize].below;
                assert!(top == NONE || top % CHUNK == CHUNK - 1, "only the top chunk is not full");
            }
            assert_eq!(self.digits[index / DIGITS] >> (index % DIGITS) & 1 == 1, found > 0);
            len += found;
        }
        for (level, &digits) in self.digits.iter().enumerate() {
            assert_eq!(self.levels >> level & 1 == 1, digits != 0);
        }
        let mut free = self.free;
        while free != NONE {
            chunks += 1;
            free = self.chunks[free as usize].below;
        }
        assert_eq!(chunks, self.chunks.len(), "a chunk was lost");
        assert_eq!(self.pool.len(), chunks * CHUNK as usize);
        assert_eq!(self.len, len);
    }
}
