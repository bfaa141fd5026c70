//! Variants side by side: a verdict in words and a line of goodput each, a table of what they come to, and the
//! differences to the first on the same seeds.

use super::estimate::{Column, estimate, heads, unit_word};
use super::number::{NOTHING, difference, duration, plus_minus};
use super::table::{Entry, Grid, csv_line, csv_number, escape_markdown};
use super::timeline;
use super::{Paint, Style, clean, fit, pad, width, wrap};
use crate::replicate::{Estimate, Seeds};
use serde::Serialize;
use sim_models::report::{Disturbance, Series, Unit};

/// Version of the shape of a [`Comparison`] in JSON.
pub const FORMAT: u32 = 1;

/// Variants of one experiment, held against the first of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// What was set from outside.
    pub set: Vec<(String, String)>,
    /// The seeds that every variant met.
    pub seeds: Seeds,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// The metrics, in the order of the columns.
    pub metrics: Vec<Column>,
    /// The variants; differences are to the first.
    pub variants: Vec<Compared>,
    /// What disturbed all of them alike, and the length of the run in nanoseconds.
    #[serde(skip)]
    pub faults: (Vec<Disturbance>, u64),
    /// The command that runs the first of them alone.
    #[serde(skip)]
    pub next: String,
}

/// One variant.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Compared {
    /// Its name; `base` is the file as it stands.
    pub name: String,
    /// What it comes to, in words.
    pub verdict: String,
    /// Each metric over the seeds.
    pub metrics: Vec<Estimate>,
    /// Each metric minus that of the first variant, seed by seed; empty for the first.
    pub differences: Vec<Estimate>,
    /// Goodput over time on the first seed.
    #[serde(skip)]
    pub picture: Option<Series>,
}

/// The page.
pub fn text(comparison: &Comparison, style: Style) -> String {
    let mut sections =
        vec![title(comparison, style), verdicts(comparison, style), pictures(comparison, style)];
    let mut lines = table(comparison, false, style).text(2, style);
    let best_marked = (0..comparison.metrics.len()).any(|column| best(comparison, column).is_some());
    if comparison.seeds.count > 1 {
        let star = style.pick("★", "*");
        let best = if best_marked { format!("; {star} best, clear of all others") } else { String::new() };
        let legend = format!("  mean and 95 % interval over {} seeds{best}", comparison.seeds.count);
        lines.push(style.paint(Paint::Quiet, &legend));
    }
    sections.push(lines);
    sections.push(differences(comparison, style));
    if !comparison.next.is_empty() {
        sections.push(vec![format!("  {}  {}", style.paint(Paint::Quiet, "look at one"), comparison.next)]);
    }
    let written: Vec<String> =
        sections.iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    written.join("\n\n") + "\n"
}

fn title(comparison: &Comparison, style: Style) -> Vec<String> {
    let Seeds { first, count } = comparison.seeds;
    let seeds = match count {
        1 => format!("seed {first}"),
        _ => format!("seeds {first} to {}", first.wrapping_add(u64::from(count) - 1)),
    };
    let name = clean(&comparison.experiment);
    let set = comparison.set.iter().map(|(path, value)| format!("{}={}", clean(path), clean(value)));
    let head = [name.clone(), format!("{} variants on the same luck", comparison.variants.len()), seeds];
    let head = head.into_iter().chain(set).collect::<Vec<_>>().join(style.pick(" · ", ", "));
    let mut lines = wrap(&head, style.columns());
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(&name, &style.paint(Paint::Strong, &name), 1);
    }
    for why in &comparison.incomplete {
        lines.extend(
            wrap(&format!("INCOMPLETE: {}", clean(why)), style.columns())
                .iter()
                .map(|l| style.paint(Paint::Bad, l)),
        );
    }
    lines
}

/// One row of goodput for each variant, all on one scale.
fn pictures(comparison: &Comparison, style: Style) -> Vec<String> {
    let drawn: Vec<(&Compared, &Series)> =
        comparison.variants.iter().filter_map(|v| v.picture.as_ref().map(|series| (v, series))).collect();
    let full = drawn.iter().map(|(_, series)| timeline::peak(series)).fold(0.0, f64::max);
    if drawn.is_empty() || full <= 0.0 {
        return Vec::new();
    }
    let names: Vec<String> = drawn.iter().map(|(v, _)| fit(&clean(&v.name), 24, style)).collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0).max("fault".len());
    let head = format!("  {} on seed {}", clean(&drawn[0].1.name), comparison.seeds.first);
    let mut lines = vec![style.paint(Paint::Quiet, &head)];
    let columns = style.columns() - name_width - 4;
    let (disturbances, span) = &comparison.faults;
    for bar in timeline::faults(disturbances, *span, columns, style) {
        lines.push(format!("  {}  {}", pad("fault", name_width), style.paint(Paint::Bad, bar.trim_end())));
    }
    for ((_, series), name) in drawn.iter().zip(&names) {
        lines.push(
            format!("  {}  {}", pad(name, name_width), timeline::row(series, full, columns, style))
                .trim_end()
                .to_string(),
        );
    }
    lines
}

