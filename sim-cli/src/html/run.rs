//! The page of one run.

use super::figure::{Axis, Backdrop, Band, Figure, Line, Num, View, group, over_time, thinned};
use super::latency::{ranges, spectrum, times};
use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again, replicated, traffic, waterfall};
use crate::result;
use crate::result::page::{chosen_edges, kind};
use crate::text::escape as clean;
use crate::text::number::{cell, compact, duration, number, of, off_by, or_nothing, percent, rate};
use sim_models::report::{self, Edge, Report, Unit};
use sim_models::trace::Trace;
use std::ops::Range;

/// The most services whose lines are drawn.
const MOST_SERVICES: usize = 12;

/// What stands around a report on its page.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Expectations, and what to type next.
    pub page: &'a result::page::Page,
    /// Every parameter, defaults written out.
    pub effective: &'a str,
    /// Calls as they went: the slowest, and some that failed.
    pub traces: &'a [Trace],
    /// The command that traces calls of this run.
    pub again: &'a str,
}

/// The page of one run.
pub fn page(report: &Report, around: &Around) -> Page {
    let (word, paint) = kind(report.verdict.kind);
    let stopped = report
        .stopped
        .iter()
        .map(|limit| format!("Stopped early by a limit: {limit}. All of this covers only what was reached."));
    let sections = [
        expectations(around),
        around.page.replicated.as_ref().and_then(replicated::section),
        Section::of("time", "Over time", over_the_run(report)),
        Section::of("latency", "Response time", response_times(report)),
        Section::of("work", "Where the work went", traffic::blocks(report)),
        Section::of("values", "Measured and exact", values(report)),
        Section::of("calls", "Single calls", waterfall::blocks(around.traces, around.again)),
        Section::of(
            "notes",
            "Worth knowing",
            report.notes.iter().map(|note| Block::Note(note.clone())).collect(),
        ),
        again(&around.page.next, &digest(report), around.effective),
    ];
    Page {
        title: report.experiment.clone(),
        about: report.about.clone(),
        facts: facts(report),
        warnings: stopped.collect(),
        verdicts: vec![Verdict {
            word: word.into(),
            paint,
            headline: report.verdict.headline.clone(),
            details: report.verdict.details.clone(),
        }],
        tiles: tiles(report),
        sections: sections.into_iter().flatten().collect(),
        backdrop: backdrop(report),
    }
}

fn facts(report: &Report) -> Vec<String> {
    let run = &report.run;
    let variant = report.variant.iter().map(|variant| format!("variant {variant}"));
    let set = report.overrides.iter().map(|(path, value)| format!("{path}={value}"));
    let length = (run.duration > 0).then(|| duration(run.duration));
    let measured = (run.warm_up > 0).then(|| format!("measured from {} on", duration(run.warm_up)));
    let (model, version) = &report.model;
    variant
        .chain(set)
        .chain([format!("seed {}", run.seed)])
        .chain(length)
        .chain(measured)
        .chain([format!("{} events", compact(run.events)), format!("model {model} {version}")])
        .collect()
}

fn tiles(report: &Report) -> Vec<(String, String)> {
    let summary = &report.summary;
    let users = report.edges.iter().find(|(_, edge)| edge.from_users).map(|(_, edge)| edge);
    let p99 = users.and_then(|edge| edge.latency.p99);
    let recover = match (summary.recovered, summary.time_to_recover) {
        (Some(true), Some(0)) => Some("at once".to_string()),
        (Some(true), Some(ns)) => Some(duration(ns)),
        (Some(false), _) => Some("never".into()),
        _ => None,
    };
    let all = [
        ("offered", summary.offered.map(rate)),
        ("goodput", summary.goodput.map(rate)),
        ("calls that ended well", summary.success.map(percent)),
        ("attempts per call", summary.amplification.map(number)),
        ("work wasted", summary.wasted.map(percent)),
        ("p99 of users", p99.map(duration)),
        ("time to recover", recover),
    ];
    all.into_iter().filter_map(|(what, much)| much.map(|much| (what.to_string(), much))).collect()
}

