use super::*;
use crate::policy::tests::read;
use sim_core::{SimDuration, Streams};

const T: fn(u64) -> SimTime = SimTime::from_secs;

/// A client that looks first after one interval.
fn client(text: &str, replicas: u32) -> OutlierState {
    let outlier = read::<Outlier>(text).unwrap_or_else(|said| panic!("{said}")).0;
    let mut state = OutlierState::new(&outlier, replicas, &mut Streams::new(1).stream("test", text));
    assert!(state.next > SimTime::ZERO && state.next <= SimTime::ZERO + outlier.interval);
    state.next = SimTime::ZERO + outlier.interval;
    state
}

fn hears(state: &mut OutlierState, now: SimTime, replica: u32, times: u32, outcome: Outcome) {
    (0..times).for_each(|_| _ = state.ended(now, replica, outcome));
}

fn out(state: &OutlierState) -> Vec<u32> {
    (0..state.hosts.len() as u32).filter(|replica| state.is_ejected(*replica)).collect()
}

/// `OutlierDetectorImplTest.EjectTimeBackoff` of Envoy: the first, second and third ejection last 10, 20, 30 s; two looks in peace
/// later it is 20 s again, and after a long time 10 s.
#[test]
fn the_time_grows_and_shrinks_as_in_envoys_own_test() {
    let mut state = client(r#"(base_ejection_time: "10s", max_ejection_percent: 100)"#, 1);
    for (ejected_at, back_at) in [(0, 10), (10, 30), (30, 60), (80, 100), (610, 620)] {
        hears(&mut state, T(ejected_at), 0, 4, Outcome::Error);
        assert!(!state.is_ejected(0), "four in a row at {ejected_at} s");
        assert!(state.ended(T(ejected_at), 0, Outcome::Error), "the fifth");
        for second in (ejected_at..back_at).step_by(5) {
            state.look(T(second));
            assert!(state.is_ejected(0), "{second} s");
        }
        assert!(state.look(T(back_at)) && !state.is_ejected(0), "back at {back_at} s");
    }
    assert_eq!(state.moved.len(), 10);
}

/// `OutlierDetectorImplTest.EjectTimeBackoffTimeBasedDetection`: the same of one that fails by rate, in periods of 10 s.
#[test]
fn one_that_fails_by_rate_goes_at_the_look() {
    let mut state = client(
        r#"(consecutive: None, success_rate: None, failure_percentage: (minimum_hosts: 1), base_ejection_time: "10s", max_ejection_percent: 100)"#,
        1,
    );
    use Outcome::{Error, Ok};
    // What is heard during each period, and whether it is out after the look at its end.
    let periods = [
        (Some(Error), true),
        (None, false),
        (Some(Error), true),
        (None, true),
        (None, false),
        (Some(Ok), false),
        (Some(Ok), false),
        (Some(Error), true),
        (None, false),
    ];
    for (number, (heard, is_out)) in periods.into_iter().enumerate() {
        let start = number as u64 * 10;
        heard.into_iter().for_each(|outcome| hears(&mut state, T(start + 1), 0, 100, outcome));
        state.look(T(start + 10));
        assert_eq!(state.is_ejected(0), is_out, "period {}", number + 1);
    }
}

/// What is no answer says nothing; what is not listed is as good as an answer; one success begins the row anew.
#[test]
fn failures_in_a_row() {
    use Outcome::*;
    for (text, heard, is_out) in [
        ("", vec![Error; 5], true),
        ("", vec![Error; 4], false),
        ("", vec![Error, Rejected, Refused, Reset, TimedOut], true),
        ("", vec![Error, Error, Ok, Error, Error, Error], false),
        ("", vec![Error, Error, Cancelled, Error, InFlight, Error, Error], true),
        (
            "on: [Rejected, Refused, Reset, TimedOut],",
            vec![Rejected, Rejected, Error, Reset, Reset, Reset],
            false,
        ),
        ("on: [Error], consecutive: 2,", vec![Reset, Error, Reset, Error, Error], true),
        ("consecutive: None,", vec![Error; 50], false),
    ] {
        let mut state = client(&format!("({text} max_ejection_percent: 100)"), 2);
        for outcome in &heard {
            state.ended(T(1), 1, *outcome);
        }
        assert_eq!(out(&state), if is_out { vec![1] } else { vec![] }, "{text} {heard:?}");
    }
}

/// One too many is spared and has another five before it is asked again.
#[test]
fn whom_there_is_no_room_for_is_spared() {
    let mut state = client("(max_ejection_percent: 50)", 4);
    (0..3).for_each(|replica| hears(&mut state, T(1), replica, 5, Outcome::Error));
    assert_eq!(out(&state), [0, 1]);
    hears(&mut state, T(2), 2, 4, Outcome::Error);
    assert_eq!(state.spared, 1);
    hears(&mut state, T(2), 2, 1, Outcome::Error);
    let (moved, spared) = state.untold();
    let moved: Vec<(u32, bool)> = moved.map(|moved| (moved.replica, moved.ejected)).collect();
    assert_eq!((moved, spared), (vec![(0, true), (1, true)], 2));
    assert_eq!(state.untold().1, 0);
}

/// One that is out may still hear of what it was sent before: that neither prolongs it nor begins a row for later.
#[test]
fn what_comes_late_counts_for_nothing() {
    let mut state = client("(max_ejection_percent: 100)", 2);
    hears(&mut state, T(1), 0, 9, Outcome::Error);
    assert_eq!((out(&state), state.hosts[0].often), (vec![0], 1));
    assert!(!state.look(T(39)), "1 s and 30 s are over at 31 s, and the next look is at 40 s");
    assert!(state.look(T(40)));
    hears(&mut state, T(40), 0, 4, Outcome::Error);
    assert!(out(&state).is_empty());
}

/// The comment in `successRateEjectionThreshold`: of 50, 100, 100, 100, 100 the mean is 90, the deviation 20, and 1.9 of them below it 52.
#[test]
fn far_below_the_others() {
    let rates = [(0, 50.0), (1, 100.0), (2, 100.0), (3, 100.0), (4, 100.0)];
    assert_eq!(threshold(&rates, 1.9), 52.0);
    // Of so many successes of 100 each of five: who is out after the look.
    for (good, is_out) in [
        ([100; 5], &[][..]),
        ([50, 100, 100, 100, 100], &[0]),
        ([0, 100, 100, 100, 0], &[]),
        ([99, 100, 100, 100, 100], &[0]),
        ([0; 5], &[]),
        ([100, 100, 100, 100, 99], &[4]),
    ] {
        let mut state = client("(consecutive: None, max_ejection_percent: 100)", 5);
        for (replica, good) in good.into_iter().enumerate() {
            hears(&mut state, T(1), replica as u32, good, Outcome::Ok);
            hears(&mut state, T(1), replica as u32, 100 - good, Outcome::Error);
        }
        state.look(T(9));
        assert!(out(&state).is_empty());
        state.look(T(10));
        assert_eq!(out(&state), is_out, "{good:?}");
    }
    // One that was asked too seldom is not compared, and leaves too few.
    let mut state = client("(consecutive: None, max_ejection_percent: 100)", 5);
    (1..4).for_each(|replica| hears(&mut state, T(1), replica, 100, Outcome::Ok));
    hears(&mut state, T(1), 0, 100, Outcome::Error);
    hears(&mut state, T(1), 4, 99, Outcome::Ok);
    state.look(T(10));
    assert!(out(&state).is_empty());
    // What was heard before the last look is forgotten.
    hears(&mut state, T(11), 4, 99, Outcome::Ok);
    state.look(T(20));
    assert!(out(&state).is_empty());
}

/// The same, look by look, and nothing made up for: Envoy's `onIntervalTimer`.
struct Naive {
    rules: Outlier,
    on: OutcomeSet,
    next: SimTime,
    hosts: Vec<NaiveHost>,
}

#[derive(Clone, Default)]
struct NaiveHost {
    in_a_row: u32,
    heard: u32,
    good: u32,
    often: u32,
    ejected: Option<SimTime>,
    back: Option<SimTime>,
}

impl Naive {
    fn eject(&mut self, host: usize, now: SimTime) {
        let (base, max) = (self.rules.base_ejection_time.as_nanos(), self.rules.longest().as_nanos());
        let gone = self.hosts.iter().filter(|host| host.ejected.is_some()).count() as u32;
        if self.hosts[host].ejected.is_none() && self.rules.may_go(gone, self.hosts.len() as u32) {
            self.hosts[host].ejected = Some(now);
            if u64::from(self.hosts[host].often) * base < max + base {
                self.hosts[host].often += 1;
            }
        }
    }

    fn look(&mut self, now: SimTime) {
        while self.next <= now {
            let at = self.next;
            for host in &mut self.hosts {
                let long = self.rules.base_ejection_time.saturating_mul(host.often.into());
                if host.ejected.is_some_and(|since| long.min(self.rules.longest()) <= at.since(since)) {
                    (host.ejected, host.back, host.in_a_row) = (None, Some(at), 0);
                }
            }
            let rate = |host: &NaiveHost| f64::from(host.good) * 100.0 / f64::from(host.heard);
            let valid = |hosts: &[NaiveHost], volume: u32| -> Vec<(u32, f64)> {
                let all = hosts.iter().enumerate();
                let all = all.filter(|(_, host)| host.ejected.is_none() && host.heard >= volume.max(1));
                all.map(|(n, host)| (n as u32, rate(host))).collect()
            };
            let by_rate = self.rules.success_rate.map(|rule| (rule, valid(&self.hosts, rule.request_volume)));
            let by_limit =
                self.rules.failure_percentage.map(|rule| (rule, valid(&self.hosts, rule.request_volume)));
            if let Some((rule, rates)) =
                by_rate.filter(|(rule, rates)| rates.len() >= rule.minimum_hosts as usize)
            {
                let far = threshold(&rates, rule.stdev_factor);
                rates
                    .iter()
                    .filter(|(_, rate)| *rate < far)
                    .for_each(|(host, _)| self.eject(*host as usize, at));
            }
            if let Some((rule, rates)) =
                by_limit.filter(|(rule, rates)| rates.len() >= rule.minimum_hosts as usize)
            {
                let fails = rates.iter().filter(|(_, rate)| 100.0 - rate >= f64::from(rule.threshold));
                fails.for_each(|(host, _)| self.eject(*host as usize, at));
            }
            for host in &mut self.hosts {
                (host.heard, host.good) = (0, 0);
                if host.ejected.is_none()
                    && host.back.is_some_and(|back| at.since(back) >= self.rules.interval)
                {
                    host.often = host.often.saturating_sub(1);
                }
            }
            self.next = at + self.rules.interval;
        }
    }

    fn ended(&mut self, now: SimTime, host: usize, outcome: Outcome) {
        self.look(now);
        self.hosts[host].heard += 1;
        if self.on.contains(outcome) {
            self.hosts[host].in_a_row += 1;
            if Some(self.hosts[host].in_a_row) == self.rules.consecutive && self.hosts[host].ejected.is_none()
            {
                self.eject(host, now);
                self.hosts[host].in_a_row = 0;
            }
        } else {
            self.hosts[host].good += 1;
            self.hosts[host].in_a_row = 0;
        }
    }
}

#[test]
fn made_up_for_it_is_as_if_each_look_had_been_taken() {
    let texts = [
        r#"(interval: "1s", base_ejection_time: "3s", max_ejection_percent: 60)"#,
        r#"(interval: "2s", base_ejection_time: "1s", max_ejection_time: "5s", max_ejection_percent: 100, consecutive: 2)"#,
        r#"(consecutive: None, interval: "5s", base_ejection_time: "7s", max_ejection_percent: 50, success_rate: (minimum_hosts: 3, request_volume: 4, stdev_factor: 1), failure_percentage: (minimum_hosts: 1, request_volume: 3, threshold: 70))"#,
        r#"(consecutive: 3, interval: "1s", base_ejection_time: "1s", always_eject_one: true, failure_percentage: (minimum_hosts: 2, request_volume: 2, threshold: 50))"#,
    ];
    let mut went = 0;
    for text in texts {
        for seed in 0..20 {
            let mut words = Streams::new(seed).stream("test", text);
            let mut state = client(text, 6);
            let mut naive = Naive {
                rules: (*state.rules).clone(),
                on: state.on,
                next: state.next,
                hosts: vec![NaiveHost::default(); 6],
            };
            let mut now = SimTime::ZERO;
            for _ in 0..3_000 {
                // Mostly little time passes; now and then as much as many looks take.
                let most = [1, 300, 300, 3_000, 100_000][words.below(5) as usize];
                now = now + SimDuration::from_millis(words.below(most));
                let host = words.below(6) as u32;
                let bad = words.below(6) < [5, 5, 1, 1, 3, 0][host as usize];
                let outcome = if bad { Outcome::Error } else { Outcome::Ok };
                state.ended(now, host, outcome);
                naive.ended(now, host as usize, outcome);
                let theirs: Vec<u32> =
                    (0..6).filter(|host| naive.hosts[*host as usize].ejected.is_some()).collect();
                assert_eq!(out(&state), theirs, "{text}, seed {seed} at {now:?}");
                assert_eq!(state.ejected() as usize, theirs.len());
                for (ours, theirs) in state.hosts.iter().zip(&naive.hosts) {
                    assert_eq!((ours.often, ours.in_a_row), (theirs.often, theirs.in_a_row), "{text}");
                }
                assert!(state.marked.len() <= 6);
            }
            went += state.untold().0.filter(|moved| moved.ejected).count();
        }
    }
    assert!(went > 5_000, "they were at work: {went}");
}
