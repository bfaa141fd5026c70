//! A latency distribution on a terminal: buckets of a logarithmic scale with bars, the share of each,
//! where the percentiles fall, and a box plot on the same scale.

use super::chart::below;
use crate::text::number::{count, duration, or_nothing, percent, roughly};
use crate::text::table::Grid;
use crate::text::{Paint, Style, fit, pad, pad_left, width};
use sim_core::math;
use sim_models::report::{Latency, Response};
use std::collections::BTreeMap;

/// The most rows of bars.
const ROWS: usize = 16;

/// The page of one distribution.
pub fn distribution(latency: &Latency, style: Style) -> Vec<String> {
    let (Some(max), Some(&(lowest, _))) = (latency.max, latency.histogram.first()) else {
        return vec![format!("  nothing was counted{}", beyond(latency))];
    };
    let mut lines = vec![format!(
        "  {} counted, mean {}, from {} to {}{}",
        count(latency.count),
        or_nothing(latency.mean, duration),
        duration(lowest.min(max)),
        duration(max),
        beyond(latency),
    )];
    lines.push(String::new());
    lines.extend(bars(latency, style));
    lines.push(String::new());
    lines.extend(box_plot(latency, style));
    lines.push(String::new());
    lines.extend(percentiles([("", latency)], style));
    lines
}

fn beyond(latency: &Latency) -> String {
    match latency.overflow {
        0 => String::new(),
        n => format!("; {} longer than an hour are in no bucket", count(n)),
    }
}

/// A table of percentiles, a row for each distribution.
pub fn percentiles<'a>(rows: impl IntoIterator<Item = (&'a str, &'a Latency)>, style: Style) -> Vec<String> {
    let mut grid = Grid::new()
        .words("")
        .numbers(["count", "mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"]);
    for (name, l) in rows {
        let times =
            [l.mean, l.p50, l.p90, l.p95, l.p99, l.p999, l.p9999, l.max].map(|t| or_nothing(t, duration));
        grid.row([name.to_string(), count(l.count)].into_iter().chain(times));
    }
    grid.text(2, style)
}

/// The same of all calls, answered or not.
pub fn of_all<'a>(rows: impl IntoIterator<Item = (&'a str, &'a Response)>, style: Style) -> Vec<String> {
    let mut grid = Grid::new().words("").numbers([
        "calls",
        "not answered",
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "p99.99",
    ]);
    for (name, r) in rows {
        let time =
            |t: Option<u64>| t.map_or_else(|| if r.is_empty() { "-" } else { "longer" }.into(), duration);
        let times = [r.p50, r.p90, r.p95, r.p99, r.p999, r.p9999].map(time);
        grid.row([name.to_string(), count(r.count), count(r.unanswered)].into_iter().chain(times));
    }
    grid.text(2, style)
}

/// Several distributions over each other: a name, the calls that ended well, and how many did not. A row of bars for each range, each of a
/// share of all calls of its distribution.
pub fn overlay(curves: &[(String, &Latency, u64)], style: Style) -> Vec<String> {
    let mut union: BTreeMap<u64, u64> = BTreeMap::new();
    for (value, count) in curves.iter().flat_map(|(_, latency, _)| &latency.histogram) {
        *union.entry(*value).or_default() += count;
    }
    let union = Latency { histogram: union.into_iter().collect(), ..Latency::default() };
    let ranges = ranges(&union);
    // Shares of each, the last those that were not answered.
    let shares: Vec<Vec<f64>> = curves
        .iter()
        .map(|(_, latency, unanswered)| {
            let mut counts = vec![0; ranges.len() + 1];
            for &(value, count) in &latency.histogram {
                counts[ranges.partition_point(|range| range.to < value).min(ranges.len() - 1)] += count;
            }
            counts[ranges.len()] = *unanswered;
            let all = (latency.count + unanswered).max(1) as f64;
            counts.into_iter().map(|count| count as f64 / all).collect()
        })
        .collect();
    let most = shares.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut labels: Vec<String> =
        ranges.iter().map(|range| format!("up to {}", duration(range.to))).collect();
    labels.push("not answered".into());
    let label_width = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    let each =
        (style.columns().saturating_sub(4 + label_width) / curves.len().max(1)).saturating_sub(2).max(12);
    let bars = each - 9;
    let line = |label: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("  {}", pad(cell, each))).collect();
        format!("  {}{cells}", pad_left(label, label_width)).trim_end().to_string()
    };
    let heads = curves.iter().map(|(name, ..)| fit(name, each, style)).collect();
    let mut lines = vec![style.paint(Paint::Quiet, &line("", heads))];
    for (row, label) in labels.iter().enumerate() {
        let cell = |shares: &Vec<f64>| {
            let share = shares[row];
            let told = if share > 0.0 { roughly(share) } else { String::new() };
            format!("{}{}", pad(&bar(share / most, bars, style), bars), pad_left(&told, 9))
        };
        lines.push(line(label, shares.iter().map(cell).collect()));
    }
    lines
}

