//! Where an answer changes along a knob, seed by seed, and what all seeds together say about it.
//!
//! Every seed has an edge of its own: on the same luck a higher load fails no less, but another seed fails at another load. So
//! the search is made for each seed, and the interval is Student's between seeds, never within one. First the ends of
//! the range and a few points between are asked; wherever two neighbours differ, the stretch between them is halved
//! until it is as narrow as was wanted, or until there is no whole number left inside. A seed that changes its answer
//! more than once is told, not averaged away. The first seeds are the scouts: if they go alike, the others are asked around
//! the edges that those have found, further out where theirs is not there, and everywhere if it is nowhere. What a run is too short to tell is neither answer: the edge lies anywhere
//! between the last that is fine and the first that fails, and where most seeds cannot tell is told.

use crate::result::edges::{Answer, Bracket, Edge, Edges, Otherwise, Stretch};
use crate::result::knob::Knob;
use crate::result::seeds::CONFIDENCE;
use crate::study::knob::Within;
use sim_core::stats::Sample;

/// How a knob is searched.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Points between the ends that are asked before anything is halved.
    pub probes: u32,
    /// How narrow a bracket must be.
    pub within: Within,
}

impl Plan {
    /// About how many questions one seed takes.
    pub fn questions(&self) -> usize {
        self.probes as usize + 2 + 5
    }
}

/// An edge is known when its interval is no wider, to either side, than so many times what is asked of each seed's bracket.
pub const KNOWN: f64 = 4.0;

/// Whether these seeds go alike and their edges are known, or are the same on all of them.
pub fn is_known(courses: &[Course], knob: &Knob, plan: Plan) -> bool {
    let edges = Edges::of(courses);
    let known = |edge: &Edge| {
        let (low, high) = (edge.mean - edge.half_width, edge.mean + edge.half_width);
        let first = edge.seeds.iter().flatten().next();
        edge.seeds.iter().flatten().all(|one| Some(one) == first)
            || knob.close(low, high, plan.within.times(2.0 * KNOWN))
    };
    edges.missing == 0 && edges.otherwise.is_empty() && edges.edges.iter().all(known)
}

/// What one seed answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Every question and its answer, from low to high.
    pub asked: Vec<(f64, Answer)>,
    /// Where the answer changes.
    pub edges: Vec<Bracket>,
    /// Whether all questions were answered.
    pub complete: bool,
}

/// How many seeds are asked everywhere before the others are asked where those have an edge.
pub const SCOUTS: usize = 2;

/// Where the edges of those who were asked before lie, and what is on their low side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints(Vec<(f64, f64, Answer)>);

impl Hints {
    /// What the scouts say together; none if they do not go alike, or if one of them has no edge or has no answer.
    pub fn of(scouts: &[Course]) -> Option<Hints> {
        let first = scouts.first()?;
        let alike = scouts.iter().all(|scout| scout.complete && scout.pattern() == first.pattern());
        if !alike || first.edges.is_empty() {
            return None;
        }
        let around = |number: usize| {
            let edges = || scouts.iter().map(|scout| &scout.edges[number]);
            let low = edges().map(|edge| edge.low).fold(f64::INFINITY, f64::min);
            let high = edges().map(|edge| edge.high).fold(f64::NEG_INFINITY, f64::max);
            (low, high, Answer::of(!first.edges[number].fails_above))
        };
        Some(Hints((0..first.edges.len()).map(around).collect()))
    }
}

