//! An experiment: a model, a run, and what is varied and expected.
//!
//! Loading decodes everything that could ever run: the experiment as written, each variant, and each
//! point of the sweep for each of them. So a problem in the last point is found before the first runs.
//! Values are put in place in this order, the later over the earlier: the file, the variant, `--set`,
//! the point of the sweep.

use std::collections::BTreeSet;
use std::fmt;

use sim_core::SimTime;
use sim_core::digest::{Digester, INPUT};

use super::decode::{Decode, Decoder};
use super::diagnostic::{Diagnostic, Diagnostics, Failed, SHOWN, Sources};
use super::doc::TypeRef;
use super::file::parse_file;
use super::folder::Folder;
use super::grid::{in_variant, problem_key, too_many};
use super::node::{Entry as Field, Kind, Node, Span, Spanned};
use super::path::{Override, Path, Place, Roots, apply, path_of};
use super::print;
use super::root::read_root;
use super::run::{Expectation, RunSpec};
use crate::catalog::{Catalog, Decoded, Entry};
use crate::promise;
use crate::report::{During, Edge, Report, Service, names};

/// The version of the file's format that is read here.
pub const FORMAT: u32 = 1;

/// The most points of a sweep, counting every variant.
pub const MAX_POINTS: usize = 100_000;

/// An experiment file that was read and found sound.
#[derive(Clone, Debug)]
pub struct Experiment {
    pub(super) about: String,
    pub(super) entry: Entry,
    pub(super) model: Node,
    pub(super) run: Node,
    pub(super) variants: Vec<Variant>,
    pub(super) axes: Vec<Axis>,
    pub(super) expectations: Vec<Expectation>,
    pub(super) expected: Option<Node>,
    pub(super) set: Vec<Override>,
    pub(super) sources: Sources,
    pub(super) folder: Folder,
    /// Every bracket of it was read.
    pub(super) whole: bool,
}

/// A named set of values that differ from the experiment as written.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: Spanned<String>,
    /// What differs.
    pub set: Vec<Override>,
}

/// One parameter of the sweep.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Which parameter.
    pub path: Path,
    /// Its values.
    pub values: Vec<Node>,
}

/// One run's worth of an experiment: a variant, with everything set that is to be set.
pub struct Resolved {
    /// What it is about.
    pub about: String,
    /// Which model it is.
    pub entry: Entry,
    /// The model.
    pub model: Box<dyn Decoded>,
    /// The run.
    pub run: RunSpec,
    /// All of it with every default filled in; reading it back gives the same digest.
    pub canonical: Node,
    /// The digest's part `i` but for the seed: the model, its version and the run, not what it is about.
    pub input_digest: u64,
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.canonical)
    }
}

impl Resolved {
    /// What was written, as far as it makes a difference: the digest's part `i` but for the seed and for the version of the model.
    pub fn said(&self) -> u64 {
        input_digest(Entry { version: 0, ..self.entry }, &*self.model, &self.run)
    }

    /// The value at a path such as `policies.naive.timeout`, defaults included; none if there is no such place.
    pub fn value(&self, path: &str) -> Option<&Node> {
        let path = Path::parse(path, Span::default()).ok()?;
        path.look_up(self.canonical.get("model")?, self.canonical.get("run")?)
    }
}

impl Experiment {
    /// Reads an experiment beside which no files stand, and checks all of it. `overrides` are pairs of path and value as
    /// `--set` gives them. On success there may be warnings, whose spans point into [`Experiment::sources`].
    pub fn parse(
        name: &str,
        text: &str,
        overrides: &[(String, String)],
        catalog: &Catalog,
    ) -> Result<(Experiment, Diagnostics), Failed> {
        Self::read(name, text, &Folder::none(), overrides, catalog, true)
    }

