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
    assert_eq!(
        found.edges,
        [Bracket { low: 7.0, high: 8.0, fails_above: true, undecided: false, answered: None }]
    );
}

#[test]
fn over_decades_the_bracket_is_narrow_by_ratio() {
    let found = asked(&knob("1..10000"), |x| x > 30.0);
    let [bracket] = found.edges[..] else { panic!("{found:?}") };
    assert!(bracket.low <= 30.0 && 30.0 <= bracket.high && bracket.high / bracket.low < 1.1, "{bracket:?}");
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
    let courses: Vec<Course> = (0..10).map(|n| asked(&knob("0..100"), |x| x > 40.0 + f64::from(n))).collect();
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
        println!("a spread of {spread}: covered {covered} of 1000 on {} seeds", f64::from(seeds) / 1_000.0);
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
    assert_eq!((all.edges.len(), all.starts_failed, all.undecided[0].is_all(0.0, 100.0)), (0, false, true));
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
