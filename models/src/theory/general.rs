//! Queues with any service time: exact for one server and Poisson arrivals, approximate beyond, and where
//! the latency curve turns up.

use super::{Mmc, bisect};

/// The first three moments of a service time: `E[S]`, `E[S^2]`, `E[S^3]`.
#[derive(Clone, Copy, Debug)]
pub struct ServiceMoments {
    /// `E[S]`.
    pub mean: f64,
    /// `E[S^2] = mean^2 (1 + cv^2)`.
    pub second: f64,
    /// `E[S^3]`; `INFINITY` for a tail too heavy to have one.
    pub third: f64,
}

impl ServiceMoments {
    /// Always the same: the D of M/D/1.
    pub fn deterministic(mean: f64) -> Self {
        ServiceMoments { mean, second: mean * mean, third: mean * mean * mean }
    }

    /// Exponential: `n! mean^n`.
    pub fn exponential(mean: f64) -> Self {
        ServiceMoments { mean, second: 2.0 * mean * mean, third: 6.0 * mean * mean * mean }
    }
}

/// M/G/1: Poisson arrivals, any service time, one server, first come first served.
#[derive(Clone, Copy, Debug)]
pub struct Mg1 {
    /// Offered load, between 0 and 1.
    pub utilisation: f64,
    /// The service time.
    pub service: ServiceMoments,
}

impl Mg1 {
    /// `lambda E[S^2] / (2 (1 - rho))`. Source: Pollaczek 1930, Khinchine 1932.
    pub fn mean_wait(&self) -> f64 {
        if self.utilisation >= 1.0 {
            return f64::INFINITY;
        }
        self.utilisation / self.service.mean * self.service.second / (2.0 * (1.0 - self.utilisation))
    }

    /// Mean wait plus mean service.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.service.mean
    }

    /// Standard deviation of the wait: `E[W^2] = 2 E[W]^2 + lambda E[S^3] / (3 (1 - rho))`. Source: Takacs 1962.
    pub fn sd_wait(&self) -> f64 {
        if self.utilisation >= 1.0 {
            return f64::INFINITY;
        }
        let mean = self.mean_wait();
        let rate = self.utilisation / self.service.mean;
        (mean * mean + rate * self.service.third / (3.0 * (1.0 - self.utilisation))).sqrt()
    }
}

/// Any arrivals, any service time, one server: only bounds and approximations exist.
#[derive(Clone, Copy, Debug)]
pub struct Gg1 {
    /// Offered load, between 0 and 1.
    pub utilisation: f64,
    /// Mean service time.
    pub service_mean: f64,
    /// Squared coefficient of variation of the times between arrivals (1 for Poisson).
    pub arrival_cv2: f64,
    /// Squared coefficient of variation of the service time.
    pub service_cv2: f64,
}

impl Gg1 {
    /// Kingman's approximation in heavy traffic: `rho / (1-rho) (ca^2 + cs^2) / 2` service times. Exact for M/G/1.
    /// Source: Kingman 1961.
    pub fn kingman_wait(&self) -> f64 {
        if self.utilisation >= 1.0 {
            return f64::INFINITY;
        }
        self.service_mean * self.utilisation / (1.0 - self.utilisation)
            * (self.arrival_cv2 + self.service_cv2)
            / 2.0
    }

    /// Kingman's bound: no mean wait is longer than `rho (ca^2 / rho^2 + cs^2) / (2 (1-rho))` service times.
    pub fn kingman_bound(&self) -> f64 {
        let rho = self.utilisation;
        if rho >= 1.0 {
            return f64::INFINITY;
        }
        if rho == 0.0 {
            return 0.0;
        }
        self.service_mean * (self.arrival_cv2 / rho + self.service_cv2 * rho) / (2.0 * (1.0 - rho))
    }
}

/// Mean wait of G/G/c, approximately: that of M/M/c times `(ca^2 + cs^2) / 2`. Exact for M/M/c and M/G/1.
/// Source: Allen 1978, after Cunneen.
pub fn allen_cunneen_wait(queue: Mmc, arrival_cv2: f64, service_cv2: f64) -> f64 {
    let mean_wait = queue.mean_wait();
    // Not even clockwork outlasts an overload.
    if mean_wait.is_infinite() { mean_wait } else { mean_wait * (arrival_cv2 + service_cv2) / 2.0 }
}

/// The utilisation at which the mean response time is `stretch` service times, with Poisson arrivals and a
/// service time of this squared coefficient of variation: the "knee" of a latency curve, which depends on
/// the servers far more than folklore's 70 % says. By bisection on [`allen_cunneen_wait`].
pub fn knee(servers: u32, service_cv2: f64, stretch: f64) -> f64 {
    bisect(0.0, 1.0, |utilisation| {
        1.0 + allen_cunneen_wait(Mmc { servers, utilisation, service_mean: 1.0 }, 1.0, service_cv2) >= stretch
    })
}

