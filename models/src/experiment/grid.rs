//! A grid: one variant of an experiment over every combination of the values of its axes.
//!
//! What all points share (the file, the variant, what is set) is put in place once; a point then costs a
//! copy of that tree, one value per axis and a decoding. All points are checked before one of them runs,
//! in parts that may be checked at the same time and are merged in order.

use super::decode::Decoder;
use super::diagnostic::{Diagnostic, Diagnostics, Failed, Sources};
use super::folder::Folder;
use super::load::{Axis, Experiment, MAX_POINTS, Resolved, Variant, decoded, input_digest, place, resolved};
use super::node::{Node, Span};
use super::path::{Override, Path};
use super::run::RunSpec;
use crate::catalog::{Decoded, Entry};
use std::collections::{BTreeMap, BTreeSet};

/// After so many unsound points in a row that bring no new problem, the rest of a part is left alone: the
/// grid is refused anyway.
const HOPELESS: usize = 64;

/// So many values of each axis are looked at in a grid that is refused for another reason.
const TOLD: usize = 1_000;

/// An axis as it is given on a command line or in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisText {
    /// Which value is set.
    pub path: String,
    /// All that was typed after `path=`.
    pub typed: String,
    /// Its values, or why it has none.
    pub values: Result<Vec<String>, String>,
}

/// One variant of an experiment over the points of a grid.
#[derive(Clone, Debug)]
pub struct Grid {
    about: String,
    entry: Entry,
    /// The file, the variant and what is set; without the axes.
    model: Node,
    run: Node,
    variant: Option<String>,
    axes: Vec<Axis>,
    sources: Sources,
    folder: Folder,
}

/// What a point is given, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// The model, its version and the run, but for the seed.
    pub digest: u64,
    /// The seed that its run section states.
    pub seed: u64,
    /// The replications that its run section states.
    pub replications: u32,
}

/// What checking some points came to.
#[derive(Debug, Default)]
pub struct Checked {
    told: BTreeSet<Key>,
    problems: Vec<(Key, Diagnostic)>,
    /// Of each point that differs from the first in one axis only.
    inputs: BTreeMap<usize, Input>,
}

type Key = (Option<Span>, String);

pub(super) fn problem_key(problem: &Diagnostic) -> Key {
    (problem.span(), problem.message.clone())
}

impl Experiment {
    /// A grid over these axes, or over those of the file but for what `set` fixes. The variant must exist.
    pub fn grid(
        &self,
        variant: Option<&str>,
        set: &[(String, String)],
        axes: Option<&[AxisText]>,
    ) -> Result<Grid, Failed> {
        let mut sources = self.sources.clone();
        let mut problems = Diagnostics::new();
        let fixed = super::load::read_overrides(set, &mut sources, &mut problems);
        let variant = variant.map(|name| {
            self.variants.iter().find(|variant| variant.name.value == name).expect("the variant exists")
        });
        let axes = match axes {
            Some(axes) => read_axes(axes, &mut sources, &mut problems),
            None => {
                let free = |axis: &&Axis| !fixed.iter().any(|set| set.path.covers(&axis.path));
                self.axes.iter().filter(free).cloned().collect()
            }
        };
        refuse_overlaps(&axes, &fixed, &mut problems);
        too_many(&axes, 1, &mut problems);
        let grid = self.base_grid(variant, &fixed, axes, sources, &mut problems);
        if !problems.has_errors() {
            return Ok(grid);
        }
        // What is wrong with single values is told together with that.
        for axis in &grid.axes {
            let alone = Grid { axes: vec![axis.clone()], ..grid.clone() };
            let checked = alone.check(0..axis.values.len().min(TOLD));
            checked.problems.into_iter().for_each(|(_, problem)| _ = problems.push(problem));
        }
        Err(Failed { sources: grid.sources, diagnostics: problems.finish() })
    }

    /// What all points of the file's own axes share.
    pub(super) fn own_grid(&self, variant: Option<&Variant>) -> Grid {
        let mut told_elsewhere = Diagnostics::new();
        self.base_grid(variant, &[], self.axes.clone(), Sources::default(), &mut told_elsewhere)
    }

    fn base_grid(
        &self,
        variant: Option<&Variant>,
        fixed: &[Override],
        axes: Vec<Axis>,
        sources: Sources,
        problems: &mut Diagnostics,
    ) -> Grid {
        let (mut model, mut run) = (self.model.clone(), self.run.clone());
        let before = variant.map_or(&[][..], |variant| &variant.set);
        for set in before.iter().chain(&self.set).chain(fixed) {
            place(self.entry, set, &mut model, &mut run, problems);
        }
        let variant = variant.map(|variant| variant.name.value.clone());
        let folder = self.folder.clone();
        Grid { about: self.about.clone(), entry: self.entry, model, run, variant, axes, sources, folder }
    }
}