/// What disturbed the run, where measuring begins, where it ends.
pub fn backdrop(report: &Report) -> Backdrop {
    let seconds = |ns: u64| Num(ns as f64 / 1e9);
    let end = report.run.duration;
    let band = |it: &report::Disturbance| Band {
        name: clean(format!("{} {}", it.what, it.on).trim()),
        from: seconds(it.from),
        to: seconds(it.to.unwrap_or(end)),
    };
    let bands = report.timeline.disturbances.iter().map(band).collect();
    Backdrop { bands, warm_up: seconds(report.run.warm_up), end: seconds(end) }
}

fn digest(report: &Report) -> Vec<(String, String)> {
    let digest = &report.digest;
    let parts =
        [("input", &digest.i), ("trajectory", &digest.t), ("randomness", &digest.r), ("results", &digest.s)];
    let there = parts.into_iter().filter(|(_, hex)| !hex.is_empty());
    there.map(|(name, hex)| (format!("digest of {name}"), hex.clone())).collect()
}

fn expectations(around: &Around) -> Option<Section> {
    let judgement = &around.page.expectations;
    if judgement.judged.is_empty() {
        return None;
    }
    let mut table = Table::new("What the author of the experiment expects")
        .words("")
        .words("expected")
        .numbers(["measured"]);
    for judged in &judgement.judged {
        let (mark, tone) = if judged.holds { ("✓ holds", "good") } else { ("✗ fails", "bad") };
        let claim = match &judged.variant {
            Some(variant) => format!("{variant}: {}", judged.claim),
            None => judged.claim.clone(),
        };
        table.row([Cell::classed(mark, tone), claim.into(), judged.measured.as_str().into()]);
    }
    let mut blocks = vec![Block::Html(table.build())];
    blocks
        .extend(judgement.not_enforced.iter().map(|why| Block::Note(format!("Shown, not enforced: {why}."))));
    Section::of("expected", "Expected", blocks)
}

/// One thing per window, as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Which picture it belongs to.
    pub picture: &'static str,
    /// What it is.
    pub name: String,
    /// What its numbers count.
    pub unit: Unit,
    /// Colour and dashes.
    pub ink: [usize; 2],
    /// One number per window.
    pub values: Vec<f64>,
    /// The most it can be.
    pub of: Option<f64>,
}

