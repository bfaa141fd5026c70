//! What is found in a cache that keeps so many of the things that are asked for, or each for so long.

use sim_core::math;

/// How many requests go by until one who was asked for now is the one that was asked for longest ago, of so many that are kept: the `T` with `sum
/// (1 - e^(-p_i T)) = capacity`, for things that are asked for independently with shares `p_i` (Che, Tung and Wang, "Hierarchical Web Caching
/// Systems", IEEE JSAC 20, 2002). Infinite if there is room for all.
pub fn che_time(shares: &[f64], capacity: f64) -> f64 {
    if capacity >= shares.iter().filter(|share| **share > 0.0).count() as f64 {
        return f64::INFINITY;
    }
    // What is kept grows ever more slowly, so Newton's steps come from below, and never too far.
    let mut time = capacity;
    loop {
        let (mut kept, mut grows) = (0.0, 0.0);
        for share in shares {
            let gone = math::exp(-share * time);
            kept += 1.0 - gone;
            grows += share * gone;
        }
        let next = time + (capacity - kept) / grows;
        if next <= time * (1.0 + 1e-13) {
            return time;
        }
        time = next;
    }
}

/// The share of requests that find what they ask for: `sum p_i (1 - e^(-p_i T))`, least recently used first out (Che's approximation; why it is so
/// good: Fricker, Robert and Roberts 2012).
pub fn lru_hit_ratio(shares: &[f64], capacity: f64) -> f64 {
    let time = che_time(shares, capacity);
    shares.iter().filter(|share| **share > 0.0).map(|share| share * (1.0 - math::exp(-share * time))).sum()
}

/// The same where each is kept for `ttl` from when it was fetched, and there is room for all: requests are Poisson with so many in a ttl in all.
/// `h / (1 + h)` with `h = p_i * requests` found until it ends.
pub fn ttl_hit_ratio(shares: &[f64], requests: f64) -> f64 {
    shares.iter().map(|share| share * (share * requests / (1.0 + share * requests))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    fn zipf(count: u32, exponent: f64) -> Vec<f64> {
        let weights: Vec<f64> = (1..=count).map(|rank| math::pow(f64::from(rank), -exponent)).collect();
        let all: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / all).collect()
    }

    /// `cache_zipf.csv`.
    #[test]
    fn as_tabulated() {
        for (count, exponent, capacity, time, ratio) in [
            (1000, 0.6, 10.0, 10.15154481, 0.02930954377),
            (1000, 0.8, 100.0, 133.8647327, 0.3777902213),
            (1000, 1.0, 50.0, 75.16178468, 0.4610384492),
            (1000, 1.2, 300.0, 1547.108593, 0.8843135584),
            (10_000, 0.8, 500.0, 653.3712221, 0.3311862337),
            (10_000, 1.0, 1000.0, 2352.17842, 0.6756017935),
            (10_000, 1.2, 3000.0, 27078.19957, 0.9339850168),
            (100_000, 0.6, 30_000.0, 44803.94756, 0.4987349261),
            (100_000, 1.2, 10_000.0, 84471.85016, 0.9175747198),
        ] {
            let shares = zipf(count, exponent);
            assert_close(che_time(&shares, capacity), time, (count, exponent, capacity));
            assert_close(lru_hit_ratio(&shares, capacity), ratio, (count, exponent, capacity));
        }
    }

    /// `cache_ttl_stampede.csv`, of one key.
    #[test]
    fn a_ttl_of_one_key() {
        for (requests, ratio) in
            [(0.1, 0.09090909091), (1.0, 0.5), (10.0, 0.9090909091), (60_000.0, 0.9999833336)]
        {
            assert_close(ttl_hit_ratio(&[1.0], requests), ratio, requests);
        }
    }

    #[test]
    fn room_for_all_and_for_a_part_of_equals() {
        assert_eq!(lru_hit_ratio(&[0.5, 0.5], 2.0), 1.0);
        assert_eq!(lru_hit_ratio(&[0.5, 0.5, 0.0], 2.0), 1.0, "nobody asks for the third");
        let even = vec![0.001; 1000];
        assert_close(lru_hit_ratio(&even, 300.0), 0.3, "even");
    }
}
