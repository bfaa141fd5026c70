//! A part of a plan that any machine can do alone: run `k` belongs to shard `k mod n`.
//!
//! A shard is a pure function of the plan and of its number: one file, written whole or not at all, so that
//! a task that was killed leaves nothing and is simply repeated.

use super::Ready;
use super::line::{self, Ending, Head, Kind};
use super::store::free;
use super::work::{Came, Event, work};
use crate::console::Console;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::files::refuse_unless_regular;
use crate::lock::{is_gone, signature};
use crate::progress::Meter;
use crate::study::replicate::MOST_RUNS;
use crate::text::escape_path;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The most shards of one plan: each may be a single run, which is how one is repeated.
pub const MOST: usize = MOST_RUNS;

/// Which part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Counted from 0.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        let Some((index, of)) = numbers else {
            return Err("expected I/N, as 0/8: the first of eight".into());
        };
        Shard::new(index, of)
    }
}

impl Shard {
    /// One of them, if there are as many.
    pub fn new(index: usize, of: usize) -> Result<Self, String> {
        match (index < of, of <= MOST) {
            (true, true) => Ok(Shard { index, of }),
            (_, false) => Err(format!("{of} shards, allowed {MOST}")),
            _ if of == 0 => Err("no shards: there is at least one".into()),
            _ => Err(format!("shards count from 0: 0/{of} to {}/{of}", of - 1)),
        }
    }

    /// The name of its file.
    pub fn file(self) -> String {
        format!("shard-{}-of-{}.jsonl", self.index, self.of)
    }

    /// Its runs.
    pub fn runs(self, all: usize) -> Vec<usize> {
        (self.index..all).step_by(self.of).collect()
    }
}

/// What came of a shard.
#[derive(Debug, Default)]
pub struct Done {
    /// Where it is.
    pub path: PathBuf,
    /// How many runs it has.
    pub runs: usize,
    /// How many a limit cut short.
    pub cut_short: usize,
    /// Those that ended in a panic, and its words.
    pub bugs: Vec<(usize, String)>,
}

/// Makes a shard. After a signal there is no file, and nothing to return.
pub fn run(
    ready: &Ready,
    shard: Shard,
    folder: &Path,
    threads: usize,
    console: &mut Console,
) -> Result<Option<Done>> {
    let path = folder.join(shard.file());
    let todo = shard.runs(ready.runs());
    let mut file = Whole::begin(&console.disk, &path, ready, shard)?;
    let name = format!("{} {shard}", ready.plan.experiment.name);
    let mut meter = Meter::of_runs(console, &name, todo.len());
    let mut done = Done { path: path.clone(), ..Done::default() };
    let mut waiting: BTreeMap<usize, (String, u64)> = BTreeMap::new();
    let mut next = todo.iter().copied().peekable();
    let keep = |run: usize, report: sim_models::report::Report| {
        let body = serde_json::to_string(&report).expect("a report has text keys");
        (line::write(run, Kind::Report, &body), report.stopped.is_some())
    };
    let sink = |_: &mut Console, event: Event<((String, u64), bool)>| {
        let Event::Over(run, came) = event else { return Ok(()) };
        done.runs += 1;
        let line = match came {
            Came::Kept((line, cut_short)) => {
                done.cut_short += usize::from(cut_short);
                line
            }
            Came::Bug(message) => {
                let body = serde_json::to_string(&message).expect("a text");
                done.bugs.push((run, message));
                line::write(run, Kind::Bug, &body)
            }
        };
        waiting.insert(run, line);
        // In the order of their numbers, so that the file is the same at any --jobs.
        while let Some((line, sum)) = next.peek().and_then(|run| waiting.remove(run)) {
            next.next();
            file.add(&line, sum)?;
        }
        Ok(())
    };
    let worked = work(ready, &todo, threads, console, &mut meter, keep, sink);
    meter.finish(console, None);
    if worked.is_err() || done.runs < todo.len() {
        file.give_up();
        return worked.map(|()| None);
    }
    done.bugs.sort();
    file.finish()?;
    Ok(Some(done))
}

/// A file that is not there until it is whole.
struct Whole {
    path: PathBuf,
    temporary: PathBuf,
    disk: Disk,
    file: BufWriter<DiskFile>,
    ending: Ending,
}

