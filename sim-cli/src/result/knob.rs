//! A setting that is searched over: its path, the ends of its range, and how a number between them is typed.
//!
//! Whole numbers stay whole, and what stands at the path says how a number is wrapped: where `Poisson("280/s")` stands, 150
//! per second is `Poisson("150/s")`. A range that spans more than a decade is searched by ratio, others by difference.

use crate::text::number::{self, tidy};
use sim_core::{SimDuration, math};
use sim_models::report::Unit;

/// A range that spans more than this is searched by ratio.
const DECADE: f64 = 10.0;

/// What a knob counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Whole things: replicas, attempts, places.
    Whole,
    /// Numbers: factors, ratios.
    Decimal,
    /// Nanoseconds.
    Duration,
    /// Per second.
    Rate,
}

/// A setting and the range in which it is searched.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    /// Where it is set.
    pub path: String,
    /// The low end, in nanoseconds, per second, or as it is.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// What it counts.
    pub count: Count,
    /// What stands before and after the number: `Poisson(` and `)`.
    pub(crate) wrap: (String, String),
}

impl Knob {
    /// The same knob with a lower end of its range.
    pub fn up_to(&self, high: f64) -> Knob {
        Knob { high, ..self.clone() }
    }

    /// Whether it is searched by ratio.
    pub fn by_ratio(&self) -> bool {
        self.low > 0.0 && self.high / self.low > DECADE
    }

    /// Where a value stands between the ends, from 0 to 1.
    pub fn position(&self, x: f64) -> f64 {
        match self.by_ratio() {
            true => math::ln(x / self.low) / math::ln(self.high / self.low),
            false => (x - self.low) / (self.high - self.low),
        }
    }

    /// The value at a position, whole where it must be.
    pub fn at(&self, position: f64) -> f64 {
        let x = match self.by_ratio() {
            true => self.low * math::exp(position * math::ln(self.high / self.low)),
            false => self.low + position * (self.high - self.low),
        };
        self.legal(x).clamp(self.low, self.high)
    }

    /// A value with no more digits than anybody wants to set, where that keeps it within the range: two of its own where it is searched
    /// by ratio, else two of the range's width.
    pub fn round(&self, x: f64) -> f64 {
        let rounded = match self.by_ratio() {
            true => format!("{x:.1e}").parse().expect("a number"),
            false => few_digits(x, self.high - self.low),
        };
        let rounded = self.legal(rounded);
        if (self.low..=self.high).contains(&rounded) { rounded } else { x }
    }

    /// The nearest value with one digit; none if it has no more anyway, or that lies outside of the range.
    pub fn rounder(&self, x: f64) -> Option<f64> {
        let rounded = self.legal(format!("{x:.0e}").parse().expect("a number"));
        (rounded != x && (self.low..=self.high).contains(&rounded)).then_some(rounded)
    }

    /// Round values from end to end: 1, 2, 5, 10, 20 .. where it is searched by ratio, else the multiples of the largest 1, 2 or
    /// 5 of a decade of which there are at least four in the range. The ends themselves, and nothing next to them.
    pub fn coarse(&self) -> Vec<f64> {
        let least = if self.count == Count::Whole { 1.0 } else { 0.0 };
        let inner: Vec<f64> = match self.by_ratio() {
            true => steps_down_from(self.high).take_while(|step| *step > self.low).collect(),
            false => {
                let width = self.high - self.low;
                let step =
                    steps_down_from(width).find(|step| width / step >= 4.0).unwrap_or(width).max(least);
                let first = (self.low / step).ceil();
                (0..=(width / step) as u32).map(|n| (first + f64::from(n)) * step).collect()
            }
        };
        let apart = |x: &f64| (END..=1.0 - END).contains(&self.position(*x));
        let mut all: Vec<f64> = inner.into_iter().map(|x| self.legal(x)).filter(apart).collect();
        all.extend([self.low, self.high]);
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }

    /// The roundest value between two, of the multiples of the largest 1, 2 or 5 of a decade the one nearest to their middle; none if
    /// there is none between them.
    pub fn roundest(&self, a: f64, b: f64) -> Option<f64> {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        let middle = low + (high - low) / 2.0;
        let least = if self.count == Count::Whole { 1.0 } else { 0.0 };
        let inside = |step: f64| {
            let near = (middle / step).round();
            [near, near - 1.0, near + 1.0]
                .map(|n| self.legal(n * step))
                .into_iter()
                .find(|x| low < *x && *x < high)
        };
        // Below a hundredth of the distance there is a multiple of anything.
        let enough = (high - low) / 100.0;
        steps_down_from(high).take_while(|step| *step >= enough.max(least)).find_map(inside)
    }

    /// The nearest value that can be set.
    fn legal(&self, x: f64) -> f64 {
        match self.count {
            Count::Whole | Count::Duration => x.round(),
            Count::Decimal | Count::Rate => tidy(x).parse().expect("a number"),
        }
    }

    /// A value about half-way between two, with as few digits as the distance asks for; none if there is none
    /// between them.
    pub fn between(&self, a: f64, b: f64) -> Option<f64> {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        let middle = match self.by_ratio() {
            true => (low * high).sqrt(),
            false => low + (high - low) / 2.0,
        };
        let x = match self.count {
            Count::Whole => middle.floor().clamp(low + 1.0, high.max(low + 1.0)),
            _ => self.legal(few_digits(middle, high - low)),
        };
        (low < x && x < high).then_some(x)
    }

