//! The percentile table of HdrHistogram (`.hgrm`), byte for byte as its Java original prints it with
//! `outputPercentileDistribution(out, 5, 1000000.0)`: values in milliseconds, five ticks in each half of
//! what is left to 100 %.

use hdrhistogram::Histogram;
use sim_core::math;
use sim_models::report::{Latency, Report};

/// Steps in each half of the distance that is left to 100 %.
const TICKS_PER_HALF: u64 = 5;
/// Nanoseconds per millisecond, the unit of the table.
const UNIT: f64 = 1e6;
/// The bounds of every latency histogram of a report; see `sim_core::stats`.
const LOWEST_NS: u64 = 1_000;
const HIGHEST_NS: u64 = 3_600 * 1_000_000_000;

/// The histogram that a report's buckets came from. What was longer than its last bucket is counted in it.
pub fn rebuild(latency: &Latency) -> Histogram<u64> {
    let mut histogram = from_buckets(&latency.histogram, sim_core::stats::SIGNIFICANT_DIGITS);
    // Recording none would still move the maximum.
    if latency.overflow > 0 {
        histogram.saturating_record_n(HIGHEST_NS, latency.overflow);
    }
    histogram
}

/// A histogram of these buckets, (highest value, count), with this many significant digits.
pub fn from_buckets(buckets: &[(u64, u64)], digits: u8) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, digits).expect("constant bounds");
    for &(highest, count) in buckets {
        histogram.saturating_record_n(highest, count);
    }
    histogram
}

/// With a last comment that says so, where the run was cut short.
pub fn of_part(table: String, report: &Report) -> String {
    let why = report.stopped.iter().map(|why| format!("#[Incomplete: {}]\n", super::clean(why)));
    why.fold(table, |table, why| table + &why)
}

/// The whole file.
pub fn percentiles(histogram: &Histogram<u64>) -> String {
    let digits = usize::from(histogram.sigfig());
    let ms = |ns: f64| format!("{:>12}", half_up(ns / UNIT, digits));
    let mut out =
        format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for step in steps(histogram) {
        let share = step.percentile / 100.0;
        out += &format!("{} {} {:>10}", ms(step.value as f64), half_up(share, 12), step.total);
        if step.percentile != 100.0 {
            out += &format!(" {:>14}", half_up(1.0 / (1.0 - share), 2));
        }
        out.push('\n');
    }
    let (mean, deviation) = mean_and_deviation(histogram);
    let highest = if histogram.is_empty() { 0 } else { histogram.max() };
    out += &format!("#[Mean    = {}, StdDeviation   = {}]\n", ms(mean), ms(deviation));
    out += &format!("#[Max     = {}, Total count    = {:>12}]\n", ms(highest as f64), histogram.len());
    let sub_buckets = 2 * 10u64.pow(u32::from(histogram.sigfig()));
    out + &format!(
        "#[Buckets = {:>12}, SubBuckets     = {:>12}]\n",
        histogram.buckets(),
        sub_buckets.next_power_of_two()
    )
}

struct Step {
    value: u64,
    percentile: f64,
    total: u64,
}

/// The original's iterator: each tick is reached in the first bucket that covers it, and a bucket that
/// covers several is listed once for each.
fn steps(histogram: &Histogram<u64>) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut level, mut total) = (0.0, 0);
    for bucket in histogram.iter_recorded() {
        let value = histogram.highest_equivalent(bucket.value_iterated_to());
        total += bucket.count_at_value();
        while 100.0 * total as f64 / histogram.len() as f64 >= level {
            if total == histogram.len() && steps.last().is_some_and(|last: &Step| last.total == total) {
                break;
            }
            steps.push(Step { value, percentile: level, total });
            level += 100.0 / ticks(level) as f64;
        }
    }
    if let Some(last) = steps.last() {
        let (value, total) = (last.value, last.total);
        steps.push(Step { value, percentile: 100.0, total });
    }
    steps
}

