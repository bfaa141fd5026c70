//! What a number counts, and how each format spells that: one type, the report's [`Unit`], wherever there is a unit.

use serde::Serializer;
use serde::ser::SerializeTuple;
pub use sim_models::report::Unit;

/// How a unit is spelled besides its [name](Unit::name) in a report, where times are nanoseconds: in JSON documents; in
/// a CSV, where times are seconds.
const SPELLINGS: [(Unit, &str, &str); 5] = [
    (Unit::Duration, "duration", "s"),
    (Unit::Rate, "rate", "/s"),
    (Unit::Share, "share", "share"),
    (Unit::Bytes, "bytes", "B"),
    (Unit::Plain, "plain", ""),
];

fn spelling(unit: Unit) -> (Unit, &'static str, &'static str) {
    SPELLINGS.into_iter().find(|(of, ..)| *of == unit).expect("every unit has a row")
}

/// Its name in a JSON document.
pub fn word(unit: Unit) -> &'static str {
    spelling(unit).1
}

/// Its name in a CSV.
pub fn of_csv(unit: Unit) -> &'static str {
    spelling(unit).2
}

/// A number as a CSV has it.
pub fn in_csv(x: f64, unit: Unit) -> f64 {
    if unit == Unit::Duration { x / 1e9 } else { x }
}

/// A unit of a JSON document.
pub fn as_word<S: Serializer>(unit: &Unit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(*unit))
}

/// Two of them.
pub fn as_words<S: Serializer>(units: &[Unit; 2], serializer: S) -> Result<S::Ok, S::Error> {
    let mut both = serializer.serialize_tuple(2)?;
    units.iter().try_for_each(|unit| both.serialize_element(word(*unit)))?;
    both.end()
}
