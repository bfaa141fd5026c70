//! First in, first out as long as few wait; last in, first out as long as there are more (Maurer, "Fail at Scale", 2015).
//!
//! A short queue is fair: everybody has a short wait. A long one would make everybody wait too long; now those who came last
//! are served in time, and the others may have given up already. HHVM's `Server.ThreadJobLIFOSwitchThreshold`: a worker
//! that finds more than so many takes the last, else the first (`JobQueue::dequeueMaybeExpiredImpl`). With a threshold of 0
//! it is last in, first out, and with one that is never passed first in, first out.

use super::offer::Ticket;
use std::collections::VecDeque;

/// Requests in the order in which they came, to be taken from either end.
#[derive(Clone)]
pub struct AdaptiveLifo<T> {
    /// Who left out of turn leaves a vacancy, but never at an end.
    waiting: VecDeque<Option<T>>,
    vacancies: usize,
    /// The ticket of the front: they are counted up.
    front: u64,
    /// The last is next as long as more than so many wait.
    threshold: usize,
}

impl<T: Copy + PartialEq> AdaptiveLifo<T> {
    pub fn new(threshold: usize) -> Self {
        AdaptiveLifo { waiting: VecDeque::new(), vacancies: 0, front: 0, threshold }
    }

    /// One more waits.
    pub fn push(&mut self, request: T) -> Ticket {
        let place = self.waiting.len();
        self.waiting.push_back(Some(request));
        Ticket(self.front.wrapping_add(place as u64))
    }

    /// The next one leaves.
    pub fn take(&mut self) -> Option<T> {
        if self.len() <= self.threshold {
            return self.take_oldest();
        }
        let last = self.waiting.pop_back()?;
        self.trim();
        last
    }

    /// Who has waited longest.
    pub fn oldest(&self) -> Option<T> {
        *self.waiting.front()?
    }

    /// Who has waited longest leaves.
    pub fn take_oldest(&mut self) -> Option<T> {
        let first = self.waiting.pop_front()?;
        self.front = self.front.wrapping_add(1);
        self.trim();
        first
    }

    pub fn remove(&mut self, request: T, ticket: Ticket) -> bool {
        let place = ticket.0.wrapping_sub(self.front) as usize;
        let Some(here) = self.waiting.get_mut(place).filter(|here| **here == Some(request)) else {
            return false;
        };
        *here = None;
        self.vacancies += 1;
        self.trim();
        true
    }

    fn trim(&mut self) {
        if self.vacancies == 0 {
            return;
        }
        while self.waiting.front().is_some_and(Option::is_none) {
            self.waiting.pop_front();
            self.front = self.front.wrapping_add(1);
            self.vacancies -= 1;
        }
        while self.waiting.back().is_some_and(Option::is_none) {
            self.waiting.pop_back();
            self.vacancies -= 1;
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len() - self.vacancies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HHVM takes one from the count before it compares: with a threshold of 2 the third of three is next, then the first.
    #[test]
    fn the_last_is_next_as_long_as_more_wait_than_the_threshold() {
        for (threshold, order) in [
            (0, [4, 3, 2, 1]),
            (1, [4, 3, 2, 1]),
            (2, [4, 3, 1, 2]),
            (3, [4, 1, 2, 3]),
            (4, [1, 2, 3, 4]),
            (usize::MAX, [1, 2, 3, 4]),
        ] {
            let mut queue = AdaptiveLifo::new(threshold);
            (1..=4).for_each(|n| _ = queue.push(n));
            let left: Vec<u32> = std::iter::from_fn(|| queue.take()).collect();
            assert_eq!(left, order, "{threshold}");
        }
    }

    #[test]
    fn who_is_gone_is_neither_the_first_nor_the_last() {
        let mut queue = AdaptiveLifo::new(0);
        let tickets = [1, 2, 3, 4, 5].map(|n| queue.push(n));
        // Both ends and the middle.
        for n in [5, 1, 3] {
            assert!(queue.remove(n, tickets[n - 1]) && !queue.remove(n, tickets[n - 1]));
        }
        assert_eq!((queue.oldest(), queue.len()), (Some(2), 2));
        let ticket = queue.push(6);
        assert_eq!((queue.take_oldest(), queue.take()), (Some(2), Some(6)));
        assert!(!queue.remove(6, ticket) && queue.remove(4, tickets[3]));
        assert_eq!((queue.oldest(), queue.take(), queue.len()), (None, None, 0));
    }
}
