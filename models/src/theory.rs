//! Closed forms: what queues, retries and routing do on paper, to stand beside what a run measured.
//!
//! Every function states its equation and where it comes from. Times are in whatever unit the mean service
//! time is given in. A queue without a steady state (utilisation 1 or more) waits for ever: times are
//! `INFINITY` then, never NaN, and do not belong into a report, because JSON has no infinity.
//!
//! Everything is computed with [`sim_core::math`], so the same target-independent digits come out everywhere.

mod election;
mod failures;
mod general;
mod lru;
mod parallel;
mod patience;
mod priority;
mod queue;
mod retry;
mod routing;
mod scaling;
mod sharding;
mod throttle;
mod waiting_room;

pub use election::{split_vote, time_to_elect};
pub use failures::{Together, beta_parts, beta_shape, copula_given, k_of_n, unavailability};
pub use general::{Gg1, Mg1, ServiceMoments, allen_cunneen_wait, knee};
pub use lru::{che_time, lru_hit_ratio, ttl_hit_ratio};
pub use parallel::{ForkJoin, any_slow, exponential_max_quantile, harmonic};
pub use patience::ErlangA;
pub use priority::cobham_waits;
pub use queue::{ClosedMm1, Mm1PlusD, Mmc, Mmck, erlang_b, erlang_c};
pub use retry::{
    BreakerCycle, FeedbackRetry, RetryLayers, branching_survival, budgeted_load, expected_attempts,
    is_vulnerable, quota_empties_above, success_after_retries, throttle_stops_above, vulnerable_above,
};
pub use routing::{binomial_pmf, callback_returns, deliveries, same_server};
pub use scaling::{Usl, UslFit};
pub use sharding::{choose, ring_share_cv, shard_overlap, unknown_to_all};
pub use throttle::Throttle;
pub use waiting_room::MmcPlusD;

/// The chance of either of two independent things.
pub fn either(one: f64, other: f64) -> f64 {
    1.0 - (1.0 - one) * (1.0 - other)
}

/// The point in `low..high` from which on `reached` holds, to the last digit of a float; it must hold at `high`.
fn bisect(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if reached(middle) { high = middle } else { low = middle }
    }
}

/// Asserts that a value agrees with a tabulated one of ten significant digits.
#[cfg(test)]
#[track_caller]
fn assert_close(found: f64, expected: f64, what: impl std::fmt::Debug) {
    // Zero stands for what is below the smallest number that the tables print.
    let tolerance = if expected == 0.0 { 1e-15 } else { 1e-9 * expected.abs() };
    assert!((found - expected).abs() <= tolerance, "{what:?}: {found} is not {expected}");
}
