//! Facebook's variant of CoDel, for servers (Maurer, "Fail at Scale", ACM Queue 2015): a queue that has not been empty for an
//! `interval` is standing, and whoever comes to it may wait `target`; whoever comes to one that was empty lately may wait
//! `interval`. With 5 ms and 100 ms, which they found to need no tuning.
//!
//! ```text
//! onNewRequest(req, queue):
//!   if (queue.lastEmptyTime() < (now - N seconds)) timeout = M ms
//!   else                                           timeout = N seconds
//!   queue.enqueue(req, timeout)
//! ```
//!
//! So it drops all that is too much at once, where CoDel itself drops one and waits: its senders need not slow down. Together
//! with [last in, first out](crate::service_graph::service::queue) when the queue is long, those who are served come at once, and
//! the others hear so soon. (`folly::Codel`, in Thrift's servers, looks at the least wait of the last interval instead, and drops what waited
//! more than twice the target in the next.)

use sim_core::{SimDuration, SimTime};

/// One queue.
#[derive(Clone, Debug)]
pub struct FacebookCoDel {
    target: SimDuration,
    interval: SimDuration,
    /// When it was last empty; it is not, if anybody waits.
    empty: SimTime,
}

impl FacebookCoDel {
    /// Of an empty queue.
    pub fn new(target: SimDuration, interval: SimDuration) -> Self {
        FacebookCoDel { target, interval, empty: SimTime::ZERO }
    }

    /// Somebody comes to an empty queue.
    pub fn begins(&mut self, now: SimTime) {
        self.empty = now;
    }

    /// How long whoever came then, and still waits, may do so: as long as it waits the queue has not been empty.
    pub fn patience(&self, since: SimTime) -> SimDuration {
        if since > self.empty + self.interval { self.target } else { self.interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule as the paper prints it, with M = 5 ms and N = 100 ms: (empty, came, may wait), in milliseconds.
    #[test]
    fn a_queue_that_was_empty_lately_may_be_waited_in_longer() {
        let ms = |ms: u64| SimDuration::from_nanos(ms * 1_000_000);
        let at = |millis: u64| SimTime::ZERO + ms(millis);
        let mut codel = FacebookCoDel::new(ms(5), ms(100));
        for (empty, came, patience) in [
            (0, 0, 100),
            (0, 100, 100),
            (0, 101, 5),
            (300, 300, 100),
            (300, 400, 100),
            (300, 401, 5),
            (300, 900, 5),
        ] {
            codel.begins(at(empty));
            assert_eq!(codel.patience(at(came)), ms(patience), "empty at {empty}, came at {came}");
        }
    }
}
