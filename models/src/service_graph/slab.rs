//! Reused places for calls and attempts, addressed by index and generation.

use std::marker::PhantomData;
use std::num::NonZeroU32;

/// The address of an entry. Its generation tells a reused place from the entry that was meant.
pub struct Id<T> {
    index: u32,
    /// Odd, so an `Option` of an id is no larger than the id.
    generation: NonZeroU32,
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

/// A shorter address, of an entry that outlives whoever keeps it: it does not tell a reused place.
pub struct Link<T> {
    /// The place, counted from 1.
    place: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Link<T> {}

impl<T> PartialEq for Link<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Link<T> {
    #[inline]
    fn index(self) -> usize {
        (self.place.get() - 1) as usize
    }
}

#[derive(Clone)]
struct Place<T> {
    /// Odd while the place is in use.
    generation: u32,
    /// The next free place, while this one is free.
    next_free: u32,
    /// Of a free place, what was last in it.
    value: T,
}

/// A growing array whose free places are reused, last freed first.
#[derive(Clone)]
pub struct Slab<T> {
    places: Vec<Place<T>>,
    free: u32,
}

/// What is kept of some entries only, and not in their places: nothing where nobody asks for it.
#[derive(Clone)]
pub struct Beside<T>(Vec<T>);

impl<T> Default for Beside<T> {
    fn default() -> Self {
        Beside(Vec::new())
    }
}

impl<T: Clone + Default> Beside<T> {
    /// Keeps this of an entry, in place of what was kept of whatever had its place before.
    #[inline]
    pub fn put<E>(&mut self, id: Id<E>, value: T) {
        if self.0.len() <= id.index() {
            self.0.resize(id.index() + 1, T::default());
        }
        self.0[id.index()] = value;
    }

    /// All that is kept, some of it of entries that are gone.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Keeps this of an entry, and gives back what was kept of whatever had its place before, or of itself.
    pub fn replace<E>(&mut self, id: Id<E>, value: T) -> T {
        if self.0.len() <= id.index() {
            self.0.resize(id.index() + 1, T::default());
        }
        std::mem::replace(&mut self.0[id.index()], value)
    }

    /// What is kept of an entry, to be changed; if it is new, from the beginning.
    #[inline]
    pub fn of_mut<E>(&mut self, id: Id<E>, is_new: bool) -> &mut T {
        if is_new {
            self.put(id, T::default());
        }
        &mut self.0[id.index()]
    }

    /// Whether nothing was ever kept.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was kept of an entry, or of whatever had its place before, if anything was.
    pub fn get<E>(&self, id: Id<E>) -> Option<&T> {
        self.0.get(id.index())
    }

    /// What was kept of an entry.
    #[inline]
    pub fn of<E>(&self, id: Id<E>) -> &T {
        &self.0[id.index()]
    }
}

const NONE: u32 = u32::MAX;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: NONE }
    }
}

impl<T> Slab<T> {
    /// Stores a value, and lends it at once. Nothing that is called here is handed the value, so it is made in its place.
    #[inline(always)]
    pub fn insert(&mut self, value: T) -> (Id<T>, &mut T) {
        if self.free == NONE {
            let index = u32::try_from(self.places.len()).expect("fewer than 2^32 calls in flight");
            self.places.push(Place { generation: 1, next_free: NONE, value });
            return (Id::new(index, 1), &mut self.places[index as usize].value);
        }
        let index = self.free;
        let place = &mut self.places[index as usize];
        self.free = place.next_free;
        place.generation = place.generation.wrapping_add(1);
        place.value = value;
        (Id::new(index, place.generation), &mut place.value)
    }

    /// Frees the place, and lends what is in it until the place is used again. The id must be live.
    #[inline]
    pub fn remove(&mut self, id: Id<T>) -> &mut T {
        let place = &mut self.places[id.index as usize];
        assert!(place.generation == id.generation.get(), "a place was freed twice");
        place.generation = place.generation.wrapping_add(1);
        place.next_free = self.free;
        self.free = id.index;
        &mut place.value
    }

    /// The full address of an entry.
    #[inline]
    pub fn id(&self, link: Link<T>) -> Id<T> {
        let generation = self.places[link.index()].generation;
        assert!(generation % 2 == 1, "a link outlived its entry");
        Id::new(link.place.get() - 1, generation)
    }

