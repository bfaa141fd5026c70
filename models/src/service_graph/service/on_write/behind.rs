//! Writes that are answered when they are kept, and passed on later (write-behind, write-back).
//!
//! A write does the service's own work, is kept as the answer of its key, and is answered; what calls it would have made a request makes that nobody
//! waits for, when its replica next passes on what it has to write: every `write_delay`, each replica at its own time, and as soon as `write_batch_size`
//! have come, or there is no more room. Each is a request of its own, which makes the service's calls as any write does, under their policies: what a
//! store saves by many at a time is not modelled. One that fails is passed on again when the next `write_delay` is over.
//!
//! Of several writes of one key only the last is passed on (`write_coalescing`). With writes at `λ` of `k` keys, that is `k (1 - e^(-λ T / k))`
//! every `T`, and not `λ T`. While a key is to be written its replica answers reads of it with that, whatever had to go from the cache, and
//! stores nothing that is fetched meanwhile.
//!
//! *Room*: what is to be passed on and what is on its way share `capacity` places. A write that finds none waits (`Block`), is passed
//! on at once, as without all this (`WriteThrough`), or fails (`Reject`). One whose key is to be passed on needs none.
//!
//! *Loss*: all that stands in the memory of one replica, whosever the cache is. A crash loses what was still to be passed on, `λ T / 2` on average,
//! and what was turned away each time; of what was sent and not turned away nobody knows. Who is told to go passes all on first, and goes without what it cannot write until it must.
//!
//! *Order*: a store of record keeps the newest of what comes, by when it was answered (last write wins), so what is passed on late, or twice, does no harm.

use super::{Index, OnWrite, WhenFull};
use crate::carried::Carried;
use crate::service_graph::slab::{Beside, Link};
use crate::service_graph::state::*;
use sim_core::{Key, SimDuration, SimTime};
use std::collections::VecDeque;

/// The one thing that all are about who say no key.
pub const NO_KEY: u32 = u32::MAX;

/// A write that was answered and is to be passed on.
#[derive(Clone)]
pub struct Write {
    pub(super) key: u32,
    pub(super) luck: Key,
    pub(super) carried: Carried,
    pub(super) edge: u16,
    pub(super) workload: u16,
    pub(super) call: Link<Call>,
    /// When the first was answered that it stands for.
    pub(super) since: SimTime,
    /// It came after the warm-up.
    pub(super) measured: bool,
    /// How often it was passed on in vain.
    pub(super) tries: u32,
    /// One of these was not turned away: it may have been done, or a part of it.
    pub(super) may_be_done: bool,
}

/// What one replica has to write.
#[derive(Clone, Default)]
pub struct Buffer {
    /// First come first.
    waiting: Vec<Write>,
    /// How many of them have not been passed on in vain.
    fresh: u32,
    /// Of each key the place of the last of these, where only that is passed on.
    last: Index,
    /// How many are on their way.
    out: u32,
    /// Of each key how many wait or are on their way.
    unwritten: Index,
    /// Those that wait for room, and some that have left.
    pub(super) line: VecDeque<AttemptId>,
}

impl Buffer {
    fn counts(&mut self, key: u32, more: bool) {
        let before = self.unwritten.get(key);
        if before.is_some() {
            self.unwritten.remove(key);
        }
        let count = if more { before.unwrap_or(0) + 1 } else { before.expect("it was counted") - 1 };
        if count > 0 {
            self.unwritten.insert(key, count);
        }
    }
}

/// What a service does about writes that it answers first.
#[derive(Clone)]
pub struct Behind {
    pub(super) every: SimDuration,
    at_once: u32,
    coalesces: bool,
    capacity: u32,
    pub(super) when_full: WhenFull,
    pub(super) buffers: Box<[Buffer]>,
    /// What each request passes on that nobody waits for.
    pub(super) passing: Beside<Option<Box<(AttemptId, Write)>>>,
    pub(super) counts: Counts,
    pub(super) line: Vec<f64>,
}

/// What is counted: of writes that came after the warm-up.
#[derive(Clone, Default)]
pub struct Counts {
    pub(super) taken: u64,
    pub(super) coalesced: u64,
    pub(super) passed_on: u64,
    pub(super) failed: u64,
    pub(super) found_full: u64,
    pub(super) lost: u64,
    pub(super) in_doubt: u64,
    pub(super) delay_ns: u128,
    pub(super) longest: SimDuration,
}

