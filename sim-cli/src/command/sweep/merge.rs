//! `brownout sweep merge DIR`: the shards of a plan put together.

use super::{document, files};
use crate::app::App;
use crate::args::TableFormat;
use crate::error::{Error, Exit, Result};
use crate::jobs::threads;
use crate::out::OutDir;
use crate::plan::Ready;
use crate::plan::reduce::{Results, metrics_of};
use crate::plan::shard::{folder_of, tell_bugs};
use crate::plan::store::{Known, PLAN, RESULTS};
use crate::replay::quote;
use crate::text::escape_path;
use crate::text::number::count;
use clap::Args as ClapArgs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `brownout sweep merge`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout sweep merge plan.runs
  brownout sweep merge plan.json /scratch/shards --metric p99 --format csv

It needs every shard: those that are missing are named, with the command that repeats them, and
exit code 1. The result is the same bytes as that of the whole sweep in one go, and is written to
the folder too.")]
pub struct Merge {
    /// The folder of the shards, and before it the plan if it is not in there
    #[arg(value_name = "[PLAN] DIR", num_args = 1..=2, required = true)]
    pub paths: Vec<PathBuf>,
    /// The metrics to show, instead of those of the plan
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
}

pub(super) fn command(args: &Merge, app: &mut App) -> Result<Exit> {
    let (plan, folder) = match args.paths.as_slice() {
        [plan, folder] => (plan.clone(), folder.clone()),
        [folder] if folder.is_dir() => (folder.join(PLAN), folder.clone()),
        [plan, ..] => (plan.clone(), folder_of(plan)),
        [] => unreachable!("clap demands one"),
    };
    let mut ready = Ready::open(app, &plan)?;
    let known = Known::scan(&folder, &ready)?;
    for source in known.sources.iter().filter(|source| source.damaged > 0) {
        app.console.say(&format!(
            "{}: {} damaged lines are left out",
            escape_path(&source.path),
            source.damaged
        ));
    }
    for path in &known.foreign {
        app.console.say(&format!("{}: no file of runs, left out", escape_path(path)));
    }
    if known.len() < ready.runs() {
        return Err(missing(&ready, &known, &plan, &folder));
    }
    if !args.metric.is_empty() {
        ready.plan.metrics.clone_from(&args.metric);
    }
    let metrics = metrics_of(&known, &ready.plan.metrics)?;
    let mut results = Results::default();
    match &metrics {
        Some(metrics) => results.read(&known, metrics, threads(app.global.jobs))?,
        // Every run ended in a panic.
        None => {
            let mut reader = known.reader();
            for run in known.iter() {
                if let Err(bug) = reader.read(run)? {
                    results.bugs.insert(run, bug);
                }
            }
        }
    }
    let (swept, exit) = results.reduce(&ready, metrics.as_ref(), None);
    let out = OutDir::prepare(&folder, &RESULTS, &mut app.console)?;
    for (name, text) in RESULTS.iter().zip(files(&swept, &ready)) {
        out.write(name, text.as_bytes())?;
    }
    app.console.document(&document(&swept, args.format, app))?;
    let bugs: Vec<(usize, String)> = results.bugs.into_iter().collect();
    tell_bugs(&ready, &bugs, &mut app.console);
    Ok(exit)
}

/// Which shards are missing, and what brings them.
fn missing(ready: &Ready, known: &Known, plan: &Path, folder: &Path) -> Error {
    let shown = escape_path(folder);
    let absent: Vec<usize> = (0..ready.runs()).filter(|&run| !known.has(run)).collect();
    // Of how many shards: as most files say.
    let mut said: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, of) in known.sources.iter().filter_map(|source| source.shard) {
        *said.entry(of).or_default() += 1;
    }
    let runs = format!("{} of {} runs", count(absent.len() as u64), count(ready.runs() as u64));
    let words = |path: &Path| quote(&path.to_string_lossy());
    let (plan, out) = (words(plan), words(folder));
    let Some((of, _)) = said.into_iter().max_by_key(|&(of, files)| (files, of)) else {
        let message = format!(
            "no shards are in {shown}: {runs} are missing\n  brownout sweep submit {plan} --shards 8 --out {out}"
        );
        return Error::Io("cannot merge".into(), std::io::Error::other(message));
    };
    let mut shards: Vec<usize> = absent.iter().map(|run| run % of).collect();
    shards.sort_unstable();
    shards.dedup();
    let list = |separator: &str| shards.iter().map(usize::to_string).collect::<Vec<_>>().join(separator);
    let repeat = match shards.as_slice() {
        [one] => format!("brownout sweep run {plan} --shard {one}/{of} --out {out}"),
        _ => {
            format!("for i in {}; do brownout sweep run {plan} --shard $i/{of} --out {out}; done", list(" "))
        }
    };
    let are = if shards.len() == 1 { "is" } else { "are" };
    let message = format!(
        "{} of {of} shards {are} missing or damaged: {} ({runs})\n  repeat them:\n    {repeat}\n  on Slurm:\n    \
         brownout sweep submit {plan} --driver slurm --shards {of} --only {} --out {out}\n    which is --array={}",
        count(shards.len() as u64),
        list(", "),
        list(","),
        list(",")
    );
    Error::Io("cannot merge".into(), std::io::Error::other(message))
}
