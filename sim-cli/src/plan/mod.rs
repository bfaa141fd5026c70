//! A sweep is a plan: every run of it has a number, and what a run gives depends on that number alone.
//!
//! A *cell* is a point of the grid, a *run* is a cell with one of its seeds, and run `cell * seeds + n` meets
//! seed number `n`. So a sweep can be run in one go, stopped and resumed ([`store`]), or in shards on any
//! number of machines ([`shard`]), and whoever has all runs reduces them in the order of their numbers
//! ([`reduce`]) to the same bytes.
//!
//! A [`Plan`] as a file is whole: it carries the experiment's text, and a fingerprint of what every run is
//! given, so that another version of brownout, another experiment or an edited file is refused.

pub mod journal;
pub mod line;
pub mod reduce;
pub mod shard;
pub mod store;
pub mod work;

use crate::app::App;
use crate::args::{Bounds, EngineName};
use crate::error::{Error, Result};
use crate::experiment::{Opened, Prepared};
use crate::files;
use crate::jobs::{in_order, threads};
use crate::library::Found;
use crate::replay::{Replay, quote};
use crate::result::seeds::Seeds;
use crate::result::swept::Axis;
use crate::study::replicate::{MOST_RUNS, Row};
use crate::text::number::count;
use crate::text::{escape, escape_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::digest::{Digester, Hex, hash_text};
use sim_models::experiment::{AxisText, Checked, Failed, Grid, Input, Resolved};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of the shape of a plan.
pub const FORMAT: u32 = 1;
/// The largest plan that is read, in bytes: an experiment and its axes.
const LIMIT: u64 = 64 << 20;
/// Domain of the fingerprint's digest.
const FINGERPRINT: u64 = 0x70;
/// Points that are checked in one piece.
const PIECE: usize = 256;

/// What is swept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// The version of brownout that wrote it, and the only one that runs it.
    pub brownout: String,
    /// Of what every run is given.
    pub fingerprint: String,
    /// Of this file: an edited one is refused.
    pub checksum: String,
    /// Which experiment.
    pub experiment: Subject,
    /// Name and version of its model.
    pub model: (String, u32),
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What is set in every cell.
    pub set: Vec<(String, String)>,
    /// The axes; the last one changes fastest.
    pub axes: Vec<Axis>,
    /// The seeds of every cell.
    pub seeds: Seeds,
    /// Whether each cell states its first seed itself, because an axis sets it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_seeds: bool,
    /// The metrics to show; the usual ones if empty. They may be chosen anew when the runs are there.
    pub metrics: Vec<String>,
    /// How far a run may go.
    pub limits: Limits,
    /// How many runs there are: cells times seeds.
    pub runs: usize,
}

/// The experiment of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its base name.
    pub name: String,
    /// What named it on the command line.
    pub argument: String,
    /// How messages call the file.
    pub shown: String,
    /// Its text.
    pub text: String,
    /// The files beside it that it names, and what they say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<String, String>,
}

/// How far a run may go, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Whether the reference engine drives it.
    pub reference_engine: bool,
    /// `--max-events`
    pub max_events: u64,
    /// `--max-in-flight`
    pub max_in_flight: u64,
}

impl Limits {
    fn of(bounds: &Bounds) -> Self {
        Limits {
            reference_engine: bounds.engine == EngineName::Reference,
            max_events: bounds.max_events,
            max_in_flight: bounds.max_in_flight,
        }
    }

    fn bounds(self) -> Bounds {
        Bounds {
            engine: if self.reference_engine { EngineName::Reference } else { EngineName::Fast },
            max_events: self.max_events,
            max_in_flight: self.max_in_flight,
        }
    }
}

