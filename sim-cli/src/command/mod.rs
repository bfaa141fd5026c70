//! One file per command.

mod compare;
mod completions;
mod histogram;
mod man;
mod show;
mod sweep;

use crate::App;
use crate::args::Command;
use crate::error::{Error, Exit, Result};

/// Runs the command.
pub fn dispatch(command: &Command, app: &mut App) -> Result<Exit> {
    match command {
        Command::Compare(args) => compare::command(args, app),
        Command::Sweep(args) => sweep::command(args, app),
        Command::Histogram(args) => histogram::command(args, app),
        Command::Completions(args) => completions::command(args, app),
        Command::Man => man::command(app),
        Command::Show(args) => show::command(args, app),
        other => Err(Error::usage(format!("not here yet: {other:?}"))),
    }
}
