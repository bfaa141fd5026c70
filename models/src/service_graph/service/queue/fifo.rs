//! First in, first out: whoever has waited longest is next.
//!
//! Fair, and cruel under overload: everybody then waits as long as the queue is, and those who are served have often
//! given up.

use super::offer::Offer;
use std::collections::VecDeque;

/// Requests in the order in which they came.
pub struct Fifo<T> {
    waiting: VecDeque<T>,
    places: usize,
}

impl<T: Copy + PartialEq> Fifo<T> {
    pub fn new(places: usize) -> Self {
        Fifo { waiting: VecDeque::new(), places }
    }

    #[inline]
    pub fn offer(&mut self, request: T) -> Offer {
        if self.waiting.len() >= self.places {
            return Offer::Refused;
        }
        self.waiting.push_back(request);
        Offer::Waits
    }

    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.waiting.pop_front()
    }

    /// A scan: whoever removes often needs more than an order.
    pub fn remove(&mut self, request: T) -> bool {
        let place = self.waiting.iter().position(|waits| *waits == request);
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}
