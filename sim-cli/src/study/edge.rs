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
            (before != after).then_some(Bracket { low, high, fails_above: after == Answer::Fails, undecided })
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
mod tests {
    use super::*;
    use sim_models::experiment::Node;
    use std::convert::Infallible;

    const PLAN: Plan = Plan { probes: 3, within: Within::Range(0.01) };

    fn knob(text: &str) -> Knob {
        Knob::parse("p", text, Some(&Node::number("1.0"))).expect("a range")
    }

    fn whole() -> Knob {
        Knob::parse("p", "1..12", Some(&Node::number("3"))).expect("a range")
    }

    fn asked(knob: &Knob, mut fails: impl FnMut(f64) -> bool) -> Course {
        course(knob, PLAN, None, |x| Ok::<_, Infallible>(Some(Answer::of(fails(x))))).expect("cannot fail")
    }

    #[test]
    fn a_known_edge_is_found_from_either_side() {
        for edge in [3.7, 50.0, 99.9, 0.2] {
            for above in [true, false] {
                let mut questions = 0;
                let found = asked(&knob("0..100"), |x| {
                    questions += 1;
                    (x > edge) == above
                });
                let [bracket] = found.edges[..] else { panic!("{found:?}") };
                assert!(
                    bracket.low <= edge && edge <= bracket.high && bracket.high - bracket.low <= 1.0,
                    "{bracket:?}"
                );
                assert_eq!((bracket.fails_above, found.complete), (above, true));
                assert!(questions <= PLAN.questions(), "{questions}");
            }
        }
    }

    #[test]
    fn between_whole_numbers_there_is_nothing() {
        let found = asked(&whole(), |x| {
            assert_eq!(x.fract(), 0.0);
            x >= 8.0
        });
        assert_eq!(found.edges, [Bracket { low: 7.0, high: 8.0, fails_above: true, undecided: false }]);
    }

    #[test]
    fn over_decades_the_bracket_is_narrow_by_ratio() {
        let found = asked(&knob("1..10000"), |x| x > 30.0);
        let [bracket] = found.edges[..] else { panic!("{found:?}") };
        assert!(
            bracket.low <= 30.0 && 30.0 <= bracket.high && bracket.high / bracket.low < 1.1,
            "{bracket:?}"
        );
    }

    /// How many questions a seed takes whose edge is at `edge`, after scouts whose edges are where they are; and its course.
    fn after(scouts: &[f64], edge: impl Fn(f64) -> bool) -> (usize, Course) {
        let scouts: Vec<Course> = scouts.iter().map(|own| asked(&knob("0..100"), |x| x > *own)).collect();
        let hints = Hints::of(&scouts).expect("they go alike");
        let mut questions = 0;
        let found = course(&knob("0..100"), PLAN, Some(&hints), |x| {
            questions += 1;
            Ok::<_, Infallible>(Some(Answer::of(edge(x))))
        });
        (questions, found.expect("cannot fail"))
    }

    #[test]
    fn who_has_scouts_asks_half_as_much() {
        for edge in [59.0, 60.2, 61.9, 63.0] {
            let (questions, found) = after(&[60.1, 61.8], |x| x > edge);
            let [bracket] = found.edges[..] else { panic!("{found:?}") };
            assert!(
                bracket.low <= edge && edge <= bracket.high && bracket.high - bracket.low <= 1.0,
                "{bracket:?}"
            );
            assert!(questions <= 5 && found.complete && !found.starts_failed(), "{questions}");
        }
    }

    #[test]
    fn an_edge_that_is_elsewhere_is_found_there() {
        for edge in [3.0, 40.0, 97.0] {
            let (questions, found) = after(&[60.1, 61.8], |x| x > edge);
            let [bracket] = found.edges[..] else { panic!("{found:?}") };
            assert!(bracket.low <= edge && edge <= bracket.high, "{edge}: {bracket:?}");
            assert!(questions <= PLAN.questions() + 2, "{edge}: {questions}");
        }
        // One that never fails, and one that fails the other way round, are looked at everywhere.
        let (_, found) = after(&[60.1, 61.8], |_| false);
        assert!(found.edges.is_empty() && found.asked.len() >= 5);
        let (_, found) = after(&[60.1, 61.8], |x| x < 30.0);
        assert!(found.edges.len() == 1 && found.starts_failed(), "{found:?}");
    }