/// What a sweep is asked to be.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A variant that exists; none is the base.
    pub variant: Option<String>,
    /// What is set in every cell.
    pub set: Vec<(String, String)>,
    /// The axes; none means those of the file.
    pub axes: Option<Vec<AxisText>>,
    /// The first seed, instead of the file's.
    pub seed: Option<u64>,
    /// How many seeds, instead of the file's number.
    pub replications: Option<u32>,
    /// The metrics to show.
    pub metrics: Vec<String>,
    /// How far.
    pub bounds: Bounds,
}

/// A plan whose every run can be made.
#[derive(Debug)]
pub struct Ready {
    /// The plan.
    pub plan: Plan,
    /// Its cells, decoded one at a time.
    pub grid: Grid,
    bounds: Bounds,
    program: String,
    dir: Option<PathBuf>,
    /// Where the plan is, if it is a file: what repeats one of its runs.
    file: Option<PathBuf>,
}

impl Ready {
    /// Plans a sweep and checks all of its cells.
    pub fn plan(app: &App, opened: &Opened, asked: Asked) -> Result<Ready> {
        let Asked { variant, set, axes, seed, replications, metrics, bounds } = asked;
        let experiment = &opened.experiment;
        let grid = experiment
            .grid(variant.as_deref(), &set, axes.as_deref())
            .map_err(|failed| app.invalid(&failed))?;
        if grid.axes().is_empty() {
            return Err(nothing_varies(opened, axes.is_none()));
        }
        let all: Vec<usize> = (0..grid.points()).collect();
        let inputs = check(&grid, &all, app).map_err(|failed| app.invalid(&failed))?;
        let own_seeds = inputs.iter().any(|input| input.seed != inputs[0].seed);
        if let (true, Some(_)) = (own_seeds, seed) {
            return Err(Error::Usage {
                message: "an axis sets run.seed, and --seed would overwrite it".into(),
                help: "  leave one of them out".into(),
            });
        }
        let Some(seeds) = replications.or_else(|| same(&inputs, |input| input.replications)) else {
            return Err(Error::Usage {
                message: "an axis sets run.replications, and every cell has as many runs".into(),
                help: "  say how many with --replications, and sweep something else".into(),
            });
        };
        let cells = grid.points();
        let runs = cells.saturating_mul(seeds as usize);
        if runs > MOST_RUNS {
            let message = format!("{cells} cells on {seeds} seeds are {runs} runs, allowed {MOST_RUNS}");
            let help = "  lower --replications, or take fewer values".into();
            return Err(Error::Usage { message, help });
        }
        // As they were typed; those of the file on one line each.
        let line = |text: String| text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let own = |axis: &sim_models::experiment::Axis| Axis {
            path: axis.path.to_string(),
            values: axis.values.iter().map(|value| line(value.to_string())).collect(),
        };
        let typed = |axis: &AxisText| Axis {
            path: axis.path.clone(),
            values: axis.values.clone().expect("the grid refuses an axis without values"),
        };
        let axes = match &axes {
            Some(axes) => axes.iter().map(typed).collect(),
            None => grid.axes().iter().map(own).collect(),
        };
        let mut plan = Plan {
            format: FORMAT,
            brownout: env!("CARGO_PKG_VERSION").into(),
            fingerprint: String::new(),
            checksum: String::new(),
            experiment: Subject {
                name: opened.found.name.clone(),
                argument: opened.found.argument.clone(),
                shown: opened.found.shown.clone(),
                text: String::from_utf8_lossy(&opened.found.bytes).into_owned(),
                beside: experiment.folder().texts(),
            },
            model: (experiment.entry().name.into(), experiment.entry().version),
            variant,
            set,
            axes,
            seeds: Seeds { first: seed.unwrap_or(inputs[0].seed), count: seeds },
            own_seeds,
            metrics,
            limits: Limits::of(&bounds),
            runs,
        };
        plan.fingerprint = plan.fingerprint_of(&inputs);
        plan.checksum = plan.checksum_of();
        Ok(Ready::new(app, plan, grid, bounds, None))
    }

