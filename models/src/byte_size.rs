//! Amounts of memory as a user writes them: `"512MiB"`.

use crate::experiment::{Decode, Decoder, Node, Positive, Rule, TypeDoc};
use std::fmt;

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

impl Decode for ByteSize {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let Some(text) = node.as_text() else {
            return cx.expected(node, "an amount of memory such as \"512MiB\"");
        };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = BYTE_UNITS.iter().find(|(name, _)| *name == unit.trim());
        let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(n, (_, bytes))| n.checked_mul(*bytes));
        if bytes.is_none() {
            let units: Vec<_> = BYTE_UNITS.iter().map(|(name, _)| *name).collect();
            cx.error(node.span, format!("not an amount of memory: {}", node.found()))
                .help(format!("write a whole number and one of {}, as in \"512MiB\"", units.join(", ")));
        }
        bytes.map(ByteSize)
    }

    fn encode(&self) -> Node {
        Node::text(self.to_string())
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("amount of memory", "\"512MiB\"")
    }
}
