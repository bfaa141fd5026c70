//! Sharing out by chance: arcs of a ring, and who has whom in common with another.

use sim_core::math::{exp, lgamma, powi};

/// How much the shares of `nodes` on a ring vary, over their mean, with so many points each: `sqrt((n-1)/(n v+1))`. Arcs between
/// uniform points are a flat Dirichlet distribution, and a share is the sum of `v` of them.
pub fn ring_share_cv(nodes: u32, vnodes: u32) -> f64 {
    let (n, v) = (f64::from(nodes), f64::from(vnodes));
    ((n - 1.0) / (n * v + 1.0)).sqrt()
}

/// How many ways there are to take `k` of `n`.
pub fn choose(n: u32, k: u32) -> f64 {
    if k > n {
        return 0.0;
    }
    let k = k.min(n - k);
    if k <= 64 {
        return (0..k).fold(1.0, |ways, taken| ways * f64::from(n - taken) / f64::from(taken + 1));
    }
    let ln_factorial = |n: u32| lgamma(f64::from(n) + 1.0);
    exp(ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k))
}

/// The chance that two who have `shard` of `workers` each, drawn independently, have `common` in common: hypergeometric,
/// `C(k,j) C(n-k,k-j) / C(n,k)`. With `common` as large as a shard it is the share of all that one can take down with it: `1 / C(n,k)`
/// (MacCarthaigh, "Workload isolation using shuffle-sharding").
pub fn shard_overlap(workers: u32, shard: u32, common: u32) -> f64 {
    if common > shard || shard > workers {
        return 0.0;
    }
    choose(shard, common) * choose(workers - shard, shard - common) / choose(workers, shard)
}

/// How many of `replicas` nobody knows, on average, if each of `clients` knows `size` of them by chance: `n (1 - k/n)^N`.
pub fn unknown_to_all(replicas: u32, size: u32, clients: u32) -> f64 {
    let n = f64::from(replicas);
    n * powi(1.0 - f64::from(size.min(replicas)) / n, clients)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    /// shuffle_sharding.csv: workers, shard size, different shards, overlap, its probability.
    #[test]
    fn overlaps_are_hypergeometric() {
        for (workers, size, shards, common, probability) in [
            (8, 1, 8.0, 0, 0.875),
            (8, 2, 28.0, 0, 0.5357142857),
            (8, 2, 28.0, 1, 0.4285714286),
            (8, 2, 28.0, 2, 0.03571428571),
            (8, 4, 70.0, 2, 0.5142857143),
            (16, 4, 1820.0, 0, 0.271978022),
            (16, 4, 1820.0, 3, 0.02637362637),
            (50, 5, 2118760.0, 4, 0.0001061941891),
            (100, 5, 75287520.0, 5, 1.328241387e-08),
            (2048, 4, 730862190080.0, 1, 0.007778184524),
            (2048, 4, 730862190080.0, 4, 1.368247001e-12),
        ] {
            assert_close(choose(workers, size), shards, (workers, size));
            assert_close(shard_overlap(workers, size, common), probability, (workers, size, common));
        }
        let sum: f64 = (0..=5).map(|common| shard_overlap(50, 5, common)).sum();
        assert_close(sum, 1.0, "sum");
        assert_eq!((shard_overlap(8, 2, 3), shard_overlap(2, 3, 1), choose(3, 4)), (0.0, 0.0, 0.0));
        // Two thirds of three: at least one is shared.
        assert_eq!(shard_overlap(3, 2, 0), 0.0);
        assert_close(choose(200, 100) / 9.054851465610328e58, 1.0, "many");
    }

    /// consistent_hash.csv: nodes, points, coefficient of variation.
    #[test]
    fn shares_of_a_ring_vary() {
        for (nodes, vnodes, cv) in [
            (2, 1, 0.5773502692),
            (3, 10, 0.254000254),
            (8, 128, 0.08263938705),
            (10, 100, 0.09482093119),
            (100, 1000, 0.03146410812),
        ] {
            assert_close(ring_share_cv(nodes, vnodes), cv, (nodes, vnodes));
        }
    }

    /// The SRE book's example: 300 clients that know 10 % of 300 replicas; and small ones by hand.
    #[test]
    fn some_may_be_known_to_nobody() {
        assert_close(unknown_to_all(4, 1, 2), 2.25, "4 (3/4)^2");
        assert_close(unknown_to_all(3, 3, 1), 0.0, "all");
        assert!(unknown_to_all(300, 30, 300) < 1e-11);
    }
}
