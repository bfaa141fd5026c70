//! Arrivals whose rate is no straight line: a wave, doubling, and quiet and busy stretches that come by chance.
//!
//! *Doubling.* From `from`, twice as much every `doubles_in`, until `to` is reached, since nothing doubles for ever:
//! Λ(t) = from T / ln 2 (2^(t/T) - 1). What is twice as large lasts one doubling longer.
//!
//! *A day.* λ(t) = mean (1 + amplitude cos(2π (t - peak_at) / period)), and
//! Λ(t) = mean t + mean amplitude period / 2π (sin(2π (t - peak_at) / period) + sin(2π peak_at / period)), which is inverted by Newton's steps
//! between bounds.
//!
//! *Bursts.* A Markov-modulated Poisson process (Fischer and Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", 1993): as long as a
//! state lasts, exponentially with its mean, arrivals are Poisson at its rate; then comes the next state of the list. It begins in any of them, by the share of
//! time that each has. Counts over a long time vary more than a Poisson process's: of two states with rates `a`, `b` that are left at rates `p`, `q`
//! the index of dispersion is `1 + 2 (a-b)^2 p q / ((p+q)^2 (a q + b p))`. How long each stretch lasts has luck of its own: it is the same
//! whatever is done about it.

use super::arrivals::RateState;
use sim_core::sampler::standard_exponential;
use sim_core::{Key, Luck, SimTime, StreamUse, Words, math};
use std::f64::consts::{LN_2, PI};
use std::sync::Arc;

/// What arrivals follow where their rate is no straight line.
#[derive(Clone, Debug)]
pub(super) enum Curve {
    /// All at one instant, where there is no rate: when, and how many are still to come.
    Burst(SimTime, u32),
    /// As they were recorded, and how many have come.
    Recorded(Arc<[SimTime]>, usize),
    Growth(Growth),
    Wave(Wave),
    Bursts(Bursts),
}

impl Curve {
    /// When the cumulative rate reaches so much, in seconds; none if it never does. What has been used up is taken off.
    pub(super) fn reaches(&mut self, mass: &mut f64) -> Option<f64> {
        match self {
            Curve::Burst(at, left) => {
                *left = left.checked_sub(1)?;
                Some(at.as_secs_f64())
            }
            Curve::Recorded(times, next) => {
                let at = times.get(*next)?;
                *next += 1;
                Some(at.as_secs_f64())
            }
            Curve::Growth(growth) => Some(growth.reaches(*mass)),
            Curve::Wave(wave) => Some(wave.reaches(*mass)),
            Curve::Bursts(bursts) => Some(bursts.reaches(mass)),
        }
    }

    /// The rate at a time; over a day, of a recording, and where it is chance, the mean.
    pub(super) fn rate_at(&self, seconds: f64) -> f64 {
        match self {
            Curve::Burst(..) => 0.0,
            Curve::Recorded(times, _) => {
                let last = times.last().map_or(0.0, |at| at.as_secs_f64());
                if last > 0.0 { times.len() as f64 / last } else { 0.0 }
            }
            Curve::Growth(growth) => growth.rate(seconds),
            Curve::Wave(wave) => wave.mean,
            Curve::Bursts(bursts) => bursts.mean(),
        }
    }

    /// What it has drawn, if it draws.
    pub(super) fn used(&self) -> Option<StreamUse> {
        match self {
            Curve::Bursts(bursts) => bursts.luck.as_ref().map(Luck::used),
            _ => None,
        }
    }

    /// Whence it draws, if it does.
    pub(super) fn draws_from(&mut self, luck: impl FnOnce() -> Luck) {
        if let Curve::Bursts(bursts) = self {
            bursts.luck = Some(luck());
        }
    }
}

/// A rate that doubles.
#[derive(Clone, Debug)]
pub(super) struct Growth {
    pub(super) from: f64,
    pub(super) to: f64,
    /// When it begins to grow, and in what time it doubles, in seconds.
    pub(super) at: f64,
    pub(super) doubles_in: f64,
}

impl Growth {
    /// The time from the beginning of growth to its end.
    fn grows_for(&self) -> f64 {
        self.doubles_in * math::log2(self.to / self.from)
    }

