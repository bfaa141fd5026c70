//! A grid of settings: a table of every cell, a curve over one axis, a map over two.

use super::chart::{Point, curve};
use super::heat::{Map, heat_map};
use crate::result::column::{estimate, heads, in_csv, unsettled, whom};
use crate::result::seeds::Seeds;
use crate::result::swept::{Axis, Cell, Swept, beside, label, number_in, shown};
use crate::text::number::{NOTHING, count, of};
use crate::text::table::{Entry, Grid, csv_line, csv_number, escape_markdown};
use crate::text::{Paint, Style, clean, unit, wrap};
use sim_core::{Rate, SimDuration};
use sim_models::report::Unit;

/// The most cells that are listed as text; files have them all.
const MOST_CELLS: usize = 200;

/// The page.
pub fn text(swept: &Swept, style: Style) -> String {
    let mut sections = vec![title(swept, style), cells(swept, style)];
    match swept.axes.len() {
        1 => sections.push(curve_of(swept, style)),
        2 => sections.push(map(swept, style)),
        _ => {}
    }
    let written: Vec<String> =
        sections.iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    written.join("\n\n") + "\n"
}

fn title(swept: &Swept, style: Style) -> Vec<String> {
    let name = clean(&swept.experiment);
    let Seeds { first, count: seeds } = swept.seeds;
    let sizes = swept.axes.iter().map(|axis| axis.values.len().to_string()).collect::<Vec<_>>();
    let runs = match (seeds, swept.own_seeds) {
        (1, true) => "each on its own seed".into(),
        (_, true) => format!("{seeds} seeds each from its own on: mean and 95 % interval"),
        (1, false) => format!("seed {first}"),
        _ => format!("{seeds} seeds each from {first}: mean and 95 % interval"),
    };
    let cells = format!("{} cells", sizes.join(style.pick(" × ", " x ")));
    let variant = swept.variant.iter().map(|variant| format!("variant {}", clean(variant)));
    let set = swept.set.iter().map(|(path, value)| format!("{}={}", clean(path), clean(value)));
    let head = [name.clone(), cells, runs].into_iter().chain(variant).chain(set).collect::<Vec<_>>();
    let mut lines = wrap(&head.join(style.pick(" · ", ", ")), style.columns());
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(&name, &style.paint(Paint::Strong, &name), 1);
    }
    for why in &swept.incomplete {
        let text = format!("INCOMPLETE: {}", clean(why));
        lines.extend(wrap(&text, style.columns()).iter().map(|line| style.paint(Paint::Bad, line)));
    }
    lines
}

fn table(swept: &Swept, limit: usize, axes: Vec<String>, style: Style) -> Grid {
    let with_exact = |column: usize| swept.cells.iter().any(|cell| cell.exact[column].is_some());
    let heads = heads(&swept.metrics);
    let mut grid = axes.into_iter().fold(Grid::new(), Grid::words).beginning_with(swept.axes.len());
    let incomplete = swept.cells.iter().any(|cell| cell.missing > 0 || cell.cut_short > 0);
    if incomplete {
        grid = grid.number("runs");
    }
    for (column, head) in heads.iter().enumerate() {
        grid = grid.number(head.clone());
        if with_exact(column) {
            grid = grid.number(beside(swept, column));
        }
    }
    for cell in reached(swept).take(limit) {
        let mut row: Vec<Entry> = cell.at.iter().map(|value| Entry::from(label(value))).collect();
        if incomplete {
            row.push(runs(cell, swept.seeds.count).into());
        }
        for (column, metric) in swept.metrics.iter().enumerate() {
            row.push(estimate(&cell.metrics[column], metric.unit, style).into());
            if with_exact(column) {
                row.push(theory(swept, cell, column).into());
            }
        }
        grid.row(row);
    }
    grid
}

/// What theory gives for a metric in a cell, with a word where that is not exact and others of its column are.
pub(crate) fn theory(swept: &Swept, cell: &Cell, column: usize) -> String {
    let Some(exact) = cell.exact[column] else { return NOTHING.into() };
    let exact = of(exact, swept.metrics[column].unit);
    match cell.is_approximate(column) && beside(swept, column) == "exact" {
        true => format!("{exact}, approximate"),
        false => exact,
    }
}

/// How many runs of a cell there are, and how many of them a limit cut short.
fn runs(cell: &Cell, seeds: u32) -> String {
    let there = u64::from(seeds).saturating_sub(cell.missing as u64);
    match cell.cut_short {
        0 => count(there),
        cut => format!("{}, {} cut short", count(there), count(cut as u64)),
    }
}

fn cells(swept: &Swept, style: Style) -> Vec<String> {
    let mut lines = table(swept, MOST_CELLS, axis_heads(swept), style).text(2, style);
    let there = reached(swept).count();
    let shown = || reached(swept).flat_map(|cell| &cell.metrics);
    lines.extend(whom(shown()).into_iter().chain(unsettled(shown())).map(|words| format!("  {words}")));
    if there > MOST_CELLS {
        lines.push(format!("  and {} more cells: --format csv", there - MOST_CELLS));
    }
    if there < swept.cells.len() {
        lines.push(format!("  and {} cells of which no run was made", swept.cells.len() - there));
    }
    lines
}

