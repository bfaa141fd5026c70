//! An expectation over many seeds.
//!
//! A number is judged by Student's 95 % interval for its mean over the seeds: it holds if all of the interval is on
//! the right side of the bound, fails if all of it is on the wrong side, and is undecided if the bound lies in
//! it. `equals` without `within` holds only for what no seed changes. What is true or false must be as
//! expected in every seed (`is`), or its share of the seeds is judged by Wilson's interval (`at_least: "90%"`). A
//! metric that is absent in any seed fails: a mean over the others would flatter it.

use crate::condition::{Bound, Check, in_unit};
use crate::result::judged::Judged;
use crate::result::seeds::CONFIDENCE;
use crate::text::{Style, number};
use sim_core::stats::Sample;
use sim_models::experiment::Expectation;
use sim_models::report::{Metric, Unit};

/// 97.5 % of a normal distribution lies below.
const Z: f64 = 1.959_963_984_540_054;

/// What becomes of it, and which value is farthest on the wrong side.
pub(super) fn judge(expectation: &Expectation, values: &[Metric]) -> (Judged, Option<usize>) {
    let (all, check) = (values.len(), expectation.check());
    let judged = |measured: String, verdict: Verdict, worst: usize| {
        let (holds, undecided) = (verdict == Verdict::Holds, verdict == Verdict::Undecided);
        let said = if undecided { ", and the bound lies within" } else { "" };
        let judged = Judged { measured: measured + said, holds, undecided, ..Judged::default() };
        (judged, (!holds).then_some(worst))
    };
    let absent: Vec<usize> = (0..all).filter(|&n| values[n] == Metric::Absent).collect();
    if let Some(&first) = absent.first() {
        return judged(format!("absent in {} of {all} seeds", absent.len()), Verdict::Fails, first);
    }
    let truths: Vec<bool> = values.iter().filter_map(truth).collect();
    if truths.is_empty() {
        let (numbers, unit) = numbers(values);
        let longer = numbers.iter().filter(|number| number.is_infinite()).count();
        if longer > 0 {
            // There is no mean; and longer than any answer is longer than any bound.
            let verdict = match check {
                Check::AtLeast(_) | Check::Above(_) if longer == all => Verdict::Holds,
                Check::AtLeast(_) | Check::Above(_) => Verdict::Undecided,
                _ => Verdict::Fails,
            };
            let measured = format!("{} in {longer} of {all} seeds", number::LONGER);
            return judged(measured, verdict, worst(check, &numbers, unit));
        }
        let sample = Sample::of(&numbers);
        let half = sample.half_width(CONFIDENCE).expect("two seeds or more");
        let verdict = verdict(check, (sample.mean - half, sample.mean + half), unit);
        let measured = number::plus_minus(sample.mean, half, unit, Style::default());
        return judged(measured, verdict, worst(check, &numbers, unit));
    }
    let yes = truths.iter().filter(|truth| **truth).count();
    let first = |wanted: bool| truths.iter().position(|truth| *truth == wanted).unwrap_or(0);
    let measured = format!("yes in {yes} of {all}");
    if let Check::Is(expected) = check {
        let as_expected = if expected { yes } else { all - yes };
        let verdict = if as_expected == all { Verdict::Holds } else { Verdict::Fails };
        return judged(measured, verdict, first(!expected));
    }
    let (low, high) = wilson(yes, all);
    let measured = format!("{measured} ({} to {})", number::percent(low), number::percent(high));
    let too_often = matches!(check, Check::AtMost(_) | Check::Below(_));
    judged(measured, verdict(check, (low, high), Unit::Share), first(too_often))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    Fails,
    Undecided,
}

/// Where an interval lies.
fn verdict(check: Check, (low, high): (f64, f64), unit: Unit) -> Verdict {
    let bound = |bound: &Bound| in_unit(bound, unit).expect("refused when it was read");
    let (holds, fails) = match check {
        Check::Is(_) => (false, true),
        Check::AtMost(most) => (high <= bound(most), low > bound(most)),
        Check::AtLeast(least) => (low >= bound(least), high < bound(least)),
        Check::Below(limit) => (high < bound(limit), low >= bound(limit)),
        Check::Above(limit) => (low > bound(limit), high <= bound(limit)),
        Check::Equals(exact, within) => {
            let within = within.map_or(0.0, bound);
            let (least, most) = (bound(exact) - within, bound(exact) + within);
            (low >= least && high <= most, high < least || low > most)
        }
    };
    match (holds, fails) {
        (true, _) => Verdict::Holds,
        (_, true) => Verdict::Fails,
        _ => Verdict::Undecided,
    }
}

/// The value that is farthest on the wrong side.
fn worst(check: Check, numbers: &[f64], unit: Unit) -> usize {
    let badness = |x: f64| match check {
        Check::AtMost(_) | Check::Below(_) | Check::Is(_) => x,
        Check::AtLeast(_) | Check::Above(_) => -x,
        Check::Equals(exact, _) => (x - in_unit(exact, unit).unwrap_or(0.0)).abs(),
    };
    let worse = |&a: &usize, &b: &usize| badness(numbers[a]).total_cmp(&badness(numbers[b])).then(b.cmp(&a));
    (0..numbers.len()).max_by(worse).unwrap_or(0)
}

