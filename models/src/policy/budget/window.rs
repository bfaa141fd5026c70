//! Finagle's `RetryBudget`: a share of the calls of the last while, and a floor for who calls seldom.
//!
//! Each call pays in, each retry takes out `1 / ratio` as much, and both are forgotten after `ttl`, a slot at a time, the tenth
//! part of it. What there is besides, the reserve, never leaves: it pays for `min_per_sec * ttl` retries within any `ttl`. So
//! in the long run a client makes `ratio` retries per call and `min_per_sec` a second more: at ten calls a second the
//! defaults let every failure be tried again, and at ten thousand 20.1 % of the calls. What is not used is lost, where
//! [`Ratio`](super::Budget::Ratio) saves it for long.
//!
//! A slot ends with the first call or retry after its time is over, so where little is asked it lasts longer.
//!
//! # Where the libraries differ
//! *Finagle* (`RetryBudget.scala` 0e26b57 on `WindowedAdder.scala` of twitter/util 1bdeab5): ten slots, of which the newest
//! is being filled. The library counts milliseconds; here it is nanoseconds.
//! *tower* (`TpsBudget` of tower 0.5.3), which is taken for the same: when a slot has ended it clears the next one and
//! leaves it out, so of its ten slots five hold anything. It forgets after six tenths of the `ttl`, and its floor is 1.67
//! times what was set. It cuts `1 / ratio` down to a whole number: 0.7 of the calls is all of them, 0.3 a third.

use super::{Library, Paid};
use crate::policy::part::Rationed;
use sim_core::{SimDuration, SimTime};

/// Slots of the `ttl`.
const SLOTS: u32 = 10;
/// The most that tower's retries cost, if a share of at most all of the calls may be tried again.
const TOWER_WHOLE: f32 = 1.0;
const SCALE: f64 = 1000.0;

/// What one client remembers.
#[derive(Clone, Debug)]
pub struct Window {
    terms: Terms,
    paid: Paid,
    library: Library,
    slot: SimDuration,
    /// What slots that are over came to, round and round, and where the next one goes.
    past: [i64; SLOTS as usize],
    next: usize,
    /// What has come to the present one since when.
    present: i64,
    since: SimTime,
}

/// What pays for what.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Terms {
    deposit: i64,
    cost: i64,
    reserve: i64,
}

impl Terms {
    fn new(ratio: f64, min_per_sec: u32, ttl: SimDuration, library: Library) -> Terms {
        let whole = ratio as f32 <= TOWER_WHOLE;
        let (deposit, cost) = match library {
            _ if ratio == 0.0 => (0, 1),
            Library::Finagle => (SCALE as i64, (SCALE / ratio) as i64),
            // The library counts in small floats.
            Library::Tower if whole => (1, (1.0 / ratio as f32) as i64),
            Library::Tower => (SCALE as i64, (SCALE as f32 / ratio as f32) as i64),
        };
        let free = (f64::from(min_per_sec) * ttl.as_secs_f64()) as i64;
        Terms { deposit, cost, reserve: free.saturating_mul(cost) }
    }
}

impl Window {
    /// A client that has called nobody yet.
    pub fn new(ratio: f64, min_per_sec: u32, ttl: SimDuration, paid: Paid, library: Library) -> Self {
        Window {
            terms: Terms::new(ratio, min_per_sec, ttl, library),
            paid,
            library,
            slot: SimDuration::from_nanos(ttl.as_nanos() / u64::from(SLOTS)),
            past: [0; SLOTS as usize],
            next: 0,
            present: 0,
            since: SimTime::ZERO,
        }
    }

    /// A call begins.
    #[inline]
    pub fn on_call(&mut self, now: SimTime) {
        if self.paid == Paid::Calls {
            self.pay_in(now);
        }
    }

    /// An attempt succeeded.
    #[inline]
    pub fn on_success(&mut self, now: SimTime) {
        if self.paid == Paid::Successes {
            self.pay_in(now);
        }
    }

