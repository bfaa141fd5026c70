//! How long a retry waits: a delay that grows from retry to retry, and jitter that spreads callers apart.
//!
//! # The idea
//! The *nominal* delay of retry `n` (1 is the first retry, the second attempt) is
//!
//! | growth | nominal delay `d(n)` |
//! |---|---|
//! | fixed | `delay` |
//! | linear | `min(cap, base + (n-1) step)` |
//! | exponential | `min(cap, base factor^(n-1))` |
//!
//! so `base` is what the first retry waits, and the cap binds before the jitter: a jitter that only adds
//! (proportional, symmetric, additive) may exceed it, as gRPC's does. Growth without jitter is the worst
//! of both worlds: callers that failed together come back together, each time after a longer silence. In
//! AWS's contention experiment exponential backoff without jitter is the slowest of all strategies, with
//! full jitter one of the fastest; what counts is the *width* of the jitter, not the length of the wait.
//!
//! Delays are whole nanoseconds: the uniform draws are over integers, bounds included, and exact.

use sim_core::math;
use sim_core::{SimDuration, Words};

spec! {
    /// What spreads the delays of callers that failed at the same time. `d` is the nominal delay.
    pub enum Jitter {
        /// Exactly `d`: callers that failed together come back together.
        None,
        /// Uniform in 0..d. AWS "full jitter"; the AWS SDKs.
        Full,
        /// Half of `d` and a uniform half: d/2..d. AWS "equal jitter".
        Equal,
        /// Uniform from `base` to three times the previous delay, at most `cap`; the first after `base`.
        /// AWS "decorrelated jitter". The growth factor plays no part.
        Decorrelated,
        /// Up to this fraction of `d` more: d..d(1+f).
        Proportional(fraction: f64; 0.0..=1.0),
        /// Up to this fraction of `d` less or more: d(1-f)..d(1+f). 0.2 in gRPC, 0.5 in resilience4j.
        Symmetric(fraction: f64; 0.0..=1.0),
        /// Up to this much more, however long `d` is: d..d+x.
        Additive(width: SimDuration),
    }
}

/// The delay of every retry, ready to run. Immutable: the previous delay is the caller's to keep.
#[derive(Clone, Debug)]
pub struct Backoff {
    growth: Growth,
    jitter: Jitter,
}

/// How the nominal delay grows.
#[derive(Clone, Copy, Debug)]
pub enum Growth {
    /// Always the same.
    Fixed(SimDuration),
    /// By the same step each time.
    Linear {
        /// Nominal delay of the first retry.
        base: SimDuration,
        /// What each further retry adds.
        step: SimDuration,
        /// The longest nominal delay.
        cap: SimDuration,
    },
    /// By the same factor each time.
    Exponential {
        /// Nominal delay of the first retry.
        base: SimDuration,
        /// What each further retry multiplies by.
        factor: f64,
        /// The longest nominal delay.
        cap: SimDuration,
    },
}

/// What the delay of one retry can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The shortest.
    pub min: SimDuration,
    /// The mean; to within a thousandth for decorrelated jitter whose cap binds, else to the nanosecond.
    pub mean: SimDuration,
    /// The longest.
    pub max: SimDuration,
}

impl Backoff {
    /// A backoff that grows and is spread so.
    pub fn new(growth: Growth, jitter: Jitter) -> Self {
        Backoff { growth, jitter }
    }

    /// How long retry `retry` waits (1 is the first). `previous` is what this call's last retry waited:
    /// only decorrelated jitter asks for it, and not for the first retry.
    #[inline]
    pub fn delay(&self, retry: u32, previous: SimDuration, words: &mut impl Words) -> SimDuration {
        let (low, high) = match self.jitter {
            Jitter::None => return self.nominal(retry),
            Jitter::Decorrelated => return self.decorrelated(retry, previous, words),
            _ => self.range(retry),
        };
        uniform(low, high, words)
    }