/// One range of latencies, above `from` and up to `to`, in nanoseconds. The first one has no lower end.
struct Range {
    from: u64,
    to: u64,
    count: u64,
}

/// Ranges whose ends are round, as fine as fits. They begin near the first percentile: what is faster is
/// in the first one, or a few early birds would take half of the page.
fn ranges(latency: &Latency) -> Vec<Range> {
    let Some(&(highest, _)) = latency.histogram.last() else { return Vec::new() };
    let lowest = quantile(latency, 0.01);
    let ends = |steps: &[u64]| {
        let decades = (0..18).map(|n| 10u64.pow(n));
        let all: Vec<u64> =
            decades.flat_map(|decade| steps.iter().map(move |step| decade * step / 10)).collect();
        let start = all.partition_point(|&end| end < lowest).saturating_sub(1);
        let stop = all.partition_point(|&end| end < highest).min(all.len() - 1);
        all[start..=stop.max(start + 1)].to_vec()
    };
    let steps =
        [&[10, 12, 15, 20, 25, 30, 40, 50, 60, 80][..], &[10, 15, 20, 30, 50, 70], &[10, 20, 50], &[10]];
    let finest = steps.map(ends).into_iter().find(|ends| ends.len() <= ROWS + 1);
    let ends = finest.unwrap_or_else(|| ends(&[10]));
    let mut ranges: Vec<Range> =
        ends.windows(2).map(|pair| Range { from: pair[0], to: pair[1], count: 0 }).collect();
    for &(value, count) in &latency.histogram {
        let index = ranges.partition_point(|range| range.to < value).min(ranges.len() - 1);
        ranges[index].count += count;
    }
    ranges
}

fn bars(latency: &Latency, style: Style) -> Vec<String> {
    let ranges = ranges(latency);
    let largest = ranges.iter().map(|range| range.count).max().unwrap_or(0).max(1);
    let last = ranges.len().saturating_sub(1);
    let marks = [
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p99", latency.p99),
        ("p99.9", latency.p999),
        ("p99.99", latency.p9999),
        ("max", latency.max),
    ];
    let marks_of = |index: usize| {
        let range = &ranges[index];
        let inside = |at: u64| (index == 0 || at > range.from) && (index == last || at <= range.to);
        let here: Vec<&str> =
            marks.iter().filter(|(_, at)| at.is_some_and(inside)).map(|(name, _)| *name).collect();
        here.join(" ")
    };
    let marks_width = (0..ranges.len()).map(|index| width(&marks_of(index))).max().unwrap_or(0);
    let from_width = ranges.iter().map(|range| width(&duration(range.from))).max().unwrap_or(0);
    let to_width = ranges.iter().map(|range| width(&duration(range.to))).max().unwrap_or(0);
    let left = 2 + from_width + 4 + to_width + 2;
    // A narrow page keeps the bars and leaves out the running total.
    let total_width = if style.columns() < 80 { 0 } else { 12 };
    let columns = style.columns().saturating_sub(left + 10 + total_width + 2 + marks_width);
    let heads = pad_left("share", left + columns + 10);
    let heads = if total_width > 0 { heads + &pad_left("up to here", total_width) } else { heads };
    let mut lines = vec![style.paint(Paint::Quiet, &heads)];
    let total = latency.count.max(1) as f64;
    let mut up_to_here = 0;
    for (index, range) in ranges.iter().enumerate() {
        up_to_here += range.count;
        let (from, to) = (duration(range.from), duration(range.to));
        let label = match index {
            0 => format!("{} {}", pad_left("up to", from_width + 3), pad_left(&to, to_width)),
            _ => format!("{} to {}", pad_left(&from, from_width), pad_left(&to, to_width)),
        };
        let bar = bar(range.count as f64 / largest as f64, columns, style);
        let mut shares = pad_left(&percent(range.count as f64 / total), 10);
        if total_width > 0 {
            shares += &pad_left(&percent(up_to_here as f64 / total), total_width);
        }
        let marks = style.paint(Paint::Strong, &marks_of(index));
        lines.push(format!("  {label}  {}{shares}  {marks}", pad(&bar, columns)).trim_end().to_string());
    }
    lines
}

