//! Reused places for calls and attempts, addressed by index and generation.

use std::marker::PhantomData;

/// The address of an entry. Its generation tells a reused place from the entry that was meant.
pub struct Id<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.generation == other.generation
    }
}

impl<T> Eq for Id<T> {}

impl<T> std::fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}v{}", self.index, self.generation)
    }
}

struct Place<T> {
    generation: u32,
    /// The next free place, while this one is free.
    next_free: u32,
    value: Option<T>,
}

/// A growing array whose free places are reused, last freed first.
pub struct Slab<T> {
    places: Vec<Place<T>>,
    free: u32,
    live: u64,
}

const NONE: u32 = u32::MAX;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: NONE, live: 0 }
    }
}

impl<T> Slab<T> {
    #[inline]
    pub fn insert(&mut self, value: T) -> Id<T> {
        self.live += 1;
        if self.free == NONE {
            let index = u32::try_from(self.places.len()).expect("fewer than 2^32 calls in flight");
            self.places.push(Place { generation: 0, next_free: NONE, value: Some(value) });
            return Id { index, generation: 0, of: PhantomData };
        }
        let index = self.free;
        let place = &mut self.places[index as usize];
        self.free = place.next_free;
        place.value = Some(value);
        Id { index, generation: place.generation, of: PhantomData }
    }

    /// Frees the place. The id must be live.
    #[inline]
    pub fn remove(&mut self, id: Id<T>) -> T {
        let place = &mut self.places[id.index as usize];
        assert_eq!(place.generation, id.generation, "a place was freed twice");
        let value = place.value.take().expect("a place was freed twice");
        place.generation = place.generation.wrapping_add(1);
        place.next_free = self.free;
        self.free = id.index;
        self.live -= 1;
        value
    }

    /// How many are live.
    pub fn len(&self) -> u64 {
        self.live
    }

    /// Every live entry, by place.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.places.iter().enumerate().filter_map(|(index, place)| {
            let id = Id { index: index as u32, generation: place.generation, of: PhantomData };
            place.value.as_ref().map(|value| (id, value))
        })
    }
}

impl<T> std::ops::Index<Id<T>> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: Id<T>) -> &T {
        let place = &self.places[id.index as usize];
        assert_eq!(place.generation, id.generation, "an id outlived its entry");
        place.value.as_ref().expect("an id outlived its entry")
    }
}

impl<T> std::ops::IndexMut<Id<T>> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        let place = &mut self.places[id.index as usize];
        assert_eq!(place.generation, id.generation, "an id outlived its entry");
        place.value.as_mut().expect("an id outlived its entry")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_reused_and_old_ids_refused() {
        let mut slab = Slab::default();
        let a = slab.insert("a");
        let b = slab.insert("b");
        assert_eq!(slab.remove(a), "a");
        let c = slab.insert("c");
        assert_eq!((slab[b], slab[c], slab.len()), ("b", "c", 2));
        assert!(a != c);
        assert!(std::panic::catch_unwind(move || slab[a]).is_err());
    }
}
