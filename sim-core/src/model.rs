//! What a simulated thing is, and what it may do while it handles an event.

use crate::digest::Trajectory;
use crate::queue::{Class, Engine, EventQueue, Timer};
use crate::time::{SimDuration, SimTime};

/// A simulated thing: state, a closed set of events, and what each of them does.
pub trait Model {
    /// Everything that can happen. A small value: ids, not payloads.
    type Event;

    /// Handles one event at `ctx.now()`. Runs to completion; what was true at the top is still true at
    /// the bottom unless this code changed it.
    fn handle(&mut self, event: Self::Event, ctx: &mut Context<Self::Event>);
}

/// One line of the trajectory: what happened to whom. Kept only while a stretch is being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The number of the event, from 0.
    pub event: u64,
    /// When.
    pub time: SimTime,
    /// The kind of event: an explicit discriminant of the model.
    pub kind: u16,
    /// Which attempt of the request, from 1; 0 where there is none.
    pub attempt: u16,
    /// How it ended, if it did; a discriminant of the model.
    pub outcome: u16,
    /// The stable hash of the entity's path.
    pub entity: u64,
    /// The request's key.
    pub request: u64,
    /// One more number, whatever the kind says it is.
    pub detail: u64,
}

/// The engine as a model sees it: the clock, the queue, and the witness stand.
#[derive(Clone)]
pub struct Context<E> {
    pub(crate) now: SimTime,
    pub(crate) queue: EventQueue<E>,
    pub(crate) trajectory: Trajectory,
    pub(crate) recording: Option<Recording>,
    pub(crate) stopped: Option<String>,
    /// After how many events the loop looks up from its work: at the next checkpoint, at a limit, or at
    /// once. One comparison per event instead of four.
    pub(crate) look_up: u64,
}

#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) events: std::ops::Range<u64>,
    pub(crate) witnesses: Vec<Witness>,
}

impl<E> Context<E> {
    pub(crate) fn new(engine: Engine) -> Self {
        Context {
            now: SimTime::ZERO,
            queue: EventQueue::new(engine),
            trajectory: Trajectory::default(),
            recording: None,
            stopped: None,
            look_up: 0,
        }
    }

    /// The present.
    #[inline]
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Schedules `event` at `at`, which must not be in the past. At one instant ends come before beginnings; events
    /// of one instant and one class happen in the order in which they were scheduled.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, class: Class, event: E) -> Timer {
        assert!(at >= self.now, "an event was scheduled in the past");
        self.queue.schedule(at, class, event)
    }

    /// Schedules a beginning at `at`, which must not be in the past.
    #[inline]
    pub fn schedule_at(&mut self, at: SimTime, event: E) -> Timer {
        self.schedule(at, Class::Begin, event)
    }

    /// Schedules a beginning after `delay`.
    #[inline]
    pub fn schedule_in(&mut self, delay: SimDuration, event: E) -> Timer {
        self.queue.schedule(self.now + delay, Class::Begin, event)
    }

    /// Whether everything has happened that comes before the beginnings of this instant. Whoever would begin
    /// something within the event that ends something else asks first, and schedules it for now if not.
    #[inline]
    pub fn may_begin(&mut self) -> bool {
        !self.queue.is_due(self.now, Class::Timeout)
    }

    /// Takes a scheduled event back. `None` if it has happened or was taken back before.
    #[inline]
    pub fn cancel(&mut self, timer: Timer) -> Option<E> {
        self.queue.cancel(timer)
    }

    /// How many events are pending.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// States what this event was, for the trajectory digest. `kind`, `attempt` and `outcome` are the
    /// model's own discriminants, `entity` the hash of a path, `request` a key that does not depend on
    /// the order of creation.
    #[inline]
    pub fn witness(&mut self, kind: u16, attempt: u16, outcome: u16, entity: u64, request: u64, detail: u64) {
        let what = u64::from(kind) << 32 | u64::from(attempt) << 16 | u64::from(outcome);
        self.trajectory.witness(self.now.as_nanos(), what, entity, request, detail);
        if self.recording.is_some() {
            self.record(Witness {
                event: 0,
                time: self.now,
                kind,
                attempt,
                outcome,
                entity,
                request,
                detail,
            });
        }
    }

    #[cold]
    fn record(&mut self, mut witness: Witness) {
        // The event being handled is already counted.
        witness.event = self.trajectory.events().saturating_sub(1);
        let recording = self.recording.as_mut().expect("checked by the caller");
        if recording.events.contains(&witness.event) {
            recording.witnesses.push(witness);
        }
    }

    /// Ends the run after this event, because a limit of the model was reached.
    pub fn stop(&mut self, reason: String) {
        self.stopped.get_or_insert(reason);
        self.look_up = 0;
    }
}
