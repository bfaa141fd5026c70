//! Zones: places that fail together, and the way between them.
//!
//! An availability zone, a room or a region is what stands on the same power, the same switches and the same mistakes. Whoever runs in
//! several wants to lose one and go on, which needs two things that are easily forgotten: somebody has to send what came to the lost zone to
//! the others (whom a call reaches: [`zone`](crate::policy::zone)), and the others have to carry it. A call that leaves its zone pays for it with a longer
//! way, here, and with money at most providers.
//!
//! Where somebody stands is a matter of its number: replicas of a service, and clients of a workload, are dealt out to its zones in turn, so
//! that of `n` the zones have as many, give or take one. A name that stands twice in a list has two of each round: `["a", "a", "b"]` is a
//! large zone and a small one.
//!
//! Left out: ways of different lengths between different zones, and what is between the zones failing; a connection is opened as fast
//! to another zone as to its own.

use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Len, Name, Node, Spanned};
use sim_core::SimDuration;
use std::sync::Arc;

/// More zones than any provider's region has, and than a report has room for.
pub const MOST_ZONES: usize = 32;

spec! {
    /// Places that fail together, and the way between them.
    pub struct Zones where check {
        /// Their names.
        names: Vec<Spanned<String>>; Len(1..=MOST_ZONES),
        /// How much longer a message takes that goes from one to another, each way.
        network: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
    }
}

impl Zones {
    /// The number of a zone by its name.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.names.iter().position(|zone| zone.value == name).map(|number| number as u32)
    }

    /// In which of them so many who are dealt out in turn stand, and how many in each: `3 in a, 2 in b`.
    pub fn told(&self, turns: &Turns, of: u32) -> String {
        told(self.names.iter().map(|name| name.value.as_str()), turns, of)
    }

    /// Whether the way from one to another is longer than the way within one.
    pub fn are_apart(&self) -> bool {
        self.network.nanos.mean() > 0.0
    }

    /// Where those stand who are dealt out to these, in turn: to all zones if none is named.
    pub fn turns(&self, named: &[Spanned<String>]) -> Turns {
        match named {
            [] => Turns((0..self.names.len() as u32).collect()),
            // One that is not there is told where names are checked.
            named => Turns(named.iter().filter_map(|name| self.number(&name.value)).collect()),
        }
    }
}

fn check(zones: &Zones, at: &Node, cx: &mut Decoder) {
    for (number, name) in zones.names.iter().enumerate() {
        let first = zones.number(&name.value).is_some_and(|first| first as usize == number);
        let why = Name::verdict(&name.value).err().or((!first).then(|| "another zone is called so".into()));
        if let Some(why) = why {
            let span = at.get("names").map_or(name.span, |_| name.span);
            cx.at("names", |cx| cx.at_index(number, |cx| _ = cx.error(span, why)));
        }
    }
}

/// The zones of those who are dealt out to them in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns(Arc<[u32]>);

impl Turns {
    /// The zone of the one with this number.
    #[inline]
    pub fn of(&self, number: u32) -> u32 {
        self.0[number as usize % self.0.len()]
    }

    /// How many of so many stand in a zone.
    pub fn count(&self, zone: u32, of: u32) -> u32 {
        let times = |turns: &[u32]| turns.iter().filter(|turn| **turn == zone).count() as u32;
        let (rounds, rest) = (of / self.0.len() as u32, of as usize % self.0.len());
        rounds * times(&self.0) + times(&self.0[..rest])
    }
}

/// Those who call and those whom they call, where either stand in more than one zone.
#[derive(Clone, Debug)]
pub struct Apart {
    /// The names of all zones there are.
    pub names: Arc<[String]>,
    /// Of each client.
    pub callers: Turns,
    /// Of each replica.
    pub callees: Turns,
}

