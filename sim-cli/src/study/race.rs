//! Which of many settings is best, under conditions, with few runs.
//!
//! Round values over the whole space are run on two seeds, the same for all. The best third goes on to two more seeds, and
//! the best third of those to the last two, unless it is clearly worse than the leader on the seeds they share by then:
//! what is hopeless costs two runs. Then the roundest values between the leaders and their neighbours join the race, closer each
//! round, until a round has brought no new leader or the budget is used up. Where there are too many settings for all round values,
//! places fill the space, and then the surroundings of the leaders.
//!
//! What holds on all its seeds goes before what does not; that by how much it is asked for, this by how far it is
//! from its bounds. Objectives that differ by less than a thousandth are equal: then a setting with clearly more room to its
//! bounds is taken, what is set today, or the rounder value. Whoever leads a race has also been lucky, so its numbers from the race are not reported: the caller
//! runs it again on fresh seeds.

use crate::result::seeds::CONFIDENCE;
use crate::study::space::{Place, Space};
use sim_core::stats::Sample;

/// Seeds of the race: of everyone, of the better third, of the best.
pub const RUNGS: [usize; 3] = [2, 4, 6];
/// Leaders around which new places are tried.
const LEADERS: usize = 3;
/// How far around, as a share of each range, in the first of these rounds; half of that in each after it.
const REACH: f64 = 0.2;
/// Objectives closer than this share of the best are equal.
const EQUAL: f64 = 0.001;
/// Room to the bounds that is worth as much as a rounder value, as a share of them.
const ROOM: f64 = 0.05;
/// Rounds after which nothing is gained.
const MOST_ROUNDS: usize = 8;

/// One run, as far as the race is concerned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// What is to be as large as possible; absent is worse than anything.
    pub objective: Option<f64>,
    /// How far each condition is from being met, 0 if it is.
    pub breaches: Vec<f64>,
    /// How much room the conditions leave, together.
    pub room: f64,
    /// The metric of each condition.
    pub measured: Vec<Option<f64>>,
}

/// A setting in the race.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where it is; none is what is set today.
    pub place: Option<Place>,
    /// Its runs, by seed.
    pub scores: Vec<Score>,
}

impl Candidate {
    /// Whether all conditions held in all runs.
    pub fn feasible(&self) -> bool {
        !self.scores.is_empty() && self.scores.iter().all(Score::feasible)
    }

    /// The mean objective, if every run has one.
    pub fn objective(&self) -> Option<f64> {
        let values: Option<Vec<f64>> = self.scores.iter().map(|score| score.objective).collect();
        values.filter(|values| !values.is_empty()).map(|values| Sample::of(&values).mean)
    }

    /// The mean of a condition's metric, if every run has one.
    pub fn measured(&self, condition: usize) -> Option<f64> {
        let values: Option<Vec<f64>> = self.scores.iter().map(|score| score.measured[condition]).collect();
        values.filter(|values| !values.is_empty()).map(|values| Sample::of(&values).mean)
    }

    /// How far it is from what is wished, over all conditions and runs.
    pub fn breach(&self) -> f64 {
        let of = |score: &Score| score.breaches.iter().sum::<f64>();
        Sample::of(&self.scores.iter().map(of).collect::<Vec<_>>()).mean
    }

    /// How much room it leaves, in steps that are worth a digit.
    fn room(&self) -> i64 {
        let room = Sample::of(&self.scores.iter().map(|score| score.room).collect::<Vec<_>>()).mean;
        (room / ROOM).round() as i64
    }

    /// How many digits it takes to set it; what is set today takes none.
    fn digits(&self) -> usize {
        self.place.as_ref().map_or(0, Place::digits)
    }

    /// Whether its objective is worse than another's beyond chance, on the seeds that both have met.
    pub fn clearly_worse(&self, than: &Candidate) -> bool {
        let both = self.scores.iter().zip(&than.scores);
        let differences: Vec<f64> = both.filter_map(|(a, b)| Some(a.objective? - b.objective?)).collect();
        let sample = Sample::of(&differences);
        sample.half_width(CONFIDENCE).is_some_and(|half| sample.mean + half < 0.0)
    }
}

impl Score {
    /// Whether all conditions hold.
    pub fn feasible(&self) -> bool {
        self.objective.is_some() && self.breaches.iter().all(|breach| *breach == 0.0)
    }
}

