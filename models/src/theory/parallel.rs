//! Waiting for all of several at once: the slowest decides.

use sim_core::math::{exp_m1, ln, ln_1p};

/// `H(n) = 1 + 1/2 + .. + 1/n`: the mean of the largest of `n` independent exponential times, in means.
pub fn harmonic(n: u32) -> f64 {
    (1..=n).rev().map(|k| 1.0 / f64::from(k)).sum()
}

/// The time that a share `p` of the largest of `n` independent exponential times does not exceed, in means:
/// `-ln(1 - p^(1/n))`.
pub fn exponential_max_quantile(n: u32, p: f64) -> f64 {
    -ln(-exp_m1(ln(p) / f64::from(n)))
}

/// The chance that at least one of `n` independent answers is slow, if each is with `p_slow`: `1 - (1-p)^n`.
/// Source: Dean and Barroso 2013 (1 in 100 on 100 servers: 63 %).
pub fn any_slow(n: u32, p_slow: f64) -> f64 {
    -exp_m1(f64::from(n) * ln_1p(-p_slow))
}

/// Fork and join: Poisson arrivals send one task to each of `queues` equal M/M/1 queues and wait for all.
#[derive(Clone, Copy, Debug)]
pub struct ForkJoin {
    /// Queues, and tasks of each arrival.
    pub queues: u32,
    /// Offered load of each, below 1.
    pub utilisation: f64,
    /// Mean service time.
    pub service_mean: f64,
}

impl ForkJoin {
    /// Mean time until the last task is done.
    ///
    /// Two queues: `(12 - rho) / (8 (1 - rho))` service times, exact (Flatto and Hahn 1984). More: that times
    /// `H(n)/H(2) + 4/11 (1 - H(n)/H(2)) rho`, an approximation within 5 % (Nelson and Tantawi 1988).
    pub fn mean_response(&self) -> f64 {
        let rho = self.utilisation;
        if rho >= 1.0 {
            return f64::INFINITY;
        }
        if self.queues <= 1 {
            return self.service_mean / (1.0 - rho);
        }
        let two = (12.0 - rho) / (8.0 * (1.0 - rho));
        let more = harmonic(self.queues) / 1.5;
        self.service_mean * two * (more + 4.0 / 11.0 * (1.0 - more) * rho)
    }

    /// Whether [`mean_response`](Self::mean_response) is exact.
    pub fn is_exact(&self) -> bool {
        self.queues <= 2
    }

