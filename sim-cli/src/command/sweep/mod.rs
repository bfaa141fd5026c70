//! `brownout sweep EXPERIMENT`: a grid of settings; `sweep plan`, `run`, `merge`, `submit`: the same grid on
//! more than one machine.

mod here;
mod merge;
mod plan;
mod run;
mod submit;

use crate::app::App;
use crate::args::{Bounds, Repeats, TableFormat, WarmUp, assignment, seed};
use crate::error::{Error, Exit, Result};
use crate::experiment::Opened;
use crate::html;
use crate::plan::{Asked, Ready};
use crate::render::{json, sweep as page};
use crate::result::swept::Swept;
use crate::study::axis::{Typed, typed};
use crate::study::measure;
use crate::study::replicate::Row;
use crate::text::table::csv_of_part;
use clap::{Args as ClapArgs, Subcommand};
use sim_models::experiment::AxisText;

const WARM_UP: &str = "run.warm_up";

/// `brownout sweep`
#[derive(Clone, Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(subcommand_help_heading = "More than one machine")]
#[command(after_help = "\
Examples:
  brownout sweep utilisation-knee                     # the grid in the file
  brownout sweep retry-storm --set services.payments.replicas=2,3,4,5
  brownout sweep retry-storm --set services.payments.queue.capacity=1..64*2   # 1, 2, 4 .. 64
  brownout sweep retry-storm --variant budgeted --set run.duration=2min..6min:2min --format csv
  brownout sweep retry-storm --set policies.naive.timeout=50ms..800ms*2 --out grid   # stop it when
                                                      # you like: the same line goes on

A list V1,V2,.. or a range, FROM..TO:STEP or FROM..TO*FACTOR with both ends, is an axis; several
make a grid. One value is set in every cell. A cell is a point of the grid, a run is a cell on
one seed.")]
pub struct Sweep {
    /// The parts of a sweep that is spread out.
    #[command(subcommand)]
    pub part: Option<Part>,
    /// Or all of it here.
    #[command(flatten)]
    pub here: here::Here,
}

/// The parts of a sweep that is spread out.
#[derive(Clone, Debug, Subcommand)]
pub enum Part {
    /// Write a sweep down as a plan, which any machine can do a part of
    Plan(plan::Plan),
    /// Do one part of a plan
    Run(run::Run),
    /// Put the parts of a plan together: the same bytes as if it had run in one go
    Merge(merge::Merge),
    /// Start all parts of a plan: here, on Slurm, on Dask, on Kubernetes
    Submit(submit::Submit),
}

/// What a sweep is asked to be.
#[derive(Clone, Debug, ClapArgs)]
pub struct Subject {
    /// An experiment: a name from `brownout list`, a path (anything with a `/` or ending in `.ron`), or - for
    /// standard input
    #[arg(value_name = "EXPERIMENT", required = true)]
    pub name: Option<String>,
    /// An axis, or one value for every cell; without an axis, those of the file
    #[arg(long, value_name = "PATH=V1,V2,..|FROM..TO:STEP|VALUE", alias = "over", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The first seed, instead of the file's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// The metrics to show, the first as a curve
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// On how many seeds, measured from when on.
    #[command(flatten)]
    pub repeats: Repeats,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Sweep, app: &mut App) -> Result<Exit> {
    match &args.part {
        None => here::command(&args.here, app),
        Some(Part::Plan(args)) => plan::command(args, app),
        Some(Part::Run(args)) => run::command(args, app),
        Some(Part::Merge(args)) => merge::command(args, app),
        Some(Part::Submit(args)) => submit::command(args, app),
    }
}

/// Opens the experiment and plans its sweep; everything that is wrong with a cell is told before one runs.
fn planned(subject: &Subject, app: &mut App) -> Result<(Opened, Ready)> {
    let name = subject.name.as_deref().expect("clap demands it where there is no part");
    let opened = app.open_unswept(name)?;
    let variant = app.variant(&opened, subject.variant.as_deref())?.map(String::from);
    let (mut set, mut axes) = (Vec::new(), Vec::new());
    for (path, text) in &subject.set {
        match typed(text) {
            Typed::Fixed => set.push((path.clone(), text.clone())),
            Typed::Axis(values) => {
                axes.push(AxisText { path: path.clone(), typed: text.clone(), values });
            }
        }
    }
    // What there is to measure is what the first cell has: what is set may have brought it. What is wrong with a cell is told below.
    let first =
        axes.iter().filter_map(|axis| Some((axis.path.clone(), axis.values.as_ref().ok()?.first()?.clone())));
    let first: Vec<(String, String)> = set.iter().cloned().chain(first).collect();
    if let Ok(cell) = app.prepare(&opened, variant.as_deref(), &first, None) {
        measure::check(&cell.resolved, &subject.metric)?;
    }
    let Repeats { replications, warm_up, .. } = subject.repeats;
    let mut asked = Asked {
        variant,
        set,
        axes: (!axes.is_empty()).then_some(axes),
        seed: subject.seed,
        replications,
        metrics: subject.metric.clone(),
        bounds: subject.bounds,
    };
    if let Some(warm_up) = warm_up {
        if subject.set.iter().any(|(path, _)| path == WARM_UP) {
            let message = format!("the warm-up is given twice: by --warm-up, and as {WARM_UP}");
            return Err(Error::usage(message));
        }
        let length = match warm_up {
            WarmUp::For(length) => length.to_string(),
            WarmUp::Auto => found_warm_up(subject, &asked, &opened, app)?,
        };
        asked.set.push((WARM_UP.into(), length));
    }
    let ready = Ready::plan(app, &opened, asked)?;
    Ok((opened, ready))
}

/// The warm-up that pilot runs of the cells show, one for all of them.
fn found_warm_up(subject: &Subject, asked: &Asked, opened: &Opened, app: &mut App) -> Result<String> {
    let ready = Ready::plan(app, opened, asked.clone())?;
    let mut rows: Vec<Row> = (0..ready.grid.points()).map(|cell| ready.row(cell)).collect();
    subject.repeats.plan(app, opened, &mut rows, subject.seed, None, &subject.bounds)?;
    let (path, length) = rows.swap_remove(0).set.pop().expect("it was added to every row");
    assert_eq!(path, WARM_UP);
    Ok(length)
}

/// The result as files.
fn files(swept: &Swept, ready: &Ready) -> [String; 3] {
    [json(swept), csv(swept), html::sweep::page(swept, &ready.again()).html()]
}

/// The table of a part says so.
fn csv(swept: &Swept) -> String {
    csv_of_part(page::csv(swept), &swept.incomplete)
}

/// The result as one document.
fn document(swept: &Swept, format: TableFormat, app: &App) -> String {
    match format {
        TableFormat::Text => page::text(swept, app.console.style()),
        TableFormat::Markdown => page::markdown(swept),
        TableFormat::Json => json(swept),
        TableFormat::Csv => csv(swept),
    }
}
