//! The goodput of all users together, window by window, and when it is fine.
//!
//! Goodput is judged as a share of what was offered in the same stretch of time, so that neither a schedule nor
//! the luck of Poisson arrivals looks like a failure; a backlog that drains gives more than was offered, which is
//! fine too. What chance alone does is allowed for: the deviation of calls that fail by luck as often as before,
//! `n p (1-p)`, and of calls that begin in one stretch and end in the next, twice those normally in flight. Four
//! standard deviations, but never more than half: less than half of normal is never normal. With a call in ten
//! seconds, ten seconds tell little.
//!
//! The share has a blind side: users of a closed loop who wait offer less. Where there are such users, goodput
//! is held against what it was before as well, whatever is offered.

use crate::report::count::{ratio, sum};
use crate::report::head::Report;
use std::ops::Range;

/// This much of normal is fine.
pub const FINE: f64 = 0.95;
/// Less than this much of normal is never normal.
pub const LOST: f64 = 0.5;
/// How many standard deviations are chance.
const DEVIATIONS: f64 = 4.0;

/// The calls of all users: how many by the beginning of each window, and by the end.
pub struct Users {
    /// Some of them wait for an answer before they call again.
    closed_loop: bool,
    started: Vec<u64>,
    ok: Vec<u64>,
    ended: Vec<u64>,
}

impl Users {
    pub fn of(report: &Report) -> Self {
        let windows =
            || report.edges.iter().filter(|(_, edge)| edge.from_users).map(|(_, edge)| &edge.windows);
        let count = windows().map(|windows| windows.started.len()).max().unwrap_or(0);
        let closed_loop = report.edges.iter().any(|(_, edge)| edge.closed_loop);
        let mut users = Users { closed_loop, started: vec![0], ok: vec![0], ended: vec![0] };
        for window in 0..count {
            let at = window..window + 1;
            let (mut started, mut ok, mut ended) =
                (users.started[window], users.ok[window], users.ended[window]);
            for edge in windows() {
                started += sum(&edge.started, &at);
                ok += sum(&edge.ok, &at);
                ended += sum(&edge.ok, &at) + sum(&edge.failed, &at);
            }
            users.started.push(started);
            users.ok.push(ok);
            users.ended.push(ended);
        }
        users
    }

    pub fn windows(&self) -> usize {
        self.started.len() - 1
    }

    pub fn started(&self, windows: &Range<usize>) -> u64 {
        self.started[windows.end] - self.started[windows.start]
    }

    fn ok(&self, windows: &Range<usize>) -> u64 {
        self.ok[windows.end] - self.ok[windows.start]
    }

    /// Calls in flight when that window begins.
    pub fn waiting(&self, window: usize) -> u64 {
        self.started[window].saturating_sub(self.ended[window])
    }

    /// Goodput as a share of what was offered; absent if nothing was.
    pub fn share(&self, windows: &Range<usize>) -> Option<f64> {
        ratio(self.ok(windows), self.started(windows))
    }

    /// Goodput as a share of what it normally is: of what was offered, or, where users wait for answers, of what
    /// it was. Absent if nothing was offered.
    pub fn of_normal(&self, windows: &Range<usize>, normal: &Normal) -> Option<f64> {
        match normal.closed_loop_rate {
            Some(rate) if rate > 0.0 => Some(self.ok(windows) as f64 / (rate * windows.len() as f64)),
            _ => self.share(windows).map(|share| share / normal.share),
        }
    }

    /// Whether goodput is what it normally is, by the rule above.
    pub fn fine(&self, windows: &Range<usize>, normal: &Normal) -> bool {
        let (started, ok) = (self.started(windows) as f64, self.ok(windows) as f64);
        if let Some(rate) = normal.closed_loop_rate {
            let expected = rate * windows.len() as f64;
            let allowance = (DEVIATIONS * expected.sqrt()).min(LOST * expected);
            if ok + allowance < FINE * expected {
                return false;
            }
        }
        if started == 0.0 {
            // Nothing was asked. But users who all wait for an answer that never comes ask nothing either.
            let waiting = self.waiting(windows.start);
            let anything_ended = self.ended[windows.end] > self.ended[windows.start];
            return anything_ended || waiting == 0 || (waiting as f64) < normal.waiting;
        }
        let expected = normal.share * started;
        let chance = expected * (1.0 - normal.share) + 2.0 * normal.waiting;
        let allowance = (DEVIATIONS * chance.sqrt()).min(LOST * expected);
        ok + allowance >= FINE * expected
    }
}

