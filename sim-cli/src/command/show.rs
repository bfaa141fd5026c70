//! `brownout show EXPERIMENT`: the file, or what it amounts to with every default written out.

use crate::app::App;
use crate::args::assignment;
use crate::error::{Error, Exit, Result};
use crate::replay::quote;
use crate::text::escape_path;
use clap::Args as ClapArgs;
use std::path::PathBuf;

/// `brownout show`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout show retry-storm > mine.ron      # a copy to change
  brownout show replayed-day --with-files . # a copy and the files that it names
  brownout show retry-storm --effective     # with every default written out")]
pub struct Show {
    /// An experiment: a name from `brownout list`, a path, or - for standard input
    #[arg(value_name = "EXPERIMENT")]
    pub name: String,
    /// Write it into this folder, and the files that it names beside it. Never replaces a file
    #[arg(long, value_name = "DIR", conflicts_with_all = ["effective", "variant", "set"])]
    pub with_files: Option<PathBuf>,
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
    if let Some(folder) = &args.with_files {
        let own: &[(String, &[u8])] = &[(format!("{}.ron", found.name), &found.bytes)];
        let files = found.files();
        let beside = files.iter().map(|(name, text)| ((*name).to_string(), text.as_bytes()));
        if !folder.is_dir() {
            app.console
                .disk
                .create_dir_all(folder)
                .map_err(|cause| Error::file("cannot make", folder, cause))?;
        }
        for (name, bytes) in own.iter().cloned().chain(beside) {
            let path = folder.join(name);
            app.console.disk.create(&path, bytes)?;
            app.console.note(&format!("wrote {}", escape_path(&path)));
        }
        return Ok(Exit::Good);
    }
    if !args.effective {
        let files = found.files();
        if !files.is_empty() {
            let names = files.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
            let again = format!("{} show {} --with-files DIR", app.program, quote(&found.argument));
            app.console.note(&format!("note: a copy needs {names} beside it: {again} writes all of it"));
        }
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