/// What becomes of a write that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    There,
    No(WhenFull),
}

impl Behind {
    /// Of a service that does so, with so many replicas.
    pub fn by(rule: OnWrite, replicas: u32) -> Option<Self> {
        let OnWrite::Behind { write_delay, write_batch_size, write_coalescing, capacity, when_full } = rule
        else {
            return None;
        };
        Some(Behind {
            every: write_delay,
            at_once: write_batch_size.unwrap_or(u32::MAX),
            coalesces: write_coalescing,
            capacity,
            when_full,
            buffers: (0..replicas).map(|_| Buffer::default()).collect(),
            passing: Beside::default(),
            counts: Counts::default(),
            line: Vec::new(),
        })
    }

    /// Bytes at most for each that is to be passed on.
    pub const BYTES: u64 = 2 * size_of::<Write>() as u64 + 2 * Index::BYTES;

    /// When each replica first looks: one after another within the time between two looks.
    pub fn firsts(&self) -> Vec<(u32, SimTime)> {
        let (every, replicas) = (u128::from(self.every.as_nanos()), self.buffers.len() as u128);
        let at = |replica: u32| (every * (u128::from(replica) + 1) / replicas) as u64;
        (0..self.buffers.len() as u32).map(|it| (it, SimTime::from_nanos(at(it).max(1)))).collect()
    }

    /// Whether a replica has something of a key still to be written.
    pub fn is_unwritten(&self, replica: u32, key: u32) -> bool {
        self.buffers[replica as usize].unwritten.get(key).is_some()
    }

    /// Whether it has anything to be passed on.
    pub fn has_to_write(&self, replica: u32) -> bool {
        !self.buffers[replica as usize].waiting.is_empty()
    }

    /// Whether there is room for one more.
    pub(super) fn room(&self, replica: u32, key: u32) -> Room {
        let buffer = &self.buffers[replica as usize];
        let joins = self.coalesces && buffer.last.get(key).is_some();
        let taken = buffer.waiting.len() as u64 + u64::from(buffer.out);
        if joins || taken < u64::from(self.capacity) { Room::There } else { Room::No(self.when_full) }
    }

    /// A write is answered. Whether those that have come are to be passed on now; and the luck of the one in whose place it comes, if there is any.
    pub(super) fn takes(&mut self, replica: u32, write: Write) -> (bool, Option<Key>) {
        self.counts.taken += u64::from(write.measured);
        let gone = self.waits(replica, write);
        let buffer = &self.buffers[replica as usize];
        let is_full = buffer.waiting.len() as u64 + u64::from(buffer.out) >= u64::from(self.capacity);
        (buffer.fresh >= self.at_once || is_full && gone.is_none(), gone)
    }

    fn waits(&mut self, replica: u32, write: Write) -> Option<Key> {
        let buffer = &mut self.buffers[replica as usize];
        if let Some(place) = buffer.last.get(write.key).filter(|_| self.coalesces) {
            let before = &mut buffer.waiting[place as usize];
            self.counts.coalesced += u64::from(before.measured);
            buffer.fresh += u32::from(before.tries > 0);
            let since = before.since.min(write.since);
            let gone = std::mem::replace(before, Write { since, ..write });
            return Some(gone.luck);
        }
        buffer.counts(write.key, true);
        buffer.fresh += u32::from(write.tries == 0);
        if self.coalesces {
            buffer.last.insert(write.key, buffer.waiting.len() as u32);
        }
        buffer.waiting.push(write);
        None
    }

