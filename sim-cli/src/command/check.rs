//! `brownout check [EXPERIMENT..]`: expectations enforced, golden snapshots compared.

use crate::App;
use crate::args::{Bounds, Format, text_or_json};
use crate::error::{Error, Exit, Result};
use crate::expect::{self, Judgement};
use crate::experiment::{Opened, Prepared};
use crate::golden::{self, Golden};
use crate::jobs;
use crate::library::BUNDLED;
use crate::progress::Meter;
use crate::render::{Paint, Style, clean};
use crate::simulate::{ending, simulate};
use clap::Args as ClapArgs;
use serde_json::json;
use sim_models::experiment::Failed;
use sim_models::run::RunOutput;
use std::path::PathBuf;

/// One experiment and what became of it.
struct Checked {
    name: String,
    judgement: Judgement,
    /// Metrics that it expects something of and does not have.
    unknown: Vec<Failed>,
    /// Why runs are partial.
    stopped: Vec<String>,
    golden: Option<Golden>,
    digest: String,
    again: Vec<String>,
    exit: Exit,
}

/// `brownout check`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout check                                     # all bundled experiments
  brownout check --dir ours --golden ours/golden     # your own, against golden snapshots
  brownout check --dir ours --golden ours/golden --bless
  brownout check retry-storm

With --dir and no names, all experiments of that folder are checked, against the snapshots beside them
(NAME.snap) where there are any.")]
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
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Check, app: &mut App) -> Result<Exit> {
    let experiments = experiments(args, app)?;
    let goldens = goldens(args, &experiments)?;

    let mut runs = Vec::new();
    for (index, opened) in experiments.iter().enumerate() {
        for variant in variants(opened) {
            runs.push((index, app.prepare(opened, variant, &[], None)?));
        }
    }
    let meter = Meter::of_runs(&app.console, "check", runs.len());
    let interrupt = app.console.interrupt.clone();
    let outputs = jobs::in_order(jobs::threads(app.global.jobs), &runs, |(_, prepared)| {
        if let Some(exit) = interrupt.exit() {
            return Err(Error::Stopped(exit));
        }
        let output = simulate(prepared, &args.bounds, None, &interrupt, None);
        meter.run_done();
        output
    });
    meter.finish(&mut app.console, None);
    if let Some(exit) = interrupt.exit() {
        return Err(Error::Stopped(exit));
    }
    let outputs = outputs.into_iter().collect::<Result<Vec<RunOutput>>>()?;

    let mut checked = Vec::new();
    for (index, (opened, golden)) in experiments.iter().zip(goldens).enumerate() {
        let own = runs.iter().zip(&outputs).filter(|((of, _), _)| *of == index);
        let own: Vec<(&Prepared, &RunOutput)> =
            own.map(|((_, prepared), output)| (prepared, output)).collect();
        checked.push(check(opened, &own, golden, args, app)?);
    }
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Json => {
            let all: Vec<_> = checked.iter().map(as_json).collect();
            format!("{}\n", json!({ "format": 1, "experiments": all }))
        }
        _ => text(&checked, style),
    })?;
    for failed in checked.iter().flat_map(|checked| &checked.unknown) {
        let error = app.invalid(failed);
        app.console.error(&error);
    }
    Ok(checked.iter().map(|checked| checked.exit).max().unwrap_or(Exit::Good))
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
            return Err(Error::usage(format!(
                "there is no experiment in {}",
                crate::files::escape_path(dir)
            )));
        }
        if app.global.dir.is_none() {
            found.extend(BUNDLED.iter().map(|bundled| bundled.found()));
        }
    }
    let (mut opened, mut rendered) = (Vec::new(), String::new());
    for found in found {
        match app.read(found) {
            Ok(one) => opened.push(one),
            Err(Error::Invalid { rendered: problems }) => rendered += &problems,
            Err(other) => return Err(other),
        }
    }
    if rendered.is_empty() { Ok(opened) } else { Err(Error::Invalid { rendered }) }
}

/// Where the snapshot of each experiment is: in `--golden`, else beside its file.
fn goldens(args: &Check, experiments: &[Opened]) -> Result<Vec<Option<PathBuf>>> {
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
        std::fs::create_dir_all(folder)
            .map_err(|cause| Error::file("cannot make the folder", folder, cause))?;
    }
    Ok(places)
}

