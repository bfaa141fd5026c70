//! An experiment: a model, a run, and what is varied and expected.
//!
//! Loading decodes everything that could ever run: the experiment as written, each variant, and each
//! point of the sweep for each of them. So a problem in the last point is found before the first runs.
//! Values are put in place in this order, the later over the earlier: the file, the variant, `--set`,
//! the point of the sweep.

use std::collections::BTreeSet;
use std::fmt;

use sim_core::digest::{Digester, INPUT};

use super::decode::{Decode, Decoder};
use super::diagnostic::{Diagnostic, Diagnostics, Failed, SHOWN, Sources};
use super::doc::TypeRef;
use super::file::parse_file;
use super::node::{Entry as Field, Kind, Node, Span, Spanned};
use super::path::{Override, Path, Place, Roots, apply, path_of};
use super::print;
use super::root::read_root;
use super::run::{Expectation, RunSpec};
use crate::catalog::{Catalog, Entry, Scenario};

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
    pub model: Box<dyn Scenario>,
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

impl Experiment {
    /// Reads an experiment and checks all of it. `overrides` are pairs of path and value as `--set` gives
    /// them. On success there may be warnings, whose spans point into [`Experiment::sources`].
    pub fn parse(
        name: &str,
        text: &str,
        overrides: &[(String, String)],
        catalog: &Catalog,
    ) -> Result<(Experiment, Diagnostics), Failed> {
        let mut sources = Sources::default();
        let file = sources.add(name, text);
        let mut problems = Diagnostics::new();
        let root = parse_file(text, file, &mut problems);
        let set = read_overrides(overrides, &mut sources, &mut problems);
        let mut cx = Decoder::new();
        let read = root.and_then(|root| read_root(root, catalog, &mut cx));
        problems.append(cx.into_diagnostics());
        let Some(mut experiment) = read else {
            return Err(Failed { sources, diagnostics: problems.finish() });
        };
        experiment.set = set;
        experiment.check_all(&mut problems);
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
        let resolved = self.resolve(chosen, point.iter().chain(&extra), &mut problems);
        match resolved {
            Some((model, run)) if !problems.has_errors() => Ok(self.finish(model, run)),
            _ => Err(Failed { sources, diagnostics: problems.finish() }),
        }
    }

    /// The whole file with the defaults of its model and run filled in, variants and all.
    pub fn canonical(&self) -> Result<Node, Failed> {
        let mut node = self.with(None, &[])?.canonical;
        let Kind::Struct(_, fields) = &mut node.kind else { unreachable!("an experiment is a struct") };
        let mut add = |name: &str, value: Node| fields.push(Field::from((name, value)));
        let settings =
            |set: &[Override]| Node::map(set.iter().map(|set| (set.path.to_string(), set.value.clone())));
        if !self.variants.is_empty() {
            add(
                "variants",
                Node::map(self.variants.iter().map(|v| (v.name.value.as_str(), settings(&v.set)))),
            );
        }
        if !self.axes.is_empty() {
            let values = |axis: &Axis| Node::list(axis.values.iter().cloned());
            add("sweep", Node::map(self.axes.iter().map(|axis| (axis.path.to_string(), values(axis)))));
        }
        if let Some(expected) = &self.expected {
            add("expect", expected.clone());
        }
        Ok(node)
    }

