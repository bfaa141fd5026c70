//! The runs that a search asks for.

use crate::app::App;
use crate::args::Bounds;
use crate::diagnostics;
use crate::error::{Error, Result};
use crate::experiment::{Opened, Prepared};
use crate::memory::Memory;
use crate::progress::Meter;
use crate::replay::Replay;
use crate::signal::Interrupt;
use crate::simulate::{simulate_from, trunk};
use crate::study::settle::{Leg, Settling};
use crate::study::trunks::{Trunks, begin};
use sim_core::{SimDuration, SimTime};
use sim_models::Trunk;
use sim_models::experiment::{Failed, Resolved};
use sim_models::report::Report;
use std::path::PathBuf;
use std::sync::Arc;
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
    trunks: Trunks,
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
            trunks: Trunks::default(),
            made: AtomicUsize::new(0),
            cut_short: AtomicUsize::new(0),
        }
    }

    /// One run. If others are like it until an instant, it begins with them.
    pub fn journey(
        &self,
        set: &[(String, String)],
        seed: u64,
        alike_until: Option<SimTime>,
    ) -> Result<Journey<'_>> {
        let own = self.resolved(set)?.run;
        let settling = Settling::new(&own, self.start.settle.unwrap_or(1));
        let longest = settling.longest();
        let whole = self.prepare(set, seed, longest)?;
        let journey = Journey {
            runs: self,
            set: set.to_vec(),
            seed,
            own: own.duration,
            settling,
            whole,
            state: None,
            room: true,
            told: false,
        };
        let state = match alike_until {
            Some(before) if self.interrupt.exit().is_none() => {
                let state = begin(&self.trunks, &journey.whole, &self.start.bounds, &self.interrupt, before)?;
                let memory = self.interrupt.memory();
                state.filter(|state| state.bytes <= Memory::kept(memory).max(Memory::together(memory)))
            }
            _ => None,
        };
        Ok(Journey { state, ..journey })
    }

    /// A run of another length than is set.
    fn prepare(
        &self,
        set: &[(String, String)],
        seed: u64,
        duration: Option<SimDuration>,
    ) -> Result<Prepared> {
        let Start { opened, variant, .. } = &self.start;
        let mut set = self.start.with(set);
        if let Some(longer) = duration.map(Leg::setting) {
            set.retain(|(path, _)| *path != longer.0);
            set.push(longer);
        }
        let prepared = opened.prepare(self.dir.as_deref(), *variant, &set, Some(seed));
        prepared.map_err(|failed| self.invalid(&failed))
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

/// One run on its way, which may be looked at before its end.
pub struct Journey<'a> {
    runs: &'a Runs<'a>,
    set: Settings,
    seed: u64,
    own: SimDuration,
    settling: Settling,
    /// The longest that it may become.
    whole: Prepared,
    /// Where it stands, if that is kept.
    state: Option<Arc<Trunk>>,
    /// Whether there is room to keep where it stands later on.
    room: bool,
    /// Whether it was counted.
    told: bool,
}

impl Journey<'_> {
    /// What it comes to if it ends after so long; none if a signal came first. It can go on from there.
    pub fn look(&mut self, after: SimDuration) -> Result<Option<Report>> {
        self.leg(Leg { longer: Some(after), more: true })
    }

    /// What it comes to at its end, or when it is decided; none if a signal came first.
    pub fn end(mut self) -> Result<Option<Report>> {
        let settling = self.settling.clone();
        let report = settling.settle(|leg| self.leg(leg), |report| report)?;
        let cut_short = report.as_ref().is_some_and(|report| report.stopped.is_some());
        self.runs.cut_short.fetch_add(usize::from(cut_short), Ordering::Relaxed);
        Ok(report)
    }

    fn leg(&mut self, leg: Leg) -> Result<Option<Report>> {
        let Runs { interrupt, start, .. } = self.runs;
        if interrupt.exit().is_some() {
            return Ok(None);
        }
        if leg.more && self.room {
            let end = SimTime::ZERO + leg.longer.unwrap_or(self.own);
            if let Some(further) = trunk(self.state.as_deref(), &self.whole, &start.bounds, interrupt, end)? {
                // A copy of it goes on while it is kept: it is made again where both would be too much.
                self.room = further.bytes <= Memory::kept(interrupt.memory());
                if self.room {
                    self.state = Some(Arc::new(further));
                }
            }
        }
        let prepared = self.runs.prepare(&self.set, self.seed, leg.longer)?;
        let report = simulate_from(self.state.as_deref(), &prepared, &start.bounds, interrupt)?.report;
        // A signal that came while it ran has cut it short: a part says nothing.
        if interrupt.exit().is_some() {
            return Ok(None);
        }
        if !std::mem::replace(&mut self.told, true) {
            self.runs.meter.run_done();
            self.runs.made.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Some(report))
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
