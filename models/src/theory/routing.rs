//! Routing: who meets the server that remembers them.

use sim_core::math::{exp, lgamma, ln, ln_1p, powi};

fn shares(weights: &[f64]) -> impl Iterator<Item = f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(move |weight| weight / total)
}

/// The chance that two independently routed requests meet the same server: the sum of `w^2`, where `w` are the
/// weights over their sum. `1/N` for equal weights, its least.
pub fn same_server(weights: &[f64]) -> f64 {
    shares(weights).map(|share| share * share).sum()
}

/// The chance that at least one of `tries` independently routed callbacks meets the server of the request:
/// `1 - sum of w (1-w)^k`. With one try it is [`same_server`].
pub fn callback_returns(weights: &[f64], tries: u32) -> f64 {
    1.0 - shares(weights).map(|share| share * powi(1.0 - share, tries)).sum::<f64>()
}

/// The mean number of deliveries of a callback that is delivered up to `tries` times, routed anew each time, until
/// it meets the server of the request: the sum over `k < tries` of `sum of w (1-w)^k`, because the `k + 1`-th is
/// made if `k` have missed.
pub fn deliveries(weights: &[f64], tries: u32) -> f64 {
    (0..tries).map(|missed| 1.0 - callback_returns(weights, missed)).sum()
}

/// The chance of `successes` in `trials` independent trials: `C(n, k) p^k (1-p)^(n-k)`.
pub fn binomial_pmf(trials: u32, successes: u32, p: f64) -> f64 {
    if successes > trials {
        return 0.0;
    }
    let failures = trials - successes;
    // The two certain cases, whose logarithms do not exist.
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { trials };
        return if successes == certain { 1.0 } else { 0.0 };
    }
    let ln_factorial = |n: u32| lgamma(f64::from(n) + 1.0);
    let ln_choose = ln_factorial(trials) - ln_factorial(successes) - ln_factorial(failures);
    exp(ln_choose + f64::from(successes) * ln(p) + f64::from(failures) * ln_1p(-p))
}

/// Rows of the reference tables named in each test.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    /// callback_routing.csv: weights, success with 1, 2 and 3 callbacks, each routed anew.
    #[test]
    fn callbacks_return_as_often_as_the_weights_allow() {
        let ten = [
            0.8,
            0.2 / 9.0,
            0.2 / 9.0,
            0.2 / 9.0,
            0.2 / 9.0,
            0.2 / 9.0,
            0.2 / 9.0,
            0.2 / 9.0,
            0.2 / 9.0,
            0.2 / 9.0,
        ];
        for (weights, one, two, three) in [
            (&[0.5, 0.5][..], 0.5, 0.75, 0.875),
            (&[0.9, 0.1], 0.82, 0.91, 0.9262),
            (&[0.95, 0.05], 0.905, 0.9525, 0.9570125),
            (&[0.99, 0.01], 0.9802, 0.9901, 0.99029602),
            (&ten, 0.6444444444, 0.7767901235, 0.8066392318),
            (&[1.0; 3], 0.3333333333, 0.5555555556, 0.7037037037),
            (&[1.0; 4], 0.25, 0.4375, 0.578125),
            (&[1.0; 8], 0.125, 0.234375, 0.330078125),
            (&[1.0; 10], 0.1, 0.19, 0.271),
            (&[1.0; 20], 0.05, 0.0975, 0.142625),
            (&[1.0; 32], 0.03125, 0.0615234375, 0.09085083008),
            (&[1.0; 100], 0.01, 0.0199, 0.029701),
        ] {
            assert_close(same_server(weights), one, weights);
            for (tries, expected) in [(1, one), (2, two), (3, three)] {
                assert_close(callback_returns(weights, tries), expected, (weights, tries));
            }
        }
        assert_close(same_server(&[90.0, 10.0]), 0.82, "weights need not sum to 1");
        for (weights, tries, exact) in
            [(&[1.0, 1.0][..], 1, 1.0), (&[1.0, 1.0], 3, 1.75), (&[0.9, 0.1], 2, 1.18), (&[1.0; 10], 3, 2.71)]
        {
            assert_close(deliveries(weights, tries), exact, (weights, tries));
        }
        // Equal servers: a geometric number, cut off.
        assert_close(deliveries(&[1.0; 4], 1_000), 4.0, "without end");
    }

    /// callback_pmf_10_calls.csv: p, successes, probability.
    #[test]
    fn successes_are_binomial() {
        for (p, successes, probability) in [
            (0.5, 0, 0.0009765625),
            (0.5, 5, 0.24609375),
            (0.5, 8, 0.0439453125),
            (0.82, 0, 3.570467227e-08),
            (0.82, 3, 0.0004050702415),
            (0.82, 6, 0.06701814911),
            (0.82, 9, 0.3017151907),
            (0.82, 10, 0.1374480313),
            (0.1, 0, 0.3486784401),
            (0.1, 1, 0.387420489),
            (0.1, 7, 8.748e-06),
            (0.1, 10, 1e-10),
        ] {
            assert_close(binomial_pmf(10, successes, p), probability, (p, successes));
        }
        let total: f64 = (0..=500).map(|k| binomial_pmf(500, k, 0.3)).sum();
        assert_close(total, 1.0, "sum");
        assert_eq!(
            (binomial_pmf(4, 0, 0.0), binomial_pmf(4, 1, 0.0), binomial_pmf(4, 4, 1.0)),
            (1.0, 0.0, 1.0)
        );
        assert_eq!(binomial_pmf(4, 5, 0.5), 0.0);
    }
}
