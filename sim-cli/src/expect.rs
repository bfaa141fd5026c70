//! What the author of an experiment expects, held against what was measured.

use crate::args::Bounds;
use crate::error::Result;
use crate::experiment::Prepared;
use crate::render::number;
use crate::signal::Interrupt;
use crate::simulate::simulate;
use serde::Serialize;
use sim_core::Rate;
use sim_models::experiment::{Bound, Check, Diagnostic, Diagnostics, Expectation, Experiment, Failed};
use sim_models::report::{Metric, MetricError, Report, Unit};

/// One expectation and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The variant it speaks about; none is the base.
    pub variant: Option<String>,
    /// What is expected, in words: `time_to_recover at most 30s`.
    pub claim: String,
    /// What was measured, with its unit: `12.3 s`.
    pub measured: String,
    /// Whether it holds.
    pub holds: bool,
}

/// The expectations about one run, or about all variants of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Judgement {
    /// In the order of the file.
    pub judged: Vec<Judged>,
    /// Why they are only shown and do not decide the exit code: "settings were changed with --set". None if
    /// they do.
    pub not_enforced: Option<String>,
}

impl Judgement {
    /// Whether an expectation that counts does not hold.
    pub fn failed(&self) -> bool {
        self.not_enforced.is_none() && self.judged.iter().any(|judged| !judged.holds)
    }
}

/// Holds the expectations about one run against its report. A metric that the report does not know is a
/// mistake in the file, told like any other.
pub fn judge(
    prepared: &Prepared,
    experiment: &Experiment,
    report: &Report,
) -> std::result::Result<Judgement, Failed> {
    held_against(prepared, experiment, report, |_| true)
}

/// Finds metrics that the report will not have before anything is run: after one event all edges and services are
/// known. What a model measures besides (`values`) shows at the end only.
pub fn check(prepared: &Prepared, experiment: &Experiment, interrupt: &Interrupt) -> Result<Option<Failed>> {
    let about = |expectation: &Expectation| is_about(expectation, prepared);
    if !experiment.expectations().iter().any(about) {
        return Ok(None);
    }
    let bounds = Bounds { max_events: 1, ..Bounds::default() };
    let report = simulate(prepared, &bounds, None, interrupt, None)?.report;
    Ok(held_against(prepared, experiment, &report, |metric| !metric.starts_with("values")).err())
}

fn is_about(expectation: &Expectation, prepared: &Prepared) -> bool {
    expectation.variant.as_ref().map(|variant| &variant.value) == prepared.variant.as_ref()
}

fn held_against(
    prepared: &Prepared,
    experiment: &Experiment,
    report: &Report,
    wanted: impl Fn(&str) -> bool,
) -> std::result::Result<Judgement, Failed> {
    let mut judgement = Judgement { judged: Vec::new(), not_enforced: not_enforced(prepared, report) };
    let mut problems = Diagnostics::new();
    for expectation in experiment.expectations() {
        if !is_about(expectation, prepared) || !wanted(&expectation.metric.value) {
            continue;
        }
        match held(expectation, report) {
            Ok((measured, holds)) => judgement.judged.push(Judged {
                variant: prepared.variant.clone(),
                claim: claim(expectation),
                measured,
                holds,
            }),
            Err(error) => {
                let help = match error.nearest.as_slice() {
                    [] => "`brownout list metrics` names those that this experiment has".to_string(),
                    nearest => format!("the nearest are: {}", nearest.join(", ")),
                };
                problems
                    .push(Diagnostic::error(expectation.metric.span, error.message))
                    .path("expect")
                    .help(help);
            }
        }
    }
    if problems.is_empty() {
        Ok(judgement)
    } else {
        Err(Failed { sources: experiment.sources().clone(), diagnostics: problems.finish() })
    }
}

fn not_enforced(prepared: &Prepared, report: &Report) -> Option<String> {
    if report.stopped.is_some() {
        Some("the run was cut short".into())
    } else if !prepared.set.is_empty() {
        Some("settings were changed with --set".into())
    } else if prepared.reseeded {
        Some("the seed is not the file's".into())
    } else {
        None
    }
}