    /// Reads a plan and checks that every run of it is given the same here as where it was planned.
    pub fn open(app: &App, path: &Path) -> Result<Ready> {
        let plan = Plan::read(path)?;
        let shown = escape_path(path);
        let refuse = |why: String| Error::Usage {
            message: format!("cannot run {shown}: {why}"),
            help: "  write a new plan with `brownout sweep plan`".into(),
        };
        let here = env!("CARGO_PKG_VERSION");
        if plan.brownout != here {
            let why = format!(
                "brownout {} planned it, and this is brownout {here}: another version may give other numbers",
                escape(&plan.brownout)
            );
            return Err(refuse(why));
        }
        if plan.checksum != plan.checksum_of() {
            return Err(refuse("it was changed after it was written".into()));
        }
        let Subject { name, argument, shown: file, text, beside } = plan.experiment.clone();
        let (bytes, beside) = (text.into_bytes(), Some(beside));
        let found = Found { name, family: None, shown: file, argument, path: None, bytes, beside };
        let (experiment, _) = app.understand_unswept(&found).map_err(|failed| app.invalid(&failed))?;
        let here = (experiment.entry().name.to_string(), experiment.entry().version);
        if plan.model != here {
            let why = format!(
                "it was planned for version {} of {}, which is here version {}",
                plan.model.1, here.0, here.1
            );
            return Err(refuse(why));
        }
        let axes: Vec<AxisText> = plan
            .axes
            .iter()
            .map(|axis| AxisText {
                path: axis.path.clone(),
                typed: axis.values.join(","),
                values: Ok(axis.values.clone()),
            })
            .collect();
        let grid = experiment
            .grid(plan.variant.as_deref(), &plan.set, Some(&axes))
            .map_err(|failed| app.invalid(&failed))?;
        // Every cell was checked when it was planned, by this version: here every value is met once.
        let inputs = check(&grid, &grid.on_axes(), app).map_err(|failed| app.invalid(&failed))?;
        if plan.fingerprint_of(&inputs) != plan.fingerprint {
            let why = "this build of brownout gives its runs something else than the one that planned it";
            return Err(refuse(why.into()));
        }
        let bounds = plan.limits.bounds();
        Ok(Ready::new(app, plan, grid, bounds, Some(path.into())))
    }

    fn new(app: &App, plan: Plan, grid: Grid, bounds: Bounds, file: Option<PathBuf>) -> Ready {
        Ready { plan, grid, bounds, program: app.program.clone(), dir: app.global.dir.clone(), file }
    }

    /// The command line that makes all of it in one go.
    pub fn again(&self) -> String {
        let Plan { variant, set, axes, seeds, metrics, .. } = &self.plan;
        let axes = axes.iter().map(|axis| (axis.path.clone(), axis.values.join(",")));
        let replay = Replay {
            program: self.program.clone(),
            dir: self.dir.clone(),
            experiment: self.plan.experiment.argument.clone(),
            variant: variant.clone(),
            set: set.iter().cloned().chain(axes).collect(),
            seed: seeds.first,
            max_memory: None,
        };
        let mut line = replay.bounded_line("sweep", &self.bounds);
        if self.plan.own_seeds {
            line = line.replacen(&format!(" --seed {}", seeds.first), "", 1);
        }
        line += &format!(" --replications {}", seeds.count);
        metrics.iter().for_each(|metric| line += &format!(" --metric {}", quote(metric)));
        line
    }

    /// How many runs there are.
    pub fn runs(&self) -> usize {
        self.plan.runs
    }

    /// The cell that a run belongs to.
    pub fn cell_of(&self, run: usize) -> usize {
        run / self.plan.seeds.count as usize
    }

    /// The seed of a run in a cell that was decoded.
    fn seed_of(&self, run: usize, cell: &Resolved) -> u64 {
        let first = if self.plan.own_seeds { cell.run.seed } else { self.plan.seeds.first };
        first.wrapping_add((run % self.plan.seeds.count as usize) as u64)
    }

