//! Driving a model from its first event to its report: what every run of every model does alike.
//!
//! A model that handles events ([`Model`]) says with [`Drive`] how it begins, what it looks at when a window is over, and
//! from which streams it drew. [`run`] does the rest: limits, windows, the observer, the digest, the recorded stretch of the
//! trajectory. Only what was measured is the model's own, and is written into the report last.

use crate::RunSpec;
use crate::report::{DigestParts, Report, RunFacts};
use crate::run::{Observer, Progress, RunOptions, RunOutput, TrajectoryLine};
use sim_core::digest::Hex;
use sim_core::{
    Context, LONGEST, Model, SimTime, Simulation, Stop, StreamUse, Streams, Witness, cut_to_longest,
};

/// What a model that is run as an experiment has besides events.
pub trait Drive: Model + Sized {
    /// Schedules what happens first.
    fn begin(&mut self, ctx: &mut Context<Self::Event>);

    /// When the stretches begin that it tells apart, in order, besides the first: none before the warm-up is over.
    fn stretches(&self) -> Vec<SimTime> {
        Vec::new()
    }

    /// The warm-up or a window is over, or a stretch begins.
    fn mark(&mut self, _mark: Mark, _now: SimTime) {}

    /// Time stands still: what goes round, and what somebody can do about it, if that is known.
    fn goes_round(&self) -> Option<String> {
        None
    }

    /// Every stream that it was given, under its [name](Streams::name), and what was drawn from it. A run panics if one is
    /// missing, since its draws would be in no digest.
    fn streams(&self) -> Vec<(String, StreamUse)>;

    /// Puts into words what was witnessed; `line` has it in numbers. Without, a difference between two runs is shown as
    /// the numbers that the model itself gave to kinds, outcomes and entities.
    fn tell(&self, _witness: &Witness, _line: &mut TrajectoryLine) {}
}

/// The observer is asked every so many events, however long a window takes: some ten milliseconds of work, where even an
/// event is slow.
const PAUSE: u64 = 8_192;

/// A moment at which a model looks at itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Measurement begins.
    WarmUpEnds,
    /// The next of the model's stretches begins.
    StretchBegins,
    /// A window of the series is over.
    WindowEnds,
}

/// Runs what `build` makes of the random streams, to the end or to a limit. `fill` writes down what was measured: it is
/// given the model and how far the run came, and finds the facts of the run and its digest in the report.
pub fn run<M: Drive>(
    run: &RunSpec,
    options: &RunOptions,
    observer: Observer,
    build: impl FnOnce(&Streams) -> M,
    fill: impl FnOnce(M, SimTime, &mut RunOutput),
) -> RunOutput {
    let streams = Streams::new(options.seed);
    let mut halted = start(options, &streams, build);
    if let Some(events) = options.record.clone() {
        halted.simulation.record(events);
    }
    go_on(halted, &streams, run, observer, fill)
}

/// A run that has come to the end of a window. It may be copied, and gone on with in several ways.
pub struct Halted<M: Model> {
    /// Its state.
    pub simulation: Simulation<M>,
    /// The end of the window.
    pub reached: SimTime,
    /// How many times were cut to the longest there is until then.
    cut: u64,
}

impl<M: Model + Clone> Clone for Halted<M>
where
    M::Event: Clone,
{
    fn clone(&self) -> Self {
        Halted { simulation: self.simulation.clone(), reached: self.reached, cut: self.cut }
    }
}

/// What `build` makes, begun.
pub fn start<M: Drive>(
    options: &RunOptions,
    streams: &Streams,
    build: impl FnOnce(&Streams) -> M,
) -> Halted<M> {
    cut_to_longest();
    let mut simulation = Simulation::with_engine(build(streams), options.engine, options.limits);
    simulation.pause_every(PAUSE);
    let (model, ctx) = simulation.parts();
    model.begin(ctx);
    Halted { simulation, reached: SimTime::ZERO, cut: cut_to_longest() }
}

/// The end of the last window before an instant, if the run is not there yet and does not end by then.
pub fn last_window(run: &RunSpec, reached: SimTime, before: SimTime) -> Option<SimTime> {
    let windows = before.as_nanos().saturating_sub(1) / run.window.as_nanos().max(1);
    let until = SimTime::ZERO + run.window.saturating_mul(windows);
    (reached < until && until < SimTime::ZERO + run.duration).then_some(until)
}

/// Runs on to the end of a window. None if a limit or the observer came first.
pub fn halt<M: Drive>(
    halted: Halted<M>,
    run: &RunSpec,
    observer: Observer,
    until: SimTime,
) -> Option<Halted<M>> {
    cut_to_longest();
    let Halted { mut simulation, reached, cut } = halted;
    let Driven { reached, stopped } = run_windows(&mut simulation, run, observer, reached, until);
    stopped.is_none().then_some(Halted { simulation, reached, cut: cut + cut_to_longest() })
}

