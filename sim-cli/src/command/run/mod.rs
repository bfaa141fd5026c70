//! `brownout run EXPERIMENT`: what happened, verdict first; on many seeds, how sure that is.

mod files;
mod many;
mod predict;

use crate::app::App;
use crate::args::{Bounds, Repeats, Settle, Subject};
use crate::error::{Error, Exit, Result};
use crate::expect;
use crate::experiment::{Opened, Prepared};
use crate::out::OutDir;
use crate::progress::Meter;
use crate::replay::{next_steps, quote};
use crate::result::judged::Judgement;
use crate::result::page::Page;
use crate::simulate::{cut_short, ending, simulate};
use crate::study::measure;
use crate::study::repeats::Plan;
use crate::study::replicate::Row;
use crate::study::settle::{Leg, Settling};
use clap::{Args as ClapArgs, ValueEnum};
use files::{FILES, OF_ONE, Whole};
use sim_models::report::Report;
use std::path::PathBuf;

/// `brownout run`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout run retry-storm
  brownout run retry-storm --full            # every table, instead of what fits a screen
  brownout run retry-storm --variant budgeted
  brownout run retry-storm --set services.payments.replicas=6 --seed 7
  brownout run ./mine.ron --format csv > windows.csv
  brownout run retry-storm --format markdown > storm.md
  brownout run retry-storm --predict         # say first what will happen
  brownout run retry-storm --out results     # every form, each as a file
  brownout run retry-storm --format openmetrics --epoch $(date +%s) > metrics.om
  promtool tsdb create-blocks-from openmetrics metrics.om DATA    # and Prometheus answers questions
  brownout run utilisation-knee --replications 20     # intervals, and whether theory agrees
  brownout run utilisation-knee --precision 2% --metric p99     # as many seeds as it takes

The page fits a screen of 24 rows, on a terminal and in a pipe alike; --full prints all of it.

One run is one sample: an interval and a word on theory take more seeds. The page is then that of the first.

Files of --out: report.html (to show: plots, and calls that it follows in runs of their own), report.json \
(all of it), report.txt (the page of --full), windows.csv (a row per window), tidy.csv (a row per number), \
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
    /// Ask what will happen before it is shown, and tell how far off the answers were; without a terminal they are lines of
    /// standard input
    #[arg(long, conflicts_with_all = ["replications", "precision", "settle"])]
    pub predict: bool,
    /// The form of the result; json and csv of many seeds are about all of them
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: RunFormat,
    /// The whole page, with every table, instead of what fits a screen
    #[arg(long)]
    pub full: bool,
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
    /// For a pull request, or what is written after an incident: verdict, numbers, command and versions
    Markdown,
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
    if args.full && args.format != RunFormat::Text {
        return Err(Error::usage(
            "--full is about the page for people: the other forms have all of it anyway",
        ));
    }
    if args.predict && args.format != RunFormat::Text {
        return Err(Error::usage("--predict asks people: it goes with --format text"));
    }
    if args.predict && args.subject.name == "-" {
        return Err(Error::usage(
            "--predict reads answers from standard input, and `-` reads the experiment from there",
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
    let opened = app.open(&args.subject.name, args.variant.as_deref(), &args.subject.set)?;
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
    let guesses = if args.predict { predict::ask(&prepared, app)? } else { Vec::new() };

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
    let result = Whole { args, prepared: &prepared, report, page: &page };
    let missing = result.write(app, out.as_ref())?;
    if !guesses.is_empty() {
        let held = predict::held(&guesses, report, app.console.style());
        app.console.document(&held)?;
    }
    let again = prepared.replay.bounded_line("run", &args.bounds);
    if ending != Exit::Good {
        match &page.replicated {
            // The page says what is missing.
            Some(_) => app.console.say(&format!("  again: {}", app.typed)),
            None => app.console.say(&cut_short(&prepared, report, ending, &again)),
        }
        if !missing.is_empty() {
            app.console.say(&format!("  there was no time for {}", missing.join(", ")));
        }
        Ok(ending)
    } else if let (Some(told), false) = (app.console.interrupt.exit(), missing.is_empty()) {
        let told_to = "told to end while the result was written: the run is whole";
        app.console.say(&format!(
            "{}: {told_to}, and there was no time for {}\n  again: {again}",
            prepared.name,
            missing.join(", ")
        ));
        Ok(told)
    } else if page.expectations.failed() {
        let failed = page.expectations.judged.iter().filter(|judged| judged.fails()).count();
        let all = page.expectations.judged.len();
        app.console.say(&format!("{failed} of {all} expectations failed\n  again: {again}"));
        Ok(Exit::Failed)
    } else {
        Ok(Exit::Good)
    }
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
