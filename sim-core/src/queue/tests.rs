//! The fast engine against a sorted list, with every invariant checked after every call.

use super::slots::Slots;
use super::*;
use crate::stream::{Draw, Key, Streams, Words};

/// What a queue is: a list in the order (time, sequence).
#[derive(Default)]
struct Naive {
    pending: Vec<(u64, u64, u64)>,
    sequence: u64,
}

impl Naive {
    fn schedule(&mut self, time: u64, event: u64) -> u64 {
        let entry = (time, self.sequence, event);
        let at = self.pending.partition_point(|other| *other < entry);
        self.pending.insert(at, entry);
        self.sequence += 1;
        entry.1
    }

    fn cancel(&mut self, sequence: u64) -> Option<u64> {
        let at = self.pending.iter().position(|entry| entry.1 == sequence)?;
        Some(self.pending.remove(at).2)
    }

    fn pop_through(&mut self, end: u64) -> Option<(u64, u64)> {
        let &(time, _, event) = self.pending.first()?;
        (time <= end).then(|| self.pending.remove(0))?;
        Some((time, event))
    }
}

/// An offset of a random scale: many ties, many levels of the wheel, now and then the end of time.
fn offset(draw: &mut Draw, bits: u64) -> u64 {
    let scale = draw.below(bits + 1);
    if draw.below(200) == 0 { u64::MAX } else { draw.next_u64() & ((1 << scale) - 1) }
}

/// One random life of a queue that holds about `target` events.
fn live(seed: u64, target: usize, bits: u64, past: bool, mut fast: Fast<u64>) {
    let mut draw = Streams::new(seed).luck("queue", "test").at(Key::root(0, seed));
    let (mut naive, mut now, mut present, mut event) = (Naive::default(), 0, 0, 0);
    let mut timers = Vec::new();
    for _ in 0..1_500 {
        let full = fast.len() >= target;
        match draw.below(10) {
            0..4 if !full => {
                for _ in 0..=draw.below(3) {
                    let earliest = if past { now / 2 } else { now };
                    let time = u64::saturating_add(earliest, offset(&mut draw, bits));
                    timers.push((fast.schedule(time, event), naive.schedule(time, event)));
                    event += 1;
                }
            }
            4..7 if !timers.is_empty() => {
                // Half of them among the last few, so that many are still pending.
                let among = if draw.below(2) == 0 { timers.len() } else { timers.len().min(target) };
                let (timer, sequence) = timers[timers.len() - 1 - draw.below(among as u64) as usize];
                assert_eq!(fast.cancel(timer), naive.cancel(sequence));
            }
            _ => {
                let end =
                    if draw.below(2) == 0 { u64::MAX } else { now.saturating_add(offset(&mut draw, bits)) };
                let popped = fast.pop_through(end);
                assert_eq!(popped, naive.pop_through(end));
                present = present.max(popped.map_or(end, |(time, _)| time));
                // Stay where there is a future.
                now = if present < 1 << 60 { present } else { now };
            }
        }
        assert_eq!(fast.len(), naive.pending.len());
        fast.check(present);
    }
    while let Some(expected) = naive.pop_through(u64::MAX) {
        assert_eq!(fast.pop_through(u64::MAX), Some(expected));
        fast.check(u64::MAX);
    }
    assert_eq!(fast.pop_through(u64::MAX), None);
    for (timer, _) in timers {
        assert_eq!(fast.cancel(timer), None);
    }
}

#[test]
fn random_lives_agree_with_a_sorted_list() {
    for seed in 0..20 {
        for target in [1, 3, 20, 70, 400] {
            for bits in [1, 5, 12, 40] {
                live(seed, target, bits, seed % 4 == 3, Fast::new());
            }
        }
    }
}

#[test]
fn the_sequence_survives_the_end_of_its_32_bits() {
    for seed in 0..20 {
        for target in [3, 70, 400] {
            let mut fast = Fast::new();
            fast.start_at(u32::MAX - 5 - 20 * seed as u32);
            live(seed, target, 5, false, fast);
        }
    }
    let (mut fast, mut reference) = (Fast::new(), Reference::new());
    fast.start_at(u32::MAX - 5);
    reference.start_at(u64::from(u32::MAX) - 5);
    for i in 0..1_000 {
        fast.schedule(7, i);
        reference.schedule(SimTime::from_nanos(7), Class::Begin, i);
    }
    for i in 0..1_000 {
        assert_eq!(fast.pop_through(7), Some((7, i)));
        assert_eq!(reference.pop_through(SimTime::MAX), Some((SimTime::from_nanos(7), i)));
    }
}

#[test]
fn an_entry_removed_from_the_middle_leaves_the_others_in_order() {
    let mut fast = Fast::new();
    let times = [1, 100, 20, 30, 40, 110, 120, 130, 140, 21, 22];
    let timers: Vec<_> = times.iter().map(|&time| fast.schedule(time, time)).collect();
    fast.check(u64::MAX);
    assert_eq!(fast.cancel(timers[6]), Some(120));
    fast.check(u64::MAX);
    for time in [1, 20, 21, 22, 30, 40, 100, 110, 130, 140] {
        assert_eq!(fast.pop_through(u64::MAX), Some((time, time)));
        fast.check(u64::MAX);
    }
}

