//! A heat map of characters: a number over two axes, shaded by its size.
//!
//! Where the page has room, every place holds the number and its shade; else shades alone. The scale below says
//! what a shade means, evenly or, where the numbers span two decades, by their logarithms.

use super::chart::below;
use crate::text::number::{NOTHING, of};
use crate::text::table::Grid;
use crate::text::{Paint, Style, clean, fit, pad, pad_left, width};
use sim_core::math;
use sim_models::report::Unit;

/// The shades, from little to much.
const SHADES: [char; 4] = ['░', '▒', '▓', '█'];
const ASCII: [char; 4] = ['.', '-', '+', '#'];
/// The most rows; a page with more is no picture any more.
const MOST_ROWS: usize = 100;

/// A number over two axes.
#[derive(Clone, Debug, Default)]
pub struct Map<'a> {
    /// What it is.
    pub name: &'a str,
    /// The name of the axis that goes down.
    pub down: &'a str,
    /// Its values.
    pub rows: Vec<String>,
    /// The name of the axis that goes across.
    pub across: &'a str,
    /// Its values.
    pub columns: Vec<String>,
    /// The numbers, row by row; none where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// How sizes become shades.
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    fn over(values: &[Option<f64>]) -> Option<Self> {
        let known = || values.iter().flatten().copied().filter(|x| x.is_finite());
        let low = known().fold(f64::INFINITY, f64::min);
        let high = known().fold(f64::NEG_INFINITY, f64::max);
        let logarithmic = low > 0.0 && high / low >= 100.0;
        low.is_finite().then_some(Scale { low, high, logarithmic })
    }

    fn level(&self, x: f64) -> usize {
        let of = |x: f64| if self.logarithmic { math::log10(x) } else { x };
        let (low, high) = (of(self.low), of(self.high));
        let share = if high > low { (of(x) - low) / (high - low) } else { 0.0 };
        // What is exactly between two is the largest of the lower one, as the scale says.
        ((share * SHADES.len() as f64).ceil() as usize).clamp(1, SHADES.len()) - 1
    }

    /// The largest number of a level.
    fn upper(&self, level: usize) -> f64 {
        let share = (level + 1) as f64 / SHADES.len() as f64;
        match self.logarithmic {
            _ if level + 1 == SHADES.len() => self.high,
            true => math::pow(10.0, math::log10(self.low) * (1.0 - share) + math::log10(self.high) * share),
            false => self.low + (self.high - self.low) * share,
        }
    }

    fn legend(&self, unit: Unit, style: Style) -> String {
        if self.high <= self.low {
            return format!("{0}{0} {1} everywhere", style.pick(SHADES, ASCII)[0], of(self.low, unit));
        }
        let shade = |level: usize| {
            let shade = style.pick(SHADES, ASCII)[level];
            format!("{shade}{shade} to {}", of(self.upper(level), unit))
        };
        let levels: Vec<String> = (0..SHADES.len()).map(shade).collect();
        let logarithmic = if self.logarithmic { "   (logarithmic)" } else { "" };
        format!("from {}   {}{logarithmic}", of(self.low, unit), levels.join("   "))
    }
}

/// The map and its scale; nothing where there is nothing to shade, or no room.
pub fn heat_map(map: &Map, unit: Unit, style: Style) -> Vec<String> {
    let Some(scale) = Scale::over(&map.values) else { return Vec::new() };
    if map.rows.len() > MOST_ROWS {
        return Vec::new();
    }
    let numbers = with_numbers(map, &scale, unit, style);
    let fits = numbers.len() == map.rows.len() + 1
        && numbers.iter().all(|line| width(line) <= style.columns().saturating_sub(2));
    let picture = if fits { numbers } else { shades_alone(map, &scale, style) };
    if picture.is_empty() {
        return picture;
    }
    let title = style.paint(Paint::Strong, &clean(map.name));
    let axes = format!("{} down, {} across", clean(map.down), clean(map.across));
    let mut lines = vec![format!("{title}   {}", style.paint(Paint::Quiet, &axes))];
    lines.extend(picture);
    lines.push(scale.legend(unit, style));
    lines
}

