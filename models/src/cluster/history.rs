//! What clients saw, held against what was done: whether one order explains both, what was lost, and what was stale.

use super::protocol::{Answer, Node, Op};
use sim_core::SimTime;

/// What became of an operation, as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When its client first asked.
    pub asked: SimTime,
    /// When it was answered; absent while it is not, and for ever if nobody answers: it may have been done or not.
    pub answered: Option<SimTime>,
    /// What it is about.
    pub key: u32,
    /// Whether it writes.
    pub writes: bool,
    /// What it found: the operation that wrote last.
    pub found: Option<Op>,
    /// Its place in the order of all, as the answer said.
    pub at: u64,
}

/// All operations of all clients, by their numbers.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What became of each.
    pub seen: Vec<Seen>,
    /// Of each key when the last was asked of the writes that were answered, and which that is.
    newest: Vec<(SimTime, Op)>,
    /// Of each operation what `newest` was when it was asked.
    floors: Vec<(SimTime, Op)>,
    /// Reads that found what was older than a write that had been answered when they were asked.
    pub stale: u64,
    /// The first of them, who answered it, and that write.
    pub stale_read: Option<(Op, Node, Op)>,
}

impl History {
    /// A client asks: the number of the operation.
    pub fn asks(&mut self, key: u32, writes: bool, now: SimTime) -> Op {
        if self.newest.len() <= key as usize {
            self.newest.resize(key as usize + 1, (SimTime::ZERO, 0));
        }
        self.seen.push(Seen { asked: now, answered: None, key, writes, found: None, at: 0 });
        self.floors.push(self.newest[key as usize]);
        (self.seen.len() - 1) as Op
    }

    /// It is answered.
    pub fn is_answered(&mut self, op: Op, from: Node, answer: Answer, now: SimTime) {
        let Answer::Done { found, at } = answer else { unreachable!("who sends on answers nothing") };
        let seen = &mut self.seen[op as usize];
        (seen.answered, seen.found, seen.at) = (Some(now), found, at);
        let Seen { asked, key, writes, .. } = *seen;
        if writes {
            let newest = &mut self.newest[key as usize];
            *newest = (*newest).max((asked, op));
            return;
        }
        // What was written by something that was answered before that newer write was asked is older than it.
        let (floor, write) = self.floors[op as usize];
        let found_until = match found {
            None => Some(SimTime::ZERO),
            Some(write) => self.seen[write as usize].answered,
        };
        if floor > SimTime::ZERO && found_until.is_some_and(|until| until < floor) {
            self.stale += 1;
            self.stale_read.get_or_insert((op, from, write));
        }
    }

    /// Writes that were answered and are not in the order that is left at the end.
    pub fn lost(&self, left: &[Op]) -> u64 {
        let mut is_left = vec![false; self.seen.len()];
        left.iter().for_each(|op| is_left[*op as usize] = true);
        let lost = self
            .seen
            .iter()
            .zip(is_left)
            .filter(|(seen, left)| seen.writes && seen.answered.is_some() && !left);
        lost.count() as u64
    }

