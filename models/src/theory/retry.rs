//! Retries: what they cost, what they buy, and when they keep a failure alive.

use super::bisect;
use sim_core::math::powi;

/// Mean attempts per call when each fails independently with `p_fail`: `(1 - p^(r+1)) / (1 - p)`.
///
/// Summed as `1 + p + .. + p^r` (the k-th retry happens if all before it failed), which is right at `p = 1` too.
pub fn expected_attempts(p_fail: f64, retries: u32) -> f64 {
    (0..retries).fold(1.0, |sum, _| 1.0 + p_fail * sum)
}

/// Share of calls that succeed in the end: `1 - p^(r+1)`.
pub fn success_after_retries(p_fail: f64, retries: u32) -> f64 {
    1.0 - powi(p_fail, retries + 1)
}

/// The same retries at every one of several layers above a leaf.
#[derive(Clone, Copy, Debug)]
pub struct RetryLayers {
    /// Layers that retry.
    pub layers: u32,
    /// Retries of each, after the first attempt.
    pub retries: u32,
}

impl RetryLayers {
    /// Attempts at the leaf per call of a user when every one fails: `(r+1)^d`.
    pub fn worst_case(&self) -> f64 {
        powi(f64::from(self.retries) + 1.0, self.layers)
    }

    /// Mean attempts at the leaf per call of a user, and the share of users who succeed, when the leaf fails
    /// with `p_fail`: each layer multiplies the load by [`expected_attempts`] and leaves `p^(r+1)` of failures.
    pub fn partial(&self, p_fail: f64) -> (f64, f64) {
        let (mut load, mut p_fail) = (1.0, p_fail);
        for _ in 0..self.layers {
            load *= expected_attempts(p_fail, self.retries);
            p_fail = powi(p_fail, self.retries + 1);
        }
        (load, 1.0 - p_fail)
    }
}

/// Load per call under a retry budget: `1 + min(p + .. + p^r, ratio)`, in the long run.
///
/// The budget allows `ratio` retries per call, whatever fails. What it starts with is extra.
pub fn budgeted_load(p_fail: f64, retries: u32, ratio: f64) -> f64 {
    1.0 + (expected_attempts(p_fail, retries) - 1.0).min(ratio)
}

/// The share of failed attempts above which a gRPC throttle lets no retry go: `ratio / (1 + ratio)`.
///
/// A failure takes a token and a success pays in `ratio`, so tokens run out where `p > (1 - p) ratio`. Source: grpc/proposal
/// A6.
pub fn throttle_stops_above(token_ratio: f64) -> f64 {
    token_ratio / (1.0 + token_ratio)
}

/// The share of failed attempts above which a store of retries empties, if a retry costs `cost`, comes back when it
/// succeeds, and a call that succeeds at once pays in `at_once`.
///
/// A call of at most `r` retries changes it by `(1 - p) at_once - sum over k of p^k (1 - p) (k - 1) cost - p^(r+1) r cost`
/// on average, which falls with `p`. Source: botocore's `RetryQuota`.
pub fn quota_empties_above(retries: u32, cost: f64, at_once: f64) -> f64 {
    let change = |p: f64| {
        let (mut sum, mut reached) = ((1.0 - p) * at_once, 1.0);
        for tried in 1..=retries {
            reached *= p;
            sum -= reached * (1.0 - p) * f64::from(tried - 1) * cost;
        }
        sum - reached * p * f64::from(retries) * cost
    };
    bisect(0.0, 1.0, |p| change(p) <= 0.0)
}

/// A breaker in front of something that is wholly down and fails at once.
#[derive(Clone, Copy, Debug)]
pub struct BreakerCycle {
    /// Calls per second that reach the breaker.
    pub calls_per_sec: f64,
    /// How long it stays open, in seconds.
    pub open_secs: f64,
    /// Probes it lets through when half-open, before it opens again.
    pub probes: f64,
}

