//! From runs to a result, in the order of their numbers: whoever made them, and wherever, it is the same bytes.

use super::Ready;
use super::line::is_without_parts;
use super::store::Known;
use crate::error::{Error, Exit, Result};
use crate::jobs::in_order;
use crate::result::column::Column;
use crate::result::estimate::{Estimate, Measured, OfWhom, exact_over};
use crate::result::swept::{self, Cell, Swept};
use crate::study::measure::{measure, measure_usual, of_whom};
use crate::study::replicate::{exact_path, is_approximate, spelled_out, usual};
use crate::text::escape;
use crate::text::number::count;
use sim_models::report::{Leaf, Meaning, Metric, Report, asked};
use std::collections::BTreeMap;

/// Runs that are read by one thread in one go.
const PIECE: usize = 64;

/// The metrics of a sweep.
#[derive(Clone, Debug)]
pub struct Metrics {
    paths: Vec<String>,
    asked: bool,
}

/// What a result takes from one run.
#[derive(Clone, Debug)]
pub struct Kept {
    measured: Vec<(Measured, Meaning)>,
    /// Which of them the report has.
    known: Vec<bool>,
    /// Beside each.
    whom: Vec<OfWhom>,
    exact: Vec<Option<f64>>,
    /// Whether the exact one is not.
    approximate: Vec<bool>,
    cut_short: bool,
}

impl Metrics {
    /// Those that are asked for, which the first report must have, or those that everyone asks for.
    pub fn choose(asked: &[String], first: &Report) -> Result<Self> {
        match asked.is_empty() {
            true => Ok(Metrics { paths: usual(first, true), asked: false }),
            false => {
                measure(first, asked)?;
                Ok(Metrics { paths: asked.to_vec(), asked: true })
            }
        }
    }

    /// What one run came to, by name; of metrics that nobody asked for those that it has.
    pub fn named(&self, kept: &Kept) -> Vec<(String, Measured)> {
        let all = self.paths.iter().zip(&kept.measured).zip(&kept.known);
        let told = all.filter(|(_, known)| self.asked || **known);
        told.map(|((path, (measured, _)), _)| (path.clone(), *measured)).collect()
    }

    /// Refuses a run that was kept without what is asked of it.
    fn fits(&self, kept: &Report) -> Result<()> {
        let of_a_part = |path: &&String| matches!(asked(path), Ok((_, Some(_))));
        match self.paths.iter().find(of_a_part).filter(|_| is_without_parts(kept)) {
            None => Ok(()),
            Some(path) => Err(Error::Usage {
                message: format!(
                    "`{}` is of a part of a run, and of these runs was kept what they came to as a whole",
                    escape(path)
                ),
                help: "  name it before they are made: `sweep plan .. --metric`; or make them anew, with `sweep .. --fresh`"
                    .into(),
            }),
        }
    }

    /// What a result takes from this report.
    pub fn keep(&self, report: &Report) -> Kept {
        let leaves = report.leaves();
        let exact = |path: &String| match leaves.get(&exact_path(path)) {
            Some(Leaf { metric: Metric::Number(exact, _), .. }) if path.ends_with(".value") => Some(*exact),
            _ => None,
        };
        let (measured, known) = measure_usual(report, &self.paths);
        let exact = self.paths.iter().map(exact).collect();
        let approximate = self.paths.iter().map(|path| is_approximate(report, path)).collect();
        let whole: Vec<String> = self.paths.iter().map(|path| spelled_out(report, path)).collect();
        let whom = of_whom(report, &whole);
        Kept { measured, known, whom, exact, approximate, cut_short: report.stopped.is_some() }
    }
}

/// What is there of all runs.
#[derive(Debug, Default)]
pub struct Results {
    /// By number.
    pub kept: BTreeMap<usize, Kept>,
    /// Those that ended in a panic, and its words.
    pub bugs: BTreeMap<usize, String>,
}

impl Results {
    /// Adds what a folder has.
    pub fn read(&mut self, known: &Known, metrics: &Metrics, threads: usize) -> Result<()> {
        let runs: Vec<usize> = known.iter().collect();
        let pieces: Vec<&[usize]> = runs.chunks(PIECE).collect();
        let read = |piece: &&[usize]| -> Result<Vec<(usize, Result<Kept, String>)>> {
            let mut reader = known.reader();
            piece
                .iter()
                .map(|&run| {
                    let report = reader.read(run)?;
                    report.as_ref().map_or(Ok(()), |report| metrics.fits(report))?;
                    Ok((run, report.map(|report| metrics.keep(&report))))
                })
                .collect()
        };
        for piece in in_order(threads, &pieces, read) {
            for (run, came) in piece? {
                match came {
                    Ok(kept) => _ = self.kept.insert(run, kept),
                    Err(bug) => _ = self.bugs.insert(run, bug),
                }
            }
        }
        Ok(())
    }

