//! What a value must satisfy beyond its type.

use std::ops::{RangeFrom, RangeInclusive};

use sim_core::{Rate, SimDuration};

use super::map::Map;
use super::node::{Node, Spanned};

/// What a value must satisfy beyond its type.
pub trait Rule<T> {
    /// Why `value` is refused, if it is: "allowed 1 to 1000". It follows "got 0, ".
    fn check(&self, value: &T) -> Result<(), String>;

    /// What was probably meant instead of a refused `value`.
    fn hint(&self, _value: &T) -> Option<String> {
        None
    }

    /// The values that pass, for the documentation: "1 to 1000".
    fn allowed(&self) -> String {
        String::new()
    }

    /// Why what is written need not even be read.
    fn too_much(&self, _written: &Node) -> Option<String> {
        None
    }

    /// Makes of a refused `value` the nearest that passes, where there is one: what else is wrong is looked for with that,
    /// and nothing is made in a number that was refused.
    fn mend(&self, _value: &mut T) {}
}

/// Any value, if there is one.
impl<T, R: Rule<T>> Rule<Option<T>> for R {
    fn check(&self, value: &Option<T>) -> Result<(), String> {
        value.as_ref().map_or(Ok(()), |value| self.check(value))
    }
    fn hint(&self, value: &Option<T>) -> Option<String> {
        value.as_ref().and_then(|value| self.hint(value))
    }
    fn allowed(&self) -> String {
        Rule::<T>::allowed(self)
    }
    fn too_much(&self, written: &Node) -> Option<String> {
        Rule::<T>::too_much(self, written)
    }
    fn mend(&self, value: &mut Option<T>) {
        if let Some(value) = value {
            self.mend(value);
        }
    }
}

/// The value itself.
impl<T, R: Rule<T>> Rule<Spanned<T>> for R {
    fn check(&self, value: &Spanned<T>) -> Result<(), String> {
        self.check(&value.value)
    }
    fn hint(&self, value: &Spanned<T>) -> Option<String> {
        self.hint(&value.value)
    }
    fn allowed(&self) -> String {
        Rule::<T>::allowed(self)
    }
    fn too_much(&self, written: &Node) -> Option<String> {
        Rule::<T>::too_much(self, written)
    }
    fn mend(&self, value: &mut Spanned<T>) {
        self.mend(&mut value.value);
    }
}

/// A number as it would be written.
trait Shown: PartialOrd {
    fn shown(&self) -> String;
    fn percent_meant(_range: &RangeInclusive<Self>, _value: &Self) -> Option<String>
    where
        Self: Sized,
    {
        None
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}
impl Shown for u64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}
impl Shown for SimDuration {
    fn shown(&self) -> String {
        format!("\"{self}\"")
    }
}
impl Shown for f64 {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
    fn percent_meant(range: &RangeInclusive<f64>, &value: &f64) -> Option<String> {
        let share = (value * 1e7).round() / 1e9;
        match value {
            // A share, where a percentage is meant: one that ends short of all of them. What ends at 100 may be a factor.
            0.01..1.0 if *range.start() == 1.0 && (99.0..100.0).contains(range.end()) => {
                let percent = (value * 1e6).round() / 1e4;
                Some(format!("is {percent} % meant? write {percent}"))
            }
            _ if *range.start() < 0.0 || *range.end() > 1.0 => None,
            // A slip of the arithmetic, not a percentage.
            1.0..1.01 if *range.end() == 1.0 => Some("write 1.0 for all".into()),
            1.01..=100.0 if range.contains(&share) => Some(format!("is {value} % meant? write {share:?}")),
            _ => None,
        }
    }
}

macro_rules! ranges {
    ($($ty:ty),*) => {$(
        impl Rule<$ty> for RangeInclusive<$ty> {
            fn check(&self, value: &$ty) -> Result<(), String> {
                if self.contains(value) { Ok(()) } else { Err(format!("allowed {}", Rule::<$ty>::allowed(self))) }
            }
            fn hint(&self, value: &$ty) -> Option<String> {
                Shown::percent_meant(self, value)
            }
            fn allowed(&self) -> String {
                format!("{} to {}", self.start().shown(), self.end().shown())
            }
            fn mend(&self, value: &mut $ty) {
                if *value > *self.end() {
                    *value = *self.end();
                } else if !self.contains(value) {
                    *value = *self.start();
                }
            }
        }
        impl Rule<$ty> for RangeFrom<$ty> {
            fn check(&self, value: &$ty) -> Result<(), String> {
                if self.contains(value) { Ok(()) } else { Err(format!("allowed {}", Rule::<$ty>::allowed(self))) }
            }
            fn allowed(&self) -> String {
                format!("at least {}", self.start.shown())
            }
            fn mend(&self, value: &mut $ty) {
                *value = self.start;
            }
        }
    )*};
}
ranges!(u32, u64, f64, SimDuration);

