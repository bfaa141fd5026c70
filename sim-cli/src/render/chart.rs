//! Pictures made of characters: one-line sparklines over time, and a curve with axes.

use crate::text::number::of;
use crate::text::{Style, fit, pad, pad_left, width};
use sim_core::math;
use sim_models::report::Unit;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// `values` as `columns` numbers, each the mean of its share of them, by overlap. A column without any
/// finite value is NaN.
pub fn resample(values: &[f64], columns: usize) -> Vec<f64> {
    let per_column = values.len() as f64 / columns as f64;
    let mean = |column: usize| {
        let (from, to) = (column as f64 * per_column, (column + 1) as f64 * per_column);
        let (mut sum, mut weight) = (0.0, 0.0);
        let first = (from as usize).min(values.len());
        for (index, value) in
            values[first..].iter().enumerate().take_while(|(n, _)| ((first + n) as f64) < to)
        {
            let at = (first + index) as f64;
            if value.is_finite() {
                let overlap = (to.min(at + 1.0) - from.max(at)).max(0.0);
                sum += value * overlap;
                weight += overlap;
            }
        }
        if weight > 0.0 { sum / weight } else { f64::NAN }
    };
    (0..columns).map(mean).collect()
}

/// One block per value, from nothing to `full`; a blank where there is no value.
pub fn sparkline(values: &[f64], full: f64, style: Style) -> String {
    let blocks = style.pick(BLOCKS, ASCII);
    let block = |value: f64| {
        if !value.is_finite() {
            return ' ';
        }
        let share = if full > 0.0 { (value / full).clamp(0.0, 1.0) } else { 0.0 };
        // What is exactly half full is drawn as half full: rounded up to eighths.
        blocks[((share * 8.0).ceil() as usize).clamp(1, 8) - 1]
    };
    values.iter().map(|&value| block(value)).collect()
}

/// One point of a curve.
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// What stands below it.
    pub label: String,
    /// Where it stands, if it has a number.
    pub x: Option<f64>,
    /// Measured, if anything was.
    pub measured: Option<f64>,
    /// Half the width of the interval around it.
    pub half_width: Option<f64>,
    /// What theory gives.
    pub exact: Option<f64>,
}

