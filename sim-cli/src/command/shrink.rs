//! `brownout shrink EXPERIMENT`: the smallest experiment that still fails as this one does.

use crate::app::App;
use crate::args::{Bounds, Subject};
use crate::error::{Error, Exit, Result};
use crate::expect;
use crate::experiment::{Opened, Prepared};
use crate::progress::Meter;
use crate::result::edges::Answer;
use crate::simulate::{ending, simulate};
use crate::study::collapse::Collapse;
use crate::study::wish::Wish;
use crate::text::number::count;
use crate::text::{escape, escape_path};
use clap::Args as ClapArgs;
use sim_models::experiment::shrink::shrink;
use sim_models::experiment::{Decode, Expectation, Experiment, Node};
use sim_models::report::{Report, VerdictKind};
use std::path::PathBuf;

/// `brownout shrink`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout shrink mine.ron                               # the first of its expectations that fails
  brownout shrink retry-storm > smallest.ron             # the storm itself: it still never recovers
  brownout shrink mine.ron --until 'p99 > 2s' --out smallest.ron

Parts are left out (faults, services with all that names them, policies, settings), then numbers made smaller and rounder, one change \
after another; each is kept if the run still fails as it did: the same expectation, or what --until says, and in any case with the \
same verdict. What remains is what the failure needs. For schedules of a cluster there is `brownout explore`.")]
pub struct Shrink {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// What failure is, instead of the first expectation that fails: 'success < 0.9', 'p99 > 300ms'
    #[arg(long, value_name = "METRIC<BOUND")]
    pub until: Option<String>,
    /// The most runs
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_runs: u64,
    /// Write it to this file instead of printing it
    #[arg(long, value_name = "FILE.ron")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// What the smaller experiment must still do.
enum Fails {
    /// This expectation does not hold.
    Expectation(Box<Expectation>),
    /// This holds, or the verdict is of a failure.
    When(Collapse),
}

pub(super) fn command(args: &Shrink, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name, args.variant.as_deref(), &args.subject.set)?;
    let prepared = app.prepare(&opened, args.variant.as_deref(), &args.subject.set, args.subject.seed)?;
    let interrupt = app.console.interrupt.clone();
    let output = simulate(&prepared, &args.bounds, None, &interrupt, None)?;
    match ending(&output, &interrupt) {
        Exit::Good => {}
        stopped => return Err(Error::Stopped(stopped)),
    }
    let fails = what_fails(args, &opened, &prepared, &output.report, app)?;
    let verdict = output.report.verdict.kind;

    let meter = Meter::of_search(&app.console, &prepared.name, 300);
    let catalog = &app.catalog;
    let mut keeps = |node: &Node| {
        meter.run_done();
        if interrupt.exit().is_some() {
            return false;
        }
        let folder = opened.found.folder();
        let Ok((experiment, _)) = Experiment::parse_beside("smaller", &node.to_line(), &folder, &[], catalog)
        else {
            return false;
        };
        let smaller = Opened { experiment, ..opened.clone() };
        let Ok(run) = smaller.prepare(None, None, &[], Some(prepared.seed)) else { return false };
        let Ok(output) = simulate(&run, &args.bounds, None, &interrupt, None) else { return false };
        output.report.stopped.is_none()
            && output.report.verdict.kind == verdict
            && fails.still(&smaller, &run, &output.report)
    };
    let whole = file(&prepared, &fails);
    if !keeps(&whole) {
        if let Some(stopped) = app.console.interrupt.exit() {
            return Err(Error::Stopped(stopped));
        }
        let message = format!(
            "{} does not fail so when it is written out: this is a bug in brownout",
            escape(&prepared.name)
        );
        return Err(Error::usage(message));
    }
    let apart = ["about", "expect", "seed", "window"];
    let shrunk = shrink(whole, &apart, args.max_runs, &mut keeps);
    meter.finish(&mut app.console, None);
    let text = format!("{}\n", shrunk.node);
    match &args.out {
        Some(path) => app.console.disk.replace(path, text.as_bytes())?,
        None => app.console.document(&text)?,
    }
    let how = if shrunk.whole { "nothing smaller fails so" } else { "there may be smaller ones: --max-runs" };
    let written = args.out.as_ref().map_or(String::new(), |path| format!("; written: {}", escape_path(path)));
    app.console.note(&format!("{} runs; {how}{written}", count(shrunk.tried)));
    Ok(interrupt.exit().unwrap_or(Exit::Good))
}

