//! When an open workload calls: a unit-rate stream through the inverted cumulative rate.
//!
//! With rate λ(t) and Λ(t) = ∫₀ᵗ λ, the k-th arrival is at Λ⁻¹(Γₖ), where Γₖ is the k-th point of a
//! process of rate 1 (Poisson: sums of unit exponentials; even: 1, 2, 3 ..). A variant that changes λ
//! therefore meets the same users in the same order, only sooner or later.

use super::curve::{Bursts, Curve, Growth, Wave};
use super::recording::Says;
use super::{Arrivals, Between, Spacing};
use sim_core::sampler::standard_exponential;
use sim_core::{Key, Luck, Rate, SimDuration, SimTime, StreamUse};

/// What is drawn of how long each stretch of a rate lasts.
const BURSTS: &str = "bursts";

/// A stretch over which the rate moves in a straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    /// Where it begins, in seconds.
    start: f64,
    /// Where it ends, in seconds; infinite for the last.
    end: f64,
    /// Rate at `start`, per second.
    rate: f64,
    /// Change of the rate per second.
    slope: f64,
}

impl Segment {
    /// Λ over the whole segment.
    fn mass(&self) -> f64 {
        let length = self.end - self.start;
        if length.is_infinite() {
            return if self.rate > 0.0 { f64::INFINITY } else { 0.0 };
        }
        (self.rate + self.slope * length / 2.0) * length
    }

    /// The time at which Λ since `start` reaches `mass`.
    fn at(&self, mass: f64) -> f64 {
        if self.slope == 0.0 {
            return self.start + mass / self.rate;
        }
        // slope/2 x² + rate x = mass, the root that stays finite as the slope vanishes.
        let discriminant = (self.rate * self.rate + 2.0 * self.slope * mass).max(0.0);
        self.start + 2.0 * mass / (self.rate + discriminant.sqrt())
    }
}

/// The arrivals of one open workload.
#[derive(Clone, Debug)]
pub struct Schedule {
    segments: Vec<Segment>,
    segment: usize,
    /// Λ consumed of the current segment.
    consumed: f64,
    even: bool,
    /// What they follow where there are no segments.
    curve: Option<Box<Curve>>,
}

