//! The floating-point functions that results may depend on: `libm`'s, pinned, the same on every target,
//! and the special functions that distributions and confidence intervals need, built on them.
//!
//! The standard library's differ between processors and even between two calls in one program when the
//! compiler folds one of them. `+ - * /` and `sqrt` are exact everywhere and used as they are.

pub use libm::{
    cos, erf, erfc, exp, expm1 as exp_m1, lgamma, log as ln, log1p as ln_1p, log2, log10, pow, sin, tgamma,
};
use std::f64::consts::{PI, SQRT_2};

/// `x` to a whole power by repeated squaring, in one fixed order of multiplications.
pub fn powi(mut x: f64, mut n: u32) -> f64 {
    let mut product = 1.0;
    while n > 0 {
        if n & 1 == 1 {
            product *= x;
        }
        x *= x;
        n >>= 1;
    }
    product
}

/// The standard normal's P(Z <= x).
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// The x with P(Z <= x) = `p` for a standard normal Z, to a few units in the last place: infinite at 0
/// and 1. Panics unless `p` is in 0..=1.
///
/// A rational guess (Abramowitz and Stegun 26.2.23, off by at most 4.5e-4) and two Halley steps, each of
/// which cubes the error.
pub fn normal_quantile(p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "a probability is between 0 and 1, not {p}");
    let (tail, sign) = if p < 0.5 { (p, 1.0) } else { (1.0 - p, -1.0) };
    if tail == 0.0 {
        return f64::NEG_INFINITY * sign;
    }
    if tail == 0.5 {
        return 0.0;
    }
    let t = (-2.0 * ln(tail)).sqrt();
    let guess =
        (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    let mut x = guess - t;
    for _ in 0..2 {
        // Near the middle the difference from one half is what has digits, in the tail the tail is.
        let excess =
            if tail > 0.25 { 0.5 * erf(x / SQRT_2) + (0.5 - tail) } else { 0.5 * erfc(-x / SQRT_2) - tail };
        let newton = excess * (2.0 * PI).sqrt() * exp(0.5 * x * x);
        x -= newton / (1.0 + 0.5 * x * newton);
    }
    x * sign
}

/// The regularised incomplete gamma functions (P, Q) at `x`, P + Q = 1: P is the probability that a gamma
/// variate of shape `a` and scale 1 is at most `x`. Both are given, so that either tail keeps its digits.
/// `a` is above 0, `x` at least 0.
///
/// Left of the mean by the power series, right of it by the continued fraction
/// (Abramowitz and Stegun 6.5.29 and 6.5.31).
pub fn gamma_p_q(a: f64, x: f64) -> (f64, f64) {
    debug_assert!(a > 0.0 && x >= 0.0, "gamma_p_q({a}, {x})");
    if x == 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let front = power_term(a, x);
    if x < a + 1.0 {
        let (mut sum, mut term, mut n) = (1.0, 1.0, a);
        while term > sum * f64::EPSILON * 0.25 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let p = (front * sum).min(1.0);
        (p, 1.0 - p)
    } else {
        let fraction = continued_fraction(x + 1.0 - a, |n| (n * (a - n), x + 2.0 * n + 1.0 - a));
        let q = (front * a / fraction).min(1.0);
        (1.0 - q, q)
    }
}

/// x^a e^-x / gamma(a + 1), without the cancellation that the logarithms of large powers would bring.
fn power_term(a: f64, x: f64) -> f64 {
    if a < STIRLING_FROM {
        return exp(a * ln(x) - x - lgamma(a + 1.0));
    }
    let off = (x - a) / a;
    let log = if off.abs() < 0.5 { ln_1p(off) } else { ln(x / a) };
    exp(-a * (off - log) - stirling_rest(a)) / (2.0 * PI * a).sqrt()
}

/// From here on Stirling's series with the four terms below is exact to double precision.
const STIRLING_FROM: f64 = 20.0;

/// ln gamma(z) - ((z - 1/2) ln z - z + ln(2 pi) / 2).
fn stirling_rest(z: f64) -> f64 {
    let square = z * z;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / z
}

/// The regularised incomplete beta function I_x(a, b), where `y` is 1 - x (given separately, so that
/// neither end loses its digits). `a` and `b` are above 0.
///
/// The continued fraction of Abramowitz and Stegun 26.5.8, on the side where it converges fast.
pub fn beta_i(a: f64, b: f64, x: f64, y: f64) -> f64 {
    debug_assert!(a > 0.0 && b > 0.0 && x >= 0.0 && y >= 0.0, "beta_i({a}, {b}, {x}, {y})");
    if x == 0.0 || y == 0.0 {
        return if x == 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_i_left(b, a, y, x);
    }
    beta_i_left(a, b, x, y)
}

