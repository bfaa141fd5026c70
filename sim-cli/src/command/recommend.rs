//! `brownout recommend EXPERIMENT`: which value to set.

use crate::app::App;
use crate::args::{Bounds, Subject, TableFormat};
use crate::error::{Error, Exit, Result};
use crate::experiment::Opened;
use crate::files::OutDir;
use crate::html;
use crate::jobs::{in_order, threads};
use crate::progress::Meter;
use crate::render::{json, recommend as page};
use crate::replay::{Replay, result_of};
use crate::result::estimate::{Estimate, Measured};
use crate::result::knob::Knob;
use crate::result::recommended::{self, Binding, Condition, Finalist, Outcome, Recommendation, Tried, plain};
use crate::result::seeds::Seeds;
use crate::study::fault;
use crate::study::knob::is_range;
use crate::study::measure::measure;
use crate::study::race::{Candidate, RUNGS, Score, front, race, ranking};
use crate::study::runs::{Runs, Settings, incomplete};
use crate::study::space::{Dimension, MOST_DIMENSIONS, Place, Space};
use crate::study::wish::{Held, Wish};
use crate::text::escape;
use clap::{ArgGroup, Args as ClapArgs};
use sim_models::experiment::{Node, Resolved};
use sim_models::report::{Report, Unit};
use std::path::PathBuf;

const FILES: [&str; 3] = ["recommend.json", "recommend.csv", "report.html"];
/// Settings that are validated, today's among them.
const FINALISTS: usize = 6;
/// The best of the race that are validated whatever the front looks like.
const BEST: usize = 3;
/// A setting is recommended if all conditions hold on at least this share of the fresh seeds.
const SURE: f64 = 0.95;
/// A setting does as well if its objective is within this share of the winner's and not clearly worse.
const AS_WELL: f64 = 0.01;
/// Settings that are validated differ by this share of some range.
const APART: f64 = 0.03;
/// Objectives closer than this share are equal.
const EQUAL: f64 = 0.001;

/// `brownout recommend`
#[derive(Clone, Debug, ClapArgs)]
#[command(group = ArgGroup::new("objective").args(["maximize", "minimize"]).required(true))]
#[command(after_help = "\
Examples:
  brownout recommend retry-storm --maximize goodput \\
      --set services.payments.queue.capacity=16..512
  brownout recommend retry-storm --variant budgeted --maximize goodput \\
      --set policies.budgeted.budget.ratio=0.02..1.0 \\
      --set policies.budgeted.timeout=50ms..1s \\
      --subject-to 'amplification <= 1.2' --subject-to 'p99 <= 300ms'
  brownout recommend retry-storm --minimize p99 \\
      --set policies.naive.retry.attempts=1..5 --set services.payments.replicas=3,4

