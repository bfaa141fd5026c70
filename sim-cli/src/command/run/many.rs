//! One experiment on many seeds: the first run whole, and what all of them come to.

use super::Run;
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::experiment::Opened;
use crate::result::column::Column;
use crate::result::estimate::{Measured, OfWhom};
use crate::result::replicated::{self, Replicated, Theory};
use crate::study::ended::Ended;
use crate::study::measure::{measure, measure_usual, of_whom};
use crate::study::repeats::{Plan, Planned, run_planned};
use crate::study::replicate::{Row, spelled_out, with_goodput};
use crate::study::together::{Counted, counted, estimate};
use sim_models::report::{Meaning, Report, Unit, Value};
use std::sync::OnceLock;

/// What is kept of one of many runs.
struct Kept {
    report: Option<Box<Report>>,
    measured: Vec<(Measured, Meaning)>,
    /// Beside each.
    whom: Vec<OfWhom>,
    counted: Vec<Option<Counted>>,
    ended: Ended,
    theory: Vec<(String, f64, Value)>,
}

/// The first run whole, and what all of them come to.
pub(super) fn replicate(
    args: &Run,
    app: &mut App,
    opened: &Opened,
    rows: &[Row],
    plan: Plan,
) -> Result<(Report, Option<Replicated>, Exit)> {
    let (paths, first_seed) = (OnceLock::new(), plan.seeds.first);
    let keep = |report: Report, first: bool| -> Result<Kept> {
        let paths = paths.get_or_init(|| match args.metric.is_empty() {
            true => with_goodput(&report),
            false => args.metric.iter().map(|path| spelled_out(&report, path)).collect(),
        });
        let measured = match args.metric.is_empty() {
            true => measure_usual(&report, paths).0,
            false => measure(&report, paths)?,
        };
        let whom = of_whom(&report, paths);
        let counted = counted(&report, paths, report.run.seed.wrapping_sub(first_seed));
        let theory = report
            .values
            .iter()
            .filter_map(|(name, value)| value.value.and(Some((name, value.exact?, value))));
        let theory = theory.map(|(name, exact, value)| (name.to_string(), exact, value.clone())).collect();
        Ok(Kept {
            measured,
            whom,
            counted,
            ended: Ended::of(&report),
            theory,
            report: first.then(|| Box::new(report)),
        })
    };
    let named = |kept: &Kept| {
        let paths = paths.get().expect("something was measured").iter().cloned();
        let measured = kept.measured.iter().map(|(measured, _)| *measured).zip(&kept.counted);
        paths.zip(measured).map(|(path, (measured, counted))| (path, measured, counted.clone())).collect()
    };
    let Planned { mut outcome, seeds, precision } =
        run_planned(app, opened, rows, plan, &args.bounds, keep, named)?;
    let Some(report) = outcome.rows[0][0].as_mut().and_then(|kept| kept.report.take()) else {
        return Err(Error::Stopped(outcome.exit));
    };
    let runs: Vec<Option<&Kept>> = outcome.rows[0].iter().map(Option::as_ref).collect();
    let made = || runs.iter().copied().flatten();
    let column = |(column, path): (usize, &String)| {
        Column::of(path, made().next().map(|kept| kept.measured[column].1))
    };
    let metrics: Vec<Column> =
        paths.into_inner().unwrap_or_default().iter().enumerate().map(column).collect();
    let value =
        |run: &Option<&Kept>, column: usize| run.map_or(Measured::Absent, |kept| kept.measured[column].0);
    let values: Vec<Vec<Measured>> =
        (0..metrics.len()).map(|column| runs.iter().map(|run| value(run, column)).collect()).collect();
    let mut incomplete = outcome.incomplete();
    incomplete.extend(precision.as_ref().and_then(|precision| precision.incomplete(seeds)));
    let replicated = Replicated {
        document: replicated::DOCUMENT,
        format: replicated::FORMAT,
        experiment: opened.found.name.clone(),
        variant: rows[0].variant.clone(),
        set: rows[0].set.clone(),
        seeds,
        incomplete,
        precision,
        verdict: Ended::verdict(made().map(|kept| &kept.ended)).text,
        metrics,
        estimates: values
            .iter()
            .enumerate()
            .map(|(column, values)| {
                let counted: Vec<Option<&Counted>> =
                    runs.iter().map(|run| run.and_then(|kept| kept.counted[column].as_ref())).collect();
                estimate(values, &counted).of_those(&made().map(|kept| kept.whom[column]).collect::<Vec<_>>())
            })
            .collect(),
        values,
        theory: theory(&made().map(|kept| kept.theory.as_slice()).collect::<Vec<_>>()),
    };
    Ok((*report, Some(replicated), outcome.exit))
}

/// The values that have a closed form, over all runs.
fn theory(runs: &[&[(String, f64, Value)]]) -> Vec<Theory> {
    let first = runs.first().copied().unwrap_or_default();
    let judge = |(name, _, value): &(String, f64, Value)| {
        let of_run = |run: &&[(String, f64, Value)]| {
            run.iter()
                .find(|(other, ..)| other == name)
                .and_then(|(_, exact, value)| Some((value.value?, *exact)))
        };
        let pairs: Vec<(f64, f64)> = runs.iter().filter_map(of_run).collect();
        let unit = Unit::named(&value.unit);
        let column = Column { path: value_path(name), unit, less_is_better: None, short: false };
        Theory::new(column, &pairs, &value.source, first.len())
    };
    first.iter().map(judge).collect()
}

/// Where a report has the value of this name.
fn value_path(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) {
        format!("values.{name}.value")
    } else {
        format!("values[\"{}\"].value", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
