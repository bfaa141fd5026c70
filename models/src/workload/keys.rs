//! What a request is about: a key, of which some are wanted more than others.
//!
//! The number of a key is its rank: the first is wanted most. The same number is the same key in all workloads. Whoever shares out work
//! by keys (a consistent hash), or keeps answers for them, may look at it; each call draws its own.

use super::ranks::Ranks;
use crate::experiment::{Decoder, Node};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use sim_core::math;
use sim_core::sampler::Zipf;

/// Keys are numbers of 32 bits, and some room is left.
const MOST: u32 = 1_000_000_000;

spec! {
    /// What the requests are about.
    pub enum Keys where check {
        /// So many, all as likely.
        Uniform(count: u32; 1..=MOST),
        /// So many; the k-th is wanted in proportion to `1 / k^exponent`.
        Zipf {
            /// How many.
            count: u32; 1..=MOST,
            /// How unlike they are; 0 is not at all.
            exponent: f64 = 1.0; 0.0..=10.0,
        },
        /// So many, of which a few are wanted more than the others.
        Hot {
            /// How many in all.
            count: u32; 1..=MOST,
            /// How many of them are hot.
            hot: u32 = 1; 1..=MOST,
            /// The share of the requests that is about the hot ones, one as likely as the other.
            share: f64; 0.0..=1.0,
        },
    }
}

fn check(keys: &Keys, at: &Node, cx: &mut Decoder) {
    if let Keys::Hot { count, hot, .. } = keys
        && hot > count
    {
        let span = at.get("hot").unwrap_or(at).span;
        cx.error(span, format!("{hot} of {count} keys are hot"))
            .help("`hot` is how many of the `count` keys are");
    }
}

impl Keys {
    /// How many there are.
    pub fn count(&self) -> u32 {
        match self {
            Keys::Uniform(count) | Keys::Zipf { count, .. } | Keys::Hot { count, .. } => *count,
        }
    }

    /// How likely each is.
    pub fn shares(&self) -> Vec<f64> {
        match self {
            Keys::Zipf { count, exponent } => {
                let weights = (1..=*count).map(|rank| math::exp(-exponent * math::ln(f64::from(rank))));
                let weights: Vec<f64> = weights.collect();
                // The small ones first, so that none is lost.
                let all: f64 = weights.iter().rev().sum();
                weights.into_iter().map(|weight| weight / all).collect()
            }
            Keys::Uniform(_) | Keys::Hot { .. } => {
                let ranks = self.ranks();
                (0..self.count()).map(|key| ranks.share(key)).collect()
            }
        }
    }

    /// How they are drawn.
    pub fn ranks(&self) -> Ranks {
        match self {
            Keys::Uniform(count) => Ranks::Even(*count),
            Keys::Zipf { count, exponent } => Ranks::Zipf(Zipf::new(u64::from(*count), *exponent)),
            Keys::Hot { count, hot, share } => Ranks::Hot { all: *count, hot: *hot, share: *share },
        }
    }
}

impl Part for Keys {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Keys::Uniform(count) => format!("{count} keys"),
            Keys::Zipf { count, exponent } => format!("{count} keys, Zipf {exponent}"),
            Keys::Hot { count, hot, .. } => format!("{count} keys, {hot} hot"),
        })
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "keys",
            word: "",
            what: "Says which key each request is about: of so many, alike, by Zipf's law, or a few of them hot. It goes down with all that \
                   is done for the request, so that balancers and caches may look at it.",
            hurts: "Whoever shares out work by keys gives all requests for the hottest to one replica: nobody helps it.",
            formula: "of `n` keys by Zipf's law with exponent `s` the first is wanted by a share `1 / (1 + 2^-s + .. + n^-s)`",
            source: "Zipf 1949; Breslau et al., \"Web Caching and Zipf-like Distributions\", 1999 (exponents of 0.64 to 0.83); Cooper et al., \
                     YCSB, 2010 (0.99)",
            experiment: "noisy-neighbour",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Uniform(100)", "Zipf(count: 10000, exponent: 0.99)", "Hot(count: 50, hot: 2, share: 0.5)"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn more_hot_keys_than_there_are() {
        assert!(read::<Keys>("Hot(count: 3, hot: 3, share: 0.5)").is_ok());
        let why = read::<Keys>("Hot(count: 3, hot: 4, share: 0.5)").map(|_| ()).expect_err("too many");
        assert!(why.contains("4 of 3 keys are hot"), "{why}");
    }

    #[test]
    fn the_first_is_wanted_most() {
        for (text, first) in [
            ("Uniform(8)", 0.125),
            // 1 / H(4) = 12 / 25.
            ("Zipf(count: 4)", 0.48),
            ("Hot(count: 100, share: 0.3)", 0.3),
        ] {
            let keys = read::<Keys>(text).unwrap_or_else(|said| panic!("{said}")).0;
            assert!((keys.ranks().share(0) - first).abs() < 1e-12, "{text}");
            let shares = keys.shares();
            assert_eq!(shares.len(), keys.count() as usize, "{text}");
            assert!(
                (0..).zip(&shares).all(|(key, share)| (share - keys.ranks().share(key)).abs() < 1e-12),
                "{text}"
            );
        }
    }
}