impl Schedule {
    /// `None` for a closed loop, which has no schedule.
    pub fn new(arrivals: &Arrivals) -> Option<Self> {
        let flat = |start: f64, end: f64, rate: f64| Segment { start, end, rate, slope: 0.0 };
        let forever = f64::INFINITY;
        let mut curve = None;
        let (segments, spacing) = match arrivals {
            Arrivals::Poisson(rate) => (vec![flat(0.0, forever, rate.get())], Spacing::Poisson),
            Arrivals::Constant(rate) => (vec![flat(0.0, forever, rate.get())], Spacing::Even),
            Arrivals::Ramp { from, to, at, over, spacing } => {
                let (start, length) = (at.as_secs_f64(), over.as_secs_f64());
                let ramp = Segment {
                    start,
                    end: start + length,
                    rate: from.get(),
                    slope: (to.get() - from.get()) / length,
                };
                (
                    vec![flat(0.0, start, from.get()), ramp, flat(start + length, forever, to.get())],
                    spacing.clone(),
                )
            }
            Arrivals::Steps { steps, spacing } => {
                let ends = steps.iter().skip(1).map(|step| step.at.as_secs_f64()).chain([forever]);
                let flats = steps.iter().zip(ends);
                let segments = flats.map(|(step, end)| flat(step.at.as_secs_f64(), end, step.rate.get()));
                (segments.collect(), spacing.clone())
            }
            Arrivals::Spike { base, peak, at, r#for, spacing } => {
                let (start, end) = (at.as_secs_f64(), at.as_secs_f64() + r#for.as_secs_f64());
                let segments = vec![
                    flat(0.0, start, base.get()),
                    flat(start, end, peak.get()),
                    flat(end, forever, base.get()),
                ];
                (segments, spacing.clone())
            }
            Arrivals::Burst { count, at } => {
                curve = Some(Curve::Burst(*at, *count));
                (Vec::new(), Spacing::Even)
            }
            Arrivals::Growth { from, to, doubles_in, at, spacing } => {
                let (at, doubles_in) = (at.as_secs_f64(), doubles_in.as_secs_f64());
                curve = Some(Curve::Growth(Growth { from: from.get(), to: to.get(), at, doubles_in }));
                (Vec::new(), spacing.clone())
            }
            Arrivals::Diurnal { mean, amplitude, period, peak_at, spacing } => {
                let (period, peak_at) = (period.as_secs_f64(), peak_at.as_secs_f64());
                curve = Some(Curve::Wave(Wave { mean: mean.get(), amplitude: *amplitude, period, peak_at }));
                (Vec::new(), spacing.clone())
            }
            Arrivals::Bursty { states } => {
                curve = Some(Curve::Bursts(Bursts::new(states)));
                (Vec::new(), Spacing::Poisson)
            }
            Arrivals::Replay { file, scale, between, spacing } => match file.says() {
                Says::Rates(rates) => (recorded(rates, *scale, between), spacing.clone()),
                Says::Arrivals(times) => {
                    curve = Some(Curve::Recorded(times.clone(), 0));
                    (Vec::new(), Spacing::Even)
                }
                Says::Unread => unreachable!("what is run was read"),
            },
            Arrivals::ClosedLoop { .. } => return None,
        };
        let even = matches!(spacing, Spacing::Even);
        Some(Schedule { segments, segment: 0, consumed: 0.0, even, curve: curve.map(Box::new) })
    }

    /// The next arrival, whose luck is at `key`; `None` if no more will come.
    #[inline(always)]
    pub fn next(&mut self, luck: &mut Luck, key: Key) -> Option<SimTime> {
        self.consumed += if self.even { 1.0 } else { standard_exponential(&mut luck.at(key)) };
        loop {
            let Some(segment) = self.segments.get(self.segment) else { return self.next_on_curve() };
            if segment.slope == 0.0 && segment.end.is_infinite() {
                if segment.rate == 0.0 {
                    return None;
                }
            } else {
                let mass = segment.mass();
                if self.consumed >= mass {
                    self.consumed -= mass;
                    self.segment += 1;
                    continue;
                }
            }
            return Some(at_seconds(segment.at(self.consumed)));
        }
    }

    #[cold]
    fn next_on_curve(&mut self) -> Option<SimTime> {
        self.curve.as_mut()?.reaches(&mut self.consumed).map(at_seconds)
    }

    /// Whence it draws what is no arrival, if it does, by what that is.
    pub fn draws_from(&mut self, luck: impl FnOnce(&'static str) -> Luck) {
        if let Some(curve) = &mut self.curve {
            curve.draws_from(|| luck(BURSTS));
        }
    }

    /// What it has drawn of that.
    pub fn used(&self) -> Option<(&'static str, StreamUse)> {
        self.curve.as_ref().and_then(|curve| curve.used()).map(|used| (BURSTS, used))
    }

    /// Whether another would have drawn what this one has: its rates are the same until after the next arrival.
    pub fn is_begun_as(&self, other: &Schedule) -> bool {
        let at = |schedule: &Schedule| schedule.segments.get(self.segment).copied();
        let now = match (at(self), at(other)) {
            (None, None) => true,
            (Some(one), Some(other)) => {
                let same = Segment { end: other.end, ..one } == other;
                same && (one.end == other.end
                    || one.slope == 0.0 && self.consumed < one.mass().min(other.mass()))
            }
            _ => false,
        };
        let before = |schedule: &Schedule| schedule.segments.len().min(self.segment);
        now && self.segments[..before(self)] == other.segments[..before(other)] && self.even == other.even
    }

    /// From here on the rates are those of another.
    pub fn go_on_as(&mut self, other: Schedule) {
        self.segments = other.segments;
    }

    /// The rate at a time, per second; of a day, and of chance, the mean.
    pub fn rate_at(&self, time: SimTime) -> f64 {
        let seconds = time.as_secs_f64();
        if let Some(curve) = &self.curve {
            return curve.rate_at(seconds);
        }
        let segment = self.segments.iter().find(|segment| seconds < segment.end);
        segment.map_or(0.0, |segment| segment.rate + segment.slope * (seconds - segment.start).max(0.0))
    }
}

/// From line to line.
fn recorded(rates: &[(SimTime, Rate)], scale: f64, between: &Between) -> Vec<Segment> {
    let nexts = rates.iter().skip(1).map(Some).chain([None]);
    let segment = |(&(at, rate), next): (&(SimTime, Rate), Option<&(SimTime, Rate)>)| {
        let (start, rate) = (at.as_secs_f64(), rate.get() * scale);
        let end = next.map_or(f64::INFINITY, |(at, _)| at.as_secs_f64());
        let slope = match (between, next) {
            (Between::Lines, Some((_, next))) => (next.get() * scale - rate) / (end - start),
            _ => 0.0,
        };
        Segment { start, end, rate, slope }
    };
    rates.iter().zip(nexts).map(segment).collect()
}

fn at_seconds(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64(seconds * 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Decode, Decoder, Diagnostics, Folder, Sources, parse_file};
    use sim_core::Streams;

    fn schedule(text: &str) -> Option<Schedule> {
        let source = Sources::default().add("test.ron", text);
        let node = parse_file(text, source, &mut Diagnostics::new()).expect("a value");
        Schedule::new(&Arrivals::decode(&node, &mut Decoder::new()).expect("arrivals"))
    }

    /// The first arrivals, in nanoseconds.
    fn arrivals(text: &str, most: u64) -> Vec<u64> {
        let mut schedule = schedule(text).expect("an open loop");
        let mut luck = Streams::new(1).luck("arrivals", "users");
        let next = |ordinal| schedule.next(&mut luck, Key::root(1, ordinal));
        (0..most).map_while(next).map(|at| at.since(SimTime::ZERO).as_nanos()).collect()
    }

    /// The k-th arrival is where the cumulative rate reaches k: to the microsecond.
    #[test]
    fn even_arrivals_are_where_the_cumulative_rate_says() {
        for (text, seconds) in [
            (r#"Constant("4/s")"#, vec![0.25, 0.5, 0.75, 1.0]),
            // t^2 / 2 = k, to 10/s at 10 s (50 calls); then ten a second.
            (
                r#"Ramp(from: "0/s", to: "10/s", over: "10s", spacing: Even)"#,
                (1..=60)
                    .map(f64::from)
                    .map(|k| if k <= 50.0 { (2.0 * k).sqrt() } else { 10.0 + (k - 50.0) / 10.0 })
                    .collect(),
            ),
            // Down from 10/s: 10 t - t^2 / 2 = k, so t = 10 - sqrt(100 - 2 k); nobody after that.
            (
                r#"Ramp(from: "10/s", to: "0/s", over: "10s", spacing: Even)"#,
                (1..50).map(f64::from).map(|k| 10.0 - (100.0 - 2.0 * k).sqrt()).collect(),
            ),
            // 5/s until 1 s; then 5 t + t^2 / 2, from 5/s to 15/s in ten seconds.
            (
                r#"Ramp(from: "5/s", to: "15/s", at: "1s", over: "10s", spacing: Even)"#,
                (1..=100)
                    .map(f64::from)
                    .map(|k| if k <= 5.0 { k / 5.0 } else { 1.0 - 5.0 + (25.0 + 2.0 * (k - 5.0)).sqrt() })
                    .collect(),
            ),
            // Two a second for two seconds, none for three, then one a second.
            (
                r#"Steps(steps: [(at: "0s", rate: "2/s"), (at: "2s", rate: "0/s"), (at: "5s", rate: "1/s")], spacing: Even)"#,
                vec![0.5, 1.0, 1.5, 5.0, 6.0, 7.0],
            ),
            // What is left of one rate counts in the next: 1.5 calls by 1 s, the second a quarter of a second later.
            (
                r#"Steps(steps: [(at: "0s", rate: "1.5/s"), (at: "1s", rate: "2/s")], spacing: Even)"#,
                vec![1.0 / 1.5, 1.25, 1.75, 2.25],
            ),
            (
                r#"Spike(base: "1/s", peak: "4/s", at: "2500ms", for: "1s", spacing: Even)"#,
                vec![1.0, 2.0, 2.625, 2.875, 3.125, 3.375, 4.0, 5.0],
            ),
            (
                r#"Steps(steps: [(at: "0s", rate: "1/s"), (at: "3500ms", rate: "0/s")], spacing: Even)"#,
                vec![1.0, 2.0, 3.0],
            ),
        ] {
            let found = arrivals(text, seconds.len() as u64 + u64::from(text.contains("0/s")));
            let found: Vec<f64> = found.iter().map(|&nanos| nanos as f64 / 1e9).take(seconds.len()).collect();
            assert_eq!(found.len(), seconds.len(), "{text}");
            for (k, (found, exact)) in found.iter().zip(&seconds).enumerate() {
                assert!((found - exact).abs() < 1e-6, "{text}: arrival {} at {found}, not {exact}", k + 1);
            }
        }
    }

    #[test]
    fn where_the_rate_falls_to_nothing_nobody_comes_any_more() {
        let text = r#"Steps(steps: [(at: "0s", rate: "1/s"), (at: "3500ms", rate: "0/s")], spacing: Even)"#;
        assert_eq!(arrivals(text, 100).len(), 3);
    }

    fn recording(text: &'static str, settings: &str) -> Schedule {
        let folder = Folder::of(std::iter::once(("day.csv".into(), text.into())).collect());
        let text = format!("Replay(file: \"day.csv\", {settings})");
        let source = Sources::default().add("test.ron", text.as_str());
        let node = parse_file(&text, source, &mut Diagnostics::new()).expect("a value");
        let arrivals = Arrivals::decode(&node, &mut Decoder::beside(&folder)).expect("arrivals");
        Schedule::new(&arrivals).expect("an open loop")
    }

    fn times(mut schedule: Schedule, most: u64) -> Vec<f64> {
        let mut luck = Streams::new(1).luck("arrivals", "users");
        let next = |ordinal| schedule.next(&mut luck, Key::root(1, ordinal));
        (0..most).map_while(next).map(SimTime::as_secs_f64).collect()
    }

    /// As a file of Steps, a ramp and a list of times would be, to the nanosecond.
    #[test]
    fn a_recording_is_replayed() {
        let rates = "0s,2/s\n2s,0/s\n5s,1/s\n";
        assert_eq!(times(recording(rates, "spacing: Even"), 6), [0.5, 1.0, 1.5, 5.0, 6.0, 7.0]);
        assert_eq!(times(recording(rates, "spacing: Even, scale: 2"), 9)[6..], [1.75, 5.0, 5.5]);
        let ramp = times(recording("0s,0/s\n10s,10/s\n", "spacing: Even, between: Lines"), 60);
        for (k, at) in (1..).map(f64::from).zip(&ramp) {
            let exact = if k <= 50.0 { (2.0 * k).sqrt() } else { 10.0 + (k - 50.0) / 10.0 };
            assert!((at - exact).abs() < 1e-6, "arrival {k} at {at}, not {exact}");
        }
        assert_eq!(times(recording("time\n100ms\n100ms\n2.5s\n", ""), 9), [0.1, 0.1, 2.5]);
    }

    /// Twice the rate: the same users, each in half the time.
    #[test]
    fn the_luck_of_a_recording_is_that_of_its_users() {
        let (once, twice) = (recording("0s,50/s\n", ""), recording("0s,50/s\n", "scale: 2"));
        let (once, twice) = (times(once, 500), times(twice, 500));
        assert!(once.iter().zip(&twice).all(|(one, other)| (one - 2.0 * other).abs() < 1e-6));
        let steps = schedule(r#"Steps(steps: [(at: "0s", rate: "50/s")])"#).expect("an open loop");
        assert_eq!(times(steps, 500), once, "and those of the same rate in the file");
    }

    #[test]
    fn a_burst_is_all_at_once() {
        assert_eq!(arrivals(r#"Burst(count: 450, at: "3s")"#, 1_000), [3_000_000_000; 450]);
        assert_eq!(arrivals("Burst(count: 1)", 10), [0]);
    }

    /// Whoever changes the rate meets the same users, sooner or later by the ratio of the rates.
    #[test]
    fn another_rate_keeps_the_luck() {
        let (slow, fast) = (arrivals(r#"Poisson("1/s")"#, 1_000), arrivals(r#"Poisson("4/s")"#, 1_000));
        for (slow, fast) in slow.iter().zip(&fast) {
            assert!(slow.abs_diff(4 * fast) <= 4, "{slow} and {fast}");
        }
        // Of 1,000 unit exponentials: the sum to four standard errors.
        assert!((873..1_127).contains(&(slow[999] / 1_000_000_000)), "{}", slow[999]);
    }

    #[test]
    fn the_rate_at_a_time() {
        let second = |text: &str, at: u64| schedule(text).unwrap().rate_at(SimTime::from_secs(at));
        let ramp = r#"Ramp(from: "10/s", to: "30/s", at: "5s", over: "10s")"#;
        for (at, rate) in [(0, 10.0), (5, 10.0), (10, 20.0), (14, 28.0), (15, 30.0), (99, 30.0)] {
            assert_eq!(second(ramp, at), rate, "{at} s");
        }
        let spike = r#"Spike(base: "1/s", peak: "4/s", at: "2s", for: "3s")"#;
        for (at, rate) in [(1, 1.0), (2, 4.0), (4, 4.0), (5, 1.0)] {
            assert_eq!(second(spike, at), rate, "{at} s");
        }
        assert!(schedule(r#"ClosedLoop(users: 3, think: "1s")"#).is_none());
    }
}
