//! Figures: what the page's script draws, and what is read where no script runs.
//!
//! A figure has one or more [`View`]s of one thing (an edge each, a metric each), of which a reader chooses one. What
//! it shows is data, not code: whoever has lines, points with intervals or a histogram over time has a figure.

use super::escape::text;
use crate::text::escape as clean;
use serde::{Serialize, Serializer};

/// The most points of all lines of one figure together: what is drawn is thinned to that, what is counted is not.
pub const POINTS: usize = 40_000;
/// The fewest and the most columns to which a line over time is thinned.
const COLUMNS: [usize; 2] = [300, 2_000];

/// One picture with its words.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figure {
    /// Its name within the page: letters and dashes.
    #[serde(skip)]
    pub id: String,
    /// What it shows.
    #[serde(skip)]
    pub title: String,
    /// What to read in it, and what was left out.
    #[serde(skip)]
    pub note: String,
    /// Figures with the same name share cursor, zoom and which lines are shown.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub link: &'static str,
    /// Height in pixels.
    pub height: u32,
    /// What can be chosen; the first is shown.
    pub views: Vec<View>,
}

/// One thing that a figure can show.
#[derive(Clone, Debug, Default, Serialize)]
pub struct View {
    /// What tells it from the others.
    pub name: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Lines and points.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// A histogram over time below them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heat: Option<Heat>,
    /// In words what can be seen, for those who cannot.
    #[serde(skip)]
    pub summary: String,
}

/// One axis.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Axis {
    /// What is along it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What its numbers count: `s`, `ns`, `/s`, `share`, `tail` (`1 / (1 - share)`), or nothing in particular.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub unit: &'static str,
    /// Whether equal ratios are equally far apart.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// Words instead of the numbers 0, 1, 2 ..
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Where it ends, if that is not for the data to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Num>,
    /// Where it ends at first, because a burst beyond would press all else to the floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Num>,
    /// Whether it need not begin at zero.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tight: bool,
}

/// One line, or points.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// The edge or service that it is about, if it is not its name: lines about one thing are shown and hidden together.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Number of its colour and of its dashes: the same thing has the same in all figures.
    pub ink: [usize; 2],
    /// How it is drawn: `line`, `steps`, `points` (with a line between them), `exact` (theory beside them); or marks
    /// with nothing between them, each another shape: `discs`, `rings`, `squares`, `diamonds`, `triangles`, `crosses`.
    pub style: &'static str,
    /// Where along the horizontal axis its values stand.
    pub at: At,
    /// The values; nothing where there is none.
    pub values: Vec<Option<Num>>,
    /// Half the width of each value's interval.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub half: Vec<Option<Num>>,
}

/// Where the values of a line stand.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum At {
    /// Each at its own place.
    Each(Vec<Num>),
    /// In steps of so many seconds from zero, each in the middle of its own; `group` windows became one step, and
    /// with `pair` a step has two values, the lowest and the highest of its windows as they came.
    Steps {
        /// Seconds.
        step: Num,
        /// Windows of a step.
        group: usize,
        /// Two values for each step.
        pair: bool,
    },
}

impl Default for At {
    fn default() -> Self {
        At::Each(Vec::new())
    }
}

/// Histograms over time with their counts, and how calls ended beside them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Heat {
    /// Length of a column in seconds.
    pub step: Num,
    /// Buckets for each doubling: bucket `i` holds from `2^(i / n) * (1 + i % n / n)` nanoseconds on.
    pub per_octave: u64,
    /// For each column the first bucket, then counts; a negative number stands for so many zeros.
    pub columns: Vec<Vec<i64>>,
    /// Calls that ended well, for each column.
    pub ok: Vec<u64>,
    /// Calls that ended otherwise.
    pub failed: Vec<u64>,
}

/// What stands behind all linked figures over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Backdrop {
    /// Faults and the like.
    pub bands: Vec<Band>,
    /// Seconds that are simulated and not measured.
    pub warm_up: Num,
    /// Seconds until the end.
    pub end: Num,
}

/// One shaded stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Band {
    /// What happened.
    pub name: String,
    /// From, in seconds.
    pub from: Num,
    /// To, in seconds.
    pub to: Num,
}

