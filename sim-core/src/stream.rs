//! Named randomness: every number belongs to a purpose, an entity and, where it matters, a request.
//!
//! A stream is named by what it decides and for whom (`"arrivals"`, `"users->checkout"`), never by
//! when it was created, so adding a service changes nobody's draws. Two kinds:
//!
//! - [`Stream`]: a sequence, ChaCha8 keyed by (seed, purpose, path). For what happens once, in order.
//! - [`Luck`]: draws *addressed* by a [`Key`], which is mixed down the call tree of one request. The
//!   third attempt of request 4711 meets the same service demand whatever policy sent it, and however
//!   many draws anybody made before. This is what lets two policies be compared on the same luck.
//!
//! Every variate has a sub-stream of its own, so a sampler may reject and draw again without shifting
//! anything else.
//!
//! # How an addressed draw is made
//! ChaCha8 gives each (purpose, path) a 128-bit key `(a, b)`. The variate at `key` reads the SplitMix64
//! sequence (Steele, Lea, Flood 2014) that starts at `mix(key ^ a) + b`. Repositioning ChaCha for each
//! request costs 74 to 160 ns; this costs about 2.

use crate::digest::{self, Digester};
use crate::stats::count;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A source of uniform 64-bit words.
pub trait Words {
    /// The next word, uniform over all of `u64`.
    fn next_u64(&mut self) -> u64;

    /// Uniform in `[0, 1)` with 53 bits.
    #[inline]
    fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in `(0, 1)`: never 0 and never 1, so its logarithm is finite.
    #[inline]
    fn open_unit(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }

    /// Uniform in `0..n` without bias (Lemire 2019). `n` must not be 0.
    #[inline]
    fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a number below 0 was asked for");
        let mut wide = u128::from(self.next_u64()) * u128::from(n);
        if (wide as u64) < n {
            let unfair = n.wrapping_neg() % n;
            while (wide as u64) < unfair {
                wide = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (wide >> 64) as u64
    }
}

/// All the randomness of one run. It notes which streams it has given out, so that none is forgotten when the
/// run accounts for what was drawn.
#[derive(Clone, Debug)]
pub struct Streams {
    seed: u64,
    given: RefCell<BTreeSet<String>>,
    spent: RefCell<Vec<(String, StreamUse)>>,
}

impl Streams {
    /// The streams of a run with this seed.
    pub fn new(seed: u64) -> Self {
        Streams { seed, given: RefCell::default(), spent: RefCell::default() }
    }

    /// The name of a stream in the account of a run.
    pub fn name(purpose: &str, path: &str) -> String {
        format!("{purpose} {path}")
    }

    /// Accounts for a stream that is used up while a model is still being built.
    pub fn spend(&self, purpose: &str, path: &str, used: StreamUse) {
        self.spent.borrow_mut().push((Self::name(purpose, path), used));
    }

    /// The `r` part of a digest: every stream that was drawn from and its use, in the order of their names. A stream
    /// without draws has no part in it, so that a model may be given one more. Panics if a stream that was given
    /// out is not accounted for: what is drawn from it would go unseen.
    pub fn digest(&self, used: impl IntoIterator<Item = (String, StreamUse)>) -> u64 {
        let mut all: Vec<(String, StreamUse)> = self.spent.borrow().clone();
        all.extend(used);
        all.sort_by(|a, b| a.0.cmp(&b.0));
        for name in self.given.borrow().iter() {
            let listed = all.binary_search_by(|(listed, _)| listed.cmp(name)).is_ok();
            assert!(listed, "the stream `{name}` was given out, and nobody accounts for it");
        }
        let mut digest = Digester::new(digest::RANDOMNESS);
        for (name, used) in all.iter().filter(|(_, used)| used.draws > 0) {
            digest.text(name);
            digest.word(used.draws);
            digest.word(used.addresses);
        }
        digest.finish()
    }