A --set with a range LOW..HIGH or a list A,B,.. is chosen from, any other is set. Where the experiment \
has a fault that ends, surviving it is a condition, unless you say --need-not-recover. Settings race on \
shared seeds: what is hopeless costs two runs. The leaders, today's setting and the trade-offs between \
objective and conditions are then run on seeds that the race never saw, and only those numbers are \
printed: whoever wins a race was also lucky in it. Exit code 4 means that nothing met the conditions; \
the closest is shown.")]
pub struct Recommend {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// The metric that is to be as large as possible
    #[arg(long, value_name = "METRIC")]
    pub maximize: Option<String>,
    /// The metric that is to be as small as possible
    #[arg(long, value_name = "METRIC")]
    pub minimize: Option<String>,
    /// A condition: 'amplification <= 1.2', 'p99 <= 300ms', 'success during 90s..120s >= 99%'; several may be given
    #[arg(long, value_name = "CONDITION")]
    pub subject_to: Vec<String>,
    /// Do not ask that it recovers from its fault
    #[arg(long)]
    pub need_not_recover: bool,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Fresh seeds on which the leaders are validated
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub replications: u32,
    /// The most runs, validation included
    #[arg(long, value_name = "RUNS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub budget: u32,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write report.html, recommend.json and recommend.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Recommend, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name)?;
    let variant = app.variant(&opened, args.variant.as_deref())?;
    let searched =
        |(path, value): &(String, String)| is_range(value) || Dimension::list(path, value).is_some();
    let (searched, fixed): (Settings, Settings) = args.subject.set.iter().cloned().partition(searched);
    let base = app.prepare(&opened, variant, &fixed, args.subject.seed)?;
    let space = space(app, &opened, variant, &fixed, &searched, &base.resolved)?;
    let wishes = wishes(args, &base.resolved)?;
    let (validated, budget) = budgets(args)?;
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES)).transpose()?;

    let goal = Goal {
        metric: args.maximize.as_ref().or(args.minimize.as_ref()).expect("clap asks for one").clone(),
        less: args.minimize.is_some(),
        wishes,
    };
    goal.check(args, app, &opened, variant, &fixed, base.seed)?;
    let meter = Meter::of_search(&app.console, &opened.found.name, args.budget as usize);
    let runs = Runs::new(app, &opened, variant, &fixed, &args.bounds, &meter);
    let search = Search {
        space: &space,
        goal: &goal,
        runs: &runs,
        threads: threads(app.global.jobs),
        race: Seeds { first: base.seed, count: RUNGS[RUNGS.len() - 1] as u32 },
        fresh: Seeds {
            first: base.seed.wrapping_add(RUNGS[RUNGS.len() - 1] as u64),
            count: args.replications,
        },
    };
    let candidates = search.race(budget, &base.resolved)?;
    let order = ranking(&candidates);
    let fronts = goal.front(&candidates);
    let chosen = finalists(&candidates, &order, &fronts, validated);
    let rounds = search.validate(&candidates, &chosen)?;
    meter.finish(&mut app.console, None);

    let missing = rounds.iter().flatten().filter(|run| run.is_none()).count();
    let all = rounds.iter().flatten().count();
    let missing = (missing > 0).then(|| format!("{missing} of {all} runs of the validation are missing"));
    let (mut exit, notes) = incomplete(&runs, app, missing);
    if runs.made() == 0 || rounds.iter().flatten().flatten().next().is_none() {
        return Err(Error::Stopped(match app.console.interrupt.exit() {
            Some(signal) => signal,
            None => exit,
        }));
    }
    let mut told = search.told(&candidates, &order, &fronts, &chosen, &rounds, &base.resolved);
    told.experiment.clone_from(&opened.found.name);
    told.variant = variant.map(String::from);
    told.set.clone_from(&fixed);
    told.runs = runs.made();
    told.incomplete = notes;
    if let Some(first) = told.finalists.first() {
        let mut replay = Replay {
            dir: app.global.dir.clone(),
            experiment: opened.found.argument.clone(),
            variant: variant.map(String::from),
            set: fixed.clone(),
            seed: search.fresh.first,
        };
        if !first.today {
            replay.set.extend(first.set.iter().cloned());
        }
        told.look = Some(replay.bounded_line("run", &args.bounds));
    }
    if exit == Exit::Good && told.outcome == Outcome::Infeasible {
        exit = Exit::Failed;
    }
    let (json, csv) = (json(&told), page::csv(&told));
    if let Some(out) = out {
        out.write(FILES[0], json.as_bytes())?;
        out.write(FILES[1], csv.as_bytes())?;
        let page = html::recommend::page(&told, &searched, &result_of(&app.typed));
        out.write(FILES[2], page.html().as_bytes())?;
    }
    app.console.document(&match args.format {
        TableFormat::Text => page::text(&told, app.console.style()),
        TableFormat::Markdown => page::markdown(&told),
        TableFormat::Json => json,
        TableFormat::Csv => csv,
    })?;
    Ok(exit)
}