/// A curve with its axes: measured points, and a line through what theory gives if it gives anything,
/// else through the points. An axis whose numbers span two decades is logarithmic. `theory` is what its line is called.
pub fn curve(
    x_name: &str,
    y_name: &str,
    unit: Unit,
    points: &[Point],
    theory: &str,
    style: Style,
) -> Vec<String> {
    const ROWS: usize = 12;
    // Not over the intervals: one that is wider than the picture would hide the curve.
    let values = points.iter().flat_map(|p| [p.exact, p.measured]);
    let known: Vec<f64> = values.flatten().filter(|y| y.is_finite()).collect();
    if known.is_empty() || points.len() < 2 {
        return Vec::new();
    }
    let zero = match unit {
        // A share that does not begin at zero looks like more than it is.
        Unit::Share => Zero::Always,
        Unit::Duration => Zero::Never,
        _ => Zero::WhereNear,
    };
    let y_axis = Axis::over(&known, zero);
    // Words, or numbers out of order, stand side by side in the order of the file.
    let numbers: Option<Vec<f64>> = points.iter().map(|p| p.x.filter(|x| x.is_finite())).collect();
    let rising = numbers.filter(|x| x.windows(2).all(|pair| pair[0] < pair[1]));
    let xs = rising.unwrap_or_else(|| (0..points.len()).map(|n| n as f64).collect());
    let mut x_axis = Axis::over(&xs, Zero::Never);
    x_axis.logarithmic |= is_by_factor(&xs);

    let labels: Vec<String> = (0..ROWS)
        .map(|row| match row {
            0 | 4 | 8 | 11 => of(y_axis.at(1.0 - row as f64 / (ROWS - 1) as f64), unit),
            _ => String::new(),
        })
        .collect();
    let margin = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    // Room at the right for the last label below.
    let columns = (style.columns() - margin - 8).min(84);
    let mut canvas = Canvas::new(columns, ROWS, style);
    let spot = |x: f64, y: f64| (x_axis.share(x), y_axis.share(y));
    let exact: Vec<_> = zip(&xs, points, |p| p.exact).map(|(x, y)| spot(x, y)).collect();
    let measured: Vec<_> = zip(&xs, points, |p| p.measured).map(|(x, y)| spot(x, y)).collect();
    canvas.path(if exact.is_empty() { &measured } else { &exact });
    for (x, point) in xs.iter().zip(points) {
        if let (Some(y), Some(half)) = (point.measured, point.half_width) {
            canvas.bar(x_axis.share(*x), y_axis.share(y - half), y_axis.share(y + half));
        }
    }
    measured.iter().for_each(|&(x, y)| canvas.mark(x, y));

    let (side, corner, floor) = style.pick(("│", "└", "─"), ("|", "+", "-"));
    let legend = match exact.is_empty() {
        true => format!("{} measured", style.pick("●", "o")),
        false => format!("{} measured   {} {theory}", style.pick("●", "o"), style.pick("⠤⠤", "..")),
    };
    let mut lines = vec![format!("{}  {legend}", y_name)];
    for (label, row) in labels.iter().zip(canvas.rows()) {
        lines.push(format!("{} {side}{}", pad_left(label, margin), row).trim_end().to_string());
    }
    lines.push(format!("{} {corner}{}", " ".repeat(margin), floor.repeat(columns)));
    let mut ticks: Vec<(usize, String)> = xs
        .iter()
        .zip(points)
        .map(|(x, p)| (place(x_axis.share(*x), columns), super::clean(&p.label)))
        .collect();
    // Both ends are labelled whatever becomes of the others.
    ticks.rotate_right(1);
    lines.push(pad("", margin + 2) + &below(&ticks, columns + 6));
    lines.push(pad_left(&fit(x_name, columns, style), margin + 2 + columns));
    lines
}

fn zip<'a>(
    xs: &'a [f64],
    points: &'a [Point],
    of: impl Fn(&Point) -> Option<f64> + 'a,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    xs.iter().zip(points).filter_map(move |(x, p)| of(p).filter(|y| y.is_finite()).map(|y| (*x, y)))
}

/// Labels on one line, each centred on its column; the first of the list comes first where two would touch.
pub fn below(ticks: &[(usize, String)], columns: usize) -> String {
    let mut placed: Vec<(usize, &str)> = Vec::new();
    for (at, label) in ticks {
        let from = at.saturating_sub(width(label) / 2).min(columns.saturating_sub(width(label)));
        if placed.iter().all(|(start, other)| from + width(label) < *start || start + width(other) < from) {
            placed.push((from, label));
        }
    }
    placed.sort_unstable();
    placed.iter().fold(String::new(), |line, (from, label)| pad(&line, *from) + label)
}

/// Where a share of the way falls among `columns`.
fn place(share: f64, columns: usize) -> usize {
    (share.clamp(0.0, 1.0) * (columns - 1) as f64).round() as usize
}

/// Whether each of these numbers is as many times the one before, and there are enough of them to see it: they are evenly spaced on a
/// logarithmic axis.
pub fn is_by_factor(numbers: &[f64]) -> bool {
    let (Some(first), Some(second)) = (numbers.first(), numbers.get(1)) else { return false };
    let factor = second / first;
    let alike = |pair: &[f64]| pair[0] > 0.0 && (pair[1] / pair[0] / factor - 1.0).abs() < 0.02;
    numbers.len() > 2 && factor >= 1.2 && numbers.windows(2).all(alike)
}

/// Whether an axis begins at zero.
#[derive(Clone, Copy, PartialEq)]
enum Zero {
    Always,
    WhereNear,
    Never,
}

