//! One experiment over many seeds: what each metric comes to, and whether theory agrees.

use crate::result::column::{Column, estimate, heads, in_csv, unsettled};
use crate::result::estimate::Measured;
use crate::result::replicated::{Replicated, SURE, Theory};
use crate::text::number::{of, off_by, percent, plus_minus};
use crate::text::table::{Entry, Grid, csv_line};
use crate::text::{Paint, Style, clean, quiet, wrap};

/// The section of a page.
pub fn section(replicated: &Replicated, style: Style) -> Vec<String> {
    let count = replicated.seeds.count;
    let mut seeds = if count == 1 { "over 1 seed".into() } else { format!("over {count} seeds") };
    if let Some(precision) = replicated.precision.as_ref().filter(|precision| precision.reached) {
        seeds += &format!(", each mean within {}", percent(precision.wanted));
    }
    let head = format!("  {}  {}", style.paint(Paint::Strong, &seeds), clean(&replicated.verdict));
    let mut lines = vec![head.trim_end().to_string()];
    for why in &replicated.incomplete {
        let text = format!("INCOMPLETE: {}", clean(why));
        let lines_of = wrap(&text, style.columns() - 2);
        lines.extend(lines_of.iter().map(|line| format!("  {}", style.paint(Paint::Bad, line))));
    }
    if !replicated.metrics.is_empty() {
        lines.extend(metrics(replicated, style).text(2, style));
        lines.extend(unsettled(&replicated.estimates).iter().flat_map(|words| quiet(words, "  ", style)));
    }
    if !replicated.theory.is_empty() {
        lines.push(String::new());
        lines.extend(theory(&replicated.theory, style));
    }
    lines
}

/// What each metric comes to over all seeds.
pub fn metrics(replicated: &Replicated, style: Style) -> Grid {
    let count = replicated.seeds.count;
    let mut grid =
        Grid::new().words("metric").number("mean and 95 % interval").number("smallest").number("largest");
    let rows = replicated.metrics.iter().zip(&replicated.estimates).zip(&replicated.values);
    for (head, ((metric, measured), values)) in heads(&replicated.metrics).into_iter().zip(rows) {
        let numbers = || values.iter().filter_map(|value| value.number()).filter(|_| measured.yes.is_none());
        let ends = [numbers().reduce(f64::min), numbers().reduce(f64::max)];
        let ends = ends.map(|end| end.map_or_else(String::new, |end| of(end, metric.unit)));
        let absent = u64::from(count) - measured.n.min(u64::from(count));
        let head =
            if absent > 0 && measured.n > 0 { format!("{head} (on {} seeds)", measured.n) } else { head };
        let [smallest, largest] = ends;
        grid.row([head, estimate(measured, metric.unit, style), smallest, largest]);
    }
    grid
}

fn theory(values: &[Theory], style: Style) -> Vec<String> {
    let columns: Vec<Column> = values.iter().map(|value| value.column.clone()).collect();
    let mut grid = Grid::new().words("theory").numbers(["measured", "exact", "off by"]).words("");
    for (head, value) in heads(&columns).into_iter().zip(values) {
        let unit = value.column.unit;
        let measured = match (value.measured.mean, value.allowed) {
            (Some(mean), Some(allowed)) => plus_minus(mean, allowed, unit, style),
            _ => estimate(&value.measured, unit, style),
        };
        let off = value.measured.mean.map_or_else(String::new, |mean| off_by(mean, value.exact));
        let (words, paint) = match value.agrees {
            Some(true) => ("agrees", Paint::Good),
            Some(false) => ("differs", Paint::Bad),
            None if value.source.contains("approximate") => ("approximate", Paint::Plain),
            None if value.allowed.is_none() && value.measured.n > 1 => ("too rare to tell", Paint::Plain),
            None => ("", Paint::Plain),
        };
        let cells = [head, measured, of(value.exact, unit), off].map(Entry::from);
        grid.row(cells.into_iter().chain([Entry::painted(words, paint)]));
    }
    let mut lines = grid.text(2, style);
    let mut sources: Vec<&str> = values.iter().map(|value| value.source.as_str()).collect();
    sources.dedup();
    sources.retain(|source| !source.is_empty());
    let judged = values.iter().filter(|value| value.agrees.is_some()).count();
    let percentile = values.iter().any(|value| value.column.path.contains("_p"));
    let or = if percentile { ", or for a percentile within 0.1 %" } else { "" };
    let pages = (1.0 / (1.0 - SURE)).round();
    let rule = match judged {
        0 => String::new(),
        _ => format!("; agrees: exact is within ±{or}. By chance alone one page in {pages} says otherwise"),
    };
    let rule = rule.replace('±', style.pick("±", "+-"));
    lines.extend(quiet(&format!("exact: {}{rule}", clean(&sources.join("; "))), "  ", style));
    lines
}

