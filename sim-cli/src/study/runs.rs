//! The runs that a search asks for.

use crate::app::App;
use crate::args::Bounds;
use crate::diagnostics;
use crate::error::{Error, Result};
use crate::experiment::Opened;
use crate::progress::Meter;
use crate::signal::Interrupt;
use crate::simulate::simulate;
use crate::study::wish::Wish;
use sim_models::experiment::{Failed, Resolved};
use sim_models::report::{Report, VerdictKind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Settings, as `--set` takes them.
pub type Settings = Vec<(String, String)>;

/// What makes runs, from any thread, and counts them.
pub struct Runs<'a> {
    opened: &'a Opened,
    dir: Option<PathBuf>,
    variant: Option<&'a str>,
    fixed: &'a [(String, String)],
    bounds: &'a Bounds,
    interrupt: Interrupt,
    meter: &'a Meter,
    /// Whether there is colour on stderr, and its width: for what is wrong with a setting.
    stderr: (bool, usize),
    made: AtomicUsize,
    cut_short: AtomicUsize,
}

impl<'a> Runs<'a> {
    /// Runs of an experiment in a variant that it has, with these values set whatever else is.
    pub fn new(
        app: &App,
        opened: &'a Opened,
        variant: Option<&'a str>,
        fixed: &'a [(String, String)],
        bounds: &'a Bounds,
        meter: &'a Meter,
    ) -> Self {
        Runs {
            opened,
            dir: app.global.dir.clone(),
            variant,
            fixed,
            bounds,
            interrupt: app.console.interrupt.clone(),
            meter,
            stderr: (app.console.stderr_color(), app.console.stderr_width()),
            made: AtomicUsize::new(0),
            cut_short: AtomicUsize::new(0),
        }
    }

    /// The report of one run; none if a signal came first.
    pub fn report(&self, set: &[(String, String)], seed: u64) -> Result<Option<Report>> {
        if self.interrupt.exit().is_some() {
            return Ok(None);
        }
        let set: Settings = self.fixed.iter().chain(set).cloned().collect();
        let prepared = self.opened.prepare(self.dir.as_deref(), self.variant, &set, Some(seed));
        let prepared = prepared.map_err(|failed| self.invalid(&failed))?;
        let report = simulate(&prepared, self.bounds, None, &self.interrupt, None)?.report;
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
        let set: Settings = self.fixed.iter().chain(set).cloned().collect();
        self.opened.experiment.with(self.variant, &set).map_err(|failed| self.invalid(&failed))
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

/// When a run has failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Collapse {
    /// By its verdict: it is failing, degraded, or has never recovered.
    Verdict,
    /// When this holds.
    When(Wish),
}

impl Collapse {
    /// Whether that is what happened.
    pub fn of(&self, report: &Report) -> Result<bool> {
        if let Collapse::When(wish) = self {
            return wish.held(report).map(|held| held.holds);
        }
        match report.verdict.kind {
            VerdictKind::Recovered | VerdictKind::Steady => Ok(false),
            VerdictKind::NeverRecovered | VerdictKind::Degraded | VerdictKind::Failing => Ok(true),
            // What no limit of calls or events held back was not judged, and is no success.
            _ if report.stopped.is_some() => Ok(true),
            VerdictKind::StillDisturbed => Err(Error::Usage {
                message: format!("it cannot be told whether that recovers: {}", report.verdict.headline),
                help: "  give the run more time, --set run.duration=10min, or say what failure is: --until 'success < 0.9'".into(),
            }),
            VerdictKind::Finding => Err(Error::Usage {
                message: format!("the verdict of {} neither holds nor fails: say what failure is", report.experiment),
                help: "  with --until 'METRIC < BOUND'; `brownout list metrics EXPERIMENT` names the metrics".into(),
            }),
        }
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
