//! What a queue says to whoever asks for a place.

/// What becomes of a request that asks for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a request that was refused does not wait"]
pub enum Offer {
    Waits,
    /// There is no place for it.
    Refused,
}
