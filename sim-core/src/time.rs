//! Virtual time in whole nanoseconds, and the units people write it in.
//!
//! A `u64` of nanoseconds lasts 584 years. All arithmetic is checked: a simulation whose clock would
//! wrap stops with a panic that says so, in release as in debug. No float ever orders two events.

use std::cell::Cell;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

/// The longest duration a user may write: a hundred years of 365 days.
pub const LONGEST: SimDuration = SimDuration(100 * 365 * 86_400 * NANOS_PER_SEC);

const NANOS_PER_SEC: u64 = 1_000_000_000;

thread_local! {
    static CUT: Cell<u64> = const { Cell::new(0) };
}

/// How many times [`SimDuration::drawn`] has cut a number to [`LONGEST`] on this thread since this was last asked. Nothing
/// that is simulated depends on it, and a run is made on one thread.
pub fn cut_to_longest() -> u64 {
    CUT.take()
}

#[cold]
fn count_cut() {
    CUT.set(CUT.get() + 1);
}

/// A point in virtual time: nanoseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

/// A length of virtual time in nanoseconds. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(u64);

impl SimTime {
    /// The beginning of every run.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than anything that can be scheduled.
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// From nanoseconds since the beginning.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimTime(nanos)
    }

    /// From whole seconds since the beginning.
    pub const fn from_secs(secs: u64) -> Self {
        SimTime(secs * NANOS_PER_SEC)
    }

    /// Nanoseconds since the beginning.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the beginning, rounded to the nearest `f64`: for display and theory only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// The time between `earlier` and `self`. Panics if `earlier` is later: that is a model's bug.
    #[inline]
    pub fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.checked_sub(earlier.0).expect("a later time was taken from an earlier one"))
    }

    /// `self + duration`, or `None` past the end of representable time.
    pub const fn checked_add(self, duration: SimDuration) -> Option<SimTime> {
        match self.0.checked_add(duration.0) {
            Some(nanos) => Some(SimTime(nanos)),
            None => None,
        }
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: SimDuration = SimDuration(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimDuration(nanos)
    }

    /// From whole microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        SimDuration(micros * 1_000)
    }

    /// From whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        SimDuration(millis * 1_000_000)
    }

    /// From whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        SimDuration(secs * NANOS_PER_SEC)
    }

    /// From a number of nanoseconds: rounded to the nearest, never below zero, at most a hundred years. The one place
    /// where a float becomes time.
    #[inline]
    pub fn from_nanos_f64(nanos: f64) -> Self {
        debug_assert!(!nanos.is_nan(), "a sampler returned NaN");
        // `as` saturates, and anything too long is capped to `LONGEST` next. By way of `i64`, which the
        // processor can convert in one step.
        SimDuration((((nanos + 0.5) as i64).max(0) as u64).min(LONGEST.0))
    }

    /// The same of a number that was drawn from a distribution: what is cut is [counted](cut_to_longest).
    #[inline]
    pub fn drawn(nanos: f64) -> Self {
        if nanos > LONGEST.0 as f64 {
            count_cut();
        }
        SimDuration::from_nanos_f64(nanos)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds, rounded to the nearest `f64`: for display, theory and sampling parameters.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self * factor`, at most a hundred years.
    pub fn saturating_mul(self, factor: u64) -> SimDuration {
        SimDuration(self.0.saturating_mul(factor).min(LONGEST.0))
    }

    /// `self - other`, or zero.
    pub fn saturating_sub(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_sub(other.0))
    }

    /// For people: `1.23 ms`, `45.6 s`, and from two minutes on `3 min 30 s`. Rounded, so never read back;
    /// [`Display`](fmt::Display) is exact.
    pub fn brief(self) -> String {
        let nanos = self.0 as f64;
        let (value, unit) = match nanos {
            0.0 => return "0 s".into(),
            n if n < 999.5 => return format!("{} ns", self.0),
            n if n < 999.5e3 => (n / 1e3, "us"),
            n if n < 999.5e6 => (n / 1e6, "ms"),
            n if n < 119.5e9 => (n / 1e9, "s"),
            _ => return self.in_two_units(),
        };
        let decimals = match value {
            v if v < 9.995 => 2,
            v if v < 99.95 => 1,
            _ => 0,
        };
        let text = format!("{value:.decimals$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        format!("{text} {unit}")
    }

    /// Two minutes or more: `3 min 30 s`, `2 h 5 min`, `4 d`.
    fn in_two_units(self) -> String {
        let seconds = self.0 / NANOS_PER_SEC + u64::from(self.0 % NANOS_PER_SEC >= NANOS_PER_SEC / 2);
        let (large, small, per, count) = match seconds {
            s if s < 2 * 3_600 => ("min", "s", 60, s),
            s if s < 2 * 86_400 => ("h", "min", 60, (s + 30) / 60),
            s => ("d", "h", 24, (s + 1_800) / 3_600),
        };
        match count % per {
            0 => format!("{} {large}", count / per),
            rest => format!("{} {large} {rest} {small}", count / per),
        }
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    #[inline]
    fn add(self, duration: SimDuration) -> SimTime {
        self.checked_add(duration).expect("virtual time past the year 584")
    }
}

impl Add for SimDuration {
    type Output = SimDuration;
    #[inline]
    fn add(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.checked_add(other.0).expect("a duration past 584 years"))
    }
}

impl AddAssign for SimDuration {
    #[inline]
    fn add_assign(&mut self, other: SimDuration) {
        *self = *self + other;
    }
}

impl Sub for SimDuration {
    type Output = SimDuration;
    #[inline]
    fn sub(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.checked_sub(other.0).expect("a negative duration"))
    }
}

/// Exact and read back by [`FromStr`]: the largest unit that needs at most three decimals, else the
/// largest that divides evenly.
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (unit, nanos) in [("d", 86_400), ("h", 3_600), ("min", 60)] {
            let nanos = nanos * NANOS_PER_SEC;
            if self.0 >= nanos && self.0.is_multiple_of(nanos) && (unit != "min" || self.0 >= 2 * nanos) {
                return write!(f, "{}{unit}", self.0 / nanos);
            }
        }
        for (unit, nanos) in [("s", NANOS_PER_SEC), ("ms", 1_000_000), ("us", 1_000)] {
            if self.0 >= nanos && self.0.is_multiple_of(nanos / 1_000) {
                let fraction = self.0 % nanos * 1_000 / nanos;
                let digits = format!("{}.{fraction:03}", self.0 / nanos);
                return write!(f, "{}{unit}", digits.trim_end_matches('0').trim_end_matches('.'));
            }
        }
        write!(f, "{}ns", self.0)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SimDuration(self.0).fmt(f)
    }
}

/// Why a text is not a duration, a time or a rate. The message says what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTimeError(String);

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseTimeError {}

/// The units of time, their spelling and their length in nanoseconds.
const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SEC),
    ("m", 60 * NANOS_PER_SEC),
    ("min", 60 * NANOS_PER_SEC),
    ("h", 3_600 * NANOS_PER_SEC),
    ("d", 86_400 * NANOS_PER_SEC),
];

fn unit_nanos(unit: &str) -> Result<u64, ParseTimeError> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|&(_, nanos)| nanos).ok_or_else(|| {
        ParseTimeError(match unit {
            "" => "a unit is missing: write ns, us, ms, s, min, h or d, as in \"250ms\"".into(),
            "M" => "unknown unit `M`: minutes are `min` or `m`".into(),
            _ => format!("unknown unit `{unit}`: use ns, us, ms, s, min, h or d"),
        })
    })
}

/// `"250ms"`, `"1.5s"`, `"2min"`, `"1h30m"`: exact decimal arithmetic, so `"0.1s"` is 100,000,000 ns.
impl FromStr for SimDuration {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let error = |message: &str| Err(ParseTimeError(message.into()));
        let mut rest = text.trim();
        if rest.is_empty() {
            return error("a duration is missing: write a number and a unit, as in \"250ms\"");
        }
        if rest.starts_with('-') {
            return error("a duration cannot be negative");
        }
        if rest == "0" {
            return Ok(SimDuration::ZERO);
        }
        let mut total: u128 = 0;
        while !rest.is_empty() {
            let number_end =
                rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(number_end);
            let tail = tail.trim_start();
            let unit_end = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_end);
            rest = tail.trim_start();
            if number.is_empty() {
                return error("not a duration: write a number and a unit, as in \"250ms\"");
            }
            let nanos = unit_nanos(unit)?;
            let number = number.replace('_', "");
            let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
            let fraction = fraction.trim_end_matches('0');
            if fraction.contains('.') || (whole.is_empty() && fraction.is_empty() && !number.contains('0')) {
                return error("not a number");
            }
            if whole.trim_start_matches('0').len() > 19 || fraction.len() > 19 {
                return error("too many digits: the longest duration is 100 years, the shortest 1 ns");
            }
            let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().expect("checked digits") };
            total += whole * u128::from(nanos);
            if !fraction.is_empty() {
                let scale = 10u128.pow(fraction.len() as u32);
                let scaled = fraction.parse::<u128>().expect("checked digits") * u128::from(nanos);
                if scaled % scale != 0 {
                    return error("finer than 1 ns, the resolution of virtual time");
                }
                total += scaled / scale;
            }
        }
        if total > u128::from(LONGEST.0) {
            return error("longer than 100 years");
        }
        Ok(SimDuration(total as u64))
    }
}

impl FromStr for SimTime {
    type Err = ParseTimeError;
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        text.parse().map(|SimDuration(nanos)| SimTime(nanos))
    }
}

/// Events per second of virtual time: `"800/s"`, `"30/min"`, `"1.5/h"`. Finite, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// The highest rate a user may write: one event each nanosecond.
const HIGHEST_RATE: f64 = 1e9;

impl Rate {
    /// From events per second; `None` unless it is finite and between 0 and 1e9.
    pub fn per_sec(events: f64) -> Option<Self> {
        (0.0..=HIGHEST_RATE).contains(&events).then_some(Rate(events))
    }

    /// Events per second.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let text = text.trim();
        let Some((number, unit)) = text.split_once('/') else {
            return Err(ParseTimeError(
                "a rate is a number per unit of time, as in \"800/s\" or \"30/min\"".into(),
            ));
        };
        let unit_seconds = unit_nanos(unit.trim())? as f64 / NANOS_PER_SEC as f64;
        let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | 'e' | 'E' | '+' | '-');
        let number = number.trim();
        match number.replace('_', "").parse::<f64>() {
            Ok(value) if number.chars().all(plain) && value.is_finite() => {
                Rate::per_sec(value / unit_seconds).ok_or_else(|| {
                    ParseTimeError(format!("{number}/{} is outside 0 to 1e9 per second", unit.trim()))
                })
            }
            _ => Err(ParseTimeError(format!("`{number}` is not a number: a rate looks like \"800/s\""))),
        }
    }
}

/// Exact and read back by [`FromStr`].
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        for (text, nanos) in [
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("0.1s", 100_000_000),
            ("1ns", 1),
            ("0.000000001s", 1),
            ("2min", 120_000_000_000),
            ("5m", 300_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1_000us", 1_000_000),
            ("3 µs", 3_000),
            ("0", 0),
            ("0.0s", 0),
            (".5s", 500_000_000),
        ] {
            assert_eq!(text.parse(), Ok(SimDuration(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_says_why() {
        for (text, why) in [
            ("5", "a unit is missing"),
            ("5M", "minutes are `min`"),
            ("5 parsecs", "unknown unit `parsecs`"),
            ("-1s", "negative"),
            ("", "missing"),
            ("0.1ns", "finer than 1 ns"),
            ("200000d", "longer than 100 years"),
            ("99999999999999999999999s", "too many digits"),
            ("1.2.3s", "not a number"),
            ("ms", "not a duration"),
            (".s", "not a number"),
        ] {
            let error = text.parse::<SimDuration>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn printed_durations_are_read_back() {
        for nanos in [
            0,
            1,
            999,
            1_000,
            1_500,
            1_234_567,
            250_000_000,
            1_500_000_000,
            60_000_000_000,
            90_000_000_000,
            120_000_000_000,
            5_400_000_000_000,
            86_400_000_000_000,
            123_456_789_012_345,
            LONGEST.0,
        ] {
            let printed = SimDuration(nanos).to_string();
            assert_eq!(printed.parse(), Ok(SimDuration(nanos)), "{printed}");
        }
        assert_eq!(SimDuration::from_millis(1_500).to_string(), "1.5s");
        assert_eq!(SimDuration::from_secs(300).to_string(), "5min");
        assert_eq!(SimDuration::from_secs(90).to_string(), "90s");
    }

    #[test]
    fn people_get_three_digits() {
        for (nanos, brief) in [
            (0, "0 s"),
            (12_345, "12.3 us"),
            (1_000_000, "1 ms"),
            (999_600_000, "1 s"),
            (90_000_000_000, "90 s"),
            (300_000_000_000, "5 min"),
            (123_456_789, "123 ms"),
            (119_600_000_000, "2 min"),
            (210_000_000_000, "3 min 30 s"),
            (7_500_000_000_000, "2 h 5 min"),
            (100 * 3_600_000_000_000, "4 d 4 h"),
        ] {
            assert_eq!(SimDuration(nanos).brief(), brief);
        }
    }

    #[test]
    fn rates_are_read_and_printed() {
        assert_eq!("800/s".parse::<Rate>().map(Rate::get), Ok(800.0));
        assert_eq!("30/min".parse::<Rate>().map(Rate::get), Ok(0.5));
        assert_eq!("0.8/s".parse::<Rate>().unwrap().to_string(), "0.8/s");
        for bad in ["800", "/s", "inf/s", "NaN/s", "-1/s", "1e18/s", "800/x", "0x10/s"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sampled_nanoseconds_round_and_never_wrap() {
        assert_eq!(SimDuration::from_nanos_f64(1.5).as_nanos(), 2);
        assert_eq!(SimDuration::from_nanos_f64(-3.0), SimDuration::ZERO);
        assert_eq!(SimDuration::from_nanos_f64(1e300), LONGEST);
    }
}
