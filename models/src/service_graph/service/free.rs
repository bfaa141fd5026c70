//! A set of numbers that knows its least: which of many replicas is free.
//!
//! A bit for each number, and above every 64 words a word that tells which of them are not empty: the least number of
//! ten thousand is found in three steps, where a scan takes as many as there are busy replicas before it.

/// Numbers below a bound.
#[derive(Clone, Debug)]
pub struct NumberSet {
    /// The bits themselves, then level by level which words below are not empty; the last is one word.
    levels: Vec<Vec<u64>>,
}

impl NumberSet {
    /// No number; it will take those below `bound`.
    pub fn new(bound: u32) -> Self {
        let mut levels = Vec::new();
        let mut words = bound.div_ceil(64).max(1) as usize;
        levels.push(vec![0; words]);
        while words > 1 {
            words = words.div_ceil(64);
            levels.push(vec![0; words]);
        }
        NumberSet { levels }
    }

    /// Whether `number` is in it, from now on.
    pub fn set(&mut self, number: u32, is_in: bool) {
        let mut place = number as usize;
        let mut is_in = is_in;
        for level in &mut self.levels {
            let word = &mut level[place / 64];
            let before = *word != 0;
            if is_in {
                *word |= 1 << (place % 64);
            } else {
                *word &= !(1 << (place % 64));
            }
            let after = *word != 0;
            if before == after {
                return;
            }
            (place, is_in) = (place / 64, after);
        }
    }

    /// The least.
    pub fn first(&self) -> Option<u32> {
        let mut place = 0;
        for level in self.levels.iter().rev() {
            let word = level[place];
            if word == 0 {
                return None;
            }
            place = place * 64 + word.trailing_zeros() as usize;
        }
        Some(place as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Streams, Words};

    #[test]
    fn the_least_is_what_a_scan_would_find() {
        for bound in [1, 2, 63, 64, 65, 4_096, 4_097, 10_000] {
            let mut words = Streams::new(1).stream("test", &bound.to_string());
            let mut set = NumberSet::new(bound);
            let mut naive = vec![false; bound as usize];
            assert_eq!(set.first(), None);
            for step in 0..4_000u32 {
                // First it fills, then it empties.
                let is_in = words.below(10) < if step < 2_000 { 8 } else { 1 };
                let number = words.below(u64::from(bound)) as u32;
                set.set(number, is_in);
                naive[number as usize] = is_in;
                assert_eq!(set.first(), naive.iter().position(|&is_in| is_in).map(|n| n as u32));
            }
            (0..bound).for_each(|number| set.set(number, false));
            assert_eq!(set.first(), None);
            set.set(bound - 1, true);
            assert_eq!(set.first(), Some(bound - 1));
        }
    }
}
