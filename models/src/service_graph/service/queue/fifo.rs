//! First in, first out: whoever has waited longest is next.
//!
//! Fair, and cruel under overload: everybody then waits as long as the queue is, and those who are served have often
//! given up.

use super::offer::{Ticket, Unseen};
use std::collections::VecDeque;

/// Requests in the order in which they came.
#[derive(Clone)]
pub struct Fifo<T> {
    /// Who left out of turn leaves a vacancy, but never at the front.
    waiting: VecDeque<Option<T>>,
    vacancies: usize,
    /// The ticket of the front: they are counted up.
    front: u64,
    places: usize,
}

impl<T: Copy + PartialEq> Fifo<T> {
    pub fn new(places: usize) -> Self {
        Fifo { waiting: VecDeque::new(), vacancies: 0, front: 0, places }
    }

    #[inline(always)]
    pub fn offer(&mut self, request: T) -> Unseen {
        if self.len() >= self.places {
            return Unseen::Refused;
        }
        let place = self.waiting.len();
        self.waiting.push_back(Some(request));
        Unseen::Waits(Ticket(self.front.wrapping_add(place as u64)))
    }

    #[inline(always)]
    pub fn take(&mut self) -> Option<T> {
        let next = self.waiting.pop_front()?;
        self.front = self.front.wrapping_add(1);
        if self.vacancies > 0 {
            self.trim();
        }
        next
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

    #[cold]
    fn trim(&mut self) {
        while self.waiting.front().is_some_and(|front| front.is_none()) {
            self.waiting.pop_front();
            self.front = self.front.wrapping_add(1);
            self.vacancies -= 1;
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.waiting.len().wrapping_sub(self.vacancies)
    }
}
