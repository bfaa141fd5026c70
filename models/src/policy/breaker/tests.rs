use super::super::{ANY_SENT, tests::read};
use super::*;
use crate::experiment::Decode;
use sim_core::{Stream, Streams, Words, math};

fn secs(secs: u64) -> SimDuration {
    SimDuration::from_secs(secs)
}

fn at(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

fn consecutive(failures: u32, open_for: SimDuration, probes: u32) -> BreakerState {
    let (on, scope) = (ANY_SENT.to_vec(), Scope::Attempt);
    BreakerState::new(&Breaker::Consecutive { failures, open_for, probes, on, scope })
}

fn rate(
    threshold: f64,
    window: Window,
    minimum_calls: u32,
    open_for: SimDuration,
    probes: u32,
) -> BreakerState {
    let (on, scope) = (ANY_SENT.to_vec(), Scope::Attempt);
    BreakerState::new(&Breaker::FailureRate { threshold, window, minimum_calls, open_for, probes, on, scope })
}

fn stream(name: &str) -> Stream {
    Streams::new(42).stream("test", name)
}

/// A call that is answered at once; `None` if it was not let in.
fn call(breaker: &mut BreakerState, now: SimTime, outcome: Outcome) -> Option<Option<Transition>> {
    let admission = breaker.try_acquire(now)?;
    Some(breaker.record(now, admission.permit, outcome))
}

fn step(from: Position, to: Position) -> Option<Transition> {
    Some(Transition { from, to })
}

#[test]
fn a_consecutive_breaker_step_by_step() {
    use Outcome::*;
    use Position::*;
    let mut breaker = consecutive(3, secs(30), 1);
    // (milliseconds, outcome of a call that is answered at once, let in, position afterwards)
    for (millis, outcome, let_in, position) in [
        (0, Error, true, Closed),
        (1, TimedOut, true, Closed),
        (2, Ok, true, Closed), // the row starts again
        (3, Rejected, true, Closed),
        (4, Cancelled, true, Closed), // says nothing about the server
        (5, Refused, true, Closed),
        (6, Reset, true, Open),
        (7, Ok, false, Open),
        (30_005, Ok, false, Open),
        (30_006, Error, true, Open), // one probe, failed: open again for as long
        (60_005, Ok, false, Open),
        (60_006, Ok, true, Closed),
        (60_007, Error, true, Closed),
        (60_008, Error, true, Closed), // the failures of before are forgotten
        (60_009, Error, true, Open),
    ] {
        let answered = call(&mut breaker, at(millis), outcome);
        assert_eq!((answered.is_some(), breaker.position()), (let_in, position), "at {millis} ms");
    }
}

/// resilience4j's defaults but for smaller numbers: 4 calls before it judges, 50 %, 3 probes.
#[test]
fn a_failure_rate_breaker_step_by_step() {
    use Outcome::*;
    use Position::*;
    let mut breaker = rate(0.5, Window::Count(6), 4, secs(60), 3);
    for (millis, outcome, let_in, position) in [
        (0, Error, true, Closed),
        (1, Error, true, Closed),
        (2, Error, true, Closed),  // 100 %, but of three calls only
        (3, Ok, true, Open),       // 3 of 4: a success can open it, by completing the minimum
        (60_002, Ok, false, Open), // to the millisecond
        (60_003, Error, true, HalfOpen),
        (60_004, Ok, true, HalfOpen), // all probes are heard
        (60_005, Error, true, Open),  // 2 of 3 failed
        (120_005, Ok, true, HalfOpen),
        (120_006, Error, true, HalfOpen),
        (120_007, Ok, true, Closed), // 1 of 3 failed
        (120_008, Error, true, Closed),
        (120_009, Error, true, Closed),
        (120_010, Ok, true, Closed), // the window is empty after closing: three calls
    ] {
        let answered = call(&mut breaker, at(millis), outcome);
        assert_eq!((answered.is_some(), breaker.position()), (let_in, position), "at {millis} ms");
    }
}

#[test]
fn a_minimum_above_the_window_is_the_window() {
    let mut breaker = rate(0.5, Window::Count(10), 100, secs(60), 1);
    let opened = (1..=100).find(|_| call(&mut breaker, at(0), Outcome::Error).unwrap().is_some());
    assert_eq!(opened, Some(10));
}

#[test]
fn it_stays_open_to_the_nanosecond() {
    let open_for = SimDuration::from_nanos(1_000_000_007);
    let mut breaker = consecutive(1, open_for, 1);
    let opened = SimTime::from_nanos(123);
    assert_eq!(call(&mut breaker, opened, Outcome::Error), Some(step(Position::Closed, Position::Open)));
    let until = opened + open_for;
    assert_eq!(breaker.try_acquire(SimTime::from_nanos(until.as_nanos() - 1)), None);
    let admission = breaker.try_acquire(until).expect("open no longer");
    assert_eq!(admission.transition, step(Position::Open, Position::HalfOpen));
}

/// Claim E4.
#[test]
fn a_total_outage_opens_it_after_exactly_the_threshold() {
    let mut breaker = consecutive(5, secs(30), 1);
    let let_in = (0..1_000).filter(|&i| call(&mut breaker, at(i), Outcome::TimedOut).is_some()).count();
    assert_eq!(let_in, 5);
}

/// Claim E3: a thousand calls at once meet a breaker that has just become half-open.
#[test]
fn exactly_the_limit_of_probes_is_let_in() {
    for probes in [1, 3, 10] {
        for mut breaker in
            [consecutive(1, secs(30), probes), rate(0.5, Window::Count(1), 1, secs(30), probes)]
        {
            call(&mut breaker, at(0), Outcome::Error);
            let permits: Vec<Permit> =
                (0..1_000).filter_map(|_| Some(breaker.try_acquire(at(30_000))?.permit)).collect();
            assert_eq!(permits.len(), probes as usize);
            let steps: Vec<_> = permits
                .into_iter()
                .filter_map(|permit| breaker.record(at(30_050), permit, Outcome::Ok))
                .collect();
            assert_eq!(steps, [Transition { from: Position::HalfOpen, to: Position::Closed }]);
        }
    }
}

#[test]
fn a_cancelled_probe_gives_its_place_back() {
    let mut breaker = consecutive(1, secs(30), 1);
    call(&mut breaker, at(0), Outcome::Error);
    let first = breaker.try_acquire(at(30_000)).unwrap();
    assert_eq!(breaker.try_acquire(at(30_001)), None);
    assert_eq!(breaker.record(at(30_002), first.permit, Outcome::Cancelled), None);
    let second = breaker.try_acquire(at(30_003)).expect("the place is free");
    assert_eq!(second.transition, None, "it was half-open already");
    assert_eq!(
        breaker.record(at(30_004), second.permit, Outcome::Ok),
        step(Position::HalfOpen, Position::Closed)
    );
}

#[test]
fn probes_that_never_return_are_given_up() {
    let mut breaker = rate(0.5, Window::Count(2), 2, secs(30), 3);
    call(&mut breaker, at(0), Outcome::Error);
    call(&mut breaker, at(0), Outcome::Error);
    let answered = breaker.try_acquire(at(30_000)).unwrap();
    let lost = breaker.try_acquire(at(31_000)).unwrap();
    let lost_too = breaker.try_acquire(at(32_000)).unwrap();
    assert_eq!(breaker.record(at(33_000), answered.permit, Outcome::Ok), None);
    assert_eq!(breaker.try_acquire(at(61_999)), None, "the last left less than 30 s ago");
    let again = breaker.try_acquire(at(62_000)).expect("two places are free");
    let and_again = breaker.try_acquire(at(62_000)).expect("two places are free");
    assert_eq!(breaker.try_acquire(at(62_000)), None, "but not three");
    // What was given up says nothing any more, nor does it give a place back.
    assert_eq!(breaker.record(at(62_001), lost.permit, Outcome::Error), None);
    assert_eq!(breaker.record(at(62_001), lost_too.permit, Outcome::Cancelled), None);
    assert_eq!(breaker.try_acquire(at(62_001)), None);
    assert_eq!(breaker.record(at(62_002), again.permit, Outcome::Error), None);
    let closed = breaker.record(at(62_003), and_again.permit, Outcome::Ok);
    assert_eq!(closed, step(Position::HalfOpen, Position::Closed), "one of three failed");
}

#[test]
fn what_an_earlier_epoch_admitted_changes_nothing() {
    let mut breaker = consecutive(1, secs(30), 1);
    let mut sent: Vec<Permit> = (0..6).map(|_| breaker.try_acquire(at(0)).unwrap().permit).collect();
    assert!(breaker.record(at(1), sent.pop().unwrap(), Outcome::Error).is_some());
    // While open.
    assert_eq!(breaker.record(at(2), sent.pop().unwrap(), Outcome::Ok), None);
    let probe = breaker.try_acquire(at(30_001)).unwrap().permit;
    // While half-open: neither a success closes it, nor a failure opens it, nor is a place given back.
    for outcome in [Outcome::Ok, Outcome::Error, Outcome::Cancelled] {
        assert_eq!(breaker.record(at(30_002), sent.pop().unwrap(), outcome), None);
        assert_eq!((breaker.position(), breaker.try_acquire(at(30_002))), (Position::HalfOpen, None));
    }
    assert!(breaker.record(at(30_003), probe, Outcome::Ok).is_some());
    // While closed again.
    assert_eq!(breaker.record(at(30_004), sent.pop().unwrap(), Outcome::Error), None);
    assert_eq!(breaker.position(), Position::Closed);
}

#[test]
fn what_is_not_listed_is_a_success() {
    let on = vec![Failure::TimedOut];
    let (failures, open_for, probes, scope) = (2, secs(30), 1, Scope::Attempt);
    let mut breaker = BreakerState::new(&Breaker::Consecutive { failures, open_for, probes, on, scope });
    for (outcome, position) in [
        (Outcome::TimedOut, Position::Closed),
        (Outcome::Error, Position::Closed),
        (Outcome::TimedOut, Position::Closed),
        (Outcome::TimedOut, Position::Open),
    ] {
        call(&mut breaker, at(0), outcome);
        assert_eq!(breaker.position(), position, "{outcome}");
    }
}

/// Rows of `breaker_consecutive.csv` (reference oracles): threshold, failure probability, mean calls until
/// it opens. The time is nearly geometric for the rare ones, so its deviation is about its mean; the
/// sample's own is used.
#[test]
fn calls_until_consecutive_failures_open_it() {
    for (threshold, p, mean) in [
        (1, 0.1, 10.0),
        (1, 0.5, 2.0),
        (3, 0.2, 155.0),
        (3, 0.5, 14.0),
        (3, 0.9, 3.717421125),
        (5, 0.3, 586.4609053),
        (5, 0.5, 62.0),
        (5, 0.9, 6.935087808),
        (10, 0.7, 114.6711058),
        (20, 0.9, 72.2526334),
    ] {
        const RUNS: u32 = 4_000;
        let mut words = stream(&format!("consecutive/{threshold}/{p}"));
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..RUNS {
            let mut breaker = consecutive(threshold, secs(30), 1);
            let mut calls = 0.0;
            while breaker.position() == Position::Closed {
                calls += 1.0;
                let outcome = if words.unit() < p { Outcome::Error } else { Outcome::Ok };
                call(&mut breaker, at(0), outcome);
            }
            sum += calls;
            squares += calls * calls;
        }
        let runs = f64::from(RUNS);
        let measured = sum / runs;
        let error = ((squares / runs - measured * measured) / runs).sqrt();
        assert!((measured - mean).abs() < 4.0 * error, "{threshold} in a row at {p}: {measured} for {mean}");
    }
}

/// Rows of `breaker_window.csv` (reference oracles): calls in the window, threshold, failure probability,
/// probability that a window is at or above the threshold. A breaker whose minimum is its window judges for
/// the first time at exactly that many calls.
#[test]
fn a_full_window_opens_it_with_the_binomial_tail() {
    for (calls, threshold, p, tail) in [
        (10, 0.5, 0.2, 0.0327934976),
        (10, 0.5, 0.3, 0.1502683326),
        (10, 0.5, 0.5, 0.623046875),
        (20, 0.5, 0.4, 0.2446627967),
        (20, 0.5, 0.6, 0.8724787539),
        (100, 0.5, 0.4, 0.02709919776),
        (100, 0.5, 0.5, 0.5397946187),
        (100, 0.1, 0.08, 0.2780220192),
        (100, 0.1, 0.12, 0.7743481049),
        (1000, 0.1, 0.1, 0.5154177096),
    ] {
        let runs = 4_000_000 / calls.max(400);
        let windows = [Window::Count(calls), Window::Time(secs(10))];
        for window in windows {
            let mut words = stream(&format!("{window:?}/{calls}/{threshold}/{p}"));
            let mut opened = 0u32;
            for _ in 0..runs {
                let mut breaker = rate(threshold, window.clone(), calls, secs(30), 1);
                for i in 0..calls {
                    assert_eq!(breaker.position(), Position::Closed, "judged early");
                    let outcome = if words.unit() < p { Outcome::Error } else { Outcome::Ok };
                    call(&mut breaker, at(u64::from(i)), outcome);
                }
                opened += u32::from(breaker.position() == Position::Open);
            }
            let measured = f64::from(opened) / f64::from(runs);
            let error = (tail * (1.0 - tail) / f64::from(runs)).sqrt();
            assert!((measured - tail).abs() < 4.0 * error, "{calls} {threshold} {p}: {measured} for {tail}");
        }
    }
}

/// Claim C17: with nothing but failures, 10 calls per second, 30 s open and 3 probes, a cycle is
/// `30 s + 3 / rate` and 0.99 % of the calls get through (`breaker_duty_cycle.csv`).
#[test]
fn the_duty_cycle_of_a_total_outage() {
    const CYCLES: u32 = 3_000;
    let mut words = stream("duty");
    let mut breaker = rate(0.5, Window::Count(1), 1, secs(30), 3);
    call(&mut breaker, SimTime::ZERO, Outcome::Error);
    let (mut now, mut let_in, mut cycles, mut began) = (SimTime::ZERO, 0, 0, SimTime::ZERO);
    while cycles < CYCLES {
        now = now + SimDuration::from_nanos_f64(-math::ln(words.open_unit()) * 1e8);
        if let Some(step) = call(&mut breaker, now, Outcome::TimedOut) {
            let_in += 1;
            if step.is_some() {
                cycles += 1;
                began = now;
            }
        }
    }
    assert_eq!(let_in, 3 * CYCLES);
    let cycle = began.as_secs_f64() / f64::from(CYCLES);
    let error = (3.0 * 0.01 / f64::from(CYCLES)).sqrt();
    assert!((cycle - 30.3).abs() < 4.0 * error, "{cycle}");
    assert!((3.0 / cycle / 10.0 - 0.00990).abs() < 0.00001, "{cycle}");
}

/// The same rules over complete histories: slow, and obvious.
struct Naive {
    spec: Breaker,
    position: Position,
    since: SimTime,
    /// What ended while closed: when, and whether it failed.
    log: Vec<(SimTime, bool)>,
    /// Half-open: every probe of this period, when it left, and what became of it.
    probes: Vec<(SimTime, Fate)>,
    /// Closed periods and half-open ones, to tell permits apart.
    period: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Out,
    Succeeded,
    Failed,
    Cancelled,
    GivenUp,
}

impl Naive {
    fn limit(&self) -> usize {
        let (Breaker::Consecutive { probes, .. } | Breaker::FailureRate { probes, .. }) = self.spec;
        probes as usize
    }

    fn count(&self, fate: Fate) -> usize {
        self.probes.iter().filter(|probe| probe.1 == fate).count()
    }

    /// (period, number of the probe)
    fn try_acquire(&mut self, now: SimTime) -> Option<(usize, usize)> {
        if self.position == Position::Open {
            if now.since(self.since) < self.spec.open_for() {
                return None;
            }
            (self.position, self.period) = (Position::HalfOpen, self.period + 1);
            self.probes.clear();
        }
        if self.position == Position::HalfOpen {
            let taken = |naive: &Naive| {
                naive
                    .probes
                    .iter()
                    .filter(|p| matches!(p.1, Fate::Out | Fate::Succeeded | Fate::Failed))
                    .count()
            };
            if taken(self) == self.limit() {
                if now.since(self.probes.last().unwrap().0) < self.spec.open_for() {
                    return None;
                }
                for probe in &mut self.probes {
                    if probe.1 == Fate::Out {
                        probe.1 = Fate::GivenUp;
                    }
                }
            }
            self.probes.push((now, Fate::Out));
        }
        Some((self.period, self.probes.len().wrapping_sub(1)))
    }

    fn record(&mut self, now: SimTime, (period, probe): (usize, usize), outcome: Outcome) {
        if period != self.period || self.position == Position::Open {
            return;
        }
        let cancelled = outcome == Outcome::Cancelled;
        let failed = outcome != Outcome::Ok;
        if self.position == Position::Closed {
            if !cancelled {
                self.log.push((now, failed));
                if self.too_many(now) {
                    (self.position, self.since) = (Position::Open, now);
                }
            }
            return;
        }
        if self.probes[probe].1 == Fate::GivenUp {
            return;
        }
        self.probes[probe].1 = match outcome {
            _ if cancelled => Fate::Cancelled,
            Outcome::Ok => Fate::Succeeded,
            _ => Fate::Failed,
        };
        let (good, bad) = (self.count(Fate::Succeeded), self.count(Fate::Failed));
        let complete = good + bad == self.limit();
        let verdict = match self.spec {
            Breaker::Consecutive { .. } if bad > 0 => Some(Position::Open),
            Breaker::FailureRate { threshold, .. }
                if complete && bad as f64 / (good + bad) as f64 >= threshold =>
            {
                Some(Position::Open)
            }
            _ if complete => Some(Position::Closed),
            _ => None,
        };
        if let Some(position) = verdict {
            (self.position, self.since) = (position, now);
            self.period += 1;
            self.log.clear();
        }
    }

    fn too_many(&self, now: SimTime) -> bool {
        match self.spec {
            Breaker::Consecutive { failures, .. } => {
                self.log.iter().rev().take_while(|call| call.1).count() == failures as usize
            }
            Breaker::FailureRate { threshold, ref window, minimum_calls, .. } => {
                let (held, minimum): (Vec<bool>, u32) = match *window {
                    Window::Count(size) => {
                        let held = self.log.iter().rev().take(size as usize).map(|call| call.1).collect();
                        (held, minimum_calls.min(size))
                    }
                    Window::Time(length) => {
                        let bucket = |time: SimTime| time.as_nanos() / (length.as_nanos() / 10);
                        let recent = |call: &&(SimTime, bool)| bucket(now) - bucket(call.0) < 10;
                        (self.log.iter().filter(recent).map(|call| call.1).collect(), minimum_calls)
                    }
                };
                let failed = held.iter().filter(|&&failed| failed).count();
                held.len() >= minimum as usize && failed as f64 / held.len() as f64 >= threshold
            }
        }
    }
}

#[test]
fn it_does_what_a_naive_breaker_does() {
    let mut steps = 0;
    for case in 0..400u64 {
        let mut words = stream(&format!("differential/{case}"));
        let (on, scope) = (ANY_SENT.to_vec(), Scope::Attempt);
        let (open_for, probes) = (SimDuration::from_millis(1 + words.below(300)), 1 + words.below(4) as u32);
        let spec = if words.below(3) == 0 {
            Breaker::Consecutive { failures: 1 + words.below(5) as u32, open_for, probes, on, scope }
        } else {
            let window = match words.below(2) {
                0 => Window::Count(1 + words.below(80) as u32),
                _ => Window::Time(SimDuration::from_millis(10 * (1 + words.below(50)))),
            };
            // Quarters are exact in binary, so that the naive division agrees at the threshold.
            let threshold = [0.25, 0.5, 0.75, 1.0][words.below(4) as usize];
            let minimum_calls = 1 + words.below(20) as u32;
            Breaker::FailureRate { threshold, window, minimum_calls, open_for, probes, on, scope }
        };
        let mut breaker = BreakerState::new(&spec);
        let (log, held) = (Vec::new(), Vec::new());
        let mut naive =
            Naive { spec, position: Position::Closed, since: SimTime::ZERO, log, probes: held, period: 0 };
        let mut out = Vec::new();
        let mut now = SimTime::ZERO;
        let mut health = 0;
        for _ in 0..2_000 {
            now = now + SimDuration::from_micros(words.below(10_000));
            if words.below(100) == 0 {
                health = words.below(101);
            }
            if out.is_empty() || words.below(2) == 0 {
                let before = breaker.position();
                let admission = breaker.try_acquire(now);
                let expected = naive.try_acquire(now);
                assert_eq!(
                    admission.is_some(),
                    expected.is_some(),
                    "case {case} at {now:?}: {:?}",
                    naive.spec
                );
                if let Some((admission, expected)) = admission.zip(expected) {
                    let changed = before != breaker.position();
                    assert_eq!(admission.transition.is_some(), changed);
                    steps += u32::from(changed);
                    out.push((admission.permit, expected));
                }
            } else {
                let (permit, expected) = out.swap_remove(words.below(out.len() as u64) as usize);
                let outcome = match words.below(100) {
                    0..10 => Outcome::Cancelled,
                    _ if words.below(100) < health => Outcome::Ok,
                    _ => Outcome::TimedOut,
                };
                // Some never come back.
                if words.below(50) > 0 {
                    let before = breaker.position();
                    let transition = breaker.record(now, permit, outcome);
                    naive.record(now, expected, outcome);
                    let to = breaker.position();
                    assert_eq!(transition, (before != to).then_some(Transition { from: before, to }));
                    steps += u32::from(before != to);
                }
            }
            assert_eq!(breaker.position(), naive.position, "case {case} at {now:?}: {:?}", naive.spec);
        }
    }
    assert!(steps > 10_000, "only {steps} steps were compared");
}

#[test]
fn defaults_are_filled_in() {
    let rest = "on: [Error, Rejected, Refused, Reset, TimedOut], scope: Attempt";
    let rate =
        r#"FailureRate(threshold: 0.5, window: Count(100), minimum_calls: 100, open_for: "60s", probes: 10"#;
    for (written, full) in
        [("Consecutive()", r#"Consecutive(failures: 5, open_for: "30s", probes: 1"#), ("FailureRate()", rate)]
    {
        let read = |text: &str| read::<Breaker>(text).unwrap().0.encode();
        assert_eq!(read(written), read(&format!("{full}, {rest})")));
    }
}

#[test]
fn contradictions_are_found() {
    for (written, message) in [
        ("Consecutive(failures: 0)", "got 0, allowed 1 to"),
        ("Consecutive(probes: 0)", "got 0, allowed 1 to"),
        (r#"Consecutive(open_for: "0s")"#, "it would never be open"),
        ("Consecutive(on: [BreakerOpen])", "nothing is learnt of what was not sent"),
        ("FailureRate(threshold: 0)", "reached without a single failure"),
        ("FailureRate(threshold: 50)", "is 50 % meant?"),
        (r#"FailureRate(window: Time("0s"))"#, "must be longer than 0"),
        ("FailureRate(window: Count(0))", "got 0, allowed 1 to"),
        ("FailureRate(minimum_calls: 0)", "got 0, allowed 1 to"),
    ] {
        let found = read::<Breaker>(written).unwrap_err();
        assert!(found.contains(message), "{written}: {found}");
    }
}