    fn rate(&self, seconds: f64) -> f64 {
        let grown = (seconds - self.at).clamp(0.0, self.grows_for());
        self.from * math::exp(LN_2 * grown / self.doubles_in)
    }

    fn reaches(&self, mass: f64) -> f64 {
        let before = self.from * self.at;
        if mass <= before {
            return mass / self.from;
        }
        // Λ of what grows is a difference of rates times T / ln 2.
        let scale = self.doubles_in / LN_2;
        let (rest, most) = (mass - before, (self.to - self.from) * scale);
        if rest <= most {
            return self.at + scale * math::ln_1p(rest / (self.from * scale));
        }
        self.at + self.grows_for() + (rest - most) / self.to
    }
}

/// A rate that goes up and down.
#[derive(Clone, Debug)]
pub(super) struct Wave {
    pub(super) mean: f64,
    pub(super) amplitude: f64,
    /// In seconds.
    pub(super) period: f64,
    pub(super) peak_at: f64,
}

impl Wave {
    fn angle(&self, seconds: f64) -> f64 {
        2.0 * PI * (seconds - self.peak_at) / self.period
    }

    fn rate(&self, seconds: f64) -> f64 {
        self.mean * (1.0 + self.amplitude * math::cos(self.angle(seconds)))
    }

    fn mass(&self, seconds: f64) -> f64 {
        let swing = self.mean * self.amplitude * self.period / (2.0 * PI);
        self.mean * seconds + swing * (math::sin(self.angle(seconds)) - math::sin(self.angle(0.0)))
    }

    fn reaches(&self, mass: f64) -> f64 {
        // It is never further from its mean than the wave is high.
        let (middle, reach) = (mass / self.mean, self.amplitude * self.period / PI);
        let (mut low, mut high, mut at) = ((middle - reach).max(0.0), middle + reach, middle);
        for _ in 0..200 {
            let off = self.mass(at) - mass;
            if off > 0.0 {
                high = at
            } else {
                low = at
            }
            let step = at - off / self.rate(at);
            let next = if step > low && step < high { step } else { (low + high) / 2.0 };
            let close = 1e-10 + 4.0 * f64::EPSILON * at;
            if (next - at).abs() <= close {
                return next;
            }
            at = next;
        }
        at
    }
}

/// How long all of them last on average, in seconds.
fn all_of(states: &[RateState]) -> f64 {
    states.iter().map(|state| state.lasts.as_secs_f64()).sum()
}

/// Stretches of different rates that come by chance.
#[derive(Clone, Debug)]
pub(super) struct Bursts {
    states: Vec<RateState>,
    luck: Option<Luck>,
    /// How many stretches have begun.
    begun: u64,
    /// The present one: which state, from when to when.
    state: usize,
    span: (f64, f64),
}

impl Bursts {
    pub(super) fn new(states: &[RateState]) -> Self {
        Bursts { states: states.to_vec(), luck: None, begun: 0, state: 0, span: (0.0, 0.0) }
    }

    fn mean(&self) -> f64 {
        let all = self.states.iter().map(|state| state.rate.get() * state.lasts.as_secs_f64()).sum::<f64>();
        all / all_of(&self.states)
    }

    fn reaches(&mut self, mass: &mut f64) -> f64 {
        loop {
            let (from, to) = self.span;
            let rate = self.states[self.state].rate.get();
            let here = rate * (to - from);
            if *mass < here {
                // What is left of the stretch is what is left of its mass.
                return from + *mass / rate;
            }
            *mass -= here;
            self.next_stretch();
        }
    }