/// The cells of which there is a run.
fn reached(swept: &Swept) -> impl Iterator<Item = &Cell> {
    swept.cells.iter().filter(|cell| cell.missing < swept.seeds.count as usize)
}

fn curve_of(swept: &Swept, style: Style) -> Vec<String> {
    let Some(column) = shown(swept) else { return Vec::new() };
    let point = |cell: &Cell| Point {
        label: label(&cell.at[0]),
        x: number_in(&cell.at[0]),
        measured: cell.metrics[column].mean,
        half_width: cell.metrics[column].half_width,
        exact: cell.exact[column],
    };
    let points: Vec<Point> = swept.cells.iter().map(point).collect();
    let head = &heads(&swept.metrics)[column];
    let unit = unit_shown(swept, column);
    let lines = curve(&clean(&swept.axes[0].path), &clean(head), unit, &points, beside(swept, column), style);
    lines.into_iter().map(|line| format!("  {line}").trim_end().to_string()).collect()
}

/// A metric over two axes, shaded by its size.
fn map(swept: &Swept, style: Style) -> Vec<String> {
    let (Some(column), [down, across]) = (shown(swept), swept.axes.as_slice()) else { return Vec::new() };
    let names = axis_heads(swept);
    let map = Map {
        name: &heads(&swept.metrics)[column],
        down: &names[0],
        rows: down.values.iter().map(|value| label(value)).collect(),
        across: &names[1],
        columns: across.values.iter().map(|value| label(value)).collect(),
        values: swept.cells.iter().map(|cell| cell.metrics[column].mean).collect(),
    };
    let lines = heat_map(&map, unit_shown(swept, column), style);
    lines.into_iter().map(|line| format!("  {line}").trim_end().to_string()).collect()
}

/// What the mean of a metric counts: that of a truth is how often it was true.
fn unit_shown(swept: &Swept, column: usize) -> Unit {
    match swept.cells.iter().any(|cell| cell.metrics[column].yes.is_some()) {
        true => Unit::Share,
        false => swept.metrics[column].unit,
    }
}

/// The paths of the axes; of several, what tells them apart.
fn axis_heads(swept: &Swept) -> Vec<String> {
    let short = |axis: &Axis| {
        let from = axis.path.rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1);
        axis.path[from..].to_string()
    };
    let plain = swept.axes.len() > 1 && !swept.axes.iter().any(|axis| axis.path.contains('"'));
    let shorts: Vec<String> = swept.axes.iter().map(short).collect();
    let apart = (1..shorts.len()).all(|n| !shorts[..n].contains(&shorts[n]));
    if plain && apart { shorts } else { swept.axes.iter().map(|axis| axis.path.clone()).collect() }
}

/// A GitHub table.
pub fn markdown(swept: &Swept) -> String {
    let incomplete =
        swept.incomplete.iter().map(|why| format!("**Incomplete:** {}\n\n", escape_markdown(why)));
    let name = escape_markdown(&swept.experiment);
    format!(
        "### {name}\n\n{}{}",
        incomplete.collect::<String>(),
        table(swept, usize::MAX, paths(swept), Style::default()).markdown()
    )
}

fn paths(swept: &Swept) -> Vec<String> {
    swept.axes.iter().map(|axis| axis.path.clone()).collect()
}

/// A value of an axis as a plain number, if that is what it comes to: seconds, as in every CSV, or per second.
fn plain(value: &str) -> Option<String> {
    let text = label(value);
    let number = || text.parse::<f64>().ok().filter(|x| x.is_finite()).map(|_| text.clone());
    let duration = || text.parse::<SimDuration>().ok().map(|duration| duration.as_secs_f64().to_string());
    let rate = || text.parse::<Rate>().ok().map(|rate| rate.get().to_string());
    number().or_else(duration).or_else(rate)
}