    /// How far a run may go.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The value of each axis in a cell, as it would be typed.
    pub fn values_at(&self, cell: usize) -> Vec<String> {
        let values = self.plan.axes.iter().zip(self.grid.at(cell));
        values.map(|(axis, index)| axis.values[index].clone()).collect()
    }

    /// A run, decoded.
    pub fn prepare(&self, run: usize) -> Prepared {
        let cell = self.cell_of(run);
        let resolved = self.grid.resolve(cell);
        let seed = self.seed_of(run, &resolved);
        let replay = self.replay(cell, seed);
        Prepared {
            name: self.plan.experiment.name.clone(),
            variant: self.plan.variant.clone(),
            set: self.set_at(cell),
            seed,
            reseeded: resolved.run.seed != seed,
            resolved,
            replay,
        }
    }

    /// The next run, if it is of the same cell.
    pub fn reseed(&self, prepared: &mut Prepared, run: usize) {
        prepared.seed = self.seed_of(run, &prepared.resolved);
        prepared.reseeded = prepared.resolved.run.seed != prepared.seed;
        prepared.replay.seed = prepared.seed;
    }

    /// The command that does one run again.
    pub fn repeat(&self, run: usize) -> String {
        match &self.file {
            Some(plan) => {
                let plan = crate::replay::quote(&plan.to_string_lossy());
                format!("{} sweep run {plan} --shard {run}/{}", self.program, self.runs())
            }
            None => self.prepare(run).replay.bounded_line("run", &self.bounds),
        }
    }

    fn replay(&self, cell: usize, seed: u64) -> Replay {
        Replay {
            program: self.program.clone(),
            dir: self.dir.clone(),
            experiment: self.plan.experiment.argument.clone(),
            variant: self.plan.variant.clone(),
            set: self.set_at(cell),
            seed,
            max_memory: None,
        }
    }

    /// A cell as a row of runs.
    pub fn row(&self, cell: usize) -> Row {
        Row { variant: self.plan.variant.clone(), set: self.set_at(cell) }
    }

    fn set_at(&self, cell: usize) -> Vec<(String, String)> {
        let paths = self.plan.axes.iter().map(|axis| axis.path.clone());
        self.plan.set.iter().cloned().chain(paths.zip(self.values_at(cell))).collect()
    }
}

impl Plan {
    /// As a file.
    pub fn to_json(&self) -> String {
        crate::render::json(self)
    }

    /// Reads one, of this format and whole.
    pub fn read(path: &Path) -> Result<Plan> {
        let bytes = files::read(path, LIMIT)?;
        let shown = escape_path(path);
        #[derive(Deserialize)]
        struct Head {
            format: u64,
            fingerprint: String,
        }
        let help = "  `brownout sweep plan EXPERIMENT .. --out plan.json` writes one";
        let refuse = |message: String| Error::Usage { message, help: help.into() };
        let head: Head =
            serde_json::from_slice(&bytes).map_err(|_| refuse(format!("{shown} is no plan of a sweep")))?;
        if head.format != u64::from(FORMAT) || head.fingerprint.is_empty() {
            let message = format!(
                "{shown} has format {}, and this brownout reads plans of format {FORMAT}",
                head.format
            );
            return Err(refuse(message));
        }
        let plan: Plan = serde_json::from_slice(&bytes)
            .map_err(|why| refuse(format!("{shown} is no whole plan: {}", escape(&why.to_string()))))?;
        let values = plan.axes.iter().map(|axis| axis.values.len());
        let cells = values.chain([plan.seeds.count as usize]).try_fold(1, usize::checked_mul);
        match cells == Some(plan.runs) && plan.runs > 0 && plan.runs <= MOST_RUNS {
            true => Ok(plan),
            false => Err(refuse(format!("{shown} states {} runs, which its axes do not have", plan.runs))),
        }
    }

