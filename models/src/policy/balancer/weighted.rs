//! Each in turn, some more often than others.
//!
//! A replica of weight `w` has its turn every `1 / w`, in a time of the balancer's own: whoever is due first is chosen, and is due again
//! a step later (Envoy's `EdfScheduler`). So turns are spread, not `w` times in a row, as in NGINX's smooth weighted round robin; of
//! `W = sum of weights` picks each has its `w`, give or take one. Each begins at a random moment of its step, or many clients would march
//! in step.

use super::view::View;
use crate::experiment::Rule;
use crate::policy::page::Page;
use sim_core::Words;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What weights may be: somebody of weight 0 would have no turn, and is none of those to choose among.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights;

const MOST: u32 = 1_000;

impl Rule<Vec<u32>> for Weights {
    fn check(&self, weights: &Vec<u32>) -> Result<(), String> {
        if weights.is_empty() {
            return Err("must have the weight of one replica at least".into());
        }
        match weights.iter().find(|weight| !(1..=MOST).contains(*weight)) {
            Some(weight) => Err(format!("which has the weight {weight}: allowed 1 to {MOST}")),
            None => Ok(()),
        }
    }

    fn allowed(&self) -> String {
        format!("at least one, each 1 to {MOST}")
    }
}

/// The step of a replica of weight 1.
const STEP: u64 = 1 << 40;

/// Whose turn is when.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    /// Of each replica, from one turn to the next.
    steps: Box<[u64]>,
    /// When each that may be chosen is due, and which: in a time of which no run sees the end.
    due: BinaryHeap<Reverse<(u128, u32)>>,
    /// Of the view that stands in it.
    version: u32,
}

impl Weighted {
    /// Of so many replicas: those for which there is no weight have 1. Draws when each is due first.
    pub(super) fn new(weights: &[u32], replicas: u32, words: &mut impl Words) -> Self {
        let weight = |replica: u32| weights.get(replica as usize).copied().unwrap_or(1);
        let steps: Box<[u64]> = (0..replicas).map(|replica| STEP / u64::from(weight(replica))).collect();
        let due = (0..)
            .zip(&steps)
            .map(|(replica, &step)| Reverse((u128::from(words.below(step)), replica)))
            .collect();
        Weighted { steps, due, version: 0 }
    }

    /// Those who come back have their turn when they would, from now on.
    #[cold]
    fn look_at(&mut self, view: &View) {
        self.version = view.version;
        let present = self.due.peek().map_or(0, |Reverse((due, _))| *due);
        let before = std::mem::take(&mut self.due);
        let mut known: Vec<Option<u128>> = vec![None; self.steps.len()];
        before.into_iter().for_each(|Reverse((due, replica))| known[replica as usize] = Some(due));
        let due = |replica: u32| {
            known[replica as usize].unwrap_or(present + u128::from(self.steps[replica as usize]))
        };
        self.due = view.members().map(|replica| Reverse((due(replica), replica))).collect();
    }

    /// Of those that have no turns among themselves, one by its weight.
    fn by_weight(&self, view: &View, words: &mut impl Words) -> u32 {
        let weight = |replica: u32| STEP / self.steps[replica as usize];
        let mut left = words.below(view.members().map(weight).sum());
        let chosen = view.members().find(|replica| match left.checked_sub(weight(*replica)) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        });
        chosen.expect("it is below the sum")
    }

    #[inline(never)]
    pub(super) fn pick(&mut self, view: &View, words: &mut impl Words) -> u32 {
        if view.is_passing() {
            return self.by_weight(view, words);
        }
        if self.version != view.version {
            self.look_at(view);
        }
        let mut first = self.due.peek_mut().expect("somebody may be chosen");
        let Reverse((due, replica)) = *first;
        *first = Reverse((due + u128::from(self.steps[replica as usize]), replica));
        replica
    }
}