impl Apart {
    /// So many clients and replicas that are dealt out to these zones; none if they all stand in the same one.
    pub fn of(
        zones: &Zones,
        (callers, clients): (Turns, u32),
        (callees, replicas): (Turns, u32),
    ) -> Option<Apart> {
        let there =
            |turns: &Turns, count: u32| (0..count).map(|number| turns.of(number)).collect::<Vec<u32>>();
        let all = [
            there(&callers, clients.min(callers.0.len() as u32)),
            there(&callees, replicas.min(callees.0.len() as u32)),
        ];
        let all = all.concat();
        let names = zones.names.iter().map(|name| name.value.clone()).collect();
        all.iter().any(|zone| *zone != all[0]).then_some(Apart { names, callers, callees })
    }

    /// Whether a call of this client to that replica leaves its zone.
    #[inline]
    pub fn crosses(&self, client: u32, replica: u32) -> bool {
        self.callers.of(client) != self.callees.of(replica)
    }

    /// The numbers of all zones.
    pub fn zones(&self) -> std::ops::Range<u32> {
        0..self.names.len() as u32
    }

    /// In which zones so many of those who are dealt out in turn stand, and how many in each: `3 in a, 2 in b`.
    pub fn counted(&self, turns: &Turns, of: u32) -> String {
        told(self.names.iter().map(String::as_str), turns, of)
    }
}

fn told<'a>(names: impl Iterator<Item = &'a str>, turns: &Turns, of: u32) -> String {
    let each =
        (0..).zip(names).map(|(zone, name)| (turns.count(zone, of), name)).filter(|(count, _)| *count > 0);
    each.map(|(count, name)| format!("{count} in {name}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    fn zones(names: &str) -> Zones {
        read::<Zones>(&format!("(names: {names})")).unwrap_or_else(|said| panic!("{said}")).0
    }

    fn named(names: &[&str]) -> Vec<Spanned<String>> {
        names.iter().map(|name| Spanned { value: (*name).into(), span: Default::default() }).collect()
    }

    #[test]
    fn each_has_its_turn() {
        let zones = zones(r#"["a", "b", "c"]"#);
        for (names, of, at, counts) in [
            (vec![], 7, vec![0, 1, 2, 0, 1, 2, 0], [3, 2, 2]),
            (vec!["b"], 3, vec![1, 1, 1], [0, 3, 0]),
            (vec!["c", "a"], 3, vec![2, 0, 2], [1, 0, 2]),
            // A large zone and a small one.
            (vec!["a", "a", "b"], 7, vec![0, 0, 1, 0, 0, 1, 0], [5, 2, 0]),
            (vec![], 1, vec![0], [1, 0, 0]),
            (vec![], 0, vec![], [0, 0, 0]),
        ] {
            let turns = zones.turns(&named(&names));
            assert_eq!((0..of).map(|number| turns.of(number)).collect::<Vec<_>>(), at, "{names:?}");
            assert_eq!([0, 1, 2].map(|zone| turns.count(zone, of)), counts, "{names:?} of {of}");
        }
    }

    #[test]
    fn who_is_apart() {
        let zones = zones(r#"["a", "b"]"#);
        // (zones of the callers, how many they are, of the callees, how many, whether anything can leave its zone)
        for (callers, clients, callees, replicas, apart) in [
            (vec![], 2, vec![], 2, true),
            (vec![], 1, vec![], 1, false),
            (vec![], 1, vec![], 2, true),
            (vec![], 2, vec!["b"], 1, true),
            (vec!["b"], 9, vec!["b"], 4, false),
            (vec!["a"], 1, vec!["b"], 1, true),
        ] {
            let of = |names: &[&str]| zones.turns(&named(names));
            let found = Apart::of(&zones, (of(&callers), clients), (of(&callees), replicas));
            assert_eq!(found.is_some(), apart, "{clients} in {callers:?}, {replicas} in {callees:?}");
        }
        let apart =
            Apart::of(&zones, (zones.turns(&[]), 3), (zones.turns(&named(&["b"])), 2)).expect("two zones");
        assert_eq!([0, 1, 2].map(|client| apart.crosses(client, 1)), [true, false, true]);
        assert_eq!(apart.counted(&apart.callers, 3), "2 in a, 1 in b");
        assert_eq!(apart.counted(&apart.callees, 2), "2 in b");
    }
}
