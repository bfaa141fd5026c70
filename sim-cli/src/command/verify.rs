//! `brownout verify EXPERIMENT..`: twice on the fast engine and once on the reference engine; all four parts of
//! the digest must agree. If they do not, it says which part, and where the trajectories part.

use crate::app::App;
use crate::args::{Bounds, EngineName, Format, assignment, seed, text_or_json};
use crate::error::{Error, Exit, Result};
use crate::experiment::Prepared;
use crate::jobs;
use crate::progress::Meter;
use crate::result::differed::parts::{differing_parts, first_different_stretch};
use crate::simulate::{ending, simulate};
use crate::text::{Paint, Style, clean, number};
use clap::Args as ClapArgs;
use serde_json::json;
use sim_models::report::DigestParts;

/// The runs of each experiment: what they are called, and on which engine.
const RUNS: [(&str, EngineName); 3] =
    [("fast", EngineName::Fast), ("fast again", EngineName::Fast), ("reference", EngineName::Reference)];

/// What is kept of a run.
struct Witness {
    digest: DigestParts,
    events: u64,
    stopped: Option<String>,
}

/// `brownout verify`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout verify retry-storm
  brownout verify retry-storm recovery-herd --seed 7

Each experiment runs twice on the fast engine and once on the reference engine. The digests of input,
trajectory, randomness and results must agree.")]
pub struct Verify {
    /// Experiments: names, paths, or - for standard input
    #[arg(value_name = "EXPERIMENT", required = true)]
    pub names: Vec<String>,
    /// Set any value of the file
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// The seed, instead of the file's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
    /// Stop after this many events, with exit code 5
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: u64,
    /// Stop when this many calls are in flight at once, with exit code 5
    #[arg(long, value_name = "N", default_value_t = sim_models::run::DEFAULT_MAX_IN_FLIGHT,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub max_in_flight: u64,
}

pub(super) fn command(args: &Verify, app: &mut App) -> Result<Exit> {
    let mut all = Vec::new();
    for name in &args.names {
        let opened = app.open(name, args.variant.as_deref(), &args.set)?;
        all.push(app.prepare(&opened, args.variant.as_deref(), &args.set, args.seed)?);
    }
    let runs: Vec<(&Prepared, Bounds)> = all
        .iter()
        .flat_map(|prepared| {
            RUNS.map(|(_, engine)| {
                (prepared, Bounds { engine, max_events: args.max_events, max_in_flight: args.max_in_flight })
            })
        })
        .collect();

    let meter = Meter::of_runs(&app.console, "verify", runs.len());
    let interrupt = app.console.interrupt.clone();
    let witnesses = jobs::in_order(jobs::threads(app.global.jobs), &runs, |(prepared, bounds)| {
        let output = simulate(prepared, bounds, None, &interrupt, None)?;
        meter.run_done();
        match ending(&output, &interrupt) {
            Exit::Good | Exit::Limit => {}
            stopped => return Err(Error::Stopped(stopped)),
        }
        let report = output.report;
        Ok(Witness { digest: report.digest, events: report.run.events, stopped: report.stopped })
    });
    meter.finish(&mut app.console, None);
    let witnesses = witnesses.into_iter().collect::<Result<Vec<Witness>>>()?;

    let timed = app.global.max_wall.is_some();
    let runs_of = all.iter().zip(witnesses.chunks(RUNS.len()));
    let verdicts: Vec<Verdict> = runs_of.map(|(prepared, runs)| Verdict::of(prepared, runs, timed)).collect();
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Json => {
            let verified: Vec<_> = verdicts.iter().map(Verdict::as_json).collect();
            format!("{}\n", json!({ "format": 1, "verified": verified }))
        }
        _ => verdicts.iter().map(|verdict| verdict.text(style)).collect::<Vec<_>>().join("\n"),
    })?;
    let bounds =
        Bounds { max_events: args.max_events, max_in_flight: args.max_in_flight, ..Bounds::default() };
    for verdict in verdicts.iter().filter(|verdict| !verdict.differences.is_empty()) {
        let again = verdict.prepared.replay.bounded_line("verify", &bounds);
        app.console
            .say(&format!("{}: not the same result every time\n  again: {again}", verdict.prepared.name));
    }
    Ok(verdicts.iter().map(Verdict::exit).max().unwrap_or(Exit::Good))
}

