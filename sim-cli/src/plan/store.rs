//! The folder of a sweep: its plan, the runs that are over, and in the end the result.
//!
//! ```text
//! plan.json             the plan
//! runs.jsonl            the journal of the sweep that runs here
//! shard-3-of-8.jsonl    what another machine brought, see [`shard`](super::shard)
//! sweep.json, sweep.csv, report.html    the result, once every run is there
//! runs.jsonl.bad-1      what was damaged and is run again; nothing is ever deleted
//! old-1/                what `--fresh` moved aside
//! ```

use super::journal::Journal;
use super::line::{self, Head, Kind, Line};
use super::{Plan, Ready};
use crate::console::Console;
use crate::disk::{Disk, clear};
use crate::error::{Error, Result};
use crate::text::escape_path;
use crate::text::number::count;
use sim_models::report::Report;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The plan of a folder.
pub const PLAN: &str = "plan.json";
const JOURNAL: &str = "runs.jsonl";
/// The result, as written by `sweep` and `sweep merge`.
pub const RESULTS: [&str; 3] = ["sweep.json", "sweep.csv", "report.html"];
/// The longest line that is looked at, in bytes.
const LONGEST: u64 = 1 << 30;

/// Where a run is kept.
#[derive(Clone, Copy, Debug)]
struct Place {
    file: usize,
    offset: u64,
    length: usize,
    kind: Kind,
    sum: u64,
}

/// A file of runs.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Which shard it is, if it is one.
    pub shard: Option<(usize, usize)>,
    /// How many of its lines are damaged.
    pub damaged: usize,
}

/// The runs of a plan that a folder has.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The files they are in.
    pub sources: Vec<Source>,
    /// Files that look like files of runs and are not.
    pub foreign: Vec<PathBuf>,
    runs: BTreeMap<usize, Place>,
}

impl Known {
    /// What is in a folder. Runs of another plan, and one run with two results, are refused.
    pub fn scan(folder: &Path, ready: &Ready) -> Result<Known> {
        let fail = |cause| Error::file("cannot read", folder, cause);
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") && path.is_file() {
                paths.push(path);
            }
        }
        paths.sort();
        let mut known = Known::default();
        for path in paths {
            known.read(path, ready)?;
        }
        Ok(known)
    }

    fn read(&mut self, path: PathBuf, ready: &Ready) -> Result<()> {
        let fail = |cause| Error::file("cannot read", &path, cause);
        let mut file = BufReader::with_capacity(1 << 16, File::open(&path).map_err(fail)?);
        let mut line = Vec::new();
        let mut offset = read_line(&mut file, &mut line).map_err(fail)?;
        let Some(head) = Head::read(&line).filter(|head| head.format == line::FORMAT) else {
            self.foreign.push(path);
            return Ok(());
        };
        if head.plan != ready.plan.fingerprint {
            let message = format!("{} holds runs of another plan", escape_path(&path));
            let help =
                "  merge each plan's folder alone; `sweep plan` again after a change, into another folder"
                    .into();
            return Err(Error::Usage { message, help });
        }
        let (index, mut damaged) = (self.sources.len(), 0);
        loop {
            let length = read_line(&mut file, &mut line).map_err(fail)?;
            if length == 0 {
                break;
            }
            match Line::read(&line).filter(|line| line.run < ready.runs()) {
                Some(Line { run, kind, sum, .. }) => {
                    let place = Place { file: index, offset, length: length as usize, kind, sum };
                    self.add(run, place, &path, ready)?;
                }
                None if line.starts_with(b"{\"end\":") && line.ends_with(b"}\n") => {}
                None => damaged += 1,
            }
            offset += length;
        }
        let shard = head.shard.zip(head.of).filter(|(shard, of)| shard < of);
        self.sources.push(Source { path, shard, damaged });
        Ok(())
    }

    fn add(&mut self, run: usize, place: Place, path: &Path, ready: &Ready) -> Result<()> {
        let Some(first) = self.runs.get(&run) else {
            self.runs.insert(run, place);
            return Ok(());
        };
        if (first.sum, first.kind) == (place.sum, place.kind) {
            return Ok(());
        }
        let other = self.sources.get(first.file).map_or(path, |source| &source.path);
        Err(Error::Failed(format!(
            "run {run} has two results, in {} and in {}: one plan on one version gives one\n  see which is right: {}",
            escape_path(other),
            escape_path(path),
            ready.repeat(run)
        )))
    }

    /// How many runs are known.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether this run is.
    pub fn has(&self, run: usize) -> bool {
        self.runs.contains_key(&run)
    }

    /// Whether this run has a report, and not a bug.
    pub fn has_report(&self, run: usize) -> bool {
        self.runs.get(&run).is_some_and(|place| place.kind == Kind::Report)
    }

    /// The runs in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.runs.keys().copied()
    }

    /// How many lines are damaged.
    pub fn damaged(&self) -> usize {
        self.sources.iter().map(|source| source.damaged).sum()
    }

    /// Reads the runs of this folder again.
    pub fn reader(&self) -> Reader<'_> {
        Reader { known: self, open: None }
    }
}