fn truth(metric: &Metric) -> Option<bool> {
    match metric {
        Metric::Truth(truth) => Some(*truth),
        _ => None,
    }
}

fn numbers(values: &[Metric]) -> (Vec<f64>, Unit) {
    let mut unit = Unit::Plain;
    let number = |metric: &Metric| match *metric {
        Metric::Number(x, of) => {
            unit = of;
            Some(x)
        }
        _ => None,
    };
    (values.iter().filter_map(number).collect(), unit)
}

/// Wilson's 95 % interval for a share, of `yes` among `all`.
fn wilson(yes: usize, all: usize) -> (f64, f64) {
    let (n, p) = (all as f64, yes as f64 / all as f64);
    let whole = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / whole;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / whole;
    // At the ends it is exact, and rounding must not say otherwise.
    let low = if yes == 0 { 0.0 } else { centre - half };
    (low, if yes == all { 1.0 } else { centre + half })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimDuration;

    fn expectation() -> Expectation {
        Expectation { seeds: Some(4), ..Expectation::of("p99") }
    }

    fn ms(values: &[u64]) -> Vec<Metric> {
        values.iter().map(|&ms| Metric::Number(ms as f64 * 1e6, Unit::Duration)).collect()
    }

    fn bound(ms: u64) -> Option<Bound> {
        Some(Bound::Duration(SimDuration::from_millis(ms)))
    }

    /// holds, undecided, worst
    fn outcome(expectation: &Expectation, values: &[Metric]) -> (bool, bool, Option<usize>) {
        let (judged, worst) = judge(expectation, values);
        (judged.holds, judged.undecided, worst)
    }

    #[test]
    fn all_of_the_interval_must_be_on_the_right_side() {
        // Mean 100 ms, and t(0.975, 3) * sd / 2 = 3.18 * 2.58 / 2 = 4.1 ms.
        let values = ms(&[97, 103, 99, 101]);
        let at_most = |ms| outcome(&Expectation { at_most: bound(ms), ..expectation() }, &values);
        assert_eq!(at_most(105), (true, false, None));
        assert_eq!(at_most(102), (false, true, Some(1)));
        assert_eq!(at_most(95), (false, false, Some(1)));
        let above = |ms| outcome(&Expectation { above: bound(ms), ..expectation() }, &values);
        assert_eq!((above(95).0, above(98).1, above(105).2), (true, true, Some(0)));
        let equals = |ms, within| {
            outcome(&Expectation { equals: bound(ms), within: bound(within), ..expectation() }, &values)
        };
        assert_eq!(equals(100, 5), (true, false, None));
        assert_eq!(equals(100, 2), (false, true, Some(0)));
        assert_eq!(equals(120, 5), (false, false, Some(0)));
        let (judged, _) = judge(&Expectation { at_most: bound(102), ..expectation() }, &values);
        assert_eq!(judged.measured, "100.0 ± 4.1 ms, and the bound lies within");
    }

    #[test]
    fn what_no_seed_changes_can_be_equal() {
        let values = [Metric::Number(3.0, Unit::Plain); 4];
        let equals = |x| outcome(&Expectation { equals: Some(Bound::Number(x)), ..expectation() }, &values);
        assert_eq!((equals(3.0).0, equals(2.0)), (true, (false, false, Some(0))));
    }

    #[test]
    fn truths_hold_in_every_seed_or_in_a_share() {
        let mut values = vec![Metric::Truth(true); 20];
        let is = Expectation { is: Some(true), ..expectation() };
        assert_eq!(outcome(&is, &values), (true, false, None));
        let share = |text: &str| Expectation { at_least: Some(Bound::Text(text.into())), ..expectation() };
        // 20 of 20 show 84 %, not 90 %.
        assert_eq!(outcome(&share("80%"), &values), (true, false, None));
        assert!(outcome(&share("90%"), &values).1);
        values[7] = Metric::Truth(false);
        assert_eq!(outcome(&is, &values), (false, false, Some(7)));
        assert_eq!(outcome(&share("90%"), &values), (false, true, Some(7)));
        assert_eq!(judge(&is, &values).0.measured, "yes in 19 of 20");
        values[3] = Metric::Absent;
        assert_eq!(outcome(&share("50%"), &values), (false, false, Some(3)));
    }

    #[test]
    fn wilsons_interval_is_his() {
        // Wilson (1927), as tabulated: 10 of 20 gives 0.299 to 0.701.
        let (low, high) = wilson(10, 20);
        assert!((low - 0.2993).abs() < 1e-4 && (high - 0.7007).abs() < 1e-4, "{low} {high}");
        assert_eq!((wilson(0, 20).0, wilson(20, 20).1), (0.0, 1.0));
    }
}
