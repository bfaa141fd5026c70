//! Which value to set: a race on shared seeds, then its leaders on seeds that it never saw.

mod around;
mod goal;
mod mechanisms;
mod told;

use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::jobs::{in_order, threads};
use crate::progress::Meter;
use crate::result::effect::Effect;
use crate::result::estimate::Measured;
use crate::result::recommended::{Outcome, Recommendation};
use crate::result::rounds::Rounds;
use crate::result::seeds::Seeds;
use crate::study::fault;
use crate::study::race::{Candidate, RUNGS, race, ranking};
use crate::study::runs::{Runs, Settings, Start, incomplete};
use crate::study::space::{Dimension, Place, Space};
use goal::Seen;
use sim_core::SimTime;
use sim_core::stats::sequential::{Stopped, in_rounds};
use sim_models::experiment::{Node, Resolved};
use std::collections::BTreeSet;

pub use goal::Goal;
pub use mechanisms::{Allowed, mechanisms};

/// The best of the race that are validated whatever the front looks like.
const BEST: usize = 3;
/// Settings that are validated differ by this share of some range.
const APART: f64 = 0.03;

/// How many runs a recommendation may take, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// All of them.
    pub all: usize,
    /// Of these, for the race.
    pub race: usize,
    /// How many settings are validated.
    pub validated: usize,
    /// On how many fresh seeds each, at most.
    pub fresh: u32,
    /// Whether no more of them are taken once it is decided.
    pub in_rounds: bool,
}

/// Searches the space from a seed on: what came of it, and the exit code.
pub fn recommend(
    app: &mut App,
    start: Start,
    space: &Space,
    goal: &Goal,
    seed: u64,
    budget: Budget,
) -> Result<(Recommendation, Exit)> {
    // A few for each round value of each setting, and about half of what may be validated.
    let expected = 40 * space.0.len() + budget.validated * budget.fresh as usize / 2;
    let meter = Meter::of_search(&app.console, &start.opened.found.name, expected.min(budget.all));
    let runs = Runs::new(app, start, &meter);
    let race_seeds = RUNGS[RUNGS.len() - 1] as u32;
    let mut search = Search {
        space,
        goal,
        runs: &runs,
        threads: threads(app.global.jobs),
        race: Seeds { first: seed, count: race_seeds },
        fresh: Seeds { first: seed.wrapping_add(race_seeds.into()), count: budget.fresh },
        alike_until: None,
    };
    search.alike_until = search.alike_until(start)?;
    let mut candidates = search.race(budget.race, start.base)?;
    let mut order = ranking(&candidates);
    if let Some(rounder) = search.rounder(&mut candidates, order.first().copied())? {
        order.retain(|&n| n != rounder);
        order.insert(0, rounder);
    }
    let fronts = goal.front(&candidates);
    let chosen = finalists(&candidates, &order, &fronts, budget.validated);
    let mut rounds: Vec<Vec<Option<Seen>>> = vec![Vec::new(); chosen.len()];
    let run_to = |rounds: &mut Vec<Vec<Option<Seen>>>, seeds: u32| -> Result<bool> {
        search.validate(&candidates, &chosen, seeds, rounds)?;
        Ok(app.console.interrupt.exit().is_none())
    };
    let most = budget.fresh;
    let stopped = match budget.in_rounds {
        true => in_rounds(&mut rounds, most, run_to, |rounds, seeds, confidence| {
            search.is_decided(rounds, seeds as usize, confidence)
        })?,
        false => {
            run_to(&mut rounds, most)?;
            Stopped { seeds: most, by: None }
        }
    };
    search.fresh.count = stopped.seeds;
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
    let mut told = search.told(&candidates, &order, &fronts, &chosen, &rounds, start.base);
    told.experiment.clone_from(&start.opened.found.name);
    told.variant = start.variant.map(String::from);
    told.set = start.fixed.to_vec();
    told.runs = runs.made();
    told.rounds = budget.in_rounds.then(|| Rounds {
        most,
        decided_after: stopped.by.map(|look| look.seeds),
        confidence: stopped.by.map(|look| look.confidence),
        by: vec![goal.metric.clone()],
        spared: u64::from(most - stopped.seeds) * chosen.len() as u64,
    });
    told.incomplete = notes;
    told.look = told.finalists.first().map(|first| {
        let set: &[_] = if first.today { &[] } else { &first.set };
        start.line(app, set, search.fresh.first)
    });
    if exit == Exit::Good && told.outcome == Outcome::Infeasible {
        exit = Exit::Failed;
    }
    Ok((told, exit))
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

/// So many settings tell whether any are alike.
const SOME: usize = 16;

struct Search<'a> {
    space: &'a Space,
    goal: &'a Goal,
    runs: &'a Runs<'a>,
    threads: usize,
    race: Seeds,
    fresh: Seeds,
    /// Until when some of the settings are alike: those that differ in what nobody asks of them before.
    alike_until: Option<SimTime>,
}

