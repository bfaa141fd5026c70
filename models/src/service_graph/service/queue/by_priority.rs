//! What matters most first; what matters equally, as it came.
//!
//! Whoever is at work is not interrupted (non-preemptive). As long as all classes together are less than can be done, what matters most
//! hardly waits, and the others wait for it: with arrivals by Poisson, one worker and classes 1 to k, of which the `i`-th keeps it busy for
//! `rho_i`, class `k` waits `W0 / ((1 - rho_1 - .. - rho_(k-1)) (1 - rho_1 - .. - rho_k))` on average, `W0` being what is left of the work that an
//! arrival finds (Cobham, "Priority assignment in waiting line problems", 1954). If there is more than can be done, the
//! classes at the bottom get what the others leave, which may be nothing.
//!
//! A full queue does not keep out what matters more than somebody who waits: of what matters least the last to come gives its place up.

use super::adaptive_lifo::AdaptiveLifo;
use super::offer::{Known, Ticket};
use crate::carried::Criticality;

const CLASSES: usize = Criticality::ALL.len();
/// The two lowest bits of a ticket say which class.
const BITS: u32 = 2;

/// Requests by how much they matter.
#[derive(Clone)]
pub struct ByPriority<T> {
    classes: [AdaptiveLifo<T>; CLASSES],
    waiting: usize,
}

impl<T: Copy + PartialEq> ByPriority<T> {
    pub fn new() -> Self {
        ByPriority { classes: std::array::from_fn(|_| AdaptiveLifo::new(0)), waiting: 0 }
    }

    /// One more waits.
    pub fn push(&mut self, request: T, known: Known) -> Ticket {
        let class = known.carried.priority.rank();
        self.waiting += 1;
        let Ticket(place) = self.classes[class].push(request);
        Ticket(place << BITS | class as u64)
    }

    /// The next one leaves.
    pub fn take(&mut self) -> Option<T> {
        let next = self.classes.iter_mut().find_map(AdaptiveLifo::take_oldest)?;
        self.waiting -= 1;
        Some(next)
    }

    /// Who is next.
    pub fn next(&self) -> Option<T> {
        self.classes.iter().find_map(AdaptiveLifo::oldest)
    }

    /// Whoever gives up its place for one of whom that is known, if somebody does.
    pub fn displace(&mut self, known: Known) -> Option<T> {
        let gone = self.classes[known.carried.priority.rank() + 1..]
            .iter_mut()
            .rev()
            .find_map(AdaptiveLifo::take)?;
        self.waiting -= 1;
        Some(gone)
    }

    pub fn remove(&mut self, request: T, Ticket(ticket): Ticket) -> bool {
        let class = (ticket & ((1 << BITS) - 1)) as usize;
        let removed = self.classes[class].remove(request, Ticket(ticket >> BITS));
        self.waiting -= usize::from(removed);
        removed
    }

    pub fn len(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carried::Carried;
    use Criticality::{Critical, CriticalPlus, Sheddable, SheddablePlus};
    use sim_core::SimTime;

    fn of(priority: Criticality) -> Known {
        let carried = Carried { priority, ..Carried::default() };
        Known { since: SimTime::ZERO, until: SimTime::MAX, carried }
    }

    fn filled() -> (ByPriority<u32>, Vec<Ticket>) {
        let mut queue = ByPriority::new();
        let all = [Sheddable, Critical, Sheddable, CriticalPlus, SheddablePlus, Critical];
        let tickets = (1..).zip(all).map(|(n, priority)| queue.push(n, of(priority))).collect();
        (queue, tickets)
    }

    #[test]
    fn what_matters_most_is_next_and_equals_are_served_as_they_came() {
        let (mut queue, tickets) = filled();
        assert!(!queue.remove(3, tickets[0]) && queue.remove(2, tickets[1]) && !queue.remove(2, tickets[1]));
        assert_eq!((queue.next(), queue.len()), (Some(4), 5));
        let left: Vec<u32> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!((left, queue.len()), (vec![4, 6, 5, 1, 3], 0));
    }

    /// The last to come of what matters least, and only for what matters more.
    #[test]
    fn who_gives_up_its_place() {
        let (mut queue, _) = filled();
        for (comes, gone) in [
            (Sheddable, None),
            (SheddablePlus, Some(3)),
            (Critical, Some(1)),
            (Critical, Some(5)),
            (Critical, None),
            (CriticalPlus, Some(6)),
        ] {
            assert_eq!(queue.displace(of(comes)), gone, "{comes:?}");
        }
        assert_eq!(queue.len(), 2);
    }
}
