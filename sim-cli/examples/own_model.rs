//! A model of one's own, with the whole command line: threads in front of a lock, and the convoy that they form.
//!
//! ```text
//! cargo run --release --example own_model -- run convoy
//! cargo run --release --example own_model -- compare convoy
//! cargo run --release --example own_model -- run convoy --set next=Barging --out results
//! ```
//!
//! This file is what a crate of your own would be. Read it from top to bottom: the doc says what is simulated and why it is
//! true, [`Lock`] is what a user may write, [`Event`] is everything that can happen, [`Threads`] is what runs, and
//! [`ENTRY`] puts it into the catalog. Files, overrides, variants, sweeps, pages and messages come from outside.
//!
//! **Mechanism.** A lock is held for a moment. Whoever finds it free takes it and runs on; whoever finds it held sleeps, and
//! waking up takes longer than the moment. A *fair* lock is handed to the sleeper who came first, so it is nobody's while he
//! wakes up: behind a queue it serves one in `hold + wake`, without a queue one in `hold`. As soon as chance forms a queue
//! it is served so slowly that it stays: the convoy of Blasgen, Gray, Mitoma and Price (1979).
//!
//! **Cure.** Whoever runs may take a free lock before the sleeper is awake (*barging*). That is unfair, and works.
//!
//! **Exact.** While `rate (hold + wake) < 1` and nobody is turned away, a fair lock is a queue whose first customer is served
//! faster than the others, and is found free with probability `(1 - rate (hold + wake)) / (1 - rate wake)` (Welch, 1964).
//!
//! **Left out.** Processors: a thread that is awake always runs.

use sim_core::sampler::standard_exponential;
use sim_core::{
    Class, Context, Key, Luck, Model, Rate, SimDuration, SimTime, StreamUse, Streams, Witness, digest,
};
use sim_models::catalog::Bundled;
use sim_models::distribution::TimeDistribution;
use sim_models::drive::{self, Drive, Mark};
use sim_models::experiment::POSITIVE;
use sim_models::policy::Outcome;
use sim_models::report::{Better, Fold, Meter, Report, Section, Unit, Value, judge};
use sim_models::run::{Explanation, Observer, Regime, RunOptions, RunOutput, TrajectoryLine};
use sim_models::{Catalog, Entry, RunSpec, Scenario};
use std::collections::VecDeque;

/// The program: the models of brownout, and ours.
fn main() -> std::process::ExitCode {
    sim_cli::main_with(&catalog())
}

/// What the program can simulate.
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::bundled();
    catalog.add(ENTRY);
    catalog
}

/// The catalog's line. The version grows when the same experiment would give another result.
pub const ENTRY: Entry =
    Entry::of::<Lock>("Lock", "threads in front of one lock, and the convoy that they form", 1)
        .with(&[Bundled { family: "locks", name: "convoy", text: CONVOY }]);

/// An experiment that comes with the program. A file of its own and `include_str!` do as well.
const CONVOY: &str = r#"(
    about: "A fair lock is used for a fifth of the time, until chance forms a queue: then it serves less than half.",
    model: Lock(arrivals: "10000/s", hold: Exponential(mean: "20us"), wake: "200us"),
    run: (duration: "5s", warm_up: "500ms", window: "100ms", seed: 42),
    variants: {
        "barging": {"next": Barging},
        "quiet": {"arrivals": "2000/s", "threads": None},
    },
    sweep: {"arrivals": ["2000/s", "4000/s", "8000/s"]},
    expect: [
        (metric: "success", at_most: 0.5),
        (variant: "barging", metric: "success", at_least: 0.999),
        (variant: "quiet", metric: "lock.found_free", equals: 0.933, within: 0.02),
    ],
)
"#;

// What a user may write. `spec!` makes of it the decoder with its messages, the defaults, the canonical form, and what
// `list models Lock` shows. A default follows `=`, a rule follows `;`.
sim_models::spec! {
    /// Threads that need one lock, each for a moment.
    pub struct Lock {
        /// How often a thread needs it, independent of the others.
        arrivals: Rate; POSITIVE,
        /// For how long.
        hold: TimeDistribution,
        /// From being chosen until a thread that sleeps is awake.
        wake: SimDuration = SimDuration::from_micros(50),
        /// Who has it next.
        next: Next = Next::Fair,
        /// So many may sleep; whoever comes then is turned away. Absent means any number.
        threads: Option<u32> = Some(64),
    }
}