    #[test]
    fn scouts_who_differ_give_no_hint() {
        let (one, other) = (asked(&knob("0..100"), |x| x > 60.0), asked(&knob("0..100"), |_| false));
        assert_eq!(Hints::of(&[one.clone(), other.clone()]), None);
        assert_eq!(Hints::of(&[other.clone(), other]), None, "nothing to hint at");
        assert_eq!(Hints::of(&[one, Course::default()]), None, "a signal came");
    }

    #[test]
    fn islands_are_told() {
        let found = asked(&knob("0..100"), |x| (40.0..80.0).contains(&x));
        let edges = Edges::of(&[found.clone(), found, asked(&knob("0..100"), |x| x > 40.0)]);
        assert_eq!((edges.alike, edges.not_monotone(), edges.otherwise.len()), (2, 2, 1));
        assert_eq!((edges.edges[0].fails_above, edges.edges[1].fails_above), (true, false));
        assert!((edges.edges[1].mean - 80.0).abs() <= 1.0, "{edges:?}");
        assert!(!edges.fails_at(10.0) && edges.fails_at(60.0) && !edges.fails_at(90.0));
    }

    #[test]
    fn no_edge_says_which() {
        let edges = Edges::of(&[asked(&knob("0..100"), |_| true)]);
        assert_eq!((edges.starts_failed, edges.edges.len(), edges.alike), (true, 0, 1));
    }

    #[test]
    fn seeds_give_an_interval_that_knows_the_bracket() {
        let courses: Vec<Course> =
            (0..10).map(|n| asked(&knob("0..100"), |x| x > 40.0 + f64::from(n))).collect();
        let edges = Edges::of(&courses);
        let edge = &edges.edges[0];
        // Student's for 0..9: 2.262 * 3.028 / sqrt(10) = 2.17, and half of a bracket.
        assert!((edge.mean - 44.5).abs() < 0.5 && (2.1..2.9).contains(&edge.half_width), "{edge:?}");
        assert!(edge.lowest <= 40.0 && edge.highest >= 49.0 && edges.mixed_at(45.0) && !edges.mixed_at(20.0));
        let same: Vec<Course> = (0..10).map(|_| asked(&knob("0..100"), |x| x > 40.0)).collect();
        assert!(Edges::of(&same).edges[0].half_width >= 0.25, "as wide as what is not known");
    }

    /// Ten seeds whose edges are spread evenly around 50; the interval must cover 50 in about 95 of 100 repetitions,
    /// rather more than less, as it knows the bracket too.
    #[test]
    fn intervals_cover_the_true_edge() {
        let mut state = 12_345u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut covered = 0;
        for _ in 0..1_000 {
            let of_seed = |_| {
                let own = 45.0 + 10.0 * uniform();
                asked(&knob("0..100"), move |x| x > own)
            };
            let courses: Vec<Course> = (0..10).map(of_seed).collect();
            let edge = Edges::of(&courses).edges[0].clone();
            covered += u32::from((edge.mean - 50.0).abs() <= edge.half_width);
        }
        println!("covered {covered} of 1000");
        assert!((940..=995).contains(&covered), "{covered}");
    }

    /// Seeds in rounds, with scouts, until the edge is known to four hundredths of the range: however much seeds differ, the
    /// interval covers the true mean, and rather too often where it is mostly a bracket.
    #[test]
    fn intervals_cover_the_true_edge_when_seeds_come_in_rounds() {
        let mut state = 99u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        // The sum of twelve is normal enough.
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        for (spread, at_most) in [(0.3, 1000), (1.5, 995), (3.0, 985), (6.0, 980)] {
            let (mut covered, mut seeds) = (0, 0);
            for _ in 0..1_000 {
                let mut courses: Vec<Course> = Vec::new();
                let run_to = |courses: &mut Vec<Course>, to: u32| {
                    while courses.len() < to as usize {
                        let own = 50.0 + spread * normal();
                        let hints = courses.get(..SCOUTS).and_then(Hints::of);
                        let found = course(&knob("0..100"), PLAN, hints.as_ref(), |x| {
                            Ok::<_, Infallible>(Some(Answer::of(x > own)))
                        });
                        courses.push(found.expect("cannot fail"));
                    }
                    Ok::<_, Infallible>(true)
                };
                let known = |courses: &Vec<Course>, seeds: u32, _| {
                    is_known(&courses[..seeds as usize], &knob("0..100"), PLAN)
                };
                let stopped = sim_core::stats::sequential::in_rounds(&mut courses, 10, run_to, known);
                let edge = Edges::of(&courses).edges[0].clone();
                covered += u32::from((edge.mean - 50.0).abs() <= edge.half_width);
                seeds += stopped.expect("cannot fail").seeds;
            }
            println!(
                "a spread of {spread}: covered {covered} of 1000 on {} seeds",
                f64::from(seeds) / 1_000.0
            );
            assert!((930..=at_most).contains(&covered), "{spread}: {covered}");
        }
    }

