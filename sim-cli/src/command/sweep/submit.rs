//! `brownout sweep submit PLAN`: starts all shards of a plan on an engine that exists. Thin: every driver only
//! starts `sweep run`, so whatever else starts it will do as well.

use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::jobs::threads;
use crate::plan::shard::{Shard, folder_of, make_folder};
use crate::plan::store::settle_plan;
use crate::plan::{Plan, Ready};
use crate::replay::quote;
use crate::text::escape_path;
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const DASK: &str = include_str!("../../../drivers/brownout_dask.py");

/// `brownout sweep submit`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout sweep submit plan.json --shards 8                     # processes on this machine
  brownout sweep submit plan.json --driver slurm --shards 64 -- --partition=short --time=30
  brownout sweep submit plan.json --driver slurm --shards 64 --only 2,17   # what merge missed
  brownout sweep submit plan.json --driver dask --shards 64 -- --scheduler tcp://head:8786
  brownout sweep submit plan.json --driver kubernetes --shards 64 --image IMAGE | kubectl apply -f -

Slurm and Dask need plan, folder and program under the same paths on every node. Kubernetes mounts
a volume claim at /work, which holds plan.json and receives the shards. Then: brownout sweep merge
DIR")]
pub struct Submit {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// What starts the shards
    #[arg(long, value_enum, default_value = "local", value_name = "DRIVER")]
    pub driver: Driver,
    /// How many shards
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub shards: usize,
    /// Only these shards, counted from 0
    #[arg(long, value_name = "I,J,..", value_delimiter = ',')]
    pub only: Vec<usize>,
    /// The folder of the shards: plan.runs for plan.json unless given
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Only print what would be started: the commands, the script, the Python file, the manifest
    #[arg(long)]
    pub print: bool,
    /// Kubernetes: an image with brownout in it
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Kubernetes: the volume claim that all pods share
    #[arg(long, value_name = "NAME", default_value = "brownout")]
    pub claim: String,
    /// Slurm: for sbatch. Dask: for the Python file (--scheduler, --workers, --retries)
    #[arg(last = true, value_name = "OPTION")]
    pub more: Vec<String>,
}

/// What starts shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Driver {
    /// Processes on this machine, as many at once as --jobs
    Local,
    /// A job array
    Slurm,
    /// A cluster that runs, or one on this machine
    Dask,
    /// An indexed job, printed as a manifest
    Kubernetes,
}

/// What every driver needs to know.
struct Job {
    plan: PathBuf,
    out: PathBuf,
    program: PathBuf,
    of: usize,
    indices: Vec<usize>,
    name: String,
}

pub(super) fn command(args: &Submit, app: &mut App) -> Result<Exit> {
    Shard::new(0, args.shards).map_err(Error::usage)?;
    let usage = |message: &str, help: &str| Error::Usage { message: message.into(), help: help.into() };
    if let Some(wrong) = args.only.iter().find(|&&index| index >= args.shards) {
        let message = format!("--only {wrong}: shards count from 0 to {}", args.shards - 1);
        return Err(Error::usage(message));
    }
    if args.driver != Driver::Slurm && args.driver != Driver::Dask && !args.more.is_empty() {
        return Err(usage("options after -- are for sbatch, or for the Dask driver", "  add --driver slurm"));
    }
    if args.driver == Driver::Kubernetes {
        return kubernetes(args, app);
    }
    if args.image.is_some() {
        return Err(usage("--image goes with --driver kubernetes", ""));
    }
    let ready = Ready::open(app, &args.plan)?;
    let out = args.out.clone().unwrap_or_else(|| folder_of(&args.plan));
    if !args.print {
        make_folder(&app.console.disk, &out)?;
        settle_plan(&app.console.disk, &out, &ready.plan)?;
    }
    let whole =
        |path: &Path| std::path::absolute(path).map_err(|cause| Error::file("cannot find", path, cause));
    let program =
        std::env::current_exe().map_err(|cause| Error::Io("cannot find this program".into(), cause))?;
    let indices = if args.only.is_empty() { (0..args.shards).collect() } else { args.only.clone() };
    let name = label(&ready.plan);
    let job = Job { plan: whole(&args.plan)?, out: whole(&out)?, program, of: args.shards, indices, name };
    match args.driver {
        Driver::Local => local(&job, args, app),
        Driver::Slurm => slurm(&job, args, app),
        Driver::Dask => dask(&job, args, app),
        Driver::Kubernetes => unreachable!("it is on its way"),
    }
}

