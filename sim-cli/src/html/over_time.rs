//! What a run tells over time, as pictures one below the other.

use super::Block;
use super::figure::{Axis, Figure, Line, Num, View, group, over_time, thinned};
use crate::result::page::chosen_edges;
use crate::text::number::{duration, of};
use sim_models::report::{self, Edge, Report, Unit};

/// The most services whose lines are drawn.
pub(super) const MOST_SERVICES: usize = 12;

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
pub(super) fn inks(edges: &[(&str, &Edge)], services: &[(&str, &report::Service)]) -> Vec<[usize; 2]> {
    let to = |name: &str| services.iter().position(|(service, _)| name.ends_with(&format!("->{service}")));
    edges.iter().enumerate().map(|(index, (name, _))| [to(name).unwrap_or(index), index]).collect()
}

/// The pictures of the run, one below the other on one time axis.
pub(super) fn pictures(report: &Report) -> Vec<Block> {
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
