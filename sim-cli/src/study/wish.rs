//! What is wished of a run, as it is typed: `p99 <= 300ms`, `success >= 95%`, `recovered = true`,
//! `success during 200s..300s < 0.5`.
//!
//! A time that is absent because nothing ever came, as the 99th percentile of no answer or the time to recover of a
//! run that did not, is longer than any bound. Whatever else is absent holds against nothing.

use crate::error::{Error, Result};
use crate::result::estimate::Measured;
use crate::study::measure::measure;
use sim_core::{Rate, SimDuration, SimTime};
use sim_models::report::{Report, Unit};

/// A metric, and what it is held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// The metric's path.
    pub metric: String,
    during: Option<(SimTime, SimTime)>,
    relation: Relation,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    AtMost,
    AtLeast,
    Below,
    Above,
    Is,
}

const RELATIONS: [(&str, Relation); 6] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("==", Relation::Is),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("=", Relation::Is),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Truth(bool),
    Number(f64),
    /// Nanoseconds.
    Duration(f64),
    PerSecond(f64),
    Percent(f64),
}

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

impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let during = self.during.map_or(String::new(), |(from, to)| format!(" during {from}..{to}"));
        let relation = match self.relation {
            Relation::AtMost => "<=",
            Relation::AtLeast => ">=",
            Relation::Below => "<",
            Relation::Above => ">",
            Relation::Is => "=",
        };
        let bound = match self.bound {
            Bound::Truth(truth) => truth.to_string(),
            Bound::Number(number) => number.to_string(),
            Bound::Duration(ns) => SimDuration::from_nanos_f64(ns).to_string(),
            Bound::PerSecond(rate) => format!("{rate}/s"),
            Bound::Percent(percent) => format!("{percent}%"),
        };
        write!(f, "{}{during} {relation} {bound}", self.metric)
    }
}

impl Wish {
    /// Reads one, or says what to type.
    pub fn parse(text: &str) -> Result<Wish, String> {
        let like = "write METRIC, one of < <= > >= =, and a bound: 'p99 <= 300ms', 'success >= 95%', 'recovered = true'";
        let (at, sign, relation) =
            relation(text).ok_or_else(|| format!("`{text}` compares nothing: {like}"))?;
        let (left, right) = (text[..at].trim(), text[at + sign.len()..].trim());
        let (metric, during) = match left.rsplit_once(" during ") {
            Some((metric, stretch)) => (metric.trim(), Some(during(stretch.trim())?)),
            None => (left, None),
        };
        if metric.is_empty() || right.is_empty() {
            let side = if metric.is_empty() { "metric before" } else { "bound after" };
            return Err(format!("`{text}` has no {side} the `{sign}`: {like}"));
        }
        let bound = bound(right).ok_or_else(|| {
            format!("`{right}` is no bound: a number, a time such as 300ms, a rate such as 800/s, a share such as 95%, true or false")
        })?;
        if matches!(bound, Bound::Truth(_)) && relation != Relation::Is {
            return Err(format!(
                "`{right}` is neither more nor less than anything: write '{metric} = {right}'"
            ));
        }
        Ok(Wish { metric: metric.into(), during, relation, bound })
    }

    /// `recovered = true`
    pub fn recovered() -> Wish {
        Wish { metric: "recovered".into(), during: None, relation: Relation::Is, bound: Bound::Truth(true) }
    }

    /// Itself, unless it is about a stretch that begins when a run of this length is over.
    pub fn within(self, duration: SimDuration) -> Result<Wish, String> {
        match self.during {
            Some((from, _)) if from >= SimTime::ZERO + duration => {
                Err(format!("`{self}` is about nothing: the run ends at {duration}"))
            }
            _ => Ok(self),
        }
    }

    /// Whether it speaks about a truth, not a number.
    pub fn is_truth(&self) -> bool {
        matches!(self.bound, Bound::Truth(_))
    }

