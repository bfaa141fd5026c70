//! `brownout show EXPERIMENT`: the file.

use crate::App;
use crate::args::Show;
use crate::error::{Exit, Result};

pub(super) fn command(args: &Show, app: &mut App) -> Result<Exit> {
    let found = app.find(&args.name)?;
    app.console.document(&String::from_utf8_lossy(&found.bytes))?;
    Ok(Exit::Good)
}