/// Indices of the candidates that were run, the best first.
pub fn ranking(candidates: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).filter(|&n| !candidates[n].scores.is_empty()).collect();
    let best = order.iter().filter(|&&n| candidates[n].feasible()).filter_map(|&n| candidates[n].objective());
    let best = best.fold(f64::NEG_INFINITY, f64::max);
    // Of a best that is nothing there is no share: then of the largest there is.
    let largest = || candidates.iter().filter_map(Candidate::objective).map(f64::abs).fold(0.0, f64::max);
    let scale = if best == 0.0 { largest() } else { best.abs() };
    // Steps below the best: within one, room decides.
    let key = |n: usize| {
        let candidate = &candidates[n];
        let behind = match (candidate.feasible(), candidate.objective()) {
            (true, Some(objective)) => ((best - objective) / (EQUAL * scale).max(f64::MIN_POSITIVE)).floor(),
            _ => f64::INFINITY,
        };
        (!candidate.feasible(), behind)
    };
    order.sort_by(|&a, &b| {
        let ((bad_a, behind_a), (bad_b, behind_b)) = (key(a), key(b));
        let (one, other) = (&candidates[a], &candidates[b]);
        let by_breach = match bad_a && bad_b {
            true => one.breach().total_cmp(&other.breach()),
            false => other.room().cmp(&one.room()).then(one.digits().cmp(&other.digits())),
        };
        let objective = |candidate: &Candidate| candidate.objective().unwrap_or(f64::NEG_INFINITY);
        bad_a
            .cmp(&bad_b)
            .then(behind_a.total_cmp(&behind_b))
            .then(by_breach)
            .then(objective(other).total_cmp(&objective(one)))
            .then(a.cmp(&b))
    });
    order
}

/// Runs these candidates on these seeds, the n-th of the race each: what came out, in order, none from a signal on.
pub type Ask<'a, E> = dyn FnMut(&[(Candidate, usize)]) -> Result<Vec<Option<Score>>, E> + 'a;

/// The race; today's setting is the first candidate, and `standing` is what it says, so that it does not run against
/// itself. Ends early where there will be no more answers.
pub fn race<E>(
    space: &Space,
    standing: Vec<String>,
    budget: usize,
    ask: &mut Ask<E>,
) -> Result<Vec<Candidate>, E> {
    let today = Candidate { place: None, scores: Vec::new() };
    let mut race = Race { candidates: vec![today], standing, left: budget, over: false };
    let design = (budget / 6).clamp(4, 64);
    let first = space.spread(design);
    // Fewer than were allowed: they are the round ones, or all there are.
    let is_round = first.len() < design;
    let mut joined = race.join(first);
    joined.insert(0, 0);
    let mut led = None;
    for round in 0..MOST_ROUNDS {
        race.heats(&joined, ask)?;
        if race.over || race.left < RUNGS[0] {
            break;
        }
        let leaders: Vec<usize> = ranking(&race.candidates)
            .into_iter()
            .filter(|&n| race.candidates[n].place.is_some())
            .take(LEADERS)
            .collect();
        let first = leaders.first().copied();
        if round > 0 && is_round && first == led {
            break;
        }
        led = first;
        let reach = REACH / f64::from(1u32 << round);
        let each = (design / 2).div_ceil(LEADERS);
        let tried = || race.candidates.iter().filter_map(|one| one.place.as_ref());
        let near = leaders.iter().flat_map(|&n| {
            let centre = race.candidates[n].place.as_ref().expect("a place");
            match is_round {
                true => space.between(centre, tried()),
                false => space.around(&centre.at, reach, each, 1 + round * each),
            }
        });
        let near: Vec<Place> = near.collect();
        joined = race.join(near);
        if joined.is_empty() {
            break;
        }
    }
    Ok(race.candidates)
}

struct Race {
    candidates: Vec<Candidate>,
    /// The values that are set today, as a place would have them.
    standing: Vec<String>,
    left: usize,
    over: bool,
}

impl Race {
    /// Adds the places that are not in the race yet; their indices.
    fn join(&mut self, places: Vec<Place>) -> Vec<usize> {
        let mut joined = Vec::new();
        for place in places {
            let known =
                |one: &Candidate| one.place.as_ref().is_some_and(|other| other.values == place.values);
            if place.values != self.standing && !self.candidates.iter().any(known) {
                joined.push(self.candidates.len());
                self.candidates.push(Candidate { place: Some(place), scores: Vec::new() });
            }
        }
        joined
    }

