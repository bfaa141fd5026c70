//! The page of a comparison: variants over each other, what they come to, and the differences.

use super::bars::forest;
use super::figure::{Axis, Backdrop, Figure, Line, Num, View, group, over_time, thinned};
use super::latency::spectrum;
use super::over_time::{self, Track, time_axis, tracks};
use super::run;
use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again};
use crate::result::change::minus;
use crate::result::column::{Column, estimate, heads};
use crate::result::compared::{
    Compared, Comparison, OnEdge, best, fewer, how, in_hand, lacking, legend, pairing,
};
use crate::result::effect::Effect;
use crate::result::seeds::Seeds;
use crate::result::set_apart::words;
use crate::text::number::{difference, duration, or_nothing};
use crate::text::{Paint, Style, escape as clean, upper_first};
use sim_models::report::{Latency, Report};

/// What is kept of one run to be laid over those of the other variants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    about: String,
    backdrop: Backdrop,
    window: u64,
    tracks: Vec<Track>,
    spectrum: Option<(String, Latency)>,
}

impl Overlay {
    /// Of the first run of a variant.
    pub fn of(report: &Report) -> Self {
        let users = report.edges.iter().find(|(_, edge)| edge.from_users && edge.latency.count > 0);
        Overlay {
            about: report.about.clone(),
            backdrop: run::backdrop(report),
            window: report.run.window,
            tracks: tracks(report),
            spectrum: users.map(|(name, edge)| (name.to_string(), edge.latency.clone())),
        }
    }
}

/// The page. `overlays` are in the order of the variants, and one that has none is drawn nowhere; `again_line` is the
/// command that makes all of it again.
pub fn page(comparison: &Comparison, overlays: &[Option<Overlay>], again_line: &str) -> Page {
    let first = overlays.iter().flatten().next();
    let drawn: Vec<(usize, &str, &Overlay)> = comparison
        .variants
        .iter()
        .zip(overlays)
        .enumerate()
        .filter_map(|(row, (variant, overlay))| {
            overlay.as_ref().map(|overlay| (row, variant.name.as_str(), overlay))
        })
        .collect();
    let Seeds { first: seed, count } = comparison.seeds;
    let seeds = match count {
        1 => format!("seed {seed}"),
        _ => format!("{count} seeds from {seed}, the same for every variant"),
    };
    let set = comparison.set.iter().map(|(path, value)| format!("{path}={value}"));
    let verdict = |row: usize| {
        let variant = &comparison.variants[row];
        let changes = Some(words(&variant.changes)).filter(|changes| !changes.is_empty());
        Verdict {
            word: variant.name.clone(),
            paint: tone(comparison, variant),
            headline: variant.sentence.clone(),
            details: changes.into_iter().collect(),
        }
    };
    let what_helps = comparison.what_helps.as_deref().unwrap_or("");
    let commands =
        [("compare again", again_line), ("look at one", &comparison.next), ("what helps?", what_helps)];
    let commands: Vec<(String, String)> = commands
        .into_iter()
        .filter(|(_, line)| !line.is_empty())
        .map(|(what, line)| (what.to_string(), line.to_string()))
        .collect();
    let sections = [
        Section::of("metrics", "What they come to", metrics(comparison)),
        Section::of("differences", "Differences on the same luck", differences(comparison)),
        Section::of("baseline", "What has changed", against(comparison)),
        Section::of("time", "Over time", over_the_run(comparison, &drawn)),
        Section::of("latency", "Response time", spectra(comparison, &drawn)),
        again(&commands, &[], ""),
    ];
    // Variants may differ in what disturbs them; then no shade is true of all.
    let alike =
        drawn.iter().all(|(_, _, overlay)| Some(&overlay.backdrop) == first.map(|first| &first.backdrop));
    let mut backdrop = first.map(|first| first.backdrop.clone()).unwrap_or_default();
    if !alike {
        backdrop.bands.clear();
    }
    Page {
        title: comparison.experiment.clone(),
        about: first.map(|overlay| overlay.about.clone()).unwrap_or_default(),
        facts: [format!("{} variants compared", comparison.variants.len()), seeds]
            .into_iter()
            .chain(comparison.struck.clone())
            .chain(comparison.on.iter().map(OnEdge::words))
            .chain(set)
            .collect(),
        warnings: comparison.incomplete.clone(),
        verdicts: comparison.by_merit().into_iter().map(verdict).collect(),
        tiles: Vec::new(),
        sections: sections.into_iter().flatten().collect(),
        backdrop,
    }
}