/// What was measured, and whether that is what was expected.
fn held(expectation: &Expectation, report: &Report) -> std::result::Result<(String, bool), MetricError> {
    let path = &expectation.metric.value;
    let metric = match &expectation.during {
        Some(during) => report.during(during.value.from, during.value.to).metric(path)?,
        None => report.metric(path)?,
    };
    let measured = number::metric(metric);
    let (value, unit) = match (metric, expectation.check()) {
        (Metric::Absent, _) => return Ok((measured, false)),
        (Metric::Truth(truth), Check::Is(expected)) => return Ok((measured, truth == expected)),
        (Metric::Truth(_), _) => return Err(mismatch(path, "is true or false: use `is`")),
        (Metric::Number(..), Check::Is(_)) => {
            return Err(mismatch(path, "is a number: use `at_most`, `at_least` .."));
        }
        (Metric::Number(value, unit), _) => (value, unit),
    };
    let bound = |bound: &Bound| in_unit(bound, unit).ok_or_else(|| mismatch(path, wrong_unit(unit)));
    let holds = match expectation.check() {
        Check::Is(_) => unreachable!("answered above"),
        Check::AtMost(most) => value <= bound(most)?,
        Check::AtLeast(least) => value >= bound(least)?,
        Check::Below(limit) => value < bound(limit)?,
        Check::Above(limit) => value > bound(limit)?,
        Check::Equals(exact, None) => value == bound(exact)?,
        Check::Equals(exact, Some(within)) => (value - bound(exact)?).abs() <= bound(within)?,
    };
    Ok((measured, holds))
}

fn mismatch(path: &str, why: &str) -> MetricError {
    MetricError { message: format!("the metric {path} {why}"), nearest: Vec::new() }
}

fn wrong_unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Duration => "is a time: hold it against one, such as \"250ms\"",
        Unit::Rate => "is a rate: hold it against a number per second, or a rate such as \"800/s\"",
        Unit::Share => "is a share: hold it against a number between 0 and 1, or a text such as \"95%\"",
        Unit::Plain => "is a number: hold it against one",
    }
}

/// A bound in the unit in which the metric is counted.
fn in_unit(bound: &Bound, unit: Unit) -> Option<f64> {
    match (bound, unit) {
        (Bound::Number(_), Unit::Duration) => None,
        (Bound::Number(number), _) => Some(*number),
        (Bound::Duration(duration), Unit::Duration) => Some(duration.as_nanos() as f64),
        (Bound::Duration(_), _) => None,
        (Bound::Text(text), Unit::Rate) => text.parse::<Rate>().ok().map(|rate| rate.get()),
        (Bound::Text(text), Unit::Share) => text
            .strip_suffix('%')
            .and_then(|percent| percent.trim().parse::<f64>().ok())
            .map(|percent| percent / 100.0),
        (Bound::Text(_), _) => None,
    }
}

/// What is expected, in words.
fn claim(expectation: &Expectation) -> String {
    let show = |bound: &Bound| match bound {
        Bound::Number(number) => number.to_string(),
        Bound::Duration(duration) => duration.to_string(),
        Bound::Text(text) => text.clone(),
    };
    let what = match expectation.check() {
        Check::Is(truth) => format!("is {truth}"),
        Check::AtMost(bound) => format!("at most {}", show(bound)),
        Check::AtLeast(bound) => format!("at least {}", show(bound)),
        Check::Below(bound) => format!("below {}", show(bound)),
        Check::Above(bound) => format!("above {}", show(bound)),
        Check::Equals(bound, None) => format!("equals {}", show(bound)),
        Check::Equals(bound, Some(within)) => format!("equals {} within {}", show(bound), show(within)),
    };
    let during =
        expectation.during.as_ref().map_or(String::new(), |during| format!(" during {}", during.value));
    crate::files::escape(&format!("{}{during} {what}", expectation.metric.value))
}
