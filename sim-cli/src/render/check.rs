//! What `check` found, as a page and as JSON.

use crate::result::checked::{Checked, Document};
use crate::result::moved::{Moved, MovedMetric, Reading};
use crate::text::table::Grid;
use crate::text::{Paint, Style, clean, number};
use sim_models::report::Metric;

/// The most metrics of a run that are shown.
const SHOWN: usize = 12;
/// Of a run in which luck explains all of them.
const LUCK_SHOWN: usize = 3;

/// For programs.
pub fn json(document: &Document) -> String {
    serde_json::to_string(document).expect("numbers and texts") + "\n"
}

/// The page.
pub fn text(document: &Document, style: Style) -> String {
    let mut out = String::new();
    for checked in &document.experiments {
        let mark = match checked.good {
            true => style.paint(Paint::Good, style.pick("✓", "ok")),
            false => style.paint(Paint::Bad, style.pick("✗", "FAILED")),
        };
        out += &format!("{mark} {}: {}\n", clean(&checked.experiment), said(checked).join(", "));
        for judged in checked.expectations.iter().filter(|judged| !judged.holds) {
            out += &format!("    {}: measured {}\n", Checked::title(judged), clean(&judged.measured));
        }
        for moved in &checked.moved {
            out.extend(run(moved, style).into_iter().map(|line| format!("    {line}\n")));
        }
        out.extend(checked.note.iter().map(|note| format!("    note: {}\n", clean(note))));
        if let Some(difference) = &checked.difference {
            out.extend(difference.lines().map(|line| format!("    {line}\n")));
        }
        out.extend(checked.again.iter().map(|again| format!("    again: {again}\n")));
    }
    let all = document.experiments.len();
    let good = document.experiments.iter().filter(|checked| checked.good).count();
    out + &format!("{all} checked, {good} good, {} not\n", all - good)
}

fn said(checked: &Checked) -> Vec<String> {
    let judged = &checked.expectations;
    let failed = judged.iter().filter(|judged| judged.fails()).count();
    let undecided = judged.iter().filter(|judged| judged.undecided).count();
    let mut said = vec![match (judged.len(), failed) {
        (0, _) => "no expectations".to_string(),
        (1, 0) if undecided == 0 => "1 expectation holds".to_string(),
        (all, 0) if undecided == 0 => format!("{all} expectations hold"),
        (all, 0) => format!("{undecided} of {all} expectations undecided"),
        (all, failed) if undecided == 0 => format!("{failed} of {all} expectations failed"),
        (all, failed) => format!("{failed} of {all} expectations failed, {undecided} undecided"),
    }];
    said.extend(checked.snapshot.clone());
    said.extend(checked.stopped.iter().map(|stopped| format!("stopped: {}", clean(stopped))));
    if !checked.problems.is_empty() {
        said.push("a metric is not known".into());
    }
    said
}

/// A run that is not what its snapshot remembers: which metrics moved, and where it begins.
fn run(moved: &Moved, style: Style) -> Vec<String> {
    let variant =
        moved.variant.as_ref().map_or("base".into(), |variant| format!("variant {}", clean(variant)));
    let count = moved.metrics.iter().filter(|metric| metric.moved).count();
    let seeds = moved.metrics.first().map_or(0, |metric| metric.seeds);
    let head = match (moved.metrics.len(), count) {
        (0, _) => "no metric that is looked at differs".to_string(),
        (all, 0) => format!("{all} metrics differ, all within what {seeds} seeds give"),
        (all, count) => format!("{all} metrics differ, {count} moved beyond what {seeds} seeds give"),
    };
    let mut lines = vec![format!("{variant}, seed {}: {head}", moved.seed)];
    if !moved.metrics.is_empty() {
        let mut grid =
            Grid::new().words("metric").numbers(["was", "is", "change", "seeds vary by"]).words("");
        // Of those that luck explains the largest few, and only if nothing else is to be seen.
        let shown = if count == 0 { LUCK_SHOWN.min(moved.metrics.len()) } else { count.min(SHOWN) };
        for metric in moved.metrics.iter().take(shown) {
            let value = |reading: Reading| number::metric(reading.metric(metric.unit));
            let verdict = if metric.moved { "moved" } else { "within luck" };
            let change = metric.change.map_or(String::new(), signed_percent);
            grid.row([
                clean(&metric.metric),
                value(metric.before),
                value(metric.now),
                change,
                luck(metric, style),
                verdict.into(),
            ]);
        }
        // Four columns are taken by the margin.
        lines.extend(grid.text(2, Style { width: style.columns().saturating_sub(4).max(60), ..style }));
        let more =
            [(count.saturating_sub(shown), "moved"), (moved.metrics.len() - count.max(shown), "within luck")];
        let more: Vec<String> =
            more.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} more {what}")).collect();
        if !more.is_empty() {
            lines.push(format!("  and {}: --format json", more.join(", ")));
        }
    }
    lines.push(format!("  first difference: {}", clean(&moved.first_difference)));
    lines
}

/// How far 99 of 100 seeds lie from the mean; or how many are as before.
fn luck(metric: &MovedMetric, style: Style) -> String {
    match (metric.mean, metric.reach, metric.like_before) {
        (Some(mean), Some(reach), _) if mean != 0.0 => {
            format!("{} {}", style.pick("±", "+-"), number::roughly(reach / mean.abs()))
        }
        (Some(_), Some(reach), _) => {
            let reach = number::metric(Metric::Number(reach, metric.unit));
            format!("{} {reach}", style.pick("±", "+-"))
        }
        (_, _, Some(like)) => format!("as before in {like}"),
        _ => String::new(),
    }
}

/// A change as people say it: `+22 %`, `-0.3 %`, or how many times as much.
pub fn signed_percent(change: f64) -> String {
    let factor = change + 1.0;
    if factor > 2.0 {
        return format!("x {}", number::number(factor));
    }
    let sign = if change >= 0.0 { "+" } else { "-" };
    let size = number::roughly(change.abs());
    if size.starts_with('<') { size } else { sign.to_string() + &size }
}
