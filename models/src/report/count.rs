//! Sums, areas, ratios: what reports are counted with.

use sim_core::SimDuration;
use std::ops::Range;

/// The sum of those windows; a series that is shorter has nothing there.
pub(super) fn sum(series: &[u64], windows: &Range<usize>) -> u64 {
    part(series, windows).iter().sum()
}

/// The sum of nanoseconds of work, or of a queue's length over time: 64 bits hold each of them, not all.
pub(super) fn area(nanos: impl IntoIterator<Item = u64>) -> f64 {
    nanos.into_iter().map(u128::from).sum::<u128>() as f64
}

/// One area as a share of another over those windows, if there is any.
pub(super) fn share(of: &[u64], whole: &[u64], windows: &Range<usize>) -> Option<f64> {
    let [of, whole] = [of, whole].map(|series| area(part(series, windows).iter().copied()));
    (whole > 0.0).then(|| of / whole)
}

/// Those windows; a series that is shorter has nothing there.
pub(super) fn part<'a, T>(series: &'a [T], windows: &Range<usize>) -> &'a [T] {
    let end = windows.end.min(series.len());
    &series[windows.start.min(end)..end]
}

/// `part / whole`, if there is a whole.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How many per second over so many nanoseconds.
pub(super) fn per_second(count: u64, nanos: u64) -> Option<f64> {
    (nanos > 0).then(|| count as f64 / SimDuration::from_nanos(nanos).as_secs_f64())
}

/// What is left out of a report.
pub(super) fn is_zero(n: &u64) -> bool {
    *n == 0
}