impl Search<'_> {
    fn settings(&self, place: Option<&Place>) -> Settings {
        place.map_or_else(Vec::new, |place| self.space.settings(place))
    }

    fn see(&self, place: Option<&Place>, seed: u64) -> Result<Option<Seen>> {
        let report = self.runs.journey(&self.settings(place), seed, self.alike_until)?.end()?;
        report.map(|report| self.goal.seen(&report)).transpose()
    }

    /// Until when settings are alike, if there are such.
    fn alike_until(&self, start: Start) -> Result<Option<SimTime>> {
        let Some(before) = fault::first(&fault::disturbances(start.base)) else { return Ok(None) };
        let options = start.bounds.options(self.race.first, None);
        let mut seen = BTreeSet::new();
        for place in self.space.spread(SOME) {
            let resolved = self.runs.resolved(&self.space.settings(&place))?;
            let key = resolved.model.trunk_key(&resolved.run, &options, before);
            if key.is_some_and(|key| !seen.insert(key)) {
                return Ok(Some(before));
            }
        }
        Ok(None)
    }

    /// What is set today.
    fn standing(&self, base: &Resolved) -> Settings {
        let value = |dimension: &Dimension| {
            let line = base.value(dimension.path()).map(Node::to_line)?;
            Some((dimension.path().to_string(), line))
        };
        self.space.0.iter().filter_map(value).collect()
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

    /// A rounder setting than the leader's that did as well on the seeds of the race, if there is one: nobody sets 197 ms where 200 ms
    /// do the same.
    fn rounder(&self, candidates: &mut Vec<Candidate>, leader: Option<usize>) -> Result<Option<usize>> {
        let Some(first) = leader.filter(|&n| candidates[n].feasible()) else { return Ok(None) };
        let mut leads = first;
        for dimension in 0..self.space.0.len() {
            let Some(place) = &candidates[leads].place else { return Ok(None) };
            let Some(place) = self.space.rounder(place, dimension) else { continue };
            let known =
                |one: &Candidate| one.place.as_ref().is_some_and(|other| other.values == place.values);
            let at = match candidates.iter().position(known) {
                Some(at) => at,
                None => {
                    candidates.push(Candidate { place: Some(place), scores: Vec::new() });
                    candidates.len() - 1
                }
            };
            let left: Vec<u64> = self.race.iter().skip(candidates[at].scores.len()).collect();
            let place = candidates[at].place.clone();
            let seen: Vec<Option<Seen>> =
                in_order(self.threads, &left, |seed| self.see(place.as_ref(), *seed))
                    .into_iter()
                    .collect::<Result<_>>()?;
            if seen.iter().any(Option::is_none) {
                break;
            }
            candidates[at].scores.extend(seen.iter().flatten().map(|seen| self.goal.score(seen)));
            if self.does_as_well(&candidates[at], &candidates[first]) {
                leads = at;
            }
        }
        Ok((leads != first).then_some(leads))
    }

    /// Each of the chosen on the fresh seeds up to so many.
    fn validate(
        &self,
        candidates: &[Candidate],
        chosen: &[usize],
        seeds: u32,
        rounds: &mut [Vec<Option<Seen>>],
    ) -> Result<()> {
        let have = rounds[0].len();
        let seeds: Vec<u64> = self.fresh.iter().take(seeds as usize).skip(have).collect();
        let jobs: Vec<(usize, u64)> =
            seeds.iter().flat_map(|seed| chosen.iter().map(move |n| (*n, *seed))).collect();
        let one = |(n, seed): &(usize, u64)| self.see(candidates[*n].place.as_ref(), *seed);
        let seen: Vec<Option<Seen>> =
            in_order(self.threads, &jobs, one).into_iter().collect::<Result<_>>()?;
        // Seed by seed they were run, so that an interruption leaves whole comparisons; setting by setting they are told.
        for (n, round) in rounds.iter_mut().enumerate() {
            round.extend(seen.iter().skip(n).step_by(chosen.len()).cloned());
        }
        Ok(())
    }

    /// Whether the leader of the race met all conditions on the first so many seeds, and its objective clearly differs from that of
    /// each other, or as clearly does not, but for less than is worth a word. Who never met the conditions needs no objective.
    fn is_decided(&self, rounds: &[Vec<Option<Seen>>], seeds: usize, confidence: f64) -> bool {
        let met =
            |n: usize| rounds[n][..seeds].iter().flatten().filter(|seen| self.goal.feasible(seen)).count();
        let values = |n: usize| -> Vec<Measured> {
            let value = |seen: &Option<Seen>| seen.as_ref().and_then(|seen| self.goal.value(seen));
            rounds[n][..seeds]
                .iter()
                .map(|seen| value(seen).map_or(Measured::Absent, Measured::Number))
                .collect()
        };
        let leader = values(0);
        let told = |n: usize| {
            let effect = Effect::paired(&leader, &values(n));
            met(n) == 0 || effect.is_clear(confidence) || effect.is_small(confidence)
        };
        met(0) == seeds && (1..rounds.len()).all(told)
    }
}