    /// One heat on each rung: those of the field that are still worth it, and those of earlier rounds that are as good.
    fn heats<E>(&mut self, joined: &[usize], ask: &mut Ask<E>) -> Result<(), E> {
        self.heat(joined, RUNGS[0], ask)?;
        for (share, seeds) in [3, 9].into_iter().zip(&RUNGS[1..]) {
            let order = ranking(&self.candidates);
            let Some(&leader) = order.first() else { return Ok(()) };
            let best = order.len().div_ceil(share);
            let hopeful = |n: &usize| {
                let candidate = &self.candidates[*n];
                *n == leader || *n == 0 || !candidate.clearly_worse(&self.candidates[leader])
            };
            let field: Vec<usize> = order.iter().take(best).copied().filter(hopeful).collect();
            self.heat(&field, *seeds, ask)?;
        }
        Ok(())
    }

    /// Gives each of these its runs up to so many seeds, as far as the budget goes.
    fn heat<E>(&mut self, field: &[usize], seeds: usize, ask: &mut Ask<E>) -> Result<(), E> {
        let mut wanted = Vec::new();
        for &n in field {
            wanted.extend((self.candidates[n].scores.len()..seeds).map(|seed| (n, seed)));
        }
        wanted.truncate(self.left);
        if wanted.is_empty() || self.over {
            return Ok(());
        }
        self.left -= wanted.len();
        let asked: Vec<(Candidate, usize)> = wanted
            .iter()
            .map(|&(n, seed)| {
                (Candidate { place: self.candidates[n].place.clone(), scores: Vec::new() }, seed)
            })
            .collect();
        for ((n, seed), score) in wanted.into_iter().zip(ask(&asked)?) {
            match score {
                // Seed by seed: a gap would pair what is no pair.
                Some(score) if self.candidates[n].scores.len() == seed => {
                    self.candidates[n].scores.push(score)
                }
                _ => self.over = true,
            }
        }
        Ok(())
    }
}