sim_models::spec! {
    /// Who has the lock next.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Next {
        /// Who came first: it is his as soon as it is free, though he has to wake up.
        Fair,
        /// Who is awake: who came first is woken, and finds it free or not.
        Barging,
    }
}

/// Everything that can happen. Small values: ids, not payloads.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A thread needs the lock.
    Arrival,
    /// The thread that was woken runs.
    Awake,
    /// The lock is given back.
    Release,
}

/// Kinds of event in the digest of the trajectory. They never change, or old digests would not be comparable.
const ARRIVAL: u16 = 1;
const AWAKE: u16 = 2;
const RELEASE: u16 = 3;

/// One thread: the how manieth it is, and when it came.
#[derive(Clone, Copy)]
struct Thread {
    ordinal: u64,
    came: SimTime,
}

/// What runs.
struct Threads<'a> {
    spec: &'a Lock,
    /// All luck comes from named streams, addressed by thread: whatever a variant changes, thread 4711 comes at the same
    /// time and holds the lock for as long.
    arrivals: Luck,
    holds: Luck,
    path: u64,
    come: u64,
    /// A fair lock has a holder while that one wakes up.
    holder: Option<Thread>,
    asleep: VecDeque<Thread>,
    /// Somebody is waking up; an [`Event::Awake`] is pending.
    waking: bool,
    meter: Meter,
    measured_from: SimTime,
    /// After the warm-up: how many came, and how many of them found it free.
    free: (u64, u64),
    queue: Vec<f64>,
}

impl Model for Threads<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Context<Event>) {
        match event {
            Event::Arrival => self.arrival(ctx),
            Event::Awake => self.awake(ctx),
            Event::Release => self.release(ctx),
        }
    }
}

impl<'a> Threads<'a> {
    fn new(spec: &'a Lock, run: &RunSpec, streams: &Streams) -> Self {
        Threads {
            spec,
            arrivals: streams.luck("arrivals", "threads"),
            holds: streams.luck("hold", "lock"),
            path: digest::hash_text("threads"),
            come: 0,
            holder: None,
            asleep: VecDeque::new(),
            waking: false,
            meter: Meter::new(run, None),
            measured_from: SimTime::ZERO + run.warm_up,
            free: (0, 0),
            queue: Vec::new(),
        }
    }

    fn key(&self, ordinal: u64) -> Key {
        Key::root(self.path, ordinal)
    }

    /// Gaps are those of a rate of one, divided: another rate has the same luck.
    fn schedule_arrival(&mut self, ctx: &mut Context<Event>) {
        let gap = standard_exponential(&mut self.arrivals.at(self.key(self.come)));
        ctx.schedule_in(SimDuration::from_nanos_f64(gap * 1e9 / self.spec.arrivals.get()), Event::Arrival);
    }

    fn arrival(&mut self, ctx: &mut Context<Event>) {
        let thread = Thread { ordinal: self.come, came: ctx.now() };
        self.come += 1;
        self.schedule_arrival(ctx);
        self.witness(ARRIVAL, thread, ctx);
        self.meter.started(ctx.now());
        let free = self.holder.is_none();
        if ctx.now() >= self.measured_from {
            self.free = (self.free.0 + 1, self.free.1 + u64::from(free));
        }
        if free {
            self.take(thread, ctx);
        } else if self.spec.threads.is_some_and(|most| self.asleep.len() >= most as usize) {
            self.meter.ended(ctx.now(), SimDuration::ZERO, Outcome::Rejected);
        } else {
            self.asleep.push_back(thread);
        }
    }

    /// A thread that runs takes the lock.
    fn take(&mut self, thread: Thread, ctx: &mut Context<Event>) {
        self.holder = Some(thread);
        let hold = self.spec.hold.sample(&mut self.holds.at(self.key(thread.ordinal)));
        ctx.schedule(ctx.now() + hold, Class::End, Event::Release);
    }

    fn release(&mut self, ctx: &mut Context<Event>) {
        let thread = self.holder.take().expect("only a holder gives it back");
        self.witness(RELEASE, thread, ctx);
        self.meter.ended(ctx.now(), ctx.now().since(thread.came), Outcome::Ok);
        if self.spec.next == Next::Fair {
            self.holder = self.asleep.pop_front();
        }
        let chosen = self.holder.or(self.asleep.front().copied());
        if chosen.is_some() && !self.waking {
            self.waking = true;
            ctx.schedule_in(self.spec.wake, Event::Awake);
        }
    }

