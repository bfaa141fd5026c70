//! Who is in whose hands, so that a crash costs what a replica has in hand and not all that is in flight.
//!
//! Each owner has a list; where a member stands in it is kept beside the slab, by place, so that joining and leaving
//! cost the same however long the list is. The lists are in no order: whoever walks one sorts it by place first, and
//! so does not depend on what happened before. Only replicas that can die have any, so nothing is paid elsewhere.

use super::slab::Id;

/// The members of one owner.
pub type Roster<T> = Vec<Id<T>>;

/// Where every member stands in its owner's list, by its place in the slab.
#[derive(Clone, Default)]
pub struct Standings {
    at: Vec<u32>,
}

impl Standings {
    /// `member` joins the list of its owner. It may be in one list at a time.
    pub fn join<T>(&mut self, roster: &mut Roster<T>, member: Id<T>) {
        if self.at.len() <= member.index() {
            self.at.resize(member.index() + 1, 0);
        }
        self.at[member.index()] = roster.len() as u32;
        roster.push(member);
    }

    /// `member` leaves the list that it joined.
    pub fn leave<T>(&mut self, roster: &mut Roster<T>, member: Id<T>) {
        let at = self.at[member.index()];
        assert!(roster.get(at as usize) == Some(&member), "one left a list that it is not in");
        roster.swap_remove(at as usize);
        if let Some(moved) = roster.get(at as usize) {
            self.at[moved.index()] = at;
        }
    }
}

/// Takes all members, in the order of their places.
pub fn dismiss<T>(roster: &mut Roster<T>) -> Vec<Id<T>> {
    let mut members = std::mem::take(roster);
    members.sort_unstable_by_key(|member| member.index());
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_graph::slab::Slab;

    #[test]
    fn members_come_and_go_and_stand_in_the_order_of_their_places() {
        let mut slab = Slab::default();
        let ids: Vec<Id<u32>> = (0..8).map(|n| slab.insert(n).0).collect();
        let mut standings = Standings::default();
        let (mut even, mut odd) = (Roster::new(), Roster::new());
        for &n in &[5, 2, 7, 0, 3, 6, 1, 4] {
            standings.join(if n % 2 == 0 { &mut even } else { &mut odd }, ids[n]);
        }
        for n in [2, 4] {
            standings.leave(&mut even, ids[n]);
        }
        standings.join(&mut odd, ids[2]);
        standings.leave(&mut odd, ids[1]);
        let numbers = |members: Vec<Id<u32>>| members.iter().map(|id| slab[*id]).collect::<Vec<_>>();
        assert_eq!(numbers(dismiss(&mut even)), [0, 6]);
        assert_eq!(numbers(dismiss(&mut odd)), [2, 3, 5, 7]);
        assert!(even.is_empty() && odd.is_empty());
    }

    #[test]
    #[should_panic(expected = "not in")]
    fn only_a_member_leaves() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert(0).0, slab.insert(1).0);
        let mut standings = Standings::default();
        let mut roster = Roster::new();
        standings.join(&mut roster, a);
        standings.join(&mut Roster::new(), b);
        standings.leave(&mut roster, a);
        standings.leave(&mut roster, b);
    }
}
