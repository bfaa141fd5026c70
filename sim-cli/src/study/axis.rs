//! The values of an axis as they are typed: a list, `2,4,"250ms",Poisson("800/s")`, or a range with both
//! ends, `1..5:1`, `100ms..500ms:100ms`, `1..64*2`. Anything else is one value, and no axis.

use crate::text::number::tidy;
use sim_core::{Rate, SimDuration};
use sim_models::experiment::MAX_POINTS;

/// What the text after `--set PATH=` means to a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// One value, the same everywhere.
    Fixed,
    /// An axis: its values, or why it has none.
    Axis(Result<Vec<String>, String>),
}

/// A list or a range is an axis; brackets and quotes hold a value together.
pub fn typed(text: &str) -> Typed {
    let parts = split(text);
    if let [one] = parts.as_slice()
        && matches!(range(one), Ok(None))
    {
        return Typed::Fixed;
    }
    Typed::Axis(values(text, &parts))
}

/// The values of a list or a range, two at least, or why the text is neither.
fn values(text: &str, parts: &[&str]) -> Result<Vec<String>, String> {
    if parts.iter().any(|part| part.is_empty()) {
        return Err("a value between two commas is missing".into());
    }
    let mut values = Vec::new();
    for part in parts {
        match range(part)? {
            Some(range) => values.extend(range),
            None => values.push((*part).to_string()),
        }
        if values.len() > MAX_POINTS {
            return Err(too_many(text));
        }
    }
    match values.as_slice() {
        [only] => Err(format!("the range has one value, {only}: an axis needs two; `={only}` fixes it")),
        _ => Ok(values),
    }
}

fn too_many(text: &str) -> String {
    format!("`{text}` has more than {MAX_POINTS} values, the most there may be")
}

/// At the commas outside of quotes and brackets.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut from) = (0u32, false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

/// How the ends of a range are written, and what its values are counted in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ends {
    Whole(u64),
    Decimal(f64),
    Duration(u64),
    PerSecond(f64),
}

impl Ends {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Some(Ends::Whole(whole));
        }
        if let Ok(duration) = text.parse::<SimDuration>() {
            return Some(Ends::Duration(duration.as_nanos()));
        }
        if let Ok(rate) = text.parse::<Rate>() {
            return Some(Ends::PerSecond(rate.get()));
        }
        text.parse().ok().filter(|x: &f64| x.is_finite()).map(Ends::Decimal)
    }

    pub(crate) fn number(self) -> f64 {
        match self {
            Ends::Whole(n) | Ends::Duration(n) => n as f64,
            Ends::Decimal(x) | Ends::PerSecond(x) => x,
        }
    }

    /// A value of the kind of both ends, as it would be typed.
    fn write(from: Ends, to: Ends, x: f64) -> Option<String> {
        match (from, to) {
            (Ends::Whole(_), Ends::Whole(_)) if x.fract() == 0.0 => Some((x as u64).to_string()),
            (Ends::Whole(_) | Ends::Decimal(_), Ends::Whole(_) | Ends::Decimal(_)) => Some(tidy(x)),
            (Ends::Duration(_), Ends::Duration(_)) => Some(format!("\"{}\"", SimDuration::from_nanos_f64(x))),
            (Ends::PerSecond(_), Ends::PerSecond(_)) => Some(format!("\"{}/s\"", tidy(x))),
            _ => None,
        }
    }
}