    /// The result, and what it amounts to; `interrupted` by a signal or not.
    pub fn reduce(
        &self,
        ready: &Ready,
        metrics: Option<&Metrics>,
        interrupted: Option<Exit>,
    ) -> (Swept, Exit) {
        let plan = &ready.plan;
        let all = ready.runs();
        let missing = all - self.kept.len() - self.bugs.len();
        let cut_short = self.kept.values().filter(|kept| kept.cut_short).count();
        let paths = metrics.map_or(&[][..], |metrics| &metrics.paths);
        let asked = metrics.is_some_and(|metrics| metrics.asked);
        // A value that some cell does not have, as one for each server of a few, is no column unless asked for.
        let everywhere = |column: &usize| asked || self.kept.values().all(|kept| kept.known[*column]);
        let columns: Vec<usize> = (0..paths.len()).filter(everywhere).collect();
        let first = self.kept.values().next();
        let column = |&column: &usize| Column::of(&paths[column], first.map(|kept| kept.measured[column].1));
        let swept = Swept {
            format: swept::FORMAT,
            experiment: plan.experiment.name.clone(),
            variant: plan.variant.clone(),
            set: plan.set.clone(),
            seeds: plan.seeds,
            own_seeds: plan.own_seeds,
            incomplete: incomplete(all, missing, cut_short, self.bugs.len()),
            axes: plan.axes.clone(),
            metrics: columns.iter().map(column).collect(),
            cells: (0..ready.grid.points()).map(|cell| self.cell(ready, cell, &columns)).collect(),
        };
        let exit = match interrupted {
            Some(exit) if missing > 0 => exit,
            _ if !self.bugs.is_empty() => Exit::Bug,
            _ if cut_short > 0 => Exit::Limit,
            _ => Exit::Good,
        };
        (swept, exit)
    }

    fn cell(&self, ready: &Ready, cell: usize, columns: &[usize]) -> Cell {
        let each = ready.plan.seeds.count as usize;
        let runs: Vec<&Kept> =
            self.kept.range(cell * each..(cell + 1) * each).map(|(_, kept)| kept).collect();
        let values =
            |column: usize| -> Vec<Measured> { runs.iter().map(|kept| kept.measured[column].0).collect() };
        let exact = |column: usize| -> Option<f64> {
            exact_over(&runs.iter().filter_map(|kept| kept.exact[column]).collect::<Vec<_>>())
        };
        let whom = |column: usize| -> Vec<OfWhom> { runs.iter().map(|kept| kept.whom[column]).collect() };
        Cell {
            at: ready.values_at(cell),
            metrics: columns
                .iter()
                .map(|&column| Estimate::of(&values(column)).of_those(&whom(column)))
                .collect(),
            exact: columns.iter().map(|&column| exact(column)).collect(),
            approximate: (columns.iter())
                .map(|&column| runs.iter().any(|kept| kept.approximate[column]))
                .collect(),
            missing: each - runs.len(),
            cut_short: runs.iter().filter(|kept| kept.cut_short).count(),
        }
    }
}

/// What a reader must know before believing the rest.
fn incomplete(all: usize, missing: usize, cut_short: usize, bugs: usize) -> Vec<String> {
    let count = |n: usize| count(n as u64);
    let all = count(all);
    [
        (missing, format!("interrupted: {} of {all} runs are missing", count(missing))),
        (bugs, format!("a bug in brownout ended {} of {all} runs: they are left out", count(bugs))),
        (
            cut_short,
            format!("a limit cut {} of {all} runs short: they cover only what was reached", count(cut_short)),
        ),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(_, text)| text)
    .collect()
}

/// The metrics, by the report of the first run that has one.
pub fn metrics_of(known: &Known, asked: &[String]) -> Result<Option<Metrics>> {
    let Some(first) = known.iter().find(|&run| known.has_report(run)) else { return Ok(None) };
    let report = known.reader().read(first)?.map_err(Error::Failed)?;
    let metrics = Metrics::choose(asked, &report)?;
    metrics.fits(&report)?;
    Ok(Some(metrics))
}