impl Figure {
    /// The figure's place in the page: title, note, and for each view what can be seen, in words. The script draws
    /// into it; without one the words remain.
    pub fn html(&self) -> String {
        let id = text(&self.id);
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!("<p class=\"note\">{}</p>", text(&self.note))
        };
        let summary = |view: &View| {
            let name = if self.views.len() > 1 { text(&view.name) + ": " } else { String::new() };
            format!("<li>{name}{}</li>", text(&view.summary))
        };
        let summaries: String = self.views.iter().map(summary).collect();
        format!(
            "<figure class=\"plot\" id=\"{id}\" data-figure><figcaption><h3>{}</h3>{note}</figcaption>\
             <ul class=\"alt\" id=\"{id}-alt\">{summaries}</ul></figure>\n",
            text(&self.title)
        )
    }
}

/// A number as it is drawn: five digits are more than a screen has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Num(pub f64);

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.is_finite() {
            return serializer.serialize_none();
        }
        let rounded: f64 = format!("{:.4e}", self.0).parse().expect("as it was written");
        if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
            serializer.serialize_i64(rounded as i64)
        } else {
            serializer.serialize_f64(rounded)
        }
    }
}

/// Numbers, of which those that are none are absent.
pub fn nums(values: &[f64]) -> Vec<Option<Num>> {
    values.iter().map(|&x| x.is_finite().then_some(Num(x))).collect()
}

/// How many windows become one column where so many lines of so many windows are drawn.
pub fn group(windows: usize, lines: usize) -> usize {
    let columns = (POINTS / 2 / lines.max(1)).clamp(COLUMNS[0], COLUMNS[1]);
    windows.div_ceil(columns).max(1)
}

/// Values per window, at most so many windows in a column; see [`At::Steps`].
pub fn over_time(name: &str, ink: [usize; 2], values: &[f64], window: u64, group: usize) -> Line {
    let step = window as f64 / 1e9 * group as f64;
    let at = At::Steps { step: Num(step), group, pair: group > 1 };
    let values = if group == 1 { nums(values) } else { values.chunks(group).flat_map(ends).collect() };
    Line { name: clean(name), ink, style: "line", at, values, ..Line::default() }
}

/// The lowest and the highest of several values, in the order in which they came.
fn ends(values: &[f64]) -> [Option<Num>; 2] {
    let of = |better: fn(&f64, &f64) -> bool| {
        let numbers = values.iter().enumerate().filter(|(_, x)| x.is_finite());
        numbers.reduce(|best, next| if better(next.1, best.1) { next } else { best })
    };
    match (of(|a, b| a < b), of(|a, b| a > b)) {
        (Some((i, &low)), Some((j, &high))) if i <= j => [Some(Num(low)), Some(Num(high))],
        (Some((_, &low)), Some((_, &high))) => [Some(Num(high)), Some(Num(low))],
        _ => [None, None],
    }
}

/// Said beside a figure whose lines were thinned.
pub fn thinned(group: usize) -> String {
    match group {
        0 | 1 => String::new(),
        n => format!("Drawn thinned: the lowest and the highest of every {n} windows."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(values: &[Option<Num>]) -> String {
        serde_json::to_string(values).expect("numbers")
    }

    #[test]
    fn numbers_are_short() {
        let values = nums(&[1008.0, 1.0 / 3.0, 123_456.7, f64::NAN, -0.0, 1.5e-9]);
        assert_eq!(written(&values), "[1008,0.33333,123460,null,0,1.5e-9]");
    }

    #[test]
    fn thinning_keeps_every_extreme_in_its_order() {
        let mut values = vec![5.0; 100_000];
        (values[50_001], values[50_003], values[70_000]) = (9.0, 1.0, 7.0);
        let group = group(values.len(), 1);
        let line = over_time("x", [0, 0], &values, 1_000_000_000, group);
        assert!(line.values.len() <= 2 * COLUMNS[1], "{}", line.values.len());
        let at = 2 * (50_001 / group);
        assert_eq!(line.values[at..at + 2], [Some(Num(9.0)), Some(Num(1.0))]);
        assert!(line.values.contains(&Some(Num(7.0))));
        assert_eq!(super::group(300, 4), 1);
        assert_eq!(super::group(100_000, 1_000), 334);
    }

    #[test]
    fn words_remain_without_a_script_and_stay_words() {
        let view = View { name: "<b>".into(), summary: "it's \"fine\"".into(), ..View::default() };
        let figure = Figure {
            id: "calls".into(),
            title: "</h3>".into(),
            note: "a & b".into(),
            views: vec![view.clone(), view],
            ..Figure::default()
        };
        let html = figure.html();
        assert!(html.contains("<h3>&lt;/h3&gt;</h3><p class=\"note\">a &amp; b</p>"), "{html}");
        assert_eq!(html.matches("<li>&lt;b&gt;: it&#39;s &quot;fine&quot;</li>").count(), 2, "{html}");
    }
}
