//! `brownout trace EXPERIMENT`: single calls, attempt by attempt.

use crate::app::App;
use crate::args::{Bounds, Subject};
use crate::error::{Error, Exit, Result};
use crate::experiment::Prepared;
use crate::library::nearest;
use crate::out::OutDir;
use crate::progress::Meter;
use crate::render::json;
use crate::render::sequence::{mermaid, svg};
use crate::render::trace::{otlp, page, perfetto};
use crate::replay::quote;
use crate::result::traces::{self, Traces};
use crate::simulate::{cut_short, ending, trace};
use crate::text::{Style, escape};
use clap::{Args as ClapArgs, ValueEnum};
use sim_core::SimTime;
use sim_models::diagram::NodeKind;
use sim_models::report::Report;
use sim_models::run::RunOutput;
use sim_models::trace::{Selection, Sequence, Trace as CallTrace};
use std::path::PathBuf;

const FILES: [&str; 4] = ["trace.txt", "trace.json", "trace.perfetto.json", "trace.otlp.json"];
/// Besides, where calls are messages.
const OF_MESSAGES: [&str; 2] = ["trace.mmd", "trace.svg"];

/// `brownout trace`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout trace retry-storm                     # the slowest that ended well, one that failed
  brownout trace retry-storm --failed 3          # three that failed, of each kind the longest
  brownout trace retry-storm --at 75s            # the first call that users made from then on
  brownout trace retry-storm --call 60123        # that one; counted from 0
  brownout trace retry-storm --format perfetto > trace.json      # for ui.perfetto.dev
  brownout trace retry-storm --format otlp > trace.json          # for Jaeger
  brownout trace raft-replication --at 10s --format svg > write.svg     # messages of a cluster

The run is made twice on the same luck: once to see which calls are meant, once to follow them. Slow \
and failed calls are looked for after the warm-up. In OTLP the run begins at 2000-01-01T00:00:00Z.")]
pub struct Trace {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The N slowest calls that ended well
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub slowest: Option<u16>,
    /// N calls that did not: the longest of each outcome, the most frequent outcome first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub failed: Option<u16>,
    /// The call of this number, from 0 in the order in which users made them; may be repeated
    #[arg(long, value_name = "N")]
    pub call: Vec<u64>,
    /// The first call that began at this time or later
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Only calls over this edge of users; all of theirs unless given
    #[arg(long, value_name = "EDGE")]
    pub edge: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TraceFormat,
    /// Also write trace.txt, trace.json, trace.perfetto.json and trace.otlp.json to this folder; of a cluster trace.mmd and trace.svg, too
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// The forms of traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TraceFormat {
    /// Waterfalls; of a cluster sequence diagrams
    #[default]
    Text,
    /// For programs; carries its version
    Json,
    /// Chrome's JSON: ui.perfetto.dev, chrome://tracing
    Perfetto,
    /// OpenTelemetry's JSON: Jaeger, collectors
    Otlp,
    /// Sequence diagrams for Markdown: operations of a cluster
    Mermaid,
    /// A sequence diagram as a picture: one operation of a cluster
    Svg,
}

pub(super) fn command(args: &Trace, app: &mut App) -> Result<Exit> {
    let selection = selection(args)?;
    let opened = app.open(&args.subject.name, args.variant.as_deref(), &args.subject.set)?;
    let prepared = app.prepare(&opened, args.variant.as_deref(), &args.subject.set, args.subject.seed)?;
    check_traceable(&prepared, &selection)?;
    let messages = prepared.resolved.model.explores().is_some();
    if !messages && matches!(args.format, TraceFormat::Mermaid | TraceFormat::Svg) {
        let message =
            format!("calls of {} are not messages, and have no sequence diagram", escape(&prepared.name));
        return Err(Error::Usage {
            message,
            help: "  --format text, perfetto or otlp shows where their time went".into(),
        });
    }
    let files: Vec<&str> = FILES.into_iter().chain(OF_MESSAGES.into_iter().filter(|_| messages)).collect();
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &files, &mut app.console)).transpose()?;
    let meter = Meter::of_run(&app.console, &prepared.name);
    let traced = trace(&prepared, &args.bounds, selection, &app.console.interrupt, Some(&meter));
    meter.finish(&mut app.console, traced.as_ref().ok().map(|output| 2 * output.report.run.events));
    let output = traced?;
    let exit = ending(&output, &app.console.interrupt);
    if output.traces.is_empty() {
        return nothing_found(args, &output.report, app, exit);
    }

    let document = |format: TraceFormat, style: Style| match format {
        TraceFormat::Text => text(args, &prepared, &output, style),
        TraceFormat::Json => as_json(&output),
        TraceFormat::Perfetto => perfetto::document(&output.report, &output.traces),
        TraceFormat::Otlp => otlp::document(&output.report, &output.traces),
        TraceFormat::Mermaid => sequences(&output, mermaid),
        TraceFormat::Svg => sequences(&output, svg),
    };
    if let Some(out) = out {
        use TraceFormat::{Json, Mermaid, Otlp, Perfetto, Svg, Text};
        for (file, format) in files.into_iter().zip([Text, Json, Perfetto, Otlp, Mermaid, Svg]) {
            out.write(file, document(format, Style::default()).as_bytes())?;
        }
    }
    let document = document(args.format, app.console.style());
    app.console.document(&document)?;
    if exit != Exit::Good {
        let again = prepared.replay.bounded_line("trace", &args.bounds);
        app.console.say(&cut_short(&prepared, &output.report, exit, &again));
    }
    Ok(exit)
}

