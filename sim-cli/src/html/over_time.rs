//! What a run tells over time, as pictures one below the other.

use super::Block;
use super::figure::{Axis, Figure, Line, Num, View, group, over_time, thinned};
use super::places::maps;
use crate::result::page::chosen_edges;
use crate::text::number::{duration, of};
use crate::text::{escape as clean, upper_first};
use sim_models::report::{self, Edge, Report, Unit};

/// The most services whose lines are drawn.
pub(super) const MOST_SERVICES: usize = 12;

/// One thing per window, as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Which picture it belongs to.
    pub picture: String,
    /// What it is.
    pub name: String,
    /// The edge or service that it is about, if it is not its name and has no other line in the picture.
    pub about: String,
    /// What its numbers count.
    pub unit: Unit,
    /// Colour and dashes.
    pub ink: [usize; 2],
    /// One number per window.
    pub values: Vec<f64>,
    /// The most it can be.
    pub of: Option<f64>,
}

/// All that a run tells over time, picture by picture: calls of users, those that failed, attempts, queues, utilisation, what mechanisms
/// measured, and what else its model draws. Nothing is drawn twice: each name is in one picture.
pub fn tracks(report: &Report) -> Vec<Track> {
    let (edges, _) = chosen_edges(report);
    let services: Vec<_> = report.services.iter().take(MOST_SERVICES).collect();
    let inks = inks(&edges, &services);
    let mut measured = failures(report, &edges, &inks);
    measured.extend(of_edges(report, &edges, &inks));
    measured.extend(of_services(report, &services));
    let place = |at: &str| {
        let edge = edges.iter().position(|(name, _)| *name == at).map(|edge| inks[edge]);
        edge.or_else(|| services.iter().position(|(name, _)| *name == at).map(|service| [service; 2]))
    };
    measured.extend(of_sections(report, place));
    let mut all: Vec<Track> = Vec::new();
    for (index, series) in report.timeline.series.iter().enumerate() {
        if measured.iter().any(|track| track.name == series.name) {
            continue;
        }
        let unit = Unit::named(&series.unit);
        all.push(Track {
            picture: if unit == Unit::Rate { "Calls of users".into() } else { sorts(unit).into() },
            name: series.name.clone(),
            about: String::new(),
            unit,
            ink: if series.name == "goodput" { [0, 0] } else { [7, index + 1] },
            values: series.values.clone(),
            of: series.of,
        });
    }
    all.extend(measured);
    all.retain(|track| !track.values.is_empty());
    all
}

/// What numbers of a unit are.
fn sorts(unit: Unit) -> &'static str {
    match unit {
        Unit::Rate => "Rates",
        Unit::Share => "Shares",
        Unit::Duration => "Times",
        Unit::Bytes => "Bytes",
        Unit::Plain => "Numbers",
    }
}

/// So many in that window, per second: the last one may be shorter.
fn per_second(report: &Report, window: usize, n: u64) -> f64 {
    let left = report.run.duration.saturating_sub(window as u64 * report.run.window);
    n as f64 / (report.run.window.min(left).max(1) as f64 / 1e9)
}

/// Calls over each edge that ended otherwise than well, by how they ended where that was told; those that most ended so.
fn failures(report: &Report, edges: &[(&str, &Edge)], inks: &[[usize; 2]]) -> Vec<Track> {
    let mut all: Vec<(&str, String, usize, &[u64])> = Vec::new();
    for ((name, edge), [colour, _]) in edges.iter().zip(inks) {
        let told = &edge.windows.failed_by;
        all.extend(told.iter().map(|(how, counts)| (*name, format!("{name} {how}"), *colour, &counts[..])));
        if told.is_empty() {
            all.push((name, format!("failed {name}"), *colour, &edge.windows.failed));
        }
    }
    let sum = |counts: &[u64]| counts.iter().sum::<u64>();
    all.retain(|(.., counts)| sum(counts) > 0);
    // In their own order, like all else.
    let mut most: Vec<u64> = all.iter().map(|(.., counts)| sum(counts)).collect();
    most.sort_unstable_by(|a, b| b.cmp(a));
    let least = most.get(MOST_SERVICES - 1).copied().unwrap_or(0);
    all.retain(|(.., counts)| sum(counts) >= least);
    all.truncate(MOST_SERVICES);
    let edges: Vec<&str> = all.iter().map(|(edge, ..)| *edge).collect();
    let ways = |edge: &str| edges.iter().filter(|other| **other == edge).count();
    let track = |(index, (edge, name, colour, counts)): (usize, (&str, String, usize, &[u64]))| Track {
        picture: "Calls that failed".into(),
        name,
        about: if ways(edge) == 1 { edge.into() } else { String::new() },
        unit: Unit::Rate,
        ink: [colour, index],
        values: counts.iter().enumerate().map(|(at, &n)| per_second(report, at, n)).collect(),
        of: None,
    };
    all.into_iter().enumerate().map(track).collect()
}