/// More than nothing, and what nothing would do.
#[derive(Clone, Copy, Debug)]
pub struct Positive(Option<&'static str>);

/// More than nothing: a duration, a rate or a number above 0.
pub const POSITIVE: Positive = Positive(None);

impl Positive {
    /// With the reason, which is what 0 would mean: "every call would fail".
    pub const fn or(self, consequence: &'static str) -> Positive {
        Positive(Some(consequence))
    }

    fn verdict(self, positive: bool, must: &str) -> Result<(), String> {
        match (positive, self.0) {
            (true, _) => Ok(()),
            (false, None) => Err(format!("must be {must} 0")),
            (false, Some(why)) => Err(format!("must be {must} 0: {why}")),
        }
    }
}

impl Rule<SimDuration> for Positive {
    fn check(&self, value: &SimDuration) -> Result<(), String> {
        self.verdict(!value.is_zero(), "longer than")
    }
    fn allowed(&self) -> String {
        "longer than 0".into()
    }
}

impl Rule<Rate> for Positive {
    fn check(&self, value: &Rate) -> Result<(), String> {
        self.verdict(value.get() > 0.0, "more than")
    }
    fn allowed(&self) -> String {
        "more than 0".into()
    }
}

impl Rule<f64> for Positive {
    fn check(&self, value: &f64) -> Result<(), String> {
        self.verdict(*value > 0.0, "more than")
    }
    fn allowed(&self) -> String {
        "more than 0".into()
    }
}

/// How many entries a list or map may have.
#[derive(Clone, Debug)]
pub struct Len(pub RangeInclusive<usize>);

/// At least one entry.
pub const NOT_EMPTY: Len = Len(1..=usize::MAX);

impl Len {
    fn verdict(&self, length: usize) -> Result<(), String> {
        if self.0.contains(&length) {
            Ok(())
        } else {
            Err(format!("{length} entries, allowed {}", self.text()))
        }
    }

    fn text(&self) -> String {
        match (*self.0.start(), *self.0.end()) {
            (least, usize::MAX) => format!("at least {least}"),
            (least, most) => format!("{least} to {most}"),
        }
    }

    fn too_much(&self, written: &Node) -> Option<String> {
        let length = written.parts();
        (length > *self.0.end()).then(|| format!("{length} entries, allowed {}", self.text()))
    }
}

impl<T> Rule<Vec<T>> for Len {
    fn too_much(&self, written: &Node) -> Option<String> {
        self.too_much(written)
    }
    fn check(&self, value: &Vec<T>) -> Result<(), String> {
        self.verdict(value.len())
    }
    fn allowed(&self) -> String {
        format!("{} entries", self.text())
    }
}

impl<T> Rule<Map<T>> for Len {
    fn too_much(&self, written: &Node) -> Option<String> {
        self.too_much(written)
    }
    fn check(&self, value: &Map<T>) -> Result<(), String> {
        self.verdict(value.len())
    }
    fn allowed(&self) -> String {
        format!("{} entries", self.text())
    }
}

/// What services, policies, variants and the like may be called: it is a part of paths and file names.
#[derive(Clone, Copy, Debug)]
pub struct Name;

/// The longest name, in bytes.
const NAME_BYTES: usize = 64;

/// What Windows keeps for devices, whatever the case: a file of that name cannot be written there. `COM1` to `COM9` and
/// `LPT1` to `LPT9` besides.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

fn is_device(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let port = name.strip_prefix("com").or(name.strip_prefix("lpt"));
    DEVICES.contains(&name.as_str()) || port.is_some_and(|port| matches!(port.as_bytes(), [b'1'..=b'9']))
}

impl Name {
    /// Why `name` cannot be one.
    pub fn verdict(name: &str) -> Result<(), String> {
        let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let sound = name.bytes().next().is_some_and(letter) && name.bytes().all(|b| letter(b) || b == b'-');
        match sound {
            _ if name.is_empty() => Err("a name cannot be empty".into()),
            _ if name.len() > NAME_BYTES => {
                Err(format!("a name has at most {NAME_BYTES} bytes, this one {}", name.len()))
            }
            true if is_device(name) => {
                Err(format!("`{name}` is no name: Windows keeps it for a device, and names become files"))
            }
            true => Ok(()),
            false => {
                Err("a name is letters (a-z, A-Z), digits, `_` and `-`, and does not begin with `-`".into())
            }
        }
    }
}

impl Rule<String> for Name {
    fn check(&self, value: &String) -> Result<(), String> {
        Name::verdict(value)
    }
    fn allowed(&self) -> String {
        format!("letters, digits, `_`, `-`; at most {NAME_BYTES} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Decoder, as_rule};

    #[test]
    fn a_percentage_in_the_place_of_a_share_is_recognised() {
        for (range, value, expected) in [
            (1.0..=99.99, 0.95, Some("is 95 % meant? write 95")),
            (1.0..=99.99, 100.0, None),
            (1.0..=100.0, 0.9, None),
            (0.0..=1.0, 10.0, Some("is 10 % meant? write 0.1")),
            (0.0..=1.0, 100.0, Some("is 100 % meant? write 1.0")),
            (0.0..=1.0, 1.005, Some("write 1.0 for all")),
            (0.0..=0.999_999_999, 99.95, Some("is 99.95 % meant? write 0.9995")),
            (0.0..=0.999_999_999, 99.999, Some("is 99.999 % meant? write 0.99999")),
            (0.0..=0.999_999_999, 1.0, None),
            (0.0..=0.999_999_999, 100.0, None),
            (0.0..=0.5, 40.0, Some("is 40 % meant? write 0.4")),
            (0.0..=0.5, 60.0, None),
            (0.0..=1.0, 101.0, None),
            (0.0..=1000.0, 2000.0, None),
        ] {
            let range: RangeInclusive<f64> = range;
            assert_eq!(Rule::<f64>::hint(&range, &value).as_deref(), expected, "{value} in {range:?}");
        }
    }

    #[test]
    fn what_fits_no_number_is_told_what_the_rule_allows() {
        for number in [-1_i64, 1 << 40] {
            let mut cx = Decoder::new();
            let rule = 1..=255;
            let rule = as_rule::<Option<u32>, _>(&rule);
            assert!(cx.checked::<Option<u32>>(&Node::number(number), Some(rule)).is_none());
            let said: Vec<String> = cx.into_diagnostics().iter().map(|it| it.message.clone()).collect();
            assert_eq!(said, [format!("got {number}, allowed 1 to 255")]);
        }
    }
}
