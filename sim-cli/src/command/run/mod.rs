//! `brownout run EXPERIMENT`: what happened, verdict first; on many seeds, how sure that is.

mod many;

use crate::app::App;
use crate::args::{Bounds, Repeats, Settle, Subject};
use crate::error::{Error, Exit, Result};
use crate::experiment::{Opened, Prepared};
use crate::out::OutDir;
use crate::progress::Meter;
use crate::render::openmetrics::openmetrics;
use crate::render::run::text;
use crate::render::{replicated, tables, windows};
use crate::replay::{next_steps, quote};
use crate::result::judged::Judgement;
use crate::result::page::Page;
use crate::seal::sealed;
use crate::simulate::{cut_short, ending, simulate, trace};
use crate::study::measure;
use crate::study::repeats::Plan;
use crate::study::replicate::Row;
use crate::study::settle::{Leg, Settling};
use crate::text::table::csv_of_part;
use crate::{expect, html};
use clap::{Args as ClapArgs, ValueEnum};
use sim_models::report::Report;
use sim_models::trace::Selection;
use std::path::PathBuf;

/// What `--out` writes.
const FILES: [&str; 11] = [
    "report.html",
    "report.json",
    "report.txt",
    "windows.csv",
    "tidy.csv",
    "edges.csv",
    "services.csv",
    "latency.csv",
    "metrics.om",
    "replications.json",
    "replications.csv",
];
/// Of these, what one run writes.
const OF_ONE: usize = 9;

/// `brownout run`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout run retry-storm
  brownout run retry-storm --variant budgeted
  brownout run retry-storm --set services.payments.replicas=6 --seed 7
  brownout run ./mine.ron --format csv > windows.csv
  brownout run retry-storm --out results     # every form, each as a file
  brownout run retry-storm --format openmetrics --epoch $(date +%s) > metrics.om
  promtool tsdb create-blocks-from openmetrics metrics.om DATA    # and Prometheus answers questions
  brownout run utilisation-knee --replications 20     # intervals, and whether theory agrees
  brownout run utilisation-knee --precision 2% --metric p99     # as many seeds as it takes

One run is one sample: an interval and a word on theory take more seeds. The page is then that of the first.

Files of --out: report.html (to show: plots, and calls that it follows in runs of their own), report.json \
(all of it), report.txt (this page), windows.csv (a row per window), tidy.csv (a row per number), \
edges.csv, services.csv, latency.csv (a row per bucket) and metrics.om (OpenMetrics); of many seeds also \
replications.json and replications.csv. In CSV times are seconds, shares 0 to 1, what is not there is empty.

What the file expects of this variant is shown with the measured value, and decides the exit code.
With --set, or with another seed than the file's, it is shown and not enforced. What is expected
over several seeds is decided by `brownout check`.")]
pub struct Run {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// With more than one seed: the metrics to know, instead of the usual ones
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// The form of the result; json and csv of many seeds are about all of them
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: RunFormat,
    /// Also write all forms of the result, and the tables of the report as CSV, to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// When the run begins, for OpenMetrics: seconds after 1970
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true,
          value_parser = clap::value_parser!(u64).range(..=LATEST_EPOCH))]
    pub epoch: u64,
    /// On how many seeds.
    #[command(flatten)]
    pub repeats: Repeats,
    /// Until when.
    #[command(flatten)]
    pub settle: Settle,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// The forms of a run's result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// For people
    #[default]
    Text,
    /// For programs; carries its version
    Json,
    /// A row per window of time, a column per number
    Csv,
    /// A row per number, for data frames
    TidyCsv,
    /// For Prometheus: what it would have scraped
    #[value(name = "openmetrics")]
    OpenMetrics,
}

/// The year 9999: beyond it nobody shows a date.
const LATEST_EPOCH: u64 = 253_370_764_800;