/// A line with its newline, if it has one; how long it is.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    file.take(LONGEST).read_until(b'\n', line)?;
    Ok(line.len() as u64)
}

/// Reads runs of a folder one by one.
#[derive(Debug)]
pub struct Reader<'a> {
    known: &'a Known,
    open: Option<(usize, File)>,
}

impl Reader<'_> {
    /// The report of a run that is known, or the words of the panic that it ended in.
    pub fn read(&mut self, run: usize) -> Result<Result<Report, String>> {
        let place = self.known.runs[&run];
        let path = &self.known.sources[place.file].path;
        let fail = |cause| Error::file("cannot read", path, cause);
        if self.open.as_ref().is_none_or(|(index, _)| *index != place.file) {
            self.open = Some((place.file, File::open(path).map_err(fail)?));
        }
        let (_, file) = self.open.as_mut().expect("just opened");
        let mut line = vec![0; place.length];
        file.seek(SeekFrom::Start(place.offset)).and_then(|_| file.read_exact(&mut line)).map_err(fail)?;
        let damaged = || fail(io::Error::other(format!("run {run} was damaged while it was read")));
        let line = Line::read(&line).ok_or_else(damaged)?;
        let strange =
            |why: serde_json::Error| fail(io::Error::other(format!("run {run} is no report: {why}")));
        Ok(match line.kind {
            Kind::Report => Ok(serde_json::from_str(line.body).map_err(strange)?),
            Kind::Bug => Err(serde_json::from_str(line.body).map_err(strange)?),
        })
    }
}

/// The folder of a sweep that runs here, held by us.
#[derive(Debug)]
pub struct Store {
    /// The runs that were there.
    pub known: Known,
    journal: Journal,
}

impl Store {
    /// Takes a folder for a plan, finds what is done already and puts aside what is damaged.
    pub fn open(folder: &Path, ready: &Ready, fresh: bool, console: &mut Console) -> Result<Store> {
        if fresh {
            move_aside(folder, console)?;
        }
        clear(folder, |name| [PLAN, JOURNAL].contains(&name));
        settle_plan(&console.disk, folder, &ready.plan)?;
        let journal = folder.join(JOURNAL);
        if !journal.exists() {
            console.disk.replace(&journal, Head::of_plan(&ready.plan.fingerprint).write().as_bytes())?;
        }
        let mut known = Known::scan(folder, ready)?;
        if known.foreign.contains(&journal) || known.damaged() > 0 {
            let lines = repair(&console.disk, &journal, ready)?;
            known = Known::scan(folder, ready)?;
            if lines > 0 {
                let lines =
                    if lines == 1 { "1 damaged line".into() } else { format!("{lines} damaged lines") };
                console.say(&format!(
                    "note: {lines} of {} put aside; what they held is run again",
                    escape_path(&journal)
                ));
            }
        }
        Ok(Store { known, journal: Journal::open(&console.disk, &journal)? })
    }