    /// Of everything that decides what the runs are and how they are called, with the `i` digests of the cells on
    /// the axes, in which every value is met; which metrics are shown does not matter.
    fn fingerprint_of(&self, inputs: &[Input]) -> String {
        let bare = Plan {
            fingerprint: String::new(),
            checksum: String::new(),
            metrics: Vec::new(),
            // The digests say what it means, whatever its comments, and wherever it was found.
            experiment: Subject { name: self.experiment.name.clone(), ..Subject::default() },
            ..self.clone()
        };
        let mut digest = Digester::new(FINGERPRINT);
        digest.text(&serde_json::to_string(&bare).expect("a plan has text keys"));
        inputs.iter().for_each(|input| digest.pair(input.digest, input.seed));
        Hex(digest.finish()).to_string()
    }

    fn checksum_of(&self) -> String {
        let bare = Plan { checksum: String::new(), ..self.clone() };
        Hex(hash_text(&serde_json::to_string(&bare).expect("a plan has text keys"))).to_string()
    }

    /// In what `self` is another sweep than `other`, in words; nothing if it is the same.
    pub fn difference(&self, other: &Plan) -> Option<String> {
        if self.fingerprint == other.fingerprint {
            return None;
        }
        let axes = |plan: &Plan| {
            plan.axes
                .iter()
                .map(|axis| format!("{}={}", axis.path, axis.values.join(",")))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let seeds = |plan: &Plan| format!("{} from {}", count(plan.seeds.count.into()), plan.seeds.first);
        let variant = |plan: &Plan| plan.variant.clone().unwrap_or_else(|| crate::experiment::BASE.into());
        let both = |of: &dyn Fn(&Plan) -> String| (of(self), of(other));
        let facts = [
            ("experiment", both(&|plan| plan.experiment.name.clone())),
            ("version of brownout", both(&|plan| plan.brownout.clone())),
            ("variant", both(&variant)),
            ("axes", both(&axes)),
            ("seeds", both(&seeds)),
            ("settings", both(&|plan| format!("{:?}", plan.set))),
        ];
        if let Some((what, (mine, others))) = facts.iter().find(|(_, (mine, others))| mine != others) {
            let short = |text: &str| {
                let cut: String = text.chars().take(120).collect();
                escape(&if cut.len() < text.len() { cut + ".." } else { cut })
            };
            return Some(format!("its {what}: {}; now {}", short(mine), short(others)));
        }
        Some(match self.experiment.text == other.experiment.text {
            true => "its limits, or what this build makes of it".into(),
            false => "the experiment's file has changed since".into(),
        })
    }
}

/// Checks these cells on all threads; the problems are those of the cells in order.
fn check(grid: &Grid, points: &[usize], app: &App) -> Result<Vec<Input>, Failed> {
    let pieces: Vec<&[usize]> = points.chunks(PIECE).collect();
    let mut checked = Checked::default();
    for piece in in_order(threads(app.global.jobs), &pieces, |piece| grid.check(piece.iter().copied())) {
        checked.merge(piece);
    }
    grid.judge(checked)
}

/// What they all have in common.
fn same<T: PartialEq>(inputs: &[Input], of: impl Fn(&Input) -> T) -> Option<T> {
    let first = of(inputs.first()?);
    inputs.iter().all(|input| of(input) == first).then_some(first)
}

fn nothing_varies(opened: &Opened, of_file: bool) -> Error {
    let name = &opened.found.name;
    let message = match (of_file, opened.experiment.axes().is_empty()) {
        (true, false) => {
            format!("every axis in the `sweep` of {name} is fixed by --set: nothing is left to vary")
        }
        _ => format!("{name} has no `sweep`, and no axis is given"),
    };
    Error::Usage {
        message,
        help: "  name one: --set services.payments.replicas=2,3,4 or --set ..=1..8*2".into(),
    }
}
