//! Earliest deadline first: whoever is waited for least long is next.
//!
//! If all can be in time, they are (Liu and Layland 1973; with work that is not cut off, among orders that never idle).
//! If they cannot, it is the worst there is: whoever is next is about to be too late, and all are, one after another (the
//! "domino effect" of real-time systems). With `drop_expired` those who are too late cost nothing, and what is left is work
//! that may be done in vain a moment later. A service knows how long it is waited for where callers say so, as in gRPC's `grpc-timeout`.

use super::offer::{Known, Ticket};
use crate::service_graph::service::ranked::Ranked;
use sim_core::SimTime;

/// Requests, each with the time until which it is waited for; whoever is waited for equally long is served as it came.
#[derive(Clone)]
pub struct EarliestDeadline<T> {
    waiting: Ranked<T, SimTime>,
}

impl<T: Copy + PartialEq> EarliestDeadline<T> {
    pub fn new() -> Self {
        EarliestDeadline { waiting: Ranked::default() }
    }

    /// One more waits.
    pub fn push(&mut self, request: T, known: Known) -> Ticket {
        Ticket(self.waiting.push(request, known.until))
    }

    /// The next one leaves.
    pub fn take(&mut self) -> Option<T> {
        self.waiting.pop()
    }

    /// Who is next.
    pub fn next(&self) -> Option<T> {
        self.waiting.first().map(|(request, _)| request)
    }

    pub fn remove(&mut self, request: T, ticket: Ticket) -> bool {
        self.waiting.get(ticket.0) == Some(request) && self.waiting.remove(ticket.0).is_some()
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(nanos: u64) -> Known {
        Known { since: SimTime::ZERO, until: SimTime::from_nanos(nanos), carried: Default::default() }
    }

    #[test]
    fn whoever_is_waited_for_least_long_is_next_and_equals_are_served_as_they_came() {
        let mut queue = EarliestDeadline::new();
        let for_ever = Known { until: SimTime::MAX, ..until(0) };
        let tickets: Vec<Ticket> =
            [for_ever, until(30), until(10), until(30), until(20), for_ever, until(30)]
                .into_iter()
                .enumerate()
                .map(|(n, known)| queue.push(n, known))
                .collect();
        assert!(!queue.remove(2, tickets[3]) && queue.remove(3, tickets[3]) && !queue.remove(3, tickets[3]));
        assert_eq!((queue.next(), queue.len()), (Some(2), 6));
        let left: Vec<usize> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(left, [2, 4, 1, 6, 0, 5]);
    }
}
