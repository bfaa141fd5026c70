//! Standard exponential and normal variates by the ziggurat (Marsaglia and Tsang 2000), 256 layers.
//!
//! The area under the density is cut into 256 pieces of equal area: 255 horizontal strips and, at the
//! bottom, a strip with the tail. A word picks a piece by its low 8 bits and a place in it by its high 53;
//! no bit serves both. In 99 of 100 cases the place is under the curve whatever its height, and one
//! table look-up, one multiplication and one comparison were all. The other cases compare with the density,
//! by `libm`'s `exp`.
//!
//! The tables hold the right edge of each strip, from the widest (which stands for strip and tail together)
//! to 0. They are constants: a table computed when the program starts would change with whatever computes it.

use super::tables::{EXPONENTIAL, NORMAL};
use crate::math::exp;
use crate::stream::Words;

/// An exponential variate of mean 1. Takes one word in 99 of 100 cases, else more.
#[inline(always)]
pub fn standard_exponential<W: Words + ?Sized>(words: &mut W) -> f64 {
    let (layer, x) = exponential_try(words.next_u64());
    if x < EXPONENTIAL[layer + 1] { x } else { exponential_edge(words, layer, x) }
}

/// A normal variate of mean 0 and variance 1. Takes one word in 99 of 100 cases, else more.
#[inline]
pub fn standard_normal<W: Words + ?Sized>(words: &mut W) -> f64 {
    let (layer, x) = normal_try(words.next_u64());
    if x.abs() < NORMAL[layer + 1] { x } else { normal_edge(words, layer, x) }
}

#[inline]
fn exponential_try(word: u64) -> (usize, f64) {
    let layer = (word & 0xff) as usize;
    let place = (word >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0); // in [0, 1)
    (layer, place * EXPONENTIAL[layer])
}

#[inline]
fn normal_try(word: u64) -> (usize, f64) {
    let layer = (word & 0xff) as usize;
    let place = (word as i64 >> 11) as f64 * (1.0 / 4_503_599_627_370_496.0); // in [-1, 1)
    (layer, place * NORMAL[layer])
}

/// The place was not surely under the curve: look, and begin again if it is not.
#[cold]
#[inline(never)]
fn exponential_edge<W: Words + ?Sized>(words: &mut W, mut layer: usize, mut x: f64) -> f64 {
    let mut passed = 0.0;
    loop {
        if layer == 0 {
            // The tail of an exponential is an exponential that begins further out.
            passed += EXPONENTIAL[1];
        } else if under_the_curve(words, |x| exp(-x), &EXPONENTIAL, layer, x) {
            return passed + x;
        }
        (layer, x) = exponential_try(words.next_u64());
        if x < EXPONENTIAL[layer + 1] {
            return passed + x;
        }
    }
}

#[cold]
#[inline(never)]
fn normal_edge<W: Words + ?Sized>(words: &mut W, mut layer: usize, mut x: f64) -> f64 {
    loop {
        if layer == 0 {
            return normal_tail(words).copysign(x);
        }
        if under_the_curve(words, |x| exp(-0.5 * x * x), &NORMAL, layer, x) {
            return x;
        }
        (layer, x) = normal_try(words.next_u64());
        if x.abs() < NORMAL[layer + 1] {
            return x;
        }
    }
}

/// A normal variate given that it is beyond the last strip's edge (Marsaglia 1964).
fn normal_tail<W: Words + ?Sized>(words: &mut W) -> f64 {
    let edge = NORMAL[1];
    loop {
        let beyond = standard_exponential(words) / edge;
        if 2.0 * standard_exponential(words) > beyond * beyond {
            return edge + beyond;
        }
    }
}

