//! What came back of the work behind a request, until it is known whether a user gets anything of it.
//!
//! Work that was answered, and well, is kept as a list of (service, how much) with the request for which it was done. A good answer of
//! that hands its list on to the next, up to the user, who has got it: then nobody asks any more, and the list goes in one step. When
//! a request fails, or is given up, its list was in vain, service by service.
//!
//! A list is kept by its last entry, which knows the first: two are made one, and one is emptied, in constant time. A request that has
//! got nothing back yet keeps four bytes.

use super::slab::Slab;
use super::state::Attempt;
use sim_core::SimDuration;
use std::num::NonZeroU32;

/// A list: its last entry, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basket(NonZeroU32);

/// What a good answer takes along: what came back of the work behind it, and its own work at this service.
#[derive(Clone, Copy)]
pub struct Fruit {
    pub below: Option<Basket>,
    pub own: SimDuration,
    pub service: u32,
}

/// Work at one service, in nanoseconds.
#[derive(Clone, Copy)]
struct Entry {
    work: u64,
    service: u32,
    /// The next, counted from 0; of the last the first, of a free one the next that is free.
    next: u32,
}

/// The lists of all requests.
#[derive(Clone)]
pub struct Fruits {
    entries: Vec<Entry>,
    free: u32,
}

const NONE: u32 = u32::MAX;

impl Default for Fruits {
    fn default() -> Self {
        Fruits { entries: Vec::new(), free: NONE }
    }
}

impl Basket {
    fn of(place: u32) -> Self {
        Basket(NonZeroU32::MIN.saturating_add(place))
    }

    #[inline(always)]
    fn last(self) -> u32 {
        self.0.get() - 1
    }
}

impl Fruits {
    /// A good answer hands on what it brings.
    #[inline(always)]
    pub fn gather(&mut self, into: Option<Basket>, fruit: Fruit) -> Option<Basket> {
        let Fruit { below, own, service } = fruit;
        let into = if below.is_some() { self.together(into, below) } else { into };
        if own.is_zero() { into } else { Some(self.add(into, service, own.as_nanos())) }
    }

    #[inline]
    fn add(&mut self, into: Option<Basket>, service: u32, work: u64) -> Basket {
        if let Some(basket) = into
            && let last = &mut self.entries[basket.last() as usize]
            && last.service == service
            && let Some(both) = last.work.checked_add(work)
        {
            last.work = both;
            return basket;
        }
        let place = self.free;
        if place == NONE {
            return self.grow(into, service, work);
        }
        self.free = self.entries[place as usize].next;
        self.put(place, into, service, work)
    }

    #[cold]
    fn grow(&mut self, into: Option<Basket>, service: u32, work: u64) -> Basket {
        let place = u32::try_from(self.entries.len()).expect("fewer than 2^32 calls in flight");
        self.entries.push(Entry { work, service, next: NONE });
        self.put(place, into, service, work)
    }

    #[inline(always)]
    fn put(&mut self, place: u32, into: Option<Basket>, service: u32, work: u64) -> Basket {
        let first = match into {
            Some(basket) => std::mem::replace(&mut self.entries[basket.last() as usize].next, place),
            None => place,
        };
        self.entries[place as usize] = Entry { work, service, next: first };
        Basket::of(place)
    }

    fn together(&mut self, a: Option<Basket>, b: Option<Basket>) -> Option<Basket> {
        if let (Some(a), Some(b)) = (a, b) {
            let (first_of_a, first_of_b) =
                (self.entries[a.last() as usize].next, self.entries[b.last() as usize].next);
            (self.entries[a.last() as usize].next, self.entries[b.last() as usize].next) =
                (first_of_b, first_of_a);
        }
        b.or(a)
    }

    /// Nobody asks what is in it any more.
    #[inline(always)]
    pub fn empty(&mut self, basket: Option<Basket>) {
        if let Some(basket) = basket {
            let last = &mut self.entries[basket.last() as usize];
            self.free = std::mem::replace(&mut last.next, self.free);
        }
    }

    /// What is in it: service and nanoseconds, a service perhaps more than once.
    pub fn of(&self, basket: Basket) -> impl Iterator<Item = (u32, u64)> {
        let first = self.entries[basket.last() as usize].next;
        let next = move |place: &u32| (*place != basket.last()).then(|| self.entries[*place as usize].next);
        std::iter::successors(Some(first), next).map(|place| {
            let entry = &self.entries[place as usize];
            (entry.service, entry.work)
        })
    }

    /// No entry is lost, or in two lists.
    pub fn check(&self, attempts: &Slab<Attempt>) {
        let free = |place: &u32| Some(self.entries[*place as usize].next).filter(|next| *next != NONE);
        let free = std::iter::successors(Some(self.free).filter(|free| *free != NONE), free).count();
        let kept = attempts.iter().filter_map(|(_, attempt)| attempt.below);
        let kept: usize = kept.map(|basket| self.of(basket).count()).sum();
        assert_eq!(kept + free, self.entries.len(), "every entry is free or in one list");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_joined_and_emptied_and_nothing_is_lost() {
        let mut fruits = Fruits::default();
        let one = |service: u32, own: u64| Fruit { below: None, own: SimDuration::from_nanos(own), service };
        let told = |fruits: &Fruits, basket: Option<Basket>| {
            let mut all: Vec<_> = fruits.of(basket.expect("something")).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(fruits.gather(None, one(1, 0)), None);
        // One service after the other is one entry.
        let mut db = fruits.gather(None, one(7, 10));
        db = fruits.gather(db, one(7, 5));
        assert_eq!(told(&fruits, db), [(7, 15)]);
        let mut shop = fruits.gather(None, one(3, 2));
        shop = fruits.gather(shop, one(4, 1));
        shop = fruits.gather(shop, Fruit { below: db, ..one(2, 8) });
        assert_eq!(told(&fruits, shop), [(2, 8), (3, 2), (4, 1), (7, 15)]);
        assert_eq!(fruits.entries.len(), 4);
        let other = fruits.gather(None, one(9, 9));
        fruits.empty(shop);
        // Their places are used again, those of others are not.
        let again = (0..4).fold(None, |basket, service| fruits.gather(basket, one(service, 1)));
        assert_eq!((fruits.entries.len(), told(&fruits, again).len()), (5, 4));
        assert_eq!(told(&fruits, other), [(9, 9)]);
        fruits.empty(None);
        assert_eq!(fruits.free, NONE);
        // What is more than an entry holds goes into two.
        let much = fruits.gather(None, one(1, u64::MAX));
        let more = fruits.gather(much, one(1, 2));
        assert_eq!(told(&fruits, more), [(1, 2), (1, u64::MAX)]);
    }
}