impl Whole {
    fn begin(disk: &Disk, path: &Path, ready: &Ready, shard: Shard) -> Result<Self> {
        refuse_unless_regular(path)?;
        let name = path.file_name().and_then(|name| name.to_str()).expect("a shard has a name");
        clear_abandoned(path, name);
        let temporary = path.with_file_name(format!(".{name}.{}.tmp", signature()));
        let file = disk.open(OpenOptions::new().write(true).create(true).truncate(true), &temporary);
        let file = file.map_err(|cause| Error::file("cannot write", &temporary, cause))?;
        let mut whole = Whole {
            path: path.into(),
            temporary,
            disk: disk.clone(),
            file: BufWriter::with_capacity(1 << 18, file),
            ending: Ending::default(),
        };
        let head =
            Head { shard: Some(shard.index), of: Some(shard.of), ..Head::of_plan(&ready.plan.fingerprint) };
        whole.write(&head.write())?;
        Ok(whole)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.file
            .write_all(text.as_bytes())
            .map_err(|cause| Error::file("cannot write", &self.temporary, cause))
    }

    fn add(&mut self, line: &str, sum: u64) -> Result<()> {
        self.ending.add(sum);
        self.write(line)
    }

    fn finish(mut self) -> Result<()> {
        let ending = self.ending.write();
        let written = self.write(&ending).and_then(|()| {
            let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
            flushed.map_err(|cause| Error::file("cannot write", &self.temporary, cause))
        });
        let moved = written.and_then(|()| {
            // What is there and is not a file of runs is nobody's to replace.
            if self.path.exists() && !is_file_of_runs(&self.path) {
                let aside = free(&self.path, "bad");
                self.disk
                    .rename(&self.path, &aside)
                    .map_err(|cause| Error::file("cannot move", &self.path, cause))?;
            }
            self.disk
                .rename(&self.temporary, &self.path)
                .and_then(|()| self.disk.sync_folder(&self.path))
                .map_err(|cause| Error::file("cannot write", &self.path, cause))
        });
        if moved.is_err() {
            self.give_up();
        }
        moved
    }

