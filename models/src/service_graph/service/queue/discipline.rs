//! Who waits, and who is next: a discipline is a file.
//!
//! A discipline holds what waits and decides the order; it has places, and says what it does when they are taken. When a
//! worker asks who is next it may turn somebody away instead: the worker asks again, and whoever was turned away is
//! rejected, as if there had been no place. Whoever looks at more than the order of arrival is told what is known of a
//! request when it comes, and may ask since when it waits; what nobody looks at is not even computed.
//!
//! No discipline adds up times: whoever owns it adds up how long each one waited ([`Line`](super::super::line::Line)), by
//! whatever door it left, so that no discipline can break Little's law. A queue shared by all replicas is no discipline of
//! its own: it is one that stands before the service instead of before each replica.

use super::adaptive_lifo::AdaptiveLifo;
use super::by_priority::ByPriority;
use super::earliest_deadline::EarliestDeadline;
use super::fair::Fair;
use super::fifo::Fifo;
use super::lifo::Lifo;
use super::offer::{Known, Offer, Ticket, Turn, Unseen};
use super::ordered::{Order, Ordered};
use super::{Capacity, Queue};
use crate::service_graph::service::Rule;
use sim_core::SimTime;

/// Requests `T` that wait for a worker.
#[derive(Clone)]
pub enum Discipline<T> {
    Fifo(Fifo<T>),
    Lifo(Lifo<T>),
    Ordered(Box<Ordered<T>>),
}

impl<T: Copy + PartialEq> Discipline<T> {
    /// An empty queue; `looks`: at whoever comes, whatever its order.
    pub fn new(queue: &Queue, rule: Option<Rule>, looks: bool) -> Self {
        let places = match queue.common().capacity {
            Capacity::Bounded(places) => places as usize,
            Capacity::Unbounded => usize::MAX,
        };
        let order = match queue {
            Queue::Fifo { .. } | Queue::SharedFifo { .. } if rule.is_none() && !looks => {
                return Discipline::Fifo(Fifo::new(places));
            }
            Queue::Lifo { .. } if rule.is_none() && !looks => return Discipline::Lifo(Lifo::new(places)),
            Queue::Fifo { .. } | Queue::SharedFifo { .. } => Order::ByArrival(AdaptiveLifo::new(usize::MAX)),
            Queue::Lifo { .. } => Order::ByArrival(AdaptiveLifo::new(0)),
            Queue::AdaptiveLifo { threshold, .. } => Order::ByArrival(AdaptiveLifo::new(*threshold as usize)),
            Queue::EarliestDeadline { .. } => Order::ByDeadline(EarliestDeadline::new()),
            Queue::Priority { .. } => Order::ByPriority(ByPriority::new()),
            Queue::Fair { .. } => Order::InTurn(Fair::new()),
        };
        Discipline::Ordered(Box::new(Ordered::new(order, rule, places)))
    }

    /// A request asks for a place, of which nothing need be known: unless the queue looks at more.
    #[inline(always)]
    pub fn offer_unseen(&mut self, request: T) -> Unseen {
        match self {
            Discipline::Fifo(queue) => queue.offer(request),
            Discipline::Lifo(queue) => queue.offer(request),
            Discipline::Ordered(_) => Unseen::LooksAtMore,
        }
    }

    /// A request asks for a place, of which so much is known.
    pub fn offer(&mut self, request: T, known: Known) -> Offer<T> {
        if let Discipline::Ordered(queue) = self {
            return queue.offer(request, known);
        }
        match self.offer_unseen(request) {
            Unseen::Waits(ticket) => Offer::Waits(ticket),
            _ => Offer::Refused,
        }
    }

    /// One leaves: it is served, or turned away. `since` says when any of them came.
    #[inline(always)]
    pub fn take(&mut self, now: SimTime, since: impl Fn(T) -> SimTime) -> Option<Turn<T>> {
        match self {
            Discipline::Fifo(queue) => queue.take().map(Turn::Served),
            Discipline::Lifo(queue) => queue.take().map(Turn::Served),
            Discipline::Ordered(queue) => queue.take(now, since),
        }
    }