/// Attempts over each edge, where that is more than what users call.
fn of_edges(report: &Report, edges: &[(&str, &Edge)], inks: &[[usize; 2]]) -> Vec<Track> {
    if !edges.iter().any(|(_, edge)| !edge.from_users || edge.attempts.retries > 0) {
        return Vec::new();
    }
    let track = |((name, edge), ink): (&(&str, &Edge), &[usize; 2])| Track {
        picture: "Attempts".into(),
        name: format!("attempts {name}"),
        about: (*name).into(),
        unit: Unit::Rate,
        ink: *ink,
        values: edge.windows.attempts.iter().enumerate().map(|(at, &n)| per_second(report, at, n)).collect(),
        of: None,
    };
    edges.iter().zip(inks).map(track).collect()
}

/// Queues, then how busy the workers were.
fn of_services(report: &Report, services: &[(&str, &report::Service)]) -> Vec<Track> {
    let all = || services.iter().enumerate();
    let queue = |(index, (name, service)): (usize, &(&str, &report::Service))| Track {
        picture: "Queues".into(),
        name: format!("queue {name}"),
        about: (*name).into(),
        unit: Unit::Plain,
        ink: [index, index],
        values: (service.windows.queue_ns.iter().enumerate())
            .map(|(window, &ns)| per_second(report, window, 1) * ns as f64 / 1e9)
            .collect(),
        of: service.queue_capacity.map(|n| n as f64),
    };
    let busy = |(index, (name, service)): (usize, &(&str, &report::Service))| Track {
        picture: "Utilisation".into(),
        name: format!("utilisation {name}"),
        about: (*name).into(),
        unit: Unit::Share,
        ink: [index, index],
        values: (service.windows.busy_ns.iter().zip(&service.windows.available_ns))
            .map(|(&busy, &all)| if all > 0 { (busy as f64 / all as f64).min(1.0) } else { f64::NAN })
            .collect(),
        of: Some(1.0),
    };
    all().map(queue).chain(all().map(busy)).collect()
}

/// What mechanisms measured: a picture for each kind and unit, and in it a line for each that is ever more than nothing.
/// A place has the colour of the edge or service that it is.
fn of_sections(report: &Report, place: impl Fn(&str) -> Option<[usize; 2]>) -> Vec<Track> {
    let mut all: Vec<Track> = Vec::new();
    for (index, section) in
        report.sections.iter().enumerate().filter(|(_, section)| section.part_of().is_none())
    {
        for line in section.series.iter().filter(|line| line.values.iter().any(|x| *x != 0.0)) {
            let unit = Unit::named(&line.unit);
            let kind = upper_first(&section.kind.replace('_', " "));
            let picture = match unit {
                Unit::Plain => kind,
                _ => format!("{kind}, {}", sorts(unit).to_lowercase()),
            };
            let [colour, _] = place(&section.at).unwrap_or([7, index]);
            let drawn = all.iter().filter(|track| track.picture == picture).count();
            if drawn < MOST_SERVICES {
                all.push(Track {
                    picture,
                    name: section.title(line),
                    about: if section.series.len() == 1 { section.at.clone() } else { String::new() },
                    unit,
                    ink: [colour, drawn],
                    values: line.values.clone(),
                    of: line.of,
                });
            }
        }
    }
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
    let mut pictures: Vec<&str> = Vec::new();
    for track in &tracks {
        if !pictures.contains(&track.picture.as_str()) {
            pictures.push(&track.picture);
        }
    }
    let windows = tracks.iter().map(|track| track.values.len()).max().unwrap_or(0);
    let group = group(windows, tracks.len());
    let figure = |picture: &&str| {
        let of_it: Vec<&Track> = tracks.iter().filter(|track| track.picture == *picture).collect();
        let lines: Vec<Line> = of_it
            .iter()
            .map(|track| Line {
                about: clean(&track.about),
                ..over_time(&track.name, track.ink, &track.values, report.run.window, group)
            })
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
        let bounded = bound > 0.0 && (peak > bound / 2.0 || unit == Unit::Share);
        let y = Axis {
            unit: unit.name(),
            to: bounded.then_some(Num(bound)),
            cut: cut(&of_it).filter(|_| !bounded).map(Num),
            ..Axis::default()
        };
        let summary = of_it
            .iter()
            .take(6)
            .map(|track| in_words(track, report.run.window))
            .collect::<Vec<_>>()
            .join("; ");
        Block::Figure(Figure {
            id: format!("time-{}", words(picture)),
            title: match unit {
                Unit::Rate => clean(&format!("{picture}, per second")),
                _ => clean(picture),
            },
            note: thinned(group),
            link: "time",
            // As many names have room at the ends of the lines.
            height: 150.max(70 + 13 * of_it.len().min(MOST_SERVICES) as u32),
            views: vec![View { x: time_axis(), y, lines, summary, ..View::default() }],
        })
    };
    pictures.iter().map(figure).chain(maps(report)).collect()
}