/// The name of a job: what every scheduler takes.
fn label(plan: &Plan) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = plan.experiment.name.chars().map(plain).take(40).collect();
    format!("brownout-{}", name.trim_matches('-'))
}

fn word(path: &Path) -> String {
    quote(&path.to_string_lossy())
}

impl Job {
    fn next(&self, app: &mut App) {
        app.console.note(&format!("next: brownout sweep merge {}", word(&self.out)));
    }

    fn list(&self) -> String {
        // 0-7 for a run of numbers, as sbatch takes it.
        let whole = self.indices.len() > 1 && self.indices.windows(2).all(|pair| pair[1] == pair[0] + 1);
        match (whole, self.indices.as_slice()) {
            (true, [first, .., last]) => format!("{first}-{last}"),
            (_, indices) => indices.iter().map(usize::to_string).collect::<Vec<_>>().join(","),
        }
    }
}

/// Processes on this machine, one thread each.
fn local(job: &Job, args: &Submit, app: &mut App) -> Result<Exit> {
    if args.print {
        let line = |index: &usize| {
            let (program, plan, out) = (word(&job.program), word(&job.plan), word(&job.out));
            format!("{program} sweep run {plan} --shard {index}/{} --out {out} --jobs 1\n", job.of)
        };
        let lines: String = job.indices.iter().map(line).collect();
        app.console.document(&lines)?;
        return Ok(Exit::Good);
    }
    let start = |index: usize| -> Result<Child> {
        let mut command = Command::new(&job.program);
        command.args(["sweep", "run"]).arg(&job.plan).arg("--shard").arg(format!("{index}/{}", job.of));
        command.arg("--out").arg(&job.out).args(["--jobs", "1"]).args(app.global.quiet.then_some("--quiet"));
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        started.map_err(|cause| Error::file("cannot start", &job.program, cause))
    };
    let mut rest = job.indices.iter().copied();
    let mut running: Vec<(usize, Child)> = Vec::new();
    let (mut worst, mut lost) = (0, Vec::new());
    let slots = threads(app.global.jobs);
    loop {
        while running.len() < slots && app.console.interrupt.exit().is_none() {
            let Some(index) = rest.next() else { break };
            running.push((index, start(index)?));
        }
        if running.is_empty() {
            break;
        }
        if app.console.interrupt.exit().is_some() {
            // They write a file whole or not at all.
            running.iter_mut().for_each(|(_, child)| _ = child.kill());
        }
        let mut still = Vec::new();
        for (index, mut child) in running {
            match child.try_wait() {
                Ok(Some(status)) => match status.code() {
                    Some(code @ (0 | 5 | 6)) => worst = worst.max(code),
                    _ => lost.push(index),
                },
                _ => still.push((index, child)),
            }
        }
        running = still;
        std::thread::sleep(Duration::from_millis(20));
    }
    if let Some(exit) = app.console.interrupt.exit() {
        app.console
            .say("interrupted: shards that are done are in their folder; the same command repeats all");
        return Ok(exit);
    }
    if !lost.is_empty() {
        lost.sort_unstable();
        let lost = lost.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        app.console.say(&format!("error: these shards were not written: {lost}"));
    }
    job.next(app);
    Ok(match (lost.is_empty(), worst) {
        (false, _) => Exit::Io,
        (true, 6) => Exit::Bug,
        (true, 5) => Exit::Limit,
        (true, _) => Exit::Good,
    })
}

