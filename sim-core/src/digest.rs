//! The digest: a witness of what a run was given, what happened in it, and what came out.
//!
//! Four parts, so that a difference names the guilty layer: `i` input, `t` trajectory, `r` randomness,
//! `s` results. The same `t` with another `s` is a reporting bug; another `r` first is an extra draw;
//! another `i` is another experiment.
//!
//! The hash is a folded 128-bit multiplication (the primitive of wyhash): about 1.6 ns for an event of
//! 40 bytes. It is a witness against accidents, not a signature against forgers.
//!
//! Never hashed: sequence numbers, slots, creation ids, addresses in memory, wall time, and timers that
//! were cancelled. So the queue may be rewritten under an unchanged `t`.

use crate::stats::count;
use std::fmt;

/// Domain of the input digest.
pub const INPUT: u64 = 0x69;
/// Domain of the trajectory digest.
pub const TRAJECTORY: u64 = 0x74;
/// Domain of the randomness digest.
pub const RANDOMNESS: u64 = 0x72;
/// Domain of the results digest.
pub const RESULTS: u64 = 0x73;

const K0: u64 = 0xa076_1d64_78bd_642f;
const K1: u64 = 0xe703_7ed1_a0b4_28db;
const K2: u64 = 0x8ebc_6af0_9c88_c6e3;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// A running hash of words and texts.
#[derive(Clone, Copy, Debug)]
pub struct Digester {
    state: u64,
    words: u64,
}

impl Digester {
    /// A new hash in its own domain.
    pub const fn new(domain: u64) -> Self {
        Digester { state: domain ^ K0, words: 0 }
    }

    /// Adds one word.
    #[inline]
    pub fn word(&mut self, word: u64) {
        self.pair(word, 0);
    }

    /// Adds two words.
    #[inline]
    pub fn pair(&mut self, a: u64, b: u64) {
        self.state = fold(self.state ^ a ^ K1, b ^ K2).wrapping_add(self.state.rotate_left(23)) ^ a;
        self.words = self.words.wrapping_add(1);
    }

    /// Adds a text and its length, so that ("ab", "c") differs from ("a", "bc").
    pub fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut bytes = [0u8; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(bytes));
        }
    }

    /// The hash of everything added so far.
    pub fn finish(&self) -> u64 {
        let once = fold(self.state ^ K0, self.words ^ K1);
        fold(once ^ K2, self.state ^ K1) ^ once
    }
}

/// The stable hash of an entity's path, such as `"checkout->payments"`.
pub fn hash_text(text: &str) -> u64 {
    let mut digest = Digester::new(0);
    digest.text(text);
    digest.finish()
}

/// At most this many checkpoints are kept.
const CHECKPOINTS: usize = 4096;

/// The running `t` digest of a run, with checkpoints that let two runs be compared piece by piece.
#[derive(Clone, Debug)]
pub struct Trajectory {
    state: u64,
    events: u64,
    /// A checkpoint is kept every `every` events; doubles whenever they grow too many.
    every: u64,
    next_checkpoint: u64,
    checkpoints: Vec<u64>,
}

impl Default for Trajectory {
    fn default() -> Self {
        Trajectory {
            state: TRAJECTORY ^ K0,
            events: 0,
            every: 64,
            next_checkpoint: 64,
            checkpoints: Vec::with_capacity(CHECKPOINTS),
        }
    }
}

impl Trajectory {
    /// One more event was dispatched.
    #[inline]
    pub(crate) fn count_event(&mut self) {
        count(&mut self.events);
    }

    /// How many events there will be when [`checkpoint`](Self::checkpoint) wants to be called.
    pub(crate) fn next_checkpoint(&self) -> u64 {
        self.next_checkpoint
    }

    /// Leaves a checkpoint if a full stretch of events is over.
    #[cold]
    pub(crate) fn checkpoint(&mut self) {
        if self.events < self.next_checkpoint {
            return;
        }
        if self.checkpoints.len() == CHECKPOINTS {
            // Keep those at even multiples: the 2nd, 4th, ...
            let mut index = 0;
            self.checkpoints.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.every *= 2;
        }
        if self.events.is_multiple_of(self.every) {
            self.checkpoints.push(self.finish());
        }
        self.next_checkpoint = (self.events / self.every + 1) * self.every;
    }

    #[inline]
    pub(crate) fn witness(&mut self, time: u64, what: u64, entity: u64, request: u64, detail: u64) {
        // Two multiplications that do not wait for each other.
        let when = fold(self.state ^ time, request ^ K1);
        let which = fold(entity ^ what ^ K2, detail ^ K0);
        self.state = (self.state.rotate_left(23) ^ when).wrapping_add(which);
    }

    /// Events dispatched so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The digest so far.
    pub fn finish(&self) -> u64 {
        let mut digest = Digester::new(TRAJECTORY);
        digest.pair(self.state, self.events);
        digest.finish()
    }

    /// The digests after `every`, `2 * every`, .. events.
    pub fn checkpoints(&self) -> (u64, &[u64]) {
        (self.every, &self.checkpoints)
    }
}

/// The first stretch of events, `from..to`, after which two runs differ; `None` if all that both kept
/// is equal. Each side is (every, checkpoints) as [`Trajectory::checkpoints`] gives them.
pub fn first_difference(a: (u64, &[u64]), b: (u64, &[u64])) -> Option<(u64, u64)> {
    // One side may have thinned more often than the other: compare at the coarser step.
    let every = a.0.max(b.0);
    let at = |side: (u64, &[u64]), n: u64| {
        let index = n * every / side.0;
        side.1.get(usize::try_from(index).ok()?.checked_sub(1)?).copied()
    };
    let mut n = 1;
    while let (Some(x), Some(y)) = (at(a, n), at(b, n)) {
        if x != y {
            return Some(((n - 1) * every, n * every));
        }
        n += 1;
    }
    None
}

/// Eight bytes of digest, printed as sixteen hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
