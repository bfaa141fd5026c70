//! The models there are. A new one adds a line to [`Catalog::bundled`]; a downstream crate adds its own.

use crate::experiment::{Decoder, Node, TypeDoc};
use crate::run::{Explanation, Observer, RunOptions, RunOutput};

/// What a model can be asked once its part of an experiment is decoded. Pure: spec in, report out.
pub trait Scenario: Send + Sync {
    /// The canonical form of what was decoded.
    fn canonical(&self) -> Node;

    /// Reports what only shows against the length of the run.
    fn check(&self, _run: &RunSpec, _cx: &mut Decoder) {}

    /// Runs it. The head of the report (experiment, variant, seed, `i` and `s`) is filled by the caller.
    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput;

    /// What it amounts to before it is run.
    fn explain(&self, _run: &RunSpec) -> Explanation {
        Explanation::default()
    }
}

/// A model by name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name in a file: `ServiceGraph`.
    pub name: &'static str,
    /// One line for lists.
    pub about: &'static str,
    /// Raised whenever the same experiment gives another result.
    pub version: u32,
    /// Reads the model's part of an experiment.
    pub decode: fn(&Node, &mut Decoder) -> Option<Box<dyn Scenario>>,
    /// What can be written in it.
    pub describe: fn() -> TypeDoc,
}
spec! {
    /// Run.
    pub struct RunSpec {
        /// d
        duration: sim_core::SimDuration,
        /// w
        warm_up: sim_core::SimDuration = sim_core::SimDuration::ZERO,
        /// s
        seed: u64 = 1,
        /// w
        window: sim_core::SimDuration = sim_core::SimDuration::from_secs(1),
    }
}
