//! The first event in which two runs part.

use super::Diff;
use super::side::Side;
use crate::App;
use crate::command::verify::first_different_stretch;
use crate::error::{Error, Exit, Result};
use crate::experiment::Prepared;
use crate::result::differed::event::{Document, Line};
use crate::simulate::{ending, simulate};
use crate::text::{Paint, Style, escape};
use sim_models::run::TrajectoryLine;
use std::ops::Range;

/// Events shown before and after the first that differs.
const CONTEXT: u64 = 5;

/// Where two runs part.
pub(super) enum Parting {
    /// The first event that differs, and the lines of both sides around it.
    At { event: u64, a: Vec<TrajectoryLine>, b: Vec<TrajectoryLine> },
    /// Only so much is known.
    Between(Option<(u64, u64)>, String),
}

/// Finds it, by making both runs again.
pub(super) fn find(a: &Side, b: &Side, args: &Diff, app: &App) -> Result<Parting> {
    let (x, y) = (&a.report.digest, &b.report.digest);
    let stretch = first_different_stretch(x, y);
    let (Some(first), Some(second)) = (&a.prepared, &b.prepared) else {
        let why = [a.gone.as_str(), b.gone.as_str()].into_iter().filter(|why| !why.is_empty());
        return Ok(Parting::Between(stretch, why.collect::<Vec<_>>().join("; ")));
    };
    // After the last checkpoint that both have there is only the rest.
    let last = (x.every * x.checkpoints.len() as u64).min(y.every * y.checkpoints.len() as u64);
    let end = a.report.run.events.max(b.report.run.events);
    let (from, to) = stretch.unwrap_or((last.saturating_sub(x.every.max(y.every)), end));
    let wanted = from.saturating_sub(CONTEXT)..to + CONTEXT + 1;
    let (Some(a), Some(b)) = (
        record(first, &wanted, &a.report.digest.i, args, app)?,
        record(second, &wanted, &b.report.digest.i, args, app)?,
    ) else {
        return Ok(Parting::Between(stretch, "a saved run is not what its experiment gives today".into()));
    };
    let Some(event) = first_different_event(&a, &b) else {
        return Ok(Parting::Between(
            stretch,
            "no recorded event differs: a saved run came from another version".into(),
        ));
    };
    let around = |lines: Vec<TrajectoryLine>| {
        let near = |line: &TrajectoryLine| line.event + CONTEXT >= event && line.event <= event + CONTEXT;
        lines.into_iter().filter(near).collect()
    };
    Ok(Parting::At { event, a: around(a), b: around(b) })
}

/// What happened in a stretch; nothing if today's experiment is another.
fn record(
    prepared: &Prepared,
    events: &Range<u64>,
    input: &str,
    args: &Diff,
    app: &App,
) -> Result<Option<Vec<TrajectoryLine>>> {
    let output = simulate(prepared, &args.bounds, Some(events.clone()), &app.console.interrupt, None)?;
    match ending(&output, &app.console.interrupt) {
        Exit::Good | Exit::Limit => Ok((output.report.digest.i == input).then_some(output.trajectory)),
        stopped => Err(Error::Stopped(stopped)),
    }
}

/// The number of the first event that left other lines on the other side.
fn first_different_event(a: &[TrajectoryLine], b: &[TrajectoryLine]) -> Option<u64> {
    let first = a.iter().zip(b).position(|(x, y)| x != y);
    match first {
        Some(at) => Some(a[at].event.min(b[at].event)),
        None => a.get(b.len()).or_else(|| b.get(a.len())).map(|line| line.event),
    }
}

impl Parting {
    pub fn text(&self, style: Style) -> String {
        match self {
            Parting::Between(stretch, why) => {
                let place = stretch.map_or("after the last checkpoint".into(), |(from, to)| {
                    format!("between event {from} and event {to}")
                });
                format!("the first different event is {place}\n  {}\n", escape(why))
            }
            Parting::At { event, a, b } => {
                let head = format!("the first different event is number {event}");
                let mut out = style.paint(Paint::Strong, &head) + "\n";
                let before = |lines: &[TrajectoryLine]| {
                    lines.iter().filter(|l| l.event < *event).cloned().collect::<Vec<_>>()
                };
                for line in before(a) {
                    out += &format!("    {}\n", words(&line));
                }
                for (sign, paint, lines) in [("A", Paint::Bad, a), ("B", Paint::Good, b)] {
                    for line in lines.iter().filter(|line| line.event >= *event) {
                        out += &style.paint(paint, &format!("  {sign} {}", words(line)));
                        out.push('\n');
                    }
                }
                out
            }
        }
    }

    /// For programs.
    pub fn document(&self) -> Document {
        let lines = |lines: &[TrajectoryLine]| lines.iter().map(Line::of).collect::<Vec<_>>();
        match self {
            Parting::Between(stretch, why) => Document::Between { between: *stretch, why: why.clone() },
            Parting::At { event, a, b } => Document::At { first: *event, a: lines(a), b: lines(b) },
        }
    }
}

impl Line {
    fn of(line: &TrajectoryLine) -> Self {
        Line {
            event: line.event,
            time: line.time.as_nanos(),
            what: line.what.clone(),
            entity: line.entity.clone(),
            request: format!("{:016x}", line.request),
            attempt: line.attempt,
            outcome: line.outcome.clone(),
            detail: line.detail,
            note: line.note.clone(),
        }
    }
}

/// One line for people: number, time, what, where, who, how it ended.
fn words(line: &TrajectoryLine) -> String {
    // To the nanosecond, in seconds: the points stand below each other.
    let (seconds, nanos) = (line.time.as_nanos() / 1_000_000_000, line.time.as_nanos() % 1_000_000_000);
    let mut text = format!("{:>9}  {seconds:>5}.{nanos:09} s  {} {}", line.event, line.what, line.entity);
    if line.request != 0 {
        text += &format!("  request {:016x}", line.request);
    }
    if line.attempt != 0 {
        text += &format!(" attempt {}", line.attempt);
    }
    if !line.outcome.is_empty() {
        text += &format!("  {}", line.outcome);
    }
    if !line.note.is_empty() {
        text += &format!("  ({})", line.note);
    }
    escape(&text)
}
