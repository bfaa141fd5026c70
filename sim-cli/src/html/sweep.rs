//! The page of a sweep: curves over one axis with theory beside them, a map over two, every cell in a table.

use super::figure::{At, Axis, Figure, Line, Num, View};
use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again};
use crate::render::chart::is_by_factor;
use crate::render::sweep::theory;
use crate::result::column::{estimate, heads, unsettled};
use crate::result::swept::{Swept, beside, label, number_in, shown};
use crate::text::number::{NOTHING, of};
use crate::text::{Paint, Style, escape as clean, upper_first};
use sim_models::report::Unit;

/// The most lines of a curve, one for each value of the other axes.
const MOST_LINES: usize = 24;
/// The most cells that are listed; the CSV has them all.
const MOST_CELLS: usize = 5_000;
/// The most columns of a map.
const MOST_COLUMNS: usize = 40;

/// The page. `again` is the command that makes it.
pub fn page(swept: &Swept, again_line: &str) -> Page {
    let sizes: Vec<String> = swept.axes.iter().map(|axis| axis.values.len().to_string()).collect();
    let seeds = match (swept.seeds.count, swept.own_seeds) {
        (1, true) => "each cell on its own seed".into(),
        (1, false) => format!("seed {}", swept.seeds.first),
        (n, true) => format!("{n} seeds each from its own on: mean and 95 % interval"),
        (n, false) => format!("{n} seeds each from {}: mean and 95 % interval", swept.seeds.first),
    };
    let variant = swept.variant.iter().map(|variant| format!("variant {variant}"));
    let set = swept.set.iter().map(|(path, value)| format!("{path}={value}"));
    let over: Vec<String> = swept.axes.iter().map(|axis| axis.path.clone()).collect();
    let commands = [("sweep again".to_string(), again_line.to_string())];
    let commands = if again_line.is_empty() { &[][..] } else { &commands[..] };
    let sections = [
        Section::of("curves", "Curves", curves(swept)),
        Section::of("map", "Map", maps(swept)),
        Section::of("cells", "Every cell", cells(swept)),
        again(commands, &[], ""),
    ];
    Page {
        title: swept.experiment.clone(),
        about: format!("Swept over {}", over.join(" and ")),
        facts: [format!("{} cells", sizes.join(" × ")), seeds]
            .into_iter()
            .chain(variant)
            .chain(set)
            .collect(),
        warnings: swept.incomplete.clone(),
        verdicts: verdict(swept).into_iter().collect(),
        sections: sections.into_iter().flatten().collect(),
        ..Page::default()
    }
}

/// How the most telling metric goes, and how often theory lies within the intervals.
fn verdict(swept: &Swept) -> Option<Verdict> {
    let column = shown(swept)?;
    let heads = heads(&swept.metrics);
    let agree = |column: &usize| {
        let both = |cell: &crate::result::swept::Cell| {
            let exact = cell.exact[*column].filter(|_| !cell.is_approximate(*column));
            Some((cell.metrics[*column].interval()?, exact?))
        };
        let pairs: Vec<_> = swept.cells.iter().filter_map(both).collect();
        let within =
            pairs.iter().filter(|(interval, exact)| (interval.start..=interval.end).contains(exact)).count();
        (!pairs.is_empty()).then(|| {
            format!(
                "{}: theory lies within the 95 % interval in {within} of {} cells",
                heads[*column],
                pairs.len()
            )
        })
    };
    Some(Verdict {
        word: heads[column].clone(),
        paint: Paint::Strong,
        headline: in_words(swept, column),
        details: columns(swept).iter().filter_map(agree).collect(),
    })
}

/// Columns that are numbers; the most telling first.
fn columns(swept: &Swept) -> Vec<usize> {
    let first = shown(swept);
    let numeric = |column: &usize| swept.cells.iter().any(|cell| cell.metrics[*column].mean.is_some());
    let mut all: Vec<usize> = (0..swept.metrics.len()).filter(numeric).collect();
    all.sort_by_key(|column| Some(*column) != first);
    all
}