    /// The same of an entry that is linked to, and says its address.
    #[inline(always)]
    pub fn remove_linked(&mut self, link: Link<T>) -> (Id<T>, &mut T) {
        let id = self.id(link);
        (id, self.remove(id))
    }

    /// The entry, unless its place was freed since.
    #[inline]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        let place = &self.places[id.index as usize];
        (place.generation == id.generation.get()).then_some(&place.value)
    }

    /// An entry that was looked up since it could last have been freed: whether it is still the same need not be asked again.
    #[inline(always)]
    pub fn again(&mut self, id: Id<T>) -> &mut T {
        let place = &mut self.places[id.index as usize];
        debug_assert!(place.generation == id.generation.get(), "an id outlived its entry");
        &mut place.value
    }

    /// How many are live: looks at all places.
    pub fn len(&self) -> u64 {
        self.iter().count() as u64
    }

    /// The most that were ever live at once.
    #[inline]
    pub fn most(&self) -> u64 {
        self.places.len() as u64
    }

    /// Every live entry, by place.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        let live = self.places.iter().enumerate().filter(|(_, place)| place.generation % 2 == 1);
        live.map(|(index, place)| (Id::new(index as u32, place.generation), &place.value))
    }
}

impl<T> Id<T> {
    /// For tests that look nobody up.
    #[cfg(test)]
    pub fn of_nobody() -> Self {
        Id::new(0, 1)
    }

    /// And for those who tell some apart.
    #[cfg(test)]
    pub fn of_place(place: u32) -> Self {
        Id::new(place, 1)
    }

    /// Its place: of two that are live at once never the same.
    #[inline]
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// Its address for whoever is gone before it is.
    #[inline]
    pub fn link(self) -> Link<T> {
        let place = self.index.checked_add(1).and_then(NonZeroU32::new);
        Link { place: place.expect("fewer than 2^32 calls in flight"), of: PhantomData }
    }

    #[inline]
    fn new(index: u32, generation: u32) -> Self {
        Id { index, generation: NonZeroU32::new(generation).expect("odd"), of: PhantomData }
    }
}

impl<T> std::ops::Index<Id<T>> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: Id<T>) -> &T {
        let place = &self.places[id.index as usize];
        assert!(place.generation == id.generation.get(), "an id outlived its entry");
        &place.value
    }
}

impl<T> std::ops::IndexMut<Id<T>> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        let place = &mut self.places[id.index as usize];
        assert!(place.generation == id.generation.get(), "an id outlived its entry");
        &mut place.value
    }
}

impl<T> std::ops::Index<Link<T>> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, link: Link<T>) -> &T {
        let place = &self.places[link.index()];
        assert!(place.generation % 2 == 1, "a link outlived its entry");
        &place.value
    }
}

impl<T> std::ops::IndexMut<Link<T>> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, link: Link<T>) -> &mut T {
        let place = &mut self.places[link.index()];
        assert!(place.generation % 2 == 1, "a link outlived its entry");
        &mut place.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_reused_and_old_ids_refused() {
        let mut slab = Slab::default();
        let a = slab.insert("a").0;
        let b = slab.insert("b").0;
        assert_eq!(*slab.remove(a), "a");
        let c = slab.insert("c").0;
        assert_eq!((slab[b], slab[c], slab.len()), ("b", "c", 2));
        assert_eq!(slab.most(), 2);
        assert!(a != c && slab.get(a).is_none() && slab.get(c) == Some(&"c"));
        assert_eq!(
            slab.iter().map(|(id, value)| (id == b, *value)).collect::<Vec<_>>(),
            [(false, "c"), (true, "b")]
        );
        slab.remove(b);
        assert_eq!(slab.iter().map(|(_, value)| *value).collect::<Vec<_>>(), ["c"]);
        assert_eq!((slab[c.link()], slab.id(c.link()) == c), ("c", true));
        assert!(size_of::<Option<Link<u64>>>() == 4);
        slab.remove(c);
        assert_eq!((slab.len(), slab.most()), (0, 2));
        let (id, link) = (a, c.link());
        let slab = std::sync::Arc::new(slab);
        let same = slab.clone();
        assert!(std::panic::catch_unwind(move || slab[id]).is_err());
        assert!(std::panic::catch_unwind(move || same[link]).is_err());
    }
}
