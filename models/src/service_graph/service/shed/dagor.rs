//! An admission level that finds by itself how much must be turned away: DAGOR, WeChat's (Zhou et al., "Overload Control for Scaling WeChat
//! Microservices", SoCC 2018).
//!
//! A replica is overloaded if requests whose work begins within a window have waited longer than `threshold` on average. Each request has a level: by
//! how much it matters, and among those that matter equally by who the user is, one of [`USERS`] places. Where the replica is overloaded
//! it lets in, from the most important level down, so many levels as made up `1 - decrease` of what it let in; where it is not, so many more as made up
//! `increase` of all that came. A window ends after a time or so many requests, whichever is first. One in which no work began tells of no wait: if nobody waits
//! either that is no overload, and more are let in, or a replica that lets in nobody who comes would do so for good.
//!
//! A user's place goes down with all that is done for him, so two services that must turn away half each turn away the same half. Whoever turns
//! away at random serves a request that needs the same service `k` times with the chance `p^k`: the paper's subsequent overload. There users change
//! places every hour, so that nobody is always last; here a run is hardly that long.
//!
//! The paper's callers learn the level of whom they call and send nothing that would be turned away. Not modelled: a refusal is free here.

use crate::carried::{Criticality, USERS};
use sim_core::{SimDuration, SimTime};

const LEVELS: usize = Criticality::ALL.len() * USERS;

/// What it is told to do.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// A mean wait that is overload.
    pub threshold: SimDuration,
    /// The longest window.
    pub window: SimDuration,
    /// The most requests of one.
    pub requests: u32,
    /// By which share less is let in after a window with overload.
    pub decrease: f64,
    /// By which share of all that came more is let in after another.
    pub increase: f64,
}

/// One replica's.
#[derive(Clone, Debug)]
pub struct Dagor {
    rates: Rates,
    /// So many of the levels are let in, those that matter most.
    level: usize,
    /// When the window ends; none has begun before the first request.
    ends: Option<SimTime>,
    /// Requests of each level in this window, and of those let in and all.
    seen: [u32; LEVELS],
    admitted: u32,
    all: u32,
    /// Waits of those whose work began in it.
    waited: u128,
    begun: u32,
}

impl Dagor {
    /// All are let in.
    pub fn new(rates: Rates) -> Self {
        let (ends, seen) = (None, [0; LEVELS]);
        Dagor { rates, level: LEVELS, ends, seen, admitted: 0, all: 0, waited: 0, begun: 0 }
    }

    /// Whether one that matters so much, and is of such a user, is let in, while so many wait.
    pub fn admits(&mut self, priority: Criticality, user: u16, waiting: usize, now: SimTime) -> bool {
        if self.all >= self.rates.requests || self.ends.is_some_and(|ends| now >= ends) {
            self.adjust(waiting);
            self.ends = None;
        }
        self.ends.get_or_insert(now + self.rates.window);
        let level = priority.rank() * USERS + usize::from(user) % USERS;
        self.seen[level] += 1;
        self.all += 1;
        let admitted = level < self.level;
        self.admitted += u32::from(admitted);
        admitted
    }

    /// Work on one begins that has waited so long.
    pub fn begun(&mut self, wait: SimDuration) {
        self.waited += u128::from(wait.as_nanos());
        self.begun += 1;
    }

    /// The share of the levels that is let in.
    pub fn share(&self) -> f64 {
        self.level as f64 / LEVELS as f64
    }