/// Over the last axis, a line for each value of the others.
fn curves(swept: &Swept) -> Vec<Block> {
    let Some(along) = swept.axes.last().filter(|axis| axis.values.len() > 1) else { return Vec::new() };
    let heads = heads(&swept.metrics);
    let places: Vec<Option<f64>> = along.values.iter().map(|value| number_in(value)).collect();
    let numeric = places.iter().all(Option::is_some);
    let by_factor = is_by_factor(&places.iter().map(|place| place.unwrap_or(0.0)).collect::<Vec<_>>());
    let unit = swept_unit(&along.values);
    let at = || {
        At::Each(
            (0..along.values.len())
                .map(|n| Num(if numeric { places[n].unwrap_or(0.0) } else { n as f64 }))
                .collect(),
        )
    };
    let rows: Vec<_> = swept.cells.chunks(along.values.len()).take(MOST_LINES).collect();
    let view = |column: usize| {
        let mut lines = Vec::new();
        for (row, cells) in rows.iter().enumerate() {
            let others = &cells[0].at[..swept.axes.len() - 1];
            let name = if others.is_empty() { "measured".to_string() } else { place(swept, others) };
            let values = cells.iter().map(|cell| cell.metrics[column].mean.map(Num)).collect();
            let half = match cells.iter().any(|cell| cell.metrics[column].half_width.is_some()) {
                true => cells.iter().map(|cell| cell.metrics[column].half_width.map(Num)).collect(),
                false => Vec::new(),
            };
            lines.push(Line {
                name: clean(&name),
                ink: [row, row],
                style: "points",
                at: at(),
                values,
                half,
                ..Line::default()
            });
            if cells.iter().any(|cell| cell.exact[column].is_some()) {
                let beside = beside(swept, column);
                let name = if others.is_empty() { beside.to_string() } else { format!("{name}, {beside}") };
                let values = cells.iter().map(|cell| cell.exact[column].map(Num)).collect();
                lines.push(Line {
                    name: clean(&name),
                    ink: [row, row],
                    style: "exact",
                    at: at(),
                    values,
                    ..Line::default()
                });
            }
        }
        let names =
            if numeric { Vec::new() } else { along.values.iter().map(|value| label(value)).collect() };
        let unit = if numeric { unit } else { "" };
        View {
            name: clean(&heads[column]),
            x: Axis { label: clean(&along.path), unit, names, log: numeric && by_factor, ..Axis::default() },
            y: Axis { unit: metric_unit(swept, column).name(), ..Axis::default() },
            lines,
            summary: in_words(swept, column),
            ..View::default()
        }
    };
    let views: Vec<View> = columns(swept).into_iter().map(view).collect();
    if views.is_empty() {
        return Vec::new();
    }
    let left_out = (swept.cells.len() / along.values.len()).saturating_sub(MOST_LINES);
    let exact = swept.cells.iter().any(|cell| cell.exact.iter().any(Option::is_some));
    let mut note = match swept.seeds.count {
        0 | 1 => "One seed in each cell.".to_string(),
        n => format!("Means over {n} seeds, 95 % intervals as bars."),
    };
    if exact {
        note += " Theory is drawn beside.";
    }
    if left_out > 0 {
        note += &format!(" {left_out} more lines are in the table only.");
    }
    vec![Block::Figure(Figure {
        id: "curve".into(),
        title: format!("Over {}", along.path),
        note,
        height: 380,
        views,
        ..Figure::default()
    })]
}

/// A truth is told as a share of seeds.
fn metric_unit(swept: &Swept, column: usize) -> Unit {
    let truth = swept.cells.iter().any(|cell| cell.metrics[column].yes.is_some());
    if truth { Unit::Share } else { swept.metrics[column].unit }
}

/// What the numbers of an axis count, if all its values say the same.
pub(super) fn swept_unit(values: &[String]) -> &'static str {
    let labels: Vec<String> = values.iter().map(|value| label(value)).collect();
    if labels.iter().all(|label| label.ends_with("/s")) {
        "/s"
    } else if labels
        .iter()
        .all(|label| label.parse::<f64>().is_err() && label.parse::<sim_core::SimDuration>().is_ok())
    {
        "s"
    } else {
        ""
    }
}

/// Values of the axes in words: `replicas 4, arrivals 600/s`; of a single axis the value alone.
fn place(swept: &Swept, at: &[String]) -> String {
    let of_axis = |(axis, value): (&crate::result::swept::Axis, &String)| match swept.axes.len() {
        1 => label(value),
        _ => format!("{} {}", short(&axis.path), label(value)),
    };
    swept.axes.iter().zip(at).map(of_axis).collect::<Vec<_>>().join(", ")
}

/// The last part of a path.
fn short(path: &str) -> String {
    path.rsplit('.').next().unwrap_or(path).replace('_', " ")
}

