//! A queue and what is measured of it.
//!
//! Its length is integrated over time, and each wait is added up when it ends, by whatever door the request leaves:
//! two sums that Little's law holds against each other, to the nanosecond, whatever the discipline.

use super::Rule;
use super::queue::Queue;
use super::queue::discipline::Discipline;
use super::queue::offer::{Known, Offer, Ticket, Turn, Unseen};
use sim_core::stats::TimeIntegral;
use sim_core::{SimDuration, SimTime};

/// Requests `T` that wait.
#[derive(Clone)]
pub struct Line<T> {
    queue: Discipline<T>,
    pub length: TimeIntegral,
    /// Waits that are over, in nanoseconds.
    pub waited: u128,
}

impl<T: Copy + PartialEq> Line<T> {
    /// An empty one; `looks`: at whoever comes, whatever its order.
    pub fn new(queue: &Queue, rule: Option<Rule>, looks: bool) -> Self {
        Line { queue: Discipline::new(queue, rule, looks), length: TimeIntegral::default(), waited: 0 }
    }

    /// A request begins to wait, if there is a place for it and the queue looks at nothing more.
    #[inline]
    pub fn enter_unseen(&mut self, request: T, now: SimTime) -> Unseen {
        let offer = self.queue.offer_unseen(request);
        if matches!(offer, Unseen::Waits(_)) {
            self.length.increment(now);
        }
        offer
    }

    /// The same wherever it looks at. The wait of one that gave its place to this one is to be ended by [`gave_way`](Self::gave_way).
    pub fn enter(&mut self, request: T, now: SimTime, known: Known) -> Offer<T> {
        let offer = self.queue.offer(request, known);
        if matches!(offer, Offer::Waits(_)) {
            self.length.increment(now);
        }
        offer
    }

    /// One is served or turned away, and its wait is to be ended by [`left`](Self::left). `since` says when any of them came.
    #[inline]
    pub fn take(&mut self, now: SimTime, since: impl Fn(T) -> SimTime) -> Option<Turn<T>> {
        self.queue.take(now, since)
    }

    /// One leaves out of turn, if it waits in that place; its wait is to be ended by [`left`](Self::left).
    pub fn remove(&mut self, request: T, ticket: Ticket) -> bool {
        self.queue.remove(request, ticket)
    }

    /// The rule by which some are turned away, if there is one.
    pub fn rule(&mut self) -> Option<&mut Rule> {
        self.queue.rule()
    }

    /// Whoever kept it is gone, and what it knew.
    pub fn forget(&mut self) {
        self.queue.forget();
    }

    /// All of them; the wait of each is to be ended by [`left`](Self::left).
    pub fn clear(&mut self) -> impl Iterator<Item = T> {
        self.queue.clear()
    }

    /// One that had waited since then gave its place to another: as many wait as before.
    pub fn gave_way(&mut self, since: SimTime, now: SimTime) {
        self.waited += u128::from(now.since(since).as_nanos());
    }

    /// A request that was taken had waited since then.
    #[inline]
    pub fn left(&mut self, since: SimTime, now: SimTime) -> SimDuration {
        let wait = now.since(since);
        self.length.decrement(now);
        self.waited += u128::from(wait.as_nanos());
        wait
    }

    /// How many wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_graph::service::queue::Capacity;

    #[test]
    fn whoever_leaves_by_whatever_door_adds_its_wait() {
        let (capacity, drop_expired) = (Capacity::Bounded(3), false);
        for queue in [Queue::Fifo { capacity, drop_expired }, Queue::Lifo { capacity, drop_expired }] {
            let mut line = Line::new(&queue, None, false);
            let at = SimTime::from_nanos;
            // Since when request n waits; the fourth finds no place and waits for nothing.
            let since = [10, 20, 40, 50].map(at);
            let offers = [0, 1, 2, 3].map(|n| {
                line.enter(
                    n,
                    since[n],
                    Known { since: since[n], until: SimTime::MAX, carried: Default::default() },
                )
            });
            assert_eq!(offers.map(|offer| offer == Offer::Refused), [false, false, false, true]);
            let Some(Turn::Served(next)) = line.take(at(70), |n| since[n]) else { panic!("one is served") };
            assert_eq!(line.left(since[next], at(70)).as_nanos(), if next == 0 { 60 } else { 30 });
            // A crash, in the middle of two waits.
            for request in line.clear().collect::<Vec<_>>() {
                line.left(since[request], at(100));
            }
            assert_eq!((line.len(), line.length.value()), (0, 0));
            assert_eq!(line.length.area(at(200)), line.waited, "Little's law");
            // 60 + 80 + 60 or 30 + 90 + 80: the order does not move the sum.
            assert_eq!(line.waited, 200);
        }
    }
}
