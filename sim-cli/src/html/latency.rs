//! Response times: over time as a map of heat, per range as boxes, and their tail as a spectrum.

use super::bars;
use super::figure::{At, Heat, Line, Num};
use super::table::{Cell, Table};
use crate::text::escape as clean;
use crate::text::number::{count, duration, or_nothing, percent, roughly};
use sim_core::math;
use sim_models::report::{Edge, Latency};
use std::collections::BTreeMap;
use std::ops::Range;

/// The most numbers of all maps of a page together.
const CELLS: usize = 60_000;
/// The most columns of a map.
const COLUMNS: usize = 400;
/// Buckets of each doubling, finest first: the first that fits is taken.
const PER_OCTAVE: [u64; 4] = [32, 16, 8, 4];
/// A point of a spectrum is kept if it is that much farther along either axis than the one before.
const STRIDE: f64 = 1.015;

/// Counts of one column, by bucket.
type Column = BTreeMap<u64, u64>;

/// Response times of calls over an edge, by column of windows.
#[derive(Clone, Debug)]
pub struct Times {
    per_octave: u64,
    group: usize,
    window: u64,
    columns: Vec<Column>,
    ok: Vec<u64>,
    failed: Vec<u64>,
}

/// All of these edges to the same resolution: the finest that keeps the page small.
pub fn times(edges: &[&Edge], window: u64) -> Vec<Times> {
    let windows = edges.iter().map(|edge| edge.windows.latency.len()).max().unwrap_or(0);
    let group = windows.div_ceil(COLUMNS).max(1);
    // Windows are gone through once, whatever the resolution.
    let merged = |edge: &&Edge| edge.windows.latency.chunks(group).map(Latency::merged).collect();
    let merged: Vec<Vec<Vec<(u64, u64)>>> = edges.iter().map(merged).collect();
    let at = |per_octave: u64| -> Vec<Times> {
        let all = edges.iter().zip(&merged);
        all.map(|(edge, columns)| Times::of(edge, columns, window, group, per_octave)).collect()
    };
    let size = |all: &[Times]| -> usize {
        all.iter().flat_map(|times| &times.columns).map(|column| encode(column).len()).sum()
    };
    PER_OCTAVE.into_iter().map(at).find(|all| size(all) <= CELLS).unwrap_or_else(|| at(PER_OCTAVE[3]))
}

impl Times {
    fn of(edge: &Edge, columns: &[Vec<(u64, u64)>], window: u64, group: usize, per_octave: u64) -> Times {
        let column = |counts: &Vec<(u64, u64)>| {
            let mut column = Column::new();
            for &(value, n) in counts {
                *column.entry(bucket(value, per_octave)).or_default() += n;
            }
            column
        };
        let sums = |counts: &[u64]| counts.chunks(group).map(|part| part.iter().sum()).collect();
        Times {
            per_octave,
            group,
            window,
            columns: columns.iter().map(column).collect(),
            ok: sums(&edge.windows.ok),
            failed: sums(&edge.windows.failed),
        }
    }

    /// As the page's script reads it.
    pub fn heat(&self) -> Heat {
        Heat {
            step: Num(self.window as f64 / 1e9 * self.group as f64),
            per_octave: self.per_octave,
            columns: self.columns.iter().map(encode).collect(),
            ok: self.ok.clone(),
            failed: self.failed.clone(),
        }
    }

    /// Whether any call ended well.
    pub fn is_empty(&self) -> bool {
        self.columns.iter().all(Column::is_empty)
    }

    /// How far a percentile from here may be off, in words.
    pub fn resolution(&self) -> String {
        let columns = match self.group {
            1 => String::new(),
            n => format!(", {n} windows to a column"),
        };
        format!("Percentiles from it are true to {}{columns}.", roughly(0.5 / self.per_octave as f64))
    }

    fn within(&self, span: &Range<u64>) -> Range<usize> {
        let step = self.window.max(1) * self.group as u64;
        let end = (span.end.div_ceil(step) as usize).min(self.columns.len());
        ((span.start / step) as usize).min(end)..end
    }

    /// What ended in a stretch of time: calls that ended well, others, and the response time of the former at
    /// each of [`QUANTILES`].
    pub fn summary(&self, span: &Range<u64>) -> Summary {
        let columns = self.within(span);
        let sum = |counts: &[u64]| counts.get(columns.clone()).map_or(0, |part| part.iter().sum());
        let mut all = Column::new();
        for (bucket, n) in self.columns[columns.clone()].iter().flatten() {
            *all.entry(*bucket).or_default() += n;
        }
        let total: u64 = all.values().sum();
        let at = |share: f64| {
            let rank = ((share * total as f64).ceil() as u64).max(1);
            let mut seen = 0;
            let found = all.iter().find(|(_, n)| {
                seen += **n;
                seen >= rank
            });
            found.map_or(0.0, |(bucket, _)| middle(*bucket, self.per_octave))
        };
        (sum(&self.ok), sum(&self.failed), (total > 0).then(|| QUANTILES.map(at)))
    }
}