/// The ranges and lists to choose from; each end and each value of a list can run.
fn space(
    app: &App,
    opened: &Opened,
    variant: Option<&str>,
    fixed: &[(String, String)],
    searched: &[(String, String)],
    base: &Resolved,
) -> Result<Space> {
    if searched.is_empty() {
        let name = escape(&opened.found.argument);
        return Err(Error::Usage {
            message:
                "nothing to choose from: give a range or a list with --set PATH=LOW..HIGH or --set PATH=A,B"
                    .into(),
            help: format!(
                "  for example: brownout recommend {name} --set services.payments.replicas=2..6 --maximize goodput"
            ),
        });
    }
    if searched.len() > MOST_DIMENSIONS {
        let message = format!("{} settings to choose from, allowed {MOST_DIMENSIONS}", searched.len());
        return Err(Error::usage(message));
    }
    let mut dimensions: Vec<Dimension> = Vec::new();
    for (path, text) in searched {
        let said = |why: &str| Error::usage(format!("--set {}: {}", escape(path), escape(why)));
        if dimensions.iter().any(|dimension| dimension.path() == path) {
            return Err(said("it is given twice"));
        }
        let (dimension, values) = if is_range(text) {
            let knob = Knob::parse(path, text, base.value(path)).map_err(|why| said(&why))?;
            let ends = vec![knob.value(knob.low), knob.value(knob.high)];
            (Dimension::Range(knob), ends)
        } else {
            let list = Dimension::list(path, text).expect("told apart before");
            let Dimension::List { values, .. } = &list else { unreachable!("a list") };
            let values = values.clone();
            (list, values)
        };
        for value in values {
            let set: Settings = fixed.iter().cloned().chain([(path.clone(), value)]).collect();
            app.prepare(opened, variant, &set, None)?;
        }
        dimensions.push(dimension);
    }
    Ok(Space(dimensions))
}

/// What is asked of a setting, surviving its fault included.
fn wishes(args: &Recommend, base: &Resolved) -> Result<Vec<Wish>> {
    let parse = |text: &String| {
        Wish::parse(text)
            .and_then(|wish| wish.within(base.run.duration))
            .map_err(|why| Error::usage(format!("--subject-to: {}", escape(&why))))
    };
    let mut wishes: Vec<Wish> = args.subject_to.iter().map(parse).collect::<Result<_>>()?;
    let ends = fault::over(&fault::disturbances(base)).is_some_and(|_| !fault::disturbances(base).is_empty());
    let asked = wishes.iter().any(|wish| ["recovered", "time_to_recover"].contains(&wish.metric.as_str()));
    if ends && !asked && !args.need_not_recover {
        wishes.insert(0, Wish::recovered());
    }
    Ok(wishes)
}

/// How many settings are validated, and how many runs are left for the race.
fn budgets(args: &Recommend) -> Result<(usize, usize)> {
    let (all, each) = (args.budget as usize, args.replications as usize);
    let validated = (all / 2 / each).min(FINALISTS);
    if validated < 2 {
        return Err(Error::Usage {
            message: format!(
                "{all} runs are too few: two settings on {each} fresh seeds are {}, and as many are for the search",
                2 * each
            ),
            help: format!("  --budget {}, or fewer --replications", 4 * each),
        });
    }
    Ok((validated, all - validated * each))
}

/// What is wanted.
struct Goal {
    metric: String,
    less: bool,
    wishes: Vec<Wish>,
}

/// One run of a setting.
#[derive(Clone, Debug)]
struct Seen {
    objective: Measured,
    unit: Unit,
    held: Vec<Held>,
}

impl Goal {
    /// Finds unknown metrics and wrong units before anything is searched.
    fn check(
        &self,
        args: &Recommend,
        app: &App,
        opened: &Opened,
        variant: Option<&str>,
        fixed: &[(String, String)],
        seed: u64,
    ) -> Result<()> {
        // After one event all edges and services are known, and so are their metrics; what a model measures besides
        // shows at the end only.
        let values = |metric: &str| metric.starts_with("values");
        if values(&self.metric) || self.wishes.iter().any(|wish| values(&wish.metric)) {
            return Ok(());
        }
        let bounds = Bounds { max_events: 1, ..args.bounds };
        let meter = Meter::of_runs(&app.console, "", 0);
        match Runs::new(app, opened, variant, fixed, &bounds, &meter).report(&[], seed)? {
            Some(report) => self.seen(&report).map(|_| ()),
            None => Ok(()),
        }
    }