    /// Whether the order in which writes were done explains what clients saw: each takes effect once, between its question and its
    /// answer, and finds what was written last before it. What is wrong, if anything is (Herlihy and Wing, 1990).
    ///
    /// One pass, since the order is known and need not be searched for: it is a witness if no operation comes before one that was answered
    /// before it was asked.
    pub fn is_explained_by(&self, order: &[Op]) -> Result<(), String> {
        let mut place = vec![0u64; self.seen.len()];
        for (number, op) in (1..).zip(order) {
            if place[*op as usize] == 0 {
                place[*op as usize] = number;
            }
        }
        // Reads were answered after so many of it.
        let mut all: Vec<(u64, bool, Op)> = Vec::new();
        for (op, seen) in (0..).zip(&self.seen) {
            match (place[op as usize], seen.answered) {
                (0, None) => {}
                (0, Some(_)) if seen.writes => {
                    return Err(format!("write {op} was answered and is not in the order"));
                }
                (0, Some(_)) => all.push((seen.at, true, op)),
                (at, _) => all.push((at, false, op)),
            }
        }
        all.sort_unstable();
        let keys = self.newest.len();
        let mut last: Vec<Option<Op>> = vec![None; keys];
        let mut latest_asked = (SimTime::ZERO, 0);
        for (at, _, op) in all {
            let seen = &self.seen[op as usize];
            if let Some(answered) = seen.answered {
                if answered < latest_asked.0 {
                    return Err(format!(
                        "{op} was answered at {answered}, before {} was asked at {}, and comes after it in the order",
                        latest_asked.1, latest_asked.0
                    ));
                }
                if !seen.writes && seen.found != last[seen.key as usize] {
                    return Err(format!(
                        "read {op} at place {at} found {:?} of key {}, where {:?} was written last",
                        seen.found, seen.key, last[seen.key as usize]
                    ));
                }
            }
            if seen.writes {
                last[seen.key as usize] = Some(op);
            }
            latest_asked = latest_asked.max((seen.asked, op));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    /// (asked, answered or 0 for never, writes, found) of one key, in the order in which they are asked; `at` is for reads outside the order.
    fn history(ops: &[(u64, u64, bool, Option<Op>, u64)]) -> History {
        let mut history = History::default();
        let mut ends: Vec<(u64, Op)> = Vec::new();
        let mut events: Vec<(u64, bool, usize)> = Vec::new();
        for (number, (asked, answered, ..)) in ops.iter().enumerate() {
            events.push((*asked, true, number));
            if *answered > 0 {
                events.push((*answered, false, number));
            }
        }
        events.sort_unstable_by_key(|(when, asks, number)| (*when, *asks, *number));
        for (when, asks, number) in events {
            let (_, _, writes, found, place) = ops[number];
            if asks {
                assert_eq!(history.asks(0, writes, at(when)), number as Op);
            } else {
                history.is_answered(number as Op, 0, Answer::Done { found, at: place }, at(when));
                ends.push((when, number as Op));
            }
        }
        history
    }

    #[test]
    fn one_order_explains_what_was_seen_or_none_does() {
        // A write, and a read that overlaps it: both values are right.
        for (found, order) in [(None, [1, 0]), (Some(0), [0, 1])] {
            let both = history(&[(1, 5, true, None, 0), (2, 3, false, found, 0)]);
            assert_eq!(both.is_explained_by(&order), Ok(()), "{found:?}");
            assert_eq!(both.stale, 0);
        }
        // A read that was asked when the write had been answered must find it.
        let stale = history(&[(1, 2, true, None, 0), (3, 4, false, None, 0)]);
        assert!(stale.is_explained_by(&[1, 0]).unwrap_err().contains("comes after it"));
        assert!(stale.is_explained_by(&[0, 1]).unwrap_err().contains("found None"));
        assert_eq!(stale.stale, 1);
        // A read outside of the order stands where it says.
        let read =
            |place| history(&[(1, 2, true, None, 0), (3, 4, true, None, 0), (5, 6, false, Some(0), place)]);
        assert!(read(2).is_explained_by(&[0, 1]).is_err());
        assert!(
            read(1).is_explained_by(&[0, 1]).is_err(),
            "the second write was answered before it was asked"
        );
        assert_eq!(read(2).stale, 1);
        // What nobody answered may have been done, or not.
        let unknown = |order: &[Op]| {
            history(&[(1, 0, true, None, 0), (3, 4, false, Some(0), 1)]).is_explained_by(order)
        };
        assert_eq!(unknown(&[0]), Ok(()));
        let undone = history(&[(1, 0, true, None, 0), (3, 4, false, None, 0)]);
        assert_eq!(undone.is_explained_by(&[]), Ok(()));
    }

    #[test]
    fn a_write_that_was_answered_and_is_gone_is_lost() {
        let two = history(&[(1, 2, true, None, 0), (3, 4, true, None, 0), (5, 0, true, None, 0)]);
        assert_eq!((two.lost(&[0, 1]), two.lost(&[1, 2]), two.lost(&[])), (0, 1, 2));
        assert!(two.is_explained_by(&[1]).is_err());
    }
}
