//! A model small enough to test the file with: what real ones use, nothing they do.

use sim_core::{Rate, SimDuration};

use crate::catalog::{Catalog, Entry, Scenario};
use crate::experiment::{
    Decode, Decoder, Experiment, Failed, Len, Map, NOT_EMPTY, Name, Node, POSITIVE, RunSpec, Spanned, TypeDoc,
};
use crate::run::{Observer, RunOptions, RunOutput};

spec! {
    /// Services that call each other.
    pub struct Toy where check {
        /// Who sends requests.
        workload: Vec<Load>; NOT_EMPTY,
        /// What answers them.
        services: Map<Service>; NOT_EMPTY,
        /// How callers behave.
        policies: Map<Policy> = Map::default(),
    }
}

spec! {
    /// A source of requests.
    pub struct Load {
        /// The service that gets them.
        to: Spanned<String>; Name,
        /// When they come.
        arrivals: Arrivals,
    }
}

spec! {
    /// The pattern of arrivals.
    pub enum Arrivals {
        /// Independent of each other.
        Poisson(rate: Rate; POSITIVE),
        /// In batches.
        Batch(size: u32; 1.., every: SimDuration; POSITIVE),
    }
}

spec! {
    /// A service.
    pub struct Service {
        /// Calls served at once.
        workers: u32 = 8; 1..=10_000,
        /// How long the work takes.
        work: Work,
        /// Calls it makes.
        calls: Vec<Call> = Vec::new(); Len(0..=100),
        /// Share of calls that fail.
        failing: f64 = 0.0; 0.0..=1.0,
    }
}

spec! {
    /// A distribution of times.
    pub enum Distribution {
        /// Always the same.
        Constant(time: SimDuration),
        /// Memoryless.
        Exponential { mean: SimDuration; POSITIVE },
        /// Skewed, as most are.
        LogNormal { median: SimDuration; POSITIVE, p99: Option<SimDuration> = None },
    }
}

/// A distribution, or a plain duration for a constant.
#[derive(Clone, Debug)]
pub struct Work(pub Distribution);

impl Decode for Work {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        if node.is_text() {
            return SimDuration::decode(node, cx).map(|time| Work(Distribution::Constant(time)));
        }
        Distribution::decode(node, cx).map(Work)
    }
    fn encode(&self) -> Node {
        self.0.encode()
    }
    fn describe() -> TypeDoc {
        Distribution::describe()
    }
}

spec! {
    /// A call to another service.
    pub struct Call {
        /// The service called.
        to: Spanned<String>,
        /// The policy it is called with.
        policy: Option<Spanned<String>> = None,
        /// Runs only some of the time.
        r#for: Option<SimDuration> = None,
    }
}

spec! {
    /// How a caller behaves.
    pub struct Policy {
        /// The longest an attempt may take.
        timeout: SimDuration; POSITIVE.or("every call would fail"),
        /// What happens after a failure.
        retry: Retry = Retry::Fixed { attempts: 3, delay: SimDuration::ZERO },
        /// The longest a call may take.
        deadline: Option<SimDuration> = None; POSITIVE,
    }
}

spec! {
    /// What happens after a failure.
    pub enum Retry {
        /// Nothing.
        Never,
        /// Pauses of one length.
        Fixed { attempts: u32 = 3; 1..=1000, delay: SimDuration = SimDuration::ZERO },
        /// Pauses that grow.
        Exponential { attempts: u32 = 3; 1..=1000, base: SimDuration; POSITIVE, jitter: Jitter = Jitter::Full },
    }
}

spec! {
    /// How pauses are spread.
    pub enum Jitter {
        /// Not at all.
        None,
        /// From zero.
        Full,
        /// By a share.
        Proportional(ratio: f64; 0.0..=1.0),
    }
}

fn check(toy: &Toy, _at: &Node, cx: &mut Decoder) {
    for load in &toy.workload {
        if toy.services.get(&load.to.value).is_none() {
            let help = cx.suggest(&load.to.value, "services", toy.services.names());
            cx.error(load.to.span, format!("no service `{}`", load.to.value)).help(help);
        }
    }
}

impl Scenario for Toy {
    fn check(&self, run: &RunSpec, cx: &mut Decoder) {
        if run.duration < SimDuration::from_secs(1) {
            cx.warn(self.workload[0].to.span, "the run is short");
        }
    }

    fn run(&self, _run: &RunSpec, _options: &RunOptions, _observer: Observer) -> RunOutput {
        RunOutput::default()
    }
}

/// The catalog of the tests.
pub fn catalog() -> Catalog {
    Catalog::new([Entry::of::<Toy>("Toy", "Services that call each other.", 1)])
}

/// A sound experiment.
pub const GOOD: &str = r#"// A comment.
(
    about: "A shop and its payments.",
    model: Toy(
        workload: [(to: "shop", arrivals: Poisson("100/s"))],
        services: {
            "shop": (work: "5ms", calls: [(to: "pay", policy: "naive", for: "3s")]),
            "pay": (workers: 4, work: LogNormal(median: "10ms", p99: "40ms")),
        },
        policies: {"naive": (timeout: "1000ms", retry: Exponential(base: "50ms"))},
    ),
    run: (duration: "5min", warm_up: "20s", seed: 42),
    variants: {"patient": {"policies.naive.timeout": "3s"}},
    sweep: {"services.pay.workers": [2, 4, 8], "workload[0].arrivals": [Poisson("50/s"), Poisson("100/s")]},
    expect: [
        (metric: "recovered", is: false),
        (variant: "patient", metric: "time_to_recover", at_most: "30s", during: "60s..90s"),
    ],
)
"#;

/// Loads `text` with overrides.
pub fn load(text: &str, set: &[(&str, &str)]) -> Result<Experiment, Failed> {
    let set: Vec<_> = set.iter().map(|(path, value)| (path.to_string(), value.to_string())).collect();
    Experiment::parse("toy.ron", text, &set, &catalog()).map(|(experiment, _)| experiment)
}

/// What is said about `text`.
pub fn said(text: &str, set: &[(&str, &str)]) -> String {
    match load(text, set) {
        Ok(_) => "fine".into(),
        Err(failed) => failed.to_string(),
    }
}

/// What is said about [`GOOD`] with one thing replaced by another.
pub fn said_with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the good experiment");
    said(&GOOD.replacen(from, to, 1), &[])
}
