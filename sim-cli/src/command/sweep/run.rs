//! `brownout sweep run PLAN`: one shard of a plan.

use crate::app::App;
use crate::error::{Exit, Result};
use crate::jobs::threads;
use crate::plan::Ready;
use crate::plan::shard::{self, Shard, folder_of, make_folder, tell_bugs};
use crate::plan::store::settle_plan;
use crate::text::escape_path;
use crate::text::number::count;
use clap::Args as ClapArgs;
use std::path::PathBuf;

/// `brownout sweep run`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout sweep run plan.json --shard 3/8          # the fourth of eight
  brownout sweep run plan.json --shards 8           # which one, a scheduler says

Run number k belongs to shard k mod N. A shard is written whole or not at all, and is always the
same file. Without --shard its number comes from SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX,
HQ_TASK_ID or PBS_ARRAY_INDEX, counted from 0, and N from --shards, BROWNOUT_SHARDS or a Slurm
array without gaps.")]
pub struct Run {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Which shard of how many, counted from 0
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Of how many, where a scheduler says which
    #[arg(long, value_name = "N", conflicts_with = "shard")]
    pub shards: Option<usize>,
    /// The folder of the shards: plan.runs for plan.json unless given
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub(super) fn command(args: &Run, app: &mut App) -> Result<Exit> {
    let shard = match args.shard {
        Some(shard) => shard,
        None => shard::of_environment(args.shards, |name| std::env::var(name).ok())?,
    };
    let ready = Ready::open(app, &args.plan)?;
    let folder = args.out.clone().unwrap_or_else(|| folder_of(&args.plan));
    make_folder(&app.console.disk, &folder)?;
    settle_plan(&app.console.disk, &folder, &ready.plan)?;
    let jobs = threads(app.global.jobs);
    let Some(done) = shard::run(&ready, shard, &folder, jobs, &mut app.console)? else {
        app.console.say("interrupted: a shard is written whole or not at all; the same command repeats it");
        return Ok(app.console.interrupt.exit().unwrap_or(Exit::Terminated));
    };
    let runs = count(done.runs as u64);
    app.console.note(&format!("shard {shard}: {runs} runs in {}", escape_path(&done.path)));
    if done.cut_short > 0 {
        app.console.say(&format!("a limit cut {} of them short", count(done.cut_short as u64)));
    }
    tell_bugs(&ready, &done.bugs, &mut app.console);
    Ok(match (done.bugs.is_empty(), done.cut_short) {
        (false, _) => Exit::Bug,
        (true, 0) => Exit::Good,
        (true, _) => Exit::Limit,
    })
}