fn table(comparison: &Comparison, markdown: bool, style: Style) -> Grid {
    let mut grid = Grid::new().words("variant").numbers(heads(&comparison.metrics));
    let best: Vec<Option<usize>> =
        (0..comparison.metrics.len()).map(|column| best(comparison, column)).collect();
    for (row, variant) in comparison.variants.iter().enumerate() {
        let cells = comparison.metrics.iter().enumerate().map(|(column, metric)| {
            let text = estimate(&variant.metrics[column], metric.unit, style);
            match best[column] == Some(row) {
                true if markdown => Entry::from(format!("{text} ★")),
                true => Entry::painted(format!("{text} {}", style.pick("★", "*")), Paint::Good),
                // A blank below the star keeps the digits in line.
                false if !markdown && best[column].is_some() => Entry::from(format!("{text}  ")),
                false => Entry::from(text),
            }
        });
        grid.row(std::iter::once(Entry::from(variant.name.as_str())).chain(cells));
    }
    grid
}

/// The one variant that is better than all others in this metric, its interval clear of theirs.
fn best(comparison: &Comparison, column: usize) -> Option<usize> {
    let less = comparison.metrics[column].less_is_better?;
    if comparison.variants.len() < 2 {
        return None;
    }
    let score = |row: usize| {
        let estimate = &comparison.variants[row].metrics[column];
        let sign = if less { 1.0 } else { -1.0 };
        estimate.mean.map(|mean| (sign * mean, estimate.half_width.unwrap_or(0.0)))
    };
    let scores: Vec<(usize, (f64, f64))> =
        (0..comparison.variants.len()).filter_map(|row| score(row).map(|score| (row, score))).collect();
    let (row, (mean, half)) = *scores.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
    let clear = scores.iter().all(|(other, (m, h))| *other == row || mean + half < m - h);
    (clear && scores.len() > 1).then_some(row)
}

/// Mean differences to the first variant, seed by seed.
fn differences(comparison: &Comparison, style: Style) -> Vec<String> {
    let Some(first) = comparison.variants.first() else { return Vec::new() };
    let there =
        |column: usize| comparison.variants.iter().skip(1).any(|v| v.differences[column].mean.is_some());
    let columns: Vec<usize> = (0..comparison.metrics.len()).filter(|&column| there(column)).collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let heads = heads(&comparison.metrics);
    let mut grid = Grid::new()
        .words(format!("minus {}", clean(&first.name)))
        .numbers(columns.iter().map(|&column| heads[column].clone()));
    for variant in comparison.variants.iter().skip(1) {
        let cell = |&column: &usize| {
            let (estimate, metric) = (&variant.differences[column], &comparison.metrics[column]);
            let Some(mean) = estimate.mean else { return Entry::from(NOTHING) };
            let text = match (estimate.half_width, metric.unit) {
                (None, unit) => difference(mean, unit),
                (Some(half), Unit::Share) => {
                    plus_minus(mean * 100.0, half * 100.0, Unit::Plain, style) + " pp"
                }
                (Some(half), unit) => plus_minus(mean, half, unit, style),
            };
            let text = if mean > 0.0 && !text.starts_with('+') { format!("+{text}") } else { text };
            let clear =
                estimate.interval().is_some_and(|interval| interval.start > 0.0 || interval.end < 0.0);
            let paint = match metric.less_is_better {
                Some(less) if clear => {
                    if (mean < 0.0) == less {
                        Paint::Good
                    } else {
                        Paint::Bad
                    }
                }
                _ => Paint::Plain,
            };
            Entry::painted(text, paint)
        };
        grid.row(std::iter::once(Entry::from(variant.name.as_str())).chain(columns.iter().map(cell)));
    }
    grid.text(2, style)
}