impl Grid {
    /// The axes; the last one changes fastest.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// How many points there are: one without axes.
    pub fn points(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// For each axis, the number of its value at a point.
    pub fn at(&self, point: usize) -> Vec<usize> {
        let mut rest = point;
        let mut at: Vec<usize> = self
            .axes
            .iter()
            .rev()
            .map(|axis| {
                let index = rest % axis.values.len();
                rest /= axis.values.len();
                index
            })
            .collect();
        at.reverse();
        at
    }

    /// A point, decoded. It panics where [`check`](Self::check) had found a problem.
    pub fn resolve(&self, point: usize) -> Resolved {
        let (model, run) = self.decode(point, &mut Diagnostics::new()).expect("the point was checked");
        resolved(&self.about, self.entry, model, run)
    }

    /// Decodes these points and says what is wrong with them. Parts may be checked at the same time.
    pub fn check(&self, points: impl IntoIterator<Item = usize>) -> Checked {
        let mut checked = Checked::default();
        let mut in_vain = 0;
        for point in points {
            let mut found = Diagnostics::new();
            match self.decode(point, &mut found) {
                Some((model, run)) => {
                    if self.on_an_axis(point) {
                        let digest = input_digest(self.entry, &*model, &run);
                        let input = Input { digest, seed: run.seed, replications: run.replications };
                        checked.inputs.insert(point, input);
                    }
                    in_vain = 0;
                }
                None => in_vain += 1,
            }
            if found.is_empty() {
                continue;
            }
            let known = checked.problems.len();
            self.tell(point, found, &mut checked);
            if checked.problems.len() > known {
                in_vain = 0;
            }
            if in_vain >= HOPELESS {
                break;
            }
        }
        checked
    }

    /// The points at which every value of every axis is met: one axis varies, all others are at their first.
    pub fn on_axes(&self) -> Vec<usize> {
        let mut stride = self.points();
        let mut points = vec![0];
        for axis in &self.axes {
            stride /= axis.values.len();
            points.extend((1..axis.values.len()).map(|index| index * stride));
        }
        points.sort_unstable();
        points
    }

    fn on_an_axis(&self, point: usize) -> bool {
        self.at(point).iter().filter(|&&index| index > 0).count() <= 1
    }

    /// What is wrong with all that was checked: its problems, and values of an axis that mean the same. What
    /// the points [on the axes](Self::on_axes) are given, if nothing is wrong: every value is met in one of
    /// them, so they stand for all.
    pub fn judge(&self, checked: Checked) -> Result<Vec<Input>, Failed> {
        let mut problems = Diagnostics::new();
        self.refuse_equal_values(&checked, &mut problems);
        let inputs = checked.inputs.into_values().collect();
        checked.problems.into_iter().for_each(|(_, problem)| _ = problems.push(problem));
        match problems.has_errors() {
            true => Err(Failed { sources: self.sources.clone(), diagnostics: problems.finish() }),
            false => Ok(inputs),
        }
    }

    /// Two values of an axis that come to the same, found where all other axes are at their first.
    pub(super) fn refuse_equal_values(&self, checked: &Checked, problems: &mut Diagnostics) {
        let mut stride = self.points();
        for axis in &self.axes {
            stride /= axis.values.len();
            let mut known: BTreeMap<(u64, u64, u32), Span> = BTreeMap::new();
            for (index, value) in axis.values.iter().enumerate() {
                let Some(input) = checked.inputs.get(&(index * stride)) else { continue };
                let key = (input.digest, input.seed, input.replications);
                match known.get(&key) {
                    Some(&first) => {
                        let message = format!("a value of `{}` occurs twice", axis.path);
                        problems
                            .push(Diagnostic::error(value.span, message))
                            .path("sweep")
                            .label(first, "first here")
                            .help("remove one");
                    }
                    None => _ = known.insert(key, value.span),
                }
            }
        }
    }

    fn decode(&self, point: usize, problems: &mut Diagnostics) -> Option<(Box<dyn Decoded>, RunSpec)> {
        let (mut model, mut run) = (self.model.clone(), self.run.clone());
        let mut placed = true;
        for (axis, index) in self.axes.iter().zip(self.at(point)) {
            let set = Override { path: axis.path.clone(), value: axis.values[index].clone() };
            placed &= place(self.entry, &set, &mut model, &mut run, problems);
        }
        decoded(self.entry, &model, &run, Decoder::beside(&self.folder), problems).filter(|_| placed)
    }

    /// Adds the problems of a point that are new, and says at which values of the axes they are.
    fn tell(&self, point: usize, found: Diagnostics, checked: &mut Checked) {
        let values: Vec<(&Axis, &Node)> =
            self.axes.iter().zip(self.at(point)).map(|(axis, index)| (axis, &axis.values[index])).collect();
        // Where the value itself is pointed at, there is no need to repeat it.
        let within =
            |at: Span, (axis, value): &(&Axis, &Node)| value.span.holds(at) || axis.path.span().holds(at);
        let own = found.iter().all(|d| d.span().is_some_and(|at| values.iter().any(|set| within(at, set))));
        for mut diagnostic in found.into_iter() {
            let key = problem_key(&diagnostic);
            if !checked.told.insert(key.clone()) {
                continue;
            }
            if !own {
                let at: Vec<_> =
                    values.iter().map(|(axis, value)| format!("{} = {}", axis.path, value.brief())).collect();
                diagnostic.message.push_str(&in_variant(self.variant.as_deref()));
                diagnostic.message.push_str(&format!(" (with {})", at.join(", ")));
            }
            checked.problems.push((key, diagnostic));
        }
    }
}

impl Checked {
    /// Adds what the points that follow came to.
    pub fn merge(&mut self, after: Checked) {
        self.inputs.extend(after.inputs);
        for (key, problem) in after.problems {
            if self.told.insert(key.clone()) {
                self.problems.push((key, problem));
            }
        }
    }

