//! `brownout diff A B`: which numbers of two runs differ, and the first event in which they part.
//!
//! Either side is a saved run or one to be made now. Events are found by making both runs again: once to
//! have their checkpoints, once more to record the stretch in which they part.

mod event;
mod side;

use crate::App;
use crate::args::{Bounds, Format, text_or_json};
use crate::command::verify::differing_parts;
use crate::error::{Exit, Result};
use crate::result::differed::{self, Document, DocumentDigest, DocumentNumber, DocumentSide};
use crate::result::moved::Reading;
use crate::text::table::Grid;
use crate::text::{Paint, Style, clean, number};
use clap::Args as ClapArgs;
use event::Parting;
use side::Side;
use sim_models::report::{DigestParts, Metric, Report};

/// `brownout diff`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout diff retry-storm@42 retry-storm@43            # two seeds
  brownout diff retry-storm retry-storm:budgeted         # two variants
  brownout diff before/report.json after/report.json     # two saved runs
  brownout diff results retry-storm                      # a saved run and today's")]
pub struct Diff {
    /// A saved report.json or its folder, or an experiment, with :VARIANT and @SEED if wanted
    #[arg(value_name = "A")]
    pub a: String,
    /// The same
    #[arg(value_name = "B")]
    pub b: String,
    /// How many differing numbers to show, the largest change first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Diff, app: &mut App) -> Result<Exit> {
    let a = Side::open(&args.a, args, app)?;
    let b = Side::open(&args.b, args, app)?;
    let parts = differing_parts(&a.report.digest, &b.report.digest);
    let numbers = differences(&a.report, &b.report);
    let parting =
        if a.report.digest.t == b.report.digest.t { None } else { Some(event::find(&a, &b, args, app)?) };
    let same = parts.is_empty() && numbers.is_empty();

    let page = Comparison { a: &a, b: &b, parts, numbers, parting, top: args.top };
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Json => page.json(),
        _ => page.text(style),
    })?;
    if same {
        return Ok(Exit::Good);
    }
    app.console.note(&format!("different\n  again: {}", app.typed));
    Ok(Exit::Failed)
}

/// A number that differs.
struct Difference {
    path: String,
    a: Metric,
    b: Metric,
    /// The change over the larger of the two; 1 where only one side has it.
    change: f64,
}

/// Every metric that differs, the largest relative change first.
fn differences(a: &Report, b: &Report) -> Vec<Difference> {
    let mut paths = a.metric_paths();
    let more = b.metric_paths().into_iter().filter(|path| !paths.contains(path)).collect::<Vec<_>>();
    paths.extend(more);
    let value = |report: &Report, path: &str| report.metric(path).unwrap_or(Metric::Absent);
    let mut found: Vec<Difference> = Vec::new();
    for path in paths {
        let (a, b) = (value(a, &path), value(b, &path));
        if a != b {
            let change = match (a, b) {
                (Metric::Number(x, _), Metric::Number(y, _)) => (x - y).abs() / x.abs().max(y.abs()),
                _ => 1.0,
            };
            found.push(Difference { path, a, b, change });
        }
    }
    // A stable sort: among equal changes the report's own order.
    found.sort_by(|x, y| y.change.total_cmp(&x.change));
    found
}

struct Comparison<'a> {
    a: &'a Side,
    b: &'a Side,
    parts: Vec<&'static str>,
    numbers: Vec<Difference>,
    parting: Option<Parting>,
    top: usize,
}

impl Comparison<'_> {
    fn text(&self, style: Style) -> String {
        let (a, b) = (self.a.name(), self.b.name());
        let mut out = format!("A  {a}\nB  {b}\n\n");
        if self.parts.is_empty() && self.numbers.is_empty() {
            out += &format!("{} the same in every event and every number\n", style.pick("✓", "ok:"));
            return out;
        }
        let parts = if self.parts.is_empty() { "nothing".into() } else { self.parts.join(", ") };
        out += &format!("digests: {parts} differ\n");
        let hint = layer(&self.parts);
        if !hint.is_empty() {
            out += &format!("  {hint}\n");
        }
        if !self.numbers.is_empty() {
            let head = format!("{} numbers differ, the largest change first", self.numbers.len());
            out += &format!("\n{}\n", style.paint(Paint::Strong, &head));
            let mut grid = Grid::new().words("metric").numbers(["A", "B", "change"]);
            for difference in self.numbers.iter().take(self.top) {
                let path = clean(&difference.path);
                grid.row([
                    path,
                    number::metric(difference.a),
                    number::metric(difference.b),
                    change(difference),
                ]);
            }
            out += &(grid.text(2, style).join("\n") + "\n");
            let more = self.numbers.len().saturating_sub(self.top);
            if more > 0 {
                out += &format!("  and {more} more: --top {}\n", self.numbers.len());
            }
        }
        if let Some(parting) = &self.parting {
            out += &format!("\n{}", parting.text(style));
        }
        out
    }

    fn json(&self) -> String {
        let value = |metric: Metric| match metric {
            Metric::Truth(truth) => Reading::Truth(truth),
            Metric::Number(number, _) if number.is_finite() => Reading::Number(number),
            _ => Reading::Absent(()),
        };
        let side = |side: &Side| {
            let DigestParts { i, t, r, s, .. } = side.report.digest.clone();
            DocumentSide { run: side.name(), digest: DocumentDigest { i, t, r, s } }
        };
        let number = |difference: &Difference| DocumentNumber {
            metric: difference.path.clone(),
            a: value(difference.a),
            b: value(difference.b),
            change: difference.change,
        };
        let document = Document {
            format: differed::FORMAT,
            a: side(self.a),
            b: side(self.b),
            same: self.parts.is_empty() && self.numbers.is_empty(),
            parts: self.parts.clone(),
            numbers: self.numbers.iter().map(number).collect(),
            event: self.parting.as_ref().map(Parting::document),
        };
        serde_json::to_string(&document).expect("numbers and texts") + "\n"
    }
}

/// What a set of differing parts says about where to look.
pub(super) fn layer(parts: &[&str]) -> &'static str {
    let differs = |part: &str| parts.contains(&part);
    match (differs("input"), differs("trajectory"), differs("randomness"), differs("results")) {
        (true, false, _, _) => "another input, and yet the same events: what changed had no effect",
        (true, ..) => "",
        (false, true, true, _) => "the same input drew other random numbers: a draw too many or too few",
        (false, true, false, _) => "the same input and draws took another course: another version, or a bug",
        (false, false, _, true) => "the same events were reported differently: another version, or a bug",
        _ => "",
    }
}

fn change(difference: &Difference) -> String {
    match (difference.a, difference.b) {
        (Metric::Number(x, _), Metric::Number(y, _)) if x != 0.0 => {
            let factor = y / x;
            if (0.5..2.0).contains(&factor) {
                let sign = if factor >= 1.0 { "+" } else { "-" };
                format!("{sign}{}", number::percent((factor - 1.0).abs()))
            } else {
                format!("x {}", number::number(factor))
            }
        }
        _ => String::new(),
    }
}