    /// A window is over, and so many wait. If nothing was begun with, and they wait for that, nothing is known.
    fn adjust(&mut self, waiting: usize) {
        let (admitted, all) = (f64::from(self.admitted), f64::from(self.all));
        let mut prefix = self.admitted;
        let limit = u128::from(self.begun) * u128::from(self.rates.threshold.as_nanos());
        if self.waited > limit {
            let expected = (1.0 - self.rates.decrease) * admitted;
            // There is always a level that is let in.
            while self.level > 1 && f64::from(prefix) > expected {
                self.level -= 1;
                prefix -= self.seen[self.level];
            }
        } else if self.begun > 0 || waiting == 0 {
            let expected = admitted + self.rates.increase * all;
            while self.level < LEVELS && f64::from(prefix) < expected {
                prefix += self.seen[self.level];
                self.level += 1;
            }
        }
        (self.seen, self.admitted, self.all) = ([0; LEVELS], 0, 0);
        (self.waited, self.begun) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Criticality::{Critical, Sheddable};

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    fn ms(millis: u64) -> SimDuration {
        SimDuration::from_millis(millis)
    }

    fn dagor(requests: u32) -> Dagor {
        let (threshold, window) = (ms(20), ms(1_000));
        Dagor::new(Rates { threshold, window, requests, decrease: 0.05, increase: 0.01 })
    }

    /// A window of a request by each user of two criticalities, each of which waits so long if it is let in: how many were.
    fn window(dagor: &mut Dagor, second: u64, wait: u64) -> usize {
        let mut admitted = 0;
        for priority in [Critical, Sheddable] {
            for user in 0..USERS as u16 {
                if dagor.admits(priority, user, 0, at(second * 1_000)) {
                    admitted += 1;
                    dagor.begun(ms(wait));
                }
            }
        }
        admitted
    }

    /// 256 come in each window. Of 256 5 % are 12.8: 13 fewer; of 243 12.15, and of 230 11.5. After a window without overload 2.56 more of all that
    /// came, which is 3.
    #[test]
    fn levels_go_down_by_what_was_let_in_and_up_by_what_came() {
        let mut dagor = dagor(2_000);
        let waits = [21, 21, 21, 20, 20, 0, 21];
        let admitted = (1..).zip(waits).map(|(second, wait)| window(&mut dagor, second, wait));
        assert_eq!(admitted.collect::<Vec<_>>(), [256, 243, 230, 218, 221, 224, 227]);
        assert!(dagor.admits(Critical, 127, 0, at(8_000)) && dagor.admits(Sheddable, 86, 0, at(8_000)));
        assert!(!dagor.admits(Sheddable, 87, 0, at(8_000)), "215 are left of 227: 128 and 87");
    }

    /// The window of time, of requests, and one in which nothing was begun with.
    #[test]
    fn when_a_window_ends() {
        let mut long = dagor(1_000_000);
        long.admits(Sheddable, 0, 0, at(0));
        long.begun(ms(30));
        long.admits(Sheddable, 1, 0, at(999));
        assert_eq!(long.level, LEVELS);
        long.admits(Sheddable, 1, 0, at(1_000));
        assert_eq!(long.level, 3 * USERS + 1, "one of two is more than 95 %");
        // Nothing was begun with, and somebody waits for that: nothing is known.
        long.admits(Sheddable, 0, 1, at(2_000));
        assert_eq!(long.level, 3 * USERS + 1);
        let mut short = dagor(3);
        (0..3).for_each(|_| {
            short.admits(Sheddable, 0, 0, at(0));
            short.begun(ms(30));
        });
        assert_eq!(short.level, LEVELS);
        short.admits(Sheddable, 0, 0, at(0));
        assert_eq!(short.level, 3 * USERS, "the fourth begins another, and what came is turned away");
    }

    /// Overload shuts the door to all but one level. Who comes is of others: as long as somebody waits nothing is known, and then 1 % more are let in
    /// after each window, the most important first, though nothing has begun.
    #[test]
    fn a_door_that_is_shut_is_opened_again() {
        let mut dagor = dagor(100);
        dagor.level = 1;
        let mut window = |waiting| {
            let users = (0..100).filter(|user| dagor.admits(Critical, 20 + user, waiting, at(0)));
            let admitted: Vec<u16> = users.collect();
            admitted.iter().for_each(|_| dagor.begun(ms(0)));
            admitted
        };
        let none: [u16; 0] = [];
        assert_eq!(window(0), none, "all 100 are turned away");
        assert_eq!(window(7), none, "seven wait: that may be overload");
        assert_eq!(window(0), [0], "nobody waits, and the first of those who came is let in");
        assert_eq!(window(0), [0, 1]);
    }

    /// However long it lasts.
    #[test]
    fn a_level_is_let_in_however_long_it_lasts() {
        let mut dagor = dagor(10);
        for second in 0..100 {
            dagor.begun(ms(100));
            assert!(dagor.admits(Criticality::CriticalPlus, 0, 5, at(second * 1_000)));
            assert_eq!(dagor.admits(Criticality::CriticalPlus, 1, 5, at(second * 1_000)), second == 0);
        }
        assert_eq!(dagor.level, 1);
    }
}