    /// The next state, or the first, by the share of time that it has.
    fn next_stretch(&mut self) {
        let luck = self.luck.as_mut().expect("whoever is run knows where to draw");
        let mut words = luck.at(Key::root(0, self.begun));
        if self.begun == 0 {
            let mut left = words.unit() * all_of(&self.states);
            let is_here = |state: &RateState| {
                left -= state.lasts.as_secs_f64();
                left < 0.0
            };
            self.state = self.states.iter().position(is_here).unwrap_or(0);
        } else {
            self.state = (self.state + 1) % self.states.len();
        }
        self.begun += 1;
        let lasts = self.states[self.state].lasts.as_secs_f64() * standard_exponential(&mut words);
        self.span = (self.span.1, self.span.1 + lasts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;
    use crate::workload::{Arrivals, Schedule};
    use sim_core::Streams;

    fn times(text: &str, most: u64) -> Vec<f64> {
        let arrivals = read::<Arrivals>(text).unwrap_or_else(|said| panic!("{said}")).0;
        let mut schedule = Schedule::new(&arrivals).expect("an open loop");
        schedule.draws_from(|purpose| Streams::new(1).luck(purpose, "users"));
        let mut luck = Streams::new(1).luck("arrivals", "users");
        let next = |ordinal| schedule.next(&mut luck, Key::root(1, ordinal));
        (0..most).map_while(next).map(|at| at.as_secs_f64()).collect()
    }

    /// The k-th is where the rate, added up in steps of a millisecond, comes to k.
    #[test]
    fn arrivals_are_where_the_rate_adds_up_to_them() {
        type Rate = fn(f64) -> f64;
        let rows: [(&str, Rate); 5] = [
            (r#"Growth(from: "2/s", to: "16/s", doubles_in: "5s", at: "3s", spacing: Even)"#, |t| {
                2.0 * math::pow(2.0, ((t - 3.0) / 5.0).clamp(0.0, 3.0))
            }),
            (r#"Growth(from: "1/s", to: "1000/s", doubles_in: "4s", spacing: Even)"#, |t| {
                math::pow(2.0, t / 4.0).min(1000.0)
            }),
            (r#"Diurnal(mean: "5/s", amplitude: 0.8, period: "30s", peak_at: "10s", spacing: Even)"#, |t| {
                5.0 * (1.0 + 0.8 * math::cos(2.0 * PI * (t - 10.0) / 30.0))
            }),
            // Down to nothing at 25 s and at 55 s.
            (r#"Diurnal(mean: "5/s", amplitude: 1, period: "30s", peak_at: "10s", spacing: Even)"#, |t| {
                5.0 * (1.0 + math::cos(2.0 * PI * (t - 10.0) / 30.0))
            }),
            (r#"Diurnal(mean: "3/s", amplitude: 0, period: "30s", spacing: Even)"#, |_| 3.0),
        ];
        for (text, rate) in rows {
            let found = times(text, 300);
            let (mut mass, mut tick, step) = (0.0, 0u32, 1e-3);
            for (k, at) in (1..).zip(&found) {
                while mass < f64::from(k) {
                    mass += step * rate((f64::from(tick) + 0.5) * step);
                    tick += 1;
                }
                let there = f64::from(tick) * step;
                assert!(
                    (at - there).abs() < 0.03 && at <= &(there + 1e-6),
                    "{text}: arrival {k} at {at}, not {there}"
                );
            }
            assert!(found.windows(2).all(|two| two[0] <= two[1]), "{text}");
        }
    }

    /// Whoever changes the mean meets the same users, as far along as before: of ten times as many the tenth is the first.
    #[test]
    fn another_mean_keeps_the_luck() {
        for (slow, fast) in [
            (
                r#"Diurnal(mean: "1/s", amplitude: 0.5, period: "100s")"#,
                r#"Diurnal(mean: "4/s", amplitude: 0.5, period: "25s")"#,
            ),
            (
                r#"Growth(from: "1/s", to: "64/s", doubles_in: "40s")"#,
                r#"Growth(from: "4/s", to: "256/s", doubles_in: "10s")"#,
            ),
        ] {
            for (slow, fast) in times(slow, 500).into_iter().zip(times(fast, 500)) {
                assert!((slow - 4.0 * fast).abs() < 1e-6, "{slow} and {fast}");
            }
        }
    }

    const QUIET_AND_BUSY: &str =
        r#"Bursty(states: [(rate: "5/s", lasts: "3s"), (rate: "45/s", lasts: "1s")])"#;

    /// (5 x 3 + 45 x 1) / 4 = 15 a second; of two states left at 1/3 and 1 a second counts over a long time vary by
    /// 1 + 2 x 40^2 / 3 / ((4/3)^2 (5 + 45/3)) = 31 times their mean.
    #[test]
    fn bursts_have_their_mean_and_their_dispersion() {
        let mut counts = vec![0f64; 4_000];
        for at in times(QUIET_AND_BUSY, 1_300_000) {
            if let Some(count) = counts.get_mut((at / 20.0) as usize) {
                *count += 1.0;
            }
        }
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / n;
        assert!((mean / 20.0 - 15.0).abs() < 0.3, "{mean}");
        // Over 20 s the correlation of 3/4 s is not all in: I(t) = 1 + 30 (1 - (1 - e^(-rt)) / (rt)) with r = 4/3.
        let (all, rt) = (30.0, 20.0 * 4.0 / 3.0);
        let expected = 1.0 + all * (1.0 - (1.0 - math::exp(-rt)) / rt);
        assert!((variance / mean / expected - 1.0).abs() < 0.1, "{} and not {expected}", variance / mean);
    }

    /// Each state has its share of the time, and how long they last is drawn apart from who comes.
    #[test]
    fn stretches_are_the_same_whatever_the_rates() {
        let stretches = |states: &str| {
            let Arrivals::Bursty { states } =
                read::<Arrivals>(&format!("Bursty(states: [{states}])")).unwrap().0
            else {
                panic!("bursts")
            };
            let mut bursts = Bursts::new(&states);
            bursts.luck = Some(Streams::new(1).luck("bursts", "users"));
            let mut all = Vec::new();
            for _ in 0..3_000 {
                bursts.next_stretch();
                all.push((bursts.state, bursts.span));
            }
            all
        };
        let first = stretches(
            r#"(rate: "1/s", lasts: "1s"), (rate: "9/s", lasts: "2s"), (rate: "3/s", lasts: "3s")"#,
        );
        let second = stretches(
            r#"(rate: "7/s", lasts: "1s"), (rate: "0/s", lasts: "2s"), (rate: "8/s", lasts: "3s")"#,
        );
        assert_eq!(first, second);
        for (number, mean) in [(0, 1.0), (1, 2.0), (2, 3.0)] {
            let of = first.iter().filter(|(state, _)| *state == number).map(|(_, (from, to))| to - from);
            let (count, sum) = of.fold((0.0, 0.0), |(count, sum), length| (count + 1.0, sum + length));
            assert!((sum / count / mean - 1.0f64).abs() < 4.0 / 1000f64.sqrt(), "{number}: {}", sum / count);
        }
        assert!(first.windows(2).all(|two| two[1].0 == (two[0].0 + 1) % 3 && two[0].1.1 == two[1].1.0));
    }

    /// It begins in either state, by the share of time that each has: three quarters, and a quarter.
    #[test]
    fn bursts_begin_anywhere() {
        let Arrivals::Bursty { states } = read::<Arrivals>(QUIET_AND_BUSY).unwrap().0 else {
            panic!("bursts")
        };
        let begins_quiet = |seed: u64| {
            let mut bursts = Bursts::new(&states);
            bursts.luck = Some(Streams::new(seed).luck("bursts", "users"));
            bursts.next_stretch();
            bursts.state == 0
        };
        let quiet = (0..2_000).filter(|seed| begins_quiet(*seed)).count();
        // Binomial(2000, 3/4): sd 19.4.
        assert!(quiet.abs_diff(1_500) < 78, "{quiet}");
    }

    #[test]
    fn the_rate_at_a_time() {
        let rate = |text: &str, at: u64| {
            let arrivals = read::<Arrivals>(text).unwrap_or_else(|said| panic!("{said}")).0;
            Schedule::new(&arrivals).unwrap().rate_at(SimTime::from_secs(at))
        };
        let growth = r#"Growth(from: "10/s", to: "80/s", doubles_in: "5s", at: "10s")"#;
        for (at, expected) in [(0, 10.0), (10, 10.0), (15, 20.0), (20, 40.0), (25, 80.0), (99, 80.0)] {
            assert!((rate(growth, at) - expected).abs() < 1e-9, "{at} s");
        }
        assert_eq!(rate(QUIET_AND_BUSY, 7), 15.0);
        assert_eq!(rate(r#"Diurnal(mean: "5/s", period: "1h", peak_at: "0s")"#, 0), 5.0, "on average");
    }
}