/// Calls that ended well, others, and the response time of the former at each of [`QUANTILES`].
pub type Summary = (u64, u64, Option<[f64; 6]>);

/// The same of the calls of an edge that are counted one by one, or of a stretch of it: to 0.1 %.
pub fn counted(edge: &Edge) -> Summary {
    let Latency { count, histogram, .. } = &edge.latency;
    let at = |share: f64| {
        let rank = ((share * *count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let found = histogram.iter().find(|(_, n)| {
            seen += n;
            seen >= rank
        });
        found.map_or(0.0, |(value, _)| *value as f64)
    };
    (
        edge.calls.ok(),
        edge.calls.ended_badly(),
        (*count > 0 && !histogram.is_empty()).then(|| QUANTILES.map(at)),
    )
}

/// Whiskers, box, median: what a box plot is made of; and what everyone asks for.
const QUANTILES: [f64; 6] = [0.05, 0.25, 0.5, 0.75, 0.9, 0.99];

/// The bucket of a value: doublings, and equal parts of each.
fn bucket(value: u64, per_octave: u64) -> u64 {
    let value = value.max(1);
    let octave = u64::from(value.ilog2());
    octave * per_octave + ((u128::from(value - (1 << octave)) * u128::from(per_octave)) >> octave) as u64
}

/// The middle of a bucket in nanoseconds.
fn middle(bucket: u64, per_octave: u64) -> f64 {
    let (octave, part) = (bucket / per_octave, bucket % per_octave);
    (1u64 << octave) as f64 * (1.0 + (part as f64 + 0.5) / per_octave as f64)
}

/// The first bucket, then counts, with runs of empty buckets as a negative number.
fn encode(column: &Column) -> Vec<i64> {
    let Some((&first, _)) = column.first_key_value() else { return Vec::new() };
    let mut out = vec![first as i64];
    let mut next = first;
    for (&bucket, &n) in column {
        if bucket > next {
            out.push(-((bucket - next) as i64));
        }
        out.push(n as i64);
        next = bucket + 1;
    }
    out
}

/// How calls ended and how long they took, for each edge in each stretch of time; and a row that the script fills for
/// what is in view.
pub fn ranges(caption: &str, rows: &[(&str, Vec<(String, Summary)>)]) -> String {
    let boxes = || rows.iter().flat_map(|(_, row)| row).filter_map(|(_, (.., quantiles))| *quantiles);
    let low = boxes().map(|q| q[0]).fold(f64::INFINITY, f64::min);
    let high = boxes().map(|q| q[5]).fold(0.0, f64::max);
    let mut table = Table::new(caption)
        .words("calls")
        .words("range")
        .numbers(["ended", "ok"])
        .words("ok | others")
        .numbers(["p50", "p90", "p99"])
        .words("p5 to p99, box p25 to p75, log scale");
    for (view, (name, row)) in rows.iter().enumerate() {
        for (index, (what, (ok, failed, quantiles))) in row.iter().enumerate() {
            let ended = ok + failed;
            let share = (ended > 0).then(|| *ok as f64 / ended as f64);
            let time = |which: usize| or_nothing(*quantiles, |q| duration(q[which] as u64));
            let parts = [("c-ok", "ok", *ok as f64), ("c-bad", "others", *failed as f64)];
            table.row([
                Cell::classed(name, if index == 0 { "" } else { "ditto" }),
                Cell::from(what.as_str()),
                count(ended).into(),
                or_nothing(share, percent).into(),
                Cell::html(bars::stacked(&parts, ended as f64)),
                time(2).into(),
                time(4).into(),
                time(5).into(),
                Cell::html(quantiles.map_or_else(String::new, |q| box_plot(&q, low, high))),
            ]);
        }
        table.template(view, "in view", 9);
    }
    let scale =
        if low.is_finite() { format!(" data-low=\"{low}\" data-high=\"{high}\"") } else { String::new() };
    format!("<div class=\"ranges\"{scale}>{}</div>\n", table.build())
}

/// Whiskers from p5 to p99, a box from p25 to p75, the median across it. The script draws the same.
fn box_plot(quantiles: &[f64; 6], low: f64, high: f64) -> String {
    let width = math::ln(high / low).max(1e-9);
    let x = |ns: f64| ((math::ln(ns / low) / width).clamp(0.0, 1.0) * 1000.0).round();
    let [p5, p25, p50, p75, _, p99] = quantiles.map(x);
    format!(
        "<svg class=\"box\" viewBox=\"-4 0 1008 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <line x1=\"{p5}\" x2=\"{p99}\" y1=\"50\" y2=\"50\"/><line x1=\"{p5}\" x2=\"{p5}\" y1=\"35\" y2=\"65\"/>\
         <line x1=\"{p99}\" x2=\"{p99}\" y1=\"35\" y2=\"65\"/>\
         <rect x=\"{p25}\" y=\"20\" width=\"{}\" height=\"60\"/><line class=\"median\" x1=\"{p50}\" x2=\"{p50}\" y1=\"20\" y2=\"80\"/></svg>",
        (p75 - p25).max(2.0)
    )
}

/// The spectrum of a distribution: response time over `1 / (1 - share)`, so that every nine more is as wide.
pub fn spectrum(name: &str, ink: [usize; 2], latency: &Latency) -> Line {
    let total = latency.histogram.iter().map(|(_, n)| n).sum::<u64>();
    let (mut at, mut values) = (Vec::new(), Vec::new());
    let (mut seen, mut kept) = (0, (0.0, 0.0));
    for (index, (value, n)) in latency.histogram.iter().enumerate() {
        seen += n;
        // The last value holds to the end: its share is that of all but one.
        let tail = total as f64 / (total - seen).max(1) as f64;
        let value = *value as f64;
        let last = index + 1 == latency.histogram.len();
        if last || tail >= kept.0 * STRIDE || value >= kept.1 * STRIDE {
            kept = (tail, value);
            at.push(Num(tail));
            values.push(Some(Num(value)));
        }
    }
    Line { name: clean(name), ink, style: "line", at: At::Each(at), values, ..Line::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::report::EdgeWindows;

    #[test]
    fn buckets_part_each_doubling() {
        for (value, expected) in [(1, 0), (2, 4), (3, 6), (4, 8), (7, 11), (8, 12), (u64::MAX, 63 * 4 + 3)] {
            assert_eq!(bucket(value, 4), expected, "{value}");
        }
        for value in [1_000u64, 12_345_678, 999_999_999] {
            let middle = middle(bucket(value, 32), 32);
            assert!((middle / value as f64 - 1.0).abs() < 0.5 / 32.0, "{value} {middle}");
        }
    }

    #[test]
    fn empty_buckets_are_short() {
        let column: Column = [(100, 5), (101, 6), (200, 7)].into();
        assert_eq!(encode(&column), [100, 5, 6, -98, 7]);
        assert_eq!(encode(&Column::new()), [] as [i64; 0]);
    }

    fn edge(windows: usize, buckets: u64) -> Edge {
        let latency =
            (0..windows).map(|_| (0..buckets).map(|n| (1_000_000 + n * 50_000, 1)).collect()).collect();
        let windows = EdgeWindows {
            ok: vec![buckets; windows],
            failed: vec![1; windows],
            latency,
            ..EdgeWindows::default()
        };
        Edge { windows, ..Edge::default() }
    }

    #[test]
    fn many_windows_and_edges_stay_small_and_lose_no_call() {
        let edge = edge(5_000, 200);
        let all = times(&[&edge; 12], 1_000_000_000);
        let size: usize = all.iter().flat_map(|times| times.heat().columns).map(|column| column.len()).sum();
        assert!(size <= CELLS * 2, "{size}");
        for times in &all {
            assert!(times.columns.len() <= COLUMNS);
            let counted: u64 = times.columns.iter().flat_map(Column::values).sum();
            assert_eq!((counted, times.ok.iter().sum()), (1_000_000, 1_000_000));
        }
    }

    #[test]
    fn a_range_knows_its_calls() {
        let edge = edge(10, 100);
        let times = &times(&[&edge], 1_000_000_000)[0];
        let (ok, failed, quantiles) = times.summary(&(2_000_000_000..5_000_000_000));
        assert_eq!((ok, failed), (300, 3));
        let median = quantiles.expect("calls")[2];
        assert!((median / 3.45e6 - 1.0).abs() < 0.02, "{median}");
        assert_eq!(times.summary(&(0..0)), (0, 0, None));
    }

    #[test]
    fn a_spectrum_goes_from_the_first_to_the_last() {
        let histogram = (1..=1000).map(|n| (n * 1000, 1)).collect();
        let line = spectrum("x", [0, 0], &Latency { histogram, ..Latency::default() });
        let At::Each(at) = line.at else { panic!("each at its own place") };
        assert!(at.len() < 400 && at[0].0 < 1.01, "{}", at.len());
        assert_eq!((at.last(), line.values.last()), (Some(&Num(1000.0)), Some(&Some(Num(1e6)))));
        assert!(spectrum("x", [0, 0], &Latency::default()).values.is_empty());
    }
}
