//! A setting that is searched over: its path, the ends of its range, and how a number between them is typed.
//!
//! The ends say what is counted: `100ms..2s`, `100/s..320/s`, `1..8`, `0.05..0.5`; whole numbers stay whole. What stands at the
//! path says how a number is wrapped: where `Poisson("280/s")` stands, 150 per second is `Poisson("150/s")`. A range
//! that spans more than a decade is searched by ratio, others by difference.

use crate::result::knob::{Count, Knob};
use crate::study::axis::Ends;
use crate::text::number::percent;
use sim_models::experiment::{Kind, Node};

/// Whether a value of `--set` is a range: two ends around `..`, and no step.
pub fn is_range(text: &str) -> bool {
    ends_of(text).is_some()
}

/// The two ends of a range as they are typed.
fn ends_of(text: &str) -> Option<(&str, &str)> {
    let quoted = |at: usize| text[..at].matches('"').count() % 2 == 1;
    let (at, _) = text.match_indices("..").find(|(at, _)| !quoted(*at))?;
    Some((text[..at].trim(), text[at + 2..].trim()))
}

impl Knob {
    /// The knob that `path=text` describes, given what stands at the path now; or what is wrong with it.
    pub fn parse(path: &str, text: &str, standing: Option<&Node>) -> Result<Knob, String> {
        let (low, high) = ends_of(text).ok_or("a range is written LOW..HIGH")?;
        let example = "a range is written LOW..HIGH, as in 100ms..2s, 100/s..320/s, 1..8 or 0.05..0.5";
        let (mut wrap, low, high) = match (unwrapped(low), unwrapped(high)) {
            ((Some(one), low), (Some(other), high)) if one == other => {
                (Some((format!("{one}("), ")".into())), low, high)
            }
            ((None, low), (None, high)) => (None, low, high),
            _ => return Err(format!("`{text}` begins and ends with different words: {example}")),
        };
        let [low, high] = [low, high].map(|end| Ends::parse(end).ok_or(end));
        let (mut low, mut high) = match (low, high) {
            (Ok(low), Ok(high)) => (low, high),
            (Err(end), _) | (_, Err(end)) if end.is_empty() => {
                return Err(format!("`{text}` lacks an end: {example}"));
            }
            (Err(end), _) | (_, Err(end)) => {
                return Err(format!("`{end}` is no number with a unit: {example}"));
            }
        };
        // 100..320/s: what has no unit has the other's.
        low = in_unit_of(low, high);
        high = in_unit_of(high, low);
        let count = match (low, high) {
            (Ends::Whole(_), Ends::Whole(_)) => match standing.map(|node| &node.kind) {
                // 1..2 of what is 1.5 now are all numbers in between.
                Some(Kind::Number(number)) if number.contains(['.', 'e', 'E']) => Count::Decimal,
                _ => Count::Whole,
            },
            (Ends::Whole(_) | Ends::Decimal(_), Ends::Whole(_) | Ends::Decimal(_)) => Count::Decimal,
            (Ends::Duration(_), Ends::Duration(_)) => Count::Duration,
            (Ends::PerSecond(_), Ends::PerSecond(_)) => Count::Rate,
            _ => return Err(format!("`{text}` begins and ends in different units: {example}")),
        };
        let (low, high) = (low.number(), high.number());
        if low >= high {
            return Err(format!("`{text}` is no range: it rises from its low end to its high end"));
        }
        if let (None, Some(standing)) = (&wrap, standing) {
            wrap = around(standing).map_err(|inner| inside(path, standing, &inner))?;
        }
        let count = match wrap_counts_decimals(standing) {
            true if count == Count::Whole => Count::Decimal,
            _ => count,
        };
        Ok(Knob { path: path.into(), low, high, count, wrap: wrap.unwrap_or_default() })
    }

    /// Whether two values are as close as the search goes: a share of the range, or by `within`.
    pub fn close(&self, a: f64, b: f64, within: Within) -> bool {
        match within {
            Within::Range(share) => (self.position(a) - self.position(b)).abs() <= share,
            Within::Absolute(most) => (a - b).abs() <= most,
            Within::Relative(share) => (a - b).abs() <= share * a.abs().max(b.abs()),
        }
    }

    /// So many times a tolerance, in words: `± 6.6/s`.
    pub fn show_within(&self, within: Within) -> String {
        match within {
            Within::Range(share) if !self.by_ratio() => {
                format!("± {}", self.show(share * (self.high - self.low)))
            }
            Within::Range(share) => format!("± {} of the range", percent(share)),
            Within::Absolute(most) => format!("± {}", self.show(most)),
            Within::Relative(share) => format!("± {}", percent(share)),
        }
    }

