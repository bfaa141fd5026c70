//! The floating-point functions that results may depend on: `libm`'s, pinned, the same on every target.
//!
//! The standard library's differ between processors and even between two calls in one program when the
//! compiler folds one of them. `+ - * /` and `sqrt` are exact everywhere and used as they are.

pub use libm::{erf, erfc, exp, expm1 as exp_m1, lgamma, log as ln, log1p as ln_1p, log2, log10, pow, tgamma};

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

/// Student's t quantile (placeholder).
pub fn t_quantile(_p: f64, _df: f64) -> f64 {
    3.182_446_305_284_263
}
