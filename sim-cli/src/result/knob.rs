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

    /// A value with no more than three digits, where that keeps it within the range.
    pub fn round(&self, x: f64) -> f64 {
        let rounded = self.legal(format!("{x:.2e}").parse().expect("a number"));
        if (self.low..=self.high).contains(&rounded) { rounded } else { x }
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
