//! The V2 interval log of HdrHistogram (`.hlog`): one histogram per edge and window, tagged with the
//! edge, in virtual seconds since the run began. Read by HistogramLogProcessor, HistogramLogAnalyzer
//! and the Python and JavaScript ports.

use super::hgrm::from_buckets;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use sim_models::report::Report;
use std::time::Duration;

/// Windows keep two significant digits; see `sim_core::stats::LatencyWindows`.
const WINDOW_DIGITS: u8 = 2;
/// Nanoseconds per unit of the column of maxima, which is for people: milliseconds.
const MAX_UNIT: f64 = 1e6;

/// The log of all edges, or of those named. Windows in which nothing was counted are left out.
pub fn interval_log(report: &Report, edges: &[&str]) -> String {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!("[brownout {}, seed {}]", super::clean(&report.experiment), report.run.seed))
        .add_comment("[StartTime: 0.000 (seconds since epoch), virtual]");
    if let Some(why) = &report.stopped {
        builder.add_comment(&format!("[Incomplete: {}]", super::clean(why)));
    }
    builder
        .add_comment("[Response times of calls that ended well, in nanoseconds, to 1 %]")
        .with_max_value_divisor(MAX_UNIT)
        .add_comment(
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
        );
    let mut log = builder.begin_log_with(&mut bytes, &mut serializer).expect("memory accepts everything");
    let chosen: Vec<_> =
        report.edges.iter().filter(|(name, _)| edges.is_empty() || edges.contains(name)).collect();
    let windows = chosen.iter().map(|(_, edge)| edge.windows.latency.len()).max().unwrap_or(0);
    for window in 0..windows {
        let from = Duration::from_nanos(report.run.window * window as u64);
        let to = Duration::from_nanos(report.run.duration).max(from);
        let length = Duration::from_nanos(report.run.window).min(to - from);
        for (name, edge) in &chosen {
            let Some(buckets) = edge.windows.latency.get(window).filter(|buckets| !buckets.is_empty()) else {
                continue;
            };
            let tag = tag(name);
            let tag = Tag::new(&tag).expect("no character of a tag is special");
            log.write_histogram(&from_buckets(buckets, WINDOW_DIGITS), from, length, Some(tag))
                .expect("memory accepts everything, and the bounds are constant");
        }
    }
    String::from_utf8(bytes).expect("the log is ASCII, and names are cleaned")
}

/// The name of an edge as a tag: what would end the tag or the line becomes `_`.
fn tag(name: &str) -> String {
    super::clean(name).replace([',', ' ', '='], "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    use sim_models::report::{Edge, EdgeWindows, RunFacts};

    fn two_edges() -> Report {
        let mut report = Report { experiment: "retry-storm".into(), ..Report::default() };
        report.run =
            RunFacts { seed: 7, duration: 2_500_000_000, window: 1_000_000_000, ..RunFacts::default() };
        for (name, scale) in [("users->checkout", 1), ("odd, name\n=", 10)] {
            let buckets = |from: u64| (from..from + 50).map(|n| (n * n * 20_000 * scale, n)).collect();
            let latency = vec![buckets(10), Vec::new(), buckets(60)];
            report.edges.push(
                name,
                Edge { windows: EdgeWindows { latency, ..EdgeWindows::default() }, ..Edge::default() },
            );
        }
        report
    }

    #[test]
    fn the_crate_reads_back_what_was_written() {
        let log = interval_log(&two_edges(), &[]);
        assert!(log.starts_with("#[Histogram log format version 1.3]\n"), "{log}");
        let entries: Vec<_> =
            IntervalLogIterator::new(log.as_bytes()).map(|entry| entry.expect("parses")).collect();
        let intervals: Vec<_> = entries
            .iter()
            .filter_map(|entry| match entry {
                LogEntry::Interval(log) => Some((
                    log.tag().map(|tag| tag.as_str().to_string()),
                    log.start_timestamp(),
                    log.duration(),
                )),
                _ => None,
            })
            .collect();
        let of = |tag: &str, start, ms| {
            (Some(tag.to_string()), Duration::from_secs(start), Duration::from_millis(ms))
        };
        let expected = [
            ("users->checkout", 0, 1000),
            ("odd__name\\u{a}_", 0, 1000),
            ("users->checkout", 2, 500),
            ("odd__name\\u{a}_", 2, 500),
        ];
        assert_eq!(intervals, expected.map(|(tag, start, ms)| of(tag, start, ms)));
    }

    #[test]
    fn edges_can_be_chosen_and_nothing_is_only_a_head() {
        let one = interval_log(&two_edges(), &["users->checkout"]);
        assert_eq!(one.lines().filter(|line| line.starts_with("Tag=")).count(), 2);
        assert!(interval_log(&Report::default(), &[]).lines().all(|line| line.starts_with('#')));
    }
}