impl BreakerCycle {
    /// Probes per second: `h / (T + h / lambda)`; a cycle is the open time and the time until `h` calls came.
    pub fn probes_per_sec(&self) -> f64 {
        self.probes / (self.open_secs + self.probes / self.calls_per_sec)
    }

    /// Share of calls that it lets through.
    pub fn admitted(&self) -> f64 {
        self.probes_per_sec() / self.calls_per_sec
    }
}

/// The utilisation above which a backlog of failures keeps itself alive: `1 / (1 + r)`.
///
/// Once every attempt times out, the load is `1 + r` times what is offered; if that is more than capacity, the
/// backlog that made them time out never drains. Below it any backlog drains when its cause has gone. The
/// fluid law of metastable failures; source: Bronson et al., HotOS 2021.
pub fn vulnerable_above(retries: u32) -> f64 {
    1.0 / (1.0 + f64::from(retries))
}

/// Whether a service that can carry its load may, after a disturbance, never carry it again: `1/(1+r) < rho < 1`.
pub fn is_vulnerable(utilisation: f64, retries: u32) -> bool {
    vulnerable_above(retries) < utilisation && utilisation < 1.0
}

/// The chance that a linear birth-death process never dies out: `1 - 1/a` for `a > 1`, else 0, where `a` is the
/// rate at which each outstanding attempt spawns another times how long it lives.
///
/// Sometimes quoted as the probability of a retry cascade. It is not: it knows neither utilisation nor a
/// limit on retries. For a service see [`is_vulnerable`].
pub fn branching_survival(offspring: f64) -> f64 {
    if offspring > 1.0 { 1.0 - 1.0 / offspring } else { 0.0 }
}

/// M/M/1 whose customers return to the queue at once, again and again, with probability `p_fail`.
#[derive(Clone, Copy, Debug)]
pub struct FeedbackRetry {
    /// Offered load without any retry.
    pub utilisation: f64,
    /// Share of services after which the customer comes back; below 1.
    pub p_fail: f64,
}

impl FeedbackRetry {
    /// Attempts per customer: `1 / (1 - p)`.
    pub fn attempts(&self) -> f64 {
        1.0 / (1.0 - self.p_fail)
    }

    /// Load with retries: `rho / (1 - p)`. Source: Jackson 1957.
    pub fn effective_utilisation(&self) -> f64 {
        self.utilisation * self.attempts()
    }

    /// Mean number in the system: `rho' / (1 - rho')`, `INFINITY` from `rho' = 1` on.
    pub fn mean_in_system(&self) -> f64 {
        let rho = self.effective_utilisation();
        if rho >= 1.0 { f64::INFINITY } else { rho / (1.0 - rho) }
    }

    /// Mean time until the last attempt is done, in service times: `attempts / (1 - rho')`.
    pub fn mean_total_time(&self) -> f64 {
        let rho = self.effective_utilisation();
        if rho >= 1.0 { f64::INFINITY } else { self.attempts() / (1.0 - rho) }
    }
}

