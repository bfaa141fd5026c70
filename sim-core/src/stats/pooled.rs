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

/// One number for each run, so that their mean and Student's interval are the middle and the ends of the percentile's interval, and
/// what makes a run's number large is that it has more beyond the percentile. Of two systems that met the same luck they may be taken from each
/// other run by run. None where an interval has no end: for fewer than three runs, or too few values beyond.
pub fn per_run(percent: f64, runs: &[&Counts], confidence: f64) -> Option<Vec<f64>> {
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
    let mut middle = None;
    for (place, &(value, run, count)) in all.iter().enumerate() {
        below[run] += count;
        if all.get(place + 1).is_some_and(|(next, ..)| *next == value) {
            continue;
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
    let low = off[..=middle].iter().rfind(|(_, off)| *off < -limit)?.0 as f64;
    let high = off[middle..].iter().find(|(_, off)| *off > limit)?.0 as f64;
    let (centre, slope) = ((low + high) / 2.0, (high - low) / 2.0 / half_width);
    Some(shares.iter().map(|share| centre - slope * (share - of.mean)).collect())
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
        per_run(percent, &runs, 0.95).map(|values| Sample::of(&values))
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

    #[test]
    fn too_little_tells_nothing() {
        assert!(per_run_of(50.0, &runs(1_000)[..2]).is_none());
        assert!(per_run_of(50.0, &[vec![(1, 5)], vec![(1, 5)], Vec::new()]).is_none());
        assert!(per_run_of(50.0, &vec![vec![(1, 5)]; 4]).is_none(), "all alike");
        assert!(per_run_of(99.99, &runs(100)).is_none(), "nothing beyond");
    }
}
