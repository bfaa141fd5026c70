//! What a queue says to whoever asks for a place, and to a worker that asks who is next.

use crate::carried::Carried;
use sim_core::SimTime;

/// What is known of a request that asks for a place, by whoever looks at more than that it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// When it came.
    pub since: SimTime,
    /// Until when it is waited for, where the queue looks at that; else for ever.
    pub until: SimTime,
    /// What it carries, where the queue looks at that; else nothing.
    pub carried: Carried,
}

/// What becomes of a request that asks for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a request that was refused does not wait"]
pub enum Offer<T> {
    /// It waits, in this place.
    Waits(Ticket),
    /// There is no place for it.
    Refused,
    /// It waits, in the place of another, which is turned away.
    Instead(Ticket, T),
}

/// The same of a queue that looks at nothing but who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a request that was refused does not wait"]
pub enum Unseen {
    /// It waits, in this place.
    Waits(Ticket),
    /// There is no place for it.
    Refused,
    /// The queue looks at more: it is to be told what is known.
    LooksAtMore,
}

/// Where a request waits: whoever shows it may leave out of turn, however long the queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Who leaves the queue when a worker asks for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it waits no longer, whatever becomes of it"]
pub enum Turn<T> {
    /// It is served.
    Served(T),
    /// It is turned away, and the worker asks again.
    TurnedAway(T),
}
