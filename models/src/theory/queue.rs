//! Queues with exponential service: how long one waits, and how often one is turned away.

use super::bisect;
use sim_core::math::{exp, exp_m1, ln};

/// Erlang's loss formula: the share of arrivals that find all `servers` busy when nobody waits.
///
/// `B(0) = 1; B(k) = a B(k-1) / (k + a B(k-1))` with `a` the offered load in Erlangs (arrival rate times mean
/// service time). Exact for Poisson arrivals and *any* service time. Source: Erlang 1917; the recursion: Jagerman 1974.
pub fn erlang_b(servers: u32, offered: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, k| offered * blocked / (f64::from(k) + offered * blocked))
}

/// Erlang's delay formula: the share of arrivals that must wait in M/M/c; 1 without a steady state.
///
/// `C = B / (1 - rho (1 - B))`, `rho = a / c`. Source: Erlang 1917.
pub fn erlang_c(servers: u32, offered: f64) -> f64 {
    let utilisation = offered / f64::from(servers);
    if utilisation >= 1.0 {
        return 1.0;
    }
    let blocked = erlang_b(servers, offered);
    blocked / (1.0 - utilisation * (1.0 - blocked))
}

/// M/M/c: Poisson arrivals, exponential service, one queue without bound in front of `servers`, first come
/// first served. With one server it is M/M/1.
#[derive(Clone, Copy, Debug)]
pub struct Mmc {
    /// Servers.
    pub servers: u32,
    /// Offered load per server, between 0 and 1.
    pub utilisation: f64,
    /// Mean service time, in the unit of all results.
    pub service_mean: f64,
}

impl Mmc {
    /// The share that waits at all: [`erlang_c`].
    pub fn p_wait(&self) -> f64 {
        erlang_c(self.servers, f64::from(self.servers) * self.utilisation)
    }

    /// The rate, per mean service time, at which the queue drains: `c (1 - rho)`.
    fn drain(&self) -> f64 {
        f64::from(self.servers) * (1.0 - self.utilisation)
    }

    /// `C / (c (1 - rho))` service times.
    pub fn mean_wait(&self) -> f64 {
        if self.utilisation >= 1.0 {
            return f64::INFINITY;
        }
        self.service_mean * self.p_wait() / self.drain()
    }

    /// The wait that a share `p` does not exceed: `ln(C / (1-p)) / (c (1 - rho))` service times, or none.
    ///
    /// Those who wait wait exponentially long: `P(W > t) = C exp(-c (1 - rho) t)`.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        if self.utilisation >= 1.0 {
            return f64::INFINITY;
        }
        let p_wait = self.p_wait();
        if p_wait <= 1.0 - p { 0.0 } else { self.service_mean * ln(p_wait / (1.0 - p)) / self.drain() }
    }

    /// Mean wait plus mean service.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.service_mean
    }

    /// The share of response times above `time`.
    ///
    /// With `d = c (1 - rho)` and `t` in service times: `(1-C) e^-t + C (d e^-t - e^-dt) / (d - 1)`: no wait and
    /// a service, or an exponential wait and a service. `d = 1` is the limit `C (1 + t) e^-t`.
    pub fn response_survival(&self, time: f64) -> f64 {
        if self.utilisation >= 1.0 {
            return 1.0;
        }
        let (p_wait, drain, t) = (self.p_wait(), self.drain(), time / self.service_mean);
        // (d e^-t - e^-dt) / (d-1) = e^-t (1 + (1 - e^-(d-1)t) / (d-1)), which loses no digits near d = 1.
        let excess = drain - 1.0;
        let wait_inside = if excess == 0.0 { t } else { -exp_m1(-excess * t) / excess };
        // Below d = 1 both factors may leave the range of a float; the tail is then that of the wait alone.
        if excess < 0.0 && -excess * t > 600.0 {
            return p_wait * exp(-drain * t) / -excess;
        }
        exp(-t) * (1.0 + p_wait * wait_inside)
    }

    /// The response time that a share `p` does not exceed; by bisection, to the last digits of a float.
    /// With one server it is `-ln(1-p) / (1 - rho)` service times.
    pub fn response_quantile(&self, p: f64) -> f64 {
        if self.utilisation >= 1.0 || p >= 1.0 {
            return f64::INFINITY;
        }
        if self.servers == 1 {
            return -self.service_mean * ln(1.0 - p) / (1.0 - self.utilisation);
        }
        let mut high = self.service_mean;
        while self.response_survival(high) > 1.0 - p {
            high *= 2.0;
        }
        bisect(0.0, high, |time| self.response_survival(time) <= 1.0 - p)
    }
}

