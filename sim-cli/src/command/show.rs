//! `brownout show EXPERIMENT`: the file, or what it amounts to with every default written out.

use crate::App;
use crate::args::Show;
use crate::error::{Exit, Result};

pub(super) fn command(args: &Show, app: &mut App) -> Result<Exit> {
    let found = app.find(&args.name)?;
    if !args.effective {
        // As it is, so that a copy is a copy; even of a file that cannot be run.
        app.console.document(&String::from_utf8_lossy(&found.bytes))?;
        return Ok(Exit::Good);
    }
    let opened = app.read(found)?;
    let canonical = if args.variant.is_none() && args.set.is_empty() {
        opened.experiment.canonical().map_err(|failed| app.invalid(&failed))?
    } else {
        app.prepare(&opened, args.variant.as_deref(), &args.set, None)?.resolved.canonical
    };
    app.console.document(&format!("{canonical}\n"))?;
    Ok(Exit::Good)
}