/// Rows of the reference tables named in each test.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    /// retry_attempts.csv: p, retries, attempts, success.
    #[test]
    fn attempts_and_success_agree() {
        for (p_fail, retries, attempts, success) in [
            (0.0, 3, 1.0, 1.0),
            (0.01, 1, 1.01, 0.9999),
            (0.1, 2, 1.11, 0.999),
            (0.2, 10, 1.249999974, 0.9999999795),
            (0.3, 3, 1.417, 0.9919),
            (0.5, 3, 1.875, 0.9375),
            (0.5, 5, 1.96875, 0.984375),
            (0.7, 4, 2.7731, 0.83193),
            (0.9, 1, 1.9, 0.19),
            (0.9, 10, 6.861894039, 0.6861894039),
            (1.0, 0, 1.0, 0.0),
            (1.0, 3, 4.0, 0.0),
        ] {
            assert_close(expected_attempts(p_fail, retries), attempts, (p_fail, retries));
            assert_close(success_after_retries(p_fail, retries), success, (p_fail, retries));
        }
    }

    /// retry_amplification.csv and retry_layers_partial.csv.
    #[test]
    fn layers_multiply() {
        for (retries, layers, load) in
            [(1, 1, 2.0), (1, 3, 8.0), (1, 5, 32.0), (3, 3, 64.0), (4, 5, 3_125.0), (9, 5, 1e5)]
        {
            assert_close(RetryLayers { layers, retries }.worst_case(), load, (retries, layers));
        }
        for (p_fail, retries, layers, load, success) in [
            (0.1, 1, 2, 1.111, 0.9999),
            (0.1, 2, 2, 1.11111111, 0.999999999),
            (0.5, 1, 1, 1.5, 0.75),
            (0.5, 1, 3, 1.9921875, 0.99609375),
            (0.5, 3, 2, 1.999969482, 0.9999847412),
            (0.9, 1, 4, 8.146979811, 0.8146979811),
            (0.9, 2, 1, 2.71, 0.271),
            (0.9, 3, 3, 9.988209815, 0.9988209815),
            (0.9, 3, 4, 10.0, 1.0),
            (1.0, 1, 2, 4.0, 0.0),
            (1.0, 3, 4, 256.0, 0.0),
        ] {
            let (found_load, found_success) = RetryLayers { layers, retries }.partial(p_fail);
            assert_close(found_load, load, (p_fail, retries, layers));
            assert_close(found_success, success, (p_fail, retries, layers));
        }
    }

    /// grpc_throttle.csv, all rows: token ratio, failing share.
    #[test]
    fn a_throttle_divides_by_failures() {
        for (ratio, share) in [(0.1, 0.09090909091), (0.5, 0.3333333333), (0.01, 0.009900990099)] {
            assert_close(throttle_stops_above(ratio), share, ratio);
        }
    }

    /// retry_budget_cap.csv: ratio, retries, p, load.
    #[test]
    fn a_budget_caps_the_load() {
        for (ratio, retries, p_fail, load) in [
            (0.1, 1, 0.05, 1.05),
            (0.1, 1, 0.5, 1.1),
            (0.1, 3, 0.01, 1.010101),
            (0.1, 3, 0.1, 1.1),
            (0.1, 3, 1.0, 1.1),
            (0.2, 1, 0.2, 1.2),
            (0.2, 3, 0.1, 1.111),
            (0.2, 3, 0.5, 1.2),
            (0.25, 1, 1.0, 1.25),
            (0.25, 3, 0.2, 1.248),
        ] {
            assert_close(budgeted_load(p_fail, retries, ratio), load, (ratio, retries, p_fail));
        }
    }

    /// breaker_duty_cycle.csv: calls per second, open time, probes, probes per second, share admitted.
    #[test]
    fn a_breaker_lets_few_through() {
        for (calls_per_sec, open_secs, probes, rate, admitted) in [
            (1.0, 5.0, 1.0, 0.1666666667, 0.1666666667),
            (1.0, 5.0, 3.0, 0.375, 0.375),
            (1.0, 30.0, 10.0, 0.25, 0.25),
            (1.0, 60.0, 3.0, 0.04761904762, 0.04761904762),
            (10.0, 5.0, 3.0, 0.5660377358, 0.05660377358),
            (10.0, 30.0, 1.0, 0.03322259136, 0.003322259136),
            (10.0, 60.0, 10.0, 0.1639344262, 0.01639344262),
            (100.0, 5.0, 10.0, 1.960784314, 0.01960784314),
            (100.0, 60.0, 1.0, 0.01666388935, 0.0001666388935),
            (1000.0, 5.0, 3.0, 0.5996402159, 0.0005996402159),
            (1000.0, 30.0, 10.0, 0.3332222592, 0.0003332222592),
            (1000.0, 60.0, 10.0, 0.1666388935, 0.0001666388935),
        ] {
            let cycle = BreakerCycle { calls_per_sec, open_secs, probes };
            assert_close(cycle.probes_per_sec(), rate, cycle);
            assert_close(cycle.admitted(), admitted, cycle);
        }
    }

    /// metastable_fluid.csv: capacity, offered, retries, boundary, class.
    #[test]
    fn the_boundary_of_metastable_failure() {
        for (capacity, offered, retries, above, vulnerable) in [
            (300.0, 280.0, 1, 150.0, true),
            (300.0, 150.0, 1, 150.0, false),
            (300.0, 149.0, 1, 150.0, false),
            (1000.0, 870.0, 3, 250.0, true),
            (1000.0, 700.0, 3, 250.0, true),
            (1000.0, 250.0, 3, 250.0, false),
            (1000.0, 249.0, 3, 250.0, false),
            (1000.0, 700.0, 0, 1000.0, false),
        ] {
            assert_close(capacity * vulnerable_above(retries), above, (capacity, retries));
            assert_eq!(
                is_vulnerable(offered / capacity, retries),
                vulnerable,
                "{offered} of {capacity}, {retries}"
            );
        }
        assert!(!is_vulnerable(1.2, 1), "what never could carry its load is overloaded, not vulnerable");
    }

    /// Measured over 4000 simulated processes each: .335, .485, .796 at 1.5, 2 and 5.
    #[test]
    fn a_branching_process_survives() {
        for (offspring, survival, measured) in [(1.5, 1.0 / 3.0, 0.335), (2.0, 0.5, 0.485), (5.0, 0.8, 0.796)]
        {
            assert_close(branching_survival(offspring), survival, offspring);
            let four_errors = 4.0 * (survival * (1.0 - survival) / 4_000.0_f64).sqrt();
            assert!((branching_survival(offspring) - measured).abs() < four_errors);
        }
        assert_eq!((branching_survival(1.0), branching_survival(0.0)), (0.0, 0.0));
    }

    /// mm1_feedback_retry_exact.csv: lambda, p, effective lambda, attempts, mean total time, L.
    #[test]
    fn feedback_agrees() {
        for (utilisation, p_fail, effective, attempts, total, in_system) in [
            (0.2, 0.0, 0.2, 1.0, 1.25, 0.25),
            (0.2, 0.1, 0.2222222222, 1.111111111, 1.428571429, 0.2857142857),
            (0.2, 0.5, 0.4, 2.0, 3.333333333, 0.6666666667),
            (0.4, 0.2, 0.5, 1.25, 2.5, 1.0),
            (0.4, 0.3, 0.5714285714, 1.428571429, 3.333333333, 1.333333333),
            (0.4, 0.5, 0.8, 2.0, 10.0, 4.0),
            (0.5, 0.2, 0.625, 1.25, 3.333333333, 1.666666667),
            (0.5, 0.3, 0.7142857143, 1.428571429, 5.0, 2.5),
            (0.6, 0.1, 0.6666666667, 1.111111111, 3.333333333, 2.0),
            (0.6, 0.3, 0.8571428571, 1.428571429, 10.0, 6.0),
            (0.8, 0.0, 0.8, 1.0, 5.0, 4.0),
            (0.8, 0.1, 0.8888888889, 1.111111111, 10.0, 8.0),
        ] {
            let queue = FeedbackRetry { utilisation, p_fail };
            assert_close(queue.effective_utilisation(), effective, queue);
            assert_close(queue.attempts(), attempts, queue);
            assert_close(queue.mean_total_time(), total, queue);
            assert_close(queue.mean_in_system(), in_system, queue);
        }
        let flooded = FeedbackRetry { utilisation: 0.8, p_fail: 0.3 };
        assert_eq!((flooded.mean_in_system(), flooded.mean_total_time()), (f64::INFINITY, f64::INFINITY));
    }
}
