//! `brownout completions SHELL`

use crate::App;
use crate::args::Completions;
use crate::error::{Exit, Result};

pub(super) fn command(args: &Completions, app: &mut App) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command_line(), "brownout", &mut script);
    app.console.document(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}
