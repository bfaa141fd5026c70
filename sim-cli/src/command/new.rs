//! `brownout new [FILE]`: a commented starter experiment that validates and runs as it stands.

use crate::App;
use crate::args::New;
use crate::error::{Exit, Result};
use crate::files::{create, escape_path};
use crate::replay::quote;
use std::path::Path;

/// The experiment.
pub const STARTER: &str = include_str!("../starter.ron");

pub(super) fn command(args: &New, app: &mut App) -> Result<Exit> {
    let Some(file) = &args.file else {
        app.console.document(STARTER)?;
        return Ok(Exit::Good);
    };
    create(file, STARTER.as_bytes())?;
    let path = named(file);
    app.console.note(&format!("wrote {}; try: brownout run {}", escape_path(file), quote(&path)));
    Ok(Exit::Good)
}

/// The path as an argument that is not taken for a name.
fn named(file: &Path) -> String {
    let path = file.to_string_lossy().into_owned();
    if path.contains('/') { path } else { format!("./{path}") }
}