/// One row per cell and metric. The values of an axis are numbers if all of them can be.
pub fn csv(swept: &Swept) -> String {
    let axes = swept.axes.iter().map(|axis| axis.path.as_str());
    let values =
        |axis: &Axis| -> Option<Vec<String>> { axis.values.iter().map(|value| plain(value)).collect() };
    let numeric: Vec<bool> = swept.axes.iter().map(|axis| values(axis).is_some()).collect();
    let mut out = csv_line(axes.chain([
        "metric",
        "unit",
        "n",
        "yes",
        "mean",
        "half_width",
        "exact",
        "approximate",
        "answered",
        "served",
    ]));
    for cell in &swept.cells {
        for (column, metric) in swept.metrics.iter().enumerate() {
            let value = &cell.metrics[column];
            let counts = [Some(value.n as f64), value.yes.map(|yes| yes as f64)].map(csv_number);
            let numbers = [value.mean, value.half_width, cell.exact[column]];
            let numbers = numbers.map(|x| in_csv(x, metric.unit));
            let at = cell.at.iter().zip(&numeric).map(|(value, numeric)| match numeric {
                true => plain(value).unwrap_or_default(),
                false => label(value),
            });
            let words = [metric.path.clone(), unit::of_csv(metric.unit).into()];
            let approximate = cell.exact[column].map(|_| f64::from(u8::from(cell.is_approximate(column))));
            let last = [approximate, value.answered, value.served].map(csv_number);
            out += &csv_line(at.chain(words).chain(counts).chain(numbers).chain(last));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::column::Column;
    use crate::result::estimate::Estimate;
    use crate::result::estimate::Measured::{Number, Truth};
    use crate::result::swept::FORMAT;
    use crate::text::width;

    fn knee() -> Swept {
        let cell = |n: u32| {
            let rho = f64::from(n) / 10.0;
            let exact = 1e7 / (1.0 - rho);
            Cell {
                at: vec![format!("Poisson(\"{}/s\")", n * 10)],
                metrics: vec![
                    Estimate::of(&[Number(exact * 1.02), Number(exact * 0.99)]),
                    Estimate::of(&[Number(rho)]),
                ],
                exact: vec![Some(exact), None],
                ..Cell::default()
            }
        };
        let column =
            |path: &str, unit| Column { path: path.into(), unit, less_is_better: None, short: false };
        Swept {
            format: FORMAT,
            experiment: "utilisation-knee".into(),
            seeds: Seeds { first: 1, count: 2 },
            axes: vec![Axis {
                path: "workload[0].arrivals".into(),
                values: (1..10).map(|n| n.to_string()).collect(),
            }],
            metrics: vec![
                column("values.response.value", Unit::Duration),
                column("services.q.utilisation", Unit::Share),
            ],
            cells: (1..10).map(cell).collect(),
            ..Swept::default()
        }
    }

    fn plane() -> Swept {
        let mut swept = knee();
        swept.axes = ["a|b", "services.payments.replicas"]
            .map(|path| Axis { path: path.into(), values: vec!["1".into(), "2".into(), "\"three\"".into()] })
            .to_vec();
        for (index, cell) in swept.cells.iter_mut().enumerate() {
            cell.at = vec![swept.axes[0].values[index / 3].clone(), swept.axes[1].values[index % 3].clone()];
        }
        swept.cells[4].metrics[0] = Estimate::default();
        swept
    }

    #[test]
    fn one_axis_is_a_table_and_a_curve() {
        let text = text(&knee(), Style::default());
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn cells_that_were_not_reached_are_counted_and_not_listed() {
        let mut swept = knee();
        for cell in &mut swept.cells[3..] {
            cell.missing = 2;
        }
        let page = text(&swept, Style::default());
        assert!(page.contains("and 6 cells of which no run was made"), "{page}");
        assert!(page.contains("\n  30/s") && !page.contains("\n  40/s"), "{page}");
    }

    #[test]
    fn two_axes_are_a_map() {
        insta::assert_snapshot!(text(&plane(), Style::default()));
    }

    #[test]
    fn tables_for_programs_and_for_pull_requests() {
        insta::assert_snapshot!(csv(&plane()) + "\n" + &markdown(&plane()));
    }

    #[test]
    fn what_is_incomplete_is_marked_in_its_row() {
        let mut swept = knee();
        (swept.cells[2].missing, swept.cells[3].cut_short) = (1, 2);
        let text = text(&swept, Style::default());
        let row = |at: &str| text.lines().find(|line| line.trim_start().starts_with(at)).unwrap().to_string();
        assert!(row("30/s").split_whitespace().nth(1) == Some("1"), "{text}");
        assert!(row("40/s").contains("2, 2 cut short") && !row("50/s").contains("cut"), "{text}");
    }

    #[test]
    fn a_truth_is_mapped_where_there_is_no_number() {
        let mut swept = plane();
        for (n, cell) in swept.cells.iter_mut().enumerate() {
            cell.metrics = vec![Estimate::of(&[Truth(n > 4), Truth(n > 3)]), Estimate::default()];
        }
        let text = text(&swept, Style::default());
        assert!(text.contains("50 % ▒▒") && text.contains("100 % ██"), "{text}");
    }

    #[test]
    fn the_values_of_an_axis_are_numbers_where_all_can_be() {
        for (value, number) in [
            ("4", Some("4")),
            ("\"250ms\"", Some("0.25")),
            ("Poisson(\"600/s\")", Some("600")),
            ("Exponential(mean: \"1ms\")", None),
            ("\"naive\"", None),
        ] {
            assert_eq!(plain(value).as_deref(), number, "{value}");
        }
        assert!(csv(&knee()).lines().nth(1).unwrap().starts_with("10,"), "{}", csv(&knee()));
    }

    #[test]
    fn labels_and_places() {
        for (value, text, number) in [
            ("Poisson(\"600/s\")", "600/s", Some(600.0)),
            ("\"250ms\"", "250ms", Some(0.25)),
            ("4", "4", Some(4.0)),
            ("Fixed(attempts: 3)", "Fixed(attempts: 3)", None),
            ("\"naive\"", "naive", None),
            ("None", "None", None),
        ] {
            assert_eq!((label(value).as_str(), number_in(value)), (text, number), "{value}");
        }
    }
}
