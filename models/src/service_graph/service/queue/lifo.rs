//! Last in, first out: whoever came last is next.
//!
//! Under overload those who are served are fresh, and those at the bottom wait until it is over. The mean wait is that
//! of first in, first out; its spread is not.

use super::offer::Offer;

/// Requests, the last to come on top.
pub struct Lifo<T> {
    waiting: Vec<T>,
    places: usize,
}

impl<T: Copy + PartialEq> Lifo<T> {
    pub fn new(places: usize) -> Self {
        Lifo { waiting: Vec::new(), places }
    }

    #[inline]
    pub fn offer(&mut self, request: T) -> Offer {
        if self.waiting.len() >= self.places {
            return Offer::Refused;
        }
        self.waiting.push(request);
        Offer::Waits
    }

    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.waiting.pop()
    }

    /// A scan: whoever removes often needs more than an order.
    pub fn remove(&mut self, request: T) -> bool {
        let place = self.waiting.iter().rposition(|waits| *waits == request);
        place.is_some_and(|place| {
            self.waiting.remove(place);
            true
        })
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}