    /// The shortest, mean and longest delay of retry `retry`.
    pub fn bounds(&self, retry: u32) -> Bounds {
        if let Jitter::Decorrelated = self.jitter {
            return self.decorrelated_bounds(retry);
        }
        let (min, max) = self.range(retry);
        Bounds { min, mean: halfway(min, max), max }
    }

    /// The delay of retry `retry` without jitter.
    #[inline]
    pub fn nominal(&self, retry: u32) -> SimDuration {
        debug_assert!(retry >= 1, "the first attempt waits for nothing");
        let steps = retry.saturating_sub(1);
        match self.growth {
            Growth::Fixed(delay) => delay,
            Growth::Linear { base, step, cap } => {
                capped(base.as_nanos().saturating_add(step.as_nanos().saturating_mul(u64::from(steps))), cap)
            }
            // Without this, 0 times an infinite power would be NaN.
            Growth::Exponential { base, .. } if base.is_zero() => SimDuration::ZERO,
            Growth::Exponential { base, factor, cap } => {
                // Past 2^63 the power is large or infinite, and the cap binds either way.
                let grown = base.as_nanos() as f64 * math::powi(factor, steps);
                SimDuration::from_nanos_f64(grown).min(cap)
            }
        }
    }

    /// Where the delay of retry `retry` lies, for every jitter that knows it from the nominal delay alone.
    #[inline]
    fn range(&self, retry: u32) -> (SimDuration, SimDuration) {
        let nominal = self.nominal(retry);
        match self.jitter {
            Jitter::None | Jitter::Decorrelated => (nominal, nominal),
            Jitter::Full => (SimDuration::ZERO, nominal),
            Jitter::Equal => (nominal - SimDuration::from_nanos(nominal.as_nanos() / 2), nominal),
            Jitter::Proportional(fraction) => (nominal, nominal + part(nominal, fraction)),
            Jitter::Symmetric(fraction) => {
                let width = part(nominal, fraction);
                (nominal.saturating_sub(width), nominal + width)
            }
            Jitter::Additive(width) => (nominal, nominal + width),
        }
    }

    /// `min(cap, U(base, 3 previous))`, where the delay before the first retry counts as `base`.
    fn decorrelated(&self, retry: u32, previous: SimDuration, words: &mut impl Words) -> SimDuration {
        let (base, cap) = self.base_and_cap();
        let previous = if retry <= 1 { base } else { previous.max(base) };
        uniform(base, previous.saturating_mul(DECORRELATED_GROWTH), words).min(cap)
    }

    fn decorrelated_bounds(&self, retry: u32) -> Bounds {
        let (base, cap) = self.base_and_cap();
        // 3^40 nanoseconds are longer than any cap.
        let longest = base.saturating_mul(DECORRELATED_GROWTH.saturating_pow(retry.min(40)));
        Bounds { min: base.min(cap), mean: decorrelated_mean(base, cap, retry), max: longest.min(cap) }
    }

    /// Where decorrelated jitter starts and what it never exceeds. It has no room in a fixed delay.
    fn base_and_cap(&self) -> (SimDuration, SimDuration) {
        match self.growth {
            Growth::Fixed(delay) => (delay, delay),
            Growth::Linear { base, cap, .. } | Growth::Exponential { base, cap, .. } => (base, cap),
        }
    }
}

/// How much longer than the previous delay a decorrelated one can be.
const DECORRELATED_GROWTH: u64 = 3;

/// A whole number of nanoseconds, uniform over both bounds and all between.
#[inline]
fn uniform(low: SimDuration, high: SimDuration, words: &mut impl Words) -> SimDuration {
    if low == high {
        return low;
    }
    low + SimDuration::from_nanos(words.below((high - low).as_nanos() + 1))
}

fn part(whole: SimDuration, fraction: f64) -> SimDuration {
    SimDuration::from_nanos_f64(whole.as_nanos() as f64 * fraction)
}

fn halfway(low: SimDuration, high: SimDuration) -> SimDuration {
    low + SimDuration::from_nanos((high - low).as_nanos() / 2)
}