pub(super) const PAGE: Page = Page {
    name: "weighted",
    word: "Weighted",
    what: "Each replica in turn, those of a larger weight more often, spread out. `weights` are those of replicas 0, 1, ..; those beyond \
           the list have 1.",
    hurts: "Weights are what somebody believed when they were written: a replica that is slower than its weight says builds a \
            queue as long as there is one.",
    formula: "of `W` picks, the sum of the weights, a replica of weight `w` has `w`, give or take one",
    source: "NGINX smooth weighted round robin (upstream `weight`); Envoy `EdfScheduler`, `load_balancing_weight`",
    experiment: "slow-replica",
};

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::Streams;

    /// The time of turns has no end: a client that sends long enough goes past 2^64 of it.
    #[test]
    fn turns_have_no_end() {
        let mut words = Streams::new(3).stream("test", "weights");
        let mut state = Weighted::new(&[1], 2, &mut words);
        state.due = (0..2).map(|replica| Reverse((u128::from(u64::MAX), replica))).collect();
        let view = View::all(2);
        assert_eq!([0; 4].map(|_| state.pick(&view, &mut words)), [0, 1, 0, 1]);
    }

    /// In any stretch of `W` picks each has its weight, give or take one; and nobody of weight 1 is passed over for longer.
    #[test]
    fn each_has_its_share_of_any_stretch() {
        for weights in [&[5, 1, 1][..], &[1, 1, 1], &[3, 2], &[7], &[1000, 1, 500]] {
            let mut words = Streams::new(3).stream("test", "weights");
            let replicas = weights.len().max(3) as u32;
            let view = View::all(replicas);
            let mut state = Weighted::new(weights, replicas, &mut words);
            let weight = |replica: u32| weights.get(replica as usize).copied().unwrap_or(1);
            let sum: u32 = (0..replicas).map(weight).sum();
            let picks: Vec<u32> = (0..4 * sum).map(|_| state.pick(&view, &mut words)).collect();
            for stretch in picks.windows(sum as usize) {
                for replica in 0..replicas {
                    let count = stretch.iter().filter(|pick| **pick == replica).count() as u32;
                    assert!(count.abs_diff(weight(replica)) <= 1, "{weights:?}: {replica} has {count}");
                }
            }
        }
    }

    /// NGINX's example of 5, 1, 1: no more than three times in a row, a a b a c a a and what follows it.
    #[test]
    fn turns_are_spread() {
        for seed in 0..50 {
            let mut words = Streams::new(seed).stream("test", "spread");
            let mut state = Weighted::new(&[5, 1, 1], 3, &mut words);
            let view = View::all(3);
            let picks: Vec<u32> = (0..700).map(|_| state.pick(&view, &mut words)).collect();
            let row = |length: usize| picks.windows(length).any(|row| row.iter().all(|pick| *pick == 0));
            assert!(!row(6) && picks.iter().filter(|pick| **pick == 0).count().abs_diff(500) <= 1, "{seed}");
        }
    }

    /// Who comes back neither has all the turns that it missed nor waits for the others to have had as many.
    #[test]
    fn who_comes_back_has_its_share_from_then_on() {
        let mut words = Streams::new(1).stream("test", "back");
        let mut state = Weighted::new(&[2, 1, 1], 3, &mut words);
        let mut view = View::all(3);
        (0..40).for_each(|_| _ = state.pick(&view, &mut words));
        view.change([1, 2]);
        assert!((0..1_000).all(|_| state.pick(&view, &mut words) != 0));
        view.change(0..3);
        let picks: Vec<u32> = (0..40).map(|_| state.pick(&view, &mut words)).collect();
        assert!(picks.iter().filter(|pick| **pick == 0).count().abs_diff(20) <= 1, "{picks:?}");
    }

    /// Among a few that are others each time there are no turns: 5, 2 and 1 of eight, and 5 of six without the second.
    #[test]
    fn of_a_few_each_has_its_share_on_average() {
        let mut words = Streams::new(4).stream("test", "few");
        let mut state = Weighted::new(&[5, 2, 1], 4, &mut words);
        let mut view = View::passing();
        for (few, shares) in [(vec![2, 0, 1], vec![1, 5, 2]), (vec![0, 3], vec![5, 1])] {
            let mut picks = [0u32; 4];
            for _ in 0..24_000 {
                view.pass(few.iter().copied());
                picks[state.pick(&view, &mut words) as usize] += 1;
            }
            let sum: u32 = shares.iter().sum();
            for (replica, share) in few.iter().zip(&shares) {
                // The most that a binomial of 24,000 varies by is 77.
                assert!(picks[*replica as usize].abs_diff(24_000 * share / sum) < 310, "{few:?}: {picks:?}");
            }
        }
    }
}