fn verdicts(comparison: &Comparison, style: Style) -> Vec<String> {
    let names: Vec<String> = comparison.variants.iter().map(|v| clean(&v.name)).collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0).min(24);
    let line = |(variant, name): (&Compared, &String)| {
        let lines = wrap(&clean(&variant.verdict), style.columns() - name_width - 4);
        let head = |index: usize| if index == 0 { fit(name, name_width, style) } else { String::new() };
        lines
            .iter()
            .enumerate()
            .map(|(index, line)| format!("  {}  {line}", pad(&head(index), name_width)))
            .collect::<Vec<_>>()
    };
    comparison.variants.iter().zip(&names).flat_map(line).collect()
}

/// A pull request's comment.
pub fn markdown(comparison: &Comparison) -> String {
    let style = Style::default();
    let Seeds { first, count } = comparison.seeds;
    let mut out = format!("### {}\n\n", escape_markdown(&comparison.experiment));
    for why in &comparison.incomplete {
        out += &format!("**Incomplete:** {}\n\n", escape_markdown(why));
    }
    out += &table(comparison, true, style).markdown();
    out += &format!("\nMean and 95 % interval over {count} seeds from {first}; ★ is clearly best.\n\n");
    for variant in &comparison.variants {
        out += &format!("- **{}**: {}\n", escape_markdown(&variant.name), escape_markdown(&variant.verdict));
    }
    out
}

/// One row per variant and metric.
pub fn csv(comparison: &Comparison) -> String {
    let heads = [
        "variant",
        "metric",
        "unit",
        "n",
        "yes",
        "mean",
        "half_width",
        "difference",
        "difference_half_width",
    ];
    let mut out = csv_line(heads);
    for variant in &comparison.variants {
        for (column, metric) in comparison.metrics.iter().enumerate() {
            let (value, difference) = (&variant.metrics[column], variant.differences.get(column));
            let numbers = [
                Some(value.n as f64),
                value.yes.map(|yes| yes as f64),
                value.mean,
                value.half_width,
                difference.and_then(|d| d.mean),
                difference.and_then(|d| d.half_width),
            ];
            let words = [variant.name.clone(), metric.path.clone(), unit_word(metric.unit).into()];
            out += &csv_line(words.into_iter().chain(numbers.map(csv_number)));
        }
    }
    out
}

