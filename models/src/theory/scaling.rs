//! The universal scalability law: what more workers at once buy, and what they cost each other.

/// `C(N) = N / (1 + alpha (N - 1) + beta N (N - 1))`: the throughput of `N` at once, as a multiple of that of
/// one. Contention (`alpha`) is what all wait for in turn, Amdahl's serial share, and levels the curve off at
/// `1 / alpha`; coherency (`beta`) is what each must tell every other, and bends it down. Source: Gunther 1993.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usl {
    /// Contention, alpha.
    pub contention: f64,
    /// Coherency, beta.
    pub coherency: f64,
}

impl Usl {
    /// How many times longer work takes with `n` at once: `1 + alpha (n - 1) + beta n (n - 1)`.
    #[inline]
    pub fn stretch(&self, n: f64) -> f64 {
        1.0 + (n - 1.0) * (self.contention + self.coherency * n)
    }

    /// `C(n)`: throughput in units of one alone.
    pub fn capacity(&self, n: f64) -> f64 {
        n / self.stretch(n)
    }

    /// Where throughput is highest: `sqrt((1 - alpha) / beta)`, `INFINITY` without coherency.
    pub fn peak(&self) -> f64 {
        if self.coherency > 0.0 {
            ((1.0 - self.contention).max(0.0) / self.coherency).sqrt()
        } else {
            f64::INFINITY
        }
    }

    /// The most throughput there can be: that at the peak, `1 / alpha` without coherency.
    pub fn capacity_at_peak(&self) -> f64 {
        let peak = self.peak();
        if peak.is_finite() { self.capacity(peak) } else { 1.0 / self.contention }
    }

    /// The law that lies closest to measured `(n, throughput)`.
    ///
    /// `n / X = (1 + alpha (n-1) + beta n (n-1)) / X(1)` is linear in `1/X(1)`, `alpha/X(1)` and `beta/X(1)`: least
    /// squares of the relative errors (each point weighs the same), and standard errors from what is left over,
    /// carried to the ratios. `None` unless there are four points of at least three sizes.
    pub fn fit(points: &[(f64, f64)]) -> Option<UslFit> {
        if points.len() < 4 || points.iter().any(|&(n, x)| !(n >= 1.0 && x > 0.0 && (n / x).is_finite())) {
            return None;
        }
        // Rows and right-hand side divided by n / X, so that a relative error counts the same everywhere.
        let rows: Vec<[f64; 3]> =
            points.iter().map(|&(n, x)| [1.0, n - 1.0, n * (n - 1.0)].map(|term| term * x / n)).collect();
        let mut normal = [[0.0; 3]; 3];
        let mut right = [0.0; 3];
        for row in &rows {
            for (i, line) in normal.iter_mut().enumerate() {
                line.iter_mut().zip(row).for_each(|(sum, term)| *sum += row[i] * term);
                right[i] += row[i];
            }
        }
        let inverse = inverse(normal)?;
        let [one, alpha, beta] = [0, 1, 2].map(|i| (0..3).map(|j| inverse[i][j] * right[j]).sum::<f64>());
        let fitted = |row: &[f64; 3]| row[0] * one + row[1] * alpha + row[2] * beta;
        let left_over: f64 = rows.iter().map(|row| (1.0 - fitted(row)) * (1.0 - fitted(row))).sum();
        let variance = left_over / (points.len() - 3) as f64;
        // Of b / a: (var b - 2 (b/a) cov + (b/a)^2 var a) / a^2.
        let error = |of: usize, ratio: f64| {
            let spread = inverse[of][of] - 2.0 * ratio * inverse[0][of] + ratio * ratio * inverse[0][0];
            (variance * spread.max(0.0)).sqrt() / one
        };
        let law = Usl { contention: alpha / one, coherency: beta / one };
        let finite = one > 0.0 && law.contention.is_finite() && law.coherency.is_finite();
        finite.then(|| UslFit {
            alone: 1.0 / one,
            contention_error: error(1, law.contention),
            coherency_error: error(2, law.coherency),
            law,
        })
    }
}

/// A fitted [`Usl`].
#[derive(Clone, Copy, Debug)]
pub struct UslFit {
    /// The law.
    pub law: Usl,
    /// Throughput of one alone.
    pub alone: f64,
    /// Standard error of the contention.
    pub contention_error: f64,
    /// Standard error of the coherency.
    pub coherency_error: f64,
}