fn with_numbers(map: &Map, scale: &Scale, unit: Unit, style: Style) -> Vec<String> {
    let place = |value: &Option<f64>| match value.filter(|x| x.is_finite()) {
        None => format!("{NOTHING}   "),
        Some(x) => {
            let shade = style.pick(SHADES, ASCII)[scale.level(x)];
            format!("{} {shade}{shade}", of(x, unit))
        }
    };
    let mut grid = Grid::new().words("").numbers(map.columns.iter().map(|column| format!("{column}   ")));
    for (row, values) in map.rows.iter().zip(map.values.chunks(map.columns.len())) {
        grid.row(std::iter::once(row.clone()).chain(values.iter().map(place)));
    }
    grid.text(0, style)
}

/// Two characters for each place, or one.
fn shades_alone(map: &Map, scale: &Scale, style: Style) -> Vec<String> {
    let labels = map.rows.iter().map(|row| width(row)).max().unwrap_or(0).min(24);
    let room = style.columns().saturating_sub(labels + 4);
    let Some(wide) = [2, 1].into_iter().find(|wide| map.columns.len() * wide <= room) else {
        return Vec::new();
    };
    let place = |value: &Option<f64>| match value.filter(|x| x.is_finite()) {
        None => " ".repeat(wide),
        Some(x) => style.pick(SHADES, ASCII)[scale.level(x)].to_string().repeat(wide),
    };
    let mut lines: Vec<String> = Vec::new();
    for (row, values) in map.rows.iter().zip(map.values.chunks(map.columns.len())) {
        let shades: String = values.iter().map(place).collect();
        lines.push(format!("{}  {}", pad_left(&fit(row, labels, style), labels), shades.trim_end()));
    }
    let mut ticks: Vec<(usize, String)> =
        map.columns.iter().enumerate().map(|(n, label)| (n * wide, label.clone())).collect();
    // Both ends are labelled whatever becomes of the others.
    ticks.rotate_right(1);
    lines.push(pad("", labels + 2) + &below(&ticks, room));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(rows: usize, columns: usize, of: impl Fn(f64, f64) -> Option<f64>) -> Map<'static> {
        Map {
            name: "p99",
            down: "payments.replicas",
            rows: (1..=rows).map(|n| n.to_string()).collect(),
            across: "naive.timeout",
            columns: (1..=columns).map(|n| format!("{}ms", 50 * n)).collect(),
            values: (0..rows * columns)
                .map(|at| of((at / columns) as f64 / rows as f64, (at % columns) as f64 / columns as f64))
                .collect(),
        }
    }

    #[test]
    fn numbers_where_there_is_room() {
        let map = plane(3, 4, |down, across| (down + across < 1.0).then_some(1e6 + 1e7 * down * across));
        insta::assert_snapshot!(heat_map(&map, Unit::Duration, Style::default()).join("\n"));
    }

    #[test]
    fn shades_where_there_is_not_and_by_logarithm_over_decades() {
        let map = plane(8, 60, |down, across| Some(1e6 * math::pow(10.0, 3.0 * down * across)));
        let lines = heat_map(&map, Unit::Duration, Style::default());
        assert!(lines.iter().all(|line| width(line) <= 100));
        insta::assert_snapshot!(lines.join("\n"));
        let ascii = heat_map(&map, Unit::Duration, Style { unicode: false, ..Style::default() });
        assert!(ascii.iter().all(|line| line.is_ascii()), "{ascii:?}");
    }

    #[test]
    fn every_number_has_the_shade_that_the_scale_says() {
        for (low, high) in [(1.0, 9.0), (1.0, 5000.0), (-2.0, 2.0)] {
            let scale = Scale::over(&[Some(low), None, Some(high)]).unwrap();
            for step in 0..=100 {
                let x = low + (high - low) * f64::from(step) / 100.0;
                let level = scale.level(x);
                assert!(x <= scale.upper(level) * (1.0 + 1e-9) + 1e-9, "{x} is in level {level}");
                assert!(
                    level == 0 || x >= scale.upper(level - 1) * (1.0 - 1e-9) - 1e-9,
                    "{x} is in level {level}"
                );
            }
        }
    }

    #[test]
    fn nothing_to_shade_is_no_map() {
        assert!(heat_map(&plane(2, 2, |_, _| None), Unit::Plain, Style::default()).is_empty());
        assert!(heat_map(&plane(2, 200, |_, _| Some(1.0)), Unit::Plain, Style::default()).is_empty());
        let flat = heat_map(&plane(2, 2, |_, _| Some(0.5)), Unit::Share, Style::default());
        assert!(flat.last().unwrap().contains("50 % everywhere"), "{flat:?}");
    }
}
