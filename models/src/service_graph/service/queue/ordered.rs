//! A queue that looks at more than who came first or last: it has an order of its own, or a [rule](Rule) by which some are turned
//! away, or both.
//!
//! A rule that gives everybody so long to wait is held against whoever has waited longest, whoever's turn it is: a worker that
//! asks for the next is given those first, to be turned away. In an order of its own nobody knows who came first, and it is held
//! against whoever's turn it is.

use super::adaptive_lifo::AdaptiveLifo;
use super::by_priority::ByPriority;
use super::earliest_deadline::EarliestDeadline;
use super::fair::Fair;
use super::offer::{Known, Offer, Ticket, Turn};
use crate::service_graph::service::Rule;
use sim_core::SimTime;

/// Requests, in some order.
#[derive(Clone)]
pub struct Ordered<T> {
    order: Order<T>,
    rule: Option<Rule>,
    /// What the rule is of a queue that has seen nobody.
    unused: Option<Rule>,
    places: usize,
}

/// Who is next.
#[derive(Clone)]
pub enum Order<T> {
    ByArrival(AdaptiveLifo<T>),
    ByDeadline(EarliestDeadline<T>),
    ByPriority(ByPriority<T>),
    InTurn(Fair<T>),
}

impl<T: Copy + PartialEq> Ordered<T> {
    /// An empty queue.
    pub fn new(order: Order<T>, rule: Option<Rule>, places: usize) -> Self {
        Ordered { order, unused: rule.clone(), rule, places }
    }

    /// Whoever kept it is gone, and what it knew.
    pub fn forget(&mut self) {
        self.rule = self.unused.clone();
    }

    /// The rule, if there is one.
    pub fn rule(&mut self) -> Option<&mut Rule> {
        self.rule.as_mut()
    }

    /// A request asks for a place.
    pub fn offer(&mut self, request: T, known: Known) -> Offer<T> {
        let waiting = self.order.len();
        if waiting >= self.places {
            return match self.order.displace(known) {
                Some(gone) => Offer::Instead(self.order.push(request, known), gone),
                None => Offer::Refused,
            };
        }
        if waiting == 0
            && let Some(rule) = &mut self.rule
        {
            rule.begins(known.since);
        }
        Offer::Waits(self.order.push(request, known))
    }

    /// One leaves: it is served, or turned away.
    pub fn take(&mut self, now: SimTime, since: impl Fn(T) -> SimTime) -> Option<Turn<T>> {
        let Some(rule) = &mut self.rule else { return self.order.take().map(Turn::Served) };
        if let Some(longest) = self.order.longest() {
            let came = since(longest);
            if rule.patience(came).is_some_and(|patience| now.since(came) > patience) {
                return self.order.take_longest().map(Turn::TurnedAway);
            }
        }
        let Some(next) = self.order.take() else {
            rule.emptied();
            return None;
        };
        let drops = rule.drops(now.since(since(next)), self.order.len(), now);
        Some(if drops { Turn::TurnedAway(next) } else { Turn::Served(next) })
    }

    /// One leaves, no matter who.
    pub fn take_any(&mut self) -> Option<T> {
        self.order.take()
    }

    /// One leaves out of turn, if it waits in that place; the others keep their order.
    pub fn remove(&mut self, request: T, ticket: Ticket) -> bool {
        match &mut self.order {
            Order::ByArrival(queue) => queue.remove(request, ticket),
            Order::ByDeadline(queue) => queue.remove(request, ticket),
            Order::ByPriority(queue) => queue.remove(request, ticket),
            Order::InTurn(queue) => queue.remove(request, ticket),
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.order.len()
    }
}

impl<T: Copy + PartialEq> Order<T> {
    fn push(&mut self, request: T, known: Known) -> Ticket {
        match self {
            Order::ByArrival(queue) => queue.push(request),
            Order::ByDeadline(queue) => queue.push(request, known),
            Order::ByPriority(queue) => queue.push(request, known),
            Order::InTurn(queue) => queue.push(request, known),
        }
    }

    fn take(&mut self) -> Option<T> {
        match self {
            Order::ByArrival(queue) => queue.take(),
            Order::ByDeadline(queue) => queue.take(),
            Order::ByPriority(queue) => queue.take(),
            Order::InTurn(queue) => queue.take(),
        }
    }

    /// Whoever gives up its place in a full queue for one of whom that is known, if somebody does.
    fn displace(&mut self, known: Known) -> Option<T> {
        match self {
            Order::ByArrival(_) | Order::ByDeadline(_) => None,
            Order::ByPriority(queue) => queue.displace(known),
            Order::InTurn(queue) => queue.displace(known),
        }
    }

    /// Who has waited longest, or if that is not known who is next.
    fn longest(&self) -> Option<T> {
        match self {
            Order::ByArrival(queue) => queue.oldest(),
            Order::ByDeadline(queue) => queue.next(),
            Order::ByPriority(queue) => queue.next(),
            Order::InTurn(queue) => queue.next(),
        }
    }

    fn take_longest(&mut self) -> Option<T> {
        match self {
            Order::ByArrival(queue) => queue.take_oldest(),
            Order::ByDeadline(queue) => queue.take(),
            Order::ByPriority(queue) => queue.take(),
            Order::InTurn(queue) => queue.take(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Order::ByArrival(queue) => queue.len(),
            Order::ByDeadline(queue) => queue.len(),
            Order::ByPriority(queue) => queue.len(),
            Order::InTurn(queue) => queue.len(),
        }
    }
}