    /// The same where it may name files of its folder.
    pub fn parse_beside(
        name: &str,
        text: &str,
        folder: &Folder,
        overrides: &[(String, String)],
        catalog: &Catalog,
    ) -> Result<(Experiment, Diagnostics), Failed> {
        Self::read(name, text, folder, overrides, catalog, true)
    }

    /// The same, but nothing is said about the points of its sweep: whoever sweeps checks those of a [`Grid`].
    ///
    /// [`Grid`]: super::Grid
    pub fn parse_unswept(
        name: &str,
        text: &str,
        folder: &Folder,
        catalog: &Catalog,
    ) -> Result<(Experiment, Diagnostics), Failed> {
        Self::read(name, text, folder, &[], catalog, false)
    }

    fn read(
        name: &str,
        text: &str,
        folder: &Folder,
        overrides: &[(String, String)],
        catalog: &Catalog,
        points: bool,
    ) -> Result<(Experiment, Diagnostics), Failed> {
        let mut sources = Sources::default();
        let file = sources.add(name, text);
        let mut problems = Diagnostics::new();
        let root = parse_file(text, file, &mut problems);
        let whole = !problems.has_errors();
        let set = read_overrides(overrides, &mut sources, &mut problems);
        let mut cx = Decoder::new();
        let read = root.and_then(|root| read_root(root, catalog, &mut cx));
        problems.append(cx.into_diagnostics());
        let Some(mut experiment) = read else {
            return Err(Failed { sources, diagnostics: problems.finish() });
        };
        experiment.set = set;
        experiment.folder = folder.clone();
        experiment.whole = whole;
        experiment.check_all(points, &mut problems);
        if problems.has_errors() && whole {
            experiment.check_metrics(&mut problems);
        }
        let diagnostics = problems.finish();
        if diagnostics.has_errors() {
            return Err(Failed { sources, diagnostics });
        }
        experiment.sources = sources;
        Ok((experiment, diagnostics))
    }

    /// What it is about.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Which model it is.
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// The names of the variants, in order.
    pub fn variant_names(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(|variant| variant.name.value.as_str())
    }

    /// The variants, in order.
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// The parameters of the sweep, in order. The last one changes fastest.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// How many points the sweep has; none if nothing is swept.
    pub fn points(&self) -> usize {
        if self.axes.is_empty() { 0 } else { self.axes.iter().map(|axis| axis.values.len()).product() }
    }

