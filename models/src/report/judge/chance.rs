//! What chance alone does, counted exactly: so that one call an hour and a hundred thousand a second are judged alike.
//!
//! Nobody knows with what probability a call was served before the fault: what is known is how many were, of how many.
//! How few of the next are then to be expected is the beta-binomial law (Jeffreys' prior), and for calls per second,
//! where users wait for answers, the negative binomial. Both take in that few calls tell little, before and after.
//! Sums over a tail are bounded by the geometric series of their first two terms, which is at most too large.

use crate::report::edge::Calls;
use sim_core::math::{lgamma, ln, ln_1p};

/// Calls that were served, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Served {
    pub good: f64,
    pub of: f64,
}

impl Served {
    /// Those that ended well, of calls that have all ended.
    pub fn of(calls: &Calls) -> Served {
        Served { good: calls.ok() as f64, of: calls.ended.total() as f64 }
    }

    /// Both together.
    pub fn and(self, other: Served) -> Served {
        Served { good: self.good + other.good, of: self.of + other.of }
    }

    pub fn share(self) -> Option<f64> {
        (self.of > 0.0).then(|| self.good / self.of)
    }

    /// By how much so many lost are likelier with a share of their own than with the normal one; 0 if there are not more.
    pub fn excess(self, normal: Served) -> f64 {
        let usual = (normal.of - normal.good + 0.5) / (normal.of + 1.0);
        let lost = self.of - self.good;
        if self.of == 0.0 || lost <= usual * self.of {
            return 0.0;
        }
        let part =
            |count: f64, share: f64| if count > 0.0 { count * ln(count / (self.of * share)) } else { 0.0 };
        part(lost, usual) + part(self.good, 1.0 - usual)
    }

    /// Logarithm of the probability that no more of so many are served, if they are served as those before.
    pub fn chance(self, normal: Served) -> f64 {
        let (a, b) = (normal.good + 0.5, normal.of - normal.good + 0.5);
        let (k, n) = (self.good, self.of);
        let beta = |a: f64, b: f64| lgamma(a) + lgamma(b) - lgamma(a + b);
        let choose = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
        let term = choose + beta(a + k, b + n - k) - beta(a, b);
        // The next term down the tail, as a share of this one.
        let next = k * (b + n - k) / ((n - k + 1.0) * (a + k - 1.0));
        tail(term, if k > 0.0 { next } else { 0.0 })
    }
}

/// Logarithm of the probability of no more than `count` events in `time`, where there were `normal` in `normal_time`.
pub fn seldom(count: f64, time: f64, normal: f64, normal_time: f64) -> f64 {
    let r = normal + 0.5;
    let (here, there) = (time / (time + normal_time), normal_time / (time + normal_time));
    let term = lgamma(r + count) - lgamma(r) - lgamma(count + 1.0) + r * ln(there) + count * ln(here);
    let next = if count > 0.0 { count / ((r + count - 1.0) * here) } else { 0.0 };
    tail(term, next)
}

fn tail(term: f64, next: f64) -> f64 {
    if next < 1.0 { (term - ln_1p(-next)).min(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::math::exp;

    #[test]
    fn tails_are_those_of_small_cases() {
        let served = |good: u32, of: u32| Served { good: f64::from(good), of: f64::from(of) };
        // Nothing known: with Jeffreys' prior the next is lost as often as not.
        assert!((exp(served(0, 1).chance(served(0, 0))) - 0.5).abs() < 1e-12);
        // All of 99 served: the next four are all lost with (0.5 1.5 2.5 3.5) / (100 101 102 103).
        let four = exp(served(0, 4).chance(served(99, 99)));
        assert!((four / (6.5625 / 106_110_600.0) - 1.0).abs() < 1e-6, "{four}");
        // A large sample before is the binomial law: at most 90 of 100 at 98 % is 2.8e-5.
        let ten = exp(served(90, 100).chance(served(9_800_000, 10_000_000)));
        assert!((2.5e-5..4.5e-5).contains(&ten), "{ten}");
        assert_eq!(served(99, 100).chance(served(98, 100)), 0.0);
        // No more than more than could be expected is certain.
        assert_eq!(served(100, 100).chance(served(50, 100)), 0.0);
        assert_eq!(seldom(200.0, 1.0, 1e7, 1e5), 0.0);
        // Poisson: at most 70 where 100 are usual is 9.7e-4.
        let poisson = exp(seldom(70.0, 1.0, 1e7, 1e5));
        assert!((9e-4..1.6e-3).contains(&poisson), "{poisson}");
    }

    #[test]
    fn excess_is_largest_where_the_losses_end() {
        let normal = Served { good: 98.0, of: 100.0 };
        let until = |bad: f64, good: f64| Served { good, of: bad + good }.excess(normal);
        assert!(until(5.0, 0.0) > until(5.0, 1.0) && until(5.0, 0.0) > until(4.0, 0.0));
        assert_eq!(until(1.0, 99.0), 0.0);
    }
}