/// M/M/c/K: as M/M/c, with room for `capacity` in the system, those in service included. Who finds it full
/// is turned away. With `capacity == servers` nobody waits and it is Erlang B.
#[derive(Clone, Debug)]
pub struct Mmck {
    servers: u32,
    offered: f64,
    service_mean: f64,
    /// Probability of 0, 1, .. in the system.
    states: Vec<f64>,
}

impl Mmck {
    /// `utilisation` is offered load per server and may be above 1. Panics if the capacity is below the servers.
    ///
    /// `p(n) = p(n-1) a / min(n, c)` (birth and death), summed outwards from the likeliest state, so that
    /// nothing overflows however long the queue.
    pub fn new(servers: u32, capacity: u32, utilisation: f64, service_mean: f64) -> Self {
        assert!(capacity >= servers, "a system of {servers} servers has room for at least as many");
        let offered = utilisation * f64::from(servers);
        let step = |n: u32| offered / f64::from(n.min(servers));
        let mode = if utilisation >= 1.0 { capacity } else { (offered as u32).min(capacity) };
        let mut states = vec![0.0; capacity as usize + 1];
        states[mode as usize] = 1.0;
        for n in (0..mode).rev() {
            states[n as usize] = states[n as usize + 1] / step(n + 1);
        }
        for n in mode + 1..=capacity {
            states[n as usize] = states[n as usize - 1] * step(n);
        }
        let total: f64 = states.iter().sum();
        states.iter_mut().for_each(|state| *state /= total);
        Mmck { servers, offered, service_mean, states }
    }

    /// Share of arrivals turned away: those who find it full (Poisson arrivals see time averages).
    pub fn p_blocked(&self) -> f64 {
        self.states[self.states.len() - 1]
    }

    /// Accepted arrivals per unit of time.
    pub fn throughput(&self) -> f64 {
        self.offered * (1.0 - self.p_blocked()) / self.service_mean
    }

    /// Mean number in the system, L.
    pub fn mean_in_system(&self) -> f64 {
        self.states.iter().enumerate().map(|(n, p)| n as f64 * p).sum()
    }

    /// Mean number waiting.
    pub fn mean_queue(&self) -> f64 {
        self.states
            .iter()
            .enumerate()
            .skip(self.servers as usize)
            .map(|(n, p)| (n as f64 - f64::from(self.servers)) * p)
            .sum()
    }

    /// Mean wait of those accepted, by Little's law. 0 if nothing arrives.
    pub fn mean_wait(&self) -> f64 {
        if self.offered > 0.0 { self.mean_queue() / self.throughput() } else { 0.0 }
    }

    /// Mean response time of those accepted, by Little's law.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.service_mean
    }
}

/// M/M/1+D: customers leave the queue unserved once they have waited `patience`, the same for all; who begins service stays.
#[derive(Clone, Copy, Debug)]
pub struct Mm1PlusD {
    /// Offered load; may be above 1.
    pub utilisation: f64,
    /// Longest wait, in the unit of `service_mean`.
    pub patience: f64,
    /// Mean service time.
    pub service_mean: f64,
}

impl Mm1PlusD {
    /// Share whose patience ends in the queue: `(1-rho) rho e / (1 - rho^2 e)` with `e = exp(-(1-rho) D)` and
    /// `D` the patience in service times; `1 / (2 + D)` at `rho = 1`. Source: Barrer 1957.
    pub fn p_expired(&self) -> f64 {
        let (rho, patience) = (self.utilisation, self.patience / self.service_mean);
        let slack = 1.0 - rho;
        // |e - 1| / |1 - rho| on the side of rho where the exponential does not overflow.
        let covered = if slack == 0.0 { patience } else { -exp_m1(-slack.abs() * patience) / slack.abs() };
        if slack >= 0.0 {
            rho * exp(-slack * patience) / (1.0 + rho + rho * rho * covered)
        } else {
            rho / ((1.0 + rho) * exp(slack * patience) + rho * rho * covered)
        }
    }

    /// Share whose service, too, is over within the patience, if it is not cut short by it:
    /// `(1 - rho P(served)) (1 - e) / (1 - rho)`, which is `p(0) D` at `rho = 1`: who finds work `w < D` needs a
    /// service of at most `D - w`, integrated over the density `p(0) rho exp(-(1-rho) w)` of `w`.
    pub fn p_answered_in_time(&self) -> f64 {
        let (rho, patience) = (self.utilisation, self.patience / self.service_mean);
        let idle = 1.0 - rho * (1.0 - self.p_expired());
        let slack = 1.0 - rho;
        idle * if slack == 0.0 { patience } else { -exp_m1(-slack * patience) / slack }
    }

