//! Amounts of memory as a user writes them: `"512MiB"`.

use crate::experiment::{Decode, Decoder, Node, Positive, Rule, TypeDoc};
use sim_core::{LONGEST, SimDuration};
use std::fmt;
use std::str::FromStr;

/// An amount of memory: `"512MiB"`, `"2GiB"`, `"64kB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = self.in_units();
        write!(f, "{number}{unit}")
    }
}

impl ByteSize {
    /// In the largest unit of which it is a whole number.
    fn in_units(self) -> (u64, &'static str) {
        let fits = |(_, bytes): &&(&str, u64)| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        let (unit, bytes) = BYTE_UNITS.iter().rev().find(fits).unwrap_or(&BYTE_UNITS[0]);
        (self.0 / bytes, unit)
    }
}

/// How much a link carries: `"10MiB/s"`, or in bits `"100Mbit/s"`. In bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRate(pub u64);

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is no round number of bytes may be one of bits.
        let (bytes, _) = ByteSize(self.0).in_units();
        let bits = BIT_UNITS.iter().rev().find(|(_, unit)| bytes >= 1_000 && self.0.is_multiple_of(*unit));
        match bits {
            Some((name, unit)) => write!(f, "{}{name}/s", self.0 / unit),
            None => write!(f, "{}/s", ByteSize(self.0)),
        }
    }
}

impl ByteRate {
    /// How long so much takes, to the nanosecond that it is over by.
    pub fn time(self, bytes: u64) -> SimDuration {
        let nanos = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(self.0));
        SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(LONGEST)
    }
}

impl Rule<ByteRate> for Positive {
    fn check(&self, value: &ByteRate) -> Result<(), String> {
        Rule::check(self, &ByteSize(value.0))
    }

    fn allowed(&self) -> String {
        "more than 0".into()
    }
}

/// What links are sold by, in bytes.
const BIT_UNITS: [(&str, u64); 3] = [("kbit", 125), ("Mbit", 125_000), ("Gbit", 125_000_000)];

impl Decode for ByteRate {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let Some(text) = node.as_text() else {
            return cx.expected(node, "a rate of bytes such as \"10MiB/s\"");
        };
        let amount = text.strip_suffix("/s").map(str::trim).unwrap_or_default();
        let digits = amount.find(|c: char| !c.is_ascii_digit()).unwrap_or(amount.len());
        let (number, unit) = amount.split_at(digits);
        let mut units = BYTE_UNITS.iter().chain(&BIT_UNITS);
        let unit = units.find(|(name, _)| *name == unit.trim());
        let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(n, (_, bytes))| n.checked_mul(*bytes));
        if bytes.is_none() {
            cx.error(node.span, format!("not a rate of bytes: {}", node.found())).help(
                "write a whole number and a unit per second, as in \"10MiB/s\", \"500kB/s\" or \"100Mbit/s\"",
            );
        }
        bytes.map(ByteRate)
    }

    fn encode(&self) -> Node {
        Node::text(self.to_string())
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("rate of bytes", "\"10MiB/s\"")
    }
}

impl Rule<ByteSize> for Positive {
    fn check(&self, value: &ByteSize) -> Result<(), String> {
        if value.0 > 0 { Ok(()) } else { Err("must be more than 0".into()) }
    }

    fn allowed(&self) -> String {
        "more than 0".into()
    }
}

/// Units of memory and their bytes.
const BYTE_UNITS: [(&str, u64); 8] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl FromStr for ByteSize {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = BYTE_UNITS.iter().find(|(name, _)| *name == unit.trim());
        let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(n, (_, bytes))| n.checked_mul(*bytes));
        bytes.map(ByteSize).ok_or(())
    }
}

impl Decode for ByteSize {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let Some(text) = node.as_text() else {
            return cx.expected(node, "an amount of memory such as \"512MiB\"");
        };
        let bytes = text.parse::<ByteSize>();
        if bytes.is_err() {
            let units: Vec<_> = BYTE_UNITS.iter().map(|(name, _)| *name).collect();
            cx.error(node.span, format!("not an amount of memory: {}", node.found()))
                .help(format!("write a whole number and one of {}, as in \"512MiB\"", units.join(", ")));
        }
        bytes.ok()
    }

    fn encode(&self) -> Node {
        Node::text(self.to_string())
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("amount of memory", "\"512MiB\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_of_bytes_is_what_it_says() {
        // (text, bytes per second, as it is told)
        let table = [
            ("10MiB/s", 10 << 20, "10MiB/s"),
            ("500kB/s", 500_000, "500kB/s"),
            ("1 B/s", 1, "1B/s"),
            ("8kbit/s", 1_000, "1kB/s"),
            ("1536kbit/s", 192_000, "192kB/s"),
            ("1001B/s", 1_001, "1001B/s"),
            ("100Mbit/s", 12_500_000, "100Mbit/s"),
            ("10Gbit/s", 1_250_000_000, "10Gbit/s"),
        ];
        for (text, bytes, told) in table {
            let rate = ByteRate::decode(&Node::text(text), &mut Decoder::new()).expect(text);
            assert_eq!((rate.0, rate.to_string().as_str()), (bytes, told), "{text}");
            let again = ByteRate::decode(&rate.encode(), &mut Decoder::new());
            assert_eq!(again, Some(rate), "{text}");
        }
        for text in ["10MiB", "10 MiBps", "MiB/s", "-1B/s", "1.5MB/s", "99999999999TiB/s", "/s", ""] {
            assert_eq!(ByteRate::decode(&Node::text(text), &mut Decoder::new()), None, "{text}");
        }
    }

    #[test]
    fn a_message_takes_its_size_over_the_rate() {
        // (rate, bytes, nanoseconds), rounded up: nothing has come before all of it has.
        let table = [
            (1_000_000, 1_000, 1_000_000),
            (10 << 20, 1 << 20, 100_000_000),
            (3, 1, 333_333_334),
            (5, 0, 0),
            (1, u64::MAX, LONGEST.as_nanos()),
        ];
        for (rate, bytes, nanos) in table {
            assert_eq!(ByteRate(rate).time(bytes).as_nanos(), nanos, "{bytes} at {rate}/s");
        }
    }
}
