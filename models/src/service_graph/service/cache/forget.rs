//! What is kept may be thrown away before its time.

use super::Caches;

impl Caches {
    /// How many there are.
    pub fn stores(&self) -> usize {
        self.stores.len()
    }

    /// Nothing is kept of a key any more in one of them. Says whether anything was.
    pub fn forget(&mut self, store: usize, key: u32) -> bool {
        self.stores[store].remove(key)
    }
}