/// All that a run tells over time, picture by picture: calls of users, attempts, queues, utilisation, breakers, and what
/// else its model draws.
pub fn tracks(report: &Report) -> Vec<Track> {
    let (edges, _) = chosen_edges(report);
    let services: Vec<_> = report.services.iter().take(MOST_SERVICES).collect();
    let inks = inks(&edges, &services);
    let per_second = |index: usize, n: u64| {
        let left = report.run.duration.saturating_sub(index as u64 * report.run.window);
        n as f64 / (report.run.window.min(left).max(1) as f64 / 1e9)
    };
    let rates = |counts: &[u64]| counts.iter().enumerate().map(|(index, &n)| per_second(index, n)).collect();
    let mut all: Vec<Track> = Vec::new();
    for (index, series) in report.timeline.series.iter().enumerate() {
        let told_below = series.name.starts_with("attempts ") || series.name.starts_with("queue ");
        if told_below && !(edges.is_empty() && services.is_empty()) {
            continue;
        }
        let picture = match series.unit.as_str() {
            "/s" => "Calls of users",
            "share" => "Shares",
            "ns" => "Times",
            _ => "Numbers",
        };
        all.push(Track {
            picture,
            name: series.name.clone(),
            unit: Unit::named(&series.unit),
            ink: if series.name == "goodput" { [0, 0] } else { [7, index + 1] },
            values: series.values.clone(),
            of: series.of,
        });
    }
    let retried = edges.iter().any(|(_, edge)| !edge.from_users || edge.attempts.retries > 0);
    let track = |picture, name: &str, unit, ink, values| Track {
        picture,
        name: name.into(),
        unit,
        ink,
        values,
        of: None,
    };
    for ((name, edge), ink) in edges.iter().zip(&inks).filter(|_| retried) {
        all.push(track("Attempts", name, Unit::Rate, *ink, rates(&edge.windows.attempts)));
    }
    for (index, (name, service)) in services.iter().enumerate() {
        let windows = &service.windows;
        let mean = |(index, &ns): (usize, &u64)| per_second(index, 1) * ns as f64 / 1e9;
        let queue = windows.queue_ns.iter().enumerate().map(mean).collect();
        all.push(Track {
            of: service.queue_capacity.map(|n| n as f64),
            ..track("Queues", name, Unit::Plain, [index, index], queue)
        });
    }
    for (index, (name, service)) in services.iter().enumerate() {
        let windows = &service.windows;
        let busy = windows.busy_ns.iter().zip(&windows.available_ns);
        let share =
            busy.map(|(&busy, &all)| if all > 0 { (busy as f64 / all as f64).min(1.0) } else { f64::NAN });
        all.push(Track {
            of: Some(1.0),
            ..track("Utilisation", name, Unit::Share, [index, index], share.collect())
        });
    }
    for ((name, edge), ink) in edges.iter().zip(&inks).filter(|((_, edge), _)| !edge.breaker.is_empty()) {
        let open = edge.windows.breakers_open.iter().map(|&n| n as f64).collect();
        all.push(track("Breakers open", name, Unit::Plain, *ink, open));
    }
    all.retain(|track| !track.values.is_empty());
    all
}

/// The colour of an edge is that of the service it leads to; dashes tell edges apart.
fn inks(edges: &[(&str, &Edge)], services: &[(&str, &report::Service)]) -> Vec<[usize; 2]> {
    let to = |name: &str| services.iter().position(|(service, _)| name.ends_with(&format!("->{service}")));
    edges.iter().enumerate().map(|(index, (name, _))| [to(name).unwrap_or(index), index]).collect()
}

/// The pictures of the run, one below the other on one time axis.
fn over_the_run(report: &Report) -> Vec<Block> {
    let tracks = tracks(report);
    let mut pictures: Vec<&'static str> = tracks.iter().map(|track| track.picture).collect();
    pictures.dedup();
    let windows = tracks.iter().map(|track| track.values.len()).max().unwrap_or(0);
    let group = group(windows, tracks.len());
    let figure = |picture: &&'static str| {
        let of_it: Vec<&Track> = tracks.iter().filter(|track| track.picture == *picture).collect();
        let lines: Vec<Line> = of_it
            .iter()
            .map(|track| over_time(&track.name, track.ink, &track.values, report.run.window, group))
            .collect();
        let unit = of_it[0].unit;
        // A bound is shown where it is near: an empty queue of a thousand places is not a flat line.
        let peak = of_it
            .iter()
            .flat_map(|track| &track.values)
            .copied()
            .filter(|x| x.is_finite())
            .fold(0.0, f64::max);
        let bound = of_it.iter().filter_map(|track| track.of).fold(0.0, f64::max);
        let y = Axis {
            unit: unit.name(),
            to: (bound > 0.0 && (peak > bound / 2.0 || unit == Unit::Share)).then_some(Num(bound)),
            ..Axis::default()
        };
        let summary = of_it
            .iter()
            .take(6)
            .map(|track| in_words(track, report.run.window))
            .collect::<Vec<_>>()
            .join("; ");
        Block::Figure(Figure {
            id: format!("time-{}", picture.to_lowercase().replace(' ', "-")),
            title: match unit {
                Unit::Rate => format!("{picture}, per second"),
                _ => (*picture).into(),
            },
            note: thinned(group),
            link: "time",
            height: 150,
            views: vec![View { x: time_axis(), y, lines, summary, ..View::default() }],
        })
    };
    pictures.iter().map(figure).collect()
}

