//! Who said what to whom: a sequence diagram in the terminal, as Mermaid, as SVG.
//!
//! Time runs down, and a message is drawn where it was sent; how long it was on its way stands beside it.

mod mermaid;
mod svg;

pub use mermaid::mermaid;
pub use svg::{svg, svg_in_page};

use crate::text::number::{count, duration};
use crate::text::{Paint, Style, clean, fit, pad, pad_left, width};
use sim_models::trace::{Fate, Sequence, Step};

/// The widest column of a lifeline, and the narrowest.
const COLUMN: usize = 10;
const NARROW: usize = 5;
/// The least that is left for words.
const WORDS: usize = 24;

/// Who takes part, by place, in the order in which they stand: who neither says nor hears anything has no line.
fn parties(sequence: &Sequence) -> Vec<usize> {
    let takes_part = |party: &usize| {
        sequence
            .steps
            .iter()
            .any(|step| step.from as usize == *party || step.to.is_some_and(|to| to as usize == *party))
    };
    (0..sequence.lifelines.len()).filter(takes_part).collect()
}

/// What a step is, and what became of it.
fn words(step: &Step) -> String {
    let took = step.until.map(|until| duration(until.saturating_sub(step.at)));
    let what = clean(&step.what);
    match (step.to, step.fate, took) {
        (None, ..) => what,
        (_, Fate::Lost, _) => format!("{what}: lost"),
        (_, Fate::Unread, _) => format!("{what}: comes to nobody"),
        (_, Fate::Read, Some(took)) => format!("{what} ({took})"),
        (_, Fate::Read, None) => format!("{what}: on its way"),
    }
}

/// The diagram as lines of text.
pub fn text(sequence: &Sequence, style: Style) -> Vec<String> {
    let parties = parties(sequence);
    let Some(first) = sequence.steps.first() else { return Vec::new() };
    let times: Vec<String> =
        sequence.steps.iter().map(|step| format!("+{}", duration(step.at - first.at))).collect();
    let time = times.iter().map(|time| width(time)).max().unwrap_or(0);
    let room = style.columns().saturating_sub(2 + time + WORDS + 2) / parties.len().max(1);
    let column = room.clamp(NARROW, COLUMN);
    let names = parties.iter().map(|party| {
        let name = clean(&sequence.lifelines[*party]);
        // A number is enough where there is no room for more.
        let short = name.rsplit(' ').next().unwrap_or_default().to_owned();
        let name = if width(&name) < column { name } else { short };
        centred(&fit(&name, column - 1, style), column)
    });
    let head = format!("  {}{}", pad("", time + 1), names.collect::<String>());
    let mut lines = vec![style.paint(Paint::Strong, head.trim_end())];
    let place = |party: u32| parties.iter().position(|one| *one == party as usize).unwrap_or(0);
    let bar = style.pick('│', '|');
    for (step, time_of) in sequence.steps.iter().zip(&times) {
        let mut row: Vec<char> =
            (0..parties.len() * column).map(|at| if at % column == column / 2 { bar } else { ' ' }).collect();
        let from = place(step.from) * column + column / 2;
        match step.to {
            None => row[from] = style.pick('●', '*'),
            Some(to) => arrow(&mut row, from, place(to) * column + column / 2, step.fate, style),
        }
        let row: String = row.into_iter().collect();
        let room = style.columns().saturating_sub(2 + time + 1 + parties.len() * column + 1);
        let words = fit(&words(step), room.max(WORDS), style);
        let paint = if step.to.is_none() { Paint::Strong } else { Paint::Plain };
        let words = if step.fate == Fate::Read {
            style.paint(paint, &words)
        } else {
            style.paint(Paint::Bad, &words)
        };
        lines.push(format!("  {} {} {words}", pad_left(time_of, time), row).trim_end().to_owned());
    }
    if sequence.left_out > 0 {
        lines.push(format!("  and {} more", count(sequence.left_out)));
    }
    lines
}

fn arrow(row: &mut [char], from: usize, to: usize, fate: Fate, style: Style) {
    let (line, right, left, lost) = style.pick(('─', '▶', '◀', '✗'), ('-', '>', '<', 'x'));
    let (low, high) = (from.min(to), from.max(to));
    row[low + 1..high].iter_mut().for_each(|at| *at = line);
    match (fate, from < to) {
        (Fate::Lost, _) => row[usize::midpoint(from, to)] = lost,
        (Fate::Unread, true) => row[to - 1] = lost,
        (Fate::Unread, false) => row[to + 1] = lost,
        (Fate::Read, true) => row[to - 1] = right,
        (Fate::Read, false) => row[to + 1] = left,
    }
}

fn centred(text: &str, columns: usize) -> String {
    let left = (columns / 2).saturating_sub(width(text) / 2);
    pad(&(pad("", left) + text), columns)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A write that a majority has, though one message is lost and one node is down.
    pub fn write() -> Sequence {
        let step = |from, to, what: &str, at: u64, until: u64| Step {
            from,
            to: Some(to),
            what: what.into(),
            at: at * 1_000_000,
            until: Some(until * 1_000_000),
            fate: Fate::Read,
        };
        let steps = vec![
            step(0, 1, "write key 3", 1_000, 1_001),
            Step { fate: Fate::Lost, ..step(1, 2, "append, term 4", 1_001, 1_001) },
            step(1, 3, "append, term 4", 1_001, 1_003),
            Step { to: None, ..step(2, 2, "crash", 1_002, 1_002) },
            Step { fate: Fate::Unread, ..step(3, 2, "<b>", 1_003, 1_004) },
            step(3, 1, "appended, term 4", 1_003, 1_005),
            Step { until: None, ..step(1, 0, "done", 1_005, 0) },
        ];
        let lifelines = ["client", "node 0", "node 1", "node 2", "node 3"].map(String::from).to_vec();
        Sequence { lifelines, steps, left_out: 3 }
    }

    #[test]
    fn as_text() {
        insta::assert_snapshot!(text(&write(), Style::default()).join("\n"));
        let narrow = Style { width: 60, unicode: false, ..Style::default() };
        let lines = text(&write(), narrow);
        assert!(lines.iter().all(|line| line.is_ascii() && width(line) <= 60), "{lines:#?}");
    }

    #[test]
    fn as_mermaid_and_svg() {
        insta::assert_snapshot!(mermaid("a write", &write()));
        insta::assert_snapshot!(svg("a <write>", &write()));
    }

    #[test]
    fn nothing_is_no_picture() {
        assert!(text(&Sequence::default(), Style::default()).is_empty());
    }
}
