//! The faults that are upon one target now, and what they make of it together.
//!
//! Each replica and each link keeps its own set, so that a change costs what is active there, however many faults
//! the file has. The whole is derived from the set at each change, in the order in which the file lists the faults,
//! and never patched: what overlaps needs no undoing, and no rounding error is left behind.

use super::{Asked, CrashStyle, Effect, Picked, Reach, Way, Whose};
use crate::byte_size::ByteRate;
use crate::distribution::TimeDistribution;
use crate::theory::either;
use std::sync::Arc;

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
    /// Of a link: which messages it strikes.
    reach: Reach,
    /// Of a replica: which requests it strikes, if not all.
    requests: Option<Arc<Picked>>,
}

/// How many of a replica's requests something is upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upon {
    /// None of them.
    Nobody,
    /// Some: who they are must be asked.
    Some,
    /// All of them.
    All,
}

/// What faults make of a replica, or of one of its requests. Without any: [`OnReplica::WELL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnReplica {
    /// Work takes this many times longer.
    pub slow: f64,
    /// Share of finished work that is answered with an error.
    pub errors: f64,
    /// Requests vanish.
    pub black_hole: Upon,
    /// Some of its requests fare worse than this says: each must be asked for by itself.
    pub tells_apart: bool,
    /// Crashes that keep it down.
    pub crashes: u32,
    /// One of them is such that callers notice nothing.
    pub silent: bool,
    /// It is told to go.
    pub drained: bool,
}

/// What faults make of a link for messages of one kind. Without any: [`OnLink::WELL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnLink {
    /// Share of messages that are lost.
    pub drop: f64,
    /// Messages take longer, or some of them, by [`ActiveSet::delays`].
    pub delayed: bool,
    /// Messages are kept back.
    pub holding: bool,
    /// Share of messages that come twice.
    pub twice: f64,
    /// So much is carried, one message after another.
    pub limit: Option<ByteRate>,
}

/// What makes messages take longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Longer<'a> {
    /// The number of the fault.
    pub fault: u32,
    /// The share of messages that do, if not all.
    pub share: Option<f64>,
    /// How much longer.
    pub time: &'a TimeDistribution,
    /// How much of that.
    pub strength: f64,
}

impl OnReplica {
    /// Nothing is wrong.
    pub const WELL: OnReplica = OnReplica {
        slow: 1.0,
        errors: 0.0,
        black_hole: Upon::Nobody,
        tells_apart: false,
        crashes: 0,
        silent: false,
        drained: false,
    };

    /// The share of its work that ends in an error, where so much does anyway.
    pub fn fails(&self, anyway: f64) -> f64 {
        1.0 - (1.0 - anyway) * (1.0 - self.errors)
    }
}

impl OnLink {
    /// Nothing is wrong.
    pub const WELL: OnLink = OnLink { drop: 0.0, delayed: false, holding: false, twice: 0.0, limit: None };
}

impl ActiveSet {
    /// The fault of this number begins here, with so much of its strength. It must not be here yet.
    pub fn begin(&mut self, fault: u32, effect: Effect, strength: f64) {
        self.begin_for(fault, effect, strength, None);
    }

    /// The same of a replica, where it may strike some requests only.
    pub fn begin_for(&mut self, fault: u32, effect: Effect, strength: f64, requests: Option<Arc<Picked>>) {
        self.insert(Active { fault, effect, strength, reach: Reach::default(), requests });
    }

    /// The same of a link, where it may strike some messages only.
    pub fn begin_with(&mut self, fault: u32, effect: Effect, strength: f64, reach: Reach) {
        self.insert(Active { fault, effect, strength, reach, requests: None });
    }

