//! `brownout show EXPERIMENT`: the file, or what it amounts to with every default written out.

use crate::app::App;
use crate::args::assignment;
use crate::error::{Exit, Result};
use clap::Args as ClapArgs;

/// `brownout show`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout show retry-storm > mine.ron      # a copy to change
  brownout show retry-storm --effective     # with every default written out")]
pub struct Show {
    /// An experiment: a name from `brownout list`, a path, or - for standard input
    #[arg(value_name = "EXPERIMENT")]
    pub name: String,
    /// Write out every default, in the canonical form that is hashed into the digest
    #[arg(long)]
    pub effective: bool,
    /// With --effective: a variant of the file instead of the base
    #[arg(long, value_name = "NAME", requires = "effective")]
    pub variant: Option<String>,
    /// With --effective: set any value of the file
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment, requires = "effective")]
    pub set: Vec<(String, String)>,
}

pub(super) fn command(args: &Show, app: &mut App) -> Result<Exit> {
    let found = app.find(&args.name)?;
    if !args.effective {
        // As it is, so that a copy is a copy; even of a file that cannot be run.
        app.console.document(&String::from_utf8_lossy(&found.bytes))?;
        return Ok(Exit::Good);
    }
    let opened = app.read(found, |warnings| warnings.of(args.variant.as_deref()))?;
    let canonical = if args.variant.is_none() && args.set.is_empty() {
        opened.experiment.canonical().map_err(|failed| app.invalid(&failed))?
    } else {
        app.prepare(&opened, args.variant.as_deref(), &args.set, None)?.resolved.canonical
    };
    app.console.document(&format!("{canonical}\n"))?;
    Ok(Exit::Good)
}
