//! The command line as people type it; every `--help` teaches with an example. One file per command: what it takes, and what
//! it does.

pub mod check;
pub mod compare;
pub mod completions;
pub mod diagram;
pub mod diff;
mod documents;
pub mod explain;
pub mod explore;
pub mod find;
pub mod histogram;
pub mod list;
mod man;
pub mod new;
pub mod recommend;
pub mod run;
pub mod show;
pub mod shrink;
pub mod sweep;
pub mod tour;
pub mod trace;
pub mod validate;
pub mod verify;

use crate::app::App;
use crate::args::Global;
use crate::error::{Exit, Result};
use crate::replay::by_name;
use clap::{CommandFactory, Parser, Subcommand};

const EXAMPLES_AND_EXITS: &str = "\
Start with:
  brownout tour                        six experiments in ten minutes
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

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run an experiment and say what happened
    Run(run::Run),
    /// Run all variants of an experiment on the same luck, side by side
    Compare(compare::Compare),
    /// Run an experiment over a grid of settings
    Sweep(sweep::Sweep),
    /// Find where an experiment tips over, and the way back
    Find(find::Find),
    /// Which value to set: a constrained search, validated on fresh seeds
    Recommend(recommend::Recommend),
    /// The distribution of response times
    Histogram(histogram::Histogram),
    /// Search random schedules of a cluster for one that breaks it, and make it as short as it can be
    Explore(explore::Explore),
    /// The smallest experiment that still fails as this one does
    Shrink(shrink::Shrink),
    /// Single calls, attempt by attempt: where their time went
    Trace(trace::Trace),
    /// What an experiment is made of, as a picture
    Diagram(diagram::Diagram),
    /// What an experiment amounts to before it is run: all defaults, back-off, worst cases, load
    Explain(explain::Explain),
    /// Print an experiment file
    Show(show::Show),
    /// List experiments, models, metrics, distributions, policies, presets or mechanisms
    List(list::List),
    /// Six experiments in ten minutes, each with what to look at
    Tour(tour::Tour),
    /// Write a commented starter experiment
    New(new::New),
    /// Check experiment files without running them
    Validate(validate::Validate),
    /// Run experiments and hold them to their expectations and golden snapshots
    Check(check::Check),
    /// Show that a result can be trusted: run it again, and on the reference engine
    Verify(verify::Verify),
    /// Where two runs differ: which numbers, and the first different event
    Diff(diff::Diff),
    /// Print a completion script for your shell
    Completions(completions::Completions),
    /// Print the manual page
    Man,
}

/// The command line's description, for help, completions and the manual.
pub fn command_line() -> clap::Command {
    Args::command()
}

/// The same as a program of this name says it.
pub fn command_line_of(program: &str) -> clap::Command {
    let named = |command: clap::Command| match command.get_after_help().map(ToString::to_string) {
        Some(text) => command.after_help(by_name(&text, program)),
        None => command,
    };
    let whole = named(command_line()).display_name(program).mut_subcommands(named);
    whole.mut_subcommand("sweep", |sweep| sweep.mut_subcommands(named))
}

/// Runs the command.
pub fn dispatch(command: &Command, app: &mut App) -> Result<Exit> {
    match command {
        Command::Run(args) => run::command(args, app),
        Command::Compare(args) => compare::command(args, app),
        Command::Sweep(args) => sweep::command(args, app),
        Command::Find(args) => find::command(args, app),
        Command::Recommend(args) => recommend::command(args, app),
        Command::Explore(args) => explore::command(args, app),
        Command::Shrink(args) => shrink::command(args, app),
        Command::Histogram(args) => histogram::command(args, app),
        Command::Trace(args) => trace::command(args, app),
        Command::Diagram(args) => diagram::command(args, app),
        Command::Explain(args) => explain::command(args, app),
        Command::Show(args) => show::command(args, app),
        Command::List(args) => list::command(args, app),
        Command::Tour(args) => tour::command(args, app),
        Command::New(args) => new::command(args, app),
        Command::Validate(args) => validate::command(args, app),
        Command::Check(args) => check::command(args, app),
        Command::Verify(args) => verify::command(args, app),
        Command::Diff(args) => diff::command(args, app),
        Command::Completions(args) => completions::command(args, app),
        Command::Man => man::command(app),
    }
}