    /// All that a replica has to write goes, or what has not been passed on in vain.
    pub(super) fn goes(&mut self, replica: u32, all: bool) -> Vec<Write> {
        let buffer = &mut self.buffers[replica as usize];
        let waiting = std::mem::take(&mut buffer.waiting);
        let (go, stay): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|write| all || write.tries == 0);
        buffer.last.clear();
        if self.coalesces {
            (0..).zip(&stay).for_each(|(place, write)| buffer.last.insert(write.key, place));
        }
        buffer.out += go.len() as u32;
        (buffer.waiting, buffer.fresh) = (stay, 0);
        go
    }

    /// One that was on its way has come back: if it is another's turn to be passed on in its place, its luck.
    pub(super) fn comes_back(
        &mut self,
        replica: u32,
        write: Write,
        is_well: bool,
        now: SimTime,
    ) -> Option<Key> {
        let buffer = &mut self.buffers[replica as usize];
        buffer.out -= 1;
        buffer.counts(write.key, false);
        let count = u64::from(write.measured);
        if is_well {
            self.counts.passed_on += count;
            let took = now.since(write.since);
            self.counts.delay_ns += if write.measured { u128::from(took.as_nanos()) } else { 0 };
            self.counts.longest =
                self.counts.longest.max(if write.measured { took } else { SimDuration::ZERO });
            return None;
        }
        self.counts.failed += count;
        if let Some(place) = buffer.last.get(write.key).filter(|_| self.coalesces) {
            let newer = &mut buffer.waiting[place as usize];
            newer.since = newer.since.min(write.since);
            self.counts.coalesced += count;
            return Some(write.luck);
        }
        self.waits(replica, Write { tries: write.tries + 1, ..write })
    }

    /// One is gone with its replica.
    pub(super) fn is_gone(&mut self, write: &Write) {
        let count = if write.may_be_done { &mut self.counts.in_doubt } else { &mut self.counts.lost };
        *count += u64::from(write.measured);
    }

    /// What a request passes on may have been done.
    pub(super) fn may_have_done(&mut self, id: AttemptId) {
        if self.passing.get(id).and_then(Option::as_ref).is_some_and(|it| it.0 == id) {
            self.passing.of_mut(id, false).as_mut().expect("it passes something on").1.may_be_done = true;
        }
    }

    /// A replica has crashed, with what it had to write.
    pub(super) fn crashed(&mut self, replica: u32) {
        let buffer = std::mem::take(&mut self.buffers[replica as usize]);
        buffer.waiting.iter().for_each(|write| self.is_gone(write));
    }

    /// How many of these are still to be passed on, or on their way.
    pub(super) fn left(&self, of: impl Fn(&Write) -> bool + Copy) -> u64 {
        let waiting =
            self.buffers.iter().flat_map(|buffer| &buffer.waiting).filter(|write| of(write)).count();
        let out = self.passing.all().flatten().filter(|passing| of(&passing.1)).count();
        (waiting + out) as u64
    }

    /// A window is over.
    pub(super) fn close_window(&mut self) {
        let now = self.buffers.iter().map(|it| it.waiting.len() as u64 + u64::from(it.out)).sum::<u64>();
        self.line.push(now as f64);
    }

    /// What was answered was passed on, or another in its place; or it is lost, or still here.
    pub(super) fn check(&self) {
        let it = &self.counts;
        let all = it.coalesced + it.passed_on + it.lost + it.in_doubt + self.left(|write| write.measured);
        assert_eq!(it.taken, all, "writes that were answered before they were passed on");
        for buffer in &self.buffers {
            let keys = buffer.waiting.iter().filter(|write| buffer.last.get(write.key).is_some()).count();
            assert!(!self.coalesces || keys == buffer.waiting.len(), "one of each key waits");
            let fresh = buffer.waiting.iter().filter(|write| write.tries == 0).count();
            assert_eq!(buffer.fresh as usize, fresh, "writes that were not passed on in vain");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: u32, at: u64) -> Write {
        Write {
            key,
            luck: Key::root(u64::from(key), at),
            carried: Carried::default(),
            edge: 0,
            workload: 0,
            call: CallId::of_nobody().link(),
            since: SimTime::from_secs(at),
            measured: true,
            tries: 0,
            may_be_done: false,
        }
    }

    fn behind(batch: Option<u32>, write_coalescing: bool, capacity: u32) -> Behind {
        let (write_delay, when_full) = (SimDuration::from_secs(1), WhenFull::Reject);
        let write_batch_size = batch;
        Behind::by(
            OnWrite::Behind { write_delay, write_batch_size, write_coalescing, capacity, when_full },
            2,
        )
        .expect("it writes behind")
    }

    /// Keys that are written one after another: whether they are passed on then, and how many of them.
    #[test]
    fn when_they_go_and_which() {
        for (batch, coalesces, capacity, keys, goes) in [
            (None, true, 9, vec![1, 2, 1, 1], vec![0, 0, 0, 0]),
            (Some(3), true, 9, vec![1, 2, 1, 3], vec![0, 0, 0, 3]),
            (Some(3), false, 9, vec![1, 2, 1, 3], vec![0, 0, 3, 0]),
            // Full: who comes for a key that waits takes no place, and is no reason to go.
            (None, true, 2, vec![1, 1, 2, 3], vec![0, 0, 2, 0]),
            (None, false, 2, vec![1, 1], vec![0, 2]),
        ] {
            let mut it = behind(batch, coalesces, capacity);
            for (number, (key, expected)) in keys.iter().zip(goes).enumerate() {
                if it.room(0, *key) != Room::There {
                    continue;
                }
                let (due, _) = it.takes(0, write(*key, number as u64));
                let went = if due { it.goes(0, false).len() } else { 0 };
                assert_eq!(went, expected, "write {number} of {keys:?}");
            }
        }
    }

    #[test]
    fn of_a_key_the_last_is_passed_on_as_old_as_the_first() {
        let mut it = behind(None, true, 9);
        assert_eq!(it.takes(0, write(7, 1)), (false, None));
        assert_eq!(it.takes(0, write(7, 3)), (false, Some(write(7, 1).luck)));
        assert!(it.is_unwritten(0, 7) && !it.is_unwritten(1, 7) && !it.is_unwritten(0, 8));
        let gone = it.goes(0, true);
        assert_eq!((gone.len(), gone[0].luck, gone[0].since), (1, write(7, 3).luck, SimTime::from_secs(1)));
        assert!(it.is_unwritten(0, 7) && !it.has_to_write(0), "it is on its way");
        assert_eq!(it.comes_back(0, gone[0].clone(), true, SimTime::from_secs(5)), None);
        assert!(!it.is_unwritten(0, 7));
        assert_eq!(
            (it.counts.coalesced, it.counts.passed_on, it.counts.longest.as_nanos()),
            (1, 1, 4_000_000_000)
        );
        it.check();
    }

    /// One fails: it waits for the time to be over, and not for whoever comes; a newer one of its key goes in its place.
    #[test]
    fn what_fails_waits_and_gives_way_to_what_is_newer() {
        let mut it = behind(Some(1), true, 9);
        let sends = |it: &mut Behind, key, at| {
            assert!(it.takes(0, write(key, at)).0);
            it.goes(0, false)
        };
        let one = sends(&mut it, 1, 1);
        it.comes_back(0, one[0].clone(), false, SimTime::from_secs(2));
        it.check();
        let two = sends(&mut it, 2, 2);
        assert_eq!((two.len(), it.has_to_write(0)), (1, true), "only what has come goes");
        let again = it.goes(0, true);
        assert_eq!((again.len(), again[0].tries), (1, 1));
        // While it is on its way its key is written again, and then it fails.
        it.at_once = 9;
        it.takes(0, write(1, 3));
        let gone = it.comes_back(0, again[0].clone(), false, SimTime::from_secs(4));
        assert_eq!(gone, Some(write(1, 1).luck));
        let last = it.goes(0, true);
        assert_eq!((last.len(), last[0].luck, last[0].since), (1, write(1, 3).luck, SimTime::from_secs(1)));
        assert_eq!((it.counts.coalesced, it.counts.failed), (1, 2));
    }

    /// A crash: what had never been passed on is lost, and what had been turned away; of what had not, nobody knows.
    #[test]
    fn what_a_crash_takes() {
        let mut it = behind(None, false, 9);
        (1..=3).for_each(|key| _ = it.takes(0, write(key, 1)));
        for (sent, may_be_done) in it.goes(0, true).into_iter().zip([true, false]) {
            it.comes_back(0, Write { may_be_done, ..sent }, false, SimTime::from_secs(2));
        }
        // Whatever becomes of it the next time.
        let again = it.goes(0, true);
        again.into_iter().for_each(|sent| _ = it.comes_back(0, sent, false, SimTime::from_secs(3)));
        (4..=8).for_each(|key| _ = it.takes(0, write(key, 1)));
        it.takes(1, write(1, 1));
        it.crashed(0);
        assert_eq!((it.counts.lost, it.counts.in_doubt), (6, 1));
        assert!(!it.has_to_write(0) && it.has_to_write(1) && !it.is_unwritten(0, 4), "the other has its own");
        assert_eq!(it.room(0, 1), Room::There);
    }

    /// Replicas look one after another.
    #[test]
    fn each_at_its_own_time() {
        let firsts = behind(None, true, 1).firsts();
        assert_eq!(firsts, [(0, SimTime::from_nanos(500_000_000)), (1, SimTime::from_secs(1))]);
    }
}
