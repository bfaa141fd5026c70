//! The two engines of the event queue must be indistinguishable from outside.

use sim_core::{Class, Engine, EventQueue, Key, SimTime, Streams, Timer, Words};

fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

/// Both engines, driven by the same calls.
struct Both {
    fast: EventQueue<u64>,
    reference: EventQueue<u64>,
}

impl Both {
    fn new() -> Self {
        Both { fast: EventQueue::new(Engine::Fast), reference: EventQueue::new(Engine::Reference) }
    }

    fn schedule(&mut self, time: SimTime, event: u64) -> (Timer, Timer) {
        self.schedule_as(Class::Begin, time, event)
    }

    fn schedule_as(&mut self, class: Class, time: SimTime, event: u64) -> (Timer, Timer) {
        (self.fast.schedule(time, class, event), self.reference.schedule(time, class, event))
    }

    fn is_due(&mut self, time: SimTime, class: Class) -> bool {
        let due = self.fast.is_due(time, class);
        assert_eq!(due, self.reference.is_due(time, class));
        due
    }

    fn cancel(&mut self, timers: (Timer, Timer)) -> Option<u64> {
        let cancelled = self.fast.cancel(timers.0);
        assert_eq!(cancelled, self.reference.cancel(timers.1));
        cancelled
    }

    fn pop_before(&mut self, end: SimTime) -> Option<(SimTime, u64)> {
        let popped = self.fast.pop_before(end);
        assert_eq!(popped, self.reference.pop_before(end));
        assert_eq!(self.fast.len(), self.reference.len());
        popped
    }

    fn pop(&mut self) -> Option<(SimTime, u64)> {
        let popped = self.fast.pop();
        assert_eq!(popped, self.reference.pop());
        assert_eq!(self.fast.is_empty(), self.reference.is_empty());
        popped
    }
}

/// Requests with a timeout each, most of which are cancelled, while the load rises and falls.
#[test]
fn both_engines_agree_on_a_long_run_with_timeouts() {
    for (seed, grid) in [(1, 1), (2, 1_000), (3, 250_000)] {
        let mut draw = Streams::new(seed).luck("queue", "test").at(Key::root(0, seed));
        let mut both = Both::new();
        let mut timeouts = Vec::new();
        let (mut now, mut order, mut cancelled) = (0, (SimTime::ZERO, 0), 0);
        for event in 0..120_000_u64 {
            let busy = event / 20_000 % 2 == 0;
            let work = draw.below(10_000_000) / grid * grid;
            both.schedule(at(now + work), 2 * event);
            timeouts.push(both.schedule(at(now + 1_000_000_000), 2 * event + 1));
            for _ in 0..if busy { 1 } else { 3 } {
                let end = if draw.below(4) == 0 { at(now + draw.below(1_000_000)) } else { SimTime::MAX };
                let Some((time, popped)) = both.pop_before(end) else { continue };
                assert!(time > order.0 || time == order.0 && popped > order.1, "not first in, first out");
                order = (time, popped);
                now = time.as_nanos();
                if popped % 2 == 0 && draw.below(10) > 0 {
                    cancelled += u64::from(both.cancel(timeouts[popped as usize / 2]).is_some());
                }
            }
        }
        assert!(cancelled > 80_000, "only {cancelled} timeouts were cancelled");
        while both.pop().is_some() {}
    }
}

#[test]
fn one_instant_is_first_in_first_out() {
    for n in [10, 100, 5_000] {
        let mut both = Both::new();
        for event in 0..n {
            both.schedule(at(5), event);
        }
        for event in 0..n {
            assert_eq!(both.pop(), Some((at(5), event)));
        }
    }
}

#[test]
fn the_end_of_an_interval_does_not_belong_to_it() {
    let mut both = Both::new();
    both.schedule(at(5), 0);
    assert_eq!(both.pop_before(SimTime::ZERO), None);
    assert_eq!(both.pop_before(at(5)), None);
    assert_eq!(both.pop_before(at(6)), Some((at(5), 0)));
    assert_eq!(both.pop_before(SimTime::MAX), None);
}

const CLASSES: [Class; 4] = [Class::End, Class::Change, Class::Timeout, Class::Begin];

#[test]
fn ends_come_before_beginnings_at_one_instant_and_no_other() {
    // A list, a crowd, and too much for either to be sorted at once.
    for n in [1, 10, 100, 5_000] {
        let mut both = Both::new();
        for event in 0..n {
            for (place, class) in CLASSES.into_iter().enumerate().rev() {
                both.schedule_as(class, at(5), 10 * event + place as u64);
            }
            both.schedule_as(Class::End, at(6), 10 * event + 4);
            both.schedule_as(Class::Begin, at(4), 10 * event + 5);
        }
        for (place, time) in [(5, 4), (0, 5), (1, 5), (2, 5), (3, 5), (4, 6)] {
            for event in 0..n {
                assert_eq!(both.pop(), Some((at(time), 10 * event + place)), "{n} of each");
            }
        }
    }
}