/// What is so many times as high as all else presses it to the floor.
const PRESSES: f64 = 8.0;

/// Where a picture of these is cut: twice as high as all but one window in twenty of the highest line, if the rest is so much
/// higher that nothing would be seen below it.
pub(super) fn cut(tracks: &[&Track]) -> Option<f64> {
    let (mut usual, mut peak) = (0.0, 0.0);
    for track in tracks {
        let mut values: Vec<f64> = track.values.iter().copied().filter(|x| x.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        usual = f64::max(
            usual,
            values.get((values.len() * 19 / 20).min(values.len().saturating_sub(1))).copied().unwrap_or(0.0),
        );
        peak = f64::max(peak, values.last().copied().unwrap_or(0.0));
    }
    (usual > 0.0 && peak > PRESSES * usual).then_some(2.0 * usual)
}

/// A text as the id of a figure.
fn words(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;
    use sim_models::report::Section;

    /// What is told below is left out of the picture that the model drew, and what a mechanism measured has a picture for
    /// each unit.
    #[test]
    fn a_burst_is_cut_and_a_storm_is_not() {
        let track = |values: Vec<f64>| Track {
            picture: "Attempts".into(),
            name: "attempts".into(),
            about: String::new(),
            unit: Unit::Rate,
            ink: [0, 0],
            values,
            of: None,
        };
        let with = |high: usize| {
            let mut values = vec![10.0; 100];
            values[50..50 + high].fill(900.0);
            track(values)
        };
        for (high, cut_at) in [(0, None), (3, Some(20.0)), (6, None)] {
            assert_eq!(cut(&[&with(high)]), cut_at, "{high} of 100 windows");
        }
        // Another line that is as high all the time gives the burst its scale.
        assert_eq!(cut(&[&with(3), &track(vec![500.0; 100])]), None);
        assert_eq!(cut(&[&track(vec![f64::NAN; 3]), &track(Vec::new())]), None);
    }

    #[test]
    fn failures_are_told_by_how_they_ended() {
        let mut report = testdata::storm();
        let second = report.run.window;
        assert_eq!(report.run.duration / second, 300);
        let windows = &mut report.edges.0[1].1.windows;
        windows.failed = vec![30; 300];
        windows.failed_by.push("timed out", vec![20; 300]);
        windows.failed_by.push("rejected", vec![10; 300]);
        windows.failed_by.push("error", vec![0; 300]);
        report.edges.0[0].1.windows.failed = vec![7; 300];
        let tracks = tracks(&report);
        let of = |track: &&Track| track.picture == "Calls that failed";
        let told: Vec<(&str, &str, f64)> = tracks
            .iter()
            .filter(of)
            .map(|track| (track.name.as_str(), track.about.as_str(), track.values[5]))
            .collect();
        assert_eq!(
            told,
            [
                ("failed users->checkout", "users->checkout", 7.0),
                ("checkout->payments timed out", "", 20.0),
                ("checkout->payments rejected", "", 10.0)
            ]
        );
    }

    #[test]
    fn no_name_is_in_two_pictures() {
        let mut report = testdata::storm();
        report.services.0[1].1.windows.queue_ns = vec![1; 300];
        for at in ["users->checkout", "checkout->payments", "payments", ""] {
            let mut section = Section::new("cache", at)
                .line("waiting", Unit::Plain, "")
                .line("in_use", Unit::Plain, "")
                .line("taken", Unit::Share, "")
                .line("never", Unit::Plain, "");
            for (line, values) in [("waiting", 0.5), ("in_use", 0.5), ("taken", 0.5), ("never", 0.0)] {
                section.draw(line, vec![values; 300]);
            }
            report.sections.push(section);
        }
        let tracks = tracks(&report);
        let mut names: Vec<&str> = tracks.iter().map(|track| track.name.as_str()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
        let of = |picture: &str| tracks.iter().filter(|track| track.picture == picture).count();
        assert_eq!((of("Queues"), of("Numbers"), of("Cache"), of("Cache, shares")), (1, 0, 8, 4));
        assert!(names.contains(&"queue payments") && names.contains(&"cache in_use"));
    }
}
