//! A limit for each criticality on what a replica has in hand: what matters little is turned away while there is still room for what
//! matters more.
//!
//! A request is let in if the replica has fewer in hand, waiting or in progress, than its criticality may find. So the last places are kept
//! for what matters most, which is what telephone networks call trunk reservation and queueing theory a cutoff priority. It is the rule of the SRE
//! book's chapter 21 (a criticality is turned away only if all below it are) with in-hand requests as the signal; Envoy's overload
//! manager and its `CircuitBreakers` have such thresholds, two of them (`DEFAULT`, `HIGH`).
//!
//! With independent arrivals and exponential work the number in hand is a birth-death chain: it goes up from `n` at the rate of the classes that
//! may find `n`, and down at `min(n, c) mu`. Arrivals see time averages, so a class is turned away for the share of time in which
//! as many are in hand as it may not find.

use crate::carried::Criticality;

/// From how many in hand on each criticality is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoffs([u32; Criticality::ALL.len()]);

impl Cutoffs {
    /// What is left out is as what matters next more; what matters most is then never turned away.
    pub fn new(given: [Option<u32>; Criticality::ALL.len()]) -> Self {
        let mut last = u32::MAX;
        Cutoffs(given.map(|one| {
            last = one.unwrap_or(last);
            last
        }))
    }

    /// Whether one that matters so much is let in by a replica that has so many in hand.
    pub fn admits(&self, priority: Criticality, in_hand: u32) -> bool {
        in_hand < self.of(priority)
    }

    /// From how many in hand on one that matters so much is turned away; the most there is for never.
    pub fn of(&self, priority: Criticality) -> u32 {
        self.0[priority.rank()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Criticality::{Critical, CriticalPlus, Sheddable, SheddablePlus};

    #[test]
    fn what_matters_little_finds_the_door_shut_first() {
        for (given, in_hand, admitted) in [
            ([None, Some(8), Some(5), Some(2)], 1, vec![CriticalPlus, Critical, SheddablePlus, Sheddable]),
            ([None, Some(8), Some(5), Some(2)], 2, vec![CriticalPlus, Critical, SheddablePlus]),
            ([None, Some(8), Some(5), Some(2)], 5, vec![CriticalPlus, Critical]),
            ([None, Some(8), Some(5), Some(2)], 8, vec![CriticalPlus]),
            // What is left out is as what matters next more.
            ([None, Some(8), None, Some(2)], 7, vec![CriticalPlus, Critical, SheddablePlus]),
            ([None, Some(8), None, Some(2)], 8, vec![CriticalPlus]),
            ([Some(3), None, None, None], 3, vec![]),
            ([None, None, None, Some(2)], u32::MAX - 1, vec![CriticalPlus, Critical, SheddablePlus]),
        ] {
            let cutoffs = Cutoffs::new(given);
            let all = Criticality::ALL.into_iter().filter(|one| cutoffs.admits(*one, in_hand));
            assert_eq!(all.collect::<Vec<_>>(), admitted, "{given:?} at {in_hand}");
        }
    }
}
