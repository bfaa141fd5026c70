//! A turn for each tenant: whoever asks for much waits for himself.
//!
//! Each tenant has a line of its own, and they are served in turn, one request each (Nagle, RFC 970, 1985; with turns of equal length
//! in bytes that is deficit round robin, Shreedhar and Varghese 1995; here requests of all tenants are alike). A tenant that asks for less
//! than its share of what can be done gets what it asks for, and what it leaves is shared out among the others: the max-min fair share.
//!
//! A full queue does not keep out a tenant that has less in it than another: of the longest line the last to come gives its place up, as
//! in stochastic fair queueing (McKenney 1990; Linux `sch_sfq`). So nobody fills the queue for all.
//!
//! Whoever is of no tenant is of one together with all others of whom that is so.

use super::adaptive_lifo::AdaptiveLifo;
use super::offer::{Known, Ticket};
use priority_queue::PriorityQueue;
use rustc_hash::FxBuildHasher;
use std::cmp::Reverse;
use std::collections::VecDeque;

/// The lowest bits of a ticket say which line: as many as there may be tenants waiting at once.
const BITS: u32 = 24;

/// Requests by whose they are.
#[derive(Clone)]
pub struct Fair<T> {
    /// The line of each tenant, by its number and 1, if it has one now: its number and 1. Those of no tenant come first.
    of_tenant: Vec<u32>,
    lines: Vec<Own<T>>,
    /// Lines that nobody has.
    free: Vec<u32>,
    /// The lines that somebody has, whose turn is first: once each. One may be empty by now.
    turns: VecDeque<u32>,
    /// The same by their length, and of equal ones the lowest first.
    lengths: PriorityQueue<u32, (usize, Reverse<u32>), FxBuildHasher>,
    waiting: usize,
}

/// The line of one tenant.
#[derive(Clone)]
struct Own<T> {
    tenant: usize,
    waiting: AdaptiveLifo<T>,
}

fn place_of(known: &Known) -> usize {
    known.carried.tenant.map_or(0, |tenant| tenant as usize + 1)
}

impl<T: Copy + PartialEq> Fair<T> {
    pub fn new() -> Self {
        Fair {
            of_tenant: Vec::new(),
            lines: Vec::new(),
            free: Vec::new(),
            turns: VecDeque::new(),
            lengths: PriorityQueue::default(),
            waiting: 0,
        }
    }

    /// One more waits.
    pub fn push(&mut self, request: T, known: Known) -> Ticket {
        let tenant = place_of(&known);
        if self.of_tenant.len() <= tenant {
            self.of_tenant.resize(tenant + 1, 0);
        }
        let line = match self.of_tenant[tenant] {
            0 => self.begin(tenant),
            line => line - 1,
        };
        let Ticket(place) = self.lines[line as usize].waiting.push(request);
        self.waiting += 1;
        self.note(line);
        Ticket(place << BITS | u64::from(line))
    }

    /// A tenant has a line from now on, and its turn when all others have had theirs.
    fn begin(&mut self, tenant: usize) -> u32 {
        let line = self.free.pop().unwrap_or_else(|| {
            self.lines.push(Own { tenant, waiting: AdaptiveLifo::new(0) });
            self.lines.len() as u32 - 1
        });
        assert!(line < 1 << BITS, "more tenants wait at once than have a number");
        self.lines[line as usize].tenant = tenant;
        self.of_tenant[tenant] = line + 1;
        self.turns.push_back(line);
        line
    }

    /// Keeps how long a line is.
    fn note(&mut self, line: u32) {
        let length = self.lines[line as usize].waiting.len();
        self.lengths.push(line, (length, Reverse(line)));
    }

    /// The next one leaves.
    pub fn take(&mut self) -> Option<T> {
        while let Some(line) = self.turns.pop_front() {
            let own = &mut self.lines[line as usize];
            let next = own.waiting.take_oldest();
            if own.waiting.len() > 0 {
                self.turns.push_back(line);
                self.note(line);
            } else {
                self.of_tenant[own.tenant] = 0;
                self.free.push(line);
                self.lengths.remove(&line);
            }
            if next.is_some() {
                self.waiting -= 1;
                return next;
            }
        }
        None
    }