    /// What it would be at most: `H(n) / (1 - rho)` service times, if the queues were independent.
    pub fn independent(&self) -> f64 {
        if self.utilisation >= 1.0 {
            return f64::INFINITY;
        }
        self.service_mean * harmonic(self.queues) / (1.0 - self.utilisation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    /// fork_join_mm1.csv, all rows: n, rho, mean response, upper bound.
    #[test]
    fn fork_join_agrees() {
        for (queues, utilisation, response, bound) in [
            (2, 0.3, 2.089285714, 2.142857143),
            (3, 0.3, 2.502922078, 2.619047619),
            (4, 0.3, 2.813149351, 2.976190476),
            (8, 0.3, 3.600535714, 3.882653061),
            (16, 0.3, 4.42309942, 4.829612847),
            (32, 0.3, 5.264145661, 5.797850279),
            (2, 0.5, 2.875, 3.0),
            (3, 0.5, 3.397727273, 3.666666667),
            (4, 0.5, 3.789772727, 4.166666667),
            (8, 0.5, 4.784821429, 5.435714286),
            (16, 0.5, 5.824325012, 6.761457986),
            (32, 0.5, 6.887185647, 8.116990391),
            (2, 0.7, 4.708333333, 5.0),
            (3, 0.7, 5.488299663, 6.111111111),
            (4, 0.7, 6.073274411, 6.944444444),
            (8, 0.7, 7.557996032, 9.05952381),
            (16, 0.7, 9.109049205, 11.26909664),
            (32, 0.7, 10.69495366, 13.52831732),
            (2, 0.8, 7.0, 7.5),
            (3, 0.8, 8.103030303, 9.166666667),
            (4, 0.8, 8.93030303, 10.41666667),
            (8, 0.8, 11.03, 13.58928571),
            (16, 0.8, 13.22350321, 16.90364497),
            (32, 0.8, 15.46629319, 20.29247598),
            (2, 0.9, 13.875, 15.0),
            (3, 0.9, 15.94924242, 18.33333333),
            (4, 0.9, 17.50492424, 20.83333333),
            (8, 0.9, 21.45339286, 27.17857143),
            (16, 0.9, 25.5782636, 33.80728993),
            (32, 0.9, 29.79581783, 40.58495195),
            (2, 0.95, 27.625, 30.0),
            (3, 0.95, 31.64318182, 36.66666667),
            (4, 0.95, 34.65681818, 41.66666667),
            (8, 0.95, 42.30571429, 54.35714286),
            (16, 0.95, 50.29633314, 67.61457986),
            (32, 0.95, 58.46649663, 81.16990391),
        ] {
            let join = ForkJoin { queues, utilisation, service_mean: 1.0 };
            assert_close(join.mean_response(), response, join);
            assert_close(join.independent(), bound, join);
            assert!(join.mean_response() < join.independent());
        }
        assert_eq!(ForkJoin { queues: 1, utilisation: 0.5, service_mean: 2.0 }.mean_response(), 4.0);
        let flooded = ForkJoin { queues: 3, utilisation: 1.0, service_mean: 2.0 };
        assert_eq!((flooded.mean_response(), flooded.independent()), (f64::INFINITY, f64::INFINITY));
    }

    /// fanout_max_of_n.csv, all rows: n, mean of the largest of n exponentials, its p50 p95 p99 p999, and the chance
    /// that any is slower than 1 in 100, 1,000, 10,000.
    #[test]
    #[rustfmt::skip]
    #[allow(clippy::approx_constant)]
    fn the_slowest_of_n_agrees() {
        for (n, mean, quantiles, slow) in [
            (1, 1.0, [0.6931471806, 2.995732274, 4.605170186, 6.907755279], [0.01, 0.001, 0.0001]),
            (2, 1.5, [1.227947177, 3.676138347, 5.295807939, 7.600652366], [0.0199, 0.001999, 0.00019999]),
            (3, 1.833333333, [1.578426409, 4.07734424, 5.700436104, 8.006034105], [0.029701, 0.002997001, 0.000299970001]),
            (5, 2.283333333, [2.044464924, 4.584758106, 6.210592004, 8.516793031], [0.0490099501, 0.004990009995, 0.00049990001]),
            (10, 2.928968254, [2.703555192, 5.275343911, 6.903236794, 9.209890188], [0.09561792499, 0.00995511979, 0.00099955012]),
            (20, 3.597739657, [3.379523827, 5.967209581, 7.596132748, 9.903012356], [0.1820930624, 0.01981113517, 0.00199810114]),
            (50, 4.499205338, [4.28545939, 6.882731144, 8.512272734, 10.81928808], [0.3949939329, 0.0487943718, 0.004987769577]),
            (100, 5.187377518, [4.975146841, 7.575621891, 9.205369664, 11.51243026], [0.6339676587, 0.09520785289, 0.009950661309]),
            (500, 6.79282343, [6.581814086, 9.18485464, 10.81476738, 13.12186417], [0.993429517, 0.3936210551, 0.04877295373]),
            (1000, 7.485470861, [7.274614753, 9.877976175, 11.50790953, 13.81501085], [0.9999568288, 0.6323045752, 0.09516710644]),
            (2000, 8.178368104, [7.967588662, 10.57111053, 12.2010542, 14.50815778], [0.9999999981, 0.8648000746, 0.1812774347]),
        ] {
            assert_close(harmonic(n), mean, n);
            for (p, quantile) in [0.5, 0.95, 0.99, 0.999].into_iter().zip(quantiles) {
                assert_close(exponential_max_quantile(n, p), quantile, (n, p));
            }
            for (p_slow, any) in [0.01, 0.001, 0.0001].into_iter().zip(slow) {
                assert_close(any_slow(n, p_slow), any, (n, p_slow));
            }
        }
    }
}