/// A range of numbers, evenly spaced or by their logarithms.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Axis {
    /// Around all `known`; from zero on where `zero` asks for it.
    fn over(known: &[f64], zero: Zero) -> Self {
        let low = known.iter().copied().fold(f64::INFINITY, f64::min);
        let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let logarithmic = low > 0.0 && high / low >= 100.0;
        let near = zero == Zero::Always || zero == Zero::WhereNear && low < high / 2.0;
        let low = if near && !logarithmic && low > 0.0 { 0.0 } else { low };
        let high = if high > low { high } else { low + low.abs().max(1.0) };
        Axis { low, high, logarithmic }
    }

    /// How far along the axis `value` is, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let of = |x: f64| if self.logarithmic { math::log10(x.max(self.low)) } else { x };
        ((of(value) - of(self.low)) / (of(self.high) - of(self.low))).clamp(0.0, 1.0)
    }

    /// The value that far along.
    fn at(&self, share: f64) -> f64 {
        match self.logarithmic {
            true => math::pow(10.0, math::log10(self.low) * (1.0 - share) + math::log10(self.high) * share),
            false => self.low + (self.high - self.low) * share,
        }
    }
}

/// Characters under which dots are: eight braille dots each, or one.
struct Canvas {
    columns: usize,
    rows: usize,
    dots: Vec<u8>,
    over: Vec<Option<char>>,
    style: Style,
}

impl Canvas {
    fn new(columns: usize, rows: usize, style: Style) -> Self {
        Canvas { columns, rows, dots: vec![0; columns * rows], over: vec![None; columns * rows], style }
    }

    /// Lines from each spot to the next; a spot is (right, up), both from 0 to 1.
    fn path(&mut self, spots: &[(f64, f64)]) {
        let (wide, high) = (self.columns * 2, self.rows * 4);
        for pair in spots.windows(2) {
            let [(x0, y0), (x1, y1)] =
                [pair[0], pair[1]].map(|(x, y)| (place(x, wide), place(1.0 - y, high)));
            let steps = x0.abs_diff(x1).max(y0.abs_diff(y1)).max(1);
            for step in 0..=steps {
                let along = step as f64 / steps as f64;
                let between =
                    |a: usize, b: usize| (a as f64 + (b as f64 - a as f64) * along).round() as usize;
                self.dot(between(x0, x1), between(y0, y1));
            }
        }
    }

    fn dot(&mut self, x: usize, y: usize) {
        // Braille numbers its dots down the left column, then the right; the bottom row came later.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        self.dots[y / 4 * self.columns + x / 2] |= BITS[y % 4][x % 2];
    }

    fn mark(&mut self, x: f64, y: f64) {
        let cell = place(1.0 - y, self.rows * 4) / 4 * self.columns + place(x, self.columns * 2) / 2;
        self.over[cell] = Some(self.style.pick('●', 'o'));
    }

    fn bar(&mut self, x: f64, low: f64, high: f64) {
        let row = |y: f64| place(1.0 - y, self.rows * 4) / 4;
        for row in row(high)..=row(low) {
            let cell = row * self.columns + place(x, self.columns * 2) / 2;
            self.over[cell] = Some(self.style.pick('│', '|'));
        }
    }

