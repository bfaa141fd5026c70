//! The runs that a search asks for.

use crate::app::App;
use crate::args::Bounds;
use crate::diagnostics;
use crate::error::{Error, Result};
use crate::experiment::Opened;
use crate::progress::Meter;
use crate::replay::Replay;
use crate::signal::Interrupt;
use crate::simulate::simulate;
use crate::study::settle::Settling;
use sim_models::experiment::{Failed, Resolved};
use sim_models::report::Report;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Settings, as `--set` takes them.
pub type Settings = Vec<(String, String)>;

/// What a search begins with: an experiment in a variant that it has, with values that are set in every run.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    /// The experiment.
    pub opened: &'a Opened,
    /// The variant; none is the base.
    pub variant: Option<&'a str>,
    /// What is set whatever else is.
    pub fixed: &'a [(String, String)],
    /// What that comes to.
    pub base: &'a Resolved,
    /// How far a run may go.
    pub bounds: Bounds,
    /// How many times as long as the experiment's own a run may be until it is decided; none does not run on.
    pub settle: Option<u32>,
}

impl Start<'_> {
    /// What is set in a run with these values.
    fn with(&self, set: &[(String, String)]) -> Settings {
        self.fixed.iter().chain(set).cloned().collect()
    }

    /// Finds out whether a run with these values could be made.
    pub fn check(&self, app: &App, set: &[(String, String)]) -> Result<()> {
        app.prepare(self.opened, self.variant, &self.with(set), None).map(|_| ())
    }

    /// The command that makes one run with these values, exactly as the search made it.
    pub fn line(&self, app: &App, set: &[(String, String)], seed: u64) -> String {
        let replay = Replay {
            program: app.program.clone(),
            dir: app.global.dir.clone(),
            experiment: self.opened.found.argument.clone(),
            variant: self.variant.map(String::from),
            set: self.with(set),
            seed,
            max_memory: app.global.max_memory,
        };
        replay.bounded_line("run", &self.bounds)
    }
}

/// What makes runs, from any thread, and counts them.
pub struct Runs<'a> {
    start: Start<'a>,
    dir: Option<PathBuf>,
    interrupt: Interrupt,
    meter: &'a Meter,
    /// Whether there is colour on stderr, and its width: for what is wrong with a setting.
    stderr: (bool, usize),
    made: AtomicUsize,
    cut_short: AtomicUsize,
}

impl<'a> Runs<'a> {
    /// The runs of a search.
    pub fn new(app: &App, start: Start<'a>, meter: &'a Meter) -> Self {
        Runs {
            start,
            dir: app.global.dir.clone(),
            interrupt: app.console.interrupt.clone(),
            meter,
            stderr: (app.console.stderr_color(), app.console.stderr_width()),
            made: AtomicUsize::new(0),
            cut_short: AtomicUsize::new(0),
        }
    }

    /// The report of one run, which runs on until it is decided if that is asked for; none if a signal came first.
    pub fn report(&self, set: &[(String, String)], seed: u64) -> Result<Option<Report>> {
        let Some(most) = self.start.settle else { return self.once(set, seed) };
        let own = self.resolved(set)?.run;
        let run = |longer: Option<&(String, String)>| {
            let set: Settings = set.iter().chain(longer).cloned().collect();
            self.once(&set, seed)
        };
        Settling::new(&own, most).settle(run, |report| report)
    }

    /// The report of one run of the length that is set, decided or not.
    pub fn once(&self, set: &[(String, String)], seed: u64) -> Result<Option<Report>> {
        if self.interrupt.exit().is_some() {
            return Ok(None);
        }
        let Start { opened, variant, bounds, .. } = &self.start;
        let prepared = opened.prepare(self.dir.as_deref(), *variant, &self.start.with(set), Some(seed));
        let prepared = prepared.map_err(|failed| self.invalid(&failed))?;
        let report = simulate(&prepared, bounds, None, &self.interrupt, None)?.report;
        // A signal that came while it ran has cut it short: a part says nothing.
        if self.interrupt.exit().is_some() {
            return Ok(None);
        }
        self.meter.run_done();
        self.made.fetch_add(1, Ordering::Relaxed);
        self.cut_short.fetch_add(usize::from(report.stopped.is_some()), Ordering::Relaxed);
        Ok(Some(report))
    }

    /// What would be run.
    pub fn resolved(&self, set: &[(String, String)]) -> Result<Resolved> {
        let Start { opened, variant, .. } = &self.start;
        opened.experiment.with(*variant, &self.start.with(set)).map_err(|failed| self.invalid(&failed))
    }

    fn invalid(&self, failed: &Failed) -> Error {
        let (colour, width) = self.stderr;
        Error::Invalid { rendered: diagnostics::render(&failed.diagnostics, &failed.sources, colour, width) }
    }

    /// How many runs were made.
    pub fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    /// How many of them a limit cut short.
    pub fn cut_short(&self) -> usize {
        self.cut_short.load(Ordering::Relaxed)
    }
}

/// The exit code of a search, and what a reader must know before believing its result.
pub fn incomplete(runs: &Runs, app: &App, missing: Option<String>) -> (crate::error::Exit, Vec<String>) {
    let mut notes: Vec<String> = Vec::new();
    let mut exit = crate::error::Exit::Good;
    if runs.cut_short() > 0 {
        exit = crate::error::Exit::Limit;
        let (cut, made) = (runs.cut_short(), runs.made());
        notes.push(format!("a limit cut {cut} of {made} runs short: they cover only what was reached"));
    }
    if let (Some(missing), Some(signal)) = (missing, app.console.interrupt.exit()) {
        exit = signal;
        notes.insert(0, format!("interrupted: {missing}"));
    }
    (exit, notes)
}