fn metrics(comparison: &Comparison) -> Vec<Block> {
    let style = Style::default();
    let caption = upper_first(&legend(comparison, "; ★ is best, clear of all others"));
    let mut table = Table::new(&caption).words("variant").numbers(heads(&comparison.metrics));
    let best: Vec<Option<usize>> =
        (0..comparison.metrics.len()).map(|column| best(comparison, column)).collect();
    for row in comparison.by_merit() {
        let variant = &comparison.variants[row];
        let cells = comparison.metrics.iter().enumerate().map(|(column, metric)| {
            let words = estimate(&variant.metrics[column], metric.unit, style);
            match best[column] == Some(row) {
                true => Cell::classed(&(words + " ★"), "good"),
                false => words.into(),
            }
        });
        table.row(std::iter::once(Cell::from(&variant.name)).chain(cells));
    }
    if table.is_empty() {
        return Vec::new();
    }
    let notes = [comparison.unlike.clone(), lacking(comparison), in_hand(comparison), fewer(comparison)];
    let notes = notes.into_iter().flatten();
    let notes = notes.map(|line| Block::Note(upper_first(&line) + "."));
    std::iter::once(Block::Html(table.build())).chain(notes).collect()
}

/// A forest for each metric: the difference to the first variant and its interval, all variants on one scale.
fn differences(comparison: &Comparison) -> Vec<Block> {
    let Some(first) = comparison.variants.first() else { return Vec::new() };
    let heads = heads(&comparison.metrics);
    let mut blocks = Vec::new();
    // Whether something holds is told in the verdicts: its share has no difference worth a picture.
    let truth =
        |column: usize| comparison.variants.iter().any(|variant| variant.metrics[column].yes.is_some());
    for (column, metric) in comparison.metrics.iter().enumerate().filter(|(column, _)| !truth(*column)) {
        let others = || {
            let order = comparison.by_merit().into_iter().skip(1).map(|row| &comparison.variants[row]);
            let there = order.filter(|variant| variant.effects.len() > column);
            there.map(|variant| (variant, &variant.effects[column]))
        };
        let ends = || {
            others().filter_map(|(_, d)| {
                d.difference
                    .map(|mean| [mean - d.half_width.unwrap_or(0.0), mean + d.half_width.unwrap_or(0.0)])
            })
        };
        let low = ends().map(|[low, _]| low).fold(0.0, f64::min);
        let high = ends().map(|[_, high]| high).fold(0.0, f64::max);
        if ends().next().is_none() || low >= high {
            continue;
        }
        let margin = (high - low) * 0.03;
        let (low, high) = (low - margin, high + margin);
        let mut table = Table::new(&format!("{}: minus {}", heads[column], first.name))
            .words("variant")
            .numbers(["difference"])
            .words(&format!("{} to {}", difference(low, metric.unit), difference(high, metric.unit)));
        for (variant, d) in others() {
            let class = clear(d, metric);
            let picture = d
                .difference
                .map_or_else(String::new, |mean| forest(mean, d.half_width.unwrap_or(0.0), low, high, class));
            table.row([
                Cell::from(&variant.name),
                Cell::classed(&minus(metric, d, Style::default()), class),
                Cell::html(picture),
            ]);
        }
        blocks.push(Block::Html(table.build()));
    }
    if blocks.is_empty() {
        return blocks;
    }
    let mut html = String::from("<div class=\"forests\">\n");
    for block in blocks {
        if let Block::Html(table) = block {
            html += &table;
        }
    }
    let pairing = pairing(comparison, Style::default()).map(|line| Block::Note(line + "."));
    let mut blocks = vec![
        Block::Note("Every variant met the same arrivals, demands and faults, so differences are taken seed by seed. A bar that crosses the line of zero is no difference that these seeds can show.".into()),
        Block::Html(html + "</div>\n"),
    ];
    blocks.extend(pairing);
    blocks
}

/// Whether it came back on all seeds, on none, or on some.
fn tone(comparison: &Comparison, variant: &Compared) -> Paint {
    let recovered = comparison.metrics.iter().position(|metric| metric.path == "recovered");
    match recovered
        .and_then(|column| variant.metrics.get(column))
        .and_then(|it| it.yes.map(|yes| (yes, it.n)))
    {
        Some((0, all)) if all > 0 => Paint::Bad,
        Some((yes, all)) if yes == all && all > 0 => Paint::Good,
        Some(_) => Paint::Doubtful,
        None => Paint::Plain,
    }
}

/// The class of a difference: better or worse, if it is clear and one can know.
fn clear(effect: &Effect, metric: &Column) -> &'static str {
    match effect.gain(metric.less_is_better) {
        Some(true) => "good",
        Some(false) => "bad",
        None => "plain",
    }
}

