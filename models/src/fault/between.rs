//! What is on the way from one zone to another: `on: "zone a -> zone b"`, or both ways, `on: "zone a <-> zone b"`.
//!
//! A cable is cut, or a route is withdrawn, between two zones: each of them works, whoever stands in a third sees both, and no service is down. A message is
//! struck if it goes that way, whatever it is: the requests of whoever stands in the first to the replicas in the second, and the answers of
//! replicas in the first to whoever called them from the second.
//!
//! Left out: whoever stands behind a queue that all replicas share, since nobody knows before to which of them a request goes; and checks, which are made
//! by somebody who stands beside the replica.

use super::pages;
use crate::network::Apart;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};

/// The way between two zones, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between<'a> {
    /// Where messages come from.
    pub from: &'a str,
    /// Where they go.
    pub to: &'a str,
    /// And back.
    pub both: bool,
}

impl<'a> Between<'a> {
    /// What a fault is on, if that is such a way.
    pub fn of(on: &'a str) -> Option<Self> {
        let both = on.contains("<->");
        let (from, to) = on.split_once(if both { "<->" } else { "->" })?;
        let zone = |name: &'a str| name.trim().strip_prefix("zone ").map(str::trim);
        Some(Between { from: zone(from)?, to: zone(to)?, both })
    }

    /// The same by the numbers of zones.
    pub fn numbered(&self, apart: &Apart) -> Option<Stretch> {
        let number = |name: &str| apart.zones().find(|zone| apart.names[*zone as usize] == name);
        Some(Stretch { from: number(self.from)?, to: number(self.to)?, both: self.both })
    }

    /// Whether any message between so many callers and replicas goes that way: a request, or an answer.
    pub fn is_gone(&self, apart: &Apart, callers: u32, replicas: u32) -> bool {
        let stands = |zone| (apart.callers.count(zone, callers) > 0, apart.callees.count(zone, replicas) > 0);
        self.numbered(apart).is_some_and(|Stretch { from, to, .. }| {
            let (from, to) = (stands(from), stands(to));
            from.0 && to.1 || from.1 && to.0
        })
    }
}

/// The way between two zones, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    from: u32,
    to: u32,
    both: bool,
}

impl Stretch {
    /// Whether a message goes that way.
    pub fn is_gone_by(&self, from: u32, to: u32) -> bool {
        (from, to) == (self.from, self.to) || self.both && (to, from) == (self.from, self.to)
    }
}

impl Part for Between<'_> {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        let Between { from, to, both } = self;
        Some(format!("from zone {from} {} zone {to}", if *both { "and from" } else { "to" }))
    }

    fn about() -> &'static [Page] {
        pages::BETWEEN
    }

    fn samples() -> &'static [&'static str] {
        &[r#""zone a -> zone b""#, r#""zone a <-> zone b""#]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Zones;
    use crate::policy::tests::read;

    #[test]
    fn a_way_has_two_ends_and_a_direction() {
        let way = |from, to, both| Some(Between { from, to, both });
        for (on, is) in [
            ("zone a -> zone b", way("a", "b", false)),
            ("zone a->zone b", way("a", "b", false)),
            ("zone a <-> zone b", way("a", "b", true)),
            ("zone a", None),
            ("a->b", None),
            ("zone a -> b", None),
            ("a -> zone b", None),
        ] {
            assert_eq!(Between::of(on), is, "{on}");
        }
    }

    #[test]
    fn who_goes_that_way() {
        let zones = read::<Zones>(r#"(names: ["a", "b", "c"])"#).unwrap().0;
        let apart = Apart::of(&zones, (zones.turns(&[]), 3), (zones.turns(&[]), 3)).expect("three zones");
        let stretch = |on| Between::of(on).unwrap().numbered(&apart).unwrap();
        for (from, to, one_way, both) in
            [(0, 1, true, true), (1, 0, false, true), (0, 2, false, false), (1, 1, false, false)]
        {
            assert_eq!(stretch("zone a -> zone b").is_gone_by(from, to), one_way, "{from} to {to}");
            assert_eq!(stretch("zone a <-> zone b").is_gone_by(from, to), both, "{from} and {to}");
        }
        assert_eq!(Between::of("zone a -> zone d").unwrap().numbered(&apart), None);
        // Two callers stand in a and b, one replica in a: answers go from a to b, and nothing to c.
        let gone = |on, callers, replicas| Between::of(on).unwrap().is_gone(&apart, callers, replicas);
        assert!(gone("zone a -> zone b", 2, 1) && gone("zone b -> zone a", 2, 1));
        assert!(!gone("zone a -> zone c", 2, 1) && !gone("zone b -> zone c", 2, 1));
    }
}
