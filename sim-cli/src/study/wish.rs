//! What is wished of a run, as it is typed: `p99 <= 300ms`, `success >= 95%`, `recovered = true`,
//! `success during 200s..300s < 0.5`.
//!
//! A time that is absent because nothing ever came, as the 99th percentile of no answer or the time to recover of a
//! run that did not, is longer than any bound. Whatever else is absent holds against nothing, as the time to recover of
//! a run that nothing had disturbed.

use crate::condition::{Bound, Check, bounds, holds, in_unit, kind, show};
use crate::error::{Error, Result};
use crate::result::estimate::Measured;
use crate::study::measure::{measure, of_whom};
use crate::study::replicate::spelled_out;
use crate::text::escape;
use sim_core::{Rate, SimDuration, SimTime};
use sim_models::experiment::{Expectation, Spanned};
use sim_models::report::{During, Meaning, Report, Unit, asked};

/// An expectation that was typed.
#[derive(Clone, Debug)]
pub struct Wish(Expectation);

/// A breach is at most so large: an infinite one would hide all others.
const FAR: f64 = 10.0;

/// What a sign expects of a metric.
type Expect = fn(Bound) -> Expectation;

/// The signs that are read, and the check that each makes with a bound.
const SIGNS: [(&str, Expect); 6] = [
    ("<=", |bound| Expectation { at_most: Some(bound), ..Expectation::of("") }),
    (">=", |bound| Expectation { at_least: Some(bound), ..Expectation::of("") }),
    ("==", |bound| Expectation { equals: Some(bound), ..Expectation::of("") }),
    ("<", |bound| Expectation { below: Some(bound), ..Expectation::of("") }),
    (">", |bound| Expectation { above: Some(bound), ..Expectation::of("") }),
    ("=", |bound| Expectation { equals: Some(bound), ..Expectation::of("") }),
];

/// A wish held against one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// What was measured; of a truth 1 or 0.
    pub measured: Option<f64>,
    /// Whether it is as wished.
    pub holds: bool,
    /// How far it is from that, as a share of the bound; 0 if it holds.
    pub breach: f64,
    /// How far the bound is from it, as a share of the bound, at most 1; 0 if it does not hold.
    pub room: f64,
    /// What the metric counts.
    pub unit: Unit,
}

impl Held {
    /// The same where what was measured is of too few to count: as if it had been longer than any bound.
    pub fn broken(self) -> Held {
        Held { holds: false, breach: FAR, room: 0.0, ..self }
    }
}

impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let bound = match self.0.check() {
            Check::Is(truth) => truth.to_string(),
            check => bounds(check).map(show).collect(),
        };
        write!(f, "{} {} {bound}", self.asked(), self.sign())
    }
}

impl Wish {
    /// Reads one, or says what to type.
    pub fn parse(text: &str) -> Result<Wish, String> {
        let like = "write METRIC, one of < <= > >= =, and a bound: 'p99 <= 300ms', 'success >= 95%', 'recovered = true'";
        let (at, sign, with) = relation(text).ok_or_else(|| format!("`{text}` compares nothing: {like}"))?;
        let (left, right) = (text[..at].trim(), text[at + sign.len()..].trim());
        let (metric, during) =
            asked(left).map_err(|why| format!("{why}: write 'success during fault > 95%', or 200s..300s"))?;
        if metric.is_empty() || right.is_empty() {
            let side = if metric.is_empty() { "metric before" } else { "bound after" };
            return Err(format!("`{text}` has no {side} the `{sign}`: {like}"));
        }
        let mut wish = match right.trim_matches('"').parse::<bool>() {
            Ok(truth) if ["=", "=="].contains(&sign) => Expectation { is: Some(truth), ..Expectation::of("") },
            Ok(true | false) => {
                return Err(format!(
                    "`{right}` is neither more nor less than anything: write '{metric} = {right}'"
                ));
            }
            Err(_) => with(bound(right).ok_or_else(|| {
                format!("`{right}` is no bound: a number, a time such as 300ms, a rate such as 800/s, a share such as 95%, true or false")
            })?),
        };
        wish.metric.value = metric.into();
        wish.during = during.map(|value| Spanned { value, span: wish.metric.span });
        Ok(Wish(wish))
    }

    /// `recovered = true`
    pub fn recovered() -> Wish {
        Wish(Expectation { is: Some(true), ..Expectation::of("recovered") })
    }

    /// The metric's path.
    pub fn metric(&self) -> &str {
        &self.0.metric.value
    }