/// One row per seed.
pub fn csv(replicated: &Replicated) -> String {
    let heads = replicated.metrics.iter().map(|metric| metric.path.as_str());
    let mut out = csv_line(std::iter::once("seed").chain(heads));
    for (n, seed) in replicated.seeds.iter().enumerate() {
        let number = |(values, metric): (&Vec<Measured>, &Column)| {
            in_csv(values.get(n).and_then(|value| value.number()), metric.unit)
        };
        let numbers = replicated.values.iter().zip(&replicated.metrics).map(number);
        out += &csv_line(std::iter::once(seed.to_string()).chain(numbers));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::estimate::Estimate;
    use crate::result::replicated::{DOCUMENT, FORMAT};
    use crate::result::seeds::Seeds;
    use crate::text::width;
    use Measured::{Absent, Number, Truth};
    use sim_models::report::Unit;

    fn column(path: &str, unit: Unit) -> Column {
        Column { path: path.into(), unit, less_is_better: None, short: false }
    }

    fn theory_of(path: &str, values: &[f64], exact: f64, of: usize) -> Theory {
        let pairs: Vec<(f64, f64)> = values.iter().map(|&value| (value, exact)).collect();
        Theory::new(column(path, Unit::Duration), &pairs, "M/M/c", of)
    }

    fn replicated() -> Replicated {
        let values = vec![
            vec![Truth(true), Truth(true), Truth(false)],
            vec![Number(1.5e9), Number(2e9), Absent],
            vec![Number(0.97), Number(0.98), Number(0.97)],
        ];
        Replicated {
            document: DOCUMENT,
            format: FORMAT,
            experiment: "storm".into(),
            seeds: Seeds { first: 7, count: 3 },
            verdict: "recovers on 2 of 3 seeds only, then in 1.75 s".into(),
            metrics: vec![
                column("recovered", Unit::Plain),
                column("time_to_recover", Unit::Duration),
                column("success", Unit::Share),
            ],
            estimates: values.iter().map(|values| Estimate::of(values)).collect(),
            values,
            theory: vec![
                theory_of("values.response_mean.value", &[3.31e6, 3.35e6, 3.36e6], 3.333e6, 2),
                theory_of("values.wait_mean.value", &[2.31e6, 2.32e6, 2.33e6], 2.9e6, 2),
            ],
            ..Replicated::default()
        }
    }

    #[test]
    fn a_section() {
        let text = section(&replicated(), Style::default()).join("\n");
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_row_for_each_seed() {
        assert_eq!(
            csv(&replicated()),
            "seed,recovered,time_to_recover,success\n7,1,1.5,0.97\n8,1,2,0.98\n9,0,,0.97\n"
        );
    }

    #[test]
    fn what_is_too_rare_to_have_happened_is_not_held_against_theory() {
        let judge = |values: &[f64], exact: f64| {
            let pairs: Vec<(f64, f64)> = values.iter().map(|&value| (value, exact)).collect();
            Theory::new(column("values.rejected.value", Unit::Share), &pairs, "M/M/c/K", 5)
        };
        let rare = judge(&[0.0; 10], 6.57e-6);
        assert_eq!((rare.agrees, rare.allowed), (None, None));
        let page = theory(&[rare], Style::default()).join("\n");
        assert!(page.contains("too rare to tell") && !page.contains("differs"), "{page}");
        // A tenth of all calls would have been seen; and of what theory excludes none is right.
        assert_eq!(judge(&[0.0; 10], 0.1).agrees, Some(false));
        assert_eq!(judge(&[0.0; 10], 0.0).agrees, Some(true));
        // Nor can a wait of a nanosecond be.
        let wait = |exact| theory_of("values.wait_mean.value", &[0.0; 5], exact, 1).agrees;
        assert_eq!((wait(1.0), wait(5_000.0)), (None, Some(false)));
    }

    #[test]
    fn theory_agrees_within_its_interval() {
        let values = [99.0, 101.0, 100.0, 100.5, 99.5];
        let agrees = |exact: f64, of: usize| theory_of("values.wait_mean.value", &values, exact, of).agrees;
        // t(0.995, 4) = 4.604, standard error 0.354: 1.63 either side.
        assert_eq!((agrees(101.6, 1), agrees(101.7, 1)), (Some(true), Some(false)));
        assert_eq!(agrees(101.7, 5), Some(true), "of five values one may be that far off by chance");
        assert_eq!(agrees(110.0, 5), Some(false));
        assert_eq!(
            theory_of("values.wait_mean.value", &[99.0], 100.0, 1).agrees,
            None,
            "one run has no interval"
        );
    }

    #[test]
    fn a_percentile_may_be_off_by_its_resolution() {
        let agrees = |path: &str, exact| theory_of(path, &[1000.0, 1000.0], exact, 1).agrees;
        assert_eq!(agrees("values.response_p99.value", 999.5), Some(true));
        assert_eq!(agrees("values.response_p99.value", 998.0), Some(false));
        assert_eq!(agrees("values.response_mean.value", 999.5), Some(false));
        assert_eq!(agrees("values.response_mean.value", 1000.0), Some(true));
    }

    #[test]
    fn theory_that_knows_the_seed_is_judged_seed_by_seed() {
        let kept = |pairs: &[(f64, f64)]| {
            Theory::new(column("values.kept.value", Unit::Share), pairs, "of this ring", 1)
        };
        // Far from what the first seed's ring keeps, near to what each keeps.
        let near = kept(&[(0.92, 0.919), (0.84, 0.842), (0.89, 0.889)]);
        assert_eq!(near.agrees, Some(true));
        assert!((near.exact - 2.65 / 3.0).abs() < 1e-12 && near.allowed.unwrap() < 0.02);
        assert_eq!(kept(&[(0.92, 0.900), (0.84, 0.821), (0.89, 0.871)]).agrees, Some(false));
    }

    #[test]
    fn an_approximation_is_not_judged() {
        let theory = Theory::new(
            column("values.wait_mean.value", Unit::Plain),
            &[(1.0, 9.0), (1.1, 9.0)],
            "M/G/c: Allen-Cunneen, approximate",
            1,
        );
        assert_eq!(theory.agrees, None);
    }
}