    /// Who is next.
    pub fn next(&self) -> Option<T> {
        self.turns.iter().find_map(|line| self.lines[*line as usize].waiting.oldest())
    }

    /// Whoever gives up its place for one of whom that is known, if somebody does.
    pub fn displace(&mut self, known: Known) -> Option<T> {
        let (&longest, &(length, _)) = self.lengths.peek()?;
        let own = match self.of_tenant.get(place_of(&known)) {
            None | Some(0) => 0,
            Some(line) => self.lines[*line as usize - 1].waiting.len(),
        };
        // With its own it would be no shorter.
        if own + 1 >= length {
            return None;
        }
        let gone = self.lines[longest as usize].waiting.take();
        self.waiting -= usize::from(gone.is_some());
        self.note(longest);
        gone
    }

    pub fn remove(&mut self, request: T, Ticket(ticket): Ticket) -> bool {
        let line = (ticket & ((1 << BITS) - 1)) as u32;
        let Some(own) = self.lines.get_mut(line as usize) else { return false };
        let removed = own.waiting.remove(request, Ticket(ticket >> BITS));
        if removed {
            self.waiting -= 1;
            self.note(line);
        }
        removed
    }

    pub fn len(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carried::Carried;
    use sim_core::SimTime;

    fn of(tenant: Option<u32>) -> Known {
        let carried = Carried { tenant, ..Carried::default() };
        Known { since: SimTime::ZERO, until: SimTime::MAX, carried }
    }

    fn all(queue: &mut Fair<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.take()).collect()
    }

    /// Hundreds are a tenant's.
    fn filled(requests: &[u32]) -> (Fair<u32>, Vec<Ticket>) {
        let mut queue = Fair::new();
        let tickets = requests.iter().map(|n| queue.push(*n, of(Some(n / 100)))).collect();
        (queue, tickets)
    }

    #[test]
    fn each_has_its_turn() {
        let (mut queue, _) = filled(&[100, 101, 102, 103, 200, 300, 301]);
        assert_eq!((queue.next(), queue.len()), (Some(100), 7));
        assert_eq!(all(&mut queue), [100, 200, 300, 101, 301, 102, 103]);
        // Who comes again has its turn after those who are there.
        let (mut queue, _) = filled(&[100, 101, 200, 201]);
        assert_eq!(queue.take(), Some(100));
        assert_eq!(queue.take(), Some(200));
        queue.push(300, of(Some(3)));
        queue.push(7, of(None));
        assert_eq!(all(&mut queue), [101, 201, 300, 7]);
        assert_eq!((queue.len(), queue.lines.len(), queue.lengths.len()), (0, 4, 0), "lines are used again");
    }

    #[test]
    fn whoever_leaves_out_of_turn_leaves_the_others_theirs() {
        let (mut queue, tickets) = filled(&[100, 200, 101, 300]);
        assert!(
            queue.remove(200, tickets[1]) && !queue.remove(200, tickets[1]) && !queue.remove(101, tickets[0])
        );
        assert_eq!((queue.next(), queue.len()), (Some(100), 3));
        queue.push(201, of(Some(2)));
        assert_eq!(all(&mut queue), [100, 201, 300, 101], "an empty line keeps its turn until that comes");
    }

    #[test]
    fn the_longest_line_gives_up_its_last() {
        let (mut queue, _) = filled(&[100, 101, 102, 200]);
        assert_eq!(queue.displace(of(Some(1))), None, "it has most itself");
        assert_eq!(queue.displace(of(Some(2))), Some(102), "it has 1, and with one more 2 of 3");
        assert_eq!(queue.displace(of(Some(2))), None, "it would have as many");
        assert_eq!(queue.displace(of(None)), Some(101));
        assert_eq!(queue.displace(of(Some(9))), None, "one each");
        assert_eq!(all(&mut queue), [100, 200]);
        assert_eq!(queue.displace(of(None)), None, "nobody is there");
    }
}