    /// Held against a run. A metric that the report does not know, or that is counted otherwise, is a mistake.
    pub fn held(&self, report: &Report) -> Result<Held> {
        let paths = [self.metric.clone()];
        let (measured, unit) = match self.during {
            Some((from, to)) => measure(&report.during(from, to), &paths)?[0],
            None => measure(report, &paths)?[0],
        };
        let value = match (measured, self.bound) {
            (Measured::Absent, _) if unit == Unit::Duration => f64::INFINITY,
            (Measured::Absent, _) => {
                return Ok(Held { measured: None, holds: false, breach: 1.0, room: 0.0, unit });
            }
            (Measured::Truth(truth), Bound::Truth(wished)) => {
                let holds = truth == wished;
                let measured = Some(f64::from(u8::from(truth)));
                return Ok(Held { measured, holds, breach: f64::from(u8::from(!holds)), room: 0.0, unit });
            }
            (Measured::Truth(_), _) => return Err(self.mismatch("is true or false", "true")),
            (Measured::Number(value), _) => value,
        };
        let bound = match (self.bound, unit) {
            (Bound::Number(number), Unit::Plain | Unit::Rate | Unit::Share) => number,
            (Bound::Duration(ns), Unit::Duration) => ns,
            (Bound::PerSecond(rate), Unit::Rate) => rate,
            (Bound::Percent(percent), Unit::Share) => percent / 100.0,
            (_, Unit::Duration) => return Err(self.mismatch("is a time", "300ms")),
            (_, Unit::Rate) => return Err(self.mismatch("is a rate", "800/s")),
            (_, Unit::Share) => return Err(self.mismatch("is a share", "95%")),
            (_, Unit::Plain) => return Err(self.mismatch("is a number", "1.2")),
        };
        let holds = match self.relation {
            Relation::AtMost => value <= bound,
            Relation::AtLeast => value >= bound,
            Relation::Below => value < bound,
            Relation::Above => value > bound,
            Relation::Is => value == bound,
        };
        // Far off is far off: an infinite breach would hide all others.
        let apart = (value - bound).abs() / bound.abs().max(1e-9);
        let (breach, room) = if holds { (0.0, apart.min(1.0)) } else { (apart.clamp(1e-9, 10.0), 0.0) };
        Ok(Held { measured: value.is_finite().then_some(value), holds, breach, room, unit })
    }

    fn mismatch(&self, what: &str, example: &str) -> Error {
        let metric = &self.metric;
        let sign = self.to_string();
        let sign = sign[metric.len()..].split_whitespace().rev().nth(1).unwrap_or("<=").to_string();
        Error::Usage {
            message: format!(
                "`{}`: {} {what}",
                crate::text::escape(&self.to_string()),
                crate::text::escape(metric)
            ),
            help: format!("  write '{} {sign} {example}'", crate::text::escape(metric)),
        }
    }

    /// The bound in the unit of its metric, for a picture; of a truth nothing.
    pub fn bound(&self) -> Option<f64> {
        match self.bound {
            Bound::Truth(_) => None,
            Bound::Number(x) | Bound::Duration(x) | Bound::PerSecond(x) => Some(x),
            Bound::Percent(percent) => Some(percent / 100.0),
        }
    }

    /// Whether less is wished.
    pub fn wants_less(&self) -> bool {
        matches!(self.relation, Relation::AtMost | Relation::Below)
    }
}

/// The last comparison in a text; the `>` of an edge's arrow is none.
fn relation(text: &str) -> Option<(usize, &'static str, Relation)> {
    let free = |at: usize| text[..at].matches('"').count().is_multiple_of(2) && !text[..at].ends_with('-');
    (0..text.len()).rev().filter(|&at| text.is_char_boundary(at) && free(at)).find_map(|at| {
        let (sign, relation) = RELATIONS.iter().find(|(sign, _)| text[at..].starts_with(sign))?;
        // The second half of `<=`.
        let whole = at > 0
            && RELATIONS[..3]
                .iter()
                .any(|(two, _)| text.is_char_boundary(at - 1) && text[at - 1..].starts_with(two));
        (!whole).then_some((at, *sign, *relation))
    })
}

fn during(text: &str) -> Result<(SimTime, SimTime), String> {
    let wrong = || format!("`{text}` is no stretch of time: write 'success during 200s..300s > 95%'");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let time = |text: &str| text.trim().parse::<SimTime>().map_err(|_| wrong());
    let (from, to) = (time(from)?, time(to)?);
    if from < to { Ok((from, to)) } else { Err(wrong()) }
}

fn bound(text: &str) -> Option<Bound> {
    let text = text.trim_matches('"');
    if let Ok(truth) = text.parse() {
        return Some(Bound::Truth(truth));
    }
    if let Some(percent) = text.strip_suffix('%') {
        return percent.trim().parse().ok().filter(|x: &f64| x.is_finite()).map(Bound::Percent);
    }
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(Bound::Number(number));
    }
    if let Ok(duration) = text.parse::<SimDuration>() {
        return Some(Bound::Duration(duration.as_nanos() as f64));
    }
    text.parse::<Rate>().ok().map(|rate| Bound::PerSecond(rate.get()))
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
            ("success during x < 1", "no stretch of time"),
            ("p99 <= NaN", "no bound"),
        ] {
            let error = Wish::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_time_that_never_came_is_longer_than_any() {
        let report = Report::default();
        let held = |text: &str| Wish::parse(text).expect("a wish").held(&report).expect("known");
        assert_eq!(
            held("time_to_recover <= 10s"),
            Held { measured: None, holds: false, breach: 10.0, room: 0.0, unit: Unit::Duration }
        );
        assert!(held("time_to_recover > 10s").holds);
        assert!(!held("success < 0.9").holds && !held("success > 0.9").holds);
        let mismatch = Wish::parse("run.duration < 5").expect("a wish").held(&report).unwrap_err();
        assert!(mismatch.to_string().contains("is a time"), "{mismatch}");
        let unknown = Wish::parse("sucess < 5").expect("a wish").held(&report).unwrap_err();
        assert!(unknown.to_string().contains("success"), "{unknown}");
    }
}
