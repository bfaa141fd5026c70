//! `brownout sweep plan EXPERIMENT`: a sweep as a file.

use super::{Subject, planned};
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::plan;
use crate::text::escape_path;
use crate::text::number::count;
use clap::Args as ClapArgs;
use std::path::PathBuf;

/// `brownout sweep plan`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout sweep plan retry-storm --set services.payments.replicas=2..6 --out plan.json
  brownout sweep run plan.json --shard 0/8          # on any machine with this brownout, eight times
  brownout sweep merge plan.runs

The plan holds the experiment and everything else that a run depends on, and is refused by another
version.")]
pub struct Plan {
    /// Write it to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What to sweep.
    #[command(flatten)]
    pub subject: Subject,
}

pub(super) fn command(args: &Plan, app: &mut App) -> Result<Exit> {
    if args.subject.repeats.precision.is_some() {
        return Err(Error::Usage {
            message: "a plan says how many runs it has, and --precision finds that out on the way".into(),
            help: "  say it: --replications 20; or sweep in one go, without a plan".into(),
        });
    }
    let (_, ready) = planned(&args.subject, app)?;
    let text = ready.plan.to_json();
    let Some(path) = &args.out else {
        app.console.document(&text)?;
        return Ok(Exit::Good);
    };
    if path.exists() && plan::Plan::read(path).is_err() {
        let cause = std::io::Error::other("it exists and is no plan; choose another name");
        return Err(Error::file("cannot write", path, cause));
    }
    app.console.disk.replace(path, text.as_bytes())?;
    let (cells, runs) = (count(ready.grid.points() as u64), count(ready.runs() as u64));
    let shown = escape_path(path);
    app.console.note(&format!("{shown}: {cells} cells, {runs} runs, fingerprint {}", ready.plan.fingerprint));
    app.console.note(&format!(
        "next: brownout sweep run {shown} --shard 0/8 .. 7/8, or brownout sweep submit {shown}"
    ));
    Ok(Exit::Good)
}
