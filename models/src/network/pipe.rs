//! What carries only so much: one message after another, in the order in which they are sent.
//!
//! A message takes its size over what the link carries, and waits for those before it. With a Poisson stream of messages of one
//! size that is M/D/1, and mean wait `s rho / (2 (1 - rho))` for a message that takes `s`; with any sizes M/G/1 (Pollaczek and Khinchine); at
//! regular times, D/D/1, nobody waits up to `rho = 1`, and from there on the wait grows by `(rho - 1)` seconds each second. There is
//! no end to how many wait: what a router does with those that are too many is a loss of its own.
//!
//! When a message has gone through is known as it is sent, so nothing needs to happen until it arrives.

use sim_core::{SimDuration, SimTime};

/// One way through a link.
#[derive(Clone, Debug, Default)]
pub struct Pipe {
    /// When the last of all that was sent has gone through.
    free_at: SimTime,
    carried: u64,
    waited: u128,
    /// Time that messages take, those that still wait included.
    taken: u128,
    /// The same of those before anything was measured, that still had to go through.
    before: SimTime,
}

impl Pipe {
    /// When a message that is sent `now`, and takes so long, has gone through.
    pub fn carry(&mut self, now: SimTime, takes: SimDuration) -> SimTime {
        let begins = self.free_at.max(now);
        self.carried += 1;
        self.waited += u128::from(begins.since(now).as_nanos());
        self.taken += u128::from(takes.as_nanos());
        self.free_at = begins + takes;
        self.free_at
    }

    /// How long a message would wait that is sent `now`.
    pub fn backlog(&self, now: SimTime) -> SimDuration {
        self.free_at.max(now).since(now)
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        *self = Pipe { free_at: self.free_at, before: self.free_at.max(now), ..Pipe::default() };
    }

    /// The mean wait of the messages, in nanoseconds.
    pub fn mean_wait(&self) -> Option<f64> {
        (self.carried > 0).then(|| self.waited as f64 / self.carried as f64)
    }

    /// For how long it carried something from then until `now`.
    pub fn busy(&self, from: SimTime, now: SimTime) -> SimDuration {
        let left = u128::from(self.backlog(now).as_nanos());
        let before = u128::from(self.before.max(from).since(from).as_nanos());
        SimDuration::from_nanos(u64::try_from((self.taken + before).saturating_sub(left)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> SimTime {
        SimTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn messages_go_through_one_after_another() {
        let mut pipe = Pipe::default();
        // (sent, takes, gone through), in milliseconds.
        let table = [(0, 10, 10), (0, 10, 20), (5, 3, 23), (40, 10, 50), (45, 0, 50), (50, 1, 51)];
        for (sent, takes, through) in table {
            let found = pipe.carry(ms(sent), SimDuration::from_millis(takes));
            assert_eq!(found, ms(through), "sent at {sent} ms");
        }
        // Waits of 0, 10, 15, 0, 5 and 0 ms.
        assert_eq!(pipe.mean_wait(), Some(5e6));
        assert_eq!(pipe.backlog(ms(50)), SimDuration::from_millis(1));
        assert_eq!(pipe.backlog(ms(60)), SimDuration::ZERO);
        assert_eq!(pipe.busy(SimTime::ZERO, ms(60)), SimDuration::from_millis(34));
        assert_eq!(pipe.busy(SimTime::ZERO, ms(50)), SimDuration::from_millis(33));
    }

    #[test]
    fn what_still_waits_when_measurement_begins_is_carried_then() {
        let mut pipe = Pipe::default();
        pipe.carry(ms(0), SimDuration::from_millis(30));
        pipe.begin(ms(20));
        assert_eq!((pipe.mean_wait(), pipe.backlog(ms(20))), (None, SimDuration::from_millis(10)));
        assert_eq!(pipe.busy(ms(20), ms(25)), SimDuration::from_millis(5));
        assert_eq!(pipe.busy(ms(20), ms(40)), SimDuration::from_millis(10));
        pipe.carry(ms(35), SimDuration::from_millis(10));
        assert_eq!(pipe.busy(ms(20), ms(40)), SimDuration::from_millis(15));
        pipe.begin(ms(60));
        assert_eq!(pipe.busy(ms(60), ms(90)), SimDuration::ZERO);
    }
}
