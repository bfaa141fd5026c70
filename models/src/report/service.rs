//! What one service did: its queues and workers, all replicas together.

use super::count::is_zero;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Queues and workers of one service, its replicas together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Replicas.
    pub replicas: u32,
    /// Workers of all replicas; cores, where requests share them.
    pub workers: u64,
    /// Places in all queues; absent if unbounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_capacity: Option<u64>,
    /// Attempts that arrived after the warm-up.
    pub arrived: u64,
    /// Work that was finished.
    pub completed: u64,
    /// Busy time of workers, or of cores where requests share them, over what was available, at most 1.
    pub utilisation: f64,
    /// Mean number waiting in all queues.
    pub queue_mean: f64,
    /// Largest number waiting in any window, all queues together.
    pub queue_max: u64,
    /// Mean wait of requests whose work began, those that found a free worker included, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_mean: Option<u64>,
    /// Little's law, both sides measured apart; absent if nothing was let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub little: Option<Little>,
    /// Own work executed, in nanoseconds of worker time.
    pub work: u64,
    /// Of it: for callers who no longer waited: they had given up, or had got an answer to another attempt.
    pub work_wasted: u64,
    /// `work_wasted / work`; absent without work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasted: Option<f64>,
    /// Of it: for requests that failed in the end, though their callers still waited then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub work_in_vain: u64,
    /// `work_in_vain / work`; absent without work, and where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_vain: Option<f64>,
    /// Replicas that died of their own load, and came back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deaths: u64,
    /// Requests that left before they were done because they were called off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub called_off: u64,
    /// Requests that were taken out of the queue unserved because nobody waited for them any more (`drop_expired`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub expired: u64,
    /// The same over time.
    pub windows: ServiceWindows,
}

/// Little's law of one service, over the measured part of the run: those who wait or hold a worker are, on
/// average, as many as arrive per second times how long they do so. Both sides are summed apart: the number
/// over time, and the times one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Little {
    /// L: the mean number waiting or holding a worker, from the integral of the number over time.
    pub number: f64,
    /// Lambda: requests per second that were let in, to a worker or the queue.
    pub rate: f64,
    /// W: nanoseconds that requests waited or held a worker, per request let in; those who were there when the
    /// measurement began or ended count for what they spent within it.
    pub time: f64,
    /// Lambda W.
    pub product: f64,
}

impl Little {
    /// How far the two sides are apart, as a share of the larger: what rounding leaves, and nothing else.
    pub fn gap(&self) -> f64 {
        match self.number.abs().max(self.product.abs()) {
            0.0 => 0.0,
            larger => (self.number - self.product).abs() / larger,
        }
    }
}

/// A service over time: one number per window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceWindows {
    /// Integral of the number waiting, in nanoseconds.
    pub queue_ns: Vec<u64>,
    /// Largest number waiting in one queue of the service, summed over its queues.
    pub queue_max: Vec<u64>,
    /// Integral of busy workers, in nanoseconds.
    pub busy_ns: Vec<u64>,
    /// Integral of available workers (those of live replicas), in nanoseconds.
    pub available_ns: Vec<u64>,
    /// Requests that were answered; empty where that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub completed: Vec<u64>,
}