    /// The metric, and the part of the run that it is asked of.
    pub fn asked(&self) -> String {
        let during = self.during().map_or(String::new(), |during| format!(" during {during}"));
        format!("{}{during}", self.metric())
    }

    fn during(&self) -> Option<During> {
        self.0.during.as_ref().map(|during| during.value)
    }

    /// The comparison as it is typed.
    fn sign(&self) -> &'static str {
        match self.0.check() {
            Check::AtMost(_) => "<=",
            Check::AtLeast(_) => ">=",
            Check::Below(_) => "<",
            Check::Above(_) => ">",
            Check::Is(_) | Check::Equals(..) => "=",
        }
    }

    /// Itself, unless it is about a stretch that a run of this length does not have to its end.
    pub fn within(self, duration: SimDuration) -> Result<Wish, String> {
        match self.during() {
            Some(During::Time { from, .. }) if from >= SimTime::ZERO + duration => {
                Err(format!("`{self}` is about nothing: the run ends at {duration}"))
            }
            Some(During::Time { to, .. }) if to > SimTime::ZERO + duration => {
                Err(format!("`{self}` asks for a stretch until {to}, and the run ends at {duration}"))
            }
            _ => Ok(self),
        }
    }

    /// Whether it speaks about a truth, not a number.
    pub fn is_truth(&self) -> bool {
        matches!(self.0.check(), Check::Is(_))
    }

    /// Held against a run. A metric that the report does not know, or that is counted otherwise, is a mistake.
    pub fn held(&self, report: &Report) -> Result<Held> {
        let (measured, Meaning { unit, .. }) = measure(report, &[self.asked()])?[0];
        let value = match (measured, self.0.check()) {
            (Measured::Absent, _) if unit == Unit::Duration && !self.is_about_nothing(report) => {
                f64::INFINITY
            }
            (Measured::Absent, _) => {
                return Ok(Held { measured: None, holds: false, breach: 1.0, room: 0.0, unit });
            }
            (Measured::Truth(truth), Check::Is(wished)) => {
                let holds = truth == wished;
                let measured = Some(f64::from(u8::from(truth)));
                return Ok(Held { measured, holds, breach: f64::from(u8::from(!holds)), room: 0.0, unit });
            }
            (Measured::Truth(_), _) => return Err(self.mismatch("is true or false", "true")),
            (Measured::Number(value), _) => value,
            (Measured::Longer(_), _) => f64::INFINITY,
        };
        let bound = bounds(self.0.check()).next().and_then(|bound| in_unit(bound, unit));
        let Some(bound) = bound else {
            let (what, example) = kind(unit);
            return Err(self.mismatch(what, example));
        };
        let holds = holds(self.0.check(), value, unit);
        let apart = (value - bound).abs() / bound.abs().max(1e-9);
        let (breach, room) = if holds { (0.0, apart.min(1.0)) } else { (apart.clamp(1e-9, FAR), 0.0) };
        Ok(Held { measured: value.is_finite().then_some(value), holds, breach, room, unit })
    }

    /// Of a response time of calls that ended well: how many did in this run, of those that ended.
    pub fn answered(&self, report: &Report) -> Option<f64> {
        of_whom(report, &[spelled_out(report, &self.asked())])[0].answered
    }

    /// Whether this run could not have it: whoever was never disturbed has nothing to recover from.
    fn is_about_nothing(&self, report: &Report) -> bool {
        self.metric().ends_with("time_to_recover") && report.summary.recovered.is_none()
    }

    fn mismatch(&self, what: &str, example: &str) -> Error {
        let metric = escape(self.metric());
        Error::Usage {
            message: format!("`{}`: {metric} {what}", escape(&self.to_string())),
            help: format!("  write '{metric} {} {example}'", self.sign()),
        }
    }

    /// The bound in the unit of its metric, for a picture; of a truth nothing.
    pub fn bound(&self) -> Option<f64> {
        match bounds(self.0.check()).next()? {
            text @ Bound::Text(_) => {
                let units = [Unit::Share, Unit::Rate, Unit::Bytes];
                units.into_iter().find_map(|unit| in_unit(text, unit))
            }
            Bound::Duration(duration) => Some(duration.as_nanos() as f64),
            Bound::Number(number) => Some(*number),
        }
    }

    /// Whether less is wished.
    pub fn wants_less(&self) -> bool {
        matches!(self.0.check(), Check::AtMost(_) | Check::Below(_))
    }
}

