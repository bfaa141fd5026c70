//! Which messages come after one that was sent later (RFC 4737, "reordered").
//!
//! Of those that are on their way the arrivals are kept that nobody has overtaken so far. They rise, in the order in which they were
//! sent: whoever would arrive before the last of them has overtaken it. So each message is put down once and taken off once.

use sim_core::SimTime;
use std::collections::VecDeque;

/// The messages that go one way.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Arrivals of those that are on their way and were not overtaken, in rising order.
    due: VecDeque<SimTime>,
}

impl Order {
    /// One is sent `now` and arrives `then`: how many it overtakes that nobody had overtaken.
    pub fn sent(&mut self, now: SimTime, then: SimTime) -> u64 {
        while self.due.front().is_some_and(|due| *due <= now) {
            self.due.pop_front();
        }
        let mut overtaken = 0;
        while self.due.back().is_some_and(|due| *due > then) {
            self.due.pop_back();
            overtaken += 1;
        }
        self.due.push_back(then);
        overtaken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Streams, Words};

    #[test]
    fn who_comes_after_one_that_was_sent_later_was_overtaken() {
        let mut words = Streams::new(1).stream("test", "order");
        let (mut order, mut sent, mut found) = (Order::default(), Vec::new(), 0);
        for now in 0..2_000u64 {
            let then = now + words.below(20);
            found += order.sent(SimTime::from_nanos(now), SimTime::from_nanos(then));
            sent.push(then);
        }
        let late = |(place, then): &(usize, &u64)| sent[place + 1..].iter().any(|later| later < *then);
        let expected = sent.iter().enumerate().filter(late).count() as u64;
        assert_eq!(found, expected);
        assert!(expected > 500, "{expected}");
    }
}