    /// The problems that are not yet in `told`, which learns them.
    pub(super) fn news<'a>(self, told: &'a mut BTreeSet<Key>) -> impl Iterator<Item = Diagnostic> + 'a {
        self.problems.into_iter().filter_map(|(key, problem)| told.insert(key).then_some(problem))
    }
}

pub(super) fn in_variant(variant: Option<&str>) -> String {
    variant.map_or(String::new(), |variant| format!(" (in variant `{variant}`)"))
}

fn read_axes(given: &[AxisText], sources: &mut Sources, problems: &mut Diagnostics) -> Vec<Axis> {
    let mut axes = Vec::new();
    for AxisText { path, typed, values } in given {
        let text = format!("{path}={typed}");
        let source = sources.add("--set", text.as_str());
        let place = Span::new(source, 0, path.len());
        let at = match Path::parse(path, place) {
            Ok(at) => Some(at),
            Err(diagnostic) => {
                problems.push(*diagnostic);
                None
            }
        };
        match values {
            Err(why) => {
                let span = Span::new(source, path.len() + 1, text.len());
                let name = at.as_ref().map_or(path.clone(), Path::to_string);
                problems
                    .push(Diagnostic::error(span, why))
                    .path(name)
                    .help("write V1,V2,.. or FROM..TO:STEP or FROM..TO*FACTOR");
            }
            Ok(values) => {
                let read: Vec<Override> = values
                    .iter()
                    .filter_map(|value| {
                        let text = format!("{path}={value}");
                        let source = sources.add("--set", text.as_str());
                        Override::parse(&text, path.len(), source, problems)
                    })
                    .collect();
                axes.extend(
                    at.map(|path| Axis { path, values: read.into_iter().map(|set| set.value).collect() }),
                );
            }
        }
    }
    axes.retain(|axis: &Axis| !axis.values.is_empty());
    axes
}

/// Two axes never set the same value, and nothing that is set is overwritten at every point.
fn refuse_overlaps(axes: &[Axis], fixed: &[Override], problems: &mut Diagnostics) {
    for (index, axis) in axes.iter().enumerate() {
        if let Some(other) = axes[..index].iter().find(|other| other.path.overlaps(&axis.path)) {
            let message = format!("`{}` and `{}` set the same value", axis.path, other.path);
            problems
                .push(Diagnostic::error(axis.path.span(), message))
                .label(other.path.span(), "the other axis")
                .help("remove one");
        }
        if let Some(set) = fixed.iter().find(|set| axis.path.covers(&set.path)) {
            let message =
                format!("`{}` is set, and `{}` is swept: every cell would overwrite it", set.path, axis.path);
            problems
                .push(Diagnostic::error(set.path.span(), message))
                .label(axis.path.span(), "the axis")
                .help("remove one");
        }
    }
}

/// Whether the grid, for so many variants, is larger than what is looked at; that is then told.
pub(super) fn too_many(axes: &[Axis], variants: usize, problems: &mut Diagnostics) -> bool {
    let sizes = axes.iter().map(|axis| axis.values.len());
    let all = sizes.clone().chain([variants]).try_fold(1usize, usize::checked_mul);
    if all.is_some_and(|all| all <= MAX_POINTS) {
        return false;
    }
    let sizes = sizes.map(|size| size.to_string()).collect::<Vec<_>>().join(" x ");
    let message = match variants {
        1 => format!("the sweep has {sizes} points, allowed {MAX_POINTS}"),
        _ => format!(
            "the sweep has {sizes} points for each of {variants} variants, allowed {MAX_POINTS} in all"
        ),
    };
    let place = axes.first().map_or(Span::default(), |axis| axis.path.span());
    problems.push(Diagnostic::error(place, message)).path("sweep").help("take fewer values on an axis");
    true
}