fn beta_i_left(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let log = |x: f64, y: f64| if x > 0.5 { ln_1p(-y) } else { ln(x) };
    let front = exp(a * log(x, y) + b * log(y, x) - ln_beta(a, b)) / a;
    let fraction = continued_fraction(1.0, |n| {
        let m = (n * 0.5).floor();
        let numerator = if n % 2.0 == 1.0 { -(a + m) * (a + b + m) } else { m * (b - m) };
        (numerator * x / ((a + n - 1.0) * (a + n)), 1.0)
    });
    (front / fraction).clamp(0.0, 1.0)
}

fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, big) = (a.min(b), a.max(b));
    if big < STIRLING_FROM {
        return lgamma(a) + lgamma(b) - lgamma(a + b);
    }
    let sum = small + big;
    let rise = (big - 0.5) * ln_1p(small / big) + small * ln(sum) - small;
    lgamma(small) - (rise + stirling_rest(sum) - stirling_rest(big))
}

/// b0 + a1 / (b1 + a2 / (b2 + ..)) by Lentz's method; `term(n)` is (a_n, b_n).
fn continued_fraction(first: f64, term: impl Fn(f64) -> (f64, f64)) -> f64 {
    let nonzero = |v: f64| if v == 0.0 { 1e-300 } else { v };
    let (mut value, mut above, mut below, mut n) = (nonzero(first), nonzero(first), 0.0, 0.0);
    loop {
        n += 1.0;
        let (a, b) = term(n);
        below = 1.0 / nonzero(b + a * below);
        above = nonzero(b + a / above);
        let step = above * below;
        value *= step;
        if (step - 1.0).abs() <= f64::EPSILON || n > 1e6 {
            return value;
        }
    }
}

/// The t with P(T <= t) = `p` for Student's T with `df` degrees of freedom: what a confidence interval
/// from a few replications multiplies its standard error by. Relative error about 1e-13, from a million
/// degrees on 1e-11 and slowly more; infinite at 0 and 1. Panics unless `p` is in 0..=1 and `df` above 0.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "a probability is between 0 and 1, not {p}");
    assert!(df > 0.0 && df < f64::INFINITY, "degrees of freedom are finite and above 0, not {df}");
    let (tail, sign) = if p < 0.5 { (p, -1.0) } else { (1.0 - p, 1.0) };
    if tail == 0.5 {
        return 0.0;
    }
    if tail == 0.0 {
        return f64::INFINITY * sign;
    }
    let reached = |t: f64| {
        let ratio = t * t / df;
        let outside = 1.0 / (1.0 + ratio);
        let inside = if ratio < 1.0 { ratio / (1.0 + ratio) } else { 1.0 / (1.0 + 1.0 / ratio) };
        if tail < 0.25 {
            beta_i(0.5 * df, 0.5, outside, inside) <= 2.0 * tail
        } else {
            beta_i(0.5, 0.5 * df, inside, outside) >= 2.0 * (0.5 - tail)
        }
    };
    sign * least(0.0, first_doubling(1.0, reached), reached)
}

/// The first of `start`, 2 `start`, 4 `start`, .. that has `reached`.
pub(crate) fn first_doubling(start: f64, reached: impl Fn(f64) -> bool) -> f64 {
    let mut x = start;
    while x < f64::MAX && !reached(x) {
        x = (2.0 * x).min(f64::MAX);
    }
    x
}