    fn awake(&mut self, ctx: &mut Context<Event>) {
        self.waking = false;
        let thread = match (self.spec.next, self.holder) {
            (Next::Fair, Some(holder)) => holder,
            (Next::Fair, None) => unreachable!("a fair lock is kept for the thread that wakes up"),
            // Somebody was faster: it sleeps on, first in the queue, and is woken again.
            (Next::Barging, Some(_)) => return,
            (Next::Barging, None) => self.asleep.pop_front().expect("the thread that was woken slept"),
        };
        self.witness(AWAKE, thread, ctx);
        self.take(thread, ctx);
    }

    /// What happened, for the digest, and for `diff`, which shows where two runs part.
    fn witness(&self, kind: u16, thread: Thread, ctx: &mut Context<Event>) {
        ctx.witness(kind, 0, 0, self.path, self.key(thread.ordinal).get(), self.asleep.len() as u64);
    }

    /// Writes down what was measured.
    fn fill(self, reached: SimTime, report: &mut Report) {
        self.meter.fill("threads->lock", reached, report);
        let mut lock = self.spec.section();
        let (came, free) = self.free;
        lock.set("found_free", (came > 0).then(|| free as f64 / came as f64));
        lock.draw("asleep", self.queue);
        report.sections.push(lock);
        judge(report);
    }
}

// What every run needs besides events: how it begins, what is looked at when a window is over, which streams were drawn
// from, and what an event is called.
impl Drive for Threads<'_> {
    fn begin(&mut self, ctx: &mut Context<Event>) {
        self.schedule_arrival(ctx);
    }

    fn mark(&mut self, mark: Mark, _now: SimTime) {
        if mark == Mark::WindowEnds {
            self.meter.close_window();
            self.queue.push(self.asleep.len() as f64);
        }
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        vec![
            (Streams::name("arrivals", "threads"), self.arrivals.used()),
            (Streams::name("hold", "lock"), self.holds.used()),
        ]
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        line.what = ["", "needs the lock", "is awake", "gives it back"][usize::from(witness.kind)].into();
        line.entity = "a thread".into();
        line.note = format!("{} asleep", witness.detail);
    }
}

impl Scenario for Lock {
    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        let build = |streams: &Streams| Threads::new(self, run, streams);
        drive::run(run, options, observer, build, |threads, reached, output| {
            threads.fill(reached, &mut output.report);
        })
    }

    fn sections(&self, _run: &RunSpec) -> Vec<Section> {
        vec![self.section()]
    }

    /// What is known without a run.
    fn explain(&self, _run: &RunSpec) -> Explanation {
        let [alone, queued] = self.loads();
        let serves = |load: f64| self.arrivals.get() / load;
        let notes = vec![
            format!("without a queue it serves {:.0} a second, {alone:.2} of that is needed", serves(alone)),
            format!("a fair lock with a queue serves {:.0} a second: a load of {queued:.2}", serves(queued)),
        ];
        let regime = match self.next {
            _ if alone >= 1.0 => Some(Regime::Overloaded),
            Next::Fair if queued >= 1.0 => Some(Regime::Vulnerable),
            Next::Fair => Some(Regime::Stable),
            // How fast sleepers find their turn depends on luck: nothing is claimed.
            Next::Barging => None,
        };
        Explanation { notes, regime, ..Explanation::default() }
    }
}

impl Lock {
    /// What is measured besides calls. It says itself what it is, so that every page, table and comparison has it.
    fn section(&self) -> Section {
        let exact = self.found_free();
        let found_free = Value {
            source: exact.map_or("", |_| "a queue whose first customer is served faster").into(),
            exact,
            ..Value::new(Unit::Share, "threads that found the lock free").better(Better::More).headline()
        };
        Section::new("lock", "")
            .value("found_free", found_free)
            .value(
                "asleep_mean",
                Value::new(Unit::Plain, "threads asleep when a window ends, on average")
                    .of_windows(Fold::Mean("asleep".into())),
            )
            .line("asleep", Unit::Plain, "Threads that sleep at the end of the window.")
            .up_to(self.threads.map(f64::from))
    }

    /// The load of a lock without a queue, and of a fair one with a queue.
    fn loads(&self) -> [f64; 2] {
        let hold = self.hold.mean().as_secs_f64();
        [hold, hold + self.wake.as_secs_f64()].map(|time| self.arrivals.get() * time)
    }

    /// The probability to find it free, where that is known.
    fn found_free(&self) -> Option<f64> {
        let [alone, queued] = self.loads();
        let known = self.next == Next::Fair && self.threads.is_none() && queued < 1.0;
        known.then(|| (1.0 - queued) / (1.0 - queued + alone))
    }
}