/// What is wrong with a run: what was asked for, else the first expectation that does not hold, else its verdict.
fn what_fails(
    args: &Shrink,
    opened: &Opened,
    prepared: &Prepared,
    report: &Report,
    app: &App,
) -> Result<Fails> {
    if let Some(text) = &args.until {
        let wish = Wish::parse(text).and_then(|wish| wish.within(prepared.resolved.run.duration));
        let wish = wish.map_err(|why| Error::usage(format!("--until: {}", escape(&why))))?;
        let collapse = Collapse::When(Box::new(wish));
        return match collapse.of(report)? {
            Answer::Fails => Ok(Fails::When(collapse)),
            _ => Err(nothing(prepared, &format!("it is not so that {text}"))),
        };
    }
    let judged =
        expect::judge(prepared, &opened.experiment, report).map_err(|failed| app.invalid(&failed))?;
    let about = expect::about(prepared, &opened.experiment);
    if let Some((expectation, _)) =
        about.zip(&judged.judged).find(|(_, judged)| !judged.holds && !judged.undecided)
    {
        let alone = Expectation { variant: None, seeds: None, ..expectation.clone() };
        return Ok(Fails::Expectation(Box::new(alone)));
    }
    let fails = Fails::When(Collapse::Verdict);
    let is_finding = report.verdict.kind == VerdictKind::Finding;
    if !is_finding && fails.still(opened, prepared, report) {
        Ok(fails)
    } else {
        Err(nothing(prepared, "all that is expected of it holds, and its verdict is no failure"))
    }
}

fn nothing(prepared: &Prepared, why: &str) -> Error {
    let message = format!("{} does not fail: {}", escape(&prepared.name), escape(why));
    Error::Usage { message, help: "  say what failure is: --until 'METRIC < BOUND'; `brownout list metrics EXPERIMENT` names the metrics".into() }
}

impl Fails {
    fn still(&self, opened: &Opened, prepared: &Prepared, report: &Report) -> bool {
        match self {
            Fails::Expectation(_) => expect::judge(prepared, &opened.experiment, report)
                .is_ok_and(|judged| judged.judged.iter().any(|one| !one.holds)),
            Fails::When(collapse) => collapse.of(report).is_ok_and(|answer| answer == Answer::Fails),
        }
    }
}

/// The run as an experiment of its own: without variants, with what fails as its only expectation, and with no more written than makes a difference.
fn file(prepared: &Prepared, fails: &Fails) -> Node {
    let resolved = &prepared.resolved;
    let part = |name: &'static str| resolved.canonical.get(name).cloned().map(|node| (name, node.as_said()));
    let about = Node::text(format!("The smallest that still fails as {} does.", prepared.name));
    let expect = match fails {
        Fails::Expectation(expectation) => Some(("expect", Node::list([expectation.encode().as_said()]))),
        Fails::When(_) => None,
    };
    let run = part("run").map(|(name, run)| (name, with_seed(&run, prepared.seed)));
    Node::record([Some(("about", about)), part("model"), run, expect].into_iter().flatten())
}

fn with_seed(run: &Node, seed: u64) -> Node {
    let rest = run.entries().iter().filter(|entry| entry.key.value != "seed").cloned();
    Node::record(rest.chain([("seed", Node::number(seed)).into()]))
}