    /// ChaCha8 keyed by the seed (8 bytes), a domain tag (8 bytes) and the hash of the name (16 bytes).
    fn generator(&self, purpose: &str, path: &str) -> ChaCha8Rng {
        self.given.borrow_mut().insert(Self::name(purpose, path));
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(b"brownout");
        for (half, salt) in [(16, 1u64), (24, 2)] {
            let mut hash = Digester::new(salt);
            hash.text(purpose);
            hash.text(path);
            key[half..half + 8].copy_from_slice(&hash.finish().to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }

    /// The sequence for one purpose of one entity.
    pub fn stream(&self, purpose: &str, path: &str) -> Stream {
        Stream { generator: self.generator(purpose, path), words: 0 }
    }

    /// The addressed draws for one purpose of one entity.
    pub fn luck(&self, purpose: &str, path: &str) -> Luck {
        let mut generator = self.generator(purpose, path);
        Luck { a: generator.next_u64(), b: generator.next_u64(), used: StreamUse::default() }
    }
}

/// What a stream was used for: the `r` part of the digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamUse {
    /// Variates (addressed) or words (sequential) drawn.
    pub draws: u64,
    /// Wrapping sum of the addresses drawn at; 0 for a sequence.
    pub addresses: u64,
}

/// A sequence of words for one purpose of one entity.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
    words: u64,
}

impl Stream {
    /// How often this stream was used.
    pub fn used(&self) -> StreamUse {
        StreamUse { draws: self.words, addresses: 0 }
    }
}

impl Words for Stream {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.words += 1;
        self.generator.next_u64()
    }
}

/// The address of one request's luck, mixed down the call tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The key of the `ordinal`-th thing of an entity (its path hash: [`digest::hash_text`]).
    #[inline]
    pub fn root(entity: u64, ordinal: u64) -> Self {
        Key(entity).child(ordinal)
    }

    /// The key of a part: a call site, a repetition, an attempt.
    #[inline]
    #[must_use]
    pub fn child(self, part: u64) -> Self {
        Key(mix(self.0 ^ part.wrapping_mul(GOLDEN)).wrapping_add(part))
    }

    /// The address itself, to be witnessed.
    #[inline]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Draws for one purpose of one entity, each at an address of its own.
#[derive(Clone, Debug)]
pub struct Luck {
    a: u64,
    b: u64,
    used: StreamUse,
}

impl Luck {
    /// The words of the variate at `key`. Asking twice gives the same words.
    #[inline]
    pub fn at(&mut self, key: Key) -> Draw {
        count(&mut self.used.draws);
        self.used.addresses = self.used.addresses.wrapping_add(key.0);
        Draw { state: mix(key.0 ^ self.a).wrapping_add(self.b) }
    }

    /// How often this stream was used.
    pub fn used(&self) -> StreamUse {
        self.used
    }
}

/// The words of one variate.
#[derive(Clone, Debug)]
pub struct Draw {
    state: u64,
}

impl Words for Draw {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }
}

/// 2^64 over the golden ratio, made odd: SplitMix64's increment.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finaliser (Stafford's variant 13 of MurmurHash3's): a bijection with full avalanche.
#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_not_drawn_from_has_no_part_in_the_digest() {
        let streams = Streams::new(1);
        let mut arrivals = streams.luck("arrivals", "users");
        arrivals.at(Key::root(1, 1));
        let used = || vec![("arrivals users".to_owned(), arrivals.used())];
        let before = streams.digest(used());
        let hedge = streams.luck("hedge", "a->b");
        let mut with_another = used();
        with_another.push(("hedge a->b".to_owned(), hedge.used()));
        assert_eq!(streams.digest(with_another), before);
        streams.spend("struck", "b/0", StreamUse { draws: 2, addresses: 7 });
        let mut after = used();
        after.push(("hedge a->b".to_owned(), hedge.used()));
        assert_ne!(streams.digest(after), before, "what was spent early counts");
    }

    #[test]
    #[should_panic(expected = "the stream `hedge a->b` was given out")]
    fn a_stream_that_nobody_accounts_for_is_noticed() {
        let streams = Streams::new(1);
        streams.luck("hedge", "a->b");
        streams.digest([]);
    }
}
