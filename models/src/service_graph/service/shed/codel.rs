//! Controlled delay: CoDel, as RFC 8289 (Nichols, Jacobson, McGregor, Iyengar 2018) has it, for requests instead of packets.
//!
//! A queue that is long for a moment is doing its work; one that stays long only makes everybody wait. What tells them apart is
//! the *least* wait over an `interval`: if nobody has waited less than `target` for so long, the queue is standing, and one is dropped; the
//! next after `interval / sqrt(2)`, `interval / sqrt(3)` .. until somebody has waited less. It is made for senders that slow down when they are
//! dropped. Requests that come whatever happens make it drop faster and faster: to shed `x` a second it takes
//! `2 x interval` intervals, and meanwhile whoever is served has waited too long.
//!
//! All requests are of one size here, and the one that is looked at is the largest packet: while fewer than two wait behind it
//! nobody is dropped.

use sim_core::{SimDuration, SimTime};

/// One queue.
#[derive(Clone, Debug)]
pub struct CoDel {
    target: SimDuration,
    interval: SimDuration,
    /// If nobody waits less than the target until then, the queue is standing.
    first_above: Option<SimTime>,
    /// It drops, and when it does so next.
    dropping: bool,
    drop_next: SimTime,
    /// Dropped since it began to, and what that was the time before.
    count: u32,
    last_count: u32,
    /// What became of whoever was next before.
    dropped: Dropped,
}

/// Whoever is looked at right after one was dropped is looked at with other eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dropped {
    /// Nobody was.
    No,
    /// One was, and with it dropping begins: the next is served in any case.
    First,
    /// One was, as planned: the next may be, too, if that is due already.
    Again,
}

/// Dropping begins where it left off if that was not longer ago than so many intervals.
const RECENT: u64 = 16;

impl CoDel {
    /// Of an empty queue.
    pub fn new(target: SimDuration, interval: SimDuration) -> Self {
        CoDel {
            target,
            interval,
            first_above: None,
            dropping: false,
            drop_next: SimTime::ZERO,
            count: 0,
            last_count: 0,
            dropped: Dropped::No,
        }
    }

    /// Whether the next, who has waited so long and leaves so many behind, is dropped. If so, the one after it is asked about at once.
    pub fn drops(&mut self, wait: SimDuration, behind: usize, now: SimTime) -> bool {
        let standing = self.stands(wait, behind, now);
        match std::mem::replace(&mut self.dropped, Dropped::No) {
            Dropped::First => false,
            Dropped::Again => {
                if standing {
                    self.drop_next = self.after(self.drop_next);
                }
                self.dropping = standing;
                self.drops_as_planned(now)
            }
            Dropped::No if self.dropping => {
                self.dropping = standing;
                self.drops_as_planned(now)
            }
            Dropped::No => {
                if standing {
                    self.begins(now);
                }
                standing
            }
        }
    }

    fn drops_as_planned(&mut self, now: SimTime) -> bool {
        let due = self.dropping && now >= self.drop_next;
        if due {
            self.count = self.count.saturating_add(1);
            self.dropped = Dropped::Again;
        }
        due
    }

    /// Somebody asked for the next, and there was none.
    pub fn emptied(&mut self) {
        self.first_above = None;
        self.dropping = false;
        self.dropped = Dropped::No;
    }

    /// Whether nobody has waited less than the target for as long as an interval.
    fn stands(&mut self, wait: SimDuration, behind: usize, now: SimTime) -> bool {
        if wait < self.target || behind <= 1 {
            self.first_above = None;
            return false;
        }
        now >= *self.first_above.get_or_insert(now + self.interval)
    }

    /// Dropping begins.
    fn begins(&mut self, now: SimTime) {
        let recently = now < self.drop_next + self.interval.saturating_mul(RECENT);
        let before = self.count.saturating_sub(self.last_count);
        self.count = if before > 1 && recently { before } else { 1 };
        self.last_count = self.count;
        self.drop_next = self.after(now);
        (self.dropping, self.dropped) = (true, Dropped::First);
    }