/// The inverse of a symmetric matrix, scaled to a diagonal of 1 first; `None` if it has none.
fn inverse(matrix: [[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let scale = [0, 1, 2].map(|i: usize| matrix[i][i].sqrt());
    if scale.iter().any(|scale| *scale <= 0.0 || scale.is_nan()) {
        return None;
    }
    // Gauss and Jordan on the matrix beside the identity; no pivoting, because it is positive definite.
    let mut work = [[0.0; 6]; 3];
    for i in 0..3 {
        for j in 0..3 {
            work[i][j] = matrix[i][j] / (scale[i] * scale[j]);
        }
        work[i][3 + i] = 1.0;
    }
    for i in 0..3 {
        let pivot = work[i][i];
        if pivot <= 1e-13 || pivot.is_nan() {
            return None;
        }
        work[i].iter_mut().for_each(|entry| *entry /= pivot);
        let line = work[i];
        for (_, other) in work.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            let factor = other[i];
            other.iter_mut().zip(line).for_each(|(entry, of)| *entry -= factor * of);
        }
    }
    Some([0, 1, 2].map(|i| [0, 1, 2].map(|j| work[i][3 + j] / (scale[i] * scale[j]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    /// usl.csv, all rows: alpha, beta, N, capacity, efficiency, peak, capacity there.
    #[rustfmt::skip]
    const USL: &[(f64, f64, u32, f64, f64, f64, f64)] = &[
        (0.0, 0.0, 1, 1.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 2, 2.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 4, 4.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 8, 8.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 16, 16.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 32, 32.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 64, 64.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 100, 100.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 128, 128.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.0, 0.0, 256, 256.0, 1.0, f64::INFINITY, f64::INFINITY),
        (0.05, 0.0, 1, 1.0, 1.0, f64::INFINITY, 20.0),
        (0.05, 0.0, 2, 1.904761905, 0.9523809524, f64::INFINITY, 20.0),
        (0.05, 0.0, 4, 3.47826087, 0.8695652174, f64::INFINITY, 20.0),
        (0.05, 0.0, 8, 5.925925926, 0.7407407407, f64::INFINITY, 20.0),
        (0.05, 0.0, 16, 9.142857143, 0.5714285714, f64::INFINITY, 20.0),
        (0.05, 0.0, 32, 12.54901961, 0.3921568627, f64::INFINITY, 20.0),
        (0.05, 0.0, 64, 15.42168675, 0.2409638554, f64::INFINITY, 20.0),
        (0.05, 0.0, 100, 16.80672269, 0.1680672269, f64::INFINITY, 20.0),
        (0.05, 0.0, 128, 17.41496599, 0.1360544218, f64::INFINITY, 20.0),
        (0.05, 0.0, 256, 18.61818182, 0.07272727273, f64::INFINITY, 20.0),
        (0.03, 0.0001, 1, 1.0, 1.0, 98.48857802, 20.16221892),
        (0.03, 0.0001, 2, 1.941370608, 0.9706853038, 98.48857802, 20.16221892),
        (0.03, 0.0001, 4, 3.66568915, 0.9164222874, 98.48857802, 20.16221892),
        (0.03, 0.0001, 8, 6.581112208, 0.822639026, 98.48857802, 20.16221892),
        (0.03, 0.0001, 16, 10.85481682, 0.6784260516, 98.48857802, 20.16221892),
        (0.03, 0.0001, 32, 15.76976148, 0.4928050463, 98.48857802, 20.16221892),
        (0.03, 0.0001, 64, 19.43398518, 0.3036560185, 98.48857802, 20.16221892),
        (0.03, 0.0001, 100, 20.16129032, 0.2016129032, 98.48857802, 20.16221892),
        (0.03, 0.0001, 128, 19.8893654, 0.1553856672, 98.48857802, 20.16221892),
        (0.03, 0.0001, 256, 16.86651733, 0.06588483331, 98.48857802, 20.16221892),
        (0.05, 0.001, 1, 1.0, 1.0, 30.82207001, 9.037984296),
        (0.05, 0.001, 2, 1.901140684, 0.9505703422, 30.82207001, 9.037984296),
        (0.05, 0.001, 4, 3.442340792, 0.8605851979, 30.82207001, 9.037984296),
        (0.05, 0.001, 8, 5.689900427, 0.7112375533, 30.82207001, 9.037984296),
        (0.05, 0.001, 16, 8.040201005, 0.5025125628, 30.82207001, 9.037984296),
        (0.05, 0.001, 32, 9.034443817, 0.2823263693, 30.82207001, 9.037984296),
        (0.05, 0.001, 64, 7.822048399, 0.1222195062, 30.82207001, 9.037984296),
        (0.05, 0.001, 100, 6.309148265, 0.06309148265, 30.82207001, 9.037984296),
        (0.05, 0.001, 128, 5.42235025, 0.04236211133, 30.82207001, 9.037984296),
        (0.05, 0.001, 256, 3.239276224, 0.01265342275, 30.82207001, 9.037984296),
        (0.1, 0.01, 1, 1.0, 1.0, 9.486832981, 3.574790667),
        (0.1, 0.01, 2, 1.785714286, 0.8928571429, 9.486832981, 3.574790667),
        (0.1, 0.01, 4, 2.816901408, 0.7042253521, 9.486832981, 3.574790667),
        (0.1, 0.01, 8, 3.539823009, 0.4424778761, 9.486832981, 3.574790667),
        (0.1, 0.01, 16, 3.265306122, 0.2040816327, 9.486832981, 3.574790667),
        (0.1, 0.01, 32, 2.282453638, 0.07132667618, 9.486832981, 3.574790667),
        (0.1, 0.01, 64, 1.343973121, 0.02099958001, 9.486832981, 3.574790667),
        (0.1, 0.01, 100, 0.9099181074, 0.009099181074, 9.486832981, 3.574790667),
        (0.1, 0.01, 128, 0.7261999319, 0.005673436968, 9.486832981, 3.574790667),
        (0.1, 0.01, 256, 0.3768585308, 0.001472103636, 9.486832981, 3.574790667),
        (0.02, 2e-05, 1, 1.0, 1.0, 221.3594362, 34.68082506),
        (0.02, 2e-05, 2, 1.960707423, 0.9803537116, 221.3594362, 34.68082506),
        (0.02, 2e-05, 4, 3.772730702, 0.9431826756, 221.3594362, 34.68082506),
        (0.02, 2e-05, 8, 7.010656197, 0.8763320247, 221.3594362, 34.68082506),
        (0.02, 2e-05, 16, 12.2624157, 0.766400981, 221.3594362, 34.68082506),
        (0.02, 2e-05, 32, 19.51409894, 0.6098155918, 221.3594362, 34.68082506),
        (0.02, 2e-05, 64, 27.34294894, 0.4272335771, 221.3594362, 34.68082506),
        (0.02, 2e-05, 100, 31.46633103, 0.3146633103, 221.3594362, 34.68082506),
        (0.02, 2e-05, 128, 33.11669495, 0.2587241793, 221.3594362, 34.68082506),
        (0.02, 2e-05, 256, 34.5684347, 0.135032948, 221.3594362, 34.68082506),
    ];

    #[test]
    fn the_law_agrees() {
        for &(contention, coherency, n, capacity, efficiency, peak, most) in USL {
            let law = Usl { contention, coherency };
            let n = f64::from(n);
            assert_close(law.capacity(n), capacity, (law, n));
            assert_close(1.0 / law.stretch(n), efficiency, (law, n));
            for (found, expected) in [(law.peak(), peak), (law.capacity_at_peak(), most)] {
                if expected.is_finite() {
                    assert_close(found, expected, law);
                } else {
                    assert_eq!(found, expected, "{law:?}");
                }
            }
            assert!(law.capacity(n) <= most * (1.0 + 1e-12), "nothing is above the peak");
        }
    }

    #[test]
    fn a_fit_finds_the_law_that_made_the_points() {
        for (contention, coherency) in [(0.0, 0.0), (0.05, 0.0), (0.03, 1e-4), (0.1, 0.01), (0.02, 2e-5)] {
            let law = Usl { contention, coherency };
            let points: Vec<(f64, f64)> = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
                .iter()
                .map(|&n| (n, 700.0 * law.capacity(n)))
                .collect();
            let fit = Usl::fit(&points).unwrap();
            assert!((fit.law.contention - contention).abs() < 1e-11, "{law:?}: {fit:?}");
            assert!((fit.law.coherency - coherency).abs() < 1e-12, "{law:?}: {fit:?}");
            assert!((fit.alone / 700.0 - 1.0).abs() < 1e-9 && fit.contention_error < 1e-9);
        }
        assert!(Usl::fit(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]).is_none(), "no point is left over");
        assert!(Usl::fit(&[(2.0, 1.0); 9]).is_none(), "one size only");
        assert!(Usl::fit(&[(1.0, 1.0), (2.0, 0.0), (3.0, 3.0), (4.0, 4.0)]).is_none(), "nothing was done");
    }

    /// With noise of 1 % on each point the estimates scatter as the fit says: 400 fits, whose errors in units of
    /// their own standard error have a mean square near that of Student's t (4 degrees of freedom left: 2).
    #[test]
    fn a_fit_knows_its_errors() {
        let law = Usl { contention: 0.05, coherency: 0.001 };
        let mut words = sim_core::Streams::new(1).stream("test", "usl");
        let (mut squares, mut beyond) = ([0.0; 2], 0);
        for _ in 0..400 {
            let mut noisy =
                |n: f64| (n, law.capacity(n) * (1.0 + 0.01 * sim_core::sampler::standard_normal(&mut words)));
            let points = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0].map(&mut noisy);
            let fit = Usl::fit(&points).unwrap();
            let off = [
                (fit.law.contention - law.contention) / fit.contention_error,
                (fit.law.coherency - law.coherency) / fit.coherency_error,
            ];
            squares.iter_mut().zip(off).for_each(|(sum, off)| *sum += off * off / 400.0);
            // Student's t of 4 degrees of freedom is beyond 2.776 in 5 % of all cases.
            beyond += off.iter().filter(|off| off.abs() > 2.776).count();
        }
        assert!(squares.iter().all(|square| (1.2..3.5).contains(square)), "{squares:?}");
        assert!((20..=62).contains(&beyond), "{beyond} of 800 beyond the 95 % interval");
    }
}