    /// Customers served per unit of time.
    pub fn goodput(&self) -> f64 {
        self.utilisation / self.service_mean * (1.0 - self.p_expired())
    }
}

/// A closed loop: `users` who each think, then wait for one exponential server, then think again.
#[derive(Clone, Copy, Debug)]
pub struct ClosedMm1 {
    /// Customers of the server per unit of time.
    pub throughput: f64,
    /// Mean response time.
    pub mean_response: f64,
    /// Mean number at the server.
    pub mean_in_system: f64,
    /// Share of time in which the server works.
    pub utilisation: f64,
}

impl ClosedMm1 {
    /// The machine-repair model M/M/1//N by mean-value analysis: one more user finds what the others leave,
    /// `R(n) = s (1 + L(n-1)); X(n) = n / (R(n) + Z); L(n) = X(n) R(n)`. Exact, and the same for any law of thinking.
    /// Source: Reiser and Lavenberg 1980.
    pub fn new(users: u32, think_mean: f64, service_mean: f64) -> Self {
        let mut closed =
            ClosedMm1 { throughput: 0.0, mean_response: service_mean, mean_in_system: 0.0, utilisation: 0.0 };
        for n in 1..=users {
            closed.mean_response = service_mean * (1.0 + closed.mean_in_system);
            closed.throughput = f64::from(n) / (closed.mean_response + think_mean);
            closed.mean_in_system = closed.throughput * closed.mean_response;
        }
        closed.utilisation = closed.throughput * service_mean;
        closed
    }
}

