//! `brownout histogram EXPERIMENT|report.json`: the distribution of response times.

mod overlay;

use crate::app::App;
use crate::args::{Bounds, Subject};
use crate::error::{Error, Exit, Result};
use crate::library::nearest;
use crate::out::OutDir;
use crate::progress::Meter;
use crate::render::{hgrm, histogram as page, hlog, json};
use crate::result::distribution::{self, Distribution};
use crate::seal;
use crate::simulate::{ending, simulate};
use crate::text::number::{duration, percent};
use crate::text::table::{csv_line, csv_of_part};
use crate::text::{Paint, Style, clean, escape, wrap};
use clap::{Args as ClapArgs, ValueEnum};
use sim_models::report::{During, Edge, Latency, Report};
use std::path::{Path, PathBuf};

const FILES: [&str; 4] = ["histogram.json", "histogram.csv", "latency.hgrm", "latency.hlog"];

/// `brownout histogram`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout histogram retry-storm
  brownout histogram retry-storm --edge 'checkout->payments' --during 60s..90s
  brownout histogram retry-storm --variant base --variant budgeted --during fault --during after
  brownout histogram retry-storm --with saved/report.json
  brownout histogram results/report.json --format hgrm > latency.hgrm")]
pub struct Histogram {
    /// Which experiment, or the report.json of a saved run.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base; several are laid over each other, `base` among them
    #[arg(long, value_name = "NAME")]
    pub variant: Vec<String>,
    /// The report.json of a saved run, to lay it over; several may be given
    #[arg(long, value_name = "SAVED")]
    pub with: Vec<String>,
    /// The edge; the users' first unless given
    #[arg(long, value_name = "EDGE")]
    pub edge: Option<String>,
    /// Only this part of the run: before, fault or after what disturbs it, or FROM..TO; several are laid over each other
    #[arg(long, value_name = "PART")]
    pub during: Vec<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: HistogramFormat,
    /// Also write histogram.json, histogram.csv, latency.hgrm and latency.hlog to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

/// The forms of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum HistogramFormat {
    /// Bars and percentiles
    #[default]
    Text,
    /// For programs
    Json,
    /// Bucket, count
    Csv,
    /// The percentile table that HdrHistogram's plotter reads
    Hgrm,
    /// HdrHistogram's interval log, version 2: one histogram per window
    Hlog,
}

pub(super) fn command(args: &Histogram, app: &mut App) -> Result<Exit> {
    if overlay::several(args) {
        return overlay::command(args, app);
    }
    let during = args.during.first().map(|text| during(text)).transpose()?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES, &mut app.console)).transpose()?;
    let (whole, exit) = made(args, args.variant.first().map(String::as_str), app)?;
    let report = match during {
        Some(during) => whole.part(during).ok_or_else(|| {
            Error::usage(format!("{} has no stretch `{during}`", escape(&whole.experiment)))
        })?,
        None => whole,
    };
    let (name, edge) = edge(args, &report)?;
    let latency = &edge.latency;
    let distribution = Distribution {
        format: distribution::FORMAT,
        experiment: &report.experiment,
        variant: report.variant.as_deref(),
        seed: report.run.seed,
        edge: name,
        during: args.during.first().map(String::as_str),
        incomplete: report.stopped.as_deref(),
        latency,
        response: &edge.response,
    };
    // The log has a line per edge unless one was asked for; its readers choose by tag.
    let logged = args.edge.is_some().then_some(name);
    let document = |format: HistogramFormat| match format {
        HistogramFormat::Text => text(&report, name, edge, args, app.console.style()),
        HistogramFormat::Json => json(&distribution),
        HistogramFormat::Csv => csv_of_part(csv(latency), report.stopped.as_slice()),
        HistogramFormat::Hgrm => hgrm::of_part(hgrm::percentiles(&hgrm::rebuild(latency)), &report),
        HistogramFormat::Hlog => hlog::interval_log(&report, logged.as_slice()),
    };
    if let Some(out) = out {
        use HistogramFormat::{Csv, Hgrm, Hlog, Json};
        for (file, format) in FILES.into_iter().zip([Json, Csv, Hgrm, Hlog]) {
            out.write(file, document(format).as_bytes())?;
        }
    }
    let document = document(args.format);
    app.console.document(&document)?;
    Ok(exit)
}

fn during(text: &str) -> Result<During> {
    text.parse().map_err(|why| Error::usage(format!("--during {}: {why}", escape(text))))
}