/// What became of one experiment.
struct Verdict<'a> {
    prepared: &'a Prepared,
    runs: &'a [Witness],
    /// A run that the clock on the wall has cut ends somewhere else each time: nothing can be said.
    cut: bool,
    differences: Vec<Difference>,
}

/// A run that is not as the first was.
struct Difference {
    run: &'static str,
    parts: Vec<&'static str>,
    /// The events between which the trajectories part.
    stretch: Option<(u64, u64)>,
}

impl<'a> Verdict<'a> {
    fn of(prepared: &'a Prepared, runs: &'a [Witness], timed: bool) -> Self {
        let first = &runs[0].digest;
        let cut = timed && runs.iter().any(|run| run.stopped.is_some());
        let compared = if cut { &[] } else { runs };
        let differences = compared.iter().zip(RUNS).skip(1).filter_map(|(run, (name, _))| {
            let parts = differing_parts(first, &run.digest);
            let stretch = first_different_stretch(first, &run.digest);
            (!parts.is_empty()).then_some(Difference { run: name, parts, stretch })
        });
        Verdict { prepared, runs, cut, differences: differences.collect() }
    }

    fn exit(&self) -> Exit {
        match (self.differences.is_empty(), &self.runs[0].stopped) {
            (false, _) => Exit::Failed,
            (true, _) if self.cut => Exit::Limit,
            (true, Some(_)) => Exit::Limit,
            (true, None) => Exit::Good,
        }
    }

    fn text(&self, style: Style) -> String {
        let variant =
            self.prepared.variant.as_ref().map_or(String::new(), |v| format!(", variant {}", clean(v)));
        let name = style.paint(Paint::Strong, &clean(&self.prepared.name));
        let events = number::count(self.runs[0].events);
        let DigestParts { i, t, r, s, .. } = &self.runs[0].digest;
        let mut out = format!("{name}{variant}, seed {}, {events} events\n  ", self.prepared.seed);
        out += &format!("input {i}  trajectory {t}\n  randomness {r}  results {s}\n");
        if let Some(stopped) = &self.runs[0].stopped {
            out += &format!("  only up to a limit: {}\n", clean(stopped));
        }
        if self.cut {
            out +=
                "  not compared: what --max-wall cuts ends somewhere else each time; --max-events does not\n";
        } else if self.differences.is_empty() {
            let tick = style.paint(Paint::Good, style.pick("✓", "ok:"));
            out += &format!("  {tick} the same {} times, on both engines\n", RUNS.len());
        }
        for Difference { run, parts, stretch } in &self.differences {
            let cross = style.paint(Paint::Bad, style.pick("✗", "FAILED:"));
            out += &format!("  {cross} {run}: {} differ", parts.join(", "));
            if let Some((from, to)) = stretch {
                out += &format!("; the first different event is between {from} and {to}");
            }
            out.push('\n');
        }
        out
    }

    fn as_json(&self) -> serde_json::Value {
        let runs = self.runs.iter().zip(RUNS).map(|(run, (name, _))| {
            let DigestParts { i, t, r, s, .. } = &run.digest;
            json!({ "run": name, "digest": { "i": i, "t": t, "r": r, "s": s } })
        });
        let differences = self.differences.iter().map(
            |Difference { run, parts, stretch }| json!({ "run": run, "parts": parts, "events": stretch }),
        );
        json!({
            "experiment": self.prepared.name,
            "variant": self.prepared.variant,
            "seed": self.prepared.seed,
            "events": self.runs[0].events,
            "stopped": self.runs[0].stopped,
            "same": (!self.cut).then_some(self.differences.is_empty()),
            "runs": runs.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
        })
    }
}