/// What has changed since a run was saved.
fn against(comparison: &Comparison) -> Vec<Block> {
    let Some(baseline) = &comparison.baseline else { return Vec::new() };
    let mut table =
        Table::new(&format!("Against {}", baseline.file)).words("variant").words("what clearly differs");
    for variant in &baseline.variants {
        table.row([Cell::from(&variant.name), Cell::from(&variant.sentence)]);
    }
    let mut blocks = vec![Block::Note(how(baseline)), Block::Html(table.build())];
    if let Some(regressions) = &baseline.regressions {
        if !regressions.found.is_empty() {
            let mut table = Table::new("Clearly worse").words("what");
            for regression in &regressions.found {
                table.row([Cell::classed(regression, "bad")]);
            }
            blocks.push(Block::Html(table.build()));
        }
        blocks.push(Block::Note(regressions.rule.clone()));
    }
    blocks
}

/// One figure per kind of picture would be many: one figure, of which the reader chooses the metric.
fn over_the_run(comparison: &Comparison, drawn: &[(usize, &str, &Overlay)]) -> Vec<Block> {
    let mut names: Vec<&str> = Vec::new();
    for track in drawn.iter().flat_map(|(_, _, overlay)| &overlay.tracks) {
        if !names.contains(&track.name.as_str()) {
            names.push(&track.name);
        }
    }
    // Goodput is what most look for first.
    names.sort_by_key(|name| *name != "goodput");
    let windows = drawn
        .iter()
        .flat_map(|(_, _, overlay)| &overlay.tracks)
        .map(|track| track.values.len())
        .max()
        .unwrap_or(0);
    let group = group(windows, names.len() * drawn.len());
    let views: Vec<View> = names
        .iter()
        .map(|name| {
            let of_it: Vec<(usize, &str, &Overlay, &Track)> = drawn
                .iter()
                .filter_map(|(row, variant, overlay)| {
                    let track = overlay.tracks.iter().find(|track| track.name == *name)?;
                    Some((*row, *variant, *overlay, track))
                })
                .collect();
            let line = |(row, variant, overlay, track): &(usize, &str, &Overlay, &Track)| {
                over_time(variant, [*row, *row], &track.values, overlay.window, group)
            };
            let words = |(_, variant, overlay, track): &(usize, &str, &Overlay, &Track)| {
                over_time::in_words(&Track { name: (*variant).into(), ..(*track).clone() }, overlay.window)
            };
            View {
                name: clean(name),
                x: time_axis(),
                y: Axis {
                    unit: of_it[0].3.unit.name(),
                    cut: over_time::cut(&of_it.iter().map(|(.., track)| *track).collect::<Vec<_>>()).map(Num),
                    ..Axis::default()
                },
                lines: of_it.iter().map(line).collect(),
                summary: of_it.iter().map(words).collect::<Vec<_>>().join("; "),
                ..View::default()
            }
        })
        .collect();
    if views.is_empty() {
        return Vec::new();
    }
    vec![Block::Figure(Figure {
        id: "overlay".into(),
        title: format!("Variants on seed {}", comparison.seeds.first),
        note: thinned(group),
        link: "time",
        height: 320,
        views,
    })]
}

fn spectra(comparison: &Comparison, drawn: &[(usize, &str, &Overlay)]) -> Vec<Block> {
    let there: Vec<_> = drawn
        .iter()
        .filter_map(|(row, variant, overlay)| overlay.spectrum.as_ref().map(|it| (*row, *variant, it)))
        .collect();
    let Some((_, _, (edge, _))) = there.first() else { return Vec::new() };
    let words = |(_, variant, (_, latency)): &(usize, &str, &(String, Latency))| {
        let time = |ns: Option<u64>| or_nothing(ns, duration);
        format!(
            "{variant}: median {}, p99 {}, at most {}",
            time(latency.p50),
            time(latency.p99),
            time(latency.max)
        )
    };
    vec![Block::Figure(Figure {
        id: "spectrum".into(),
        title: format!("Response time of {edge} by percentile"),
        note: format!(
            "Of calls that ended well on seed {}; a variant that fails most calls may look fast.",
            comparison.seeds.first
        ),
        height: 320,
        views: vec![View {
            x: Axis { unit: "tail", log: true, ..Axis::default() },
            y: Axis { unit: "ns", log: true, ..Axis::default() },
            lines: there
                .iter()
                .map(|(row, variant, (_, latency))| -> Line { spectrum(variant, [*row, *row], latency) })
                .collect(),
            summary: there.iter().map(words).collect::<Vec<_>>().join("; "),
            ..View::default()
        }],
        ..Figure::default()
    })]
}
