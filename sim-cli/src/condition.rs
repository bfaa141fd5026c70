//! What is held against a metric. There is one vocabulary for it, that of an experiment's expectations: what is wished on the
//! command line is an expectation that was typed.

use crate::text::unit::Unit;
use sim_core::Rate;
use sim_models::ByteSize;
pub use sim_models::experiment::{Bound, Check};

/// Whether a number that counts this is as it should be. Its bounds fit its unit, or there is no saying.
pub fn holds(check: Check<'_>, value: f64, unit: Unit) -> bool {
    let bound = |bound: &Bound| in_unit(bound, unit).expect("refused when it was read");
    match check {
        Check::Is(_) => false,
        Check::AtMost(most) => value <= bound(most),
        Check::AtLeast(least) => value >= bound(least),
        Check::Below(limit) => value < bound(limit),
        Check::Above(limit) => value > bound(limit),
        Check::Equals(exact, None) => value == bound(exact),
        Check::Equals(exact, Some(within)) => (value - bound(exact)).abs() <= bound(within),
    }
}

/// The bounds of a check.
pub fn bounds(check: Check<'_>) -> impl Iterator<Item = &Bound> {
    let (one, two) = match check {
        Check::Is(_) => (None, None),
        Check::AtMost(bound) | Check::AtLeast(bound) | Check::Below(bound) | Check::Above(bound) => {
            (Some(bound), None)
        }
        Check::Equals(bound, within) => (Some(bound), within),
    };
    one.into_iter().chain(two)
}

/// A bound in the unit in which the metric is counted.
pub fn in_unit(bound: &Bound, unit: Unit) -> Option<f64> {
    match (bound, unit) {
        (Bound::Number(_), Unit::Duration) => None,
        (Bound::Number(number), _) => Some(*number),
        (Bound::Duration(duration), Unit::Duration) => Some(duration.as_nanos() as f64),
        (Bound::Duration(_), _) => None,
        (Bound::Text(text), Unit::Rate) => text.parse::<Rate>().ok().map(|rate| rate.get()),
        (Bound::Text(text), Unit::Share) => text
            .strip_suffix('%')
            .and_then(|percent| percent.trim().parse::<f64>().ok())
            .map(|percent| percent / 100.0),
        (Bound::Text(text), Unit::Bytes) => text.parse::<ByteSize>().ok().map(|size| size.0 as f64),
        (Bound::Text(_), _) => None,
    }
}

/// A bound as it is typed.
pub fn show(bound: &Bound) -> String {
    match bound {
        Bound::Number(number) => number.to_string(),
        Bound::Duration(duration) => duration.to_string(),
        Bound::Text(text) => text.clone(),
    }
}

/// What a number of this unit is, and a bound that it can be held against.
pub fn kind(unit: Unit) -> (&'static str, &'static str) {
    match unit {
        Unit::Duration => ("is a time", "300ms"),
        Unit::Rate => ("is a rate", "800/s"),
        Unit::Share => ("is a share", "95%"),
        Unit::Bytes => ("is a number of bytes", "64MiB"),
        Unit::Plain => ("is a number", "1.2"),
    }
}