    fn seen(&self, report: &Report) -> Result<Seen> {
        let (objective, unit) = measure(report, std::slice::from_ref(&self.metric))?[0];
        let held = self.wishes.iter().map(|wish| wish.held(report)).collect::<Result<_>>()?;
        Ok(Seen { objective, unit, held })
    }

    /// The objective as something to make as large as possible.
    fn value(&self, seen: &Seen) -> Option<f64> {
        let value = match seen.objective {
            Measured::Number(value) => value,
            Measured::Truth(truth) => f64::from(u8::from(truth)),
            Measured::Absent => return None,
        };
        Some(if self.less { -value } else { value })
    }

    fn score(&self, seen: &Seen) -> Score {
        Score {
            objective: self.value(seen),
            breaches: seen.held.iter().map(|held| held.breach).collect(),
            room: seen.held.iter().map(|held| held.room).sum(),
            measured: seen.held.iter().map(|held| held.measured).collect(),
        }
    }

    fn feasible(&self, seen: &Seen) -> bool {
        self.value(seen).is_some() && seen.held.iter().all(|held| held.holds)
    }

    /// The trade-offs between the objective and the conditions that are numbers, where those that are truths hold.
    fn front(&self, candidates: &[Candidate]) -> Vec<usize> {
        let numbers: Vec<(usize, bool)> = (0..self.wishes.len())
            .filter(|&n| !self.wishes[n].is_truth())
            .map(|n| (n, self.wishes[n].wants_less()))
            .collect();
        let truths = |candidate: &Candidate| {
            let hold = |score: &Score| {
                score
                    .breaches
                    .iter()
                    .zip(&self.wishes)
                    .all(|(breach, wish)| !wish.is_truth() || *breach == 0.0)
            };
            candidate.scores.iter().all(hold)
        };
        let of_truth: Vec<Candidate> = candidates
            .iter()
            .map(|one| match truths(one) {
                true => one.clone(),
                false => Candidate { place: None, scores: Vec::new() },
            })
            .collect();
        front(&of_truth, &numbers)
    }
}

/// Which candidates are validated: the best of the race, today's setting, and trade-offs far from each other.
fn finalists(candidates: &[Candidate], order: &[usize], front: &[usize], most: usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = order.iter().take(1).copied().collect();
    // What is next to another tells nothing new.
    let near = |a: &Place, b: &Place| a.at.iter().zip(&b.at).all(|(a, b)| (a - b).abs() < APART);
    let mut add = |n: usize| {
        let place = |n: usize| candidates[n].place.as_ref();
        let known = |other: &usize| place(n).zip(place(*other)).is_some_and(|(a, b)| near(a, b));
        if chosen.len() < most && !chosen.contains(&n) && !chosen.iter().any(known) {
            chosen.push(n);
        }
    };
    add(0);
    order.iter().take(BEST.min(most.saturating_sub(2)).max(1)).for_each(|&n| add(n));
    // A front is in the order of the objective: its two ends, its middle, and so on.
    let last = front.len().saturating_sub(1);
    let spread = [0, last, last / 2, last / 4, 3 * last / 4];
    spread.iter().filter_map(|&at| front.get(at)).for_each(|&n| add(n));
    order.iter().filter(|&&n| candidates[n].feasible()).for_each(|&n| add(n));
    chosen.retain(|&n| n == 0 || !candidates[n].scores.is_empty());
    chosen
}

struct Search<'a> {
    space: &'a Space,
    goal: &'a Goal,
    runs: &'a Runs<'a>,
    threads: usize,
    race: Seeds,
    fresh: Seeds,
}