    fn pay_in(&mut self, now: SimTime) {
        self.move_on(now);
        self.present += self.terms.deposit;
    }

    /// Whether there is enough for one more retry; if so it is taken.
    #[must_use]
    pub fn withdraw(&mut self, now: SimTime) -> bool {
        self.move_on(now);
        let kept = self.past.iter().fold(self.present, |sum, slot| sum.saturating_add(*slot));
        let pays = kept.saturating_add(self.terms.reserve) >= self.terms.cost;
        if pays {
            self.present -= self.terms.cost;
        }
        pays
    }

    /// If the present slot is over, the next begins, and what is too old is forgotten.
    fn move_on(&mut self, now: SimTime) {
        let (passed, slot) = (now.since(self.since).as_nanos(), self.slot.as_nanos());
        if passed < slot {
            return;
        }
        self.since = now;
        self.past[self.next] = std::mem::take(&mut self.present);
        let (slots, skipped) = match self.library {
            Library::Finagle => (SLOTS as usize - 1, passed / slot - 1),
            Library::Tower => (SLOTS as usize, passed.div_ceil(slot) - 1),
        };
        self.next = (self.next + 1) % slots;
        for _ in 0..skipped.min(slots as u64) {
            self.past[self.next] = 0;
            self.next = (self.next + 1) % slots;
        }
    }
}

/// Retries of a client that always wants more: per call, and a second.
pub fn sustained(ratio: f64, min_per_sec: u32, library: Library) -> (f64, f64) {
    let terms = Terms::new(ratio, 0, SimDuration::from_secs(1), library);
    // The slots whose retries are remembered, the present one among them.
    let remembered = match library {
        Library::Finagle => SLOTS,
        Library::Tower => SLOTS / 2 + 1,
    };
    let floor = f64::from(min_per_sec) * f64::from(SLOTS) / f64::from(remembered);
    (terms.deposit as f64 / terms.cost as f64, floor)
}