    /// When one more is dropped: the more were, the sooner.
    fn after(&self, then: SimTime) -> SimTime {
        let interval = u128::from(self.interval.as_nanos());
        let nanos = (interval * interval / u128::from(self.count.max(1))).isqrt();
        then + SimDuration::from_nanos(nanos as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    fn ms(ms: u64) -> SimDuration {
        SimDuration::from_nanos(ms * 1_000_000)
    }

    fn at(millis: u64) -> SimTime {
        SimTime::ZERO + ms(millis)
    }

    /// The default of RFC 8289: 5 ms and 100 ms.
    fn usual() -> CoDel {
        CoDel::new(ms(5), ms(100))
    }

    /// Section 5 of the RFC by hand. Each row is asked in turn: at, wait, how many wait behind, whether it is dropped.
    #[test]
    fn a_standing_queue_is_dropped_from_sooner_and_sooner() {
        let mut codel = usual();
        for (row, (now, wait, behind, drops)) in [
            // Long waits for less than an interval are a burst.
            (0, 9, 50, false),
            (99, 9, 50, false),
            // Whoever waits less than the target begins the interval anew.
            (100, 4, 50, false),
            (101, 5, 50, false),
            (200, 9, 50, false),
            // An interval after 101: the first, and the next is served whatever it waited.
            (201, 9, 50, true),
            (201, 9, 49, false),
            (300, 9, 50, false),
            // 100 ms later, then 70.7, 57.7: the next after a drop is dropped if that is due, too.
            (301, 9, 50, true),
            (301, 9, 49, false),
            (371, 9, 50, false),
            (372, 9, 50, true),
            (372, 9, 49, false),
            // 429.4 is over and 479.4 is, too: two at a time.
            (480, 9, 50, true),
            (480, 9, 49, true),
            (480, 9, 48, false),
            // Somebody hardly waited: it is over.
            (481, 4, 50, false),
            (530, 9, 50, false),
            (629, 9, 50, false),
            // It begins where it was, four more than the time before: 50 ms to the next.
            (630, 9, 50, true),
            (630, 9, 50, false),
            (679, 9, 50, false),
            (680, 9, 50, true),
            (680, 9, 50, false),
            // One behind is not a queue, however long it took.
            (800, 500, 1, false),
            (801, 500, 50, false),
            (900, 500, 50, false),
            (901, 500, 50, true),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(codel.drops(ms(wait), behind, at(now)), drops, "row {row}, at {now} ms");
        }
    }

    /// `deque` and `dodeque` as the RFC prints them, loop and all, in milliseconds. `None` is a packet that was dropped.
    #[derive(Default)]
    struct Printed {
        first_above_time: f64,
        drop_next: f64,
        count: u32,
        lastcount: u32,
        dropping: bool,
    }

    impl Printed {
        fn dodeque(&mut self, queue: &mut VecDeque<f64>, now: f64) -> (Option<f64>, bool) {
            let Some(came) = queue.pop_front() else {
                self.first_above_time = 0.0;
                return (None, false);
            };
            let mut ok_to_drop = false;
            if now - came < 5.0 || queue.len() <= 1 {
                self.first_above_time = 0.0;
            } else if self.first_above_time == 0.0 {
                self.first_above_time = now + 100.0;
            } else if now >= self.first_above_time {
                ok_to_drop = true;
            }
            (Some(came), ok_to_drop)
        }

        fn deque(&mut self, queue: &mut VecDeque<f64>, now: f64, dropped: &mut Vec<f64>) -> Option<f64> {
            let law = |t: f64, count: u32| t + 100.0 / f64::from(count).sqrt();
            let (mut next, mut ok_to_drop) = self.dodeque(queue, now);
            if self.dropping {
                self.dropping &= ok_to_drop;
                while now >= self.drop_next && self.dropping {
                    dropped.extend(next);
                    self.count += 1;
                    (next, ok_to_drop) = self.dodeque(queue, now);
                    if ok_to_drop {
                        self.drop_next = law(self.drop_next, self.count);
                    } else {
                        self.dropping = false;
                    }
                }
            } else if ok_to_drop {
                dropped.extend(next);
                (next, _) = self.dodeque(queue, now);
                self.dropping = true;
                let delta = self.count - self.lastcount;
                self.count = if delta > 1 && now - self.drop_next < 1600.0 { delta } else { 1 };
                self.drop_next = law(now, self.count);
                self.lastcount = self.count;
            }
            next
        }
    }

    /// Bursts and lulls of two hours: the same requests are served and dropped, at the same instants.
    #[test]
    fn it_drops_whom_the_printed_code_drops() {
        use sim_core::{Streams, Words};
        let mut words = Streams::new(8289).stream("test", "codel");
        let (mut codel, mut printed) = (usual(), Printed::default());
        let (mut mine, mut theirs): (VecDeque<u64>, VecDeque<f64>) = Default::default();
        let (mut now, mut all) = (1u64, 0);
        while now < 7_200_000 {
            // A request every 20 ms on average is served; in a burst 2 come meanwhile, in a lull hardly any.
            now += 1 + words.below(39);
            let most = if now / 10_000 % 3 == 0 { 5 } else { 2 };
            for _ in 0..words.below(most) {
                mine.push_back(now);
                theirs.push_back(now as f64);
            }
            let mut dropped = Vec::new();
            let served = loop {
                let Some(came) = mine.pop_front() else {
                    codel.emptied();
                    break None;
                };
                if !codel.drops(ms(now - came), mine.len(), at(now)) {
                    break Some(came);
                }
                dropped.push(came as f64);
            };
            let mut also = Vec::new();
            assert_eq!(printed.deque(&mut theirs, now as f64, &mut also), served.map(|came| came as f64));
            assert_eq!(dropped, also, "at {now} ms");
            all += dropped.len();
        }
        assert!(all > 10_000, "{all} were dropped");
    }
}