/// The least number in `low..=high` that has `reached`, which stays true once true and holds at `high`.
/// `low` is at least 0. Bisects the bit patterns, which order like the numbers: at most 64 steps down to
/// neighbouring floats, whatever their magnitude.
pub(crate) fn least(low: f64, high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low.to_bits(), high.to_bits());
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(f64::from_bits(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    f64::from_bits(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, StudentsT};
    use statrs::function::{beta::beta_reg, gamma::gamma_lr};

    fn assert_close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
        assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} and {theirs}");
    }

    #[test]
    fn powers() {
        assert_eq!(powi(3.0, 0), 1.0);
        assert_eq!(powi(3.0, 5), 243.0);
        assert_eq!(powi(-2.0, 11), -2048.0);
    }

    #[test]
    fn normal_quantiles() {
        // Published to 16 digits and more: the 90 %, 95 %, 99 % two-sided points, and six sigma's tail.
        for (p, x) in [
            (0.95, 1.644_853_626_951_472_2),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_841),
            (0.995, 2.575_829_303_548_900_4),
        ] {
            assert_close(normal_quantile(p), x, 1e-15, "p");
            assert_close(normal_quantile(1.0 - p), -x, 1e-14, "1 - p");
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
    }

    #[test]
    fn the_normal_quantile_inverts_the_cdf() {
        let mut p = 1e-300;
        while p < 0.5 {
            assert_close(normal_cdf(normal_quantile(p)), p, 1e-12, "cdf of quantile");
            p *= 1.7;
        }
        for x in [1e-9, 1e-4, 0.1, 0.6, 0.7, 1.0, 3.0, 5.0] {
            let p = normal_cdf(x);
            // What rounding p to a float already loses: half a unit over the density.
            let lost = f64::EPSILON * (2.0 * PI).sqrt() * exp(0.5 * x * x);
            assert!((normal_quantile(p) - x).abs() <= lost + 4.0 * f64::EPSILON * x, "{x}");
        }
    }

    #[test]
    fn incomplete_gamma_agrees_with_statrs() {
        for a in [0.05, 0.5, 1.0, 2.5, 7.0, 19.9, 20.1, 150.0, 3000.0] {
            for factor in [0.01, 0.3, 0.9, 1.0, 1.1, 2.0, 5.0] {
                let (p, q) = gamma_p_q(a, a * factor);
                let theirs = gamma_lr(a, a * factor);
                assert!((p - theirs).abs() < 1e-10 * theirs + 1e-300, "P({a}, {factor} a): {p} and {theirs}");
                assert!((p + q - 1.0).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn incomplete_gamma_has_its_closed_forms() {
        for x in [1e-9, 0.1, 1.0, 1.9, 2.1, 30.0, 300.0] {
            assert_close(gamma_p_q(1.0, x).0, -exp_m1(-x), 1e-14, "P(1, x)");
            assert_close(gamma_p_q(1.0, x).1, exp(-x), 1e-13, "Q(1, x)");
            assert_close(gamma_p_q(0.5, x).0, erf(x.sqrt()), 1e-13, "P(1/2, x)");
            assert_close(gamma_p_q(0.5, x).1, erfc(x.sqrt()), 1e-13, "Q(1/2, x)");
        }
        // A sum of 1000 exponentials is at most 1000 when a Poisson count of mean 1000 is at least 1000.
        let mut below = 0.0;
        let mut term = exp(1000.0 * ln(1000.0) - 1000.0 - lgamma(1001.0));
        for k in (1..=1000).rev() {
            term *= f64::from(k) / 1000.0;
            below += term;
        }
        assert_close(gamma_p_q(1000.0, 1000.0).1, below, 1e-11, "Poisson");
    }

    #[test]
    fn incomplete_beta_agrees_with_statrs() {
        for (a, b) in [(0.5, 4.5), (4.5, 0.5), (2.0, 3.0), (30.0, 0.5), (0.5, 500.0)] {
            for x in [0.001, 0.2, 0.5, 0.9, 0.999] {
                let (ours, theirs) = (beta_i(a, b, x, 1.0 - x), beta_reg(a, b, x));
                assert!((ours - theirs).abs() < 1e-10 * theirs, "I_{x}({a}, {b}): {ours} and {theirs}");
            }
        }
    }

    #[test]
    fn t_quantiles() {
        assert_close(t_quantile(0.975, 9.0), 2.262_157_162_798_203_6, 1e-14, "t(0.975, 9)");
        for p in [1e-9_f64, 0.01, 0.3, 0.49, 0.500001, 0.6, 0.74, 0.76, 0.975, 0.9999] {
            // One degree of freedom is Cauchy's distribution, and two have a closed form as well.
            let middle = (p - 0.5).abs() < 0.25;
            let cauchy = if middle { libm::tan(PI * (p - 0.5)) } else { -1.0 / libm::tan(PI * p) };
            assert_close(t_quantile(p, 1.0), cauchy, 1e-11, "df 1");
            assert_close(t_quantile(p, 2.0), (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt(), 1e-12, "df 2");
            // So near the middle statrs itself has only 8 digits.
            for df in [3.0, 9.0, 29.0, 1000.0].into_iter().filter(|_| p != 0.500001) {
                let theirs = StudentsT::new(0.0, 1.0, df).unwrap().cdf(t_quantile(p, df));
                assert_close(theirs, p, 1e-9, "cdf of quantile");
            }
        }
        assert_close(t_quantile(0.75, 1.0), 1.0, 1e-14, "Cauchy's quartile");
        assert_eq!(t_quantile(0.5, 7.0), 0.0);
        assert_eq!(t_quantile(0.875, 7.0), -t_quantile(0.125, 7.0));
        assert_eq!(t_quantile(1.0, 7.0), f64::INFINITY);
    }

    #[test]
    fn many_degrees_of_freedom_are_nearly_normal() {
        // Cornish and Fisher: t = z + (z^3 + z) / (4 df) + ..
        let z = normal_quantile(0.975);
        for df in [1e4, 1e6] {
            let expected = z
                + (powi(z, 3) + z) / (4.0 * df)
                + (5.0 * powi(z, 5) + 16.0 * powi(z, 3) + 3.0 * z) / (96.0 * df * df);
            assert_close(t_quantile(0.975, df), expected, 1e-11, "t");
        }
    }

    #[test]
    fn the_least_float_is_found() {
        assert_eq!(least(0.0, 10.0, |x| x >= 0.1), 0.1);
        assert_eq!(least(0.0, f64::MAX, |x| x > 1.0), 1.0 + f64::EPSILON);
        assert_eq!(first_doubling(1.0, |x| x > 9.0), 16.0);
    }
}