/// Runs on to the end, or to a limit: see [`run`].
pub fn go_on<M: Drive>(
    halted: Halted<M>,
    streams: &Streams,
    run: &RunSpec,
    observer: Observer,
    fill: impl FnOnce(M, SimTime, &mut RunOutput),
) -> RunOutput {
    cut_to_longest();
    let Halted { mut simulation, reached, cut } = halted;
    let end = SimTime::ZERO + run.duration;
    let Driven { reached, stopped } = run_windows(&mut simulation, run, observer, reached, end);
    let cut = cut + cut_to_longest();
    let report = Report {
        run: facts(&simulation, run),
        digest: digest(&simulation, streams),
        stopped,
        ..Report::default()
    };
    let witnesses = simulation.recorded();
    let model = simulation.into_model();
    let trajectory = witnesses.iter().map(|witness| line(witness, &model)).collect();
    let mut output = RunOutput { report, trajectory, ..RunOutput::default() };
    fill(model, reached, &mut output);
    if cut > 0 {
        let what = if cut == 1 { "1 time was".into() } else { format!("{cut} times were") };
        output.report.notes.push(format!(
            "{what} drawn that are longer than {}, the longest there is, and cut to it: no run sees them end",
            LONGEST.brief()
        ));
    }
    output
}

/// How far a run came.
struct Driven {
    /// The end, unless something cut the run short; also if nothing was left to happen before.
    reached: SimTime,
    /// The limit that cut it short, if one did.
    stopped: Option<String>,
}

/// Runs from the end of one window to that of another, and tells the model when the warm-up is over, when a stretch begins, and
/// at every multiple of a window. A window in which the run is cut short is not closed.
fn run_windows<M: Drive>(
    simulation: &mut Simulation<M>,
    run: &RunSpec,
    observer: Observer,
    from: SimTime,
    to: SimTime,
) -> Driven {
    let end = SimTime::ZERO + run.duration;
    let stretches = simulation.model_mut().stretches().into_iter().map(|at| (at, Mark::StretchBegins));
    let mut marks = std::iter::once((SimTime::ZERO + run.warm_up, Mark::WarmUpEnds))
        .chain(stretches)
        // What belongs to a window that is over has been told.
        .filter(|(at, _)| from == SimTime::ZERO || *at > from)
        .peekable();
    let mut reached = from;
    while reached < to {
        reached = (reached + run.window).min(end);
        let mut closed = false;
        while let Some((at, what)) = marks
            .next_if(|(at, _)| *at <= reached)
            .or_else(|| (!closed).then_some((reached, Mark::WindowEnds)))
        {
            closed |= what == Mark::WindowEnds;
            let stop = loop {
                match simulation.run_until(at) {
                    Stop::Paused if heard(simulation, simulation.now(), end, observer) => {
                        let reached = simulation.now();
                        return Driven { reached, stopped: Some(interrupted(reached)) };
                    }
                    Stop::Paused => {}
                    stop => break stop,
                }
            };
            if let Some(reason) = cut_short(stop, simulation.model()) {
                return Driven { reached: simulation.now(), stopped: Some(reason) };
            }
            simulation.model_mut().mark(what, at);
        }
        if heard(simulation, reached, end, observer) {
            return Driven { reached, stopped: Some(interrupted(reached)) };
        }
    }
    Driven { reached, stopped: None }
}

/// Tells the observer where the run stands, and hears whether it is to end.
fn heard<M: Model>(simulation: &Simulation<M>, now: SimTime, end: SimTime, observer: Observer) -> bool {
    let events = simulation.trajectory().events();
    observer(Progress { now, end, events }).is_break()
}

fn interrupted(reached: SimTime) -> String {
    format!("interrupted at {reached}")
}

fn cut_short<M: Drive>(stop: Stop, model: &M) -> Option<String> {
    match stop {
        Stop::Reached | Stop::Drained | Stop::Paused => None,
        Stop::Events(limit) => Some(format!("{limit} events handled: the limit (--max-events)")),
        Stop::Instant(at) => {
            let why = model.goes_round().unwrap_or_else(|| "a loop of events without delay".into());
            Some(format!("time stands still at {at}: {why}"))
        }
        Stop::Model(reason) => Some(reason),
    }
}

/// The facts of a run that is over.
fn facts<M: Model>(simulation: &Simulation<M>, run: &RunSpec) -> RunFacts {
    RunFacts {
        duration: run.duration.as_nanos(),
        warm_up: run.warm_up.as_nanos(),
        window: run.window.as_nanos(),
        events: simulation.trajectory().events(),
        ..RunFacts::default()
    }
}

/// The trajectory's and the randomness' part of the digest.
fn digest<M: Drive>(simulation: &Simulation<M>, streams: &Streams) -> DigestParts {
    let (every, checkpoints) = simulation.trajectory().checkpoints();
    DigestParts {
        t: Hex(simulation.trajectory().finish()).to_string(),
        r: Hex(streams.digest(simulation.model().streams())).to_string(),
        every,
        checkpoints: checkpoints.iter().map(|&checkpoint| Hex(checkpoint).to_string()).collect(),
        ..DigestParts::default()
    }
}

/// One line of what was recorded.
fn line<M: Drive>(witness: &Witness, model: &M) -> TrajectoryLine {
    let mut line = TrajectoryLine {
        event: witness.event,
        time: witness.time,
        what: format!("event of kind {}", witness.kind),
        entity: Hex(witness.entity).to_string(),
        request: witness.request,
        attempt: witness.attempt,
        outcome: if witness.outcome > 0 { format!("outcome {}", witness.outcome) } else { String::new() },
        detail: witness.detail,
        note: String::new(),
    };
    model.tell(witness, &mut line);
    line
}
