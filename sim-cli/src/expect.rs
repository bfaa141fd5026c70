//! What the author of an experiment expects, held against what was measured: in one run, or over many seeds.

mod interval;

use crate::app::App;
use crate::condition::{Bound, Check, bounds, holds, in_unit, kind, show};
use crate::error::Result;
use crate::experiment::{Opened, Prepared};
use crate::result::judged::{Judged, Judgement};
use crate::study::measure::glance;
use crate::text::number;
use sim_models::experiment::{Diagnostic, Diagnostics, Expectation, Experiment, Failed};
use sim_models::report::{During, Metric, MetricError, Report, Unit};

/// Holds the expectations about one run against its report. A metric that the report does not know is a
/// mistake in the file, told like any other. What needs more seeds than this one stays undecided.
pub fn judge(
    prepared: &Prepared,
    experiment: &Experiment,
    report: &Report,
) -> std::result::Result<Judgement, Failed> {
    let readings = read(prepared, experiment, report)?;
    let not_enforced = not_enforced(prepared, report);
    Ok(Judgement { not_enforced, ..held_against(prepared, experiment, &[readings], None) })
}

/// How many seeds the expectations about a run need, if those that do not say are judged over `otherwise`.
pub fn seeds(prepared: &Prepared, experiment: &Experiment, otherwise: Option<u32>) -> u32 {
    let about = about(prepared, experiment).map(|it| it.seeds.or(otherwise).unwrap_or(1));
    about.max().unwrap_or(1)
}

/// As [`judge`], of runs with as many seeds as [`seeds`] says, counted up from the run's own.
pub fn judge_over(
    prepared: &Prepared,
    experiment: &Experiment,
    readings: &[Vec<Metric>],
    otherwise: Option<u32>,
) -> Judgement {
    held_against(prepared, experiment, readings, Some(otherwise))
}

/// Finds metrics that the report will not have, and bounds in another unit than theirs, before anything is run.
pub fn check(prepared: &Prepared, experiment: &Experiment) -> Option<Failed> {
    about(prepared, experiment).next()?;
    let (report, knows) = glance(&prepared.resolved);
    let early = |expectation: &Expectation| knows.of(&expectation.metric.value);
    read_those(prepared, experiment, &report, early, false).err()
}

/// The same of an experiment and all its variants.
pub fn check_all(app: &App, opened: &Opened) -> Result<Option<Failed>> {
    let mut all: Option<Failed> = None;
    for variant in std::iter::once(None).chain(opened.experiment.variant_names().map(Some)) {
        let prepared = app.prepare(opened, variant, &[], None)?;
        let Some(failed) = check(&prepared, &opened.experiment) else { continue };
        match &mut all {
            Some(all) => all.diagnostics.append(failed.diagnostics),
            None => all = Some(failed),
        }
    }
    Ok(all.map(|all| Failed { diagnostics: all.diagnostics.finish(), ..all }))
}

/// The expectations about this run, in the order of the file.
pub fn about<'a>(
    prepared: &'a Prepared,
    experiment: &'a Experiment,
) -> impl Iterator<Item = &'a Expectation> {
    let variant = prepared.variant.as_ref();
    experiment.expectations().iter().filter(move |it| it.variant.as_ref().map(|of| &of.value) == variant)
}

/// What was measured of each expectation about this run.
pub fn read(
    prepared: &Prepared,
    experiment: &Experiment,
    report: &Report,
) -> std::result::Result<Vec<Metric>, Failed> {
    read_those(prepared, experiment, report, |_| true, report.stopped.is_some())
}

