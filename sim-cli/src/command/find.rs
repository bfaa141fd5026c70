//! `brownout find EXPERIMENT`: where the cliff is, and the way back.

use super::documents::Documents;
use crate::app::App;
use crate::args::{Bounds, Settle, Subject, TableFormat};
use crate::error::{Error, Exit, Result};
use crate::html;
use crate::out::OutDir;
use crate::render::{find as page, json, map as atlas};
use crate::replay::result_of;
use crate::result::knob::Knob;
use crate::result::seeds::Seeds;
use crate::study::collapse::Collapse;
use crate::study::edge::Plan;
use crate::study::find::Question;
use crate::study::knob::{Within, is_range};
use crate::study::runs::{Settings, Start};
use crate::study::wish::Wish;
use crate::text::escape;
use crate::text::table::csv_of_part;
use clap::Args as ClapArgs;
use sim_core::SimDuration;
use std::path::PathBuf;

const FILES: [&str; 3] = ["find.json", "find.csv", "report.html"];
/// Seeds of each cell of a map, unless told otherwise.
const SEEDS_OF_A_CELL: u32 = 3;

/// `brownout find`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout find metastable-280 --set 'workload[0].arrivals=100/s..320/s'
  brownout find retry-storm --set 'faults[0].for=1s..60s' --variant backoff
  brownout find retry-storm --set policies.naive.retry.attempts=1..6
  brownout find retry-storm --set 'workload[0].arrivals=400/s..3000/s' --until 'p99 > 300ms'
  brownout find metastable-280 --set 'workload[0].arrivals=100/s..320/s' \\
      --set 'faults[0].for=1s..60s'                                # a map

A --set whose value is a range LOW..HIGH is searched, any other is set. Whole numbers stay whole, \
and a range of more than a decade is searched by ratio. Each seed has an edge of its own; what is \
printed is their mean with its 95 % interval, and the lowest and the highest. Seeds are taken in rounds, at most as many as \
the file says (10), until every edge is known to four times --within; --replications N takes N. For a workload's rate, the \
way back is searched as well: the rate to which a system that is down must be lowered. Runs are lengthened so that a longer fault leaves as much time after it.