/// The candidates that no other beats in every respect: the objective and the metrics of these conditions, each with
/// whether less of it is wished. Of what was run, the best objective first.
pub fn front(candidates: &[Candidate], conditions: &[(usize, bool)]) -> Vec<usize> {
    let point = |candidate: &Candidate| -> Option<Vec<f64>> {
        let mut point = vec![candidate.objective()?];
        for &(condition, less) in conditions {
            let measured = candidate.measured(condition)?;
            point.push(if less { -measured } else { measured });
        }
        Some(point)
    };
    let points: Vec<Option<Vec<f64>>> = candidates.iter().map(point).collect();
    let beats =
        |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a >= b) && a.iter().zip(b).any(|(a, b)| a > b);
    let beaten = |point: &[f64]| points.iter().flatten().any(|other| beats(other, point));
    let mut front: Vec<usize> =
        (0..candidates.len()).filter(|&n| points[n].as_deref().is_some_and(|point| !beaten(point))).collect();
    front.sort_by(|&a, &b| {
        let objective = |n: usize| points[n].as_ref().map_or(f64::NEG_INFINITY, |point| point[0]);
        objective(b).total_cmp(&objective(a)).then(a.cmp(&b))
    });
    front
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::knob::Knob;
    use crate::study::space::Dimension;
    use sim_models::experiment::Node;
    use std::convert::Infallible;

    fn space(ranges: &[&str]) -> Space {
        let range = |text: &&str| {
            Dimension::Range(Knob::parse("p", text, Some(&Node::number("1.0"))).expect("a range"))
        };
        Space(ranges.iter().map(range).collect())
    }

    fn position(candidate: &Candidate) -> Vec<f64> {
        candidate.place.as_ref().map_or_else(|| vec![0.0, 0.0], |place| place.at.clone())
    }

    /// A race on a function of the position and of luck that all candidates share.
    fn on(space: &Space, budget: usize, score: impl Fn(&[f64], f64) -> Score) -> (Vec<Candidate>, usize) {
        let mut made = 0;
        let luck = [0.3, -0.2, 0.5, -0.6, 0.1, -0.1];
        let raced = race(space, Vec::new(), budget, &mut |asked: &[(Candidate, usize)]| {
            made += asked.len();
            Ok::<_, Infallible>(
                asked.iter().map(|(one, seed)| Some(score(&position(one), luck[*seed]))).collect(),
            )
        });
        (raced.expect("cannot fail"), made)
    }

    fn free(objective: f64) -> Score {
        Score { objective: Some(objective), ..Score::default() }
    }

    #[test]
    fn a_known_peak_is_found_within_the_budget() {
        let peak = |at: &[f64], luck: f64| {
            free(10.0 - 20.0 * (at[0] - 0.62) * (at[0] - 0.62) - 20.0 * (at[1] - 0.2) * (at[1] - 0.2) + luck)
        };
        let (raced, made) = on(&space(&["0..1", "0..1"]), 300, peak);
        let best = position(&raced[ranking(&raced)[0]]);
        assert!((best[0] - 0.62).abs() < 0.05 && (best[1] - 0.2).abs() < 0.05, "{best:?}");
        assert!(made <= 300, "{made}");
    }

    #[test]
    fn the_best_is_at_the_bound_and_holds_it() {
        // More is better, and forbidden above 0.4.
        let bounded = |at: &[f64], luck: f64| Score {
            objective: Some(at[0]),
            breaches: vec![(at[0] + 0.001 * luck - 0.4).max(0.0)],
            room: (0.4 - at[0]).max(0.0),
            measured: vec![Some(at[0])],
        };
        let (raced, _) = on(&space(&["0..1"]), 200, bounded);
        let best = &raced[ranking(&raced)[0]];
        assert!(best.feasible() && (0.36..=0.4).contains(&position(best)[0]), "{best:?}");
        let on_front = front(&raced, &[(0, true)]);
        assert!(on_front.len() > 10, "more of one costs more of the other");
    }

    #[test]
    fn nothing_feasible_ranks_by_what_is_closest() {
        let never = |at: &[f64], _: f64| Score {
            objective: Some(1.0),
            breaches: vec![0.1 + at[0]],
            ..Score::default()
        };
        let (raced, _) = on(&space(&["0..1"]), 100, never);
        let best = &raced[ranking(&raced)[0]];
        assert!(!best.feasible() && position(best)[0] < 0.02, "{best:?}");
    }

    #[test]
    fn a_best_of_nothing_is_nearest_to_the_smallest() {
        let candidate = |objective, room| Candidate {
            place: None,
            scores: vec![Score { objective: Some(objective), room, ..Score::default() }],
        };
        // To minimise: less is better, so objectives are negative. Room does not make up for being far behind.
        let all = [candidate(-50.0, 0.9), candidate(0.0, 0.1), candidate(-10.0, 0.2)];
        assert_eq!(ranking(&all), [1, 2, 0]);
    }

    #[test]
    fn what_is_set_today_does_not_run_against_itself() {
        let three = Space(vec![Dimension::list("p", "2,3,4").expect("a list")]);
        let raced = race(&three, vec!["3".into()], 60, &mut |asked: &[(Candidate, usize)]| {
            Ok::<_, Infallible>(asked.iter().map(|_| Some(free(1.0))).collect())
        });
        let places: Vec<Option<Place>> =
            raced.expect("cannot fail").into_iter().map(|one| one.place).collect();
        let values: Vec<&str> = places.iter().flatten().map(|place| place.values[0].as_str()).collect();
        assert_eq!((places[0].is_none(), values), (true, vec!["2", "4"]));
    }

    #[test]
    fn of_equals_the_one_with_more_room_leads() {
        let flat = |at: &[f64], _: f64| Score {
            objective: Some(1000.0 + 0.1 * at[0]),
            room: 1.0 - at[0],
            ..Score::default()
        };
        let (raced, _) = on(&space(&["0..1"]), 100, flat);
        assert!(position(&raced[ranking(&raced)[0]])[0] < 0.02);
    }

    #[test]
    fn what_is_clearly_worse_costs_two_runs() {
        let steep = |at: &[f64], luck: f64| free(100.0 * at[0] + luck);
        let (raced, _) = on(&space(&["0..1"]), 300, steep);
        let hopeless = raced.iter().filter(|one| one.place.is_some() && position(one)[0] < 0.3);
        assert!(hopeless.clone().count() > 1 && hopeless.clone().all(|one| one.scores.len() == RUNGS[0]));
        let leader = &raced[ranking(&raced)[0]];
        assert_eq!(leader.scores.len(), RUNGS[2]);
        assert!(hopeless.clone().all(|one| one.clearly_worse(leader)));
    }

    #[test]
    fn an_interrupted_race_keeps_what_it_has() {
        let mut left = 10;
        let raced = race(&space(&["0..1"]), Vec::new(), 100, &mut |asked: &[(Candidate, usize)]| {
            let answers = asked.iter().map(|(one, _)| {
                left -= i32::from(left > 0);
                (left > 0).then(|| free(position(one)[0]))
            });
            Ok::<_, Infallible>(answers.collect())
        });
        let made: usize = raced.expect("cannot fail").iter().map(|one| one.scores.len()).sum();
        assert!((5..10).contains(&made), "{made}");
    }
}