/// Asks one seed. An answer of `None` means that there will be no more.
pub fn course<E>(
    knob: &Knob,
    plan: Plan,
    hints: Option<&Hints>,
    mut ask: impl FnMut(f64) -> Result<Option<Answer>, E>,
) -> Result<Course, E> {
    let mut course = Course::default();
    for &(low, high, before) in hints.into_iter().flat_map(|hints| &hints.0) {
        let width = high - low;
        for (start, sign, expected) in [(low, -1.0, before), (high, 1.0, before.other())] {
            let mut away = width / 2.0;
            loop {
                let point = knob.beyond(start, sign * away);
                let known = course.asked.iter().find(|(other, _)| *other == point).map(|(_, answer)| *answer);
                let answer = match known {
                    Some(answer) => answer,
                    None => {
                        let Some(answer) = ask(point)? else { return Ok(course) };
                        course.note(point, answer);
                        answer
                    }
                };
                if answer == expected || point == knob.low || point == knob.high {
                    break;
                }
                away *= 3.0;
            }
        }
    }
    let found = course.brackets().len();
    if hints.is_none_or(|hints| hints.0.len() != found) {
        let parts = plan.probes + 1;
        let mut points: Vec<f64> = (0..=parts).map(|n| knob.at(f64::from(n) / f64::from(parts))).collect();
        points.dedup();
        points.retain(|point| !course.asked.iter().any(|(other, _)| other == point));
        // The ends first: who interrupts early knows the most.
        let last = points.len().saturating_sub(1);
        points.swap(1.min(last), last);
        for point in points {
            let Some(answer) = ask(point)? else { return Ok(course) };
            course.note(point, answer);
        }
    }
    let mut open: Vec<_> = course.asked.windows(2).rev().map(|pair| (pair[0], pair[1])).collect();
    while let Some((low, high)) = open.pop() {
        if low.1 != high.1
            && !knob.close(low.0, high.0, plan.within)
            && let Some(middle) = knob.between(low.0, high.0)
        {
            let Some(answer) = ask(middle)? else { return Ok(course) };
            course.note(middle, answer);
            open.extend([((middle, answer), high), (low, (middle, answer))]);
        }
    }
    course.edges = course.brackets();
    course.complete = true;
    Ok(course)
}

impl Course {
    /// One answer for all values.
    pub fn everywhere(at: f64, answer: Answer) -> Course {
        Course { asked: vec![(at, answer)], edges: Vec::new(), complete: true }
    }

    fn note(&mut self, point: f64, answer: Answer) {
        let at = self.asked.partition_point(|(other, _)| *other < point);
        self.asked.insert(at, (point, answer));
    }

    /// From one that could be told to the next, where it is another.
    fn brackets(&self) -> Vec<Bracket> {
        let told: Vec<usize> =
            (0..self.asked.len()).filter(|n| self.asked[*n].1 != Answer::Undecided).collect();
        let bracket = |pair: &[usize]| {
            let [(low, before), (high, after)] = [self.asked[pair[0]], self.asked[pair[1]]];
            let undecided = pair[1] - pair[0] > 1;
            let fails_above = after == Answer::Fails;
            (before != after).then_some(Bracket { low, high, fails_above, undecided, answered: None })
        };
        told.windows(2).filter_map(bracket).collect()
    }

    /// The first answer that could be told.
    fn first(&self) -> Option<Answer> {
        self.asked.iter().map(|(_, answer)| *answer).find(|answer| *answer != Answer::Undecided)
    }

    /// Whether it fails at the low end, or as low as that could be told.
    pub fn starts_failed(&self) -> bool {
        self.first() == Some(Answer::Fails)
    }

    /// How it goes from low to high: what it is at first, and how often that changes.
    fn pattern(&self) -> (Option<Answer>, usize) {
        (self.first(), self.edges.len())
    }

    /// Where it cannot be told: from and to half-way to where it can.
    fn undecided(&self) -> Vec<Stretch> {
        let (first, last) =
            (self.asked.first().map_or(0.0, |one| one.0), self.asked.last().map_or(0.0, |one| one.0));
        let half = |a: f64, b: f64| a + (b - a) / 2.0;
        let mut stretches = Vec::new();
        let mut at = 0;
        for run in self.asked.chunk_by(|a, b| a.1 == b.1) {
            let end = at + run.len();
            if run[0].1 == Answer::Undecided {
                let low = if at == 0 { first } else { half(self.asked[at - 1].0, run[0].0) };
                let high = self.asked.get(end).map_or(last, |next| half(run[run.len() - 1].0, next.0));
                stretches.push(Stretch { low, high });
            }
            at = end;
        }
        stretches
    }
}