/// What was normal before the first disturbance.
#[derive(Clone, Copy)]
pub struct Normal {
    /// Goodput as a share of what was offered.
    pub share: f64,
    /// Mean calls in flight.
    waiting: f64,
    /// Calls that ended well per window, if some users wait for answers.
    pub closed_loop_rate: Option<f64>,
    /// Whether anything was measured then, or all that is offered is taken as normal.
    pub measured: bool,
}

impl Normal {
    pub fn of(users: &Users, windows: &Range<usize>) -> Self {
        match users.share(windows) {
            // Above 1 if what began during the warm-up ended after it.
            Some(share) => {
                let waiting: u64 = windows.clone().map(|window| users.waiting(window)).sum();
                let waiting = waiting as f64 / windows.len() as f64;
                let rate = users.ok(windows) as f64 / windows.len() as f64;
                let closed_loop_rate = users.closed_loop.then_some(rate);
                Normal { share: share.min(1.0), waiting, closed_loop_rate, measured: true }
            }
            None => Normal { measured: false, ..Normal::everything(0.0) },
        }
    }

    /// As if every call were answered, with so many in flight.
    pub fn everything(waiting: f64) -> Self {
        Normal { share: 1.0, waiting, closed_loop_rate: None, measured: true }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::VerdictKind::*;
    use crate::report::synthetic::{Second, disturbed, run};
    use crate::report::{Report, judge};

    fn judged(mut report: Report) -> Report {
        judge(&mut report);
        report
    }

    /// Poisson arrivals, exponential response times, calls that fail by luck.
    fn noisy(seed: u64, rate: f64, response: f64, p_fail: f64, fails: impl Fn(f64) -> bool) -> Report {
        let mut state = seed;
        let mut uniform = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut seconds = vec![Second::default(); 300];
        let mut now = 0.0;
        loop {
            now -= sim_core::math::ln(1.0 - uniform()) / rate;
            if now >= 300.0 {
                break;
            }
            seconds[now as usize].started += 1;
            let end = now - sim_core::math::ln(1.0 - uniform()) * response;
            let failed = uniform() < p_fail || fails(now);
            if let Some(second) = seconds.get_mut(end as usize) {
                if failed { second.failed += 1 } else { second.ok += 1 }
            }
        }
        run(300, |second| seconds[second as usize])
    }

    #[test]
    fn luck_at_low_rates_does_not_flip_the_verdict() {
        for seed in 0..60 {
            for (rate, response, p_fail) in
                [(20.0, 0.05, 0.0), (20.0, 0.5, 0.01), (20.0, 0.05, 0.1), (5.0, 0.2, 0.02), (20.0, 3.0, 0.0)]
            {
                let healthy = noisy(seed, rate, response, p_fail, |_| false);
                let steady = judged(healthy.clone()).verdict.kind;
                assert_eq!(
                    steady,
                    if p_fail < 0.05 { Steady } else { Failing },
                    "{seed} {rate} {response} {p_fail}"
                );
                let report = judged(disturbed(healthy, "slow", 60, Some(90)));
                assert_eq!(
                    (report.verdict.kind, report.summary.time_to_recover),
                    (Recovered, Some(0)),
                    "{seed} {rate} {response} {p_fail}"
                );
            }
        }
    }

    #[test]
    fn luck_does_not_hide_a_failure_at_low_rates() {
        for seed in 0..60 {
            for rate in [1.0, 5.0, 20.0] {
                let dead = disturbed(noisy(seed, rate, 0.05, 0.01, |now| now > 60.0), "slow", 60, Some(90));
                assert_eq!(judged(dead).verdict.kind, NeverRecovered, "{seed} {rate}");
            }
            // Every third call fails for good.
            let mut calls = 0;
            let third = std::cell::RefCell::new(&mut calls);
            let lame = noisy(seed, 20.0, 0.05, 0.01, |now| {
                **third.borrow_mut() += 1;
                now > 60.0 && **third.borrow() % 3 == 0
            });
            assert_eq!(judged(disturbed(lame, "slow", 60, Some(90))).verdict.kind, Degraded, "{seed}");
        }
    }
}