    /// What is set at a point of the sweep.
    pub fn point(&self, point: usize) -> Vec<Override> {
        let mut rest = point;
        let mut set: Vec<Override> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let value = axis.values[rest % axis.values.len()].clone();
            set.push(Override { path: axis.path.clone(), value });
            rest /= axis.values.len();
        }
        set.reverse();
        set
    }

    /// What is expected. Whether the metrics exist is for the report to say.
    pub fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }

    /// What stands beside it.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The texts that spans point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The experiment as written, or a variant of it, with more set on top.
    pub fn with(&self, variant: Option<&str>, extra: &[(String, String)]) -> Result<Resolved, Failed> {
        self.with_point(variant, None, extra)
    }

    /// The same at a point of the sweep. Panics if there is no such point.
    pub fn with_point(
        &self,
        variant: Option<&str>,
        point: Option<usize>,
        extra: &[(String, String)],
    ) -> Result<Resolved, Failed> {
        let mut sources = self.sources.clone();
        let mut problems = Diagnostics::new();
        let extra = read_overrides(extra, &mut sources, &mut problems);
        let chosen = variant.and_then(|name| {
            let found = self.variants.iter().find(|variant| variant.name.value == name);
            if found.is_none() {
                let help = super::diagnostic::did_you_mean(name, "variants", self.variant_names());
                let mut diagnostic =
                    Diagnostic::error(Span::default(), format!("no variant {}", print::quoted(name)));
                diagnostic.labels.clear();
                problems.push(diagnostic).help(help);
            }
            found
        });
        let point = point.map(|point| self.point(point)).unwrap_or_default();
        match self.resolve(chosen, point.iter().chain(&extra), &mut problems) {
            Some((model, run)) if !problems.has_errors() => Ok(resolved(&self.about, self.entry, model, run)),
            _ => Err(Failed { sources, diagnostics: problems.finish() }),
        }
    }

    /// What is doubtful about the experiment as written, or a variant of it, with more set on top, and the texts that this points into.
    /// Nothing where it cannot run: that says why itself.
    pub fn doubts(&self, variant: Option<&str>, extra: &[(String, String)]) -> (Diagnostics, Sources) {
        let (mut sources, mut problems) = (self.sources.clone(), Diagnostics::new());
        let extra = read_overrides(extra, &mut sources, &mut problems);
        let chosen = variant.and_then(|name| self.variants.iter().find(|it| it.name.value == name));
        let resolved = self.resolve(chosen, extra.iter(), &mut problems);
        let doubts = if resolved.is_some() && !problems.has_errors() { problems } else { Diagnostics::new() };
        (doubts.finish(), sources)
    }

    /// The whole file with the defaults of its model and run filled in, variants and all.
    pub fn canonical(&self) -> Result<Node, Failed> {
        let base = self.with(None, &[])?.canonical;
        let mut node = base.clone();
        let Kind::Struct(_, fields) = &mut node.kind else { unreachable!("an experiment is a struct") };
        let mut add = |name: &str, value: Node| fields.push(Field::from((name, value)));
        let settings = |v: &Variant| Node::map(v.set.iter().map(|set| self.written_out(&base, Some(v), set)));
        if !self.variants.is_empty() {
            add("variants", Node::map(self.variants.iter().map(|v| (v.name.value.as_str(), settings(v)))));
        }
        if !self.axes.is_empty() {
            let axis = |axis: &Axis| {
                let set = axis
                    .values
                    .iter()
                    .map(|value| Override { path: axis.path.clone(), value: value.clone() });
                let (paths, values): (Vec<_>, Vec<_>) =
                    set.map(|set| self.written_out(&base, None, &set)).unzip();
                (paths.into_iter().next().unwrap_or_else(|| axis.path.to_string()), Node::list(values))
            };
            add("sweep", Node::map(self.axes.iter().map(axis)));
        }
        if let Some(expected) = &self.expected {
            add("expect", expected.clone());
        }
        Ok(node)
    }

    /// What is set, as it must be set in the canonical form. A shorthand (`policies.p.preset`) has no place there: what it stands
    /// for is set instead, the whole of what it is part of.
    fn written_out(&self, base: &Node, variant: Option<&Variant>, set: &Override) -> (String, Node) {
        let found = |path: &Path, root: &Node| path.look_up(root.get("model")?, root.get("run")?).cloned();
        if found(&set.path, base).is_some() {
            return (set.path.to_string(), set.value.clone());
        }
        let mut problems = Diagnostics::new();
        let more = if variant.is_none() { std::slice::from_ref(set) } else { &[] };
        let there = self.resolve(variant, more.iter(), &mut problems);
        let there = there.map(|(model, run)| resolved(&self.about, self.entry, model, run).canonical);
        let mut path = set.path.parent();
        while let (Some(at), Some(there)) = (&path, &there) {
            if let (Some(value), false) = (found(at, there), found(&set.path, there).is_some()) {
                return (at.to_string(), value);
            }
            path = at.parent();
        }
        (set.path.to_string(), set.value.clone())
    }

    /// One run's worth, decoded; problems go to `problems`.
    fn resolve<'a>(
        &'a self,
        variant: Option<&'a Variant>,
        more: impl Iterator<Item = &'a Override>,
        problems: &mut Diagnostics,
    ) -> Option<(Box<dyn Decoded>, RunSpec)> {
        let (mut model, mut run) = (self.model.clone(), self.run.clone());
        let mut placed = true;
        let before = variant.map_or(&[][..], |variant| &variant.set);
        for set in before.iter().chain(&self.set).chain(more) {
            placed &= place(self.entry, set, &mut model, &mut run, problems);
        }
        decoded(self.entry, &model, &run, self.decoder(), problems).filter(|_| placed)
    }

    /// Where brackets do not close, names may stand anywhere: then nothing is guessed.
    fn decoder(&self) -> Decoder {
        let cx = Decoder::beside(&self.folder);
        if self.whole { cx.guessing() } else { cx }
    }

    /// Reports what is expected of a metric that no run will have, as far as that is known of an experiment with other problems:
    /// of metrics that every report has, and of those of services. A sound one is asked itself.
    fn check_metrics(&self, problems: &mut Diagnostics) {
        let mut report = Report::default();
        report.edges.push("", Edge { from_users: true, ..Edge::default() });
        if let Some(Kind::Map(services)) = self.model.get("services").map(|services| &services.kind) {
            for service in services {
                report.services.push(service.key.value.as_str(), Service::default());
            }
        }
        let of_services = !report.services.is_empty();
        for metric in self.expectations.iter().map(|expectation| &expectation.metric) {
            let known = match names(&metric.value) {
                Ok(names) => match names.as_slice() {
                    [_] => true,
                    [group, _, rest @ ..] => {
                        group == "services" && of_services && rest.first().is_none_or(|it| it != "replicas")
                    }
                    [] => false,
                },
                Err(_) => true,
            };
            if let (true, Err(mut error)) = (known, report.metric(&metric.value)) {
                error.nearest.retain(|path| !path.starts_with("edges"));
                let help = match error.nearest.as_slice() {
                    [] => String::new(),
                    nearest => format!("the nearest are: {}", nearest.join(", ")),
                };
                problems.push(Diagnostic::error(metric.span, error.message)).path("expect").help(help);
            }
        }
    }

    /// Reports what is expected of a stretch that ends after this run. With more set from outside nothing is expected.
    fn check_stretches(&self, variant: Option<&str>, run: &RunSpec, problems: &mut Diagnostics) {
        if !self.set.is_empty() {
            return;
        }
        let about = |one: &&Expectation| one.variant.as_ref().map(|name| name.value.as_str()) == variant;
        for during in self.expectations.iter().filter(about).filter_map(|one| one.during.as_ref()) {
            if let During::Time { to, .. } = during.value
                && to > SimTime::ZERO + run.duration
            {
                let message = format!("got \"{}\", and the run ends at {}", during.value, run.duration);
                problems
                    .push(Diagnostic::error(during.span, message))
                    .path("expect")
                    .help("choose a stretch within the run, or make the run longer");
            }
        }
    }

    /// Everything that could run. A problem is reported for the first thing that has it.
    fn check_all(&self, points: bool, problems: &mut Diagnostics) {
        let mut found = Diagnostics::new();
        if let Some((_, run)) = self.resolve(None, std::iter::empty(), &mut found) {
            self.check_stretches(None, &run, &mut found);
        }
        let mut told: BTreeSet<_> = found.iter().map(problem_key).collect();
        problems.append(found);
        for variant in &self.variants {
            let mut found = Diagnostics::new();
            if let Some((_, run)) = self.resolve(Some(variant), std::iter::empty(), &mut found) {
                self.check_stretches(Some(&variant.name.value), &run, &mut found);
            }
            for mut diagnostic in found.into_iter() {
                if told.insert(problem_key(&diagnostic)) {
                    diagnostic.message.push_str(&in_variant(Some(&variant.name.value)));
                    diagnostic.variant = Some(variant.name.value.clone());
                    problems.push(diagnostic);
                }
            }
        }
        if self.axes.is_empty() || !points || too_many(&self.axes, self.variants.len() + 1, problems) {
            return;
        }
        for variant in std::iter::once(None).chain(self.variants.iter().map(Some)) {
            if problems.full() {
                return;
            }
            let grid = self.own_grid(variant);
            let checked = grid.check(0..grid.points());
            if variant.is_none() {
                grid.refuse_equal_values(&checked, problems);
            }
            checked.news(&mut told).for_each(|diagnostic| _ = problems.push(diagnostic));
        }
    }
}