    /// What to read a tolerance as: `2/s`, `5ms`, `1%`.
    pub fn tolerance(&self, text: &str) -> Result<Within, String> {
        let wrong = || {
            let example = match self.count {
                Count::Whole => "1",
                Count::Decimal => "0.01",
                Count::Duration => "5ms",
                Count::Rate => "2/s",
            };
            format!("`{text}` is no tolerance for {}: write {example}, or 1% of the value", self.path)
        };
        let found = if let Some(percent) = text.strip_suffix('%') {
            Within::Relative(percent.trim().parse::<f64>().map_err(|_| wrong())? / 100.0)
        } else {
            let end = Ends::parse(text).ok_or_else(wrong)?;
            let fits = match (end, self.count) {
                (Ends::Whole(_) | Ends::Decimal(_), Count::Whole | Count::Decimal | Count::Rate) => true,
                (Ends::Duration(_), count) => count == Count::Duration,
                (Ends::PerSecond(_), count) => count == Count::Rate,
                _ => false,
            };
            Within::Absolute(if fits { end.number() } else { return Err(wrong()) })
        };
        match found {
            Within::Absolute(x) | Within::Relative(x) if x > 0.0 && x.is_finite() => Ok(found),
            _ => Err(wrong()),
        }
    }

    /// The number in what stands at the path now, if it is one of the knob's kind.
    pub fn standing(&self, node: &Node) -> Option<f64> {
        let end = Ends::parse(&lone(node)?)?;
        let fits = matches!(
            (end, self.count),
            (Ends::Whole(_) | Ends::Decimal(_), Count::Whole | Count::Decimal)
                | (Ends::Duration(_), Count::Duration)
                | (Ends::PerSecond(_), Count::Rate)
        );
        fits.then(|| end.number())
    }
}

/// How close is close enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Within {
    /// A share of the range.
    Range(f64),
    /// An amount, in the knob's unit.
    Absolute(f64),
    /// A share of the value.
    Relative(f64),
}

impl Within {
    /// So many times as wide.
    #[must_use]
    pub fn times(self, times: f64) -> Within {
        match self {
            Within::Range(share) => Within::Range(times * share),
            Within::Absolute(most) => Within::Absolute(times * most),
            Within::Relative(share) => Within::Relative(times * share),
        }
    }
}

/// `Poisson("100/s")` as its word and what it wraps.
fn unwrapped(end: &str) -> (Option<&str>, &str) {
    let inner = end.strip_suffix(')').and_then(|end| end.split_once('('));
    match inner {
        Some((word, inner)) if !word.trim().is_empty() => (Some(word.trim()), inner.trim().trim_matches('"')),
        _ => (None, end.trim_matches('"')),
    }
}

fn in_unit_of(end: Ends, other: Ends) -> Ends {
    match (end, other) {
        (Ends::Whole(n), Ends::PerSecond(_)) => Ends::PerSecond(n as f64),
        (Ends::Decimal(x), Ends::PerSecond(_)) => Ends::PerSecond(x),
        (Ends::Whole(0), Ends::Duration(_)) => Ends::Duration(0),
        _ => end,
    }
}

/// What stands around the one number of a value; where there are several, their names.
fn around(node: &Node) -> Result<Option<(String, String)>, Vec<String>> {
    match &node.kind {
        Kind::Tuple(Some(name), items) if items.len() == 1 && is_scalar(&items[0]) => {
            Ok(Some((format!("{name}("), ")".into())))
        }
        Kind::Struct(Some(name), fields) if fields.len() == 1 && is_scalar(&fields[0].value) => {
            Ok(Some((format!("{name}({}: ", fields[0].key.value), ")".into())))
        }
        Kind::Struct(_, fields) => {
            let scalars = fields.iter().filter(|field| is_scalar(&field.value));
            Err(scalars.map(|field| field.key.value.clone()).collect())
        }
        Kind::Tuple(..) | Kind::List(_) | Kind::Map(_) => Err(Vec::new()),
        _ => Ok(None),
    }
}

fn is_scalar(node: &Node) -> bool {
    matches!(&node.kind, Kind::Number(_)) || node.as_text().is_some_and(|text| Ends::parse(text).is_some())
}

/// Whether the one number that is wrapped is written with a point.
fn wrap_counts_decimals(standing: Option<&Node>) -> bool {
    let inner = standing.and_then(|node| match &node.kind {
        Kind::Tuple(Some(_), items) if items.len() == 1 => Some(&items[0]),
        Kind::Struct(Some(_), fields) if fields.len() == 1 => Some(&fields[0].value),
        _ => None,
    });
    matches!(inner.map(|node| &node.kind), Some(Kind::Number(number)) if number.contains('.'))
}

/// The one number in a value, as it is typed.
fn lone(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Number(number) => Some(number.replace('_', "")),
        Kind::Text(text) => Some(text.clone()),
        Kind::Tuple(Some(_), items) if items.len() == 1 => lone(&items[0]),
        Kind::Struct(Some(_), fields) if fields.len() == 1 => lone(&fields[0].value),
        _ => None,
    }
}

