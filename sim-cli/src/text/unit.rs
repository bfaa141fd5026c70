//! What a number counts, and how each format spells that: one type, the report's [`Unit`], wherever there is a unit.

use serde::Serializer;
use serde::ser::SerializeTuple;
pub use sim_models::report::Unit;

/// How a unit is spelled: in a report and for the page's script, where times are nanoseconds; in JSON documents; in a
/// CSV, where times are seconds.
const SPELLINGS: [(Unit, &str, &str, &str); 4] = [
    (Unit::Duration, "ns", "duration", "s"),
    (Unit::Rate, "/s", "rate", "/s"),
    (Unit::Share, "share", "share", "share"),
    (Unit::Plain, "", "plain", ""),
];

fn spelling(unit: Unit) -> (Unit, &'static str, &'static str, &'static str) {
    SPELLINGS.into_iter().find(|(of, ..)| *of == unit).expect("every unit has a row")
}

/// The unit that a report names: `ns`, `/s`, `share`; any other text is plain.
pub fn named(name: &str) -> Unit {
    SPELLINGS.into_iter().find(|(_, of, ..)| *of == name).map_or(Unit::Plain, |(unit, ..)| unit)
}

/// Its name in a report.
pub fn name(unit: Unit) -> &'static str {
    spelling(unit).1
}

/// Its name in a JSON document.
pub fn word(unit: Unit) -> &'static str {
    spelling(unit).2
}

/// Its name in a CSV.
pub fn of_csv(unit: Unit) -> &'static str {
    spelling(unit).3
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_report_names_is_read_back() {
        for (unit, name, ..) in SPELLINGS {
            assert_eq!(named(name), unit);
        }
        assert_eq!(named("parsecs"), Unit::Plain);
    }
}