/// Puts a value at its path, if the path leads somewhere.
pub(super) fn place(
    entry: Entry,
    set: &Override,
    model: &mut Node,
    run: &mut Node,
    problems: &mut Diagnostics,
) -> bool {
    let place = Place { describe: entry.describe, expand: &|node| entry.expand(node) };
    match apply(set, Roots { model, run }, place, TypeRef::of::<RunSpec>()) {
        Ok(()) => true,
        Err(diagnostic) => {
            problems.push(*diagnostic);
            false
        }
    }
}

/// What the two trees say, if they are sound.
pub(super) fn decoded(
    entry: Entry,
    model: &Node,
    run: &Node,
    mut cx: Decoder,
    problems: &mut Diagnostics,
) -> Option<(Box<dyn Decoded>, RunSpec)> {
    let scenario = (entry.decode)(model, &mut cx);
    let spec = cx.at("run", |cx| RunSpec::decode(run, cx));
    if let (Some(scenario), Some(spec), false) = (&scenario, &spec, cx.has_errors()) {
        scenario.check(spec, &mut cx);
        cx.at("run", |cx| promise::check(spec, || scenario.outline(), run, cx));
    }
    let sound = !cx.has_errors();
    let mut found = cx.into_diagnostics();
    if !found.is_empty() {
        found = found.finish();
        // Each takes a walk over the tree, and a hostile file may have a million: only those that are shown.
        found.iter_mut().take(SHOWN).for_each(|diagnostic| complete_path(diagnostic, model, run));
        problems.append(found);
    }
    if sound { scenario.zip(spec) } else { None }
}