/// Where more than half of so many seeds cannot tell.
fn most(all: &[Vec<Stretch>]) -> Vec<Stretch> {
    let mut ends: Vec<(f64, i32)> =
        all.iter().flatten().flat_map(|one| [(one.low, 1), (one.high, -1)]).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let (mut count, mut from, mut found) = (0, None, Vec::new());
    for (at, step) in ends {
        count += step;
        match (from, 2 * count > all.len() as i32) {
            (None, true) => from = Some(at),
            (Some(low), false) => {
                found.push(Stretch { low, high: at });
                from = None;
            }
            _ => {}
        }
    }
    found
}

impl Edge {
    /// The middle of a bracket.
    fn middle(bracket: &Bracket) -> f64 {
        bracket.low + (bracket.high - bracket.low) / 2.0
    }
}

impl Edges {
    /// What these seeds say together. Most of them go alike, it is hoped; of equally many, those that change least.
    pub fn of(courses: &[Course]) -> Edges {
        let complete: Vec<(usize, &Course)> =
            courses.iter().enumerate().filter(|(_, course)| course.complete).collect();
        let missing = courses.len() - complete.len();
        let like = |pattern: (Option<Answer>, usize)| {
            complete.iter().filter(|(_, c)| c.pattern() == pattern).count()
        };
        let chosen = complete
            .iter()
            .map(|(_, course)| course.pattern())
            .min_by_key(|&pattern| (usize::MAX - like(pattern), pattern.1, pattern.0));
        let Some(chosen) = chosen else { return Edges { missing, ..Edges::default() } };
        let undecided = most(&complete.iter().map(|(_, course)| course.undecided()).collect::<Vec<_>>());
        let (told, others): (Vec<_>, Vec<_>) =
            complete.into_iter().partition(|(_, course)| course.pattern() == chosen);
        let edge = |number: usize| {
            let brackets: Vec<Bracket> = told.iter().map(|(_, course)| course.edges[number]).collect();
            let sample = Sample::of(&brackets.iter().map(Edge::middle).collect::<Vec<_>>());
            let widest = brackets.iter().map(|b| (b.high - b.low) / 2.0).fold(0.0, f64::max);
            let mut seeds = vec![None; courses.len()];
            told.iter().for_each(|(index, course)| seeds[*index] = Some(course.edges[number]));
            Edge {
                fails_above: brackets[0].fails_above,
                mean: sample.mean,
                half_width: sample.half_width(CONFIDENCE).unwrap_or(0.0) + widest,
                lowest: brackets.iter().map(|b| b.low).fold(f64::INFINITY, f64::min),
                highest: brackets.iter().map(|b| b.high).fold(f64::NEG_INFINITY, f64::max),
                seeds,
            }
        };
        let otherwise = others
            .iter()
            .map(|(index, course)| Otherwise {
                index: *index,
                starts_failed: course.starts_failed(),
                edges: course.edges.clone(),
            })
            .collect();
        Edges {
            starts_failed: chosen.0 == Some(Answer::Fails),
            undecided,
            edges: (0..chosen.1).map(edge).collect(),
            alike: told.len(),
            otherwise,
            missing,
        }
    }

    /// How many seeds change their answer more than once.
    pub fn not_monotone(&self) -> usize {
        let told = if self.edges.len() > 1 { self.alike } else { 0 };
        told + self.otherwise.iter().filter(|other| other.edges.len() > 1).count()
    }

    /// Whether it fails at `x` by the means of the edges.
    fn fails_at(&self, x: f64) -> bool {
        self.edges
            .iter()
            .rev()
            .find(|edge| edge.mean <= x)
            .map_or(self.starts_failed, |edge| edge.fails_above)
    }

    /// What it is at `x`.
    pub fn at(&self, x: f64) -> Answer {
        match self.undecided.iter().any(|stretch| stretch.low <= x && x <= stretch.high) {
            true => Answer::Undecided,
            false => Answer::of(self.fails_at(x)),
        }
    }

    /// Whether `x` lies where seeds differ.
    pub fn mixed_at(&self, x: f64) -> bool {
        self.edges.iter().any(|edge| edge.lowest < x && x < edge.highest)
    }
}

#[cfg(test)]
mod tests;
