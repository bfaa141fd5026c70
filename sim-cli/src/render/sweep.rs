//! A grid of settings: a table of every cell, a curve over one axis, a map over two.

use super::chart::{Point, curve};
use super::estimate::{Column, estimate, heads, unit_word};
use super::number::{NOTHING, of};
use super::table::{Entry, Grid, csv_line, csv_number};
use super::{Paint, Style, clean, fit, wrap};
use crate::replicate::{Estimate, Seeds};
use serde::Serialize;
use sim_core::{Rate, SimDuration};

/// Version of the shape of a [`Swept`] in JSON.
pub const FORMAT: u32 = 1;
/// The most cells that are listed as text; files have them all.
const MOST_CELLS: usize = 200;
/// The most columns of a map.
const MOST_COLUMNS: usize = 16;

/// A grid and what was measured in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Swept {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every cell.
    pub set: Vec<(String, String)>,
    /// The seeds that every cell met.
    pub seeds: Seeds,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// The axes; the last one changes fastest.
    pub axes: Vec<Axis>,
    /// The metrics, in the order of the columns.
    pub metrics: Vec<Column>,
    /// Every cell, in the order of the axes.
    pub cells: Vec<Cell>,
}

/// One axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Axis {
    /// What is set.
    pub path: String,
    /// To which values.
    pub values: Vec<String>,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cell {
    /// The value of each axis.
    pub at: Vec<String>,
    /// Each metric over the seeds.
    pub metrics: Vec<Estimate>,
    /// What theory gives for each metric, if it does.
    pub exact: Vec<Option<f64>>,
}

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
    let Seeds { first, count } = swept.seeds;
    let sizes = swept.axes.iter().map(|axis| axis.values.len().to_string()).collect::<Vec<_>>();
    let runs = match count {
        1 => format!("seed {first}"),
        _ => format!("{count} seeds each from {first}: mean and 95 % interval"),
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

fn table(swept: &Swept, limit: usize, style: Style) -> Grid {
    let with_exact = |column: usize| swept.cells.iter().any(|cell| cell.exact[column].is_some());
    let heads = heads(&swept.metrics);
    let mut grid = swept.axes.iter().fold(Grid::new(), |grid, axis| grid.words(axis.path.clone()));
    for (column, head) in heads.iter().enumerate() {
        grid = grid.number(head.clone());
        if with_exact(column) {
            grid = grid.number("exact");
        }
    }
    for cell in swept.cells.iter().take(limit) {
        let mut row: Vec<Entry> = cell.at.iter().map(|value| Entry::from(label(value))).collect();
        for (column, metric) in swept.metrics.iter().enumerate() {
            row.push(estimate(&cell.metrics[column], metric.unit, style).into());
            if with_exact(column) {
                row.push(cell.exact[column].map_or_else(|| NOTHING.into(), |x| of(x, metric.unit)).into());
            }
        }
        grid.row(row);
    }
    grid
}

fn cells(swept: &Swept, style: Style) -> Vec<String> {
    let mut lines = table(swept, MOST_CELLS, style).text(2, style);
    if swept.cells.len() > MOST_CELLS {
        lines.push(format!("  and {} more cells: --format csv", swept.cells.len() - MOST_CELLS));
    }
    lines
}

/// The first metric that is a number and not the same everywhere, else the first that is a number.
fn shown(swept: &Swept) -> Option<usize> {
    let means = |column: usize| -> Vec<f64> {
        let numbers =
            swept.cells.iter().map(|cell| &cell.metrics[column]).filter(|metric| metric.yes.is_none());
        numbers.filter_map(|metric| metric.mean).collect()
    };
    let numeric: Vec<usize> = (0..swept.metrics.len()).filter(|&column| means(column).len() > 1).collect();
    let varies = |&&column: &&usize| means(column).windows(2).any(|pair| pair[0] != pair[1]);
    numeric.iter().find(varies).or(numeric.first()).copied()
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
    let lines = curve(&clean(&swept.axes[0].path), &clean(head), swept.metrics[column].unit, &points, style);
    lines.into_iter().map(|line| format!("  {line}").trim_end().to_string()).collect()
}

/// The first metric over two axes, shaded by its size.
fn map(swept: &Swept, style: Style) -> Vec<String> {
    let (Some(column), [down, across]) = (shown(swept), swept.axes.as_slice()) else { return Vec::new() };
    if across.values.len() > MOST_COLUMNS {
        return Vec::new();
    }
    let means: Vec<Option<f64>> = swept.cells.iter().map(|cell| cell.metrics[column].mean).collect();
    let low = means.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let shade = |x: f64| {
        let shades = style.pick(["░░", "▒▒", "▓▓", "██"], ["..", "--", "++", "##"]);
        let share = if high > low { (x - low) / (high - low) } else { 0.0 };
        shades[((share * 4.0) as usize).min(3)]
    };
    let unit = swept.metrics[column].unit;
    let corner = format!("{} / {}", clean(&down.path), clean(&across.path));
    let corner = fit(&corner, 32, style);
    let mut grid = Grid::new().words(corner).numbers(across.values.iter().map(|value| label(value)));
    for (value, row) in down.values.iter().zip(means.chunks(across.values.len())) {
        let cell = |mean: &Option<f64>| {
            mean.map_or_else(|| NOTHING.into(), |x| format!("{} {}", of(x, unit), shade(x)))
        };
        grid.row(std::iter::once(label(value)).chain(row.iter().map(cell)));
    }
    let mut lines = vec![format!("  {}", style.paint(Paint::Strong, &clean(&heads(&swept.metrics)[column])))];
    lines.extend(grid.text(2, style));
    lines
}

/// A value without quotes, and without the constructor around it if it is all that is in there.
fn label(value: &str) -> String {
    let value = value.trim();
    let inner = value.strip_suffix(')').and_then(|value| value.split_once('(')).map(|(_, inner)| inner);
    let inner = inner.filter(|inner| !inner.contains([',', '(', ':']) && !inner.is_empty());
    clean(inner.unwrap_or(value).trim_matches('"'))
}

/// Where a value stands on an axis: a number, seconds, or per second.
fn number_in(value: &str) -> Option<f64> {
    let text = label(value);
    let duration = || text.parse::<SimDuration>().ok().map(SimDuration::as_secs_f64);
    let rate = || text.parse::<Rate>().ok().map(Rate::get);
    text.parse().ok().filter(|x: &f64| x.is_finite()).or_else(duration).or_else(rate)
}

/// A GitHub table.
pub fn markdown(swept: &Swept) -> String {
    let incomplete = swept
        .incomplete
        .iter()
        .map(|why| format!("**Incomplete:** {}\n\n", super::table::escape_markdown(why)));
    let name = super::table::escape_markdown(&swept.experiment);
    format!(
        "### {name}\n\n{}{}",
        incomplete.collect::<String>(),
        table(swept, usize::MAX, Style::default()).markdown()
    )
}

/// One row per cell and metric.
pub fn csv(swept: &Swept) -> String {
    let axes = swept.axes.iter().map(|axis| axis.path.as_str());
    let mut out = csv_line(axes.chain(["metric", "unit", "n", "yes", "mean", "half_width", "exact"]));
    for cell in &swept.cells {
        for (column, metric) in swept.metrics.iter().enumerate() {
            let value = &cell.metrics[column];
            let numbers = [
                Some(value.n as f64),
                value.yes.map(|yes| yes as f64),
                value.mean,
                value.half_width,
                cell.exact[column],
            ];
            let at = cell.at.iter().map(|value| value.trim_matches('"').to_string());
            let words = [metric.path.clone(), unit_word(metric.unit).into()];
            out += &csv_line(at.chain(words).chain(numbers.map(csv_number)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::width;
    use super::*;
    use crate::replicate::Measured::Number;
    use sim_models::report::Unit;

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
            }
        };
        let column = |path: &str, unit| Column { path: path.into(), unit, less_is_better: None };
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
    fn two_axes_are_a_map() {
        insta::assert_snapshot!(text(&plane(), Style::default()));
    }

    #[test]
    fn tables_for_programs_and_for_pull_requests() {
        insta::assert_snapshot!(csv(&plane()) + "\n" + &markdown(&plane()));
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