/// What was decoded, with its canonical form and its digest.
pub(super) fn resolved(about: &str, entry: Entry, model: Box<dyn Decoded>, run: RunSpec) -> Resolved {
    let input_digest = input_digest(entry, &*model, &run);
    let canonical = Node::record([
        ("format", Node::number(FORMAT)),
        ("about", Node::text(about)),
        ("model", model.canonical().named(Some(entry.name))),
        ("run", run.encode()),
    ]);
    Resolved { about: about.into(), entry, model, run, canonical, input_digest }
}

/// The digest's part `i` but for the seed, which is the caller's to add; the number of replications
/// changes none of them.
pub(super) fn input_digest(entry: Entry, model: &dyn Decoded, run: &RunSpec) -> u64 {
    let mut digester = Digester::new(INPUT);
    digester.text(entry.name);
    digester.word(u64::from(entry.version));
    model.canonical().feed(&mut digester);
    RunSpec { seed: 0, replications: 1, ..run.clone() }.encode().feed(&mut digester);
    digester.finish()
}

/// Checks that follow decoding know where a value was written; this finds out which one it is.
fn complete_path(diagnostic: &mut Diagnostic, model: &Node, run: &Node) {
    let Some(span) = diagnostic.span() else { return };
    for (root, mut path) in [(model, String::new()), (run, "run".into())] {
        if root.span != span && path_of(root, span, &mut path) && path.starts_with(&diagnostic.path) {
            diagnostic.path = path;
            return;
        }
    }
}

pub(super) fn read_overrides(
    given: &[(String, String)],
    sources: &mut Sources,
    problems: &mut Diagnostics,
) -> Vec<Override> {
    let mut set = Vec::new();
    for (path, value) in given {
        let text = format!("{path}={value}");
        let source = sources.add("--set", text.as_str());
        set.extend(Override::parse(&text, path.len(), source, problems));
    }
    set
}
