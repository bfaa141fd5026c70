//! The faults that are upon one target now, and what they make of it together.
//!
//! Each replica and each link keeps its own set, so that a change costs what is active there, however many faults
//! the file has. The whole is derived from the set at each change, in the order in which the file lists the faults,
//! and never patched: what overlaps needs no undoing, and no rounding error is left behind.

use super::{CrashStyle, Effect};
use crate::distribution::TimeDistribution;
use crate::theory::either;

/// Active effects, in the order of their faults.
#[derive(Clone, Debug, Default)]
pub struct ActiveSet {
    effects: Vec<Active>,
}

#[derive(Clone, Debug)]
struct Active {
    /// The number of its fault.
    fault: u32,
    effect: Effect,
    /// How much of it is there, from 0 to 1.
    strength: f64,
}

/// What faults make of a replica. Without any: [`OnReplica::WELL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnReplica {
    /// Work takes this many times longer.
    pub slow: f64,
    /// Share of finished work that is answered with an error.
    pub errors: f64,
    /// Requests vanish.
    pub black_hole: bool,
    /// Crashes that keep it down.
    pub crashes: u32,
    /// One of them is such that callers notice nothing.
    pub silent: bool,
    /// It is told to go.
    pub drained: bool,
}

/// What faults make of a link. Without any: [`OnLink::WELL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnLink {
    /// Share of messages that are lost.
    pub drop: f64,
    /// Messages take longer, by [`ActiveSet::delays`].
    pub delayed: bool,
    /// Messages are kept back.
    pub holding: bool,
}

impl OnReplica {
    /// Nothing is wrong.
    pub const WELL: OnReplica =
        OnReplica { slow: 1.0, errors: 0.0, black_hole: false, crashes: 0, silent: false, drained: false };

    /// The share of its work that ends in an error, where so much does anyway.
    pub fn fails(&self, anyway: f64) -> f64 {
        1.0 - (1.0 - anyway) * (1.0 - self.errors)
    }
}

impl OnLink {
    /// Nothing is wrong.
    pub const WELL: OnLink = OnLink { drop: 0.0, delayed: false, holding: false };
}

impl ActiveSet {
    /// The fault of this number begins here, with so much of its strength. It must not be here yet.
    pub fn begin(&mut self, fault: u32, effect: Effect, strength: f64) {
        let place = self.place(fault).expect_err("a fault began twice");
        self.effects.insert(place, Active { fault, effect, strength });
    }

    /// It has another strength. It must be here.
    pub fn change(&mut self, fault: u32, strength: f64) {
        let place = self.place(fault).expect("a fault changed that had not begun");
        self.effects[place].strength = strength;
    }

    /// It ends. It must be here.
    pub fn end(&mut self, fault: u32) {
        let place = self.place(fault).expect("a fault ended that had not begun");
        self.effects.remove(place);
    }

    fn place(&self, fault: u32) -> Result<usize, usize> {
        self.effects.binary_search_by_key(&fault, |active| active.fault)
    }

    /// What they make of a replica; effects on the network make nothing of it.
    pub fn on_replica(&self) -> OnReplica {
        let mut state = OnReplica::WELL;
        for Active { effect, strength, .. } in &self.effects {
            match *effect {
                Effect::Slow { factor } => state.slow *= part_of(factor, *strength),
                Effect::Errors { probability } => {
                    state.errors = either(state.errors, probability * strength);
                }
                Effect::BlackHole => state.black_hole = true,
                Effect::Crash { callers } => {
                    state.crashes += 1;
                    state.silent |= callers == CrashStyle::Silence;
                }
                Effect::Drain { .. } => state.drained = true,
                Effect::Drop { .. } | Effect::Delay { .. } | Effect::Hold => {}
            }
        }
        state
    }

    /// What they make of a link; effects on replicas make nothing of it.
    pub fn on_link(&self) -> OnLink {
        let mut state = OnLink::WELL;
        for Active { effect, strength, .. } in &self.effects {
            match *effect {
                Effect::Drop { probability } => state.drop = either(state.drop, probability * strength),
                Effect::Delay { .. } => state.delayed = true,
                Effect::Hold => state.holding = true,
                Effect::Slow { .. }
                | Effect::Errors { .. }
                | Effect::BlackHole
                | Effect::Drain { .. }
                | Effect::Crash { .. } => {}
            }
        }
        state
    }

    /// What makes messages take longer: the number of the fault, the time, and how much of it.
    pub fn delays(&self) -> impl Iterator<Item = (u32, &TimeDistribution, f64)> {
        self.effects.iter().filter_map(|active| match &active.effect {
            Effect::Delay { add } => Some((active.fault, add, active.strength)),
            _ => None,
        })
    }
}

