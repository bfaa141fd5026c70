//! What a registry knows: who has registered, and until when it believes that.
//!
//! An entry runs out when its replica has not been heard of for `ttl`. *Self-preservation* (Eureka): if fewer heartbeats than some share of those that
//! are due came within the last whole minute, it is more likely that the registry does not hear than that so many have died, and
//! nothing runs out. That keeps the dead, too.

use sim_core::{SimDuration, SimTime};

/// Heartbeats are counted by so long.
const MINUTE: u64 = super::MINUTE.as_nanos();

/// All replicas of one service, as their registry knows them.
#[derive(Clone, Debug)]
pub struct Entries {
    ttl: SimDuration,
    /// Heartbeats of one replica in a minute.
    each: f64,
    /// Of those that are due; 0 if nothing is preserved.
    preserves: f64,
    /// Until when each is believed, of those that are registered.
    until: Box<[Option<SimTime>]>,
    /// Which minute it is, and the heartbeats of it and of the last.
    minute: u64,
    heard: [u64; 2],
    /// Entries that ran out.
    pub expired: u64,
}

impl Entries {
    /// So many are registered, of those for which there is room, and were heard of in the minute before.
    pub fn new(
        (heartbeat, ttl): (SimDuration, SimDuration),
        preserves: f64,
        (registered, room): (u32, u32),
    ) -> Self {
        let each = MINUTE as f64 / heartbeat.as_nanos() as f64;
        let until = (0..room).map(|replica| (replica < registered).then_some(SimTime::ZERO + ttl));
        let before = (each * f64::from(registered)).ceil() as u64;
        Entries { ttl, each, preserves, until: until.collect(), minute: 0, heard: [0, before], expired: 0 }
    }

    /// The first heartbeat of a replica will come then, and its last came as long before as they are apart.
    pub fn was_heard(&mut self, replica: u32, first: SimTime, heartbeat: SimDuration) {
        let until = (first + self.ttl).as_nanos().saturating_sub(heartbeat.as_nanos());
        self.until[replica as usize] = Some(SimTime::from_nanos(until));
    }

    /// A replica says that it is there.
    pub fn renew(&mut self, replica: u32, now: SimTime) {
        self.turn(now);
        self.heard[0] += 1;
        self.until[replica as usize] = Some(now + self.ttl);
    }

    /// A replica says that it goes.
    pub fn deregister(&mut self, replica: u32) {
        self.until[replica as usize] = None;
    }

    /// Who is believed to be there.
    pub fn listed(&mut self, now: SimTime) -> Vec<u32> {
        self.turn(now);
        let keeps = self.keeps_all();
        for until in &mut self.until {
            if until.is_some_and(|until| until <= now) && !keeps {
                *until = None;
                self.expired += 1;
            }
        }
        (0..).zip(&self.until).filter(|(_, until)| until.is_some()).map(|(replica, _)| replica).collect()
    }

    /// Whether too few heartbeats came for any of them to be thought dead.
    fn keeps_all(&self) -> bool {
        let registered = self.until.iter().flatten().count();
        self.preserves > 0.0 && (self.heard[1] as f64) < self.preserves * self.each * registered as f64
    }

    fn turn(&mut self, now: SimTime) {
        let minute = now.as_nanos() / MINUTE;
        match minute - self.minute {
            0 => {}
            1 => self.heard = [0, self.heard[0]],
            _ => self.heard = [0, 0],
        }
        self.minute = minute;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> SimTime = SimTime::from_secs;

    fn entries(preserves: f64, replicas: u32) -> Entries {
        Entries::new(
            (SimDuration::from_secs(10), SimDuration::from_secs(30)),
            preserves,
            (replicas, replicas),
        )
    }

    /// Heard of at 0, 10 and 20 s it is believed until 50 s, and not at that moment.
    #[test]
    fn who_is_not_heard_of_runs_out() {
        let mut entries = entries(0.0, 2);
        for at in [0, 10, 20] {
            entries.renew(0, S(at));
        }
        assert_eq!(entries.listed(S(29)), [0, 1]);
        assert_eq!(entries.listed(S(30)), [0]);
        assert_eq!(entries.listed(SimTime::from_nanos(49_999_999_999)), [0]);
        assert_eq!((entries.listed(S(50)), entries.expired), (vec![], 2));
        entries.renew(1, S(51));
        assert_eq!(entries.listed(S(51)), [1]);
        entries.deregister(1);
        assert_eq!((entries.listed(S(51)), entries.expired), (vec![], 2), "who says so has not run out");
    }

    /// Ten replicas, six heartbeats a minute each: fewer than 51 of 60, and nobody runs out.
    #[test]
    fn a_registry_that_hears_little_keeps_what_it_has() {
        for (beating, listed) in [(10, 10), (9, 9), (8, 10), (0, 10)] {
            let mut entries = entries(0.85, 10);
            for at in [60, 70, 80, 90, 100, 110] {
                (0..beating).for_each(|replica| entries.renew(replica, S(at)));
            }
            assert_eq!(entries.listed(S(121)).len(), listed, "{beating} of ten are heard of");
        }
        // Those who are heard of again are enough again a minute later.
        let mut entries = entries(0.85, 10);
        assert_eq!(entries.listed(S(179)).len(), 10, "nobody was heard of");
        for at in [180, 190, 200, 210, 220, 230] {
            (0..9).for_each(|replica| entries.renew(replica, S(at)));
        }
        assert_eq!(entries.listed(S(239)).len(), 10);
        assert_eq!(entries.listed(S(240)).len(), 9, "54 of 60");
    }
}