/// The last comparison in a text; the `>` of an edge's arrow is none.
fn relation(text: &str) -> Option<(usize, &'static str, Expect)> {
    let free = |at: usize| text[..at].matches('"').count().is_multiple_of(2) && !text[..at].ends_with('-');
    (0..text.len()).rev().filter(|&at| text.is_char_boundary(at) && free(at)).find_map(|at| {
        let (sign, with) = SIGNS.iter().find(|(sign, _)| text[at..].starts_with(sign))?;
        // The second half of `<=`.
        let whole = at > 0
            && SIGNS[..3]
                .iter()
                .any(|(two, _)| text.is_char_boundary(at - 1) && text[at - 1..].starts_with(two));
        (!whole).then_some((at, *sign, *with))
    })
}

/// A number, a time, a rate or a share, as an expectation writes it.
fn bound(text: &str) -> Option<Bound> {
    let text = text.trim_matches('"');
    if let Some(percent) = text.strip_suffix('%') {
        let percent = percent.trim().parse().ok().filter(|x: &f64| x.is_finite())?;
        return Some(Bound::Text(format!("{percent}%")));
    }
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(Bound::Number(number));
    }
    if let Ok(duration) = text.parse::<SimDuration>() {
        return Some(Bound::Duration(duration));
    }
    text.parse::<Rate>().ok().map(|rate| Bound::Text(format!("{}/s", rate.get())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_as_people_type_them() {
        for (text, written) in [
            ("p99 <= 300ms", "p99 <= 300ms"),
            ("p99<=300ms", "p99 <= 300ms"),
            ("success<0.9", "success < 0.9"),
            ("success >= 95%", "success >= 95%"),
            ("recovered = true", "recovered = true"),
            ("recovered==false", "recovered = false"),
            ("goodput > 950/s", "goodput > 950/s"),
            ("edges.a->b.amplification <= 1.2", "edges.a->b.amplification <= 1.2"),
            ("edges[\"a->b\"].latency.p99>1s", "edges[\"a->b\"].latency.p99 > 1s"),
            ("success during 20s..30s < 0.5", "success during 20s..30s < 0.5"),
            ("p99 during after<=300ms", "p99 during after <= 300ms"),
        ] {
            assert_eq!(Wish::parse(text).map(|wish| wish.to_string()).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_says_what_does() {
        for (text, why) in [
            ("p99", "compares nothing"),
            ("edges.a->b.amplification", "compares nothing"),
            ("<= 3", "no metric before"),
            ("p99 <=", "no bound after"),
            ("p99 <= soon", "`soon` is no bound"),
            ("recovered > true", "write 'recovered = true'"),
            ("success during x < 1", "`x` is no part of the run"),
            ("p99 <= NaN", "no bound"),
        ] {
            let error = Wish::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_stretch_ends_no_later_than_its_run() {
        let within = |stretch: &str| {
            let wish = Wish::parse(&format!("success during {stretch} < 0.5")).expect("a wish");
            wish.within(SimDuration::from_secs(60)).map(|_| ())
        };
        assert_eq!((within("20s..30s"), within("20s..60s")), (Ok(()), Ok(())));
        let why = within("20s..61s").unwrap_err();
        assert_eq!(
            why,
            "`success during 20s..61s < 0.5` asks for a stretch until 61s, and the run ends at 60s"
        );
        assert!(within("60s..61s").unwrap_err().contains("about nothing"));
    }

    #[test]
    fn a_time_that_never_came_is_longer_than_any() {
        let mut report = Report::default();
        report.summary.recovered = Some(false);
        let held = |text: &str| Wish::parse(text).expect("a wish").held(&report).expect("known");
        assert_eq!(
            held("time_to_recover <= 10s"),
            Held { measured: None, holds: false, breach: 10.0, room: 0.0, unit: Unit::Duration }
        );
        assert!(held("time_to_recover > 10s").holds);
        assert!(!held("success < 0.9").holds && !held("success > 0.9").holds);
        let mismatch = Wish::parse("run.duration < 5").expect("a wish").held(&report).unwrap_err();
        assert!(mismatch.to_string().contains("is a time"), "{mismatch}");
        report.summary.recovered = None;
        for text in ["time_to_recover > 10s", "time_to_recover <= 10s"] {
            let held = Wish::parse(text).expect("a wish").held(&report).expect("known");
            assert!(!held.holds, "nothing to recover from: {text}");
        }
        let unknown = Wish::parse("sucess < 5").expect("a wish").held(&report).unwrap_err();
        assert!(unknown.to_string().contains("success"), "{unknown}");
    }
}
