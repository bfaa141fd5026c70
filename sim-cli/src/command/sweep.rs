//! `brownout sweep EXPERIMENT`: a grid of settings.

use crate::App;
use crate::args::{Bounds, Subject, TableFormat, assignment};
use crate::axis;
use crate::error::{Error, Exit, Result};
use crate::experiment::Opened;
use crate::files::OutDir;
use crate::render::estimate::{Column, less_is_better};
use crate::render::json;
use crate::render::sweep::{self as page, Axis, Cell, Swept};
use crate::replicate::{
    Estimate, Measured, Outcome, Row, exact_path, measure, measure_usual, run_all, seeds_of, usual,
};
use clap::Args as ClapArgs;
use sim_models::experiment::MAX_POINTS;
use sim_models::report::{Metric, Report, Unit};
use std::path::PathBuf;
use std::sync::OnceLock;

const FILES: [&str; 2] = ["sweep.json", "sweep.csv"];

/// `brownout sweep`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout sweep utilisation-knee                     # the grid in the file
  brownout sweep retry-storm --over services.payments.replicas=2,3,4,5
  brownout sweep retry-storm --over services.payments.queue.capacity=1..64*2   # 1, 2, 4 .. 64
  brownout sweep retry-storm --over run.duration=2min..6min:2min --variant budgeted --format csv > grid.csv

A range is FROM..TO:STEP or FROM..TO*FACTOR, both ends included. Several --over make a grid.")]
pub struct Sweep {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// An axis of the grid, instead of the file's: a path and its values; several make a grid
    #[arg(long, value_name = "PATH=V1,V2,..|FROM..TO:STEP", value_parser = assignment)]
    pub over: Vec<(String, String)>,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// How many seeds in each cell, counted up from the first; the file's number unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub replications: Option<u32>,
    /// The metrics to show, the first as a curve
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write sweep.json and sweep.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Sweep, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name)?;
    let axes = axes(args, &opened)?;
    let variant = app.variant(&opened, args.variant.as_deref())?.map(String::from);
    let grid = grid(&axes)?;
    let row = |at: &Vec<String>| {
        let cell = axes.iter().zip(at).map(|(axis, value)| (axis.path.clone(), value.clone()));
        Row { variant: variant.clone(), set: args.subject.set.iter().cloned().chain(cell).collect() }
    };
    let rows: Vec<Row> = grid.iter().map(row).collect();
    let seeds = seeds_of(app, &opened, variant.as_deref(), &args.subject, args.replications)?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES)).transpose()?;

    // Which metrics there are shows in the first report.
    let paths = OnceLock::new();
    let keep = |report: Report, _| {
        let paths = paths
            .get_or_init(|| if args.metric.is_empty() { usual(&report, true) } else { args.metric.clone() });
        let (measured, known) = match args.metric.is_empty() {
            true => measure_usual(&report, paths),
            false => (measure(&report, paths)?, vec![true; paths.len()]),
        };
        Ok(Kept { measured, known, exact: paths.iter().map(|path| exact(&report, path)).collect() })
    };
    let outcome = run_all(app, &opened, &rows, seeds, &args.bounds, keep)?;
    let paths = paths.into_inner().unwrap_or_default();
    // A value that some cell does not have, as one for each server of a few, is no column.
    let everywhere = |column: &usize| outcome.rows.iter().flatten().flatten().all(|kept| kept.known[*column]);
    let columns: Vec<usize> = (0..paths.len()).filter(everywhere).collect();
    let (metrics, cells) = cells(&paths, &columns, grid, &outcome);
    let swept = Swept {
        format: page::FORMAT,
        experiment: opened.found.name.clone(),
        variant,
        set: args.subject.set.clone(),
        seeds,
        incomplete: outcome.incomplete(),
        axes,
        metrics,
        cells,
    };

    let (json, csv) = (json(&swept), page::csv(&swept));
    if let Some(out) = out {
        out.write(FILES[0], json.as_bytes())?;
        out.write(FILES[1], csv.as_bytes())?;
    }
    let document = match args.format {
        TableFormat::Text => page::text(&swept, app.console.style()),
        TableFormat::Markdown => page::markdown(&swept),
        TableFormat::Json => json,
        TableFormat::Csv => csv,
    };
    app.console.document(&document)?;
    Ok(outcome.exit)
}