/// A queue in which something is near, much is in the wheel and, if it is `crowded`, more is due now than the list
/// holds; and all that is pending: its timer, its time and its event.
fn in_parts(crowded: bool) -> (Fast<u64>, Vec<(Timer, u64, u64)>) {
    let mut fast = Fast::new();
    let mut pending = Vec::new();
    let mut schedule = |fast: &mut Fast<u64>, time| {
        let event = pending.len() as u64;
        pending.push((fast.schedule(time, event), time, event));
    };
    (0..500).for_each(|i| schedule(&mut fast, 1_000 + 40 * i));
    assert_eq!(fast.pop_through(u64::MAX), Some((1_000, 0)));
    (0..20).for_each(|i| schedule(&mut fast, 1_001 + i % 7));
    (0..if crowded { 120 } else { 0 }).for_each(|_| schedule(&mut fast, 1_000));
    if crowded {
        assert_eq!(fast.pop_through(u64::MAX), Some((1_000, 520)));
    }
    fast.check(1_000);
    pending.retain(|(_, _, event)| *event != 0 && (*event, crowded) != (520, true));
    (fast, pending)
}

#[test]
fn an_event_can_be_cancelled_wherever_it_is() {
    for crowded in [false, true] {
        let (fast, pending) = in_parts(crowded);
        let timers: Vec<_> = pending.iter().map(|(timer, ..)| *timer).collect();
        let [near, crowd, wheel] = fast.parts(&timers);
        assert!(
            near > 10 && (crowd > 90) == crowded && wheel > 400,
            "{near} near, {crowd} in the crowd, {wheel} in the wheel"
        );
        // Every single one, alone and together with its neighbours.
        for step in [1, 2, 3, 700] {
            for first in 0..pending.len() {
                let (mut fast, pending) = in_parts(crowded);
                let cancelled = |i: usize| i >= first && (i - first).is_multiple_of(step);
                for (_, &(timer, _, event)) in pending.iter().enumerate().filter(|(i, _)| cancelled(*i)) {
                    assert_eq!(fast.cancel(timer), Some(event));
                    assert_eq!(fast.cancel(timer), None);
                }
                fast.check(1_000);
                let left = pending.iter().enumerate().filter(|(i, _)| !cancelled(*i));
                let mut expected: Vec<_> = left.map(|(_, (_, time, event))| (*time, *event)).collect();
                expected.sort_unstable();
                let popped: Vec<_> = std::iter::from_fn(|| fast.pop_through(u64::MAX)).collect();
                assert_eq!(popped, expected);
            }
        }
    }
}

#[test]
fn an_event_of_the_past_does_not_take_the_window_back() {
    let mut fast = Fast::new();
    let time = |i: u64| (1 << 20) + 64 * i;
    for i in 0..300 {
        fast.schedule(time(i), i);
    }
    assert_eq!(fast.pop_through(u64::MAX), Some((time(0), 0)));
    fast.schedule(5, 1_000);
    assert_eq!(fast.pop_through(u64::MAX), Some((5, 1_000)));
    for i in 2_000..2_200 {
        fast.schedule(time(0), i);
        fast.check(u64::MAX);
    }
    let popped: Vec<_> = std::iter::from_fn(|| Some(fast.pop_through(u64::MAX)?.1)).collect();
    assert_eq!(popped, (2_000..2_200).chain(1..300).collect::<Vec<_>>());
}

#[test]
fn a_crowd_at_one_instant_is_not_divided_again_and_again() {
    let mut fast = Fast::new();
    for i in 0..10_000 {
        fast.schedule(1_000_000, i);
    }
    fast.check(u64::MAX);
    for i in 0..10_000 {
        fast.schedule(2_000_000, 10_000 + i);
    }
    fast.check(u64::MAX);
    for i in 0..20_000 {
        assert_eq!(fast.pop_through(u64::MAX).map(|(_, event)| event), Some(i));
    }
}

#[test]
fn a_timer_is_refused_after_its_slot_was_used_again() {
    let mut slots = Slots::new();
    let first = slots.insert('a');
    assert_eq!(slots.remove(first.slot), 'a');
    assert_eq!(slots.position(first), None);
    let second = slots.insert('b');
    assert_eq!(second.slot, first.slot);
    assert_eq!(slots.position(first), None);
    assert!(slots.position(second).is_some());
}

#[test]
fn a_slot_with_no_generation_left_is_retired() {
    let mut slots = Slots::new();
    slots.insert('a');
    slots.remove(0);
    slots.age(0, u32::MAX - 1);
    let last = slots.insert('b');
    assert_eq!(last.slot, 0);
    slots.remove(0);
    assert_eq!(slots.position(last), None);
    assert_eq!(slots.insert('c').slot, 1, "slot 0 is not used again");
}

#[test]
fn an_entry_takes_forty_bytes() {
    /// As large as the event of a typical model.
    #[allow(dead_code)]
    enum Event {
        Attempt { request: u64, attempt: u32 },
        Tick,
    }
    assert_eq!(size_of::<Event>(), 16);
    let entry = size_of::<entry::Entry>() + Slots::<Event>::SIZE;
    assert_eq!(entry, 40);
}
