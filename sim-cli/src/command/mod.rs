//! One file per command.

mod completions;
mod man;
mod show;

use crate::App;
use crate::args::Command;
use crate::error::{Error, Exit, Result};

/// Runs the command.
pub fn dispatch(command: &Command, app: &mut App) -> Result<Exit> {
    match command {
        Command::Completions(args) => completions::command(args, app),
        Command::Man => man::command(app),
        Command::Show(args) => show::command(args, app),
        other => Err(Error::usage(format!("not here yet: {other:?}"))),
    }
}