/// The axes of the command line, else those of the file.
fn axes(args: &Sweep, opened: &Opened) -> Result<Vec<Axis>> {
    let mut axes: Vec<Axis> = Vec::new();
    for (path, text) in &args.over {
        if axes.iter().any(|axis| axis.path == *path) {
            return Err(Error::usage(format!("--over {} is given twice", crate::files::escape(path))));
        }
        let values = axis::values(text).map_err(|why| {
            Error::usage(format!("--over {}: {}", crate::files::escape(path), crate::files::escape(&why)))
        })?;
        if let Some(n) = (1..values.len()).find(|&n| values[..n].contains(&values[n])) {
            let (path, value) = (crate::files::escape(path), crate::files::escape(&values[n]));
            return Err(Error::usage(format!("--over {path} has the value {value} twice")));
        }
        axes.push(Axis { path: path.clone(), values });
    }
    if !axes.is_empty() {
        return Ok(axes);
    }
    // Values that were written over several lines in the file are one line on a command line.
    let line = |text: String| text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let of_file = opened.experiment.axes().iter();
    let axes: Vec<Axis> = of_file
        .map(|axis| Axis {
            path: axis.path.to_string(),
            values: axis.values.iter().map(|value| line(value.to_string())).collect(),
        })
        .collect();
    if axes.is_empty() {
        return Err(Error::Usage {
            message: format!("{} has no `sweep`, and no axis is given", opened.found.name),
            help: "  name one: --over services.payments.replicas=2,3,4".into(),
        });
    }
    Ok(axes)
}

/// The value of each axis in every cell; the last axis changes fastest.
fn grid(axes: &[Axis]) -> Result<Vec<Vec<String>>> {
    let sizes = axes.iter().map(|axis| axis.values.len());
    let points = sizes.clone().try_fold(1usize, usize::checked_mul).filter(|&points| points <= MAX_POINTS);
    if points.is_none() {
        let sizes = sizes.map(|size| size.to_string()).collect::<Vec<_>>().join(" x ");
        let message = format!("the grid has {sizes} cells, allowed {MAX_POINTS}");
        return Err(Error::Usage { message, help: "  take fewer values on an axis".into() });
    }
    Ok(axes.iter().fold(vec![Vec::new()], |cells, axis| {
        let longer = |cell: &Vec<String>| -> Vec<Vec<String>> {
            axis.values.iter().map(|value| cell.iter().chain([value]).cloned().collect()).collect()
        };
        cells.iter().flat_map(longer).collect()
    }))
}

/// What is kept of one run.
struct Kept {
    measured: Vec<(Measured, Unit)>,
    /// Which of them the report has.
    known: Vec<bool>,
    exact: Vec<Option<f64>>,
}

/// What theory gives beside a value, if it does.
fn exact(report: &Report, path: &str) -> Option<f64> {
    match report.metric(&exact_path(path)) {
        Ok(Metric::Number(exact, _)) if path.ends_with(".value") => Some(exact),
        _ => None,
    }
}

/// The metrics in these columns, and what each cell of the grid gives of them.
fn cells(
    paths: &[String],
    columns: &[usize],
    grid: Vec<Vec<String>>,
    outcome: &Outcome<Kept>,
) -> (Vec<Column>, Vec<Cell>) {
    let first = outcome.rows.iter().flatten().flatten().next();
    let unit = |column: usize| first.map_or(Unit::Plain, |kept| kept.measured[column].1);
    let column = |&column: &usize| Column {
        path: paths[column].clone(),
        unit: unit(column),
        less_is_better: less_is_better(&paths[column]),
    };
    let cell = |(at, runs): (Vec<String>, &Vec<Option<Kept>>)| {
        let values = |column: usize| -> Vec<Measured> {
            runs.iter().flatten().map(|kept| kept.measured[column].0).collect()
        };
        // Theory knows no seed: all runs of a cell have the same.
        let exact = |column: usize| runs.iter().flatten().find_map(|kept| kept.exact[column]);
        Cell {
            at,
            metrics: columns.iter().map(|&column| Estimate::of(&values(column))).collect(),
            exact: columns.iter().map(|&column| exact(column)).collect(),
        }
    };
    (columns.iter().map(column).collect(), grid.into_iter().zip(&outcome.rows).map(cell).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_changes_fastest() {
        let axis = |path: &str, n: usize| Axis {
            path: path.into(),
            values: (0..n).map(|n| n.to_string()).collect(),
        };
        let cells = grid(&[axis("a", 2), axis("b", 3)]).expect("small");
        let joined: Vec<String> = cells.iter().map(|cell| cell.concat()).collect();
        assert_eq!(joined, ["00", "01", "02", "10", "11", "12"]);
        assert!(grid(&[axis("a", 400), axis("b", 400)]).is_err());
    }
}
