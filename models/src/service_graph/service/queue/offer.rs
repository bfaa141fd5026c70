//! What a queue says to whoever asks for a place.

/// What becomes of a request that asks for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a request that was refused does not wait"]
pub enum Offer {
    /// It waits, in this place.
    Waits(Ticket),
    /// There is no place for it.
    Refused,
}

/// Where a request waits: whoever shows it may leave out of turn, however long the queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);
