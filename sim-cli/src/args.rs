//! The command line as people type it. Every `--help` teaches with an example.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES_AND_EXITS: &str = "\
Start with:
  brownout list                        what is there to see
  brownout run retry-storm             watch one
  brownout compare retry-storm         find what prevents it
  brownout new mine.ron                write your own

Exit codes:
    0  good: it ran, and what its author expects holds
    1  a file or a stream could not be read or written
    2  the command line makes no sense
    3  an experiment is invalid
    4  an expectation, a comparison or a verification failed
    5  a limit was reached: the result is partial, and marked
    6  a bug in brownout
  130  interrupted (SIGINT); 143 terminated (SIGTERM): what was reached is printed and marked

The same version, experiment and seed give the same result, byte for byte, whatever --jobs says.
Results go to standard output; everything else goes to standard error.";

/// Run a distributed system's bad day on your laptop, in a second, again and again.
#[derive(Clone, Debug, Parser)]
#[command(name = "brownout", version, after_help = EXAMPLES_AND_EXITS, arg_required_else_help = true)]
#[command(subcommand_required = true, max_term_width = 100, disable_help_subcommand = true)]
pub struct Args {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// A folder of your own experiments, found by name before the bundled ones
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Threads to use; all cores unless given. Never changes a result
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// When to colour: auto means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Only the result and errors: no progress, no notes
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run an experiment and say what happened
    Run(Run),
    /// Run all variants of an experiment on the same luck, side by side
    Compare(Compare),
    /// Run an experiment over a grid of settings
    Sweep(Sweep),
    /// The distribution of response times
    Histogram(Histogram),
    /// What an experiment amounts to before it is run: all defaults, back-off, worst cases, load
    Explain(Explain),
    /// Print an experiment file
    Show(Show),
    /// List experiments, models, metrics, distributions or policies
    List(List),
    /// Write a commented starter experiment
    New(New),
    /// Check experiment files without running them
    Validate(Validate),
    /// Run experiments and hold them to their expectations and golden snapshots
    Check(Check),
    /// Show that a result can be trusted: run it again, and on the reference engine
    Verify(Verify),
    /// Where two runs differ: which numbers, and the first different event
    Diff(Diff),
    /// Print a completion script for your shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; carries its version
    Json,
    /// For spreadsheets and data frames
    Csv,
}

/// The form of a result that is a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people
    #[default]
    Text,
    /// For a pull request
    Markdown,
    /// For programs; carries its version
    Json,
    /// For spreadsheets and data frames
    Csv,
}

/// For results that are not tables.
fn text_or_json() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["text", "json"])
        .map(|name| if name == "json" { Format::Json } else { Format::Text })
}

/// Which experiment, set up how.
#[derive(Clone, Debug, ClapArgs)]
pub struct Subject {
    /// An experiment: a name from `brownout list`, a path (anything with a `/` or ending in `.ron`), or - for
    /// standard input
    #[arg(value_name = "EXPERIMENT")]
    pub name: String,
    /// Set any value of the file, defaulted ones too: `--set services.payments.replicas=4`
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// The seed, instead of the file's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

/// How far a run may go, and on what.
#[derive(Clone, Copy, Debug, ClapArgs)]
#[command(next_help_heading = "Limits")]
pub struct Bounds {
    /// The event queue to run on: `reference` is slow and simple, and must give the same digests
    #[arg(long, value_enum, default_value = "fast", value_name = "ENGINE")]
    pub engine: EngineName,
    /// Stop after this many events, with exit code 5
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: u64,
    /// Stop when this many calls are in flight at once, with exit code 5
    #[arg(long, value_name = "N", default_value_t = sim_models::run::DEFAULT_MAX_IN_FLIGHT,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub max_in_flight: u64,
}

/// The event queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The timing wheel
    #[default]
    Fast,
    /// The priority-queue crate
    Reference,
}

/// `brownout run`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout run retry-storm
  brownout run retry-storm --variant budgeted
  brownout run retry-storm --set services.payments.replicas=6 --seed 7
  brownout run ./mine.ron --format csv > windows.csv
  brownout run retry-storm --out results     # report.json, report.txt, windows.csv