    fn give_up(self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Removes what killed writers left of this shard.
fn clear_abandoned(path: &Path, name: &str) {
    for entry in path.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten() {
        let other = entry.file_name();
        let signed = other.to_str().and_then(|other| other.strip_prefix('.')?.strip_prefix(name));
        let signature = signed.and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".tmp"));
        if signature.is_some_and(is_gone) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_file_of_runs(path: &Path) -> bool {
    let mut line = Vec::new();
    let first =
        File::open(path).and_then(|file| BufReader::new(file).take(4096).read_until(b'\n', &mut line));
    first.is_ok() && Head::read(&line).is_some()
}

/// The shard that a scheduler's environment means, `of` so many if it was said.
pub fn of_environment(of: Option<usize>, variable: impl Fn(&str) -> Option<String>) -> Result<Shard> {
    const INDICES: [&str; 4] =
        ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "HQ_TASK_ID", "PBS_ARRAY_INDEX"];
    let number = |name: &str| -> Result<Option<usize>> {
        let Some(text) = variable(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| {
            Error::usage(format!("{name} is `{}`, and not a whole number from 0", crate::text::escape(&text)))
        })
    };
    for name in INDICES {
        let Some(index) = number(name)? else { continue };
        let of = match of {
            Some(of) => Some(of),
            None => number("BROWNOUT_SHARDS")?,
        };
        let said = |why: String| Error::Usage {
            message: format!("{name} is {index}: {why}"),
            help:
                "  count tasks from 0, as --array=0-7, and say of how many: --shards 8, or BROWNOUT_SHARDS=8"
                    .into(),
        };
        if let Some(of) = of {
            return Shard::new(index, of).map_err(said);
        }
        if name != INDICES[0] {
            return Err(said("of how many?".into()));
        }
        // An array without gaps says it all; one with gaps repeats a part of another.
        let (count, least, most) = (
            number("SLURM_ARRAY_TASK_COUNT")?,
            number("SLURM_ARRAY_TASK_MIN")?,
            number("SLURM_ARRAY_TASK_MAX")?,
        );
        return match (count, least.unwrap_or(0)) {
            (Some(count), least @ 0..=1)
                if most.is_none_or(|most| most + 1 == least + count) && index >= least =>
            {
                Shard::new(index - least, count).map_err(said)
            }
            _ => Err(said("this array is a part of another one. Of how many?".into())),
        };
    }
    Err(Error::Usage {
        message: "which shard? --shard 0/8 is the first of eight, --shard 0/1 is all of it".into(),
        help: format!("  without --shard it is read from {}; here none is set", INDICES.join(", ")),
    })
}

/// Where the shards of a plan go unless it is said: `plan.json` to `plan.runs`.
pub fn folder_of(plan: &Path) -> PathBuf {
    plan.with_extension("runs")
}

/// Says which bugs there were, a few of them, and how to see each again.
pub fn tell_bugs(ready: &Ready, bugs: &[(usize, String)], console: &mut Console) {
    const SHOWN: usize = 5;
    for (run, message) in bugs.iter().take(SHOWN) {
        console.error(&Error::Bug { message: message.clone(), replay: ready.repeat(*run) });
    }
    if bugs.len() > SHOWN {
        console.say(&format!("and {} more runs like these", bugs.len() - SHOWN));
    }
}

/// Makes the folder of shards, which another task may just have made too.
pub fn make_folder(disk: &Disk, folder: &Path) -> Result<()> {
    match disk.create_dir(folder) {
        Err(_) if folder.is_dir() => Ok(()),
        Err(cause) => Err(Error::Io(format!("cannot make the folder {}", escape_path(folder)), cause)),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_a_killed_writer_left_of_a_shard_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let mine = signature();
        let parts: Vec<&str> = mine.split('-').collect();
        let gone = format!("4194311-{}", parts[1..].join("-"));
        let elsewhere = format!("4194311-{}-00000000-00000000", parts[1]);
        let half = |name: &str, signature: &str| format!(".{name}.{signature}.tmp");
        let (own, other) = ("shard-0-of-2.jsonl", "shard-1-of-2.jsonl");
        let kept = [half(own, &mine), half(own, &elsewhere), half(own, "7"), half(other, &gone)];
        for name in kept.iter().chain([&half(own, &gone)]) {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        clear_abandoned(&folder.path().join(own), own);
        assert!(!folder.path().join(half(own, &gone)).exists());
        for name in kept {
            assert!(folder.path().join(&name).exists(), "{name}");
        }
    }

    #[test]
    fn shards_share_out_every_run_once() {
        for of in [1, 2, 7, 64] {
            let mut all: Vec<usize> =
                (0..of).flat_map(|index| Shard::new(index, of).unwrap().runs(40)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..40).collect::<Vec<_>>());
        }
        assert_eq!("3/8".parse(), Ok(Shard { index: 3, of: 8 }));
        for text in ["", "3", "8/8", "-1/8", "0/0", "1/1000001"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn schedulers_say_which_shard_it_is() {
        let shard = |of: Option<usize>, set: &[(&str, &str)]| {
            let set: Vec<(String, String)> =
                set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            of_environment(of, move |name| {
                set.iter().find(|(set, _)| set == name).map(|(_, value)| value.clone())
            })
            .map(|shard| shard.to_string())
            .map_err(|error| error.to_string())
        };
        let slurm = |id, count, min, max| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_MAX", max),
            ]
        };
        assert_eq!(shard(None, &slurm("3", "8", "0", "7")), Ok("3/8".into()));
        assert_eq!(shard(None, &slurm("8", "8", "1", "8")), Ok("7/8".into()));
        // A repeated part of an array is no array of its own.
        assert!(shard(None, &slurm("17", "2", "2", "17")).unwrap_err().contains("--shards"));
        assert!(shard(None, &slurm("2", "1", "2", "2")).is_err());
        assert_eq!(shard(Some(64), &slurm("17", "2", "2", "17")), Ok("17/64".into()));
        assert_eq!(shard(None, &[("JOB_COMPLETION_INDEX", "5"), ("BROWNOUT_SHARDS", "8")]), Ok("5/8".into()));
        assert_eq!(shard(Some(4), &[("HQ_TASK_ID", "3")]), Ok("3/4".into()));
        assert!(shard(Some(4), &[("PBS_ARRAY_INDEX", "4")]).unwrap_err().contains("count from 0"));
        assert!(shard(None, &[("PBS_ARRAY_INDEX", "4")]).unwrap_err().contains("of how many"));
        assert!(shard(None, &[("HQ_TASK_ID", "x")]).unwrap_err().contains("whole number"));
        assert!(shard(None, &[]).unwrap_err().contains("--shard 0/8"));
    }
}
