//! The loop: take the earliest event, move the clock, hand it over.

use crate::digest::Trajectory;
use crate::model::{Context, Model, Recording, Witness};
use crate::queue::Engine;
use crate::time::SimTime;
use std::ops::Range;

/// Bounds that no run crosses, whatever it simulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events in all.
    pub events: u64,
    /// Events at one instant: a loop without delay would otherwise never let time pass. A million users who
    /// think for a second, all begun at zero, are no loop.
    pub events_at_one_instant: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { events: 1_000_000_000, events_at_one_instant: 20_000_000 }
    }
}

/// Why a run came to a halt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The time asked for was reached.
    Reached,
    /// Nothing is left to happen.
    Drained,
    /// [`Limits::events`].
    Events(u64),
    /// [`Limits::events_at_one_instant`]: time stands still.
    Instant(SimTime),
    /// A limit of the model's own, in its words.
    Model(String),
    /// [`Simulation::pause_every`]: nothing is wrong, and whoever drives it may see to other things and go on.
    Paused,
}

/// A model and the engine that drives it.
pub struct Simulation<M: Model> {
    model: M,
    context: Context<M::Event>,
    limits: Limits,
    at_this_instant: u64,
    /// It pauses every so many events, and next after so many.
    pause_every: u64,
    pause: u64,
}

/// The same state once more, to go on from in another way.
impl<M: Model + Clone> Clone for Simulation<M>
where
    M::Event: Clone,
{
    fn clone(&self) -> Self {
        Simulation { model: self.model.clone(), context: self.context.clone(), ..*self }
    }
}

impl<M: Model> Simulation<M> {
    /// A simulation at time zero with nothing scheduled.
    pub fn new(model: M) -> Self {
        Self::with_engine(model, Engine::default(), Limits::default())
    }

    /// The same on a chosen queue and with chosen limits.
    pub fn with_engine(model: M, engine: Engine, limits: Limits) -> Self {
        Simulation {
            model,
            context: Context::new(engine),
            limits,
            at_this_instant: 0,
            pause_every: u64::MAX,
            pause: u64::MAX,
        }
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The model, to look into or to change between events.
    pub fn model_mut(&mut self) -> &mut M {
        &mut self.model
    }

    /// The engine, to schedule what starts it all.
    pub fn context(&mut self) -> &mut Context<M::Event> {
        &mut self.context
    }

    /// Both at once.
    pub fn parts(&mut self) -> (&mut M, &mut Context<M::Event>) {
        (&mut self.model, &mut self.context)
    }

    /// The model, when the run is over.
    pub fn into_model(self) -> M {
        self.model
    }

    /// The present.
    pub fn now(&self) -> SimTime {
        self.context.now
    }

    /// What has happened so far, as a digest.
    pub fn trajectory(&self) -> &Trajectory {
        &self.context.trajectory
    }

    /// Keeps what is witnessed during these events (numbered from 0), to find the first difference
    /// between two runs.
    pub fn record(&mut self, events: Range<u64>) {
        self.context.recording = Some(Recording { events, witnesses: Vec::new() });
    }

    /// What was kept.
    pub fn recorded(&mut self) -> Vec<Witness> {
        self.context.recording.take().map_or_else(Vec::new, |recording| recording.witnesses)
    }

    /// Makes [`run_until`](Self::run_until) come back every so many events, to be called again. Nothing that happens depends
    /// on it.
    pub fn pause_every(&mut self, events: u64) {
        self.pause_every = events;
        self.pause = self.trajectory().events() + events;
        self.context.look_up = 0;
    }

    /// Handles the next event, if there is one.
    pub fn step(&mut self) -> Option<SimTime> {
        self.context.trajectory.checkpoint();
        let (time, event) = self.context.queue.pop()?;
        self.dispatch(time, event);
        Some(time)
    }

    #[inline(always)]
    fn dispatch(&mut self, time: SimTime, event: M::Event) {
        if time > self.context.now {
            self.context.now = time;
            self.at_this_instant = 1;
        } else {
            assert!(time == self.context.now, "time went back");
            self.at_this_instant += 1;
            if self.at_this_instant > self.limits.events_at_one_instant {
                self.context.look_up = 0;
            }
        }
        self.context.trajectory.count_event();
        self.model.handle(event, &mut self.context);
    }

    /// Handles every event before `end` (an event at `end` itself is left for later), then moves the
    /// clock to `end`; if nothing is left, it stays where the last event was.
    pub fn run_until(&mut self, end: SimTime) -> Stop {
        loop {
            if self.context.trajectory.events() >= self.context.look_up
                && let Some(stop) = self.look_up()
            {
                return stop;
            }
            let Some((time, event)) = self.context.queue.pop_before(end) else { break };
            self.dispatch(time, event);
        }
        if self.context.queue.is_empty() {
            return Stop::Drained;
        }
        self.context.now = self.context.now.max(end);
        self.at_this_instant = 0;
        Stop::Reached
    }

    /// Whatever need not be seen to after every event.
    #[cold]
    fn look_up(&mut self) -> Option<Stop> {
        let context = &mut self.context;
        context.trajectory.checkpoint();
        let events = context.trajectory.events();
        let pause = events >= self.pause;
        if pause {
            self.pause = events + self.pause_every;
        }
        context.look_up = context.trajectory.next_checkpoint().min(self.limits.events).min(self.pause);
        if self.at_this_instant > self.limits.events_at_one_instant {
            return Some(Stop::Instant(context.now));
        }
        if events >= self.limits.events {
            return Some(Stop::Events(self.limits.events));
        }
        context.stopped.take().map(Stop::Model).or(pause.then_some(Stop::Paused))
    }
}
