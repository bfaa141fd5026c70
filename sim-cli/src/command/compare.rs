//! `brownout compare EXPERIMENT`: all variants on the same luck.

use crate::App;
use crate::args::{Bounds, Repeats, Subject, TableFormat};
use crate::error::{Error, Exit, Result};
use crate::experiment::{BASE, Opened};
use crate::files::OutDir;
use crate::render::compare::{self as page, Compared, Comparison};
use crate::render::estimate::{Column, less_is_better};
use crate::render::json;
use crate::render::run::kind;
use crate::replicate::{Estimate, Measured, Outcome, Planned, Row, measure, run_planned, usual};
use clap::Args as ClapArgs;
use sim_models::report::{Disturbance, Report, Series, Unit, VerdictKind};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

const FILES: [&str; 2] = ["comparison.json", "comparison.csv"];

/// `brownout compare`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout compare retry-storm
  brownout compare retry-storm --variant naive --variant budgeted --replications 20
  brownout compare retry-storm --format markdown        # for a pull request
  brownout compare retry-storm --format json > comparison.json

Every variant runs on the same seeds, so differences are taken seed by seed. Intervals are Student's, 95 %.")]
pub struct Compare {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// Only these variants; `base` is the file as it stands. All unless given
    #[arg(long, value_name = "NAME")]
    pub variant: Vec<String>,
    /// The metrics to compare, instead of the usual ones: see `brownout list metrics EXPERIMENT`
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write comparison.json and comparison.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// On how many seeds.
    #[command(flatten)]
    pub repeats: Repeats,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Compare, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name)?;
    let names = chosen(args, app, &opened)?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES)).transpose()?;
    let mut rows: Vec<Row> =
        names.iter().map(|name| Row { variant: name.clone(), set: args.subject.set.clone() }).collect();
    let plan = args.repeats.plan(app, &opened, &mut rows, args.subject.seed, None, &args.bounds)?;

    // Which metrics there are shows in the first report; all variants are variants of one model.
    let paths = OnceLock::new();
    let keep = |report: Report, first: bool| -> Result<Kept> {
        let paths = paths
            .get_or_init(|| if args.metric.is_empty() { usual(&report, false) } else { args.metric.clone() });
        Ok(Kept {
            measured: measure(&report, paths)?,
            kind: report.verdict.kind,
            recovered: report.summary.recovered,
            time_to_recover: report.summary.time_to_recover,
            faults: (report.timeline.disturbances, report.run.duration),
            picture: report.timeline.series.into_iter().find(|series| first && series.name == "goodput"),
        })
    };
    let named = |kept: &Kept| {
        let paths = paths.get().expect("something was measured").iter().cloned();
        paths.zip(kept.measured.iter().map(|(measured, _)| *measured)).collect()
    };
    let Planned { outcome, seeds, precision } =
        run_planned(app, &opened, &rows, plan, &args.bounds, keep, named)?;
    let paths = paths.into_inner().unwrap_or_default();
    let mut comparison = compared(&opened.found.name, &names, &paths, &outcome);
    comparison.set.clone_from(&rows[0].set);
    comparison.seeds = seeds;
    comparison.incomplete.extend(precision.as_ref().and_then(|precision| precision.incomplete(seeds)));
    let first = app.prepare(&opened, names[0].as_deref(), &rows[0].set, Some(seeds.first))?;
    comparison.next = first.replay.bounded_line("run", &args.bounds);

    let (json, csv) = (json(&comparison), page::csv(&comparison));
    if let Some(out) = out {
        out.write(FILES[0], json.as_bytes())?;
        out.write(FILES[1], csv.as_bytes())?;
    }
    let document = match args.format {
        TableFormat::Text => page::text(&comparison, app.console.style()),
        TableFormat::Markdown => page::markdown(&comparison),
        TableFormat::Json => json,
        TableFormat::Csv => csv,
    };
    app.console.document(&document)?;
    Ok(outcome.exit)
}

/// The variants to compare, the base first unless others were asked for; none is the base.
fn chosen(args: &Compare, app: &App, opened: &Opened) -> Result<Vec<Option<String>>> {
    if args.variant.is_empty() {
        let all = opened.experiment.variant_names().map(|name| Some(name.to_string()));
        return Ok(std::iter::once(None).chain(all).collect());
    }
    let mut names: Vec<Option<String>> = Vec::new();
    for name in &args.variant {
        let name = app.variant(opened, Some(name))?.map(String::from);
        if names.contains(&name) {
            let shown = name.unwrap_or_else(|| BASE.into());
            return Err(Error::usage(format!("the variant {} is named twice", crate::files::escape(&shown))));
        }
        names.push(name);
    }
    Ok(names)
}

/// What is kept of one run.
struct Kept {
    measured: Vec<(Measured, Unit)>,
    kind: VerdictKind,
    recovered: Option<bool>,
    time_to_recover: Option<u64>,
    picture: Option<Series>,
    faults: (Vec<Disturbance>, u64),
}

fn compared(
    experiment: &str,
    names: &[Option<String>],
    paths: &[String],
    outcome: &Outcome<Kept>,
) -> Comparison {
    let first = outcome.rows.iter().flatten().flatten().next();
    let unit = |column: usize| first.map_or(Unit::Plain, |kept| kept.measured[column].1);
    let metrics: Vec<Column> = paths
        .iter()
        .enumerate()
        .map(|(column, path)| Column {
            path: path.clone(),
            unit: unit(column),
            less_is_better: less_is_better(path),
        })
        .collect();
    let values = |row: usize, column: usize| -> Vec<Measured> {
        let measured =
            |kept: &Option<Kept>| kept.as_ref().map_or(Measured::Absent, |kept| kept.measured[column].0);
        outcome.rows[row].iter().map(measured).collect()
    };
    let variant = |(row, name): (usize, &Option<String>)| {
        let columns = || 0..metrics.len();
        let kept = || outcome.rows[row].iter().flatten();
        Compared {
            name: name.clone().unwrap_or_else(|| BASE.into()),
            verdict: verdict(kept()),
            metrics: columns().map(|column| Estimate::of(&values(row, column))).collect(),
            differences: match row {
                0 => Vec::new(),
                _ => columns().map(|c| Estimate::of_differences(&values(row, c), &values(0, c))).collect(),
            },
            picture: kept().find_map(|kept| kept.picture.clone()),
        }
    };
    // Variants may differ in what disturbs them; then no bar is true of all.
    let mut faults = outcome.rows.iter().flatten().flatten().map(|kept| &kept.faults);
    let first_faults = faults.next().cloned().unwrap_or_default();
    let alike = faults.all(|faults| *faults == first_faults);
    Comparison {
        format: page::FORMAT,
        faults: if alike { first_faults } else { Default::default() },
        experiment: experiment.into(),
        incomplete: outcome.incomplete(),
        variants: names.iter().enumerate().map(variant).collect(),
        metrics,
        ..Comparison::default()
    }
}

fn verdict<'a>(kept: impl Iterator<Item = &'a Kept> + Clone) -> String {
    let truth = |kept: &Kept| kept.recovered.map_or(Measured::Absent, Measured::Truth);
    let time = |kept: &Kept| kept.time_to_recover.map_or(Measured::Absent, |ns| Measured::Number(ns as f64));
    let recovered = Estimate::of(&kept.clone().map(truth).collect::<Vec<_>>());
    let times = Estimate::of(&kept.clone().map(time).collect::<Vec<_>>());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    kept.for_each(|kept| *kinds.entry(kind(kept.kind).0).or_default() += 1);
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    page::verdict(Some(&recovered), Some(&times), &kinds)
}