/// A curve for those who cannot see it.
fn in_words(swept: &Swept, column: usize) -> String {
    let unit = metric_unit(swept, column);
    let mut lowest: Option<(f64, usize)> = None;
    let mut highest: Option<(f64, usize)> = None;
    for (index, mean) in swept
        .cells
        .iter()
        .enumerate()
        .filter_map(|(index, cell)| cell.metrics[column].mean.map(|mean| (index, mean)))
    {
        if lowest.is_none_or(|(low, _)| mean < low) {
            lowest = Some((mean, index));
        }
        if highest.is_none_or(|(high, _)| mean > high) {
            highest = Some((mean, index));
        }
    }
    match (lowest, highest) {
        (Some((low, at)), Some((high, there))) => format!(
            "lowest {} at {}, highest {} at {}",
            of(low, unit),
            place(swept, &swept.cells[at].at),
            of(high, unit),
            place(swept, &swept.cells[there].at)
        ),
        _ => "nothing measured".into(),
    }
}

/// Each metric over two axes, shaded by its size.
fn maps(swept: &Swept) -> Vec<Block> {
    let [down, across] = swept.axes.as_slice() else { return Vec::new() };
    if across.values.len() > MOST_COLUMNS {
        return vec![Block::Note(format!(
            "{} columns are too many for a map: the table and the CSV have them.",
            across.values.len()
        ))];
    }
    let heads = heads(&swept.metrics);
    let map = |column: usize| {
        let unit = metric_unit(swept, column);
        let means = || swept.cells.iter().filter_map(|cell| cell.metrics[column].mean);
        let low = means().fold(f64::INFINITY, f64::min);
        let high = means().fold(f64::NEG_INFINITY, f64::max);
        let caption = format!("{}, shaded from {} to {}", heads[column], of(low, unit), of(high, unit));
        let mut table = Table::new(&caption)
            .words(&format!("{} ↓ {} →", short(&down.path), short(&across.path)))
            .numbers(across.values.iter().map(|value| label(value)));
        for (value, row) in down.values.iter().zip(swept.cells.chunks(across.values.len())) {
            let cell = |cell: &crate::result::swept::Cell| match cell.metrics[column].mean {
                Some(mean) => Cell::classed(&of(mean, unit), SHADES[shade(mean, low, high)]),
                None => NOTHING.into(),
            };
            table.row(std::iter::once(Cell::from(label(value))).chain(row.iter().map(cell)));
        }
        table.build()
    };
    let maps: String = columns(swept).into_iter().map(map).collect();
    if maps.is_empty() {
        Vec::new()
    } else {
        vec![Block::Html(format!("<div class=\"maps\">\n{maps}</div>\n"))]
    }
}

/// Classes of the shades of a map, lightest first.
const SHADES: [&str; 10] = ["h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9"];

fn shade(x: f64, low: f64, high: f64) -> usize {
    if high > low { (((x - low) / (high - low) * 10.0) as usize).min(9) } else { 0 }
}

fn cells(swept: &Swept) -> Vec<Block> {
    let with_exact = |column: usize| swept.cells.iter().any(|cell| cell.exact[column].is_some());
    let heads = heads(&swept.metrics);
    let mut table = Table::new("Every metric in every cell");
    for axis in &swept.axes {
        table = table.words(&axis.path);
    }
    for (column, head) in heads.iter().enumerate() {
        table = table.numbers([head]);
        if with_exact(column) {
            table = table.numbers([beside(swept, column)]);
        }
    }
    for cell in swept.cells.iter().take(MOST_CELLS) {
        let mut row: Vec<Cell> = cell.at.iter().map(|value| label(value).into()).collect();
        for (column, metric) in swept.metrics.iter().enumerate() {
            row.push(estimate(&cell.metrics[column], metric.unit, Style::default()).into());
            if with_exact(column) {
                row.push(theory(swept, cell, column).into());
            }
        }
        table.row(row);
    }
    let mut blocks = vec![Block::Html(table.build())];
    if swept.cells.len() > MOST_CELLS {
        blocks.push(Block::Note(format!(
            "and {} more cells: the CSV has them all",
            swept.cells.len() - MOST_CELLS
        )));
    }
    let shown = swept.cells.iter().flat_map(|cell| &cell.metrics);
    blocks.extend(unsettled(shown).map(|words| Block::Note(upper_first(words) + ".")));
    blocks
}
