//! A distribution of response times.

use super::count::is_zero;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::stats::LatencyHistogram;
use std::collections::BTreeMap;

/// A distribution of latencies in nanoseconds; percentiles are absent if nothing was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// How many were counted.
    pub count: u64,
    /// Longer than an hour: in `count` and `max`, but in no bucket.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overflow: u64,
    /// Exact mean.
    pub mean: Option<u64>,
    /// Half are at or below.
    pub p50: Option<u64>,
    /// 90 % are at or below.
    pub p90: Option<u64>,
    /// 95 % are at or below.
    pub p95: Option<u64>,
    /// 99 % are at or below.
    pub p99: Option<u64>,
    /// 99.9 % are at or below.
    pub p999: Option<u64>,
    /// 99.99 % are at or below.
    pub p9999: Option<u64>,
    /// Exact maximum.
    pub max: Option<u64>,
    /// The buckets that hold anything: (highest value, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<(u64, u64)>,
}

impl Latency {
    /// The percentiles everyone asks for and the whole histogram.
    pub fn of(histogram: &LatencyHistogram) -> Self {
        Latency {
            count: histogram.count(),
            overflow: histogram.overflow(),
            mean: histogram.mean_ns(),
            max: histogram.max_ns(),
            histogram: histogram.recorded(),
            ..Latency::percentiles(|percent| histogram.percentile_ns(percent))
        }
    }

    /// The histograms of several windows as one.
    pub fn merged(windows: &[Vec<(u64, u64)>]) -> Vec<(u64, u64)> {
        let mut buckets = BTreeMap::new();
        for &(value, count) in windows.iter().flatten() {
            *buckets.entry(value).or_insert(0) += count;
        }
        buckets.into_iter().collect()
    }

    /// The percentiles alone, of a distribution that is asked for each.
    pub(super) fn percentiles(at: impl Fn(f64) -> Option<u64>) -> Self {
        Latency {
            p50: at(50.0),
            p90: at(90.0),
            p95: at(95.0),
            p99: at(99.0),
            p999: at(99.9),
            p9999: at(99.99),
            ..Latency::default()
        }
    }
}