/// The values of `FROM..TO:STEP` or `FROM..TO*FACTOR`; none if the text is no range.
fn range(text: &str) -> Result<Option<Vec<String>>, String> {
    let Some((from_text, rest)) = text.split_once("..") else { return Ok(None) };
    let Some(from) = Ends::parse(from_text) else { return Ok(None) };
    let wrong = |what: &str| format!("the range `{text}` {what}");
    let (to_text, step_text, factor) = match (rest.rsplit_once('*'), rest.rsplit_once(':')) {
        (Some((to, factor)), _) => (to, factor, true),
        (None, Some((to, step))) => (to, step, false),
        (None, None) => (rest, "1", false),
    };
    let to =
        Ends::parse(to_text).ok_or_else(|| wrong("has no end: write FROM..TO:STEP or FROM..TO*FACTOR"))?;
    let step = Ends::parse(step_text).ok_or_else(|| wrong("has a step that is no number"))?;
    let plain = |ends: Ends| matches!(ends, Ends::Whole(_) | Ends::Decimal(_));
    if plain(from) != plain(to) || Ends::write(from, to, from.number()).is_none() {
        return Err(wrong("begins and ends in different units"));
    }
    let step_fits = if factor { plain(step) } else { Ends::write(from, step, from.number()).is_some() };
    if !step_fits {
        return Err(wrong(if factor {
            "has a factor with a unit"
        } else {
            "needs a step in its unit, as 100ms..1s:100ms"
        }));
    }
    let (low, high, by) = (from.number(), to.number(), step.number());
    let advances = if factor { by > 1.0 && low > 0.0 } else { by > 0.0 };
    if !advances || high < low {
        return Err(wrong("never reaches its end: it rises, by a step above 0 or a factor above 1"));
    }
    let mut values = Vec::new();
    let mut x = low;
    // A hair above the end still counts: ten steps of 0.1.
    while x <= high * (1.0 + 1e-12) {
        if values.len() == MAX_POINTS {
            return Err(too_many(text));
        }
        values.push(Ends::write(from, to, x).expect("checked"));
        x = if factor { x * by } else { low + by * values.len() as f64 };
    }
    Ok(Some(values))
}

#[cfg(test)]
mod tests {
    use crate::study::axis::{Typed, typed};

    fn values(text: &str) -> Result<Vec<String>, String> {
        match typed(text) {
            Typed::Fixed => panic!("{text} is an axis"),
            Typed::Axis(values) => values,
        }
    }

    #[test]
    fn lists_and_ranges() {
        for (text, expected) in [
            ("1,2, 4", &["1", "2", "4"][..]),
            ("1..3", &["1", "2", "3"]),
            ("1..10:4", &["1", "5", "9"]),
            ("1..64*4", &["1", "4", "16", "64"]),
            ("0..0.3:0.1", &["0", "0.1", "0.2", "0.3"]),
            ("100ms..1s:300ms", &["\"100ms\"", "\"400ms\"", "\"700ms\"", "\"1s\""]),
            ("100/s..300/s:100/s", &["\"100/s\"", "\"200/s\"", "\"300/s\""]),
            ("1,10..30:10", &["1", "10", "20", "30"]),
            (r#"Poisson("1,0/s"),Fixed(a: 1, b: [2,3])"#, &[r#"Poisson("1,0/s")"#, "Fixed(a: 1, b: [2,3])"]),
            ("4..4,8", &["4", "8"]),
        ] {
            assert_eq!(
                values(text).as_deref(),
                Ok(expected.iter().map(|s| s.to_string()).collect::<Vec<_>>().as_slice()),
                "{text}"
            );
        }
    }

    #[test]
    fn brackets_and_quotes_hold_one_value_together() {
        for text in [
            "4",
            "250ms",
            "Poisson(\"1,0/s\")",
            "[1,2]",
            "\"a,b\"",
            "{\"a\": 1, \"b\": 2}",
            "..",
            "\"1..3\"",
            "a..b",
        ] {
            assert_eq!(typed(text), Typed::Fixed, "{text}");
        }
    }

    #[test]
    fn what_never_ends_or_makes_no_sense_is_refused() {
        for (text, why) in [
            ("1,,2", "is missing"),
            ("1,", "is missing"),
            ("5..5", "one value, 5"),
            ("1..3:10", "one value, 1"),
            ("1..5:0", "never reaches"),
            ("5..1", "never reaches"),
            ("0..8*2", "never reaches"),
            ("1..9*1", "never reaches"),
            ("1..10ms:1ms", "different units"),
            ("1ms..10ms:2", "a step in its unit"),
            ("1s..5s", "a step in its unit"),
            ("1ms..10ms*2ms", "factor with a unit"),
            ("1..:2", "has no end"),
            ("1..1000000", "more than 100000"),
        ] {
            let error = values(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
