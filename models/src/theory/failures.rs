//! How many of several are down at the same time: independent, or failing together in one of three senses of the word.
//!
//! A part that is up for a mean time `MTTF` and down for a mean time `MTTR` is down for `p = MTTR / (MTTF + MTTR)` of the time,
//! whatever the two distributions are (alternating renewal; Barlow and Proschan 1965). Of `n` independent ones as many are down as
//! the binomial says. "A correlation of 0.6" is said of three different things, which differ tenfold: four parts that are each
//! down 2 % of the time are all down 7.5e-3, 1.07e-3 or 1.2e-2 of the time.

use super::routing::binomial_pmf;
use sim_core::math::{exp, lgamma, normal_cdf, normal_quantile};

/// In which sense several fail together, and how much; from 0, independent, to 1, as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Together {
    /// Not at all.
    Independent,
    /// Of the downtime of each this share is that of all (Fleming 1975).
    BetaFactor(f64),
    /// Any two of them are down at the same time as two with this coefficient of correlation are (Pearson): the probability of being down is
    /// itself drawn for all, from a beta distribution.
    Pearson(f64),
    /// Each is down if a normal number falls below a threshold, and any two of these have this correlation (Li 2000).
    GaussianCopula(f64),
}

/// Two that are down for a share `p` of the time each, of which the common part is `beta p`: the share for which all are down for the
/// common reason, and that for which each is down for its own.
pub fn beta_parts(p: f64, beta: f64) -> (f64, f64) {
    let common = beta * p;
    (common, if common < 1.0 { (1.0 - beta) * p / (1.0 - common) } else { 0.0 })
}

impl Together {
    /// The chances that 0, 1, .. `n` are down, of `n` that are each down for a share `p` of the time.
    pub fn down(self, n: u32, p: f64) -> Vec<f64> {
        let binomial = |p: f64| (0..=n).map(|down| binomial_pmf(n, down, p)).collect::<Vec<f64>>();
        let as_one = |p: f64| {
            let mut chances = vec![0.0; n as usize + 1];
            (chances[0], chances[n as usize]) = (1.0 - p, p);
            chances
        };
        match self {
            Together::Pearson(1.0) | Together::GaussianCopula(1.0) => as_one(p),
            Together::Independent | Together::Pearson(0.0) | Together::GaussianCopula(0.0) => binomial(p),
            _ if p <= 0.0 || p >= 1.0 => binomial(p),
            Together::BetaFactor(beta) => {
                let (common, own) = beta_parts(p, beta);
                let mut chances: Vec<f64> = binomial(own).iter().map(|it| it * (1.0 - common)).collect();
                chances[n as usize] += common;
                chances
            }
            Together::Pearson(rho) => {
                let (a, b) = beta_shape(p, rho);
                let beta = |a: f64, b: f64| lgamma(a) + lgamma(b) - lgamma(a + b);
                let of = |k: u32| {
                    let (k, n) = (f64::from(k), f64::from(n));
                    let ways = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
                    exp(ways + beta(a + k, b + n - k) - beta(a, b))
                };
                (0..=n).map(of).collect()
            }
            Together::GaussianCopula(rho) => {
                // Over the factor that all have in common, which is normal; a smooth integrand that vanishes at both ends.
                const STEPS: i32 = 2_000;
                let (low, step) = (-9.0, 18.0 / f64::from(STEPS));
                let mut chances = vec![0.0; n as usize + 1];
                for at in 0..=STEPS {
                    let z = low + step * f64::from(at);
                    let weight = exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt() * step;
                    let given = copula_given(p, rho, z);
                    let all = (0..=n).map(|down| binomial_pmf(n, down, given));
                    chances.iter_mut().zip(all).for_each(|(sum, chance)| *sum += weight * chance);
                }
                chances
            }
        }
    }

    /// Where these chances come from.
    pub fn source(self) -> &'static str {
        match self {
            Together::Independent => "binomial",
            Together::BetaFactor(_) => "beta factor: Fleming",
            Together::Pearson(_) => "beta-binomial",
            Together::GaussianCopula(_) => "Gaussian copula",
        }
    }
}

/// The shape of the beta distribution from which a probability with mean `p` is drawn for all, so that any two have correlation `rho`.
pub fn beta_shape(p: f64, rho: f64) -> (f64, f64) {
    let spread = (1.0 - rho) / rho;
    (p * spread, (1.0 - p) * spread)
}

/// The chance of being down of each, given the normal factor that all have in common.
pub fn copula_given(p: f64, rho: f64, common: f64) -> f64 {
    normal_cdf((normal_quantile(p) - rho.sqrt() * common) / (1.0 - rho).sqrt())
}

/// Of independent ones: the chance that at least `needed` of `n` are up, each for a share `a` of the time.
pub fn k_of_n(n: u32, needed: u32, a: f64) -> f64 {
    (needed..=n).map(|up| binomial_pmf(n, up, a)).sum::<f64>().min(1.0)
}