fn capped(nanos: u64, cap: SimDuration) -> SimDuration {
    SimDuration::from_nanos(nanos.min(cap.as_nanos()))
}

/// The mean of the `n`-th decorrelated delay.
///
/// Until the cap can bind it is `base (2 1.5^n - 1)`. After that, with `g_k(p)` the mean delay `k` draws
/// after a delay of `p`, `g_0(p) = p` and
/// `g_k(p) = (integral of g_{k-1} from base to min(3p, cap) + (3p - cap)+ g_{k-1}(cap)) / (3p - base)`,
/// by the trapezoid rule on points a factor `3^(1/64)` apart, so that `3p` is a point again.
fn decorrelated_mean(base: SimDuration, cap: SimDuration, n: u32) -> SimDuration {
    const POINTS_PER_FACTOR: usize = 64;
    if base >= cap || base.is_zero() {
        return base.min(cap);
    }
    let top = cap.as_nanos() as f64 / base.as_nanos() as f64;
    let scaled = |mean: f64| SimDuration::from_nanos_f64(mean * base.as_nanos() as f64);
    if math::powi(3.0, n) <= top {
        return scaled(2.0 * math::powi(1.5, n) - 1.0);
    }
    let power = |point: usize| math::pow(3.0, point as f64 / POINTS_PER_FACTOR as f64);
    let mut points: Vec<f64> = (0..).map(power).take_while(|&point| point < top).collect();
    points.push(top);
    let last = points.len() - 1;
    let mut mean_after = points.clone();
    for _ in 0..n {
        let mut integral = vec![0.0; points.len()];
        for i in 1..=last {
            let area = (points[i] - points[i - 1]) * (mean_after[i] + mean_after[i - 1]) / 2.0;
            integral[i] = integral[i - 1] + area;
        }
        let at_cap = mean_after[last];
        let mut change: f64 = 0.0;
        for i in 0..=last {
            let reach = 3.0 * points[i];
            let end = (i + POINTS_PER_FACTOR).min(last);
            let next = (integral[end] + (reach - top).max(0.0) * at_cap) / (reach - 1.0);
            change = change.max((next - mean_after[i]).abs() / next);
            mean_after[i] = next;
        }
        if change < 1e-9 {
            break;
        }
    }
    scaled(mean_after[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Stream, Streams};

    const ZERO: SimDuration = SimDuration::ZERO;

    fn secs(secs: u64) -> SimDuration {
        SimDuration::from_secs(secs)
    }

    fn millis(millis: u64) -> SimDuration {
        SimDuration::from_millis(millis)
    }

    fn doubling(base: SimDuration, cap: SimDuration, jitter: Jitter) -> Backoff {
        Backoff::new(Growth::Exponential { base, factor: 2.0, cap }, jitter)
    }

    fn stream(name: &str) -> Stream {
        Streams::new(42).stream("test", name)
    }

    /// Mean and standard deviation in seconds of `n` delays of retry `retry`, each call drawing all the
    /// retries before it.
    fn moments(backoff: &Backoff, retry: u32, n: u32) -> (f64, f64) {
        let mut words = stream(&format!("{backoff:?}/{retry}"));
        let bounds = backoff.bounds(retry);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let delay = (1..=retry).fold(ZERO, |previous, retry| backoff.delay(retry, previous, &mut words));
            assert!(bounds.min <= delay && delay <= bounds.max, "{delay} outside {bounds:?} of {backoff:?}");
            sum += delay.as_secs_f64();
            squares += delay.as_secs_f64() * delay.as_secs_f64();
        }
        let mean = sum / f64::from(n);
        (mean, (squares / f64::from(n) - mean * mean).max(0.0).sqrt())
    }

    /// Rows of `backoff_delay_moments.csv` (reference oracles): base 1 s doubled, cap 60 s. Nominal delay,
    /// then mean and standard deviation with full, equal, 10 % proportional and +U(0, 1 s) jitter.
    const MOMENTS: [(u64, [(f64, f64); 4]); 8] = [
        (1, [(0.5, 0.2886751346), (0.75, 0.1443375673), (1.05, 0.02886751346), (1.5, 0.2886751346)]),
        (2, [(1.0, 0.5773502692), (1.5, 0.2886751346), (2.1, 0.05773502692), (2.5, 0.2886751346)]),
        (4, [(2.0, 1.154700538), (3.0, 0.5773502692), (4.2, 0.1154700538), (4.5, 0.2886751346)]),
        (8, [(4.0, 2.309401077), (6.0, 1.154700538), (8.4, 0.2309401077), (8.5, 0.2886751346)]),
        (16, [(8.0, 4.618802154), (12.0, 2.309401077), (16.8, 0.4618802154), (16.5, 0.2886751346)]),
        (32, [(16.0, 9.237604307), (24.0, 4.618802154), (33.6, 0.9237604307), (32.5, 0.2886751346)]),
        (60, [(30.0, 17.32050808), (45.0, 8.660254038), (63.0, 1.732050808), (60.5, 0.2886751346)]),
        (60, [(30.0, 17.32050808), (45.0, 8.660254038), (63.0, 1.732050808), (60.5, 0.2886751346)]),
    ];

    #[test]
    fn moments_are_those_of_the_table() {
        const N: u32 = 20_000;
        let jitters = [Jitter::Full, Jitter::Equal, Jitter::Proportional(0.1), Jitter::Additive(secs(1))];
        for (retry, (nominal, rows)) in (1..).zip(MOMENTS) {
            for (jitter, (mean, sd)) in jitters.iter().zip(rows) {
                let backoff = doubling(secs(1), secs(60), jitter.clone());
                assert_eq!(backoff.nominal(retry), secs(nominal));
                let exact = backoff.bounds(retry).mean.as_secs_f64();
                assert!((exact - mean).abs() < 1e-9, "{jitter:?} {retry}: {exact} for {mean}");
                let (measured, spread) = moments(&backoff, retry, N);
                let error = sd / f64::from(N).sqrt();
                assert!(
                    (measured - mean).abs() < 4.0 * error,
                    "{jitter:?} {retry}: mean {measured} for {mean}"
                );
                // The deviation of a uniform sample's deviation is sd sqrt(0.2 / n) (kurtosis 1.8).
                let error = sd * (0.2 / f64::from(N)).sqrt();
                assert!((spread - sd).abs() < 4.0 * error, "{jitter:?} {retry}: sd {spread} for {sd}");
            }
        }
    }

    #[test]
    fn delays_without_jitter_are_exact() {
        let linear = |step, cap| Growth::Linear { base: millis(100), step: millis(step), cap: millis(cap) };
        let exponential =
            |base, factor, cap| Growth::Exponential { base: millis(base), factor, cap: millis(cap) };
        for (growth, delays) in [
            (Growth::Fixed(millis(500)), [500, 500, 500, 500, 500]),
            (linear(100, 350), [100, 200, 300, 350, 350]),
            (linear(50, 30_000), [100, 150, 200, 250, 300]),
            (linear(0, 30_000), [100, 100, 100, 100, 100]),
            (exponential(1_000, 2.0, 16_000), [1_000, 2_000, 4_000, 8_000, 16_000]),
            (exponential(100, 3.0, 1_000), [100, 300, 900, 1_000, 1_000]),
            (exponential(100, 1.0, 1_000), [100, 100, 100, 100, 100]),
            (exponential(5_000, 2.0, 1_000), [1_000, 1_000, 1_000, 1_000, 1_000]),
        ] {
            let backoff = Backoff::new(growth, Jitter::None);
            let mut words = stream("none");
            for (retry, delay) in (1..).zip(delays) {
                assert_eq!(backoff.delay(retry, ZERO, &mut words), millis(delay), "{growth:?} {retry}");
            }
            assert_eq!(words.used().draws, 0, "a delay without jitter draws nothing");
        }
    }

    #[test]
    fn no_step_is_too_far() {
        let mut words = stream("far");
        for jitter in
            [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::Symmetric(1.0)]
        {
            for base in [ZERO, SimDuration::from_nanos(1), secs(1)] {
                for growth in [
                    Growth::Exponential { base, factor: 2.0, cap: secs(30) },
                    Growth::Exponential { base, factor: 100.0, cap: secs(30) },
                    Growth::Linear { base, step: secs(86_400 * 36_500), cap: secs(30) },
                ] {
                    let backoff = Backoff::new(growth, jitter.clone());
                    for retry in [1, 2, 63, 64, 65, 999] {
                        let delay = backoff.delay(retry, secs(86_400 * 36_500), &mut words);
                        let bounds = backoff.bounds(retry);
                        assert!(bounds.min <= bounds.mean && bounds.mean <= bounds.max, "{bounds:?}");
                        assert!(delay <= secs(60) && delay >= bounds.min, "{backoff:?} {retry}: {delay}");
                    }
                }
            }
        }
    }

    #[test]
    fn jitter_is_applied_after_the_cap_and_may_exceed_it() {
        // gRPC: min(initial x multiplier^(n-1), max) x U(0.8, 1.2).
        let grpc = doubling(millis(100), millis(120), Jitter::Symmetric(0.2));
        let bounds = |min, mean, max| Bounds { min: millis(min), mean: millis(mean), max: millis(max) };
        assert_eq!(grpc.bounds(1), bounds(80, 100, 120));
        assert_eq!(grpc.bounds(2), bounds(96, 120, 144));
        assert_eq!(doubling(millis(100), millis(120), Jitter::Full).bounds(2), bounds(0, 60, 120));
    }

    #[test]
    fn both_ends_of_a_range_are_drawn() {
        let backoff = Backoff::new(Growth::Fixed(SimDuration::from_nanos(3)), Jitter::Full);
        let mut words = stream("ends");
        let mut seen = [0u32; 4];
        for _ in 0..4_000 {
            seen[backoff.delay(1, ZERO, &mut words).as_nanos() as usize] += 1;
        }
        // Binomial(4000, 1/4): sd 27.4.
        assert!(seen.iter().all(|&n| n.abs_diff(1_000) < 110), "{seen:?}");
    }

    #[test]
    fn decorrelated_delays_grow_from_the_previous_one() {
        let backoff = doubling(millis(5), millis(2_000), Jitter::Decorrelated);
        let mut words = stream("decorrelated");
        for (retry, previous, low, high) in [
            (1, 0, 5, 15),
            (1, 900, 5, 15),
            (2, 5, 5, 15),
            (2, 10, 5, 30),
            (3, 600, 5, 1_800),
            (9, 2_000, 5, 2_000),
        ] {
            for _ in 0..1_000 {
                let delay = backoff.delay(retry, millis(previous), &mut words);
                assert!(millis(low) <= delay && delay <= millis(high), "{retry} after {previous}: {delay}");
            }
        }
    }

    #[test]
    fn the_mean_of_decorrelated_delays_is_computed_beyond_the_cap() {
        const N: u32 = 100_000;
        let backoff = doubling(millis(5), millis(2_000), Jitter::Decorrelated);
        for retry in [1, 2, 3, 6, 7, 9, 20] {
            let mean = backoff.bounds(retry).mean.as_secs_f64();
            let (measured, sd) = moments(&backoff, retry, N);
            let error = sd / f64::from(N).sqrt() + mean / 1_000.0;
            assert!((measured - mean).abs() < 4.0 * error, "{retry}: {measured} for {mean}");
        }
        assert_eq!(backoff.bounds(2).mean, SimDuration::from_micros(17_500)); // 5 (2 x 1.5^2 - 1)
        assert_eq!(backoff.bounds(5).max, millis(1_215));
        assert_eq!(backoff.bounds(6).max, millis(2_000));
    }
}
