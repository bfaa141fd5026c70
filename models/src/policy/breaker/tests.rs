use super::super::{ANY_SENT, tests::read};
use super::*;
use crate::experiment::Decode;
use sim_core::{Stream, Streams, Words, math};

fn state(breaker: &Breaker) -> BreakerState {
    BreakerState::new(breaker, &mut stream("breaker"))
}

fn secs(secs: u64) -> SimDuration {
    SimDuration::from_secs(secs)
}

fn at(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

fn consecutive(failures: u32, open_for: SimDuration, probes: u32) -> BreakerState {
    let (on, scope) = (ANY_SENT.to_vec(), Scope::Attempt);
    state(&Breaker::Consecutive {
        counts: CountedFailures::InARow,
        closes_after: None,
        failures,
        open_for,
        probes,
        on,
        scope,
        guards: Guarded::All,
        per: Whose::Service,
        shared: false,
        recovery: None,
    })
}

fn rate(
    threshold: f64,
    window: Window,
    minimum_calls: u32,
    open_for: SimDuration,
    probes: u32,
) -> BreakerState {
    let (on, scope) = (ANY_SENT.to_vec(), Scope::Attempt);
    let (slow_call, guards, recovery) = (None, Guarded::All, None);
    state(&Breaker::FailureRate {
        threshold,
        window,
        minimum_calls,
        open_for,
        probes,
        on,
        scope,
        slow_call,
        guards,
        per: Whose::Service,
        shared: false,
        recovery,
    })
}

fn stream(name: &str) -> Stream {
    Streams::new(42).stream("test", name)
}

/// A call that is answered at once; `None` if it was not let in.
fn call(breaker: &mut BreakerState, now: SimTime, outcome: Outcome) -> Option<Option<Transition>> {
    let admission = breaker.try_acquire(now)?;
    Some(breaker.record(now, admission.permit, outcome, None))
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
                .filter_map(|permit| breaker.record(at(30_050), permit, Outcome::Ok, None))
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
    assert_eq!(breaker.record(at(30_002), first.permit, Outcome::Cancelled, None), None);
    let second = breaker.try_acquire(at(30_003)).expect("the place is free");
    assert_eq!(second.transition, None, "it was half-open already");
    assert_eq!(
        breaker.record(at(30_004), second.permit, Outcome::Ok, None),
        step(Position::HalfOpen, Position::Closed)
    );
}

#[test]
fn probes_that_never_return_are_given_up() {
    let mut breaker = rate(0.5, Window::Count(2), 3, secs(30), 3);
    call(&mut breaker, at(0), Outcome::Error);
    call(&mut breaker, at(0), Outcome::Error);
    let answered = breaker.try_acquire(at(30_000)).unwrap();
    let lost = breaker.try_acquire(at(31_000)).unwrap();
    let lost_too = breaker.try_acquire(at(32_000)).unwrap();
    assert_eq!(breaker.record(at(33_000), answered.permit, Outcome::Ok, None), None);
    assert_eq!(breaker.try_acquire(at(61_999)), None, "the last left less than 30 s ago");
    let again = breaker.try_acquire(at(62_000)).expect("two places are free");
    let and_again = breaker.try_acquire(at(62_000)).expect("two places are free");
    assert_eq!(breaker.try_acquire(at(62_000)), None, "but not three");
    // What was given up says nothing any more, nor does it give a place back.
    assert_eq!(breaker.record(at(62_001), lost.permit, Outcome::Error, None), None);
    assert_eq!(breaker.record(at(62_001), lost_too.permit, Outcome::Cancelled, None), None);
    assert_eq!(breaker.try_acquire(at(62_001)), None);
    assert_eq!(breaker.record(at(62_002), again.permit, Outcome::Error, None), None);
    let closed = breaker.record(at(62_003), and_again.permit, Outcome::Ok, None);
    assert_eq!(closed, step(Position::HalfOpen, Position::Closed), "one of three failed");
}

#[test]
fn what_an_earlier_epoch_admitted_changes_nothing() {
    let mut breaker = consecutive(1, secs(30), 1);
    let mut sent: Vec<Permit> = (0..6).map(|_| breaker.try_acquire(at(0)).unwrap().permit).collect();
    assert!(breaker.record(at(1), sent.pop().unwrap(), Outcome::Error, None).is_some());
    // While open.
    assert_eq!(breaker.record(at(2), sent.pop().unwrap(), Outcome::Ok, None), None);
    let probe = breaker.try_acquire(at(30_001)).unwrap().permit;
    // While half-open: neither a success closes it, nor a failure opens it, nor is a place given back.
    for outcome in [Outcome::Ok, Outcome::Error, Outcome::Cancelled] {
        assert_eq!(breaker.record(at(30_002), sent.pop().unwrap(), outcome, None), None);
        assert_eq!((breaker.position(), breaker.try_acquire(at(30_002))), (Position::HalfOpen, None));
    }
    assert!(breaker.record(at(30_003), probe, Outcome::Ok, None).is_some());
    // While closed again.
    assert_eq!(breaker.record(at(30_004), sent.pop().unwrap(), Outcome::Error, None), None);
    assert_eq!(breaker.position(), Position::Closed);
}

#[test]
fn what_is_not_listed_is_a_success() {
    let on = vec![Failure::TimedOut];
    let (failures, open_for, probes, scope) = (2, secs(30), 1, Scope::Attempt);
    let (guards, recovery) = (Guarded::All, None);
    let mut breaker = state(&Breaker::Consecutive {
        counts: CountedFailures::InARow,
        closes_after: None,
        failures,
        open_for,
        probes,
        on,
        scope,
        guards,
        per: Whose::Service,
        shared: false,
        recovery,
    });
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
    let mut breaker = rate(0.5, Window::Count(1), 3, secs(30), 3);
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
        let complete = match self.spec {
            Breaker::FailureRate { minimum_calls, .. } => {
                good + bad == self.limit().min(minimum_calls as usize)
            }
            Breaker::Consecutive { .. } => good + bad == self.limit(),
        };
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
        let (guards, recovery) = (Guarded::All, None);
        let (open_for, probes) = (SimDuration::from_millis(1 + words.below(300)), 1 + words.below(4) as u32);
        let spec = if words.below(3) == 0 {
            Breaker::Consecutive {
                counts: CountedFailures::InARow,
                closes_after: None,
                failures: 1 + words.below(5) as u32,
                open_for,
                probes,
                on,
                scope,
                guards,
                per: Whose::Service,
                shared: false,
                recovery,
            }
        } else {
            let window = match words.below(2) {
                0 => Window::Count(1 + words.below(80) as u32),
                _ => Window::Time(SimDuration::from_millis(10 * (1 + words.below(50)))),
            };
            // Quarters are exact in binary, so that the naive division agrees at the threshold.
            let threshold = [0.25, 0.5, 0.75, 1.0][words.below(4) as usize];
            let minimum_calls = 1 + words.below(20) as u32;
            Breaker::FailureRate {
                threshold,
                window,
                minimum_calls,
                open_for,
                probes,
                on,
                scope,
                slow_call: None,
                guards,
                per: Whose::Service,
                shared: false,
                recovery,
            }
        };
        let mut breaker = state(&spec);
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
                    let transition = breaker.record(now, permit, outcome, None);
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
    let rest = "on: [Error, Rejected, Refused, Reset, TimedOut], scope: Attempt, guards: All, per: Service, shared: false, recovery: None";
    let rate =
        r#"FailureRate(threshold: 0.5, window: Count(100), minimum_calls: 100, open_for: "60s", probes: 10"#;
    for (written, full) in [
        (
            "Consecutive()",
            r#"Consecutive(failures: 5, counts: InARow, open_for: "30s", probes: 1, closes_after: None"#,
        ),
        ("FailureRate()", rate),
    ] {
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
        ("FailureRate(slow_call: (rate: 0))", "reached without a single slow call"),
        (r#"FailureRate(slow_call: (threshold: "0s"))"#, "must be longer than 0"),
        ("Consecutive(guards: Retries, scope: Call)", "asked once for each call"),
        ("Consecutive(per: Replica(), scope: Call)", "knows no replica"),
        ("Consecutive(per: Replica(picks: 101))", "0 to 100"),
        ("Consecutive(probes: 2, closes_after: 3)", "3 probes never succeed where 2 are let in"),
        ("Consecutive(recovery: (factor: 0.5))", "allowed 1.0 to 100.0"),
        ("Consecutive(recovery: (jitter: 2))", "allowed 0.0 to 1.0"),
        (r#"Consecutive(recovery: (cap: "1min"))"#, "nothing grows"),
        (r#"Consecutive(recovery: (factor: 2, cap: "29s"))"#, "the cap (29s) is shorter"),
    ] {
        let found = read::<Breaker>(written).unwrap_err();
        assert!(found.contains(message), "{written}: {found}");
    }
}

fn read_state(text: &str) -> BreakerState {
    state(&read::<Breaker>(text).unwrap_or_else(|said| panic!("{said}")).0)
}

/// resilience4j's `CircuitBreakerMetrics`: what takes longer than the threshold is slow, and counts beside what failed; half-open
/// as closed.
#[test]
fn a_slow_call_breaker_step_by_step() {
    use Outcome::{Error, Ok};
    use Position::*;
    let mut breaker = read_state(
        r#"FailureRate(window: Count(4), open_for: "10s", probes: 2, slow_call: (threshold: "1s", rate: 0.75))"#,
    );
    for (millis, took, outcome, let_in, position) in [
        (0, 1_001, Ok, true, Closed),
        (1, 1_000, Ok, true, Closed), // no longer than that
        (2, 5_000, Ok, true, Closed),
        (3, 10, Error, true, Closed), // 2 of 4 are slow, 1 of 4 failed
        (4, 10, Ok, true, Closed),
        (5, 2_000, Ok, true, Closed),
        (6, 2_000, Ok, true, Closed), // the first slow ones have left: 2 of 4
        (7, 2_000, Ok, true, Open),   // 3 of 4
        (8, 10, Ok, false, Open),
        (10_007, 3_000, Ok, true, HalfOpen),
        (10_008, 10, Ok, true, Closed), // 1 of 2 probes
        (10_009, 10, Ok, true, Closed),
        (10_010, 9_000, Ok, true, Closed),
        (10_011, 9_000, Ok, true, Closed),
        (10_012, 9_000, Ok, true, Open),
        (20_012, 2_000, Ok, true, HalfOpen),
        (20_013, 2_000, Ok, true, Open), // both
    ] {
        let admission = breaker.try_acquire(at(millis));
        let answered = admission.is_some();
        if let Some(admission) = admission {
            let took = Some(SimDuration::from_millis(took));
            breaker.record(at(millis), admission.permit, outcome, took);
        }
        assert_eq!((answered, breaker.position()), (let_in, position), "at {millis} ms");
    }
}

/// resilience4j's half-open state is a window of as many calls as may probe, so a smaller minimum is enough.
#[test]
fn half_open_a_minimum_is_enough() {
    for (minimum, probes, closes_after) in [(100, 3, 3), (2, 3, 2), (1, 10, 1)] {
        let mut breaker = rate(0.5, Window::Count(100), minimum, secs(10), probes);
        (0..minimum).for_each(|_| _ = call(&mut breaker, at(0), Outcome::Error));
        assert_eq!(breaker.position(), Position::Open);
        let closed = (1..).find(|_| {
            call(&mut breaker, at(10_000), Outcome::Ok).expect("let in");
            breaker.position() == Position::Closed
        });
        assert_eq!(closed, Some(closes_after), "{minimum} of {probes}");
    }
}

/// Half-open for longer than it may be, it is open again from that moment on, whoever notices.
#[test]
fn half_open_for_too_long() {
    use Position::*;
    let text = r#"Consecutive(failures: 1, open_for: "10s", probes: 3, recovery: (max_half_open: "5s"))"#;
    let half_open = || {
        let mut breaker = read_state(text);
        call(&mut breaker, at(0), Outcome::Error);
        let probe = breaker.try_acquire(at(10_000)).expect("a probe");
        assert_eq!(probe.transition, step(Open, HalfOpen));
        (breaker, probe.permit)
    };
    // In time.
    let (mut breaker, _out) = half_open();
    assert!(breaker.try_acquire(at(14_999)).is_some() && breaker.untold().is_none());
    // Whoever asks finds it open, and it has been since then.
    let (mut breaker, out) = half_open();
    assert_eq!(breaker.try_acquire(at(16_000)), None);
    assert_eq!((breaker.untold(), breaker.untold()), (step(HalfOpen, Open), None));
    assert_eq!(breaker.record(at(16_001), out, Outcome::Ok, None), None, "too late");
    assert_eq!(breaker.try_acquire(at(24_999)), None);
    assert_eq!(breaker.try_acquire(at(25_000)).expect("a probe").transition, step(Open, HalfOpen));
    // A probe that comes back then changes nothing more.
    let (mut breaker, out) = half_open();
    assert_eq!(breaker.record(at(15_000), out, Outcome::Ok, None), step(HalfOpen, Open));
    // Nobody asked while it was open: it is half-open as before, with new places.
    let (mut breaker, _out) = half_open();
    let probes: Vec<Admission> = (0..4).filter_map(|_| breaker.try_acquire(at(60_000))).collect();
    assert!(probes.len() == 3 && probes.iter().all(|probe| probe.transition.is_none()));
    assert_eq!(breaker.untold(), None);
}

/// Opened a second time in a row it stays open twice as long, and once it has closed everything passes bit by bit.
#[test]
fn it_comes_back_by_and_by() {
    use Position::*;
    let mut breaker = read_state(
        r#"Consecutive(failures: 1, open_for: "10s", recovery: (factor: 2, cap: "1min", ramp: "4s"))"#,
    );
    for (millis, outcome, let_in, position) in [
        (0, Outcome::Error, true, Open),
        (9_999, Outcome::Ok, false, Open),
        (10_000, Outcome::Error, true, Open), // 20 s from now on
        (29_999, Outcome::Ok, false, Open),
        (30_000, Outcome::Error, true, Open), // 40 s
        (69_999, Outcome::Ok, false, Open),
        (70_000, Outcome::Ok, true, Closed),
        // A quarter, a half, three quarters: 0.25, 0.75, 1.5, 1.25.
        (71_000, Outcome::Ok, false, Closed),
        (72_000, Outcome::Ok, false, Closed),
        (73_000, Outcome::Ok, true, Closed),
        (73_000, Outcome::Ok, true, Closed),
        (73_000, Outcome::Ok, true, Closed),
        (73_000, Outcome::Ok, false, Closed),
        (74_000, Outcome::Ok, true, Closed),
        (74_000, Outcome::Error, true, Open), // 10 s again
        (83_999, Outcome::Ok, false, Open),
        (84_000, Outcome::Ok, true, Closed),
    ] {
        let answered = call(&mut breaker, at(millis), outcome);
        assert_eq!((answered.is_some(), breaker.position()), (let_in, position), "at {millis} ms");
    }
}

#[test]
fn what_it_watches_and_does_not_stop_counts_while_it_is_closed() {
    let mut breaker = read_state(r#"Consecutive(failures: 2, open_for: "10s", guards: Retries)"#);
    assert!(breaker.guards_retries());
    for _ in 0..2 {
        let permit = breaker.watched().expect("it is closed");
        breaker.record(at(0), permit, Outcome::Error, None);
    }
    assert_eq!(breaker.position(), Position::Open);
    assert_eq!((breaker.watched(), breaker.try_acquire(at(1))), (None, None));
    let probe = breaker.try_acquire(at(10_000)).expect("a probe");
    assert_eq!(breaker.watched(), None, "half-open only probes are heard");
    assert!(breaker.record(at(10_001), probe.permit, Outcome::Ok, None).is_some());
    assert!(breaker.watched().is_some());
}

/// Rows of `breaker_consecutive.csv` (reference oracles), last column: a counter that no success resets opens after `k / p`
/// calls on average, and half-open everything passes until the first answer.
#[test]
fn a_breaker_that_never_forgets() {
    let text = r#"Consecutive(failures: 5, counts: InAll, open_for: "10s", probes: 10000, closes_after: 1)"#;
    for (p, mean) in [(0.01, 500.0), (0.1, 50.0), (0.5, 10.0)] {
        const RUNS: u32 = 2_000;
        let mut words = stream(&format!("in all/{p}"));
        let mut calls = 0;
        for _ in 0..RUNS {
            let mut breaker = read_state(text);
            while breaker.position() == Position::Closed {
                calls += 1;
                let outcome = if words.unit() < p { Outcome::Error } else { Outcome::Ok };
                call(&mut breaker, at(0), outcome);
            }
        }
        // A sum of five geometric times.
        let (measured, error) = (f64::from(calls) / f64::from(RUNS), mean / (5.0 * f64::from(RUNS)).sqrt());
        assert!((measured - mean).abs() < 4.0 * error, "{p}: {measured} for {mean}");
    }
    let mut breaker = read_state(text);
    (0..5).for_each(|_| _ = call(&mut breaker, at(0), Outcome::Error));
    let mut probes: Vec<Admission> = (0..51).filter_map(|_| breaker.try_acquire(at(10_000))).collect();
    assert_eq!(probes.len(), 51);
    let first = probes.pop().expect("a probe").permit;
    assert_eq!(
        breaker.record(at(10_050), first, Outcome::Ok, None),
        step(Position::HalfOpen, Position::Closed)
    );
}
