//! What the fresh seeds say of the settings that were validated, and what the race says around the best of them.

use super::Search;
use super::goal::Seen;
use crate::result::estimate::{Estimate, Measured, OfWhom};
use crate::result::recommended::{self, Condition, Finalist, Nobodys, Outcome, Recommendation, Tried};
use crate::study::fault::disturbances;
use crate::study::race::Candidate;
use crate::study::wish::Wish;
use sim_core::stats::Sample;
use sim_models::experiment::Resolved;
use sim_models::report::Unit;

/// A setting is recommended if all conditions hold on at least this share of the fresh seeds.
const SURE: f64 = 0.95;
/// Objectives closer than this share are equal.
pub(super) const EQUAL: f64 = 0.001;

impl Search<'_> {
    pub(super) fn told(
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
        let signed = |value: f64| if goal.less { -value } else { value };
        let best_on = |seed: usize| -> Option<f64> {
            let there = (0..chosen.len()).filter(|&n| feasible(n)[seed]).filter_map(|n| of_round(n)[seed]);
            there.max_by(f64::total_cmp)
        };
        let finalist = |n: usize| {
            let (values, feasible) = (of_round(n), feasible(n));
            let number =
                |seen: &Option<Seen>| match seen.as_ref().map(|seen| (seen.objective, goal.value(seen))) {
                    Some((longer @ Measured::Longer(_), _)) => longer,
                    Some((_, Some(x))) => Measured::Number(signed(x)),
                    _ => Measured::Absent,
                };
            let numbers: Vec<Measured> = rounds[n].iter().map(number).collect();
            let of_whom = |metric: usize| -> Vec<OfWhom> {
                rounds[n].iter().flatten().map(|seen| seen.whom[metric]).collect()
            };
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
                Estimate::of(&measured.collect::<Vec<_>>()).of_those(&of_whom(condition + 1))
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
                objective: Estimate::of(&numbers).of_those(&of_whom(0)),
                metrics: (0..goal.wishes.len()).map(metric).collect(),
                holds: (0..goal.wishes.len()).map(holds).collect(),
                served: {
                    let served: Vec<f64> =
                        rounds[n].iter().flatten().filter_map(|seen| seen.served).collect();
                    (!served.is_empty()).then(|| Sample::of(&served).mean)
                },
                minus_today,
                better,
            }
        };
        let mut finalists: Vec<Finalist> = (0..chosen.len()).map(finalist).collect();
        let sure =
            |finalist: &Finalist| finalist.n > 0 && finalist.feasible as f64 >= SURE * finalist.n as f64;
        // In the order of the race, which knew nothing of these seeds: so the numbers are not the luckiest ones.
        let by_race = order.iter().filter_map(|n| chosen.iter().position(|other| other == n));
        // Nobody changes a setting for a gain that the fresh seeds do not show.
        let gains = |finalist: &Finalist| match &finalist.minus_today {
            Some(Estimate { mean: Some(mean), half_width: Some(half), .. }) => signed(*mean) > *half,
            _ => true,
        };
        let standing = today.filter(|&today| sure(&finalists[today]));
        let winner = by_race.clone().find(|&n| sure(&finalists[n]));
        let winner = winner.map(|n| standing.filter(|_| !gains(&finalists[n])).unwrap_or(n));
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
            metric: wish.metric().into(),
            unit: condition_unit(n),
            bound: wish.bound(),
        });
        let names = std::iter::once(goal.metric.clone()).chain(goal.wishes.iter().map(Wish::asked));
        let disturbed = !disturbances(base).is_empty();
        let nobodys = names.enumerate().filter_map(|(n, metric)| {
            let runs =
                || rounds.iter().map(|round| round.iter().flatten().map(move |seen| seen.unanswered[n]));
            let all = runs().flatten().all(|unanswered| unanswered.is_some());
            // The setting of which fewest get none, on its worst seed.
            let worst = |round: &mut dyn Iterator<Item = Option<f64>>| round.flatten().reduce(f64::max);
            let fewest = runs().filter_map(|mut round| worst(&mut round)).reduce(f64::min);
            fewest.filter(|_| all).map(|unanswered| Nobodys::of(&metric, unanswered, disturbed))
        });
        let nobodys = nobodys.collect();
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
            nobodys,
            experiment: String::new(),
            variant: None,
            set: Vec::new(),
            runs: 0,
            incomplete: Vec::new(),
            rounds: None,
            look: None,
        }
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