/// A script for sbatch; the array is said on its command line again where only a part is wanted.
fn slurm_script(job: &Job) -> String {
    let (program, plan, out) = (word(&job.program), word(&job.plan), word(&job.out));
    format!(
        "#!/bin/sh\n\
         # The shards of a plan as a job array; a part of it again: sbatch --array=2,17 THIS_FILE\n\
         #SBATCH --job-name={}\n\
         #SBATCH --array=0-{}\n\
         #SBATCH --cpus-per-task=1\n\
         #SBATCH --output={}\n\
         exec {program} sweep run {plan} --shard \"$SLURM_ARRAY_TASK_ID/{}\" --out {out} \\\n    \
         --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\"\n",
        job.name,
        job.of - 1,
        word(&job.out.join("slurm-%a.log")),
        job.of
    )
}

fn slurm(job: &Job, args: &Submit, app: &mut App) -> Result<Exit> {
    let script = slurm_script(job);
    if args.print {
        app.console.document(&script)?;
        return Ok(Exit::Good);
    }
    let path = job.out.join("slurm.sh");
    app.console.disk.replace(&path, script.as_bytes())?;
    let mut command = Command::new("sbatch");
    command.arg(format!("--array={}", job.list())).args(&args.more).arg(&path);
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|cause| {
        let help = format!("cannot start sbatch; the script is {}", escape_path(&path));
        Error::Io(help, cause)
    })?;
    app.console.document(&String::from_utf8_lossy(&done.stdout))?;
    if !done.status.success() {
        app.console.say(&format!("sbatch ended with {}", status(done.status)));
        return Ok(Exit::Io);
    }
    job.next(app);
    Ok(Exit::Good)
}

fn status(status: std::process::ExitStatus) -> String {
    status.code().map_or("a signal".into(), |code| format!("exit code {code}"))
}

fn dask(job: &Job, args: &Submit, app: &mut App) -> Result<Exit> {
    if args.print {
        app.console.document(DASK)?;
        return Ok(Exit::Good);
    }
    let path = job.out.join("brownout_dask.py");
    app.console.disk.replace(&path, DASK.as_bytes())?;
    let mut command = Command::new("python3");
    command.arg(&path).arg(&job.plan).arg("--shards").arg(job.of.to_string()).arg("--out").arg(&job.out);
    command.arg("--brownout").arg(&job.program);
    if !args.only.is_empty() {
        command.arg("--only").arg(args.only.iter().map(usize::to_string).collect::<Vec<_>>().join(","));
    }
    let done = command.args(&args.more).stdin(Stdio::null()).stdout(Stdio::null()).status();
    let done = done.map_err(|cause| Error::Io("cannot start python3".into(), cause))?;
    if let Some(exit) = app.console.interrupt.exit() {
        return Ok(exit);
    }
    job.next(app);
    Ok(match done.code() {
        Some(0) => Exit::Good,
        Some(5) => Exit::Limit,
        Some(6) => Exit::Bug,
        _ => {
            app.console.say(&format!("the Dask driver ended with {}", status(done)));
            Exit::Io
        }
    })
}

/// An indexed job. JSON is YAML, and needs no quoting by hand.
fn kubernetes(args: &Submit, app: &mut App) -> Result<Exit> {
    let Some(image) = &args.image else {
        return Err(Error::Usage {
            message: "which image? A pod has no brownout of its own".into(),
            help: "  add --image registry/brownout:0.1.0".into(),
        });
    };
    if !args.only.is_empty() {
        return Err(Error::Usage {
            message: "an indexed job has all indices: --only is for local, slurm and dask".into(),
            help: "  a failed index is tried again by the job itself; what is still missing, `sweep run` repeats".into(),
        });
    }
    let ready = Ready::open(app, &args.plan)?;
    let parallelism = app.global.jobs.map_or(args.shards, |jobs| usize::from(jobs).min(args.shards));
    let manifest = manifest(&label(&ready.plan), image, &args.claim, args.shards, parallelism);
    app.console.document(&crate::render::json(&manifest))?;
    app.console.note(&format!(
        "before: put {} into the volume claim {} as plan.json; after: brownout sweep merge on its folder plan.runs",
        escape_path(&args.plan),
        crate::text::escape(&args.claim)
    ));
    Ok(Exit::Good)
}

