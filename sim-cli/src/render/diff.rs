//! Where two runs differ: which parts, which numbers, and the first event in which they part.

use crate::result::differed::event::Parting;
use crate::result::differed::parts::layer;
use crate::result::differed::{Differed, Difference};
use crate::text::table::Grid;
use crate::text::{Paint, Style, clean, escape, number};
use sim_models::report::Metric;
use sim_models::run::TrajectoryLine;

/// The page, with the `top` numbers that differ most.
pub fn text(differed: &Differed, top: usize, style: Style) -> String {
    let (a, b) = (&differed.a.name, &differed.b.name);
    let mut out = format!("A  {a}\nB  {b}\n\n");
    if differed.same() {
        out += &format!("{} the same in every event and every number\n", style.pick("✓", "ok:"));
        return out;
    }
    let parts = if differed.parts.is_empty() { "nothing".into() } else { differed.parts.join(", ") };
    out += &format!("digests: {parts} differ\n");
    let hint = layer(&differed.parts);
    if !hint.is_empty() {
        out += &format!("  {hint}\n");
    }
    if !differed.numbers.is_empty() {
        let head = format!("{} numbers differ, the largest change first", differed.numbers.len());
        out += &format!("\n{}\n", style.paint(Paint::Strong, &head));
        let mut grid = Grid::new().words("metric").numbers(["A", "B", "change"]);
        for difference in differed.numbers.iter().take(top) {
            let path = clean(&difference.path);
            grid.row([path, number::metric(difference.a), number::metric(difference.b), change(difference)]);
        }
        out += &(grid.text(2, style).join("\n") + "\n");
        let more = differed.numbers.len().saturating_sub(top);
        if more > 0 {
            out += &format!("  and {more} more: --top {}\n", differed.numbers.len());
        }
    }
    if let Some(parting) = &differed.parting {
        out += &format!("\n{}", parting_text(parting, style));
    }
    out
}

/// For programs, on one line.
pub fn json(differed: &Differed) -> String {
    serde_json::to_string(&differed.document()).expect("numbers and texts") + "\n"
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

/// Where the events part.
fn parting_text(parting: &Parting, style: Style) -> String {
    match parting {
        Parting::Between(stretch, why) => {
            let place = stretch.map_or("after the last checkpoint".into(), |(from, to)| {
                format!("between event {from} and event {to}")
            });
            format!("the first different event is {place}\n  {}\n", escape(why))
        }
        Parting::At { event, a, b } => {
            let head = format!("the first different event is number {event}");
            let mut out = style.paint(Paint::Strong, &head) + "\n";
            let before = |lines: &[TrajectoryLine]| {
                lines.iter().filter(|l| l.event < *event).cloned().collect::<Vec<_>>()
            };
            for line in before(a) {
                out += &format!("    {}\n", words(&line));
            }
            for (sign, paint, lines) in [("A", Paint::Bad, a), ("B", Paint::Good, b)] {
                for line in lines.iter().filter(|line| line.event >= *event) {
                    out += &style.paint(paint, &format!("  {sign} {}", words(line)));
                    out.push('\n');
                }
            }
            out
        }
    }
}

/// One line for people: number, time, what, where, who, how it ended.
fn words(line: &TrajectoryLine) -> String {
    // To the nanosecond, in seconds: the points stand below each other.
    let (seconds, nanos) = (line.time.as_nanos() / 1_000_000_000, line.time.as_nanos() % 1_000_000_000);
    let mut text = format!("{:>9}  {seconds:>5}.{nanos:09} s  {} {}", line.event, line.what, line.entity);
    if line.request != 0 {
        text += &format!("  request {:016x}", line.request);
    }
    if line.attempt != 0 {
        text += &format!(" attempt {}", line.attempt);
    }
    if !line.outcome.is_empty() {
        text += &format!("  {}", line.outcome);
    }
    if !line.note.is_empty() {
        text += &format!("  ({})", line.note);
    }
    escape(&text)
}
