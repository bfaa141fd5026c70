//! What `check` found, as a page and as JSON.

use super::table::Grid;
use super::{Paint, Style, clean, number};
use crate::expect::Judged;
use crate::golden::facts::Reading;
use crate::golden::moved::{Moved, MovedMetric};
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::Metric;

/// Version of the shape of a [`Document`].
pub const FORMAT: u32 = 1;
/// The most metrics of a run that are shown.
const SHOWN: usize = 12;
/// Of a run in which luck explains all of them.
const LUCK_SHOWN: usize = 3;

/// All experiments that were checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Document {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// In the order in which they were checked.
    pub experiments: Vec<Checked>,
}

/// One experiment and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Checked {
    /// Its name.
    pub experiment: String,
    /// Its file, if it has one.
    pub file: Option<String>,
    /// Whether all is well.
    pub good: bool,
    /// The exit code that it amounts to.
    pub exit: u8,
    /// What is expected of it.
    pub expectations: Vec<Judged>,
    /// What is wrong with the experiment: metrics that it expects something of and does not have.
    pub problems: Vec<Problem>,
    /// Why runs are partial.
    pub stopped: Vec<String>,
    /// What comparing with its snapshot came to, in words; absent if there is none.
    pub snapshot: Option<String>,
    /// The lines in which it differs from its snapshot.
    pub difference: Option<String>,
    /// Which metrics moved, run by run, if the snapshot differs and remembers them.
    pub moved: Vec<Moved>,
    /// Why it cannot be said which metrics moved.
    pub note: Option<String>,
    /// The digest of the results of the base run.
    pub results: String,
    /// The commands that repeat what failed.
    pub again: Vec<String>,
}

/// A mistake in an experiment that only its run shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl Checked {
    /// Expectation as a title: `budgeted: p99 at most 300ms`.
    pub fn title(judged: &Judged) -> String {
        let variant =
            judged.variant.as_ref().map_or(String::new(), |variant| format!("{}: ", clean(variant)));
        variant + &clean(&judged.claim)
    }

    /// Whether the snapshot differs, or is not there.
    pub fn snapshot_failed(&self) -> bool {
        self.difference.is_some() || self.snapshot.as_ref().is_some_and(|words| words.contains("missing"))
    }
}

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