Two ranges give a map: overloaded fails without any fault, metastable is tipped by the experiment's own fault \
and stays down, vulnerable by one that lasts --harder times as long, stable survives both.")]
pub struct Find {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// How many seeds, counted up from the first; unless given at most the file's number, and 3 for a map
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub replications: Option<u32>,
    /// What failure is, instead of a verdict that is not `recovered` or `steady`: 'success < 0.9', 'p99 > 300ms'
    #[arg(long, value_name = "METRIC<BOUND")]
    pub until: Option<String>,
    /// How narrow each seed's bracket must be: 2/s, 5ms, or 1% of the value; 1 % of the range unless given
    #[arg(long, value_name = "TOLERANCE")]
    pub within: Option<String>,
    /// Points between the ends that are looked at first: whether it fails in more than one stretch
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub probes: u32,
    /// Until when.
    #[command(flatten)]
    pub settle: Settle,
    /// How long a system that was lowered has to come back; three times what the file leaves after its fault
    #[arg(long, value_name = "DURATION")]
    pub back_within: Option<SimDuration>,
    /// Columns and rows of a map
    #[arg(long, value_name = "AxB", default_value = "12x8", value_parser = grid)]
    pub grid: (usize, usize),
    /// How many times longer the harder fault of a map lasts
    #[arg(long, value_name = "TIMES", default_value_t = 4.0, value_parser = times)]
    pub harder: f64,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write report.html, find.json and find.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

fn grid(text: &str) -> Result<(usize, usize), String> {
    let sides =
        text.split_once(['x', '×']).and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    match sides {
        Some((a, b)) if (2..=200).contains(&a) && (2..=200).contains(&b) => Ok((a, b)),
        _ => Err("expected COLUMNSxROWS, each from 2 to 200, as in 24x16".into()),
    }
}

fn times(text: &str) -> Result<f64, String> {
    let times = text.trim_end_matches('x').parse().ok().filter(|times| *times > 1.0 && *times <= 1000.0);
    times.ok_or_else(|| "expected a number above 1, as in 4".into())
}

pub(super) fn command(args: &Find, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name, args.variant.as_deref(), &[])?;
    let variant = app.variant(&opened, args.variant.as_deref())?;
    let (searched, fixed): (Settings, Settings) =
        args.subject.set.iter().cloned().partition(|(_, value)| is_range(value));
    let base = app.prepare(&opened, variant, &fixed, args.subject.seed)?;
    let start = Start {
        opened: &opened,
        variant,
        fixed: &fixed,
        base: &base.resolved,
        bounds: args.bounds,
        settle: args.settle.settle,
    };
    let knobs = knobs(app, start, &searched)?;
    let collapse = match &args.until {
        Some(text) => {
            let wish = Wish::parse(text).and_then(|wish| wish.within(base.resolved.run.duration));
            Collapse::When(Box::new(wish.map_err(|why| Error::usage(format!("--until: {}", escape(&why))))?))
        }
        None => Collapse::Verdict,
    };
    let usual = match knobs.len() {
        2 => SEEDS_OF_A_CELL,
        _ => base.resolved.run.replications,
    };
    let seeds = Seeds { first: base.seed, count: args.replications.unwrap_or(usual) };
    let question = Question {
        start,
        collapse,
        seeds,
        in_rounds: args.replications.is_none(),
        back_within: args.back_within,
    };
    question.check()?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES, &mut app.console)).transpose()?;

    let again = result_of(&app.typed);
    let (documents, exit) = match knobs.as_slice() {
        [knob] => {
            let within = match &args.within {
                Some(text) => {
                    knob.tolerance(text).map_err(|why| Error::usage(format!("--within: {}", escape(&why))))?
                }
                None => Within::Range(0.01),
            };
            let plan = Plan { probes: args.probes, within };
            let (found, exit) = question.edges(app, knob, plan)?;
            let documents = Documents {
                text: page::text(&found, app.console.style()),
                markdown: page::markdown(&found),
                json: json(&found),
                csv: csv_of_part(page::csv(&found), &found.incomplete),
                html: Box::new(move || html::find::page(&found, &again).html()),
            };
            (documents, exit)
        }
        [across, up] => {
            let (mapped, exit) = question.map(app, [across, up], args.grid, args.harder)?;
            let documents = Documents {
                text: atlas::text(&mapped, app.console.style()),
                markdown: atlas::markdown(&mapped),
                json: json(&mapped),
                csv: csv_of_part(atlas::csv(&mapped), &mapped.incomplete),
                html: Box::new(move || html::map::page(&mapped, &again).html()),
            };
            (documents, exit)
        }
        _ => unreachable!("one or two"),
    };
    documents.deliver(FILES, out, args.format, app)?;
    Ok(exit)
}

/// One knob or two, each of whose ends can run.
fn knobs(app: &App, start: Start, searched: &[(String, String)]) -> Result<Vec<Knob>> {
    if searched.is_empty() || searched.len() > 2 {
        let message = match searched.len() {
            0 => "nothing to search: give a range with --set PATH=LOW..HIGH".to_string(),
            n => format!("{n} ranges are given: one is searched for its edges, two give a map"),
        };
        return Err(Error::Usage { message, help: suggestion(start) });
    }
    let mut knobs = Vec::new();
    for (path, text) in searched {
        let said = |why: String| Error::usage(format!("--set {}: {}", escape(path), escape(&why)));
        let knob = Knob::parse(path, text, start.base.value(path)).map_err(said)?;
        for end in [knob.low, knob.high] {
            start.check(app, &[knob.set(end)])?;
        }
        knobs.push(knob);
    }
    Ok(knobs)
}

/// A range that makes sense for this experiment.
fn suggestion(start: Start) -> String {
    let name = escape(&start.opened.found.argument);
    let rate = start.base.value("workload[0].arrivals").and_then(|node| {
        let knob = Knob::parse("workload[0].arrivals", "1/s..2/s", Some(node)).ok()?;
        knob.standing(node)
    });
    match rate {
        Some(rate) => {
            let (low, high) = ((rate / 4.0).ceil(), (rate * 3.0).ceil());
            format!("  for example: brownout find {name} --set 'workload[0].arrivals={low}/s..{high}/s'")
        }
        None => {
            "  for example: --set services.payments.replicas=1..8, or --set 'faults[0].for=1s..60s'".into()
        }
    }
}