/// Attempts per call.
pub fn rationed(
    ratio: f64,
    min_per_sec: u32,
    paid: Paid,
    library: Library,
    of: &Rationed,
) -> (f64, &'static str) {
    let (ratio, floor) = sustained(ratio, min_per_sec, library);
    let floor = floor * f64::from(of.clients) * of.seconds / of.calls as f64;
    let most = match paid {
        Paid::Calls => ratio + floor,
        Paid::Successes => paid.per_call(ratio, floor, of.p_fail),
    };
    (
        1.0 + most.min(of.unlimited - 1.0),
        "1 + min(p + .. + p^r, ratio + floor / calls per second), approximate: many calls in each slot",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    fn window(ratio: f64, min_per_sec: u32, secs: u64, library: Library) -> Window {
        Window::new(ratio, min_per_sec, SimDuration::from_secs(secs), Paid::Calls, library)
    }

    /// `RetryBudget.scala`: deposit 1000, withdrawal 1000 / percent cut to a whole number, reserve min * ttl * withdrawal;
    /// `tps_budget.rs`: in units of 1 up to all of the calls.
    #[test]
    fn the_terms_are_those_of_the_libraries() {
        use Library::{Finagle, Tower};
        for (library, ratio, min, deposit, cost, reserve) in [
            (Finagle, 0.2, 10, 1000, 5000, 500_000),
            (Finagle, 0.3, 10, 1000, 3333, 333_300),
            (Finagle, 2.0, 1, 1000, 500, 5_000),
            (Finagle, 0.0, 10, 0, 1, 100),
            (Tower, 0.2, 10, 1, 5, 500),
            (Tower, 0.3, 10, 1, 3, 300),
            (Tower, 0.7, 10, 1, 1, 100),
            (Tower, 2.0, 1, 1000, 500, 5_000),
            (Tower, 0.0, 10, 0, 1, 100),
        ] {
            let found = Terms::new(ratio, min, SimDuration::from_secs(10), library);
            assert_eq!(found, Terms { deposit, cost, reserve }, "{library:?}, {ratio}");
        }
    }

    /// The tests of both libraries, which are the same: (milliseconds, pays in or wants to retry, may).
    #[test]
    fn what_the_libraries_own_tests_say() {
        for library in [Library::Finagle, Library::Tower] {
            // Nothing paid in, no floor.
            assert!(!window(1.0, 0, 1, library).withdraw(at(0)));
            // Forgotten after 3 s.
            let mut leaky = window(1.0, 0, 1, library);
            leaky.on_call(at(0));
            assert!(!leaky.withdraw(at(3_000)));
            // Five a second, whatever was paid in.
            let mut floor = window(1.0, 5, 1, library);
            assert_eq!((0..6).filter(|_| floor.withdraw(at(0))).count(), 5);
            let mut slots = window(0.5, 0, 1, library);
            slots.on_call(at(0));
            slots.on_call(at(0));
            assert!(slots.withdraw(at(901)), "900 ms later it still counts");
            for millis in [2_902, 3_203, 4_004] {
                slots.on_call(at(millis));
            }
            assert!(
                slots.withdraw(at(4_004)),
                "the first is forgotten, the second not, with the third it is enough"
            );
        }
    }

    /// `WindowedAdder.scala`, by hand: slots of 100 ms, a deposit, and when it is forgotten while something is asked every so
    /// often. A slot ends with the first question after its time.
    #[test]
    fn when_a_deposit_is_forgotten() {
        for (library, every, forgotten) in [
            // Nine slots after the one in which it was made.
            (Library::Finagle, 100, 1_000),
            (Library::Finagle, 50, 1_000),
            // Each slot lasts 120 ms.
            (Library::Finagle, 60, 1_200),
            (Library::Finagle, 99, 1_980),
            // Four slots of 250 ms pass eight and the one that is being filled.
            (Library::Finagle, 250, 1_250),
            // Slots that end in time are all kept, one more than there are; any other takes its neighbour along.
            (Library::Tower, 100, 1_100),
            (Library::Tower, 60, 720),
            (Library::Tower, 99, 1_188),
        ] {
            let mut window = window(1.0, 0, 1, library);
            window.on_call(at(0));
            let left = |window: &mut Window, millis| {
                window.move_on(at(millis));
                window.present + window.past.iter().sum::<i64>()
            };
            let gone = (1..).map(|n| n * every).find(|millis| left(&mut window, *millis) == 0);
            assert_eq!(gone, Some(forgotten), "{library:?}, every {every} ms");
        }
    }

    /// A client that always wants more: `ratio` retries per call and the floor, of both libraries.
    #[test]
    fn in_the_long_run() {
        for (library, ratio, min, calls, per_sec) in [
            (Library::Finagle, 0.2, 10, 100, 30.0),
            (Library::Finagle, 0.2, 10, 1_000, 210.0),
            (Library::Finagle, 0.0, 10, 100, 10.0),
            (Library::Tower, 0.2, 10, 100, 20.0 + 16.67),
            (Library::Tower, 0.2, 10, 1_000, 216.67),
            (Library::Tower, 0.7, 0, 100, 100.0),
            (Library::Tower, 0.3, 0, 300, 100.0),
        ] {
            let mut window = window(ratio, min, 10, library);
            let mut retries = 0;
            const SECS: u64 = 600;
            for call in 0..SECS * calls {
                // A little off, so that slots do not end in time by chance.
                let now = SimTime::from_nanos(call * 1_000_000_000 / calls + call % 7 * 1_000);
                window.on_call(now);
                while window.withdraw(now) {
                    retries += 1;
                }
            }
            let found = retries as f64 / SECS as f64;
            assert!((found / per_sec - 1.0).abs() < 0.03, "{library:?} {ratio} {min} {calls}: {found}");
            let (per_call, floor) = sustained(ratio, min, library);
            let said = per_call * calls as f64 + floor;
            assert!((said / per_sec - 1.0).abs() < 0.001, "{library:?} {ratio} {min} {calls}: {said}");
        }
    }
}
