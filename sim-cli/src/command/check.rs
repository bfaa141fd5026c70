//! `brownout check [EXPERIMENT..]`: expectations enforced, golden snapshots compared.

mod judge;
mod moved;
mod runs;

use crate::app::App;
use crate::args::Bounds;
use crate::disk::Disk;
use crate::error::{Error, Exit, Result};
use crate::expect;
use crate::experiment::Opened;
use crate::library::Found;
use crate::out::OutDir;
use crate::render::check::{json, text};
use crate::render::github::{annotations, github};
use crate::render::junit::junit;
use crate::result::checked::{Document, FORMAT};
use crate::text::{Style, clean};
use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;

/// What `--out` writes.
const FILES: [&str; 3] = ["check.json", "check.txt", "junit.xml"];

/// `brownout check`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout check                                     # all bundled experiments
  brownout check --dir ours --golden ours/golden     # your own, against golden snapshots
  brownout check --dir ours --golden ours/golden --bless
  brownout check ours/storm.ron --seeds 20           # not one seed's luck: intervals over 20

With --dir and no names, all experiments of that folder are checked, against the snapshots beside
them (NAME.snap) where there are any. NAME.snap is for people to review; NAME.snap.json remembers
numbers and checkpoints, so that a difference says which metric moved, whether another seed would
have given it too, and where the first different event is. Keep both under version control.

Over several seeds (`seeds: 20` in an expectation, or --seeds) a number is judged by the 95 %
interval of its mean: all of it on the right side of the bound holds, all of it on the wrong side
fails, else it is undecided, which counts as failed unless --allow-undecided. `is` must hold in
every seed; of what is true or false a share can be asked: `at_least: \"90%\"`. What is absent in
any seed fails.

In CI, on GitHub Actions (failures appear at their lines, since GITHUB_ACTIONS is set):
  - uses: actions/checkout@v4
  - run: cargo install --locked --path sim-cli
  - run: brownout check --dir ours --golden ours/golden --out results
and on GitLab:
  script: brownout check --dir ours --golden ours/golden --out results
  artifacts: {when: always, reports: {junit: results/junit.xml}}")]
pub struct Check {
    /// Experiments; all of --dir, or all bundled ones, unless given
    #[arg(value_name = "EXPERIMENT")]
    pub names: Vec<String>,
    /// The folder of golden snapshots, one NAME.snap per experiment; every experiment must have one
    #[arg(long, value_name = "DIR")]
    pub golden: Option<PathBuf>,
    /// Write the golden snapshots instead of comparing with them
    #[arg(long)]
    pub bless: bool,
    /// Judge over this many seeds what does not say over how many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub seeds: Option<u32>,
    /// An expectation whose bound lies within the interval does not fail the check
    #[arg(long)]
    pub allow_undecided: bool,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: CheckFormat,
    /// Also write check.json, check.txt and junit.xml to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// The forms of what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    #[default]
    Text,
    /// For programs; carries its version
    Json,
    /// JUnit XML: GitLab, Jenkins and others show it
    Junit,
    /// Commands of a GitHub workflow: failures are shown at their lines
    Github,
}

pub(super) fn command(args: &Check, app: &mut App) -> Result<Exit> {
    let experiments = experiments(args, app)?;
    let goldens = goldens(&app.console.disk, args, &experiments)?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES, &mut app.console)).transpose()?;
    let ran = runs::run(&experiments, args, app)?;
    let mut document = Document { format: FORMAT, experiments: Vec::new() };
    let (mut exit, mut unknown) = (Exit::Good, Vec::new());
    for ((opened, golden), runs) in experiments.iter().zip(goldens).zip(&ran) {
        let judged = judge::check(opened, runs, golden, args, app)?;
        exit = exit.max(judged.exit);
        unknown.extend(judged.unknown);
        document.experiments.push(judged.checked);
    }
    if let Some(out) = out {
        out.write("check.json", json(&document).as_bytes())?;
        out.write("check.txt", text(&document, Style::default()).as_bytes())?;
        out.write("junit.xml", junit(&document, args.allow_undecided).as_bytes())?;
    }
    let style = app.console.style();
    app.console.document(&match args.format {
        CheckFormat::Text => text(&document, style),
        CheckFormat::Json => json(&document),
        CheckFormat::Junit => junit(&document, args.allow_undecided),
        CheckFormat::Github => github(&document, args.allow_undecided),
    })?;
    if app.console.github && args.format != CheckFormat::Github {
        app.console.say(&annotations(&document, args.allow_undecided));
    }
    for failed in &unknown {
        let error = app.invalid(failed);
        app.console.error(&error);
    }
    Ok(exit)
}

/// What to check. Every file is read before anything runs.
fn experiments(args: &Check, app: &mut App) -> Result<Vec<Opened>> {
    let mut found = Vec::new();
    for name in &args.names {
        found.push(app.find(name)?);
    }
    if args.names.is_empty() {
        for own in app.own()? {
            found.push(own.read()?);
        }
        if let (Some(dir), true) = (&app.global.dir, found.is_empty()) {
            return Err(Error::usage(format!("there is no experiment in {}", crate::text::escape_path(dir))));
        }
        if app.global.dir.is_none() {
            found.extend(app.bundled().map(Found::from));
        }
    }
    let (mut opened, mut rendered) = (Vec::new(), String::new());
    for found in found {
        match app.read(found, |warnings| warnings.of(None)) {
            Ok(one) => match expect::check_all(app, &one)? {
                None => opened.push(one),
                Some(failed) => rendered += &app.invalid(&failed).to_string(),
            },
            Err(Error::Invalid { rendered: problems }) => rendered += &problems,
            Err(other) => return Err(other),
        }
    }
    if rendered.is_empty() { Ok(opened) } else { Err(Error::Invalid { rendered }) }
}

/// Where the snapshot of each experiment is: in `--golden`, else beside its file.
fn goldens(disk: &Disk, args: &Check, experiments: &[Opened]) -> Result<Vec<Option<PathBuf>>> {
    let place = |opened: &Opened| match (&args.golden, &opened.found.path) {
        (Some(folder), _) => Some(folder.join(format!("{}.snap", opened.found.name))),
        (None, Some(file)) => Some(file.with_extension("snap")),
        (None, None) => None,
    };
    let places: Vec<Option<PathBuf>> = experiments.iter().map(place).collect();
    for (index, path) in places.iter().enumerate() {
        if path.is_some() && places[..index].contains(path) {
            let name = clean(&experiments[index].found.name);
            return Err(Error::usage(format!(
                "two experiments are called {name}: their snapshots would be one"
            )));
        }
        if path.is_none() && args.bless {
            let help = "  say where to write: --golden DIR";
            let message = "bundled experiments have no snapshots of their own".into();
            return Err(Error::Usage { message, help: help.into() });
        }
    }
    if let (true, Some(folder)) = (args.bless, &args.golden) {
        disk.create_dir_all(folder).map_err(|cause| Error::file("cannot make the folder", folder, cause))?;
    }
    Ok(places)
}