    /// Fine below `from`, failing above `to`, and too short to tell in between.
    fn vague(from: f64, to: f64) -> Course {
        let answer = |x: f64| match x {
            _ if x < from => Answer::Fine,
            _ if x > to => Answer::Fails,
            _ => Answer::Undecided,
        };
        course(&knob("0..100"), PLAN, None, |x| Ok::<_, Infallible>(Some(answer(x)))).expect("cannot fail")
    }

    #[test]
    fn an_edge_is_anywhere_in_what_cannot_be_told() {
        let found = vague(40.0, 60.0);
        let [bracket] = found.edges[..] else { panic!("{found:?}") };
        assert!(bracket.undecided && bracket.fails_above);
        assert!((39.0..=40.0).contains(&bracket.low) && (60.0..=61.0).contains(&bracket.high), "{bracket:?}");
        let edges = Edges::of(&[found.clone(), vague(42.0, 60.0), vague(50.0, 50.0)]);
        // Where two of three cannot tell, and no further.
        let [stretch] = edges.undecided[..] else { panic!("{edges:?}") };
        assert!((stretch.low - 42.0).abs() <= 1.0 && (stretch.high - 60.0).abs() <= 1.0, "{stretch:?}");
        let at = [10.0, 41.0, 45.0, 55.0, 62.0].map(|x| edges.at(x));
        use Answer::*;
        assert_eq!(at, [Fine, Fine, Undecided, Undecided, Fails], "{edges:?}");
        assert!(edges.edges[0].half_width >= 10.0, "as wide as what cannot be told");
    }

    #[test]
    fn what_cannot_be_told_at_an_end_is_no_edge() {
        let top = Edges::of(&[vague(40.0, 1e9), vague(41.0, 1e9)]);
        assert_eq!((top.edges.len(), top.starts_failed, top.alike), (0, false, 2), "{top:?}");
        let [stretch] = top.undecided[..] else { panic!("{top:?}") };
        assert!((stretch.low - 41.0).abs() <= 1.0 && stretch.high == 100.0, "{stretch:?}");
        let bottom = Edges::of(&[vague(-1.0, 60.0)]);
        assert!(bottom.starts_failed && bottom.edges.is_empty(), "{bottom:?}");
        assert_eq!(bottom.undecided[0].low, 0.0);
        let all = Edges::of(&[vague(-1.0, 1e9)]);
        assert_eq!(
            (all.edges.len(), all.starts_failed, all.undecided[0].is_all(0.0, 100.0)),
            (0, false, true)
        );
        // An island of it between two alike.
        let island = |x: f64| if (40.0..60.0).contains(&x) { Answer::Undecided } else { Answer::Fine };
        let found = course(&knob("0..100"), PLAN, None, |x| Ok::<_, Infallible>(Some(island(x))));
        let edges = Edges::of(&[found.expect("cannot fail")]);
        assert_eq!((edges.edges.len(), edges.undecided.len()), (0, 1), "{edges:?}");
    }

    #[test]
    fn an_interrupted_seed_is_missing() {
        let mut left = 4;
        let cut = course(&knob("0..100"), PLAN, None, |x| {
            left -= 1;
            Ok::<_, Infallible>((left > 0).then_some(Answer::of(x > 30.0)))
        });
        let edges = Edges::of(&[cut.expect("cannot fail"), asked(&knob("0..100"), |x| x > 30.0)]);
        assert_eq!((edges.missing, edges.alike), (1, 1));
    }
}
