//! `brownout completions SHELL`

use crate::app::App;
use crate::error::{Exit, Result};
use clap::Args as ClapArgs;

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

pub(super) fn command(args: &Completions, app: &mut App) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command::command_line(), &app.program, &mut script);
    app.console.document(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}
