//! Which of many: a number, drawn by shares.

use sim_core::Words;
use sim_core::sampler::Zipf;

/// How the numbers from 0 on are shared out.
#[derive(Clone, Debug)]
pub enum Ranks {
    /// So many, all alike.
    Even(u32),
    /// The first is wanted most.
    Zipf(Zipf),
    /// Each has its part of the last sum: these are the sums so far.
    Weighted(Vec<f64>),
    /// A share falls to the first few, all alike, and the rest to the rest.
    Hot {
        /// How many.
        all: u32,
        /// How many of them.
        hot: u32,
        /// And how likely it is one of these.
        share: f64,
    },
}

impl Ranks {
    /// By these weights, of which one at least is more than 0.
    pub fn weighted(weights: impl IntoIterator<Item = f64>) -> Ranks {
        let sums = weights.into_iter().scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Ranks::Weighted(sums.collect())
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        match self {
            Ranks::Even(count) => *count,
            Ranks::Zipf(law) => law.ranks() as u32,
            Ranks::Weighted(sums) => sums.len() as u32,
            Ranks::Hot { all, .. } => *all,
        }
    }

    /// One of them.
    pub fn draw<W: Words>(&self, words: &mut W) -> u32 {
        match self {
            Ranks::Even(count) => words.below(u64::from(*count)) as u32,
            Ranks::Zipf(law) => (law.sample(words) - 1) as u32,
            Ranks::Weighted(sums) => {
                let all = sums.last().copied().unwrap_or(0.0);
                let drawn = words.unit() * all;
                sums.partition_point(|sum| *sum <= drawn).min(sums.len() - 1) as u32
            }
            Ranks::Hot { all, hot, share } => match words.unit() < *share || hot == all {
                true => words.below(u64::from(*hot)) as u32,
                false => hot + words.below(u64::from(all - hot)) as u32,
            },
        }
    }

    /// How likely one is.
    pub fn share(&self, number: u32) -> f64 {
        match self {
            Ranks::Even(count) => 1.0 / f64::from(*count),
            Ranks::Zipf(law) => law.share(u64::from(number) + 1),
            Ranks::Weighted(sums) => {
                let at = |number: usize| sums.get(number).copied().unwrap_or(0.0);
                let before = (number as usize).checked_sub(1).map_or(0.0, at);
                (at(number as usize) - before) / sums.last().copied().unwrap_or(1.0)
            }
            Ranks::Hot { all, hot, share } if hot == all => share.max(1.0) / f64::from(*all),
            Ranks::Hot { hot, share, .. } if number < *hot => share / f64::from(*hot),
            Ranks::Hot { all, hot, share } => (1.0 - share) / f64::from(all - hot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Key, Streams};

    #[test]
    fn numbers_are_drawn_by_their_shares() {
        let hot = |all, hot, share| Ranks::Hot { all, hot, share };
        for ranks in [
            Ranks::Even(1),
            Ranks::Even(7),
            Ranks::Zipf(Zipf::new(12, 1.0)),
            Ranks::weighted([3.0, 0.0, 1.0, 0.0]),
            hot(10, 1, 0.5),
            hot(10, 3, 0.9),
            hot(4, 4, 0.5),
            hot(5, 1, 0.0),
            hot(5, 2, 1.0),
        ] {
            let mut luck = Streams::new(3).luck("which", "test");
            let draws = 40_000;
            let mut counted = vec![0u32; ranks.count() as usize];
            for ordinal in 0..draws {
                counted[ranks.draw(&mut luck.at(Key::root(1, ordinal))) as usize] += 1;
            }
            let mut sum = 0.0;
            for (number, counted) in (0..).zip(counted) {
                let share = ranks.share(number);
                let (mean, spread) = (share * draws as f64, (share * (1.0 - share) * draws as f64).sqrt());
                assert!((f64::from(counted) - mean).abs() <= 5.0 * spread, "{ranks:?} {number}: {counted}");
                sum += share;
            }
            assert!((sum - 1.0).abs() < 1e-12, "{ranks:?}: {sum}");
        }
    }
}