    /// A run is over.
    pub fn append(&mut self, line: &str) -> Result<()> {
        self.journal.append(line)
    }

    /// Time passes.
    pub fn settle(&mut self) -> Result<()> {
        self.journal.settle()
    }

    /// Nothing more comes.
    pub fn sync(&mut self) -> Result<()> {
        self.journal.sync()
    }
}

/// Puts the plan into the folder, or finds it there.
pub fn settle_plan(disk: &Disk, folder: &Path, plan: &Plan) -> Result<()> {
    let path = folder.join(PLAN);
    match fs::symlink_metadata(&path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => {}
        _ => {
            let there = Plan::read(&path)?;
            return match there.difference(plan) {
                None => Ok(()),
                Some(what) => Err(Error::Usage {
                    message: format!("{} holds another sweep: {what}", escape_path(folder)),
                    help: "  choose another folder; --fresh moves what is there aside, and begins anew"
                        .into(),
                }),
            };
        }
    }
    if let Some(path) = runs_without_plan(folder) {
        let message = format!("{} is there, and no {PLAN} beside it", escape_path(&path));
        return Err(Error::Usage { message, help: "  choose another folder".into() });
    }
    disk.replace(&path, plan.to_json().as_bytes())
}

fn runs_without_plan(folder: &Path) -> Option<PathBuf> {
    Some(folder.join(JOURNAL)).filter(|path| fs::symlink_metadata(path).is_ok())
}

/// Writes the sound lines of a journal anew; the others go to a file beside it. How many those are.
fn repair(disk: &Disk, journal: &Path, ready: &Ready) -> Result<usize> {
    let fail = |cause| Error::file("cannot read", journal, cause);
    let mut file = BufReader::new(File::open(journal).map_err(fail)?);
    let (mut line, mut sound, mut bad) =
        (Vec::new(), Head::of_plan(&ready.plan.fingerprint).write().into_bytes(), Vec::new());
    let (mut first, mut lines) = (true, 0);
    while read_line(&mut file, &mut line).map_err(fail)? > 0 {
        match Line::read(&line) {
            Some(_) => sound.extend_from_slice(&line),
            None if first && Head::read(&line).is_some() => {}
            None => {
                lines += 1;
                bad.extend_from_slice(&line);
            }
        }
        first = false;
    }
    if !bad.is_empty() {
        disk.create(&free(journal, "bad"), &bad)?;
    }
    disk.replace(journal, &sound)?;
    Ok(lines)
}

/// The first of `name.bad-1`, `name.bad-2` .. that is free.
pub fn free(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (1..)
        .map(|n| path.with_file_name(format!("{name}.{what}-{n}")))
        .find(|path| !path.exists())
        .expect("numbers go on")
}

/// Moves what is ours in a folder into a new folder in it.
fn move_aside(folder: &Path, console: &mut Console) -> Result<()> {
    let fail = |cause| Error::file("cannot move aside what is in", folder, cause);
    let ours = |name: &str| {
        let shard = name.starts_with("shard-") && name.ends_with(".jsonl");
        shard
            || name == PLAN
            || name == JOURNAL
            || name.starts_with(&format!("{JOURNAL}.bad-"))
            || RESULTS.contains(&name)
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        names.extend(entry.map_err(fail)?.file_name().into_string().ok().filter(|name| ours(name)));
    }
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    let old =
        (1..).map(|n| folder.join(format!("old-{n}"))).find(|path| !path.exists()).expect("numbers go on");
    console.disk.create_dir(&old).map_err(fail)?;
    for name in &names {
        console.disk.rename(&folder.join(name), &old.join(name)).map_err(fail)?;
    }
    console.note(&format!(
        "note: {} files of the old sweep are now in {}",
        count(names.len() as u64),
        escape_path(&old)
    ));
    Ok(())
}
