//! One file per command: what it takes on the command line, and what it does.

pub mod check;
pub mod compare;
pub mod completions;
pub mod diagram;
pub mod diff;
pub mod explain;
pub mod find;
pub mod histogram;
pub mod list;
mod man;
pub mod new;
pub mod recommend;
pub mod run;
pub mod show;
pub mod sweep;
pub mod trace;
pub mod validate;
pub mod verify;

use crate::App;
use crate::args::Command;
use crate::error::{Exit, Result};

/// Runs the command.
pub fn dispatch(command: &Command, app: &mut App) -> Result<Exit> {
    match command {
        Command::Run(args) => run::command(args, app),
        Command::Compare(args) => compare::command(args, app),
        Command::Sweep(args) => sweep::command(args, app),
        Command::Find(args) => find::command(args, app),
        Command::Recommend(args) => recommend::command(args, app),
        Command::Histogram(args) => histogram::command(args, app),
        Command::Trace(args) => trace::command(args, app),
        Command::Diagram(args) => diagram::command(args, app),
        Command::Explain(args) => explain::command(args, app),
        Command::Show(args) => show::command(args, app),
        Command::List(args) => list::command(args, app),
        Command::New(args) => new::command(args, app),
        Command::Validate(args) => validate::command(args, app),
        Command::Check(args) => check::command(args, app),
        Command::Verify(args) => verify::command(args, app),
        Command::Diff(args) => diff::command(args, app),
        Command::Completions(args) => completions::command(args, app),
        Command::Man => man::command(app),
    }
}
