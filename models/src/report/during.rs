//! Which part of a run a metric is asked of: `success during fault`, `goodput during 60s..90s`.

use super::head::Report;
use super::meaning::{KNOWN_IN_PART, Meaning};
use super::metric::{Metric, MetricError};
use super::stretch::Stretch;
use sim_core::SimTime;
use std::fmt;
use std::str::FromStr;

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum During {
    /// Before, during or after what disturbs it.
    Stretch(Stretch),
    /// From one time up to another.
    Time {
        /// The first instant.
        from: SimTime,
        /// The first instant after it.
        to: SimTime,
    },
}

impl FromStr for During {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(stretch) = text.parse() {
            return Ok(During::Stretch(stretch));
        }
        let (from, to) =
            text.split_once("..").ok_or("a part of the run is before, fault, after, or like \"60s..90s\"")?;
        let time = |text: &str| text.trim().parse::<SimTime>().map_err(|error| error.to_string());
        let (from, to) = (time(from)?, time(to)?);
        if from < to { Ok(During::Time { from, to }) } else { Err("it ends before it begins".into()) }
    }
}

impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            During::Stretch(stretch) => stretch.fmt(f),
            During::Time { from, to } => write!(f, "{from}..{to}"),
        }
    }
}

/// What is asked for: the path of a metric, and of which part of the run.
pub fn asked(metric: &str) -> Result<(&str, Option<During>), String> {
    match metric.rsplit_once(" during ") {
        Some((path, part)) if !part.contains('"') => match part.trim().parse() {
            Ok(during) => Ok((path.trim(), Some(during))),
            Err(why) => Err(format!("`{}` is no part of the run: {why}", part.trim())),
        },
        _ => Ok((metric, None)),
    }
}

impl Report {
    /// That part of it; none where it has no such stretch.
    pub fn part(&self, during: During) -> Option<Report> {
        match during {
            During::Stretch(stretch) => self.stretch(stretch),
            During::Time { from, to } => Some(self.during(from, to)),
        }
    }

    /// What these metrics came to, and what they mean; each of the whole run or of a part, which is made once. Of a stretch that a run
    /// does not have there is nothing, but it is no mistake to ask.
    pub fn measured<P: AsRef<str>>(&self, metrics: &[P]) -> Vec<Result<(Metric, Meaning), MetricError>> {
        let asked: Vec<_> = metrics.iter().map(|metric| asked(metric.as_ref())).collect();
        let mut parts: Vec<(During, Option<Report>)> = Vec::new();
        for during in asked.iter().flatten().filter_map(|(_, during)| *during) {
            if parts.iter().all(|(other, _)| *other != during) {
                parts.push((during, self.part(during)));
            }
        }
        let whole = self.leaves();
        let leaves: Vec<_> = parts.iter().map(|(_, part)| part.as_ref().map(Report::leaves)).collect();
        let read = |asked: Result<(&str, Option<During>), String>| {
            let (path, during) = asked.map_err(MetricError::because)?;
            let Some(during) = during else {
                return whole.leaf(path).map(|leaf| (leaf.metric, leaf.meaning));
            };
            let number = parts.iter().position(|(other, _)| *other == during).expect("made above");
            if let Some(leaves) = &leaves[number] {
                return leaves.leaf(path).map(|leaf| (leaf.metric, leaf.meaning));
            }
            let leaf = whole.leaf(path)?;
            match leaf.meaning.in_stretch {
                true => Ok((Metric::Absent, leaf.meaning)),
                false => Err(MetricError::because(format!(
                    "`{path}` is known for the whole run only: {KNOWN_IN_PART}"
                ))),
            }
        };
        asked.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Ending;
    use crate::report::synthetic::{disturbed, full_report, healthy, run};
    use crate::report::{Began, Calls, Unit};

    /// Struck from 60 s to 90 s of 100 s, and warmed up for 10: calls that ended well and that did not of each stretch.
    fn struck() -> Report {
        let mut report = disturbed(run(100, |_| healthy(100)), "slow", 60, Some(90));
        let began = |ok, failed| Began {
            calls: Calls {
                started: ok + failed,
                ended: [(Ending::Ok, ok), (Ending::FAILED, failed)].into_iter().collect(),
                ..Calls::default()
            },
            sent: 2 * (ok + failed),
            goodput: 12.5,
            ..Began::default()
        };
        report.edges.0[0].1.stretches = vec![began(5_000, 0), began(750, 2_250), began(900, 100)];
        report
    }

    fn metric(report: &Report, path: &str) -> Option<f64> {
        match report.metric(path) {
            Ok(Metric::Number(number, _)) => Some(number),
            Ok(Metric::Absent) => None,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn stretches_are_told_apart_to_the_call() {
        let report = struck();
        for (path, expected) in [
            ("success during before", Some(1.0)),
            ("success during fault", Some(0.25)),
            ("edges.users->checkout.success during after", Some(0.9)),
            ("lost during fault", Some(2_250.0)),
            // Three quarters of 30 s.
            ("error_budget during fault", Some(22.5e9)),
            ("error_budget during after", Some(1e9)),
            ("offered during fault", Some(100.0)),
            ("goodput during after", Some(12.5)),
            ("amplification during before", Some(2.0)),
            ("edges.users->checkout.calls.deadline during fault", Some(0.0)),
            ("p99 during fault", None),
            // By time it is windows that tell, and they know another run.
            ("success during 60s..90s", Some(1.0)),
        ] {
            assert_eq!(metric(&report, path), expected, "{path}");
        }
        let sum: f64 = Stretch::ALL.iter().filter_map(|s| metric(&report, &format!("lost during {s}"))).sum();
        assert_eq!(sum, 2_350.0);
    }

    #[test]
    fn what_is_not_there_is_absent_and_what_cannot_be_is_a_mistake() {
        let quiet = run(100, |_| healthy(100));
        assert_eq!(quiet.metric("success during fault"), Ok(Metric::Absent));
        let lasting = disturbed(quiet, "slow", 60, None);
        assert_eq!(lasting.metric("success during after"), Ok(Metric::Absent));
        assert_eq!(
            metric(&lasting, "success during fault"),
            Some(1.0),
            "by windows, where nobody counted apart"
        );
        let error = |path: &str| full_report().metric(path).unwrap_err().message;
        assert!(error("success during lunch").contains("`lunch` is no part of the run"));
        assert!(error("recovered during fault").contains("known for the whole run only"));
        assert!(error("recovered during after").contains("known for the whole run only"));
        assert!(error("sucess during fault").contains("no metric"));
    }

    #[test]
    fn many_are_asked_at_once() {
        let report = struck();
        let asked = ["success during fault", "goodput", "success during fault", "nothing"];
        let measured = report.measured(&asked);
        assert_eq!(measured[0], measured[2]);
        assert_eq!(
            measured[1].as_ref().map(|(metric, _)| *metric),
            report.metric("goodput").as_ref().map(|m| *m)
        );
        assert!(measured[3].is_err());
        assert_eq!(measured[0].as_ref().map(|(_, meaning)| meaning.unit), Ok(Unit::Share));
    }

    #[test]
    fn parts_are_read_as_they_are_written() {
        for text in ["before", "fault", "after", "60s..90s", "1ms..2ms"] {
            assert_eq!(text.parse::<During>().map(|during| during.to_string()), Ok(text.into()));
        }
        assert!("90s..60s".parse::<During>().unwrap_err().contains("before it begins"));
        assert_eq!(asked(r#"edges["a during b"].success"#), Ok((r#"edges["a during b"].success"#, None)));
    }
}