/// The base, and the variants of which something is expected, in the order of the file.
fn variants(opened: &Opened) -> Vec<Option<&str>> {
    let expected = |name: &&str| {
        opened.experiment.expectations().iter().any(|e| e.variant.as_ref().is_some_and(|v| v.value == *name))
    };
    std::iter::once(None).chain(opened.experiment.variant_names().filter(expected).map(Some)).collect()
}

fn check(
    opened: &Opened,
    runs: &[(&Prepared, &RunOutput)],
    golden: Option<PathBuf>,
    args: &Check,
    app: &App,
) -> Result<Checked> {
    let mut checked = Checked {
        name: opened.found.name.clone(),
        judgement: Judgement::default(),
        unknown: Vec::new(),
        stopped: Vec::new(),
        golden: None,
        digest: runs[0].1.report.digest.s.clone(),
        again: Vec::new(),
        exit: Exit::Good,
    };
    let mut pages = Vec::new();
    for (prepared, output) in runs {
        let ended = ending(output, &app.console.interrupt);
        checked.exit = checked.exit.max(ended);
        if let Some(stopped) = &output.report.stopped {
            checked.stopped.push(stopped.clone());
            checked.again.push(prepared.replay.bounded_line("run", &args.bounds));
        }
        match expect::judge(prepared, &opened.experiment, &output.report) {
            Ok(judgement) => {
                if judgement.failed() {
                    checked.exit = checked.exit.max(Exit::Failed);
                    checked.again.push(prepared.replay.bounded_line("run", &args.bounds));
                }
                pages.push(golden::page(&output.report, &judgement));
                checked.judgement.judged.extend(judgement.judged);
            }
            Err(failed) => {
                checked.exit = checked.exit.max(Exit::Invalid);
                checked.unknown.push(failed);
            }
        }
    }
    if let Some(path) = golden.filter(|_| checked.stopped.is_empty() && checked.unknown.is_empty()) {
        let now = golden::snapshot(&checked.name, &pages);
        let compared = golden::compare(&path, &now, args.bless, args.golden.is_some())?;
        if compared.as_ref().is_some_and(Golden::failed) {
            checked.exit = checked.exit.max(Exit::Failed);
        }
        checked.golden = compared;
    }
    Ok(checked)
}

fn text(all: &[Checked], style: Style) -> String {
    let mut out = String::new();
    for checked in all {
        let good = checked.exit == Exit::Good;
        let mark = if good {
            style.paint(Paint::Good, style.pick("✓", "ok"))
        } else {
            style.paint(Paint::Bad, style.pick("✗", "FAILED"))
        };
        let judged = &checked.judgement.judged;
        let failed: Vec<_> = judged.iter().filter(|judged| !judged.holds).collect();
        let mut said = vec![match (judged.len(), failed.len()) {
            (0, _) => "no expectations".to_string(),
            (1, 0) => "1 expectation holds".to_string(),
            (all, 0) => format!("{all} expectations hold"),
            (all, failed) => format!("{failed} of {all} expectations failed"),
        }];
        said.extend(checked.golden.as_ref().map(|golden| golden.words().to_string()));
        said.extend(checked.stopped.iter().map(|stopped| format!("stopped: {}", clean(stopped))));
        if !checked.unknown.is_empty() {
            said.push("a metric is not known".into());
        }
        out += &format!("{mark} {}: {}\n", clean(&checked.name), said.join(", "));
        for judged in failed {
            let variant =
                judged.variant.as_ref().map_or(String::new(), |variant| format!("{}: ", clean(variant)));
            out += &format!("    {variant}{}: measured {}\n", judged.claim, clean(&judged.measured));
        }
        if let Some(Golden::Differs { difference, .. }) = &checked.golden {
            out.extend(difference.lines().map(|line| format!("    {line}\n")));
        }
        out.extend(checked.again.iter().map(|again| format!("    again: {again}\n")));
    }
    let good = all.iter().filter(|checked| checked.exit == Exit::Good).count();
    out + &format!("{} checked, {good} good, {} not\n", all.len(), all.len() - good)
}

fn as_json(checked: &Checked) -> serde_json::Value {
    json!({
        "experiment": checked.name,
        "good": checked.exit == Exit::Good,
        "exit": checked.exit.code(),
        "expectations": checked.judgement.judged,
        "stopped": checked.stopped,
        "snapshot": checked.golden.as_ref().map(Golden::words),
        "results": checked.digest,
        "again": checked.again,
    })
}
