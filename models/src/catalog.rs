//! The models that an experiment can name.
//!
//! A model is an [`Entry`]: a name, a version, a decoder and its documentation. What `spec!` declares and
//! [`Scenario`] is implemented for has all of them: `Entry::of::<Shop>("Shop", "a shop", 1)`. The catalog is open: a
//! crate that depends on this one adds its own entries and gets files, overrides, variants, sweeps and messages for
//! them.

use crate::branch::Trunk;
use crate::diagram::Diagram;
pub use crate::experiment::RunSpec;
use crate::experiment::{Decode, Decoder, Node, TypeDoc, nearest};
use crate::mechanism::Mechanism;
use crate::policy::preset::Seat;
use crate::promise;
use crate::report::Section;
use crate::run::{Explanation, Observer, RunOptions, RunOutput};
use sim_core::SimTime;

/// What a model can be asked once its part of an experiment is decoded. Pure: spec in, report out.
pub trait Scenario: Send + Sync {
    /// Reports what is wrong with the model for this run, and only together with it: a fault after the
    /// end, say.
    fn check(&self, _run: &RunSpec, _cx: &mut Decoder) {}

    /// Runs it. The head of the report (experiment, variant, seed, `i` and `s`) is filled by the caller.
    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput;

    /// What a run has in common with all those that may begin as it does and differ from an instant on: see [`crate::branch`].
    /// None where it does not begin as any other.
    fn trunk_key(&self, _run: &RunSpec, _options: &RunOptions, _before: SimTime) -> Option<u64> {
        None
    }

    /// The state of a run at the end of its last window before an instant, `from` an earlier one if there is that; none where there
    /// is no such window, or a limit came first.
    fn trunk(
        &self,
        _run: &RunSpec,
        _options: &RunOptions,
        _observer: Observer,
        _from: Option<&Trunk>,
        _before: SimTime,
    ) -> Option<Trunk> {
        None
    }

    /// Runs it from there; none if it is not there that it leads from.
    fn run_from(
        &self,
        _trunk: &Trunk,
        _run: &RunSpec,
        _options: &RunOptions,
        _observer: Observer,
    ) -> Option<RunOutput> {
        None
    }

    /// What its report will have sections of, known before anything runs: every value and line is declared, none
    /// measured. A run of which the model says nothing of one of them has it as it is declared.
    fn sections(&self, _run: &RunSpec) -> Vec<Section> {
        Vec::new()
    }

    /// The names of all values that it may report, whether it will or not; none says that they are not known before it
    /// has run.
    fn values(&self, _run: &RunSpec) -> Vec<String> {
        Vec::new()
    }

    /// What its report tells of, by name; `None` if that is not known before it has run.
    fn outline(&self) -> Option<Outline> {
        None
    }

    /// The cluster that it is, if it is one: random schedules of it can be searched for what breaks it.
    fn explores(&self) -> Option<&crate::cluster::ClusterSpec> {
        None
    }

    /// Why no call of it can be traced, in a clause; `None` if [`crate::trace::collect`] can.
    fn untraceable(&self) -> Option<&'static str> {
        Some("it simulates no calls over edges")
    }

    /// What it is made of, to be drawn.
    fn diagram(&self) -> Diagram {
        Diagram::default()
    }

    /// Where a policy can be put in it, known before it is run.
    fn seats(&self) -> Vec<Seat> {
        Vec::new()
    }

    /// What it amounts to before it is run.
    fn explain(&self, _run: &RunSpec) -> Explanation {
        Explanation::default()
    }
}

/// What a report tells of, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The edges over which users call.
    pub users: Vec<String>,
    /// The services.
    pub services: Vec<String>,
}

/// A scenario that can be written down again. Whatever is decoded can; nobody implements this.
pub trait Decoded: Scenario {
    /// All of it in canonical form, every default filled in.
    fn canonical(&self) -> Node;
}

impl<T: Decode + Scenario> Decoded for T {
    fn canonical(&self) -> Node {
        self.encode()
    }
}