impl Search<'_> {
    fn settings(&self, place: Option<&Place>) -> Settings {
        place.map_or_else(Vec::new, |place| self.space.settings(place))
    }

    fn see(&self, place: Option<&Place>, seed: u64) -> Result<Option<Seen>> {
        let report = self.runs.report(&self.settings(place), seed)?;
        report.map(|report| self.goal.seen(&report)).transpose()
    }

    fn race(&self, budget: usize, base: &Resolved) -> Result<Vec<Candidate>> {
        let seeds: Vec<u64> = self.race.iter().collect();
        let standing = self.standing(base).into_iter().map(|(_, value)| value).collect();
        race(self.space, standing, budget, &mut |asked: &[(Candidate, usize)]| {
            let one =
                |(candidate, seed): &(Candidate, usize)| self.see(candidate.place.as_ref(), seeds[*seed]);
            let seen: Vec<Option<Seen>> =
                in_order(self.threads, asked, one).into_iter().collect::<Result<_>>()?;
            Ok(seen.iter().map(|seen| seen.as_ref().map(|seen| self.goal.score(seen))).collect())
        })
    }

    /// Each of the chosen on each fresh seed.
    fn validate(&self, candidates: &[Candidate], chosen: &[usize]) -> Result<Vec<Vec<Option<Seen>>>> {
        let seeds: Vec<u64> = self.fresh.iter().collect();
        let jobs: Vec<(usize, u64)> =
            seeds.iter().flat_map(|seed| chosen.iter().map(move |n| (*n, *seed))).collect();
        let one = |(n, seed): &(usize, u64)| self.see(candidates[*n].place.as_ref(), *seed);
        let seen: Vec<Option<Seen>> =
            in_order(self.threads, &jobs, one).into_iter().collect::<Result<_>>()?;
        // Seed by seed they were run, so that an interruption leaves whole comparisons; setting by setting they are told.
        Ok((0..chosen.len()).map(|n| seen.iter().skip(n).step_by(chosen.len()).cloned().collect()).collect())
    }

    fn told(
        &self,
        candidates: &[Candidate],
        order: &[usize],
        fronts: &[usize],
        chosen: &[usize],
        rounds: &[Vec<Option<Seen>>],
        base: &Resolved,
    ) -> Recommendation {
        let goal = self.goal;
        let of_round = |n: usize| -> Vec<Option<f64>> {
            rounds[n].iter().map(|seen| seen.as_ref().and_then(|seen| goal.value(seen))).collect()
        };
        let feasible = |n: usize| -> Vec<bool> {
            rounds[n].iter().map(|seen| seen.as_ref().is_some_and(|seen| goal.feasible(seen))).collect()
        };
        let today = chosen.iter().position(|n| *n == 0);
        let best_on = |seed: usize| -> Option<f64> {
            let there = (0..chosen.len()).filter(|&n| feasible(n)[seed]).filter_map(|n| of_round(n)[seed]);
            there.max_by(f64::total_cmp)
        };
        let finalist = |n: usize| {
            let (values, feasible) = (of_round(n), feasible(n));
            let signed = |value: f64| if goal.less { -value } else { value };
            let numbers: Vec<Measured> = values
                .iter()
                .map(|value| value.map_or(Measured::Absent, |x| Measured::Number(signed(x))))
                .collect();
            let theirs = today.filter(|today| *today != n).map(&of_round);
            let minus_today = theirs.as_ref().map(|theirs| {
                let difference = |(mine, theirs): (&Option<f64>, &Option<f64>)| match (mine, theirs) {
                    (Some(mine), Some(theirs)) => Measured::Number(signed(mine - theirs)),
                    _ => Measured::Absent,
                };
                Estimate::of(&values.iter().zip(theirs).map(difference).collect::<Vec<_>>())
            });
            let better = theirs.as_ref().map(|theirs| {
                values.iter().zip(theirs).filter(|(mine, theirs)| is_better(**mine, **theirs)).count() as u64
            });
            let metric = |condition: usize| {
                let measured = rounds[n].iter().flatten().map(|seen| {
                    let held = &seen.held[condition];
                    match (held.measured, goal.wishes[condition].is_truth()) {
                        (Some(x), true) => Measured::Truth(x == 1.0),
                        (Some(x), false) => Measured::Number(x),
                        (None, _) => Measured::Absent,
                    }
                });
                Estimate::of(&measured.collect::<Vec<_>>())
            };
            let holds = |condition: usize| {
                rounds[n].iter().flatten().filter(|seen| seen.held[condition].holds).count() as u64
            };
            let equal_best = |seed: usize| match (values[seed], best_on(seed)) {
                (Some(mine), Some(best)) => feasible[seed] && mine >= best - EQUAL * best.abs(),
                _ => false,
            };
            let candidate = &candidates[chosen[n]];
            Finalist {
                set: match &candidate.place {
                    Some(place) => self.space.settings(place),
                    None => self.standing(base),
                },
                recommended: false,
                today: candidate.place.is_none(),
                front: fronts.contains(&chosen[n]),
                n: rounds[n].iter().flatten().count() as u64,
                feasible: feasible.iter().filter(|feasible| **feasible).count() as u64,
                best: (0..values.len()).filter(|&seed| equal_best(seed)).count() as u64,
                objective: Estimate::of(&numbers),
                metrics: (0..goal.wishes.len()).map(metric).collect(),
                holds: (0..goal.wishes.len()).map(holds).collect(),
                minus_today,
                better,
            }
        };
        let mut finalists: Vec<Finalist> = (0..chosen.len()).map(finalist).collect();
        let sure =
            |finalist: &Finalist| finalist.n > 0 && finalist.feasible as f64 >= SURE * finalist.n as f64;
        // In the order of the race, which knew nothing of these seeds: so the numbers are not the luckiest ones.
        let by_race = order.iter().filter_map(|n| chosen.iter().position(|other| other == n));
        let winner = by_race.clone().find(|&n| sure(&finalists[n]));
        let outcome = match winner {
            Some(n) if finalists[n].today => Outcome::Today,
            Some(_) => Outcome::Found,
            None => Outcome::Infeasible,
        };
        let closest = || by_race.clone().max_by_key(|&n| (finalists[n].feasible, usize::MAX - n));
        let first = winner.or_else(closest).unwrap_or(0);
        finalists[first].recommended = winner.is_some();
        let candidate = &candidates[chosen[first]];
        let as_well = if winner.is_some() { self.as_well(candidates, candidate) } else { Vec::new() };
        let binding = winner.map_or_else(Vec::new, |_| self.binding(candidates, candidate));
        // The winner, or the closest, first; then those with the better objective.
        let head = finalists.remove(first);
        let sign = if goal.less { -1.0 } else { 1.0 };
        finalists.sort_by(|a, b| {
            let value = |one: &Finalist| one.objective.mean.map_or(f64::NEG_INFINITY, |mean| sign * mean);
            value(b).total_cmp(&value(a))
        });
        finalists.insert(0, head);
        let unit = rounds.iter().flatten().flatten().next().map_or(Unit::Plain, |seen| seen.unit);
        let condition_unit =
            |n: usize| rounds.iter().flatten().flatten().next().map_or(Unit::Plain, |seen| seen.held[n].unit);
        let conditions = goal.wishes.iter().enumerate().map(|(n, wish)| Condition {
            text: wish.to_string(),
            metric: wish.metric.clone(),
            unit: condition_unit(n),
            bound: wish.bound(),
        });
        let tried = candidates.iter().filter(|one| !one.scores.is_empty()).map(|one| Tried {
            set: self.settings(one.place.as_ref()),
            today: one.place.is_none(),
            seeds: one.scores.len(),
            feasible: one.feasible(),
            objective: one.objective().map(|value| sign * value),
            metrics: (0..goal.wishes.len()).map(|n| one.measured(n)).collect(),
        });
        Recommendation {
            format: recommended::FORMAT,
            metric: goal.metric.clone(),
            less: goal.less,
            unit,
            conditions: conditions.collect(),
            outcome,
            race_seeds: self.race,
            fresh_seeds: self.fresh,
            tried: tried.collect(),
            finalists,
            as_well,
            at_an_end: self.at_an_end(candidate),
            binding,
            experiment: String::new(),
            variant: None,
            set: Vec::new(),
            runs: 0,
            incomplete: Vec::new(),
            look: None,
        }
    }

    /// What is set today.
    fn standing(&self, base: &Resolved) -> Settings {
        let value = |dimension: &Dimension| {
            let line = base.value(dimension.path()).map(Node::to_line)?;
            Some((dimension.path().to_string(), line))
        };
        self.space.0.iter().filter_map(value).collect()
    }

    /// For each setting, the values that were tried in a setting that met all conditions and did as well as the winner.
    fn as_well(&self, candidates: &[Candidate], winner: &Candidate) -> Vec<(String, String)> {
        let Some(best) = winner.objective() else { return Vec::new() };
        let equal = |one: &&Candidate| {
            one.feasible()
                && !one.clearly_worse(winner)
                && one.objective().is_some_and(|value| value >= best - AS_WELL * best.abs())
        };
        let places: Vec<&Place> =
            candidates.iter().filter(equal).filter_map(|one| one.place.as_ref()).collect();
        let stretch = |(d, dimension): (usize, &Dimension)| -> Option<(String, String)> {
            let mut there: Vec<(f64, &String)> =
                places.iter().map(|place| (place.at[d], &place.values[d])).collect();
            there.sort_by(|a, b| a.0.total_cmp(&b.0));
            there.dedup_by(|a, b| a.1 == b.1);
            let (first, last) = (there.first()?, there.last()?);
            if there.len() < 2 {
                return None;
            }
            let words = match dimension {
                Dimension::Range(_) => format!("from {} to {}", plain(first.1), plain(last.1)),
                Dimension::List { .. } => {
                    there.iter().map(|(_, value)| plain(value)).collect::<Vec<_>>().join(" or ")
                }
            };
            Some((dimension.path().to_string(), words))
        };
        self.space.0.iter().enumerate().filter_map(stretch).collect()
    }

    /// The ranges at one of whose ends a setting lies.
    fn at_an_end(&self, candidate: &Candidate) -> Vec<String> {
        let Some(place) = &candidate.place else { return Vec::new() };
        let at_end = |(dimension, at): &(&Dimension, &f64)| {
            matches!(dimension, Dimension::Range(_)) && !(0.001..=0.999).contains(*at)
        };
        let ends = self.space.0.iter().zip(&place.at).filter(at_end);
        ends.map(|(dimension, _)| dimension.path().to_string()).collect()
    }

    /// The conditions that whatever had a better objective did not meet.
    fn binding(&self, candidates: &[Candidate], winner: &Candidate) -> Vec<Binding> {
        let Some(best) = winner.objective() else { return Vec::new() };
        let better: Vec<&Candidate> = candidates
            .iter()
            .filter(|one| {
                !one.feasible() && one.objective().is_some_and(|value| value > best + EQUAL * best.abs())
            })
            .collect();
        let broke = |n: usize| {
            better.iter().filter(|one| one.scores.iter().any(|score| score.breaches[n] > 0.0)).count()
        };
        let of = |(n, wish): (usize, &Wish)| Binding {
            condition: wish.to_string(),
            broke: broke(n),
            better: better.len(),
        };
        self.goal.wishes.iter().enumerate().map(of).filter(|binding| binding.broke > 0).collect()
    }
}

/// Whether one run's objective is better than another's on the same seed, by more than counts as equal.
fn is_better(mine: Option<f64>, theirs: Option<f64>) -> bool {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => mine > theirs + EQUAL * theirs.abs(),
        (Some(_), None) => true,
        (None, _) => false,
    }
}