/// A factor of which only a part is there; all of it to the last bit.
fn part_of(factor: f64, strength: f64) -> f64 {
    if strength == 1.0 { factor } else { 1.0 + (factor - 1.0) * strength }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(effects: &[Effect]) -> ActiveSet {
        let mut set = ActiveSet::default();
        let numbered = (0..).zip(effects);
        numbered.for_each(|(number, effect)| set.begin(number, effect.clone(), 1.0));
        set
    }

    #[test]
    fn effects_on_a_replica_add_up() {
        use CrashStyle::{Reset, Silence};
        let slow = |factor| Effect::Slow { factor };
        let errors = |probability| Effect::Errors { probability };
        let crash = |callers| Effect::Crash { callers };
        let well = OnReplica::WELL;
        let table = [
            (vec![], well),
            (vec![slow(3.0)], OnReplica { slow: 3.0, ..well }),
            // Slowness multiplies; it is not the larger of the two.
            (vec![slow(3.0), slow(2.0)], OnReplica { slow: 6.0, ..well }),
            (vec![slow(0.5), slow(4.0)], OnReplica { slow: 2.0, ..well }),
            (vec![errors(0.25)], OnReplica { errors: 0.25, ..well }),
            (vec![errors(0.5), errors(0.5)], OnReplica { errors: 0.75, ..well }),
            (vec![errors(1.0), errors(0.5)], OnReplica { errors: 1.0, ..well }),
            (vec![Effect::BlackHole, slow(2.0)], OnReplica { black_hole: true, slow: 2.0, ..well }),
            (vec![crash(Reset)], OnReplica { crashes: 1, ..well }),
            // Who falls silent is not heard because another breaks off too.
            (vec![crash(Reset), crash(Silence)], OnReplica { crashes: 2, silent: true, ..well }),
            (vec![crash(Silence), crash(Reset)], OnReplica { crashes: 2, silent: true, ..well }),
            (vec![Effect::Hold, Effect::Drop { probability: 0.5 }], well),
        ];
        for (effects, expected) in table {
            assert_eq!(set(&effects).on_replica(), expected, "{effects:?}");
        }
    }

    #[test]
    fn effects_on_a_link_add_up() {
        let drop = |probability| Effect::Drop { probability };
        let well = OnLink::WELL;
        let table = [
            (vec![], well),
            (vec![drop(0.25)], OnLink { drop: 0.25, ..well }),
            // Either loses it: the union, not the larger and not the sum.
            (vec![drop(0.5), drop(0.5)], OnLink { drop: 0.75, ..well }),
            (vec![drop(0.25), Effect::Hold], OnLink { drop: 0.25, holding: true, ..well }),
            (vec![crate::fault::delay("5ms")], OnLink { delayed: true, ..well }),
            (vec![Effect::Slow { factor: 9.0 }, Effect::BlackHole], well),
        ];
        for (effects, expected) in table {
            assert_eq!(set(&effects).on_link(), expected, "{effects:?}");
        }
    }

    #[test]
    fn what_ends_leaves_no_trace_whatever_the_order() {
        // (fault, factor) begin one after another; then some end.
        let factors = [(3, 7.0), (0, 0.1), (9, 3.0), (4, 0.1)];
        for gone in 0u32..16 {
            let mut set = ActiveSet::default();
            factors.iter().for_each(|&(fault, factor)| set.begin(fault, Effect::Slow { factor }, 1.0));
            let mut left = Vec::new();
            for (bit, &(fault, factor)) in factors.iter().enumerate() {
                if gone >> bit & 1 == 1 { set.end(fault) } else { left.push((fault, factor)) }
            }
            left.sort_by_key(|(fault, _)| *fault);
            // To the last bit: multiplied in the order of the file, whatever began first.
            let expected = left.iter().fold(1.0, |product, (_, factor)| product * factor);
            assert_eq!(set.on_replica().slow, expected, "{left:?}");
        }
    }

    #[test]
    fn of_a_part_there_is_a_part() {
        let (slow, errors) = (Effect::Slow { factor: 5.0 }, Effect::Errors { probability: 0.5 });
        let drop = Effect::Drop { probability: 0.75 };
        // (strength, times slower, errors, lost)
        let table = [(0.0, 1.0, 0.0, 0.0), (0.25, 2.0, 0.125, 0.1875), (1.0, 5.0, 0.5, 0.75)];
        let mut set = set(&[slow, errors, drop, crate::fault::delay("8ms")]);
        for (strength, slower, errors, lost) in table {
            (0..4).for_each(|fault| set.change(fault, strength));
            let (replica, link) = (set.on_replica(), set.on_link());
            assert_eq!((replica.slow, replica.errors, link.drop), (slower, errors, lost), "{strength}");
            let delays: Vec<_> = set.delays().map(|(fault, _, part)| (fault, part)).collect();
            assert_eq!(delays, [(3, strength)]);
        }
        // Whoever is twice as fast is faster by degrees, too.
        let mut faster = self::set(&[Effect::Slow { factor: 0.5 }]);
        faster.change(0, 0.5);
        assert_eq!(faster.on_replica().slow, 0.75);
    }

    #[test]
    #[should_panic(expected = "had not begun")]
    fn only_what_began_ends() {
        set(&[Effect::BlackHole]).end(1);
    }

    #[test]
    #[should_panic(expected = "began twice")]
    fn a_fault_is_there_once() {
        let mut set = set(&[Effect::BlackHole]);
        set.begin(0, Effect::BlackHole, 1.0);
    }
}
