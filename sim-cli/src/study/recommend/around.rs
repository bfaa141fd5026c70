//! What lies around the best setting: what did as well, what may lie beyond, what stands in the way.

use super::Search;
use super::told::EQUAL;
use crate::result::recommended::{Binding, plain};
use crate::study::race::Candidate;
use crate::study::space::{Dimension, Place};
use crate::study::wish::Wish;

/// A setting does as well if its objective is within this share of the winner's and not clearly worse.
const AS_WELL: f64 = 0.01;

impl Search<'_> {
    /// Whether a setting met all conditions in the race and did as well as the winner.
    pub(super) fn does_as_well(&self, one: &Candidate, winner: &Candidate) -> bool {
        let enough = |best: f64| one.objective().is_some_and(|value| value >= best - AS_WELL * best.abs());
        one.feasible() && !one.clearly_worse(winner) && winner.objective().is_some_and(enough)
    }

    /// For each setting, the values that were tried in a setting that met all conditions and did as well as the winner.
    pub(super) fn as_well(&self, candidates: &[Candidate], winner: &Candidate) -> Vec<(String, String)> {
        let places: Vec<&Place> = candidates
            .iter()
            .filter(|one| self.does_as_well(one, winner))
            .filter_map(|one| one.place.as_ref())
            .collect();
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
    pub(super) fn at_an_end(&self, candidate: &Candidate) -> Vec<String> {
        let Some(place) = &candidate.place else { return Vec::new() };
        let at_end = |(dimension, at): &(&Dimension, &f64)| {
            matches!(dimension, Dimension::Range(_)) && !(0.001..=0.999).contains(*at)
        };
        let ends = self.space.0.iter().zip(&place.at).filter(at_end);
        ends.map(|(dimension, _)| dimension.path().to_string()).collect()
    }

    /// The conditions that whatever had a better objective did not meet.
    pub(super) fn binding(&self, candidates: &[Candidate], winner: &Candidate) -> Vec<Binding> {
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