/// How many ticks the whole would have at the width they have at `level`.
fn ticks(level: f64) -> u64 {
    let halvings = (math::ln(100.0 / (100.0 - level)) / math::ln(2.0)) as u32 + 1;
    TICKS_PER_HALF << halvings
}

fn mean_and_deviation(histogram: &Histogram<u64>) -> (f64, f64) {
    if histogram.is_empty() {
        return (0.0, 0.0);
    }
    let buckets = || {
        histogram.iter_recorded().map(|bucket| {
            (histogram.median_equivalent(bucket.value_iterated_to()) as f64, bucket.count_at_value() as f64)
        })
    };
    let count = histogram.len() as f64;
    let mean = buckets().fold(0.0, |sum, (value, n)| sum + value * n) / count;
    let squares = buckets().fold(0.0, |sum, (value, n)| sum + (value - mean) * (value - mean) * n);
    (mean, (squares / count).sqrt())
}

/// `x` to so many decimals as Java prints it: its shortest digits, rounded half up (Rust rounds the
/// exact binary value, and half to even).
fn half_up(x: f64, decimals: usize) -> String {
    let shortest = x.to_string();
    let (whole, fraction) = shortest.split_once('.').unwrap_or((&shortest, ""));
    if fraction.len() <= decimals {
        return format!("{whole}.{fraction:0<decimals$}");
    }
    let kept = format!("{whole}{}", &fraction[..decimals]);
    let up = fraction.as_bytes()[decimals] >= b'5';
    let rounded = (kept.parse::<u128>().expect("digits") + u128::from(up)).to_string();
    let rounded = format!("{rounded:0>width$}", width = decimals + 1);
    let (whole, fraction) = rounded.split_at(rounded.len() - decimals);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimDuration;
    use sim_core::stats::LatencyHistogram;

    #[test]
    fn java_rounds_the_shortest_digits_half_up() {
        for (x, decimals, text) in [
            (0.125, 2, "0.13"),
            (1.0005, 3, "1.001"),
            (0.999_877_929_687_5, 12, "0.999877929688"),
            (9.999_96, 3, "10.000"),
            (2.0, 2, "2.00"),
            (0.05, 1, "0.1"),
            (1e-7, 3, "0.000"),
        ] {
            assert_eq!(half_up(x, decimals), text, "{x}");
        }
    }

    #[test]
    fn buckets_give_back_the_histogram_they_came_from() {
        let mut source = LatencyHistogram::new();
        (1..2_000u64).for_each(|n| source.record(SimDuration::from_nanos(n * n * 997)));
        source.record(SimDuration::from_secs(4_000));
        let latency = Latency::of(&source);
        let rebuilt = rebuild(&latency);
        assert_eq!(rebuilt.len(), source.count());
        let again: Vec<(u64, u64)> =
            rebuilt.iter_recorded().map(|b| (b.value_iterated_to(), b.count_at_value())).collect();
        assert_eq!(again[..again.len() - 1], latency.histogram);
        assert_eq!(again.last(), Some(&(rebuilt.highest_equivalent(HIGHEST_NS), 1)));
    }

    /// `testdata/java-2.1.11.hgrm` was printed by HdrHistogram 2.1.11 for Java from a
    /// `Histogram(1000, 3600 * 1000000000L, 3)` of the same values.
    #[test]
    fn the_table_is_that_of_the_java_original() {
        let mut source = LatencyHistogram::new();
        for n in 1..2_000u64 {
            (0..=n % 7).for_each(|_| source.record(SimDuration::from_nanos(n * n * 997)));
        }
        assert_eq!(percentiles(&rebuild(&Latency::of(&source))), include_str!("testdata/java-2.1.11.hgrm"));
    }

    #[test]
    fn nothing_recorded_is_a_table_without_rows() {
        let empty = percentiles(&rebuild(&Latency::default()));
        assert!(empty.contains("Mean    =        0.000") && empty.lines().count() == 5, "{empty}");
    }
}
