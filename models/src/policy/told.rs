//! What is said of one way to end, wherever it is said: one row of one table per way.
//!
//! An attempt ends in an [`Outcome`](super::Outcome), a call in an [`Ending`](super::Ending). Whoever counts them,
//! names them, draws them or explains them goes over all there are and asks for their rows, so that a new way to
//! end is a variant and a row, and nothing else.

use std::fmt::Debug;

/// The row of one way to end.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Its key in reports, tables and metrics: `timed_out`.
    pub key: &'static str,
    /// Its name: `timed out`.
    pub name: &'static str,
    /// What a count of it counts.
    pub about: &'static str,
    /// What it is like, for a picture.
    pub tone: Tone,
    /// Why calls that ended so did not end well: `were cut off by a crash`; absent if it is no failure.
    pub because: Option<&'static str>,
    /// One and several of them as nouns, if there are words for it: `a timeout`, `timeouts`.
    pub nouns: Option<(&'static str, &'static str)>,
    /// What refused, where nothing was sent: `an open breaker`.
    pub by: Option<&'static str>,
    /// Whether reports of format 1 have counted it from the first. One that is newer is left out of a report in
    /// which there are none, so that it moves no result of a run that does not know it.
    pub from_the_first: bool,
}

impl Told {
    /// A row of which nothing is told yet but these; what it is like and why is for the row to say.
    pub(super) const fn new(key: &'static str, name: &'static str, about: &'static str, tone: Tone) -> Self {
        Told { key, name, about, tone, because: None, nouns: None, by: None, from_the_first: true }
    }

    /// It is a failure: `because` is said of calls that ended so.
    pub(super) const fn because(self, because: &'static str) -> Self {
        Told { because: Some(because), ..self }
    }

    /// As nouns.
    pub(super) const fn nouns(self, one: &'static str, many: &'static str) -> Self {
        Told { nouns: Some((one, many)), ..self }
    }

    /// Refused by this: nothing was sent.
    pub(super) const fn refused_by(self, by: &'static str, because: &'static str) -> Self {
        Told { by: Some(by), nouns: Some((by, by)), ..self.because(because) }
    }
}

/// What a way to end is like. Pictures have a colour for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Out of time.
    Late,
    /// Turned away by the callee.
    Rejected,
    /// Answered with an error.
    Error,
    /// Turned away by the caller's own policies.
    Unsent,
    /// Anything else that is no good.
    Other,
    /// Not over.
    Open,
}

/// What is counted one by one: an enum whose counts are kept in an array and written under keys.
pub trait Counted: Copy + Debug + 'static {
    /// A count for each: `[u64; N]`.
    type Counts: Clone + Debug + Default + PartialEq + Eq + AsRef<[u64]> + AsMut<[u64]>;
    /// The name of such counts in a schema, and what they are.
    const SCHEMA: (&'static str, &'static str);

    /// One of each that is counted apart, in the order in which counts are written.
    fn counted() -> impl Iterator<Item = Self>;
    /// Its place among the counts.
    fn place(self) -> usize;
    /// The key under which its count is written, what that counts, and whether it always was.
    fn written(self) -> (&'static str, &'static str, bool);
}
