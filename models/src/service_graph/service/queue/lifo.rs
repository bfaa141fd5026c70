//! Last in, first out: whoever came last is next.
//!
//! Under overload those who are served are fresh, and those at the bottom wait until it is over. The mean wait is that
//! of first in, first out; its spread is not.

use super::offer::{Ticket, Unseen};

/// Requests, the last to come on top.
#[derive(Clone)]
pub struct Lifo<T> {
    /// Who left out of turn leaves a vacancy, but never on top.
    waiting: Vec<Option<T>>,
    vacancies: usize,
    places: usize,
}

impl<T: Copy + PartialEq> Lifo<T> {
    pub fn new(places: usize) -> Self {
        Lifo { waiting: Vec::new(), vacancies: 0, places }
    }

    #[inline]
    pub fn offer(&mut self, request: T) -> Unseen {
        if self.len() >= self.places {
            return Unseen::Refused;
        }
        self.waiting.push(Some(request));
        Unseen::Waits(Ticket(self.waiting.len() as u64 - 1))
    }

    #[inline]
    pub fn take(&mut self) -> Option<T> {
        let next = self.waiting.pop()?;
        if self.vacancies > 0 {
            self.trim();
        }
        next
    }

    pub fn remove(&mut self, request: T, ticket: Ticket) -> bool {
        let here = self.waiting.get_mut(ticket.0 as usize).filter(|here| **here == Some(request));
        let Some(here) = here else { return false };
        *here = None;
        self.vacancies += 1;
        self.trim();
        true
    }

    #[cold]
    fn trim(&mut self) {
        while self.waiting.last().is_some_and(|top| top.is_none()) {
            self.waiting.pop();
            self.vacancies -= 1;
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.waiting.len() - self.vacancies
    }
}
