//! Variants side by side: a sentence and a line of goodput each, a table of what they come to, and the
//! differences to the first on the same seeds.

mod against;

use super::timeline;
use crate::result::change::minus;
use crate::result::column::{estimate, heads, in_csv};
use crate::result::compared::{
    Compared, Comparison, OnEdge, best, fewer, how, in_hand, lacking, legend, pairing,
};
use crate::result::effect::Effect;
use crate::result::seeds::Seeds;
use crate::result::set_apart::words;
use crate::text::table::{Entry, Grid, csv_line, csv_number, escape_markdown};
use crate::text::{Paint, Style, clean, fit, pad, quiet, unit, upper_first, width, wrap};
use sim_models::report::Series;

/// The page.
pub fn text(comparison: &Comparison, style: Style) -> String {
    let mut sections =
        vec![title(comparison, style), sentences(comparison, style), pictures(comparison, style)];
    let mut lines = table(comparison, false, style).text(2, style);
    let best_marked = (0..comparison.metrics.len()).any(|column| best(comparison, column).is_some());
    let star = style.pick("★", "*");
    let best = if best_marked { format!("; {star} best, clear of all others") } else { String::new() };
    lines.extend(quiet(&legend(comparison, &best), "  ", style));
    let notes = [comparison.unlike.clone(), lacking(comparison), in_hand(comparison), fewer(comparison)];
    lines.extend(notes.iter().flatten().flat_map(|line| quiet(&clean(line), "  ", style)));
    sections.push(lines);
    let mut lines = differences(comparison, style);
    if !lines.is_empty() {
        lines.extend(pairing(comparison, style).iter().flat_map(|line| quiet(line, "  ", style)));
    }
    sections.push(lines);
    sections.extend(comparison.baseline.as_ref().map(|baseline| against::lines(baseline, style)));
    if !comparison.next.is_empty() {
        let line = |what: &str, command: &String| format!("  {}  {command}", style.paint(Paint::Quiet, what));
        let mut lines = vec![line("look at one", &comparison.next)];
        lines.extend(comparison.what_helps.iter().map(|command| line("what helps?", command)));
        sections.push(lines);
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
    let head = [
        name.clone(),
        match comparison.variants.len() {
            1 => "1 variant".into(),
            2 => "2 variants on the same luck".into(),
            n => format!("{n} variants on the same luck, best first"),
        },
        seeds,
    ];
    let head = head.into_iter().chain(comparison.struck.iter().map(|struck| clean(struck)));
    let on = comparison.on.iter().map(|on| clean(&on.words()));
    let head = head.chain(on).chain(set).collect::<Vec<_>>().join(style.pick(" · ", ", "));
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
        by_merit(comparison).filter_map(|v| v.picture.as_ref().map(|series| (v, series))).collect();
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
    for row in comparison.by_merit() {
        let variant = &comparison.variants[row];
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

/// Mean differences to the first variant, seed by seed.
fn differences(comparison: &Comparison, style: Style) -> Vec<String> {
    let Some(first) = comparison.variants.first() else { return Vec::new() };
    let truth = |column: usize| comparison.variants.iter().any(|v| v.metrics[column].yes.is_some());
    let there = |column: usize| {
        !truth(column) && comparison.variants.iter().skip(1).any(|v| v.effects[column].difference.is_some())
    };
    let columns: Vec<usize> = (0..comparison.metrics.len()).filter(|&column| there(column)).collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let heads = heads(&comparison.metrics);
    let mut grid = Grid::new()
        .words(format!("minus {}", clean(&first.name)))
        .numbers(columns.iter().map(|&column| heads[column].clone()));
    for variant in by_merit(comparison).skip(1) {
        let cell = |&column: &usize| {
            let (effect, metric) = (&variant.effects[column], &comparison.metrics[column]);
            let text = minus(metric, effect, style);
            let paint = match effect.gain(metric.less_is_better) {
                Some(true) => Paint::Good,
                Some(false) => Paint::Bad,
                None => Paint::Plain,
            };
            Entry::painted(text, paint)
        };
        grid.row(std::iter::once(Entry::from(variant.name.as_str())).chain(columns.iter().map(cell)));
    }
    grid.text(2, style)
}

/// The variants, the best first after the one that they are held against.
fn by_merit(comparison: &Comparison) -> impl Iterator<Item = &Compared> {
    comparison.by_merit().into_iter().map(|row| &comparison.variants[row])
}

fn sentences(comparison: &Comparison, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let names = || comparison.variants.iter().map(|variant| width(&clean(&variant.name)));
    let indent = " ".repeat(names().max().unwrap_or(0).min(LONGEST_NAME) + 4);
    let said: Vec<(&str, &str)> =
        by_merit(comparison).map(|v| (v.name.as_str(), v.sentence.as_str())).collect();
    for (variant, sentence) in by_merit(comparison).zip(named(&said, style)) {
        lines.extend(sentence);
        if !variant.changes.is_empty() {
            lines.extend(quiet(&clean(&words(&variant.changes)), &indent, style));
        }
    }
    lines
}

/// More of a name is not shown.
const LONGEST_NAME: usize = 24;

/// Sentences, each after its name.
fn named(said: &[(&str, &str)], style: Style) -> Vec<Vec<String>> {
    let names: Vec<String> = said.iter().map(|(name, _)| clean(name)).collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0).min(LONGEST_NAME);
    let line = |((_, sentence), name): (&(&str, &str), &String)| {
        let lines = wrap(&clean(sentence), style.columns() - name_width - 4);
        let head = |index: usize| if index == 0 { fit(name, name_width, style) } else { String::new() };
        lines
            .iter()
            .enumerate()
            .map(|(index, line)| format!("  {}  {line}", pad(&head(index), name_width)))
            .collect::<Vec<_>>()
    };
    said.iter().zip(&names).map(line).collect()
}

/// A pull request's comment.
pub fn markdown(comparison: &Comparison) -> String {
    let style = Style::default();
    let Seeds { first, count } = comparison.seeds;
    let mut out = format!("### {}\n\n", escape_markdown(&comparison.experiment));
    for why in &comparison.incomplete {
        out += &format!("**Incomplete:** {}\n\n", escape_markdown(why));
    }
    let mut facts: Vec<String> = vec![match count {
        1 => format!("seed {first}"),
        n => format!("{n} seeds from {first}, the same for all"),
    }];
    facts.extend(comparison.struck.clone());
    facts.extend(comparison.on.as_ref().map(OnEdge::words));
    facts.extend(comparison.set.iter().map(|(path, value)| format!("{path}={value}")));
    out += &format!("{}.\n\n", upper_first(&escape_markdown(&facts.join("; "))));
    let list = |said: &mut dyn Iterator<Item = (&str, String)>| -> String {
        said.map(|(name, sentence)| {
            format!("- **{}**: {}\n", escape_markdown(name), escape_markdown(&sentence))
        })
        .collect()
    };
    let with_changes = |variant: &Compared| match variant.changes.as_slice() {
        [] => variant.sentence.clone(),
        changes => format!("{} ({})", variant.sentence, words(changes)),
    };
    out += &list(&mut by_merit(comparison).map(|v| (v.name.as_str(), with_changes(v))));
    if let Some(baseline) = &comparison.baseline {
        out += &format!(
            "\nAgainst `{}` ({}):\n\n",
            escape_markdown(&baseline.file),
            escape_markdown(&how(baseline))
        );
        out += &list(&mut baseline.variants.iter().map(|v| (v.name.as_str(), v.sentence.clone())));
        for regression in baseline.regressions.iter().flat_map(|regressions| &regressions.found) {
            out += &format!("- **worse**: {}\n", escape_markdown(regression));
        }
    }
    out += &format!("\n{}", table(comparison, true, style).markdown());
    let any_best = (0..comparison.metrics.len()).any(|column| best(comparison, column).is_some());
    let star = if any_best { "; ★ is clearly best" } else { "" };
    out += &format!("\n{}.\n", upper_first(&legend(comparison, star)));
    let notes = [comparison.unlike.clone(), lacking(comparison), in_hand(comparison), fewer(comparison)];
    for line in notes.into_iter().flatten() {
        out += &format!("{}.\n", escape_markdown(&upper_first(&line)));
    }
    if let Some(line) = pairing(comparison, style) {
        out += &format!("{}.\n", upper_first(&line));
    }
    if !comparison.again.is_empty() {
        let command = clean(&comparison.again).replace('`', "");
        out += &format!("\n```\n{command}\n```\nbrownout {}\n", env!("CARGO_PKG_VERSION"));
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
        "ratio",
        "ratio_low",
        "ratio_high",
        "clear",
        "pairing",
        "baseline",
        "since_baseline",
        "since_baseline_half_width",
        "answered",
        "low",
        "high",
        "served",
    ];
    let mut out = csv_line(heads);
    for variant in &comparison.variants {
        for (column, metric) in comparison.metrics.iter().enumerate() {
            let (value, effect) = (&variant.metrics[column], variant.effects.get(column));
            let changed = comparison.baseline.iter().flat_map(|baseline| &baseline.variants);
            let then = changed.filter(|v| v.name == variant.name).find_map(|v| v.effects[column].as_ref());
            let number = |x: Option<f64>| in_csv(x, metric.unit);
            let of = |of: fn(&Effect) -> Option<f64>| effect.and_then(of);
            let row = [
                variant.name.clone(),
                metric.path.clone(),
                unit::of_csv(metric.unit).into(),
                value.n.to_string(),
                csv_number(value.yes.map(|yes| yes as f64)),
                number(value.mean),
                number(value.half_width),
                number(of(|effect| effect.difference)),
                number(of(|effect| effect.half_width)),
                csv_number(of(|effect| effect.ratio)),
                csv_number(of(|effect| effect.ratio_interval.map(|(low, _)| low))),
                csv_number(of(|effect| effect.ratio_interval.map(|(_, high)| high))),
                csv_number(of(|effect| Some(f64::from(u8::from(effect.clear))))),
                csv_number(of(|effect| effect.pairing)),
                number(then.and_then(|effect| effect.from)),
                number(then.and_then(|effect| effect.difference)),
                number(then.and_then(|effect| effect.half_width)),
                csv_number(value.answered),
                number(value.interval().map(|interval| interval.start)),
                number(value.interval().map(|interval| interval.end)),
                csv_number(value.served),
            ];
            out += &csv_line(row);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::column::Column;
    use crate::result::compared::{DOCUMENT, FORMAT, sentence, struck};
    use crate::result::estimate::{Estimate, Measured, OfWhom};
    use crate::result::verdict::Verdict;
    use Measured::{Absent, Number, Truth};
    use sim_models::report::Disturbance;
    use sim_models::report::{Meaning, Unit};

    fn column(path: &str, unit: Unit) -> Column {
        Column { path: path.into(), unit, less_is_better: Meaning::at(path).less_is_better(), short: false }
    }

    fn compared(name: &str, values: &[&[Measured]], base: &[&[Measured]]) -> Compared {
        let metrics: Vec<Estimate> = values.iter().map(|values| Estimate::of(values)).collect();
        Compared {
            name: name.into(),
            verdict: Verdict::of(&metrics[0], &metrics[1], &[("recovered", 3)]),
            effects: values.iter().zip(base).map(|(values, base)| Effect::paired(values, base)).collect(),
            values: values.iter().map(|values| values.to_vec()).collect(),
            metrics,
            picture: Some(Series {
                name: "goodput".into(),
                unit: "/s".into(),
                values: (0..300).map(|n| if n < 60 || name == "budgeted" { 1000.0 } else { 24.0 }).collect(),
                ..Series::default()
            }),
            ..Compared::default()
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
        let slow = Disturbance {
            what: "slow".into(),
            on: "payments".into(),
            from: 60_000_000_000,
            to: Some(90_000_000_000),
        };
        let mut comparison = Comparison {
            document: DOCUMENT,
            struck: struck(std::slice::from_ref(&slow)),
            faults: (vec![slow], 300_000_000_000),
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
        };
        let (first, metrics) = (comparison.variants[0].clone(), comparison.metrics.clone());
        comparison.variants[0].sentence = first.verdict.text.clone();
        comparison.variants[1].sentence = sentence(&comparison.variants[1], &first, &metrics);
        comparison
    }

    #[test]
    fn variants_side_by_side() {
        let text = text(&storm("budgeted"), Style::default());
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn no_star_for_the_time_of_survivors() {
        let mut comparison = storm("budgeted");
        let path = r#"edges["users->checkout"].latency.p99"#;
        comparison.metrics.push(Column { short: true, ..column(path, Unit::Duration) });
        let [slow, fast] = [50e6, 5e6].map(|ns| [Number(ns), Number(ns * 1.01), Number(ns)]);
        // Base is fast, for the fifth of the calls that it answers.
        for (variant, values, share) in [(0, fast, 0.2), (1, slow, 0.97)] {
            let estimate = Estimate::of(&values).of_those(&[OfWhom::answered(share)]);
            let variant = &mut comparison.variants[variant];
            variant.metrics.push(estimate);
            variant.values.push(values.to_vec());
            variant.effects.extend((variant.name != "base").then(|| Effect::paired(&slow, &fast)));
        }
        let page = text(&comparison, Style { width: 140, ..Style::default() });
        let row = page.lines().find(|line| line.contains("of 20 %")).expect("of whom it is");
        assert!(row.contains("base") && !row.trim_end().ends_with('★'), "{page}");
        comparison.variants[0].metrics[4].answered = Some(0.97);
        assert!(text(&comparison, Style { width: 140, ..Style::default() }).contains("ms of 97 % ★"));
    }

    #[test]
    fn no_star_for_the_work_that_serving_fewer_saves() {
        let mut comparison = storm("bulkhead");
        let star = |comparison: &Comparison| {
            let page = text(comparison, Style { width: 140, ..Style::default() });
            (page.lines().any(|line| line.contains("1.077 ± 0.014 ★")), page.contains("no gain"))
        };
        assert_eq!(star(&comparison), (true, false));
        let whom = |served: f64| OfWhom { served: Some(served), ..OfWhom::default() };
        for (variant, served) in comparison.variants.iter_mut().zip([0.96, 0.40]) {
            variant.metrics[3] = variant.metrics[3].clone().of_those(&[whom(served)]);
        }
        let effect = comparison.variants[1].effects[3].clone();
        comparison.variants[1].effects[3] = effect.of_those(whom(0.96), whom(0.40));
        assert_eq!(star(&comparison), (false, true));
        let page = text(&comparison, Style { width: 140, ..Style::default() });
        assert!(
            page.contains("less work for fewer: bulkhead, where 40 % of calls are served instead of 96 %"),
            "{page}"
        );
        assert!(markdown(&comparison).contains("No gain, with less work for fewer: bulkhead"));
    }

    #[test]
    fn a_comment_for_a_pull_request() {
        let mut comparison = storm("bud|ge\nted`");
        comparison.incomplete.push("interrupted".into());
        insta::assert_snapshot!(markdown(&comparison));
    }

    #[test]
    fn a_comment_says_what_made_it() {
        let comparison = Comparison { again: "brownout compare retry-storm".into(), ..storm("budgeted") };
        let made =
            format!("\n```\nbrownout compare retry-storm\n```\nbrownout {}\n", env!("CARGO_PKG_VERSION"));
        assert!(markdown(&comparison).ends_with(&made));
    }

    #[test]
    fn the_best_comes_first_after_what_it_is_held_against() {
        let mut comparison = storm("budgeted");
        let column = comparison.metrics.iter().position(|metric| metric.path == "success").expect("there");
        let mut other = |name: &str, recovered: u64, success: f64| {
            let mut variant = comparison.variants[1].clone();
            variant.name = name.into();
            variant.metrics[0].yes = Some(recovered);
            variant.metrics[column].mean = Some(success);
            comparison.variants.push(variant);
        };
        other("worse", 3, 0.5);
        other("better", 3, 0.99);
        other("lost", 2, 1.0);
        let order: Vec<&str> = by_merit(&comparison).map(|variant| variant.name.as_str()).collect();
        assert_eq!(order, ["base", "better", "budgeted", "worse", "lost"]);
        assert_eq!(comparison.variants[2].name, "worse", "programs find them in the order of the file");
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
            variant.effects = vec![Effect::default(); variant.effects.len()];
            variant.picture = None;
        }
        let style = Style { width: 60, unicode: false, ..Style::default() };
        let text = text(&comparison, style);
        assert!(text.is_ascii() && !text.contains("NaN") && !text.contains('*'), "{text}");
    }
}