    /// One run's worth, decoded; problems go to `problems`.
    fn resolve<'a>(
        &'a self,
        variant: Option<&'a Variant>,
        more: impl Iterator<Item = &'a Override>,
        problems: &mut Diagnostics,
    ) -> Option<(Box<dyn Scenario>, RunSpec)> {
        let (mut tree, mut timing) = (self.model.clone(), self.run.clone());
        let entry = self.entry;
        let mut placed = true;
        let before = variant.map_or(&[][..], |variant| &variant.set);
        for set in before.iter().chain(&self.set).chain(more) {
            let roots = Roots { model: &mut tree, run: &mut timing };
            let place = Place { describe: entry.describe, expand: &|node| entry.expand(node) };
            if let Err(diagnostic) = apply(set, roots, place, TypeRef::of::<RunSpec>()) {
                problems.push(*diagnostic);
                placed = false;
            }
        }
        let mut cx = Decoder::new();
        let model = (entry.decode)(&tree, &mut cx);
        let run = cx.at("run", |cx| RunSpec::decode(&timing, cx));
        if let (Some(model), Some(run), false) = (&model, &run, cx.has_errors()) {
            model.check(run, &mut cx);
        }
        let sound = placed && !cx.has_errors();
        let mut found = cx.into_diagnostics().finish();
        // Each takes a walk over the tree, and a hostile file may have a million: only those that are shown.
        found.iter_mut().take(SHOWN).for_each(|diagnostic| complete_path(diagnostic, &tree, &timing));
        problems.append(found);
        if sound { model.zip(run) } else { None }
    }

    /// What was decoded, with its canonical form and its digest.
    fn finish(&self, model: Box<dyn Scenario>, run: RunSpec) -> Resolved {
        let entry = self.entry;
        let (written, timing) = (model.canonical(), run.encode());
        let mut digester = Digester::new(INPUT);
        digester.text(entry.name);
        digester.word(u64::from(entry.version));
        written.feed(&mut digester);
        // The seed is the caller's to add, and the number of replications changes none of them.
        RunSpec { seed: 0, replications: 1, ..run.clone() }.encode().feed(&mut digester);
        let canonical = Node::record([
            ("format", Node::number(FORMAT)),
            ("about", Node::text(&self.about)),
            ("model", written.named(Some(entry.name))),
            ("run", timing),
        ]);
        let input_digest = digester.finish();
        Resolved { about: self.about.clone(), entry, model, run, canonical, input_digest }
    }

    /// Everything that could run. A problem is reported for the first thing that has it.
    fn check_all(&self, problems: &mut Diagnostics) {
        let mut found = Diagnostics::new();
        let sound = self.resolve(None, std::iter::empty(), &mut found).is_some();
        let mut told: BTreeSet<_> = found.iter().map(problem_key).collect();
        problems.append(found);
        let mut add = |found: Diagnostics, suffix: &dyn Fn() -> String, problems: &mut Diagnostics| {
            for mut diagnostic in found.into_iter() {
                if told.insert(problem_key(&diagnostic)) {
                    diagnostic.message.push_str(&suffix());
                    problems.push(diagnostic);
                }
            }
        };
        for variant in &self.variants {
            let mut found = Diagnostics::new();
            self.resolve(Some(variant), std::iter::empty(), &mut found);
            add(found, &|| in_variant(Some(variant)), problems);
        }
        let Some(points) = self.count_points(problems) else { return };
        let mut axes: Vec<Vec<(u64, Span)>> = vec![Vec::new(); self.axes.len()];
        for variant in std::iter::once(None).chain(self.variants.iter().map(Some)) {
            // Where nothing is sound yet, each value once is enough.
            for point in (0..points).filter(|&point| sound || self.on_an_axis(point)) {
                if problems.full() {
                    return;
                }
                let set = self.point(point);
                let mut found = Diagnostics::new();
                let resolved = self.resolve(variant, set.iter(), &mut found);
                let suffix = || {
                    let at: Vec<_> =
                        set.iter().map(|set| format!("{} = {}", set.path, set.value.brief())).collect();
                    format!("{} (with {})", in_variant(variant), at.join(", "))
                };
                // Where the swept value itself is pointed at, there is no need to repeat it.
                let within = |at: Span, set: &Override| set.value.span.holds(at) || set.path.span().holds(at);
                let own =
                    found.iter().all(|d| d.span().is_some_and(|at| set.iter().any(|set| within(at, set))));
                add(found, if own { &String::new } else { &suffix }, problems);
                if let (Some((model, run)), None, true) = (resolved, variant, self.on_an_axis(point)) {
                    let mut digest = Digester::new(INPUT);
                    digest.pair(run.seed, u64::from(run.replications));
                    digest.word(self.finish(model, run).input_digest);
                    self.note_values(point, digest.finish(), &mut axes);
                }
            }
        }
        for (axis, values) in self.axes.iter().zip(&axes) {
            report_equal_values(axis, values, problems);
        }
    }

    /// The size of the grid, unless it is too large to be looked at.
    fn count_points(&self, problems: &mut Diagnostics) -> Option<usize> {
        let sizes = self.axes.iter().map(|axis| axis.values.len());
        let all = sizes.clone().chain([self.variants.len() + 1]).try_fold(1usize, usize::checked_mul);
        match all {
            Some(all) if all <= MAX_POINTS => Some(self.points()),
            _ => {
                let sizes = sizes.map(|size| size.to_string()).collect::<Vec<_>>().join(" x ");
                let variants = self.variants.len();
                let message = format!(
                    "the sweep has {sizes} points for each of {} variants, allowed {MAX_POINTS} in all",
                    variants + 1
                );
                let place = self.axes.first().map_or(Span::default(), |axis| axis.path.span());
                problems
                    .push(Diagnostic::error(place, message))
                    .path("sweep")
                    .help("take fewer values on an axis");
                None
            }
        }
    }

    /// For each axis, the index of its value at a point if all others are at their first.
    fn alone(&self, point: usize) -> impl Iterator<Item = Option<usize>> {
        let mut stride = self.points();
        self.axes.iter().map(move |axis| {
            stride /= axis.values.len();
            let index = point / stride % axis.values.len();
            (point == index * stride).then_some(index)
        })
    }

    fn on_an_axis(&self, point: usize) -> bool {
        self.alone(point).any(|index| index.is_some())
    }

    /// Remembers the digests of points that differ from the first in one axis only.
    fn note_values(&self, point: usize, digest: u64, noted: &mut [Vec<(u64, Span)>]) {
        for ((axis, index), noted) in self.axes.iter().zip(self.alone(point)).zip(noted) {
            if let Some(index) = index {
                noted.push((digest, axis.values[index].span));
            }
        }
    }
}

fn problem_key(problem: &Diagnostic) -> (Option<Span>, String) {
    (problem.span(), problem.message.clone())
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

fn in_variant(variant: Option<&Variant>) -> String {
    variant.map_or(String::new(), |variant| format!(" (in variant `{}`)", variant.name.value))
}

fn report_equal_values(axis: &Axis, values: &[(u64, Span)], problems: &mut Diagnostics) {
    let mut known = std::collections::BTreeMap::new();
    for &(digest, span) in values {
        if let Some(&first) = known.get(&digest) {
            let message = format!("a value of `{}` occurs twice", axis.path);
            problems
                .push(Diagnostic::error(span, message))
                .path("sweep")
                .label(first, "first here")
                .help("remove one");
        } else {
            known.insert(digest, span);
        }
    }
}

fn read_overrides(
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
