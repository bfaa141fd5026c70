//! Long files are written as long as there is time: a row at a time, each time asking whether that is over.

use std::cell::Cell;

/// How long somebody waits for a text. Whoever writes one asks before each row, and ends it where time is up.
pub struct Patience<'a> {
    ends: &'a dyn Fn() -> bool,
    over: Cell<bool>,
}

impl<'a> Patience<'a> {
    /// Until this is so.
    pub fn until(ends: &'a dyn Fn() -> bool) -> Self {
        Patience { ends, over: Cell::new(false) }
    }

    /// However long it takes.
    #[cfg(test)]
    pub fn endless() -> Self {
        Patience::until(&|| false)
    }

    /// Whether it is over. Once it is, it stays so.
    pub fn ends(&self) -> bool {
        self.over.set(self.over.get() || (self.ends)());
        self.over.get()
    }

    /// Whether anybody was told that it is over: then something is missing.
    pub fn ended(&self) -> bool {
        self.over.get()
    }
}
