//! A percentile of several runs together, and how well it is known.
//!
//! Far out a run has few values: the 99.9th percentile of 10,000 is its tenth largest, and the mean of such numbers over runs is biased by
//! as much as its interval is wide, however many runs there are (of ten such runs of M/M/1 the interval held the right value 90 times of a
//! hundred). So all runs are laid together, and the interval is turned round: a value is in it if the shares of the runs that lie at or
//! below it may well be, on average, what they should. Shares far out are skewed, since long queues come in a row: Hall's transformation of
//! Student's t allows for that and stays monotone (J. R. Stat. Soc. B 54, 1992); Student's alone held it 91 times of a hundred.

use super::Sample;

/// What was counted in one run: the upper ends of buckets, in order, and how many were in each.
pub type Counts = [(u64, u64)];

/// A percentile of several runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled {
    /// That of all of them laid together. The middle of the interval is beyond it, where the interval is longer upwards.
    pub point: f64,
    /// The ends of its interval.
    pub interval: (f64, f64),
    /// One number for each run, so that their mean is the point, Student's interval as wide as the percentile's, and what makes a run's
    /// number large is that it has more beyond the percentile. Of two systems that met the same luck they may be taken from each other
    /// run by run.
    pub per_run: Vec<f64>,
}

/// None where an interval has no end: for fewer than three runs, or too few values beyond.
pub fn pooled(percent: f64, runs: &[&Counts], confidence: f64) -> Option<Pooled> {
    let totals: Vec<u64> = runs.iter().map(|run| run.iter().map(|(_, count)| count).sum()).collect();
    if runs.len() < 3 || totals.contains(&0) {
        return None;
    }
    let mut all: Vec<(u64, usize, u64)> = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        all.extend(run.iter().map(|&(value, count)| (value, number, count)));
    }
    all.sort_unstable();
    let share = percent / 100.0;
    let mut below = vec![0_u64; runs.len()];
    // How far off each value would be as the percentile.
    let mut off: Vec<(u64, f64)> = Vec::new();
    let (mut middle, mut point) = (None, None);
    let rank = share * totals.iter().sum::<u64>() as f64;
    for (place, &(value, run, count)) in all.iter().enumerate() {
        below[run] += count;
        if all.get(place + 1).is_some_and(|(next, ..)| *next == value) {
            continue;
        }
        if point.is_none() && below.iter().sum::<u64>() as f64 >= rank {
            point = Some(value as f64);
        }
        let shares: Vec<f64> =
            below.iter().zip(&totals).map(|(below, all)| *below as f64 / *all as f64).collect();
        let of = Sample::of(&shares);
        if let Some(here) = hall(&shares, &of, share) {
            off.push((value, here));
            if middle.is_none() && of.mean >= share {
                middle = Some((off.len() - 1, shares));
            }
        }
    }
    // From the middle outwards: far from it chance has no say.
    let (middle, shares) = middle?;
    let of = Sample::of(&shares);
    let half_width = of.half_width(confidence)?;
    let limit = half_width / of.standard_error();
    let low = off[..=middle].iter().rposition(|(_, off)| *off < -limit)?;
    // What is too little is not the percentile. Where so many have the next value that this alone makes the difference there is
    // nothing between the two, and it begins there, however far from it.
    let is_next = off.get(low + 1).is_some_and(|next| next.1 - off[low].1 >= limit);
    let low = off[low + usize::from(is_next)].0 as f64;
    let high = off[middle..].iter().find(|(_, off)| *off > limit)?.0 as f64;
    let (point, slope) = (point?.clamp(low, high), (high - low) / 2.0 / half_width);
    let per_run = shares.iter().map(|share| point - slope * (share - of.mean)).collect();
    Some(Pooled { point, interval: (low, high), per_run })
}