/// A bar of this share of `columns`, to an eighth of a column; anything at all is seen.
fn bar(share: f64, columns: usize, style: Style) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if share <= 0.0 {
        return String::new();
    }
    if !style.unicode {
        return "#".repeat(((share * columns as f64).round() as usize).max(1));
    }
    let eighths = ((share * columns as f64 * 8.0).round() as usize).max(1);
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

/// First percentile, quartiles, 99th percentile and maximum on a logarithmic scale.
fn box_plot(latency: &Latency, style: Style) -> Vec<String> {
    let (Some(max), Some(p50), Some(p99)) = (latency.max, latency.p50, latency.p99) else {
        return Vec::new();
    };
    let [p1, p25, p75] = [0.01, 0.25, 0.75].map(|share| quantile(latency, share));
    let columns = style.columns() - 4;
    let (low, high) = (math::ln(p1.max(1) as f64), math::ln(max.max(2) as f64));
    let at = |ns: u64| {
        let along = if high > low { (math::ln(ns.max(1) as f64) - low) / (high - low) } else { 0.0 };
        (along.clamp(0.0, 1.0) * (columns - 1) as f64).round() as usize
    };
    let (line, body, left, middle, right, end) =
        style.pick(('─', '█', '├', '┃', '┤', '┼'), ('-', '=', '|', '|', '|', '+'));
    let mut row = vec![' '; columns];
    row[at(p1)..=at(max)].fill(line);
    row[at(p25)..=at(p75)].fill(body);
    row[at(p1)] = left;
    row[at(p99)] = end;
    row[at(max)] = right;
    row[at(p50)] = middle;
    // Where two touch, the one that is asked for more often.
    let ticks = [(p50, "p50"), (max, "max"), (p1, "p1"), (p99, "p99"), (p75, "p75"), (p25, "p25")]
        .map(|(ns, name)| (at(ns), format!("{name} {}", duration(ns))));
    let row: String = row.into_iter().collect();
    vec![format!("  {}", row.trim_end()), format!("  {}", below(&ticks, columns))]
}

/// The smallest bucket value that covers this share of what is in buckets.
fn quantile(latency: &Latency, share: f64) -> u64 {
    let total: u64 = latency.histogram.iter().map(|(_, count)| count).sum();
    let rank = ((share * total as f64).ceil() as u64).max(1);
    let mut seen = 0;
    let found = latency.histogram.iter().find(|(_, count)| {
        seen += count;
        seen >= rank
    });
    found.map_or(0, |&(value, _)| value.min(latency.max.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimDuration;
    use sim_core::stats::LatencyHistogram;

    /// Ten thousand exponential latencies with a mean of 10 ms, and a hundred that waited for a retry.
    fn two_humps() -> Latency {
        let mut histogram = LatencyHistogram::new();
        for n in 0..10_000 {
            let u = (f64::from(n) + 0.5) / 10_000.0;
            histogram.record(SimDuration::from_nanos_f64(-1e7 * math::ln_1p(-u)));
        }
        (0..100).for_each(|n| histogram.record(SimDuration::from_micros(200_000 + n * 100)));
        Latency::of(&histogram)
    }

    #[test]
    fn a_distribution() {
        let lines = distribution(&two_humps(), Style::default());
        assert!(lines.iter().all(|line| width(line) <= 100));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn narrow_and_in_ascii() {
        let style = Style { width: 60, unicode: false, ..Style::default() };
        let lines = distribution(&two_humps(), style);
        assert!(lines.iter().all(|line| line.is_ascii() && width(line) <= 60), "{}", lines.join("\n"));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn every_count_is_in_one_range() {
        for latency in [two_humps(), one(1), one(1_000), one(3_600_000_000_000)] {
            let ranges = ranges(&latency);
            assert!(ranges.len() <= ROWS, "{}", ranges.len());
            assert_eq!(ranges.iter().map(|range| range.count).sum::<u64>(), latency.count - latency.overflow);
        }
    }

    fn one(ns: u64) -> Latency {
        let mut histogram = LatencyHistogram::new();
        histogram.record(SimDuration::from_nanos(ns));
        Latency::of(&histogram)
    }

    #[test]
    fn nothing_and_one_are_drawn_without_inventing_numbers() {
        assert_eq!(distribution(&Latency::default(), Style::default()), ["  nothing was counted"]);
        let page = distribution(&one(1_234_567), Style::default()).join("\n");
        assert!(page.contains("1 counted, mean 1.23 ms") && !page.contains("NaN"), "{page}");
        let page = distribution(&one(7_200_000_000_000), Style::default()).join("\n");
        assert!(page.contains("longer than an hour"), "{page}");
    }
}
