//! `brownout new [FILE]`: a commented starter experiment that validates and runs as it stands.

use crate::app::App;
use crate::error::{Exit, Result};
use crate::replay::quote;
use crate::text::escape_path;
use clap::Args as ClapArgs;
use std::path::{Path, PathBuf};

/// The experiment.
pub const STARTER: &str = include_str!("../starter.ron");

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

pub(super) fn command(args: &New, app: &mut App) -> Result<Exit> {
    let Some(file) = &args.file else {
        app.console.document(STARTER)?;
        return Ok(Exit::Good);
    };
    let path = named(file);
    // The commands in it name it, where that is no more than a word.
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c));
    let starter = if plain { STARTER.replace("./mine.ron", &path) } else { STARTER.into() };
    app.console.disk.create(file, starter.as_bytes())?;
    app.console.note(&format!("wrote {}; try: brownout run {}", escape_path(file), quote(&path)));
    Ok(Exit::Good)
}

/// The path as an argument that is not taken for a name.
fn named(file: &Path) -> String {
    let path = file.to_string_lossy().into_owned();
    if path.contains('/') { path } else { format!("./{path}") }
}