    fn insert(&mut self, active: Active) {
        let place = self.place(active.fault).expect_err("a fault began twice");
        self.effects.insert(place, active);
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

    /// What they make of a replica, and of each of its requests; effects on the network make nothing of it.
    pub fn on_replica(&self) -> OnReplica {
        let mut state = self.made_of(|active| active.requests.is_none());
        let mut some = self.effects.iter().filter(|active| active.requests.is_some()).peekable();
        state.tells_apart = some.peek().is_some();
        if state.black_hole == Upon::Nobody && some.any(|active| active.effect == Effect::BlackHole) {
            state.black_hole = Upon::Some;
        }
        state
    }

    /// And of this request.
    #[cold]
    pub fn on_request(&self, asked: &Asked) -> OnReplica {
        self.made_of(|active| active.requests.as_ref().is_none_or(|some| some.has(asked)))
    }

    /// And of one that everything strikes.
    pub fn at_worst(&self) -> OnReplica {
        self.made_of(|_| true)
    }

    fn made_of(&self, strikes: impl Fn(&Active) -> bool) -> OnReplica {
        let mut state = OnReplica::WELL;
        for Active { effect, strength, .. } in self.effects.iter().filter(|active| strikes(active)) {
            match *effect {
                Effect::Slow { factor } => state.slow *= part_of(factor, *strength),
                Effect::Errors { probability } => {
                    state.errors = either(state.errors, probability * strength);
                }
                Effect::BlackHole => state.black_hole = Upon::All,
                Effect::Crash { callers } => {
                    state.crashes += 1;
                    state.silent |= callers == CrashStyle::Silence;
                }
                Effect::Drain { .. } => state.drained = true,
                Effect::Drop { .. }
                | Effect::Delay { .. }
                | Effect::Hold
                | Effect::Duplicate { .. }
                | Effect::Reorder { .. }
                | Effect::Bandwidth { .. } => {}
            }
        }
        state
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// Whether any keeps messages back.
    pub fn holds(&self) -> bool {
        self.effects.iter().any(|active| matches!(active.effect, Effect::Hold))
    }

    /// Whether some strike some clients only.
    pub fn tells_clients_apart(&self) -> bool {
        self.effects.iter().any(|active| active.reach.tells_apart())
    }

    /// What they make of a link for messages of this client that go this way; effects on replicas make nothing of it.
    pub fn on_link(&self, way: Way, whose: impl Into<Whose>) -> OnLink {
        let mut state = OnLink::WELL;
        for Active { effect, strength, .. } in self.reaching(way, whose.into()) {
            match *effect {
                Effect::Drop { probability } => state.drop = either(state.drop, probability * strength),
                Effect::Delay { .. } | Effect::Reorder { .. } => state.delayed = true,
                Effect::Hold => state.holding = true,
                Effect::Duplicate { probability } => {
                    state.twice = either(state.twice, probability * strength);
                }
                // The narrowest place of a way is what it carries.
                Effect::Bandwidth { limit } => {
                    state.limit = Some(state.limit.map_or(limit, |least| least.min(limit)));
                }
                Effect::Slow { .. }
                | Effect::Errors { .. }
                | Effect::BlackHole
                | Effect::Drain { .. }
                | Effect::Crash { .. } => {}
            }
        }
        state
    }

    /// What makes messages of this client that go this way take longer.
    pub fn delays<'a>(&'a self, way: Way, whose: impl Into<Whose>) -> impl Iterator<Item = Longer<'a>> {
        self.reaching(way, whose.into()).filter_map(|active| {
            let Active { fault, strength, .. } = *active;
            match &active.effect {
                Effect::Delay { add } => Some(Longer { fault, share: None, time: add, strength }),
                Effect::Reorder { probability, by } => {
                    Some(Longer { fault, share: Some(probability * strength), time: by, strength: 1.0 })
                }
                _ => None,
            }
        })
    }

    fn reaching(&self, way: Way, whose: Whose) -> impl Iterator<Item = &Active> {
        self.effects.iter().filter(move |active| active.reach.strikes(way, whose))
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
            (vec![Effect::BlackHole, slow(2.0)], OnReplica { black_hole: Upon::All, slow: 2.0, ..well }),
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
        let twice = |probability| Effect::Duplicate { probability };
        let limit = |bytes| Effect::Bandwidth { limit: ByteRate(bytes) };
        let well = OnLink::WELL;
        let table = [
            (vec![], well),
            (vec![drop(0.25)], OnLink { drop: 0.25, ..well }),
            // Either loses it: the union, not the larger and not the sum.
            (vec![drop(0.5), drop(0.5)], OnLink { drop: 0.75, ..well }),
            (vec![drop(0.25), Effect::Hold], OnLink { drop: 0.25, holding: true, ..well }),
            (vec![crate::fault::delay("5ms")], OnLink { delayed: true, ..well }),
            (vec![crate::fault::reorder(0.5, "5ms")], OnLink { delayed: true, ..well }),
            (vec![twice(0.5), twice(0.5)], OnLink { twice: 0.75, ..well }),
            // The narrower of two, whichever comes first.
            (vec![limit(3), limit(2)], OnLink { limit: Some(ByteRate(2)), ..well }),
            (vec![limit(2), limit(3)], OnLink { limit: Some(ByteRate(2)), ..well }),
            (vec![Effect::Slow { factor: 9.0 }, Effect::BlackHole], well),
        ];
        for (effects, expected) in table {
            assert_eq!(set(&effects).on_link(Way::Out, None), expected, "{effects:?}");
        }
    }