/// One model of the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As it is written in the file: `ServiceGraph`.
    pub name: &'static str,
    /// What it simulates, in a sentence.
    pub about: &'static str,
    /// Part of every digest; it grows when the same input would give another result.
    pub version: u32,
    /// The model from what stands in its brackets.
    pub decode: fn(&Node, &mut Decoder) -> Option<Box<dyn Decoded>>,
    /// What can stand in its brackets.
    pub describe: fn() -> TypeDoc,
    /// Experiments that come with it, besides those of brownout.
    pub experiments: &'static [Bundled],
    /// What it is made of, each with its page: in the order in which they are listed.
    pub mechanisms: fn() -> Vec<Mechanism>,
}

/// An experiment that is part of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// The folder it lives in.
    pub family: &'static str,
    /// Its name; unique over all families.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

impl Entry {
    /// The entry of a model whose specification is the model itself.
    pub const fn of<T: Decode + Scenario + 'static>(
        name: &'static str,
        about: &'static str,
        version: u32,
    ) -> Self {
        let decode = |node: &Node, cx: &mut Decoder| T::decode(node, cx).map(|model| Box::new(model) as _);
        Entry { name, about, version, decode, describe: T::describe, experiments: &[], mechanisms: Vec::new }
    }

    /// The same with experiments that every program which knows this model has by name.
    #[must_use]
    pub const fn with(self, experiments: &'static [Bundled]) -> Self {
        Entry { experiments, ..self }
    }

    /// The canonical form of the model that `node` describes, if it is sound.
    pub fn expand(&self, node: &Node) -> Option<Node> {
        let mut cx = Decoder::new();
        let model = (self.decode)(node, &mut cx)?;
        (!cx.has_errors()).then(|| model.canonical())
    }
}

/// The models, in the order in which they are listed.
#[derive(Clone, Debug, Default)]
pub struct Catalog(Vec<Entry>);

impl Catalog {
    /// The models of this crate.
    pub fn bundled() -> Self {
        Catalog::new([
            crate::service_graph::ENTRY,
            crate::callback_routing::ENTRY,
            crate::contention::ENTRY,
            crate::cluster::ENTRY,
            crate::fleet::ENTRY,
            crate::incident_response::ENTRY,
            crate::downtime::ENTRY,
            crate::feedback_loop::ENTRY,
        ])
    }

    /// A catalog of these entries. Panics if two have one name: that is a bug of the program.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut catalog = Catalog::default();
        for entry in entries {
            catalog.add(entry);
        }
        catalog
    }

    /// Adds a model. Panics if its name is taken: that is a bug of the program.
    pub fn add(&mut self, entry: Entry) {
        assert!(self.get(entry.name).is_none(), "two models are called {}", entry.name);
        self.0.push(entry);
    }

    /// The model of this name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.name == name)
    }

    /// All models.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The experiments that come with them.
    pub fn experiments(&self) -> impl Iterator<Item = &'static Bundled> {
        self.0.iter().flat_map(|entry| entry.experiments)
    }

    /// What the models are made of, and what any of their runs can be held to.
    pub fn mechanisms(&self) -> impl Iterator<Item = Mechanism> {
        self.0.iter().flat_map(|entry| (entry.mechanisms)()).chain(promise::mechanisms())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|entry| entry.name)
    }

    /// The entry that `node` names, or an error with the names there are.
    pub(crate) fn entry_of(&self, node: &Node, cx: &mut Decoder) -> Option<Entry> {
        let names = self.names().map(|name| format!("{name}(..)")).collect::<Vec<_>>().join(", ");
        let Some(name) = node.name() else {
            cx.expected::<()>(node, &format!("a model: {names}"));
            return None;
        };
        let found = self.get(name).copied();
        if found.is_none() {
            let help = match nearest(name, self.names()) {
                Some(near) => format!("did you mean `{near}`? models: {names}"),
                None => format!("models: {names}"),
            };
            cx.error(node.name_span(), format!("unknown model `{name}`")).help(help);
        }
        found
    }
}