/// The tables are rows of the reference tables named in each test, made with numpy, scipy and mpmath from
/// these formulas (and checked there against textbook values and simulation); mean service time 1.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    /// erlang_b.csv: c, a, blocking.
    #[test]
    fn erlang_b_agrees() {
        for (servers, offered, blocked) in [
            (1, 0.5, 0.3333333333),
            (10, 10.0, 0.2145823431),
            (25, 12.5, 0.0006363050556),
            (30, 27.0, 0.08187976134),
            (100, 90.0, 0.02695738046),
            (200, 400.0, 0.5024518907),
        ] {
            assert_close(erlang_b(servers, offered), blocked, (servers, offered));
        }
        assert_eq!(erlang_b(3, 0.0), 0.0);
    }

    type MmcRow = (u32, f64, f64, f64, [f64; 4], [f64; 4]);

    /// mmc.csv: c, rho, P(wait), mean wait, wait p50 p95 p99 p999, response p50 p95 p99 p999.
    #[rustfmt::skip]
    const MMC: [MmcRow; 11] = [
        (1, 0.8, 0.8, 4.0, [2.350018146, 13.86294361, 21.91013317, 33.42305864], [3.465735903, 14.97866137, 23.02585093, 34.53877639]),
        (1, 0.95, 0.95, 19.0, [12.83707772, 58.88877958, 91.07753783, 137.1292397], [13.86294361, 59.91464547, 92.10340372, 138.1551056]),
        (2, 0.5, 0.3333333333, 0.3333333333, [0.0, 1.897119985, 3.506557897, 5.80914299], [0.9744116052, 3.816460305, 5.665960684, 8.227510008]),
        (2, 0.98, 0.9701010101, 24.25252525, [16.56980254, 74.13442987, 114.3703777, 171.935005], [17.5903524, 75.15497973, 115.3909275, 172.9555549]),
        (4, 0.9, 0.7877532643, 1.969383161, [1.136442065, 6.892904798, 10.91649958, 16.67296231], [2.254503693, 8.165524818, 12.19316744, 17.95001385]),
        (8, 0.8, 0.4576449254, 0.2860280784, [0.0, 1.383794129, 2.389692824, 3.828808507], [0.986334367, 3.508442648, 5.152181563, 7.469718533]),
        (10, 0.7, 0.2217312159, 0.07391040529, [0.0, 0.4964809679, 1.032960272, 1.800488636], [0.7769612862, 3.100669523, 4.710301637, 7.012894736]),
        (16, 0.98, 0.90837275, 2.838664844, [1.86577098, 9.061349396, 14.09084287, 21.28642129], [2.964521944, 10.26581422, 15.29601425, 22.49161636]),
        (32, 0.95, 0.6957101142, 0.4348188214, [0.2064531078, 1.645568791, 2.651467486, 4.090583169], [1.149051893, 3.705744473, 5.353190025, 7.67224615]),
        (64, 0.5, 4.263716152e-07, 1.332411297e-08, [0.0; 4], [0.6931471943, 2.995732287, 4.6051702, 6.907755293]),
        (100, 0.98, 0.7751005125, 0.3875502563, [0.2191923081, 1.370484855, 2.175203811, 3.326496357], [1.111962832, 3.557056652, 5.176558238, 7.481366249]),
    ];

    #[test]
    fn mmc_agrees() {
        for (servers, utilisation, p_wait, mean_wait, waits, responses) in MMC {
            let queue = Mmc { servers, utilisation, service_mean: 1.0 };
            assert_close(queue.p_wait(), p_wait, queue);
            assert_close(queue.mean_wait(), mean_wait, queue);
            assert_close(queue.mean_response(), 1.0 + mean_wait, queue);
            for (p, wait, response) in
                [0.5, 0.95, 0.99, 0.999].iter().zip(waits).zip(responses).map(|((p, w), r)| (*p, w, r))
            {
                assert_close(queue.wait_quantile(p), wait, (queue, p));
                assert_close(queue.response_quantile(p), response, (queue, p));
            }
        }
    }

    #[test]
    fn times_scale_with_the_service_time() {
        let (unit, ms) = (Mmc { servers: 4, utilisation: 0.9, service_mean: 1.0 }, 2.5);
        let scaled = Mmc { service_mean: ms, ..unit };
        assert_close(scaled.mean_wait(), ms * unit.mean_wait(), "mean");
        assert_close(scaled.wait_quantile(0.99), ms * unit.wait_quantile(0.99), "wait");
        assert_close(scaled.response_quantile(0.99), ms * unit.response_quantile(0.99), "response");
        assert_close(scaled.response_survival(ms), unit.response_survival(1.0), "survival");
    }

    #[test]
    fn the_survival_of_one_server_is_exponential_far_into_the_tail() {
        for utilisation in [0.1, 0.8, 0.999] {
            let queue = Mmc { servers: 1, utilisation, service_mean: 1.0 };
            for t in [0.0, 1.0, 50.0, 5_000.0] {
                assert_close(queue.response_survival(t), exp(-(1.0 - utilisation) * t), (utilisation, t));
            }
        }
        // c (1 - rho) = 1: the limit of the formula's 0/0.
        let queue = Mmc { servers: 2, utilisation: 0.5, service_mean: 1.0 };
        assert_close(queue.response_survival(3.0), exp(-3.0) * (1.0 + 3.0 / 3.0), "d = 1");
    }

    #[test]
    fn no_steady_state_is_infinite_and_never_nan() {
        for utilisation in [1.0, 1.7] {
            let queue = Mmc { servers: 3, utilisation, service_mean: 1.0 };
            assert_eq!(queue.p_wait(), 1.0);
            assert_eq!(queue.response_survival(7.0), 1.0);
            let (wait, response) = (queue.wait_quantile(0.5), queue.response_quantile(0.5));
            for time in [queue.mean_wait(), queue.mean_response(), wait, response] {
                assert_eq!(time, f64::INFINITY);
            }
        }
    }

    /// mmck.csv: c, K, rho, blocking, throughput, L, waiting, mean wait, mean response.
    #[test]
    #[rustfmt::skip]
    fn mmck_agrees() {
        for (servers, capacity, utilisation, expected) in [
            (1, 1, 0.5, [0.3333333333, 0.3333333333, 0.3333333333, 0.0, 0.0, 1.0]),
            (1, 5, 1.0, [0.1666666667, 0.8333333333, 2.5, 1.666666667, 2.0, 3.0]),
            (1, 10, 1.5, [0.3372320801, 0.9941518798, 8.128658645, 7.134506765, 7.176475657, 8.176475657]),
            (1, 50, 0.9, [0.0005177791865, 0.8995339987, 8.762339353, 7.862805355, 8.74097629, 9.74097629]),
            (1, 100, 2.0, [0.5, 1.0, 99.0, 98.0, 98.0, 99.0]),
            (2, 4, 0.7, [0.1056266772, 1.252122652, 1.61427126, 0.3621486076, 0.2892277423, 1.289227742]),
            (4, 8, 0.9, [0.0966355036, 3.252112187, 4.331937718, 1.079825531, 0.3320382168, 1.332038217]),
            (10, 10, 1.0, [0.2145823431, 7.854176569, 7.854176569, 0.0, 0.0, 1.0]),
            (10, 20, 1.2, [0.1796659157, 9.844009012, 16.10449794, 6.260488923, 0.6359694425, 1.635969442]),
            (10, 110, 0.9, [1.776272872e-06, 8.999984014, 15.01690544, 6.016921423, 0.6685480123, 1.668548012]),
            (25, 25, 0.7, [0.01995847994, 17.1507266, 17.1507266, 0.0, 0.0, 1.0]),
            (100, 200, 0.5, [1.2860952e-40, 50.0, 50.0, 3.260638704e-10, 6.521277409e-12, 1.0]),
            (100, 200, 2.0, [0.5, 100.0, 199.0, 99.0, 0.99, 1.99]),
        ] {
            let queue = Mmck::new(servers, capacity, utilisation, 1.0);
            let found = [queue.p_blocked(), queue.throughput(), queue.mean_in_system(), queue.mean_queue(), queue.mean_wait(), queue.mean_response()];
            for (found, expected) in found.into_iter().zip(expected) {
                assert_close(found, expected, (servers, capacity, utilisation));
            }
        }
    }

    #[test]
    fn a_long_finite_queue_neither_overflows_nor_divides_by_nothing() {
        let flooded = Mmck::new(2, 100_000, 3.0, 0.5);
        assert_close(flooded.throughput(), 4.0, "both servers always work");
        let idle = Mmck::new(2, 4, 0.0, 1.0);
        assert_eq!((idle.p_blocked(), idle.mean_wait(), idle.mean_in_system()), (0.0, 0.0, 0.0));
    }

    /// mm1_deadline_queue.csv: rho, D, share that expires, goodput.
    #[test]
    fn deadline_in_the_queue_agrees() {
        for (utilisation, patience, expired, goodput) in [
            (0.5, 0.5, 0.2417735541, 0.379113223),
            (0.5, 20.0, 1.135011126e-05, 0.4999943249),
            (0.7, 2.0, 0.1576435975, 0.5896494817),
            (0.9, 0.5, 0.3730243753, 0.5642780622),
            (0.9, 5.0, 0.107306209, 0.8034244119),
            (1.0, 1.0, 0.3333333333, 0.6666666667),
            (1.0, 20.0, 0.04545454545, 0.9545454545),
            (1.2, 5.0, 0.2238554219, 0.9313734937),
            (1.5, 0.5, 0.5097881996, 0.7353177007),
            (1.5, 10.0, 0.334334546, 0.998498181),
            (2.0, 1.0, 0.5506425152, 0.8987149696),
            (2.0, 20.0, 0.5000000003, 0.9999999995),
        ] {
            let queue = Mm1PlusD { utilisation, patience, service_mean: 1.0 };
            assert_close(queue.p_expired(), expired, queue);
            assert_close(queue.goodput(), goodput, queue);
        }
        let near = Mm1PlusD { utilisation: 1.0 + 1e-13, patience: 200.0, service_mean: 10.0 };
        assert_close(near.p_expired(), 1.0 / 22.0, "next to 1");
        let flooded = Mm1PlusD { utilisation: 3.0, patience: 1e6, service_mean: 1.0 };
        assert_close(flooded.p_expired(), 2.0 / 3.0, "e^(2 million) is no float");
    }

    /// closed_loop_mm1.csv: users, think time, throughput, mean response, L.
    #[test]
    fn a_closed_loop_agrees() {
        for (users, think, throughput, response, in_system) in [
            (1, 1.0, 0.5, 1.0, 0.5),
            (1, 50.0, 0.01960784314, 1.0, 0.01960784314),
            (5, 1.0, 0.9969325153, 4.015384615, 4.003067485),
            (5, 10.0, 0.4360478231, 1.466632178, 0.6395217686),
            (10, 1.0, 0.9999998986, 9.000001014, 9.000000101),
            (10, 10.0, 0.7854176569, 2.732079439, 2.145823431),
            (10, 50.0, 0.1952835034, 1.207602422, 0.2358248317),
            (20, 10.0, 0.9981309501, 10.03745099, 10.0186905),
            (20, 50.0, 0.3879053487, 1.558969388, 0.604732564),
            (50, 10.0, 1.0, 40.0, 40.0),
            (50, 50.0, 0.8952125445, 5.852657905, 5.239372775),
            (100, 50.0, 0.9999999998, 50.00000002, 50.00000001),
        ] {
            let closed = ClosedMm1::new(users, think, 1.0);
            assert_close(closed.throughput, throughput, (users, think));
            assert_close(closed.mean_response, response, (users, think));
            assert_close(closed.mean_in_system, in_system, (users, think));
            assert_close(closed.utilisation, throughput, (users, think));
        }
        assert_close(ClosedMm1::new(10, 100.0, 10.0).throughput, 0.07854176569, "in another unit");
    }
}