/// What was asked for; unless anything was, the slowest and one that failed.
fn selection(args: &Trace) -> Result<Selection> {
    let time = |text: &str| {
        text.parse::<SimTime>().map_err(|why| Error::usage(format!("--at {}: {why}", escape(text))))
    };
    let named = !args.call.is_empty() || args.at.is_some();
    let usual = if named || args.slowest.is_some() || args.failed.is_some() { 0 } else { 1 };
    Ok(Selection {
        edge: args.edge.clone(),
        slowest: args.slowest.map_or(usual, usize::from),
        failed: args.failed.map_or(usual, usize::from),
        calls: args.call.clone(),
        keys: Vec::new(),
        at: args.at.as_deref().map(time).transpose()?,
    })
}

/// Before anything is simulated: that there are calls, over that edge.
fn check_traceable(prepared: &Prepared, selection: &Selection) -> Result<()> {
    let model = &prepared.resolved.model;
    if let Some(why) = model.untraceable() {
        return Err(Error::usage(format!("{} has no calls to trace: {why}", escape(&prepared.name))));
    }
    let Some(wanted) = &selection.edge else { return Ok(()) };
    let diagram = model.diagram();
    let of_users = |link: &&sim_models::diagram::Link| diagram.nodes[link.from].kind == NodeKind::Users;
    let names: Vec<&str> = diagram.links.iter().filter(of_users).map(|link| link.name.as_str()).collect();
    if names.is_empty() || names.contains(&wanted.as_str()) {
        return Ok(());
    }
    let inner = diagram.links.iter().any(|link| link.name == *wanted);
    let message = match inner {
        true => format!(
            "`{}` is not an edge of users: a trace begins with a call that a user makes",
            escape(wanted)
        ),
        false => format!("there is no edge `{}`", escape(wanted)),
    };
    let help = match nearest(wanted, names.iter().map(|name| (*name).to_string())).filter(|_| !inner) {
        Some(near) => format!("  did you mean '{}'?", escape(&near)),
        None => format!("  there are: {}", escape(&names.join(", "))),
    };
    Err(Error::Usage { message, help })
}

/// Nothing that was asked for came about: a mistake if a call was named, and else worth a sentence.
fn nothing_found(args: &Trace, report: &Report, app: &mut App, exit: Exit) -> Result<Exit> {
    let edges = report
        .edges
        .iter()
        .filter(|(name, edge)| edge.from_users && args.edge.as_deref().is_none_or(|wanted| wanted == *name));
    let made: u64 = edges.map(|(_, edge)| edge.windows.started.iter().sum::<u64>()).sum();
    if let Some(call) = args.call.first() {
        if report.edges.iter().next().is_none() {
            return Err(Error::usage(format!("there is no operation {call}")));
        }
        let most = made.checked_sub(1).map_or("none was made".into(), |last| format!("the last is {last}"));
        return Err(Error::usage(format!("there is no call {call}: {most}")));
    }
    if let Some(at) = &args.at {
        return Err(Error::usage(format!("no call began at {} or later", escape(at))));
    }
    let what = match (args.slowest, args.failed) {
        (Some(_), None) => "no call ended well after the warm-up",
        (None, Some(_)) => "no call failed after the warm-up",
        _ => "no call ended after the warm-up",
    };
    let sentence = format!("{}: {what}, of {made}\n", escape(&report.experiment));
    match args.format {
        TraceFormat::Text => app.console.document(&sentence)?,
        _ => {
            app.console.say(&sentence);
            let empty = RunOutput { report: report.clone(), ..RunOutput::default() };
            app.console.document(&match args.format {
                TraceFormat::Perfetto => perfetto::document(report, &[]),
                TraceFormat::Otlp => otlp::document(report, &[]),
                TraceFormat::Mermaid | TraceFormat::Svg => String::new(),
                _ => as_json(&empty),
            })?;
        }
    }
    Ok(exit)
}

fn text(args: &Trace, prepared: &Prepared, output: &RunOutput, style: Style) -> String {
    let line = prepared.replay.bounded_line("trace", &args.bounds);
    let again = |trace: &CallTrace| format!("{line} --edge {} --call {}", quote(&trace.edge), trace.call);
    page(&output.report, &output.traces, again, style)
}

/// The sequence diagram of each operation, the first alone where a document has one picture.
fn sequences(output: &RunOutput, draw: fn(&str, &Sequence) -> String) -> String {
    let drawn = output.traces.iter().filter_map(|trace| {
        let title = format!("{}: operation {}", output.report.experiment, trace.call);
        trace.sequence.as_ref().map(|sequence| draw(&title, sequence))
    });
    drawn.take(1).collect()
}

fn as_json(output: &RunOutput) -> String {
    let report = &output.report;
    json(&Traces {
        format: traces::FORMAT,
        experiment: &report.experiment,
        variant: report.variant.as_deref(),
        overrides: &report.overrides,
        seed: report.run.seed,
        stopped: report.stopped.as_deref(),
        traces: &output.traces,
    })
}