/// The tables are rows of the reference tables named in each test; mean service time 1.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    /// mg1_pk.csv: E[S^2], E[S^3], rho, mean wait, its deviation; for D, E4, M, lognormal (cv 2), Pareto (3.5).
    #[test]
    fn mg1_agrees() {
        let xm = 2.5 / 3.5;
        let pareto = (3.5 * xm * xm / 1.5, 3.5 * xm * xm * xm / 0.5);
        for (second, third, utilisation, mean, sd) in [
            (1.0, 1.0, 0.5, 0.5, 0.7637626158),
            (1.0, 1.0, 0.8, 2.0, 2.309401077),
            (1.0, 1.0, 0.95, 9.5, 9.827681992),
            (1.25, 1.875, 0.5, 0.625, 1.007782219),
            (1.25, 1.875, 0.8, 2.5, 2.958039892),
            (2.0, 6.0, 0.5, 1.0, 1.732050808),
            (2.0, 6.0, 0.95, 19.0, 19.97498436),
            (5.0, 125.0, 0.5, 2.5, 6.922186552),
            (5.0, 125.0, 0.8, 10.0, 16.32993162),
            (5.0, 125.0, 0.95, 47.5, 55.20794025),
            (pareto.0, pareto.1, 0.5, 0.5952380952, 1.097564816),
            (pareto.0, pareto.1, 0.8, 2.380952381, 3.01169301),
        ] {
            let queue = Mg1 { utilisation, service: ServiceMoments { mean: 1.0, second, third } };
            assert_close(queue.mean_wait(), mean, queue);
            assert_close(queue.mean_response(), 1.0 + mean, queue);
            assert_close(queue.sd_wait(), sd, queue);
        }
        let scaled = Mg1 { utilisation: 0.8, service: ServiceMoments::deterministic(3.0) };
        assert_close(scaled.sd_wait(), 3.0 * 2.309401077, "M/D/1 in another unit");
        let exponential = Mg1 { utilisation: 0.8, service: ServiceMoments::exponential(3.0) };
        assert_close(exponential.mean_wait(), 12.0, "M/M/1 in another unit");
    }

    /// gg1_kingman.csv: rho, ca2, cs2, approximation, bound, exact where known.
    #[test]
    fn kingman_agrees_and_bounds() {
        for (utilisation, arrival_cv2, service_cv2, wait, bound, exact) in [
            (0.3, 1.0, 0.0, 0.2142857143, 2.380952381, Some(0.2142857143)),
            (0.3, 0.0, 1.0, 0.2142857143, 0.2142857143, Some(0.04262485639)),
            (0.3, 0.25, 0.25, 0.1071428571, 0.6488095238, None),
            (0.3, 4.0, 1.0, 1.071428571, 9.738095238, Some(0.8111468718)),
            (0.8, 1.0, 0.0, 2.0, 3.125, Some(2.0)),
            (0.8, 0.0, 1.0, 2.0, 2.0, Some(1.69273084)),
            (0.8, 0.25, 4.0, 8.5, 8.78125, None),
            (0.8, 4.0, 1.0, 10.0, 14.5, Some(9.819192772)),
            (0.8, 0.0, 0.0, 0.0, 0.0, Some(0.0)),
            (0.95, 1.0, 0.0, 9.5, 10.52631579, Some(9.5)),
            (0.95, 0.25, 4.0, 40.375, 40.63157895, None),
            (0.95, 4.0, 1.0, 47.5, 51.60526316, Some(47.45462448)),
        ] {
            let queue = Gg1 { utilisation, service_mean: 1.0, arrival_cv2, service_cv2 };
            assert_close(queue.kingman_wait(), wait, queue);
            assert_close(queue.kingman_bound(), bound, queue);
            assert!(exact.is_none_or(|exact| exact <= queue.kingman_bound() * (1.0 + 1e-9)), "{queue:?}");
        }
    }

    /// knee.csv: c, cv2, stretch, utilisation.
    #[test]
    fn the_knee_depends_on_servers_and_variability() {
        for (servers, cv2, stretch, utilisation) in [
            (1, 0.0, 1.5, 0.5),
            (1, 1.0, 2.0, 0.5),
            (1, 4.0, 10.0, 0.7826086957),
            (2, 1.0, 3.0, 0.8164965809),
            (2, 4.0, 1.5, 0.4082482905),
            (4, 0.25, 5.0, 0.9640093916),
            (8, 1.0, 2.0, 0.909166151),
            (16, 0.0, 3.0, 0.9854258759),
            (32, 1.0, 2.0, 0.9739677755),
            (32, 1.0, 10.0, 0.9966070289),
            (64, 0.25, 1.5, 0.9834464746),
            (100, 1.0, 2.0, 0.9910533789),
            (100, 4.0, 10.0, 0.9973123939),
        ] {
            assert_close(knee(servers, cv2, stretch), utilisation, (servers, cv2, stretch));
        }
        // knee.csv, stretch_at_85: read the other way round.
        for (servers, cv2, stretch) in [(1, 1.0, 6.666666667), (8, 4.0, 2.192851944), (32, 0.25, 1.036771699)]
        {
            let queue = Mmc { servers, utilisation: 0.85, service_mean: 1.0 };
            assert_close(1.0 + allen_cunneen_wait(queue, 1.0, cv2), stretch, (servers, cv2));
        }
    }

    #[test]
    fn no_steady_state_is_infinite_and_never_nan() {
        for utilisation in [1.0, 1.7] {
            let gg1 = Gg1 { utilisation, service_mean: 1.0, arrival_cv2: 0.0, service_cv2: 0.0 };
            let mg1 = Mg1 { utilisation, service: ServiceMoments::deterministic(1.0) };
            let mmc = Mmc { servers: 2, utilisation, service_mean: 1.0 };
            let waits = [gg1.kingman_wait(), gg1.kingman_bound(), mg1.mean_wait(), mg1.sd_wait()];
            assert!(waits.iter().all(|wait| *wait == f64::INFINITY), "{waits:?}");
            assert_eq!(allen_cunneen_wait(mmc, 0.0, 0.0), f64::INFINITY);
        }
        let idle = Gg1 { utilisation: 0.0, service_mean: 1.0, arrival_cv2: 0.0, service_cv2: 1.0 };
        assert_eq!((idle.kingman_wait(), idle.kingman_bound()), (0.0, 0.0));
    }
}
