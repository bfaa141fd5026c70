//! Fetches that are out, by key, and who waits for each: so that one goes and the others do not.
//!
//! A flight belongs to whoever began it, until it ends, or until a lease of so long is over: then the next who asks may take it.

use super::index::Index;
use crate::service_graph::state::AttemptId;
use sim_core::SimTime;

/// One fetch that is out.
#[derive(Clone, Debug)]
struct Flight {
    whose: AttemptId,
    /// Nobody keeps it for longer.
    until: SimTime,
    /// First come first, and some that have left.
    waiting: Vec<AttemptId>,
}

/// All that are out, of one memory or of one store.
#[derive(Clone, Default, Debug)]
pub struct Flights {
    index: Index,
    all: Vec<Flight>,
    free: Vec<u32>,
}

impl Flights {
    /// Whether somebody is out for a key, and may still be.
    pub fn is_out(&self, key: u32, now: SimTime) -> bool {
        self.index.get(key).is_some_and(|at| now < self.all[at as usize].until)
    }

    /// Somebody goes out for a key; whoever was before has been out for too long.
    pub fn begins(&mut self, key: u32, whose: AttemptId, until: SimTime) {
        if let Some(at) = self.index.get(key) {
            let flight = &mut self.all[at as usize];
            (flight.whose, flight.until) = (whose, until);
            return;
        }
        let at = self.free.pop().unwrap_or_else(|| {
            self.all.push(Flight { whose, until, waiting: Vec::new() });
            u32::try_from(self.all.len() - 1).expect("fewer than there are requests")
        });
        let flight = &mut self.all[at as usize];
        (flight.whose, flight.until) = (whose, until);
        self.index.insert(key, at);
    }

    /// Somebody waits for what one who is out comes back with.
    pub fn joins(&mut self, key: u32, who: AttemptId) {
        let at = self.index.get(key).expect("somebody is out");
        self.all[at as usize].waiting.push(who);
    }

    /// Whether this one is out for a key, and nobody else is in its place.
    pub fn is_whose(&self, key: u32, who: AttemptId) -> bool {
        self.index.get(key).is_some_and(|at| self.all[at as usize].whose == who)
    }

    /// Nobody is out for a key any more: hands over who has waited, to be given back.
    pub fn ends(&mut self, key: u32) -> Vec<AttemptId> {
        let Some(at) = self.index.get(key) else { return Vec::new() };
        self.index.remove(key);
        self.free.push(at);
        std::mem::take(&mut self.all[at as usize].waiting)
    }

    /// Room for those who wait is used again.
    pub fn give_back(&mut self, mut room: Vec<AttemptId>) {
        room.clear();
        if let Some(at) = self.free.last() {
            self.all[*at as usize].waiting = room;
        }
    }

    /// All who were out, and waited, are gone.
    pub fn clear(&mut self) {
        *self = Flights::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> [AttemptId; 4] {
        std::array::from_fn(|place| AttemptId::of_place(place as u32))
    }

    #[test]
    fn one_goes_and_the_others_wait() {
        let at = SimTime::from_secs;
        let [one, two, three, _] = ids();
        let mut flights = Flights::default();
        assert!(!flights.is_out(7, at(1)));
        flights.begins(7, one, SimTime::MAX);
        assert!(flights.is_out(7, at(1)) && !flights.is_out(8, at(1)) && flights.is_whose(7, one));
        flights.joins(7, two);
        flights.joins(7, three);
        let waited = flights.ends(7);
        assert_eq!(waited, [two, three]);
        flights.give_back(waited);
        assert!(!flights.is_out(7, at(1)) && flights.ends(7).is_empty());
        // Its place is used again, and nobody waits there.
        flights.begins(9, two, at(5));
        assert!(flights.all.len() == 1 && flights.ends(9).is_empty());
    }

    #[test]
    fn a_lease_is_over_and_the_next_takes_it() {
        let at = SimTime::from_secs;
        let [one, two, ..] = ids();
        let mut flights = Flights::default();
        flights.begins(7, one, at(5));
        assert!(flights.is_out(7, at(4)) && !flights.is_out(7, at(5)), "at the very end it is over");
        flights.begins(7, two, at(9));
        assert!(flights.is_out(7, at(8)) && flights.is_whose(7, two));
        flights.clear();
        assert!(!flights.is_out(7, at(8)) && !flights.is_whose(7, two));
    }
}