    /// A value so far from another, with as few digits as the distance asks for; an end where the range has no more.
    pub fn beyond(&self, from: f64, by: f64) -> f64 {
        let x = from + by;
        self.legal(if by == 0.0 { x } else { few_digits(x, by.abs()) }).clamp(self.low, self.high)
    }

    /// What to type for a value.
    pub fn value(&self, x: f64) -> String {
        let (before, after) = &self.wrap;
        let text = match self.count {
            Count::Whole => format!("{x:.0}"),
            Count::Decimal => decimal(x),
            Count::Duration => format!("\"{}\"", SimDuration::from_nanos_f64(x)),
            Count::Rate => format!("\"{}/s\"", tidy(x)),
        };
        format!("{before}{text}{after}")
    }

    /// What `--set` takes for a value.
    pub fn set(&self, x: f64) -> (String, String) {
        (self.path.clone(), self.value(x))
    }

    /// What the values are counted in.
    pub fn unit(&self) -> Unit {
        match self.count {
            Count::Whole | Count::Decimal => Unit::Plain,
            Count::Duration => Unit::Duration,
            Count::Rate => Unit::Rate,
        }
    }

    /// A value for people: `146/s`, `250 ms`.
    pub fn show(&self, x: f64) -> String {
        number::of(x, self.unit())
    }
}

/// A coarse value this close to an end of the range, as a share of it, is as good as the end.
const END: f64 = 0.07;

/// 1, 2 and 5 of every decade from `x` down.
fn steps_down_from(x: f64) -> impl Iterator<Item = f64> {
    let exponent: i32 = format!("{x:e}")
        .split_once('e')
        .and_then(|(_, digits)| digits.parse().ok())
        .expect("scientific notation");
    // Each is read as it is written: 5e-2 is what 0.05 is.
    let step = move |(exponent, digit): (i32, u32)| format!("{digit}e{exponent}").parse().expect("a number");
    (0..40)
        .flat_map(move |n| [5, 2, 1].map(|digit| (exponent - n, digit)))
        .map(step)
        .filter(move |step| *step <= x)
}

/// A decimal always with a point, so that it is read as one.
fn decimal(x: f64) -> String {
    let text = tidy(x);
    if text.contains(['.', 'e', 'N', 'i']) { text } else { format!("{text}.0") }
}

/// A number near `x` with only those digits that matter in a stretch of this width.
fn few_digits(x: f64, width: f64) -> f64 {
    let exponent: i32 = format!("{width:e}")
        .split_once('e')
        .and_then(|(_, digits)| digits.parse().ok())
        .expect("scientific notation");
    let step = math::pow(10.0, f64::from(exponent - 1));
    (x / step).round() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knob(low: f64, high: f64, count: Count) -> Knob {
        Knob { path: "p".into(), low, high, count, wrap: Default::default() }
    }

    #[test]
    fn coarse_values_are_round() {
        let of = |low, high, count| knob(low, high, count).coarse();
        assert_eq!(of(0.02, 1.0, Count::Decimal), [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]);
        assert_eq!(of(1e8, 1e9, Count::Duration), [1e8, 2e8, 4e8, 6e8, 8e8, 1e9]);
        assert_eq!(of(5e7, 1e9, Count::Duration), [5e7, 1e8, 2e8, 5e8, 1e9]);
        assert_eq!(of(100.0, 320.0, Count::Rate), [100.0, 150.0, 200.0, 250.0, 300.0, 320.0]);
        assert_eq!(of(16.0, 512.0, Count::Whole), [16.0, 50.0, 100.0, 200.0, 512.0]);
        assert_eq!(of(1.0, 5.0, Count::Whole), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(of(0.0, 1.0, Count::Decimal), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    }

    #[test]
    fn between_two_values_the_roundest_is_tried() {
        let decimal = knob(0.01, 10.0, Count::Decimal);
        for (a, b, expected) in [
            (0.02, 0.05, 0.04),
            (0.05, 0.02, 0.04),
            (2.0, 5.0, 4.0),
            (0.9, 1.0, 0.95),
            (0.8, 1.0, 0.9),
            (0.1, 1.0, 0.5),
        ] {
            assert_eq!(decimal.roundest(a, b), Some(expected), "{a} {b}");
        }
        let whole = knob(1.0, 500.0, Count::Whole);
        assert_eq!((whole.roundest(16.0, 50.0), whole.roundest(3.0, 4.0)), (Some(40.0), None));
        assert_eq!(whole.roundest(3.0, 5.0), Some(4.0));
    }

    #[test]
    fn values_have_as_few_digits_as_the_range_asks_for() {
        assert_eq!(knob(1e8, 1e9, Count::Duration).round(123_456_789.0), 1.2e8);
        assert_eq!(knob(100.0, 110.0, Count::Rate).round(103.47), 103.0);
        assert_eq!(knob(0.02, 1.0, Count::Decimal).round(0.0392), 0.039);
        assert_eq!(knob(0.02, 1.0, Count::Decimal).rounder(0.0392), Some(0.04));
        assert_eq!(knob(1e8, 1e9, Count::Duration).rounder(197.3e6), Some(2e8));
        assert_eq!(knob(1.0, 500.0, Count::Whole).rounder(37.0), Some(40.0));
        assert_eq!(knob(0.02, 1.0, Count::Decimal).rounder(0.04), None);
        assert_eq!(knob(0.033, 1.0, Count::Decimal).rounder(0.034), None, "outside");
    }
}