/// The report of a saved run, or of one that is made now.
fn made(args: &Histogram, variant: Option<&str>, app: &mut App) -> Result<(Report, Exit)> {
    let name = &args.subject.name;
    if name.ends_with(".json") {
        let settings = [
            ("--variant", !args.variant.is_empty()),
            ("--set", !args.subject.set.is_empty()),
            ("--seed", args.subject.seed.is_some()),
        ];
        if let Some((flag, _)) = settings.iter().find(|(_, given)| *given) {
            return Err(Error::usage(format!(
                "{flag} changes a run, and {} is one that was made",
                escape(name)
            )));
        }
        return Ok((saved(name, app)?, Exit::Good));
    }
    let opened = app.open(name, variant, &args.subject.set)?;
    let prepared = app.prepare(&opened, variant, &args.subject.set, args.subject.seed)?;
    let meter = Meter::of_run(&app.console, &prepared.name);
    let simulated = simulate(&prepared, &args.bounds, None, &app.console.interrupt, Some(&meter));
    let events = simulated.as_ref().ok().map(|output| output.report.run.events);
    meter.finish(&mut app.console, events);
    let output = simulated?;
    let exit = ending(&output, &app.console.interrupt);
    Ok((output.report, exit))
}

/// The report of a saved run.
fn saved(name: &str, app: &mut App) -> Result<Report> {
    Report::from_json(&seal::read(Path::new(name), &mut app.console)?)
        .map_err(|why| Error::Failed(format!("{} is no saved report: {}", escape(name), escape(&why))))
}

/// The edge that was asked for, else the users' first.
fn edge<'a>(args: &Histogram, report: &'a Report) -> Result<(&'a str, &'a Edge)> {
    let names = || report.edges.iter().map(|(name, _)| name.to_string());
    let found = match &args.edge {
        Some(wanted) => report.edges.iter().find(|(name, _)| name == wanted),
        None => report.edges.iter().find(|(_, edge)| edge.from_users).or_else(|| report.edges.iter().next()),
    };
    found.ok_or_else(|| match &args.edge {
        Some(wanted) => {
            let help = match nearest(wanted, names()) {
                Some(near) => format!("  did you mean '{}'?", escape(&near)),
                None => format!("  there are: {}", escape(&names().collect::<Vec<_>>().join(", "))),
            };
            Error::Usage { message: format!("there is no edge `{}`", escape(wanted)), help }
        }
        None => Error::usage(format!("{} has no edges, so no response times", escape(&report.experiment))),
    })
}

fn text(report: &Report, name: &str, edge: &Edge, args: &Histogram, style: Style) -> String {
    let dot = style.pick(" · ", ", ");
    let variant = report.variant.iter().map(|variant| format!("variant {}", clean(variant)));
    let during = args.during.iter().map(|during| format!("during {during}"));
    let title = [clean(&report.experiment), clean(name)].into_iter().chain(variant).chain(during);
    let title = title.chain([format!("seed {}", report.run.seed)]).collect::<Vec<_>>().join(dot);
    let mut lines: Vec<String> =
        wrap(&title, style.columns()).iter().map(|line| style.paint(Paint::Strong, line)).collect();
    if let Some(limit) = &report.stopped {
        lines.push(style.paint(Paint::Bad, &format!("STOPPED EARLY by a limit: {}", clean(limit))));
    }
    let success =
        edge.success.map(|share| format!(", {} of those that ended", percent(share))).unwrap_or_default();
    lines.push(format!("  response times of calls that ended well{success}"));
    lines.push(String::new());
    lines.extend(page::distribution(&edge.latency, style));
    if edge.response.unanswered > 0 {
        lines.push(String::new());
        lines.extend(page::of_all([("all calls", &edge.response)], style));
    }
    let failed = &edge.latency_failed;
    if let (Some(p50), Some(max)) = (failed.p50, failed.max) {
        lines.push(String::new());
        let (p50, max) = (duration(p50), duration(max));
        lines.push(format!("  calls that failed took {p50} (p50) to {max} (max) and are not in it"));
    }
    if report.edges.0.len() > 1 && args.edge.is_none() {
        lines.push(String::new());
        lines.extend(page::percentiles(report.edges.iter().map(|(name, edge)| (name, &edge.latency)), style));
    }
    lines.join("\n") + "\n"
}

/// One row per bucket.
fn csv(latency: &Latency) -> String {
    let mut out = csv_line(["at_most_ns", "count", "cumulative"]);
    let mut cumulative = 0;
    for &(highest, count) in &latency.histogram {
        cumulative += count;
        out += &csv_line([highest, count, cumulative].map(|n| n.to_string()));
    }
    out
}