/// Whether a place uniform in the strip's height is below the density at `x`.
fn under_the_curve<W: Words + ?Sized>(
    words: &mut W,
    density: impl Fn(f64) -> f64,
    edges: &[f64; 257],
    layer: usize,
    x: f64,
) -> bool {
    let (bottom, top) = (density(edges[layer]), density(edges[layer + 1]));
    bottom + words.unit() * (top - bottom) < density(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digester;
    use crate::math::{erfc, least, ln};
    use crate::stream::{Stream, Streams};
    use std::f64::consts::{PI, SQRT_2};

    /// The strips' right edges for a density that falls from 1 at 0, by its inverse and the area beyond.
    ///
    /// Every piece has the area of the bottom one, `edge * density(edge) + beyond(edge)`. Only one edge
    /// lets the last strip end at the density's top: the least that does not pass it, found by bisection.
    fn edges(density: fn(f64) -> f64, inverse: fn(f64) -> f64, beyond: fn(f64) -> f64) -> [f64; 257] {
        let build = |edge: f64| {
            let area = edge * density(edge) + beyond(edge);
            let mut edges = [0.0; 257];
            edges[0] = area / density(edge);
            edges[1] = edge;
            for layer in 1..256 {
                let top = density(edges[layer]) + area / edges[layer];
                if top > 1.0 {
                    return None;
                }
                edges[layer + 1] = inverse(top);
            }
            edges[256] = 0.0;
            Some(edges)
        };
        build(least(1.0, 20.0, |edge| build(edge).is_some())).expect("it was found")
    }

    fn exponential() -> [f64; 257] {
        edges(|x| exp(-x), |y| -ln(y), |x| exp(-x))
    }

    fn normal() -> [f64; 257] {
        edges(|x| exp(-0.5 * x * x), |y| (-2.0 * ln(y)).sqrt(), |x| (0.5 * PI).sqrt() * erfc(x / SQRT_2))
    }

    #[test]
    fn the_tables_are_what_the_pinned_libm_gives() {
        let bits = |edges: &[f64; 257]| edges.map(f64::to_bits);
        assert_eq!(bits(&EXPONENTIAL), bits(&exponential()));
        assert_eq!(bits(&NORMAL), bits(&normal()));
        // The last edges agree with the published ones.
        assert!((EXPONENTIAL[1] - 7.697_117_470_131_05).abs() < 1e-14);
        assert!((NORMAL[1] - 3.654_152_885_361_009).abs() < 1e-14);
    }

    #[test]
    fn the_tables_are_frozen() {
        let digest = |edges: &[f64; 257]| {
            let mut digest = Digester::new(0);
            edges.iter().for_each(|edge| digest.word(edge.to_bits()));
            digest.finish()
        };
        assert_eq!(digest(&EXPONENTIAL), 0xc2bf_f741_2662_c4e0);
        assert_eq!(digest(&NORMAL), 0x439e_a7a5_72be_c833);
    }

    #[test]
    fn every_piece_has_the_same_area() {
        for (edges, density) in
            [(&EXPONENTIAL, (|x| exp(-x)) as fn(f64) -> f64), (&NORMAL, |x| exp(-0.5 * x * x))]
        {
            let area = edges[0] * density(edges[1]);
            for layer in 1..256 {
                let piece = edges[layer] * (density(edges[layer + 1]) - density(edges[layer]));
                assert!((piece - area).abs() < 1e-12 * area, "{layer}: {piece} and {area}");
            }
        }
    }

    /// Rare, so looked at alone: how far beyond the edge, as a probability, must be uniform.
    #[test]
    fn tails_have_the_right_shape() {
        let n = 100_000;
        let mut words = Streams::new(3).stream("test", "tails");
        let mut check = |what: &str, beyond: &dyn Fn(&mut Stream) -> f64| {
            let p: Vec<f64> = (0..n).map(|_| beyond(&mut words)).collect();
            assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{what}");
            let mean = p.iter().sum::<f64>() / f64::from(n);
            let square = p.iter().map(|p| p * p).sum::<f64>() / f64::from(n);
            let error = 1.0 / f64::from(n).sqrt(); // of variances 1/12 and 4/45
            assert!((mean - 1.0 / 2.0).abs() < 4.0 * error * (1.0_f64 / 12.0).sqrt(), "{what}: {mean}");
            assert!((square - 1.0 / 3.0).abs() < 4.0 * error * (4.0_f64 / 45.0).sqrt(), "{what}: {square}");
        };
        check("exponential", &|words| exp(EXPONENTIAL[1] - exponential_edge(words, 0, EXPONENTIAL[0])));
        let above = |z: f64| erfc(z / SQRT_2) / erfc(NORMAL[1] / SQRT_2);
        check("normal, right", &|words| above(normal_edge(words, 0, NORMAL[0])));
        check("normal, left", &|words| above(-normal_edge(words, 0, -NORMAL[0])));
    }
}