    fn rows(&self) -> impl Iterator<Item = String> {
        let shown = |cell: usize| match (self.over[cell], self.dots[cell]) {
            (Some(c), _) => c,
            (None, 0) => ' ',
            (None, dots) if self.style.unicode => {
                char::from_u32(0x2800 + u32::from(dots)).expect("256 braille characters")
            }
            (None, _) => '.',
        };
        (0..self.rows).map(move |row| (row * self.columns..(row + 1) * self.columns).map(shown).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_mean_of_its_share() {
        assert_eq!(resample(&[1.0, 3.0, 5.0, 7.0], 2), [2.0, 6.0]);
        assert_eq!(resample(&[1.0, 4.0, 7.0], 2), [2.0, 6.0]);
        assert_eq!(resample(&[1.0, 2.0], 4), [1.0, 1.0, 2.0, 2.0]);
        assert!(resample(&[], 3).iter().all(|x| x.is_nan()));
        assert_eq!(resample(&[f64::NAN, 2.0], 1), [2.0]);
    }

    #[test]
    fn blocks_from_nothing_to_full() {
        let values = [0.0, 0.01, 0.5, 0.51, 1.0, 7.0, f64::NAN];
        assert_eq!(sparkline(&values, 1.0, Style::default()), "▁▁▄▅██ ");
        assert_eq!(sparkline(&values, 1.0, Style { unicode: false, ..Style::default() }), "__-=## ");
        assert_eq!(sparkline(&[0.0, 0.0], 0.0, Style::default()), "▁▁");
    }

    #[test]
    fn numbers_by_a_factor_are_evenly_spaced() {
        for (numbers, by_factor) in [
            (&[50.0, 100.0, 200.0, 400.0][..], true),
            (&[0.1, 1.0, 10.0], true),
            (&[100.0, 200.0, 300.0], false),
            (&[0.0, 1.0, 2.0], false),
            (&[1.0, 2.0], false),
            (&[1.0, 1.1, 1.21], false),
            (&[], false),
        ] {
            assert_eq!(is_by_factor(numbers), by_factor, "{numbers:?}");
        }
        let point =
            |x: f64| Point { label: format!("{x}"), x: Some(x), measured: Some(1.0), ..Point::default() };
        let points: Vec<Point> = [50.0, 100.0, 200.0, 400.0, 800.0].map(point).to_vec();
        let style = Style { width: 80, ..Style::default() };
        let lines = curve("timeout", "goodput", Unit::Rate, &points, "exact", style);
        let axis = lines.iter().rev().nth(1).expect("labels");
        let gaps: Vec<usize> =
            ["50", "100", "200", "400", "800"].map(|label| axis.find(label).expect("all of them")).to_vec();
        let apart: Vec<usize> = gaps.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(apart.iter().all(|gap| gap.abs_diff(apart[1]) <= 2), "{axis}");
    }

    #[test]
    fn a_share_begins_at_zero() {
        let points: Vec<Point> = (0..3)
            .map(|n| Point {
                label: n.to_string(),
                x: Some(f64::from(n)),
                measured: Some(0.97 + f64::from(n) / 100.0),
                ..Point::default()
            })
            .collect();
        let lines = curve("replicas", "success", Unit::Share, &points, "exact", Style::default());
        assert!(lines.iter().any(|line| line.trim_start().starts_with("0 %")), "{}", lines.join("\n"));
    }

    fn knee() -> Vec<Point> {
        let of = |(percent, measured): (u32, f64)| {
            let x = f64::from(percent) / 100.0;
            Point {
                label: format!("{percent} %"),
                x: Some(x),
                measured: Some(measured),
                half_width: (percent == 90).then_some(2e7),
                exact: Some(1e7 / (1.0 - x)),
            }
        };
        [(20, 1.26e7), (40, 1.65e7), (60, 2.52e7), (80, 4.9e7), (90, 9.6e7)].map(of).to_vec()
    }

    #[test]
    fn a_curve_with_theory_beside() {
        let style = Style { width: 60, ..Style::default() };
        let lines = curve("utilisation", "mean response time", Unit::Duration, &knee(), "exact", style);
        insta::assert_snapshot!(lines.join("\n"));
        assert!(lines.iter().all(|line| width(line) <= 60));
    }

    #[test]
    fn a_curve_in_ascii_without_theory() {
        let style = Style { width: 60, unicode: false, ..Style::default() };
        let mut points = knee();
        points.iter_mut().for_each(|p| p.exact = None);
        points[2].measured = None;
        let lines = curve("utilisation", "mean response time", Unit::Duration, &points, "exact", style);
        assert!(lines.iter().all(|line| line.is_ascii()));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_curve_needs_two_points_and_a_number() {
        assert!(curve("x", "y", Unit::Plain, &knee()[..1], "exact", Style::default()).is_empty());
        assert!(
            curve("x", "y", Unit::Plain, &[Point::default(), Point::default()], "exact", Style::default())
                .is_empty()
        );
        let flat: Vec<Point> = (0..3)
            .map(|n| Point {
                label: "same".into(),
                measured: Some(0.0),
                x: Some(f64::from(n)),
                ..Point::default()
            })
            .collect();
        assert!(!curve("x", "y", Unit::Share, &flat, "exact", Style::default()).is_empty());
    }
}