fn manifest(name: &str, image: &str, claim: &str, shards: usize, parallelism: usize) -> serde_json::Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "completionMode": "Indexed",
            "completions": shards,
            "parallelism": parallelism,
            "backoffLimitPerIndex": 3,
            "maxFailedIndexes": shards,
            // Bad input, a limit, a bug: the same again would give the same.
            "podFailurePolicy": {"rules": [{
                "action": "FailIndex",
                "onExitCodes": {"containerName": "shard", "operator": "In", "values": [2, 3, 5, 6]},
            }]},
            "template": {"spec": {
                "restartPolicy": "Never",
                "containers": [{
                    "name": "shard",
                    "image": image,
                    "command": ["brownout", "sweep", "run", "/sweep/plan.json", "--out", "/sweep/plan.runs", "--jobs", "1"],
                    // The index is in JOB_COMPLETION_INDEX, which Kubernetes sets.
                    "env": [{"name": "BROWNOUT_SHARDS", "value": shards.to_string()}],
                    "resources": {"requests": {"cpu": "1"}},
                    "volumeMounts": [{"name": "work", "mountPath": "/sweep"}],
                }],
                "volumes": [{"name": "work", "persistentVolumeClaim": {"claimName": claim}}],
            }},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(indices: &[usize]) -> Job {
        Job {
            plan: "/data/my plan.json".into(),
            out: "/data/out".into(),
            program: "/opt/brownout".into(),
            of: 8,
            indices: indices.to_vec(),
            name: "brownout-retry-storm".into(),
        }
    }

    #[test]
    fn a_job_array_for_slurm() {
        insta::assert_snapshot!(slurm_script(&job(&[2, 5])));
        assert_eq!(job(&[2, 5]).list(), "2,5");
        assert_eq!(job(&[0, 1, 2, 3]).list(), "0-3");
        assert_eq!(job(&[4]).list(), "4");
    }

    #[test]
    fn an_indexed_job_for_kubernetes() {
        let manifest = manifest("brownout-x", "registry/brownout:0.1.0", "shared", 8, 4);
        let spec = &manifest["spec"];
        assert_eq!(
            (manifest["apiVersion"].as_str(), manifest["kind"].as_str()),
            (Some("batch/v1"), Some("Job"))
        );
        assert_eq!(spec["completionMode"], "Indexed");
        assert_eq!((spec["completions"].as_u64(), spec["parallelism"].as_u64()), (Some(8), Some(4)));
        // Both go together, and only with an indexed job whose pods are not restarted in place.
        assert_eq!(spec["backoffLimitPerIndex"], 3);
        assert_eq!(spec["podFailurePolicy"]["rules"][0]["action"], "FailIndex");
        let pod = &spec["template"]["spec"];
        assert_eq!(pod["restartPolicy"], "Never");
        let container = &pod["containers"][0];
        assert_eq!(container["name"], spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["containerName"]);
        assert_eq!(container["env"][0], json!({"name": "BROWNOUT_SHARDS", "value": "8"}));
        assert_eq!(container["volumeMounts"][0]["name"], pod["volumes"][0]["name"]);
        assert_eq!(pod["volumes"][0]["persistentVolumeClaim"]["claimName"], "shared");
        // A shard knows its number from the variable that Kubernetes sets.
        let index = |name: &str| match name {
            "JOB_COMPLETION_INDEX" => Some("5".to_string()),
            "BROWNOUT_SHARDS" => Some("8".to_string()),
            _ => None,
        };
        assert_eq!(crate::plan::shard::of_environment(None, index).expect("said").to_string(), "5/8");
    }

    #[test]
    fn the_dask_driver_is_whole() {
        assert!(DASK.contains("sweep\", \"run\"") && DASK.contains("retries"), "{DASK}");
    }
}