fn inside(path: &str, node: &Node, fields: &[String]) -> String {
    let shown = node.brief();
    match fields {
        [] => format!("there is no single number to search in {path}, which is {shown}"),
        fields => {
            let paths: Vec<String> = fields.iter().map(|field| format!("{path}.{field}")).collect();
            format!("{path} is {shown}: name the number in it that you mean: {}", paths.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knob(text: &str, standing: Node) -> Knob {
        Knob::parse("p", text, Some(&standing)).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_number_is_typed_as_what_stands_there() {
        let poisson = || Node::tuple("Poisson", [Node::text("280/s")]);
        let exponential = Node::record([("mean", Node::text("10ms"))]).named(Some("Exponential"));
        for (text, standing, x, typed) in [
            ("100/s..320/s", poisson(), 150.5, "Poisson(\"150.5/s\")"),
            ("Poisson(\"100/s\")..Poisson(\"320/s\")", poisson(), 150.0, "Poisson(\"150/s\")"),
            ("Constant(100/s)..Constant(320/s)", poisson(), 150.0, "Constant(\"150/s\")"),
            ("100..320/s", poisson(), 150.0, "Poisson(\"150/s\")"),
            ("0..2s", Node::text("1s"), 2.5e8, "\"250ms\""),
            ("1ms..20ms", exponential, 5e6, "Exponential(mean: \"5ms\")"),
            ("1..8", Node::number(3), 2.0, "2"),
            ("1..8", Node::number("3.0"), 2.0, "2.0"),
            ("0.05..0.5", Node::tuple("Ratio", [Node::number("0.1")]), 0.2, "Ratio(0.2)"),
            ("10..600", Node::word("Unbounded"), 100.0, "100"),
        ] {
            assert_eq!(knob(text, standing).value(x), typed, "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_told() {
        let fixed =
            Node::record([("attempts", Node::number(3)), ("delay", Node::text("0s"))]).named(Some("Fixed"));
        for (text, standing, why) in [
            ("5..1", Node::number(3), "no range"),
            ("5..5", Node::number(3), "no range"),
            ("1..", Node::number(3), "lacks an end"),
            ("a..b", Node::number(3), "`a` is no number"),
            ("1ms..4", Node::number(3), "different units"),
            ("1/s..4ms", Node::number(3), "different units"),
            ("Poisson(1/s)..Constant(2/s)", Node::number(3), "different words"),
            ("1..5", fixed, "p.attempts, p.delay"),
            ("1..5", Node::list([Node::number(1)]), "no single number"),
        ] {
            let error = Knob::parse("p", text, Some(&standing)).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(is_range("1..3") && !is_range("3") && !is_range("\"a..b\""));
    }

    #[test]
    fn the_middle_has_few_digits_and_whole_numbers_stay_whole() {
        let rate = knob("100/s..320/s", Node::tuple("Poisson", [Node::text("280/s")]));
        assert_eq!(rate.between(100.0, 320.0), Some(210.0));
        assert_eq!(rate.between(146.875, 148.6), Some(147.7));
        let whole = knob("1..8", Node::number(3));
        assert_eq!(whole.between(1.0, 8.0), Some(4.0));
        assert_eq!(whole.between(3.0, 4.0), None);
        assert_eq!(whole.between(3.0, 5.0), Some(4.0));
        // More than a decade: by ratio.
        let wide = knob("10..1000", Node::number(100));
        assert_eq!(wide.between(10.0, 1000.0), Some(100.0));
        assert_eq!((wide.at(0.0), wide.at(0.5), wide.at(1.0)), (10.0, 100.0, 1000.0));
        assert!((wide.position(100.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn tolerances_are_amounts_or_shares() {
        let rate = knob("100/s..320/s", Node::tuple("Poisson", [Node::text("280/s")]));
        assert_eq!(rate.tolerance("2/s"), Ok(Within::Absolute(2.0)));
        assert_eq!(rate.tolerance("2"), Ok(Within::Absolute(2.0)));
        assert_eq!(rate.tolerance("1%"), Ok(Within::Relative(0.01)));
        for bad in ["2ms", "x", "0", "-1%", "%"] {
            assert!(rate.tolerance(bad).is_err(), "{bad}");
        }
        assert!(
            rate.close(100.0, 101.0, Within::Relative(0.01))
                && !rate.close(100.0, 103.0, Within::Range(0.01))
        );
    }

    #[test]
    fn what_stands_there_is_found_again() {
        let rate = knob("100/s..320/s", Node::tuple("Poisson", [Node::text("280/s")]));
        assert_eq!(rate.standing(&Node::tuple("Poisson", [Node::text("280/s")])), Some(280.0));
        assert_eq!(rate.standing(&Node::word("Unbounded")), None);
    }
}
