//! `brownout diff A B`: which numbers of two runs differ, and the first event in which they part.
//!
//! Either side is a saved run or one to be made now. Events are found by making both runs again: once to
//! have their checkpoints, once more to record the stretch in which they part.

use crate::app::App;
use crate::args::{Bounds, Format, text_or_json};
use crate::error::{Exit, Result};
use crate::render::diff as page;
use crate::result::differed::parts::differing_parts;
use crate::result::differed::{Differed, Run, differences};
use crate::study::parting;
use crate::study::side::Side;
use clap::Args as ClapArgs;

/// `brownout diff`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout diff retry-storm@42 retry-storm@43            # two seeds
  brownout diff retry-storm retry-storm:budgeted         # two variants
  brownout diff before/report.json after/report.json     # two saved runs
  brownout diff results retry-storm                      # a saved run and today's")]
pub struct Diff {
    /// A saved report.json or its folder, or an experiment, with :VARIANT and @SEED if wanted
    #[arg(value_name = "A")]
    pub a: String,
    /// The same
    #[arg(value_name = "B")]
    pub b: String,
    /// How many differing numbers to show, the largest change first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Diff, app: &mut App) -> Result<Exit> {
    let a = Side::open(&args.a, &args.bounds, app)?;
    let b = Side::open(&args.b, &args.bounds, app)?;
    let parting = match a.report.digest.t == b.report.digest.t {
        true => None,
        false => Some(parting::find(&a, &b, &args.bounds, app)?),
    };
    let run = |side: &Side| Run { name: side.name(), digest: side.report.digest.clone() };
    let differed = Differed {
        a: run(&a),
        b: run(&b),
        parts: differing_parts(&a.report.digest, &b.report.digest),
        numbers: differences(&a.report, &b.report),
        parting,
    };
    app.console.document(&match args.format {
        Format::Json => page::json(&differed),
        _ => page::text(&differed, args.top, app.console.style()),
    })?;
    if differed.same() {
        return Ok(Exit::Good);
    }
    app.console.note(&format!("different\n  again: {}", app.typed));
    Ok(Exit::Failed)
}