/// What one event brings about at once comes before what waits for its turn.
#[test]
fn an_end_that_is_scheduled_among_beginnings_comes_next() {
    for n in [3, 100, 5_000] {
        let mut both = Both::new();
        for event in 0..n {
            both.schedule(at(7), event);
        }
        for event in 0..n {
            assert!(!both.is_due(at(7), Class::Timeout) && both.is_due(at(7), Class::Begin));
            assert_eq!(both.pop(), Some((at(7), event)));
            both.schedule_as(Class::Timeout, at(7), n + event);
            both.schedule_as(Class::End, at(7), 2 * n + event);
            assert!(both.is_due(at(7), Class::End) && !both.is_due(at(6), Class::Begin));
            assert_eq!(both.pop(), Some((at(7), 2 * n + event)));
            assert!(!both.is_due(at(7), Class::Change) && both.is_due(at(7), Class::Timeout));
            assert_eq!(both.pop(), Some((at(7), n + event)));
        }
        assert!(!both.is_due(SimTime::MAX, Class::Begin));
    }
}

/// Few instants and all classes: what comes out is what was put in, sorted by time, class and turn.
#[test]
fn both_engines_agree_on_classes() {
    for (seed, instants, busy) in [(1, 2, 3), (2, 6, 20), (3, 50, 70), (4, 50, 1_000), (5, 5_000, 1_000)] {
        let mut draw = Streams::new(seed).luck("queue", "classes").at(Key::root(0, seed));
        let mut both = Both::new();
        let (mut pending, mut now) = (Vec::new(), 0);
        for event in 0..20_000_u64 {
            let time = now + draw.below(instants);
            let class = CLASSES[draw.below(4) as usize];
            let timers = both.schedule_as(class, at(time), event);
            let key = (time, class, event);
            pending.insert(pending.partition_point(|(other, _)| *other < key), (key, timers));
            if draw.below(4) == 0 {
                let (key, timers) = pending.remove(draw.below(pending.len() as u64) as usize);
                assert_eq!(both.cancel(timers), Some(key.2));
            }
            let (time, class) = (now + draw.below(3), CLASSES[draw.below(4) as usize]);
            let first = pending.first().map(|((at, its, _), _)| (*at, *its));
            assert_eq!(both.is_due(at(time), class), first.is_some_and(|first| first <= (time, class)));
            while pending.len() > busy || draw.below(3) == 0 && !pending.is_empty() {
                let ((time, _, event), _) = pending.remove(0);
                assert_eq!(both.pop(), Some((at(time), event)));
                now = time;
            }
        }
    }
}

#[test]
fn the_last_instant_is_in_146_years() {
    let last = at(u64::MAX >> 2);
    for time in [last, at(last.as_nanos() + 1), SimTime::MAX] {
        let mut both = Both::new();
        for event in 0..200 {
            both.schedule(time, event);
            both.schedule(at(event), 1_000 + event);
        }
        for event in 0..200 {
            assert_eq!(both.pop_before(last), Some((at(event), 1_000 + event)));
        }
        assert_eq!(both.pop_before(last), None);
        for event in 0..200 {
            assert_eq!(both.pop(), Some((last, event)));
        }
        assert_eq!(both.pop(), None);
    }
}

#[test]
fn what_is_scheduled_in_the_past_comes_first() {
    let mut both = Both::new();
    for event in 0..300 {
        both.schedule(at(1_000_000 + 1_000 * event), event);
    }
    for event in 0..100 {
        assert_eq!(both.pop(), Some((at(1_000_000 + 1_000 * event), event)));
    }
    for event in (0..300).rev() {
        both.schedule(at(event), 1_000 + event);
    }
    for event in 0..300 {
        assert_eq!(both.pop(), Some((at(event), 1_000 + event)));
    }
    assert_eq!(both.pop(), Some((at(1_100_000), 100)));
}

#[test]
fn a_stale_timer_is_refused_for_ever() {
    let mut both = Both::new();
    let mut stale = Vec::new();
    for round in 0..500 {
        let fires = both.schedule(at(round), round);
        let leaves = both.schedule(at(round), 1_000 + round);
        assert_eq!(both.cancel(leaves), Some(1_000 + round));
        assert_eq!(both.pop(), Some((at(round), round)));
        stale.extend([fires, leaves]);
        let pending = both.schedule(at(round + 1), 0);
        for timer in &stale {
            assert_eq!(both.cancel(*timer), None);
        }
        assert_eq!(both.cancel(pending), Some(0));
    }
}

#[test]
fn a_cancelled_event_leaves_and_is_dropped() {
    for engine in [Engine::Fast, Engine::Reference] {
        let counted = std::rc::Rc::new(());
        let mut queue = EventQueue::new(engine);
        let timers: Vec<_> =
            (0..1_000).map(|i| queue.schedule(at(i << 20), Class::Begin, counted.clone())).collect();
        for timer in &timers[500..] {
            drop(queue.cancel(*timer));
        }
        assert_eq!((queue.len(), std::rc::Rc::strong_count(&counted)), (500, 501));
        drop(queue);
        assert_eq!(std::rc::Rc::strong_count(&counted), 1);
    }
}

#[test]
fn a_timer_is_eight_bytes_and_so_is_an_optional_one() {
    assert_eq!(size_of::<Timer>(), 8);
    assert_eq!(size_of::<Option<Timer>>(), 8);
}
