//! Whether a number moved, or another seed would have given it too.
//!
//! A snapshot holds the numbers of one seed. What that number could have been is told by a few seeds of today's
//! version: the range in which 99 of 100 further seeds lie, `mean ± t s sqrt(1 + 1/n)`. A number from before
//! that lies outside has moved. It is 99 and not 95, because many numbers are looked at together. What is true or
//! false, or there or not, has moved if no seed gives what was before.

use crate::golden::facts::Fact;
use crate::result::moved::{MovedMetric, Reading};
use sim_core::stats::Sample;
use sim_models::report::{Meaning, Report};

/// Seeds from which the luck is estimated, the run's own included.
pub const SEEDS: u32 = 10;
/// How many of 100 seeds lie within the range.
const CONFIDENCE: f64 = 0.99;

/// The paths of the metrics that differ, in the order of the snapshot, new ones last.
pub fn differing(before: &Fact, now: &Fact) -> Vec<String> {
    let (then, today) = (&before.metrics, &now.metrics);
    let gone = then.iter().filter(|(path, reading)| today.get(path) != Some(reading));
    let new = today.iter().filter(|(path, _)| then.get(path).is_none());
    gone.chain(new).map(|(path, _)| path.to_string()).collect()
}

/// What each of `paths` came to in one run.
pub fn read(report: &Report, paths: &[String]) -> Vec<Reading> {
    paths.iter().map(|path| Reading::of(report, path)).collect()
}

/// Each metric that differs, held against what the seeds give: `seeds[n][i]` is that of path `i`.
pub fn judge(before: &Fact, now: &Fact, paths: &[String], seeds: &[Vec<Reading>]) -> Vec<MovedMetric> {
    let absent = Reading::Absent(());
    let of = |fact: &Fact, path: &str| fact.metrics.get(path).copied().unwrap_or(absent);
    let one = |(index, path): (usize, &String)| {
        let values: Vec<Reading> = seeds.iter().map(|seed| seed[index]).collect();
        held(path, of(before, path), of(now, path), &values)
    };
    let mut metrics: Vec<MovedMetric> = paths.iter().enumerate().map(one).collect();
    let size = |metric: &MovedMetric| metric.change.map_or(f64::INFINITY, f64::abs);
    metrics.sort_by(|a, b| b.moved.cmp(&a.moved).then(size(b).total_cmp(&size(a))));
    metrics
}

fn held(path: &str, before: Reading, now: Reading, seeds: &[Reading]) -> MovedMetric {
    let number = |reading: &Reading| match reading {
        Reading::Number(number) => Some(*number),
        _ => None,
    };
    let numbers: Vec<f64> = seeds.iter().filter_map(number).collect();
    let change = match (before, now) {
        (Reading::Number(x), Reading::Number(y)) if x != 0.0 => Some((y - x) / x.abs()),
        _ => None,
    };
    let count = seeds.len() as u32;
    let metric = MovedMetric {
        metric: path.into(),
        before,
        now,
        change,
        mean: None,
        reach: None,
        like_before: None,
        seeds: count,
        moved: true,
        unit: Meaning::at(path).unit,
    };
    let sample = Sample::of(&numbers);
    match (before, now, sample.half_width(CONFIDENCE)) {
        (Reading::Number(before), Reading::Number(_), Some(half)) => {
            let reach = half * (sample.n as f64 + 1.0).sqrt();
            let moved = (before - sample.mean).abs() > reach;
            MovedMetric { mean: Some(sample.mean), reach: Some(reach), moved, ..metric }
        }
        _ => {
            let alike = |reading: &&Reading| match (before, reading) {
                (Reading::Number(_), Reading::Number(_)) => true,
                (before, reading) => before == **reading,
            };
            let like = seeds.iter().filter(alike).count() as u32;
            MovedMetric { like_before: Some(like), moved: like == 0, ..metric }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reading::{Absent, Number, Truth};

    #[test]
    fn a_number_that_seeds_give_too_has_not_moved() {
        let seeds: Vec<Reading> = [98.0, 101.0, 99.0, 102.0, 100.0].map(Number).to_vec();
        // s = 1.58, t(0.995, 4) = 4.60, so 99 of 100 further seeds lie within 4.60 * 1.58 * sqrt(6/5) = 7.97.
        let at = |before: f64| held("p99", Number(before), Number(98.0), &seeds);
        let reach = at(100.0).reach.unwrap();
        assert!((reach - 7.975).abs() < 0.005, "{reach}");
        assert!(!at(107.9).moved && at(108.1).moved && !at(92.1).moved && at(91.9).moved);
        assert_eq!(at(49.0).change, Some(1.0));
    }

    #[test]
    fn what_no_seed_changes_has_moved_at_any_difference() {
        let one = held("amplification", Number(1.000_001), Number(1.0), &[Number(1.0); 10]);
        assert!(one.moved && one.reach == Some(0.0));
    }

    #[test]
    fn a_truth_has_moved_if_no_seed_gives_the_old_one() {
        let seeds = [Truth(false), Truth(true), Truth(false)];
        let some = held("recovered", Truth(true), Truth(false), &seeds);
        assert_eq!((some.moved, some.like_before), (false, Some(1)));
        assert!(held("recovered", Truth(true), Truth(false), &[Truth(false); 3]).moved);
        // It was there, and in one seed of three it still is.
        let seeds = [Absent(()), Number(2.0), Absent(())];
        assert!(!held("time_to_recover", Number(1.0), Absent(()), &seeds).moved);
        assert!(held("time_to_recover", Number(1.0), Absent(()), &[Absent(()); 3]).moved);
    }

    #[test]
    fn what_moved_comes_first_and_the_largest_change_before_others() {
        let fact = |values: [f64; 3]| {
            let mut fact = Fact::default();
            for (path, value) in ["a", "b", "c"].into_iter().zip(values) {
                fact.metrics.push(path, Number(value));
            }
            fact
        };
        let (before, now) = (fact([1.0, 10.0, 5.0]), fact([2.0, 11.0, 5.0]));
        let paths = differing(&before, &now);
        assert_eq!(paths, ["a", "b"]);
        let seeds = [vec![Number(0.0), Number(11.0)], vec![Number(2.0), Number(11.0)]];
        let order: Vec<(String, bool)> =
            judge(&before, &now, &paths, &seeds).into_iter().map(|m| (m.metric, m.moved)).collect();
        assert_eq!(order, [("b".into(), true), ("a".into(), false)]);
    }
}
