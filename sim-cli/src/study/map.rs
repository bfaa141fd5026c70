//! Two knobs at once: a grid, and in each cell what becomes of the system there.

use crate::result::edges::Answer;
use crate::result::knob::Knob;
use crate::result::mapped::{Cell, State};

/// One question about a cell on one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Does it fail with the experiment's own fault?
    Fault,
    /// With the harder one?
    Harder,
    /// Without any?
    Alone,
}

/// The state on one seed: two questions at most. `ask` says whether it fails, or nothing if there will be no more
/// answers. Without a disturbance there is only one question. What fails without any fault is overloaded, whatever else
/// cannot be told.
pub fn state<E>(
    disturbed: bool,
    mut ask: impl FnMut(Ask) -> Result<Option<Answer>, E>,
) -> Result<Option<State>, E> {
    let one = |answer: Answer, fails: State, fine: State| match answer {
        Answer::Fails => fails,
        Answer::Undecided => State::Undecided,
        Answer::Fine => fine,
    };
    if !disturbed {
        return Ok(ask(Ask::Alone)?.map(|answer| one(answer, State::Overloaded, State::Stable)));
    }
    let Some(answer) = ask(Ask::Fault)? else { return Ok(None) };
    Ok(match answer {
        Answer::Fails => ask(Ask::Alone)?.map(|alone| one(alone, State::Overloaded, State::Metastable)),
        Answer::Undecided => ask(Ask::Alone)?.map(|alone| one(alone, State::Overloaded, State::Undecided)),
        Answer::Fine => ask(Ask::Harder)?.map(|harder| one(harder, State::Vulnerable, State::Stable)),
    })
}

/// Asks seed after seed until one state has most of `seeds`, whatever the rest would say.
pub fn cell<E>(
    at: [f64; 2],
    seeds: usize,
    mut ask: impl FnMut(usize) -> Result<Option<State>, E>,
) -> Result<Cell, E> {
    let mut found = Vec::new();
    let votes = |found: &[State], state: State| found.iter().filter(|other| **other == state).count();
    for seed in 0..seeds {
        match ask(seed)? {
            Some(state) => found.push(state),
            None => return Ok(Cell { at, seeds: found, ..Cell::default() }),
        }
        if State::ALL.iter().any(|state| 2 * votes(&found, *state) > seeds) {
            break;
        }
    }
    let most = State::ALL.map(|state| votes(&found, state)).into_iter().max().unwrap_or(0);
    let leading: Vec<State> = State::ALL.into_iter().filter(|state| votes(&found, *state) == most).collect();
    Ok(Cell { at, state: leading.last().copied(), tie: leading.len() > 1, seeds: found, answered: None })
}

/// At most `points` values of a knob, both ends included; of whole numbers each once.
pub fn values(knob: &Knob, points: usize) -> Vec<f64> {
    let last = (points.max(2) - 1) as f64;
    let mut values: Vec<f64> = (0..points.max(2)).map(|n| knob.at(n as f64 / last)).collect();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::mapped::State::{Metastable, Overloaded, Stable, Undecided, Vulnerable};
    use sim_models::experiment::Node;
    use std::convert::Infallible;

    fn of(fault: Answer, harder: Answer, alone: Answer) -> State {
        state(true, |ask| {
            Ok::<_, Infallible>(Some(match ask {
                Ask::Fault => fault,
                Ask::Harder => harder,
                Ask::Alone => alone,
            }))
        })
        .expect("cannot fail")
        .expect("answered")
    }

    #[test]
    fn five_states() {
        use Answer::{Fails, Fine, Undecided as Open};
        for (fault, harder, alone, expected) in [
            (Fine, Fine, Fine, Stable),
            (Fine, Fails, Fine, Vulnerable),
            (Fine, Open, Fine, Undecided),
            (Fails, Fails, Fine, Metastable),
            (Fails, Fails, Fails, Overloaded),
            (Fails, Fails, Open, Undecided),
            (Open, Fails, Fine, Undecided),
            (Open, Fails, Fails, Overloaded),
        ] {
            assert_eq!(of(fault, harder, alone), expected, "{fault:?} {harder:?} {alone:?}");
        }
        let calm = |answer| state(false, |_| Ok::<_, Infallible>(Some(answer))).expect("cannot fail");
        assert_eq!([Fine, Open, Fails].map(calm), [Some(Stable), Some(Undecided), Some(Overloaded)]);
    }

    #[test]
    fn most_seeds_decide_and_no_more_are_asked() {
        let asked = |states: &[State]| {
            let mut made = 0;
            let cell = cell([0.0, 0.0], states.len(), |seed| {
                made += 1;
                Ok::<_, Infallible>(Some(states[seed]))
            });
            let cell = cell.expect("cannot fail");
            (cell.state, cell.tie, made)
        };
        assert_eq!(asked(&[Stable, Stable, Metastable]), (Some(Stable), false, 2));
        assert_eq!(asked(&[Stable, Metastable, Metastable]), (Some(Metastable), false, 3));
        assert_eq!(asked(&[Stable, Vulnerable, Metastable]), (Some(Metastable), true, 3));
        assert_eq!(asked(&[Stable, Vulnerable]), (Some(Vulnerable), true, 2));
        assert_eq!(asked(&[Stable]), (Some(Stable), false, 1));
    }

    #[test]
    fn a_grid_has_both_ends_and_no_value_twice() {
        let whole = Knob::parse("p", "1..4", Some(&Node::number("3"))).expect("a range");
        assert_eq!(values(&whole, 8), [1.0, 2.0, 3.0, 4.0]);
        let wide = Knob::parse("p", "10..1000", Some(&Node::number("3"))).expect("a range");
        assert_eq!(values(&wide, 3), [10.0, 100.0, 1000.0]);
    }
}