/// What a variant comes to over its seeds, in words. `kinds` are the kinds of verdict with how often each
/// was reached, the most frequent first.
pub fn verdict(recovered: Option<&Estimate>, time: Option<&Estimate>, kinds: &[(&str, usize)]) -> String {
    let runs: usize = kinds.iter().map(|(_, n)| n).sum();
    let on = |n: u64, all: u64| match (n, all) {
        (1, 1) => String::new(),
        _ => format!(" on {n} of {all} seeds"),
    };
    let mean = match time.and_then(|time| time.mean) {
        Some(0.0) => " at once".into(),
        Some(ns) => format!(" in {}", duration(ns as u64)),
        None => String::new(),
    };
    match recovered.and_then(|recovered| recovered.yes.map(|yes| (yes, recovered.n))) {
        Some((0, all)) if all > 0 => {
            let words = match kinds.first() {
                Some(("degraded", _)) => "stays degraded",
                _ => "never recovers",
            };
            format!("{words}{}", if all > 1 { format!(" (0 of {all} seeds)") } else { String::new() })
        }
        Some((yes, all)) if yes == all => format!("recovers{mean}{}", on(yes, all)),
        Some((yes, all)) => format!("recovers{} only, then{mean}", on(yes, all)),
        None => {
            let part = |(kind, n): &(&str, usize)| {
                if *n == runs { kind.to_string() } else { format!("{kind} on {n}") }
            };
            let parts = kinds.iter().map(part).collect::<Vec<_>>().join(", ");
            match (kinds.len(), runs) {
                (_, 0) => "not run".into(),
                (_, 1) => parts,
                (1, _) => format!("{parts} on all {runs} seeds"),
                _ => format!("{parts} of {runs} seeds"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::estimate::less_is_better;
    use super::*;
    use crate::replicate::Measured::{self, Absent, Number, Truth};

    fn column(path: &str, unit: Unit) -> Column {
        Column { path: path.into(), unit, less_is_better: less_is_better(path) }
    }

    fn compared(name: &str, values: &[&[Measured]], base: &[&[Measured]]) -> Compared {
        let metrics: Vec<Estimate> = values.iter().map(|values| Estimate::of(values)).collect();
        Compared {
            name: name.into(),
            verdict: verdict(Some(&metrics[0]), Some(&metrics[1]), &[("recovered", 3)]),
            differences: values
                .iter()
                .zip(base)
                .map(|(values, base)| Estimate::of_differences(values, base))
                .collect(),
            metrics,
            picture: Some(Series {
                name: "goodput".into(),
                unit: "/s".into(),
                values: (0..300).map(|n| if n < 60 || name == "budgeted" { 1000.0 } else { 24.0 }).collect(),
                of: None,
            }),
        }
    }

    fn storm(name: &str) -> Comparison {
        let s = 1e9;
        let base: [&[Measured]; 4] = [
            &[Truth(false); 3],
            &[Absent; 3],
            &[Number(0.2), Number(0.21), Number(0.19)],
            &[Number(2.98), Number(2.97), Number(2.99)],
        ];
        let budgeted: [&[Measured]; 4] = [
            &[Truth(true); 3],
            &[Number(12.0 * s), Number(12.5 * s), Number(11.0 * s)],
            &[Number(0.97), Number(0.98), Number(0.97)],
            &[Number(1.08), Number(1.07), Number(1.08)],
        ];
        Comparison {
            faults: (
                vec![Disturbance {
                    what: "slow".into(),
                    on: "payments".into(),
                    from: 60_000_000_000,
                    to: Some(90_000_000_000),
                }],
                300_000_000_000,
            ),
            format: FORMAT,
            experiment: "retry-storm".into(),
            seeds: Seeds { first: 42, count: 3 },
            next: "brownout run retry-storm --seed 42".into(),
            metrics: vec![
                column("recovered", Unit::Plain),
                column("time_to_recover", Unit::Duration),
                column("success", Unit::Share),
                column("amplification", Unit::Plain),
            ],
            variants: vec![compared("base", &base, &[]), compared(name, &budgeted, &base)],
            ..Comparison::default()
        }
    }

    #[test]
    fn variants_side_by_side() {
        let text = text(&storm("budgeted"), Style::default());
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_comment_for_a_pull_request() {
        let mut comparison = storm("bud|ge\nted`");
        comparison.incomplete.push("interrupted".into());
        insta::assert_snapshot!(markdown(&comparison));
    }

    #[test]
    fn a_table_for_programs() {
        insta::assert_snapshot!(csv(&storm("budgeted")));
    }

    #[test]
    fn nothing_measured_is_no_number() {
        let mut comparison = storm("budgeted");
        for variant in &mut comparison.variants {
            variant.metrics = vec![Estimate::default(); 4];
            variant.differences = vec![Estimate::default(); variant.differences.len()];
            variant.picture = None;
        }
        let style = Style { width: 60, unicode: false, ..Style::default() };
        let text = text(&comparison, style);
        assert!(text.is_ascii() && !text.contains("NaN") && !text.contains('*'), "{text}");
    }

    #[test]
    fn verdicts_in_words() {
        let truth = |yes, n| Estimate { n, yes: Some(yes), ..Estimate::default() };
        let time = Estimate { n: 7, mean: Some(12e9), ..Estimate::default() };
        assert_eq!(verdict(Some(&truth(10, 10)), Some(&time), &[]), "recovers in 12 s on 10 of 10 seeds");
        assert_eq!(
            verdict(Some(&truth(3, 10)), Some(&time), &[]),
            "recovers on 3 of 10 seeds only, then in 12 s"
        );
        assert_eq!(verdict(Some(&truth(0, 10)), None, &[]), "never recovers (0 of 10 seeds)");
        assert_eq!(verdict(Some(&truth(0, 1)), None, &[]), "never recovers");
        assert_eq!(verdict(Some(&truth(0, 1)), None, &[("degraded", 1)]), "stays degraded");
        assert_eq!(verdict(Some(&truth(1, 1)), Some(&time), &[]), "recovers in 12 s");
        assert_eq!(verdict(None, None, &[("steady", 10)]), "steady on all 10 seeds");
        assert_eq!(
            verdict(None, None, &[("steady", 7), ("failing", 3)]),
            "steady on 7, failing on 3 of 10 seeds"
        );
        assert_eq!(verdict(None, None, &[]), "not run");
        let at_once = Estimate { n: 10, mean: Some(0.0), ..Estimate::default() };
        assert_eq!(verdict(Some(&truth(10, 10)), Some(&at_once), &[]), "recovers at once on 10 of 10 seeds");
    }
}