/// The time axis that linked figures share.
pub fn time_axis() -> Axis {
    Axis { unit: "s", ..Axis::default() }
}

/// A line for those who cannot see it.
pub fn in_words(track: &Track, window: u64) -> String {
    let show = |x: f64| of(if track.unit == Unit::Rate { x.round() } else { x }, track.unit);
    let numbers = || track.values.iter().copied().enumerate().filter(|(_, x)| x.is_finite());
    let (Some(first), Some(last)) = (numbers().next(), numbers().next_back()) else {
        return format!("{}: nothing measured", track.name);
    };
    let end = |better: fn(f64, f64) -> bool| {
        numbers().reduce(|best, next| if better(next.1, best.1) { next } else { best })
    };
    let (Some(low), Some(high)) = (end(|a, b| a < b), end(|a, b| a > b)) else { return String::new() };
    let at = |index: usize| duration(index as u64 * window);
    if low.1 == high.1 {
        return format!("{}: {} throughout", track.name, show(low.1));
    }
    format!(
        "{}: {} at first, {} at the end, lowest {} at {}, highest {} at {}",
        track.name,
        show(first.1),
        show(last.1),
        show(low.1),
        at(low.0),
        show(high.1),
        at(high.0)
    )
}

fn response_times(report: &Report) -> Vec<Block> {
    let (edges, _) = chosen_edges(report);
    let services: Vec<_> = report.services.iter().take(MOST_SERVICES).collect();
    let inks = inks(&edges, &services);
    let counted: Vec<_> = edges.iter().zip(&inks).filter(|((_, edge), _)| edge.latency.count > 0).collect();
    if counted.is_empty() {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    let over_time = times(&counted.iter().map(|((_, edge), _)| *edge).collect::<Vec<_>>(), report.run.window);
    let mapped: Vec<_> = counted
        .iter()
        .zip(&over_time)
        .filter(|(_, times)| !times.is_empty())
        .map(|(((name, edge), _), times)| (*name, *edge, times))
        .collect();
    if let Some((_, _, first)) = mapped.first() {
        let view = |(name, edge, times): &(&str, &Edge, &super::latency::Times)| View {
            name: clean(name),
            x: time_axis(),
            y: Axis { unit: "ns", log: true, ..Axis::default() },
            heat: Some(times.heat()),
            summary: tail_in_words(edge),
            ..View::default()
        };
        blocks.push(Block::Figure(Figure {
            id: "heat".into(),
            title: "Response time over time".into(),
            note: format!("Calls that ended well, counted when they ended; the lines are the median and the 99th percentile. {}", first.resolution()),
            link: "time",
            height: 280,
            views: mapped.iter().map(view).collect(),
        }));
        let named: Vec<_> = mapped.iter().map(|(name, _, times)| (*name, *times)).collect();
        blocks.push(Block::Html(ranges(&named, &spans(report))));
    }
    let lines: Vec<Line> =
        counted.iter().map(|((name, edge), ink)| spectrum(name, **ink, &edge.latency)).collect();
    let summary = counted
        .iter()
        .map(|((name, edge), _)| format!("{name}: {}", tail_in_words(edge)))
        .collect::<Vec<_>>()
        .join("; ");
    blocks.push(Block::Figure(Figure {
        id: "spectrum".into(),
        title: "Response time by percentile".into(),
        note: "Of calls that ended well, from their intended start; every nine more is as wide as the one before.".into(),
        height: 300,
        views: vec![View {
            x: Axis { unit: "tail", log: true, ..Axis::default() },
            y: Axis { unit: "ns", log: true, ..Axis::default() },
            lines,
            summary,
            ..View::default()
        }],
        ..Figure::default()
    }));
    blocks.push(Block::Html(percentiles(report)));
    blocks
}

fn tail_in_words(edge: &Edge) -> String {
    let l = &edge.latency;
    let time = |ns: Option<u64>| or_nothing(ns, duration);
    format!(
        "median {}, p90 {}, p99 {}, p99.9 {}, at most {}",
        time(l.p50),
        time(l.p90),
        time(l.p99),
        time(l.p999),
        time(l.max)
    )
}

/// The stretches of a run that are worth comparing.
fn spans(report: &Report) -> Vec<(String, Range<u64>)> {
    let (start, end) = (report.run.warm_up, report.run.duration);
    let faults = &report.timeline.disturbances;
    let (Some(from), Some(to)) =
        (faults.iter().map(|it| it.from).min(), faults.iter().map(|it| it.to.unwrap_or(end)).max())
    else {
        return vec![("all".into(), start..end)];
    };
    let all = [("before", start..from), ("during", from.max(start)..to.min(end)), ("after", to..end)];
    let named = |(name, span): (&str, Range<u64>)| {
        (span.end > span.start)
            .then(|| (format!("{name} the fault, {} to {}", duration(span.start), duration(span.end)), span))
    };
    all.into_iter().filter_map(named).collect()
}

fn percentiles(report: &Report) -> String {
    let mut table = Table::new("Response time of calls that ended well; time until failure of the others")
        .words("calls")
        .numbers([
            "ended well",
            "p50",
            "p90",
            "p95",
            "p99",
            "p99.9",
            "p99.99",
            "max",
            "failed: p50",
            "failed: p99",
        ]);
    for (name, edge) in report.edges.iter() {
        let (l, f) = (&edge.latency, &edge.latency_failed);
        let times = [l.p50, l.p90, l.p95, l.p99, l.p999, l.p9999, l.max, f.p50, f.p99];
        let times = times.map(|ns| Cell::from(or_nothing(ns, duration)));
        table.row([Cell::from(name), crate::text::number::count(l.count).into()].into_iter().chain(times));
    }
    table.build()
}

fn values(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !report.values.is_empty() {
        let mut table = Table::new("What was measured, and what theory gives where it does")
            .words("value")
            .numbers(["measured", "standard error", "exact", "off by"])
            .words("what it is")
            .words("exact from");
        for (name, value) in report.values.iter() {
            let unit = Unit::named(&value.unit);
            let show = |x: f64| of(x, unit);
            table.row([
                Cell::from(name),
                or_nothing(value.value, show).into(),
                or_nothing(value.standard_error, show).into(),
                or_nothing(value.exact, show).into(),
                or_nothing(value.value.zip(value.exact), |(value, exact)| off_by(value, exact)).into(),
                value.about.as_str().into(),
                value.source.as_str().into(),
            ]);
        }
        blocks.push(Block::Html(table.build()));
    }
    blocks.extend(report.tables.iter().flat_map(own_table));
    blocks
}

/// A table of a model's own.
fn own_table(own: &report::Table) -> Vec<Block> {
    let words =
        |column: usize| own.rows.iter().any(|row| matches!(row.get(column), Some(report::Cell::Text(_))));
    let table = own.columns.iter().enumerate().fold(Table::new(&own.title), |table, (index, head)| {
        if index == 0 || words(index) { table.words(head) } else { table.numbers([head]) }
    });
    let mut table = table;
    for row in &own.rows {
        let shown = |(index, entry): (usize, &report::Cell)| match (entry, own.units.get(index)) {
            (report::Cell::Number(x), Some(unit)) => Cell::from(of(*x, Unit::named(unit))),
            _ => Cell::from(cell(entry)),
        };
        table.row(row.iter().enumerate().map(shown));
    }
    let note = (!own.note.is_empty()).then(|| Block::Note(own.note.clone()));
    std::iter::once(Block::Html(table.build())).chain(note).collect()
}