pub(super) fn command(args: &Run, app: &mut App) -> Result<Exit> {
    if args.epoch != 0 && args.out.is_none() && args.format != RunFormat::OpenMetrics {
        return Err(Error::usage(
            "--epoch says when OpenMetrics begin: it needs --format openmetrics or --out",
        ));
    }
    let many = args.repeats.replications.is_some() || args.repeats.precision.is_some();
    if !many && !args.metric.is_empty() {
        return Err(Error::Usage {
            message: "--metric says what is to be known of many seeds, and this is one run".into(),
            help: "  add --replications 10; `brownout list metrics EXPERIMENT` shows the metrics of one run"
                .into(),
        });
    }
    let opened = app.open(&args.subject.name, args.variant.as_deref())?;
    let variant = app.variant(&opened, args.variant.as_deref())?.map(String::from);
    let mut rows = [Row { variant, set: args.subject.set.clone() }];
    let first = app.prepare(&opened, rows[0].variant.as_deref(), &rows[0].set, args.subject.seed)?;
    if let Some(failed) = expect::check(&first, &opened.experiment) {
        return Err(app.invalid(&failed));
    }
    measure::check(&first.resolved, &args.metric)?;
    let files = if many { &FILES[..] } else { &FILES[..OF_ONE] };
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, files, &mut app.console)).transpose()?;
    let plan = args.repeats.plan(app, &opened, &mut rows, args.subject.seed, Some(1), &args.bounds)?;
    let plan = Plan { settle: args.settle.settle, ..plan };
    let prepared = app.prepare(&opened, rows[0].variant.as_deref(), &rows[0].set, args.subject.seed)?;

    let (prepared, report, replicated, ending) = match many {
        true => {
            let (report, replicated, ending) = many::replicate(args, app, &opened, &rows, plan)?;
            (prepared, report, replicated, ending)
        }
        false => {
            let (prepared, report, ending) = once(args, app, &opened, prepared)?;
            (prepared, report, None, ending)
        }
    };
    let report = &report;
    let judged =
        expect::judge(&prepared, &opened.experiment, report).map_err(|failed| app.invalid(&failed))?;
    let mut page = Page { replicated, ..page(&opened, report, judged) };
    if let Some(replicated) = &page.replicated {
        let metrics: String = args.metric.iter().map(|path| format!(" --metric {}", quote(path))).collect();
        let seeds = format!(" --replications {}{metrics}", replicated.seeds.count);
        page.next.iter_mut().filter(|(what, _)| what == "again").for_each(|(_, line)| line.push_str(&seeds));
    }
    // A table of a part says so.
    let part = |table: String| csv_of_part(table, report.stopped.as_slice());
    if let Some(out) = &out {
        out.write("report.html", html(args, app, &prepared, report, &page)?.as_bytes())?;
        out.write("report.json", json(report).as_bytes())?;
        out.write("report.txt", text(report, &page, crate::text::Style::default()).as_bytes())?;
        out.write("windows.csv", part(windows::csv(report)).as_bytes())?;
        out.write("tidy.csv", part(windows::tidy_csv(report)).as_bytes())?;
        out.write("edges.csv", part(tables::edges(report)).as_bytes())?;
        out.write("services.csv", part(tables::services(report)).as_bytes())?;
        out.write("latency.csv", part(tables::latency(report)).as_bytes())?;
        out.write("metrics.om", openmetrics(report, args.epoch).as_bytes())?;
        if let Some(replicated) = &page.replicated {
            out.write("replications.json", sealed(&crate::render::json(replicated)).as_bytes())?;
            out.write(
                "replications.csv",
                csv_of_part(replicated::csv(replicated), &replicated.incomplete).as_bytes(),
            )?;
        }
    }
    app.console.document(&match (args.format, &page.replicated) {
        (RunFormat::Text, _) => text(report, &page, app.console.style()),
        (RunFormat::Json, None) => json(report),
        (RunFormat::Csv, None) => part(windows::csv(report)),
        (RunFormat::Json, Some(replicated)) => sealed(&crate::render::json(replicated)),
        (RunFormat::Csv, Some(replicated)) => {
            csv_of_part(replicated::csv(replicated), &replicated.incomplete)
        }
        (RunFormat::TidyCsv, _) => part(windows::tidy_csv(report)),
        (RunFormat::OpenMetrics, _) => openmetrics(report, args.epoch),
    })?;

    let again = prepared.replay.bounded_line("run", &args.bounds);
    if ending != Exit::Good {
        match &page.replicated {
            // The page says what is missing.
            Some(_) => app.console.say(&format!("  again: {}", app.typed)),
            None => app.console.say(&cut_short(&prepared, report, ending, &again)),
        }
        Ok(ending)
    } else if page.expectations.failed() {
        let failed = page.expectations.judged.iter().filter(|judged| judged.fails()).count();
        let all = page.expectations.judged.len();
        app.console.say(&format!("{failed} of {all} expectations failed\n  again: {again}"));
        Ok(Exit::Failed)
    } else {
        Ok(Exit::Good)
    }
}

/// The page of the run, with a few of its calls: for those it is made again, on the same luck.
fn html(args: &Run, app: &App, prepared: &Prepared, report: &Report, page: &Page) -> Result<String> {
    let few = Selection { slowest: 2, failed: 3, ..Selection::default() };
    let traces = match prepared.resolved.model.untraceable() {
        Some(_) => Vec::new(),
        None => trace(prepared, &args.bounds, few, &app.console.interrupt, None)?.traces,
    };
    let effective = prepared.resolved.canonical.to_string();
    let again = prepared.replay.bounded_line("trace", &args.bounds);
    Ok(html::run::page(
        report,
        &html::run::Around { page, effective: &effective, traces: &traces, again: &again },
    )
    .html())
}

/// One run, which goes on until it is decided if that is asked for; what was run in the end.
fn once(args: &Run, app: &mut App, opened: &Opened, own: Prepared) -> Result<(Prepared, Report, Exit)> {
    let spec = own.resolved.run.clone();
    let (variant, set, seed) = (own.variant.clone(), own.set.clone(), own.seed);
    let mut own = Some(own);
    let run = |leg: Leg| {
        let prepared = match (own.take(), leg.longer.map(Leg::setting)) {
            (Some(own), None) => own,
            (_, longer) => {
                let set: Vec<_> = set.iter().cloned().chain(longer).collect();
                app.prepare(opened, variant.as_deref(), &set, Some(seed))?
            }
        };
        let meter = Meter::of_run(&app.console, &prepared.name);
        let simulated = simulate(&prepared, &args.bounds, None, &app.console.interrupt, Some(&meter));
        meter.finish(&mut app.console, simulated.as_ref().ok().map(|output| output.report.run.events));
        Ok(Some((prepared, simulated?)))
    };
    let settling = Settling::new(&spec, args.settle.settle.unwrap_or(1));
    let (prepared, output) =
        settling.settle(run, |(_, output)| &mut output.report)?.expect("what a signal cuts short is shown");
    let ending = ending(&output, &app.console.interrupt);
    Ok((prepared, output.report, ending))
}

fn page(opened: &Opened, report: &Report, expectations: Judgement) -> Page {
    let has_variants = !opened.experiment.variants().is_empty();
    let has_sweep = !opened.experiment.axes().is_empty();
    Page {
        expectations,
        next: next_steps(report, &opened.program, &opened.found.argument, has_variants, has_sweep),
        replicated: None,
    }
}

/// One line: a report is for programs.
fn json(report: &Report) -> String {
    sealed(&serde_json::to_string(report).expect("a report holds only numbers, texts and named maps"))
}