/// The share of the time for which a part is down that is up for a mean time and down for another.
pub fn unavailability(mttf: f64, mttr: f64) -> f64 {
    mttr / (mttf + mttr)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of `correlated_all_fail.csv`: (p, n, rho, beta-binomial, Gaussian copula, beta factor as an exact mixture).
    #[test]
    fn all_fail_together_in_three_senses() {
        let table: [(f64, u32, f64, f64, f64, f64); 18] = [
            (0.001, 2, 0.1, 0.0001009, 2.83383129e-06, 0.000100810081),
            (0.001, 2, 0.3, 0.0003007, 1.490240822e-05, 0.000300490147),
            (0.001, 2, 0.5, 0.0005005, 5.425916819e-05, 0.0005002501251),
            (0.001, 2, 0.7, 0.0007003, 0.0001595891947, 0.000700090063),
            (0.001, 2, 0.9, 0.0009001, 0.0004406663193, 0.000900010009),
            (0.001, 2, 0.95, 0.00095005, 0.0005901047932, 0.0009500025024),
            (0.01, 2, 0.1, 0.00109, 0.0001926531685, 0.001081081081),
            (0.01, 2, 0.3, 0.00307, 0.0005563284889, 0.003049147442),
            (0.01, 2, 0.5, 0.00505, 0.001293924418, 0.005025125628),
            (0.01, 2, 0.7, 0.00703, 0.002668396489, 0.007009063444),
            (0.01, 2, 0.9, 0.00901, 0.005419709336, 0.009001009082),
            (0.01, 2, 0.95, 0.009505, 0.006699466551, 0.009500252398),
            (0.01, 3, 0.1, 0.0002071, 6.16182102e-06, 0.00100073046),
            (0.01, 3, 0.3, 0.001433453846, 7.107696377e-05, 0.003000345067),
            (0.01, 3, 0.5, 0.0033835, 0.0003657353085, 0.005000126259),
            (0.01, 3, 0.7, 0.005801817647, 0.001279357739, 0.007000027382),
            (0.01, 3, 0.9, 0.008540531579, 0.003954433419, 0.009000001018),
            (0.01, 3, 0.95, 0.009263719231, 0.005469201291, 0.009500000127),
        ];
        for (p, n, rho, pearson, copula, beta) in table {
            let all = |law: Together| law.down(n, p)[n as usize];
            let close = |found: f64, expected: f64, digits: f64, what: &str| {
                assert!(
                    (found / expected - 1.0).abs() < digits,
                    "{what} {p} {n} {rho}: {found} for {expected}"
                );
            };
            close(all(Together::Pearson(rho)), pearson, 1e-7, "pearson");
            close(all(Together::GaussianCopula(rho)), copula, 1e-5, "copula");
            close(all(Together::BetaFactor(rho)), beta, 1e-7, "beta");
            for law in [Together::Pearson(rho), Together::GaussianCopula(rho), Together::BetaFactor(rho)] {
                let chances = law.down(n, p);
                let (sum, mean) = chances.iter().zip(0..).fold((0.0, 0.0), |(sum, mean), (chance, down)| {
                    (sum + chance, mean + chance * f64::from(down))
                });
                assert!((sum - 1.0).abs() < 1e-9, "{law:?}: {sum}");
                assert!((mean / f64::from(n) - p).abs() < 1e-9, "{law:?}: each is down for {p}");
            }
        }
    }

    #[test]
    fn six_tenths_is_three_numbers() {
        let all = |law: Together| law.down(4, 0.02)[4];
        for (law, expected) in [
            (Together::Independent, 1.6e-7),
            (Together::Pearson(0.6), 7.5e-3),
            (Together::GaussianCopula(0.6), 1.07e-3),
            (Together::BetaFactor(0.6), 1.2e-2),
        ] {
            assert!((all(law) / expected - 1.0).abs() < 0.01, "{law:?}: {}", all(law));
        }
    }

    /// Rows of `k_of_n.csv`.
    #[test]
    fn enough_are_up() {
        let table = [
            (1, 1, 0.9, 0.9),
            (2, 1, 0.9, 0.99),
            (3, 2, 0.9, 0.972),
            (7, 4, 0.9, 0.997272),
            (4, 3, 0.9, 0.9477),
            (11, 10, 0.9, 0.6973568802),
            (12, 10, 0.9, 0.8891300223),
            (100, 100, 0.999, 0.904_792_147_1),
        ];
        for (n, needed, a, expected) in table {
            let found = k_of_n(n, needed, a);
            assert!((found - expected).abs() < 1e-9, "{needed} of {n}: {found}");
            let down = Together::Independent.down(n, 1.0 - a);
            let enough: f64 = down[..=(n - needed) as usize].iter().sum();
            assert!((enough - expected).abs() < 1e-9, "{needed} of {n}: {enough}");
        }
        assert_eq!(unavailability(999.0, 1.0), 0.001);
    }

    #[test]
    fn at_the_ends_all_is_independent_or_one() {
        let one =
            |rho: f64| [Together::Pearson(rho), Together::GaussianCopula(rho), Together::BetaFactor(rho)];
        for (rho, expected) in [(0.0, sim_core::math::powi(0.02, 4)), (1.0, 0.02)] {
            for law in one(rho) {
                let found = law.down(4, 0.02)[4];
                assert!((found - expected).abs() < 1e-12, "{law:?}: {found}");
            }
        }
    }
}