/// How far the mean of these is from `expected`, in its standard errors, their skewness allowed for; none where they are all the same.
fn hall(values: &[f64], of: &Sample, expected: f64) -> Option<f64> {
    let n = values.len() as f64;
    let from_mean = || values.iter().map(|x| x - of.mean);
    let variance = from_mean().map(|x| x * x).sum::<f64>() / (n - 1.0);
    if variance <= 0.0 {
        return None;
    }
    let third = from_mean().map(|x| x * x * x).sum::<f64>() * n / ((n - 1.0) * (n - 2.0));
    let (skew, off) = (third / (variance * variance.sqrt()), (of.mean - expected) / variance.sqrt());
    let bent = off + skew * off * off / 3.0 + skew * skew * off * off * off / 27.0;
    Some(n.sqrt() * (bent + skew / (6.0 * n)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::ln;

    /// Ten runs of so many values each, evenly up to a million but for luck.
    fn runs(count: u64) -> Vec<Vec<(u64, u64)>> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % 1_000_000
        };
        let run = |_| {
            let mut run: Vec<(u64, u64)> = (0..count).map(|_| (next(), 1)).collect();
            run.sort_unstable();
            run
        };
        (0..10).map(run).collect()
    }

    fn per_run_of(percent: f64, runs: &[Vec<(u64, u64)>]) -> Option<Sample> {
        let runs: Vec<&Counts> = runs.iter().map(Vec::as_slice).collect();
        pooled(percent, &runs, 0.95).map(|it| Sample::of(&it.per_run))
    }

    #[test]
    fn the_interval_is_round_the_percentile() {
        for (percent, exact) in [(50.0, 500_000.0), (90.0, 900_000.0), (99.0, 990_000.0)] {
            let sample = per_run_of(percent, &runs(1_000)).expect("enough");
            let half = sample.half_width(0.95).expect("ten runs");
            assert!((sample.mean - exact).abs() <= half.max(2_000.0), "{percent}: {} ± {half}", sample.mean);
            assert!(half < 20_000.0, "{percent}: ± {half}");
        }
    }

    /// Of values that thin out upwards, whose interval is longer to one side.
    #[test]
    fn the_point_is_where_it_is_and_not_in_the_middle() {
        let mut runs = runs(1_000);
        // Of an exponential law, to a millionth of its mean.
        runs.iter_mut().flatten().for_each(|(x, _)| *x = (-ln(1.0 - *x as f64 / 1e6) * 1e6) as u64);
        let mut all: Vec<u64> = runs.iter().flatten().map(|(x, _)| *x).collect();
        all.sort_unstable();
        let runs: Vec<&Counts> = runs.iter().map(Vec::as_slice).collect();
        let Pooled { point, interval: (low, high), per_run } = pooled(99.9, &runs, 0.95).expect("enough");
        // Nine or ten of ten thousand are beyond: 99.9 % is no number in binary.
        assert!(all[9_989] as f64 <= point && point <= all[9_990] as f64, "{point}");
        let exact = ln(1_000.0) * 1e6;
        assert!(low < exact && exact < high && (point / exact - 1.0).abs() < 0.02, "{low} {point} {high}");
        let (middle, sample) = ((low + high) / 2.0, Sample::of(&per_run));
        assert!((sample.mean - point).abs() < 1.0 && (middle - point).abs() > 0.01 * point);
        let half = sample.half_width(0.95).expect("ten runs");
        assert!((half - (high - low) / 2.0).abs() < 1.0, "{half} {low} {high}");
    }

    /// Nine of ten take 7, and the tenth waits for 5,000 or more: the percentile is not 7, nor anything between.
    #[test]
    fn between_two_values_there_is_no_percentile() {
        let of = |slow: u64| {
            let quick = |n: u64| 500 - slow - n % 3;
            let run =
                |n: u64| vec![(3, 499 + n % 2), (7, quick(n)), (5_000, slow - 5 + n % 2), (9_000, 5 + n % 3)];
            let runs: Vec<Vec<(u64, u64)>> = (0..10).map(run).collect();
            let runs: Vec<&Counts> = runs.iter().map(Vec::as_slice).collect();
            pooled(99.0, &runs, 0.95).map(|it| it.interval)
        };
        assert_eq!(of(100), Some((5_000.0, 5_000.0)));
        // Ten of a thousand, about: it may be either.
        assert_eq!(of(9), Some((7.0, 5_000.0)));
    }

    #[test]
    fn too_little_tells_nothing() {
        assert!(per_run_of(50.0, &runs(1_000)[..2]).is_none());
        assert!(per_run_of(50.0, &[vec![(1, 5)], vec![(1, 5)], Vec::new()]).is_none());
        assert!(per_run_of(50.0, &vec![vec![(1, 5)]; 4]).is_none(), "all alike");
        assert!(per_run_of(99.99, &runs(100)).is_none(), "nothing beyond");
    }
}