What the file expects of this variant is shown with the measured value, and decides the exit code. With --set,
or with another seed than the file's, it is shown and not enforced.")]
pub struct Run {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The form of the result; csv is one row per window of time
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: Format,
    /// Also write report.json, report.txt and windows.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

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
    /// How many seeds, counted up from the first; the file's number unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub replications: Option<u32>,
    /// The metrics to compare, instead of the usual ones: see `brownout list metrics EXPERIMENT`
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write comparison.json and comparison.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

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

/// `brownout histogram`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout histogram retry-storm
  brownout histogram retry-storm --edge 'checkout->payments' --during 60s..90s
  brownout histogram results/report.json --format hgrm > latency.hgrm")]
pub struct Histogram {
    /// Which experiment, or the report.json of a saved run.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The edge; the users' first unless given
    #[arg(long, value_name = "EDGE")]
    pub edge: Option<String>,
    /// Only this part of the run
    #[arg(long, value_name = "FROM..TO")]
    pub during: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: HistogramFormat,
    /// Also write histogram.json, histogram.csv, latency.hgrm and latency.hlog to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// The forms of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum HistogramFormat {
    /// Bars and percentiles
    #[default]
    Text,
    /// For programs
    Json,
    /// Bucket, count
    Csv,
    /// The percentile table that HdrHistogram's plotter reads
    Hgrm,
    /// HdrHistogram's interval log, version 2: one histogram per window
    Hlog,
}

/// `brownout explain`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout explain retry-storm
  brownout explain retry-storm --variant budgeted
  brownout explain ./mine.ron --set services.payments.replicas=6")]
pub struct Explain {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
}

/// `brownout show`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout show retry-storm > mine.ron      # a copy to change
  brownout show retry-storm --effective     # with every default written out")]
pub struct Show {
    /// An experiment: a name from `brownout list`, a path, or - for standard input
    #[arg(value_name = "EXPERIMENT")]
    pub name: String,
    /// Write out every default, in the canonical form that is hashed into the digest
    #[arg(long)]
    pub effective: bool,
    /// With --effective: a variant of the file instead of the base
    #[arg(long, value_name = "NAME", requires = "effective")]
    pub variant: Option<String>,
    /// With --effective: set any value of the file
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment, requires = "effective")]
    pub set: Vec<(String, String)>,
}

/// `brownout list`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout list
  brownout list models
  brownout list metrics retry-storm
  brownout list policies")]
pub struct List {
    /// What to list
    #[arg(value_name = "WHAT", default_value = "experiments")]
    pub what: Listed,
    /// The experiment whose metrics to list, or the model whose settings to list
    #[arg(value_name = "EXPERIMENT")]
    pub name: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: Format,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Experiments by family
    #[default]
    Experiments,
    /// Models; with a name, all settings of that one
    Models,
    /// The metrics of an experiment, for `expect` and --metric
    Metrics,
    /// Distributions of times
    Distributions,
    /// Retry, back-off, budget, breaker, bulkhead, balancer
    Policies,
}

/// `brownout new`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout new mine.ron && brownout run ./mine.ron
  brownout new | less")]
pub struct New {
    /// The file to write; standard output unless given. Never replaces a file
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `brownout validate`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout validate mine.ron
  brownout validate experiments/*/*.ron
  generate | brownout validate -")]
pub struct Validate {
    /// Experiments: names, paths, or - for standard input
    #[arg(value_name = "EXPERIMENT", required = true)]
    pub names: Vec<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
}

/// `brownout check`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout check                                     # all bundled experiments
  brownout check --dir ours --golden ours/golden     # your own, against golden snapshots
  brownout check --dir ours --golden ours/golden --bless
  brownout check retry-storm

With --dir and no names, all experiments of that folder are checked, against the snapshots beside them
(NAME.snap) where there are any.")]
pub struct Check {
    /// Experiments; all of --dir, or all bundled ones, unless given
    #[arg(value_name = "EXPERIMENT")]
    pub names: Vec<String>,
    /// The folder of golden snapshots, one NAME.snap per experiment; every experiment must have one
    #[arg(long, value_name = "DIR")]
    pub golden: Option<PathBuf>,
    /// Write the golden snapshots instead of comparing with them
    #[arg(long)]
    pub bless: bool,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// `brownout verify`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout verify retry-storm
  brownout verify retry-storm recovery-herd --seed 7

Each experiment runs twice on the fast engine and once on the reference engine. The digests of input,
trajectory, randomness and results must agree.")]
pub struct Verify {
    /// Experiments: names, paths, or - for standard input
    #[arg(value_name = "EXPERIMENT", required = true)]
    pub names: Vec<String>,
    /// Set any value of the file
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// The seed, instead of the file's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
    /// Stop after this many events, with exit code 5
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: u64,
    /// Stop when this many calls are in flight at once, with exit code 5
    #[arg(long, value_name = "N", default_value_t = sim_models::run::DEFAULT_MAX_IN_FLIGHT,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub max_in_flight: u64,
}

/// `brownout diff`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout diff retry-storm@42 retry-storm@43            # two seeds
  brownout diff retry-storm retry-storm:budgeted         # two variants
  brownout diff before/report.json after/report.json     # two saved runs
  brownout diff results retry-storm                      # a saved run and today's")]
pub struct Diff {
    /// A saved report.json or its folder, or an experiment, with :VARIANT and @SEED if wanted
    #[arg(value_name = "A")]
    pub a: String,
    /// The same
    #[arg(value_name = "B")]
    pub b: String,
    /// How many differing numbers to show, the largest change first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// `brownout completions`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Example:
  brownout completions bash > ~/.local/share/bash-completion/completions/brownout")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

/// `path=value`, both sides there.
fn assignment(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("expected PATH=VALUE")?;
    let (path, value) = (path.trim(), value.trim());
    match (path.is_empty(), value.is_empty()) {
        (true, _) => Err("expected a path before `=`".into()),
        (_, true) => Err(format!("expected a value after `{path}=`; an empty text is written {path}='\"\"'")),
        _ => Ok((path.into(), value.into())),
    }
}