    #[test]
    fn a_link_is_as_bad_as_what_reaches_a_message() {
        use crate::fault::Ways;
        let mut set = ActiveSet::default();
        let drop = |probability| Effect::Drop { probability };
        let reach =
            |ways, clients: Option<&[u32]>| Reach { ways, clients: clients.map(Into::into), stretch: None };
        set.begin_with(0, drop(0.5), 1.0, reach(Ways::Replies, None));
        set.begin_with(1, drop(0.5), 1.0, reach(Ways::Both, Some(&[3])));
        set.begin_with(2, crate::fault::delay("5ms"), 1.0, reach(Ways::Requests, Some(&[2, 3])));
        // (way, client, lost, delayed)
        let table = [
            (Way::Out, None, 0.0, 0),
            (Way::Out, Some(2), 0.0, 1),
            (Way::Out, Some(3), 0.5, 1),
            (Way::Back, Some(3), 0.75, 0),
            (Way::Back, Some(9), 0.5, 0),
            (Way::Back, None, 0.5, 0),
        ];
        for (way, client, lost, delayed) in table {
            let found = set.on_link(way, client);
            assert_eq!((found.drop, found.delayed), (lost, delayed > 0), "{way:?} {client:?}");
            assert_eq!(set.delays(way, client).count(), delayed, "{way:?} {client:?}");
        }
        assert!(set.tells_clients_apart());
    }

    #[test]
    fn of_a_replica_some_fare_worse_than_others() {
        use crate::policy::tests::read;
        let writes = read::<crate::fault::Requests>("(only: Writes)").expect("sound").0;
        let writes = Arc::new(writes.chosen(|_| None, |_| None, 0, ("0", &sim_core::Streams::new(1))));
        let asked = |writes: bool| Asked {
            workload: Some(0),
            carried: crate::carried::Carried { writes, ..Default::default() },
        };
        let mut set = set(&[Effect::Slow { factor: 3.0 }, Effect::Errors { probability: 0.5 }]);
        assert!(!set.on_replica().tells_apart);
        let all = set.on_replica();
        assert_eq!((all, all), (set.on_request(&asked(true)), set.at_worst()));
        set.begin_for(5, Effect::Slow { factor: 2.0 }, 1.0, Some(writes.clone()));
        set.begin_for(6, Effect::Errors { probability: 0.5 }, 0.5, Some(writes.clone()));
        // What all meet, and that there is more.
        assert_eq!(set.on_replica(), OnReplica { tells_apart: true, ..all });
        assert_eq!(set.on_request(&asked(false)), all);
        assert_eq!(set.on_request(&asked(true)), OnReplica { slow: 6.0, errors: 0.625, ..all });
        assert_eq!(set.at_worst(), OnReplica { slow: 6.0, errors: 0.625, ..all });
        set.begin_for(7, Effect::BlackHole, 1.0, Some(writes));
        assert_eq!(set.on_replica().black_hole, Upon::Some);
        assert_eq!(set.on_request(&asked(true)).black_hole, Upon::All);
        assert_eq!(set.on_request(&asked(false)).black_hole, Upon::Nobody);
        set.begin(8, Effect::BlackHole, 1.0);
        assert_eq!(set.on_replica().black_hole, Upon::All);
        (5..9).for_each(|fault| set.end(fault));
        assert_eq!(set.on_replica(), all);
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
        let mut set = set(&[
            slow,
            errors,
            drop,
            crate::fault::delay("8ms"),
            crate::fault::reorder(0.5, "8ms"),
            Effect::Duplicate { probability: 0.75 },
        ]);
        for (strength, slower, errors, lost) in table {
            (0..6).for_each(|fault| set.change(fault, strength));
            let (replica, link) = (set.on_replica(), set.on_link(Way::Out, None));
            assert_eq!((replica.slow, replica.errors, link.drop), (slower, errors, lost), "{strength}");
            assert_eq!(link.twice, lost);
            let delays = set.delays(Way::Out, None).map(|it| (it.fault, it.share, it.strength));
            // Of what is delayed all is by a part, of what is overtaken a part by all.
            let expected = [(3, None, strength), (4, Some(0.5 * strength), 1.0)];
            assert_eq!(delays.collect::<Vec<_>>(), expected);
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