    /// One leaves out of turn, if it waits in that place; the others keep their order.
    pub fn remove(&mut self, request: T, ticket: Ticket) -> bool {
        match self {
            Discipline::Fifo(queue) => queue.remove(request, ticket),
            Discipline::Lifo(queue) => queue.remove(request, ticket),
            Discipline::Ordered(queue) => queue.remove(request, ticket),
        }
    }

    /// How many wait.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Discipline::Fifo(queue) => queue.len(),
            Discipline::Lifo(queue) => queue.len(),
            Discipline::Ordered(queue) => queue.len(),
        }
    }

    /// The rule by which some are turned away, if there is one.
    pub fn rule(&mut self) -> Option<&mut Rule> {
        match self {
            Discipline::Fifo(_) | Discipline::Lifo(_) => None,
            Discipline::Ordered(queue) => queue.rule(),
        }
    }

    /// Whoever kept it is gone, and what it knew.
    pub fn forget(&mut self) {
        if let Discipline::Ordered(queue) = self {
            queue.forget();
        }
    }

    /// All leave, in no order that anybody may rely on.
    pub fn clear(&mut self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| match self {
            Discipline::Fifo(queue) => queue.take(),
            Discipline::Lifo(queue) => queue.take(),
            Discipline::Ordered(queue) => queue.take_any(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_graph::spec::Shed;
    use Offer::Refused;
    use sim_core::SimDuration;

    fn offer(queue: &mut Discipline<u32>, request: u32) -> Offer<u32> {
        let until = SimTime::from_nanos(u64::from(1_000 - request));
        queue.offer(request, Known { since: SimTime::ZERO, until, carried: Default::default() })
    }

    fn take(queue: &mut Discipline<u32>) -> Option<u32> {
        match queue.take(SimTime::ZERO, |_| SimTime::ZERO)? {
            Turn::Served(request) => Some(request),
            Turn::TurnedAway(request) => panic!("{request} is turned away"),
        }
    }

    fn waits(queue: &mut Discipline<u32>, request: u32) -> Ticket {
        match offer(queue, request) {
            Offer::Waits(ticket) => ticket,
            other => panic!("{request}: {other:?}"),
        }
    }

    /// A rule that never acts leaves the order alone.
    fn queue(kind: &str, places: u32) -> Discipline<u32> {
        let (capacity, drop_expired, shared) = (Capacity::Bounded(places), false, false);
        let shed = Shed::MaxWait(SimDuration::from_secs(1));
        let (queue, shed) = match kind {
            "fifo" => (Queue::Fifo { capacity, drop_expired }, None),
            "shared" => (Queue::SharedFifo { capacity, drop_expired }, None),
            "lifo" => (Queue::Lifo { capacity, drop_expired }, None),
            "ruled fifo" => (Queue::Fifo { capacity, drop_expired }, Some(&shed)),
            "ruled shared" => (Queue::SharedFifo { capacity, drop_expired }, Some(&shed)),
            "ruled lifo" => (Queue::Lifo { capacity, drop_expired }, Some(&shed)),
            "adaptive" => (Queue::AdaptiveLifo { threshold: 3, capacity, drop_expired, shared }, None),
            "priority" => (Queue::Priority { capacity, drop_expired, shared }, None),
            "fair" => (Queue::Fair { capacity, drop_expired, shared }, None),
            "earliest" => (Queue::EarliestDeadline { capacity, drop_expired, shared }, None),
            _ => panic!("no {kind}"),
        };
        Discipline::new(&queue, shed.map(Rule::new), false)
    }

    /// (discipline, the order in which 1, 2, 3, 4 leave, and in which they leave without 2). Each is waited for less long
    /// than the one before.
    const ORDERS: [(&str, [u32; 4], [u32; 3]); 10] = [
        ("fifo", [1, 2, 3, 4], [1, 3, 4]),
        ("shared", [1, 2, 3, 4], [1, 3, 4]),
        ("lifo", [4, 3, 2, 1], [4, 3, 1]),
        ("ruled fifo", [1, 2, 3, 4], [1, 3, 4]),
        ("ruled shared", [1, 2, 3, 4], [1, 3, 4]),
        ("ruled lifo", [4, 3, 2, 1], [4, 3, 1]),
        ("adaptive", [4, 1, 2, 3], [1, 3, 4]),
        ("earliest", [4, 3, 2, 1], [4, 3, 1]),
        // All matter equally, and are of one tenant.
        ("priority", [1, 2, 3, 4], [1, 3, 4]),
        ("fair", [1, 2, 3, 4], [1, 3, 4]),
    ];

    #[test]
    fn each_discipline_has_its_order() {
        for (kind, order, without) in ORDERS {
            let mut waiting = queue(kind, 10);
            (1..=4).for_each(|n| _ = waits(&mut waiting, n));
            assert_eq!((0..4).map_while(|_| take(&mut waiting)).collect::<Vec<_>>(), order, "{kind}");
            assert_eq!(take(&mut waiting), None);
            let tickets = [1, 2, 3, 4].map(|n| waits(&mut waiting, n));
            assert!(waiting.remove(2, tickets[1]) && !waiting.remove(2, tickets[1]), "{kind}");
            assert_eq!((0..4).map_while(|_| take(&mut waiting)).collect::<Vec<_>>(), without, "{kind}");
        }
    }

    #[test]
    fn a_full_queue_refuses_until_one_has_left() {
        for (kind, order, _) in ORDERS {
            let mut waiting = queue(kind, 2);
            [1, 2].iter().for_each(|n| _ = waits(&mut waiting, *n));
            assert_eq!(offer(&mut waiting, 3), Refused, "{kind}");
            assert_eq!(waiting.len(), 2);
            let first = take(&mut waiting);
            assert_eq!(first, order.into_iter().find(|n| *n <= 2));
            let ticket = waits(&mut waiting, 3);
            assert_eq!(offer(&mut waiting, 4), Refused, "{kind}");
            assert!(waiting.remove(3, ticket));
            waits(&mut waiting, 5);
            assert_eq!(waiting.len(), 2);
            let mut gone: Vec<u32> = waiting.clear().collect();
            gone.sort_unstable();
            assert_eq!(gone, if first == Some(1) { [2, 5] } else { [1, 5] });
            assert_eq!((waiting.len(), take(&mut waiting)), (0, None));
        }
    }

    /// Whoever leaves out of turn leaves at once, wherever it stands, and tickets are good for as long as one waits.
    #[test]
    fn all_may_leave_in_any_order() {
        for (kind, ..) in ORDERS {
            for mut number in 0..24u32 {
                let mut waiting = queue(kind, 9);
                waits(&mut waiting, 0);
                take(&mut waiting);
                let mut inside: Vec<(u32, Ticket)> = (1..=4).map(|n| (n, waits(&mut waiting, n))).collect();
                for left in (1..=4).rev() {
                    let (gone, ticket) = inside.remove((number % left) as usize);
                    number /= left;
                    assert!(!waiting.remove(99, ticket) && waiting.remove(gone, ticket), "{kind}");
                    assert_eq!(waiting.len(), inside.len(), "{kind}");
                    inside.push((10 + left, waits(&mut waiting, 10 + left)));
                    let (new, ticket) = inside.pop().unwrap();
                    assert!(waiting.remove(new, ticket), "{kind}");
                }
                assert_eq!((waiting.len(), take(&mut waiting)), (0, None), "{kind}");
            }
        }
    }

    #[test]
    fn nobody_waits_where_there_are_no_places() {
        for (kind, ..) in ORDERS {
            assert_eq!(offer(&mut queue(kind, 0), 1), Refused, "{kind}");
        }
    }
}
