//! How much of the beginning to leave out: MSER-5.
//!
//! A run that starts empty takes time to look like itself. What is measured meanwhile pulls a mean towards
//! the start; leaving much out makes it noisier. MSER chooses the cut `d` that makes the interval of the
//! mean of the rest narrowest, which weighs one against the other:
//!
//! `MSER(d) = 1 / (n - d)^2 * sum over i > d of (Z_i - mean of Z_(d+1) .. Z_n)^2`, least at the cut,
//!
//! over means `Z` of batches of 5 values, which evens out single values (White 1997, "An effective
//! truncation heuristic for bias reduction in simulation output"; batches: White, Cobb and Spratt 2000;
//! why it works: Franklin and White 2008). A cut in the second half means that the series had not
//! settled, or that nobody can tell: then the answer is a longer run, not a number.
//!
//! It sees what changes the mean level of one series. A swing that is longer than the run looks like a
//! level, to this test as to a person.

/// Values in a batch.
pub const BATCH: usize = 5;
/// Batches at the end that no cut reaches: a handful of batches are alike by chance, and would always win.
const REST: usize = 5;
/// Fewer batches than this tell nothing.
const FEWEST: usize = 20;

/// How many values at the beginning to leave out, a multiple of five. `None` if the series does not
/// settle in its first half or is too short (100 values) to tell: run longer.
pub fn mser5(values: &[f64]) -> Option<usize> {
    let batches: Vec<f64> =
        values.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    if batches.len() < FEWEST {
        return None;
    }
    // From the end, each tail's mean and sum of squares grow by one batch (Welford).
    let (mut mean, mut squares) = (0.0, 0.0);
    let mut least = (f64::INFINITY, batches.len());
    for (count, (cut, &batch)) in (1..).zip(batches.iter().enumerate().rev()) {
        let count = f64::from(count);
        let before = batch - mean;
        mean += before / count;
        squares += before * (batch - mean);
        let mser = squares / (count * count);
        // Of equal cuts the earliest: it throws nothing away.
        if cut + REST <= batches.len() && mser <= least.0 {
            least = (mser, cut);
        }
    }
    (least.1 <= batches.len() / 2).then_some(least.1 * BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise of mean 0 and variance 1/12, the same for everyone.
    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn a_step_is_cut_off_where_it_ends() {
        for (step, height) in [(60, 5.0), (60, -5.0), (145, 1.0), (200, 3.0)] {
            let values: Vec<f64> = noise(1, 500)
                .iter()
                .enumerate()
                .map(|(n, noise)| noise + if n < step { height } else { 0.0 })
                .collect();
            let cut = mser5(&values).expect("it settles");
            assert!((step..step + 25).contains(&cut), "a step of {height} until {step}: cut at {cut}");
        }
    }

    #[test]
    fn a_decay_is_cut_where_noise_hides_it() {
        let mut last = 0;
        for scale in [1.0, 5.0, 25.0] {
            let values: Vec<f64> = noise(2, 1000)
                .iter()
                .enumerate()
                .map(|(n, noise)| noise + scale * crate::math::exp(-(n as f64) / 40.0))
                .collect();
            let cut = mser5(&values).expect("it settles");
            let left = scale * crate::math::exp(-(cut as f64) / 40.0);
            assert!(left < 0.5, "a decay from {scale}: cut at {cut}, where {left} is left");
            assert!(cut >= last, "a larger start is not left out sooner");
            last = cut;
        }
        assert!(last >= 80, "{last}");
    }

    #[test]
    fn what_is_steady_loses_little() {
        let cuts: Vec<usize> = (0..100).map(|seed| mser5(&noise(seed, 500)).unwrap_or(500)).collect();
        let early = cuts.iter().filter(|&&cut| cut <= 100).count();
        assert!(early >= 80, "{early} of 100 steady series are cut in their first fifth: {cuts:?}");
        assert_eq!(mser5(&[3.0; 200]), Some(0), "nothing changes, so nothing is left out");
    }

    #[test]
    fn what_never_settles_is_refused() {
        let drift: Vec<f64> = noise(3, 500).iter().enumerate().map(|(n, x)| x + n as f64 * 0.05).collect();
        assert_eq!(mser5(&drift), None);
        let late: Vec<f64> =
            noise(4, 500).iter().enumerate().map(|(n, x)| x + if n < 350 { 9.0 } else { 0.0 }).collect();
        assert_eq!(mser5(&late), None, "it settles in its second half");
        assert_eq!(mser5(&noise(5, 99)), None, "too short");
        assert_eq!(mser5(&[]), None);
    }

    /// The definition, computed without any of the shortcuts.
    #[test]
    fn it_is_the_least_mser() {
        let values = noise(6, 400);
        let values: Vec<f64> =
            values.iter().enumerate().map(|(n, x)| x + 2.0 * crate::math::exp(-(n as f64) / 30.0)).collect();
        let z: Vec<f64> = values.chunks(5).map(|batch| batch.iter().sum::<f64>() / 5.0).collect();
        let mser = |d: usize| {
            let rest = &z[d..];
            let n = rest.len() as f64;
            let mean = rest.iter().sum::<f64>() / n;
            rest.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n * n)
        };
        let best = (0..=z.len() - 5).min_by(|a, b| mser(*a).total_cmp(&mser(*b))).unwrap();
        assert_eq!(mser5(&values), Some(best * 5));
    }
}
