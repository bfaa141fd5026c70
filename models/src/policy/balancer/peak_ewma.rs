//! Of two different random replicas the one that would take less long: what it took of late, times what is out there and one more.
//!
//! What it took is an average that follows a longer time at once and a shorter one slowly (Finagle's `PeakEwma`, linkerd's):
//!
//! ```text
//! observe(took)   cost = took                         if took > cost
//!                 cost = cost w + took (1 - w)        otherwise, w = exp(-(time since it was last looked at) / decay)
//! load            observe(0), then cost (pending + 1); of one of which nothing is known yet and something is out: very much
//! ```
//!
//! So one that is slow is left alone until it is forgotten, and tried again, with one attempt that may take as long as before. Nothing is
//! asked about how an attempt ended: one that fails at once is the fastest of all, and one that times out takes as long as that.

use super::take_one;
use super::view::View;
use crate::policy::page::Page;
use sim_core::math::exp;
use sim_core::{SimDuration, SimTime, Words};

/// What Finagle and linkerd take: the time in which what is known loses all but 1/e of its weight.
pub(super) const DECAY: SimDuration = SimDuration::from_secs(10);

/// The load of one of which nothing is known yet: `Long.MaxValue >> 16` in Finagle.
const PENALTY: f64 = (i64::MAX >> 16) as f64;

/// What one client knows of each.
#[derive(Clone, Debug)]
pub(super) struct PeakEwma {
    decay: f64,
    now: SimTime,
    hosts: Box<[Host]>,
}

#[derive(Clone, Debug)]
pub(super) struct Host {
    /// In nanoseconds.
    cost: f64,
    looked: SimTime,
    pending: u32,
}

impl PeakEwma {
    pub(super) fn new(decay: SimDuration, replicas: u32) -> Self {
        let host = Host { cost: 0.0, looked: SimTime::ZERO, pending: 0 };
        PeakEwma {
            decay: decay.as_nanos() as f64,
            now: SimTime::ZERO,
            hosts: vec![host; replicas as usize].into(),
        }
    }

    /// It is so late.
    #[inline]
    pub(super) fn look(&mut self, now: SimTime) {
        self.now = now;
    }

    #[inline(never)]
    pub(super) fn pick(&mut self, view: &View, words: &mut impl Words) -> u32 {
        let n = view.size();
        if n == 1 {
            return view.member(0);
        }
        let first = words.below(u64::from(n)) as u32;
        let second = words.below(u64::from(n - 1)) as u32;
        let second = view.member(second + u32::from(second >= first));
        let first = view.member(first);
        let (one, other) = (self.load(first), self.load(second));
        if other < one { second } else { first }
    }

    fn load(&mut self, replica: u32) -> f64 {
        let (now, decay) = (self.now, self.decay);
        let host = &mut self.hosts[replica as usize];
        host.observe(now, 0.0, decay);
        if host.cost == 0.0 && host.pending > 0 {
            PENALTY + f64::from(host.pending)
        } else {
            host.cost * (f64::from(host.pending) + 1.0)
        }
    }

    #[inline]
    pub(super) fn sent(&mut self, replica: u32) {
        self.hosts[replica as usize].pending += 1;
    }

    #[inline]
    pub(super) fn ended(&mut self, replica: u32) {
        take_one(&mut self.hosts[replica as usize].pending);
    }

    /// An attempt there took so long.
    pub(super) fn took(&mut self, now: SimTime, replica: u32, took: SimDuration) {
        self.hosts[replica as usize].observe(now, took.as_nanos() as f64, self.decay);
    }
}

impl Host {
    fn observe(&mut self, now: SimTime, took: f64, decay: f64) {
        if took > self.cost {
            self.cost = took;
        } else if self.cost > 0.0 {
            let weight = exp(-(now.since(self.looked).as_nanos() as f64) / decay);
            self.cost = self.cost * weight + took * (1.0 - weight);
        }
        self.looked = now;
    }
}

pub(super) const PAGE: Page = Page {
    name: "peak_ewma",
    word: "PeakEwma",
    what: "Of two different random replicas the one whose attempts took less long of late, times those that are out there and one \
           more. A longer time counts at once, a shorter one slowly.",
    hurts: "It does not ask how an attempt ended: a replica that fails at once is the fastest of all and draws calls. With few calls \
            in `decay` what is known is old; and one slow answer of a well replica keeps its share away for that long.",
    formula: "`cost (pending + 1)`; a replica that is `k` times as slow is the worse choice of nearly every pair, and gets what is \
              needed to know that: one attempt whenever `cost` has decayed below what the others take, after `decay ln k`",
    source: "Finagle PeakEwma.scala at 1e8497e (decay 10 s); linkerd; tower `load::PeakEwma`",
    experiment: "slow-replica",
};

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(u64) -> SimTime = SimTime::from_secs;

    /// (seconds, what was observed in ms or a look, cost in ms after it): Finagle's arithmetic by hand, decay 10 s.
    #[test]
    fn up_at_once_and_down_slowly() {
        let mut all = PeakEwma::new(DECAY, 2);
        let e = |x: f64| exp(x);
        let half = 100.0 * e(-1.0) + 20.0 * (1.0 - e(-1.0));
        for (second, took, cost) in [
            (0, Some(5), 5.0),
            (0, Some(100), 100.0),
            (10, Some(20), half),
            (20, None, half * e(-1.0)),
            // The look took the weight of the time before it.
            (20, Some(1), half * e(-1.0)),
            (30, Some(1), half * e(-2.0) + 1.0 - e(-1.0)),
            (31, Some(300), 300.0),
        ] {
            all.look(T(second));
            match took {
                Some(millis) => all.took(T(second), 1, SimDuration::from_millis(millis)),
                None => _ = all.load(1),
            }
            let found = all.hosts[1].cost / 1e6;
            assert!((found / cost - 1.0).abs() < 1e-12, "{second} s: {found} and not {cost}");
        }
    }

    #[test]
    fn who_is_not_known_is_asked_once() {
        let mut all = PeakEwma::new(DECAY, 3);
        assert_eq!(all.load(0), 0.0);
        all.sent(0);
        all.sent(0);
        assert_eq!(all.load(0), PENALTY + 2.0);
        all.took(T(1), 0, SimDuration::from_millis(7));
        all.look(T(1));
        assert_eq!(all.load(0), 21e6);
        all.ended(0);
        assert_eq!(all.load(0), 14e6);
        // One that took less long, and one of which nothing is known and nothing is out, are chosen before it.
        let mut words = sim_core::Streams::new(1).stream("test", "known");
        all.took(T(1), 1, SimDuration::from_millis(6));
        let mut view = View::all(3);
        view.change([0, 1]);
        assert!((0..50).all(|_| all.pick(&view, &mut words) == 1));
        view.change([1, 2]);
        assert!((0..50).all(|_| all.pick(&view, &mut words) == 2));
    }
}