fn read_those(
    prepared: &Prepared,
    experiment: &Experiment,
    report: &Report,
    wanted: impl Fn(&Expectation) -> bool,
    cut: bool,
) -> std::result::Result<Vec<Metric>, Failed> {
    let mut readings = Vec::new();
    let mut problems = Diagnostics::new();
    for expectation in about(prepared, experiment).filter(|it| wanted(it)) {
        match measure(expectation, report) {
            Ok(metric) => readings.push(metric),
            // What was cut short may have come to nothing yet; what no run of it has was found before this one began.
            Err(_) if cut => readings.push(Metric::Absent),
            Err(error) => {
                let help = match error.nearest.as_slice() {
                    [] => {
                        let program = &prepared.replay.program;
                        format!("`{program} list metrics` names those that this experiment has")
                    }
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
        Ok(readings)
    } else {
        Err(Failed { sources: experiment.sources().clone(), diagnostics: problems.finish() })
    }
}

/// What was measured, if it is something that can be held against the bound.
fn measure(expectation: &Expectation, report: &Report) -> std::result::Result<Metric, MetricError> {
    let path = &expectation.metric.value;
    let asked = match &expectation.during {
        Some(during) => format!("{path} during {}", during.value),
        None => path.clone(),
    };
    let (metric, meaning) = report.measured(&[asked]).remove(0)?;
    let unit = match (metric, expectation.check()) {
        (Metric::Truth(_), Check::Is(_)) => return Ok(metric),
        // What is not there is in no unit, unless its name has one.
        (Metric::Absent, Check::Is(_)) => return Ok(metric),
        (Metric::Absent, _) if meaning.unit == Unit::Plain => return Ok(metric),
        (Metric::Absent, _) => meaning.unit,
        // Of many seeds it is true in a share.
        (Metric::Truth(_), _) if expectation.seeds.is_some() => Unit::Share,
        (Metric::Truth(_), _) => {
            return Err(mismatch(path, "is true or false: use `is`, or say over how many `seeds`"));
        }
        (Metric::Number(..), Check::Is(_)) => {
            return Err(mismatch(path, "is a number: use `at_most`, `at_least` .."));
        }
        (Metric::Number(_, unit), _) => unit,
    };
    if let Some(bound) = bounds(expectation.check()).find(|bound| in_unit(bound, unit).is_none()) {
        return Err(mismatch(path, &wrong_unit(unit, bound)));
    }
    // No share is as much: it can only be a percentage.
    match bounds(expectation.check()).find_map(percent_meant).filter(|_| unit == Unit::Share) {
        Some(hint) => Err(mismatch(path, &format!("is a share, of 1 at most: {hint}"))),
        None => Ok(metric),
    }
}

/// Of a bound that is a percentage where a share is meant: how it is written.
fn percent_meant(bound: &Bound) -> Option<String> {
    match bound {
        Bound::Number(percent @ 2.0..=100.0) => Some(format!(
            "is {percent} % meant? write {:?}, or \"{percent}%\"",
            (percent * 1e7).round() / 1e9
        )),
        _ => None,
    }
}

/// Judges each expectation about a run. `over` is none where there is one seed only: what asks for more is
/// undecided then; else it holds what those mean that do not say.
fn held_against(
    prepared: &Prepared,
    experiment: &Experiment,
    readings: &[Vec<Metric>],
    over: Option<Option<u32>>,
) -> Judgement {
    let mut judgement = Judgement::default();
    for (index, expectation) in about(prepared, experiment).enumerate() {
        let asked = expectation.seeds.or(over.flatten()).unwrap_or(1);
        let seeds = if over.is_some() { asked } else { 1 };
        let seed = |n: usize| prepared.seed.wrapping_add(n as u64);
        let values: Vec<Metric> = readings[..seeds as usize].iter().map(|reading| reading[index]).collect();
        let mut judged = match values.as_slice() {
            [one] => {
                let (measured, holds) = (told(expectation, *one), held(expectation, *one));
                Judged { measured, holds, worst_seed: (!holds).then_some(prepared.seed), ..Judged::default() }
            }
            values => {
                let (judged, worst) = interval::judge(expectation, values);
                let missed = (0..values.len()).filter(|&n| missed(expectation, values[n])).map(seed);
                Judged { worst_seed: worst.map(seed), missed_seeds: missed.collect(), ..judged }
            }
        };
        if asked > seeds {
            (judged.holds, judged.undecided, judged.worst_seed) = (false, true, None);
            judged.measured += &format!("; {asked} seeds decide: {} check", prepared.replay.program);
        }
        judgement.judged.push(Judged {
            variant: prepared.variant.clone(),
            // Where more seeds decide it is said so beside what was measured.
            claim: claim(expectation, if asked > seeds { 1 } else { asked }),
            line: experiment.sources().position(expectation.metric.span).line,
            seeds,
            ..judged
        });
    }
    judgement
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

/// What was measured, in words. Windows know times to 1 %, which is two digits.
fn told(expectation: &Expectation, metric: Metric) -> String {
    let by_windows = matches!(expectation.during.as_ref().map(|it| it.value), Some(During::Time { .. }));
    let of_calls = expectation.metric.value.contains("latency") || !expectation.metric.value.contains('.');
    match metric {
        Metric::Number(ns, Unit::Duration) if by_windows && of_calls && ns.is_finite() => {
            format!("about {}", number::of(number::two_digits(ns), Unit::Duration))
        }
        metric => number::metric(metric),
    }
}

/// Whether one measured value is what was expected. What is absent is not.
fn held(expectation: &Expectation, metric: Metric) -> bool {
    let (value, unit) = match (metric, expectation.check()) {
        (Metric::Truth(truth), Check::Is(expected)) => return truth == expected,
        (Metric::Number(value, unit), _) => (value, unit),
        _ => return false,
    };
    holds(expectation.check(), value, unit)
}

/// Whether one seed's value, by itself, is not what was expected. A share of the seeds is no matter of one of them.
fn missed(expectation: &Expectation, metric: Metric) -> bool {
    let of_all = matches!(metric, Metric::Truth(_)) && !matches!(expectation.check(), Check::Is(_));
    !of_all && !held(expectation, metric)
}

fn mismatch(path: &str, why: &str) -> MetricError {
    MetricError { message: format!("the metric {path} {why}"), nearest: Vec::new() }
}

fn wrong_unit(unit: Unit, bound: &Bound) -> String {
    let number = match bound {
        Bound::Text(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    if let (Unit::Share, Some(number)) = (unit, number) {
        let hint = percent_meant(&Bound::Number(number));
        let hint = hint.unwrap_or_else(|| format!("write {number} without quotes"));
        return format!("is a share: {hint}");
    }
    let against = match unit {
        Unit::Duration => "hold it against one, such as \"250ms\"",
        Unit::Rate => "hold it against a number per second, or a rate such as \"800/s\"",
        Unit::Share => "hold it against a number between 0 and 1, or a text such as \"95%\"",
        Unit::Bytes => "hold it against a number, or a text such as \"64MiB\"",
        Unit::Plain => "hold it against one",
    };
    format!("{}: {against}", kind(unit).0)
}

/// What is expected, in words.
fn claim(expectation: &Expectation, seeds: u32) -> String {
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
    let over = if seeds > 1 { format!(" over {seeds} seeds") } else { String::new() };
    crate::text::escape(&format!("{}{during} {what}{over}", expectation.metric.value))
}
